#include "engine_suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/generate.h"
#include "oracle.h"

static const double hang_guard = 120.0;

void engine_suite_fail(const engine_suite_t *suite, const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: engine %s: check failed: %s\n  last error: %s\n%s", file, line,
          suite->name, what, prism_error_text(), prism_error_trace());
  suite->abandon();
}

#define CHECK(condition) SUITE_CHECK(suite, condition)
#define CHECK_OK(call) CHECK((call) == PRISM_OK)

/* ---- tools ---- */

prism_graph_t *engine_suite_random(const engine_suite_t *suite, int32_t n, double p,
                                   uint64_t seed) {
  prism_generated_t made = {0};
  CHECK_OK(prism_generate_gnp(n, p, seed, &made));
  return made.graph;
}

prism_graph_t *engine_suite_planted(const engine_suite_t *suite, int32_t n, int32_t k, double p,
                                    uint64_t seed) {
  prism_generated_t made = {0};
  CHECK_OK(prism_generate_planted(n, k, p, 0, seed, &made));
  return made.graph;
}

prism_graph_t *engine_suite_cliques(const engine_suite_t *suite, int32_t count) {
  int32_t pairs[2 * 6 * 64], edges = 0;
  CHECK(count <= 64);
  for (int32_t base = 0; base < 4 * count; base += 4)
    for (int32_t u = 0; u < 4; ++u)
      for (int32_t v = 0; v < u; ++v) {
        pairs[2 * edges] = base + u;
        pairs[2 * edges++ + 1] = base + v;
      }
  prism_graph_t *graph = NULL;
  CHECK_OK(prism_graph_from_edges(4 * count, pairs, edges, NULL, &graph));
  return graph;
}

prism_engine_t engine_suite_open(const engine_suite_t *suite, const prism_graph_t *graph,
                                 uint64_t seed, int32_t islands, int32_t first_island) {
  prism_engine_t engine = {0};
  prism_engine_config_t config = {.graph = graph, .seed = seed, .islands = islands,
                                  .first_island = first_island};
  CHECK_OK(suite->backend.create(&config, suite->backend.context, &engine));
  CHECK(engine.ops != NULL && engine.islands == islands);
  CHECK(engine.ops->name != NULL && engine.ops->detail != NULL);
  return engine;
}

prism_work_t engine_suite_work(prism_method_t method, int32_t k, int64_t iterations) {
  return (prism_work_t){.phase = PRISM_PHASE_MEMETIC,
                        .k = k,
                        .params = {.version = 1, .method = method, .tenure_base = 10.0,
                                   .tenure_slope = 0.6},
                        .iterations = iterations};
}

static int64_t submit(const engine_suite_t *suite, prism_engine_t *engine, int32_t island,
                      const prism_work_t *work) {
  int64_t ticket = -1;
  CHECK_OK(engine->ops->submit(engine->self, island, work, &ticket));
  return ticket;
}

static prism_summary_t finish(const engine_suite_t *suite, prism_engine_t *engine,
                              int64_t ticket) {
  prism_summary_t summary = {0};
  bool done = false;
  double begin = prism_clock_now();
  while (!done) {
    CHECK_OK(engine->ops->poll(engine->self, ticket, 1.0, &done, &summary));
    CHECK(prism_clock_now() - begin < hang_guard);
  }
  return summary;
}

prism_summary_t engine_suite_do(const engine_suite_t *suite, prism_engine_t *engine,
                                int32_t island, const prism_work_t *work) {
  prism_summary_t summary = finish(suite, engine, submit(suite, engine, island, work));
  CHECK(summary.island == island && summary.k == work->k);
  CHECK(summary.phase == work->phase && summary.method == work->params.method);
  CHECK(summary.f_best >= 0 && summary.f_ticket >= summary.f_best);
  CHECK(summary.iterations >= 0 && summary.generations >= 0 && summary.seconds >= 0.0);
  CHECK(summary.diversity <= 1.0);
  return summary;
}

