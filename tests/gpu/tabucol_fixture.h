/* Searches on the device under test: one that is launched again and again from the same
 * start shows, by a launch of t iterations, where it is after t of them. */
#ifndef PRISM_TESTS_TABUCOL_FIXTURE_H
#define PRISM_TESTS_TABUCOL_FIXTURE_H

#include <stdbool.h>
#include <string.h>

#include "engine/device_graph.h"
#include "gpu/graph_fixture.h"
#include "gpu/pool_fixture.h"
#include "kernels/tabucol.h"
#include "kernels/weighted.h"
#include "model/coloring.h"
#include "oracle.h"
#include "seam/engine.h"

typedef struct trial {
  const prism_graph_t *graph;
  int32_t k, members;
  bool weighted;
  prism_gpu_graph_t device;
  prism_tabucol_plan_t plan;
  prism_tabucol_job_t job;
  uint16_t *weight;     /* device; of all members, if weighted */
  int32_t *edge_weight; /* device; where they begin, NULL: 1 */
  uint64_t *generation; /* device */
  int32_t *start_f;     /* host [members] */
} trial_t;

static inline int32_t device_int(const void *device) {
  int32_t value = 0;
  host_ints(device, &value, 1);
  return value;
}

/* [in] threads, words, cells: of the plan. Starts are random, in `spread` of the k colours. */
static inline void trial_open(trial_t *t, const prism_graph_t *graph, int32_t k, int32_t members,
                              bool weighted, const int32_t shape[3], int32_t spread,
                              prism_rng_t *rng) {
  memset(t, 0, sizeof *t);
  t->graph = graph;
  t->k = k;
  t->members = members;
  t->weighted = weighted;
  must(prism_device_graph_create(graph, &t->device));
  if (weighted)
    must(prism_weighted_plan(&t->device, k, shape[0], shape[1], &t->plan));
  else
    must(prism_tabucol_plan(&t->device, k, shape[0], shape[1], shape[2], &t->plan));
  const uint64_t generation = prism_rng_next(rng);
  prism_tabucol_job_t *job = &t->job;
  job->start = pool_create(graph->n, k, members);
  job->best = pool_create(graph->n, k, members);
  job->last = pool_create(graph->n, k, members);
  job->tenure_base = 10.0f;
  job->tenure_slope = 0.6f;
  job->seed = prism_rng_next(rng);
  job->first_individual = 7;
  job->generation = device_copy(&generation, sizeof generation);
  job->solved = device_bytes(sizeof *job->solved);
  job->outgrown = device_bytes(sizeof *job->outgrown);
  job->moves = device_bytes(sizeof *job->moves);
  if (weighted) t->weight = device_bytes((size_t)members * prism_weighted_cells(graph->n) * 2);
  int32_t *color = NULL;
  must(PRISM_ALLOC(graph->n, &color));
  must(PRISM_ALLOC(members, &t->start_f));
  for (int32_t i = 0; i < members; ++i) {
    draw_colors(rng, graph->n, spread, color);
    pool_put(&job->start, i, color);
    t->start_f[i] = (int32_t)prism_coloring_conflicts(graph, color);
  }
  prism_free(color);
}

/* The same in a layout of the plan's choice, on a random graph that the caller destroys. */
static inline prism_graph_t *trial_open_random(trial_t *t, int32_t n, double p, int32_t k,
                                               int32_t members, bool weighted,
                                               prism_rng_t *rng) {
  static const int32_t free_shape[3] = {0, 0, 0};
  prism_graph_t *graph = oracle_random_graph(rng, n, p);
  trial_open(t, graph, k, members, weighted, free_shape, k, rng);
  return graph;
}

static inline void trial_close(trial_t *t) {
  prism_tabucol_job_t *job = &t->job;
  pool_destroy(&job->start);
  pool_destroy(&job->best);
  pool_destroy(&job->last);
  must_cuda(cudaFree((void *)(uintptr_t)job->generation));
  must_cuda(cudaFree(job->solved));
  must_cuda(cudaFree(job->outgrown));
  must_cuda(cudaFree(job->moves));
  must_cuda(cudaFree(t->weight));
  must_cuda(cudaFree(t->edge_weight));
  must_cuda(cudaFree((void *)(uintptr_t)job->hooks.score));
  must_cuda(cudaFree((void *)(uintptr_t)job->hooks.frozen));
  for (int i = 0; i < 3; ++i) must_cuda(cudaFree(job->hooks.counter[i]));
  prism_device_graph_destroy(&t->device);
  prism_free(t->start_f);
}

static inline void trial_freeze(trial_t *t, const bool *frozen) {
  const int32_t words = (t->graph->n + 31) / 32;
  uint32_t *bits = NULL;
  must(PRISM_ALLOC_ZERO(words, &bits));
  for (int32_t v = 0; v < t->graph->n; ++v)
    if (frozen[v]) bits[v >> 5] |= UINT32_C(1) << (v & 31);
  t->job.hooks.frozen = device_copy(bits, (size_t)words * sizeof *bits);
  prism_free(bits);
}

static inline void trial_count(trial_t *t) {
  for (int i = 0; i < 3; ++i) {
    t->job.hooks.counter[i] = device_bytes((size_t)t->graph->n * sizeof(uint32_t));
    must_cuda(cudaMemset(t->job.hooks.counter[i], 0, (size_t)t->graph->n * sizeof(uint32_t)));
  }
}

