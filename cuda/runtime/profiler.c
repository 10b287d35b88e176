#include "runtime/profiler.h"

#include <math.h>
#include <nvtx3/nvToolsExt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/check.h"

enum { ANCHORS = 4, OVERLAP_INTERVALS = 4096, CAPACITY_MAX = 65536 };

/* CUDA tells times as single-precision milliseconds between two events. So that they
 * stay exact to a microsecond in a run of days, starts are measured from an anchor, an
 * event renewed every few seconds whose own time is kept in double precision. */
static const double anchor_seconds = 4.0;

typedef struct anchor {
  cudaEvent_t event;
  double time; /* seconds since the first anchor */
  int32_t spans; /* that measure from it */
} anchor_t;

typedef enum span_state { SPAN_FREE, SPAN_OPEN, SPAN_CLOSED } span_state_t;

typedef struct span {
  cudaEvent_t begin, end; /* made when first used */
  nvtxRangeId_t range;
  span_state_t state;
  bool started;  /* `start` is known */
  double start;  /* seconds since the first anchor */
  int32_t row;
  int32_t anchor;
  int32_t place; /* in `active` */
} span_t;

struct prism_profiler {
  cudaStream_t stream; /* of the anchors */
  anchor_t anchor[ANCHORS];
  int32_t anchor_now;
  bool anchor_coming; /* the next one is recorded */
  double anchor_asked;
  span_t *span;
  int32_t *free_span;
  int32_t *active;
  int32_t capacity, free_count, active_count;
  char name[PRISM_PROFILE_ROWS][PRISM_PROFILE_NAME_BYTES];
  prism_profile_row_t row[PRISM_PROFILE_ROWS];
  int32_t rows;
  int64_t left_out;
  double latest; /* end of the latest span taken in */
  prism_overlap_t *overlap;
};

static prism_status_t create_anchors(prism_profiler_t *made) {
  int least = 0, greatest = 0;
  PRISM_CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  PRISM_CUDA(cudaStreamCreateWithPriority(&made->stream, cudaStreamNonBlocking, greatest));
  for (int i = 0; i < ANCHORS; ++i)
    PRISM_CUDA(cudaEventCreateWithFlags(&made->anchor[i].event, cudaEventBlockingSync));
  PRISM_CUDA(cudaEventRecord(made->anchor[0].event, made->stream));
  PRISM_CUDA(cudaEventSynchronize(made->anchor[0].event)); /* every span starts after it */
  made->anchor_asked = prism_clock_now();
  return PRISM_OK;
}

static prism_status_t create_parts(prism_profiler_t *made) {
  PRISM_TRY(PRISM_ALLOC_ZERO(made->capacity, &made->span));
  PRISM_TRY(PRISM_ALLOC(made->capacity, &made->free_span));
  PRISM_TRY(PRISM_ALLOC(made->capacity, &made->active));
  for (int32_t i = 0; i < made->capacity; ++i) made->free_span[i] = made->capacity - 1 - i;
  made->free_count = made->capacity;
  PRISM_TRY(prism_overlap_create(OVERLAP_INTERVALS, &made->overlap));
  return create_anchors(made);
}

prism_status_t prism_profiler_create(int32_t capacity, prism_profiler_t **out) {
  if (capacity < 1 || capacity > CAPACITY_MAX)
    PRISM_FAIL(PRISM_INVALID, "a profiler of %d spans; 1 to %d can be had", capacity, CAPACITY_MAX);
  prism_profiler_t *made = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &made));
  made->capacity = capacity;
  prism_status_t status = create_parts(made);
  if (status != PRISM_OK) {
    prism_profiler_destroy(&made);
    return status;
  }
  *out = made;
  return PRISM_OK;
}

prism_status_t prism_profiler_row(prism_profiler_t *profiler, const char *name,
                                  prism_profile_kind_t kind, int32_t *row) {
  if (profiler == NULL) {
    *row = 0;
    return PRISM_OK;
  }
  int32_t at = 0;
  while (at < profiler->rows && strcmp(profiler->name[at], name) != 0) ++at;
  if (at < profiler->rows && profiler->row[at].kind != kind)
    PRISM_FAIL(PRISM_INVALID, "the profiler knows %s as something else", name);
  if (at == PRISM_PROFILE_ROWS || strlen(name) >= PRISM_PROFILE_NAME_BYTES)
    PRISM_FAIL(PRISM_INVALID, "the profiler has no room for %s", name);
  if (at == profiler->rows) {
    snprintf(profiler->name[at], sizeof profiler->name[at], "%s", name);
    profiler->row[at] = (prism_profile_row_t){.name = profiler->name[at], .kind = kind};
    ++profiler->rows;
  }
  *row = at;
  return PRISM_OK;
}

