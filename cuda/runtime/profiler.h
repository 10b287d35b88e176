/* Where the device's time goes: spans between two events on a stream, collected when
 * they are complete and never waited for.
 *
 * A row is a kernel, a phase or a kind of transfer; each has count, total, min, max,
 * mean and standard deviation (Welford 1962). Spans of kernels and transfers also feed
 * the overlap meter. When the ring of spans is full a span is left out and counted. Spans
 * are NVTX ranges of the launching thread too. A NULL profiler is allowed everywhere and
 * measures nothing. Spans must not begin or end inside a capture: measure the launch of
 * the graph. One thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_PROFILER_H
#define PRISM_CUDA_RUNTIME_PROFILER_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/duration.h"
#include "base/status.h"
#include "runtime/overlap.h"

typedef struct prism_profiler prism_profiler_t;

typedef enum prism_profile_kind {
  PRISM_PROFILE_KERNEL,   /* counts as busy */
  PRISM_PROFILE_TRANSFER, /* counts as transfer */
  PRISM_PROFILE_PHASE     /* encloses others: statistics only */
} prism_profile_kind_t;

typedef struct prism_profile_row {
  const char *name; /* owned by the profiler */
  prism_profile_kind_t kind;
  prism_duration_t duration; /* seconds */
} prism_profile_row_t;

enum { PRISM_PROFILE_NAME_BYTES = 48, PRISM_PROFILE_ROWS = 64, PRISM_SPAN_NONE = -1 };

/* On the current device. [in] capacity  spans that may be under way, 1..65536. */
prism_status_t prism_profiler_create(int32_t capacity, prism_profiler_t **out);

/* Row of this name, made if new. PRISM_INVALID: no room for another. [out] row */
prism_status_t prism_profiler_row(prism_profiler_t *profiler, const char *name,
                                  prism_profile_kind_t kind, int32_t *row);

/* A span on `stream`. [out] span  for end; PRISM_SPAN_NONE when it is left out. */
prism_status_t prism_profiler_begin(prism_profiler_t *profiler, int32_t row, cudaStream_t stream,
                                    int32_t *span);
prism_status_t prism_profiler_end(prism_profiler_t *profiler, int32_t span, cudaStream_t stream);

/* Give up a begun span whose work could not be queued. */
void prism_profiler_cancel(prism_profiler_t *profiler, int32_t span);

/* Take in the spans that have finished. Cheap, never waits; call it once a generation. */
prism_status_t prism_profiler_collect(prism_profiler_t *profiler);

/* As of the last collect. */
int32_t prism_profiler_rows(const prism_profiler_t *profiler);
void prism_profiler_get(const prism_profiler_t *profiler, int32_t row, prism_profile_row_t *out);
void prism_profiler_overlap(const prism_profiler_t *profiler, prism_overlap_times_t *out);
int64_t prism_profiler_left_out(const prism_profiler_t *profiler);

/* Safe after a lost device. */
void prism_profiler_destroy(prism_profiler_t **profiler);

#endif
