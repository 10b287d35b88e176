/* Cliques that cover the edges of a graph: where few do, a class of a colouring is a set that
 * meets nearly all of them. */
#ifndef PRISM_SEARCH_COVER_H
#define PRISM_SEARCH_COVER_H

#include "model/graph.h"

typedef struct prism_cover {
  int32_t cliques;
  int64_t *start;   /* [cliques + 1] of each in `member`; owned */
  int32_t *member;  /* vertices; owned */
  bool whole;       /* every edge is in one of them */
} prism_cover_t;

/* Maximal cliques, greedily: of an edge that none has yet, always with the vertex that has most
 * neighbours among those that still fit (after Kellerman 1973). It ends when every edge has one,
 * after `most`, as soon as it seems that `most` will not do, and when it has become long.
 * [out] out  owned by the caller. O(n + m): some hundred looks at each edge. */
prism_status_t prism_cover_create(const prism_graph_t *graph, int32_t most, prism_cover_t **out);
void prism_cover_destroy(prism_cover_t **cover);

#endif
