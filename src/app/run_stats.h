/* What the records of a run say about its ranks and phases, kept up to date row by row. Pure. */
#ifndef PRISM_APP_RUN_STATS_H
#define PRISM_APP_RUN_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "solve/record.h"

/* Rates whose mean is wanted. */
typedef struct prism_run_mean {
  double sum, weight;
} prism_run_mean_t;

/* The mean; NaN without a value. */
double prism_run_mean(const prism_run_mean_t *mean);

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
  double rate;           /* moves a second between the two newest metrics; NaN */
  prism_run_mean_t swap;
  bool has_gpu;
  prism_gpu_t gpu;       /* the newest */
  prism_run_mean_t idle; /* weighted by time */
  prism_run_mean_t utilization;
  int64_t offered, accepted; /* migrants that came, and those that were taken in */
  int64_t meetings, visitors; /* meetings of pools, and who came there */
} prism_run_rank_stats_t;

/* Zero-initialise. */
typedef struct prism_run_stats {
  prism_run_rank_stats_t *rank; /* [ranks]; owned */
  int32_t ranks;
  prism_run_phase_stats_t phase[16];
  int32_t phases;
  int32_t best_colors; /* -1: none yet */
  double best_t;
  bool best_stored;    /* best_t is that of a solution */
  double last_t;       /* of all metrics */
} prism_run_stats_t;

void prism_run_stats_release(prism_run_stats_t *stats);

/* In the order of the file; kinds that say nothing here are ignored, and so are ranks below 0
 * and above a million. */
prism_status_t prism_run_stats_add(prism_run_stats_t *stats, prism_record_kind_t kind,
                                   const void *record);

#endif
