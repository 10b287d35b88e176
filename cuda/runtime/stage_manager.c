#include "runtime/stage_manager.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { OUTSIDE = -1 };

typedef struct stage {
  char name[PRISM_GPU_PART_BYTES];
  int32_t row; /* of the profiler */
  int64_t iterations;
} stage_t;

struct prism_stage_manager {
  stage_t stage[PRISM_STAGES_MAX];
  int32_t count;
  prism_profiler_t *profiler;
  int32_t inside; /* stage of the open span */
  int32_t next;   /* lowest stage that may be entered in this pass */
  int32_t span;
};

static prism_status_t name_stage(prism_stage_manager_t *made, int32_t at, const char *name) {
  stage_t *stage = &made->stage[at];
  if (name[0] == '\0' || strlen(name) >= sizeof stage->name)
    PRISM_FAIL(PRISM_INVALID, "\"%s\" is no name for a stage", name);
  snprintf(stage->name, sizeof stage->name, "%s", name);
  return prism_profiler_row(made->profiler, name, PRISM_PROFILE_PHASE, &stage->row);
}

prism_status_t prism_stage_manager_create(const char *const *names, int32_t count,
                                          prism_profiler_t *profiler,
                                          prism_stage_manager_t **out) {
  if (count < 1 || count > PRISM_STAGES_MAX)
    PRISM_FAIL(PRISM_INVALID, "%d stages; 1 to %d can be had", count, PRISM_STAGES_MAX);
  prism_stage_manager_t *made = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &made));
  made->count = count;
  made->profiler = profiler;
  made->inside = OUTSIDE;
  made->span = PRISM_SPAN_NONE;
  for (int32_t i = 0; i < count; ++i) {
    prism_status_t status = name_stage(made, i, names[i]);
    if (status == PRISM_OK) continue;
    prism_stage_manager_destroy(&made);
    return status;
  }
  *out = made;
  return PRISM_OK;
}

static prism_status_t leave(prism_stage_manager_t *stages, cudaStream_t stream) {
  if (stages->inside == OUTSIDE) return PRISM_OK;
  stages->inside = OUTSIDE;
  return prism_profiler_end(stages->profiler, stages->span, stream);
}

prism_status_t prism_stage_enter(prism_stage_manager_t *stages, int32_t stage,
                                 cudaStream_t stream) {
  if (stages == NULL) return PRISM_OK;
  if (stage < 0 || stage >= stages->count)
    PRISM_FAIL(PRISM_INVALID, "there is no stage %d", stage);
  if (stage < stages->next)
    PRISM_FAIL(PRISM_INVALID, "stage \"%s\" is entered too late in its pass",
               stages->stage[stage].name);
  PRISM_TRY(leave(stages, stream));
  PRISM_TRY(prism_profiler_begin(stages->profiler, stages->stage[stage].row, stream,
                                 &stages->span));
  stages->inside = stage;
  stages->next = stage + 1;
  return PRISM_OK;
}

void prism_stage_count(prism_stage_manager_t *stages, int32_t stage, int64_t iterations) {
  if (stages != NULL && stage >= 0 && stage < stages->count)
    stages->stage[stage].iterations += iterations;
}

prism_status_t prism_stage_finish(prism_stage_manager_t *stages, prism_status_t status,
                                  cudaStream_t stream) {
  if (stages == NULL) return status;
  stages->next = 0;
  if (status == PRISM_OK) return leave(stages, stream);
  if (stages->inside != OUTSIDE) prism_profiler_cancel(stages->profiler, stages->span);
  stages->inside = OUTSIDE;
  return status;
}

int32_t prism_stage_number(const prism_stage_manager_t *stages) {
  return stages == NULL ? 0 : stages->count;
}

void prism_stage_read(const prism_stage_manager_t *stages, int32_t stage, prism_gpu_part_t *out) {
  memset(out, 0, sizeof *out);
  if (stages == NULL || stage < 0 || stage >= stages->count) return;
  prism_profile_row_t row;
  prism_profiler_get(stages->profiler, stages->stage[stage].row, &row);
  snprintf(out->name, sizeof out->name, "%s", stages->stage[stage].name);
  out->time = row.duration;
  out->iterations = stages->stage[stage].iterations;
}

void prism_stage_manager_destroy(prism_stage_manager_t **stages) {
  if (*stages == NULL) return;
  if ((*stages)->inside != OUTSIDE) prism_profiler_cancel((*stages)->profiler, (*stages)->span);
  prism_free(*stages);
  *stages = NULL;
}
