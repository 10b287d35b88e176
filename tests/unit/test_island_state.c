/* Saved CPU islands: every number of them survives, on graphs of every kind and with hooks;
 * bytes that lie are refused or harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "base/pack.h"
#include "fake_gpu.h"
#include "model/generate.h"
#include "oracle.h"
#include "search/arm_state.h"
#include "search/island.h"
#include "search/seeds.h"

static const uint64_t seed = 20261401;

enum { MAX_N = 500 };

/* Two islands of the same number, on one kernel. */
typedef struct pair {
  prism_graph_t *graph;
  prism_ground_list_t grounds;
  prism_island_t a, b;
  prism_hooks_t hooks;
} pair_t;

static void pair_open(pair_t *pair, int32_t n, double p, uint64_t which) {
  prism_generated_t made = {.graph = NULL};
  memset(pair, 0, sizeof *pair);
  assert_int_equal(prism_generate_gnp(n, p, seed + which, &made), PRISM_OK);
  pair->graph = made.graph;
  assert_int_equal(prism_ground_list_init(&pair->grounds, pair->graph), PRISM_OK);
  const prism_isa_t *isa = prism_isa_select(0);
  assert_int_equal(prism_island_init(&pair->a, pair->graph, &pair->grounds, isa, seed, 7),
                   PRISM_OK);
  assert_int_equal(prism_island_init(&pair->b, pair->graph, &pair->grounds, isa, seed, 7),
                   PRISM_OK);
}

static void pair_close(pair_t *pair) {
  prism_island_release(&pair->a);
  prism_island_release(&pair->b);
  prism_ground_list_release(&pair->grounds);
  prism_graph_destroy(&pair->graph);
}

static prism_summary_t work(prism_island_t *island, prism_method_t method, int32_t k,
                            int64_t length, int64_t generations, int64_t iterations) {
  prism_work_t piece = {.phase = prism_method_phase(method), .k = k, .generations = generations,
                        .iterations = iterations,
                        .params = {.method = method, .population = 5, .tenure_base = 10.0,
                                   .tenure_slope = 0.6, .generation_iterations = length}};
  prism_summary_t summary;
  assert_int_equal(prism_island_work(island, &piece, NULL, &summary), PRISM_OK);
  summary.seconds = 0.0;
  return summary;
}

static void check_equal(const prism_summary_t *x, const prism_summary_t *y) {
  assert_int_equal(x->f_best, y->f_best);
  assert_int_equal(x->f_ticket, y->f_ticket);
  assert_int_equal(x->iterations, y->iterations);
  assert_int_equal(x->generations, y->generations);
  assert_int_equal(x->restarts, y->restarts);
  assert_int_equal(x->individuals, y->individuals);
  assert_true(x->diversity >= y->diversity && x->diversity <= y->diversity);
  assert_true(x->temperature >= y->temperature && x->temperature <= y->temperature);
  assert_true(x->swap_rate >= y->swap_rate && x->swap_rate <= y->swap_rate);
}

/* Byte for byte: nothing was left out of one of them that is in the other. */
static void check_same_state(const prism_island_t *a, const prism_island_t *b) {
  prism_island_state_t x, y;
  assert_int_equal(prism_island_save(a, &x), PRISM_OK);
  assert_int_equal(prism_island_save(b, &y), PRISM_OK);
  assert_int_equal(x.k, y.k);
  assert_int_equal(x.rows, y.rows);
  assert_int_equal(x.size, y.size);
  assert_memory_equal(x.bytes, y.bytes, x.size);
  if (x.rows > 0) {
    assert_memory_equal(x.method, y.method, (size_t)x.rows);
    assert_memory_equal(x.f, y.f, (size_t)x.rows * sizeof *x.f);
    assert_memory_equal(x.color, y.color, (size_t)x.rows * (size_t)x.n * sizeof *x.color);
  }
  for (int32_t i = 0; i < x.rows; ++i)
    assert_int_equal(x.f[i], oracle_conflicts(a->kernel, x.color + (size_t)i * (size_t)x.n));
  prism_island_state_release(&x);
  prism_island_state_release(&y);
}

