/* The CUDA engine on graphs that do not fit the kernels in shared memory: without bit rows,
 * with more colours than their keys hold, with classes that outgrow all cells that fit.
 * What it reports is counted here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/rng.h"
#include "gpu/engine_fixture.h"
#include "gpu/pool_fixture.h"
#include "model/reduce.h"

static const uint64_t seed = 20261128;

static const prism_method_t methods[] = {PRISM_METHOD_TABUCOL, PRISM_METHOD_WEIGHTED,
                                         PRISM_METHOD_POOL};
enum { METHODS = sizeof methods / sizeof *methods };

/* Vertices v of class v % k, about `degree` neighbours each, the first `hub`. */
static prism_graph_t *sparse(int32_t n, int32_t k, double degree, int32_t hub, uint64_t number) {
  const int64_t edges = (int64_t)(degree * n / 2) + hub;
  prism_rng_t rng = prism_rng_stream(seed, number, 0, PRISM_RNG_TEST);
  int32_t *ends = NULL;
  must(PRISM_ALLOC(2 * edges, &ends));
  for (int64_t e = 0; e < edges;) {
    int32_t u = e < hub ? 0 : (int32_t)prism_rng_below(&rng, (uint32_t)n);
    int32_t v = (int32_t)prism_rng_below(&rng, (uint32_t)n);
    if (u % k == v % k) continue;
    ends[2 * e] = u;
    ends[2 * e + 1] = v;
    ++e;
  }
  prism_graph_stats_t stats;
  prism_graph_t *graph = NULL;
  must(prism_graph_from_edges(n, ends, edges, &stats, &graph));
  prism_free(ends);
  return graph;
}

/* 4 colours are enough, and what is left without the vertices that 4 colours always serve
 * is too large for bit rows. */
enum { LARGE = 110000, LARGE_K = 4 };

static prism_graph_t *large_graph(void) {
  prism_graph_t *graph = sparse(LARGE, LARGE_K, 5.6, 0, 1);
  prism_view_t *view = NULL;
  must(prism_view_create(graph, LARGE_K, &view));
  assert_true(prism_view_graph(view)->n > 65535);
  prism_view_destroy(&view);
  return graph;
}

/* The work's end: a legal colouring, but for the short form, which only begins. Returns the
 * summary of the last piece. */
static prism_summary_t solve(prism_engine_t *engine, const prism_graph_t *graph,
                             prism_work_t work, int32_t *color) {
  const bool whole = gpu_repeats(1, 0) == 1;
  if (!whole) {
    work.params.generation_iterations = 40;
    work.generations = 1;
  }
  prism_summary_t summary = finish(engine, submit(engine, 0, &work));
  assert_int_equal(take(engine, 0, graph, 0, color), summary.f_best);
  print_message("%s: %lld moves in %lld generations, %.2f s\n",
                prism_method_name(work.params.method), (long long)summary.iterations,
                (long long)summary.generations, summary.seconds);
  if (whole) assert_int_equal(summary.f_best, 0);
  return summary;
}

static prism_status_t refusal(prism_engine_t *engine, prism_method_t method, int32_t k) {
  prism_work_t work = work_of(method, k, 1);
  int64_t ticket = -1;
  return engine->ops->submit(engine->self, 0, &work, &ticket);
}

static void graphs_without_rows(void **state) {
  (void)state;
  prism_graph_t *graph = large_graph();
  int32_t *color = NULL;
  must(PRISM_ALLOC(graph->n, &color));
  for (int m = 0; m < gpu_repeats(METHODS, 1); ++m) {
    prism_gpu_setup_t setup = plain_setup();
    prism_engine_t engine = open_engine(&setup, graph, 1, seed);
    prism_island_info_t info;
    engine.ops->describe(engine.self, 0, &info);
    for (int i = 0; i < METHODS; ++i)
      assert_true((info.methods & PRISM_METHOD_BIT(methods[i])) != 0);
    assert_int_equal(info.methods & PRISM_METHOD_BIT(PRISM_METHOD_PARTIALCOL), 0);
    assert_int_equal(refusal(&engine, PRISM_METHOD_PARTIALCOL, LARGE_K), PRISM_UNSUPPORTED);
    prism_work_t work = work_of(methods[m], LARGE_K, 60);
    work.params.population = 4;
    if (m == 0) { /* the next k starts from what was found */
      work.k = LARGE_K + 1;
      solve(&engine, graph, work, color);
      work.k = LARGE_K;
    }
    if (m == 1) { /* by the clock: who is first ends it */
      work.generations = 0;
      work.seconds = 120.0;
    }
    solve(&engine, graph, work, color);
    prism_engine_destroy(&engine);
  }
  prism_free(color);
  prism_graph_destroy(&graph);
}

