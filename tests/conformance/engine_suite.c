#include "engine_suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/generate.h"
#include "oracle.h"

void engine_suite_fail(const engine_suite_t *suite, const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: engine %s: check failed: %s\n  last error: %s\n%s", file, line,
          suite->name, what, prism_error_text(), prism_error_trace());
  suite->abandon();
}

#define CHECK(condition) SUITE_CHECK(suite, condition)
#define CHECK_OK(call) CHECK((call) == PRISM_OK)

/* ---- tools ---- */

void engine_suite_case(const engine_suite_t *suite, const char *name,
                       void (*check)(const engine_suite_t *)) {
  const double begin = prism_clock_now();
  check(suite);
  printf("%s: %s (%.1f s)\n", suite->name, name, prism_clock_now() - begin);
  fflush(stdout); /* what comes next may crash or hang */
}

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

prism_work_t engine_suite_work(const engine_suite_t *suite, prism_method_t method, int32_t k,
                               int64_t iterations) {
  return (prism_work_t){.phase = prism_method_phase(method),
                        .k = k,
                        .params = {.version = 1, .method = method, .tenure_base = 10.0,
                                   .tenure_slope = 0.6, .population = suite->brief ? 8 : 0,
                                   .generation_iterations = engine_suite_moves(suite, 1000)},
                        .iterations = iterations};
}

prism_work_t engine_suite_long_work(const engine_suite_t *suite, prism_method_t method, int32_t k,
                                    int64_t iterations) {
  prism_work_t work = engine_suite_work(suite, method, k, iterations);
  if (!suite->brief) work.params.generation_iterations = 0;
  return work;
}

int64_t engine_suite_submit(const engine_suite_t *suite, prism_engine_t *engine, int32_t island,
                            const prism_work_t *work) {
  int64_t ticket = -1;
  CHECK_OK(engine->ops->submit(engine->self, island, work, &ticket));
  return ticket;
}

prism_summary_t engine_suite_finish(const engine_suite_t *suite, prism_engine_t *engine,
                                    int64_t ticket) {
  prism_summary_t summary = {0};
  bool done = false;
  double begin = prism_clock_now();
  while (!done) {
    CHECK_OK(engine->ops->poll(engine->self, ticket, 1.0, &done, &summary));
    CHECK(prism_clock_now() - begin < ENGINE_SUITE_HANG_GUARD);
  }
  return summary;
}

prism_summary_t engine_suite_do(const engine_suite_t *suite, prism_engine_t *engine,
                                int32_t island, const prism_work_t *work) {
  int64_t ticket = engine_suite_submit(suite, engine, island, work);
  prism_summary_t summary = engine_suite_finish(suite, engine, ticket);
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

bool engine_suite_same(const prism_summary_t *a, const prism_summary_t *b) {
  return a->island == b->island && a->method == b->method && a->k == b->k &&
         a->f_best == b->f_best && a->f_ticket == b->f_ticket && a->iterations == b->iterations &&
         a->generations == b->generations && a->individuals == b->individuals &&
         a->restarts == b->restarts && a->diversity >= b->diversity - 1e-9 &&
         a->diversity <= b->diversity + 1e-9;
}

prism_method_t engine_suite_method(const engine_suite_t *suite, int32_t index) {
  int32_t count = __builtin_popcount(suite->methods), left = index % count, at = 0;
  while (!engine_suite_has(suite, at) || left-- > 0) ++at;
  return (prism_method_t)at;
}

/* ---- what it is ---- */

static uint32_t describe(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 30, 0.5, 1);
  prism_engine_t engine = engine_suite_open(suite, graph, 1, 2, 0);
  prism_island_info_t info[2] = {{0}, {0}};
  for (int32_t i = 0; i < 2; ++i) {
    engine.ops->describe(engine.self, i, &info[i]);
    CHECK(info[i].methods != 0 && info[i].methods >> PRISM_METHOD_COUNT == 0);
    CHECK(strcmp(info[i].mode, "cpu") == 0 || strcmp(info[i].mode, "gpu") == 0);
    CHECK(info[i].stream >= -1 && (strcmp(info[i].mode, "gpu") == 0 || info[i].stream == -1));
    CHECK(info[i].device != NULL && info[i].device[0] != '\0');
  }
  CHECK(info[0].methods == info[1].methods); /* the suite gives both the same work */
  uint32_t methods = info[0].methods;
  prism_gpu_stats_t stats;
  if (engine.ops->gpu_stats != NULL && engine.ops->gpu_stats(engine.self, &stats)) {
    CHECK(stats.wall >= 0.0 && stats.kernel >= 0.0 && stats.transfer >= 0.0);
    CHECK(stats.hidden >= 0.0 && stats.hidden <= stats.transfer);
    CHECK(memchr(stats.throttle, '\0', sizeof stats.throttle) != NULL);
  }
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
  return methods;
}

