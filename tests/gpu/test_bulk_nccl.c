/* The NCCL backend: its loader, and every way through its states over a fake NCCL. Needs
 * neither a GPU nor NCCL; where both are, one rank really exchanges with itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "exchange/bulk_nccl.h"
#include "gpu/gpu_fixture.h"
#include "gpu/nccl_fixture.h"

#if __has_include(<nccl.h>)
#include <nccl.h>
#define HAVE_NCCL_H 1
_Static_assert(offsetof(ncclConfig_t, magic) == offsetof(prism_nccl_config_t, magic), "");
_Static_assert(offsetof(ncclConfig_t, version) == offsetof(prism_nccl_config_t, version), "");
_Static_assert(offsetof(ncclConfig_t, blocking) == offsetof(prism_nccl_config_t, blocking), "");
_Static_assert(offsetof(ncclConfig_t, cgaClusterSize) ==
                   offsetof(prism_nccl_config_t, cga_cluster_size), "");
_Static_assert(offsetof(ncclConfig_t, minCTAs) == offsetof(prism_nccl_config_t, min_ctas), "");
_Static_assert(offsetof(ncclConfig_t, maxCTAs) == offsetof(prism_nccl_config_t, max_ctas), "");
_Static_assert(offsetof(ncclConfig_t, netName) == offsetof(prism_nccl_config_t, net_name), "");
_Static_assert(sizeof(ncclUniqueId) == sizeof(prism_nccl_id_t), "");
_Static_assert((int)ncclSuccess == PRISM_NCCL_SUCCESS && (int)ncclUint8 == PRISM_NCCL_UINT8, "");
_Static_assert((int)ncclUnhandledCudaError == PRISM_NCCL_CUDA_ERROR, "");
_Static_assert((int)ncclSystemError == PRISM_NCCL_SYSTEM_ERROR, "");
_Static_assert((int)ncclInternalError == PRISM_NCCL_INTERNAL_ERROR, "");
_Static_assert((int)ncclInvalidArgument == PRISM_NCCL_INVALID_ARGUMENT, "");
_Static_assert((int)ncclInvalidUsage == PRISM_NCCL_INVALID_USAGE, "");
_Static_assert((int)ncclRemoteError == PRISM_NCCL_REMOTE_ERROR, "");
_Static_assert((int)ncclInProgress == PRISM_NCCL_IN_PROGRESS, "");
#endif

static const uint64_t seed = 20261121;

enum { RANK = 2, RANKS = 4, BYTES = 24 };

static unsigned char block[BYTES], other[RANKS * BYTES];

static prism_buffer_t device(void *data, size_t count, size_t element, void *stream) {
  return (prism_buffer_t){data, PRISM_SPACE_DEVICE, element, count, stream};
}

static prism_bulk_t make(double timeout) {
  prism_bulk_t bulk = {0};
  fake_reset();
  must(fake_assemble(RANK, RANKS, timeout, &bulk));
  memset(fake.log, 0, sizeof fake.log);
  return bulk;
}

static void assert_text(const char *part) {
  if (strstr(prism_error_text(), part) == NULL)
    fail_msg("\"%s\" is not in \"%s\"", part, prism_error_text());
}

/* --- the library --------------------------------------------------------------- */

static void missing_libraries(void **state) {
  (void)state;
  prism_nccl_t nccl = {.version = 7};
  assert_int_equal(prism_nccl_load("libprism-none.so.2", &nccl), PRISM_UNSUPPORTED);
  assert_text("NCCL cannot be loaded: libprism-none.so.2");
  assert_int_equal(prism_nccl_load("libm.so.6", &nccl), PRISM_UNSUPPORTED);
  assert_text("has no ncclGetVersion");
  assert_int_equal(nccl.version, 7);
}

static void versions(void **state) {
  (void)state;
  const struct { int code; const char *text; } list[] = {
      {22809, "2.28.9"}, {21700, "2.17.0"}, {20900, "2.9.0"}, {2804, "2.8.4"}};
  for (size_t i = 0; i < sizeof list / sizeof *list; ++i) {
    char text[PRISM_NCCL_VERSION_BYTES];
    prism_nccl_version_text(list[i].code, text, sizeof text);
    assert_string_equal(text, list[i].text);
  }
}

