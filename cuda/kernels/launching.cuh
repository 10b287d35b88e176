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

/* A launch of a grid, as the runtime wants it; `attribute` lives as long as the result. */
static inline cudaLaunchConfig_t config_of(const Grid &grid, cudaLaunchAttribute *attribute) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3((unsigned)grid.blocks);
  config.blockDim = dim3((unsigned)grid.threads);
  config.dynamicSmemBytes = grid.shared;
  *attribute = {};
  attribute->id = cudaLaunchAttributeClusterDimension;
  attribute->val.clusterDim.x = (unsigned)grid.cluster;
  attribute->val.clusterDim.y = attribute->val.clusterDim.z = 1;
  config.attrs = attribute;
  config.numAttrs = grid.cluster > 1 ? 1 : 0;
  return config;
}

/* Let the kernel have as much shared memory as a block may have. [in] grid: of one cluster.
 * [out] resident: groups of `cluster` blocks that the device holds at once: fewer than its
 * multiprocessors would, since a cluster stays within one of their groups and these differ in size;
 * PRISM_UNSUPPORTED: not even one block fits. */
static inline prism_status_t occupy(const Device &device, const void *kernel, const Grid &grid,
                                    int32_t *resident) {
  int blocks = 0, clusters = 0;
  PRISM_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  device.shared));
  PRISM_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, grid.threads,
                                                           grid.shared));
  if (blocks < 1)
    PRISM_FAIL(PRISM_UNSUPPORTED, "a block of %d threads does not fit the device", grid.threads);
  *resident = device.multiprocessors * blocks / grid.cluster;
  if (grid.cluster == 1) return PRISM_OK;
  cudaLaunchAttribute attribute;
  const cudaLaunchConfig_t config = config_of(grid, &attribute);
  PRISM_CUDA(cudaOccupancyMaxActiveClusters(&clusters, kernel, &config));
  if (clusters < 1)
    PRISM_FAIL(PRISM_UNSUPPORTED, "%d blocks of %d threads that share memory do not fit the device",
               grid.cluster, grid.threads);
  *resident = clusters;
  return PRISM_OK;
}

template <class... Parameters, class... Arguments>
static prism_status_t launch(void (*kernel)(Parameters...), const Grid &grid, cudaStream_t stream,
                             const Arguments &...arguments) {
  cudaLaunchAttribute attribute;
  cudaLaunchConfig_t config = config_of(grid, &attribute);
  config.stream = stream;
  PRISM_CUDA(cudaLaunchKernelEx(&config, kernel, arguments...));
  return PRISM_OK;
}

}  // namespace launching

#endif
