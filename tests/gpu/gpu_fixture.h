/* What every test on a GPU starts with. */
#ifndef PRISM_TESTS_GPU_FIXTURE_H
#define PRISM_TESTS_GPU_FIXTURE_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program with 77, which CTest counts as skipped, where no GPU can be used.
 * First thing in main. */
static inline void gpu_require(void) {
  int count = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return;
  (void)cudaGetLastError();
  printf("skipped, no GPU: %s\n",
         error == cudaSuccess ? "none is visible" : cudaGetErrorString(error));
  exit(77);
}

/* compute-sanitizer makes kernels 10 to 100 times slower: with PRISM_TEST_SHORT set, a
 * test runs `some` instead of `all` of its repetitions. */
static inline int gpu_repeats(int all, int some) {
  const char *value = getenv("PRISM_TEST_SHORT");
  bool is_short = value != NULL && value[0] != '\0' && value[0] != '0';
  return is_short ? some : all;
}

#endif
