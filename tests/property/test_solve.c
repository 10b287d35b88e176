/* The whole solver in one process: right answers on graphs whose answer is known,
 * ends for the right reason, the same result again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/generate.h"
#include "model/verify.h"
#include "oracle.h"
#include "search/engine_cpu.h"
#include "solve/solve.h"

static const uint64_t seed = 20261209;

typedef struct solver {
  prism_params_t params;
  uint64_t seed;
  int32_t islands;
  const int32_t *initial;
  const atomic_int *interrupt;
  void (*progress)(void *user, const prism_progress_t *progress);
  void *user;
} solver_t;

static solver_t solver_of(int32_t islands) {
  solver_t solver = {.seed = 5, .islands = islands};
  prism_params_default(&solver.params);
  solver.params.reduction.clique_seconds = 0.02;
  solver.params.run.time_limit = 60.0;
  return solver;
}

/* Solve and check what always holds; the caller releases the result. */
static prism_result_t run(const solver_t *solver, const prism_graph_t *graph) {
  prism_comm_t comm = {0};
  prism_engine_part_t part = {prism_cpu_backend(&solver->params.cpu), solver->islands};
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  prism_solve_config_t config = {.graph = graph,
                                 .params = &solver->params,
                                 .seed = solver->seed,
                                 .initial = solver->initial,
                                 .comm = &comm,
                                 .part = &part, .parts = 1,
                                 .start_time = prism_clock_now(),
                                 .interrupt = solver->interrupt,
                                 .progress = solver->progress,
                                 .user = solver->user};
  prism_result_t result;
  assert_int_equal(prism_solve(&config, &result), PRISM_OK);
  prism_comm_destroy(&comm);
  prism_verdict_t verdict;
  assert_int_equal(prism_verify(graph, result.color, &verdict), PRISM_OK);
  assert_true(verdict.legal);
  assert_int_equal(verdict.colors, result.colors);
  assert_true(oracle_legal(graph, result.color, result.colors));
  assert_true(result.lower_bound >= 1 && result.lower_bound <= result.colors);
  assert_int_equal(result.optimal, result.lower_bound == result.colors);
  assert_true(result.clique_size <= result.lower_bound);
  if (result.clique != NULL)
    assert_true(prism_verify_clique(graph, result.clique, result.clique_size));
  int64_t wanted = solver->params.run.k > 0 ? solver->params.run.k : solver->params.run.target;
  assert_int_equal(result.target, wanted);
  assert_int_equal(result.target_met, wanted > 0 && result.colors <= wanted);
  assert_int_equal(result.reason == PRISM_EXIT_INFEASIBLE,
                   wanted > 0 && wanted < result.lower_bound);
  assert_true(result.reason != PRISM_EXIT_ERROR);
  assert_true(result.time_to_best >= 0.0 && result.time >= result.time_to_best);
  assert_true(result.iterations >= 0);
  return result;
}

static void expect_optimal(const solver_t *solver, const prism_graph_t *graph, int32_t chromatic) {
  prism_result_t result = run(solver, graph);
  assert_int_equal(result.colors, chromatic);
  assert_true(result.optimal);
  assert_int_equal(result.reason, PRISM_EXIT_OPTIMAL);
  prism_result_release(&result);
  prism_result_release(&result); /* without harm */
}

/* ---- known answers ---- */

static void small_graphs_are_solved(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  solver_t solver = solver_of(2);
  for (int round = 0; round < 400; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 8), color[8];
    double p = round % 10 == 0 ? 0.0 : round % 10 == 1 ? 1.0 : oracle_density(&rng);
    prism_graph_t *graph = oracle_random_graph(&rng, n, p);
    solver.params.reduction.enabled = round % 2 == 0;
    expect_optimal(&solver, graph, oracle_chromatic(graph, color));
    prism_graph_destroy(&graph);
  }
}

/* The same without the exact solver: the search itself has to get there, and stays
 * truthful where there is nothing to find. */
