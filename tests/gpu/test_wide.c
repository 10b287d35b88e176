/* The wide search on the device: every result counted on the host, improving moves held
 * to be the best there are, planted graphs solved, hooks obeyed, graphs that fit nothing
 * else; greedy starts. */
#include "gpu/wide_fixture.h"

static int32_t near_color(const host_t *h, const int32_t *color, int32_t v, int32_t c) {
  int32_t count = 0;
  for (int64_t e = h->graph->offset[v]; e < h->graph->offset[v + 1]; ++e)
    count += color[h->graph->neighbor[e]] == c;
  return count;
}

/* The least delta of a move of a conflicting vertex, INT32_MAX: none; and the highest score
 * among those who have it. */
static int32_t host_best(const host_t *h, const int32_t *color, float *top) {
  int32_t least = INT32_MAX;
  *top = 0.0f;
  for (int32_t v = 0; v < h->graph->n; ++v) {
    int32_t own = near_color(h, color, v, color[v]);
    if (own == 0 || host_frozen(h, v)) continue;
    for (int32_t c = 0; c < h->k; ++c) {
      if (c == color[v]) continue;
      int32_t delta = near_color(h, color, v, c) - own;
      float score = h->score != NULL ? h->score[v] : 0.0f;
      if (delta > least || (delta == least && score <= *top)) continue;
      least = delta;
      *top = score;
    }
  }
  return least;
}

/* Does `after` follow from `before` by one of the best moves, if that improves? */
static bool is_best_move(const host_t *h, const int32_t *before, const int32_t *after) {
  float top;
  int32_t least = host_best(h, before, &top), changed = 0, mover = -1;
  for (int32_t v = 0; v < h->graph->n; ++v) {
    changed += before[v] != after[v];
    mover = before[v] != after[v] ? v : mover;
  }
  if (changed == 0) return least >= 0;
  if (changed != 1 || least >= 0 || host_frozen(h, mover)) return false;
  if (h->score != NULL && h->score[mover] != top) return false;
  int32_t own = near_color(h, before, mover, before[mover]);
  return own > 0 && near_color(h, before, mover, after[mover]) - own == least;
}

/* ---- tests ---- */

typedef struct shape {
  int32_t n, k, colors;
  double p;
  int32_t threads;
} shape_t;

static const shape_t shapes[] = {
    {1, 1, 1, 0.5, 0},     {2, 1, 1, 1.0, 0},     {2, 2, 1, 1.0, 32},     {40, 2, 2, 0.3, 0},
    {33, 5, 5, 0.5, 32},   {97, 1, 1, 0.1, 0},    {125, 13, 13, 0.5, 64}, {131, 12, 4, 0.5, 96},
    {250, 23, 23, 0.5, 0}, {300, 8, 8, 0.02, 64}, {301, 300, 30, 0.9, 0},
};

/* Without tenure nothing is tabu: while f falls, each longer search is one best move
 * further. */
static void moves_are_best_ones(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  int64_t steps = gpu_repeats(60, 12);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
    const shape_t *s = &shapes[i];
    search_case_t c = case_open(gnp(s->n, s->p, seed + i), s->k, s->colors, 3, seed + i);
    host_t h = {.graph = c.graph, .k = s->k};
    size_t count = 3 * (size_t)s->n;
    int32_t *before = NULL;
    bool wanders[3] = {false};
    must(PRISM_ALLOC(count, &before));
    memcpy(before, c.start_color, count * sizeof *before);
    for (int64_t step = 0; step < steps && !(wanders[0] && wanders[1] && wanders[2]); ++step) {
      setting_t t = {.iterations = step, .threads = s->threads, .base = 1.0f, .generation = i};
      run(&c, &t, &c.best);
      for (int32_t m = 0; m < 3; ++m) {
        const int32_t *from = before + m * s->n, *to = c.best_color + m * s->n;
        bool same = memcmp(from, to, (size_t)s->n * sizeof *from) == 0;
        if (step == 0) assert_true(same);
        if (step > 0 && !wanders[m]) assert_true(is_best_move(&h, from, to));
        wanders[m] |= step > 0 && same;
      }
      memcpy(before, c.best_color, count * sizeof *before);
    }
    prism_free(before);
    case_close(&c);
  }
}

static void results_are_counted_and_repeat(void **state) {
  (void)state;
  int64_t iterations = gpu_repeats(10000, 500);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
    const shape_t *s = &shapes[i];
    search_case_t c = case_open(gnp(s->n, s->p, seed + i), s->k, s->colors, 3, seed + i);
    setting_t t = {.iterations = iterations, .threads = s->threads, .generation = i};
    size_t count = 3 * (size_t)s->n;
    int32_t *first = NULL;
    must(PRISM_ALLOC(count, &first));
    run(&c, &t, &c.best);
    memcpy(first, c.best_color, count * sizeof *first);
    int64_t made = c.report.made;
    if (c.report.solved == 0) assert_int_equal(made, 3 * iterations);
    t.individuals = 2; /* one waits */
    run(&c, &t, &c.start);
    assert_memory_equal(first, c.best_color, count * sizeof *first);
    assert_int_equal(made, c.report.made);
    prism_free(first);
    case_close(&c);
  }
}

