/* A kernel crashes: the first error is told, nothing hangs, nothing hides it, and all
 * host memory is given back. The context is gone afterwards, so this is a program of its
 * own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "gpu/gpu_fixture.h"
#include "gpu/runtime_fixture.h"
#include "runtime/check.h"
#include "runtime/device.h"
#include "runtime/event_registry.h"
#include "runtime/graph.h"
#include "runtime/stage_manager.h"
#include "runtime/stream_pool.h"
#include "runtime/triple_buffer.h"

enum { BYTES = 4096 };

/* Writes through an address that no memory can have. */
static const char crash_ptx[] =
    ".version 7.0\n"
    ".target sm_80\n"
    ".address_size 64\n"
    ".visible .entry crash_kernel()\n"
    "{\n"
    "  .reg .b64 %address;\n"
    "  .reg .b32 %value;\n"
    "  mov.u64 %address, 64;\n"
    "  mov.u32 %value, 1;\n"
    "  st.global.u32 [%address], %value;\n"
    "  ret;\n"
    "}\n";

/* Everything the engine makes. */
typedef struct rig {
  prism_stream_pool_t *streams;
  prism_event_registry_t *events;
  prism_mem_pool_t *pool;
  prism_profiler_t *profiler;
  prism_stage_manager_t *stages;
  prism_coordinator_t *coordinator;
  prism_triple_t *triple;
  prism_cuda_graph_t *graph;
  void *block, *pinned;
} rig_t;

static prism_status_t launch(void *context, cudaStream_t stream, const void *input,
                             void *output) {
  (void)context;
  PRISM_CUDA(cudaMemcpyAsync(output, input, BYTES, cudaMemcpyDeviceToDevice, stream));
  return PRISM_OK;
}

static prism_status_t section(void *context, cudaStream_t stream) {
  PRISM_CUDA(cudaMemsetAsync(context, 0, BYTES, stream));
  return PRISM_OK;
}

static void rig_create(rig_t *rig) {
  static const char *const names[] = {"search"};
  prism_mem_pool_config_t memory = {.limit_bytes = 64 << 20, .ttl = 10};
  int32_t event = 0;
  must(prism_stream_pool_create(2, PRISM_STREAMS_PARALLEL, &rig->streams));
  must(prism_event_registry_create(&rig->events));
  must(prism_event_get(rig->events, "one", true, &event));
  must(prism_mem_pool_create(&memory, &rig->pool));
  must(prism_profiler_create(64, &rig->profiler));
  must(prism_stage_manager_create(names, 1, rig->profiler, &rig->stages));
  cudaStream_t compute = prism_stream_pool_kernel(rig->streams, 0);
  prism_coordinator_config_t config = {
      .upload = prism_stream_pool_get(rig->streams, PRISM_STREAM_CONFIG_UPLOAD),
      .compute = compute,
      .download = prism_stream_pool_get(rig->streams, PRISM_STREAM_TELEMETRY_DOWNLOAD),
      .async = true,
      .profiler = rig->profiler};
  must(prism_coordinator_create(&config, &rig->coordinator));
  must(prism_triple_create(rig->coordinator, rig->pool, BYTES, BYTES, &rig->triple));
  must(prism_mem_pool_take(rig->pool, BYTES, compute, &rig->block));
  must(prism_pinned_alloc(BYTES, &rig->pinned));
  must(prism_cuda_graph_create(&rig->graph));
  must(prism_cuda_graph_capture(rig->graph, compute, section, rig->block));
  must_cuda(cudaStreamSynchronize(compute));
}

static void rig_destroy(rig_t *rig) {
  cudaStream_t compute = prism_stream_pool_kernel(rig->streams, 0);
  must(prism_mem_pool_release(rig->pool, rig->block, compute));
  prism_pinned_free(rig->pinned);
  prism_cuda_graph_destroy(&rig->graph);
  prism_triple_destroy(&rig->triple);
  prism_coordinator_destroy(&rig->coordinator);
  prism_stage_manager_destroy(&rig->stages);
  prism_profiler_destroy(&rig->profiler);
  prism_mem_pool_destroy(&rig->pool);
  prism_event_registry_destroy(&rig->events);
  prism_stream_pool_destroy(&rig->streams);
}

#if CUDART_VERSION >= 12080
/* [out] false: this machine cannot compile PTX */
static bool crash(cudaStream_t stream) {
  cudaLibrary_t library = NULL;
  cudaKernel_t kernel = NULL;
  cudaError_t error = cudaLibraryLoadData(&library, crash_ptx, NULL, NULL, 0, NULL, NULL, 0);
  if (error != cudaSuccess) {
    printf("no PTX: %s\n", cudaGetErrorString(error));
    (void)cudaGetLastError();
    return false;
  }
  must_cuda(cudaLibraryGetKernel(&kernel, library, "crash_kernel"));
  const dim3 one = {1, 1, 1};
  must_cuda(cudaLaunchKernel((const void *)kernel, one, one, NULL, 0, stream));
  return true;
}
#else
static bool crash(cudaStream_t stream) {
  (void)stream;
  (void)crash_ptx;
  return false;
}
#endif

static void a_crash_ends_in_order(void **state) {
  (void)state;
  rig_t rig = {0};
  int32_t slot = PRISM_SLOT_NONE;
  bool done = false;
  rig_create(&rig);
  must(prism_triple_claim(rig.triple, &slot));
  memset(prism_triple_input(rig.triple, slot), 0, BYTES);
  assert_false(prism_cuda_is_lost());
  if (!crash(prism_coordinator_compute_stream(rig.coordinator))) {
    rig_destroy(&rig);
    return;
  }
  prism_status_t status = prism_triple_submit(rig.triple, slot, BYTES, launch, NULL);
  if (status == PRISM_OK) status = prism_triple_poll(rig.triple, slot, 20, &done);
  assert_int_equal(status, PRISM_DEVICE);
  assert_false(done);
  assert_true(prism_cuda_is_lost());
  char text[1024];
  snprintf(text, sizeof text, "%s", prism_error_text());
  printf("told: %s\n", text);
  assert_non_null(strstr(text, "failed"));
  rig_destroy(&rig);
  assert_string_equal(prism_error_text(), text);
  assert_true(prism_cuda_is_lost()); /* and stays so */
}

int main(void) {
  gpu_require();
  if (gpu_repeats(1, 0) == 0) return 0; /* a crash is what compute-sanitizer looks for */
  must(prism_device_select(0, NULL));
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_crash_ends_in_order)};
  return gpu_run(tests);
}
