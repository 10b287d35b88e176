/* The CUDA engine: islands on one GPU, behind seam/engine.h. The library never links the
 * driver: on a machine without one, probing and creating fail with a reason. */
#ifndef PRISM_CUDA_ENGINE_ENGINE_CUDA_H
#define PRISM_CUDA_ENGINE_ENGINE_CUDA_H

#include <stddef.h>

#include "base/params.h"
#include "seam/engine.h"

/* [in] setup  borrowed as long as the backend is used. Not collective. */
prism_engine_backend_t prism_cuda_backend(const prism_gpu_setup_t *setup);

/* Is there a GPU for this rank? Makes no context.
 * [in]  gpu         device_id: that device; -1: the one of local_rank
 * [in]  local_rank  place of the rank on its node
 * [out] text        what it is ("NVIDIA H100 80GB HBM3, ..."), or why there is none
 * PRISM_DEVICE: none. */
prism_status_t prism_cuda_probe(const prism_params_gpu_t *gpu, int32_t local_rank, char *text,
                                size_t size);

#endif
