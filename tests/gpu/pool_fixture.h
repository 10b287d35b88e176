/* Populations on the device for the tests of the kernels over them. */
#ifndef PRISM_TESTS_POOL_FIXTURE_H
#define PRISM_TESTS_POOL_FIXTURE_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#include "base/rng.h"
#include "gpu/gpu_fixture.h"
#include "kernels/convert.h"
#include "kernels/layout.h"

static inline void *device_bytes(size_t bytes) {
  void *memory = NULL;
  must_cuda(cudaMalloc(&memory, bytes > 0 ? bytes : 1));
  return memory;
}

static inline void *device_copy(const void *host, size_t bytes) {
  void *memory = device_bytes(bytes);
  must_cuda(cudaMemcpy(memory, host, bytes, cudaMemcpyHostToDevice));
  return memory;
}

static inline int32_t *device_ints(const int32_t *host, int32_t count) {
  return device_copy(host, (size_t)count * sizeof *host);
}

/* Waits for all that was launched before. */
static inline void host_ints(const int32_t *device, int32_t *host, int32_t count) {
  must_cuda(cudaDeviceSynchronize());
  must_cuda(cudaMemcpy(host, device, (size_t)count * sizeof *host, cudaMemcpyDeviceToHost));
}

static inline prism_gpu_pool_t pool_create(int32_t n, int32_t k, int32_t members) {
  prism_gpu_pool_t pool = {.n = n, .k = k, .members = members, .pitch = prism_gpu_pitch(n)};
  pool.color = device_bytes((size_t)members * (size_t)pool.pitch * sizeof *pool.color);
  pool.f = device_bytes((size_t)members * sizeof *pool.f);
  must_cuda(cudaMemset(pool.f, 0xFF, (size_t)members * sizeof *pool.f));
  return pool;
}

static inline void pool_destroy(prism_gpu_pool_t *pool) {
  must_cuda(cudaFree(pool->color));
  must_cuda(cudaFree(pool->f));
}

static inline void pool_put(const prism_gpu_pool_t *pool, int32_t member, const int32_t *color) {
  uint16_t *row = NULL;
  must(PRISM_ALLOC(pool->n, &row));
  prism_color_pack(color, pool->n, row);
  must_cuda(cudaMemcpy(pool->color + (size_t)member * (size_t)pool->pitch, row,
                       (size_t)pool->n * sizeof *row, cudaMemcpyHostToDevice));
  prism_free(row);
}

/* Waits for all that was launched before. */
static inline void pool_get(const prism_gpu_pool_t *pool, int32_t member, int32_t *color) {
  uint16_t *row = NULL;
  must(PRISM_ALLOC(pool->n, &row));
  must_cuda(cudaDeviceSynchronize());
  must_cuda(cudaMemcpy(row, pool->color + (size_t)member * (size_t)pool->pitch,
                       (size_t)pool->n * sizeof *row, cudaMemcpyDeviceToHost));
  prism_color_unpack(row, pool->n, color);
  prism_free(row);
}

/* Uniform colours 0..colors-1. */
static inline void draw_colors(prism_rng_t *rng, int32_t n, int32_t colors, int32_t *color) {
  for (int32_t v = 0; v < n; ++v) color[v] = (int32_t)prism_rng_below(rng, (uint32_t)colors);
}

/* b = a with `noise` of 10 vertices redrawn, classes renamed by a rotation. */
static inline void draw_relative(prism_rng_t *rng, int32_t n, int32_t k, uint32_t noise,
                                 const int32_t *a, int32_t *b) {
  int32_t shift = (int32_t)prism_rng_below(rng, (uint32_t)k);
  for (int32_t v = 0; v < n; ++v)
    b[v] = prism_rng_below(rng, 10) < noise ? (int32_t)prism_rng_below(rng, (uint32_t)k)
                                            : (a[v] + shift) % k;
}

/* The pick-th (from 0) of the entries that equal `value`. */
static inline int32_t nth_equal(const int32_t *entry, int32_t count, int32_t value, int32_t pick) {
  for (int32_t i = 0; i < count; ++i)
    if (entry[i] == value && pick-- == 0) return i;
  return -1;
}

static inline int32_t count_equal(const int32_t *entry, int32_t count, int32_t value) {
  int32_t equal = 0;
  for (int32_t i = 0; i < count; ++i) equal += entry[i] == value;
  return equal;
}

#endif
