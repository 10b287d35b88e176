/* A section of a stream as a CUDA graph: recorded once, launched many times with the
 * cost of one launch. Recording it anew changes the arguments in place where the shape
 * is the same and builds a new one otherwise. (A "graph" here is CUDA's, never the one
 * to colour.) One thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_GRAPH_H
#define PRISM_CUDA_RUNTIME_GRAPH_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct prism_cuda_graph prism_cuda_graph_t;

/* Queues the section on `stream`, which is being captured: launches, asynchronous copies
 * and memsets, events across streams. No allocation, query or wait. */
typedef prism_status_t (*prism_capture_fn)(void *context, cudaStream_t stream);

prism_status_t prism_cuda_graph_create(prism_cuda_graph_t **out);

/* Record the section. On failure nothing is queued, the stream can be used again, and
 * the graph is as it was before. */
prism_status_t prism_cuda_graph_capture(prism_cuda_graph_t *graph, cudaStream_t stream,
                                        prism_capture_fn section, void *context);

/* Launch what was captured last. PRISM_INVALID before a capture. */
prism_status_t prism_cuda_graph_launch(prism_cuda_graph_t *graph, cudaStream_t stream);

bool prism_cuda_graph_ready(const prism_cuda_graph_t *graph); /* captured? */
int64_t prism_cuda_graph_builds(const prism_cuda_graph_t *graph);
int64_t prism_cuda_graph_updates(const prism_cuda_graph_t *graph);
size_t prism_cuda_graph_nodes(const prism_cuda_graph_t *graph);

/* Safe after a lost device. */
void prism_cuda_graph_destroy(prism_cuda_graph_t **graph);

#endif
