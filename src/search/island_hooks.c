#include "search/island_hooks.h"

#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"

void prism_island_unmap_hooks(prism_island_t *island) {
  prism_free((void *)(uintptr_t)island->mapped.score);
  prism_free((void *)(uintptr_t)island->mapped.vertex_weight);
  prism_free((void *)(uintptr_t)island->mapped.edge_weight);
  prism_free((void *)(uintptr_t)island->mapped.frozen);
  island->mapped = (prism_hooks_t){0};
}

/* View vertex of each kernel vertex, -1 for those that are not in the view. */
static prism_status_t places(const prism_island_t *island, int32_t **out) {
  int32_t n = island->kernel->n, *place = NULL;
  const int32_t *map = prism_view_map(island->ground->view);
  PRISM_TRY(PRISM_ALLOC(n, &place));
  for (int32_t v = 0; v < n; ++v) place[v] = -1;
  for (int32_t v = 0; v < island->ground->problem->n; ++v) place[map[v]] = v;
  *out = place;
  return PRISM_OK;
}

/* Weights of the view's arcs: those of the kernel's arcs between kept vertices,
 * which come in the same order. */
static prism_status_t map_edge_weights(prism_island_t *island, const int32_t *source) {
  const prism_graph_t *kernel = island->kernel, *g = island->ground->problem->graph;
  const int32_t *map = prism_view_map(island->ground->view);
  int32_t *weight = NULL, *place = NULL;
  PRISM_TRY(PRISM_ALLOC(2 * g->m, &weight));
  island->mapped.edge_weight = weight;
  PRISM_TRY(places(island, &place));
  int64_t at = 0;
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = kernel->offset[map[v]]; e < kernel->offset[map[v] + 1]; ++e)
      if (place[kernel->neighbor[e]] >= 0) weight[at++] = source[e];
  prism_free(place);
  return PRISM_OK;
}

prism_status_t prism_island_learn(prism_island_t *island, const prism_arm_t *arm) {
  const prism_state_t *s = arm->local.state;
  if (s == NULL || s->weight == NULL) return PRISM_OK;
  const prism_graph_t *kernel = island->kernel, *g = s->problem->graph;
  const int32_t *map = prism_view_map(island->ground->view);
  if (island->learned == NULL) {
    PRISM_TRY(PRISM_ALLOC(2 * kernel->m, &island->learned));
    for (int64_t e = 0; e < 2 * kernel->m; ++e) island->learned[e] = 1;
  }
  int32_t *place = NULL;
  PRISM_TRY(places(island, &place));
  for (int32_t v = 0; v < g->n; ++v) {
    int64_t arc = g->offset[v];
    for (int64_t e = kernel->offset[map[v]]; e < kernel->offset[map[v] + 1]; ++e) {
      int32_t u = place[kernel->neighbor[e]];
      if (u < 0) continue;
      size_t at = s->problem->bits != NULL
                      ? (size_t)v * (size_t)s->tiles * PRISM_TILE + (size_t)u
                      : (size_t)arc;
      ++arc;
      island->learned[e] = s->weight[at];
    }
  }
  prism_free(place);
  return PRISM_OK;
}

prism_status_t prism_island_map_hooks(prism_island_t *island) {
  const prism_hooks_t *hooks = island->hooks;
  if (island->ground == NULL || island->ground->problem == NULL) return PRISM_OK;
  const int32_t *weights = island->learned != NULL ? island->learned
                           : hooks != NULL         ? hooks->edge_weight
                                                   : NULL;
  if (weights != NULL) PRISM_TRY(map_edge_weights(island, weights));
  if (hooks == NULL) return PRISM_OK;
  const prism_graph_t *g = island->ground->problem->graph;
  const int32_t *map = prism_view_map(island->ground->view);
  prism_hooks_t *mapped = &island->mapped;
  mapped->counters = hooks->counters;
  if (hooks->score != NULL) {
    float *score = NULL;
    PRISM_TRY(PRISM_ALLOC(g->n, &score));
    for (int32_t v = 0; v < g->n; ++v) score[v] = hooks->score[map[v]];
    mapped->score = score;
  }
  if (hooks->vertex_weight != NULL) {
    int32_t *weight = NULL;
    PRISM_TRY(PRISM_ALLOC(g->n, &weight));
    for (int32_t v = 0; v < g->n; ++v) weight[v] = hooks->vertex_weight[map[v]];
    mapped->vertex_weight = weight;
  }
  if (hooks->frozen != NULL) {
    uint64_t *frozen = NULL;
    PRISM_TRY(PRISM_ALLOC_ZERO(prism_bitset_words(g->n), &frozen));
    for (int32_t v = 0; v < g->n; ++v)
      if (prism_bitset_has(hooks->frozen, map[v])) prism_bitset_add(frozen, v);
    mapped->frozen = frozen;
  }
  return PRISM_OK;
}

