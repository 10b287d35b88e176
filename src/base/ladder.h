/* The temperatures of parallel tempering (Earl & Deem 2005), and Boltzmann weights
 * as whole numbers.
 *
 * Replicas stand on the levels of a ladder, level 0 the coldest. Neighbouring levels
 * exchange their replicas by the rule of Metropolis, in even and odd pairs by turns;
 * only energies and temperatures take part. The distances between the levels follow
 * the measured acceptance of the exchanges towards a band, by stochastic
 * approximation with steps that shrink (after Miasojedow, Moulines & Vihola 2013);
 * then the ladder is frozen, so that from there on every exchange keeps detailed
 * balance.
 *
 * Weights, acceptance and draws are integer arithmetic on tables made by the host:
 * host and device make the same moves from the same random numbers.
 *
 * A ladder belongs to one thread; the inline functions are pure. */
#ifndef PRISM_BASE_LADDER_H
#define PRISM_BASE_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pack.h"
#include "base/rng.h"
#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  PRISM_LADDER_WEIGHTS = 256, /* energies above the lowest that still have a weight */
  PRISM_LADDER_MOST = 1024    /* levels */
};

/* Highest temperature: at it a weight vanishes within PRISM_LADDER_WEIGHTS. */
#define PRISM_LADDER_HOTTEST 10.0
#define PRISM_LADDER_COLDEST 0.01

/* Zero in any field: chosen here. */
typedef struct prism_ladder_params {
  int32_t replicas;     /* levels */
  int32_t sweeps;       /* of every replica between two exchanges */
  double t_min, t_max;  /* t_max 0: wherever the acceptance leads */
  double swap_low;      /* wanted band of the acceptance of exchanges */
  double swap_high;
} prism_ladder_params_t;

typedef struct prism_ladder {
  int32_t levels;
  int32_t sweeps;
  double *temperature;  /* [levels] ascending; owned */
  double *gap;          /* [levels - 1] logarithms of the ratios of neighbours; owned */
  double *rate;         /* [levels - 1] acceptance, averaged over the windows; owned */
  double swap_low, swap_high;
  bool pinned;          /* t_max was given: both ends stay */
  bool frozen;
  int32_t windows;      /* of measurement so far */
} prism_ladder_t;

/* A ladder for a graph of n vertices and k colours. PRISM_INVALID: t_min >= t_max,
 * a band that is none. */
prism_status_t prism_ladder_init(prism_ladder_t *ladder, const prism_ladder_params_t *params,
                                 int32_t n, int32_t k);
void prism_ladder_release(prism_ladder_t *ladder);

/* Rounds of one window of measurement. */
enum { PRISM_LADDER_WINDOW = 20 };

/* A window of rounds is over. [in] attempts, accepted [levels - 1] exchanges tried and
 * made in it between level i and i + 1. Returns whether temperatures have changed:
 * then the tables must be made anew. Nothing happens once the ladder is frozen. */
bool prism_ladder_tune(prism_ladder_t *ladder, const uint32_t *attempts,
                       const uint32_t *accepted);

/* Share of the exchanges that were made, over all pairs of levels; 0 where none was
 * tried. [in] attempts, accepted [levels - 1] */
double prism_ladder_share(const prism_ladder_t *ladder, const uint32_t *attempts,
                          const uint32_t *accepted);

enum { PRISM_LADDER_SHOWN = 64 };

/* What a ladder has come to, for whoever looks at it from outside. */
typedef struct prism_ladder_level {
  int32_t level;      /* 0: the coldest */
  double temperature; /* conflicts */
  double swap;        /* share of the exchanges made with the next level, averaged over the windows
                         as the ladder judges it; NaN: the hottest, or no window is over yet */
} prism_ladder_level_t;
typedef struct prism_ladder_view {
  int32_t levels;     /* below: all of a ladder, or so many evenly chosen ones with both ends */
  int32_t windows;    /* that were judged */
  bool frozen;
  prism_ladder_level_t level[PRISM_LADDER_SHOWN];
} prism_ladder_view_t;

/* [out] view. O(1) */
void prism_ladder_view(const prism_ladder_t *ladder, prism_ladder_view_t *view);

/* A ladder with all that it has learned, as bytes. */
void prism_ladder_pack(const prism_ladder_t *ladder, prism_pack_t *pack);
/* [out] ladder  fresh, with 1 .. `most` levels, usable whatever was read; the caller asks
 * prism_unpack_close whether it is true. PRISM_MEMORY: nothing is left. */
prism_status_t prism_ladder_unpack(prism_unpack_t *unpack, int32_t most, prism_ladder_t *ladder);

/* [out] weight [PRISM_LADDER_WEIGHTS]: proportional to exp(-d / t); k of the largest
 * sum up to less than 2^32. */
void prism_ladder_weights(double t, int32_t k, uint32_t *weight);

/* [out] factor [levels - 1]: exp(-(1/t_i - 1/t_{i+1})) in units of 2^-64. */
void prism_ladder_factors(const prism_ladder_t *ladder, uint64_t *factor);

PRISM_RNG_INLINE uint64_t prism_mul_high(uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH__
  return __umul64hi(a, b);
#else
  return (uint64_t)(((unsigned __int128)a * b) >> 64);
#endif
}

/* Do a cold and a hot level exchange their replicas, of energies e_cold and e_hot?
 * [in] random  64 bits */
PRISM_RNG_INLINE bool prism_ladder_accepts(uint64_t factor, int64_t e_cold, int64_t e_hot,
                                           uint64_t random) {
  if (e_cold >= e_hot) return true;
  uint64_t power = ~UINT64_C(0);
  for (uint64_t left = (uint64_t)(e_hot - e_cold); left != 0; left >>= 1) {
    if ((left & 1) != 0) power = prism_mul_high(power, factor);
    factor = prism_mul_high(factor, factor);
  }
  return random < power;
}

/* Weight of a count that is d above the least. */
PRISM_RNG_INLINE uint32_t prism_ladder_weight(const uint32_t *weight, uint32_t d) {
  return d < PRISM_LADDER_WEIGHTS ? weight[d] : 0;
}

/* The numbers of a heat bath: word v % 4 of this block decides about vertex v in a
 * sweep; those of an exchange at the end of a round are words 0 and 1. */
PRISM_RNG_INLINE prism_rng_block_t prism_sweep_block(uint64_t seed, uint64_t sweep, int32_t v,
                                                     uint32_t individual, uint32_t replica) {
  return prism_rng_at(seed, sweep, (uint32_t)v >> 2, individual,
                      (uint32_t)PRISM_RNG_SWEEP + 256u * replica);
}
PRISM_RNG_INLINE uint64_t prism_swap_number(uint64_t seed, uint64_t round, uint32_t level,
                                            uint32_t individual, uint32_t ladder) {
  prism_rng_block_t block = prism_rng_at(seed, round, level, individual,
                                         (uint32_t)PRISM_RNG_SWAP + 256u * ladder);
  return (uint64_t)block.word[1] << 32 | block.word[0];
}

#ifdef __cplusplus
}
#endif
#endif
