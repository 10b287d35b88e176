#include "model/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static int compare_colors(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* Distinct colors in use, and the lowest color that is skipped below the highest
 * (-1: none). A color of n or more always leaves a gap; such colors are rare and
 * counted by sorting. */
static prism_status_t count_colors(const int32_t *color, int32_t n, int32_t *distinct,
                                   int32_t *first_gap) {
  char *used = NULL;
  int32_t *large = NULL;
  int32_t larges = 0, highest = -1;
  PRISM_TRY(PRISM_ALLOC_ZERO(n, &used));
  for (int32_t v = 0; v < n; ++v) {
    if (color[v] > highest) highest = color[v];
    if (color[v] >= n)
      ++larges;
    else if (color[v] >= 0)
      used[color[v]] = 1;
  }
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(larges, &large), done);
  int32_t filled = 0, count = 0, gap = -1;
  for (int32_t v = 0; v < n; ++v)
    if (color[v] >= n) large[filled++] = color[v];
  qsort(large, (size_t)filled, sizeof *large, compare_colors);
  for (int32_t i = 0; i < filled; ++i) count += i == 0 || large[i] != large[i - 1];
  for (int32_t c = 0; c < n && c < highest; ++c)
    if (!used[c] && gap < 0) gap = c;
  for (int32_t c = 0; c < n; ++c) count += used[c];
  *distinct = count;
  *first_gap = gap;
done:
  prism_free(used);
  prism_free(large);
  return status;
}

prism_status_t prism_verify(const prism_graph_t *graph, const int32_t *color,
                            prism_verdict_t *out) {
  prism_verdict_t verdict = {.first_u = -1, .first_v = -1};
  int32_t gap = -1, first_uncolored = -1;
  PRISM_TRY(count_colors(color, graph->n, &verdict.colors, &gap));
  for (int32_t v = 0; v < graph->n; ++v) {
    if (color[v] < 0) {
      if (verdict.uncolored++ == 0) first_uncolored = v;
      continue;
    }
    for (int64_t i = graph->offset[v]; i < graph->offset[v + 1]; ++i) {
      int32_t u = graph->neighbor[i];
      if (u <= v || color[u] != color[v]) continue;
      if (verdict.conflicts++ == 0) {
        verdict.first_u = v;
        verdict.first_v = u;
      }
    }
  }
  /* Vertices and colors as users write them, from 1. */
  if (verdict.uncolored > 0)
    snprintf(verdict.reason, sizeof verdict.reason, "%ld vertices have no color, first vertex %ld",
             (long)verdict.uncolored, (long)first_uncolored + 1);
  else if (verdict.conflicts > 0)
    snprintf(verdict.reason, sizeof verdict.reason,
             "%lld edges join vertices of one color, first edge %ld %ld (color %ld)",
             (long long)verdict.conflicts, (long)verdict.first_u + 1, (long)verdict.first_v + 1,
             (long)color[verdict.first_u] + 1);
  else if (gap >= 0)
    snprintf(verdict.reason, sizeof verdict.reason,
             "the colors have gaps: color %ld is not used, a higher one is", (long)gap + 1);
  else
    verdict.legal = true;
  *out = verdict;
  return PRISM_OK;
}

static bool adjacent(const prism_graph_t *graph, int32_t u, int32_t v) {
  int64_t low = graph->offset[u], high = graph->offset[u + 1] - 1;
  while (low <= high) {
    int64_t middle = low + (high - low) / 2;
    if (graph->neighbor[middle] == v) return true;
    if (graph->neighbor[middle] < v)
      low = middle + 1;
    else
      high = middle - 1;
  }
  return false;
}

bool prism_verify_clique(const prism_graph_t *graph, const int32_t *vertices, int32_t count) {
  for (int32_t i = 0; i < count; ++i)
    if (vertices[i] < 0 || vertices[i] >= graph->n) return false;
  for (int32_t i = 0; i < count; ++i)
    for (int32_t j = 0; j < i; ++j)
      if (!adjacent(graph, vertices[i], vertices[j])) return false; /* also a vertex named twice */
  return count >= 0;
}
