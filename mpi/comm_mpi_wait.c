/* Waiting with a deadline: polling with back-off, heartbeats both ways, and the
 * judgement over silent ranks; and the start, before there are heartbeats. */
#include <stdio.h>

#include "base/clock.h"
#include "comm_mpi_internal.h"

enum {
  BEAT_TAG = 1,
  SPIN_ROUNDS = 300,  /* tests before the first sleep: a small message takes less */
  LOOK_ROUNDS = 64    /* tests between two looks for heartbeats while spinning */
};

prism_status_t prism_mpi_break(prism_mpi_t *comm, prism_status_t status) {
  if (comm->broken == PRISM_OK) {
    comm->broken = status;
    snprintf(comm->broken_text, sizeof comm->broken_text, "%s", prism_error_text());
  }
  return status;
}

prism_status_t prism_mpi_record(int32_t rank, int code, const char *what) {
  char text[MPI_MAX_ERROR_STRING] = "unknown error";
  int length = 0;
  MPI_Error_string(code, text, &length);
  PRISM_FAIL(PRISM_PEER, "MPI failed on rank %d during %s: %s", rank, what, text);
}

prism_status_t prism_mpi_check(prism_mpi_t *comm, int code, const char *what) {
  if (code == MPI_SUCCESS) return PRISM_OK;
  return prism_mpi_break(comm, prism_mpi_record(comm->rank, code, what));
}

void prism_mpi_heard(prism_mpi_t *comm, int32_t rank) {
  comm->last_heard[rank] = prism_clock_now();
}

static prism_status_t take_beats(prism_mpi_t *comm) {
  /* Two for each rank: enough to catch up, and a bound on the time spent here. */
  for (int64_t i = 0; i < 2 * (int64_t)comm->size; ++i) {
    int found = 0;
    MPI_Status from;
    PRISM_TRY(prism_mpi_check(
        comm, MPI_Iprobe(MPI_ANY_SOURCE, BEAT_TAG, comm->beats, &found, &from), "heartbeat"));
    if (!found) break;
    /* A probed message without payload is complete: this receive does not wait. */
    PRISM_TRY(prism_mpi_check(comm, MPI_Recv(NULL, 0, MPI_BYTE, from.MPI_SOURCE, BEAT_TAG,
                                             comm->beats, MPI_STATUS_IGNORE), "heartbeat"));
    prism_mpi_heard(comm, from.MPI_SOURCE);
  }
  return PRISM_OK;
}

static prism_status_t send_beats(prism_mpi_t *comm) {
  for (int32_t r = 0; r < comm->size; ++r) {
    if (r == comm->rank) continue;
    /* One on its way to each rank is enough: a stopped rank gathers no pile. */
    int done = 0;
    PRISM_TRY(prism_mpi_check(
        comm, MPI_Test(&comm->beat_requests[r], &done, MPI_STATUS_IGNORE), "heartbeat"));
    if (!done) continue;
    PRISM_TRY(prism_mpi_check(comm, MPI_Isend(NULL, 0, MPI_BYTE, r, BEAT_TAG, comm->beats,
                                              &comm->beat_requests[r]), "heartbeat"));
  }
  return PRISM_OK;
}

/* A gap between two looks after which silence says nothing about the others:
 * this process itself was stopped or busy. */
static double own_gap_limit(const prism_mpi_t *comm) {
  double limit = 0.5 * comm->peer_timeout;
  if (limit < 1.5) limit = 1.5;
  return limit < comm->peer_timeout ? limit : comm->peer_timeout;
}

prism_status_t prism_mpi_look(prism_mpi_t *comm) {
  double now = prism_clock_now();
  if (now - comm->last_look > own_gap_limit(comm)) {
    for (int32_t r = 0; r < comm->size; ++r) comm->last_heard[r] = now;
  }
  comm->last_look = now;
  if (now - comm->last_beat >= comm->beat_interval) {
    comm->last_beat = now;
    PRISM_TRY(send_beats(comm));
  }
  PRISM_TRY(prism_mpi_count(comm));
  return take_beats(comm);
}

