/* Error text and traces per thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/mem.h"
#include "base/status.h"

static prism_status_t inner(int value) {
  if (value < 0) PRISM_FAIL(PRISM_FORMAT, "value %d is negative", value);
  return PRISM_OK;
}

static prism_status_t outer(int value) {
  PRISM_TRY(inner(value));
  return PRISM_OK;
}

static prism_status_t cleaning(int value, int *cleaned) {
  prism_status_t status;
  PRISM_TRY_GOTO(status, outer(value), done);
done:
  *cleaned = 1;
  return status;
}

static void failure_keeps_text_and_frames(void **state) {
  (void)state;
  int cleaned = 0;
  prism_error_clear();
  assert_int_equal(cleaning(1, &cleaned), PRISM_OK);
  assert_string_equal(prism_error_text(), "");
  assert_int_equal(cleaning(-3, &cleaned), PRISM_FORMAT);
  assert_int_equal(cleaned, 1);
  assert_string_equal(prism_error_text(), "value -3 is negative");
  const char *first = strstr(prism_error_trace(), " inner\n");
  const char *second = strstr(prism_error_trace(), " outer\n");
  const char *third = strstr(prism_error_trace(), " cleaning\n");
  assert_non_null(first);
  assert_non_null(second);
  assert_non_null(third);
  assert_true(first < second && second < third);
  assert_non_null(strstr(prism_error_trace(), "test_status.c:"));
  prism_error_clear();
  assert_string_equal(prism_error_text(), "");
  assert_string_equal(prism_error_trace(), "");
}

/* A message may quote the message before it. */
static void text_may_hold_the_old_text(void **state) {
  (void)state;
  prism_error_set(PRISM_IO, "disk");
  prism_status_t status =
      prism_error_record(PRISM_STORAGE, "f.c", 7, "f", "after: %s", prism_error_text());
  assert_int_equal(status, PRISM_STORAGE);
  assert_string_equal(prism_error_text(), "after: disk");
  assert_string_equal(prism_error_trace(), "f.c:7 f\n");
}

static void long_texts_and_traces_are_cut(void **state) {
  (void)state;
  static char text[5000];
  memset(text, 'x', sizeof text - 1);
  prism_error_set(PRISM_IO, text);
  size_t kept = strlen(prism_error_text());
  assert_true(kept > 500 && kept < sizeof text - 1);
  for (int i = 0; i < 1000; ++i) prism_error_frame("some_file.c", i, "some_function");
  assert_true(strlen(prism_error_trace()) < 100000);
}

static void *fail_elsewhere(void *unused) {
  (void)unused;
  (void)outer(-9);
  return NULL;
}

static void each_thread_has_its_own_text(void **state) {
  (void)state;
  prism_error_set(PRISM_IO, "mine");
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_string_equal(prism_error_text(), "mine");
}

static void codes_have_texts_and_exit_codes(void **state) {
  (void)state;
  for (int s = 0; s < PRISM_STATUS_COUNT; ++s) {
    assert_true(strlen(prism_status_text((prism_status_t)s)) > 0);
    assert_in_range(prism_status_exit_code((prism_status_t)s), 0, 4);
  }
  assert_int_equal(prism_status_exit_code(PRISM_OK), 0);
  assert_int_equal(prism_status_exit_code(PRISM_FORMAT), 2);
  assert_int_equal(prism_status_exit_code(PRISM_IO), 2);
  assert_int_equal(prism_status_exit_code(PRISM_MEMORY), 3);
  assert_int_equal(prism_status_exit_code(PRISM_INTERNAL), 4);
  assert_string_equal(prism_status_text(PRISM_STATUS_COUNT), "unknown status");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(failure_keeps_text_and_frames),
      cmocka_unit_test(text_may_hold_the_old_text),
      cmocka_unit_test(long_texts_and_traces_are_cut),
      cmocka_unit_test(each_thread_has_its_own_text),
      cmocka_unit_test(codes_have_texts_and_exit_codes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
