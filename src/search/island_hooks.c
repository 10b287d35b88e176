#include "search/island_hooks.h"

#include <string.h>

#include "base/mem.h"

prism_status_t prism_island_learn(prism_island_t *island, const prism_arm_t *arm) {
  const prism_state_t *s = arm->local.state;
  if (s == NULL || s->weight == NULL) return PRISM_OK;
  const prism_graph_t *kernel = island->kernel, *g = s->problem->graph;
  if (island->learned == NULL) {
    PRISM_TRY(PRISM_ALLOC(2 * kernel->m, &island->learned));
    for (int64_t e = 0; e < 2 * kernel->m; ++e) island->learned[e] = 1;
  }
  int64_t *arc = NULL;
  PRISM_TRY(prism_view_arcs(kernel, island->ground->view, &arc));
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      island->learned[arc[e]] = prism_state_weight(s, v, e);
  prism_free(arc);
  return PRISM_OK;
}

prism_status_t prism_island_map_hooks(prism_island_t *island) {
  if (island->ground == NULL || island->ground->problem == NULL) return PRISM_OK;
  return prism_hooks_map(island->kernel, island->ground->view, island->hooks, island->learned,
                         &island->mapped);
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

prism_status_t prism_island_hooks(prism_island_t *island, const prism_hooks_t *hooks) {
  if (hooks != NULL) PRISM_TRY(prism_hooks_check(island->kernel, hooks));
  prism_island_remember(island);
  /* The arms hold the old arrays: they are made again from what they found. */
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    if (!island->live[m]) continue;
    prism_arm_release(&island->arm[m]);
    island->live[m] = false;
  }
  prism_hooks_unmap(&island->mapped);
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
