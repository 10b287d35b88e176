/* Saved GPU islands on the host's side, without a GPU: every number and every row comes back,
 * learned weights too; other kinds of islands are told apart; lies are refused or harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/learned.h"
#include "engine/saved.h"
#include "model/coloring.h"
#include "oracle.h"

static const uint64_t seed = 20261417;

enum { MAX_N = 120, MAX_ARCS = MAX_N * MAX_N };

static void must_be(prism_status_t status) {
  if (status != PRISM_OK) fail_msg("%s", prism_error_text());
}

static bool flip(prism_rng_t *rng) { return prism_rng_below(rng, 2) == 1; }

static int32_t below(prism_rng_t *rng, int32_t n) {
  return (int32_t)prism_rng_below(rng, (uint32_t)n);
}

/* ---- weights ---- */

/* Mostly 1, symmetric unless `wide`; light enough for the kernels. */
static void draw_weights(prism_rng_t *rng, const prism_graph_t *g, bool wide, int32_t heavy,
                         int32_t *weight) {
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      weight[e] = below(rng, 3) > 0 ? 1 : 1 + below(rng, heavy);
  for (int32_t v = 0; v < g->n && !wide; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      for (int64_t d = g->offset[g->neighbor[e]]; d < g->offset[g->neighbor[e] + 1]; ++d)
        if (g->neighbor[d] == v && v < g->neighbor[e]) weight[d] = weight[e];
}

static void weights_come_back(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  static int32_t weight[MAX_ARCS], back[MAX_ARCS];
  print_message("seed %llu\n", (unsigned long long)seed);
  for (int round = 0; round < 300; ++round) {
    prism_graph_t *g = oracle_random_graph(&rng, 1 + below(&rng, 60), oracle_density(&rng));
    const bool wide = flip(&rng);
    const int members = 1 + below(&rng, 4);
    static const int32_t heavy[] = {1, 2, 200, 500};
    prism_pack_t pack = {.data = NULL};
    prism_rng_t again = rng;
    for (int i = 0; i < members; ++i) {
      draw_weights(&rng, g, wide, heavy[round % 4], weight);
      prism_learned_encode(g, wide, weight, &pack);
    }
    if (round % 4 == 0) assert_true(pack.size <= (size_t)members * 3); /* all are 1 */
    uint8_t *bytes = NULL;
    size_t size = 0;
    prism_unpack_t unpack;
    must_be(prism_pack_finish(&pack, &bytes, &size));
    must_be(prism_unpack_open(&unpack, bytes, size, "weights"));
    for (int i = 0; i < members; ++i) {
      draw_weights(&again, g, wide, heavy[round % 4], weight);
      must_be(prism_learned_decode(g, wide, &unpack, back));
      assert_memory_equal(weight, back, 2 * (size_t)g->m * sizeof *weight);
    }
    must_be(prism_unpack_close(&unpack, "weights"));
    prism_free(bytes);
    prism_graph_destroy(&g);
  }
}

/* Whatever bytes there are, weights are such as the kernels can have, or it is known. */
static void odd_weights_are_noticed(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  static int32_t weight[MAX_ARCS];
  int odd = 0, even = 0;
  for (int round = 0; round < 3000; ++round) {
    prism_graph_t *g = oracle_random_graph(&rng, 2 + below(&rng, 12), 0.5);
    const bool wide = flip(&rng);
    prism_pack_t pack = {.data = NULL};
    uint8_t *bytes = NULL;
    size_t size = 0;
    prism_unpack_t unpack;
    for (int i = below(&rng, 12) + 1; i > 0; --i)
      prism_pack_u8(&pack, (uint8_t)prism_rng_below(&rng, flip(&rng) ? 256 : 5));
    must_be(prism_pack_finish(&pack, &bytes, &size));
    must_be(prism_unpack_open(&unpack, bytes, size, "weights"));
    must_be(prism_learned_decode(g, wide, &unpack, weight));
    odd += unpack.bad;
    even += !unpack.bad;
    for (int32_t v = 0; v < g->n && !unpack.bad; ++v) {
      int64_t sum = 0;
      for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
        assert_in_range(weight[e], 1, UINT16_MAX);
        sum += weight[e];
      }
      if (!wide) assert_true(sum <= 32767);
    }
    prism_free(bytes);
    prism_graph_destroy(&g);
  }
  assert_true(odd > 100 && even > 10);
}

