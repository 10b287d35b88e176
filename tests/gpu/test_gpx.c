/* GPX on the device against the same steps on the host, and against what it promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/gpu_fixture.h"
#include "gpu/pool_fixture.h"
#include "kernels/gpx.h"
#include "model/coloring.h"

static const uint64_t seed = 20261211;

enum { CHILDREN = 6, PARENTS = 4 };

static uint32_t word_of(uint64_t generation, uint32_t individual, int32_t draw, int32_t word) {
  return prism_rng_at(seed, generation, (uint32_t)draw, individual, PRISM_RNG_CROSSOVER)
      .word[word];
}

/* The crossover as the header of the kernel describes it, on plain arrays. */
static void host_gpx(int32_t n, int32_t k, const int32_t *a, const int32_t *b, int32_t share,
                     uint64_t generation, uint32_t individual, int32_t *child) {
  const int32_t *parent[2] = {a, b};
  int32_t *size = NULL;
  must(PRISM_ALLOC(k, &size));
  for (int32_t v = 0; v < n; ++v) child[v] = -1;
  int32_t sum = (int32_t)prism_rng_scale(word_of(generation, individual, 0, 0), 1000);
  for (int32_t c = 0; c < k; ++c) {
    sum += share;
    const int32_t *p = parent[sum >= 1000 ? 0 : 1];
    if (sum >= 1000) sum -= 1000;
    int32_t most = 0;
    memset(size, 0, (size_t)k * sizeof *size);
    for (int32_t v = 0; v < n; ++v)
      if (child[v] < 0 && ++size[p[v]] > most) most = size[p[v]];
    if (most == 0) break;
    uint32_t ties = (uint32_t)count_equal(size, k, most);
    uint32_t word = word_of(generation, individual, 1 + c / 4, c & 3);
    int32_t chosen = nth_equal(size, k, most, (int32_t)prism_rng_scale(word, ties));
    for (int32_t v = 0; v < n; ++v)
      if (child[v] < 0 && p[v] == chosen) child[v] = c;
  }
  for (int32_t v = 0; v < n; ++v)
    if (child[v] < 0)
      child[v] = (int32_t)prism_rng_scale(
          word_of(generation, individual, 1 + (k + 3) / 4 + v / 4, v & 3), (uint32_t)k);
  prism_free(size);
}

typedef struct gpx_case {
  int32_t n, k;
  uint32_t noise;   /* of 10 vertices that differ between related parents */
  int32_t used;     /* colours in use in parent 0, at most k */
  int32_t share;
} gpx_case_t;

static void run_gpx(const prism_gpu_pool_t *in, const int32_t *first, const int32_t *second,
                    const prism_gpu_pool_t *out, int32_t children, int32_t share,
                    uint64_t generation, uint32_t individual) {
  uint64_t *counter = device_copy(&generation, sizeof generation);
  prism_gpx_options_t options = {seed, counter, individual, share};
  int32_t *a = device_ints(first, children), *b = device_ints(second, children);
  size_t bytes = 0;
  must(prism_gpx_scratch_bytes(in->n, in->k, children, &bytes));
  void *scratch = bytes > 0 ? device_bytes(bytes) : NULL;
  must(prism_launch_gpx(in, a, b, out, children, &options, scratch, NULL));
  must_cuda(cudaDeviceSynchronize());
  must_cuda(cudaFree(counter));
  must_cuda(cudaFree(a));
  must_cuda(cudaFree(b));
  if (scratch != NULL) must_cuda(cudaFree(scratch));
}

static void check_case(prism_rng_t *rng, const gpx_case_t *c, uint64_t generation) {
  prism_gpu_pool_t in = pool_create(c->n, c->k, PARENTS), out = pool_create(c->n, c->k, CHILDREN);
  int32_t *color = NULL, *child = NULL, *expected = NULL;
  const size_t n = (size_t)c->n;
  must(PRISM_ALLOC(PARENTS * n, &color));
  must(PRISM_ALLOC(n, &child));
  must(PRISM_ALLOC(n, &expected));
  draw_colors(rng, c->n, c->used, color);
  draw_colors(rng, c->n, c->k, color + n);
  draw_relative(rng, c->n, c->k, c->noise, color, color + 2 * n);
  draw_relative(rng, c->n, c->k, c->noise, color + n, color + 3 * n);
  for (int32_t p = 0; p < PARENTS; ++p) pool_put(&in, p, color + (size_t)p * n);
  int32_t first[CHILDREN], second[CHILDREN];
  for (int32_t i = 0; i < CHILDREN; ++i) {
    first[i] = (int32_t)prism_rng_below(rng, PARENTS);
    second[i] = (int32_t)prism_rng_below(rng, PARENTS);
  }
  run_gpx(&in, first, second, &out, CHILDREN, c->share, generation, 40);
  for (int32_t i = 0; i < CHILDREN; ++i) {
    host_gpx(c->n, c->k, color + (size_t)first[i] * n, color + (size_t)second[i] * n, c->share,
             generation, 40 + (uint32_t)i, expected);
    pool_get(&out, i, child);
    assert_memory_equal(child, expected, n * sizeof *child);
  }
  prism_free(color);
  prism_free(child);
  prism_free(expected);
  pool_destroy(&in);
  pool_destroy(&out);
}

