#include "engine/meter.h"

#include <stdio.h>

#include "seam/engine.h"

static const char *const stage_name[PRISM_GPU_STAGE_COUNT] = {
#define STAGE_NAME(name, text) text,
    PRISM_GPU_STAGE_LIST(STAGE_NAME)
#undef STAGE_NAME
};

static const char *const change_name[] = {"graph upload", "new population"};

static prism_status_t open_generation(prism_gpu_meter_t *meter, int method) {
  char text[PRISM_GPU_STAGE_COUNT][PRISM_GPU_PART_BYTES];
  const char *name[PRISM_GPU_STAGE_COUNT];
  for (int i = 0; i < PRISM_GPU_STAGE_COUNT; ++i) {
    snprintf(text[i], sizeof text[i], "%s %s", prism_method_name((prism_method_t)method),
             stage_name[i]);
    name[i] = text[i];
  }
  return prism_stage_manager_create(name, PRISM_GPU_STAGE_COUNT, meter->profiler,
                                    &meter->generation[method]);
}

prism_status_t prism_gpu_meter_open(prism_profiler_t *profiler, uint32_t methods,
                                    prism_gpu_meter_t *meter) {
  *meter = (prism_gpu_meter_t){.profiler = profiler};
  PRISM_TRY(prism_stage_manager_create(change_name, 2, profiler, &meter->between));
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    if ((methods & PRISM_METHOD_BIT(m)) != 0) PRISM_TRY(open_generation(meter, m));
  return PRISM_OK;
}

void prism_gpu_meter_close(prism_gpu_meter_t *meter) {
  prism_stage_manager_destroy(&meter->between);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    prism_stage_manager_destroy(&meter->generation[m]);
}

static void add_stages(const prism_stage_manager_t *stages, prism_gpu_profile_t *profile) {
  for (int32_t i = 0; i < prism_stage_number(stages); ++i) {
    prism_gpu_part_t part;
    prism_stage_read(stages, i, &part);
    prism_gpu_profile_add(profile, &part);
  }
}

/* Kernels are left out: the coordinator knows a generation as a whole, whose stages have
 * been added. */
static void add_transfers(const prism_profiler_t *profiler, prism_gpu_profile_t *profile) {
  for (int32_t i = 0; i < prism_profiler_rows(profiler); ++i) {
    prism_profile_row_t row;
    prism_profiler_get(profiler, i, &row);
    if (row.kind != PRISM_PROFILE_TRANSFER) continue;
    prism_gpu_part_t part = {.time = row.duration};
    snprintf(part.name, sizeof part.name, "%s", row.name);
    prism_gpu_profile_add(profile, &part);
  }
}

void prism_gpu_meter_read(const prism_gpu_meter_t *meter, prism_gpu_profile_t *profile) {
  add_stages(meter->between, profile);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) add_stages(meter->generation[m], profile);
  add_transfers(meter->profiler, profile);
}
