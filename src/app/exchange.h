/* What carries the members that pools of GPUs show each other (seam/bulk.h): NCCL from GPU
 * to GPU where every rank has one of its own, MPI from host to host otherwise, nothing where
 * not every rank has a pool. Migrants of single islands need none of it. */
#ifndef PRISM_APP_EXCHANGE_H
#define PRISM_APP_EXCHANGE_H

#include "app/devices.h"
#include "app/gpus.h"
#include "base/params.h"
#include "seam/bulk.h"

/* Order of the choices of run.comm. */
typedef enum prism_comm_choice {
  PRISM_COMM_AUTO,
  PRISM_COMM_MPI,
  PRISM_COMM_NCCL,
  PRISM_COMM_SELF
} prism_comm_choice_t;

typedef enum prism_exchange_way {
  PRISM_EXCHANGE_NONE,
  PRISM_EXCHANGE_MPI,
  PRISM_EXCHANGE_NCCL
} prism_exchange_way_t;

/* What each rank tells the others. */
typedef struct prism_exchange_rank {
  int32_t sharers;  /* ranks with this rank's GPU; 0: it has none */
  int32_t pool;     /* a memetic island is on the GPU */
  int32_t nccl;     /* can be loaded */
  char host[PRISM_HOST_BYTES];
  char text[192];   /* version of NCCL, or why there is none */
} prism_exchange_rank_t;

/* The way, of all ranks alike. PRISM_DEVICE with the reason where `choice` is NCCL and that
 * cannot be. [out] why: of AUTO, not NCCL though every rank has a GPU; "" otherwise. Pure. */
prism_status_t prism_exchange_decide(const prism_exchange_rank_t *rank, int32_t ranks,
                                     prism_comm_choice_t choice, prism_exchange_way_t *way,
                                     char *why, size_t size);

typedef struct prism_exchange {
  prism_bulk_t bulk; /* without ops: pools do not meet */
  char text[640];    /* "pools meet through NCCL 2.28.9"; "" without pools */
  char nccl[64];     /* its version; "": not used */
} prism_exchange_t;

/* Decide and open. Used from this thread alone, on which the GPU is made current.
 * Collective. */
prism_status_t prism_exchange_open(prism_comm_t *comm, const prism_devices_t *devices,
                                   const prism_params_t *params, prism_exchange_t *out);

/* Not collective; before the communicator and the GPU's context end. More than once does no
 * harm. */
void prism_exchange_close(prism_exchange_t *exchange);

/* Version of the NCCL library that would be loaded, "not found" or "not built". */
void prism_exchange_nccl_version(char *out, size_t size);

#endif
