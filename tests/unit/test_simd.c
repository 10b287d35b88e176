/* Every vector primitive of every instruction set against a plain loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "search/state.h"
#include "simd_sets.h"

static const uint64_t seed = 20261202;

enum { LANES = 64, LONGEST = 320, ROUNDS = 3000 };

static uint64_t random_lanes(prism_rng_t *rng) {
  uint64_t bits = (uint64_t)prism_rng_next(rng) << 32 | prism_rng_next(rng);
  switch (prism_rng_below(rng, 5)) {
    case 0: return 0;
    case 1: return ~UINT64_C(0);
    case 2: return bits & ((uint64_t)prism_rng_next(rng) << 32 | prism_rng_next(rng));
    default: return bits;
  }
}

static void columns_u8(const simd_set_t *set, prism_rng_t *rng) {
  for (int round = 0; round < ROUNDS; ++round) {
    uint64_t lanes = random_lanes(rng);
    uint8_t from[LANES], to[LANES], less[LANES], more[LANES], was_from[LANES], was_to[LANES];
    for (int i = 0; i < LANES; ++i) { /* counts 1..127 before a loss, 0..126 before a gain */
      was_from[i] = from[i] = (uint8_t)(1 + prism_rng_below(rng, 127));
      was_to[i] = to[i] = (uint8_t)prism_rng_below(rng, 127);
      uint8_t one = (uint8_t)(lanes >> i & 1u);
      less[i] = (uint8_t)(from[i] - one);
      more[i] = (uint8_t)(to[i] + one);
    }
    set->column_move_u8(from, to, lanes);
    assert_memory_equal(from, less, LANES);
    assert_memory_equal(to, more, LANES);
    set->column_sub_u8(was_from, lanes);
    set->column_add_u8(was_to, lanes);
    assert_memory_equal(was_from, less, LANES);
    assert_memory_equal(was_to, more, LANES);
  }
}

static void columns_u16(const simd_set_t *set, prism_rng_t *rng) {
  for (int round = 0; round < ROUNDS; ++round) {
    uint64_t lanes = random_lanes(rng);
    uint16_t from[LANES], to[LANES], less[LANES], more[LANES], was_from[LANES], was_to[LANES];
    uint16_t w[LANES], weight_from[LANES], weight_to[LANES], lighter[LANES], heavier[LANES];
    for (int i = 0; i < LANES; ++i) {
      was_from[i] = from[i] = (uint16_t)(1 + prism_rng_below(rng, 32767));
      was_to[i] = to[i] = (uint16_t)prism_rng_below(rng, 32767);
      uint16_t one = (uint16_t)(lanes >> i & 1u);
      less[i] = (uint16_t)(from[i] - one);
      more[i] = (uint16_t)(to[i] + one);
      w[i] = (uint16_t)(one * prism_rng_below(rng, 9000));
      weight_from[i] = (uint16_t)(w[i] + prism_rng_below(rng, 20000));
      weight_to[i] = (uint16_t)prism_rng_below(rng, 20000);
      lighter[i] = (uint16_t)(weight_from[i] - w[i]);
      heavier[i] = (uint16_t)(weight_to[i] + w[i]);
    }
    set->column_move_u16(from, to, lanes);
    assert_memory_equal(from, less, sizeof less);
    assert_memory_equal(to, more, sizeof more);
    set->column_sub_u16(was_from, lanes);
    set->column_add_u16(was_to, lanes);
    assert_memory_equal(was_from, less, sizeof less);
    assert_memory_equal(was_to, more, sizeof more);
    set->column_move_weight(weight_from, weight_to, w);
    assert_memory_equal(weight_from, lighter, sizeof lighter);
    assert_memory_equal(weight_to, heavier, sizeof heavier);
  }
}

/* Cells with the top bit are forbidden moves: nobody asks for their value. */
enum { FORBIDDEN_U8 = 1 << 7, FORBIDDEN_U16 = 1 << 15 };

static void find_narrow(const simd_set_t *set, const uint8_t *row, int32_t stride, uint8_t value) {
  int32_t count = 0;
  for (int32_t c = 0; c < stride; ++c)
    if (row[c] == value) assert_int_equal(set->row_find_u8(row, stride, value, count++), c);
  assert_int_equal(set->row_count_u8(row, stride, value), count);
  assert_int_equal(set->row_find_u8(row, stride, value, count), -1);
}

static void find_wide(const simd_set_t *set, const uint16_t *row, int32_t stride,
                      uint16_t value) {
  int32_t count = 0;
  for (int32_t c = 0; c < stride; ++c)
    if (row[c] == value) assert_int_equal(set->row_find_u16(row, stride, value, count++), c);
  assert_int_equal(set->row_count_u16(row, stride, value), count);
  assert_int_equal(set->row_find_u16(row, stride, value, count), -1);
}

/* Rows of a multiple of 32 cells, values from a few up to all there are. */
static void rows(const simd_set_t *set, prism_rng_t *rng) {
  static const uint32_t spread[] = {1, 3, 128, 256, 32768, 65536};
  for (int round = 0; round < ROUNDS; ++round) {
    int32_t stride = 32 * (1 + (int32_t)prism_rng_below(rng, LONGEST / 32));
    uint32_t values = spread[prism_rng_below(rng, 6)];
    uint32_t base = values <= 128 ? prism_rng_below(rng, 128) : 0;
    uint8_t narrow[LONGEST], least = UINT8_MAX;
    uint16_t wide[LONGEST], wide_least = UINT16_MAX;
    for (int32_t c = 0; c < stride; ++c) {
      narrow[c] = (uint8_t)(base + prism_rng_below(rng, values));
      wide[c] = (uint16_t)(base + prism_rng_below(rng, values));
      if (narrow[c] < least) least = narrow[c];
      if (wide[c] < wide_least) wide_least = wide[c];
    }
    assert_int_equal(set->row_min_u8(narrow, stride), least);
    assert_int_equal(set->row_min_u16(wide, stride), wide_least);
    int32_t at = (int32_t)prism_rng_below(rng, (uint32_t)stride);
    if (wide[at] < FORBIDDEN_U16) find_wide(set, wide, stride, wide[at]);
    if (narrow[at] < FORBIDDEN_U8) find_narrow(set, narrow, stride, narrow[at]);
  }
}

