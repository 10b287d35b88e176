/* Tempering on the device: the very moves of the CPU sampler in every layout, the
 * enumerated Boltzmann distribution, and a ladder tuned into its band. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "boltzmann.h"
#include "engine/device_graph.h"
#include "gpu_fixture.h"
#include "kernels/tempering.h"
#include "model/coloring.h"
#include "model/generate.h"
#include "pool_fixture.h"
#include "search/tempering.h"

static const uint64_t seed = 20261209;

/* A CPU sampler and ladders of replicas on the device that begin alike. */
typedef struct twin {
  prism_graph_t *graph;
  prism_problem_t *problem;
  prism_tempering_t *cpu;
  prism_gpu_graph_t device;
  prism_tempering_plan_t plan;
  prism_tempering_job_t job;
  int32_t members;
  int32_t *start, *color, *f; /* [n], [n], [members] */
  int64_t draws;              /* of the CPU, for each ladder */
} twin_t;

typedef struct twin_case {
  int32_t n;
  double p;
  int32_t k, levels, sweeps;
  int32_t ladders;          /* 0: one */
  int32_t threads, table;   /* of the plan */
  double t_min, t_max;
  bool lists;               /* no bit rows */
  bool one_class;           /* all vertices begin with the last colour */
  const uint64_t *frozen;   /* NULL: none */
  bool counters;
} twin_case_t;

static void draw_start(twin_t *w, const twin_case_t *c) {
  prism_rng_t rng = prism_rng_stream(seed, (uint64_t)c->n, 2, PRISM_RNG_TEST);
  for (int32_t v = 0; v < c->n; ++v)
    w->start[v] = c->one_class ? c->k - 1 : (int32_t)prism_rng_below(&rng, (uint32_t)c->k);
}

static void upload_ladder(twin_t *w) {
  prism_gpu_ladder_t *ladder = &w->job.ladder;
  int32_t levels = w->cpu->replicas;
  size_t weights = (size_t)levels * PRISM_LADDER_WEIGHTS * sizeof(uint32_t);
  size_t pairs = (size_t)(levels - 1);
  int32_t *level = NULL, *member = NULL;
  must(PRISM_ALLOC(w->members, &level));
  must(PRISM_ALLOC(w->members, &member));
  for (int32_t i = 0; i < w->members; ++i) {
    level[i] = i % levels;
    member[i] = i;
  }
  uint64_t zero = 0;
  ladder->levels = levels;
  ladder->ladders = w->members / levels;
  ladder->level_of = device_ints(level, w->members);
  ladder->replica_at = device_ints(member, w->members);
  ladder->weight = device_copy(w->cpu->weight, weights);
  ladder->factor = device_copy(w->cpu->factor, pairs * sizeof(uint64_t));
  ladder->attempts = device_copy(w->cpu->attempts, pairs * sizeof(uint32_t));
  ladder->accepted = device_copy(w->cpu->accepted, pairs * sizeof(uint32_t));
  ladder->round = device_copy(&zero, sizeof zero);
  prism_free(level);
  prism_free(member);
}

