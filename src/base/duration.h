/* Running statistics of durations, in one pass and without cancellation (Welford 1962),
 * that can be joined (Chan, Golub & LeVeque 1979). Pure. */
#ifndef PRISM_BASE_DURATION_H
#define PRISM_BASE_DURATION_H

#include <stdint.h>

/* Seconds. Zero-initialise. */
typedef struct prism_duration {
  int64_t count;
  double total, min, max, mean;
  double spread; /* sum of squared differences from the mean */
} prism_duration_t;

void prism_duration_add(prism_duration_t *duration, double seconds);

/* As if all of `other` had been added one by one. */
void prism_duration_merge(prism_duration_t *duration, const prism_duration_t *other);

double prism_duration_stddev(const prism_duration_t *duration); /* 0 below two values */

#endif
