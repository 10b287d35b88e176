/* Device code of PartialCol; see partialcol.h for the scheme and hosting.cuh for the
 * halves of an iteration. The top bit of a gamma cell means tabu, nothing else: only
 * uncoloured vertices look at their cells. */
#ifndef PRISM_CUDA_KERNELS_PARTIALCOL_CUH
#define PRISM_CUDA_KERNELS_PARTIALCOL_CUH

#include "kernels/hosting.cuh"
#include "kernels/partialcol.h"
#include "seam/engine.h"

namespace partialcol {

using namespace hosting;

static const uint16_t NO_COLOR = 0xFFFFu;
static const uint32_t NO_ENTRY = 0xFFFFu;
/* In a cell of 2 bytes: the class of a frozen neighbour. The second bit makes the count
 * so large that no aspiration leads there. */
static const uint32_t BLOCKED = 0xC000u;
/* Reactive tenure, as on the host. */
enum { PERIOD = 1000, RANGE = 1, STEP = 20, TENURE_MIN = 2, TENURE_START = 10 };

/* Where things lie in the shared memory of a block; sizes in bytes. */
struct Layout {
  int32_t vertices; /* of a block, a multiple of 32 */
  int32_t stride;   /* words of a row of gamma */
  int32_t bits;     /* words of the bits of a class */
  int32_t entries;
  size_t reactive, gamma, member, color, entry, head, size, since, mark, total;
};

template <class Cell>
__host__ __device__ inline Layout layout_of(int32_t n, int32_t k, int32_t cluster, int32_t ring,
                                            int32_t entries, bool hooked) {
  Layout l;
  l.vertices = block_vertices(n, cluster);
  const int32_t used = block_cells(n, cluster);
  l.stride = gamma_stride<Cell>(used);
  l.bits = (n + 31) / 32;
  l.entries = entries;
  l.reactive = AHEAD;
  l.gamma = l.reactive + sizeof(int4);
  l.member = l.gamma + (size_t)k * (size_t)l.stride * 4;
  l.color = (l.member + (size_t)k * (size_t)l.bits * 4 + 15) / 16 * 16;
  l.entry = (l.color + (size_t)used * 2 + 15) / 16 * 16;
  l.head = l.entry + (size_t)entries * sizeof(uint2);
  l.size = (l.head + (size_t)ring * 2 + 15) / 16 * 16;
  l.since = l.size + (size_t)k * 4;
  l.mark = l.since + (hooked ? (size_t)used * 4 : 0);
  l.total = (l.mark + (size_t)used + 15) / 16 * 16;
  return l;
}

/* What a thread holds besides hosting::Search, in which `entry` is {v | c << 16, next entry
 * of the slot}. */
struct Classes {
  uint32_t *member;  /* [k][bits] vertices of each class, those of other blocks too */
  int32_t bits;
  int32_t vertices;  /* of this block */
  uint32_t *since;   /* [vertices] iteration that found a vertex uncoloured; with hooks */
  int4 *reactive;    /* x: tenure, y..z: range of f, w: moves left; the clerk's */
  uint16_t *head;    /* [ring] first entry of the tabu pairs that expire in a slot */
  int32_t entries;
  int32_t live;      /* entries of the calendar in use; the same in all threads */
  uint32_t spare;    /* first free entry; the clerk's */
  bool clerk;        /* the thread of a block that keeps its calendar */
};

/* What a move means to a thread. */
struct Turn {
  int32_t change;  /* of the count of its host's vertex in the class */
  int32_t evicted; /* vertices that left the class */
  int32_t here;    /* those of this block */
  int32_t want;    /* the lane's one of these, counted from the block's first; -1: none */
};

__device__ __forceinline__ bool is_near(const uint32_t *row, int32_t u) {
  return (__ldg(row + (u >> 5)) >> (u & 31) & 1u) != 0;
}

__device__ __forceinline__ bool is_frozen(const prism_gpu_hooks_t &hooks, int32_t v) {
  return hooks.frozen != NULL && bit_of(hooks.frozen, v);
}

template <bool HOOKS>
__device__ __forceinline__ int32_t weight_of(const prism_gpu_hooks_t &hooks, int32_t v) {
  return HOOKS && hooks.vertex_weight != NULL ? __ldg(hooks.vertex_weight + v) : 1;
}

/* ---- the start ---- */

/* The partial colouring of this thread's vertices. Returns the conflicts between frozen
 * vertices, which stay. */
template <class Cell, int V, bool HOOKS>
__device__ __noinline__ int32_t uncolor(Search<Cell> s, uint32_t *since, prism_gpu_graph_t g,
                                        prism_gpu_hooks_t hooks, const uint16_t *start) {
  int32_t stuck = 0;
  for (int i = 0; i < V; ++i) {
    int32_t w, own[Cell::PER_WORD];
    if (!word_of<Cell, V>(s, i, &w)) continue;
    const int32_t local = w * Cell::PER_WORD, v = s.first + local;
    uint32_t lost = 0;
#pragma unroll
    for (int j = 0; j < Cell::PER_WORD; ++j) own[j] = v + j < g.n ? (int32_t)start[v + j] : -1;
    for (int32_t u = 0; u < g.n; ++u) {
      uint32_t near =
          row_bits<Cell>(__ldg(g.row + (size_t)u * (size_t)g.words + (size_t)(v >> 5)), w);
      if (near == 0) continue;
      const int32_t c = start[u];
      const bool held = HOOKS && is_frozen(hooks, u);
#pragma unroll
      for (int j = 0; j < Cell::PER_WORD; ++j) {
        if ((near >> j & 1u) == 0 || own[j] != c) continue;
        if (HOOKS && is_frozen(hooks, v + j))
          stuck += held && u < v + j;
        else if (held || u < v + j)
          lost |= 1u << j;
      }
    }
#pragma unroll
    for (int j = 0; j < Cell::PER_WORD; ++j) {
      s.color[local + j] = (lost >> j & 1u) != 0 ? NO_COLOR : own[j] < 0 ? 0 : (uint16_t)own[j];
      s.mark[local + j] = 0;
      if (HOOKS) since[local + j] = 0;
    }
  }
  return stuck;
}

/* Gamma of this thread's words from a partial colouring. Returns the weight of its
 * uncoloured vertices. */
template <class Cell, int V, bool HOOKS>
__device__ __noinline__ int32_t build(Search<Cell> s, prism_gpu_graph_t g,
                                      prism_gpu_hooks_t hooks, const uint16_t *color) {
  int32_t uncolored = 0;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int32_t c = 0; c < s.k; ++c) s.gamma[c * s.stride + w] = 0;
    const int32_t v = s.first + w * Cell::PER_WORD;
    for (int32_t u = 0; u < g.n; ++u) {
      const int32_t c = color[u];
      if (c == NO_COLOR) continue;
      uint32_t one = Cell::spread(
          row_bits<Cell>(__ldg(g.row + (size_t)u * (size_t)g.words + (size_t)(v >> 5)), w));
      s.gamma[c * s.stride + w] += one * (uint32_t)weight_of<HOOKS>(hooks, u);
    }
    for (int32_t u = 0; HOOKS && hooks.frozen != NULL && u < g.n; ++u) {
      if (!is_frozen(hooks, u)) continue;
      uint32_t one = Cell::spread(
          row_bits<Cell>(__ldg(g.row + (size_t)u * (size_t)g.words + (size_t)(v >> 5)), w));
      s.gamma[(int32_t)color[u] * s.stride + w] |= one * BLOCKED;
    }
    for (int j = 0; j < Cell::PER_WORD; ++j)
      if (v + j < g.n && s.color[w * Cell::PER_WORD + j] == NO_COLOR)
        uncolored += weight_of<HOOKS>(hooks, v + j);
  }
  return uncolored;
}

