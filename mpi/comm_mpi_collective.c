/* Collectives and exchanges: non-blocking MPI in pieces below 2^31 bytes. */
#include <stdio.h>
#include <string.h>

#include "comm_mpi_internal.h"

enum { EXCHANGE_TAG = 1 };

static prism_status_t finish(prism_mpi_t *comm, MPI_Request *request, const char *what) {
  MPI_Status status;
  return prism_mpi_wait(comm, request, &status, 1, what);
}

prism_status_t prism_mpi_check_rank(int32_t rank, int32_t size, const char *what) {
  if (rank < 0 || rank >= size)
    PRISM_FAIL(PRISM_INVALID, "%s names rank %d: there are %d ranks", what, rank, size);
  return PRISM_OK;
}

static prism_status_t find_op(prism_reduce_t op, MPI_Op *out) {
  switch (op) {
    case PRISM_REDUCE_MIN: *out = MPI_MIN; return PRISM_OK;
    case PRISM_REDUCE_MAX: *out = MPI_MAX; return PRISM_OK;
    case PRISM_REDUCE_SUM: *out = MPI_SUM; return PRISM_OK;
  }
  PRISM_FAIL(PRISM_INVALID, "reduction %d does not exist", (int)op);
}

prism_status_t prism_mpi_allreduce(prism_mpi_t *comm, const void *in, void *out, size_t count,
                                   size_t element, MPI_Datatype type, prism_reduce_t op) {
  MPI_Op mpi_op = MPI_OP_NULL;
  PRISM_TRY(find_op(op, &mpi_op));
  size_t most = comm->piece / element;
  for (size_t at = 0; at < count; at += most) {
    size_t length = count - at < most ? count - at : most;
    const void *from = in == out ? MPI_IN_PLACE : (const unsigned char *)in + at * element;
    MPI_Request request;
    PRISM_TRY(prism_mpi_check(comm, MPI_Iallreduce(from, (unsigned char *)out + at * element,
                                                   (int)length, type, mpi_op, comm->collectives,
                                                   &request), "allreduce"));
    PRISM_TRY(finish(comm, &request, "allreduce"));
  }
  comm->bytes_sent += count * element;
  return PRISM_OK;
}

prism_status_t prism_mpi_argmin(prism_mpi_t *comm, int64_t in, int64_t *value, int32_t *rank) {
  struct {
    long value;
    int rank;
  } mine = {(long)in, comm->rank}, best; /* the layout of MPI_LONG_INT */
  _Static_assert(sizeof(long) == sizeof(int64_t), "MPI_LONG_INT must hold 64-bit values");
  MPI_Request request;
  PRISM_TRY(prism_mpi_check(comm, MPI_Iallreduce(&mine, &best, 1, MPI_LONG_INT, MPI_MINLOC,
                                                 comm->collectives, &request), "argmin"));
  PRISM_TRY(finish(comm, &request, "argmin"));
  comm->bytes_sent += sizeof mine;
  *value = best.value;
  *rank = best.rank;
  return PRISM_OK;
}

prism_status_t prism_mpi_bcast(prism_mpi_t *comm, void *data, size_t bytes, int32_t root) {
  PRISM_TRY(prism_mpi_check_rank(root, comm->size, "bcast"));
  for (size_t at = 0; at < bytes; at += comm->piece) {
    size_t length = bytes - at < comm->piece ? bytes - at : comm->piece;
    MPI_Request request;
    PRISM_TRY(prism_mpi_check(comm, MPI_Ibcast((unsigned char *)data + at, (int)length, MPI_BYTE,
                                               root, comm->collectives, &request), "bcast"));
    PRISM_TRY(finish(comm, &request, "bcast"));
  }
  if (comm->rank == root) comm->bytes_sent += bytes;
  return PRISM_OK;
}

int prism_mpi_row_type(size_t length, size_t stride, MPI_Datatype *out) {
  MPI_Datatype row = MPI_DATATYPE_NULL;
  int code = MPI_Type_contiguous((int)length, MPI_BYTE, &row);
  if (code != MPI_SUCCESS) return code;
  code = MPI_Type_create_resized(row, 0, (MPI_Aint)stride, out);
  MPI_Type_free(&row);
  return code == MPI_SUCCESS ? MPI_Type_commit(out) : code;
}

prism_status_t prism_mpi_allgather(prism_mpi_t *comm, const void *in, void *out, size_t bytes) {
  bool in_place = in == (unsigned char *)out + (size_t)comm->rank * bytes;
  for (size_t at = 0; at < bytes; at += comm->piece) {
    size_t length = bytes - at < comm->piece ? bytes - at : comm->piece;
    MPI_Datatype row = MPI_DATATYPE_NULL;
    PRISM_TRY(prism_mpi_check(comm, prism_mpi_row_type(length, bytes, &row), "allgather"));
    const void *from = in_place ? MPI_IN_PLACE : (const unsigned char *)in + at;
    MPI_Request request;
    PRISM_TRY(prism_mpi_check(comm, MPI_Iallgather(from, (int)length, MPI_BYTE,
                                                   (unsigned char *)out + at, 1, row,
                                                   comm->collectives, &request), "allgather"));
    PRISM_TRY(finish(comm, &request, "allgather"));
    MPI_Type_free(&row);
  }
  comm->bytes_sent += bytes;
  return PRISM_OK;
}

static prism_status_t buffer_bytes(const prism_buffer_t *buffer, size_t *bytes) {
  return prism_buffer_bytes(buffer, PRISM_SPACE_HOST,
                            "the MPI communicator moves host buffers only", bytes);
}

