/* The parts of the GPU runtime that only keep books: memory pool, slots of the triple
 * buffer, alerts, stages, error classes. No GPU needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "gpu/gpu_fixture.h"
#include "runtime/alert.h"
#include "runtime/check.h"
#include "runtime/device.h"
#include "runtime/mem_book.h"
#include "runtime/mem_pool.h"
#include "runtime/nvml.h"
#include "runtime/stage_manager.h"
#include "runtime/stream_pool.h"
#include "runtime/triple_state.h"

static const uint64_t seed = 20261214;

/* cmocka's own compares in single precision. */
#define assert_near(a, b, error) assert_true(fabs((double)(a) - (double)(b)) <= (error))

static void size_classes(void **state) {
  (void)state;
  const size_t mib = 1 << 20;
  assert_int_equal(prism_mem_class_bytes(0), 4096);
  assert_int_equal(prism_mem_class_bytes(4096), 4096);
  assert_int_equal(prism_mem_class_bytes(4097), 8192);
  assert_int_equal(prism_mem_class_bytes(33 * mib), 64 * mib);
  assert_int_equal(prism_mem_class_bytes(64 * mib), 64 * mib);
  assert_int_equal(prism_mem_class_bytes(64 * mib + 1), 66 * mib);
  assert_int_equal(prism_mem_class_bytes(40000 * mib), 40000 * mib);
  assert_int_equal(prism_mem_class_bytes(SIZE_MAX), 0);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int i = 0; i < 2000; ++i) {
    size_t bytes = (size_t)prism_rng_next(&rng) << prism_rng_below(&rng, 8);
    size_t got = prism_mem_class_bytes(bytes);
    assert_true(got >= bytes);
    assert_int_equal(prism_mem_class_bytes(got), got);
    if (bytes > 4096) assert_true(got < 2 * bytes);
  }
}

enum { MODEL = 64 };

/* What the book should know, kept in the dullest way. */
typedef struct model {
  void *address[MODEL]; /* NULL: unused */
  size_t bytes[MODEL];
  const void *stream[MODEL];
  double released[MODEL];
  bool live[MODEL];
  int64_t hits, misses, evictions;
  size_t high;
} model_t;

static void compare(const prism_mem_book_t *book, model_t *model) {
  prism_mem_stats_t stats;
  size_t live = 0, lying = 0;
  int64_t live_blocks = 0, free_blocks = 0;
  prism_mem_book_stats(book, &stats);
  for (int i = 0; i < MODEL; ++i) {
    if (model->address[i] == NULL) continue;
    int32_t id = prism_mem_book_find(book, model->address[i]);
    assert_int_equal(id != PRISM_MEM_NONE, model->live[i]);
    live += model->live[i] ? model->bytes[i] : 0;
    lying += model->live[i] ? 0 : model->bytes[i];
    live_blocks += model->live[i];
    free_blocks += !model->live[i];
  }
  if (live > model->high) model->high = live;
  assert_int_equal(stats.live_bytes, live);
  assert_int_equal(stats.free_bytes, lying);
  assert_int_equal(stats.live_blocks, live_blocks);
  assert_int_equal(stats.free_blocks, free_blocks);
  assert_int_equal(stats.hits, model->hits);
  assert_int_equal(stats.misses, model->misses);
  assert_int_equal(stats.evictions, model->evictions);
  assert_int_equal(stats.high_water, model->high);
  assert_true(live + lying <= stats.limit);
}

static int place_of(const model_t *model, const void *address) {
  for (int i = 0; i < MODEL; ++i)
    if (model->address[i] == address) return i;
  fail_msg("the book names a block that does not exist");
  return -1;
}

/* The released time that match() should find; NAN for none. */
static double wanted_match(const model_t *model, size_t bytes, const void *stream, bool other) {
  double best = NAN;
  for (int i = 0; i < MODEL; ++i) {
    bool fits = model->address[i] != NULL && !model->live[i] &&
                model->bytes[i] == prism_mem_class_bytes(bytes);
    if (!fits || (model->stream[i] != stream) != other) continue;
    if (isnan(best) || (other ? model->released[i] < best : model->released[i] > best))
      best = model->released[i];
  }
  return best;
}

