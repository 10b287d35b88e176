/* What becomes of populations between searches: copies by index, class sizes, random
 * colourings, fewer colours; and colours to and from the int32 of the other floors.
 *
 * Work of a call on c colourings: gather 2 n bytes read and written each; profile n
 * atomic additions; random n / 4 Philox blocks; dissolve O(n + from^2) by the block,
 * then one step for each moved vertex, which reads its degree's colours and scans
 * `to` counts.
 *
 * Device calls are asynchronous on the given stream. Index arrays are device memory;
 * NULL means i for entry i, negative entries are skipped, and no row that is written
 * may be named twice. */
#ifndef PRISM_CUDA_KERNELS_CONVERT_H
#define PRISM_CUDA_KERNELS_CONVERT_H

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Row to[i] of `out` = row from[i] of `in`, colours and f, i < count. The same n; no
 * row that is written may be one of those read. */
prism_status_t prism_launch_gather(const prism_gpu_pool_t *in, const int32_t *from,
                                   const prism_gpu_pool_t *out, const int32_t *to, int32_t count,
                                   cudaStream_t stream);

/* [out] size  device memory [count][k]: vertices of each class of row which[i] */
prism_status_t prism_launch_profile(const prism_gpu_pool_t *pool, const int32_t *which,
                                    int32_t count, int32_t *size, cudaStream_t stream);

/* Where the random numbers of a call come from: iteration *generation (device
 * memory), individual `individual` + i for entry i, purpose PRISM_RNG_INITIAL. */
typedef struct prism_convert_random {
  uint64_t seed;
  const uint64_t *generation;
  uint32_t individual;
} prism_convert_random_t;

/* Independent uniform colours for rows which[i]; f is not written. Vertex v takes
 * word v & 3 of draw v / 4, scaled to k. */
prism_status_t prism_launch_random(const prism_gpu_pool_t *pool, const int32_t *which,
                                   int32_t count, const prism_convert_random_t *random,
                                   cudaStream_t stream);

/* Device memory that prism_launch_dissolve needs beside the population. */
prism_status_t prism_dissolve_scratch_bytes(int32_t n, int32_t k, int32_t count, size_t *bytes);

/* Colourings with k colours become colourings with `to` < k, in place: the largest
 * classes keep their vertices and are renumbered from 0, largest first, ties by old
 * number; the vertices of the others go in random order where they make the fewest
 * conflicts, ties at random. The semantics of prism_seed_dissolve in
 * src/search/seeds.h. f is not written. The caller's pool has k = to from then on.
 * [in]  scratch  device memory as above; NULL when that is 0
 * Random numbers: prism_rng_shuffle of the moved vertices in ascending order with the
 * stream's own draws; word 0 of draw 2^23 + j breaks the ties of the j-th placing. */
prism_status_t prism_launch_dissolve(const prism_gpu_graph_t *graph, const prism_gpu_pool_t *pool,
                                     const int32_t *which, int32_t count, int32_t to,
                                     const prism_convert_random_t *random, void *scratch,
                                     cudaStream_t stream);

/* Host: colours of a row of a host mirror, and back. [n] each. */
static inline void prism_color_pack(const int32_t *color, int32_t n, uint16_t *row) {
  for (int32_t v = 0; v < n; ++v) row[v] = (uint16_t)color[v];
}
static inline void prism_color_unpack(const uint16_t *row, int32_t n, int32_t *color) {
  for (int32_t v = 0; v < n; ++v) color[v] = row[v];
}

#ifdef __cplusplus
}
#endif

#endif
