/* Members that go to pools on other ranks and come from there, against the rules on the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "gpu/gpu_fixture.h"
#include "gpu/pool_fixture.h"
#include "kernels/visitors.h"

static const uint64_t seed = 20261216;

enum { N = 37, K = 5, MEMBERS = 40, ROOM = 30, MOST_ROWS = 300 };

static uint16_t color_of(int32_t member, int32_t v) { return (uint16_t)((7 * member + v) % K); }

/* A pool of MEMBERS with room; member i has i conflicts. */
typedef struct bed {
  prism_gpu_control_t *control;
  prism_gpu_pool_t pool;
  size_t row_bytes;
} bed_t;

static bed_t bed_make(void) {
  bed_t bed = {.row_bytes = prism_gpu_row_bytes(N + 3)}; /* rows for a larger kernel graph */
  prism_gpu_control_t control = {.generation = 11};
  bed.control = device_copy(&control, sizeof control);
  bed.pool = pool_create(N, K, MEMBERS + ROOM);
  bed.pool.members = MEMBERS;
  int32_t f[MEMBERS];
  uint16_t *color = NULL;
  const size_t cells = (size_t)(MEMBERS + ROOM) * (size_t)bed.pool.pitch;
  must(PRISM_ALLOC_ZERO(cells, &color));
  for (int32_t i = 0; i < MEMBERS; ++i) {
    f[i] = i;
    for (int32_t v = 0; v < N; ++v) color[(size_t)i * (size_t)bed.pool.pitch + (size_t)v] =
        color_of(i, v);
  }
  must_cuda(cudaMemcpy(bed.pool.color, color, cells * sizeof *color, cudaMemcpyHostToDevice));
  must_cuda(cudaMemcpy(bed.pool.f, f, sizeof f, cudaMemcpyHostToDevice));
  prism_free(color);
  return bed;
}

static void bed_free(bed_t *bed) {
  must_cuda(cudaFree(bed->control));
  pool_destroy(&bed->pool);
}

static prism_gpu_row_head_t *head_at(unsigned char *rows, size_t row_bytes, int32_t i) {
  return (prism_gpu_row_head_t *)(void *)(rows + (size_t)i * row_bytes);
}

static void rows_are_members(void **state) {
  (void)state;
  enum { ROWS = 24, AGE = 17 };
  double mean[5] = {0};
  for (int32_t tournament = 1; tournament <= 4; ++tournament) {
    bed_t bed = bed_make();
    unsigned char *rows = NULL;
    must(PRISM_ALLOC_ZERO(ROWS * bed.row_bytes, &rows));
    void *device = device_copy(rows, ROWS * bed.row_bytes);
    const prism_gpu_outbox_t outbox = {device, bed.row_bytes, ROWS};
    must(prism_launch_send(bed.control, &bed.pool, tournament, seed, 3, AGE, &outbox, NULL));
    must_cuda(cudaMemcpy(rows, device, ROWS * bed.row_bytes, cudaMemcpyDeviceToHost));
    for (int32_t i = 0; i < ROWS; ++i) {
      const prism_gpu_row_head_t *head = head_at(rows, bed.row_bytes, i);
      const uint16_t *color = (const uint16_t *)(const void *)(head + 1);
      assert_int_equal(head->k, K);
      assert_int_equal(head->n, N);
      assert_int_equal(head->age, AGE);
      prism_rng_block_t random = prism_rng_at(seed, 11, (uint32_t)i, 3, PRISM_RNG_MIGRATE);
      int32_t best = MEMBERS;
      for (int32_t t = 0; t < tournament; ++t) {
        int32_t drawn = (int32_t)prism_rng_scale(random.word[t], MEMBERS);
        best = drawn < best ? drawn : best;
      }
      assert_int_equal(head->f, best); /* which names the member */
      for (int32_t v = 0; v < N; ++v) assert_int_equal(color[v], color_of(best, v));
      mean[tournament] += head->f;
    }
    must_cuda(cudaFree(device));
    prism_free(rows);
    bed_free(&bed);
  }
  assert_true(mean[4] < mean[1]);
}

static void unknown_members_stay(void **state) {
  (void)state;
  bed_t bed = bed_make();
  must_cuda(cudaMemset(bed.pool.f, PRISM_GPU_UNKNOWN & 0xFF, MEMBERS * sizeof(int32_t)));
  unsigned char row[256] = {0};
  assert_true(bed.row_bytes <= sizeof row);
  void *device = device_copy(row, bed.row_bytes);
  const prism_gpu_outbox_t outbox = {device, bed.row_bytes, 1};
  must(prism_launch_send(bed.control, &bed.pool, 2, seed, 3, 0, &outbox, NULL));
  must_cuda(cudaMemcpy(row, device, bed.row_bytes, cudaMemcpyDeviceToHost));
  assert_int_equal(head_at(row, bed.row_bytes, 0)->k, 0);
  must_cuda(cudaFree(device));
  bed_free(&bed);
}

/* Does a row come in by the rules of prism_launch_receive? */
static bool is_welcome(const prism_gpu_row_head_t *head, int32_t age) {
  return head->k == K && head->n == N && head->f >= 0 && head->age <= 2 * age + 10 &&
         age <= 2 * head->age + 10;
}

