#include "app/devices.h"

#include <stdio.h>
#include <string.h>

#include "app/background.h"
#include "base/mem.h"
#include "search/engine_cpu.h"

enum { DEVICE_AUTO, DEVICE_CUDA, DEVICE_CPU }; /* order of the choices of run.device */

#if PRISM_HAVE_CUDA

#include "engine/engine_cuda.h"
#include "engine/warmup.h"

const char *prism_devices_cuda_version(void) { return PRISM_CUDA_VERSION; }

static prism_status_t probe(const prism_params_gpu_t *gpu, int32_t local_rank, char *text,
                            size_t size) {
  return prism_cuda_probe(gpu, local_rank, text, size);
}

static prism_engine_backend_t gpu_engine(const prism_gpu_setup_t *setup) {
  return prism_cuda_backend(setup);
}

static prism_status_t warm_up(const prism_params_gpu_t *gpu, const atomic_bool *enough,
                              prism_gpu_warmth_t **warmth) {
  return prism_gpu_warm_up(gpu, enough, warmth);
}

static void cool_down(prism_gpu_warmth_t **warmth) { prism_gpu_warmth_destroy(warmth); }

#else

const char *prism_devices_cuda_version(void) { return "not built"; }

static prism_status_t probe(const prism_params_gpu_t *gpu, int32_t local_rank, char *text,
                            size_t size) {
  (void)gpu;
  (void)local_rank;
  snprintf(text, size, "this build has no CUDA engine");
  PRISM_FAIL(PRISM_DEVICE, "%s", text);
}

/* No probe succeeds, so nothing of this is reached. */
typedef struct prism_gpu_warmth prism_gpu_warmth_t;

static prism_engine_backend_t gpu_engine(const prism_gpu_setup_t *setup) {
  return (prism_engine_backend_t){.name = "cuda", .context = setup};
}

static prism_status_t warm_up(const prism_params_gpu_t *gpu, const atomic_bool *enough,
                              prism_gpu_warmth_t **warmth) {
  (void)gpu;
  (void)enough;
  (void)warmth;
  return PRISM_OK;
}

static void cool_down(prism_gpu_warmth_t **warmth) { (void)warmth; }

#endif

/* ---- a GPU made ready ahead of its engine ---- */

struct prism_gpu_ahead {
  prism_params_gpu_t params;
  prism_background_t *job; /* NULL: it has ended */
  atomic_bool enough;
  prism_gpu_warmth_t *warmth;
};

static prism_status_t prepare_gpu(void *argument) {
  prism_gpu_ahead_t *ahead = argument;
  return warm_up(&ahead->params, &ahead->enough, &ahead->warmth);
}

void prism_devices_prepare(prism_devices_t *devices) {
  prism_gpu_ahead_t *ahead = NULL;
  if (!devices->gpu || devices->ahead != NULL) return;
  prism_status_t status = PRISM_ALLOC_ZERO(1, &ahead);
  if (status == PRISM_OK) {
    ahead->params = devices->gpu_setup.params;
    atomic_init(&ahead->enough, false);
    status = prism_background_start(prepare_gpu, ahead, &ahead->job);
  }
  if (status != PRISM_OK) {
    prism_error_clear();
    prism_free(ahead);
    return;
  }
  devices->ahead = ahead;
}

/* Wait until the GPU is as ready as it gets: the step under way is not cut short. */
static void await_gpu(prism_gpu_ahead_t *ahead) {
  if (ahead == NULL) return;
  atomic_store(&ahead->enough, true);
  if (prism_background_join(&ahead->job) != PRISM_OK) prism_error_clear();
}

void prism_devices_release(prism_devices_t *devices) {
  if (devices->ahead == NULL) return;
  await_gpu(devices->ahead);
  cool_down(&devices->ahead->warmth);
  prism_free(devices->ahead);
  devices->ahead = NULL;
}

static prism_status_t create_gpu(const prism_engine_config_t *config, const void *context,
                                 prism_engine_t *out) {
  const prism_devices_t *devices = context;
  await_gpu(devices->ahead);
  prism_engine_backend_t engine = gpu_engine(&devices->gpu_setup);
  return engine.create(config, engine.context, out);
}

/* ---- the choice ---- */

/* Islands on a GPU: a memetic one, and beside it or alone one for tempering, if that takes
 * part. With one stream for everything a single island does both in turns.
 * [out] tempering: how many are for tempering alone */