static void planted_colorings_are_found(void **state) {
  (void)state;
  static const shape_t easy[] = {{90, 3, 3, 0.5, 0},   {200, 5, 5, 0.5, 0}, {501, 8, 8, 0.6, 0},
                                 {64, 2, 2, 0.5, 32}, {1000, 4, 4, 0.5, 0}, {1000, 6, 6, 0.1, 0}};
  int cases = gpu_repeats(sizeof easy / sizeof *easy, 3);
  for (int i = 0; i < cases; ++i) {
    const shape_t *s = &easy[i];
    search_case_t c =
        case_open(planted(s->n, s->k, s->p, seed + (uint64_t)i), s->k, s->colors, 4, seed);
    setting_t t = {.iterations = 60000, .threads = s->threads};
    run(&c, &t, &c.best);
    for (int32_t m = 0; m < 4; ++m) assert_int_equal(c.f[m], 0);
    case_close(&c);
  }
}

/* A hub with more neighbours than 15 bits count, which are paired up. */
static prism_graph_t *windmill(int32_t pairs) {
  int64_t *offset = NULL, at = 0;
  int32_t *neighbor = NULL, n = 1 + 2 * pairs;
  must(PRISM_ALLOC(n + 1, &offset));
  must(PRISM_ALLOC(6 * (size_t)pairs, &neighbor));
  offset[0] = 0;
  for (int32_t v = 1; v < n; ++v) neighbor[at++] = v;
  for (int32_t v = 1; v < n; ++v) {
    offset[v] = at;
    neighbor[at++] = 0;
    neighbor[at++] = (v & 1) != 0 ? v + 1 : v - 1;
  }
  offset[n] = at;
  prism_graph_stats_t stats;
  prism_graph_t *graph = NULL;
  must(prism_graph_from_csr(n, offset, neighbor, &stats, &graph));
  prism_free(offset);
  prism_free(neighbor);
  return graph;
}

static void graphs_that_fit_nothing_else(void **state) {
  (void)state;
  prism_graph_t *sparse = gnp(70001, 4.0 / 70001.0, seed);
  search_case_t c = case_open(sparse, 5, 5, 2, seed);
  assert_null(c.device.row);
  setting_t t = {.iterations = gpu_repeats(60000, 1000)};
  run(&c, &t, &c.best);
  if (t.iterations == 60000)
    for (int32_t m = 0; m < 2; ++m) assert_int_equal(c.f[m], 0);
  case_close(&c);
  c = case_open(windmill(17000), 4, 4, 2, seed);
  for (int32_t m = 0; m < 2; ++m) /* all conflicts at the hub, and then none */
    for (int32_t v = 0; v < c.graph->n; ++v)
      c.start_color[m * c.graph->n + v] = v == 0 ? 0 : (v + m) % 2;
  t = (setting_t){.iterations = 50};
  assert_int_equal(run(&c, &t, &c.best).cell_bytes, 4);
  for (int32_t m = 0; m < 2; ++m) assert_int_equal(c.f[m], 0);
  case_close(&c);
  c = case_open(gnp(260, 0.99, seed), 5000, 4999, 1, seed); /* a row is longer than a warp */
  for (int32_t v = 0; v < 260; ++v) c.start_color[v] = 0;
  t = (setting_t){.iterations = 400};
  run(&c, &t, &c.best);
  assert_int_equal(c.f[0], 0);
  prism_wide_plan_t plan;
  assert_int_equal(prism_wide_plan(&c.device, 65536, false, 0, &plan), PRISM_UNSUPPORTED);
  case_close(&c);
}

/* Sparse graphs start with many conflicts and end with few: slots are packed in between. */
static void slots_are_packed(void **state) {
  (void)state;
  search_case_t c = case_open(gnp(3000, 0.004, seed), 6, 2, 2, seed);
  setting_t t = {.iterations = gpu_repeats(20000, 4000), .threads = 128};
  run(&c, &t, &c.best);
  for (int32_t m = 0; m < 2; ++m) assert_int_equal(c.f[m], 0);
  case_close(&c);
}

