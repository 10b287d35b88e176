/* The memory pool and pinned memory on a real GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "gpu/gpu_fixture.h"
#include "gpu/runtime_fixture.h"
#include "runtime/check.h"
#include "runtime/device.h"
#include "runtime/mem_pool.h"

static const uint64_t seed = 20261215;

enum { KIB = 1024, BLOCK = 64 * KIB };

static atomic_int gate;

static prism_mem_pool_t *pool_with(size_t limit, double ttl) {
  prism_mem_pool_config_t config = {.limit_bytes = limit, .ttl = ttl};
  prism_mem_pool_t *pool = NULL;
  must(prism_mem_pool_create(&config, &pool));
  return pool;
}

static void reuse_in_stream_order(void **state) {
  (void)state;
  prism_mem_pool_t *pool = pool_with(64 * BLOCK, 100);
  prism_mem_stats_t stats;
  cudaStream_t first = fresh_stream(), second = fresh_stream();
  void *a = NULL, *b = NULL, *c = NULL;
  must(prism_mem_pool_take(pool, BLOCK, first, &a));
  assert_int_equal((uintptr_t)a % 256, 0);
  gate_close(&gate, first);
  must(prism_mem_pool_release(pool, a, first));
  must(prism_mem_pool_take(pool, BLOCK, second, &b)); /* a is still in use on `first` */
  assert_ptr_not_equal(a, b);
  must(prism_mem_pool_take(pool, BLOCK - 7, first, &c)); /* in its own stream it is free */
  assert_ptr_equal(a, c);
  must(prism_mem_pool_release(pool, c, first));
  gate_open(&gate);
  must_cuda(cudaStreamSynchronize(first));
  must(prism_mem_pool_take(pool, BLOCK, second, &c)); /* now any stream may have it */
  assert_ptr_equal(a, c);
  prism_mem_pool_stats(pool, &stats);
  assert_int_equal(stats.misses, 2);
  assert_int_equal(stats.hits, 2);
  assert_int_equal(stats.high_water, 2 * BLOCK);
  assert_int_equal(prism_gpu_live_blocks(), 2);
  must(prism_mem_pool_release(pool, b, second));
  must(prism_mem_pool_release(pool, c, second));
  assert_int_equal(prism_mem_pool_release(pool, c, second), PRISM_INVALID);
  must(prism_mem_pool_release(pool, NULL, second));
  assert_int_equal(prism_cuda_launched("nothing"), PRISM_OK); /* queries leave no error */
  must_cuda(cudaStreamDestroy(first));
  must_cuda(cudaStreamDestroy(second));
  prism_mem_pool_destroy(&pool); /* after the streams: it does not need them */
  assert_null(pool);
}

static void the_limit_holds(void **state) {
  (void)state;
  prism_mem_pool_t *pool = pool_with(4 * BLOCK, 100);
  prism_mem_stats_t stats;
  cudaStream_t stream = fresh_stream();
  void *block[4] = {NULL}, *other = NULL;
  for (int i = 0; i < 4; ++i) must(prism_mem_pool_take(pool, BLOCK, stream, &block[i]));
  assert_int_equal(prism_mem_pool_room(pool), 0);
  assert_int_equal(prism_mem_pool_take(pool, 1, stream, &other), PRISM_MEMORY);
  assert_null(other);
  assert_non_null(strstr(prism_error_text(), "out of GPU memory"));
  for (int i = 0; i < 4; ++i) must(prism_mem_pool_release(pool, block[i], stream));
  assert_int_equal(prism_mem_pool_room(pool), 4 * BLOCK);
  must(prism_mem_pool_take(pool, 2 * BLOCK, stream, &other)); /* pushes two free ones out */
  prism_mem_pool_stats(pool, &stats);
  assert_int_equal(stats.evictions, 2);
  assert_int_equal(stats.failures, 1);
  assert_int_equal(stats.live_bytes + stats.free_bytes, 4 * BLOCK);
  assert_int_equal(prism_mem_pool_take(pool, 5 * BLOCK, stream, &block[0]), PRISM_MEMORY);
  must(prism_mem_pool_release(pool, other, stream));
  must_cuda(cudaStreamSynchronize(stream));
  prism_mem_pool_destroy(&pool);
  must_cuda(cudaStreamDestroy(stream));
}