/* b becomes what a is. */
static void hand_over(pair_t *pair) {
  prism_island_state_t state;
  bool exact = false;
  assert_int_equal(prism_island_save(&pair->a, &state), PRISM_OK);
  assert_string_equal(state.engine, "cpu");
  assert_int_equal(prism_island_restore(&pair->b, &state, &exact), PRISM_OK);
  assert_true(exact);
  check_same_state(&pair->a, &pair->b);
  prism_island_state_release(&state);
}

/* One method after the other on both, the same at every step. */
static void go_on(pair_t *pair, int32_t k, int64_t length, int first) {
  for (int i = 0; i < PRISM_METHOD_COUNT; ++i) {
    prism_method_t method = (prism_method_t)((first + i) % PRISM_METHOD_COUNT);
    if (pair->hooks.frozen != NULL && prism_method_renames(method)) continue;
    prism_summary_t x = work(&pair->a, method, k, length, 2, 0);
    prism_summary_t y = work(&pair->b, method, k, length, 2, 0);
    check_equal(&x, &y);
    check_same_state(&pair->a, &pair->b);
  }
}

static void all_methods(prism_island_t *island, bool frozen, int32_t k, int64_t length,
                        int64_t generations, int64_t iterations) {
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    if (!frozen || !prism_method_renames((prism_method_t)m))
      work(island, (prism_method_t)m, k, length, generations, iterations);
}

/* Dense and sparse rows, narrow cells on the verge of wide ones, wide cells, a view that is
 * smaller than the graph, one that is empty. */
static const struct {
  int32_t n;
  double p;
  int32_t k;
  int64_t length;
} kinds[] = {{120, 0.5, 12, 300},  {150, 0.9, 40, 500},  {400, 0.02, 3, 2000}, {480, 0.35, 4, 900},
             {500, 0.35, 3, 3000}, {200, 0.03, 4, 1000}, {100, 0.5, 12, 0},    {60, 0.1, 40, 500},
             {300, 0.5, 27, 6000}};

static void every_kind_goes_on(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
    pair_t pair;
    int32_t k = kinds[i].k;
    int64_t length = kinds[i].length;
    pair_open(&pair, kinds[i].n, kinds[i].p, i);
    hand_over(&pair); /* before any work */
    all_methods(&pair.a, false, k, length, 3, 0);
    hand_over(&pair);
    go_on(&pair, k, length, (int)i);
    go_on(&pair, k > 2 ? k - 1 : k, length, 2);
    hand_over(&pair);
    go_on(&pair, k > 2 ? k - 1 : k, length, 4);
    go_on(&pair, k + 1, length, 1);
    hand_over(&pair);
    go_on(&pair, k, length, 0);
    pair_close(&pair);
  }
}

/* Many generations: cycles of HEAD end, populations converge and are renewed, weights are
 * smoothed, ladders are tuned and frozen. */
static void long_lives_go_on(void **state) {
  (void)state;
  pair_t pair;
  pair_open(&pair, 60, 0.5, 20);
  for (int leg = 0; leg < 12; ++leg) {
    all_methods(&pair.a, false, 7, 60, 23 + 20 * leg, 0);
    hand_over(&pair);
    go_on(&pair, 7, 60, leg);
  }
  assert_true(pair.a.arm[PRISM_METHOD_HEAD].restarts > 0);
  assert_true(pair.a.arm[PRISM_METHOD_POOL].restarts > 0);
  assert_true(pair.a.arm[PRISM_METHOD_TEMPERING].tempering->ladder.windows > 0);
  pair_close(&pair);
}