static void take(prism_mem_book_t *book, model_t *model, prism_rng_t *rng, uintptr_t *fresh) {
  size_t bytes = (size_t)1 << (10 + prism_rng_below(rng, 8));
  const void *stream = (const void *)(uintptr_t)(1 + prism_rng_below(rng, 3));
  bool other = prism_rng_below(rng, 2) == 1;
  double wanted = wanted_match(model, bytes, stream, other);
  int32_t id = prism_mem_book_match(book, bytes, stream, other);
  assert_int_equal(id == PRISM_MEM_NONE, isnan(wanted));
  int at = 0;
  if (id != PRISM_MEM_NONE) {
    const prism_mem_block_t *block = prism_mem_book_block(book, id);
    assert_near(block->released_at, wanted, 0);
    at = place_of(model, block->address);
    prism_mem_book_take(book, id, stream);
    ++model->hits;
  } else {
    while (at < MODEL && model->address[at] != NULL) ++at;
    if (at == MODEL || !prism_mem_book_fits(book, bytes)) return;
    model->address[at] = (void *)(*fresh += 4096);
    model->bytes[at] = prism_mem_class_bytes(bytes);
    assert_int_equal(prism_mem_book_add(book, model->address[at], model->bytes[at], stream, NULL,
                                        &id), PRISM_OK);
    ++model->misses;
  }
  model->live[at] = true;
  model->stream[at] = stream;
}

static void give_back(prism_mem_book_t *book, model_t *model, prism_rng_t *rng, double now) {
  int at = (int)prism_rng_below(rng, MODEL);
  if (model->address[at] == NULL || !model->live[at]) return;
  model->live[at] = false;
  model->released[at] = now;
  prism_mem_book_release(book, prism_mem_book_find(book, model->address[at]), model->stream[at],
                         now);
}

static void evict(prism_mem_book_t *book, model_t *model, double now, double ttl) {
  int oldest = -1;
  for (int i = 0; i < MODEL; ++i)
    if (model->address[i] != NULL && !model->live[i] &&
        (oldest < 0 || model->released[i] < model->released[oldest]))
      oldest = i;
  bool wanted = oldest >= 0 && now - model->released[oldest] >= ttl;
  int32_t id = prism_mem_book_expired(book, now, ttl);
  assert_int_equal(id != PRISM_MEM_NONE, wanted);
  if (!wanted) return;
  assert_ptr_equal(prism_mem_book_block(book, id)->address, model->address[oldest]);
  prism_mem_book_drop(book, id);
  model->address[oldest] = NULL;
  ++model->evictions;
}

static void book_follows_a_model(void **state) {
  (void)state;
  for (uint32_t round = 0; round < 20; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, 1, round, PRISM_RNG_TEST);
    prism_mem_book_t *book = NULL;
    model_t model = {0};
    uintptr_t fresh = 1 << 20;
    assert_int_equal(prism_mem_book_create((size_t)1 << (17 + round % 6), &book), PRISM_OK);
    for (int step = 0; step < 2000; ++step) {
      double now = step;
      switch (prism_rng_below(&rng, 5)) {
        case 0:
        case 1: take(book, &model, &rng, &fresh); break;
        case 2:
        case 3: give_back(book, &model, &rng, now); break;
        default: evict(book, &model, now, prism_rng_below(&rng, 100)); break;
      }
      compare(book, &model);
    }
    while (prism_mem_book_count(book) > 0)
      prism_mem_book_drop(book, prism_mem_book_count(book) - 1);
    prism_mem_stats_t stats;
    prism_mem_book_stats(book, &stats);
    assert_int_equal(stats.live_bytes + stats.free_bytes, 0);
    assert_int_equal(stats.live_blocks + stats.free_blocks, 0);
    prism_mem_book_destroy(&book);
    assert_null(book);
  }
}

