/* The CUDA engine: islands on one GPU, behind seam/engine.h. The library never links the
 * driver: on a machine without one, creating fails with a reason. */
#ifndef PRISM_CUDA_ENGINE_ENGINE_CUDA_H
#define PRISM_CUDA_ENGINE_ENGINE_CUDA_H

#include <stddef.h>

#include "base/params.h"
#include "seam/engine.h"

/* [in] setup  borrowed as long as the backend is used. Not collective. */
prism_engine_backend_t prism_cuda_backend(const prism_gpu_setup_t *setup);

#endif
