/* Bounds before the search: cliques below, constructive colourings above, and a
 * small exact solver between them. Each works on one graph in one thread. */
#ifndef PRISM_SEARCH_BOUNDS_H
#define PRISM_SEARCH_BOUNDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/graph.h"

/* A large clique by greedy starts in degeneracy order plus a bounded
 * branch-and-bound with greedy-colouring bounds (Tomita & Seki 2003; San Segundo
 * et al. 2011) inside right-neighbourhoods.
 * [in]  seconds  soft limit (0: none if there is a node_limit, else greedy starts
 *                only); [in] node_limit  branch nodes (0: none), for deterministic
 *                runs; ends sooner when the clique is proved largest
 * [out] clique   [n] capacity; the first *size entries are the certificate */
prism_status_t prism_clique_find(const prism_graph_t *graph, uint64_t seed, double seconds,
                                 int64_t node_limit, int32_t *clique, int32_t *size);

/* X(NAME, name): constructive heuristics. */
#define PRISM_GREEDY_LIST(X)              \
  X(NATURAL, "natural order")             \
  X(LARGEST_FIRST, "largest first")       \
  X(SMALLEST_LAST, "smallest last")       \
  X(DSATUR, "dsatur")                     \
  X(RLF, "rlf")

typedef enum prism_greedy {
#define PRISM_GREEDY_ENUM(name, text) PRISM_GREEDY_##name,
  PRISM_GREEDY_LIST(PRISM_GREEDY_ENUM)
#undef PRISM_GREEDY_ENUM
  PRISM_GREEDY_COUNT
} prism_greedy_t;

const char *prism_greedy_name(prism_greedy_t heuristic);

/* Colour with one heuristic: natural order; largest first (Welsh & Powell 1967);
 * smallest last (Matula & Beck 1983); DSATUR (Brelaz 1979; bucket queue,
 * near-linear); RLF (Leighton 1979). Ties are broken by `seed` except in natural
 * order. [out] color [n] complete and legal; [out] colors used. RLF costs up to
 * O(n m / k): `*stop`, when not NULL and not 0, ends it early with PRISM_INTERRUPTED. */
prism_status_t prism_greedy_color(const prism_graph_t *graph, prism_greedy_t heuristic,
                                  uint64_t seed, const atomic_int *stop, int32_t *color,
                                  int32_t *colors);

/* Outcome of the exact search. */
typedef struct prism_exact_result {
  bool proved;      /* `colors` is the chromatic number */
  int32_t colors;   /* best found (<= upper) */
  int64_t nodes;
} prism_exact_result_t;

/* DSATUR branch and bound (Brelaz 1979; San Segundo 2012) from a clique and an
 * upper bound. [in,out] color [n]: a legal colouring with `upper` colours in, the
 * best one out. Stops after `node_limit` nodes (0: none), `seconds` (0: none) or
 * `*stop`. Meant to finish on graphs of up to about 80 vertices; a short run also
 * settles many structured graphs of thousands (n <= 65535, time O(n) a node). */
prism_status_t prism_exact_color(const prism_graph_t *graph, const int32_t *clique,
                                 int32_t clique_size, int32_t upper, int64_t node_limit,
                                 double seconds, const atomic_int *stop, int32_t *color,
                                 prism_exact_result_t *out);

#endif
