/* Checked host allocation with live counters.
 *
 * Sizes are overflow-checked, blocks are 64-byte aligned (one cache line, one
 * AVX-512 vector), and the counters must be back at zero when a program ends:
 * the tests assert it. Thread-safe. */
#ifndef PRISM_BASE_MEM_H
#define PRISM_BASE_MEM_H

#include <stddef.h>

#include "base/status.h"

/* Allocate count * size bytes, uninitialised.
 * [out] out  64-byte aligned block, owned by the caller (prism_free); never
 *            NULL on success, also for zero bytes.
 * Returns PRISM_MEMORY on overflow or exhaustion. */
prism_status_t prism_alloc_bytes(size_t count, size_t size, void **out);

/* The same, zero-filled. */
prism_status_t prism_alloc_zero_bytes(size_t count, size_t size, void **out);

/* Typed forms: PRISM_ALLOC(n, &array) sizes the block by *array. */
#define PRISM_ALLOC(count, out) prism_alloc_bytes((size_t)(count), sizeof **(out), (void **)(out))
#define PRISM_ALLOC_ZERO(count, out) \
  prism_alloc_zero_bytes((size_t)(count), sizeof **(out), (void **)(out))

/* Grow a block that holds old_count elements; contents kept, *block replaced.
 * On failure *block is unchanged and still valid. */
prism_status_t prism_grow_bytes(void **block, size_t old_count, size_t new_count, size_t size);
#define PRISM_GROW(block, old_count, new_count) \
  prism_grow_bytes((void **)(block), (size_t)(old_count), (size_t)(new_count), sizeof **(block))

/* Release a block; NULL is allowed. */
void prism_free(void *block);

/* Live blocks and bytes of the whole process. */
size_t prism_mem_live_blocks(void);
size_t prism_mem_live_bytes(void);
/* Highest number of live bytes so far. */
size_t prism_mem_peak_bytes(void);

#endif
