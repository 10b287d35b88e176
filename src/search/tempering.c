#include "search/tempering.h"

#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "model/coloring.h"

enum { LANES = 32 };  /* of the order of colours in a draw: the width of a GPU warp */
enum { LOOK = 256 };  /* updates between looks at the stop flag */
static const int64_t most_vertices = INT64_C(1) << 26; /* 24 bits of draws, four words each */
static const size_t most_table_bytes = (size_t)1 << 28;

/* ---- begin and end ---- */

/* A table pays where a vertex has more neighbours than a few cache lines of counts. */
static bool table_pays(const prism_tempering_t *t) {
  const prism_graph_t *g = t->problem->graph;
  size_t cells = (size_t)t->replicas * (size_t)t->n * (size_t)t->stride;
  return t->problem->max_degree <= UINT16_MAX && cells <= most_table_bytes / sizeof *t->gamma &&
         2 * g->m / t->n >= t->k / 4;
}

static prism_status_t allocate(prism_tempering_t *t) {
  size_t cells = (size_t)t->replicas * (size_t)t->n;
  size_t weights = (size_t)t->replicas * PRISM_LADDER_WEIGHTS;
  PRISM_TRY(PRISM_ALLOC(weights, &t->weight));
  PRISM_TRY(PRISM_ALLOC(t->replicas - 1, &t->factor));
  PRISM_TRY(PRISM_ALLOC(t->replicas, &t->level_of));
  PRISM_TRY(PRISM_ALLOC(t->replicas, &t->replica_at));
  PRISM_TRY(PRISM_ALLOC_ZERO(t->replicas - 1, &t->attempts));
  PRISM_TRY(PRISM_ALLOC_ZERO(t->replicas - 1, &t->accepted));
  PRISM_TRY(PRISM_ALLOC(cells, &t->color));
  PRISM_TRY(PRISM_ALLOC(t->replicas, &t->f));
  PRISM_TRY(PRISM_ALLOC(t->k, &t->count));
  PRISM_TRY(PRISM_ALLOC(t->k, &t->share));
  PRISM_TRY(PRISM_ALLOC(t->n, &t->best_color));
  if (table_pays(t))
    PRISM_TRY(PRISM_ALLOC_ZERO(cells * (size_t)t->stride, &t->gamma));
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i)
    if (t->hooks != NULL && t->hooks->counters)
      PRISM_TRY(PRISM_ALLOC_ZERO(t->n, &t->counter[i]));
  return PRISM_OK;
}

static void make_tables(prism_tempering_t *t) {
  for (int32_t i = 0; i < t->replicas; ++i)
    prism_ladder_weights(t->ladder.temperature[i], t->k,
                         t->weight + (size_t)i * PRISM_LADDER_WEIGHTS);
  prism_ladder_factors(&t->ladder, t->factor);
}

/* Counts of one replica's neighbours, in a table that is all zero. */
static void fill_table(const prism_tempering_t *t, const int32_t *color, uint16_t *table) {
  const prism_graph_t *g = t->problem->graph;
  for (int32_t v = 0; v < t->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      ++table[(size_t)v * (size_t)t->stride + (size_t)color[g->neighbor[e]]];
}

static void start(prism_tempering_t *t, const int32_t *color) {
  size_t row = (size_t)t->n, table = row * (size_t)t->stride;
  for (int32_t r = 0; r < t->replicas; ++r) {
    memcpy(t->color + (size_t)r * row, color, row * sizeof *color);
    t->level_of[r] = t->replica_at[r] = r;
  }
  if (t->gamma != NULL) {
    fill_table(t, color, t->gamma);
    for (int32_t r = 1; r < t->replicas; ++r)
      memcpy(t->gamma + (size_t)r * table, t->gamma, table * sizeof *t->gamma);
  }
  memcpy(t->best_color, color, row * sizeof *color);
  t->best_f = t->least_f = prism_coloring_conflicts(t->problem->graph, color);
  for (int32_t r = 0; r < t->replicas; ++r) t->f[r] = t->best_f;
}

void prism_tempering_recount(prism_tempering_t *t) {
  size_t row = (size_t)t->n, table = row * (size_t)t->stride;
  make_tables(t);
  if (t->gamma != NULL) memset(t->gamma, 0, (size_t)t->replicas * table * sizeof *t->gamma);
  for (int32_t r = 0; r < t->replicas; ++r) {
    const int32_t *color = t->color + (size_t)r * row;
    t->f[r] = prism_coloring_conflicts(t->problem->graph, color);
    if (t->gamma != NULL) fill_table(t, color, t->gamma + (size_t)r * table);
  }
  t->best_f = prism_coloring_conflicts(t->problem->graph, t->best_color);
  t->best_pending = false;
}

prism_status_t prism_tempering_create(const prism_tempering_setup_t *setup, const int32_t *color,
                                      prism_tempering_t **out) {
  if (setup->problem->n > most_vertices)
    PRISM_FAIL(PRISM_UNSUPPORTED, "tempering of more than %lld vertices",
               (long long)most_vertices);
  prism_tempering_t *t = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &t));
  t->problem = setup->problem;
  t->hooks = setup->hooks;
  t->n = setup->problem->n;
  t->k = setup->k;
  t->stride = (setup->k + 15) / 16 * 16;
  t->seed = setup->seed;
  t->individual = setup->individual;
  t->base = setup->base;
  prism_status_t status = PRISM_OK;
  if (setup->resumed != NULL) {
    t->ladder = *setup->resumed;
    *setup->resumed = (prism_ladder_t){0};
  } else {
    status = prism_ladder_init(&t->ladder, setup->ladder, t->n, t->k);
  }
  t->replicas = t->ladder.levels;
  if (status == PRISM_OK) status = allocate(t);
  if (status != PRISM_OK) {
    prism_tempering_destroy(&t);
    return status;
  }
  make_tables(t);
  start(t, color);
  *out = t;
  return PRISM_OK;
}

