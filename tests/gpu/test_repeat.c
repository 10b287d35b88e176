/* Runs of the CUDA engine whose budgets are generations or iterations repeat exactly: with two
 * islands side by side, counters, migrants, a change of k and a colouring that is found while
 * other individuals still search; and whether transfers go on beside the kernels or not. So do
 * those that are saved in the middle and go on in another engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/engine_fixture.h"

static const uint64_t seed = 20261123;

enum { ISLANDS = 2, N = 150, ROOM = 16384 };

static int32_t deme_size; /* of the pools; 0: as they come */

/* All that a run shows, one number after the other. */
typedef struct trace {
  int64_t value[ROOM];
  int32_t count;
} trace_t;

static void note(trace_t *t, int64_t value) {
  assert_in_range(t->count, 0, ROOM - 1);
  t->value[t->count++] = value;
}

static void note_real(trace_t *t, double value) {
  int64_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  note(t, bits);
}

static void note_summary(trace_t *t, const prism_summary_t *s) {
  note(t, s->f_best);
  note(t, s->f_ticket);
  note(t, s->iterations);
  note(t, s->generations);
  note(t, s->individuals);
  note(t, s->restarts);
  note_real(t, s->diversity);
  note_real(t, s->temperature);
  note_real(t, s->swap_rate);
}

static void note_colors(trace_t *t, prism_engine_t *engine, int32_t island,
                        const prism_graph_t *graph) {
  int32_t color[N];
  for (int32_t which = 0; which < 2; ++which) {
    note(t, take(engine, island, graph, which, color));
    for (int32_t v = 0; v < graph->n; ++v) note(t, color[v]);
  }
}

/* Both islands at once; returns their restarts. */
static int32_t work_both(trace_t *t, prism_engine_t *engine, const prism_graph_t *graph,
                         const prism_work_t *work) {
  int64_t ticket[ISLANDS];
  int32_t restarts = 0;
  for (int32_t i = 0; i < ISLANDS; ++i) ticket[i] = submit(engine, i, work);
  for (int32_t i = 0; i < ISLANDS; ++i) {
    const prism_summary_t summary = finish(engine, ticket[i]);
    note_summary(t, &summary);
    restarts += summary.restarts;
  }
  for (int32_t i = 0; i < ISLANDS; ++i) note_colors(t, engine, i, graph);
  return restarts;
}

/* An elite of each island goes to the other one. Returns how many are taken in. */
static int32_t migrate(trace_t *t, prism_engine_t *engine) {
  int32_t color[ISLANDS][N], k = 0, accepted = 0;
  int64_t f = 0;
  for (int32_t i = 0; i < ISLANDS; ++i)
    must(engine->ops->export_colors(engine->self, i, 1, 99u, color[i], &k, &f));
  for (int32_t i = 0; i < ISLANDS; ++i) {
    prism_import_result_t result;
    must(engine->ops->import_colors(engine->self, i, color[ISLANDS - 1 - i], k, false, &result));
    note(t, result.accepted);
    note(t, result.distance);
    accepted += result.accepted;
  }
  return accepted;
}

/* Colours that are out of reach, so that every budget is used up. */
static void search_in_vain(trace_t *t, const prism_gpu_setup_t *setup, prism_method_t method,
                           uint64_t run_seed) {
  const int32_t population = gpu_repeats(16, 8), length = gpu_repeats(400, 60);
  prism_graph_t *graph = gnp(N, 0.5, seed);
  prism_engine_t engine = open_engine(setup, graph, ISLANDS, run_seed);
  const prism_hooks_t hooks = {.counters = true};
  int32_t accepted = 0, restarts = 0;
  must(engine.ops->set_hooks(engine.self, 0, &hooks));
  for (int ticket = 0; ticket < gpu_repeats(5, 4); ++ticket) {
    const int64_t generations = gpu_repeats(4, 2);
    prism_work_t work = work_of(method, ticket < 3 ? 13 : 12, ticket % 2 == 0 ? generations : 0);
    /* ends in mid generation */
    if (ticket % 2 == 1) work.iterations = population * length * (4 * generations - 3) / 4;
    work.params.population = population;
    work.params.deme_size = deme_size;
    work.params.generation_iterations = length;
    work.params.ladder.sweeps = 1; /* so a generation is a window of exchanges */
    restarts += work_both(t, &engine, graph, &work);
    accepted += migrate(t, &engine);
  }
  for (int which = 0; which < PRISM_COUNTER_COUNT; ++which) {
    uint32_t count[N];
    must(engine.ops->export_counters(engine.self, 0, (prism_counter_t)which, count));
    for (int32_t v = 0; v < N; ++v) note(t, count[v]);
  }
  if (method == PRISM_METHOD_POOL) assert_true((accepted > 0) == (deme_size == 0));
  print_message("%s: %d migrants, %d restarts\n", prism_method_name(method), accepted, restarts);
  if (deme_size > 0) assert_true(restarts > 0 || gpu_repeats(1, 0) == 0);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

/* A planted colouring: the first to find it must not end the others' search. Then one colour
 * less, from what is left of it. */
static void search_and_find(trace_t *t, const prism_gpu_setup_t *setup, prism_method_t method,
                            uint64_t run_seed) {
  const int32_t k = gpu_repeats(6, 4);
  prism_graph_t *graph = planted(gpu_repeats(N, 64), k, 0.6, seed);
  prism_engine_t engine = open_engine(setup, graph, ISLANDS, run_seed);
  int32_t color[N];
  prism_work_t work = work_of(method, k, 500);
  work.params.population = gpu_repeats(16, 8);
  work.params.deme_size = deme_size;
  work.params.generation_iterations = gpu_repeats(2000, 300);
  work_both(t, &engine, graph, &work);
  for (int32_t i = 0; i < ISLANDS; ++i) assert_int_equal(take(&engine, i, graph, 0, color), 0);
  work.k = k - 1;
  work.generations = gpu_repeats(2, 1);
  work_both(t, &engine, graph, &work);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&graph);
}

