#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "solve/worker.h"

/* A communicator of two ranks that only counts heartbeats. */
typedef struct fake {
  atomic_int beats;
  int fail_from; /* this heartbeat and later ones fail; 0: none */
  pthread_t caller;
  int wrong_thread;
} fake_t;

static prism_status_t fake_heartbeat(void *self) {
  fake_t *fake = self;
  if (!pthread_equal(pthread_self(), fake->caller)) fake->wrong_thread = 1;
  int beat = atomic_fetch_add(&fake->beats, 1) + 1;
  if (fake->fail_from > 0 && beat >= fake->fail_from)
    PRISM_FAIL(PRISM_PEER, "rank 1 is lost (heartbeat %d)", beat);
  return PRISM_OK;
}

static const prism_comm_ops_t fake_ops = {.name = "fake", .heartbeat = fake_heartbeat};

static prism_comm_t make_comm(fake_t *fake, int32_t size) {
  return (prism_comm_t){.ops = &fake_ops, .self = fake, .rank = 0, .size = size};
}

typedef struct job {
  fake_t *fake;
  int wait_beats; /* run until so many heartbeats were seen */
  prism_status_t status;
  const char *text;
  pthread_t thread;
  int ran;
} job_t;

static prism_status_t do_job(void *arg) {
  job_t *job = arg;
  double start = prism_clock_now();
  job->thread = pthread_self();
  while (job->fake != NULL && atomic_load(&job->fake->beats) < job->wait_beats) {
    if (prism_clock_now() - start > 60.0) PRISM_FAIL(PRISM_TIMEOUT, "no heartbeats came");
    prism_clock_sleep(0.01);
  }
  ++job->ran;
  if (job->status != PRISM_OK) PRISM_FAIL(job->status, "%s", job->text);
  return PRISM_OK;
}

static void runs_beside_heartbeats(void **state) {
  (void)state;
  fake_t fake = {.caller = pthread_self()};
  prism_comm_t comm = make_comm(&fake, 2);
  job_t job = {.fake = &fake, .wait_beats = 4};
  assert_int_equal(prism_worker_run(do_job, &job, &comm), PRISM_OK);
  assert_int_equal(job.ran, 1);
  assert_true(atomic_load(&fake.beats) >= 4);
  assert_false(fake.wrong_thread);
  assert_false(pthread_equal(job.thread, pthread_self()));
}

static void hands_over_the_error(void **state) {
  (void)state;
  fake_t fake = {.caller = pthread_self()};
  prism_comm_t comm = make_comm(&fake, 3);
  job_t job = {.fake = &fake, .wait_beats = 1, .status = PRISM_FORMAT,
               .text = "graph.col:7: vertex 0 does not exist"};
  prism_error_clear();
  assert_int_equal(prism_worker_run(do_job, &job, &comm), PRISM_FORMAT);
  assert_string_equal(prism_error_text(), "graph.col:7: vertex 0 does not exist");
}

/* The work ends first; the lost peer is reported when the work itself was fine. */
static void reports_a_lost_peer(void **state) {
  (void)state;
  fake_t fake = {.caller = pthread_self(), .fail_from = 2};
  prism_comm_t comm = make_comm(&fake, 2);
  job_t job = {.fake = &fake, .wait_beats = 2};
  assert_int_equal(prism_worker_run(do_job, &job, &comm), PRISM_PEER);
  assert_int_equal(job.ran, 1);
  assert_string_equal(prism_error_text(), "rank 1 is lost (heartbeat 2)");
  assert_int_equal(atomic_load(&fake.beats), 2); /* none after the failure */

  fake_t both = {.caller = pthread_self(), .fail_from = 1};
  comm = make_comm(&both, 2);
  job = (job_t){.fake = &both, .wait_beats = 1, .status = PRISM_IO, .text = "no such file"};
  assert_int_equal(prism_worker_run(do_job, &job, &comm), PRISM_IO);
  assert_string_equal(prism_error_text(), "no such file");
}

static void needs_no_thread_alone(void **state) {
  (void)state;
  prism_comm_t self = {0};
  assert_int_equal(prism_comm_self_create(&self), PRISM_OK);
  job_t job = {.status = PRISM_MEMORY, .text = "too large"};
  assert_int_equal(prism_worker_run(do_job, &job, &self), PRISM_MEMORY);
  assert_string_equal(prism_error_text(), "too large");
  assert_true(pthread_equal(job.thread, pthread_self()));
  job = (job_t){.status = PRISM_OK};
  assert_int_equal(prism_worker_run(do_job, &job, NULL), PRISM_OK);
  assert_int_equal(job.ran, 1);
  prism_comm_destroy(&self);
}

static void releases_everything(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_beside_heartbeats), cmocka_unit_test(hands_over_the_error),
      cmocka_unit_test(reports_a_lost_peer),    cmocka_unit_test(needs_no_thread_alone),
      cmocka_unit_test(releases_everything),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
