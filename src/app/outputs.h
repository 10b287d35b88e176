/* Names of the files a run writes, and whether they may be written. */
#ifndef PRISM_APP_OUTPUTS_H
#define PRISM_APP_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/params.h"

/* Common front part of the names of all runs of a program. */
typedef struct prism_stem {
  char *path;    /* D/X; owned */
  bool named;    /* --output gave it: existing files need --force */
  char *reserve; /* empty .jsonl that holds a default name; owned, may be NULL */
} prism_stem_t;

/* The files of one run; owned. */
typedef struct prism_outputs {
  char *run_path;      /* NULL when telemetry is off */
  char *jsonl_path;    /* NULL when telemetry is off */
  char *solution_path;
  char *checkpoint_path; /* NULL when checkpoints are off */
} prism_outputs_t;

/* Name of a graph file without folder, .gz and .col; "stdin" for "-". Owned by
 * the caller. */
prism_status_t prism_outputs_graph_name(const char *graph_path, char **out);

/* Settle the stem: --output, or prism-runs/<graph>_<UTC>_s<seed> with -2, -3 ...
 * if taken. Without telemetry a --solution is enough: its stem is that of the checkpoint,
 * too. PRISM_INVALID for a name that does not end in .h5. */
prism_status_t prism_stem_create(const prism_params_t *params, const char *graph_path,
                                 uint64_t seed, prism_stem_t *out);
/* Give back an unused reservation and release. */
void prism_stem_release(prism_stem_t *stem);

/* Names for run number `index` (0-based; -r001 ... when there are several). */
prism_status_t prism_outputs_create(const prism_params_t *params, const prism_stem_t *stem,
                                    int64_t index, prism_outputs_t *out);
void prism_outputs_release(prism_outputs_t *outputs);

/* May all files of all runs be written? Existing named ones only with --force, but for a
 * checkpoint that is also that of --resume; never over the graph or the checkpoint that the
 * run goes on from, no two under one name. Makes missing folders. */
prism_status_t prism_outputs_check(const prism_params_t *params, const prism_stem_t *stem,
                                   const char *graph_path);

/* Does this run go on writing the checkpoint that it was resumed from? */
bool prism_outputs_goes_on(const prism_params_t *params, const prism_outputs_t *outputs);

#endif
