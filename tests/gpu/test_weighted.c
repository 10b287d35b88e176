/* Edge-weighted TabuCol on the device against the host: counts, moves, weights. */
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

static const uint64_t seed = 20261215;

/* Symmetric weights for the arcs, with no vertex above `most` in sum; the smallest is about
 * 1 - 1/spread of the largest. */
static int32_t *draw_weights(prism_rng_t *rng, const prism_graph_t *graph, int32_t most,
                             int32_t spread) {
  int32_t degree = prism_graph_max_degree(graph), *weight = NULL;
  const int32_t top = degree > 0 ? most / degree : 1, range = (top + spread - 1) / spread;
  must(PRISM_ALLOC(2 * graph->m + 1, &weight));
  for (int32_t v = 0; v < graph->n; ++v)
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
      const int32_t u = graph->neighbor[e];
      if (u > v) weight[e] = top - (int32_t)prism_rng_below(rng, (uint32_t)range);
      for (int64_t back = graph->offset[u]; u < v && back < graph->offset[u + 1]; ++back)
        if (graph->neighbor[back] == v) weight[e] = weight[back];
    }
  return weight;
}

static void give_weights(trial_t *trial, const int32_t *weight) {
  trial->edge_weight =
      device_copy(weight, (size_t)(2 * trial->graph->m + 1) * sizeof *weight);
}

/* Weights of a member after a run: symmetric, at least `low`, sums that fit. Returns their
 * sum. */
static int64_t check_weights(const trial_t *t, int32_t member, const int32_t *low) {
  const prism_graph_t *graph = t->graph;
  const int64_t arcs = graph->offset[graph->n];
  int32_t *device = device_bytes((size_t)(arcs + 1) * sizeof *device), *weight = NULL;
  int64_t total = 0;
  must(PRISM_ALLOC(arcs + 1, &weight));
  must(prism_launch_read_weights(
      &t->device, t->weight + (size_t)member * prism_weighted_cells(graph->n), device, NULL));
  host_ints(device, weight, (int32_t)arcs);
  for (int32_t v = 0; v < graph->n; ++v) {
    int64_t sum = 0;
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
      const int32_t u = graph->neighbor[e];
      assert_true(weight[e] >= (low != NULL ? low[e] : 1));
      for (int64_t back = graph->offset[u]; back < graph->offset[u + 1]; ++back)
        if (graph->neighbor[back] == v) assert_int_equal(weight[back], weight[e]);
      sum += weight[e];
    }
    assert_true(sum <= 32767);
    total += sum;
  }
  prism_free(weight);
  must_cuda(cudaFree(device));
  return total;
}

static void counts_are_those_of_the_host(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int round = gpu_repeats(40, 10); round > 0; --round) {
    int32_t k = 0, spread = 0;
    prism_graph_t *graph = trial_draw(&rng, round, &k, &spread);
    const int32_t shape[3] = {0, 1 << prism_rng_below(&rng, 3), 0};
    trial_t trial;
    trial_open(&trial, graph, k, 3, true, shape, spread, &rng);
    int32_t *weight = draw_weights(&rng, graph, 2000, 1);
    if (round % 2 == 0) give_weights(&trial, weight);
    static const int64_t lengths[] = {0, 1, 2, 63, 200, 500};
    for (int i = 0; i < 6; ++i) {
      trial_run(&trial, lengths[i], i != 4); /* once with what was learned before */
      trial_check(&trial);
      for (int32_t m = 0; m < 3; ++m)
        check_weights(&trial, m, round % 2 == 0 ? weight : NULL);
    }
    prism_free(weight);
    trial_close(&trial);
    prism_graph_destroy(&graph);
  }
}

static void counts_of_large_searches(void **state) {
  (void)state;
  static const struct {
    int32_t n, k, cluster;
    double p;
  } fixed[] = {{600, 250, 2, 0.9}, {1000, 83, 1, 0.5}, {1000, 234, 3, 0.5}, {3001, 20, 1, 0.01}};
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int i = 0; i < gpu_repeats(4, 1); ++i) {
    prism_graph_t *graph = gnp(fixed[i].n, fixed[i].p, (uint64_t)i);
    const int32_t shape[3] = {0, 0, 0};
    trial_t trial;
    trial_open(&trial, graph, fixed[i].k, 2, true, shape, fixed[i].k, &rng);
    assert_int_equal(trial.plan.cluster, fixed[i].cluster);
    trial_run(&trial, gpu_repeats(300, 40), true);
    trial_check(&trial);
    trial_run(&trial, gpu_repeats(300, 40), false);
    trial_check(&trial);
    trial_close(&trial);
    prism_graph_destroy(&graph);
  }
}

static void planted_graphs_are_solved(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  trial_planted(&rng, true, 0, 1); /* weights may lead astray for long */
}

