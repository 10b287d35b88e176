#include "kernels/convert.h"

#include <limits.h>

#include "base/rng.h"
#include "kernels/pool_device.cuh"

enum { THREADS = 256 };

/* Draws from here on break ties; those below shuffle. */
static const uint32_t TIE_DRAWS = 1u << 23;

__global__ void __launch_bounds__(THREADS)
    gather_kernel(prism_gpu_pool_t in, const int32_t *from, prism_gpu_pool_t out,
                  const int32_t *to) {
  const int32_t source = member_of(from, (int32_t)blockIdx.x);
  const int32_t target = member_of(to, (int32_t)blockIdx.x);
  if (source < 0 || target < 0) return;
  copy_colors(pool_row(out, target), pool_row(in, source), in.n, (int32_t)threadIdx.x,
              (int32_t)blockDim.x);
  if (threadIdx.x == 0) out.f[target] = in.f[source];
}

__global__ void __launch_bounds__(THREADS)
    profile_kernel(prism_gpu_pool_t pool, const int32_t *which, int32_t *size) {
  const int32_t member = member_of(which, (int32_t)blockIdx.x);
  if (member < 0) return;
  const uint16_t *row = pool_row(pool, member);
  int32_t *mine = size + (size_t)blockIdx.x * (size_t)pool.k;
  for (int32_t c = (int32_t)threadIdx.x; c < pool.k; c += (int32_t)blockDim.x) mine[c] = 0;
  __syncthreads();
  for (int32_t v = (int32_t)threadIdx.x; v < pool.n; v += (int32_t)blockDim.x)
    atomicAdd(&mine[row[v]], 1);
}

__global__ void __launch_bounds__(THREADS)
    random_kernel(prism_gpu_pool_t pool, const int32_t *which, prism_convert_random_t random) {
  const int32_t member = member_of(which, (int32_t)blockIdx.x);
  if (member < 0) return;
  uint16_t *row = pool_row(pool, member);
  const uint32_t individual = random.individual + blockIdx.x;
  for (int32_t v = 4 * (int32_t)threadIdx.x; v < pool.n; v += 4 * (int32_t)blockDim.x) {
    prism_rng_block_t block = prism_rng_at(random.seed, *random.generation, (uint32_t)v / 4u,
                                           individual, PRISM_RNG_INITIAL);
    row[v] = (uint16_t)prism_rng_scale(block.word[0], (uint32_t)pool.k);
    if (v + 1 < pool.n) row[v + 1] = (uint16_t)prism_rng_scale(block.word[1], (uint32_t)pool.k);
    if (v + 2 < pool.n) row[v + 2] = (uint16_t)prism_rng_scale(block.word[2], (uint32_t)pool.k);
    if (v + 3 < pool.n) row[v + 3] = (uint16_t)prism_rng_scale(block.word[3], (uint32_t)pool.k);
  }
}

/* A vertex that waits for its new colour has none. */
static const uint16_t NO_COLOR = 0xFFFF;

/* New numbers of the classes: their place by size, -1 from `to` on. Called by the
 * block. */
static __device__ __forceinline__ void rank_classes(const int32_t *size, int32_t k, int32_t to,
                                                    int32_t *name) {
  for (int32_t c = (int32_t)threadIdx.x; c < k; c += (int32_t)blockDim.x) {
    int32_t before = 0;
    for (int32_t d = 0; d < k; ++d)
      before += size[d] > size[c] || (size[d] == size[c] && d < c) ? 1 : 0;
    name[c] = before < to ? before : -1;
  }
}

/* Rename the colours of the row and list the vertices without one, ascending. By one
 * warp; returns their number. */
static __device__ __forceinline__ int32_t rename_row(uint16_t *row, int32_t n,
                                                     const int32_t *name, int32_t *moved,
                                                     int32_t lane) {
  int32_t moves = 0;
  for (int32_t base = 0; base < n; base += 32) {
    int32_t v = base + lane, c = 0;
    if (v < n) {
      c = name[row[v]];
      row[v] = c < 0 ? NO_COLOR : (uint16_t)c;
    }
    unsigned mask = __ballot_sync(ALL_LANES, c < 0);
    if (c < 0) moved[moves + __popc(mask & ((1u << lane) - 1u))] = v;
    moves += __popc(mask);
  }
  return moves;
}

