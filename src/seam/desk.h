/* The ticket desk: one thread per island, tickets, polling and stopping, for
 * engines whose islands do their work by a blocking call. An engine makes its
 * islands and opens a desk over them; the desk is the whole prism_engine_t. */
#ifndef PRISM_SEAM_DESK_H
#define PRISM_SEAM_DESK_H

#include <stdatomic.h>

#include "seam/engine.h"

/* What an engine's island does; `island` is the engine's own object. All but
 * describe: one call at a time per island. Contracts as in seam/engine.h. */
typedef struct prism_island_ops {
  /* Any thread, any time. */
  void (*describe)(const void *island, prism_island_info_t *out);
  /* In the island's thread. The work has a budget, a k >= 1 and a method of the
   * island with its phase. *stop turns true when the work shall end early.
   * [out] summary; its `island` is filled in by the desk. A failure comes out of
   * poll with its text. */
  prism_status_t (*work)(void *island, const prism_work_t *work, const atomic_bool *stop,
                         prism_summary_t *summary);
  /* In the caller's thread, while the island is idle. */
  prism_status_t (*export_colors)(void *island, int32_t which, uint32_t draw, int32_t *color,
                                  int32_t *k, int64_t *f);
  prism_status_t (*import_colors)(void *island, const int32_t *color, int32_t k, bool seed,
                                  prism_import_result_t *result);
  /* Both or none. */
  prism_status_t (*save)(void *island, prism_island_state_t *state);
  prism_status_t (*restore)(void *island, const prism_island_state_t *state, bool *exact);
  prism_status_t (*set_hooks)(void *island, const prism_hooks_t *hooks);
  prism_status_t (*export_counters)(void *island, prism_counter_t which, uint32_t *values);
  /* All three or none. */
  prism_status_t (*outbox)(void *island, int32_t rows, prism_space_t space, prism_buffer_t *out);
  prism_status_t (*inbox)(void *island, int32_t rows, prism_space_t space, prism_buffer_t *in);
  prism_status_t (*receive)(void *island, const prism_buffer_t *in, int32_t own,
                            int32_t own_rows, int32_t *visitors);
  /* May be NULL. */
  bool (*ladder)(const void *island, prism_ladder_view_t *out);
  /* NULL, or: tell a running island to end, beside its stop flag, which is already
   * true (for work that looks at a flag elsewhere, as on a device). Any thread, also
   * when the island is idle: work() takes an old call back at its beginning and looks
   * at its stop flag after that. */
  void (*stop)(void *island);
} prism_island_ops_t;

typedef struct prism_desk_setup {
  const char *name;            /* static */
  const char *detail;          /* borrowed until destroy */
  int32_t islands;             /* >= 1 */
  void *const *island;         /* [islands]; the array is borrowed during the call */
  const prism_island_ops_t *ops;
  prism_bell_t *bell;          /* borrowed until destroy; may be NULL */
  void *owner;                 /* the engine's own object */
  /* NULL, or as in prism_engine_ops_t, with `owner`. */
  bool (*gpu_stats)(void *owner, prism_gpu_stats_t *out);
  bool (*gpu_profile)(void *owner, prism_gpu_profile_t *out);
  /* Release `owner` with its islands, once no thread of the desk lives. */
  void (*destroy)(void *owner);
} prism_desk_setup_t;

/* Start the threads. [out] engine  its destroy() also destroys `owner`. On failure
 * the caller still owns that. PRISM_INVALID without islands, PRISM_MEMORY. */
prism_status_t prism_desk_create(const prism_desk_setup_t *setup, prism_engine_t *out);

#endif