static int32_t gpu_islands(const prism_params_t *params, int32_t *tempering) {
  const int32_t method = params->memetic.method - 1; /* -1: auto */
  const bool only = method == PRISM_METHOD_TEMPERING;
  const bool tempers = params->gpu.enable_thermodynamic_gpu &&
                       (only || (method < 0 && params->thermodynamic.enabled));
  const bool breeds = params->gpu.enable_memetic_gpu && !only;
  const bool parallel = params->gpu.stream_mode == 0;
  *tempering = tempers && (parallel || !breeds);
  return (int32_t)breeds + *tempering;
}

/* A GPU for this rank? [out] reason why not, or what it is. */
static prism_status_t find_gpu(const prism_params_t *params, const prism_cores_t *cores,
                               prism_devices_t *out, char *text, size_t size) {
  text[0] = '\0';
  if (params->run.device == DEVICE_CPU) return PRISM_OK;
  bool must = params->run.device == DEVICE_CUDA;
  if (cores->node_ranks > 1 && params->gpu.device_id >= 0)
    PRISM_FAIL(PRISM_INVALID, "gpu.device_id is for one rank on a node, and there are %d",
               cores->node_ranks);
  if (gpu_islands(params, &out->gpu_setup.tempering) == 0) {
    snprintf(text, size, "gpu.enable_%s_gpu = false leaves nothing for a GPU",
             params->gpu.enable_memetic_gpu ? "thermodynamic" : "memetic");
    if (must) PRISM_FAIL(PRISM_INVALID, "--device cuda: %s", text);
    return PRISM_OK;
  }
  prism_params_gpu_t *own = &out->gpu_setup.params;
  *own = params->gpu;
  prism_status_t status = probe(own, cores->node_rank, text, size);
  if (status == PRISM_OK) {
    out->gpu = true;
    if (own->device_id < 0) own->device_id = cores->node_rank;
    return PRISM_OK;
  }
  char reason[256];
  snprintf(reason, sizeof reason, "%s", text[0] != '\0' ? text : prism_error_text());
  snprintf(text, size, "%s", reason);
  if (must) PRISM_FAIL(PRISM_DEVICE, "--device cuda: %s", reason);
  prism_error_clear();
  return PRISM_OK;
}

/* Ranks of one node either all have a GPU or none of them. */
static prism_status_t check_node(prism_comm_t *comm, const prism_cores_t *cores, bool gpu) {
  typedef struct place {
    uint64_t node;
    int64_t gpu;
  } place_t;
  place_t mine = {cores->node, gpu}, *all = NULL;
  prism_status_t status = PRISM_ALLOC(comm->size, &all);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  status = comm->ops->allgather(comm->self, &mine, all, sizeof mine);
  int32_t with = 0;
  for (int32_t r = 0; r < comm->size && status == PRISM_OK; ++r)
    if (all[r].node == mine.node) with += all[r].gpu != 0;
  prism_free(all);
  PRISM_TRY(status);
  if (with > 0 && with < cores->node_ranks)
    PRISM_FAIL(PRISM_DEVICE,
               "%d ranks on a node, but a GPU for %d of them: start a rank for each GPU, or use "
               "--device cpu",
               cores->node_ranks, with);
  return PRISM_OK;
}

static void share_out(const prism_params_t *params, const prism_cores_t *cores, const char *text,
                      prism_devices_t *out) {
  bool given = params->run.threads > 0;
  int32_t all = given ? (int32_t)params->run.threads : cores->threads;
  out->cpu_params = params->cpu;
  prism_engine_backend_t cpu = prism_cpu_backend(&out->cpu_params);
  out->threads = all;
  if (out->gpu) {
    /* One core drives the GPU. */
    if (!given) out->threads = all - 1;
    if (!params->gpu.share_cpu) out->threads = 0;
    out->part[out->parts++] = (prism_engine_part_t){
        {"cuda", create_gpu, out}, gpu_islands(params, &out->gpu_setup.tempering)};
    if (params->run.device == DEVICE_AUTO) out->fallback = (prism_engine_part_t){cpu, all};
  }
  if (out->threads > 0)
    out->part[out->parts++] = (prism_engine_part_t){cpu, out->threads};
  snprintf(out->detail, sizeof out->detail, "%.127s",
           out->gpu ? text : prism_cpu_isa_name(&out->cpu_params));
  if (params->run.device == DEVICE_AUTO)
    snprintf(out->reason, sizeof out->reason, "%s", out->gpu ? "auto: there is one" : text);
}

prism_status_t prism_devices_choose(prism_comm_t *comm, const prism_params_t *params,
                                    const prism_cores_t *cores, prism_devices_t *out) {
  memset(out, 0, sizeof *out);
  char text[256];
  prism_status_t status = find_gpu(params, cores, out, text, sizeof text);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  PRISM_TRY(comm->ops->agree(comm->self, check_node(comm, cores, out->gpu)));
  share_out(params, cores, text, out);
  return PRISM_OK;
}
