/* PartialCol on the device: every result counted on the host, the first move against all
 * that a host would allow, planted graphs solved, hooks obeyed. */
#include "gpu/search_fixture.h"
#include "kernels/partialcol.h"
#include "seam/engine.h"

static const uint64_t seed = 20261121;

typedef struct setting {
  int64_t iterations;
  int32_t threads, words, cells;
  bool reactive, hooked;
  bool tenureless; /* nothing stays tabu for a move */
  prism_gpu_hooks_t hooks;
  uint64_t generation;
} setting_t;

static prism_partialcol_plan_t run(search_case_t *c, const setting_t *s,
                                   const prism_gpu_pool_t *into) {
  prism_partialcol_plan_t plan;
  must(prism_partialcol_plan(&c->device, c->start.k, s->hooked, s->threads, s->words, s->cells,
                             &plan));
  case_upload(c, s->generation);
  prism_partialcol_job_t job = {.start = c->start,
                                .best = *into,
                                .iterations = s->iterations,
                                .reactive = s->reactive,
                                .tenure_base = s->tenureless ? 1.0f : 10.0f,
                                .tenure_slope = s->tenureless ? 0.0f : 0.6f,
                                .seed = seed,
                                .first_individual = 100,
                                .generation = case_generation(c),
                                .stop = c->report.flags,
                                .solved = c->report.flags + 1,
                                .outgrown = c->report.flags + 2,
                                .moves = c->report.moves,
                                .hooks = s->hooks};
  must(prism_launch_partialcol(&plan, &c->device, &job, NULL));
  case_check(c, into);
  return plan;
}

/* ---- what a host would do ---- */

typedef struct host {
  const prism_graph_t *graph;
  int32_t k;
  const int32_t *weight;   /* NULL: 1 each */
  const float *score;
  const uint32_t *frozen;
  int32_t *count;          /* [k] */
} host_t;

static bool host_frozen(const host_t *h, int32_t v) {
  return h->frozen != NULL && (h->frozen[v >> 5] >> (v & 31) & 1u) != 0;
}

static int32_t host_weight(const host_t *h, int32_t v) {
  return h->weight != NULL ? h->weight[v] : 1;
}

static void host_partial(const host_t *h, const int32_t *color, int32_t *partial) {
  const prism_graph_t *g = h->graph;
  for (int32_t v = 0; v < g->n; ++v) {
    partial[v] = color[v];
    if (host_frozen(h, v)) continue;
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      int32_t u = g->neighbor[e];
      if (color[u] == color[v] && (host_frozen(h, u) || u < v)) partial[v] = -1;
    }
  }
}

static void host_complete(const host_t *h, int32_t *color) {
  const prism_graph_t *g = h->graph;
  for (int32_t v = 0; v < g->n; ++v) {
    if (color[v] >= 0) continue;
    memset(h->count, 0, (size_t)h->k * sizeof *h->count);
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      if (color[g->neighbor[e]] >= 0) ++h->count[color[g->neighbor[e]]];
    int32_t best = 0;
    for (int32_t c = 1; c < h->k; ++c)
      if (h->count[c] < h->count[best]) best = c;
    color[v] = best;
  }
}

/* Change of the objective when v gets each colour; INT32_MAX: a frozen vertex is in the
 * way. [out] delta [k] */
static void host_deltas(const host_t *h, const int32_t *partial, int32_t v, int32_t *delta) {
  for (int32_t c = 0; c < h->k; ++c) delta[c] = -host_weight(h, v);
  for (int64_t e = h->graph->offset[v]; e < h->graph->offset[v + 1]; ++e) {
    const int32_t u = h->graph->neighbor[e], c = partial[u];
    if (c < 0 || delta[c] == INT32_MAX) continue;
    delta[c] = host_frozen(h, u) ? INT32_MAX : delta[c] + host_weight(h, u);
  }
}

/* Is `result` what becomes of `start` when v gets colour c, then all others one? */
static bool is_after(const host_t *h, const int32_t *start, int32_t v, int32_t c,
                     const int32_t *result, int32_t *after) {
  const int32_t n = h->graph->n;
  memcpy(after, start, (size_t)n * sizeof *after);
  for (int64_t e = h->graph->offset[v]; e < h->graph->offset[v + 1]; ++e)
    if (after[h->graph->neighbor[e]] == c) after[h->graph->neighbor[e]] = -1;
  after[v] = c;
  for (int32_t u = 0; u < n; ++u)
    if (after[u] >= 0 && after[u] != result[u]) return false;
  host_complete(h, after);
  return memcmp(after, result, (size_t)n * sizeof *after) == 0;
}

