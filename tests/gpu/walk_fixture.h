/* Follows a search on the device step by step and judges every move by brute force. Tabus
 * last for exactly the next move (tenure base 1, slope 0), so that what is allowed is
 * known; graphs are so small that every conflicting vertex has a lane. */
#ifndef PRISM_TESTS_WALK_FIXTURE_H
#define PRISM_TESTS_WALK_FIXTURE_H

#include "gpu/tabucol_fixture.h"

enum { WALK_N = 128, WALK_LIMIT = 32000 };

typedef struct walk {
  trial_t *trial;
  int32_t n, k;
  const bool *frozen; /* [n] or NULL */
  const float *score; /* [n] or NULL */
  bool all_frozen[WALK_N];
  float all_scores[WALK_N];
  int32_t weight[WALK_N][WALK_N]; /* 0: no edge */
  int32_t color[WALK_N];
  int32_t f, best_f;
  int32_t banned, banned_color;   /* the one tabu pair; -1: none */
  bool full;                      /* the weights are about to be halved */
  uint32_t counter[PRISM_COUNTER_COUNT][WALK_N];
  int32_t moves, raises, halvings;
} walk_t;

static inline int32_t walk_cost(const walk_t *w, int32_t v, int32_t c) {
  int32_t cost = 0;
  for (int32_t u = 0; u < w->n; ++u)
    if (w->color[u] == c) cost += w->weight[v][u];
  return cost;
}

static inline bool walk_movable(const walk_t *w, int32_t v) {
  return (w->frozen == NULL || !w->frozen[v]) && walk_cost(w, v, w->color[v]) > 0;
}

/* Is the sum of the weights around some vertex too large? */
static inline bool walk_full(const walk_t *w) {
  bool full = false;
  for (int32_t v = 0; v < w->n; ++v) {
    int32_t sum = 0;
    for (int32_t u = 0; u < w->n; ++u) sum += w->weight[v][u];
    full |= sum > WALK_LIMIT;
  }
  return full;
}

static inline void walk_open(walk_t *w, trial_t *trial, const int32_t *edge_weight) {
  memset(w, 0, sizeof *w);
  const prism_graph_t *graph = trial->graph;
  w->trial = trial;
  w->n = graph->n;
  w->k = trial->k;
  for (int32_t v = 0; v < w->n; ++v)
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
      w->weight[v][graph->neighbor[e]] = edge_weight != NULL ? edge_weight[e] : 1;
  trial->job.tenure_base = 1.0f;
  trial->job.tenure_slope = 0.0f;
  pool_get(&trial->job.start, 0, w->color);
  w->f = w->best_f = trial->start_f[0];
  w->banned = -1;
  w->full = walk_full(w);
}

/* Hooks drawn at random; which, say the bits of `hooks`: 1 frozen, 2 scores, 4 counters. */
static inline void walk_hooks(walk_t *w, prism_rng_t *rng, int hooks) {
  for (int32_t v = 0; v < w->n; ++v) {
    w->all_frozen[v] = prism_rng_below(rng, 4) == 0;
    w->all_scores[v] = (float)prism_rng_below(rng, 3) - 1.0f;
  }
  if ((hooks & 1) != 0) trial_freeze(w->trial, w->frozen = w->all_frozen);
  if ((hooks & 2) != 0) {
    w->score = w->all_scores;
    w->trial->job.hooks.score = device_copy(w->score, sizeof w->all_scores);
  }
  if ((hooks & 4) != 0) trial_count(w->trial);
}

static inline void walk_raise(walk_t *w) {
  ++w->raises;
  for (int32_t v = 0; v < w->n; ++v)
    for (int32_t u = 0; u < w->n; ++u) {
      bool fixed = w->frozen != NULL && w->frozen[v] && w->frozen[u];
      if (w->weight[v][u] > 0 && w->color[v] == w->color[u] && !fixed) ++w->weight[v][u];
    }
  w->full = walk_full(w);
}

static inline void walk_halve(walk_t *w) {
  ++w->halvings;
  w->full = false;
  w->banned = -1;
  for (int32_t v = 0; v < w->n; ++v)
    for (int32_t u = 0; u < w->n; ++u)
      if (w->weight[v][u] > 0) w->weight[v][u] = 1 + (w->weight[v][u] - 1) / 2;
}

/* The least delta of the moves that are open; the best score among them. Returns whether
 * there is any. */
