#include "runtime/coordinator.h"

#include "base/mem.h"
#include "runtime/check.h"
#include "runtime/event_registry.h"

typedef enum operation_kind { UPLOAD, COMPUTE, DOWNLOAD, KINDS } operation_kind_t;

static const double settle_seconds = 10.0;

/* Slot id % PRISM_OPERATIONS holds operation id; one that was overwritten is done. */
typedef struct operation_slot {
  prism_operation_t id; /* 0: never used */
  operation_kind_t kind;
  cudaEvent_t finished;
} operation_slot_t;

struct prism_coordinator {
  cudaStream_t stream[KINDS];
  prism_profiler_t *profiler;
  int32_t row[KINDS];
  prism_operation_t last;
  operation_slot_t slot[PRISM_OPERATIONS];
};

/* What one operation needs between start and finish. */
typedef struct submission {
  operation_slot_t *slot;
  operation_kind_t kind;
  cudaStream_t stream;
  int32_t span;
} submission_t;

static prism_status_t create_rows(prism_coordinator_t *made) {
  PRISM_TRY(prism_profiler_row(made->profiler, "upload", PRISM_PROFILE_TRANSFER,
                               &made->row[UPLOAD]));
  PRISM_TRY(prism_profiler_row(made->profiler, "compute", PRISM_PROFILE_KERNEL,
                               &made->row[COMPUTE]));
  return prism_profiler_row(made->profiler, "download", PRISM_PROFILE_TRANSFER,
                            &made->row[DOWNLOAD]);
}

static prism_status_t create_events(prism_coordinator_t *made) {
  for (int i = 0; i < PRISM_OPERATIONS; ++i)
    PRISM_CUDA(cudaEventCreateWithFlags(&made->slot[i].finished,
                                        cudaEventBlockingSync | cudaEventDisableTiming));
  return PRISM_OK;
}

prism_status_t prism_coordinator_create(const prism_coordinator_config_t *config,
                                        prism_coordinator_t **out) {
  prism_coordinator_t *made = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &made));
  made->stream[COMPUTE] = config->compute;
  made->stream[UPLOAD] = config->async ? config->upload : config->compute;
  made->stream[DOWNLOAD] = config->async ? config->download : config->compute;
  made->profiler = config->profiler;
  prism_status_t status = create_rows(made);
  if (status == PRISM_OK) status = create_events(made);
  if (status != PRISM_OK) {
    prism_coordinator_destroy(&made);
    return status;
  }
  *out = made;
  return PRISM_OK;
}

/* Its slot; NULL when the operation is none or long past. */
static operation_slot_t *find(prism_coordinator_t *coordinator, prism_operation_t operation) {
  if (operation <= 0) return NULL;
  operation_slot_t *slot = &coordinator->slot[operation % PRISM_OPERATIONS];
  return slot->id == operation ? slot : NULL;
}

static prism_status_t check(const prism_coordinator_t *coordinator, prism_operation_t operation) {
  if (operation < 0 || operation > coordinator->last)
    PRISM_FAIL(PRISM_INVALID, "there is no operation %lld", (long long)operation);
  return PRISM_OK;
}

/* Two kinds may share a stream, which then keeps their order without an event. */
static prism_status_t wait_on_stream(prism_coordinator_t *coordinator,
                                     prism_operation_t operation, cudaStream_t stream) {
  PRISM_TRY(check(coordinator, operation));
  operation_slot_t *slot = find(coordinator, operation);
  if (slot == NULL || coordinator->stream[slot->kind] == stream) return PRISM_OK;
  PRISM_CUDA(cudaStreamWaitEvent(stream, slot->finished, 0));
  return PRISM_OK;
}

static prism_status_t start(prism_coordinator_t *coordinator, operation_kind_t kind,
                            const prism_operation_t *depends, int32_t count, submission_t *out) {
  if (count < 0 || count > PRISM_OPERATION_DEPENDENCIES)
    PRISM_FAIL(PRISM_INVALID, "an operation can depend on %d others, not on %d",
               PRISM_OPERATION_DEPENDENCIES, count);
  prism_operation_t next = coordinator->last + 1;
  submission_t made = {.slot = &coordinator->slot[next % PRISM_OPERATIONS],
                       .kind = kind,
                       .stream = coordinator->stream[kind],
                       .span = PRISM_SPAN_NONE};
  for (int32_t i = 0; i < count; ++i)
    PRISM_TRY(wait_on_stream(coordinator, depends[i], made.stream));
  if (made.slot->id != 0) PRISM_CUDA(cudaEventSynchronize(made.slot->finished));
  PRISM_TRY(prism_profiler_begin(coordinator->profiler, coordinator->row[kind], made.stream,
                                 &made.span));
  *out = made;
  return PRISM_OK;
}

