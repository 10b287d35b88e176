#include "search/local.h"

#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "model/coloring.h"

void prism_local_init(prism_local_t *local, const prism_problem_t *problem,
                      const prism_isa_t *isa, const prism_hooks_t *hooks, prism_method_t method,
                      int32_t k, double tenure_base, double tenure_slope) {
  static const double most = 1 << 24; /* longer is for ever, and a calendar has to hold it */
  double longest = tenure_base + tenure_slope * (double)problem->n;
  if (hooks != NULL && hooks->score != NULL) longest *= 2.0;
  *local = (prism_local_t){
      .problem = problem, .isa = isa, .hooks = hooks, .method = method, .k = k};
  local->tenure_longest = (int32_t)(longest < most ? longest : most) + 1;
}

void prism_local_release(prism_local_t *local) { prism_state_destroy(&local->state); }

static bool frozen(const prism_local_t *local, int32_t v) {
  return local->hooks != NULL && local->hooks->frozen != NULL &&
         prism_bitset_has(local->hooks->frozen, v);
}

/* Uncolour one end of every conflict, never a frozen one. */
static void make_partial(const prism_local_t *local, int32_t *color) {
  const prism_graph_t *g = local->problem->graph;
  for (int32_t v = 0; v < g->n; ++v) {
    if (frozen(local, v)) continue;
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      if (color[g->neighbor[e]] == color[v]) {
        color[v] = -1;
        break;
      }
  }
}

static const prism_kernels_t *kernels_of(const prism_local_t *local) {
  return local->isa->cell[local->state->cell];
}

/* The weights around a hub would not fit into 15 bits: without weight cells the
 * weighted method is plain TabuCol. */
static const int32_t weighted_degree = 16000;

static bool weight_cells(const prism_local_t *local) {
  if (local->method == PRISM_METHOD_WEIGHTED) return local->problem->max_degree <= weighted_degree;
  return local->method == PRISM_METHOD_PARTIALCOL && local->hooks != NULL &&
         local->hooks->vertex_weight != NULL;
}

static prism_cell_t cell_for(const prism_local_t *local, const int32_t *class_size) {
  if (weight_cells(local)) return PRISM_CELL_WEIGHT;
  if (local->problem->max_degree < 128) return PRISM_CELL_U8;
  for (int32_t c = 0; c < local->k; ++c)
    if (class_size[c] >= 100) return PRISM_CELL_U16;
  return PRISM_CELL_U8;
}

static prism_status_t make_state(prism_local_t *local, prism_cell_t cell) {
  prism_state_t *fresh = NULL;
  PRISM_TRY(prism_state_create(local->problem, local->k, cell, local->tenure_longest, &fresh));
  prism_status_t status = prism_state_set_hooks(fresh, local->hooks);
  if (status != PRISM_OK) {
    prism_state_destroy(&fresh);
    return status;
  }
  if (local->state != NULL) local->iteration = local->state->iteration;
  fresh->iteration = local->iteration;
  prism_state_destroy(&local->state);
  local->state = fresh;
  return PRISM_OK;
}

prism_status_t prism_local_start(prism_local_t *local, const int32_t *color) {
  int32_t n = local->problem->n;
  int32_t *size = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(local->k, &size));
  for (int32_t v = 0; v < n; ++v) ++size[color[v]];
  prism_cell_t cell = cell_for(local, size);
  prism_free(size);
  /* A state with wider cells than needed still serves. */
  if (local->state == NULL || local->state->cell < cell) PRISM_TRY(make_state(local, cell));
  memcpy(local->state->color, color, (size_t)n * sizeof *color);
  bool partial = local->method == PRISM_METHOD_PARTIALCOL;
  if (partial) make_partial(local, local->state->color);
  return kernels_of(local)->start(local->state, partial);
}

/* Go on in u16 cells from the present colours; the tabu table is lost. */
static prism_status_t widen(prism_local_t *local) {
  prism_state_t *old = local->state;
  int32_t n = old->n;
  int32_t *now = NULL, *best = NULL;
  int64_t best_f = old->best_f;
  bool partial = local->method == PRISM_METHOD_PARTIALCOL;
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &now), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &best), done);
  memcpy(now, old->color, (size_t)n * sizeof *now);
  memcpy(best, old->best_color, (size_t)n * sizeof *best);
  PRISM_TRY_GOTO(status, make_state(local, PRISM_CELL_U16), done);
  memcpy(local->state->color, now, (size_t)n * sizeof *now);
  PRISM_TRY_GOTO(status, kernels_of(local)->start(local->state, partial), done);
  if (best_f < local->state->best_f) {
    memcpy(local->state->best_color, best, (size_t)n * sizeof *best);
    local->state->best_f = best_f;
  }
