/* Long work beside a living main thread: a worker runs the task while the caller
 * keeps telling the other ranks that this one lives, or does something else. */
#ifndef PRISM_APP_BACKGROUND_H
#define PRISM_APP_BACKGROUND_H

#include <stdatomic.h>
#include <stdbool.h>

#include "seam/comm.h"

typedef prism_status_t (*prism_task_t)(void *argument);

/* Run task(argument) in a thread of its own and wait for it; its status and error
 * text become the caller's.
 * [in]  interrupt  not 0: give up and return PRISM_INTERRUPTED; a lost peer ends the
 *                  wait too. NULL: the task is too important, wait in any case.
 * [out] abandoned  it gave up: the worker goes on, and `argument` must stay valid
 *                  for the rest of the process. NULL only without `interrupt`. */
prism_status_t prism_background_run(prism_comm_t *comm, const atomic_int *interrupt,
                                    prism_task_t task, void *argument, bool *abandoned);

/* The same in two steps, for a caller that has work of its own meanwhile. */
typedef struct prism_background prism_background_t;

/* [in] argument  must stay valid until the join. [out] out  to be joined */
prism_status_t prism_background_start(prism_task_t task, void *argument,
                                      prism_background_t **out);
/* Wait for the end of the task; its status and error text. NULL: PRISM_OK. */
prism_status_t prism_background_join(prism_background_t **background);
/* The same while the other ranks hear of this one; as prism_background_run. */
prism_status_t prism_background_await(prism_background_t **background, prism_comm_t *comm,
                                      const atomic_int *interrupt, bool *abandoned);
/* Leave it: true when the task goes on and keeps its argument for the rest of the process.
 * NULL: false. */
bool prism_background_leave(prism_background_t **background);

#endif
