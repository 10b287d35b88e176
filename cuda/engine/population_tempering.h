/* What a tempering population has beside its members: ladders of replicas with the same
 * temperatures (base/ladder.h), which the host tunes by the exchanges that the device
 * reports.
 *
 * A generation is a number of rounds. The counts of its exchanges come down with its
 * report; new temperatures go up with the input of the next generation. Generations that
 * are under way meanwhile still run at the old ones and are left out of the
 * measurement, so that the same generations give the same temperatures, whatever their
 * timing. One thread. */
#ifndef PRISM_CUDA_ENGINE_POPULATION_TEMPERING_H
#define PRISM_CUDA_ENGINE_POPULATION_TEMPERING_H

#include "engine/context.h"
#include "kernels/tempering.h"

typedef struct prism_gpu_tempering {
  prism_ladder_t ladder;     /* owned, as all below */
  int32_t rounds;            /* of a generation */
  prism_gpu_ladder_t device; /* in `block` */
  void *block;
  uint32_t *counts;          /* [2][levels - 1] exchanges tried and made when the present
                                window began */
  int32_t window;            /* rounds measured in it */
  int32_t under_way;         /* generations submitted and not reported */
  int32_t outdated;          /* of these, how many run at old temperatures */
  bool changed;              /* new temperatures wait to go up */
  double swap_rate;          /* share of exchanges made in the last window; 0: not known */
} prism_gpu_tempering_t;

enum { PRISM_GPU_TEMPERING_ROUNDS = 100 }; /* in a generation, at most: launches of a CUDA graph */

/* Where the replicas of a population are; host memory. */
typedef struct prism_gpu_exchanges {
  uint64_t round;      /* rounds so far */
  uint32_t *counts;    /* [2][levels - 1] exchanges tried and made in the present window */
  int32_t *replica_at; /* [members] as in prism_gpu_ladder_t */
} prism_gpu_exchanges_t;

/* Temperatures for a graph of n vertices and k colours.
 * [in]  moves    of a replica in a generation; 0: chosen here
 * [out] members  as many ladders as the device holds at once (`resident` replicas), one at
 *                least; length: moves of a replica in a generation.
 * PRISM_INVALID: parameters that make no ladder. */
prism_status_t prism_gpu_tempering_init(prism_gpu_tempering_t *tempering,
                                        const prism_ladder_params_t *params, int32_t n,
                                        int32_t k, int32_t resident, int64_t moves,
                                        int32_t *members, int64_t *length);

/* Device memory for `members` replicas, a multiple of the levels; waits. PRISM_MEMORY */
prism_status_t prism_gpu_tempering_open(prism_gpu_tempering_t *tempering,
                                        prism_gpu_context_t *context, int32_t k, int32_t members,
                                        cudaStream_t stream);
void prism_gpu_tempering_release(prism_gpu_tempering_t *tempering, prism_gpu_context_t *context,
                                 cudaStream_t stream);

/* Queue the rounds of a generation. [in] job  all but its ladder and sweeps */
prism_status_t prism_gpu_tempering_queue(const prism_gpu_tempering_t *tempering,
                                         const prism_tempering_plan_t *plan,
                                         const prism_gpu_graph_t *graph,
                                         const prism_tempering_job_t *job, cudaStream_t stream);

/* Room for temperatures in a generation's input and for exchanges in its report. */
size_t prism_gpu_tempering_input_bytes(void);
size_t prism_gpu_tempering_report_bytes(void);

/* A generation is about to be submitted: fill its input, host memory. Returns the bytes; 0:
 * the temperatures stay. */
size_t prism_gpu_tempering_send(prism_gpu_tempering_t *tempering, int32_t k, void *input);
/* Queue what the device does with such an input, and with the counts for its report. */
prism_status_t prism_gpu_tempering_receive(const prism_gpu_tempering_t *tempering,
                                           const void *input, cudaStream_t stream);
prism_status_t prism_gpu_tempering_tell(const prism_gpu_tempering_t *tempering, void *report,
                                        cudaStream_t stream);
/* The report of the oldest generation, on the host. PRISM_MEMORY */
prism_status_t prism_gpu_tempering_hear(prism_gpu_tempering_t *tempering, const void *report);

/* Between generations: where the replicas are, and putting them there, at the temperatures that
 * the ladder has now; both wait. PRISM_MEMORY */
prism_status_t prism_gpu_tempering_get(const prism_gpu_tempering_t *tempering, int32_t members,
                                       prism_gpu_exchanges_t *at, cudaStream_t stream);
prism_status_t prism_gpu_tempering_put(prism_gpu_tempering_t *tempering, int32_t k,
                                       int32_t members, const prism_gpu_exchanges_t *at,
                                       cudaStream_t stream);

/* The coldest replica of a ladder drawn with `draw`; waits. [out] member */
prism_status_t prism_gpu_tempering_coldest(const prism_gpu_tempering_t *tempering, uint32_t draw,
                                           cudaStream_t stream, int32_t *member);

#endif