static twin_t twin_of(const twin_case_t *c) {
  prism_generated_t made = {0};
  must(prism_generate_gnp(c->n, c->p, seed + (uint64_t)c->n, &made));
  twin_t w = {.graph = made.graph};
  must(prism_problem_create(w.graph, (size_t)1 << 24, &w.problem));
  must(PRISM_ALLOC(c->n, &w.start));
  must(PRISM_ALLOC(c->n, &w.color));
  draw_start(&w, c);
  prism_ladder_params_t params = {.replicas = c->levels, .sweeps = c->sweeps, .t_min = c->t_min,
                                  .t_max = c->t_max};
  prism_hooks_t hooks = {.frozen = c->frozen, .counters = c->counters};
  static prism_hooks_t kept; /* the sampler borrows it */
  kept = hooks;
  prism_tempering_setup_t setup = {.problem = w.problem, .hooks = &kept, .k = c->k,
                                   .seed = seed, .individual = 9, .base = UINT64_C(7) << 30,
                                   .ladder = &params};
  must(prism_tempering_create(&setup, w.start, &w.cpu));
  w.members = c->levels * (c->ladders > 0 ? c->ladders : 1);
  must(PRISM_ALLOC(w.members, &w.f));
  must(prism_device_graph_create(w.graph, &w.device));
  prism_gpu_graph_t plain = w.device;
  if (c->lists) plain.row = NULL;
  must(prism_tempering_plan(&plain, c->k, c->threads, c->table, &w.plan));
  w.job.state = pool_create(c->n, c->k, w.members);
  w.job.best = pool_create(c->n, c->k, w.members);
  for (int32_t i = 0; i < w.members; ++i) {
    pool_put(&w.job.state, i, w.start);
    w.f[i] = (int32_t)w.cpu->f[0];
  }
  must_cuda(cudaMemcpy(w.job.state.f, w.f, (size_t)w.members * sizeof *w.f,
                       cudaMemcpyHostToDevice));
  for (int32_t i = 0; i < w.members; ++i) w.f[i] = INT32_MAX;
  must_cuda(cudaMemcpy(w.job.best.f, w.f, (size_t)w.members * sizeof *w.f,
                       cudaMemcpyHostToDevice));
  upload_ladder(&w);
  w.job.sweeps = c->sweeps;
  w.job.seed = seed;
  w.job.individual = 9;
  w.job.base = UINT64_C(7) << 30;
  size_t words = (size_t)prism_bitset_words(c->n) * sizeof *c->frozen;
  if (c->frozen != NULL) w.job.hooks.frozen = device_copy(c->frozen, words);
  size_t cells = (size_t)c->n * sizeof(uint32_t);
  for (int i = 0; i < PRISM_COUNTER_COUNT && c->counters; ++i) {
    w.job.hooks.counter[i] = device_bytes(cells);
    must_cuda(cudaMemset(w.job.hooks.counter[i], 0, cells));
  }
  unsigned long long none = 0;
  w.job.moves = device_copy(&none, sizeof none);
  return w;
}

static void twin_release(twin_t *w) {
  prism_gpu_ladder_t *l = &w->job.ladder;
  const void *device[] = {l->level_of, l->replica_at, l->weight,   l->factor,
                          l->attempts, l->accepted,   l->round,    w->job.moves,
                          w->job.hooks.frozen};
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) must_cuda(cudaFree(w->job.hooks.counter[i]));
  for (size_t i = 0; i < sizeof device / sizeof device[0]; ++i)
    must_cuda(cudaFree((void *)(uintptr_t)device[i]));
  pool_destroy(&w->job.state);
  pool_destroy(&w->job.best);
  prism_device_graph_destroy(&w->device);
  prism_tempering_destroy(&w->cpu);
  prism_problem_destroy(&w->problem);
  prism_graph_destroy(&w->graph);
  prism_free(w->start);
  prism_free(w->color);
  prism_free(w->f);
}

static void device_round(twin_t *w, bool lists) {
  prism_gpu_graph_t graph = w->device;
  if (lists) graph.row = NULL;
  must(prism_launch_tempering_sweeps(&w->plan, &graph, &w->job, NULL));
  must(prism_launch_tempering_swap(&w->job, NULL));
  must_cuda(cudaDeviceSynchronize());
}

static void cpu_round(twin_t *w) {
  int64_t used = 0;
  must(prism_tempering_run(w->cpu, prism_tempering_round(w->cpu), false, NULL, &used));
  w->draws += used;
}

/* Colours and f of all members and of their best are what they claim. */
static void check_members(twin_t *w) {
  const prism_gpu_pool_t *pools[] = {&w->job.state, &w->job.best};
  int32_t *least = NULL;
  must(PRISM_ALLOC(w->members, &least));
  host_ints(w->job.best.f, least, w->members);
  for (int p = 0; p < 2; ++p) {
    host_ints(pools[p]->f, w->f, w->members);
    for (int32_t i = 0; i < w->members; ++i) {
      pool_get(pools[p], i, w->color);
      for (int32_t v = 0; v < w->graph->n; ++v)
        assert_in_range(w->color[v], 0, w->job.state.k - 1);
      assert_int_equal(prism_coloring_conflicts(w->graph, w->color), w->f[i]);
      assert_true(least[i] <= w->f[i]);
    }
  }
  prism_free(least);
}

