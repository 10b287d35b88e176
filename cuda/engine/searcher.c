#include "engine/searcher.h"

prism_status_t prism_searcher_plan(const prism_gpu_graph_t *graph, prism_method_t method,
                                   int32_t k, bool hooked, int32_t cell_bits,
                                   prism_searcher_t *out) {
  prism_searcher_t s = {.method = method, .hooked = hooked};
  switch (method) {
    case PRISM_METHOD_TABUCOL:
    case PRISM_METHOD_POOL:
      PRISM_TRY(prism_tabucol_plan(graph, k, 0, 0, cell_bits, &s.plan.tabucol));
      break;
    case PRISM_METHOD_WEIGHTED:
      PRISM_TRY(prism_weighted_plan(graph, k, 0, 0, &s.plan.tabucol));
      break;
    case PRISM_METHOD_PARTIALCOL:
      PRISM_TRY(
          prism_partialcol_plan(graph, k, hooked, 0, 0, cell_bits / 8, &s.plan.partialcol));
      s.resident = s.plan.partialcol.resident;
      s.cell_bits = 8 * s.plan.partialcol.cell_bytes;
      *out = s;
      return PRISM_OK;
    case PRISM_METHOD_TEMPERING:
      PRISM_TRY(prism_tempering_plan(graph, k, 0, -1, &s.plan.tempering));
      s.resident = s.plan.tempering.resident;
      *out = s;
      return PRISM_OK;
    default:
      PRISM_FAIL(PRISM_UNSUPPORTED, "no device kernel for method %s", prism_method_name(method));
  }
  s.resident = s.plan.tabucol.resident;
  s.cell_bits = s.plan.tabucol.cell_bits;
  *out = s;
  return PRISM_OK;
}

size_t prism_searcher_learned_bytes(const prism_searcher_t *searcher, int32_t n,
                                    int32_t members) {
  if (searcher->method != PRISM_METHOD_WEIGHTED) return 0;
  return (size_t)members * prism_weighted_cells(n) * sizeof(uint16_t);
}

prism_status_t prism_searcher_teach(const prism_searcher_t *searcher,
                                    const prism_gpu_graph_t *graph, const int32_t *edge_weight,
                                    int32_t members, void *learned, cudaStream_t stream) {
  if (searcher->method != PRISM_METHOD_WEIGHTED) return PRISM_OK;
  return prism_launch_weigh(graph, edge_weight, members, learned, stream);
}

prism_status_t prism_searcher_launch(const prism_searcher_t *searcher,
                                     const prism_gpu_graph_t *graph,
                                     const prism_tabucol_job_t *job, void *learned,
                                     cudaStream_t stream) {
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
