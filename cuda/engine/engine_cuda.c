#include "engine/engine_cuda.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/island_cuda.h"
#include "runtime/alert.h"
#include "runtime/check.h"
#include "seam/desk.h"

/* The GPU's health is read once a second; whoever asks more often gets the last values. A
 * reading may take the driver milliseconds. */
static const double watch_seconds = 0.9;

typedef struct cuda_engine {
  prism_gpu_context_t context;
  char detail[256];
  double start;     /* seconds that making it took */
  double watched;   /* time of the last look; 0: none yet */
  prism_nvml_sample_t sample;
  prism_alerts_t alerts;
  int32_t islands; /* that were initialised */
  prism_gpu_island_t *island;
} cuda_engine_t;

/* ---- an island behind the desk ---- */

static const uint32_t memetic =
    PRISM_METHOD_BIT(PRISM_METHOD_TABUCOL) | PRISM_METHOD_BIT(PRISM_METHOD_PARTIALCOL) |
    PRISM_METHOD_BIT(PRISM_METHOD_WEIGHTED) | PRISM_METHOD_BIT(PRISM_METHOD_POOL);
static const uint32_t tempering = PRISM_METHOD_BIT(PRISM_METHOD_TEMPERING);

static void cuda_describe(const void *island, prism_island_info_t *out) {
  const prism_gpu_island_t *self = island;
  *out = (prism_island_info_t){.methods = self->methods, .mode = "gpu",
                               .stream = self->stream_index,
                               .pools = (self->methods & PRISM_METHOD_BIT(PRISM_METHOD_POOL)) != 0,
                               .device = self->context->device.name};
}

static prism_status_t cuda_work(void *island, const prism_work_t *work, const atomic_bool *stop,
                                prism_summary_t *summary) {
  return prism_gpu_island_work(island, work, stop, summary);
}

static prism_status_t cuda_export(void *island, int32_t which, uint32_t draw, int32_t *color,
                                  int32_t *k, int64_t *f) {
  return prism_gpu_island_export(island, which, draw, color, k, f);
}

static prism_status_t cuda_import(void *island, const int32_t *color, int32_t k, bool seed,
                                  prism_import_result_t *result) {
  return prism_gpu_island_import(island, color, k, seed, result);
}

static prism_status_t cuda_save(void *island, prism_island_state_t *state) {
  return prism_gpu_island_save(island, state);
}

static prism_status_t cuda_restore(void *island, const prism_island_state_t *state, bool *exact) {
  return prism_gpu_island_restore(island, state, exact);
}

static prism_status_t cuda_hooks(void *island, const prism_hooks_t *hooks) {
  return prism_gpu_island_hooks(island, hooks);
}

static prism_status_t cuda_counters(void *island, prism_counter_t which, uint32_t *values) {
  return prism_gpu_island_counters(island, which, values);
}

static prism_status_t cuda_outbox(void *island, int32_t rows, prism_space_t space,
                                  prism_buffer_t *out) {
  return prism_gpu_island_outbox(island, rows, space, out);
}

static prism_status_t cuda_inbox(void *island, int32_t rows, prism_space_t space,
                                 prism_buffer_t *in) {
  return prism_gpu_island_inbox(island, rows, space, in);
}

static prism_status_t cuda_receive(void *island, const prism_buffer_t *in, int32_t own,
                                   int32_t own_rows, int32_t *visitors) {
  return prism_gpu_island_receive(island, in, own, own_rows, visitors);
}

static bool cuda_ladder(const void *island, prism_ladder_view_t *out) {
  return prism_gpu_island_ladder(island, out);
}

static void cuda_stop(void *island) { prism_gpu_island_halt(island); }

static const prism_island_ops_t island_ops = {
    .describe = cuda_describe,
    .work = cuda_work,
    .export_colors = cuda_export,
    .import_colors = cuda_import,
    .save = cuda_save,
    .restore = cuda_restore,
    .set_hooks = cuda_hooks,
    .export_counters = cuda_counters,
    .outbox = cuda_outbox,
    .inbox = cuda_inbox,
    .receive = cuda_receive,
    .ladder = cuda_ladder,
    .stop = cuda_stop,
};

/* ---- the engine ---- */

static void tell(const prism_alerts_t *alerts, uint32_t which, prism_gpu_stats_t *out) {
  _Static_assert((int)PRISM_ALERT_COUNT <= (int)PRISM_GPU_NOTICES, "each alert has room");
  for (int i = 0; i < PRISM_ALERT_COUNT; ++i) {
    if ((which & (1u << i)) == 0) continue;
    prism_gpu_notice_t *notice = &out->notice[out->notices++];
    notice->warning = alerts->active[i] && prism_alert_warns((prism_alert_t)i);
    prism_alert_line(alerts, (prism_alert_t)i, notice->text, sizeof notice->text);
  }
}

static void watch(cuda_engine_t *engine, double now, prism_gpu_stats_t *out) {
  if (engine->watched > 0.0 && now - engine->watched < watch_seconds) return;
  uint32_t raised = 0, cleared = 0;
  engine->watched = now;
  prism_nvml_read(engine->context.nvml, &engine->sample);
  prism_alerts_update(&engine->alerts, &engine->sample, &raised, &cleared);
  tell(&engine->alerts, raised | cleared, out);
}

