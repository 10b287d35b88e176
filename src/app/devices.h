/* Which engines a rank uses: its GPU, its cores, or both side by side. */
#ifndef PRISM_APP_DEVICES_H
#define PRISM_APP_DEVICES_H

#include <stdbool.h>

#include "app/cores.h"
#include "app/gpus.h"
#include "base/params.h"
#include "seam/joint.h"

/* A GPU that is being made ready. */
typedef struct prism_gpu_ahead prism_gpu_ahead_t;

typedef struct prism_devices {
  prism_engine_part_t part[2]; /* [parts] a GPU stands first */
  int32_t parts;
  prism_engine_part_t fallback; /* the cores alone; islands 0: none may be taken */
  int32_t threads;              /* islands on cores beside or without a GPU */
  bool gpu;
  prism_gpu_seen_t seen;        /* that GPU */
  int32_t sharers;              /* ranks that have this GPU, with this one; 0: no GPU */
  bool breeds;                  /* a memetic island is on the GPU */
  char detail[128]; /* "avx512", "NVIDIA H100 80GB HBM3, ..." */
  char reason[256]; /* why run.device = auto took it; "" otherwise */
  prism_gpu_setup_t gpu_setup;   /* context of the GPU's part, with its device */
  prism_params_cpu_t cpu_params; /* context of the cores' part */
  prism_gpu_ahead_t *ahead;      /* NULL: nothing is under way */
} prism_devices_t;

/* Look for a GPU as run.device says, and put this thread beside it (near.h). `out` must stay
 * where it is. PRISM_DEVICE with the reason when a GPU was asked for and none can be used; a
 * node with fewer GPUs than ranks is such a case, also under auto, unless gpu.share.
 * [in,out] cores  of this rank; how many threads are left beside the GPU. Collective. */
prism_status_t prism_devices_choose(prism_comm_t *comm, const prism_params_t *params,
                                    prism_cores_t *cores, prism_devices_t *out);

/* The text of --list-devices: GPUs and cores of this machine. */
prism_status_t prism_devices_format(const prism_params_t *params, prism_text_t *out);

/* Begin to make the GPU ready, if one was chosen, in a thread of its own; the making of
 * its engine waits for that. What goes wrong there does not count: the engine meets it
 * again and tells. */
void prism_devices_prepare(prism_devices_t *devices);

/* End what was begun, also half-way, and wait for its end: CUDA does not bear that the
 * process exits meanwhile. After the last engine; more than once does no harm. */
void prism_devices_release(prism_devices_t *devices);

/* Version of the CUDA toolkit that this program was built with, or "not built". */
const char *prism_devices_cuda_version(void);

#endif
