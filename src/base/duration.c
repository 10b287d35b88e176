#include "base/duration.h"

#include <math.h>

void prism_duration_add(prism_duration_t *duration, double seconds) {
  double delta = seconds - duration->mean;
  if (duration->count == 0 || seconds < duration->min) duration->min = seconds;
  if (duration->count == 0 || seconds > duration->max) duration->max = seconds;
  ++duration->count;
  duration->total += seconds;
  duration->mean += delta / (double)duration->count;
  duration->spread += delta * (seconds - duration->mean);
}

void prism_duration_merge(prism_duration_t *duration, const prism_duration_t *other) {
  if (other->count == 0) return;
  if (duration->count == 0) {
    *duration = *other;
    return;
  }
  const double a = (double)duration->count, b = (double)other->count;
  const double delta = other->mean - duration->mean;
  duration->spread += other->spread + delta * delta * a * b / (a + b);
  duration->mean += delta * b / (a + b);
  duration->total += other->total;
  duration->count += other->count;
  duration->min = fmin(duration->min, other->min);
  duration->max = fmax(duration->max, other->max);
}

double prism_duration_stddev(const prism_duration_t *duration) {
  return duration->count < 2 ? 0.0 : sqrt(duration->spread / (double)(duration->count - 1));
}
