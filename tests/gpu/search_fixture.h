/* What the tests of the device searches share: a graph on both sides, a population to
 * start from, and the device memory that a job names. */
#ifndef PRISM_TESTS_SEARCH_FIXTURE_H
#define PRISM_TESTS_SEARCH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/device_graph.h"
#include "gpu/graph_fixture.h"
#include "gpu/pool_fixture.h"
#include "model/coloring.h"

/* The memory that a search reports into, and what it reported. */
typedef struct search_report {
  uint32_t *flags;            /* device: stop, solved, outgrown */
  unsigned long long *moves;  /* device: moves, then the generation */
  uint32_t solved, outgrown;
  int64_t made;
} search_report_t;

typedef struct search_case {
  prism_graph_t *graph;
  prism_gpu_graph_t device;
  prism_gpu_pool_t start, best;
  int32_t *start_color, *best_color; /* host copies [members][n] */
  int32_t *f;                        /* [members] */
  search_report_t report;
} search_case_t;

/* Takes the graph over. Starts are random colourings in `colors` of the k colours. */
static inline search_case_t case_open(prism_graph_t *graph, int32_t k, int32_t colors,
                                      int32_t members, uint64_t seed) {
  search_case_t c = {.graph = graph};
  const int32_t n = graph->n;
  must(prism_device_graph_create(graph, &c.device));
  c.start = pool_create(n, k, members);
  c.best = pool_create(n, k, members);
  must(PRISM_ALLOC((size_t)members * (size_t)n, &c.start_color));
  must(PRISM_ALLOC((size_t)members * (size_t)n, &c.best_color));
  must(PRISM_ALLOC(members, &c.f));
  prism_rng_t rng = prism_rng_stream(seed, 0, (uint32_t)k, PRISM_RNG_TEST);
  for (int32_t i = 0; i < members; ++i)
    draw_colors(&rng, n, colors, c.start_color + (size_t)i * (size_t)n);
  c.report.flags = device_bytes(3 * sizeof *c.report.flags);
  c.report.moves = device_bytes(2 * sizeof *c.report.moves);
  return c;
}

static inline void case_close(search_case_t *c) {
  pool_destroy(&c->start);
  pool_destroy(&c->best);
  prism_free(c->start_color);
  prism_free(c->best_color);
  prism_free(c->f);
  must_cuda(cudaFree(c->report.flags));
  must_cuda(cudaFree(c->report.moves));
  prism_device_graph_destroy(&c->device);
  prism_graph_destroy(&c->graph);
}

/* Before a launch: the starts go up, reports are cleared. */
static inline void case_upload(search_case_t *c, uint64_t generation) {
  for (int32_t i = 0; i < c->start.members; ++i)
    pool_put(&c->start, i, c->start_color + (size_t)i * (size_t)c->graph->n);
  must_cuda(cudaMemset(c->report.flags, 0, 3 * sizeof *c->report.flags));
  must_cuda(cudaMemset(c->report.moves, 0, sizeof *c->report.moves));
  must_cuda(cudaMemcpy(c->report.moves + 1, &generation, sizeof generation,
                       cudaMemcpyHostToDevice));
}

static inline const uint64_t *case_generation(const search_case_t *c) {
  return (const uint64_t *)(const void *)(c->report.moves + 1);
}

/* After a launch into `pool`: everything comes down, and every colouring is counted. */
static inline void case_check(search_case_t *c, const prism_gpu_pool_t *pool) {
  uint32_t flags[3];
  unsigned long long moves = 0;
  host_ints(pool->f, c->f, pool->members);
  must_cuda(cudaMemcpy(flags, c->report.flags, sizeof flags, cudaMemcpyDeviceToHost));
  must_cuda(cudaMemcpy(&moves, c->report.moves, sizeof moves, cudaMemcpyDeviceToHost));
  c->report.solved = flags[1];
  c->report.outgrown = flags[2];
  c->report.made = (int64_t)moves;
  bool any = false;
  for (int32_t i = 0; i < pool->members; ++i) {
    int32_t *color = c->best_color + (size_t)i * (size_t)c->graph->n;
    pool_get(pool, i, color);
    for (int32_t v = 0; v < c->graph->n; ++v) assert_in_range(color[v], 0, pool->k - 1);
    assert_int_equal(c->f[i], prism_coloring_conflicts(c->graph, color));
    any |= c->f[i] == 0;
  }
  assert_int_equal(c->report.solved != 0, any);
  if (any) assert_int_equal(c->f[c->report.solved - 1], 0);
}

#endif
