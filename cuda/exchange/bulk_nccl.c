#include "exchange/bulk_nccl.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "exchange/bulk_nccl_parts.h"

enum { ERROR_BYTES = 1024 };

/* The most that the time between two polls counts towards a deadline. */
static const double pause_limit = 1.0;

typedef enum stage {
  IDLE,
  JOINING, /* NCCL starts, in a thread of its own */
  ISSUING, /* NCCL queues the operation, in a thread of its own */
  RUNNING  /* it is queued, and the end behind it */
} stage_t;

typedef struct bulk_nccl {
  prism_comm_t host;
  prism_nccl_t nccl;
  prism_nccl_comm_t *comm;   /* NULL: there is none (any more) */
  prism_nccl_comm_t **place; /* where NCCL keeps writing it, in a thread, while it starts */
  prism_lane_t lane;
  double timeout;
  double give_up_seconds;

  stage_t stage;
  const char *operation; /* "gather" */
  size_t sending;        /* bytes that it gives away */
  double waited, last_look;

  prism_status_t broken; /* PRISM_OK: in order */
  char broken_text[ERROR_BYTES];
  bool stuck; /* an abort has not come back: the lane is lost */

  uint64_t bytes;
  double seconds;
  int64_t operations;
} bulk_nccl_t;

static void start_clock(bulk_nccl_t *bulk) {
  bulk->waited = 0.0;
  bulk->last_look = prism_clock_now();
}

static bool is_late(bulk_nccl_t *bulk) {
  const double now = prism_clock_now(), step = now - bulk->last_look;
  bulk->last_look = now;
  bulk->waited += step < pause_limit ? step : pause_limit;
  return bulk->waited > bulk->timeout;
}

/* What a rank that has lost its peers sees are failing sockets: a remote error, or one of
 * the system. */
static prism_status_t status_of(int result) {
  switch (result) {
    case PRISM_NCCL_REMOTE_ERROR:
    case PRISM_NCCL_SYSTEM_ERROR:
      return PRISM_PEER;
    case PRISM_NCCL_CUDA_ERROR:
    case PRISM_NCCL_INTERNAL_ERROR:
    case PRISM_NCCL_INVALID_USAGE: /* two ranks on one GPU */
      return PRISM_DEVICE;
    default:
      return PRISM_INTERNAL;
  }
}

static prism_status_t nccl_failed(const bulk_nccl_t *bulk, int result, const char *what) {
  const char *detail = bulk->nccl.last_error(bulk->comm);
  if (detail == NULL) detail = "";
  const int length = (int)strcspn(detail, "\n");
  PRISM_FAIL(status_of(result), "rank %d: NCCL failed in the %s: %s%s%.*s%s", bulk->host.rank,
             what, bulk->nccl.error_string(result), length > 0 ? " (" : "", length, detail,
             length > 0 ? ")" : "");
}

/* False: the call has not come to an end, and may never do so. */
static bool part(bulk_nccl_t *bulk, int (*call)(prism_nccl_comm_t *comm)) {
  prism_nccl_comm_t **place = bulk->place;
  bulk->comm = NULL;
  bulk->place = NULL;
  bulk->stage = IDLE;
  bulk->stuck = !prism_nccl_part(call, place, &bulk->lane, &bulk->host, bulk->give_up_seconds);
  return !bulk->stuck;
}

/* Stops what runs and releases the communicator. */
static bool give_up(bulk_nccl_t *bulk) {
  return bulk->comm == NULL || part(bulk, bulk->nccl.comm_abort);
}

static void add_text(bulk_nccl_t *bulk, const char *text) {
  const size_t used = strlen(bulk->broken_text);
  snprintf(bulk->broken_text + used, sizeof bulk->broken_text - used, "%s", text);
}

/* From this thread's error on, every call returns it. */
static prism_status_t break_down(bulk_nccl_t *bulk, prism_status_t status) {
  snprintf(bulk->broken_text, sizeof bulk->broken_text, "%s", prism_error_text());
  const bool joining = bulk->stage == JOINING;
  bulk->broken = status;
  bulk->stage = IDLE;
  if (!give_up(bulk)) add_text(bulk, "; and NCCL could not be aborted");
  if (joining) add_text(bulk, "; --comm mpi does without NCCL");
  return prism_error_set(status, bulk->broken_text);
}

