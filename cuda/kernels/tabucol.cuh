/* Device code of TabuCol; see tabucol.h for the scheme. One individual belongs to a
 * block, or to a cluster of blocks that divide its vertices: then only the warps'
 * best moves travel between blocks, through distributed shared memory. */
#ifndef PRISM_CUDA_KERNELS_TABUCOL_CUH
#define PRISM_CUDA_KERNELS_TABUCOL_CUH

#include <cooperative_groups.h>
#include <type_traits>

#include "base/rng.h"
#include "kernels/gamma.cuh"
#include "kernels/tabucol.h"

namespace tabucol {

enum { MAX_RECORDS = 32 };            /* warps of an individual: one lane reads each */
static const int32_t NO_COUNT = 0x7FFF;
static const uint32_t NO_KEY = 0xFFFFFFFFu;
static const uint16_t NO_ENTRY = 0xFFFFu;
static const uint32_t STOP_BIT = 1u << 20;     /* in the sum of the records' counts */
static const uint32_t OUTGROWN_BIT = 1u << 25;

/* Where things lie in the shared memory of a block; sizes in bytes. */
struct Layout {
  int32_t vertices; /* that a block owns at most: threads * words per thread * cells */
  int32_t stride;   /* words */
  size_t gamma, color, entry, head, next, mark, size, total;
};

template <class Cell>
__host__ __device__ inline Layout layout_of(int32_t n, int32_t k, int32_t cluster,
                                            int32_t threads, int32_t words_per_thread,
                                            int32_t ring) {
  Layout l;
  l.vertices = threads * words_per_thread * Cell::PER_WORD;
  int32_t used = cluster > 1 || n > l.vertices ? l.vertices : n;
  used = (used + 7) / 8 * 8;
  l.stride = gamma_stride<Cell>(used);
  l.gamma = 2 * MAX_RECORDS * sizeof(uint4);
  l.color = (l.gamma + (size_t)k * (size_t)l.stride * 4 + 15) / 16 * 16;
  l.entry = (l.color + (size_t)used * 2 + 15) / 16 * 16;
  l.head = l.entry + (size_t)ring * 4;
  l.next = l.head + (size_t)ring * 2;
  l.size = (l.next + (size_t)ring * 2 + 15) / 16 * 16;
  l.mark = l.size + (size_t)k * 4;
  l.total = (l.mark + (size_t)used + 15) / 16 * 16;
  return l;
}

/* The conflicting vertex that a lane looks after; counts are of neighbours. */
struct Host {
  int32_t vertex; /* -1: none */
  int32_t color;
  int32_t own;    /* in its own colour: its conflicts */
  int32_t best;   /* fewest among the allowed colours; NO_COUNT: none is allowed */
  int32_t ties;   /* allowed colours with that count */
  int32_t pick;   /* one of them, drawn at random */
  int32_t banned; /* no more than the fewest among the tabu colours */
};

/* What every thread of an individual holds. */
template <class Cell>
struct Search {
  uint32_t *gamma;
  uint16_t *color, *head, *next;
  uint8_t *mark;     /* vertices that have a host */
  uint32_t *entry;   /* tabu pairs v | c << 16 */
  int32_t *size;     /* of the colour classes; kept by the first block alone */
  uint4 *record;     /* [2][MAX_RECORDS] */
  int32_t stride, k;
  int32_t first;     /* vertex of this block */
  int32_t words;     /* gamma words of a row here */
  int32_t warp_word; /* first of this warp */
  int32_t lane;
  uint32_t rng;
};

/* The fewest count among allowed colours (or, with `banned`, among tabu ones) of a
 * vertex, by the whole warp. All lanes get the results. [out] other: fewest count
 * among the tabu colours. */
template <class Cell>
__device__ __forceinline__ void scan_row(Search<Cell> &s, int32_t vertex, int32_t own_color,
                                         bool banned, int32_t *best, int32_t *ties,
                                         int32_t *pick, int32_t *other) {
  const typename Cell::type *cell =
      gamma_cell<Cell>(s.gamma, s.stride, s.lane, vertex - s.first);
  const int32_t step = 32 * s.stride * Cell::PER_WORD;
  uint32_t key = NO_KEY, least = NO_KEY, tabu = NO_COUNT;
  int32_t count = 0;
  for (int32_t c = s.lane; c < s.k; c += 32, cell += step) {
    uint32_t x = *cell;
    bool forbidden = (x & Cell::FORBID) != 0;
    x &= Cell::FORBID - 1u;
    if (forbidden && c != own_color) tabu = min(tabu, x);
    if (forbidden != banned || c == own_color) continue;
    count = x < least ? 1 : count + (x == least);
    least = min(least, x);
    uint32_t random = lcg_next(&s.rng) >> (42 - Cell::COUNT_SHIFT);
    key = min(key, x << Cell::COUNT_SHIFT | random << 10 | (uint32_t)c);
  }
  key = __reduce_min_sync(FULL_WARP, key);
  uint32_t fewest = key >> Cell::COUNT_SHIFT;
  *other = (int32_t)__reduce_min_sync(FULL_WARP, tabu);
  *ties = __reduce_add_sync(FULL_WARP, least == fewest ? count : 0);
  *best = *ties > 0 ? (int32_t)fewest : NO_COUNT;
  *pick = (int32_t)(key & 1023u);
}

/* Let `lane` host a vertex with `own` conflicts; its row is scanned afterwards. */
template <class Cell>
__device__ __forceinline__ void take_in(Search<Cell> &s, Host &host, int32_t lane,
                                        int32_t vertex, int32_t color, int32_t own) {
  if (s.lane != lane) return;
  host.vertex = vertex;
  host.color = color;
  host.own = own;
  s.mark[vertex - s.first] = 1;
}

template <class Cell>
__device__ __forceinline__ void scan_for(Search<Cell> &s, Host &host, uint32_t lanes) {
  for (; lanes != 0; lanes &= lanes - 1) {
    int32_t h = __ffs((int)lanes) - 1, best, ties, pick, other;
    int32_t vertex = __shfl_sync(FULL_WARP, host.vertex, h);
    int32_t own_color = __shfl_sync(FULL_WARP, host.color, h);
    scan_row(s, vertex, own_color, false, &best, &ties, &pick, &other);
    if (s.lane == h) {
      host.best = best;
      host.ties = ties;
      host.pick = pick;
      host.banned = other;
    }
  }
}

/* What take_in_waiting hands back: passed by value, so that the callers' copies stay in
 * registers. */
struct TakenIn {
  Host host;
  uint32_t rng;
  bool waiting; /* some may still wait */
};

/* Find hosts for conflicting vertices that have none while lanes are free. Rare: the
 * start, and when more than 32 of a warp's vertices conflict. */
template <class Cell, int V>
__device__ __noinline__ TakenIn take_in_waiting(Search<Cell> s, Host host) {
  for (;;) {
    uint32_t idle = __ballot_sync(FULL_WARP, host.vertex < 0);
    if (idle == 0) return TakenIn{host, s.rng, true};
    int32_t found = -1, own = 0;
    for (int i = 0; i < V; ++i) {
      int32_t w = s.warp_word + 32 * i + s.lane;
      for (int j = 0; j < Cell::PER_WORD && w < s.words && found < 0; ++j) {
        int32_t v = w * Cell::PER_WORD + j; /* cells past the last vertex hold no counts */
        if (s.mark[v] != 0) continue;
        uint32_t x = *gamma_cell<Cell>(s.gamma, s.stride, s.color[v], v);
        x &= Cell::FORBID - 1u;
        if (x > 0) {
          found = v;
          own = (int32_t)x;
        }
      }
    }
    uint32_t waiting = __ballot_sync(FULL_WARP, found >= 0);
    if (waiting == 0) return TakenIn{host, s.rng, false};
    int32_t from = __ffs((int)waiting) - 1, to = __ffs((int)idle) - 1;
    int32_t v = __shfl_sync(FULL_WARP, found, from);
    take_in(s, host, to, s.first + v, s.color[v], __shfl_sync(FULL_WARP, own, from));
    __syncwarp();
    scan_for(s, host, 1u << to);
  }
}

/* Build gamma from the colours, with the vertices' own colours forbidden. Returns
 * this thread's part of 2 f. */
template <class Cell, int V>
__device__ __forceinline__ int32_t build(Search<Cell> &s, const prism_gpu_graph_t &g,
                                         const uint16_t *start) {
  for (int i = 0; i < V; ++i) {
    int32_t w = s.warp_word + 32 * i + s.lane;
    if (w >= s.words) continue;
    for (int32_t c = 0; c < s.k; ++c) s.gamma[c * s.stride + w] = 0;
#pragma unroll 4
    for (int32_t u = 0; u < g.n; ++u) {
      const uint32_t *row = g.row + (size_t)u * (size_t)g.words + (s.first >> 5);
      uint32_t bits = row_bits<Cell>(__ldg(row + ((w * Cell::PER_WORD) >> 5)), w);
      s.gamma[(int32_t)start[u] * s.stride + w] += Cell::spread(bits);
    }
  }
  int32_t conflicts = 0;
  for (int i = 0; i < V; ++i) {
    int32_t w = s.warp_word + 32 * i + s.lane;
    for (int j = 0; j < Cell::PER_WORD && w < s.words; ++j) {
      int32_t v = w * Cell::PER_WORD + j;
      bool real = s.first + v < g.n;
      s.color[v] = real ? start[s.first + v] : (uint16_t)0;
      s.mark[v] = 0;
      if (!real) continue;
      typename Cell::type *cell = gamma_cell<Cell>(s.gamma, s.stride, s.color[v], v);
      conflicts += *cell;
      *cell = (typename Cell::type)(*cell | Cell::FORBID);
    }
  }
  return conflicts;
}

/* Copy this thread's colours to the best colouring. */
template <class Cell, int V>
__device__ __forceinline__ void save(const Search<Cell> &s, uint16_t *best) {
  typedef typename std::conditional<Cell::PER_WORD == 4, uint2, uint32_t>::type quad;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w = s.warp_word + 32 * i + s.lane;
    if (w < s.words) ((quad *)(best + s.first))[w] = ((const quad *)s.color)[w];
  }
}

