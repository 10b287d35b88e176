/* The part of a kernel that is worth searching at one k (model/reduce.h). */
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "model/first_free.h"
#include "model/reduce.h"

struct prism_view {
  const prism_graph_t *kernel; /* borrowed */
  prism_graph_t *graph;        /* NULL: nothing to search */
  int32_t *map;                /* [graph->n] kernel vertex */
  int32_t *peeled;             /* [peeled_count] kernel vertices in the order of peeling */
  int32_t peeled_count;
  int32_t *fixed;              /* [kernel n] color of a finished component; -1: not in one */
};

/* Peel vertices of degree below k. [out] view->peeled, map (the k-core) and its size. */
static prism_status_t view_peel(prism_view_t *view, int32_t k, int32_t *core_count) {
  const prism_graph_t *graph = view->kernel;
  int32_t n = graph->n, count = 0;
  int32_t *degree = NULL;
  PRISM_TRY(PRISM_ALLOC(n, &degree));
  for (int32_t v = 0; v < n; ++v) {
    degree[v] = prism_graph_degree(graph, v);
    if (degree[v] < k) view->peeled[count++] = v;
  }
  for (int32_t i = 0; i < count; ++i) {
    int32_t v = view->peeled[i];
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
      if (degree[graph->neighbor[e]]-- == k) view->peeled[count++] = graph->neighbor[e];
  }
  /* A peeled vertex went below k and never came back. */
  int32_t kept = 0;
  for (int32_t v = 0; v < n; ++v)
    if (degree[v] >= k) view->map[kept++] = v;
  view->peeled_count = count;
  *core_count = kept;
  prism_free(degree);
  return PRISM_OK;
}

/* First fit along `order`, NULL: by number. */
static void color_greedily(const prism_graph_t *graph, const int32_t *order, int32_t *color) {
  for (int32_t v = 0; v < graph->n; ++v) color[v] = -1;
  for (int32_t i = 0; i < graph->n; ++i) {
    int32_t v = order == NULL ? i : order[i];
    color[v] = prism_first_free_color(graph, color, v);
  }
}

/* Scratch for telling finished components of the core. */
typedef struct parts {
  int32_t *component; /* [core n] */
  bool *finished;     /* [components] */
  int32_t *color;     /* [core n] */
  int32_t *order;     /* [core n] */
  int32_t count;
} parts_t;

static void parts_release(parts_t *p) {
  prism_free(p->component);
  prism_free(p->finished);
  prism_free(p->color);
  prism_free(p->order);
}

/* Keep the colors of the components that a greedy coloring finishes within k. */
static prism_status_t fix_components(prism_view_t *view, const prism_graph_t *core, int32_t k,
                                     parts_t *p) {
  PRISM_TRY(PRISM_ALLOC(core->n, &p->component));
  PRISM_TRY(PRISM_ALLOC(core->n, &p->color));
  PRISM_TRY(PRISM_ALLOC(core->n, &p->order));
  PRISM_TRY(prism_graph_components(core, p->component, &p->count));
  PRISM_TRY(PRISM_ALLOC(p->count, &p->finished));
  PRISM_TRY(prism_graph_smallest_last(core, p->order, NULL, NULL));
  for (int attempt = 0; attempt < 2; ++attempt) {
    color_greedily(core, attempt == 0 ? p->order : NULL, p->color);
    for (int32_t c = 0; c < p->count; ++c) p->finished[c] = true;
    for (int32_t v = 0; v < core->n; ++v)
      if (p->color[v] >= k) p->finished[p->component[v]] = false;
    for (int32_t v = 0; v < core->n; ++v)
      if (p->finished[p->component[v]]) view->fixed[view->map[v]] = p->color[v];
  }
  return PRISM_OK;
}

/* Leave only the unfinished components in the map and make their graph. */
static prism_status_t view_narrow(prism_view_t *view, int32_t k, int32_t core_count) {
  if (core_count == 0) return PRISM_OK;
  parts_t parts = {0};
  prism_graph_t *core = NULL;
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, prism_graph_induced(view->kernel, view->map, core_count, &core), done);
  PRISM_TRY_GOTO(status, fix_components(view, core, k, &parts), done);
  int32_t kept = 0;
  for (int32_t i = 0; i < core_count; ++i)
    if (view->fixed[view->map[i]] < 0) view->map[kept++] = view->map[i];
  if (kept == core_count) {
    view->graph = core;
    core = NULL;
  } else if (kept > 0) {
    status = prism_graph_induced(view->kernel, view->map, kept, &view->graph);
  }
done:
  prism_graph_destroy(&core);
  parts_release(&parts);
  return status;
}

prism_status_t prism_view_create(const prism_graph_t *kernel, int32_t k, prism_view_t **out) {
  if (k < 0) PRISM_FAIL(PRISM_INVALID, "a view of %d colors", k);
  int32_t core_count = 0;
  prism_view_t *view = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &view));
  view->kernel = kernel;
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(kernel->n, &view->map), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(kernel->n, &view->peeled), fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(kernel->n, &view->fixed), fail);
  for (int32_t v = 0; v < kernel->n; ++v) view->fixed[v] = -1;
  PRISM_TRY_GOTO(status, view_peel(view, k, &core_count), fail);
  PRISM_TRY_GOTO(status, view_narrow(view, k, core_count), fail);
  *out = view;
  return PRISM_OK;
fail:
  prism_view_destroy(&view);
  return status;
}

void prism_view_destroy(prism_view_t **view) {
  if (view == NULL || *view == NULL) return;
  prism_graph_destroy(&(*view)->graph);
  prism_free((*view)->map);
  prism_free((*view)->peeled);
  prism_free((*view)->fixed);
  prism_free(*view);
  *view = NULL;
}

const prism_graph_t *prism_view_graph(const prism_view_t *view) { return view->graph; }
const int32_t *prism_view_map(const prism_view_t *view) { return view->map; }

void prism_view_lift(const prism_view_t *view, const int32_t *view_color, int32_t *color) {
  memcpy(color, view->fixed, (size_t)view->kernel->n * sizeof *color);
  if (view->graph != NULL && view_color != NULL)
    for (int32_t i = 0; i < view->graph->n; ++i) color[view->map[i]] = view_color[i];
  for (int32_t i = view->peeled_count; i-- > 0;) {
    int32_t v = view->peeled[i];
    color[v] = prism_first_free_color(view->kernel, color, v);
  }
}
