/* Methods as state machines: budgets on the dot, true members, restarts, migrants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "oracle.h"
#include "search/arm.h"

static const uint64_t seed = 20261207;

enum { MAX_N = 130 };

static prism_search_params_t params_of(prism_method_t method, int64_t generation) {
  return (prism_search_params_t){.version = 1, .method = method, .population = 5,
                                 .generation_iterations = generation, .tenure_base = 10.0,
                                 .tenure_slope = 0.6};
}

typedef struct ground {
  prism_graph_t *graph;
  prism_problem_t *problem;
} ground_t;

static ground_t ground_of(prism_graph_t *graph) {
  ground_t ground = {graph, NULL};
  assert_int_equal(prism_problem_create(graph, 1 << 20, &ground.problem), PRISM_OK);
  return ground;
}

static ground_t random_ground(int32_t n, double p, uint64_t which) {
  prism_rng_t rng = prism_rng_stream(seed, which, 0, PRISM_RNG_TEST);
  return ground_of(oracle_random_graph(&rng, n, p));
}

static void ground_release(ground_t *ground) {
  prism_problem_destroy(&ground->problem);
  prism_graph_destroy(&ground->graph);
}

static void arm_of(prism_arm_t *arm, const ground_t *ground, int32_t k,
                   const prism_search_params_t *params) {
  assert_int_equal(prism_arm_init(arm, params->method, ground->problem, prism_isa_select(0), NULL,
                                  k, seed, 3, params), PRISM_OK);
}

static void check_individual(const ground_t *ground, int32_t k,
                             const prism_individual_t *individual) {
  for (int32_t v = 0; v < ground->graph->n; ++v)
    assert_in_range(individual->color[v], 0, k - 1);
  assert_int_equal(individual->f, oracle_conflicts(ground->graph, individual->color));
}

static void check_arm_of(const ground_t *ground, const prism_arm_t *arm, int32_t members) {
  assert_int_equal(arm->members, members);
  check_individual(ground, arm->k, &arm->best);
  for (int32_t i = 0; i < arm->members; ++i) {
    check_individual(ground, arm->k, &arm->member[i]);
    if (arm->migrant.color == NULL) assert_true(arm->best.f <= arm->member[i].f);
  }
  for (int i = 0; i < 2; ++i)
    if (arm->elite[i].color != NULL && arm->elite[i].f >= 0)
      check_individual(ground, arm->k, &arm->elite[i]);
  assert_true(arm->diversity <= 1.0);
}

static void check_arm(const ground_t *ground, const prism_arm_t *arm) {
  check_arm_of(ground, arm, arm->capacity);
}

static void budgets_are_exact(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  ground_t ground = random_ground(100, 0.5, 1);
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_search_params_t params = params_of((prism_method_t)m, 300);
    prism_arm_t arm;
    arm_of(&arm, &ground, 9, &params);
    int64_t total = 0, generations = 0;
    for (int piece = 0; piece < 60; ++piece) {
      int64_t budget = 1 + (int64_t)prism_rng_below(&rng, 900);
      prism_arm_step_t step;
      assert_int_equal(prism_arm_advance(&arm, &params, budget, NULL, &step), PRISM_OK);
      assert_false(step.solved); /* 9 colors are too few */
      assert_int_equal(step.iterations, budget);
      total += step.iterations;
      generations += step.generations;
      assert_int_equal(arm.generations, generations);
      assert_true(step.f >= 0);
      check_arm(&ground, &arm);
      prism_arm_note_search(&arm); /* and in mid generation */
      check_arm(&ground, &arm);
    }
    int64_t moves = m == PRISM_METHOD_HEAD ? 600 : 300; /* HEAD searches two children */
    assert_int_equal(generations, total / moves);
    prism_arm_release(&arm);
  }
  ground_release(&ground);
}

/* The same moves in slices of any length. */
static void slices_change_nothing(void **state) {
  (void)state;
  ground_t ground = random_ground(110, 0.4, 3);
  prism_rng_t rng = prism_rng_stream(seed, 4, 0, PRISM_RNG_TEST);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    enum { MOVES = 12000 };
    prism_search_params_t params = params_of((prism_method_t)m, 500);
    prism_arm_t whole, sliced;
    prism_arm_step_t step;
    arm_of(&whole, &ground, 8, &params);
    arm_of(&sliced, &ground, 8, &params);
    assert_int_equal(prism_arm_advance(&whole, &params, MOVES, NULL, &step), PRISM_OK);
    for (int64_t done = 0; done < MOVES; done += step.iterations) {
      int64_t slice = 1 + (int64_t)prism_rng_below(&rng, 2000);
      if (slice > MOVES - done) slice = MOVES - done;
      assert_int_equal(prism_arm_advance(&sliced, &params, slice, NULL, &step), PRISM_OK);
    }
    size_t bytes = (size_t)ground.graph->n * sizeof *whole.best.color;
    assert_int_equal(whole.best.f, sliced.best.f);
    assert_memory_equal(whole.best.color, sliced.best.color, bytes);
    for (int32_t i = 0; i < whole.members; ++i)
      assert_memory_equal(whole.member[i].color, sliced.member[i].color, bytes);
    assert_int_equal(whole.generations, sliced.generations);
    prism_arm_release(&whole);
    prism_arm_release(&sliced);
  }
  ground_release(&ground);
}

