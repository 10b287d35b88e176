#include "kernels/partialcol.h"

#include <limits.h>

#include "kernels/partialcol.cuh"
#include "kernels/planning.cuh"

using namespace partialcol;

/* The classes of a block, and its calendar, empty. Ends without a barrier. */
template <class Cell, bool HOOKS>
__device__ __forceinline__ void open_classes(Classes &m, const Search<Cell> &s, const Layout &l,
                                             int32_t ring) {
  extern __shared__ uint4 memory[];
  char *base = (char *)memory;
  m.reactive = (int4 *)(base + l.reactive);
  m.member = (uint32_t *)(base + l.member);
  m.head = (uint16_t *)(base + l.head);
  m.since = HOOKS ? (uint32_t *)(base + l.since) : NULL;
  m.bits = l.bits;
  m.vertices = l.vertices;
  m.entries = l.entries;
  m.live = 0;
  m.spare = 0;
  m.clerk = threadIdx.x == blockDim.x - 1;
  if (m.clerk) *m.reactive = make_int4(TENURE_START, INT_MAX, INT_MIN, PERIOD);
  for (int32_t i = (int32_t)threadIdx.x; i < ring; i += (int32_t)blockDim.x)
    m.head[i] = (uint16_t)NO_ENTRY;
  for (int32_t i = (int32_t)threadIdx.x; i < l.entries; i += (int32_t)blockDim.x)
    s.entry[i] = make_uint2(0, i + 1 < l.entries ? (uint32_t)(i + 1) : NO_ENTRY);
}

/* Until when the individual's search went, and what is uncoloured in the end. */
template <class Cell, int V>
__device__ __forceinline__ void close_counters(const Search<Cell> &s, const Classes &m,
                                               const prism_gpu_hooks_t &hooks, int32_t n,
                                               uint32_t now) {
  if (hooks.counter[PRISM_COUNTER_conflict_time] == NULL) return;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int32_t v = w * Cell::PER_WORD; v < (w + 1) * Cell::PER_WORD; ++v)
      if (s.first + v < n && s.color[v] == NO_COLOR && now > m.since[v])
        atomicAdd(hooks.counter[PRISM_COUNTER_conflict_time] + s.first + v, now - m.since[v]);
  }
}

