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
  int32_t raises = 0, steps = gpu_repeats(80, 12);
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

/* A star around vertex 0 of so many leaves, and a triangle beside it, or of the centre and two
 * leaves: with two colours that is always in conflict. [out] first: vertex of the triangle,
 * the others are the last two */
static prism_graph_t *star_and_triangle(int32_t leaves, bool apart, int32_t *first) {
  const int32_t n = leaves + 1 + (apart ? 3 : 0), edges = leaves + (apart ? 3 : 1);
  int32_t *ends = NULL, at = 0;
  must(PRISM_ALLOC(2 * (size_t)edges, &ends));
  *first = apart ? n - 3 : 0;
  for (int32_t i = 0; i < leaves; ++i) {
    ends[at++] = 0;
    ends[at++] = i + 1;
  }
  const int32_t pairs[3][2] = {{n - 2, n - 1}, {n - 3, n - 1}, {n - 3, n - 2}};
  for (int i = 0; i < (apart ? 3 : 1); ++i) {
    ends[at++] = pairs[i][0];
    ends[at++] = pairs[i][1];
  }
  prism_graph_t *graph = NULL;
  must(prism_graph_from_edges(n, ends, edges, NULL, &graph));
  prism_free(ends);
  return graph;
}

static bool in_triangle(const prism_graph_t *g, int32_t first, int32_t v) {
  return v == first || v >= g->n - 2;
}

/* The centre's degree leaves little room for weights. Those of the triangle rise to the most,
 * from half of it; those of the other edges, never in conflict, are only halved where a launch
 * finds a heavy one. */
static void weights_stay_in_bounds(void **state) {
  (void)state;
  if (gpu_repeats(1, 0) == 0) return; /* thousands of moves beside a million weights */
  enum { LEAVES = 1000000, MOST = INT32_MAX / LEAVES };
  int32_t first = 0, calm = MOST;
  search_case_t c = case_open(star_and_triangle(LEAVES, true, &first), 2, 2, 1, seed);
  const prism_graph_t *g = c.graph;
  prism_gpu_pool_t last = pool_create(g->n, 2, 1);
  state_t given = state_open(g), s = state_open(g);
  for (int32_t v = 0; v < g->n; ++v) c.start_color[v] = v > 0;
  for (int64_t e = 0; e < 2 * g->m; ++e) given.weight[e] = 2 * MOST; /* cut to the most */
  setting_t t = {.iterations = 4 * MOST, .base = 1.0f, .last = &last};
  t.weight = first_weights(&c, given.weight, 1);
  for (int launch = 0; launch < gpu_repeats(3, 2); ++launch) {
    run(&c, &t, &c.best);
    state_get(&c, &last, t.weight, &s);
    calm = (calm + 1) / 2;
    for (int32_t v = 0; v < g->n; ++v)
      for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
        if (s.weight[e] != (in_triangle(g, first, v) ? MOST : calm))
          fail_msg("launch %d, vertex %d: a weight of %d", launch, v, s.weight[e]);
    assert_int_equal(c.f[0], 1);
  }
  state_close(&given);
  state_close(&s);
  pool_destroy(&last);
  must_cuda(cudaFree(t.weight));
  case_close(&c);
}

/* A centre in conflict, with sums of half the bound around it: every move goes from one edge
 * of the triangle to another, and makes the one that it leaves heavier unless the other is
 * lighter. */
static void a_heavy_center_is_counted(void **state) {
  (void)state;
  enum { LEAVES = 40000, HALF = INT32_MAX / LEAVES / 2 };
  int32_t first = 0;
  search_case_t c = case_open(star_and_triangle(LEAVES, false, &first), 2, 2, 1, seed);
  const prism_graph_t *g = c.graph;
  prism_gpu_pool_t last = pool_create(g->n, 2, 1);
  state_t given = state_open(g), s = state_open(g);
  for (int32_t v = 0; v < g->n; ++v) c.start_color[v] = v > 0;
  for (int64_t e = 0; e < 2 * g->m; ++e) given.weight[e] = HALF; /* not to be halved */
  setting_t t = {.iterations = gpu_repeats(300, 30), .base = 1.0f, .last = &last};
  t.weight = first_weights(&c, given.weight, 1);
  run(&c, &t, &c.best);
  state_get(&c, &last, t.weight, &s);
  int64_t raised = 0;
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      if (!in_triangle(g, first, v) || !in_triangle(g, first, g->neighbor[e]))
        assert_int_equal(s.weight[e], HALF);
      raised += s.weight[e] - HALF;
    }
  assert_in_range(raised, t.iterations, 2 * t.iterations); /* both ends look at an edge */
  assert_int_equal(s.f, 1);
  assert_int_equal(c.f[0], 1);
  assert_int_equal(c.report.made, t.iterations);
  state_close(&given);
  state_close(&s);
  pool_destroy(&last);
  must_cuda(cudaFree(t.weight));
  case_close(&c);
}

static void weighted_searches_find_and_repeat(void **state) {
  (void)state;
  enum { N = 400, K = 5, MEMBERS = 4 };
  search_case_t c = case_open(planted(N, K, 0.05, seed), K, K, MEMBERS, seed);
  setting_t t = {.iterations = gpu_repeats(40000, 200)};
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
      cmocka_unit_test(a_heavy_center_is_counted),
      cmocka_unit_test(weighted_searches_find_and_repeat),
  };
  return gpu_run(tests);
}
