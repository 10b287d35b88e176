/* A population on the device: colourings of one graph with k colours that a method
 * searches together, generation by generation.
 *
 * TABUCOL, WEIGHTED, PARTIALCOL: every member is searched on its own, each launch from
 * where the last one ended (PARTIALCOL: from its best). `child` holds their bests.
 * POOL: each generation every member mates with another drawn at random (GPX, Galinier
 * & Hao 1999), found by a tournament; the child is searched, and takes the place of its
 * first parent. New members are searched once before they mate. A pool that became alike
 * without a solution goes on in demes (population_demes.h).
 * TEMPERING: members are the replicas of ladders (population_tempering.h); `child` holds
 * the best of each in a generation.
 *
 * Where only the wide kernel fits (engine/searcher.h), so many members are searched at once
 * as there is memory for; with very many colours crossover would take too long, and a POOL
 * searches its members on their own. One thread at a time; all device work goes to the
 * stream of the call. */
#ifndef PRISM_CUDA_ENGINE_POPULATION_H
#define PRISM_CUDA_ENGINE_POPULATION_H

#include "engine/context.h"
#include "engine/meter.h"
#include "engine/population_tempering.h"
#include "engine/searcher.h"
#include "kernels/generation.h"
#include "runtime/graph.h"
#include "seam/engine.h"
#include "seam/lengths.h"

typedef struct prism_population_setup {
  prism_method_t method;
  int32_t k;
  const prism_gpu_graph_t *graph; /* device; borrowed */
  const prism_search_params_t *params;
  int32_t members;      /* so many, whatever the parameters say; 0: by these */
  uint64_t seed;
  uint32_t individual;  /* global id of member 0 */
  uint32_t *halt;       /* device flag that ends searches early; borrowed */
  cudaStream_t recorder; /* a stream that no other thread uses, for recording; borrowed */
  bool halts;           /* a solution sets it: then results depend on timing */
  const prism_gpu_hooks_t *hooks;   /* NULL: none; device arrays, borrowed */
  const int32_t *edge_weight;       /* device [2 m], NULL: all 1; borrowed for the call */
  double share;         /* of the GPU, 0 < share <= 1: another island has the rest */
  prism_stage_manager_t *stages; /* prism_gpu_stage of a generation; NULL: none; borrowed */
} prism_population_setup_t;

/* How a pool is doing; zero when it begins. */
typedef struct prism_population_progress {
  int64_t generations;
  double distance;          /* mean distance / n of the members, averaged over generations */
  double least_distance;
  int32_t least_f;
  int32_t since;            /* generations since one of the two fell */
} prism_population_progress_t;

typedef struct prism_population {
  prism_gpu_context_t *context; /* borrowed */
  prism_gpu_graph_t graph;
  prism_method_t method;
  int32_t k;
  uint64_t seed;
  uint32_t individual;
  uint32_t *halt;
  bool halts;
  float tenure_base, tenure_slope;

  double share;
  prism_stage_manager_t *stages; /* borrowed, may be NULL; only without params.graph */
  prism_searcher_t searcher;
  prism_gpu_tempering_t tempering; /* TEMPERING only */
  prism_gpu_hooks_t hooks;  /* device arrays, borrowed */
  int32_t members, wanted;  /* fewer than wanted: for want of memory */
  int64_t length;           /* moves of a member in a generation */
  bool length_given;        /* by the parameters: it does not change */
  bool size_given;          /* so does the number of members */
  bool enlarged;            /* a pool that has more members than it began with: no demes */
  bool mates;               /* a POOL whose crossover takes a reasonable time */
  bool fresh;               /* members that were not searched yet: no mating */
  bool inherited;           /* members of the last k */
  int32_t tournament;       /* of mates; it grows while nothing moves */
  bool tournament_given;
  int32_t deme_size;        /* wanted members of a deme; 0: demes from the second pool on */
  uint32_t ended;           /* demes that had begun anew in the last report ... */
  uint32_t round;           /* ... and when the length of their searches was chosen */
  uint32_t apart_ended, apart_round; /* the same of demes whose members stayed apart */
  prism_lengths_t lengths;  /* what is known of the length */
  int32_t least;            /* fewest conflicts of a member since then; INT32_MAX: no report yet */
  prism_population_progress_t progress; /* without demes */

  void *block;              /* all device memory below; owned */
  prism_gpu_control_t *control;
  prism_gpu_pool_t pool, child, best; /* best: 1 member */
  int32_t room;             /* rows of `pool` behind the members, for visitors */
  void *learned;            /* edge weights of the members; owned, may be NULL */
  prism_gpu_mating_t mating;
  void *scratch;            /* of crossover, distance and dissolve; owned, may be NULL */
  void *ground;             /* of the wide search; owned, may be NULL */

  cudaStream_t recorder;    /* borrowed: graphs are recorded on it, nothing runs there */
  prism_cuda_graph_t *search_graph, *mate_graph; /* owned */
  int64_t captured[2];      /* what they were recorded with; 0: not yet */
} prism_population_t;

