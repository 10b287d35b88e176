/* Where the time of an island goes, for those who ask with gpu.profile: the stages of a
 * generation of each method, what happens between generations, and the transfers. Without
 * the question all managers are NULL, and nothing is measured here. The island's thread. */
#ifndef PRISM_CUDA_ENGINE_METER_H
#define PRISM_CUDA_ENGINE_METER_H

#include "runtime/stage_manager.h"
#include "seam/phase.h"

/* Stages of a generation in their order; each method has some of them. X(NAME, name) */
#define PRISM_GPU_STAGE_LIST(X) \
  X(MIGRANT, "migrant")         \
  X(MATES, "mates")             \
  X(CROSSOVER, "crossover")     \
  X(SEARCH, "search")           \
  X(DISTANCE, "distance")       \
  X(UPDATE, "update")           \
  X(REPORT, "report")

typedef enum prism_gpu_stage {
#define PRISM_GPU_STAGE_ENUM(name, text) PRISM_GPU_STAGE_##name,
  PRISM_GPU_STAGE_LIST(PRISM_GPU_STAGE_ENUM)
#undef PRISM_GPU_STAGE_ENUM
  PRISM_GPU_STAGE_COUNT
} prism_gpu_stage_t;

/* Between generations, when k changes or a pool begins anew. */
typedef enum prism_gpu_change {
  PRISM_GPU_CHANGE_GRAPH,
  PRISM_GPU_CHANGE_POPULATION
} prism_gpu_change_t;

typedef struct prism_gpu_meter {
  prism_profiler_t *profiler; /* borrowed */
  prism_stage_manager_t *between;
  prism_stage_manager_t *generation[PRISM_METHOD_COUNT];
} prism_gpu_meter_t;

/* [in] profiler  borrowed until close; methods: PRISM_METHOD_BIT of those to be measured.
 * Close it also after a failure. */
prism_status_t prism_gpu_meter_open(prism_profiler_t *profiler, uint32_t methods,
                                    prism_gpu_meter_t *meter);
void prism_gpu_meter_close(prism_gpu_meter_t *meter);

/* Add what was measured by the profiler's last collect to `profile`. */
void prism_gpu_meter_read(const prism_gpu_meter_t *meter, prism_gpu_profile_t *profile);

#endif
