/* The ticket desk over islands that do nothing but what the test tells them, the bell,
 * and what goes wrong while engines are joined. The rest: the conformance suite. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "seam/desk.h"
#include "seam/joint.h"

enum { ISLANDS = 3 };
static const double guard = 60.0; /* s; only a hang takes that long */

typedef struct toy {
  prism_status_t status; /* how its work ends */
  bool until_told;       /* work until the device flag is raised */
  atomic_bool flag;      /* as on a device */
  atomic_int told;       /* calls of stop */
  int32_t imports;
} toy_t;

typedef struct box {
  toy_t toy[ISLANDS];
  int32_t destroyed;
} box_t;

static void toy_describe(const void *island, prism_island_info_t *out) {
  (void)island;
  *out = (prism_island_info_t){.methods = PRISM_METHOD_BIT(PRISM_METHOD_POOL), .mode = "gpu",
                               .stream = 4, .device = "toy"};
}

static prism_status_t toy_work(void *island, const prism_work_t *work, const atomic_bool *stop,
                               prism_summary_t *summary) {
  toy_t *toy = island;
  atomic_store(&toy->flag, false);
  double begin = prism_clock_now();
  while (toy->until_told && !atomic_load(stop) && !atomic_load(&toy->flag)) {
    prism_clock_sleep(0.001);
    if (prism_clock_now() - begin > guard) PRISM_FAIL(PRISM_TIMEOUT, "nobody stops this island");
  }
  if (toy->status != PRISM_OK) PRISM_FAIL(toy->status, "island of k %d broke", work->k);
  *summary = (prism_summary_t){.phase = work->phase, .method = work->params.method,
                               .k = work->k, .iterations = work->iterations, .island = 99};
  return PRISM_OK;
}

static prism_status_t toy_export(void *island, int32_t which, uint32_t draw, int32_t *color,
                                 int32_t *k, int64_t *f) {
  (void)island;
  (void)which;
  (void)draw;
  (void)color;
  *k = 1;
  *f = 0;
  return PRISM_OK;
}

static prism_status_t toy_import(void *island, const int32_t *color, int32_t k, bool seed,
                                 prism_import_result_t *result) {
  (void)color;
  (void)k;
  toy_t *toy = island;
  ++toy->imports;
  *result = (prism_import_result_t){seed, -1};
  return PRISM_OK;
}

static prism_status_t toy_hooks(void *island, const prism_hooks_t *hooks) {
  (void)island;
  (void)hooks;
  PRISM_FAIL(PRISM_UNSUPPORTED, "toys have no hooks");
}

static prism_status_t toy_counters(void *island, prism_counter_t which, uint32_t *values) {
  (void)island;
  (void)which;
  (void)values;
  PRISM_FAIL(PRISM_INVALID, "toys do not count");
}

static void toy_stop(void *island) {
  toy_t *toy = island;
  atomic_fetch_add(&toy->told, 1);
  atomic_store(&toy->flag, true);
}

static bool box_stats(void *owner, prism_gpu_stats_t *out) {
  box_t *box = owner;
  *out = (prism_gpu_stats_t){.wall = box->toy[0].imports + 1.0};
  return true;
}

static void box_destroy(void *owner) {
  box_t *box = owner;
  ++box->destroyed;
}

static const prism_island_ops_t toy_ops = {.describe = toy_describe, .work = toy_work,
                                           .export_colors = toy_export,
                                           .import_colors = toy_import, .set_hooks = toy_hooks,
                                           .export_counters = toy_counters, .stop = toy_stop};

