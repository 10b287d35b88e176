/* Bounds, kernel and first coloring before the search, against brute force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/generate.h"
#include "model/verify.h"
#include "oracle.h"
#include "solve/prepare.h"

static const uint64_t seed = 20261208;

enum { MAX_N = 120, STRATEGIES = 6 };

static void check_prepared(const prism_graph_t *graph, const prism_prepared_t *prepared) {
  assert_true(prepared->colors >= 1 && prepared->colors >= prepared->lower_bound);
  assert_true(oracle_legal(graph, prepared->color, prepared->colors));
  bool used[MAX_N] = {false};
  for (int32_t v = 0; v < graph->n; ++v) used[prepared->color[v]] = true;
  for (int32_t c = 0; c < prepared->colors; ++c) assert_true(used[c]); /* compact */
  assert_true(prism_verify_clique(graph, prepared->clique, prepared->clique_size));
  assert_true(prepared->exact ? prepared->lower_bound > prepared->clique_size
                              : prepared->lower_bound == prepared->clique_size);
}

/* The kernel as rank 0 of one shares it. */
static void check_shared(const prism_graph_t *graph, const prism_prepared_t *prepared) {
  prism_comm_t comm = {0};
  prism_shared_t shared;
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  assert_int_equal(prism_share(&comm, graph, prepared, &shared), PRISM_OK);
  assert_ptr_equal(shared.graph, prism_kernel_graph(prepared->kernel));
  assert_null(shared.owned);
  assert_int_equal(shared.universal, prism_kernel_universal(prepared->kernel));
  assert_int_equal(shared.lower_bound, prepared->lower_bound - shared.universal);
  if (shared.graph != NULL) {
    assert_true(oracle_legal(shared.graph, shared.color, shared.colors));
    assert_true(shared.colors + shared.universal <= prepared->colors);
    double part = (double)shared.graph->n / (double)graph->n;
    assert_true(shared.compaction > part - 1e-9 && shared.compaction < part + 1e-9);
  }
  prism_shared_release(&shared);
  prism_shared_release(&shared); /* without harm */
  prism_comm_destroy(&comm);
}

static void small_graphs_are_settled(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  prism_params_t params;
  for (int round = 0; round < 500; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 11), color[16];
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    int32_t chromatic = oracle_chromatic(graph, color);
    prism_params_default(&params);
    params.reduction.enabled = round % 3 != 0;
    params.run.deterministic = round % 2 == 0;
    prism_prepared_t prepared;
    assert_int_equal(prism_prepare(graph, &params, (uint64_t)round, NULL, 0, 0.0, NULL, &prepared),
                     PRISM_OK);
    check_prepared(graph, &prepared);
    check_shared(graph, &prepared);
    assert_int_equal(prepared.colors, chromatic);
    assert_int_equal(prepared.lower_bound, chromatic);
    prism_prepared_release(&prepared);
    params.reduction.exact_vertices = 0; /* bounds alone enclose the truth */
    params.initial.strategy = round % STRATEGIES;
    assert_int_equal(prism_prepare(graph, &params, (uint64_t)round, NULL, 0, 0.0, NULL, &prepared),
                     PRISM_OK);
    check_prepared(graph, &prepared);
    check_shared(graph, &prepared);
    assert_false(prepared.exact);
    assert_in_range(chromatic, prepared.lower_bound, prepared.colors);
    prism_prepared_release(&prepared);
    prism_graph_destroy(&graph);
  }
}

