/* Health of a GPU by NVML, NVIDIA's management library, loaded at run time.
 *
 * Where the library, the device or a single value is missing, that is no error: the
 * value is "not available" (NAN, or -1). One thread at a time; a sample takes up to some
 * milliseconds, so not from a search thread. */
#ifndef PRISM_CUDA_RUNTIME_NVML_H
#define PRISM_CUDA_RUNTIME_NVML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct prism_nvml prism_nvml_t;

typedef struct prism_nvml_sample {
  double utilization;        /* percent of the time that some kernel ran */
  double memory_used_mb;     /* MiB, of all processes */
  double memory_total_mb;
  double power_w;
  double power_limit_w;
  double temperature_c;
  double sm_clock_mhz;
  double memory_clock_mhz;
  int64_t throttle;          /* bits of PRISM_THROTTLE_LIST; -1: not available */
  int64_t ecc_uncorrected;   /* memory errors since the driver was loaded; -1 */
} prism_nvml_sample_t;

/* Reasons for a lower clock, as NVML numbers them. X(NAME, bit, text, harmful) */
#define PRISM_THROTTLE_LIST(X)                          \
  X(IDLE, 0x1, "idle", false)                           \
  X(SETTING, 0x2, "clock setting", false)               \
  X(POWER_CAP, 0x4, "power cap", false)                 \
  X(SLOWDOWN, 0x8, "hardware slowdown", true)           \
  X(SYNC_BOOST, 0x10, "sync boost", false)              \
  X(THERMAL, 0x20, "temperature", true)                 \
  X(HW_THERMAL, 0x40, "critical temperature", true)     \
  X(HW_POWER_BRAKE, 0x80, "power brake", true)          \
  X(DISPLAY, 0x100, "display clock", false)

enum {
#define PRISM_THROTTLE_ENUM(name, bit, text, harmful) PRISM_THROTTLE_##name = bit,
  PRISM_THROTTLE_LIST(PRISM_THROTTLE_ENUM)
#undef PRISM_THROTTLE_ENUM
};

/* Never fails for want of NVML: prism_nvml_reason then says why there is none.
 * [in] uuid  of prism_device_info. PRISM_MEMORY (of the host) alone is an error. */
prism_status_t prism_nvml_create(const char *uuid, prism_nvml_t **out);

bool prism_nvml_available(const prism_nvml_t *nvml);
const char *prism_nvml_reason(const prism_nvml_t *nvml);         /* "" when available */
const char *prism_nvml_driver_version(const prism_nvml_t *nvml); /* "580.95.05"; "" */

/* [out] sample  every member set, to "not available" where it is. */
void prism_nvml_read(const prism_nvml_t *nvml, prism_nvml_sample_t *sample);

/* All members "not available". */
void prism_nvml_sample_clear(prism_nvml_sample_t *sample);

/* "power cap, temperature"; "" where there is none or it is not known. */
void prism_nvml_throttle_text(int64_t throttle, char *out, size_t size);

void prism_nvml_destroy(prism_nvml_t **nvml);

#endif
