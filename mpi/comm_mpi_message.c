/* Posted messages. A message of at most one piece travels as it is; a longer one
 * as a head with its length and then its pieces. MPI keeps the order between two
 * ranks of one communicator, so the pieces of a message follow each other. */
#include <string.h>

#include "base/mem.h"
#include "comm_mpi_internal.h"

enum {
  TAG_MASK = PRISM_TAG_MAX, /* tag of the caller */
  KIND_WHOLE = 0,
  KIND_HEAD = 0x100,
  KIND_PIECE = 0x200,
  REAP_PENDING = 64,  /* unfinished sends looked at in one call: many may wait for a busy rank */
  RECEIVE_ROUNDS = 64 /* pieces taken in one call: bounds the time spent in it */
};

static void free_send(prism_mpi_send_t *send) {
  prism_free(send->payload);
  prism_free(send);
}

static prism_status_t append_send(prism_mpi_send_t ***end, int mpi_tag, const void *data,
                                  size_t bytes) {
  prism_mpi_send_t *send = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &send));
  prism_status_t status = prism_alloc_bytes(bytes, 1, &send->payload);
  if (status != PRISM_OK) {
    prism_free(send);
    return status;
  }
  if (bytes > 0) memcpy(send->payload, data, bytes);
  send->bytes = bytes;
  send->mpi_tag = mpi_tag;
  send->request = MPI_REQUEST_NULL;
  **end = send;
  *end = &send->next;
  return PRISM_OK;
}

/* Copies of all pieces first: a message is posted as a whole or not at all. */
static prism_status_t copy_pieces(const prism_mpi_t *comm, int32_t tag, const void *data,
                                  size_t bytes, prism_mpi_send_t ***end) {
  if (bytes <= comm->piece) return append_send(end, KIND_WHOLE | tag, data, bytes);
  uint64_t total = bytes;
  PRISM_TRY(append_send(end, KIND_HEAD | tag, &total, sizeof total));
  for (size_t at = 0; at < bytes; at += comm->piece) {
    size_t length = bytes - at < comm->piece ? bytes - at : comm->piece;
    PRISM_TRY(append_send(end, KIND_PIECE | tag, (const unsigned char *)data + at, length));
  }
  return PRISM_OK;
}

prism_status_t prism_mpi_post(prism_mpi_t *comm, int32_t to, int32_t tag, const void *data,
                              size_t bytes) {
  if (to < 0 || to >= comm->size)
    PRISM_FAIL(PRISM_INVALID, "message to rank %d: there are %d ranks", to, comm->size);
  if (tag < 0 || tag > PRISM_TAG_MAX)
    PRISM_FAIL(PRISM_INVALID, "message tag %d is outside 0..%d", tag, PRISM_TAG_MAX);
  if (to == comm->rank) {
    prism_message_t message = {.from = to, .tag = tag, .bytes = bytes};
    return prism_mailbox_put_copy(&comm->mailbox, message, data);
  }
  prism_mpi_send_t *chain = NULL;
  prism_mpi_send_t **end = &chain;
  prism_status_t status = copy_pieces(comm, tag, data, bytes, &end);
  if (status != PRISM_OK) {
    while (chain != NULL) {
      prism_mpi_send_t *next = chain->next;
      free_send(chain);
      chain = next;
    }
    return status;
  }
  *comm->sends_end = chain;
  comm->sends_end = end;
  for (prism_mpi_send_t *send = chain; send != NULL; send = send->next)
    PRISM_TRY(prism_mpi_check(comm, MPI_Isend(send->payload, (int)send->bytes, MPI_BYTE, to,
                                              send->mpi_tag, comm->messages, &send->request),
                              "post"));
  comm->bytes_sent += bytes;
  return PRISM_OK;
}

prism_status_t prism_mpi_reap(prism_mpi_t *comm) {
  prism_mpi_send_t **link = &comm->sends;
  for (int pending = 0; *link != NULL && pending < REAP_PENDING;) {
    prism_mpi_send_t *send = *link;
    int done = 0;
    PRISM_TRY(prism_mpi_check(comm, MPI_Test(&send->request, &done, MPI_STATUS_IGNORE), "post"));
    if (!done) {
      link = &send->next;
      ++pending;
      continue;
    }
    *link = send->next;
    if (*link == NULL) comm->sends_end = link;
    free_send(send);
  }
  return PRISM_OK;
}

