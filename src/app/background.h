/* Long work beside a living main thread: a worker runs the task while the caller
 * keeps telling the other ranks that this one lives. */
#ifndef PRISM_APP_BACKGROUND_H
#define PRISM_APP_BACKGROUND_H

#include <stdatomic.h>

#include "seam/comm.h"

typedef prism_status_t (*prism_task_t)(void *argument);

/* Run task(argument) in a thread of its own and wait for it; its status and error
 * text become the caller's.
 * [in] interrupt  not 0: give up and return PRISM_INTERRUPTED. NULL: never.
 * When it gives up (interrupt, or a lost peer) the worker is left to itself and
 * `argument` must stay valid for the rest of the process; the caller ends it. */
prism_status_t prism_background_run(prism_comm_t *comm, const atomic_int *interrupt,
                                    prism_task_t task, void *argument);

#endif
