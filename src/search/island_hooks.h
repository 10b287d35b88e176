/* Hooks and counters of an island between kernel and view numbering. Private to
 * the island's files. */
#ifndef PRISM_SEARCH_ISLAND_HOOKS_H
#define PRISM_SEARCH_ISLAND_HOOKS_H

#include "search/island.h"
#include "seam/hooks.h"

/* Keep the best of the arms, and another member, as starts of the next arms. Call
 * it before they are released. */
void prism_island_remember(prism_island_t *island);

/* Fill island->mapped for the present view; prism_hooks_unmap empties it. */
prism_status_t prism_island_map_hooks(prism_island_t *island);

/* Keep the edge weights of a weighted arm: what was hard at one k is hard at the
 * next. Call it before the arm is released. */
prism_status_t prism_island_learn(prism_island_t *island, const prism_arm_t *arm);

/* Add an arm's counters to the island's. */
void prism_island_collect_counters(prism_island_t *island, prism_arm_t *arm);

#endif