static void founders_are_used(void **state) {
  (void)state;
  ground_t ground = random_ground(60, 0.1, 5);
  int32_t legal[MAX_N], one[MAX_N] = {0};
  assert_true(oracle_colorable(ground.graph, 8, legal));
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_search_params_t params = params_of((prism_method_t)m, 100);
    prism_arm_t arm;
    prism_arm_step_t step;
    arm_of(&arm, &ground, 8, &params);
    for (int32_t i = 0; i < arm.capacity + 2; ++i) { /* the last two do not fit */
      assert_int_equal(prism_arm_found(&arm, one), PRISM_OK);
      assert_int_equal(arm.members, i + 1 < arm.capacity ? i + 1 : arm.capacity);
    }
    assert_int_equal(arm.best.f, ground.graph->m);
    prism_arm_release(&arm);
    arm_of(&arm, &ground, 8, &params);
    assert_int_equal(prism_arm_found(&arm, legal), PRISM_OK);
    assert_int_equal(arm.best.f, 0);
    assert_int_equal(prism_arm_advance(&arm, &params, 1000, NULL, &step), PRISM_OK);
    assert_true(step.solved);
    assert_int_equal(step.iterations, 0);
    check_individual(&ground, 8, &arm.best);
    prism_arm_release(&arm);
  }
  ground_release(&ground);
}

static void stop_is_obeyed(void **state) {
  (void)state;
  ground_t ground = random_ground(100, 0.5, 6);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_search_params_t params = params_of((prism_method_t)m, 100000);
    prism_arm_t arm;
    prism_arm_step_t step;
    atomic_bool stop = true;
    arm_of(&arm, &ground, 8, &params);
    assert_int_equal(prism_arm_advance(&arm, &params, INT64_C(1) << 50, &stop, &step), PRISM_OK);
    assert_true(step.iterations <= 1024);
    check_arm(&ground, &arm);
    prism_arm_release(&arm);
  }
  ground_release(&ground);
}

/* A graph that needs more colors: two individuals meet and are renewed, with longer
 * searches when the length is left to the engine. */
static void converged_populations_restart(void **state) {
  (void)state;
  ground_t ground = random_ground(60, 0.5, 7);
  prism_search_params_t params = params_of(PRISM_METHOD_HEAD, 100);
  prism_arm_t arm;
  prism_arm_step_t step;
  arm_of(&arm, &ground, 6, &params);
  for (int piece = 0; piece < 500; ++piece) {
    assert_int_equal(prism_arm_advance(&arm, &params, 250, NULL, &step), PRISM_OK);
    check_arm(&ground, &arm);
    assert_int_equal(arm.generation_iterations, 100); /* as it was told */
  }
  assert_true(arm.restarts > 0);
  prism_arm_release(&arm);
  params.generation_iterations = 0;
  arm_of(&arm, &ground, 6, &params);
  int64_t first = arm.generation_iterations;
  assert_true(first > 0);
  for (int piece = 0; piece < 500 && arm.restarts < 2; ++piece)
    assert_int_equal(prism_arm_advance(&arm, &params, first, NULL, &step), PRISM_OK);
  assert_true(arm.restarts > 0);
  assert_true(arm.generation_iterations > first);
  check_arm(&ground, &arm);
  prism_arm_release(&arm);
  ground_release(&ground);
}

/* Until the arm has begun anew `restarts` times, in steps of so many moves. */
static void advance_to_restart(prism_arm_t *arm, const prism_search_params_t *params,
                               const ground_t *ground, int32_t restarts, int64_t moves) {
  prism_arm_step_t step;
  while (arm->restarts < restarts) {
    assert_int_equal(prism_arm_advance(arm, params, moves, NULL, &step), PRISM_OK);
    check_arm_of(ground, arm, arm->wanted);
  }
}

