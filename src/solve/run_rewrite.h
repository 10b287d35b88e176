/* A run file written anew: every object copied into a fresh file, tables compressed, all row by
 * row as it can be read. What remains of a killed run becomes an ordinary file this way, and one
 * that has ended becomes small. Works for every schema version, also for later ones. */
#ifndef PRISM_SOLVE_RUN_REWRITE_H
#define PRISM_SOLVE_RUN_REWRITE_H

#include <stdint.h>

#include "base/status.h"
#include "solve/record.h"

typedef struct prism_run_rescue {
  int64_t rows[PRISM_RECORD_COUNT]; /* copied; -1: this file has no such table */
  int64_t lost;                     /* rows that could not be read any more, over all tables */
} prism_run_rescue_t;

/* Write `to`, which is replaced if it exists, from `from`, which is only read; flushed to the
 * disk. [in] repaired  time for the attribute of that name; NULL: none. PRISM_IO, PRISM_FORMAT:
 * `from` cannot be read; PRISM_STORAGE: `to` cannot be written, and is removed. */
prism_status_t prism_run_rewrite(const char *from, const char *to, const char *repaired,
                                 prism_run_rescue_t *out);

#endif