/* Is `result` what one best move from `start` leads to, for one of the best moves? */
static bool is_first_move(const host_t *h, const int32_t *start, const int32_t *result) {
  const int32_t n = h->graph->n;
  int32_t *partial = NULL, *after = NULL, *delta = NULL, least = INT32_MAX;
  float top = 0.0f;
  must(PRISM_ALLOC(n, &partial));
  must(PRISM_ALLOC(n, &after));
  must(PRISM_ALLOC(h->k, &delta));
  host_partial(h, start, partial);
  for (int32_t v = 0; v < n; ++v) {
    if (partial[v] >= 0) continue;
    const float score = h->score != NULL ? h->score[v] : 0.0f;
    host_deltas(h, partial, v, delta);
    for (int32_t c = 0; c < h->k; ++c) {
      if (delta[c] > least || (delta[c] == least && score <= top)) continue;
      least = delta[c];
      top = score;
    }
  }
  bool found = false;
  for (int32_t v = 0; v < n && least < 0 && !found; ++v) {
    if (partial[v] >= 0 || (h->score != NULL && h->score[v] < top)) continue;
    host_deltas(h, partial, v, delta);
    found = delta[result[v]] == least && is_after(h, partial, v, result[v], result, after);
  }
  if (least >= 0) { /* no better than the start, which then remains the best */
    host_complete(h, partial);
    found = memcmp(partial, result, (size_t)n * sizeof *partial) == 0;
  }
  prism_free(partial);
  prism_free(after);
  prism_free(delta);
  return found;
}

/* ---- tests ---- */

typedef struct shape {
  int32_t n, k, colors;
  double p;
  int32_t threads, words, cells;
} shape_t;

static const shape_t shapes[] = {
    {1, 1, 1, 0.5, 0, 0, 0},     {2, 1, 1, 1.0, 0, 0, 0},      {40, 2, 2, 0.3, 0, 0, 0},
    {33, 5, 5, 0.5, 0, 0, 1},    {100, 9, 9, 0.5, 0, 0, 1},    {125, 13, 13, 0.5, 64, 0, 1},
    {125, 13, 13, 0.5, 0, 2, 2}, {131, 12, 4, 0.5, 32, 4, 1},  {250, 23, 23, 0.5, 0, 0, 1},
    {250, 23, 23, 0.5, 0, 1, 2}, {301, 300, 30, 0.9, 0, 0, 1}, {97, 1, 1, 0.1, 0, 0, 0},
};

static void the_first_move_is_a_best_one(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
    const shape_t *s = &shapes[i];
    search_case_t c = case_open(gnp(s->n, s->p, seed + i), s->k, s->colors, 4, seed + i);
    host_t h = {.graph = c.graph, .k = s->k};
    must(PRISM_ALLOC(s->k, &h.count));
    for (int64_t iterations = 0; iterations < 3; ++iterations) {
      setting_t t = {.iterations = iterations, .threads = s->threads, .words = s->words,
                     .cells = s->cells, .generation = i};
      run(&c, &t, &c.best);
      for (int32_t m = 0; m < 4; ++m) {
        const int32_t *from = c.start_color + m * s->n, *to = c.best_color + m * s->n;
        if (iterations == 2) assert_true(is_first_move(&h, from, to));
        if (iterations == 2) continue; /* nothing is hosted before the second */
        int32_t *still = NULL;
        must(PRISM_ALLOC(s->n, &still));
        host_partial(&h, from, still);
        host_complete(&h, still);
        assert_memory_equal(still, to, (size_t)s->n * sizeof *still);
        prism_free(still);
      }
    }
    prism_free(h.count);
    case_close(&c);
  }
}

