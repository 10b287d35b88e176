/* Philox against the known answers of its authors' library (Random123, kat_vectors). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

static void check(uint64_t key, const uint32_t c[4], const uint32_t expected[4]) {
  prism_rng_block_t block = prism_philox(key, c[0], c[1], c[2], c[3]);
  for (int i = 0; i < 4; ++i) assert_int_equal(block.word[i], expected[i]);
}

static void known_answers(void **state) {
  (void)state;
  const uint32_t zeros[4] = {0, 0, 0, 0};
  const uint32_t from_zeros[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
  check(0, zeros, from_zeros);
  const uint32_t ones[4] = {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu};
  const uint32_t from_ones[4] = {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu};
  check(0xffffffffffffffffull, ones, from_ones);
  const uint32_t pi[4] = {0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u};
  const uint32_t from_pi[4] = {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u};
  check(0x299f31d0a4093822ull, pi, from_pi);
}

/* A stream gives the words of its blocks one after the other. */
static void stream_walks_the_blocks(void **state) {
  (void)state;
  const uint64_t seed = 0x123456789abcdefull, iteration = (1ull << 39) + 5;
  prism_rng_t rng = prism_rng_stream(seed, iteration, 17, PRISM_RNG_TEST);
  for (uint32_t draw = 0; draw < 50; ++draw) {
    prism_rng_block_t block = prism_rng_at(seed, iteration, draw, 17, PRISM_RNG_TEST);
    for (int i = 0; i < 4; ++i) assert_int_equal(prism_rng_next(&rng), block.word[i]);
  }
}

static void streams_differ_in_every_coordinate(void **state) {
  (void)state;
  prism_rng_block_t base = prism_rng_at(1, 2, 3, 4, PRISM_RNG_MOVE);
  const prism_rng_block_t others[] = {
      prism_rng_at(2, 2, 3, 4, PRISM_RNG_MOVE),       prism_rng_at(1, 3, 3, 4, PRISM_RNG_MOVE),
      prism_rng_at(1, 2, 4, 4, PRISM_RNG_MOVE),       prism_rng_at(1, 2, 3, 5, PRISM_RNG_MOVE),
      prism_rng_at(1, 2, 3, 4, PRISM_RNG_CROSSOVER),
      prism_rng_at(1, 2 + (1ull << 32), 3, 4, PRISM_RNG_MOVE),
      prism_rng_at(1 + (1ull << 32), 2, 3, 4, PRISM_RNG_MOVE)};
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
    assert_memory_not_equal(&base, &others[i], sizeof base);
}

static void full_draw_field_moves_on(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(9, 100, 1, PRISM_RNG_TEST);
  rng.draw = (1u << 24) - 1;
  for (int i = 0; i < 4; ++i) (void)prism_rng_next(&rng);
  prism_rng_block_t next = prism_rng_at(9, 101, 0, 1, PRISM_RNG_TEST);
  assert_int_equal(prism_rng_next(&rng), next.word[0]);
}

static void numbers_stay_in_range_and_spread(void **state) {
  (void)state;
  enum { BOUND = 10, DRAWS = 100000 };
  prism_rng_t rng = prism_rng_stream(20261121, 0, 0, PRISM_RNG_TEST);
  int seen[BOUND] = {0};
  double sum = 0.0;
  for (int i = 0; i < DRAWS; ++i) {
    uint32_t x = prism_rng_below(&rng, BOUND);
    assert_true(x < BOUND);
    ++seen[x];
    double u = prism_rng_uniform(&rng);
    assert_true(u >= 0.0 && u < 1.0);
    sum += u;
  }
  /* Fixed seed: these are facts, far inside 5 standard deviations. */
  for (int i = 0; i < BOUND; ++i) assert_in_range(seen[i], 9500, 10500);
  assert_true(sum / DRAWS > 0.495 && sum / DRAWS < 0.505);
  assert_int_equal(prism_rng_scale(0xffffffffu, 7), 6);
  assert_int_equal(prism_rng_scale(0, 7), 0);
  assert_int_equal(prism_rng_below(&rng, 1), 0);
}

static void derived_seeds_differ(void **state) {
  (void)state;
  enum { SEEDS = 200 };
  uint64_t seeds[SEEDS];
  for (uint64_t i = 0; i < SEEDS; ++i) {
    seeds[i] = prism_rng_derive(5, i);
    for (uint64_t j = 0; j < i; ++j) assert_true(seeds[i] != seeds[j]);
  }
  assert_true(prism_rng_derive(6, 0) != seeds[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_answers),
      cmocka_unit_test(stream_walks_the_blocks),
      cmocka_unit_test(streams_differ_in_every_coordinate),
      cmocka_unit_test(full_draw_field_moves_on),
      cmocka_unit_test(numbers_stay_in_range_and_spread),
      cmocka_unit_test(derived_seeds_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