/* Either a version that suffices, or a reason. */
static void possible_or_not(void **state) {
  (void)state;
  char text[256] = "";
  int major = 0, minor = 0;
  const bool possible = prism_bulk_nccl_possible(text, sizeof text);
  printf("NCCL: %s\n", text);
  if (possible) {
    assert_int_equal(sscanf(text, "%d.%d.", &major, &minor), 2);
    assert_true(major * 100 + minor >= 217);
  } else {
    assert_non_null(strstr(text, "NCCL"));
    assert_string_equal(prism_error_text(), "");
  }
}

/* --- the start ----------------------------------------------------------------- */

static void start_is_polled(void **state) {
  (void)state;
  for (int32_t rank = 0; rank < RANKS; ++rank) {
    prism_bulk_t bulk = {0};
    fake_reset();
    fake.init_result = PRISM_NCCL_IN_PROGRESS;
    fake.waits = 3;
    assert_int_equal(fake_assemble(rank, RANKS, 60.0, &bulk), PRISM_OK);
    assert_string_equal(bulk.ops->name, "nccl");
    assert_int_equal(bulk.ops->space, PRISM_SPACE_DEVICE);
    assert_int_equal(fake.waits, 0);
    assert_true(fake.heartbeats >= 4);
    assert_int_equal(fake.agrees, 2);
    assert_int_equal(fake.ids, rank == 0);
    assert_string_equal(fake.id_seen, rank == 0 ? "own id" : "its id");
    assert_int_equal(fake.rank, rank);
    assert_int_equal(fake.ranks, RANKS);
    assert_int_equal(fake.config.blocking, 0);
    assert_int_equal(fake.config.min_ctas, 1);
    assert_int_equal(fake.config.max_ctas, 1);
    assert_int_equal(fake.config.magic, 0xcafebeef);
    assert_true(fake.config.size == sizeof fake.config && fake.config.net_name == NULL);
    prism_bulk_destroy(&bulk);
    assert_int_equal(fake.aborts, 0);
    assert_int_equal(fake.destroys, 1);
    assert_int_equal(fake.closes, 1);
  }
}

static void expect_no_start(int32_t rank, double timeout, prism_status_t status,
                            const char *text, int aborts) {
  const size_t blocks = prism_mem_live_blocks();
  prism_bulk_t bulk = {0};
  assert_int_equal(fake_assemble(rank, RANKS, timeout, &bulk), status);
  assert_text(text);
  assert_true(bulk.ops == NULL && bulk.self == NULL);
  assert_int_equal(fake.aborts, aborts);
  assert_int_equal(fake.destroys, 0);
  assert_int_equal(prism_mem_live_blocks(), blocks);
  fake_reset();
}

static void starts_that_fail(void **state) {
  (void)state;
  fake_reset();
  expect_no_start(1, 0.0, PRISM_INVALID, "must be positive", 0);
  fake.load_status = PRISM_UNSUPPORTED;
  expect_no_start(1, 60.0, PRISM_UNSUPPORTED, "no library here", 0);
  fake.lane_status = PRISM_DEVICE;
  expect_no_start(1, 60.0, PRISM_DEVICE, "no GPU here", 0);
  fake.id_result = PRISM_NCCL_SYSTEM_ERROR;
  expect_no_start(0, 60.0, PRISM_PEER,
                  "rank 0: NCCL failed in the start: some error (socket closed)", 0);
  fake.init_result = PRISM_NCCL_INVALID_USAGE;
  expect_no_start(1, 60.0, PRISM_DEVICE, "rank 1: NCCL failed in the start", 0);
  fake.init_result = PRISM_NCCL_IN_PROGRESS;
  fake.waits = 2;
  fake.async_state = PRISM_NCCL_REMOTE_ERROR;
  expect_no_start(1, 60.0, PRISM_PEER, "remote process exited", 1);
  fake.init_result = PRISM_NCCL_IN_PROGRESS;
  fake.async_result = PRISM_NCCL_INVALID_ARGUMENT;
  expect_no_start(1, 60.0, PRISM_INTERNAL, "some error", 1);
  fake.init_result = PRISM_NCCL_IN_PROGRESS;
  fake.waits = 1 << 30;
  expect_no_start(3, 0.02, PRISM_TIMEOUT, "rank 3: NCCL has not started after 0.02 s", 1);
  fake.init_result = PRISM_NCCL_IN_PROGRESS;
  fake.waits = 1 << 30;
  fake.peers = PRISM_PEER;
  expect_no_start(3, 60.0, PRISM_PEER, "rank 1 is lost", 1);
  /* All is well here, but not elsewhere: nobody has a communicator. */
  fake.fail_agree = 1;
  fake.others = PRISM_DEVICE;
  expect_no_start(0, 60.0, PRISM_DEVICE, "rank 3: has another reason", 0);
  fake.fail_agree = 2;
  fake.others = PRISM_TIMEOUT;
  expect_no_start(0, 60.0, PRISM_TIMEOUT, "rank 3: has another reason", 1);
}