static void who_fits_comes_in(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int32_t round = 0; round < 40; ++round) {
    bed_t bed = bed_make();
    const int32_t rows = 1 + (int32_t)prism_rng_below(&rng, round % 2 == 0 ? 20 : MOST_ROWS);
    const int32_t age = (int32_t)prism_rng_below(&rng, 60);
    const int32_t room = (int32_t)prism_rng_below(&rng, ROOM + 1);
    const int32_t own = (int32_t)prism_rng_below(&rng, (uint32_t)rows), own_rows = rows / 5;
    unsigned char *row = NULL;
    must(PRISM_ALLOC_ZERO((size_t)rows * bed.row_bytes, &row));
    for (int32_t i = 0; i < rows; ++i) {
      prism_gpu_row_head_t *head = head_at(row, bed.row_bytes, i);
      uint16_t *color = (uint16_t *)(void *)(head + 1);
      const uint32_t kind = prism_rng_below(&rng, 6);
      *head = (prism_gpu_row_head_t){.k = kind == 0 ? 0 : kind == 1 ? K + 1 : K,
                                     .n = kind == 2 ? N - 1 : N, .f = 100 + i,
                                     .age = (int32_t)prism_rng_below(&rng, 150)};
      for (int32_t v = 0; v < N; ++v) color[v] = (uint16_t)prism_rng_below(&rng, K);
    }
    void *device = device_copy(row, (size_t)rows * bed.row_bytes);
    const prism_gpu_inbox_t inbox = {device, bed.row_bytes, rows, own, own_rows};
    must(prism_launch_receive(bed.control, &bed.pool, room, age, &inbox, NULL));
    int32_t count = 0, f[MEMBERS + ROOM];
    uint16_t color[N];
    host_ints(bed.pool.f, f, MEMBERS + ROOM);
    for (int32_t i = 0; i < rows; ++i) {
      const prism_gpu_row_head_t *head = head_at(row, bed.row_bytes, i);
      if ((i >= own && i < own + own_rows) || !is_welcome(head, age) || count == room) continue;
      assert_int_equal(f[MEMBERS + count], head->f);
      must_cuda(cudaMemcpy(color,
                           bed.pool.color + (size_t)(MEMBERS + count) * (size_t)bed.pool.pitch,
                           sizeof color, cudaMemcpyDeviceToHost));
      assert_memory_equal(color, head + 1, sizeof color);
      ++count;
    }
    prism_gpu_control_t control;
    must_cuda(cudaMemcpy(&control, bed.control, sizeof control, cudaMemcpyDeviceToHost));
    assert_int_equal(control.visitors, count);
    for (int32_t i = 0; i < MEMBERS; ++i) assert_int_equal(f[i], i); /* members stay */
    must_cuda(cudaFree(device));
    prism_free(row);
    bed_free(&bed);
  }
}

static void mates_are_drawn_from_visitors(void **state) {
  (void)state;
  enum { VISITORS = 20, TOURNAMENT = 3 };
  bed_t bed = bed_make();
  prism_gpu_control_t control = {.generation = 11, .visitors = VISITORS};
  must_cuda(cudaMemcpy(bed.control, &control, sizeof control, cudaMemcpyHostToDevice));
  int32_t f[MEMBERS + VISITORS], first[MEMBERS], second[MEMBERS], foreign = 0;
  for (int32_t i = 0; i < MEMBERS + VISITORS; ++i) f[i] = i % 9;
  must_cuda(cudaMemcpy(bed.pool.f, f, sizeof f, cudaMemcpyHostToDevice));
  prism_gpu_mating_t mating = {.first = device_bytes(sizeof first),
                               .second = device_bytes(sizeof second),
                               .left = device_bytes(PRISM_GPU_PAIRS * sizeof(int32_t)),
                               .right = device_bytes(PRISM_GPU_PAIRS * sizeof(int32_t))};
  must(prism_launch_begin(bed.control, &mating, &bed.pool, TOURNAMENT, seed, 5, NULL));
  host_ints(mating.first, first, MEMBERS);
  host_ints(mating.second, second, MEMBERS);
  for (int32_t i = 0; i < MEMBERS; ++i) {
    prism_rng_block_t random = prism_rng_at(seed, 12, 0, 5u + (uint32_t)i, PRISM_RNG_POOL);
    int32_t mate = -1;
    for (int32_t t = 0; t < TOURNAMENT; ++t) {
      int32_t drawn = (int32_t)prism_rng_scale(random.word[t], MEMBERS + VISITORS - 1);
      drawn += drawn >= i;
      if (mate < 0 || f[drawn] < f[mate]) mate = drawn;
    }
    assert_int_equal(first[i], i);
    assert_int_equal(second[i], mate);
    foreign += mate >= MEMBERS;
  }
  assert_true(foreign > 0);
  must_cuda(cudaFree(mating.first));
  must_cuda(cudaFree(mating.second));
  must_cuda(cudaFree(mating.left));
  must_cuda(cudaFree(mating.right));
  bed_free(&bed);
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  bed_t bed = bed_make();
  const prism_gpu_outbox_t narrow = {bed.pool.color, prism_gpu_row_bytes(N) - 16, 1};
  const prism_gpu_inbox_t none = {bed.pool.color, bed.row_bytes, 0, 0, 0};
  assert_int_equal(prism_launch_send(bed.control, &bed.pool, 1, seed, 0, 0, &narrow, NULL),
                   PRISM_INVALID);
  assert_int_equal(prism_launch_receive(bed.control, &bed.pool, 1, 0, &none, NULL),
                   PRISM_INVALID);
  bed_free(&bed);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_members),
      cmocka_unit_test(unknown_members_stay),
      cmocka_unit_test(who_fits_comes_in),
      cmocka_unit_test(mates_are_drawn_from_visitors),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return gpu_run(tests);
}
