/* From few conflicts to a legal colouring, and which k is searched on the way down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/coloring.h"
#include "model/generate.h"
#include "solve/complete.h"
#include "solve/descent.h"

static const uint64_t seed = 20261121;

/* ---- complete ---- */

static void is_legal(const prism_graph_t *g, const int32_t *color, int32_t colors) {
  assert_int_equal(prism_coloring_conflicts(g, color), 0);
  for (int32_t v = 0; v < g->n; ++v) assert_true(color[v] >= 0 && color[v] < colors);
  assert_int_equal(prism_coloring_span(color, g->n), colors);
}

/* Random colorings of random graphs, from hopeless to nearly legal. */
static void conflicts_become_colors(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  int completed = 0, refused = 0;
  for (uint64_t round = 0; round < 200; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, round, 0, PRISM_RNG_TEST);
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 80);
    prism_generated_t made = {0};
    assert_int_equal(prism_generate_gnp(n, 0.1 + 0.01 * (double)(round % 80), seed + round, &made),
                     PRISM_OK);
    const prism_graph_t *g = made.graph;
    int32_t k = 1 + (int32_t)prism_rng_below(&rng, 30), *color = NULL, *before = NULL, colors = 0;
    assert_int_equal(PRISM_ALLOC(n, &color), PRISM_OK);
    assert_int_equal(PRISM_ALLOC(n, &before), PRISM_OK);
    for (int32_t v = 0; v < n; ++v) color[v] = (int32_t)prism_rng_below(&rng, (uint32_t)k);
    memcpy(before, color, (size_t)n * sizeof *color);
    int64_t f = prism_coloring_conflicts(g, color);
    int32_t limit = round % 3 == 0 ? k + 2 : n + k + 1;
    assert_int_equal(prism_complete(g, limit, color, &colors), PRISM_OK);
    if (colors == limit) {
      ++refused;
      assert_true(f > 0 && limit == k + 2); /* with n more colors there is always one */
    } else {
      ++completed;
      is_legal(g, color, colors);
      int32_t moved = 0;
      for (int32_t v = 0; v < n; ++v) moved += color[v] != before[v];
      assert_true(moved <= f); /* one end of each conflict is enough */
      assert_true(colors <= prism_coloring_span(before, n) + moved);
    }
    prism_free(color);
    prism_free(before);
    prism_graph_destroy(&made.graph);
  }
  assert_true(completed > 50 && refused > 10);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Two conflicts that share a vertex cost one color, and none where one is free. */