/* The bits and the sizes of all classes, by the whole block. Returns whether a count
 * might not fit a cell. */
template <class Cell>
__device__ __noinline__ bool gather(Search<Cell> s, Classes m, int32_t n,
                                    const uint16_t *color) {
  const int32_t thread = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x;
  for (int32_t i = thread; i < s.k * m.bits; i += threads) m.member[i] = 0;
  for (int32_t c = thread; c < s.k; c += threads) s.size[c] = 0;
  __syncthreads();
  for (int32_t u = thread; u < n; u += threads) {
    const int32_t c = color[u];
    if (c == NO_COLOR) continue;
    atomicOr(m.member + c * m.bits + (u >> 5), 1u << (u & 31));
    atomicAdd(s.size + c, 1);
  }
  __syncthreads();
  bool outgrown = false;
  for (int32_t c = 0; c < s.k; ++c) outgrown |= s.size[c] >= (int32_t)Cell::FORBID - 2;
  return outgrown;
}

/* ---- the first half: gamma ---- */

/* Tabu pairs whose time is over lose their mark in the words of this thread. Returns
 * how many there are. */
template <class Cell, int V>
__device__ __forceinline__ int32_t expire(const Search<Cell> &s, uint2 due) {
  if (due.x == NO_KEY) return 0;
  for (int32_t count = 1;; ++count) {
    int32_t u = (int32_t)(due.x & 0xFFFFu) - s.first;
    int32_t w = u / Cell::PER_WORD - s.warp * V * 32;
    if (w >= 0 && w < 32 * V && (w & 31) == s.lane) {
      typename Cell::type *cell =
          gamma_cell<Cell>(s.gamma, s.stride, (int32_t)(due.x >> 16), u);
      *cell = (typename Cell::type)(*cell & (Cell::FORBID - 1u));
    }
    if (due.y == NO_ENTRY) return count;
    due = s.entry[due.y];
  }
}