/* An extraction that was stopped before its first step begins as long as the last one ended. */
static void efforts_are_inherited(void **state) {
  (void)state;
  enum { K = 9 };
  pair_t pair;
  pair_open(&pair, 70, 0.5, 24);
  const prism_arm_t *a = &pair.a.arm[PRISM_METHOD_EXTRACTION];
  const prism_arm_t *b = &pair.b.arm[PRISM_METHOD_EXTRACTION];
  work(&pair.a, PRISM_METHOD_EXTRACTION, K, 3000, 40, 0);
  const int32_t effort = a->extraction->effort;
  assert_true(a->extraction->attempt > 1);
  atomic_bool stop = true;
  prism_work_t piece = {.phase = PRISM_PHASE_MEMETIC, .k = K - 1, .generations = 1,
                        .params = {.method = PRISM_METHOD_EXTRACTION, .tenure_base = 10.0}};
  prism_summary_t summary;
  assert_int_equal(prism_island_work(&pair.a, &piece, &stop, &summary), PRISM_OK);
  assert_null(a->extraction);
  hand_over(&pair);
  go_on(&pair, K - 1, 3000, PRISM_METHOD_EXTRACTION);
  assert_int_equal(a->extraction->effort, effort);
  assert_int_equal(b->extraction->effort, effort);
  pair_close(&pair);
}

static prism_summary_t work_pool(prism_island_t *island, int64_t generations) {
  prism_work_t piece = {.phase = PRISM_PHASE_MEMETIC, .k = 11, .generations = generations,
                        .params = {.method = PRISM_METHOD_POOL, .tenure_base = 10.0,
                                   .tenure_slope = 0.6}};
  prism_summary_t summary;
  assert_int_equal(prism_island_work(island, &piece, NULL, &summary), PRISM_OK);
  summary.seconds = 0.0;
  return summary;
}

/* A pool that has more members than it began with, since long searches kept these apart. */
static void grown_pools_go_on(void **state) {
  (void)state;
  pair_t pair;
  pair_open(&pair, 130, 0.5, 21);
  const prism_arm_t *pool = &pair.a.arm[PRISM_METHOD_POOL];
  do
    work_pool(&pair.a, 50);
  while (pool->capacity <= PRISM_ARM_POOL_MOST && pool->restarts < 12);
  assert_true(pool->capacity > PRISM_ARM_POOL_MOST && pool->lengths.proven > 0);
  const int32_t restarts = pool->restarts;
  hand_over(&pair);
  for (int leg = 0; leg < 40 && pool->restarts < restarts + 2; ++leg) {
    const prism_summary_t x = work_pool(&pair.a, 250), y = work_pool(&pair.b, 250);
    check_equal(&x, &y);
    check_same_state(&pair.a, &pair.b);
  }
  assert_true(pool->restarts > restarts);
  pair_close(&pair);
}

/* In mid generation the state holds the whole search but its tabu list: what is saved of a
 * restored island is the same again, and so is all that does not make moves. */
static void searches_in_progress_are_kept(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 30, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 40; ++round) {
    pair_t pair;
    pair_open(&pair, 110, 0.5, 30);
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
      work(&pair.a, (prism_method_t)m, 11, 400, 0, 1 + (int64_t)prism_rng_below(&rng, 9000));
    hand_over(&pair);
    /* A ladder has no tabu list. */
    prism_summary_t x = work(&pair.a, PRISM_METHOD_TEMPERING, 11, 400, 0, 777);
    prism_summary_t y = work(&pair.b, PRISM_METHOD_TEMPERING, 11, 400, 0, 777);
    check_equal(&x, &y);
    check_same_state(&pair.a, &pair.b);
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m) /* and budgets are as they were */
      assert_int_equal(work(&pair.b, (prism_method_t)m, 11, 400, 0, 1234).iterations, 1234);
    pair_close(&pair);
  }
}

