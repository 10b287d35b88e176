/* The files of a run, written by rank 0: the HDF5 run file (SWMR), the JSON Lines
 * twin and the best solution. One I/O thread owns every HDF5 call; callers hand
 * records over through bounded rings and never wait. A write that fails (full
 * disk) warns once through the callback, is counted and retried; records that
 * find a ring full are dropped and counted. */
#ifndef PRISM_SOLVE_STORE_H
#define PRISM_SOLVE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/params.h"
#include "model/graph.h"
#include "solve/record.h"

enum { PRISM_STORE_SCHEMA_VERSION = 4 };

typedef struct prism_store prism_store_t;

/* A text attribute, for /config, /build and the like. Borrowed during open. */
typedef struct prism_attribute {
  const char *name;
  const char *value;
} prism_attribute_t;

typedef struct prism_store_config {
  const char *run_path;      /* X.h5; NULL: no run file and no .jsonl */
  const char *jsonl_path;
  const char *solution_path; /* X.sol; NULL: none */
  const prism_params_t *params; /* every value becomes an attribute section.name of /config; its
                                   telemetry.ring is the number of records that may wait */
  const prism_attribute_t *build; /* [build_count] attributes of /build */
  int32_t build_count;
  const prism_graph_t *graph; /* input graph; borrowed until close */
  const char *graph_name;
  const char *graph_hash;
  int32_t color_bound;        /* no solution has more colors (0: unknown, then n); sets the width
                                 of /solutions/colors */
  const prism_rank_row_t *ranks; /* [rank_count] */
  int32_t rank_count;
  uint64_t seed;
  void (*warn)(void *user, const char *text); /* called from the I/O thread; may be NULL */
  void *user;
} prism_store_config_t;

/* Take the lock (flock on the .jsonl), create RUN.tmp with the latest format,
 * make every object of the schema, start SWMR, rename to RUN, start the thread.
 * PRISM_IO: output in use or not writable. Existing files are replaced: the
 * caller has settled that question. */
prism_status_t prism_store_open(const prism_store_config_t *config, prism_store_t **out);

/* Hand over a record; false when it was dropped. From one thread (the main one).
 * Without a run file: true, and nothing happens. */
bool prism_store_metric(prism_store_t *store, const prism_metric_t *record);
bool prism_store_event(prism_store_t *store, const prism_event_t *record);
bool prism_store_migration(prism_store_t *store, const prism_migration_t *record);
bool prism_store_gpu(prism_store_t *store, const prism_gpu_t *record);
bool prism_store_profile(prism_store_t *store, const prism_profile_t *record);
bool prism_store_ladder(prism_store_t *store, const prism_ladder_row_t *record);

/* Hand over a verified colouring [n] (copied): it replaces the .sol at once
 * (write, fsync, rename) and is appended to /solutions. Never dropped: blocks
 * only while an older solution is being written. A .sol with fewer colors is kept.
 * PRISM_INVALID when a color is not in 0..row->colors-1. */
prism_status_t prism_store_solution(prism_store_t *store, const prism_solution_row_t *row,
                                    const int32_t *color);

/* Losses and failed writes so far. Any thread. */
void prism_store_losses(const prism_store_t *store, int64_t *lost, int64_t *failures);

/* Rows of one table that are flushed to the run file: a reader in SWMR mode sees
 * at least these, also after a kill. Any thread. */
int64_t prism_store_flushed(const prism_store_t *store, prism_record_kind_t kind);

/* Write what waits, the summary row, and close the files; join the thread.
 * PRISM_STORAGE when the best colouring could not be stored: the caller then
 * prints it. Destroys the store in any case. [in,out] summary  its records_lost
 * and write_failures are filled in; NULL: no summary row (a run that failed). */
prism_status_t prism_store_close(prism_store_t **store, prism_summary_row_t *summary);

#endif