/* Tabu pairs whose time is over become allowed again. Called by all warps; each
 * serves its own vertices. */
template <class Cell, int V>
__device__ __forceinline__ void expire(Search<Cell> &s, Host &host, uint32_t slot) {
  uint32_t at = s.head[slot];
  while (at != NO_ENTRY) {
    uint32_t pair = s.entry[at];
    at = s.next[at];
    int32_t u = (int32_t)(pair & 0xFFFFu), c = (int32_t)(pair >> 16);
    int32_t word = (u - s.first) / Cell::PER_WORD - s.warp_word;
    if (u < s.first || (uint32_t)word >= 32u * V) continue;
    typename Cell::type *cell = gamma_cell<Cell>(s.gamma, s.stride, c, u - s.first);
    uint32_t x = *cell;
    bool tabu = (x & Cell::FORBID) != 0 && s.color[u - s.first] != c;
    x &= Cell::FORBID - 1u;
    __syncwarp();
    if (!tabu) continue; /* it came back by aspiration: now its own colour */
    if (s.lane == (word & 31)) *cell = (typename Cell::type)x;
    if (host.vertex == u) {
      if ((int32_t)x < host.best) {
        host.best = (int32_t)x;
        host.ties = 1;
        host.pick = c;
      } else if ((int32_t)x == host.best) {
        ++host.ties;
        if (lcg_below(&s.rng, (uint32_t)host.ties) == 0) host.pick = c;
      }
    }
  }
}