int64_t engine_suite_export(const engine_suite_t *suite, prism_engine_t *engine, int32_t island,
                            const prism_graph_t *graph, int32_t which, int32_t *color,
                            int32_t *k) {
  int64_t f = -1;
  memset(color, 0xFF, (size_t)graph->n * sizeof *color);
  CHECK_OK(engine->ops->export_colors(engine->self, island, which, 12345u, color, k, &f));
  for (int32_t v = 0; v < graph->n; ++v) CHECK(color[v] >= 0 && color[v] < *k);
  CHECK(f == oracle_conflicts(graph, color));
  return f;
}

static bool is_population(prism_method_t method) {
  return method == PRISM_METHOD_HEAD || method == PRISM_METHOD_POOL;
}

/* ---- tickets ---- */

static void bad_calls_are_refused(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 60, 0.5, 1);
  prism_engine_t engine = {0};
  prism_engine_config_t none = {.graph = graph, .seed = 1, .islands = 0};
  CHECK(suite->backend.create(&none, suite->backend.context, &engine) == PRISM_INVALID);
  engine = engine_suite_open(suite, graph, 1, 2, 0);
  prism_work_t work = engine_suite_work(PRISM_METHOD_TABUCOL, 5, 100);
  int64_t ticket = -1, f = 0;
  int32_t color[60], k = 0;
  CHECK(engine.ops->submit(engine.self, -1, &work, &ticket) == PRISM_INVALID);
  CHECK(engine.ops->submit(engine.self, 2, &work, &ticket) == PRISM_INVALID);
  work.k = 0;
  CHECK(engine.ops->submit(engine.self, 0, &work, &ticket) == PRISM_INVALID);
  work.k = 5;
  work.iterations = 0; /* no budget at all */
  CHECK(engine.ops->submit(engine.self, 0, &work, &ticket) == PRISM_INVALID);
  CHECK(ticket == -1);
  bool done = false;
  prism_summary_t summary;
  CHECK(engine.ops->poll(engine.self, 77, 0.0, &done, &summary) == PRISM_INVALID);
  /* An island that never worked has nothing to show. */
  CHECK(engine.ops->export_colors(engine.self, 0, 0, 0, color, &k, &f) == PRISM_INVALID);
  CHECK(engine.ops->export_colors(engine.self, 2, 0, 0, color, &k, &f) == PRISM_INVALID);
  work.iterations = 10;
  ticket = submit(suite, &engine, 0, &work);
  finish(suite, &engine, ticket);
  CHECK(engine.ops->poll(engine.self, ticket, 0.0, &done, &summary) == PRISM_INVALID);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* Work of a phase that an engine lacks fails at submit or comes out of poll. */
static void unknown_phase_is_unsupported(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 40, 0.5, 2);
  prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
  prism_work_t work = engine_suite_work(PRISM_METHOD_TABUCOL, 4, 100);
  work.phase = PRISM_PHASE_VALIDATION;
  int64_t ticket = -1;
  bool done = false;
  prism_summary_t summary;
  prism_status_t status = engine.ops->submit(engine.self, 0, &work, &ticket);
  while (status == PRISM_OK && !done)
    status = engine.ops->poll(engine.self, ticket, 1.0, &done, &summary);
  CHECK(status == PRISM_UNSUPPORTED);
  CHECK(prism_error_text()[0] != '\0');
  work.phase = PRISM_PHASE_MEMETIC; /* and the island still serves */
  engine_suite_do(suite, &engine, 0, &work);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

