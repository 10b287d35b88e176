/* Parallel tempering: the sampler against enumeration, the ladder against its band,
 * and the same moves whatever the bookkeeping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "boltzmann.h"
#include "model/generate.h"
#include "search/seeds.h"
#include "search/tempering.h"

static const uint64_t seed = 20261208;

enum { MAX_N = 200, MAX_LEVELS = 16 };

typedef struct world {
  prism_graph_t *graph;
  prism_problem_t *problem;
  prism_tempering_t *t;
  prism_hooks_t hooks;
} world_t;

static world_t world_of(prism_graph_t *graph) {
  world_t w = {.graph = graph};
  assert_int_equal(prism_problem_create(graph, 1 << 22, &w.problem), PRISM_OK);
  return w;
}

static world_t random_world(int32_t n, double p, uint64_t which) {
  prism_rng_t rng = prism_rng_stream(seed, which, 0, PRISM_RNG_TEST);
  return world_of(oracle_random_graph(&rng, n, p));
}

static void begin(world_t *w, int32_t k, uint64_t run, const prism_ladder_params_t *ladder) {
  int32_t color[MAX_N];
  prism_rng_t rng = prism_rng_stream(seed, run, 1, PRISM_RNG_TEST);
  for (int32_t v = 0; v < w->graph->n; ++v) color[v] = (int32_t)prism_rng_below(&rng, (uint32_t)k);
  prism_tempering_setup_t setup = {.problem = w->problem, .hooks = &w->hooks, .k = k,
                                   .seed = seed + run, .individual = 5,
                                   .base = UINT64_C(3) << 30, .ladder = ladder};
  assert_int_equal(prism_tempering_create(&setup, color, &w->t), PRISM_OK);
}

static void run(world_t *w, int64_t updates) {
  int64_t used = 0;
  assert_int_equal(prism_tempering_run(w->t, updates, false, NULL, &used), PRISM_OK);
  assert_int_equal(used, updates);
}

static void release(world_t *w) {
  prism_tempering_destroy(&w->t);
  prism_problem_destroy(&w->problem);
  prism_graph_destroy(&w->graph);
}

static const int32_t *colors_at(const prism_tempering_t *t, int32_t level) {
  return t->color + (size_t)t->replica_at[level] * (size_t)t->n;
}

/* ---- tables ---- */

static void weights_are_exponentials(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const double temperature[] = {0.05, 0.2, 0.7, 3.0, PRISM_LADDER_HOTTEST};
  static const int32_t colors[] = {1, 2, 83, 1000, 65535};
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 5; ++j) {
      uint32_t weight[PRISM_LADDER_WEIGHTS];
      prism_ladder_weights(temperature[i], colors[j], weight);
      assert_true((uint64_t)weight[0] * (uint64_t)colors[j] <= UINT32_MAX);
      for (int32_t d = 1; d < PRISM_LADDER_WEIGHTS; ++d) {
        double exact = (double)weight[0] * exp(-d / temperature[i]);
        assert_true(weight[d] <= weight[d - 1]);
        assert_true(fabs((double)weight[d] - exact) <= 0.5 + 1e-6 * exact);
      }
      assert_int_equal(weight[PRISM_LADDER_WEIGHTS - 1], 0);
      assert_int_equal(prism_ladder_weight(weight, PRISM_LADDER_WEIGHTS), 0);
    }
}

/* The share of accepted exchanges is exp(-difference of 1/t times that of energies). */
static void acceptance_is_exact(void **state) {
  (void)state;
  static const double gap[] = {0.001, 0.03, 0.4, 2.0};
  for (int i = 0; i < 4; ++i) {
    double temperature[2] = {1.0 / (1.0 + gap[i]), 1.0};
    prism_ladder_t ladder = {.levels = 2, .temperature = temperature};
    uint64_t factor = 0;
    prism_ladder_factors(&ladder, &factor);
    for (int64_t d = 0; d < 2000; d = 2 * d + 1) {
      double exact = exp(-gap[i] * (double)d) * 18446744073709551616.0, slack = 1e-9 * exact;
      assert_true(prism_ladder_accepts(factor, 7 + d, 7, UINT64_MAX));
      if (d == 0) continue;
      if (exact - slack >= 1.0)
        assert_true(prism_ladder_accepts(factor, 7, 7 + d, (uint64_t)(exact - slack) - 1));
      assert_false(prism_ladder_accepts(factor, 7, 7 + d, (uint64_t)(exact + slack) + 2));
    }
  }
}

/* ---- the sampler ---- */

/* [out] misfit of the samples at all levels with the distributions at their
 * temperatures, the worst, and at temperatures 8 % above, the least. */
