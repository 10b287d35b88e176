/* The start of the NCCL backend that nobody waits for, over a fake NCCL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "gpu/nccl_fixture.h"

enum { RANK = 2, RANKS = 4, BYTES = 24 };

static prism_bulk_t begin(int waits, double timeout) {
  prism_bulk_t bulk = {0};
  fake_reset();
  fake.init_result = PRISM_NCCL_IN_PROGRESS;
  fake.waits = waits;
  assert_int_equal(fake_assemble_ahead(RANK, RANKS, timeout, &bulk), PRISM_OK);
  assert_int_equal(fake.waits, waits); /* nobody has asked yet */
  assert_int_equal(fake.heartbeats, 0);
  return bulk;
}

/* Polls until it is done or fails. [out] polls  how many */
static prism_status_t poll_to_end(prism_bulk_t *bulk, int *polls) {
  prism_status_t status = PRISM_OK;
  bool done = false;
  for (*polls = 0; !done && status == PRISM_OK; ++*polls)
    status = bulk->ops->poll(bulk->self, &done);
  return status;
}

static void end(prism_bulk_t *bulk, int aborts) {
  prism_bulk_destroy(bulk);
  assert_int_equal(fake.aborts, aborts);
  assert_int_equal(fake.closes, 1);
  fake_reset();
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void an_operation_under_way(void **state) {
  (void)state;
  static unsigned char block[BYTES], all[RANKS * BYTES];
  prism_buffer_t out = {block, PRISM_SPACE_DEVICE, 1, BYTES, NULL};
  prism_buffer_t in = {all, PRISM_SPACE_DEVICE, 1, sizeof all, NULL};
  prism_bulk_t bulk = begin(3, 60.0);
  assert_int_equal(bulk.ops->gather(bulk.self, &out, &in), PRISM_INVALID);
  assert_non_null(strstr(prism_error_text(), "a start is still under way"));
  int polls = 0;
  assert_int_equal(poll_to_end(&bulk, &polls), PRISM_OK);
  assert_int_equal(polls, 4);
  uint64_t bytes = 1;
  double seconds = 1.0;
  int64_t operations = 1;
  bulk.ops->usage(bulk.self, &bytes, &seconds, &operations);
  assert_true(bytes == 0 && operations == 0 && seconds == 0.0); /* it counts as none */
  assert_int_equal(bulk.ops->gather(bulk.self, &out, &in), PRISM_OK);
  fake.lane_done = true;
  assert_int_equal(poll_to_end(&bulk, &polls), PRISM_OK);
  bulk.ops->usage(bulk.self, &bytes, &seconds, &operations);
  assert_true(bytes == BYTES && operations == 1);
  end(&bulk, 0);
}

static void ready_at_once(void **state) {
  (void)state;
  prism_bulk_t bulk = {0};
  int polls = 0;
  fake_reset();
  assert_int_equal(fake_assemble_ahead(RANK, RANKS, 60.0, &bulk), PRISM_OK);
  assert_int_equal(poll_to_end(&bulk, &polls), PRISM_OK);
  assert_int_equal(polls, 1);
  end(&bulk, 0);
}

static void left_before_it_has_ended(void **state) {
  (void)state;
  prism_bulk_t bulk = begin(1000, 60.0);
  bool done = true;
  assert_int_equal(bulk.ops->poll(bulk.self, &done), PRISM_OK);
  assert_false(done);
  end(&bulk, 1);
}

static void failures(void **state) {
  (void)state;
  prism_bulk_t bulk = begin(2, 60.0);
  int polls = 0;
  fake.async_state = PRISM_NCCL_REMOTE_ERROR;
  assert_int_equal(poll_to_end(&bulk, &polls), PRISM_PEER);
  assert_int_equal(polls, 3);
  assert_non_null(strstr(prism_error_text(), "rank 2: NCCL failed in the start"));
  assert_non_null(strstr(prism_error_text(), "--comm mpi does without NCCL"));
  assert_int_equal(poll_to_end(&bulk, &polls), PRISM_PEER); /* it stays that way */
  end(&bulk, 1);

  bulk = begin(1000000000, 0.02);
  assert_int_equal(poll_to_end(&bulk, &polls), PRISM_TIMEOUT);
  assert_non_null(strstr(prism_error_text(), "the start by NCCL has not ended after 0.02 s"));
  end(&bulk, 1);

  fake_reset(); /* at once, or another rank's */
  fake.init_result = PRISM_NCCL_INVALID_USAGE;
  assert_int_equal(fake_assemble_ahead(RANK, RANKS, 60.0, &bulk), PRISM_DEVICE);
  assert_null(bulk.ops);
  bulk = (prism_bulk_t){0};
  fake_reset();
  fake.init_result = PRISM_NCCL_IN_PROGRESS;
  fake.waits = 5;
  fake.fail_agree = 2;
  fake.others = PRISM_DEVICE;
  assert_int_equal(fake_assemble_ahead(RANK, RANKS, 60.0, &bulk), PRISM_DEVICE);
  assert_null(bulk.ops);
  assert_int_equal(fake.aborts, 1);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_operation_under_way),
      cmocka_unit_test(ready_at_once),
      cmocka_unit_test(left_before_it_has_ended),
      cmocka_unit_test(failures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
