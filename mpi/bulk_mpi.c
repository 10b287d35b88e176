/* One operation at a time, in pieces below 2^31 bytes, each started when poll finds the one
 * before it complete. Collectives match by their order, pieces of an exchange by theirs. */
#include "bulk_mpi.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "comm_mpi_internal.h"

enum { EXCHANGE_TAG = 1 };

/* Well below 2^31: MPI libraries multiply counts by ranks in int here and there. */
static const size_t piece_default = (size_t)1 << 28;

/* What the time between two polls counts at most: in a longer one this process was stopped
 * or busy, which says nothing about the others. */
static const double gap_most = 1.0;

/* Time that destroy gives to the operation under way. */
static const double drain_seconds = 2.0;

typedef enum bulk_kind { NOTHING, GATHER, BROADCAST, EXCHANGE } bulk_kind_t;

static const char *const kind_names[] = {"nothing", "gather", "broadcast", "exchange"};

typedef struct bulk_mpi {
  MPI_Comm comm;
  int32_t rank;
  int32_t size;
  size_t piece; /* most bytes of one MPI call */
  double timeout;

  bulk_kind_t kind; /* under way, until poll has said done */
  const unsigned char *send;
  unsigned char *receive; /* of a broadcast: the block */
  size_t bytes;           /* of a rank's block */
  int32_t to;
  int32_t from; /* of a broadcast: the root */
  size_t at;     /* bytes behind the piece under way */
  size_t length; /* bytes of that piece */
  MPI_Request requests[2];
  MPI_Datatype row;
  double started;
  double last_poll;
  double waited; /* what counts for the deadline */

  prism_status_t broken; /* PRISM_OK: in order */
  char broken_text[PRISM_MPI_ERROR_BYTES];

  uint64_t bytes_sent;
  double seconds;
  int64_t operations;
} bulk_mpi_t;

static prism_status_t break_bulk(bulk_mpi_t *bulk, prism_status_t status) {
  bulk->broken = status;
  snprintf(bulk->broken_text, sizeof bulk->broken_text, "%s", prism_error_text());
  return status;
}

static prism_status_t check(bulk_mpi_t *bulk, int code) {
  if (code == MPI_SUCCESS) return PRISM_OK;
  return break_bulk(bulk, prism_mpi_record(bulk->rank, code, kind_names[bulk->kind]));
}

/* --- arguments --------------------------------------------------------------- */

static prism_status_t check_idle(const bulk_mpi_t *bulk, bulk_kind_t kind) {
  if (bulk->broken != PRISM_OK) return prism_error_set(bulk->broken, bulk->broken_text);
  if (bulk->kind != NOTHING)
    PRISM_FAIL(PRISM_INVALID, "%s on rank %d: a %s is still under way", kind_names[kind],
               bulk->rank, kind_names[bulk->kind]);
  return PRISM_OK;
}

static prism_status_t buffer_bytes(const prism_buffer_t *buffer, size_t *bytes) {
  return prism_buffer_bytes(buffer, PRISM_SPACE_HOST, "MPI exchanges host buffers only", bytes);
}

/* --- pieces ------------------------------------------------------------------ */

static prism_status_t start_gather(bulk_mpi_t *bulk) {
  PRISM_TRY(check(bulk, prism_mpi_row_type(bulk->length, bulk->bytes, &bulk->row)));
  bool in_place = bulk->send == bulk->receive + (size_t)bulk->rank * bulk->bytes;
  const void *from = in_place ? MPI_IN_PLACE : bulk->send + bulk->at;
  return check(bulk, MPI_Iallgather(from, (int)bulk->length, MPI_BYTE, bulk->receive + bulk->at,
                                    1, bulk->row, bulk->comm, &bulk->requests[0]));
}

static prism_status_t start_exchange(bulk_mpi_t *bulk) {
  PRISM_TRY(check(bulk, MPI_Irecv(bulk->receive + bulk->at, (int)bulk->length, MPI_BYTE,
                                  bulk->from, EXCHANGE_TAG, bulk->comm, &bulk->requests[0])));
  return check(bulk, MPI_Isend(bulk->send + bulk->at, (int)bulk->length, MPI_BYTE, bulk->to,
                               EXCHANGE_TAG, bulk->comm, &bulk->requests[1]));
}

static prism_status_t start_piece(bulk_mpi_t *bulk) {
  size_t left = bulk->bytes - bulk->at;
  bulk->length = left < bulk->piece ? left : bulk->piece;
  if (bulk->kind == GATHER) {
    PRISM_TRY(start_gather(bulk));
  } else if (bulk->kind == EXCHANGE) {
    PRISM_TRY(start_exchange(bulk));
  } else {
    PRISM_TRY(check(bulk, MPI_Ibcast(bulk->receive + bulk->at, (int)bulk->length, MPI_BYTE,
                                     bulk->from, bulk->comm, &bulk->requests[0])));
  }
  bulk->at += bulk->length;
  return PRISM_OK;
}