/* ---- tickets ---- */

static void bad_calls_are_refused(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 60, 0.5, 1);
  prism_engine_t engine = {0};
  prism_engine_config_t none = {.graph = graph, .seed = 1, .islands = 0};
  CHECK(suite->backend.create(&none, suite->backend.context, &engine) == PRISM_INVALID);
  engine = engine_suite_open(suite, graph, 1, 2, 0);
  prism_work_t work = engine_suite_work(suite, engine_suite_method(suite, 0), 5, 100);
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
  ticket = engine_suite_submit(suite, &engine, 0, &work);
  engine_suite_finish(suite, &engine, ticket);
  CHECK(engine.ops->poll(engine.self, ticket, 0.0, &done, &summary) == PRISM_INVALID);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* Work of a phase that an engine lacks fails at submit or comes out of poll. */
static void unknown_phase_is_unsupported(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 40, 0.5, 2);
  prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
  prism_work_t work = engine_suite_work(suite, engine_suite_method(suite, 0), 4, 100);
  work.phase = PRISM_PHASE_VALIDATION;
  int64_t ticket = -1;
  bool done = false;
  prism_summary_t summary;
  prism_status_t status = engine.ops->submit(engine.self, 0, &work, &ticket);
  while (status == PRISM_OK && !done)
    status = engine.ops->poll(engine.self, ticket, 1.0, &done, &summary);
  CHECK(status == PRISM_UNSUPPORTED);
  CHECK(prism_error_text()[0] != '\0');
  work.phase = prism_method_phase(work.params.method); /* and the island still serves */
  engine_suite_do(suite, &engine, 0, &work);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* Neither does an engine what it does not know. */
static void unknown_methods_are_unsupported(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 40, 0.5, 2);
  prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
  for (int m = -1; m <= PRISM_METHOD_COUNT; ++m) {
    if (m >= 0 && m < PRISM_METHOD_COUNT && engine_suite_has(suite, m)) continue;
    prism_work_t work = engine_suite_work(suite, (prism_method_t)m, 4, 100);
    int64_t ticket = -1;
    CHECK(engine.ops->submit(engine.self, 0, &work, &ticket) == PRISM_UNSUPPORTED);
    CHECK(ticket == -1 && prism_error_text()[0] != '\0');
  }
  prism_work_t work = engine_suite_work(suite, engine_suite_method(suite, 0), 4, 100);
  engine_suite_do(suite, &engine, 0, &work); /* and the island still serves */
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* The bell rings for each result until it is collected. */
static void the_bell_rings(const engine_suite_t *suite) {
  enum { ISLANDS = 3 };
  prism_graph_t *graph = engine_suite_random(suite, 80, 0.5, 9);
  prism_bell_t *bell = NULL;
  CHECK_OK(prism_bell_create(&bell));
  prism_engine_t engine = {0};
  prism_engine_config_t config = {.graph = graph, .seed = 1, .islands = ISLANDS, .bell = bell};
  CHECK_OK(suite->backend.create(&config, suite->backend.context, &engine));
  CHECK(prism_bell_wait(bell, 0.0) == 0 && prism_bell_wait(bell, 0.01) == 0);
  prism_work_t work = engine_suite_work(suite, engine_suite_method(suite, 0), 5, 200);
  int64_t ticket[ISLANDS];
  for (int32_t i = 0; i < ISLANDS; ++i) ticket[i] = engine_suite_submit(suite, &engine, i, &work);
  double begin = prism_clock_now();
  int64_t rung = 0;
  while (rung < ISLANDS) {
    CHECK(prism_clock_now() - begin < ENGINE_SUITE_HANG_GUARD);
    CHECK(prism_bell_wait(bell, ENGINE_SUITE_HANG_GUARD) > 0);
    rung = prism_bell_wait(bell, 0.0);
  }
  CHECK(rung == ISLANDS);
  for (int32_t i = 0; i < ISLANDS; ++i) {
    engine_suite_finish(suite, &engine, ticket[i]);
    CHECK(prism_bell_wait(bell, 0.0) == ISLANDS - 1 - i);
  }
  engine_suite_submit(suite, &engine, 0, &work); /* never collected: forgotten at the end */
  CHECK(prism_bell_wait(bell, ENGINE_SUITE_HANG_GUARD) == 1);
  prism_engine_destroy(&engine);
  CHECK(prism_bell_wait(bell, 0.0) == 0);
  prism_bell_destroy(&bell);
  prism_graph_destroy(&graph);
}