static void busy_island_is_refused(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 200, 0.5, 3);
  prism_engine_t engine = engine_suite_open(suite, graph, 1, 2, 0);
  prism_work_t work = engine_suite_work(PRISM_METHOD_TABUCOL, 5, 0);
  work.seconds = 1000.0;
  int32_t color[200] = {0}, k = 0;
  int64_t ticket = submit(suite, &engine, 0, &work), other = -1, f = 0;
  prism_import_result_t result;
  uint32_t values[200];
  CHECK(engine.ops->submit(engine.self, 0, &work, &other) == PRISM_INVALID);
  CHECK(engine.ops->export_colors(engine.self, 0, 0, 0, color, &k, &f) == PRISM_INVALID);
  CHECK(engine.ops->import_colors(engine.self, 0, color, 5, true, &result) == PRISM_INVALID);
  CHECK(engine.ops->set_hooks(engine.self, 0, NULL) == PRISM_INVALID);
  CHECK(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_tabu_hits, values) ==
        PRISM_INVALID);
  bool done = true;
  prism_summary_t summary;
  CHECK_OK(engine.ops->poll(engine.self, ticket, 0.0, &done, &summary));
  CHECK(!done);
  CHECK_OK(engine.ops->poll(engine.self, ticket, 0.02, &done, &summary));
  CHECK(!done);
  CHECK_OK(engine.ops->wait_any(engine.self, 0.0));
  CHECK_OK(engine.ops->wait_any(engine.self, 0.02)); /* passes in vain */
  /* The other island is free, and its end ends the wait for any. */
  prism_work_t brief = engine_suite_work(PRISM_METHOD_TABUCOL, 5, 50);
  other = submit(suite, &engine, 1, &brief);
  CHECK_OK(engine.ops->wait_any(engine.self, hang_guard));
  CHECK_OK(engine.ops->poll(engine.self, other, 0.0, &done, &summary));
  CHECK(done && summary.island == 1);
  engine.ops->stop(engine.self, 0);
  summary = finish(suite, &engine, ticket);
  CHECK(summary.island == 0);
  CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == summary.f_best);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

static void *stop_from_aside(void *argument) {
  prism_engine_t *engine = argument;
  prism_clock_sleep(0.02);
  for (int32_t i = 0; i < engine->islands; ++i) engine->ops->stop(engine->self, i);
  return NULL;
}

static void stop_ends_work(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 200, 0.5, 4);
  prism_engine_t engine = engine_suite_open(suite, graph, 1, 2, 0);
  int32_t color[200], k = 0;
  engine.ops->stop(engine.self, 0); /* an idle island: no harm, and forgotten at once */
  prism_work_t brief = engine_suite_work(PRISM_METHOD_TABUCOL, 5, 5000);
  prism_summary_t summary = engine_suite_do(suite, &engine, 0, &brief);
  CHECK(summary.iterations >= 5000);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_work_t work = engine_suite_work((prism_method_t)m, 5, 0);
    work.seconds = 1000.0;
    int64_t first = submit(suite, &engine, 0, &work), second = submit(suite, &engine, 1, &work);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, stop_from_aside, &engine) == 0);
    summary = finish(suite, &engine, first);
    finish(suite, &engine, second);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == summary.f_best);
    /* Stopped at once: it still has a coloring to show. */
    first = submit(suite, &engine, 0, &work);
    engine.ops->stop(engine.self, 0);
    summary = finish(suite, &engine, first);
    CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == summary.f_best);
  }
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

static void destroy_recalls_the_islands(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 150, 0.5, 5);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 1, 3, 0);
    prism_work_t work = engine_suite_work((prism_method_t)m, 5, 0);
    work.seconds = 1000.0;
    submit(suite, &engine, 0, &work);
    submit(suite, &engine, 2, &work);
    if (m % 2 == 0) prism_clock_sleep(0.01);
    prism_engine_destroy(&engine);
    prism_engine_destroy(&engine); /* and again without harm */
  }
  prism_graph_destroy(&graph);
}

/* ---- budgets ---- */

