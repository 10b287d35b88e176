/* TabuCol on the device (Hertz & de Werra 1987; tenure of Galinier & Hao 1999, with
 * aspiration): many individuals at once, a thread block or a cluster of blocks each.
 *
 * The gamma table of an individual lies in shared memory, its columns divided among
 * the threads: whoever owns a vertex alone writes its counts. Every conflicting
 * vertex is hosted by a lane of the block, which keeps its fewest allowed count, the
 * number of colours that reach it and one of them drawn at random, up to date in
 * O(1) per move. When that colour goes, a bound is left, and the row is scanned again, by
 * the whole warp, only if by the bound its vertex may be the next to move. Each warp
 * writes its best move to a record; after a barrier all warps read the records and agree,
 * change gamma, and after a second barrier follow the change.
 *
 * Any lane hosts any vertex of its block. With more conflicts than lanes (the first moves
 * of a random start) the others wait, and hosted ones without an improving move give way.
 *
 * All calls are asynchronous on the given stream; none is collective. */
#ifndef PRISM_CUDA_KERNELS_TABUCOL_H
#define PRISM_CUDA_KERNELS_TABUCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#include "base/status.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a search of n vertices and k colours is laid out on the device. */
typedef struct prism_tabucol_plan {
  int32_t cell_bits;        /* 6, 8 or 16 */
  int32_t cluster;          /* blocks that share an individual, a power of two */
  int32_t threads;          /* of a block */
  int32_t words_per_thread; /* 1, 2 or 4: gamma words of each row that a thread owns */
  int32_t ring;             /* slots of the tabu calendar, a power of two */
  size_t shared_bytes;      /* of a block */
  int32_t resident;         /* individuals that the device holds at once */
} prism_tabucol_plan_t;

/* What a launch searches. Pointers are device memory. */
typedef struct prism_tabucol_job {
  prism_gpu_pool_t start;         /* [members] where they begin */
  prism_gpu_pool_t best;          /* [members] their best colourings and f; may be `start` */
  prism_gpu_pool_t last;          /* [members] where they end; may be `start`; no color: NULL */
  prism_gpu_hooks_t hooks;        /* vertex_weight is not used */
  int64_t iterations;             /* moves of each individual */
  float tenure_base, tenure_slope;
  uint64_t seed;
  uint32_t first_individual;      /* global id of member 0, for the random numbers */
  const uint64_t *generation;     /* counter of the launches, for the random numbers */
  const uint32_t *stop;           /* not 0: end at the next look; NULL: never */
  uint32_t *solved;               /* set to 1 + member when f = 0 is reached */
  uint32_t *outgrown;             /* raised by each individual that ends or does not begin
                                     because a count might not fit its cell */
  unsigned long long *moves;      /* sum of the moves made is added */
} prism_tabucol_job_t;

/* Choose a layout. `threads`, `words_per_thread`, `cell_bits`: 0 for the measured
 * choice, otherwise taken as given. PRISM_UNSUPPORTED: no layout fits the device's
 * shared memory (or the graph has no bit rows); use the wide kernel. */
prism_status_t prism_tabucol_plan(const prism_gpu_graph_t *graph, int32_t k, int32_t threads,
                                  int32_t words_per_thread, int32_t cell_bits,
                                  prism_tabucol_plan_t *out);

/* Search all members of the job. */
prism_status_t prism_launch_tabucol(const prism_tabucol_plan_t *plan,
                                    const prism_gpu_graph_t *graph,
                                    const prism_tabucol_job_t *job, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
