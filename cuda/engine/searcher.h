/* Which kernel searches the members of a population, and its layout: one face for
 * TabuCol (also the search of a memetic pool), PartialCol and edge-weighted TabuCol.
 *
 * Where a graph does not fit the kernels in shared memory, the wide one takes their place
 * (kernels/wide.h): with weights for WEIGHTED, but for PARTIALCOL as TabuCol. Plain values;
 * device memory belongs to the population. */
#ifndef PRISM_CUDA_ENGINE_SEARCHER_H
#define PRISM_CUDA_ENGINE_SEARCHER_H

#include "kernels/partialcol.h"
#include "kernels/tabucol.h"
#include "kernels/tempering.h"
#include "kernels/weighted.h"
#include "kernels/wide.h"
#include "seam/phase.h"

typedef struct prism_searcher {
  prism_method_t method; /* that is run: TABUCOL in the place of PARTIALCOL */
  bool hooked;
  bool wide;
  union {
    prism_tabucol_plan_t tabucol; /* TABUCOL, POOL, WEIGHTED */
    prism_partialcol_plan_t partialcol;
    prism_tempering_plan_t tempering; /* launched by population_tempering.h */
    prism_wide_plan_t wide;
  } plan;
  int32_t resident;   /* members that the device searches at once */
  int32_t cell_bits;  /* of a count */
} prism_searcher_t;

/* Those of `methods` (PRISM_METHOD_BIT) that have a kernel of their own for at least the
 * fewest colours: the rest must not be asked for. Of the current device. */
prism_status_t prism_searcher_methods(int32_t n, int32_t max_degree, uint32_t methods,
                                      uint32_t *out);

/* [in] cell_bits  0: the best. PRISM_UNSUPPORTED: no kernel for this method, or for so many
 * colours. */
prism_status_t prism_searcher_plan(const prism_gpu_graph_t *graph, prism_method_t method,
                                   int32_t k, bool hooked, int32_t cell_bits,
                                   prism_searcher_t *out);

/* A number of the layout: with the same one, the same numbers make the same moves. */
uint64_t prism_searcher_layout(const prism_searcher_t *searcher);

/* Bytes of device memory for what members learn, to be passed as `learned`; 0: nothing.
 * prism_searcher_teach gives it its first values. */
size_t prism_searcher_learned_bytes(const prism_searcher_t *searcher,
                                    const prism_gpu_graph_t *graph, int32_t members);
/* [in] edge_weight  device memory [2 m], or NULL: all 1 */
prism_status_t prism_searcher_teach(const prism_searcher_t *searcher,
                                    const prism_gpu_graph_t *graph, const int32_t *edge_weight,
                                    int32_t members, void *learned, cudaStream_t stream);

/* Bytes of device memory to be passed as `scratch` with so many members; 0: none. Nothing
 * in it lasts beyond a call. */
size_t prism_searcher_scratch_bytes(const prism_searcher_t *searcher, int32_t members);

/* Colourings to begin with, all members of the pool; f is not written. */
prism_status_t prism_searcher_scatter(const prism_searcher_t *searcher,
                                      const prism_gpu_graph_t *graph,
                                      const prism_gpu_pool_t *pool,
                                      const prism_convert_random_t *random, void *scratch,
                                      cudaStream_t stream);

/* Search all members of job->start. */
prism_status_t prism_searcher_launch(const prism_searcher_t *searcher,
                                     const prism_gpu_graph_t *graph,
                                     const prism_tabucol_job_t *job, void *learned, void *scratch,
                                     cudaStream_t stream);

#endif
