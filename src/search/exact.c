/* Exact coloring of small graphs: DSATUR branch and bound (Brelaz 1979).
 *
 * Each component is solved alone, starting from its share of the clique. A node
 * takes the uncolored vertex with the fewest colors left; among equals, when few
 * are left, the one that shares most colors with such neighbors (the PASS rule of
 * San Segundo 2012), because coloring it constrains the rest most. New colors
 * enter in order, so that no two colorings differ by names alone. */
#include "search/bounds.h"

#include <string.h>

#include "base/bitset.h"
#include "base/clock.h"
#include "base/mem.h"
#include "model/coloring.h"

enum {
  CLOCK_NODES = 1024, /* nodes between two looks at the clock and the stop flag */
  PASS_COLORS = 3     /* with more colors left, degree breaks ties instead */
};

/* Limits shared by all components. */
typedef struct limits {
  int64_t node_limit; /* 0: none */
  double deadline;    /* 0: none */
  const atomic_int *stop;
  int64_t nodes;
  bool stopped;
} limits_t;

typedef struct node {
  int32_t vertex;     /* colored here */
  int32_t used;       /* colors of the path above */
  int32_t next_color; /* to try next */
} node_t;

typedef struct branch {
  const prism_graph_t *graph;
  limits_t *limits;
  int32_t enough;     /* a coloring with this many colors ends the search */
  int32_t best;       /* fewest colors so far; only fewer are looked for */
  int32_t *best_color; /* [n] */
  int32_t *color;     /* [n] on the current path, -1: uncolored */
  int32_t colored;
  int32_t columns;    /* colors that have a count: best at the start, less 1 */
  int32_t words;
  uint16_t *count;    /* [n][columns] neighbors with each color */
  uint64_t *taken;    /* [n][words] colors with a count above 0 */
  int32_t *saturation; /* [n] how many those are */
  int32_t *degree;    /* [n] uncolored neighbors */
  int32_t *tied;      /* [n] scratch of the choice */
  int32_t *is_tied;   /* [n] stamp of the choice in which it was tied */
  int32_t stamp;
  node_t *path;       /* [n] */
} branch_t;

static void branch_release(branch_t *b) {
  prism_free(b->best_color);
  prism_free(b->color);
  prism_free(b->count);
  prism_free(b->taken);
  prism_free(b->saturation);
  prism_free(b->degree);
  prism_free(b->tied);
  prism_free(b->is_tied);
  prism_free(b->path);
}

/* [in] color [n] a legal coloring with b->best colors. */
static prism_status_t branch_prepare(branch_t *b, const int32_t *color) {
  const prism_graph_t *graph = b->graph;
  size_t n = (size_t)graph->n;
  b->columns = b->best > 1 ? b->best - 1 : 1;
  b->words = prism_bitset_words(b->columns);
  PRISM_TRY(PRISM_ALLOC(n, &b->best_color));
  PRISM_TRY(PRISM_ALLOC(n, &b->color));
  PRISM_TRY(PRISM_ALLOC_ZERO(n * (size_t)b->columns, &b->count));
  PRISM_TRY(PRISM_ALLOC_ZERO(n * (size_t)b->words, &b->taken));
  PRISM_TRY(PRISM_ALLOC_ZERO(n, &b->saturation));
  PRISM_TRY(PRISM_ALLOC(n, &b->degree));
  PRISM_TRY(PRISM_ALLOC(n, &b->tied));
  PRISM_TRY(PRISM_ALLOC_ZERO(n, &b->is_tied));
  PRISM_TRY(PRISM_ALLOC(n, &b->path));
  memcpy(b->best_color, color, n * sizeof *color);
  memset(b->color, 0xFF, n * sizeof *b->color);
  for (int32_t v = 0; v < graph->n; ++v) b->degree[v] = prism_graph_degree(graph, v);
  return PRISM_OK;
}

/* Give v color c. Returns false when a neighbor then has no color left below the
 * best; the assignment is complete either way. */
static bool assign(branch_t *b, int32_t v, int32_t c) {
  const prism_graph_t *graph = b->graph;
  bool alive = true;
  b->color[v] = c;
  ++b->colored;
  for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
    int32_t u = graph->neighbor[e];
    --b->degree[u];
    if (b->count[(size_t)u * (size_t)b->columns + (size_t)c]++ > 0) continue;
    prism_bitset_add(b->taken + (size_t)u * (size_t)b->words, c);
    if (++b->saturation[u] >= b->best - 1 && b->color[u] < 0) alive = false;
  }
  return alive;
}

static void unassign(branch_t *b, int32_t v) {
  const prism_graph_t *graph = b->graph;
  int32_t c = b->color[v];
  b->color[v] = -1;
  --b->colored;
  for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
    int32_t u = graph->neighbor[e];
    ++b->degree[u];
    if (--b->count[(size_t)u * (size_t)b->columns + (size_t)c] > 0) continue;
    prism_bitset_remove(b->taken + (size_t)u * (size_t)b->words, c);
    --b->saturation[u];
  }
}

