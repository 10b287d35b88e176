#include "model/reduce.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "model/first_free.h"

enum { PEELED = PRISM_KERNEL_PEELED, UNIVERSAL = PRISM_KERNEL_UNIVERSAL };

typedef prism_kernel_removal_t removal_t;

struct prism_kernel {
  const prism_graph_t *input; /* borrowed */
  prism_graph_t *graph;       /* NULL: nothing left */
  int32_t *map;               /* [counts.remaining] input vertex */
  removal_t *removal;         /* [input n - remaining] in the order of removal */
  int32_t lower_bound;
  prism_kernel_counts_t counts;
};

/* Scratch of one reduction. */
typedef struct reducer {
  const prism_graph_t *graph;
  bool *alive;         /* [n] */
  int32_t *degree;     /* [n] neighbors alive */
  int32_t threshold;   /* fewer neighbors than this: peel */
  int32_t remaining;
  int32_t *peel;       /* [n] stack of vertices below the threshold */
  int32_t peel_count;
  int32_t *dirty;      /* [n] ring of vertices to test for domination */
  int32_t dirty_first, dirty_count;
  bool *is_dirty;      /* [n] stands in that ring */
  int32_t *mark;       /* [n] u + 1: neighbor of the u tested now */
  int32_t *near;       /* [max degree] those neighbors */
  int32_t isolated;    /* an isolated vertex seen, -1: none; the others follow it */
  int64_t pairs_left;
  removal_t *removal;  /* [n] */
  prism_kernel_counts_t counts;
} reducer_t;

static void reducer_release(reducer_t *r) {
  prism_free(r->alive);
  prism_free(r->degree);
  prism_free(r->peel);
  prism_free(r->dirty);
  prism_free(r->is_dirty);
  prism_free(r->mark);
  prism_free(r->near);
  prism_free(r->removal);
}

static prism_status_t reducer_prepare(reducer_t *r) {
  int32_t n = r->graph->n;
  PRISM_TRY(PRISM_ALLOC(n, &r->alive));
  PRISM_TRY(PRISM_ALLOC(n, &r->degree));
  PRISM_TRY(PRISM_ALLOC(n, &r->peel));
  PRISM_TRY(PRISM_ALLOC(n, &r->dirty));
  PRISM_TRY(PRISM_ALLOC_ZERO(n, &r->is_dirty));
  PRISM_TRY(PRISM_ALLOC_ZERO(n, &r->mark));
  PRISM_TRY(PRISM_ALLOC(prism_graph_max_degree(r->graph), &r->near));
  PRISM_TRY(PRISM_ALLOC(n, &r->removal));
  for (int32_t v = 0; v < n; ++v) {
    r->alive[v] = true;
    r->degree[v] = prism_graph_degree(r->graph, v);
    if (r->degree[v] < r->threshold) r->peel[r->peel_count++] = v;
  }
  r->remaining = n;
  r->isolated = -1;
  return PRISM_OK;
}

static void push_dirty(reducer_t *r, int32_t v) {
  if (r->is_dirty[v]) return;
  r->is_dirty[v] = true;
  int64_t n = r->graph->n, at = (int64_t)r->dirty_first + r->dirty_count;
  r->dirty[at < n ? at : at - n] = v;
  ++r->dirty_count;
}

static int32_t pop_dirty(reducer_t *r) {
  int32_t v = r->dirty[r->dirty_first];
  if (++r->dirty_first == r->graph->n) r->dirty_first = 0;
  --r->dirty_count;
  r->is_dirty[v] = false;
  return v;
}

/* Take v out. Its neighbors may now peel or be dominated. */
static void remove_vertex(reducer_t *r, int32_t v, int32_t partner) {
  const prism_graph_t *graph = r->graph;
  r->alive[v] = false;
  r->removal[graph->n - r->remaining] = (removal_t){v, partner};
  --r->remaining;
  for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
    int32_t u = graph->neighbor[e];
    if (!r->alive[u]) continue;
    if (r->degree[u]-- == r->threshold) r->peel[r->peel_count++] = u;
    push_dirty(r, u);
  }
}

static void peel_all(reducer_t *r) {
  while (r->peel_count > 0) {
    int32_t v = r->peel[--r->peel_count];
    remove_vertex(r, v, PEELED);
    ++r->counts.peeled;
  }
}

/* Are all of near[0 .. count - 1] neighbors of v? The one that is not moves to the
 * front: it is the likeliest to refuse the next candidate too. */
static bool covers(reducer_t *r, int32_t v, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    int32_t x = r->near[i];
    if (prism_graph_has_edge(r->graph, x, v)) continue;
    r->near[i] = r->near[0];
    r->near[0] = x;
    return false;
  }
  return true;
}

/* A vertex that dominates u, or -1. Every such vertex is next to each neighbor of
 * u, so the neighbors of the rarest one are all the candidates. */
