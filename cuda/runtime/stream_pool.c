#include "runtime/stream_pool.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/check.h"

struct prism_stream_pool {
  prism_stream_mode_t mode;
  int32_t kernels;
  int32_t turn; /* of next() */
  cudaStream_t kernel[PRISM_STREAMS_MAX];
  cudaStream_t purpose[PRISM_STREAM_PURPOSE_COUNT]; /* KERNEL_EXECUTION: kernel[0] again */
};

static const char *const purpose_names[] = {
#define NAME(name, text, urgency) text,
    PRISM_STREAM_PURPOSE_LIST(NAME)
#undef NAME
};

static const int purpose_urgency[] = {
#define URGENCY(name, text, urgency) urgency,
    PRISM_STREAM_PURPOSE_LIST(URGENCY)
#undef URGENCY
};

const char *prism_stream_purpose_name(prism_stream_purpose_t purpose) {
  return purpose >= 0 && purpose < PRISM_STREAM_PURPOSE_COUNT ? purpose_names[purpose] : "unknown";
}

/* CUDA's priorities run from `least` (a larger number) to `greatest`. */
static int priority_of(prism_stream_purpose_t purpose, int least, int greatest) {
  switch (purpose_urgency[purpose]) {
    case 2: return greatest;
    case 1: return least + (greatest - least) / 2;
    default: return least;
  }
}

static prism_status_t create_parallel(prism_stream_pool_t *pool) {
  int least = 0, greatest = 0;
  PRISM_CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  int middle = priority_of(PRISM_STREAM_KERNEL_EXECUTION, least, greatest);
  for (int32_t i = 0; i < pool->kernels; ++i)
    PRISM_CUDA(cudaStreamCreateWithPriority(&pool->kernel[i], cudaStreamNonBlocking, middle));
  for (int i = 0; i < PRISM_STREAM_PURPOSE_COUNT; ++i) {
    if (i == PRISM_STREAM_KERNEL_EXECUTION) continue;
    int priority = priority_of((prism_stream_purpose_t)i, least, greatest);
    PRISM_CUDA(cudaStreamCreateWithPriority(&pool->purpose[i], cudaStreamNonBlocking, priority));
  }
  pool->purpose[PRISM_STREAM_KERNEL_EXECUTION] = pool->kernel[0];
  return PRISM_OK;
}

static prism_status_t create_sequential(prism_stream_pool_t *pool) {
  PRISM_CUDA(cudaStreamCreateWithFlags(&pool->kernel[0], cudaStreamNonBlocking));
  for (int i = 0; i < PRISM_STREAM_PURPOSE_COUNT; ++i) pool->purpose[i] = pool->kernel[0];
  return PRISM_OK;
}

prism_status_t prism_stream_pool_create(int32_t kernel_streams, prism_stream_mode_t mode,
                                        prism_stream_pool_t **out) {
  if (kernel_streams < 1 || kernel_streams > PRISM_STREAMS_MAX)
    PRISM_FAIL(PRISM_INVALID, "%d kernel streams; 1 to %d can be made", kernel_streams,
               PRISM_STREAMS_MAX);
  prism_stream_pool_t *pool = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &pool));
  pool->mode = mode;
  pool->kernels = mode == PRISM_STREAMS_SEQUENTIAL ? 1 : kernel_streams;
  prism_status_t status =
      mode == PRISM_STREAMS_SEQUENTIAL ? create_sequential(pool) : create_parallel(pool);
  if (status != PRISM_OK) {
    prism_stream_pool_destroy(&pool);
    return status;
  }
  *out = pool;
  return PRISM_OK;
}

cudaStream_t prism_stream_pool_get(const prism_stream_pool_t *pool,
                                   prism_stream_purpose_t purpose) {
  return pool->purpose[purpose];
}

int32_t prism_stream_pool_phase_index(const prism_stream_pool_t *pool, prism_phase_t phase) {
  const prism_phase_row_t *row = prism_phase_find((int)phase);
  return row == NULL ? 0 : row->stream % pool->kernels;
}

