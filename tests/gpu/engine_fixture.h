/* The CUDA engine under test, through its seam: engines, work, what comes of it. */
#ifndef PRISM_TESTS_ENGINE_FIXTURE_H
#define PRISM_TESTS_ENGINE_FIXTURE_H

#include "engine/engine_cuda.h"
#include "gpu/graph_fixture.h"
#include "model/coloring.h"

static inline prism_gpu_setup_t plain_setup(void) {
  prism_params_t params;
  prism_params_default(&params);
  return (prism_gpu_setup_t){.params = params.gpu};
}

static inline prism_engine_t open_engine(const prism_gpu_setup_t *setup,
                                         const prism_graph_t *graph, int32_t islands,
                                         uint64_t seed) {
  prism_engine_t engine = {0};
  prism_engine_config_t config = {.graph = graph, .seed = seed, .islands = islands};
  prism_engine_backend_t backend = prism_cuda_backend(setup);
  must(backend.create(&config, backend.context, &engine));
  return engine;
}

/* Ladders fill the GPU, too much for slow tools: there they run on the second of two islands,
 * with little of it. [out] engine. Returns the island that tempers. */
static inline int32_t open_tempering(const prism_gpu_setup_t *setup, const prism_graph_t *graph,
                                     uint64_t seed, prism_engine_t *engine) {
  prism_gpu_setup_t modest = *setup;
  const int32_t island = gpu_repeats(0, 1);
  modest.tempering = island;
  if (island == 1) modest.params.thermodynamic_share = 0.01;
  *engine = open_engine(&modest, graph, 1 + island, seed);
  return island;
}

/* For a population of 16; a budget of so many generations. */
static inline prism_work_t work_of(prism_method_t method, int32_t k, int64_t generations) {
  return (prism_work_t){.phase = prism_method_phase(method),
                        .k = k,
                        .params = {.version = 1, .method = method, .population = 16,
                                   .tenure_base = 10.0, .tenure_slope = 0.6},
                        .generations = generations};
}

static inline int64_t submit(prism_engine_t *engine, int32_t island, const prism_work_t *work) {
  int64_t ticket = -1;
  must(engine->ops->submit(engine->self, island, work, &ticket));
  return ticket;
}

static inline prism_summary_t finish(prism_engine_t *engine, int64_t ticket) {
  prism_summary_t summary = {0};
  bool done = false;
  while (!done) must(engine->ops->poll(engine->self, ticket, 1.0, &done, &summary));
  return summary;
}

/* The best colouring (0) or an elite (1), its f counted. Returns f. */
static inline int64_t take(prism_engine_t *engine, int32_t island, const prism_graph_t *graph,
                           int32_t which, int32_t *color) {
  int32_t k = 0;
  int64_t f = -1;
  must(engine->ops->export_colors(engine->self, island, which, 77u, color, &k, &f));
  for (int32_t v = 0; v < graph->n; ++v) assert_in_range(color[v], 0, k - 1);
  assert_int_equal(f, prism_coloring_conflicts(graph, color));
  return f;
}

#endif
