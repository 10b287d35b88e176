/* Work beside the main thread: its status, its text, its memory; and the making ready of a
 * GPU, which must leave nothing behind wherever it ends, also where there is no GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/background.h"
#include "app/devices.h"
#include "base/clock.h"
#include "base/mem.h"

static const double guard = 60.0; /* s; only a hang takes that long */

typedef struct task {
  atomic_bool go;
  atomic_bool began;
  prism_status_t status;
  int ran;
} task_t;

static prism_status_t wait_and_end(void *argument) {
  task_t *task = argument;
  double begin = prism_clock_now();
  atomic_store(&task->began, true);
  while (!atomic_load(&task->go)) {
    if (prism_clock_now() - begin > guard) PRISM_FAIL(PRISM_TIMEOUT, "nobody lets this task go");
    prism_clock_sleep(0.001);
  }
  ++task->ran;
  if (task->status != PRISM_OK) PRISM_FAIL(task->status, "task %d broke", task->ran);
  return PRISM_OK;
}

/* The caller goes on while the task has begun and not ended. */
static void runs_beside_the_caller(void **state) {
  (void)state;
  task_t task = {.status = PRISM_OK};
  prism_background_t *job = NULL;
  assert_int_equal(prism_background_start(wait_and_end, &task, &job), PRISM_OK);
  assert_non_null(job);
  while (!atomic_load(&task.began)) prism_clock_sleep(0.001);
  assert_int_equal(task.ran, 0);
  atomic_store(&task.go, true);
  assert_int_equal(prism_background_join(&job), PRISM_OK);
  assert_null(job);
  assert_int_equal(task.ran, 1);
  assert_int_equal(prism_background_join(&job), PRISM_OK); /* none is left: no harm */
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void a_failure_comes_with_its_text(void **state) {
  (void)state;
  task_t task = {.status = PRISM_DEVICE};
  atomic_store(&task.go, true);
  prism_background_t *job = NULL;
  assert_int_equal(prism_background_start(wait_and_end, &task, &job), PRISM_OK);
  assert_int_equal(prism_background_join(&job), PRISM_DEVICE);
  assert_string_equal(prism_error_text(), "task 1 broke");
  prism_error_clear();
  prism_comm_t comm = {0}; /* the waiting form: the same status and text */
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  assert_int_equal(prism_background_run(&comm, NULL, wait_and_end, &task, NULL), PRISM_DEVICE);
  assert_string_equal(prism_error_text(), "task 2 broke");
  prism_comm_destroy(&comm);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void an_interrupted_task_goes_on(void **state) {
  (void)state;
  static task_t task = {.status = PRISM_OK};
  prism_comm_t comm = {0};
  atomic_int interrupt = 2;
  bool abandoned = false;
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  assert_int_equal(prism_background_run(&comm, &interrupt, wait_and_end, &task, &abandoned),
                   PRISM_INTERRUPTED);
  assert_true(abandoned);
  atomic_store(&task.go, true);
  double begin = prism_clock_now();
  prism_comm_destroy(&comm);
  while (prism_mem_live_blocks() != 0 && prism_clock_now() - begin < guard)
    prism_clock_sleep(0.001); /* the worker releases what it leaves */
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Chosen or not, there or not: no error is left over, and no memory. */
static void a_gpu_is_made_ready_in_silence(void **state) {
  (void)state;
  for (int round = 0; round < 4; ++round) {
    prism_devices_t devices;
    memset(&devices, 0, sizeof devices);
    devices.gpu = round > 0;
    devices.gpu_setup.params.device_id = round == 3 ? 1000 : 0; /* no machine has that one */
    prism_error_clear();
    prism_devices_prepare(&devices);
    assert_true((devices.ahead != NULL) == devices.gpu);
    prism_gpu_ahead_t *first = devices.ahead;
    prism_devices_prepare(&devices); /* one at a time */
    assert_ptr_equal(devices.ahead, first);
    if (round == 2) prism_clock_sleep(0.02); /* ended half-way, or before it began */
    prism_devices_release(&devices);
    assert_null(devices.ahead);
    prism_devices_release(&devices);
    assert_string_equal(prism_error_text(), "");
    assert_int_equal(prism_mem_live_blocks(), 0);
  }
}

/* The cores alone: nothing is begun, whatever was built. */
static void cores_need_no_preparation(void **state) {
  (void)state;
  prism_comm_t comm = {0};
  prism_params_t params;
  prism_cores_t cores = {.threads = 2, .node_ranks = 1};
  prism_devices_t devices;
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  prism_params_default(&params);
  params.run.device = 2; /* cpu */
  assert_int_equal(prism_devices_choose(&comm, &params, &cores, &devices), PRISM_OK);
  assert_false(devices.gpu);
  assert_int_equal(devices.parts, 1);
  assert_string_equal(devices.part[0].backend.name, "cpu");
  prism_devices_prepare(&devices);
  assert_null(devices.ahead);
  prism_devices_release(&devices);
  prism_comm_destroy(&comm);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_beside_the_caller),
      cmocka_unit_test(a_failure_comes_with_its_text),
      cmocka_unit_test(an_interrupted_task_goes_on),
      cmocka_unit_test(a_gpu_is_made_ready_in_silence),
      cmocka_unit_test(cores_need_no_preparation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