static prism_status_t check_order(const bulk_nccl_t *bulk, const char *operation) {
  if (bulk->broken != PRISM_OK) return prism_error_set(bulk->broken, bulk->broken_text);
  if (bulk->stage != IDLE)
    PRISM_FAIL(PRISM_INVALID, "%s: a %s is still under way", operation, bulk->operation);
  return PRISM_OK;
}

static prism_status_t check_rank(const bulk_nccl_t *bulk, int32_t rank) {
  if (rank < 0 || rank >= bulk->host.size)
    PRISM_FAIL(PRISM_INVALID, "rank %d does not exist: there are %d", rank, bulk->host.size);
  return PRISM_OK;
}

static prism_status_t check_buffer(const prism_buffer_t *buffer, size_t *bytes) {
  return prism_buffer_bytes(buffer, PRISM_SPACE_DEVICE,
                            "NCCL exchanges buffers in the memory of GPUs only", bytes);
}

/* --- operations -------------------------------------------------------------- */

static prism_status_t begin(bulk_nccl_t *bulk, const char *operation, void *behind) {
  bulk->operation = operation;
  bulk->sending = 0;
  start_clock(bulk);
  prism_status_t status = bulk->lane.ops->begin(bulk->lane.self, behind);
  return status == PRISM_OK ? PRISM_OK : break_down(bulk, status);
}

/* The end may be marked only once NCCL has queued everything. */
static prism_status_t mark_end(bulk_nccl_t *bulk) {
  prism_status_t status = bulk->lane.ops->end(bulk->lane.self);
  if (status != PRISM_OK) return break_down(bulk, status);
  bulk->stage = RUNNING;
  return PRISM_OK;
}

/* [in] result  of the calls that started the operation */
static prism_status_t started(bulk_nccl_t *bulk, int result) {
  if (result == PRISM_NCCL_SUCCESS) return mark_end(bulk);
  if (result == PRISM_NCCL_IN_PROGRESS) {
    bulk->stage = ISSUING;
    return PRISM_OK;
  }
  return break_down(bulk, nccl_failed(bulk, result, bulk->operation));
}

static prism_status_t nccl_gather(void *self, const prism_buffer_t *send,
                                  const prism_buffer_t *receive) {
  bulk_nccl_t *bulk = self;
  size_t bytes = 0, room = 0, all = 0;
  PRISM_TRY(check_order(bulk, "gather"));
  PRISM_TRY(check_buffer(send, &bytes));
  PRISM_TRY(check_buffer(receive, &room));
  if (__builtin_mul_overflow(bytes, (size_t)bulk->host.size, &all) || room < all)
    PRISM_FAIL(PRISM_INVALID, "gather: %d x %zu bytes do not fit into %zu", bulk->host.size,
               bytes, room);
  PRISM_TRY(begin(bulk, "gather", send->stream));
  bulk->sending = bulk->host.size > 1 ? bytes : 0;
  int result = PRISM_NCCL_SUCCESS;
  if (bytes > 0)
    result = bulk->nccl.all_gather(send->data, receive->data, bytes, PRISM_NCCL_UINT8, bulk->comm,
                                   bulk->lane.stream);
  return started(bulk, result);
}

static prism_status_t nccl_broadcast(void *self, const prism_buffer_t *block, int32_t root) {
  bulk_nccl_t *bulk = self;
  size_t bytes = 0;
  PRISM_TRY(check_order(bulk, "broadcast"));
  PRISM_TRY(check_rank(bulk, root));
  PRISM_TRY(check_buffer(block, &bytes));
  PRISM_TRY(begin(bulk, "broadcast", block->stream));
  bulk->sending = bulk->host.size > 1 && bulk->host.rank == root ? bytes : 0;
  int result = PRISM_NCCL_SUCCESS;
  if (bytes > 0)
    result = bulk->nccl.broadcast(block->data, block->data, bytes, PRISM_NCCL_UINT8, root,
                                  bulk->comm, bulk->lane.stream);
  return started(bulk, result);
}