/* ---- however it runs ---- */

typedef struct outcome {
  prism_summary_t summary;
  int32_t *best, *elite;
} outcome_t;

static void expect_same(const outcome_t *a, const outcome_t *b, int32_t n) {
  assert_int_equal(a->summary.f_best, b->summary.f_best);
  assert_int_equal(a->summary.iterations, b->summary.iterations);
  assert_int_equal(a->summary.individuals, b->summary.individuals);
  assert_memory_equal(&a->summary.diversity, &b->summary.diversity, sizeof a->summary.diversity);
  assert_memory_equal(a->best, b->best, (size_t)n * sizeof *a->best);
  assert_memory_equal(a->elite, b->elite, (size_t)n * sizeof *a->elite);
}

static int32_t few(void) { return gpu_repeats(6, 3); } /* individuals */

static void perform(const prism_gpu_setup_t *setup, const prism_graph_t *graph,
                    prism_method_t method, outcome_t *o) {
  prism_engine_t engine = open_engine(setup, graph, 1, seed);
  prism_work_t work = work_of(method, LARGE_K, gpu_repeats(3, 1));
  work.params.population = few();
  work.params.generation_iterations = gpu_repeats(500, 40); /* far too short for a find */
  o->summary = finish(&engine, submit(&engine, 0, &work));
  assert_int_equal(take(&engine, 0, graph, 0, o->best), o->summary.f_best);
  take(&engine, 0, graph, 1, o->elite);
  prism_engine_destroy(&engine);
}

/* Side by side, recorded or one by one, all individuals at once or in turns: the same. */
static void neither_queues_nor_turns_matter(void **state) {
  (void)state;
  prism_graph_t *graph = large_graph();
  outcome_t o[2];
  size_t free_bytes = 0, total = 0;
  must_cuda(cudaMemGetInfo(&free_bytes, &total));
  for (int i = 0; i < 2; ++i) {
    must(PRISM_ALLOC(graph->n, &o[i].best));
    must(PRISM_ALLOC(graph->n, &o[i].elite));
  }
  for (int m = 0; m < gpu_repeats(METHODS, 1); ++m) {
    for (int mode = 0; mode < 4; ++mode) {
      prism_gpu_setup_t setup = plain_setup();
      setup.params.async = mode != 1;
      setup.params.graph = mode != 2;
      if (mode == 3) setup.params.memory_fraction = 1.28e8 / (double)free_bytes; /* for a few */
      perform(&setup, graph, methods[m], &o[mode > 0]);
      assert_int_equal(o[mode > 0].summary.individuals, few());
      if (mode > 0) expect_same(&o[0], &o[1], graph->n);
    }
  }
  for (int i = 0; i < 2; ++i) {
    prism_free(o[i].best);
    prism_free(o[i].elite);
  }
  prism_graph_destroy(&graph);
}

static void migrants_come_in(void **state) {
  (void)state;
  prism_graph_t *graph = large_graph();
  int32_t *color = NULL, *legal = NULL;
  must(PRISM_ALLOC(graph->n, &color));
  must(PRISM_ALLOC(graph->n, &legal));
  for (int32_t v = 0; v < graph->n; ++v) legal[v] = v % LARGE_K;
  prism_gpu_setup_t setup = plain_setup();
  prism_engine_t engine = open_engine(&setup, graph, 1, seed);
  prism_work_t work = work_of(PRISM_METHOD_POOL, LARGE_K, 2);
  work.params.population = 4;
  work.params.generation_iterations = gpu_repeats(300, 40);
  assert_true(finish(&engine, submit(&engine, 0, &work)).f_best > 0);
  prism_import_result_t result;
  take(&engine, 0, graph, 1, color);
  must(engine.ops->import_colors(engine.self, 0, color, LARGE_K, false, &result));
  assert_false(result.accepted);
  assert_int_equal(result.distance, 0);
  must(engine.ops->import_colors(engine.self, 0, legal, LARGE_K, false, &result));
  assert_true(result.accepted);
  assert_in_range(result.distance, graph->n / 10, graph->n);
  prism_summary_t summary = finish(&engine, submit(&engine, 0, &work));
  assert_int_equal(take(&engine, 0, graph, 0, color), summary.f_best);
  assert_in_range((int64_t)(100.0 * summary.diversity), 10, 100);
  prism_engine_destroy(&engine);
  prism_free(color);
  prism_free(legal);
  prism_graph_destroy(&graph);
}

