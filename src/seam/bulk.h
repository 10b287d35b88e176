/* The bulk communicator: colourings between ranks, from and to the memory where the
 * engines keep them.
 *
 * Backends: MPI over host memory (any job); NCCL over device memory (every rank has a GPU
 * of its own). An operation is started by all ranks, in the same order, and then runs by
 * itself: nobody waits for it. One is under way at a time, from its start until poll has
 * said that it is done. A started operation of NCCL holds a part of the GPU until every
 * rank has started it, so they start when a vote of the host communicator (comm.h) says
 * that all are ready. All calls come from one thread.
 *
 * Refused, with nothing started: PRISM_INVALID for an operation while another one is under
 * way, a rank that does not exist, a block too small for what arrives; PRISM_UNSUPPORTED
 * for memory of another space.
 *
 * A deadline counts from the start of an operation, time in which nobody polls as one second
 * at most (a process that was stopped): PRISM_TIMEOUT, after which every call returns that
 * error. Buffers belong to the caller and are left alone until poll says done:
 * neither read (what arrives), nor written (both), nor released. */
#ifndef PRISM_SEAM_BULK_H
#define PRISM_SEAM_BULK_H

#include <stdbool.h>

#include "seam/comm.h"

typedef struct prism_bulk_ops {
  const char *name;    /* "self", "mpi", "nccl" */
  prism_space_t space; /* of the buffers that it takes; others: PRISM_UNSUPPORTED */

  /* Collective. The block of every rank, in rank order, into `receive`, which has room for
   * size times send->count elements; `send` may be its own place there. The same size on
   * all ranks. Begins behind what send->stream has queued. */
  prism_status_t (*gather)(void *self, const prism_buffer_t *send, const prism_buffer_t *receive);
  /* Collective. The block of `root` to all, in place. */
  prism_status_t (*broadcast)(void *self, const prism_buffer_t *block, int32_t root);
  /* Collective over the pairs named: send to `to`, receive from `from` (a ring, a hypercube);
   * both may be the own rank, then it is a copy. `send` and `receive` are of the same size. */
  prism_status_t (*exchange)(void *self, const prism_buffer_t *send, int32_t to,
                             const prism_buffer_t *receive, int32_t from);
  /* Has the operation under way ended (true also when there is none)? Then what is queued
   * on any stream sees its result. A backend that is still starting is such an operation.
   * An operation may need these calls to get on. */
  prism_status_t (*poll)(void *self, bool *done);
  /* Bytes that this rank gave away (each block once), seconds from start to end of
   * operations, how many ended. */
  void (*usage)(void *self, uint64_t *bytes, double *seconds, int64_t *operations);
  /* Not collective. An operation that is still under way is given up, after two seconds at
   * most; its buffers may be released afterwards, except with MPI, which cannot withdraw an
   * operation: it may still use them until the program ends the job (MPI_Abort). */
  void (*destroy)(void *self);
} prism_bulk_ops_t;

typedef struct prism_bulk {
  const prism_bulk_ops_t *ops; /* NULL: there is none */
  void *self;
} prism_bulk_t;

/* Over host memory of a single process: copies. */
prism_status_t prism_bulk_self_create(prism_bulk_t *out);

static inline void prism_bulk_destroy(prism_bulk_t *bulk) {
  if (bulk->ops != 0) bulk->ops->destroy(bulk->self);
  bulk->ops = 0;
  bulk->self = 0;
}

#endif