/* --- operations ----------------------------------------------------------------- */

static void expect_done(prism_bulk_t *bulk, bool expected) {
  bool done = !expected;
  assert_int_equal(bulk->ops->poll(bulk->self, &done), PRISM_OK);
  assert_true(done == expected);
}

static void operations_as_asked(void **state) {
  (void)state;
  int giver = 0;
  prism_bulk_t bulk = make(60.0);
  const prism_buffer_t one = device(block, 6, 4, &giver), two = device(other, 12, 2, NULL);
  const prism_buffer_t all = device(other, RANKS * 6, 4, NULL);
  expect_done(&bulk, true);

  assert_int_equal(bulk.ops->gather(bulk.self, &one, &all), PRISM_OK);
  assert_string_equal(fake.log, "<g>");
  assert_true(fake.from == block && fake.to == other && fake.bytes == BYTES);
  assert_true(fake.stream == &fake_stream_object && fake.behind == &giver);
  expect_done(&bulk, false);
  fake.lane_done = true;
  expect_done(&bulk, true);

  memset(fake.log, 0, sizeof fake.log);
  for (int32_t root = 0; root < RANKS; ++root) {
    assert_int_equal(bulk.ops->broadcast(bulk.self, &one, root), PRISM_OK);
    assert_int_equal(fake.root, root);
    assert_true(fake.from == block && fake.to == block && fake.bytes == BYTES);
    expect_done(&bulk, true);
  }
  assert_string_equal(fake.log, "<b><b><b><b>");

  memset(fake.log, 0, sizeof fake.log);
  assert_int_equal(bulk.ops->exchange(bulk.self, &one, 3, &two, 1), PRISM_OK);
  assert_string_equal(fake.log, "<(sr)>");
  assert_true(fake.from == block && fake.to == other && fake.bytes == BYTES);
  assert_int_equal(fake.peers_seen[0], 3);
  assert_int_equal(fake.peers_seen[1], 1);
  expect_done(&bulk, true);

  uint64_t bytes = 0;
  double seconds = 0.0;
  int64_t operations = 0;
  bulk.ops->usage(bulk.self, &bytes, &seconds, &operations);
  assert_int_equal(bytes, 3 * BYTES); /* of the broadcasts, the one from here */
  assert_true(seconds == 6 * 0.25);
  assert_int_equal(operations, 6);
  prism_bulk_destroy(&bulk);
}

/* Nothing is marked, nor asked of the GPU, before NCCL has queued the operation. */
static void queued_by_and_by(void **state) {
  (void)state;
  prism_bulk_t bulk = make(60.0);
  const prism_buffer_t one = device(block, BYTES, 1, NULL), two = device(other, BYTES, 1, NULL);
  fake.issue_result = fake.group_result = PRISM_NCCL_IN_PROGRESS;
  fake.lane_done = true;
  fake.waits = 3;
  assert_int_equal(bulk.ops->exchange(bulk.self, &one, 1, &two, 3), PRISM_OK);
  for (int i = 0; i < 3; ++i) {
    expect_done(&bulk, false);
    assert_string_equal(fake.log, "<(sr)");
  }
  expect_done(&bulk, true);
  assert_string_equal(fake.log, "<(sr)>");
  prism_bulk_destroy(&bulk);
  assert_int_equal(fake.aborts, 0);
}

