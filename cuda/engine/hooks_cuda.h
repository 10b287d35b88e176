/* Hooks of a GPU island: kept in kernel numbering, on the device in that of the present
 * view. Vertex counters add up on the device while a view lasts, and here over the
 * views. One thread. */
#ifndef PRISM_CUDA_ENGINE_HOOKS_CUDA_H
#define PRISM_CUDA_ENGINE_HOOKS_CUDA_H

#include "engine/context.h"
#include "kernels/layout.h"
#include "model/reduce.h"
#include "seam/engine.h"

typedef struct prism_hooks_cuda {
  const prism_hooks_t *given;    /* kernel numbering, borrowed; NULL: none */
  uint32_t *counter[PRISM_COUNTER_COUNT]; /* [kernel n]; owned; NULL: not collected */
  void *block;                   /* device memory below; owned */
  prism_gpu_hooks_t device;      /* view numbering */
  const int32_t *edge_weight;    /* device [2 m of the view] */
} prism_hooks_cuda_t;

/* Take other hooks; nothing of the old ones may be on the device any more. What was set
 * stays on PRISM_INVALID (weights) and PRISM_UNSUPPORTED (too much for the kernels). */
prism_status_t prism_hooks_cuda_set(prism_hooks_cuda_t *hooks, const prism_graph_t *kernel,
                                    const prism_hooks_t *given);
void prism_hooks_cuda_release(prism_hooks_cuda_t *hooks);

/* Could they be set? The same statuses. O(n + m) */
prism_status_t prism_hooks_cuda_check(const prism_graph_t *kernel, const prism_hooks_t *given);

static inline bool prism_hooks_cuda_frozen(const prism_hooks_cuda_t *hooks) {
  return hooks->given != NULL && hooks->given->frozen != NULL;
}

/* What a view needs of them, on the device; waits. */
prism_status_t prism_hooks_cuda_upload(prism_hooks_cuda_t *hooks, prism_gpu_context_t *context,
                                       const prism_graph_t *kernel, const prism_view_t *view,
                                       cudaStream_t stream);
void prism_hooks_cuda_drop(prism_hooks_cuda_t *hooks, prism_gpu_context_t *context,
                           cudaStream_t stream);

/* Add what the device has counted since the last call; waits. */
prism_status_t prism_hooks_cuda_collect(prism_hooks_cuda_t *hooks, const prism_view_t *view,
                                        cudaStream_t stream);

#endif