/* The clerk: moves for which the colour of this move is tabu for those that leave. */
template <class Cell, bool HOOKS>
__device__ __forceinline__ uint32_t tenure_of(Search<Cell> &s, const Classes &m,
                                              const prism_partialcol_job_t &job,
                                              const Move &move, int32_t f, uint32_t now,
                                              uint32_t individual) {
  if (!job.reactive) {
    float slope = job.tenure_slope * (float)(move.count & COUNT_MASK);
    if (HOOKS && job.hooks.score != NULL)
      slope *= 1.0f + __saturatef(__ldg(job.hooks.score + move.vertex));
    return 1u + (uint32_t)slope + lcg_below(&s.rng, (uint32_t)job.tenure_base);
  }
  /* When the objective hardly moved during a period, the search circles and the tenure
   * grows; otherwise it slowly shrinks. */
  int4 r = *m.reactive;
  const int32_t tenure = r.x;
  r.y = min(r.y, f);
  r.z = max(r.z, f);
  if (--r.w == 0) {
    if (r.z - r.y <= RANGE)
      r.x += 5 + (int32_t)__umulhi(prism_rng_at(job.seed, *job.generation,
                                                1u << 23 | now / PERIOD, individual,
                                                PRISM_RNG_MOVE)
                                       .word[0],
                                   STEP);
    else if (r.x > TENURE_MIN)
      --r.x;
    r.w = PERIOD;
    r.y = r.z = f;
  }
  *m.reactive = r;
  return (uint32_t)tenure;
}

/* The tabu pairs of a slot, whose time is over, become allowed for the vertex that this lane
 * hosts; gamma hears of it later. Returns the first entry, x = NO_KEY: none. */
template <class Cell>
__device__ __forceinline__ uint2 release(Search<Cell> &s, const Classes &m, Host &host,
                                         uint32_t slot) {
  uint32_t at = m.head[slot];
  uint2 first = make_uint2(NO_KEY, NO_ENTRY);
  if (at == NO_ENTRY) return first;
  first = s.entry[at];
  for (uint2 due = first;; due = s.entry[due.y]) {
    release_pair(s, host, due.x);
    if (due.y == NO_ENTRY) return first;
  }
}

/* The clerk enters a tabu pair into the calendar. */
template <class Cell>
__device__ __forceinline__ void enter(const Search<Cell> &s, Classes &m, uint32_t slot,
                                      int32_t vertex, int32_t c) {
  uint32_t at = m.spare;
  m.spare = s.entry[at].y;
  s.entry[at] = make_uint2((uint32_t)vertex | (uint32_t)c << 16, m.head[slot]);
  m.head[slot] = (uint16_t)at;
}

/* What the counters say of a vertex of this thread that enters or leaves a class. */
__device__ __forceinline__ void count_change(const prism_gpu_hooks_t &hooks, const Classes &m,
                                             int32_t first, int32_t local, bool leaves,
                                             uint32_t now) {
  uint32_t *changes = hooks.counter[PRISM_COUNTER_color_changes];
  uint32_t *time = hooks.counter[PRISM_COUNTER_conflict_time];
  if (changes != NULL) atomicAdd(changes + first + local, 1u);
  if (leaves)
    m.since[local] = now + 1u;
  else if (time != NULL)
    atomicAdd(time + first + local, now + 1u - m.since[local]);
}

