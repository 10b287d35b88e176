#include "engine/saved.h"

#include "base/mem.h"
#include "engine/learned.h"
#include "model/coloring.h"

const char prism_saved_engine[] = "cuda";

static const char what[] = "the state of a GPU island";

enum { MOST_COLORS = 1 << 24, MOST_MEMBERS = 1 << 30, MOST_COUNT = 1 << 30 };
static const int64_t most_moves = INT64_C(1) << 60;
static const int64_t longest = UINT32_MAX; /* moves of a search: the kernels' counter */
static const double most_tenure = 1e9;

void prism_saved_release(prism_saved_island_t *saved) {
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    prism_saved_population_release(&saved->population[m]);
  prism_free(saved->incumbent.color);
  prism_free(saved->founders.color);
  prism_free(saved->guest);
  prism_view_destroy(&saved->view);
  *saved = (prism_saved_island_t){.guest_f = -1};
}

int32_t prism_saved_rows(prism_saved_island_t *saved) {
  int32_t rows = 0;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_saved_population_t *p = &saved->population[m];
    if (!p->live) continue;
    p->first = rows;
    rows += p->members + p->visitors + p->has_best;
  }
  return rows;
}

/* ---- writing ---- */

static void put_colors(const prism_colorings_t *colors, int32_t n, prism_pack_t *pack) {
  prism_pack_i32(pack, colors->count);
  prism_pack_i32(pack, colors->k);
  prism_pack_small(pack, colors->color, (size_t)colors->count * (size_t)n, colors->k);
}

static void put_ladder(const prism_saved_population_t *p, prism_pack_t *pack) {
  const prism_saved_ladder_t *l = &p->ladder;
  prism_ladder_pack(&l->ladder, pack);
  prism_pack_i32(pack, l->rounds);
  prism_pack_i32(pack, l->window);
  prism_pack_f64(pack, l->swap_rate);
  prism_pack_u64(pack, l->at.round);
  for (int32_t i = 0; i < 2 * (l->ladder.levels - 1); ++i) prism_pack_u32(pack, l->at.counts[i]);
  prism_pack_small(pack, l->at.replica_at, (size_t)p->members, p->members);
}

static void put_demes(const prism_saved_population_t *p, prism_pack_t *pack) {
  prism_pack_i32(pack, p->deme_size);
  prism_pack_i32(pack, p->demes);
  prism_pack_u32(pack, p->ended);
  prism_pack_u32(pack, p->round);
  prism_pack_u32(pack, p->apart_ended);
  prism_pack_u32(pack, p->apart_round);
  prism_pack_i64(pack, p->lengths.proven);
  prism_pack_i64(pack, p->lengths.longest);
  prism_pack_i32(pack, p->least);
  for (int32_t d = 0; d < p->demes; ++d) {
    prism_pack_f64(pack, (double)p->deme[d].distance);
    prism_pack_f64(pack, (double)p->deme[d].least_distance);
    prism_pack_i32(pack, p->deme[d].least_f);
    prism_pack_i32(pack, p->deme[d].age);
    prism_pack_i32(pack, p->deme[d].since);
    prism_pack_i32(pack, p->deme[d].tournament);
  }
}

static void put_population(const prism_saved_population_t *p, prism_method_t method,
                           prism_pack_t *pack) {
  prism_pack_bool(pack, p->live);
  if (!p->live) return;
  prism_pack_i32(pack, p->members);
  prism_pack_i32(pack, p->visitors);
  prism_pack_bool(pack, p->has_best);
  prism_pack_i32(pack, p->wanted);
  prism_pack_i64(pack, p->number);
  prism_pack_u64(pack, p->layout);
  prism_pack_u64(pack, p->generation);
  prism_pack_u64(pack, p->moves);
  prism_pack_i64(pack, p->length);
  prism_pack_bool(pack, p->length_given);
  prism_pack_bool(pack, p->size_given);
  prism_pack_bool(pack, p->enlarged);
  prism_pack_i32(pack, p->tournament);
  prism_pack_bool(pack, p->tournament_given);
  prism_pack_f64(pack, (double)p->tenure_base);
  prism_pack_f64(pack, (double)p->tenure_slope);
  prism_pack_bool(pack, p->fresh);
  prism_pack_bool(pack, p->inherited);
  prism_pack_i64(pack, p->progress.generations);
  prism_pack_f64(pack, p->progress.distance);
  prism_pack_f64(pack, p->progress.least_distance);
  prism_pack_i32(pack, p->progress.least_f);
  prism_pack_i32(pack, p->progress.since);
  if (method == PRISM_METHOD_POOL) put_demes(p, pack);
  if (method == PRISM_METHOD_TEMPERING) put_ladder(p, pack);
}

