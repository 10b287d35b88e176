/* Reductions against brute force: the kernel decides the same question, and every
 * coloring lifts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/reduce.h"
#include "model/verify.h"
#include "oracle.h"

enum { SEED = 90210, MAX_N = 128 };

/* One input and one lower bound. [in] optimal: an optimal coloring of `graph`. */
static void check_kernel(const prism_graph_t *graph, int32_t chromatic, const int32_t *optimal,
                         int32_t lower_bound, int64_t effort) {
  prism_kernel_t *kernel = NULL;
  assert_int_equal(prism_kernel_create(graph, lower_bound, effort, &kernel), PRISM_OK);
  prism_kernel_counts_t counts = prism_kernel_counts(kernel);
  const prism_graph_t *rest = prism_kernel_graph(kernel);
  int32_t universal = prism_kernel_universal(kernel), colors = 0, k = 0;
  assert_int_equal(counts.peeled + counts.dominated + counts.universal + counts.remaining,
                   graph->n);
  assert_int_equal(universal, counts.universal);
  assert_int_equal(rest == NULL ? 0 : rest->n, counts.remaining);
  if (effort == 0) assert_int_equal(counts.dominated, 0);

  int32_t kernel_color[MAX_N], color[MAX_N];
  if (rest != NULL) k = oracle_chromatic(rest, kernel_color);
  int32_t decided = k + universal > lower_bound ? k + universal : lower_bound;
  assert_int_equal(decided, chromatic);
  assert_int_equal(prism_kernel_lift(kernel, rest == NULL ? NULL : kernel_color,
                                     decided - universal, color, &colors),
                   PRISM_OK);
  assert_int_equal(colors, chromatic);
  assert_true(oracle_legal(graph, color, colors));

  int32_t projected[MAX_N];
  assert_int_equal(prism_kernel_project(kernel, optimal, projected), PRISM_OK);
  if (rest != NULL) assert_true(oracle_legal(rest, projected, chromatic - universal));
  prism_kernel_destroy(&kernel);
  assert_null(kernel);
}

static void test_same_chromatic_number(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 0, PRISM_RNG_TEST);
  print_message("seed %d\n", SEED);
  for (int round = 0; round < 1500; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 10), optimal[MAX_N];
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    int32_t chromatic = oracle_chromatic(graph, optimal);
    for (int32_t bound = 0; bound <= chromatic; ++bound) {
      check_kernel(graph, chromatic, optimal, bound, 1000000);
      check_kernel(graph, chromatic, optimal, bound, 0);
      check_kernel(graph, chromatic, optimal, bound, 1 + (int64_t)prism_rng_below(&rng, 40));
    }
    prism_graph_destroy(&graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* No rule may still apply to a kernel. */
static void check_reduced(const prism_graph_t *graph, int32_t threshold) {
  for (int32_t u = 0; u < graph->n; ++u) {
    int32_t degree = prism_graph_degree(graph, u);
    assert_true(degree >= threshold);
    assert_true(degree < graph->n - 1);
    for (int32_t v = 0; v < graph->n; ++v) {
      if (v == u || degree == 0 || oracle_joined(graph, u, v)) continue;
      bool covered = true;
      for (int64_t e = graph->offset[u]; e < graph->offset[u + 1] && covered; ++e)
        covered = oracle_joined(graph, v, graph->neighbor[e]);
      assert_false(covered);
    }
  }
}

static void test_nothing_left_to_reduce(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 1, 0, PRISM_RNG_TEST);
  int reduced = 0;
  for (int round = 0; round < 300; ++round) {
    int32_t n = 2 + (int32_t)prism_rng_below(&rng, 60);
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    int32_t bound = 1 + (int32_t)prism_rng_below(&rng, 5);
    prism_kernel_t *kernel = NULL;
    assert_int_equal(prism_kernel_create(graph, bound, 1000000000, &kernel), PRISM_OK);
    if (prism_kernel_graph(kernel) != NULL && prism_kernel_graph(kernel)->n < n) {
      check_reduced(prism_kernel_graph(kernel), bound - prism_kernel_universal(kernel));
      ++reduced;
    }
    prism_kernel_destroy(&kernel);
    prism_graph_destroy(&graph);
  }
  assert_true(reduced > 20);
}