static void sample(world_t *w, int32_t k, int64_t rounds, double *right, double *wrong) {
  static int64_t seen[MAX_LEVELS][BOLTZMANN_MOST];
  prism_tempering_t *t = w->t;
  memset(seen, 0, sizeof seen);
  run(w, 20 * prism_tempering_round(t));
  for (int64_t i = 0; i < rounds; ++i) {
    run(w, prism_tempering_round(t));
    for (int32_t level = 0; level < t->replicas; ++level)
      ++seen[level][boltzmann_number(colors_at(t, level), t->n, k)];
  }
  *right = -1e9;
  *wrong = 1e9;
  for (int32_t level = 0; level < t->replicas; ++level) {
    double kelvin = t->ladder.temperature[level];
    double misfit = boltzmann_misfit(w->graph, k, kelvin, seen[level], rounds);
    if (misfit > *right) *right = misfit;
    misfit = boltzmann_misfit(w->graph, k, 1.08 * kelvin, seen[level], rounds);
    if (misfit < *wrong) *wrong = misfit;
  }
}

/* Every level visits every colouring as often as it should, exchanges included; a
 * sampler whose temperature is off by 8 % would be found out. */
static void histogram_is_boltzmann(void **state) {
  (void)state;
  static const struct {
    int32_t n, k;
    double p;
  } tiny[] = {{4, 3, 0.8}, {5, 3, 0.5}, {6, 3, 0.6}, {7, 2, 0.4}, {4, 5, 1.0}, {2, 40, 1.0}};
  for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; ++i) {
    world_t w = random_world(tiny[i].n, tiny[i].p, 10 + i);
    prism_ladder_params_t params = {.replicas = 3, .sweeps = 6, .t_min = 0.5, .t_max = 1.2};
    begin(&w, tiny[i].k, i, &params);
    w.t->ladder.frozen = true; /* a moving ladder has no distribution */
    double right, wrong;
    sample(&w, tiny[i].k, 40000, &right, &wrong);
    print_message("n %d k %d: misfit %.1f, at the wrong temperature %.1f\n", tiny[i].n, tiny[i].k,
                  right, wrong);
    assert_true(right < 6.0);
    /* Two vertices in 40 colors are there for the order of the draw: too few conflicts. */
    if (tiny[i].n > 2) assert_true(wrong > 12.0);
    assert_true(w.t->accepted[0] > 0 && w.t->accepted[1] > 0);
    release(&w);
  }
}

static void check_state(const world_t *w) {
  const prism_tempering_t *t = w->t;
  assert_int_equal(t->best_f, oracle_conflicts(w->graph, t->best_color));
  for (int32_t r = 0; r < t->replicas; ++r) {
    const int32_t *color = t->color + (size_t)r * (size_t)t->n;
    assert_int_equal(t->f[r], oracle_conflicts(w->graph, color));
    assert_true(t->best_f <= t->f[r]);
    assert_int_equal(t->replica_at[t->level_of[r]], r);
    for (int32_t v = 0; v < t->n && t->gamma != NULL; ++v) {
      uint16_t count[MAX_N] = {0};
      for (int64_t e = w->graph->offset[v]; e < w->graph->offset[v + 1]; ++e)
        ++count[color[w->graph->neighbor[e]]];
      const uint16_t *row =
          t->gamma + ((size_t)r * (size_t)t->n + (size_t)v) * (size_t)t->stride;
      assert_memory_equal(row, count, (size_t)t->k * sizeof *row);
    }
  }
}

/* Slices of any length, with and without a table: the same moves. */
static void bookkeeping_changes_nothing(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 30, 0, PRISM_RNG_TEST);
  for (int i = 0; i < 12; ++i) {
    int32_t n = 20 + (int32_t)prism_rng_below(&rng, 80);
    int32_t k = 2 + (int32_t)prism_rng_below(&rng, 60);
    double p = oracle_density(&rng);
    prism_ladder_params_t params = {.replicas = 1 + i % 5, .sweeps = 1 + i % 3};
    world_t whole = random_world(n, p, 40 + (uint64_t)i);
    world_t parts = random_world(n, p, 40 + (uint64_t)i);
    begin(&whole, k, (uint64_t)i, &params);
    begin(&parts, k, (uint64_t)i, &params);
    prism_free(parts.t->gamma);
    parts.t->gamma = NULL;
    int64_t total = 12000;
    run(&whole, total);
    for (int64_t left = total; left > 0;) {
      int64_t slice = 1 + (int64_t)prism_rng_below(&rng, 700);
      if (slice > left) slice = left;
      run(&parts, slice);
      left -= slice;
    }
    check_state(&whole);
    check_state(&parts);
    size_t cells = (size_t)whole.t->replicas * (size_t)n;
    assert_memory_equal(whole.t->color, parts.t->color, cells * sizeof *whole.t->color);
    assert_memory_equal(whole.t->best_color, parts.t->best_color,
                        (size_t)n * sizeof *whole.t->best_color);
    assert_int_equal(whole.t->round, parts.t->round);
    release(&whole);
    release(&parts);
  }
}

