#include "search/engine_cpu.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "search/island.h"

typedef enum slot_phase { SLOT_IDLE, SLOT_GIVEN, SLOT_RUNNING, SLOT_DONE } slot_phase_t;

/* An island, its thread, and the one piece of work between them. */
typedef struct slot {
  struct cpu_engine *engine;
  prism_island_t island;
  pthread_t thread;
  bool started;
  slot_phase_t phase;     /* guarded by engine->lock, like all below */
  int64_t ticket;
  prism_work_t work;
  prism_summary_t summary;
  prism_status_t status;
  char error[512];
  atomic_bool stop;
} slot_t;

typedef struct cpu_engine {
  int32_t islands;
  int64_t next_ticket;
  prism_ground_list_t grounds;
  pthread_mutex_t lock;
  pthread_cond_t given;   /* a slot has work, or the engine ends */
  pthread_cond_t done;    /* a slot has finished */
  bool ending;
  bool ready;             /* lock and conditions exist */
  slot_t *slot;
} cpu_engine_t;

static void *island_thread(void *argument) {
  slot_t *slot = argument;
  cpu_engine_t *engine = slot->engine;
  pthread_mutex_lock(&engine->lock);
  for (;;) {
    while (slot->phase != SLOT_GIVEN && !engine->ending)
      pthread_cond_wait(&engine->given, &engine->lock);
    if (engine->ending) break;
    slot->phase = SLOT_RUNNING;
    prism_work_t work = slot->work;
    pthread_mutex_unlock(&engine->lock);
    prism_summary_t summary;
    prism_status_t status = prism_island_work(&slot->island, &work, &slot->stop, &summary);
    pthread_mutex_lock(&engine->lock);
    slot->summary = summary;
    slot->status = status;
    snprintf(slot->error, sizeof slot->error, "%s", status == PRISM_OK ? "" : prism_error_text());
    slot->phase = SLOT_DONE;
    pthread_cond_broadcast(&engine->done);
  }
  pthread_mutex_unlock(&engine->lock);
  return NULL;
}

static prism_status_t cpu_submit(void *self, int32_t island, const prism_work_t *work,
                                 int64_t *ticket) {
  cpu_engine_t *engine = self;
  if (island < 0 || island >= engine->islands)
    PRISM_FAIL(PRISM_INVALID, "no island %d in an engine of %d", island, engine->islands);
  if (work->generations <= 0 && work->iterations <= 0 && work->seconds <= 0.0)
    PRISM_FAIL(PRISM_INVALID, "work without a budget would never end");
  if (work->k < 1) PRISM_FAIL(PRISM_INVALID, "work with %d colors", work->k);
  slot_t *slot = &engine->slot[island];
  pthread_mutex_lock(&engine->lock);
  bool idle = slot->phase == SLOT_IDLE;
  if (idle) {
    slot->work = *work;
    slot->ticket = engine->next_ticket++ * engine->islands + island;
    *ticket = slot->ticket;
    atomic_store(&slot->stop, false);
    slot->phase = SLOT_GIVEN;
    pthread_cond_broadcast(&engine->given);
  }
  pthread_mutex_unlock(&engine->lock);
  if (!idle) PRISM_FAIL(PRISM_INVALID, "island %d is busy", island);
  return PRISM_OK;
}

static struct timespec deadline_in(double seconds) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  double whole = seconds > 1e6 ? 1e6 : seconds;
  t.tv_sec += (time_t)whole;
  t.tv_nsec += (long)(1e9 * (whole - (double)(time_t)whole));
  if (t.tv_nsec >= 1000000000L) {
    t.tv_nsec -= 1000000000L;
    ++t.tv_sec;
  }
  return t;
}