static int32_t find_dominator(reducer_t *r, int32_t u) {
  const prism_graph_t *graph = r->graph;
  int32_t count = 0, rarest = -1;
  for (int64_t e = graph->offset[u]; e < graph->offset[u + 1]; ++e) {
    int32_t x = graph->neighbor[e];
    if (!r->alive[x]) continue;
    r->mark[x] = u + 1;
    r->near[count++] = x;
    if (rarest < 0 || r->degree[x] < r->degree[rarest]) rarest = x;
  }
  if (rarest < 0) {
    if (r->isolated >= 0 && r->isolated != u && r->alive[r->isolated]) return r->isolated;
    r->isolated = u;
    return -1;
  }
  for (int64_t e = graph->offset[rarest]; e < graph->offset[rarest + 1]; ++e) {
    int32_t v = graph->neighbor[e];
    if (!r->alive[v] || v == u) continue;
    if (--r->pairs_left < 0) return -1;
    if (r->degree[v] < r->degree[u] || r->mark[v] == u + 1) continue;
    if (covers(r, v, count)) return v;
  }
  return -1;
}

static void remove_dominated(reducer_t *r) {
  for (int32_t v = 0; v < r->graph->n; ++v)
    if (r->alive[v]) push_dirty(r, v);
  while (r->dirty_count > 0 && r->pairs_left > 0) {
    int32_t u = pop_dirty(r);
    if (!r->alive[u]) continue;
    int32_t v = find_dominator(r, u);
    if (v < 0) continue;
    remove_vertex(r, u, v);
    ++r->counts.dominated;
    peel_all(r);
  }
}

/* All universal vertices at once. Degrees and the threshold fall together and both
 * ends of a domination lose the same neighbor, so no other rule wakes up again. */
static void remove_universal(reducer_t *r) {
  int32_t full = r->remaining - 1;
  for (int32_t v = 0; v < r->graph->n; ++v) {
    if (!r->alive[v] || r->degree[v] != full) continue;
    --r->threshold;
    remove_vertex(r, v, UNIVERSAL);
    ++r->counts.universal;
    --full;
  }
}

/* What is alive is the kernel. */
static prism_status_t kernel_map(prism_kernel_t *kernel, const bool *alive) {
  int32_t n = kernel->input->n, count = 0;
  PRISM_TRY(PRISM_ALLOC(kernel->counts.remaining, &kernel->map));
  for (int32_t v = 0; v < n; ++v)
    if (alive[v]) kernel->map[count++] = v;
  if (count > 0) PRISM_TRY(prism_graph_induced(kernel->input, kernel->map, count, &kernel->graph));
  return PRISM_OK;
}

static prism_status_t kernel_finish(prism_kernel_t *kernel, reducer_t *r) {
  kernel->removal = r->removal;
  r->removal = NULL;
  kernel->counts = r->counts;
  kernel->counts.remaining = r->remaining;
  return kernel_map(kernel, r->alive);
}

prism_status_t prism_kernel_create(const prism_graph_t *graph, int32_t lower_bound,
                                   int64_t effort_pairs, prism_kernel_t **out) {
  prism_kernel_t *kernel = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &kernel));
  kernel->input = graph;
  kernel->lower_bound = lower_bound;
  reducer_t r = {.graph = graph, .threshold = lower_bound, .pairs_left = effort_pairs};
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, reducer_prepare(&r), done);
  peel_all(&r);
  remove_dominated(&r);
  remove_universal(&r);
  PRISM_TRY_GOTO(status, kernel_finish(kernel, &r), done);
  *out = kernel;
  kernel = NULL;
done:
  reducer_release(&r);
  prism_kernel_destroy(&kernel);
  return status;
}

/* ---- again, without reducing ---- */

void prism_kernel_removals(const prism_kernel_t *kernel, int32_t *lower_bound,
                           const prism_kernel_removal_t **removal, int32_t *count) {
  *lower_bound = kernel->lower_bound;
  *removal = kernel->removal;
  *count = kernel->input->n - kernel->counts.remaining;
}

static int32_t degree_alive(const prism_graph_t *graph, const bool *alive, int32_t v) {
  int32_t degree = 0;
  for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
    degree += alive[graph->neighbor[e]];
  return degree;
}

static bool dominates(const prism_graph_t *graph, const bool *alive, int32_t v, int32_t u) {
  if (v == u || !alive[v] || prism_graph_has_edge(graph, u, v)) return false;
  for (int64_t e = graph->offset[u]; e < graph->offset[u + 1]; ++e) {
    int32_t x = graph->neighbor[e];
    if (alive[x] && !prism_graph_has_edge(graph, x, v)) return false;
  }
  return true;
}

/* Does a rule allow it now? Counts it. */
static bool follows(const prism_graph_t *graph, const bool *alive, int32_t lower_bound,
                    removal_t removal, prism_kernel_counts_t *counts) {
  int32_t u = removal.vertex, v = removal.partner;
  if (u < 0 || u >= graph->n || !alive[u] || v >= graph->n) return false;
  if (v == PEELED) {
    ++counts->peeled;
    return degree_alive(graph, alive, u) < lower_bound - counts->universal;
  }
  if (v == UNIVERSAL) {
    ++counts->universal;
    return degree_alive(graph, alive, u) == counts->remaining - 1;
  }
  ++counts->dominated;
  return v >= 0 && dominates(graph, alive, v, u);
}

