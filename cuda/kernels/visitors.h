/* Members of pools on other ranks: what a pool sends, and what it does with what arrives.
 *
 * One population over all ranks: each pool sends some members now and then, and mates are
 * drawn from those of the others as from its own. Visitors are never searched or replaced
 * by children; the next ones replace them. Rows are the same on every rank: a head and the
 * colours in the numbering of the graph at that k, which the same k makes the same. */
#ifndef PRISM_CUDA_KERNELS_VISITORS_H
#define PRISM_CUDA_KERNELS_VISITORS_H

#include <cuda_runtime_api.h>

#include "base/status.h"
#include "kernels/generation.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Head of a row; a multiple of 16 bytes. */
typedef struct prism_gpu_row_head {
  int32_t k; /* 0: the row holds no member */
  int32_t n; /* colours in the row */
  int32_t f;
  int32_t age; /* generations since its pool began anew */
} prism_gpu_row_head_t;

/* Bytes of a row for graphs of up to n vertices, the same on every rank. */
static inline size_t prism_gpu_row_bytes(int32_t n) {
  return sizeof(prism_gpu_row_head_t) + (size_t)prism_gpu_pitch(n) * sizeof(uint16_t);
}

typedef struct prism_gpu_outbox {
  void *row;         /* device [rows][row_bytes], 16-byte aligned */
  size_t row_bytes;
  int32_t rows;
} prism_gpu_outbox_t;

typedef struct prism_gpu_inbox {
  const void *row;   /* device [rows][row_bytes] of all ranks, 16-byte aligned */
  size_t row_bytes;
  int32_t rows;
  int32_t own, own_rows; /* first row of this rank, and how many: they stay out */
} prism_gpu_inbox_t;

/* Fill the outbox, each row with the best of `tournament` members drawn at random.
 * [in] control  its generation is part of the draw; age: of the pool */
prism_status_t prism_launch_send(const prism_gpu_control_t *control, const prism_gpu_pool_t *pool,
                                 int32_t tournament, uint64_t seed, uint32_t individual,
                                 int32_t age, const prism_gpu_outbox_t *outbox,
                                 cudaStream_t stream);

/* Rows with the pool's k and n, from pools not much older or younger, become its visitors:
 * rows pool->members .. of its arrays, which have room for `room` more; control->visitors
 * says how many came. Those that do not fit stay out. */
prism_status_t prism_launch_receive(prism_gpu_control_t *control, const prism_gpu_pool_t *pool,
                                    int32_t room, int32_t age, const prism_gpu_inbox_t *inbox,
                                    cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