/* A migrant of each population waits for its turn. */
static void migrants_wait_on(void **state) {
  (void)state;
  enum { N = 100, K = 12 };
  static const prism_method_t population[] = {PRISM_METHOD_HEAD, PRISM_METHOD_POOL};
  for (int i = 0; i < 2; ++i) {
    pair_t pair;
    int32_t guest[N], k = 0;
    int64_t f = 0;
    prism_import_result_t result = {false, -1};
    pair_open(&pair, N, 0.5, 31);
    pair.b.id = 99;
    work(&pair.b, PRISM_METHOD_TABUCOL, K, 3000, 10, 0);
    assert_int_equal(prism_island_export(&pair.b, 0, 0, guest, &k, &f), PRISM_OK);
    pair.b.id = 7;
    work(&pair.a, population[i], K, 50, 12, 0);
    assert_int_equal(prism_island_import(&pair.a, guest, k, false, &result), PRISM_OK);
    assert_true(result.accepted);
    hand_over(&pair);
    assert_int_equal(pair.b.arm[population[i]].migrant.f, f);
    go_on(&pair, K, 50, (int)population[i]);
    pair_close(&pair);
  }
}

/* Where nothing is left to search there is one row, of the last method. */
static void empty_views_have_a_row(void **state) {
  (void)state;
  pair_t pair;
  prism_island_state_t saved;
  pair_open(&pair, 60, 0.1, 32);
  work(&pair.a, PRISM_METHOD_POOL, 40, 100, 1, 0);
  assert_int_equal(prism_island_save(&pair.a, &saved), PRISM_OK);
  assert_int_equal(saved.rows, 1);
  assert_int_equal(saved.k, 40);
  assert_int_equal(saved.method[0], PRISM_METHOD_POOL);
  assert_int_equal(oracle_conflicts(pair.graph, saved.color), 0);
  prism_island_state_release(&saved);
  hand_over(&pair);
  pair_close(&pair);
}

/* ---- hooks ---- */

typedef struct hook_arrays {
  float score[MAX_N];
  int32_t vertex_weight[MAX_N];
  int32_t *edge_weight;
  uint64_t frozen[MAX_N / 64 + 1];
} hook_arrays_t;

static void draw_hooks(pair_t *pair, hook_arrays_t *arrays, int which, prism_rng_t *rng) {
  const prism_graph_t *g = pair->graph;
  memset(arrays, 0, sizeof *arrays);
  assert_int_equal(PRISM_ALLOC(2 * g->m, &arrays->edge_weight), PRISM_OK);
  for (int32_t v = 0; v < g->n; ++v) {
    arrays->score[v] = (float)prism_rng_below(rng, 3) / 2.0f;
    arrays->vertex_weight[v] = 1 + (int32_t)prism_rng_below(rng, 4);
    if (prism_rng_below(rng, 12) == 0) prism_bitset_add(arrays->frozen, v);
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      arrays->edge_weight[e] = 1 + (v * g->neighbor[e] + v + g->neighbor[e]) % 5;
  }
  pair->hooks = (prism_hooks_t){.counters = (which & 1) != 0};
  if ((which & 2) != 0) pair->hooks.score = arrays->score;
  if ((which & 4) != 0) pair->hooks.vertex_weight = arrays->vertex_weight;
  if ((which & 8) != 0) pair->hooks.edge_weight = arrays->edge_weight;
  if ((which & 16) != 0) pair->hooks.frozen = arrays->frozen;
}

