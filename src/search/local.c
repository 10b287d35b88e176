#include "search/local.h"

#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "model/coloring.h"

void prism_local_init(prism_local_t *local, const prism_problem_t *problem,
                      const prism_isa_t *isa, const prism_hooks_t *hooks, prism_method_t method,
                      int32_t k, double tenure_base, double tenure_slope) {
  double longest = tenure_base + tenure_slope * (double)problem->n;
  if (hooks != NULL && hooks->score != NULL) longest *= 2.0;
  *local = (prism_local_t){
      .problem = problem, .isa = isa, .hooks = hooks, .method = method, .k = k};
  local->tenure_longest = longest < 1e9 ? (int32_t)longest + 1 : 1000000000;
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

static prism_cell_t cell_for(const prism_local_t *local, const int32_t *class_size) {
  if ((local->method == PRISM_METHOD_WEIGHTED && local->problem->max_degree <= weighted_degree) ||
      (local->method == PRISM_METHOD_PARTIALCOL && local->hooks != NULL &&
       local->hooks->vertex_weight != NULL))
    return PRISM_CELL_WEIGHT;
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

void prism_local_complete(const prism_graph_t *g, int32_t k, int32_t *color, int32_t *count) {
  for (int32_t v = 0; v < g->n; ++v) {
    if (color[v] >= 0) continue;
    memset(count, 0, (size_t)k * sizeof *count);
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      if (color[g->neighbor[e]] >= 0) ++count[color[g->neighbor[e]]];
    int32_t best = 0;
    for (int32_t c = 1; c < k; ++c)
      if (count[c] < count[best]) best = c;
    color[v] = best;
  }
}

void prism_local_best(const prism_local_t *local, int32_t *color, int64_t *f) {
  prism_state_t *s = local->state;
  memcpy(color, s->best_color, (size_t)s->n * sizeof *color);
  *f = s->best_f;
  if (local->method == PRISM_METHOD_PARTIALCOL) {
    prism_local_complete(local->problem->graph, s->k, color, s->scratch);
    *f = prism_coloring_conflicts(local->problem->graph, color);
  }
}