void prism_tempering_destroy(prism_tempering_t **tempering) {
  prism_tempering_t *t = *tempering;
  if (t == NULL) return;
  prism_ladder_release(&t->ladder);
  void *blocks[] = {t->weight, t->factor, t->level_of, t->replica_at, t->attempts,
                    t->accepted, t->color, t->f, t->gamma, t->count, t->share, t->best_color};
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; ++i) prism_free(blocks[i]);
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) prism_free(t->counter[i]);
  prism_free(t);
  *tempering = NULL;
}

/* ---- one update ---- */

/* The replica in hand, with what a sweep of it needs. */
typedef struct sweeper {
  prism_tempering_t *t;
  int32_t *color;
  uint16_t *gamma;        /* NULL: counted anew */
  const uint32_t *weight; /* of its level */
} sweeper_t;

/* Weights of the colours from their counts; returns the sum. */
static uint32_t weigh_row(const uint16_t *row, int32_t k, const uint32_t *weight,
                          uint32_t *share) {
  uint32_t least = row[0], sum = 0;
  for (int32_t c = 1; c < k; ++c) least = row[c] < least ? row[c] : least;
  for (int32_t c = 0; c < k; ++c) {
    share[c] = prism_ladder_weight(weight, row[c] - least);
    sum += share[c];
  }
  return sum;
}

static uint32_t weigh_counts(const sweeper_t *s, int32_t v) {
  const prism_graph_t *g = s->t->problem->graph;
  uint32_t *count = s->t->count, *share = s->t->share;
  int32_t k = s->t->k;
  memset(count, 0, (size_t)k * sizeof *count);
  for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) ++count[s->color[g->neighbor[e]]];
  uint32_t least = count[0], sum = 0;
  for (int32_t c = 1; c < k; ++c) least = count[c] < least ? count[c] : least;
  for (int32_t c = 0; c < k; ++c) {
    share[c] = prism_ladder_weight(s->weight, count[c] - least);
    sum += share[c];
  }
  return sum;
}

/* The colour at which the running sum passes `at`, in the order of the lanes. */
static int32_t draw(const uint32_t *share, int32_t k, uint32_t at) {
  for (int32_t lane = 0; lane < LANES; ++lane)
    for (int32_t c = lane; c < k; c += LANES) {
      if (at < share[c]) return c;
      at -= share[c];
    }
  return 0; /* not reached: `at` is less than the sum */
}

static void keep_best(const sweeper_t *s) {
  prism_tempering_t *t = s->t;
  if (!t->best_pending) return;
  memcpy(t->best_color, s->color, (size_t)t->n * sizeof *s->color);
  t->best_pending = false;
}

static void recolor(const sweeper_t *s, int32_t v, int32_t to, int64_t delta) {
  prism_tempering_t *t = s->t;
  const prism_graph_t *g = t->problem->graph;
  int32_t from = s->color[v];
  if (delta >= 0) keep_best(s);
  s->color[v] = to;
  if (s->gamma != NULL)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      uint16_t *row = s->gamma + (size_t)g->neighbor[e] * (size_t)t->stride;
      --row[from];
      ++row[to];
    }
  int64_t f = t->f[t->replica] += delta;
  if (f < t->least_f) t->least_f = f;
  if (f < t->best_f) {
    t->best_f = f;
    t->best_pending = true;
  }
}

/* A vertex is looked at when its turn comes: in conflict then, it counts as in conflict
 * since its last turn, n updates ago. */
static void count_conflict(prism_tempering_t *t, int32_t v, uint32_t conflicts) {
  if (conflicts == 0) return;
  bool first = t->round == 0 && t->sweep == 0;
  t->counter[PRISM_COUNTER_conflict_time][v] += (uint32_t)(first ? v : t->n);
}

