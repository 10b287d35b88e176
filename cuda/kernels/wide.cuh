/* Device code of the wide search; see wide.h for the scheme.
 *
 * An iteration: pairs that were tabu long enough are allowed again; all slots are looked
 * at and the best move is agreed on; its vertex's neighbours and their slots follow;
 * slots are made for new conflicts and rows scanned. A barrier of the block between any
 * two of these. */
#ifndef PRISM_CUDA_KERNELS_WIDE_CUH
#define PRISM_CUDA_KERNELS_WIDE_CUH

#include <limits.h>

#include "base/rng.h"
#include "kernels/hosting.cuh"
#include "kernels/wide.h"
#include "seam/engine.h"

namespace wide {

static const uint32_t ALL_LANES = 0xFFFFFFFFu;
static const int32_t NO_COUNT = INT_MAX;
static const uint32_t NO_ENTRY = 0xFFFFu;
static const uint16_t NO_COLOR = 0xFFFF;
enum { WARPS = 32 }; /* of a block, at most */

/* The top bit of a cell means "forbidden": tabu, or the vertex's own colour. */
struct Narrow {
  typedef uint16_t type;
  static const bool WEIGHTED = false;
  static const int PER_GROUP = 8; /* cells of 16 bytes */
  static const uint32_t FORBID = 0x8000u;
  static __device__ __forceinline__ uint32_t cell_of(uint4 group, int j) {
    uint32_t word = j < 2 ? group.x : j < 4 ? group.y : j < 6 ? group.z : group.w;
    return word >> (16 * (j & 1)) & 0xFFFFu;
  }
  static __device__ __forceinline__ void bump(uint16_t *row, int32_t c, uint32_t weight) {
    atomicAdd((uint32_t *)row + (c >> 1), weight << (16 * (c & 1)));
  }
};

struct Broad {
  typedef uint32_t type;
  static const bool WEIGHTED = false;
  static const int PER_GROUP = 4;
  static const uint32_t FORBID = 0x80000000u;
  static __device__ __forceinline__ uint32_t cell_of(uint4 group, int j) {
    return j == 0 ? group.x : j == 1 ? group.y : j == 2 ? group.z : group.w;
  }
  static __device__ __forceinline__ void bump(uint32_t *row, int32_t c, uint32_t weight) {
    atomicAdd(row + c, weight);
  }
};

/* Counts are sums of edge weights. */
struct Weighted : Broad {
  static const bool WEIGHTED = true;
};

/* A conflicting vertex; counts are of neighbours. */
struct __align__(16) Slot {
  int32_t vertex; /* -1: the slot is free */
  int32_t own;    /* in its own colour: its conflicts */
  int32_t best;   /* fewest among the allowed colours; NO_COUNT: none is allowed */
  int32_t ties;   /* allowed colours with that count */
  int32_t pick;   /* one of them, drawn at random */
  int32_t banned; /* no more than the fewest among the tabu colours */
  uint32_t since; /* iteration from which it was in conflict */
  int32_t unused;
};

/* Where things lie in an individual's scratch memory; offsets in bytes. */
struct Layout {
  int32_t stride; /* cells of a row */
  size_t slots, slot_of, vacant, fresh, again, color, total;
};

__host__ __device__ inline size_t align_up(size_t bytes) { return (bytes + 255) / 256 * 256; }

template <class Cell>
__host__ __device__ inline Layout layout_of(int32_t n, int32_t k) {
  Layout l;
  const size_t count = (size_t)n;
  l.stride = (k + Cell::PER_GROUP - 1) / Cell::PER_GROUP * Cell::PER_GROUP;
  l.slots = align_up(count * (size_t)l.stride * sizeof(typename Cell::type));
  l.slot_of = l.slots + align_up(count * sizeof(Slot));
  l.vacant = l.slot_of + align_up(count * sizeof(int32_t));
  l.fresh = l.vacant + align_up(count * sizeof(int32_t));
  l.again = l.fresh + align_up(count * sizeof(int32_t));
  l.color = l.again + align_up(count * sizeof(int32_t));
  l.total = l.color + align_up(count * sizeof(uint16_t));
  return l;
}

/* What the threads of a block share. */
struct Books {
  uint4 record[WARPS][2];
  unsigned long long conflicts; /* twice */
  int32_t removed;              /* slots of this iteration */
  int32_t fresh;                /* new conflicts of it */
  int32_t again;                /* slots whose row must be scanned */
  int32_t lengthy;              /* slots of vertices with long lists, weighted search */
  int32_t live;                 /* slots in use at the start */
  int32_t change;               /* conflicting edges that a move of a weighted search adds */
  uint32_t stop;
};

/* What every thread of an individual holds. At most 128 bytes: more would be passed to
 * functions through local memory. */
template <class Cell>
struct Search {
  typename Cell::type *gamma; /* [n][stride] */
  Slot *slots;        /* [n] the first `top` are or were in use */
  int32_t *slot_of;   /* [n] -1: none */
  int32_t *vacant;    /* [n] free slots below `top`, `vacancies` of them */
  int32_t *fresh;     /* [n] new conflicts of an iteration */
  int32_t *again;     /* [n] slots to scan */
  uint16_t *color;
  uint16_t *weight;   /* [arcs] of a weighted search */
  uint2 *entry;       /* shared [ring] tabu pairs: vertex, colour | next entry << 16 */
  uint16_t *head;     /* shared [ring] first entry of each slot of the calendar */
  Books *books;       /* shared */
  int32_t n, k, stride;
  int32_t warp, lane;
  uint32_t salt;      /* of the random numbers */
  int32_t top, vacancies, live;
};

/* The best move of a lane, of a warp, of all. */
struct Move {
  int32_t delta; /* INT_MAX: none */
  uint32_t worth, random;
  int32_t vertex, slot, from, to;
  int32_t best;  /* fewest count among the vertex's allowed colours */
};

/* The finalizer of MurmurHash3 (Appleby 2008). */
__device__ __forceinline__ uint32_t mix(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
  x = (x ^ (x >> 13)) * 0xC2B2AE35u;
  return x ^ (x >> 16);
}

/* A random number of vertex v in iteration `now`. */
template <class Cell>
__device__ __forceinline__ uint32_t draw(const Search<Cell> &s, int32_t v, uint32_t now,
                                         uint32_t purpose) {
  return mix(mix(s.salt + 4u * now + purpose) ^ ((uint32_t)v * 0x9E3779B1u));
}
enum { DRAW_KEY = 0, DRAW_OFFER = 1, DRAW_SCAN = 2, DRAW_TENURE = 3 };

template <class Cell>
__device__ __forceinline__ typename Cell::type *row_of(const Search<Cell> &s, int32_t v) {
  return s.gamma + (size_t)v * (size_t)s.stride;
}

__device__ __forceinline__ bool is_frozen(const prism_gpu_hooks_t &hooks, int32_t v) {
  return hooks.frozen != NULL && (hooks.frozen[v >> 5] >> (v & 31) & 1u) != 0;
}

/* ---- rows ---- */

/* The fewest count among the allowed colours of a vertex (among the others, without its
 * own, if `banned`), by the whole warp; all lanes get the results. [out] slot: best, ties
 * and pick; and banned, no more than the fewest among the rest. */
template <class Cell>
__device__ __forceinline__ void scan_row(const Search<Cell> &s, int32_t vertex, int32_t own_color,
                                         bool banned, uint32_t random, Slot *slot) {
  const uint4 *row = (const uint4 *)row_of(s, vertex);
  const uint32_t low = Cell::FORBID - 1u, flip = banned ? Cell::FORBID : 0u;
  uint32_t fewest = (uint32_t)NO_COUNT, rest = low, lucky = ALL_LANES;
  int32_t ties = 0, pick = 0;
  random = mix(random + (uint32_t)s.lane);
  for (int32_t q = s.lane; q < s.stride / Cell::PER_GROUP; q += 32) {
    const uint4 group = row[q];
#pragma unroll
    for (int j = 0; j < Cell::PER_GROUP; ++j) {
      const int32_t c = q * Cell::PER_GROUP + j;
      const uint32_t x = Cell::cell_of(group, j) ^ flip;
      random = random * 1664525u + 1013904223u;
      if (x >= Cell::FORBID) {
        rest = min(rest, x & low);
      } else if (x < fewest && !(banned && c == own_color)) {
        fewest = x;
        ties = 1;
        pick = c;
        lucky = random;
      } else if (x == fewest && !(banned && c == own_color)) {
        ++ties;
        pick = random < lucky ? c : pick;
        lucky = min(lucky, random);
      }
    }
  }
  const uint32_t least = __reduce_min_sync(ALL_LANES, fewest);
  const bool mine = fewest == least;
  const uint32_t first = __reduce_min_sync(ALL_LANES, mine ? lucky : ALL_LANES);
  const int32_t from = __ffs((int)__ballot_sync(ALL_LANES, mine && lucky == first)) - 1;
  slot->best = (int32_t)least;
  slot->ties = __reduce_add_sync(ALL_LANES, mine ? ties : 0);
  slot->pick = __shfl_sync(ALL_LANES, pick, from);
  slot->banned = (int32_t)__reduce_min_sync(ALL_LANES, rest);
}

/* An allowed colour has `count` conflicts now, fewer than before (or was tabu). */
__device__ __forceinline__ void offer(Slot &slot, int32_t count, int32_t c, uint32_t random) {
  if (count > slot.best) return;
  slot.ties = count < slot.best ? 1 : slot.ties + 1;
  if (__umulhi(random, (uint32_t)slot.ties) == 0) slot.pick = c;
  slot.best = count;
}

/* ---- the start ---- */

/* Empty a row, by a warp: the cells beyond the colours are forbidden. */
template <class Cell>
__device__ __forceinline__ void clear_row(const Search<Cell> &s, int32_t v) {
  typename Cell::type *row = row_of(s, v);
  for (int32_t c = s.lane; c < s.stride; c += 32)
    row[c] = (typename Cell::type)(c < s.k ? 0u : ALL_LANES);
}

/* Make a warp's rows of gamma, and slots for the conflicting vertices. */
template <class Cell>
__device__ __noinline__ void build(Search<Cell> s, prism_gpu_graph_t g, prism_gpu_hooks_t hooks) {
  const int32_t warps = (int32_t)(blockDim.x >> 5);
  const uint32_t low = Cell::FORBID - 1u;
  unsigned long long conflicts = 0;
  for (int32_t v = s.warp; v < s.n; v += warps) {
    typename Cell::type *row = row_of(s, v);
    const int32_t c = s.color[v];
    uint32_t mates = 0;
    clear_row(s, v);
    __syncwarp();
    for (int64_t e = g.offset[v] + s.lane; e < g.offset[v + 1]; e += 32) {
      const int32_t other = s.color[g.neighbor[e]];
      Cell::bump(row, other, Cell::WEIGHTED ? s.weight[e] : 1u);
      mates += other == c;
    }
    __syncwarp();
    Slot slot = {v, (int32_t)((uint32_t)row[c] & low), 0, 0, 0, 0, 0, 0};
    __syncwarp();
    if (s.lane == 0) row[c] = (typename Cell::type)((uint32_t)row[c] | Cell::FORBID);
    __syncwarp();
    conflicts += __reduce_add_sync(ALL_LANES, mates);
    int32_t at = -1;
    if (slot.own > 0 && !is_frozen(hooks, v)) {
      scan_row(s, v, c, false, draw(s, v, 0, DRAW_SCAN), &slot);
      if (s.lane == 0) {
        at = atomicAdd(&s.books->live, 1);
        s.slots[at] = slot;
      }
    }
    if (s.lane == 0) s.slot_of[v] = at;
  }
  if (s.lane == 0) atomicAdd(&s.books->conflicts, conflicts);
}

/* Copy colours, by the whole block. */
__device__ __forceinline__ void copy_colors(uint16_t *to, const uint16_t *from, int32_t n) {
  for (int32_t v = (int32_t)threadIdx.x; v < n; v += (int32_t)blockDim.x) to[v] = from[v];
}

/* ---- the choice of a move ---- */

/* The lane with the least move, in an order that has no equals; -1: none has any. */
__device__ __forceinline__ int32_t leader(const Move &move, bool scored) {
  const int32_t delta = __reduce_min_sync(ALL_LANES, move.delta);
  bool alive = move.delta == delta && delta != INT_MAX;
  if (scored) {
    const uint32_t worth = __reduce_min_sync(ALL_LANES, alive ? move.worth : ALL_LANES);
    alive = alive && move.worth == worth;
  }
  const uint32_t random = __reduce_min_sync(ALL_LANES, alive ? move.random : ALL_LANES);
  alive = alive && move.random == random;
  const int32_t vertex = __reduce_min_sync(ALL_LANES, alive ? move.vertex : INT_MAX);
  return __ffs((int)__ballot_sync(ALL_LANES, alive && move.vertex == vertex)) - 1;
}

/* The random part of a move's key: the least of as many exponential variables as its
 * vertex has best colours; floats from 0 on have the order of their bits. */
__device__ __forceinline__ uint32_t waiting_time(uint32_t random, int32_t ties) {
  float uniform = (float)(random >> 8) + 0.5f;
  return __float_as_uint(fmaxf(__fdividef(24.0f - __log2f(uniform), (float)ties), 0.0f));
}

/* The best move of this lane's share of the slots. A tabu colour counts where it leads
 * below the best known: `room` = best - f conflicts. */
template <class Cell>
__device__ __forceinline__ Move look(const Search<Cell> &s, const prism_gpu_hooks_t &hooks,
                                     uint32_t now, int32_t room) {
  Move found = {INT_MAX, 0, 0, 0, 0, 0, 0, 0};
  for (int32_t base = 0; base < s.top; base += (int32_t)blockDim.x) {
    const int32_t i = base + (int32_t)threadIdx.x;
    Slot slot = {-1, 0, NO_COUNT, 0, 0, NO_COUNT, 0, 0};
    if (i < s.top) slot = s.slots[i];
    const int32_t best = slot.best;
    const bool tempted =
        !Cell::WEIGHTED && slot.vertex >= 0 && slot.banned < best && slot.banned - slot.own < room;
    uint32_t lanes = __ballot_sync(ALL_LANES, tempted);
    for (; lanes != 0; lanes &= lanes - 1) {
      const int32_t h = __ffs((int)lanes) - 1;
      const int32_t vertex = __shfl_sync(ALL_LANES, slot.vertex, h);
      Slot other;
      scan_row(s, vertex, s.color[vertex], true, draw(s, vertex, now, DRAW_OFFER), &other);
      if (s.lane != h) continue;
      s.slots[i].banned = other.best;
      if (other.best >= best || other.best - slot.own >= room) continue;
      slot.best = other.best;
      slot.ties = other.ties;
      slot.pick = other.pick;
    }
    if (slot.vertex < 0 || slot.best == NO_COUNT) continue;
    Move move = {slot.best - slot.own, 0, 0, slot.vertex, i, 0, slot.pick, best};
    if (move.delta > found.delta) continue;
    if (hooks.score != NULL) move.worth = hosting::worth_of(hooks.score[slot.vertex]);
    move.random = waiting_time(draw(s, slot.vertex, now, DRAW_KEY), slot.ties);
    const bool less = move.delta != found.delta    ? true
                      : move.worth != found.worth  ? move.worth < found.worth
                      : move.random != found.random ? move.random < found.random
                                                    : move.vertex < found.vertex;
    if (less) found = move;
  }
  return found;
}

/* All warps agree on the best move. Holds a barrier. */
template <class Cell>
__device__ __forceinline__ Move agree(const Search<Cell> &s, Move mine, bool scored) {
  const int32_t lane = leader(mine, scored);
  if (s.lane == (lane < 0 ? 0 : lane)) {
    const uint32_t color = lane < 0 ? 0u : s.color[mine.vertex];
    s.books->record[s.warp][0] = make_uint4((uint32_t)mine.delta, mine.worth, mine.random,
                                            (uint32_t)mine.vertex);
    s.books->record[s.warp][1] = make_uint4((uint32_t)mine.slot, color, (uint32_t)mine.to,
                                            (uint32_t)mine.best);
  }
  __syncthreads();
  Move move = {INT_MAX, 0, 0, 0, 0, 0, 0, 0};
  uint4 tail = make_uint4(0, 0, 0, 0);
  if (s.lane < (int32_t)(blockDim.x >> 5)) {
    const uint4 head = s.books->record[s.lane][0];
    tail = s.books->record[s.lane][1];
    move.delta = (int32_t)head.x;
    move.worth = head.y;
    move.random = head.z;
    move.vertex = (int32_t)head.w;
  }
  const int32_t from = leader(move, scored), source = from < 0 ? 0 : from;
  move.delta = from < 0 ? INT_MAX : __shfl_sync(ALL_LANES, move.delta, source);
  move.vertex = __shfl_sync(ALL_LANES, move.vertex, source);
  move.slot = (int32_t)__shfl_sync(ALL_LANES, tail.x, source);
  move.from = (int32_t)__shfl_sync(ALL_LANES, tail.y, source);
  move.to = (int32_t)__shfl_sync(ALL_LANES, tail.z, source);
  move.best = (int32_t)__shfl_sync(ALL_LANES, tail.w, source);
  return move;
}

/* ---- what a move changes ---- */

/* One thread allows the pairs again whose time is over. */
template <class Cell>
__device__ __forceinline__ void expire(const Search<Cell> &s, uint32_t slot, uint32_t now) {
  uint32_t at = s.head[slot];
  s.head[slot] = (uint16_t)NO_ENTRY;
  while (at != NO_ENTRY) {
    const uint2 due = s.entry[at];
    const int32_t u = (int32_t)due.x, c = (int32_t)(due.y & 0xFFFFu);
    at = due.y >> 16;
    typename Cell::type *cell = row_of(s, u) + c;
    const uint32_t x = *cell;
    const int32_t i = s.slot_of[u];
    /* Back by aspiration it is the vertex's own colour now, or allowed already. */
    if (s.color[u] == c || x < Cell::FORBID) continue;
    *cell = (typename Cell::type)(x & (Cell::FORBID - 1u));
    if (i >= 0)
      offer(s.slots[i], (int32_t)(x & (Cell::FORBID - 1u)), c, draw(s, u, now, DRAW_OFFER));
  }
}

/* The vertex of a slot is in conflict no more. */
template <class Cell>
__device__ __forceinline__ void vacate(const Search<Cell> &s, const prism_gpu_hooks_t &hooks,
                                       int32_t i, const Slot &slot, uint32_t now) {
  uint32_t *time = hooks.counter[PRISM_COUNTER_conflict_time];
  if (time != NULL) atomicAdd(time + slot.vertex, now + 1u - slot.since);
  s.slot_of[slot.vertex] = -1;
  s.slots[i].vertex = -1;
  s.vacant[s.vacancies + atomicAdd(&s.books->removed, 1)] = i;
}

/* u, a neighbour of the vertex that moves, by an edge of that weight. */
template <class Cell>
__device__ __forceinline__ void follow(const Search<Cell> &s, const prism_gpu_hooks_t &hooks,
                                       const Move &move, int32_t u, uint32_t weight,
                                       uint32_t now) {
  const uint32_t low = Cell::FORBID - 1u;
  typename Cell::type *row = row_of(s, u);
  const uint32_t x = (uint32_t)row[move.from] - weight, y = (uint32_t)row[move.to] + weight;
  const int32_t i = s.slot_of[u], c = s.color[u], gained = (c == move.to) - (c == move.from);
  row[move.from] = (typename Cell::type)x;
  row[move.to] = (typename Cell::type)y;
  if (Cell::WEIGHTED && gained != 0) atomicAdd(&s.books->change, gained);
  if (i < 0) {
    if (c == move.to && !is_frozen(hooks, u)) s.fresh[atomicAdd(&s.books->fresh, 1)] = u;
    return;
  }
  Slot slot = s.slots[i];
  slot.own += gained * (int32_t)weight;
  if (slot.own == 0) {
    vacate(s, hooks, i, slot, now);
    return;
  }
  const int32_t before = slot.best;
  if (x < Cell::FORBID) offer(slot, (int32_t)x, move.from, draw(s, u, now, DRAW_OFFER));
  const bool kept =
      y < Cell::FORBID && (int32_t)(y - weight) == before && slot.best == before;
  slot.ties -= kept;
  if (x >= Cell::FORBID && c != move.from) slot.banned = min(slot.banned, (int32_t)(x & low));
  s.slots[i] = slot;
  if (kept && slot.pick == move.to) s.again[atomicAdd(&s.books->again, 1)] = i;
}

/* One thread: the vertex that moves, and the pair that becomes tabu for it. */
template <class Cell>
__device__ __forceinline__ void recolor(const Search<Cell> &s, const prism_wide_job_t &job,
                                        const Move &move, uint32_t now, uint32_t mask) {
  const int32_t v = move.vertex;
  typename Cell::type *cell = row_of(s, v) + move.to;
  const uint32_t x = *cell;
  *cell = (typename Cell::type)(x | Cell::FORBID);
  s.color[v] = (uint16_t)move.to;
  Slot slot = s.slots[move.slot];
  slot.own = (int32_t)(x & (Cell::FORBID - 1u));
  if (slot.own == 0) {
    vacate(s, job.hooks, move.slot, slot, now);
  } else {
    s.slots[move.slot].own = slot.own;
    s.again[atomicAdd(&s.books->again, 1)] = move.slot;
  }
  float slope = job.tenure_slope * (float)s.live;
  if (job.hooks.score != NULL) slope *= 1.0f + __saturatef(job.hooks.score[v]);
  const uint32_t tenure = 1u + (uint32_t)slope +
                          __umulhi(draw(s, v, now, DRAW_TENURE), (uint32_t)job.tenure_base);
  const uint32_t due = (now + min(tenure, mask)) & mask, at = now & mask;
  s.entry[at] = make_uint2((uint32_t)v, (uint32_t)move.from | (uint32_t)s.head[due] << 16);
  s.head[due] = (uint16_t)at;
  uint32_t *changes = job.hooks.counter[PRISM_COUNTER_color_changes];
  if (changes != NULL) atomicAdd(changes + v, 1u);
}

/* A warp counts the tabu colours that kept the mover from fewer conflicts. Another thread
 * may be marking the two colours of the move. */
template <class Cell>
__device__ __noinline__ void count_hits(Search<Cell> s, Move move, uint32_t *counter) {
  const typename Cell::type *row = row_of(s, move.vertex);
  int32_t hits = 0;
  for (int32_t c = s.lane; c < s.k; c += 32) {
    const uint32_t x = row[c];
    hits += c != move.from && c != move.to && x >= Cell::FORBID &&
            (int32_t)(x - Cell::FORBID) < move.best;
  }
  hits = __reduce_add_sync(ALL_LANES, hits);
  if (s.lane == 0) atomicAdd(counter + move.vertex, (uint32_t)hits);
}

/* Make the slots of new conflicts, and scan the rows that must be. The numbers of slots
 * come out the same in all threads. */
template <class Cell>
__device__ __forceinline__ void settle(Search<Cell> &s, uint32_t now) {
  const int32_t removed = s.books->removed, fresh = s.books->fresh, again = s.books->again;
  const int32_t vacancies = s.vacancies + removed;
  for (int32_t j = s.warp; j < fresh + again; j += (int32_t)(blockDim.x >> 5)) {
    const bool is_new = j < fresh;
    const int32_t at = !is_new        ? s.again[j - fresh]
                       : j < vacancies ? s.vacant[vacancies - 1 - j]
                                       : s.top + (j - vacancies);
    const int32_t u = is_new ? s.fresh[j] : s.slots[at].vertex;
    const int32_t c = s.color[u];
    Slot slot = {u, 0, 0, 0, 0, 0, now + 1u, 0};
    scan_row(s, u, c, false, draw(s, u, now, DRAW_SCAN), &slot);
    if (s.lane != 0) continue;
    if (is_new) {
      slot.own = (int32_t)((uint32_t)row_of(s, u)[c] & (Cell::FORBID - 1u));
      s.slot_of[u] = at;
      s.slots[at] = slot;
      continue;
    }
    s.slots[at].best = slot.best;
    s.slots[at].ties = slot.ties;
    s.slots[at].pick = slot.pick;
    s.slots[at].banned = slot.banned;
  }
  const int32_t reused = min(fresh, vacancies);
  s.vacancies = vacancies - reused;
  s.top += fresh - reused;
  s.live += fresh - removed;
}

/* Move the last slots into free ones, so that none is free. Ends with a barrier. */
template <class Cell>
__device__ __noinline__ void pack(Search<Cell> s) {
  if (threadIdx.x == 0) s.books->fresh = s.books->again = 0;
  __syncthreads();
  for (int32_t i = (int32_t)threadIdx.x; i < s.top; i += (int32_t)blockDim.x) {
    const bool used = s.slots[i].vertex >= 0;
    if (used && i >= s.live) s.fresh[atomicAdd(&s.books->fresh, 1)] = i;
    if (!used && i < s.live) s.again[atomicAdd(&s.books->again, 1)] = i;
  }
  __syncthreads();
  for (int32_t j = (int32_t)threadIdx.x; j < s.books->fresh; j += (int32_t)blockDim.x) {
    const Slot slot = s.slots[s.fresh[j]];
    s.slots[s.again[j]] = slot;
    s.slot_of[slot.vertex] = s.again[j];
  }
  __syncthreads();
}

}  // namespace wide

#endif
