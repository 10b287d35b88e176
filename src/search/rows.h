/* The colourings of an island's state (seam/state.h) between the view numbering of the arms
 * and the rows of the state. Bytes speak of a colouring by its row; those that are the same
 * share one. One thread. */
#ifndef PRISM_SEARCH_ROWS_H
#define PRISM_SEARCH_ROWS_H

#include "base/pack.h"
#include "model/reduce.h"
#include "search/problem.h"
#include "seam/state.h"

/* ---- writing ---- */

typedef struct prism_row {
  const int32_t *color; /* [view n]; borrowed, or `own` */
  int32_t *own;         /* owned; NULL: borrowed */
  int64_t f;
  prism_method_t method;
} prism_row_t;

/* Zero-initialise with `problem`. The first failure is kept in `status`. */
typedef struct prism_rows {
  const prism_problem_t *problem; /* borrowed; NULL: nothing to search at this k */
  int32_t count, capacity;
  prism_row_t *row;               /* owned */
  prism_status_t status;
} prism_rows_t;

/* Write the row of a complete colouring [view n], f its conflicts, or -1: counted here.
 * NULL: there is none. It is borrowed until the rows are filled in. */
void prism_rows_put(prism_rows_t *rows, prism_pack_t *pack, prism_method_t method,
                    const int32_t *color, int64_t f);
/* One with uncoloured vertices (-1): its row has them coloured, the bytes say which. */
void prism_rows_put_partial(prism_rows_t *rows, prism_pack_t *pack, prism_method_t method,
                            int32_t k, const int32_t *color);
/* Copy all to a state that has room for them. */
void prism_rows_fill(const prism_rows_t *rows, const prism_view_t *view,
                     prism_island_state_t *state);
void prism_rows_release(prism_rows_t *rows);

/* ---- reading ---- */

/* Where colourings are read from: all borrowed. */
typedef struct prism_row_source {
  const prism_island_state_t *state; /* checked (prism_island_state_check) */
  const prism_problem_t *problem;
  const int32_t *map;                /* [view n] kernel vertex */
  prism_unpack_t *unpack;            /* learns of what cannot be */
} prism_row_source_t;

/* [out] color [view n] complete, 0 .. k - 1, whatever was read; [out] f its conflicts, -1:
 * there is none. */
void prism_rows_get(const prism_row_source_t *source, prism_method_t method, int32_t *color,
                    int64_t *f);
/* The same where one is needed. */
void prism_rows_need(const prism_row_source_t *source, prism_method_t method, int32_t *color,
                     int64_t *f);
/* [out] color [view n], -1: uncoloured. PRISM_MEMORY. */
prism_status_t prism_rows_get_partial(const prism_row_source_t *source, prism_method_t method,
                                      int32_t *color);

/* ---- edge weights ---- */

/* Symmetric weights by arcs, one for each edge. [in] weight [2 m] >= 1. PRISM_MEMORY. */
prism_status_t prism_weights_pack(const prism_graph_t *graph, const int32_t *weight,
                                  prism_pack_t *pack);
/* [out] weight [2 m], 1 .. 65535. PRISM_MEMORY. */
prism_status_t prism_weights_unpack(const prism_graph_t *graph, prism_unpack_t *unpack,
                                    int32_t *weight);

#endif
