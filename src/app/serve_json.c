#include "app/serve_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/members.h"
#include "app/monitor.h"
#include "base/mem.h"
#include "solve/jsonl.h"

/* ---- The state ----------------------------------------------------------------- */

static prism_status_t add_rank(const prism_serve_run_t *run, int32_t rank, prism_text_t *out) {
  const prism_run_rank_stats_t *row = &run->stats.rank[rank];
  const prism_rank_row_t *where = prism_monitor_rank(prism_run_head(run->reader), rank);
  PRISM_TRY(prism_text_add(out, "{"));
  PRISM_TRY(prism_member_rank(out, rank, where, &row->last));
  PRISM_TRY(prism_member_text(out, "step", row->last.step));
  PRISM_TRY(prism_member_real(out, "t", row->last.t));
  PRISM_TRY(prism_member_whole(out, "colors", row->last.colors));
  PRISM_TRY(prism_member_whole(out, "best_colors", row->last.best_colors));
  PRISM_TRY(prism_member_whole(out, "conflicts", row->last.conflicts));
  PRISM_TRY(prism_member_whole(out, "iterations", row->last.iterations));
  PRISM_TRY(prism_member_real(out, "iterations_per_second", row->rate));
  PRISM_TRY(prism_member_whole(out, "migrants_offered", row->offered));
  PRISM_TRY(prism_member_whole(out, "migrants_accepted", row->accepted));
  PRISM_TRY(prism_member_real(out, "gpu_utilization", row->has_gpu ? row->gpu.utilization : NAN));
  PRISM_TRY(prism_member_real(out, "gpu_idle", row->has_gpu ? row->idle_now : NAN));
  PRISM_TRY(prism_member_real(out, "gpu_power_w", row->has_gpu ? row->gpu.power_w : NAN));
  PRISM_TRY(prism_member_real(out, "gpu_temperature_c",
                              row->has_gpu ? row->gpu.temperature_c : NAN));
  PRISM_TRY(prism_member_whole(out, "records", row->records));
  return prism_member_close(out, "},");
}

static prism_status_t add_phases(const prism_run_stats_t *stats, prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "\"phases\":["));
  for (int32_t i = 0; i < stats->phases; ++i) {
    const prism_run_phase_stats_t *row = &stats->phase[i];
    PRISM_TRY(prism_text_add(out, "{"));
    PRISM_TRY(prism_member_text(out, "phase", row->name));
    PRISM_TRY(prism_member_real(out, "rank_seconds", row->seconds));
    PRISM_TRY(prism_member_whole(out, "iterations", row->iterations));
    PRISM_TRY(prism_member_real(out, "swap_rate", prism_run_mean(&row->swap)));
    PRISM_TRY(prism_member_close(out, "},"));
  }
  return prism_member_close(out, "],");
}

/* The newest events, oldest first. */
static prism_status_t add_events(const prism_serve_run_t *run, prism_text_t *out) {
  int64_t all = run->counted[PRISM_RECORD_EVENT];
  PRISM_TRY(prism_text_add(out, "\"events\":["));
  for (int64_t i = all > PRISM_SERVE_EVENTS ? all - PRISM_SERVE_EVENTS : 0; i < all; ++i)
    PRISM_TRY(
        prism_member_record(out, PRISM_RECORD_EVENT, &run->event[i % PRISM_SERVE_EVENTS]));
  return prism_member_close(out, "],");
}

/* What changes while the run goes on: members; a comma follows. */
static prism_status_t add_state(const prism_serve_run_t *run, prism_text_t *out) {
  const prism_run_stats_t *stats = &run->stats;
  const bool any = stats->best_colors > 0;
  double time = run->has_result ? run->result.time : stats->last_t;
  PRISM_TRY(prism_member_text(out, "state", prism_monitor_life(run->life)));
  PRISM_TRY(prism_member_text(out, "trouble", run->trouble));
  PRISM_TRY(prism_member_real(out, "time", time));
  PRISM_TRY(prism_member_whole(out, "best_colors", any ? stats->best_colors : -1));
  PRISM_TRY(prism_member_real(out, "best_t", any ? stats->best_t : NAN));
  PRISM_TRY(prism_member_whole(out, "metrics", run->counted[PRISM_RECORD_METRIC]));
  PRISM_TRY(prism_member_whole(out, "gpu", run->counted[PRISM_RECORD_GPU]));
  PRISM_TRY(prism_member_whole(out, "solutions", run->counted[PRISM_RECORD_SOLUTION]));
  PRISM_TRY(prism_member_whole(out, "migrations", run->counted[PRISM_RECORD_MIGRATION]));
  PRISM_TRY(prism_text_add(out, "\"ranks\":["));
  for (int32_t i = 0; i < stats->ranks; ++i)
    if (stats->rank[i].records > 0) PRISM_TRY(add_rank(run, i, out));
  PRISM_TRY(prism_member_close(out, "],"));
  PRISM_TRY(add_phases(stats, out));
  PRISM_TRY(add_events(run, out));
  PRISM_TRY(prism_text_add(out, "\"result\":"));
  if (!run->has_result) return prism_text_add(out, "null,");
  return prism_member_record(out, PRISM_RECORD_SUMMARY, &run->result);
}