static void hooks_are_obeyed(void **state) {
  (void)state;
  enum { N = 130, K = 6, MEMBERS = 3 };
  int64_t iterations = gpu_repeats(4000, 300);
  for (uint64_t round = 0; round < 6; ++round) {
    search_case_t c = case_open(gnp(N, 0.3, seed + round), K, K, MEMBERS, round);
    prism_rng_t rng = prism_rng_stream(seed, round, 7, PRISM_RNG_TEST);
    float score[N];
    uint32_t frozen[(N + 31) / 32] = {0};
    int32_t values[N];
    for (int32_t v = 0; v < N; ++v) {
      score[v] = (float)prism_rng_below(&rng, 4) - 1.0f;
      if (prism_rng_below(&rng, 4) == 0) frozen[v >> 5] |= 1u << (v & 31);
    }
    host_t h = {c.graph, K, (round & 1) != 0 ? score : NULL, (round & 2) != 0 ? frozen : NULL};
    prism_gpu_hooks_t hooks = {0};
    if (h.score != NULL) hooks.score = device_copy(score, sizeof score);
    if (h.frozen != NULL) hooks.frozen = device_copy(frozen, sizeof frozen);
    setting_t t = {.iterations = 1, .hooks = hooks};
    run(&c, &t, &c.best);
    for (int32_t m = 0; m < MEMBERS; ++m)
      assert_true(is_best_move(&h, c.start_color + m * N, c.best_color + m * N));
    for (int i = 0; i < 3; ++i) {
      hooks.counter[i] = device_bytes(N * sizeof(uint32_t));
      must_cuda(cudaMemset(hooks.counter[i], 0, N * sizeof(uint32_t)));
    }
    t = (setting_t){.iterations = iterations, .hooks = hooks};
    run(&c, &t, &c.best);
    for (int32_t i = 0; i < MEMBERS * N; ++i)
      if (host_frozen(&h, i % N)) assert_int_equal(c.best_color[i], c.start_color[i]);
    int64_t sum = 0;
    host_ints((int32_t *)hooks.counter[PRISM_COUNTER_conflict_time], values, N);
    for (int32_t v = 0; v < N; ++v) {
      assert_in_range(values[v], 0, host_frozen(&h, v) ? 0 : c.report.made);
      sum += values[v];
    }
    assert_true(h.frozen != NULL || sum >= c.report.made);
    host_ints((int32_t *)hooks.counter[PRISM_COUNTER_color_changes], values, N);
    sum = 0;
    for (int32_t v = 0; v < N; ++v) {
      if (host_frozen(&h, v)) assert_int_equal(values[v], 0);
      sum += values[v];
    }
    assert_in_range(sum, 1, c.report.made);
    host_ints((int32_t *)hooks.counter[PRISM_COUNTER_tabu_hits], values, N);
    sum = 0;
    for (int32_t v = 0; v < N; ++v) {
      assert_in_range(values[v], 0, K * c.report.made);
      sum += values[v];
    }
    assert_true(sum > 0);
    must_cuda(cudaMemset(hooks.counter[PRISM_COUNTER_tabu_hits], 0, sizeof values));
    t.base = 1.0f; /* nothing stays tabu for a move */
    run(&c, &t, &c.best);
    host_ints((int32_t *)hooks.counter[PRISM_COUNTER_tabu_hits], values, N);
    for (int32_t v = 0; v < N; ++v) assert_int_equal(values[v], 0);
    must_cuda(cudaFree((void *)(uintptr_t)hooks.score));
    must_cuda(cudaFree((void *)(uintptr_t)hooks.frozen));
    for (int i = 0; i < 3; ++i) must_cuda(cudaFree(hooks.counter[i]));
    case_close(&c);
  }
}

static void a_stop_ends_it(void **state) {
  (void)state;
  search_case_t c = case_open(gnp(80, 0.9, seed), 5, 5, 2, seed);
  prism_wide_plan_t plan;
  must(prism_wide_plan(&c.device, 5, false, 0, &plan));
  void *scratch = device_bytes(2 * plan.individual_bytes);
  case_upload(&c, 0);
  uint32_t one = 1;
  must_cuda(cudaMemcpy(c.report.flags, &one, sizeof one, cudaMemcpyHostToDevice));
  prism_wide_job_t job = {.start = c.start, .best = c.best, .iterations = 1000000000,
                          .tenure_base = 10.0f, .tenure_slope = 0.6f, .seed = seed,
                          .generation = case_generation(&c), .stop = c.report.flags,
                          .solved = c.report.flags + 1, .moves = c.report.moves};
  assert_int_equal(prism_launch_wide(&plan, &c.device, &job, scratch, 0, NULL), PRISM_INVALID);
  must(prism_launch_wide(&plan, &c.device, &job, scratch, 2, NULL));
  case_check(&c, &c.best);
  assert_true(c.report.made < 1000);
  /* Who waits for memory does not begin. */
  must_cuda(cudaMemset(c.best.f, 0x7F, 2 * sizeof *c.best.f));
  must(prism_launch_wide(&plan, &c.device, &job, scratch, 1, NULL));
  host_ints(c.best.f, c.f, 2);
  assert_true(c.f[0] < 0x7F7F7F7F);
  assert_int_equal(c.f[1], 0x7F7F7F7F);
  job.weight = NULL;
  plan.weighted = true;
  assert_int_equal(prism_launch_wide(&plan, &c.device, &job, scratch, 2, NULL), PRISM_INVALID);
  must_cuda(cudaFree(scratch));
  case_close(&c);
}

