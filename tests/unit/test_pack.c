/* Values as bytes and back: random sequences, known bytes, and bytes that are not true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/mem.h"
#include "base/pack.h"
#include "base/rng.h"

static const uint64_t seed = 20261301;

static uint64_t draw64(prism_rng_t *rng) {
  uint64_t high = prism_rng_next(rng);
  return high << 32 | prism_rng_next(rng);
}

static void bytes_are_little_endian(void **state) {
  (void)state;
  prism_pack_t pack = {0};
  prism_pack_u16(&pack, 0x0102);
  prism_pack_i32(&pack, -2);
  prism_pack_f64(&pack, 1.0);
  const int32_t small[] = {1, 256, 3};
  prism_pack_small(&pack, small, 3, 257);
  prism_pack_small(&pack, small, 1, 256);
  uint8_t *bytes = NULL;
  size_t size = 0;
  assert_int_equal(prism_pack_finish(&pack, &bytes, &size), PRISM_OK);
  static const uint8_t wanted[] = {2, 1, 0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F,
                                   1, 0, 0,    1,    3,    0,    1};
  assert_int_equal(size, sizeof wanted + 8);
  assert_memory_equal(bytes, wanted, sizeof wanted);
  assert_null(pack.data);
  prism_free(bytes);
}

/* FNV-1a of "foobar" and of nothing, as its authors publish them. */
static void checksum_is_fnv(void **state) {
  (void)state;
  static const uint8_t foobar[8] = {0xE8, 0x67, 0x39, 0xF7, 0x71, 0x41, 0x94, 0x85};
  static const uint8_t nothing[8] = {0x25, 0x23, 0x22, 0x84, 0xE4, 0x9C, 0xF2, 0xCB};
  prism_pack_t pack = {0};
  uint8_t *bytes = NULL;
  size_t size = 0;
  assert_int_equal(prism_pack_finish(&pack, &bytes, &size), PRISM_OK);
  assert_int_equal(size, 8);
  assert_memory_equal(bytes, nothing, 8);
  prism_free(bytes);
  prism_pack_bytes(&pack, "foobar", 6);
  assert_int_equal(prism_pack_finish(&pack, &bytes, &size), PRISM_OK);
  assert_int_equal(size, 14);
  assert_memory_equal(bytes + 6, foobar, 8);
  prism_free(bytes);
}

enum { KINDS = 9, MOST = 60 };

typedef struct item {
  int kind;
  uint64_t bits;
  int32_t many[MOST];
  int32_t count, bound;
} item_t;

static void write_item(prism_pack_t *pack, const item_t *item) {
  double real;
  memcpy(&real, &item->bits, sizeof real);
  switch (item->kind) {
    case 0: prism_pack_u8(pack, (uint8_t)item->bits); break;
    case 1: prism_pack_u16(pack, (uint16_t)item->bits); break;
    case 2: prism_pack_u32(pack, (uint32_t)item->bits); break;
    case 3: prism_pack_u64(pack, item->bits); break;
    case 4: prism_pack_i32(pack, (int32_t)item->bits); break;
    case 5: prism_pack_i64(pack, (int64_t)item->bits); break;
    case 6: prism_pack_f64(pack, real); break;
    case 7: prism_pack_bool(pack, (item->bits & 1) != 0); break;
    default:
      prism_pack_i32(pack, item->count);
      prism_pack_small(pack, item->many, (size_t)item->count, item->bound);
      prism_pack_bytes(pack, item->many, (size_t)item->count);
  }
}

static void read_item(prism_unpack_t *unpack, const item_t *item) {
  double real;
  memcpy(&real, &item->bits, sizeof real);
  switch (item->kind) {
    case 0: assert_int_equal(prism_unpack_u8(unpack), (uint8_t)item->bits); break;
    case 1: assert_int_equal(prism_unpack_u16(unpack), (uint16_t)item->bits); break;
    case 2: assert_int_equal(prism_unpack_u32(unpack), (uint32_t)item->bits); break;
    case 3: assert_true(prism_unpack_u64(unpack) == item->bits); break;
    case 4:
      assert_int_equal(prism_unpack_i32(unpack, INT32_MIN, INT32_MAX), (int32_t)item->bits);
      break;
    case 5:
      assert_true(prism_unpack_i64(unpack, INT64_MIN, INT64_MAX) == (int64_t)item->bits);
      break;
    case 6: assert_true(prism_unpack_f64(unpack, -INFINITY, INFINITY) == real); break;
    case 7: assert_int_equal(prism_unpack_bool(unpack), (item->bits & 1) != 0); break;
    default: {
      int32_t back[MOST];
      assert_int_equal(prism_unpack_count(unpack, MOST, 1), item->count);
      prism_unpack_small(unpack, back, (size_t)item->count, item->bound);
      assert_memory_equal(back, item->many, (size_t)item->count * sizeof *back);
      prism_unpack_bytes(unpack, back, (size_t)item->count);
      assert_memory_equal(back, item->many, (size_t)item->count);
    }
  }
  assert_false(unpack->bad);
}

