/* What the NCCL backend is put together from. For its source files and tests alone. */
#ifndef PRISM_CUDA_EXCHANGE_BULK_NCCL_PARTS_H
#define PRISM_CUDA_EXCHANGE_BULK_NCCL_PARTS_H

#include "exchange/lane.h"
#include "exchange/nccl_library.h"
#include "seam/bulk.h"

typedef struct prism_bulk_nccl_parts {
  prism_status_t (*load)(const char *name, prism_nccl_t *out);
  prism_status_t (*open_lane)(prism_lane_t *out);
  double give_up_seconds; /* how long an abort may take, and the orderly end before one */
} prism_bulk_nccl_parts_t;

/* prism_bulk_nccl_create with other parts, borrowed during the call. */
prism_status_t prism_bulk_nccl_assemble(const prism_comm_t *comm, double timeout,
                                        const prism_bulk_nccl_parts_t *parts, prism_bulk_t *out);
/* prism_bulk_nccl_begin likewise. */
prism_status_t prism_bulk_nccl_assemble_ahead(const prism_comm_t *comm, double timeout,
                                              const prism_bulk_nccl_parts_t *parts,
                                              prism_bulk_t *out);

/* Calls `call` (ncclCommAbort, ncclCommDestroy) for *place in a thread, which may never return
 * from it. Meanwhile `host` sends signs of life. The lane must stay open unless this says true.
 * [in] place  a block that NCCL may write to as long as there is the communicator; released
 *      when the call has come back
 * Returns whether it came back within `seconds`; the result of the call is dropped. */
bool prism_nccl_part(int (*call)(prism_nccl_comm_t *comm), prism_nccl_comm_t **place,
                     const prism_lane_t *lane, const prism_comm_t *host, double seconds);

#endif
