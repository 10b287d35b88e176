#include "runtime/event_registry.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/check.h"

typedef struct named_event {
  char name[PRISM_EVENT_NAME_BYTES];
  cudaEvent_t event;
  bool timed;
  bool recorded;
} named_event_t;

struct prism_event_registry {
  named_event_t *event;
  int32_t count, capacity;
};

prism_status_t prism_event_registry_create(prism_event_registry_t **out) {
  return PRISM_ALLOC_ZERO(1, out);
}

int32_t prism_event_find(const prism_event_registry_t *registry, const char *name) {
  for (int32_t i = 0; i < registry->count; ++i)
    if (strcmp(registry->event[i].name, name) == 0) return i;
  return PRISM_EVENT_NONE;
}

prism_status_t prism_event_get(prism_event_registry_t *registry, const char *name, bool timed,
                               int32_t *id) {
  int32_t found = prism_event_find(registry, name);
  if (found != PRISM_EVENT_NONE) {
    *id = found;
    return PRISM_OK;
  }
  if (strlen(name) >= PRISM_EVENT_NAME_BYTES)
    PRISM_FAIL(PRISM_INVALID, "the event name %s is longer than %d characters", name,
               PRISM_EVENT_NAME_BYTES - 1);
  if (registry->count == registry->capacity) {
    int32_t capacity = registry->capacity == 0 ? 16 : 2 * registry->capacity;
    PRISM_TRY(PRISM_GROW(&registry->event, registry->capacity, capacity));
    registry->capacity = capacity;
  }
  named_event_t made = {.timed = timed};
  snprintf(made.name, sizeof made.name, "%s", name);
  /* Blocking: a host that waits sleeps, its core has a search to run. */
  PRISM_CUDA(cudaEventCreateWithFlags(
      &made.event, cudaEventBlockingSync | (timed ? 0u : (unsigned)cudaEventDisableTiming)));
  registry->event[registry->count] = made;
  *id = registry->count++;
  return PRISM_OK;
}

static prism_status_t locate(prism_event_registry_t *registry, int32_t id, named_event_t **out) {
  if (id < 0 || id >= registry->count)
    PRISM_FAIL(PRISM_INVALID, "there is no event %d", id);
  *out = &registry->event[id];
  return PRISM_OK;
}

static prism_status_t locate_recorded(prism_event_registry_t *registry, int32_t id,
                                      named_event_t **out) {
  PRISM_TRY(locate(registry, id, out));
  if (!(*out)->recorded)
    PRISM_FAIL(PRISM_INVALID, "the event %s was never recorded", (*out)->name);
  return PRISM_OK;
}

const char *prism_event_name(const prism_event_registry_t *registry, int32_t id) {
  return id < 0 || id >= registry->count ? "" : registry->event[id].name;
}

int32_t prism_event_count(const prism_event_registry_t *registry) { return registry->count; }

prism_status_t prism_event_record(prism_event_registry_t *registry, int32_t id,
                                  cudaStream_t stream) {
  named_event_t *event = NULL;
  PRISM_TRY(locate(registry, id, &event));
  PRISM_CUDA(cudaEventRecord(event->event, stream));
  event->recorded = true;
  return PRISM_OK;
}

bool prism_event_is_recorded(const prism_event_registry_t *registry, int32_t id) {
  return id >= 0 && id < registry->count && registry->event[id].recorded;
}

prism_status_t prism_event_stream_wait(prism_event_registry_t *registry, int32_t id,
                                       cudaStream_t stream) {
  named_event_t *event = NULL;
  PRISM_TRY(locate_recorded(registry, id, &event));
  PRISM_CUDA(cudaStreamWaitEvent(stream, event->event, 0));
  return PRISM_OK;
}

prism_status_t prism_event_query(prism_event_registry_t *registry, int32_t id, bool *done) {
  named_event_t *event = NULL;
  PRISM_TRY(locate_recorded(registry, id, &event));
  return prism_cuda_event_ready(event->event, done);
}

prism_status_t prism_event_wait_for(cudaEvent_t event, double seconds, bool *done) {
  bool ready = false;
  if (seconds < 0) {
    PRISM_CUDA(cudaEventSynchronize(event));
    *done = true;
    return PRISM_OK;
  }
  double deadline = prism_clock_now() + seconds;
  for (double pause = 10e-6;; pause = pause < 500e-6 ? 2 * pause : pause) {
    PRISM_TRY(prism_cuda_event_ready(event, &ready));
    double left = deadline - prism_clock_now();
    if (ready || left <= 0) break;
    prism_clock_sleep(pause < left ? pause : left);
  }
  *done = ready;
  return PRISM_OK;
}

bool prism_event_settle(cudaEvent_t event, double seconds) {
  double deadline = prism_clock_now() + seconds;
  cudaError_t error = cudaEventQuery(event);
  while (error == cudaErrorNotReady && prism_clock_now() < deadline) {
    prism_clock_sleep(200e-6);
    error = cudaEventQuery(event);
  }
  prism_cuda_drop(error);
  return error == cudaSuccess;
}

prism_status_t prism_event_host_wait(prism_event_registry_t *registry, int32_t id, double seconds,
                                     bool *done) {
  named_event_t *event = NULL;
  PRISM_TRY(locate_recorded(registry, id, &event));
  return prism_event_wait_for(event->event, seconds, done);
}

prism_status_t prism_event_elapsed(prism_event_registry_t *registry, int32_t from, int32_t to,
                                   double *seconds) {
  named_event_t *first = NULL, *last = NULL;
  float milliseconds = 0;
  PRISM_TRY(locate_recorded(registry, from, &first));
  PRISM_TRY(locate_recorded(registry, to, &last));
  if (!first->timed || !last->timed)
    PRISM_FAIL(PRISM_INVALID, "the event %s has no time", first->timed ? last->name : first->name);
  PRISM_CUDA(cudaEventElapsedTime(&milliseconds, first->event, last->event));
  *seconds = (double)milliseconds * 1e-3;
  return PRISM_OK;
}

void prism_event_clear(prism_event_registry_t *registry, int32_t id) {
  if (id >= 0 && id < registry->count) registry->event[id].recorded = false;
}

void prism_event_clear_all(prism_event_registry_t *registry) {
  for (int32_t i = 0; i < registry->count; ++i) registry->event[i].recorded = false;
}

void prism_event_registry_destroy(prism_event_registry_t **registry) {
  if (*registry == NULL) return;
  for (int32_t i = 0; i < (*registry)->count; ++i)
    prism_cuda_drop(cudaEventDestroy((*registry)->event[i].event));
  prism_free((*registry)->event);
  prism_free(*registry);
  *registry = NULL;
}