static void with_itself(void **state) {
  (void)state;
  prism_bulk_t bulk = make(60.0);
  for (int i = 0; i < BYTES; ++i) block[i] = (unsigned char)(i * 7 + 1);
  memset(other, 0, sizeof other);
  const prism_buffer_t one = device(block, BYTES, 1, NULL), two = device(other, 3, 8, NULL);
  fake.lane_done = true;
  assert_int_equal(bulk.ops->exchange(bulk.self, &one, RANK, &two, RANK), PRISM_OK);
  assert_string_equal(fake.log, "<c>");
  expect_done(&bulk, true);
  assert_memory_equal(block, other, BYTES);
  /* Nothing to move: NCCL is not asked. */
  const prism_buffer_t none = device(block, 0, 4, NULL);
  assert_int_equal(bulk.ops->gather(bulk.self, &none, &none), PRISM_OK);
  expect_done(&bulk, true);
  assert_int_equal(bulk.ops->broadcast(bulk.self, &none, 0), PRISM_OK);
  expect_done(&bulk, true);
  assert_int_equal(bulk.ops->exchange(bulk.self, &none, 0, &none, 1), PRISM_OK);
  expect_done(&bulk, true);
  assert_string_equal(fake.log, "<c><><><>");
  prism_bulk_destroy(&bulk);
}

static void refusals(void **state) {
  (void)state;
  prism_bulk_t bulk = make(60.0);
  const prism_buffer_t one = device(block, BYTES, 1, NULL), few = device(other, BYTES - 1, 1, NULL);
  const prism_buffer_t all = device(other, RANKS * BYTES, 1, NULL);
  const prism_buffer_t less = device(other, RANKS * BYTES - 1, 1, NULL);
  const prism_buffer_t huge = device(block, SIZE_MAX / 2, 3, NULL);
  const prism_buffer_t much = device(block, SIZE_MAX / 2, 1, NULL);
  prism_buffer_t host = one;
  host.space = PRISM_SPACE_HOST;
#define REFUSED(status, call) assert_int_equal(bulk.ops->call, status)
  REFUSED(PRISM_INVALID, gather(bulk.self, &one, &less));
  REFUSED(PRISM_INVALID, gather(bulk.self, &huge, &all));
  REFUSED(PRISM_INVALID, gather(bulk.self, &much, &all));
  REFUSED(PRISM_UNSUPPORTED, gather(bulk.self, &host, &all));
  REFUSED(PRISM_UNSUPPORTED, broadcast(bulk.self, &host, 0));
  REFUSED(PRISM_INVALID, broadcast(bulk.self, &one, -1));
  REFUSED(PRISM_INVALID, broadcast(bulk.self, &one, RANKS));
  REFUSED(PRISM_INVALID, exchange(bulk.self, &one, RANKS, &one, 0));
  REFUSED(PRISM_INVALID, exchange(bulk.self, &one, 0, &one, -1));
  REFUSED(PRISM_INVALID, exchange(bulk.self, &one, 0, &few, 1));
  REFUSED(PRISM_UNSUPPORTED, exchange(bulk.self, &one, 0, &host, 1));
  REFUSED(PRISM_INVALID, exchange(bulk.self, &one, RANK, &few, 1));
  REFUSED(PRISM_INVALID, exchange(bulk.self, &one, 1, &one, RANK));
  assert_string_equal(fake.log, "");
  expect_done(&bulk, true);
  /* While one is under way, there is no other. */
  assert_int_equal(bulk.ops->gather(bulk.self, &one, &all), PRISM_OK);
  REFUSED(PRISM_INVALID, gather(bulk.self, &one, &all));
  assert_text("a gather is still under way");
  REFUSED(PRISM_INVALID, broadcast(bulk.self, &one, 0));
  REFUSED(PRISM_INVALID, exchange(bulk.self, &one, 1, &one, 1));
#undef REFUSED
  assert_string_equal(fake.log, "<g>");
  fake.lane_done = true;
  expect_done(&bulk, true);
  prism_bulk_destroy(&bulk);
}

