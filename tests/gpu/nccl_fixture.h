/* NCCL, a lane and a host communicator that do what a test writes down and note what they
 * are asked: the NCCL backend runs over them without a GPU. One communicator at a time. */
#ifndef PRISM_TESTS_NCCL_FIXTURE_H
#define PRISM_TESTS_NCCL_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "exchange/bulk_nccl_parts.h"

typedef struct fake {
  /* what they do */
  prism_status_t load_status, lane_status, begin_status, end_status;
  int id_result, init_result, issue_result, group_result, finalize_result;
  int async_result;       /* of the query itself */
  int async_state;        /* once the waits are over */
  int waits;              /* queries before that say "in progress" */
  bool lane_done;         /* the GPU has got to the end */
  prism_status_t peers;   /* of the host's check_peers */
  prism_status_t others;  /* the worst of the other ranks in agree number `fail_agree` */
  int fail_agree;         /* 1, 2; 0: none */
  atomic_bool hang;       /* the abort and the destruction do not come back */

  /* what they were asked */
  char log[512];          /* one letter per call, in order */
  prism_nccl_config_t config;
  int ranks, rank, root, peers_seen[2];
  const void *from;
  void *to, *stream, *behind;
  size_t bytes;
  int heartbeats, agrees, ids;
  char id_seen[8];
  atomic_int aborts, destroys, adoptions, hanging;
  prism_nccl_comm_t **place; /* NCCL writes there until the communicator is gone */
  bool foreign_thread;    /* parting took place in a thread of its own */
  pthread_t main_thread;
  int closes;
} fake_t;

static fake_t fake;
static int fake_comm_object, fake_lane_object, fake_host_object, fake_stream_object;

static inline void fake_note(char letter) {
  size_t used = strlen(fake.log);
  if (used + 1 < sizeof fake.log) fake.log[used] = letter;
}

static inline void fake_reset(void) {
  memset(&fake, 0, sizeof fake);
  fake.main_thread = pthread_self();
}

/* --- NCCL --------------------------------------------------------------------- */

static int nccl_version(int *version) {
  *version = 22809;
  return 0;
}

static const char *nccl_error_string(int result) {
  return result == PRISM_NCCL_REMOTE_ERROR ? "remote process exited" : "some error";
}
static const char *nccl_last_error(prism_nccl_comm_t *comm) {
  (void)comm;
  return "socket closed\nsecond line";
}

static int nccl_unique_id(prism_nccl_id_t *id) {
  ++fake.ids;
  memset(id, 0, sizeof *id);
  memcpy(id->bytes, "own id", 7);
  return fake.id_result;
}

static int nccl_init_rank(prism_nccl_comm_t **comm, int ranks, prism_nccl_id_t id, int rank,
                          prism_nccl_config_t *config) {
  fake_note('i');
  fake.ranks = ranks;
  fake.rank = rank;
  fake.config = *config;
  memcpy(fake.id_seen, id.bytes, sizeof fake.id_seen);
  fake.place = comm;
  if (fake.init_result == PRISM_NCCL_SUCCESS || fake.init_result == PRISM_NCCL_IN_PROGRESS)
    *comm = (prism_nccl_comm_t *)(void *)&fake_comm_object;
  return fake.init_result;
}

static int nccl_async_error(prism_nccl_comm_t *comm, int *state) {
  if (comm != (prism_nccl_comm_t *)(void *)&fake_comm_object) return PRISM_NCCL_INVALID_ARGUMENT;
  *state = fake.waits > 0 ? PRISM_NCCL_IN_PROGRESS : fake.async_state;
  if (fake.waits > 0) --fake.waits;
  return fake.async_result;
}

static inline void fake_part(atomic_int *count) {
  fake.foreign_thread = !pthread_equal(fake.main_thread, pthread_self());
  atomic_fetch_add(count, 1);
  atomic_fetch_add(&fake.hanging, 1);
  while (atomic_load(&fake.hang)) prism_clock_sleep(1e-3);
  *fake.place = NULL; /* for AddressSanitizer to see */
  atomic_fetch_sub(&fake.hanging, 1);
}

static int nccl_finalize(prism_nccl_comm_t *comm) {
  (void)comm;
  fake_note('f');
  return fake.finalize_result;
}

static int nccl_destroy_comm(prism_nccl_comm_t *comm) {
  (void)comm;
  fake_part(&fake.destroys);
  return 0;
}

static int nccl_abort_comm(prism_nccl_comm_t *comm) {
  (void)comm;
  fake_part(&fake.aborts);
  return 0;
}

static inline int fake_issue(char letter, const void *from, void *to, size_t bytes, int type,
                             prism_nccl_comm_t *comm, void *stream, int result) {
  fake_note(letter);
  if (from != NULL) fake.from = from;
  if (to != NULL) fake.to = to;
  fake.bytes = bytes;
  fake.stream = stream;
  const bool sane = type == PRISM_NCCL_UINT8 &&
                    comm == (prism_nccl_comm_t *)(void *)&fake_comm_object;
  return sane ? result : PRISM_NCCL_INVALID_ARGUMENT;
}

static int nccl_all_gather(const void *send, void *receive, size_t count, int type,
                           prism_nccl_comm_t *comm, void *stream) {
  return fake_issue('g', send, receive, count, type, comm, stream, fake.issue_result);
}

static int nccl_broadcast_block(const void *send, void *receive, size_t count, int type, int root,
                                prism_nccl_comm_t *comm, void *stream) {
  fake.root = root;
  return fake_issue('b', send, receive, count, type, comm, stream, fake.issue_result);
}

