/* Records of several ranks on their way to the store. The communicator is a stub
 * that keeps what rank 1 posts. */
#include "seam/comm.h"
#include "solve/messages.h"
#include "solve/telemetry.h"
#include "store_fixture.h"

typedef struct post_box {
  int32_t posts, last_tag, last_to;
  prism_status_t answer;
  size_t bytes;
  char data[1 << 17];
} post_box_t;

static prism_status_t keep_post(void *self, int32_t to, int32_t tag, const void *data,
                                size_t bytes) {
  post_box_t *box = self;
  if (box->answer != PRISM_OK) return box->answer;
  ++box->posts;
  box->last_to = to;
  box->last_tag = tag;
  assert_true(box->bytes + bytes <= sizeof box->data);
  memcpy(box->data + box->bytes, data, bytes);
  box->bytes += bytes;
  return PRISM_OK;
}

static const prism_comm_ops_t stub_ops = {.name = "stub", .post = keep_post};

static void fill(prism_telemetry_t *telemetry, int32_t records) {
  for (int32_t i = 0; i < records; ++i) {
    prism_metric_t row;
    prism_record_blank(PRISM_RECORD_METRIC, &row);
    row.iterations = i;
    assert_int_equal(prism_telemetry_metric(telemetry, &row), PRISM_OK);
    assert_true(row.t >= 0.0 && row.duration_ms >= 0.0);
    assert_int_equal(strlen(row.time), 24);
  }
}

static void test_batches_reach_rank_zero(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 9);
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  static post_box_t box;
  memset(&box, 0, sizeof box);
  prism_comm_t far = {&stub_ops, &box, 1, 2}, near = {&stub_ops, &box, 0, 2};
  prism_telemetry_t *sender = NULL, *receiver = NULL;
  double start = prism_clock_now();
  assert_int_equal(prism_telemetry_create(&far, NULL, true, start, &sender), PRISM_OK);
  assert_int_equal(prism_telemetry_create(&near, store, true, start, &receiver), PRISM_OK);
  fill(sender, 150); /* two full batches; the rest waits */
  assert_int_equal(box.posts, 2);
  assert_int_equal(prism_telemetry_event(sender, "new_k", 47, "from \"rank\" 1"), PRISM_OK);
  prism_migration_t move;
  prism_record_blank(PRISM_RECORD_MIGRATION, &move);
  move.from_rank = 1;
  assert_int_equal(prism_telemetry_migration(sender, &move), PRISM_OK);
  prism_profile_t part;
  prism_record_blank(PRISM_RECORD_PROFILE, &part);
  PRISM_RECORD_TEXT(part.name, "upload");
  assert_int_equal(prism_telemetry_profile(sender, &part), PRISM_OK);
  prism_ladder_row_t level[2];
  for (int i = 0; i < 2; ++i) {
    prism_record_blank(PRISM_RECORD_LADDER, &level[i]);
    level[i].level = i;
  }
  level[0].swap = 0.25;
  assert_int_equal(prism_telemetry_ladder(sender, level, 2), PRISM_OK);
  assert_true(level[0].t >= 0.0 && level[0].t >= level[1].t && level[1].t >= level[0].t);
  assert_int_equal(prism_telemetry_flush(sender, true), PRISM_OK);
  assert_int_equal(prism_telemetry_flush(sender, true), PRISM_OK); /* nothing left */
  assert_int_equal(box.posts, 3);
  assert_int_equal(box.last_to, 0);
  assert_int_equal(box.last_tag, PRISM_TAG_TELEMETRY);
  prism_message_t message = {1, PRISM_TAG_TELEMETRY, box.bytes};
  assert_int_equal(prism_telemetry_receive(receiver, &message, box.data), PRISM_OK);
  fill(receiver, 5);
  prism_telemetry_destroy(&sender);
  prism_telemetry_destroy(&receiver);
  assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
  char *text = fixture_read(self.jsonl, NULL);
  assert_int_equal(fixture_lines(text, "{\"record\":\"metric\""), 155);
  assert_int_equal(fixture_lines(text, "{\"record\":\"event\""), 1);
  assert_int_equal(fixture_lines(text, "{\"record\":\"migration\""), 1);
  assert_non_null(strstr(text, "\"rank\":1,\"event\":\"new_k\",\"colors\":47"));
  assert_non_null(strstr(text, "from \\\"rank\\\" 1"));
  assert_int_equal(fixture_lines(text, "{\"record\":\"profile\""), 1);
  assert_non_null(strstr(text, "\"rank\":1,\"name\":\"upload\""));
  assert_int_equal(fixture_lines(text, "{\"record\":\"ladder\""), 2);
  assert_non_null(strstr(text, "\"rank\":1,\"stream\":-1,\"colors\":-1,\"level\":0,"
                               "\"temperature\":null,\"swap\":0.25}"));
  prism_free(text);
  fixture_close(&self);
}

