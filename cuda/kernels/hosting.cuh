/* What the local searches on the device share: how a block begins, the vertices that lanes
 * host, the move that all warps agree on. See tabucol.h for the scheme.
 *
 * An iteration has two halves. In the first, gamma changes: every thread updates the
 * words that it owns. In the second, gamma is only read: every lane follows what the
 * move did to the vertex it hosts, and each warp names its best move. */
#ifndef PRISM_CUDA_KERNELS_HOSTING_CUH
#define PRISM_CUDA_KERNELS_HOSTING_CUH

#include <cooperative_groups.h>
#include <type_traits>

#include "base/rng.h"
#include "kernels/gamma.cuh"
#include "kernels/layout.h"

namespace hosting {

enum { MAX_RECORDS = 32, QUEUE = 32 }; /* one lane reads each */
static const int32_t NO_COUNT = 0x7FFF;
static const uint32_t NO_KEY = 0xFFFFFFFFu;
/* Fields of the sum of the records' counts; 32 warps host at most 1024 vertices. */
static const uint32_t COUNT_MASK = 0xFFFFu;
static const uint32_t WAITING = 1u << 16;  /* up to 32 warps say so */
static const uint32_t STOP = 1u << 24;
static const uint32_t OUTGROWN = 1u << 28;

/* Of a key: then come 5 bits for the lane or the warp. */
template <class Cell>
constexpr int RANDOM_BITS = Cell::DELTA_SHIFT - 5;

/* The conflicting vertex that a lane looks after; counts are of neighbours. */
struct Host {
  int32_t vertex; /* -1: none */
  int32_t color;
  int32_t own;    /* in its own colour: its conflicts */
  int32_t best;   /* fewest among the allowed colours; NO_COUNT: none is allowed */
  int32_t ties;   /* allowed colours with that count; 0: not known, `best` is a bound below */
  int32_t pick;   /* one of them, drawn at random */
  int32_t banned; /* no more than the fewest among the tabu colours */
};

/* What every thread of an individual holds. */
template <class Cell>
struct Search {
  uint32_t *gamma;
  uint16_t *color;
  uint8_t *mark;     /* vertices that have a host */
  uint2 *entry;      /* the calendar of tabu pairs v | c << 16, in each search's own order */
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
  int32_t taker;   /* warp of this block that gives new conflicts a host; < 0: none has room */
};

/* ---- how a block begins ---- */

/* Bytes at the start of shared memory: records and queue. The layout of a search says where
 * the rest lies. */
static const size_t AHEAD = 2 * MAX_RECORDS * sizeof(uint4) + QUEUE * sizeof(int32_t);

/* Vertices of a block, a multiple of 32. */
__host__ __device__ __forceinline__ int32_t block_vertices(int32_t n, int32_t cluster) {
  return ((n + cluster - 1) / cluster + 31) / 32 * 32;
}

/* Cells of a row of gamma in a block; a lone one needs fewer. */
__host__ __device__ __forceinline__ int32_t block_cells(int32_t n, int32_t cluster) {
  return cluster > 1 ? block_vertices(n, cluster) : (n + 7) / 8 * 8;
}

/* The individual of this block, counted from the launch's first, and the block's rank in
 * the cluster. */
template <bool CLUSTER>
__device__ __forceinline__ uint32_t individual_of(uint32_t *rank) {
  *rank = 0;
  if (!CLUSTER) return blockIdx.x;
  cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
  *rank = cluster.block_rank();
  return blockIdx.x / cluster.num_blocks();
}

/* Nobody has said anything: entries of warps that do not exist stay like this. */
template <class Cell>
__device__ __forceinline__ void clear_records(const Search<Cell> &s) {
  for (int32_t i = (int32_t)threadIdx.x; i < 2 * MAX_RECORDS; i += (int32_t)blockDim.x)
    s.record[i] = make_uint4(NO_KEY, 0, 0, 0);
}

/* The tables of a search, records and queue empty, the others as they are found, and the
 * thread's place in it. Ends without a barrier. */
template <class Cell, int V, class Layout, class Job>
__device__ __forceinline__ void begin_search(Search<Cell> &s, const prism_gpu_graph_t &g,
                                             const Job &job, const Layout &l, uint32_t rank,
                                             uint32_t individual) {
  extern __shared__ uint4 memory[];
  char *base = (char *)memory;
  s.record = memory;
  s.queue = (int32_t *)(memory + 2 * MAX_RECORDS);
  s.gamma = (uint32_t *)(base + l.gamma);
  s.color = (uint16_t *)(base + l.color);
  s.entry = (uint2 *)(base + l.entry);
  s.mark = (uint8_t *)(base + l.mark);
  s.size = (int32_t *)(base + l.size);
  s.stride = l.stride;
  s.k = job.start.k;
  s.first = (int32_t)rank * l.vertices;
  const int32_t left = g.n - s.first;
  s.vertices = left < 0 ? 0 : left < l.vertices ? left : l.vertices;
  s.words = (s.vertices + Cell::PER_WORD - 1) / Cell::PER_WORD;
  s.lane = kept((int32_t)(threadIdx.x & 31));
  s.warp = kept((int32_t)(threadIdx.x >> 5));
  s.warps = (int32_t)(blockDim.x >> 5);
  s.owners = (s.words + 32 * V - 1) / (32 * V);
  if (s.owners == 0) s.owners = 1;
  s.share = QUEUE / s.owners;
  if (threadIdx.x < QUEUE) s.queue[threadIdx.x] = -1;
  clear_records(s);
  const uint32_t thread = rank * blockDim.x + threadIdx.x;
  s.rng = prism_rng_at(job.seed, *job.generation, thread, job.first_individual + individual,
                       PRISM_RNG_MOVE)
              .word[0];
}

/* Is this warp's i-th word of mine in the table? [out] w */
template <class Cell, int V>
__device__ __forceinline__ bool word_of(const Search<Cell> &s, int i, int32_t *w) {
  *w = (s.warp * V + i) * 32 + s.lane;
  return *w < s.words;
}

/* A vertex of this lane that wants a host and has none, or -1. Want<Cell>::host says which
 * want one. */
template <class Cell, int V, template <class> class Want>
__device__ __noinline__ int32_t find_waiting(Search<Cell> s, uint32_t turn) {
  int32_t found = -1;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int j = 0; j < Cell::PER_WORD; ++j) {
      const int32_t v = w * Cell::PER_WORD + j;
      if (s.mark[v] != 0) continue;
      if (Want<Cell>::host(s, v) && (found < 0 || ((turn >> (i + j)) & 1u))) found = v;
    }
  }
  return found;
}

