/* Conflicts counted on the device against the host's count. */
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
#include "kernels/recount.h"
#include "model/coloring.h"
#include "model/generate.h"
#include "oracle.h"

static const uint64_t seed = 20261213;

enum { MEMBERS = 5 };

/* All rows, then some rows in another order with gaps, with and without bit rows. */
static void check_case(prism_rng_t *rng, const prism_graph_t *graph, int32_t k) {
  const int32_t n = graph->n;
  int32_t *color = NULL, f[MEMBERS], expected[MEMBERS];
  must(PRISM_ALLOC(n, &color));
  prism_gpu_graph_t device;
  must(prism_device_graph_create(graph, &device));
  prism_gpu_pool_t pool = pool_create(n, k, MEMBERS);
  for (int32_t i = 0; i < MEMBERS; ++i) {
    draw_colors(rng, n, i == 0 ? 1 + (k - 1) / 2 : k, color);
    pool_put(&pool, i, color);
    expected[i] = (int32_t)prism_coloring_conflicts(graph, color);
  }
  must(prism_launch_recount(&device, &pool, NULL, MEMBERS, NULL));
  host_ints(pool.f, f, MEMBERS);
  assert_memory_equal(f, expected, sizeof f);

  prism_gpu_graph_t lists = device;
  lists.row = NULL;
  must_cuda(cudaMemset(pool.f, 0xFF, sizeof f));
  static const int32_t which[3] = {3, -1, 1};
  int32_t *index = device_ints(which, 3);
  must(prism_launch_recount(&lists, &pool, index, 3, NULL));
  host_ints(pool.f, f, MEMBERS);
  for (int32_t i = 0; i < MEMBERS; ++i)
    assert_int_equal(f[i], i == 1 || i == 3 ? expected[i] : -1);
  must_cuda(cudaFree(index));
  pool_destroy(&pool);
  prism_device_graph_destroy(&device);
  prism_free(color);
}

static void recounts_are_those_of_the_host(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int round = gpu_repeats(60, 8); round > 0; --round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 256);
    if (round % 8 == 0) n = 1;
    double p = round % 8 == 1 ? 0.0 : round % 8 == 2 ? 1.0 : oracle_density(&rng);
    prism_graph_t *graph = oracle_random_graph(&rng, n, p);
    check_case(&rng, graph, 1 + (int32_t)prism_rng_below(&rng, 40));
    check_case(&rng, graph, 1);
    check_case(&rng, graph, n);
    check_case(&rng, graph, 300);
    prism_graph_destroy(&graph);
  }
}

static void recounts_of_large_graphs(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  static const struct {
    int32_t n, k;
    double p;
  } fixed[] = {{1000, 83, 0.5}, {1000, 3, 0.02}, {70001, 4, 0.0002}, {20001, 20000, 0.003}};
  int cases = gpu_repeats(4, 2);
  for (int i = 0; i < cases; ++i) {
    prism_generated_t made;
    must(prism_generate_gnp(fixed[i].n, fixed[i].p, seed, &made));
    check_case(&rng, made.graph, fixed[i].k);
    prism_graph_destroy(&made.graph);
  }
}

static void recount_refuses_another_graph(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, 30, 0.5);
  prism_gpu_graph_t device;
  must(prism_device_graph_create(graph, &device));
  prism_gpu_pool_t pool = pool_create(31, 4, 1);
  assert_int_equal(prism_launch_recount(&device, &pool, NULL, 1, NULL), PRISM_INVALID);
  pool_destroy(&pool);
  pool = pool_create(30, 4, 1);
  assert_int_equal(prism_launch_recount(&device, &pool, NULL, 0, NULL), PRISM_OK);
  pool.k = 65536;
  assert_int_equal(prism_launch_recount(&device, &pool, NULL, 1, NULL), PRISM_INVALID);
  pool_destroy(&pool);
  prism_device_graph_destroy(&device);
  prism_graph_destroy(&graph);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(recounts_are_those_of_the_host),
      cmocka_unit_test(recounts_of_large_graphs),
      cmocka_unit_test(recount_refuses_another_graph),
  };
  return gpu_run(tests);
}
