/* A CPU island: the arms of all methods at one k, and what they carry over to the
 * next k. Kernel numbering outside, view numbering inside. One thread at a time. */
#ifndef PRISM_SEARCH_ISLAND_H
#define PRISM_SEARCH_ISLAND_H

#include "search/arm.h"
#include "search/ground.h"

typedef struct prism_island {
  const prism_graph_t *kernel;    /* borrowed */
  prism_ground_list_t *grounds;   /* borrowed; shared by the engine's islands */
  const prism_isa_t *isa;
  uint64_t seed;
  uint32_t id;                    /* global */
  uint64_t draws;                 /* position of the island's own stream */

  int32_t k;                      /* 0: none yet */
  prism_ground_t *ground;
  prism_arm_t arm[PRISM_METHOD_COUNT];
  bool live[PRISM_METHOD_COUNT];  /* arm was initialised at this k */
  prism_method_t last;            /* method of the last work */

  int32_t *incumbent;             /* [kernel n] a complete colouring to start from; owned */
  int32_t incumbent_k;            /* 0: none */
  bool seeded;                    /* it was imported, and no work has begun from it */
  int32_t *mate;                  /* [kernel n] a second one, from a population; owned */
  int32_t mate_k;                 /* 0: none */
  int32_t *founder;               /* [founders][kernel n] more of them, from another engine's
                                     state, until the first k is left; owned */
  int32_t founders;
  int32_t founder_k;

  const prism_hooks_t *hooks;     /* kernel numbering, borrowed */
  prism_hooks_t mapped;           /* view numbering; arrays owned */
  int32_t *learned;               /* [2 m] edge weights carried over to the next k; owned */
  int32_t effort;                 /* so is that of an extraction's attempts; 0: none */
  uint32_t *counter[PRISM_COUNTER_COUNT]; /* [kernel n]; owned; NULL: not collected */
} prism_island_t;

prism_status_t prism_island_init(prism_island_t *island, const prism_graph_t *kernel,
                                 prism_ground_list_t *grounds, const prism_isa_t *isa,
                                 uint64_t seed, uint32_t id);
void prism_island_release(prism_island_t *island);

/* Take the ground of island->k, which has none, with the hooks on it. */
prism_status_t prism_island_stand(prism_island_t *island);

/* Global id of the random streams of a method's arm. */
static inline uint32_t prism_island_individual(const prism_island_t *island,
                                               prism_method_t method) {
  return island->id * 16u + (uint32_t)method;
}

/* Do a piece of work; see seam/engine.h. */
prism_status_t prism_island_work(prism_island_t *island, const prism_work_t *work,
                                 const atomic_bool *stop, prism_summary_t *summary);

prism_status_t prism_island_export(prism_island_t *island, int32_t which, uint32_t draw,
                                   int32_t *color, int32_t *k, int64_t *f);
prism_status_t prism_island_import(prism_island_t *island, const int32_t *color, int32_t k,
                                   bool seed, prism_import_result_t *result);
bool prism_island_ladder(const prism_island_t *island, prism_ladder_view_t *out);
/* In search/island_state.c; see seam/engine.h. */
prism_status_t prism_island_save(const prism_island_t *island, prism_island_state_t *state);
prism_status_t prism_island_restore(prism_island_t *island, const prism_island_state_t *state,
                                    bool *exact);
prism_status_t prism_island_hooks(prism_island_t *island, const prism_hooks_t *hooks);
prism_status_t prism_island_counters(prism_island_t *island, prism_counter_t which,
                                     uint32_t *values);

#endif
