/* Device, streams, events and health on a real GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/mem.h"
#include "gpu/gpu_fixture.h"
#include "gpu/runtime_fixture.h"
#include "runtime/check.h"
#include "runtime/device.h"
#include "runtime/event_registry.h"
#include "runtime/mem_pool.h"
#include "runtime/nvml.h"
#include "runtime/stream_pool.h"

static atomic_int gate;

static void devices_have_plausible_properties(void **state) {
  (void)state;
  int32_t count = 0, found = -1;
  assert_int_equal(prism_device_count(&count), PRISM_OK);
  assert_true(count >= 1);
  for (int32_t i = 0; i < count; ++i) {
    prism_device_info_t info;
    assert_int_equal(prism_device_query(i, &info), PRISM_OK);
    printf("%s, %s, %s, %d SMs, %zu KiB shared memory per SM\n", info.name, info.uuid,
           info.versions, info.sm_count, info.smem_per_sm / 1024);
    assert_int_equal(info.index, i);
    assert_int_equal(strlen(info.uuid), PRISM_DEVICE_UUID_BYTES - 1);
    assert_true(info.sm_count > 0 && info.warps_per_sm >= 32 && info.blocks_per_sm >= 16);
    assert_true(info.smem_per_block_optin >= 48 * 1024);
    assert_true(info.smem_per_sm >= info.smem_per_block_optin + info.smem_reserved);
    assert_true(info.l2_bytes > 0 && info.memory_bytes > (size_t)1 << 30);
    assert_true(info.runtime_version >= 12000 && info.driver_version >= 12000);
    assert_int_equal(prism_device_find(info.uuid, &found), PRISM_OK);
    assert_int_equal(found, i);
  }
  prism_device_info_t info = {.index = -7};
  assert_int_equal(prism_device_query(count, &info), PRISM_INVALID);
  assert_int_equal(info.index, -7);
  assert_int_equal(prism_device_find("GPU-none", &found), PRISM_DEVICE);
}

static void selecting_makes_a_context(void **state) {
  (void)state;
  prism_device_info_t info;
  unsigned flags = 0;
  size_t lying = 0, total = 0;
  assert_int_equal(prism_device_select(0, &info), PRISM_OK);
  assert_int_equal(prism_device_use(0), PRISM_OK);
  must_cuda(cudaGetDeviceFlags(&flags));
  assert_int_equal(flags & cudaDeviceScheduleMask, cudaDeviceScheduleBlockingSync);
  assert_int_equal(prism_device_memory(&lying, &total), PRISM_OK);
  assert_true(lying > 0 && lying <= total);
  assert_false(prism_cuda_is_lost());
  assert_int_equal(prism_cuda_launched("nothing"), PRISM_OK);
}

static void parallel_streams(void **state) {
  (void)state;
  prism_stream_pool_t *pool = NULL;
  char text[64];
  int low = 0, middle = 0, high = 0;
  assert_int_equal(prism_stream_pool_create(0, PRISM_STREAMS_PARALLEL, &pool), PRISM_INVALID);
  assert_int_equal(prism_stream_pool_create(4, PRISM_STREAMS_PARALLEL, &pool), PRISM_OK);
  assert_int_equal(prism_stream_pool_size(pool), 4);
  for (int i = 0; i < PRISM_STREAM_PURPOSE_COUNT; ++i)
    for (int j = 0; j < i; ++j)
      assert_ptr_not_equal(prism_stream_pool_get(pool, (prism_stream_purpose_t)i),
                           prism_stream_pool_get(pool, (prism_stream_purpose_t)j));
  assert_ptr_equal(prism_stream_pool_get(pool, PRISM_STREAM_KERNEL_EXECUTION),
                   prism_stream_pool_kernel(pool, 0));
  assert_ptr_equal(prism_stream_pool_kernel(pool, 6), prism_stream_pool_kernel(pool, 2));
  const prism_phase_row_t *row = prism_phase_find(PRISM_PHASE_MEMETIC);
  assert_int_equal(prism_stream_pool_phase_index(pool, PRISM_PHASE_MEMETIC), row->stream % 4);
  assert_ptr_equal(prism_stream_pool_phase(pool, PRISM_PHASE_MEMETIC),
                   prism_stream_pool_kernel(pool, row->stream % 4));
  for (int32_t i = 0; i < 9; ++i) {
    int32_t index = -1;
    assert_ptr_equal(prism_stream_pool_next(pool, &index), prism_stream_pool_kernel(pool, i % 4));
    assert_int_equal(index, i % 4);
  }
  must_cuda(cudaStreamGetPriority(prism_stream_pool_get(pool, PRISM_STREAM_AUX_COMPUTE), &low));
  must_cuda(cudaStreamGetPriority(prism_stream_pool_kernel(pool, 1), &middle));
  must_cuda(cudaStreamGetPriority(prism_stream_pool_get(pool, PRISM_STREAM_CONFIG_UPLOAD), &high));
  assert_true(low >= middle && middle >= high && low > high); /* CUDA counts downwards */
  prism_stream_pool_name(pool, prism_stream_pool_kernel(pool, 2), text, sizeof text);
  assert_string_equal(text, "KernelExecution 2");
  prism_stream_pool_name(pool, prism_stream_pool_get(pool, PRISM_STREAM_PEER_TRANSFER), text,
                         sizeof text);
  assert_string_equal(text, "PeerTransfer");
  prism_stream_pool_tag(pool, PRISM_PHASE_MEMETIC, text, sizeof text);
  assert_memory_equal(text, "[MEMETIC][gpu][stream=", 22);
  gate_close(&gate, prism_stream_pool_get(pool, PRISM_STREAM_AUX_COMPUTE));
  assert_int_equal(prism_stream_pool_drain(pool, 0.02), PRISM_TIMEOUT);
  gate_open(&gate);
  assert_int_equal(prism_stream_pool_drain(pool, 30), PRISM_OK);
  assert_int_equal(prism_cuda_launched("nothing"), PRISM_OK); /* queries leave no error */
  prism_stream_pool_destroy(&pool);
  assert_null(pool);
}

