/* TabuCol on the device against the host: counts, moves, hooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/graph_fixture.h"
#include "gpu/walk_fixture.h"
#include "oracle.h"

static const uint64_t seed = 20261214;

static void counts_are_those_of_the_host(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int round = gpu_repeats(60, 12); round > 0; --round) {
    int32_t k = 0, spread = 0;
    prism_graph_t *graph = trial_draw(&rng, round, &k, &spread);
    int32_t words = 1 << prism_rng_below(&rng, 3);
    static const int32_t bits[] = {6, 8, 16};
    const int32_t shape[3] = {0, words, bits[prism_rng_below(&rng, 3)]};
    trial_t trial;
    trial_open(&trial, graph, k, 3, false, shape, spread, &rng);
    static const int64_t lengths[] = {0, 1, 2, 63, 200, 700};
    for (int i = 0; i < 6; ++i) {
      trial_run(&trial, lengths[i], true);
      if (device_int(trial.job.outgrown) == 0) trial_check(&trial);
    }
    trial_close(&trial);
    prism_graph_destroy(&graph);
  }
}

/* Clusters of blocks, more than 256 colours, more conflicts than lanes, a last word of 6-bit
 * cells that reaches past the row of bits, or into the vertices of the next block. */
static void counts_of_large_searches(void **state) {
  (void)state;
  static const struct {
    int32_t n, k, cells, cluster;
    double p;
  } fixed[] = {{600, 400, 16, 3, 0.9}, {1000, 300, 8, 2, 0.8},   {2000, 404, 6, 3, 0.9},
               {1000, 83, 6, 1, 0.5},  {512, 40, 6, 1, 0.5},     {1000, 83, 8, 1, 0.5},
               {2000, 800, 8, 8, 0.5}, {1024, 80, 6, 1, 0.5},    {5000, 6, 16, 1, 0.001},
               {3001, 20, 8, 1, 0.01}};
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int i = 0; i < gpu_repeats(10, 4); ++i) {
    prism_graph_t *graph = gnp(fixed[i].n, fixed[i].p, (uint64_t)i);
    const int32_t shape[3] = {0, 0, fixed[i].cells};
    trial_t trial;
    trial_open(&trial, graph, fixed[i].k, 2, false, shape, fixed[i].k, &rng);
    assert_int_equal(trial.plan.cluster, fixed[i].cluster);
    trial_run(&trial, gpu_repeats(300, 40), true);
    trial_check(&trial);
    trial_close(&trial);
    prism_graph_destroy(&graph);
  }
}

static void planted_graphs_are_solved(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  trial_planted(&rng, false, 8, 3);
}

/* Walks with some hooks: 1 frozen, 2 scores, 4 counters. */
static void walk(prism_rng_t *rng, int32_t n, int32_t cluster, int hooks, int32_t steps) {
  static walk_t w;
  prism_graph_t *graph = oracle_random_graph(rng, n, oracle_density(rng));
  const bool narrow = cluster == 3; /* small classes, for cells of 6 bits */
  const int32_t k = (narrow ? 12 : 2) + (int32_t)prism_rng_below(rng, 4);
  const int32_t shape[3] = {64, 1, narrow ? 6 : prism_rng_below(rng, 2) != 0 ? 8 : 16};
  trial_t trial;
  trial_open(&trial, graph, k, 1, false, shape, k, rng);
  trial.plan.cluster = cluster;
  walk_open(&w, &trial, NULL);
  walk_hooks(&w, rng, hooks);
  walk_follow(&w, steps);
  trial_close(&trial);
  prism_graph_destroy(&graph);
}

static void moves_are_the_best_ones(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  for (int round = 0; round < gpu_repeats(24, 8); ++round)
    walk(&rng, 5 + (int32_t)prism_rng_below(&rng, 26), 1, round % 8, gpu_repeats(50, 20));
  for (int round = 0; round < gpu_repeats(8, 2); ++round) {
    walk(&rng, 40 + (int32_t)prism_rng_below(&rng, 24), 2, round % 8, 30);
    walk(&rng, 70 + (int32_t)prism_rng_below(&rng, 26), 3, round % 8, 30);
    walk(&rng, 100 + (int32_t)prism_rng_below(&rng, 28), 4, round % 8, 30);
  }
}