static void update(const sweeper_t *s, int32_t v, uint32_t random) {
  prism_tempering_t *t = s->t;
  int32_t from = s->color[v];
  const uint16_t *row = s->gamma == NULL ? NULL : s->gamma + (size_t)v * (size_t)t->stride;
  uint32_t sum = row != NULL ? weigh_row(row, t->k, s->weight, t->share) : weigh_counts(s, v);
  int64_t own = row != NULL ? row[from] : t->count[from];
  if (t->counter[0] != NULL) count_conflict(t, v, (uint32_t)own);
  if (t->hooks != NULL && t->hooks->frozen != NULL && prism_bitset_has(t->hooks->frozen, v))
    return;
  int32_t to = draw(t->share, t->k, (uint32_t)(((uint64_t)random * sum) >> 32));
  if (to == from) return;
  int64_t other = row != NULL ? row[to] : t->count[to];
  if (t->counter[0] != NULL) ++t->counter[PRISM_COUNTER_color_changes][v];
  recolor(s, v, to, other - own);
}

/* ---- rounds ---- */

/* Neighbouring levels exchange their replicas: even and odd pairs by turns. */
static void exchange(prism_tempering_t *t) {
  for (int32_t i = (int32_t)(t->round & 1); i + 1 < t->replicas; i += 2) {
    int32_t cold = t->replica_at[i], hot = t->replica_at[i + 1];
    uint64_t random =
        prism_swap_number(t->seed, t->base + t->round, (uint32_t)i, t->individual, 0);
    ++t->attempts[i];
    if (!prism_ladder_accepts(t->factor[i], t->f[cold], t->f[hot], random)) continue;
    ++t->accepted[i];
    t->replica_at[i] = hot;
    t->replica_at[i + 1] = cold;
    t->level_of[hot] = i;
    t->level_of[cold] = i + 1;
  }
}

static void end_round(prism_tempering_t *t) {
  exchange(t);
  ++t->round;
  if (t->round % PRISM_LADDER_WINDOW != 0) return;
  t->swap_rate = prism_ladder_share(&t->ladder, t->attempts, t->accepted);
  if (t->ladder.frozen) return;
  if (prism_ladder_tune(&t->ladder, t->attempts, t->accepted)) make_tables(t);
  size_t bytes = (size_t)(t->replicas - 1) * sizeof *t->attempts;
  memset(t->attempts, 0, bytes);
  memset(t->accepted, 0, bytes);
}

static sweeper_t sweeper_of(prism_tempering_t *t) {
  size_t r = (size_t)t->replica, n = (size_t)t->n;
  return (sweeper_t){.t = t, .color = t->color + r * n,
                     .gamma = t->gamma == NULL ? NULL : t->gamma + r * n * (size_t)t->stride,
                     .weight = t->weight + (size_t)t->level_of[r] * PRISM_LADDER_WEIGHTS};
}

/* Updates of the present sweep up to vertex `end`, or to f = 0. */
static void sweep_to(const sweeper_t *s, int32_t end, bool until_legal) {
  prism_tempering_t *t = s->t;
  uint64_t sweep = t->base + t->round * (uint64_t)t->ladder.sweeps + (uint64_t)t->sweep;
  prism_rng_block_t block = {{0, 0, 0, 0}};
  int32_t ready = -1;
  while (t->vertex < end && !(until_legal && t->best_f == 0)) {
    int32_t v = t->vertex++;
    if (v >> 2 != ready) {
      ready = v >> 2;
      block = prism_sweep_block(t->seed, sweep, v, t->individual, (uint32_t)t->replica);
    }
    update(s, v, block.word[v & 3]);
  }
}

/* The sweep is over: on to the next one, replica or round. */
static void end_sweep(prism_tempering_t *t) {
  t->vertex = 0;
  if (++t->sweep < t->ladder.sweeps) return;
  t->sweep = 0;
  if (++t->replica < t->replicas) return;
  t->replica = 0;
  end_round(t);
}

prism_status_t prism_tempering_run(prism_tempering_t *t, int64_t iterations, bool until_legal,
                                   const atomic_bool *stop, int64_t *used) {
  int64_t left = iterations;
  while (left > 0 && !(until_legal && t->best_f == 0) &&
         !(stop != NULL && atomic_load_explicit(stop, memory_order_relaxed))) {
    sweeper_t s = sweeper_of(t);
    if (t->f[t->replica] < t->least_f) t->least_f = t->f[t->replica];
    int32_t from = t->vertex, end = t->n - from < LOOK ? t->n : from + LOOK;
    if (end - from > left) end = from + (int32_t)left;
    sweep_to(&s, end, until_legal);
    left -= t->vertex - from;
    keep_best(&s);
    if (t->vertex == t->n) end_sweep(t);
  }
  *used = iterations - left;
  return PRISM_OK;
}
