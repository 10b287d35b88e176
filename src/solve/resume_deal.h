/* What a checkpoint's islands knew, dealt out to the ranks: rank 0 reads it piece by piece and
 * sends it, a few pieces ahead of what the receiver has taken. Private to resume.c. */
#ifndef PRISM_SOLVE_RESUME_DEAL_H
#define PRISM_SOLVE_RESUME_DEAL_H

#include "solve/piece.h"
#include "solve/run.h"

typedef struct prism_deal_island {
  int32_t id, rank; /* id global */
} prism_deal_island_t;

/* Rank 0's view: the islands that there are now, in the order of their ids. */
typedef struct prism_deal {
  prism_checkpoint_reader_t *reader; /* NULL on other ranks */
  int32_t islands;
  prism_deal_island_t *island; /* [islands] owned */
  int32_t sources;     /* islands of the file with rows */
  int32_t *source;     /* [sources] their index in the file; owned */
  bool same;           /* ranks and islands are those of the file */
} prism_deal_t;

/* Collective: rank 0 hears of the islands of all. [in] reader  NULL but on rank 0 */
prism_status_t prism_deal_begin(prism_run_t *run, prism_checkpoint_reader_t *reader,
                                prism_deal_t *deal);

/* Collective: restore every island. [in] same  what rank 0 found; color_bound  of the file.
 * [out] exact  this rank's islands are all as they were */
prism_status_t prism_deal_out(prism_run_t *run, prism_deal_t *deal, bool same,
                              int32_t color_bound, bool *exact);

void prism_deal_release(prism_deal_t *deal);

#endif
