#include "app/serve_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

static const double LIFE_SECONDS = 1.0; /* between two questions whether the run goes on */
enum {
  MOST_FAILURES = 5,      /* of looks in a row before they are told */
  MOST_POINTS = 16384,    /* of all ranks together, roughly */
  FEWEST_POINTS = 64,     /* of one rank */
  MOST_SERIES = 4096      /* ranks with a curve */
};

/* ---- Curves ----------------------------------------------------------------- */

static int64_t fewer(int64_t a, int64_t b) {
  if (a < 0 || b < 0) return a < 0 ? b : a;
  return a < b ? a : b;
}

/* What comes later joins a point. */
static void join(prism_serve_point_t *point, const prism_serve_point_t *later) {
  int64_t low = fewer(point->low, later->low);
  int64_t high = point->high > later->high ? point->high : later->high;
  *point = *later;
  point->low = low;
  point->high = high;
}

static void halve(prism_serve_series_t *series) {
  int32_t kept = 0;
  for (int32_t i = 0; i < series->count; i += 2) {
    prism_serve_point_t point = series->point[i];
    if (i + 1 < series->count) join(&point, &series->point[i + 1]);
    series->point[kept++] = point;
  }
  if (series->count % 2 == 0) series->filled += series->stride;
  series->count = kept;
  series->stride *= 2;
}

static prism_status_t add_to_series(prism_serve_series_t *series, const prism_serve_point_t *point,
                                    int32_t longest) {
  if (series->stride == 0) series->stride = series->filled = 1;
  if (series->count > 0 && series->filled < series->stride) {
    join(&series->point[series->count - 1], point);
    ++series->filled;
    return PRISM_OK;
  }
  if (series->count == longest) {
    halve(series);
    if (series->filled < series->stride) return add_to_series(series, point, longest);
  }
  if (series->count == series->capacity) {
    int32_t capacity = series->capacity > 0 ? 2 * series->capacity : FEWEST_POINTS;
    PRISM_TRY(PRISM_GROW(&series->point, series->capacity, capacity));
    series->capacity = capacity;
  }
  series->point[series->count++] = *point;
  series->filled = 1;
  return PRISM_OK;
}

static prism_status_t add_point(prism_serve_run_t *run, const prism_serve_point_t *point) {
  if (point->rank < 0 || point->rank >= MOST_SERIES) return PRISM_OK;
  if (point->rank >= run->ranks) {
    int32_t more = point->rank + 1;
    PRISM_TRY(PRISM_GROW(&run->series, run->ranks, more));
    memset(run->series + run->ranks, 0, (size_t)(more - run->ranks) * sizeof *run->series);
    run->ranks = more;
  }
  return add_to_series(&run->series[point->rank], point, run->longest);
}

/* ---- Rows ----------------------------------------------------------------- */

static prism_status_t count_metric(prism_serve_run_t *run, int64_t at, const prism_metric_t *row) {
  int64_t piece = at / PRISM_SERVE_PIECE;
  if (piece >= run->pieces) {
    PRISM_TRY(PRISM_GROW(&run->latest_t, run->pieces, piece + 1));
    run->pieces = piece + 1;
    run->latest_t[piece] = -INFINITY;
  }
  run->latest_t[piece] = isnan(row->t) ? INFINITY : fmax(run->latest_t[piece], row->t);
  prism_serve_point_t point = {.t = row->t,
                               .rank = row->rank,
                               .colors = row->colors,
                               .best = row->best_colors,
                               .low = row->conflicts,
                               .high = row->conflicts};
  PRISM_TRY(add_point(run, &point));
  run->recent[at % PRISM_SERVE_RECENT] = point;
  return PRISM_OK;
}

static prism_status_t count_row(prism_serve_run_t *run, prism_record_kind_t kind, int64_t at,
                                const void *row) {
  if (kind == PRISM_RECORD_METRIC) PRISM_TRY(count_metric(run, at, row));
  if (kind == PRISM_RECORD_MIGRATION) PRISM_TRY(prism_serve_routes_add(&run->routes, row));
  if (kind == PRISM_RECORD_EVENT)
    memcpy(&run->event[at % PRISM_SERVE_EVENTS], row, sizeof run->event[0]);
  if (kind == PRISM_RECORD_SUMMARY) {
    memcpy(&run->result, row, sizeof run->result);
    run->has_result = true;
  }
  return prism_run_stats_add(&run->stats, kind, row);
}

/* New rows of a kind, piece by piece: those of a long run would fill the memory. */
static prism_status_t take_kind(prism_serve_run_t *run, prism_record_kind_t kind, char *room) {
  const size_t bytes = prism_record_table(kind)->bytes;
  const int64_t all = prism_run_rows(run->reader, kind);
  while (run->counted[kind] < all) {
    int64_t first = run->counted[kind];
    int64_t count = all - first < PRISM_SERVE_PIECE ? all - first : PRISM_SERVE_PIECE;
    PRISM_TRY(prism_run_read(run->reader, kind, first, count, room));
    for (int64_t i = 0; i < count; ++i) {
      PRISM_TRY(count_row(run, kind, first + i, room + (size_t)i * bytes));
      ++run->counted[kind];
    }
    ++run->version;
  }
  return PRISM_OK;
}

