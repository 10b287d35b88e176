/* SIGINT and SIGTERM: the first asks the run to stop in order, the second ends
 * the process at once with 128 + its number, unless it is a TERM within a second of the first
 * (a batch system says it twice).
 *
 * SIGUSR1 and SIGUSR2 are wishes: save a checkpoint; save one and stop. Until the search can
 * hear them, USR1 waits for it and USR2 asks to stop in order, for there is nothing to save. */
#ifndef PRISM_APP_SIGNALS_H
#define PRISM_APP_SIGNALS_H

#include <stdatomic.h>

#include "base/status.h"

/* Install the handlers; once, from the main thread. */
prism_status_t prism_signals_install(void);

/* 0, or the number of the signal that asked to stop. */
const atomic_int *prism_signals_flag(void);

/* From here on wishes go to the search, also those that came before. Returns where they
 * stand (a prism_wish_t): it takes them by exchanging them for PRISM_WISH_NONE. */
atomic_int *prism_signals_wishes(void);

#endif