/* At the limit a stream waits for another's block rather than fail. */
static void at_the_limit_streams_wait(void **state) {
  (void)state;
  prism_mem_pool_t *pool = pool_with(BLOCK, 100);
  cudaStream_t first = fresh_stream(), second = fresh_stream();
  void *a = NULL, *b = NULL;
  bool done = true;
  must(prism_mem_pool_take(pool, BLOCK, first, &a));
  gate_close(&gate, first);
  must(prism_mem_pool_release(pool, a, first));
  must(prism_mem_pool_take(pool, BLOCK, second, &b));
  assert_ptr_equal(a, b);
  must_cuda(cudaMemsetAsync(b, 1, BLOCK, second));
  prism_clock_sleep(0.01);
  must(prism_cuda_stream_ready(second, &done));
  assert_false(done);
  gate_open(&gate);
  must_cuda(cudaStreamSynchronize(second));
  must(prism_mem_pool_release(pool, b, second));
  prism_mem_pool_destroy(&pool);
  must_cuda(cudaStreamDestroy(first));
  must_cuda(cudaStreamDestroy(second));
}

static void old_blocks_go_back(void **state) {
  (void)state;
  prism_mem_pool_t *pool = pool_with(64 * BLOCK, 0.02);
  prism_mem_stats_t stats;
  cudaStream_t stream = fresh_stream();
  void *a = NULL, *b = NULL;
  must(prism_mem_pool_take(pool, BLOCK, stream, &a));
  must(prism_mem_pool_take(pool, 3 * BLOCK, stream, &b));
  must(prism_mem_pool_release(pool, a, stream));
  prism_clock_sleep(0.03);
  must(prism_mem_pool_tidy(pool));
  prism_mem_pool_stats(pool, &stats);
  assert_int_equal(stats.evictions, 1);
  assert_int_equal(stats.free_blocks, 0);
  assert_int_equal(stats.live_blocks, 1);
  must(prism_mem_pool_release(pool, b, stream));
  must_cuda(cudaStreamSynchronize(stream));
  prism_mem_pool_destroy(&pool);
  must_cuda(cudaStreamDestroy(stream));
}

enum { HELD = 24, STREAMS = 3 };

typedef struct held {
  void *device;
  size_t bytes;
  cudaStream_t stream;
  uint8_t tag;
} held_t;

static void check_and_release(prism_mem_pool_t *pool, held_t *held, uint8_t *host) {
  must_cuda(cudaMemcpyAsync(host, held->device, held->bytes, cudaMemcpyDeviceToHost, held->stream));
  must_cuda(cudaStreamSynchronize(held->stream));
  for (size_t i = 0; i < held->bytes; ++i)
    if (host[i] != held->tag) fail_msg("byte %zu is %d, not %d", i, host[i], held->tag);
  must(prism_mem_pool_release(pool, held->device, held->stream));
  held->device = NULL;
}

/* No two holders ever share a byte, whatever streams they use. */
static void nobody_overwrites_another(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  prism_mem_pool_t *pool = pool_with(40 * BLOCK, 100);
  prism_mem_stats_t stats;
  cudaStream_t stream[STREAMS];
  held_t held[HELD] = {{0}};
  uint8_t *host = NULL;
  must(prism_pinned_alloc(4 * BLOCK, (void **)&host));
  for (int i = 0; i < STREAMS; ++i) stream[i] = fresh_stream();
  int refused = 0;
  for (int step = 0; step < gpu_repeats(3000, 200); ++step) {
    held_t *one = &held[prism_rng_below(&rng, HELD)];
    if (one->device != NULL) {
      check_and_release(pool, one, host);
      continue;
    }
    one->bytes = 1 + prism_rng_below(&rng, 4 * BLOCK);
    one->stream = stream[prism_rng_below(&rng, STREAMS)];
    one->tag = (uint8_t)prism_rng_next(&rng);
    prism_status_t status = prism_mem_pool_take(pool, one->bytes, one->stream, &one->device);
    if (status != PRISM_OK) {
      assert_int_equal(status, PRISM_MEMORY);
      one->device = NULL;
      ++refused;
      continue;
    }
    must_cuda(cudaMemsetAsync(one->device, one->tag, one->bytes, one->stream));
  }
  for (int i = 0; i < HELD; ++i)
    if (held[i].device != NULL) check_and_release(pool, &held[i], host);
  prism_mem_pool_stats(pool, &stats);
  printf("%lld hits, %lld misses, %lld evictions, %d refused\n", (long long)stats.hits,
         (long long)stats.misses, (long long)stats.evictions, refused);
  assert_int_equal(stats.live_blocks, 0);
  assert_int_equal(stats.failures, refused);
  assert_true(stats.hits > 0 && stats.high_water <= 40 * BLOCK);
  prism_mem_pool_destroy(&pool);
  for (int i = 0; i < STREAMS; ++i) must_cuda(cudaStreamDestroy(stream[i]));
  prism_pinned_free(host);
}

