/* The overlap meter against naive counts. No GPU needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "gpu/gpu_fixture.h"
#include "runtime/overlap.h"

static const uint64_t seed = 20261213;

/* cmocka's own compares in single precision. */
#define assert_near(a, b, error) assert_true(fabs((double)(a) - (double)(b)) <= (error))

enum { CELLS = 400, INTERVALS = 60 };

/* Times are whole seconds here, so that every second is a cell to be marked. */
typedef struct sample {
  prism_interval_t interval;
  prism_activity_t activity;
} sample_t;

static prism_overlap_times_t count_cells(const sample_t *sample, int count) {
  bool cell[2][CELLS] = {{false}};
  double first = CELLS, last = 0;
  for (int i = 0; i < count; ++i) {
    prism_interval_t interval = sample[i].interval;
    if (interval.end <= interval.begin) continue;
    first = fmin(first, interval.begin);
    last = fmax(last, interval.end);
    for (int t = (int)interval.begin; t < (int)interval.end; ++t)
      cell[sample[i].activity][t] = true;
  }
  prism_overlap_times_t times = {0};
  for (int t = 0; t < CELLS; ++t) {
    times.busy += cell[PRISM_ACTIVITY_KERNEL][t];
    times.transfer += cell[PRISM_ACTIVITY_TRANSFER][t];
    times.hidden += cell[PRISM_ACTIVITY_KERNEL][t] && cell[PRISM_ACTIVITY_TRANSFER][t];
  }
  times.span = last > first ? last - first : 0;
  times.idle = times.span - times.busy;
  return times;
}

static void assert_times(const prism_overlap_times_t *times, const prism_overlap_times_t *wanted) {
  assert_near(times->busy, wanted->busy, 1e-9);
  assert_near(times->transfer, wanted->transfer, 1e-9);
  assert_near(times->hidden, wanted->hidden, 1e-9);
  assert_near(times->span, wanted->span, 1e-9);
  assert_near(times->idle, wanted->idle, 1e-9);
  assert_near(times->late, 0, 1e-9);
}

static void draw(prism_rng_t *rng, sample_t *sample, int count, uint32_t longest) {
  for (int i = 0; i < count; ++i) {
    double begin = prism_rng_below(rng, CELLS - longest);
    double length = prism_rng_below(rng, longest + 1); /* 0 too */
    sample[i].interval = (prism_interval_t){begin, begin + length};
    sample[i].activity = (prism_activity_t)prism_rng_below(rng, 2);
  }
}

static int sample_by_begin(const void *a, const void *b) {
  double x = ((const sample_t *)a)->interval.begin, y = ((const sample_t *)b)->interval.begin;
  return (x > y) - (x < y);
}

static void unions_by_hand(void **state) {
  (void)state;
  prism_interval_t a[] = {{5, 7}, {1, 2}, {2, 3}, {9, 8}, {6, 6.5}, {NAN, 4}};
  assert_int_equal(prism_interval_union(a, 6), 2);
  assert_near(a[0].begin, 1, 0);
  assert_near(a[0].end, 3, 0);
  assert_near(prism_interval_length(a, 2), 4, 1e-12);
  prism_interval_t b[] = {{2.5, 5.5}, {6, 10}};
  assert_near(prism_interval_common(a, 2, b, 2), 0.5 + 0.5 + 1, 1e-12);
  assert_near(prism_interval_common(a, 2, b, 0), 0, 0);
  assert_int_equal(prism_interval_union(a, 0), 0);
}

static void batches_match_cells(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 500; ++round) {
    sample_t sample[INTERVALS];
    int count = (int)prism_rng_below(&rng, INTERVALS + 1);
    draw(&rng, sample, count, 1 + prism_rng_below(&rng, 40));
    prism_interval_t side[2][INTERVALS];
    size_t length[2] = {0, 0};
    for (int i = 0; i < count; ++i)
      side[sample[i].activity][length[sample[i].activity]++] = sample[i].interval;
    size_t kernels = prism_interval_union(side[0], length[0]);
    size_t transfers = prism_interval_union(side[1], length[1]);
    prism_overlap_times_t wanted = count_cells(sample, count);
    assert_near(prism_interval_length(side[0], kernels), wanted.busy, 1e-9);
    assert_near(prism_interval_length(side[1], transfers), wanted.transfer, 1e-9);
    assert_near(prism_interval_common(side[0], kernels, side[1], transfers), wanted.hidden,
                       1e-9);
  }
}

