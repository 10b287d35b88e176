/* Copies, class sizes, random colourings and fewer colours, against the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/device_graph.h"
#include "gpu/gpu_fixture.h"
#include "gpu/pool_fixture.h"
#include "kernels/convert.h"
#include "model/coloring.h"
#include "model/generate.h"
#include "oracle.h"

static const uint64_t seed = 20261214;

enum { MEMBERS = 4, MAX_SIZES = 4096 };

static void gather_copies_rows(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const int32_t sizes[] = {1, 7, 8, 9, 64, 255, 1000, 5001};
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s) {
    const int32_t n = sizes[s];
    int32_t *color = NULL, *copy = NULL, f[MEMBERS] = {11, 22, 33, 44}, got[MEMBERS];
    must(PRISM_ALLOC(MEMBERS * (size_t)n, &color));
    must(PRISM_ALLOC(n, &copy));
    prism_gpu_pool_t in = pool_create(n, 600, MEMBERS), out = pool_create(n, 600, MEMBERS);
    draw_colors(&rng, MEMBERS * n, 600, color);
    for (int32_t i = 0; i < MEMBERS; ++i) {
      pool_put(&in, i, color + (size_t)i * (size_t)n);
      pool_put(&out, i, color);
    }
    must_cuda(cudaMemcpy(in.f, f, sizeof f, cudaMemcpyHostToDevice));
    static const int32_t from[3] = {2, -1, 3}, to[3] = {1, 3, 2};
    int32_t *source = device_ints(from, 3), *target = device_ints(to, 3);
    must(prism_launch_gather(&in, source, &out, target, 3, NULL));
    static const int32_t expected[MEMBERS] = {0, 2, 3, 0};
    for (int32_t i = 0; i < MEMBERS; ++i) {
      pool_get(&out, i, copy);
      assert_memory_equal(copy, color + (size_t)expected[i] * (size_t)n,
                          (size_t)n * sizeof *copy);
    }
    host_ints(out.f, got, MEMBERS);
    static const int32_t expected_f[MEMBERS] = {-1, 33, 44, -1};
    assert_memory_equal(got, expected_f, sizeof got);
    must(prism_launch_gather(&in, NULL, &out, NULL, MEMBERS, NULL));
    for (int32_t i = 0; i < MEMBERS; ++i) {
      pool_get(&out, i, copy);
      assert_memory_equal(copy, color + (size_t)i * (size_t)n, (size_t)n * sizeof *copy);
    }
    must_cuda(cudaFree(source));
    must_cuda(cudaFree(target));
    pool_destroy(&in);
    pool_destroy(&out);
    prism_free(color);
    prism_free(copy);
  }
}

/* Random rows are the promised numbers; profiles count them; skipped rows stay. */
static void random_rows_and_their_profiles(void **state) {
  (void)state;
  static const int32_t fixed[][2] = {{1, 1}, {2, 5}, {301, 37}, {1000, 83}, {1030, 1000}};
  for (size_t s = 0; s < sizeof fixed / sizeof *fixed; ++s) {
    const int32_t n = fixed[s][0], k = fixed[s][1];
    const uint64_t generation = ((uint64_t)1 << 36) + s;
    int32_t *color = NULL, size[MAX_SIZES], expected[MAX_SIZES] = {0};
    must(PRISM_ALLOC(n, &color));
    prism_gpu_pool_t pool = pool_create(n, k, MEMBERS);
    memset(color, 0, (size_t)n * sizeof *color);
    for (int32_t i = 0; i < MEMBERS; ++i) pool_put(&pool, i, color);
    static const int32_t which[3] = {3, -1, 0};
    int32_t *index = device_ints(which, 3), *sizes = device_bytes(3 * (size_t)k * sizeof *sizes);
    must_cuda(cudaMemset(sizes, 0, 3 * (size_t)k * sizeof *sizes));
    uint64_t *counter = device_copy(&generation, sizeof generation);
    prism_convert_random_t random = {seed, counter, 100};
    must(prism_launch_random(&pool, index, 3, &random, NULL));
    must(prism_launch_profile(&pool, index, 3, sizes, NULL));
    host_ints(sizes, size, 3 * k);
    for (int32_t i = 0; i < 3; ++i) {
      if (which[i] < 0) continue;
      pool_get(&pool, which[i], color);
      for (int32_t v = 0; v < n; ++v) {
        prism_rng_block_t block = prism_rng_at(seed, generation, (uint32_t)v / 4,
                                               100 + (uint32_t)i, PRISM_RNG_INITIAL);
        assert_int_equal(color[v], prism_rng_scale(block.word[v & 3], (uint32_t)k));
        ++expected[i * k + color[v]];
      }
    }
    assert_memory_equal(size, expected, 3 * (size_t)k * sizeof *size);
    pool_get(&pool, 1, color);
    for (int32_t v = 0; v < n; ++v) assert_int_equal(color[v], 0);
    must_cuda(cudaFree(index));
    must_cuda(cudaFree(sizes));
    must_cuda(cudaFree(counter));
    pool_destroy(&pool);
    prism_free(color);
  }
}

