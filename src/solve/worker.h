/* Threads beside the one that talks to the other ranks: for one long piece of work, and for
 * files.
 *
 * Reading and reducing a graph can take longer than the peers' patience. The
 * work runs in a thread of its own while the caller (the thread that owns the
 * communicator) sends heartbeats. Not collective. */
#ifndef PRISM_SOLVE_WORKER_H
#define PRISM_SOLVE_WORKER_H

#include <pthread.h>

#include "base/status.h"
#include "seam/comm.h"

typedef prism_status_t (*prism_worker_fn_t)(void *arg);

/* Run fn(arg) to its end. fn must not use `comm`.
 * [in] comm  heartbeats about every 0.2 s; NULL or a single rank: fn runs in the
 *            calling thread
 * Returns the status of fn with its error text. When fn succeeded but a heartbeat
 * failed meanwhile, the first such error; fn has still run to its end. */
prism_status_t prism_worker_run(prism_worker_fn_t fn, void *arg, const prism_comm_t *comm);

/* Start a thread that writes files while the search goes on; the caller joins it. The search's
 * signals are not for it, and a blocked SIGXFSZ makes a file size limit an ordinary write error
 * there. [in] what  its name, for the message. PRISM_MEMORY: it cannot start. */
prism_status_t prism_worker_start(pthread_t *thread, void *(*main_fn)(void *), void *arg,
                                  const char *what);

#endif