static void budgets_end_work(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 150, 0.5, 6);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
    prism_method_t method = (prism_method_t)m;
    static const int64_t budgets[] = {1, 777, 12345};
    for (size_t b = 0; b < sizeof budgets / sizeof budgets[0]; ++b) {
      prism_work_t work = engine_suite_work(method, 5, budgets[b]);
      prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
      CHECK(summary.iterations >= budgets[b]);
      if (suite->exact_budgets) CHECK(summary.iterations == budgets[b]);
      CHECK(summary.individuals >= (is_population(method) ? 2 : 1));
    }
    prism_work_t work = engine_suite_work(method, 5, 0);
    work.generations = 3;
    work.params.generation_iterations = 400;
    prism_engine_destroy(&engine);
    engine = engine_suite_open(suite, graph, 1, 1, 0);
    prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
    CHECK(summary.generations >= 3 && summary.iterations >= 3 * 400);
    if (suite->exact_budgets) CHECK(summary.generations == 3);
    int64_t searched = method == PRISM_METHOD_HEAD ? 2 : 1; /* children of a generation */
    if (suite->exact_budgets) CHECK(summary.iterations == searched * 3 * 400);
    work.iterations = 500; /* the first budget that is used up ends the work */
    work.seconds = 1000.0;
    summary = engine_suite_do(suite, &engine, 0, &work);
    CHECK(summary.iterations >= 500);
    if (suite->exact_budgets) CHECK(summary.iterations == 500);
    work = engine_suite_work(method, 5, 0);
    work.seconds = 0.01;
    summary = engine_suite_do(suite, &engine, 0, &work);
    CHECK(summary.seconds > 0.0 && summary.iterations > 0);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* ---- results ---- */

static void summaries_are_true(const engine_suite_t *suite) {
  static const double density[SUITE_GRAPHS] = {0.05, 0.5, 0.9};
  for (int g = 0; g < SUITE_GRAPHS; ++g) {
    prism_graph_t *graph = engine_suite_random(suite, 130, density[g], 7);
    prism_engine_t engine = engine_suite_open(suite, graph, 3, 1, 0);
    int32_t color[130], k = 0;
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
      int64_t before = INT64_MAX;
      for (int ticket = 0; ticket < 6; ++ticket) {
        prism_work_t work = engine_suite_work((prism_method_t)m, g == 0 ? 3 : 8, 1500);
        work.params.generation_iterations = 1000; /* tickets end in mid generation */
        prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
        CHECK(summary.f_best <= before);
        before = summary.f_best;
        CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == summary.f_best);
        CHECK(k == work.k);
        CHECK(engine_suite_export(suite, &engine, 0, graph, 1, color, &k) >= summary.f_best);
        CHECK(k == work.k);
      }
    }
    prism_engine_destroy(&engine);
    prism_graph_destroy(&graph);
  }
}

static void planted_colorings_are_found(const engine_suite_t *suite) {
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    for (int g = 0; g < SUITE_GRAPHS; ++g) {
      static const int32_t k_of[SUITE_GRAPHS] = {4, 6, 12};
      static const double density[SUITE_GRAPHS] = {0.3, 0.6, 0.9};
      prism_graph_t *graph =
          engine_suite_planted(suite, 150, k_of[g], density[g], 40u + (uint64_t)g);
      prism_engine_t engine = engine_suite_open(suite, graph, 5, 1, 0);
      prism_work_t work = engine_suite_work((prism_method_t)m, k_of[g], 3000000);
      work.params.generation_iterations = 2000;
      prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
      CHECK(summary.f_best == 0 && summary.f_ticket == 0);
      int32_t color[150], k = 0;
      CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == 0);
      CHECK(k == k_of[g]);
      summary = engine_suite_do(suite, &engine, 0, &work); /* solved already */
      CHECK(summary.f_best == 0);
      prism_engine_destroy(&engine);
      prism_graph_destroy(&graph);
    }
}