static void results_are_counted_and_repeat(void **state) {
  (void)state;
  int64_t iterations = gpu_repeats(20000, 150);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
    const shape_t *s = &shapes[i];
    search_case_t c = case_open(gnp(s->n, s->p, seed + i), s->k, s->colors, 3, seed + i);
    setting_t t = {.iterations = iterations, .threads = s->threads, .words = s->words,
                   .cells = s->cells, .generation = i, .reactive = i % 2 == 0};
    size_t bytes = 3 * (size_t)s->n * sizeof(int32_t);
    int32_t *first = NULL;
    must(PRISM_ALLOC(3 * (size_t)s->n, &first));
    run(&c, &t, &c.best);
    memcpy(first, c.best_color, bytes);
    int64_t made = c.report.made;
    assert_true(made <= 3 * iterations);
    if (c.report.solved == 0) assert_int_equal(made, 3 * iterations);
    run(&c, &t, &c.start); /* where it began */
    assert_memory_equal(first, c.best_color, bytes);
    assert_int_equal(made, c.report.made);
    t.generation = 1000;
    run(&c, &t, &c.best);
    prism_free(first);
    case_close(&c);
  }
}

static void planted_colorings_are_found(void **state) {
  (void)state;
  static const shape_t easy[] = {
      {90, 3, 3, 0.5, 0, 0, 0},     {200, 5, 5, 0.5, 0, 0, 0},    {200, 5, 5, 0.5, 64, 4, 2},
      {501, 8, 8, 0.6, 0, 0, 0},    {64, 2, 2, 0.5, 0, 0, 0},     {1000, 4, 4, 0.5, 128, 0, 0},
      {1000, 4, 4, 0.5, 0, 0, 2},
  };
  int cases = gpu_repeats(sizeof easy / sizeof *easy, 2);
  for (int i = 0; i < cases; ++i) {
    const shape_t *s = &easy[i];
    search_case_t c =
        case_open(planted(s->n, s->k, s->p, seed + (uint64_t)i), s->k, s->colors, 4, seed);
    setting_t t = {.iterations = 60000, .threads = s->threads, .words = s->words,
                   .cells = s->cells, .reactive = i % 2 == 1};
    run(&c, &t, &c.best);
    if (c.report.outgrown != 0) { /* a class of the plant does not fit cells of a byte */
      assert_true(s->n / s->k >= 126 && s->cells != 2);
      t.cells = 2;
      run(&c, &t, &c.best);
    }
    for (int32_t m = 0; m < 4; ++m) assert_int_equal(c.f[m], 0);
    case_close(&c);
  }
}

/* More than a block's shared memory holds. */
static void clusters_share_an_individual(void **state) {
  (void)state;
  static const shape_t large[] = {{1203, 300, 300, 0.9, 0, 0, 1}, {1500, 200, 150, 0.7, 0, 0, 2},
                                  {700, 600, 500, 0.97, 0, 0, 2}};
  int cases = gpu_repeats(3, 1);
  for (int i = 0; i < cases; ++i) {
    const shape_t *s = &large[i];
    search_case_t c =
        case_open(gnp(s->n, s->p, seed), s->k, s->colors, gpu_repeats(3, 1), seed);
    setting_t t = {.iterations = gpu_repeats(3000, 20), .cells = s->cells};
    prism_partialcol_plan_t plan = run(&c, &t, &c.best);
    assert_true(plan.cluster > 1);
    host_t h = {.graph = c.graph, .k = s->k};
    must(PRISM_ALLOC(s->k, &h.count));
    t.iterations = 2;
    run(&c, &t, &c.best);
    if (i == 0) assert_true(is_first_move(&h, c.start_color, c.best_color));
    prism_free(h.count);
    case_close(&c);
  }
}

/* A vertex weight, a score and a frozen bit for every vertex, on both sides. */
typedef struct hook_case {
  int32_t *weight;
  float *score;
  uint32_t *frozen;
  prism_gpu_hooks_t device;
} hook_case_t;

