#include "solve/prepare.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/coloring.h"
#include "search/bounds.h"

typedef struct preparation {
  const prism_graph_t *graph;
  const prism_params_t *params;
  uint64_t seed;
  int32_t goal;
  double deadline;
  const atomic_int *stop;
  prism_prepared_t *out;
  int32_t *kernel_color; /* [kernel n] scratch */
  int32_t *color;        /* [n] scratch */
} preparation_t;

static bool enough(const preparation_t *p) {
  int32_t bound = p->out->lower_bound > p->goal ? p->out->lower_bound : p->goal;
  bool stopped = p->stop != NULL && atomic_load(p->stop) != 0;
  return p->out->colors > 0 && (p->out->colors <= bound || stopped);
}

static void keep(preparation_t *p, int32_t colors) {
  if (p->out->colors != 0 && colors >= p->out->colors) return;
  memcpy(p->out->color, p->color, (size_t)p->graph->n * sizeof *p->color);
  p->out->colors = colors;
}

/* Keep a legal colouring of the kernel when its lift is better. */
static prism_status_t keep_lifted(preparation_t *p, int32_t kernel_colors) {
  int32_t colors = 0;
  PRISM_TRY(prism_kernel_lift(p->out->kernel, p->kernel_color, kernel_colors, p->color, &colors));
  keep(p, colors);
  return PRISM_OK;
}

/* Are the bounds so close that a proof is in reach? Those of random graphs never are. */
static bool bounds_close(const preparation_t *p) {
  return 5 * p->out->lower_bound >= 3 * p->out->colors;
}

/* One clique search with a part of its time; a larger clique becomes the bound. */
static prism_status_t find_clique(preparation_t *p, double part) {
  enum { NODES = 200000 };
  bool fixed = p->params->run.deterministic;
  int32_t *clique = NULL, size = 0;
  PRISM_TRY(PRISM_ALLOC(p->graph->n, &clique));
  prism_status_t status = prism_clique_find(
      p->graph, p->seed, fixed ? 0.0 : part * p->params->reduction.clique_seconds,
      fixed ? (int64_t)(part * NODES) : 0, clique, &size);
  if (status == PRISM_OK && size > p->out->clique_size) {
    int32_t *smaller = p->out->clique;
    p->out->clique = clique;
    clique = smaller;
    p->out->clique_size = p->out->lower_bound = size;
  }
  prism_free(clique);
  return status;
}

static prism_status_t bound_below(preparation_t *p) {
  PRISM_TRY(find_clique(p, 0.1));
  int32_t colors = 0;
  PRISM_TRY(prism_greedy_color(p->graph, PRISM_GREEDY_SMALLEST_LAST, p->seed, NULL, p->color,
                               &colors));
  keep(p, colors);
  bool met = p->out->colors <= p->out->lower_bound;
  /* A goal above the bound needs no proof, only the answer whether it can be met. */
  double part = p->goal > p->out->lower_bound ? 0.3 : 1.0;
  return !met && bounds_close(p) ? find_clique(p, part) : PRISM_OK;
}

/* RLF looks at the remaining edges for every class: about k m steps, 2 s for 1.8
 * million edges and 500 colours. It may take a fifth of the time there is, but where it
 * cannot meet the bound a search gets as far in less. */
static bool affordable(const preparation_t *p, prism_greedy_t how) {
  enum { STEPS_PER_SECOND = 400000000, FIXED_SECONDS = 3, SEARCHABLE = 10000 };
  if (how != PRISM_GREEDY_RLF) return true;
  const prism_graph_t *kernel = prism_kernel_graph(p->out->kernel);
  double steps = (double)p->out->colors * (double)kernel->m;
  if (kernel->n <= SEARCHABLE && !bounds_close(p)) return steps < 0.1 * STEPS_PER_SECOND;
  double left = p->deadline > 0.0 ? 0.2 * (p->deadline - prism_clock_now()) : FIXED_SECONDS;
  return steps < left * STEPS_PER_SECOND;
}

/* Ties decide much for the cheap heuristics that break them at random; several starts
 * are worth it where they may meet the lower bound. */
static int32_t starts_of(const preparation_t *p, prism_greedy_t how) {
  bool random = how == PRISM_GREEDY_SMALLEST_LAST || how == PRISM_GREEDY_DSATUR;
  return random && prism_kernel_graph(p->out->kernel)->m < 100000 && bounds_close(p) ? 10 : 1;
}

static prism_status_t color_once(preparation_t *p, prism_greedy_t how, uint64_t seed) {
  int32_t colors = 0;
  prism_status_t status = prism_greedy_color(prism_kernel_graph(p->out->kernel), how, seed, p->stop,
                                             p->kernel_color, &colors);
  if (status == PRISM_INTERRUPTED && p->out->colors > 0) return PRISM_OK;
  PRISM_TRY(status);
  return keep_lifted(p, colors);
}

