/* A stand-in for a GPU engine: the CPU engine with fewer methods, another mode and
 * device times of its own, that fails or is late on request. One call at a time. */
#ifndef PRISM_TESTS_FAKE_GPU_H
#define PRISM_TESTS_FAKE_GPU_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "search/engine_cpu.h"
#include "seam/joint.h"

enum { FAKE_STREAM = 4 };

/* Context of the backend. */
typedef struct fake_setup {
  prism_params_cpu_t cpu;
  uint32_t methods;
  prism_status_t create_status; /* PRISM_OK, or how its making fails */
  int32_t fail_after;           /* results until poll says PRISM_DEVICE; 0: never */
  uint64_t delays;              /* seed of random delays; 0: none */
  int32_t demes;                /* that its results tell of */
  const char *note;             /* of its first result; NULL: none */
  bool profile;                 /* tell where its time went */
  bool alarms;                  /* its third look at its health finds something */
  int32_t *lowest, *highest;    /* k that it was asked to search; NULL: not noted */
} fake_setup_t;

typedef struct fake {
  const fake_setup_t *setup;
  prism_engine_ops_t ops;
  prism_engine_t inner;
  prism_rng_t rng;
  int32_t results;
  double begin;
  int32_t looks;
} fake_t;

static inline void fake_dawdle(fake_t *self) {
  if (self->setup->delays == 0) return;
  prism_clock_sleep(1e-4 * (double)prism_rng_below(&self->rng, 30));
}

static inline void fake_describe(void *self, int32_t island, prism_island_info_t *out) {
  fake_t *fake = self;
  fake->inner.ops->describe(fake->inner.self, island, out);
  *out = (prism_island_info_t){.methods = fake->setup->methods, .mode = "gpu",
                               .stream = FAKE_STREAM, .device = "fake"};
}

static inline prism_status_t fake_submit(void *self, int32_t island, const prism_work_t *work,
                                         int64_t *ticket) {
  fake_t *fake = self;
  fake_dawdle(fake);
  if ((fake->setup->methods & PRISM_METHOD_BIT(work->params.method)) == 0)
    PRISM_FAIL(PRISM_UNSUPPORTED, "the fake does not run %s",
               prism_method_name(work->params.method));
  int32_t *low = fake->setup->lowest, *high = fake->setup->highest;
  if (low != NULL && work->k < *low) *low = work->k;
  if (high != NULL && work->k > *high) *high = work->k;
  return fake->inner.ops->submit(fake->inner.self, island, work, ticket);
}

static inline prism_status_t fake_poll(void *self, int64_t ticket, double wait, bool *done,
                                       prism_summary_t *summary) {
  fake_t *fake = self;
  fake_dawdle(fake);
  prism_status_t status = fake->inner.ops->poll(fake->inner.self, ticket, wait, done, summary);
  if (status != PRISM_OK || !*done) return status;
  summary->demes = fake->setup->demes;
  if (fake->results++ == 0 && fake->setup->note != NULL)
    snprintf(summary->note, sizeof summary->note, "%s", fake->setup->note);
  if (fake->setup->fail_after > 0 && fake->results >= fake->setup->fail_after)
    PRISM_FAIL(PRISM_DEVICE, "the fake has fallen off the bus");
  return PRISM_OK;
}

static inline prism_status_t fake_wait_any(void *self, double wait) {
  fake_t *fake = self;
  return fake->inner.ops->wait_any(fake->inner.self, wait);
}
static inline void fake_stop(void *self, int32_t island) {
  fake_t *fake = self;
  fake->inner.ops->stop(fake->inner.self, island);
}
static inline prism_status_t fake_export(void *self, int32_t island, int32_t which, uint32_t draw,
                                         int32_t *color, int32_t *k, int64_t *f) {
  fake_t *fake = self;
  return fake->inner.ops->export_colors(fake->inner.self, island, which, draw, color, k, f);
}
static inline prism_status_t fake_import(void *self, int32_t island, const int32_t *color,
                                         int32_t k, bool seed, prism_import_result_t *result) {
  fake_t *fake = self;
  return fake->inner.ops->import_colors(fake->inner.self, island, color, k, seed, result);
}
/* Its bytes are those of the CPU engine under another name: each is a stranger to the other. */
static inline prism_status_t fake_save(void *self, int32_t island, prism_island_state_t *state) {
  fake_t *fake = self;
  prism_status_t status = fake->inner.ops->save(fake->inner.self, island, state);
  if (status == PRISM_OK) snprintf(state->engine, sizeof state->engine, "fake");
  return status;
}
static inline prism_status_t fake_restore(void *self, int32_t island,
                                          const prism_island_state_t *state, bool *exact) {
  fake_t *fake = self;
  prism_island_state_t inner = *state; /* its arrays are only read */
  bool own = strncmp(state->engine, "fake", sizeof state->engine) == 0;
  snprintf(inner.engine, sizeof inner.engine, "%s", own ? "cpu" : "stranger");
  return fake->inner.ops->restore(fake->inner.self, island, &inner, exact);
}
static inline prism_status_t fake_hooks(void *self, int32_t island, const prism_hooks_t *hooks) {
  fake_t *fake = self;
  return fake->inner.ops->set_hooks(fake->inner.self, island, hooks);
}
static inline prism_status_t fake_counters(void *self, int32_t island, prism_counter_t which,
                                           uint32_t *values) {
  fake_t *fake = self;
  return fake->inner.ops->export_counters(fake->inner.self, island, which, values);
}

