/* The rows of an island's state as starts for an engine of another kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "oracle.h"
#include "seam/state.h"

static const uint64_t seed = 20261417;

static void must_be(prism_status_t status) {
  if (status != PRISM_OK) fail_msg("%s", prism_error_text());
}

static int32_t below(prism_rng_t *rng, int32_t n) {
  return (int32_t)prism_rng_below(rng, (uint32_t)n);
}

static void rows_are_starts(void **state) {
  (void)state;
  enum { N = 60, K = 6, ROWS = 40 };
  prism_rng_t rng = prism_rng_stream(seed, 0, 14, PRISM_RNG_TEST);
  prism_graph_t *g = oracle_random_graph(&rng, N, 0.4);
  prism_island_state_t given;
  must_be(prism_island_state_init(&given, N, ROWS, 0));
  given.k = K;
  for (int32_t i = 0; i < ROWS; ++i) {
    prism_rng_t own = prism_rng_stream(seed, (uint64_t)i / 2, 15, PRISM_RNG_TEST); /* twins */
    for (int32_t v = 0; v < N; ++v) given.color[i * N + v] = below(&own, K);
    if (i % 10 == 9)
      for (int32_t v = 0; v < N; v += 3) given.color[i * N + v] = -1;
  }
  for (int32_t most = 1; most <= 64; most *= 4) {
    prism_colorings_t starts;
    must_be(prism_island_state_starts(&given, g, most, &starts));
    assert_int_equal(starts.k, K);
    assert_int_equal(starts.count, most < ROWS / 2 + 4 ? most : ROWS / 2 + 4);
    int64_t last = -1;
    for (int32_t i = 0; i < starts.count; ++i) {
      const int32_t *color = starts.color + i * N;
      for (int32_t v = 0; v < N; ++v) assert_in_range(color[v], 0, K - 1);
      const int64_t f = oracle_conflicts(g, color);
      assert_true(f >= last);
      last = f;
      bool known = false; /* a row, but for what was uncoloured */
      for (int32_t j = 0; j < ROWS && !known; ++j) {
        known = true;
        for (int32_t v = 0; v < N; ++v)
          known = known && (given.color[j * N + v] < 0 || given.color[j * N + v] == color[v]);
      }
      assert_true(known);
    }
    prism_free(starts.color);
  }
  given.rows = 0; /* an island that never worked */
  prism_colorings_t none;
  must_be(prism_island_state_starts(&given, g, 5, &none));
  assert_true(none.count == 0 && none.color == NULL);
  prism_island_state_release(&given);
  prism_graph_destroy(&g);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_starts),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
