/* A rank with a GPU and cores beside it, on a stand-in for the GPU: who runs what, what
 * happens when the GPU fails, what is told, and the same result again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_gpu.h"
#include "model/generate.h"
#include "model/verify.h"
#include "solve/solve.h"
#include "store_fixture.h"

#define BIT(method) PRISM_METHOD_BIT(PRISM_METHOD_##method)

static const uint64_t seed = 20261121;

enum { REMARKS = 1024 };

typedef struct mixed {
  prism_params_t params;
  fake_setup_t fake;
  int32_t gpu_islands, cpu_islands;
  bool fallback;
  prism_store_t *store;
  char remarks[REMARKS], warnings[REMARKS];
} mixed_t;

static mixed_t mixed_of(uint32_t gpu_methods) {
  mixed_t mixed = {.fake = {.methods = gpu_methods}, .gpu_islands = 1, .cpu_islands = 2};
  prism_params_default(&mixed.params);
  mixed.params.reduction.clique_seconds = 0.02;
  mixed.params.reduction.exact_vertices = 0;
  mixed.params.reduction.enabled = false;
  mixed.params.initial.strategy = 2; /* largest first: leaves something to do */
  mixed.params.run.time_limit = 60.0;
  return mixed;
}

static void note_remark(void *user, const char *text) {
  mixed_t *mixed = user;
  size_t used = strlen(mixed->remarks);
  snprintf(mixed->remarks + used, REMARKS - used, "%s\n", text);
}

static void note_warning(void *user, const char *text) {
  mixed_t *mixed = user;
  size_t used = strlen(mixed->warnings);
  snprintf(mixed->warnings + used, REMARKS - used, "%s\n", text);
}

static prism_status_t run(mixed_t *mixed, const prism_graph_t *graph, prism_result_t *result) {
  prism_comm_t comm = {0};
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  prism_engine_part_t cpu = {prism_cpu_backend(&mixed->params.cpu), mixed->cpu_islands};
  prism_engine_part_t part[2] = {fake_part(&mixed->fake, mixed->gpu_islands), cpu};
  prism_engine_part_t alone = {cpu.backend, 3};
  mixed->remarks[0] = mixed->warnings[0] = '\0';
  prism_solve_config_t config = {.graph = graph, .params = &mixed->params, .seed = 5,
                                 .comm = &comm, .part = part,
                                 .parts = mixed->cpu_islands > 0 ? 2 : 1,
                                 .fallback = mixed->fallback ? &alone : NULL,
                                 .store = mixed->store, .start_time = prism_clock_now(),
                                 .remark = note_remark, .warn = note_warning, .user = mixed};
  prism_status_t status = prism_solve(&config, result);
  prism_comm_destroy(&comm);
  if (result->color != NULL) {
    prism_verdict_t verdict;
    assert_int_equal(prism_verify(graph, result->color, &verdict), PRISM_OK);
    assert_true(verdict.legal && verdict.colors == result->colors);
  }
  return status;
}

static prism_graph_t *planted(int32_t n, int32_t k, uint64_t number) {
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_planted(n, k, 0.35, 0, seed + number, &made), PRISM_OK);
  return made.graph;
}

/* Out of reach with 12 colors, which no clique shows: the search goes on until it is stopped. */
static prism_graph_t *hopeless(int32_t n) {
  prism_generated_t made = {0};
  assert_int_equal(prism_generate_gnp(n, 0.5, seed, &made), PRISM_OK);
  return made.graph;
}

