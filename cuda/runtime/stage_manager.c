#include "runtime/stage_manager.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum { OUTSIDE = -1, MARKS = 11 };

static const double mark_seconds = 1.0;

typedef struct mark {
  double time;
  int64_t iterations;
} mark_t;

struct prism_stage_manager {
  char name[PRISM_STAGES_MAX][PRISM_PROFILE_NAME_BYTES];
  int32_t row[PRISM_STAGES_MAX];
  int32_t count;
  prism_profiler_t *profiler;
  int32_t inside; /* stage entered and not left */
  int32_t next;   /* lowest stage that may be entered */
  int32_t span;
  int64_t generations, iterations;
  double begun, finished; /* host clock: first stage entered, last generation ended */
  mark_t mark[MARKS];     /* the past ten seconds, oldest first */
  int32_t marks;
};

static prism_status_t name_stage(prism_stage_manager_t *made, int32_t stage, const char *name) {
  char row[PRISM_PROFILE_NAME_BYTES + 8];
  if (name[0] == '\0' || strlen(name) > PRISM_PROFILE_NAME_BYTES - 8)
    PRISM_FAIL(PRISM_INVALID, "\"%s\" is no name for a stage", name);
  snprintf(made->name[stage], sizeof made->name[stage], "%s", name);
  snprintf(row, sizeof row, "stage %s", name);
  return prism_profiler_row(made->profiler, row, PRISM_PROFILE_PHASE, &made->row[stage]);
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

prism_status_t prism_stage_enter(prism_stage_manager_t *stages, int32_t stage,
                                 cudaStream_t stream) {
  if (stage < 0 || stage >= stages->count)
    PRISM_FAIL(PRISM_INVALID, "there is no stage %d", stage);
  if (stages->inside != OUTSIDE)
    PRISM_FAIL(PRISM_INVALID, "stage %s is entered before %s was left", stages->name[stage],
               stages->name[stages->inside]);
  if (stage < stages->next)
    PRISM_FAIL(PRISM_INVALID, "stage %s is entered too late in its generation",
               stages->name[stage]);
  PRISM_TRY(prism_profiler_begin(stages->profiler, stages->row[stage], stream, &stages->span));
  if (stages->marks == 0) {
    stages->begun = prism_clock_now();
    stages->mark[stages->marks++] = (mark_t){stages->begun, 0};
  }
  stages->inside = stage;
  stages->next = stage + 1;
  return PRISM_OK;
}

prism_status_t prism_stage_leave(prism_stage_manager_t *stages, int32_t stage,
                                 cudaStream_t stream) {
  if (stage < 0 || stages->inside != stage)
    PRISM_FAIL(PRISM_INVALID, "stage %d is left without being entered", stage);
  stages->inside = OUTSIDE;
  return prism_profiler_end(stages->profiler, stages->span, stream);
}

prism_status_t prism_stage_finish(prism_stage_manager_t *stages, int64_t iterations) {
  if (stages->inside != OUTSIDE)
    PRISM_FAIL(PRISM_INVALID, "the generation ends inside stage %s", stages->name[stages->inside]);
  stages->next = 0;
  ++stages->generations;
  stages->iterations += iterations;
  if (stages->marks == 0) return PRISM_OK; /* no stage was entered yet: no time either */
  stages->finished = prism_clock_now();
  if (stages->finished - stages->mark[stages->marks - 1].time < mark_seconds) return PRISM_OK;
  if (stages->marks == MARKS) {
    memmove(stages->mark, stages->mark + 1, (MARKS - 1) * sizeof *stages->mark);
    --stages->marks;
  }
  stages->mark[stages->marks++] = (mark_t){stages->finished, stages->iterations};
  return PRISM_OK;
}

const char *prism_stage_name(const prism_stage_manager_t *stages, int32_t stage) {
  return stage < 0 || stage >= stages->count ? "" : stages->name[stage];
}

void prism_stage_duration(const prism_stage_manager_t *stages, int32_t stage,
                          prism_duration_t *out) {
  *out = (prism_duration_t){0};
  if (stages->profiler == NULL || stage < 0 || stage >= stages->count) return;
  prism_profile_row_t row;
  prism_profiler_get(stages->profiler, stages->row[stage], &row);
  *out = row.duration;
}

int64_t prism_stage_generations(const prism_stage_manager_t *stages) {
  return stages->generations;
}

int64_t prism_stage_iterations(const prism_stage_manager_t *stages) { return stages->iterations; }

static double rate_since(const prism_stage_manager_t *stages, mark_t mark) {
  double seconds = stages->finished - mark.time;
  return seconds > 0 ? (double)(stages->iterations - mark.iterations) / seconds : 0;
}

double prism_stage_rate(const prism_stage_manager_t *stages) {
  return rate_since(stages, (mark_t){stages->begun, 0});
}

double prism_stage_recent_rate(const prism_stage_manager_t *stages) {
  /* The newest mark may be the very end of the last generation. */
  return stages->marks == 0 ? 0 : rate_since(stages, stages->mark[0]);
}

void prism_stage_manager_destroy(prism_stage_manager_t **stages) {
  if (*stages == NULL) return;
  if ((*stages)->inside != OUTSIDE) prism_profiler_cancel((*stages)->profiler, (*stages)->span);
  prism_free(*stages);
  *stages = NULL;
}
