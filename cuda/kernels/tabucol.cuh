/* Device code of TabuCol; see tabucol.h for the scheme. One individual belongs to a
 * block, or to a cluster of blocks that divide its vertices: then only the warps'
 * best moves travel between blocks, through distributed shared memory. The halves of an
 * iteration are told in hosting.cuh. */
#ifndef PRISM_CUDA_KERNELS_TABUCOL_CUH
#define PRISM_CUDA_KERNELS_TABUCOL_CUH

#include "base/rng.h"
#include "kernels/hosting.cuh"
#include "kernels/tabucol.h"

namespace tabucol {

using namespace hosting;

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

/* ---- the second half of an iteration: hosts ---- */

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
