#include "search/extraction.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "model/first_free.h"
#include "search/seeds.h"

/* By measurement (docs/EXPERIMENTS.md). */
static const double share_taken = 0.65; /* of the classes */
static const double beta = 1.35;
static const double hot = 0.2, cold = 0.05; /* temperatures in mean weights */
enum {
  FIRST_EFFORT = 64,
  LONGER = 4,      /* times the effort in the next attempt */
  REST_MOVES = 8,  /* of TabuCol, a step */
  FINENESS = 20000 /* of the weights: their mean */
};
static const uint64_t positions = UINT64_C(1) << 40; /* of random numbers: a step takes one */
static const size_t dense_bytes = (size_t)1 << 26; /* of the rows of what is left */

static int32_t classes_taken(int32_t k) {
  const int32_t taken = (int32_t)(share_taken * k + 0.5);
  return taken < k ? taken : k - 1;
}

static void release_rest(prism_extraction_t *e) {
  prism_local_release(&e->local);
  prism_problem_destroy(&e->rest_problem);
  prism_graph_destroy(&e->rest);
  e->rest_left = 0;
}

static prism_status_t make_room(prism_extraction_t *e) {
  const prism_graph_t *g = e->setup.problem->graph;
  PRISM_TRY(PRISM_ALLOC(e->n, &e->class_of));
  PRISM_TRY(PRISM_ALLOC(e->n, &e->core));
  PRISM_TRY(PRISM_ALLOC(e->n, &e->place));
  PRISM_TRY(PRISM_ALLOC(e->n, &e->peeled));
  PRISM_TRY(PRISM_ALLOC(e->n, &e->scratch));
  PRISM_TRY(PRISM_ALLOC(e->n, &e->mass));
  PRISM_TRY(PRISM_ALLOC(e->n, &e->best_color));
  PRISM_TRY(prism_heavy_init(&e->set, e->n, 2 * g->m));
  return prism_cover_create(g, e->n, &e->cover);
}

/* ---- what is left ---- */

/* The vertices without a class, less those that can be coloured last with `left` colours. */
static void find_core(prism_extraction_t *e, int32_t left) {
  const prism_graph_t *g = e->setup.problem->graph;
  int32_t *degree = e->scratch;
  e->peels = e->cores = 0;
  for (int32_t v = 0; v < e->n; ++v) {
    e->place[v] = e->class_of[v] < 0 ? 0 : -1;
    degree[v] = 0;
    for (int64_t i = g->offset[v]; e->class_of[v] < 0 && i < g->offset[v + 1]; ++i)
      degree[v] += e->class_of[g->neighbor[i]] < 0;
  }
  for (int32_t v = 0; v < e->n; ++v) {
    if (e->place[v] < 0 || degree[v] >= left) continue;
    e->place[v] = -1;
    e->peeled[e->peels++] = v;
  }
  for (int32_t next = 0; next < e->peels; ++next) {
    const int32_t v = e->peeled[next];
    for (int64_t i = g->offset[v]; i < g->offset[v + 1]; ++i) {
      const int32_t u = g->neighbor[i];
      if (e->place[u] < 0 || --degree[u] >= left) continue;
      e->place[u] = -1;
      e->peeled[e->peels++] = u;
    }
  }
  for (int32_t v = 0; v < e->n; ++v) {
    if (e->place[v] < 0) continue;
    e->place[v] = e->cores;
    e->core[e->cores++] = v;
  }
}

/* Rows of the core in its own numbering. */
static void copy_core(prism_extraction_t *e) {
  const prism_graph_t *g = e->setup.problem->graph;
  int64_t arcs = 0;
  e->set.n = e->cores;
  for (int32_t i = 0; i < e->cores; ++i) {
    const int32_t v = e->core[i];
    e->set.offset[i] = arcs;
    for (int64_t j = g->offset[v]; j < g->offset[v + 1]; ++j)
      if (e->place[g->neighbor[j]] >= 0) e->set.neighbor[arcs++] = e->place[g->neighbor[j]];
  }
  e->set.offset[e->cores] = arcs;
}

/* Whole numbers with a mean of FINENESS, or as large as their sum may be; at least 1, so that a
 * heaviest set is maximal. */
static void round_weights(prism_extraction_t *e) {
  double sum = 0.0;
  for (int32_t i = 0; i < e->cores; ++i) sum += e->mass[i];
  const double most = (double)(PRISM_HEAVY_SUM - e->cores);
  const double wanted = (double)FINENESS * e->cores;
  const double scale = sum > 0.0 ? (wanted < most ? wanted : most) / sum : 0.0;
  for (int32_t i = 0; i < e->cores; ++i) e->set.weight[i] = 1 + (int32_t)(e->mass[i] * scale);
}

