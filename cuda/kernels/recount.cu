#include "kernels/recount.h"

#include <limits.h>

#include "kernels/pool_device.cuh"

enum { THREADS = 256, GROUP = 8 /* threads that share a vertex */ };

static __host__ __device__ __forceinline__ size_t area_bytes(int32_t n, int32_t k) {
  size_t vertices = ((size_t)n + 7) / 8 * 8;
  return area_round(8 * (size_t)k) + 4 * vertices;
}

/* Neighbours of v in its class among this thread's share of its neighbours. */
static __device__ __forceinline__ uint32_t conflicts_of_neighbors(const prism_gpu_graph_t &g,
                                                                  const uint16_t *color, int32_t v,
                                                                  int32_t part) {
  const uint16_t mine = color[v];
  uint32_t conflicts = 0;
  for (int64_t e = g.offset[v] + part; e < g.offset[v + 1]; e += GROUP)
    conflicts += color[g.neighbor[e]] == mine ? 1u : 0u;
  return conflicts;
}

/* The same among its share of the members of its class. */
static __device__ __forceinline__ uint32_t conflicts_of_members(const prism_gpu_graph_t &g,
                                                                const uint16_t *member,
                                                                int32_t count, int32_t v,
                                                                int32_t part) {
  const uint32_t *row = g.row + (size_t)v * (size_t)g.words;
  uint32_t conflicts = 0;
  for (int32_t i = part; i < count; i += GROUP) {
    uint32_t u = member[i];
    conflicts += row[u >> 5] >> (u & 31u) & 1u;
  }
  return conflicts;
}

/* Sum over the block; thread 0 gets it. Uses one number for each warp. */
static __device__ __forceinline__ unsigned long long block_sum(unsigned long long mine) {
  __shared__ unsigned long long partial[THREADS / 32];
  for (int step = 16; step > 0; step /= 2) mine += __shfl_down_sync(ALL_LANES, mine, step);
  if ((threadIdx.x & 31u) == 0) partial[threadIdx.x >> 5] = mine;
  __syncthreads();
  unsigned long long sum = 0;
  for (uint32_t w = 0; threadIdx.x == 0 && w < blockDim.x / 32u; ++w) sum += partial[w];
  return sum;
}

/* With class lists in shared memory (LISTS), or with neighbour lists alone. */
template <bool LISTS>
__global__ void __launch_bounds__(THREADS)
    recount_kernel(prism_gpu_graph_t g, prism_gpu_pool_t pool, const int32_t *which) {
  extern __shared__ uint4 memory[];
  const int32_t member = member_of(which, (int32_t)blockIdx.x);
  if (member < 0) return;
  const int32_t n = g.n, k = pool.k, thread = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x;
  const uint16_t *row = pool_row(pool, member);
  const int32_t part = thread & (GROUP - 1), group = thread / GROUP, groups = threads / GROUP;
  unsigned long long conflicts = 0;
  if (LISTS) {
    int32_t *size = (int32_t *)memory, *end = size + k;
    uint16_t *color = (uint16_t *)((unsigned char *)memory + area_round(8 * (size_t)k));
    uint16_t *list = color + ((size_t)n + 7) / 8 * 8;
    copy_colors(color, row, n, thread, threads);
    for (int32_t c = thread; c < k; c += threads) size[c] = 0;
    __syncthreads();
    for (int32_t v = thread; v < n; v += threads) atomicAdd(&size[color[v]], 1);
    __syncthreads();
    if (thread < 32) warp_sums_before(size, end, k, thread);
    __syncthreads();
    for (int32_t v = thread; v < n; v += threads)
      list[atomicAdd(&end[color[v]], 1)] = (uint16_t)v;
    __syncthreads();
    for (int32_t i = group; i < n; i += groups) {
      int32_t v = list[i], c = color[v];
      if ((int64_t)size[c] <= g.offset[v + 1] - g.offset[v])
        conflicts += conflicts_of_members(g, list + end[c] - size[c], size[c], v, part);
      else
        conflicts += conflicts_of_neighbors(g, color, v, part);
    }
  } else {
    for (int32_t v = group; v < n; v += groups)
      conflicts += conflicts_of_neighbors(g, row, v, part);
  }
  unsigned long long twice = block_sum(conflicts);
  if (thread == 0) pool.f[member] = twice / 2 < INT_MAX ? (int32_t)(twice / 2) : INT_MAX;
}

extern "C" prism_status_t prism_launch_recount(const prism_gpu_graph_t *graph,
                                               const prism_gpu_pool_t *pool, const int32_t *which,
                                               int32_t count, cudaStream_t stream) {
  PRISM_TRY(pool_check(pool));
  if (graph->n != pool->n || count < 0)
    PRISM_FAIL(PRISM_INVALID, "recount of %d colorings of %d vertices on a graph of %d", count,
               pool->n, graph->n);
  if (count == 0) return PRISM_OK;
  size_t limit = 0, bytes = area_bytes(pool->n, pool->k);
  PRISM_TRY(shared_limit(&limit));
  dim3 grid((unsigned)count), block(THREADS);
  /* A little is left for the sums. */
  if (graph->row != NULL && pool->n <= 65535 && bytes + 1024 <= limit) {
    PRISM_TRY(shared_allow((const void *)recount_kernel<true>, bytes));
    recount_kernel<true><<<grid, block, bytes, stream>>>(*graph, *pool, which);
  } else {
    recount_kernel<false><<<grid, block, 0, stream>>>(*graph, *pool, which);
  }
  return prism_cuda_launched("recount_kernel");
}
