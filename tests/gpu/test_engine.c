/* The CUDA engine where the conformance suite does not look: the same results however
 * generations are queued, tempering beside the memetic island, little memory, hooks of
 * replicas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "base/rng.h"
#include "gpu/engine_fixture.h"
#include "gpu/pool_fixture.h"

static const uint64_t seed = 20261122;

/* The short form of a work: few individuals, few moves. */
static void shorten(prism_work_t *work) {
  if (gpu_repeats(1, 0) == 1) return;
  work->params.population = 8;
  work->params.generation_iterations = 60;
}

static prism_summary_t perform(prism_engine_t *engine, int32_t island, const prism_work_t *work) {
  return finish(engine, submit(engine, island, work));
}

static uint32_t methods_of(prism_engine_t *engine, int32_t island, int32_t *stream) {
  prism_island_info_t info;
  engine->ops->describe(engine->self, island, &info);
  if (stream != NULL) *stream = info.stream;
  return info.methods;
}

/* ---- the same results ---- */

enum { TICKETS = 4 };

/* What a method finds in some tickets, over a change of k. */
typedef struct record {
  prism_summary_t summary[TICKETS];
  int32_t *best, *elite; /* [TICKETS][n] */
} record_t;

static record_t record(const prism_graph_t *graph, const prism_gpu_setup_t *setup,
                       prism_method_t method) {
  static const int64_t all[TICKETS] = {3, 5, 4, 2}, some[TICKETS] = {2, 2, 2, 1};
  const int64_t *generations = gpu_repeats(1, 0) == 1 ? all : some;
  const bool tempers = method == PRISM_METHOD_TEMPERING;
  const int32_t k = graph->n > 100 ? 13 : 6; /* out of reach */
  int32_t island = 0;
  record_t r;
  must(PRISM_ALLOC((size_t)TICKETS * (size_t)graph->n, &r.best));
  must(PRISM_ALLOC((size_t)TICKETS * (size_t)graph->n, &r.elite));
  prism_engine_t engine;
  if (tempers)
    island = open_tempering(setup, graph, seed, &engine);
  else
    engine = open_engine(setup, graph, 1, seed);
  for (int t = 0; t < TICKETS; ++t) {
    prism_work_t work = work_of(method, t < 2 ? k : k - 1, generations[t]);
    work.params.generation_iterations = 400;
    shorten(&work);
    if (tempers) work.params.generation_iterations = gpu_repeats(20, 2) * graph->n;
    work.params.ladder.sweeps = 1; /* so a generation of 20 is a window of exchanges */
    r.summary[t] = perform(&engine, island, &work);
    r.summary[t].seconds = 0.0;
    take(&engine, island, graph, 0, r.best + (size_t)t * (size_t)graph->n);
    take(&engine, island, graph, 1, r.elite + (size_t)t * (size_t)graph->n);
  }
  prism_engine_destroy(&engine);
  return r;
}

static void release(record_t *r) {
  prism_free(r->best);
  prism_free(r->elite);
}

static void check_same(const record_t *a, const record_t *b, int32_t n) {
  const size_t bytes = (size_t)TICKETS * (size_t)n * sizeof(int32_t);
  for (int t = 0; t < TICKETS; ++t) {
    const prism_summary_t *x = &a->summary[t], *y = &b->summary[t];
    assert_int_equal(x->f_best, y->f_best);
    assert_int_equal(x->f_ticket, y->f_ticket);
    assert_int_equal(x->iterations, y->iterations);
    assert_int_equal(x->generations, y->generations);
    assert_int_equal(x->individuals, y->individuals);
    assert_int_equal(x->restarts, y->restarts);
    assert_memory_equal(&x->diversity, &y->diversity, sizeof x->diversity);
    assert_memory_equal(&x->temperature, &y->temperature, sizeof x->temperature);
    assert_memory_equal(&x->swap_rate, &y->swap_rate, sizeof x->swap_rate);
  }
  assert_memory_equal(a->best, b->best, bytes);
  assert_memory_equal(a->elite, b->elite, bytes);
}