/* [out] complete  the piece under way, if any, has ended */
static prism_status_t end_piece(bulk_mpi_t *bulk, bool *complete) {
  MPI_Status statuses[2];
  int ended = 0;
  *complete = bulk->length == 0;
  if (*complete) return PRISM_OK;
  PRISM_TRY(check(bulk, MPI_Testall(2, bulk->requests, &ended, statuses)));
  if (!ended) return PRISM_OK;
  if (bulk->row != MPI_DATATYPE_NULL) PRISM_TRY(check(bulk, MPI_Type_free(&bulk->row)));
  if (bulk->kind == EXCHANGE) {
    int got = 0;
    PRISM_TRY(check(bulk, MPI_Get_count(&statuses[0], MPI_BYTE, &got)));
    if ((size_t)got != bulk->length)
      return break_bulk(bulk, prism_error_record(PRISM_INTERNAL, __FILE__, __LINE__, __func__,
                                                 "exchange: rank %d sent %d bytes, rank %d "
                                                 "expected %zu", bulk->from, got, bulk->rank,
                                                 bulk->length));
  }
  bulk->length = 0;
  *complete = true;
  return PRISM_OK;
}

/* [out] ended  no piece is left */
static prism_status_t advance(bulk_mpi_t *bulk, bool *ended) {
  *ended = false;
  for (;;) {
    bool complete = false;
    PRISM_TRY(end_piece(bulk, &complete));
    if (!complete) return PRISM_OK;
    if (bulk->at == bulk->bytes) break;
    PRISM_TRY(start_piece(bulk));
  }
  *ended = true;
  return PRISM_OK;
}

/* --- operations -------------------------------------------------------------- */

static prism_status_t start(bulk_mpi_t *bulk, bulk_kind_t kind, const void *send, void *receive,
                            size_t bytes) {
  bulk->kind = kind;
  bulk->send = send;
  bulk->receive = receive;
  bulk->bytes = bytes;
  bulk->at = bulk->length = 0;
  bulk->waited = 0.0;
  bulk->started = bulk->last_poll = prism_clock_now();
  return bytes > 0 ? start_piece(bulk) : PRISM_OK;
}

static prism_status_t mpi_gather(void *self, const prism_buffer_t *send,
                                 const prism_buffer_t *receive) {
  bulk_mpi_t *bulk = self;
  size_t bytes = 0, room = 0;
  PRISM_TRY(check_idle(bulk, GATHER));
  PRISM_TRY(buffer_bytes(send, &bytes));
  PRISM_TRY(buffer_bytes(receive, &room));
  if (room / (size_t)bulk->size < bytes)
    PRISM_FAIL(PRISM_INVALID, "gather: %zu bytes of each of %d ranks do not fit into %zu", bytes,
               bulk->size, room);
  PRISM_TRY(start(bulk, GATHER, send->data, receive->data, bytes));
  if (bulk->size > 1) bulk->bytes_sent += bytes;
  return PRISM_OK;
}

static prism_status_t mpi_broadcast(void *self, const prism_buffer_t *block, int32_t root) {
  bulk_mpi_t *bulk = self;
  size_t bytes = 0;
  PRISM_TRY(check_idle(bulk, BROADCAST));
  PRISM_TRY(prism_mpi_check_rank(root, bulk->size, "broadcast"));
  PRISM_TRY(buffer_bytes(block, &bytes));
  bulk->from = root;
  PRISM_TRY(start(bulk, BROADCAST, NULL, block->data, bytes));
  if (bulk->size > 1 && bulk->rank == root) bulk->bytes_sent += bytes;
  return PRISM_OK;
}

static prism_status_t mpi_exchange(void *self, const prism_buffer_t *send, int32_t to,
                                   const prism_buffer_t *receive, int32_t from) {
  bulk_mpi_t *bulk = self;
  size_t bytes = 0, room = 0;
  PRISM_TRY(check_idle(bulk, EXCHANGE));
  PRISM_TRY(prism_mpi_check_rank(to, bulk->size, "exchange"));
  PRISM_TRY(prism_mpi_check_rank(from, bulk->size, "exchange"));
  PRISM_TRY(buffer_bytes(send, &bytes));
  PRISM_TRY(buffer_bytes(receive, &room));
  if (room != bytes)
    PRISM_FAIL(PRISM_INVALID, "exchange: %zu bytes to send, %zu to receive", bytes, room);
  if ((to == bulk->rank) != (from == bulk->rank))
    PRISM_FAIL(PRISM_INVALID, "exchange of rank %d with itself: to %d, from %d", bulk->rank, to,
               from);
  if (to == bulk->rank) {
    if (bytes > 0 && receive->data != send->data) memmove(receive->data, send->data, bytes);
    return start(bulk, EXCHANGE, NULL, NULL, 0);
  }
  bulk->to = to;
  bulk->from = from;
  PRISM_TRY(start(bulk, EXCHANGE, send->data, receive->data, bytes));
  bulk->bytes_sent += bytes;
  return PRISM_OK;
}