static void trace_run(trace_t *t, bool async, prism_method_t method, uint64_t run_seed) {
  prism_gpu_setup_t setup = plain_setup();
  setup.params.async = async;
  t->count = 0;
  search_in_vain(t, &setup, method, run_seed);
  search_and_find(t, &setup, method, run_seed);
}

static void check_same(const trace_t *a, const trace_t *b, const char *what) {
  int32_t at = 0;
  while (at < a->count && at < b->count && a->value[at] == b->value[at]) ++at;
  if (at == a->count && at == b->count) return;
  fail_msg("%s: %d and %d numbers, different from number %d on", what, a->count, b->count, at);
}

static void runs_repeat(prism_method_t method) {
  static trace_t first, other;
  const char *name = prism_method_name(method);
  trace_run(&first, true, method, seed);
  assert_true(first.count > 1000);
  trace_run(&other, false, method, seed);
  check_same(&first, &other, name);
  if (gpu_repeats(1, 0) == 0) return;
  for (int async = 0; async < 2; ++async) {
    trace_run(&other, async == 1, method, seed);
    check_same(&first, &other, name);
  }
  trace_run(&other, true, method, seed + 1); /* or a trace would say nothing */
  assert_true(first.count != other.count ||
              memcmp(first.value, other.value, (size_t)first.count * sizeof *first.value) != 0);
}

/* ---- saved in the middle ---- */

/* Members of each island's pool visit the other one. Returns how many. */
static int32_t meet(trace_t *t, prism_engine_t *engine) {
  enum { ROWS = 4 };
  prism_buffer_t out[ISLANDS], in[ISLANDS];
  int32_t all = 0;
  for (int32_t i = 0; i < ISLANDS; ++i) {
    must(engine->ops->outbox(engine->self, i, ROWS, PRISM_SPACE_HOST, &out[i]));
    must(engine->ops->inbox(engine->self, i, ISLANDS * ROWS, PRISM_SPACE_HOST, &in[i]));
  }
  for (int32_t i = 0; i < ISLANDS; ++i) {
    const size_t bytes = ROWS * out[i].element_bytes;
    int32_t visitors = -1;
    for (int32_t j = 0; j < ISLANDS; ++j)
      memcpy((char *)in[i].data + (size_t)j * bytes, out[j].data, bytes);
    must(engine->ops->receive(engine->self, i, &in[i], ROWS * i, ROWS, &visitors));
    note(t, visitors);
    all += visitors;
  }
  return all;
}

/* What is still there when the work is over: migrants that wait, visitors. */
typedef struct company {
  int32_t migrants, visitors, restarts;
} company_t;

/* Long enough for pools to choose mates more strictly, to become alike and to begin anew, and
 * for ladders to be tuned. */
static company_t live(trace_t *t, prism_engine_t *engine, const prism_graph_t *graph,
                      prism_method_t method, int32_t k, int32_t tickets) {
  company_t company = {0, 0, 0};
  for (int32_t ticket = 0; ticket < tickets; ++ticket) {
    const bool pool = method == PRISM_METHOD_POOL;
    /* Small demes are soon alike, and what follows takes many times the moves. */
    prism_work_t work = work_of(method, k, gpu_repeats(deme_size > 0 ? 8 : pool ? 20 : 35, 3));
    work.params.population = 8;
    work.params.deme_size = deme_size;
    work.params.generation_iterations = pool ? 0 : gpu_repeats(400, 60);
    work.params.ladder.sweeps = 1;
    company.restarts += work_both(t, engine, graph, &work);
    company.visitors = meet(t, engine);
    company.migrants = migrate(t, engine);
  }
  return company;
}

