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

/* A search as it stands, less its tabu list: what it needs to go on elsewhere. */
typedef struct prism_local_point {
  prism_cell_t cell;
  int64_t iteration;
  const int32_t *color;      /* [n] PartialCol: -1 uncoloured, without conflicts; else complete */
  const int32_t *best_color; /* [n] likewise */
  const int32_t *order;      /* [ordered] vertices with slots, in the order of the slots */
  int32_t ordered;
  prism_reactive_t reactive;
  const int32_t *weight;     /* [2 m] of the view's arcs; NULL: as a new state has them */
} prism_local_point_t;

/* No state yet: cheap. */
void prism_local_init(prism_local_t *local, const prism_problem_t *problem,
                      const prism_isa_t *isa, const prism_hooks_t *hooks, prism_method_t method,
                      int32_t k, double tenure_base, double tenure_slope);
void prism_local_release(prism_local_t *local);

/* Start from a complete colouring [n], conflicts allowed; PartialCol uncolours one
 * end of each conflict. Tabu and best are forgotten, edge weights are kept. */
prism_status_t prism_local_start(prism_local_t *local, const int32_t *color);

/* A state in these cells that waits for its start: wider than later starts need, as another
 * local search has them. */
prism_status_t prism_local_prepare(prism_local_t *local, prism_cell_t cell, int64_t iteration);

/* Go on from a point of another local search of the same kind: what follows is the same as
 * there after prism_local_forget_tabu. PRISM_FORMAT: there can be no such point; then only a
 * start helps. */
prism_status_t prism_local_resume(prism_local_t *local, const prism_local_point_t *point);

/* Every tabu ends; colours, best, weights and tenures stay. After a start. */
void prism_local_forget_tabu(prism_local_t *local);

/* Run up to `iterations` moves. [out] used: moves done; [out] solved. */
prism_status_t prism_local_run(prism_local_t *local, const prism_tabu_params_t *params,
                               int64_t iterations, const atomic_bool *stop, int64_t *used,
                               bool *solved);

/* Best colouring since the start, complete. [out] color [n]; [out] f conflicts. */
void prism_local_best(const prism_local_t *local, int32_t *color, int64_t *f);

#endif
