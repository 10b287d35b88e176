/* Slow and obvious answers for small graphs, to judge the fast ones by. */
#ifndef PRISM_TESTS_ORACLE_H
#define PRISM_TESTS_ORACLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/rng.h"
#include "model/graph.h"

/* Random graph of n <= 256 vertices; the caller destroys it. Ends the program when
 * it cannot be made. */
static inline prism_graph_t *oracle_random_graph(prism_rng_t *rng, int32_t n, double p) {
  static int32_t pairs[256 * 255];
  int64_t count = 0;
  for (int32_t u = 0; u < n; ++u)
    for (int32_t v = u + 1; v < n; ++v) {
      if (prism_rng_uniform(rng) >= p) continue;
      pairs[2 * count] = u;
      pairs[2 * count + 1] = v;
      ++count;
    }
  prism_graph_t *graph = NULL;
  if (prism_graph_from_edges(n, pairs, count, NULL, &graph) != PRISM_OK) exit(99);
  return graph;
}

/* A density that makes sparse and dense graphs equally likely. */
static inline double oracle_density(prism_rng_t *rng) {
  static const double density[] = {0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95};
  return density[prism_rng_below(rng, 7)];
}

static inline bool oracle_joined(const prism_graph_t *graph, int32_t u, int32_t v) {
  for (int64_t e = graph->offset[u]; e < graph->offset[u + 1]; ++e)
    if (graph->neighbor[e] == v) return true;
  return false;
}

/* Complete, in 0..k-1, no monochromatic edge. */
static inline bool oracle_legal(const prism_graph_t *graph, const int32_t *color, int32_t k) {
  for (int32_t v = 0; v < graph->n; ++v) {
    if (color[v] < 0 || color[v] >= k) return false;
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
      if (color[graph->neighbor[e]] == color[v]) return false;
  }
  return true;
}

/* Monochromatic edges; uncolored vertices have none. */
static inline int64_t oracle_conflicts(const prism_graph_t *graph, const int32_t *color) {
  int64_t count = 0;
  for (int32_t v = 0; v < graph->n; ++v)
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
      if (v < graph->neighbor[e] && color[v] >= 0 && color[graph->neighbor[e]] == color[v]) ++count;
  return count;
}

static inline bool oracle_extend(const prism_graph_t *graph, int32_t k, int32_t v, int32_t used,
                                 int32_t *color) {
  if (v == graph->n) return true;
  for (int32_t c = 0; c <= used && c < k; ++c) {
    bool free_color = true;
    for (int32_t u = 0; u < v && free_color; ++u)
      free_color = color[u] != c || !oracle_joined(graph, u, v);
    if (!free_color) continue;
    color[v] = c;
    if (oracle_extend(graph, k, v + 1, c == used ? used + 1 : used, color)) return true;
  }
  return false;
}

/* Is there a legal coloring with k colors? [out] color [n]. Exponential. */
static inline bool oracle_colorable(const prism_graph_t *graph, int32_t k, int32_t *color) {
  return oracle_extend(graph, k, 0, 0, color);
}

/* [out] color [n] optimal. */
static inline int32_t oracle_chromatic(const prism_graph_t *graph, int32_t *color) {
  int32_t k = 1;
  while (!oracle_colorable(graph, k, color)) ++k;
  return k;
}

static inline int32_t oracle_clique_from(const prism_graph_t *graph, const int32_t *candidate,
                                         int32_t count, int32_t size, int32_t best) {
  if (size > best) best = size;
  for (int32_t i = 0; i < count && size + count - i > best; ++i) {
    int32_t next[256], kept = 0;
    for (int32_t j = i + 1; j < count; ++j)
      if (oracle_joined(graph, candidate[i], candidate[j])) next[kept++] = candidate[j];
    best = oracle_clique_from(graph, next, kept, size + 1, best);
  }
  return best;
}

/* Size of the largest clique; n <= 256. Exponential. */
static inline int32_t oracle_clique(const prism_graph_t *graph) {
  int32_t all[256];
  for (int32_t v = 0; v < graph->n; ++v) all[v] = v;
  return oracle_clique_from(graph, all, graph->n, 0, 0);
}

#endif
