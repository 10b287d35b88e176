#include "model/graph.h"

#include <string.h>

#include "base/mem.h"

/* Rows under construction: entries of row v lie in neighbor[offset[v] .. end[v] - 1]. */
typedef struct rows {
  int32_t n;
  int64_t *offset;   /* [n + 1] */
  int64_t *end;      /* [n] */
  int32_t *neighbor; /* [offset[n]] */
} rows_t;

static void rows_release(rows_t *rows) {
  prism_free(rows->offset);
  prism_free(rows->end);
  prism_free(rows->neighbor);
  memset(rows, 0, sizeof *rows);
}

/* Rows with room for sizes[v] entries each; [in] sizes [n]. */
static prism_status_t rows_create(int32_t n, const int64_t *sizes, rows_t *out) {
  rows_t rows = {n, NULL, NULL, NULL};
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC((size_t)n + 1, &rows.offset), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &rows.end), fail);
  int64_t total = 0;
  for (int32_t v = 0; v < n; ++v) {
    rows.offset[v] = rows.end[v] = total;
    total += sizes[v];
  }
  rows.offset[n] = total;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(total, &rows.neighbor), fail);
  *out = rows;
  return PRISM_OK;
fail:
  rows_release(&rows);
  return status;
}

/* Transpose `in` into `out`, which has room for it. Sources are walked in rising
 * order, so the new rows come out sorted and equal entries meet: they are dropped.
 * Returns how many. */
static int64_t rows_transpose(const rows_t *in, rows_t *out) {
  int64_t dropped = 0;
  for (int32_t u = 0; u < in->n; ++u) {
    for (int64_t i = in->offset[u]; i < in->end[u]; ++i) {
      int32_t v = in->neighbor[i];
      int64_t at = out->end[v];
      if (at > out->offset[v] && out->neighbor[at - 1] == u) {
        ++dropped;
        continue;
      }
      out->neighbor[at] = u;
      out->end[v] = at + 1;
    }
  }
  return dropped;
}

/* Close the gaps between rows; afterwards end[v] == offset[v + 1]. */
static prism_status_t rows_close(rows_t *rows) {
  int64_t reserved = rows->offset[rows->n], used = 0;
  for (int32_t v = 0; v < rows->n; ++v) {
    int64_t size = rows->end[v] - rows->offset[v];
    if (used != rows->offset[v] && size > 0)
      memmove(rows->neighbor + used, rows->neighbor + rows->offset[v],
              (size_t)size * sizeof *rows->neighbor);
    rows->offset[v] = used;
    used += size;
    rows->end[v] = used;
  }
  rows->offset[rows->n] = used;
  if (used < reserved) PRISM_TRY(PRISM_GROW(&rows->neighbor, used, used));
  return PRISM_OK;
}

/* Make a graph of closed, sorted, symmetric, simple rows and take their arrays. */
static prism_status_t rows_finish(rows_t *rows, prism_graph_t **out) {
  prism_graph_t *graph = NULL;
  PRISM_TRY(rows_close(rows));
  PRISM_TRY(PRISM_ALLOC(1, &graph));
  graph->n = rows->n;
  graph->m = rows->offset[rows->n] / 2;
  graph->offset = rows->offset;
  graph->neighbor = rows->neighbor;
  rows->offset = NULL;
  rows->neighbor = NULL;
  rows_release(rows);
  *out = graph;
  return PRISM_OK;
}

static prism_status_t check_size(int32_t n) {
  if (n < 1 || n == INT32_MAX)
    PRISM_FAIL(PRISM_INVALID, "a graph needs 1 to 2147483646 vertices, not %d", (int)n);
  return PRISM_OK;
}

/* Check the end points, count loops and the entries of every row. */
static prism_status_t count_pairs(int32_t n, const int32_t *pairs, int64_t count, int64_t *sizes,
                                  int64_t *loops) {
  for (int64_t e = 0; e < count; ++e) {
    int32_t u = pairs[2 * e], v = pairs[2 * e + 1];
    if ((uint32_t)u >= (uint32_t)n || (uint32_t)v >= (uint32_t)n)
      PRISM_FAIL(PRISM_INVALID, "edge %lld joins vertices %d and %d, outside 0 to %d",
                 (long long)e, (int)u, (int)v, (int)n - 1);
    if (u == v) {
      ++*loops;
      continue;
    }
    ++sizes[u];
    ++sizes[v];
  }
  return PRISM_OK;
}

