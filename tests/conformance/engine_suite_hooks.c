/* Hooks and counters of the engine seam. */
#include <string.h>

#include "base/bitset.h"
#include "engine_suite.h"
#include "oracle.h"

#define CHECK(condition) SUITE_CHECK(suite, condition)
#define CHECK_OK(call) CHECK((call) == PRISM_OK)

static const prism_method_t trajectories[] = {PRISM_METHOD_TABUCOL, PRISM_METHOD_PARTIALCOL,
                                              PRISM_METHOD_WEIGHTED};

/* Does island 0 take these hooks? An engine may lack some; then it is destroyed. */
static bool takes(const engine_suite_t *suite, prism_engine_t *engine,
                  const prism_hooks_t *hooks) {
  prism_status_t status = engine->ops->set_hooks(engine->self, 0, hooks);
  CHECK(status == PRISM_OK || status == PRISM_UNSUPPORTED);
  if (status != PRISM_OK) prism_engine_destroy(engine);
  return status == PRISM_OK;
}

/* Single moves can be looked at. */
static bool moves_singly(const engine_suite_t *suite, prism_method_t method) {
  return suite->exact_budgets && engine_suite_has(suite, (int)method);
}

static void seed_with(const engine_suite_t *suite, prism_engine_t *engine, const int32_t *color,
                      int32_t k) {
  prism_import_result_t result;
  CHECK_OK(engine->ops->import_colors(engine->self, 0, color, k, true, &result));
  CHECK(result.accepted);
}

/* Cliques of 4 in 3 colors, all vertices of color 0: every first move is as good as
 * another, so the score decides. */