/* Most bytes of a generation's input, a migrant or temperatures, and those of its report:
 * the control block, the best colouring, the exchanges of temperatures. */
size_t prism_population_input_bytes(int32_t n);
size_t prism_population_report_bytes(int32_t n);

/* Random members, or greedy ones for the wide search. Fewer than wanted when the memory is
 * short (population->members). PRISM_MEMORY when not even a handful fits, PRISM_UNSUPPORTED
 * for a method without a kernel or too many colours. */
prism_status_t prism_population_create(prism_gpu_context_t *context,
                                       const prism_population_setup_t *setup, cudaStream_t stream,
                                       prism_population_t *out);
void prism_population_release(prism_population_t *population, cudaStream_t stream);

/* Moves of a child in the first pool, unless they are given. */
int64_t prism_population_first_length(const prism_population_t *population);

/* Replace all members by random ones. */
prism_status_t prism_population_scatter(prism_population_t *population, cudaStream_t stream);

/* Other memory for so many members, or for fewer where there is not enough; who they are is the
 * caller's to say. Nothing of this population may be under way. Waits. */
prism_status_t prism_population_resize(prism_population_t *population, int32_t members,
                                       cudaStream_t stream);

/* Put a colouring [n] with from_k >= k colours in the place of the members from `row`
 * on; what has to be dissolved goes other ways in each. The host array may be reused. */
prism_status_t prism_population_place(prism_population_t *population, int32_t row, int32_t count,
                                      const int32_t *color, int32_t from_k, cudaStream_t stream);

/* Members row .. row + count - 1, complete with from_k >= k colours, are brought down to k as
 * above and counted. */
prism_status_t prism_population_adapt(prism_population_t *population, int32_t row, int32_t count,
                                      int32_t from_k, cudaStream_t stream);

/* The members of `other` (same graph and method, more colours), with their smallest
 * classes dissolved, become members of this one, as many as there is room for. */
prism_status_t prism_population_inherit(prism_population_t *population,
                                        const prism_population_t *other, cudaStream_t stream);

/* Members that begin with a colouring that is known: the others differ. */
int32_t prism_population_founders(const prism_population_t *population);

/* The exchanges of temperatures in a report; host memory. */
const void *prism_population_swaps(const prism_population_t *population, const void *report);

/* Queue one generation, and its report into `report` (device memory; NULL: none). The pass
 * of its stages is the caller's to finish. */
prism_status_t prism_population_queue(prism_population_t *population, void *report,
                                      cudaStream_t stream);

/* Start anew with wider cells: a class has outgrown the present ones. Where they do not fit
 * the wide search goes on. */
prism_status_t prism_population_widen(prism_population_t *population, cudaStream_t stream);

/* Member `row`; waits. [out] color [n]; f */
prism_status_t prism_population_read(const prism_population_t *population, int32_t row,
                                     int32_t *color, int64_t *f, cudaStream_t stream);

/* A member worth sending elsewhere, drawn with `draw`: any, of TEMPERING a coldest one.
 * Waits. */
prism_status_t prism_population_elite(const prism_population_t *population, uint32_t draw,
                                      int32_t *color, int64_t *f, cudaStream_t stream);

/* Partition distance of a colouring [n] with the same k to the nearest member of a pool, at
 * least; waits. -1: members that do not mate, nothing is measured. */
prism_status_t prism_population_nearest(prism_population_t *population, const int32_t *color,
                                        int32_t *distance, cudaStream_t stream);

#endif
