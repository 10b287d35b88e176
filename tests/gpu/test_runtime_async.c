/* Coordinator and triple buffers on a real GPU. */
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
#include "runtime/stream_pool.h"
#include "runtime/triple_buffer.h"

static const uint64_t seed = 20261216;

enum { BYTES = 1 << 16 };

static atomic_int gate;

typedef struct rig {
  prism_stream_pool_t *streams;
  prism_mem_pool_t *pool;
  prism_profiler_t *profiler;
  prism_coordinator_t *coordinator;
  prism_coordinator_config_t config;
} rig_t;

static rig_t rig_create(bool async) {
  rig_t rig = {0};
  prism_mem_pool_config_t memory = {.limit_bytes = 64 << 20, .ttl = 10};
  must(prism_stream_pool_create(2, PRISM_STREAMS_PARALLEL, &rig.streams));
  must(prism_mem_pool_create(&memory, &rig.pool));
  must(prism_profiler_create(4096, &rig.profiler));
  rig.config.upload = prism_stream_pool_get(rig.streams, PRISM_STREAM_CONFIG_UPLOAD);
  rig.config.compute = prism_stream_pool_kernel(rig.streams, 1);
  rig.config.download = prism_stream_pool_get(rig.streams, PRISM_STREAM_TELEMETRY_DOWNLOAD);
  rig.config.async = async;
  rig.config.profiler = rig.profiler;
  must(prism_coordinator_create(&rig.config, &rig.coordinator));
  return rig;
}

static void rig_destroy(rig_t *rig) {
  must(prism_stream_pool_drain(rig->streams, 30));
  assert_int_equal(prism_cuda_launched("nothing"), PRISM_OK);
  prism_coordinator_destroy(&rig->coordinator);
  assert_null(rig->coordinator);
  prism_profiler_destroy(&rig->profiler);
  prism_mem_pool_destroy(&rig->pool);
  prism_stream_pool_destroy(&rig->streams);
}

/* A "kernel": the second half of the output is the first half of the input, the first
 * half a constant. */
typedef struct work {
  const void *input;
  void *output;
  int tag;
  bool fails;
} work_t;

static prism_status_t launch(void *context, cudaStream_t stream) {
  const work_t *work = context;
  if (work->fails) PRISM_FAIL(PRISM_UNSUPPORTED, "this one fails");
  PRISM_CUDA(cudaMemsetAsync(work->output, work->tag, BYTES / 2, stream));
  PRISM_CUDA(cudaMemcpyAsync((char *)work->output + BYTES / 2, work->input, BYTES / 2,
                             cudaMemcpyDeviceToDevice, stream));
  return PRISM_OK;
}

static void check_output(const uint8_t *output, const uint8_t *input, int tag) {
  for (int i = 0; i < BYTES / 2; ++i)
    if (output[i] != (uint8_t)tag) fail_msg("byte %d is %d, not %d", i, output[i], tag);
  assert_memory_equal(output + BYTES / 2, input, BYTES / 2);
}

static void wait_done(prism_coordinator_t *coordinator, prism_operation_t operation) {
  bool done = false;
  must(prism_coordinator_wait(coordinator, operation, -1, &done));
  assert_true(done);
}