/* ---- hooks ---- */

static void hooks_hold_without_rows(void **state) {
  (void)state;
  enum { N = 70001, K = 5 };
  prism_graph_t *graph = sparse(N, K, 6.0, 0, 2);
  prism_rng_t rng = prism_rng_stream(seed, 2, 1, PRISM_RNG_TEST);
  int32_t *start = NULL, *color = NULL, *weight = NULL;
  uint32_t *changes = NULL, *time = NULL;
  uint64_t *frozen = NULL;
  float *score = NULL;
  must(PRISM_ALLOC(N, &start));
  must(PRISM_ALLOC(N, &color));
  must(PRISM_ALLOC(2 * graph->m, &weight));
  must(PRISM_ALLOC(N, &changes));
  must(PRISM_ALLOC(N, &time));
  must(PRISM_ALLOC(N, &score));
  must(PRISM_ALLOC_ZERO(prism_bitset_words(N), &frozen));
  draw_colors(&rng, N, K, start);
  for (int32_t v = 0; v < N; ++v) {
    score[v] = (float)prism_rng_below(&rng, 3) - 1.0f;
    if (v % 3 == 0) prism_bitset_add(frozen, v);
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
      weight[e] = 1 + (v + graph->neighbor[e]) % 4;
  }
  prism_hooks_t hooks = {.score = score, .edge_weight = weight, .frozen = frozen,
                         .counters = true};
  for (int m = 0; m < 2; ++m) { /* crossover keeps no frozen vertices */
    prism_gpu_setup_t setup = plain_setup();
    prism_engine_t engine = open_engine(&setup, graph, 1, seed);
    prism_import_result_t result;
    must(engine.ops->set_hooks(engine.self, 0, &hooks));
    must(engine.ops->import_colors(engine.self, 0, start, K, true, &result));
    prism_work_t work = work_of(methods[m], K, 3);
    work.params.population = 3;
    work.params.generation_iterations = gpu_repeats(1000, 100);
    const int64_t before = prism_coloring_conflicts(graph, start);
    prism_summary_t summary = finish(&engine, submit(&engine, 0, &work));
    assert_true(summary.f_best < before);
    for (int which = 0; which < 2; ++which) {
      take(&engine, 0, graph, which, color);
      for (int32_t v = 0; v < N; v += 3) assert_int_equal(color[v], start[v]);
    }
    must(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_color_changes, changes));
    must(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_conflict_time, time));
    int64_t moved = 0, waited = 0;
    for (int32_t v = 0; v < N; ++v) {
      if (v % 3 == 0) assert_int_equal(changes[v] + time[v], 0);
      moved += changes[v];
      waited += time[v];
    }
    assert_in_range(moved, 1, summary.iterations);
    assert_true(waited >= summary.iterations);
    must(engine.ops->set_hooks(engine.self, 0, NULL));
    prism_engine_destroy(&engine);
  }
  prism_free(start);
  prism_free(color);
  prism_free(weight);
  prism_free(changes);
  prism_free(time);
  prism_free(score);
  prism_free(frozen);
  prism_graph_destroy(&graph);
}

/* ---- many colours ---- */

