/* Edge weights of the wide search; see wide.h. The weights of an individual are an array of
 * arcs beside the neighbour lists, those of an edge the same in both directions; but an edge
 * to a frozen vertex becomes heavier only where its other end looks, and nobody else does. */
#ifndef PRISM_CUDA_KERNELS_WIDE_WEIGHTS_CUH
#define PRISM_CUDA_KERNELS_WIDE_WEIGHTS_CUH

#include "kernels/wide.cuh"

namespace wide {

/* The most that a weight may become: no sum around a vertex outgrows a cell. */
__device__ __forceinline__ uint32_t heaviest_weight(const prism_gpu_graph_t &g) {
  const uint32_t most = (Weighted::FORBID - 1u) / (uint32_t)max(g.max_degree, 1);
  return most < 0xFFFFu ? most : 0xFFFFu;
}

/* The weights of a member, halved towards 1 where one has come half-way to the most. Holds
 * barriers of the block. */
template <class Cell>
__device__ __forceinline__ void open_weights(Search<Cell> &s, const prism_gpu_graph_t &g,
                                             const prism_wide_job_t &job, int32_t member) {
  const int64_t arcs = g.arcs;
  const uint32_t most = heaviest_weight(g);
  bool heavy = false;
  s.weight = job.weight + (size_t)member * prism_wide_cells(&g);
  for (int64_t e = threadIdx.x; e < arcs; e += blockDim.x) heavy |= s.weight[e] > most / 2;
  if (__syncthreads_or(heavy) == 0) return;
  for (int64_t e = threadIdx.x; e < arcs; e += blockDim.x)
    s.weight[e] = (uint16_t)((s.weight[e] + 1u) / 2u);
}

/* Neighbours from which on all warps go through the list of a vertex together. */
enum { LONG_LIST = 1024 };

/* +1 on the weights of v's conflicting edges, in this thread's part of its list. Returns how
 * many there are in the warp's. */
template <class Cell>
__device__ __forceinline__ int32_t raise_part(const Search<Cell> &s, const prism_gpu_graph_t &g,
                                              int32_t v, int32_t first, int32_t step) {
  const uint32_t most = heaviest_weight(g);
  const int32_t c = s.color[v];
  const int64_t last = g.offset[v + 1];
  int32_t raised = 0;
  for (int64_t e = g.offset[v] + first; e < last; e += step) {
    const uint32_t weight = s.weight[e];
    if (s.color[g.neighbor[e]] != c || weight >= most) continue;
    s.weight[e] = (uint16_t)(weight + 1u);
    ++raised;
  }
  return __reduce_add_sync(ALL_LANES, raised);
}

/* +1 on the weight of every conflicting edge; a warp for each vertex, all of them for one with
 * a long list. Holds a barrier where there are such. */
template <class Cell>
__device__ __noinline__ void raise(Search<Cell> s, prism_gpu_graph_t g) {
  for (int32_t i = s.warp; i < s.top; i += (int32_t)(blockDim.x >> 5)) {
    const int32_t v = s.slots[i].vertex;
    if (v < 0) continue;
    if (g.offset[v + 1] - g.offset[v] > LONG_LIST) {
      if (s.lane == 0) s.again[atomicAdd(&s.books->lengthy, 1)] = i;
      continue;
    }
    const int32_t raised = raise_part(s, g, v, s.lane, 32);
    if (s.lane != 0) continue;
    s.slots[i].own += raised;
    row_of(s, v)[s.color[v]] += (typename Cell::type)raised;
  }
  if (g.max_degree <= LONG_LIST) return;
  __syncthreads();
  for (int32_t j = 0; j < s.books->lengthy; ++j) {
    const int32_t i = s.again[j], v = s.slots[i].vertex;
    const int32_t raised = raise_part(s, g, v, (int32_t)threadIdx.x, (int32_t)blockDim.x);
    if (s.lane != 0 || raised == 0) continue;
    atomicAdd(&s.slots[i].own, raised);
    Cell::bump(row_of(s, v), s.color[v], (uint32_t)raised);
  }
}

__global__ void wide_weigh_kernel(prism_gpu_graph_t g, const int32_t *edge_weight, size_t cells,
                                  size_t all, uint16_t *weight) {
  const uint32_t most = heaviest_weight(g);
  for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < all;
       i += (size_t)gridDim.x * blockDim.x) {
    const size_t e = i % cells;
    const bool given = edge_weight != NULL && e < (size_t)g.arcs;
    weight[i] = (uint16_t)(given ? min((uint32_t)edge_weight[e], most) : 1u);
  }
}

}  // namespace wide

#endif
