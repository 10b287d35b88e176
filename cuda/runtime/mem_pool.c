#include "runtime/mem_pool.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/check.h"

struct prism_mem_pool {
  prism_mem_book_t *book;
  cudaMemPool_t driver;
  cudaStream_t janitor; /* frees run here, so no user's stream has to live on for them */
  double ttl;
};

static atomic_size_t live_blocks; /* device and pinned */

size_t prism_gpu_live_blocks(void) {
  return atomic_load_explicit(&live_blocks, memory_order_relaxed);
}

static void count_live(int change) {
  if (change > 0)
    atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
  else
    atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
}

static prism_status_t create_driver_pool(prism_mem_pool_t *pool, size_t limit) {
  int device = 0;
  PRISM_CUDA(cudaGetDevice(&device));
  struct cudaMemPoolProps properties;
  memset(&properties, 0, sizeof properties);
  properties.allocType = cudaMemAllocationTypePinned;
  properties.handleTypes = cudaMemHandleTypeNone;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = device;
  PRISM_CUDA(cudaMemPoolCreate(&pool->driver, &properties));
  /* Otherwise the driver returns memory to the system at every synchronisation. */
  uint64_t keep = limit;
  PRISM_CUDA(cudaMemPoolSetAttribute(pool->driver, cudaMemPoolAttrReleaseThreshold, &keep));
  PRISM_CUDA(cudaStreamCreateWithFlags(&pool->janitor, cudaStreamNonBlocking));
  return PRISM_OK;
}

prism_status_t prism_mem_pool_create(const prism_mem_pool_config_t *config,
                                     prism_mem_pool_t **out) {
  prism_mem_pool_config_t chosen = {.fraction = 0.9, .ttl = 10.0};
  if (config != NULL) chosen = *config;
  size_t limit = chosen.limit_bytes, free_bytes = 0, total_bytes = 0;
  if (limit == 0 && !(chosen.fraction > 0 && chosen.fraction <= 1))
    PRISM_FAIL(PRISM_INVALID, "the share of GPU memory to use is %g; it must be above 0, at most 1",
               chosen.fraction);
  if (limit == 0) {
    PRISM_CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
    limit = (size_t)((double)free_bytes * chosen.fraction);
  }
  prism_mem_pool_t *pool = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &pool));
  pool->ttl = chosen.ttl;
  prism_status_t status = prism_mem_book_create(limit, &pool->book);
  if (status == PRISM_OK) status = create_driver_pool(pool, limit);
  if (status != PRISM_OK) {
    prism_mem_pool_destroy(&pool);
    return status;
  }
  *out = pool;
  return PRISM_OK;
}

/* Back to the driver once the block's last work is done. */
static void give_back(prism_mem_pool_t *pool, int32_t id) {
  const prism_mem_block_t *block = prism_mem_book_block(pool->book, id);
  prism_cuda_drop(cudaStreamWaitEvent(pool->janitor, block->mark, 0));
  prism_cuda_drop(cudaFreeAsync(block->address, pool->janitor));
  prism_cuda_drop(cudaEventDestroy(block->mark));
  prism_mem_book_drop(pool->book, id);
}

/* Make room for `bytes` by giving free blocks back, the oldest first. */
static void evict_for(prism_mem_pool_t *pool, size_t bytes) {
  int32_t id = PRISM_MEM_NONE;
  while (!prism_mem_book_fits(pool->book, bytes) &&
         (id = prism_mem_book_expired(pool->book, 0, 0)) != PRISM_MEM_NONE)
    give_back(pool, id);
}

static void evict_all(prism_mem_pool_t *pool) {
  int32_t id = PRISM_MEM_NONE;
  while ((id = prism_mem_book_expired(pool->book, 0, 0)) != PRISM_MEM_NONE) give_back(pool, id);
  prism_cuda_drop(cudaStreamSynchronize(pool->janitor));
  prism_cuda_drop(cudaMemPoolTrimTo(pool->driver, 0));
}

