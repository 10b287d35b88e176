/* Hooks between a kernel and its views: every value comes from the vertex or the edge
 * that it belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/generate.h"
#include "seam/hooks.h"

static const uint64_t seed = 20261121;

typedef struct inputs {
  prism_graph_t *graph;
  float *score;
  int32_t *vertex_weight, *edge_weight;
  uint64_t *frozen;
  prism_hooks_t hooks;
} inputs_t;

/* Weights of an edge tell its ends. */
static int32_t edge_name(int32_t u, int32_t v) { return 1 + (u < v ? 7 * u + v : 7 * v + u); }

static inputs_t make(int32_t n, double p, uint64_t number) {
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(n, p, seed + number, &made), PRISM_OK);
  inputs_t in = {.graph = made.graph};
  const prism_graph_t *g = in.graph;
  assert_int_equal(PRISM_ALLOC(n, &in.score), PRISM_OK);
  assert_int_equal(PRISM_ALLOC(n, &in.vertex_weight), PRISM_OK);
  assert_int_equal(PRISM_ALLOC(2 * g->m, &in.edge_weight), PRISM_OK);
  assert_int_equal(PRISM_ALLOC_ZERO(prism_bitset_words(n), &in.frozen), PRISM_OK);
  for (int32_t v = 0; v < n; ++v) {
    in.score[v] = 0.25f * (float)v;
    in.vertex_weight[v] = 1 + v;
    if (v % 3 == 0) prism_bitset_add(in.frozen, v);
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      in.edge_weight[e] = edge_name(v, g->neighbor[e]);
  }
  in.hooks = (prism_hooks_t){in.score, in.vertex_weight, in.edge_weight, in.frozen, true};
  return in;
}

static void release(inputs_t *in) {
  prism_graph_destroy(&in->graph);
  prism_free(in->score);
  prism_free(in->vertex_weight);
  prism_free(in->edge_weight);
  prism_free(in->frozen);
}

static void check_view(const inputs_t *in, int32_t k) {
  prism_view_t *view = NULL;
  assert_int_equal(prism_view_create(in->graph, k, &view), PRISM_OK);
  const prism_graph_t *g = prism_view_graph(view);
  if (g == NULL) {
    prism_view_destroy(&view);
    return;
  }
  const int32_t *map = prism_view_map(view);
  prism_hooks_t mapped;
  int64_t *arc = NULL;
  assert_int_equal(prism_hooks_map(in->graph, view, &in->hooks, NULL, &mapped), PRISM_OK);
  assert_int_equal(prism_view_arcs(in->graph, view, &arc), PRISM_OK);
  assert_true(mapped.counters);
  for (int32_t v = 0; v < g->n; ++v) {
    assert_true(mapped.score[v] >= in->score[map[v]] && mapped.score[v] <= in->score[map[v]]);
    assert_int_equal(mapped.vertex_weight[v], in->vertex_weight[map[v]]);
    assert_int_equal(prism_bitset_has(mapped.frozen, v), prism_bitset_has(in->frozen, map[v]));
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      int32_t u = g->neighbor[e];
      assert_int_equal(mapped.edge_weight[e], edge_name(map[v], map[u]));
      assert_int_equal(in->graph->neighbor[arc[e]], map[u]);
      assert_in_range(arc[e], in->graph->offset[map[v]], in->graph->offset[map[v] + 1] - 1);
    }
  }
  prism_free(arc);
  prism_hooks_unmap(&mapped);
  assert_null(mapped.score);
  prism_view_destroy(&view);
}

static void values_follow_their_vertices(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const double density[] = {0.03, 0.06, 0.2};
  for (uint64_t i = 0; i < 3; ++i) {
    inputs_t in = make(90, density[i], i);
    for (int32_t k = 0; k < 8; ++k) check_view(&in, k);
    release(&in);
  }
}

static void learned_weights_stand_for_given_ones(void **state) {
  (void)state;
  inputs_t in = make(60, 0.3, 9);
  prism_view_t *view = NULL;
  assert_int_equal(prism_view_create(in.graph, 4, &view), PRISM_OK);
  const prism_graph_t *g = prism_view_graph(view);
  int32_t *learned = NULL;
  int64_t *arc = NULL;
  prism_hooks_t mapped;
  assert_int_equal(PRISM_ALLOC(2 * in.graph->m, &learned), PRISM_OK);
  for (int64_t e = 0; e < 2 * in.graph->m; ++e) learned[e] = 1000 + (int32_t)e;
  assert_int_equal(prism_view_arcs(in.graph, view, &arc), PRISM_OK);
  const prism_hooks_t *from[] = {NULL, &in.hooks};
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(prism_hooks_map(in.graph, view, from[i], learned, &mapped), PRISM_OK);
    for (int64_t e = 0; e < 2 * g->m; ++e)
      assert_int_equal(mapped.edge_weight[e], learned[arc[e]]);
    assert_int_equal(mapped.score != NULL, i == 1);
    assert_int_equal(mapped.counters, i == 1);
    prism_hooks_unmap(&mapped);
  }
  prism_free(arc);
  prism_free(learned);
  prism_view_destroy(&view);
  release(&in);
}

static void bad_weights_are_refused(void **state) {
  (void)state;
  inputs_t in = make(40, 0.5, 11);
  assert_int_equal(prism_hooks_check(in.graph, &in.hooks), PRISM_OK);
  const prism_hooks_t none = {0};
  assert_int_equal(prism_hooks_check(in.graph, &none), PRISM_OK);
  int32_t kept = in.vertex_weight[5];
  in.vertex_weight[5] = 0;
  assert_int_equal(prism_hooks_check(in.graph, &in.hooks), PRISM_INVALID);
  in.vertex_weight[5] = PRISM_HOOKS_SUM;
  assert_int_equal(prism_hooks_check(in.graph, &in.hooks), PRISM_INVALID);
  in.vertex_weight[5] = kept;
  in.edge_weight[3] = 0;
  assert_int_equal(prism_hooks_check(in.graph, &in.hooks), PRISM_INVALID);
  in.edge_weight[3] = PRISM_HOOKS_SUM + 1;
  assert_int_equal(prism_hooks_check(in.graph, &in.hooks), PRISM_INVALID);
  release(&in);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_follow_their_vertices),
      cmocka_unit_test(learned_weights_stand_for_given_ones),
      cmocka_unit_test(bad_weights_are_refused),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
