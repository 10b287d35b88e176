/* What the local searches on the device share: the vertices that lanes host, the move
 * that all warps agree on, the calendar of tabu pairs. See tabucol.h for the scheme.
 *
 * An iteration has two halves. In the first, gamma changes: every thread updates the
 * words that it owns. In the second, gamma is only read: every lane follows what the
 * move did to the vertex it hosts, and each warp names its best move. */
#ifndef PRISM_CUDA_KERNELS_HOSTING_CUH
#define PRISM_CUDA_KERNELS_HOSTING_CUH

#include <cooperative_groups.h>
#include <type_traits>

#include "kernels/gamma.cuh"
#include "kernels/layout.h"

namespace hosting {

enum { MAX_RECORDS = 32, QUEUE = 32 }; /* one lane reads each */
static const int32_t NO_COUNT = 0x7FFF;
static const uint32_t NO_KEY = 0xFFFFFFFFu;
static const uint32_t NO_ENTRY = 0xFFFFu;
/* Fields of the sum of the records' counts; 32 warps host at most 1024 vertices. */
static const uint32_t COUNT_MASK = 0xFFFFu;
static const uint32_t WAITING = 1u << 16;  /* up to 32 warps say so */
static const uint32_t STOP = 1u << 24;
static const uint32_t OUTGROWN = 1u << 28;

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
  int32_t vertices;  /* of this block */
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
  const Column<Cell> column(s.gamma, s.stride, vertex - s.first);
  const uint32_t low = Cell::FORBID - 1u, flip = banned ? Cell::FORBID : 0u;
  uint32_t key = NO_KEY, rest = low, fewest = low + 1u, random = lcg_next(&s.rng);
  int32_t count = 0;
  for (int32_t c = s.lane; c < s.k; c += 32) {
    uint32_t x = column.get(c) ^ flip;
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

/* One bit for each of `lanes` that comes before this one, counted around from `turn`. */
__device__ __forceinline__ uint32_t before_me(uint32_t lanes, int32_t lane, uint32_t turn) {
  return __funnelshift_r(lanes, lanes, turn & 31) &
         ((1u << ((uint32_t)(lane - (int32_t)turn) & 31u)) - 1u);
}

/* Copy this thread's colours to the best colouring. */
template <class Cell, int V>
__device__ __forceinline__ void save(const Search<Cell> &s, uint16_t *best) {
  typedef typename std::conditional<Cell::PER_WORD == 4, uint2, uint32_t>::type group;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    if constexpr (Cell::PER_WORD % 2 == 0) {
      ((group *)(best + s.first))[w] = ((const group *)s.color)[w];
    } else {
      const int32_t v = w * Cell::PER_WORD; /* a word may reach past the last vertex */
      for (int j = 0; j < Cell::PER_WORD && v + j < s.vertices; ++j)
        best[s.first + v + j] = s.color[v + j];
    }
  }
}

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
      uint32_t x = Column<Cell>(s.gamma, s.stride, host.vertex - s.first).get(c);
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

/* The best move of this lane's vertex. A tabu colour counts, if ASPIRES, where it leads
 * below the best known: `room` = best - f conflicts. */
template <class Cell, bool ASPIRES = true>
__device__ __forceinline__ Candidate choose(Search<Cell> &s, Host &host, int32_t room) {
  int32_t best = host.best, ties = host.ties, pick = host.pick;
  bool valid = host.vertex >= 0;
  bool tempted = ASPIRES && valid && host.banned < best && host.banned - host.own < room;
  uint32_t lanes = ASPIRES ? __ballot_sync(FULL_WARP, tempted) : 0u;
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

/* A score as a number that is the smaller the higher the score. */
__device__ __forceinline__ uint32_t worth_of(float score) {
  uint32_t bits = __float_as_uint(score + 0.0f); /* -0 is 0 */
  return (bits >> 31) != 0 ? bits : ~bits & 0x7FFFFFFFu;
}

/* The lane with the least key; if SCORED, the delta decides first, then the least
 * worth. [out] least: its key. */
template <class Cell, bool SCORED>
__device__ __forceinline__ int32_t leader(uint32_t key, uint32_t worth, uint32_t *least) {
  if (SCORED) {
    uint32_t delta = key >> Cell::DELTA_SHIFT;
    if (delta != __reduce_min_sync(FULL_WARP, delta)) worth = NO_KEY;
    if (worth != __reduce_min_sync(FULL_WARP, worth)) key = NO_KEY;
  }
  *least = __reduce_min_sync(FULL_WARP, key);
  return __ffs((int)__ballot_sync(FULL_WARP, key == *least)) - 1;
}

/* Agree on the best move of all warps. [in] count: vertices hosted, and flags; worth: of
 * this lane's vertex, score: [n] or NULL; used if SCORED. [in,out] sum: if SUMS, a small
 * number of each lane becomes the sum over all. */
template <class Cell, bool CLUSTER, bool SUMS = false, bool SCORED = false>
__device__ __forceinline__ Move agree(Search<Cell> &s, const Candidate &lane, int32_t vertex,
                                      uint32_t count, int32_t parity, int32_t *sum = NULL,
                                      uint32_t worth = 0, const float *score = NULL) {
  uint32_t least;
  int32_t from = leader<Cell, SCORED>(lane.key, worth, &least);
  uint4 *record = s.record + parity * MAX_RECORDS;
  int32_t records = s.warps, first = 0;
  if (SUMS)
    vertex = (vertex & 0xFFFF) | (int32_t)((uint32_t)__reduce_add_sync(FULL_WARP, *sum) << 16);
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
  bool outgrown = false;
  if (s.lane < records) read = record[s.lane];
  if (SUMS) { /* then any warp may say it */
    *sum = __reduce_add_sync(FULL_WARP, (int32_t)read.y >> 16);
    read.y &= 0xFFFFu;
    outgrown = __any_sync(FULL_WARP, read.w >= OUTGROWN);
    read.w &= OUTGROWN - 1;
  }
  if (SCORED)
    worth = score != NULL && read.x != NO_KEY ? worth_of(__ldg(score + read.y)) : 0u;
  Move move;
  from = leader<Cell, SCORED>(read.x, worth, &move.key);
  move.vertex = __shfl_sync(FULL_WARP, (int32_t)read.y, from);
  uint32_t colors = __shfl_sync(FULL_WARP, read.z, from);
  move.count = __reduce_add_sync(FULL_WARP, read.w) + (outgrown ? OUTGROWN : 0u);
  uint32_t here = s.warps == 32 ? FULL_WARP : ((1u << s.warps) - 1u) << first;
  uint32_t roomy = __ballot_sync(FULL_WARP, (read.w & COUNT_MASK) < 29u) & here;
  move.taker = roomy != 0 ? __ffs((int)roomy) - 1 - first : -1;
  move.from = (int32_t)(colors & 0xFFFFu);
  move.to = (int32_t)(colors >> 16);
  return move;
}

/* Sum over the threads of the individual; all get it. Uses record[0..]. */
template <class Cell, bool CLUSTER>
__device__ __forceinline__ int32_t total(Search<Cell> &s, int32_t mine) {
  int32_t *sum = (int32_t *)s.record;
  if (threadIdx.x == 0) *sum = 0;
  __syncthreads();
  mine = __reduce_add_sync(FULL_WARP, mine);
  if (s.lane == 0) atomicAdd(sum, mine);
  meet<CLUSTER>();
  __syncthreads();
  int32_t all = *sum;
  if (CLUSTER) {
    cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
    all = 0;
    for (uint32_t r = 0; r < cluster.num_blocks(); ++r) all += *cluster.map_shared_rank(sum, r);
  }
  meet<CLUSTER>();
  return all;
}

}  // namespace hosting

#endif
