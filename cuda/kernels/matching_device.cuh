/* Matching of the classes of two colourings by one warp, for distance.cu.
 *
 * The classes of the first colouring are rows, those of the second columns. A cell is
 * a pair of classes that share vertices; its weight is their number. The cells of row
 * i are cell[end[i - 1] .. end[i] - 1], in no particular order. */
#ifndef PRISM_CUDA_KERNELS_MATCHING_DEVICE_CUH
#define PRISM_CUDA_KERNELS_MATCHING_DEVICE_CUH

#include <limits.h>
#include <stdint.h>

#include "kernels/pool_device.cuh"

/* Column and weight of a cell in 32 bits while n allows it, otherwise in 64. */
struct small_cell {
  typedef uint32_t type;
  static __device__ __forceinline__ type make(int32_t column, int32_t weight) {
    return (uint32_t)column | (uint32_t)weight << 16;
  }
  static __device__ __forceinline__ int32_t column(type cell) { return (int32_t)(cell & 0xFFFFu); }
  static __device__ __forceinline__ int32_t weight(type cell) { return (int32_t)(cell >> 16); }
};

struct large_cell {
  typedef unsigned long long type;
  static __device__ __forceinline__ type make(int32_t column, int32_t weight) {
    return (unsigned long long)(uint32_t)column | (unsigned long long)(uint32_t)weight << 32;
  }
  static __device__ __forceinline__ int32_t column(type cell) { return (int32_t)(uint32_t)cell; }
  static __device__ __forceinline__ int32_t weight(type cell) { return (int32_t)(cell >> 32); }
};

/* The prices keep row_price[i] + column_price[j] >= weight of (i, j) and >= 0; equal
 * on matched pairs, 0 for columns without a mate and, in the end, rows without one. */
template <class Cell>
struct matching {
  typename Cell::type *cell; /* [n] */
  int32_t *end;              /* [k] */
  int32_t *row_price;        /* [k] */
  int32_t *column_price;     /* [k] */
  int32_t *row_mate;         /* [k] column of a row, -1: none */
  int32_t *column_mate;      /* [k] row of a column, -1: none */
  int32_t *path;             /* [k] shortest path to a column so far; INT_MAX: none */
  int32_t *parent;           /* [k] row before a column on that path */
  int32_t *touched;          /* [k] columns with a path; those whose path is final first */
  int32_t n, k, lane;
};

template <class Cell>
static __host__ __device__ __forceinline__ size_t matching_bytes(int32_t n, int32_t k) {
  return area_round((size_t)n * sizeof(typename Cell::type)) + 32 * (size_t)k;
}

template <class Cell>
static __device__ __forceinline__ matching<Cell> matching_open(unsigned char *area, int32_t n,
                                                               int32_t k, int32_t lane) {
  int32_t *numbers = (int32_t *)(area + area_round((size_t)n * sizeof(typename Cell::type)));
  size_t each = (size_t)k;
  matching<Cell> m;
  m.cell = (typename Cell::type *)area;
  m.end = numbers;
  m.row_price = numbers + each;
  m.column_price = numbers + 2 * each;
  m.row_mate = numbers + 3 * each;
  m.column_mate = numbers + 4 * each;
  m.path = numbers + 5 * each;
  m.parent = numbers + 6 * each;
  m.touched = numbers + 7 * each;
  m.n = n;
  m.k = k;
  m.lane = lane;
  return m;
}

/* Colour number `i` of eight. */
static __device__ __forceinline__ int32_t octet_color(const uint4 &octet, int i) {
  uint32_t pair = i < 2 ? octet.x : i < 4 ? octet.y : i < 6 ? octet.z : octet.w;
  return (int32_t)((i & 1) != 0 ? pair >> 16 : pair & 0xFFFFu);
}

/* The vertices by class of the first colouring, each as its class of the second:
 * cell[..] = column, end[] set. */
template <class Cell>
static __device__ __forceinline__ void list_columns(matching<Cell> &m, const uint16_t *a,
                                                    const uint16_t *b) {
  const int32_t whole = m.n / 8 * 8;
  int32_t *size = m.path;
  for (int32_t c = m.lane; c < m.k; c += 32) size[c] = 0;
  __syncwarp();
  for (int32_t v = 8 * m.lane; v < whole; v += 256) {
    uint4 classes = *(const uint4 *)(a + v);
#pragma unroll
    for (int i = 0; i < 8; ++i) atomicAdd(&size[octet_color(classes, i)], 1);
  }
  for (int32_t v = whole + m.lane; v < m.n; v += 32) atomicAdd(&size[a[v]], 1);
  __syncwarp();
  warp_sums_before(size, m.end, m.k, m.lane);
  __syncwarp();
  for (int32_t v = 8 * m.lane; v < whole; v += 256) {
    uint4 classes = *(const uint4 *)(a + v), columns = *(const uint4 *)(b + v);
#pragma unroll
    for (int i = 0; i < 8; ++i)
      m.cell[atomicAdd(&m.end[octet_color(classes, i)], 1)] =
          (typename Cell::type)octet_color(columns, i);
  }
  for (int32_t v = whole + m.lane; v < m.n; v += 32)
    m.cell[atomicAdd(&m.end[a[v]], 1)] = (typename Cell::type)b[v];
  __syncwarp();
}