/* --- failures -------------------------------------------------------------------- */

/* The first error, now and for ever; NCCL was aborted once, elsewhere. */
static void expect_broken(prism_bulk_t *bulk, prism_status_t status, const char *text) {
  const prism_buffer_t one = device(block, BYTES, 1, NULL);
  bool done = true;
  for (int i = 0; i < 2; ++i) {
    prism_error_clear();
    assert_int_equal(bulk->ops->poll(bulk->self, &done), status);
    assert_text(text);
    assert_int_equal(bulk->ops->gather(bulk->self, &one, &one), status);
    assert_int_equal(bulk->ops->broadcast(bulk->self, &one, 99), status);
    assert_int_equal(bulk->ops->exchange(bulk->self, &one, 0, &one, 0), status);
    assert_text(text);
  }
  assert_int_equal(fake.aborts, 1);
  assert_int_equal(fake.adoptions, 1);
  assert_true(fake.foreign_thread);
  int64_t operations = -1;
  uint64_t bytes;
  double seconds;
  bulk->ops->usage(bulk->self, &bytes, &seconds, &operations);
  assert_int_equal(operations, 0);
  prism_bulk_destroy(bulk);
  assert_int_equal(fake.aborts, 1);
  assert_int_equal(fake.destroys, 0);
  assert_int_equal(fake.closes, 1);
}

static void errors_while_under_way(void **state) {
  (void)state;
  bool done = true;
  const prism_buffer_t one = device(block, BYTES, 1, NULL);
  const struct { int code; prism_status_t status; } list[] = {
      {PRISM_NCCL_REMOTE_ERROR, PRISM_PEER},   {PRISM_NCCL_SYSTEM_ERROR, PRISM_PEER},
      {PRISM_NCCL_CUDA_ERROR, PRISM_DEVICE},   {PRISM_NCCL_INTERNAL_ERROR, PRISM_DEVICE},
      {PRISM_NCCL_INVALID_ARGUMENT, PRISM_INTERNAL}};
  for (size_t i = 0; i < 2 * sizeof list / sizeof *list; ++i) {
    const size_t which = i / 2;
    prism_bulk_t bulk = make(60.0);
    fake.issue_result = i % 2 == 0 ? PRISM_NCCL_SUCCESS : PRISM_NCCL_IN_PROGRESS;
    fake.waits = 1;
    assert_int_equal(bulk.ops->broadcast(bulk.self, &one, 0), PRISM_OK);
    expect_done(&bulk, false);
    fake.async_state = list[which].code;
    fake.lane_done = true; /* an error counts more than an end */
    assert_int_equal(bulk.ops->poll(bulk.self, &done), list[which].status);
    assert_text("rank 2: NCCL failed in the broadcast: ");
    assert_text("(socket closed)");
    assert_null(strstr(prism_error_text(), "second line"));
    expect_broken(&bulk, list[which].status, "NCCL failed in the broadcast");
  }
}

static void errors_at_the_start_of_an_operation(void **state) {
  (void)state;
  const prism_buffer_t one = device(block, BYTES, 1, NULL), two = device(other, BYTES, 1, NULL);
  prism_bulk_t bulk = make(60.0);
  fake.issue_result = PRISM_NCCL_REMOTE_ERROR;
  assert_int_equal(bulk.ops->exchange(bulk.self, &one, 0, &two, 1), PRISM_PEER);
  assert_string_equal(fake.log, "<(s)"); /* the group is closed all the same */
  expect_broken(&bulk, PRISM_PEER, "rank 2: NCCL failed in the exchange");

  bulk = make(60.0);
  fake.group_result = PRISM_NCCL_SYSTEM_ERROR;
  assert_int_equal(bulk.ops->exchange(bulk.self, &one, 0, &two, 1), PRISM_PEER);
  assert_string_equal(fake.log, "<(sr)");
  expect_broken(&bulk, PRISM_PEER, "rank 2: NCCL failed in the exchange");

  bulk = make(60.0);
  fake.begin_status = PRISM_DEVICE;
  assert_int_equal(bulk.ops->broadcast(bulk.self, &one, 0), PRISM_DEVICE);
  assert_string_equal(fake.log, "<");
  expect_broken(&bulk, PRISM_DEVICE, "the GPU is lost");

  bulk = make(60.0);
  fake.end_status = PRISM_DEVICE;
  assert_int_equal(bulk.ops->broadcast(bulk.self, &one, 0), PRISM_DEVICE);
  expect_broken(&bulk, PRISM_DEVICE, "the GPU is lost");
}