/* Both halves in one group: each alone would wait for a peer that waits likewise. A group
 * that was opened is closed whatever happens inside. */
static int send_and_receive(bulk_nccl_t *bulk, const void *out, int32_t to, void *in,
                            int32_t from, size_t bytes) {
  const prism_nccl_t *nccl = &bulk->nccl;
  int first = nccl->group_start();
  if (first != PRISM_NCCL_SUCCESS) return first;
  first = nccl->send(out, bytes, PRISM_NCCL_UINT8, to, bulk->comm, bulk->lane.stream);
  if (first == PRISM_NCCL_SUCCESS || first == PRISM_NCCL_IN_PROGRESS)
    first = nccl->receive(in, bytes, PRISM_NCCL_UINT8, from, bulk->comm, bulk->lane.stream);
  const int last = nccl->group_end();
  return first == PRISM_NCCL_SUCCESS || first == PRISM_NCCL_IN_PROGRESS ? last : first;
}

static prism_status_t nccl_exchange(void *self, const prism_buffer_t *send, int32_t to,
                                    const prism_buffer_t *receive, int32_t from) {
  bulk_nccl_t *bulk = self;
  size_t bytes = 0, room = 0;
  const int32_t mine = bulk->host.rank;
  PRISM_TRY(check_order(bulk, "exchange"));
  PRISM_TRY(check_rank(bulk, to));
  PRISM_TRY(check_rank(bulk, from));
  PRISM_TRY(check_buffer(send, &bytes));
  PRISM_TRY(check_buffer(receive, &room));
  if (room != bytes)
    PRISM_FAIL(PRISM_INVALID, "exchange: %zu bytes to send, %zu to receive", bytes, room);
  if ((to == mine) != (from == mine))
    PRISM_FAIL(PRISM_INVALID, "exchange: rank %d sends to %d and receives from %d", mine, to,
               from);
  PRISM_TRY(begin(bulk, "exchange", send->stream));
  if (bytes == 0) return started(bulk, PRISM_NCCL_SUCCESS);
  if (to == mine) {
    prism_status_t status = PRISM_OK;
    if (receive->data != send->data)
      status = bulk->lane.ops->copy(bulk->lane.self, receive->data, send->data, bytes);
    return status == PRISM_OK ? mark_end(bulk) : break_down(bulk, status);
  }
  bulk->sending = bytes;
  return started(bulk, send_and_receive(bulk, send->data, to, receive->data, from, bytes));
}

/* One step of the operation under way. */
static prism_status_t advance(bulk_nccl_t *bulk) {
  int state = PRISM_NCCL_SUCCESS;
  const int result = bulk->nccl.async_error(bulk->comm, &state);
  if (result != PRISM_NCCL_SUCCESS) state = result;
  if (state != PRISM_NCCL_SUCCESS && state != PRISM_NCCL_IN_PROGRESS)
    return break_down(bulk, nccl_failed(bulk, state, bulk->operation));
  if (bulk->stage == JOINING && state == PRISM_NCCL_SUCCESS) {
    bulk->stage = IDLE;
    return PRISM_OK;
  }
  if (bulk->stage == ISSUING && state == PRISM_NCCL_SUCCESS) PRISM_TRY(mark_end(bulk));
  if (bulk->stage == RUNNING) {
    bool done = false;
    double seconds = 0.0;
    prism_status_t status = bulk->lane.ops->ended(bulk->lane.self, &done, &seconds);
    if (status != PRISM_OK) return break_down(bulk, status);
    if (done) {
      bulk->stage = IDLE;
      bulk->bytes += bulk->sending;
      bulk->seconds += seconds;
      ++bulk->operations;
      return PRISM_OK;
    }
  }
  if (!is_late(bulk)) return PRISM_OK;
  prism_status_t status = prism_error_record(
      PRISM_TIMEOUT, __FILE__, __LINE__, __func__,
      "rank %d: the %s by NCCL has not ended after %g s (run.peer_timeout)", bulk->host.rank,
      bulk->operation, bulk->timeout);
  return break_down(bulk, status);
}

