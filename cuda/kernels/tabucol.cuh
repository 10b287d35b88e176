/* Device code of TabuCol; see tabucol.h for the scheme. One individual belongs to a
 * block, or to a cluster of blocks that divide its vertices: then only the warps'
 * best moves travel between blocks, through distributed shared memory. The halves of an
 * iteration are told in hosting.cuh. */
#ifndef PRISM_CUDA_KERNELS_TABUCOL_CUH
#define PRISM_CUDA_KERNELS_TABUCOL_CUH

#include "kernels/tabucol.h"
#include "kernels/weights.cuh"
#include "seam/engine.h"

namespace tabucol {

/* Where things lie in the shared memory of a block; sizes in bytes. */
struct Layout {
  int32_t vertices; /* of a block, a multiple of 32 */
  int32_t stride;   /* words */
  int32_t span;     /* uint4 of a class's members; 0: not weighted */
  size_t gamma, color, entry, mark, size, member, sum, total;
};

template <class Cell>
__host__ __device__ inline Layout layout_of(int32_t n, int32_t k, int32_t cluster, int32_t ring,
                                            bool weighted) {
  Layout l;
  l.vertices = block_vertices(n, cluster);
  int32_t used = block_cells(n, cluster);
  used = (used + Cell::PER_WORD - 1) / Cell::PER_WORD * Cell::PER_WORD;
  l.stride = gamma_stride<Cell>(used);
  l.span = weighted ? (n + 127) / 128 | 1 : 0;
  l.gamma = AHEAD;
  l.color = (l.gamma + (size_t)k * (size_t)l.stride * 4 + 15) / 16 * 16;
  l.entry = (l.color + (size_t)used * 2 + 15) / 16 * 16;
  l.size = l.entry + (size_t)ring * sizeof(uint2);
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

/* May the last word of a block reach into the vertices of the next one? */
template <class Cell, bool CLUSTER>
constexpr bool REACHES_ON = CLUSTER && 32 % Cell::PER_WORD != 0;

/* The vertices of word w take their colours, which gamma forbids them. Frozen ones and cells
 * from vertex `end` on are marked for good: nobody takes them in. Returns the sum of their own
 * counts. */
template <class Cell>
__device__ __forceinline__ int32_t settle(Search<Cell> &s, int32_t end, int32_t w,
                                          const uint16_t *start, const uint32_t *frozen) {
  int32_t conflicts = 0;
  for (int j = 0; j < Cell::PER_WORD; ++j) {
    int32_t v = w * Cell::PER_WORD + j;
    bool real = s.first + v < end;
    s.color[v] = real ? start[s.first + v] : (uint16_t)0;
    s.mark[v] = (uint8_t)!real;
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
template <class Cell, int V, bool CLUSTER>
__device__ __forceinline__ int32_t build(Search<Cell> &s, const prism_gpu_graph_t &g,
                                         const uint16_t *start, const uint32_t *frozen) {
  constexpr bool reaches_on = REACHES_ON<Cell, CLUSTER>;
  const int32_t end = reaches_on ? s.first + s.vertices : g.n;
  const int32_t words = reaches_on ? g.words - (s.first >> 5) : g.words;
  int32_t conflicts = 0;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int32_t c = 0; c < s.k; ++c) s.gamma[c * s.stride + w] = 0;
#pragma unroll 8
    for (int32_t u = 0; u < g.n; ++u) {
      uint32_t offset = (uint32_t)(u * g.words + (s.first >> 5));
      uint32_t bits = adjacency_bits<Cell>(g.row, offset, words, w);
      s.gamma[(int32_t)start[u] * s.stride + w] += Cell::spread(bits);
    }
    conflicts += settle(s, end, w, start, frozen);
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

/* ---- the calendar of tabu pairs ----
 *
 * Slot t of the ring holds up to two pairs v | c << 16 that expire at iteration t, the
 * first in x; more go to the slots behind it. About one pair a move comes and goes. */

/* One thread enters the pair (v, c) at iteration `now`, for a slot from now + 2 on. */
template <class Cell>
__device__ __forceinline__ void enter(Search<Cell> &s, int32_t v, int32_t c, uint32_t slot,
                                      uint32_t now, uint32_t mask) {
  const uint32_t pair = (uint32_t)v | (uint32_t)c << 16;
  for (slot &= mask;; slot = (slot + 1u) & mask) {
    if (slot == (now & mask)) slot = (now + 2u) & mask; /* these expire now, and at once */
    uint2 held = s.entry[slot];
    if (held.x != NO_KEY && held.y != NO_KEY) continue;
    if (held.x == NO_KEY)
      s.entry[slot].x = pair;
    else
      s.entry[slot].y = pair;
    return;
  }
}

/* Does this thread own the word with the vertex of a pair? */
template <class Cell, int V>
__device__ __forceinline__ bool owns_pair(const Search<Cell> &s, uint32_t pair) {
  const uint32_t u = (pair & 0xFFFFu) - (uint32_t)s.first;
  const uint32_t w = u / Cell::PER_WORD - (uint32_t)(s.warp * V * 32);
  return pair != NO_KEY && (V == 1 ? w == (uint32_t)s.lane
                                   : w < 32u * V && (w & 31u) == (uint32_t)s.lane);
}

/* A pair whose time is over loses its mark, unless the vertex is back by aspiration. */
template <class Cell>
__device__ __forceinline__ void expire_pair(Search<Cell> &s, uint32_t pair) {
  const int32_t u = (int32_t)(pair & 0xFFFFu) - s.first, c = (int32_t)(pair >> 16);
  if (s.color[u] == c) return;
  const Column<Cell> column(s.gamma, s.stride, u);
  column.put(c, column.get(c) & (Cell::FORBID - 1u));
}

/* ---- the second half of an iteration: hosts ---- */

/* What the move did to this lane's vertex; `near`: they are adjacent, by an edge of that
 * weight. Where its drawn colour goes, its row must be scanned before it can move. */
template <class Cell, bool WEIGHTED>
__device__ __forceinline__ void follow(Search<Cell> &s, Host &host, bool near, int32_t weight,
                                       const Move &move) {
  const bool mover = host.vertex == move.vertex, left = host.color == move.from;
  /* What is loaded for the others is not used: no branch for them. */
  const Column<Cell> column(s.gamma, s.stride, max(host.vertex - s.first, 0));
  const uint32_t none = near || mover ? 0u : 2u * Cell::FORBID - 1u; /* forbidden */
  const uint32_t x = column.get(move.from) | none, y = column.get(move.to) | none;
  if (!WEIGHTED) host.own += near ? (host.color == move.to) - left : 0;
  const int32_t before = host.best;
  const bool counted = y < Cell::FORBID && (int32_t)y - weight == before && host.ties > 0;
  offer(s, host, x < Cell::FORBID, (int32_t)x, move.from);
  const bool drawn = host.pick == move.to;
  const bool one_less = (counted && host.best == before) || (mover && drawn);
  host.ties -= one_less;
  host.best += one_less && host.ties == 0;
  host.ties = one_less && drawn ? 0 : host.ties;
  if (!WEIGHTED && (!left || mover))
    host.banned = (int32_t)min((uint32_t)host.banned, x - Cell::FORBID); /* huge if allowed */
  host.color = mover ? move.to : host.color;
  host.own = mover ? (int32_t)(y - Cell::FORBID) : host.own;
}

/* Give the vertices in the queue a host. [in] crowded: no warp has room, so each serves
 * its part of the queue, and where no lane is free, some whose vertices have no improving
 * move give way: all conflicts get their turn; many: as many as are needed, otherwise one.
 * Returns whether some found no place. */
template <class Cell, bool HOOKS>
__device__ __forceinline__ bool take_in(Search<Cell> &s, Host &host, uint32_t turn, bool crowded,
                                        bool many, const prism_gpu_hooks_t &hooks, Watch &watch) {
  /* Whoever reads a place empties it, so nobody may read those of others. */
  const int32_t want = crowded && s.lane % s.warps != s.warp ? -1 : s.queue[s.lane];
  if (__ballot_sync(FULL_WARP, want >= 0) == 0) return false;
  if (want >= 0) s.queue[s.lane] = -1;
  uint32_t wanted = __ballot_sync(FULL_WARP, want >= 0);
  uint32_t idle = __ballot_sync(FULL_WARP, host.vertex < 0);
  const int32_t lacking = many ? __popc(wanted) - __popc(idle) : idle == 0;
  if (crowded && lacking > 0) {
    const bool stuck = host.vertex >= 0 && host.best >= host.own;
    const uint32_t before = before_me(__ballot_sync(FULL_WARP, stuck), s.lane, turn);
    if (stuck && __popc(before) < lacking) {
      if (HOOKS) unwatch(hooks, host, watch, turn + 1);
      s.mark[host.vertex - s.first] = 0;
      host.vertex = -1;
    }
    idle = __ballot_sync(FULL_WARP, host.vertex < 0);
  }
  for (; wanted != 0 && idle != 0; wanted &= wanted - 1, idle &= idle - 1) {
    int32_t u = __shfl_sync(FULL_WARP, want, __ffs((int)wanted) - 1);
    if (s.lane != __ffs((int)idle) - 1) continue;
    host.vertex = s.first + u;
    host.color = s.color[u];
    host.own = (int32_t)(Column<Cell>(s.gamma, s.stride, u).get(host.color) &
                         (Cell::FORBID - 1u));
    host.best = host.ties = host.banned = 0; /* bounds: its row is scanned when it matters */
    s.mark[u] = 1;
    if (!HOOKS) continue;
    watch.since = turn + 1;
    watch.worth = hooks.score != NULL ? worth_of(hooks.score[host.vertex]) : 0u;
  }
  return wanted != 0;
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

/* Conflicting vertices want a host. Cells of 6 bits past the row of bits hold anything, but are
 * marked. */
template <class Cell>
struct InConflict {
  static __device__ __forceinline__ bool host(const Search<Cell> &s, int32_t v) {
    const Column<Cell> column(s.gamma, s.stride, v);
    return (column.get(s.color[v]) & (Cell::FORBID - 1u)) != 0;
  }
};

/* Write this warp's share of the queue: first conflicts of this move, and in `waiting`
 * mode others that have no host. [in] fresh: this lane's new conflicts in class b, one
 * bit a cell. Returns whether some may be left over. */
template <class Cell, int V, bool HOOKS>
__device__ __forceinline__ bool enqueue(Search<Cell> &s, const uint32_t *fresh, int32_t b,
                                        bool waiting, uint32_t turn) {
  uint32_t any = (uint32_t)waiting;
#pragma unroll
  for (int i = 0; i < V; ++i) any |= fresh[i];
  if (__ballot_sync(FULL_WARP, any != 0) == 0) return false; /* mostly */
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
  int32_t found = find_waiting<Cell, V, InConflict>(s, turn);
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

/* The bits of v's neighbours among this thread's vertices, on their way from memory. */
template <class Cell, int V, bool CLUSTER>
__device__ __forceinline__ void fetch(const Search<Cell> &s, const prism_gpu_graph_t &g, int32_t v,
                                      RowPart *adjacent) {
  const uint32_t row = (uint32_t)(v * g.words + (s.first >> 5));
  const int32_t words = REACHES_ON<Cell, CLUSTER> ? g.words - (s.first >> 5) : g.words;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    const bool here = word_of<Cell, V>(s, i, &w);
    adjacent[i] = load_part<Cell>(g.row, row, words, here ? w : 0);
  }
}

/* Carry out a move on this thread's words; nothing changes if there is none. [out] fresh:
 * first conflicts in class b. */
template <class Cell, int V, bool CLUSTER>
__device__ __forceinline__ void recolor(Search<Cell> &s, const RowPart *adjacent, const Move &move,
                                        bool moved, uint32_t *fresh) {
  int32_t v = moved ? move.vertex - s.first : -Cell::PER_WORD; /* in no word */
  if (REACHES_ON<Cell, CLUSTER> && v >= s.vertices) v = -Cell::PER_WORD;
  uint32_t *from = s.gamma + move.from * s.stride, *to = s.gamma + move.to * s.stride;
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    fresh[i] = 0;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    uint32_t one = moved ? Cell::spread(bits_of<Cell>(adjacent[i], w)) : 0u;
    uint32_t before = from[w], more = to[w] + one;
    /* First conflict of a vertex in class b: own colour (or tabu), count 1. */
    fresh[i] = zero_cells<Cell>(more ^ (Cell::FORBIDS | Cell::ONES)) & (one * Cell::FORBID);
    from[w] = before - one;
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
