#include "app/exchange.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#if PRISM_HAVE_MPI

#include "bulk_mpi.h"

static prism_status_t open_mpi(double timeout, prism_bulk_t *out) {
  return prism_bulk_mpi_create(MPI_COMM_WORLD, timeout, out);
}

#else

static prism_status_t open_mpi(double timeout, prism_bulk_t *out) {
  (void)timeout;
  (void)out;
  PRISM_FAIL(PRISM_UNSUPPORTED, "this build has no MPI");
}

#endif

#if PRISM_HAVE_CUDA

#include "exchange/bulk_nccl.h"

static bool nccl_possible(char *text, size_t size) { return prism_bulk_nccl_possible(text, size); }

static prism_status_t begin_nccl(const prism_comm_t *comm, double timeout, prism_bulk_t *out) {
  return prism_bulk_nccl_begin(comm, timeout, out);
}

void prism_exchange_nccl_version(char *out, size_t size) {
  if (!nccl_possible(out, size)) snprintf(out, size, "not found");
}

#else

static bool nccl_possible(char *text, size_t size) {
  snprintf(text, size, "this build has no CUDA engine");
  return false;
}

static prism_status_t begin_nccl(const prism_comm_t *comm, double timeout, prism_bulk_t *out) {
  (void)comm;
  (void)timeout;
  (void)out;
  PRISM_FAIL(PRISM_UNSUPPORTED, "this build has no CUDA engine");
}

void prism_exchange_nccl_version(char *out, size_t size) { snprintf(out, size, "not built"); }

#endif

/* ---- the choice ---- */

/* Why NCCL cannot be; false: it can. */
static bool find_obstacle(const prism_exchange_rank_t *rank, int32_t ranks, char *why,
                          size_t size) {
  for (int32_t r = 0; r < ranks; ++r) {
    if (rank[r].sharers == 0) {
      snprintf(why, size, "rank %d on %s has no GPU", r, rank[r].host);
      return true;
    }
  }
  for (int32_t r = 0; r < ranks; ++r) {
    if (rank[r].sharers > 1) {
      snprintf(why, size, "rank %d on %s shares its GPU", r, rank[r].host);
      return true;
    }
  }
  for (int32_t r = 0; r < ranks; ++r) {
    if (rank[r].nccl == 0) {
      snprintf(why, size, "rank %d on %s: %s", r, rank[r].host, rank[r].text);
      return true;
    }
    if (strcmp(rank[r].text, rank[0].text) != 0) {
      snprintf(why, size, "rank 0 on %s has NCCL %.40s, rank %d on %s has %.40s", rank[0].host,
               rank[0].text, r, rank[r].host, rank[r].text);
      return true;
    }
  }
  return false;
}

prism_status_t prism_exchange_decide(const prism_exchange_rank_t *rank, int32_t ranks,
                                     prism_comm_choice_t choice, prism_exchange_way_t *way,
                                     char *why, size_t size) {
  char obstacle[512] = "";
  const bool nccl =
      choice != PRISM_COMM_MPI && !find_obstacle(rank, ranks, obstacle, sizeof obstacle);
  why[0] = '\0';
  if (choice == PRISM_COMM_NCCL && !nccl)
    PRISM_FAIL(PRISM_DEVICE, "--comm nccl: %s", obstacle);
  bool pools = ranks > 1;
  for (int32_t r = 0; r < ranks; ++r) pools = pools && rank[r].pool != 0;
  *way = !pools ? PRISM_EXCHANGE_NONE : nccl ? PRISM_EXCHANGE_NCCL : PRISM_EXCHANGE_MPI;
  if (pools && choice == PRISM_COMM_AUTO) snprintf(why, size, "%s", obstacle);
  return PRISM_OK;
}

/* ---- opening ---- */

/* Do the pools meet? Not unless somebody asks: at no graph were they sooner done with it
 * (docs/SCALING.md). */
