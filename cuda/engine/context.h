/* What the islands of a CUDA engine share: the device, its streams and its memory.
 * The memory pool is used under its lock; streams and device are thread-safe. */
#ifndef PRISM_CUDA_ENGINE_CONTEXT_H
#define PRISM_CUDA_ENGINE_CONTEXT_H

#include <pthread.h>

#include "base/params.h"
#include "runtime/device.h"
#include "runtime/mem_pool.h"
#include "runtime/nvml.h"
#include "runtime/stream_pool.h"

typedef struct prism_gpu_context {
  prism_params_gpu_t params;
  prism_device_info_t device;
  prism_stream_pool_t *streams;
  prism_mem_pool_t *memory;
  pthread_mutex_t lock; /* of `memory` */
  bool locked;          /* the lock exists */
  prism_nvml_t *nvml;
  double begin;         /* of the engine, prism_clock_now */
} prism_gpu_context_t;

prism_status_t prism_gpu_context_open(const prism_params_gpu_t *params,
                                      prism_gpu_context_t *context);
/* All memory must have been given back. */
void prism_gpu_context_close(prism_gpu_context_t *context);

/* prism_mem_pool_take and _release for work of `stream`. */
prism_status_t prism_gpu_take(prism_gpu_context_t *context, size_t bytes, cudaStream_t stream,
                              void **out);
void prism_gpu_release(prism_gpu_context_t *context, void *block, cudaStream_t stream);

/* Most bytes that can ever be taken. */
size_t prism_gpu_limit(prism_gpu_context_t *context);

#endif