static void slots_follow_a_queue(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  prism_triple_state_t triple;
  prism_triple_state_init(&triple);
  int32_t queue[PRISM_SLOTS]; /* slots in use, oldest first */
  int wanted[PRISM_SLOTS] = {0}, used = 0;
  int32_t next = 0;
  for (int step = 0; step < 20000; ++step) {
    int32_t slot = (int32_t)prism_rng_below(&rng, PRISM_SLOTS);
    int from = (int)prism_rng_below(&rng, 4);
    switch (prism_rng_below(&rng, 4)) {
      case 0: {
        int32_t got = prism_triple_state_claim(&triple);
        assert_int_equal(got, used == PRISM_SLOTS ? PRISM_SLOT_NONE : next);
        if (got == PRISM_SLOT_NONE) break;
        queue[used++] = got;
        wanted[got] = PRISM_SLOT_UPLOADING;
        next = (next + 1) % PRISM_SLOTS;
        break;
      }
      case 1: {
        bool legal = (from == PRISM_SLOT_UPLOADING || from == PRISM_SLOT_PROCESSING) &&
                     wanted[slot] == from;
        assert_int_equal(prism_triple_state_advance(&triple, slot, (prism_slot_state_t)from),
                         legal);
        wanted[slot] += legal;
        break;
      }
      case 2: {
        bool legal = used > 0 && queue[0] == slot && wanted[slot] == PRISM_SLOT_DOWNLOADING;
        assert_int_equal(prism_triple_state_retire(&triple, slot), legal);
        if (!legal) break;
        wanted[slot] = PRISM_SLOT_FREE;
        memmove(queue, queue + 1, (size_t)--used * sizeof *queue);
        break;
      }
      default: {
        bool legal = used > 0 && queue[used - 1] == slot && wanted[slot] == PRISM_SLOT_UPLOADING;
        if (prism_rng_below(&rng, 4) > 0) break;
        assert_int_equal(prism_triple_state_unclaim(&triple, slot), legal);
        if (!legal) break;
        wanted[slot] = PRISM_SLOT_FREE;
        next = slot;
        --used;
      }
    }
    assert_int_equal(prism_triple_state_oldest(&triple), used > 0 ? queue[0] : PRISM_SLOT_NONE);
    for (int32_t i = 0; i < PRISM_SLOTS; ++i)
      assert_int_equal(prism_triple_state_get(&triple, i), wanted[i]);
  }
  assert_false(prism_triple_state_retire(&triple, PRISM_SLOT_NONE));
  assert_string_equal(prism_slot_state_name(PRISM_SLOT_PROCESSING), "processing");
}

static void thresholds_have_two_sides(void **state) {
  (void)state;
  assert_false(prism_hysteresis(false, 84.9, 85, 80));
  assert_true(prism_hysteresis(false, 85, 85, 80));
  assert_true(prism_hysteresis(true, 80, 85, 80));
  assert_false(prism_hysteresis(true, 79.9, 85, 80));
  assert_true(prism_hysteresis(true, NAN, 85, 80));
  assert_false(prism_hysteresis(false, NAN, 85, 80));
}

/* Values of a minute and a half: raised at 85, cleared after ten in a row below 80. */
static void alerts_do_not_flutter(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 4, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 50; ++round) {
    prism_alerts_t alerts = {0};
    bool active = false;
    int calm = 0;
    for (int i = 0; i < 90; ++i) {
      prism_nvml_sample_t sample;
      uint32_t raised = 9, cleared = 9, bit = 1u << PRISM_ALERT_TEMPERATURE;
      prism_nvml_sample_clear(&sample);
      int swing = (int)prism_rng_below(&rng, 30); /* 20 samples below 82, 20 up to 99 */
      if (prism_rng_below(&rng, 8) > 0) sample.temperature_c = (i / 20 % 2 ? 52 : 70) + swing;
      prism_alerts_update(&alerts, &sample, &raised, &cleared);
      bool was = active;
      if (!isnan(sample.temperature_c)) {
        calm = sample.temperature_c < 80 ? calm + 1 : 0;
        active = sample.temperature_c >= 85 || (active && calm < PRISM_ALERT_HOLD);
        if (!active) calm = 0;
      }
      assert_int_equal(alerts.active[PRISM_ALERT_TEMPERATURE], active);
      assert_int_equal(raised, active && !was ? bit : 0);
      assert_int_equal(cleared, !active && was ? bit : 0);
    }
  }
}

static void check_line(const prism_alerts_t *alerts, prism_alert_t alert, const char *wanted) {
  char line[128];
  prism_alert_line(alerts, alert, line, sizeof line);
  assert_string_equal(line, wanted);
}

