/* Named CUDA events: what has to have happened before something else may start.
 *
 * An event that was never recorded (or was cleared) cannot be waited for: CUDA would
 * treat it as complete, which hides a missing dependency, so it is PRISM_INVALID here.
 * One thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_EVENT_REGISTRY_H
#define PRISM_CUDA_RUNTIME_EVENT_REGISTRY_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { PRISM_EVENT_NAME_BYTES = 48, PRISM_EVENT_NONE = -1 };

typedef struct prism_event_registry prism_event_registry_t;

prism_status_t prism_event_registry_create(prism_event_registry_t **out);

/* The event of this name, made if new, unrecorded then. [in] timed: it can be given to
 * prism_event_elapsed; only asked when it is made. [out] id 0.. */
prism_status_t prism_event_get(prism_event_registry_t *registry, const char *name, bool timed,
                               int32_t *id);

/* Id of a name; PRISM_EVENT_NONE. */
int32_t prism_event_find(const prism_event_registry_t *registry, const char *name);
const char *prism_event_name(const prism_event_registry_t *registry, int32_t id);
int32_t prism_event_count(const prism_event_registry_t *registry);

prism_status_t prism_event_record(prism_event_registry_t *registry, int32_t id,
                                  cudaStream_t stream);
bool prism_event_is_recorded(const prism_event_registry_t *registry, int32_t id);

/* Later work of `stream` waits for the event; the host does not. */
prism_status_t prism_event_stream_wait(prism_event_registry_t *registry, int32_t id,
                                       cudaStream_t stream);

/* [out] done  has everything before its last record finished? */
prism_status_t prism_event_query(prism_event_registry_t *registry, int32_t id, bool *done);

/* The host sleeps until then, `seconds` at most (negative: no limit). [out] done */
prism_status_t prism_event_host_wait(prism_event_registry_t *registry, int32_t id, double seconds,
                                     bool *done);

/* [out] seconds  from one event to the other; both timed and complete. */
prism_status_t prism_event_elapsed(prism_event_registry_t *registry, int32_t from, int32_t to,
                                   double *seconds);

/* Back to "never recorded"; the name stays. */
void prism_event_clear(prism_event_registry_t *registry, int32_t id);
void prism_event_clear_all(prism_event_registry_t *registry);

/* Safe after a lost device. */
void prism_event_registry_destroy(prism_event_registry_t **registry);

/* Wait on a bare event as above: used by all modules that wait. */
prism_status_t prism_event_wait_for(cudaEvent_t event, double seconds, bool *done);

/* For release paths: the same, but an error is dropped and ends the wait. True: done. */
bool prism_event_settle(cudaEvent_t event, double seconds);

#endif