/* The fewest count among the allowed colours of a vertex (among the others, without its
 * own, if `banned`), by the whole warp; all lanes get the results. [out] ties: colours
 * that reach it; pick: one of them; other: no more than the fewest among the rest. Four
 * colours a lane at once, so that their loads do not wait for one another. */
template <class Cell>
__device__ __forceinline__ void scan_row(Search<Cell> &s, int32_t vertex, int32_t own_color,
                                         bool banned, int32_t *best, int32_t *ties,
                                         int32_t *pick, int32_t *other) {
  enum { AT_ONCE = 4 };
  const Column<Cell> column(s.gamma, s.stride, vertex - s.first);
  const uint32_t none = 2u * Cell::FORBID - 1u, flip = banned ? Cell::FORBID : 0u;
  uint32_t key = NO_KEY, rest = none, fewest = none, count = 0;
  for (int32_t base = 0; base < s.k; base += 32 * AT_ONCE) {
    uint32_t x[AT_ONCE], least = none, equal = 0;
#pragma unroll
    for (int j = 0; j < AT_ONCE; ++j) {
      const int32_t c = base + 32 * j + s.lane;
      x[j] = c < s.k ? column.get(c) ^ flip : none;
      if (banned && c == own_color) x[j] = none;
    }
#pragma unroll
    for (int j = 0; j < AT_ONCE; ++j) {
      const uint32_t mark = (lcg_next(&s.rng) & ((1u << Cell::COUNT_SHIFT) - 1024u)) |
                            (uint32_t)(base + 32 * j + s.lane);
      key = min(key, (x[j] << Cell::COUNT_SHIFT) + mark);
      rest = min(rest, x[j] - Cell::FORBID); /* huge for allowed ones */
      least = min(least, x[j]);
    }
#pragma unroll
    for (int j = 0; j < AT_ONCE; ++j) equal += x[j] == least;
    count = least < fewest ? equal : least == fewest ? count + equal : count;
    fewest = min(fewest, least);
  }
  key = __reduce_min_sync(FULL_WARP, key);
  const uint32_t least = key >> Cell::COUNT_SHIFT;
  const bool any = least < Cell::FORBID;
  *other = (int32_t)__reduce_min_sync(FULL_WARP, rest);
  *ties = (int32_t)__reduce_add_sync(FULL_WARP, any && fewest == least ? count : 0u);
  *best = any ? (int32_t)least : NO_COUNT;
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
  bool fewer = valid && count < host.best;
  bool equal = valid && count == host.best && host.ties > 0;
  host.ties = fewer ? 1 : host.ties + equal;
  uint32_t draw = lcg_below(&s.rng, (uint32_t)host.ties);
  bool take = fewer || (equal && draw == 0);
  host.best = fewer ? count : host.best;
  host.pick = take ? c : host.pick;
}

