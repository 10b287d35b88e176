/* Device code of TabuCol; see tabucol.h for the scheme. One individual belongs to a
 * block, or to a cluster of blocks that divide its vertices: then only the warps'
 * best moves travel between blocks, through distributed shared memory.
 *
 * An iteration has two halves. In the first, gamma changes: every thread updates the
 * words that it owns. In the second, gamma is only read: every lane follows what the
 * move did to the vertex it hosts, and each warp names its best move. */
#ifndef PRISM_CUDA_KERNELS_TABUCOL_CUH
#define PRISM_CUDA_KERNELS_TABUCOL_CUH

#include <cooperative_groups.h>
#include <type_traits>

#include "base/rng.h"
#include "kernels/gamma.cuh"
#include "kernels/tabucol.h"

namespace tabucol {

enum { MAX_RECORDS = 32, QUEUE = 32 }; /* one lane reads each */
static const int32_t NO_COUNT = 0x7FFF;
static const uint32_t NO_KEY = 0xFFFFFFFFu;
static const uint32_t NO_ENTRY = 0xFFFFu;
/* Fields of the sum of the records' counts; 32 warps host at most 1024 vertices. */
static const uint32_t COUNT_MASK = 0xFFFFu;
static const uint32_t WAITING = 1u << 16;  /* up to 32 warps say so */
static const uint32_t STOP = 1u << 24;
static const uint32_t OUTGROWN = 1u << 28;

/* Where things lie in the shared memory of a block; sizes in bytes. */
struct Layout {
  int32_t vertices; /* of a block, a multiple of 32 */
  int32_t stride;   /* words */
  size_t gamma, color, entry, head, mark, size, total;
};

template <class Cell>
__host__ __device__ inline Layout layout_of(int32_t n, int32_t k, int32_t cluster,
                                            int32_t ring) {
  Layout l;
  l.vertices = ((n + cluster - 1) / cluster + 31) / 32 * 32;
  int32_t used = cluster > 1 ? l.vertices : (n + 7) / 8 * 8;
  l.stride = gamma_stride<Cell>(used);
  l.gamma = 2 * MAX_RECORDS * sizeof(uint4) + QUEUE * sizeof(int32_t);
  l.color = (l.gamma + (size_t)k * (size_t)l.stride * 4 + 15) / 16 * 16;
  l.entry = (l.color + (size_t)used * 2 + 15) / 16 * 16;
  l.head = l.entry + (size_t)ring * sizeof(uint2);
  l.size = (l.head + (size_t)ring * 2 + 15) / 16 * 16;
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
  uint16_t *color;
  uint16_t *head;    /* [ring] first entry of the tabu pairs that expire in a slot */
  uint8_t *mark;     /* vertices that have a host */
  uint2 *entry;      /* [ring] tabu pairs: v | c << 16, next entry of the slot */
  int32_t *size;     /* of the colour classes; kept by the first block alone */
  uint4 *record;     /* [2][MAX_RECORDS] */
  int32_t *queue;    /* [QUEUE] vertices that want a host, -1: none; a share for each warp */
  int32_t stride, k;
  int32_t first;     /* vertex of this block */
  int32_t words;     /* gamma words of a row here */
  int32_t warps;     /* of this block */
  int32_t owners;    /* first warps of the block: they own words */
  int32_t share;     /* of an owner warp in the queue */
  int32_t warp, lane;
  uint32_t rng;
};

/* A move that all threads of an individual agreed on. */
struct Move {
  uint32_t key;
  int32_t vertex, from, to;
  uint32_t count;  /* sum of the records' counts */
  int32_t taker;   /* warp of this block that gives new conflicts a host */
};

/* Is this warp's i-th word of mine in the table? [out] w */
template <class Cell, int V>
__device__ __forceinline__ bool word_of(const Search<Cell> &s, int i, int32_t *w) {
  *w = (s.warp * V + i) * 32 + s.lane;
  return *w < s.words;
}

/* The fewest count among the allowed colours of a vertex (among the others, without its
 * own, if `banned`), by the whole warp; all lanes get the results. [out] ties: colours
 * that reach it; pick: one of them; other: no more than the fewest among the rest. */
template <class Cell>
__device__ __forceinline__ void scan_row(Search<Cell> &s, int32_t vertex, int32_t own_color,
                                         bool banned, int32_t *best, int32_t *ties,
                                         int32_t *pick, int32_t *other) {
  const typename Cell::type *row = gamma_cell<Cell>(s.gamma, s.stride, 0, vertex - s.first);
  const int32_t step = s.stride * Cell::PER_WORD;
  const uint32_t low = Cell::FORBID - 1u, flip = banned ? Cell::FORBID : 0u;
  uint32_t key = NO_KEY, rest = low, fewest = low + 1u, random = lcg_next(&s.rng);
  int32_t count = 0;
  for (int32_t c = s.lane; c < s.k; c += 32) {
    uint32_t x = (uint32_t)row[c * step] ^ flip;
    if (banned && c == own_color) x = 2u * Cell::FORBID - 1u;
    random = random * 1664525u + 1013904223u;
    uint32_t ordered = x << Cell::COUNT_SHIFT |
                       (random >> (42 - Cell::COUNT_SHIFT) << 10 | (uint32_t)c);
    bool good = x < Cell::FORBID;
    key = good ? min(key, ordered) : key;
    rest = good ? rest : min(rest, x & low);
    count = x < fewest ? 1 : count + (x == fewest);
    fewest = min(fewest, x);
  }
  key = __reduce_min_sync(FULL_WARP, key);
  uint32_t least = key >> Cell::COUNT_SHIFT;
  *other = (int32_t)__reduce_min_sync(FULL_WARP, rest);
  *ties = __reduce_add_sync(FULL_WARP, fewest == least ? count : 0);
  *best = key == NO_KEY ? NO_COUNT : (int32_t)least;
  *pick = (int32_t)(key & 1023u);
}

/* Scan the rows of the vertices that `lanes` host. */
template <class Cell>
__device__ __forceinline__ void scan_for(Search<Cell> &s, Host &host, uint32_t lanes) {
  for (; lanes != 0; lanes &= lanes - 1) {
    int32_t h = __ffs((int)lanes) - 1, best, ties, pick, other;
    int32_t vertex = __shfl_sync(FULL_WARP, host.vertex, h);
    scan_row(s, vertex, 0, false, &best, &ties, &pick, &other);
    bool mine = s.lane == h;
    host.best = mine ? best : host.best;
    host.ties = mine ? ties : host.ties;
    host.pick = mine ? pick : host.pick;
    host.banned = mine ? other : host.banned;
  }
}

/* The set bit of `bits` (not 0) that follows position `from`, around the end. */
__device__ __forceinline__ int32_t bit_after(uint32_t bits, uint32_t from) {
  return (__ffs((int)__funnelshift_r(bits, bits, from)) - 1 + (int32_t)from) & 31;
}

/* Build gamma from the colours, with the vertices' own colours forbidden. Returns
 * this thread's part of 2 f. */
template <class Cell, int V>
__device__ __forceinline__ int32_t build(Search<Cell> &s, const prism_gpu_graph_t &g,
                                         const uint16_t *start) {
  int32_t conflicts = 0;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int32_t c = 0; c < s.k; ++c) s.gamma[c * s.stride + w] = 0;
    const uint32_t *row = g.row + (s.first >> 5) + ((w * Cell::PER_WORD) >> 5);
#pragma unroll 8
    for (int32_t u = 0; u < g.n; ++u) {
      uint32_t bits = row_bits<Cell>(__ldg(row + (size_t)u * (size_t)g.words), w);
      s.gamma[(int32_t)start[u] * s.stride + w] += Cell::spread(bits);
    }
    for (int j = 0; j < Cell::PER_WORD; ++j) {
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
  typedef typename std::conditional<Cell::PER_WORD == 4, uint2, uint32_t>::type group;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (word_of<Cell, V>(s, i, &w)) ((group *)(best + s.first))[w] = ((const group *)s.color)[w];
  }
}