static inline bool walk_least(const walk_t *w, int32_t *delta, float *score) {
  bool any = false;
  for (int32_t v = 0; v < w->n; ++v) {
    if (!walk_movable(w, v)) continue;
    int32_t own = walk_cost(w, v, w->color[v]);
    for (int32_t c = 0; c < w->k; ++c) {
      if (c == w->color[v]) continue;
      int32_t d = walk_cost(w, v, c) - own;
      bool tabu = v == w->banned && c == w->banned_color;
      if (tabu && (w->trial->weighted || w->f + d >= w->best_f)) continue;
      float s = w->score != NULL ? w->score[v] : 0.0f;
      if (any && (d > *delta || (d == *delta && s <= *score))) continue;
      any = true;
      *delta = d;
      *score = s;
    }
  }
  return any;
}

/* 1 where the one tabu colour hides a smaller count than all allowed ones. */
static inline uint32_t walk_hits(const walk_t *w, int32_t v, int32_t to) {
  if (v != w->banned || w->banned_color == to) return 0;
  int32_t least = INT32_MAX;
  for (int32_t c = 0; c < w->k; ++c)
    if (c != w->color[v] && c != w->banned_color && walk_cost(w, v, c) < least)
      least = walk_cost(w, v, c);
  return walk_cost(w, v, w->banned_color) < least;
}

/* The search made one more iteration, to the colours `next`. */
static inline void walk_step(walk_t *w, const int32_t *next) {
  int32_t moved = -1, delta = 0;
  float score = 0.0f;
  for (int32_t v = 0; v < w->n; ++v) {
    if (next[v] == w->color[v]) continue;
    assert_int_equal(moved, -1);
    moved = v;
  }
  bool movable = false;
  for (int32_t v = 0; v < w->n; ++v) {
    w->counter[PRISM_COUNTER_conflict_time][v] += walk_movable(w, v);
    movable |= walk_movable(w, v);
  }
  if (w->full) {
    assert_int_equal(moved, -1);
    walk_halve(w);
    return;
  }
  bool any = walk_least(w, &delta, &score);
  assert_int_equal(any, moved >= 0);
  if (any) {
    assert_true(walk_movable(w, moved));
    int32_t to = next[moved];
    assert_int_equal(walk_cost(w, moved, to) - walk_cost(w, moved, w->color[moved]), delta);
    if (w->score != NULL) assert_true(w->score[moved] == score);
    ++w->counter[PRISM_COUNTER_color_changes][moved];
    w->counter[PRISM_COUNTER_tabu_hits][moved] += walk_hits(w, moved, to);
    ++w->moves;
  }
  if (w->trial->weighted && movable && (!any || delta >= 0)) walk_raise(w);
  w->banned = moved;
  w->banned_color = moved >= 0 ? w->color[moved] : -1;
  memcpy(w->color, next, (size_t)w->n * sizeof *next);
  w->f = (int32_t)prism_coloring_conflicts(w->trial->graph, w->color);
  if (w->f < w->best_f) w->best_f = w->f;
}

/* The weights on the device are those of the walk. */
static inline void walk_check_weights(const walk_t *w) {
  const prism_graph_t *graph = w->trial->graph;
  const size_t arcs = (size_t)graph->offset[graph->n];
  int32_t *device = device_bytes(arcs * sizeof *device), *weight = NULL;
  must(PRISM_ALLOC((int64_t)arcs + 1, &weight));
  must(prism_launch_read_weights(&w->trial->device, w->trial->weight, device, NULL));
  host_ints(device, weight, (int32_t)arcs);
  for (int32_t v = 0; v < w->n; ++v)
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
      assert_int_equal(weight[e], w->weight[v][graph->neighbor[e]]);
  prism_free(weight);
  must_cuda(cudaFree(device));
}

/* The counters on the device, set to 0 before the last run, are those of the walk. */
static inline void walk_check_counters(const walk_t *w) {
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) {
    int32_t count[WALK_N];
    host_ints((const int32_t *)w->trial->job.hooks.counter[i], count, w->n);
    for (int32_t v = 0; v < w->n; ++v) assert_int_equal(count[v], w->counter[i][v]);
  }
}

/* Follow the search of a trial for `steps` iterations, or until it is solved. */
static inline void walk_follow(walk_t *w, int32_t steps) {
  trial_t *t = w->trial;
  int32_t next[WALK_N];
  for (int32_t i = 1; i <= steps && w->f > 0; ++i) {
    for (int c = 0; c < PRISM_COUNTER_COUNT; ++c)
      if (t->job.hooks.counter[c] != NULL)
        must_cuda(cudaMemset(t->job.hooks.counter[c], 0, (size_t)w->n * sizeof(uint32_t)));
    trial_run(t, i, true);
    trial_check(t);
    trial_colors(t, &t->job.last, 0, next);
    walk_step(w, next);
    assert_int_equal(device_int(t->job.best.f), w->best_f);
    if (t->weighted) walk_check_weights(w);
    if (t->job.hooks.counter[0] != NULL) walk_check_counters(w);
  }
}

#endif