/* Where an arriving piece belongs. */
static prism_status_t choose_target(prism_mpi_t *comm, prism_mpi_receive_t *receive,
                                    void **target) {
  prism_mpi_parts_t *parts = &comm->parts[receive->from];
  int kind = receive->mpi_tag & ~TAG_MASK;
  receive->data = NULL;
  if (kind == KIND_PIECE) {
    if (parts->data == NULL || receive->bytes > parts->total - parts->received)
      PRISM_FAIL(PRISM_INTERNAL, "rank %d sent %zu bytes that belong to no message", receive->from,
                 receive->bytes);
    *target = parts->data + parts->received;
    return PRISM_OK;
  }
  if (kind == KIND_HEAD && (receive->bytes != sizeof(uint64_t) || parts->data != NULL))
    PRISM_FAIL(PRISM_INTERNAL, "rank %d sent a malformed head of a long message", receive->from);
  PRISM_TRY(prism_alloc_bytes(receive->bytes, 1, &receive->data));
  *target = receive->data;
  return PRISM_OK;
}

/* [out] found  a message arrived and its receive was started */
static prism_status_t start_receive(prism_mpi_t *comm, bool *found) {
  int arrived = 0, bytes = 0;
  MPI_Status status;
  *found = false;
  PRISM_TRY(prism_mpi_check(
      comm, MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm->messages, &arrived, &status), "poll"));
  if (!arrived) return PRISM_OK;
  PRISM_TRY(prism_mpi_check(comm, MPI_Get_count(&status, MPI_BYTE, &bytes), "poll"));
  prism_mpi_receive_t *receive = &comm->receive;
  receive->from = status.MPI_SOURCE;
  receive->mpi_tag = status.MPI_TAG;
  receive->bytes = (size_t)bytes;
  void *target = NULL;
  PRISM_TRY(choose_target(comm, receive, &target));
  int code = MPI_Irecv(target, bytes, MPI_BYTE, receive->from, receive->mpi_tag, comm->messages,
                       &receive->request);
  if (code != MPI_SUCCESS) {
    prism_free(receive->data);
    receive->data = NULL;
    return prism_mpi_check(comm, code, "poll");
  }
  receive->active = true;
  *found = true;
  return PRISM_OK;
}

/* Takes over receive->data. */
static prism_status_t finish_receive(prism_mpi_t *comm) {
  prism_mpi_receive_t *receive = &comm->receive;
  prism_mpi_parts_t *parts = &comm->parts[receive->from];
  prism_message_t message = {
      .from = receive->from, .tag = receive->mpi_tag & TAG_MASK, .bytes = receive->bytes};
  int kind = receive->mpi_tag & ~TAG_MASK;
  void *data = receive->data;
  receive->data = NULL;
  receive->active = false;
  prism_mpi_heard(comm, receive->from);
  if (kind == KIND_WHOLE) return prism_mailbox_put(&comm->mailbox, message, data);
  if (kind == KIND_HEAD) {
    uint64_t total;
    memcpy(&total, data, sizeof total);
    prism_free(data);
    prism_status_t status = PRISM_ALLOC(total, &parts->data);
    if (status != PRISM_OK) return prism_mpi_break(comm, status); /* its pieces have no home */
    parts->total = (size_t)total;
    parts->received = 0;
    return PRISM_OK;
  }
  parts->received += receive->bytes;
  if (parts->received < parts->total) return PRISM_OK;
  message.bytes = parts->total;
  data = parts->data;
  parts->data = NULL;
  return prism_mailbox_put(&comm->mailbox, message, data);
}

prism_status_t prism_mpi_receive_messages(prism_mpi_t *comm) {
  for (int round = 0; round < RECEIVE_ROUNDS; ++round) {
    if (!comm->receive.active) {
      bool found = false;
      PRISM_TRY(start_receive(comm, &found));
      if (!found) return PRISM_OK;
    }
    int done = 0;
    PRISM_TRY(prism_mpi_check(comm, MPI_Test(&comm->receive.request, &done, MPI_STATUS_IGNORE),
                              "poll"));
    if (!done) return PRISM_OK;
    PRISM_TRY(finish_receive(comm));
    if (comm->mailbox.head != NULL) return PRISM_OK;
  }
  return PRISM_OK;
}

void prism_mpi_forget_messages(prism_mpi_t *comm) {
  prism_mailbox_clear(&comm->mailbox);
  for (prism_mpi_send_t *send = comm->sends; send != NULL;) {
    prism_mpi_send_t *next = send->next;
    if (send->request == MPI_REQUEST_NULL) free_send(send);
    send = next;
  }
  comm->sends = NULL;
  for (int32_t r = 0; r < comm->size; ++r) {
    bool in_use = comm->receive.active && comm->receive.from == r && comm->receive.data == NULL;
    if (!in_use) prism_free(comm->parts[r].data);
    comm->parts[r].data = NULL;
  }
  if (!comm->receive.active) prism_free(comm->receive.data);
}