/* Graphs of which nothing is left to search at this k. */
static void easy_graphs_are_solved(const engine_suite_t *suite) {
  static const int32_t path[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 5};
  static const int32_t hexagon[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 0};
  const struct {
    int32_t n, count;
    const int32_t *pairs;
    int32_t k;
  } easy[] = {{6, 5, path, 2},    {6, 5, path, 5}, {6, 6, hexagon, 2}, {6, 6, hexagon, 3},
              {6, 0, path, 1},    {1, 0, path, 1}, {1, 0, path, 3}};
  for (size_t i = 0; i < sizeof easy / sizeof easy[0]; ++i) {
    prism_graph_t *graph = NULL;
    CHECK_OK(prism_graph_from_edges(easy[i].n, easy[i].pairs, easy[i].count, NULL, &graph));
    prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
      prism_work_t work = engine_suite_work((prism_method_t)m, easy[i].k, 100000);
      prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
      int32_t color[6], k = 0;
      CHECK(summary.f_best == 0 && summary.f_ticket == 0);
      CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == 0);
      CHECK(k == easy[i].k);
      prism_import_result_t result;
      CHECK_OK(engine.ops->import_colors(engine.self, 0, color, k, false, &result));
    }
    prism_engine_destroy(&engine);
    prism_graph_destroy(&graph);
  }
}

/* Sum of the degrees in the smallest class: no warm start for one color less has
 * more conflicts than that. */
static int64_t smallest_class_degrees(const prism_graph_t *graph, const int32_t *color,
                                      int32_t k) {
  int64_t least = INT64_MAX, size_least = INT64_MAX;
  for (int32_t c = 0; c < k; ++c) {
    int64_t sum = 0, size = 0;
    for (int32_t v = 0; v < graph->n; ++v) {
      if (color[v] != c) continue;
      sum += prism_graph_degree(graph, v);
      ++size;
    }
    if (size > size_least) continue;
    least = size < size_least || sum > least ? sum : least;
    size_least = size;
  }
  return least;
}

static void k_goes_down_and_up(const engine_suite_t *suite) {
  enum { N = 125, FIRST = 22, LAST = 19 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 78); /* about 18 are possible */
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 5, 1, 0);
    int32_t color[N] = {0}, k = 0;
    int64_t most = INT64_MAX;
    prism_import_result_t result; /* a poor start, to be forgotten after the first success */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, color, FIRST, true, &result));
    for (int32_t now = FIRST; now >= LAST; --now) {
      prism_work_t one = engine_suite_work((prism_method_t)m, now, 1);
      CHECK(engine_suite_do(suite, &engine, 0, &one).f_best <= most);
      prism_work_t work = engine_suite_work((prism_method_t)m, now, 10000000);
      work.params.generation_iterations = 5000;
      CHECK(engine_suite_do(suite, &engine, 0, &work).f_best == 0);
      CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == 0);
      CHECK(k == now);
      most = smallest_class_degrees(graph, color, k);
    }
    for (int32_t now = LAST + 1; now < LAST + 3; ++now) {
      prism_work_t work = engine_suite_work((prism_method_t)m, now, 10000000);
      CHECK(engine_suite_do(suite, &engine, 0, &work).f_best == 0);
      CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == 0);
      CHECK(k == now);
    }
    prism_work_t hard = engine_suite_work((prism_method_t)m, 5, 500); /* from legal to hopeless */
    CHECK(engine_suite_do(suite, &engine, 0, &hard).f_best > 0);
    engine_suite_export(suite, &engine, 0, graph, 0, color, &k);
    CHECK(k == 5);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* ---- imports ---- */

static void seeds_are_starts(const engine_suite_t *suite) {
  enum { N = 120, K = 6 };
  prism_graph_t *graph = engine_suite_planted(suite, N, K, 0.7, 99);
  int32_t legal[N], color[N], k = 0;
  prism_engine_t maker = engine_suite_open(suite, graph, 5, 1, 0);
  prism_work_t make = engine_suite_work(PRISM_METHOD_TABUCOL, K, 3000000);
  CHECK(engine_suite_do(suite, &maker, 0, &make).f_best == 0);
  engine_suite_export(suite, &maker, 0, graph, 0, legal, &k);
  prism_engine_destroy(&maker);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 6, 1, 0);
    prism_import_result_t result;
    CHECK_OK(engine.ops->import_colors(engine.self, 0, legal, K, true, &result));
    CHECK(result.accepted);
    prism_work_t one = engine_suite_work((prism_method_t)m, K, 1);
    CHECK(engine_suite_do(suite, &engine, 0, &one).f_best == 0);
    CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == 0);
    one.k = K - 1;
    prism_summary_t summary = engine_suite_do(suite, &engine, 0, &one);
    CHECK(summary.f_best <= smallest_class_degrees(graph, legal, K));
    /* It replaces what the island has found since. */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, legal, K, true, &result));
    one.k = K;
    CHECK(engine_suite_do(suite, &engine, 0, &one).f_best == 0);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

