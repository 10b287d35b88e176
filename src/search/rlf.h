/* RLF, the one constructive heuristic with a file of its own (search/bounds.h
 * dispatches to it). One thread. */
#ifndef PRISM_SEARCH_RLF_H
#define PRISM_SEARCH_RLF_H

#include <stdatomic.h>
#include <stdint.h>

#include "model/graph.h"

/* Recursive largest first (Leighton 1979). [out] color [n] complete and legal;
 * [out] colors used. Up to O(k m). PRISM_INTERRUPTED after `*stop`. */
prism_status_t prism_rlf_color(const prism_graph_t *graph, uint64_t seed, const atomic_int *stop,
                               int32_t *color, int32_t *colors);

#endif
