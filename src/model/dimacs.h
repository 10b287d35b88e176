/* DIMACS .col reader and writer (plain, gzip, standard input).
 *
 * A token stream with bounded memory beside the edges themselves. Accepted with
 * one counted warning each: a header whose edge count is wrong, repeated edges,
 * both directions, self-loops. `p col`, `p edge` and `p edges` are the same;
 * `n` and `c` lines are skipped; CRLF is accepted. Errors (PRISM_FORMAT) carry
 * file:line. */
#ifndef PRISM_MODEL_DIMACS_H
#define PRISM_MODEL_DIMACS_H

#include <stdint.h>
#include <stdio.h>

#include "model/graph.h"

enum { PRISM_DIMACS_WARNINGS = 4, PRISM_DIMACS_WARNING_TEXT = 256 };

typedef struct prism_dimacs_report {
  int64_t header_edges;    /* as the p line says */
  int64_t edge_lines;      /* as read */
  prism_graph_stats_t stats;
  int32_t known_colors;    /* from a "c chromatic-number K" line of our generators; 0: none */
  int32_t warnings;        /* lines in `warning` */
  char warning[PRISM_DIMACS_WARNINGS][PRISM_DIMACS_WARNING_TEXT];
  double seconds;
} prism_dimacs_report_t;

/* Read a graph. [in] path  file, or "-" for standard input (gzip is recognised
 * by content). [out] report may be NULL. PRISM_IO: missing, unreadable, a
 * folder; PRISM_FORMAT: everything malformed. */
prism_status_t prism_dimacs_read(const char *path, prism_dimacs_report_t *report,
                                 prism_graph_t **out);

/* Write `graph` with comment lines (each line of `comment` gets "c " in front;
 * may be NULL). */
prism_status_t prism_dimacs_write(FILE *file, const prism_graph_t *graph, const char *comment);

#endif
