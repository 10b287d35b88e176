/* Alerts about a GPU's health, with hysteresis: raised above one threshold, cleared once
 * ten samples have been below another, so that neither a value at the threshold nor a
 * short pause flutters. Pure. */
#ifndef PRISM_CUDA_RUNTIME_ALERT_H
#define PRISM_CUDA_RUNTIME_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/nvml.h"

/* X(NAME, when raised, when cleared, unit, raised at or above, cleared below, warns)
 * A power limit is a busy GPU's ordinary life: no warning. */
#define PRISM_ALERT_LIST(X)                                                                     \
  X(TEMPERATURE, "the GPU is hot", "the GPU has cooled down", "degrees C", 85.0, 80.0, true)    \
  X(POWER, "the GPU is at its power limit", "the GPU is below its power limit again", "%",      \
    99.0, 95.0, false)                                                                          \
  X(MEMORY, "the memory of the GPU is nearly full", "the memory of the GPU has room again",     \
    "%", 97.0, 93.0, true)                                                                      \
  X(THROTTLE, "the GPU is slowed down", "the GPU is no longer slowed down", "", 0.5, 0.5, true) \
  X(ECC, "the memory of the GPU had errors that were not corrected",                            \
    "the memory of the GPU has no errors any more", "since its driver was loaded", 0.5, 0.5, true)

typedef enum prism_alert {
#define PRISM_ALERT_ENUM(name, raised, cleared, unit, raise, clear, warns) PRISM_ALERT_##name,
  PRISM_ALERT_LIST(PRISM_ALERT_ENUM)
#undef PRISM_ALERT_ENUM
  PRISM_ALERT_COUNT
} prism_alert_t;

enum { PRISM_ALERT_HOLD = 10 }; /* samples */

/* Zero-initialise. */
typedef struct prism_alerts {
  bool active[PRISM_ALERT_COUNT];
  double value[PRISM_ALERT_COUNT]; /* last available one */
  int32_t calm[PRISM_ALERT_COUNT]; /* samples in a row that would clear an active one */
  int64_t throttle;                /* harmful reasons of the last sample that told any */
} prism_alerts_t;

/* Should an alert be active after this value? NAN leaves it as it is. */
bool prism_hysteresis(bool active, double value, double raise, double clear);

/* Take in a sample. [out] raised, cleared  bits 1 << prism_alert of what changed. */
void prism_alerts_update(prism_alerts_t *alerts, const prism_nvml_sample_t *sample,
                         uint32_t *raised, uint32_t *cleared);

/* One line about an alert as it stands: "the GPU is hot: 87 degrees C". */
void prism_alert_line(const prism_alerts_t *alerts, prism_alert_t alert, char *out, size_t size);

/* Is it worth a warning when it is raised, more than a remark? */
bool prism_alert_warns(prism_alert_t alert);

#endif
