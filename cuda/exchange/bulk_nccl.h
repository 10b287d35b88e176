/* NCCL backend of the bulk communicator: colourings from GPU to GPU.
 *
 * Every rank has a GPU of its own. Operations run on a stream of their own, of the highest
 * priority, in one block of threads: what they hold of a GPU while they wait for the other
 * ranks is a part of one multiprocessor. The first operation of a kind makes connections in
 * a thread of NCCL; it needs polls to go on.
 *
 * After an error, or a deadline (PRISM_TIMEOUT; PRISM_PEER where NCCL knows that a peer is
 * lost), the communicator is broken and what was under way is aborted. NCCL's abort can
 * itself wait for the GPU or for other ranks; it gets two seconds in a thread of its own.
 * When they do not suffice the text says so: then no call that waits for the GPU may follow,
 * also none that releases its memory, and the program ends the job.
 *
 * NCCL's variables (NCCL_DEBUG, NCCL_NVLS_ENABLE, NCCL_SOCKET_IFNAME, ...) are the user's. */
#ifndef PRISM_CUDA_EXCHANGE_BULK_NCCL_H
#define PRISM_CUDA_EXCHANGE_BULK_NCCL_H

#include "seam/bulk.h"

/* Is there a library to use? [out] text: its version, "2.28.9", or the reason why not. */
bool prism_bulk_nccl_possible(char *text, size_t size);

/* Collective over `comm`, which must outlive the result: while this waits, its peers hear of
 * this rank. All ranks get a communicator, or all get the same error (as comm's agree says).
 * The rank's GPU is current for the calling thread, from which all later calls come.
 * [in] timeout  seconds from the start of an operation to its end (run.peer_timeout); time
 *      in which nobody polls counts as one second at most (a process that was stopped)
 * Returns PRISM_UNSUPPORTED (no library), PRISM_DEVICE, PRISM_MEMORY, PRISM_PEER,
 * PRISM_TIMEOUT. Takes about a second. */
prism_status_t prism_bulk_nccl_create(const prism_comm_t *comm, double timeout,
                                      prism_bulk_t *out);

/* The same without waiting until all have found each other: NCCL goes on with that in a thread
 * of its own, as an operation under way whose end poll tells. What goes wrong from then on is
 * told there, to each rank by itself. */
prism_status_t prism_bulk_nccl_begin(const prism_comm_t *comm, double timeout,
                                     prism_bulk_t *out);

#endif
