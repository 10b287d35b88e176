/* Colorings on the wire: there and back, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "solve/wire.h"

static const uint64_t seed = 20261206;

enum { MAX_N = 300 };

static void widths_fit_the_colors(void **state) {
  (void)state;
  assert_int_equal(prism_wire_width(1), 1);
  assert_int_equal(prism_wire_width(256), 1); /* 255 is the highest color */
  assert_int_equal(prism_wire_width(257), 2);
  assert_int_equal(prism_wire_width(65536), 2);
  assert_int_equal(prism_wire_width(65537), 4);
  assert_int_equal(prism_wire_width(INT32_MAX), 4);
  assert_int_equal(prism_wire_bytes(10, 2), sizeof(prism_parcel_t) + 20);
}

static void parcels_come_back(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  static const int32_t colors[] = {1, 2, 255, 256, 257, 65535, 65536, 65537, 1000000, INT32_MAX};
  for (size_t i = 0; i < sizeof colors / sizeof colors[0]; ++i)
    for (int round = 0; round < 50; ++round) {
      int32_t n = 1 + (int32_t)prism_rng_below(&rng, MAX_N), color[MAX_N], back[MAX_N];
      size_t width = prism_wire_width(colors[i]), bytes = prism_wire_bytes(n, width);
      static unsigned char data[sizeof(prism_parcel_t) + 4 * MAX_N + 1];
      for (int32_t v = 0; v < n; ++v)
        color[v] = v == 0 ? colors[i] - 1 : (int32_t)prism_rng_below(&rng, (uint32_t)colors[i]);
      prism_parcel_t parcel = {.k = colors[i], .method = 3, .f = INT64_C(1) << 40,
                               .iterations = INT64_C(1) << 50}, got = {0};
      data[bytes] = 0xAB;
      prism_wire_pack(&parcel, color, n, width, data);
      assert_int_equal(data[bytes], 0xAB);
      assert_int_equal(prism_wire_unpack(data, bytes, n, width, &got, back), PRISM_OK);
      assert_memory_equal(back, color, (size_t)n * sizeof *color);
      assert_int_equal(got.k, parcel.k);
      assert_int_equal(got.method, parcel.method);
      assert_true(got.f == parcel.f && got.iterations == parcel.iterations);
    }
}

static void strangers_are_refused(void **state) {
  (void)state;
  enum { N = 20, K = 5 };
  int32_t color[N], back[N];
  for (int32_t v = 0; v < N; ++v) color[v] = v % K;
  prism_parcel_t parcel = {.k = K}, got;
  unsigned char data[sizeof(prism_parcel_t) + N];
  prism_wire_pack(&parcel, color, N, 1, data);
  assert_int_equal(prism_wire_unpack(data, sizeof data, N, 1, &got, back), PRISM_OK);
  assert_int_equal(prism_wire_unpack(data, sizeof data - 1, N, 1, &got, back), PRISM_PEER);
  assert_int_equal(prism_wire_unpack(data, 0, N, 1, &got, back), PRISM_PEER);
  assert_int_equal(prism_wire_unpack(data, sizeof data, N - 1, 1, &got, back), PRISM_PEER);
  assert_int_equal(prism_wire_unpack(data, sizeof data, N, 2, &got, back), PRISM_PEER);
  color[N - 1] = K; /* one color too many */
  prism_wire_pack(&parcel, color, N, 1, data);
  assert_int_equal(prism_wire_unpack(data, sizeof data, N, 1, &got, back), PRISM_PEER);
  assert_non_null(strstr(prism_error_text(), "5"));
  static const int32_t senseless[] = {0, -1, INT32_MIN};
  for (size_t i = 0; i < 3; ++i) {
    parcel.k = senseless[i];
    prism_wire_pack(&parcel, color, N, 1, data);
    assert_int_equal(prism_wire_unpack(data, sizeof data, N, 1, &got, back), PRISM_PEER);
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(widths_fit_the_colors),
      cmocka_unit_test(parcels_come_back),
      cmocka_unit_test(strangers_are_refused),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
