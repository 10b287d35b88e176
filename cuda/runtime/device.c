#include "runtime/device.h"

#include <stdio.h>
#include <string.h>

#include "runtime/check.h"

/* What to do about it matters more to a user than CUDA's name of the error. */
static prism_status_t fail_count(cudaError_t error) {
  (void)cudaGetLastError();
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  if (driver == 0)
    PRISM_FAIL(PRISM_DEVICE, "no NVIDIA driver is installed on this machine");
  if (error == cudaErrorInsufficientDriver)
    PRISM_FAIL(PRISM_DEVICE, "the NVIDIA driver is for CUDA %d.%d, this build needs CUDA %d.%d",
               driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000,
               CUDART_VERSION % 1000 / 10);
  if (error == cudaErrorNoDevice)
    PRISM_FAIL(PRISM_DEVICE, "no GPU is visible; is CUDA_VISIBLE_DEVICES set?");
  PRISM_FAIL(PRISM_DEVICE, "the GPUs cannot be counted: %s (%s)", cudaGetErrorString(error),
             cudaGetErrorName(error));
}

prism_status_t prism_device_count(int32_t *count) {
  int found = 0;
  cudaError_t error = cudaGetDeviceCount(&found);
  if (error == cudaSuccess && found == 0) error = cudaErrorNoDevice;
  if (error != cudaSuccess) return fail_count(error);
  *count = found;
  return PRISM_OK;
}

static void format_uuid(const cudaUUID_t *uuid, char out[PRISM_DEVICE_UUID_BYTES]) {
  char *at = out;
  at += sprintf(at, "GPU-");
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    at += sprintf(at, "%02x", (unsigned)(unsigned char)uuid->bytes[i]);
  }
}

static prism_status_t attribute(int32_t index, enum cudaDeviceAttr which, int32_t *out) {
  int value = 0;
  PRISM_CUDA(cudaDeviceGetAttribute(&value, which, index));
  *out = value;
  return PRISM_OK;
}

static prism_status_t attribute_size(int32_t index, enum cudaDeviceAttr which, size_t *out) {
  int32_t value = 0;
  PRISM_TRY(attribute(index, which, &value));
  *out = value > 0 ? (size_t)value : 0;
  return PRISM_OK;
}

static prism_status_t query_limits(int32_t index, prism_device_info_t *info) {
  int32_t threads = 0, warp = 32;
  PRISM_TRY(attribute(index, cudaDevAttrComputeCapabilityMajor, &info->cc_major));
  PRISM_TRY(attribute(index, cudaDevAttrComputeCapabilityMinor, &info->cc_minor));
  PRISM_TRY(attribute(index, cudaDevAttrMultiProcessorCount, &info->sm_count));
  PRISM_TRY(attribute(index, cudaDevAttrMaxThreadsPerMultiProcessor, &threads));
  PRISM_TRY(attribute(index, cudaDevAttrWarpSize, &warp));
  info->warps_per_sm = threads / (warp > 0 ? warp : 32);
  PRISM_TRY(attribute(index, cudaDevAttrMaxBlocksPerMultiprocessor, &info->blocks_per_sm));
  PRISM_TRY(attribute(index, cudaDevAttrMaxRegistersPerMultiprocessor, &info->registers_per_sm));
  PRISM_TRY(attribute(index, cudaDevAttrAsyncEngineCount, &info->copy_engines));
  PRISM_TRY(attribute(index, cudaDevAttrClockRate, &info->clock_khz));
  PRISM_TRY(attribute_size(index, cudaDevAttrMaxSharedMemoryPerMultiprocessor,
                           &info->smem_per_sm));
  PRISM_TRY(attribute_size(index, cudaDevAttrMaxSharedMemoryPerBlockOptin,
                           &info->smem_per_block_optin));
  PRISM_TRY(attribute_size(index, cudaDevAttrReservedSharedMemoryPerBlock, &info->smem_reserved));
  return attribute_size(index, cudaDevAttrL2CacheSize, &info->l2_bytes);
}

prism_status_t prism_device_query(int32_t index, prism_device_info_t *out) {
  int32_t count = 0;
  PRISM_TRY(prism_device_count(&count));
  if (index < 0 || index >= count)
    PRISM_FAIL(PRISM_INVALID, "there is no GPU %d; the GPUs are 0 to %d", index, count - 1);
  prism_device_info_t info = {.index = index};
  struct cudaDeviceProp properties;
  PRISM_CUDA(cudaGetDeviceProperties(&properties, index));
  snprintf(info.name, sizeof info.name, "%.127s", properties.name);
  format_uuid(&properties.uuid, info.uuid);
  info.memory_bytes = properties.totalGlobalMem;
  PRISM_TRY(query_limits(index, &info));
  PRISM_CUDA(cudaDeviceGetPCIBusId(info.pci, (int)sizeof info.pci, index));
  PRISM_CUDA(cudaDriverGetVersion(&info.driver_version));
  PRISM_CUDA(cudaRuntimeGetVersion(&info.runtime_version));
  snprintf(info.versions, sizeof info.versions, "CUDA %d.%d, driver for CUDA %d.%d",
           info.runtime_version / 1000, info.runtime_version % 1000 / 10,
           info.driver_version / 1000, info.driver_version % 1000 / 10);
  *out = info;
  return PRISM_OK;
}

prism_status_t prism_device_find(const char *uuid, int32_t *index) {
  int32_t count = 0;
  PRISM_TRY(prism_device_count(&count));
  for (int32_t i = 0; i < count; ++i) {
    prism_device_info_t info;
    PRISM_TRY(prism_device_query(i, &info));
    if (strcmp(info.uuid, uuid) != 0) continue;
    *index = i;
    return PRISM_OK;
  }
  PRISM_FAIL(PRISM_DEVICE, "no visible GPU has the UUID %s", uuid);
}

prism_status_t prism_device_check(const prism_device_info_t *info) {
  if (info->cc_major < PRISM_DEVICE_CC_MAJOR)
    PRISM_FAIL(PRISM_DEVICE, "GPU %d (%s) has compute capability %d.%d; %d.0 is needed",
               info->index, info->name, info->cc_major, info->cc_minor, PRISM_DEVICE_CC_MAJOR);
  if (info->sm_count < 1 || info->memory_bytes == 0)
    PRISM_FAIL(PRISM_DEVICE, "GPU %d (%s) reports no processors or no memory", info->index,
               info->name);
  return PRISM_OK;
}

prism_status_t prism_device_select(int32_t index, prism_device_info_t *info) {
  prism_device_info_t found;
  int32_t pools = 0;
  PRISM_TRY(prism_device_query(index, &found));
  PRISM_TRY(prism_device_check(&found));
  PRISM_TRY(attribute(index, cudaDevAttrMemoryPoolsSupported, &pools));
  if (pools == 0)
    PRISM_FAIL(PRISM_DEVICE, "GPU %d (%s): its driver offers no memory pools", index, found.name);
  PRISM_CUDA(cudaInitDevice(index, cudaDeviceScheduleBlockingSync, cudaInitDeviceFlagsAreValid));
  PRISM_TRY(prism_device_use(index));
  if (info != NULL) *info = found;
  return PRISM_OK;
}

prism_status_t prism_device_use(int32_t index) {
  PRISM_CUDA(cudaSetDevice(index));
  return PRISM_OK;
}

prism_status_t prism_device_memory(size_t *free_bytes, size_t *total_bytes) {
  PRISM_CUDA(cudaMemGetInfo(free_bytes, total_bytes));
  return PRISM_OK;
}