prism_status_t prism_graph_from_edges(int32_t n, const int32_t *pairs, int64_t count,
                                      prism_graph_stats_t *stats, prism_graph_t **out) {
  *out = NULL;
  PRISM_TRY(check_size(n));
  if (count < 0) PRISM_FAIL(PRISM_INVALID, "a negative number of edges: %lld", (long long)count);
  prism_graph_stats_t found = {0, 0};
  rows_t scattered = {0}, sorted = {0};
  int64_t *sizes = NULL;
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(n, &sizes), done);
  PRISM_TRY_GOTO(status, count_pairs(n, pairs, count, sizes, &found.self_loops), done);
  PRISM_TRY_GOTO(status, rows_create(n, sizes, &scattered), done);
  for (int64_t e = 0; e < count; ++e) {
    int32_t u = pairs[2 * e], v = pairs[2 * e + 1];
    if (u == v) continue;
    scattered.neighbor[scattered.end[u]++] = v;
    scattered.neighbor[scattered.end[v]++] = u;
  }
  PRISM_TRY_GOTO(status, rows_create(n, sizes, &sorted), done);
  found.repeated_edges = rows_transpose(&scattered, &sorted) / 2;
  rows_release(&scattered);
  PRISM_TRY_GOTO(status, rows_finish(&sorted, out), done);
  if (stats != NULL) *stats = found;
done:
  prism_free(sizes);
  rows_release(&scattered);
  rows_release(&sorted);
  return status;
}

/* Check user rows and copy them without loops; `out` holds the copy on success.
 * [out] in_sizes [n], zero on entry: entries that name each vertex. */
static prism_status_t copy_rows(int32_t n, const int64_t *offset, const int32_t *neighbor,
                                int64_t *in_sizes, int64_t *loops, rows_t *out) {
  if (offset[0] != 0)
    PRISM_FAIL(PRISM_INVALID, "offset[0] is %lld, not 0", (long long)offset[0]);
  for (int32_t v = 0; v < n; ++v)
    if (offset[v + 1] < offset[v])
      PRISM_FAIL(PRISM_INVALID, "offset[%d] is below offset[%d]", (int)v + 1, (int)v);
  int64_t *sizes = NULL;
  prism_status_t status;
  PRISM_TRY(PRISM_ALLOC(n, &sizes));
  for (int32_t v = 0; v < n; ++v) sizes[v] = offset[v + 1] - offset[v];
  status = rows_create(n, sizes, out);
  prism_free(sizes);
  PRISM_TRY(status);
  for (int32_t v = 0; v < n; ++v) {
    for (int64_t i = offset[v]; i < offset[v + 1]; ++i) {
      int32_t u = neighbor[i];
      if ((uint32_t)u >= (uint32_t)n)
        PRISM_FAIL(PRISM_INVALID, "vertex %d has the neighbor %d, outside 0 to %d", (int)v, (int)u,
                   (int)n - 1);
      if (u == v) {
        ++*loops;
        continue;
      }
      out->neighbor[out->end[v]++] = u;
      ++in_sizes[u];
    }
  }
  return PRISM_OK;
}

/* Row by row union of two sets of sorted rows. `out` has room for both. */
static void merge_rows(const rows_t *a, const rows_t *b, rows_t *out) {
  for (int32_t v = 0; v < a->n; ++v) {
    int64_t i = a->offset[v], j = b->offset[v], at = out->offset[v];
    while (i < a->end[v] || j < b->end[v]) {
      int32_t x = i < a->end[v] ? a->neighbor[i] : INT32_MAX;
      int32_t y = j < b->end[v] ? b->neighbor[j] : INT32_MAX;
      out->neighbor[at++] = x < y ? x : y;
      i += x <= y;
      j += y <= x;
    }
    out->end[v] = at;
  }
}

prism_status_t prism_graph_from_csr(int32_t n, const int64_t *offset, const int32_t *neighbor,
                                    prism_graph_stats_t *stats, prism_graph_t **out) {
  *out = NULL;
  PRISM_TRY(check_size(n));
  prism_graph_stats_t found = {0, 0};
  rows_t given = {0}, backward = {0}, forward = {0}, both = {0};
  int64_t *sizes = NULL;
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(n, &sizes), done);
  PRISM_TRY_GOTO(status, copy_rows(n, offset, neighbor, sizes, &found.self_loops, &given), done);
  PRISM_TRY_GOTO(status, rows_create(n, sizes, &backward), done);
  found.repeated_edges = rows_transpose(&given, &backward);
  for (int32_t v = 0; v < n; ++v) sizes[v] = given.end[v] - given.offset[v];
  rows_release(&given);
  PRISM_TRY_GOTO(status, rows_create(n, sizes, &forward), done);
  (void)rows_transpose(&backward, &forward); /* the given rows, now sorted and simple */
  for (int32_t v = 0; v < n; ++v)
    sizes[v] = forward.end[v] - forward.offset[v] + backward.end[v] - backward.offset[v];
  PRISM_TRY_GOTO(status, rows_create(n, sizes, &both), done);
  merge_rows(&forward, &backward, &both);
  PRISM_TRY_GOTO(status, rows_finish(&both, out), done);
  if (stats != NULL) *stats = found;
