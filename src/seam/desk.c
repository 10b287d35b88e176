#include "seam/desk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "seam/wait.h"

typedef enum slot_phase { SLOT_IDLE, SLOT_GIVEN, SLOT_RUNNING, SLOT_DONE } slot_phase_t;

/* An island, its thread, and the one piece of work between them. */
typedef struct slot {
  struct desk *desk;
  void *island;
  pthread_t thread;
  bool started;
  slot_phase_t phase;     /* guarded by desk->lock, like all below */
  int64_t ticket;
  prism_work_t work;
  prism_summary_t summary;
  prism_status_t status;
  char error[512];
  atomic_bool stop;
} slot_t;

typedef struct desk {
  prism_engine_ops_t ops; /* the engine's, with its name */
  const prism_island_ops_t *island_ops;
  prism_bell_t *bell;     /* may be NULL */
  void *owner;
  bool (*gpu_stats)(void *owner, prism_gpu_stats_t *out);
  bool (*gpu_profile)(void *owner, prism_gpu_profile_t *out);
  void (*destroy)(void *owner);
  int32_t islands;
  int64_t next_ticket;
  pthread_mutex_t lock;
  pthread_cond_t given;   /* a slot has work, or the desk closes */
  pthread_cond_t done;    /* a slot has finished */
  bool closing;
  slot_t *slot;
} desk_t;

static void *island_thread(void *argument) {
  slot_t *slot = argument;
  desk_t *desk = slot->desk;
  pthread_mutex_lock(&desk->lock);
  for (;;) {
    while (slot->phase != SLOT_GIVEN && !desk->closing)
      pthread_cond_wait(&desk->given, &desk->lock);
    if (desk->closing) break;
    slot->phase = SLOT_RUNNING;
    prism_work_t work = slot->work;
    pthread_mutex_unlock(&desk->lock);
    prism_summary_t summary = {0};
    prism_error_clear();
    prism_status_t status = desk->island_ops->work(slot->island, &work, &slot->stop, &summary);
    pthread_mutex_lock(&desk->lock);
    slot->summary = summary;
    slot->status = status;
    snprintf(slot->error, sizeof slot->error, "%s", status == PRISM_OK ? "" : prism_error_text());
    slot->phase = SLOT_DONE;
    if (desk->bell != NULL) prism_bell_ring(desk->bell);
    pthread_cond_broadcast(&desk->done);
  }
  pthread_mutex_unlock(&desk->lock);
  return NULL;
}

static prism_status_t check_island(const desk_t *desk, int32_t island) {
  if (island < 0 || island >= desk->islands)
    PRISM_FAIL(PRISM_INVALID, "no island %d in an engine of %d", island, desk->islands);
  return PRISM_OK;
}

static prism_status_t check_work(const desk_t *desk, int32_t island, const prism_work_t *work) {
  if (work->generations <= 0 && work->iterations <= 0 && work->seconds <= 0.0)
    PRISM_FAIL(PRISM_INVALID, "work without a budget would never end");
  if (work->k < 1) PRISM_FAIL(PRISM_INVALID, "work with %d colors", work->k);
  prism_method_t method = work->params.method;
  prism_island_info_t info;
  desk->island_ops->describe(desk->slot[island].island, &info);
  if ((int)method < 0 || method >= PRISM_METHOD_COUNT ||
      (info.methods & PRISM_METHOD_BIT(method)) == 0)
    PRISM_FAIL(PRISM_UNSUPPORTED, "the %s engine does not run %s here", desk->ops.name,
               prism_method_name(method));
  if (work->phase != prism_method_phase(method))
    PRISM_FAIL(PRISM_UNSUPPORTED, "%s is no work of phase %d", prism_method_name(method),
               (int)work->phase);
  return PRISM_OK;
}

static void desk_describe(void *self, int32_t island, prism_island_info_t *out) {
  desk_t *desk = self;
  desk->island_ops->describe(desk->slot[island].island, out);
}

static prism_status_t desk_submit(void *self, int32_t island, const prism_work_t *work,
                                  int64_t *ticket) {
  desk_t *desk = self;
  PRISM_TRY(check_island(desk, island));
  PRISM_TRY(check_work(desk, island, work));
  slot_t *slot = &desk->slot[island];
  pthread_mutex_lock(&desk->lock);
  bool idle = slot->phase == SLOT_IDLE;
  if (idle) {
    slot->work = *work;
    slot->ticket = desk->next_ticket++ * desk->islands + island;
    *ticket = slot->ticket;
    atomic_store(&slot->stop, false);
    slot->phase = SLOT_GIVEN;
    pthread_cond_broadcast(&desk->given);
  }
  pthread_mutex_unlock(&desk->lock);
  if (!idle) PRISM_FAIL(PRISM_INVALID, "island %d is busy", island);
  return PRISM_OK;
}