static prism_status_t poll_until_it_fails(prism_bulk_t *bulk) {
  bool done = false;
  prism_status_t status = PRISM_OK;
  while (status == PRISM_OK && !done) {
    prism_clock_sleep(1e-3);
    status = bulk->ops->poll(bulk->self, &done);
  }
  return status;
}

static void deadlines(void **state) {
  (void)state;
  const prism_buffer_t one = device(block, BYTES, 1, NULL);
  const prism_buffer_t all = device(other, sizeof other, 1, NULL);
  for (int queued = 0; queued < 2; ++queued) {
    prism_bulk_t bulk = make(0.02);
    fake.waits = queued ? 0 : 1 << 30;
    fake.issue_result = queued ? PRISM_NCCL_SUCCESS : PRISM_NCCL_IN_PROGRESS;
    assert_int_equal(bulk.ops->gather(bulk.self, &one, &all), PRISM_OK);
    assert_int_equal(poll_until_it_fails(&bulk), PRISM_TIMEOUT);
    expect_broken(&bulk, PRISM_TIMEOUT, "rank 2: the gather by NCCL has not ended after 0.02 s");
  }
}

/* A process that was stopped is not late for that. */
static void own_pause(void **state) {
  (void)state;
  const prism_buffer_t one = device(block, BYTES, 1, NULL);
  prism_bulk_t bulk = make(1.2);
  assert_int_equal(bulk.ops->broadcast(bulk.self, &one, 1), PRISM_OK);
  prism_clock_sleep(1.5);
  expect_done(&bulk, false);
  fake.lane_done = true;
  expect_done(&bulk, true);
  prism_bulk_destroy(&bulk);
}

static void let_go(size_t blocks) {
  atomic_store(&fake.hang, false);
  for (int i = 0; i < 20000 && prism_mem_live_blocks() != blocks; ++i) prism_clock_sleep(1e-3);
  assert_int_equal(prism_mem_live_blocks(), blocks);
  assert_int_equal(fake.hanging, 0);
}

/* An abort that does not come back holds up nobody, and the lane is left to it. */
static void abort_that_hangs(void **state) {
  (void)state;
  const size_t blocks = prism_mem_live_blocks();
  const prism_buffer_t one = device(block, BYTES, 1, NULL);
  prism_bulk_t bulk = make(0.02);
  atomic_store(&fake.hang, true);
  fake.heartbeats = 0;
  assert_int_equal(bulk.ops->broadcast(bulk.self, &one, 0), PRISM_OK);
  assert_int_equal(poll_until_it_fails(&bulk), PRISM_TIMEOUT);
  assert_text("the broadcast by NCCL has not ended after 0.02 s (run.peer_timeout); and NCCL "
              "could not be aborted");
  assert_int_equal(fake.aborts, 1);
  assert_true(fake.heartbeats > 0);
  prism_bulk_destroy(&bulk);
  assert_int_equal(fake.aborts, 1);
  assert_int_equal(fake.closes, 0);
  let_go(blocks);

  fake_reset(); /* likewise at the start, where NCCL may still write the communicator */
  fake.init_result = PRISM_NCCL_IN_PROGRESS;
  fake.waits = 1 << 30;
  atomic_store(&fake.hang, true);
  bulk = (prism_bulk_t){0};
  assert_int_equal(fake_assemble(RANK, RANKS, 0.02, &bulk), PRISM_TIMEOUT);
  assert_text("has not started after 0.02 s (run.peer_timeout); and NCCL could not be aborted");
  assert_true(bulk.ops == NULL);
  assert_int_equal(fake.closes, 0);
  let_go(blocks);

  bulk = make(60.0); /* and in the orderly end */
  atomic_store(&fake.hang, true);
  prism_bulk_destroy(&bulk);
  assert_int_equal(fake.destroys, 1);
  assert_int_equal(fake.aborts, 0);
  assert_int_equal(fake.closes, 0);
  let_go(blocks);
}

