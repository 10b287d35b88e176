/* Starting points of a search against their definitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "oracle.h"
#include "search/seeds.h"

static const uint64_t seed = 20261204;

enum { MAX_N = 90, MAX_K = 15 };

static void class_sizes(int32_t n, const int32_t *color, int32_t *size) {
  memset(size, 0, MAX_K * sizeof *size);
  for (int32_t v = 0; v < n; ++v) ++size[color[v]];
}

static int descending(const void *a, const void *b) {
  return *(const int32_t *)b - *(const int32_t *)a;
}

/* The largest `to` classes stay together and apart; the others' vertices go to where
 * they conflict little. */
static void dissolving_keeps_the_largest(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 1500; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, MAX_N);
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    int32_t from = 1 + (int32_t)prism_rng_below(&rng, MAX_K);
    int32_t to = 1 + (int32_t)prism_rng_below(&rng, (uint32_t)from + 1);
    int32_t old[MAX_N], color[MAX_N], size[MAX_K], sorted[MAX_K], name[MAX_K];
    for (int32_t v = 0; v < n; ++v)
      color[v] = old[v] = (int32_t)prism_rng_below(&rng, (uint32_t)from);
    class_sizes(n, old, size);
    memcpy(sorted, size, sizeof size);
    qsort(sorted, (size_t)from, sizeof *sorted, descending);
    prism_rng_t stream = prism_rng_stream(seed, (uint64_t)round, 1, PRISM_RNG_POOL), same = stream;
    assert_int_equal(prism_seed_dissolve(graph, from, to, &stream, color), PRISM_OK);
    if (from <= to) assert_memory_equal(color, old, (size_t)n * sizeof *color);
    for (int32_t v = 0; v < n; ++v) assert_true(color[v] >= 0 && color[v] < from);
    for (int32_t v = 0; v < n && from > to; ++v) assert_true(color[v] < to);
    /* A class surely kept is one that is larger than the first dissolved. */
    for (int32_t c = 0; c < from; ++c) name[c] = -1;
    for (int32_t v = 0; v < n && from > to; ++v) {
      if (size[old[v]] <= sorted[to]) continue;
      if (name[old[v]] < 0) name[old[v]] = color[v];
      assert_int_equal(color[v], name[old[v]]);
    }
    for (int32_t c = 0; c < from; ++c)
      for (int32_t d = 0; d < c; ++d) assert_true(name[c] < 0 || name[c] != name[d]);
    int32_t again[MAX_N];
    memcpy(again, old, sizeof old);
    assert_int_equal(prism_seed_dissolve(graph, from, to, &same, again), PRISM_OK);
    assert_memory_equal(again, color, (size_t)n * sizeof *color);
    prism_graph_destroy(&graph);
  }
}

/* One dissolved vertex goes to a color with the fewest neighbors, any of them. */
static void dissolved_vertices_conflict_least(void **state) {
  (void)state;
  enum { K = 6 };
  /* Vertex 0 alone in its class; 1.. in classes of 2 and more; its neighbors by class. */
  static const int32_t of_class[K - 1] = {1, 0, 2, 0, 1};
  int32_t pairs[32], color[32], n = 1, edges = 0, seen[K] = {0};
  color[0] = 0;
  for (int32_t c = 1; c < K; ++c)
    for (int32_t i = 0; i < 3; ++i) {
      if (i < of_class[c - 1]) {
        pairs[2 * edges] = 0;
        pairs[2 * edges++ + 1] = n;
      }
      color[n++] = c;
    }
  prism_graph_t *graph = NULL;
  assert_int_equal(prism_graph_from_edges(n, pairs, edges, NULL, &graph), PRISM_OK);
  for (uint64_t round = 0; round < 200; ++round) {
    int32_t now[32];
    memcpy(now, color, sizeof color);
    prism_rng_t rng = prism_rng_stream(seed, round, 2, PRISM_RNG_POOL);
    assert_int_equal(prism_seed_dissolve(graph, K, K - 1, &rng, now), PRISM_OK);
    int32_t home = 0;
    for (int32_t v = 1; v < n; ++v)
      if (now[v] == now[0]) home = color[v];
    assert_true(home == 2 || home == 4); /* the classes without a neighbor */
    ++seen[home];
  }
  assert_true(seen[2] > 60 && seen[4] > 60);
  prism_graph_destroy(&graph);
}

static void random_seeds_are_complete(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 500; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, MAX_N);
    int32_t k = 1 + (int32_t)prism_rng_below(&rng, MAX_K), color[MAX_N], again[MAX_N];
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    prism_rng_t stream = prism_rng_stream(seed, (uint64_t)round, 4, PRISM_RNG_POOL), same = stream;
    assert_int_equal(prism_seed_random(graph, k, &stream, color), PRISM_OK);
    for (int32_t v = 0; v < n; ++v) assert_true(color[v] >= 0 && color[v] < k);
    /* The last vertex of each step adds at most degree / k conflicts. */
    assert_true(oracle_conflicts(graph, color) <= graph->m / k);
    /* k > max degree: nobody ever has to conflict. */
    if (k > prism_graph_max_degree(graph)) assert_true(oracle_legal(graph, color, k));
    assert_int_equal(prism_seed_random(graph, k, &same, again), PRISM_OK);
    assert_memory_equal(again, color, (size_t)n * sizeof *color);
    prism_graph_destroy(&graph);
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dissolving_keeps_the_largest),
      cmocka_unit_test(dissolved_vertices_conflict_least),
      cmocka_unit_test(random_seeds_are_complete),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