static prism_status_t cpu_poll(void *self, int64_t ticket, double wait, bool *done,
                               prism_summary_t *summary) {
  cpu_engine_t *engine = self;
  if (ticket < 0) PRISM_FAIL(PRISM_INVALID, "there is no ticket %lld", (long long)ticket);
  slot_t *slot = &engine->slot[ticket % engine->islands];
  struct timespec until = deadline_in(wait);
  prism_status_t status = PRISM_OK;
  bool known;
  pthread_mutex_lock(&engine->lock);
  known = slot->phase != SLOT_IDLE && slot->ticket == ticket;
  while (known && slot->phase != SLOT_DONE && wait > 0.0)
    if (pthread_cond_timedwait(&engine->done, &engine->lock, &until) == ETIMEDOUT) break;
  *done = known && slot->phase == SLOT_DONE;
  if (*done) {
    *summary = slot->summary;
    summary->island = (int32_t)(ticket % engine->islands);
    status = slot->status;
    slot->phase = SLOT_IDLE;
    if (status != PRISM_OK) prism_error_set(status, slot->error);
  }
  pthread_mutex_unlock(&engine->lock);
  if (!known) PRISM_FAIL(PRISM_INVALID, "there is no ticket %lld", (long long)ticket);
  return status;
}

static prism_status_t cpu_wait_any(void *self, double wait) {
  cpu_engine_t *engine = self;
  struct timespec until = deadline_in(wait);
  pthread_mutex_lock(&engine->lock);
  for (;;) {
    bool ended = false;
    for (int32_t i = 0; i < engine->islands; ++i) ended |= engine->slot[i].phase == SLOT_DONE;
    if (ended || wait <= 0.0) break;
    if (pthread_cond_timedwait(&engine->done, &engine->lock, &until) == ETIMEDOUT) break;
  }
  pthread_mutex_unlock(&engine->lock);
  return PRISM_OK;
}

static void cpu_stop(void *self, int32_t island) {
  cpu_engine_t *engine = self;
  if (island >= 0 && island < engine->islands)
    atomic_store_explicit(&engine->slot[island].stop, true, memory_order_relaxed);
}

/* The island when it is idle: then its thread does not touch it. */
static prism_status_t idle_island(cpu_engine_t *engine, int32_t island, prism_island_t **out) {
  if (island < 0 || island >= engine->islands)
    PRISM_FAIL(PRISM_INVALID, "no island %d in an engine of %d", island, engine->islands);
  pthread_mutex_lock(&engine->lock);
  bool idle = engine->slot[island].phase == SLOT_IDLE;
  pthread_mutex_unlock(&engine->lock);
  if (!idle) PRISM_FAIL(PRISM_INVALID, "island %d is busy", island);
  *out = &engine->slot[island].island;
  return PRISM_OK;
}

static prism_status_t cpu_export(void *self, int32_t island, int32_t which, uint32_t draw,
                                 int32_t *color, int32_t *k, int64_t *f) {
  prism_island_t *at = NULL;
  PRISM_TRY(idle_island(self, island, &at));
  return prism_island_export(at, which, draw, color, k, f);
}

static prism_status_t cpu_import(void *self, int32_t island, const int32_t *color, int32_t k,
                                 bool seed, prism_import_result_t *result) {
  prism_island_t *at = NULL;
  PRISM_TRY(idle_island(self, island, &at));
  return prism_island_import(at, color, k, seed, result);
}

static prism_status_t cpu_hooks(void *self, int32_t island, const prism_hooks_t *hooks) {
  prism_island_t *at = NULL;
  PRISM_TRY(idle_island(self, island, &at));
  return prism_island_hooks(at, hooks);
}

static prism_status_t cpu_counters(void *self, int32_t island, prism_counter_t which,
                                   uint32_t *values) {
  prism_island_t *at = NULL;
  PRISM_TRY(idle_island(self, island, &at));
  return prism_island_counters(at, which, values);
}

static void cpu_destroy(void *self) {
  cpu_engine_t *engine = self;
  if (engine == NULL) return;
  if (engine->ready) {
    pthread_mutex_lock(&engine->lock);
    engine->ending = true;
    for (int32_t i = 0; i < engine->islands; ++i) atomic_store(&engine->slot[i].stop, true);
    pthread_cond_broadcast(&engine->given);
    pthread_mutex_unlock(&engine->lock);
    for (int32_t i = 0; i < engine->islands; ++i)
      if (engine->slot[i].started) pthread_join(engine->slot[i].thread, NULL);
    for (int32_t i = 0; i < engine->islands; ++i) prism_island_release(&engine->slot[i].island);
    prism_ground_list_release(&engine->grounds);
    pthread_cond_destroy(&engine->given);
    pthread_cond_destroy(&engine->done);
    pthread_mutex_destroy(&engine->lock);
  }
  prism_free(engine->slot);
  prism_free(engine);
}

