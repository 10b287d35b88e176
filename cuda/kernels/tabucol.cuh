/* Device code of TabuCol; see tabucol.h for the scheme. One individual belongs to a
 * block, or to a cluster of blocks that divide its vertices: then only the warps'
 * best moves travel between blocks, through distributed shared memory. The halves of an
 * iteration are told in hosting.cuh. */
#ifndef PRISM_CUDA_KERNELS_TABUCOL_CUH
#define PRISM_CUDA_KERNELS_TABUCOL_CUH

#include "base/rng.h"
#include "kernels/tabucol.h"
#include "kernels/weights.cuh"
#include "seam/engine.h"

namespace tabucol {

/* Where things lie in the shared memory of a block; sizes in bytes. */
struct Layout {
  int32_t vertices; /* of a block, a multiple of 32 */
  int32_t stride;   /* words */
  int32_t span;     /* uint4 of a class's members; 0: not weighted */
  size_t gamma, color, entry, head, mark, size, member, sum, total;
};

template <class Cell>
__host__ __device__ inline Layout layout_of(int32_t n, int32_t k, int32_t cluster, int32_t ring,
                                            bool weighted) {
  Layout l;
  l.vertices = ((n + cluster - 1) / cluster + 31) / 32 * 32;
  int32_t used = cluster > 1 ? l.vertices : (n + 7) / 8 * 8;
  used = (used + Cell::PER_WORD - 1) / Cell::PER_WORD * Cell::PER_WORD;
  l.stride = gamma_stride<Cell>(used);
  l.span = weighted ? (n + 127) / 128 | 1 : 0;
  l.gamma = 2 * MAX_RECORDS * sizeof(uint4) + QUEUE * sizeof(int32_t);
  l.color = (l.gamma + (size_t)k * (size_t)l.stride * 4 + 15) / 16 * 16;
  l.entry = (l.color + (size_t)used * 2 + 15) / 16 * 16;
  l.head = l.entry + (size_t)ring * sizeof(uint2);
  l.size = (l.head + (size_t)ring * 2 + 15) / 16 * 16;
  l.member = (l.size + (weighted ? 0 : (size_t)k * 4) + 15) / 16 * 16;
  l.sum = l.member + (size_t)k * (size_t)l.span * 16;
  l.mark = l.sum + (weighted ? (size_t)used * 2 : 0);
  l.total = (l.mark + (size_t)used + 15) / 16 * 16;
  return l;
}

/* What this lane notes for the hooks about the vertex that it hosts. */
struct Watch {
  uint32_t since; /* iteration from which on it was in conflict */
  uint32_t worth; /* see worth_of */
};

/* A hosted vertex is in conflict no more, or gives way at iteration `now`. */
__device__ __forceinline__ void unwatch(const prism_gpu_hooks_t &hooks, const Host &host,
                                        const Watch &watch, uint32_t now) {
  uint32_t *time = hooks.counter[PRISM_COUNTER_conflict_time];
  if (time != NULL) atomicAdd(&time[host.vertex], now - watch.since);
}

__device__ __forceinline__ bool bit_of(const uint32_t *bits, int32_t v) {
  return (bits[v >> 5] >> (v & 31) & 1u) != 0;
}

/* The vertices of word w take their colours, which gamma forbids them. Frozen ones are
 * marked for good: nobody takes them in. Returns the sum of their own counts. */
template <class Cell>
__device__ __forceinline__ int32_t settle(Search<Cell> &s, int32_t n, int32_t w,
                                          const uint16_t *start, const uint32_t *frozen) {
  int32_t conflicts = 0;
  for (int j = 0; j < Cell::PER_WORD; ++j) {
    int32_t v = w * Cell::PER_WORD + j;
    bool real = s.first + v < n;
    s.color[v] = real ? start[s.first + v] : (uint16_t)0;
    s.mark[v] = 0;
    if (!real) continue;
    if (frozen != NULL) s.mark[v] = (uint8_t)bit_of(frozen, s.first + v);
    const Column<Cell> column(s.gamma, s.stride, v);
    uint32_t own = column.get(s.color[v]);
    conflicts += (int32_t)own;
    column.put(s.color[v], own | Cell::FORBID);
  }
  return conflicts;
}

/* Build gamma from the colours, with the vertices' own colours forbidden. Returns
 * this thread's part of 2 f. */
template <class Cell, int V>
__device__ __forceinline__ int32_t build(Search<Cell> &s, const prism_gpu_graph_t &g,
                                         const uint16_t *start, const uint32_t *frozen) {
  int32_t conflicts = 0;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int32_t c = 0; c < s.k; ++c) s.gamma[c * s.stride + w] = 0;
#pragma unroll 8
    for (int32_t u = 0; u < g.n; ++u) {
      uint32_t offset = (uint32_t)(u * g.words + (s.first >> 5));
      uint32_t bits = adjacency_bits<Cell>(g.row, offset, g.words, w);
      s.gamma[(int32_t)start[u] * s.stride + w] += Cell::spread(bits);
    }
    conflicts += settle(s, g.n, w, start, frozen);
  }
  return conflicts;
}