void prism_extraction_weigh(prism_extraction_t *e) {
  const int32_t left = e->setup.k - e->turn;
  find_core(e, left);
  copy_core(e);
  memset(e->mass, 0, (size_t)e->cores * sizeof *e->mass);
  for (int32_t c = 0; c < e->cover->cliques; ++c) {
    int32_t size = 0;
    for (int64_t i = e->cover->start[c]; i < e->cover->start[c + 1]; ++i)
      size += e->place[e->cover->member[i]] >= 0;
    const double mass = pow(beta, size - left);
    for (int64_t i = e->cover->start[c]; size > 0 && i < e->cover->start[c + 1]; ++i) {
      const int32_t at = e->place[e->cover->member[i]];
      if (at >= 0) e->mass[at] += mass;
    }
  }
  round_weights(e);
  memset(e->set.in, 0, (size_t)e->cores * sizeof *e->set.in);
}

/* ---- classes ---- */

int64_t prism_extraction_set_steps(const prism_extraction_t *e) {
  return (int64_t)e->effort * (e->cores > 0 ? e->cores : 1);
}

void prism_extraction_begin_set(prism_extraction_t *e, int64_t done) {
  prism_heavy_begin(&e->set, prism_extraction_set_steps(e), done, hot, cold);
}

/* Vertices without a class and without a neighbour in this one join it. */
static void fill(prism_extraction_t *e, int32_t class) {
  const prism_graph_t *g = e->setup.problem->graph;
  for (int32_t v = 0; v < e->n; ++v) {
    if (e->class_of[v] >= 0) continue;
    int64_t i = g->offset[v];
    while (i < g->offset[v + 1] && e->class_of[g->neighbor[i]] != class) ++i;
    if (i == g->offset[v + 1]) e->class_of[v] = class;
  }
}

static void begin_attempt(prism_extraction_t *e) {
  e->stage = e->taken > 0 ? PRISM_EXTRACTION_TAKE : PRISM_EXTRACTION_REST;
  e->turn = 0;
  e->tried = e->attempt > 0;
  if (e->attempt > 0) e->effort *= LONGER;
  if (e->effort > PRISM_EXTRACTION_MOST_EFFORT) e->effort = FIRST_EFFORT;
  ++e->attempt;
  for (int32_t v = 0; v < e->n; ++v) e->class_of[v] = -1;
}

/* The search for a class is over: what it found, and what comes next. */
static void settle_class(prism_extraction_t *e) {
  for (int32_t i = 0; i < e->cores; ++i)
    if (e->set.best[i]) e->class_of[e->core[i]] = e->turn;
  fill(e, e->turn);
  if (++e->turn == e->taken) e->stage = PRISM_EXTRACTION_REST;
}

/* ---- the rest ---- */

int64_t prism_extraction_rest_moves(const prism_extraction_t *e) {
  return REST_MOVES * (int64_t)e->effort * e->cores;
}

prism_status_t prism_extraction_make_rest(prism_extraction_t *e) {
  const int32_t left = e->setup.k - e->taken;
  find_core(e, left);
  if (e->cores == 0) return PRISM_OK;
  PRISM_TRY(prism_graph_induced(e->setup.problem->graph, e->core, e->cores, &e->rest));
  PRISM_TRY(prism_problem_create(e->rest, dense_bytes, &e->rest_problem));
  prism_local_init(&e->local, e->rest_problem, e->setup.isa, NULL, PRISM_METHOD_TABUCOL, left,
                   0.0, 0.0);
  e->local.tenure_longest = e->setup.tenure_longest;
  return PRISM_OK;
}

static prism_status_t start_rest(prism_extraction_t *e) {
  PRISM_TRY(prism_extraction_make_rest(e));
  if (e->cores == 0) return PRISM_OK;
  e->local.iteration = (int64_t)(e->setup.position % positions);
  prism_rng_t rng = prism_rng_stream(e->setup.seed, e->setup.position, e->setup.individual,
                                     PRISM_RNG_INITIAL);
  PRISM_TRY(prism_seed_random(e->rest, e->setup.k - e->taken, &rng, e->scratch));
  PRISM_TRY(prism_local_start(&e->local, e->scratch));
  e->rest_left = prism_extraction_rest_moves(e);
  return PRISM_OK;
}

/* The whole colouring, if that is better than the best so far. What was left out takes, in
 * reverse, colours that its neighbours leave: fewer of them are without a class than colours
 * are left. */