static void ends(void **state) {
  (void)state;
  const prism_buffer_t one = device(block, BYTES, 1, NULL);
  const struct { bool under_way; int finalize, waits, state; bool orderly; } list[] = {
      {false, PRISM_NCCL_SUCCESS, 0, PRISM_NCCL_SUCCESS, true},
      {false, PRISM_NCCL_IN_PROGRESS, 5, PRISM_NCCL_SUCCESS, true},
      {false, PRISM_NCCL_IN_PROGRESS, 1 << 30, PRISM_NCCL_SUCCESS, false},
      {false, PRISM_NCCL_IN_PROGRESS, 2, PRISM_NCCL_REMOTE_ERROR, false},
      {false, PRISM_NCCL_REMOTE_ERROR, 0, PRISM_NCCL_SUCCESS, false},
      {true, PRISM_NCCL_SUCCESS, 0, PRISM_NCCL_SUCCESS, false}};
  for (size_t i = 0; i < sizeof list / sizeof *list; ++i) {
    prism_bulk_t bulk = make(60.0);
    if (list[i].under_way)
      assert_int_equal(bulk.ops->broadcast(bulk.self, &one, 0), PRISM_OK);
    fake.finalize_result = list[i].finalize;
    fake.waits = list[i].waits;
    fake.async_state = list[i].state;
    memset(fake.log, 0, sizeof fake.log);
    prism_bulk_destroy(&bulk);
    assert_string_equal(fake.log, list[i].under_way ? "" : "f");
    assert_int_equal(fake.destroys, list[i].orderly);
    assert_int_equal(fake.aborts, !list[i].orderly);
    assert_int_equal(fake.closes, 1);
    assert_true(fake.foreign_thread);
  }
}

/* Random operations and answers against a model of the stages. */
static void stages_follow_a_model(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  prism_bulk_t bulk = make(600.0);
  int stage = 0, ended = 0; /* 0 idle, 1 issuing, 2 running */
  for (int step = 0; step < 20000; ++step) {
    const prism_buffer_t one = device(block, BYTES, 1, NULL);
    const prism_buffer_t all = device(other, sizeof other, 1, NULL);
    fake.waits = 0;
    fake.lane_done = prism_rng_below(&rng, 3) == 0;
    fake.async_state =
        prism_rng_below(&rng, 2) == 0 ? PRISM_NCCL_IN_PROGRESS : PRISM_NCCL_SUCCESS;
    memset(fake.log, 0, sizeof fake.log);
    if (prism_rng_below(&rng, 2) == 0) {
      const bool at_once = prism_rng_below(&rng, 2) == 0;
      fake.issue_result = fake.group_result =
          at_once ? PRISM_NCCL_SUCCESS : PRISM_NCCL_IN_PROGRESS;
      prism_status_t status;
      switch (prism_rng_below(&rng, 3)) {
        case 0: status = bulk.ops->gather(bulk.self, &one, &all); break;
        case 1: status = bulk.ops->broadcast(bulk.self, &one, RANK); break;
        default: status = bulk.ops->exchange(bulk.self, &one, 0, &one, 3); break;
      }
      assert_int_equal(status, stage == 0 ? PRISM_OK : PRISM_INVALID);
      assert_true((fake.log[0] == '<') == (stage == 0));
      if (stage == 0) {
        stage = at_once ? 2 : 1;
        assert_true((strchr(fake.log, '>') != NULL) == at_once);
      }
    } else {
      bool done = false;
      const bool marks = stage == 1 && fake.async_state == PRISM_NCCL_SUCCESS;
      if (marks) stage = 2;
      if (stage == 2 && fake.lane_done) {
        stage = 0;
        ++ended;
      }
      assert_int_equal(bulk.ops->poll(bulk.self, &done), PRISM_OK);
      assert_true(done == (stage == 0));
      assert_string_equal(fake.log, marks ? ">" : "");
    }
  }
  uint64_t bytes;
  double seconds;
  int64_t operations;
  bulk.ops->usage(bulk.self, &bytes, &seconds, &operations);
  assert_int_equal(operations, ended);
  assert_int_equal(bytes, (uint64_t)ended * BYTES);
  assert_true(ended > 100 && seconds == 0.25 * ended);
  fake.async_state = PRISM_NCCL_SUCCESS;
  prism_bulk_destroy(&bulk);
}