/* The same with edge weights, which may be halved before. Returns whether a vertex is over
 * the limit. */
template <class Cell, int V>
__device__ __forceinline__ bool build_weighted(Search<Cell> &s, const Weights &weights,
                                               const prism_gpu_graph_t &g, const uint16_t *start,
                                               bool halve, const uint32_t *frozen) {
  bool full = false;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int32_t c = 0; c < s.k; ++c) s.gamma[c * s.stride + w] = 0;
    uint32_t even = 0, odd = 0;
#pragma unroll 4
    for (int32_t u = 0; u < g.n; ++u) {
      uint32_t *row = weight_row(weights, u), word = row[w];
      if (halve) row[w] = word = halved(word);
      s.gamma[(int32_t)start[u] * s.stride + w] += word;
      even += word & 0xFFFFu;
      odd += word >> 16;
    }
    weights.sum[2 * w] = (uint16_t)even;
    weights.sum[2 * w + 1] = (uint16_t)odd;
    full |= max(even, odd) > weights.limit;
    settle(s, g.n, w, start, frozen);
  }
  return full;
}

/* ---- the second half of an iteration: hosts ---- */

/* What the move did to this lane's vertex; `near`: they are adjacent, by an edge of that
 * weight. Returns whether its row must be scanned. */
template <class Cell, bool WEIGHTED>
__device__ __forceinline__ bool follow(Search<Cell> &s, Host &host, bool near, int32_t weight,
                                       const Move &move) {
  const uint32_t low = Cell::FORBID - 1u;
  const bool mover = host.vertex == move.vertex;
  uint32_t x = low, y = low;
  if (near || mover) {
    const Column<Cell> column(s.gamma, s.stride, host.vertex - s.first);
    x = column.get(move.from);
    y = column.get(move.to);
  }
  const bool left = host.color == move.from;
  if (!WEIGHTED) host.own += near ? (host.color == move.to) - left : 0;
  bool counted = near && y < Cell::FORBID && (int32_t)y - weight == host.best;
  int32_t before = host.best;
  offer(s, host, near && x < Cell::FORBID, (int32_t)x, move.from);
  bool kept = counted && host.best == before;
  host.ties -= kept;
  if (!WEIGHTED)
    host.banned = near && x > low && !left ? min(host.banned, (int32_t)(x & low)) : host.banned;
  host.color = mover ? move.to : host.color;
  host.own = mover ? (int32_t)(y & low) : host.own;
  return mover || (kept && host.pick == move.to);
}

/* Give the vertices in the queue a host. [in] crowded: no warp has room, so each serves
 * its part of the queue, and where no lane is free, those whose vertices have no improving
 * move give way: all conflicts get their turn. Returns the lanes whose rows must be
 * scanned. [out] left: some found no place. */
