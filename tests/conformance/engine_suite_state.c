/* What islands know, saved and taken up again: what follows is what would have followed. */
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine_suite.h"
#include "oracle.h"

#define CHECK(condition) SUITE_CHECK(suite, condition)
#define CHECK_OK(call) CHECK((call) == PRISM_OK)

enum { N = 120, ISLANDS = 2, ISLAND = 1, FIRST = 3, MOST_STEPS = 10 };

static const uint64_t seed = 20261313;

/* ---- tools ---- */

/* A piece of work that ends with a generation. */
typedef struct step {
  int32_t k, generations;
} step_t;

/* What a step left behind. */
typedef struct trace {
  prism_summary_t summary[MOST_STEPS];
  int32_t best[MOST_STEPS][N], elite[MOST_STEPS][N];
} trace_t;

/* How the islands of a case work: by one method, or (-1) by all in turn. */
typedef struct manner {
  int method;
  int64_t length; /* of generations; 0: length and population are the engine's own */
} manner_t;

/* Work of few individuals: hundreds are saved and checked. */
static prism_work_t small_work(const engine_suite_t *suite, prism_method_t method, int32_t k,
                               int64_t iterations) {
  enum { FEW = 24 };
  prism_work_t work = engine_suite_work(suite, method, k, iterations);
  if (!suite->brief) work.params.population = FEW;
  return work;
}

static prism_engine_t open_engine(const engine_suite_t *suite, const prism_graph_t *graph) {
  return engine_suite_open(suite, graph, seed, ISLANDS, FIRST);
}

static prism_work_t work_of(const engine_suite_t *suite, const manner_t *manner, int32_t turn,
                            const step_t *step) {
  prism_method_t method = manner->method < 0 ? engine_suite_method(suite, turn)
                                             : (prism_method_t)manner->method;
  prism_work_t work = small_work(suite, method, step->k, 0);
  work.generations = step->generations;
  work.params.generation_iterations = engine_suite_moves(suite, manner->length);
  if (manner->length == 0) work.params.population = 0;
  return work;
}

static void take_steps(const engine_suite_t *suite, prism_engine_t *engine,
                       const prism_graph_t *graph, const manner_t *manner, const step_t *step,
                       int32_t steps, int32_t turn, trace_t *trace) {
  for (int32_t i = 0; i < steps; ++i) {
    int32_t k = 0;
    prism_work_t work = work_of(suite, manner, turn + i, &step[i]);
    trace->summary[i] = engine_suite_do(suite, engine, ISLAND, &work);
    engine_suite_export(suite, engine, ISLAND, graph, 0, trace->best[i], &k);
    engine_suite_export(suite, engine, ISLAND, graph, 1, trace->elite[i], &k);
    CHECK(k == step[i].k);
  }
}

static void check_same(const engine_suite_t *suite, const trace_t *a, const trace_t *b,
                       int32_t steps) {
  for (int32_t i = 0; i < steps; ++i) {
    CHECK(engine_suite_same(&a->summary[i], &b->summary[i]));
    CHECK(a->summary[i].temperature >= b->summary[i].temperature - 1e-12);
    CHECK(a->summary[i].temperature <= b->summary[i].temperature + 1e-12);
    CHECK(memcmp(a->best[i], b->best[i], sizeof a->best[i]) == 0);
    CHECK(memcmp(a->elite[i], b->elite[i], sizeof a->elite[i]) == 0);
  }
}

static prism_island_state_t save(const engine_suite_t *suite, prism_engine_t *engine) {
  prism_island_state_t state;
  memset(&state, 0xEE, sizeof state);
  CHECK_OK(engine->ops->save(engine->self, ISLAND, &state));
  return state;
}

static prism_status_t restore(prism_engine_t *engine, const prism_island_state_t *state,
                              bool *exact) {
  return engine->ops->restore(engine->self, ISLAND, state, exact);
}