/* The device itself has no more: a status, and the pool goes on. */
static void a_full_device(void **state) {
  (void)state;
  if (gpu_repeats(1, 0) == 0) return; /* compute-sanitizer reports the refusal as an error */
  size_t lying = 0, total = 0;
  must(prism_device_memory(&lying, &total));
  prism_mem_pool_t *pool = pool_with(8 * total, 100);
  cudaStream_t stream = fresh_stream();
  void *small = NULL, *huge = NULL;
  must(prism_mem_pool_take(pool, BLOCK, stream, &small));
  must(prism_mem_pool_release(pool, small, stream));
  assert_int_equal(prism_mem_pool_take(pool, 2 * total, stream, &huge), PRISM_MEMORY);
  assert_null(huge);
  assert_int_equal(prism_cuda_launched("nothing"), PRISM_OK);
  assert_false(prism_cuda_is_lost());
  must(prism_mem_pool_take(pool, BLOCK, stream, &small));
  must_cuda(cudaMemsetAsync(small, 0, BLOCK, stream));
  must_cuda(cudaStreamSynchronize(stream));
  must(prism_mem_pool_release(pool, small, stream));
  prism_mem_pool_destroy(&pool);
  must_cuda(cudaStreamDestroy(stream));
}

static void pinned_and_mapped(void **state) {
  (void)state;
  cudaStream_t stream = fresh_stream();
  void *pinned = NULL, *host = NULL, *device = NULL;
  must(prism_pinned_alloc(0, &pinned));
  prism_pinned_free(pinned);
  must(prism_pinned_alloc(BLOCK, &pinned));
  must(prism_mapped_alloc(BLOCK, &host, &device));
  assert_int_equal(prism_gpu_live_blocks(), 2);
  for (size_t i = 0; i < BLOCK; ++i) assert_int_equal(((uint8_t *)host)[i], 0);
  for (size_t i = 0; i < BLOCK; ++i) ((uint8_t *)pinned)[i] = (uint8_t)(i * 7 + i / 256);
  must_cuda(cudaMemcpyAsync(device, pinned, BLOCK, cudaMemcpyDefault, stream));
  must_cuda(cudaStreamSynchronize(stream));
  assert_memory_equal(host, pinned, BLOCK);
  prism_pinned_free(pinned);
  prism_pinned_free(host);
  prism_pinned_free(NULL);
  must_cuda(cudaStreamDestroy(stream));
}

static void bad_configurations(void **state) {
  (void)state;
  prism_mem_pool_t *pool = NULL;
  prism_mem_stats_t stats;
  prism_mem_pool_config_t config = {.fraction = 0, .ttl = 1};
  assert_int_equal(prism_mem_pool_create(&config, &pool), PRISM_INVALID);
  config.fraction = 1.5;
  assert_int_equal(prism_mem_pool_create(&config, &pool), PRISM_INVALID);
  assert_null(pool);
  must(prism_mem_pool_create(NULL, &pool));
  prism_mem_pool_stats(pool, &stats);
  size_t lying = 0, total = 0;
  must(prism_device_memory(&lying, &total));
  assert_true(stats.limit > 0 && stats.limit < total);
  prism_mem_pool_destroy(&pool);
  prism_mem_pool_destroy(&pool);
}

int main(void) {
  gpu_require();
  must(prism_device_select(0, NULL));
  printf("seed %llu\n", (unsigned long long)seed);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reuse_in_stream_order),     cmocka_unit_test(the_limit_holds),
      cmocka_unit_test(at_the_limit_streams_wait), cmocka_unit_test(old_blocks_go_back),
      cmocka_unit_test(nobody_overwrites_another), cmocka_unit_test(a_full_device),
      cmocka_unit_test(pinned_and_mapped),         cmocka_unit_test(bad_configurations),
  };
  return gpu_run(tests);
}