static prism_status_t desk_poll(void *self, int64_t ticket, double wait, bool *done,
                                prism_summary_t *summary) {
  desk_t *desk = self;
  if (ticket < 0) PRISM_FAIL(PRISM_INVALID, "there is no ticket %lld", (long long)ticket);
  slot_t *slot = &desk->slot[ticket % desk->islands];
  struct timespec until = prism_wait_until(wait);
  prism_status_t status = PRISM_OK;
  pthread_mutex_lock(&desk->lock);
  bool known = slot->phase != SLOT_IDLE && slot->ticket == ticket;
  while (known && slot->phase != SLOT_DONE && wait > 0.0)
    if (pthread_cond_timedwait(&desk->done, &desk->lock, &until) == ETIMEDOUT) break;
  *done = known && slot->phase == SLOT_DONE;
  if (*done) {
    *summary = slot->summary;
    summary->island = (int32_t)(ticket % desk->islands);
    status = slot->status;
    slot->phase = SLOT_IDLE;
    if (desk->bell != NULL) prism_bell_answer(desk->bell);
    if (status != PRISM_OK) prism_error_set(status, slot->error);
  }
  pthread_mutex_unlock(&desk->lock);
  if (!known) PRISM_FAIL(PRISM_INVALID, "there is no ticket %lld", (long long)ticket);
  return status;
}

static prism_status_t desk_wait_any(void *self, double wait) {
  desk_t *desk = self;
  struct timespec until = prism_wait_until(wait);
  pthread_mutex_lock(&desk->lock);
  for (;;) {
    bool ended = false;
    for (int32_t i = 0; i < desk->islands; ++i) ended |= desk->slot[i].phase == SLOT_DONE;
    if (ended || wait <= 0.0) break;
    if (pthread_cond_timedwait(&desk->done, &desk->lock, &until) == ETIMEDOUT) break;
  }
  pthread_mutex_unlock(&desk->lock);
  return PRISM_OK;
}

static void desk_stop(void *self, int32_t island) {
  desk_t *desk = self;
  if (island < 0 || island >= desk->islands) return;
  slot_t *slot = &desk->slot[island];
  atomic_store(&slot->stop, true);
  if (desk->island_ops->stop != NULL) desk->island_ops->stop(slot->island);
}

/* The island when it is idle: then its thread does not touch it. */
static prism_status_t idle_island(desk_t *desk, int32_t island, void **out) {
  PRISM_TRY(check_island(desk, island));
  pthread_mutex_lock(&desk->lock);
  bool idle = desk->slot[island].phase == SLOT_IDLE;
  pthread_mutex_unlock(&desk->lock);
  if (!idle) PRISM_FAIL(PRISM_INVALID, "island %d is busy", island);
  *out = desk->slot[island].island;
  return PRISM_OK;
}

static prism_status_t desk_export(void *self, int32_t island, int32_t which, uint32_t draw,
                                  int32_t *color, int32_t *k, int64_t *f) {
  desk_t *desk = self;
  void *at = NULL;
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->export_colors(at, which, draw, color, k, f);
}

static prism_status_t desk_import(void *self, int32_t island, const int32_t *color, int32_t k,
                                  bool seed, prism_import_result_t *result) {
  desk_t *desk = self;
  void *at = NULL;
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->import_colors(at, color, k, seed, result);
}

static prism_status_t desk_save(void *self, int32_t island, prism_island_state_t *state) {
  desk_t *desk = self;
  void *at = NULL;
  *state = (prism_island_state_t){.n = 0};
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->save(at, state);
}

static prism_status_t desk_restore(void *self, int32_t island, const prism_island_state_t *state,
                                   bool *exact) {
  desk_t *desk = self;
  void *at = NULL;
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->restore(at, state, exact);
}

static prism_status_t desk_hooks(void *self, int32_t island, const prism_hooks_t *hooks) {
  desk_t *desk = self;
  void *at = NULL;
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->set_hooks(at, hooks);
}

static prism_status_t desk_counters(void *self, int32_t island, prism_counter_t which,
                                    uint32_t *values) {
  desk_t *desk = self;
  void *at = NULL;
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->export_counters(at, which, values);
}

static prism_status_t desk_outbox(void *self, int32_t island, int32_t rows, prism_space_t space,
                                  prism_buffer_t *out) {
  desk_t *desk = self;
  void *at = NULL;
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->outbox(at, rows, space, out);
}

static prism_status_t desk_inbox(void *self, int32_t island, int32_t rows, prism_space_t space,
                                 prism_buffer_t *in) {
  desk_t *desk = self;
  void *at = NULL;
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->inbox(at, rows, space, in);
}

static prism_status_t desk_receive(void *self, int32_t island, const prism_buffer_t *in,
                                   int32_t own, int32_t own_rows, int32_t *visitors) {
  desk_t *desk = self;
  void *at = NULL;
  PRISM_TRY(idle_island(desk, island, &at));
  return desk->island_ops->receive(at, in, own, own_rows, visitors);
}