static prism_status_t bound_above(preparation_t *p) {
  int32_t strategy = p->params->initial.strategy; /* 0: portfolio, else 1 + heuristic */
  /* Cheap ones first: easy graphs end after the first that meets the bound. */
  static const prism_greedy_t order[] = {PRISM_GREEDY_SMALLEST_LAST, PRISM_GREEDY_DSATUR,
                                         PRISM_GREEDY_LARGEST_FIRST, PRISM_GREEDY_NATURAL,
                                         PRISM_GREEDY_RLF};
  for (size_t i = 0; i < sizeof order / sizeof order[0] && !enough(p); ++i) {
    bool chosen = strategy == 0 ? affordable(p, order[i])
                                : strategy - 1 == (int32_t)order[i];
    bool late = strategy == 0 && p->deadline > 0.0 && prism_clock_now() > p->deadline;
    if (!chosen || (late && p->out->colors > 0)) continue;
    int32_t starts = starts_of(p, order[i]);
    for (int32_t start = 0; start < starts && !enough(p); ++start)
      PRISM_TRY(color_once(p, order[i], prism_rng_derive(p->seed, (uint64_t)start)));
  }
  return PRISM_OK;
}

/* A clique of the kernel, which may have lost vertices of the bound's clique. */
static prism_status_t kernel_clique(const preparation_t *p, int32_t *clique, int32_t *size) {
  enum { NODES = 20000 };
  const prism_graph_t *kernel = prism_kernel_graph(p->out->kernel);
  bool fixed = p->params->run.deterministic;
  double seconds = fixed ? 0.0 : 0.1 * p->params->reduction.clique_seconds;
  return prism_clique_find(kernel, p->seed, seconds, fixed ? NODES : 0, clique, size);
}

/* Branch and bound: to the end, if it can be, on a small kernel; a short try on any
 * other that is not huge, which proves many structured graphs at once. */
static prism_status_t solve_exactly(preparation_t *p) {
  enum { NODES = 2000000, SHORT_NODES = 20000, SHORT_VERTICES = 20000 };
  const prism_graph_t *kernel = prism_kernel_graph(p->out->kernel);
  int64_t limit = p->params->reduction.exact_vertices;
  bool small = kernel->n <= limit;
  bool worth_a_try = small || (kernel->n <= SHORT_VERTICES && bounds_close(p));
  if (limit == 0 || enough(p) || !worth_a_try) return PRISM_OK;
  int32_t *clique = NULL, size = 0;
  PRISM_TRY(PRISM_ALLOC(kernel->n, &clique));
  prism_status_t status = kernel_clique(p, clique, &size);
  prism_exact_result_t exact = {0};
  if (status == PRISM_OK)
    status = prism_kernel_project(p->out->kernel, p->out->color, p->kernel_color);
  int32_t upper = prism_coloring_span(p->kernel_color, kernel->n);
  double seconds = p->params->run.deterministic ? 0.0 : small ? 2.0 : 0.2;
  int64_t nodes = small ? NODES : SHORT_NODES;
  if (status == PRISM_OK)
    status = prism_exact_color(kernel, clique, size, upper, nodes, seconds, p->stop,
                               p->kernel_color, &exact);
  prism_free(clique);
  if (status == PRISM_INTERRUPTED) return PRISM_OK;
  PRISM_TRY(status);
  PRISM_TRY(keep_lifted(p, exact.colors));
  if (!exact.proved) return PRISM_OK;
  int32_t bound = exact.colors + prism_kernel_universal(p->out->kernel);
  if (bound > p->out->lower_bound) {
    p->out->lower_bound = bound;
    p->out->exact = true;
  }
  return PRISM_OK;
}

static prism_status_t use_initial(preparation_t *p, const int32_t *initial) {
  int32_t colors = 0;
  memcpy(p->color, initial, (size_t)p->graph->n * sizeof *initial);
  PRISM_TRY(prism_coloring_compact(p->color, p->graph->n, &colors));
  keep(p, colors);
  return PRISM_OK;
}

static prism_status_t prepare(preparation_t *p, const int32_t *initial) {
  const prism_params_reduction_t *reduction = &p->params->reduction;
  PRISM_TRY(PRISM_ALLOC(p->graph->n, &p->out->color));
  PRISM_TRY(PRISM_ALLOC(p->graph->n, &p->color));
  PRISM_TRY(PRISM_ALLOC(p->graph->n, &p->kernel_color));
  PRISM_TRY(bound_below(p));
  /* A bound of 0 peels nothing: that is how the reductions are switched off. */
  PRISM_TRY(prism_kernel_create(p->graph, reduction->enabled ? p->out->lower_bound : 0,
                                reduction->enabled ? reduction->domination_pairs : 0,
                                &p->out->kernel));
  if (initial != NULL) PRISM_TRY(use_initial(p, initial));
  if (prism_kernel_graph(p->out->kernel) == NULL) return keep_lifted(p, 0);
  PRISM_TRY(bound_above(p));
  return solve_exactly(p);
}

prism_status_t prism_prepare(const prism_graph_t *graph, const prism_params_t *params,
                             uint64_t seed, const int32_t *initial, int32_t goal, double deadline,
                             const atomic_int *stop, prism_prepared_t *out) {
  memset(out, 0, sizeof *out);
  preparation_t p = {.graph = graph, .params = params, .seed = seed, .goal = goal,
                     .deadline = params->run.deterministic ? 0.0 : deadline, .stop = stop,
                     .out = out};
  prism_status_t status = prepare(&p, initial);
  prism_free(p.color);
  prism_free(p.kernel_color);
  if (status != PRISM_OK) prism_prepared_release(out);
  return status;
}

void prism_prepared_release(prism_prepared_t *prepared) {
  prism_kernel_destroy(&prepared->kernel);
  prism_free(prepared->clique);
  prism_free(prepared->color);
  memset(prepared, 0, sizeof *prepared);
}