static void check_equal(twin_t *w) {
  const prism_tempering_t *cpu = w->cpu;
  int32_t levels = cpu->replicas, place[64], at[64];
  assert_true(levels <= 64);
  host_ints(w->job.state.f, w->f, w->members);
  host_ints(w->job.ladder.level_of, place, levels);
  host_ints(w->job.ladder.replica_at, at, levels);
  for (int32_t r = 0; r < levels; ++r) {
    assert_int_equal(w->f[r], cpu->f[r]);
    assert_int_equal(place[r], cpu->level_of[r]);
    assert_int_equal(at[r], cpu->replica_at[r]);
    pool_get(&w->job.state, r, w->color);
    assert_memory_equal(w->color, cpu->color + (size_t)r * (size_t)cpu->n,
                        (size_t)cpu->n * sizeof *w->color);
  }
  host_ints(w->job.best.f, w->f, w->members);
  int32_t best = w->f[0];
  for (int32_t i = 1; i < levels; ++i) best = w->f[i] < best ? w->f[i] : best;
  assert_int_equal(best, cpu->best_f);
}

/* Draws, and with one ladder the counters. */
static void check_counts(twin_t *w) {
  unsigned long long moves = 0;
  must_cuda(cudaMemcpy(&moves, w->job.moves, sizeof moves, cudaMemcpyDeviceToHost));
  assert_int_equal(moves, w->draws * (w->members / w->cpu->replicas));
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) {
    if (w->job.hooks.counter[i] == NULL) continue;
    host_ints((const int32_t *)w->job.hooks.counter[i], w->color, w->graph->n);
    assert_memory_equal(w->color, w->cpu->counter[i], (size_t)w->graph->n * sizeof *w->color);
  }
}

static void follow(const twin_case_t *c, int rounds) {
  twin_t w = twin_of(c);
  for (int i = 0; i < rounds; ++i) {
    device_round(&w, c->lists);
    cpu_round(&w);
    check_equal(&w);
  }
  check_members(&w);
  check_counts(&w);
  twin_release(&w);
}

/* ---- the moves of the CPU ---- */

static void moves_are_those_of_the_cpu(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const twin_case_t cases[] = {
      {.n = 1, .p = 0.0, .k = 1, .levels = 2, .sweeps = 2},
      {.n = 2, .p = 1.0, .k = 1, .levels = 3, .sweeps = 2},
      {.n = 5, .p = 0.5, .k = 2, .levels = 1, .sweeps = 3},
      {.n = 32, .p = 0.5, .k = 6, .levels = 3, .sweeps = 1, .ladders = 3},
      {.n = 60, .p = 0.5, .k = 7, .levels = 4, .sweeps = 3, .ladders = 2},
      {.n = 131, .p = 0.5, .k = 33, .levels = 5, .sweeps = 2},
      {.n = 200, .p = 0.1, .k = 5, .levels = 6, .sweeps = 4},
      {.n = 257, .p = 0.9, .k = 100, .levels = 4, .sweeps = 2},
      {.n = 400, .p = 0.5, .k = 48, .levels = 8, .sweeps = 2},
  };
  static const int32_t threads[] = {0, 32, 96, 256, 512};
  const int count = gpu_repeats(sizeof cases / sizeof cases[0], 7);
  for (int i = 0; i < count; ++i)
    for (int t = 0; t < gpu_repeats(5, 1); ++t)
      for (int32_t table = 0; table < 2; ++table) {
        twin_case_t c = cases[i];
        c.threads = threads[gpu_repeats(t, (i + 2 * table) % 5)];
        c.table = table;
        follow(&c, gpu_repeats(5, 2));
      }
}

