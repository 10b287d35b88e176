/* How a pool on the device goes on, as far as the host decides: no GPU is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/population_growth.h"

enum { N = 500, K = 48, FIRST = 5 * N };

static prism_population_t pool(int64_t length) {
  return (prism_population_t){.graph.n = N, .k = K, .length = length, .least = INT32_MAX,
                              .mates = true, .tournament = 8};
}

/* Generations at one distance until it is time for something else; 0: not in 1,000. */
static int32_t wait(prism_population_t *p, double distance, int32_t f) {
  for (int32_t generation = 1; generation <= 1000; ++generation)
    if (prism_population_note(p, distance, f)) return generation;
  return 0;
}

static void members_come_together(void **state) {
  (void)state;
  prism_population_t p = pool(FIRST);
  int32_t generations = 0;
  double distance = 0.8;
  while (!prism_population_note(&p, distance, 10)) {
    assert_true(++generations < 200);
    distance *= 0.95;
  }
  assert_true(p.progress.distance < 0.05 && distance < 0.05);
}

/* One that gets better without coming closer is let alone; else there is less patience with longer
 * searches than those of a first pool. */
static void still_ones_are_told(void **state) {
  (void)state;
  for (int far = 0; far < 2; ++far) {
    const double distance = far ? 0.6 : 0.2;
    prism_population_t p = pool(2 * FIRST);
    for (int32_t f = 1000; f > 700; --f) assert_false(prism_population_note(&p, distance, f));
    p = pool(2 * FIRST);
    assert_int_equal(wait(&p, distance, 10), far ? PRISM_APART_GENERATIONS + 1 : 61);
    p = pool(FIRST);
    assert_int_equal(wait(&p, distance, 10), 61);
    p = pool(2 * FIRST); /* the length that was asked for */
    p.length_given = true;
    assert_int_equal(wait(&p, distance, 10), 61);
    assert_false(prism_population_adjust(&p));
  }
}

static void searches_become_shorter(void **state) {
  (void)state;
  static const int64_t eighths[] = {24, 20, 16, 12}; /* of FIRST; 16 brought others together */
  prism_population_t p = pool(16 * FIRST);
  assert_int_equal(prism_population_first_length(&p), FIRST);
  assert_int_equal(wait(&p, 0.6, 10), PRISM_APART_GENERATIONS + 1);
  assert_true(prism_population_adjust(&p));
  assert_int_equal(p.length, 8 * FIRST); /* nothing is known */
  assert_int_equal(wait(&p, 0.6, 10), PRISM_APART_GENERATIONS + 1); /* as long again */
  assert_true(prism_population_adjust(&p));
  assert_int_equal(p.length, 4 * FIRST);
  p.lengths.proven = 2 * FIRST;
  for (size_t i = 0; i < sizeof eighths / sizeof eighths[0]; ++i) {
    assert_true(prism_population_shorten(&p));
    assert_int_equal(p.length, eighths[i] * FIRST / 8);
    assert_int_equal(p.lengths.longest, p.length);
  }
  while (prism_population_shorten(&p)) continue;
  assert_int_equal(p.length, FIRST / 2);
}

static void searches_become_longer(void **state) {
  (void)state;
  static const struct { int32_t least; int64_t times; } step[] = {{1, 2}, {2, 4}, {9, 16}};
  for (size_t i = 0; i < sizeof step / sizeof step[0]; ++i) {
    prism_population_t p = pool(FIRST);
    p.least = step[i].least;
    prism_population_lengthen(&p);
    assert_int_equal(p.length, step[i].times * FIRST);
    assert_int_equal(p.least, INT32_MAX);
    assert_int_equal(p.lengths.proven, FIRST);
    for (int time = 0; time < 10; ++time) prism_population_lengthen(&p);
    assert_int_equal(p.length, 512 * N);
  }
  prism_population_t p = pool(FIRST);
  p.lengths.longest = 3 * FIRST;
  p.least = 2;
  prism_population_lengthen(&p);
  assert_int_equal(p.length, 3 * FIRST); /* with more they stay apart */
  p.length = 9 * FIRST; /* as it was once members had come together */
  prism_population_lengthen(&p);
  assert_int_equal(p.length, 3 * FIRST);
  p.length_given = true;
  p.lengths.longest = 0;
  prism_population_lengthen(&p);
  assert_int_equal(p.length, 3 * FIRST);
}

/* Members that are led apart again by what they could do with. */
static void longer_searches_are_taken_back(void **state) {
  (void)state;
  prism_population_t p = pool(FIRST);
  p.lengths.longest = FIRST;
  assert_int_equal(wait(&p, 0.1, 10), 1);
  assert_true(prism_population_adjust(&p));
  assert_int_equal(p.length, 4 * FIRST);
  while (p.length > FIRST) {
    assert_true(wait(&p, 0.6, 10) > 0);
    assert_true(prism_population_adjust(&p));
    assert_int_equal(p.lengths.longest, FIRST);
  }
  assert_int_equal(p.length, FIRST);
}

/* Once members come together they can do with longer searches; where no length is known to keep
 * them apart nothing changes. */
static void coming_together_is_noted(void **state) {
  (void)state;
  static const struct { double distance; int64_t times; } at[] = {
      {0.35, 1}, {0.25, 2}, {0.17, 3}, {0.1, 4}};
  for (int known = 0; known < 2; ++known)
    for (size_t i = 0; i < sizeof at / sizeof at[0]; ++i) {
      prism_population_t p = pool(FIRST);
      const bool longer = known && at[i].times > 1;
      p.lengths.longest = known ? FIRST : 0;
      assert_int_equal(wait(&p, at[i].distance, 10), longer ? 1 : 61);
      assert_int_equal(prism_population_adjust(&p), longer);
      assert_int_equal(p.length, longer ? at[i].times * FIRST : FIRST);
      assert_int_equal(p.lengths.longest, known ? FIRST : 0);
      if (longer) assert_int_equal(wait(&p, at[i].distance, 10), 60);
      assert_false(prism_population_adjust(&p));
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_come_together),
      cmocka_unit_test(still_ones_are_told),
      cmocka_unit_test(searches_become_shorter),
      cmocka_unit_test(searches_become_longer),
      cmocka_unit_test(coming_together_is_noted),
      cmocka_unit_test(longer_searches_are_taken_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