static void larger_graphs_are_enclosed(void **state) {
  (void)state;
  prism_params_t params;
  for (int round = 0; round < 24; ++round) {
    prism_generated_t made = {0};
    int32_t planted = 3 + round % 5;
    assert_int_equal(prism_generate_planted(MAX_N, planted, 0.15 + 0.1 * (round % 8), round % 2,
                                            seed + (uint64_t)round, &made), PRISM_OK);
    prism_params_default(&params);
    params.reduction.enabled = round % 2 == 0;
    params.reduction.clique_seconds = 0.02;
    params.initial.strategy = round % STRATEGIES;
    prism_prepared_t prepared;
    assert_int_equal(prism_prepare(made.graph, &params, 1, NULL, 0, 0.0, NULL, &prepared),
                     PRISM_OK);
    check_prepared(made.graph, &prepared);
    check_shared(made.graph, &prepared);
    assert_true(prepared.lower_bound <= planted);
    prism_prepared_release(&prepared);
    prism_graph_destroy(&made.graph);
  }
}

static void a_given_coloring_counts(void **state) {
  (void)state;
  enum { PLANTED = 6 };
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_planted(MAX_N, PLANTED, 0.6, 0, seed, &made), PRISM_OK);
  prism_params_t params;
  prism_params_default(&params);
  params.reduction.clique_seconds = 0.02;
  prism_prepared_t plain, warm;
  assert_int_equal(prism_prepare(made.graph, &params, 1, NULL, 0, 0.0, NULL, &plain), PRISM_OK);
  /* One with gaps in its colors, as good as the best: nothing is lost. */
  int32_t initial[MAX_N];
  for (int32_t v = 0; v < MAX_N; ++v) initial[v] = 5 + 3 * plain.color[v];
  params.initial.strategy = 1; /* natural order, which is worse */
  assert_int_equal(prism_prepare(made.graph, &params, 1, initial, 0, 0.0, NULL, &warm), PRISM_OK);
  check_prepared(made.graph, &warm);
  assert_true(warm.colors <= plain.colors);
  prism_prepared_release(&warm);
  prism_prepared_release(&plain);
  prism_graph_destroy(&made.graph);
}

static void a_stop_still_leaves_a_coloring(void **state) {
  (void)state;
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(MAX_N, 0.5, seed, &made), PRISM_OK);
  for (int32_t strategy = 0; strategy < STRATEGIES; ++strategy) {
    prism_params_t params;
    prism_params_default(&params);
    params.reduction.clique_seconds = 0.02;
    params.initial.strategy = strategy;
    atomic_int stop = 1;
    prism_prepared_t prepared;
    assert_int_equal(prism_prepare(made.graph, &params, 1, NULL, 0, 0.0, &stop, &prepared),
                     PRISM_OK);
    check_prepared(made.graph, &prepared);
    prism_prepared_release(&prepared);
  }
  prism_graph_destroy(&made.graph);
}

static void deterministic_preparation_repeats(void **state) {
  (void)state;
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(MAX_N, 0.4, seed + 3, &made), PRISM_OK);
  prism_params_t params;
  prism_params_default(&params);
  params.run.deterministic = true;
  prism_prepared_t a, b;
  assert_int_equal(prism_prepare(made.graph, &params, 9, NULL, 0, 0.0, NULL, &a), PRISM_OK);
  assert_int_equal(prism_prepare(made.graph, &params, 9, NULL, 0, 0.0, NULL, &b), PRISM_OK);
  check_prepared(made.graph, &a);
  assert_int_equal(a.colors, b.colors);
  assert_int_equal(a.lower_bound, b.lower_bound);
  assert_int_equal(a.clique_size, b.clique_size);
  assert_memory_equal(a.color, b.color, sizeof(int32_t) * MAX_N);
  assert_memory_equal(a.clique, b.clique, sizeof(int32_t) * (size_t)a.clique_size);
  prism_prepared_release(&a);
  prism_prepared_release(&b);
  prism_prepared_release(&b); /* without harm */
  prism_graph_destroy(&made.graph);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(small_graphs_are_settled),
      cmocka_unit_test(larger_graphs_are_enclosed),
      cmocka_unit_test(a_given_coloring_counts),
      cmocka_unit_test(a_stop_still_leaves_a_coloring),
      cmocka_unit_test(deterministic_preparation_repeats),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
