/* The ordered stages of work that is done again and again, such as a generation: what
 * each takes on the device, and the iterations made in it.
 *
 * A pass enters its stages in their order; entering one leaves the one before it. Going
 * back within a pass is an error of the caller. Times come through the profiler, one row
 * a stage, and are those between two events on the stream: on a stream that has nothing
 * else to do, work of the host in between counts too. A NULL manager is allowed
 * everywhere and measures nothing. Never inside a capture. One thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_STAGE_MANAGER_H
#define PRISM_CUDA_RUNTIME_STAGE_MANAGER_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/profiler.h"
#include "seam/gpu_profile.h"

typedef struct prism_stage_manager prism_stage_manager_t;

enum { PRISM_STAGES_MAX = 16 };

/* [in] names [count] of profiler rows, shorter than PRISM_GPU_PART_BYTES, copied; count
 * 1..PRISM_STAGES_MAX; profiler borrowed, NULL: only the order is watched. */
prism_status_t prism_stage_manager_create(const char *const *names, int32_t count,
                                          prism_profiler_t *profiler, prism_stage_manager_t **out);

/* Stages may be left out. PRISM_INVALID: this one or a later one was entered in this pass. */
prism_status_t prism_stage_enter(prism_stage_manager_t *stages, int32_t stage, cudaStream_t stream);

/* Iterations made in a stage, whenever the host hears of them. */
void prism_stage_count(prism_stage_manager_t *stages, int32_t stage, int64_t iterations);

/* The pass ends, whose work came to `status`: after a failure the stage it was in is not
 * counted. Returns that failure, or one of its own. */
prism_status_t prism_stage_finish(prism_stage_manager_t *stages, prism_status_t status,
                                  cudaStream_t stream);

int32_t prism_stage_number(const prism_stage_manager_t *stages); /* of stages */
/* As of the profiler's last collect. */
void prism_stage_read(const prism_stage_manager_t *stages, int32_t stage, prism_gpu_part_t *out);

void prism_stage_manager_destroy(prism_stage_manager_t **stages);

#endif