/* The caller has seen the end on the host, so that streams need no word of it: what is
 * queued from now on runs later. */
static prism_status_t nccl_poll(void *self, bool *done) {
  bulk_nccl_t *bulk = self;
  if (bulk->broken != PRISM_OK) return prism_error_set(bulk->broken, bulk->broken_text);
  if (bulk->stage != IDLE) PRISM_TRY(advance(bulk));
  *done = bulk->stage == IDLE;
  return PRISM_OK;
}

static void nccl_usage(void *self, uint64_t *bytes, double *seconds, int64_t *operations) {
  const bulk_nccl_t *bulk = self;
  *bytes = bulk->bytes;
  *seconds = bulk->seconds;
  *operations = bulk->operations;
}

/* --- beginning and end -------------------------------------------------------- */

/* NCCL's orderly end wants all ranks; it gets a little time. */
static bool finalized(bulk_nccl_t *bulk) {
  int state = bulk->nccl.comm_finalize(bulk->comm);
  const double deadline = prism_clock_now() + bulk->give_up_seconds;
  while (state == PRISM_NCCL_IN_PROGRESS && prism_clock_now() < deadline) {
    (void)bulk->host.ops->heartbeat(bulk->host.self);
    prism_clock_sleep(200e-6);
    const int result = bulk->nccl.async_error(bulk->comm, &state);
    if (result != PRISM_NCCL_SUCCESS) state = result;
  }
  return state == PRISM_NCCL_SUCCESS;
}

static void nccl_destroy(void *self) {
  bulk_nccl_t *bulk = self;
  if (bulk == NULL) return;
  if (bulk->comm != NULL && bulk->stage == IDLE && finalized(bulk))
    (void)part(bulk, bulk->nccl.comm_destroy);
  (void)give_up(bulk);
  prism_free(bulk->place); /* never used */
  if (bulk->lane.ops != NULL && !bulk->stuck) bulk->lane.ops->close(bulk->lane.self);
  prism_free(bulk);
}

static const prism_bulk_ops_t nccl_ops = {
    .name = "nccl",
    .space = PRISM_SPACE_DEVICE,
    .gather = nccl_gather,
    .broadcast = nccl_broadcast,
    .exchange = nccl_exchange,
    .poll = nccl_poll,
    .usage = nccl_usage,
    .destroy = nccl_destroy,
};

/* What a rank does alone. [out] id: by rank 0 */
static prism_status_t prepare(const prism_comm_t *comm, double timeout,
                              const prism_bulk_nccl_parts_t *parts, bulk_nccl_t **out,
                              prism_nccl_id_t *id) {
  bulk_nccl_t *bulk = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &bulk));
  *out = bulk; /* also after a failure: the caller destroys it */
  bulk->host = *comm;
  bulk->timeout = timeout;
  bulk->give_up_seconds = parts->give_up_seconds;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &bulk->place));
  PRISM_TRY(parts->load(NULL, &bulk->nccl));
  PRISM_TRY(parts->open_lane(&bulk->lane));
  if (comm->rank != 0) return PRISM_OK;
  const int result = bulk->nccl.get_unique_id(id);
  if (result != PRISM_NCCL_SUCCESS) return nccl_failed(bulk, result, "start");
  return PRISM_OK;
}

/* Begin to join the others. */
static prism_status_t begin_join(bulk_nccl_t *bulk, prism_nccl_id_t id) {
  prism_nccl_config_t config = prism_nccl_config();
  start_clock(bulk);
  bulk->operation = "start";
  const int state =
      bulk->nccl.init_rank(bulk->place, bulk->host.size, id, bulk->host.rank, &config);
  bulk->comm = *bulk->place;
  if (state == PRISM_NCCL_IN_PROGRESS) bulk->stage = JOINING;
  if (state == PRISM_NCCL_SUCCESS || state == PRISM_NCCL_IN_PROGRESS) return PRISM_OK;
  return nccl_failed(bulk, state, "start");
}