static void alerts_of_every_kind(void **state) {
  (void)state;
  prism_alerts_t alerts = {0};
  uint32_t raised = 0, cleared = 0;
  prism_nvml_sample_t sample = {.memory_used_mb = 80000, .memory_total_mb = 81559, .power_w = 699,
                                .power_limit_w = 700, .temperature_c = 86,
                                .throttle = PRISM_THROTTLE_POWER_CAP | PRISM_THROTTLE_HW_THERMAL,
                                .ecc_uncorrected = 3};
  prism_alerts_update(&alerts, &sample, &raised, &cleared);
  assert_int_equal(raised, (1u << PRISM_ALERT_COUNT) - 1);
  assert_int_equal(cleared, 0);
  check_line(&alerts, PRISM_ALERT_TEMPERATURE, "the GPU is hot: 86 degrees C");
  check_line(&alerts, PRISM_ALERT_POWER, "the GPU is at its power limit: 100 %");
  check_line(&alerts, PRISM_ALERT_MEMORY, "the memory of the GPU is nearly full: 98 %");
  check_line(&alerts, PRISM_ALERT_THROTTLE, "the GPU is slowed down: critical temperature");
  check_line(&alerts, PRISM_ALERT_ECC,
             "the memory of the GPU had errors that were not corrected: 3 since its driver was "
             "loaded");
  sample.throttle = PRISM_THROTTLE_POWER_CAP; /* ordinary at full load */
  sample.power_w = 680;                       /* 97 %: neither here nor there */
  sample.temperature_c = 70;
  for (int i = 1; i < PRISM_ALERT_HOLD; ++i) {
    prism_alerts_update(&alerts, &sample, &raised, &cleared);
    assert_int_equal(raised | cleared, 0);
  }
  prism_alerts_update(&alerts, &sample, &raised, &cleared);
  assert_int_equal(raised, 0);
  assert_int_equal(cleared, (1u << PRISM_ALERT_THROTTLE) | (1u << PRISM_ALERT_TEMPERATURE));
  check_line(&alerts, PRISM_ALERT_TEMPERATURE, "the GPU has cooled down: 70 degrees C");
  check_line(&alerts, PRISM_ALERT_THROTTLE, "the GPU is no longer slowed down");
  assert_true(prism_alert_warns(PRISM_ALERT_ECC) && !prism_alert_warns(PRISM_ALERT_POWER));
}

/* Where NVML tells nothing, nothing is raised. */
static void no_values_no_alerts(void **state) {
  (void)state;
  prism_alerts_t alerts = {0};
  uint32_t raised = 9, cleared = 9;
  prism_nvml_sample_t sample;
  prism_nvml_sample_clear(&sample);
  for (int i = 0; i < 20; ++i) {
    prism_alerts_update(&alerts, &sample, &raised, &cleared);
    assert_int_equal(raised | cleared, 0);
  }
}

static void throttle_reasons_in_words(void **state) {
  (void)state;
  char text[64], small[8];
  prism_nvml_throttle_text(-1, text, sizeof text);
  assert_string_equal(text, "");
  prism_nvml_throttle_text(0, text, sizeof text); /* as documented of run files */
  assert_string_equal(text, "");
  prism_nvml_throttle_text(PRISM_THROTTLE_POWER_CAP | PRISM_THROTTLE_THERMAL, text, sizeof text);
  assert_string_equal(text, "power cap, temperature");
  memset(small, 'x', sizeof small);
  prism_nvml_throttle_text(0x1FF, small, sizeof small);
  assert_int_equal(strlen(small), sizeof small - 1);
}

static void nvml_is_optional(void **state) {
  (void)state;
  prism_nvml_t *nvml = NULL;
  prism_nvml_sample_t sample;
  assert_int_equal(prism_nvml_create("GPU-00000000-0000-0000-0000-000000000000", &nvml), PRISM_OK);
  assert_false(prism_nvml_available(nvml));
  assert_true(strlen(prism_nvml_reason(nvml)) > 5);
  assert_string_equal(prism_nvml_driver_version(nvml), "");
  prism_nvml_read(nvml, &sample);
  assert_true(isnan(sample.utilization) && isnan(sample.power_w));
  assert_int_equal(sample.throttle, -1);
  assert_int_equal(sample.ecc_uncorrected, -1);
  prism_nvml_destroy(&nvml);
  assert_null(nvml);
  prism_nvml_destroy(&nvml);
}

