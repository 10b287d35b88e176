/* What the kernels over populations of colourings have in common. For .cu files.
 *
 * Work of their calls, for each child, pair or colouring. Shared memory in bytes where
 * the fast form applies; the slow one keeps the same arrays in scratch memory. "Steps"
 * come one after the other, each a few shared memory accesses of one warp (unless said
 * otherwise); they decide how long a call takes while a device has warps to spare.
 *
 *   call      threads  shared memory  global memory            steps
 *   gpx       256      20 k + 10 n    6 n                      k (k / 16 + class / 32 + 6)
 *   distance  32       32 k + 4 n     6 n                      n / 16 + 5 k + 6 per row tried
 *   greedy    32       32 k + 4 n     6 n                      n / 16 + 10 k + k^2 / 32
 *   recount   256      8 k + 4 n      2 n + n min(class,       n min(class, degree) / 256
 *                                     degree) words of rows    reads of L2 a thread
 *   gather    256      0              4 n                      1
 *   profile   256      0              2 n + n atomics          n / 256
 *   random    256      0              2 n                      n / 1024 Philox blocks
 *   dissolve  256      12 k + 4 n     4 n + degree each moved  k^2 / 256 + moved (degree / 256
 *                                                              + to / 16 + 3 barriers)
 *
 * n = 1000, k = 83, counted in warp-wide operations: exact distance 1,300 for unrelated
 * colourings (83 rows tried on the way), 690 for related ones; greedy 1,140 and 860. The
 * exact distance is therefore the one to use. */
#ifndef PRISM_CUDA_KERNELS_POOL_DEVICE_CUH
#define PRISM_CUDA_KERNELS_POOL_DEVICE_CUH

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/layout.h"
#include "runtime/check.h"

#define ALL_LANES 0xFFFFFFFFu

/* An area in shared memory holds several arrays; each starts on 16 bytes. */
static __host__ __device__ __forceinline__ size_t area_round(size_t bytes) {
  return (bytes + 15) / 16 * 16;
}

/* Colourings are numbered by an index array, or one after the other without it. */
static __device__ __forceinline__ int32_t member_of(const int32_t *index, int32_t i) {
  return index == NULL ? i : index[i];
}

static __device__ __forceinline__ uint16_t *pool_row(const prism_gpu_pool_t &pool,
                                                     int32_t member) {
  return pool.color + (size_t)member * (size_t)pool.pitch;
}

/* Copy n colours; both sides start on 16 bytes. Called by `threads` threads. Cells
 * from n on are not touched: nobody has ever written them. */
static __device__ __forceinline__ void copy_colors(uint16_t *to, const uint16_t *from, int32_t n,
                                                   int32_t thread, int32_t threads) {
  int32_t octets = n / 8;
  for (int32_t i = thread; i < octets; i += threads) ((uint4 *)to)[i] = ((const uint4 *)from)[i];
  for (int32_t v = 8 * octets + thread; v < n; v += threads) to[v] = from[v];
}

/* Sums of all counts before each one. Called by one whole warp. */
static __device__ __forceinline__ void warp_sums_before(const int32_t *count, int32_t *before,
                                                        int32_t k, int32_t lane) {
  int32_t total = 0;
  for (int32_t base = 0; base < k; base += 32) {
    int32_t c = base + lane, mine = c < k ? count[c] : 0, sum = mine;
    for (int32_t step = 1; step < 32; step *= 2) {
      int32_t left = __shfl_up_sync(ALL_LANES, sum, (unsigned)step);
      if (lane >= step) sum += left;
    }
    if (c < k) before[c] = total + sum - mine;
    total += __shfl_sync(ALL_LANES, sum, 31);
  }
}

/* Which lane holds number `pick` (from 0) among the lanes set in `mask`? All lanes
 * get the answer; pick < number of set lanes. */
static __device__ __forceinline__ int32_t warp_pick(unsigned mask, int32_t pick, int32_t lane) {
  bool here = (mask >> lane & 1u) != 0 && __popc(mask & ((1u << lane) - 1u)) == pick;
  return __ffs((int)__ballot_sync(ALL_LANES, here)) - 1;
}

static inline prism_status_t pool_check(const prism_gpu_pool_t *pool) {
  if (pool->n < 1 || pool->k < 1 || pool->k > 65535 || pool->pitch < pool->n ||
      pool->pitch % 8 != 0 || ((uintptr_t)pool->color & 15u) != 0)
    PRISM_FAIL(PRISM_INVALID, "no population has %d vertices, %d colors and pitch %d",
               pool->n, pool->k, pool->pitch);
  return PRISM_OK;
}

/* Shared memory that a block of the current device can have. */
static inline prism_status_t shared_limit(size_t *bytes) {
  int device = 0, limit = 0;
  PRISM_CUDA(cudaGetDevice(&device));
  PRISM_CUDA(cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  *bytes = (size_t)limit;
  return PRISM_OK;
}

/* More than 48 KB a block must be asked for. */
static inline prism_status_t shared_allow(const void *kernel, size_t bytes) {
  if (bytes > 48 * 1024)
    PRISM_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    (int)bytes));
  return PRISM_OK;
}

#endif