/* Walks with some hooks: 1 frozen, 2 scores, 4 counters; and weights to begin with. */
static void walk(prism_rng_t *rng, int32_t n, int32_t cluster, int hooks, int32_t most,
                 int32_t spread, int32_t steps, walk_t *w) {
  prism_graph_t *graph = oracle_random_graph(rng, n, oracle_density(rng));
  const int32_t k = 2 + (int32_t)prism_rng_below(rng, 4), shape[3] = {64, 1, 0};
  trial_t trial;
  trial_open(&trial, graph, k, 1, true, shape, k, rng);
  trial.plan.cluster = cluster;
  int32_t *weight = most > 0 ? draw_weights(rng, graph, most, spread) : NULL;
  if (weight != NULL) give_weights(&trial, weight);
  walk_open(w, &trial, weight);
  walk_hooks(w, rng, hooks);
  walk_follow(w, steps);
  prism_free(weight);
  trial_close(&trial);
  prism_graph_destroy(&graph);
}

static void moves_and_weights_are_the_right_ones(void **state) {
  (void)state;
  static walk_t w;
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  int32_t raises = 0, moves = 0;
  for (int round = 0; round < gpu_repeats(24, 8); ++round) {
    walk(&rng, 5 + (int32_t)prism_rng_below(&rng, 26), 1, round % 8, round % 3 == 0 ? 0 : 500,
         1, gpu_repeats(60, 20), &w);
    raises += w.raises;
    moves += w.moves;
  }
  for (int round = 0; round < gpu_repeats(8, 2); ++round) {
    walk(&rng, 40 + (int32_t)prism_rng_below(&rng, 24), 2, round % 8, 500, 1, 30, &w);
    walk(&rng, 100 + (int32_t)prism_rng_below(&rng, 28), 4, round % 8, 0, 1, 30, &w);
  }
  print_message("%d moves, weights raised %d times\n", moves, raises);
  assert_true(raises > 0 && moves > raises);
}

/* Weights whose sums are about to outgrow a count are halved, and the search goes on. */
static void weights_are_halved(void **state) {
  (void)state;
  static walk_t w;
  prism_rng_t rng = prism_rng_stream(seed, 4, 0, PRISM_RNG_TEST);
  int32_t halvings = 0;
  for (int round = 0; round < gpu_repeats(12, 4); ++round) {
    walk(&rng, 20 + (int32_t)prism_rng_below(&rng, 11), 1, round % 8, 32450, 32,
         gpu_repeats(40, 30), &w);
    halvings += w.halvings;
  }
  for (int round = 0; round < gpu_repeats(4, 1); ++round) {
    walk(&rng, 50, 2, round % 8, 32450, 32, 30, &w);
    halvings += w.halvings;
  }
  assert_true(halvings > 0);
}

/* A single class of a dense graph: sums grow by hundreds an iteration. */
static void halving_keeps_up(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 5, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, 250, 0.95);
  for (int32_t k = 1; k <= 2; ++k) {
    const int32_t shape[3] = {0, 0, 0};
    trial_t trial;
    trial_open(&trial, graph, k, 2, true, shape, k, &rng);
    trial_run(&trial, gpu_repeats(600, 200), true);
    trial_check(&trial);
    check_weights(&trial, 0, NULL);
    check_weights(&trial, 1, NULL);
    trial_close(&trial);
  }
  prism_graph_destroy(&graph);
}

static void learned_weights_last(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 6, 0, PRISM_RNG_TEST);
  trial_t trial;
  prism_graph_t *graph = trial_open_random(&trial, 90, 0.6, 8, 2, true, &rng);
  int64_t before = 2 * graph->m;
  for (int run = 0; run < 3; ++run) {
    trial_run(&trial, 300, run == 0);
    trial_check(&trial);
    int64_t after = check_weights(&trial, 1, NULL);
    assert_true(after > before);
    before = after;
  }
  trial_close(&trial);
  prism_graph_destroy(&graph);
}

static int64_t weights_of_the_first(const trial_t *t) { return check_weights(t, 0, NULL); }

static void the_same_seed_gives_the_same_result(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 7, 0, PRISM_RNG_TEST);
  trial_repeat(&rng, true, 1500, weights_of_the_first);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 8, 0, PRISM_RNG_TEST);
  trial_t trial;
  prism_graph_t *graph = trial_open_random(&trial, 50, 0.5, 5, 1, true, &rng);
  prism_weighted_job_t job = {trial.job, NULL};
  assert_int_equal(prism_launch_weighted(&trial.plan, &trial.device, &job, NULL), PRISM_INVALID);
  job.weight = trial.weight;
  job.search.last.color = NULL;
  assert_int_equal(prism_launch_weighted(&trial.plan, &trial.device, &job, NULL), PRISM_INVALID);
  prism_gpu_graph_t crowded = trial.device;
  crowded.max_degree = 10001;
  assert_int_equal(prism_weighted_plan(&crowded, 5, 0, 0, &trial.plan), PRISM_UNSUPPORTED);
  trial_close(&trial);
  prism_graph_destroy(&graph);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_those_of_the_host),
      cmocka_unit_test(counts_of_large_searches),
      cmocka_unit_test(planted_graphs_are_solved),
      cmocka_unit_test(moves_and_weights_are_the_right_ones),
      cmocka_unit_test(weights_are_halved),
      cmocka_unit_test(halving_keeps_up),
      cmocka_unit_test(learned_weights_last),
      cmocka_unit_test(the_same_seed_gives_the_same_result),
      cmocka_unit_test(what_cannot_be_is_refused),
  };
  return gpu_run(tests);
}