static void gpx_makes_the_steps_of_the_host(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const gpx_case_t fixed[] = {
      {1, 1, 5, 1, 500},      {1, 7, 5, 7, 500},      {2, 2, 5, 1, 500},   {33, 33, 5, 33, 500},
      {64, 1, 5, 1, 500},     {100, 100, 0, 3, 500},  {257, 40, 3, 40, 0}, {257, 40, 3, 40, 1000},
      {500, 300, 5, 300, 500}, {1000, 83, 2, 83, 500}, {1000, 83, 10, 83, 250},
      {1003, 7, 1, 7, 999},
  };
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; ++i) check_case(&rng, &fixed[i], i);
  for (int round = gpu_repeats(60, 6); round > 0; --round) {
    gpx_case_t c = {.n = 1 + (int32_t)prism_rng_below(&rng, 300)};
    c.k = 1 + (int32_t)prism_rng_below(&rng, 90);
    c.noise = prism_rng_below(&rng, 11);
    c.used = 1 + (int32_t)prism_rng_below(&rng, (uint32_t)c.k);
    c.share = (int32_t)prism_rng_below(&rng, 1001);
    check_case(&rng, &c, ((uint64_t)round << 33) + 5);
  }
}

/* Parents too large for shared memory, and with more vertices than 16 bits count. */
static void gpx_of_large_parents(void **state) {
  (void)state;
  static const gpx_case_t fixed[] = {{30011, 23, 4, 23, 500}, {70001, 5, 4, 5, 500},
                                     {3001, 12000, 4, 9000, 500}};
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  int cases = gpu_repeats(3, 1);
  for (int i = 0; i < cases; ++i) {
    size_t bytes = 0;
    must(prism_gpx_scratch_bytes(fixed[i].n, fixed[i].k, CHILDREN, &bytes));
    assert_true(bytes > 0);
    check_case(&rng, &fixed[i], 77);
  }
  size_t bytes = 1;
  must(prism_gpx_scratch_bytes(1000, 83, CHILDREN, &bytes));
  assert_int_equal(bytes, 0);
}

/* One partition under two names gives that partition; so does a single parent. */
static void gpx_keeps_what_both_have(void **state) {
  (void)state;
  enum { N = 500, K = 41 };
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  prism_gpu_pool_t in = pool_create(N, K, 3), out = pool_create(N, K, 4);
  int32_t color[3][N], child[N], distance = -1;
  draw_colors(&rng, N, K, color[0]);
  for (int32_t v = 0; v < N; ++v) color[1][v] = (color[0][v] + 5) % K;
  draw_colors(&rng, N, K, color[2]);
  for (int32_t p = 0; p < 3; ++p) pool_put(&in, p, color[p]);
  const int32_t first[4] = {0, 1, 2, 0}, second[4] = {1, 1, 2, 2};
  run_gpx(&in, first, second, &out, 3, 500, 9, 0);
  static const int32_t same[3] = {0, 1, 2};
  for (int32_t i = 0; i < 3; ++i) {
    pool_get(&out, i, child);
    must(prism_coloring_distance(color[same[i]], child, N, K, &distance));
    assert_int_equal(distance, 0);
  }
  for (int32_t share = 0; share <= 1000; share += 1000) { /* all from one of two parents */
    run_gpx(&in, first + 3, second + 3, &out, 1, share, 10, 0);
    pool_get(&out, 0, child);
    must(prism_coloring_distance(color[share == 1000 ? 0 : 2], child, N, K, &distance));
    assert_int_equal(distance, 0);
  }
  pool_destroy(&in);
  pool_destroy(&out);
}

static void gpx_skips_and_differs(void **state) {
  (void)state;
  enum { N = 200, K = 20, MANY = 64 };
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  prism_gpu_pool_t in = pool_create(N, K, 2), out = pool_create(N, K, MANY);
  int32_t color[2][N], child[N], before[N], zero[N] = {0}, first[MANY], second[MANY];
  draw_colors(&rng, N, K, color[0]);
  draw_colors(&rng, N, K, color[1]);
  pool_put(&in, 0, color[0]);
  pool_put(&in, 1, color[1]);
  for (int32_t i = 0; i < MANY; ++i) {
    first[i] = i == 3 ? -1 : 0;
    second[i] = i == 5 ? -1 : 1;
    pool_put(&out, i, zero);
  }
  run_gpx(&in, first, second, &out, MANY, 500, 1, 0);
  pool_get(&out, 3, child);
  assert_memory_equal(child, zero, sizeof zero);
  pool_get(&out, 5, child);
  assert_memory_equal(child, zero, sizeof zero);
  for (int32_t i = 6; i < MANY; ++i) { /* children of the same parents are not the same */
    pool_get(&out, i, child);
    if (i > 6) assert_memory_not_equal(child, before, sizeof before);
    memcpy(before, child, sizeof before);
  }
  pool_destroy(&in);
  pool_destroy(&out);
}

static void gpx_refuses_what_does_not_fit(void **state) {
  (void)state;
  prism_gpu_pool_t in = pool_create(40, 5, 2), out = pool_create(40, 6, 2);
  prism_gpx_options_t options = {seed, NULL, 0, 500};
  assert_int_equal(prism_launch_gpx(&in, NULL, NULL, &out, 2, &options, NULL, NULL),
                   PRISM_INVALID);
  assert_int_equal(prism_launch_gpx(&in, NULL, NULL, &in, 3, &options, NULL, NULL), PRISM_INVALID);
  options.first_share = 1001;
  assert_int_equal(prism_launch_gpx(&in, NULL, NULL, &in, 2, &options, NULL, NULL), PRISM_INVALID);
  options.first_share = 0;
  assert_int_equal(prism_launch_gpx(&in, NULL, NULL, &in, 0, &options, NULL, NULL), PRISM_OK);
  pool_destroy(&in);
  pool_destroy(&out);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gpx_makes_the_steps_of_the_host),
      cmocka_unit_test(gpx_of_large_parents),
      cmocka_unit_test(gpx_keeps_what_both_have),
      cmocka_unit_test(gpx_skips_and_differs),
      cmocka_unit_test(gpx_refuses_what_does_not_fit),
  };
  return gpu_run(tests);
}