static company_t live_first(trace_t *t, prism_engine_t *engine, const prism_graph_t *graph,
                            prism_method_t method) {
  live(t, engine, graph, method, 13, 1);
  return live(t, engine, graph, method, 12, 3);
}

static company_t live_on(trace_t *t, prism_engine_t *engine, const prism_graph_t *graph,
                         prism_method_t method) {
  const company_t company = live(t, engine, graph, method, 12, 3);
  live(t, engine, graph, method, 11, 1);
  return company;
}

static prism_status_t restore(prism_engine_t *engine, int32_t island,
                              const prism_island_state_t *state, bool *exact) {
  return engine->ops->restore(engine->self, island, state, exact);
}

/* Bytes that were changed or cut off, and rows that are not what they were. */
static void refuse_damage(prism_engine_t *engine, prism_island_state_t *state) {
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  const size_t size = state->size;
  bool exact = true;
  for (int i = 0; i < gpu_repeats(40, 4); ++i) {
    const size_t at = prism_rng_below(&rng, (uint32_t)size);
    const uint32_t row = prism_rng_below(&rng, (uint32_t)state->rows);
    state->bytes[at] ^= 0x10;
    assert_int_equal(restore(engine, 0, state, &exact), PRISM_FORMAT);
    state->bytes[at] ^= 0x10;
    state->size = at;
    assert_int_equal(restore(engine, 0, state, &exact), PRISM_FORMAT);
    state->size = size;
    state->f[row] += 1;
    assert_int_equal(restore(engine, 0, state, &exact), PRISM_FORMAT);
    state->f[row] -= 1;
  }
}

/* Byte for byte: nothing was left out of one of them that is in the other. */
static void check_same_state(prism_engine_t *engine, int32_t island,
                             const prism_island_state_t *state) {
  prism_island_state_t now;
  must(engine->ops->save(engine->self, island, &now));
  assert_int_equal(now.k, state->k);
  assert_int_equal(now.rows, state->rows);
  assert_int_equal(now.size, state->size);
  const size_t rows = (size_t)now.rows;
  assert_memory_equal(now.bytes, state->bytes, now.size);
  assert_memory_equal(now.method, state->method, rows);
  assert_memory_equal(now.f, state->f, rows * sizeof *now.f);
  assert_memory_equal(now.color, state->color, rows * N * sizeof *now.color);
  prism_island_state_release(&now);
}

/* A run goes on: in the engine where it began, or (resumed) in others that take its state. */
static void saved_runs_go_on(prism_method_t method) {
  static trace_t first, whole, resumed;
  prism_graph_t *graph = gnp(N, 0.5, seed);
  prism_gpu_setup_t setup = plain_setup();
  prism_island_state_t state[ISLANDS];
  first.count = whole.count = 0;
  prism_engine_t a = open_engine(&setup, graph, ISLANDS, seed);
  const company_t before = live_first(&first, &a, graph, method);
  for (int32_t i = 0; i < ISLANDS; ++i) must(a.ops->save(a.self, i, &state[i]));
  const company_t after = live_on(&whole, &a, graph, method);
  print_message("%s: %d rows, %zu bytes, %d visitors and %d migrants, %d and %d restarts\n",
                prism_method_name(method), state[0].rows, state[0].size, before.visitors,
                before.migrants, before.restarts, after.restarts);
  if (method == PRISM_METHOD_POOL) assert_true((before.visitors > 0) == (deme_size == 0));
  for (int async = 0; async < 2; ++async) {
    setup.params.async = async == 1;
    prism_engine_t b = open_engine(&setup, graph, ISLANDS, seed);
    for (int32_t i = 0; i < ISLANDS; ++i) {
      bool exact = false;
      must(restore(&b, i, &state[i], &exact));
      assert_true(exact);
      check_same_state(&b, i, &state[i]);
    }
    refuse_damage(&b, &state[0]);
    check_same_state(&b, 0, &state[0]);
    resumed.count = 0;
    live_on(&resumed, &b, graph, method);
    check_same(&whole, &resumed, prism_method_name(method));
    prism_engine_destroy(&b);
  }
  for (int32_t i = 0; i < ISLANDS; ++i) prism_island_state_release(&state[i]);
  prism_engine_destroy(&a);
  prism_graph_destroy(&graph);
}

static void saved_pools_go_on(void **state) {
  (void)state;
  saved_runs_go_on(PRISM_METHOD_POOL);
}

