/* The edge weights that individuals have learned, between the device and the bytes of an
 * island's state.
 *
 * Few edges are ever in conflict, so nearly all weights are 1 or small. In the bytes an
 * individual is a list of the edges by turns: how many have weight 1, then the weight of the
 * next one. Numbers stand in groups of 7 bits, the lowest first, the top bit of a byte says
 * that another group follows (LEB128). Edges stand in the order of the neighbour lists; where
 * both directions are sure to have one weight, at their lower end alone.
 *
 * One thread. */
#ifndef PRISM_CUDA_ENGINE_LEARNED_H
#define PRISM_CUDA_ENGINE_LEARNED_H

#include <stdbool.h>

#include "base/pack.h"
#include "engine/context.h"
#include "kernels/layout.h"
#include "model/graph.h"

/* ---- on the host ---- */

/* Both directions of an edge weigh the same but for the wide search beside frozen vertices.
 * [in] weight [2 m] by arcs, >= 1 */
void prism_learned_encode(const prism_graph_t *graph, bool wide, const int32_t *weight,
                          prism_pack_t *pack);

/* [out] weight [2 m]; the reader learns of those that the kernels cannot have. PRISM_MEMORY */
prism_status_t prism_learned_decode(const prism_graph_t *graph, bool wide, prism_unpack_t *unpack,
                                    int32_t *weight);

/* ---- on the device ---- */

typedef struct prism_gpu_learned {
  prism_gpu_context_t *context; /* borrowed, as all here */
  const prism_gpu_graph_t *graph;
  const prism_graph_t *host;    /* the same graph */
  void *block;                  /* see engine/searcher.h */
  int32_t members;
  bool wide;
} prism_gpu_learned_t;

/* Bytes of a block. */
size_t prism_learned_bytes(const prism_gpu_graph_t *graph, bool wide, int32_t members);

/* Write all of them. [out] fits  false: they would be more than `most` bytes, or there is no
 * device memory to look at them; what was written up to there says nothing. Waits. */
prism_status_t prism_learned_save(const prism_gpu_learned_t *learned, size_t most,
                                  prism_pack_t *pack, bool *fits, cudaStream_t stream);

/* Read what was written, which has been looked through before. Waits. */
prism_status_t prism_learned_restore(const prism_gpu_learned_t *learned, prism_unpack_t *unpack,
                                     cudaStream_t stream);

#endif