/* A sum that a count cannot hold, or one weight that does not fit. */
static void heavy_weights_are_refused(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  prism_graph_t *g = oracle_random_graph(&rng, 20, 1.0);
  static int32_t weight[MAX_ARCS], back[MAX_ARCS];
  static const struct {
    int32_t weight;
    bool wide, bad;
  } kinds[] = {{1724, false, false}, {1725, false, true}, {1725, true, false},
               {65535, true, false}, {65536, true, true}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
    prism_pack_t pack = {.data = NULL};
    uint8_t *bytes = NULL;
    size_t size = 0;
    prism_unpack_t unpack;
    for (int64_t e = 0; e < 2 * g->m; ++e) weight[e] = kinds[i].weight; /* 19 around a vertex */
    prism_learned_encode(g, kinds[i].wide, weight, &pack);
    must_be(prism_pack_finish(&pack, &bytes, &size));
    must_be(prism_unpack_open(&unpack, bytes, size, "weights"));
    must_be(prism_learned_decode(g, kinds[i].wide, &unpack, back));
    assert_int_equal(unpack.bad, kinds[i].bad);
    prism_free(bytes);
  }
  prism_graph_destroy(&g);
}

/* ---- islands ---- */

static const uint32_t gpu_methods =
    PRISM_METHOD_BIT(PRISM_METHOD_TABUCOL) | PRISM_METHOD_BIT(PRISM_METHOD_PARTIALCOL) |
    PRISM_METHOD_BIT(PRISM_METHOD_WEIGHTED) | PRISM_METHOD_BIT(PRISM_METHOD_POOL) |
    PRISM_METHOD_BIT(PRISM_METHOD_TEMPERING);

/* An island made up, with its state. */
typedef struct scene {
  prism_graph_t *kernel;
  prism_view_t *view;
  int32_t k;
  prism_saved_kind_t kind;
  prism_saved_island_t saved;
  prism_pack_t code;
  prism_island_state_t state;
} scene_t;

static int32_t *draw_colors(prism_rng_t *rng, int32_t count, int32_t n, int32_t k) {
  int32_t *color = NULL;
  must_be(PRISM_ALLOC(count * n, &color));
  for (int32_t i = 0; i < count * n; ++i) color[i] = below(rng, k);
  return color;
}

static prism_colorings_t draw_starts(prism_rng_t *rng, int32_t most, int32_t n) {
  prism_colorings_t colors = {.count = below(rng, most + 1)};
  if (colors.count == 0) return colors;
  colors.k = 1 + below(rng, 400);
  colors.color = draw_colors(rng, colors.count, n, colors.k);
  return colors;
}

/* At most `members` replicas in whole ladders. */
static void draw_ladder(prism_rng_t *rng, int32_t n, int32_t k, prism_saved_population_t *p) {
  prism_saved_ladder_t *l = &p->ladder;
  const prism_ladder_params_t params = {.replicas = 1 + below(rng, 6), .sweeps = below(rng, 4)};
  must_be(prism_ladder_init(&l->ladder, &params, n, k));
  const int32_t levels = l->ladder.levels, counts = 2 * (levels - 1);
  p->members = levels * (1 + below(rng, 3));
  l->rounds = 1 + below(rng, PRISM_GPU_TEMPERING_ROUNDS);
  l->window = below(rng, PRISM_LADDER_WINDOW);
  l->swap_rate = prism_rng_uniform(rng);
  l->at.round = prism_rng_next(rng);
  p->length = (int64_t)l->rounds * l->ladder.sweeps * n;
  must_be(PRISM_ALLOC(counts, &l->at.counts));
  for (int32_t i = 0; i < counts; ++i) l->at.counts[i] = prism_rng_next(rng);
  must_be(PRISM_ALLOC(p->members, &l->at.replica_at));
  for (int32_t i = 0; i < p->members; ++i) l->at.replica_at[i] = i;
  for (int32_t i = 0; i < p->members; ++i) { /* exchanges within the ladder */
    const int32_t j = i / levels * levels + below(rng, levels), other = l->at.replica_at[j];
    l->at.replica_at[j] = l->at.replica_at[i];
    l->at.replica_at[i] = other;
  }
}

