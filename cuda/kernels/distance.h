/* Partition distance of many pairs of colourings on the device, one warp a pair: n
 * minus the weight of a matching of the classes of one with those of the other,
 * where a pair of classes weighs the vertices they share.
 *
 * Exact: the heaviest matching, by shortest augmenting paths (the Hungarian method in
 * the form of Jonker & Volgenant 1987) over the pairs of classes that share a vertex
 * at all. There are at most n of these, so a pair of colourings takes 4 n + 32 k
 * bytes of shared memory instead of k^2 counts, and a step looks at one class's few
 * partners instead of k columns. Classes may stay single: all others weigh nothing.
 * Greedy: the heaviest pair of classes again and again, ties to the lowest class of
 * the first colouring, then of the second. Never below the exact distance (after
 * Porumbel, Hao & Kuntz 2011).
 *
 * Both take about the same time (see the table in pool_device.cuh): paths are short,
 * because rows may stay single and few classes share vertices. At worst there are
 * k^2 / 2 steps of paths.
 *
 * Asynchronous on the given stream. The result does not depend on the order in which
 * threads run. */
#ifndef PRISM_CUDA_KERNELS_DISTANCE_H
#define PRISM_CUDA_KERNELS_DISTANCE_H

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum prism_distance_mode {
  PRISM_DISTANCE_EXACT = 0,
  PRISM_DISTANCE_GREEDY = 1
} prism_distance_mode_t;

/* Device memory that a launch needs beside the populations: 0 unless a pair of n
 * vertices and k colours does not fit the shared memory of the current device. Kept
 * below 256 MiB where one pair allows it: the blocks then take turns. */
prism_status_t prism_distance_scratch_bytes(int32_t n, int32_t k, int32_t pairs, size_t *bytes);

/* distance[i] = distance of row a[i] of pool_a and row b[i] of pool_b, 0..n; -1 where
 * an index is negative. The populations may be the same, and may differ in k.
 * [in]  a, b       device memory [pairs]; NULL: i
 * [out] distance   device memory [pairs]
 * [in]  scratch    device memory as above, for the larger k; NULL when that is 0 */
prism_status_t prism_launch_distance(const prism_gpu_pool_t *pool_a, const int32_t *a,
                                     const prism_gpu_pool_t *pool_b, const int32_t *b,
                                     int32_t *distance, int32_t pairs, prism_distance_mode_t mode,
                                     void *scratch, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