static prism_status_t check_deadline(bulk_mpi_t *bulk, double now) {
  double gap = now - bulk->last_poll;
  bulk->waited += gap < gap_most ? gap : gap_most;
  bulk->last_poll = now;
  if (bulk->waited <= bulk->timeout) return PRISM_OK;
  char peers[64] = "not all ranks have started it";
  if (bulk->kind == EXCHANGE)
    snprintf(peers, sizeof peers, "to rank %d, from rank %d", bulk->to, bulk->from);
  prism_status_t status = prism_error_record(
      PRISM_TIMEOUT, __FILE__, __LINE__, __func__,
      "the %s of %zu bytes did not end within %g s on rank %d of %d: %s, or a rank is lost",
      kind_names[bulk->kind], bulk->bytes, bulk->timeout, bulk->rank, bulk->size, peers);
  return break_bulk(bulk, status);
}

static prism_status_t mpi_poll(void *self, bool *done) {
  bulk_mpi_t *bulk = self;
  bool ended = true;
  if (bulk->broken != PRISM_OK) return prism_error_set(bulk->broken, bulk->broken_text);
  if (bulk->kind != NOTHING) {
    PRISM_TRY(advance(bulk, &ended));
    double now = prism_clock_now();
    if (ended) {
      bulk->seconds += now - bulk->started;
      ++bulk->operations;
      bulk->kind = NOTHING;
    } else {
      PRISM_TRY(check_deadline(bulk, now));
    }
  }
  *done = ended;
  return PRISM_OK;
}

static void mpi_usage(void *self, uint64_t *bytes, double *seconds, int64_t *operations) {
  const bulk_mpi_t *bulk = self;
  *bytes = bulk->bytes_sent;
  *seconds = bulk->seconds;
  *operations = bulk->operations;
}

static void mpi_destroy(void *self) {
  bulk_mpi_t *bulk = self;
  if (bulk == NULL) return;
  double deadline = prism_clock_now() + drain_seconds;
  bool done = bulk->broken == PRISM_OK && bulk->kind == NOTHING;
  for (int64_t round = 0; !done && bulk->broken == PRISM_OK; ++round) {
    if (prism_clock_now() > deadline || mpi_poll(bulk, &done) != PRISM_OK) break;
    prism_mpi_back_off(round);
  }
  /* Otherwise a peer is gone or stuck: the handles stay with MPI. */
  if (done) MPI_Comm_free(&bulk->comm);
  prism_free(bulk);
}

static const prism_bulk_ops_t mpi_ops = {
    .name = "mpi",
    .space = PRISM_SPACE_HOST,
    .gather = mpi_gather,
    .broadcast = mpi_broadcast,
    .exchange = mpi_exchange,
    .poll = mpi_poll,
    .usage = mpi_usage,
    .destroy = mpi_destroy,
};

void prism_bulk_mpi_set_piece(prism_bulk_t *bulk, size_t bytes) {
  ((bulk_mpi_t *)bulk->self)->piece = bytes;
}

static prism_status_t prepare(bulk_mpi_t *bulk, MPI_Comm parent) {
  PRISM_TRY(prism_mpi_duplicate(parent, bulk->timeout, &bulk->comm));
  PRISM_TRY(check(bulk, MPI_Comm_rank(bulk->comm, &bulk->rank)));
  return check(bulk, MPI_Comm_size(bulk->comm, &bulk->size));
}

prism_status_t prism_bulk_mpi_create(MPI_Comm parent, double timeout, prism_bulk_t *out) {
  if (!(timeout > 0.0))
    PRISM_FAIL(PRISM_INVALID, "the timeout of an exchange must be above 0 s, not %g", timeout);
  PRISM_TRY(prism_mpi_ready());
  bulk_mpi_t *bulk = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &bulk));
  bulk->comm = MPI_COMM_NULL;
  bulk->requests[0] = bulk->requests[1] = MPI_REQUEST_NULL;
  bulk->row = MPI_DATATYPE_NULL;
  bulk->piece = piece_default;
  bulk->timeout = timeout;
  prism_status_t status = prepare(bulk, parent);
  if (status != PRISM_OK) {
    prism_free(bulk); /* a duplicate stays with MPI: freeing it is collective */
    return status;
  }
  *out = (prism_bulk_t){.ops = &mpi_ops, .self = bulk};
  return PRISM_OK;
}
