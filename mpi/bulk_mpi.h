/* MPI backend of the bulk communicator (host buffers only), for jobs in which some rank has
 * no GPU of its own, and for those without NCCL.
 *
 * MPI cannot withdraw what was started. After PRISM_TIMEOUT or PRISM_PEER, and after destroy
 * with an operation that did not end, MPI may still read and write its buffers: the program
 * ends the job with MPI_Abort, as after a failure of the host communicator. */
#ifndef PRISM_MPI_BULK_MPI_H
#define PRISM_MPI_BULK_MPI_H

#include <mpi.h>

#include "seam/bulk.h"

/* Collective over `parent`, which is duplicated (the caller keeps it). MPI must be
 * initialised with at least MPI_THREAD_FUNNELED. Operations get on in poll, and in whatever
 * else the thread calls of MPI.
 * [in] timeout  seconds from the start of an operation to its end; time in which nobody polls
 *               counts as one second at most (a process that was stopped)
 * Returns PRISM_INVALID, PRISM_UNSUPPORTED, PRISM_MEMORY, PRISM_PEER, PRISM_TIMEOUT. */
prism_status_t prism_bulk_mpi_create(MPI_Comm parent, double timeout, prism_bulk_t *out);

/* For tests: split above `bytes` instead of the built-in limit. The same on every rank,
 * between operations. */
void prism_bulk_mpi_set_piece(prism_bulk_t *bulk, size_t bytes);

#endif
