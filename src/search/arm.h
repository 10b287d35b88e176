/* One method on one island at one k: its population and the search in progress,
 * as a state machine that can be advanced in slices of any length.
 *
 * A generation of a trajectory method (TABUCOL, PARTIALCOL, WEIGHTED) is L moves of
 * one individual; its tabu list ends with it. HEAD (Moalic & Gondran 2018): two
 * individuals, two GPX children, each searched for L moves, the best of earlier cycles
 * brought back. POOL: every member has a child with the best of a few others drawn at random
 * (Goldberg & Deb 1991), which takes its place, all at the same time (docs/EXPERIMENTS.md); a
 * child is a generation. A population that has converged without success begins anew with
 * longer searches, a pool where these keep its members apart with more of them. TEMPERING: L
 * updates of the replicas, by themselves a whole round; the one member is the coldest replica.
 * EXTRACTION: L steps of attempts of many generations; the one member is the best of them.
 * One thread. */
#ifndef PRISM_SEARCH_ARM_H
#define PRISM_SEARCH_ARM_H

#include "search/crossover.h"
#include "search/extraction.h"
#include "search/local.h"
#include "search/tempering.h"
#include "seam/engine.h"
#include "seam/lengths.h"

enum { PRISM_ARM_HEAD_MEMBERS = 2, PRISM_ARM_POOL_FIRST = 4, PRISM_ARM_POOL_MOST = 8 };

typedef struct prism_individual {
  int32_t *color; /* [view n]; owned */
  int64_t f;
} prism_individual_t;

typedef struct prism_arm {
  prism_method_t method;
  const prism_problem_t *problem; /* borrowed */
  int32_t k;
  uint64_t seed;
  uint32_t individual;            /* global id of the random streams */
  uint64_t draws;                 /* position of the pool streams */

  prism_local_t local;            /* all but TEMPERING and EXTRACTION */
  prism_tempering_t *tempering;   /* TEMPERING only; NULL until the first search; owned */
  prism_extraction_t *extraction; /* EXTRACTION only; likewise */
  prism_crossover_t crossover;    /* HEAD and POOL only */

  int32_t members;                /* in `member`; a trajectory has 1 */
  int32_t wanted;                 /* so many there shall be; the first POOL at a k is small */
  int32_t capacity;
  prism_individual_t *member;     /* [capacity] */
  prism_individual_t elite[2];    /* HEAD: best of this and of the last cycle; f < 0: none */
  prism_individual_t *child;      /* [capacity], HEAD and POOL only */
  prism_individual_t migrant;     /* waiting; f < 0: none */
  prism_individual_t best;        /* fewest conflicts at this k */
  bool founded;                   /* members were made */

  int64_t generation_iterations;  /* L */
  bool length_given;              /* L comes from the parameters and does not grow */
  bool size_given;                /* POOL: so does the number of members */
  prism_lengths_t lengths;        /* POOL: what is known of L */
  int32_t effort;                 /* EXTRACTION: of its first attempt; 0: as it chooses */
  int64_t left;                   /* moves still owed to the child in search */
  int32_t stage;                  /* HEAD, POOL: which child */
  int32_t cycle;                  /* HEAD: generations of this cycle; POOL: since progress */
  double least_distance;          /* POOL: of this population; negative: none yet */
  int64_t least_f;
  int32_t tournament;             /* POOL: a mate is the best of so many */
  bool searched;                  /* POOL: the members are not founders any more */
  double diversity;               /* mean distance / n, -1 for one individual */
  int64_t generations;
  int32_t restarts;
} prism_arm_t;

/* What one advance did. */
typedef struct prism_arm_step {
  int64_t iterations;
  int32_t generations;
  int64_t f; /* fewest conflicts seen in it */
  bool solved;
} prism_arm_step_t;

/* An arm without members. [in] hooks view numbering, borrowed, may be NULL. */
prism_status_t prism_arm_init(prism_arm_t *arm, prism_method_t method,
                              const prism_problem_t *problem, const prism_isa_t *isa,
                              const prism_hooks_t *hooks, int32_t k, uint64_t seed,
                              uint32_t individual, const prism_search_params_t *params);
void prism_arm_release(prism_arm_t *arm);

/* What the arm's extraction is made with. */
prism_extraction_setup_t prism_arm_extraction_setup(const prism_arm_t *arm);

/* Add a founder [view n], copied. Members beyond those wanted are ignored. */
prism_status_t prism_arm_found(prism_arm_t *arm, const int32_t *color);

/* Search for up to `iterations` moves; missing founders are drawn at random. Ends
 * early when a legal colouring was found (arm->best). */
prism_status_t prism_arm_advance(prism_arm_t *arm, const prism_search_params_t *params,
                                 int64_t iterations, const atomic_bool *stop,
                                 prism_arm_step_t *step);

/* Individuals that search: members, or replicas. */
int32_t prism_arm_individuals(const prism_arm_t *arm);

/* Let arm->best know of the search in progress, before its generation ends. O(n + m). */
void prism_arm_note_search(prism_arm_t *arm);

/* Offer a migrant [view n]. It waits for the next generation when it is different
 * enough from the members and not much worse. */
prism_status_t prism_arm_offer(prism_arm_t *arm, const int32_t *color,
                               prism_import_result_t *result);

#endif