/* Lowest of `to` counts, ties to the pick-th in ascending order; the counts are zero
 * again afterwards. By one warp. */
static __device__ __forceinline__ int32_t fewest(int32_t *count, int32_t to, uint32_t random,
                                                 int32_t lane) {
  int32_t best = INT_MAX, ties = 0;
  for (int32_t c = lane; c < to; c += 32) best = min(best, count[c]);
  best = __reduce_min_sync(ALL_LANES, best);
  for (int32_t base = 0; base < to; base += 32)
    ties += __popc(__ballot_sync(ALL_LANES, base + lane < to && count[base + lane] == best));
  int32_t pick = (int32_t)prism_rng_scale(random, (uint32_t)ties), chosen = -1;
  for (int32_t base = 0; chosen < 0; base += 32) {
    unsigned mask = __ballot_sync(ALL_LANES, base + lane < to && count[base + lane] == best);
    if (pick < __popc(mask)) chosen = base + warp_pick(mask, pick, lane);
    pick -= __popc(mask);
  }
  __syncwarp(); /* the counts have been read */
  for (int32_t c = lane; c < to; c += 32) count[c] = 0;
  return chosen;
}

/* Sizes and names [k], counts [to], moved [n]. */
static __host__ __device__ __forceinline__ size_t dissolve_bytes(int32_t n, int32_t k) {
  return area_round(4 * ((size_t)n + 3 * (size_t)k));
}

__global__ void __launch_bounds__(THREADS)
    dissolve_kernel(prism_gpu_graph_t g, prism_gpu_pool_t pool, const int32_t *which, int32_t to,
                    prism_convert_random_t random, unsigned char *scratch, size_t stride) {
  extern __shared__ uint4 memory[];
  __shared__ int32_t moves;
  const int32_t member = member_of(which, (int32_t)blockIdx.x);
  if (member < 0) return;
  const int32_t n = pool.n, k = pool.k, thread = (int32_t)threadIdx.x;
  const int32_t threads = (int32_t)blockDim.x;
  const uint32_t individual = random.individual + blockIdx.x;
  const uint64_t generation = *random.generation;
  int32_t *size = scratch == NULL ? (int32_t *)memory
                                  : (int32_t *)(scratch + (size_t)blockIdx.x * stride);
  int32_t *name = size + k, *count = name + k, *moved = count + k;
  uint16_t *row = pool_row(pool, member);
  for (int32_t c = thread; c < k; c += threads) size[c] = count[c] = 0;
  __syncthreads();
  for (int32_t v = thread; v < n; v += threads) atomicAdd(&size[row[v]], 1);
  __syncthreads();
  rank_classes(size, k, to, name);
  __syncthreads();
  if (thread < 32) {
    int32_t found = rename_row(row, n, name, moved, thread);
    __syncwarp();
    if (thread == 0) {
      moves = found;
      prism_rng_t rng = prism_rng_stream(random.seed, generation, individual, PRISM_RNG_INITIAL);
      prism_rng_shuffle(&rng, moved, found);
    }
  }
  __syncthreads();
  for (int32_t i = 0; i < moves; ++i) {
    const int32_t v = moved[i];
    for (int64_t e = g.offset[v] + thread; e < g.offset[v + 1]; e += threads) {
      uint16_t c = row[g.neighbor[e]];
      if (c != NO_COLOR) atomicAdd(&count[c], 1);
    }
    __syncthreads();
    if (thread < 32) {
      prism_rng_block_t block = prism_rng_at(random.seed, generation, TIE_DRAWS + (uint32_t)i,
                                             individual, PRISM_RNG_INITIAL);
      int32_t c = fewest(count, to, block.word[0], thread);
      if (thread == 0) row[v] = (uint16_t)c;
    }
    __syncthreads();
  }
}

