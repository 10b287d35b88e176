/* Making a GPU ready beside other work. What a process pays once before its first kernel
 * (the context, NVML, loading the kernels' code) takes longer than reading and bounding
 * most graphs, so it is done in a thread of its own meanwhile. The engine then finds it
 * done; without a warm-up, or after one that failed, it does all of it itself and says
 * what is wrong. */
#ifndef PRISM_CUDA_ENGINE_WARMUP_H
#define PRISM_CUDA_ENGINE_WARMUP_H

#include <stdatomic.h>

#include "base/params.h"
#include "base/status.h"

/* What stays open from a warm-up to the end of the process. */
typedef struct prism_gpu_warmth prism_gpu_warmth_t;

/* The steps: make the context, open NVML, let a tiny engine run a few generations.
 * Any thread, but none that destroys the same warmth.
 * [in]  gpu     device_id as the engine gets it
 * [in]  enough  true: leave out the steps that have not begun; read between them
 * [out] out     owned by the caller; NULL: not even the context could be made
 * The status of the step that failed; those before it stand. */
prism_status_t prism_gpu_warm_up(const prism_params_gpu_t *gpu, const atomic_bool *enough,
                                 prism_gpu_warmth_t **out);
/* After the last engine. */
void prism_gpu_warmth_destroy(prism_gpu_warmth_t **warmth);

#endif