/* Upload, compute and download in both modes, many times over the ring of operations. */
static void chains(bool async) {
  rig_t rig = rig_create(async);
  uint8_t *input = NULL, *output = NULL;
  void *a = NULL, *b = NULL;
  prism_operation_t up = 0, run = 0, down = 0, first = 0;
  bool done = false;
  must(prism_pinned_alloc(BYTES, (void **)&input));
  must(prism_pinned_alloc(BYTES, (void **)&output));
  must(prism_mem_pool_take(rig.pool, BYTES, rig.config.compute, &a));
  must(prism_mem_pool_take(rig.pool, BYTES, rig.config.compute, &b));
  must_cuda(cudaStreamSynchronize(rig.config.compute));
  for (int turn = 0; turn < gpu_repeats(2 * PRISM_OPERATIONS, 100); ++turn) {
    work_t work = {a, b, turn, false};
    for (int i = 0; i < BYTES; i += 16) input[i] = (uint8_t)(turn + i / 16);
    const prism_operation_t before[] = {run, down, 0};
    must(prism_coordinator_upload(rig.coordinator, a, input, BYTES, before, 3, &up));
    must(prism_coordinator_compute(rig.coordinator, launch, &work, &up, 1, &run));
    must(prism_coordinator_download(rig.coordinator, output, b, BYTES, &run, 1, &down));
    if (turn == 0) first = up;
    assert_int_equal(down, up + 2);
    wait_done(rig.coordinator, down);
    must(prism_coordinator_poll(rig.coordinator, up, &done));
    assert_true(done);
    check_output(output, input, turn);
  }
  must(prism_coordinator_poll(rig.coordinator, first, &done)); /* long past */
  assert_true(done);
  assert_int_equal(prism_coordinator_poll(rig.coordinator, down + 1, &done), PRISM_INVALID);
  must(prism_coordinator_poll(rig.coordinator, 0, &done));
  assert_true(done);
  must(prism_mem_pool_release(rig.pool, a, rig.config.compute));
  must(prism_mem_pool_release(rig.pool, b, rig.config.compute));
  prism_pinned_free(input);
  prism_pinned_free(output);
  rig_destroy(&rig);
}

static void chains_async(void **state) {
  (void)state;
  chains(true);
}

static void chains_in_one_stream(void **state) {
  (void)state;
  chains(false);
}

/* What does not depend on a held stream goes on; what does waits. */
static void dependencies_hold(void **state) {
  (void)state;
  rig_t rig = rig_create(true);
  void *device = NULL, *host = NULL;
  prism_operation_t up = 0, free_run = 0, run = 0, down = 0;
  prism_operation_t many[PRISM_OPERATION_DEPENDENCIES + 1] = {0};
  bool done = true, run_done = true;
  must(prism_pinned_alloc(BYTES, &host));
  memset(host, 0, BYTES);
  must(prism_mem_pool_take(rig.pool, 2 * BYTES, rig.config.compute, &device));
  must_cuda(cudaMemsetAsync(device, 0, 2 * BYTES, rig.config.compute));
  must_cuda(cudaStreamSynchronize(rig.config.compute));
  work_t work = {device, (char *)device + BYTES, 3, false};
  gate_close(&gate, rig.config.upload);
  must(prism_coordinator_upload(rig.coordinator, device, host, BYTES, NULL, 0, &up));
  must(prism_coordinator_compute(rig.coordinator, launch, &work, NULL, 0, &free_run));
  wait_done(rig.coordinator, free_run);
  must(prism_coordinator_compute(rig.coordinator, launch, &work, &up, 1, &run));
  must(prism_coordinator_download(rig.coordinator, host, work.output, BYTES, &run, 1, &down));
  must(prism_coordinator_wait(rig.coordinator, down, 0.02, &done));
  must(prism_coordinator_poll(rig.coordinator, run, &run_done));
  if (gate_holds(&gate)) assert_false(done || run_done);
  gate_open(&gate);
  wait_done(rig.coordinator, down);
  must(prism_coordinator_poll(rig.coordinator, run, &done));
  assert_true(done);
  assert_int_equal(((uint8_t *)host)[7], 3);
  work.fails = true;
  assert_int_equal(prism_coordinator_compute(rig.coordinator, launch, &work, NULL, 0, &run),
                   PRISM_UNSUPPORTED);
  assert_int_equal(prism_coordinator_compute(rig.coordinator, launch, &work, many,
                                             PRISM_OPERATION_DEPENDENCIES + 1, &run),
                   PRISM_INVALID);
  many[0] = down + 1;
  work.fails = false;
  assert_int_equal(prism_coordinator_compute(rig.coordinator, launch, &work, many, 1, &run),
                   PRISM_INVALID);
  must(prism_coordinator_stream_wait(rig.coordinator, down, rig.config.compute));
  must(prism_coordinator_upload(rig.coordinator, device, host, 0, NULL, 0, &up));
  assert_int_equal(up, down + 1); /* failed ones have no number */
  wait_done(rig.coordinator, up);
  must(prism_mem_pool_release(rig.pool, device, rig.config.compute));
  prism_pinned_free(host);
  rig_destroy(&rig);
}

