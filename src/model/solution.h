/* Solution files (.sol): "c graph-hash HEX", "s col K", then "l V C" for every
 * vertex; vertices and colours from 1, colours without gaps. */
#ifndef PRISM_MODEL_SOLUTION_H
#define PRISM_MODEL_SOLUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "model/graph.h"

/* Text of a solution. [in] color [graph->n] 0-based without gaps; [in] hash may
 * be NULL (then computed); [in] comment may be NULL. Appends to `out`. */
prism_status_t prism_solution_format(const prism_graph_t *graph, const int32_t *color,
                                     const char *hash, const char *comment, prism_text_t *out);

typedef struct prism_solution {
  int32_t n;                      /* vertices named */
  int32_t k;                      /* colours as the s line says */
  bool has_hash;
  char hash[PRISM_SHA256_HEX];
  int32_t *color;                 /* [n] 0-based; owned */
} prism_solution_t;

/* Read a solution for a graph of n vertices ("-": standard input; gzip
 * recognised). PRISM_FORMAT with file:line for malformed lines, a vertex out of
 * range, coloured twice or not at all. Does not judge legality. After a failure
 * only has_hash and hash may be set: a file whose vertices do not fit can so still
 * be told to belong to another graph. */
prism_status_t prism_solution_read(const char *path, int32_t n, prism_solution_t *out);
void prism_solution_release(prism_solution_t *solution);

#endif
