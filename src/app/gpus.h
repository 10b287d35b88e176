/* The GPUs of this machine as a process sees them, and the choice among them: one for each
 * rank. */
#ifndef PRISM_APP_GPUS_H
#define PRISM_APP_GPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "base/status.h"

enum { PRISM_GPUS_MAX = 32, PRISM_GPU_UUID_BYTES = 41, PRISM_HOST_BYTES = 64 };

/* ---- what there is ---- */

typedef struct prism_gpu_seen {
  int32_t index; /* as CUDA counts those that CUDA_VISIBLE_DEVICES leaves */
  char name[64];
  char uuid[PRISM_GPU_UUID_BYTES];
  char pci[32];
  char versions[64];  /* "CUDA 13.0, driver for CUDA 13.0" */
  char refused[160];  /* why it cannot be used; "": it can */
  size_t memory_bytes;
} prism_gpu_seen_t;

typedef struct prism_gpus {
  int32_t count;
  prism_gpu_seen_t gpu[PRISM_GPUS_MAX];
  char none[256]; /* count 0: why */
} prism_gpus_t;

/* Look, without a context on any of them. */
void prism_gpus_look(prism_gpus_t *out);

/* Make a GPU current for the calling thread, with its context. */
prism_status_t prism_gpus_use(int32_t index);

/* The GPUs line by line, as --list-devices shows them. [in] sys  "/sys" */
prism_status_t prism_gpus_format(const prism_gpus_t *gpus, const char *sys, prism_text_t *out);

/* ---- who takes which ---- */

/* What each rank tells the others. */
typedef struct prism_gpu_claim {
  uint64_t node; /* the same on ranks that run on one kernel */
  int32_t gpus;  /* that it can use; 0: it wants none, or there is none */
  int32_t wish;  /* place in the list of the one it was told to take; -1: any */
  char host[PRISM_HOST_BYTES];
  char uuid[PRISM_GPUS_MAX][PRISM_GPU_UUID_BYTES]; /* [gpus] */
} prism_gpu_claim_t;

typedef struct prism_gpu_share {
  int32_t place;   /* in the list of the rank; -1: no GPU */
  int32_t sharers; /* ranks that have this GPU, with this one */
} prism_gpu_share_t;

/* A GPU for each rank. A rank that sees one takes it, otherwise the one of its place among
 * the ranks of its node; where a rank before has that one, the first that is free. A node
 * whose ranks see no GPU has none; one with fewer GPUs (by UUID, over its ranks) than ranks
 * is PRISM_DEVICE, unless `share`: then ranks take turns with what they see.
 * Pure: all ranks come to the same result. [out] share_of  [ranks] */
prism_status_t prism_gpus_assign(const prism_gpu_claim_t *claim, int32_t ranks, bool share,
                                 prism_gpu_share_t *share_of);

#endif
