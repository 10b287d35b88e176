/* Graphs for the tests on a GPU. */
#ifndef PRISM_TESTS_GRAPH_FIXTURE_H
#define PRISM_TESTS_GRAPH_FIXTURE_H

#include "gpu/gpu_fixture.h"
#include "model/generate.h"
#include "model/graph.h"

static inline prism_graph_t *gnp(int32_t n, double p, uint64_t seed) {
  prism_generated_t made = {0};
  must(prism_generate_gnp(n, p, seed, &made));
  return made.graph;
}

static inline prism_graph_t *planted(int32_t n, int32_t k, double p, uint64_t seed) {
  prism_generated_t made = {0};
  must(prism_generate_planted(n, k, p, 0, seed, &made));
  return made.graph;
}

#endif