prism_status_t prism_mpi_judge(prism_mpi_t *comm, const char *what) {
  /* As of the last look. By the clock, all would be silent to a process that was stopped between
   * the look and here. */
  double now = comm->last_look;
  int32_t quietest = -1;
  for (int32_t r = 0; r < comm->size; ++r) {
    if (r == comm->rank || now - comm->last_heard[r] <= comm->peer_timeout) continue;
    if (quietest < 0 || comm->last_heard[r] < comm->last_heard[quietest]) quietest = r;
  }
  if (quietest < 0) return PRISM_OK;
  prism_status_t status = prism_error_record(
      PRISM_PEER, __FILE__, __LINE__, __func__,
      "rank %d is lost: no sign of life for %.1f s (run.peer_timeout is %g s; rank %d, %s)",
      quietest, now - comm->last_heard[quietest], comm->peer_timeout, comm->rank, what);
  return prism_mpi_break(comm, status);
}

void prism_mpi_back_off(int64_t round) {
  if (round < SPIN_ROUNDS) return;
  int64_t slept = round - SPIN_ROUNDS;
  prism_clock_sleep(1e-6 * (double)(slept >= 36 ? 200 : 20 + 5 * slept));
}

prism_status_t prism_mpi_wait(prism_mpi_t *comm, MPI_Request *requests, MPI_Status *statuses,
                              int count, const char *what) {
  for (int64_t round = 0;; ++round) {
    int all = 1;
    for (int i = 0; i < count; ++i) {
      if (requests[i] == MPI_REQUEST_NULL) continue;
      int done = 0;
      PRISM_TRY(prism_mpi_check(comm, MPI_Test(&requests[i], &done, &statuses[i]), what));
      all = all && done;
    }
    if (all) return PRISM_OK;
    if (round >= SPIN_ROUNDS || round % LOOK_ROUNDS == LOOK_ROUNDS - 1) {
      PRISM_TRY(prism_mpi_look(comm));
      PRISM_TRY(prism_mpi_reap(comm));
      PRISM_TRY(prism_mpi_judge(comm, what));
    }
    prism_mpi_back_off(round);
  }
}

prism_status_t prism_mpi_ready(void) {
  int initialized = 0, finalized = 0, level = MPI_THREAD_SINGLE, main_thread = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (!initialized || finalized) PRISM_FAIL(PRISM_INVALID, "MPI is not initialised");
  if (MPI_Query_thread(&level) != MPI_SUCCESS || level < MPI_THREAD_FUNNELED)
    PRISM_FAIL(PRISM_UNSUPPORTED, "MPI offers no threads (MPI_THREAD_FUNNELED is needed)");
  if (MPI_Is_thread_main(&main_thread) != MPI_SUCCESS || !main_thread)
    PRISM_FAIL(PRISM_INVALID, "only the thread that initialised MPI may communicate");
  return PRISM_OK;
}

static prism_status_t check_start(int32_t rank, int code) {
  return code == MPI_SUCCESS ? PRISM_OK : prism_mpi_record(rank, code, "start");
}

/* No heartbeats yet, so the time counts from here. */
prism_status_t prism_mpi_duplicate(MPI_Comm parent, double timeout, MPI_Comm *out) {
  int rank = 0, size = 0;
  PRISM_TRY(check_start(0, MPI_Comm_rank(parent, &rank)));
  PRISM_TRY(check_start(rank, MPI_Comm_size(parent, &size)));
  MPI_Request request;
  double deadline = prism_clock_now() + timeout;
  PRISM_TRY(check_start(rank, MPI_Comm_idup(parent, out, &request)));
  for (int64_t round = 0;; ++round) {
    int done = 0;
    PRISM_TRY(check_start(rank, MPI_Test(&request, &done, MPI_STATUS_IGNORE)));
    if (done) break;
    if (prism_clock_now() > deadline)
      PRISM_FAIL(PRISM_TIMEOUT, "rank %d of %d: the other ranks did not come within %g s", rank,
                 size, timeout);
    prism_mpi_back_off(round);
  }
  return check_start(rank, MPI_Comm_set_errhandler(*out, MPI_ERRORS_RETURN));
}
