/* prism monitor --summary: tables for people, one JSON object for programs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/members.h"
#include "app/monitor.h"

enum { MOST_IMPROVEMENTS = 20 }; /* in the table; the newest */

static double rate(int64_t moves, double seconds) {
  return seconds > 0.0 ? (double)moves / seconds : NAN;
}

/* Share of two counts; NaN without any. */
static double share(int64_t part, int64_t whole) {
  return whole > 0 ? (double)part / (double)whole : NAN;
}

/* Is solution `index` one of those asked for? */
static bool wants_solution(const prism_monitor_t *monitor, int64_t index) {
  return prism_monitor_wants(monitor, PRISM_RECORD_SOLUTION,
                             &prism_monitor_solutions(monitor)[index]);
}

/* ---- Text ----------------------------------------------------------------- */

/* A number of a table: "-" for none; large ones as 12.3M. */
static const char *cell(double value, const char *format, char *out, size_t size) {
  if (isnan(value))
    snprintf(out, size, "-");
  else
    snprintf(out, size, format, value);
  return out;
}

static const char *count_cell(double value, char *out, size_t size) {
  static const struct {
    double from, unit;
    const char *letter;
  } units[] = {{1e14, 1e12, "T"}, {1e11, 1e9, "G"}, {1e8, 1e6, "M"}, {1e5, 1e3, "k"}};
  for (size_t i = 0; i < sizeof units / sizeof units[0]; ++i) {
    if (!(value >= units[i].from)) continue;
    snprintf(out, size, "%.0f%s", value / units[i].unit, units[i].letter);
    return out;
  }
  return cell(value, "%.0f", out, size);
}

static prism_status_t add_result(const prism_monitor_t *monitor, prism_text_t *out) {
  const prism_summary_row_t *row = prism_monitor_result(monitor);
  if (row == NULL) {
    if (monitor->stats.best_colors > 0)
      return prism_text_add(out, "best so far  %d colors after %.2f s\n",
                            monitor->stats.best_colors, monitor->stats.best_t);
    return prism_text_add(out, "best so far  none\n");
  }
  PRISM_TRY(prism_text_add(out, "result       %d colors after %.2f s%s, lower bound %d\n",
                           row->colors, row->time_to_best,
                           row->optimal == 1 ? " (optimal)" : "", row->lower_bound));
  PRISM_TRY(prism_text_add(out, "ended by     "));
  PRISM_TRY(prism_monitor_text(row->exit_reason, out));
  PRISM_TRY(prism_text_add(out, ", after %.2f s and %" PRId64 " iterations\n", row->time,
                           row->iterations));
  if (row->gpu_busy >= 0.0)
    PRISM_TRY(prism_text_add(out, "GPUs         busy %.1f %%\n", 100.0 * row->gpu_busy));
  if (row->records_lost > 0 || row->write_failures > 0)
    PRISM_TRY(prism_text_add(out, "telemetry    %" PRId64 " records lost, %" PRId64
                             " failed writes\n", row->records_lost, row->write_failures));
  return PRISM_OK;
}

static prism_status_t add_head(const prism_monitor_t *monitor, prism_text_t *out) {
  const prism_run_head_t *head = prism_run_head(monitor->reader);
  PRISM_TRY(prism_text_add(out, "run          "));
  PRISM_TRY(prism_monitor_text(prism_run_path(monitor->reader), out));
  PRISM_TRY(prism_text_add(out, " (%s)\ngraph        ",
                           prism_monitor_life(prism_run_life(monitor->reader))));
  PRISM_TRY(prism_monitor_text(head->graph_name, out));
  PRISM_TRY(prism_text_add(out, ", %" PRId64 " vertices, %" PRId64 " edges\nstarted      ",
                           head->n, head->m));
  PRISM_TRY(prism_monitor_text(head->created, out));
  if (head->has_seed) PRISM_TRY(prism_text_add(out, ", seed %" PRIu64, head->seed));
  PRISM_TRY(prism_text_add(out, "\n"));
  return add_result(monitor, out);
}

static prism_status_t add_phases(const prism_monitor_t *monitor, prism_text_t *out) {
  const prism_run_stats_t *stats = &monitor->stats;
  double all = 0.0;
  char name[sizeof stats->phase[0].name], moves[24], speed[24], part[24], swap[24];
  for (int32_t i = 0; i < stats->phases; ++i) all += stats->phase[i].seconds;
  PRISM_TRY(prism_text_add(out, "\n%-16s %10s %7s %12s %9s %9s %8s\n", "phase", "rank-s",
                           "share", "iterations", "it/s", "swaps", "records"));
  for (int32_t i = 0; i < stats->phases; ++i) {
    const prism_run_phase_stats_t *row = &stats->phase[i];
    PRISM_TRY(prism_text_add(
        out, "%-16s %10.2f %7s %12s %9s %9s %8" PRId64 "\n",
        prism_monitor_clean(row->name, name, sizeof name), row->seconds,
        cell(all > 0.0 ? 100.0 * row->seconds / all : NAN, "%.1f %%", part, sizeof part),
        count_cell((double)row->iterations, moves, sizeof moves),
        count_cell(rate(row->iterations, row->seconds), speed, sizeof speed),
        cell(prism_run_mean(&row->swap), "%.3f", swap, sizeof swap), row->records));
  }
  return PRISM_OK;
}