static void migrants_are_judged(const engine_suite_t *suite) {
  enum { N = 150, K = 8 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 55);
  int32_t foreign[N], color[N], k = 0, all_same[N] = {0};
  prism_engine_t abroad = engine_suite_open(suite, graph, 1000, 1, 50);
  prism_work_t work = engine_suite_work(PRISM_METHOD_TABUCOL, K, 200000);
  engine_suite_do(suite, &abroad, 0, &work);
  int64_t foreign_f = engine_suite_export(suite, &abroad, 0, graph, 0, foreign, &k);
  prism_engine_destroy(&abroad);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
    prism_import_result_t result = {true, 7};
    /* Nobody is at home yet. */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, foreign, K, false, &result));
    CHECK(!result.accepted);
    work = engine_suite_work((prism_method_t)m, K, 20000);
    work.params.generation_iterations = 1000;
    int64_t home_f = engine_suite_do(suite, &engine, 0, &work).f_best;
    CHECK_OK(engine.ops->import_colors(engine.self, 0, all_same, K, false, &result));
    CHECK(!result.accepted); /* every edge conflicts */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, foreign, K + 1, false, &result));
    CHECK(!result.accepted); /* too many colors */
    engine_suite_export(suite, &engine, 0, graph, 1, color, &k);
    CHECK_OK(engine.ops->import_colors(engine.self, 0, color, K, false, &result));
    CHECK(!result.accepted); /* a copy of somebody */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, foreign, K, false, &result));
    if (is_population((prism_method_t)m)) {
      CHECK(result.distance > 0 && result.distance <= N);
      CHECK(result.accepted || foreign_f > home_f);
    }
    CHECK(engine_suite_do(suite, &engine, 0, &work).f_best <= home_f);
    engine_suite_export(suite, &engine, 0, graph, 1, color, &k);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* ---- many islands, repeatable ---- */

/* What all islands hold after three tickets each; [islands][n]. */
static void run_islands(const engine_suite_t *suite, const prism_graph_t *graph,
                        prism_method_t method, uint64_t seed, int32_t islands,
                        int32_t first_island, int32_t *colors, prism_summary_t *last) {
  prism_engine_t engine = engine_suite_open(suite, graph, seed, islands, first_island);
  int64_t ticket[8];
  for (int round = 0; round < 3; ++round) {
    prism_work_t work = engine_suite_work(method, round < 2 ? 9 : 8, 2500);
    work.params.generation_iterations = 700;
    for (int32_t i = 0; i < islands; ++i) ticket[i] = submit(suite, &engine, i, &work);
    for (int32_t i = 0; i < islands; ++i) last[i] = finish(suite, &engine, ticket[i]);
  }
  for (int32_t i = 0; i < islands; ++i) {
    int32_t k = 0;
    CHECK(last[i].island == i);
    CHECK(engine_suite_export(suite, &engine, i, graph, 0, colors + (size_t)i * (size_t)graph->n,
                              &k) == last[i].f_best);
    last[i].seconds = 0.0;
    last[i].island += first_island;
  }
  prism_engine_destroy(&engine);
}

static bool same_summary(const prism_summary_t *a, const prism_summary_t *b) {
  return a->island == b->island && a->method == b->method && a->k == b->k &&
         a->f_best == b->f_best && a->f_ticket == b->f_ticket && a->iterations == b->iterations &&
         a->generations == b->generations && a->individuals == b->individuals &&
         a->restarts == b->restarts && a->diversity >= b->diversity - 1e-9 &&
         a->diversity <= b->diversity + 1e-9;
}