/* ---- What is settled ----------------------------------------------------------------- */

static prism_status_t add_pairs(const char *name, const prism_attribute_t *pair, int32_t count,
                                prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "\"%s\":{", name));
  for (int32_t i = 0; i < count; ++i)
    PRISM_TRY(prism_member_text(out, pair[i].name, pair[i].value));
  return prism_member_close(out, "},");
}

prism_status_t prism_serve_json_run(const prism_serve_run_t *run, prism_text_t *out) {
  const prism_run_head_t *head = prism_run_head(run->reader);
  const char *path = prism_run_path(run->reader), *slash = strrchr(path, '/');
  PRISM_TRY(prism_text_add(out, "{"));
  PRISM_TRY(prism_member_text(out, "run", slash != NULL ? slash + 1 : path));
  PRISM_TRY(prism_member_whole(out, "schema_version", head->schema_version));
  PRISM_TRY(prism_member_text(out, "created", head->created));
  /* A text: numbers of a browser lose digits beyond 2^53. */
  PRISM_TRY(prism_text_add(out, "\"seed\":"));
  if (head->has_seed)
    PRISM_TRY(prism_text_add(out, "\"%" PRIu64 "\",", head->seed));
  else
    PRISM_TRY(prism_text_add(out, "null,"));
  PRISM_TRY(prism_member_graph(out, head));
  PRISM_TRY(add_state(run, out));
  PRISM_TRY(add_pairs("config", head->setting, head->settings, out));
  PRISM_TRY(add_pairs("build", head->build, head->builds, out));
  return prism_member_close(out, "}\n");
}

prism_status_t prism_serve_json_solutions(const prism_serve_run_t *run, prism_text_t *out) {
  const prism_solution_row_t *row = run->solutions;
  PRISM_TRY(prism_text_add(out, "{\"solutions\":["));
  for (int64_t i = 0; i < run->counted[PRISM_RECORD_SOLUTION]; ++i)
    PRISM_TRY(prism_member_record(out, PRISM_RECORD_SOLUTION, &row[i]));
  PRISM_TRY(prism_member_close(out, "],"));
  if (run->classes.count == 0) return prism_text_add(out, "\"class_sizes\":null}\n");
  PRISM_TRY(prism_text_add(out, "\"class_sizes\":["));
  for (int32_t i = 0; i < run->classes.count; ++i)
    PRISM_TRY(prism_text_add(out, "[%" PRId32 ",%" PRId32 "],", run->classes.row[i].vertices,
                             run->classes.row[i].classes));
  return prism_member_close(out, "]}\n");
}

prism_status_t prism_serve_json_migrations(const prism_serve_run_t *run, prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "{\"migrations\":["));
  for (int32_t i = 0; i < run->routes.count; ++i) {
    const prism_serve_route_t *route = &run->routes.route[i];
    PRISM_TRY(prism_text_add(out, "{"));
    PRISM_TRY(prism_member_whole(out, "from_rank", route->from));
    PRISM_TRY(prism_member_whole(out, "to_rank", route->to));
    PRISM_TRY(prism_member_whole(out, "offered", route->offered));
    PRISM_TRY(prism_member_whole(out, "accepted", route->accepted));
    PRISM_TRY(prism_member_close(out, "},"));
  }
  PRISM_TRY(prism_member_close(out, "],"));
  PRISM_TRY(prism_member_whole(out, "left_out", run->routes.left_out));
  return prism_member_close(out, "}\n");
}

/* ---- Curves ----------------------------------------------------------------- */

/* [rank, t, k, best, fewest conflicts, most conflicts]; a comma follows. */
static prism_status_t add_point(const prism_serve_point_t *point, prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "[%" PRId32 ",", point->rank));
  PRISM_TRY(prism_jsonl_number(point->t, out));
  return prism_text_add(out, ",%" PRId32 ",%" PRId32 ",%" PRId64 ",%" PRId64 "],", point->colors,
                        point->best, point->low, point->high);
}

prism_status_t prism_serve_json_convergence(const prism_serve_run_t *run, prism_text_t *out) {
  prism_serve_place_t place = {run->generation, run->counted[PRISM_RECORD_METRIC]};
  PRISM_TRY(prism_text_add(out, "{\"place\":\""));
  PRISM_TRY(prism_serve_place_add(&place, out));
  PRISM_TRY(prism_text_add(out, "\",\"longest\":%" PRId32 ",\"points\":[", run->longest));
  for (int32_t i = 0; i < run->ranks; ++i)
    for (int32_t j = 0; j < run->series[i].count; ++j)
      PRISM_TRY(add_point(&run->series[i].point[j], out));
  return prism_member_close(out, "]}\n");
}

