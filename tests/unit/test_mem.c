/* Checked allocation and its counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void blocks_are_aligned_and_counted(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
  int32_t *numbers = NULL;
  double *zeros = NULL;
  char *empty = NULL;
  assert_int_equal(PRISM_ALLOC(1000, &numbers), PRISM_OK);
  assert_int_equal(PRISM_ALLOC_ZERO(77, &zeros), PRISM_OK);
  assert_int_equal(PRISM_ALLOC(0, &empty), PRISM_OK);
  assert_non_null(empty);
  assert_int_equal((uintptr_t)numbers % 64, 0);
  assert_int_equal((uintptr_t)zeros % 64, 0);
  assert_int_equal((uintptr_t)empty % 64, 0);
  for (int i = 0; i < 77; ++i) assert_true(zeros[i] == 0.0);
  assert_int_equal(prism_mem_live_blocks(), 3);
  assert_int_equal(prism_mem_live_bytes(), 1000 * sizeof *numbers + 77 * sizeof *zeros);
  assert_true(prism_mem_peak_bytes() >= prism_mem_live_bytes());
  prism_free(numbers);
  prism_free(zeros);
  prism_free(empty);
  prism_free(NULL);
  assert_int_equal(prism_mem_live_blocks(), 0);
  assert_int_equal(prism_mem_live_bytes(), 0);
}

static void growing_keeps_contents(void **state) {
  (void)state;
  int32_t *numbers = NULL;
  size_t room = 0;
  for (int32_t i = 0; i < 1000; ++i) {
    if ((size_t)i == room) {
      size_t larger = room == 0 ? 1 : 2 * room;
      assert_int_equal(PRISM_GROW(&numbers, room, larger), PRISM_OK);
      room = larger;
    }
    numbers[i] = 3 * i;
  }
  assert_int_equal(PRISM_GROW(&numbers, room, 500), PRISM_OK); /* also shrinks */
  for (int32_t i = 0; i < 500; ++i) assert_int_equal(numbers[i], 3 * i);
  assert_int_equal(prism_mem_live_blocks(), 1);
  assert_int_equal(prism_mem_live_bytes(), 500 * sizeof *numbers);
  prism_free(numbers);
}

static void overflow_is_refused(void **state) {
  (void)state;
  void *block = NULL;
  assert_int_equal(prism_alloc_bytes(SIZE_MAX / 4, 8, &block), PRISM_MEMORY);
  assert_int_equal(prism_alloc_bytes(SIZE_MAX, 1, &block), PRISM_MEMORY);
  assert_int_equal(prism_alloc_zero_bytes(SIZE_MAX / 2, 3, &block), PRISM_MEMORY);
  assert_null(block);
  int64_t *kept = NULL;
  assert_int_equal(PRISM_ALLOC(1, &kept), PRISM_OK);
  *kept = 42;
  assert_int_equal(PRISM_GROW(&kept, 1, SIZE_MAX / 8), PRISM_MEMORY);
  assert_int_equal(*kept, 42);
  prism_free(kept);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_aligned_and_counted),
      cmocka_unit_test(growing_keeps_contents),
      cmocka_unit_test(overflow_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
