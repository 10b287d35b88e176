/* Parallel tempering of the Potts model with a fixed number of colours (Swendsen &
 * Wang 1986; Geyer 1991; Hukushima & Nemoto 1996): the energy of a colouring is its
 * number f of conflicting edges, and replica r samples P(colouring) ~ exp(-f / T)
 * at the temperature T of its level in a ladder (base/ladder.h).
 *
 * A sweep is a heat bath: every vertex in turn, whether in conflict or not, draws its
 * colour c with P(c) ~ exp(-gamma[v][c] / T), gamma the number of its neighbours with
 * colour c. This leaves the Boltzmann distribution as it is. After `sweeps` sweeps of
 * each replica - a round - neighbouring levels exchange their replicas.
 *
 * The draw is defined in whole numbers, so that every engine makes the same one: with
 * w(c) the weight of gamma[v][c] above the least count of v and W their sum, the
 * colours stand in the order 0, 32, 64, ..., 1, 33, ..., and the first whose running
 * sum of w exceeds (random * W) / 2^32 is taken.
 *
 * Counts are kept in a gamma table per replica, or counted anew for each vertex where
 * the graph is sparse or large; both make the same moves. One thread. */
#ifndef PRISM_SEARCH_TEMPERING_H
#define PRISM_SEARCH_TEMPERING_H

#include <stdatomic.h>

#include "base/ladder.h"
#include "search/problem.h"
#include "search/rows.h"
#include "seam/engine.h"

typedef struct prism_tempering {
  const prism_problem_t *problem; /* borrowed */
  const prism_hooks_t *hooks;     /* view numbering, borrowed; NULL: none */
  int32_t n, k, replicas;
  uint64_t seed;
  uint32_t individual;
  uint64_t base;         /* first position of the random numbers */

  prism_ladder_t ladder;
  uint32_t *weight;      /* [replicas][PRISM_LADDER_WEIGHTS] by level */
  uint64_t *factor;      /* [replicas - 1] */
  int32_t *level_of;     /* [replicas] */
  int32_t *replica_at;   /* [replicas] of each level */
  uint32_t *attempts;    /* [replicas - 1] of this window */
  uint32_t *accepted;
  double swap_rate;      /* share of exchanges made in the last window, or since the ladder is
                            frozen; 0: not known yet */

  int32_t *color;        /* [replicas][n] */
  int64_t *f;            /* [replicas] */
  uint16_t *gamma;       /* [replicas][n][stride]; NULL: counted anew */
  int32_t stride;
  uint32_t *count;       /* [k] scratch: neighbours by colour */
  uint32_t *share;       /* [k] scratch: weights */

  uint64_t round;        /* where the next update is: round, replica, sweep, vertex */
  int32_t replica, sweep, vertex;

  int32_t *best_color;   /* [n] fewest conflicts since the start */
  int64_t best_f;
  bool best_pending;     /* the present replica holds it, not copied yet */
  int64_t least_f;       /* fewest since the caller last set it */
  uint32_t *counter[PRISM_COUNTER_COUNT]; /* [n] each; NULL: not collected */
} prism_tempering_t;

typedef struct prism_tempering_setup {
  const prism_problem_t *problem;
  const prism_hooks_t *hooks; /* of these, `frozen` and `counters` have a meaning here */
  int32_t k;
  uint64_t seed;
  uint32_t individual;        /* global id: the random stream */
  uint64_t base;
  const prism_ladder_params_t *ladder;
  prism_ladder_t *resumed;    /* a ladder to go on with instead, taken over; NULL: none */
} prism_tempering_setup_t;

/* Replicas that all begin with `color` [n], complete, conflicts allowed.
 * PRISM_UNSUPPORTED: more vertices than there are random numbers. */
prism_status_t prism_tempering_create(const prism_tempering_setup_t *setup, const int32_t *color,
                                      prism_tempering_t **out);
void prism_tempering_destroy(prism_tempering_t **tempering);

/* Make f, counts and weights fit the colours and the ladder again, after these were set from
 * outside. O(replicas (n k + m)). */
void prism_tempering_recount(prism_tempering_t *tempering);

/* Make up to `iterations` updates: draws of a vertex's colour, whether it changes or
 * not, summed over the replicas. Ends at f = 0 when `until_legal`. best_color is up
 * to date afterwards. [out] used: updates made. O(k) an update, O(degree) a change. */
prism_status_t prism_tempering_run(prism_tempering_t *tempering, int64_t iterations,
                                   bool until_legal, const atomic_bool *stop, int64_t *used);

/* All replicas and what their ladder has learned, between two runs. */
void prism_tempering_save(const prism_tempering_t *tempering, prism_rows_t *rows,
                          prism_pack_t *pack);
/* Replicas that go on from there; setup->base and ->ladder are not looked at, `color` as in
 * create. Usable whatever was read: the source's unpack says whether it was true.
 * PRISM_MEMORY, PRISM_UNSUPPORTED. */
prism_status_t prism_tempering_restore(const prism_tempering_setup_t *setup, const int32_t *color,
                                       const prism_row_source_t *source,
                                       prism_tempering_t **out);

/* Updates of a round. */
static inline int64_t prism_tempering_round(const prism_tempering_t *t) {
  return (int64_t)t->replicas * t->ladder.sweeps * t->n;
}

#endif