static prism_status_t refuse(prism_mem_pool_t *pool, size_t bytes) {
  prism_mem_stats_t stats;
  size_t free_bytes = 0, total_bytes = 0;
  const double mib = 1048576.0;
  prism_mem_book_refuse(pool->book);
  prism_mem_book_stats(pool->book, &stats);
  prism_cuda_drop(cudaMemGetInfo(&free_bytes, &total_bytes));
  PRISM_FAIL(PRISM_MEMORY,
             "out of GPU memory: %.1f MiB wanted, %.1f MiB in use of a limit of %.1f MiB, "
             "%.1f of %.1f MiB free on the GPU",
             (double)bytes / mib, (double)stats.live_bytes / mib, (double)stats.limit / mib,
             (double)free_bytes / mib, (double)total_bytes / mib);
}

/* [out] address NULL when the device is out of memory. */
static prism_status_t ask_driver(prism_mem_pool_t *pool, size_t class_bytes, cudaStream_t stream,
                                 void **address) {
  *address = NULL;
  cudaError_t error = cudaMallocFromPoolAsync(address, class_bytes, pool->driver, stream);
  if (error == cudaErrorMemoryAllocation) {
    prism_cuda_drop(error);
    evict_all(pool); /* what lies free in other sizes may be enough */
    error = cudaMallocFromPoolAsync(address, class_bytes, pool->driver, stream);
  }
  if (error == cudaErrorMemoryAllocation) {
    prism_cuda_drop(error);
    *address = NULL;
    return PRISM_OK;
  }
  if (error != cudaSuccess)
    return prism_cuda_fail(error, "cudaMallocFromPoolAsync", __FILE__, __LINE__, __func__);
  return PRISM_OK;
}

static prism_status_t take_new(prism_mem_pool_t *pool, size_t bytes, cudaStream_t stream,
                               int32_t *id) {
  size_t class_bytes = prism_mem_class_bytes(bytes);
  cudaEvent_t mark = NULL;
  void *address = NULL;
  prism_status_t status = PRISM_OK;
  if (!prism_mem_book_fits(pool->book, bytes)) return refuse(pool, bytes);
  PRISM_CUDA(cudaEventCreateWithFlags(&mark, cudaEventDisableTiming));
  PRISM_TRY_GOTO(status, ask_driver(pool, class_bytes, stream, &address), failed);
  if (address == NULL) {
    status = refuse(pool, bytes);
    goto failed;
  }
  PRISM_TRY_GOTO(status, prism_mem_book_add(pool->book, address, class_bytes, stream, mark, id),
                 failed);
  return PRISM_OK;

failed:
  if (address != NULL) prism_cuda_drop(cudaFreeAsync(address, stream));
  prism_cuda_drop(cudaEventDestroy(mark));
  return status;
}

/* A free block that `stream` may use. [out] id or PRISM_MEM_NONE */
static prism_status_t find_reusable(prism_mem_pool_t *pool, size_t bytes, cudaStream_t stream,
                                    int32_t *id) {
  *id = prism_mem_book_match(pool->book, bytes, stream, false);
  if (*id != PRISM_MEM_NONE) return PRISM_OK;
  int32_t other = prism_mem_book_match(pool->book, bytes, stream, true);
  if (other == PRISM_MEM_NONE) return PRISM_OK;
  cudaEvent_t mark = prism_mem_book_block(pool->book, other)->mark;
  bool done = false;
  PRISM_TRY(prism_cuda_event_ready(mark, &done));
  /* A new block keeps the two streams independent, as long as there is room for it. */
  if (!done && prism_mem_book_fits(pool->book, bytes)) return PRISM_OK;
  if (!done) PRISM_CUDA(cudaStreamWaitEvent(stream, mark, 0));
  *id = other;
  return PRISM_OK;
}