/* ---- Rows of tables ------------------------------------------------------------ */

static double time_of(prism_record_kind_t kind, const void *row) {
  return kind == PRISM_RECORD_GPU ? ((const prism_gpu_t *)row)->t
                                  : ((const prism_metric_t *)row)->t;
}

/* Rows of one piece of a table. [in,out] at  the next row; limit  rows that may still come. */
static prism_status_t add_piece(const prism_serve_run_t *run, const prism_serve_query_t *query,
                                char *room, int64_t *at, int64_t *limit, prism_text_t *out) {
  const prism_record_kind_t kind = query->kind;
  const int64_t all = run->counted[kind], first = *at;
  int64_t end = (first / PRISM_SERVE_PIECE + 1) * PRISM_SERVE_PIECE;
  if (end > all) end = all;
  if (kind == PRISM_RECORD_METRIC && run->latest_t[first / PRISM_SERVE_PIECE] < query->since) {
    *at = end;
    return PRISM_OK;
  }
  PRISM_TRY(prism_run_read(run->reader, kind, first, end - first, room));
  for (; *at < end && *limit > 0; ++*at) {
    const void *row = room + (size_t)(*at - first) * prism_record_table(kind)->bytes;
    if (time_of(kind, row) < query->since) continue;
    PRISM_TRY(prism_member_record(out, kind, row));
    --*limit;
  }
  return PRISM_OK;
}

prism_status_t prism_serve_json_rows(const prism_serve_run_t *run,
                                     const prism_serve_query_t *query, prism_text_t *out) {
  const int64_t all = run->counted[query->kind];
  int64_t at = query->from, limit = query->limit;
  char *room = NULL;
  PRISM_TRY(PRISM_ALLOC(PRISM_SERVE_PIECE * prism_record_table(query->kind)->bytes, &room));
  prism_status_t status = prism_text_add(
      out, query->kind == PRISM_RECORD_GPU ? "{\"gpu\":[" : "{\"metrics\":[");
  while (status == PRISM_OK && at < all && limit > 0)
    status = add_piece(run, query, room, &at, &limit, out);
  if (status == PRISM_OK) status = prism_member_close(out, "],");
  if (status == PRISM_OK)
    status = prism_text_add(out, "\"next\":%" PRId64 ",\"more\":%s}\n", at,
                            at < all ? "true" : "false");
  prism_free(room);
  return status;
}

/* ---- Followers ----------------------------------------------------------------- */

prism_status_t prism_serve_place_add(const prism_serve_place_t *place, prism_text_t *out) {
  return prism_text_add(out, "%" PRId64 ".%" PRId64, place->generation, place->metrics);
}

/* Digits at the front. */
static bool take_whole(const char **text, int64_t *out) {
  int64_t value = 0;
  const char *c = *text;
  for (; *c >= '0' && *c <= '9'; ++c) {
    if (value > (INT64_MAX - 9) / 10) return false;
    value = 10 * value + (*c - '0');
  }
  if (c == *text) return false;
  *text = c;
  *out = value;
  return true;
}

bool prism_serve_place_parse(const char *text, prism_serve_place_t *place) {
  prism_serve_place_t read = {0, 0};
  if (!take_whole(&text, &read.generation) || *text != '.') return false;
  ++text;
  if (!take_whole(&text, &read.metrics) || *text != '\0') return false;
  *place = read;
  return true;
}

prism_status_t prism_serve_json_message(const prism_serve_run_t *run, prism_serve_place_t *place,
                                        prism_text_t *out) {
  const int64_t all = run->counted[PRISM_RECORD_METRIC];
  if (place->generation == 0) *place = (prism_serve_place_t){run->generation, all};
  const bool lost = place->generation != run->generation || place->metrics > all ||
                    all - place->metrics > PRISM_SERVE_RECENT;
  const int64_t first = place->metrics;
  *place = (prism_serve_place_t){run->generation, all};
  PRISM_TRY(prism_text_add(out, "id: "));
  PRISM_TRY(prism_serve_place_add(place, out));
  if (lost) return prism_text_add(out, "\nevent: reset\ndata: {}\n\n");
  PRISM_TRY(prism_text_add(out, "\nevent: look\ndata: {"));
  PRISM_TRY(add_state(run, out));
  PRISM_TRY(prism_text_add(out, "\"points\":["));
  for (int64_t i = first; i < all; ++i)
    PRISM_TRY(add_point(&run->recent[i % PRISM_SERVE_RECENT], out));
  return prism_member_close(out, "]}\n\n");
}