static void small_graphs_are_searched(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 150; ++round) {
    solver_t solver = solver_of(1 + round % 2);
    solver.params.reduction.exact_vertices = 0;
    solver.params.reduction.enabled = round % 3 == 0;
    solver.params.initial.strategy = 1; /* natural order: leaves something to do */
    int32_t n = 5 + (int32_t)prism_rng_below(&rng, 5), color[10];
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    int32_t chromatic = oracle_chromatic(graph, color);
    solver.params.run.k = chromatic;
    prism_result_t result = run(&solver, graph);
    assert_int_equal(result.colors, chromatic);
    assert_true(result.target_met);
    prism_result_release(&result);
    if (chromatic > 1) { /* one color less does not exist */
      solver.params.run.k = chromatic - 1;
      solver.params.run.max_iterations = 300;
      result = run(&solver, graph);
      assert_true(result.colors >= chromatic);
      assert_false(result.target_met);
      assert_true(result.reason == PRISM_EXIT_INFEASIBLE ||
                  result.reason == PRISM_EXIT_ITERATIONS || result.reason == PRISM_EXIT_OPTIMAL);
      prism_result_release(&result);
    }
    prism_graph_destroy(&graph);
  }
}

static void families_are_solved(void **state) {
  (void)state;
  solver_t solver = solver_of(2);
  prism_generated_t made[12] = {{0}};
  int count = 0;
  for (int32_t level = 3; level <= 6; ++level) /* myciel2 to myciel5 */
    assert_int_equal(prism_generate_mycielski(level, &made[count++]), PRISM_OK);
  assert_int_equal(prism_generate_rook(5, 7, &made[count++]), PRISM_OK);
  assert_int_equal(prism_generate_mesh27(4, 4, 4, &made[count++]), PRISM_OK);
  assert_int_equal(prism_generate_gnp(40, 0.0, 1, &made[count++]), PRISM_OK);
  assert_int_equal(prism_generate_gnp(40, 1.0, 1, &made[count++]), PRISM_OK);
  for (int i = 0; i < count; ++i) {
    assert_true(made[i].known_is_exact);
    expect_optimal(&solver, made[i].graph, made[i].known_colors);
    prism_graph_destroy(&made[i].graph);
  }
  prism_generated_t queen = {0};
  assert_int_equal(prism_generate_queen(5, 5, &queen), PRISM_OK);
  expect_optimal(&solver, queen.graph, 5);
  prism_graph_destroy(&queen.graph);
  assert_int_equal(prism_generate_queen(7, 7, &queen), PRISM_OK);
  expect_optimal(&solver, queen.graph, 7);
  prism_graph_destroy(&queen.graph);
}

/* Parts that have nothing to do with each other need as many colors as the worst. */
static void apart_is_the_maximum(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  solver_t solver = solver_of(1);
  for (int round = 0; round < 60; ++round) {
    int32_t pairs[2 * 3 * 28], color[8], edges = 0, base = 0, worst = 0;
    for (int part = 0; part < 3; ++part) {
      int32_t n = 1 + (int32_t)prism_rng_below(&rng, 8);
      prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
      int32_t chromatic = oracle_chromatic(graph, color);
      worst = chromatic > worst ? chromatic : worst;
      for (int32_t v = 0; v < n; ++v)
        for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
          if (graph->neighbor[e] > v) continue;
          pairs[2 * edges] = base + v;
          pairs[2 * edges++ + 1] = base + graph->neighbor[e];
        }
      base += n;
      prism_graph_destroy(&graph);
    }
    prism_graph_t *all = NULL;
    assert_int_equal(prism_graph_from_edges(base, pairs, edges, NULL, &all), PRISM_OK);
    expect_optimal(&solver, all, worst);
    prism_graph_destroy(&all);
  }
}

static void every_method_finds_the_planted(void **state) {
  (void)state;
  enum { PLANTED = 7 };
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_planted(140, PLANTED, 0.7, 0, seed, &made), PRISM_OK);
  for (int32_t method = 0; method <= PRISM_METHOD_COUNT; ++method) { /* 0: the portfolio */
    for (int goal = 0; goal < 2; ++goal) {
      solver_t solver = solver_of(2);
      solver.params.memetic.method = method;
      solver.params.initial.strategy = 1;
      solver.params.reduction.exact_vertices = 0;
      *(goal == 0 ? &solver.params.run.k : &solver.params.run.target) = PLANTED;
      prism_result_t result = run(&solver, made.graph);
      assert_true(result.target_met);
      assert_true(result.reason == PRISM_EXIT_TARGET || result.reason == PRISM_EXIT_OPTIMAL);
      prism_result_release(&result);
    }
  }
  prism_graph_destroy(&made.graph);
}