static void sequential_streams(void **state) {
  (void)state;
  prism_stream_pool_t *pool = NULL;
  char text[64];
  assert_int_equal(prism_stream_pool_create(4, PRISM_STREAMS_SEQUENTIAL, &pool), PRISM_OK);
  assert_int_equal(prism_stream_pool_size(pool), 1);
  cudaStream_t only = prism_stream_pool_kernel(pool, 3);
  for (int i = 0; i < PRISM_STREAM_PURPOSE_COUNT; ++i)
    assert_ptr_equal(prism_stream_pool_get(pool, (prism_stream_purpose_t)i), only);
  assert_ptr_equal(prism_stream_pool_phase(pool, PRISM_PHASE_MEMETIC), only);
  assert_ptr_equal(prism_stream_pool_next(pool, NULL), only);
  prism_stream_pool_name(pool, only, text, sizeof text);
  assert_string_equal(text, "one stream");
  assert_int_equal(prism_stream_pool_drain(pool, 10), PRISM_OK);
  prism_stream_pool_destroy(&pool);
}

static void events_order_streams(void **state) {
  (void)state;
  prism_event_registry_t *events = NULL;
  cudaStream_t first = fresh_stream(), second = fresh_stream();
  int32_t a = -1, b = -1;
  bool done = true;
  double seconds = -1;
  assert_int_equal(prism_event_registry_create(&events), PRISM_OK);
  assert_int_equal(prism_event_get(events, "first", true, &a), PRISM_OK);
  assert_int_equal(prism_event_get(events, "second", true, &b), PRISM_OK);
  assert_int_equal(prism_event_stream_wait(events, a, second), PRISM_INVALID);
  assert_int_equal(prism_event_query(events, a, &done), PRISM_INVALID);
  gate_close(&gate, first);
  assert_int_equal(prism_event_record(events, a, first), PRISM_OK);
  assert_int_equal(prism_event_stream_wait(events, a, second), PRISM_OK);
  assert_int_equal(prism_event_record(events, b, second), PRISM_OK);
  assert_int_equal(prism_event_query(events, b, &done), PRISM_OK);
  assert_false(done);
  assert_int_equal(prism_event_host_wait(events, b, 0.02, &done), PRISM_OK);
  assert_false(done);
  gate_open(&gate);
  assert_int_equal(prism_event_host_wait(events, b, -1, &done), PRISM_OK);
  assert_true(done);
  assert_int_equal(prism_event_query(events, a, &done), PRISM_OK);
  assert_true(done);
  assert_int_equal(prism_event_elapsed(events, a, b, &seconds), PRISM_OK);
  assert_true(seconds >= 0 && seconds < 60);
  prism_event_clear(events, a);
  assert_false(prism_event_is_recorded(events, a));
  assert_int_equal(prism_event_elapsed(events, a, b, &seconds), PRISM_INVALID);
  prism_event_clear_all(events);
  assert_false(prism_event_is_recorded(events, b));
  prism_event_registry_destroy(&events);
  assert_null(events);
  must_cuda(cudaStreamDestroy(first));
  must_cuda(cudaStreamDestroy(second));
}

