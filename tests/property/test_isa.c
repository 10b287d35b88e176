/* Every instruction set of this processor makes the same search, however it is
 * cut into slices; classes that outgrow 8-bit cells go on in wider ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "search/local.h"
#include "search_fixture.h"

static const uint64_t seed = 20261201;

enum { ISAS = 3 };

static bool same_state(const prism_state_t *a, const prism_state_t *b) {
  size_t bytes = (size_t)a->n * sizeof *a->color;
  return a->iteration == b->iteration && a->f == b->f && a->best_f == b->best_f &&
         a->slots == b->slots && memcmp(a->color, b->color, bytes) == 0 &&
         memcmp(a->best_color, b->best_color, bytes) == 0;
}

/* The same search twice: the second in random slices. */
static void run_both(const search_case_t *c, const prism_isa_t *first, const prism_isa_t *second,
                     uint64_t walk_seed) {
  enum { MOVES = 4000 };
  prism_rng_t rng = prism_rng_stream(walk_seed, 3, 0, PRISM_RNG_TEST);
  search_case_t again = *c;
  assert_int_equal(prism_graph_from_csr(c->graph->n, c->graph->offset, c->graph->neighbor, NULL,
                                        &again.graph), PRISM_OK);
  search_t *a = search_create(c, first, walk_seed), *b = search_create(&again, second, walk_seed);
  prism_run_end_t end_a = search_run(a, MOVES), end_b = PRISM_RUN_BUDGET;
  while (b->state->iteration < MOVES && end_b == PRISM_RUN_BUDGET) {
    int64_t slice = 1 + (int64_t)prism_rng_below(&rng, 1500), left = MOVES - b->state->iteration;
    end_b = search_run(b, slice < left ? slice : left);
  }
  assert_int_equal(end_a, end_b);
  assert_true(same_state(a->state, b->state));
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i)
    if (a->state->counter[i] != NULL)
      assert_memory_equal(a->state->counter[i], b->state->counter[i],
                          (size_t)a->state->n * sizeof *a->state->counter[i]);
  search_destroy(a);
  search_destroy(b);
}

static void all_sets_agree(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  const prism_isa_t *portable = prism_isa_select(3);
  assert_string_equal(portable->name, "portable");
  for (int round = 0; round < 40; ++round) {
    int32_t n = 2 + (int32_t)prism_rng_below(&rng, round % 3 == 0 ? 250 : 126);
    search_case_t c = {.dense = round % 2 == 0, .hooked = round % 5 == 0, .reactive = true};
    double p = oracle_density(&rng);
    int32_t k = 5 + (int32_t)prism_rng_below(&rng, round % 4 == 0 ? 120 : 20);
    uint64_t pair_seed = prism_rng_next(&rng);
    for (int cell = 0; cell < 3; ++cell)
      for (int partial = 0; partial < 2; ++partial)
        for (int choice = 1; choice <= ISAS; ++choice) { /* 3: portable with itself, sliced */
          const prism_isa_t *isa = prism_isa_select(choice);
          if (isa == NULL) continue;
          prism_rng_t graph_rng = prism_rng_stream(pair_seed, 0, 0, PRISM_RNG_TEST);
          c.graph = oracle_random_graph(&graph_rng, n, p);
          c.k = k;
          c.cell = (prism_cell_t)cell;
          c.partial = partial == 1;
          run_both(&c, portable, isa, pair_seed);
        }
  }
}

static void choices_name_their_sets(void **state) {
  (void)state;
  assert_non_null(prism_isa_select(0));
  static const char *const name[] = {"", "avx512", "avx2", "portable"};
  for (int choice = 1; choice <= ISAS; ++choice) {
    const prism_isa_t *isa = prism_isa_select(choice);
    if (isa == NULL) print_message("%s: not in this processor\n", name[choice]);
    if (isa != NULL) assert_string_equal(isa->name, name[choice]);
  }
}

/* ---- wider cells ---- */

enum { SIDE = 130, SIDES = 2 * SIDE };

static prism_graph_t *complete_bipartite(void) {
  int32_t *pairs = NULL;
  search_must(PRISM_ALLOC(2 * SIDE * SIDE, &pairs));
  for (int32_t i = 0; i < SIDE * SIDE; ++i) {
    pairs[2 * i] = i / SIDE;
    pairs[2 * i + 1] = SIDE + i % SIDE;
  }
  prism_graph_t *graph = NULL;
  search_must(prism_graph_from_edges(SIDES, pairs, SIDE * SIDE, NULL, &graph));
  prism_free(pairs);
  return graph;
}

/* With 3 colors one side has one color: 130 vertices, more than 8-bit cells count
 * to, while every class starts with 87 at most. */
static void widens(prism_method_t method, int choice, size_t dense_bytes) {
  enum { K = 3, PIECES = 2000, PIECE = 50 };
  const prism_isa_t *isa = prism_isa_select(choice);
  if (isa == NULL) return;
  prism_graph_t *graph = complete_bipartite();
  prism_problem_t *problem = NULL;
  search_must(prism_problem_create(graph, dense_bytes, &problem));
  prism_local_t local;
  prism_local_init(&local, problem, isa, NULL, method, K, 10.0, 0.6);
  int32_t color[SIDES];
  for (int32_t v = 0; v < SIDES; ++v) color[v] = v % K;
  search_must(prism_local_start(&local, color));
  assert_int_equal(local.state->cell, PRISM_CELL_U8);
  prism_tabu_params_t tabu = {10.0, 0.6, true, seed, 1};
  int64_t total = 0, used = 0, f = -1, best_f = INT64_MAX;
  bool solved = false;
  for (int piece = 0; piece < PIECES && !solved; ++piece) {
    search_must(prism_local_run(&local, &tabu, PIECE, NULL, &used, &solved));
    total += used;
    assert_int_equal(local.state->iteration, total);
    assert_true(used == PIECE || solved);
    assert_true(local.state->best_f <= best_f); /* also where it widened */
    best_f = local.state->best_f;
    for (int32_t c = 0; c < K; ++c)
      assert_true(local.state->cell != PRISM_CELL_U8 || local.state->class_size[c] <= 127);
    prism_local_best(&local, color, &f);
    assert_int_equal(f, oracle_conflicts(graph, color));
  }
  assert_true(solved);
  assert_int_equal(local.state->cell, PRISM_CELL_U16);
  assert_true(oracle_legal(graph, color, K));
  prism_local_release(&local);
  prism_problem_destroy(&problem);
  prism_graph_destroy(&graph);
}

static void wide_cells_take_over(void **state) {
  (void)state;
  for (int choice = 1; choice <= ISAS; ++choice) {
    for (int dense = 0; dense < 2; ++dense) {
      widens(PRISM_METHOD_TABUCOL, choice, dense == 1 ? (size_t)1 << 20 : 0);
      widens(PRISM_METHOD_PARTIALCOL, choice, dense == 1 ? (size_t)1 << 20 : 0);
    }
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(choices_name_their_sets),
      cmocka_unit_test(all_sets_agree),
      cmocka_unit_test(wide_cells_take_over),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
