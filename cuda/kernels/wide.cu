#include "kernels/wide.h"

#include "kernels/wide.cuh"
#include "kernels/wide_weights.cuh"
#include "runtime/check.h"

using namespace wide;

template <class Cell>
__device__ __forceinline__ void open(Search<Cell> &s, const prism_gpu_graph_t &g,
                                     const prism_wide_job_t &job, const Layout &l, int32_t ring,
                                     char *scratch, Books *books, int32_t member) {
  extern __shared__ uint4 memory[];
  char *base = scratch + (size_t)blockIdx.x * l.total;
  s.gamma = (typename Cell::type *)base;
  s.slots = (Slot *)(base + l.slots);
  s.slot_of = (int32_t *)(base + l.slot_of);
  s.vacant = (int32_t *)(base + l.vacant);
  s.fresh = (int32_t *)(base + l.fresh);
  s.again = (int32_t *)(base + l.again);
  s.color = (uint16_t *)(base + l.color);
  s.entry = (uint2 *)memory;
  s.head = (uint16_t *)(s.entry + ring);
  s.books = books;
  s.n = g.n;
  s.k = job.start.k;
  s.stride = l.stride;
  s.warp = (int32_t)(threadIdx.x >> 5);
  s.lane = (int32_t)(threadIdx.x & 31);
  s.salt = prism_rng_at(job.seed, *job.generation, 0, job.first_individual + (uint32_t)member,
                        PRISM_RNG_MOVE)
               .word[0];
  for (int32_t i = (int32_t)threadIdx.x; i < ring; i += (int32_t)blockDim.x)
    s.head[i] = (uint16_t)NO_ENTRY;
  if (threadIdx.x == 0) {
    books->conflicts = 0;
    books->removed = books->fresh = books->again = books->live = books->change = 0;
    books->lengthy = 0;
    books->stop = 0;
  }
}

/* Conflicts as a pool tells them. */
__device__ __forceinline__ int32_t count_of(int64_t f) {
  return f < INT_MAX ? (int32_t)f : INT_MAX;
}

/* Where a search ends, if the caller keeps that. */
template <class Cell>
__device__ __forceinline__ void close_pool(const Search<Cell> &s, const prism_gpu_pool_t &last,
                                           int32_t member, int64_t f) {
  if (last.color == NULL) return;
  copy_colors(last.color + (size_t)member * (size_t)last.pitch, s.color, s.n);
  if (threadIdx.x == 0) last.f[member] = count_of(f);
}

/* The time in conflict of those that are so in the end. */
template <class Cell>
__device__ __forceinline__ void close_counters(const Search<Cell> &s, uint32_t *time,
                                               uint32_t now) {
  for (int32_t i = (int32_t)threadIdx.x; time != NULL && i < s.top; i += (int32_t)blockDim.x)
    if (s.slots[i].vertex >= 0 && now > s.slots[i].since)
      atomicAdd(time + s.slots[i].vertex, now - s.slots[i].since);
}

/* Carry out the agreed move. */
template <class Cell>
__device__ __forceinline__ void apply(const Search<Cell> &s, const prism_gpu_graph_t &g,
                                      const prism_wide_job_t &job, const Move &move,
                                      uint32_t now, uint32_t mask) {
  const int64_t last = g.offset[move.vertex + 1];
  for (int64_t e = g.offset[move.vertex] + threadIdx.x; e < last; e += blockDim.x)
    follow(s, job.hooks, move, g.neighbor[e], Cell::WEIGHTED ? s.weight[e] : 1u, now);
  if (threadIdx.x == blockDim.x - 1) recolor(s, job, move, now, mask);
  uint32_t *hits = job.hooks.counter[PRISM_COUNTER_tabu_hits];
  if (hits != NULL && s.warp == 0) count_hits(s, move, hits);
}

/* The best colouring is the one before the move that was just made. */
template <class Cell>
__device__ __forceinline__ void keep_left(const Search<Cell> &s, const Move &move,
                                          uint16_t *best_color) {
  copy_colors(best_color, s.color, s.n);
  if (threadIdx.x == (uint32_t)move.vertex % blockDim.x) /* who has just written that one */
    best_color[move.vertex] = (uint16_t)move.from;
}

