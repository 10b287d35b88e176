#include "engine/device_graph.h"

#include <string.h>

#include "runtime/check.h"

/* An array with nothing in it still has an address. */
static prism_status_t upload(const void *host, size_t bytes, const void **out) {
  void *device = NULL;
  PRISM_CUDA(cudaMalloc(&device, bytes > 0 ? bytes : 1));
  *out = device;
  PRISM_CUDA(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice));
  return PRISM_OK;
}

static prism_status_t upload_rows(const prism_graph_t *graph, prism_gpu_graph_t *out) {
  prism_bitrows_t *rows = NULL;
  PRISM_TRY(prism_bitrows_create(graph, &rows));
  out->words = 2 * rows->words; /* little-endian: bit u of a row is where both look for it */
  const void *row = NULL;
  prism_status_t status = upload(
      rows->row, (size_t)graph->n * (size_t)rows->words * sizeof *rows->row, &row);
  out->row = row;
  prism_bitrows_destroy(&rows);
  return status;
}

static prism_status_t upload_lists(const prism_graph_t *graph, prism_gpu_graph_t *out) {
  const void *offset = NULL, *neighbor = NULL;
  prism_status_t status =
      upload(graph->offset, ((size_t)graph->n + 1) * sizeof *graph->offset, &offset);
  out->offset = offset;
  if (status == PRISM_OK)
    status = upload(graph->neighbor, (size_t)out->arcs * sizeof *graph->neighbor, &neighbor);
  out->neighbor = neighbor;
  return status;
}

prism_status_t prism_device_graph_create(const prism_graph_t *graph, prism_gpu_graph_t *out) {
  prism_gpu_graph_t made = {.n = graph->n, .max_degree = prism_graph_max_degree(graph),
                            .arcs = graph->offset[graph->n]};
  prism_status_t status = upload_lists(graph, &made);
  if (status == PRISM_OK && graph->n <= PRISM_DEVICE_GRAPH_DENSE)
    status = upload_rows(graph, &made);
  if (status != PRISM_OK) {
    prism_device_graph_destroy(&made);
    return status;
  }
  *out = made;
  return PRISM_OK;
}

void prism_device_graph_destroy(prism_gpu_graph_t *graph) {
  prism_cuda_drop(cudaFree((void *)(uintptr_t)graph->row));
  prism_cuda_drop(cudaFree((void *)(uintptr_t)graph->offset));
  prism_cuda_drop(cudaFree((void *)(uintptr_t)graph->neighbor));
  memset(graph, 0, sizeof *graph);
}