void prism_island_collect_counters(prism_island_t *island, prism_arm_t *arm) {
  if (island->ground == NULL || island->ground->problem == NULL) return;
  uint32_t **counter = arm->tempering != NULL     ? arm->tempering->counter
                       : arm->local.state != NULL ? arm->local.state->counter
                                                  : NULL;
  if (counter == NULL) return;
  const int32_t *map = prism_view_map(island->ground->view);
  int32_t n = island->ground->problem->n;
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) {
    if (counter[i] == NULL || island->counter[i] == NULL) continue;
    for (int32_t v = 0; v < n; ++v) island->counter[i][map[v]] += counter[i][v];
    memset(counter[i], 0, (size_t)n * sizeof *counter[i]);
  }
}

/* Weights are summed in cells of 15 bits. */
static prism_status_t check_weights(const prism_graph_t *g, const prism_hooks_t *hooks) {
  enum { MOST = 32000 };
  for (int32_t v = 0; v < g->n; ++v) {
    int64_t vertices = hooks->vertex_weight != NULL ? hooks->vertex_weight[v] : 1, edges = 0;
    if (vertices < 1) PRISM_FAIL(PRISM_INVALID, "the weight of vertex %d is less than 1", v);
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      vertices += hooks->vertex_weight != NULL ? hooks->vertex_weight[g->neighbor[e]] : 0;
      edges += hooks->edge_weight != NULL ? hooks->edge_weight[e] : 0;
      if (hooks->edge_weight != NULL && hooks->edge_weight[e] < 1)
        PRISM_FAIL(PRISM_INVALID, "the weight of an edge of vertex %d is less than 1", v);
    }
    if (vertices > MOST || edges > MOST)
      PRISM_FAIL(PRISM_INVALID, "the weights around vertex %d add up to more than %d", v, MOST);
  }
  return PRISM_OK;
}

prism_status_t prism_island_hooks(prism_island_t *island, const prism_hooks_t *hooks) {
  if (hooks != NULL) PRISM_TRY(check_weights(island->kernel, hooks));
  prism_island_remember(island);
  /* The arms hold the old arrays: they are made again from what they found. */
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    if (!island->live[m]) continue;
    prism_arm_release(&island->arm[m]);
    island->live[m] = false;
  }
  prism_island_unmap_hooks(island);
  prism_ground_return(island->grounds, &island->ground);
  island->k = 0;
  island->hooks = hooks;
  prism_free(island->learned);
  island->learned = NULL;
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) {
    prism_free(island->counter[i]);
    island->counter[i] = NULL;
    if (hooks != NULL && hooks->counters)
      PRISM_TRY(PRISM_ALLOC_ZERO(island->kernel->n, &island->counter[i]));
  }
  return PRISM_OK;
}

prism_status_t prism_island_counters(prism_island_t *island, prism_counter_t which,
                                     uint32_t *values) {
  if (island->counter[which] == NULL)
    PRISM_FAIL(PRISM_INVALID, "the counters of this island are not switched on");
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    if (island->live[m]) prism_island_collect_counters(island, &island->arm[m]);
  memcpy(values, island->counter[which], (size_t)island->kernel->n * sizeof *values);
  return PRISM_OK;
}