static void free_span(prism_profiler_t *profiler, int32_t id) {
  span_t *span = &profiler->span[id];
  int32_t moved = profiler->active[--profiler->active_count];
  profiler->active[span->place] = moved;
  profiler->span[moved].place = span->place;
  profiler->free_span[profiler->free_count++] = id;
  --profiler->anchor[span->anchor].spans;
  span->state = SPAN_FREE;
}

static prism_status_t start_span(prism_profiler_t *profiler, span_t *span, int32_t row,
                                 cudaStream_t stream) {
  /* Default flags: only events with timing will do. */
  if (span->begin == NULL) PRISM_CUDA(cudaEventCreate(&span->begin));
  if (span->end == NULL) PRISM_CUDA(cudaEventCreate(&span->end));
  PRISM_CUDA(cudaEventRecord(span->begin, stream));
  span->range = nvtxRangeStartA(profiler->name[row]);
  span->started = false;
  span->row = row;
  span->anchor = profiler->anchor_now;
  span->state = SPAN_OPEN;
  ++profiler->anchor[span->anchor].spans;
  return PRISM_OK;
}

prism_status_t prism_profiler_begin(prism_profiler_t *profiler, int32_t row, cudaStream_t stream,
                                    int32_t *span) {
  *span = PRISM_SPAN_NONE;
  if (profiler == NULL) return PRISM_OK;
  if (row < 0 || row >= profiler->rows)
    PRISM_FAIL(PRISM_INVALID, "the profiler has no row %d", row);
  if (profiler->free_count == 0) PRISM_TRY(prism_profiler_collect(profiler));
  if (profiler->free_count == 0) {
    ++profiler->left_out;
    return PRISM_OK;
  }
  int32_t id = profiler->free_span[profiler->free_count - 1];
  PRISM_TRY(start_span(profiler, &profiler->span[id], row, stream));
  --profiler->free_count;
  profiler->span[id].place = profiler->active_count;
  profiler->active[profiler->active_count++] = id;
  *span = id;
  return PRISM_OK;
}

static bool is_open(const prism_profiler_t *profiler, int32_t span) {
  return profiler != NULL && span >= 0 && span < profiler->capacity &&
         profiler->span[span].state == SPAN_OPEN;
}

prism_status_t prism_profiler_end(prism_profiler_t *profiler, int32_t span, cudaStream_t stream) {
  if (profiler == NULL || span == PRISM_SPAN_NONE) return PRISM_OK;
  if (!is_open(profiler, span))
    PRISM_FAIL(PRISM_INVALID, "the profiler's span %d is not open", span);
  nvtxRangeEnd(profiler->span[span].range);
  cudaError_t error = cudaEventRecord(profiler->span[span].end, stream);
  if (error != cudaSuccess) {
    free_span(profiler, span);
    return prism_cuda_fail(error, "cudaEventRecord", __FILE__, __LINE__, __func__);
  }
  profiler->span[span].state = SPAN_CLOSED;
  return PRISM_OK;
}

void prism_profiler_cancel(prism_profiler_t *profiler, int32_t span) {
  if (!is_open(profiler, span)) return;
  nvtxRangeEnd(profiler->span[span].range);
  free_span(profiler, span);
}

static prism_status_t elapsed(cudaEvent_t from, cudaEvent_t to, double *seconds) {
  float milliseconds = 0;
  PRISM_CUDA(cudaEventElapsedTime(&milliseconds, from, to));
  *seconds = (double)milliseconds * 1e-3;
  return PRISM_OK;
}

/* An anchor becomes current only when it is seen complete, so that no span that refers
 * to it can have begun before it. */
static prism_status_t renew_anchor(prism_profiler_t *profiler) {
  int32_t next = (profiler->anchor_now + 1) % ANCHORS;
  anchor_t *now = &profiler->anchor[profiler->anchor_now], *coming = &profiler->anchor[next];
  if (!profiler->anchor_coming) {
    double time = prism_clock_now();
    if (time - profiler->anchor_asked < anchor_seconds || coming->spans > 0) return PRISM_OK;
    PRISM_CUDA(cudaEventRecord(coming->event, profiler->stream));
    profiler->anchor_asked = time;
    profiler->anchor_coming = true;
    return PRISM_OK;
  }
  bool done = false;
  double seconds = 0;
  PRISM_TRY(prism_cuda_event_ready(coming->event, &done));
  if (!done) return PRISM_OK;
  PRISM_TRY(elapsed(now->event, coming->event, &seconds));
  coming->time = now->time + seconds;
  profiler->anchor_now = next;
  profiler->anchor_coming = false;
  return PRISM_OK;
}