/* One round: a piece each way; a length of 0 stands for none. */
static prism_status_t exchange_piece(prism_mpi_t *comm, const void *send, size_t send_length,
                                     int32_t to, void *receive, size_t receive_length,
                                     int32_t from) {
  MPI_Request requests[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  MPI_Status statuses[2];
  if (receive_length > 0)
    PRISM_TRY(prism_mpi_check(comm, MPI_Irecv(receive, (int)receive_length, MPI_BYTE, from,
                                              EXCHANGE_TAG, comm->collectives, &requests[0]),
                              "exchange"));
  if (send_length > 0)
    PRISM_TRY(prism_mpi_check(comm, MPI_Isend(send, (int)send_length, MPI_BYTE, to, EXCHANGE_TAG,
                                              comm->collectives, &requests[1]), "exchange"));
  PRISM_TRY(prism_mpi_wait(comm, requests, statuses, 2, "exchange"));
  if (receive_length == 0) return PRISM_OK;
  prism_mpi_heard(comm, from);
  int got = 0;
  PRISM_TRY(prism_mpi_check(comm, MPI_Get_count(&statuses[0], MPI_BYTE, &got), "exchange"));
  if ((size_t)got != receive_length)
    PRISM_FAIL(PRISM_INTERNAL, "exchange: rank %d sent %d bytes, rank %d expected %zu", from, got,
               comm->rank, receive_length);
  return PRISM_OK;
}

prism_status_t prism_mpi_exchange(prism_mpi_t *comm, const prism_buffer_t *send, int32_t to,
                                  const prism_buffer_t *receive, int32_t from) {
  size_t send_bytes = 0, receive_bytes = 0;
  PRISM_TRY(prism_mpi_check_rank(to, comm->size, "exchange"));
  PRISM_TRY(prism_mpi_check_rank(from, comm->size, "exchange"));
  PRISM_TRY(buffer_bytes(send, &send_bytes));
  PRISM_TRY(buffer_bytes(receive, &receive_bytes));
  if (to == comm->rank || from == comm->rank) {
    if (to != from || send_bytes != receive_bytes)
      PRISM_FAIL(PRISM_INVALID,
                 "exchange with the own rank: %zu bytes to rank %d, %zu from rank %d", send_bytes,
                 to, receive_bytes, from);
    if (send_bytes > 0 && receive->data != send->data)
      memmove(receive->data, send->data, send_bytes);
    return PRISM_OK;
  }
  for (size_t at = 0; at < send_bytes || at < receive_bytes; at += comm->piece) {
    size_t send_left = at < send_bytes ? send_bytes - at : 0;
    size_t receive_left = at < receive_bytes ? receive_bytes - at : 0;
    PRISM_TRY(exchange_piece(
        comm, (const unsigned char *)send->data + (send_left > 0 ? at : 0),
        send_left < comm->piece ? send_left : comm->piece, to,
        (unsigned char *)receive->data + (receive_left > 0 ? at : 0),
        receive_left < comm->piece ? receive_left : comm->piece, from));
  }
  comm->bytes_sent += send_bytes;
  return PRISM_OK;
}

prism_status_t prism_mpi_barrier(prism_mpi_t *comm) {
  MPI_Request request;
  PRISM_TRY(prism_mpi_check(comm, MPI_Ibarrier(comm->collectives, &request), "barrier"));
  return finish(comm, &request, "barrier");
}

/* Fixed order of severity: what the user can mend by other input comes first,
 * what a lost or broken environment did comes later, own mistakes last. */
static const prism_status_t severity[] = {
    PRISM_OK,      PRISM_INTERRUPTED, PRISM_UNSUPPORTED, PRISM_INVALID,
    PRISM_FORMAT,  PRISM_IO,          PRISM_TIMEOUT,     PRISM_PEER,
    PRISM_DEVICE,  PRISM_STORAGE,     PRISM_MEMORY,      PRISM_INTERNAL};
enum { SEVERITIES = sizeof severity / sizeof severity[0] };
_Static_assert((int)SEVERITIES == (int)PRISM_STATUS_COUNT, "every status needs its severity");

static int64_t find_severity(prism_status_t status) {
  for (int i = 0; i < SEVERITIES; ++i) {
    if (severity[i] == status) return i;
  }
  return SEVERITIES - 1;
}

prism_status_t prism_mpi_agree(prism_mpi_t *comm, prism_status_t mine) {
  /* One maximum finds the worst status and the lowest rank that has it. */
  int64_t key = (find_severity(mine) << 32) | (INT32_MAX - comm->rank), worst = 0;
  PRISM_TRY(prism_mpi_allreduce(comm, &key, &worst, 1, sizeof key, MPI_INT64_T,
                                PRISM_REDUCE_MAX));
  prism_status_t status = severity[worst >> 32];
  if (status == PRISM_OK) return PRISM_OK;
  int32_t who = INT32_MAX - (int32_t)(worst & INT32_MAX);
  char text[PRISM_MPI_ERROR_BYTES] = "";
  if (comm->rank == who) {
    const char *own = prism_error_text();
    if (own[0] == '\0') own = prism_status_text(status);
    /* Rank 0 is who the user talks to; of the others it must be said. Cut to fit. */
    int length = who > 0 ? snprintf(text, sizeof text, "rank %d: ", who) : 0;
    snprintf(text + length, sizeof text - (size_t)length, "%s", own);
  }
  PRISM_TRY(prism_mpi_bcast(comm, text, sizeof text, who));
  text[sizeof text - 1] = '\0';
  return prism_error_set(status, text);
}