static void sticky_errors(void **state) {
  (void)state;
  const cudaError_t sticky[] = {cudaErrorIllegalAddress, cudaErrorLaunchFailure, cudaErrorAssert,
                                cudaErrorLaunchTimeout, cudaErrorECCUncorrectable};
  const cudaError_t passing[] = {cudaSuccess, cudaErrorNotReady, cudaErrorMemoryAllocation,
                                 cudaErrorInvalidValue, cudaErrorInvalidConfiguration,
                                 cudaErrorLaunchOutOfResources, cudaErrorGraphExecUpdateFailure};
  for (size_t i = 0; i < sizeof sticky / sizeof *sticky; ++i)
    assert_true(prism_cuda_is_sticky(sticky[i]));
  for (size_t i = 0; i < sizeof passing / sizeof *passing; ++i)
    assert_false(prism_cuda_is_sticky(passing[i]));
}

static prism_status_t call_once(cudaError_t error) {
  PRISM_CUDA(error);
  return PRISM_OK;
}

static void errors_become_statuses(void **state) {
  (void)state;
  assert_int_equal(call_once(cudaSuccess), PRISM_OK);
  assert_int_equal(call_once(cudaErrorMemoryAllocation), PRISM_MEMORY);
  assert_int_equal(call_once(cudaErrorInvalidValue), PRISM_DEVICE);
  assert_non_null(strstr(prism_error_text(), "cudaErrorInvalidValue"));
  assert_non_null(strstr(prism_error_trace(), "call_once"));
  assert_int_equal(prism_cuda_fail(cudaErrorInvalidValue, "cudaMemcpyAsync(a, b, 3)", "f", 1, "g"),
                   PRISM_DEVICE);
  assert_memory_equal(prism_error_text(), "cudaMemcpyAsync failed: ", 24);
}

static void stages_keep_their_order(void **state) {
  (void)state;
  const char *const names[] = {"upload", "search", "crossover"};
  const char *const unnamed[] = {"upload", ""};
  const char *const long_names[] = {"a name that is longer than a table has room for"};
  prism_stage_manager_t *stages = NULL;
  prism_gpu_part_t part;
  assert_int_equal(prism_stage_manager_create(names, 0, NULL, &stages), PRISM_INVALID);
  assert_int_equal(prism_stage_manager_create(unnamed, 2, NULL, &stages), PRISM_INVALID);
  assert_int_equal(prism_stage_manager_create(long_names, 1, NULL, &stages), PRISM_INVALID);
  assert_null(stages);
  assert_int_equal(prism_stage_manager_create(names, 3, NULL, &stages), PRISM_OK);
  assert_int_equal(prism_stage_number(stages), 3);
  for (int pass = 0; pass < 3; ++pass) {
    assert_int_equal(prism_stage_enter(stages, 0, NULL), PRISM_OK);
    assert_int_equal(prism_stage_enter(stages, 0, NULL), PRISM_INVALID);
    assert_int_equal(prism_stage_enter(stages, 2, NULL), PRISM_OK); /* leaves 0, without 1 */
    assert_int_equal(prism_stage_enter(stages, 1, NULL), PRISM_INVALID);
    assert_int_equal(prism_stage_enter(stages, 3, NULL), PRISM_INVALID);
    assert_int_equal(prism_stage_enter(stages, -1, NULL), PRISM_INVALID);
    /* A failure ends the pass as well, and stays what it was. */
    prism_status_t status = pass == 1 ? PRISM_MEMORY : PRISM_OK;
    assert_int_equal(prism_stage_finish(stages, status, NULL), status);
    assert_int_equal(prism_stage_finish(stages, PRISM_OK, NULL), PRISM_OK); /* an empty pass */
    prism_stage_count(stages, 2, 100);
    prism_stage_count(stages, 3, 100); /* nobody */
  }
  prism_stage_read(stages, 2, &part);
  assert_string_equal(part.name, "crossover");
  assert_int_equal(part.iterations, 300);
  assert_int_equal(part.time.count, 0); /* nobody measured */
  prism_stage_read(stages, 3, &part);
  assert_string_equal(part.name, "");
  assert_int_equal(prism_stage_enter(stages, 1, NULL), PRISM_OK);
  prism_stage_manager_destroy(&stages); /* inside a stage */
  assert_null(stages);
}