done:
  prism_free(now);
  prism_free(best);
  return status;
}

/* Can a search in these cells have these colours? */
static bool can_have(const prism_local_t *local, prism_cell_t cell, const int32_t *color) {
  int32_t *size = local->state->scratch;
  int32_t least = local->method == PRISM_METHOD_PARTIALCOL ? -1 : 0;
  bool small = cell == PRISM_CELL_U8 && local->problem->max_degree >= 128;
  memset(size, 0, (size_t)local->k * sizeof *size);
  for (int32_t v = 0; v < local->problem->n; ++v) {
    if (color[v] < least || color[v] >= local->k) return false;
    if (color[v] >= 0 && ++size[color[v]] > 127 && small) return false;
  }
  /* What PartialCol has coloured is without conflicts, but for what was frozen with them. */
  return least == 0 || (local->hooks != NULL && local->hooks->frozen != NULL) ||
         prism_coloring_conflicts(local->problem->graph, color) == 0;
}

/* What the method minimises: conflicts, or the weight of what is uncoloured. */
static int64_t objective(const prism_local_t *local, const int32_t *color) {
  if (local->method != PRISM_METHOD_PARTIALCOL)
    return prism_coloring_conflicts(local->problem->graph, color);
  const int32_t *weight = local->hooks != NULL ? local->hooks->vertex_weight : NULL;
  int64_t sum = 0;
  for (int32_t v = 0; v < local->problem->n; ++v)
    if (color[v] < 0) sum += weight != NULL ? weight[v] : 1;
  return sum;
}

prism_status_t prism_local_prepare(prism_local_t *local, prism_cell_t cell, int64_t iteration) {
  if (weight_cells(local))
    cell = PRISM_CELL_WEIGHT;
  else if (cell == PRISM_CELL_WEIGHT)
    cell = PRISM_CELL_U16;
  local->iteration = iteration;
  return make_state(local, cell);
}

prism_status_t prism_local_resume(prism_local_t *local, const prism_local_point_t *point) {
  size_t bytes = (size_t)local->problem->n * sizeof *point->color;
  PRISM_TRY(prism_local_prepare(local, point->cell, point->iteration));
  prism_state_t *s = local->state;
  if (!can_have(local, s->cell, point->color) || !can_have(local, s->cell, point->best_color))
    PRISM_FAIL(PRISM_FORMAT, "a saved search has colors that it cannot have");
  if (point->weight != NULL && s->weight != NULL) prism_state_put_weights(s, point->weight);
  memcpy(s->color, point->color, bytes);
  PRISM_TRY(kernels_of(local)->start(s, local->method == PRISM_METHOD_PARTIALCOL));
  int64_t best_f = objective(local, point->best_color);
  if (best_f > s->f || !kernels_of(local)->arrange(s, point->order, point->ordered))
    PRISM_FAIL(PRISM_FORMAT, "a saved search has conflicts that it cannot have");
  memcpy(s->best_color, point->best_color, bytes);
  s->best_f = best_f;
  s->reactive = point->reactive;
  return PRISM_OK;
}

void prism_local_forget_tabu(prism_local_t *local) { kernels_of(local)->allow_all(local->state); }

prism_status_t prism_local_run(prism_local_t *local, const prism_tabu_params_t *params,
                               int64_t iterations, const atomic_bool *stop, int64_t *used,
                               bool *solved) {
  int64_t first = local->state->iteration, last = first + iterations;
  prism_run_end_t end = PRISM_RUN_BUDGET;
  do {
    const prism_kernels_t *kernels = kernels_of(local);
    int64_t left = last - local->state->iteration;
    if (local->method == PRISM_METHOD_PARTIALCOL)
      PRISM_TRY(kernels->partialcol(local->state, params, left, stop, &end));
    else
      PRISM_TRY(kernels->tabucol(local->state, params, left, stop, &end));
    if (end == PRISM_RUN_WIDEN) PRISM_TRY(widen(local));
  } while (end == PRISM_RUN_WIDEN && local->state->iteration < last);
  *used = local->state->iteration - first;
  *solved = local->state->best_f == 0;
  return PRISM_OK;
}

void prism_local_best(const prism_local_t *local, int32_t *color, int64_t *f) {
  prism_state_t *s = local->state;
  memcpy(color, s->best_color, (size_t)s->n * sizeof *color);
  *f = s->best_f;
  if (local->method == PRISM_METHOD_PARTIALCOL) {
    prism_coloring_complete(local->problem->graph, s->k, color, s->scratch);
    *f = prism_coloring_conflicts(local->problem->graph, color);
  }
}
