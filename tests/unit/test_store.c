/* The store from the caller's side: .jsonl, .sol, locks, losses. What the run file
 * holds is read back in tests/integration/test_store_file.c. */
#include "store_fixture.h"

static prism_summary_row_t summary_of(int32_t colors) {
  prism_summary_row_t row;
  prism_record_blank(PRISM_RECORD_SUMMARY, &row);
  row.colors = colors;
  PRISM_RECORD_TEXT(row.exit_reason, "target");
  return row;
}

static void give(prism_store_t *store, int32_t n, int32_t colors, prism_status_t expected) {
  int32_t *color = NULL;
  assert_int_equal(PRISM_ALLOC(n, &color), PRISM_OK);
  for (int32_t v = 0; v < n; ++v) color[v] = v % colors;
  prism_solution_row_t row = {0.5, 1000, 0, colors};
  assert_int_equal(prism_store_solution(store, &row, color), expected);
  prism_free(color);
}

static void test_jsonl_holds_every_record(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 12);
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  for (int64_t i = 0; i < 500; ++i) {
    prism_metric_t metric = fixture_metric(i);
    prism_migration_t move = {1.0, 0, 1, 4, i, -1, 0};
    assert_true(prism_store_metric(store, &metric));
    assert_true(prism_store_migration(store, &move));
    prism_gpu_t gpu;
    prism_record_blank(PRISM_RECORD_GPU, &gpu);
    gpu.overlap = 0.25;
    PRISM_RECORD_TEXT(gpu.throttle, "power cap");
    assert_true(i % 2 == 0 || prism_store_gpu(store, &gpu));
  }
  prism_profile_t part;
  prism_record_blank(PRISM_RECORD_PROFILE, &part);
  PRISM_RECORD_TEXT(part.name, "pool search");
  part.count = 250;
  part.mean_us = 12.5;
  assert_true(prism_store_profile(store, &part));
  prism_event_t event;
  prism_record_blank(PRISM_RECORD_EVENT, &event);
  assert_true(prism_store_event(store, &event));
  give(store, 12, 4, PRISM_OK);
  give(store, 12, 3, PRISM_OK);
  fixture_wait_flushed(store, PRISM_RECORD_SOLUTION, 2);
  prism_summary_row_t summary = summary_of(3);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  assert_null(store);
  assert_int_equal(summary.records_lost, 0);
  assert_int_equal(summary.write_failures, 0);
  assert_int_equal(atomic_load(&self.warnings), 0);

  char *text = fixture_read(self.jsonl, NULL);
  assert_int_equal(strncmp(text, "{\"record\":\"config\",\"schema_version\":4,", 37), 0);
  assert_non_null(strstr(text, "\"seed\":18446744073709551557"));
  assert_non_null(strstr(text, "\"flags\":\"-O2 \\\"quoted\\\"\""));
  assert_non_null(strstr(text, "\"run.time_limit\":\"60\""));
  assert_int_equal(fixture_lines(text, "{\"record\":\"config\""), 1);
  assert_int_equal(fixture_lines(text, "{\"record\":\"metric\""), 500);
  assert_int_equal(fixture_lines(text, "{\"record\":\"migration\""), 500);
  assert_int_equal(fixture_lines(text, "{\"record\":\"gpu\""), 250);
  assert_non_null(strstr(text, "\"throttle\":\"power cap\""));
  assert_non_null(strstr(text, "\"overlap\":0.25,\"idle\":null}"));
  assert_int_equal(fixture_lines(text, "{\"record\":\"event\""), 1);
  assert_int_equal(fixture_lines(text, "{\"record\":\"solution\""), 2);
  assert_int_equal(fixture_lines(text, "{\"record\":\"summary\""), 1);
  assert_int_equal(fixture_lines(text, "{\"record\":\"profile\""), 1);
  assert_non_null(strstr(text, "\"name\":\"pool search\",\"count\":250,\"total_s\":null"));
  assert_non_null(strstr(text, "\"mean_us\":12.5,"));
  assert_int_equal(fixture_lines(text, ""), 1256);
  assert_int_equal(text[strlen(text) - 1], '\n');
  prism_free(text);
  text = fixture_read(self.sol, NULL);
  assert_non_null(strstr(text, "s col 3\n"));
  assert_non_null(strstr(text, self.hash));
  prism_free(text);
  fixture_close(&self);
}

static void test_solution_only_without_telemetry(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 9);
  self.config.run_path = NULL;
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  prism_metric_t metric = fixture_metric(1);
  for (int i = 0; i < 20000; ++i) assert_true(prism_store_metric(store, &metric));
  for (int32_t k = 9; k >= 3; --k) give(store, 9, k, PRISM_OK);
  prism_summary_row_t summary = summary_of(3);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  assert_int_equal(summary.records_lost, 0);
  char *text = fixture_read(self.sol, NULL);
  assert_non_null(strstr(text, "s col 3\n"));
  prism_free(text);
  assert_false(prism_file_exists(self.run));
  assert_false(prism_file_exists(self.jsonl));
  fixture_close(&self);
}

