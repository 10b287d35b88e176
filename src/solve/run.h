/* A rank's part of the search: its engine, what it searches, the best colouring
 * known. Private to the solver's files; belongs to the rank's main thread. */
#ifndef PRISM_SOLVE_RUN_H
#define PRISM_SOLVE_RUN_H

#include "solve/descent.h"
#include "solve/history.h"
#include "solve/pooling.h"
#include "solve/portfolio.h"
#include "solve/prepare.h"
#include "solve/solve.h"
#include "solve/telemetry.h"
#include "solve/wire.h"

/* An island that takes part; one without a method to run is none of these. */
typedef struct prism_run_island {
  int32_t id;              /* in the engine; the global one is first_island + id */
  prism_island_info_t info;
  prism_portfolio_t portfolio;
  int64_t ticket;          /* -1: idle */
  int32_t k;               /* of the ticket */
  prism_method_t method;   /* of the last finished ticket, at first of the first one */
  int64_t length;          /* of its generations, in moves; 0: not known yet */
  int32_t demes;           /* of its individuals; 0: none */
  int64_t promised;        /* its iterations, when they are limited */
  bool cut;                /* the last one ended because these were used up */
  int32_t seeded_k;        /* best_k that the island was given as a start; 0: none */
  int64_t completed_f;     /* conflicts of the last coloring that was completed; -1: none at k */
  int32_t *guest;          /* [n] migrant that waits for the island; owned */
  prism_parcel_t parcel;   /* its header */
  int32_t guest_rank;      /* where it comes from */
  bool waiting;
  double exported;         /* time of the last emigrant */
  struct {                 /* its ladder when it was last written; k 0: never */
    int32_t k, windows;
    bool frozen;
    double t;
  } ladder;
} prism_run_island_t;

typedef struct prism_run {
  const prism_solve_config_t *config;
  const prism_shared_t *shared;
  const prism_prepared_t *prepared; /* rank 0 */
  prism_comm_t *comm;
  prism_telemetry_t *telemetry;
  prism_engine_t engine;
  int32_t n;               /* kernel vertices */
  size_t width;            /* bytes of a colour on the wire */
  int32_t first_island;    /* global id of the engine's island 0 */
  int32_t all_islands;     /* that take part, over all ranks */
  prism_pooling_t pooling;
  char fallback[32];       /* why the fallback engine was taken; "": it was not */

  int32_t goal;            /* stop at this many kernel colours or fewer */
  int32_t best_k;          /* fewest kernel colours of a legal colouring known here */
  int32_t *best;           /* [n] that colouring; owned */
  int32_t k;               /* searched now */
  prism_descent_t descent; /* where that comes from */
  double began;            /* elapsed when the search began */
  bool direct;             /* k is the target itself, for a part of the time */
  int32_t islands;         /* that take part on this rank */
  prism_run_island_t *island; /* [islands] */
  int32_t *color;          /* [n] scratch; owned */
  unsigned char *packed;   /* scratch of one parcel; owned */

  int64_t iterations;      /* this rank, over all invocations */
  int64_t f_best;          /* fewest conflicts at k on this rank; -1: none yet */
  double diversity;
  double temperature;      /* coldest one of the last TEMPERING; 0: none has run */
  double swap_rate;        /* its share of exchanges made */
  bool stopping;
  double stopped;          /* clock when that was decided */
  bool exhausted;          /* this rank has used up its iterations */
  int32_t exhausted_ranks; /* rank 0 */
  prism_exit_t reason;

  struct prism_persist *persist; /* checkpoints; NULL: none; owned */
  double prior;            /* s of earlier invocations */
  /* Deterministic runs: */
  int64_t epoch;           /* epochs done, over all invocations */
  int64_t epoch_iterations; /* most in one of them, this rank and invocation */
  bool resumed;            /* exactly where an epoch had ended, and none has been run since */
  bool cut;                /* some epoch did not come to its own end: nothing repeats any more */

  /* rank 0 */
  prism_history_t history; /* for checkpoints; empty without them */
  int32_t *input_color;    /* [input n] scratch; owned */
  prism_result_t *result;
  double last_metric, last_progress, last_rate, last_watch;
  int64_t last_iterations; /* at last_rate */
  double rate;             /* moves per second of this rank */
  bool improved;

  prism_gpu_stats_t gpu;   /* at the last record of the GPU */
} prism_run_t;

