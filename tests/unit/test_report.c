/* Results as text and as JSON, with and without the table of a GPU's time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/report.h"
#include "base/mem.h"

static const prism_report_job_t job = {.graph = "queen.col", .n = 25, .m = 160, .ranks = 1,
                                       .threads = 2, .device = "cuda", .device_detail = "a GPU"};

static prism_report_run_t run_of(prism_gpu_profile_t *profile) {
  static char solution[] = "x.sol", output[] = "x.h5";
  prism_report_run_t run = {.seed = 7,
                            .result = {.colors = 5, .lower_bound = 5, .optimal = true,
                                       .time = 2.5, .time_to_best = 0.5, .iterations = 123456,
                                       .gpu_busy = 0.75, .gpu_overlap = -1.0,
                                       .reason = PRISM_EXIT_OPTIMAL, .gpu_profile = profile}};
  run.outputs.solution_path = solution;
  run.outputs.run_path = output;
  return run;
}

/* A search of 1, 2 and 3 ms with 90000 moves, a copy of 10 us; the GPU lived 12 ms. */
static prism_gpu_profile_t sample(void) {
  prism_gpu_profile_t profile = {.wall = 0.012};
  prism_gpu_part_t search = {.name = "pool search", .iterations = 90000},
                   upload = {.name = "upload"};
  for (int i = 1; i <= 3; ++i) prism_duration_add(&search.time, 1e-3 * i);
  prism_duration_add(&upload.time, 1e-5);
  prism_gpu_profile_add(&profile, &search);
  prism_gpu_profile_add(&profile, &upload);
  return profile;
}

static void the_table_stands_in_the_summary(void **state) {
  (void)state;
  prism_gpu_profile_t profile = sample();
  prism_report_run_t run = run_of(&profile);
  prism_text_t text = {0};
  assert_int_equal(prism_report_summary(&job, &run, &text), PRISM_OK);
  assert_non_null(strstr(text.data, "GPU         75 % busy\n"));
  const char *table = strstr(text.data, "\n\ntime of the GPU ");
  assert_non_null(table);
  assert_string_equal(
      table + 2,
      "time of the GPU           count   total s share %    mean us     min us     max us  "
      "stddev us    M it/s\n"
      "pool search                   3     0.006    50.0     2000.0     1000.0     3000.0     "
      "1000.0      15.0\n"
      "upload                        1     0.000     0.1       10.0       10.0       10.0        "
      "0.0\n");
  prism_text_free(&text);
}

static void the_same_numbers_are_json(void **state) {
  (void)state;
  prism_gpu_profile_t profile = sample();
  prism_report_run_t run = run_of(&profile);
  prism_text_t text = {0};
  assert_int_equal(prism_report_json(&job, &run, 1, false, &text), PRISM_OK);
  const char *begin = strstr(text.data, ", \"gpu_profile\": [{\"name\": \"pool search\", "
                                        "\"count\": 3, \"total_s\": 0.006");
  assert_non_null(begin);
  assert_non_null(strstr(begin, "\"share\": 0.5, \"mean_us\": 2000, \"min_us\": 1000, "
                                "\"max_us\": 3000, \"stddev_us\": 1000"));
  assert_non_null(strstr(begin, "\"iterations\": 90000}, {\"name\": \"upload\", \"count\": 1, "));
  assert_string_equal(begin + strlen(begin) - 19, "\"iterations\": 0}]}\n");
  prism_text_free(&text);
}

static void without_a_profile_nothing_is_said(void **state) {
  (void)state;
  prism_report_run_t run = run_of(NULL);
  prism_text_t text = {0}, json = {0};
  assert_int_equal(prism_report_summary(&job, &run, &text), PRISM_OK);
  assert_null(strstr(text.data, "time of the GPU"));
  assert_null(strstr(text.data, "\n\n"));
  assert_int_equal(prism_report_json(&job, &run, 1, true, &json), PRISM_OK);
  assert_null(strstr(json.data, "profile"));
  prism_text_free(&text);
  prism_text_free(&json);
}

/* Where the checkpoint lies and how to go on, as a line that a shell takes. */
static void a_checkpoint_is_told(void **state) {
  (void)state;
  static char checkpoint[] = "my runs/x.ckpt.h5";
  prism_report_job_t odd = job;
  odd.graph = "it's.col";
  prism_report_run_t run = run_of(NULL);
  run.outputs.checkpoint_path = checkpoint;
  run.result.reason = PRISM_EXIT_CHECKPOINT;
  run.result.checkpoints = 3;
  run.result.checkpoint_seconds = 0.25;
  run.result.invocations = 2;
  run.result.total_time = 7.5;
  const char *const fields[] = {"\"exit_reason\": \"checkpoint\"", "\"invocations\": 2",
                                "\"total_time\": 7.5", "\"checkpoints\": 3",
                                "\"checkpoint_failures\": 0",
                                "\"checkpoint_seconds\": 0.25"};
  for (int saved = 0; saved < 2; ++saved) {
    for (int on = 0; on <= saved; ++on) {
      prism_text_t text = {0}, json = {0};
      run.saved = saved != 0;
      run.goes_on = on != 0;
      assert_int_equal(prism_report_summary(&odd, &run, &text), PRISM_OK);
      assert_non_null(strstr(text.data, "total time  7.50 s in 2 invocations\n"));
      assert_int_equal(strstr(text.data, "checkpoint  my runs/x.ckpt.h5\n") != NULL, saved);
      assert_int_equal(strstr(text.data, "\ngo on with  prism-dist --resume 'my runs/x.ckpt.h5' "
                                         "'it'\\''s.col'\n") != NULL, on);
      assert_int_equal(strstr(text.data, "go on") != NULL, on);
      assert_int_equal(prism_report_json(&odd, &run, 1, false, &json), PRISM_OK);
      assert_non_null(strstr(json.data, saved ? ", \"checkpoint\": \"my runs/x.ckpt.h5\", "
                                              : ", \"checkpoint\": null, "));
      for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i)
        assert_non_null(strstr(json.data, fields[i]));
      prism_text_free(&text);
      prism_text_free(&json);
    }
  }
}

static void what_could_not_be_written_is_told(void **state) {
  (void)state;
  static char checkpoint[] = "x.ckpt.h5";
  prism_report_run_t run = run_of(NULL);
  run.outputs.checkpoint_path = checkpoint;
  run.result.checkpoint_failures = 2;
  for (int saved = 0; saved < 2; ++saved) {
    prism_text_t text = {0};
    run.saved = saved != 0;
    assert_int_equal(prism_report_summary(&job, &run, &text), PRISM_OK);
    assert_non_null(strstr(text.data, saved ? "checkpoint  x.ckpt.h5  (2 could not be written)\n"
                                            : "checkpoint  none  (2 could not be written)\n"));
    prism_text_free(&text);
  }
}

static int nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table_stands_in_the_summary),
      cmocka_unit_test(the_same_numbers_are_json),
      cmocka_unit_test(without_a_profile_nothing_is_said),
      cmocka_unit_test(a_checkpoint_is_told),
      cmocka_unit_test(what_could_not_be_written_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, nothing_is_left);
}