static void scores_break_ties(const engine_suite_t *suite) {
  enum { CLIQUES = 10, N = 4 * CLIQUES };
  if (!moves_singly(suite, PRISM_METHOD_TABUCOL)) return;
  prism_graph_t *graph = engine_suite_cliques(suite, CLIQUES);
  for (int32_t chosen = 0; chosen < N; chosen += 7) {
    float score[N] = {0};
    int32_t start[N] = {0}, color[N], k = 0;
    score[chosen] = 0.5f;
    prism_hooks_t hooks = {.score = score};
    prism_engine_t engine = engine_suite_open(suite, graph, (uint64_t)chosen, 1, 0);
    if (!takes(suite, &engine, &hooks)) break;
    seed_with(suite, &engine, start, 3);
    prism_work_t one = engine_suite_work(suite, PRISM_METHOD_TABUCOL, 3, 1);
    prism_summary_t summary = engine_suite_do(suite, &engine, 0, &one);
    CHECK(summary.f_best == graph->m - 3);
    engine_suite_export(suite, &engine, 0, graph, 0, color, &k);
    for (int32_t v = 0; v < N; ++v) CHECK((color[v] != 0) == (v == chosen));
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* The same, but now the edges of one vertex weigh more: it is the best to move. */
static void edge_weights_lead_the_weighted(const engine_suite_t *suite) {
  enum { CLIQUES = 10, N = 4 * CLIQUES };
  if (!moves_singly(suite, PRISM_METHOD_WEIGHTED)) return;
  prism_graph_t *graph = engine_suite_cliques(suite, CLIQUES);
  for (int32_t chosen = 0; chosen < N; chosen += 7) {
    int32_t weight[2 * 6 * CLIQUES], start[N] = {0}, color[N], k = 0;
    for (int32_t v = 0; v < N; ++v)
      for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
        weight[e] = v == chosen || graph->neighbor[e] == chosen ? 9 : 1;
    prism_hooks_t hooks = {.edge_weight = weight};
    prism_engine_t engine = engine_suite_open(suite, graph, (uint64_t)chosen, 1, 0);
    if (!takes(suite, &engine, &hooks)) break;
    seed_with(suite, &engine, start, 3);
    prism_work_t one = engine_suite_work(suite, PRISM_METHOD_WEIGHTED, 3, 1);
    prism_summary_t summary = engine_suite_do(suite, &engine, 0, &one);
    CHECK(summary.f_best == graph->m - 3); /* f counts edges, whatever they weigh */
    engine_suite_export(suite, &engine, 0, graph, 0, color, &k);
    for (int32_t v = 0; v < N; ++v) CHECK((color[v] != 0) == (v == chosen));
    weight[0] = 0;
    CHECK(engine.ops->set_hooks(engine.self, 0, &hooks) == PRISM_INVALID);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

/* A clique of 4 in 3 colors leaves one vertex uncolored: it had better be the light one. */
static void vertex_weights_lead_partialcol(const engine_suite_t *suite) {
  enum { CLIQUES = 5, N = 4 * CLIQUES };
  if (!engine_suite_has(suite, PRISM_METHOD_PARTIALCOL)) return;
  prism_graph_t *graph = engine_suite_cliques(suite, CLIQUES);
  int32_t weight[N], start[N], color[N], k = 0;
  for (int32_t v = 0; v < N; ++v) {
    weight[v] = v % 4 == 3 ? 1 : 5;
    start[v] = v % 4 == 3 ? 0 : v % 4; /* shares with a heavy one */
  }
  prism_hooks_t hooks = {.vertex_weight = weight};
  prism_engine_t engine = engine_suite_open(suite, graph, 4, 1, 0);
  if (!takes(suite, &engine, &hooks)) {
    prism_graph_destroy(&graph);
    return;
  }
  seed_with(suite, &engine, start, 3);
  prism_work_t work = engine_suite_work(suite, PRISM_METHOD_PARTIALCOL, 3, 20000);
  prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
  CHECK(summary.f_best == CLIQUES);
  CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == CLIQUES);
  for (int32_t v = 0; v < N; v += 4)
    CHECK(color[v] != color[v + 1] && color[v] != color[v + 2] && color[v + 1] != color[v + 2]);
  weight[3] = 0;
  CHECK(engine.ops->set_hooks(engine.self, 0, &hooks) == PRISM_INVALID);
  weight[3] = 2000000000;
  CHECK(engine.ops->set_hooks(engine.self, 0, &hooks) == PRISM_INVALID);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

static void frozen_vertices_stay(const engine_suite_t *suite) {
  enum { N = 130, K = 6 };
  for (uint64_t round = 0; round < 9; ++round) {
    prism_method_t method = trajectories[round % 3];
    if (!engine_suite_has(suite, (int)method)) continue;
    prism_graph_t *graph = engine_suite_random(suite, N, round < 3 ? 0.03 : 0.2, 60 + round);
    prism_rng_t rng = prism_rng_stream(round, 0, 0, PRISM_RNG_TEST);
    uint64_t frozen[3] = {0};
    int32_t start[N], color[N], weight[N], k = 0;
    for (int32_t v = 0; v < N; ++v) {
      start[v] = (int32_t)prism_rng_below(&rng, K);
      weight[v] = 1 + (int32_t)prism_rng_below(&rng, 6);
      if (prism_rng_below(&rng, 3) == 0) prism_bitset_add(frozen, v);
    }
    prism_hooks_t hooks = {.frozen = frozen, .counters = true,
                           .vertex_weight = round >= 6 ? weight : NULL};
    prism_engine_t engine = engine_suite_open(suite, graph, round, 1, 0);
    if (!takes(suite, &engine, &hooks)) {
      prism_graph_destroy(&graph);
      continue;
    }
    seed_with(suite, &engine, start, K);
    for (int ticket = 0; ticket < (suite->brief ? 2 : 5); ++ticket) {
      prism_work_t work = engine_suite_work(suite, method, K, 4000);
      prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
      CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == summary.f_best);
      for (int32_t v = 0; v < N; ++v)
        CHECK(!prism_bitset_has(frozen, v) || color[v] == start[v]);
    }
    uint32_t changes[N];
    CHECK_OK(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_color_changes, changes));
    for (int32_t v = 0; v < N; ++v) CHECK(!prism_bitset_has(frozen, v) || changes[v] == 0);
    prism_engine_destroy(&engine);
    prism_graph_destroy(&graph);
  }
}

/* The status of work, from submit or from poll. */
static prism_status_t attempt(prism_engine_t *engine, const prism_work_t *work) {
  int64_t ticket = -1;
  bool done = false;
  prism_summary_t summary;
  prism_status_t status = engine->ops->submit(engine->self, 0, work, &ticket);
  while (status == PRISM_OK && !done)
    status = engine->ops->poll(engine->self, ticket, 1.0, &done, &summary);
  return status;
}

static void what_cannot_be_kept_is_refused(const engine_suite_t *suite) {
  enum { N = 50 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 70);
  uint64_t frozen[1] = {5};
  int32_t start[N];
  for (int32_t v = 0; v < N; ++v) start[v] = v % 7;
  prism_hooks_t hooks = {.frozen = frozen};
  prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
  if (!takes(suite, &engine, &hooks)) {
    prism_graph_destroy(&graph);
    return;
  }
  seed_with(suite, &engine, start, 7);
  SUITE_METHODS(suite, m) { /* some rename classes */
    prism_work_t work = engine_suite_work(suite, (prism_method_t)m, 7, 1000);
    if (prism_method_renames(work.params.method))
      CHECK(attempt(&engine, &work) == PRISM_UNSUPPORTED);
  }
  for (size_t i = 0; i < sizeof trajectories / sizeof trajectories[0]; ++i) {
    prism_work_t work = engine_suite_work(suite, trajectories[i], 5, 1000);
    if (!engine_suite_has(suite, (int)trajectories[i])) continue;
    CHECK(attempt(&engine, &work) == PRISM_UNSUPPORTED); /* so does a start that loses colors */
    work.k = 7;
    CHECK(attempt(&engine, &work) == PRISM_OK);
  }
  CHECK_OK(engine.ops->set_hooks(engine.self, 0, NULL)); /* free again */
  SUITE_METHODS(suite, m) {
    prism_work_t work = engine_suite_work(suite, (prism_method_t)m, 5, 1000);
    CHECK(attempt(&engine, &work) == PRISM_OK);
  }
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

static int64_t total(const uint32_t *values, int32_t n) {
  int64_t sum = 0;
  for (int32_t v = 0; v < n; ++v) sum += values[v];
  return sum;
}

static void counters_add_up(const engine_suite_t *suite) {
  enum { N = 130 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.4, 80);
  prism_hooks_t hooks = {.counters = true};
  uint32_t time[N], changes[N], hits[N];
  SUITE_METHODS(suite, m) {
    prism_method_t method = (prism_method_t)m;
    if (method == PRISM_METHOD_EXTRACTION) continue; /* most of its steps color nothing */
    prism_engine_t engine = engine_suite_open(suite, graph, 9, 1, 0);
    CHECK(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_conflict_time, time) ==
          PRISM_INVALID);
    if (!takes(suite, &engine, &hooks)) break;
    CHECK_OK(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_conflict_time, time));
    CHECK(total(time, N) == 0);
    int64_t iterations = 0, before = 0;
    for (int ticket = 0; ticket < 6; ++ticket) { /* over a change of k */
      prism_work_t work = engine_suite_work(suite, method, ticket < 4 ? 6 : 5, 3000);
      work.params.generation_iterations = engine_suite_moves(suite, 1000);
      iterations += engine_suite_do(suite, &engine, 0, &work).iterations;
      CHECK_OK(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_conflict_time, time));
      CHECK_OK(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_color_changes, changes));
      CHECK_OK(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_tabu_hits, hits));
      for (int32_t v = 0; v < N; ++v) CHECK(time[v] <= iterations);
      CHECK(total(time, N) >= before && total(time, N) <= iterations * N);
      before = total(time, N);
      /* These k are out of reach: somebody is in conflict all the time. */
      CHECK(total(time, N) >= iterations);
      CHECK(total(changes, N) > 0);
      if (method != PRISM_METHOD_PARTIALCOL) CHECK(total(changes, N) <= iterations);
    }
    CHECK_OK(engine.ops->set_hooks(engine.self, 0, NULL));
    CHECK(engine.ops->export_counters(engine.self, 0, PRISM_COUNTER_conflict_time, time) ==
          PRISM_INVALID);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

void engine_suite_hooks(const engine_suite_t *suite) {
  SUITE_CASE(suite, scores_break_ties);
  SUITE_CASE(suite, edge_weights_lead_the_weighted);
  SUITE_CASE(suite, vertex_weights_lead_partialcol);
  SUITE_CASE(suite, frozen_vertices_stay);
  SUITE_CASE(suite, what_cannot_be_kept_is_refused);
  SUITE_CASE(suite, counters_add_up);
}
