#include "model/coloring.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

int64_t prism_coloring_conflicts(const prism_graph_t *graph, const int32_t *color) {
  int64_t conflicts = 0;
  for (int32_t v = 0; v < graph->n; ++v) {
    if (color[v] < 0) continue;
    for (int64_t i = graph->offset[v]; i < graph->offset[v + 1]; ++i) {
      int32_t u = graph->neighbor[i];
      conflicts += u < v && color[u] == color[v];
    }
  }
  return conflicts;
}

int32_t prism_coloring_span(const int32_t *color, int32_t n) {
  int32_t highest = -1;
  for (int32_t v = 0; v < n; ++v)
    if (color[v] > highest) highest = color[v];
  return highest + 1;
}

void prism_coloring_complete(const prism_graph_t *g, int32_t k, int32_t *color, int32_t *count) {
  for (int32_t v = 0; v < g->n; ++v) {
    if (color[v] >= 0) continue;
    memset(count, 0, (size_t)k * sizeof *count);
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      if (color[g->neighbor[e]] >= 0) ++count[color[g->neighbor[e]]];
    int32_t best = 0;
    for (int32_t c = 1; c < k; ++c)
      if (count[c] < count[best]) best = c;
    color[v] = best;
  }
}

prism_status_t prism_coloring_compact(int32_t *color, int32_t n, int32_t *colors_used) {
  int32_t span = prism_coloring_span(color, n), used = 0;
  int32_t *fresh = NULL;
  PRISM_TRY(PRISM_ALLOC(span, &fresh));
  memset(fresh, 0xFF, (size_t)span * sizeof *fresh);
  for (int32_t v = 0; v < n; ++v) {
    if (color[v] < 0) continue;
    if (fresh[color[v]] < 0) fresh[color[v]] = used++;
    color[v] = fresh[color[v]];
  }
  *colors_used = used;
  prism_free(fresh);
  return PRISM_OK;
}

/* Maximum-weight assignment of rows to columns by shortest augmenting paths (the
 * Hungarian method in the form of Jonker & Volgenant 1987). The prices keep
 * slack(i, j) = row_price[i] + column_price[j] - overlap[i][j] >= 0, with equality
 * on matched pairs. */
typedef struct assignment {
  int32_t k;
  int32_t *overlap;       /* [k][k] */
  int32_t *row_price;     /* [k] */
  int32_t *column_price;  /* [k] */
  int32_t *row_mate;      /* [k] column of a row, -1: free */
  int32_t *column_mate;   /* [k] row of a column, -1: free */
  int32_t *path;          /* [k] shortest path to a column */
  int32_t *parent;        /* [k] row before a column on that path */
  bool *settled;          /* [k] columns whose path is final */
} assignment_t;

static void assignment_release(assignment_t *a) {
  prism_free(a->overlap);
  prism_free(a->row_price);
  prism_free(a->column_price);
  prism_free(a->row_mate);
  prism_free(a->column_mate);
  prism_free(a->path);
  prism_free(a->parent);
  prism_free(a->settled);
}

static prism_status_t assignment_create(int32_t k, assignment_t *out) {
  assignment_t a = {.k = k};
  prism_status_t status;
  PRISM_TRY_GOTO(status,
                 prism_alloc_zero_bytes((size_t)k, (size_t)k * sizeof *a.overlap,
                                        (void **)&a.overlap),
                 fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(k, &a.row_price), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(k, &a.column_price), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(k, &a.row_mate), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(k, &a.column_mate), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(k, &a.path), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(k, &a.parent), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(k, &a.settled), fail);
  *out = a;
  return PRISM_OK;
fail:
  assignment_release(&a);
  return status;
}

/* First prices, and the matches they allow at once (most of them, when two
 * colorings are related). */
static void assignment_start(assignment_t *a) {
  memset(a->column_mate, 0xFF, (size_t)a->k * sizeof *a->column_mate);
  for (int32_t i = 0; i < a->k; ++i) {
    const int32_t *overlap = a->overlap + (size_t)i * (size_t)a->k;
    int32_t best = 0;
    for (int32_t j = 1; j < a->k; ++j)
      if (overlap[j] > overlap[best]) best = j;
    a->row_price[i] = overlap[best];
    a->row_mate[i] = -1;
    if (a->column_mate[best] >= 0) continue;
    a->row_mate[i] = best;
    a->column_mate[best] = i;
  }
}

/* Shorten the paths of unsettled columns by going through `row`, `length` away. */
static void relax(assignment_t *a, int32_t row, int32_t length) {
  const int32_t *overlap = a->overlap + (size_t)row * (size_t)a->k;
  for (int32_t j = 0; j < a->k; ++j) {
    int32_t through = length + a->row_price[row] + a->column_price[j] - overlap[j];
    if (!a->settled[j] && through < a->path[j]) {
      a->path[j] = through;
      a->parent[j] = row;
    }
  }
}

/* Match the free row `start` along a shortest augmenting path. O(k^2). */
static void assignment_augment(assignment_t *a, int32_t start) {
  memset(a->settled, 0, (size_t)a->k * sizeof *a->settled);
  for (int32_t j = 0; j < a->k; ++j) a->path[j] = INT32_MAX;
  relax(a, start, 0);
  int32_t end = -1;
  for (;;) {
    end = -1;
    for (int32_t j = 0; j < a->k; ++j)
      if (!a->settled[j] && (end < 0 || a->path[j] < a->path[end])) end = j;
    if (a->column_mate[end] < 0) break;
    a->settled[end] = true;
    relax(a, a->column_mate[end], a->path[end]);
  }
  int32_t length = a->path[end];
  a->row_price[start] -= length;
  for (int32_t j = 0; j < a->k; ++j) {
    if (!a->settled[j]) continue;
    a->column_price[j] += length - a->path[j];
    a->row_price[a->column_mate[j]] -= length - a->path[j];
  }
  for (int32_t column = end, row = -1; row != start;) {
    row = a->parent[column];
    int32_t next = a->row_mate[row];
    a->column_mate[column] = row;
    a->row_mate[row] = column;
    column = next;
  }
}

static prism_status_t check_complete(const int32_t *color, int32_t n, int32_t k) {
  for (int32_t v = 0; v < n; ++v)
    if (color[v] < 0 || color[v] >= k)
      PRISM_FAIL(PRISM_INVALID, "vertex %d has color %d, outside 0 to %d", (int)v, (int)color[v],
                 (int)k - 1);
  return PRISM_OK;
}

prism_status_t prism_coloring_distance(const int32_t *a, const int32_t *b, int32_t n, int32_t k,
                                       int32_t *distance) {
  PRISM_TRY(check_complete(a, n, k));
  PRISM_TRY(check_complete(b, n, k));
  int32_t span_a = prism_coloring_span(a, n), span_b = prism_coloring_span(b, n);
  int32_t span = span_a > span_b ? span_a : span_b; /* empty classes beyond it match for nothing */
  assignment_t match = {0};
  PRISM_TRY(assignment_create(span, &match));
  for (int32_t v = 0; v < n; ++v)
    ++match.overlap[(size_t)a[v] * (size_t)span + (size_t)b[v]];
  if (span > 0) assignment_start(&match);
  int32_t common = 0;
  for (int32_t i = 0; i < span; ++i)
    if (match.row_mate[i] < 0) assignment_augment(&match, i);
  for (int32_t i = 0; i < span; ++i)
    common += match.overlap[(size_t)i * (size_t)span + (size_t)match.row_mate[i]];
  *distance = n - common;
  assignment_release(&match);
  return PRISM_OK;
}
