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
  s.queue = (int32_t *)(memory + 2 * MAX_RECORDS);
  s.gamma = (uint32_t *)(base + l.gamma);
  s.color = (uint16_t *)(base + l.color);
  s.entry = (uint2 *)(base + l.entry);
  s.head = (uint16_t *)(base + l.head);
  s.mark = (uint8_t *)(base + l.mark);
  s.size = (int32_t *)(base + l.size);
  s.stride = l.stride;
  s.k = job.start.k;
  s.first = (int32_t)rank * l.vertices;
  int32_t left = g.n - s.first;
  left = left < 0 ? 0 : left < l.vertices ? left : l.vertices;
  s.words = (left + Cell::PER_WORD - 1) / Cell::PER_WORD;
  s.lane = (int32_t)(threadIdx.x & 31);
  s.warp = (int32_t)(threadIdx.x >> 5);
  s.warps = (int32_t)(blockDim.x >> 5);
  s.owners = (s.words + 32 * V - 1) / (32 * V);
  if (s.owners == 0) s.owners = 1;
  s.share = QUEUE / s.owners;
  if (threadIdx.x < QUEUE) s.queue[threadIdx.x] = -1;
  uint32_t thread = rank * blockDim.x + threadIdx.x;
  prism_rng_block_t random = prism_rng_at(job.seed, *job.generation, thread,
                                          job.first_individual + individual, PRISM_RNG_MOVE);
  s.rng = random.word[0];
  for (int32_t i = (int32_t)threadIdx.x; i < ring; i += (int32_t)blockDim.x)
    s.head[i] = (uint16_t)NO_ENTRY;
}

/* The sizes of the classes of `start`, in shared memory. Returns whether a count might
 * not fit a cell. */
template <class Cell>
__device__ __forceinline__ bool measure(Search<Cell> &s, int32_t n, const uint16_t *start) {
  bool outgrown = false;
  for (int32_t c = (int32_t)threadIdx.x; c < s.k; c += (int32_t)blockDim.x) s.size[c] = 0;
  __syncthreads();
  for (int32_t v = (int32_t)threadIdx.x; v < n; v += (int32_t)blockDim.x)
    atomicAdd(&s.size[start[v]], 1);
  __syncthreads();
  for (int32_t c = 0; c < s.k; ++c) outgrown |= s.size[c] >= (int32_t)Cell::FORBID - 2;
  __syncthreads();
  return outgrown;
}

/* One thread enters the pair that a move made tabu into the calendar. */
template <class Cell>
__device__ __forceinline__ void forbid(Search<Cell> &s, const prism_tabucol_job_t &job,
                                       const Move &move, uint32_t now, uint32_t mask) {
  uint32_t conflicting = move.count & COUNT_MASK;
  uint32_t tenure = 1u + (uint32_t)(job.tenure_slope * (float)conflicting) +
                    lcg_below(&s.rng, (uint32_t)job.tenure_base);
  uint32_t slot = (now + 1u + min(tenure, mask - 2u)) & mask, at = now & mask;
  s.entry[at] = make_uint2((uint32_t)move.vertex | (uint32_t)move.from << 16, s.head[slot]);
  s.head[slot] = (uint16_t)at;
}

