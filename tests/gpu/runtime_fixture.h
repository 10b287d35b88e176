/* Holding a stream, so that a test decides what has finished and what has not. */
#ifndef PRISM_TESTS_RUNTIME_FIXTURE_H
#define PRISM_TESTS_RUNTIME_FIXTURE_H

#include <cuda_runtime_api.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "gpu/gpu_fixture.h"

static inline void gate_wait(void *gate) {
  double guard = prism_clock_now() + 20.0; /* so that a failed test does not hang */
  while (atomic_load((atomic_int *)gate) == 0 && prism_clock_now() < guard)
    prism_clock_sleep(100e-6);
}

/* Nothing queued on `stream` after this runs before gate_open. One gate at a time: host
 * functions of different streams may wait for each other. */
static inline void gate_close(atomic_int *gate, cudaStream_t stream) {
  atomic_store(gate, 0);
  must_cuda(cudaLaunchHostFunc(stream, gate_wait, gate));
}

static inline void gate_open(atomic_int *gate) { atomic_store(gate, 1); }

static inline cudaStream_t fresh_stream(void) {
  cudaStream_t stream = NULL;
  must_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return stream;
}

#endif
