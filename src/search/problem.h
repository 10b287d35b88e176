/* What every individual at one k shares: the view graph and, where they pay, its
 * dense rows. Immutable; borrowed by states. */
#ifndef PRISM_SEARCH_PROBLEM_H
#define PRISM_SEARCH_PROBLEM_H

#include "model/graph.h"

/* Vertices a tile: the lanes of one gamma column block. */
enum { PRISM_TILE = 64 };

typedef struct prism_problem {
  const prism_graph_t *graph;  /* borrowed */
  prism_bitrows_t *bits;       /* NULL: neighbour lists are cheaper; owned */
  int32_t n;
  int32_t max_degree;
} prism_problem_t;

/* Dense rows are built when a row of n / 64 words costs less than walking the
 * average neighbour list and all rows fit in `dense_bytes`. */
prism_status_t prism_problem_create(const prism_graph_t *graph, size_t dense_bytes,
                                    prism_problem_t **out);
void prism_problem_destroy(prism_problem_t **problem);

#endif
