/* Votes: one non-blocking minimum after the other on a communicator of their own. A rank
 * casts at most one vote more than the slowest one, since the next needs the last complete. */
#include "base/mem.h"
#include "comm_mpi_internal.h"

static prism_status_t start_vote(prism_mpi_t *comm, int64_t value) {
  prism_mpi_votes_t *votes = comm->votes;
  votes->mine = value;
  PRISM_TRY(prism_mpi_check(comm, MPI_Iallreduce(&votes->mine, &votes->least, 1, MPI_INT64_T,
                                                 MPI_MIN, comm->ballots, &votes->request),
                            "a vote"));
  ++votes->cast;
  comm->bytes_sent += sizeof value;
  return PRISM_OK;
}

prism_status_t prism_mpi_cast(prism_mpi_t *comm, int64_t value) {
  if (comm->votes->pending) PRISM_FAIL(PRISM_INVALID, "the last vote has not been counted");
  PRISM_TRY(start_vote(comm, value));
  comm->votes->pending = true;
  return prism_mpi_look(comm);
}

prism_status_t prism_mpi_count(prism_mpi_t *comm) {
  int done = 0;
  if (comm->votes->request == MPI_REQUEST_NULL) return PRISM_OK;
  return prism_mpi_check(comm, MPI_Test(&comm->votes->request, &done, MPI_STATUS_IGNORE),
                         "a vote");
}

prism_status_t prism_mpi_counted(prism_mpi_t *comm, bool *done, int64_t *least) {
  prism_mpi_votes_t *votes = comm->votes;
  PRISM_TRY(prism_mpi_look(comm));
  bool complete = votes->request == MPI_REQUEST_NULL;
  if (!complete) {
    PRISM_TRY(prism_mpi_reap(comm));
    PRISM_TRY(prism_mpi_judge(comm, "counting votes"));
  } else {
    votes->pending = false;
    if (votes->cast > 0) *least = votes->least;
  }
  *done = complete;
  return PRISM_OK;
}

prism_status_t prism_mpi_leave(prism_mpi_t *comm, bool *left) {
  prism_mpi_votes_t *votes = comm->votes;
  *left = false;
  if (votes->most < 0) {
    votes->most = 0;
    PRISM_TRY(prism_mpi_check(comm, MPI_Iallreduce(&votes->cast, &votes->most, 1, MPI_INT64_T,
                                                   MPI_MAX, comm->collectives, &votes->leave),
                              "shutdown"));
  }
  int met = 0;
  PRISM_TRY(prism_mpi_check(comm, MPI_Test(&votes->leave, &met, MPI_STATUS_IGNORE), "shutdown"));
  if (!met) return PRISM_OK;
  if (votes->cast < votes->most) PRISM_TRY(start_vote(comm, INT64_MAX));
  PRISM_TRY(prism_mpi_count(comm));
  *left = votes->request == MPI_REQUEST_NULL;
  return PRISM_OK;
}

void prism_mpi_forget_votes(prism_mpi_t *comm) {
  prism_mpi_votes_t *votes = comm->votes;
  if (votes == NULL) return;
  if (votes->request == MPI_REQUEST_NULL && votes->leave == MPI_REQUEST_NULL) prism_free(votes);
  comm->votes = NULL;
}
