/* prism repair: an ordinary file of what a killed run has left. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/find_run.h"
#include "app/print.h"
#include "app/tool.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "solve/run_reader.h"
#include "solve/run_rewrite.h"

static const char help[] =
    "Usage: prism repair RUN.h5 [-o OUT.h5 | --in-place] [--force]\n"
    "\n"
    "Copies every row that a killed run had flushed into a fresh, compressed HDF5 file that any\n"
    "program opens. RUN.h5 itself is only read, unless --in-place asks for it to be replaced.\n"
    "\n"
    "  -o OUT.h5   default: RUN.repaired.h5\n"
    "  --in-place  put the new file in the old one's place, once it is whole\n"
    "  --force     overwrite OUT.h5; replace RUN.h5 where nothing tells whether its run goes on\n"
    "\n"
    "A run that goes on is refused. One that was closed in order needs no repair; with -o or\n"
    "--in-place it is compressed.\n";

typedef struct request {
  const char *run, *output;
  bool in_place, force;
} request_t;

static prism_status_t add_report(const prism_run_rescue_t *rescue, const char *path,
                                 prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "%s: ", path));
  const char *before = "";
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) {
    const char *table = prism_record_table((prism_record_kind_t)kind)->path;
    if (rescue->rows[kind] < 0) continue;
    PRISM_TRY(prism_text_add(out, "%s%" PRId64 " rows of %s", before, rescue->rows[kind], table));
    before = ", ";
  }
  if (rescue->lost > 0)
    PRISM_TRY(prism_text_add(out, "; %" PRId64 " rows could not be read any more", rescue->lost));
  return prism_text_add(out, "\n");
}

static prism_status_t report(const prism_run_rescue_t *rescue, const char *path) {
  prism_text_t text = {0};
  prism_status_t status = add_report(rescue, path, &text);
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

/* Write OUT.tmp, then rename: OUT is never half a file. */
static prism_status_t write_output(const char *run, const char *output) {
  char *temporary = NULL, now[32];
  prism_run_rescue_t rescue;
  prism_clock_iso8601(now, sizeof now);
  PRISM_TRY(prism_string_format(&temporary, "%s.tmp", output));
  prism_status_t status = prism_run_rewrite(run, temporary, now, &rescue);
  if (status == PRISM_OK && rename(temporary, output) != 0) {
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__, "%s: %s", output,
                                strerror(errno));
    unlink(temporary);
  }
  prism_free(temporary);
  if (status == PRISM_OK) status = prism_file_sync_folder(output);
  if (status == PRISM_OK) status = report(&rescue, output);
  return status;
}

/* Refuse what must not be read as a whole; [out] needed  is there anything to repair? */
static prism_status_t check_run(const request_t *request, const char *run, bool *needed) {
  prism_run_reader_t *reader = NULL;
  PRISM_TRY(prism_run_open(run, PRISM_RUN_H5, &reader));
  prism_run_life_t life = prism_run_life(reader);
  prism_run_close(&reader);
  *needed = life != PRISM_RUN_ENDED;
  if (life == PRISM_RUN_LIVE)
    PRISM_FAIL(PRISM_INVALID, "%s is being written by a run that goes on; prism monitor shows it",
               run);
  if (life == PRISM_RUN_UNKNOWN && request->in_place && !request->force)
    PRISM_FAIL(PRISM_INVALID, "no lock beside %s tells whether its run goes on; without "
               "--in-place it is only read, --force replaces it", run);
  if (life == PRISM_RUN_UNKNOWN)
    fprintf(stderr, "prism: note: no lock beside %s tells whether its run goes on\n", run);
  return PRISM_OK;
}

static prism_status_t repair(const request_t *request, const char *run) {
  bool needed = true;
  char *output = NULL;
  if (prism_file_ends_with(run, ".jsonl"))
    PRISM_FAIL(PRISM_INVALID, "%s: a .jsonl needs no repair; name the .h5", run);
  PRISM_TRY(check_run(request, run, &needed));
  if (!needed && request->output == NULL && !request->in_place) {
    printf("%s was closed in order: there is nothing to repair\n", run);
    return PRISM_OK;
  }
  if (request->in_place) return write_output(run, run);
  int stem = (int)strlen(run) - (prism_file_ends_with(run, ".h5") ? 3 : 0);
  PRISM_TRY(request->output != NULL
                ? prism_string_format(&output, "%s", request->output)
                : prism_string_format(&output, "%.*s.repaired.h5", stem, run));
  prism_status_t status =
      !request->force && prism_file_exists(output)
          ? prism_error_record(PRISM_INVALID, __FILE__, __LINE__, __func__,
                               "%s: exists already (--force overwrites it)", output)
          : write_output(run, output);
  prism_free(output);
  return status;
}

int prism_tool_repair(int argc, char *const *argv) {
  request_t request = {0};
  for (int i = 1; i < argc; ++i) {
    const char *argument = argv[i];
    if (prism_tool_is_help(argument)) return prism_tool_help(help);
    if (strcmp(argument, "--in-place") == 0) {
      request.in_place = true;
    } else if (strcmp(argument, "--force") == 0) {
      request.force = true;
    } else if (strcmp(argument, "-o") == 0) {
      if (i + 1 == argc) return prism_tool_usage("repair: -o needs a file");
      request.output = argv[++i];
    } else if (argument[0] == '-') {
      return prism_tool_unknown_option("repair", argument);
    } else if (request.run != NULL) {
      return prism_tool_usage("repair takes one run");
    } else {
      request.run = argument;
    }
  }
  if (request.run == NULL) return prism_tool_usage("repair needs a run file");
  if (request.in_place && request.output != NULL)
    return prism_tool_usage("repair: -o or --in-place, not both");
  char *run = NULL;
  prism_status_t status = prism_find_run(request.run, &run);
  if (status == PRISM_OK) status = repair(&request, run);
  prism_free(run);
  return status == PRISM_OK ? 0 : prism_tool_fail(status);
}