done:
  prism_free(sizes);
  rows_release(&given);
  rows_release(&backward);
  rows_release(&forward);
  rows_release(&both);
  return status;
}

prism_status_t prism_graph_adopt(int32_t n, int64_t *offset, int32_t *neighbor,
                                 prism_graph_t **out) {
  *out = NULL;
  PRISM_TRY(check_size(n));
  if (offset[0] != 0 || offset[n] % 2 != 0)
    PRISM_FAIL(PRISM_INVALID, "the rows do not describe an undirected graph");
  for (int32_t v = 0; v < n; ++v) {
    int32_t last = -1;
    if (offset[v + 1] < offset[v])
      PRISM_FAIL(PRISM_INVALID, "offset[%d] is below offset[%d]", (int)v + 1, (int)v);
    for (int64_t i = offset[v]; i < offset[v + 1]; ++i) {
      if (neighbor[i] <= last || neighbor[i] >= n || neighbor[i] == v)
        PRISM_FAIL(PRISM_INVALID, "row %d is not sorted, simple and in range", (int)v);
      last = neighbor[i];
    }
  }
  prism_graph_t *graph = NULL;
  PRISM_TRY(PRISM_ALLOC(1, &graph));
  *graph = (prism_graph_t){n, offset[n] / 2, offset, neighbor};
  *out = graph;
  return PRISM_OK;
}

/* fresh[v]: number of v in `vertices`, -1 outside. */
static prism_status_t number_vertices(int32_t n, const int32_t *vertices, int32_t count,
                                      int32_t *fresh) {
  memset(fresh, 0xFF, (size_t)n * sizeof *fresh);
  for (int32_t i = 0; i < count; ++i) {
    int32_t v = vertices[i];
    if ((uint32_t)v >= (uint32_t)n || fresh[v] >= 0)
      PRISM_FAIL(PRISM_INVALID, "vertex %d of a subgraph is out of range or named twice", (int)v);
    fresh[v] = i;
  }
  return PRISM_OK;
}

prism_status_t prism_graph_induced(const prism_graph_t *graph, const int32_t *vertices,
                                   int32_t count, prism_graph_t **out) {
  *out = NULL;
  PRISM_TRY(check_size(count));
  int32_t *fresh = NULL;
  int64_t *sizes = NULL;
  rows_t scattered = {0}, sorted = {0};
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(graph->n, &fresh), done);
  PRISM_TRY_GOTO(status, number_vertices(graph->n, vertices, count, fresh), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(count, &sizes), done);
  for (int32_t i = 0; i < count; ++i)
    for (int64_t e = graph->offset[vertices[i]]; e < graph->offset[vertices[i] + 1]; ++e)
      sizes[i] += fresh[graph->neighbor[e]] >= 0;
  PRISM_TRY_GOTO(status, rows_create(count, sizes, &scattered), done);
  for (int32_t i = 0; i < count; ++i)
    for (int64_t e = graph->offset[vertices[i]]; e < graph->offset[vertices[i] + 1]; ++e) {
      int32_t j = fresh[graph->neighbor[e]];
      if (j >= 0) scattered.neighbor[scattered.end[i]++] = j;
    }
  PRISM_TRY_GOTO(status, rows_create(count, sizes, &sorted), done);
  (void)rows_transpose(&scattered, &sorted);
  PRISM_TRY_GOTO(status, rows_finish(&sorted, out), done);
done:
  prism_free(fresh);
  prism_free(sizes);
  rows_release(&scattered);
  rows_release(&sorted);
  return status;
}

void prism_graph_destroy(prism_graph_t **graph) {
  if (graph == NULL || *graph == NULL) return;
  prism_free((*graph)->offset);
  prism_free((*graph)->neighbor);
  prism_free(*graph);
  *graph = NULL;
}

int32_t prism_graph_max_degree(const prism_graph_t *graph) {
  int32_t best = 0;
  for (int32_t v = 0; v < graph->n; ++v) {
    int32_t degree = prism_graph_degree(graph, v);
    if (degree > best) best = degree;
  }
  return best;
}

double prism_graph_density(const prism_graph_t *graph) {
  if (graph->n < 2) return 0.0;
  return 2.0 * (double)graph->m / ((double)graph->n * ((double)graph->n - 1.0));
}

bool prism_graph_has_edge(const prism_graph_t *graph, int32_t u, int32_t v) {
  if (prism_graph_degree(graph, u) > prism_graph_degree(graph, v)) {
    int32_t swap = u;
    u = v;
    v = swap;
  }
  int64_t low = graph->offset[u], high = graph->offset[u + 1];
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (graph->neighbor[middle] < v)
      low = middle + 1;
    else
      high = middle;
  }
  return low < graph->offset[u + 1] && graph->neighbor[low] == v;
}

