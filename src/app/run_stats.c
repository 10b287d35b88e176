#include "app/run_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MOST_RANKS = 1 << 20 };

double prism_run_mean(const prism_run_mean_t *mean) {
  return mean->weight > 0.0 ? mean->sum / mean->weight : NAN;
}

double prism_run_share(const prism_run_mean_t *mean) {
  double value = prism_run_mean(mean);
  return value < 0.0 ? 0.0 : value;
}

static void add_value(prism_run_mean_t *mean, double value, double weight) {
  if (isnan(value) || !(weight > 0.0)) return;
  mean->sum += value * weight;
  mean->weight += weight;
}

void prism_run_stats_begin(prism_run_stats_t *stats, const prism_run_head_t *head) {
  memset(stats, 0, sizeof *stats);
  stats->best_colors = -1;
  for (int32_t i = 0; i < head->settings; ++i)
    if (strcmp(head->setting[i].name, "telemetry.interval") == 0)
      stats->interval = strtod(head->setting[i].value, NULL);
  if (!(stats->interval > 0.0 && isfinite(stats->interval))) stats->interval = 0.0;
}

void prism_run_stats_release(prism_run_stats_t *stats) {
  prism_free(stats->rank);
  memset(stats, 0, sizeof *stats);
}

/* NULL in `out` for a rank that cannot be. */
static prism_status_t find_rank(prism_run_stats_t *stats, int32_t rank,
                                prism_run_rank_stats_t **out) {
  *out = NULL;
  if (rank < 0 || rank >= MOST_RANKS) return PRISM_OK;
  if (rank >= stats->ranks) {
    int32_t more = rank + 1;
    PRISM_TRY(PRISM_GROW(&stats->rank, stats->ranks, more));
    memset(stats->rank + stats->ranks, 0, (size_t)(more - stats->ranks) * sizeof *stats->rank);
    for (int32_t i = stats->ranks; i < more; ++i) {
      prism_record_blank(PRISM_RECORD_METRIC, &stats->rank[i].last);
      prism_record_blank(PRISM_RECORD_GPU, &stats->rank[i].gpu);
      stats->rank[i].rate = stats->rank[i].idle_now = NAN;
    }
    stats->ranks = more;
  }
  *out = &stats->rank[rank];
  return PRISM_OK;
}

/* NULL when there are too many. */
static prism_run_phase_stats_t *find_phase(prism_run_stats_t *stats, const char *name) {
  for (int32_t i = 0; i < stats->phases; ++i)
    if (strcmp(stats->phase[i].name, name) == 0) return &stats->phase[i];
  if (stats->phases == sizeof stats->phase / sizeof stats->phase[0]) return NULL;
  prism_run_phase_stats_t *phase = &stats->phase[stats->phases++];
  PRISM_RECORD_TEXT(phase->name, name);
  return phase;
}

/* "swap=0.25" among the parameters; NaN without. */
static double swap_of(const prism_metric_t *row) {
  const char *at = strstr(row->parameters, "swap=");
  if (at == NULL || (at != row->parameters && at[-1] != ' ')) return NAN;
  char *end = NULL;
  double value = strtod(at + strlen("swap="), &end);
  return end == at + strlen("swap=") ? NAN : value;
}

/* stored: t is that of a solution, which is what the summary and the table of solutions tell; its
 * finder has a metric of it a moment before. */
static void note_best(prism_run_stats_t *stats, int32_t colors, double t, bool stored) {
  const bool any = stats->best_colors > 0;
  if (colors <= 0 || (any && colors > stats->best_colors)) return;
  if (any && colors == stats->best_colors &&
      (stats->best_stored > stored || (stats->best_stored == stored && !(t < stats->best_t))))
    return;
  stats->best_colors = colors;
  stats->best_t = t;
  stats->best_stored = stored;
}

/* Shorter spans are joined. */
static double least_span(const prism_run_stats_t *stats) {
  return stats->interval > 0.0 ? 0.5 * stats->interval : 0.02;
}

/* Until the first whole span, what there is of it. */
static void note_rate(const prism_run_stats_t *stats, prism_run_rank_stats_t *rank,
                      const prism_metric_t *row) {
  double span = row->t - rank->rate_t;
  double moves = (double)(row->iterations - rank->rate_iterations);
  const bool whole = span >= least_span(stats);
  if (span > 0.0 && (whole || !rank->rate_whole)) rank->rate = fmax(0.0, moves) / span;
  if (!whole) return;
  rank->rate_whole = true;
  rank->rate_t = row->t;
  rank->rate_iterations = row->iterations;
}