static void draw_population(prism_rng_t *rng, prism_method_t method, int32_t n, int32_t k,
                            prism_saved_population_t *p) {
  const bool pool = method == PRISM_METHOD_POOL;
  p->live = true;
  p->members = (pool ? 2 : 1) + below(rng, 5);
  p->length = 1 + below(rng, 1000000);
  if (method == PRISM_METHOD_TEMPERING) draw_ladder(rng, n, k, p);
  p->visitors = pool ? below(rng, p->members + 1) : 0;
  p->has_best = below(rng, 4) > 0;
  p->wanted = p->members + below(rng, 3);
  p->number = below(rng, 8);
  p->layout = prism_rng_next(rng);
  p->generation = prism_rng_next(rng);
  p->moves = prism_rng_next(rng);
  p->length_given = flip(rng);
  p->size_given = flip(rng);
  p->enlarged = flip(rng);
  p->tournament = 1 + below(rng, PRISM_GPU_TOURNAMENT);
  p->tournament_given = flip(rng);
  p->tenure_base = 10.0f * (float)prism_rng_uniform(rng);
  p->tenure_slope = (float)prism_rng_uniform(rng);
  p->fresh = flip(rng);
  p->inherited = flip(rng);
  p->progress = (prism_population_progress_t){.generations = below(rng, 1000),
                                              .distance = prism_rng_uniform(rng),
                                              .least_distance = prism_rng_uniform(rng),
                                              .least_f = below(rng, 100),
                                              .since = below(rng, 31)};
  if (!pool) return;
  p->deme_size = below(rng, 60);
  p->demes = p->members < 4 ? 0 : 2 * below(rng, 2);
  p->ended = (uint32_t)prism_rng_next(rng);
  p->round = (uint32_t)prism_rng_next(rng);
  p->least = below(rng, 1000);
  p->apart_ended = (uint32_t)prism_rng_next(rng);
  p->apart_round = (uint32_t)prism_rng_next(rng);
  p->lengths = (prism_lengths_t){below(rng, 1000), below(rng, 1000)};
  must_be(PRISM_ALLOC(p->demes, &p->deme));
  for (int32_t d = 0; d < p->demes; ++d)
    p->deme[d] = (prism_gpu_deme_t){.distance = (float)prism_rng_uniform(rng),
                                    .least_distance = (float)prism_rng_uniform(rng),
                                    .least_f = below(rng, 100),
                                    .age = below(rng, 1000),
                                    .since = below(rng, 61),
                                    .tournament = below(rng, PRISM_GPU_TOURNAMENT + 1)};
}

static void draw_code(prism_rng_t *rng, const prism_graph_t *g, scene_t *s) {
  static int32_t weight[MAX_ARCS];
  prism_saved_island_t *saved = &s->saved;
  const prism_saved_population_t *p = &saved->population[PRISM_METHOD_WEIGHTED];
  const int kind = below(rng, 4);
  saved->weights = kind == 0                ? PRISM_SAVED_WEIGHTS_LEFT_OUT
                   : p->live || kind == 1 ? PRISM_SAVED_WEIGHTS
                                            : PRISM_SAVED_NO_WEIGHTS;
  if (saved->weights != PRISM_SAVED_WEIGHTS) return;
  saved->weights_members = p->live ? p->members : 1 + below(rng, 4);
  saved->weights_wide = flip(rng);
  for (int32_t i = 0; i < saved->weights_members; ++i) {
    draw_weights(rng, g, saved->weights_wide, 100, weight);
    prism_learned_encode(g, saved->weights_wide, weight, &s->code);
  }
}

static void draw_rows(prism_rng_t *rng, const prism_graph_t *g, scene_t *s) {
  int32_t color[MAX_N];
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    const prism_saved_population_t *p = &s->saved.population[m];
    const int32_t rows = p->live ? p->members + p->visitors + p->has_best : 0;
    for (int32_t i = p->first; i < p->first + rows; ++i) {
      for (int32_t v = 0; v < g->n; ++v) color[v] = below(rng, s->k);
      prism_view_lift(s->view, color, s->state.color + (size_t)i * (size_t)s->kernel->n);
      s->state.f[i] = prism_coloring_conflicts(g, color);
      s->state.method[i] = (uint8_t)m;
    }
  }
}