static hook_case_t hooks_open(int32_t n, bool weights, bool scores, bool freeze, uint64_t salt) {
  hook_case_t h = {0};
  prism_rng_t rng = prism_rng_stream(seed, salt, 7, PRISM_RNG_TEST);
  size_t count = (size_t)n, words = (count + 31) / 32;
  must(PRISM_ALLOC(count, &h.weight));
  must(PRISM_ALLOC(count, &h.score));
  must(PRISM_ALLOC_ZERO(words, &h.frozen));
  for (int32_t v = 0; v < n; ++v) {
    h.weight[v] = 1 + (int32_t)prism_rng_below(&rng, 9);
    h.score[v] = (float)prism_rng_below(&rng, 4) - 1.0f;
    if (prism_rng_below(&rng, 4) == 0) h.frozen[v >> 5] |= 1u << (v & 31);
  }
  if (weights) h.device.vertex_weight = device_copy(h.weight, count * sizeof *h.weight);
  if (scores) h.device.score = device_copy(h.score, count * sizeof *h.score);
  if (freeze) h.device.frozen = device_copy(h.frozen, words * sizeof *h.frozen);
  for (int i = 0; i < 3; ++i) {
    h.device.counter[i] = device_bytes(count * sizeof(uint32_t));
    must_cuda(cudaMemset(h.device.counter[i], 0, count * sizeof(uint32_t)));
  }
  return h;
}

static void hooks_close(hook_case_t *h) {
  prism_free(h->weight);
  prism_free(h->score);
  prism_free(h->frozen);
  must_cuda(cudaFree((void *)(uintptr_t)h->device.vertex_weight));
  must_cuda(cudaFree((void *)(uintptr_t)h->device.score));
  must_cuda(cudaFree((void *)(uintptr_t)h->device.frozen));
  for (int i = 0; i < 3; ++i) must_cuda(cudaFree(h->device.counter[i]));
}

static int64_t counted(const prism_gpu_hooks_t *hooks, prism_counter_t which, int32_t n,
                       int32_t *values) {
  host_ints((const int32_t *)hooks->counter[which], values, n);
  int64_t sum = 0;
  for (int32_t v = 0; v < n; ++v) sum += values[v];
  return sum;
}

/* A colouring with a few conflicts, so that all that it leaves uncoloured finds a host at
 * once: a lane looks after no more than 8 neighbours by number. */
static void draw_near_legal(prism_rng_t *rng, const host_t *h, int32_t *color) {
  const int32_t n = h->graph->n;
  int32_t *legal = NULL, *partial = NULL, open = 0;
  must(PRISM_ALLOC(n, &legal));
  must(PRISM_ALLOC(n, &partial));
  for (int32_t v = 0; v < n; ++v) legal[v] = -1;
  host_complete(h, legal);
  assert_int_equal(prism_coloring_conflicts(h->graph, legal), 0);
  for (bool fits = false; !fits;) {
    memcpy(color, legal, (size_t)n * sizeof *color);
    for (int i = 0; i < 4; ++i)
      color[prism_rng_below(rng, (uint32_t)n)] = (int32_t)prism_rng_below(rng, (uint32_t)h->k);
    host_partial(h, color, partial);
    fits = prism_coloring_conflicts(h->graph, partial) == 0;
    open = 0;
    for (int32_t v = 0, last = -1; v < n; ++v) {
      if (partial[v] >= 0) continue;
      ++open;
      fits &= v / 8 != last;
      last = v / 8;
    }
    fits &= open > 0 && open <= 8;
  }
  prism_free(legal);
  prism_free(partial);
}

static void hooks_lead_the_first_move(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 0, 3, PRISM_RNG_TEST);
  int rounds = gpu_repeats(40, 8);
  for (int round = 0; round < rounds; ++round) {
    int32_t n = 60 + 37 * (round % 8), k = 17 + 3 * (round % 8);
    bool weights = (round & 1) != 0, scores = (round & 2) != 0, freeze = (round & 4) != 0;
    search_case_t c = case_open(gnp(n, 0.3, seed + (uint64_t)round), k, k, 4, seed);
    hook_case_t hooks = hooks_open(n, weights, scores, freeze, (uint64_t)round);
    host_t h = {c.graph, k, weights ? hooks.weight : NULL, scores ? hooks.score : NULL,
                freeze ? hooks.frozen : NULL, NULL};
    must(PRISM_ALLOC(k, &h.count));
    for (int32_t m = 0; m < 4; ++m) draw_near_legal(&rng, &h, c.start_color + m * n);
    setting_t t = {.iterations = 2, .hooked = true, .hooks = hooks.device};
    run(&c, &t, &c.best);
    for (int32_t m = 0; m < 4; ++m)
      assert_true(is_first_move(&h, c.start_color + m * n, c.best_color + m * n));
    prism_free(h.count);
    hooks_close(&hooks);
    case_close(&c);
  }
}

