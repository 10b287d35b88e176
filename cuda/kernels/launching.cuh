/* How kernels come onto the device: what it holds, how many blocks of a kernel it holds at
 * once, and a launch, of clusters too. Host code; calls belong to the calling thread's
 * device. */
#ifndef PRISM_CUDA_KERNELS_LAUNCHING_CUH
#define PRISM_CUDA_KERNELS_LAUNCHING_CUH

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/check.h"

namespace launching {

struct Device {
  int shared; /* bytes that a block may have */
  int multiprocessors;
};

static inline prism_status_t look_at(Device *out) {
  int device = 0;
  PRISM_CUDA(cudaGetDevice(&device));
  PRISM_CUDA(cudaDeviceGetAttribute(&out->shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  PRISM_CUDA(cudaDeviceGetAttribute(&out->multiprocessors, cudaDevAttrMultiProcessorCount, device));
  return PRISM_OK;
}

/* The grid of a launch. */
struct Grid {
  int32_t blocks, cluster; /* cluster: blocks of each, 1: none */
  int32_t threads;         /* of a block */
  size_t shared;           /* bytes of a block */
};

/* Let the kernel have as much shared memory as a block may have. [out] resident: groups of
 * `cluster` blocks that the device holds at once; PRISM_UNSUPPORTED: not even one block fits.
 * The grid's blocks are not read. */
static inline prism_status_t occupy(const Device &device, const void *kernel, const Grid &grid,
                                    int32_t *resident) {
  int blocks = 0;
  PRISM_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  device.shared));
  PRISM_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, grid.threads,
                                                           grid.shared));
  if (blocks < 1)
    PRISM_FAIL(PRISM_UNSUPPORTED, "a block of %d threads does not fit the device", grid.threads);
  *resident = device.multiprocessors * blocks / grid.cluster;
  return PRISM_OK;
}

template <class... Parameters, class... Arguments>
static prism_status_t launch(void (*kernel)(Parameters...), const Grid &grid, cudaStream_t stream,
                             const Arguments &...arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3((unsigned)grid.blocks);
  config.blockDim = dim3((unsigned)grid.threads);
  config.dynamicSmemBytes = grid.shared;
  config.stream = stream;
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = (unsigned)grid.cluster;
  attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
  config.attrs = &attribute;
  config.numAttrs = grid.cluster > 1 ? 1 : 0;
  PRISM_CUDA(cudaLaunchKernelEx(&config, kernel, arguments...));
  return PRISM_OK;
}

}  // namespace launching

#endif