/* The bytes of what the scene holds. */
static void seal(scene_t *s) {
  prism_free(s->state.bytes);
  s->state.bytes = NULL;
  must_be(prism_saved_pack(&s->saved, &s->kind, s->kernel, s->view, s->k, &s->code,
                           &s->state.bytes, &s->state.size));
}

static void open_scene(prism_rng_t *rng, scene_t *s) {
  *s = (scene_t){.saved = {.guest_f = -1}};
  const int32_t n = 40 + below(rng, 60);
  const double p = flip(rng) ? 0.5 : 0.12; /* nothing, or some of it peels */
  s->kernel = oracle_random_graph(rng, n, p);
  s->k = below(rng, 5) == 0 ? 0 : p > 0.3 ? 4 + below(rng, 4) : 3;
  if (below(rng, 8) == 0) s->k = n; /* all of it */
  s->kind = (prism_saved_kind_t){.hooks = (uint8_t)below(rng, 16), .methods = gpu_methods,
                                 .share = prism_rng_uniform(rng), .device = prism_rng_next(rng)};
  if (s->k > 0) must_be(prism_view_create(s->kernel, s->k, &s->view));
  const prism_graph_t *g = s->view != NULL ? prism_view_graph(s->view) : NULL;
  prism_saved_island_t *saved = &s->saved;
  saved->made = 8 + below(rng, 8);
  saved->last = (prism_method_t)below(rng, PRISM_METHOD_COUNT);
  saved->stood_in = flip(rng);
  saved->incumbent = draw_starts(rng, 1, n);
  saved->founders = draw_starts(rng, 5, n);
  saved->seeded = saved->incumbent.count > 0 && flip(rng);
  if (g != NULL && flip(rng)) {
    saved->guest = draw_colors(rng, 1, g->n, s->k);
    saved->guest_f = (int32_t)prism_coloring_conflicts(g, saved->guest);
  }
  bool any = false;
  for (int m = 0; m < PRISM_METHOD_COUNT && g != NULL; ++m) {
    if ((gpu_methods & PRISM_METHOD_BIT(m)) == 0 || (flip(rng) && any)) continue;
    draw_population(rng, (prism_method_t)m, g->n, s->k, &saved->population[m]);
    any = true;
  }
  const bool peels = s->k > 0 && g == NULL;
  must_be(prism_island_state_init(&s->state, n, peels ? 1 : prism_saved_rows(saved), 0));
  s->state.k = s->k;
  if (g != NULL) {
    draw_code(rng, g, s);
    draw_rows(rng, g, s);
  }
  if (peels) prism_view_lift(s->view, NULL, s->state.color);
  s->state.version = PRISM_SAVED_VERSION;
  strcpy(s->state.engine, prism_saved_engine);
  seal(s);
  must_be(prism_island_state_check(&s->state, n));
}

static void close_scene(scene_t *s) {
  prism_saved_release(&s->saved);
  prism_pack_release(&s->code);
  prism_island_state_release(&s->state);
  prism_view_destroy(&s->view);
  prism_graph_destroy(&s->kernel);
}

static prism_status_t take(const scene_t *s, prism_saved_island_t *back, bool *fits) {
  return prism_saved_unpack(&s->state, &s->kind, s->kernel, false, back, fits);
}

/* What was read says the same in the same bytes; what is not in these, the places of rows, is
 * the same too. */
static void check_same(const scene_t *s, prism_saved_island_t *back) {
  const size_t at = s->state.size - 8 - s->code.size; /* only what follows is not read back */
  uint8_t *bytes = NULL;
  size_t size = 0;
  must_be(prism_saved_pack(back, &s->kind, s->kernel, back->view, s->k, &s->code, &bytes, &size));
  assert_int_equal(size, s->state.size);
  assert_memory_equal(bytes, s->state.bytes, size);
  if (back->weights == PRISM_SAVED_WEIGHTS) assert_int_equal(back->weights_code.at, at);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    assert_int_equal(back->population[m].first, s->saved.population[m].first);
  prism_free(bytes);
}

