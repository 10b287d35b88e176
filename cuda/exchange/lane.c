#include "exchange/lane.h"

#include <cuda_runtime_api.h>

#include "base/mem.h"
#include "runtime/check.h"

typedef struct lane {
  int device;
  cudaStream_t stream;
  cudaEvent_t given; /* what the operation waits for, on the giver's stream */
  cudaEvent_t start, end;
} lane_t;

static prism_status_t lane_begin(void *self, void *behind) {
  lane_t *lane = self;
  PRISM_CUDA(cudaSetDevice(lane->device));
  if (behind != NULL) {
    PRISM_CUDA(cudaEventRecord(lane->given, behind));
    PRISM_CUDA(cudaStreamWaitEvent(lane->stream, lane->given, 0));
  }
  PRISM_CUDA(cudaEventRecord(lane->start, lane->stream));
  return PRISM_OK;
}

static prism_status_t lane_copy(void *self, void *to, const void *from, size_t bytes) {
  lane_t *lane = self;
  PRISM_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, lane->stream));
  return PRISM_OK;
}

static prism_status_t lane_end(void *self) {
  lane_t *lane = self;
  PRISM_CUDA(cudaEventRecord(lane->end, lane->stream));
  return PRISM_OK;
}

static prism_status_t lane_ended(void *self, bool *done, double *seconds) {
  lane_t *lane = self;
  bool ready = false;
  PRISM_TRY(prism_cuda_event_ready(lane->end, &ready));
  if (ready) {
    float milliseconds = 0.0f;
    PRISM_CUDA(cudaEventElapsedTime(&milliseconds, lane->start, lane->end));
    *seconds = 1e-3 * (double)milliseconds;
  }
  *done = ready;
  return PRISM_OK;
}

static void lane_adopt(void *self) {
  lane_t *lane = self;
  prism_cuda_drop(cudaSetDevice(lane->device));
}

static void lane_close(void *self) {
  lane_t *lane = self;
  if (lane->given != NULL) prism_cuda_drop(cudaEventDestroy(lane->given));
  if (lane->start != NULL) prism_cuda_drop(cudaEventDestroy(lane->start));
  if (lane->end != NULL) prism_cuda_drop(cudaEventDestroy(lane->end));
  if (lane->stream != NULL) prism_cuda_drop(cudaStreamDestroy(lane->stream));
  prism_free(lane);
}

static const prism_lane_ops_t lane_ops = {
    .begin = lane_begin,
    .copy = lane_copy,
    .end = lane_end,
    .ended = lane_ended,
    .adopt = lane_adopt,
    .close = lane_close,
};

static prism_status_t open_lane(lane_t *lane) {
  int least = 0, greatest = 0;
  PRISM_CUDA(cudaGetDevice(&lane->device));
  PRISM_CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  PRISM_CUDA(cudaStreamCreateWithPriority(&lane->stream, cudaStreamNonBlocking, greatest));
  PRISM_CUDA(cudaEventCreateWithFlags(&lane->given, cudaEventDisableTiming));
  PRISM_CUDA(cudaEventCreate(&lane->start));
  PRISM_CUDA(cudaEventCreate(&lane->end));
  return PRISM_OK;
}

prism_status_t prism_lane_create(prism_lane_t *out) {
  lane_t *lane = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &lane));
  prism_status_t status = open_lane(lane);
  if (status != PRISM_OK) {
    lane_close(lane);
    return status;
  }
  *out = (prism_lane_t){.ops = &lane_ops, .self = lane, .stream = lane->stream};
  return PRISM_OK;
}
