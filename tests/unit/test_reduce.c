/* Reductions on graphs whose kernel is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/generate.h"
#include "model/reduce.h"
#include "oracle.h"

static prism_graph_t *graph_of(int32_t n, const int32_t *pairs, int64_t count) {
  prism_graph_t *graph = NULL;
  assert_int_equal(prism_graph_from_edges(n, pairs, count, NULL, &graph), PRISM_OK);
  return graph;
}

static void expect_counts(const prism_graph_t *graph, int32_t bound, int64_t effort,
                          prism_kernel_counts_t expected) {
  prism_kernel_t *kernel = NULL;
  assert_int_equal(prism_kernel_create(graph, bound, effort, &kernel), PRISM_OK);
  prism_kernel_counts_t counts = prism_kernel_counts(kernel);
  assert_int_equal(counts.peeled, expected.peeled);
  assert_int_equal(counts.dominated, expected.dominated);
  assert_int_equal(counts.universal, expected.universal);
  assert_int_equal(counts.remaining, expected.remaining);
  prism_kernel_destroy(&kernel);
}

static void test_peel(void **state) {
  (void)state;
  /* A triangle with a tail of two. */
  static const int32_t pairs[] = {0, 1, 1, 2, 2, 0, 2, 3, 3, 4};
  prism_graph_t *graph = graph_of(5, pairs, 5);
  expect_counts(graph, 3, 0, (prism_kernel_counts_t){5, 0, 0, 0});
  expect_counts(graph, 2, 0, (prism_kernel_counts_t){2, 0, 3, 0});
  expect_counts(graph, 0, 0, (prism_kernel_counts_t){0, 0, 0, 5});
  prism_graph_destroy(&graph);
}

static void test_dominated(void **state) {
  (void)state;
  /* A 4-cycle: opposite vertices are twins; one edge is left, both ends universal. */
  static const int32_t cycle[] = {0, 1, 1, 2, 2, 3, 3, 0};
  prism_graph_t *graph = graph_of(4, cycle, 4);
  expect_counts(graph, 0, 100, (prism_kernel_counts_t){0, 2, 2, 0});
  expect_counts(graph, 0, 0, (prism_kernel_counts_t){0, 0, 0, 4});
  prism_graph_destroy(&graph);
  /* A 5-cycle has none. */
  static const int32_t pentagon[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 0};
  graph = graph_of(5, pentagon, 5);
  expect_counts(graph, 2, 1000, (prism_kernel_counts_t){0, 0, 0, 5});
  prism_graph_destroy(&graph);
}

static void test_universal(void **state) {
  (void)state;
  /* A 5-cycle and two vertices joined to all. */
  static const int32_t pairs[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 5, 0, 5, 1, 5, 2, 5, 3, 5, 4,
                                  6, 0, 6, 1, 6, 2, 6, 3, 6, 4, 5, 6};
  prism_graph_t *graph = graph_of(7, pairs, 16);
  prism_kernel_t *kernel = NULL;
  assert_int_equal(prism_kernel_create(graph, 4, 1000, &kernel), PRISM_OK);
  assert_int_equal(prism_kernel_universal(kernel), 2);
  const prism_graph_t *rest = prism_kernel_graph(kernel);
  assert_non_null(rest);
  assert_int_equal(rest->n, 5);
  assert_int_equal(rest->m, 5);
  for (int32_t i = 0; i < 5; ++i) assert_int_equal(prism_kernel_map(kernel)[i], i);
  static const int32_t legal[] = {0, 1, 0, 1, 2}, illegal[] = {0, 1, 0, 1, 0};
  static const int32_t outside[] = {0, 1, 0, 1, 3};
  int32_t color[7], colors = 0;
  assert_int_equal(prism_kernel_lift(kernel, legal, 3, color, &colors), PRISM_OK);
  assert_int_equal(colors, 5);
  assert_true(oracle_legal(graph, color, 5));
  assert_int_equal(prism_kernel_lift(kernel, illegal, 3, color, &colors), PRISM_INTERNAL);
  assert_int_equal(prism_kernel_lift(kernel, outside, 3, color, &colors), PRISM_INTERNAL);
  prism_error_clear();
  prism_kernel_destroy(&kernel);
  prism_graph_destroy(&graph);
}

