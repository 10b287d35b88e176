/* What the tests of the wide search share: its settings, a run, what a host sees. */
#ifndef PRISM_TESTS_WIDE_FIXTURE_H
#define PRISM_TESTS_WIDE_FIXTURE_H

#include "gpu/search_fixture.h"
#include "kernels/wide.h"
#include "seam/engine.h"

static const uint64_t seed = 20261122;

typedef struct setting {
  int64_t iterations;
  int32_t threads, individuals;
  float base, slope; /* 0: those of TabuCol */
  prism_gpu_hooks_t hooks;
  uint64_t generation;
  const prism_gpu_pool_t *last; /* NULL: not kept */
  uint16_t *weight;             /* device; NULL: not weighted */
} setting_t;

static inline prism_wide_plan_t run(search_case_t *c, const setting_t *s,
                                    const prism_gpu_pool_t *into) {
  prism_wide_plan_t plan;
  must(prism_wide_plan(&c->device, c->start.k, s->weight != NULL, s->threads, &plan));
  int32_t individuals = s->individuals > 0 ? s->individuals : c->start.members;
  void *scratch = device_bytes((size_t)individuals * plan.individual_bytes);
  case_upload(c, s->generation);
  prism_wide_job_t job = {.start = c->start,
                          .best = *into,
                          .iterations = s->iterations,
                          .tenure_base = s->base > 0.0f ? s->base : 10.0f,
                          .tenure_slope = s->base > 0.0f ? s->slope : 0.6f,
                          .seed = seed,
                          .first_individual = 100,
                          .generation = case_generation(c),
                          .stop = c->report.flags,
                          .solved = c->report.flags + 1,
                          .moves = c->report.moves,
                          .weight = s->weight,
                          .hooks = s->hooks};
  if (s->last != NULL) job.last = *s->last;
  must(prism_launch_wide(&plan, &c->device, &job, scratch, individuals, NULL));
  case_check(c, into);
  must_cuda(cudaFree(scratch));
  return plan;
}

/* ---- what a host would do ---- */

typedef struct host {
  const prism_graph_t *graph;
  int32_t k;
  const float *score;
  const uint32_t *frozen;
} host_t;

static inline bool host_frozen(const host_t *h, int32_t v) {
  return h->frozen != NULL && (h->frozen[v >> 5] >> (v & 31) & 1u) != 0;
}

#endif