static void clear_hits(const prism_gpu_hooks_t *hooks, int32_t n) {
  must_cuda(cudaMemset(hooks->counter[PRISM_COUNTER_tabu_hits], 0, (size_t)n * sizeof(uint32_t)));
}

/* The second half of a search that nothing ends meets about as many tabu colours as the
 * first: the calendar does not fill up, and pairs leave it. [in] early, hits: those of the
 * first half and of all of it. */
static void check_hits(const setting_t *s, int64_t early, int64_t hits) {
  const int64_t later = hits - early;
  assert_true(early > 0 && later > 0);
  if (s->reactive) return; /* tenures rise and fall, and the hits with them */
  assert_true(2 * later > early && later < 2 * early);
}

static void frozen_vertices_stay_and_counters_add_up(void **state) {
  (void)state;
  enum { N = 130, K = 6, MEMBERS = 3, MOVES = 4000, EASY = 8 };
  const int64_t iterations = gpu_repeats(MOVES, 100);
  for (uint64_t round = 0; round <= EASY; ++round) {
    const bool freeze = (round & 4) != 0;
    int32_t values[N];
    search_case_t c =
        case_open(gnp(N, round == EASY ? 0.1 : 0.3, seed + round), K, K, MEMBERS, round);
    hook_case_t hooks = hooks_open(N, (round & 1) != 0, (round & 2) != 0, freeze, round);
    const host_t h = {.graph = c.graph, .frozen = freeze ? hooks.frozen : NULL};
    setting_t t = {.iterations = iterations, .hooked = true, .hooks = hooks.device,
                   .reactive = round > 5 && round != EASY};
    run(&c, &t, &c.best);
    const int64_t made = c.report.made;
    if (round != EASY) assert_int_equal(made, MEMBERS * iterations); /* K is out of reach */
    for (int32_t m = 0; m < MEMBERS; ++m)
      for (int32_t v = 0; v < N; ++v)
        if (host_frozen(&h, v))
          assert_int_equal(c.best_color[m * N + v], c.start_color[m * N + v]);
    int64_t time = counted(&hooks.device, PRISM_COUNTER_conflict_time, N, values);
    assert_true(time >= made); /* while it searches, somebody is uncoloured */
    for (int32_t v = 0; v < N; ++v)
      assert_in_range(values[v], 0, host_frozen(&h, v) ? 0 : made);
    assert_true(counted(&hooks.device, PRISM_COUNTER_color_changes, N, values) > 0);
    for (int32_t v = 0; v < N; ++v)
      if (host_frozen(&h, v)) assert_int_equal(values[v], 0);
    const int64_t hits = counted(&hooks.device, PRISM_COUNTER_tabu_hits, N, values);
    for (int32_t v = 0; v < N; ++v) assert_in_range(values[v], 0, K * made);
    t.iterations = iterations / 2; /* the same way, half as far */
    clear_hits(&hooks.device, N);
    run(&c, &t, &c.best);
    const int64_t early = counted(&hooks.device, PRISM_COUNTER_tabu_hits, N, values);
    assert_in_range(early, 0, hits);
    if (iterations == MOVES && round != EASY) check_hits(&t, early, hits);
    clear_hits(&hooks.device, N);
    t.tenureless = true;
    t.reactive = false;
    run(&c, &t, &c.best);
    assert_int_equal(counted(&hooks.device, PRISM_COUNTER_tabu_hits, N, values), 0);
    hooks_close(&hooks);
    case_close(&c);
  }
}

/* A longer search takes the same way further: what it returns changes only when fewer are
 * uncoloured than before. */
