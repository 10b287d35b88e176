/* One local search that can be started, run in slices and read: a state, the
 * kernels that fit it, and the step to wider cells when classes outgrow theirs. */
#ifndef PRISM_SEARCH_LOCAL_H
#define PRISM_SEARCH_LOCAL_H

#include "search/state.h"

typedef struct prism_local {
  const prism_problem_t *problem; /* borrowed */
  const prism_isa_t *isa;
  const prism_hooks_t *hooks;     /* view numbering, borrowed; NULL: none */
  prism_method_t method;          /* TABUCOL, PARTIALCOL or WEIGHTED */
  int32_t k;
  int32_t tenure_longest;
  int64_t iteration;              /* position of the random stream over all states */
  prism_state_t *state;           /* NULL until the first start */
} prism_local_t;

/* No state yet: cheap. */
void prism_local_init(prism_local_t *local, const prism_problem_t *problem,
                      const prism_isa_t *isa, const prism_hooks_t *hooks, prism_method_t method,
                      int32_t k, double tenure_base, double tenure_slope);
void prism_local_release(prism_local_t *local);

/* Start from a complete colouring [n], conflicts allowed; PartialCol uncolours one
 * end of each conflict. Tabu and best are forgotten, edge weights are kept. */
prism_status_t prism_local_start(prism_local_t *local, const int32_t *color);

/* Run up to `iterations` moves. [out] used: moves done; [out] solved. */
prism_status_t prism_local_run(prism_local_t *local, const prism_tabu_params_t *params,
                               int64_t iterations, const atomic_bool *stop, int64_t *used,
                               bool *solved);

/* Best colouring since the start, complete. [out] color [n]; [out] f conflicts. */
void prism_local_best(const prism_local_t *local, int32_t *color, int64_t *f);

/* Give every vertex with color < 0 the colour of fewest conflicts, in order.
 * [in,out] color [n]; `count` scratch [k]. O(sum of the degrees of those). */
void prism_local_complete(const prism_graph_t *graph, int32_t k, int32_t *color, int32_t *count);

#endif
