/* What an island sends to the pools of other ranks, and what arrives from them: rows as in
 * kernels/visitors.h, in device memory or, where a communicator cannot reach that, in pinned
 * host memory. One thread, while the island is idle. */
#ifndef PRISM_CUDA_ENGINE_BOXES_H
#define PRISM_CUDA_ENGINE_BOXES_H

#include "engine/population.h"
#include "seam/bulk.h"

typedef struct prism_gpu_box {
  void *device, *host; /* owned; host: NULL unless asked for */
  int32_t rows;        /* that fit */
} prism_gpu_box_t;

typedef struct prism_gpu_boxes {
  size_t row_bytes;
  prism_gpu_box_t out, in;
} prism_gpu_boxes_t;

void prism_gpu_boxes_release(prism_gpu_boxes_t *boxes, prism_gpu_context_t *context,
                             cudaStream_t stream);

/* Fill the outbox with `rows` members, drawn as mates are; empty rows if the population is
 * NULL or no pool. With PRISM_SPACE_HOST waits for the copy. [in] n: of the kernel graph, the
 * same on all ranks. [out] out: valid until the next call */
prism_status_t prism_gpu_boxes_fill(prism_gpu_boxes_t *boxes, prism_gpu_context_t *context,
                                    const prism_population_t *population, int32_t n,
                                    int32_t rows, prism_space_t space, cudaStream_t stream,
                                    prism_buffer_t *out);

/* Room for `rows` rows that arrive. [out] in: valid until the next call */
prism_status_t prism_gpu_boxes_open(prism_gpu_boxes_t *boxes, prism_gpu_context_t *context,
                                    int32_t n, int32_t rows, prism_space_t space,
                                    cudaStream_t stream, prism_buffer_t *in);

/* Rows own .. own + own_rows - 1 of those in `in` are this rank's; of the others, those that fit
 * the pool become its visitors instead of the last ones. Waits. [out] visitors */
prism_status_t prism_gpu_boxes_receive(prism_gpu_boxes_t *boxes, prism_population_t *population,
                                       const prism_buffer_t *in, int32_t own, int32_t own_rows,
                                       cudaStream_t stream, int32_t *visitors);

#endif
