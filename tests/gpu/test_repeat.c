/* Runs of the CUDA engine whose budgets are generations or iterations repeat exactly: with two
 * islands side by side, counters, migrants, a change of k and a colouring that is found while
 * other individuals still search; and whether transfers go on beside the kernels or not. */
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
  if (method == PRISM_METHOD_POOL) assert_true(accepted > 0);
  print_message("%s: %d migrants, %d restarts\n", prism_method_name(method), accepted, restarts);
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

static void pools_repeat(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  runs_repeat(PRISM_METHOD_POOL);
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
  };
  return gpu_run(tests);
}
