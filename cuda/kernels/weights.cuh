/* Edge weights on the device, for the weighted form of TabuCol; see weighted.h.
 *
 * The weights of an individual lie in global memory as a matrix, row v with the weights
 * of v's edges in the order of the gamma table: a word of a row is what a move of v adds
 * to a word of gamma. Whoever owns a word of gamma owns that word in all rows, and alone
 * writes it. */
#ifndef PRISM_CUDA_KERNELS_WEIGHTS_CUH
#define PRISM_CUDA_KERNELS_WEIGHTS_CUH

#include "kernels/hosting.cuh"

namespace tabucol {

using namespace hosting;

struct Weights {
  uint16_t *cell;     /* [n][pitch] those of this block's first vertex on; 0: not adjacent */
  int32_t pitch;
  uint4 *member;      /* [k][span] bit v: color[v] = c; all vertices, in every block */
  int32_t span;       /* odd: the rows of two classes start in different banks */
  uint16_t *sum;      /* [vertices of this block] weight of their edges, bounds their counts */
  uint32_t limit;     /* of a sum: then the weights are halved */
};

/* No sum grows by more than a degree before the weights are halved, and halving brings
 * it below the limit where the degree is at most MAX_DEGREE. */
static const int32_t LARGEST_SUM = 32767, USUAL_LIMIT = 32000, MAX_DEGREE = 10000;

__host__ __device__ __forceinline__ int32_t weight_pitch(int32_t n) { return (n + 63) / 64 * 64; }

/* The row of v, as gamma's words. */
__device__ __forceinline__ uint32_t *weight_row(const Weights &weights, int32_t v) {
  return (uint32_t *)(weights.cell + (size_t)v * (size_t)weights.pitch);
}

/* Put all vertices into their classes. Ends with a barrier of the block. */
__device__ __forceinline__ void enroll(const Weights &weights, int32_t n, int32_t k,
                                       const uint16_t *color) {
  uint32_t *bits = (uint32_t *)weights.member;
  const int32_t words = 4 * weights.span;
  for (int32_t i = (int32_t)threadIdx.x; i < k * words; i += (int32_t)blockDim.x) bits[i] = 0;
  __syncthreads();
  for (int32_t v = (int32_t)threadIdx.x; v < n; v += (int32_t)blockDim.x)
    atomicOr(&bits[(int32_t)color[v] * words + (v >> 5)], 1u << (v & 31));
  __syncthreads();
}

/* One thread tells the classes of a move. */
__device__ __forceinline__ void reenroll(const Weights &weights, const Move &move) {
  uint32_t *bits = (uint32_t *)weights.member + (move.vertex >> 5), bit = 1u << (move.vertex & 31);
  bits[move.from * 4 * weights.span] &= ~bit;
  bits[move.to * 4 * weights.span] |= bit;
}

/* The t-th 128 neighbours of v (of all vertices) that have colour c. */
__device__ __forceinline__ uint4 classmates(const Weights &weights, const prism_gpu_graph_t &g,
                                            int32_t v, int32_t c, int32_t t) {
  uint4 near = __ldg((const uint4 *)(g.row + (size_t)v * (size_t)g.words) + t);
  uint4 same = weights.member[c * weights.span + t];
  return make_uint4(near.x & same.x, near.y & same.y, near.z & same.z, near.w & same.w);
}

__device__ __forceinline__ uint32_t part(const uint4 &four, int i) {
  return i == 0 ? four.x : i == 1 ? four.y : i == 2 ? four.z : four.w;
}

/* This thread's part of twice the number of conflicting edges. */
template <class Cell, int V>
__device__ __forceinline__ int32_t count_conflicts(const Search<Cell> &s, const Weights &weights,
                                                   const prism_gpu_graph_t &g) {
  int32_t conflicts = 0;
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int32_t u = w * Cell::PER_WORD; u < (w + 1) * Cell::PER_WORD; ++u) {
      if (s.first + u >= g.n) break;
      for (int32_t t = 0; t * 128 < g.n; ++t) {
        uint4 mates = classmates(weights, g, s.first + u, s.color[u], t);
        conflicts += __popc(mates.x) + __popc(mates.y) + __popc(mates.z) + __popc(mates.w);
      }
    }
  }
  return conflicts;
}

