/* A bell that several engines ring when a piece of work has ended, so that one
 * thread can wait for all of them at once.
 *
 * It counts what has ended and was not yet collected: whoever collects a result
 * takes its ring back. Thread-safe. */
#ifndef PRISM_SEAM_BELL_H
#define PRISM_SEAM_BELL_H

#include <stdint.h>

#include "base/status.h"

typedef struct prism_bell prism_bell_t;

prism_status_t prism_bell_create(prism_bell_t **out);
/* Nobody may wait any more. */
void prism_bell_destroy(prism_bell_t **bell);

/* One more result waits to be collected. */
void prism_bell_ring(prism_bell_t *bell);

/* A result was collected. */
void prism_bell_answer(prism_bell_t *bell);

/* Wait until a result waits to be collected, or `seconds` passed (0: only look).
 * Returns how many wait. */
int64_t prism_bell_wait(prism_bell_t *bell, double seconds);

#endif
