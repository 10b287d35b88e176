/* One save, from the copies in memory to the file (persist.h has the whole). Private to
 * persist*.c; belongs to the rank's main thread. */
#ifndef PRISM_SOLVE_PERSIST_SAVE_H
#define PRISM_SOLVE_PERSIST_SAVE_H

#include "solve/part.h"
#include "solve/persist.h"
#include "solve/persist_writer.h"

typedef enum prism_save_stage {
  PRISM_SAVE_REST,
  PRISM_SAVE_GATHER, /* islands are being saved */
  PRISM_SAVE_PULL,   /* all are; their parts go to the writer */
  PRISM_SAVE_WRITE   /* it has all of them */
} prism_save_stage_t;

/* What rank 0 puts into the head, as of one moment. */
typedef struct prism_moment {
  bool repeats;   /* a deterministic run goes on from here as it would have */
  int64_t epoch;
  double elapsed; /* over all invocations */
  int32_t best_k;
  int32_t *best;  /* [n] owned */
} prism_moment_t;

struct prism_persist {
  const prism_persist_config_t *config;
  prism_part_setup_t setup;
  int32_t wish;       /* heard and not granted yet */
  int32_t serial;     /* of the latest save */
  prism_part_t part;  /* of this rank in it */
  prism_part_t spare; /* deterministic: at the end of the last epoch */
  int64_t spare_epoch;
  double spare_cost, spare_costs; /* s of the last one, of all */
  double stood;       /* s for copies, so far */
  bool ended;         /* the save is over, for those who wait */

  /* Rank 0. */
  prism_save_stage_t stage;
  int32_t ready;      /* ranks */
  int32_t from;       /* rank whose part is pulled */
  int32_t asked;      /* pieces under way from there */
  double begun;       /* elapsed at the begin of the save */
  double next;        /* elapsed at which one is due */
  int64_t saved_epoch; /* of the latest checkpoint; 0: there is none */
  int32_t saved_solutions; /* in it */
  int32_t solutions;  /* of the history in the save under way */
  bool warned;        /* the last one failed, and that was told */
  prism_moment_t moment, spare_moment;
  prism_persist_writer_t *writer;
  prism_checkpoint_head_t head; /* what does not change */
  int32_t *vertex, *partner;    /* of head.kernel; owned */
};

static inline bool prism_run_is_first(const prism_run_t *run) { return run->comm->rank == 0; }

/* All islands are idle: copy what this rank knows. [out] part  complete, or none on failure */
prism_status_t prism_save_all(prism_run_t *run, prism_part_t *part);

/* Rank 0: what else goes into the file. [in,out] moment  its array is used again */
prism_status_t prism_save_note(prism_run_t *run, bool repeats, prism_moment_t *moment);

/* Rank 0: from now on parts are waited for. */
void prism_save_begin(prism_run_t *run);

/* The islands of this rank are saved from now on, each when it is idle. */
prism_status_t prism_save_islands(prism_run_t *run, int32_t serial);

/* This rank's part is complete, or (status) cannot be: that is no reason to end the search. */
prism_status_t prism_save_ready(prism_run_t *run, prism_status_t status);

/* Rank 0: move on what can be moved. Never waits. */
prism_status_t prism_save_step(prism_run_t *run);

/* Rank 0: it is over; tell all. */
prism_status_t prism_save_end(prism_run_t *run, const prism_persist_outcome_t *outcome);
/* Rank 0: count a checkpoint. */
prism_status_t prism_save_told(prism_run_t *run, const prism_persist_outcome_t *outcome);

prism_status_t prism_save_post_all(prism_run_t *run, int32_t tag, int32_t word);

#endif
