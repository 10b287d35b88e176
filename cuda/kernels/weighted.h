/* Edge-weighted TabuCol on the device (weights in the manner of the breakout method,
 * Morris 1993): TabuCol (see tabucol.h) on the sums of the weights of the conflicting
 * edges. Where no move improves, every conflicting edge becomes heavier by 1 before the
 * best move is made. The best colouring is the one with the fewest conflicting edges,
 * whatever they weigh; there is no aspiration.
 *
 * The weights belong to an individual and last from launch to launch. They lie in global
 * memory as a matrix of n rows, prism_gpu_pitch(n) cells each: 2 MB for 1000 vertices.
 * When their sum around a vertex nears what a count can hold, all weights of the
 * individual are halved towards 1 and the search goes on without its tabus.
 *
 * All calls are asynchronous on the given stream; none is collective. */
#ifndef PRISM_CUDA_KERNELS_WEIGHTED_H
#define PRISM_CUDA_KERNELS_WEIGHTED_H

#include "kernels/tabucol.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a launch searches. Pointers are device memory. */
typedef struct prism_weighted_job {
  prism_tabucol_job_t search; /* with `last`; `outgrown` is never set */
  uint16_t *weight;           /* [members][n][pitch] symmetric; 0: no edge; learned */
} prism_weighted_job_t;

/* Cells of the weights of one individual. */
static inline size_t prism_weighted_cells(int32_t n) {
  return (size_t)n * (size_t)prism_gpu_pitch(n);
}

/* Choose a layout, as prism_tabucol_plan. PRISM_UNSUPPORTED also where a vertex has more
 * than 10,000 neighbours. */
prism_status_t prism_weighted_plan(const prism_gpu_graph_t *graph, int32_t k, int32_t threads,
                                   int32_t words_per_thread, prism_tabucol_plan_t *out);

/* Give `members` individuals their first weights. [in] edge_weight: [2 m] device memory,
 * in the order of graph->neighbor, symmetric, at least 1, at most 32,000 in sum around a
 * vertex; NULL: all are 1. [out] weight: [members][n][pitch] */
prism_status_t prism_launch_weigh(const prism_gpu_graph_t *graph, const int32_t *edge_weight,
                                  int32_t members, uint16_t *weight, cudaStream_t stream);

/* Read the weights of one individual. [in] weight: [n][pitch]; [out] edge_weight: [2 m]
 * device memory, in the order of graph->neighbor. */
prism_status_t prism_launch_read_weights(const prism_gpu_graph_t *graph, const uint16_t *weight,
                                         int32_t *edge_weight, cudaStream_t stream);

/* Search all members of the job. */
prism_status_t prism_launch_weighted(const prism_tabucol_plan_t *plan,
                                     const prism_gpu_graph_t *graph,
                                     const prism_weighted_job_t *job, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
