/* The way down: which k to search when the fewest colours known and the lower bound are
 * given.
 *
 * One k after the other wastes time while k is easy: each has its start, and what is
 * learned at one k helps little at the next. So the search goes ahead by several colours,
 * and what it has not quite solved is completed to a legal colouring (complete.h), which
 * closes the gap from above. Where k turns out too low it rises again; once a k was hard
 * the next is one less. Costs are in any one unit, seconds or moves: no clock is read
 * here, so that the same costs lead the same way. */
#ifndef PRISM_SOLVE_DESCENT_H
#define PRISM_SOLVE_DESCENT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct prism_descent {
  int32_t bound;    /* a lower bound */
  int32_t goal;     /* never below */
  double quick;     /* cost at which a k has had a fair try */
  int32_t k;        /* to search now */
  int32_t step;     /* down from the next solved k */
  double begin;     /* cost when it began */
  double fell;      /* cost when its fewest conflicts last fell */
  int64_t f;        /* those; -1: none yet */
  double mark;      /* cost when progress was last looked at */
  int64_t mark_f;   /* the fewest conflicts then */
} prism_descent_t;

/* k is the goal. [in] bound <= goal; [in] quick as above */
void prism_descent_init(prism_descent_t *descent, int32_t bound, int32_t goal, double quick);

/* Begin to go down. [in] best  fewest colours known, > goal; [in] cost  of the whole search
 * so far: 0, and they come from a construction. */
void prism_descent_begin(prism_descent_t *descent, int32_t best, double cost);

/* After each piece of work. [in] best  fewest colours known; [in] f  fewest conflicts at
 * descent->k, -1: not searched yet; [in] cost  of the whole search so far.
 * True when descent->k has changed. Not before prism_descent_begin. */
bool prism_descent_update(prism_descent_t *descent, int32_t best, int64_t f, double cost);

#endif