/* At every k: a legal view coloring lifts to a legal kernel coloring, one with
 * conflicts keeps exactly those. */
static void check_view(const prism_graph_t *graph, int32_t k, prism_rng_t *rng) {
  prism_view_t *view = NULL;
  assert_int_equal(prism_view_create(graph, k, &view), PRISM_OK);
  const prism_graph_t *part = prism_view_graph(view);
  int32_t view_color[MAX_N], color[MAX_N];
  if (part == NULL) {
    prism_view_lift(view, NULL, color);
    assert_true(oracle_legal(graph, color, k));
    assert_true(oracle_colorable(graph, k, view_color));
  } else {
    const int32_t *map = prism_view_map(view);
    for (int32_t u = 0; u < part->n; ++u) {
      assert_true(prism_graph_degree(part, u) >= k);
      for (int32_t v = 0; v < part->n; ++v)
        assert_int_equal(oracle_joined(part, u, v), oracle_joined(graph, map[u], map[v]));
    }
    bool colorable = oracle_colorable(part, k, view_color);
    assert_int_equal(colorable, oracle_colorable(graph, k, color));
    if (colorable) {
      prism_view_lift(view, view_color, color);
      assert_true(oracle_legal(graph, color, k));
    }
    for (int32_t v = 0; v < part->n; ++v)
      view_color[v] = (int32_t)prism_rng_below(rng, (uint32_t)k);
    prism_view_lift(view, view_color, color);
    for (int32_t v = 0; v < part->n; ++v) assert_int_equal(color[map[v]], view_color[v]);
    for (int32_t v = 0; v < graph->n; ++v) assert_in_range(color[v], 0, k - 1);
    assert_int_equal(oracle_conflicts(graph, color), oracle_conflicts(part, view_color));
  }
  prism_view_destroy(&view);
  assert_null(view);
}

