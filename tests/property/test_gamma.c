/* After any number of moves the tables of a search equal a recount. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "search_fixture.h"

static const uint64_t seed = 20261130;

static uint32_t cell_at(const search_t *s, const void *cells, size_t at) {
  return s->state->cell == PRISM_CELL_U8 ? ((const uint8_t *)cells)[at]
                                         : ((const uint16_t *)cells)[at];
}

static int32_t key_at(const search_t *s, size_t at) {
  return s->state->cell == PRISM_CELL_U8 ? ((const int8_t *)s->state->key)[at]
                                         : ((const int16_t *)s->state->key)[at];
}

static uint32_t forbid_bit(const search_t *s) {
  return s->state->cell == PRISM_CELL_U8 ? 0x80u : 0x8000u;
}

static int32_t vertex_weight(const search_t *s, int32_t v) {
  bool counts = s->state->cell == PRISM_CELL_WEIGHT && s->hooks.vertex_weight != NULL;
  return counts ? s->hooks.vertex_weight[v] : 1;
}

/* Weight that the kernels hold for arc e of v. */
static uint32_t arc_weight(const search_t *s, int32_t v, int64_t e) {
  if (s->state->cell != PRISM_CELL_WEIGHT) return 1;
  if (s->problem->bits == NULL) return s->state->weight[e];
  size_t width = (size_t)s->state->tiles * PRISM_TILE;
  return s->state->weight[(size_t)v * width + (size_t)s->graph->neighbor[e]];
}

/* [out] count [k] what gamma must hold for v. */
static void recount(const search_t *s, int32_t v, uint32_t *count) {
  const prism_graph_t *g = s->graph;
  memset(count, 0, (size_t)s->state->k * sizeof *count);
  for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
    int32_t u = g->neighbor[e], c = s->state->color[u];
    if (c >= 0) count[c] += s->partial ? (uint32_t)vertex_weight(s, u) : arc_weight(s, v, e);
  }
}

/* The row of a slot and what is derived from it. */
static void check_slot(const search_t *s, int32_t v, const uint32_t *count) {
  const prism_state_t *t = s->state;
  size_t i = (size_t)t->slot_of[v];
  assert_true(t->slot_of[v] < t->slots);
  assert_int_equal(t->slot_vertex[i], v);
  uint32_t best = forbid_bit(s) - 1;
  int32_t ties = 0;
  for (int32_t c = 0; c < t->k; ++c) {
    bool tabu = prism_bitset_has(t->tabu + (size_t)v * (size_t)t->tabu_words, c);
    bool forbidden = tabu || c == t->color[v];
    uint32_t cell = cell_at(s, t->rows, i * (size_t)t->stride + (size_t)c);
    assert_int_equal(cell, count[c] | (forbidden ? forbid_bit(s) : 0));
    if (forbidden || count[c] > best) continue;
    ties = count[c] < best ? 1 : ties + 1;
    best = count[c];
  }
  for (int32_t c = t->k; c < t->stride; ++c) /* no color: never chosen */
    assert_true(cell_at(s, t->rows, i * (size_t)t->stride + (size_t)c) >= forbid_bit(s));
  uint32_t own = t->color[v] >= 0 ? count[t->color[v]] : (uint32_t)vertex_weight(s, v);
  assert_int_equal(cell_at(s, t->own, i), own);
  assert_int_equal(t->ties[i], ties);
  assert_int_equal(cell_at(s, t->best, i), best);
  assert_int_equal(key_at(s, i), (int32_t)best - (int32_t)own);
}