static void note_rest(prism_extraction_t *e) {
  const prism_graph_t *g = e->setup.problem->graph;
  if (e->rest != NULL && e->local.state->best_f >= e->best_f) return;
  for (int32_t v = 0; v < e->n; ++v) e->best_color[v] = e->class_of[v];
  for (int32_t i = 0; i < e->cores; ++i)
    e->best_color[e->core[i]] = e->taken + e->local.state->best_color[i];
  for (int32_t i = e->peels - 1; i >= 0; --i)
    e->best_color[e->peeled[i]] = prism_first_free_color(g, e->best_color, e->peeled[i]);
  e->best_f = prism_coloring_conflicts(g, e->best_color);
}

static prism_status_t search_rest(prism_extraction_t *e, const prism_search_params_t *params,
                                  int64_t budget, const atomic_bool *stop, int64_t *used) {
  const prism_tabu_params_t tabu = {params->tenure_base, params->tenure_slope, true,
                                    e->setup.seed, e->setup.individual};
  bool solved = false;
  *used = 0;
  if (e->rest == NULL) return PRISM_OK; /* the next attempt is due */
  PRISM_TRY(prism_local_run(&e->local, &tabu, budget < e->rest_left ? budget : e->rest_left, stop,
                            used, &solved));
  e->rest_left -= *used;
  note_rest(e);
  return PRISM_OK;
}

prism_status_t prism_extraction_forget_tabu(prism_extraction_t *e) {
  if (e->rest == NULL) return PRISM_OK;
  memcpy(e->scratch, e->local.state->color, (size_t)e->cores * sizeof *e->scratch);
  return prism_local_start(&e->local, e->scratch);
}

/* ---- all of it ---- */

/* What is over makes way for what comes next. */
static prism_status_t turn_over(prism_extraction_t *e) {
  if (e->stage == PRISM_EXTRACTION_REST) {
    release_rest(e);
    begin_attempt(e);
  } else {
    settle_class(e);
  }
  if (e->stage != PRISM_EXTRACTION_REST) {
    prism_extraction_weigh(e);
    prism_extraction_begin_set(e, 0);
    return PRISM_OK;
  }
  const prism_status_t status = start_rest(e);
  if (status == PRISM_OK) note_rest(e);
  else release_rest(e); /* another attempt can be made */
  return status;
}

prism_status_t prism_extraction_run(prism_extraction_t *e, const prism_search_params_t *params,
                                    int64_t budget, const atomic_bool *stop, int64_t *used) {
  *used = 0;
  while (*used < budget && e->best_f > 0 &&
         !(stop != NULL && atomic_load_explicit(stop, memory_order_relaxed))) {
    int64_t done = 0;
    if (e->stage == PRISM_EXTRACTION_REST)
      PRISM_TRY(search_rest(e, params, budget - *used, stop, &done));
    else
      done = prism_heavy_run(&e->set, budget - *used, e->setup.seed, e->setup.individual,
                             e->setup.position - (uint64_t)e->set.step, stop);
    *used += done;
    e->setup.position += (uint64_t)done;
    const bool over = e->stage == PRISM_EXTRACTION_REST ? e->rest_left == 0
                                                        : e->set.step == e->set.steps;
    if (over && e->best_f > 0) PRISM_TRY(turn_over(e));
  }
  return PRISM_OK;
}

prism_status_t prism_extraction_create(const prism_extraction_setup_t *setup,
                                       const int32_t *color, prism_extraction_t **out) {
  prism_extraction_t *e = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &e));
  e->setup = *setup;
  e->n = setup->problem->n;
  e->taken = classes_taken(setup->k);
  e->effort = setup->effort > 0 ? setup->effort : FIRST_EFFORT;
  prism_status_t status = make_room(e);
  if (status != PRISM_OK) {
    prism_extraction_destroy(&e);
    return status;
  }
  memcpy(e->best_color, color, (size_t)e->n * sizeof *color);
  e->best_f = prism_coloring_conflicts(setup->problem->graph, color);
  e->stage = PRISM_EXTRACTION_REST; /* as if an attempt were over */
  *out = e;
  return PRISM_OK;
}

void prism_extraction_destroy(prism_extraction_t **extraction) {
  prism_extraction_t *e = *extraction;
  if (e == NULL) return;
  release_rest(e);
  prism_heavy_release(&e->set);
  prism_cover_destroy(&e->cover);
  prism_free(e->class_of);
  prism_free(e->core);
  prism_free(e->place);
  prism_free(e->peeled);
  prism_free(e->scratch);
  prism_free(e->mass);
  prism_free(e->best_color);
  prism_free(e);
  *extraction = NULL;
}