static void seeds_decide(void **state) {
  (void)state;
  prism_ladder_params_t params = {0};
  world_t a = random_world(90, 0.5, 60), b = random_world(90, 0.5, 60);
  begin(&a, 9, 1, &params);
  begin(&b, 9, 1, &params);
  size_t bytes = (size_t)a.t->replicas * 90 * sizeof *a.t->color;
  run(&a, 50000);
  run(&b, 50000);
  assert_memory_equal(a.t->color, b.t->color, bytes);
  prism_tempering_destroy(&b.t);
  begin(&b, 9, 1, &params);
  b.t->seed ^= 1;
  run(&b, 50000);
  assert_memory_not_equal(a.t->color, b.t->color, bytes);
  /* Replicas have numbers of their own: even at one temperature they part. */
  int32_t other = a.t->replicas - 1;
  assert_memory_not_equal(a.t->color, a.t->color + (size_t)other * 90, 90 * sizeof *a.t->color);
  release(&a);
  release(&b);
}

static void smallest_cases(void **state) {
  (void)state;
  static const struct {
    int32_t n, k, replicas;
    double p;
  } small[] = {{1, 1, 2, 0.0}, {1, 5, 1, 0.0}, {2, 1, 3, 1.0}, {3, 40, 2, 1.0}, {60, 2, 2, 0.0}};
  for (size_t i = 0; i < sizeof small / sizeof small[0]; ++i) {
    world_t w = random_world(small[i].n, small[i].p, 70 + i);
    prism_ladder_params_t params = {.replicas = small[i].replicas};
    begin(&w, small[i].k, i, &params);
    run(&w, 3000);
    check_state(&w);
    if (small[i].k == 1) assert_int_equal(w.t->best_f, w.graph->m);
    release(&w);
  }
}

/* ---- the ladder ---- */

static void check_monotone(const prism_ladder_t *ladder) {
  for (int32_t i = 0; i < ladder->levels; ++i) {
    assert_true(ladder->temperature[i] <= PRISM_LADDER_HOTTEST * (1.0 + 1e-9));
    assert_true(ladder->temperature[i] >= PRISM_LADDER_COLDEST);
    if (i > 0) assert_true(ladder->temperature[i] > ladder->temperature[i - 1]);
  }
}

/* Against an acceptance that falls with the gap, at another pace for each pair. */
static void tune_model(prism_ladder_t *ladder, prism_rng_t *rng, double pace) {
  uint32_t attempts[MAX_LEVELS], accepted[MAX_LEVELS];
  for (int window = 0; window < 400 && !ladder->frozen; ++window) {
    for (int32_t i = 0; i + 1 < ladder->levels; ++i) {
      double gap = log(ladder->temperature[i + 1] / ladder->temperature[i]);
      double rate = exp(-gap * pace * (1.0 + i % 4));
      attempts[i] = PRISM_LADDER_WINDOW;
      accepted[i] = 0;
      for (uint32_t a = 0; a < attempts[i]; ++a) accepted[i] += prism_rng_uniform(rng) < rate;
    }
    prism_ladder_tune(ladder, attempts, accepted);
    check_monotone(ladder);
  }
  assert_true(ladder->frozen);
  assert_false(prism_ladder_tune(ladder, attempts, accepted));
}

static void tuning_finds_the_band(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 80, 0, PRISM_RNG_TEST);
  static const double pace[] = {3.0, 10.0, 30.0};
  for (int i = 0; i < 12; ++i) {
    prism_ladder_params_t params = {.replicas = 12, .t_min = 0.2};
    prism_ladder_t ladder;
    assert_int_equal(prism_ladder_init(&ladder, &params, 500, 50), PRISM_OK);
    tune_model(&ladder, &rng, pace[i % 3]);
    assert_true(ladder.temperature[0] == 0.2);
    for (int32_t j = 0; j + 1 < ladder.levels; ++j) {
      double rate = exp(-log(ladder.temperature[j + 1] / ladder.temperature[j]) * pace[i % 3] *
                        (1.0 + j % 4));
      assert_true(rate > ladder.swap_low - 0.08 && rate < ladder.swap_high + 0.08);
    }
    prism_ladder_release(&ladder);
    /* Between given ends the rates are evened out instead. */
    params.t_max = 0.9;
    assert_int_equal(prism_ladder_init(&ladder, &params, 500, 50), PRISM_OK);
    tune_model(&ladder, &rng, pace[i % 3]);
    double least = 1.0, most = 0.0;
    assert_true(fabs(ladder.temperature[0] - 0.2) + fabs(ladder.temperature[11] - 0.9) < 1e-9);
    for (int32_t j = 0; j + 1 < ladder.levels; ++j) {
      double rate = exp(-log(ladder.temperature[j + 1] / ladder.temperature[j]) * pace[i % 3] *
                        (1.0 + j % 4));
      least = rate < least ? rate : least;
      most = rate > most ? rate : most;
    }
    assert_true(most - least < 0.3);
    prism_ladder_release(&ladder);
  }
}