static void test_waits_before_sending(void **state) {
  (void)state;
  static post_box_t box;
  memset(&box, 0, sizeof box);
  prism_comm_t far = {&stub_ops, &box, 1, 2};
  prism_telemetry_t *sender = NULL;
  assert_int_equal(prism_telemetry_create(&far, NULL, true, prism_clock_now(), &sender), PRISM_OK);
  fill(sender, 1);
  prism_clock_sleep(0.25);
  assert_int_equal(prism_telemetry_flush(sender, false), PRISM_OK);
  assert_int_equal(box.posts, 1);
  box.answer = PRISM_PEER;
  prism_metric_t row;
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  assert_int_equal(prism_telemetry_metric(sender, &row), PRISM_OK);
  assert_int_equal(prism_telemetry_flush(sender, true), PRISM_PEER);
  prism_telemetry_destroy(&sender);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_off_sends_nothing(void **state) {
  (void)state;
  static post_box_t box;
  memset(&box, 0, sizeof box);
  prism_comm_t far = {&stub_ops, &box, 1, 2}, near = {&stub_ops, &box, 0, 2};
  prism_telemetry_t *off = NULL, *bare = NULL;
  assert_int_equal(prism_telemetry_create(&far, NULL, false, 0.0, &off), PRISM_OK);
  assert_int_equal(prism_telemetry_create(&near, NULL, true, 0.0, &bare), PRISM_OK);
  prism_metric_t row;
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  for (int i = 0; i < 100; ++i) {
    assert_int_equal(prism_telemetry_metric(off, &row), PRISM_OK);
    assert_int_equal(prism_telemetry_event(bare, "x", 1, NULL), PRISM_OK);
  }
  assert_int_equal(prism_telemetry_flush(off, true), PRISM_OK);
  assert_int_equal(box.posts, 0);
  prism_telemetry_destroy(&off);
  prism_telemetry_destroy(&bare);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_malformed_batches(void **state) {
  (void)state;
  static post_box_t box;
  memset(&box, 0, sizeof box);
  prism_comm_t near = {&stub_ops, &box, 0, 2};
  prism_telemetry_t *receiver = NULL;
  assert_int_equal(prism_telemetry_create(&near, NULL, true, 0.0, &receiver), PRISM_OK);
  char data[1024] = {0};
  prism_message_t message = {1, PRISM_TAG_TELEMETRY, 3};
  assert_int_equal(prism_telemetry_receive(receiver, &message, data), PRISM_INTERNAL);
  message.bytes = 100; /* a metric is longer */
  assert_int_equal(prism_telemetry_receive(receiver, &message, data), PRISM_INTERNAL);
  int32_t kind = PRISM_RECORD_SUMMARY;
  memcpy(data, &kind, sizeof kind);
  message.bytes = sizeof data;
  assert_int_equal(prism_telemetry_receive(receiver, &message, data), PRISM_INTERNAL);
  message.bytes = 0;
  assert_int_equal(prism_telemetry_receive(receiver, &message, data), PRISM_OK);
  prism_telemetry_destroy(&receiver);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_batches_reach_rank_zero),
      cmocka_unit_test(test_waits_before_sending),
      cmocka_unit_test(test_off_sends_nothing),
      cmocka_unit_test(test_malformed_batches),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