static void names_do_not_matter(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 40; ++round) {
    enum { MAX = 40 };
    int32_t n = 2 + (int32_t)prism_rng_below(&rng, MAX - 1), name[MAX];
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng)), *other = NULL;
    int32_t *pairs = NULL, edges = 0;
    assert_int_equal(PRISM_ALLOC(2 * graph->m, &pairs), PRISM_OK);
    for (int32_t v = 0; v < n; ++v) name[v] = v;
    for (int32_t v = n - 1; v > 0; --v) {
      int32_t u = (int32_t)prism_rng_below(&rng, (uint32_t)v + 1), t = name[v];
      name[v] = name[u];
      name[u] = t;
    }
    for (int32_t v = 0; v < n; ++v)
      for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
        if (graph->neighbor[e] > v) continue;
        pairs[2 * edges] = name[v];
        pairs[2 * edges++ + 1] = name[graph->neighbor[e]];
      }
    assert_int_equal(prism_graph_from_edges(n, pairs, edges, NULL, &other), PRISM_OK);
    prism_free(pairs);
    solver_t solver = solver_of(1);
    solver.params.run.time_limit = 20.0;
    prism_result_t a = run(&solver, graph), b = run(&solver, other);
    assert_true(a.optimal && b.optimal); /* up to 40 vertices are always settled */
    assert_int_equal(a.colors, b.colors);
    prism_result_release(&a);
    prism_result_release(&b);
    prism_graph_destroy(&graph);
    prism_graph_destroy(&other);
  }
}

/* ---- ends ---- */

static void impossible_wishes_are_told(void **state) {
  (void)state;
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_rook(6, 6, &made), PRISM_OK);
  for (int goal = 0; goal < 2; ++goal) {
    solver_t solver = solver_of(1);
    *(goal == 0 ? &solver.params.run.k : &solver.params.run.target) = 4;
    prism_result_t result = run(&solver, made.graph);
    assert_int_equal(result.reason, PRISM_EXIT_INFEASIBLE);
    assert_false(result.target_met);
    prism_result_release(&result);
  }
  prism_graph_destroy(&made.graph);
}

static void a_target_ends_the_run(void **state) {
  (void)state;
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(150, 0.5, seed, &made), PRISM_OK);
  for (int32_t k = 60; k >= 22; k -= 19) { /* 60 is met by any heuristic */
    for (int goal = 0; goal < 2; ++goal) {
      solver_t solver = solver_of(2);
      *(goal == 0 ? &solver.params.run.k : &solver.params.run.target) = k;
      prism_result_t result = run(&solver, made.graph);
      assert_true(result.target_met);
      assert_int_equal(result.reason, PRISM_EXIT_TARGET);
      prism_result_release(&result);
    }
  }
  prism_graph_destroy(&made.graph);
}

static void iterations_are_a_limit(void **state) {
  (void)state;
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(150, 0.5, seed, &made), PRISM_OK);
  static const int64_t limits[] = {1, 1000, 54321};
  for (size_t l = 0; l < sizeof limits / sizeof limits[0]; ++l)
    for (int32_t islands = 1; islands <= 3; islands += 2)
      for (int fixed = 0; fixed < 2; ++fixed) {
        solver_t solver = solver_of(islands);
        solver.params.run.max_iterations = limits[l];
        solver.params.run.deterministic = fixed == 1;
        prism_result_t result = run(&solver, made.graph);
        assert_int_equal(result.reason, PRISM_EXIT_ITERATIONS);
        assert_true(result.iterations >= limits[l]);
        /* Each island does one move at least when the rest is divided. */
        assert_true(result.iterations < limits[l] + islands);
        prism_result_release(&result);
      }
  prism_graph_destroy(&made.graph);
}

static void time_is_a_limit(void **state) {
  (void)state;
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(150, 0.5, seed, &made), PRISM_OK);
  for (int fixed = 0; fixed < 2; ++fixed) {
    solver_t solver = solver_of(2);
    solver.params.run.time_limit = 0.2;
    solver.params.run.deterministic = fixed == 1;
    solver.params.run.k = fixed == 1 ? 12 : 0; /* out of reach */
    prism_result_t result = run(&solver, made.graph);
    assert_int_equal(result.reason, PRISM_EXIT_TIME);
    assert_true(result.time >= 0.2);
    prism_result_release(&result);
  }
  prism_graph_destroy(&made.graph);
}

typedef struct watch {
  atomic_int stop;
  int32_t calls, stop_after, best;
  bool improved_untold;
} watch_t;

