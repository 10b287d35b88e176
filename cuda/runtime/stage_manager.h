/* The ordered stages of a generation: time of each from the device's clock, and the
 * rate of the whole. Entering a stage out of order is an error of the caller. Times come
 * through the profiler, one row "stage NAME" each. One thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_STAGE_MANAGER_H
#define PRISM_CUDA_RUNTIME_STAGE_MANAGER_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/profiler.h"

typedef struct prism_stage_manager prism_stage_manager_t;

enum { PRISM_STAGES_MAX = 16 };

/* [in] names [count] copied, count 1..PRISM_STAGES_MAX; profiler borrowed, may be NULL. */
prism_status_t prism_stage_manager_create(const char *const *names, int32_t count,
                                          prism_profiler_t *profiler, prism_stage_manager_t **out);

/* Stages may be left out but never go back within a generation, and one is left before
 * the next is entered. PRISM_INVALID otherwise. */
prism_status_t prism_stage_enter(prism_stage_manager_t *stages, int32_t stage, cudaStream_t stream);
prism_status_t prism_stage_leave(prism_stage_manager_t *stages, int32_t stage, cudaStream_t stream);

/* End of a generation that made so many search iterations. PRISM_INVALID inside a stage. */
prism_status_t prism_stage_finish(prism_stage_manager_t *stages, int64_t iterations);

const char *prism_stage_name(const prism_stage_manager_t *stages, int32_t stage);
/* As of the profiler's last collect; zeros without a profiler. */
void prism_stage_duration(const prism_stage_manager_t *stages, int32_t stage,
                          prism_duration_t *out);
int64_t prism_stage_generations(const prism_stage_manager_t *stages);
int64_t prism_stage_iterations(const prism_stage_manager_t *stages);

/* Iterations per second of the host's clock: since the first stage was entered, and
 * over about the last ten seconds. 0 before the first generation ended. */
double prism_stage_rate(const prism_stage_manager_t *stages);
double prism_stage_recent_rate(const prism_stage_manager_t *stages);

void prism_stage_manager_destroy(prism_stage_manager_t **stages);

#endif