static bool desk_ladder(void *self, int32_t island, prism_ladder_view_t *out) {
  desk_t *desk = self;
  void *at = NULL;
  if (idle_island(desk, island, &at) == PRISM_OK) return desk->island_ops->ladder(at, out);
  prism_error_clear();
  return false;
}

static bool desk_gpu_stats(void *self, prism_gpu_stats_t *out) {
  desk_t *desk = self;
  return desk->gpu_stats(desk->owner, out);
}

static bool desk_gpu_profile(void *self, prism_gpu_profile_t *out) {
  desk_t *desk = self;
  return desk->gpu_profile(desk->owner, out);
}

/* End the threads; `owner` stays. */
static void close_desk(desk_t *desk) {
  pthread_mutex_lock(&desk->lock);
  desk->closing = true;
  pthread_cond_broadcast(&desk->given);
  pthread_mutex_unlock(&desk->lock);
  for (int32_t i = 0; i < desk->islands; ++i)
    if (desk->slot[i].started) desk_stop(desk, i);
  for (int32_t i = 0; i < desk->islands; ++i) {
    slot_t *slot = &desk->slot[i];
    if (slot->started) pthread_join(slot->thread, NULL);
    if (slot->phase == SLOT_DONE && desk->bell != NULL) prism_bell_answer(desk->bell);
  }
  pthread_cond_destroy(&desk->given);
  pthread_cond_destroy(&desk->done);
  pthread_mutex_destroy(&desk->lock);
  prism_free(desk->slot);
  prism_free(desk);
}

static void desk_destroy(void *self) {
  desk_t *desk = self;
  void *owner = desk->owner;
  void (*destroy)(void *) = desk->destroy;
  close_desk(desk);
  destroy(owner);
}

static prism_status_t make_locks(desk_t *desk) {
  bool given = prism_wait_condition(&desk->given);
  if (given && prism_wait_condition(&desk->done)) {
    pthread_mutex_init(&desk->lock, NULL); /* cannot fail with default attributes on Linux */
    return PRISM_OK;
  }
  if (given) pthread_cond_destroy(&desk->given);
  PRISM_FAIL(PRISM_MEMORY, "the locks of an engine could not be made");
}

static prism_status_t start_threads(desk_t *desk, void *const *island) {
  for (int32_t i = 0; i < desk->islands; ++i) {
    slot_t *slot = &desk->slot[i];
    slot->desk = desk;
    slot->island = island[i];
    atomic_init(&slot->stop, false);
    int failed = pthread_create(&slot->thread, NULL, island_thread, slot);
    if (failed != 0)
      PRISM_FAIL(PRISM_MEMORY, "thread %d of %d could not be started: %s", i + 1, desk->islands,
                 strerror(failed));
    slot->started = true;
  }
  return PRISM_OK;
}

prism_status_t prism_desk_create(const prism_desk_setup_t *setup, prism_engine_t *out) {
  if (setup->islands < 1) PRISM_FAIL(PRISM_INVALID, "an engine needs at least one island");
  desk_t *desk = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &desk));
  prism_status_t status = PRISM_ALLOC_ZERO(setup->islands, &desk->slot);
  if (status == PRISM_OK) status = make_locks(desk);
  if (status != PRISM_OK) {
    prism_free(desk->slot);
    prism_free(desk);
    return status;
  }
  desk->ops = (prism_engine_ops_t){
      .name = setup->name,           .detail = setup->detail,
      .describe = desk_describe,     .submit = desk_submit,
      .poll = desk_poll,             .wait_any = desk_wait_any,
      .stop = desk_stop,             .export_colors = desk_export,
      .import_colors = desk_import,  .set_hooks = desk_hooks,
      .export_counters = desk_counters,
      .save = setup->ops->save != NULL ? desk_save : NULL,
      .restore = setup->ops->restore != NULL ? desk_restore : NULL,
      .outbox = setup->ops->outbox != NULL ? desk_outbox : NULL,
      .inbox = setup->ops->inbox != NULL ? desk_inbox : NULL,
      .receive = setup->ops->receive != NULL ? desk_receive : NULL,
      .ladder = setup->ops->ladder != NULL ? desk_ladder : NULL,
      .gpu_stats = setup->gpu_stats != NULL ? desk_gpu_stats : NULL,
      .gpu_profile = setup->gpu_profile != NULL ? desk_gpu_profile : NULL,
      .destroy = desk_destroy,
  };
  desk->island_ops = setup->ops;
  desk->bell = setup->bell;
  desk->owner = setup->owner;
  desk->gpu_stats = setup->gpu_stats;
  desk->gpu_profile = setup->gpu_profile;
  desk->destroy = setup->destroy;
  desk->islands = setup->islands;
  status = start_threads(desk, setup->island);
  if (status != PRISM_OK) {
    close_desk(desk);
    return status;
  }
  *out = (prism_engine_t){.ops = &desk->ops, .self = desk, .islands = desk->islands};
  return PRISM_OK;
}
