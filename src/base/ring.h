/* Bounded single-producer, single-consumer ring of fixed-size records.
 *
 * Lock-free (acquire/release). A full ring drops the newest record and counts
 * it: telemetry never blocks a search. One thread pushes, one thread pops. */
#ifndef PRISM_BASE_RING_H
#define PRISM_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct prism_ring prism_ring_t;

/* A ring of `capacity` records (a power of two) of `record_bytes` each.
 * [out] owned by the caller (prism_ring_destroy). */
prism_status_t prism_ring_create(size_t capacity, size_t record_bytes, prism_ring_t **out);
void prism_ring_destroy(prism_ring_t **ring);

/* Producer: copy one record in. False when the ring was full (counted). O(1). */
bool prism_ring_push(prism_ring_t *ring, const void *record);

/* Consumer: copy one record out. False when the ring is empty. O(1). */
bool prism_ring_pop(prism_ring_t *ring, void *record);

/* Records that found the ring full so far; any thread. */
uint64_t prism_ring_dropped(const prism_ring_t *ring);

#endif