/* Three quarters of the time a kernel runs, a tenth is copies, half of them hidden. */
static inline bool fake_stats(void *self, prism_gpu_stats_t *out) {
  fake_t *fake = self;
  double wall = prism_clock_now() - fake->begin;
  *out = (prism_gpu_stats_t){.wall = wall, .kernel = 0.75 * wall, .transfer = 0.1 * wall,
                             .hidden = 0.05 * wall, .utilization = 75.0,
                             .memory_used_mb = 512.0, .memory_total_mb = 81920.0,
                             .power_w = NAN, .temperature_c = 40.0, .sm_clock_mhz = 1980.0};
  snprintf(out->throttle, sizeof out->throttle, "power cap");
  if (fake->setup->alarms && ++fake->looks == 3) {
    out->notices = 2;
    out->notice[0] = (prism_gpu_notice_t){true, "the GPU is hot: 91 degrees C"};
    out->notice[1] = (prism_gpu_notice_t){false, "the GPU is at its power limit: 99 %"};
  }
  return true;
}

/* Two uploads of 1 and 3 ms, one search of half its life. */
static inline bool fake_profile(void *self, prism_gpu_profile_t *out) {
  fake_t *fake = self;
  prism_gpu_part_t search = {.name = "pool search", .iterations = 1000},
                   upload = {.name = "upload"};
  *out = (prism_gpu_profile_t){.wall = prism_clock_now() - fake->begin};
  if (!fake->setup->profile) return true;
  prism_duration_add(&search.time, 0.5 * out->wall);
  prism_duration_add(&upload.time, 1e-3);
  prism_duration_add(&upload.time, 3e-3);
  prism_gpu_profile_add(out, &search);
  prism_gpu_profile_add(out, &upload);
  return true;
}

static inline void fake_destroy(void *self) {
  fake_t *fake = self;
  prism_engine_destroy(&fake->inner);
  prism_free(fake);
}

static inline prism_status_t fake_create(const prism_engine_config_t *config, const void *context,
                                         prism_engine_t *out) {
  const fake_setup_t *setup = context;
  if (setup->create_status != PRISM_OK)
    PRISM_FAIL(setup->create_status, "the fake was told to fail");
  fake_t *fake = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &fake));
  fake->setup = setup;
  fake->begin = prism_clock_now();
  fake->rng = prism_rng_stream(setup->delays, 7, 0, PRISM_RNG_TEST);
  prism_status_t status = prism_engine_cpu_create(config, &setup->cpu, &fake->inner);
  if (status != PRISM_OK) {
    prism_free(fake);
    return status;
  }
  fake->ops = (prism_engine_ops_t){
      .name = "fake", .detail = "stand-in", .describe = fake_describe, .submit = fake_submit,
      .poll = fake_poll, .wait_any = fake_wait_any, .stop = fake_stop,
      .export_colors = fake_export, .import_colors = fake_import, .save = fake_save,
      .restore = fake_restore, .set_hooks = fake_hooks,
      .export_counters = fake_counters, .gpu_stats = fake_stats, .gpu_profile = fake_profile,
      .destroy = fake_destroy};
  *out = (prism_engine_t){.ops = &fake->ops, .self = fake, .islands = fake->inner.islands};
  return PRISM_OK;
}

static inline prism_engine_part_t fake_part(const fake_setup_t *setup, int32_t islands) {
  return (prism_engine_part_t){{"fake", fake_create, setup}, islands};
}

#endif