/* Engine, buffers, telemetry. On failure the run is released. */
prism_status_t prism_run_begin(prism_run_t *run, const prism_solve_config_t *config,
                               const prism_shared_t *shared, const prism_prepared_t *prepared,
                               int32_t goal, prism_result_t *result);
void prism_run_release(prism_run_t *run);

/* The engine of this rank and the islands that take part. Collective. */
prism_status_t prism_run_engine(prism_run_t *run);

/* Tell the user, and the run file as `event`. */
prism_status_t prism_run_remark(prism_run_t *run, const char *event, const char *text);

/* Iterations of this rank's limit that no island has used or been given. */
int64_t prism_run_iterations_left(const prism_run_t *run);

/* Submit the next piece of work to an idle island. */
prism_status_t prism_run_submit(prism_run_t *run, int32_t island, int64_t generations,
                                double seconds);

/* Account for a finished ticket; a legal colouring becomes run->best and `found`. */
prism_status_t prism_run_finished(prism_run_t *run, int32_t island,
                                  const prism_summary_t *summary, bool *found);

/* Best colouring of idle island i by its last method. [out] color [n]; [out] parcel */
prism_status_t prism_run_export(prism_run_t *run, int32_t island, int32_t *color,
                                prism_parcel_t *parcel);

/* A legal kernel colouring [n] with k colours: if it is better, take it over, go on
 * to the next k; rank 0 lifts, verifies and stores it. */
prism_status_t prism_run_accept(prism_run_t *run, const int32_t *color,
                                const prism_parcel_t *parcel, int32_t rank);

/* Make a legal colouring of what idle island i has at its k, where that is worth a try: its
 * colours go to run->color. [out] parcel  f > 0: nothing better than run->best */
prism_status_t prism_run_complete(prism_run_t *run, int32_t island, prism_parcel_t *parcel);

/* Begin the way down from what is known. [in] fresh  that comes from a construction */
void prism_run_begin_descent(prism_run_t *run, bool fresh);

/* Choose k anew, from what the search has come to. */
void prism_run_aim(prism_run_t *run);

/* A random elite of idle island i, the same for the same seed and moves: its colours
 * go to run->color. [out] parcel */
prism_status_t prism_run_emigrant(prism_run_t *run, int32_t island, prism_parcel_t *parcel);

/* Let the migrant in run->color wait for an island's next submit; the newest stays. */
void prism_run_hand_over(prism_run_t *run, int32_t island, const prism_parcel_t *parcel,
                         int32_t from_rank);

/* Members of other ranks' pools came to visit the pool of this one; -1: none did. */
prism_status_t prism_run_visited(prism_run_t *run, int32_t visitors);

/* Progress callback and periodic telemetry, when due. */
prism_status_t prism_run_report(prism_run_t *run, const char *step, bool now);

/* Idle island i has tempered with k colours: write its ladder where that tells anything new. */
prism_status_t prism_run_ladder(prism_run_t *run, int32_t i, int32_t k);

/* What all GPUs did since their engines were made: gpu_busy, gpu_overlap and gpu_profile of
 * the result. Once, when no island works any more. Collective. */
prism_status_t prism_run_gpu_result(prism_run_t *run, prism_result_t *result);

/* Seconds since the start of this invocation; is its time over, or that of all? */
double prism_run_elapsed(const prism_run_t *run);
bool prism_run_out_of_time(const prism_run_t *run);

/* The two drivers. Collective; both end on all ranks. */
prism_status_t prism_run_async(prism_run_t *run);
prism_status_t prism_run_epochs(prism_run_t *run);

#endif
