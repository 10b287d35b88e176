/* The verifier against the definition, on small graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/verify.h"

enum { SEED = 20261121, MAX_N = 12 };

typedef struct sample {
  int32_t n;
  prism_graph_t *graph;
  uint8_t matrix[MAX_N][MAX_N];
} sample_t;

static void sample_draw(prism_rng_t *rng, sample_t *s) {
  int32_t pairs[MAX_N * MAX_N], count = 0;
  memset(s, 0, sizeof *s);
  s->n = 1 + (int32_t)prism_rng_below(rng, MAX_N);
  uint32_t sparseness = 1 + prism_rng_below(rng, 6);
  for (int32_t u = 0; u < s->n; ++u)
    for (int32_t v = 0; v < u; ++v) {
      if (prism_rng_below(rng, sparseness) != 0) continue;
      s->matrix[u][v] = s->matrix[v][u] = 1;
      pairs[2 * count] = u;
      pairs[2 * count++ + 1] = v;
    }
  assert_int_equal(prism_graph_from_edges(s->n, pairs, count, NULL, &s->graph), PRISM_OK);
}

static void verdict_matches_definition(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  prism_rng_t rng = prism_rng_stream(SEED, 0, 1, PRISM_RNG_TEST);
  int legal = 0;
  for (int round = 0; round < 5000; ++round) {
    sample_t s;
    sample_draw(&rng, &s);
    int32_t color[MAX_N], highest = -1, uncolored = 0, distinct = 0;
    int64_t conflicts = 0;
    uint32_t palette = 1 + prism_rng_below(&rng, MAX_N + 4);
    bool holes = prism_rng_below(&rng, 4) == 0;
    for (int32_t v = 0; v < s.n; ++v) {
      color[v] = (int32_t)prism_rng_below(&rng, palette) - (holes && prism_rng_below(&rng, 5) == 0);
      uncolored += color[v] < 0;
      bool fresh = color[v] >= 0;
      for (int32_t u = 0; u < v; ++u) {
        fresh = fresh && color[u] != color[v];
        conflicts += color[v] >= 0 && s.matrix[u][v] && color[u] == color[v];
      }
      distinct += fresh;
      if (color[v] > highest) highest = color[v];
    }
    prism_verdict_t verdict;
    assert_int_equal(prism_verify(s.graph, color, &verdict), PRISM_OK);
    assert_int_equal(verdict.conflicts, conflicts);
    assert_int_equal(verdict.uncolored, uncolored);
    assert_int_equal(verdict.colors, distinct);
    bool expected = conflicts == 0 && uncolored == 0 && distinct == highest + 1;
    assert_int_equal(verdict.legal, expected);
    assert_int_equal(verdict.reason[0] == '\0', expected);
    legal += expected;
    if (conflicts > 0) {
      assert_true(s.matrix[verdict.first_u][verdict.first_v]);
      assert_int_equal(color[verdict.first_u], color[verdict.first_v]);
    } else {
      assert_int_equal(verdict.first_u, -1);
      assert_int_equal(verdict.first_v, -1);
    }
    prism_graph_destroy(&s.graph);
  }
  assert_in_range(legal, 100, 4900); /* both answers were really met */
}

static void reasons_are_in_user_numbers(void **state) {
  (void)state;
  const int32_t pairs[] = {0, 1, 1, 2};
  prism_graph_t *path = NULL;
  prism_verdict_t verdict;
  assert_int_equal(prism_graph_from_edges(3, pairs, 2, NULL, &path), PRISM_OK);
  const int32_t clash[] = {0, 1, 1}, hole[] = {0, -1, 0}, gap[] = {0, 2, 0};
  const int32_t far[] = {0, INT32_MAX, 0};
  assert_int_equal(prism_verify(path, clash, &verdict), PRISM_OK);
  assert_non_null(strstr(verdict.reason, "first edge 2 3 (color 2)"));
  assert_int_equal(prism_verify(path, hole, &verdict), PRISM_OK);
  assert_non_null(strstr(verdict.reason, "first vertex 2"));
  assert_int_equal(prism_verify(path, gap, &verdict), PRISM_OK);
  assert_non_null(strstr(verdict.reason, "color 2 is not used"));
  assert_int_equal(verdict.colors, 2);
  assert_int_equal(prism_verify(path, far, &verdict), PRISM_OK);
  assert_false(verdict.legal);
  assert_int_equal(verdict.colors, 2);
  prism_graph_destroy(&path);
}

static void clique_matches_definition(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 2, PRISM_RNG_TEST);
  int cliques = 0;
  for (int round = 0; round < 5000; ++round) {
    sample_t s;
    sample_draw(&rng, &s);
    int32_t count = (int32_t)prism_rng_below(&rng, 5), vertices[5];
    bool expected = true;
    for (int32_t i = 0; i < count; ++i) {
      vertices[i] = (int32_t)prism_rng_below(&rng, (uint32_t)s.n + 1) - (round % 10 == 0);
      expected = expected && vertices[i] >= 0 && vertices[i] < s.n;
    }
    for (int32_t i = 0; expected && i < count; ++i)
      for (int32_t j = 0; j < i; ++j)
        expected = expected && s.matrix[vertices[i]][vertices[j]];
    assert_int_equal(prism_verify_clique(s.graph, vertices, count), expected);
    cliques += expected && count >= 2;
    prism_graph_destroy(&s.graph);
  }
  assert_in_range(cliques, 50, 4900);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(verdict_matches_definition),
      cmocka_unit_test(reasons_are_in_user_numbers),
      cmocka_unit_test(clique_matches_definition),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