/* ---- the second half of an iteration: hosts ---- */

/* An allowed colour c has `count` conflicts now, fewer than before (or was tabu). */
template <class Cell>
__device__ __forceinline__ void offer(Search<Cell> &s, Host &host, bool valid, int32_t count,
                                      int32_t c) {
  bool fewer = valid && count < host.best, equal = valid && count == host.best;
  host.ties = fewer ? 1 : host.ties + equal;
  bool take = fewer || (equal && lcg_below(&s.rng, (uint32_t)host.ties) == 0);
  host.best = fewer ? count : host.best;
  host.pick = take ? c : host.pick;
}

/* What the move did to this lane's vertex; `near`: they are adjacent. Returns whether
 * its row must be scanned. */
template <class Cell>
__device__ __forceinline__ bool follow(Search<Cell> &s, Host &host, bool near,
                                       const Move &move) {
  const uint32_t low = Cell::FORBID - 1u;
  const bool mover = host.vertex == move.vertex;
  uint32_t x = low, y = low;
  if (near || mover) {
    const int32_t v = host.vertex - s.first;
    x = *gamma_cell<Cell>(s.gamma, s.stride, move.from, v);
    y = *gamma_cell<Cell>(s.gamma, s.stride, move.to, v);
  }
  const bool left = host.color == move.from;
  host.own += near ? (host.color == move.to) - left : 0;
  bool counted = near && y < Cell::FORBID && (int32_t)y - 1 == host.best;
  int32_t before = host.best;
  offer(s, host, near && x < Cell::FORBID, (int32_t)x, move.from);
  bool kept = counted && host.best == before;
  host.ties -= kept;
  host.banned = near && x > low && !left ? min(host.banned, (int32_t)(x & low)) : host.banned;
  host.color = mover ? move.to : host.color;
  host.own = mover ? (int32_t)(y & low) : host.own;
  return mover || (kept && host.pick == move.to);
}