static void test_output_in_use(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 9);
  prism_store_t *store = NULL, *second = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  assert_int_equal(prism_store_open(&self.config, &second), PRISM_IO);
  assert_null(second);
  assert_non_null(strstr(prism_error_text(), "in use"));
  prism_metric_t metric = fixture_metric(7); /* the first run is not harmed */
  assert_true(prism_store_metric(store, &metric));
  assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
  char *text = fixture_read(self.jsonl, NULL);
  assert_int_equal(fixture_lines(text, "{\"record\":\"metric\""), 1);
  assert_int_equal(fixture_lines(text, "{\"record\":\"summary\""), 0);
  prism_free(text);
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK); /* released and replaced */
  assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
  text = fixture_read(self.jsonl, NULL);
  assert_int_equal(fixture_lines(text, ""), 1);
  prism_free(text);
  fixture_close(&self);
}

static void test_unwritable_outputs(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 9);
  prism_store_t *store = NULL;
  self.config.run_path = "/nonexistent/folder/x.h5";
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_IO);
  assert_non_null(strstr(prism_error_text(), "No such file or directory"));
  assert_false(prism_file_exists(self.jsonl)); /* what this open made is gone again */
  self.config.run_path = self.run;
  self.config.jsonl_path = "/nonexistent/folder/x.jsonl";
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_IO);
  assert_false(prism_file_exists(self.run));
  self.config.jsonl_path = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_INVALID);
  assert_null(store);
  fixture_close(&self);
}

static void test_solution_that_cannot_be_stored(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 9);
  self.config.solution_path = "/nonexistent/folder/x.sol";
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  give(store, 9, 3, PRISM_OK);
  fixture_wait_failures(store, 2); /* it is tried again */
  assert_int_equal(atomic_load(&self.warnings), 1);
  prism_summary_row_t summary = summary_of(3);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_STORAGE);
  assert_non_null(strstr(prism_error_text(), "/nonexistent/folder"));
  assert_true(summary.write_failures >= 2);
  assert_true(prism_file_exists(self.run));
  fixture_close(&self);
}

static void test_solution_comes_late(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 9);
  char folder[80], path[112];
  snprintf(folder, sizeof folder, "%s/late", self.folder);
  snprintf(path, sizeof path, "%s/x.sol", folder);
  self.config.solution_path = path;
  self.config.run_path = NULL;
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  give(store, 9, 5, PRISM_OK);
  fixture_wait_failures(store, 1);
  assert_int_equal(mkdir(folder, 0777), 0); /* now it can be written */
  for (double end = prism_clock_now() + 60.0; !prism_file_exists(path);) {
    assert_true(prism_clock_now() < end);
    prism_clock_sleep(0.01);
  }
  assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
  unlink(path);
  rmdir(folder);
  fixture_close(&self);
}

static void test_invalid_solutions(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 6);
  self.config.color_bound = 4;
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  give(store, 6, 5, PRISM_INVALID); /* more than announced */
  int32_t color[6] = {0, 1, 2, 3, 0, 1};
  prism_solution_row_t row = {0.1, 1, 0, 3};
  assert_int_equal(prism_store_solution(store, &row, color), PRISM_INVALID);
  row.colors = 0;
  assert_int_equal(prism_store_solution(store, &row, color), PRISM_INVALID);
  row.colors = 4;
  color[2] = -1;
  assert_int_equal(prism_store_solution(store, &row, color), PRISM_INVALID);
  color[2] = 2;
  assert_int_equal(prism_store_solution(store, &row, color), PRISM_OK);
  give(store, 6, 2, PRISM_OK);
  give(store, 6, 4, PRISM_OK); /* a worse one must not replace the .sol */
  assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
  char *text = fixture_read(self.sol, NULL);
  assert_non_null(strstr(text, "s col 2\n"));
  prism_free(text);
  fixture_close(&self);
}

/* A ring that is too small drops, counts, and loses nothing it accepted. */
static void test_full_ring_is_counted(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 6);
  self.params.telemetry.ring = 64;
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  int64_t accepted = 0, rejected = 0;
  for (int64_t i = 0; i < 20000; ++i) {
    prism_metric_t metric = fixture_metric(accepted);
    if (prism_store_metric(store, &metric))
      ++accepted;
    else
      ++rejected;
  }
  assert_true(accepted >= 64);
  prism_summary_row_t summary = summary_of(3);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  assert_int_equal(summary.records_lost, rejected);
  char *text = fixture_read(self.jsonl, NULL);
  assert_int_equal(fixture_lines(text, "{\"record\":\"metric\""), accepted);
  prism_free(text);
  fixture_close(&self);
}

static void test_close_of_nothing(void **state) {
  (void)state;
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_jsonl_holds_every_record),
      cmocka_unit_test(test_solution_only_without_telemetry),
      cmocka_unit_test(test_output_in_use),
      cmocka_unit_test(test_unwritable_outputs),
      cmocka_unit_test(test_solution_that_cannot_be_stored),
      cmocka_unit_test(test_solution_comes_late),
      cmocka_unit_test(test_invalid_solutions),
      cmocka_unit_test(test_full_ring_is_counted),
      cmocka_unit_test(test_close_of_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
