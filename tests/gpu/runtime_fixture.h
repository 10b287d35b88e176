/* Holding a stream, so that a test decides what has finished and what has not. */
#ifndef PRISM_TESTS_RUNTIME_FIXTURE_H
#define PRISM_TESTS_RUNTIME_FIXTURE_H

#include <cuda_runtime_api.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "gpu/gpu_fixture.h"

enum { GATE_CLOSED, GATE_OPEN, GATE_GAVE_WAY };

static inline void gate_wait(void *gate) {
  double guard = prism_clock_now() + gpu_repeats(20, 5); /* so that a failed test does not hang */
  while (atomic_load((atomic_int *)gate) == GATE_CLOSED && prism_clock_now() < guard)
    prism_clock_sleep(100e-6);
  int closed = GATE_CLOSED;
  atomic_compare_exchange_strong((atomic_int *)gate, &closed, GATE_GAVE_WAY);
}

/* Nothing queued on `stream` after this runs before gate_open. One gate at a time: host
 * functions of different streams may wait for each other. */
static inline void gate_close(atomic_int *gate, cudaStream_t stream) {
  atomic_store(gate, GATE_CLOSED);
  must_cuda(cudaLaunchHostFunc(stream, gate_wait, gate));
}

static inline void gate_open(atomic_int *gate) { atomic_store(gate, GATE_OPEN); }

/* Is it still closed, so that all that was seen before waits for it? Under initcheck a copy
 * does not return before it is made, and the gate gives way. */
static inline bool gate_holds(atomic_int *gate) {
  const bool holds = atomic_load(gate) == GATE_CLOSED;
  if (!holds && gpu_repeats(1, 0) == 1) {
    printf("a closed gate gave way\n");
    exit(96);
  }
  return holds;
}

static inline cudaStream_t fresh_stream(void) {
  cudaStream_t stream = NULL;
  must_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return stream;
}

#endif
