#include "app/devices.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/background.h"
#include "app/near.h"
#include "base/mem.h"
#include "search/engine_cpu.h"

enum { DEVICE_AUTO, DEVICE_CUDA, DEVICE_CPU }; /* order of the choices of run.device */

#if PRISM_HAVE_CUDA

#include "engine/engine_cuda.h"
#include "engine/warmup.h"

const char *prism_devices_cuda_version(void) { return PRISM_CUDA_VERSION; }

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

/* No GPU is ever found, so nothing of this is reached. */
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

/* Which GPUs can this rank use? [out] text: why none; "" when it wants none. */
static prism_status_t list_gpus(const prism_params_t *params, const prism_cores_t *cores,
                                prism_gpus_t *gpus, prism_gpu_claim_t *claim, char *text,
                                size_t size) {
  text[0] = '\0';
  gpus->count = 0;
  if (params->run.device == DEVICE_CPU) return PRISM_OK;
  const int64_t wish = params->gpu.device_id;
  if (cores->node_ranks > 1 && wish >= 0 && !params->gpu.share)
    PRISM_FAIL(PRISM_INVALID, "gpu.device_id is for one rank on a node, and there are %d",
               cores->node_ranks);
  int32_t tempering;
  if (gpu_islands(params, &tempering) == 0) {
    snprintf(text, size, "gpu.enable_%s_gpu = false leaves nothing for a GPU",
             params->gpu.enable_memetic_gpu ? "thermodynamic" : "memetic");
    if (params->run.device == DEVICE_CUDA) PRISM_FAIL(PRISM_INVALID, "--device cuda: %s", text);
    return PRISM_OK;
  }
  prism_gpus_look(gpus);
  snprintf(text, size, "%s", gpus->count == 0 ? gpus->none : gpus->gpu[0].refused);
  for (int32_t i = 0; i < gpus->count; ++i) {
    const prism_gpu_seen_t *gpu = &gpus->gpu[i];
    if (gpu->refused[0] != '\0') {
      if (gpu->index == wish) snprintf(text, size, "%s", gpu->refused);
      continue;
    }
    if (gpu->index == wish) claim->wish = claim->gpus;
    gpus->gpu[claim->gpus] = *gpu; /* those that can be used move together */
    memcpy(claim->uuid[claim->gpus++], gpu->uuid, sizeof gpu->uuid);
  }
  if (wish >= 0 && claim->wish < 0) {
    if (gpus->count > 0 && wish >= gpus->count)
      snprintf(text, size, "no GPU %d: %d can be used here", (int)wish, claim->gpus);
    claim->gpus = 0;
  }
  return PRISM_OK;
}

/* A GPU for this rank? [out] text: why not, or what it is. Collective. */
static prism_status_t find_gpu(prism_comm_t *comm, const prism_params_t *params,
                               const prism_cores_t *cores, prism_devices_t *out, char *text,
                               size_t size) {
  prism_gpus_t gpus;
  prism_gpu_claim_t mine = {.node = cores->node, .wish = -1};
  gethostname(mine.host, sizeof mine.host - 1);
  prism_status_t status = list_gpus(params, cores, &gpus, &mine, text, size);
  if (status == PRISM_OK && params->run.device == DEVICE_CUDA && mine.gpus == 0)
    status = prism_error_record(PRISM_DEVICE, __FILE__, __LINE__, __func__,
                                "--device cuda: %s%s%s", comm->size > 1 ? mine.host : "",
                                comm->size > 1 ? ": " : "", text);
  PRISM_TRY(comm->ops->agree(comm->self, status));

  prism_gpu_claim_t *claims = NULL;
  prism_gpu_share_t *shares = NULL;
  status = PRISM_ALLOC(comm->size, &claims);
  if (status == PRISM_OK) status = PRISM_ALLOC(comm->size, &shares);
  status = comm->ops->agree(comm->self, status);
  if (status == PRISM_OK)
    status = comm->ops->allgather(comm->self, &mine, claims, sizeof mine);
  if (status == PRISM_OK)
    status = prism_gpus_assign(claims, comm->size, params->gpu.share, shares);
  if (status == PRISM_OK && shares[comm->rank].place >= 0) {
    out->gpu = true;
    out->seen = gpus.gpu[shares[comm->rank].place];
    out->sharers = shares[comm->rank].sharers;
    snprintf(text, size, "%s, %s", out->seen.name, out->seen.versions);
  }
  prism_free(claims);
  prism_free(shares);
  return status;
}

/* Parameters of the GPU's engine: its device, and a share of it (memory goes by the number
 * of individuals). */
static void set_up_gpu(const prism_params_t *params, prism_devices_t *out) {
  prism_gpu_setup_t *setup = &out->gpu_setup;
  setup->params = params->gpu;
  const int32_t islands = gpu_islands(params, &setup->tempering);
  if (!out->gpu) return;
  /* With one island for everything tempering takes turns with the rest. */
  out->breeds = islands > setup->tempering;
  setup->params.device_id = out->seen.index;
  setup->sharers = out->sharers;
}

static void share_out(const prism_params_t *params, const prism_cores_t *cores, const char *text,
                      prism_devices_t *out) {
  char whose[64] = "auto: there is one";
  if (out->sharers > 1)
    snprintf(whose, sizeof whose, "auto: there is one for %d ranks", out->sharers);
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
    snprintf(out->reason, sizeof out->reason, "%s", out->gpu ? whose : text);
}

prism_status_t prism_devices_choose(prism_comm_t *comm, const prism_params_t *params,
                                    prism_cores_t *cores, prism_devices_t *out) {
  memset(out, 0, sizeof *out);
  char text[256];
  prism_status_t status = find_gpu(comm, params, cores, out, text, sizeof text);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  set_up_gpu(params, out);
  const prism_near_setup_t near = {.sys = PRISM_NEAR_SYS,
                                   .pci = out->gpu && params->gpu.bind ? out->seen.pci : NULL,
                                   .threads = params->run.threads};
  PRISM_TRY(prism_near_settle(comm, &near, cores));
  share_out(params, cores, text, out);
  return PRISM_OK;
}

prism_status_t prism_devices_format(const prism_params_t *params, prism_text_t *out) {
  prism_gpus_t gpus;
  prism_cores_record_t record;
  prism_cores_t cores;
  prism_gpus_look(&gpus);
  prism_cores_describe(&record);
  prism_cores_share(&record, 1, 0, &cores);
  PRISM_TRY(prism_gpus_format(&gpus, PRISM_NEAR_SYS, out));
  return prism_text_add(out, "CPU     %s, %s\n", prism_cpu_isa_name(&params->cpu), cores.reason);
}
