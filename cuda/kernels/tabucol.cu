#include "kernels/tabucol.h"

#include "kernels/tabucol.cuh"
#include "runtime/check.h"

using namespace tabucol;

template <class Cell, int V, bool CLUSTER>
__device__ __forceinline__ void open(Search<Cell> &s, const prism_gpu_graph_t &g,
                                     const prism_tabucol_job_t &job, const Layout &l,
                                     int32_t ring, uint32_t rank, uint32_t individual) {
  extern __shared__ uint4 memory[];
  char *base = (char *)memory;
  s.record = memory;
  s.gamma = (uint32_t *)(base + l.gamma);
  s.color = (uint16_t *)(base + l.color);
  s.entry = (uint32_t *)(base + l.entry);
  s.head = (uint16_t *)(base + l.head);
  s.next = (uint16_t *)(base + l.next);
  s.mark = (uint8_t *)(base + l.mark);
  s.size = (int32_t *)(base + l.size);
  s.stride = l.stride;
  s.k = job.start.k;
  s.first = (int32_t)rank * l.vertices;
  int32_t left = g.n - s.first;
  left = left < 0 ? 0 : left < l.vertices ? left : l.vertices;
  s.words = (left + Cell::PER_WORD - 1) / Cell::PER_WORD;
  s.lane = (int32_t)(threadIdx.x & 31);
  s.warp_word = (int32_t)(threadIdx.x >> 5) * 32 * V;
  uint32_t thread = rank * blockDim.x + threadIdx.x;
  prism_rng_block_t random = prism_rng_at(job.seed, *job.generation, thread,
                                          job.first_individual + individual, PRISM_RNG_MOVE);
  s.rng = random.word[0];
  for (int32_t i = (int32_t)threadIdx.x; i < ring; i += (int32_t)blockDim.x)
    s.head[i] = NO_ENTRY;
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

template <class Cell, int V, bool CLUSTER>
__global__ void tabucol_kernel(prism_gpu_graph_t g, prism_tabucol_job_t job, Layout l,
                               int32_t ring) {
  uint32_t rank = 0, individual = blockIdx.x;
  if (CLUSTER) {
    cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
    rank = cluster.block_rank();
    individual /= cluster.num_blocks();
  }
  Search<Cell> s;
  open<Cell, V, CLUSTER>(s, g, job, l, ring, rank, individual);
  const bool watched = Cell::PER_WORD == 4 && g.max_degree >= (int32_t)Cell::FORBID - 2;
  const bool keeper = watched && rank == 0 && threadIdx.x == 0;
  const uint16_t *start = job.start.color + (size_t)individual * (size_t)job.start.pitch;
  uint16_t *best_color = job.best.color + (size_t)individual * (size_t)job.best.pitch;
  bool outgrown = false;
  if (watched) { /* before gamma is built: its counts must fit */
    for (int32_t c = (int32_t)threadIdx.x; c < s.k; c += (int32_t)blockDim.x) s.size[c] = 0;
    __syncthreads();
    for (int32_t v = (int32_t)threadIdx.x; v < g.n; v += (int32_t)blockDim.x)
      atomicAdd(&s.size[start[v]], 1);
    __syncthreads();
    for (int32_t c = 0; c < s.k; ++c) outgrown |= s.size[c] >= (int32_t)Cell::FORBID - 2;
    __syncthreads();
    if (outgrown) { /* the same in all blocks of a cluster */
      if (keeper) atomicExch(job.outgrown, 1u);
      return;
    }
  }
  Host host = {-1, 0, 0, NO_COUNT, 0, 0, NO_COUNT};
  int32_t f = total<Cell, CLUSTER>(s, build<Cell, V>(s, g, start)) / 2;
  int32_t best_f = f;
  bool pending = true; /* the best is the present colouring, not copied yet */
  TakenIn taken = take_in_waiting<Cell, V>(s, host);
  host = taken.host;
  s.rng = taken.rng;
  bool waiting = taken.waiting;
  int64_t it = 0;
  for (; it < job.iterations && f > 0; ++it) {
    int32_t best = host.best, ties = host.ties, pick = host.pick;
    bool tempted = host.vertex >= 0 && host.banned < host.best &&
                   f - host.own + host.banned < best_f;
    aspire(s, host, __ballot_sync(FULL_WARP, tempted), best_f - f, &best, &ties, &pick);
    uint32_t key = NO_KEY;
    if (host.vertex >= 0 && best != NO_COUNT) key = move_key(s, best, host.own, ties);
    uint32_t count = (uint32_t)__popc(__ballot_sync(FULL_WARP, host.vertex >= 0));
    if (threadIdx.x < 32 && rank == 0) {
      if ((it & 63) == 63 && job.stop != NULL && *(const volatile uint32_t *)job.stop != 0)
        count |= STOP_BIT;
      if (outgrown) count |= OUTGROWN_BIT;
    }
    Move move = agree<Cell, CLUSTER>(s, key, host, pick, count, (int32_t)(it & 1));
    if (move.count >= STOP_BIT) break;
    int32_t delta = (int32_t)(move.key >> Cell::DELTA_SHIFT) - Cell::DELTA_ZERO;
    bool moved = move.key != NO_KEY;
    if (moved && pending && delta >= 0) {
      save<Cell, V>(s, best_color);
      pending = false;
    }
    const uint32_t now = (uint32_t)it, mask = (uint32_t)ring - 1u;
    expire<Cell, V>(s, host, (now + 1u) & mask);
    if (threadIdx.x == blockDim.x - 1) {
      s.head[now & mask] = NO_ENTRY; /* it expired an iteration ago */
      int32_t place = move.vertex - s.first;
      if (moved && (uint32_t)place < (uint32_t)l.vertices) {
        uint32_t tenure = 1u + (uint32_t)(job.tenure_slope * (float)move.count) +
                          lcg_below(&s.rng, (uint32_t)job.tenure_base);
        tenure = min(tenure, (uint32_t)ring - 3u);
        uint32_t slot = (now + 1u + tenure) & mask;
        s.entry[now & mask] = (uint32_t)move.vertex | (uint32_t)move.from << 16;
        s.next[now & mask] = s.head[slot];
        s.head[slot] = (uint16_t)(now & mask);
      }
    }
    if (!moved) continue;
    if (keeper) outgrown = resize(s, move);
    if (watched && threadIdx.x < 32 && rank == 0)
      outgrown = __shfl_sync(FULL_WARP, outgrown, 0);
    waiting |= apply<Cell, V>(s, host, g, move);
    if (waiting) {
      taken = take_in_waiting<Cell, V>(s, host);
      host = taken.host;
      s.rng = taken.rng;
      waiting = taken.waiting;
    }
    f += delta;
    if (f < best_f) {
      best_f = f;
      pending = true;
    }
  }
  if (pending) save<Cell, V>(s, best_color);
  meet<CLUSTER>();
  if (rank != 0 || threadIdx.x != 0) return;
  job.best.f[individual] = best_f;
  if (best_f == 0) atomicCAS(job.solved, 0u, 1u + individual);
  if (outgrown) atomicExch(job.outgrown, 1u);
  atomicAdd(job.moves, (unsigned long long)it);
}

typedef void (*kernel_t)(prism_gpu_graph_t, prism_tabucol_job_t, Layout, int32_t);

template <class Cell, bool CLUSTER>
static kernel_t kernel_of(int32_t words_per_thread) {
  switch (words_per_thread) {
    case 1: return tabucol_kernel<Cell, 1, CLUSTER>;
    case 2: return tabucol_kernel<Cell, 2, CLUSTER>;
    case 4: return tabucol_kernel<Cell, 4, CLUSTER>;
    default: return NULL;
  }
}

static kernel_t kernel_for(const prism_tabucol_plan_t *plan) {
  if (plan->cell_bytes == 1)
    return plan->cluster > 1 ? kernel_of<CellU8, true>(plan->words_per_thread)
                             : kernel_of<CellU8, false>(plan->words_per_thread);
  return plan->cluster > 1 ? kernel_of<CellU16, true>(plan->words_per_thread)
                           : kernel_of<CellU16, false>(plan->words_per_thread);
}

static Layout layout_for(const prism_tabucol_plan_t *plan, int32_t n, int32_t k) {
  return plan->cell_bytes == 1
             ? layout_of<CellU8>(n, k, plan->cluster, plan->threads, plan->words_per_thread,
                                 plan->ring)
             : layout_of<CellU16>(n, k, plan->cluster, plan->threads, plan->words_per_thread,
                                  plan->ring);
}

/* Longest tenure that normally occurs, with room: conflicts are few once the first
 * moves are over, and longer ones are cut. */
static int32_t ring_for(int32_t n) {
  int32_t ring = 128;
  while (ring < n / 4 && ring < 2048) ring *= 2;
  return ring;
}

/* Threads and words of a block that owns `words` words: 4 or fewer warps with more
 * words a thread where many individuals share a multiprocessor. */
static bool shape(prism_tabucol_plan_t *plan, int32_t words, int32_t threads,
                  int32_t words_per_thread) {
  for (int32_t v = words_per_thread > 0 ? words_per_thread : 1; v <= 4; v *= 2) {
    int32_t t = ((words + v - 1) / v + 31) / 32 * 32;
    if (threads > 0 && t > threads) {
      if (words_per_thread > 0) return false;
      continue;
    }
    if (threads > 0) t = threads;
    if (t <= 1024 && t / 32 * plan->cluster <= MAX_RECORDS) {
      plan->threads = t;
      plan->words_per_thread = v;
      return true;
    }
    if (words_per_thread > 0) return false;
  }
  return false;
}

extern "C" prism_status_t prism_tabucol_plan(const prism_gpu_graph_t *graph, int32_t k,
                                             int32_t threads, int32_t words_per_thread,
                                             int32_t cell_bytes, prism_tabucol_plan_t *out) {
  if (graph->row == NULL || graph->n > 65535 || k > 1024 || graph->max_degree >= 32767)
    PRISM_FAIL(PRISM_UNSUPPORTED, "%d vertices in %d colors have no layout in shared memory",
               graph->n, k);
  int device = 0, limit = 0, multiprocessors = 0;
  PRISM_CUDA(cudaGetDevice(&device));
  PRISM_CUDA(cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  PRISM_CUDA(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device));
  prism_tabucol_plan_t plan = {};
  plan.cell_bytes = cell_bytes > 0 ? cell_bytes : 1;
  plan.ring = ring_for(graph->n);
  int32_t words = (graph->n + (plan.cell_bytes == 1 ? 3 : 1)) / (plan.cell_bytes == 1 ? 4 : 2);
  for (plan.cluster = 1; plan.cluster <= 8; plan.cluster *= 2) {
    int32_t part = (words + plan.cluster - 1) / plan.cluster;
    if (!shape(&plan, part, threads, words_per_thread)) continue;
    plan.shared_bytes = layout_for(&plan, graph->n, k).total;
    if (plan.shared_bytes <= (size_t)limit) break;
  }
  if (plan.cluster > 8)
    PRISM_FAIL(PRISM_UNSUPPORTED, "%d vertices in %d colors have no layout in shared memory",
               graph->n, k);
  kernel_t kernel = kernel_for(&plan);
  PRISM_CUDA(cudaFuncSetAttribute((const void *)kernel,
                                  cudaFuncAttributeMaxDynamicSharedMemorySize, limit));
  int32_t blocks = 0;
  PRISM_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, (const void *)kernel,
                                                           plan.threads, plan.shared_bytes));
  if (blocks < 1)
    PRISM_FAIL(PRISM_UNSUPPORTED, "a block of %d threads does not fit the device", plan.threads);
  plan.resident = multiprocessors * blocks / plan.cluster;
  *out = plan;
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_tabucol(const prism_tabucol_plan_t *plan,
                                               const prism_gpu_graph_t *graph,
                                               const prism_tabucol_job_t *job,
                                               cudaStream_t stream) {
  kernel_t kernel = kernel_for(plan);
  Layout layout = layout_for(plan, graph->n, job->start.k);
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3((unsigned)(job->start.members * plan->cluster));
  config.blockDim = dim3((unsigned)plan->threads);
  config.dynamicSmemBytes = plan->shared_bytes;
  config.stream = stream;
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = (unsigned)plan->cluster;
  attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
  config.attrs = &attribute;
  config.numAttrs = plan->cluster > 1 ? 1 : 0;
  PRISM_CUDA(cudaLaunchKernelEx(&config, kernel, *graph, *job, layout, plan->ring));
  return PRISM_OK;
}