/* Classes too large for a byte, in the first moves or for good. */
static void large_classes_are_counted(void **state) {
  (void)state;
  static const twin_case_t cases[] = {
      {.n = 300, .p = 0.95, .k = 40, .levels = 2, .sweeps = 1, .table = 1, .one_class = true},
      {.n = 700, .p = 0.5, .k = 60, .levels = 2, .sweeps = 2, .table = 1, .one_class = true},
      {.n = 900, .p = 0.4, .k = 2, .levels = 2, .sweeps = 2, .table = 1},
      {.n = 1100, .p = 0.3, .k = 5, .levels = 2, .sweeps = 3, .table = 1, .t_min = 0.3,
       .t_max = 9.0},
  };
  for (int i = 0; i < gpu_repeats(4, 1); ++i) follow(&cases[i], gpu_repeats(3, 1));
}

/* Too large for the table, for shared colours, or without bit rows. */
static void large_graphs_are_counted(void **state) {
  (void)state;
  static const twin_case_t cases[] = {
      {.n = 500, .p = 0.2, .k = 20, .levels = 2, .sweeps = 2, .table = -1, .lists = true},
      {.n = 2000, .p = 0.5, .k = 160, .levels = 2, .sweeps = 1, .table = -1},
      {.n = 70000, .p = 0.0001, .k = 4, .levels = 2, .sweeps = 1, .table = -1},
      {.n = 100, .p = 0.5, .k = 20000, .levels = 2, .sweeps = 1, .table = -1},
  };
  for (int i = 0; i < gpu_repeats(4, 1); ++i) follow(&cases[i], gpu_repeats(2, 1));
}

static void frozen_vertices_stay(void **state) {
  (void)state;
  uint64_t frozen[3] = {0};
  for (int32_t v = 0; v < 150; v += 3) prism_bitset_add(frozen, v);
  for (int32_t table = 0; table < 2; ++table) {
    twin_case_t c = {.n = 150, .p = 0.5, .k = 9, .levels = 3, .sweeps = 3, .table = table,
                     .frozen = frozen};
    follow(&c, gpu_repeats(3, 1));
    c.counters = true;
    follow(&c, gpu_repeats(3, 1));
    twin_t w = twin_of(&c);
    device_round(&w, false);
    for (int32_t r = 0; r < w.members; ++r) {
      pool_get(&w.job.state, r, w.color);
      for (int32_t v = 0; v < 150; v += 3) assert_int_equal(w.color[v], w.start[v]);
    }
    twin_release(&w);
  }
}

static void counters_are_those_of_the_cpu(void **state) {
  (void)state;
  static const int32_t threads[] = {0, 32, 512};
  for (int i = 0; i < gpu_repeats(3, 1); ++i)
    for (int32_t table = 0; table < 2; ++table) {
      twin_case_t c = {.n = 131, .p = 0.4, .k = 9, .levels = 4, .sweeps = 3, .table = table,
                       .threads = threads[i], .counters = true};
      follow(&c, gpu_repeats(6, 2));
    }
}

/* ---- ends ---- */