/* Give the vertices in the queue a host. [in] crowded: no warp has room, so each serves
 * its part of the queue, and where no lane is free one whose vertex has no improving
 * move gives way: all conflicts get their turn. Returns
 * the lanes whose rows must be scanned. [out] left: some found no place. */
template <class Cell>
__device__ __forceinline__ uint32_t take_in(Search<Cell> &s, Host &host, uint32_t turn,
                                            bool crowded, bool *left) {
  int32_t want = s.queue[s.lane];
  if (crowded && s.lane % s.warps != s.warp) want = -1;
  uint32_t wanted = __ballot_sync(FULL_WARP, want >= 0), scan = 0;
  uint32_t idle = __ballot_sync(FULL_WARP, host.vertex < 0);
  if (wanted != 0 && idle == 0 && crowded) {
    uint32_t stuck = __ballot_sync(FULL_WARP, host.best >= host.own);
    if (stuck != 0 && s.lane == bit_after(stuck, turn & 31)) {
      s.mark[host.vertex - s.first] = 0;
      host.vertex = -1;
    }
    idle = __ballot_sync(FULL_WARP, host.vertex < 0);
  }
  for (; wanted != 0 && idle != 0; wanted &= wanted - 1, idle &= idle - 1) {
    int32_t u = __shfl_sync(FULL_WARP, want, __ffs((int)wanted) - 1);
    scan |= idle & (0u - idle);
    if (s.lane != __ffs((int)idle) - 1) continue;
    host.vertex = s.first + u;
    host.color = s.color[u];
    host.own = *gamma_cell<Cell>(s.gamma, s.stride, host.color, u) & (Cell::FORBID - 1u);
    s.mark[u] = 1;
  }
  *left = wanted != 0;
  return scan;
}

/* Tabu pairs whose time is over become allowed for the hosted vertices; gamma hears of
 * it in the first half. Returns the first pair's entry for that, x = NO_KEY: none. */
template <class Cell>
__device__ __forceinline__ uint2 release(Search<Cell> &s, Host &host, uint32_t slot) {
  uint32_t at = s.head[slot];
  uint2 first = make_uint2(NO_KEY, NO_ENTRY);
  if (at == NO_ENTRY) return first;
  first = s.entry[at];
  for (uint2 due = first;; due = s.entry[due.y]) {
    int32_t c = (int32_t)(due.x >> 16);
    if (host.vertex == (int32_t)(due.x & 0xFFFFu) && host.color != c) {
      uint32_t x = *gamma_cell<Cell>(s.gamma, s.stride, c, host.vertex - s.first);
      offer(s, host, x >= Cell::FORBID, (int32_t)(x & (Cell::FORBID - 1u)), c);
    }
    if (due.y == NO_ENTRY) return first;
  }
}

/* The key of a hosted vertex's move: fewer conflicts first, then at random with the
 * weight of its ties (the least of that many exponential variables). */
template <class Cell>
__device__ __forceinline__ uint32_t move_key(Search<Cell> &s, int32_t best, int32_t own,
                                             int32_t ties) {
  float uniform = (float)(lcg_next(&s.rng) >> 8) + 0.5f, bits, inverse;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(bits) : "f"(uniform));
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"((float)ties));
  float wait = (24.0f - bits) * inverse; /* 0 .. 25 */
  uint32_t random = __float2uint_rz(wait * (float)(1 << (Cell::DELTA_SHIFT - 5)));
  return (uint32_t)(best - own + Cell::DELTA_ZERO) << Cell::DELTA_SHIFT | random;
}