static void hooks_stay_with_the_island(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 40, 0, PRISM_RNG_TEST);
  for (int which = 0; which < 32; ++which) {
    pair_t pair;
    hook_arrays_t arrays;
    pair_open(&pair, 90, 0.5, 40);
    draw_hooks(&pair, &arrays, which, &rng);
    bool frozen = pair.hooks.frozen != NULL;
    assert_int_equal(prism_island_hooks(&pair.a, &pair.hooks), PRISM_OK);
    assert_int_equal(prism_island_hooks(&pair.b, &pair.hooks), PRISM_OK);
    all_methods(&pair.a, frozen, 10, 300, 3, 0);
    all_methods(&pair.b, frozen, 9, 200, 1, 0); /* it counts on from what it has */
    uint32_t before[MAX_N], after[MAX_N];
    if (pair.hooks.counters)
      assert_int_equal(prism_island_counters(&pair.b, PRISM_COUNTER_color_changes, before),
                       PRISM_OK);
    hand_over(&pair);
    if (pair.hooks.counters) {
      assert_int_equal(prism_island_counters(&pair.b, PRISM_COUNTER_color_changes, after),
                       PRISM_OK);
      assert_memory_equal(before, after, (size_t)pair.graph->n * sizeof *before);
    }
    go_on(&pair, 10, 300, which);
    if (!frozen) go_on(&pair, 9, 300, which + 1);
    /* An island with other hooks takes the rows alone. */
    prism_island_state_t saved;
    bool exact = true;
    assert_int_equal(prism_island_save(&pair.a, &saved), PRISM_OK);
    assert_int_equal(prism_island_hooks(&pair.b, NULL), PRISM_OK);
    assert_int_equal(prism_island_restore(&pair.b, &saved, &exact), PRISM_OK);
    assert_int_equal(exact, which < 2);
    work(&pair.b, PRISM_METHOD_POOL, saved.k, 300, 2, 0);
    prism_island_state_release(&saved);
    prism_free(arrays.edge_weight);
    pair_close(&pair);
  }
}

/* Frozen vertices forbid peeling: here the two islands' parts of the graph differ. */
static void another_part_takes_the_rows(void **state) {
  (void)state;
  pair_t pair;
  static uint64_t frozen[MAX_N / 64 + 1];
  pair_open(&pair, 300, 0.02, 41);
  prism_hooks_t hooks = {.frozen = frozen};
  all_methods(&pair.a, false, 3, 500, 2, 0);
  prism_island_state_t saved;
  bool exact = true;
  assert_int_equal(prism_island_save(&pair.a, &saved), PRISM_OK);
  assert_int_equal(prism_island_hooks(&pair.b, &hooks), PRISM_OK);
  assert_int_equal(prism_island_restore(&pair.b, &saved, &exact), PRISM_OK);
  assert_false(exact);
  int64_t least = INT64_MAX;
  for (int32_t i = 0; i < saved.rows; ++i)
    if (saved.f[i] < least) least = saved.f[i];
  assert_true(work(&pair.b, PRISM_METHOD_TABUCOL, 3, 500, 0, 1).f_best <= least);
  prism_island_state_release(&saved);
  pair_close(&pair);
}

/* ---- rows of another engine ---- */