__device__ __forceinline__ bool stopped(const prism_tabucol_job_t &job) {
  return job.stop != NULL && *(const volatile uint32_t *)job.stop != 0;
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
  const bool keeper = rank == 0 && threadIdx.x == 0, lead = rank == 0 && threadIdx.x < 32;
  const uint16_t *start = job.start.color + (size_t)individual * (size_t)job.start.pitch;
  uint16_t *best_color = job.best.color + (size_t)individual * (size_t)job.best.pitch;
  const uint32_t mask = (uint32_t)ring - 1u;
  bool outgrown = watched && measure(s, g.n, start);
  if (outgrown) { /* the same in all blocks of a cluster */
    if (keeper) atomicExch(job.outgrown, 1u);
    return;
  }
  Host host = {-1, 0, 0, NO_COUNT, 0, 0, NO_COUNT};
  int32_t f = total<Cell, CLUSTER>(s, build<Cell, V>(s, g, start)) / 2;
  int32_t best_f = f;
  uint32_t pending = 1; /* the best is the present colouring, not copied yet */
  uint32_t flags = WAITING, now = 0;
  const uint32_t last = (uint32_t)job.iterations;
  const bool owner = s.warp < s.owners;
  for (; now < last && f > 0; ++now) {
    uint2 due = release(s, host, now & mask);
    uint32_t hosted = (uint32_t)__popc(__ballot_sync(FULL_WARP, host.vertex >= 0));
    Candidate mine = {NO_KEY, 0};
    if (hosted != 0) mine = choose(s, host, best_f - f);
    if (lead)
      if ((now & 63u) == 63u && stopped(job)) flags |= STOP;
    Move move = agree<Cell, CLUSTER>(s, mine, host.vertex, hosted | flags, (int32_t)(now & 1u));
    if (move.count >= STOP) break;
    const int32_t delta = (int32_t)(move.key >> Cell::DELTA_SHIFT) - Cell::DELTA_ZERO;
    const bool moved = move.key != NO_KEY, waiting = (move.count & (STOP - WAITING)) != 0;
    uint32_t seen = 0;
    if (moved && host.vertex >= 0)
      seen = __ldg(g.row + (uint32_t)(move.vertex * g.words + (host.vertex >> 5)));
    flags = 0;
    if (owner) {
      uint32_t fresh[V] = {};
      if (pending != 0 && delta >= 0 && moved) save<Cell, V>(s, best_color);
      expire<Cell, V>(s, due);
      if (moved) recolor<Cell, V>(s, g, move, fresh);
      if (enqueue<Cell, V>(s, fresh, move.to, waiting, now)) flags = WAITING;
    }
    if (watched && lead && moved) {
      if (keeper) outgrown = resize(s, move);
      if (__shfl_sync(FULL_WARP, outgrown, 0)) flags |= OUTGROWN;
    }
    if (moved && threadIdx.x == blockDim.x - 1 &&
        (uint32_t)(move.vertex - s.first) < (uint32_t)l.vertices)
      forbid(s, job, move, now, mask);
    if (blockDim.x > 32)
      __syncthreads();
    else
      __syncwarp();
    if (threadIdx.x == 0) s.head[now & mask] = (uint16_t)NO_ENTRY; /* they have expired */
    if (moved) {
      f += delta;
      pending = f < best_f ? 1u : delta >= 0 ? 0u : pending;
      best_f = min(best_f, f);
    }
    const bool taker = move.taker < 0 || move.taker == s.warp;
    if (hosted == 0 && !taker) continue;
    bool scan = moved && follow(s, host, (seen >> (host.vertex & 31) & 1u) != 0, move);
    if (host.vertex >= 0 && host.own == 0) {
      s.mark[host.vertex - s.first] = 0;
      host.vertex = -1;
    }
    uint32_t lanes = __ballot_sync(FULL_WARP, scan && host.vertex >= 0);
    if (taker) {
      bool left;
      lanes |= take_in(s, host, now, move.taker < 0, &left);
      flags |= left ? WAITING : 0u;
    }
    scan_for(s, host, lanes);
  }
  if (pending != 0) save<Cell, V>(s, best_color);
  meet<CLUSTER>();
  if (!keeper) return;
  job.best.f[individual] = best_f;
  if (best_f == 0) atomicCAS(job.solved, 0u, 1u + individual);
  if (outgrown) atomicExch(job.outgrown, 1u);
  atomicAdd(job.moves, (unsigned long long)now);
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
             ? layout_of<CellU8>(n, k, plan->cluster, plan->ring)
             : layout_of<CellU16>(n, k, plan->cluster, plan->ring);
}

/* Longest tenure that normally occurs, with room: conflicts are few once the first
 * moves are over, and longer ones are cut. */
static int32_t ring_for(int32_t n) {
  int32_t ring = 128;
  while (ring < n / 4 && ring < 2048) ring *= 2;
  return ring;
}

/* Threads and words of a block that owns `words` words: all conflicting vertices should
 * find a host, about one in three of the vertices at the start of a search. */
static bool shape(prism_tabucol_plan_t *plan, int32_t words, int32_t vertices, int32_t threads,
                  int32_t words_per_thread) {
  for (int32_t v = words_per_thread > 0 ? words_per_thread : 1; v <= 4; v *= 2) {
    int32_t t = (words + v - 1) / v, hosts = (int32_t)(0.3 * (double)vertices);
    if (threads > 0 ? t > threads : t > 1024) continue;
    t = threads > 0 ? threads : t > hosts ? t : hosts < 1024 ? hosts : 1024;
    t = (t + 31) / 32 * 32;
    while (t / 32 * plan->cluster > MAX_RECORDS && t > (words + v - 1) / v) t -= 32;
    if (t / 32 * plan->cluster > MAX_RECORDS || t * v < words) continue;
    plan->threads = t;
    plan->words_per_thread = v;
    return true;
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
  for (plan.cluster = 1; plan.cluster <= 8; plan.cluster *= 2) {
    Layout layout = layout_for(&plan, graph->n, k);
    int32_t vertices = plan.cluster > 1 ? layout.vertices : graph->n;
    int32_t words = (vertices * plan.cell_bytes + 3) / 4;
    if (!shape(&plan, words, vertices, threads, words_per_thread)) continue;
    plan.shared_bytes = layout.total;
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
