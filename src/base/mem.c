#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* Kept in the 64 bytes before the block so that the block stays aligned. */
typedef struct header {
  size_t bytes;
} header_t;

static atomic_size_t live_blocks;
static atomic_size_t live_bytes;
static atomic_size_t peak_bytes;

static void count_in(size_t bytes) {
  atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
  size_t now = atomic_fetch_add_explicit(&live_bytes, bytes, memory_order_relaxed) + bytes;
  size_t peak = atomic_load_explicit(&peak_bytes, memory_order_relaxed);
  while (now > peak && !atomic_compare_exchange_weak_explicit(&peak_bytes, &peak, now,
                                                              memory_order_relaxed,
                                                              memory_order_relaxed)) {
  }
}

prism_status_t prism_alloc_bytes(size_t count, size_t size, void **out) {
  if (size != 0 && count > (SIZE_MAX - 4 * ALIGNMENT) / size)
    PRISM_FAIL(PRISM_MEMORY, "an allocation of %zu elements of %zu bytes overflows", count, size);
  size_t bytes = count * size;
  size_t padded = (bytes + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  char *base = aligned_alloc(ALIGNMENT, padded);
  if (base == NULL) PRISM_FAIL(PRISM_MEMORY, "out of memory: %zu bytes could not be had", bytes);
  ((header_t *)(void *)base)->bytes = bytes;
  count_in(bytes);
  *out = base + ALIGNMENT;
  return PRISM_OK;
}

prism_status_t prism_alloc_zero_bytes(size_t count, size_t size, void **out) {
  void *block = NULL;
  PRISM_TRY(prism_alloc_bytes(count, size, &block));
  memset(block, 0, count * size);
  *out = block;
  return PRISM_OK;
}

prism_status_t prism_grow_bytes(void **block, size_t old_count, size_t new_count, size_t size) {
  void *fresh = NULL;
  PRISM_TRY(prism_alloc_bytes(new_count, size, &fresh));
  size_t keep = old_count < new_count ? old_count : new_count;
  if (*block != NULL && keep > 0) memcpy(fresh, *block, keep * size);
  prism_free(*block);
  *block = fresh;
  return PRISM_OK;
}

void prism_free(void *block) {
  if (block == NULL) return;
  char *base = (char *)block - ALIGNMENT;
  atomic_fetch_sub_explicit(&live_bytes, ((header_t *)(void *)base)->bytes, memory_order_relaxed);
  atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
  free(base);
}

static size_t read_counter(const atomic_size_t *counter) {
  return atomic_load_explicit(counter, memory_order_relaxed);
}

size_t prism_mem_live_blocks(void) { return read_counter(&live_blocks); }
size_t prism_mem_live_bytes(void) { return read_counter(&live_bytes); }
size_t prism_mem_peak_bytes(void) { return read_counter(&peak_bytes); }
