#include "engine/searcher.h"

#include "base/rng.h"
#include "engine/device_graph.h"
#include "seam/engine.h"

/* ---- plans ---- */

/* For the method's own kernel. */
static prism_status_t plan_own(const prism_gpu_graph_t *graph, int32_t k, int32_t cell_bits,
                               prism_searcher_t *s) {
  switch (s->method) {
    case PRISM_METHOD_TABUCOL:
    case PRISM_METHOD_POOL:
      PRISM_TRY(prism_tabucol_plan(graph, k, 0, 0, cell_bits, &s->plan.tabucol));
      break;
    case PRISM_METHOD_WEIGHTED:
      PRISM_TRY(prism_weighted_plan(graph, k, 0, 0, &s->plan.tabucol));
      break;
    case PRISM_METHOD_PARTIALCOL:
      PRISM_TRY(prism_partialcol_plan(graph, k, s->hooked, 0, 0, cell_bits / 8,
                                      &s->plan.partialcol));
      s->resident = s->plan.partialcol.resident;
      s->cell_bits = 8 * s->plan.partialcol.cell_bytes;
      return PRISM_OK;
    case PRISM_METHOD_TEMPERING:
      PRISM_TRY(prism_tempering_plan(graph, k, 0, -1, &s->plan.tempering));
      s->resident = s->plan.tempering.resident;
      return PRISM_OK;
    default:
      PRISM_FAIL(PRISM_UNSUPPORTED, "no device kernel for method %s",
                 prism_method_name(s->method));
  }
  s->resident = s->plan.tabucol.resident;
  s->cell_bits = s->plan.tabucol.cell_bits;
  return PRISM_OK;
}

static prism_status_t plan_wide(const prism_gpu_graph_t *graph, int32_t k, prism_searcher_t *s) {
  const bool weighted = s->method == PRISM_METHOD_WEIGHTED;
  s->wide = true;
  if (s->method == PRISM_METHOD_PARTIALCOL) s->method = PRISM_METHOD_TABUCOL;
  PRISM_TRY(prism_wide_plan(graph, k, weighted, 0, &s->plan.wide));
  s->resident = s->plan.wide.resident;
  s->cell_bits = 8 * s->plan.wide.cell_bytes;
  return PRISM_OK;
}

prism_status_t prism_searcher_plan(const prism_gpu_graph_t *graph, prism_method_t method,
                                   int32_t k, bool hooked, int32_t cell_bits,
                                   prism_searcher_t *out) {
  const bool widens = method == PRISM_METHOD_TABUCOL || method == PRISM_METHOD_POOL ||
                      method == PRISM_METHOD_WEIGHTED || method == PRISM_METHOD_PARTIALCOL;
  prism_searcher_t s = {.method = method, .hooked = hooked};
  prism_status_t status = plan_own(graph, k, cell_bits, &s);
  if (status == PRISM_UNSUPPORTED && widens) {
    prism_error_clear();
    status = plan_wide(graph, k, &s);
  }
  PRISM_TRY(status);
  *out = s;
  return PRISM_OK;
}

prism_status_t prism_searcher_methods(int32_t n, int32_t max_degree, uint32_t methods,
                                      uint32_t *out) {
  enum { FEWEST = 3, SMALL = 8192 }; /* colours: with two nothing has to be searched */
  static const uint32_t row[1] = {0}; /* a plan asks only whether there are rows */
  const prism_gpu_graph_t graph = {.n = n, .max_degree = max_degree,
                                   .row = n <= PRISM_DEVICE_GRAPH_DENSE ? row : NULL};
  *out = methods;
  if ((methods & PRISM_METHOD_BIT(PRISM_METHOD_PARTIALCOL)) == 0 || n <= SMALL) return PRISM_OK;
  prism_searcher_t s;
  PRISM_TRY(prism_searcher_plan(&graph, PRISM_METHOD_PARTIALCOL, FEWEST, false, 0, &s));
  if (s.wide) *out &= ~PRISM_METHOD_BIT(PRISM_METHOD_PARTIALCOL);
  return PRISM_OK;
}

