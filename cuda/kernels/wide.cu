#include "kernels/wide.h"

#include "kernels/wide.cuh"
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
    books->removed = books->fresh = books->again = books->live = 0;
    books->stop = 0;
  }
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
    follow(s, job.hooks, move, g.neighbor[e], now);
  if (threadIdx.x == blockDim.x - 1) recolor(s, job, move, now, mask);
  uint32_t *hits = job.hooks.counter[PRISM_COUNTER_tabu_hits];
  if (hits != NULL && s.warp == 0) count_hits(s, move, hits);
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
  __syncthreads();
  build(s, g, job.hooks);
  __syncthreads();
  s.top = s.live = s.books->live;
  s.vacancies = 0;
  int64_t f = (int64_t)(s.books->conflicts / 2), best_f = f;
  bool pending = false; /* the best is the present colouring, not copied yet */
  uint32_t now = 0;
  for (; now < last && f > 0; ++now) {
    if (s.head[now & mask] != NO_ENTRY) { /* the same for all: written before a barrier */
      __syncthreads();
      if (threadIdx.x == 0) expire(s, now & mask, now);
      __syncthreads();
    }
    if (threadIdx.x == 0) {
      s.books->removed = s.books->fresh = s.books->again = 0;
      if ((now & 63u) == 63u && job.stop != NULL)
        s.books->stop = *(const volatile uint32_t *)job.stop;
    }
    const int64_t gap = best_f - f;
    const int32_t room = gap < -(INT_MAX / 4) ? -(INT_MAX / 4) : (int32_t)gap;
    const Move move = agree(s, look(s, job.hooks, now, room), job.hooks.score != NULL);
    if (s.books->stop != 0) break;
    const bool moved = move.delta != INT_MAX;
    if (moved && pending && move.delta >= 0) {
      copy_colors(best_color, s.color, s.n);
      pending = false;
      __syncthreads();
    }
    if (moved) apply(s, g, job, move, now, mask);
    __syncthreads();
    if (!moved) continue;
    f += move.delta;
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
  if (threadIdx.x != 0) return;
  job.best.f[member] = best_f < INT_MAX ? (int32_t)best_f : INT_MAX;
  atomicAdd(job.moves, (unsigned long long)now);
}

template <class Cell>
__global__ void wide_kernel(prism_gpu_graph_t g, prism_wide_job_t job, Layout l, int32_t ring,
                            char *scratch) {
  __shared__ Books books;
  for (int32_t member = (int32_t)blockIdx.x; member < job.start.members;
       member += (int32_t)gridDim.x) {
    Search<Cell> s;
    open(s, g, job, l, ring, scratch, &books, member);
    search(s, g, job, ring, member);
    __syncthreads(); /* the best is in place, shared memory free */
    if (threadIdx.x == 0 && job.best.f[member] == 0)
      atomicCAS(job.solved, 0u, 1u + (uint32_t)member);
  }
}

/* ---- launching ---- */

typedef void (*kernel_t)(prism_gpu_graph_t, prism_wide_job_t, Layout, int32_t, char *);

static kernel_t kernel_for(int32_t cell_bytes) {
  return cell_bytes == 2 ? wide_kernel<Narrow> : wide_kernel<Broad>;
}

static Layout layout_for(int32_t cell_bytes, int32_t n, int32_t k) {
  return cell_bytes == 2 ? layout_of<Narrow>(n, k) : layout_of<Broad>(n, k);
}

static size_t calendar_bytes(int32_t ring) {
  return (size_t)ring * (sizeof(uint2) + sizeof(uint16_t));
}

extern "C" prism_status_t prism_wide_plan(const prism_gpu_graph_t *graph, int32_t k,
                                          int32_t threads, prism_wide_plan_t *out) {
  if (k > 65535) PRISM_FAIL(PRISM_UNSUPPORTED, "a GPU searches up to 65535 colors, not %d", k);
  prism_wide_plan_t plan = {};
  plan.cell_bytes = graph->max_degree < (int32_t)Narrow::FORBID - 1 ? 2 : 4;
  plan.threads = threads > 0 ? threads : graph->max_degree > 1024 ? 512 : 256;
  plan.individual_bytes = layout_for(plan.cell_bytes, graph->n, k).total;
  plan.ring = 128; /* tenures follow the conflicts; longer ones are cut */
  while (plan.ring < graph->n / 4 && plan.ring < 4096) plan.ring *= 2;
  int device = 0, multiprocessors = 0, blocks = 0;
  PRISM_CUDA(cudaGetDevice(&device));
  PRISM_CUDA(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device));
  PRISM_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      &blocks, (const void *)kernel_for(plan.cell_bytes), plan.threads,
      calendar_bytes(plan.ring)));
  if (blocks < 1)
    PRISM_FAIL(PRISM_UNSUPPORTED, "a block of %d threads does not fit the device", plan.threads);
  plan.resident = multiprocessors * blocks;
  *out = plan;
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_wide(const prism_wide_plan_t *plan,
                                            const prism_gpu_graph_t *graph,
                                            const prism_wide_job_t *job, void *scratch,
                                            int32_t individuals, cudaStream_t stream) {
  if (individuals < 1) PRISM_FAIL(PRISM_INVALID, "no scratch memory for an individual");
  const int32_t members = job->start.members;
  const int32_t blocks = members < individuals ? members : individuals;
  if (blocks < 1) return PRISM_OK;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3((unsigned)blocks);
  config.blockDim = dim3((unsigned)plan->threads);
  config.dynamicSmemBytes = calendar_bytes(plan->ring);
  config.stream = stream;
  PRISM_CUDA(cudaLaunchKernelEx(&config, kernel_for(plan->cell_bytes), *graph, *job,
                                layout_for(plan->cell_bytes, graph->n, job->start.k), plan->ring,
                                (char *)scratch));
  return PRISM_OK;
}
