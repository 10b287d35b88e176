#include "runtime/alert.h"

#include <math.h>

typedef struct threshold {
  const char *text;
  double raise, clear;
} threshold_t;

static const threshold_t thresholds[] = {
#define THRESHOLD(name, text, raise, clear) {text, raise, clear},
    PRISM_ALERT_LIST(THRESHOLD)
#undef THRESHOLD
};

/* Only these mean that something is wrong; a power cap is a GPU's ordinary life. */
enum {
  HARMFUL = 0
#define HARM(name, bit, text, harmful) | ((harmful) ? (bit) : 0)
  PRISM_THROTTLE_LIST(HARM)
#undef HARM
};

bool prism_hysteresis(bool active, double value, double raise, double clear) {
  if (isnan(value)) return active;
  return active ? value >= clear : value >= raise;
}

static void values_of(const prism_nvml_sample_t *sample, double value[PRISM_ALERT_COUNT]) {
  value[PRISM_ALERT_TEMPERATURE] = sample->temperature_c;
  value[PRISM_ALERT_POWER] =
      sample->power_limit_w > 0 ? 100 * sample->power_w / sample->power_limit_w : NAN;
  value[PRISM_ALERT_MEMORY] =
      sample->memory_total_mb > 0 ? 100 * sample->memory_used_mb / sample->memory_total_mb : NAN;
  value[PRISM_ALERT_THROTTLE] =
      sample->throttle < 0 ? NAN : (sample->throttle & HARMFUL) != 0 ? 1.0 : 0.0;
  value[PRISM_ALERT_ECC] = sample->ecc_uncorrected < 0 ? NAN : (double)sample->ecc_uncorrected;
}

void prism_alerts_update(prism_alerts_t *alerts, const prism_nvml_sample_t *sample,
                         uint32_t *raised, uint32_t *cleared) {
  double value[PRISM_ALERT_COUNT];
  *raised = *cleared = 0;
  values_of(sample, value);
  for (int i = 0; i < PRISM_ALERT_COUNT; ++i) {
    bool was = alerts->active[i];
    alerts->active[i] =
        prism_hysteresis(was, value[i], thresholds[i].raise, thresholds[i].clear);
    if (!isnan(value[i])) alerts->value[i] = value[i];
    if (alerts->active[i] && !was) *raised |= 1u << i;
    if (!alerts->active[i] && was) *cleared |= 1u << i;
  }
}

const char *prism_alert_text(prism_alert_t alert) {
  return alert >= 0 && alert < PRISM_ALERT_COUNT ? thresholds[alert].text : "unknown";
}