uint64_t prism_searcher_layout(const prism_searcher_t *s) {
  const prism_tabucol_plan_t *t = &s->plan.tabucol;
  const prism_partialcol_plan_t *p = &s->plan.partialcol;
  uint64_t layout = prism_rng_derive((uint64_t)s->method << 1 | s->wide, (uint64_t)s->cell_bits);
  /* Which threads own which vertices, and the longest tenure; those of a ladder only share
   * the work. */
  const int32_t none[5] = {0};
  const int32_t wide[5] = {s->plan.wide.ring, s->plan.wide.cell_bytes};
  const int32_t tabucol[5] = {t->cluster, t->threads, t->words_per_thread, t->ring};
  const int32_t partialcol[5] = {p->cluster, p->threads, p->words_per_thread, p->ring,
                                 p->entries};
  const int32_t *number = s->wide                                ? wide
                          : s->method == PRISM_METHOD_TEMPERING  ? none
                          : s->method == PRISM_METHOD_PARTIALCOL ? partialcol
                                                                 : tabucol;
  for (int i = 0; i < 5; ++i) layout = prism_rng_derive(layout, (uint64_t)number[i]);
  return layout;
}

/* ---- memory ---- */

static int32_t at_once(const prism_searcher_t *searcher, int32_t members) {
  return members < searcher->resident ? members : searcher->resident;
}

size_t prism_searcher_learned_bytes(const prism_searcher_t *searcher,
                                    const prism_gpu_graph_t *graph, int32_t members) {
  if (searcher->method != PRISM_METHOD_WEIGHTED) return 0;
  size_t cells = searcher->wide ? prism_wide_cells(graph) : prism_weighted_cells(graph->n);
  return (size_t)members * cells * sizeof(uint16_t);
}

prism_status_t prism_searcher_teach(const prism_searcher_t *searcher,
                                    const prism_gpu_graph_t *graph, const int32_t *edge_weight,
                                    int32_t members, void *learned, cudaStream_t stream) {
  if (searcher->method != PRISM_METHOD_WEIGHTED) return PRISM_OK;
  if (searcher->wide) return prism_launch_wide_weigh(graph, edge_weight, members, learned, stream);
  return prism_launch_weigh(graph, edge_weight, members, learned, stream);
}

size_t prism_searcher_scratch_bytes(const prism_searcher_t *searcher, int32_t members) {
  if (!searcher->wide) return 0;
  return (size_t)at_once(searcher, members) * searcher->plan.wide.individual_bytes;
}

/* ---- launches ---- */

prism_status_t prism_searcher_scatter(const prism_searcher_t *searcher,
                                      const prism_gpu_graph_t *graph,
                                      const prism_gpu_pool_t *pool,
                                      const prism_convert_random_t *random, void *scratch,
                                      cudaStream_t stream) {
  if (!searcher->wide) return prism_launch_random(pool, NULL, pool->members, random, stream);
  return prism_launch_wide_start(&searcher->plan.wide, graph, pool, random, scratch,
                                 at_once(searcher, pool->members), stream);
}

static prism_status_t launch_wide(const prism_searcher_t *searcher, const prism_gpu_graph_t *graph,
                                  const prism_tabucol_job_t *job, void *learned, void *scratch,
                                  cudaStream_t stream) {
  prism_wide_job_t wide = {.start = job->start, .best = job->best, .last = job->last,
                           .weight = learned, .iterations = job->iterations,
                           .tenure_base = job->tenure_base, .tenure_slope = job->tenure_slope,
                           .seed = job->seed, .first_individual = job->first_individual,
                           .generation = job->generation, .stop = job->stop,
                           .solved = job->solved, .moves = job->moves, .hooks = job->hooks};
  return prism_launch_wide(&searcher->plan.wide, graph, &wide, scratch,
                           at_once(searcher, job->start.members), stream);
}

prism_status_t prism_searcher_launch(const prism_searcher_t *searcher,
                                     const prism_gpu_graph_t *graph,
                                     const prism_tabucol_job_t *job, void *learned, void *scratch,
                                     cudaStream_t stream) {
  if (searcher->wide) return launch_wide(searcher, graph, job, learned, scratch, stream);
  if (searcher->method == PRISM_METHOD_PARTIALCOL) {
    prism_partialcol_job_t partial = {.start = job->start, .best = job->best,
                                      .iterations = job->iterations, .reactive = true,
                                      .tenure_base = job->tenure_base,
                                      .tenure_slope = job->tenure_slope, .seed = job->seed,
                                      .first_individual = job->first_individual,
                                      .generation = job->generation, .stop = job->stop,
                                      .solved = job->solved, .outgrown = job->outgrown,
                                      .moves = job->moves, .hooks = job->hooks};
    return prism_launch_partialcol(&searcher->plan.partialcol, graph, &partial, stream);
  }
  if (searcher->method == PRISM_METHOD_WEIGHTED) {
    prism_weighted_job_t weighted = {.search = *job, .weight = learned};
    return prism_launch_weighted(&searcher->plan.tabucol, graph, &weighted, stream);
  }
  return prism_launch_tabucol(&searcher->plan.tabucol, graph, job, stream);
}