static bool cuda_stats(void *owner, prism_gpu_stats_t *out) {
  cuda_engine_t *engine = owner;
  const prism_nvml_sample_t *sample = &engine->sample;
  const double now = prism_clock_now();
  *out = (prism_gpu_stats_t){.wall = now - engine->context.begin};
  for (int32_t i = 0; i < engine->islands; ++i) {
    /* Islands run side by side: the busiest is what is known of the whole. */
    prism_overlap_times_t times = prism_gpu_island_times(&engine->island[i]);
    out->kernel = fmax(out->kernel, times.busy);
    out->transfer += times.transfer;
    out->hidden += times.hidden;
  }
  watch(engine, now, out);
  out->utilization = sample->utilization;
  out->memory_used_mb = sample->memory_used_mb;
  out->memory_total_mb = sample->memory_total_mb;
  out->power_w = sample->power_w;
  out->temperature_c = sample->temperature_c;
  out->sm_clock_mhz = sample->sm_clock_mhz;
  prism_nvml_throttle_text(sample->throttle, out->throttle, sizeof out->throttle);
  return true;
}

static bool cuda_profile(void *owner, prism_gpu_profile_t *out) {
  cuda_engine_t *engine = owner;
  memset(out, 0, sizeof *out);
  if (!engine->context.params.profile) return true;
  out->wall = prism_clock_now() - engine->context.begin;
  prism_gpu_part_t start = {.name = "device start"};
  prism_duration_add(&start.time, engine->start);
  prism_gpu_profile_add(out, &start);
  for (int32_t i = 0; i < engine->islands; ++i)
    prism_gpu_island_profile(&engine->island[i], out);
  return true;
}

static void cuda_destroy(void *owner) {
  cuda_engine_t *engine = owner;
  /* A thread that never called CUDA has no current device; a lost one changes nothing. */
  if (prism_device_use(engine->context.device.index) != PRISM_OK) prism_error_clear();
  for (int32_t i = 0; i < engine->islands; ++i) prism_gpu_island_release(&engine->island[i]);
  prism_gpu_context_close(&engine->context);
  prism_free(engine->island);
  prism_free(engine);
}

static prism_status_t open_desk(cuda_engine_t *engine, const prism_engine_config_t *config,
                                prism_engine_t *out) {
  void **island = NULL;
  PRISM_TRY(PRISM_ALLOC(config->islands, &island));
  for (int32_t i = 0; i < config->islands; ++i) island[i] = &engine->island[i];
  prism_desk_setup_t setup = {.name = "cuda", .detail = engine->detail,
                              .islands = config->islands, .island = island, .ops = &island_ops,
                              .bell = config->bell, .owner = engine, .gpu_stats = cuda_stats,
                              .gpu_profile = cuda_profile,
                              .destroy = cuda_destroy};
  prism_status_t status = prism_desk_create(&setup, out);
  prism_free(island);
  return status;
}

/* What island i of `islands` runs, and how much of the GPU it has. */
static void share_out(const prism_gpu_setup_t *setup, int32_t islands, int32_t i,
                      prism_gpu_island_setup_t *island) {
  const prism_params_gpu_t *params = &setup->params;
  const int32_t apart = setup->tempering;
  const int32_t others = islands - apart;
  const bool beside = apart > 0 && others > 0;
  const bool tempers = i >= others;
  island->place = tempers ? i - others : i;
  island->methods = memetic;
  if (apart == 0 && params->enable_thermodynamic_gpu) island->methods |= tempering;
  if (tempers) island->methods = tempering;
  const double part = params->thermodynamic_share;
  island->share = !beside ? 1.0 : tempers ? part : 1.0 - part;
  if (setup->sharers > 1) island->share /= setup->sharers;
}

static prism_status_t make_islands(cuda_engine_t *engine, const prism_engine_config_t *config,
                                   const prism_gpu_setup_t *setup) {
  const int32_t degree = prism_graph_max_degree(config->graph);
  PRISM_TRY(PRISM_ALLOC_ZERO(config->islands, &engine->island));
  for (int32_t i = 0; i < config->islands; ++i) {
    engine->islands = i + 1; /* also one that fails half-way is released */
    prism_gpu_island_setup_t island = {.kernel = config->graph, .seed = config->seed,
                                       .id = (uint32_t)(config->first_island + i)};
    share_out(setup, config->islands, i, &island);
    PRISM_TRY(prism_searcher_methods(config->graph->n, degree, island.methods, &island.methods));
    PRISM_TRY(prism_gpu_island_init(&engine->island[i], &engine->context, &island));
  }
  return PRISM_OK;
}

static void describe_device(const prism_device_info_t *info, char *text, size_t size) {
  snprintf(text, size, "%s, %s", info->name, info->versions);
}

static prism_status_t cuda_create(const prism_engine_config_t *config, const void *context,
                                  prism_engine_t *out) {
  const prism_gpu_setup_t *setup = context;
  if (config->islands < 1) PRISM_FAIL(PRISM_INVALID, "an engine needs at least one island");
  if (setup->tempering > config->islands)
    PRISM_FAIL(PRISM_INVALID, "%d of %d islands cannot be for tempering", setup->tempering,
               config->islands);
  cuda_engine_t *engine = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &engine));
  prism_status_t status = prism_gpu_context_open(&setup->params, &engine->context);
  if (status != PRISM_OK) {
    prism_free(engine);
    return status;
  }
  describe_device(&engine->context.device, engine->detail, sizeof engine->detail);
  status = make_islands(engine, config, setup);
  engine->start = prism_clock_now() - engine->context.begin;
  if (status == PRISM_OK) status = open_desk(engine, config, out);
  if (status != PRISM_OK) cuda_destroy(engine);
  return status;
}

prism_engine_backend_t prism_cuda_backend(const prism_gpu_setup_t *setup) {
  return (prism_engine_backend_t){"cuda", cuda_create, setup};
}
