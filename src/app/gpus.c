#include "app/gpus.h"

#include <stdio.h>
#include <string.h>

#include "app/near.h"

#if PRISM_HAVE_CUDA

#include "runtime/device.h"

static void look_at(int32_t index, prism_gpu_seen_t *out) {
  prism_device_info_t info;
  memset(out, 0, sizeof *out);
  out->index = index;
  prism_status_t status = prism_device_query(index, &info);
  if (status == PRISM_OK) {
    snprintf(out->name, sizeof out->name, "%.63s", info.name);
    snprintf(out->uuid, sizeof out->uuid, "%s", info.uuid);
    snprintf(out->pci, sizeof out->pci, "%s", info.pci);
    snprintf(out->versions, sizeof out->versions, "%s", info.versions);
    out->memory_bytes = info.memory_bytes;
    status = prism_device_check(&info);
  }
  if (status != PRISM_OK) snprintf(out->refused, sizeof out->refused, "%.159s", prism_error_text());
}

void prism_gpus_look(prism_gpus_t *out) {
  memset(out, 0, sizeof *out);
  if (prism_device_count(&out->count) != PRISM_OK) {
    out->count = 0;
    snprintf(out->none, sizeof out->none, "%.255s", prism_error_text());
  }
  if (out->count > PRISM_GPUS_MAX) out->count = PRISM_GPUS_MAX;
  for (int32_t i = 0; i < out->count; ++i) look_at(i, &out->gpu[i]);
  prism_error_clear();
}

prism_status_t prism_gpus_use(int32_t index) { return prism_device_select(index, NULL); }

#else

void prism_gpus_look(prism_gpus_t *out) {
  memset(out, 0, sizeof *out);
  snprintf(out->none, sizeof out->none, "this build has no CUDA engine");
}

prism_status_t prism_gpus_use(int32_t index) {
  PRISM_FAIL(PRISM_DEVICE, "GPU %d: this build has no CUDA engine", index);
}

#endif

/* ---- --list-devices ---- */

/* Version of the loaded kernel module; "" where it is not known. */
static void driver_version(const char *sys, char *out, size_t size) {
  char path[1024];
  snprintf(path, sizeof path, "%s/module/nvidia/version", sys);
  if (!prism_file_first_line(path, out, size)) out[0] = '\0';
}

static prism_status_t format_gpu(const prism_gpu_seen_t *gpu, const char *sys,
                                 const char *driver, prism_text_t *out) {
  const bool usable = gpu->refused[0] == '\0';
  PRISM_TRY(prism_text_add(out, "GPU %-3d %s, %.1f GiB, %s%s\n", gpu->index,
                           gpu->name[0] != '\0' ? gpu->name : "unknown",
                           (double)gpu->memory_bytes / 1073741824.0,
                           usable ? "usable" : "not usable: ", gpu->refused));
  if (gpu->uuid[0] == '\0') return PRISM_OK;
  PRISM_TRY(prism_text_add(out, "        %s, PCI %s, ", gpu->uuid, gpu->pci));
  const int32_t node = prism_near_numa(sys, gpu->pci);
  if (node >= 0) PRISM_TRY(prism_text_add(out, "NUMA node %d, ", node));
  PRISM_TRY(prism_text_add(out, "%s", gpu->versions));
  if (driver[0] != '\0') PRISM_TRY(prism_text_add(out, " (%s)", driver));
  return prism_text_add(out, "\n");
}

prism_status_t prism_gpus_format(const prism_gpus_t *gpus, const char *sys, prism_text_t *out) {
  char driver[64];
  driver_version(sys, driver, sizeof driver);
  if (gpus->count == 0) return prism_text_add(out, "GPU     none: %s\n", gpus->none);
  for (int32_t i = 0; i < gpus->count; ++i)
    PRISM_TRY(format_gpu(&gpus->gpu[i], sys, driver, out));
  return PRISM_OK;
}

/* ---- who takes which ---- */

static const char *uuid_of(const prism_gpu_claim_t *claim, const prism_gpu_share_t *share,
                           int32_t r) {
  return share[r].place < 0 ? "" : claim[r].uuid[share[r].place];
}

/* Rank before or behind that has this GPU; -1: nobody. */
static int32_t owner(const prism_gpu_claim_t *claim, int32_t ranks,
                     const prism_gpu_share_t *share, const char *uuid) {
  for (int32_t r = 0; r < ranks; ++r)
    if (strcmp(uuid_of(claim, share, r), uuid) == 0) return r;
  return -1;
}