static prism_status_t take(prism_serve_run_t *run) {
  size_t bytes = 0;
  bool any = false;
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) {
    const size_t row = prism_record_table((prism_record_kind_t)kind)->bytes;
    if (row > bytes) bytes = row;
    if (run->counted[kind] < prism_run_rows(run->reader, (prism_record_kind_t)kind)) any = true;
  }
  if (!any) return PRISM_OK;
  char *room = NULL;
  PRISM_TRY(PRISM_ALLOC(PRISM_SERVE_PIECE * bytes, &room));
  const int64_t before = run->counted[PRISM_RECORD_SOLUTION];
  int64_t solutions = before;
  prism_status_t status =
      prism_run_read_new(run->reader, PRISM_RECORD_SOLUTION, &run->solutions, &solutions);
  if (status == PRISM_OK && solutions > before)
    status = prism_serve_classes_read(&run->classes, run->reader, run->solutions, solutions);
  for (int kind = 0; kind < PRISM_RECORD_COUNT && status == PRISM_OK; ++kind)
    status = take_kind(run, (prism_record_kind_t)kind, room);
  prism_free(room);
  return status;
}

/* ---- Opening ----------------------------------------------------------------- */

static void release(prism_serve_run_t *run) {
  for (int32_t i = 0; i < run->ranks; ++i) prism_free(run->series[i].point);
  prism_free(run->series);
  prism_free(run->latest_t);
  prism_free(run->solutions);
  prism_free(run->classes.row);
  prism_free(run->routes.route);
  prism_run_stats_release(&run->stats);
  prism_run_close(&run->reader);
  prism_free(run->path);
}

void prism_serve_run_close(prism_serve_run_t **run) {
  if (*run == NULL) return;
  release(*run);
  prism_free(*run);
  *run = NULL;
}

static int64_t milliseconds(void) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static prism_status_t start(prism_serve_run_t *run, const char *path) {
  struct stat info = {0};
  PRISM_TRY(prism_string_format(&run->path, "%s", path));
  /* Asked before the opening: a file that comes in between is met at the next look. */
  bool there = stat(path, &info) == 0;
  PRISM_TRY(prism_run_open(path, run->source, &run->reader));
  if (strcmp(path, prism_run_path(run->reader)) != 0) /* the .jsonl beside it */
    there = stat(prism_run_path(run->reader), &info) == 0;
  if (there) {
    run->device = info.st_dev;
    run->inode = info.st_ino;
  }
  int32_t ranks = prism_run_head(run->reader)->ranks;
  int32_t longest = MOST_POINTS / (ranks > 0 ? ranks : 1);
  run->longest = longest > PRISM_SERVE_LONGEST ? PRISM_SERVE_LONGEST
                 : longest < FEWEST_POINTS     ? FEWEST_POINTS
                                               : longest;
  prism_run_stats_begin(&run->stats, prism_run_head(run->reader));
  run->generation = milliseconds();
  run->life = prism_run_life(run->reader);
  return take(run);
}

prism_status_t prism_serve_run_open(const char *path, prism_run_source_t source,
                                    prism_serve_run_t **out) {
  prism_serve_run_t *run = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &run));
  run->source = source;
  prism_status_t status = start(run, path);
  if (status != PRISM_OK) prism_serve_run_close(&run);
  *out = run;
  return status;
}

/* ---- Looking ----------------------------------------------------------------- */

static bool was_replaced(const prism_serve_run_t *run) {
  struct stat info;
  return stat(prism_run_path(run->reader), &info) == 0 &&
         (info.st_dev != run->device || info.st_ino != run->inode);
}

/* The compressed form of a run's file has the same rows in the same order. */
static bool is_same_run(const prism_serve_run_t *run, const prism_serve_run_t *other) {
  const prism_run_head_t *a = prism_run_head(run->reader), *b = prism_run_head(other->reader);
  return a->created[0] != '\0' && strcmp(a->created, b->created) == 0 && a->seed == b->seed &&
         strcmp(a->graph_hash, b->graph_hash) == 0 &&
         run->counted[PRISM_RECORD_METRIC] <= other->counted[PRISM_RECORD_METRIC];
}

/* Take up the file that has the name now; while that fails, what is known stays. */
static prism_status_t take_up(prism_serve_run_t *run) {
  prism_serve_run_t *fresh = NULL;
  PRISM_TRY(prism_serve_run_open(run->path, run->source, &fresh));
  if (is_same_run(run, fresh))
    fresh->generation = run->generation;
  else if (fresh->generation <= run->generation)
    fresh->generation = run->generation + 1;
  fresh->version = run->version + 1;
  release(run);
  memcpy(run, fresh, sizeof *run);
  prism_free(fresh);
  return PRISM_OK;
}

static void note(prism_serve_run_t *run, const char *trouble) {
  if (strcmp(run->trouble, trouble) == 0) return;
  snprintf(run->trouble, sizeof run->trouble, "%s", trouble);
  ++run->version;
}

void prism_serve_run_look(prism_serve_run_t *run) {
  prism_status_t status = PRISM_OK;
  /* First whether it goes on, then the rows: what was written last is seen. */
  if (prism_clock_now() >= run->ask_at) {
    if (was_replaced(run) || run->failures >= MOST_FAILURES) status = take_up(run);
    prism_run_life_t life = prism_run_life(run->reader);
    if (life != run->life) ++run->version;
    run->life = life;
    run->ask_at = prism_clock_now() + LIFE_SECONDS;
  }
  /* A .jsonl may begin anew under the same name, a run file that has ended stays as it is. */
  const bool may_change = !run->has_result || prism_run_source(run->reader) == PRISM_RUN_JSONL;
  if (status == PRISM_OK && may_change) {
    status = prism_run_refresh(run->reader);
    if (status == PRISM_OK) status = take(run);
  }
  if (status == PRISM_OK) {
    run->failures = 0;
    note(run, "");
  } else if (++run->failures >= MOST_FAILURES) {
    note(run, prism_error_text());
  }
  prism_error_clear();
}