/* v, adjacent to the hosted vertex, moved from a to b and gamma knows it. Returns
 * whether the row must be scanned again. */
template <class Cell>
__device__ __forceinline__ bool follow(Search<Cell> &s, Host &host, int32_t a, int32_t b) {
  const int32_t v = host.vertex - s.first;
  uint32_t x = *gamma_cell<Cell>(s.gamma, s.stride, a, v);
  uint32_t y = *gamma_cell<Cell>(s.gamma, s.stride, b, v);
  bool scan = false;
  if (host.color == a) {
    --host.own;
  } else if (x < Cell::FORBID) {
    if ((int32_t)x < host.best) {
      host.best = (int32_t)x;
      host.ties = 1;
      host.pick = a;
    } else if ((int32_t)x == host.best) {
      ++host.ties;
      if (lcg_below(&s.rng, (uint32_t)host.ties) == 0) host.pick = a;
    }
  } else {
    host.banned = min(host.banned, (int32_t)(x & (Cell::FORBID - 1u)));
  }
  if (host.color == b) {
    ++host.own;
  } else if (y < Cell::FORBID && (int32_t)y - 1 == host.best) {
    --host.ties;
    scan = host.pick == b || host.ties == 0;
  }
  return scan;
}

/* The key of a hosted vertex's move: fewer conflicts first, then at random with the
 * weight of its ties (the least of that many exponential variables). */
