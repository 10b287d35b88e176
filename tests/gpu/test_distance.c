/* Distances on the device against the host's exact one and a naive greedy one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/gpu_fixture.h"
#include "gpu/pool_fixture.h"
#include "kernels/distance.h"
#include "model/coloring.h"

static const uint64_t seed = 20261212;

enum { MEMBERS = 6, ALL_PAIRS = MEMBERS * MEMBERS };

/* The heaviest pair of classes again and again; ties to the lowest row, then column. */
static int32_t naive_greedy(int32_t n, int32_t k, const int32_t *a, const int32_t *b) {
  int32_t *overlap = NULL, common = 0;
  const size_t width = (size_t)k;
  must(PRISM_ALLOC_ZERO(width * width, &overlap));
  for (int32_t v = 0; v < n; ++v) ++overlap[(size_t)a[v] * width + (size_t)b[v]];
  for (;;) {
    size_t best = 0;
    for (size_t i = 1; i < width * width; ++i)
      if (overlap[i] > overlap[best]) best = i;
    if (overlap[best] == 0) break;
    common += overlap[best];
    size_t row = best / width, column = best % width;
    for (size_t c = 0; c < width; ++c) overlap[row * width + c] = overlap[c * width + column] = 0;
  }
  prism_free(overlap);
  return n - common;
}

static void run_distance(const prism_gpu_pool_t *pool_a, const int32_t *a,
                         const prism_gpu_pool_t *pool_b, const int32_t *b, int32_t pairs,
                         prism_distance_mode_t mode, int32_t *distance) {
  int32_t *index_a = a == NULL ? NULL : device_ints(a, pairs);
  int32_t *index_b = b == NULL ? NULL : device_ints(b, pairs);
  int32_t *out = device_bytes((size_t)pairs * sizeof *out);
  size_t bytes = 0;
  must(prism_distance_scratch_bytes(pool_a->n, pool_a->k > pool_b->k ? pool_a->k : pool_b->k,
                                    pairs, &bytes));
  void *scratch = bytes > 0 ? device_bytes(bytes) : NULL;
  must(prism_launch_distance(pool_a, index_a, pool_b, index_b, out, pairs, mode, scratch, NULL));
  host_ints(out, distance, pairs);
  must_cuda(cudaFree(index_a));
  must_cuda(cudaFree(index_b));
  must_cuda(cudaFree(out));
  must_cuda(cudaFree(scratch));
}

/* Colourings of every kind: unrelated, related, the same, with empty classes. */
static void draw_members(prism_rng_t *rng, int32_t n, int32_t k, int32_t *color) {
  const size_t row = (size_t)n;
  draw_colors(rng, n, k, color);
  draw_colors(rng, n, 1 + (k - 1) / 2, color + row);
  draw_relative(rng, n, k, 1, color, color + 2 * row);
  draw_relative(rng, n, k, 5, color, color + 3 * row);
  draw_relative(rng, n, k, 0, color + 2 * row, color + 4 * row);
  for (int32_t v = 0; v < n; ++v) color[5 * row + (size_t)v] = v % k;
}

/* All pairs of six colourings, `pairs` of them (again from the start when all are
 * done), both modes. */
static void check_case(prism_rng_t *rng, int32_t n, int32_t k, int32_t pairs, bool greedy) {
  int32_t *color = NULL, *a = NULL, *b = NULL, *exact = NULL, *rough = NULL;
  const size_t row = (size_t)n;
  must(PRISM_ALLOC(MEMBERS * row, &color));
  must(PRISM_ALLOC(pairs, &a));
  must(PRISM_ALLOC(pairs, &b));
  must(PRISM_ALLOC(pairs, &exact));
  must(PRISM_ALLOC(pairs, &rough));
  draw_members(rng, n, k, color);
  prism_gpu_pool_t pool = pool_create(n, k, MEMBERS);
  for (int32_t i = 0; i < MEMBERS; ++i) pool_put(&pool, i, color + (size_t)i * row);
  for (int32_t i = 0; i < pairs; ++i) {
    a[i] = i % ALL_PAIRS / MEMBERS;
    b[i] = i % MEMBERS;
  }
  run_distance(&pool, a, &pool, b, pairs, PRISM_DISTANCE_EXACT, exact);
  run_distance(&pool, a, &pool, b, pairs, PRISM_DISTANCE_GREEDY, rough);
  for (int32_t i = 0; i < pairs; ++i) {
    if (i >= ALL_PAIRS) {
      assert_int_equal(exact[i], exact[i - ALL_PAIRS]);
      assert_int_equal(rough[i], rough[i - ALL_PAIRS]);
      continue;
    }
    const int32_t *one = color + (size_t)a[i] * row, *other = color + (size_t)b[i] * row;
    const int32_t back = b[i] * MEMBERS + a[i]; /* the same pair, seen from the other side */
    int32_t distance = back < i ? exact[back] : 0;
    /* The host's way takes long with many colours: once for each pair. */
    if (back > i) must(prism_coloring_distance(one, other, n, k, &distance));
    assert_int_equal(exact[i], distance);
    assert_true(rough[i] >= distance && rough[i] <= n);
    if (a[i] == b[i]) assert_int_equal(rough[i], 0);
    if (greedy) assert_int_equal(rough[i], naive_greedy(n, k, one, other));
  }
  pool_destroy(&pool);
  prism_free(color);
  prism_free(a);
  prism_free(b);
  prism_free(exact);
  prism_free(rough);
}

