/* Mates, pool update and migrants on the device against the same rules on the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/gpu_fixture.h"
#include "gpu/pool_fixture.h"
#include "kernels/generation.h"

static const uint64_t seed = 20261214;

enum { MOST = 700 };

typedef struct bed {
  prism_gpu_control_t *control;
  uint32_t *halt;
  prism_gpu_mating_t mating;
  prism_gpu_pool_t pool, child;
} bed_t;

static bed_t bed_make(int32_t n, int32_t members) {
  bed_t bed;
  prism_gpu_control_t control = {.best_f = INT32_MAX, .best_from = -1};
  uint32_t halt = 0;
  bed.control = device_copy(&control, sizeof control);
  bed.halt = device_copy(&halt, sizeof halt);
  bed.pool = pool_create(n, 3, members);
  bed.child = pool_create(n, 3, members);
  size_t bytes = (size_t)members * sizeof(int32_t);
  bed.mating = (prism_gpu_mating_t){
      .first = device_bytes(bytes), .second = device_bytes(bytes), .place = device_bytes(bytes),
      .left = device_bytes(PRISM_GPU_PAIRS * sizeof(int32_t)),
      .right = device_bytes(PRISM_GPU_PAIRS * sizeof(int32_t)),
      .distance = device_bytes(PRISM_GPU_PAIRS * sizeof(int32_t))};
  must_cuda(cudaMemset(bed.mating.distance, 0, PRISM_GPU_PAIRS * sizeof(int32_t)));
  return bed;
}

static void bed_free(bed_t *bed) {
  must_cuda(cudaFree(bed->control));
  must_cuda(cudaFree(bed->halt));
  must_cuda(cudaFree(bed->mating.first));
  must_cuda(cudaFree(bed->mating.second));
  must_cuda(cudaFree(bed->mating.place));
  must_cuda(cudaFree(bed->mating.left));
  must_cuda(cudaFree(bed->mating.right));
  must_cuda(cudaFree(bed->mating.distance));
  pool_destroy(&bed->pool);
  pool_destroy(&bed->child);
}

static prism_gpu_control_t bed_control(const bed_t *bed) {
  prism_gpu_control_t control;
  must_cuda(cudaDeviceSynchronize());
  must_cuda(cudaMemcpy(&control, bed->control, sizeof control, cudaMemcpyDeviceToHost));
  return control;
}

static void put_ints(int32_t *device, const int32_t *host, int32_t count) {
  must_cuda(cudaMemcpy(device, host, (size_t)count * sizeof *host, cudaMemcpyHostToDevice));
}

static int32_t other_of(uint32_t word, int32_t i, int32_t members) {
  int32_t j = (int32_t)prism_rng_scale(word, (uint32_t)members - 1u);
  return j < i ? j : j + 1;
}

static void mates_are_others_and_differ(void **state) {
  (void)state;
  static const int32_t sizes[] = {2, 3, 64, 257, MOST};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
    int32_t members = sizes[s], first[MOST], second[MOST], again[MOST], pair[PRISM_GPU_PAIRS],
            other[PRISM_GPU_PAIRS], f[MOST];
    bed_t bed = bed_make(10, members);
    for (int32_t i = 0; i < members; ++i) f[i] = i % 7;
    put_ints(bed.pool.f, f, members);
    const int32_t tournament = 1 + (int32_t)s + (s > 2 ? 3 : 0);
    must(prism_launch_begin(bed.control, &bed.mating, &bed.pool, tournament, seed, 5, NULL));
    host_ints(bed.mating.first, first, members);
    host_ints(bed.mating.second, second, members);
    host_ints(bed.mating.left, pair, PRISM_GPU_PAIRS);
    host_ints(bed.mating.right, other, PRISM_GPU_PAIRS);
    for (int32_t i = 0; i < members; ++i) {
      assert_int_equal(first[i], i);
      assert_in_range(second[i], 0, members - 1);
      assert_int_not_equal(second[i], i);
      int32_t mate = -1;
      for (int32_t t = 0; t < tournament; ++t) {
        prism_rng_block_t random = prism_rng_at(seed, 1, t < 4 ? 0 : 1 + PRISM_GPU_PAIRS,
                                                5u + (uint32_t)i, PRISM_RNG_POOL);
        int32_t drawn = other_of(random.word[t & 3], i, members);
        if (mate < 0 || f[drawn] < f[mate]) mate = drawn;
      }
      assert_int_equal(second[i], mate);
    }
    for (int32_t i = 0; i < PRISM_GPU_PAIRS; ++i) {
      assert_in_range(pair[i], 0, members - 1);
      assert_in_range(other[i], 0, members - 1);
      assert_int_not_equal(pair[i], other[i]);
    }
    assert_int_equal(bed_control(&bed).generation, 1);
    must(prism_launch_begin(bed.control, &bed.mating, &bed.pool, tournament, seed, 5, NULL));
    host_ints(bed.mating.second, again, members);
    assert_int_equal(bed_control(&bed).generation, 2);
    if (members > 3) assert_memory_not_equal(second, again, (size_t)members * sizeof *second);
    must(prism_launch_begin(bed.control, NULL, &bed.pool, 0, seed, 5, NULL));
    assert_int_equal(bed_control(&bed).generation, 3);
    bed_free(&bed);
  }
  bed_t bed = bed_make(10, 1);
  assert_int_equal(prism_launch_begin(bed.control, &bed.mating, &bed.pool, 2, seed, 0, NULL),
                   PRISM_INVALID);
  bed_free(&bed);
}

/* ---- demes ---- */

