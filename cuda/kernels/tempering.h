/* Parallel tempering of the fixed-k Potts model on the device: a thread block holds a
 * replica. The chain is the one of src/search/tempering.h, number by number: a heat
 * bath of exact integer draws over all vertices in order, then exchanges of
 * temperatures between the levels of base/ladder.h.
 *
 * A block's warps propose colours for consecutive vertices at once. A proposal stands
 * unless an earlier vertex of the batch changes its colour and is a neighbour; from the
 * first that does not stand, proposals are made again with the same random numbers, so
 * that the result does not depend on the number of warps.
 *
 * Counts come from a gamma table of bytes in shared memory (see gamma.cuh) or, where
 * it does not fit, are counted from the neighbours of each vertex in turn. A class
 * that outgrows a byte makes a replica count for a while; the moves stay the same.
 *
 * All calls are asynchronous on the given stream; nothing is read back. */
#ifndef PRISM_CUDA_KERNELS_TEMPERING_H
#define PRISM_CUDA_KERNELS_TEMPERING_H

#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#include "base/ladder.h"
#include "base/status.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How replicas of n vertices and k colours are laid out on the device. */
typedef struct prism_tempering_plan {
  int32_t table;       /* 1: gamma in shared memory; 0: counted */
  int32_t threads;     /* of a block: its warps are the vertices of a batch */
  size_t shared_bytes;
  int32_t resident;    /* replicas that the device holds at once */
} prism_tempering_plan_t;

/* One or several ladders with the same temperatures; device memory. Replica r of ladder
 * l is member l * levels + r. */
typedef struct prism_gpu_ladder {
  int32_t levels;
  int32_t ladders;
  int32_t *level_of;      /* [members] level of each replica */
  int32_t *replica_at;    /* [members] member at level i of ladder l: l * levels + i */
  const uint32_t *weight; /* [levels][PRISM_LADDER_WEIGHTS] of prism_ladder_weights */
  const uint64_t *factor; /* [levels - 1] of prism_ladder_factors */
  uint32_t *attempts;     /* [levels - 1] exchanges tried, summed over the ladders: added to */
  uint32_t *accepted;     /* [levels - 1] exchanges made: added to */
  uint64_t *round;        /* rounds so far: the random numbers */
} prism_gpu_ladder_t;

typedef struct prism_tempering_job {
  prism_gpu_pool_t state;    /* [members] the replicas and their f, in place */
  prism_gpu_pool_t best;     /* [members] their best; f INT32_MAX: none yet */
  prism_gpu_ladder_t ladder;
  int32_t sweeps;            /* of each replica in a round */
  uint64_t seed;
  uint32_t individual;       /* of the random numbers */
  uint64_t base;             /* first position of the random numbers */
  prism_gpu_hooks_t hooks;   /* `frozen` and `counter` have a meaning: as on the CPU, a vertex
                                in conflict at its turn was so since its last one */
  const uint32_t *stop;      /* not 0: end before the next sweep; NULL: never */
  uint32_t *solved;          /* set to 1 + member at f = 0, where the member then stays;
                                NULL: it goes on. May be `stop`: then all end */
  unsigned long long *moves; /* the draws made are added; NULL: not counted */
} prism_tempering_job_t;

/* Choose a layout. [in] threads, 0 for the default, a multiple of 32 up to 512;
 * [in] table -1 for the default, 0 or 1. PRISM_UNSUPPORTED: it does not fit. */
prism_status_t prism_tempering_plan(const prism_gpu_graph_t *graph, int32_t k, int32_t threads,
                                    int32_t table, prism_tempering_plan_t *out);

/* The sweeps of a round. state.f must be right; members = levels * ladders. */
prism_status_t prism_launch_tempering_sweeps(const prism_tempering_plan_t *plan,
                                             const prism_gpu_graph_t *graph,
                                             const prism_tempering_job_t *job,
                                             cudaStream_t stream);

/* The exchanges at the end of a round; counts the round. */
prism_status_t prism_launch_tempering_swap(const prism_tempering_job_t *job, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