/* What the header says about rows. Returns the fewest conflicts of a complete one. */
static int64_t check_state(const engine_suite_t *suite, const prism_graph_t *graph,
                           const prism_island_state_t *state, int32_t k) {
  int64_t least = INT64_MAX;
  CHECK(state->k == k && state->n == graph->n);
  CHECK(k == 0 ? state->rows == 0 : state->rows > 0);
  CHECK(state->engine[0] != '\0' && state->size > 0);
  CHECK(memchr(state->engine, '\0', sizeof state->engine) != NULL);
  for (int32_t i = 0; i < state->rows; ++i) {
    const int32_t *color = state->color + (size_t)i * N;
    bool complete = true;
    CHECK(engine_suite_has(suite, state->method[i]));
    for (int32_t v = 0; v < N; ++v) {
      CHECK(color[v] >= -1 && color[v] < k);
      complete = complete && color[v] >= 0;
    }
    if (!complete) continue;
    CHECK(state->f[i] == oracle_conflicts(graph, color));
    if (state->f[i] < least) least = state->f[i];
  }
  CHECK_OK(prism_island_state_check(state, N));
  return least;
}

/* ---- the same from there on ---- */

static const step_t first_steps[] = {{13, 2}, {13, 1}, {13, 3}, {12, 2}, {12, 2}, {12, 2}};
static const step_t next_steps[] = {{12, 1}, {12, 3}, {12, 2}, {11, 2}, {11, 3},
                                    {13, 2}, {12, 2}, {12, 1}};
enum {
  FIRST_STEPS = sizeof first_steps / sizeof *first_steps,
  NEXT_STEPS = sizeof next_steps / sizeof *next_steps
};

static void goes_on(const engine_suite_t *suite, const prism_graph_t *graph,
                    const manner_t *manner) {
  const int32_t next = manner->length > 0 ? NEXT_STEPS : 3;
  static trace_t unsaved, before, after, again;
  prism_engine_t a = open_engine(suite, graph);
  take_steps(suite, &a, graph, manner, first_steps, FIRST_STEPS, 0, &before);
  take_steps(suite, &a, graph, manner, next_steps, next, FIRST_STEPS, &unsaved);
  prism_engine_destroy(&a);

  a = open_engine(suite, graph);
  take_steps(suite, &a, graph, manner, first_steps, FIRST_STEPS, 0, &before);
  prism_island_state_t state = save(suite, &a);
  check_state(suite, graph, &state, first_steps[FIRST_STEPS - 1].k);
  take_steps(suite, &a, graph, manner, next_steps, next, FIRST_STEPS, &after);
  prism_engine_destroy(&a);
  check_same(suite, &unsaved, &after, next); /* saving changes nothing */

  prism_engine_t b = open_engine(suite, graph);
  bool exact = false;
  CHECK_OK(restore(&b, &state, &exact));
  CHECK(exact);
  prism_island_state_t second = save(suite, &b); /* and the state is the same again */
  CHECK(second.rows == state.rows && second.size == state.size && second.k == state.k);
  CHECK(memcmp(second.color, state.color, (size_t)state.rows * N * sizeof *state.color) == 0);
  prism_island_state_release(&second);
  int32_t color[N], k = 0; /* it shows what it had before it works */
  engine_suite_export(suite, &b, ISLAND, graph, 0, color, &k);
  CHECK(memcmp(color, before.best[FIRST_STEPS - 1], sizeof color) == 0);
  take_steps(suite, &b, graph, manner, next_steps, next, FIRST_STEPS, &again);
  check_same(suite, &unsaved, &again, next);

  /* In place of what an island has: the other half-way back to the same state. */
  CHECK_OK(restore(&b, &state, &exact));
  CHECK(exact);
  take_steps(suite, &b, graph, manner, next_steps, next, FIRST_STEPS, &again);
  check_same(suite, &unsaved, &again, next);
  prism_engine_destroy(&b);
  prism_island_state_release(&state);
}