/* What came to a rank: migrants taken of those offered, and visitors of meetings. */
static void format_migrations(const prism_run_rank_stats_t *row, char *out, size_t size) {
  int used = row->offered > 0
                 ? snprintf(out, size, "%" PRId64 "/%" PRId64 " (%.0f %%)", row->accepted,
                            row->offered, 100.0 * share(row->accepted, row->offered))
                 : snprintf(out, size, "-");
  if (row->meetings > 0 && used > 0 && (size_t)used < size)
    snprintf(out + used, size - (size_t)used, " +%" PRId64 " met", row->visitors);
}

/* Columns that only some runs have something for. */
typedef struct extras {
  bool swaps, gpu;
} extras_t;

static prism_status_t add_rank(const prism_run_rank_stats_t *row, int32_t rank, extras_t extras,
                               prism_text_t *out) {
  char mode[sizeof row->last.mode], moves[24], speed[24], number[24], arrived[64];
  PRISM_TRY(prism_text_add(out, "%4d %-12s %9.2fs %10s %8s %5d %5d %9" PRId64, rank,
                           prism_monitor_clean(row->last.mode, mode, sizeof mode), row->seconds,
                           count_cell((double)row->iterations, moves, sizeof moves),
                           count_cell(rate(row->iterations, row->seconds), speed, sizeof speed),
                           row->last.colors, row->last.best_colors, row->last.conflicts));
  if (extras.swaps)
    PRISM_TRY(prism_text_add(out, " %6s",
                             cell(prism_run_mean(&row->swap), "%.3f", number, sizeof number)));
  if (extras.gpu) {
    PRISM_TRY(prism_text_add(out, " %8s", cell(100.0 * prism_run_share(&row->idle), "%.1f %%",
                                               number, sizeof number)));
    PRISM_TRY(prism_text_add(out, " %7s", cell(prism_run_mean(&row->utilization), "%.0f %%",
                                               number, sizeof number)));
  }
  format_migrations(row, arrived, sizeof arrived);
  return prism_text_add(out, "  %s\n", arrived);
}

static prism_status_t add_ranks(const prism_monitor_t *monitor, prism_text_t *out) {
  const prism_run_stats_t *stats = &monitor->stats;
  extras_t extras = {false, false};
  for (int32_t i = 0; i < stats->ranks; ++i) {
    if (stats->rank[i].swap.weight > 0.0) extras.swaps = true;
    if (stats->rank[i].has_gpu) extras.gpu = true;
  }
  PRISM_TRY(prism_text_add(out, "\n%4s %-12s %10s %10s %8s %5s %5s %9s%s%s  %s\n", "rank", "mode",
                           "time", "iterations", "it/s", "k", "best", "conflicts",
                           extras.swaps ? "  swaps" : "", extras.gpu ? " GPU idle GPU use" : "",
                           "migrants taken"));
  for (int32_t i = 0; i < stats->ranks; ++i)
    if (stats->rank[i].records > 0) PRISM_TRY(add_rank(&stats->rank[i], i, extras, out));
  return PRISM_OK;
}

static prism_status_t add_improvements(const prism_monitor_t *monitor, prism_text_t *out) {
  int64_t all = monitor->have[PRISM_RECORD_SOLUTION], wanted = 0, at = 0;
  const prism_solution_row_t *row = prism_monitor_solutions(monitor);
  for (int64_t i = 0; i < all; ++i) wanted += wants_solution(monitor, i);
  PRISM_TRY(prism_text_add(out, "\n%10s %6s %6s %14s\n", "found at", "colors", "rank",
                           "iterations"));
  if (wanted > MOST_IMPROVEMENTS)
    PRISM_TRY(prism_text_add(out, "(%" PRId64 " earlier ones: prism export --table solutions)\n",
                             wanted - MOST_IMPROVEMENTS));
  for (int64_t i = 0; i < all; ++i) {
    if (!wants_solution(monitor, i) || ++at <= wanted - MOST_IMPROVEMENTS) continue;
    PRISM_TRY(prism_text_add(out, "%9.2fs %6d %6d %14" PRId64 "\n", row[i].t, row[i].colors,
                             row[i].rank, row[i].iterations));
  }
  return PRISM_OK;
}

/* ---- JSON ----------------------------------------------------------------- */

