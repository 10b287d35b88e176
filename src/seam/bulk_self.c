/* The bulk communicator of a single process: every operation is a copy, made when it is
 * started. Order and arguments are checked like in the other backends, so that a mistake
 * shows up without a launcher. */
#include <string.h>

#include "base/mem.h"
#include "seam/bulk.h"

typedef struct bulk_self {
  bool under_way; /* until poll has said done */
  int64_t operations;
} bulk_self_t;

static prism_status_t check_idle(const bulk_self_t *bulk) {
  if (bulk->under_way) PRISM_FAIL(PRISM_INVALID, "an exchange is still under way");
  return PRISM_OK;
}

static prism_status_t check_rank(int32_t rank) {
  if (rank != 0) PRISM_FAIL(PRISM_INVALID, "rank %d does not exist: there is one process", rank);
  return PRISM_OK;
}

static prism_status_t check_buffer(const prism_buffer_t *buffer, size_t *bytes) {
  return prism_buffer_bytes(buffer, PRISM_SPACE_HOST,
                            "a single process exchanges host buffers only", bytes);
}

static void copy_bytes(void *out, const void *in, size_t bytes) {
  if (bytes > 0 && out != in) memmove(out, in, bytes);
}

static prism_status_t self_gather(void *self, const prism_buffer_t *send,
                                  const prism_buffer_t *receive) {
  bulk_self_t *bulk = self;
  size_t bytes = 0, room = 0;
  PRISM_TRY(check_idle(bulk));
  PRISM_TRY(check_buffer(send, &bytes));
  PRISM_TRY(check_buffer(receive, &room));
  if (room < bytes)
    PRISM_FAIL(PRISM_INVALID, "gather: %zu bytes do not fit into %zu", bytes, room);
  copy_bytes(receive->data, send->data, bytes);
  bulk->under_way = true;
  return PRISM_OK;
}

static prism_status_t self_broadcast(void *self, const prism_buffer_t *block, int32_t root) {
  bulk_self_t *bulk = self;
  size_t bytes = 0;
  PRISM_TRY(check_idle(bulk));
  PRISM_TRY(check_rank(root));
  PRISM_TRY(check_buffer(block, &bytes));
  bulk->under_way = true;
  return PRISM_OK;
}

static prism_status_t self_exchange(void *self, const prism_buffer_t *send, int32_t to,
                                    const prism_buffer_t *receive, int32_t from) {
  bulk_self_t *bulk = self;
  size_t bytes = 0, room = 0;
  PRISM_TRY(check_idle(bulk));
  PRISM_TRY(check_rank(to));
  PRISM_TRY(check_rank(from));
  PRISM_TRY(check_buffer(send, &bytes));
  PRISM_TRY(check_buffer(receive, &room));
  if (room != bytes)
    PRISM_FAIL(PRISM_INVALID, "exchange: %zu bytes to send, %zu to receive", bytes, room);
  copy_bytes(receive->data, send->data, bytes);
  bulk->under_way = true;
  return PRISM_OK;
}

static prism_status_t self_poll(void *self, bool *done) {
  bulk_self_t *bulk = self;
  if (bulk->under_way) ++bulk->operations;
  bulk->under_way = false;
  *done = true;
  return PRISM_OK;
}

static void self_usage(void *self, uint64_t *bytes, double *seconds, int64_t *operations) {
  const bulk_self_t *bulk = self;
  *bytes = 0; /* nothing leaves the process */
  *seconds = 0.0;
  *operations = bulk->operations;
}

static void self_destroy(void *self) { prism_free(self); }

static const prism_bulk_ops_t self_ops = {
    .name = "self",
    .space = PRISM_SPACE_HOST,
    .gather = self_gather,
    .broadcast = self_broadcast,
    .exchange = self_exchange,
    .poll = self_poll,
    .usage = self_usage,
    .destroy = self_destroy,
};

prism_status_t prism_bulk_self_create(prism_bulk_t *out) {
  bulk_self_t *bulk = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &bulk));
  *out = (prism_bulk_t){.ops = &self_ops, .self = bulk};
  return PRISM_OK;
}
