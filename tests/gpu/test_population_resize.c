/* A pool on the device that is given more members: books, memory and graphs go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/device_graph.h"
#include "engine/population_growth.h"
#include "gpu/graph_fixture.h"
#include "gpu/pool_fixture.h"
#include "gpu/runtime_fixture.h"
#include "model/coloring.h"

enum { N = 70, K = 7, MEMBERS = 12, MOST = 512 };

typedef struct bed {
  prism_graph_t *graph;
  prism_gpu_graph_t copy;
  prism_gpu_context_t context;
  cudaStream_t stream, recorder;
  uint32_t *halt;
  void *report;
  prism_population_t pool;
} bed_t;

static void bed_open(bed_t *bed, bool graphs) {
  static const prism_search_params_t params = {.version = 1, .method = PRISM_METHOD_POOL,
                                               .tenure_base = 10.0, .tenure_slope = 0.6};
  prism_params_t all;
  prism_params_default(&all);
  all.gpu.graph = graphs;
  *bed = (bed_t){.graph = gnp(N, 0.5, 20261122)};
  must(prism_gpu_context_open(&all.gpu, &bed->context));
  must(prism_device_graph_create(bed->graph, &bed->copy));
  bed->stream = fresh_stream();
  bed->recorder = fresh_stream();
  bed->halt = device_bytes(sizeof *bed->halt);
  must_cuda(cudaMemset(bed->halt, 0, sizeof *bed->halt));
  bed->report = device_bytes(prism_population_report_bytes(N));
  const prism_population_setup_t setup = {.method = PRISM_METHOD_POOL, .k = K, .graph = &bed->copy,
                                          .params = &params, .members = MEMBERS, .seed = 1,
                                          .halt = bed->halt, .recorder = bed->recorder,
                                          .share = 1.0};
  must(prism_population_create(&bed->context, &setup, bed->stream, &bed->pool));
}

static void bed_close(bed_t *bed) {
  prism_population_release(&bed->pool, bed->stream);
  must_cuda(cudaStreamSynchronize(bed->stream));
  must_cuda(cudaStreamDestroy(bed->stream));
  must_cuda(cudaStreamDestroy(bed->recorder));
  must_cuda(cudaFree(bed->halt));
  must_cuda(cudaFree(bed->report));
  prism_device_graph_destroy(&bed->copy);
  prism_gpu_context_close(&bed->context);
  prism_graph_destroy(&bed->graph);
}

static prism_gpu_control_t generation(bed_t *bed) {
  prism_gpu_control_t control;
  must(prism_population_queue(&bed->pool, bed->report, bed->stream));
  must_cuda(cudaMemcpyAsync(&control, bed->report, sizeof control, cudaMemcpyDeviceToHost,
                            bed->stream));
  must_cuda(cudaStreamSynchronize(bed->stream));
  return control;
}

/* Conflicts as counted on the host; members differ. */
static void check_members(const bed_t *bed) {
  int32_t color[N], before[N];
  int32_t same = 0;
  for (int32_t row = 0; row < bed->pool.members; row += 1 + bed->pool.members / 16) {
    int64_t f = -1;
    must(prism_population_read(&bed->pool, row, color, &f, bed->stream));
    for (int32_t v = 0; v < N; ++v) assert_in_range(color[v], 0, K - 1);
    assert_int_equal(f, prism_coloring_conflicts(bed->graph, color));
    same += row > 0 && memcmp(color, before, sizeof color) == 0;
    memcpy(before, color, sizeof color);
  }
  assert_int_equal(same, 0);
}

static void pools_grow(void **state) {
  static const int32_t members[] = {MEMBERS, 2 * MEMBERS, 8 * MEMBERS, 32 * MEMBERS, MOST, MOST};
  static const int32_t left[] = {1, 2, 7, 7, 7};
  bed_t bed;
  bed_open(&bed, *state != NULL);
  prism_population_t *p = &bed.pool;
  p->lengths.longest = p->length;
  unsigned long long moves = 0;
  uint64_t generations = 1; /* random members count as one */
  int32_t best = INT32_MAX;
  for (size_t i = 0;; ++i) {
    assert_int_equal(p->members, members[i]);
    assert_int_equal(p->wanted, members[i]);
    assert_int_equal(p->mating.demes.count, 0);
    for (int g = 0; g < 3; ++g) {
      const prism_gpu_control_t c = generation(&bed);
      assert_int_equal(c.generation, ++generations);
      moves += (unsigned long long)(p->length * p->members);
      assert_int_equal(c.moves, moves);
      assert_true(c.least >= c.best_f && c.best_f <= best && c.sum >= (int64_t)c.least);
      best = c.best_f;
    }
    check_members(&bed);
    if (i == sizeof left / sizeof left[0]) break;
    p->least = left[i];
    must(prism_population_renew(p, bed.stream));
    ++generations;
    assert_true(p->fresh && p->length == p->lengths.longest);
  }
  bed_close(&bed);
}

/* Nothing is known to be too long: as many as before. */
static void others_keep_their_size(void **state) {
  (void)state;
  bed_t bed;
  bed_open(&bed, false);
  prism_population_t *p = &bed.pool;
  const int64_t length = p->length;
  p->least = 1;
  must(prism_population_renew(p, bed.stream));
  assert_int_equal(p->members, MEMBERS);
  assert_int_equal(p->length, 2 * length);
  p->lengths.longest = p->length;
  p->size_given = true;
  must(prism_population_renew(p, bed.stream));
  assert_int_equal(p->members, MEMBERS);
  bed_close(&bed);
}

int main(void) {
  static int graphs;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pools_grow),
      cmocka_unit_test_prestate(pools_grow, &graphs),
      cmocka_unit_test(others_keep_their_size),
  };
  gpu_require();
  return gpu_run(tests);
}