static const prism_graph_t *graph_of(const prism_view_t *view) {
  return view != NULL ? prism_view_graph(view) : NULL;
}

prism_status_t prism_saved_pack(const prism_saved_island_t *saved, const prism_saved_kind_t *kind,
                                const prism_graph_t *kernel, const prism_view_t *view, int32_t k,
                                const prism_pack_t *code, uint8_t **bytes, size_t *size) {
  const prism_graph_t *g = graph_of(view);
  prism_pack_t pack = {.data = NULL};
  prism_pack_u8(&pack, kind->hooks);
  prism_pack_u32(&pack, kind->methods);
  prism_pack_f64(&pack, kind->share);
  prism_pack_u64(&pack, kind->device);
  prism_pack_i32(&pack, g != NULL ? g->n : 0);
  prism_pack_i64(&pack, g != NULL ? g->m : 0);
  prism_pack_i64(&pack, saved->made);
  prism_pack_u8(&pack, (uint8_t)saved->last);
  prism_pack_bool(&pack, saved->seeded);
  prism_pack_bool(&pack, saved->stood_in);
  put_colors(&saved->incumbent, kernel->n, &pack);
  put_colors(&saved->founders, kernel->n, &pack);
  prism_pack_i32(&pack, saved->guest_f);
  if (saved->guest_f >= 0 && g != NULL) prism_pack_small(&pack, saved->guest, (size_t)g->n, k);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    put_population(&saved->population[m], (prism_method_t)m, &pack);
  prism_pack_u8(&pack, (uint8_t)saved->weights);
  if (saved->weights == PRISM_SAVED_WEIGHTS) {
    prism_pack_i32(&pack, saved->weights_members);
    prism_pack_bool(&pack, saved->weights_wide);
    prism_pack_bytes(&pack, code->data, code->size);
  }
  return prism_pack_finish(&pack, bytes, size);
}

/* ---- reading ---- */

/* A state while it is read. */
typedef struct reader {
  const prism_island_state_t *state;
  const prism_graph_t *kernel, *graph; /* graph: of the view; NULL: nothing to search */
  prism_unpack_t unpack;
  prism_saved_island_t *saved;
  int32_t rows; /* that have their place so far */
} reader_t;

static prism_status_t get_colors(reader_t *r, int32_t most, prism_colorings_t *colors) {
  prism_unpack_t *u = &r->unpack;
  colors->count = prism_unpack_count(u, most, (size_t)r->kernel->n);
  colors->k = prism_unpack_i32(u, colors->count > 0, colors->count > 0 ? MOST_COLORS : 0);
  const size_t cells = (size_t)colors->count * (size_t)r->kernel->n;
  PRISM_TRY(PRISM_ALLOC(cells, &colors->color));
  prism_unpack_small(u, colors->color, cells, colors->k);
  return PRISM_OK;
}

static prism_status_t get_island(reader_t *r) {
  prism_unpack_t *u = &r->unpack;
  prism_saved_island_t *saved = r->saved;
  saved->made = prism_unpack_i64(u, 0, most_moves);
  const uint8_t last = prism_unpack_u8(u);
  if (last >= PRISM_METHOD_COUNT) u->bad = true;
  saved->last = last < PRISM_METHOD_COUNT ? (prism_method_t)last : PRISM_METHOD_TABUCOL;
  saved->seeded = prism_unpack_bool(u);
  saved->stood_in = prism_unpack_bool(u);
  PRISM_TRY(get_colors(r, 1, &saved->incumbent));
  if (saved->seeded && saved->incumbent.count == 0) u->bad = true;
  return get_colors(r, PRISM_SAVED_STARTS, &saved->founders);
}