/* Search one individual. */
template <class Cell>
__device__ __forceinline__ void search(Search<Cell> &s, const prism_gpu_graph_t &g,
                                       const prism_wide_job_t &job, int32_t ring,
                                       int32_t member) {
  const uint16_t *start = job.start.color + (size_t)member * (size_t)job.start.pitch;
  uint16_t *best_color = job.best.color + (size_t)member * (size_t)job.best.pitch;
  const uint32_t mask = (uint32_t)ring - 1u, last = (uint32_t)job.iterations;
  copy_colors(s.color, start, s.n);
  if (best_color != start) copy_colors(best_color, start, s.n);
  if (Cell::WEIGHTED) open_weights(s, g, job, member);
  __syncthreads();
  build(s, g, job.hooks);
  __syncthreads();
  s.top = s.live = s.books->live;
  s.vacancies = 0;
  int64_t f = (int64_t)(s.books->conflicts / 2), best_f = f;
  bool pending = false; /* the best is the present colouring, not copied yet */
  uint32_t now = 0;
  for (; now < last && s.live > 0; ++now) { /* frozen vertices may stay in conflict */
    if (s.head[now & mask] != NO_ENTRY) { /* the same for all: written before a barrier */
      __syncthreads();
      if (threadIdx.x == 0) expire(s, now & mask, now);
      __syncthreads();
    }
    if (threadIdx.x == 0) {
      s.books->removed = s.books->fresh = s.books->again = s.books->change = 0;
      s.books->lengthy = 0;
      if ((now & 63u) == 63u && job.stop != NULL)
        s.books->stop = *(const volatile uint32_t *)job.stop;
    }
    const int64_t gap = best_f - f;
    const int32_t room = gap < -(INT_MAX / 4) ? -(INT_MAX / 4) : (int32_t)gap;
    const Move move = agree(s, look(s, job.hooks, now, room), job.hooks.score != NULL);
    if (s.books->stop != 0) break;
    const bool moved = move.delta != INT_MAX, climbs = moved && move.delta >= 0;
    const bool leaves = !Cell::WEIGHTED && pending && climbs;
    if (leaves) {
      copy_colors(best_color, s.color, s.n);
      pending = false;
    }
    if (Cell::WEIGHTED && climbs) raise(s, g);
    if (leaves || (Cell::WEIGHTED && climbs)) __syncthreads();
    if (moved) apply(s, g, job, move, now, mask);
    __syncthreads();
    if (!moved) continue;
    const int32_t change = Cell::WEIGHTED ? s.books->change : move.delta;
    if (Cell::WEIGHTED && pending && change >= 0) {
      keep_left(s, move, best_color);
      pending = false;
    }
    f += change;
    pending = pending || f < best_f;
    best_f = f < best_f ? f : best_f;
    settle(s, now);
    __syncthreads();
    if (s.top < 256 || s.live > s.top / 4) continue;
    pack(s);
    s.top = s.live;
    s.vacancies = 0;
  }
  __syncthreads();
  if (pending) copy_colors(best_color, s.color, s.n);
  close_counters(s, job.hooks.counter[PRISM_COUNTER_conflict_time], now);
  close_pool(s, job.last, member, f);
  if (threadIdx.x != 0) return;
  job.best.f[member] = count_of(best_f);
  atomicAdd(job.moves, (unsigned long long)now);
}

template <class Cell>
__global__ void __launch_bounds__(32 * WARPS)
    wide_kernel(prism_gpu_graph_t g, prism_wide_job_t job, Layout l, int32_t ring,
                char *scratch) {
  __shared__ Books books;
  for (int32_t member = (int32_t)blockIdx.x; member < job.start.members;
       member += (int32_t)gridDim.x) {
    const bool asked = member != (int32_t)blockIdx.x && threadIdx.x == 0 && job.stop != NULL;
    if (__syncthreads_or(asked && *(const volatile uint32_t *)job.stop != 0)) return;
    Search<Cell> s;
    open(s, g, job, l, ring, scratch, &books, member);
    search(s, g, job, ring, member);
    __syncthreads(); /* the best is in place, shared memory free */
    if (threadIdx.x == 0 && job.best.f[member] == 0)
      atomicCAS(job.solved, 0u, 1u + (uint32_t)member);
  }
}