static void a_view_has_both_ends(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 81, 0, PRISM_RNG_TEST);
  for (int32_t levels = 1; levels <= PRISM_LADDER_MOST; levels += levels < 200 ? 1 : 103) {
    prism_ladder_params_t params = {.replicas = levels};
    prism_ladder_t ladder;
    prism_ladder_view_t view;
    assert_int_equal(prism_ladder_init(&ladder, &params, 500, 50), PRISM_OK);
    prism_ladder_view(&ladder, &view);
    assert_int_equal(view.windows, 0);
    assert_true(view.frozen == (levels == 1));
    for (int32_t i = 0; i < view.levels; ++i) assert_true(isnan(view.level[i].swap));
    for (int32_t i = 0; i + 1 < levels; ++i) ladder.rate[i] = prism_rng_uniform(&rng);
    ladder.windows = 7;
    ladder.frozen = true;
    prism_ladder_view(&ladder, &view);
    assert_int_equal(view.windows, 7);
    assert_true(view.frozen);
    assert_int_equal(view.levels, levels < PRISM_LADDER_SHOWN ? levels : PRISM_LADDER_SHOWN);
    assert_int_equal(view.level[0].level, 0);
    assert_int_equal(view.level[view.levels - 1].level, levels - 1);
    for (int32_t i = 0; i < view.levels; ++i) {
      const prism_ladder_level_t *at = &view.level[i];
      if (i > 0) {
        const int32_t gap = at->level - at[-1].level, even = (levels - 1) / (view.levels - 1);
        assert_true(gap == even || gap == even + 1);
      }
      assert_true(at->temperature >= ladder.temperature[at->level] &&
                  at->temperature <= ladder.temperature[at->level]);
      if (at->level == levels - 1)
        assert_true(isnan(at->swap));
      else
        assert_true(at->swap >= ladder.rate[at->level] && at->swap <= ladder.rate[at->level]);
    }
    prism_ladder_release(&ladder);
  }
}

static void bad_ladders_are_refused(void **state) {
  (void)state;
  static const prism_ladder_params_t bad[] = {{.t_min = 0.5, .t_max = 0.4},
                                              {.swap_low = 0.6, .swap_high = 0.3},
                                              {.swap_low = 0.6, .swap_high = 1.5}};
  for (int i = 0; i < 3; ++i) {
    prism_ladder_t ladder;
    assert_int_equal(prism_ladder_init(&ladder, &bad[i], 100, 10), PRISM_INVALID);
    prism_ladder_release(&ladder);
  }
  for (int32_t k = 1; k < 70000; k = 3 * k + 1)
    for (int32_t n = 1; n < 3000000; n = 7 * n + 3) { /* the choices made here are sound */
      prism_ladder_params_t params = {.t_max = k % 2 == 0 ? 0.1 : 0.0};
      prism_ladder_t ladder;
      assert_int_equal(prism_ladder_init(&ladder, &params, n, k), PRISM_OK);
      check_monotone(&ladder);
      prism_ladder_release(&ladder);
    }
}

/* On a real graph: after tuning, exchanges are accepted as often as wanted. */
static void exchanges_stay_in_the_band(void **state) {
  (void)state;
  world_t w = random_world(100, 0.5, 90);
  prism_ladder_params_t params = {.replicas = 8, .sweeps = 2};
  begin(&w, 13, 0, &params);
  for (int i = 0; i < 200 && !w.t->ladder.frozen; ++i)
    run(&w, PRISM_LADDER_WINDOW * prism_tempering_round(w.t));
  assert_true(w.t->ladder.frozen);
  check_monotone(&w.t->ladder);
  check_state(&w);
  double before[8];
  memcpy(before, w.t->ladder.temperature, sizeof before);
  run(&w, 800 * prism_tempering_round(w.t));
  for (int32_t i = 0; i + 1 < w.t->replicas; ++i) {
    assert_in_range(w.t->attempts[i], 399, 410);
    double rate = (double)w.t->accepted[i] / (double)w.t->attempts[i];
    assert_true(rate > w.t->ladder.swap_low - 0.06 && rate < w.t->ladder.swap_high + 0.06);
  }
  assert_true(w.t->swap_rate > w.t->ladder.swap_low && w.t->swap_rate < w.t->ladder.swap_high);
  assert_memory_equal(before, w.t->ladder.temperature, sizeof before);
  release(&w);
}