static void restored_islands_go_on(const engine_suite_t *suite) {
  static const double density[] = {0.5, 0.15};
  for (int g = 0; g < 2; ++g) {
    prism_graph_t *graph = engine_suite_random(suite, N, density[g], 61u + (uint64_t)g);
    SUITE_METHODS(suite, m) {
      manner_t manner = {.method = m, .length = 700};
      if (!suite->brief) goes_on(suite, graph, &manner);
    }
    manner_t all = {.method = -1, .length = g == 0 ? 300 : 1100};
    goes_on(suite, graph, &all);
    if (!suite->brief && g == 0) {
      all.length = 0;
      goes_on(suite, graph, &all);
    }
    prism_graph_destroy(&graph);
  }
}

/* Many states in a row, each in an engine of its own: nothing is lost on the way. */
static void states_follow_each_other(const engine_suite_t *suite) {
  enum { LEGS = 12 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 65);
  manner_t manner = {.method = -1, .length = 200};
  static trace_t whole, leg;
  const int32_t legs = suite->brief ? 4 : LEGS;
  const step_t step = {13, 3};
  prism_engine_t a = open_engine(suite, graph), b = open_engine(suite, graph);
  for (int32_t i = 0; i < legs; ++i) {
    take_steps(suite, &a, graph, &manner, &step, 1, i, &whole);
    take_steps(suite, &b, graph, &manner, &step, 1, i, &leg);
    check_same(suite, &whole, &leg, 1);
    prism_island_state_t state = save(suite, &b);
    prism_engine_destroy(&b);
    b = open_engine(suite, graph);
    bool exact = false;
    CHECK_OK(restore(&b, &state, &exact));
    CHECK(exact);
    prism_island_state_release(&state);
  }
  prism_engine_destroy(&a);
  prism_engine_destroy(&b);
  prism_graph_destroy(&graph);
}

/* A migrant that waits, one that comes later, and a seed nobody has begun with. */
static void guests_are_remembered(const engine_suite_t *suite) {
  enum { K = 12 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 62);
  int32_t guest[2][N], k = 0;
  for (int i = 0; i < 2; ++i) {
    prism_engine_t abroad = engine_suite_open(suite, graph, 4000u + (uint64_t)i, 1, 50);
    prism_work_t work = small_work(suite, engine_suite_method(suite, 0), K,
                                          engine_suite_moves(suite, 40000));
    engine_suite_do(suite, &abroad, 0, &work);
    engine_suite_export(suite, &abroad, 0, graph, 0, guest[i], &k);
    prism_engine_destroy(&abroad);
  }
  SUITE_METHODS(suite, m) {
    static trace_t before, after, again;
    static const step_t on[] = {{K, 2}, {K, 12}, {K, 2}, {K - 1, 2}};
    manner_t manner = {.method = m, .length = 500};
    prism_import_result_t result[2] = {{false, -1}, {false, -1}};
    prism_engine_t a = open_engine(suite, graph);
    take_steps(suite, &a, graph, &manner, first_steps, FIRST_STEPS, 0, &before);
    CHECK_OK(a.ops->import_colors(a.self, ISLAND, guest[0], K, false, &result[0]));
    prism_island_state_t waiting = save(suite, &a);
    prism_engine_t b = open_engine(suite, graph);
    bool exact = false;
    CHECK_OK(restore(&b, &waiting, &exact));
    CHECK(exact);
    CHECK_OK(a.ops->import_colors(a.self, ISLAND, guest[1], K, false, &result[0]));
    CHECK_OK(b.ops->import_colors(b.self, ISLAND, guest[1], K, false, &result[1]));
    CHECK(result[0].accepted == result[1].accepted && result[0].distance == result[1].distance);
    take_steps(suite, &a, graph, &manner, on, 4, 0, &after);
    take_steps(suite, &b, graph, &manner, on, 4, 0, &again);
    check_same(suite, &after, &again, 4);
    prism_engine_destroy(&b);

    b = open_engine(suite, graph); /* without the second one */
    CHECK_OK(restore(&b, &waiting, &exact));
    CHECK_OK(restore(&a, &waiting, &exact));
    take_steps(suite, &a, graph, &manner, on, 4, 0, &after);
    take_steps(suite, &b, graph, &manner, on, 4, 0, &again);
    check_same(suite, &after, &again, 4);
    prism_island_state_release(&waiting);
    prism_engine_destroy(&b);

    CHECK_OK(a.ops->import_colors(a.self, ISLAND, guest[0], K, true, &result[0]));
    prism_island_state_t seeded = save(suite, &a);
    b = open_engine(suite, graph);
    CHECK_OK(restore(&b, &seeded, &exact));
    CHECK(exact);
    prism_island_state_release(&seeded);
    take_steps(suite, &a, graph, &manner, on, 4, 0, &after);
    take_steps(suite, &b, graph, &manner, on, 4, 0, &again);
    check_same(suite, &after, &again, 4);
    prism_engine_destroy(&a);
    prism_engine_destroy(&b);
  }
  prism_graph_destroy(&graph);
}