static prism_engine_t open_desk(box_t *box, prism_bell_t *bell) {
  void *island[ISLANDS];
  for (int i = 0; i < ISLANDS; ++i) island[i] = &box->toy[i];
  prism_desk_setup_t setup = {.name = "toy", .detail = "plain", .islands = ISLANDS,
                              .island = island, .ops = &toy_ops, .bell = bell, .owner = box,
                              .gpu_stats = box_stats, .destroy = box_destroy};
  prism_engine_t engine = {0};
  assert_int_equal(prism_desk_create(&setup, &engine), PRISM_OK);
  assert_int_equal(engine.islands, ISLANDS);
  assert_string_equal(engine.ops->name, "toy");
  assert_string_equal(engine.ops->detail, "plain");
  return engine;
}

static prism_work_t pool_work(int32_t k) {
  return (prism_work_t){.phase = PRISM_PHASE_MEMETIC, .k = k, .iterations = 10,
                        .params = {.method = PRISM_METHOD_POOL}};
}

static void calls_reach_their_island(void **state) {
  (void)state;
  box_t box = {0};
  prism_engine_t engine = open_desk(&box, NULL);
  prism_import_result_t result;
  for (int32_t i = 0; i < ISLANDS; ++i)
    for (int32_t times = 0; times <= i; ++times)
      assert_int_equal(engine.ops->import_colors(engine.self, i, NULL, 3, true, &result), PRISM_OK);
  for (int32_t i = 0; i < ISLANDS; ++i) assert_int_equal(box.toy[i].imports, i + 1);
  assert_int_equal(engine.ops->set_hooks(engine.self, 0, NULL), PRISM_UNSUPPORTED);
  assert_int_equal(engine.ops->set_hooks(engine.self, ISLANDS, NULL), PRISM_INVALID);
  prism_island_info_t info;
  engine.ops->describe(engine.self, 2, &info);
  assert_int_equal(info.stream, 4);
  prism_gpu_stats_t stats;
  assert_true(engine.ops->gpu_stats(engine.self, &stats));
  assert_true(stats.wall == 2.0);
  prism_engine_destroy(&engine);
  assert_int_equal(box.destroyed, 1);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void only_what_an_island_runs(void **state) {
  (void)state;
  box_t box = {0};
  prism_engine_t engine = open_desk(&box, NULL);
  int64_t ticket = -1;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_work_t work = pool_work(3);
    work.params.method = (prism_method_t)m;
    work.phase = prism_method_phase(work.params.method);
    prism_status_t status = engine.ops->submit(engine.self, 0, &work, &ticket);
    if (m == PRISM_METHOD_POOL) {
      bool done = false;
      prism_summary_t summary;
      assert_int_equal(status, PRISM_OK);
      assert_int_equal(engine.ops->poll(engine.self, ticket, guard, &done, &summary), PRISM_OK);
      assert_true(done && summary.island == 0 && summary.iterations == 10);
    } else {
      assert_int_equal(status, PRISM_UNSUPPORTED);
      assert_non_null(strstr(prism_error_text(), prism_method_name((prism_method_t)m)));
    }
  }
  prism_work_t work = pool_work(3);
  work.phase = PRISM_PHASE_THERMODYNAMIC;
  assert_int_equal(engine.ops->submit(engine.self, 0, &work, &ticket), PRISM_UNSUPPORTED);
  prism_engine_destroy(&engine);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void failures_come_out_of_poll(void **state) {
  (void)state;
  box_t box = {0};
  box.toy[1].status = PRISM_DEVICE;
  prism_engine_t engine = open_desk(&box, NULL);
  int64_t ticket[2] = {-1, -1};
  prism_work_t work = pool_work(8);
  assert_int_equal(engine.ops->submit(engine.self, 0, &work, &ticket[0]), PRISM_OK);
  assert_int_equal(engine.ops->submit(engine.self, 1, &work, &ticket[1]), PRISM_OK);
  bool done = false;
  prism_summary_t summary;
  assert_int_equal(engine.ops->poll(engine.self, ticket[0], guard, &done, &summary), PRISM_OK);
  prism_error_clear();
  assert_int_equal(engine.ops->poll(engine.self, ticket[1], guard, &done, &summary), PRISM_DEVICE);
  assert_string_equal(prism_error_text(), "island of k 8 broke"); /* from the island's thread */
  assert_int_equal(engine.ops->poll(engine.self, ticket[1], 0.0, &done, &summary), PRISM_INVALID);
  box.toy[1].status = PRISM_OK; /* whether it can serve again is the engine's matter */
  assert_int_equal(engine.ops->submit(engine.self, 1, &work, &ticket[1]), PRISM_OK);
  assert_int_equal(engine.ops->poll(engine.self, ticket[1], guard, &done, &summary), PRISM_OK);
  assert_true(done && summary.island == 1);
  prism_engine_destroy(&engine);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void stop_reaches_the_device(void **state) {
  (void)state;
  box_t box = {0};
  for (int i = 0; i < ISLANDS; ++i) box.toy[i].until_told = true;
  prism_engine_t engine = open_desk(&box, NULL);
  prism_work_t work = pool_work(3);
  for (int round = 0; round < 50; ++round) {
    int64_t ticket = -1;
    bool done = false;
    prism_summary_t summary;
    if (round % 3 == 0) engine.ops->stop(engine.self, 1); /* idle: forgotten at once */
    assert_int_equal(engine.ops->submit(engine.self, 1, &work, &ticket), PRISM_OK);
    if (round % 3 == 1) prism_clock_sleep(0.002);
    assert_int_equal(engine.ops->poll(engine.self, ticket, 0.0, &done, &summary), PRISM_OK);
    assert_false(done);
    engine.ops->stop(engine.self, 1); /* also right after submit, before work() begins */
    assert_int_equal(engine.ops->poll(engine.self, ticket, guard, &done, &summary), PRISM_OK);
    assert_true(done);
  }
  assert_int_equal(atomic_load(&box.toy[1].told), 50 + 17);
  engine.ops->stop(engine.self, -1);
  engine.ops->stop(engine.self, ISLANDS);
  int64_t ticket = -1;
  assert_int_equal(engine.ops->submit(engine.self, 0, &work, &ticket), PRISM_OK);
  assert_int_equal(engine.ops->submit(engine.self, 2, &work, &ticket), PRISM_OK);
  prism_engine_destroy(&engine); /* recalls both */
  assert_int_equal(box.destroyed, 1);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void an_empty_desk_is_refused(void **state) {
  (void)state;
  box_t box = {0};
  prism_desk_setup_t setup = {.name = "toy", .detail = "", .ops = &toy_ops, .owner = &box,
                              .destroy = box_destroy};
  prism_engine_t engine = {0};
  assert_int_equal(prism_desk_create(&setup, &engine), PRISM_INVALID);
  assert_null(engine.ops);
  assert_int_equal(box.destroyed, 0); /* still the caller's */
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- the bell ---- */

static void *ring_later(void *argument) {
  prism_clock_sleep(0.02);
  prism_bell_ring(argument);
  return NULL;
}

static void the_bell_wakes(void **state) {
  (void)state;
  prism_bell_t *bell = NULL;
  assert_int_equal(prism_bell_create(&bell), PRISM_OK);
  assert_int_equal(prism_bell_wait(bell, 0.0), 0);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, ring_later, bell), 0);
  assert_int_equal(prism_bell_wait(bell, guard), 1);
  assert_int_equal(pthread_join(thread, NULL), 0);
  prism_bell_ring(bell);
  assert_int_equal(prism_bell_wait(bell, guard), 2);
  prism_bell_answer(bell);
  prism_bell_answer(bell);
  assert_int_equal(prism_bell_wait(bell, 0.005), 0);
  prism_bell_destroy(&bell);
  prism_bell_destroy(&bell); /* without harm */
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- joining ---- */

static prism_status_t create_box(const prism_engine_config_t *config, const void *context,
                                 prism_engine_t *out) {
  box_t *box = *(box_t *const *)context;
  assert_int_equal(config->islands, ISLANDS);
  box->toy[0].imports = config->first_island;
  *out = open_desk(box, config->bell);
  return PRISM_OK;
}

static prism_status_t create_nothing(const prism_engine_config_t *config, const void *context,
                                     prism_engine_t *out) {
  (void)config;
  (void)context;
  (void)out;
  PRISM_FAIL(PRISM_MEMORY, "there is no room");
}

static void joints_number_their_islands(void **state) {
  (void)state;
  box_t box[2], *at[2] = {&box[0], &box[1]};
  memset(box, 0, sizeof box);
  prism_engine_part_t part[2] = {{{"one", create_box, &at[0]}, ISLANDS},
                                 {{"two", create_box, &at[1]}, ISLANDS}};
  prism_engine_config_t config = {.first_island = 10};
  prism_engine_t engine = {0};
  assert_int_equal(prism_joint_create(part, 2, &config, &engine), PRISM_OK);
  assert_int_equal(engine.islands, 2 * ISLANDS);
  assert_string_equal(engine.ops->detail, "toy (plain) + toy (plain)");
  assert_int_equal(box[0].toy[0].imports, 10);
  assert_int_equal(box[1].toy[0].imports, 10 + ISLANDS);
  /* All work at once; the last island of the second part fails. */
  box[1].toy[2].status = PRISM_DEVICE;
  int64_t ticket[2 * ISLANDS];
  for (int32_t i = 0; i < 2 * ISLANDS; ++i) {
    prism_work_t work = pool_work(i + 1);
    assert_int_equal(engine.ops->submit(engine.self, i, &work, &ticket[i]), PRISM_OK);
    for (int32_t j = 0; j < i; ++j) assert_true(ticket[i] != ticket[j]);
  }
  for (int32_t i = 0; i < 2 * ISLANDS; ++i) {
    bool done = false;
    prism_summary_t summary;
    prism_status_t status = engine.ops->poll(engine.self, ticket[i], guard, &done, &summary);
    assert_int_equal(status, i == 5 ? PRISM_DEVICE : PRISM_OK);
    if (i == 5) assert_string_equal(prism_error_text(), "island of k 6 broke");
    if (i < 5) assert_true(done && summary.island == i && summary.k == i + 1);
  }
  assert_int_equal(engine.ops->set_hooks(engine.self, 6, NULL), PRISM_INVALID);
  assert_int_equal(engine.ops->set_hooks(engine.self, -1, NULL), PRISM_INVALID);
  prism_engine_destroy(&engine);
  assert_true(box[0].destroyed == 1 && box[1].destroyed == 1);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void a_part_that_fails_leaves_nothing(void **state) {
  (void)state;
  box_t box = {0}, *at = &box;
  prism_engine_part_t part[2] = {{{"one", create_box, &at}, ISLANDS},
                                 {{"none", create_nothing, NULL}, 1}};
  prism_engine_config_t config = {.first_island = 0};
  prism_engine_t engine = {0};
  assert_int_equal(prism_joint_create(part, 2, &config, &engine), PRISM_MEMORY);
  assert_string_equal(prism_error_text(), "there is no room");
  assert_null(engine.ops);
  assert_int_equal(box.destroyed, 1);
  assert_int_equal(prism_joint_create(part, 0, &config, &engine), PRISM_INVALID);
  assert_int_equal(prism_joint_create(&part[1], 1, &config, &engine), PRISM_MEMORY);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calls_reach_their_island),
      cmocka_unit_test(only_what_an_island_runs),
      cmocka_unit_test(failures_come_out_of_poll),
      cmocka_unit_test(stop_reaches_the_device),
      cmocka_unit_test(an_empty_desk_is_refused),
      cmocka_unit_test(the_bell_wakes),
      cmocka_unit_test(joints_number_their_islands),
      cmocka_unit_test(a_part_that_fails_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