/* +1 on the weights of u's conflicting edges, u counted from this block's first vertex and
 * with `own` weight in its own class; in its own column only, the other end does the same.
 * [in] fixed: bits of vertices, edges to them are left out; or NULL. Returns how many. */
__device__ __forceinline__ uint32_t raise_edges(const Weights &weights, const prism_gpu_graph_t &g,
                                                int32_t first, int32_t u, int32_t c, int32_t own,
                                                const uint32_t *fixed) {
  uint32_t raised = 0;
  for (int32_t t = 0; own > 0; ++t) {
    const uint4 mates = classmates(weights, g, first + u, c, t);
    if ((mates.x | mates.y | mates.z | mates.w) == 0) continue;
    for (int i = 0; i < 4; ++i)
      for (uint32_t bits = part(mates, i); bits != 0; bits &= bits - 1) {
        int32_t v = t * 128 + i * 32 + __ffs((int)bits) - 1;
        uint16_t *cell = weights.cell + ((size_t)v * (size_t)weights.pitch + (size_t)u);
        uint16_t weight = *cell;
        own -= weight;
        if (fixed != NULL && bit_of(fixed, v)) continue;
        *cell = (uint16_t)(weight + 1);
        ++raised;
      }
  }
  return raised;
}

/* +1 on the weight of every conflicting edge, in this thread's columns. [in] frozen: bits
 * of vertices, or NULL: edges between two of them stay as they are. Returns whether a
 * vertex has come to its limit. */
template <class Cell, int V>
__device__ __forceinline__ bool raise(Search<Cell> &s, Weights &weights,
                                      const prism_gpu_graph_t &g, const uint32_t *frozen) {
  uint32_t todo = 0; /* cells of vertices in conflict: those past the last vertex never are */
#pragma unroll
  for (int i = 0; i < V; ++i) {
    int32_t w;
    if (!word_of<Cell, V>(s, i, &w)) continue;
    for (int j = 0; j < Cell::PER_WORD; ++j) {
      const int32_t u = w * Cell::PER_WORD + j;
      uint32_t own = Column<Cell>(s.gamma, s.stride, u).get(s.color[u]) & (Cell::FORBID - 1u);
      todo |= (uint32_t)(own != 0) << (i * Cell::PER_WORD + j);
    }
  }
  bool full = false;
  for (; todo != 0; todo &= todo - 1) {
    const int32_t at = __ffs((int)todo) - 1, i = at / Cell::PER_WORD;
    const int32_t w = (s.warp * V + i) * 32 + s.lane;
    const int32_t u = w * Cell::PER_WORD + at % Cell::PER_WORD, c = s.color[u], v = s.first + u;
    const Column<Cell> column(s.gamma, s.stride, u);
    const int32_t own = (int32_t)(column.get(c) & (Cell::FORBID - 1u));
    bool fixed = frozen != NULL && bit_of(frozen, v);
    uint32_t raised = raise_edges(weights, g, s.first, u, c, own, fixed ? frozen : NULL);
    column.put(c, column.get(c) + raised);
    raised += weights.sum[u];
    weights.sum[u] = (uint16_t)raised;
    full |= raised > weights.limit;
  }
  return full;
}

/* Half of what the two weights of a word have above 1, rounded down, and the 1. */
__device__ __forceinline__ uint32_t halved(uint32_t word) {
  return (word + 0x00010001u) >> 1 & 0x7FFF7FFFu;
}

/* Conflicting edges that this word of v's neighbours gains when v goes from a to b. [in]
 * weight: of its edges to them; colors: theirs. */
__device__ __forceinline__ int32_t edges_gained(uint32_t weight, uint32_t colors, int32_t a,
                                                int32_t b) {
  uint32_t near = CellU16::FORBIDS & ~zero_cells<CellU16>(weight);
  uint32_t left = zero_cells<CellU16>(colors ^ (uint32_t)a * CellU16::ONES);
  uint32_t joined = zero_cells<CellU16>(colors ^ (uint32_t)b * CellU16::ONES);
  return __popc(joined & near) - __popc(left & near);
}

}  // namespace tabucol

#endif
