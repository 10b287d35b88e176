/* Simple undirected graphs in compressed sparse rows.
 *
 * Vertices are 0-based int32. A graph is immutable once made and may be shared
 * by any number of threads. */
#ifndef PRISM_MODEL_GRAPH_H
#define PRISM_MODEL_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

typedef struct prism_graph {
  int32_t n;          /* vertices, >= 1 */
  int64_t m;          /* edges, each {u, v} counted once */
  int64_t *offset;    /* [n + 1] start of each vertex's neighbours; owned */
  int32_t *neighbor;  /* [2 m] neighbours, ascending within a vertex; owned */
} prism_graph_t;

/* What the input held beyond a simple graph; each becomes one counted warning. */
typedef struct prism_graph_stats {
  int64_t self_loops;
  int64_t repeated_edges; /* the same pair again, in either direction */
} prism_graph_stats_t;

/* Build from an edge list.
 * [in]  n      vertices, 1 .. 2^31 - 2
 * [in]  pairs  [2 * count] end points, 0-based; any order, loops and repeats
 *              allowed (dropped and counted). Not modified, not owned.
 * [out] stats  may be NULL
 * [out] out    owned by the caller. PRISM_INVALID on an end point outside 0..n-1.
 * O(n + count). */
prism_status_t prism_graph_from_edges(int32_t n, const int32_t *pairs, int64_t count,
                                      prism_graph_stats_t *stats, prism_graph_t **out);

/* Build from rows as users hold them: offset [n + 1], neighbor [offset[n]];
 * copied, checked, symmetrised; loops and repeats dropped and counted. */
prism_status_t prism_graph_from_csr(int32_t n, const int64_t *offset, const int32_t *neighbor,
                                    prism_graph_stats_t *stats, prism_graph_t **out);

/* Take over rows that are already sorted, symmetric and simple (a broadcast
 * kernel). Both arrays must come from prism_alloc and are owned by the graph on
 * success. */
prism_status_t prism_graph_adopt(int32_t n, int64_t *offset, int32_t *neighbor,
                                 prism_graph_t **out);

/* Subgraph induced by vertices[0..count-1] (distinct); its vertex i is
 * vertices[i]. O(n + sum of degrees). */
prism_status_t prism_graph_induced(const prism_graph_t *graph, const int32_t *vertices,
                                   int32_t count, prism_graph_t **out);

void prism_graph_destroy(prism_graph_t **graph);

static inline int32_t prism_graph_degree(const prism_graph_t *graph, int32_t v) {
  return (int32_t)(graph->offset[v + 1] - graph->offset[v]);
}
int32_t prism_graph_max_degree(const prism_graph_t *graph);
/* 2 m / (n (n - 1)); 0 for n = 1. */
double prism_graph_density(const prism_graph_t *graph);
/* Is {u, v} an edge? Binary search, O(log degree). */
bool prism_graph_has_edge(const prism_graph_t *graph, int32_t u, int32_t v);

/* SHA-256 over n as u64, then every edge u < v once, 0-based, sorted by (u, v),
 * as two u32; all little-endian. O(n + m). */
void prism_graph_hash(const prism_graph_t *graph, char hex[PRISM_SHA256_HEX]);

/* Connected components. [out] component [n] 0-based component of each vertex,
 * numbered by lowest vertex; [out] count. O(n + m). */
prism_status_t prism_graph_components(const prism_graph_t *graph, int32_t *component,
                                      int32_t *count);

/* Smallest-last order (Matula & Beck 1983): order[n - 1] has the smallest degree,
 * and so on in what remains. [out] order [n]; [out] degeneracy may be NULL.
 * core [n], may be NULL: core number of each vertex. O(n + m). */
prism_status_t prism_graph_smallest_last(const prism_graph_t *graph, int32_t *order, int32_t *core,
                                         int32_t *degeneracy);

/* Dense adjacency as bit rows, for the algorithms where they pay. */
typedef struct prism_bitrows {
  int32_t n;
  int32_t words;  /* 64-bit words a row, padded to a multiple of 8 (one cache line) */
  uint64_t *row;  /* [n][words]; bit v of row u: {u, v} is an edge; owned */
} prism_bitrows_t;
prism_status_t prism_bitrows_create(const prism_graph_t *graph, prism_bitrows_t **out);
void prism_bitrows_destroy(prism_bitrows_t **rows);

#endif
