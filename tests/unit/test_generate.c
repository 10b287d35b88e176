/* Generators: sizes, structure, known chromatic numbers, determinism. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/generate.h"
#include "oracle.h"
#include "search/bounds.h"

/* Chromatic number by the exact solver, from greedy bounds. */
static int32_t chromatic(const prism_graph_t *graph) {
  int32_t *color = NULL, *clique = NULL, size = 0, upper = 0;
  prism_exact_result_t result;
  assert_int_equal(PRISM_ALLOC(graph->n, &color), PRISM_OK);
  assert_int_equal(PRISM_ALLOC(graph->n, &clique), PRISM_OK);
  assert_int_equal(prism_clique_find(graph, 1, 60, 0, clique, &size), PRISM_OK);
  assert_int_equal(prism_greedy_color(graph, PRISM_GREEDY_DSATUR, 1, NULL, color, &upper),
                   PRISM_OK);
  assert_int_equal(prism_exact_color(graph, clique, size, upper, 0, 0, NULL, color, &result),
                   PRISM_OK);
  assert_true(result.proved);
  assert_true(oracle_legal(graph, color, result.colors));
  prism_free(color);
  prism_free(clique);
  return result.colors;
}

static bool same_graph(const prism_graph_t *a, const prism_graph_t *b) {
  return a->n == b->n && a->m == b->m &&
         memcmp(a->offset, b->offset, ((size_t)a->n + 1) * sizeof *a->offset) == 0 &&
         memcmp(a->neighbor, b->neighbor, 2 * (size_t)a->m * sizeof *a->neighbor) == 0;
}

static void expect(const prism_generated_t *made, int32_t n, int64_t m, int32_t colors) {
  assert_int_equal(made->graph->n, n);
  assert_int_equal(made->graph->m, m);
  assert_int_equal(made->known_colors, colors);
  assert_int_equal(made->known_is_exact, colors > 0);
  assert_true(strlen(made->description) > 0);
}

static void test_gnp(void **state) {
  (void)state;
  static const double density[] = {0.001, 0.02, 0.3, 0.5, 0.9, 0.999};
  for (size_t i = 0; i < sizeof density / sizeof *density; ++i) {
    prism_generated_t a, b, c;
    double p = density[i], pairs = 600.0 * 599 / 2;
    assert_int_equal(prism_generate_gnp(600, p, 42, &a), PRISM_OK);
    assert_int_equal(prism_generate_gnp(600, p, 42, &b), PRISM_OK);
    assert_int_equal(prism_generate_gnp(600, p, 43, &c), PRISM_OK);
    assert_true(fabs((double)a.graph->m - p * pairs) < 6 * sqrt(p * (1 - p) * pairs) + 1);
    assert_true(same_graph(a.graph, b.graph));
    assert_false(same_graph(a.graph, c.graph));
    prism_graph_destroy(&a.graph);
    prism_graph_destroy(&b.graph);
    prism_graph_destroy(&c.graph);
  }
  prism_generated_t made;
  assert_int_equal(prism_generate_gnp(30, 0, 1, &made), PRISM_OK);
  expect(&made, 30, 0, 1);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_generate_gnp(30, 1, 1, &made), PRISM_OK);
  expect(&made, 30, 435, 30);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_generate_gnp(1, 0.5, 1, &made), PRISM_OK);
  assert_int_equal(made.graph->m, 0);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Every pair of a small graph must be about as frequent as any other. */
static void test_gnp_pairs_are_alike(void **state) {
  (void)state;
  enum { N = 7, ROUNDS = 3000 };
  int hits[N][N] = {{0}};
  for (int round = 0; round < ROUNDS; ++round) {
    prism_generated_t made;
    assert_int_equal(prism_generate_gnp(N, 0.3, (uint64_t)round, &made), PRISM_OK);
    for (int32_t u = 0; u < N; ++u)
      for (int32_t v = 0; v < u; ++v) hits[u][v] += oracle_joined(made.graph, u, v);
    prism_graph_destroy(&made.graph);
  }
  for (int32_t u = 0; u < N; ++u)
    for (int32_t v = 0; v < u; ++v)
      assert_true(fabs(hits[u][v] - 0.3 * ROUNDS) < 6 * sqrt(0.3 * 0.7 * ROUNDS));
}