static void same_seed_same_result(const engine_suite_t *suite) {
  enum { N = 140, ISLANDS = 4 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 21);
  static int32_t a[ISLANDS][N], b[ISLANDS][N], other[ISLANDS][N];
  prism_summary_t x[ISLANDS], y[ISLANDS], z[ISLANDS];
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_method_t method = (prism_method_t)m;
    run_islands(suite, graph, method, 11, ISLANDS, 0, a[0], x);
    run_islands(suite, graph, method, 11, ISLANDS, 0, b[0], y);
    CHECK(memcmp(a, b, sizeof a) == 0);
    for (int i = 0; i < ISLANDS; ++i) CHECK(same_summary(&x[i], &y[i]));
    /* Islands differ, and go by their global number, not by their rank's. */
    CHECK(memcmp(a[0], a[1], sizeof a[0]) != 0);
    run_islands(suite, graph, method, 11, 2, 2, other[0], z);
    CHECK(memcmp(other[0], a[2], sizeof a[2]) == 0 && memcmp(other[1], a[3], sizeof a[3]) == 0);
    CHECK(same_summary(&z[0], &x[2]) && same_summary(&z[1], &x[3]));
    run_islands(suite, graph, method, 12, ISLANDS, 0, other[0], z);
    CHECK(memcmp(a, other, sizeof a) != 0);
  }
  prism_graph_destroy(&graph);
}

static void many_islands_work_at_once(const engine_suite_t *suite) {
  enum { N = 100, ISLANDS = 16, PLANTED = 5 };
  prism_graph_t *graph = engine_suite_planted(suite, N, PLANTED, 0.6, 31);
  prism_engine_t engine = engine_suite_open(suite, graph, 3, ISLANDS, 0);
  int64_t ticket[ISLANDS];
  int32_t k_of[ISLANDS], open = ISLANDS;
  for (int32_t i = 0; i < ISLANDS; ++i) { /* every method, several k at once */
    k_of[i] = PLANTED + i % 4;
    prism_method_t method = (prism_method_t)(i % PRISM_METHOD_COUNT);
    prism_work_t work = engine_suite_work(method, k_of[i], 3000000);
    work.params.generation_iterations = 2000;
    ticket[i] = submit(suite, &engine, i, &work);
  }
  double begin = prism_clock_now();
  while (open > 0) {
    CHECK_OK(engine.ops->wait_any(engine.self, 1.0));
    CHECK(prism_clock_now() - begin < hang_guard);
    for (int32_t i = 0; i < ISLANDS; ++i) {
      bool done = false;
      prism_summary_t summary;
      if (ticket[i] < 0) continue;
      CHECK_OK(engine.ops->poll(engine.self, ticket[i], 0.0, &done, &summary));
      if (!done) continue;
      int32_t color[N], k = 0;
      CHECK(summary.f_best == 0 && summary.k == k_of[i]);
      CHECK(engine_suite_export(suite, &engine, i, graph, 0, color, &k) == 0);
      ticket[i] = -1;
      --open;
    }
  }
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

void engine_suite_run(const engine_suite_t *suite) {
  bad_calls_are_refused(suite);
  unknown_phase_is_unsupported(suite);
  busy_island_is_refused(suite);
  stop_ends_work(suite);
  destroy_recalls_the_islands(suite);
  budgets_end_work(suite);
  summaries_are_true(suite);
  planted_colorings_are_found(suite);
  easy_graphs_are_solved(suite);
  k_goes_down_and_up(suite);
  seeds_are_starts(suite);
  migrants_are_judged(suite);
  same_seed_same_result(suite);
  many_islands_work_at_once(suite);
  engine_suite_hooks(suite);
  SUITE_CHECK(suite, prism_mem_live_blocks() == 0);
}
