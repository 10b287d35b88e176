/* What a run's records come to, as monitor and live page tell it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/run_stats.h"
#include "base/mem.h"

static void add_metric(prism_run_stats_t *stats, int32_t rank, double t, int32_t best) {
  prism_metric_t row;
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  row.rank = rank;
  row.t = t;
  row.best_colors = best;
  assert_int_equal(prism_run_stats_add(stats, PRISM_RECORD_METRIC, &row), PRISM_OK);
}

static void add_solution(prism_run_stats_t *stats, double t, int32_t colors) {
  prism_solution_row_t row;
  prism_record_blank(PRISM_RECORD_SOLUTION, &row);
  row.rank = 0;
  row.t = t;
  row.colors = colors;
  assert_int_equal(prism_run_stats_add(stats, PRISM_RECORD_SOLUTION, &row), PRISM_OK);
}

/* The finder's metric comes a moment before the solution is stored, in the file it may come
 * after it; either way the time is that of the solution, as in the summary. */
static void the_time_of_the_best_is_that_of_its_solution(void **state) {
  (void)state;
  for (int order = 0; order < 2; ++order) {
    prism_run_stats_t stats = {0};
    add_metric(&stats, 1, 0.5, 50);
    add_solution(&stats, 0.6, 50);
    if (order == 0) add_metric(&stats, 1, 1.80, 48);
    add_solution(&stats, 1.82, 48);
    if (order == 1) add_metric(&stats, 1, 1.80, 48);
    add_metric(&stats, 0, 1.81, 48);
    add_solution(&stats, 2.0, 49); /* worse, and late */
    assert_int_equal(stats.best_colors, 48);
    assert_true(fabs(stats.best_t - 1.82) < 1e-12);
    assert_true(fabs(stats.last_t - 1.81) < 1e-12);
    prism_run_stats_release(&stats);
  }
}

static void without_solutions_the_first_metric_counts(void **state) {
  (void)state;
  prism_run_stats_t stats = {0};
  add_metric(&stats, 0, 0.0, -1);
  assert_int_equal(stats.best_colors, -1);
  add_metric(&stats, 0, 1.5, 9);
  add_metric(&stats, 1, 1.4, 9);
  add_metric(&stats, 0, 2.5, 9);
  assert_int_equal(stats.best_colors, 9);
  assert_true(fabs(stats.best_t - 1.4) < 1e-12);
  add_metric(&stats, 0, 3.5, 8); /* better than any solution so far */
  add_solution(&stats, 1.3, 9);
  assert_int_equal(stats.best_colors, 8);
  assert_true(fabs(stats.best_t - 3.5) < 1e-12);
  prism_run_stats_release(&stats);
}

static void add_moves(prism_run_stats_t *stats, double t, int64_t moves) {
  prism_metric_t row;
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  row.rank = 0;
  row.t = t;
  row.iterations = moves;
  assert_int_equal(prism_run_stats_add(stats, PRISM_RECORD_METRIC, &row), PRISM_OK);
}

static void assert_rate(const prism_run_stats_t *stats, double expected) {
  assert_true(fabs(stats->rank[0].rate - expected) < 1e-9 * expected);
}

/* A record at a new k, or the last one of a run that was killed, stands close to the one before:
 * in such a moment the moves counted may be any number. */
static void short_spans_are_joined(void **state) {
  (void)state;
  prism_attribute_t setting = {"telemetry.interval", "1.0"};
  prism_run_head_t head = {.setting = &setting, .settings = 1};
  prism_run_stats_t stats;
  prism_run_stats_begin(&stats, &head);
  assert_true(stats.interval == 1.0 && stats.best_colors == -1);
  add_moves(&stats, 0.0, 0);
  assert_true(isnan(stats.rank[0].rate));
  add_moves(&stats, 0.1, 50); /* the first span is not whole yet */
  assert_rate(&stats, 500);
  add_moves(&stats, 1.0, 1000);
  assert_rate(&stats, 1000);
  add_moves(&stats, 2.0, 3000);
  assert_rate(&stats, 2000);
  add_moves(&stats, 2.001, 4000); /* would be 1000000 a second */
  assert_rate(&stats, 2000);
  add_moves(&stats, 2.002, 4000); /* and 0 */
  assert_rate(&stats, 2000);
  add_moves(&stats, 3.0, 6000); /* from 2.0 on */
  assert_rate(&stats, 3000);
  assert_true(stats.rank[0].iterations == 6000 && fabs(stats.rank[0].seconds - 3.0) < 1e-12);
  prism_run_stats_release(&stats);

  /* The interval of a run without settings, or with a damaged one, is not known. */
  setting = (prism_attribute_t){"telemetry.interval", "often"};
  prism_run_stats_begin(&stats, &head);
  assert_true(stats.interval == 0.0);
  add_moves(&stats, 0.0, 0);
  add_moves(&stats, 0.5, 100);
  add_moves(&stats, 0.501, 900);
  assert_rate(&stats, 200);
  prism_run_stats_release(&stats);
}

static void add_kernels(prism_run_stats_t *stats, double t, double kernel, double idle) {
  prism_gpu_t row;
  prism_record_blank(PRISM_RECORD_GPU, &row);
  row.rank = 0;
  row.t = t;
  row.kernel_us = 1e6 * kernel;
  row.idle = idle;
  assert_int_equal(prism_run_stats_add(stats, PRISM_RECORD_GPU, &row), PRISM_OK);
}

/* A generation of 1.9 s is counted in the second in which it ends. */
static void kernels_that_began_before_their_span(void **state) {
  (void)state;
  prism_run_stats_t stats = {.interval = 1.0};
  add_kernels(&stats, 2.0, 0.0, 1.0); /* the start, of which no span is known */
  add_kernels(&stats, 3.0, 0.0, 1.0);
  assert_true(fabs(stats.rank[0].idle_now - 1.0) < 1e-9);
  add_kernels(&stats, 4.0, 1.9, 0.0);
  assert_true(stats.rank[0].idle_now == 0.0);
  add_kernels(&stats, 4.01, 0.0, 1.0); /* a moment */
  assert_true(stats.rank[0].idle_now == 0.0);
  add_kernels(&stats, 6.0, 1.5, 0.25);
  assert_true(fabs(stats.rank[0].idle_now - 0.25) < 1e-9);
  assert_true(fabs(prism_run_mean(&stats.rank[0].idle) - 0.15) < 1e-9);
  prism_run_stats_release(&stats);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_time_of_the_best_is_that_of_its_solution),
      cmocka_unit_test(without_solutions_the_first_metric_counts),
      cmocka_unit_test(short_spans_are_joined),
      cmocka_unit_test(kernels_that_began_before_their_span),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