cudaStream_t prism_stream_pool_phase(const prism_stream_pool_t *pool, prism_phase_t phase) {
  return pool->kernel[prism_stream_pool_phase_index(pool, phase)];
}

cudaStream_t prism_stream_pool_kernel(const prism_stream_pool_t *pool, int32_t index) {
  return pool->kernel[(uint32_t)index % (uint32_t)pool->kernels];
}

cudaStream_t prism_stream_pool_next(prism_stream_pool_t *pool, int32_t *index) {
  int32_t chosen = pool->turn;
  pool->turn = (pool->turn + 1) % pool->kernels;
  if (index != NULL) *index = chosen;
  return pool->kernel[chosen];
}

int32_t prism_stream_pool_size(const prism_stream_pool_t *pool) { return pool->kernels; }

prism_stream_mode_t prism_stream_pool_mode(const prism_stream_pool_t *pool) { return pool->mode; }

void prism_stream_pool_name(const prism_stream_pool_t *pool, cudaStream_t stream, char *out,
                            size_t size) {
  if (pool->mode == PRISM_STREAMS_SEQUENTIAL && stream == pool->kernel[0]) {
    snprintf(out, size, "one stream");
    return;
  }
  for (int32_t i = 0; i < pool->kernels; ++i) {
    if (pool->kernel[i] != stream) continue;
    snprintf(out, size, "%s %d", purpose_names[PRISM_STREAM_KERNEL_EXECUTION], i);
    return;
  }
  for (int i = 0; i < PRISM_STREAM_PURPOSE_COUNT; ++i) {
    if (pool->purpose[i] != stream) continue;
    snprintf(out, size, "%s", purpose_names[i]);
    return;
  }
  snprintf(out, size, "unknown");
}

void prism_stream_pool_tag(const prism_stream_pool_t *pool, prism_phase_t phase, char *out,
                           size_t size) {
  const prism_phase_row_t *row = prism_phase_find((int)phase);
  snprintf(out, size, "[%s][gpu][stream=%d]", row == NULL ? "?" : row->tag,
           prism_stream_pool_phase_index(pool, phase));
}

static prism_status_t drain_stream(cudaStream_t stream, double deadline) {
  bool ready = false;
  for (double pause = 20e-6;; pause = pause < 1e-3 ? 2 * pause : pause) {
    PRISM_TRY(prism_cuda_stream_ready(stream, &ready));
    if (ready) return PRISM_OK;
    if (prism_clock_now() >= deadline)
      PRISM_FAIL(PRISM_TIMEOUT, "the GPU did not finish its work in time");
    prism_clock_sleep(pause);
  }
}

prism_status_t prism_stream_pool_drain(prism_stream_pool_t *pool, double seconds) {
  double deadline = prism_clock_now() + seconds;
  for (int32_t i = 0; i < pool->kernels; ++i) PRISM_TRY(drain_stream(pool->kernel[i], deadline));
  if (pool->mode == PRISM_STREAMS_SEQUENTIAL) return PRISM_OK;
  for (int i = 0; i < PRISM_STREAM_PURPOSE_COUNT; ++i)
    PRISM_TRY(drain_stream(pool->purpose[i], deadline));
  return PRISM_OK;
}

static void destroy_stream(cudaStream_t stream) {
  if (stream != NULL) prism_cuda_drop(cudaStreamDestroy(stream));
}

void prism_stream_pool_destroy(prism_stream_pool_t **pool) {
  if (*pool == NULL) return;
  for (int32_t i = 0; i < (*pool)->kernels; ++i) destroy_stream((*pool)->kernel[i]);
  for (int i = 0; i < PRISM_STREAM_PURPOSE_COUNT; ++i)
    if ((*pool)->mode == PRISM_STREAMS_PARALLEL && i != PRISM_STREAM_KERNEL_EXECUTION)
      destroy_stream((*pool)->purpose[i]);
  prism_free(*pool);
  *pool = NULL;
}