static void many_names(void **state) {
  (void)state;
  prism_event_registry_t *events = NULL;
  int32_t id = -1, untimed = -1;
  double seconds = 0;
  char name[80];
  cudaStream_t stream = fresh_stream();
  assert_int_equal(prism_event_registry_create(&events), PRISM_OK);
  for (int32_t i = 0; i < 100; ++i) {
    snprintf(name, sizeof name, "event %d", i);
    assert_int_equal(prism_event_find(events, name), PRISM_EVENT_NONE);
    assert_int_equal(prism_event_get(events, name, true, &id), PRISM_OK);
    assert_int_equal(id, i);
  }
  assert_int_equal(prism_event_get(events, "event 40", true, &id), PRISM_OK);
  assert_int_equal(id, 40);
  assert_string_equal(prism_event_name(events, 99), "event 99");
  assert_int_equal(prism_event_count(events), 100);
  assert_int_equal(prism_event_record(events, 100, stream), PRISM_INVALID);
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  assert_int_equal(prism_event_get(events, name, true, &id), PRISM_INVALID);
  assert_int_equal(prism_event_get(events, "untimed", false, &untimed), PRISM_OK);
  assert_int_equal(prism_event_record(events, untimed, stream), PRISM_OK);
  assert_int_equal(prism_event_record(events, 0, stream), PRISM_OK);
  assert_int_equal(prism_event_elapsed(events, 0, untimed, &seconds), PRISM_INVALID);
  must_cuda(cudaStreamSynchronize(stream));
  prism_event_registry_destroy(&events);
  must_cuda(cudaStreamDestroy(stream));
}

static void health(void **state) {
  (void)state;
  prism_device_info_t info;
  prism_nvml_t *nvml = NULL;
  prism_nvml_sample_t sample;
  char text[128];
  assert_int_equal(prism_device_query(0, &info), PRISM_OK);
  assert_int_equal(prism_nvml_create(info.uuid, &nvml), PRISM_OK);
  if (!prism_nvml_available(nvml)) {
    printf("no NVML: %s\n", prism_nvml_reason(nvml));
    prism_nvml_destroy(&nvml);
    return;
  }
  assert_string_equal(prism_nvml_reason(nvml), "");
  assert_true(strlen(prism_nvml_driver_version(nvml)) > 2);
  prism_nvml_read(nvml, &sample);
  prism_nvml_throttle_text(sample.throttle, text, sizeof text);
  printf("driver %s, %.0f %%, %.0f of %.0f MiB, %.0f of %.0f W, %.0f C, %.0f MHz, %s, ECC %lld\n",
         prism_nvml_driver_version(nvml), sample.utilization, sample.memory_used_mb,
         sample.memory_total_mb, sample.power_w, sample.power_limit_w, sample.temperature_c,
         sample.sm_clock_mhz, text, (long long)sample.ecc_uncorrected);
  assert_false(sample.utilization < 0 || sample.utilization > 100); /* NAN may be */
  assert_false(sample.temperature_c < 0 || sample.temperature_c > 130);
  /* The same device: CUDA sees all of its memory but what the driver keeps. */
  double mib = (double)info.memory_bytes / 1048576.0;
  assert_false(sample.memory_total_mb < 0.9 * mib || sample.memory_total_mb > 1.2 * mib);
  assert_false(sample.memory_used_mb > sample.memory_total_mb);
  prism_nvml_destroy(&nvml);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(devices_have_plausible_properties),
      cmocka_unit_test(selecting_makes_a_context),
      cmocka_unit_test(parallel_streams),
      cmocka_unit_test(sequential_streams),
      cmocka_unit_test(events_order_streams),
      cmocka_unit_test(many_names),
      cmocka_unit_test(health),
  };
  return gpu_run(tests);
}
