/* What the driver of a rank wants to find again in a checkpoint: what the portfolios of its
 * islands have learned, the way down, counters, migrants that wait. Little-endian, so that a
 * file can be taken to another machine. */
#ifndef PRISM_SOLVE_RUN_STATE_H
#define PRISM_SOLVE_RUN_STATE_H

#include "solve/run.h"

/* All islands of the rank are idle, or what is in flight is left out. [out] bytes  owned by
 * the caller (prism_free) */
prism_status_t prism_run_state_pack(const prism_run_t *run, uint8_t **bytes, size_t *size);

/* Take them over. run->best and its islands are the checkpoint's already. [in] exact  every
 * island of this rank is as it was there: then the rank goes on as it would have. Otherwise
 * what was learned is taken where it fits, and no more. Of a run in another mode or with
 * another aim only that which does not depend on it is taken.
 * PRISM_FORMAT: no words of a rank; the run is unchanged then. */
prism_status_t prism_run_state_unpack(prism_run_t *run, const uint8_t *bytes, size_t size,
                                      bool exact);

#endif
