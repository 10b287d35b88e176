#include "runtime/nvml.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* What this file uses of NVML's interface, declared here so that building needs no
 * nvml.h and running needs no library. A call returns 0 for success. */
typedef struct nvml_utilization {
  unsigned gpu, memory; /* percent */
} nvml_utilization_t;

typedef struct nvml_memory {
  unsigned long long total, free, used; /* bytes */
} nvml_memory_t;

enum { TEMPERATURE_GPU = 0, CLOCK_SM = 1, CLOCK_MEMORY = 2, ECC_UNCORRECTED = 1, ECC_VOLATILE = 0 };

/* X(member, symbol, arguments, needed) */
#define CALL_LIST(X)                                                                           \
  X(init, "nvmlInit_v2", (void), true)                                                         \
  X(shutdown, "nvmlShutdown", (void), true)                                                    \
  X(by_uuid, "nvmlDeviceGetHandleByUUID", (const char *, void **), true)                       \
  X(driver, "nvmlSystemGetDriverVersion", (char *, unsigned), false)                           \
  X(utilization, "nvmlDeviceGetUtilizationRates", (void *, nvml_utilization_t *), false)       \
  X(memory, "nvmlDeviceGetMemoryInfo", (void *, nvml_memory_t *), false)                       \
  X(power, "nvmlDeviceGetPowerUsage", (void *, unsigned *), false)                             \
  X(power_limit, "nvmlDeviceGetEnforcedPowerLimit", (void *, unsigned *), false)               \
  X(temperature, "nvmlDeviceGetTemperature", (void *, int, unsigned *), false)                 \
  X(clock, "nvmlDeviceGetClockInfo", (void *, int, unsigned *), false)                         \
  X(throttle, "nvmlDeviceGetCurrentClocksEventReasons", (void *, unsigned long long *), false) \
  X(throttle_old, "nvmlDeviceGetCurrentClocksThrottleReasons",                                 \
    (void *, unsigned long long *), false)                                                     \
  X(ecc, "nvmlDeviceGetTotalEccErrors", (void *, int, int, unsigned long long *), false)

struct prism_nvml {
  void *library; /* NULL: not available */
  void *device;
#define CALL_MEMBER(member, symbol, arguments, needed) int(*member) arguments;
  CALL_LIST(CALL_MEMBER)
#undef CALL_MEMBER
  char driver_version[32];
  char reason[160];
};

/* A function pointer cannot be had from dlsym without a detour through its bytes. */
static bool load(prism_nvml_t *nvml, const char *symbol, bool needed, void *call, size_t size) {
  void *found = dlsym(nvml->library, symbol);
  memcpy(call, &found, size);
  if (found != NULL || !needed) return true;
  snprintf(nvml->reason, sizeof nvml->reason, "libnvidia-ml.so.1 has no %s", symbol);
  return false;
}

static bool load_calls(prism_nvml_t *nvml) {
#define CALL_LOAD(member, symbol, arguments, needed) \
  if (!load(nvml, symbol, needed, &nvml->member, sizeof nvml->member)) return false;
  CALL_LIST(CALL_LOAD)
#undef CALL_LOAD
  return true;
}

/* True when the device was found; otherwise `reason` says why not. */
static bool open_device(prism_nvml_t *nvml, const char *uuid) {
  if (!load_calls(nvml)) return false;
  int code = nvml->init();
  if (code != 0) {
    snprintf(nvml->reason, sizeof nvml->reason, "NVML does not start (code %d)", code);
    return false;
  }
  code = nvml->by_uuid(uuid, &nvml->device);
  if (code != 0) {
    snprintf(nvml->reason, sizeof nvml->reason, "NVML does not know %.60s (code %d)", uuid, code);
    (void)nvml->shutdown();
    return false;
  }
  char version[sizeof nvml->driver_version] = "";
  if (nvml->driver != NULL && nvml->driver(version, (unsigned)sizeof version) == 0) {
    version[sizeof version - 1] = '\0';
    memcpy(nvml->driver_version, version, sizeof version);
  }
  return true;
}