/* As most runs have it: nobody asked. */
static void no_stages(void **state) {
  (void)state;
  prism_stage_manager_t *stages = NULL;
  prism_gpu_part_t part;
  assert_int_equal(prism_stage_enter(stages, 5, NULL), PRISM_OK);
  assert_int_equal(prism_stage_enter(stages, 2, NULL), PRISM_OK);
  assert_int_equal(prism_stage_finish(stages, PRISM_OK, NULL), PRISM_OK);
  assert_int_equal(prism_stage_finish(stages, PRISM_DEVICE, NULL), PRISM_DEVICE);
  prism_stage_count(stages, 0, 1);
  prism_stage_read(stages, 0, &part);
  assert_int_equal(prism_stage_number(stages), 0);
  assert_int_equal(part.iterations, 0);
  prism_stage_manager_destroy(&stages);
}

/* A NULL profiler measures nothing and fails nowhere. */
static void no_profiler(void **state) {
  (void)state;
  prism_overlap_times_t times;
  prism_profile_row_t row;
  int32_t id = 7, span = 7;
  assert_int_equal(prism_profiler_row(NULL, "x", PRISM_PROFILE_KERNEL, &id), PRISM_OK);
  assert_int_equal(prism_profiler_begin(NULL, id, NULL, &span), PRISM_OK);
  assert_int_equal(span, PRISM_SPAN_NONE);
  assert_int_equal(prism_profiler_end(NULL, span, NULL), PRISM_OK);
  prism_profiler_cancel(NULL, span);
  assert_int_equal(prism_profiler_collect(NULL), PRISM_OK);
  assert_int_equal(prism_profiler_rows(NULL), 0);
  prism_profiler_get(NULL, 0, &row);
  assert_int_equal(row.duration.count, 0);
  prism_profiler_overlap(NULL, &times);
  assert_near(times.span, 0, 0);
}

static void old_gpus_are_refused(void **state) {
  (void)state;
  prism_device_info_t info = {.name = "Old", .cc_major = 7, .cc_minor = 5, .sm_count = 40,
                              .memory_bytes = 1 << 30};
  assert_int_equal(prism_device_check(&info), PRISM_DEVICE);
  assert_non_null(strstr(prism_error_text(), "7.5"));
  info.cc_major = 9;
  assert_int_equal(prism_device_check(&info), PRISM_OK);
}

/* Without a GPU everything ends in one clear error and nothing is left behind. */
static void without_a_gpu(void **state) {
  (void)state;
  int32_t count = 0;
  if (prism_device_count(&count) == PRISM_OK) skip();
  prism_mem_pool_t *pool = NULL;
  prism_stream_pool_t *streams = NULL;
  prism_profiler_t *profiler = NULL;
  void *block = NULL;
  assert_true(strlen(prism_error_text()) > 10);
  assert_int_equal(prism_device_select(0, NULL), PRISM_DEVICE);
  assert_int_equal(prism_mem_pool_create(NULL, &pool), PRISM_DEVICE);
  assert_int_equal(prism_stream_pool_create(4, PRISM_STREAMS_PARALLEL, &streams), PRISM_DEVICE);
  assert_int_equal(prism_profiler_create(16, &profiler), PRISM_DEVICE);
  assert_int_equal(prism_pinned_alloc(100, &block), PRISM_DEVICE);
  assert_true(pool == NULL && streams == NULL && profiler == NULL && block == NULL);
}

int main(void) {
  printf("seed %llu\n", (unsigned long long)seed);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(size_classes),
      cmocka_unit_test(book_follows_a_model),
      cmocka_unit_test(slots_follow_a_queue),
      cmocka_unit_test(thresholds_have_two_sides),
      cmocka_unit_test(alerts_do_not_flutter),
      cmocka_unit_test(alerts_of_every_kind),
      cmocka_unit_test(no_values_no_alerts),
      cmocka_unit_test(throttle_reasons_in_words),
      cmocka_unit_test(nvml_is_optional),
      cmocka_unit_test(sticky_errors),
      cmocka_unit_test(errors_become_statuses),
      cmocka_unit_test(stages_keep_their_order),
      cmocka_unit_test(no_stages),
      cmocka_unit_test(no_profiler),
      cmocka_unit_test(old_gpus_are_refused),
      cmocka_unit_test(without_a_gpu),
  };
  return gpu_run(tests);
}