/* ---- less exact ---- */

/* In the middle of a generation, and after a stop: the best stays, budgets hold. */
static void searches_in_progress_go_on(const engine_suite_t *suite) {
  enum { K = 12 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 63);
  SUITE_METHODS(suite, m) {
    prism_engine_t a = open_engine(suite, graph), b = open_engine(suite, graph);
    prism_work_t work = small_work(suite, (prism_method_t)m, K, 0);
    for (int round = 0; round < 4; ++round) {
      work.iterations = engine_suite_moves(suite, 777 + 1234 * round);
      int64_t f = engine_suite_do(suite, &a, ISLAND, &work).f_best;
      prism_island_state_t state = save(suite, &a);
      CHECK(check_state(suite, graph, &state, K) <= f);
      bool exact = false;
      CHECK_OK(restore(&b, &state, &exact));
      CHECK(exact);
      prism_island_state_release(&state);
      int32_t color[N], k = 0;
      CHECK(engine_suite_export(suite, &b, ISLAND, graph, 0, color, &k) == f && k == K);
      prism_summary_t summary = engine_suite_do(suite, &b, ISLAND, &work);
      CHECK(summary.f_best <= f && summary.iterations >= work.iterations);
      if (suite->exact_budgets) CHECK(summary.iterations == work.iterations);
    }
    work.iterations = 0;
    work.seconds = 1000.0;
    int64_t ticket = engine_suite_submit(suite, &a, ISLAND, &work);
    a.ops->stop(a.self, ISLAND);
    int64_t f = engine_suite_finish(suite, &a, ticket).f_best;
    prism_island_state_t state = save(suite, &a);
    CHECK(check_state(suite, graph, &state, K) <= f);
    prism_island_state_release(&state);
    prism_engine_destroy(&a);
    prism_engine_destroy(&b);
  }
  prism_graph_destroy(&graph);
}

/* The rows of somebody else are starts, at their k and below. */
static void rows_are_starts(const engine_suite_t *suite) {
  enum { K = 13 };
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 64);
  SUITE_METHODS(suite, m) {
    prism_engine_t a = open_engine(suite, graph);
    prism_work_t work = small_work(suite, (prism_method_t)m, K,
                                          engine_suite_moves(suite, 20000));
    engine_suite_do(suite, &a, ISLAND, &work);
    prism_island_state_t state = save(suite, &a);
    prism_engine_destroy(&a);
    int64_t least = check_state(suite, graph, &state, K);
    for (int which = 0; which < (suite->brief ? 2 : 4); ++which) {
      if (which == 0) strcpy(state.engine, "other");
      if (which == 1) { /* bytes that nobody understands do not matter then */
        memset(state.bytes, 0xA5, state.size);
      } else if (which == 2) { /* nor does an uncolored vertex */
        least = INT64_MAX;
        for (int32_t i = 0; i < state.rows; ++i) state.color[(size_t)i * N + (size_t)i % N] = -1;
      } else if (which == 3) {
        state.size = 0;
      }
      for (int32_t k = K; k >= K - 1; --k) {
        prism_engine_t b = open_engine(suite, graph);
        bool exact = true;
        CHECK_OK(restore(&b, &state, &exact));
        CHECK(!exact);
        work = small_work(suite, engine_suite_method(suite, m + 1), k, 1);
        prism_summary_t summary = engine_suite_do(suite, &b, ISLAND, &work);
        if (k == K && which < 2) CHECK(summary.f_best <= least);
        int32_t color[N], now = 0;
        engine_suite_export(suite, &b, ISLAND, graph, 0, color, &now);
        work = small_work(suite, (prism_method_t)m, k, engine_suite_moves(suite, 3000));
        CHECK(engine_suite_do(suite, &b, ISLAND, &work).f_best >= 0);
        prism_island_state_t second = save(suite, &b);
        check_state(suite, graph, &second, k);
        prism_island_state_release(&second);
        prism_engine_destroy(&b);
      }
    }
    prism_island_state_release(&state);
  }
  prism_graph_destroy(&graph);
}

