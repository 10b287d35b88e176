#include "solve/portfolio.h"

#include <math.h>
#include <string.h>

/* Nobody's share falls below this: a planted colouring gives no sign before it is
 * found, so a method that looks bad may still be the one that gets there. */
static const double floor_share = 0.04;
/* ... and the longer all of them search in vain, the more this is likely, of those that are not
 * far behind. */
static const double floor_growth = 0.08;
static const double floor_patience = 100.0; /* times pace */
static const double memory = 0.7;      /* of earlier k, per new k */
static const double prior_credit = 0.15; /* successes and ... */
static const double prior_cost = 0.5;  /* ... cost (times pace) taken for granted */
static const double sharpness = 2.0;   /* of the comparison by conflicts */

void prism_portfolio_init(prism_portfolio_t *portfolio, const prism_portfolio_setup_t *setup) {
  enum { MOST = 4 }; /* islands that share: beyond it every method is tried somewhere anyway */
  memset(portfolio, 0, sizeof *portfolio);
  portfolio->pace = portfolio->least_pace = setup->pace;
  portfolio->offset = setup->island % PRISM_METHOD_COUNT;
  portfolio->others = 1.0 / (setup->islands < MOST ? setup->islands : MOST);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_portfolio_arm_t *arm = &portfolio->arm[m];
    arm->allowed = (setup->methods & PRISM_METHOD_BIT(m)) != 0;
    arm->prior = m == setup->favorite ? setup->doubt * prior_credit : prior_credit;
    arm->f_best = -1;
  }
}

uint32_t prism_portfolio_methods(uint32_t able, int32_t only, bool tempering) {
  const uint32_t head = PRISM_METHOD_BIT(PRISM_METHOD_HEAD);
  const uint32_t pool = PRISM_METHOD_BIT(PRISM_METHOD_POOL);
  if (only >= 0) {
    uint32_t wanted = able & PRISM_METHOD_BIT(only);
    return wanted == 0 && only == PRISM_METHOD_HEAD ? able & pool : wanted;
  }
  uint32_t methods = able;
  if ((able & pool) != 0) methods &= ~head; /* both breed, and a pool does it better */
  if (!tempering) methods &= ~PRISM_METHOD_BIT(PRISM_METHOD_TEMPERING);
  return methods;
}

void prism_portfolio_begin(prism_portfolio_t *portfolio, int32_t k) {
  portfolio->k = k;
  portfolio->total = 0.0;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_portfolio_arm_t *arm = &portfolio->arm[m];
    arm->credit *= memory;
    arm->history = memory * (arm->history + arm->spent);
    arm->spent = 0.0;
    arm->f_best = -1;
  }
}

/* Estimated successes per cost, as of a Poisson process with a Gamma prior. */
static double rate(const prism_portfolio_t *portfolio, int m) {
  const prism_portfolio_arm_t *arm = &portfolio->arm[m];
  return (arm->prior + arm->credit) /
         (prior_cost * portfolio->pace + arm->history + arm->spent);
}

static int64_t fewest_conflicts(const prism_portfolio_t *portfolio) {
  int64_t least = INT64_MAX;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    const prism_portfolio_arm_t *arm = &portfolio->arm[m];
    if (arm->allowed && arm->f_best >= 0 && arm->f_best < least) least = arm->f_best;
  }
  return least;
}

/* How far behind the best an arm is. Who has not run yet is taken to be as good as the best, and
 * a population needs time before its conflicts say anything. */
static double behind(const prism_portfolio_t *portfolio, int m) {
  const prism_portfolio_arm_t *arm = &portfolio->arm[m];
  if (arm->f_best < 0) return 0.0;
  const int64_t least = fewest_conflicts(portfolio);
  return (double)(arm->f_best - least) / (double)(least + 1) * arm->spent /
         (arm->spent + portfolio->pace);
}

/* Weight of an arm before normalisation. */
static double weight(const prism_portfolio_t *portfolio, int m) {
  const double r = rate(portfolio, m);
  return r * r * exp(-sharpness * behind(portfolio, m));
}

/* [out] least [PRISM_METHOD_COUNT] of the time that each arm gets in any case.
 * Returns their sum. */
static double floors(const prism_portfolio_t *portfolio, double *least) {
  const double patience = floor_patience * portfolio->pace;
  const double growth = floor_growth * portfolio->total / (portfolio->total + patience);
  double sum = 0.0;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    least[m] = portfolio->arm[m].allowed ? floor_share + growth * exp(-behind(portfolio, m)) : 0.0;
    sum += least[m];
  }
  return sum;
}

/* [out] share [PRISM_METHOD_COUNT] of the time, 0 for those not allowed. The leader
 * takes what the others leave. */
static void shares(const prism_portfolio_t *portfolio, double *share) {
  double sum = 0.0, rest = 1.0, least[PRISM_METHOD_COUNT];
  const double given = floors(portfolio, least);
  int leader = -1;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    share[m] = portfolio->arm[m].allowed ? weight(portfolio, m) : 0.0;
    if (!portfolio->arm[m].allowed) continue;
    sum += share[m];
    if (leader < 0 || share[m] > share[leader]) leader = m;
  }
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    if (!portfolio->arm[m].allowed || m == leader) continue;
    share[m] = (least[m] + (1.0 - given) * share[m] / sum) * portfolio->others;
    rest -= share[m];
  }
  share[leader] = rest;
}

prism_method_t prism_portfolio_choose(const prism_portfolio_t *portfolio) {
  double share[PRISM_METHOD_COUNT], best_lag = 0.0;
  int best = -1;
  shares(portfolio, share);
  for (int i = 0; i < PRISM_METHOD_COUNT; ++i) {
    int m = (i + portfolio->offset) % PRISM_METHOD_COUNT;
    if (!portfolio->arm[m].allowed) continue;
    /* Behind its share, measured in its own pace: at the start the largest share. */
    double lag = (portfolio->arm[m].spent + 1e-9) / share[m];
    if (best < 0 || lag < best_lag * (1.0 - 1e-12)) {
      best = m;
      best_lag = lag;
    }
  }
  return (prism_method_t)best;
}

void prism_portfolio_reward(prism_portfolio_t *portfolio, const prism_summary_t *summary,
                            double cost) {
  prism_portfolio_arm_t *arm = &portfolio->arm[summary->method];
  arm->spent += cost;
  portfolio->total += cost;
  if (summary->early) return;
  if (arm->f_best < 0 || summary->f_best < arm->f_best) arm->f_best = summary->f_best;
}

void prism_portfolio_solved(prism_portfolio_t *portfolio, prism_method_t method) {
  /* What took no effort tells little about who will solve the next k. */
  portfolio->arm[method].credit += fmin(1.0, portfolio->total / (4.0 * portfolio->least_pace));
  double pace = 0.5 * (portfolio->pace + portfolio->total);
  portfolio->pace = pace > portfolio->least_pace ? pace : portfolio->least_pace;
}
