#include "base/ring.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

/* Positions only grow; their low bits are the slot. Each side keeps the other's
 * position as it last saw it, so the shared lines move only when the ring looks
 * full or empty. The padding keeps the two sides on lines of their own. */
struct prism_ring {
  size_t mask;
  size_t record_bytes;
  char *slots;
  char pad0[64 - 3 * sizeof(size_t)];
  atomic_size_t written; /* by the producer */
  size_t read_seen;
  _Atomic uint64_t dropped;
  char pad1[64 - 2 * sizeof(size_t) - sizeof(uint64_t)];
  atomic_size_t read; /* by the consumer */
  size_t written_seen;
};

prism_status_t prism_ring_create(size_t capacity, size_t record_bytes, prism_ring_t **out) {
  *out = NULL;
  if (capacity == 0 || (capacity & (capacity - 1)) != 0)
    PRISM_FAIL(PRISM_INVALID, "the capacity of a ring must be a power of two, not %zu", capacity);
  if (record_bytes == 0) PRISM_FAIL(PRISM_INVALID, "the records of a ring are empty");
  prism_ring_t *ring = NULL;
  void *slots = NULL;
  PRISM_TRY(prism_alloc_bytes(capacity, record_bytes, &slots));
  prism_status_t status = PRISM_ALLOC_ZERO(1, &ring);
  if (status != PRISM_OK) prism_free(slots);
  PRISM_TRY(status);
  ring->mask = capacity - 1;
  ring->record_bytes = record_bytes;
  ring->slots = slots;
  atomic_init(&ring->written, 0);
  atomic_init(&ring->read, 0);
  atomic_init(&ring->dropped, 0);
  *out = ring;
  return PRISM_OK;
}

void prism_ring_destroy(prism_ring_t **ring) {
  if (ring == NULL || *ring == NULL) return;
  prism_free((*ring)->slots);
  prism_free(*ring);
  *ring = NULL;
}

bool prism_ring_push(prism_ring_t *ring, const void *record) {
  size_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
  if (at - ring->read_seen > ring->mask) {
    ring->read_seen = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (at - ring->read_seen > ring->mask) {
      atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
      return false;
    }
  }
  memcpy(ring->slots + (at & ring->mask) * ring->record_bytes, record, ring->record_bytes);
  atomic_store_explicit(&ring->written, at + 1, memory_order_release);
  return true;
}

bool prism_ring_pop(prism_ring_t *ring, void *record) {
  size_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
  if (at == ring->written_seen) {
    ring->written_seen = atomic_load_explicit(&ring->written, memory_order_acquire);
    if (at == ring->written_seen) return false;
  }
  memcpy(record, ring->slots + (at & ring->mask) * ring->record_bytes, ring->record_bytes);
  atomic_store_explicit(&ring->read, at + 1, memory_order_release);
  return true;
}

uint64_t prism_ring_dropped(const prism_ring_t *ring) {
  return atomic_load_explicit(&ring->dropped, memory_order_relaxed);
}
