/* The portfolio: which method an island runs next.
 *
 * Each method has a share of the time at the present k, from what it achieved on
 * this graph: solving earlier k, and getting closer to zero conflicts at this one.
 * The method that is furthest behind its share runs next (stride scheduling), so a
 * choice needs no random numbers and nobody starves. One per island; one thread. */
#ifndef PRISM_SOLVE_PORTFOLIO_H
#define PRISM_SOLVE_PORTFOLIO_H

#include <stdbool.h>
#include <stdint.h>

#include "seam/engine.h"

typedef struct prism_portfolio_arm {
  bool allowed;
  double prior;    /* successes taken for granted */
  double credit;   /* successes, weighted by effort, fading */
  double history;  /* cost of earlier k, fading likewise */
  double spent;    /* cost at this k */
  int64_t f_best;  /* fewest conflicts at this k; -1: has not run */
} prism_portfolio_arm_t;

typedef struct prism_portfolio {
  int32_t k;            /* 0: none yet */
  int32_t offset;       /* first method of this island */
  double others;        /* part of a non-leading method's share that is spent here */
  double total;         /* cost at this k */
  double pace;          /* cost of the latest successes, averaged */
  double least_pace;
  prism_portfolio_arm_t arm[PRISM_METHOD_COUNT];
} prism_portfolio_t;

typedef struct prism_portfolio_setup {
  uint32_t methods;  /* PRISM_METHOD_BIT of those that may run, not 0 */
  int32_t favorite;  /* a prism_method_t that gets the benefit of the doubt, or -1 */
  double doubt;      /* successes of the favourite taken for granted, in those of others */
  int32_t island;    /* global number of this island: islands begin with different methods */
  int32_t islands;   /* of the whole run: they share the cost of trying the others, >= 1 */
  double pace;       /* cost below which a success counts as quick, > 0 */
} prism_portfolio_setup_t;

void prism_portfolio_init(prism_portfolio_t *portfolio, const prism_portfolio_setup_t *setup);

/* Methods of an island that runs `able`, as the user wants it: `only` is a
 * prism_method_t or -1 for a choice of methods; `tempering` lets it take part in that
 * choice. HEAD and POOL both breed, with two individuals and with more: of an island that
 * can do both only POOL takes part, and it stands in for a HEAD that is not to be had.
 * 0: nothing is left for this island. */
uint32_t prism_portfolio_methods(uint32_t able, int32_t only, bool tempering);

/* A new k: spent time and conflicts start anew, what was learned fades a little. */
void prism_portfolio_begin(prism_portfolio_t *portfolio, int32_t k);

/* Method to run next at the present k. */
prism_method_t prism_portfolio_choose(const prism_portfolio_t *portfolio);

/* What a ticket brought. [in] cost  seconds, or moves in a deterministic run. */
void prism_portfolio_reward(prism_portfolio_t *portfolio, const prism_summary_t *summary,
                            double cost);

/* `method`, on whatever island, solved the k that this one worked on. */
void prism_portfolio_solved(prism_portfolio_t *portfolio, prism_method_t method);

#endif