static void distances_are_those_of_the_host(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const int32_t fixed[][2] = {{1, 1},   {1, 9},    {2, 2},     {31, 31},    {32, 1},
                                     {33, 33}, {100, 70}, {250, 250}, {1000, 83},  {1000, 20},
                                     {999, 223}, {2000, 3}, {1500, 700}};
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  int cases = gpu_repeats((int)(sizeof fixed / sizeof *fixed), 8);
  for (int i = 0; i < cases; ++i)
    check_case(&rng, fixed[i][0], fixed[i][1], ALL_PAIRS, fixed[i][1] < 120);
  for (int round = gpu_repeats(80, 6); round > 0; --round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 260);
    check_case(&rng, n, 1 + (int32_t)prism_rng_below(&rng, 60), ALL_PAIRS, true);
  }
}

/* More classes than fit into shared memory, more vertices than 16 bits count, and more
 * pairs than blocks. */
static void distances_of_large_colorings(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  size_t bytes = 1;
  must(prism_distance_scratch_bytes(1000, 83, 1000, &bytes));
  assert_int_equal(bytes, 0);
  must(prism_distance_scratch_bytes(70003, 7, 1000, &bytes));
  assert_true(bytes > 0 && bytes <= (size_t)256 << 20);
  check_case(&rng, 70003, 7, ALL_PAIRS, true);
  if (gpu_repeats(1, 0) == 0) return;
  check_case(&rng, 70003, 1, 4, true);
  check_case(&rng, 60000, 300, 600, false);
  check_case(&rng, 20000, 1024, 8, false);
}

static void distances_between_populations(void **state) {
  (void)state;
  enum { N = 130, PAIRS = 5 };
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  int32_t few[PAIRS][N], many[PAIRS][N], distance[PAIRS], expected = -1;
  prism_gpu_pool_t a = pool_create(N, 9, PAIRS), b = pool_create(N, 14, PAIRS);
  for (int32_t i = 0; i < PAIRS; ++i) {
    draw_colors(&rng, N, 9, few[i]);
    draw_colors(&rng, N, 14, many[i]);
    pool_put(&a, i, few[i]);
    pool_put(&b, i, many[i]);
  }
  run_distance(&a, NULL, &b, NULL, PAIRS, PRISM_DISTANCE_EXACT, distance);
  for (int32_t i = 0; i < PAIRS; ++i) {
    must(prism_coloring_distance(few[i], many[i], N, 14, &expected));
    assert_int_equal(distance[i], expected);
  }
  const int32_t index_a[PAIRS] = {4, -1, 0, 2, -3}, index_b[PAIRS] = {1, 1, -1, 3, 0};
  run_distance(&b, index_a, &a, index_b, PAIRS, PRISM_DISTANCE_EXACT, distance);
  for (int32_t i = 0; i < PAIRS; ++i) {
    expected = -1;
    if (index_a[i] >= 0 && index_b[i] >= 0)
      must(prism_coloring_distance(many[index_a[i]], few[index_b[i]], N, 14, &expected));
    assert_int_equal(distance[i], expected);
  }
  assert_int_equal(prism_launch_distance(&a, NULL, &b, NULL, NULL, 0, PRISM_DISTANCE_EXACT, NULL,
                                         NULL),
                   PRISM_OK);
  prism_gpu_pool_t other = pool_create(N + 1, 9, 1);
  assert_int_equal(prism_launch_distance(&a, NULL, &other, NULL, NULL, 1, PRISM_DISTANCE_EXACT,
                                         NULL, NULL),
                   PRISM_INVALID);
  pool_destroy(&other);
  pool_destroy(&a);
  pool_destroy(&b);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distances_are_those_of_the_host),
      cmocka_unit_test(distances_of_large_colorings),
      cmocka_unit_test(distances_between_populations),
  };
  return gpu_run(tests);
}
