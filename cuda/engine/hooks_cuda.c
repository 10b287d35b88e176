#include "engine/hooks_cuda.h"

#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "runtime/check.h"
#include "seam/hooks.h"

enum { FROZEN_SUM = 16000 }; /* weights around a vertex that PartialCol takes then */

/* ---- set ---- */

prism_status_t prism_hooks_cuda_check(const prism_graph_t *kernel, const prism_hooks_t *given) {
  if (given == NULL) return PRISM_OK;
  PRISM_TRY(prism_hooks_check(kernel, given));
  for (int32_t v = 0; v < kernel->n && given->frozen != NULL; ++v) {
    int64_t sum = 0;
    for (int64_t e = kernel->offset[v]; e < kernel->offset[v + 1]; ++e)
      sum += given->vertex_weight != NULL ? given->vertex_weight[kernel->neighbor[e]] : 1;
    if (sum > FROZEN_SUM)
      PRISM_FAIL(PRISM_UNSUPPORTED,
                 "beside frozen vertices the weights around vertex %d add up to more than %d", v,
                 FROZEN_SUM);
  }
  return PRISM_OK;
}

static void free_counters(prism_hooks_cuda_t *h) {
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) {
    prism_free(h->counter[i]);
    h->counter[i] = NULL;
  }
}

prism_status_t prism_hooks_cuda_set(prism_hooks_cuda_t *h, const prism_graph_t *kernel,
                                    const prism_hooks_t *given) {
  PRISM_TRY(prism_hooks_cuda_check(kernel, given));
  free_counters(h);
  h->given = given;
  for (int i = 0; i < PRISM_COUNTER_COUNT && given != NULL && given->counters; ++i)
    PRISM_TRY(PRISM_ALLOC_ZERO(kernel->n, &h->counter[i]));
  return PRISM_OK;
}

void prism_hooks_cuda_release(prism_hooks_cuda_t *h) {
  free_counters(h);
  *h = (prism_hooks_cuda_t){0};
}

/* ---- a view ---- */

/* The arrays of a view, one after the other in a host image and in the block alike. */
typedef struct image {
  char *bytes; /* NULL: only counted */
  char *base;  /* of the block */
  size_t used;
} image_t;

/* [in] from  NULL: the array is absent; [out] the device address, NULL likewise. */
static const void *add(image_t *image, const void *from, size_t bytes) {
  if (from == NULL) return NULL;
  if (image->bytes != NULL) memcpy(image->bytes + image->used, from, bytes);
  const char *at = image->base != NULL ? image->base + image->used : NULL;
  image->used += (bytes + 255) / 256 * 256;
  return at;
}

static uint32_t *add_counter(image_t *image, const uint32_t *wanted, size_t bytes) {
  if (wanted == NULL) return NULL;
  uint32_t *at = image->base != NULL ? (uint32_t *)(void *)(image->base + image->used) : NULL;
  image->used += (bytes + 255) / 256 * 256; /* zero: the image is made so */
  return at;
}

static void lay_out(prism_hooks_cuda_t *h, const prism_graph_t *g, const prism_hooks_t *mapped,
                    image_t *image) {
  const size_t n = (size_t)g->n, words = (size_t)prism_bitset_words(g->n);
  /* 64-bit words of a bitset are pairs of the kernels' 32-bit words: both little-endian. */
  h->device.score = add(image, mapped->score, n * sizeof *mapped->score);
  h->device.vertex_weight =
      add(image, mapped->vertex_weight, n * sizeof *mapped->vertex_weight);
  h->device.frozen = add(image, mapped->frozen, words * sizeof *mapped->frozen);
  h->edge_weight =
      add(image, mapped->edge_weight, 2 * (size_t)g->m * sizeof *mapped->edge_weight);
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i)
    h->device.counter[i] = add_counter(image, h->counter[i], n * sizeof **h->counter);
}

static prism_status_t upload(prism_hooks_cuda_t *h, prism_gpu_context_t *context,
                             const prism_graph_t *g, const prism_hooks_t *mapped,
                             cudaStream_t stream) {
  image_t image = {NULL, NULL, 0};
  lay_out(h, g, mapped, &image);
  if (image.used == 0) return PRISM_OK;
  const size_t bytes = image.used;
  PRISM_TRY(prism_gpu_take(context, bytes, stream, &h->block));
  image = (image_t){NULL, h->block, 0};
  PRISM_TRY(PRISM_ALLOC_ZERO(bytes, &image.bytes));
  lay_out(h, g, mapped, &image);
  cudaError_t error =
      cudaMemcpyAsync(h->block, image.bytes, bytes, cudaMemcpyHostToDevice, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  prism_free(image.bytes);
  PRISM_CUDA(error);
  return PRISM_OK;
}

prism_status_t prism_hooks_cuda_upload(prism_hooks_cuda_t *h, prism_gpu_context_t *context,
                                       const prism_graph_t *kernel, const prism_view_t *view,
                                       cudaStream_t stream) {
  if (h->given == NULL) return PRISM_OK;
  prism_hooks_t mapped;
  PRISM_TRY(prism_hooks_map(kernel, view, h->given, NULL, &mapped));
  prism_status_t status = upload(h, context, prism_view_graph(view), &mapped, stream);
  prism_hooks_unmap(&mapped);
  if (status != PRISM_OK) prism_hooks_cuda_drop(h, context, stream);
  return status;
}

void prism_hooks_cuda_drop(prism_hooks_cuda_t *h, prism_gpu_context_t *context,
                           cudaStream_t stream) {
  prism_gpu_release(context, h->block, stream);
  h->block = NULL;
  h->device = (prism_gpu_hooks_t){0};
  h->edge_weight = NULL;
}

prism_status_t prism_hooks_cuda_collect(prism_hooks_cuda_t *h, const prism_view_t *view,
                                        cudaStream_t stream) {
  if (h->device.counter[0] == NULL) return PRISM_OK;
  const int32_t n = prism_view_graph(view)->n, *map = prism_view_map(view);
  const size_t bytes = (size_t)n * sizeof(uint32_t);
  uint32_t *counted = NULL;
  PRISM_TRY(PRISM_ALLOC(n, &counted));
  cudaError_t error = cudaSuccess;
  for (int i = 0; i < PRISM_COUNTER_COUNT && error == cudaSuccess; ++i) {
    error = cudaMemcpyAsync(counted, h->device.counter[i], bytes, cudaMemcpyDeviceToHost, stream);
    if (error == cudaSuccess) error = cudaMemsetAsync(h->device.counter[i], 0, bytes, stream);
    if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
    for (int32_t v = 0; v < n && error == cudaSuccess; ++v) h->counter[i][map[v]] += counted[v];
  }
  prism_free(counted);
  PRISM_CUDA(error);
  return PRISM_OK;
}
