/* Starting points of a search: what a colouring becomes with fewer colours, and
 * fresh random ones. Complete colourings, conflicts allowed. */
#ifndef PRISM_SEARCH_SEEDS_H
#define PRISM_SEARCH_SEEDS_H

#include <stdint.h>

#include "base/rng.h"
#include "model/graph.h"

/* Dissolve the smallest classes of a complete colouring until `to` are left; their
 * vertices go, one by one, where they make the fewest new conflicts (ties at
 * random). [in,out] color [n] 0..from-1, afterwards 0..to-1. Nothing to do for
 * from <= to. O(n + from log from + sum of the degrees of the moved vertices). */
prism_status_t prism_seed_dissolve(const prism_graph_t *graph, int32_t from, int32_t to,
                                   prism_rng_t *rng, int32_t *color);

/* Every vertex, in random order, takes the colour of fewest conflicts so far.
 * [out] color [n] 0..k-1. O(n k + m). */
prism_status_t prism_seed_random(const prism_graph_t *graph, int32_t k, prism_rng_t *rng,
                                 int32_t *color);

#endif
