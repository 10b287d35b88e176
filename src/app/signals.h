/* SIGINT and SIGTERM: the first asks the run to stop in order, the second ends
 * the process at once with 128 + its number. */
#ifndef PRISM_APP_SIGNALS_H
#define PRISM_APP_SIGNALS_H

#include <stdatomic.h>

#include "base/status.h"

/* Install the handlers; once, from the main thread. */
prism_status_t prism_signals_install(void);

/* 0, or the number of the first signal. */
const atomic_int *prism_signals_flag(void);

#endif