static void watch_progress(void *user, const prism_progress_t *progress) {
  watch_t *watch = user;
  assert_true(progress->elapsed >= 0.0);
  assert_true(progress->best_colors <= watch->best);
  if (progress->best_colors < watch->best && watch->calls > 0 && !progress->improved)
    watch->improved_untold = true;
  assert_true(progress->searched_colors < progress->best_colors || progress->best_colors == 1);
  assert_true(progress->lower_bound >= 1 && progress->lower_bound <= progress->best_colors);
  assert_true(progress->conflicts >= -1 && progress->iterations >= 0);
  assert_true(progress->diversity <= 1.0);
  assert_non_null(progress->method);
  watch->best = progress->best_colors;
  if (++watch->calls == watch->stop_after) atomic_store(&watch->stop, 1);
}

static void signals_end_in_order(void **state) {
  (void)state;
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(150, 0.5, seed, &made), PRISM_OK);
  for (int32_t after = 0; after < 6; ++after)
    for (int fixed = 0; fixed < 2; ++fixed) {
      watch_t watch = {.stop_after = after, .best = INT32_MAX};
      atomic_init(&watch.stop, after == 0);
      solver_t solver = solver_of(2);
      solver.interrupt = &watch.stop;
      solver.progress = watch_progress;
      solver.user = &watch;
      solver.params.run.deterministic = fixed == 1;
      solver.params.run.target = fixed == 1 ? 12 : 0;
      prism_result_t result = run(&solver, made.graph);
      assert_int_equal(result.reason, PRISM_EXIT_SIGNAL);
      assert_true(watch.calls >= after);
      assert_false(watch.improved_untold);
      prism_result_release(&result);
    }
  prism_graph_destroy(&made.graph);
}

static void a_warm_start_is_kept(void **state) {
  (void)state;
  enum { N = 140, PLANTED = 7 };
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_planted(N, PLANTED, 0.6, 0, seed, &made), PRISM_OK);
  solver_t solver = solver_of(1);
  solver.params.run.target = PLANTED;
  prism_result_t first = run(&solver, made.graph);
  int32_t initial[N];
  for (int32_t v = 0; v < N; ++v) initial[v] = first.color[v];
  solver = solver_of(1);
  solver.initial = initial;
  solver.params.run.max_iterations = 1;
  solver.params.reduction.exact_vertices = 0;
  prism_result_t second = run(&solver, made.graph);
  assert_true(second.colors <= PLANTED);
  prism_result_release(&first);
  prism_result_release(&second);
  prism_graph_destroy(&made.graph);
}

/* ---- the same again ---- */

static void deterministic_runs_repeat(void **state) {
  (void)state;
  enum { N = 120 };
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(N, 0.5, seed + 1, &made), PRISM_OK);
  for (int32_t islands = 1; islands <= 3; ++islands)
    for (int32_t method = 0; method <= PRISM_METHOD_COUNT; ++method) {
      solver_t solver = solver_of(islands);
      solver.params.run.deterministic = true;
      solver.params.run.max_iterations = 60000;
      solver.params.memetic.method = method;
      solver.params.memetic.generation_iterations = 900;
      solver.params.initial.strategy = 1;
      prism_result_t a = run(&solver, made.graph), b = run(&solver, made.graph);
      assert_int_equal(a.colors, b.colors);
      assert_int_equal(a.lower_bound, b.lower_bound);
      assert_int_equal(a.iterations, b.iterations);
      assert_int_equal(a.reason, b.reason);
      assert_memory_equal(a.color, b.color, N * sizeof *a.color);
      for (int32_t isa = 1; isa <= 3; ++isa) { /* whatever the processor */
        solver.params.cpu.isa = isa;
        if (strcmp(prism_cpu_isa_name(&solver.params.cpu), "none") == 0) continue;
        prism_result_t c = run(&solver, made.graph);
        assert_memory_equal(a.color, c.color, N * sizeof *a.color);
        prism_result_release(&c);
      }
      prism_result_release(&a);
      prism_result_release(&b);
    }
  prism_graph_destroy(&made.graph);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(small_graphs_are_solved),
      cmocka_unit_test(small_graphs_are_searched),
      cmocka_unit_test(families_are_solved),
      cmocka_unit_test(apart_is_the_maximum),
      cmocka_unit_test(every_method_finds_the_planted),
      cmocka_unit_test(names_do_not_matter),
      cmocka_unit_test(impossible_wishes_are_told),
      cmocka_unit_test(a_target_ends_the_run),
      cmocka_unit_test(iterations_are_a_limit),
      cmocka_unit_test(time_is_a_limit),
      cmocka_unit_test(signals_end_in_order),
      cmocka_unit_test(a_warm_start_is_kept),
      cmocka_unit_test(deterministic_runs_repeat),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
