/* What the others see when a rank falls silent. Started by run_failure.sh:
 *   comm_failure stop|sleep FOLDER   the last rank is stopped, or sleeps without
 *                                    heartbeats, while the others wait
 *   comm_failure vote FOLDER         it is stopped before it casts its vote
 *   comm_failure kill FOLDER         the last rank is killed
 * A rank that saw the right error leaves FOLDER/saw.RANK. Rank 0 then kills the
 * silent rank, which ends the job as any killed rank does. */
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "comm_mpi.h"

static const double peer_timeout = 1.5;
static const double hang_guard = 60.0;

static void fail(const char *what) {
  fprintf(stderr, "%s; last error: %s\n", what, prism_error_text());
  MPI_Abort(MPI_COMM_WORLD, 1);
  exit(1);
}

static void fall_silent(const char *mode) {
  if (strcmp(mode, "stop") == 0 || strcmp(mode, "vote") == 0) raise(SIGSTOP);
  if (strcmp(mode, "kill") == 0) raise(SIGKILL);
  prism_clock_sleep(10.0 * hang_guard);
  fail("the silent rank was not ended");
}

static char *mark_path(const char *folder, int rank) {
  char *path = NULL;
  if (prism_string_format(&path, "%s/saw.%d", folder, rank) != PRISM_OK) fail("no memory");
  return path;
}

/* Different waits must end alike: rank 0 in a collective, rank 1 in an exchange. */
static prism_status_t wait_for_silent(const prism_comm_t *comm) {
  int32_t silent = comm->size - 1;
  int64_t value = comm->rank;
  if (comm->rank == 0)
    return comm->ops->allreduce_i64(comm->self, &value, &value, 1, PRISM_REDUCE_MAX);
  int32_t word = 1, answer = 0;
  prism_buffer_t send = {&word, PRISM_SPACE_HOST, sizeof word, 1, NULL};
  prism_buffer_t receive = {&answer, PRISM_SPACE_HOST, sizeof answer, 1, NULL};
  return comm->ops->exchange(comm->self, &send, silent, &receive, silent);
}

/* Nobody waits in a call, yet the vote must end. */
static prism_status_t vote_without_silent(const prism_comm_t *comm) {
  bool done = false;
  int64_t least = 0;
  prism_status_t status = comm->ops->cast(comm->self, comm->rank);
  for (double start = prism_clock_now(); status == PRISM_OK; prism_clock_sleep(0.001)) {
    status = comm->ops->counted(comm->self, &done, &least);
    if (status == PRISM_OK && done) fail("a vote ended without the silent rank");
    if (prism_clock_now() - start > hang_guard) break;
  }
  return status;
}

static void check_outcome(const prism_comm_t *comm, prism_status_t status) {
  char name[32];
  snprintf(name, sizeof name, "rank %d is lost", comm->size - 1);
  if (status != PRISM_PEER && status != PRISM_TIMEOUT) fail("the wait ended otherwise");
  if (strstr(prism_error_text(), name) == NULL) fail("the silent rank was not named");
  prism_error_clear();
  if (comm->ops->barrier(comm->self) != status) fail("a broken communicator went on");
  if (strstr(prism_error_text(), name) == NULL) fail("the reason was lost");
  if (comm->ops->agree(comm->self, PRISM_OK) != status) fail("a broken communicator agreed");
  bool done = false;
  int64_t least = 0;
  if (comm->ops->cast(comm->self, 0) != status) fail("a broken communicator took a vote");
  if (comm->ops->counted(comm->self, &done, &least) != status) fail("it counted votes");
}

static void wait_for_marks(const char *folder, int ranks) {
  double start = prism_clock_now();
  for (int r = 0; r < ranks; ++r) {
    char *path = mark_path(folder, r);
    while (!prism_file_exists(path)) {
      if (prism_clock_now() - start > hang_guard) fail("another rank saw no error");
      prism_clock_sleep(0.02);
    }
    prism_free(path);
  }
}

int main(int argc, char **argv) {
  int level = 0;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS || argc != 3)
    return 2;
  prism_comm_t comm = {0};
  if (prism_comm_mpi_create(MPI_COMM_WORLD, peer_timeout, &comm) != PRISM_OK) fail("create");
  int64_t pids[16] = {0}, own = (int64_t)getpid();
  if (comm.size < 2 || comm.size > 16) fail("2 to 16 ranks");
  if (comm.ops->allgather(comm.self, &own, pids, sizeof own) != PRISM_OK) fail("allgather");
  if (comm.rank == comm.size - 1) fall_silent(argv[1]);

  double start = prism_clock_now();
  bool voting = strcmp(argv[1], "vote") == 0;
  prism_status_t status = voting ? vote_without_silent(&comm) : wait_for_silent(&comm);
  double waited = prism_clock_now() - start;
  check_outcome(&comm, status);
  if (waited > hang_guard) fail("the error came too late");
  prism_comm_destroy(&comm); /* must not wait for the lost rank */
  /* A vote that cannot end stays with MPI. */
  if (prism_mem_live_blocks() > (voting ? 1 : 0)) fail("blocks were not released");

  char *path = mark_path(argv[2], comm.rank);
  if (prism_file_replace(path, "seen\n", 5) != PRISM_OK) fail("the mark cannot be written");
  prism_free(path);
  if (comm.rank == 0) {
    wait_for_marks(argv[2], comm.size - 1);
    kill((pid_t)pids[comm.size - 1], SIGKILL);
  }
  prism_clock_sleep(10.0 * hang_guard); /* the launcher ends this process */
  return 1;
}
