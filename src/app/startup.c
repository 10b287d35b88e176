#include "app/startup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if PRISM_HAVE_MPI
#include "comm_mpi.h"
#endif

bool prism_startup_launched(void) {
  return getenv("OMPI_COMM_WORLD_SIZE") != NULL || getenv("PMIX_RANK") != NULL ||
         getenv("PMI_RANK") != NULL;
}

static double default_timeout(void) {
  return strtod(prism_param_find("run", "peer_timeout")->default_text, NULL);
}

#if PRISM_HAVE_MPI

static prism_status_t begin_mpi(prism_startup_t *out) {
  int provided = MPI_THREAD_SINGLE;
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    PRISM_FAIL(PRISM_PEER, "MPI could not be initialized");
  }
  out->mpi = true;
  if (provided < MPI_THREAD_FUNNELED) {
    PRISM_FAIL(PRISM_UNSUPPORTED, "this MPI library allows no threads (MPI_THREAD_FUNNELED)");
  }
  return prism_comm_mpi_create(MPI_COMM_WORLD, default_timeout(), &out->comm);
}

void prism_startup_mpi_version(char *out, size_t size) {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) length = 0;
  text[length] = '\0';
  text[strcspn(text, ",\n")] = '\0'; /* Open MPI goes on with its build host */
  snprintf(out, size, "%s", length > 0 ? text : "unknown");
}

static prism_status_t renew_mpi(prism_startup_t *startup, double timeout) {
  prism_comm_t renewed;
  PRISM_TRY(prism_comm_mpi_create(MPI_COMM_WORLD, timeout, &renewed));
  prism_comm_destroy(&startup->comm);
  startup->comm = renewed;
  return PRISM_OK;
}

#else

/* Every process of the launcher would run alone and write the same files. */
static prism_status_t begin_mpi(prism_startup_t *out) {
  (void)out;
  const char *size = getenv("OMPI_COMM_WORLD_SIZE");
  if (size == NULL) size = getenv("PMI_SIZE");
  if (size != NULL && strcmp(size, "1") == 0) return prism_comm_self_create(&out->comm);
  PRISM_FAIL(PRISM_UNSUPPORTED, "this build has no MPI: start it without a launcher");
}

void prism_startup_mpi_version(char *out, size_t size) { snprintf(out, size, "not built"); }

static prism_status_t renew_mpi(prism_startup_t *startup, double timeout) {
  (void)startup;
  (void)timeout;
  return PRISM_OK;
}

#endif

prism_status_t prism_startup_begin(prism_startup_t *out) {
  memset(out, 0, sizeof *out);
  out->launched = prism_startup_launched();
  if (out->launched) return begin_mpi(out);
  return prism_comm_self_create(&out->comm);
}

prism_status_t prism_startup_configure(prism_startup_t *startup, const prism_params_run_t *run) {
  enum { COMM_AUTO, COMM_MPI, COMM_SELF }; /* order of the choices of run.comm */
  if (run->comm == COMM_MPI && !startup->mpi) {
    PRISM_FAIL(PRISM_INVALID, "--comm mpi needs a launcher (mpirun, srun) and a build with MPI");
  }
  if (run->comm == COMM_SELF && startup->comm.size > 1) {
    PRISM_FAIL(PRISM_INVALID, "--comm self is for one process, and there are %d ranks",
               startup->comm.size);
  }
  if (!startup->mpi || run->peer_timeout == default_timeout()) return PRISM_OK;
  return renew_mpi(startup, run->peer_timeout);
}

void prism_startup_end(prism_startup_t *startup) {
  prism_comm_destroy(&startup->comm);
#if PRISM_HAVE_MPI
  if (startup->mpi) MPI_Finalize();
#endif
  startup->mpi = false;
}

_Noreturn void prism_startup_abort(const prism_startup_t *startup, int exit_code) {
#if PRISM_HAVE_MPI
  if (startup->mpi) MPI_Abort(MPI_COMM_WORLD, exit_code);
#endif
  (void)startup;
  _exit(exit_code);
}