static int nccl_send_block(const void *data, size_t count, int type, int peer,
                           prism_nccl_comm_t *comm, void *stream) {
  fake.peers_seen[0] = peer;
  return fake_issue('s', data, NULL, count, type, comm, stream, fake.issue_result);
}

static int nccl_receive_block(void *data, size_t count, int type, int peer,
                              prism_nccl_comm_t *comm, void *stream) {
  fake.peers_seen[1] = peer;
  return fake_issue('r', NULL, data, count, type, comm, stream, fake.issue_result);
}

static int nccl_group_start(void) {
  fake_note('(');
  return PRISM_NCCL_SUCCESS;
}

static int nccl_group_end(void) {
  fake_note(')');
  return fake.group_result;
}

static prism_status_t fake_load(const char *name, prism_nccl_t *out) {
  (void)name;
  if (fake.load_status != PRISM_OK) PRISM_FAIL(fake.load_status, "no library here");
  *out = (prism_nccl_t){
      .get_version = nccl_version, .error_string = nccl_error_string,
      .last_error = nccl_last_error, .get_unique_id = nccl_unique_id,
      .init_rank = nccl_init_rank, .async_error = nccl_async_error,
      .comm_finalize = nccl_finalize, .comm_destroy = nccl_destroy_comm,
      .comm_abort = nccl_abort_comm, .all_gather = nccl_all_gather,
      .broadcast = nccl_broadcast_block, .send = nccl_send_block,
      .receive = nccl_receive_block, .group_start = nccl_group_start,
      .group_end = nccl_group_end, .version = 22809};
  return PRISM_OK;
}

/* --- the lane ------------------------------------------------------------------ */

static prism_status_t lane_begin(void *self, void *behind) {
  (void)self;
  fake_note('<');
  fake.behind = behind;
  if (fake.begin_status != PRISM_OK) PRISM_FAIL(fake.begin_status, "the GPU is lost");
  return PRISM_OK;
}

static prism_status_t lane_copy(void *self, void *to, const void *from, size_t bytes) {
  (void)self;
  fake_note('c');
  memcpy(to, from, bytes);
  return PRISM_OK;
}

static prism_status_t lane_end(void *self) {
  (void)self;
  fake_note('>');
  if (fake.end_status != PRISM_OK) PRISM_FAIL(fake.end_status, "the GPU is lost");
  return PRISM_OK;
}

static prism_status_t lane_ended(void *self, bool *done, double *seconds) {
  (void)self;
  *done = fake.lane_done;
  if (fake.lane_done) *seconds = 0.25;
  return PRISM_OK;
}

static void lane_adopt(void *self) {
  (void)self;
  atomic_fetch_add(&fake.adoptions, 1);
}

static void lane_close(void *self) {
  (void)self;
  ++fake.closes;
}

static prism_status_t fake_lane(prism_lane_t *out) {
  static const prism_lane_ops_t ops = {lane_begin, lane_copy, lane_end,
                                       lane_ended, lane_adopt, lane_close};
  if (fake.lane_status != PRISM_OK) PRISM_FAIL(fake.lane_status, "no GPU here");
  *out = (prism_lane_t){&ops, &fake_lane_object, &fake_stream_object};
  return PRISM_OK;
}

/* --- the host communicator ------------------------------------------------------- */

static prism_status_t host_bcast(void *self, void *data, size_t bytes, int32_t root) {
  (void)self;
  if (root != 0) PRISM_FAIL(PRISM_INVALID, "root %d", root);
  if (fake.ids == 0) { /* this is not rank 0 */
    memset(data, 0, bytes);
    memcpy(data, "its id", 7);
  }
  return PRISM_OK;
}

static prism_status_t host_agree(void *self, prism_status_t mine) {
  (void)self;
  if (++fake.agrees == fake.fail_agree && mine == PRISM_OK)
    PRISM_FAIL(fake.others, "rank 3: has another reason");
  return mine;
}

static prism_status_t host_heartbeat(void *self) {
  (void)self;
  ++fake.heartbeats;
  prism_error_set(PRISM_OK, "a text that must not get through");
  return PRISM_OK;
}

static prism_status_t host_check_peers(void *self) {
  (void)self;
  if (fake.peers != PRISM_OK) PRISM_FAIL(fake.peers, "rank 1 is lost");
  return PRISM_OK;
}

static inline prism_comm_t fake_host(int32_t rank, int32_t size) {
  static const prism_comm_ops_t ops = {.name = "fake", .bcast = host_bcast, .agree = host_agree,
                                       .heartbeat = host_heartbeat,
                                       .check_peers = host_check_peers};
  return (prism_comm_t){.ops = &ops, .self = &fake_host_object, .rank = rank, .size = size};
}

static inline prism_status_t fake_assemble(int32_t rank, int32_t size, double timeout,
                                           prism_bulk_t *out) {
  const prism_bulk_nccl_parts_t parts = {fake_load, fake_lane, 0.05};
  prism_comm_t host = fake_host(rank, size);
  return prism_bulk_nccl_assemble(&host, timeout, &parts, out);
}

static inline prism_status_t fake_assemble_ahead(int32_t rank, int32_t size, double timeout,
                                                 prism_bulk_t *out) {
  const prism_bulk_nccl_parts_t parts = {fake_load, fake_lane, 0.05};
  prism_comm_t host = fake_host(rank, size);
  return prism_bulk_nccl_assemble_ahead(&host, timeout, &parts, out);
}

#endif