static bool meetings(const prism_params_t *params) {
  const prism_comm_choice_t choice = (prism_comm_choice_t)params->run.comm;
  return params->islands.migration && (params->islands.pool_interval > 0.0 ||
                                       choice == PRISM_COMM_NCCL || choice == PRISM_COMM_MPI);
}

/* What this rank has. NCCL is looked for only where it may be used: it is a large library. */
static void describe(prism_comm_t *comm, const prism_devices_t *devices,
                     const prism_params_t *params, prism_exchange_rank_t *out) {
  const prism_comm_choice_t choice = (prism_comm_choice_t)params->run.comm;
  memset(out, 0, sizeof *out);
  gethostname(out->host, sizeof out->host - 1);
  out->sharers = devices->gpu ? devices->sharers : 0;
  out->pool = devices->gpu && devices->breeds;
  const bool wanted = choice == PRISM_COMM_NCCL ||
                      (choice == PRISM_COMM_AUTO && comm->size > 1 && meetings(params));
  if (wanted && out->sharers == 1) out->nccl = nccl_possible(out->text, sizeof out->text);
}

/* All ranks' descriptions, and what follows. Collective. */
static prism_status_t agree_on_way(prism_comm_t *comm, const prism_exchange_rank_t *mine,
                                   prism_comm_choice_t choice, prism_exchange_way_t *way,
                                   char *why, size_t size) {
  prism_exchange_rank_t *all = NULL;
  prism_status_t status = PRISM_ALLOC(comm->size, &all);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  status = comm->ops->allgather(comm->self, mine, all, sizeof *mine);
  if (status == PRISM_OK) status = prism_exchange_decide(all, comm->size, choice, way, why, size);
  prism_free(all);
  return status;
}

/* NCCL can fail where all was there: no room in /dev/shm, a network that it cannot use. Most
 * of that shows later, at a poll. */
static prism_status_t open_nccl(prism_comm_t *comm, const prism_devices_t *devices,
                                double timeout, prism_bulk_t *out) {
  prism_status_t status = prism_gpus_use(devices->seen.index);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  status = begin_nccl(comm, timeout, out);
  if (status == PRISM_OK || status == PRISM_INTERRUPTED) return status;
  char text[1024];
  snprintf(text, sizeof text, "%.960s; --comm mpi does without NCCL", prism_error_text());
  return prism_error_set(status, text);
}

prism_status_t prism_exchange_open(prism_comm_t *comm, const prism_devices_t *devices,
                                   const prism_params_t *params, prism_exchange_t *out) {
  const prism_comm_choice_t choice = (prism_comm_choice_t)params->run.comm;
  const double timeout = params->run.peer_timeout;
  prism_exchange_rank_t mine;
  prism_exchange_way_t way = PRISM_EXCHANGE_NONE;
  char why[512];
  memset(out, 0, sizeof *out);
  describe(comm, devices, params, &mine);
  PRISM_TRY(agree_on_way(comm, &mine, choice, &way, why, sizeof why));
  if (way == PRISM_EXCHANGE_NONE) return PRISM_OK;
  if (!meetings(params)) {
    snprintf(out->text, sizeof out->text, "each rank searches a pool of its own");
    return PRISM_OK;
  }
  if (way == PRISM_EXCHANGE_NCCL) {
    PRISM_TRY(open_nccl(comm, devices, timeout, &out->bulk));
    snprintf(out->nccl, sizeof out->nccl, "%.63s", mine.text);
    snprintf(out->text, sizeof out->text, "pools meet through NCCL %s", out->nccl);
    return PRISM_OK;
  }
  prism_status_t status = open_mpi(timeout, &out->bulk);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  snprintf(out->text, sizeof out->text, "pools meet through MPI%s%s%s",
           why[0] != '\0' ? " (" : "", why, why[0] != '\0' ? ")" : "");
  return PRISM_OK;
}

void prism_exchange_close(prism_exchange_t *exchange) { prism_bulk_destroy(&exchange->bulk); }
