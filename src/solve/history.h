/* The colourings that a run has found so far, each with fewer colours than the one before:
 * what a checkpoint keeps of them. Grows at the end only; the main thread adds, and a writer
 * may read the entries that were there when it was told their number. */
#ifndef PRISM_SOLVE_HISTORY_H
#define PRISM_SOLVE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "solve/record.h"

typedef struct prism_history_entry {
  struct prism_history_entry *next;
  prism_solution_row_t row; /* t over all invocations */
  size_t width;
  unsigned char packed[];   /* [n] prism_checkpoint_pack */
} prism_history_entry_t;

/* Zero-initialise but for n. */
typedef struct prism_history {
  int32_t n;      /* input vertices */
  int32_t count;
  int32_t colors; /* most of any entry */
  prism_history_entry_t *first, *last; /* owned */
} prism_history_t;

/* [in] color [n] input numbering, 0 .. row->colors - 1 */
prism_status_t prism_history_add(prism_history_t *history, const prism_solution_row_t *row,
                                 const int32_t *color);

/* [out] color [n] */
prism_status_t prism_history_get(const prism_history_t *history,
                                 const prism_history_entry_t *entry, int32_t *color);

void prism_history_release(prism_history_t *history);

#endif