/* The best move of a lane. */
struct Candidate {
  uint32_t key;
  uint32_t colors; /* from | to << 16 */
};

/* The best move of this lane's vertex. A tabu colour counts where it leads below the
 * best known: `room` = best - f conflicts. */
template <class Cell>
__device__ __forceinline__ Candidate choose(Search<Cell> &s, Host &host, int32_t room) {
  int32_t best = host.best, ties = host.ties, pick = host.pick;
  bool valid = host.vertex >= 0;
  bool tempted = valid && host.banned < best && host.banned - host.own < room;
  uint32_t lanes = __ballot_sync(FULL_WARP, tempted);
  for (; lanes != 0; lanes &= lanes - 1) {
    int32_t h = __ffs((int)lanes) - 1, b, t, p, other;
    int32_t vertex = __shfl_sync(FULL_WARP, host.vertex, h);
    int32_t own_color = __shfl_sync(FULL_WARP, host.color, h);
    scan_row(s, vertex, own_color, true, &b, &t, &p, &other);
    if (s.lane != h) continue;
    host.banned = b;
    if (b - host.own >= room || b >= best) continue;
    best = b;
    ties = t;
    pick = p;
  }
  uint32_t key = move_key(s, best, host.own, ties);
  return Candidate{valid && best != NO_COUNT ? key : NO_KEY,
                   (uint32_t)host.color | (uint32_t)pick << 16};
}

template <bool CLUSTER>
__device__ __forceinline__ void meet() {
  if (CLUSTER)
    cooperative_groups::this_cluster().sync();
  else if (blockDim.x > 32)
    __syncthreads();
  else
    __syncwarp();
}

/* Agree on the best move of all warps. [in] count: vertices hosted, and flags. */
template <class Cell, bool CLUSTER>
__device__ __forceinline__ Move agree(Search<Cell> &s, const Candidate &lane, int32_t vertex,
                                      uint32_t count, int32_t parity) {
  uint32_t least = __reduce_min_sync(FULL_WARP, lane.key);
  int32_t from = __ffs((int)__ballot_sync(FULL_WARP, lane.key == least)) - 1;
  uint4 *record = s.record + parity * MAX_RECORDS;
  int32_t records = s.warps, first = 0;
  if (CLUSTER) {
    cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
    int32_t blocks = (int32_t)cluster.num_blocks();
    first = (int32_t)cluster.block_rank() * records;
    uint4 mine = make_uint4(least, (uint32_t)__shfl_sync(FULL_WARP, vertex, from),
                            __shfl_sync(FULL_WARP, lane.colors, from), count);
    if (s.lane < blocks) *cluster.map_shared_rank(record + first + s.warp, s.lane) = mine;
    records *= blocks;
  } else if (s.lane == from) {
    record[s.warp] = make_uint4(least, (uint32_t)vertex, lane.colors, count);
  }
  meet<CLUSTER>();
  uint4 read = make_uint4(NO_KEY, 0, 0, 0);
  if (s.lane < records) read = record[s.lane];
  Move move;
  move.key = __reduce_min_sync(FULL_WARP, read.x);
  from = __ffs((int)__ballot_sync(FULL_WARP, read.x == move.key)) - 1;
  move.vertex = __shfl_sync(FULL_WARP, (int32_t)read.y, from);
  uint32_t colors = __shfl_sync(FULL_WARP, read.z, from);
  move.count = __reduce_add_sync(FULL_WARP, read.w);
  uint32_t here = s.warps == 32 ? FULL_WARP : ((1u << s.warps) - 1u) << first;
  uint32_t roomy = __ballot_sync(FULL_WARP, (read.w & COUNT_MASK) < 29u) & here;
  move.taker = roomy != 0 ? __ffs((int)roomy) - 1 - first : -1;
  move.from = (int32_t)(colors & 0xFFFFu);
  move.to = (int32_t)(colors >> 16);
  return move;
}

/* ---- the first half: gamma ---- */

/* Tabu pairs whose time is over lose their mark in the words of this warp. */
template <class Cell, int V>
__device__ __forceinline__ void expire(Search<Cell> &s, uint2 due) {
  if (due.x == NO_KEY) return;
  for (;; due = s.entry[due.y]) {
    int32_t u = (int32_t)(due.x & 0xFFFFu) - s.first, c = (int32_t)(due.x >> 16);
    int32_t w = u / Cell::PER_WORD - s.warp * V * 32;
    /* Back by aspiration: it is the vertex's own colour now. */
    if (u >= 0 && (uint32_t)w < 32u * V && (w & 31) == s.lane && s.color[u] != c) {
      typename Cell::type *cell = gamma_cell<Cell>(s.gamma, s.stride, c, u);
      *cell = (typename Cell::type)(*cell & (Cell::FORBID - 1u));
    }
    if (due.y == NO_ENTRY) return;
  }
}