static void the_vertex_in_the_way_moves(void **state) {
  (void)state;
  static const int32_t path[] = {0, 1, 1, 2};
  prism_graph_t *g = NULL;
  assert_int_equal(prism_graph_from_edges(3, path, 2, NULL, &g), PRISM_OK);
  int32_t color[3] = {0, 0, 0}, colors = 0;
  assert_int_equal(prism_complete(g, 9, color, &colors), PRISM_OK);
  assert_int_equal(colors, 2);
  is_legal(g, color, 2);
  assert_int_equal(color[0], 0);
  assert_int_equal(color[2], 0);
  prism_graph_destroy(&g);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- descent ---- */

/* A graph as the descent sees it: each k takes a start and some effort, twice as much for
 * one color less; conflicts fall with the logarithm of what was spent there. Below `least`
 * they never vanish. */
typedef struct model {
  int32_t first, least;
  double start, effort; /* of the first k */
} model_t;

static double effort_at(const model_t *m, int32_t k) {
  double effort = m->effort;
  for (int32_t i = m->first - 1; i > k; --i) effort *= i < m->least + 8 ? 2.0 : 1.02;
  return effort;
}

static int64_t conflicts_at(const model_t *m, int32_t k, double spent) {
  double effort = effort_at(m, k);
  int64_t f = 0, least = k < m->least ? 1 + m->least - k : 0;
  for (double s = spent; s < effort && f < 1000; s *= 1.5) ++f;
  return f > least ? f : least;
}

typedef struct trip {
  double cost, reached; /* all; when the least k was solved, 0: never */
  int32_t visited, lowest, last, best;
} trip_t;

/* Go down for `pieces` pieces of work that cost 1 each; a conflict costs a color. */
static trip_t travel(const model_t *m, int32_t goal, bool ahead, int pieces) {
  trip_t trip = {.best = m->first, .lowest = INT32_MAX};
  prism_descent_t d;
  prism_descent_init(&d, 0, goal, 3.0);
  if (ahead) prism_descent_begin(&d, m->first, 0.0);
  int32_t k = 0;
  double spent = 0.0;
  for (int piece = 0; piece < pieces && trip.best > goal; ++piece) {
    const int32_t next = ahead ? d.k : trip.best - 1;
    assert_true(next >= goal && next < trip.best);
    if (next != k) {
      k = next;
      spent = 1e-6;
      trip.cost += m->start;
      ++trip.visited;
    }
    trip.cost += 1.0;
    spent += 1.0;
    int64_t f = conflicts_at(m, k, spent);
    int32_t completed = k + (int32_t)f;
    if (completed < trip.best) trip.best = completed;
    if (trip.best <= m->least && trip.reached == 0.0) trip.reached = trip.cost;
    if (k < trip.lowest) trip.lowest = k;
    int32_t before = d.k;
    bool changed = ahead && prism_descent_update(&d, trip.best, f, trip.cost);
    assert_true(changed || d.k == before);
  }
  trip.last = ahead ? d.k : trip.best - 1;
  return trip;
}

static void ahead_is_sooner_and_ends_at_one_less(void **state) {
  (void)state;
  static const model_t models[] = {{110, 83, 1.0, 0.5}, {300, 222, 2.0, 0.5}, {60, 47, 0.2, 0.5},
                                   {560, 420, 4.0, 1.0}};
  for (size_t i = 0; i < sizeof models / sizeof *models; ++i) {
    const model_t *m = &models[i];
    trip_t one = travel(m, 1, false, 20000), ahead = travel(m, 1, true, 20000);
    trip_t again = travel(m, 1, true, 20000);
    print_message("one by one: %d k, cost %.0f; ahead: %d k, cost %.0f\n", one.visited, one.reached,
                  ahead.visited, ahead.reached);
    assert_memory_equal(&again, &ahead, sizeof ahead); /* the same costs, the same way */
    assert_int_equal(one.best, m->least);
    assert_int_equal(ahead.best, m->least);
    assert_int_equal(ahead.last, m->least - 1); /* however far it went ahead before */
    assert_true(ahead.lowest < m->least || ahead.visited < one.visited);
    assert_true(ahead.visited < one.visited && ahead.reached < 1.5 * one.reached);
  }
}

static void never_below_the_goal(void **state) {
  (void)state;
  const model_t m = {110, 83, 1.0, 0.5};
  for (int32_t goal = 83; goal < 110; ++goal) {
    trip_t trip = travel(&m, goal, true, 20000);
    assert_int_equal(trip.best, goal);
    assert_true(trip.lowest >= goal);
  }
}

/* Colors that come from elsewhere: k follows them at once; at one less it stays. */
static void news_from_others(void **state) {
  (void)state;
  prism_descent_t d;
  prism_descent_init(&d, 10, 12, 1.0);
  assert_int_equal(d.k, 12);
  prism_descent_begin(&d, 50, 0.0);
  assert_int_equal(d.k, 40);
  assert_true(prism_descent_update(&d, 30, -1, 0.1));
  assert_true(d.k < 30 && d.k >= 12);
  assert_true(prism_descent_update(&d, 13, 5, 50.0));
  assert_int_equal(d.k, 12);
  for (int i = 1; i < 1000; ++i) {
    assert_false(prism_descent_update(&d, 13, 5, 50.0 * i + 50.0));
    assert_int_equal(d.k, 12);
  }
  prism_descent_begin(&d, 20, 100.0); /* anew, in the middle of a run: carefully */
  assert_int_equal(d.k, 19);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(conflicts_become_colors),
      cmocka_unit_test(the_vertex_in_the_way_moves),
      cmocka_unit_test(ahead_is_sooner_and_ends_at_one_less),
      cmocka_unit_test(never_below_the_goal),
      cmocka_unit_test(news_from_others),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