/* ---- starts ---- */

/* Where vertices stand in the order of a member. */
static void order_of(int32_t n, uint64_t generation, uint32_t individual, int32_t *place) {
  prism_rng_block_t word = prism_rng_at(seed, generation, 0, individual, PRISM_RNG_INITIAL);
  uint64_t first = prism_rng_scale(word.word[1], (uint32_t)n);
  uint64_t step = prism_rng_scale(word.word[2], (uint32_t)n);
  for (bool again = true; again; ++step) {
    for (int32_t v = 0; v < n; ++v) place[v] = -1;
    for (int32_t i = 0; i < n; ++i) place[(first + (uint64_t)i * step) % (uint64_t)n] = i;
    again = false;
    for (int32_t v = 0; v < n; ++v) again |= place[v] < 0;
  }
}

/* Every vertex has a colour of its fewest neighbours among those before it. */
static void check_start(const prism_graph_t *g, int32_t k, int32_t batch, const int32_t *place,
                        const int32_t *color) {
  int32_t *count = NULL;
  must(PRISM_ALLOC(k, &count));
  for (int32_t v = 0; v < g->n; ++v) {
    int32_t least = INT32_MAX;
    memset(count, 0, (size_t)k * sizeof *count);
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      const int32_t u = g->neighbor[e];
      count[color[u]] += place[u] / batch < place[v] / batch;
    }
    for (int32_t c = 0; c < k; ++c) least = count[c] < least ? count[c] : least;
    assert_int_equal(count[color[v]], least);
  }
  prism_free(count);
}

static void starts_are_greedy(void **state) {
  (void)state;
  enum { MEMBERS = 5, INDIVIDUAL = 40 };
  static const uint64_t generation = 3;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
    const shape_t *s = &shapes[i];
    search_case_t c = case_open(gnp(s->n, s->p, seed + i), s->k, s->k, MEMBERS, seed + i);
    prism_wide_plan_t plan;
    must(prism_wide_plan(&c.device, s->k, i % 3 == 0, s->threads, &plan));
    void *scratch = device_bytes(2 * plan.individual_bytes);
    case_upload(&c, generation);
    prism_convert_random_t random = {seed, case_generation(&c), INDIVIDUAL};
    must(prism_launch_wide_start(&plan, &c.device, &c.best, &random, scratch, 2, NULL));
    int32_t *place = NULL, same = 0;
    must(PRISM_ALLOC(s->n, &place));
    for (int32_t m = 0; m < MEMBERS; ++m) {
      int32_t *color = c.best_color + m * s->n;
      pool_get(&c.best, m, color);
      for (int32_t v = 0; v < s->n; ++v) assert_in_range(color[v], 0, s->k - 1);
      order_of(s->n, generation, INDIVIDUAL + (uint32_t)m, place);
      check_start(c.graph, s->k, plan.threads / 32, place, color);
      same += memcmp(color, c.best_color, (size_t)s->n * sizeof *color) == 0;
    }
    if (s->n > 30 && s->k > 1) assert_int_equal(same, 1);
    prism_free(place);
    must_cuda(cudaFree(scratch));
    case_close(&c);
  }
}

/* Conflicts of frozen vertices alone: no move, and no time is spent. */
static void nothing_to_move(void **state) {
  (void)state;
  search_case_t c = case_open(gnp(20, 1.0, seed), 3, 3, 2, seed);
  const uint32_t frozen[1] = {0xFFFFF};
  setting_t t = {.iterations = 1000};
  t.hooks.frozen = device_copy(frozen, sizeof frozen);
  run(&c, &t, &c.best);
  assert_int_equal(c.report.made, 0);
  assert_memory_equal(c.best_color, c.start_color, 40 * sizeof *c.best_color);
  must_cuda(cudaFree((void *)(uintptr_t)t.hooks.frozen));
  case_close(&c);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moves_are_best_ones),
      cmocka_unit_test(results_are_counted_and_repeat),
      cmocka_unit_test(planted_colorings_are_found),
      cmocka_unit_test(graphs_that_fit_nothing_else),
      cmocka_unit_test(slots_are_packed),
      cmocka_unit_test(hooks_are_obeyed),
      cmocka_unit_test(a_stop_ends_it),
      cmocka_unit_test(starts_are_greedy),
      cmocka_unit_test(nothing_to_move),
  };
  return gpu_run(tests);
}
