/* A graph's copy on the device: neighbour lists, and bit rows where it is not too
 * large for them. Immutable; kernels of any stream may read it. */
#ifndef PRISM_CUDA_ENGINE_DEVICE_GRAPH_H
#define PRISM_CUDA_ENGINE_DEVICE_GRAPH_H

#include "kernels/layout.h"
#include "model/graph.h"

enum { PRISM_DEVICE_GRAPH_DENSE = 65535 }; /* most vertices that get bit rows */

/* Upload to the current device; returns when the copy is complete.
 * [out] out  device pointers, owned; all zero on failure. PRISM_MEMORY. */
prism_status_t prism_device_graph_create(const prism_graph_t *graph, prism_gpu_graph_t *out);
void prism_device_graph_destroy(prism_gpu_graph_t *graph);

#endif
