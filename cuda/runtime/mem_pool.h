/* Device memory of one engine, and pinned host memory.
 *
 * Blocks are taken and released in stream order: a released block may be taken again
 * by the same stream at once, by another stream when its last work is done (or after
 * making it wait). Underneath lies a memory pool of the driver's stream-ordered
 * allocator. A block that lies free longer than the TTL goes back to the driver.
 * A stream used here lives until the last take, and none is captured meanwhile. One
 * thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_MEM_POOL_H
#define PRISM_CUDA_RUNTIME_MEM_POOL_H

#include <cuda_runtime_api.h>
#include <stddef.h>

#include "base/status.h"
#include "runtime/mem_book.h"

typedef struct prism_mem_pool prism_mem_pool_t;

typedef struct prism_mem_pool_config {
  double fraction;    /* of the device's memory that is free now, 0 < fraction <= 1 */
  size_t limit_bytes; /* instead of the fraction; 0: use the fraction */
  double ttl;         /* seconds a block may lie free */
} prism_mem_pool_config_t;

/* On the current device. [in] config  NULL: 0.9 of the free memory, 10 s. */
prism_status_t prism_mem_pool_create(const prism_mem_pool_config_t *config, prism_mem_pool_t **out);

/* Take `bytes` (0 is allowed) for work of `stream`, uninitialised, 256-byte aligned.
 * [out] out  device address. PRISM_MEMORY with sizes in the text; the pool is then as it
 * was, less the blocks that lay free, so a caller can go on with less. */
prism_status_t prism_mem_pool_take(prism_mem_pool_t *pool, size_t bytes, cudaStream_t stream,
                                   void **out);

/* Give a block back once the work queued on `stream` so far is done; NULL is allowed.
 * PRISM_INVALID: not a live block of this pool. On a lost device the block is only
 * struck from the books. */
prism_status_t prism_mem_pool_release(prism_mem_pool_t *pool, void *block, cudaStream_t stream);

/* Give free blocks older than the TTL back to the driver; call it now and then. */
prism_status_t prism_mem_pool_tidy(prism_mem_pool_t *pool);

/* Bytes that a take could still get within the limit, in blocks of this size class. */
size_t prism_mem_pool_room(const prism_mem_pool_t *pool);

void prism_mem_pool_stats(const prism_mem_pool_t *pool, prism_mem_stats_t *out);

/* Frees everything, also what was not released (that stays in the live count below).
 * Waits for no work: the caller drains its streams first. Safe after a lost device. */
void prism_mem_pool_destroy(prism_mem_pool_t **pool);

/* Pinned host memory, 4 KiB aligned, for asynchronous copies. [out] owned by the caller. */
prism_status_t prism_pinned_alloc(size_t bytes, void **out);
/* Pinned and mapped: both sides see each other's writes (flags, small results).
 * Zero-filled. [out] host, device addresses of the same memory; free the host one. */
prism_status_t prism_mapped_alloc(size_t bytes, void **host, void **device);
/* Of both kinds; NULL is allowed. Safe after a lost device. */
void prism_pinned_free(void *block);

/* Device blocks taken and not released, and pinned blocks, of the whole process: zero
 * when everything was given back (tests assert it). */
size_t prism_gpu_live_blocks(void);

#endif