static void the_best_is_kept(void **state) {
  (void)state;
  enum { N = 60, K = 7, MEMBERS = 4 }; /* out of reach */
  search_case_t c = case_open(gnp(N, 0.4, seed), K, K, MEMBERS, seed);
  host_t h = {.graph = c.graph, .k = K};
  int32_t before[MEMBERS * N], partial[N], changes[MEMBERS] = {0};
  int64_t last = gpu_repeats(400, 30);
  for (int64_t iterations = 0; iterations <= last; ++iterations) {
    setting_t t = {.iterations = iterations, .reactive = true};
    run(&c, &t, &c.best);
    for (int32_t m = 0; iterations > 0 && m < MEMBERS; ++m)
      changes[m] += memcmp(before + m * N, c.best_color + m * N, sizeof partial) != 0;
    memcpy(before, c.best_color, sizeof before);
  }
  for (int32_t m = 0; m < MEMBERS; ++m) {
    int32_t uncolored = 0;
    host_partial(&h, c.start_color + m * N, partial);
    for (int32_t v = 0; v < N; ++v) uncolored += partial[v] < 0;
    assert_in_range(changes[m], 0, uncolored);
  }
  case_close(&c);
}

/* A clique of 4 in 3 colours leaves one vertex uncoloured: it had better be the light one. */
static void light_vertices_are_left_out(void **state) {
  (void)state;
  enum { CLIQUES = 5, N = 4 * CLIQUES };
  int64_t offset[N + 1];
  int32_t neighbor[3 * N], weight[N], at = 0;
  for (int32_t v = 0; v < N; ++v) {
    offset[v] = at;
    for (int32_t u = v / 4 * 4; u < v / 4 * 4 + 4; ++u)
      if (u != v) neighbor[at++] = u;
    weight[v] = v % 4 == 1 ? 1 : 5;
  }
  offset[N] = at;
  prism_graph_stats_t stats;
  prism_graph_t *graph = NULL;
  must(prism_graph_from_csr(N, offset, neighbor, &stats, &graph));
  search_case_t c = case_open(graph, 3, 3, 2, seed);
  prism_gpu_hooks_t hooks = {.vertex_weight = device_ints(weight, N)};
  setting_t t = {.iterations = gpu_repeats(5000, 1000), .hooked = true, .hooks = hooks};
  run(&c, &t, &c.best);
  for (int32_t m = 0; m < 2; ++m) {
    const int32_t *color = c.best_color + m * N;
    assert_int_equal(c.f[m], CLIQUES);
    for (int32_t v = 0; v < N; v += 4)
      assert_true(color[v] != color[v + 2] && color[v] != color[v + 3] &&
                  color[v + 2] != color[v + 3]);
  }
  must_cuda(cudaFree((void *)(uintptr_t)hooks.vertex_weight));
  case_close(&c);
}

static void stops_and_refusals(void **state) {
  (void)state;
  search_case_t c = case_open(gnp(80, 0.9, seed), 5, 5, 2, seed);
  prism_partialcol_plan_t plan;
  assert_int_equal(prism_partialcol_plan(&c.device, 1025, false, 0, 0, 0, &plan),
                   PRISM_UNSUPPORTED);
  prism_gpu_graph_t lists = c.device;
  lists.row = NULL;
  assert_int_equal(prism_partialcol_plan(&lists, 5, false, 0, 0, 0, &plan), PRISM_UNSUPPORTED);
  must(prism_partialcol_plan(&c.device, 5, false, 0, 0, 0, &plan));
  case_upload(&c, 0);
  uint32_t one = 1;
  must_cuda(cudaMemcpy(c.report.flags, &one, sizeof one, cudaMemcpyHostToDevice));
  prism_partialcol_job_t job = {.start = c.start, .best = c.best, .iterations = 1000000000,
                                .tenure_base = 10.0f, .tenure_slope = 0.6f, .seed = seed,
                                .generation = case_generation(&c), .stop = c.report.flags,
                                .solved = c.report.flags + 1, .outgrown = c.report.flags + 2,
                                .moves = c.report.moves};
  must(prism_launch_partialcol(&plan, &c.device, &job, NULL));
  case_check(&c, &c.best);
  assert_true(c.report.made < 1000);
  case_close(&c);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_move_is_a_best_one),
      cmocka_unit_test(results_are_counted_and_repeat),
      cmocka_unit_test(planted_colorings_are_found),
      cmocka_unit_test(clusters_share_an_individual),
      cmocka_unit_test(hooks_lead_the_first_move),
      cmocka_unit_test(frozen_vertices_stay_and_counters_add_up),
      cmocka_unit_test(the_best_is_kept),
      cmocka_unit_test(light_vertices_are_left_out),
      cmocka_unit_test(stops_and_refusals),
  };
  return gpu_run(tests);
}