static void check_tables(const search_t *s) {
  const prism_state_t *t = s->state;
  static uint32_t count[SEARCH_MAX_N];
  int32_t slots = 0, size[SEARCH_MAX_N] = {0};
  for (int32_t v = 0; v < t->n; ++v) {
    recount(s, v, count);
    for (int32_t c = 0; c < t->k; ++c) {
      size_t at = ((size_t)(v >> 6) * (size_t)t->k + (size_t)c) * PRISM_TILE + (size_t)(v & 63);
      assert_int_equal(cell_at(s, t->gamma, at), count[c]);
      if (t->member != NULL)
        assert_int_equal(prism_bitset_has(t->member + (size_t)c * (size_t)t->tiles, v),
                         t->color[v] == c);
    }
    if (t->color[v] >= 0) ++size[t->color[v]];
    bool moves = t->color[v] < 0 || count[t->color[v]] > 0;
    if (search_is_frozen(s, v)) {
      assert_int_equal(t->color[v], s->start[v]);
      moves = false;
    }
    assert_int_equal(t->slot_of[v] >= 0, moves);
    if (t->active != NULL) assert_int_equal(prism_bitset_has(t->active, v), moves);
    slots += moves;
    if (moves) check_slot(s, v, count);
  }
  assert_int_equal(t->slots, slots);
  for (int32_t c = 0; c < t->k; ++c) assert_int_equal(t->class_size[c], size[c]);
  for (int32_t i = t->slots; i < (t->slots + 63) / 64 * 64; ++i) { /* vectors read these */
    assert_int_equal(t->ties[i], 0);
    assert_int_equal(cell_at(s, t->own, (size_t)i), 0);
    assert_int_equal(key_at(s, (size_t)i), forbid_bit(s) - 1);
  }
}

static int64_t objective(const search_t *s, const int32_t *color) {
  int64_t f = oracle_conflicts(s->graph, color);
  if (s->partial) {
    assert_int_equal(f, 0);
    for (int32_t v = 0; v < s->graph->n; ++v) f += color[v] < 0 ? vertex_weight(s, v) : 0;
  }
  return f;
}

/* Is (v, c) closed for good, because a frozen neighbor of v has c? */
static bool protected_pair(const search_t *s, int32_t v, int32_t c) {
  const prism_graph_t *g = s->graph;
  for (int64_t e = g->offset[v]; s->partial && e < g->offset[v + 1]; ++e)
    if (search_is_frozen(s, g->neighbor[e]) && s->state->color[g->neighbor[e]] == c) return true;
  return false;
}

/* Every tabu bit has one entry in the calendar, and every entry a bit. */
static void check_calendar(const search_t *s) {
  const prism_state_t *t = s->state;
  const prism_calendar_t *calendar = &t->calendar;
  static uint64_t seen[SEARCH_MAX_N][SEARCH_MAX_N / 64];
  memset(seen, 0, sizeof seen);
  int32_t linked = 0;
  for (int32_t i = 0; i < calendar->length; ++i)
    for (int32_t at = calendar->head[i]; at >= 0; at = calendar->entry[at].next) {
      const prism_tabu_entry_t *entry = &calendar->entry[at];
      ++linked;
      if (entry->vertex < 0) continue;
      assert_false(prism_bitset_has(seen[entry->vertex], entry->color));
      prism_bitset_add(seen[entry->vertex], entry->color);
    }
  for (int32_t at = calendar->free; at >= 0; at = calendar->entry[at].next) ++linked;
  assert_int_equal(linked, calendar->used);
  assert_true(calendar->used <= calendar->capacity);
  assert_int_equal(calendar->head[t->iteration & (calendar->length - 1)], -1);
  for (int32_t v = 0; v < t->n; ++v)
    for (int32_t c = 0; c < t->k; ++c) {
      bool bit = prism_bitset_has(t->tabu + (size_t)v * (size_t)t->tabu_words, c);
      assert_int_equal(bit, prism_bitset_has(seen[v], c) || protected_pair(s, v, c));
    }
}

static void check_weights(const search_t *s) {
  const prism_graph_t *g = s->graph;
  if (s->state->weight == NULL) return;
  for (int32_t v = 0; v < g->n; ++v) {
    uint32_t sum = 0;
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      int32_t u = g->neighbor[e];
      int64_t back = g->offset[u];
      while (g->neighbor[back] != v) ++back;
      assert_true(arc_weight(s, v, e) >= 1);
      assert_int_equal(arc_weight(s, v, e), arc_weight(s, u, back));
      sum += arc_weight(s, v, e);
    }
    assert_int_equal(s->state->weight_sum[v], sum);
  }
}

static void check_all(const search_t *s) {
  const prism_state_t *t = s->state;
  check_tables(s);
  check_calendar(s);
  check_weights(s);
  assert_int_equal(t->f, objective(s, t->color));
  assert_int_equal(t->best_f, objective(s, t->best_color));
  assert_true(t->best_f <= t->f);
  assert_false(t->best_pending);
}

