#include "kernels/weighted.h"

#include "kernels/tabucol_kernel.cuh"

using namespace tabucol;

enum { WEIGH_THREADS = 256 };
static const int64_t MOST_BLOCKS = 65535;

static kernel_t choose_kernel(const prism_tabucol_plan_t *plan, bool hooks) {
  return hooks ? kernel_of<CellU16, true, true>(plan) : kernel_of<CellU16, true, false>(plan);
}

/* A block for each row of an individual: zeros, then the edges. */
__global__ void weigh_kernel(prism_gpu_graph_t g, const int32_t *edge_weight, int64_t rows,
                             uint16_t *weight) {
  const int32_t pitch = weight_pitch(g.n);
  for (int64_t r = blockIdx.x; r < rows; r += gridDim.x) {
    uint16_t *row = weight + (size_t)r * (size_t)pitch;
    const int32_t v = (int32_t)(r % g.n);
    for (int32_t i = (int32_t)threadIdx.x; i < pitch / 2; i += (int32_t)blockDim.x)
      ((uint32_t *)row)[i] = 0;
    __syncthreads();
    for (int64_t e = g.offset[v] + threadIdx.x; e < g.offset[v + 1]; e += blockDim.x)
      row[g.neighbor[e]] = (uint16_t)(edge_weight != NULL ? edge_weight[e] : 1);
  }
}

__global__ void read_weights_kernel(prism_gpu_graph_t g, const uint16_t *weight,
                                    int32_t *edge_weight) {
  for (int32_t v = (int32_t)blockIdx.x; v < g.n; v += (int32_t)gridDim.x) {
    const uint16_t *row = weight + (size_t)v * (size_t)weight_pitch(g.n);
    for (int64_t e = g.offset[v] + threadIdx.x; e < g.offset[v + 1]; e += blockDim.x)
      edge_weight[e] = row[g.neighbor[e]];
  }
}

static unsigned blocks_for(int64_t rows) {
  return (unsigned)(rows < MOST_BLOCKS ? rows : MOST_BLOCKS);
}

extern "C" prism_status_t prism_launch_weigh(const prism_gpu_graph_t *graph,
                                             const int32_t *edge_weight, int32_t members,
                                             uint16_t *weight, cudaStream_t stream) {
  int64_t rows = (int64_t)members * graph->n;
  weigh_kernel<<<blocks_for(rows), WEIGH_THREADS, 0, stream>>>(*graph, edge_weight, rows, weight);
  PRISM_TRY(prism_cuda_launched("weigh_kernel"));
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_read_weights(const prism_gpu_graph_t *graph,
                                                    const uint16_t *weight, int32_t *edge_weight,
                                                    cudaStream_t stream) {
  read_weights_kernel<<<blocks_for(graph->n), WEIGH_THREADS, 0, stream>>>(*graph, weight,
                                                                          edge_weight);
  PRISM_TRY(prism_cuda_launched("read_weights_kernel"));
  return PRISM_OK;
}

extern "C" prism_status_t prism_weighted_plan(const prism_gpu_graph_t *graph, int32_t k,
                                              int32_t threads, int32_t words_per_thread,
                                              prism_tabucol_plan_t *out) {
  PRISM_TRY(plan_for(graph, k, threads, words_per_thread, 16, true, choose_kernel, out));
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_weighted(const prism_tabucol_plan_t *plan,
                                                const prism_gpu_graph_t *graph,
                                                const prism_weighted_job_t *job,
                                                cudaStream_t stream) {
  if (job->weight == NULL || job->search.last.color == NULL)
    PRISM_FAIL(PRISM_INVALID, "a weighted search needs its weights and a place to end");
  PRISM_TRY(launch(plan, graph, &job->search, job->weight, choose_kernel, stream));
  return PRISM_OK;
}
