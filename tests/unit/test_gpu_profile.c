/* Statistics of durations, and the table of a GPU's time that is made of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "seam/gpu_profile.h"

static const uint64_t seed = 20261203;

/* cmocka's own compares in single precision. */
#define assert_near(a, b, error) assert_true(fabs((double)(a) - (double)(b)) <= (error))

static void check_statistics(const prism_duration_t *got, const double *value, int count) {
  double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
  for (int i = 0; i < count; ++i) {
    sum += value[i];
    least = fmin(least, value[i]);
    most = fmax(most, value[i]);
  }
  for (int i = 0; i < count; ++i) squares += pow(value[i] - sum / count, 2);
  assert_int_equal(got->count, count);
  assert_near(got->total, sum, 1e-6);
  assert_near(got->mean, sum / count, 1e-9);
  assert_near(got->min, least, 0);
  assert_near(got->max, most, 0);
  assert_near(prism_duration_stddev(got), count < 2 ? 0 : sqrt(squares / (count - 1)), 1e-9);
}

/* Cut anywhere and joined, the statistics are those of two plain passes over all values. */
static void joined_statistics_match_two_passes(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  prism_duration_t none = {0};
  assert_near(prism_duration_stddev(&none), 0, 0);
  prism_duration_merge(&none, &(prism_duration_t){0});
  assert_int_equal(none.count, 0);
  for (int round = 0; round < 300; ++round) {
    double value[60];
    prism_duration_t whole = {0}, joined = {0}, piece = {0};
    int count = 1 + (int)prism_rng_below(&rng, 60);
    for (int i = 0; i < count; ++i) {
      value[i] = 1e3 + prism_rng_uniform(&rng); /* far from zero: cancels when done badly */
      prism_duration_add(&whole, value[i]);
      prism_duration_add(&piece, value[i]);
      if (prism_rng_below(&rng, 4) > 0) continue;
      prism_duration_merge(&joined, &piece);
      piece = (prism_duration_t){0};
    }
    prism_duration_merge(&joined, &piece);
    check_statistics(&whole, value, count);
    check_statistics(&joined, value, count);
  }
}

static prism_gpu_part_t part_of(const char *name, double seconds, int64_t iterations) {
  prism_gpu_part_t part = {.iterations = iterations};
  snprintf(part.name, sizeof part.name, "%.*s", (int)sizeof part.name - 1, name);
  prism_duration_add(&part.time, seconds);
  return part;
}

static void parts_of_one_name_are_joined(void **state) {
  (void)state;
  prism_gpu_profile_t all = {0};
  for (int gpu = 0; gpu < 2; ++gpu) {
    prism_gpu_profile_t one = {.wall = 10};
    prism_gpu_part_t search = part_of("pool search", 4 + gpu, 1000000),
                     copy = part_of(gpu == 0 ? "upload" : "download", 0.5, 0), idle = {0};
    snprintf(idle.name, sizeof idle.name, "never");
    prism_gpu_profile_add(&one, &search);
    prism_gpu_profile_add(&one, &copy);
    prism_gpu_profile_add(&one, &idle);
    assert_int_equal(one.parts, 2);
    prism_gpu_profile_merge(&all, &one);
  }
  assert_near(all.wall, 20, 0);
  assert_int_equal(all.parts, 3);
  assert_string_equal(all.part[0].name, "pool search");
  assert_string_equal(all.part[1].name, "upload");
  assert_string_equal(all.part[2].name, "download");
  assert_int_equal(all.part[0].time.count, 2);
  assert_int_equal(all.part[0].iterations, 2000000);
  assert_near(prism_gpu_profile_share(&all, &all.part[0]), 0.45, 1e-12);
  assert_near(prism_gpu_part_rate(&all.part[0]), 2e6 / 9, 1e-6);
  assert_near(prism_gpu_part_rate(&all.part[1]), 0, 0);
  assert_near(prism_gpu_profile_share(&(prism_gpu_profile_t){0}, &all.part[0]), 0, 0);
}

static void a_full_table_keeps_the_sums(void **state) {
  (void)state;
  prism_gpu_profile_t all = {0};
  char name[64];
  for (int i = 0; i < PRISM_GPU_PARTS + 10; ++i) {
    snprintf(name, sizeof name, "a name that is much too long, number %d", i);
    if (i > 0) snprintf(name, sizeof name, "part %d", i);
    prism_gpu_part_t part = part_of(name, 1, 7);
    prism_gpu_profile_add(&all, &part);
    prism_gpu_profile_add(&all, &part); /* found again, also by a name that was cut */
  }
  assert_int_equal(all.parts, PRISM_GPU_PARTS);
  assert_int_equal(strlen(all.part[0].name), PRISM_GPU_PART_BYTES - 1);
  assert_string_equal(all.part[PRISM_GPU_PARTS - 1].name, "others");
  int64_t count = 0, iterations = 0;
  for (int32_t i = 0; i < all.parts; ++i) {
    count += all.part[i].time.count;
    iterations += all.part[i].iterations;
  }
  assert_int_equal(count, 2 * (PRISM_GPU_PARTS + 10));
  assert_int_equal(iterations, 14 * (PRISM_GPU_PARTS + 10));
}

static int nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
  return 0;
}

int main(void) {
  printf("seed %llu\n", (unsigned long long)seed);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(joined_statistics_match_two_passes),
      cmocka_unit_test(parts_of_one_name_are_joined),
      cmocka_unit_test(a_full_table_keeps_the_sums),
  };
  return cmocka_run_group_tests(tests, NULL, nothing_is_left);
}