prism_status_t prism_nvml_create(const char *uuid, prism_nvml_t **out) {
  prism_nvml_t *nvml = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &nvml));
  nvml->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (nvml->library == NULL) {
    snprintf(nvml->reason, sizeof nvml->reason, "libnvidia-ml.so.1 is not installed");
  } else if (!open_device(nvml, uuid)) {
    (void)dlclose(nvml->library);
    nvml->library = NULL;
  }
  *out = nvml;
  return PRISM_OK;
}

bool prism_nvml_available(const prism_nvml_t *nvml) { return nvml->library != NULL; }
const char *prism_nvml_reason(const prism_nvml_t *nvml) { return nvml->reason; }
const char *prism_nvml_driver_version(const prism_nvml_t *nvml) { return nvml->driver_version; }

void prism_nvml_sample_clear(prism_nvml_sample_t *sample) {
  *sample = (prism_nvml_sample_t){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, -1, -1};
}

static void read_counts(const prism_nvml_t *nvml, prism_nvml_sample_t *sample) {
  unsigned long long value = 0;
  /* Drivers before 535 know the reasons by the older name alone. */
  if (nvml->throttle != NULL && nvml->throttle(nvml->device, &value) == 0)
    sample->throttle = (int64_t)value;
  else if (nvml->throttle_old != NULL && nvml->throttle_old(nvml->device, &value) == 0)
    sample->throttle = (int64_t)value;
  value = 0;
  if (nvml->ecc != NULL &&
      nvml->ecc(nvml->device, ECC_UNCORRECTED, ECC_VOLATILE, &value) == 0)
    sample->ecc_uncorrected = (int64_t)value;
}

void prism_nvml_read(const prism_nvml_t *nvml, prism_nvml_sample_t *sample) {
  prism_nvml_sample_clear(sample);
  if (!prism_nvml_available(nvml)) return;
  nvml_utilization_t utilization = {0, 0};
  nvml_memory_t memory = {0, 0, 0};
  unsigned value = 0;
  const double mib = 1048576.0;
  if (nvml->utilization != NULL && nvml->utilization(nvml->device, &utilization) == 0)
    sample->utilization = utilization.gpu;
  if (nvml->memory != NULL && nvml->memory(nvml->device, &memory) == 0) {
    sample->memory_used_mb = (double)memory.used / mib;
    sample->memory_total_mb = (double)memory.total / mib;
  }
  if (nvml->power != NULL && nvml->power(nvml->device, &value) == 0)
    sample->power_w = value / 1000.0;
  if (nvml->power_limit != NULL && nvml->power_limit(nvml->device, &value) == 0)
    sample->power_limit_w = value / 1000.0;
  if (nvml->temperature != NULL && nvml->temperature(nvml->device, TEMPERATURE_GPU, &value) == 0)
    sample->temperature_c = value;
  if (nvml->clock != NULL && nvml->clock(nvml->device, CLOCK_SM, &value) == 0)
    sample->sm_clock_mhz = value;
  if (nvml->clock != NULL && nvml->clock(nvml->device, CLOCK_MEMORY, &value) == 0)
    sample->memory_clock_mhz = value;
  read_counts(nvml, sample);
}

void prism_nvml_throttle_text(int64_t throttle, char *out, size_t size) {
  static const struct {
    int64_t bit;
    const char *text;
  } reason[] = {
#define REASON(name, bit, text, harmful) {bit, text},
      PRISM_THROTTLE_LIST(REASON)
#undef REASON
  };
  size_t used = 0;
  if (size == 0) return;
  out[0] = '\0';
  if (throttle < 0) return;
  for (size_t i = 0; i < sizeof reason / sizeof *reason; ++i) {
    if ((throttle & reason[i].bit) == 0 || used >= size) continue;
    int length = snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", reason[i].text);
    if (length > 0) used += (size_t)length;
  }
}

void prism_nvml_destroy(prism_nvml_t **nvml) {
  if (*nvml == NULL) return;
  if ((*nvml)->library != NULL) {
    (void)(*nvml)->shutdown();
    (void)dlclose((*nvml)->library);
  }
  prism_free(*nvml);
  *nvml = NULL;
}