static void put_u32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = (uint8_t)(value >> (8 * i));
}

void prism_graph_hash(const prism_graph_t *graph, char hex[PRISM_SHA256_HEX]) {
  enum { CHUNK = 4096 };
  uint8_t buffer[CHUNK];
  prism_sha256_t hash;
  prism_sha256_begin(&hash);
  put_u32(buffer, (uint32_t)graph->n);
  put_u32(buffer + 4, 0);
  size_t used = 8;
  for (int32_t u = 0; u < graph->n; ++u) {
    for (int64_t i = graph->offset[u]; i < graph->offset[u + 1]; ++i) {
      if (graph->neighbor[i] < u) continue;
      if (used + 8 > CHUNK) {
        prism_sha256_add(&hash, buffer, used);
        used = 0;
      }
      put_u32(buffer + used, (uint32_t)u);
      put_u32(buffer + used + 4, (uint32_t)graph->neighbor[i]);
      used += 8;
    }
  }
  prism_sha256_add(&hash, buffer, used);
  prism_sha256_end(&hash, hex);
}

prism_status_t prism_graph_components(const prism_graph_t *graph, int32_t *component,
                                      int32_t *count) {
  int32_t *queue = NULL, found = 0;
  PRISM_TRY(PRISM_ALLOC(graph->n, &queue));
  memset(component, 0xFF, (size_t)graph->n * sizeof *component);
  for (int32_t start = 0; start < graph->n; ++start) {
    if (component[start] >= 0) continue;
    int32_t head = 0, tail = 0;
    queue[tail++] = start;
    component[start] = found;
    while (head < tail) {
      int32_t v = queue[head++];
      for (int64_t i = graph->offset[v]; i < graph->offset[v + 1]; ++i) {
        int32_t u = graph->neighbor[i];
        if (component[u] >= 0) continue;
        component[u] = found;
        queue[tail++] = u;
      }
    }
    ++found;
  }
  *count = found;
  prism_free(queue);
  return PRISM_OK;
}

/* Vertices sorted by what is left of their degree, as in Batagelj & Zaversnik
 * (2003): bucket d is sorted[start[d] .. start[d + 1] - 1]. */
typedef struct peeling {
  int32_t *degree;   /* [n] */
  int32_t *sorted;   /* [n] */
  int32_t *position; /* [n] index in `sorted` */
  int32_t *start;    /* [max degree + 2] */
} peeling_t;

static void peeling_fill(const prism_graph_t *graph, int32_t max_degree, peeling_t *p) {
  for (int32_t v = 0; v < graph->n; ++v) {
    p->degree[v] = prism_graph_degree(graph, v);
    ++p->start[p->degree[v] + 1];
  }
  for (int32_t d = 0; d <= max_degree; ++d) p->start[d + 1] += p->start[d];
  for (int32_t v = 0; v < graph->n; ++v) {
    p->position[v] = p->start[p->degree[v]]++;
    p->sorted[p->position[v]] = v;
  }
  for (int32_t d = max_degree; d >= 0; --d) p->start[d + 1] = p->start[d]; /* undo the advance */
  p->start[0] = 0;
}

/* Move u down one bucket: swap it with the first of its bucket, then shift the border. */
static void peeling_lower(peeling_t *p, int32_t u) {
  int32_t first = p->start[p->degree[u]]++;
  int32_t other = p->sorted[first];
  p->sorted[p->position[u]] = other;
  p->position[other] = p->position[u];
  p->sorted[first] = u;
  p->position[u] = first;
  --p->degree[u];
}

prism_status_t prism_graph_smallest_last(const prism_graph_t *graph, int32_t *order, int32_t *core,
                                         int32_t *degeneracy) {
  int32_t n = graph->n, max_degree = prism_graph_max_degree(graph), level = 0;
  peeling_t p = {0};
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &p.degree), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &p.sorted), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &p.position), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO((size_t)max_degree + 2, &p.start), done);
  peeling_fill(graph, max_degree, &p);
  for (int32_t i = 0; i < n; ++i) {
    int32_t v = p.sorted[i];
    if (p.degree[v] > level) level = p.degree[v];
    order[n - 1 - i] = v;
    if (core != NULL) core[v] = level;
    /* v leaves the front of its bucket; the one below is empty and begins behind it. */
    p.start[p.degree[v]] = i + 1;
    if (p.degree[v] > 0) p.start[p.degree[v] - 1] = i + 1;
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
      if (p.position[graph->neighbor[e]] > i) peeling_lower(&p, graph->neighbor[e]);
  }
  if (degeneracy != NULL) *degeneracy = level;
done:
  prism_free(p.degree);
  prism_free(p.sorted);
  prism_free(p.position);
  prism_free(p.start);
  return status;
}