static void test_whole_families(void **state) {
  (void)state;
  prism_generated_t made;
  /* A complete graph is all universal, an edgeless one all peeled. */
  assert_int_equal(prism_generate_gnp(50, 1, 1, &made), PRISM_OK);
  expect_counts(made.graph, 50, 1000, (prism_kernel_counts_t){50, 0, 0, 0} /* degree 49 */);
  expect_counts(made.graph, 10, 1000000, (prism_kernel_counts_t){0, 0, 50, 0});
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_generate_gnp(50, 0, 1, &made), PRISM_OK);
  expect_counts(made.graph, 1, 1000, (prism_kernel_counts_t){50, 0, 0, 0});
  expect_counts(made.graph, 0, 1000, (prism_kernel_counts_t){0, 49, 1, 0});
  prism_graph_destroy(&made.graph);
  /* A complete multipartite graph folds into a complete one. */
  assert_int_equal(prism_generate_planted(60, 6, 1, 0, 1, &made), PRISM_OK);
  expect_counts(made.graph, 0, 1000000, (prism_kernel_counts_t){0, 54, 6, 0});
  prism_graph_destroy(&made.graph);
  /* Mycielski graphs resist. */
  assert_int_equal(prism_generate_mycielski(6, &made), PRISM_OK);
  expect_counts(made.graph, 2, 1000000, (prism_kernel_counts_t){0, 0, 0, 47});
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* A budget that runs out midway leaves a valid kernel. */
static void test_budget(void **state) {
  (void)state;
  prism_generated_t made;
  assert_int_equal(prism_generate_planted(60, 6, 1, 0, 1, &made), PRISM_OK);
  prism_kernel_t *kernel = NULL;
  assert_int_equal(prism_kernel_create(made.graph, 6, 20, &kernel), PRISM_OK);
  prism_kernel_counts_t counts = prism_kernel_counts(kernel);
  assert_true(counts.dominated > 0);
  assert_true(counts.remaining > 0);
  int32_t kernel_color[60], color[60], colors = 0;
  for (int32_t v = 0; v < counts.remaining; ++v) kernel_color[v] = v;
  assert_int_equal(
      prism_kernel_lift(kernel, kernel_color, counts.remaining, color, &colors), PRISM_OK);
  assert_true(oracle_legal(made.graph, color, colors));
  prism_kernel_destroy(&kernel);
  prism_graph_destroy(&made.graph);
}

static void test_views(void **state) {
  (void)state;
  /* Two 5-cycles and a triangle apart from each other. */
  static const int32_t pairs[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 5, 6, 6, 7,
                                  7, 5, 8, 9, 9, 10, 10, 11, 11, 12, 12, 8};
  prism_graph_t *graph = graph_of(13, pairs, 13);
  prism_view_t *view = NULL;
  int32_t color[13];
  assert_int_equal(prism_view_create(graph, 3, &view), PRISM_OK);
  assert_null(prism_view_graph(view)); /* degree 2 < 3: all peels */
  prism_view_lift(view, NULL, color);
  assert_true(oracle_legal(graph, color, 3));
  prism_view_destroy(&view);
  assert_int_equal(prism_view_create(graph, 2, &view), PRISM_OK);
  assert_int_equal(prism_view_graph(view)->n, 13); /* odd cycles all */
  prism_view_destroy(&view);
  assert_int_equal(prism_view_create(graph, 0, &view), PRISM_OK);
  assert_int_equal(prism_view_graph(view)->n, 13); /* all of it */
  prism_view_destroy(&view);
  assert_int_equal(prism_view_create(graph, -1, &view), PRISM_INVALID);
  prism_error_clear();
  prism_graph_destroy(&graph);
  /* An even cycle beside an odd one: the even one is finished by greedy. */
  static const int32_t mixed[] = {0, 1, 1, 2, 2, 3, 3, 0, 4, 5, 5, 6, 6, 4};
  graph = graph_of(7, mixed, 7);
  assert_int_equal(prism_view_create(graph, 2, &view), PRISM_OK);
  assert_int_equal(prism_view_graph(view)->n, 3);
  assert_int_equal(prism_view_map(view)[0], 4);
  static const int32_t with_conflict[] = {0, 1, 1};
  prism_view_lift(view, with_conflict, color);
  assert_int_equal(oracle_conflicts(graph, color), 1);
  prism_view_destroy(&view);
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_peel),          cmocka_unit_test(test_dominated),
      cmocka_unit_test(test_universal),     cmocka_unit_test(test_whole_families),
      cmocka_unit_test(test_budget),        cmocka_unit_test(test_views),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
