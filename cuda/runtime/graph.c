#include "runtime/graph.h"

#include "base/mem.h"
#include "runtime/check.h"

struct prism_cuda_graph {
  cudaGraphExec_t exec; /* NULL before the first capture */
  int64_t builds, updates;
  size_t nodes;
};

prism_status_t prism_cuda_graph_create(prism_cuda_graph_t **out) {
  return PRISM_ALLOC_ZERO(1, out);
}

/* [out] recorded  NULL on failure; the stream is out of capture in every case. */
static prism_status_t record(cudaStream_t stream, prism_capture_fn section, void *context,
                             cudaGraph_t *recorded) {
  /* Thread-local: calls that other threads make meanwhile do no harm. */
  PRISM_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  prism_status_t status = section(context, stream);
  cudaGraph_t graph = NULL;
  cudaError_t error = cudaStreamEndCapture(stream, &graph);
  if (status != PRISM_OK) { /* its error comes first */
    prism_cuda_drop(error);
    if (graph != NULL) prism_cuda_drop(cudaGraphDestroy(graph));
    return status;
  }
  if (error != cudaSuccess)
    return prism_cuda_fail(error, "cudaStreamEndCapture", __FILE__, __LINE__, __func__);
  if (graph == NULL) PRISM_FAIL(PRISM_DEVICE, "the capture of a stream gave nothing");
  *recorded = graph;
  return PRISM_OK;
}

/* Can the executable graph take the new arguments? */
static bool update(prism_cuda_graph_t *graph, cudaGraph_t recorded) {
  cudaGraphExecUpdateResultInfo info;
  if (graph->exec == NULL) return false;
  cudaError_t error = cudaGraphExecUpdate(graph->exec, recorded, &info);
  prism_cuda_drop(error); /* another shape is no failure: a new one is built */
  return error == cudaSuccess;
}

static prism_status_t build(prism_cuda_graph_t *graph, cudaGraph_t recorded) {
  cudaGraphExec_t fresh = NULL;
  PRISM_CUDA(cudaGraphInstantiate(&fresh, recorded, 0));
  if (graph->exec != NULL) prism_cuda_drop(cudaGraphExecDestroy(graph->exec));
  graph->exec = fresh;
  return PRISM_OK;
}

prism_status_t prism_cuda_graph_capture(prism_cuda_graph_t *graph, cudaStream_t stream,
                                        prism_capture_fn section, void *context) {
  cudaGraph_t recorded = NULL;
  size_t nodes = 0;
  PRISM_TRY(record(stream, section, context, &recorded));
  prism_status_t status = PRISM_OK;
  PRISM_CUDA_GOTO(status, cudaGraphGetNodes(recorded, NULL, &nodes), done);
  if (update(graph, recorded)) {
    ++graph->updates;
  } else {
    PRISM_TRY_GOTO(status, build(graph, recorded), done);
    ++graph->builds;
  }
  graph->nodes = nodes;

done:
  prism_cuda_drop(cudaGraphDestroy(recorded));
  return status;
}

prism_status_t prism_cuda_graph_launch(prism_cuda_graph_t *graph, cudaStream_t stream) {
  if (graph->exec == NULL) PRISM_FAIL(PRISM_INVALID, "a CUDA graph is launched before its capture");
  PRISM_CUDA(cudaGraphLaunch(graph->exec, stream));
  return PRISM_OK;
}

bool prism_cuda_graph_ready(const prism_cuda_graph_t *graph) { return graph->exec != NULL; }
int64_t prism_cuda_graph_builds(const prism_cuda_graph_t *graph) { return graph->builds; }
int64_t prism_cuda_graph_updates(const prism_cuda_graph_t *graph) { return graph->updates; }
size_t prism_cuda_graph_nodes(const prism_cuda_graph_t *graph) { return graph->nodes; }

void prism_cuda_graph_destroy(prism_cuda_graph_t **graph) {
  if (*graph == NULL) return;
  if ((*graph)->exec != NULL) prism_cuda_drop(cudaGraphExecDestroy((*graph)->exec));
  prism_free(*graph);
  *graph = NULL;
}
