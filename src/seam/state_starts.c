/* Rows of an island's state that are only starts; see state.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "seam/state.h"

/* Of each row: its conflicts when complete, and itself in the end. */
typedef struct start {
  const int32_t *color; /* [n] */
  int64_t f;
  int32_t row;
} start_t;

static int by_conflicts(const void *a, const void *b) {
  const start_t *x = a, *y = b;
  if (x->f != y->f) return x->f < y->f ? -1 : 1;
  return x->row < y->row ? -1 : x->row > y->row;
}

/* Complete copies of all rows, best first. [out] start [rows], color [rows][n] */
static prism_status_t sort_rows(const prism_island_state_t *state, const prism_graph_t *g,
                                start_t *start, int32_t *color) {
  const size_t n = (size_t)g->n;
  int32_t *count = NULL;
  PRISM_TRY(PRISM_ALLOC(state->k, &count));
  memcpy(color, state->color, (size_t)state->rows * n * sizeof *color);
  for (int32_t i = 0; i < state->rows; ++i) {
    int32_t *row = color + (size_t)i * n;
    prism_coloring_complete(g, state->k, row, count);
    start[i] = (start_t){.color = row, .f = prism_coloring_conflicts(g, row), .row = i};
  }
  prism_free(count);
  qsort(start, (size_t)state->rows, sizeof *start, by_conflicts);
  return PRISM_OK;
}

/* The first `most` of them that differ from the one before. */
static prism_status_t choose(const start_t *start, int32_t rows, int32_t n, int32_t most,
                             prism_colorings_t *out) {
  const size_t bytes = (size_t)n * sizeof *out->color;
  PRISM_TRY(PRISM_ALLOC((size_t)(rows < most ? rows : most) * (size_t)n, &out->color));
  for (int32_t i = 0; i < rows && out->count < most; ++i) {
    if (i > 0 && start[i].f == start[i - 1].f &&
        memcmp(start[i].color, start[i - 1].color, bytes) == 0)
      continue;
    memcpy(out->color + (size_t)out->count++ * (size_t)n, start[i].color, bytes);
  }
  return PRISM_OK;
}

prism_status_t prism_island_state_starts(const prism_island_state_t *state,
                                         const prism_graph_t *kernel, int32_t most,
                                         prism_colorings_t *starts) {
  enum { MOST_COLORS = 1 << 24 };
  start_t *start = NULL;
  int32_t *color = NULL;
  *starts = (prism_colorings_t){.count = 0};
  if (state->rows == 0) return PRISM_OK;
  if (state->k > MOST_COLORS)
    PRISM_FAIL(PRISM_FORMAT, "the state of an island has %d colors", state->k);
  prism_status_t status = PRISM_ALLOC(state->rows, &start);
  if (status == PRISM_OK)
    status = PRISM_ALLOC((size_t)state->rows * (size_t)kernel->n, &color);
  if (status == PRISM_OK) status = sort_rows(state, kernel, start, color);
  if (status == PRISM_OK) status = choose(start, state->rows, kernel->n, most, starts);
  starts->k = state->k;
  prism_free(start);
  prism_free(color);
  return status;
}
