#include "engine/boxes.h"

#include <string.h>

#include "engine/population_demes.h"
#include "kernels/visitors.h"
#include "runtime/check.h"
#include "runtime/mem_pool.h"

static void close_box(prism_gpu_box_t *box, prism_gpu_context_t *context, cudaStream_t stream) {
  prism_gpu_release(context, box->device, stream);
  prism_pinned_free(box->host);
  memset(box, 0, sizeof *box);
}

void prism_gpu_boxes_release(prism_gpu_boxes_t *boxes, prism_gpu_context_t *context,
                             cudaStream_t stream) {
  close_box(&boxes->out, context, stream);
  close_box(&boxes->in, context, stream);
}

static prism_status_t open_box(prism_gpu_boxes_t *boxes, prism_gpu_box_t *box,
                               prism_gpu_context_t *context, int32_t n, int32_t rows,
                               prism_space_t space, cudaStream_t stream, prism_buffer_t *out) {
  boxes->row_bytes = prism_gpu_row_bytes(n);
  if (rows < 1) PRISM_FAIL(PRISM_INVALID, "%d rows are none to exchange", rows);
  const size_t bytes = (size_t)rows * boxes->row_bytes;
  if (box->rows < rows) close_box(box, context, stream);
  if (box->device == NULL) {
    PRISM_TRY(prism_gpu_take(context, bytes, stream, &box->device));
    box->rows = rows;
    PRISM_CUDA(cudaMemsetAsync(box->device, 0, bytes, stream)); /* no row holds a member */
    PRISM_CUDA(cudaStreamSynchronize(stream)); /* other streams use it from now on */
  }
  const bool host = space == PRISM_SPACE_HOST;
  if (host && box->host == NULL)
    PRISM_TRY(prism_pinned_alloc((size_t)box->rows * boxes->row_bytes, &box->host));
  *out = (prism_buffer_t){.data = host ? box->host : box->device, .space = space,
                          .element_bytes = boxes->row_bytes, .count = (size_t)rows,
                          .stream = host ? NULL : stream};
  return PRISM_OK;
}

/* Does this pool meet those of other ranks? */
static bool meets(const prism_population_t *population) {
  return population != NULL && population->mates && !prism_population_has_demes(population);
}

prism_status_t prism_gpu_boxes_fill(prism_gpu_boxes_t *boxes, prism_gpu_context_t *context,
                                    const prism_population_t *population, int32_t n,
                                    int32_t rows, prism_space_t space, cudaStream_t stream,
                                    prism_buffer_t *out) {
  PRISM_TRY(open_box(boxes, &boxes->out, context, n, rows, space, stream, out));
  const size_t bytes = (size_t)rows * boxes->row_bytes;
  const prism_gpu_outbox_t outbox = {boxes->out.device, boxes->row_bytes, rows};
  if (!meets(population))
    PRISM_CUDA(cudaMemsetAsync(outbox.row, 0, bytes, stream));
  else
    PRISM_TRY(prism_launch_send(population->control, &population->pool, population->tournament,
                                population->seed, population->individual,
                                (int32_t)population->progress.generations, &outbox, stream));
  if (space != PRISM_SPACE_HOST) return PRISM_OK;
  PRISM_CUDA(cudaMemcpyAsync(boxes->out.host, outbox.row, bytes, cudaMemcpyDeviceToHost, stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  return PRISM_OK;
}

prism_status_t prism_gpu_boxes_open(prism_gpu_boxes_t *boxes, prism_gpu_context_t *context,
                                    int32_t n, int32_t rows, prism_space_t space,
                                    cudaStream_t stream, prism_buffer_t *in) {
  PRISM_TRY(open_box(boxes, &boxes->in, context, n, rows, space, stream, in));
  return PRISM_OK;
}

prism_status_t prism_gpu_boxes_receive(prism_gpu_boxes_t *boxes, prism_population_t *population,
                                       const prism_buffer_t *in, int32_t own, int32_t own_rows,
                                       cudaStream_t stream, int32_t *visitors) {
  *visitors = 0;
  if (!meets(population)) return PRISM_OK;
  const prism_gpu_inbox_t inbox = {boxes->in.device, boxes->row_bytes, (int32_t)in->count, own,
                                   own_rows};
  if (in->space == PRISM_SPACE_HOST)
    PRISM_CUDA(cudaMemcpyAsync(boxes->in.device, in->data, in->count * in->element_bytes,
                               cudaMemcpyHostToDevice, stream));
  PRISM_TRY(prism_launch_receive(population->control, &population->pool, population->room,
                                 (int32_t)population->progress.generations, &inbox, stream));
  PRISM_CUDA(cudaMemcpyAsync(visitors, &population->control->visitors, sizeof *visitors,
                             cudaMemcpyDeviceToHost, stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  return PRISM_OK;
}