template <class Cell>
__device__ __forceinline__ uint32_t move_key(Search<Cell> &s, int32_t best, int32_t own,
                                             int32_t ties) {
  float uniform = ((float)(lcg_next(&s.rng) >> 8) + 0.5f) * (1.0f / 16777216.0f);
  float wait = -__log2f(uniform) * __fdividef(1.0f, (float)ties);
  uint32_t random = __float2uint_rz(wait * (float)(1 << (Cell::DELTA_SHIFT - 5)));
  return (uint32_t)(best - own + Cell::DELTA_ZERO) << Cell::DELTA_SHIFT | random;
}

/* A move that all threads of an individual agreed on. */
struct Move {
  uint32_t key;
  int32_t vertex, from, to;
  uint32_t count; /* conflicting vertices, and the flags above */
};

template <bool CLUSTER>
__device__ __forceinline__ void meet() {
  if (CLUSTER)
    cooperative_groups::this_cluster().sync();
  else if (blockDim.x > 32)
    __syncthreads();
  else
    __syncwarp();
}

/* Agree on the best move of all warps. The one barrier of an iteration. */
template <class Cell, bool CLUSTER>
__device__ __forceinline__ Move agree(Search<Cell> &s, uint32_t key, const Host &host,
                                      int32_t pick, uint32_t count, int32_t parity) {
  uint32_t least = __reduce_min_sync(FULL_WARP, key);
  int32_t from = __ffs((int)__ballot_sync(FULL_WARP, key == least)) - 1;
  uint32_t colors = (uint32_t)host.color | (uint32_t)pick << 16;
  Move move;
  if (!CLUSTER && blockDim.x == 32) {
    move.key = least;
    move.vertex = __shfl_sync(FULL_WARP, host.vertex, from);
    colors = __shfl_sync(FULL_WARP, colors, from);
    move.count = count;
  } else {
    uint4 *record = s.record + parity * MAX_RECORDS;
    int32_t warp = (int32_t)threadIdx.x >> 5, records = (int32_t)blockDim.x >> 5;
    if (CLUSTER) {
      cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
      int32_t blocks = (int32_t)cluster.num_blocks();
      int32_t slot = (int32_t)cluster.block_rank() * records + warp;
      uint4 mine = make_uint4(least, (uint32_t)__shfl_sync(FULL_WARP, host.vertex, from),
                              __shfl_sync(FULL_WARP, colors, from), count);
      if (s.lane < blocks) *cluster.map_shared_rank(record + slot, s.lane) = mine;
      records *= blocks;
    } else if (s.lane == from) {
      record[warp] = make_uint4(least, (uint32_t)host.vertex, colors, count);
    }
    meet<CLUSTER>();
    uint4 read = make_uint4(NO_KEY, 0, 0, 0);
    if (s.lane < records) read = record[s.lane];
    move.key = __reduce_min_sync(FULL_WARP, read.x);
    from = __ffs((int)__ballot_sync(FULL_WARP, read.x == move.key)) - 1;
    move.vertex = __shfl_sync(FULL_WARP, (int32_t)read.y, from);
    colors = __shfl_sync(FULL_WARP, read.z, from);
    move.count = __reduce_add_sync(FULL_WARP, read.w);
  }
  move.from = (int32_t)(colors & 0xFFFFu);
  move.to = (int32_t)(colors >> 16);
  return move;
}

/* Carry out a move on this warp's vertices. Returns whether vertices that became
 * conflicting found no host. */