template <class Cell, int V, bool CLUSTER, bool HOOKS>
__global__ void __launch_bounds__(CLUSTER ? 512 : 1024, 1)
    partialcol_kernel(prism_gpu_graph_t g, prism_partialcol_job_t job, Layout l, int32_t ring) {
  uint32_t rank;
  const uint32_t individual = individual_of<CLUSTER>(&rank);
  Search<Cell> s;
  Classes m;
  begin_search<Cell, V>(s, g, job, l, rank, individual);
  open_classes<Cell, HOOKS>(m, s, l, ring);
  const bool watched = Cell::PER_WORD == 4 && g.max_degree >= (int32_t)Cell::FORBID - 2;
  const bool keeper = rank == 0 && threadIdx.x == 0, lead = rank == 0 && threadIdx.x < 32;
  const bool owner = s.warp < s.owners, last_warp = s.warp == s.warps - 1;
  uint16_t *best_color = job.best.color + (size_t)individual * (size_t)job.best.pitch;
  const uint32_t mask = (uint32_t)ring - 1u;
  int32_t stuck = uncolor<Cell, V, HOOKS>(
      s, m.since, g, job.hooks, job.start.color + (size_t)individual * (size_t)job.start.pitch);
  stuck = HOOKS ? total<Cell, CLUSTER>(s, stuck) : 0;
  meet<CLUSTER>(); /* the start has been read, it may be where the best goes */
  save<Cell, V>(s, best_color);
  meet<CLUSTER>();
  int32_t f = total<Cell, CLUSTER>(s, build<Cell, V, HOOKS>(s, g, job.hooks, best_color));
  bool outgrown = gather(s, m, g.n, best_color) && watched;
  int32_t best_f = f;
  uint32_t pending = 0; /* the best is the present colouring, not copied yet */
  uint32_t flags = WAITING, now = 0;
  const uint32_t last = outgrown ? 0u : (uint32_t)job.iterations;
  Host host = {-1, NO_COLOR, 1, NO_COUNT, 0, 0, NO_COUNT};
  for (; now < last && f > 0; ++now) {
    uint2 due = release(s, m, host, now & mask);
    uint32_t hosted = (uint32_t)__popc(__ballot_sync(FULL_WARP, host.vertex >= 0));
    Candidate mine = {NO_KEY, 0};
    uint32_t worth = 0;
    if (HOOKS && job.hooks.score != NULL && host.vertex >= 0)
      worth = worth_of(__ldg(job.hooks.score + host.vertex));
    const float wait = draw_wait<Cell>(&s.rng);
    if (hosted != 0)
      mine = choose<Cell, true, HOOKS>(s, host, best_f - f, wait, make_uint2(NO_KEY, NO_KEY),
                                       worth);
    if (lead)
      if ((now & 63u) == 63u && job.stop != NULL && *(const volatile uint32_t *)job.stop != 0)
        flags |= STOP;
    Move move = agree<Cell, CLUSTER, false, HOOKS>(s, mine, host.vertex, hosted | flags,
                                                   (int32_t)(now & 1u), NULL, job.hooks.score);
    if (move.count >= STOP) break;
    const int32_t delta = (int32_t)(move.key >> Cell::DELTA_SHIFT) - Cell::DELTA_ZERO;
    const bool moved = move.key != NO_KEY;
    const bool waiting = (move.count & (STOP - WAITING)) != 0, was = host.vertex == move.vertex;
    Turn turn = {0, 0, 0, -1};
    flags = 0;
    if (owner && pending != 0 && delta >= 0 && moved) save<Cell, V>(s, best_color);
    const int32_t expired = expire<Cell, V>(s, due);
    if (moved) {
      uint32_t slot = 0;
      if (m.clerk)
        slot = (now + min(tenure_of<Cell, HOOKS>(s, m, job, move, f + delta, now,
                                                 job.first_individual + individual),
                          mask)) & mask;
      turn = settle<Cell, V, HOOKS>(s, m, g, job.hooks, move, slot, host.vertex, now);
    }
    m.live -= expired;
    if (owner && waiting && enqueue<Cell, V>(s, now)) flags = WAITING;
    if (watched && lead && moved) {
      if (keeper) outgrown = (s.size[move.to] += 1 - turn.evicted) >= (int32_t)Cell::FORBID - 2;
      if (__shfl_sync(FULL_WARP, outgrown, 0)) flags |= OUTGROWN;
    }
    if (blockDim.x > 32)
      __syncthreads();
    else
      __syncwarp();
    if (last_warp) keep_books(s, m, g, move, moved, now & mask);
    if (moved) {
      f += delta;
      pending = f < best_f ? 1u : delta >= 0 ? 0u : pending;
      best_f = min(best_f, f);
    }
    const bool taker = move.taker < 0 || move.taker == s.warp;
    if (hosted == 0 && !taker) continue;
    if (HOOKS && moved && job.hooks.counter[PRISM_COUNTER_tabu_hits] != NULL)
      count_hits(s, host, move, job.hooks.counter[PRISM_COUNTER_tabu_hits]);
    if (moved && was) { /* it has a colour now */
      s.mark[move.vertex - s.first] = 0;
      host.vertex = -1;
    }
    bool scan = host.vertex >= 0 && follow(s, host, turn.change, move.to);
    uint32_t lanes = __ballot_sync(FULL_WARP, scan);
    if (taker) {
      bool left;
      lanes |= adopt<Cell, HOOKS>(s, host, waiting ? s.queue[s.lane] : turn.want, job.hooks, now,
                                  move.taker < 0, &left);
      flags |= left || turn.here > 32 ? WAITING : 0u;
    }
    scan_for(s, host, lanes);
  }
  if (owner && pending != 0) save<Cell, V>(s, best_color);
  if (HOOKS) close_counters<Cell, V>(s, m, job.hooks, g.n, now);
  meet<CLUSTER>();
  if (!keeper) return;
  job.best.f[individual] = stuck; /* completing adds to it */
  if (best_f == 0 && stuck == 0) atomicCAS(job.solved, 0u, 1u + individual);
  if (outgrown) atomicAdd(job.outgrown, 1u);
  atomicAdd(job.moves, (unsigned long long)now);
}

/* ---- completing ---- */

enum { COMPLETE_THREADS = 256 };

/* Every uncoloured vertex of a colouring, in order, gets the colour of its fewest
 * neighbours; these are added to f, which may still be 0. */
__global__ void complete_kernel(prism_gpu_graph_t g, prism_gpu_pool_t pool, uint32_t *solved) {
  extern __shared__ uint4 memory[];
  int32_t *count = (int32_t *)memory;
  uint32_t *open = (uint32_t *)(count + pool.k);
  uint16_t *color = pool.color + (size_t)blockIdx.x * (size_t)pool.pitch;
  const int32_t thread = (int32_t)threadIdx.x, lane = thread & 31;
  int32_t added = 0;
  for (int32_t base = 0; base < g.n; base += COMPLETE_THREADS) {
    const int32_t v = base + thread;
    uint32_t bits = __ballot_sync(FULL_WARP, v < g.n && color[v] == NO_COLOR);
    if (lane == 0) open[thread >> 5] = bits;
    __syncthreads();
    for (int32_t w = 0; w < COMPLETE_THREADS / 32; ++w)
      for (uint32_t rest = open[w]; rest != 0; rest &= rest - 1) {
        const int32_t u = base + 32 * w + __ffs((int)rest) - 1;
        for (int32_t c = thread; c < pool.k; c += COMPLETE_THREADS) count[c] = 0;
        __syncthreads();
        for (int64_t e = g.offset[u] + thread; e < g.offset[u + 1]; e += COMPLETE_THREADS) {
          const int32_t c = color[g.neighbor[e]];
          if (c != NO_COLOR) atomicAdd(count + c, 1);
        }
        __syncthreads();
        if (thread < 32) {
          int32_t fewest = INT_MAX, pick = INT_MAX;
          for (int32_t c = lane; c < pool.k; c += 32) {
            if (count[c] >= fewest) continue;
            fewest = count[c];
            pick = c;
          }
          const int32_t least = __reduce_min_sync(FULL_WARP, fewest);
          pick = __reduce_min_sync(FULL_WARP, fewest == least ? pick : INT_MAX);
          added += least;
          if (lane == 0) color[u] = (uint16_t)pick;
        }
        __syncthreads();
      }
    __syncthreads(); /* `open` is written again */
  }
  if (thread != 0) return;
  const int32_t f = pool.f[blockIdx.x] += added;
  if (f == 0) atomicCAS(solved, 0u, 1u + blockIdx.x);
}

