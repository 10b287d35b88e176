/* Structured graphs: Mycielski, boards and meshes (model/generate.h). */
#include <stdbool.h>
#include <stdio.h>

#include "base/mem.h"
#include "model/generate.h"
#include "model/pairs.h"

enum { MOST_VERTICES = INT32_MAX - 1, MOST_LEVEL = 24 };

/* The graph, its colors and its description, or a clean failure. */
static prism_status_t finish(prism_status_t status, prism_pairs_t *pairs, int32_t n,
                             int32_t known_colors, prism_generated_t *out) {
  if (status == PRISM_OK) status = prism_pairs_finish(pairs, n, out);
  prism_pairs_release(pairs);
  PRISM_TRY(status);
  out->known_colors = known_colors;
  out->known_is_exact = known_colors > 0;
  return PRISM_OK;
}

/* From (V, E): a copy u' of each vertex u, joined to u's neighbors, and one vertex
 * joined to all copies. Vertices 0 .. n - 1 stay, copies follow, the last is new. */
static prism_status_t mycielski_step(prism_pairs_t *pairs, int32_t n) {
  int64_t edges = pairs->count;
  for (int64_t e = 0; e < edges; ++e) {
    int32_t u = pairs->end[2 * e], v = pairs->end[2 * e + 1];
    PRISM_TRY(prism_pairs_add(pairs, u, n + v));
    PRISM_TRY(prism_pairs_add(pairs, v, n + u));
  }
  for (int32_t u = 0; u < n; ++u) PRISM_TRY(prism_pairs_add(pairs, n + u, 2 * n));
  return PRISM_OK;
}

prism_status_t prism_generate_mycielski(int32_t level, prism_generated_t *out) {
  if (level < 2 || level > MOST_LEVEL)
    PRISM_FAIL(PRISM_INVALID, "Mycielski levels go from 2 to %d, not %d", MOST_LEVEL, level);
  prism_pairs_t pairs = {0};
  int32_t n = 2;
  prism_status_t status = prism_pairs_add(&pairs, 0, 1);
  for (int32_t i = 2; i < level && status == PRISM_OK; ++i) {
    status = mycielski_step(&pairs, n);
    n = 2 * n + 1;
  }
  PRISM_TRY(finish(status, &pairs, n, level, out));
  snprintf(out->description, sizeof out->description, "Mycielski graph level=%d", level);
  return PRISM_OK;
}

/* ---- Boards ---- */

static prism_status_t check_board(int32_t rows, int32_t columns) {
  if (rows < 1 || columns < 1)
    PRISM_FAIL(PRISM_INVALID, "a board has at least 1 row and 1 column, not %d x %d", rows,
               columns);
  if ((int64_t)rows * columns > MOST_VERTICES)
    PRISM_FAIL(PRISM_INVALID, "a board of %d x %d squares is too large", rows, columns);
  return PRISM_OK;
}

/* Join (row, column) to the squares it attacks in one direction. */
static prism_status_t ray(prism_pairs_t *pairs, int32_t rows, int32_t columns, int32_t row,
                          int32_t column, int32_t down, int32_t right) {
  int32_t from = row * columns + column;
  for (;;) {
    row += down;
    column += right;
    if (row >= rows || column < 0 || column >= columns) return PRISM_OK;
    PRISM_TRY(prism_pairs_add(pairs, from, row * columns + column));
  }
}

static prism_status_t board_pairs(prism_pairs_t *pairs, int32_t rows, int32_t columns,
                                  bool diagonals) {
  for (int32_t row = 0; row < rows; ++row)
    for (int32_t column = 0; column < columns; ++column) {
      PRISM_TRY(ray(pairs, rows, columns, row, column, 0, 1));
      PRISM_TRY(ray(pairs, rows, columns, row, column, 1, 0));
      if (!diagonals) continue;
      PRISM_TRY(ray(pairs, rows, columns, row, column, 1, 1));
      PRISM_TRY(ray(pairs, rows, columns, row, column, 1, -1));
    }
  return PRISM_OK;
}