static void foreign_rows_are_founders(void **state) {
  (void)state;
  enum { N = 100, K = 12, ROWS = 90 };
  pair_t pair;
  pair_open(&pair, N, 0.5, 50);
  prism_island_state_t given;
  assert_int_equal(prism_island_state_init(&given, N, ROWS, 3), PRISM_OK);
  snprintf(given.engine, sizeof given.engine, "cuda");
  given.k = K;
  for (int32_t i = 0; i < ROWS; ++i) {
    prism_rng_t rng = prism_rng_stream(seed, (uint64_t)i / 2, 51, PRISM_RNG_TEST); /* twins */
    int32_t *color = given.color + (size_t)i * N;
    assert_int_equal(prism_seed_random(pair.graph, K, &rng, color), PRISM_OK);
    given.f[i] = oracle_conflicts(pair.graph, color);
    given.method[i] = (uint8_t)(i % PRISM_METHOD_COUNT);
  }
  bool exact = true;
  assert_int_equal(prism_island_restore(&pair.a, &given, &exact), PRISM_OK);
  assert_false(exact);
  hand_over(&pair); /* also what waits to become a founder */
  go_on(&pair, K, 200, PRISM_METHOD_POOL);
  hand_over(&pair);
  go_on(&pair, K - 1, 200, PRISM_METHOD_HEAD);
  /* The members of a pool are the best of the rows, as many as it has. */
  pair_t other;
  pair_open(&other, N, 0.5, 50);
  assert_int_equal(prism_island_restore(&other.a, &given, &exact), PRISM_OK);
  work(&other.a, PRISM_METHOD_POOL, K, 200, 0, 1);
  const prism_arm_t *arm = &other.a.arm[PRISM_METHOD_POOL];
  assert_int_equal(arm->members, 5);
  int64_t last = -1;
  for (int32_t i = 0; i < arm->members; ++i) {
    assert_true(arm->member[i].f >= last);
    last = arm->member[i].f;
    bool given_row = false;
    int32_t lifted[N];
    prism_view_lift(other.a.ground->view, arm->member[i].color, lifted);
    for (int32_t j = 0; j < ROWS; ++j)
      given_row = given_row ||
                  memcmp(lifted, given.color + (size_t)j * N, sizeof lifted) == 0;
    assert_true(given_row);
  }
  int32_t better = 0;
  for (int32_t j = 0; j < ROWS; ++j) better += given.f[j] < last;
  assert_true(better < 2 * arm->members);
  pair_close(&other);
  prism_island_state_release(&given);
  pair_close(&pair);
}

/* The stand-in for a GPU and the CPU engine are strangers; so they are inside a joint one. */
static void stand_ins_are_strangers(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 60, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, 80, 0.5);
  prism_params_cpu_t cpu = {.isa = 0};
  fake_setup_t setup = {.cpu = cpu, .methods = PRISM_METHOD_BIT(PRISM_METHOD_COUNT) - 1};
  prism_engine_part_t part[2] = {fake_part(&setup, 1), {prism_cpu_backend(&cpu), 2}};
  prism_engine_config_t config = {.graph = graph, .seed = seed};
  prism_engine_t joint = {0};
  assert_int_equal(prism_joint_create(part, 2, &config, &joint), PRISM_OK);
  static const char *const name[] = {"fake", "cpu", "cpu"};
  for (int32_t i = 0; i < 3; ++i) {
    prism_work_t piece = {.phase = PRISM_PHASE_MEMETIC, .k = 9, .generations = 2,
                          .params = {.method = PRISM_METHOD_HEAD, .tenure_base = 10.0,
                                     .tenure_slope = 0.6, .generation_iterations = 300}};
    int64_t ticket = -1;
    bool done = false;
    prism_summary_t summary;
    assert_int_equal(joint.ops->submit(joint.self, i, &piece, &ticket), PRISM_OK);
    while (!done)
      assert_int_equal(joint.ops->poll(joint.self, ticket, 1.0, &done, &summary), PRISM_OK);
    prism_island_state_t saved;
    assert_int_equal(joint.ops->save(joint.self, i, &saved), PRISM_OK);
    assert_string_equal(saved.engine, name[i]);
    for (int32_t j = 0; j < 3; ++j) {
      bool exact = false;
      assert_int_equal(joint.ops->restore(joint.self, j, &saved, &exact), PRISM_OK);
      assert_int_equal(exact, strcmp(name[i], name[j]) == 0);
    }
    prism_island_state_release(&saved);
  }
  prism_engine_destroy(&joint);
  prism_graph_destroy(&graph);
}

/* ---- lies ---- */

/* Bytes with a true checksum, whatever they say. */
static void seal(uint8_t **bytes, size_t *size, size_t keep) {
  prism_pack_t pack = {.data = NULL};
  prism_pack_bytes(&pack, *bytes, keep);
  prism_free(*bytes);
  assert_int_equal(prism_pack_finish(&pack, bytes, size), PRISM_OK);
}

