#include "seam/hooks.h"

#include "base/bitset.h"
#include "base/mem.h"

uint8_t prism_hooks_bits(const prism_hooks_t *hooks) {
  if (hooks == NULL) return 0;
  return (uint8_t)((hooks->score != NULL) | (hooks->vertex_weight != NULL) << 1 |
                   (hooks->edge_weight != NULL) << 2 | (hooks->frozen != NULL) << 3);
}

prism_status_t prism_hooks_check(const prism_graph_t *kernel, const prism_hooks_t *hooks) {
  for (int32_t v = 0; v < kernel->n; ++v) {
    int64_t vertices = hooks->vertex_weight != NULL ? hooks->vertex_weight[v] : 1, edges = 0;
    if (vertices < 1) PRISM_FAIL(PRISM_INVALID, "the weight of vertex %d is less than 1", v);
    for (int64_t e = kernel->offset[v]; e < kernel->offset[v + 1]; ++e) {
      vertices += hooks->vertex_weight != NULL ? hooks->vertex_weight[kernel->neighbor[e]] : 0;
      edges += hooks->edge_weight != NULL ? hooks->edge_weight[e] : 0;
      if (hooks->edge_weight != NULL && hooks->edge_weight[e] < 1)
        PRISM_FAIL(PRISM_INVALID, "the weight of an edge of vertex %d is less than 1", v);
    }
    if (vertices > PRISM_HOOKS_SUM || edges > PRISM_HOOKS_SUM)
      PRISM_FAIL(PRISM_INVALID, "the weights around vertex %d add up to more than %d", v,
                 PRISM_HOOKS_SUM);
  }
  return PRISM_OK;
}

prism_status_t prism_view_arcs(const prism_graph_t *kernel, const prism_view_t *view,
                               int64_t **arc) {
  const prism_graph_t *g = prism_view_graph(view);
  const int32_t *map = prism_view_map(view);
  bool *kept = NULL;
  int64_t *made = NULL, at = 0;
  PRISM_TRY(PRISM_ALLOC_ZERO(kernel->n, &kept));
  prism_status_t status = PRISM_ALLOC(2 * g->m, &made);
  for (int32_t v = 0; v < g->n; ++v) kept[map[v]] = true;
  /* The map ascends, so the arcs of both come in the same order. */
  for (int32_t v = 0; v < g->n && status == PRISM_OK; ++v)
    for (int64_t e = kernel->offset[map[v]]; e < kernel->offset[map[v] + 1]; ++e)
      if (kept[kernel->neighbor[e]]) made[at++] = e;
  prism_free(kept);
  PRISM_TRY(status);
  *arc = made;
  return PRISM_OK;
}

static prism_status_t map_edge_weights(const prism_graph_t *kernel, const prism_view_t *view,
                                       const int32_t *source, prism_hooks_t *mapped) {
  const int64_t arcs = 2 * prism_view_graph(view)->m;
  int64_t *arc = NULL;
  int32_t *weight = NULL;
  PRISM_TRY(prism_view_arcs(kernel, view, &arc));
  prism_status_t status = PRISM_ALLOC(arcs, &weight);
  for (int64_t e = 0; e < arcs && status == PRISM_OK; ++e) weight[e] = source[arc[e]];
  prism_free(arc);
  mapped->edge_weight = weight;
  return status;
}

static prism_status_t map_vertices(const prism_graph_t *g, const int32_t *map,
                                   const prism_hooks_t *hooks, prism_hooks_t *mapped) {
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

prism_status_t prism_hooks_map(const prism_graph_t *kernel, const prism_view_t *view,
                               const prism_hooks_t *hooks, const int32_t *edge_weight,
                               prism_hooks_t *mapped) {
  static const prism_hooks_t none;
  if (hooks == NULL) hooks = &none;
  prism_hooks_t made = {.counters = hooks->counters};
  const int32_t *source = edge_weight != NULL ? edge_weight : hooks->edge_weight;
  prism_status_t status = PRISM_OK;
  if (source != NULL) status = map_edge_weights(kernel, view, source, &made);
  if (status == PRISM_OK)
    status = map_vertices(prism_view_graph(view), prism_view_map(view), hooks, &made);
  if (status != PRISM_OK) {
    prism_hooks_unmap(&made);
    return status;
  }
  *mapped = made;
  return PRISM_OK;
}

void prism_hooks_unmap(prism_hooks_t *mapped) {
  prism_free((void *)(uintptr_t)mapped->score);
  prism_free((void *)(uintptr_t)mapped->vertex_weight);
  prism_free((void *)(uintptr_t)mapped->edge_weight);
  prism_free((void *)(uintptr_t)mapped->frozen);
  *mapped = (prism_hooks_t){0};
}
