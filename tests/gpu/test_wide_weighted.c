/* The weighted form of the wide search on the device: its weights after every move. */
#include "gpu/wide_fixture.h"

typedef struct state {
  int32_t *color; /* [n] */
  int32_t *weight; /* [arcs] */
  int64_t f;
} state_t;

static state_t state_open(const prism_graph_t *graph) {
  state_t s = {0};
  must(PRISM_ALLOC(graph->n, &s.color));
  must(PRISM_ALLOC(2 * graph->m + 1, &s.weight));
  return s;
}

static void state_close(state_t *s) {
  prism_free(s->color);
  prism_free(s->weight);
}

/* The state of the only member, from the device. */
static void state_get(const search_case_t *c, const prism_gpu_pool_t *last, const uint16_t *weight,
                      state_t *s) {
  const size_t arcs = 2 * (size_t)c->graph->m;
  uint16_t *cells = NULL;
  int32_t f = -1;
  must(PRISM_ALLOC(arcs + 1, &cells));
  pool_get(last, 0, s->color);
  host_ints(last->f, &f, 1);
  must_cuda(cudaMemcpy(cells, weight, arcs * sizeof *cells, cudaMemcpyDeviceToHost));
  for (size_t e = 0; e < arcs; ++e) s->weight[e] = cells[e];
  prism_free(cells);
  s->f = f;
  assert_int_equal(f, prism_coloring_conflicts(c->graph, s->color));
}

static int64_t weight_near(const host_t *h, const state_t *s, int32_t v, int32_t color) {
  int64_t sum = 0;
  for (int64_t e = h->graph->offset[v]; e < h->graph->offset[v + 1]; ++e)
    if (s->color[h->graph->neighbor[e]] == color) sum += s->weight[e];
  return sum;
}

/* The least delta of weights, INT64_MAX: no vertex in conflict can move. */
static int64_t least_weighted(const host_t *h, const state_t *s) {
  int64_t least = INT64_MAX;
  for (int32_t v = 0; v < h->graph->n; ++v) {
    int64_t own = weight_near(h, s, v, s->color[v]);
    for (int32_t c = 0; c < h->k && own > 0 && !host_frozen(h, v); ++c)
      if (c != s->color[v] && weight_near(h, s, v, c) - own < least)
        least = weight_near(h, s, v, c) - own;
  }
  return least;
}

/* `after` is one move further: one of the best; if it did not improve, conflicting edges
 * are heavier by 1, as seen from where somebody looks. Returns whether they are. */
static bool follows(const host_t *h, const state_t *before, const state_t *after) {
  const prism_graph_t *g = h->graph;
  const int64_t least = least_weighted(h, before);
  int32_t changed = 0;
  for (int32_t v = 0; v < g->n; ++v) {
    if (before->color[v] == after->color[v]) continue;
    assert_false(host_frozen(h, v));
    assert_int_equal(weight_near(h, before, v, after->color[v]) -
                         weight_near(h, before, v, before->color[v]),
                     least);
    ++changed;
  }
  assert_int_equal(changed, before->f > 0 && least < INT64_MAX);
  const bool raised = changed == 1 && least >= 0;
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      bool conflict = before->color[v] == before->color[g->neighbor[e]];
      assert_int_equal(after->weight[e],
                       before->weight[e] + (raised && conflict && !host_frozen(h, v)));
    }
  return raised;
}

static uint16_t *first_weights(const search_case_t *c, const int32_t *weight, int32_t members) {
  uint16_t *cells =
      device_bytes((size_t)members * prism_wide_cells(&c->device) * sizeof *cells);
  int32_t *given = weight != NULL
                       ? device_copy(weight, (2 * (size_t)c->graph->m + 1) * sizeof *given)
                       : NULL;
  must(prism_launch_wide_weigh(&c->device, given, members, cells, NULL));
  must_cuda(cudaDeviceSynchronize());
  must_cuda(cudaFree(given));
  return cells;
}

/* Symmetric weights from `low` on, `count` different ones. */
static void draw_weights(prism_rng_t *rng, const prism_graph_t *g, int32_t low, uint32_t count,
                         int32_t *weight) {
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      const int32_t u = g->neighbor[e];
      if (u > v) weight[e] = low + (int32_t)prism_rng_below(rng, count);
      for (int64_t back = g->offset[u]; u < v && back < g->offset[u + 1]; ++back)
        if (g->neighbor[back] == v) weight[e] = weight[back];
    }
}