/* A tabu pair v | c << 16 whose time is over becomes allowed for the vertex that this lane
 * hosts; gamma hears of it in the first half. */
template <class Cell>
__device__ __forceinline__ void release_pair(Search<Cell> &s, Host &host, uint32_t pair) {
  const int32_t c = (int32_t)(pair >> 16);
  /* Back by aspiration: it is the vertex's own colour now. */
  if (host.vertex != (int32_t)(pair & 0xFFFFu) || host.color == c) return;
  uint32_t x = Column<Cell>(s.gamma, s.stride, host.vertex - s.first).get(c);
  offer(s, host, x >= Cell::FORBID, (int32_t)(x & (Cell::FORBID - 1u)), c);
}

/* The same for up to two pairs. */
template <class Cell>
__device__ __forceinline__ void release_pairs(Search<Cell> &s, Host &host, const uint2 &due) {
  const int32_t v = host.vertex;
  if (v != (int32_t)(due.x & 0xFFFFu) && v != (int32_t)(due.y & 0xFFFFu)) return; /* mostly */
  release_pair(s, host, due.x);
  release_pair(s, host, due.y);
}

/* The random part of a lane's keys: an exponential variable, 0 .. 25, in their unit. */
template <class Cell>
__device__ __forceinline__ float draw_wait(uint32_t *rng) {
  const float unit = (float)(1 << (RANDOM_BITS<Cell> - 5));
  float uniform = (float)(lcg_next(rng) >> 8) + 0.5f, bits;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(bits) : "f"(uniform));
  return 24.0f * unit - bits * unit;
}

/* The key of a hosted vertex's move: fewer conflicts first, then at random with the
 * weight of its ties (the least of that many exponential variables), then the lane. The
 * random part is 0 where the row must be scanned before the key is more than a bound. */
template <class Cell>
__device__ __forceinline__ uint32_t move_key(int32_t best, int32_t own, int32_t ties, float wait,
                                             int32_t lane) {
  float inverse;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"((float)ties));
  /* Its integer part stands in the low bits of a float between 2^23 and 2^24. */
  uint32_t random = __float_as_uint(fmaf(wait, inverse, 8388609.0f)) - 0x4B000000u;
  uint32_t key = (uint32_t)(best - own + Cell::DELTA_ZERO) << RANDOM_BITS<Cell>;
  return ((key + (ties > 0 ? random : 0u)) << 5) + (uint32_t)lane;
}

/* The lane with the least key; if SCORED, the delta decides first, then the least
 * worth. */
template <class Cell, bool SCORED>
__device__ __forceinline__ uint32_t least_key(uint32_t key, uint32_t worth) {
  if (SCORED) {
    uint32_t delta = key >> Cell::DELTA_SHIFT;
    if (delta != __reduce_min_sync(FULL_WARP, delta)) worth = NO_KEY;
    if (worth != __reduce_min_sync(FULL_WARP, worth)) key = NO_KEY;
  }
  return __reduce_min_sync(FULL_WARP, key);
}

/* A score as a number that is the smaller the higher the score. */
__device__ __forceinline__ uint32_t worth_of(float score) {
  uint32_t bits = __float_as_uint(score + 0.0f); /* -0 is 0 */
  return (bits >> 31) != 0 ? bits : ~bits & 0x7FFFFFFFu;
}

/* The best move of a warp. */
struct Candidate {
  uint32_t key;    /* NO_KEY: none; its low 5 bits are the lane's */
  uint32_t colors; /* from | to << 16, of each lane's own best move */
};

/* The best move of the warp's vertices. Where that is one of a row that must be scanned,
 * this is done first; then `best` is exact and `ties` counts. A tabu colour counts, if
 * ASPIRES, where it leads below the best known: `room` = best - f conflicts. [in] due: up
 * to two pairs just released, which gamma still forbids; worth: used if SCORED. */