static void busy_island_is_refused(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 200, 0.5, 3);
  prism_engine_t engine = engine_suite_open(suite, graph, 1, 2, 0);
  prism_work_t work = engine_suite_long_work(suite, engine_suite_method(suite, 0), 5, 0);
  work.seconds = 1000.0;
  int32_t color[200] = {0}, k = 0;
  int64_t ticket = engine_suite_submit(suite, &engine, 0, &work), other = -1, f = 0;
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
  prism_work_t brief = engine_suite_work(suite, engine_suite_method(suite, 0), 5, 50);
  other = engine_suite_submit(suite, &engine, 1, &brief);
  CHECK_OK(engine.ops->wait_any(engine.self, ENGINE_SUITE_HANG_GUARD));
  CHECK_OK(engine.ops->poll(engine.self, other, 0.0, &done, &summary));
  CHECK(done && summary.island == 1);
  engine.ops->stop(engine.self, 0);
  summary = engine_suite_finish(suite, &engine, ticket);
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
  prism_work_t brief = engine_suite_long_work(suite, engine_suite_method(suite, 0), 5, 5000);
  prism_summary_t summary = engine_suite_do(suite, &engine, 0, &brief);
  CHECK(summary.iterations >= 5000);
  SUITE_METHODS(suite, m) {
    prism_work_t work = engine_suite_long_work(suite, (prism_method_t)m, 5, 0);
    work.seconds = 1000.0;
    int64_t first = engine_suite_submit(suite, &engine, 0, &work);
    int64_t second = engine_suite_submit(suite, &engine, 1, &work);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, stop_from_aside, &engine) == 0);
    summary = engine_suite_finish(suite, &engine, first);
    engine_suite_finish(suite, &engine, second);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == summary.f_best);
    /* Stopped at once: it still has a coloring to show. */
    first = engine_suite_submit(suite, &engine, 0, &work);
    engine.ops->stop(engine.self, 0);
    summary = engine_suite_finish(suite, &engine, first);
    CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == summary.f_best);
  }
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

static void destroy_recalls_the_islands(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 150, 0.5, 5);
  SUITE_METHODS(suite, m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 1, 3, 0);
    prism_work_t work = engine_suite_long_work(suite, (prism_method_t)m, 5, 0);
    work.seconds = 1000.0;
    engine_suite_submit(suite, &engine, 0, &work);
    engine_suite_submit(suite, &engine, 2, &work);
    if (m % 2 == 0) prism_clock_sleep(0.01);
    prism_engine_destroy(&engine);
    prism_engine_destroy(&engine); /* and again without harm */
  }
  prism_graph_destroy(&graph);
}

/* ---- budgets ---- */

static void budgets_end_work(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, 150, 0.5, 6);
  SUITE_METHODS(suite, m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
    prism_method_t method = (prism_method_t)m;
    static const int64_t budgets[] = {1, 777, 12345};
    for (int32_t b = 0; b < 3; ++b) { /* a population keeps its length for as long as its k */
      prism_work_t work = b < 2 ? engine_suite_work(suite, method, 5, budgets[b])
                                : engine_suite_long_work(suite, method, 6, budgets[b]);
      prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
      CHECK(summary.iterations >= budgets[b]);
      if (suite->exact_budgets) CHECK(summary.iterations == budgets[b]);
      CHECK(summary.individuals >= (engine_suite_is_population(method) ? 2 : 1));
      CHECK(summary.length >= 1 && summary.demes >= 0);
    }
    prism_work_t work = engine_suite_work(suite, method, 5, 0);
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
    work = engine_suite_work(suite, method, 5, 0);
    work.seconds = 0.01;
    summary = engine_suite_do(suite, &engine, 0, &work);
    CHECK(summary.seconds > 0.0 && summary.iterations > 0);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

void engine_suite_run(const engine_suite_t *given) {
  engine_suite_t ours = *given;
  const engine_suite_t *suite = &ours;
  ours.methods = describe(suite);
  SUITE_CASE(suite, bad_calls_are_refused);
  SUITE_CASE(suite, unknown_phase_is_unsupported);
  SUITE_CASE(suite, unknown_methods_are_unsupported);
  SUITE_CASE(suite, the_bell_rings);
  SUITE_CASE(suite, busy_island_is_refused);
  SUITE_CASE(suite, stop_ends_work);
  SUITE_CASE(suite, destroy_recalls_the_islands);
  SUITE_CASE(suite, budgets_end_work);
  engine_suite_search(suite);
  engine_suite_hooks(suite);
  engine_suite_state(suite);
  SUITE_CHECK(suite, prism_mem_live_blocks() == 0);
}