/* Join the others; they hear of this rank until all are there. */
static prism_status_t join(bulk_nccl_t *bulk, prism_nccl_id_t id) {
  PRISM_TRY(begin_join(bulk, id));
  int state = bulk->stage == JOINING ? PRISM_NCCL_IN_PROGRESS : PRISM_NCCL_SUCCESS;
  while (state == PRISM_NCCL_IN_PROGRESS) {
    PRISM_TRY(bulk->host.ops->heartbeat(bulk->host.self));
    PRISM_TRY(bulk->host.ops->check_peers(bulk->host.self));
    if (is_late(bulk))
      PRISM_FAIL(PRISM_TIMEOUT, "rank %d: NCCL has not started after %g s (run.peer_timeout)",
                 bulk->host.rank, bulk->timeout);
    prism_clock_sleep(1e-3);
    const int result = bulk->nccl.async_error(bulk->comm, &state);
    if (result != PRISM_NCCL_SUCCESS) state = result;
  }
  bulk->stage = IDLE;
  return state == PRISM_NCCL_SUCCESS ? PRISM_OK : nccl_failed(bulk, state, "start");
}

/* [in] start  begin_join or join */
static prism_status_t make(const prism_comm_t *comm, double timeout,
                           const prism_bulk_nccl_parts_t *parts,
                           prism_status_t (*start)(bulk_nccl_t *bulk, prism_nccl_id_t id),
                           prism_bulk_t *out) {
  bulk_nccl_t *bulk = NULL;
  prism_nccl_id_t id = {{0}};
  if (!(timeout > 0.0))
    PRISM_FAIL(PRISM_INVALID, "a timeout of %g s; it must be positive", timeout);
  /* Nobody starts to wait inside NCCL for a rank that will not come. */
  prism_status_t status = comm->ops->agree(comm->self, prepare(comm, timeout, parts, &bulk, &id));
  if (status == PRISM_OK) status = comm->ops->bcast(comm->self, &id, sizeof id, 0);
  if (status == PRISM_OK) {
    status = start(bulk, id);
    if (status != PRISM_OK) status = break_down(bulk, status);
    status = comm->ops->agree(comm->self, status);
  }
  if (status != PRISM_OK) {
    char text[ERROR_BYTES];
    snprintf(text, sizeof text, "%s", prism_error_text());
    if (bulk != NULL) (void)give_up(bulk);
    nccl_destroy(bulk);
    return prism_error_set(status, text);
  }
  *out = (prism_bulk_t){.ops = &nccl_ops, .self = bulk};
  return PRISM_OK;
}

prism_status_t prism_bulk_nccl_assemble(const prism_comm_t *comm, double timeout,
                                        const prism_bulk_nccl_parts_t *parts,
                                        prism_bulk_t *out) {
  return make(comm, timeout, parts, join, out);
}

prism_status_t prism_bulk_nccl_assemble_ahead(const prism_comm_t *comm, double timeout,
                                              const prism_bulk_nccl_parts_t *parts,
                                              prism_bulk_t *out) {
  return make(comm, timeout, parts, begin_join, out);
}

static const prism_bulk_nccl_parts_t real_parts = {
    .load = prism_nccl_load, .open_lane = prism_lane_create, .give_up_seconds = 2.0};

prism_status_t prism_bulk_nccl_create(const prism_comm_t *comm, double timeout,
                                      prism_bulk_t *out) {
  return prism_bulk_nccl_assemble(comm, timeout, &real_parts, out);
}

prism_status_t prism_bulk_nccl_begin(const prism_comm_t *comm, double timeout,
                                     prism_bulk_t *out) {
  return prism_bulk_nccl_assemble_ahead(comm, timeout, &real_parts, out);
}

bool prism_bulk_nccl_possible(char *text, size_t size) {
  prism_nccl_t nccl;
  if (prism_nccl_load(NULL, &nccl) != PRISM_OK) {
    snprintf(text, size, "%s", prism_error_text());
    prism_error_clear();
    return false;
  }
  prism_nccl_version_text(nccl.version, text, size);
  return true;
}