static void a_legal_coloring_ends_it(void **state) {
  (void)state;
  for (int together = 0; together < 2; ++together) {
    twin_case_t c = {.n = gpu_repeats(120, 50), .p = 0.5, .k = 24, .levels = 6,
                     .sweeps = gpu_repeats(50, 5), .ladders = 2, .table = -1};
    twin_t w = twin_of(&c);
    int32_t zero = 0, solved = 0;
    int32_t *flag = device_ints(&zero, 1);
    w.job.solved = (uint32_t *)flag;
    if (together == 1) w.job.stop = w.job.solved;
    for (int i = 0; i < 200 && solved == 0; ++i) {
      device_round(&w, false);
      host_ints(flag, &solved, 1);
    }
    assert_in_range(solved, 1, w.members);
    host_ints(w.job.best.f, w.f, w.members);
    assert_int_equal(w.f[solved - 1], 0);
    check_members(&w);
    /* Who has solved stays, and so do all where they share the flag. */
    int32_t *before = NULL, *after = NULL;
    must(PRISM_ALLOC(w.members, &before));
    must(PRISM_ALLOC(w.members, &after));
    host_ints(w.job.state.f, before, w.members);
    device_round(&w, false);
    host_ints(w.job.state.f, after, w.members);
    for (int32_t i = 0; i < w.members; ++i)
      if (together == 1 || w.f[i] == 0) assert_int_equal(before[i], after[i]);
    check_members(&w);
    prism_free(before);
    prism_free(after);
    must_cuda(cudaFree(flag));
    twin_release(&w);
  }
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  prism_generated_t made = {0};
  must(prism_generate_gnp(3000, 0.02, seed, &made));
  prism_gpu_graph_t graph;
  must(prism_device_graph_create(made.graph, &graph));
  prism_tempering_plan_t plan;
  assert_int_equal(prism_tempering_plan(&graph, 10, 48, -1, &plan), PRISM_UNSUPPORTED);
  assert_int_equal(prism_tempering_plan(&graph, 10, 1024, -1, &plan), PRISM_UNSUPPORTED);
  assert_int_equal(prism_tempering_plan(&graph, 1000, 0, 1, &plan), PRISM_UNSUPPORTED);
  assert_int_equal(prism_tempering_plan(&graph, 65535, 0, -1, &plan), PRISM_UNSUPPORTED);
  assert_int_equal(prism_tempering_plan(&graph, 1000, 0, -1, &plan), PRISM_OK);
  assert_int_equal(plan.table, 0);
  assert_true(plan.resident >= 1 && plan.threads >= 32);
  prism_device_graph_destroy(&graph);
  prism_graph_destroy(&made.graph);
}

/* ---- the distribution ---- */

/* Every level of many ladders visits every colouring as often as it should; at a
 * temperature 8 % off the samples would not fit. */
static void histogram_is_boltzmann(void **state) {
  (void)state;
  enum { LADDERS = 64, LEVELS = 3 };
  static int64_t seen[LEVELS][BOLTZMANN_MOST];
  const int rounds = gpu_repeats(700, 6);
  for (int32_t table = 0; table < 2; ++table) {
    twin_case_t c = {.n = 6, .p = 0.6, .k = 3, .levels = LEVELS, .sweeps = 6,
                     .ladders = LADDERS, .table = table, .t_min = 0.5, .t_max = 1.2};
    twin_t w = twin_of(&c);
    int32_t place[LADDERS * LEVELS];
    uint16_t *color = NULL;
    size_t cells = (size_t)w.members * (size_t)w.job.state.pitch;
    must(PRISM_ALLOC(cells, &color));
    for (int32_t r = 0; r < w.members; ++r) { /* nobody writes behind the last vertex */
      uint16_t *row = w.job.state.color + (size_t)r * (size_t)w.job.state.pitch;
      must_cuda(cudaMemset(row + c.n, 0, (size_t)(w.job.state.pitch - c.n) * sizeof *row));
    }
    memset(seen, 0, sizeof seen);
    for (int i = -gpu_repeats(10, 4); i < rounds; ++i) {
      device_round(&w, false);
      if (i < 0) continue;
      host_ints(w.job.ladder.level_of, place, w.members);
      must_cuda(cudaMemcpy(color, w.job.state.color, cells * sizeof *color,
                           cudaMemcpyDeviceToHost));
      for (int32_t r = 0; r < w.members; ++r) {
        for (int32_t v = 0; v < c.n; ++v)
          w.color[v] = color[(size_t)r * (size_t)w.job.state.pitch + (size_t)v];
        ++seen[place[r]][boltzmann_number(w.color, c.n, c.k)];
      }
    }
    int64_t samples = (int64_t)rounds * LADDERS;
    for (int32_t level = 0; level < LEVELS; ++level) {
      double t = w.cpu->ladder.temperature[level];
      double right = boltzmann_misfit(w.graph, c.k, t, seen[level], samples);
      double wrong = boltzmann_misfit(w.graph, c.k, 1.08 * t, seen[level], samples);
      print_message("level %d: misfit %.1f, at the wrong temperature %.1f\n", level, right,
                    wrong);
      assert_true(right < 6.0);
      if (rounds >= 700) assert_true(wrong > 12.0);
    }
    prism_free(color);
    twin_release(&w);
  }
}