static prism_status_t add_metric(prism_run_stats_t *stats, const prism_metric_t *row) {
  prism_run_rank_stats_t *rank = NULL;
  PRISM_TRY(find_rank(stats, row->rank, &rank));
  if (rank == NULL) return PRISM_OK;
  prism_run_phase_stats_t *phase = find_phase(stats, row->phase);
  double swap = swap_of(row);
  if (rank->records > 0) {
    double seconds = row->t - rank->last.t;
    int64_t moves = row->iterations - rank->last.iterations;
    if (!(seconds > 0.0)) seconds = 0.0;
    if (moves < 0) moves = 0;
    rank->seconds += seconds;
    rank->iterations += moves;
    if (phase != NULL) {
      phase->seconds += seconds;
      phase->iterations += moves;
    }
    note_rate(stats, rank, row);
  } else {
    rank->rate_t = row->t;
    rank->rate_iterations = row->iterations;
  }
  add_value(&rank->swap, swap, 1.0);
  if (phase != NULL) {
    add_value(&phase->swap, swap, 1.0);
    ++phase->records;
  }
  ++rank->records;
  rank->last = *row;
  if (row->t > stats->last_t) stats->last_t = row->t;
  note_best(stats, row->best_colors, row->t, false);
  return PRISM_OK;
}

/* A generation's kernels may have begun before the span in which they are counted: a share above
 * 1 there makes up for the one before. What was before the first record has no span. */
static void add_kernels(const prism_run_stats_t *stats, prism_run_rank_stats_t *rank,
                        const prism_gpu_t *row) {
  double kernel = 1e-6 * row->kernel_us;
  if (!rank->has_gpu) {
    rank->idle_t = row->t;
    rank->idle_now = row->idle;
    return;
  }
  double since = row->t - rank->gpu.t;
  if (since > 0.0) add_value(&rank->idle, 1.0 - kernel / since, since);
  rank->idle_kernel += kernel;
  double span = row->t - rank->idle_t;
  if (!(span >= least_span(stats))) return;
  rank->idle_now = fmax(0.0, 1.0 - rank->idle_kernel / span);
  rank->idle_t = row->t;
  rank->idle_kernel = 0.0;
}

static prism_status_t add_gpu(prism_run_stats_t *stats, const prism_gpu_t *row) {
  prism_run_rank_stats_t *rank = NULL;
  PRISM_TRY(find_rank(stats, row->rank, &rank));
  if (rank == NULL) return PRISM_OK;
  double since = rank->has_gpu ? row->t - rank->gpu.t : row->t;
  add_value(&rank->utilization, row->utilization, since);
  if (isnan(row->kernel_us)) {
    add_value(&rank->idle, row->idle, since);
    rank->idle_now = row->idle;
  } else {
    add_kernels(stats, rank, row);
  }
  rank->has_gpu = true;
  rank->gpu = *row;
  return PRISM_OK;
}

static prism_status_t add_migration(prism_run_stats_t *stats, const prism_migration_t *row) {
  prism_run_rank_stats_t *rank = NULL;
  PRISM_TRY(find_rank(stats, row->to_rank, &rank));
  if (rank == NULL) return PRISM_OK;
  if (row->from_rank < 0) {
    ++rank->meetings;
    rank->visitors += row->accepted > 0 ? row->accepted : 0;
  } else {
    ++rank->offered;
    rank->accepted += row->accepted == 1;
  }
  return PRISM_OK;
}

prism_status_t prism_run_stats_add(prism_run_stats_t *stats, prism_record_kind_t kind,
                                   const void *record) {
  if (stats->best_colors == 0) stats->best_colors = -1;
  const prism_solution_row_t *solution = record;
  switch (kind) {
    case PRISM_RECORD_METRIC:
      return add_metric(stats, record);
    case PRISM_RECORD_GPU:
      return add_gpu(stats, record);
    case PRISM_RECORD_MIGRATION:
      return add_migration(stats, record);
    case PRISM_RECORD_SOLUTION:
      note_best(stats, solution->colors, solution->t, true);
      return PRISM_OK;
    case PRISM_RECORD_EVENT:
    case PRISM_RECORD_PROFILE:
    case PRISM_RECORD_LADDER:
    case PRISM_RECORD_SUMMARY:
    case PRISM_RECORD_COUNT:
      break;
  }
  return PRISM_OK;
}
