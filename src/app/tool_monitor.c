/* prism monitor: what a run does, or did. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/find_run.h"
#include "app/monitor.h"
#include "app/print.h"
#include "app/serve.h"
#include "app/tool.h"
#include "base/clock.h"
#include "base/mem.h"
#include "solve/jsonl.h"

static const char help[] =
    "Usage: prism monitor [OPTIONS] [RUN]\n"
    "\n"
    "Shows a run: a file (X.h5, X.jsonl), its stem X, or a folder, whose newest run it takes.\n"
    "Without RUN, the newest of prism-runs/. Runs that have ended, go on or were killed.\n"
    "\n"
    "  (none)      a line for each metric: [PHASE][mode][stream=N] step | colors=K conflicts=F |\n"
    "              time since the rank's line before; [rank=R] where there are several\n"
    "  --tail      the same, and go on until the run ends\n"
    "  --summary   tables: the run, its phases, its ranks, the best colors over time\n"
    "  --live      full screen, kept up to date; q ends it\n"
    "  --serve A   a page for the browser at address A: 8080, 127.0.0.1:8080, [::1]:8080.\n"
    "              A port alone is for this machine only. Ctrl-C ends it\n"
    "  --phase P   only this phase (name or tag)\n"
    "  --rank R    only this rank\n"
    "  --since T   only from T seconds after the start on; -T: the last T seconds\n"
    "  --json      metrics as JSON Lines, the summary as one JSON object\n"
    "  --jsonl     read the .jsonl instead of the run file, as is done by itself while a run\n"
    "              goes on on a network file system\n";

static const double LOOK_SECONDS = 0.2; /* between two looks at a run that goes on */
static const double LIFE_SECONDS = 1.0; /* between two questions whether it still does */
enum { MOST_FAILURES = 10 };            /* of looks in a row */

typedef enum view { VIEW_LINES, VIEW_TAIL, VIEW_SUMMARY, VIEW_LIVE } view_t;

typedef struct request {
  const char *run;
  const char *serve; /* address; NULL: no page */
  view_t view;
  bool jsonl;
  prism_monitor_t monitor;
} request_t;

/* ---- Lines ----------------------------------------------------------------- */

static prism_status_t print_rows(prism_monitor_t *monitor, int64_t from) {
  enum { PIECE = 1 << 16 };
  const prism_metric_t *row = prism_monitor_metrics(monitor);
  prism_text_t text = {0};
  prism_status_t status = PRISM_OK;
  for (int64_t i = from; i < monitor->have[PRISM_RECORD_METRIC] && status == PRISM_OK; ++i) {
    if (!prism_monitor_wants(monitor, PRISM_RECORD_METRIC, &row[i])) continue;
    status = monitor->json ? prism_jsonl_record(PRISM_RECORD_METRIC, &row[i], &text)
                           : prism_monitor_line(monitor, &row[i], &text);
    if (status != PRISM_OK || text.length < PIECE) continue;
    status = prism_print_text(&text);
    text.length = 0;
  }
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

/* Why no more lines come. */
static void tell_end(const prism_monitor_t *monitor, prism_run_life_t life) {
  const char *path = prism_run_path(monitor->reader);
  const prism_summary_row_t *result = prism_monitor_result(monitor);
  char reason[64];
  if (result != NULL)
    fprintf(stderr, "prism: %s has ended (%s) with %d colors\n", path,
            prism_monitor_clean(result->exit_reason, reason, sizeof reason), result->colors);
  else if (life == PRISM_RUN_KILLED)
    fprintf(stderr, "prism: %s was killed; prism repair makes an ordinary file of it\n", path);
  else if (life == PRISM_RUN_UNKNOWN)
    fprintf(stderr, "prism: %s has no end, and nothing tells whether it goes on\n", path);
  else
    fprintf(stderr, "prism: %s ends here, without a result\n", path);
}

static prism_status_t follow(prism_monitor_t *monitor) {
  int64_t shown = 0;
  int failures = 0;
  double ask_at = 0.0;
  prism_run_life_t life = PRISM_RUN_LIVE;
  for (;;) {
    /* First whether it goes on, then the look: what was written last is seen. */
    if (prism_clock_now() >= ask_at) {
      life = prism_run_life(monitor->reader);
      ask_at = prism_clock_now() + LIFE_SECONDS;
    }
    prism_status_t status = prism_run_refresh(monitor->reader);
    if (status == PRISM_OK) status = prism_monitor_take(monitor);
    /* A reader beside a writer may meet it in the middle of something. */
    failures = status == PRISM_OK ? 0 : failures + 1;
    if (failures == MOST_FAILURES || (failures > 0 && life != PRISM_RUN_LIVE)) return status;
    if (failures == 0) {
      PRISM_TRY(print_rows(monitor, shown));
      shown = monitor->have[PRISM_RECORD_METRIC];
      if (prism_monitor_result(monitor) != NULL || life != PRISM_RUN_LIVE) {
        tell_end(monitor, life);
        return PRISM_OK;
      }
    }
    prism_clock_sleep(LOOK_SECONDS);
  }
}

/* A choice that leaves nothing is more often a slip than a question. */
static void tell_empty(const prism_monitor_t *monitor) {
  const prism_run_stats_t *stats = &monitor->stats;
  for (int32_t i = 0; i < stats->ranks; ++i)
    if (stats->rank[i].records > 0) return;
  fprintf(stderr, "prism: no record of %s%s\n", prism_run_path(monitor->reader),
          monitor->have[PRISM_RECORD_METRIC] > 0 ? " is among those asked for" : " is there yet");
}

static prism_status_t show(request_t *request) {
  prism_monitor_t *monitor = &request->monitor;
  prism_text_t text = {0};
  prism_status_t status = PRISM_OK;
  if (request->view == VIEW_LINES || request->view == VIEW_SUMMARY) tell_empty(monitor);
  switch (request->view) {
    case VIEW_LINES:
      return print_rows(monitor, 0);
    case VIEW_TAIL:
      return follow(monitor);
    case VIEW_LIVE:
      return prism_monitor_live(monitor);
    case VIEW_SUMMARY:
      status = prism_monitor_summary(monitor, &text);
      if (status == PRISM_OK) status = prism_print_text(&text);
      prism_text_free(&text);
      return status;
  }
  return PRISM_OK;
}

static prism_status_t open_and_show(request_t *request) {
  char *path = NULL;
  prism_monitor_t *monitor = &request->monitor;
  PRISM_TRY(prism_find_run(request->run, &path));
  const prism_run_source_t source = request->jsonl ? PRISM_RUN_JSONL : PRISM_RUN_AUTO;
  prism_status_t status = request->serve != NULL ? prism_serve(request->serve, path, source)
                                                 : prism_run_open(path, source, &monitor->reader);
  prism_free(path);
  if (request->serve != NULL) return status;
  if (status == PRISM_OK) {
    prism_run_stats_begin(&monitor->stats, prism_run_head(monitor->reader));
    status = prism_monitor_take(monitor);
  }
  if (status == PRISM_OK) status = show(request);
  int64_t skipped = monitor->reader != NULL ? prism_run_skipped(monitor->reader) : 0;
  if (skipped > 0)
    fprintf(stderr, "prism: %" PRId64 " lines of %s are no records and were left out\n", skipped,
            prism_run_path(monitor->reader));
  prism_monitor_release(monitor);
  return status;
}

/* ---- Arguments ----------------------------------------------------------------- */

/* Whole text as a finite number. */
static bool read_number(const char *text, double *out) {
  char *end = NULL;
  *out = strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*out);
}

