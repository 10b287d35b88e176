/* Colouring by extraction, for graphs that few large cliques cover: about two thirds of the
 * classes are taken out one after the other as independent sets (Wu & Hao 2012), and only what
 * is left is searched, by TabuCol, with the colours that are left.
 *
 * A set is good when it meets nearly all cliques: a vertex weighs the sum over its cliques C of
 * beta^(|C| - colours left), |C| counted among the vertices left, and the heaviest set is looked
 * for by annealing (heavy_set.h). A vertex with fewer neighbours left than colours left can
 * always be coloured last, and is left out. An attempt that fails is followed by one from
 * nothing with searches four times as long, up to a limit, then as short as at first
 * (docs/EXPERIMENTS.md, "Graphs of many overlapping cliques"). One thread. */
#ifndef PRISM_SEARCH_EXTRACTION_H
#define PRISM_SEARCH_EXTRACTION_H

#include "search/cover.h"
#include "search/heavy_set.h"
#include "search/local.h"
#include "search/rows.h"
#include "seam/engine.h"

typedef enum prism_extraction_stage {
  PRISM_EXTRACTION_TAKE, /* classes, one after the other */
  PRISM_EXTRACTION_REST, /* TabuCol on what is left */
  PRISM_EXTRACTION_STAGES
} prism_extraction_stage_t;

enum { PRISM_EXTRACTION_MOST_EFFORT = 1 << 14 };

typedef struct prism_extraction_setup {
  const prism_problem_t *problem; /* borrowed */
  const prism_isa_t *isa;
  int32_t k;
  uint64_t seed;
  uint32_t individual;            /* global id: the random streams */
  uint64_t position;              /* first position of the random numbers */
  int32_t tenure_longest;         /* bounds every tenure of the moves */
  int32_t effort;                 /* of the first attempt; 0: chosen here */
} prism_extraction_setup_t;

typedef struct prism_extraction {
  prism_extraction_setup_t setup; /* `position` moves on with every step */
  int32_t n, taken;               /* classes that are extracted, 0 .. k - 1 */
  prism_cover_t *cover;

  int32_t attempt;                /* begun so far */
  prism_extraction_stage_t stage;
  int32_t turn;                   /* the class at work */
  int32_t effort;                 /* steps of this attempt for each vertex of the core */
  int32_t *class_of;              /* [n] 0 .. taken - 1; -1: none */

  int32_t *core;                  /* [n] vertices of the core, ascending */
  int32_t cores;
  int32_t *place;                 /* [n] of each in `core`; -1: not in it */
  int32_t *peeled;                /* [n] vertices left out, in that order */
  int32_t peels;
  int32_t *scratch;               /* [n] */
  double *mass;                   /* [n] scratch: weights before they are rounded */
  prism_heavy_set_t set;          /* in the numbering of the core */

  prism_graph_t *rest;            /* the core as a graph of its own, in REST only; owned */
  prism_problem_t *rest_problem;  /* owned */
  prism_local_t local;
  int64_t rest_left;              /* moves */

  int32_t *best_color;            /* [n] fewest conflicts since the start */
  int64_t best_f;
  bool tried;                     /* an attempt came to its end: best_f says something */
} prism_extraction_t;

/* Nothing is extracted yet; `color` [n], complete, is the best so far. */
prism_status_t prism_extraction_create(const prism_extraction_setup_t *setup,
                                       const int32_t *color, prism_extraction_t **out);
void prism_extraction_destroy(prism_extraction_t **extraction);

/* Up to `budget` steps: of annealing, or moves of TabuCol. Ends at f = 0. best_color is up to
 * date afterwards. [out] used: steps done. A failure can be of PRISM_MEMORY only. */
prism_status_t prism_extraction_run(prism_extraction_t *extraction,
                                    const prism_search_params_t *params, int64_t budget,
                                    const atomic_bool *stop, int64_t *used);

/* Forget the tabu list of the rest, if that is at work: then a saved state needs none, and what
 * follows it is the same. */
prism_status_t prism_extraction_forget_tabu(prism_extraction_t *extraction);

/* Where it is, between two runs. */
void prism_extraction_save(const prism_extraction_t *extraction, prism_rows_t *rows,
                           prism_pack_t *pack);
/* One that goes on from there; setup->position is not looked at, `color` as in create. Usable
 * whatever was read: the source's unpack says whether it was true. PRISM_MEMORY. */
prism_status_t prism_extraction_restore(const prism_extraction_setup_t *setup,
                                        const int32_t *color, const prism_row_source_t *source,
                                        prism_extraction_t **out);

/* ---- for extraction_state.c ---- */

/* The core of what has no class, the weights of its vertices, nothing in the set. */
void prism_extraction_weigh(prism_extraction_t *extraction);
/* Begin the search for the class at work with `done` steps gone. */
void prism_extraction_begin_set(prism_extraction_t *extraction, int64_t done);
/* Steps of that search. */
int64_t prism_extraction_set_steps(const prism_extraction_t *extraction);
/* The core of what is left as a problem of its own, and a local search in it without a
 * coloring. */
prism_status_t prism_extraction_make_rest(prism_extraction_t *extraction);
/* Moves of TabuCol in this attempt. */
int64_t prism_extraction_rest_moves(const prism_extraction_t *extraction);

#endif
