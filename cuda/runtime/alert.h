/* Alerts about a GPU's health, with hysteresis: raised above one threshold, cleared
 * below another, so that a value at the threshold does not flutter. Pure. */
#ifndef PRISM_CUDA_RUNTIME_ALERT_H
#define PRISM_CUDA_RUNTIME_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/nvml.h"

/* X(NAME, text, raised at or above, cleared below) */
#define PRISM_ALERT_LIST(X)                                      \
  X(TEMPERATURE, "the GPU is hot (degrees C)", 85.0, 80.0)       \
  X(POWER, "the GPU is at its power limit (percent)", 99.0, 95.0) \
  X(MEMORY, "the GPU's memory is nearly full (percent)", 97.0, 93.0) \
  X(THROTTLE, "the GPU is slowed down by heat or power supply", 0.5, 0.5) \
  X(ECC, "memory errors of the GPU that were not corrected", 0.5, 0.5)

typedef enum prism_alert {
#define PRISM_ALERT_ENUM(name, text, raise, clear) PRISM_ALERT_##name,
  PRISM_ALERT_LIST(PRISM_ALERT_ENUM)
#undef PRISM_ALERT_ENUM
  PRISM_ALERT_COUNT
} prism_alert_t;

/* Zero-initialise. */
typedef struct prism_alerts {
  bool active[PRISM_ALERT_COUNT];
  double value[PRISM_ALERT_COUNT]; /* last available one */
} prism_alerts_t;

/* Should an alert be active after this value? NAN leaves it as it is. */
bool prism_hysteresis(bool active, double value, double raise, double clear);

/* Take in a sample. [out] raised, cleared  bits 1 << prism_alert of what changed. */
void prism_alerts_update(prism_alerts_t *alerts, const prism_nvml_sample_t *sample,
                         uint32_t *raised, uint32_t *cleared);

const char *prism_alert_text(prism_alert_t alert);

#endif