/* An option with a value; 0, or the exit code of a usage error. */
static int take_value(request_t *request, const char *option, const char *value) {
  prism_monitor_t *monitor = &request->monitor;
  double number = 0.0;
  if (value == NULL) return prism_tool_usage("monitor: %s needs a value", option);
  if (strcmp(option, "--phase") == 0) {
    monitor->phase = value;
    return 0;
  }
  if (strcmp(option, "--serve") == 0) {
    request->serve = value;
    return 0;
  }
  if (!read_number(value, &number))
    return prism_tool_usage("monitor: %s %s: not a number", option, value);
  if (strcmp(option, "--since") == 0) {
    monitor->since = number;
    return 0;
  }
  if (number < 0.0 || number > INT32_MAX || number != floor(number))
    return prism_tool_usage("monitor: --rank %s: ranks are whole numbers from 0", value);
  monitor->rank = (int32_t)number;
  return 0;
}

static bool take_flag(request_t *request, const char *argument, int *views) {
  static const struct {
    const char *name;
    view_t view;
  } flags[] = {{"--tail", VIEW_TAIL}, {"--summary", VIEW_SUMMARY}, {"--live", VIEW_LIVE}};
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
    if (strcmp(argument, flags[i].name) != 0) continue;
    request->view = flags[i].view;
    ++*views;
    return true;
  }
  if (strcmp(argument, "--json") == 0) return request->monitor.json = true;
  if (strcmp(argument, "--jsonl") == 0) return request->jsonl = true;
  return false;
}

static bool is_narrowed(const prism_monitor_t *monitor) {
  return monitor->phase != NULL || monitor->rank >= 0 || monitor->since != 0.0 || monitor->json;
}

int prism_tool_monitor(int argc, char *const *argv) {
  request_t request = {.view = VIEW_LINES, .monitor = {.rank = -1}};
  int views = 0;
  for (int i = 1; i < argc; ++i) {
    const char *argument = argv[i];
    if (prism_tool_is_help(argument)) return prism_tool_help(help);
    if (take_flag(&request, argument, &views)) continue;
    if (strcmp(argument, "--phase") == 0 || strcmp(argument, "--rank") == 0 ||
        strcmp(argument, "--since") == 0 || strcmp(argument, "--serve") == 0) {
      int refused = take_value(&request, argument, i + 1 < argc ? argv[i + 1] : NULL);
      if (refused != 0) return refused;
      ++i;
    } else if (argument[0] == '-') {
      return prism_tool_unknown_option("monitor", argument);
    } else if (request.run != NULL) {
      return prism_tool_usage("monitor shows one run");
    } else {
      request.run = argument;
    }
  }
  if (views + (request.serve != NULL) > 1)
    return prism_tool_usage("monitor: one of --tail, --summary, --live and --serve");
  if (request.serve != NULL && is_narrowed(&request.monitor))
    return prism_tool_usage("monitor: --serve shows the whole run; no --phase, --rank, --since, "
                            "--json");
  prism_status_t status = open_and_show(&request);
  return status == PRISM_OK ? 0 : prism_tool_fail(status);
}
