/* Monotonic seconds and UTC time stamps. Thread-safe. */
#ifndef PRISM_BASE_CLOCK_H
#define PRISM_BASE_CLOCK_H

#include <stddef.h>

/* Seconds on a monotonic clock with an arbitrary origin. */
double prism_clock_now(void);

/* Sleep for `seconds`, at least. */
void prism_clock_sleep(double seconds);

/* UTC time now as ISO 8601 with milliseconds, "2026-11-21T01:42:07.123Z" (24
 * characters). `size` >= 25. */
void prism_clock_iso8601(char *out, size_t size);

/* UTC time now for file names, "20261121T014207Z". `size` >= 17. */
void prism_clock_stamp(char *out, size_t size);

#endif