/* An island that never worked, and one with nothing to search. */
static void small_states(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 66);
  static trace_t fresh, again;
  manner_t manner = {.method = (int)engine_suite_method(suite, 0), .length = 400};
  prism_engine_t a = open_engine(suite, graph), b = open_engine(suite, graph);
  prism_island_state_t state = save(suite, &a);
  check_state(suite, graph, &state, 0);
  take_steps(suite, &a, graph, &manner, first_steps, 2, 0, &fresh);
  take_steps(suite, &b, graph, &manner, next_steps, 2, 0, &again);
  bool exact = false;
  CHECK_OK(restore(&b, &state, &exact));
  CHECK(exact);
  take_steps(suite, &b, graph, &manner, first_steps, 2, 0, &again);
  check_same(suite, &fresh, &again, 2);
  strcpy(state.engine, "other"); /* and nothing is an honest start, too */
  CHECK_OK(restore(&b, &state, &exact));
  CHECK(!exact);
  take_steps(suite, &b, graph, &manner, first_steps, 2, 0, &again);
  prism_island_state_release(&state);
  /* So many colors that all of it peels. */
  prism_work_t easy = small_work(suite, engine_suite_method(suite, 0), N, 100);
  CHECK(engine_suite_do(suite, &a, ISLAND, &easy).f_best == 0);
  state = save(suite, &a);
  CHECK(check_state(suite, graph, &state, N) == 0);
  CHECK_OK(restore(&b, &state, &exact));
  CHECK(exact);
  int32_t color[N], k = 0;
  CHECK(engine_suite_export(suite, &b, ISLAND, graph, 0, color, &k) == 0 && k == N);
  take_steps(suite, &a, graph, &manner, first_steps, 2, 0, &fresh);
  take_steps(suite, &b, graph, &manner, first_steps, 2, 0, &again);
  check_same(suite, &fresh, &again, 2);
  prism_island_state_release(&state);
  prism_engine_destroy(&a);
  prism_engine_destroy(&b);
  prism_graph_destroy(&graph);
}

/* ---- what is refused ---- */

static void refused(const engine_suite_t *suite, prism_engine_t *engine,
                    const prism_graph_t *graph, const prism_island_state_t *state) {
  bool exact = true;
  int32_t had[N], has[N], k = 0;
  engine_suite_export(suite, engine, ISLAND, graph, 0, had, &k);
  CHECK(restore(engine, state, &exact) == PRISM_FORMAT);
  CHECK(prism_error_text()[0] != '\0');
  engine_suite_export(suite, engine, ISLAND, graph, 0, has, &k);
  CHECK(memcmp(had, has, sizeof had) == 0);
}

