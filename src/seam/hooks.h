/* The optional inputs of a search between the numbering of the kernel graph, in which
 * they come, and that of a view of it (model/reduce.h), in which an engine searches.
 * Pure functions of immutable data; any thread. */
#ifndef PRISM_SEAM_HOOKS_H
#define PRISM_SEAM_HOOKS_H

#include "model/reduce.h"
#include "seam/engine.h"

/* Weights are summed in cells of 15 bits. */
enum { PRISM_HOOKS_SUM = 32000 };

/* Which of them an island has, a bit for each: with others it searches for something else.
 * Stable on disk. [in] hooks  NULL: none */
uint8_t prism_hooks_bits(const prism_hooks_t *hooks);

/* PRISM_INVALID: a weight below 1, or weights around a vertex that add up to more than
 * PRISM_HOOKS_SUM. O(n + m) */
prism_status_t prism_hooks_check(const prism_graph_t *kernel, const prism_hooks_t *hooks);

/* What hooks say about a view that has something to search.
 * [in]  hooks        kernel numbering; NULL: none
 * [in]  edge_weight  [2 m] of the kernel's arcs, instead of those of the hooks; NULL: those
 * [out] mapped       view numbering; its arrays are the caller's, for prism_hooks_unmap.
 * O(n + m) */
prism_status_t prism_hooks_map(const prism_graph_t *kernel, const prism_view_t *view,
                               const prism_hooks_t *hooks, const int32_t *edge_weight,
                               prism_hooks_t *mapped);
void prism_hooks_unmap(prism_hooks_t *mapped);

/* The kernel's arcs between vertices of the view, in the order of the view's arcs.
 * [out] arc  [2 m of the view]; the caller's. O(n + m) */
prism_status_t prism_view_arcs(const prism_graph_t *kernel, const prism_view_t *view,
                               int64_t **arc);

#endif
