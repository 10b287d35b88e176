/* The asynchronous coordinator: uploads, computations and downloads as operations that
 * name the operations they depend on. Each kind has its stream; dependencies across
 * streams become event waits on the device, never on the host.
 *
 * With async off all three kinds share the compute stream: the same operations in the
 * order they were submitted, with the same results. Operations of one kind run in the
 * order of submission. The host blocks only when PRISM_OPERATIONS operations are
 * unfinished (the oldest is then waited for). One thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_COORDINATOR_H
#define PRISM_CUDA_RUNTIME_COORDINATOR_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/profiler.h"

enum { PRISM_OPERATIONS = 256, PRISM_OPERATION_DEPENDENCIES = 8 };

/* Operations are numbered from 1 in the order of submission; 0 is "none" and may stand
 * in a list of dependencies. */
typedef int64_t prism_operation_t;

typedef struct prism_coordinator_config {
  cudaStream_t upload, compute, download; /* borrowed */
  bool async;
  prism_profiler_t *profiler; /* borrowed; NULL: nothing is measured */
} prism_coordinator_config_t;

typedef struct prism_coordinator prism_coordinator_t;

/* Launches the kernels of a compute operation on `stream`; called once, inside
 * prism_coordinator_compute. */
typedef prism_status_t (*prism_launch_fn)(void *context, cudaStream_t stream);

prism_status_t prism_coordinator_create(const prism_coordinator_config_t *config,
                                        prism_coordinator_t **out);

/* [in] depends [count] operations that must be finished before; [out] operation.
 * Host memory must be pinned and stay untouched until the operation is done. */
prism_status_t prism_coordinator_upload(prism_coordinator_t *coordinator, void *device,
                                        const void *host, size_t bytes,
                                        const prism_operation_t *depends, int32_t count,
                                        prism_operation_t *operation);
prism_status_t prism_coordinator_download(prism_coordinator_t *coordinator, void *host,
                                          const void *device, size_t bytes,
                                          const prism_operation_t *depends, int32_t count,
                                          prism_operation_t *operation);
prism_status_t prism_coordinator_compute(prism_coordinator_t *coordinator, prism_launch_fn launch,
                                         void *context, const prism_operation_t *depends,
                                         int32_t count, prism_operation_t *operation);

/* Make a foreign stream wait for an operation. */
prism_status_t prism_coordinator_stream_wait(prism_coordinator_t *coordinator,
                                             prism_operation_t operation, cudaStream_t stream);

/* [out] done. 0 and operations long past are done. */
prism_status_t prism_coordinator_poll(prism_coordinator_t *coordinator,
                                      prism_operation_t operation, bool *done);
/* Wait `seconds` at most (negative: no limit). [out] done */
prism_status_t prism_coordinator_wait(prism_coordinator_t *coordinator,
                                      prism_operation_t operation, double seconds, bool *done);

/* For release paths: wait some seconds and drop errors, so that memory the operation
 * uses may be freed. */
void prism_coordinator_settle(prism_coordinator_t *coordinator, prism_operation_t operation);

cudaStream_t prism_coordinator_compute_stream(const prism_coordinator_t *coordinator);

/* Waits for nothing: wait for the last operation first. Safe after a lost device. */
void prism_coordinator_destroy(prism_coordinator_t **coordinator);

#endif