/* Known chromatic numbers of queen graphs; 0: left open. Squares of a side coprime
 * to 6 have the modular coloring (Vasquez 2004 for 12 and 14). */
static int32_t queen_colors(int32_t rows, int32_t columns) {
  static const uint8_t square[] = {0, 1, 4, 5, 5, 5, 7, 7, 9, 10, 11, 11, 12, 13, 14};
  if (rows == 1 || columns == 1) return rows > columns ? rows : columns;
  if (rows != columns) return 0;
  if (rows < (int32_t)sizeof square) return square[rows];
  return rows % 2 != 0 && rows % 3 != 0 ? rows : 0;
}

prism_status_t prism_generate_queen(int32_t rows, int32_t columns, prism_generated_t *out) {
  PRISM_TRY(check_board(rows, columns));
  prism_pairs_t pairs = {0};
  prism_status_t status = board_pairs(&pairs, rows, columns, true);
  PRISM_TRY(finish(status, &pairs, rows * columns, queen_colors(rows, columns), out));
  snprintf(out->description, sizeof out->description, "queen graph rows=%d columns=%d", rows,
           columns);
  return PRISM_OK;
}

prism_status_t prism_generate_rook(int32_t rows, int32_t columns, prism_generated_t *out) {
  PRISM_TRY(check_board(rows, columns));
  prism_pairs_t pairs = {0};
  prism_status_t status = board_pairs(&pairs, rows, columns, false);
  PRISM_TRY(finish(status, &pairs, rows * columns, rows > columns ? rows : columns, out));
  snprintf(out->description, sizeof out->description, "rook graph rows=%d columns=%d", rows,
           columns);
  return PRISM_OK;
}

/* ---- Meshes ---- */

/* Join the point to the 13 of its 26 neighbors that come later. */
static prism_status_t mesh_point(prism_pairs_t *pairs, int32_t nx, int32_t ny, int32_t nz,
                                 int32_t x, int32_t y, int32_t z) {
  int32_t from = (z * ny + y) * nx + x;
  for (int32_t dz = 0; dz <= 1; ++dz)
    for (int32_t dy = dz > 0 ? -1 : 0; dy <= 1; ++dy)
      for (int32_t dx = dz > 0 || dy > 0 ? -1 : 1; dx <= 1; ++dx) {
        int32_t u = x + dx, v = y + dy, w = z + dz;
        if (u < 0 || u >= nx || v < 0 || v >= ny || w >= nz) continue;
        PRISM_TRY(prism_pairs_add(pairs, from, (w * ny + v) * nx + u));
      }
  return PRISM_OK;
}

prism_status_t prism_generate_mesh27(int32_t nx, int32_t ny, int32_t nz, prism_generated_t *out) {
  if (nx < 1 || ny < 1 || nz < 1)
    PRISM_FAIL(PRISM_INVALID, "every side of a mesh is at least 1, not %d x %d x %d", nx, ny, nz);
  if ((double)nx * ny * nz > MOST_VERTICES)
    PRISM_FAIL(PRISM_INVALID, "a mesh of %d x %d x %d points is too large", nx, ny, nz);
  prism_pairs_t pairs = {0};
  prism_status_t status = PRISM_OK;
  for (int32_t z = 0; z < nz; ++z)
    for (int32_t y = 0; y < ny; ++y)
      for (int32_t x = 0; x < nx && status == PRISM_OK; ++x)
        status = mesh_point(&pairs, nx, ny, nz, x, y, z);
  int32_t known = (nx > 1 ? 2 : 1) * (ny > 1 ? 2 : 1) * (nz > 1 ? 2 : 1);
  PRISM_TRY(finish(status, &pairs, nx * ny * nz, known, out));
  snprintf(out->description, sizeof out->description, "27-point mesh nx=%d ny=%d nz=%d", nx, ny,
           nz);
  return PRISM_OK;
}