static prism_status_t json_head(const prism_monitor_t *monitor, prism_text_t *out) {
  const prism_run_head_t *head = prism_run_head(monitor->reader);
  const prism_summary_row_t *result = prism_monitor_result(monitor);
  PRISM_TRY(prism_text_add(out, "{"));
  PRISM_TRY(prism_member_text(out, "run", prism_run_path(monitor->reader)));
  PRISM_TRY(prism_member_text(out, "state", prism_monitor_life(prism_run_life(monitor->reader))));
  PRISM_TRY(prism_member_whole(out, "schema_version", head->schema_version));
  PRISM_TRY(prism_member_text(out, "created", head->created));
  if (head->has_seed)
    PRISM_TRY(prism_text_add(out, "\"seed\":%" PRIu64 ",", head->seed));
  else
    PRISM_TRY(prism_text_add(out, "\"seed\":null,"));
  PRISM_TRY(prism_member_graph(out, head));
  const bool any = monitor->stats.best_colors > 0;
  PRISM_TRY(prism_member_whole(out, "best_colors", any ? monitor->stats.best_colors : -1));
  PRISM_TRY(prism_member_real(out, "best_t", any ? monitor->stats.best_t : NAN));
  PRISM_TRY(prism_text_add(out, "\"result\":"));
  if (result == NULL) return prism_text_add(out, "null,");
  return prism_member_record(out, PRISM_RECORD_SUMMARY, result);
}

static prism_status_t json_phases(const prism_monitor_t *monitor, prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "\"phases\":["));
  for (int32_t i = 0; i < monitor->stats.phases; ++i) {
    const prism_run_phase_stats_t *row = &monitor->stats.phase[i];
    PRISM_TRY(prism_text_add(out, "{"));
    PRISM_TRY(prism_member_text(out, "phase", row->name));
    PRISM_TRY(prism_member_real(out, "rank_seconds", row->seconds));
    PRISM_TRY(prism_member_whole(out, "iterations", row->iterations));
    PRISM_TRY(prism_member_real(out, "iterations_per_second", rate(row->iterations, row->seconds)));
    PRISM_TRY(prism_member_real(out, "swap_rate", prism_run_mean(&row->swap)));
    PRISM_TRY(prism_member_whole(out, "records", row->records));
    PRISM_TRY(prism_member_close(out, "},"));
  }
  return prism_member_close(out, "],");
}

static prism_status_t json_rank(const prism_monitor_t *monitor, int32_t rank, prism_text_t *out) {
  const prism_run_rank_stats_t *row = &monitor->stats.rank[rank];
  const prism_rank_row_t *where = prism_monitor_rank(prism_run_head(monitor->reader), rank);
  PRISM_TRY(prism_text_add(out, "{"));
  PRISM_TRY(prism_member_rank(out, rank, where, &row->last));
  PRISM_TRY(prism_member_real(out, "seconds", row->seconds));
  PRISM_TRY(prism_member_whole(out, "iterations", row->iterations));
  PRISM_TRY(prism_member_real(out, "iterations_per_second", rate(row->iterations, row->seconds)));
  PRISM_TRY(prism_member_whole(out, "colors", row->last.colors));
  PRISM_TRY(prism_member_whole(out, "best_colors", row->last.best_colors));
  PRISM_TRY(prism_member_whole(out, "conflicts", row->last.conflicts));
  PRISM_TRY(prism_member_real(out, "swap_rate", prism_run_mean(&row->swap)));
  PRISM_TRY(prism_member_real(out, "gpu_idle", prism_run_share(&row->idle)));
  PRISM_TRY(prism_member_real(out, "gpu_utilization", prism_run_mean(&row->utilization)));
  PRISM_TRY(prism_member_whole(out, "migrants_offered", row->offered));
  PRISM_TRY(prism_member_whole(out, "migrants_accepted", row->accepted));
  PRISM_TRY(prism_member_real(out, "acceptance_rate", share(row->accepted, row->offered)));
  PRISM_TRY(prism_member_whole(out, "meetings", row->meetings));
  PRISM_TRY(prism_member_whole(out, "visitors", row->visitors));
  PRISM_TRY(prism_member_whole(out, "records", row->records));
  return prism_member_close(out, "},");
}

static prism_status_t json_summary(const prism_monitor_t *monitor, prism_text_t *out) {
  PRISM_TRY(json_head(monitor, out));
  PRISM_TRY(json_phases(monitor, out));
  PRISM_TRY(prism_text_add(out, "\"ranks\":["));
  for (int32_t i = 0; i < monitor->stats.ranks; ++i)
    if (monitor->stats.rank[i].records > 0) PRISM_TRY(json_rank(monitor, i, out));
  PRISM_TRY(prism_member_close(out, "],\"improvements\":["));
  for (int64_t i = 0; i < monitor->have[PRISM_RECORD_SOLUTION]; ++i) {
    if (!wants_solution(monitor, i)) continue;
    PRISM_TRY(
        prism_member_record(out, PRISM_RECORD_SOLUTION, &prism_monitor_solutions(monitor)[i]));
  }
  return prism_member_close(out, "]}\n");
}

prism_status_t prism_monitor_summary(const prism_monitor_t *monitor, prism_text_t *out) {
  if (monitor->json) return json_summary(monitor, out);
  PRISM_TRY(add_head(monitor, out));
  if (monitor->have[PRISM_RECORD_METRIC] == 0)
    return prism_text_add(out, "\nno records yet\n");
  PRISM_TRY(add_phases(monitor, out));
  PRISM_TRY(add_ranks(monitor, out));
  return add_improvements(monitor, out);
}