/* Search from the start, with weights as they begin if `fresh`. Waits. */
static inline void trial_run(trial_t *t, int64_t iterations, bool fresh) {
  prism_tabucol_job_t *job = &t->job;
  job->iterations = iterations;
  must_cuda(cudaMemset(job->solved, 0, sizeof *job->solved));
  must_cuda(cudaMemset(job->outgrown, 0, sizeof *job->outgrown));
  must_cuda(cudaMemset(job->moves, 0, sizeof *job->moves));
  if (!t->weighted) {
    must(prism_launch_tabucol(&t->plan, &t->device, job, NULL));
  } else {
    prism_weighted_job_t weighted = {*job, t->weight};
    if (fresh)
      must(prism_launch_weigh(&t->device, t->edge_weight, t->members, t->weight, NULL));
    must(prism_launch_weighted(&t->plan, &t->device, &weighted, NULL));
  }
  must_cuda(cudaDeviceSynchronize());
}

static inline int64_t trial_moves(const trial_t *t) {
  unsigned long long moves = 0;
  must_cuda(cudaMemcpy(&moves, t->job.moves, sizeof moves, cudaMemcpyDeviceToHost));
  return (int64_t)moves;
}

/* The colours of a member, which must have the f that the pool says. Returns f. */
static inline int32_t trial_colors(const trial_t *t, const prism_gpu_pool_t *pool, int32_t member,
                                   int32_t *color) {
  pool_get(pool, member, color);
  for (int32_t v = 0; v < t->graph->n; ++v) assert_in_range(color[v], 0, t->k - 1);
  int32_t f = device_int(pool->f + member);
  assert_int_equal(f, prism_coloring_conflicts(t->graph, color));
  return f;
}

/* What holds after every run. Returns the members that are solved. */
static inline int32_t trial_check(const trial_t *t) {
  int32_t *color = NULL, solved = 0;
  must(PRISM_ALLOC(t->graph->n, &color));
  for (int32_t i = 0; i < t->members; ++i) {
    int32_t best = trial_colors(t, &t->job.best, i, color);
    int32_t last = trial_colors(t, &t->job.last, i, color);
    assert_true(best <= last && best <= t->start_f[i]);
    assert_true(best > 0 || last == 0); /* it ends there */
    solved += best == 0;
  }
  int32_t named = device_int(t->job.solved);
  assert_int_equal(named > 0, solved > 0);
  if (named > 0) assert_int_equal(device_int(t->job.best.f + (named - 1)), 0);
  assert_true(trial_moves(t) <= t->members * t->job.iterations);
  if (solved == 0) assert_int_equal(trial_moves(t), t->members * t->job.iterations);
  prism_free(color);
  return solved;
}

/* ---- what every search must do ---- */

/* A random graph of any kind of size, colours for it and for its start. */
static inline prism_graph_t *trial_draw(prism_rng_t *rng, int round, int32_t *k,
                                        int32_t *spread) {
  static const int32_t sizes[] = {1, 2, 31, 33, 64, 100, 127, 129, 250, 256};
  static const int32_t colors[] = {1, 2, 3, 7, 30, 300};
  prism_graph_t *graph = oracle_random_graph(rng, sizes[round % 10], oracle_density(rng));
  *k = colors[prism_rng_below(rng, 6)];
  *spread = round % 3 == 0 ? (*k + 1) / 2 : *k;
  return graph;
}

/* At least `least` of 4 searches find a planted colouring. [in] cells: of the plan, doubled
 * every other time; 0: its choice */
static inline void trial_planted(prism_rng_t *rng, bool weighted, int32_t cells, int32_t least) {
  for (int round = 0; round < gpu_repeats(8, 3); ++round) {
    const int32_t n = 60 + 37 * round, k = 3 + round % 4;
    prism_graph_t *graph = planted(n, k, 0.5, (uint64_t)round);
    const int32_t shape[3] = {0, 0, cells << round % 2};
    trial_t trial;
    trial_open(&trial, graph, k, 4, weighted, shape, k, rng);
    trial_run(&trial, 20000, true);
    assert_true(trial_check(&trial) >= least);
    trial_close(&trial);
    prism_graph_destroy(&graph);
  }
}

/* A second run ends where the first did, a third with another seed elsewhere. [in] learned: a
 * number for what the members have learned; NULL: nothing */
static inline void trial_repeat(prism_rng_t *rng, bool weighted, int64_t iterations,
                                int64_t (*learned)(const trial_t *t)) {
  enum { N = 250, MEMBERS = 6 };
  int32_t first[MEMBERS][N], again[N], same = 0;
  int64_t before = 0;
  trial_t trial;
  prism_graph_t *graph = trial_open_random(&trial, N, 0.5, 30, MEMBERS, weighted, rng);
  for (int run = 0; run < 3; ++run) {
    trial.job.seed += run == 2;
    trial_run(&trial, iterations, true);
    for (int32_t i = 0; i < MEMBERS; ++i) {
      pool_get(&trial.job.last, i, run == 0 ? first[i] : again);
      if (run == 1) assert_memory_equal(again, first[i], sizeof again);
      same += run == 2 && memcmp(again, first[i], sizeof again) == 0;
    }
    const int64_t now = learned != NULL ? learned(&trial) : 0;
    if (run == 1) assert_int_equal(now, before);
    before = now;
  }
  assert_int_equal(same, 0);
  trial_close(&trial);
  prism_graph_destroy(&graph);
}

#endif