/* Take in what is known of one span. [out] finished */
static prism_status_t look_at(prism_profiler_t *profiler, span_t *span, bool *finished) {
  const anchor_t *anchor = &profiler->anchor[span->anchor];
  prism_profile_row_t *row = &profiler->row[span->row];
  double seconds = 0;
  bool done = span->started;
  *finished = false;
  if (!done) PRISM_TRY(prism_cuda_event_ready(span->begin, &done));
  if (!done) return PRISM_OK;
  if (!span->started) {
    PRISM_TRY(elapsed(anchor->event, span->begin, &seconds));
    span->start = anchor->time + seconds;
    span->started = true;
  }
  if (span->state != SPAN_CLOSED) return PRISM_OK;
  PRISM_TRY(prism_cuda_event_ready(span->end, finished));
  if (!*finished) return PRISM_OK;
  PRISM_TRY(elapsed(span->begin, span->end, &seconds));
  prism_duration_add(&row->duration, seconds);
  profiler->latest = fmax(profiler->latest, span->start + seconds);
  if (row->kind != PRISM_PROFILE_PHASE)
    prism_overlap_add(profiler->overlap,
                      row->kind == PRISM_PROFILE_KERNEL ? PRISM_ACTIVITY_KERNEL
                                                        : PRISM_ACTIVITY_TRANSFER,
                      span->start, span->start + seconds);
  return PRISM_OK;
}

prism_status_t prism_profiler_collect(prism_profiler_t *profiler) {
  if (profiler == NULL) return PRISM_OK;
  PRISM_TRY(renew_anchor(profiler));
  /* A span that has not begun yet begins later than anything that has ended by now, and
   * of one that has begun the start is known: before both nothing new can come. */
  double horizon = profiler->latest;
  for (int32_t i = profiler->active_count - 1; i >= 0; --i) {
    int32_t id = profiler->active[i];
    span_t *span = &profiler->span[id];
    bool finished = false;
    PRISM_TRY(look_at(profiler, span, &finished));
    if (finished)
      free_span(profiler, id); /* the last one moves to i; it was looked at before */
    else if (span->started && profiler->row[span->row].kind != PRISM_PROFILE_PHASE)
      horizon = fmin(horizon, span->start);
  }
  prism_overlap_settle(profiler->overlap, horizon);
  return PRISM_OK;
}

int32_t prism_profiler_rows(const prism_profiler_t *profiler) {
  return profiler == NULL ? 0 : profiler->rows;
}

void prism_profiler_get(const prism_profiler_t *profiler, int32_t row, prism_profile_row_t *out) {
  bool known = row >= 0 && row < prism_profiler_rows(profiler);
  *out = known ? profiler->row[row] : (prism_profile_row_t){.name = ""};
}

void prism_profiler_overlap(const prism_profiler_t *profiler, prism_overlap_times_t *out) {
  *out = (prism_overlap_times_t){0};
  if (profiler != NULL) prism_overlap_times(profiler->overlap, out);
}

int64_t prism_profiler_left_out(const prism_profiler_t *profiler) {
  return profiler == NULL ? 0 : profiler->left_out;
}

static void destroy_event(cudaEvent_t event) {
  if (event != NULL) prism_cuda_drop(cudaEventDestroy(event));
}

void prism_profiler_destroy(prism_profiler_t **profiler) {
  prism_profiler_t *old = *profiler;
  if (old == NULL) return;
  for (int32_t i = 0; old->span != NULL && i < old->capacity; ++i) {
    destroy_event(old->span[i].begin);
    destroy_event(old->span[i].end);
  }
  for (int i = 0; i < ANCHORS; ++i) destroy_event(old->anchor[i].event);
  if (old->stream != NULL) prism_cuda_drop(cudaStreamDestroy(old->stream));
  prism_overlap_destroy(&old->overlap);
  prism_free(old->span);
  prism_free(old->free_span);
  prism_free(old->active);
  prism_free(old);
  *profiler = NULL;
}