static void islands_come_back(void **state) {
  (void)state;
  int lives[PRISM_METHOD_COUNT] = {0}, guests = 0, peeled = 0, weights[3] = {0};
  for (uint64_t round = 0; round < 400; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, round, 10, PRISM_RNG_TEST);
    scene_t s;
    prism_saved_island_t back;
    bool fits = false;
    open_scene(&rng, &s);
    must_be(take(&s, &back, &fits));
    assert_true(fits);
    assert_int_equal(back.view != NULL, s.view != NULL);
    check_same(&s, &back);
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m) lives[m] += back.population[m].live;
    guests += back.guest_f >= 0;
    peeled += s.view != NULL && prism_view_graph(s.view) == NULL;
    ++weights[back.weights];
    prism_saved_release(&back);
    close_scene(&s);
  }
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    assert_int_equal(lives[m] > 0, (gpu_methods & PRISM_METHOD_BIT(m)) != 0);
  assert_true(guests > 0 && peeled > 0 && weights[0] > 0 && weights[1] > 0 && weights[2] > 0);
}

/* Other hooks, methods, another share or device, another part of the graph. */
static void other_kinds_are_told_apart(void **state) {
  (void)state;
  for (uint64_t round = 0; round < 60; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, round, 11, PRISM_RNG_TEST);
    scene_t s;
    prism_saved_island_t back;
    open_scene(&rng, &s);
    for (int which = 0; which < 5; ++which) {
      bool fits = true;
      prism_saved_kind_t kind = s.kind;
      if (which == 0) kind.hooks ^= 4;
      if (which == 1) kind.methods ^= PRISM_METHOD_BIT(PRISM_METHOD_TEMPERING);
      if (which == 2) kind.share *= 0.5;
      if (which == 3) kind.device += 1;
      const prism_graph_t *g = s.view != NULL ? prism_view_graph(s.view) : NULL;
      const bool whole = which == 4 && s.view != NULL && (g == NULL || g->n < s.kernel->n);
      if (which == 4 && !whole) continue;
      must_be(prism_saved_unpack(&s.state, &kind, s.kernel, whole, &back, &fits));
      assert_false(fits);
      prism_saved_release(&back);
    }
    close_scene(&s);
  }
}

/* ---- damage ---- */

/* Every number is one that the engine can work with. */
static void check_numbers(const scene_t *s, const prism_saved_island_t *back) {
  int32_t rows = 0;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    const prism_saved_population_t *p = &back->population[m];
    if (!p->live) continue;
    assert_true((s->kind.methods & PRISM_METHOD_BIT(m)) != 0);
    assert_true(p->members >= (m == PRISM_METHOD_POOL ? 2 : 1) && p->visitors >= 0);
    assert_true(p->visitors <= p->members && p->wanted >= p->members);
    assert_int_equal(p->first, rows);
    rows += p->members + p->visitors + p->has_best;
    assert_true(p->length >= 1 && p->number >= 0 && p->number <= back->made);
    assert_in_range(p->tournament, 1, PRISM_GPU_TOURNAMENT);
    assert_true(p->tenure_base >= 0.0f && p->tenure_slope >= 0.0f);
    assert_true(p->progress.distance >= 0.0 && p->progress.distance <= 1.0);
    assert_true(p->demes != 1 && p->demes <= p->members / 2 && p->deme_size >= 0);
    for (int32_t d = 0; d < p->demes; ++d)
      assert_true(p->deme[d].distance >= 0.0f && p->deme[d].distance <= 1.0f &&
                  p->deme[d].tournament <= PRISM_GPU_TOURNAMENT && p->deme[d].age >= 0);
    if (m != PRISM_METHOD_TEMPERING) {
      assert_true(p->length <= UINT32_MAX);
      continue;
    }
    const prism_saved_ladder_t *l = &p->ladder;
    assert_int_equal(p->members % l->ladder.levels, 0);
    assert_int_equal(p->length, (int64_t)l->rounds * l->ladder.sweeps *
                                    prism_view_graph(back->view)->n);
    for (int32_t i = 0; i < p->members; ++i)
      assert_int_equal(l->at.replica_at[i] / l->ladder.levels, i / l->ladder.levels);
  }
  assert_true(rows == s->state.rows || (rows == 0 && prism_view_graph(back->view) == NULL));
  assert_in_range(back->last, 0, PRISM_METHOD_COUNT - 1);
  assert_true(!back->seeded || back->incumbent.count == 1);
}