static bool sees(const prism_gpu_claim_t *claim, const char *uuid) {
  for (int32_t g = 0; g < claim->gpus; ++g)
    if (strcmp(claim->uuid[g], uuid) == 0) return true;
  return false;
}

/* Ranks of a node, and different GPUs that they see together. [in] first  its lowest rank */
static void count_node(const prism_gpu_claim_t *claim, int32_t ranks, int32_t first,
                       int32_t *members, int32_t *gpus) {
  *members = *gpus = 0;
  for (int32_t r = first; r < ranks; ++r) {
    if (claim[r].node != claim[first].node) continue;
    ++*members;
    for (int32_t g = 0; g < claim[r].gpus; ++g) {
      bool known = false;
      for (int32_t b = first; b < r && !known; ++b)
        known = claim[b].node == claim[first].node && sees(&claim[b], claim[r].uuid[g]);
      if (!known) ++*gpus;
    }
  }
}

static prism_status_t check_nodes(const prism_gpu_claim_t *claim, int32_t ranks) {
  for (int32_t r = 0; r < ranks; ++r) {
    bool first = true;
    for (int32_t b = 0; b < r && first; ++b) first = claim[b].node != claim[r].node;
    if (!first) continue;
    int32_t members, gpus;
    count_node(claim, ranks, r, &members, &gpus);
    if (gpus > 0 && gpus < members)
      PRISM_FAIL(PRISM_DEVICE,
                 "%s has %d ranks, which see %d GPU%s: start a rank for each GPU, or use "
                 "--share-gpu or --device cpu",
                 claim[r].host, members, gpus, gpus == 1 ? "" : "s");
  }
  return PRISM_OK;
}

/* The one that the rule names, as a place in the rank's list. */
static int32_t by_rule(const prism_gpu_claim_t *claim, int32_t rank) {
  const prism_gpu_claim_t *mine = &claim[rank];
  if (mine->wish >= 0) return mine->wish;
  int32_t local = 0;
  for (int32_t r = 0; r < rank; ++r) local += claim[r].node == mine->node;
  return local % mine->gpus;
}

/* The first that nobody has, from the rule's on. */
static prism_status_t take_free(const prism_gpu_claim_t *claim, int32_t ranks, int32_t rank,
                                prism_gpu_share_t *share) {
  const prism_gpu_claim_t *mine = &claim[rank];
  const int32_t rule = by_rule(claim, rank), tries = mine->wish >= 0 ? 1 : mine->gpus;
  int32_t rival = -1;
  for (int32_t t = 0; t < tries; ++t) {
    const int32_t place = t == 0 ? rule : t <= rule ? t - 1 : t;
    const int32_t has = owner(claim, ranks, share, mine->uuid[place]);
    if (has < 0) {
      share[rank].place = place;
      return PRISM_OK;
    }
    if (t == 0) rival = has;
  }
  PRISM_FAIL(PRISM_DEVICE,
             "ranks %d and %d on %s would use one GPU (%s): let each see its own "
             "(CUDA_VISIBLE_DEVICES), or use --share-gpu or --device cpu",
             rival, rank, mine->host, mine->uuid[rule]);
}

prism_status_t prism_gpus_assign(const prism_gpu_claim_t *claim, int32_t ranks, bool share,
                                 prism_gpu_share_t *share_of) {
  for (int32_t r = 0; r < ranks; ++r) share_of[r] = (prism_gpu_share_t){.place = -1};
  if (!share) PRISM_TRY(check_nodes(claim, ranks));
  /* Ranks that have no choice come first. */
  for (int32_t round = 0; round < 2; ++round) {
    for (int32_t r = 0; r < ranks; ++r) {
      const bool bound = claim[r].gpus == 1 || claim[r].wish >= 0;
      if (claim[r].gpus == 0 || bound != (round == 0)) continue;
      if (share)
        share_of[r].place = by_rule(claim, r);
      else
        PRISM_TRY(take_free(claim, ranks, r, share_of));
    }
  }
  for (int32_t r = 0; r < ranks; ++r) {
    if (share_of[r].place < 0) continue;
    for (int32_t b = 0; b < ranks; ++b)
      share_of[r].sharers += strcmp(uuid_of(claim, share_of, b), uuid_of(claim, share_of, r)) == 0;
  }
  return PRISM_OK;
}