/* Damage of every kind; afterwards the island goes on as if nothing had been tried. */
static void damage_is_refused(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 67);
  prism_rng_t rng = prism_rng_stream(seed, 67, 0, PRISM_RNG_TEST);
  static trace_t before, after, again;
  manner_t manner = {.method = -1, .length = 300};
  prism_engine_t a = open_engine(suite, graph), b = open_engine(suite, graph);
  take_steps(suite, &a, graph, &manner, first_steps, FIRST_STEPS, 0, &before);
  take_steps(suite, &b, graph, &manner, first_steps, FIRST_STEPS, 0, &before);
  prism_island_state_t state = save(suite, &a);
  size_t size = state.size;
  for (int i = 0; i < 60; ++i) {
    size_t at = prism_rng_below(&rng, (uint32_t)size);
    uint8_t kept = state.bytes[at];
    state.bytes[at] = (uint8_t)(kept ^ (1u << prism_rng_below(&rng, 8)));
    refused(suite, &a, graph, &state);
    state.bytes[at] = kept;
    state.size = prism_rng_below(&rng, (uint32_t)size);
    refused(suite, &a, graph, &state);
    state.size = size;
  }
  int32_t color = state.color[5];
  for (int32_t bad = -2; bad < 100; bad += 51) { /* -2, 49 */
    state.color[5] = bad;
    refused(suite, &a, graph, &state);
  }
  state.color[5] = color;
  state.method[0] ^= 0x40;
  refused(suite, &a, graph, &state);
  state.method[0] ^= 0x40;
  state.f[0] = -5;
  refused(suite, &a, graph, &state);
  state.f[0] = oracle_conflicts(graph, state.color);
  state.n = N - 1;
  refused(suite, &a, graph, &state);
  state.n = N;
  int32_t k = state.k;
  state.k = 0;
  refused(suite, &a, graph, &state);
  state.k = 3; /* fewer than its rows have */
  refused(suite, &a, graph, &state);
  state.k = k;
  take_steps(suite, &a, graph, &manner, next_steps, NEXT_STEPS, FIRST_STEPS, &after);
  take_steps(suite, &b, graph, &manner, next_steps, NEXT_STEPS, FIRST_STEPS, &again);
  check_same(suite, &after, &again, NEXT_STEPS);
  bool exact = false;
  CHECK_OK(restore(&a, &state, &exact)); /* all damage was mended */
  CHECK(exact);
  prism_island_state_release(&state);
  prism_engine_destroy(&a);
  prism_engine_destroy(&b);
  prism_graph_destroy(&graph);
}

static void bad_calls_are_refused(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 68);
  prism_engine_t a = open_engine(suite, graph);
  prism_island_state_t state = save(suite, &a), other = {.n = 0};
  bool exact = false;
  CHECK(a.ops->save(a.self, -1, &other) == PRISM_INVALID);
  CHECK(a.ops->save(a.self, ISLANDS, &other) == PRISM_INVALID);
  CHECK(a.ops->restore(a.self, -1, &state, &exact) == PRISM_INVALID);
  CHECK(a.ops->restore(a.self, ISLANDS, &state, &exact) == PRISM_INVALID);
  prism_work_t work = small_work(suite, engine_suite_method(suite, 0), 12, 0);
  work.seconds = 1000.0;
  int64_t ticket = engine_suite_submit(suite, &a, ISLAND, &work);
  CHECK(a.ops->save(a.self, ISLAND, &other) == PRISM_INVALID);
  CHECK(other.rows == 0 && other.bytes == NULL && other.color == NULL);
  CHECK(restore(&a, &state, &exact) == PRISM_INVALID);
  a.ops->stop(a.self, ISLAND);
  engine_suite_finish(suite, &a, ticket);
  prism_island_state_release(&state);
  prism_engine_destroy(&a);
  prism_graph_destroy(&graph);
}

void engine_suite_state(const engine_suite_t *suite) {
  prism_graph_t *graph = engine_suite_random(suite, N, 0.5, 60);
  prism_engine_t engine = open_engine(suite, graph);
  CHECK(engine.ops->save != NULL && engine.ops->restore != NULL); /* optional, but all have them */
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
  SUITE_CASE(suite, restored_islands_go_on);
  SUITE_CASE(suite, states_follow_each_other);
  SUITE_CASE(suite, guests_are_remembered);
  SUITE_CASE(suite, searches_in_progress_go_on);
  SUITE_CASE(suite, rows_are_starts);
  SUITE_CASE(suite, small_states);
  SUITE_CASE(suite, damage_is_refused);
  SUITE_CASE(suite, bad_calls_are_refused);
}