template <class Cell, int V>
__device__ __forceinline__ bool apply(Search<Cell> &s, Host &host, const prism_gpu_graph_t &g,
                                      const Move &move) {
  const int32_t v = move.vertex, a = move.from, b = move.to;
  const uint32_t *row = g.row + (size_t)v * (size_t)g.words + (s.first >> 5);
  uint32_t adjacent[V], fresh[V];
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w = s.warp_word + 32 * i + s.lane;
    adjacent[i] = w < s.words ? __ldg(row + ((w * Cell::PER_WORD) >> 5)) : 0u;
  }
  uint32_t seen = host.vertex >= 0 ? __ldg(row + ((host.vertex - s.first) >> 5)) : 0u;
  uint32_t *from = s.gamma + a * s.stride, *to = s.gamma + b * s.stride;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w = s.warp_word + 32 * i + s.lane;
    fresh[i] = 0;
    if (w >= s.words) continue;
    uint32_t one = Cell::spread(row_bits<Cell>(adjacent[i], w));
    uint32_t more = to[w] + one;
    from[w] -= one;
    to[w] = more;
    /* First conflict of a vertex in class b: own colour (or tabu), count 1. */
    fresh[i] = zero_cells<Cell>(more ^ (Cell::FORBIDS | Cell::ONES)) & (one * Cell::FORBID);
    if (v - s.first >= w * Cell::PER_WORD && v - s.first < (w + 1) * Cell::PER_WORD) {
      typename Cell::type *cell = gamma_cell<Cell>(s.gamma, s.stride, b, v - s.first);
      *cell = (typename Cell::type)(*cell | Cell::FORBID);
      s.color[v - s.first] = (uint16_t)b;
    }
  }
  __syncwarp();
  bool scan = false;
  if (host.vertex == v) {
    host.color = b;
    host.own = *gamma_cell<Cell>(s.gamma, s.stride, b, v - s.first) & (Cell::FORBID - 1u);
    scan = true;
  } else if (seen >> (host.vertex & 31) & 1u) {
    scan = follow(s, host, a, b);
  }
  if (host.vertex >= 0 && host.own == 0) {
    s.mark[host.vertex - s.first] = 0;
    host.vertex = -1;
  }
  bool waiting = false;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    const int32_t mine = (s.warp_word + 32 * i + s.lane) * Cell::PER_WORD;
    uint32_t lanes = __ballot_sync(FULL_WARP, fresh[i] != 0);
    for (; lanes != 0; lanes &= lanes - 1) {
      int32_t source = __ffs((int)lanes) - 1;
      uint32_t cells = __shfl_sync(FULL_WARP, fresh[i], source);
      int32_t base = __shfl_sync(FULL_WARP, mine, source);
      for (; cells != 0; cells &= cells - 1) {
        int32_t u = base + (__ffs((int)cells) - 1) / (32 / Cell::PER_WORD);
        if (s.color[u] != b) continue; /* tabu there, not a member */
        uint32_t idle = __ballot_sync(FULL_WARP, host.vertex < 0);
        waiting |= idle == 0;
        if (idle == 0) continue;
        int32_t h = __ffs((int)idle) - 1;
        take_in(s, host, h, s.first + u, b, 1);
        scan |= s.lane == h;
      }
    }
  }
  scan_for(s, host, __ballot_sync(FULL_WARP, scan && host.vertex >= 0));
  return waiting;
}

/* Hosted vertices for which a tabu colour may lead below the best: replace their
 * candidate of this iteration. */
template <class Cell>
__device__ __forceinline__ void aspire(Search<Cell> &s, Host &host, uint32_t lanes, int32_t room,
                                       int32_t *best, int32_t *ties, int32_t *pick) {
  for (; lanes != 0; lanes &= lanes - 1) {
    int32_t h = __ffs((int)lanes) - 1, b, t, p, other;
    int32_t vertex = __shfl_sync(FULL_WARP, host.vertex, h);
    int32_t own_color = __shfl_sync(FULL_WARP, host.color, h);
    scan_row(s, vertex, own_color, true, &b, &t, &p, &other);
    if (s.lane != h) continue;
    host.banned = other;
    if (b - host.own < room && b < host.best) {
      *best = b;
      *ties = t;
      *pick = p;
    }
  }
}

/* Class sizes bound the counts: true when one might soon not fit a cell. Kept only
 * where a vertex has that many neighbours, by one thread. */
template <class Cell>
__device__ __forceinline__ bool resize(Search<Cell> &s, const Move &move) {
  --s.size[move.from];
  return ++s.size[move.to] >= (int32_t)Cell::FORBID - 2;
}

}  // namespace tabucol

#endif
