#include "app/serve_tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- Routes ----------------------------------------------------------------- */

static bool is_before(const prism_serve_route_t *route, int32_t from, int32_t to) {
  return route->from < from || (route->from == from && route->to < to);
}

/* Place of a route, or where it would stand. */
static int32_t place_of(const prism_serve_routes_t *routes, int32_t from, int32_t to) {
  int32_t low = 0, high = routes->count;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (is_before(&routes->route[middle], from, to))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static prism_status_t insert(prism_serve_routes_t *routes, int32_t place, int32_t from,
                             int32_t to) {
  enum { FIRST = 16 };
  if (routes->count == routes->capacity) {
    int32_t capacity = routes->capacity > 0 ? 2 * routes->capacity : FIRST;
    PRISM_TRY(PRISM_GROW(&routes->route, routes->capacity, capacity));
    routes->capacity = capacity;
  }
  prism_serve_route_t *at = routes->route + place;
  memmove(at + 1, at, (size_t)(routes->count - place) * sizeof *at);
  *at = (prism_serve_route_t){.from = from, .to = to};
  ++routes->count;
  return PRISM_OK;
}

prism_status_t prism_serve_routes_add(prism_serve_routes_t *routes, const prism_migration_t *row) {
  int32_t place = place_of(routes, row->from_rank, row->to_rank);
  prism_serve_route_t *at = routes->route + place;
  if (place == routes->count || at->from != row->from_rank || at->to != row->to_rank) {
    if (routes->count == PRISM_SERVE_ROUTES) {
      ++routes->left_out;
      return PRISM_OK;
    }
    PRISM_TRY(insert(routes, place, row->from_rank, row->to_rank));
    at = routes->route + place;
  }
  ++at->offered;
  at->accepted += row->accepted > 0;
  return PRISM_OK;
}

/* ---- Classes ----------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* [in,out] size  [n], of each class; sorted here. Empty ones do not count. */
static prism_status_t gather(prism_serve_classes_t *classes, int32_t *size, int64_t n) {
  qsort(size, (size_t)n, sizeof *size, compare);
  int64_t from = 0;
  while (from < n && size[from] == 0) ++from;
  int32_t rows = 0;
  for (int64_t i = from; i < n; ++i) rows += i == from || size[i] != size[i - 1];
  if (rows == 0) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC_ZERO(rows, &classes->row));
  for (int64_t i = from; i < n; ++i) {
    if (i == from || size[i] != size[i - 1]) classes->row[classes->count++].vertices = size[i];
    ++classes->row[classes->count - 1].classes;
  }
  return PRISM_OK;
}

/* [in] color  [n] */
static prism_status_t count_classes(prism_serve_classes_t *classes, const int32_t *color,
                                    int64_t n) {
  int64_t bound = 0;
  for (int64_t v = 0; v < n; ++v) {
    if (color[v] < 0 || color[v] >= n) return PRISM_OK;
    if (color[v] >= bound) bound = (int64_t)color[v] + 1;
  }
  int32_t *size = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(bound, &size));
  for (int64_t v = 0; v < n; ++v) ++size[color[v]];
  prism_status_t status = gather(classes, size, bound);
  prism_free(size);
  return status;
}

prism_status_t prism_serve_classes_read(prism_serve_classes_t *classes, prism_run_reader_t *reader,
                                        const prism_solution_row_t *solution, int64_t count) {
  const int64_t n = prism_run_head(reader)->n;
  int64_t best = -1;
  for (int64_t i = 0; i < count; ++i)
    if (solution[i].colors > 0 && (best < 0 || solution[i].colors <= solution[best].colors))
      best = i;
  prism_free(classes->row);
  *classes = (prism_serve_classes_t){0};
  if (best < 0 || n <= 0 || n > INT32_MAX || prism_run_source(reader) != PRISM_RUN_H5)
    return PRISM_OK;
  int32_t *color = NULL;
  PRISM_TRY(PRISM_ALLOC(n, &color));
  prism_status_t status = PRISM_OK;
  if (prism_run_colors(reader, best, color) == PRISM_OK)
    status = count_classes(classes, color, n);
  else
    prism_error_clear();
  prism_free(color);
  return status;
}
