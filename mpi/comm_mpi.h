/* MPI backend of the communicator seam (host buffers only). */
#ifndef PRISM_MPI_COMM_MPI_H
#define PRISM_MPI_COMM_MPI_H

#include <mpi.h>

#include "seam/comm.h"

/* Collective over `parent`, which is duplicated (the caller keeps it) and set to
 * MPI_ERRORS_RETURN. MPI must be initialised with at least MPI_THREAD_FUNNELED;
 * the communicator neither initialises nor finalises it.
 * [in] peer_timeout  seconds without a sign of life after which a wait fails */
prism_status_t prism_comm_mpi_create(MPI_Comm parent, double peer_timeout, prism_comm_t *out);

#endif