static void more_colors_than_keys_hold(void **state) {
  (void)state;
  enum { N = 2200, K = 1050 };
  static const prism_method_t all[] = {PRISM_METHOD_POOL, PRISM_METHOD_TABUCOL,
                                       PRISM_METHOD_WEIGHTED, PRISM_METHOD_PARTIALCOL};
  static int32_t color[N];
  prism_graph_t *graph = gnp(N, 0.99, seed);
  prism_gpu_setup_t setup = plain_setup();
  prism_engine_t engine = open_engine(&setup, graph, 1, seed); /* one for all: they share it */
  for (int m = 0; m < gpu_repeats(4, 1); ++m) {
    prism_work_t work = work_of(all[m], K, 40);
    prism_summary_t summary = solve(&engine, graph, work, color);
    assert_true(summary.iterations > 0);
    const bool told = strstr(summary.note, "tabucol stands in") != NULL;
    assert_int_equal(told, all[m] == PRISM_METHOD_PARTIALCOL);
    work.generations = 1;
    assert_string_equal(finish(&engine, submit(&engine, 0, &work)).note, ""); /* said once */
  }
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* A random graph of REST vertices, which no greedy heuristic colours with MORE colours, and a
 * clique all of whose vertices are joined to it. */
enum { REST = 200, MORE = 30 };

static prism_graph_t *joined(int32_t clique) {
  const int32_t n = clique + REST;
  prism_graph_t *rest = gnp(REST, 0.5, seed), *graph = NULL;
  int64_t *offset = NULL, at = 0;
  int32_t *neighbor = NULL;
  must(PRISM_ALLOC(n + 1, &offset));
  must(PRISM_ALLOC((int64_t)n * n, &neighbor));
  for (int32_t v = 0; v < n; ++v) {
    offset[v] = at;
    for (int32_t u = 0; u < (v < clique ? n : clique); ++u)
      if (u != v) neighbor[at++] = u;
    for (int64_t e = v < clique ? 0 : rest->offset[v - clique];
         v >= clique && e < rest->offset[v - clique + 1]; ++e)
      neighbor[at++] = clique + rest->neighbor[e];
  }
  offset[n] = at;
  prism_graph_stats_t stats;
  must(prism_graph_from_csr(n, offset, neighbor, &stats, &graph));
  prism_free(offset);
  prism_free(neighbor);
  prism_graph_destroy(&rest);
  return graph;
}

/* So many colours that a pool does not breed: its members go on, each for itself. */
static void pools_that_do_not_breed(void **state) {
  (void)state;
  enum { CLIQUE = 4100, N = CLIQUE + REST, K = CLIQUE + MORE };
  static int32_t color[N];
  prism_graph_t *graph = joined(CLIQUE);
  int64_t last = INT64_MAX;
  for (int64_t length = 3; length <= gpu_repeats(30, 3); length *= 10) {
    prism_gpu_setup_t setup = plain_setup();
    prism_engine_t engine = open_engine(&setup, graph, 1, seed);
    prism_work_t work = work_of(PRISM_METHOD_POOL, K, 2);
    work.params.population = 4;
    work.params.generation_iterations = length;
    for (int ticket = 0; ticket < 2; ++ticket) {
      prism_summary_t summary = finish(&engine, submit(&engine, 0, &work));
      assert_int_equal(take(&engine, 0, graph, 0, color), summary.f_best);
      assert_true(summary.f_best < last && summary.diversity < 0.0);
      assert_int_equal(summary.iterations, 2 * 4 * length);
      last = summary.f_best;
    }
    prism_import_result_t result;
    must(engine.ops->import_colors(engine.self, 0, color, K, false, &result));
    assert_false(result.accepted);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* ---- cells ---- */

/* Cells of 8 bits fit, but not the classes into them, and wider cells do not fit. */
static void classes_that_outgrow_all_cells(void **state) {
  (void)state;
  enum { N = 12001, K = 5 };
  static const prism_method_t all[] = {PRISM_METHOD_TABUCOL, PRISM_METHOD_POOL,
                                       PRISM_METHOD_WEIGHTED, PRISM_METHOD_PARTIALCOL};
  static int32_t color[N];
  prism_graph_t *graph = sparse(N, K, 8.0, 400, 3);
  for (int m = 0; m < gpu_repeats(4, 1); ++m) {
    prism_gpu_setup_t setup = plain_setup();
    prism_engine_t engine = open_engine(&setup, graph, 1, seed);
    prism_work_t work = work_of(all[m], K, m < 3 ? 40 : 2);
    prism_island_info_t info;
    engine.ops->describe(engine.self, 0, &info);
    if (m < 3) {
      prism_work_t first = work;
      first.generations = 1; /* those that are lost do not count */
      first.params.generation_iterations = 40;
      prism_summary_t summary = finish(&engine, submit(&engine, 0, &first));
      assert_int_equal(take(&engine, 0, graph, 0, color), summary.f_best);
      if (m == 0) assert_true(summary.generations > 1); /* weights have wide cells at once */
      prism_engine_destroy(&engine); /* its population keeps those short generations */
      engine = open_engine(&setup, graph, 1, seed);
      solve(&engine, graph, work, color);
    } else if ((info.methods & PRISM_METHOD_BIT(all[m])) != 0) { /* no wide one of its own */
      prism_summary_t summary = finish(&engine, submit(&engine, 0, &work));
      assert_int_equal(take(&engine, 0, graph, 0, color), summary.f_best);
    }
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(graphs_without_rows),
      cmocka_unit_test(neither_queues_nor_turns_matter),
      cmocka_unit_test(migrants_come_in),
      cmocka_unit_test(hooks_hold_without_rows),
      cmocka_unit_test(more_colors_than_keys_hold),
      cmocka_unit_test(pools_that_do_not_breed),
      cmocka_unit_test(classes_that_outgrow_all_cells),
  };
  return gpu_run(tests);
}