static void bed_divide(bed_t *bed, int32_t count, int32_t tournament, int32_t strictest) {
  const size_t members = (size_t)bed->pool.members;
  prism_gpu_deme_t none[MOST] = {{0}};
  must_cuda(cudaFree(bed->mating.left));
  must_cuda(cudaFree(bed->mating.right));
  must_cuda(cudaFree(bed->mating.distance));
  bed->mating.left = device_bytes(members * sizeof(int32_t));
  bed->mating.right = device_bytes(members * sizeof(int32_t));
  bed->mating.distance = device_bytes(members * sizeof(int32_t));
  bed->mating.demes = (prism_gpu_demes_t){
      .count = count, .tournament = tournament, .strictest = strictest,
      .deme = device_copy(none, (size_t)count * sizeof none[0]),
      .renewed = device_bytes(members * sizeof(int32_t))};
}

static void bed_unite(bed_t *bed) {
  must_cuda(cudaFree(bed->mating.demes.deme));
  must_cuda(cudaFree(bed->mating.demes.renewed));
  bed_free(bed);
}

static int32_t first_row(int32_t deme, int32_t count, int32_t members) {
  return (int32_t)((int64_t)deme * members / count);
}

static void mates_are_of_the_same_deme(void **state) {
  (void)state;
  static const int32_t sizes[][2] = {{4, 2}, {9, 4}, {396, 8}, {MOST, 33}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
    const int32_t members = sizes[s][0], count = sizes[s][1];
    int32_t second[MOST], left[MOST], right[MOST], f[MOST];
    bed_t bed = bed_make(10, members);
    bed_divide(&bed, count, 3, 8);
    const prism_gpu_deme_t stricter = {.age = 1, .tournament = 6};
    must_cuda(cudaMemcpy(bed.mating.demes.deme, &stricter, sizeof stricter,
                         cudaMemcpyHostToDevice));
    for (int32_t i = 0; i < members; ++i) f[i] = i % 5;
    put_ints(bed.pool.f, f, members);
    must(prism_launch_begin(bed.control, &bed.mating, &bed.pool, 1, seed, 5, NULL));
    host_ints(bed.mating.second, second, members);
    host_ints(bed.mating.left, left, members);
    host_ints(bed.mating.right, right, members);
    for (int32_t d = 0; d < count; ++d) {
      const int32_t from = first_row(d, count, members), to = first_row(d + 1, count, members);
      for (int32_t i = from; i < to; ++i) {
        int32_t mate = -1;
        for (int32_t t = 0; t < (d == 0 ? 6 : 3); ++t) {
          prism_rng_block_t random = prism_rng_at(seed, 1, t < 4 ? 0 : 1 + PRISM_GPU_PAIRS,
                                                  5u + (uint32_t)i, PRISM_RNG_POOL);
          int32_t drawn = from + other_of(random.word[t & 3], i - from, to - from);
          if (mate < 0 || f[drawn] < f[mate]) mate = drawn;
        }
        assert_int_equal(second[i], mate);
        assert_int_not_equal(mate, i);
        assert_in_range(mate, from, to - 1);
        assert_int_equal(left[i], i);
        assert_in_range(right[i], from, to - 1);
        assert_int_not_equal(right[i], i);
      }
    }
    bed_unite(&bed);
  }
  bed_t bed = bed_make(10, 5);
  bed_divide(&bed, 3, 3, 8);
  assert_int_equal(prism_launch_begin(bed.control, &bed.mating, &bed.pool, 2, seed, 0, NULL),
                   PRISM_INVALID);
  bed_unite(&bed);
}

