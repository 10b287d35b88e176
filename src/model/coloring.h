/* Colourings as plain int32 arrays: color[v] in 0..k-1, -1 for uncoloured. */
#ifndef PRISM_MODEL_COLORING_H
#define PRISM_MODEL_COLORING_H

#include <stdint.h>

#include "model/graph.h"

/* Number of monochromatic edges; uncoloured vertices conflict with nobody.
 * O(n + m). */
int64_t prism_coloring_conflicts(const prism_graph_t *graph, const int32_t *color);

/* Highest colour in use + 1 (0 when nothing is coloured). */
int32_t prism_coloring_span(const int32_t *color, int32_t n);

/* Renumber the colours in use without gaps, in order of first use by vertex.
 * [in,out] color [n]; returns the number of colours. Scratch of span entries;
 * PRISM_MEMORY through `status` (may not be NULL). */
prism_status_t prism_coloring_compact(int32_t *color, int32_t n, int32_t *colors_used);

/* Give every vertex with color < 0 the colour of fewest conflicts, in order.
 * [in,out] color [n] below k; `count` scratch [k]. O(n + k and degree of each of those). */
void prism_coloring_complete(const prism_graph_t *graph, int32_t k, int32_t *color,
                             int32_t *count);

/* Partition distance of two complete colourings with k classes: n minus the
 * maximum-weight matching of classes (Glass & Pruegel-Bennett 2005).
 * [out] distance 0..n. O(n + k^3) worst case. */
prism_status_t prism_coloring_distance(const int32_t *a, const int32_t *b, int32_t n, int32_t k,
                                       int32_t *distance);

#endif