/* Carry out a move on this thread's words; every warp finds the vertices that leave. */
template <class Cell, int V, bool HOOKS>
__device__ __forceinline__ Turn settle(Search<Cell> &s, Classes &m, const prism_gpu_graph_t &g,
                                       const prism_gpu_hooks_t &hooks, const Move &move,
                                       uint32_t slot, int32_t hosted, uint32_t now) {
  const int32_t c = move.to;
  const uint32_t *row = g.row + (size_t)move.vertex * (size_t)g.words;
  const uint32_t *member = m.member + c * m.bits;
  const uint32_t weight = (uint32_t)weight_of<HOOKS>(hooks, move.vertex);
  Turn turn = {hosted >= 0 && is_near(row, hosted) ? (int32_t)weight : 0, 0, 0, -1};
  uint32_t net[V], ban[V];
  int32_t word[V];
#pragma unroll
  for (int i = 0; i < V; ++i) {
    ban[i] = net[i] = 0;
    if (!word_of<Cell, V>(s, i, &word[i])) word[i] = -1;
    int32_t v = s.first + word[i] * Cell::PER_WORD;
    if (word[i] >= 0)
      net[i] = Cell::spread(row_bits<Cell>(__ldg(row + (v >> 5)), word[i])) * weight;
    int32_t cell = move.vertex - v;
    if (word[i] >= 0 && (uint32_t)cell < (uint32_t)Cell::PER_WORD) {
      s.color[move.vertex - s.first] = (uint16_t)c;
      if (HOOKS) count_change(hooks, m, s.first, move.vertex - s.first, false, now);
    }
  }
  for (int32_t base = 0; base < m.bits; base += 32) {
    const int32_t t = base + s.lane;
    const uint32_t leaving = t < m.bits ? __ldg(row + t) & member[t] : 0u;
    for (uint32_t lanes = __ballot_sync(FULL_WARP, leaving != 0); lanes != 0; lanes &= lanes - 1) {
      const int32_t source = __ffs((int)lanes) - 1;
      uint32_t bits = __shfl_sync(FULL_WARP, leaving, source);
      for (; bits != 0; bits &= bits - 1) {
        const int32_t u = (base + source) * 32 + __ffs((int)bits) - 1, local = u - s.first;
        const uint32_t *other = g.row + (size_t)u * (size_t)g.words;
        const uint32_t lost = (uint32_t)weight_of<HOOKS>(hooks, u);
        const bool here = local >= 0 && local < m.vertices, tabu = here && m.live < m.entries;
        if (hosted >= 0 && is_near(other, hosted)) turn.change -= (int32_t)lost;
#pragma unroll
        for (int i = 0; i < V; ++i) {
          int32_t v = s.first + word[i] * Cell::PER_WORD, cell = u - v;
          if (word[i] < 0) continue;
          net[i] -= Cell::spread(row_bits<Cell>(__ldg(other + (v >> 5)), word[i])) * lost;
          if ((uint32_t)cell >= (uint32_t)Cell::PER_WORD) continue;
          if (tabu) ban[i] |= Cell::FORBID << (32 / Cell::PER_WORD * cell);
          s.color[local] = NO_COLOR;
          if (HOOKS) count_change(hooks, m, s.first, local, true, now);
        }
        ++turn.evicted;
        if (!here) continue;
        if (s.lane == turn.here) turn.want = local;
        ++turn.here;
        if (tabu && m.clerk) enter(s, m, slot, u, c);
        m.live += tabu;
      }
    }
  }
#pragma unroll
  for (int i = 0; i < V; ++i)
    if (word[i] >= 0) {
      uint32_t *cells = s.gamma + (c * s.stride + word[i]);
      *cells = (*cells + net[i]) | ban[i];
    }
  return turn;
}

/* Uncoloured vertices want a host. */
template <class Cell>
struct Uncolored {
  static __device__ __forceinline__ bool host(const Search<Cell> &s, int32_t v) {
    return s.color[v] == NO_COLOR;
  }
};

