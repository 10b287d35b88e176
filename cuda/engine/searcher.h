/* Which kernel searches the members of a population, and its layout: one face for
 * TabuCol (also the search of a memetic pool), PartialCol and edge-weighted TabuCol.
 * Plain values; device memory belongs to the population. */
#ifndef PRISM_CUDA_ENGINE_SEARCHER_H
#define PRISM_CUDA_ENGINE_SEARCHER_H

#include "kernels/partialcol.h"
#include "kernels/tabucol.h"
#include "kernels/tempering.h"
#include "kernels/weighted.h"
#include "seam/phase.h"

typedef struct prism_searcher {
  prism_method_t method;
  bool hooked;
  union {
    prism_tabucol_plan_t tabucol; /* TABUCOL, POOL, WEIGHTED */
    prism_partialcol_plan_t partialcol;
    prism_tempering_plan_t tempering; /* launched by population_tempering.h */
  } plan;
  int32_t resident;   /* members that the device searches at once */
  int32_t cell_bits;  /* of a count */
} prism_searcher_t;

/* [in] cell_bits  0: the best. PRISM_UNSUPPORTED: this method has no kernel for such
 * a graph. */
prism_status_t prism_searcher_plan(const prism_gpu_graph_t *graph, prism_method_t method,
                                   int32_t k, bool hooked, int32_t cell_bits,
                                   prism_searcher_t *out);

/* Bytes of device memory for what members learn, to be passed as `learned`; 0: nothing.
 * prism_searcher_teach gives it its first values. */
size_t prism_searcher_learned_bytes(const prism_searcher_t *searcher, int32_t n,
                                    int32_t members);
/* [in] edge_weight  device memory [2 m], or NULL: all 1 */
prism_status_t prism_searcher_teach(const prism_searcher_t *searcher,
                                    const prism_gpu_graph_t *graph, const int32_t *edge_weight,
                                    int32_t members, void *learned, cudaStream_t stream);

/* Search all members of job->start. */
prism_status_t prism_searcher_launch(const prism_searcher_t *searcher,
                                     const prism_gpu_graph_t *graph,
                                     const prism_tabucol_job_t *job, void *learned,
                                     cudaStream_t stream);

#endif
