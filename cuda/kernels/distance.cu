#include "kernels/distance.h"

#include "kernels/matching_device.cuh"

enum { WARP = 32 };

/* Blocks of the large form when each needs `stride` bytes. */
static int32_t blocks_for(size_t stride, int32_t pairs) {
  const size_t budget = (size_t)256 << 20;
  size_t blocks = budget / stride;
  if (blocks < 1) blocks = 1;
  return blocks < (size_t)pairs ? (int32_t)blocks : pairs;
}

template <class Cell>
static __device__ __forceinline__ int32_t common_vertices(unsigned char *area, int32_t n,
                                                          int32_t k, const uint16_t *a,
                                                          const uint16_t *b, bool greedy) {
  matching<Cell> m = matching_open<Cell>(area, n, k, (int32_t)threadIdx.x);
  list_columns(m, a, b);
  merge_cells(m);
  return greedy ? match_greedily(m) : match_exactly(m);
}

template <bool SMALL, class Cell>
__global__ void __launch_bounds__(WARP)
    distance_kernel(prism_gpu_pool_t pool_a, const int32_t *a, prism_gpu_pool_t pool_b,
                    const int32_t *b, int32_t *distance, int32_t pairs, int32_t k, bool greedy,
                    unsigned char *scratch, size_t stride) {
  extern __shared__ uint4 memory[];
  unsigned char *area =
      SMALL ? (unsigned char *)memory : scratch + (size_t)blockIdx.x * stride;
  for (int32_t pair = (int32_t)blockIdx.x; pair < pairs; pair += (int32_t)gridDim.x) {
    int32_t one = member_of(a, pair), other = member_of(b, pair), result = -1;
    if (one >= 0 && other >= 0)
      result = pool_a.n - common_vertices<Cell>(area, pool_a.n, k, pool_row(pool_a, one),
                                                pool_row(pool_b, other), greedy);
    __syncwarp(); /* the area is free again */
    if (threadIdx.x == 0) distance[pair] = result;
  }
}

/* Does a pair fit into shared memory? Then no scratch is needed. */
static prism_status_t choose_form(int32_t n, int32_t k, bool *small) {
  size_t limit = 0;
  PRISM_TRY(shared_limit(&limit));
  *small = n <= 65535 && matching_bytes<small_cell>(n, k) <= limit;
  return PRISM_OK;
}

static size_t scratch_stride(int32_t n, int32_t k) {
  return area_round(matching_bytes<large_cell>(n, k));
}

extern "C" prism_status_t prism_distance_scratch_bytes(int32_t n, int32_t k, int32_t pairs,
                                                       size_t *bytes) {
  bool small = false;
  PRISM_TRY(choose_form(n, k, &small));
  size_t stride = scratch_stride(n, k);
  *bytes = small ? 0 : stride * (size_t)blocks_for(stride, pairs);
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_distance(const prism_gpu_pool_t *pool_a, const int32_t *a,
                                                const prism_gpu_pool_t *pool_b, const int32_t *b,
                                                int32_t *distance, int32_t pairs,
                                                prism_distance_mode_t mode, void *scratch,
                                                cudaStream_t stream) {
  PRISM_TRY(pool_check(pool_a));
  PRISM_TRY(pool_check(pool_b));
  if (pool_a->n != pool_b->n || pairs < 0)
    PRISM_FAIL(PRISM_INVALID, "distances of %d pairs between %d and %d vertices", pairs, pool_a->n,
               pool_b->n);
  if (pairs == 0) return PRISM_OK;
  const int32_t n = pool_a->n, k = pool_a->k > pool_b->k ? pool_a->k : pool_b->k;
  const bool greedy = mode == PRISM_DISTANCE_GREEDY;
  bool small = false;
  PRISM_TRY(choose_form(n, k, &small));
  if (!small && scratch == NULL) PRISM_FAIL(PRISM_INVALID, "distances lack their scratch memory");
  dim3 block(WARP);
  if (small) {
    dim3 grid((unsigned)pairs);
    size_t bytes = matching_bytes<small_cell>(n, k);
    PRISM_TRY(shared_allow((const void *)distance_kernel<true, small_cell>, bytes));
    distance_kernel<true, small_cell><<<grid, block, bytes, stream>>>(
        *pool_a, a, *pool_b, b, distance, pairs, k, greedy, NULL, 0);
  } else {
    size_t stride = scratch_stride(n, k);
    dim3 grid((unsigned)blocks_for(stride, pairs));
    distance_kernel<false, large_cell><<<grid, block, 0, stream>>>(
        *pool_a, a, *pool_b, b, distance, pairs, k, greedy, (unsigned char *)scratch, stride);
  }
  return prism_cuda_launched("distance_kernel");
}