static prism_status_t get_guest(reader_t *r) {
  prism_unpack_t *u = &r->unpack;
  prism_saved_island_t *saved = r->saved;
  saved->guest_f = prism_unpack_i32(u, -1, r->graph != NULL ? INT32_MAX : -1);
  if (saved->guest_f < 0) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC(r->graph->n, &saved->guest));
  prism_unpack_small(u, saved->guest, (size_t)r->graph->n, r->state->k);
  if (!u->bad && prism_coloring_conflicts(r->graph, saved->guest) != saved->guest_f) u->bad = true;
  return PRISM_OK;
}

/* Does each ladder have each of its replicas on one level? */
static bool places_fit(const int32_t *replica_at, int32_t members, int32_t levels, bool *taken) {
  for (int32_t i = 0; i < members; ++i) {
    const int32_t replica = replica_at[i];
    if (replica / levels != i / levels || taken[replica]) return false;
    taken[replica] = true;
  }
  return true;
}

static prism_status_t get_places(reader_t *r, prism_saved_population_t *p) {
  prism_saved_ladder_t *l = &p->ladder;
  prism_unpack_t *u = &r->unpack;
  bool *taken = NULL;
  PRISM_TRY(PRISM_ALLOC(p->members, &l->at.replica_at));
  PRISM_TRY(PRISM_ALLOC_ZERO(p->members, &taken));
  prism_unpack_small(u, l->at.replica_at, (size_t)p->members, p->members);
  if (!places_fit(l->at.replica_at, p->members, l->ladder.levels, taken)) u->bad = true;
  prism_free(taken);
  return PRISM_OK;
}

static prism_status_t get_ladder(reader_t *r, prism_saved_population_t *p) {
  prism_saved_ladder_t *l = &p->ladder;
  prism_unpack_t *u = &r->unpack;
  const int32_t most = p->members < PRISM_LADDER_MOST ? p->members : PRISM_LADDER_MOST;
  PRISM_TRY(prism_ladder_unpack(u, most, &l->ladder));
  l->rounds = prism_unpack_i32(u, 1, PRISM_GPU_TEMPERING_ROUNDS);
  l->window = prism_unpack_i32(u, 0, PRISM_LADDER_WINDOW - 1);
  l->swap_rate = prism_unpack_f64(u, 0.0, 1.0);
  l->at.round = prism_unpack_u64(u);
  const int32_t counts = 2 * (l->ladder.levels - 1);
  PRISM_TRY(PRISM_ALLOC(counts, &l->at.counts));
  for (int32_t i = 0; i < counts; ++i) l->at.counts[i] = prism_unpack_u32(u);
  if (p->members % l->ladder.levels != 0 ||
      p->length != (int64_t)l->rounds * l->ladder.sweeps * r->graph->n)
    u->bad = true;
  return get_places(r, p);
}

static void get_numbers(prism_unpack_t *u, int64_t made, int64_t most_length,
                        prism_saved_population_t *p) {
  p->wanted = prism_unpack_i32(u, p->members, INT32_MAX);
  p->number = prism_unpack_i64(u, 0, made);
  p->layout = prism_unpack_u64(u);
  p->generation = prism_unpack_u64(u);
  p->moves = prism_unpack_u64(u);
  p->length = prism_unpack_i64(u, 1, most_length);
  p->length_given = prism_unpack_bool(u);
  p->size_given = prism_unpack_bool(u);
  p->enlarged = prism_unpack_bool(u);
  p->tournament = prism_unpack_i32(u, 1, PRISM_GPU_TOURNAMENT);
  p->tournament_given = prism_unpack_bool(u);
  p->tenure_base = (float)prism_unpack_f64(u, 0.0, most_tenure);
  p->tenure_slope = (float)prism_unpack_f64(u, 0.0, most_tenure);
  p->fresh = prism_unpack_bool(u);
  p->inherited = prism_unpack_bool(u);
  p->progress.generations = prism_unpack_i64(u, 0, most_moves);
  p->progress.distance = prism_unpack_f64(u, 0.0, 1.0);
  p->progress.least_distance = prism_unpack_f64(u, 0.0, 1.0);
  p->progress.least_f = prism_unpack_i32(u, 0, INT32_MAX);
  p->progress.since = prism_unpack_i32(u, 0, MOST_COUNT);
}

