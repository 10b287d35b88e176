/* How much of a device's time is used: overlap of kernels and transfers. Pure.
 *
 * Intervals are seconds on one clock and may come in any order. Settled time is kept as
 * sums only, so memory stays bounded however long a run lasts. One thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_OVERLAP_H
#define PRISM_CUDA_RUNTIME_OVERLAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct prism_interval {
  double begin, end;
} prism_interval_t;

typedef struct prism_overlap_times {
  double span;     /* from the first begin to the last end */
  double busy;     /* some kernel ran */
  double idle;     /* span less busy */
  double transfer; /* some transfer ran */
  double hidden;   /* transfers while a kernel ran: of no cost */
  double late;     /* of intervals that came after their time was settled: not counted */
} prism_overlap_times_t;

/* Sort, and merge what overlaps or touches. Intervals that end before they begin are
 * left out. Returns how many are left. */
size_t prism_interval_union(prism_interval_t *interval, size_t count);

/* Summed length of a union. */
double prism_interval_length(const prism_interval_t *interval, size_t count);

/* Length that two unions have in common. */
double prism_interval_common(const prism_interval_t *a, size_t a_count, const prism_interval_t *b,
                             size_t b_count);

typedef enum prism_activity { PRISM_ACTIVITY_KERNEL, PRISM_ACTIVITY_TRANSFER } prism_activity_t;

typedef struct prism_overlap prism_overlap_t;

/* [in] capacity >= 4 merged intervals of each activity that may wait to be settled. */
prism_status_t prism_overlap_create(size_t capacity, prism_overlap_t **out);
void prism_overlap_destroy(prism_overlap_t **overlap);

/* When the store is full its older half is settled first. */
void prism_overlap_add(prism_overlap_t *overlap, prism_activity_t activity, double begin,
                       double end);

/* No interval that begins before `horizon` will come any more. */
void prism_overlap_settle(prism_overlap_t *overlap, double horizon);

/* Settled and waiting time together. O(capacity). */
void prism_overlap_times(const prism_overlap_t *overlap, prism_overlap_times_t *out);

#endif