/* A search step by step, from weights about `low`, or all 1. Returns how often they rose. */
static int32_t walk(int32_t n, int32_t k, double p, uint64_t round, bool freezes, int32_t low) {
  search_case_t c = case_open(gnp(n, p, seed + round), k, k, 1, seed + round);
  prism_rng_t rng = prism_rng_stream(seed, round, 8, PRISM_RNG_TEST);
  prism_gpu_pool_t last = pool_create(n, k, 1);
  state_t given = state_open(c.graph), s[2] = {state_open(c.graph), state_open(c.graph)};
  uint32_t frozen[4] = {0};
  for (int32_t v = 0; v < n && freezes; v += 3) frozen[v >> 5] |= 1u << (v & 31);
  host_t h = {.graph = c.graph, .k = k, .frozen = freezes ? frozen : NULL};
  setting_t t = {.base = 1.0f, .threads = round % 2 == 0 ? 64 : 0, .last = &last};
  if (freezes) t.hooks.frozen = device_copy(frozen, sizeof frozen);
  draw_weights(&rng, c.graph, low, low > 1 ? 5 : 1, given.weight);
  int32_t raises = 0, steps = gpu_repeats(80, 20);
  int64_t least = INT64_MAX;
  for (int32_t step = 0; step <= steps; ++step) {
    const state_t *from = &s[(step + 1) % 2];
    state_t *to = &s[step % 2];
    t.weight = first_weights(&c, low > 1 ? given.weight : NULL, 1);
    t.iterations = step;
    run(&c, &t, &c.best);
    state_get(&c, &last, t.weight, to);
    if (step == 0) {
      assert_memory_equal(to->color, c.start_color, (size_t)n * sizeof *to->color);
      for (int64_t e = 0; e < 2 * c.graph->m; ++e) /* from half of 65,535 on they are halved */
        assert_int_equal(to->weight[e], low < 32768 ? given.weight[e] : (given.weight[e] + 1) / 2);
    } else {
      raises += follows(&h, from, to);
    }
    least = to->f < least ? to->f : least;
    assert_int_equal(c.f[0], least);
    must_cuda(cudaFree(t.weight));
  }
  state_close(&given);
  state_close(&s[0]);
  state_close(&s[1]);
  pool_destroy(&last);
  must_cuda(cudaFree((void *)(uintptr_t)t.hooks.frozen));
  case_close(&c);
  return raises;
}

static void weights_rise_with_conflicts(void **state) {
  (void)state;
  int32_t raises = 0;
  for (uint64_t i = 0; i < 6; ++i)
    raises += walk(9 + 3 * (int32_t)i, 2 + (int32_t)(i % 3), 0.6, 10 + i, i % 2 == 1, 1);
  raises += walk(30, 3, 0.3, 1, false, 1);
  raises += walk(64, 4, 0.3, 2, false, 1);
  raises += walk(97, 2, 0.2, 3, false, 100);
  raises += walk(40, 3, 0.5, 4, true, 1);
  raises += walk(50, 5, 0.9, 5, true, 60000);
  raises += walk(100, 12, 0.5, 6, false, 32768);
  print_message("weights rose %d times\n", raises);
  assert_true(raises > 0);
}

/* A star with a triangle in it: with two colours the triangle is always in conflict, and the
 * star's degree leaves little room for its weights. */
static void weights_stay_in_bounds(void **state) {
  (void)state;
  enum { LEAVES = 1000000, N = LEAVES + 3, MOST = INT32_MAX / (LEAVES + 2) };
  int32_t *ends = NULL;
  must(PRISM_ALLOC(2 * (size_t)(LEAVES + 3), &ends));
  for (int32_t i = 0; i < LEAVES + 2; ++i) {
    ends[2 * i] = 0;
    ends[2 * i + 1] = i + 1;
  }
  ends[2 * (LEAVES + 2)] = 1;
  ends[2 * (LEAVES + 2) + 1] = 2;
  prism_graph_t *graph = NULL;
  must(prism_graph_from_edges(N, ends, LEAVES + 3, NULL, &graph));
  prism_free(ends);
  search_case_t c = case_open(graph, 2, 2, 1, seed);
  prism_gpu_pool_t last = pool_create(N, 2, 1);
  state_t s = state_open(graph);
  for (int32_t v = 0; v < N; ++v) c.start_color[v] = v > 0;
  setting_t t = {.iterations = 8 * MOST, .base = 1.0f, .last = &last};
  t.weight = first_weights(&c, NULL, 1);
  for (int launch = 0; launch < 3; ++launch) { /* halved at the beginning of each */
    run(&c, &t, &c.best);
    state_get(&c, &last, t.weight, &s);
    int32_t top = 0;
    for (int64_t e = 0; e < 2 * graph->m; ++e) {
      assert_in_range(s.weight[e], 1, MOST);
      top = s.weight[e] > top ? s.weight[e] : top;
    }
    assert_int_equal(top, MOST);
    assert_int_equal(c.f[0], 1);
  }
  state_close(&s);
  pool_destroy(&last);
  must_cuda(cudaFree(t.weight));
  case_close(&c);
}

static void weighted_searches_find_and_repeat(void **state) {
  (void)state;
  enum { N = 400, K = 5, MEMBERS = 4 };
  search_case_t c = case_open(planted(N, K, 0.05, seed), K, K, MEMBERS, seed);
  setting_t t = {.iterations = gpu_repeats(40000, 800)};
  int32_t *first = NULL;
  must(PRISM_ALLOC(MEMBERS * N, &first));
  for (int turn = 0; turn < 2; ++turn) {
    t.weight = first_weights(&c, NULL, MEMBERS);
    t.individuals = turn == 0 ? MEMBERS : 1;
    run(&c, &t, &c.best);
    if (turn == 0) memcpy(first, c.best_color, MEMBERS * N * sizeof *first);
    must_cuda(cudaFree(t.weight));
  }
  assert_memory_equal(first, c.best_color, MEMBERS * N * sizeof *first);
  if (t.iterations == 40000) assert_true(c.report.solved != 0);
  prism_free(first);
  case_close(&c);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_rise_with_conflicts),
      cmocka_unit_test(weights_stay_in_bounds),
      cmocka_unit_test(weighted_searches_find_and_repeat),
  };
  return gpu_run(tests);
}