/* ---- the ladder ---- */

static void read_window(twin_t *w, uint32_t *attempts, uint32_t *accepted) {
  int32_t pairs = w->cpu->replicas - 1;
  host_ints((int32_t *)w->job.ladder.attempts, (int32_t *)attempts, pairs);
  host_ints((int32_t *)w->job.ladder.accepted, (int32_t *)accepted, pairs);
  size_t bytes = (size_t)pairs * sizeof *attempts;
  must_cuda(cudaMemset(w->job.ladder.attempts, 0, bytes));
  must_cuda(cudaMemset(w->job.ladder.accepted, 0, bytes));
}

static void make_tables(twin_t *w) {
  const prism_ladder_t *ladder = &w->cpu->ladder;
  for (int32_t i = 0; i < ladder->levels; ++i)
    prism_ladder_weights(ladder->temperature[i], w->job.state.k,
                         w->cpu->weight + (size_t)i * PRISM_LADDER_WEIGHTS);
  prism_ladder_factors(ladder, w->cpu->factor);
  must_cuda(cudaMemcpy((void *)(uintptr_t)w->job.ladder.weight, w->cpu->weight,
                       (size_t)ladder->levels * PRISM_LADDER_WEIGHTS * sizeof(uint32_t),
                       cudaMemcpyHostToDevice));
  must_cuda(cudaMemcpy((void *)(uintptr_t)w->job.ladder.factor, w->cpu->factor,
                       (size_t)(ladder->levels - 1) * sizeof(uint64_t), cudaMemcpyHostToDevice));
}

static void exchanges_stay_in_the_band(void **state) {
  (void)state;
  enum { LEVELS = 8, LADDERS = 4 };
  twin_case_t c = {.n = gpu_repeats(100, 30), .p = 0.5, .k = gpu_repeats(13, 5),
                   .levels = LEVELS, .sweeps = 2, .ladders = LADDERS, .table = -1};
  twin_t w = twin_of(&c);
  prism_ladder_t *ladder = &w.cpu->ladder;
  uint32_t attempts[LEVELS], accepted[LEVELS];
  int windows = gpu_repeats(200, 2);
  for (int i = 0; i < windows && !ladder->frozen; ++i) {
    for (int r = 0; r < PRISM_LADDER_WINDOW; ++r) device_round(&w, false);
    read_window(&w, attempts, accepted);
    for (int32_t j = 0; j + 1 < LEVELS; ++j)
      assert_int_equal(attempts[j], LADDERS * PRISM_LADDER_WINDOW / 2);
    if (prism_ladder_tune(ladder, attempts, accepted)) make_tables(&w);
  }
  if (windows >= 200) {
    assert_true(ladder->frozen);
    for (int r = 0; r < 200; ++r) device_round(&w, false);
    read_window(&w, attempts, accepted);
    for (int32_t j = 0; j + 1 < LEVELS; ++j) {
      double rate = (double)accepted[j] / (double)attempts[j];
      assert_true(ladder->temperature[j + 1] > ladder->temperature[j]);
      assert_true(rate > ladder->swap_low - 0.08 && rate < ladder->swap_high + 0.08);
    }
  }
  check_members(&w);
  twin_release(&w);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moves_are_those_of_the_cpu),
      cmocka_unit_test(large_classes_are_counted),
      cmocka_unit_test(large_graphs_are_counted),
      cmocka_unit_test(frozen_vertices_stay),
      cmocka_unit_test(counters_are_those_of_the_cpu),
      cmocka_unit_test(a_legal_coloring_ends_it),
      cmocka_unit_test(what_does_not_fit_is_refused),
      cmocka_unit_test(histogram_is_boltzmann),
      cmocka_unit_test(exchanges_stay_in_the_band),
  };
  return gpu_run(tests);
}