/* Colors below `limit` that neither u nor v has next door. */
static int32_t shared_colors(const branch_t *b, int32_t u, int32_t v, int32_t limit) {
  const uint64_t *a = b->taken + (size_t)u * (size_t)b->words;
  const uint64_t *c = b->taken + (size_t)v * (size_t)b->words;
  int32_t shared = limit;
  for (int32_t w = 0; w < b->words; ++w) shared -= prism_bitset_count_word(a[w] | c[w]);
  return shared;
}

/* The sum over v's tied neighbors of the colors they could both take. */
static int32_t pass_weight(const branch_t *b, int32_t v) {
  const prism_graph_t *graph = b->graph;
  int32_t weight = 0;
  for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
    int32_t u = graph->neighbor[e];
    if (b->is_tied[u] == b->stamp) weight += shared_colors(b, u, v, b->best - 1);
  }
  return weight;
}

static int32_t choose_vertex(branch_t *b) {
  int32_t n = b->graph->n, most = -1, count = 0;
  for (int32_t v = 0; v < n; ++v) {
    if (b->color[v] >= 0 || b->saturation[v] < most) continue;
    if (b->saturation[v] > most) {
      most = b->saturation[v];
      count = 0;
    }
    b->tied[count++] = v;
  }
  if (count == 1) return b->tied[0];
  int32_t left = b->best - 1 - most, choice = -1, weight = -1;
  bool pass = left > 1 && left <= PASS_COLORS;
  if (pass) {
    ++b->stamp;
    for (int32_t i = 0; i < count; ++i) b->is_tied[b->tied[i]] = b->stamp;
  }
  for (int32_t i = 0; i < count; ++i) {
    int32_t v = b->tied[i];
    int32_t w = pass ? pass_weight(b, v) : 0;
    if (w < weight || (w == weight && b->degree[v] <= b->degree[choice])) continue;
    weight = w;
    choice = v;
  }
  return choice;
}

static bool count_node(limits_t *limits) {
  ++limits->nodes;
  if (limits->node_limit > 0 && limits->nodes >= limits->node_limit) limits->stopped = true;
  if (limits->nodes % CLOCK_NODES == 0) {
    if (limits->deadline > 0 && prism_clock_now() >= limits->deadline) limits->stopped = true;
    if (limits->stop != NULL && atomic_load_explicit(limits->stop, memory_order_relaxed))
      limits->stopped = true;
  }
  return !limits->stopped;
}

/* Open the node below the path, which uses colors 0 .. used - 1; a complete path is
 * a better coloring. Returns whether there is a node to work on. */
static bool open_node(branch_t *b, int32_t depth, int32_t used) {
  if (b->colored == b->graph->n) {
    b->best = used;
    memcpy(b->best_color, b->color, (size_t)b->graph->n * sizeof *b->color);
    return false;
  }
  if (!count_node(b->limits)) return false;
  b->path[depth] = (node_t){choose_vertex(b), used, 0};
  return true;
}

/* Try all ways to extend the start, which uses `used` colors, that could beat the
 * best coloring. The path is kept in an array: recursion would need stack in
 * proportion to the graph. */
static void search_tree(branch_t *b, int32_t used) {
  int32_t depth = open_node(b, 0, used) ? 0 : -1;
  while (depth >= 0) {
    node_t *node = &b->path[depth];
    int32_t v = node->vertex;
    if (b->color[v] >= 0) {
      unassign(b, v);
      /* A better coloring may have been found below: is anything left to gain here? */
      if (b->limits->stopped || b->best <= b->enough || node->used >= b->best) {
        --depth;
        continue;
      }
    }
    const uint16_t *count = b->count + (size_t)v * (size_t)b->columns;
    int32_t c = node->next_color;
    while (c <= node->used && c < b->best - 1 && count[c] > 0) ++c;
    if (c > node->used || c >= b->best - 1) {
      --depth;
      continue;
    }
    node->next_color = c + 1;
    int32_t now = c == node->used ? c + 1 : node->used;
    if (assign(b, v, c) && open_node(b, depth + 1, now)) ++depth;
  }
}

/* Solve one component. [in] fixed [fixed_count]: a clique in it; [in] upper: colors
 * of `color`; [in] enough: fewer are of no use. [out] best: colors of `color`, the
 * chromatic number or at most `enough` unless the limits stopped the search. */
static prism_status_t solve_component(const prism_graph_t *graph, const int32_t *fixed,
                                      int32_t fixed_count, int32_t upper, int32_t enough,
                                      limits_t *limits, int32_t *color, int32_t *best) {
  if (enough < fixed_count) enough = fixed_count;
  *best = upper;
  if (upper <= enough || upper <= 1 || limits->stopped) return PRISM_OK;
  branch_t b = {.graph = graph, .limits = limits, .enough = enough, .best = upper};
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, branch_prepare(&b, color), done);
  bool alive = true;
  for (int32_t i = 0; i < fixed_count; ++i) alive = assign(&b, fixed[i], i) && alive;
  /* Without a color left beside the clique, the coloring in hand is optimal. */
  if (alive) search_tree(&b, fixed_count);
  memcpy(color, b.best_color, (size_t)graph->n * sizeof *color);
  *best = b.best;
