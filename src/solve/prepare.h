/* Before the search, on rank 0: a clique below, a kernel, constructive colourings
 * above, an exact answer where the kernel is small. Then every rank gets the
 * kernel. */
#ifndef PRISM_SOLVE_PREPARE_H
#define PRISM_SOLVE_PREPARE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/params.h"
#include "model/reduce.h"
#include "seam/comm.h"

/* Rank 0's view of the input; input numbering. */
typedef struct prism_prepared {
  prism_kernel_t *kernel;   /* borrows the input graph */
  int32_t lower_bound;      /* of the chromatic number */
  bool exact;               /* the bound was proved by branch and bound, not by the clique */
  int32_t *clique;          /* [clique_size]; owned */
  int32_t clique_size;
  int32_t *color;           /* [n] best colouring so far, legal, compact; owned */
  int32_t colors;
} prism_prepared_t;


/* [in] initial  legal colouring [n] or NULL; [in] goal  stop refining the upper
 * bound at this many colours; [in] deadline  prism_clock_now() at which to hurry
 * (0: none); ignored when deterministic. Not collective. */
prism_status_t prism_prepare(const prism_graph_t *graph, const prism_params_t *params,
                             uint64_t seed, const int32_t *initial, int32_t goal, double deadline,
                             const atomic_int *stop, prism_prepared_t *out);
void prism_prepared_release(prism_prepared_t *prepared);

/* The search problem as every rank holds it; kernel numbering and kernel k. */
typedef struct prism_shared {
  const prism_graph_t *graph; /* NULL: nothing to search */
  prism_graph_t *owned;       /* the same on ranks that received it; NULL on rank 0 */
  int32_t universal;          /* input k = kernel k + universal */
  int32_t lower_bound;        /* kernel colours */
  int32_t colors;             /* of `color` */
  int32_t *color;             /* [graph->n] legal start; owned */
  double compaction;          /* kernel vertices / input vertices */
} prism_shared_t;

/* Collective: rank 0 gives `prepared`, the others NULL. */
prism_status_t prism_share(prism_comm_t *comm, const prism_graph_t *input,
                           const prism_prepared_t *prepared, prism_shared_t *out);
void prism_shared_release(prism_shared_t *shared);

#endif