static prism_status_t finish(prism_coordinator_t *coordinator, const submission_t *submission,
                             prism_operation_t *operation) {
  PRISM_TRY(prism_profiler_end(coordinator->profiler, submission->span, submission->stream));
  PRISM_CUDA(cudaEventRecord(submission->slot->finished, submission->stream));
  submission->slot->id = ++coordinator->last;
  submission->slot->kind = submission->kind;
  *operation = coordinator->last;
  return PRISM_OK;
}

static prism_status_t copy(prism_coordinator_t *coordinator, operation_kind_t kind, void *to,
                           const void *from, size_t bytes, const prism_operation_t *depends,
                           int32_t count, prism_operation_t *operation) {
  submission_t submission;
  PRISM_TRY(start(coordinator, kind, depends, count, &submission));
  enum cudaMemcpyKind direction = kind == UPLOAD ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost;
  cudaError_t error =
      bytes == 0 ? cudaSuccess : cudaMemcpyAsync(to, from, bytes, direction, submission.stream);
  if (error != cudaSuccess) {
    prism_profiler_cancel(coordinator->profiler, submission.span);
    return prism_cuda_fail(error, "cudaMemcpyAsync", __FILE__, __LINE__, __func__);
  }
  return finish(coordinator, &submission, operation);
}

prism_status_t prism_coordinator_upload(prism_coordinator_t *coordinator, void *device,
                                        const void *host, size_t bytes,
                                        const prism_operation_t *depends, int32_t count,
                                        prism_operation_t *operation) {
  return copy(coordinator, UPLOAD, device, host, bytes, depends, count, operation);
}

prism_status_t prism_coordinator_download(prism_coordinator_t *coordinator, void *host,
                                          const void *device, size_t bytes,
                                          const prism_operation_t *depends, int32_t count,
                                          prism_operation_t *operation) {
  return copy(coordinator, DOWNLOAD, host, device, bytes, depends, count, operation);
}

prism_status_t prism_coordinator_compute(prism_coordinator_t *coordinator, prism_launch_fn launch,
                                         void *context, const prism_operation_t *depends,
                                         int32_t count, prism_operation_t *operation) {
  submission_t submission;
  PRISM_TRY(start(coordinator, COMPUTE, depends, count, &submission));
  prism_status_t status = launch(context, submission.stream);
  if (status != PRISM_OK) {
    prism_profiler_cancel(coordinator->profiler, submission.span);
    return status;
  }
  return finish(coordinator, &submission, operation);
}

prism_status_t prism_coordinator_stream_wait(prism_coordinator_t *coordinator,
                                             prism_operation_t operation, cudaStream_t stream) {
  return wait_on_stream(coordinator, operation, stream);
}

prism_status_t prism_coordinator_poll(prism_coordinator_t *coordinator,
                                      prism_operation_t operation, bool *done) {
  return prism_coordinator_wait(coordinator, operation, 0.0, done);
}

prism_status_t prism_coordinator_wait(prism_coordinator_t *coordinator,
                                      prism_operation_t operation, double seconds, bool *done) {
  PRISM_TRY(check(coordinator, operation));
  operation_slot_t *slot = find(coordinator, operation);
  if (slot != NULL) return prism_event_wait_for(slot->finished, seconds, done);
  *done = true;
  return PRISM_OK;
}

void prism_coordinator_settle(prism_coordinator_t *coordinator, prism_operation_t operation) {
  operation_slot_t *slot = find(coordinator, operation);
  if (slot != NULL) (void)prism_event_settle(slot->finished, settle_seconds);
}

cudaStream_t prism_coordinator_compute_stream(const prism_coordinator_t *coordinator) {
  return coordinator->stream[COMPUTE];
}

void prism_coordinator_destroy(prism_coordinator_t **coordinator) {
  if (*coordinator == NULL) return;
  for (int i = 0; i < PRISM_OPERATIONS; ++i)
    if ((*coordinator)->slot[i].finished != NULL)
      prism_cuda_drop(cudaEventDestroy((*coordinator)->slot[i].finished));
  prism_free(*coordinator);
  *coordinator = NULL;
}
