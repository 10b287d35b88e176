/* The GPU of this process: which there are, whether one can be used, and selecting it.
 *
 * Nothing here makes a context before prism_device_select. CUDA's current device
 * belongs to a thread: every further thread that calls CUDA says prism_device_use
 * first. Thread-safe. */
#ifndef PRISM_CUDA_RUNTIME_DEVICE_H
#define PRISM_CUDA_RUNTIME_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Oldest GPU generation that the kernels are compiled for: 9.0, Hopper, the first with
 * clusters of thread blocks. */
enum { PRISM_DEVICE_CC_MAJOR = 9, PRISM_DEVICE_UUID_BYTES = 41 };

typedef struct prism_device_info {
  int32_t index;                      /* as CUDA counts the visible devices */
  char name[128];                     /* "NVIDIA H100 80GB HBM3" */
  char uuid[PRISM_DEVICE_UUID_BYTES]; /* "GPU-" and 8-4-4-4-12 hexadecimal digits */
  char pci[32];                       /* "0000:1B:00.0" */
  char versions[64];                  /* "CUDA 13.0, driver for CUDA 13.0" */
  int32_t cc_major, cc_minor;         /* compute capability */
  int32_t sm_count;
  int32_t warps_per_sm;
  int32_t blocks_per_sm;
  int32_t registers_per_sm;
  size_t smem_per_sm;           /* bytes */
  size_t smem_per_block_optin;  /* bytes, the most one block can ask for */
  size_t smem_reserved;         /* bytes per block that the system keeps */
  size_t l2_bytes;
  size_t memory_bytes;          /* of the whole device */
  int32_t copy_engines;
  int32_t clock_khz;            /* highest SM clock */
  int32_t driver_version, runtime_version; /* 13000 is CUDA 13.0 */
} prism_device_info_t;

/* [out] count  visible devices, >= 1. PRISM_DEVICE with the reason when there are none:
 * no driver, a driver too old for this build, no GPU, all hidden. */
prism_status_t prism_device_count(int32_t *count);

/* Properties of one device, without a context on it. PRISM_INVALID: no such index. */
prism_status_t prism_device_query(int32_t index, prism_device_info_t *out);

/* Index of the visible device with this UUID, as in prism_device_info. PRISM_DEVICE
 * when there is none. */
prism_status_t prism_device_find(const char *uuid, int32_t *index);

/* Can the kernels run on it? PRISM_DEVICE with the reason. Pure. */
prism_status_t prism_device_check(const prism_device_info_t *info);

/* Query, check, make the context and make it current for this thread. Host waits sleep
 * instead of spinning (the CPU cores search too). [out] info, NULL if not wanted. */
prism_status_t prism_device_select(int32_t index, prism_device_info_t *info);

/* Make an already selected device current for the calling thread. */
prism_status_t prism_device_use(int32_t index);

/* Memory of the current device. [out] free_bytes, total_bytes. */
prism_status_t prism_device_memory(size_t *free_bytes, size_t *total_bytes);

#endif