/* Members of demes meet nobody, so these runs differ only in what the demes do. */
static void saved_demes_go_on(void **state) {
  (void)state;
  deme_size = 4;
  saved_runs_go_on(PRISM_METHOD_POOL);
  deme_size = 0;
}

/* A pool that has divided of itself. */
static void work_divided(trace_t *t, prism_engine_t *engine, const prism_graph_t *graph,
                         int32_t k) {
  enum { GENERATIONS = 25, MOST = 24 };
  int32_t restarts = 0;
  t->count = 0;
  for (int32_t ticket = 0; ticket < MOST && (restarts == 0 || ticket < 3); ++ticket) {
    prism_work_t work = work_of(PRISM_METHOD_POOL, k, GENERATIONS);
    work.params.population = 96;
    restarts += work_both(t, engine, graph, &work);
  }
  print_message("%d colors: %d restarts\n", k, restarts);
  assert_true(restarts > 0);
}

static void divided_pools_go_on(void **state) {
  (void)state;
  if (gpu_repeats(1, 0) == 0) skip(); /* it takes some hundred generations */
  static trace_t first, whole, resumed;
  prism_graph_t *graph = gnp(N, 0.5, seed);
  prism_gpu_setup_t setup = plain_setup();
  prism_island_state_t saved[ISLANDS];
  prism_engine_t a = open_engine(&setup, graph, ISLANDS, seed);
  work_divided(&first, &a, graph, 12);
  for (int32_t i = 0; i < ISLANDS; ++i) must(a.ops->save(a.self, i, &saved[i]));
  work_divided(&whole, &a, graph, 12);
  work_divided(&first, &a, graph, 11);
  prism_engine_t b = open_engine(&setup, graph, ISLANDS, seed);
  for (int32_t i = 0; i < ISLANDS; ++i) {
    bool exact = false;
    must(restore(&b, i, &saved[i], &exact));
    assert_true(exact);
    check_same_state(&b, i, &saved[i]);
    prism_island_state_release(&saved[i]);
  }
  work_divided(&resumed, &b, graph, 12);
  check_same(&whole, &resumed, "demes");
  work_divided(&resumed, &b, graph, 11);
  check_same(&first, &resumed, "demes of the next k");
  prism_engine_destroy(&a);
  prism_engine_destroy(&b);
  prism_graph_destroy(&graph);
}

static void saved_tabucol_goes_on(void **state) {
  (void)state;
  saved_runs_go_on(PRISM_METHOD_TABUCOL);
}

static void saved_weights_go_on(void **state) {
  (void)state;
  saved_runs_go_on(PRISM_METHOD_WEIGHTED);
}

static void saved_partialcol_goes_on(void **state) {
  (void)state;
  saved_runs_go_on(PRISM_METHOD_PARTIALCOL);
}

static void saved_ladders_go_on(void **state) {
  (void)state;
  if (gpu_repeats(1, 0) == 0) skip(); /* they fill the GPU */
  saved_runs_go_on(PRISM_METHOD_TEMPERING);
}

/* ---- methods ---- */

static void pools_repeat(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  runs_repeat(PRISM_METHOD_POOL);
}

static void demes_repeat(void **state) {
  (void)state;
  deme_size = 4;
  runs_repeat(PRISM_METHOD_POOL);
  deme_size = 0;
}

static void tabucol_repeats(void **state) {
  (void)state;
  runs_repeat(PRISM_METHOD_TABUCOL);
}

static void weighted_repeats(void **state) {
  (void)state;
  runs_repeat(PRISM_METHOD_WEIGHTED);
}

static void partialcol_repeats(void **state) {
  (void)state;
  runs_repeat(PRISM_METHOD_PARTIALCOL);
}

static void tempering_repeats(void **state) {
  (void)state;
  if (gpu_repeats(1, 0) == 0) skip(); /* its ladders fill the GPU */
  runs_repeat(PRISM_METHOD_TEMPERING);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pools_repeat),     cmocka_unit_test(tabucol_repeats),
      cmocka_unit_test(weighted_repeats), cmocka_unit_test(partialcol_repeats),
      cmocka_unit_test(tempering_repeats),
      cmocka_unit_test(demes_repeat),
      cmocka_unit_test(saved_pools_go_on),
      cmocka_unit_test(saved_demes_go_on),
      cmocka_unit_test(divided_pools_go_on),
      cmocka_unit_test(saved_tabucol_goes_on),
      cmocka_unit_test(saved_weights_go_on),
      cmocka_unit_test(saved_partialcol_goes_on),
      cmocka_unit_test(saved_ladders_go_on),
  };
  return gpu_run(tests);
}