/* A conflicting vertex of this lane without a host, or -1. */
template <class Cell, int V>
__device__ __noinline__ int32_t find_waiting(Search<Cell> s, uint32_t turn) {
  int32_t found = -1;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int j = 0; j < Cell::PER_WORD; ++j) {
      int32_t v = w * Cell::PER_WORD + j; /* cells past the last vertex hold no counts */
      if (s.mark[v] != 0) continue;
      uint32_t x = *gamma_cell<Cell>(s.gamma, s.stride, s.color[v], v) & (Cell::FORBID - 1u);
      if (x != 0 && (found < 0 || ((turn >> (i + j)) & 1u))) found = v;
    }
  }
  return found;
}

/* Write this warp's share of the queue: first conflicts of this move, and in `waiting`
 * mode others that have no host. [in] fresh: this lane's new conflicts in class b, one
 * bit a cell. Returns whether some may be left over. */
template <class Cell, int V>
__device__ __forceinline__ bool enqueue(Search<Cell> &s, const uint32_t *fresh, int32_t b,
                                        bool waiting, uint32_t turn) {
  const int32_t share = s.share;
  int32_t *queue = s.queue + s.warp * share;
  int32_t used = 0, mine = -1;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    uint32_t lanes = __ballot_sync(FULL_WARP, fresh[i] != 0);
    for (; lanes != 0; lanes &= lanes - 1) {
      int32_t source = __ffs((int)lanes) - 1;
      uint32_t cells = __shfl_sync(FULL_WARP, fresh[i], source);
      int32_t base = ((s.warp * V + i) * 32 + source) * Cell::PER_WORD;
      for (; cells != 0; cells &= cells - 1) {
        int32_t u = base + (__ffs((int)cells) - 1) / (32 / Cell::PER_WORD);
        if (s.color[u] != b) continue; /* tabu there, not a member */
        mine = s.lane == used ? u : mine;
        ++used;
      }
    }
  }
  if (s.lane < share) queue[s.lane] = mine;
  if (!waiting) return used > share;
  int32_t found = find_waiting<Cell, V>(s, turn);
  for (int32_t i = 0; i < used && i < share; ++i)
    found = __shfl_sync(FULL_WARP, mine, i) == found ? -1 : found;
  uint32_t lanes = __ballot_sync(FULL_WARP, found >= 0);
  uint32_t before = __funnelshift_r(lanes, lanes, turn & 31) &
                    ((1u << ((uint32_t)(s.lane - (int32_t)turn) & 31u)) - 1u);
  int32_t place = used + __popc(before);
  __syncwarp();
  if (found >= 0 && place < share) queue[place] = found;
  return lanes != 0 || used > share;
}

/* Carry out a move on this thread's words. [out] fresh: first conflicts in class b. */
template <class Cell, int V>
__device__ __forceinline__ void recolor(Search<Cell> &s, const prism_gpu_graph_t &g,
                                        const Move &move, uint32_t *fresh) {
  const int32_t v = move.vertex - s.first;
  const uint32_t row = (uint32_t)(move.vertex * g.words + (s.first >> 5));
  uint32_t *from = s.gamma + move.from * s.stride, *to = s.gamma + move.to * s.stride;
  uint32_t adjacent[V];
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    bool here = word_of<Cell, V>(s, i, &w);
    adjacent[i] = here ? __ldg(g.row + (row + ((uint32_t)(w * Cell::PER_WORD) >> 5))) : 0u;
  }
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    fresh[i] = 0;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    uint32_t one = Cell::spread(row_bits<Cell>(adjacent[i], w));
    uint32_t more = to[w] + one;
    /* First conflict of a vertex in class b: own colour (or tabu), count 1. */
    fresh[i] = zero_cells<Cell>(more ^ (Cell::FORBIDS | Cell::ONES)) & (one * Cell::FORBID);
    if ((uint32_t)(v - w * Cell::PER_WORD) < (uint32_t)Cell::PER_WORD) {
      more |= Cell::FORBID << (32 / Cell::PER_WORD * (v & (Cell::PER_WORD - 1)));
      s.color[v] = (uint16_t)move.to;
    }
    from[w] -= one;
    to[w] = more;
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