/* What a conforming engine exports; `detail` depends on the processor. */
#define CPU_OPS(isa)                                                                     \
  {"cpu",      isa,        cpu_submit, cpu_poll,     cpu_wait_any, cpu_stop, cpu_export, \
   cpu_import, cpu_hooks, cpu_counters, cpu_destroy}
static const prism_engine_ops_t ops_portable = CPU_OPS("portable");
static const prism_engine_ops_t ops_avx2 = CPU_OPS("avx2");
static const prism_engine_ops_t ops_avx512 = CPU_OPS("avx512");

static prism_status_t make_locks(cpu_engine_t *engine) {
  pthread_condattr_t attribute;
  bool good = pthread_condattr_init(&attribute) == 0 &&
              pthread_condattr_setclock(&attribute, CLOCK_MONOTONIC) == 0 &&
              pthread_mutex_init(&engine->lock, NULL) == 0 &&
              pthread_cond_init(&engine->given, &attribute) == 0 &&
              pthread_cond_init(&engine->done, &attribute) == 0;
  if (!good) PRISM_FAIL(PRISM_MEMORY, "the locks of the cpu engine could not be made");
  pthread_condattr_destroy(&attribute);
  engine->ready = true;
  return PRISM_OK;
}

static prism_status_t start_islands(cpu_engine_t *engine, const prism_engine_config_t *config,
                                    const prism_isa_t *isa) {
  for (int32_t i = 0; i < config->islands; ++i) {
    slot_t *slot = &engine->slot[i];
    slot->engine = engine;
    atomic_init(&slot->stop, false);
    PRISM_TRY(prism_island_init(&slot->island, config->graph, &engine->grounds, isa, config->seed,
                                (uint32_t)(config->first_island + i)));
    int failed = pthread_create(&slot->thread, NULL, island_thread, slot);
    if (failed != 0)
      PRISM_FAIL(PRISM_MEMORY, "thread %d of %d could not be started: %s", i + 1, config->islands,
                 strerror(failed));
    slot->started = true;
  }
  return PRISM_OK;
}

prism_status_t prism_engine_cpu_create(const prism_engine_config_t *config, const void *context,
                                       prism_engine_t *out) {
  const prism_params_cpu_t *cpu = context;
  const prism_isa_t *isa = prism_isa_select(cpu->isa);
  if (isa == NULL)
    PRISM_FAIL(PRISM_UNSUPPORTED, "this processor lacks the instructions of cpu.isa");
  if (config->islands < 1) PRISM_FAIL(PRISM_INVALID, "an engine needs at least one island");
  cpu_engine_t *engine = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &engine));
  engine->islands = config->islands;
  prism_status_t status = PRISM_ALLOC_ZERO(config->islands, &engine->slot);
  if (status == PRISM_OK) status = prism_ground_list_init(&engine->grounds, config->graph);
  if (status == PRISM_OK) status = make_locks(engine);
  if (status == PRISM_OK) status = start_islands(engine, config, isa);
  if (status != PRISM_OK) {
    cpu_destroy(engine);
    return status;
  }
  out->ops = strcmp(isa->name, "avx512") == 0 ? &ops_avx512
             : strcmp(isa->name, "avx2") == 0 ? &ops_avx2
                                              : &ops_portable;
  out->self = engine;
  out->islands = config->islands;
  return PRISM_OK;
}

prism_engine_backend_t prism_cpu_backend(const prism_params_cpu_t *cpu) {
  return (prism_engine_backend_t){"cpu", prism_engine_cpu_create, cpu};
}

const char *prism_cpu_isa_name(const prism_params_cpu_t *cpu) {
  const prism_isa_t *isa = prism_isa_select(cpu->isa);
  return isa != NULL ? isa->name : "none";
}