/* Equal columns of a row become one cell with their number as its weight. In place:
 * cells are written at or before the place they are read from. */
template <class Cell>
static __device__ __forceinline__ void merge_cells(matching<Cell> &m) {
  int32_t *count = m.path, begin = 0, out = 0;
  for (int32_t c = m.lane; c < m.k; c += 32) count[c] = 0;
  __syncwarp();
  for (int32_t row = 0; row < m.k; ++row) {
    int32_t end = m.end[row], first = out;
    for (int32_t base = begin; base < end; base += 32) {
      int32_t column = base + m.lane < end ? (int32_t)m.cell[base + m.lane] : -1;
      bool fresh = column >= 0 && atomicAdd(&count[column], 1) == 0;
      unsigned mask = __ballot_sync(ALL_LANES, fresh);
      __syncwarp(); /* all cells of this stretch have been read */
      if (fresh)
        m.cell[out + __popc(mask & ((1u << m.lane) - 1u))] = (typename Cell::type)column;
      out += __popc(mask);
    }
    __syncwarp();
    for (int32_t e = first + m.lane; e < out; e += 32) {
      int32_t column = (int32_t)m.cell[e];
      m.cell[e] = Cell::make(column, count[column]);
      count[column] = 0;
    }
    if (m.lane == 0) m.end[row] = out;
    begin = end;
    __syncwarp();
  }
}

template <class Cell>
static __device__ __forceinline__ void matching_clear(matching<Cell> &m) {
  for (int32_t c = m.lane; c < m.k; c += 32) {
    m.row_price[c] = m.column_price[c] = 0;
    m.row_mate[c] = m.column_mate[c] = -1;
    m.path[c] = INT_MAX;
  }
  __syncwarp();
}

/* First prices, and the matches they allow at once: most of them when two colourings
 * are related. Among a row's heaviest columns a free one is preferred. */
template <class Cell>
static __device__ __forceinline__ void match_heaviest(matching<Cell> &m) {
  for (int32_t row = 0, begin = 0; row < m.k; ++row) {
    int32_t end = m.end[row], key = -1, column = -1;
    for (int32_t e = begin + m.lane; e < end; e += 32) {
      int32_t here = Cell::column(m.cell[e]);
      int32_t worth = 2 * Cell::weight(m.cell[e]) + (m.column_mate[here] < 0 ? 1 : 0);
      if (worth <= key) continue;
      key = worth;
      column = here;
    }
    int32_t best = __reduce_max_sync(ALL_LANES, key);
    int32_t owner = __ffs((int)__ballot_sync(ALL_LANES, key == best)) - 1;
    __syncwarp(); /* the mates have been read */
    if (begin < end && m.lane == owner) {
      m.row_price[row] = best / 2;
      if ((best & 1) != 0) {
        m.row_mate[row] = column;
        m.column_mate[column] = row;
      }
    }
    begin = end;
    __syncwarp();
  }
}

/* Shorten the paths of the row's columns by going through it, `length` away. Columns
 * reached for the first time join `touched`; returns their new number. */
template <class Cell>
static __device__ __forceinline__ int32_t relax(matching<Cell> &m, int32_t row, int32_t length,
                                                int32_t count) {
  int32_t begin = row > 0 ? m.end[row - 1] : 0, end = m.end[row];
  int32_t base_length = length + m.row_price[row];
  for (int32_t base = begin; base < end; base += 32) {
    int32_t column = -1;
    bool fresh = false;
    if (base + m.lane < end) {
      typename Cell::type cell = m.cell[base + m.lane];
      column = Cell::column(cell);
      int32_t through = base_length + m.column_price[column] - Cell::weight(cell);
      int32_t before = m.path[column];
      if (through < before) {
        m.path[column] = through;
        m.parent[column] = row;
        fresh = before == INT_MAX;
      }
    }
    unsigned mask = __ballot_sync(ALL_LANES, fresh);
    if (fresh) m.touched[count + __popc(mask & ((1u << m.lane) - 1u))] = column;
    count += __popc(mask);
  }
  __syncwarp();
  return count;
}

/* How the search for a path ended. */
struct path_end {
  int32_t length;
  int32_t column;  /* free column that was reached; -1: `row` gives its column up */
  int32_t row;
  int32_t settled; /* columns whose path is final */
  int32_t touched;
};

/* Shortest path from a row without a mate to a free column, or to a row that is best
 * left single (Dijkstra's order; all reduced costs are >= 0). */
