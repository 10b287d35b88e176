#include "runtime/alert.h"

#include <math.h>
#include <stdio.h>

typedef struct threshold {
  const char *raised, *cleared, *unit;
  double raise, clear;
  bool warns;
} threshold_t;

static const threshold_t thresholds[] = {
#define THRESHOLD(name, raised, cleared, unit, raise, clear, warns) \
  {raised, cleared, unit, raise, clear, warns},
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

/* Is alert i active after this value? */
static bool judge(prism_alerts_t *alerts, int i, double value) {
  const threshold_t *threshold = &thresholds[i];
  bool was = alerts->active[i];
  bool now = prism_hysteresis(was, value, threshold->raise, threshold->clear);
  if (isnan(value)) return was;
  alerts->value[i] = value;
  alerts->calm[i] = was && !now ? alerts->calm[i] + 1 : 0;
  return now || (was && alerts->calm[i] < PRISM_ALERT_HOLD);
}

void prism_alerts_update(prism_alerts_t *alerts, const prism_nvml_sample_t *sample,
                         uint32_t *raised, uint32_t *cleared) {
  double value[PRISM_ALERT_COUNT];
  *raised = *cleared = 0;
  values_of(sample, value);
  if (sample->throttle >= 0 && (sample->throttle & HARMFUL) != 0)
    alerts->throttle = sample->throttle & HARMFUL;
  for (int i = 0; i < PRISM_ALERT_COUNT; ++i) {
    bool was = alerts->active[i];
    alerts->active[i] = judge(alerts, i, value[i]);
    if (alerts->active[i] && !was) *raised |= 1u << i;
    if (!alerts->active[i] && was) *cleared |= 1u << i;
  }
}

void prism_alert_line(const prism_alerts_t *alerts, prism_alert_t alert, char *out, size_t size) {
  const threshold_t *threshold = &thresholds[alert];
  const bool active = alerts->active[alert];
  const char *text = active ? threshold->raised : threshold->cleared;
  char reasons[96];
  if (alert != PRISM_ALERT_THROTTLE) {
    snprintf(out, size, "%s: %.0f %s", text, alerts->value[alert], threshold->unit);
  } else if (active) {
    prism_nvml_throttle_text(alerts->throttle, reasons, sizeof reasons);
    snprintf(out, size, "%s: %s", text, reasons);
  } else {
    snprintf(out, size, "%s", text);
  }
}

bool prism_alert_warns(prism_alert_t alert) { return thresholds[alert].warns; }