/* ---- starts ---- */

static __device__ __forceinline__ uint32_t common_divisor(uint32_t a, uint32_t b) {
  while (b != 0) {
    const uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Colour the row of a member: place i of its order is vertex (first + i * step) % n. */
template <class Cell>
__device__ __forceinline__ void start_row(const Search<Cell> &s, const prism_gpu_graph_t &g,
                                          uint32_t first, uint32_t step) {
  const int32_t warps = (int32_t)(blockDim.x >> 5);
  while (common_divisor(step, (uint32_t)s.n) != 1) ++step; /* the last to be tried is prime to n */
  for (int32_t base = 0; base < s.n; base += warps) {
    const int32_t i = base + s.warp;
    const int32_t v = (int32_t)((first + (uint64_t)i * step) % (uint32_t)s.n);
    Slot slot = {};
    if (i < s.n) {
      clear_row(s, v);
      __syncwarp();
      for (int64_t e = g.offset[v] + s.lane; e < g.offset[v + 1]; e += 32) {
        const uint16_t c = s.color[g.neighbor[e]];
        if (c != NO_COLOR) Cell::bump(row_of(s, v), c, 1u);
      }
      __syncwarp();
      scan_row(s, v, 0, false, draw(s, v, 0, DRAW_SCAN), &slot);
    }
    __syncthreads(); /* nobody reads colours any more */
    if (i < s.n && s.lane == 0) s.color[v] = (uint16_t)slot.pick;
    __syncthreads();
  }
}

template <class Cell>
__global__ void wide_start_kernel(prism_gpu_graph_t g, prism_gpu_pool_t pool,
                                  prism_convert_random_t random, Layout l, char *scratch) {
  Search<Cell> s = {};
  s.gamma = (typename Cell::type *)(scratch + (size_t)blockIdx.x * l.total);
  s.n = g.n;
  s.k = pool.k;
  s.stride = l.stride;
  s.warp = (int32_t)(threadIdx.x >> 5);
  s.lane = (int32_t)(threadIdx.x & 31);
  for (int32_t member = (int32_t)blockIdx.x; member < pool.members;
       member += (int32_t)gridDim.x) {
    const prism_rng_block_t word = prism_rng_at(random.seed, *random.generation, 0,
                                                random.individual + (uint32_t)member,
                                                PRISM_RNG_INITIAL);
    s.color = pool.color + (size_t)member * (size_t)pool.pitch;
    s.salt = word.word[0];
    for (int32_t v = (int32_t)threadIdx.x; v < s.n; v += (int32_t)blockDim.x)
      s.color[v] = NO_COLOR;
    __syncthreads();
    start_row(s, g, prism_rng_scale(word.word[1], (uint32_t)s.n),
              prism_rng_scale(word.word[2], (uint32_t)s.n));
  }
}

/* ---- launching ---- */

typedef void (*kernel_t)(prism_gpu_graph_t, prism_wide_job_t, Layout, int32_t, char *);
typedef void (*start_kernel_t)(prism_gpu_graph_t, prism_gpu_pool_t, prism_convert_random_t, Layout,
                               char *);

enum { WEIGH_THREADS = 256 };
static const size_t MOST_BLOCKS = 65535;

static kernel_t kernel_for(const prism_wide_plan_t *plan) {
  if (plan->weighted) return wide_kernel<Weighted>;
  return plan->cell_bytes == 2 ? wide_kernel<Narrow> : wide_kernel<Broad>;
}

static Layout layout_for(const prism_wide_plan_t *plan, int32_t n, int32_t k) {
  return plan->cell_bytes == 2 ? layout_of<Narrow>(n, k) : layout_of<Broad>(n, k);
}

static size_t calendar_bytes(int32_t ring) {
  return (size_t)ring * (sizeof(uint2) + sizeof(uint16_t));
}

extern "C" prism_status_t prism_wide_plan(const prism_gpu_graph_t *graph, int32_t k, bool weighted,
                                          int32_t threads, prism_wide_plan_t *out) {
  if (k > 65535) PRISM_FAIL(PRISM_UNSUPPORTED, "a GPU searches up to 65535 colors, not %d", k);
  prism_wide_plan_t plan = {};
  plan.weighted = weighted;
  plan.cell_bytes = !weighted && graph->max_degree < (int32_t)Narrow::FORBID - 1 ? 2 : 4;
  plan.threads = threads > 0 ? threads : graph->max_degree > 1024 ? 512 : 256;
  plan.individual_bytes = layout_for(&plan, graph->n, k).total;
  plan.ring = 128; /* tenures follow the conflicts; longer ones are cut */
  while (plan.ring < graph->n / 4 && plan.ring < 4096) plan.ring *= 2;
  int device = 0, multiprocessors = 0, blocks = 0;
  PRISM_CUDA(cudaGetDevice(&device));
  PRISM_CUDA(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device));
  PRISM_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, (const void *)kernel_for(&plan),
                                                           plan.threads,
                                                           calendar_bytes(plan.ring)));
  if (blocks < 1)
    PRISM_FAIL(PRISM_UNSUPPORTED, "a block of %d threads does not fit the device", plan.threads);
  plan.resident = multiprocessors * blocks;
  *out = plan;
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_wide_weigh(const prism_gpu_graph_t *graph,
                                                  const int32_t *edge_weight, int32_t members,
                                                  uint16_t *weight, cudaStream_t stream) {
  const size_t cells = prism_wide_cells(graph), all = (size_t)members * cells;
  const size_t blocks = (all + WEIGH_THREADS - 1) / WEIGH_THREADS;
  if (all == 0) return PRISM_OK;
  wide_weigh_kernel<<<(unsigned)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS), WEIGH_THREADS, 0,
                      stream>>>(*graph, edge_weight, cells, all, weight);
  PRISM_TRY(prism_cuda_launched("wide_weigh_kernel"));
  return PRISM_OK;
}