static void random_sequences_come_back(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  enum { ITEMS = 40 };
  static item_t item[ITEMS];
  for (uint64_t round = 0; round < 300; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, round, 0, PRISM_RNG_TEST);
    prism_pack_t pack = {0};
    for (int i = 0; i < ITEMS; ++i) {
      item[i] = (item_t){.kind = (int)prism_rng_below(&rng, KINDS), .bits = draw64(&rng)};
      double real;
      memcpy(&real, &item[i].bits, sizeof real);
      if (isnan(real)) item[i].bits = 0;
      static const int32_t bound[] = {1, 200, 256, 257, 65536, 65537, INT32_MAX};
      item[i].bound = bound[prism_rng_below(&rng, 7)];
      item[i].count = (int32_t)prism_rng_below(&rng, MOST);
      for (int32_t j = 0; j < item[i].count; ++j)
        item[i].many[j] = (int32_t)prism_rng_below(&rng, (uint32_t)item[i].bound);
      write_item(&pack, &item[i]);
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    assert_int_equal(prism_pack_finish(&pack, &bytes, &size), PRISM_OK);
    prism_unpack_t unpack;
    assert_int_equal(prism_unpack_open(&unpack, bytes, size, "test"), PRISM_OK);
    for (int i = 0; i < ITEMS; ++i) read_item(&unpack, &item[i]);
    assert_int_equal(prism_unpack_close(&unpack, "test"), PRISM_OK);
    /* Every change of a byte is found, and every cut. */
    for (int i = 0; i < 20; ++i) {
      size_t at = prism_rng_below(&rng, (uint32_t)size);
      uint8_t kept = bytes[at];
      bytes[at] = (uint8_t)(kept ^ (1 + prism_rng_below(&rng, 255)));
      assert_int_equal(prism_unpack_open(&unpack, bytes, size, "test"), PRISM_FORMAT);
      bytes[at] = kept;
      assert_int_equal(prism_unpack_open(&unpack, bytes, at, "test"), PRISM_FORMAT);
    }
    prism_free(bytes);
  }
}

/* Bytes of one i32, to be read as something that it is not. */
static uint8_t *lie(int32_t value, size_t *size) {
  prism_pack_t pack = {0};
  uint8_t *bytes = NULL;
  prism_pack_i32(&pack, value);
  assert_int_equal(prism_pack_finish(&pack, &bytes, size), PRISM_OK);
  return bytes;
}

static void lies_are_remembered(void **state) {
  (void)state;
  for (int which = 0; which < 9; ++which) {
    size_t size = 0;
    uint8_t *bytes = lie(which == 5 ? 2 : 1000, &size);
    prism_unpack_t unpack;
    int32_t small[4] = {9, 9, 9, 9};
    assert_int_equal(prism_unpack_open(&unpack, bytes, size, "test"), PRISM_OK);
    switch (which) {
      case 0: assert_int_equal(prism_unpack_i32(&unpack, -3, 999), -3); break;
      case 1: assert_int_equal(prism_unpack_i32(&unpack, 1001, 2000), 1001); break;
      case 2: /* past the end: the low end of the range, zero, false */
        assert_int_equal(prism_unpack_i64(&unpack, 5, 7), 5);
        assert_int_equal(prism_unpack_u64(&unpack), 0);
        assert_false(prism_unpack_bool(&unpack));
        break;
      case 3: assert_int_equal(prism_unpack_count(&unpack, 5000, 1), 0); break;
      case 4: assert_true(prism_unpack_f64(&unpack, 0.5, 1.0) <= 0.5); break;
      case 5: assert_false(prism_unpack_bool(&unpack)); break;
      case 6:
        prism_unpack_small(&unpack, small, 4, 3);
        for (int i = 0; i < 4; ++i) assert_in_range(small[i], 0, 2);
        break;
      case 7:
        prism_unpack_bytes(&unpack, small, sizeof small);
        for (int i = 0; i < 4; ++i) assert_int_equal(small[i], 0);
        break;
      default: (void)prism_unpack_u8(&unpack); /* and three are left */
    }
    assert_int_equal(prism_unpack_close(&unpack, "test"), PRISM_FORMAT);
    prism_free(bytes);
  }
  double nan_value = NAN;
  prism_pack_t pack = {0};
  uint8_t *bytes = NULL;
  size_t size = 0;
  prism_pack_f64(&pack, nan_value);
  assert_int_equal(prism_pack_finish(&pack, &bytes, &size), PRISM_OK);
  prism_unpack_t unpack;
  assert_int_equal(prism_unpack_open(&unpack, bytes, size, "test"), PRISM_OK);
  assert_true(prism_unpack_f64(&unpack, -1.0, 1.0) <= -1.0);
  assert_int_equal(prism_unpack_close(&unpack, "test"), PRISM_FORMAT);
  prism_free(bytes);
}

/* A failure on the way comes out at the end, and nothing is kept. */
static void failures_are_kept_to_the_end(void **state) {
  (void)state;
  prism_pack_t pack = {0};
  uint8_t *bytes = NULL;
  size_t size = 77;
  const int32_t one = 1;
  prism_pack_u32(&pack, 5);
  prism_pack_small(&pack, &one, SIZE_MAX / 2, 1000);
  prism_pack_u32(&pack, 5);
  assert_int_equal(prism_pack_finish(&pack, &bytes, &size), PRISM_MEMORY);
  assert_null(bytes);
  assert_int_equal(size, 77);
  prism_pack_u32(&pack, 5);
  prism_pack_release(&pack);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_are_little_endian),
      cmocka_unit_test(checksum_is_fnv),
      cmocka_unit_test(random_sequences_come_back),
      cmocka_unit_test(lies_are_remembered),
      cmocka_unit_test(failures_are_kept_to_the_end),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