prism_status_t prism_mem_pool_take(prism_mem_pool_t *pool, size_t bytes, cudaStream_t stream,
                                   void **out) {
  int32_t id = PRISM_MEM_NONE;
  PRISM_TRY(find_reusable(pool, bytes, stream, &id));
  if (id != PRISM_MEM_NONE) {
    prism_mem_book_take(pool->book, id, stream);
  } else {
    evict_for(pool, bytes);
    PRISM_TRY(take_new(pool, bytes, stream, &id));
  }
  count_live(+1);
  *out = prism_mem_book_block(pool->book, id)->address;
  return PRISM_OK;
}

prism_status_t prism_mem_pool_release(prism_mem_pool_t *pool, void *block, cudaStream_t stream) {
  if (block == NULL) return PRISM_OK;
  int32_t id = prism_mem_book_find(pool->book, block);
  if (id == PRISM_MEM_NONE)
    PRISM_FAIL(PRISM_INVALID, "%p is not a block taken from this pool of GPU memory", block);
  cudaError_t error = cudaEventRecord(prism_mem_book_block(pool->book, id)->mark, stream);
  prism_mem_book_release(pool->book, id, stream, prism_clock_now());
  count_live(-1);
  /* A sticky one was reported when it first appeared. */
  if (error != cudaSuccess && !prism_cuda_is_sticky(error))
    return prism_cuda_fail(error, "cudaEventRecord", __FILE__, __LINE__, __func__);
  return PRISM_OK;
}

prism_status_t prism_mem_pool_tidy(prism_mem_pool_t *pool) {
  double now = prism_clock_now();
  int32_t id = PRISM_MEM_NONE;
  bool evicted = false;
  while ((id = prism_mem_book_expired(pool->book, now, pool->ttl)) != PRISM_MEM_NONE) {
    give_back(pool, id);
    evicted = true;
  }
  if (evicted) PRISM_CUDA(cudaMemPoolTrimTo(pool->driver, 0));
  return PRISM_OK;
}

size_t prism_mem_pool_room(const prism_mem_pool_t *pool) {
  prism_mem_stats_t stats;
  prism_mem_book_stats(pool->book, &stats);
  return stats.limit > stats.live_bytes ? stats.limit - stats.live_bytes : 0;
}

void prism_mem_pool_stats(const prism_mem_pool_t *pool, prism_mem_stats_t *out) {
  prism_mem_book_stats(pool->book, out);
}

void prism_mem_pool_destroy(prism_mem_pool_t **pool) {
  prism_mem_pool_t *old = *pool;
  if (old == NULL) return;
  while (old->book != NULL && prism_mem_book_count(old->book) > 0) /* the last is never unused */
    give_back(old, prism_mem_book_count(old->book) - 1);
  prism_mem_book_destroy(&old->book);
  if (old->janitor != NULL) prism_cuda_drop(cudaStreamDestroy(old->janitor));
  if (old->driver != NULL) prism_cuda_drop(cudaMemPoolDestroy(old->driver));
  prism_free(old);
  *pool = NULL;
}

prism_status_t prism_pinned_alloc(size_t bytes, void **out) {
  PRISM_CUDA(cudaHostAlloc(out, bytes > 0 ? bytes : 1, cudaHostAllocPortable));
  count_live(+1);
  return PRISM_OK;
}

prism_status_t prism_mapped_alloc(size_t bytes, void **host, void **device) {
  void *made = NULL, *seen = NULL;
  size_t size = bytes > 0 ? bytes : 1;
  PRISM_CUDA(cudaHostAlloc(&made, size, cudaHostAllocPortable | cudaHostAllocMapped));
  count_live(+1);
  cudaError_t error = cudaHostGetDevicePointer(&seen, made, 0);
  if (error != cudaSuccess) {
    prism_pinned_free(made);
    return prism_cuda_fail(error, "cudaHostGetDevicePointer", __FILE__, __LINE__, __func__);
  }
  memset(made, 0, size);
  *host = made;
  *device = seen;
  return PRISM_OK;
}

void prism_pinned_free(void *block) {
  if (block == NULL) return;
  prism_cuda_drop(cudaFreeHost(block));
  count_live(-1);
}