static prism_status_t kernel_replay(prism_kernel_t *kernel, bool *alive, int32_t count) {
  prism_kernel_counts_t *counts = &kernel->counts;
  for (int32_t v = 0; v < kernel->input->n; ++v) alive[v] = true;
  counts->remaining = kernel->input->n;
  for (int32_t i = 0; i < count; ++i) {
    removal_t removal = kernel->removal[i];
    if (!follows(kernel->input, alive, kernel->lower_bound, removal, counts))
      PRISM_FAIL(PRISM_FORMAT, "the reductions cannot have removed vertex %d in step %d",
                 removal.vertex, i);
    alive[removal.vertex] = false;
    --counts->remaining;
  }
  return kernel_map(kernel, alive);
}

prism_status_t prism_kernel_restore(const prism_graph_t *graph, int32_t lower_bound,
                                    const prism_kernel_removal_t *removal, int32_t count,
                                    prism_kernel_t **out) {
  if (count < 0 || count > graph->n)
    PRISM_FAIL(PRISM_FORMAT, "%d vertices were removed from a graph of %d", count, graph->n);
  prism_kernel_t *kernel = NULL;
  bool *alive = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &kernel));
  kernel->input = graph;
  kernel->lower_bound = lower_bound;
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(graph->n, &alive), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(count, &kernel->removal), done);
  if (count > 0) memcpy(kernel->removal, removal, (size_t)count * sizeof *removal);
  PRISM_TRY_GOTO(status, kernel_replay(kernel, alive, count), done);
  *out = kernel;
  kernel = NULL;
done:
  prism_free(alive);
  prism_kernel_destroy(&kernel);
  return status;
}

void prism_kernel_destroy(prism_kernel_t **kernel) {
  if (kernel == NULL || *kernel == NULL) return;
  prism_graph_destroy(&(*kernel)->graph);
  prism_free((*kernel)->map);
  prism_free((*kernel)->removal);
  prism_free(*kernel);
  *kernel = NULL;
}

const prism_graph_t *prism_kernel_graph(const prism_kernel_t *kernel) { return kernel->graph; }
int32_t prism_kernel_universal(const prism_kernel_t *kernel) { return kernel->counts.universal; }
prism_kernel_counts_t prism_kernel_counts(const prism_kernel_t *kernel) { return kernel->counts; }
const int32_t *prism_kernel_map(const prism_kernel_t *kernel) { return kernel->map; }

static bool is_legal(const prism_graph_t *graph, const int32_t *color) {
  for (int32_t v = 0; v < graph->n; ++v)
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
      if (color[v] == color[graph->neighbor[e]]) return false;
  return true;
}

/* Undo the removals in reverse. A vertex peeled after t universal ones had fewer
 * neighbors left than the bound less t, and that many colors are in play again
 * once the later universal vertices have theirs. */
prism_status_t prism_kernel_lift(const prism_kernel_t *kernel, const int32_t *kernel_color,
                                 int32_t k, int32_t *color, int32_t *colors) {
  const prism_graph_t *graph = kernel->input;
  int32_t remaining = kernel->counts.remaining;
  int32_t palette = k, least = kernel->lower_bound - kernel->counts.universal;
  if (palette < least) palette = least;
  for (int32_t v = 0; v < graph->n; ++v) color[v] = -1;
  for (int32_t i = 0; i < remaining; ++i) {
    if (kernel_color[i] < 0 || kernel_color[i] >= k)
      PRISM_FAIL(PRISM_INTERNAL, "kernel vertex %d has color %d of %d", i, kernel_color[i], k);
    color[kernel->map[i]] = kernel_color[i];
  }
  for (int32_t i = graph->n - remaining; i-- > 0;) {
    removal_t removal = kernel->removal[i];
    int32_t v = removal.vertex;
    if (removal.partner == UNIVERSAL) {
      color[v] = palette++;
    } else if (removal.partner >= 0) {
      color[v] = color[removal.partner];
    } else {
      color[v] = prism_first_free_color(graph, color, v);
      if (color[v] >= palette)
        PRISM_FAIL(PRISM_INTERNAL, "no color below %d is left for vertex %d", palette, v);
    }
  }
  if (!is_legal(graph, color))
    PRISM_FAIL(PRISM_INTERNAL, "the kernel's coloring was not legal");
  PRISM_TRY(prism_coloring_compact(color, graph->n, colors));
  return PRISM_OK;
}

prism_status_t prism_kernel_project(const prism_kernel_t *kernel, const int32_t *color,
                                    int32_t *kernel_color) {
  int32_t remaining = kernel->counts.remaining, used = 0;
  for (int32_t i = 0; i < remaining; ++i) kernel_color[i] = color[kernel->map[i]];
  if (remaining > 0) PRISM_TRY(prism_coloring_compact(kernel_color, remaining, &used));
  return PRISM_OK;
}
