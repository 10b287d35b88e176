/* The thread that writes checkpoints, so that the search never waits for the disk. The main
 * thread hands over a head and pieces through a queue of a few, and looks now and then whether
 * the file is there. One save at a time. Rank 0 only; HDF5 is called from the thread alone. */
#ifndef PRISM_SOLVE_PERSIST_WRITER_H
#define PRISM_SOLVE_PERSIST_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "solve/checkpoint.h"
#include "solve/history.h"
#include "solve/piece.h"

typedef struct prism_persist_writer prism_persist_writer_t;

enum { PRISM_PERSIST_ERROR_BYTES = 512 };

/* How the last save ended. */
typedef struct prism_persist_outcome {
  prism_status_t status;
  char text[PRISM_PERSIST_ERROR_BYTES]; /* of a failure */
  int64_t bytes;   /* of the file */
  double seconds;  /* from begin to end */
} prism_persist_outcome_t;

/* Start the thread. [in] path, history  borrowed until destroy */
prism_status_t prism_persist_writer_create(const char *path, const prism_history_t *history,
                                           prism_persist_writer_t **out);

/* A save that has not been committed is given up; waits for the thread. NULL-safe. */
void prism_persist_writer_destroy(prism_persist_writer_t **writer);

/* Begin a save, when none is under way. head->best is owned by the writer from here, the other
 * pointers are borrowed until destroy; the history as it is now goes into the file. */
void prism_persist_writer_begin(prism_persist_writer_t *writer,
                                const prism_checkpoint_head_t *head);

/* Pieces that put() can take at once. */
int32_t prism_persist_writer_room(prism_persist_writer_t *writer);

/* The next piece of the save; owned by the writer from here. Only where there is room. */
void prism_persist_writer_put(prism_persist_writer_t *writer, prism_piece_t *piece);

/* That was all: make it the checkpoint. */
void prism_persist_writer_commit(prism_persist_writer_t *writer);

/* Give the save up, unless it is about to be committed. */
void prism_persist_writer_cancel(prism_persist_writer_t *writer);

/* Has the save ended, or failed? True once for each. [out] outcome; PRISM_INTERRUPTED when it
 * was given up */
bool prism_persist_writer_ended(prism_persist_writer_t *writer, prism_persist_outcome_t *outcome);

#endif
