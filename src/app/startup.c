#include "app/startup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/exchange.h"

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

/* ---- calls of MPI that wait for others without a deadline ---- */

enum { ABORT_SECONDS = 10 };

/* All that a handler of SIGALRM can reach. */
static char alarm_text[256];
static size_t alarm_length;
static int alarm_code;

static void on_alarm(int number) {
  (void)number;
  ssize_t written = write(STDERR_FILENO, alarm_text, alarm_length);
  (void)written;
  _exit(alarm_code);
}

/* Unless disarmed within `seconds` the process says why and ends with `code`. */
static void arm(double seconds, int code, const char *text) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_handler = on_alarm;
  int length = snprintf(alarm_text, sizeof alarm_text, "prism-dist: %s\n", text);
  alarm_length = length < (int)sizeof alarm_text ? (size_t)length : sizeof alarm_text - 1;
  alarm_code = code;
  if (sigaction(SIGALRM, &action, NULL) == 0) alarm((unsigned)seconds + 1);
}

static void finalize_mpi(const prism_startup_t *startup, int rank) {
  char text[sizeof alarm_text];
  snprintf(text, sizeof text,
           "rank %d: a rank is lost: not all came to the end of the job within %g s "
           "(run.peer_timeout)", rank, startup->patience);
  arm(startup->patience, prism_status_exit_code(PRISM_PEER), text);
  MPI_Finalize();
  alarm(0);
}

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
  out->patience = default_timeout();
  out->launched = prism_startup_launched();
  if (out->launched) return begin_mpi(out);
  return prism_comm_self_create(&out->comm);
}

prism_status_t prism_startup_configure(prism_startup_t *startup, const prism_params_run_t *run) {
  if ((run->comm == PRISM_COMM_MPI || run->comm == PRISM_COMM_NCCL) && !startup->mpi) {
    PRISM_FAIL(PRISM_INVALID, "--comm %s needs a launcher (mpirun, srun) and a build with MPI",
               run->comm == PRISM_COMM_MPI ? "mpi" : "nccl");
  }
  if (run->comm == PRISM_COMM_SELF && startup->comm.size > 1) {
    PRISM_FAIL(PRISM_INVALID, "--comm self is for one process, and there are %d ranks",
               startup->comm.size);
  }
  startup->patience = run->peer_timeout;
  if (!startup->mpi || run->peer_timeout == default_timeout()) return PRISM_OK;
  return renew_mpi(startup, run->peer_timeout);
}

void prism_startup_end(prism_startup_t *startup) {
#if PRISM_HAVE_MPI
  int rank = startup->comm.rank;
#endif
  prism_comm_destroy(&startup->comm);
#if PRISM_HAVE_MPI
  if (startup->mpi) finalize_mpi(startup, rank);
#endif
  startup->mpi = false;
}

_Noreturn void prism_startup_abort(const prism_startup_t *startup, int exit_code) {
#if PRISM_HAVE_MPI
  char text[sizeof alarm_text];
  snprintf(text, sizeof text, "rank %d: the launcher did not answer: this rank ends alone",
           startup->comm.rank);
  arm(ABORT_SECONDS, exit_code, text);
  if (startup->mpi) MPI_Abort(MPI_COMM_WORLD, exit_code);
#endif
  (void)startup;
  _exit(exit_code);
}