static size_t complete_shared(int32_t k) {
  return (size_t)k * sizeof(int32_t) + COMPLETE_THREADS / 32 * sizeof(uint32_t);
}

/* ---- launching ---- */

typedef void (*kernel_t)(prism_gpu_graph_t, prism_partialcol_job_t, Layout, int32_t);

template <class Cell, bool CLUSTER, bool HOOKS>
static kernel_t kernel_of(int32_t words_per_thread) {
  switch (words_per_thread) {
    case 1: return partialcol_kernel<Cell, 1, CLUSTER, HOOKS>;
    case 2: return partialcol_kernel<Cell, 2, CLUSTER, HOOKS>;
    case 4: return partialcol_kernel<Cell, 4, CLUSTER, HOOKS>;
    default: return NULL;
  }
}

static kernel_t kernel_for(const prism_partialcol_plan_t *plan) {
  const int32_t v = plan->words_per_thread;
  const bool cluster = plan->cluster > 1;
  if (plan->hooked)
    return cluster ? kernel_of<CellU16, true, true>(v) : kernel_of<CellU16, false, true>(v);
  if (plan->cell_bytes == 1)
    return cluster ? kernel_of<CellU8, true, false>(v) : kernel_of<CellU8, false, false>(v);
  return cluster ? kernel_of<CellU16, true, false>(v) : kernel_of<CellU16, false, false>(v);
}

static Layout layout_for(const prism_partialcol_plan_t *plan, int32_t n, int32_t k) {
  return plan->cell_bytes == 1
             ? layout_of<CellU8>(n, k, plan->cluster, plan->ring, plan->entries, plan->hooked)
             : layout_of<CellU16>(n, k, plan->cluster, plan->ring, plan->entries, plan->hooked);
}

extern "C" prism_status_t prism_partialcol_plan(const prism_gpu_graph_t *graph, int32_t k,
                                                bool hooked, int32_t threads,
                                                int32_t words_per_thread, int32_t cell_bytes,
                                                prism_partialcol_plan_t *out) {
  if (graph->row == NULL || graph->n > 65535 || k > 1024 || graph->max_degree >= 32767)
    return planning::no_layout(graph, k);
  launching::Device device;
  PRISM_TRY(launching::look_at(&device));
  prism_partialcol_plan_t plan = {};
  plan.hooked = hooked;
  plan.cell_bytes = hooked ? 2 : cell_bytes > 0 ? cell_bytes : 1;
  plan.ring = planning::ring_for(graph->n);
  /* About one vertex leaves per move, so as many pairs are tabu as a tenure is long; at a
   * start there may be several times that. */
  plan.entries = 4 * plan.ring < 4096 ? 4 * plan.ring : 4096;
  /* The uncoloured vertices, about 60 at most after the start, find hosts among the threads
   * that own words. */
  const planning::Wish wish = {threads, words_per_thread, 512, 8, 4 / plan.cell_bytes, NULL};
  PRISM_TRY(planning::fit(
      graph, k, wish, device,
      [=](const prism_partialcol_plan_t *p) { return layout_for(p, graph->n, k); }, &plan));
  PRISM_TRY(launching::occupy(device, (const void *)kernel_for(&plan), planning::grid_of(plan, 1),
                              &plan.resident));
  *out = plan;
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_partialcol(const prism_partialcol_plan_t *plan,
                                                  const prism_gpu_graph_t *graph,
                                                  const prism_partialcol_job_t *job,
                                                  cudaStream_t stream) {
  PRISM_TRY(launching::launch(kernel_for(plan), planning::grid_of(*plan, job->start.members),
                              stream, *graph, *job, layout_for(plan, graph->n, job->start.k),
                              plan->ring));
  complete_kernel<<<(unsigned)job->start.members, COMPLETE_THREADS,
                    complete_shared(job->start.k), stream>>>(*graph, job->best, job->solved);
  PRISM_CUDA(cudaGetLastError());
  return PRISM_OK;
}
