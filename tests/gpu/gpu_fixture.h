/* What every test on a GPU starts with. */
#ifndef PRISM_TESTS_GPU_FIXTURE_H
#define PRISM_TESTS_GPU_FIXTURE_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "runtime/mem_pool.h"

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

/* Ends the program: nothing that a test could go on with. */
static inline void must(prism_status_t status) {
  if (status == PRISM_OK) return;
  printf("%s\n%s", prism_error_text(), prism_error_trace());
  exit(98);
}

static inline void must_cuda(cudaError_t error) {
  if (error == cudaSuccess) return;
  printf("%s: %s\n", cudaGetErrorName(error), cudaGetErrorString(error));
  exit(97);
}

/* The cases of a program, then what they left behind. After a failed one that is no news.
 * Returns what main does. */
#define gpu_run(tests) gpu_end(cmocka_run_group_tests(tests, NULL, NULL))

static inline int gpu_end(int failed) {
  const size_t host = prism_mem_live_blocks(), device = prism_gpu_live_blocks();
  if (failed != 0 || host + device == 0) return failed;
  printf("left behind: %zu blocks of memory, %zu of the GPU's\n", host, device);
  return 1;
}

#endif
