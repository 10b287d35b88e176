/* PartialCol on the device (Blochliger & Zufferey 2008): the search goes through legal
 * partial colourings. A move gives an uncoloured vertex a colour; its neighbours of
 * that colour become uncoloured, and the colour is tabu for them. The objective is the
 * number (or the weight) of the uncoloured vertices.
 *
 * The scheme is that of tabucol.h: gamma in the shared memory of a block or a cluster,
 * every uncoloured vertex hosted by a lane. A move changes one row of gamma, by the
 * neighbours of the vertex that enters the class and of those that leave it; which
 * they are, every warp reads from the bits of the class.
 *
 * A search starts from a complete colouring: of two neighbours of one colour the
 * higher becomes uncoloured, never a frozen one. The best partial colouring is
 * completed: every uncoloured vertex, in order, gets the colour of its fewest
 * neighbours, and f counts the conflicts of that.
 *
 * All calls are asynchronous on the given stream; none is collective. */
#ifndef PRISM_CUDA_KERNELS_PARTIALCOL_H
#define PRISM_CUDA_KERNELS_PARTIALCOL_H

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
typedef struct prism_partialcol_plan {
  int32_t cell_bytes;       /* 1 or 2 */
  bool hooked;              /* a job may have hooks */
  int32_t cluster;          /* blocks that share an individual, a power of two */
  int32_t threads;          /* of a block */
  int32_t words_per_thread; /* 1, 2 or 4: gamma words of each row that a thread owns */
  int32_t ring;             /* slots of the tabu calendar, a power of two */
  int32_t entries;          /* tabu pairs that the calendar of a block holds */
  size_t shared_bytes;      /* of a block */
  int32_t resident;         /* individuals that the device holds at once */
} prism_partialcol_plan_t;

/* What a launch searches. Pointers are device memory. */
typedef struct prism_partialcol_job {
  prism_gpu_pool_t start;       /* [members] complete, conflicts allowed */
  prism_gpu_pool_t best;        /* [members] completed best colourings, f; may be `start` */
  int64_t iterations;           /* moves of each individual, below 2^32 */
  bool reactive;                /* tenure by the FOO scheme, otherwise as in TabuCol */
  float tenure_base, tenure_slope;
  uint64_t seed;
  uint32_t first_individual;    /* global id of member 0, for the random numbers */
  const uint64_t *generation;   /* counter of the launches, for the random numbers */
  const uint32_t *stop;         /* not 0: end at the next look; NULL: never */
  uint32_t *solved;             /* set to 1 + member when f = 0 is reached */
  uint32_t *outgrown;           /* raised by each individual that ends or does not begin
                                   because a count might not fit its cell */
  unsigned long long *moves;    /* sum of the moves made is added */
  prism_gpu_hooks_t hooks;      /* all NULL unless the plan is for hooks. The weights around
                                   a vertex add up to at most 32000, with frozen vertices
                                   to 16000 */
} prism_partialcol_job_t;

/* Choose a layout. `threads`, `words_per_thread`, `cell_bytes`: 0 for the measured
 * choice, otherwise taken as given; hooks need cells of 2 bytes and get them.
 * PRISM_UNSUPPORTED: no layout fits the device's shared memory (or the graph has no
 * bit rows). */
prism_status_t prism_partialcol_plan(const prism_gpu_graph_t *graph, int32_t k, bool hooked,
                                     int32_t threads, int32_t words_per_thread,
                                     int32_t cell_bytes, prism_partialcol_plan_t *out);

/* Search all members of the job. */
prism_status_t prism_launch_partialcol(const prism_partialcol_plan_t *plan,
                                       const prism_gpu_graph_t *graph,
                                       const prism_partialcol_job_t *job, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
