/* Notices from a thread of its own that a rank's search no longer gets anywhere: islands have
 * work, and for a long time none has finished any. A GPU or a disk that hangs looks like that
 * while the main thread still tells the other ranks that it lives, or hangs itself. */
#ifndef PRISM_APP_WATCHDOG_H
#define PRISM_APP_WATCHDOG_H

#include <stdbool.h>

#include "solve/solve.h"

/* ---- the judgement ---- */

typedef struct prism_watch {
  long long submitted, finished; /* as last seen */
  double idle;                   /* s that islands had work and none finished any */
} prism_watch_t;

/* Look after `seconds` more; islands without work, or waiting for other ranks, are no reason to
 * worry. Returns true when `patience` is over. */
bool prism_watch_look(prism_watch_t *watch, prism_pulse_t *pulse, double seconds,
                      double patience);

/* ---- the thread ---- */

typedef struct prism_watchdog prism_watchdog_t;

/* Look at `pulse` until stopped. Time in which this process itself was stopped does not count.
 * [in] bark  called once, from the thread, with what the rank was doing:
 * "no work finished for 600 s (run.watchdog); it ran head at 48 colors"; may end the process.
 * [in] patience  s; 0: no thread is started and *out is NULL */
prism_status_t prism_watchdog_start(prism_pulse_t *pulse, double patience,
                                    void (*bark)(void *user, const char *text), void *user,
                                    prism_watchdog_t **out);
void prism_watchdog_stop(prism_watchdog_t **watchdog);

#endif