static prism_status_t get_demes(prism_unpack_t *u, prism_saved_population_t *p) {
  p->deme_size = prism_unpack_i32(u, 0, MOST_MEMBERS);
  p->demes = prism_unpack_i32(u, 0, p->members / 2);
  p->ended = prism_unpack_u32(u);
  p->round = prism_unpack_u32(u);
  p->apart_ended = prism_unpack_u32(u);
  p->apart_round = prism_unpack_u32(u);
  p->lengths.proven = prism_unpack_i64(u, 0, most_moves);
  p->lengths.longest = prism_unpack_i64(u, 0, most_moves);
  p->least = prism_unpack_i32(u, 0, INT32_MAX);
  if (p->demes == 1) u->bad = true;
  PRISM_TRY(PRISM_ALLOC_ZERO(p->demes, &p->deme));
  for (int32_t d = 0; d < p->demes; ++d) {
    p->deme[d].distance = (float)prism_unpack_f64(u, 0.0, 1.0);
    p->deme[d].least_distance = (float)prism_unpack_f64(u, 0.0, 1.0);
    p->deme[d].least_f = prism_unpack_i32(u, 0, INT32_MAX);
    p->deme[d].age = prism_unpack_i32(u, 0, INT32_MAX - 1);
    p->deme[d].since = prism_unpack_i32(u, 0, MOST_COUNT);
    p->deme[d].tournament = prism_unpack_i32(u, 0, PRISM_GPU_TOURNAMENT);
  }
  return PRISM_OK;
}

static prism_status_t get_population(reader_t *r, prism_method_t method, uint32_t methods) {
  prism_unpack_t *u = &r->unpack;
  prism_saved_population_t *p = &r->saved->population[method];
  if (!prism_unpack_bool(u)) return PRISM_OK;
  const bool pool = method == PRISM_METHOD_POOL;
  const int32_t least = pool ? 2 : 1;
  if (r->graph == NULL || (methods & PRISM_METHOD_BIT(method)) == 0 ||
      r->state->rows - r->rows < least) {
    u->bad = true;
    return PRISM_OK;
  }
  p->live = true;
  p->members = prism_unpack_i32(u, least, r->state->rows - r->rows);
  p->visitors = prism_unpack_i32(u, 0, pool ? p->members : 0);
  p->has_best = prism_unpack_bool(u);
  p->first = r->rows;
  if (p->visitors > r->state->rows - r->rows - p->members - p->has_best) {
    u->bad = true;
    return PRISM_OK;
  }
  r->rows += p->members + p->visitors + p->has_best;
  const bool tempers = method == PRISM_METHOD_TEMPERING;
  get_numbers(u, r->saved->made, tempers ? most_moves : longest, p);
  if (pool && !u->bad) PRISM_TRY(get_demes(u, p));
  return tempers && !u->bad ? get_ladder(r, p) : PRISM_OK;
}

/* Rows first .. last - 1: are they colorings of this method, complete, and is f true? */
static void check_rows(reader_t *r, prism_method_t method, int32_t first, int32_t last,
                       int32_t *color) {
  const prism_island_state_t *state = r->state;
  const int32_t *map = prism_view_map(r->saved->view);
  for (int32_t i = first; i < last && !r->unpack.bad; ++i) {
    const int32_t *row = state->color + (size_t)i * (size_t)state->n;
    bool complete = true;
    for (int32_t v = 0; v < r->graph->n; ++v) {
      color[v] = row[map[v]];
      complete = complete && color[v] >= 0;
    }
    if (!complete || state->method[i] != method || state->f[i] >= INT32_MAX ||
        prism_coloring_conflicts(r->graph, color) != state->f[i])
      r->unpack.bad = true;
  }
}

static prism_status_t get_populations(reader_t *r, uint32_t methods) {
  for (int m = 0; m < PRISM_METHOD_COUNT && !r->unpack.bad; ++m)
    PRISM_TRY(get_population(r, (prism_method_t)m, methods));
  /* A row of a graph without anything to search says nothing more. */
  const int32_t rows = r->graph == NULL && r->state->k > 0 ? 1 : r->rows;
  if (rows != r->state->rows) r->unpack.bad = true;
  if (r->unpack.bad || r->graph == NULL) return PRISM_OK;
  int32_t *color = NULL;
  PRISM_TRY(PRISM_ALLOC(r->graph->n, &color));
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    const prism_saved_population_t *p = &r->saved->population[m];
    if (p->live)
      check_rows(r, (prism_method_t)m, p->first,
                 p->first + p->members + p->visitors + p->has_best, color);
  }
  prism_free(color);
  return PRISM_OK;
}