/* Random changes under a checksum that fits. */
static void lies_do_no_harm(void **state) {
  (void)state;
  int refused = 0, believed = 0, strange = 0;
  for (uint64_t round = 0; round < 4000; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, round, 12, PRISM_RNG_TEST);
    scene_t s;
    prism_saved_island_t back;
    bool fits = false;
    open_scene(&rng, &s);
    size_t keep = s.state.size - 8;
    prism_pack_t pack = {.data = NULL};
    for (int i = below(&rng, 4) + 1; i > 0; --i)
      s.state.bytes[prism_rng_below(&rng, (uint32_t)keep)] ^=
          (uint8_t)(1u << prism_rng_below(&rng, 8));
    if (round % 8 == 0) keep = prism_rng_below(&rng, (uint32_t)keep);
    prism_pack_bytes(&pack, s.state.bytes, keep);
    prism_free(s.state.bytes);
    must_be(prism_pack_finish(&pack, &s.state.bytes, &s.state.size));
    prism_status_t status = take(&s, &back, &fits);
    assert_true(status == PRISM_OK || status == PRISM_FORMAT);
    refused += status != PRISM_OK;
    strange += status == PRISM_OK && !fits;
    believed += status == PRISM_OK && fits;
    if (status == PRISM_OK && fits) check_numbers(&s, &back);
    prism_saved_release(&back);
    close_scene(&s);
  }
  print_message("%d refused, %d of another kind, %d believed\n", refused, strange, believed);
  assert_true(refused > 100 && strange > 10 && believed > 100);
}

static void refused(const scene_t *s) {
  prism_saved_island_t back;
  bool fits = false;
  assert_int_equal(take(s, &back, &fits), PRISM_FORMAT);
  prism_saved_release(&back);
}

/* Without the checksum's consent nothing is believed, and rows are looked at too. */
static void damage_is_refused(void **state) {
  (void)state;
  for (uint64_t round = 0; round < 40; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, round, 13, PRISM_RNG_TEST);
    scene_t s;
    prism_saved_island_t back;
    bool fits = false;
    open_scene(&rng, &s);
    const size_t size = s.state.size;
    for (int i = 0; i < 20; ++i) {
      const size_t at = prism_rng_below(&rng, (uint32_t)size);
      const uint8_t kept = s.state.bytes[at];
      s.state.bytes[at] ^= (uint8_t)(1 + prism_rng_below(&rng, 255));
      refused(&s);
      s.state.bytes[at] = kept;
      s.state.size = at;
      refused(&s);
      s.state.size = size;
    }
    const prism_graph_t *g = s.view != NULL ? prism_view_graph(s.view) : NULL;
    for (int i = 0; i < 10 && g != NULL; ++i) {
      const int32_t row = below(&rng, s.state.rows), v = prism_view_map(s.view)[below(&rng, g->n)];
      int32_t *color = s.state.color + (size_t)row * (size_t)s.kernel->n + v, kept = *color;
      *color = -1; /* which no GPU island has */
      refused(&s);
      *color = kept;
      s.state.f[row] += 1;
      refused(&s);
      s.state.f[row] -= 1;
      s.state.method[row] = (uint8_t)((s.state.method[row] + 1) % PRISM_METHOD_COUNT);
      refused(&s);
      s.state.method[row] =
          (uint8_t)((s.state.method[row] + PRISM_METHOD_COUNT - 1) % PRISM_METHOD_COUNT);
    }
    if (g != NULL) {
      s.state.rows -= 1;
      refused(&s);
      s.state.rows += 1;
    }
    must_be(take(&s, &back, &fits)); /* all damage was mended */
    assert_true(fits);
    prism_saved_release(&back);
    close_scene(&s);
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_come_back),
      cmocka_unit_test(odd_weights_are_noticed),
      cmocka_unit_test(heavy_weights_are_refused),
      cmocka_unit_test(islands_come_back),
      cmocka_unit_test(other_kinds_are_told_apart),
      cmocka_unit_test(lies_do_no_harm),
      cmocka_unit_test(damage_is_refused),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
