/* What islands find, take in and repeat. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "engine_suite.h"
#include "oracle.h"

#define CHECK(condition) SUITE_CHECK(suite, condition)
#define CHECK_OK(call) CHECK((call) == PRISM_OK)

/* ---- results ---- */
static void summaries_are_true(const engine_suite_t *suite) {
  static const double density[SUITE_GRAPHS] = {0.05, 0.5, 0.9};
  for (int g = 0; g < SUITE_GRAPHS; ++g) {
    prism_graph_t *graph = engine_suite_random(suite, 130, density[g], 7);
    prism_engine_t engine = engine_suite_open(suite, graph, 3, 1, 0);
    int32_t color[130], k = 0;
    SUITE_METHODS(suite, m) {
      int64_t before = INT64_MAX;
      for (int ticket = 0; ticket < (suite->brief ? 3 : 6); ++ticket) {
        prism_work_t work = engine_suite_work(suite, (prism_method_t)m, g == 0 ? 3 : 8, 1500);
        /* tickets end in mid generation */
        work.params.generation_iterations = engine_suite_moves(suite, 1000);
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
  SUITE_SEARCHES(suite, m)
    for (int g = 0; g < SUITE_GRAPHS; ++g) {
      static const int32_t k_of[SUITE_GRAPHS] = {4, 6, 12};
      static const double density[SUITE_GRAPHS] = {0.3, 0.6, 0.9};
      if (suite->brief && g != m % SUITE_GRAPHS) continue;
      prism_graph_t *graph =
          engine_suite_planted(suite, 150, k_of[g], density[g], 40u + (uint64_t)g);
      prism_engine_t engine = engine_suite_open(suite, graph, 5, 1, 0);
      prism_work_t work = engine_suite_work(suite, (prism_method_t)m, k_of[g], 3000000);
      work.params.generation_iterations = engine_suite_moves(suite, 2000);
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
    SUITE_METHODS(suite, m) {
      prism_work_t work = engine_suite_work(suite, (prism_method_t)m, easy[i].k, 100000);
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
  enum { N = 125, MOST = 500000000 };
  const int32_t highest = suite->brief ? 30 : 22, lowest = highest - 3;
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 78); /* about 18 are possible */
  SUITE_SEARCHES(suite, m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 5, 1, 0);
    int32_t color[N] = {0}, k = 0;
    int64_t most = INT64_MAX;
    prism_import_result_t result; /* a poor start, to be forgotten after the first success */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, color, highest, true, &result));
    for (int32_t now = highest; now >= lowest; --now) {
      prism_work_t work = engine_suite_work(suite, (prism_method_t)m, now, 1);
      work.params.generation_iterations = engine_suite_moves(suite, 5000);
      CHECK(engine_suite_do(suite, &engine, 0, &work).f_best <= most);
      work.iterations = MOST;
      CHECK(engine_suite_do(suite, &engine, 0, &work).f_best == 0);
      CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == 0);
      CHECK(k == now);
      most = smallest_class_degrees(graph, color, k);
    }
    for (int32_t now = lowest + 1; now < lowest + 3; ++now) {
      prism_work_t work = engine_suite_work(suite, (prism_method_t)m, now, MOST);
      work.params.generation_iterations = engine_suite_moves(suite, 5000);
      CHECK(engine_suite_do(suite, &engine, 0, &work).f_best == 0);
      CHECK(engine_suite_export(suite, &engine, 0, graph, 0, color, &k) == 0);
      CHECK(k == now);
    }
    /* From legal to hopeless. */
    prism_work_t hard = engine_suite_work(suite, (prism_method_t)m, 5, 500);
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
  prism_work_t make = engine_suite_work(suite, engine_suite_method(suite, 0), K, 100000000);
  CHECK(engine_suite_do(suite, &maker, 0, &make).f_best == 0);
  engine_suite_export(suite, &maker, 0, graph, 0, legal, &k);
  prism_engine_destroy(&maker);
  SUITE_METHODS(suite, m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 6, 1, 0);
    prism_import_result_t result;
    CHECK_OK(engine.ops->import_colors(engine.self, 0, legal, K, true, &result));
    CHECK(result.accepted);
    prism_work_t one = engine_suite_work(suite, (prism_method_t)m, K, 1);
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
  prism_work_t work = engine_suite_work(suite, engine_suite_method(suite, 0), K,
                                        engine_suite_moves(suite, 200000));
  work.params.generation_iterations = engine_suite_moves(suite, 5000);
  engine_suite_do(suite, &abroad, 0, &work);
  int64_t foreign_f = engine_suite_export(suite, &abroad, 0, graph, 0, foreign, &k);
  prism_engine_destroy(&abroad);
  SUITE_METHODS(suite, m) {
    prism_engine_t engine = engine_suite_open(suite, graph, 1, 1, 0);
    prism_import_result_t result = {true, 7};
    /* Nobody is at home yet. */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, foreign, K, false, &result));
    CHECK(!result.accepted);
    work = engine_suite_work(suite, (prism_method_t)m, K, engine_suite_moves(suite, 20000));
    work.params.generation_iterations = engine_suite_moves(suite, 1000);
    int64_t home_f = engine_suite_do(suite, &engine, 0, &work).f_best;
    CHECK_OK(engine.ops->import_colors(engine.self, 0, all_same, K, false, &result));
    CHECK(!result.accepted); /* every edge conflicts */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, foreign, K + 1, false, &result));
    CHECK(!result.accepted); /* too many colors */
    engine_suite_export(suite, &engine, 0, graph, 1, color, &k);
    CHECK_OK(engine.ops->import_colors(engine.self, 0, color, K, false, &result));
    CHECK(!result.accepted); /* a copy of somebody */
    CHECK_OK(engine.ops->import_colors(engine.self, 0, foreign, K, false, &result));
    if (engine_suite_is_population((prism_method_t)m)) {
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
    prism_work_t work =
        engine_suite_work(suite, method, round < 2 ? 9 : 8, engine_suite_moves(suite, 2500));
    work.params.generation_iterations = engine_suite_moves(suite, 700);
    for (int32_t i = 0; i < islands; ++i) ticket[i] = engine_suite_submit(suite, &engine, i, &work);
    for (int32_t i = 0; i < islands; ++i) last[i] = engine_suite_finish(suite, &engine, ticket[i]);
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

static void same_seed_same_result(const engine_suite_t *suite) {
  enum { N = 140, ISLANDS = 4 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 21);
  static int32_t a[ISLANDS][N], b[ISLANDS][N], other[ISLANDS][N];
  prism_summary_t x[ISLANDS], y[ISLANDS], z[ISLANDS];
  SUITE_METHODS(suite, m) {
    prism_method_t method = (prism_method_t)m;
    run_islands(suite, graph, method, 11, ISLANDS, 0, a[0], x);
    run_islands(suite, graph, method, 11, ISLANDS, 0, b[0], y);
    CHECK(memcmp(a, b, sizeof a) == 0);
    for (int i = 0; i < ISLANDS; ++i) CHECK(engine_suite_same(&x[i], &y[i]));
    /* Islands differ, and go by their global number, not by their rank's. */
    CHECK(memcmp(a[0], a[1], sizeof a[0]) != 0);
    run_islands(suite, graph, method, 11, 2, 2, other[0], z);
    CHECK(memcmp(other[0], a[2], sizeof a[2]) == 0 && memcmp(other[1], a[3], sizeof a[3]) == 0);
    CHECK(engine_suite_same(&z[0], &x[2]) && engine_suite_same(&z[1], &x[3]));
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
    prism_method_t method = engine_suite_method(suite, i);
    prism_work_t work = engine_suite_work(suite, method, k_of[i], 3000000);
    work.params.generation_iterations = engine_suite_moves(suite, 2000);
    ticket[i] = engine_suite_submit(suite, &engine, i, &work);
  }
  double begin = prism_clock_now();
  while (open > 0) {
    CHECK_OK(engine.ops->wait_any(engine.self, 1.0));
    CHECK(prism_clock_now() - begin < ENGINE_SUITE_HANG_GUARD);
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

/* What an island's ladder tells of itself. Returns the windows that it has judged. */
static int32_t check_ladder(const engine_suite_t *suite, const prism_engine_t *engine,
                            int32_t replicas, const prism_summary_t *summary) {
  prism_ladder_view_t view;
  CHECK(engine->ops->ladder(engine->self, 0, &view));
  CHECK(view.levels == (replicas < PRISM_LADDER_SHOWN ? replicas : PRISM_LADDER_SHOWN));
  CHECK(view.level[0].level == 0 && view.level[view.levels - 1].level == replicas - 1);
  CHECK(fabs(view.level[0].temperature - summary->temperature) < 1e-12);
  CHECK(view.level[0].temperature > 0.0 && view.windows >= 0);
  for (int32_t i = 0; i < view.levels; ++i) {
    const prism_ladder_level_t *at = &view.level[i];
    CHECK(i == 0 || (at->level > at[-1].level && at->temperature > at[-1].temperature));
    CHECK(isnan(at->swap) == (view.windows == 0 || i == view.levels - 1));
    CHECK(isnan(at->swap) || (at->swap >= 0.0 && at->swap <= 1.0));
  }
  return view.windows;
}

static void ladders_are_told(const engine_suite_t *suite) {
  enum { N = 130, SWEEPS = 2, MOST_TICKETS = 200 };
  static const int32_t replicas[] = {2, 9, PRISM_LADDER_SHOWN, 100};
  if (!engine_suite_has(suite, PRISM_METHOD_TEMPERING)) return;
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 7);
  for (size_t i = 0; i < sizeof replicas / sizeof replicas[0]; ++i) {
    prism_engine_t engine = engine_suite_open(suite, graph, 3, 1, 0);
    prism_ladder_view_t view;
    CHECK(engine.ops->ladder != NULL);
    CHECK(!engine.ops->ladder(engine.self, 0, &view)); /* it has never tempered */
    CHECK(!engine.ops->ladder(engine.self, -1, &view));
    CHECK(!engine.ops->ladder(engine.self, engine.islands, &view));
    prism_work_t other = engine_suite_work(suite, PRISM_METHOD_TABUCOL, 8, 100);
    engine_suite_do(suite, &engine, 0, &other);
    CHECK(!engine.ops->ladder(engine.self, 0, &view));
    const int64_t round = SWEEPS * N; /* of a replica */
    prism_work_t work = engine_suite_work(suite, PRISM_METHOD_TEMPERING, 8, replicas[i] * round);
    work.params.ladder = (prism_ladder_params_t){.replicas = replicas[i], .sweeps = SWEEPS};
    work.params.generation_iterations = engine_suite_moves(suite, PRISM_LADDER_WINDOW * round);
    int32_t windows = 0;
    for (int t = 0; windows == 0 && t < MOST_TICKETS; ++t) {
      prism_summary_t summary = engine_suite_do(suite, &engine, 0, &work);
      windows = check_ladder(suite, &engine, replicas[i], &summary);
    }
    CHECK(windows > 0);
    const int64_t ticket = engine_suite_submit(suite, &engine, 0, &work);
    CHECK(!engine.ops->ladder(engine.self, 0, &view)); /* not before its ticket is taken back */
    prism_summary_t summary = engine_suite_finish(suite, &engine, ticket);
    check_ladder(suite, &engine, replicas[i], &summary);
    prism_engine_destroy(&engine);
  }
  prism_graph_destroy(&graph);
}

void engine_suite_search(const engine_suite_t *suite) {
  SUITE_CASE(suite, summaries_are_true);
  SUITE_CASE(suite, planted_colorings_are_found);
  SUITE_CASE(suite, easy_graphs_are_solved);
  SUITE_CASE(suite, k_goes_down_and_up);
  SUITE_CASE(suite, seeds_are_starts);
  SUITE_CASE(suite, migrants_are_judged);
  SUITE_CASE(suite, same_seed_same_result);
  SUITE_CASE(suite, many_islands_work_at_once);
  SUITE_CASE(suite, ladders_are_told);
}