static prism_status_t call_check(const prism_gpu_pool_t *pool, int32_t count) {
  PRISM_TRY(pool_check(pool));
  if (count < 0) PRISM_FAIL(PRISM_INVALID, "%d colorings of a population", count);
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_gather(const prism_gpu_pool_t *in, const int32_t *from,
                                              const prism_gpu_pool_t *out, const int32_t *to,
                                              int32_t count, cudaStream_t stream) {
  PRISM_TRY(call_check(in, count));
  PRISM_TRY(call_check(out, count));
  if (in->n != out->n)
    PRISM_FAIL(PRISM_INVALID, "a row of %d vertices does not fit one of %d", in->n, out->n);
  if (count == 0) return PRISM_OK;
  dim3 grid((unsigned)count), block(THREADS);
  gather_kernel<<<grid, block, 0, stream>>>(*in, from, *out, to);
  return prism_cuda_launched("gather_kernel");
}

extern "C" prism_status_t prism_launch_profile(const prism_gpu_pool_t *pool, const int32_t *which,
                                               int32_t count, int32_t *size, cudaStream_t stream) {
  PRISM_TRY(call_check(pool, count));
  if (count == 0) return PRISM_OK;
  dim3 grid((unsigned)count), block(THREADS);
  profile_kernel<<<grid, block, 0, stream>>>(*pool, which, size);
  return prism_cuda_launched("profile_kernel");
}

extern "C" prism_status_t prism_launch_random(const prism_gpu_pool_t *pool, const int32_t *which,
                                              int32_t count, const prism_convert_random_t *random,
                                              cudaStream_t stream) {
  PRISM_TRY(call_check(pool, count));
  if (count == 0) return PRISM_OK;
  dim3 grid((unsigned)count), block(THREADS);
  random_kernel<<<grid, block, 0, stream>>>(*pool, which, *random);
  return prism_cuda_launched("random_kernel");
}

/* Do a colouring's lists fit into shared memory? Then no scratch is needed. */
static prism_status_t choose_form(int32_t n, int32_t k, bool *small) {
  size_t limit = 0;
  PRISM_TRY(shared_limit(&limit));
  *small = dissolve_bytes(n, k) + 1024 <= limit; /* a little is left for the rest */
  return PRISM_OK;
}

extern "C" prism_status_t prism_dissolve_scratch_bytes(int32_t n, int32_t k, int32_t count,
                                                       size_t *bytes) {
  bool small = false;
  PRISM_TRY(choose_form(n, k, &small));
  *bytes = small ? 0 : dissolve_bytes(n, k) * (size_t)count;
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_dissolve(const prism_gpu_graph_t *graph,
                                                const prism_gpu_pool_t *pool, const int32_t *which,
                                                int32_t count, int32_t to,
                                                const prism_convert_random_t *random,
                                                void *scratch, cudaStream_t stream) {
  PRISM_TRY(call_check(pool, count));
  if (graph->n != pool->n || to < 1 || to >= pool->k)
    PRISM_FAIL(PRISM_INVALID, "%d colors cannot become %d on a graph of %d vertices", pool->k, to,
               graph->n);
  if (count == 0) return PRISM_OK;
  bool small = false;
  PRISM_TRY(choose_form(pool->n, pool->k, &small));
  if (!small && scratch == NULL) PRISM_FAIL(PRISM_INVALID, "dissolving lacks its scratch memory");
  size_t bytes = dissolve_bytes(pool->n, pool->k);
  dim3 grid((unsigned)count), block(THREADS);
  if (small) PRISM_TRY(shared_allow((const void *)dissolve_kernel, bytes));
  dissolve_kernel<<<grid, block, small ? bytes : 0, stream>>>(
      *graph, *pool, which, to, *random, small ? NULL : (unsigned char *)scratch, bytes);
  return prism_cuda_launched("dissolve_kernel");
}
