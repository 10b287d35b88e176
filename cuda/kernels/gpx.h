/* Greedy partition crossover (Galinier & Hao 1999) for whole populations on the
 * device: a thread block makes one child. The semantics are those of
 * prism_crossover_gpx in src/search/crossover.h, with a random first parent.
 *
 * Work of one child: the block lists the classes of both parents (O(n / threads));
 * then one warp takes k classes, each step a scan of k sizes and of one class's
 * members (about k / 32 + members / 32 shared memory accesses in a row, no barrier);
 * then the block colours what is left.
 *
 * Asynchronous on the given stream; nothing is read back. */
#ifndef PRISM_CUDA_KERNELS_GPX_H
#define PRISM_CUDA_KERNELS_GPX_H

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prism_gpx_options {
  uint64_t seed;
  const uint64_t *generation; /* device memory: iteration of the random numbers */
  uint32_t individual;        /* global id of child 0 */
  int32_t first_share;        /* per mille of the classes that come from the first parent,
                                 evenly spread from a random start; 500: alternately */
} prism_gpx_options_t;

/* Device memory that a launch needs beside the populations: 0 unless parents of n
 * vertices and k colours do not fit the shared memory of the current device. */
prism_status_t prism_gpx_scratch_bytes(int32_t n, int32_t k, int32_t children, size_t *bytes);

/* Child i, row i of `out`, from rows first[i] and second[i] of `in`, 0-based (they
 * may be the same). A negative index leaves row i of `out` as it is.
 * [in]  first, second  device memory [children]
 * [out] out            same n and k, other rows than the parents'; its f is not written
 * [in]  scratch        device memory as above; NULL when that is 0
 * Random numbers: purpose PRISM_RNG_CROSSOVER, individual + i, iteration *generation.
 * Word 0 of draw 0 is the start (times 1000, rounded down, is added to the first
 * step's share); word c & 3 of draw 1 + c / 4 breaks the ties of step c (pick-th of
 * the largest classes in ascending order); word v & 3 of draw 1 + (k + 3) / 4 + v / 4
 * colours vertex v when no class covered it. */
prism_status_t prism_launch_gpx(const prism_gpu_pool_t *in, const int32_t *first,
                                const int32_t *second, const prism_gpu_pool_t *out,
                                int32_t children, const prism_gpx_options_t *options,
                                void *scratch, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
