/* Local search for a large clique in a small dense part of a graph, by adding,
 * swapping and dropping vertices under a short tabu list (after Battiti & Protasi
 * 2001; Pullan & Hoos 2006). Used by the clique bound. One thread. */
#ifndef PRISM_SEARCH_CLIQUE_SWAP_H
#define PRISM_SEARCH_CLIQUE_SWAP_H

#include <stdint.h>

#include "base/status.h"

/* [in] n vertices; row [n][words] adjacency bits; deadline (0: none) on
 * prism_clock_now's clock; step_limit (0: none).
 * [in] enough: stop when a clique of that size is found (0: none).
 * [out] clique [n], the first *size are a clique. O(n^2) memory. */
prism_status_t prism_clique_swap(int32_t n, const uint64_t *row, int32_t words, uint64_t seed,
                                 double deadline, int64_t step_limit, int32_t enough,
                                 int32_t *clique, int32_t *size);

#endif