/* A pool of the engine's choice begins small, with short searches; one of the user's stays as
 * it is. */
static void pools_grow(void **state) {
  (void)state;
  enum { N = 130, K = 9, MOVES = 8 * N }; /* more than one conflict is left each time */
  static const int64_t length[] = {MOVES, 2 * MOVES, 8 * MOVES, 32 * MOVES};
  ground_t ground = random_ground(N, 0.5, 12);
  prism_search_params_t params = params_of(PRISM_METHOD_POOL, 0);
  params.population = 0;
  prism_arm_t arm;
  for (int founders = 0; founders < 2; ++founders) { /* with somebody else's coloring, too */
    int32_t color[N] = {0};
    arm_of(&arm, &ground, K, &params);
    for (int i = 0; i < founders; ++i) assert_int_equal(prism_arm_found(&arm, color), PRISM_OK);
    for (int32_t restarts = 0; restarts < 4; ++restarts) {
      advance_to_restart(&arm, &params, &ground, restarts, 100);
      assert_int_equal(arm.wanted, restarts == 0 ? PRISM_ARM_POOL_FIRST : PRISM_ARM_POOL_MOST);
      assert_int_equal(arm.generation_iterations, length[restarts]);
    }
    prism_arm_release(&arm);
  }
  params.population = 3;
  params.generation_iterations = 300;
  arm_of(&arm, &ground, K, &params);
  advance_to_restart(&arm, &params, &ground, 2, 100);
  assert_int_equal(arm.members, 3);
  assert_int_equal(arm.generation_iterations, 300);
  prism_arm_release(&arm);
  ground_release(&ground);
}

/* Members that stay apart go on with shorter searches. Where longer ones are known to keep them
 * apart they get these once they come together, and the next pool has more members. */
static void long_searches_give_way(void **state) {
  (void)state;
  enum { N = 130, K = 12, MANY = 32, STEP = 2000 };
  ground_t ground = random_ground(N, 0.5, 12);
  prism_search_params_t params = params_of(PRISM_METHOD_POOL, 0);
  params.population = 0;
  prism_arm_t arm;
  int32_t shorter = 0, larger = 0;
  arm_of(&arm, &ground, K, &params);
  const int64_t first = arm.generation_iterations;
  int64_t length = first;
  int32_t members = arm.wanted, restarts = 0;
  for (int piece = 0; arm.wanted < MANY; ++piece) {
    prism_arm_step_t step;
    assert_true(piece < 100000 && arm.generation_iterations >= first);
    assert_int_equal(prism_arm_advance(&arm, &params, STEP, NULL, &step), PRISM_OK);
    const int64_t now = arm.generation_iterations, longest = arm.lengths.longest;
    if (arm.restarts == restarts) { /* the same members */
      assert_int_equal(arm.wanted, members);
      if (now > length) assert_true(longest > 0 && now <= 4 * longest && arm.diversity < 0.3);
      shorter += now < length && arm.diversity > PRISM_FAR_APART;
    } else if (arm.wanted > PRISM_ARM_POOL_MOST && arm.wanted > members) {
      assert_true(longest > 0 && now == longest);
      ++larger;
    }
    length = arm.generation_iterations;
    members = arm.wanted;
    restarts = arm.restarts;
  }
  assert_true(shorter > 0 && larger >= 1);
  prism_arm_release(&arm);
  ground_release(&ground);
}

/* A clique of one vertex more than there are colours: one conflict is left. */
static void near_misses_take_smaller_steps(void **state) {
  (void)state;
  enum { N = 12, FIRST = 1000 };
  ground_t ground = random_ground(N, 1.0, 14);
  prism_search_params_t params = params_of(PRISM_METHOD_POOL, 0);
  params.population = 0;
  prism_arm_t arm;
  arm_of(&arm, &ground, N - 1, &params);
  for (int32_t restarts = 0; restarts < 5; ++restarts) {
    advance_to_restart(&arm, &params, &ground, restarts, 100);
    assert_int_equal(arm.generation_iterations, FIRST << restarts);
  }
  prism_arm_release(&arm);
  ground_release(&ground);
}

