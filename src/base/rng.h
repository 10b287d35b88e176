/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011).
 *
 * Stateless: the 64-bit seed is the key, and the counter says which number is
 * meant: {iteration (40 bits), draw (24 bits), global individual id, purpose}.
 * The same bits come out on host and device and for any number of threads, and
 * a position needs no saving. Header-only so that hot loops inline it. */
#ifndef PRISM_BASE_RNG_H
#define PRISM_BASE_RNG_H

#include <stdint.h>

#ifdef __CUDACC__ /* the same source on host and device */
#define PRISM_RNG_INLINE static __host__ __device__ __forceinline__
#else
#define PRISM_RNG_INLINE static inline
#endif

/* What a number is used for: streams of one individual never overlap. */
typedef enum prism_rng_purpose {
  PRISM_RNG_GENERATE = 1,  /* graph generators */
  PRISM_RNG_INITIAL = 2,   /* constructive heuristics */
  PRISM_RNG_MOVE = 3,      /* local search: tie-break and tenure */
  PRISM_RNG_CROSSOVER = 4, /* GPX */
  PRISM_RNG_POOL = 5,      /* parent choice, perturbation, pool update */
  PRISM_RNG_PORTFOLIO = 6, /* choice of methods */
  PRISM_RNG_MIGRATE = 7,   /* choice of emigrants */
  PRISM_RNG_BOUND = 8,     /* clique heuristic */
  PRISM_RNG_TEST = 9,
  PRISM_RNG_SWEEP = 10,    /* heat bath; + 256 * replica */
  PRISM_RNG_SWAP = 11,     /* exchange of temperatures; + 256 * ladder */
  PRISM_RNG_SET = 12       /* heaviest independent set */
} prism_rng_purpose_t;

/* Four 32-bit numbers of one counter value. */
typedef struct prism_rng_block {
  uint32_t word[4];
} prism_rng_block_t;

/* One stream: seed, individual and purpose fixed, iteration and draw move on. */
typedef struct prism_rng {
  uint64_t seed;
  uint64_t iteration;  /* 40 bits used */
  uint32_t draw;       /* 24 bits used */
  uint32_t individual; /* global id */
  uint32_t purpose;
  uint32_t spare_at;   /* next unread word of `block`; 4: none */
  prism_rng_block_t block;
} prism_rng_t;

PRISM_RNG_INLINE prism_rng_block_t prism_philox(uint64_t key, uint32_t c0, uint32_t c1,
                                                uint32_t c2, uint32_t c3) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0;
    uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  prism_rng_block_t block = {{c0, c1, c2, c3}};
  return block;
}

/* The block of one (iteration, draw) of a stream: the form for hot loops. */
PRISM_RNG_INLINE prism_rng_block_t prism_rng_at(uint64_t seed, uint64_t iteration, uint32_t draw,
                                                uint32_t individual, uint32_t purpose) {
  return prism_philox(seed, (uint32_t)iteration,
                      (uint32_t)((iteration >> 32) & 0xFFu) | (draw << 8), individual, purpose);
}

/* A stream that is read number by number from (iteration, draw 0). */
PRISM_RNG_INLINE prism_rng_t prism_rng_stream(uint64_t seed, uint64_t iteration,
                                              uint32_t individual, uint32_t purpose) {
  prism_rng_t rng = {seed, iteration, 0, individual, purpose, 4, {{0, 0, 0, 0}}};
  return rng;
}

/* Next 32 bits of the stream. */
PRISM_RNG_INLINE uint32_t prism_rng_next(prism_rng_t *rng) {
  if (rng->spare_at == 4) {
    rng->block = prism_rng_at(rng->seed, rng->iteration, rng->draw, rng->individual, rng->purpose);
    if (++rng->draw == (1u << 24)) { /* the draw field is full: go on with the next iteration */
      rng->draw = 0;
      ++rng->iteration;
    }
    rng->spare_at = 0;
  }
  return rng->block.word[rng->spare_at++];
}

/* Map 32 random bits onto 0..bound-1 (multiply-shift; bias below bound / 2^32). */
PRISM_RNG_INLINE uint32_t prism_rng_scale(uint32_t word, uint32_t bound) {
  return (uint32_t)(((uint64_t)word * bound) >> 32);
}

/* Next number of the stream in 0..bound-1; bound >= 1. */
PRISM_RNG_INLINE uint32_t prism_rng_below(prism_rng_t *rng, uint32_t bound) {
  return prism_rng_scale(prism_rng_next(rng), bound);
}

/* Next number of the stream in [0, 1) with 53 bits. */
PRISM_RNG_INLINE double prism_rng_uniform(prism_rng_t *rng) {
  uint64_t high = prism_rng_next(rng) >> 5, low = prism_rng_next(rng) >> 6;
  return (double)((high << 26) | low) * (1.0 / 9007199254740992.0);
}

/* items[0..count-1] in random order (Fisher & Yates; Durstenfeld 1964). */
PRISM_RNG_INLINE void prism_rng_shuffle(prism_rng_t *rng, int32_t *items, int32_t count) {
  for (int32_t i = count - 1; i > 0; --i) {
    int32_t j = (int32_t)prism_rng_below(rng, (uint32_t)i + 1);
    int32_t kept = items[i];
    items[i] = items[j];
    items[j] = kept;
  }
}

/* Derive the seed of run or rank number `index` from a base seed. */
PRISM_RNG_INLINE uint64_t prism_rng_derive(uint64_t seed, uint64_t index) {
  prism_rng_block_t b = prism_philox(seed, (uint32_t)index, (uint32_t)(index >> 32), 0x5EEDu, 0);
  return ((uint64_t)b.word[1] << 32) | b.word[0];
}

#endif
