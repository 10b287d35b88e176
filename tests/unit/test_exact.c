/* The exact solver on graphs of known chromatic number, and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/generate.h"
#include "oracle.h"
#include "search/bounds.h"

enum { MAX_N = 256 };

static prism_exact_result_t solve(const prism_graph_t *graph, int64_t node_limit, double seconds,
                                  const atomic_int *stop) {
  int32_t color[MAX_N], clique[MAX_N], size = 0, upper = 0;
  assert_int_equal(prism_clique_find(graph, 1, 60, 0, clique, &size), PRISM_OK);
  assert_int_equal(prism_greedy_color(graph, PRISM_GREEDY_DSATUR, 1, NULL, color, &upper),
                   PRISM_OK);
  prism_exact_result_t result;
  assert_int_equal(prism_exact_color(graph, clique, size, upper, node_limit, seconds, stop, color,
                                     &result),
                   PRISM_OK);
  assert_true(result.colors <= upper);
  assert_true(oracle_legal(graph, color, result.colors));
  return result;
}

static void test_known_graphs(void **state) {
  (void)state;
  static const int32_t queens[] = {5, 7, 7};
  prism_generated_t made;
  for (int32_t side = 5; side <= 7; ++side) {
    assert_int_equal(prism_generate_queen(side, side, &made), PRISM_OK);
    prism_exact_result_t result = solve(made.graph, 0, 0, NULL);
    assert_true(result.proved);
    assert_int_equal(result.colors, queens[side - 5]);
    prism_graph_destroy(&made.graph);
  }
  for (int32_t level = 2; level <= 6; ++level) {
    assert_int_equal(prism_generate_mycielski(level, &made), PRISM_OK);
    prism_exact_result_t result = solve(made.graph, 0, 0, NULL);
    assert_true(result.proved);
    assert_int_equal(result.colors, level);
    prism_graph_destroy(&made.graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Copies of a graph side by side need no more nodes than one after the other. */
static void test_components(void **state) {
  (void)state;
  prism_generated_t made;
  assert_int_equal(prism_generate_mycielski(5, &made), PRISM_OK);
  const prism_graph_t *one = made.graph;
  int32_t pairs[2 * 5 * 71], n = one->n;
  int64_t count = 0;
  for (int32_t copy = 0; copy < 5; ++copy)
    for (int32_t v = 0; v < n; ++v)
      for (int64_t e = one->offset[v]; e < one->offset[v + 1]; ++e) {
        if (one->neighbor[e] < v) continue;
        pairs[2 * count] = copy + 5 * v; /* copies interleaved */
        pairs[2 * count + 1] = copy + 5 * one->neighbor[e];
        ++count;
      }
  prism_graph_t *five = NULL;
  assert_int_equal(prism_graph_from_edges(5 * n, pairs, count, NULL, &five), PRISM_OK);
  prism_exact_result_t single = solve(one, 0, 0, NULL), all = solve(five, 0, 0, NULL);
  assert_true(all.proved);
  assert_int_equal(all.colors, 5);
  assert_true(all.nodes <= 20 * single.nodes);
  prism_graph_destroy(&five);
  prism_graph_destroy(&made.graph);
}

static void test_limits(void **state) {
  (void)state;
  prism_generated_t made;
  assert_int_equal(prism_generate_mycielski(8, &made), PRISM_OK);
  prism_exact_result_t result = solve(made.graph, 5000, 0, NULL);
  assert_false(result.proved);
  assert_int_equal(result.nodes, 5000);
  assert_int_equal(result.colors, 8);
  atomic_int stop = 1;
  result = solve(made.graph, 0, 0, &stop);
  assert_false(result.proved);
  result = solve(made.graph, 0, 0.001, NULL);
  assert_false(result.proved);
  prism_graph_destroy(&made.graph);
  /* Nothing to do: the bounds meet before the first node. */
  assert_int_equal(prism_generate_gnp(40, 1, 1, &made), PRISM_OK);
  result = solve(made.graph, 1, 0, NULL);
  assert_true(result.proved);
  assert_int_equal(result.colors, 40);
  assert_int_equal(result.nodes, 0);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* One path through the whole graph: depth must not cost stack. */
static void test_deep(void **state) {
  (void)state;
  enum { N = 5001 };
  int32_t *pairs = NULL, *color = NULL, clique[2] = {0, 1};
  assert_int_equal(PRISM_ALLOC(2 * N, &pairs), PRISM_OK);
  assert_int_equal(PRISM_ALLOC(N, &color), PRISM_OK);
  for (int32_t v = 0; v < N; ++v) {
    pairs[2 * v] = v;
    pairs[2 * v + 1] = (v + 1) % N;
    color[v] = v == N - 1 ? 3 : v % 2;
  }
  color[7] = 2;
  prism_graph_t *graph = NULL;
  assert_int_equal(prism_graph_from_edges(N, pairs, N, NULL, &graph), PRISM_OK);
  prism_exact_result_t result;
  assert_int_equal(prism_exact_color(graph, clique, 2, 4, 0, 0, NULL, color, &result), PRISM_OK);
  assert_true(result.proved);
  assert_int_equal(result.colors, 3);
  assert_true(oracle_legal(graph, color, 3));
  prism_free(pairs);
  prism_free(color);
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* A coloring with gaps and far too many colors is a legal start too. */
static void test_poor_start(void **state) {
  (void)state;
  prism_generated_t made;
  assert_int_equal(prism_generate_queen(5, 5, &made), PRISM_OK);
  int32_t color[25];
  for (int32_t v = 0; v < 25; ++v) color[v] = 2 * v;
  prism_exact_result_t result;
  assert_int_equal(prism_exact_color(made.graph, NULL, 0, 50, 0, 0, NULL, color, &result),
                   PRISM_OK);
  assert_true(result.proved);
  assert_int_equal(result.colors, 5);
  assert_true(oracle_legal(made.graph, color, 5));
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_graphs),
      cmocka_unit_test(test_components),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_deep),
      cmocka_unit_test(test_poor_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
