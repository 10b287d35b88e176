/* Conflicts of colourings counted from scratch on the device, a thread block each:
 * the oracle of what searches keep up to date.
 *
 * Work of one colouring: for every vertex the smaller of its class (one bit of its row
 * for each member, where the graph has bit rows and the colours fit shared memory)
 * and its degree (one colour for each neighbour), 8 threads a vertex.
 *
 * Asynchronous on the given stream. */
#ifndef PRISM_CUDA_KERNELS_RECOUNT_H
#define PRISM_CUDA_KERNELS_RECOUNT_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* pool->f[which[i]] = conflicting edges of that row, i < count; at most INT32_MAX.
 * [in]  which  device memory [count], negative entries are skipped; NULL: rows
 *              0..count-1. A row named twice is counted twice, to the same result. */
prism_status_t prism_launch_recount(const prism_gpu_graph_t *graph, const prism_gpu_pool_t *pool,
                                    const int32_t *which, int32_t count, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
