/* The records of one rank: stamped, and handed to the store on rank 0 or sent
 * there in batches. Belongs to the rank's main thread. Nothing here waits; a
 * record that finds no room is dropped and counted by the store. */
#ifndef PRISM_SOLVE_TELEMETRY_H
#define PRISM_SOLVE_TELEMETRY_H

#include <stdbool.h>

#include "seam/comm.h"
#include "solve/record.h"
#include "solve/store.h"

typedef struct prism_telemetry prism_telemetry_t;

/* [in] comm        borrowed
 * [in] store       rank 0: where the records go, borrowed, may be NULL; else NULL
 * [in] enabled     the same on all ranks; false: every record is dropped unsent
 * [in] start_time  prism_clock_now() at the start of the run on this rank */
prism_status_t prism_telemetry_create(prism_comm_t *comm, prism_store_t *store, bool enabled,
                                      double start_time, prism_telemetry_t **out);
/* Records that were not flushed are gone. */
void prism_telemetry_destroy(prism_telemetry_t **telemetry);

/* Fill in time, t, rank and duration_ms (since this rank's previous metric), then
 * hand over. The other fields are the caller's: begin with prism_record_blank.
 * Fails only when a message cannot be sent. */
prism_status_t prism_telemetry_metric(prism_telemetry_t *telemetry, prism_metric_t *row);

/* An event of this rank, now. [in] notes  may be NULL. */
prism_status_t prism_telemetry_event(prism_telemetry_t *telemetry, const char *event,
                                     int32_t colors, const char *notes);

/* Fill in t and hand over. */
prism_status_t prism_telemetry_migration(prism_telemetry_t *telemetry, prism_migration_t *row);

/* Fill in t and rank and hand over. */
prism_status_t prism_telemetry_gpu(prism_telemetry_t *telemetry, prism_gpu_t *row);

/* The same for a part of the GPU's time. */
prism_status_t prism_telemetry_profile(prism_telemetry_t *telemetry, prism_profile_t *row);

/* The same for all levels of a ladder: [in, out] row [levels]. */
prism_status_t prism_telemetry_ladder(prism_telemetry_t *telemetry, prism_ladder_row_t *row,
                                      int32_t levels);

/* Send what waits when it has waited for 0.2 s, or, with `all`, at once. Call it in
 * the rank's loop, and with `all` before the end. Does nothing on rank 0. */
prism_status_t prism_telemetry_flush(prism_telemetry_t *telemetry, bool all);

/* Rank 0: put a batch (a message with PRISM_TAG_TELEMETRY) into the store.
 * PRISM_INTERNAL when it is not one. */
prism_status_t prism_telemetry_receive(prism_telemetry_t *telemetry,
                                       const prism_message_t *message, const void *data);

#endif