static void test_planted(void **state) {
  (void)state;
  for (int flat = 0; flat <= 1; ++flat)
    for (int32_t k = 2; k <= 6; ++k) {
      prism_generated_t made, again;
      assert_int_equal(prism_generate_planted(40, k, 0.6, flat, 9, &made), PRISM_OK);
      assert_int_equal(prism_generate_planted(40, k, 0.6, flat, 9, &again), PRISM_OK);
      assert_true(same_graph(made.graph, again.graph));
      assert_int_equal(made.known_colors, k);
      assert_false(made.known_is_exact);
      assert_true(chromatic(made.graph) <= k);
      prism_graph_destroy(&made.graph);
      prism_graph_destroy(&again.graph);
      assert_int_equal(prism_generate_planted(41, k, 1, flat, 9, &made), PRISM_OK);
      assert_true(made.known_is_exact);
      assert_int_equal(chromatic(made.graph), k);
      prism_graph_destroy(&made.graph);
    }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Two classes: DSATUR recovers them, and all degrees of one side differ by 1 at
 * most. */
static void test_flat_degrees(void **state) {
  (void)state;
  prism_generated_t made;
  int32_t color[300], colors = 0, low[3], high[3];
  assert_int_equal(prism_generate_planted(90, 2, 0.4, 1, 5, &made), PRISM_OK);
  assert_int_equal(made.graph->m, 810); /* round(0.4 * 45 * 45) */
  assert_int_equal(prism_greedy_color(made.graph, PRISM_GREEDY_DSATUR, 1, NULL, color, &colors),
                   PRISM_OK);
  assert_int_equal(colors, 2);
  for (int32_t v = 0; v < 90; ++v) assert_int_equal(prism_graph_degree(made.graph, v), 18);
  prism_graph_destroy(&made.graph);
  /* Three classes, uneven shares: towards each class within 1 of the mean. */
  assert_int_equal(prism_generate_planted(100, 3, 0.9, 1, 6, &made), PRISM_OK);
  assert_int_equal(prism_greedy_color(made.graph, PRISM_GREEDY_RLF, 1, NULL, color, &colors),
                   PRISM_OK);
  assert_int_equal(colors, 3);
  for (int32_t a = 0; a < 3; ++a) {
    for (int32_t b = 0; b < 3; ++b) low[b] = 1000, high[b] = -1;
    for (int32_t v = 0; v < 100; ++v) {
      if (color[v] != a) continue;
      int32_t towards[3] = {0};
      for (int64_t e = made.graph->offset[v]; e < made.graph->offset[v + 1]; ++e)
        ++towards[color[made.graph->neighbor[e]]];
      for (int32_t b = 0; b < 3; ++b) {
        if (towards[b] < low[b]) low[b] = towards[b];
        if (towards[b] > high[b]) high[b] = towards[b];
      }
    }
    for (int32_t b = 0; b < 3; ++b) assert_true(a == b ? high[b] == 0 : high[b] - low[b] <= 1);
  }
  prism_graph_destroy(&made.graph);
}

static void test_geometric(void **state) {
  (void)state;
  static const double radius[] = {0, 0.05, 0.11, 0.4, 1.5};
  for (size_t i = 0; i < sizeof radius / sizeof *radius; ++i) {
    prism_generated_t near, far;
    assert_int_equal(prism_generate_geometric(200, radius[i], 0, 8, &near), PRISM_OK);
    assert_int_equal(prism_generate_geometric(200, radius[i], 1, 8, &far), PRISM_OK);
    /* The complement is made without cells: each pair is in exactly one of them. */
    for (int32_t u = 0; u < 200; ++u)
      for (int32_t v = 0; v < u; ++v)
        assert_true(oracle_joined(near.graph, u, v) != oracle_joined(far.graph, u, v));
    if (i == 2) assert_in_range(near.graph->m, 500, 850); /* mean about 690 */
    prism_graph_destroy(&near.graph);
    prism_graph_destroy(&far.graph);
  }
}

static void test_structured(void **state) {
  (void)state;
  prism_generated_t made;
  static const int64_t edges[] = {1, 5, 20, 71, 236};
  for (int32_t level = 2; level <= 6; ++level) {
    assert_int_equal(prism_generate_mycielski(level, &made), PRISM_OK);
    expect(&made, 3 * (1 << (level - 2)) - 1, edges[level - 2], level);
    assert_int_equal(oracle_clique(made.graph), 2);
    assert_int_equal(chromatic(made.graph), level);
    prism_graph_destroy(&made.graph);
  }
  static const int32_t colors[] = {1, 4, 5, 5, 5, 7, 7};
  for (int32_t side = 1; side <= 7; ++side) {
    assert_int_equal(prism_generate_queen(side, side, &made), PRISM_OK);
    assert_int_equal(made.graph->n, side * side);
    assert_int_equal(made.known_colors, colors[side - 1]);
    assert_int_equal(chromatic(made.graph), colors[side - 1]);
    prism_graph_destroy(&made.graph);
  }
  assert_int_equal(prism_generate_queen(8, 12, &made), PRISM_OK);
  expect(&made, 96, 1368, 0);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_generate_rook(3, 5, &made), PRISM_OK);
  expect(&made, 15, 3 * 10 + 5 * 3, 5);
  assert_int_equal(chromatic(made.graph), 5);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_mesh(void **state) {
  (void)state;
  prism_generated_t made;
  for (int32_t nx = 1; nx <= 3; ++nx)
    for (int32_t ny = 1; ny <= 4; ++ny)
      for (int32_t nz = 1; nz <= 3; ++nz) {
        assert_int_equal(prism_generate_mesh27(nx, ny, nz, &made), PRISM_OK);
        for (int32_t a = 0; a < made.graph->n; ++a)
          for (int32_t b = 0; b < a; ++b) {
            int32_t dx = a % nx - b % nx, dy = a / nx % ny - b / nx % ny;
            int32_t dz = a / nx / ny - b / nx / ny;
            assert_int_equal(oracle_joined(made.graph, a, b),
                             abs(dx) <= 1 && abs(dy) <= 1 && abs(dz) <= 1);
          }
        assert_int_equal(chromatic(made.graph), made.known_colors);
        prism_graph_destroy(&made.graph);
      }
  assert_int_equal(prism_generate_mesh27(20, 20, 20, &made), PRISM_OK);
  expect(&made, 8000, (int64_t)(58LL * 58 * 58 - 8000) / 2, 8); /* sum of degrees: (3n-2)^3 - n^3 */
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_invalid(void **state) {
  (void)state;
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(0, 0.5, 1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_gnp(10, -0.1, 1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_gnp(10, 1.1, 1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_gnp(10, NAN, 1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_planted(10, 0, 0.5, 0, 1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_planted(10, 11, 0.5, 1, 1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_geometric(10, -1, 0, 1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_geometric(0, 1, 0, 1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_mycielski(1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_mycielski(99, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_queen(0, 5, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_queen(100000, 100000, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_rook(5, -1, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_mesh27(2, 0, 2, &made), PRISM_INVALID);
  assert_int_equal(prism_generate_mesh27(5000, 5000, 5000, &made), PRISM_INVALID);
  assert_null(made.graph);
  prism_error_clear();
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gnp),         cmocka_unit_test(test_gnp_pairs_are_alike),
      cmocka_unit_test(test_planted),     cmocka_unit_test(test_flat_degrees),
      cmocka_unit_test(test_geometric),   cmocka_unit_test(test_structured),
      cmocka_unit_test(test_mesh),        cmocka_unit_test(test_invalid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
