/* Device data that the kernels share: the graph and populations of colourings.
 * Plain structs of device pointers, passed to kernels by value; whoever allocated
 * the memory owns it. Vertices and colours are 0-based. Seen by C and by CUDA. */
#ifndef PRISM_CUDA_KERNELS_LAYOUT_H
#define PRISM_CUDA_KERNELS_LAYOUT_H

#include <stdint.h>

/* A graph on the device: bit rows for dense ones, neighbour lists for all. */
typedef struct prism_gpu_graph {
  int32_t n;
  int32_t max_degree;
  int32_t words;           /* 32-bit words of a row, a multiple of 4 */
  const uint32_t *row;     /* [n][words] bit u of row v: they are adjacent; NULL: too large */
  const int64_t *offset;   /* [n + 1] */
  const int32_t *neighbor; /* [arcs], ascending within a vertex */
  int64_t arcs;            /* 2 m */
} prism_gpu_graph_t;

/* Complete colourings of one graph with k colours. */
typedef struct prism_gpu_pool {
  int32_t n, k;
  int32_t members;
  int32_t pitch;   /* cells between two colourings: n rounded up to a multiple of 64 */
  uint16_t *color; /* [members][pitch]; cells n..pitch-1 are never read */
  int32_t *f;      /* [members] conflicting edges */
} prism_gpu_pool_t;

/* Optional arguments of the searches; device memory, NULL: absent. */
typedef struct prism_gpu_hooks {
  const float *score;           /* [n] decides between equal moves; holds a vertex, up to twice */
  const int32_t *vertex_weight; /* [n] at least 1 */
  const uint32_t *frozen;       /* bits [n]: keep their colour */
  uint32_t *counter[3];         /* [n] added to: time in conflict, colour changes, tabu hits */
} prism_gpu_hooks_t;

static inline int32_t prism_gpu_pitch(int32_t n) { return (n + 63) / 64 * 64; }

#endif