/* Keys and own counts come in multiples of 64. */
static void keys(const simd_set_t *set, prism_rng_t *rng) {
  for (int round = 0; round < ROUNDS; ++round) {
    int32_t padded = 64 * (1 + (int32_t)prism_rng_below(rng, LONGEST / 64));
    uint32_t narrow_spread = 1 + prism_rng_below(rng, 256);
    uint32_t wide_spread = 1 + prism_rng_below(rng, 65536);
    int8_t narrow[LONGEST], least = INT8_MAX;
    int16_t wide[LONGEST], wide_least = INT16_MAX;
    uint8_t own[LONGEST], most = 0;
    uint16_t wide_own[LONGEST], wide_most = 0;
    for (int32_t i = 0; i < padded; ++i) {
      narrow[i] = (int8_t)(127 - (int32_t)prism_rng_below(rng, narrow_spread));
      wide[i] = (int16_t)(32767 - (int32_t)prism_rng_below(rng, wide_spread));
      own[i] = (uint8_t)prism_rng_below(rng, narrow_spread);
      wide_own[i] = (uint16_t)prism_rng_below(rng, wide_spread);
      if (narrow[i] < least) least = narrow[i];
      if (wide[i] < wide_least) wide_least = wide[i];
      if (own[i] > most) most = own[i];
      if (wide_own[i] > wide_most) wide_most = wide_own[i];
    }
    assert_int_equal(set->keys_min_u8(narrow, padded), least);
    assert_int_equal(set->keys_min_u16(wide, padded), wide_least);
    for (int32_t j = 0; j < padded; j += 64) {
      uint64_t bits = 0, wide_bits = 0;
      for (int i = 0; i < 64; ++i) {
        bits |= (uint64_t)(narrow[j + i] == least) << i;
        wide_bits |= (uint64_t)(wide[j + i] == wide_least) << i;
      }
      assert_true(set->keys_equal_u8(narrow + j, least) == bits);
      assert_true(set->keys_equal_u16(wide + j, wide_least) == wide_bits);
    }
    uint8_t gap = (uint8_t)prism_rng_below(rng, 256);
    uint16_t wide_gap = (uint16_t)prism_rng_below(rng, 65536);
    assert_int_equal(set->own_above_u8(own, padded, gap), most > gap);
    assert_int_equal(set->own_above_u8(own, padded, most), 0);
    if (most > 0) assert_true(set->own_above_u8(own, padded, (uint8_t)(most - 1)));
    assert_int_equal(set->own_above_u16(wide_own, padded, wide_gap), wide_most > wide_gap);
    assert_int_equal(set->own_above_u16(wide_own, padded, wide_most), 0);
    if (wide_most > 0) assert_true(set->own_above_u16(wide_own, padded, (uint16_t)(wide_most - 1)));
  }
}

/* A short row after a step equals the plain result, forbidden cells included. */
static void short_rows(const simd_set_t *set, prism_rng_t *rng) {
  if (set->shift_row == NULL) return;
  for (int trial = 0; trial < 2000; ++trial) {
    int32_t stride = trial % 2 == 0 ? 32 : 64, ties = -1, count = 0;
    uint8_t row[64], expected[64], least = UINT8_MAX;
    for (int32_t c = 0; c < stride; ++c)
      row[c] = (uint8_t)(1 + prism_rng_below(rng, trial % 3 == 0 ? 4 : 126) +
                         (prism_rng_below(rng, 4) == 0 ? 128 : 0));
    int32_t a = (int32_t)prism_rng_below(rng, (uint32_t)stride);
    int32_t b = (a + 1 + (int32_t)prism_rng_below(rng, (uint32_t)stride - 1)) % stride;
    memcpy(expected, row, sizeof expected);
    --expected[a];
    ++expected[b];
    for (int32_t c = 0; c < stride; ++c) least = expected[c] < least ? expected[c] : least;
    for (int32_t c = 0; c < stride; ++c) count += expected[c] == least;
    assert_int_equal(set->shift_row(row, stride, a, b, &ties), least);
    assert_int_equal(ties, count);
    assert_memory_equal(row, expected, (size_t)stride);
  }
}

static void check_set(const simd_set_t *set) {
  print_message("%s, seed %llu\n", set->name, (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  columns_u8(set, &rng);
  columns_u16(set, &rng);
  rows(set, &rng);
  keys(set, &rng);
  short_rows(set, &rng);
}

static void portable_set(void **state) {
  (void)state;
  check_set(&simd_portable);
}

static void avx2_set(void **state) {
  (void)state;
#if defined(__x86_64__)
  if (prism_isa_select(2) == NULL) skip();
  check_set(&simd_avx2);
#else
  skip();
#endif
}

static void avx512_set(void **state) {
  (void)state;
#if defined(__x86_64__)
  if (prism_isa_select(1) == NULL) skip();
  check_set(&simd_avx512);
#else
  skip();
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(portable_set),
      cmocka_unit_test(avx2_set),
      cmocka_unit_test(avx512_set),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