/* Side by side or one after the other, recorded as a CUDA graph or not: generation budgets
 * give the same results. */
static void queues_change_nothing(void **state) {
  (void)state;
  static const prism_method_t methods[] = {PRISM_METHOD_POOL, PRISM_METHOD_TEMPERING,
                                           PRISM_METHOD_TABUCOL, PRISM_METHOD_WEIGHTED,
                                           PRISM_METHOD_PARTIALCOL};
  print_message("seed %llu\n", (unsigned long long)seed);
  for (int m = 0; m < gpu_repeats(5, 2); ++m) {
    const bool tempers = methods[m] == PRISM_METHOD_TEMPERING;
    prism_graph_t *graph = gnp(tempers ? gpu_repeats(140, 40) : 140, 0.5, seed + 1);
    prism_gpu_setup_t setup = plain_setup();
    record_t first = record(graph, &setup, methods[m]);
    for (int mode = 1; mode < 6; ++mode) {
      setup = plain_setup();
      setup.params.async = mode == 5 || (mode & 1) == 0;
      setup.params.graph = (mode & 2) == 0;
      setup.params.stream_mode = mode == 4; /* one stream for everything */
      setup.params.profile = mode == 5;
      record_t other = record(graph, &setup, methods[m]);
      check_same(&first, &other, graph->n);
      release(&other);
    }
    release(&first);
    prism_graph_destroy(&graph);
  }
}

/* ---- where the time goes ---- */

static const prism_gpu_part_t *part_named(const prism_gpu_profile_t *profile, const char *name) {
  for (int32_t i = 0; i < profile->parts; ++i)
    if (strcmp(profile->part[i].name, name) == 0) return &profile->part[i];
  fail_msg("%s was not measured", name);
  return NULL;
}

static void check_count(const prism_gpu_profile_t *profile, const char *name, int64_t count) {
  const prism_duration_t *time = &part_named(profile, name)->time;
  assert_int_equal(time->count, count);
  assert_true(time->min >= 0.0 && time->min <= time->mean && time->mean <= time->max);
}

/* Each part is counted as often as it runs, its moves are the engine's, and what one stream
 * does one after the other takes no longer than the whole. */
