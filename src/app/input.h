/* What rank 0 reads before the search: the graph and a first coloring. */
#ifndef PRISM_APP_INPUT_H
#define PRISM_APP_INPUT_H

#include "model/dimacs.h"
#include "model/graph.h"

typedef struct prism_input {
  prism_graph_t *graph;
  prism_dimacs_report_t report;
  char hash[PRISM_SHA256_HEX];
  int32_t *initial; /* [n] legal, 0-based; NULL: none */
  int32_t initial_colors;
} prism_input_t;

/* Read `graph_path`; also `initial_path` unless it is "", which must be a legal
 * coloring of that graph (PRISM_INVALID otherwise). */
prism_status_t prism_input_read(const char *graph_path, const char *initial_path,
                                prism_input_t *out);
void prism_input_release(prism_input_t *input);

/* The graph hash that a solution file claims, without reading the rest; "" when
 * there is none among its first lines. A solution of a graph of another size
 * fails to parse: the hash tells the real reason. */
void prism_input_claimed_hash(const char *solution_path, char hex[PRISM_SHA256_HEX]);

#endif
