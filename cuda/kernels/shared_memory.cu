#include "kernels/shared_memory.h"

#include "runtime/check.h"

/* Blocks stay until the last one has begun: none finds room beside another. */
__global__ void claim_kernel(void) {
  enum { CYCLES = 4000 };
  const long long begin = clock64();
  while (clock64() - begin < CYCLES) {
  }
}

extern "C" prism_status_t prism_shared_memory_prefer(const void *kernel) {
  PRISM_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                                  cudaSharedmemCarveoutMaxShared));
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_shared_memory(cudaStream_t stream) {
  int device = 0, limit = 0, multiprocessors = 0;
  PRISM_CUDA(cudaGetDevice(&device));
  PRISM_CUDA(cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  PRISM_CUDA(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device));
  PRISM_CUDA(cudaFuncSetAttribute((const void *)claim_kernel,
                                  cudaFuncAttributeMaxDynamicSharedMemorySize, limit));
  PRISM_TRY(prism_shared_memory_prefer((const void *)claim_kernel));
  claim_kernel<<<(unsigned)multiprocessors, 32, (size_t)limit, stream>>>();
  return prism_cuda_launched("claim_kernel");
}