static void test_views(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 2, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 1500; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 10);
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    for (int32_t k = 1; k <= n; ++k) check_view(graph, k, &rng);
    prism_graph_destroy(&graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Larger graphs with planted twins and universal vertices: lifts stay legal. */
static void test_larger_lifts(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 3, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 60; ++round) {
    prism_graph_t *graph =
        oracle_random_graph(&rng, MAX_N, round % 2 == 0 ? 0.96 : oracle_density(&rng));
    prism_kernel_t *kernel = NULL;
    assert_int_equal(prism_kernel_create(graph, 3, 1000000, &kernel), PRISM_OK);
    const prism_graph_t *rest = prism_kernel_graph(kernel);
    int32_t kernel_color[MAX_N], color[MAX_N], colors = 0;
    int32_t n = rest == NULL ? 0 : rest->n;
    for (int32_t v = 0; v < n; ++v) kernel_color[v] = v; /* legal, if wasteful */
    assert_int_equal(prism_kernel_lift(kernel, kernel_color, n, color, &colors), PRISM_OK);
    assert_true(oracle_legal(graph, color, colors));
    prism_kernel_destroy(&kernel);
    prism_graph_destroy(&graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void assert_same_graph(const prism_graph_t *a, const prism_graph_t *b) {
  assert_int_equal(a == NULL, b == NULL);
  if (a == NULL) return;
  assert_int_equal(a->n, b->n);
  assert_int_equal(a->m, b->m);
  assert_memory_equal(a->offset, b->offset, ((size_t)a->n + 1) * sizeof *a->offset);
  assert_memory_equal(a->neighbor, b->neighbor, 2 * (size_t)a->m * sizeof *a->neighbor);
}

/* Graph, numbering, counts and lift. */
static void assert_same_kernel(const prism_kernel_t *a, const prism_kernel_t *b, int32_t n) {
  assert_same_graph(prism_kernel_graph(a), prism_kernel_graph(b));
  prism_kernel_counts_t x = prism_kernel_counts(a), y = prism_kernel_counts(b);
  assert_memory_equal(&x, &y, sizeof x);
  assert_memory_equal(prism_kernel_map(a), prism_kernel_map(b),
                      (size_t)x.remaining * sizeof(int32_t));
  int32_t kernel_color[MAX_N], color[MAX_N], again[MAX_N], colors = 0, colors_again = 0;
  for (int32_t v = 0; v < x.remaining; ++v) kernel_color[v] = v;
  assert_int_equal(prism_kernel_lift(a, kernel_color, x.remaining, color, &colors), PRISM_OK);
  assert_int_equal(prism_kernel_lift(b, kernel_color, x.remaining, again, &colors_again),
                   PRISM_OK);
  assert_int_equal(colors, colors_again);
  assert_memory_equal(color, again, (size_t)n * sizeof *color);
}

/* A wrong step is noticed, or the kernel serves all the same. */
static void check_wrong_removal(const prism_graph_t *graph, int32_t bound,
                                const prism_kernel_removal_t *removal, int32_t count,
                                prism_rng_t *rng) {
  prism_kernel_removal_t wrong[MAX_N];
  memcpy(wrong, removal, (size_t)count * sizeof *wrong);
  int32_t at = (int32_t)prism_rng_below(rng, (uint32_t)count);
  int32_t value = (int32_t)prism_rng_below(rng, (uint32_t)graph->n + 4) - 3;
  if (prism_rng_below(rng, 2) == 0)
    wrong[at].vertex = value;
  else
    wrong[at].partner = value;
  prism_kernel_t *kernel = NULL;
  prism_status_t status = prism_kernel_restore(graph, bound, wrong, count, &kernel);
  if (status != PRISM_OK) {
    assert_int_equal(status, PRISM_FORMAT);
    assert_null(kernel);
    return;
  }
  int32_t kernel_color[MAX_N], color[MAX_N], colors = 0;
  for (int32_t v = 0; v < prism_kernel_counts(kernel).remaining; ++v) kernel_color[v] = v;
  assert_int_equal(prism_kernel_lift(kernel, kernel_color, prism_kernel_counts(kernel).remaining,
                                     color, &colors), PRISM_OK);
  assert_true(oracle_legal(graph, color, colors));
  prism_kernel_destroy(&kernel);
}

static void test_restored_kernels(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 4, 0, PRISM_RNG_TEST);
  int removed = 0;
  for (int round = 0; round < 600; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, MAX_N), lower_bound = -1, count = -1;
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    int32_t bound = (int32_t)prism_rng_below(&rng, 6);
    prism_kernel_t *kernel = NULL, *again = NULL;
    const prism_kernel_removal_t *removal = NULL;
    assert_int_equal(prism_kernel_create(graph, bound, 1000000, &kernel), PRISM_OK);
    prism_kernel_removals(kernel, &lower_bound, &removal, &count);
    assert_int_equal(lower_bound, bound);
    assert_int_equal(count, n - prism_kernel_counts(kernel).remaining);
    assert_int_equal(prism_kernel_restore(graph, bound, removal, count, &again), PRISM_OK);
    assert_same_kernel(kernel, again, n);
    for (int i = 0; i < 5 && count > 0; ++i)
      check_wrong_removal(graph, bound, removal, count, &rng);
    removed += count;
    prism_kernel_destroy(&again);
    assert_int_equal(prism_kernel_restore(graph, bound, removal, n + 1, &again), PRISM_FORMAT);
    prism_kernel_destroy(&kernel);
    prism_graph_destroy(&graph);
  }
  assert_true(removed > 600);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_chromatic_number),
      cmocka_unit_test(test_nothing_left_to_reduce),
      cmocka_unit_test(test_views),
      cmocka_unit_test(test_larger_lifts),
      cmocka_unit_test(test_restored_kernels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