/* The rules of prism_launch_judge for one deme. [in,out] apart: deme ends with members apart */
static bool judge_deme(prism_gpu_deme_t *at, float distance, int32_t f, int32_t tournament,
                       int32_t strictest, uint32_t *apart) {
  if (at->age == 0)
    *at = (prism_gpu_deme_t){distance, distance, f, 0, 0, tournament};
  else
    at->distance = 0.7f * at->distance + 0.3f * distance;
  ++at->age;
  ++at->since;
  if (at->distance < at->least_distance - 0.005f || f < at->least_f) at->since = 0;
  if (at->distance < at->least_distance - 0.005f) at->least_distance = at->distance;
  if (f < at->least_f) at->least_f = f;
  if (at->since == 31 && at->tournament < strictest) {
    ++at->tournament;
    at->since = 0;
  }
  if (at->distance >= 0.05f && at->since <= 60) return false;
  *apart += at->distance > 0.4f;
  *at = (prism_gpu_deme_t){0};
  return true;
}

static void expect_deme(const prism_gpu_deme_t *device, const prism_gpu_deme_t *host) {
  assert_int_equal(device->age, host->age);
  assert_int_equal(device->since, host->since);
  assert_int_equal(device->least_f, host->least_f);
  assert_int_equal(device->tournament, host->tournament);
  assert_true(device->distance > host->distance - 1e-5f &&
              device->distance < host->distance + 1e-5f);
}

/* Deme 0 becomes alike, 1 stands still, 2 gets better for ever; the others do as chance says. */
static void demes_end_when_they_should(void **state) {
  (void)state;
  enum { N = 100, DEMES = 5, MEMBERS = 37, GENERATIONS = 400 };
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  prism_gpu_deme_t now[DEMES], expected[DEMES] = {{0}};
  int32_t f[MEMBERS], distance[MEMBERS], renewed[MEMBERS], ends[DEMES] = {0};
  uint32_t ended = 0, strict = 0, apart_ended = 0;
  bed_t bed = bed_make(N, MEMBERS);
  bed_divide(&bed, DEMES, 3, 5);
  for (int32_t g = 0; g < gpu_repeats(GENERATIONS, 170); ++g) {
    const uint32_t halt = g % 7 == 3;
    must_cuda(cudaMemcpy(bed.halt, &halt, sizeof halt, cudaMemcpyHostToDevice));
    for (int32_t d = 0; d < DEMES; ++d) {
      const int32_t from = first_row(d, DEMES, MEMBERS), to = first_row(d + 1, DEMES, MEMBERS);
      int32_t least = INT32_MAX, apart = 0;
      for (int32_t i = from; i < to; ++i) {
        const int32_t age = expected[d].age;
        f[i] = d == 2 ? 1000 - g : d < 2 ? 7 : 5 + (int32_t)prism_rng_below(&rng, 9);
        distance[i] = d == 0 ? (age < 45 ? 90 - 2 * age : 0)
                      : d < 3 ? 50
                              : (int32_t)prism_rng_below(&rng, N);
        least = f[i] < least ? f[i] : least;
        apart += distance[i];
      }
      if (halt) continue;
      const float mean = (float)apart / ((float)(to - from) * (float)N);
      const bool over = judge_deme(&expected[d], mean, least, 3, 5, &apart_ended);
      ends[d] = over;
      ended += over;
      strict += expected[d].tournament == 5;
    }
    put_ints(bed.pool.f, f, MEMBERS);
    put_ints(bed.mating.distance, distance, MEMBERS);
    must(prism_launch_judge(bed.control, bed.halt, &bed.mating, &bed.pool, NULL));
    assert_int_equal(bed_control(&bed).ended, ended);
    assert_int_equal(bed_control(&bed).apart_ended, apart_ended);
    must_cuda(cudaMemcpy(now, bed.mating.demes.deme, sizeof now, cudaMemcpyDeviceToHost));
    host_ints(bed.mating.demes.renewed, renewed, MEMBERS);
    for (int32_t d = 0; d < DEMES; ++d) {
      expect_deme(&now[d], &expected[d]);
      for (int32_t i = first_row(d, DEMES, MEMBERS); i < first_row(d + 1, DEMES, MEMBERS); ++i)
        assert_int_equal(renewed[i], !halt && ends[d] ? i : -1);
    }
  }
  const uint32_t alike = ended - apart_ended; /* deme 0, every 53 rounds or so */
  assert_true(apart_ended > 0 && strict > 0 && expected[2].age > 100);
  assert_true((int)alike > gpu_repeats(3, 1));
  bed.mating.demes.count = 1;
  assert_int_equal(prism_launch_judge(bed.control, bed.halt, &bed.mating, &bed.pool, NULL),
                   PRISM_INVALID);
  bed_unite(&bed);
}

/* ---- the pool ---- */

typedef struct expected {
  int32_t place[MOST], f[MOST];
  int32_t kept, least, most, best, best_from;
  int64_t sum;
} expected_t;

