/* The watchdog: what counts as getting nowhere, and that it barks once, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/watchdog.h"
#include "base/clock.h"
#include "base/mem.h"

static void idle_islands_are_no_reason(void **state) {
  (void)state;
  prism_pulse_t pulse = {0};
  prism_watch_t watch = {0};
  for (int i = 0; i < 100; ++i) assert_false(prism_watch_look(&watch, &pulse, 1.0, 10.0));
  /* all is done: an epoch's end, where the others are waited for */
  pulse.submitted = pulse.finished = 7;
  for (int i = 0; i < 100; ++i) assert_false(prism_watch_look(&watch, &pulse, 1.0, 10.0));
}

static void work_that_never_ends_is_one(void **state) {
  (void)state;
  prism_pulse_t pulse = {.submitted = 3, .finished = 1};
  prism_watch_t watch = {0};
  assert_false(prism_watch_look(&watch, &pulse, 1.0, 3.0)); /* it was given since the last look */
  assert_false(prism_watch_look(&watch, &pulse, 1.0, 3.0));
  assert_false(prism_watch_look(&watch, &pulse, 1.0, 3.0));
  assert_true(prism_watch_look(&watch, &pulse, 1.0, 3.0));
}

static void any_finished_work_begins_the_time_anew(void **state) {
  (void)state;
  prism_pulse_t pulse = {.submitted = 2};
  prism_watch_t watch = {0};
  for (int i = 0; i < 50; ++i) {
    assert_false(prism_watch_look(&watch, &pulse, 1.0, 2.5));
    assert_false(prism_watch_look(&watch, &pulse, 1.0, 2.5));
    assert_false(prism_watch_look(&watch, &pulse, 1.0, 2.5));
    ++pulse.finished; /* one of two; the other one hangs, but the rank gets on */
    ++pulse.submitted;
  }
  for (int i = 0; i < 3; ++i) assert_false(prism_watch_look(&watch, &pulse, 1.0, 2.5));
  assert_true(prism_watch_look(&watch, &pulse, 1.0, 2.5));
}

typedef struct ear {
  atomic_int barks;
  char text[200];
} ear_t;

static void hear(void *user, const char *text) {
  ear_t *ear = user;
  strncpy(ear->text, text, sizeof ear->text - 1);
  atomic_fetch_add(&ear->barks, 1);
}

static void it_barks_once(void **state) {
  (void)state;
  prism_pulse_t pulse = {.submitted = 1, .method = PRISM_METHOD_HEAD, .colors = 48};
  ear_t ear = {0};
  prism_watchdog_t *dog = NULL;
  assert_int_equal(prism_watchdog_start(&pulse, 0.1, hear, &ear, &dog), PRISM_OK);
  assert_non_null(dog);
  for (int i = 0; i < 3000 && atomic_load(&ear.barks) == 0; ++i) prism_clock_sleep(0.01);
  prism_clock_sleep(0.3);
  prism_watchdog_stop(&dog);
  assert_null(dog);
  assert_int_equal(atomic_load(&ear.barks), 1);
  assert_string_equal(ear.text,
                      "no work finished for 0.1 s (run.watchdog); it ran head at 48 colors");
}

static void it_ends_when_told(void **state) {
  (void)state;
  prism_pulse_t pulse = {.submitted = 1};
  ear_t ear = {0};
  prism_watchdog_t *dog = NULL;
  assert_int_equal(prism_watchdog_start(&pulse, 3600.0, hear, &ear, &dog), PRISM_OK);
  prism_watchdog_stop(&dog);
  assert_int_equal(prism_watchdog_start(&pulse, 0.0, hear, &ear, &dog), PRISM_OK);
  assert_null(dog);
  prism_watchdog_stop(&dog);
  assert_int_equal(atomic_load(&ear.barks), 0);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(idle_islands_are_no_reason),
      cmocka_unit_test(work_that_never_ends_is_one),
      cmocka_unit_test(any_finished_work_begins_the_time_anew),
      cmocka_unit_test(it_barks_once),
      cmocka_unit_test(it_ends_when_told),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