static prism_status_t launch_turn(void *context, cudaStream_t stream, const void *input,
                                  void *output) {
  work_t work = *(const work_t *)context;
  work.input = input;
  work.output = output;
  return launch(&work, stream);
}

static void fill(uint8_t *input, int64_t turn) {
  prism_rng_t rng = prism_rng_stream(seed, (uint64_t)turn, 0, PRISM_RNG_TEST);
  for (int i = 0; i < BYTES; i += 4) {
    uint32_t word = prism_rng_next(&rng);
    memcpy(input + i, &word, 4);
  }
}

static void retire_oldest(prism_triple_t *triple, int64_t turn, uint8_t *expected) {
  bool done = false;
  int32_t slot = prism_triple_oldest(triple);
  assert_int_equal(slot, turn % PRISM_SLOTS);
  must(prism_triple_poll(triple, slot, 10, &done));
  assert_true(done);
  assert_int_equal(prism_triple_slot_state(triple, slot), PRISM_SLOT_DOWNLOADING);
  fill(expected, turn);
  check_output(prism_triple_output(triple, slot), expected, (int)turn);
  must(prism_triple_retire(triple, slot));
  assert_int_equal(prism_triple_slot_state(triple, slot), PRISM_SLOT_FREE);
}

/* A pipeline of many turns: every result, in order, whatever the mode. */
static void pipeline(bool async) {
  rig_t rig = rig_create(async);
  prism_triple_t *triple = NULL;
  uint8_t *expected = NULL;
  int64_t submitted = 0, retired = 0, turns = gpu_repeats(300, 30);
  must(PRISM_ALLOC(BYTES, &expected));
  must(prism_triple_create(rig.coordinator, rig.pool, BYTES, BYTES, &triple));
  assert_int_equal(prism_triple_oldest(triple), PRISM_SLOT_NONE);
  while (retired < turns) {
    int32_t slot = PRISM_SLOT_NONE;
    if (submitted < turns) must(prism_triple_claim(triple, &slot));
    if (slot == PRISM_SLOT_NONE) {
      retire_oldest(triple, retired++, expected);
      continue;
    }
    assert_int_equal(slot, submitted % PRISM_SLOTS);
    work_t work = {.tag = (int)submitted};
    fill(prism_triple_input(triple, slot), submitted);
    must(prism_triple_submit(triple, slot, BYTES, launch_turn, &work));
    ++submitted;
  }
  prism_triple_destroy(&triple);
  assert_null(triple);
  must(prism_profiler_collect(rig.profiler));
  prism_profile_row_t row;
  prism_overlap_times_t times;
  must(prism_stream_pool_drain(rig.streams, 30));
  must(prism_profiler_collect(rig.profiler));
  for (int32_t i = 0; i < prism_profiler_rows(rig.profiler); ++i) {
    prism_profiler_get(rig.profiler, i, &row);
    assert_true(row.duration.count >= turns && row.duration.count <= turns + 1);
    assert_true(row.duration.min >= 0 && row.duration.max >= row.duration.mean);
  }
  prism_profiler_overlap(rig.profiler, &times);
  printf("async %d: span %.3g s, busy %.3g, transfer %.3g, hidden %.3g\n", async, times.span,
         times.busy, times.transfer, times.hidden);
  assert_true(times.busy > 0 && times.transfer > 0 && times.hidden <= times.transfer);
  assert_true(times.busy + times.idle <= times.span + 1e-9);
  /* In one stream nothing overlaps but the grains of the clock. */
  if (!async) assert_true(times.hidden <= 0.5 * times.transfer);
  prism_free(expected);
  rig_destroy(&rig);
}

static void pipeline_async(void **state) {
  (void)state;
  pipeline(true);
}

static void pipeline_in_one_stream(void **state) {
  (void)state;
  pipeline(false);
}

