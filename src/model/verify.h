/* The independent verifier: shares no code with the search, the readers or the
 * reductions beyond the graph's arrays. Every reported colouring passes it. */
#ifndef PRISM_MODEL_VERIFY_H
#define PRISM_MODEL_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/graph.h"

typedef struct prism_verdict {
  bool legal;              /* complete, in range, no monochromatic edge, no unused colour below k */
  int32_t colors;          /* distinct colours in use */
  int64_t conflicts;       /* monochromatic edges */
  int32_t uncolored;       /* vertices with colour < 0 */
  int32_t first_u, first_v; /* one monochromatic edge, 0-based; -1 when none */
  char reason[160];        /* why it is not legal; "" when it is */
} prism_verdict_t;

/* [in] color [graph->n] colours 0-based. O(n + m). PRISM_MEMORY only. */
prism_status_t prism_verify(const prism_graph_t *graph, const int32_t *color,
                            prism_verdict_t *out);

/* Is `vertices` [count], 0-based, a clique? Used for the certificate of the
 * lower bound. O(count^2 log degree). */
bool prism_verify_clique(const prism_graph_t *graph, const int32_t *vertices, int32_t count);

#endif