static void check_counters(const search_t *s) {
  if (s->state->entered == NULL) return;
  int64_t changes = 0;
  for (int32_t v = 0; v < s->graph->n; ++v) {
    assert_true(s->state->counter[PRISM_COUNTER_conflict_time][v] <= s->state->iteration);
    int64_t mine = s->state->counter[PRISM_COUNTER_color_changes][v];
    if (search_is_frozen(s, v)) assert_int_equal(mine, 0);
    changes += mine;
  }
  /* TabuCol moves one vertex an iteration at most; PartialCol evicts neighbors too. */
  if (!s->partial) assert_true(changes <= s->state->iteration);
}

static void walk(const search_case_t *c, const prism_isa_t *isa, uint64_t walk_seed) {
  prism_rng_t rng = prism_rng_stream(walk_seed, 1, 0, PRISM_RNG_TEST);
  search_t *s = search_create(c, isa, walk_seed);
  check_all(s);
  for (int piece = 0; piece < 6; ++piece) {
    int64_t before = s->state->iteration, budget = 1 + (int64_t)prism_rng_below(&rng, 400);
    prism_run_end_t end = search_run(s, budget);
    assert_true(s->state->iteration - before <= budget);
    if (end == PRISM_RUN_BUDGET) assert_int_equal(s->state->iteration - before, budget);
    assert_int_equal(end == PRISM_RUN_SOLVED, s->state->best_f == 0);
    check_all(s);
    if (end != PRISM_RUN_BUDGET) break;
  }
  check_counters(s);
  search_destroy(s);
}

static void random_walks(prism_cell_t cell, bool partial, bool reactive) {
  prism_rng_t rng = prism_rng_stream(seed, (uint64_t)cell, partial + 2u * reactive, PRISM_RNG_TEST);
  print_message("seed %llu\n", (unsigned long long)seed);
  for (int round = 0; round < 60; ++round) {
    int32_t n = 2 + (int32_t)prism_rng_below(&rng, round % 4 == 0 ? 220 : 70);
    search_case_t c = {.cell = cell, .partial = partial, .reactive = reactive};
    c.graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    /* u8 cells start where classes, about n / k, stay far below 127. */
    int32_t few = cell == PRISM_CELL_U8 && n > 100 ? 4 : 1;
    c.k = few + (int32_t)prism_rng_below(&rng, round % 5 == 0 ? 90 : 12);
    c.dense = round % 2 == 0;
    c.hooked = round % 3 == 0;
    walk(&c, prism_isa_select(0), seed + (uint64_t)round);
  }
}

static void tabucol_u8(void **state) { (void)state, random_walks(PRISM_CELL_U8, false, false); }
static void tabucol_u16(void **state) { (void)state, random_walks(PRISM_CELL_U16, false, false); }
static void tabucol_weighted(void **state) {
  (void)state, random_walks(PRISM_CELL_WEIGHT, false, false);
}
static void partialcol_u8(void **state) { (void)state, random_walks(PRISM_CELL_U8, true, false); }
static void partialcol_reactive(void **state) {
  (void)state, random_walks(PRISM_CELL_U8, true, true);
}
static void partialcol_u16(void **state) { (void)state, random_walks(PRISM_CELL_U16, true, true); }
static void partialcol_weighted(void **state) {
  (void)state, random_walks(PRISM_CELL_WEIGHT, true, false);
}

/* Both forms of adjacency were walked: the rule that chooses is a matter of cost. */
static void adjacency_follows_the_rule(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 9, 9, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, 200, 0.5);
  prism_problem_t *problem = NULL;
  assert_int_equal(prism_problem_create(graph, 1 << 20, &problem), PRISM_OK);
  assert_non_null(problem->bits);
  prism_problem_destroy(&problem);
  assert_int_equal(prism_problem_create(graph, 100, &problem), PRISM_OK); /* does not fit */
  assert_null(problem->bits);
  prism_problem_destroy(&problem);
  prism_graph_destroy(&graph);
  graph = oracle_random_graph(&rng, 250, 0.01); /* 4 words a row, 2 neighbors */
  assert_int_equal(prism_problem_create(graph, 1 << 20, &problem), PRISM_OK);
  assert_null(problem->bits);
  prism_problem_destroy(&problem);
  prism_graph_destroy(&graph);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tabucol_u8),
      cmocka_unit_test(tabucol_u16),
      cmocka_unit_test(tabucol_weighted),
      cmocka_unit_test(partialcol_u8),
      cmocka_unit_test(partialcol_reactive),
      cmocka_unit_test(partialcol_u16),
      cmocka_unit_test(partialcol_weighted),
      cmocka_unit_test(adjacency_follows_the_rule),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