template <class Cell>
static __device__ __forceinline__ path_end find_path(matching<Cell> &m, int32_t start) {
  path_end p = {INT_MAX, -1, -1, 0, 0};
  int32_t row = start, length = 0;
  for (;;) {
    int32_t single = length + m.row_price[row];
    if (single < p.length) {
      p.length = single;
      p.row = row;
    }
    p.touched = relax(m, row, length, p.touched);
    int32_t key = INT_MAX, at = -1;
    for (int32_t t = p.settled + m.lane; t < p.touched; t += 32) {
      int32_t column = m.touched[t];
      int32_t worth = 2 * m.path[column] + (m.column_mate[column] >= 0 ? 1 : 0);
      if (worth >= key) continue;
      key = worth;
      at = t;
    }
    int32_t least = __reduce_min_sync(ALL_LANES, key);
    if (least == INT_MAX || least / 2 >= p.length) return p;
    int32_t owner = __ffs((int)__ballot_sync(ALL_LANES, key == least)) - 1;
    at = __shfl_sync(ALL_LANES, at, owner);
    int32_t column = m.touched[at];
    length = least / 2;
    if ((least & 1) == 0) {
      p.length = length;
      p.column = column;
      return p;
    }
    row = m.column_mate[column];
    __syncwarp(); /* touched has been read */
    if (m.lane == 0) {
      m.touched[at] = m.touched[p.settled];
      m.touched[p.settled] = column;
    }
    ++p.settled;
    __syncwarp();
  }
}

/* Match the row along such a path and restore what the prices promise. */
template <class Cell>
static __device__ __forceinline__ void augment(matching<Cell> &m, int32_t start) {
  path_end p = find_path(m, start);
  __syncwarp();
  for (int32_t t = m.lane; t < p.settled; t += 32) {
    int32_t column = m.touched[t], rise = p.length - m.path[column];
    m.column_price[column] += rise;
    m.row_price[m.column_mate[column]] -= rise;
  }
  if (m.lane == 0) m.row_price[start] -= p.length;
  __syncwarp();
  for (int32_t t = m.lane; t < p.touched; t += 32) m.path[m.touched[t]] = INT_MAX;
  if (m.lane == 0) {
    int32_t column = p.column;
    if (column < 0) {
      column = m.row_mate[p.row];
      m.row_mate[p.row] = -1;
    }
    while (column >= 0) { /* back to the start, which has no column to pass on */
      int32_t row = m.parent[column], next = m.row_mate[row];
      m.column_mate[column] = row;
      m.row_mate[row] = column;
      column = next;
    }
  }
  __syncwarp();
}

/* Weight of the heaviest matching: in the end the sum of the prices. */
template <class Cell>
static __device__ __forceinline__ int32_t match_exactly(matching<Cell> &m) {
  matching_clear(m);
  match_heaviest(m);
  for (int32_t row = 0; row < m.k; ++row)
    if (m.row_mate[row] < 0 && m.row_price[row] > 0) augment(m, row);
  int32_t sum = 0;
  for (int32_t c = m.lane; c < m.k; c += 32) sum += m.row_price[c] + m.column_price[c];
  return __reduce_add_sync(ALL_LANES, sum);
}

/* The row's heaviest cell among free columns, ties to the lowest; into row_price (0:
 * none) and row_mate. */
template <class Cell>
static __device__ __forceinline__ void offer(matching<Cell> &m, int32_t row) {
  int32_t begin = row > 0 ? m.end[row - 1] : 0, weight = 0, column = INT_MAX;
  for (int32_t e = begin + m.lane; e < m.end[row]; e += 32) {
    int32_t here = Cell::column(m.cell[e]), w = Cell::weight(m.cell[e]);
    if (m.column_mate[here] >= 0 || w < weight || (w == weight && here > column)) continue;
    weight = w;
    column = here;
  }
  int32_t best = __reduce_max_sync(ALL_LANES, weight);
  int32_t lowest = __reduce_min_sync(ALL_LANES, weight == best ? column : INT_MAX);
  if (m.lane == 0) {
    m.row_price[row] = best;
    m.row_mate[row] = lowest;
  }
}

/* Weight of the greedy matching. A row's offer may be out of date, then it is too
 * high: it is made again when its turn comes. */
template <class Cell>
static __device__ __forceinline__ int32_t match_greedily(matching<Cell> &m) {
  matching_clear(m);
  for (int32_t row = 0; row < m.k; ++row) offer(m, row);
  __syncwarp();
  int32_t common = 0;
  for (;;) {
    int32_t weight = 0, row = INT_MAX;
    for (int32_t c = m.lane; c < m.k; c += 32) {
      int32_t w = m.row_price[c];
      if (w <= weight) continue;
      weight = w;
      row = c;
    }
    int32_t best = __reduce_max_sync(ALL_LANES, weight);
    if (best == 0) return common;
    row = __reduce_min_sync(ALL_LANES, weight == best ? row : INT_MAX);
    int32_t column = m.row_mate[row];
    bool is_free = m.column_mate[column] < 0;
    __syncwarp(); /* the offers have been read */
    if (is_free) {
      common += best;
      if (m.lane == 0) {
        m.column_mate[column] = row;
        m.row_price[row] = 0;
      }
    } else {
      offer(m, row);
    }
    __syncwarp();
  }
}

#endif