/* Dissolving as the header of the kernel describes it. */
static void host_dissolve(const prism_graph_t *g, int32_t k, int32_t to, uint64_t generation,
                          uint32_t individual, int32_t *color) {
  int32_t *size = NULL, *name = NULL, *moved = NULL, moves = 0;
  must(PRISM_ALLOC_ZERO(k, &size));
  must(PRISM_ALLOC(k, &name));
  must(PRISM_ALLOC(g->n, &moved));
  for (int32_t v = 0; v < g->n; ++v) ++size[color[v]];
  for (int32_t c = 0; c < k; ++c) name[c] = -1;
  for (int32_t rank = 0; rank < to; ++rank) {
    int32_t largest = -1;
    for (int32_t c = 0; c < k; ++c)
      if (name[c] < 0 && (largest < 0 || size[c] > size[largest])) largest = c;
    name[largest] = rank;
  }
  for (int32_t v = 0; v < g->n; ++v) {
    color[v] = name[color[v]];
    if (color[v] < 0) moved[moves++] = v;
  }
  prism_rng_t rng = prism_rng_stream(seed, generation, individual, PRISM_RNG_INITIAL);
  prism_rng_shuffle(&rng, moved, moves);
  for (int32_t i = 0; i < moves; ++i) {
    memset(size, 0, (size_t)k * sizeof *size);
    for (int64_t e = g->offset[moved[i]]; e < g->offset[moved[i] + 1]; ++e)
      if (color[g->neighbor[e]] >= 0) ++size[color[g->neighbor[e]]];
    int32_t least = size[0];
    for (int32_t c = 1; c < to; ++c) least = size[c] < least ? size[c] : least;
    uint32_t word = prism_rng_at(seed, generation, (1u << 23) + (uint32_t)i, individual,
                                 PRISM_RNG_INITIAL)
                        .word[0];
    uint32_t ties = (uint32_t)count_equal(size, to, least);
    color[moved[i]] = nth_equal(size, to, least, (int32_t)prism_rng_scale(word, ties));
  }
  prism_free(size);
  prism_free(name);
  prism_free(moved);
}

static void check_dissolve(prism_rng_t *rng, const prism_graph_t *graph, int32_t k, int32_t to,
                           int32_t used) {
  const uint64_t generation = prism_rng_next(rng);
  const int32_t n = graph->n;
  int32_t *color = NULL, *got = NULL;
  must(PRISM_ALLOC(MEMBERS * (size_t)n, &color));
  must(PRISM_ALLOC(n, &got));
  draw_colors(rng, MEMBERS * n, used, color);
  prism_gpu_graph_t device;
  must(prism_device_graph_create(graph, &device));
  prism_gpu_pool_t pool = pool_create(n, k, MEMBERS);
  for (int32_t i = 0; i < MEMBERS; ++i) pool_put(&pool, i, color + (size_t)i * (size_t)n);
  static const int32_t which[3] = {2, -1, 0};
  int32_t *index = device_ints(which, 3);
  uint64_t *counter = device_copy(&generation, sizeof generation);
  prism_convert_random_t random = {seed, counter, 7};
  size_t bytes = 0;
  must(prism_dissolve_scratch_bytes(n, k, 3, &bytes));
  void *scratch = bytes > 0 ? device_bytes(bytes) : NULL;
  must(prism_launch_dissolve(&device, &pool, index, 3, to, &random, scratch, NULL));
  for (int32_t i = 0; i < 3; ++i)
    if (which[i] >= 0)
      host_dissolve(graph, k, to, generation, 7 + (uint32_t)i,
                    color + (size_t)which[i] * (size_t)n);
  for (int32_t i = 0; i < MEMBERS; ++i) {
    pool_get(&pool, i, got);
    assert_memory_equal(got, color + (size_t)i * (size_t)n, (size_t)n * sizeof *got);
  }
  must_cuda(cudaFree(scratch));
  must_cuda(cudaFree(index));
  must_cuda(cudaFree(counter));
  pool_destroy(&pool);
  prism_device_graph_destroy(&device);
  prism_free(color);
  prism_free(got);
}

static void dissolve_makes_the_steps_of_the_host(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  for (int round = gpu_repeats(50, 6); round > 0; --round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 256);
    int32_t k = 2 + (int32_t)prism_rng_below(&rng, 60);
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    check_dissolve(&rng, graph, k, k - 1, k);
    check_dissolve(&rng, graph, k, 1 + (int32_t)prism_rng_below(&rng, (uint32_t)k - 1), k);
    check_dissolve(&rng, graph, k, 1, 1 + (k - 1) / 2);
    check_dissolve(&rng, graph, n + 1, n, n);
    prism_graph_destroy(&graph);
  }
}

/* Lists that shared memory does not hold. */
static void dissolve_of_a_large_graph(void **state) {
  (void)state;
  if (gpu_repeats(1, 0) == 0) return;
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  prism_generated_t made;
  must(prism_generate_gnp(70001, 0.0002, seed, &made));
  size_t bytes = 0;
  must(prism_dissolve_scratch_bytes(made.graph->n, 400, 3, &bytes));
  assert_true(bytes > 0);
  check_dissolve(&rng, made.graph, 400, 396, 400);
  prism_graph_destroy(&made.graph);
}

static void dissolve_refuses_more_colors(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 4, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, 20, 0.5);
  prism_gpu_graph_t device;
  must(prism_device_graph_create(graph, &device));
  prism_gpu_pool_t pool = pool_create(20, 5, 1);
  prism_convert_random_t random = {seed, NULL, 0};
  static const int32_t wrong[] = {5, 6, 0, -1};
  for (int i = 0; i < 4; ++i)
    assert_int_equal(prism_launch_dissolve(&device, &pool, NULL, 1, wrong[i], &random, NULL, NULL),
                     PRISM_INVALID);
  assert_int_equal(prism_launch_dissolve(&device, &pool, NULL, 0, 4, &random, NULL, NULL),
                   PRISM_OK);
  pool_destroy(&pool);
  prism_device_graph_destroy(&device);
  prism_graph_destroy(&graph);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gather_copies_rows),
      cmocka_unit_test(random_rows_and_their_profiles),
      cmocka_unit_test(dissolve_makes_the_steps_of_the_host),
      cmocka_unit_test(dissolve_of_a_large_graph),
      cmocka_unit_test(dissolve_refuses_more_colors),
  };
  return gpu_run(tests);
}
