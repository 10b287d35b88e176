/* What a process pays on a GPU before its first moves, step by step, in milliseconds.
 *
 * gpu_start GRAPH K [--warm]
 * prints a line a step, then what an engine needs from its making to the report of its first
 * and of its tenth generation. With --warm the GPU is made ready as prism-dist does it. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/context.h"
#include "engine/engine_cuda.h"
#include "engine/warmup.h"
#include "model/dimacs.h"

static double last;

static void tell(const char *what) {
  double now = prism_clock_now();
  printf("%-44s %8.1f ms\n", what, 1e3 * (now - last));
  fflush(stdout);
  last = prism_clock_now();
}

static prism_status_t make_ready(const prism_params_gpu_t *gpu, bool warm,
                                 prism_gpu_warmth_t **warmth) {
  prism_device_info_t device;
  prism_nvml_t *nvml = NULL;
  int32_t count = 0;
  last = prism_clock_now();
  PRISM_TRY(prism_device_count(&count));
  tell("count the GPUs (starts the driver)");
  PRISM_TRY(prism_device_query(0, &device));
  tell("ask for one's properties");
  PRISM_TRY(prism_device_select(0, NULL));
  tell("make its context");
  PRISM_TRY(prism_nvml_create(device.uuid, &nvml));
  tell("open NVML");
  atomic_bool enough = false;
  prism_status_t status = warm ? prism_gpu_warm_up(gpu, &enough, warmth) : PRISM_OK;
  if (warm) tell("the rest of the warm-up: load kernels");
  prism_nvml_destroy(&nvml);
  return status;
}

static prism_status_t generations(prism_engine_t *engine, prism_method_t method, int32_t k,
                                  int64_t count) {
  prism_work_t work = {.phase = prism_method_phase(method), .k = k, .generations = count,
                       .params = {.version = 1, .method = method, .tenure_base = 10.0,
                                  .tenure_slope = 0.6}};
  int64_t ticket = -1;
  prism_summary_t summary = {0};
  PRISM_TRY(engine->ops->submit(engine->self, 0, &work, &ticket));
  for (bool done = false; !done;)
    PRISM_TRY(engine->ops->poll(engine->self, ticket, 1.0, &done, &summary));
  printf("  %s, k %d: %d individuals, %lld moves, f %lld\n", prism_method_name(method), k,
         summary.individuals, (long long)summary.iterations, (long long)summary.f_best);
  return PRISM_OK;
}

static prism_status_t first_moves(const prism_params_gpu_t *gpu, const prism_graph_t *graph,
                                  int32_t k) {
  const prism_gpu_setup_t setup = {.params = *gpu};
  const prism_engine_backend_t backend = prism_cuda_backend(&setup);
  const prism_engine_config_t config = {.graph = graph, .seed = 1, .islands = 1};
  prism_engine_t engine = {0};
  last = prism_clock_now();
  PRISM_TRY(backend.create(&config, backend.context, &engine));
  tell("make the engine");
  prism_status_t status = generations(&engine, PRISM_METHOD_POOL, k, 1);
  tell("first generation of a pool");
  if (status == PRISM_OK) status = generations(&engine, PRISM_METHOD_POOL, k, 1);
  tell("second one: crossover");
  if (status == PRISM_OK) status = generations(&engine, PRISM_METHOD_POOL, k, 8);
  tell("eight more");
  if (status == PRISM_OK) status = generations(&engine, PRISM_METHOD_POOL, k - 1, 1);
  tell("first one at the next k");
  if (status == PRISM_OK) status = generations(&engine, PRISM_METHOD_WEIGHTED, k - 1, 1);
  tell("first one by edge weights");
  prism_engine_destroy(&engine);
  tell("destroy the engine");
  return status;
}

static prism_status_t measure(const char *path, int32_t k, bool warm) {
  prism_params_t params;
  prism_dimacs_report_t report;
  prism_graph_t *graph = NULL;
  prism_gpu_warmth_t *warmth = NULL;
  prism_params_default(&params);
  PRISM_TRY(prism_dimacs_read(path, &report, &graph));
  prism_status_t status = make_ready(&params.gpu, warm, &warmth);
  if (status == PRISM_OK) status = first_moves(&params.gpu, graph, k);
  prism_gpu_warmth_destroy(&warmth);
  prism_graph_destroy(&graph);
  return status;
}

int main(int argc, char **argv) {
  int32_t k = argc > 2 ? atoi(argv[2]) : 0;
  bool warm = argc == 4 && strcmp(argv[3], "--warm") == 0;
  if (k < 2 || argc > 4 || (argc == 4 && !warm)) {
    fprintf(stderr, "usage: gpu_start GRAPH K [--warm]\n");
    return 2;
  }
  if (measure(argv[1], k, warm) == PRISM_OK) return 0;
  fprintf(stderr, "gpu_start: %s\n", prism_error_text());
  return 3;
}
