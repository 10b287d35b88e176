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

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_time_of_the_best_is_that_of_its_solution),
      cmocka_unit_test(without_solutions_the_first_metric_counts),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
