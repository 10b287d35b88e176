/* What the records of a run say about its ranks and phases, kept up to date row by row. Pure.
 *
 * Records may follow each other at once, and a GPU's moves and kernels are counted when a
 * generation ends. What is told of the newest moment is therefore of a span of half of
 * telemetry.interval or more; shorter ones are joined. */
#ifndef PRISM_APP_RUN_STATS_H
#define PRISM_APP_RUN_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "solve/record.h"
#include "solve/run_reader.h"

/* Rates whose mean is wanted. */
typedef struct prism_run_mean {
  double sum, weight;
} prism_run_mean_t;

/* The mean; NaN without a value. */
double prism_run_mean(const prism_run_mean_t *mean);

/* The same of a share, of which roundings may leave a little less than 0. */
double prism_run_share(const prism_run_mean_t *mean);

/* Time and moves between two metrics of a rank belong to the phase of the later one. */
typedef struct prism_run_phase_stats {
  char name[16];
  int64_t records;
  double seconds; /* over all ranks */
  int64_t iterations;
  prism_run_mean_t swap; /* share of exchanges that temperings made */
} prism_run_phase_stats_t;

typedef struct prism_run_rank_stats {
  int64_t records;       /* 0: nothing is known of this rank */
  prism_metric_t last;   /* the newest */
  double seconds;        /* from the first metric to the newest */
  int64_t iterations;    /* in that time */
  double rate;           /* moves a second in the newest span; NaN */
  double rate_t;         /* where the span after it begins */
  int64_t rate_iterations;
  bool rate_whole;       /* rate is that of a span of its full length */
  prism_run_mean_t swap;
  bool has_gpu;
  prism_gpu_t gpu;       /* the newest */
  double idle_now;       /* share of the newest span without a kernel; NaN */
  double idle_t, idle_kernel; /* where the span after it begins; s with kernels since */
  prism_run_mean_t idle; /* weighted by time */
  prism_run_mean_t utilization;
  int64_t offered, accepted; /* migrants that came, and those that were taken in */
  int64_t meetings, visitors; /* meetings of pools, and who came there */
} prism_run_rank_stats_t;

/* Zero-initialise, or prism_run_stats_begin. */
typedef struct prism_run_stats {
  double interval; /* of the records, s; 0: not known */
  prism_run_rank_stats_t *rank; /* [ranks]; owned */
  int32_t ranks;
  prism_run_phase_stats_t phase[16];
  int32_t phases;
  int32_t best_colors; /* -1: none yet */
  double best_t;
  bool best_stored;    /* best_t is that of a solution */
  double last_t;       /* of all metrics */
} prism_run_stats_t;

/* Nothing yet, of the run with this head. */
void prism_run_stats_begin(prism_run_stats_t *stats, const prism_run_head_t *head);

void prism_run_stats_release(prism_run_stats_t *stats);

/* In the order of the file; kinds that say nothing here are ignored, and so are ranks below 0
 * and above a million. */
prism_status_t prism_run_stats_add(prism_run_stats_t *stats, prism_record_kind_t kind,
                                   const void *record);

#endif
