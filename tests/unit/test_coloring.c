/* Coloring helpers; the partition distance against all permutations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/coloring.h"

enum { SEED = 20261121, MAX_N = 60 };

static void conflicts_match_pairs(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  prism_rng_t rng = prism_rng_stream(SEED, 0, 1, PRISM_RNG_TEST);
  for (int round = 0; round < 200; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 30), pairs[2 * 435], color[30];
    int64_t count = 0, expected = 0;
    for (int32_t v = 0; v < n; ++v) color[v] = (int32_t)prism_rng_below(&rng, 5) - 1;
    for (int32_t u = 0; u < n; ++u)
      for (int32_t v = 0; v < u; ++v) {
        if (prism_rng_below(&rng, 3) != 0) continue;
        pairs[2 * count] = u;
        pairs[2 * count++ + 1] = v;
        expected += color[u] >= 0 && color[u] == color[v];
      }
    prism_graph_t *graph = NULL;
    assert_int_equal(prism_graph_from_edges(n, pairs, count, NULL, &graph), PRISM_OK);
    assert_int_equal(prism_coloring_conflicts(graph, color), expected);
    prism_graph_destroy(&graph);
  }
}

static void compact_renumbers_by_first_use(void **state) {
  (void)state;
  int32_t color[] = {7, -1, 3, 7, 0, 3, 1000}, used = -1;
  const int32_t expected[] = {0, -1, 1, 0, 2, 1, 3};
  assert_int_equal(prism_coloring_span(color, 7), 1001);
  assert_int_equal(prism_coloring_compact(color, 7, &used), PRISM_OK);
  assert_memory_equal(color, expected, sizeof expected);
  assert_int_equal(used, 4);
  int32_t none[] = {-1, -1};
  assert_int_equal(prism_coloring_span(none, 2), 0);
  assert_int_equal(prism_coloring_compact(none, 2, &used), PRISM_OK);
  assert_int_equal(used, 0);
}

/* Best total overlap over all ways to match classes row.. with unused columns. */
static int32_t best_overlap(int32_t k, int32_t overlap[6][6], int32_t row, uint32_t used) {
  if (row == k) return 0;
  int32_t best = 0;
  for (int32_t j = 0; j < k; ++j) {
    if (used >> j & 1u) continue;
    int32_t value = overlap[row][j] + best_overlap(k, overlap, row + 1, used | 1u << j);
    if (value > best) best = value;
  }
  return best;
}

static void distance_matches_brute_force(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 2, PRISM_RNG_TEST);
  for (int round = 0; round < 2000; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, MAX_N);
    int32_t k = 1 + (int32_t)prism_rng_below(&rng, 6);
    int32_t a[MAX_N], b[MAX_N], overlap[6][6] = {{0}}, distance = -1, back = -1;
    /* Skewed classes and related colorings make ties and long augmenting paths. */
    uint32_t noise = prism_rng_below(&rng, 5);
    for (int32_t v = 0; v < n; ++v) {
      a[v] = (int32_t)prism_rng_below(&rng, 1 + prism_rng_below(&rng, (uint32_t)k));
      b[v] = prism_rng_below(&rng, 5) < noise ? (int32_t)prism_rng_below(&rng, (uint32_t)k)
                                              : (a[v] + round) % k;
      ++overlap[a[v]][b[v]];
    }
    assert_int_equal(prism_coloring_distance(a, b, n, k, &distance), PRISM_OK);
    assert_int_equal(distance, n - best_overlap(k, overlap, 0, 0));
    assert_int_equal(prism_coloring_distance(b, a, n, k, &back), PRISM_OK);
    assert_int_equal(back, distance);
  }
}

/* Many classes: renaming colors costs nothing, moving vertices to a class of their
 * own costs one each. */
static void distance_ignores_names(void **state) {
  (void)state;
  enum { K = 90, N = 900 };
  prism_rng_t rng = prism_rng_stream(SEED, 0, 3, PRISM_RNG_TEST);
  int32_t a[N], b[N], name[K], distance = -1;
  for (int32_t c = 0; c < K; ++c) name[c] = c;
  for (int32_t c = K - 1; c > 0; --c) {
    int32_t d = (int32_t)prism_rng_below(&rng, (uint32_t)c + 1), keep = name[c];
    name[c] = name[d];
    name[d] = keep;
  }
  for (int32_t v = 0; v < N; ++v) {
    a[v] = v % (K - 1);
    b[v] = name[a[v]];
  }
  assert_int_equal(prism_coloring_distance(a, b, N, K, &distance), PRISM_OK);
  assert_int_equal(distance, 0);
  for (int32_t v = 0; v < 5; ++v) b[v] = name[K - 1];
  assert_int_equal(prism_coloring_distance(a, b, N, K, &distance), PRISM_OK);
  assert_int_equal(distance, 5);
}

static void bad_colors_are_refused(void **state) {
  (void)state;
  int32_t fine[] = {0, 1}, open[] = {0, -1}, high[] = {0, 2}, distance = -7;
  assert_int_equal(prism_coloring_distance(fine, open, 2, 2, &distance), PRISM_INVALID);
  assert_int_equal(prism_coloring_distance(high, fine, 2, 2, &distance), PRISM_INVALID);
  assert_int_equal(distance, -7);
  assert_int_equal(prism_coloring_distance(fine, fine, 0, 2, &distance), PRISM_OK);
  assert_int_equal(distance, 0);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(conflicts_match_pairs),
      cmocka_unit_test(compact_renumbers_by_first_use),
      cmocka_unit_test(distance_matches_brute_force),
      cmocka_unit_test(distance_ignores_names),
      cmocka_unit_test(bad_colors_are_refused),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
