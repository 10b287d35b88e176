/* The bounded ring, alone and between two threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "base/mem.h"
#include "base/ring.h"

typedef struct record {
  uint64_t number;
  uint64_t check;
} record_t;

static record_t make(uint64_t number) { return (record_t){number, ~number * 31}; }

static void first_in_first_out_and_drops(void **state) {
  (void)state;
  prism_ring_t *ring = NULL;
  record_t out;
  assert_int_equal(prism_ring_create(4, sizeof(record_t), &ring), PRISM_OK);
  uint64_t pushed = 0, popped = 0;
  for (int round = 0; round < 10; ++round) {
    assert_false(prism_ring_pop(ring, &out));
    for (int i = 0; i < 4; ++i) {
      record_t in = make(pushed++);
      assert_true(prism_ring_push(ring, &in));
    }
    record_t lost = make(999);
    assert_false(prism_ring_push(ring, &lost)); /* the newest is dropped */
    assert_int_equal(prism_ring_dropped(ring), round + 1);
    for (int i = 0; i < 4; ++i) {
      assert_true(prism_ring_pop(ring, &out));
      assert_int_equal(out.number, popped++);
    }
  }
  prism_ring_destroy(&ring);
  assert_null(ring);
  prism_ring_destroy(&ring);
}

static void odd_record_sizes(void **state) {
  (void)state;
  for (size_t size = 1; size < 70; ++size) {
    prism_ring_t *ring = NULL;
    unsigned char in[70], out[70];
    assert_int_equal(prism_ring_create(1, size, &ring), PRISM_OK);
    for (int round = 0; round < 3; ++round) {
      memset(in, round + 1, sizeof in);
      memset(out, 0xEE, sizeof out);
      assert_true(prism_ring_push(ring, in));
      assert_false(prism_ring_push(ring, in));
      assert_true(prism_ring_pop(ring, out));
      assert_memory_equal(in, out, size);
      assert_int_equal(out[size], 0xEE);
    }
    prism_ring_destroy(&ring);
  }
}

static void bad_sizes_are_refused(void **state) {
  (void)state;
  prism_ring_t *ring = NULL;
  assert_int_equal(prism_ring_create(0, 8, &ring), PRISM_INVALID);
  assert_int_equal(prism_ring_create(12, 8, &ring), PRISM_INVALID);
  assert_int_equal(prism_ring_create(8, 0, &ring), PRISM_INVALID);
  assert_int_equal(prism_ring_create(SIZE_MAX / 2 + 1, 8, &ring), PRISM_MEMORY);
  assert_null(ring);
}

enum { RECORDS = 200000 };

typedef struct producer {
  prism_ring_t *ring;
  uint64_t accepted;
} producer_t;

static void *produce(void *argument) {
  producer_t *producer = argument;
  for (uint64_t i = 0; i < RECORDS; ++i) {
    record_t record = make(i);
    producer->accepted += prism_ring_push(producer->ring, &record);
    if (i % 1000 == 0) sched_yield();
  }
  record_t last = make(RECORDS); /* the end mark must arrive */
  while (!prism_ring_push(producer->ring, &last)) sched_yield();
  return NULL;
}

static void two_threads_lose_only_what_is_counted(void **state) {
  (void)state;
  producer_t producer = {NULL, 0};
  pthread_t thread;
  assert_int_equal(prism_ring_create(64, sizeof(record_t), &producer.ring), PRISM_OK);
  assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
  uint64_t received = 0, next = 0;
  bool in_order = true, whole = true, ended = false;
  while (!ended) {
    record_t record;
    if (!prism_ring_pop(producer.ring, &record)) {
      sched_yield();
      continue;
    }
    in_order = in_order && record.number >= next;
    whole = whole && record.check == make(record.number).check;
    next = record.number + 1;
    ended = record.number == RECORDS;
    received += !ended;
  }
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_true(in_order);
  assert_true(whole);
  assert_int_equal(received, producer.accepted);
  /* Attempts at the end mark may have been dropped too. */
  assert_true(prism_ring_dropped(producer.ring) >= RECORDS - received);
  prism_ring_destroy(&producer.ring);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_in_first_out_and_drops),
      cmocka_unit_test(odd_record_sizes),
      cmocka_unit_test(bad_sizes_are_refused),
      cmocka_unit_test(two_threads_lose_only_what_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