/* Children take their parents' places when all of them have been searched. */
static void generations_change_at_once(void **state) {
  (void)state;
  enum { K = 9, MEMBERS = 5, MOVES = 300 };
  ground_t ground = random_ground(100, 0.5, 13);
  prism_search_params_t params = params_of(PRISM_METHOD_POOL, MOVES);
  prism_arm_t arm;
  prism_arm_step_t step;
  arm_of(&arm, &ground, K, &params);
  assert_int_equal(prism_arm_advance(&arm, &params, MEMBERS * MOVES, NULL, &step), PRISM_OK);
  for (int generation = 0; generation < 4 && arm.restarts == 0; ++generation) {
    int32_t *before[MEMBERS], *child[MEMBERS];
    for (int i = 0; i < MEMBERS; ++i) before[i] = arm.member[i].color;
    for (int i = 0; i < MEMBERS; ++i) child[i] = arm.child[i].color;
    for (int i = 1; i < MEMBERS; ++i) {
      assert_int_equal(prism_arm_advance(&arm, &params, MOVES, NULL, &step), PRISM_OK);
      assert_int_equal(arm.stage, i);
      for (int j = 0; j < MEMBERS; ++j) assert_ptr_equal(arm.member[j].color, before[j]);
      check_individual(&ground, K, &arm.child[i - 1]);
    }
    assert_int_equal(prism_arm_advance(&arm, &params, MOVES, NULL, &step), PRISM_OK);
    assert_int_equal(arm.stage, 0);
    for (int j = 0; j < MEMBERS; ++j) assert_ptr_equal(arm.member[j].color, child[j]);
  }
  assert_int_equal(arm.generations, 5 * MEMBERS);
  prism_arm_release(&arm);
  ground_release(&ground);
}

static bool is_member(const prism_arm_t *arm, const int32_t *color) {
  size_t bytes = (size_t)arm->problem->n * sizeof *color;
  for (int32_t i = 0; i < arm->members; ++i)
    if (memcmp(arm->member[i].color, color, bytes) == 0) return true;
  return false;
}

static void migrants_join(void **state) {
  (void)state;
  enum { K = 10 };
  static const prism_method_t populations[] = {PRISM_METHOD_HEAD, PRISM_METHOD_POOL};
  ground_t ground = random_ground(100, 0.5, 8);
  prism_search_params_t params = params_of(PRISM_METHOD_TABUCOL, 4000);
  prism_arm_t abroad, arm;
  prism_arm_step_t step;
  assert_int_equal(prism_arm_init(&abroad, PRISM_METHOD_TABUCOL, ground.problem,
                                  prism_isa_select(0), NULL, K, seed + 1, 77, &params), PRISM_OK);
  assert_int_equal(prism_arm_advance(&abroad, &params, 40000, NULL, &step), PRISM_OK);
  for (int p = 0; p < 2; ++p) {
    params = params_of(populations[p], 200);
    arm_of(&arm, &ground, K, &params);
    prism_import_result_t result;
    assert_int_equal(prism_arm_offer(&arm, abroad.best.color, &result), PRISM_OK);
    assert_false(result.accepted); /* no members yet */
    assert_int_equal(result.distance, -1);
    assert_int_equal(prism_arm_advance(&arm, &params, 5000, NULL, &step), PRISM_OK);
    int32_t same[MAX_N] = {0};
    assert_int_equal(prism_arm_offer(&arm, same, &result), PRISM_OK);
    assert_false(result.accepted); /* far too many conflicts */
    assert_int_equal(prism_arm_offer(&arm, arm.member[1].color, &result), PRISM_OK);
    assert_false(result.accepted);
    assert_int_equal(result.distance, 0);
    assert_int_equal(prism_arm_offer(&arm, abroad.best.color, &result), PRISM_OK);
    assert_true(result.accepted);
    assert_true(result.distance > 0);
    bool joined = false;
    for (int piece = 0; piece < 100 && !joined; ++piece) {
      assert_int_equal(prism_arm_advance(&arm, &params, 200, NULL, &step), PRISM_OK);
      check_arm(&ground, &arm);
      joined = is_member(&arm, abroad.best.color);
    }
    assert_true(joined);
    assert_true(arm.migrant.f < 0); /* it waits no more */
    prism_arm_release(&arm);
  }
  /* A single trajectory takes nobody in. */
  prism_import_result_t result = {true, 5};
  assert_int_equal(prism_arm_offer(&abroad, abroad.best.color, &result), PRISM_OK);
  assert_false(result.accepted);
  assert_int_equal(result.distance, -1);
  prism_arm_release(&abroad);
  ground_release(&ground);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(budgets_are_exact),
      cmocka_unit_test(slices_change_nothing),
      cmocka_unit_test(founders_are_used),
      cmocka_unit_test(stop_is_obeyed),
      cmocka_unit_test(converged_populations_restart),
      cmocka_unit_test(pools_grow),
      cmocka_unit_test(long_searches_give_way),
      cmocka_unit_test(near_misses_take_smaller_steps),
      cmocka_unit_test(generations_change_at_once),
      cmocka_unit_test(migrants_join),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