/* Nobody goes back while the pair is tabu, unless it leads below the best. */
static void tabus_hold(void **state) {
  (void)state;
  enum { N = 40, K = 5, TENURE = 60, STEPS = 150 };
  prism_rng_t rng = prism_rng_stream(seed, 4, 0, PRISM_RNG_TEST);
  int32_t aspired = 0, returned = 0;
  for (int round = 0; round < gpu_repeats(6, 2); ++round) {
    trial_t trial;
    prism_graph_t *graph = trial_open_random(&trial, N, 0.6, K, 1, false, &rng);
    trial.job.tenure_base = 3.0f;
    trial.job.tenure_slope = (float)(TENURE / (2 + round)); /* some vertices are in conflict */
    int32_t color[N], next[N], left[N][K], best_f = trial.start_f[0];
    for (int32_t v = 0; v < N; ++v)
      for (int32_t c = 0; c < K; ++c) left[v][c] = -STEPS;
    pool_get(&trial.job.start, 0, color);
    for (int32_t step = 1; step <= gpu_repeats(STEPS, 30) && best_f > 0; ++step) {
      trial_run(&trial, step, true);
      int32_t f = trial_colors(&trial, &trial.job.last, 0, next);
      for (int32_t v = 0; v < N; ++v) {
        if (next[v] == color[v]) continue;
        bool tabu = step - left[v][next[v]] <= TENURE / (2 + round);
        assert_true(!tabu || f < best_f);
        aspired += tabu;
        returned += left[v][next[v]] >= 0;
        left[v][color[v]] = step;
      }
      memcpy(color, next, sizeof color);
      if (f < best_f) best_f = f;
    }
    trial_close(&trial);
    prism_graph_destroy(&graph);
  }
  print_message("%d moves back, %d against a tabu\n", returned, aspired);
}

static void the_same_seed_gives_the_same_result(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 5, 0, PRISM_RNG_TEST);
  trial_repeat(&rng, false, 2000, NULL);
}

/* A star whose rays fill the classes: u8 cells give up, u16 cells solve it. */
static void outgrown_cells_are_told(void **state) {
  (void)state;
  enum { RAYS = 300, N = RAYS + 1, K = 3 };
  int32_t pairs[2 * RAYS], color[N];
  for (int32_t i = 0; i < RAYS; ++i) {
    pairs[2 * i] = 0;
    pairs[2 * i + 1] = i + 1;
  }
  prism_graph_t *graph = NULL;
  must(prism_graph_from_edges(N, pairs, RAYS, NULL, &graph));
  prism_rng_t rng = prism_rng_stream(seed, 6, 0, PRISM_RNG_TEST);
  for (int32_t variant = 0; variant < 4; ++variant) {
    const int32_t shape[3] = {0, 0, 8 << variant / 2};
    trial_t trial;
    trial_open(&trial, graph, K, 1, false, shape, K, &rng);
    /* 0: full from the start; 1: full once the centre and one more have moved */
    for (int32_t v = 0; v < N; ++v)
      color[v] = variant % 2 == 0 ? (v < 140 ? 0 : 1) : v < 125 ? 0 : v < 250 ? 1 : 2;
    pool_put(&trial.job.start, 0, color);
    trial.start_f[0] = (int32_t)prism_coloring_conflicts(graph, color);
    trial_run(&trial, 1000, true);
    assert_int_equal(device_int(trial.job.outgrown), variant < 2);
    if (variant == 1) {
      trial_colors(&trial, &trial.job.best, 0, color);
      assert_true(device_int(trial.job.best.f) < trial.start_f[0]);
    }
    if (variant >= 2) assert_int_equal(trial_check(&trial), 1);
    trial_close(&trial);
  }
  prism_graph_destroy(&graph);
}

static void a_stop_ends_the_search(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 7, 0, PRISM_RNG_TEST);
  trial_t trial;
  prism_graph_t *graph = trial_open_random(&trial, 120, 0.9, 5, 2, false, &rng);
  uint32_t stop = 1;
  trial.job.stop = device_copy(&stop, sizeof stop);
  trial_run(&trial, 1000000, true);
  assert_in_range(trial_moves(&trial), 1, 2 * 64);
  int32_t color[120];
  trial_colors(&trial, &trial.job.last, 1, color);
  must_cuda(cudaFree((void *)(uintptr_t)trial.job.stop));
  trial_close(&trial);
  prism_graph_destroy(&graph);
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 8, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, 100, 0.5);
  prism_gpu_graph_t device;
  prism_tabucol_plan_t plan;
  must(prism_device_graph_create(graph, &device));
  assert_int_equal(prism_tabucol_plan(&device, 1025, 0, 0, 0, &plan), PRISM_UNSUPPORTED);
  prism_gpu_graph_t lists = device;
  lists.row = NULL;
  assert_int_equal(prism_tabucol_plan(&lists, 10, 0, 0, 0, &plan), PRISM_UNSUPPORTED);
  lists = device;
  lists.n = 60000;
  assert_int_equal(prism_tabucol_plan(&lists, 1000, 0, 0, 0, &plan), PRISM_UNSUPPORTED);
  prism_device_graph_destroy(&device);
  prism_graph_destroy(&graph);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_those_of_the_host),
      cmocka_unit_test(counts_of_large_searches),
      cmocka_unit_test(planted_graphs_are_solved),
      cmocka_unit_test(moves_are_the_best_ones),
      cmocka_unit_test(tabus_hold),
      cmocka_unit_test(the_same_seed_gives_the_same_result),
      cmocka_unit_test(outgrown_cells_are_told),
      cmocka_unit_test(a_stop_ends_the_search),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return gpu_run(tests);
}
