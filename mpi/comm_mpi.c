#include "comm_mpi.h"

#include "base/clock.h"
#include "base/mem.h"
#include "comm_mpi_internal.h"

/* Well below 2^31: MPI libraries multiply counts by ranks in int here and there. */
static const size_t piece_default = (size_t)1 << 28;

/* Time that destroy gives the other ranks to come there too. */
static const double drain_seconds = 2.0;

/* Every operation runs between begin and end: begin refuses a broken
 * communicator, end counts the time. */
static prism_status_t begin(prism_mpi_t *comm, double *start) {
  *start = prism_clock_now();
  if (comm->broken != PRISM_OK) return prism_error_set(comm->broken, comm->broken_text);
  return PRISM_OK;
}

static prism_status_t end(prism_mpi_t *comm, double start, prism_status_t status) {
  comm->seconds += prism_clock_now() - start;
  if (status != PRISM_OK) prism_error_frame(__FILE__, __LINE__, __func__);
  return status;
}

static prism_status_t mpi_allreduce_i64(void *self, const int64_t *in, int64_t *out, size_t count,
                                        prism_reduce_t op) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start,
             prism_mpi_allreduce(self, in, out, count, sizeof *in, MPI_INT64_T, op));
}

static prism_status_t mpi_allreduce_f64(void *self, const double *in, double *out, size_t count,
                                        prism_reduce_t op) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_allreduce(self, in, out, count, sizeof *in, MPI_DOUBLE, op));
}

static prism_status_t mpi_argmin_i64(void *self, int64_t in, int64_t *value, int32_t *rank) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_argmin(self, in, value, rank));
}

static prism_status_t mpi_bcast(void *self, void *data, size_t bytes, int32_t root) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_bcast(self, data, bytes, root));
}

static prism_status_t mpi_allgather(void *self, const void *in, void *out, size_t bytes) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_allgather(self, in, out, bytes));
}

static prism_status_t mpi_exchange(void *self, const prism_buffer_t *send, int32_t to,
                                   const prism_buffer_t *receive, int32_t from) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_exchange(self, send, to, receive, from));
}

static prism_status_t mpi_barrier(void *self) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_barrier(self));
}

static prism_status_t mpi_agree(void *self, prism_status_t mine) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_agree(self, mine));
}

static prism_status_t mpi_cast(void *self, int64_t value) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_cast(self, value));
}

static prism_status_t mpi_counted(void *self, bool *done, int64_t *least) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_counted(self, done, least));
}

static prism_status_t mpi_post(void *self, int32_t to, int32_t tag, const void *data,
                               size_t bytes) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, prism_mpi_post(self, to, tag, data, bytes));
}

static prism_status_t poll_message(prism_mpi_t *comm, prism_message_t *message,
                                   const void **data) {
  PRISM_TRY(prism_mpi_look(comm));
  PRISM_TRY(prism_mpi_reap(comm));
  PRISM_TRY(prism_mpi_receive_messages(comm));
  prism_mailbox_take(&comm->mailbox, message, data);
  return PRISM_OK;
}

static prism_status_t mpi_poll(void *self, prism_message_t *message, const void **data) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, poll_message(self, message, data));
}

static prism_status_t look_and_reap(prism_mpi_t *comm) {
  PRISM_TRY(prism_mpi_look(comm));
  return prism_mpi_reap(comm);
}

static prism_status_t mpi_heartbeat(void *self) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, look_and_reap(self));
}

static prism_status_t look_and_judge(prism_mpi_t *comm) {
  PRISM_TRY(prism_mpi_look(comm));
  return prism_mpi_judge(comm, "looking after the others");
}

static prism_status_t mpi_check_peers(void *self) {
  double start;
  PRISM_TRY(begin(self, &start));
  return end(self, start, look_and_judge(self));
}

static void mpi_usage(void *self, uint64_t *bytes, double *seconds) {
  const prism_mpi_t *comm = self;
  *bytes = comm->bytes_sent;
  *seconds = comm->seconds;
}

/* Receive and drop what the others still send, and meet them in a collective once
 * the own messages are out (the termination rule of Hoefler, Siebert & Lumsdaine
 * 2010): then no rank has a send left that waits for a receiver.
 * [out] clean  everything came to an end before the deadline */
static prism_status_t drain(prism_mpi_t *comm, bool *clean) {
  double deadline = prism_clock_now() + drain_seconds;
  bool entered = false, left = false;
  *clean = false;
  for (int64_t round = 0; prism_clock_now() < deadline; ++round) {
    PRISM_TRY(prism_mpi_receive_messages(comm));
    prism_mailbox_clear(&comm->mailbox);
    PRISM_TRY(prism_mpi_reap(comm));
    entered = entered || comm->sends == NULL;
    if (entered) PRISM_TRY(prism_mpi_leave(comm, &left));
    int beats_out = 0;
    PRISM_TRY(prism_mpi_check(comm, MPI_Testall(comm->size, comm->beat_requests, &beats_out,
                                                MPI_STATUSES_IGNORE), "shutdown"));
    if (left && beats_out && !comm->receive.active) {
      *clean = true;
      return prism_mpi_look(comm); /* takes the last heartbeats */
    }
    prism_mpi_back_off(round);
  }
  return PRISM_OK;
}

