/* TabuCol on the device for graphs that no layout in shared memory fits (Hertz & de
 * Werra 1987; tenure of Galinier & Hao 1999, with aspiration): any n, dense or sparse,
 * up to 65,535 colours. A thread block per individual.
 *
 * Gamma lies in global memory, a row of k counts for each vertex, in cells of 2 bytes, or
 * of 4 where a vertex has too many neighbours. Every conflicting vertex has a slot with
 * its fewest allowed count, the number of colours that reach it and one of them drawn at
 * random. A move goes through the neighbours of its vertex in parallel; a row is scanned
 * again, by a warp, only when a slot's colour goes.
 *
 * The weighted form follows weighted.h: sums of edge weights instead of counts, no
 * aspiration, conflicting edges become heavier by 1 where no move improves. The weights lie
 * beside the neighbour lists and last from launch to launch. One that has reached the most
 * that fits stays there; a launch that finds weights above half of it halves them all.
 *
 * Random numbers belong to vertices, not to threads or slots, so that a search does not
 * depend on the order in which threads come by.
 *
 * Asynchronous on the given stream; not collective. */
#ifndef PRISM_CUDA_KERNELS_WIDE_H
#define PRISM_CUDA_KERNELS_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#include "base/status.h"
#include "kernels/convert.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a search of n vertices and k colours is laid out on the device. */
typedef struct prism_wide_plan {
  bool weighted;
  int32_t cell_bytes;      /* 2 or 4 */
  int32_t threads;         /* of a block */
  int32_t ring;            /* slots of the tabu calendar, a power of two */
  int32_t resident;        /* individuals that the device holds at once, memory aside */
  size_t individual_bytes; /* scratch memory of one; a multiple of 256 */
} prism_wide_plan_t;

/* What a launch searches. Pointers are device memory. */
typedef struct prism_wide_job {
  prism_gpu_pool_t start;       /* [members] where they begin */
  prism_gpu_pool_t best;        /* [members] best colourings and f (at most INT32_MAX); may
                                   be `start` */
  prism_gpu_pool_t last;        /* [members] where they end; may be `start`; no color: NULL */
  uint16_t *weight;             /* [members][prism_wide_cells] of a weighted plan; learned */
  int64_t iterations;           /* moves of each individual, below 2^32 */
  float tenure_base, tenure_slope;
  uint64_t seed;
  uint32_t first_individual;    /* global id of member 0, for the random numbers */
  const uint64_t *generation;   /* counter of the launches, for the random numbers */
  const uint32_t *stop;         /* not 0: end at the next look, and who waits for scratch memory
                                   does not begin: its rows stay; NULL: never */
  uint32_t *solved;             /* set to 1 + member when f = 0 is reached */
  unsigned long long *moves;    /* sum of the moves made is added */
  prism_gpu_hooks_t hooks;      /* vertex weights do not count; the rest costs nothing when
                                   absent */
} prism_wide_job_t;

/* Choose a layout. `threads`: 0 for the default, otherwise a multiple of 32 up to 1024.
 * PRISM_UNSUPPORTED: k > 65535. */
prism_status_t prism_wide_plan(const prism_gpu_graph_t *graph, int32_t k, bool weighted,
                               int32_t threads, prism_wide_plan_t *out);

/* Cells of the weights of one individual: an arc each, in the order of graph->neighbor. */
#ifdef __CUDACC__
__host__ __device__
#endif
static inline size_t prism_wide_cells(const prism_gpu_graph_t *graph) {
  return ((size_t)graph->arcs + 127) / 128 * 128;
}

/* Give `members` individuals their first weights. [in] edge_weight: [arcs] device memory,
 * symmetric, at least 1; NULL: all are 1. [out] weight: [members][prism_wide_cells] */
prism_status_t prism_launch_wide_weigh(const prism_gpu_graph_t *graph, const int32_t *edge_weight,
                                       int32_t members, uint16_t *weight, cudaStream_t stream);

/* Colourings to begin with, all members of the pool: greedily, vertices in an order of each
 * member's own take the colour of their fewest neighbours so far, ties at random. A search
 * from random colours would begin with a slot for nearly every vertex, and go through all of
 * them at every move. As many vertices as a block has warps are coloured at once and do not
 * see each other. f is not written. [in] scratch, individuals  as below */
prism_status_t prism_launch_wide_start(const prism_wide_plan_t *plan,
                                       const prism_gpu_graph_t *graph,
                                       const prism_gpu_pool_t *pool,
                                       const prism_convert_random_t *random, void *scratch,
                                       int32_t individuals, cudaStream_t stream);

/* Search all members of the job, `individuals` of them at a time. PRISM_INVALID: none, or a
 * weighted plan without weights.
 * [in]  scratch  device memory [individuals * plan->individual_bytes], aligned as by
 *                cudaMalloc; holds nothing that a later launch needs */
prism_status_t prism_launch_wide(const prism_wide_plan_t *plan, const prism_gpu_graph_t *graph,
                                 const prism_wide_job_t *job, void *scratch,
                                 int32_t individuals, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
