/* Graph generators, deterministic by seed (Philox, so the same on every machine). */
#ifndef PRISM_MODEL_GENERATE_H
#define PRISM_MODEL_GENERATE_H

#include <stdint.h>

#include "model/graph.h"

typedef struct prism_generated {
  prism_graph_t *graph;     /* owned by the caller */
  int32_t known_colors;     /* chromatic number, or planted upper bound; 0: unknown */
  int32_t known_is_exact;   /* 1: known_colors is the chromatic number */
  char description[256];    /* for the comment line */
} prism_generated_t;

/* G(n, p): every pair with probability p (Gilbert 1959). */
prism_status_t prism_generate_gnp(int32_t n, double p, uint64_t seed, prism_generated_t *out);
/* Planted k-colouring with equal classes, pairs across classes with probability
 * p (equi-partite); `flat` keeps the degrees towards each class nearly equal
 * (Culberson & Luo 1996). */
prism_status_t prism_generate_planted(int32_t n, int32_t k, double p, int flat, uint64_t seed,
                                      prism_generated_t *out);
/* Random geometric graph: points in the unit square, edge when closer than
 * radius; complement when `complement` is not 0 (Johnson et al. 1991). */
prism_status_t prism_generate_geometric(int32_t n, double radius, int complement, uint64_t seed,
                                        prism_generated_t *out);
/* Mycielski's graph of `level` >= 2 (level 2 is K2, 3 is C5): chromatic number
 * = level, triangle-free (Mycielski 1955). DIMACS mycielK has level K + 1. */
prism_status_t prism_generate_mycielski(int32_t level, prism_generated_t *out);
/* Queens on rows x columns squares. */
prism_status_t prism_generate_queen(int32_t rows, int32_t columns, prism_generated_t *out);
/* Rooks on rows x columns squares: chromatic number max(rows, columns). */
prism_status_t prism_generate_rook(int32_t rows, int32_t columns, prism_generated_t *out);
/* 27-point stencil on nx x ny x nz points: chromatic number 8 when every side is
 * at least 2. */
prism_status_t prism_generate_mesh27(int32_t nx, int32_t ny, int32_t nz, prism_generated_t *out);

#endif
