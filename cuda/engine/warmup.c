#include "engine/warmup.h"

#include "base/mem.h"
#include "engine/engine_cuda.h"
#include "model/generate.h"
#include "runtime/device.h"
#include "runtime/nvml.h"

struct prism_gpu_warmth {
  prism_nvml_t *nvml; /* NVML stays initialised while somebody has it open */
};

/* A method's kernels are loaded when they first run: a search, for a pool crossover and all
 * that belongs to it. There is no coloring to find, so the budget ends the work. */
static prism_status_t rehearse_method(prism_engine_t *engine, prism_method_t method) {
  enum { COLORS = 3, MEMBERS = 8, MOVES = 64, GENERATIONS = 3 };
  prism_work_t work = {.phase = prism_method_phase(method), .k = COLORS,
                       .generations = GENERATIONS,
                       .params = {.version = 1, .method = method, .population = MEMBERS,
                                  .generation_iterations = MOVES, .tenure_base = 10.0,
                                  .tenure_slope = 0.6}};
  int64_t ticket = -1;
  PRISM_TRY(engine->ops->submit(engine->self, 0, &work, &ticket));
  prism_summary_t summary;
  for (bool done = false; !done;)
    PRISM_TRY(engine->ops->poll(engine->self, ticket, 1.0, &done, &summary));
  return PRISM_OK;
}

static prism_status_t rehearse_on(const prism_params_gpu_t *gpu, const prism_graph_t *graph,
                                  const atomic_bool *enough) {
  /* Those that a search begins with. */
  static const prism_method_t methods[] = {PRISM_METHOD_POOL, PRISM_METHOD_WEIGHTED};
  const prism_gpu_setup_t setup = {.params = *gpu};
  const prism_engine_backend_t backend = prism_cuda_backend(&setup);
  const prism_engine_config_t config = {.graph = graph, .seed = 1, .islands = 1};
  prism_engine_t engine = {0};
  PRISM_TRY(backend.create(&config, backend.context, &engine));
  prism_status_t status = PRISM_OK;
  for (size_t i = 0; i < sizeof methods / sizeof *methods && status == PRISM_OK; ++i)
    if (!atomic_load(enough)) status = rehearse_method(&engine, methods[i]);
  prism_engine_destroy(&engine);
  return status;
}

static prism_status_t rehearse(const prism_params_gpu_t *gpu, const atomic_bool *enough) {
  enum { VERTICES = 64, SEED = 1 };
  prism_generated_t small = {0};
  PRISM_TRY(prism_generate_gnp(VERTICES, 0.5, SEED, &small));
  prism_status_t status = rehearse_on(gpu, small.graph, enough);
  prism_graph_destroy(&small.graph);
  return status;
}

prism_status_t prism_gpu_warm_up(const prism_params_gpu_t *gpu, const atomic_bool *enough,
                                 prism_gpu_warmth_t **out) {
  prism_device_info_t device;
  prism_gpu_warmth_t *warmth = NULL;
  *out = NULL;
  PRISM_TRY(prism_device_select(gpu->device_id >= 0 ? (int32_t)gpu->device_id : 0, &device));
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &warmth));
  *out = warmth;
  if (!atomic_load(enough)) PRISM_TRY(prism_nvml_create(device.uuid, &warmth->nvml));
  if (!atomic_load(enough)) PRISM_TRY(rehearse(gpu, enough));
  return PRISM_OK;
}

void prism_gpu_warmth_destroy(prism_gpu_warmth_t **warmth) {
  if (*warmth == NULL) return;
  prism_nvml_destroy(&(*warmth)->nvml);
  prism_free(*warmth);
  *warmth = NULL;
}