/* Random changes under a checksum that fits: refused, or believed and worked with. */
static void lies_do_no_harm(void **state) {
  (void)state;
  enum { ROUNDS = 1000 };
  print_message("seed %llu\n", (unsigned long long)seed);
  pair_t pair;
  pair_open(&pair, 50, 0.5, 70);
  all_methods(&pair.a, false, 7, 60, 30, 0);
  all_methods(&pair.a, false, 6, 60, 0, 1000); /* in mid generation, with all that is left over */
  int refused = 0, believed = 0;
  for (uint64_t round = 0; round < ROUNDS; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, round, 71, PRISM_RNG_TEST);
    prism_island_state_t lie;
    assert_int_equal(prism_island_save(&pair.a, &lie), PRISM_OK);
    size_t keep = lie.size - 8;
    int changes = 1 + (int)prism_rng_below(&rng, 4);
    for (int i = 0; i < changes; ++i)
      lie.bytes[prism_rng_below(&rng, (uint32_t)keep)] ^= (uint8_t)(1u << prism_rng_below(&rng, 8));
    if (round % 8 == 0) keep = prism_rng_below(&rng, (uint32_t)keep);
    seal(&lie.bytes, &lie.size, keep);
    if (round % 16 == 1)
      lie.color[prism_rng_below(&rng, (uint32_t)(lie.rows * lie.n))] =
          (int32_t)prism_rng_below(&rng, (uint32_t)lie.k + 1) - 1;
    if (round % 16 == 2) lie.rows -= 1;
    if (round % 16 == 3) lie.k += 1;
    bool exact = false;
    prism_status_t status = prism_island_restore(&pair.b, &lie, &exact);
    assert_true(status == PRISM_OK || status == PRISM_FORMAT);
    refused += status != PRISM_OK;
    believed += status == PRISM_OK;
    /* Whatever it is now, it works and can be saved. */
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
      assert_int_equal(work(&pair.b, (prism_method_t)m, lie.k, 60, 0, 200).k, lie.k);
    prism_island_state_t again;
    assert_int_equal(prism_island_save(&pair.b, &again), PRISM_OK);
    assert_int_equal(prism_island_state_check(&again, pair.graph->n), PRISM_OK);
    prism_island_state_release(&again);
    if (round % 20 == 0) work(&pair.b, PRISM_METHOD_WEIGHTED, lie.k - 1, 60, 1, 0);
    prism_island_state_release(&lie);
  }
  print_message("%d refused, %d believed\n", refused, believed);
  assert_true(refused > 0 && believed > 0);
  pair_close(&pair);
}

/* Without the checksum's consent nothing is believed. */
static void damage_is_found(void **state) {
  (void)state;
  pair_t pair;
  pair_open(&pair, 50, 0.5, 72);
  all_methods(&pair.a, false, 7, 60, 3, 0);
  work(&pair.b, PRISM_METHOD_TABUCOL, 7, 60, 3, 0);
  prism_island_state_t state_of_a;
  assert_int_equal(prism_island_save(&pair.a, &state_of_a), PRISM_OK);
  prism_rng_t rng = prism_rng_stream(seed, 72, 0, PRISM_RNG_TEST);
  size_t size = state_of_a.size;
  for (int i = 0; i < 1000; ++i) {
    bool exact = true;
    size_t at = prism_rng_below(&rng, (uint32_t)size);
    uint8_t kept = state_of_a.bytes[at];
    if (i % 2 == 0)
      state_of_a.bytes[at] ^= (uint8_t)(1 + prism_rng_below(&rng, 255));
    else
      state_of_a.size = at;
    assert_int_equal(prism_island_restore(&pair.b, &state_of_a, &exact), PRISM_FORMAT);
    state_of_a.bytes[at] = kept;
    state_of_a.size = size;
  }
  bool exact = false;
  assert_int_equal(prism_island_restore(&pair.b, &state_of_a, &exact), PRISM_OK);
  check_same_state(&pair.a, &pair.b);
  /* Bytes of a form that is not known here are not looked at. */
  state_of_a.version += 1;
  assert_int_equal(prism_island_restore(&pair.b, &state_of_a, &exact), PRISM_OK);
  assert_false(exact);
  prism_island_state_release(&state_of_a);
  pair_close(&pair);
}