static void any_order_with_room(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 500; ++round) {
    sample_t sample[INTERVALS];
    prism_overlap_t *overlap = NULL;
    prism_overlap_times_t times, wanted;
    assert_int_equal(prism_overlap_create(INTERVALS, &overlap), PRISM_OK);
    draw(&rng, sample, INTERVALS, 1 + prism_rng_below(&rng, 60));
    for (int i = 0; i < INTERVALS; ++i) {
      prism_overlap_add(overlap, sample[i].activity, sample[i].interval.begin,
                        sample[i].interval.end);
      wanted = count_cells(sample, i + 1);
      prism_overlap_times(overlap, &times);
      assert_times(&times, &wanted);
    }
    prism_overlap_settle(overlap, prism_rng_below(&rng, CELLS)); /* changes no sum */
    prism_overlap_times(overlap, &times);
    assert_times(&times, &wanted);
    prism_overlap_destroy(&overlap);
    assert_null(overlap);
  }
}

/* In the order of their begins nothing is late, however small the store. */
static void little_room_in_order(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 500; ++round) {
    sample_t sample[INTERVALS];
    prism_overlap_t *overlap = NULL;
    prism_overlap_times_t times, wanted;
    assert_int_equal(prism_overlap_create(4 + prism_rng_below(&rng, 4), &overlap), PRISM_OK);
    draw(&rng, sample, INTERVALS, 1 + prism_rng_below(&rng, 8));
    qsort(sample, INTERVALS, sizeof *sample, sample_by_begin);
    for (int i = 0; i < INTERVALS; ++i) {
      prism_overlap_add(overlap, sample[i].activity, sample[i].interval.begin,
                        sample[i].interval.end);
      if (prism_rng_below(&rng, 8) == 0) prism_overlap_settle(overlap, sample[i].interval.begin);
    }
    wanted = count_cells(sample, INTERVALS);
    prism_overlap_times(overlap, &times);
    assert_times(&times, &wanted);
    prism_overlap_destroy(&overlap);
  }
}

/* What comes too late is told and never counted twice. */
static void late_ones_are_told(void **state) {
  (void)state;
  prism_overlap_t *overlap = NULL;
  prism_overlap_times_t times;
  assert_int_equal(prism_overlap_create(3, &overlap), PRISM_INVALID);
  assert_null(overlap);
  assert_int_equal(prism_overlap_create(8, &overlap), PRISM_OK);
  prism_overlap_times(overlap, &times);
  assert_near(times.span, 0, 0);
  assert_near(times.idle, 0, 0);
  prism_overlap_add(overlap, PRISM_ACTIVITY_KERNEL, 10, 20);
  prism_overlap_settle(overlap, 15);
  prism_overlap_settle(overlap, 12); /* never back */
  prism_overlap_add(overlap, PRISM_ACTIVITY_TRANSFER, 11, 17);
  prism_overlap_add(overlap, PRISM_ACTIVITY_KERNEL, 13, 14);
  prism_overlap_times(overlap, &times);
  assert_near(times.late, 4 + 1, 1e-12);
  assert_near(times.busy, 10, 1e-12);
  assert_near(times.transfer, 2, 1e-12);
  assert_near(times.hidden, 2, 1e-12);
  prism_overlap_destroy(&overlap);
}

int main(void) {
  printf("seed %llu\n", (unsigned long long)seed);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unions_by_hand),       cmocka_unit_test(batches_match_cells),
      cmocka_unit_test(any_order_with_room),  cmocka_unit_test(little_room_in_order),
      cmocka_unit_test(late_ones_are_told),
  };
  return gpu_run(tests);
}
