#include "solve/complete.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "model/first_free.h"

enum { MOST_CONFLICTS = 4000 }; /* with more there is no hope, and it takes too long */

typedef struct loose {
  int32_t vertex, count; /* its conflicts; later its neighbors among the loose ones */
} loose_t;

static int64_t find_conflicts(const prism_graph_t *g, const int32_t *color, loose_t *list,
                              int32_t *length) {
  int64_t sum = 0;
  *length = 0;
  for (int32_t v = 0; v < g->n; ++v) {
    int32_t count = 0;
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      count += color[g->neighbor[e]] == color[v];
    if (count == 0) continue;
    list[(*length)++] = (loose_t){v, count};
    sum += count;
  }
  return sum / 2;
}

static bool adjacent(const prism_graph_t *g, int32_t u, int32_t v) {
  int64_t low = g->offset[u], high = g->offset[u + 1];
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (g->neighbor[middle] < v) low = middle + 1;
    else high = middle;
  }
  return low < g->offset[u + 1] && g->neighbor[low] == v;
}

/* Uncolour until the conflicts are gone: the uncoloured ones come to the front. */
static int32_t uncolor(const prism_graph_t *g, int64_t conflicts, int32_t *color, loose_t *list,
                       int32_t length) {
  int32_t front = 0;
  for (; conflicts > 0; ++front) {
    int32_t worst = front;
    for (int32_t i = front + 1; i < length; ++i)
      if (list[i].count > list[worst].count) worst = i;
    loose_t out = list[worst];
    list[worst] = list[front];
    list[front] = out;
    conflicts -= out.count;
    for (int32_t i = front + 1; i < length; ++i)
      if (color[list[i].vertex] == color[out.vertex] && adjacent(g, out.vertex, list[i].vertex))
        --list[i].count;
    color[out.vertex] = -1;
  }
  return front;
}

static int compare(const void *a, const void *b) {
  const loose_t *x = a, *y = b;
  if (x->count != y->count) return x->count > y->count ? -1 : 1;
  return x->vertex < y->vertex ? -1 : x->vertex > y->vertex;
}

static void color_again(const prism_graph_t *g, int32_t limit, int32_t *color, loose_t *list,
                        int32_t length, int32_t *colors) {
  for (int32_t i = 0; i < length; ++i) {
    list[i].count = 0;
    for (int64_t e = g->offset[list[i].vertex]; e < g->offset[list[i].vertex + 1]; ++e)
      list[i].count += color[g->neighbor[e]] < 0;
  }
  qsort(list, (size_t)length, sizeof *list, compare);
  int32_t used = prism_coloring_span(color, g->n);
  for (int32_t i = 0; i < length && used < limit; ++i) {
    int32_t c = prism_first_free_color(g, color, list[i].vertex);
    color[list[i].vertex] = c;
    if (c >= used) used = c + 1;
  }
  *colors = used < limit ? used : limit;
}

prism_status_t prism_complete(const prism_graph_t *graph, int32_t limit, int32_t *color,
                              int32_t *colors) {
  loose_t *list = NULL;
  int32_t length = 0;
  PRISM_TRY(PRISM_ALLOC(graph->n, &list));
  int64_t conflicts = find_conflicts(graph, color, list, &length);
  *colors = limit;
  if (conflicts <= MOST_CONFLICTS) {
    length = uncolor(graph, conflicts, color, list, length);
    color_again(graph, limit, color, list, length, colors);
  }
  prism_free(list);
  return PRISM_OK;
}