/* The rules of prism_launch_decide, member by member. */
static expected_t judge(const int32_t *f, const int32_t *made, int32_t members, bool cut,
                        bool children) {
  expected_t e = {.least = INT32_MAX, .best = INT32_MAX, .best_from = -1};
  for (int32_t i = 0; i < members; ++i) {
    bool keep = made[i] != PRISM_GPU_UNKNOWN && (made[i] == 0 || !cut);
    e.place[i] = keep ? i : -1;
    e.kept += children && keep;
    e.f[i] = children && !keep ? f[i] : made[i];
    e.sum += e.f[i];
    e.least = e.f[i] < e.least ? e.f[i] : e.least;
    e.most = e.f[i] > e.most ? e.f[i] : e.most;
    if (made[i] != PRISM_GPU_UNKNOWN && made[i] < e.best) {
      e.best = made[i];
      e.best_from = i;
    }
  }
  return e;
}

static void check_decision(prism_rng_t *rng, int32_t members, bool cut, bool children,
                           int32_t spread) {
  int32_t f[MOST], made[MOST], place[MOST], after[MOST];
  bed_t bed = bed_make(10, members);
  for (int32_t i = 0; i < members; ++i) {
    f[i] = (int32_t)prism_rng_below(rng, (uint32_t)spread);
    made[i] = children ? (int32_t)prism_rng_below(rng, (uint32_t)spread) : f[i];
    if (children && prism_rng_below(rng, 8) == 0) made[i] = PRISM_GPU_UNKNOWN;
  }
  put_ints(bed.pool.f, f, members);
  put_ints(bed.child.f, made, members);
  uint32_t halt = cut;
  must_cuda(cudaMemcpy(bed.halt, &halt, sizeof halt, cudaMemcpyHostToDevice));
  must(prism_launch_decide(bed.control, bed.halt, children ? &bed.mating : NULL, &bed.pool,
                           children ? &bed.child : NULL, NULL));
  expected_t e = judge(f, made, members, cut, children);
  prism_gpu_control_t control = bed_control(&bed);
  assert_int_equal(control.sum, e.sum);
  assert_int_equal(control.least, e.least);
  assert_int_equal(control.most, e.most);
  assert_int_equal(control.best_from, e.best_from);
  assert_int_equal(control.best_f, e.best);
  assert_int_equal(control.pairs, children ? PRISM_GPU_PAIRS : 0);
  host_ints(bed.pool.f, after, members);
  assert_memory_equal(after, e.f, (size_t)members * sizeof *after);
  if (children) {
    assert_int_equal(control.kept, e.kept);
    host_ints(bed.mating.place, place, members);
    assert_memory_equal(place, e.place, (size_t)members * sizeof *place);
  }
  /* The same again brings nothing better. */
  put_ints(bed.pool.f, f, members);
  must(prism_launch_decide(bed.control, bed.halt, children ? &bed.mating : NULL, &bed.pool,
                           children ? &bed.child : NULL, NULL));
  assert_int_equal(bed_control(&bed).best_from, -1);
  bed_free(&bed);
}

static void decisions_are_those_of_the_rules(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int round = gpu_repeats(40, 4); round > 0; --round) {
    int32_t members = 2 + (int32_t)prism_rng_below(&rng, MOST - 1);
    int32_t spread = 1 + (int32_t)prism_rng_below(&rng, 50); /* 1: all are solutions */
    for (int variant = 0; variant < 4; ++variant)
      check_decision(&rng, members, (variant & 1) != 0, (variant & 2) != 0, spread);
  }
}

static void migrants_take_the_worst_place(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int round = gpu_repeats(20, 4); round > 0; --round) {
    const int32_t n = 77, members = 1 + (int32_t)prism_rng_below(&rng, 300);
    int32_t color[77], back[77], f[MOST], worst = 0;
    bed_t bed = bed_make(n, members);
    for (int32_t i = 0; i < members; ++i) {
      draw_colors(&rng, n, 3, color);
      pool_put(&bed.pool, i, color);
      f[i] = (int32_t)prism_rng_below(&rng, 1000);
      if (f[i] >= f[worst]) worst = i;
    }
    put_ints(bed.pool.f, f, members);
    draw_colors(&rng, n, 3, color);
    pool_put(&bed.child, 0, color);
    must(prism_launch_admit(&bed.pool, bed.child.color, 123, NULL));
    pool_get(&bed.pool, worst, back);
    assert_memory_equal(back, color, sizeof color);
    f[worst] = 123;
    int32_t after[MOST];
    host_ints(bed.pool.f, after, members);
    assert_memory_equal(after, f, (size_t)members * sizeof *f);
    bed_free(&bed);
  }
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mates_are_others_and_differ),
      cmocka_unit_test(mates_are_of_the_same_deme),
      cmocka_unit_test(demes_end_when_they_should),
      cmocka_unit_test(decisions_are_those_of_the_rules),
      cmocka_unit_test(migrants_take_the_worst_place),
  };
  return gpu_run(tests);
}