/* ---- ladders ---- */

static void ladders_come_back(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 80, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 200; ++round) {
    prism_ladder_params_t params = {.replicas = 1 + (int32_t)prism_rng_below(&rng, 40),
                                    .sweeps = (int32_t)prism_rng_below(&rng, 5),
                                    .t_max = round % 3 == 0 ? 10.0 : 0.0};
    prism_ladder_t ladder, back;
    assert_int_equal(prism_ladder_init(&ladder, &params, 100, 10), PRISM_OK);
    uint32_t attempts[40], accepted[40];
    for (int window = (int)prism_rng_below(&rng, 200); window > 0; --window) {
      for (int i = 0; i < 40; ++i) {
        attempts[i] = 10;
        accepted[i] = prism_rng_below(&rng, 11);
      }
      prism_ladder_tune(&ladder, attempts, accepted);
    }
    prism_pack_t pack = {.data = NULL};
    uint8_t *bytes = NULL;
    size_t size = 0;
    prism_unpack_t unpack;
    prism_ladder_pack(&ladder, &pack);
    assert_int_equal(prism_pack_finish(&pack, &bytes, &size), PRISM_OK);
    assert_int_equal(prism_unpack_open(&unpack, bytes, size, "ladder"), PRISM_OK);
    assert_int_equal(prism_ladder_unpack(&unpack, ladder.levels, &back), PRISM_OK);
    assert_int_equal(prism_unpack_close(&unpack, "ladder"), PRISM_OK);
    assert_int_equal(back.levels, ladder.levels);
    assert_int_equal(back.sweeps, ladder.sweeps);
    assert_int_equal(back.windows, ladder.windows);
    assert_int_equal(back.frozen, ladder.frozen);
    assert_int_equal(back.pinned, ladder.pinned);
    size_t levels = (size_t)ladder.levels;
    assert_memory_equal(back.temperature, ladder.temperature, levels * sizeof(double));
    if (levels > 1) {
      assert_memory_equal(back.gap, ladder.gap, (levels - 1) * sizeof(double));
      assert_memory_equal(back.rate, ladder.rate, (levels - 1) * sizeof(double));
    }
    prism_ladder_release(&back);
    /* More levels than there may be. */
    assert_int_equal(prism_unpack_open(&unpack, bytes, size, "ladder"), PRISM_OK);
    int32_t most = ladder.levels > 1 ? ladder.levels - 1 : 1;
    assert_int_equal(prism_ladder_unpack(&unpack, most, &back), PRISM_OK);
    assert_true(back.levels >= 1 && back.levels <= most);
    assert_int_equal(unpack.bad, ladder.levels > most);
    prism_ladder_release(&back);
    prism_ladder_release(&ladder);
    prism_free(bytes);
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_goes_on),
      cmocka_unit_test(long_lives_go_on),
      cmocka_unit_test(efforts_are_inherited),
      cmocka_unit_test(grown_pools_go_on),
      cmocka_unit_test(searches_in_progress_are_kept),
      cmocka_unit_test(migrants_wait_on),
      cmocka_unit_test(empty_views_have_a_row),
      cmocka_unit_test(hooks_stay_with_the_island),
      cmocka_unit_test(another_part_takes_the_rows),
      cmocka_unit_test(foreign_rows_are_founders),
      cmocka_unit_test(stand_ins_are_strangers),
      cmocka_unit_test(lies_do_no_harm),
      cmocka_unit_test(damage_is_found),
      cmocka_unit_test(ladders_come_back),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
