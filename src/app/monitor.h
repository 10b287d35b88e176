/* What the views of `prism monitor` have in common: the run, the choice of rows, and what is
 * known of it so far. */
#ifndef PRISM_APP_MONITOR_H
#define PRISM_APP_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "app/run_stats.h"
#include "base/file.h"
#include "solve/run_reader.h"

typedef struct prism_monitor {
  prism_run_reader_t *reader;
  const char *phase; /* NULL: all */
  int32_t rank;      /* -1: all */
  double since;      /* seconds since the start of the run; negative: before the newest row */
  bool json;

  /* Kept up to date by prism_monitor_take. */
  void *rows[PRISM_RECORD_COUNT];    /* [have] structs, of all ranks and phases; owned */
  int64_t have[PRISM_RECORD_COUNT];
  int64_t counted[PRISM_RECORD_COUNT]; /* rows that are in the statistics */
  prism_run_stats_t stats;             /* of the chosen rows */
} prism_monitor_t;

void prism_monitor_release(prism_monitor_t *monitor);

/* Read what is new, and count it. */
prism_status_t prism_monitor_take(prism_monitor_t *monitor);

/* Rows of a kind. */
const prism_metric_t *prism_monitor_metrics(const prism_monitor_t *monitor);
const prism_solution_row_t *prism_monitor_solutions(const prism_monitor_t *monitor);
/* NULL while there is none. */
const prism_summary_row_t *prism_monitor_result(const prism_monitor_t *monitor);

/* Is the row among those chosen, by its rank, its time and, of a metric, its phase? Kinds
 * without them never are. */
bool prism_monitor_wants(const prism_monitor_t *monitor, prism_record_kind_t kind,
                         const void *record);

/* Where a rank searches; NULL when the run does not say. */
const prism_rank_row_t *prism_monitor_rank(const prism_run_head_t *head, int32_t rank);

/* Append the line of a metric: [THERMO][gpu][stream=2] temp_5 | colors=112 conflicts=0 |
 * 123.45 ms. With several ranks that are shown, the line says which. */
prism_status_t prism_monitor_line(const prism_monitor_t *monitor, const prism_metric_t *row,
                                  prism_text_t *out);

/* Text from a file with control characters replaced: a terminal would obey them. What does not
 * fit is cut off. Returns `out`. */
const char *prism_monitor_clean(const char *text, char *out, size_t size);

/* Append the same. */
prism_status_t prism_monitor_text(const char *text, prism_text_t *out);

/* Display tag of a phase; its name where this program does not know it. */
const char *prism_monitor_tag(const char *phase);

/* "ended", "live", "killed", "unknown". */
const char *prism_monitor_life(prism_run_life_t life);

/* Append the tables, or with monitor->json one JSON object. */
prism_status_t prism_monitor_summary(const prism_monitor_t *monitor, prism_text_t *out);

/* The full-screen view, until q or an interrupt. PRISM_UNSUPPORTED without a terminal or in a
 * build without ncurses. */
prism_status_t prism_monitor_live(prism_monitor_t *monitor);

#endif