done:
  branch_release(&b);
  return status;
}

/* Scratch for taking components apart. */
typedef struct split {
  int32_t *component; /* [n] */
  int32_t *start;     /* [count + 1] */
  int32_t *member;    /* [n] vertices by component */
  int32_t *place;     /* [n] index within its component */
  int32_t *color;     /* [n] */
  int32_t *fixed;     /* [clique_size] */
  int32_t count;
} split_t;

static void split_release(split_t *s) {
  prism_free(s->component);
  prism_free(s->start);
  prism_free(s->member);
  prism_free(s->place);
  prism_free(s->color);
  prism_free(s->fixed);
}

static prism_status_t split_prepare(const prism_graph_t *graph, int32_t clique_size, split_t *s) {
  int32_t n = graph->n;
  PRISM_TRY(PRISM_ALLOC(n, &s->component));
  PRISM_TRY(PRISM_ALLOC(n, &s->member));
  PRISM_TRY(PRISM_ALLOC(n, &s->place));
  PRISM_TRY(PRISM_ALLOC(n, &s->color));
  PRISM_TRY(PRISM_ALLOC(clique_size, &s->fixed));
  PRISM_TRY(prism_graph_components(graph, s->component, &s->count));
  PRISM_TRY(PRISM_ALLOC_ZERO((size_t)s->count + 1, &s->start));
  for (int32_t v = 0; v < n; ++v) ++s->start[s->component[v] + 1];
  for (int32_t c = 0; c < s->count; ++c) s->start[c + 1] += s->start[c];
  for (int32_t v = 0; v < n; ++v) {
    int32_t c = s->component[v];
    s->member[s->start[c]] = v;
    s->place[v] = s->start[c]++;
  }
  for (int32_t c = s->count; c > 0; --c) s->start[c] = s->start[c - 1];
  s->start[0] = 0;
  for (int32_t v = 0; v < n; ++v) s->place[v] -= s->start[s->component[v]];
  return PRISM_OK;
}

/* Solve component c and write its coloring back. [in,out] reached: colors that
 * another component or the clique needs anyway. */
static prism_status_t solve_part(const prism_graph_t *graph, split_t *s, int32_t c,
                                 const int32_t *clique, int32_t clique_size, limits_t *limits,
                                 int32_t *color, int32_t *reached) {
  const int32_t *member = s->member + s->start[c];
  int32_t size = s->start[c + 1] - s->start[c], fixed = 0, upper = 0, best = 0;
  for (int32_t i = 0; i < size; ++i) s->color[i] = color[member[i]];
  PRISM_TRY(prism_coloring_compact(s->color, size, &upper));
  for (int32_t i = 0; i < clique_size; ++i)
    if (s->component[clique[i]] == c) s->fixed[fixed++] = s->place[clique[i]];
  prism_graph_t *part = NULL;
  const prism_graph_t *target = graph;
  if (s->count > 1) {
    PRISM_TRY(prism_graph_induced(graph, member, size, &part));
    target = part;
  }
  prism_status_t status = solve_component(target, s->fixed, fixed, upper, *reached, limits,
                                          s->color, &best);
  prism_graph_destroy(&part);
  PRISM_TRY(status);
  for (int32_t i = 0; i < size; ++i) color[member[i]] = s->color[i];
  if (best > *reached) *reached = best;
  return PRISM_OK;
}

prism_status_t prism_exact_color(const prism_graph_t *graph, const int32_t *clique,
                                 int32_t clique_size, int32_t upper, int64_t node_limit,
                                 double seconds, const atomic_int *stop, int32_t *color,
                                 prism_exact_result_t *out) {
  if (graph->n > UINT16_MAX)
    PRISM_FAIL(PRISM_INVALID, "exact coloring takes up to %d vertices, not %d", UINT16_MAX,
               graph->n);
  limits_t limits = {node_limit, seconds > 0 ? prism_clock_now() + seconds : 0, stop, 0, false};
  split_t s = {0};
  int32_t reached = clique_size > 0 ? clique_size : 1;
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, split_prepare(graph, clique_size, &s), done);
  for (int32_t c = 0; c < s.count; ++c)
    PRISM_TRY_GOTO(status,
                   solve_part(graph, &s, c, clique, clique_size, &limits, color, &reached), done);
  /* A coloring no larger than the clique is optimal however the search ended. */
  out->proved = !limits.stopped || (clique_size > 0 && reached <= clique_size);
  out->colors = reached < upper ? reached : upper;
  out->nodes = limits.nodes;
done:
  split_release(&s);
  return status;
}
