#include "engine/context.h"

#include <string.h>

#include "base/clock.h"
#include "runtime/check.h"

static prism_status_t open_device(const prism_params_gpu_t *params,
                                  prism_gpu_context_t *context) {
  int32_t index = params->device_id >= 0 ? (int32_t)params->device_id : 0;
  PRISM_TRY(prism_device_select(index, &context->device));
  PRISM_TRY(prism_stream_pool_create((int32_t)params->streams,
                                     params->stream_mode == 0 ? PRISM_STREAMS_PARALLEL
                                                              : PRISM_STREAMS_SEQUENTIAL,
                                     &context->streams));
  prism_mem_pool_config_t memory = {.fraction = params->memory_fraction, .ttl = 10.0};
  PRISM_TRY(prism_mem_pool_create(&memory, &context->memory));
  return prism_nvml_create(context->device.uuid, &context->nvml);
}

prism_status_t prism_gpu_context_open(const prism_params_gpu_t *params,
                                      prism_gpu_context_t *context) {
  memset(context, 0, sizeof *context);
  context->params = *params;
  /* Between the kernels of a recorded graph there is no place for the profiler's events. */
  if (params->profile) context->params.graph = false;
  context->begin = prism_clock_now();
  if (pthread_mutex_init(&context->lock, NULL) != 0)
    PRISM_FAIL(PRISM_MEMORY, "the lock of the device memory could not be made");
  context->locked = true;
  prism_status_t status = open_device(params, context);
  if (status != PRISM_OK) prism_gpu_context_close(context);
  return status;
}

void prism_gpu_context_close(prism_gpu_context_t *context) {
  prism_nvml_destroy(&context->nvml);
  prism_mem_pool_destroy(&context->memory);
  prism_stream_pool_destroy(&context->streams);
  if (context->locked) pthread_mutex_destroy(&context->lock);
  context->locked = false;
}

prism_status_t prism_gpu_take(prism_gpu_context_t *context, size_t bytes, cudaStream_t stream,
                              void **out) {
  pthread_mutex_lock(&context->lock);
  prism_status_t status = prism_mem_pool_take(context->memory, bytes, stream, out);
  pthread_mutex_unlock(&context->lock);
  return status;
}

void prism_gpu_release(prism_gpu_context_t *context, void *block, cudaStream_t stream) {
  if (block == NULL) return;
  pthread_mutex_lock(&context->lock);
  /* It cannot be refused: the block came from this pool. On a lost device only the
   * books change. */
  prism_status_t status = prism_mem_pool_release(context->memory, block, stream);
  pthread_mutex_unlock(&context->lock);
  (void)status;
}

size_t prism_gpu_limit(prism_gpu_context_t *context) {
  prism_mem_stats_t stats;
  pthread_mutex_lock(&context->lock);
  prism_mem_pool_stats(context->memory, &stats);
  pthread_mutex_unlock(&context->lock);
  return stats.limit;
}
