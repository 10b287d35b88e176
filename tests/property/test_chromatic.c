/* Bounds and the exact solver against brute force on random graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/generate.h"
#include "model/verify.h"
#include "oracle.h"
#include "search/bounds.h"

enum { SEED = 7041, MAX_N = 64 };

static void check_greedy(const prism_graph_t *graph, uint64_t seed, int32_t chromatic) {
  for (int h = 0; h < PRISM_GREEDY_COUNT; ++h) {
    int32_t color[MAX_N], again[MAX_N], colors = 0, colors_again = 0;
    prism_greedy_t heuristic = (prism_greedy_t)h;
    assert_int_equal(prism_greedy_color(graph, heuristic, seed, NULL, color, &colors), PRISM_OK);
    assert_true(oracle_legal(graph, color, colors));
    assert_true(colors >= chromatic);
    for (int32_t c = 0; c < colors; ++c) { /* no color is skipped */
      int32_t v = 0;
      while (v < graph->n && color[v] != c) ++v;
      assert_true(v < graph->n);
    }
    assert_int_equal(prism_greedy_color(graph, heuristic, seed, NULL, again, &colors_again),
                     PRISM_OK);
    assert_memory_equal(color, again, (size_t)graph->n * sizeof *color);
  }
}

static void test_small_graphs(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 0, PRISM_RNG_TEST);
  print_message("seed %d\n", SEED);
  for (int round = 0; round < 1500; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 9);
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    int32_t color[MAX_N], clique[MAX_N], optimal[MAX_N], size = 0, upper = 0;
    int32_t chromatic = oracle_chromatic(graph, optimal);
    check_greedy(graph, (uint64_t)round, chromatic);
    assert_int_equal(prism_clique_find(graph, (uint64_t)round, 60, 0, clique, &size), PRISM_OK);
    assert_true(prism_verify_clique(graph, clique, size));
    assert_int_equal(size, oracle_clique(graph));
    assert_int_equal(prism_greedy_color(graph, PRISM_GREEDY_NATURAL, 0, NULL, color, &upper),
                     PRISM_OK);
    prism_exact_result_t result;
    /* With the whole clique, a part of it and none. */
    int32_t given = round % 3 == 0 ? size : round % 3 == 1 ? size / 2 : 0;
    assert_int_equal(prism_exact_color(graph, clique, given, upper, 0, 0, NULL, color, &result),
                     PRISM_OK);
    assert_true(result.proved);
    assert_int_equal(result.colors, chromatic);
    assert_true(oracle_legal(graph, color, result.colors));
    prism_graph_destroy(&graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_cliques(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 1, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 150; ++round) {
    int32_t n = 20 + (int32_t)prism_rng_below(&rng, 21);
    prism_graph_t *graph = oracle_random_graph(&rng, n, 0.1 + 0.65 * prism_rng_uniform(&rng));
    int32_t clique[MAX_N], size = 0;
    assert_int_equal(prism_clique_find(graph, (uint64_t)round, 60, 0, clique, &size), PRISM_OK);
    assert_true(prism_verify_clique(graph, clique, size));
    assert_int_equal(size, oracle_clique(graph));
    prism_graph_destroy(&graph);
  }
}

/* A node limit without a time limit: whatever comes out is a clique, and the same
 * one each time. */
static void test_clique_node_limit(void **state) {
  (void)state;
  prism_generated_t made;
  assert_int_equal(prism_generate_gnp(200, 0.8, 3, &made), PRISM_OK);
  static const int64_t limits[] = {1, 2, 10, 1000, 5000};
  int32_t clique[200], again[200];
  for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i) {
    int32_t size = 0, size_again = 0;
    assert_int_equal(prism_clique_find(made.graph, 5, 0, limits[i], clique, &size), PRISM_OK);
    assert_int_equal(prism_clique_find(made.graph, 5, 0, limits[i], again, &size_again), PRISM_OK);
    assert_true(size >= 8);
    assert_true(prism_verify_clique(made.graph, clique, size));
    assert_int_equal(size, size_again);
    assert_memory_equal(clique, again, (size_t)size * sizeof *clique);
  }
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* DSATUR is exact on bipartite graphs (Brelaz 1979). */
static void test_dsatur_bipartite(void **state) {
  (void)state;
  for (int round = 0; round < 100; ++round) {
    prism_generated_t made;
    int32_t color[200], colors = 0;
    double p = 0.01 + 0.004 * round;
    assert_int_equal(prism_generate_planted(200, 2, p, round % 2, (uint64_t)round, &made),
                     PRISM_OK);
    assert_int_equal(prism_greedy_color(made.graph, PRISM_GREEDY_DSATUR, (uint64_t)round, NULL,
                                        color, &colors),
                     PRISM_OK);
    assert_true(oracle_legal(made.graph, color, 2));
    assert_int_equal(colors, made.graph->m > 0 ? 2 : 1);
    prism_graph_destroy(&made.graph);
  }
}

/* On a complete multipartite graph every heuristic finds the classes. */
static void test_multipartite(void **state) {
  (void)state;
  for (int32_t k = 1; k <= 12; ++k) {
    prism_generated_t made;
    int32_t color[MAX_N], colors = 0;
    assert_int_equal(prism_generate_planted(36, k, 1, 0, 11, &made), PRISM_OK);
    for (int h = 0; h < PRISM_GREEDY_COUNT; ++h) {
      assert_int_equal(prism_greedy_color(made.graph, (prism_greedy_t)h, 1, NULL, color, &colors),
                       PRISM_OK);
      assert_int_equal(colors, k);
      assert_true(oracle_legal(made.graph, color, k));
    }
    prism_graph_destroy(&made.graph);
  }
}

/* Smallest last never needs more than the degeneracy plus one. */
static void test_smallest_last_bound(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 2, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 200; ++round) {
    prism_graph_t *graph =
        oracle_random_graph(&rng, 1 + (int32_t)prism_rng_below(&rng, MAX_N), oracle_density(&rng));
    int32_t order[MAX_N], color[MAX_N], degeneracy = 0, colors = 0;
    assert_int_equal(prism_graph_smallest_last(graph, order, NULL, &degeneracy), PRISM_OK);
    assert_int_equal(prism_greedy_color(graph, PRISM_GREEDY_SMALLEST_LAST, (uint64_t)round, NULL,
                                        color, &colors),
                     PRISM_OK);
    assert_true(colors <= degeneracy + 1);
    prism_graph_destroy(&graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_small_graphs),      cmocka_unit_test(test_cliques),
      cmocka_unit_test(test_clique_node_limit), cmocka_unit_test(test_dsatur_bipartite),
      cmocka_unit_test(test_multipartite),      cmocka_unit_test(test_smallest_last_bound),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
