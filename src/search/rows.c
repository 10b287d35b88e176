#include "search/rows.h"

#include <string.h>

#include "base/mem.h"
#include "model/coloring.h"

/* ---- writing ---- */

/* The row of this colouring; a new one takes `own` over, an old one releases it. */
static int32_t row_of(prism_rows_t *rows, prism_method_t method, const int32_t *color,
                      int32_t *own, int64_t f) {
  size_t bytes = (size_t)rows->problem->n * sizeof *color;
  int32_t at = 0;
  while (at < rows->count && (rows->row[at].method != method || rows->row[at].f != f ||
                              memcmp(rows->row[at].color, color, bytes) != 0))
    ++at;
  if (at == rows->capacity && rows->status == PRISM_OK) {
    int32_t capacity = 2 * rows->capacity + 16;
    rows->status = PRISM_GROW(&rows->row, rows->capacity, capacity);
    if (rows->status == PRISM_OK) rows->capacity = capacity;
  }
  if (at < rows->count || rows->status != PRISM_OK) {
    prism_free(own);
    return at;
  }
  rows->row[rows->count++] = (prism_row_t){.color = color, .own = own, .f = f, .method = method};
  return at;
}

void prism_rows_put(prism_rows_t *rows, prism_pack_t *pack, prism_method_t method,
                    const int32_t *color, int64_t f) {
  int32_t at = -1;
  if (color != NULL) {
    if (f < 0) f = prism_coloring_conflicts(rows->problem->graph, color);
    at = row_of(rows, method, color, NULL, f);
  }
  prism_pack_i32(pack, at);
}

/* Colour what is uncoloured in `color` and write which vertices that were. */
static prism_status_t complete(const prism_problem_t *problem, int32_t k, prism_pack_t *pack,
                               int32_t *color) {
  int32_t *count = NULL, *vertex = NULL, vertices = 0;
  prism_status_t status = PRISM_ALLOC(k, &count);
  if (status == PRISM_OK) status = PRISM_ALLOC(problem->n, &vertex);
  if (status == PRISM_OK) {
    for (int32_t v = 0; v < problem->n; ++v)
      if (color[v] < 0) vertex[vertices++] = v;
    prism_pack_i32(pack, vertices);
    prism_pack_small(pack, vertex, (size_t)vertices, problem->n);
    prism_coloring_complete(problem->graph, k, color, count);
  }
  prism_free(count);
  prism_free(vertex);
  return status;
}

void prism_rows_put_partial(prism_rows_t *rows, prism_pack_t *pack, prism_method_t method,
                            int32_t k, const int32_t *color) {
  int32_t *own = NULL;
  prism_status_t status = PRISM_ALLOC(rows->problem->n, &own);
  if (status == PRISM_OK) {
    memcpy(own, color, (size_t)rows->problem->n * sizeof *color);
    status = complete(rows->problem, k, pack, own);
  }
  if (status != PRISM_OK) {
    rows->status = status;
    prism_free(own);
    return;
  }
  int64_t f = prism_coloring_conflicts(rows->problem->graph, own);
  prism_pack_i32(pack, row_of(rows, method, own, own, f));
}

void prism_rows_fill(const prism_rows_t *rows, const prism_view_t *view,
                     prism_island_state_t *state) {
  for (int32_t i = 0; i < rows->count; ++i) {
    const prism_row_t *row = &rows->row[i];
    prism_view_lift(view, row->color, state->color + (size_t)i * (size_t)state->n);
    state->f[i] = row->f;
    state->method[i] = (uint8_t)row->method;
  }
}

void prism_rows_release(prism_rows_t *rows) {
  for (int32_t i = 0; i < rows->count; ++i) prism_free(rows->row[i].own);
  prism_free(rows->row);
  *rows = (prism_rows_t){.problem = NULL};
}

/* ---- reading ---- */

void prism_rows_get(const prism_row_source_t *source, prism_method_t method, int32_t *color,
                    int64_t *f) {
  const prism_island_state_t *state = source->state;
  const prism_problem_t *problem = source->problem;
  int32_t at = prism_unpack_i32(source->unpack, -1, state->rows - 1);
  *f = -1;
  if (at < 0) return;
  const int32_t *row = state->color + (size_t)at * (size_t)state->n;
  if (state->method[at] != method) source->unpack->bad = true;
  for (int32_t v = 0; v < problem->n; ++v) {
    color[v] = row[source->map[v]];
    if (color[v] >= 0) continue;
    source->unpack->bad = true;
    color[v] = 0;
  }
  *f = prism_coloring_conflicts(problem->graph, color);
  if (*f != state->f[at]) source->unpack->bad = true;
}

void prism_rows_need(const prism_row_source_t *source, prism_method_t method, int32_t *color,
                     int64_t *f) {
  prism_rows_get(source, method, color, f);
  if (*f >= 0) return;
  source->unpack->bad = true;
  memset(color, 0, (size_t)source->problem->n * sizeof *color);
  *f = source->problem->graph->m;
}

prism_status_t prism_rows_get_partial(const prism_row_source_t *source, prism_method_t method,
                                      int32_t *color) {
  int32_t n = source->problem->n, *vertex = NULL;
  int64_t f = 0;
  int32_t vertices = prism_unpack_count(source->unpack, n, 1);
  PRISM_TRY(PRISM_ALLOC(vertices, &vertex));
  prism_unpack_small(source->unpack, vertex, (size_t)vertices, n);
  prism_rows_need(source, method, color, &f);
  for (int32_t i = 0; i < vertices; ++i) color[vertex[i]] = -1;
  prism_free(vertex);
  return PRISM_OK;
}

/* ---- edge weights ---- */

enum { HEAVIEST = UINT16_MAX };

prism_status_t prism_weights_pack(const prism_graph_t *g, const int32_t *weight,
                                  prism_pack_t *pack) {
  int32_t *once = NULL, largest = 1;
  size_t edges = 0;
  PRISM_TRY(PRISM_ALLOC(g->m, &once));
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      if (g->neighbor[e] <= v) continue;
      if (weight[e] > largest) largest = weight[e];
      once[edges++] = weight[e];
    }
  prism_pack_i64(pack, g->m);
  prism_pack_i32(pack, largest);
  prism_pack_small(pack, once, edges, largest + 1);
  prism_free(once);
  return PRISM_OK;
}

prism_status_t prism_weights_unpack(const prism_graph_t *g, prism_unpack_t *unpack,
                                    int32_t *weight) {
  int64_t edges = prism_unpack_i64(unpack, g->m, g->m), at = 0;
  int32_t largest = prism_unpack_i32(unpack, 1, HEAVIEST), *once = NULL;
  int64_t *next = NULL; /* of each vertex: its first arc that has no weight yet */
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(edges, &once), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(g->n, &next), done);
  prism_unpack_small(unpack, once, (size_t)edges, largest + 1);
  for (int32_t v = 0; v < g->n; ++v) next[v] = g->offset[v];
  /* Lists are in ascending order: v meets its smaller neighbours in theirs. */
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      int32_t u = g->neighbor[e];
      if (u <= v) continue;
      int32_t w = once[at++];
      if (w < 1) unpack->bad = true;
      weight[e] = weight[next[u]++] = w < 1 ? 1 : w;
    }
done:
  prism_free(once);
  prism_free(next);
  return status;
}