/* Look through the weights of all individuals. */
static prism_status_t check_weights(reader_t *r) {
  int32_t *weight = NULL;
  r->saved->weights_code = r->unpack;
  PRISM_TRY(PRISM_ALLOC(2 * r->graph->m, &weight));
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < r->saved->weights_members && status == PRISM_OK && !r->unpack.bad; ++i)
    status = prism_learned_decode(r->graph, r->saved->weights_wide, &r->unpack, weight);
  prism_free(weight);
  return status;
}

static prism_status_t get_weights(reader_t *r) {
  prism_unpack_t *u = &r->unpack;
  prism_saved_island_t *saved = r->saved;
  const prism_saved_population_t *p = &saved->population[PRISM_METHOD_WEIGHTED];
  const uint8_t weights = prism_unpack_u8(u);
  if (weights > PRISM_SAVED_WEIGHTS_LEFT_OUT ||
      (weights == PRISM_SAVED_NO_WEIGHTS ? p->live : r->graph == NULL))
    u->bad = true;
  if (u->bad) return PRISM_OK;
  saved->weights = (prism_saved_weights_t)weights;
  if (saved->weights != PRISM_SAVED_WEIGHTS) return PRISM_OK;
  saved->weights_members = prism_unpack_count(u, MOST_MEMBERS, 1);
  saved->weights_wide = prism_unpack_bool(u);
  if (saved->weights_members < 1 || (p->live && saved->weights_members != p->members))
    u->bad = true;
  return u->bad ? PRISM_OK : check_weights(r);
}

/* What comes first: is the state of this kind of island? [out] the view that it is of */
static prism_status_t get_kind(reader_t *r, const prism_saved_kind_t *kind, bool whole,
                               bool *fits) {
  prism_unpack_t *u = &r->unpack;
  const uint8_t hooks = prism_unpack_u8(u);
  const uint32_t methods = prism_unpack_u32(u);
  const double share = prism_unpack_f64(u, 0.0, 1.0);
  const uint64_t device = prism_unpack_u64(u);
  const int32_t n = prism_unpack_i32(u, 0, r->kernel->n);
  const int64_t m = prism_unpack_i64(u, 0, r->kernel->m);
  const bool same_share = share <= kind->share && share >= kind->share;
  *fits = hooks == kind->hooks && methods == kind->methods && same_share &&
          device == kind->device;
  if (u->bad || !*fits || r->state->k == 0) return PRISM_OK;
  PRISM_TRY(prism_view_create(r->kernel, whole ? 0 : r->state->k, &r->saved->view));
  r->graph = prism_view_graph(r->saved->view);
  *fits = n == (r->graph != NULL ? r->graph->n : 0) && m == (r->graph != NULL ? r->graph->m : 0);
  return PRISM_OK;
}

prism_status_t prism_saved_unpack(const prism_island_state_t *state,
                                  const prism_saved_kind_t *kind, const prism_graph_t *kernel,
                                  bool whole, prism_saved_island_t *saved, bool *fits) {
  reader_t r = {.state = state, .kernel = kernel, .saved = saved};
  *saved = (prism_saved_island_t){.guest_f = -1};
  PRISM_TRY(prism_unpack_open(&r.unpack, state->bytes, state->size, what));
  PRISM_TRY(get_kind(&r, kind, whole, fits));
  if (!r.unpack.bad && !*fits) return PRISM_OK;
  if (!r.unpack.bad) PRISM_TRY(get_island(&r));
  if (!r.unpack.bad) PRISM_TRY(get_guest(&r));
  if (!r.unpack.bad) PRISM_TRY(get_populations(&r, kind->methods));
  if (!r.unpack.bad) PRISM_TRY(get_weights(&r));
  return prism_unpack_close(&r.unpack, what);
}
