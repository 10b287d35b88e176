#include "kernels/tabucol.h"

#include "kernels/tabucol_kernel.cuh"

using namespace tabucol;

static kernel_t choose_kernel(const prism_tabucol_plan_t *plan, bool hooks) {
  if (plan->cell_bits == 6)
    return hooks ? kernel_of<CellU6, false, true>(plan) : kernel_of<CellU6, false, false>(plan);
  if (plan->cell_bits == 8)
    return hooks ? kernel_of<CellU8, false, true>(plan) : kernel_of<CellU8, false, false>(plan);
  return hooks ? kernel_of<CellU16, false, true>(plan) : kernel_of<CellU16, false, false>(plan);
}

extern "C" prism_status_t prism_tabucol_plan(const prism_gpu_graph_t *graph, int32_t k,
                                             int32_t threads, int32_t words_per_thread,
                                             int32_t cell_bits, prism_tabucol_plan_t *out) {
  PRISM_TRY(plan_for(graph, k, threads, words_per_thread, cell_bits, false, choose_kernel, out));
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_tabucol(const prism_tabucol_plan_t *plan,
                                               const prism_gpu_graph_t *graph,
                                               const prism_tabucol_job_t *job,
                                               cudaStream_t stream) {
  PRISM_TRY(launch(plan, graph, job, NULL, choose_kernel, stream));
  return PRISM_OK;
}