/* ---- as a search ---- */

static void it_belongs_to_its_phase(void **state) {
  (void)state;
  prism_phase_t phase = prism_method_phase(PRISM_METHOD_TEMPERING);
  assert_int_equal(phase, PRISM_PHASE_THERMODYNAMIC);
  assert_string_equal(prism_phase_find((int)phase)->name, "thermodynamic");
  assert_string_equal(prism_method_name(PRISM_METHOD_TEMPERING), "tempering");
  for (int m = 0; m < PRISM_METHOD_TEMPERING; ++m)
    assert_int_equal(prism_method_phase((prism_method_t)m), PRISM_PHASE_MEMETIC);
}

static void planted_colorings_are_found(void **state) {
  (void)state;
  static const struct {
    int32_t k;
    double p;
  } planted[] = {{4, 0.3}, {7, 0.6}, {12, 0.9}};
  for (int i = 0; i < 3; ++i)
    for (uint64_t again = 0; again < 3; ++again) {
      prism_generated_t made = {0};
      assert_int_equal(
          prism_generate_planted(130, planted[i].k, planted[i].p, 0, seed + again, &made),
          PRISM_OK);
      world_t w = world_of(made.graph);
      prism_ladder_params_t params = {0};
      begin(&w, planted[i].k, again, &params);
      int64_t used = 0;
      assert_int_equal(prism_tempering_run(w.t, 4000000, true, NULL, &used), PRISM_OK);
      assert_int_equal(w.t->best_f, 0);
      assert_true(oracle_legal(w.graph, w.t->best_color, planted[i].k));
      assert_int_equal(prism_tempering_run(w.t, 1000, true, NULL, &used), PRISM_OK);
      assert_int_equal(used, 0);
      release(&w);
    }
}

static void hooks_are_obeyed(void **state) {
  (void)state;
  enum { N = 80, K = 6 };
  world_t w = random_world(N, 0.4, 110);
  uint64_t frozen[2] = {0};
  for (int32_t v = 0; v < N; v += 3) prism_bitset_add(frozen, v);
  w.hooks = (prism_hooks_t){.frozen = frozen, .counters = true};
  prism_ladder_params_t params = {0};
  begin(&w, K, 0, &params);
  int32_t start[N];
  memcpy(start, w.t->color, sizeof start);
  run(&w, 100000);
  check_state(&w);
  int64_t time = 0, changes = 0;
  for (int32_t v = 0; v < N; ++v) {
    for (int32_t r = 0; r < w.t->replicas && v % 3 == 0; ++r)
      assert_int_equal(w.t->color[r * N + v], start[v]);
    uint32_t changed = w.t->counter[PRISM_COUNTER_color_changes][v];
    assert_true(v % 3 != 0 || changed == 0);
    assert_true(w.t->counter[PRISM_COUNTER_conflict_time][v] <= 100000);
    time += w.t->counter[PRISM_COUNTER_conflict_time][v];
    changes += changed;
  }
  assert_true(time >= 100000); /* six colors are too few: somebody always conflicts */
  assert_true(changes > 0 && changes <= 100000);
  atomic_bool stop = true;
  int64_t used = -1;
  assert_int_equal(prism_tempering_run(w.t, 100000, false, &stop, &used), PRISM_OK);
  assert_int_equal(used, 0);
  release(&w);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_are_exponentials),
      cmocka_unit_test(acceptance_is_exact),
      cmocka_unit_test(histogram_is_boltzmann),
      cmocka_unit_test(bookkeeping_changes_nothing),
      cmocka_unit_test(seeds_decide),
      cmocka_unit_test(smallest_cases),
      cmocka_unit_test(tuning_finds_the_band),
      cmocka_unit_test(a_view_has_both_ends),
      cmocka_unit_test(bad_ladders_are_refused),
      cmocka_unit_test(exchanges_stay_in_the_band),
      cmocka_unit_test(it_belongs_to_its_phase),
      cmocka_unit_test(planted_colorings_are_found),
      cmocka_unit_test(hooks_are_obeyed),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
