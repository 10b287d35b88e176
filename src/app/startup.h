/* Begin and end of a process that may be one of many ranks. Only this module
 * initialises and finalises MPI, and only under a launcher. */
#ifndef PRISM_APP_STARTUP_H
#define PRISM_APP_STARTUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/params.h"
#include "seam/comm.h"

typedef struct prism_startup {
  prism_comm_t comm;
  bool launched;   /* mpirun, srun or another launcher started this process */
  bool mpi;        /* MPI is initialised */
  double patience; /* run.peer_timeout */
} prism_startup_t;

/* Was this process started by a launcher? SLURM_* variables do not count: salloc
 * sets them too. */
bool prism_startup_launched(void);

/* Initialise MPI when launched and make the communicator, with the default
 * deadline. Collective. */
prism_status_t prism_startup_begin(prism_startup_t *out);

/* Take over run.comm and run.peer_timeout; replaces the communicator when the
 * deadline differs. Collective. */
prism_status_t prism_startup_configure(prism_startup_t *startup, const prism_params_run_t *run);

/* Destroy the communicator and finalise MPI. Collective. MPI waits there for all ranks
 * without a deadline: where one never comes this rank says so and ends with 3, and the
 * launcher then ends the others. */
void prism_startup_end(prism_startup_t *startup);

/* End the whole job without agreement. Does not return, and ends this process even
 * where the launcher can no longer be reached. */
_Noreturn void prism_startup_abort(const prism_startup_t *startup, int exit_code);

/* Version of the MPI library, "not built" without. */
void prism_startup_mpi_version(char *out, size_t size);

#endif