template <class Cell, bool HOOKS>
__device__ __forceinline__ uint32_t take_in(Search<Cell> &s, Host &host, uint32_t turn,
                                            bool crowded, const prism_gpu_hooks_t &hooks,
                                            Watch &watch, bool *left) {
  const bool serves = !crowded || s.lane % s.warps == s.warp;
  int32_t want = serves ? s.queue[s.lane] : -1;
  if (want >= 0) s.queue[s.lane] = -1; /* whoever reads it empties it */
  uint32_t wanted = __ballot_sync(FULL_WARP, want >= 0), scan = 0;
  uint32_t idle = __ballot_sync(FULL_WARP, host.vertex < 0);
  if (crowded && __popc(wanted) > __popc(idle)) {
    bool stuck = host.vertex >= 0 && host.best >= host.own;
    uint32_t before = before_me(__ballot_sync(FULL_WARP, stuck), s.lane, turn);
    if (stuck && __popc(before) < __popc(wanted) - __popc(idle)) {
      if (HOOKS) unwatch(hooks, host, watch, turn + 1);
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
    host.own = (int32_t)(Column<Cell>(s.gamma, s.stride, u).get(host.color) &
                         (Cell::FORBID - 1u));
    s.mark[u] = 1;
    if (!HOOKS) continue;
    watch.since = turn + 1;
    watch.worth = hooks.score != NULL ? worth_of(hooks.score[host.vertex]) : 0u;
  }
  *left = wanted != 0;
  return scan;
}

/* The colour changes of the mover, and the tabu colours that kept it from fewer conflicts
 * than any allowed one: its row is what it was before the move but for the two colours of
 * the move. By the warp that hosts it, before it follows the move. */
template <class Cell>
__device__ __forceinline__ void count_move(Search<Cell> &s, const Host &host, const Move &move,
                                           const prism_gpu_hooks_t &hooks) {
  uint32_t lanes = __ballot_sync(FULL_WARP, host.vertex == move.vertex);
  if (lanes == 0) return;
  int32_t best = __shfl_sync(FULL_WARP, host.best, __ffs((int)lanes) - 1), hits = 0;
  const Column<Cell> column(s.gamma, s.stride, move.vertex - s.first);
  for (int32_t c = s.lane; c < s.k; c += 32) {
    uint32_t x = column.get(c);
    hits += c != move.from && c != move.to && x >= Cell::FORBID &&
            (int32_t)(x - Cell::FORBID) < best;
  }
  hits = __reduce_add_sync(FULL_WARP, hits);
  if (s.lane != 0) return;
  atomicAdd(&hooks.counter[PRISM_COUNTER_color_changes][move.vertex], 1u);
  atomicAdd(&hooks.counter[PRISM_COUNTER_tabu_hits][move.vertex], (uint32_t)hits);
}

/* ---- the first half: gamma ---- */

/* Tabu pairs whose time is over lose their mark in the words of this warp. */
template <class Cell, int V>
__device__ __forceinline__ void expire(Search<Cell> &s, uint2 due) {
  if (due.x == NO_KEY) return;
  for (;; due = s.entry[due.y]) {
    int32_t u = (int32_t)(due.x & 0xFFFFu) - s.first, c = (int32_t)(due.x >> 16);
    int32_t w = (int32_t)((uint32_t)u / Cell::PER_WORD) - s.warp * V * 32;
    bool mine = V == 1 ? w == s.lane : (uint32_t)w < 32u * V && (w & 31) == s.lane;
    /* Back by aspiration: it is the vertex's own colour now. */
    if (mine && s.color[u] != c) {
      const Column<Cell> column(s.gamma, s.stride, u);
      column.put(c, column.get(c) & (Cell::FORBID - 1u));
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
      uint32_t x = Column<Cell>(s.gamma, s.stride, v).get(s.color[v]) & (Cell::FORBID - 1u);
      if (x != 0 && (found < 0 || ((turn >> (i + j)) & 1u))) found = v;
    }
  }
  return found;
}

/* Write this warp's share of the queue: first conflicts of this move, and in `waiting`
 * mode others that have no host. [in] fresh: this lane's new conflicts in class b, one
 * bit a cell. Returns whether some may be left over. */
template <class Cell, int V, bool HOOKS>
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
        int32_t u = base + (__ffs((int)cells) - 1) / Cell::BITS;
        if (s.color[u] != b) continue; /* tabu there, not a member */
        if (HOOKS && s.mark[u] != 0) continue; /* frozen */
        mine = s.lane == used ? u : mine;
        ++used;
      }
    }
  }
  if (s.lane < share && mine >= 0) queue[s.lane] = mine;
  if (!waiting) return used > share;
  int32_t found = find_waiting<Cell, V>(s, turn);
  for (int32_t i = 0; i < used && i < share; ++i)
    found = __shfl_sync(FULL_WARP, mine, i) == found ? -1 : found;
  uint32_t lanes = __ballot_sync(FULL_WARP, found >= 0);
  int32_t place = used + __popc(before_me(lanes, s.lane, turn));
  __syncwarp();
  if (found >= 0 && place < share) queue[place] = found;
  return lanes != 0 || used > share;
}

/* Move vertex v (counted from this block's first) in word w: its colour, and its mark on
 * the word of class b. */
template <class Cell>
__device__ __forceinline__ uint32_t moved_in(Search<Cell> &s, int32_t v, int32_t w, int32_t b,
                                             uint32_t word) {
  if ((uint32_t)(v - w * Cell::PER_WORD) >= (uint32_t)Cell::PER_WORD) return word;
  s.color[v] = (uint16_t)b;
  return word | Cell::FORBID << (Cell::BITS * (v - w * Cell::PER_WORD));
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
    adjacent[i] = here ? adjacency_bits<Cell>(g.row, row, g.words, w) : 0u;
  }
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    fresh[i] = 0;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    uint32_t one = Cell::spread(adjacent[i]);
    uint32_t more = to[w] + one;
    /* First conflict of a vertex in class b: own colour (or tabu), count 1. */
    fresh[i] = zero_cells<Cell>(more ^ (Cell::FORBIDS | Cell::ONES)) & (one * Cell::FORBID);
    from[w] -= one;
    to[w] = moved_in(s, v, w, move.to, more);
  }
}

/* The same with edge weights. Returns the conflicting edges that this thread's vertices
 * gain. */
template <class Cell, int V>
__device__ __forceinline__ int32_t recolor_weighted(Search<Cell> &s, const Weights &weights,
                                                    const Move &move, uint32_t *fresh) {
  const uint32_t *row = weight_row(weights, move.vertex);
  uint32_t *from = s.gamma + move.from * s.stride, *to = s.gamma + move.to * s.stride;
  uint32_t weight[V];
  int32_t gained = 0;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    weight[i] = word_of<Cell, V>(s, i, &w) ? row[w] : 0u;
  }
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    fresh[i] = 0;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    uint32_t more = to[w] + weight[i];
    fresh[i] = zero_cells<Cell>(more ^ (Cell::FORBIDS | weight[i])) & ~zero_cells<Cell>(weight[i]);
    gained += edges_gained(weight[i], ((const uint32_t *)s.color)[w], move.from, move.to);
    from[w] -= weight[i];
    to[w] = moved_in(s, move.vertex - s.first, w, move.to, more);
  }
  return gained;
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