static void both_parts_find_colorings(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  for (uint64_t round = 0; round < 8; ++round) {
    mixed_t mixed = mixed_of(round % 2 == 0 ? BIT(POOL) : BIT(POOL) | BIT(TABUCOL));
    mixed.cpu_islands = (int32_t)(round % 4); /* also the GPU alone */
    mixed.params.memetic.generation_iterations = 2000;
    mixed.params.run.target = 7;
    prism_graph_t *graph = planted(140, 7, round);
    prism_result_t result;
    assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
    assert_int_equal(result.colors, 7);
    assert_true(result.iterations > 0); /* it was not too easy */
    assert_false(result.fallback);
    assert_string_equal(mixed.remarks, "");
    prism_result_release(&result);
    prism_graph_destroy(&graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* memetic.method is 1 + the method. */
static void methods_go_where_they_can_run(void **state) {
  (void)state;
  prism_graph_t *graph = planted(120, 6, 50);
  prism_result_t result;
  mixed_t mixed = mixed_of(BIT(POOL) | BIT(TABUCOL));
  mixed.params.memetic.generation_iterations = 2000;
  mixed.params.run.target = 6;
  mixed.params.memetic.method = 1 + PRISM_METHOD_HEAD; /* the GPU breeds with its pool */
  assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
  assert_int_equal(result.colors, 6);
  assert_string_equal(mixed.remarks,
                      "island 0 (gpu) does not run head: it runs pool, with more individuals\n");
  prism_result_release(&result);
  mixed.params.memetic.method = 1 + PRISM_METHOD_WEIGHTED; /* the cores alone */
  assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
  assert_int_equal(result.colors, 6);
  assert_string_equal(mixed.remarks, "island 0 (gpu) does not run weighted: it stays idle\n");
  prism_result_release(&result);
  mixed.cpu_islands = 0; /* nobody */
  assert_int_equal(run(&mixed, graph, &result), PRISM_UNSUPPORTED);
  assert_non_null(strstr(prism_error_text(), "memetic.method = weighted"));
  assert_non_null(result.color); /* the first colouring stands */
  prism_result_release(&result);
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Idle islands take no part in migration, wherever they stand; deterministic runs. */
static void idle_islands_are_left_out(void **state) {
  (void)state;
  prism_graph_t *graph = hopeless(100);
  mixed_t mixed = mixed_of(BIT(POOL));
  mixed.params.run.deterministic = true;
  mixed.params.run.target = 12;
  mixed.params.run.max_iterations = 60000;
  mixed.params.memetic.generation_iterations = 1000;
  for (int32_t method = 1; method <= PRISM_METHOD_COUNT; ++method) {
    prism_result_t result;
    mixed.params.memetic.method = method;
    mixed.params.run.deterministic = method % 2 == 0;
    assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
    assert_int_equal(result.reason, PRISM_EXIT_ITERATIONS);
    prism_result_release(&result);
  }
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void a_gpu_that_cannot_serve_is_replaced(void **state) {
  (void)state;
  static const prism_status_t statuses[] = {PRISM_DEVICE, PRISM_MEMORY, PRISM_UNSUPPORTED};
  prism_graph_t *graph = planted(120, 6, 51);
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; ++i) {
    mixed_t mixed = mixed_of(BIT(POOL));
    mixed.params.run.target = 6;
    mixed.fake.create_status = statuses[i];
    mixed.fallback = true;
    prism_result_t result;
    assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
    assert_int_equal(result.colors, 6);
    assert_true(result.fallback);
    assert_true(result.gpu_busy < 0.0 && result.gpu_overlap < 0.0);
    assert_string_equal(mixed.remarks, "fake cannot serve this graph, cpu takes over: the fake "
                                       "was told to fail\n");
    prism_result_release(&result);
    mixed.fallback = false; /* never silently, and nothing else is lost */
    assert_int_equal(run(&mixed, graph, &result), statuses[i]);
    assert_non_null(strstr(prism_error_text(), "told to fail"));
    assert_non_null(result.color);
    prism_result_release(&result);
  }
  mixed_t broken = mixed_of(BIT(POOL)); /* a bug is no reason to go on elsewhere */
  broken.params.run.target = 6;
  broken.fake.create_status = PRISM_INTERNAL;
  broken.fallback = true;
  prism_result_t result;
  assert_int_equal(run(&broken, graph, &result), PRISM_INTERNAL);
  prism_result_release(&result);
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* A device that is lost ends the run in order; what was found stands. */
static void a_lost_device_ends_the_run(void **state) {
  (void)state;
  prism_graph_t *graph = hopeless(100);
  for (int round = 0; round < 4; ++round) {
    mixed_t mixed = mixed_of(BIT(POOL));
    mixed.fake.fail_after = 1 + 3 * round;
    mixed.fallback = true; /* is for the start alone */
    mixed.cpu_islands = round;
    mixed.params.run.target = 12;
    mixed.params.run.deterministic = round % 2 == 1;
    mixed.params.memetic.generation_iterations = 500;
    prism_result_t result;
    assert_int_equal(run(&mixed, graph, &result), PRISM_DEVICE);
    assert_non_null(strstr(prism_error_text(), "fallen off the bus"));
    assert_non_null(result.color);
    prism_result_release(&result);
  }
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* A target is looked for at once; without one there is a way down. */
static void a_target_is_searched_for_itself(void **state) {
  (void)state;
  prism_graph_t *graph = planted(120, 6, 9);
  for (int32_t with = 0; with < 2; ++with) {
    int32_t lowest = INT32_MAX, highest = 0;
    mixed_t mixed = mixed_of(BIT(HEAD) | BIT(TABUCOL));
    mixed.fake.lowest = &lowest;
    mixed.fake.highest = &highest;
    mixed.params.run.target = with != 0 ? 6 : 0;
    if (with == 0) mixed.params.run.max_iterations = 300000;
    prism_result_t result = {0};
    assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
    if (with != 0) assert_int_equal(result.colors, 6);
    if (with != 0)
      assert_true(lowest == 6 && highest == 6);
    else
      assert_true(highest > 6 && lowest < highest);
    prism_result_release(&result);
  }
  prism_graph_destroy(&graph);
}

/* A target that nobody reaches: what comes close to it counts, with more colors. */
static void what_comes_close_is_an_answer(void **state) {
  (void)state;
  prism_graph_t *graph = hopeless(120);
  for (int round = 0; round < 3; ++round) {
    int32_t lowest = INT32_MAX, highest = 0;
    mixed_t mixed = mixed_of(BIT(POOL) | BIT(TABUCOL));
    mixed.cpu_islands = round;
    mixed.fake.lowest = &lowest;
    mixed.fake.highest = &highest;
    mixed.params.run.time_limit = 0.0; /* no half of it: at the target all the time */
    mixed.params.run.target = 14;
    mixed.params.run.max_iterations = 200000;
    prism_result_t result = {0};
    assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
    assert_true(lowest == 14 && highest == 14);
    assert_true(result.colors > 14 && result.time_to_best > 0.0);
    int32_t direct = result.colors;
    prism_result_release(&result);
    mixed.params.run.target = 0; /* what the first coloring alone would be */
    mixed.params.run.max_iterations = 1;
    assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
    assert_true(direct < result.colors);
    prism_result_release(&result);
    mixed.params.run.target = 14; /* after a half the search comes up again */
    mixed.params.run.max_iterations = 400000;
    mixed.params.run.deterministic = true;
    mixed.params.memetic.generation_iterations = 1000;
    highest = 0;
    assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
    assert_true(lowest == 14 && highest > 14 && result.colors <= highest + 1);
    prism_result_release(&result);
  }
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Whoever is first: lockstep in generations gives the same result. */
static void the_same_again(void **state) {
  (void)state;
  prism_graph_t *graph = hopeless(130);
  for (int round = 0; round < 3; ++round) {
    prism_result_t first = {0};
    for (uint64_t delays = 0; delays < 4; ++delays) {
      mixed_t mixed = mixed_of(round == 0 ? BIT(POOL) : BIT(POOL) | BIT(TABUCOL) | BIT(PARTIALCOL));
      mixed.gpu_islands = 1 + round % 2;
      mixed.fake.delays = delays;
      mixed.params.run.deterministic = true;
      mixed.params.run.max_iterations = 400000;
      mixed.params.memetic.generation_iterations = 1000 + 700 * round;
      prism_result_t result;
      assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
      if (delays == 0) {
        first = result;
        continue;
      }
      assert_int_equal(result.colors, first.colors);
      assert_int_equal(result.iterations, first.iterations);
      assert_int_equal(result.reason, first.reason);
      assert_memory_equal(result.color, first.color, (size_t)graph->n * sizeof *first.color);
      prism_result_release(&result);
    }
    prism_result_release(&first);
  }
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Number behind "name": in one line; NaN for null. */
static double number_of(const char *line, const char *name) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *at = strstr(line, key);
  assert_non_null(at);
  at += strlen(key);
  return strncmp(at, "null", 4) == 0 ? (double)NAN : strtod(at, NULL);
}

static void the_gpu_is_told_about(void **state) {
  (void)state;
  fixture_t files;
  fixture_open(&files, 9); /* for its names; the graph of the run is another */
  prism_graph_t *graph = hopeless(90);
  mixed_t mixed = mixed_of(BIT(POOL));
  mixed.params.run.time_limit = 0.6;
  mixed.params.run.target = 12;
  mixed.params.telemetry.interval = 0.05;
  mixed.fake.demes = 8;
  mixed.fake.note = "a pool of 100 individuals: memory has no room for 400";
  prism_store_config_t config = files.config;
  config.graph = graph;
  assert_int_equal(prism_store_open(&config, &mixed.store), PRISM_OK);
  prism_result_t result;
  assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
  assert_true(result.gpu_busy > 0.74 && result.gpu_busy < 0.76);
  assert_true(result.gpu_overlap > 0.49 && result.gpu_overlap < 0.51);
  prism_result_release(&result);
  assert_string_equal(mixed.remarks, "a pool of 100 individuals: memory has no room for 400\n");
  fixture_wait_flushed(mixed.store, PRISM_RECORD_GPU, 3);
  assert_int_equal(prism_store_close(&mixed.store, NULL), PRISM_OK);

  char *text = fixture_read(files.jsonl, NULL);
  const char *note = strstr(text, "\"event\":\"engine_note\"");
  assert_non_null(note);
  assert_null(strstr(note + strlen("\"event\":\"engine_"), "engine_note")); /* told once */
  int gpu = 0, metric = 0, told = 0;
  double before = 0.0;
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    if (strncmp(line, "{\"record\":\"metric\"", 17) == 0) {
      ++metric;
      assert_non_null(strstr(line, "\"phase\":\"memetic\""));
      assert_non_null(strstr(line, "\"mode\":\"gpu\""));
      const char *does = strstr(line, "\"parameters\":\"method=pool islands=3");
      assert_non_null(does);
      long long length = 0;
      int demes = 0;
      if (sscanf(does, "\"parameters\":\"method=pool islands=3 length=%lld demes=%d\"", &length,
                 &demes) == 2)
        told += length >= 1000 && demes == 8;
      assert_true(number_of(line, "stream") == FAKE_STREAM);
    }
    if (strncmp(line, "{\"record\":\"gpu\"", 14) != 0) continue;
    ++gpu;
    double t = number_of(line, "t");
    assert_true(t >= before && number_of(line, "rank") == 0.0);
    before = t;
    assert_true(number_of(line, "utilization") == 75.0);
    assert_true(number_of(line, "memory_total_mb") == 81920.0);
    assert_true(isnan(number_of(line, "power_w")));
    assert_non_null(strstr(line, "\"throttle\":\"power cap\""));
    double kernel = number_of(line, "kernel_us"), transfer = number_of(line, "transfer_us");
    assert_true(kernel > 0.0 && kernel < 0.8e6);
    assert_true(fabs(transfer - kernel / 7.5) < 1e-3 * kernel + 1.0); /* us */
    assert_true(fabs(number_of(line, "overlap") - 0.5) < 0.01);
    assert_true(fabs(number_of(line, "idle") - 0.25) < 0.01);
  }
  assert_true(gpu == metric && gpu >= 3); /* start, end and something between */
  assert_true(told > 0);
  prism_free(text);
  prism_graph_destroy(&graph);
  fixture_close(&files);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Asked for or not, alone and as a part of a joint engine. */
static void the_gpu_is_profiled(void **state) {
  (void)state;
  for (int round = 0; round < 3; ++round) {
    fixture_t files;
    fixture_open(&files, 9);
    prism_graph_t *graph = hopeless(90);
    mixed_t mixed = mixed_of(BIT(POOL));
    mixed.cpu_islands = round;
    mixed.fake.profile = mixed.params.gpu.profile = round < 2;
    mixed.params.run.time_limit = 0.2;
    mixed.params.run.target = 12;
    prism_store_config_t config = files.config;
    config.graph = graph;
    assert_int_equal(prism_store_open(&config, &mixed.store), PRISM_OK);
    prism_result_t result;
    assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
    if (round < 2) {
      const prism_gpu_profile_t *profile = result.gpu_profile;
      assert_non_null(profile);
      assert_int_equal(profile->parts, 2);
      assert_string_equal(profile->part[0].name, "pool search");
      assert_true(fabs(prism_gpu_profile_share(profile, &profile->part[0]) - 0.5) < 1e-9);
      assert_int_equal(profile->part[1].time.count, 2);
    } else {
      assert_null(result.gpu_profile);
    }
    prism_result_release(&result);
    assert_int_equal(prism_store_close(&mixed.store, NULL), PRISM_OK);
    char *text = fixture_read(files.jsonl, NULL);
    assert_int_equal(fixture_lines(text, "{\"record\":\"profile\""), round < 2 ? 2 : 0);
    const char *upload = strstr(text, "\"name\":\"upload\",\"count\":2,");
    assert_int_equal(upload != NULL, round < 2);
    if (upload != NULL) {
      assert_true(fabs(number_of(upload, "total_s") - 4e-3) < 1e-9);
      assert_true(fabs(number_of(upload, "mean_us") - 2000) < 1e-6);
      assert_true(fabs(number_of(upload, "min_us") - 1000) < 1e-6);
      assert_true(fabs(number_of(upload, "max_us") - 3000) < 1e-6);
      assert_true(fabs(number_of(upload, "stddev_us") - 1000 * sqrt(2)) < 1e-3);
      assert_true(number_of(upload, "iterations") == 0.0);
    }
    prism_free(text);
    prism_graph_destroy(&graph);
    fixture_close(&files);
  }
}

/* Once each, to the right place, and into the run file. */
static void the_gpu_alerts(void **state) {
  (void)state;
  fixture_t files;
  fixture_open(&files, 9);
  prism_graph_t *graph = hopeless(90);
  mixed_t mixed = mixed_of(BIT(POOL));
  mixed.fake.alarms = true;
  mixed.params.run.time_limit = 0.6;
  mixed.params.run.target = 12;
  mixed.params.telemetry.interval = 0.05;
  prism_store_config_t config = files.config;
  config.graph = graph;
  assert_int_equal(prism_store_open(&config, &mixed.store), PRISM_OK);
  prism_result_t result;
  assert_int_equal(run(&mixed, graph, &result), PRISM_OK);
  prism_result_release(&result);
  assert_string_equal(mixed.warnings, "the GPU is hot: 91 degrees C\n");
  assert_string_equal(mixed.remarks, "the GPU is at its power limit: 99 %\n");
  assert_int_equal(prism_store_close(&mixed.store, NULL), PRISM_OK);
  char *text = fixture_read(files.jsonl, NULL);
  assert_non_null(strstr(text, "\"event\":\"gpu_alert\",\"colors\":-1,"
                               "\"notes\":\"the GPU is hot: 91 degrees C\""));
  assert_non_null(strstr(text, "\"notes\":\"the GPU is at its power limit: 99 %\""));
  prism_free(text);
  prism_graph_destroy(&graph);
  fixture_close(&files);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_parts_find_colorings),
      cmocka_unit_test(methods_go_where_they_can_run),
      cmocka_unit_test(idle_islands_are_left_out),
      cmocka_unit_test(a_gpu_that_cannot_serve_is_replaced),
      cmocka_unit_test(a_lost_device_ends_the_run),
      cmocka_unit_test(a_target_is_searched_for_itself),
      cmocka_unit_test(what_comes_close_is_an_answer),
      cmocka_unit_test(the_same_again),
      cmocka_unit_test(the_gpu_is_told_about),
      cmocka_unit_test(the_gpu_is_profiled),
      cmocka_unit_test(the_gpu_alerts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