static void free_comms(prism_mpi_t *comm) {
  if (comm->collectives != MPI_COMM_NULL) MPI_Comm_free(&comm->collectives);
  if (comm->ballots != MPI_COMM_NULL) MPI_Comm_free(&comm->ballots);
  if (comm->messages != MPI_COMM_NULL) MPI_Comm_free(&comm->messages);
  if (comm->beats != MPI_COMM_NULL) MPI_Comm_free(&comm->beats);
}

static void free_memory(prism_mpi_t *comm) {
  prism_mpi_forget_messages(comm);
  prism_mpi_forget_votes(comm);
  prism_free(comm->parts);
  prism_free(comm->beat_requests);
  prism_free(comm->last_heard);
  prism_free(comm);
}

static void mpi_destroy(void *self) {
  prism_mpi_t *comm = self;
  if (comm == NULL) return;
  bool clean = false;
  comm->last_beat = prism_clock_now() + 1e9; /* no new heartbeats: nobody would take them */
  if (comm->broken == PRISM_OK && drain(comm, &clean) != PRISM_OK) clean = false;
  /* Otherwise a peer is gone or stuck: the handles stay with MPI, whose requests
   * may still point to the blocks that forget_messages leaves alone. */
  if (clean) free_comms(comm);
  free_memory(comm);
}

static const prism_comm_ops_t mpi_ops = {
    .name = "mpi",
    .allreduce_i64 = mpi_allreduce_i64,
    .allreduce_f64 = mpi_allreduce_f64,
    .argmin_i64 = mpi_argmin_i64,
    .bcast = mpi_bcast,
    .allgather = mpi_allgather,
    .exchange = mpi_exchange,
    .barrier = mpi_barrier,
    .agree = mpi_agree,
    .cast = mpi_cast,
    .counted = mpi_counted,
    .post = mpi_post,
    .poll = mpi_poll,
    .heartbeat = mpi_heartbeat,
    .check_peers = mpi_check_peers,
    .usage = mpi_usage,
    .destroy = mpi_destroy,
};

void prism_mpi_set_piece(prism_comm_t *comm, size_t bytes) {
  ((prism_mpi_t *)comm->self)->piece = bytes;
}

static prism_status_t prepare(prism_mpi_t *comm, MPI_Comm parent) {
  PRISM_TRY(prism_mpi_check(comm, MPI_Comm_rank(parent, &comm->rank), "start"));
  PRISM_TRY(prism_mpi_check(comm, MPI_Comm_size(parent, &comm->size), "start"));
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &comm->votes));
  comm->votes->most = -1;
  comm->votes->request = comm->votes->leave = MPI_REQUEST_NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(comm->size, &comm->parts));
  PRISM_TRY(PRISM_ALLOC(comm->size, &comm->beat_requests));
  PRISM_TRY(PRISM_ALLOC(comm->size, &comm->last_heard));
  for (int32_t r = 0; r < comm->size; ++r) comm->beat_requests[r] = MPI_REQUEST_NULL;
  PRISM_TRY(prism_mpi_duplicate(parent, comm->peer_timeout, &comm->collectives));
  PRISM_TRY(prism_mpi_duplicate(comm->collectives, comm->peer_timeout, &comm->ballots));
  PRISM_TRY(prism_mpi_duplicate(comm->collectives, comm->peer_timeout, &comm->messages));
  PRISM_TRY(prism_mpi_duplicate(comm->collectives, comm->peer_timeout, &comm->beats));
  comm->last_look = prism_clock_now();
  for (int32_t r = 0; r < comm->size; ++r) comm->last_heard[r] = comm->last_look;
  return PRISM_OK;
}

prism_status_t prism_comm_mpi_create(MPI_Comm parent, double peer_timeout, prism_comm_t *out) {
  if (!(peer_timeout > 0.0))
    PRISM_FAIL(PRISM_INVALID, "the peer timeout must be above 0 s, not %g", peer_timeout);
  PRISM_TRY(prism_mpi_ready());
  prism_mpi_t *comm = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &comm));
  comm->collectives = comm->ballots = comm->messages = comm->beats = MPI_COMM_NULL;
  comm->receive.request = MPI_REQUEST_NULL;
  comm->sends_end = &comm->sends;
  comm->piece = piece_default;
  comm->peer_timeout = peer_timeout;
  comm->beat_interval = peer_timeout < 4.0 ? 0.25 * peer_timeout : 1.0;
  prism_status_t status = prepare(comm, parent);
  if (status != PRISM_OK) {
    /* The duplicates stay with MPI: freeing them is collective, and the others
     * may not be here. */
    comm->size = comm->parts != NULL ? comm->size : 0;
    free_memory(comm);
    return status;
  }
  *out = (prism_comm_t){.ops = &mpi_ops, .self = comm, .rank = comm->rank, .size = comm->size};
  return PRISM_OK;
}
