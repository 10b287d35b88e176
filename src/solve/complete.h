/* A colouring with a few conflicts is nearly a legal one with a few more colours: the
 * vertices that are in the way get colours of their own. So a search that goes ahead to
 * few colours gives answers long before it gets there. */
#ifndef PRISM_SOLVE_COMPLETE_H
#define PRISM_SOLVE_COMPLETE_H

#include <stdint.h>

#include "model/graph.h"

/* Uncolour vertices, those with the most conflicts first, until none is left in conflict;
 * then colour them one by one, the most entangled first, with the lowest free colour.
 * [in,out] color   [n] complete; legal with *colors when that is below `limit`, otherwise
 *                  of no use
 * [in]     limit   more colours than this are not worth having
 * [out]    colors  colours in use, or `limit`
 * O(n + m + f^2 + sum of the degrees of the recoloured vertices). */
prism_status_t prism_complete(const prism_graph_t *graph, int32_t limit, int32_t *color,
                              int32_t *colors);

#endif