/* --- with the real library ---------------------------------------------------------- */

static void finish(prism_bulk_t *bulk) {
  bool done = false;
  while (!done) {
    must(bulk->ops->poll(bulk->self, &done));
    prism_clock_sleep(1e-4);
  }
}

/* One rank on one GPU; without them, a reason. */
static void alone(void **state) {
  (void)state;
  char text[256];
  int count = 0;
  prism_comm_t comm = {0};
  prism_bulk_t bulk = {0};
  must(prism_comm_self_create(&comm));
  const bool possible = prism_bulk_nccl_possible(text, sizeof text);
  const bool gpu = cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
  (void)cudaGetLastError();
  prism_status_t status = prism_bulk_nccl_create(&comm, 60.0, &bulk);
  if (!possible || !gpu) {
    assert_int_equal(status, possible ? PRISM_DEVICE : PRISM_UNSUPPORTED);
    assert_true(bulk.ops == NULL && strlen(prism_error_text()) > 0);
    prism_comm_destroy(&comm);
    return;
  }
  must(status);
  enum { COUNT = 5000 };
  unsigned char sent[COUNT], got[COUNT];
  void *from = NULL, *to = NULL;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int i = 0; i < COUNT; ++i) sent[i] = (unsigned char)prism_rng_below(&rng, 256);
  must_cuda(cudaMalloc(&from, COUNT));
  must_cuda(cudaMalloc(&to, COUNT));
  const prism_buffer_t one = device(from, COUNT, 1, NULL), two = device(to, COUNT, 1, NULL);
  for (int operation = 0; operation < 3; ++operation) {
    must_cuda(cudaMemcpy(from, sent, COUNT, cudaMemcpyHostToDevice));
    must_cuda(cudaMemset(to, 0, COUNT));
    must_cuda(cudaDeviceSynchronize());
    if (operation == 0) must(bulk.ops->gather(bulk.self, &one, &two));
    if (operation == 1) must(bulk.ops->exchange(bulk.self, &one, 0, &two, 0));
    if (operation == 2) must(bulk.ops->broadcast(bulk.self, &one, 0));
    finish(&bulk);
    must_cuda(cudaMemcpy(got, operation == 2 ? from : to, COUNT, cudaMemcpyDeviceToHost));
    assert_memory_equal(sent, got, COUNT);
  }
  prism_bulk_destroy(&bulk);
  must_cuda(cudaFree(from));
  must_cuda(cudaFree(to));
  prism_comm_destroy(&comm);
}

int main(void) {
  printf("seed %llu%s\n", (unsigned long long)seed,
#ifdef HAVE_NCCL_H
         ", compared with nccl.h"
#else
         ", no nccl.h to compare with"
#endif
  );
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_libraries),
      cmocka_unit_test(versions),
      cmocka_unit_test(possible_or_not),
      cmocka_unit_test(start_is_polled),
      cmocka_unit_test(starts_that_fail),
      cmocka_unit_test(operations_as_asked),
      cmocka_unit_test(queued_by_and_by),
      cmocka_unit_test(with_itself),
      cmocka_unit_test(refusals),
      cmocka_unit_test(errors_while_under_way),
      cmocka_unit_test(errors_at_the_start_of_an_operation),
      cmocka_unit_test(deadlines),
      cmocka_unit_test(own_pause),
      cmocka_unit_test(abort_that_hangs),
      cmocka_unit_test(ends),
      cmocka_unit_test(stages_follow_a_model),
      cmocka_unit_test(alone),
  };
  return gpu_run(tests);
}