template <class Cell, bool ASPIRES, bool SCORED>
__device__ __forceinline__ Candidate choose(Search<Cell> &s, Host &host, int32_t room, float wait,
                                            const uint2 &due, uint32_t worth) {
  int32_t best = host.best, ties = host.ties, pick = host.pick;
  for (;;) {
    uint32_t key = move_key<Cell>(best, host.own, ties, wait, s.lane);
    const bool valid = host.vertex >= 0;
    key = valid && best != NO_COUNT ? key : NO_KEY;
    if (ASPIRES && valid && host.banned < best && host.banned - host.own < room)
      key = (uint32_t)s.lane; /* before all others */
    const uint32_t least = least_key<Cell, SCORED>(key, worth);
    if ((least & ((1u << Cell::DELTA_SHIFT) - 32u)) != 0)
      return Candidate{least, (uint32_t)host.color | (uint32_t)pick << 16};
    const int32_t h = (int32_t)(least & 31u);
    const bool known = __shfl_sync(FULL_WARP, host.ties > 0 || host.best == NO_COUNT, h);
    const int32_t vertex = __shfl_sync(FULL_WARP, host.vertex, h);
    const int32_t color = __shfl_sync(FULL_WARP, host.color, h);
    int32_t b, t, p, other;
    scan_row(s, vertex, color, known, &b, &t, &p, &other);
    if (s.lane != h) continue;
    host.banned = known ? b : other;
    if (known) { /* for this move alone */
      const bool aspires = b - host.own < room && b < best;
      best = aspires ? b : best;
      ties = aspires ? t : ties;
      pick = aspires ? p : pick;
      continue;
    }
    host.best = b;
    host.ties = t;
    host.pick = p;
    release_pairs(s, host, due);
    best = host.best;
    ties = host.ties;
    pick = host.pick;
  }
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

/* Agree on the best move of all warps. [in] count: vertices hosted, and flags; score: [n]
 * or NULL; used if SCORED. [in,out] sum: if SUMS, a small number of each lane becomes the
 * sum over all. */
template <class Cell, bool CLUSTER, bool SUMS, bool SCORED>
__device__ __forceinline__ Move agree(Search<Cell> &s, const Candidate &mine, int32_t vertex,
                                      uint32_t count, int32_t parity, int32_t *sum,
                                      const float *score) {
  uint4 *record = s.record + parity * MAX_RECORDS;
  int32_t records = s.warps, first = 0;
  if (SUMS)
    vertex = (vertex & 0xFFFF) | (int32_t)((uint32_t)__reduce_add_sync(FULL_WARP, *sum) << 16);
  if (CLUSTER) {
    cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
    int32_t blocks = (int32_t)cluster.num_blocks();
    first = (int32_t)cluster.block_rank() * records;
    int32_t place = first + s.warp, from = (int32_t)(mine.key & 31u);
    uint4 entry = make_uint4((mine.key & ~31u) | (uint32_t)place, count,
                             (uint32_t)__shfl_sync(FULL_WARP, vertex, from),
                             __shfl_sync(FULL_WARP, mine.colors, from));
    if (s.lane < blocks) *cluster.map_shared_rank(record + place, s.lane) = entry;
  } else if (s.lane == (int32_t)(mine.key & 31u)) {
    record[s.warp] = make_uint4((mine.key & ~31u) | (uint32_t)s.warp, count, (uint32_t)vertex,
                                mine.colors);
  }
  meet<CLUSTER>();
  const uint2 half = *(const uint2 *)&record[s.lane];
  uint32_t says = half.y, worth = 0;
  bool outgrown = false;
  if (SUMS) { /* then any warp may say that it has outgrown something */
    *sum = __reduce_add_sync(FULL_WARP, (int32_t)record[s.lane].z >> 16);
    outgrown = __any_sync(FULL_WARP, says >= OUTGROWN);
    says &= OUTGROWN - 1;
  }
  if (SCORED && score != NULL && (half.x | 31u) != NO_KEY)
    worth = worth_of(__ldg(score + (record[s.lane].z & 0xFFFFu)));
  Move move;
  move.key = least_key<Cell, SCORED>(half.x, worth);
  const uint2 won = *((const uint2 *)&record[move.key & 31u] + 1);
  move.key |= 31u; /* NO_KEY if nobody has a move */
  move.vertex = (int32_t)(SUMS ? won.x & 0xFFFFu : won.x);
  move.from = (int32_t)(won.y & 0xFFFFu);
  move.to = (int32_t)(won.y >> 16);
  move.count = __reduce_add_sync(FULL_WARP, says) + (outgrown ? OUTGROWN : 0u);
  const bool here = (uint32_t)(s.lane - first) < (uint32_t)s.warps;
  uint32_t roomy = __ballot_sync(FULL_WARP, here && (says & COUNT_MASK) < 29u);
  move.taker = 31 - __clz((int)roomy) - first; /* the last ones own no words */
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