/* Blocks of a launch for `members`. */
static prism_status_t blocks_for(int32_t members, int32_t individuals, unsigned *blocks) {
  if (individuals < 1) PRISM_FAIL(PRISM_INVALID, "no scratch memory for an individual");
  *blocks = (unsigned)(members < individuals ? members : individuals);
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_wide_start(const prism_wide_plan_t *plan,
                                                  const prism_gpu_graph_t *graph,
                                                  const prism_gpu_pool_t *pool,
                                                  const prism_convert_random_t *random,
                                                  void *scratch, int32_t individuals,
                                                  cudaStream_t stream) {
  unsigned blocks = 0;
  PRISM_TRY(blocks_for(pool->members, individuals, &blocks));
  if (blocks == 0) return PRISM_OK;
  const start_kernel_t kernel =
      plan->cell_bytes == 2 ? wide_start_kernel<Narrow> : wide_start_kernel<Broad>;
  kernel<<<blocks, (unsigned)plan->threads, 0, stream>>>(
      *graph, *pool, *random, layout_for(plan, graph->n, pool->k), (char *)scratch);
  PRISM_TRY(prism_cuda_launched("wide_start_kernel"));
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_wide(const prism_wide_plan_t *plan,
                                            const prism_gpu_graph_t *graph,
                                            const prism_wide_job_t *job, void *scratch,
                                            int32_t individuals, cudaStream_t stream) {
  if (plan->weighted && job->weight == NULL)
    PRISM_FAIL(PRISM_INVALID, "a weighted search needs its weights");
  unsigned blocks = 0;
  PRISM_TRY(blocks_for(job->start.members, individuals, &blocks));
  if (blocks == 0) return PRISM_OK;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3((unsigned)plan->threads);
  config.dynamicSmemBytes = calendar_bytes(plan->ring);
  config.stream = stream;
  PRISM_CUDA(cudaLaunchKernelEx(&config, kernel_for(plan), *graph, *job,
                                layout_for(plan, graph->n, job->start.k), plan->ring,
                                (char *)scratch));
  return PRISM_OK;
}