static void slots_and_their_misuse(void **state) {
  (void)state;
  rig_t rig = rig_create(true);
  prism_triple_t *triple = NULL;
  work_t work = {.tag = 1};
  int32_t slot[PRISM_SLOTS], none = 0, waiting = 0;
  bool done = true;
  must(prism_triple_create(rig.coordinator, rig.pool, BYTES, BYTES, &triple));
  must_cuda(cudaStreamSynchronize(rig.config.compute));
  gate_close(&gate, rig.config.upload);
  for (int i = 0; i < PRISM_SLOTS; ++i) {
    must(prism_triple_claim(triple, &slot[i]));
    assert_int_equal(prism_triple_claim(triple, &none), PRISM_INVALID);
    memset(prism_triple_input(triple, slot[i]), i, BYTES);
    assert_int_equal(prism_triple_poll(triple, slot[i], 0, &done), PRISM_INVALID);
    assert_int_equal(prism_triple_submit(triple, slot[i], BYTES + 1, launch_turn, &work),
                     PRISM_INVALID);
    must(prism_triple_submit(triple, slot[i], BYTES, launch_turn, &work));
    assert_int_equal(prism_triple_submit(triple, slot[i], BYTES, launch_turn, &work),
                     PRISM_INVALID);
  }
  must(prism_triple_claim(triple, &none));
  assert_int_equal(none, PRISM_SLOT_NONE);
  for (int i = 0; i < PRISM_SLOTS; ++i) {
    must(prism_triple_poll(triple, slot[i], 0, &done));
    waiting += !done && prism_triple_slot_state(triple, slot[i]) == PRISM_SLOT_UPLOADING;
  }
  if (gate_holds(&gate)) {
    assert_int_equal(waiting, PRISM_SLOTS);
    assert_int_equal(prism_triple_retire(triple, slot[0]), PRISM_INVALID);
  }
  gate_open(&gate);
  must(prism_triple_poll(triple, slot[2], -1, &done));
  assert_true(done);
  assert_int_equal(prism_triple_retire(triple, slot[2]), PRISM_INVALID); /* not the oldest */
  for (int i = 0; i < PRISM_SLOTS; ++i) {
    must(prism_triple_poll(triple, slot[i], -1, &done));
    must(prism_triple_retire(triple, slot[i]));
  }
  assert_int_equal(prism_triple_poll(triple, slot[0], 0, &done), PRISM_INVALID);
  work.fails = true;
  must(prism_triple_claim(triple, &slot[0]));
  memset(prism_triple_input(triple, slot[0]), 0, BYTES);
  assert_int_equal(prism_triple_submit(triple, slot[0], BYTES, launch_turn, &work),
                   PRISM_UNSUPPORTED);
  assert_int_equal(prism_triple_slot_state(triple, slot[0]), PRISM_SLOT_FREE);
  work.fails = false;
  must(prism_triple_claim(triple, &slot[1]));
  assert_int_equal(slot[1], slot[0]);
  memset(prism_triple_input(triple, slot[1]), 0, BYTES);
  must(prism_triple_submit(triple, slot[1], BYTES, launch_turn, &work));
  prism_triple_destroy(&triple); /* with one under way: it is waited for */
  rig_destroy(&rig);
}

/* Slots without input or without output, and a pool without room for them. */
static void one_sided_and_too_large(void **state) {
  (void)state;
  rig_t rig = rig_create(true);
  prism_triple_t *triple = NULL;
  prism_mem_stats_t stats;
  must(prism_triple_create(rig.coordinator, rig.pool, 0, 100, &triple));
  assert_null(prism_triple_input(triple, 0));
  assert_non_null(prism_triple_output(triple, 0));
  prism_triple_destroy(&triple);
  assert_int_equal(prism_triple_create(rig.coordinator, rig.pool, 32 << 20, 0, &triple),
                   PRISM_MEMORY);
  assert_null(triple);
  prism_mem_pool_stats(rig.pool, &stats);
  assert_int_equal(stats.live_blocks, 0);
  rig_destroy(&rig);
}

int main(void) {
  gpu_require();
  must(prism_device_select(0, NULL));
  printf("seed %llu\n", (unsigned long long)seed);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chains_async),           cmocka_unit_test(chains_in_one_stream),
      cmocka_unit_test(dependencies_hold),      cmocka_unit_test(pipeline_async),
      cmocka_unit_test(pipeline_in_one_stream), cmocka_unit_test(slots_and_their_misuse),
      cmocka_unit_test(one_sided_and_too_large),
  };
  return gpu_run(tests);
}
