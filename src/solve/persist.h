/* Checkpoints of a running search.
 *
 * A save is agreed on by all ranks. Each rank copies what its islands know into memory (part.h)
 * when they are idle anyway, and goes on; rank 0 then pulls these parts, rank by rank and piece
 * by piece, and a thread of its own writes them (persist_writer.h). So the search stands still
 * for the copy alone, and memory holds one copy of a rank's state and a few pieces.
 *
 * Asynchronous runs: rank 0 announces a save; an island is copied when its piece of work ends.
 * Deterministic runs: at the end of an epoch, where all islands are idle on all ranks; a run
 * that is cut off in an epoch is saved as it was at the end of the epoch before, so that a
 * resumed run repeats what an uninterrupted one does.
 *
 * A save that fails is told to the user, counted, and tried again when it is next due; the
 * search goes on. Belongs to the rank's main thread. Without checkpoints run->persist is NULL
 * and every call does nothing. */
#ifndef PRISM_SOLVE_PERSIST_H
#define PRISM_SOLVE_PERSIST_H

#include "solve/run.h"

typedef struct prism_persist prism_persist_t;

/* Collective: run->persist, if checkpoints are wanted. After prism_resume_run. */
prism_status_t prism_persist_create(prism_run_t *run);
/* NULL-safe. Waits for the writer; what is not complete by now is given up. */
void prism_persist_destroy(prism_persist_t **persist);

/* Any time: hear wishes, look at the clock, move a save on. Never waits. [out] stop  the run is
 * to end with PRISM_EXIT_CHECKPOINT (rank 0 of an asynchronous run alone) */
prism_status_t prism_persist_look(prism_run_t *run, bool *stop);

/* Island i is idle: it is saved if that is wanted. */
prism_status_t prism_persist_idle(prism_run_t *run, int32_t i);

/* A message with a tag of messages.h that the driver does not know. PRISM_PEER: nor is it
 * known here. */
prism_status_t prism_persist_receive(prism_run_t *run, const prism_message_t *message,
                                     const void *data);

/* Collective, deterministic runs: an epoch has ended that was not cut off, and the run goes
 * on. [in] seconds  of the epoch; anew  it was one of the invocation before.
 * [out] stop  end the run here with PRISM_EXIT_CHECKPOINT */
prism_status_t prism_persist_boundary(prism_run_t *run, double seconds, bool anew, bool *stop);

/* Collective, all islands idle: the last checkpoint, where run->reason asks for one; waits
 * until it is written. [out] checkpoints and the like of run->result */
prism_status_t prism_persist_end(prism_run_t *run);

#endif