/* Write this warp's share of the queue: vertices without a host. Returns whether there
 * are any. */
template <class Cell, int V>
__device__ __forceinline__ bool enqueue(const Search<Cell> &s, uint32_t turn) {
  int32_t *queue = s.queue + s.warp * s.share;
  const int32_t found = find_waiting<Cell, V, Uncolored>(s, turn);
  const uint32_t lanes = __ballot_sync(FULL_WARP, found >= 0);
  const int32_t place = __popc(before_me(lanes, s.lane, turn));
  if (s.lane < s.share) queue[s.lane] = -1;
  __syncwarp();
  if (found >= 0 && place < s.share) queue[place] = found;
  return lanes != 0;
}

/* ---- the second half: hosts ---- */

/* The class that the move changed has `change` more neighbours of this lane's vertex.
 * Returns whether its row must be scanned. */
template <class Cell>
__device__ __forceinline__ bool follow(Search<Cell> &s, Host &host, int32_t change,
                                       int32_t c) {
  const uint32_t low = Cell::FORBID - 1u;
  uint32_t x = low;
  if (change != 0) x = *gamma_cell<Cell>(s.gamma, s.stride, c, host.vertex - s.first);
  const int32_t count = (int32_t)(x & low);
  const bool allowed = change != 0 && x < Cell::FORBID;
  const bool kept = allowed && change > 0 && count - change == host.best;
  host.ties -= kept;
  host.banned = change < 0 && !allowed ? min(host.banned, count) : host.banned;
  offer(s, host, allowed && change < 0, count, c);
  return kept && host.pick == c;
}

/* Give the vertices that lanes want a host; see take_in of TabuCol. */
template <class Cell, bool HOOKS>
__device__ __forceinline__ uint32_t adopt(Search<Cell> &s, Host &host, int32_t want,
                                          const prism_gpu_hooks_t &hooks, uint32_t turn,
                                          bool crowded, bool *left) {
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
    host.own = weight_of<HOOKS>(hooks, host.vertex);
    s.mark[u] = 1;
  }
  *left = wanted != 0;
  return scan;
}

/* The last warp keeps the books: the bits of the class, the calendar. */
template <class Cell>
__device__ __forceinline__ void keep_books(const Search<Cell> &s, Classes &m,
                                           const prism_gpu_graph_t &g, const Move &move,
                                           bool moved, uint32_t slot) {
  if (moved) {
    const uint32_t *row = g.row + (size_t)move.vertex * (size_t)g.words;
    uint32_t *member = m.member + move.to * m.bits;
    for (int32_t t = s.lane; t < m.bits; t += 32)
      member[t] = (member[t] & ~__ldg(row + t)) |
                  (t == move.vertex >> 5 ? 1u << (move.vertex & 31) : 0u);
  }
  const uint32_t first = m.head[slot];
  if (!m.clerk || first == NO_ENTRY) return;
  uint32_t tail = first;
  while (s.entry[tail].y != NO_ENTRY) tail = s.entry[tail].y;
  s.entry[tail].y = m.spare;
  m.spare = first;
  m.head[slot] = (uint16_t)NO_ENTRY;
}

/* Tabu colours of the mover with fewer neighbours than any allowed one: its row is what
 * it was before the move but for the class that it entered. By the warp that hosts it. */
template <class Cell>
__device__ __forceinline__ void count_hits(const Search<Cell> &s, const Host &host,
                                           const Move &move, uint32_t *counter) {
  const uint32_t lanes = __ballot_sync(FULL_WARP, host.vertex == move.vertex);
  if (lanes == 0) return;
  const int32_t best = __shfl_sync(FULL_WARP, host.best, __ffs((int)lanes) - 1);
  int32_t hits = 0;
  for (int32_t c = s.lane; c < s.k; c += 32) {
    uint32_t x = *gamma_cell<Cell>(s.gamma, s.stride, c, move.vertex - s.first);
    hits += c != move.to && x >= Cell::FORBID && x < BLOCKED && (int32_t)(x - Cell::FORBID) < best;
  }
  hits = __reduce_add_sync(FULL_WARP, hits);
  if (s.lane == 0) atomicAdd(counter + move.vertex, (uint32_t)hits);
}

}  // namespace partialcol

#endif