static void the_time_is_told(void **state) {
  (void)state;
  static const prism_method_t methods[] = {PRISM_METHOD_POOL, PRISM_METHOD_TABUCOL,
                                           PRISM_METHOD_TEMPERING};
  enum { METHODS = 3, LENGTH = 400, GENERATIONS = 6 };
  const int shown = gpu_repeats(METHODS, 2); /* ladders fill the GPU */
  prism_graph_t *graph = gnp(140, 0.5, seed + 9);
  prism_gpu_setup_t setup = plain_setup();
  static prism_gpu_profile_t profile;
  setup.params.profile = true;
  prism_engine_t engine = open_engine(&setup, graph, 1, seed);
  int64_t moves[METHODS] = {0}, generations[METHODS] = {0}, all = 0;
  for (int32_t k = 13; k >= 12; --k) {
    for (int m = 0; m < shown; ++m) {
      prism_work_t work = work_of(methods[m], k, GENERATIONS);
      work.params.generation_iterations =
          methods[m] == PRISM_METHOD_TEMPERING ? 20 * graph->n : LENGTH;
      shorten(&work);
      prism_summary_t summary = perform(&engine, 0, &work);
      moves[m] += summary.iterations;
      generations[m] += summary.generations;
      all += summary.generations;
    }
  }
  assert_true(engine.ops->gpu_profile(engine.self, &profile));
  for (int m = 0; m < shown; ++m) {
    char name[PRISM_GPU_PART_BYTES];
    snprintf(name, sizeof name, "%s search", prism_method_name(methods[m]));
    check_count(&profile, name, generations[m]);
    assert_int_equal(part_named(&profile, name)->iterations, moves[m]);
    assert_true(prism_gpu_part_rate(part_named(&profile, name)) > 0.0);
    snprintf(name, sizeof name, "%s report", prism_method_name(methods[m]));
    check_count(&profile, name, generations[m]);
  }
  check_count(&profile, "pool mates", generations[0] - 2); /* the first at a k has no mates */
  check_count(&profile, "pool crossover", generations[0] - 2);
  check_count(&profile, "pool distance", generations[0] - 2);
  check_count(&profile, "pool update", generations[0]);
  check_count(&profile, "device start", 1);
  check_count(&profile, "graph upload", 2);
  check_count(&profile, "new population", 2 * shown);
  check_count(&profile, "upload", all);
  check_count(&profile, "download", all);
  double sum = 0.0;
  for (int32_t i = 0; i < profile.parts; ++i)
    if (strstr(profile.part[i].name, "load") == NULL ||
        strcmp(profile.part[i].name, "graph upload") == 0)
      sum += profile.part[i].time.total;
  print_message("%.3f of %.3f s have a name\n", sum, profile.wall);
  assert_true(sum > 0.0 && sum < 1.01 * profile.wall + 1e-3);
  prism_engine_destroy(&engine);
  setup.params.profile = false; /* nobody asks, nothing is told */
  engine = open_engine(&setup, graph, 1, seed);
  prism_work_t work = work_of(PRISM_METHOD_POOL, 13, 2);
  shorten(&work);
  perform(&engine, 0, &work);
  assert_true(engine.ops->gpu_profile(engine.self, &profile));
  assert_int_equal(profile.parts, 0);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* The driver is asked once a second; in between its last answer stands, and nothing that was
 * told is told again. */
static void health_is_told_once(void **state) {
  (void)state;
  prism_graph_t *graph = gnp(30, 0.5, seed + 10);
  prism_gpu_setup_t setup = plain_setup();
  prism_engine_t engine = open_engine(&setup, graph, 1, seed);
  prism_gpu_stats_t first, again;
  assert_true(engine.ops->gpu_stats(engine.self, &first));
  assert_true(engine.ops->gpu_stats(engine.self, &again));
  assert_in_range(first.notices, 0, PRISM_GPU_NOTICES);
  for (int32_t i = 0; i < first.notices; ++i) {
    print_message("%s: %s\n", first.notice[i].warning ? "warning" : "remark",
                  first.notice[i].text);
    assert_true(strlen(first.notice[i].text) > 5);
  }
  assert_int_equal(again.notices, 0);
  assert_memory_equal(&first.temperature_c, &again.temperature_c, sizeof first.temperature_c);
  assert_memory_equal(&first.power_w, &again.power_w, sizeof first.power_w);
  assert_true(again.wall >= first.wall);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* ---- tempering ---- */

static void temperatures_are_tuned_and_told(void **state) {
  (void)state;
  const int64_t generations = gpu_repeats(20, 2);
  const int32_t k = gpu_repeats(11, 4);
  prism_graph_t *graph = gnp(gpu_repeats(100, 30), 0.5, seed + 2);
  prism_gpu_setup_t setup = plain_setup();
  prism_engine_t engine;
  const int32_t island = open_tempering(&setup, graph, seed, &engine);
  prism_work_t work = work_of(PRISM_METHOD_TEMPERING, k, generations);
  work.params.ladder = (prism_ladder_params_t){.replicas = 5, .sweeps = 2};
  work.params.generation_iterations = 20 * 2 * graph->n;
  double least = 1.0, most = 0.0;
  for (int t = 0; t < gpu_repeats(20, 1); ++t) {
    prism_summary_t summary = perform(&engine, island, &work);
    assert_int_equal(summary.individuals % 5, 0);
    assert_int_equal(summary.iterations,
                     generations * work.params.generation_iterations * summary.individuals);
    assert_true(summary.temperature > 0.0 && summary.diversity < 0.0);
    assert_true(summary.swap_rate >= 0.0 && summary.swap_rate <= 1.0);
    least = summary.swap_rate < least || t == 0 ? summary.swap_rate : least;
    most = summary.swap_rate > most ? summary.swap_rate : most;
    if (t == 19) assert_true(summary.swap_rate > 0.1 && summary.swap_rate < 0.5);
  }
  print_message("exchanges accepted: %.2f to %.2f\n", least, most);
  work = work_of(PRISM_METHOD_POOL, k, 1);
  shorten(&work);
  assert_true(perform(&engine, 0, &work).temperature <= 0.0);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* The memetic island and one for tempering on streams of their phases. What they find does
 * not depend on whether they run at once. */
static void tempering_beside_the_pool(void **state) {
  (void)state;
  enum { N = 150, ISLANDS = 2 };
  static int32_t once[ISLANDS][N], turns[ISLANDS][N];
  const bool full = gpu_repeats(1, 0) == 1;
  const int32_t k = full ? 10 : 5;
  prism_graph_t *graph = gnp(full ? N : 40, 0.5, seed + 3);
  prism_gpu_setup_t setup = plain_setup();
  setup.tempering = 1;
  if (!full) setup.params.thermodynamic_share = 0.01;
  int32_t stream[ISLANDS], color[N], all = 0;
  for (int both = 1; both >= 0; --both) {
    prism_engine_t engine = open_engine(&setup, graph, ISLANDS, seed);
    uint32_t first = methods_of(&engine, 0, &stream[0]), last = methods_of(&engine, 1, &stream[1]);
    assert_int_equal(first & last, 0);
    assert_int_equal(last, PRISM_METHOD_BIT(PRISM_METHOD_TEMPERING));
    assert_true((first & PRISM_METHOD_BIT(PRISM_METHOD_POOL)) != 0);
    assert_int_equal(stream[0], prism_phase_find(PRISM_PHASE_MEMETIC)->stream);
    assert_int_equal(stream[1], prism_phase_find(PRISM_PHASE_THERMODYNAMIC)->stream);
    prism_work_t work[ISLANDS] = {work_of(PRISM_METHOD_POOL, k, 12),
                                  work_of(PRISM_METHOD_TEMPERING, k, gpu_repeats(4, 2))};
    for (int i = 0; i < ISLANDS; ++i) shorten(&work[i]);
    int64_t ticket = -1;
    assert_int_equal(engine.ops->submit(engine.self, 0, &work[1], &ticket), PRISM_UNSUPPORTED);
    assert_int_equal(engine.ops->submit(engine.self, 1, &work[0], &ticket), PRISM_UNSUPPORTED);
    prism_summary_t summary[ISLANDS];
    if (both == 1) {
      int64_t one = submit(&engine, 0, &work[0]), other = submit(&engine, 1, &work[1]);
      summary[0] = finish(&engine, one);
      summary[1] = finish(&engine, other);
    } else {
      for (int i = 0; i < ISLANDS; ++i) summary[i] = perform(&engine, i, &work[i]);
    }
    all = summary[1].individuals;
    for (int i = 0; i < ISLANDS; ++i)
      assert_int_equal(take(&engine, i, graph, 0, both == 1 ? once[i] : turns[i]),
                       summary[i].f_best);
    /* A migrant is nothing for replicas: it would spoil their distribution. */
    prism_import_result_t result;
    must(engine.ops->import_colors(engine.self, 1, once[0], k, false, &result));
    assert_false(result.accepted);
    prism_engine_destroy(&engine);
  }
  assert_memory_equal(once, turns, sizeof once);
  if (full) {
    prism_engine_t alone = open_engine(&setup, graph, 1, seed); /* has the whole GPU */
    prism_work_t work = work_of(PRISM_METHOD_TEMPERING, k, 1);
    assert_true(perform(&alone, 0, &work).individuals >= all);
    take(&alone, 0, graph, 1, color);
    prism_engine_destroy(&alone);
  }
  prism_graph_destroy(&graph);
}

static void setups_are_checked(void **state) {
  (void)state;
  prism_graph_t *graph = gnp(20, 0.5, seed + 4);
  prism_gpu_setup_t setup = plain_setup();
  setup.params.enable_thermodynamic_gpu = false;
  prism_engine_t engine = open_engine(&setup, graph, 1, seed);
  assert_int_equal(methods_of(&engine, 0, NULL) & PRISM_METHOD_BIT(PRISM_METHOD_TEMPERING), 0);
  prism_engine_destroy(&engine);
  setup.tempering = 2;
  prism_engine_config_t config = {.graph = graph, .seed = 1, .islands = 1};
  prism_engine_backend_t backend = prism_cuda_backend(&setup);
  assert_int_equal(backend.create(&config, backend.context, &engine), PRISM_INVALID);
  prism_graph_destroy(&graph);
}

/* By moves or by the clock, a legal colouring ends the work and is what it claims. */
static void replicas_find_colorings(void **state) {
  (void)state;
  enum { N = 160 };
  const int32_t k = gpu_repeats(7, 4);
  prism_graph_t *graph = planted(gpu_repeats(N, 60), k, 0.6, seed + 5);
  for (int timed = 0; timed < 2; ++timed) {
    prism_gpu_setup_t setup = plain_setup();
    prism_engine_t engine;
    const int32_t island = open_tempering(&setup, graph, seed, &engine);
    prism_work_t work = work_of(PRISM_METHOD_TEMPERING, k, timed == 0 ? 1000 : 0);
    work.params.generation_iterations = gpu_repeats(0, 10 * 60);
    work.seconds = timed == 1 ? gpu_repeats(60, 200) : 0.0;
    int32_t color[N];
    prism_summary_t summary = perform(&engine, island, &work);
    assert_int_equal(summary.f_best, 0);
    assert_int_equal(take(&engine, island, graph, 0, color), 0);
    work.k = k + 1;
    assert_int_equal(perform(&engine, island, &work).f_best, 0);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* ---- hooks ---- */

static void frozen_vertices_of_replicas_stay(void **state) {
  (void)state;
  enum { N = 130, K = 6 };
  prism_graph_t *graph = gnp(N, 0.1, seed + 6);
  uint64_t frozen[3] = {0};
  int32_t start[N], color[N];
  uint32_t changes[N], time[N];
  prism_rng_t rng = prism_rng_stream(seed, 6, 0, PRISM_RNG_TEST);
  draw_colors(&rng, N, K, start);
  for (int32_t v = 0; v < N; v += 3) prism_bitset_add(frozen, v);
  prism_hooks_t hooks = {.frozen = frozen, .counters = true};
  prism_gpu_setup_t setup = plain_setup();
  prism_engine_t engine;
  const int32_t island = open_tempering(&setup, graph, seed, &engine);
  prism_import_result_t result;
  must(engine.ops->set_hooks(engine.self, island, &hooks));
  must(engine.ops->import_colors(engine.self, island, start, K, true, &result));
  prism_work_t work = work_of(PRISM_METHOD_TEMPERING, K, gpu_repeats(2, 1));
  work.params.generation_iterations = gpu_repeats(30, 4) * N;
  for (int ticket = 0; ticket < gpu_repeats(3, 2); ++ticket) {
    perform(&engine, island, &work);
    for (int which = 0; which < 2; ++which) {
      take(&engine, island, graph, which, color);
      for (int32_t v = 0; v < N; v += 3) assert_int_equal(color[v], start[v]);
    }
  }
  must(engine.ops->export_counters(engine.self, island, PRISM_COUNTER_color_changes, changes));
  must(engine.ops->export_counters(engine.self, island, PRISM_COUNTER_conflict_time, time));
  int64_t moved = 0, waited = 0;
  for (int32_t v = 0; v < N; ++v) {
    if (v % 3 == 0) assert_int_equal(changes[v], 0);
    moved += changes[v];
    waited += time[v];
  }
  assert_true(moved > 0 && waited > 0);
  prism_graph_destroy(&graph);
  prism_engine_destroy(&engine);
}

/* Two neighbours of one colour, both frozen: nothing can be done, and this takes no time. */
static void what_nothing_can_move_ends(void **state) {
  (void)state;
  enum { N = 4, K = 4 };
  static const int32_t pairs[] = {0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3};
  prism_graph_t *graph = NULL;
  must(prism_graph_from_edges(N, pairs, 6, NULL, &graph));
  uint64_t frozen[1] = {0xF};
  int32_t start[N] = {0, 0, 1, 2}, color[N];
  prism_hooks_t hooks = {.frozen = frozen};
  static const prism_method_t methods[] = {PRISM_METHOD_PARTIALCOL, PRISM_METHOD_TABUCOL};
  for (int m = 0; m < 2; ++m) {
    prism_gpu_setup_t setup = plain_setup();
    prism_engine_t engine = open_engine(&setup, graph, 1, seed);
    prism_import_result_t result;
    must(engine.ops->set_hooks(engine.self, 0, &hooks));
    must(engine.ops->import_colors(engine.self, 0, start, K, true, &result));
    prism_work_t work = work_of(methods[m], K, 0);
    work.iterations = 100000;
    work.params.generation_iterations = 1000;
    assert_int_equal(perform(&engine, 0, &work).f_best, 1);
    assert_int_equal(take(&engine, 0, graph, 0, color), 1);
    assert_memory_equal(color, start, sizeof start);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* Weights from one k to the next, with and without those of another method in between;
 * the numbers show that what is carried over is used, or at least not mixed up. */
static void weights_outlive_a_k(void **state) {
  (void)state;
  enum { N = 120 };
  prism_graph_t *graph = gnp(N, 0.5, seed + 8);
  prism_gpu_setup_t setup = plain_setup();
  int32_t color[N];
  for (int between = 0; between < 2; ++between) {
    prism_engine_t engine = open_engine(&setup, graph, 1, seed);
    for (int32_t k = 14; k >= 12; --k) {
      prism_work_t work = work_of(PRISM_METHOD_POOL, k, 1);
      work.params.generation_iterations = 300;
      shorten(&work);
      if (between == 1) perform(&engine, 0, &work);
      work.phase = prism_method_phase(work.params.method = PRISM_METHOD_WEIGHTED);
      work.generations = 3;
      prism_summary_t summary = perform(&engine, 0, &work);
      assert_int_equal(take(&engine, 0, graph, 0, color), summary.f_best);
    }
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* ---- little memory ---- */

static void little_memory_makes_a_smaller_pool(void **state) {
  (void)state;
  enum { N = 500, WANTED = 60000 };
  if (gpu_repeats(1, 0) == 0) skip(); /* tens of thousands have room even then */
  static const prism_method_t methods[] = {PRISM_METHOD_POOL, PRISM_METHOD_TABUCOL};
  size_t free_bytes = 0, total = 0;
  must_cuda(cudaMemGetInfo(&free_bytes, &total));
  prism_graph_t *graph = gnp(N, 0.02, seed + 7);
  prism_gpu_setup_t setup = plain_setup();
  setup.params.memory_fraction = 4.8e7 / (double)free_bytes; /* 48 MB; a member takes 2 KB */
  for (int m = 0; m < 2; ++m) {
    prism_engine_t engine = open_engine(&setup, graph, 1, seed);
    prism_work_t work = work_of(methods[m], 4, 1);
    work.params.population = WANTED;
    work.params.generation_iterations = 1;
    int32_t color[N];
    prism_summary_t summary = perform(&engine, 0, &work);
    print_message("%s: %s\n", prism_method_name(methods[m]), summary.note);
    assert_in_range(summary.individuals, 1000, WANTED / 2);
    assert_non_null(strstr(summary.note, "memory"));
    assert_int_equal(take(&engine, 0, graph, 0, color), summary.f_best);
    assert_string_equal(perform(&engine, 0, &work).note, ""); /* said once */
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(queues_change_nothing),
      cmocka_unit_test(the_time_is_told),
      cmocka_unit_test(health_is_told_once),
      cmocka_unit_test(temperatures_are_tuned_and_told),
      cmocka_unit_test(tempering_beside_the_pool),
      cmocka_unit_test(setups_are_checked),
      cmocka_unit_test(replicas_find_colorings),
      cmocka_unit_test(frozen_vertices_of_replicas_stay),
      cmocka_unit_test(what_nothing_can_move_ends),
      cmocka_unit_test(weights_outlive_a_k),
      cmocka_unit_test(little_memory_makes_a_smaller_pool),
  };
  return gpu_run(tests);
}
