/* The communicator of a single process: every collective is a copy, messages go
 * through a local queue, nobody can fall silent. Arguments are checked like in
 * the MPI backend, so that a mistake shows up without a launcher. */
#include <string.h>

#include "base/mem.h"
#include "seam/comm.h"
#include "seam/mailbox.h"

typedef struct comm_self {
  prism_mailbox_t mailbox;
  bool has_voted;
  bool vote_pending; /* until counted has been asked */
  int64_t vote;
} comm_self_t;

static prism_status_t check_rank(int32_t rank) {
  if (rank != 0) PRISM_FAIL(PRISM_INVALID, "rank %d does not exist: there is one process", rank);
  return PRISM_OK;
}

static void copy_bytes(void *out, const void *in, size_t bytes) {
  if (bytes > 0 && out != in) memmove(out, in, bytes);
}

static prism_status_t check_reduce(prism_reduce_t op) {
  if (op != PRISM_REDUCE_MIN && op != PRISM_REDUCE_MAX && op != PRISM_REDUCE_SUM)
    PRISM_FAIL(PRISM_INVALID, "reduction %d does not exist", (int)op);
  return PRISM_OK;
}

static prism_status_t self_allreduce_i64(void *self, const int64_t *in, int64_t *out, size_t count,
                                         prism_reduce_t op) {
  (void)self;
  PRISM_TRY(check_reduce(op));
  copy_bytes(out, in, count * sizeof *out);
  return PRISM_OK;
}

static prism_status_t self_allreduce_f64(void *self, const double *in, double *out, size_t count,
                                         prism_reduce_t op) {
  (void)self;
  PRISM_TRY(check_reduce(op));
  copy_bytes(out, in, count * sizeof *out);
  return PRISM_OK;
}

static prism_status_t self_argmin_i64(void *self, int64_t in, int64_t *value, int32_t *rank) {
  (void)self;
  *value = in;
  *rank = 0;
  return PRISM_OK;
}

static prism_status_t self_bcast(void *self, void *data, size_t bytes, int32_t root) {
  (void)self;
  (void)data;
  (void)bytes;
  return check_rank(root);
}

static prism_status_t self_allgather(void *self, const void *in, void *out, size_t bytes) {
  (void)self;
  copy_bytes(out, in, bytes);
  return PRISM_OK;
}

static prism_status_t self_exchange(void *self, const prism_buffer_t *send, int32_t to,
                                    const prism_buffer_t *receive, int32_t from) {
  (void)self;
  PRISM_TRY(check_rank(to));
  PRISM_TRY(check_rank(from));
  if (send->space != PRISM_SPACE_HOST || receive->space != PRISM_SPACE_HOST)
    PRISM_FAIL(PRISM_UNSUPPORTED, "the single-process communicator moves host buffers only");
  if (send->element_bytes != receive->element_bytes || send->count != receive->count)
    PRISM_FAIL(PRISM_INVALID,
               "exchange with the own rank: %zu x %zu bytes sent, %zu x %zu expected", send->count,
               send->element_bytes, receive->count, receive->element_bytes);
  copy_bytes(receive->data, send->data, send->count * send->element_bytes);
  return PRISM_OK;
}

static prism_status_t self_barrier(void *self) {
  (void)self;
  return PRISM_OK;
}

static prism_status_t self_agree(void *self, prism_status_t mine) {
  (void)self;
  return mine;
}

static prism_status_t self_cast(void *self, int64_t value) {
  comm_self_t *comm = self;
  if (comm->vote_pending) PRISM_FAIL(PRISM_INVALID, "the last vote has not been counted");
  comm->has_voted = comm->vote_pending = true;
  comm->vote = value;
  return PRISM_OK;
}

static prism_status_t self_counted(void *self, bool *done, int64_t *least) {
  comm_self_t *comm = self;
  comm->vote_pending = false;
  *done = true;
  if (comm->has_voted) *least = comm->vote;
  return PRISM_OK;
}

static prism_status_t self_post(void *self, int32_t to, int32_t tag, const void *data,
                                size_t bytes) {
  comm_self_t *comm = self;
  PRISM_TRY(check_rank(to));
  if (tag < 0 || tag > PRISM_TAG_MAX)
    PRISM_FAIL(PRISM_INVALID, "message tag %d is outside 0..%d", tag, PRISM_TAG_MAX);
  prism_message_t message = {.from = 0, .tag = tag, .bytes = bytes};
  return prism_mailbox_put_copy(&comm->mailbox, message, data);
}

static prism_status_t self_poll(void *self, prism_message_t *message, const void **data) {
  comm_self_t *comm = self;
  prism_mailbox_take(&comm->mailbox, message, data);
  return PRISM_OK;
}

static prism_status_t self_quiet(void *self) {
  (void)self;
  return PRISM_OK;
}

static void self_usage(void *self, uint64_t *bytes, double *seconds) {
  (void)self;
  *bytes = 0; /* nothing leaves the process */
  *seconds = 0.0;
}

static void self_destroy(void *self) {
  comm_self_t *comm = self;
  if (comm == NULL) return;
  prism_mailbox_clear(&comm->mailbox);
  prism_free(comm);
}

static const prism_comm_ops_t self_ops = {
    .name = "self",
    .allreduce_i64 = self_allreduce_i64,
    .allreduce_f64 = self_allreduce_f64,
    .argmin_i64 = self_argmin_i64,
    .bcast = self_bcast,
    .allgather = self_allgather,
    .exchange = self_exchange,
    .barrier = self_barrier,
    .agree = self_agree,
    .cast = self_cast,
    .counted = self_counted,
    .post = self_post,
    .poll = self_poll,
    .heartbeat = self_quiet,
    .check_peers = self_quiet,
    .usage = self_usage,
    .destroy = self_destroy,
};

prism_status_t prism_comm_self_create(prism_comm_t *out) {
  comm_self_t *comm = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &comm));
  *out = (prism_comm_t){.ops = &self_ops, .self = comm, .rank = 0, .size = 1};
  return PRISM_OK;
}
