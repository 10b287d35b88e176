/* prism export: the tables of a run for those without HDF5. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/find_run.h"
#include "app/hint.h"
#include "app/print.h"
#include "app/tool.h"
#include "base/file.h"
#include "base/mem.h"
#include "solve/jsonl.h"
#include "solve/run_reader.h"

static const char help[] =
    "Usage: prism export [--csv | --json] [--table NAME] [-o FILE [--force]] [--jsonl] [RUN]\n"
    "\n"
    "Writes a table of a run (as for prism monitor: X.h5, X.jsonl, X, a folder; without RUN the\n"
    "newest of prism-runs/) to FILE or standard output.\n"
    "\n"
    "  --csv         RFC 4180, with a line of names; NaN is empty (default)\n"
    "  --json        one array with an object for each row; NaN is null\n"
    "  --table NAME  metrics (default), gpu, profile, ladder, events, migrations, solutions,\n"
    "                summary, ranks, config or build\n"
    "  --jsonl       read the .jsonl instead of the run file\n";

enum { BLOCK_ROWS = 1024, PIECE_BYTES = 1 << 20 };

typedef struct request {
  const char *run, *table, *output;
  bool json, force, jsonl;
} request_t;

/* ---- Rows --------------------------------------------------------------------- */

/* Where the text goes, piece by piece. */
typedef struct sink {
  FILE *file; /* NULL: standard output */
  const char *path;
  prism_text_t text;
} sink_t;

static prism_status_t pass_on(sink_t *sink, size_t least) {
  if (sink->text.length < least || sink->text.length == 0) return PRISM_OK;
  if (sink->file == NULL)
    PRISM_TRY(prism_print_text(&sink->text));
  else if (fwrite(sink->text.data, 1, sink->text.length, sink->file) != sink->text.length)
    PRISM_FAIL(PRISM_STORAGE, "%s: %s", sink->path, strerror(errno));
  sink->text.length = 0;
  return PRISM_OK;
}

/* A field of a CSV file: in quotes where it holds what would end it. */
static prism_status_t add_quoted(prism_text_t *out, const char *text) {
  if (strpbrk(text, ",\"\r\n") == NULL) return prism_text_add(out, "%s", text);
  PRISM_TRY(prism_text_add(out, "\""));
  for (const char *at = text; *at != '\0';) {
    size_t plain = strcspn(at, "\"");
    PRISM_TRY(prism_text_add(out, "%.*s", (int)plain, at));
    at += plain;
    if (*at == '\0') break;
    PRISM_TRY(prism_text_add(out, "\"\""));
    ++at;
  }
  return prism_text_add(out, "\"");
}

/* A value of a CSV file; only texts and what is not finite differ from JSON. */
static prism_status_t add_field(prism_text_t *out, const prism_field_t *field,
                                const char *record) {
  const char *at = record + field->offset;
  double value = 0.0;
  if (field->type == PRISM_FIELD_TEXT) return add_quoted(out, at);
  if (field->type == PRISM_FIELD_F64) memcpy(&value, at, sizeof value);
  if (isnan(value)) return PRISM_OK;
  if (isinf(value)) return prism_text_add(out, value > 0.0 ? "inf" : "-inf");
  return prism_jsonl_field(field, record, out);
}

static prism_status_t add_row(sink_t *sink, const prism_record_table_t *table, const char *record,
                              bool json, bool first) {
  prism_text_t *out = &sink->text;
  if (json) PRISM_TRY(prism_text_add(out, first ? "\n{" : ",\n{"));
  for (int32_t i = 0; i < table->field_count; ++i) {
    const prism_field_t *field = &table->field[i];
    if (json)
      PRISM_TRY(prism_text_add(out, "%s\"%s\":", i == 0 ? "" : ",", field->name));
    else if (i > 0)
      PRISM_TRY(prism_text_add(out, ","));
    PRISM_TRY(json ? prism_jsonl_field(field, record, out) : add_field(out, field, record));
  }
  PRISM_TRY(prism_text_add(out, json ? "}" : "\r\n"));
  return pass_on(sink, PIECE_BYTES);
}

static prism_status_t add_start(sink_t *sink, const prism_record_table_t *table, bool json) {
  if (json) return prism_text_add(&sink->text, "[");
  for (int32_t i = 0; i < table->field_count; ++i)
    PRISM_TRY(prism_text_add(&sink->text, "%s%s", i == 0 ? "" : ",", table->field[i].name));
  return prism_text_add(&sink->text, "\r\n");
}

static prism_status_t add_end(sink_t *sink, bool json) {
  if (json) PRISM_TRY(prism_text_add(&sink->text, "\n]\n"));
  return pass_on(sink, 0);
}

/* ---- Tables --------------------------------------------------------------------- */

static prism_status_t write_records(prism_run_reader_t *reader, prism_record_kind_t kind,
                                    bool json, sink_t *sink) {
  const prism_record_table_t *table = prism_record_table(kind);
  const int64_t all = prism_run_rows(reader, kind);
  char *rows = NULL;
  PRISM_TRY(add_start(sink, table, json));
  PRISM_TRY(prism_alloc_bytes(BLOCK_ROWS, table->bytes, (void **)&rows));
  prism_status_t status = PRISM_OK;
  for (int64_t at = 0; at < all && status == PRISM_OK; at += BLOCK_ROWS) {
    int64_t count = all - at < BLOCK_ROWS ? all - at : BLOCK_ROWS;
    status = prism_run_read(reader, kind, at, count, rows);
    for (int64_t i = 0; i < count && status == PRISM_OK; ++i)
      status = add_row(sink, table, rows + (size_t)i * table->bytes, json, at + i == 0);
  }
  prism_free(rows);
  PRISM_TRY(status);
  return add_end(sink, json);
}

static prism_status_t write_ranks(const prism_run_head_t *head, bool json, sink_t *sink) {
  const prism_record_table_t *table = prism_rank_table();
  PRISM_TRY(add_start(sink, table, json));
  for (int32_t i = 0; i < head->ranks; ++i)
    PRISM_TRY(add_row(sink, table, (const char *)&head->rank[i], json, i == 0));
  return add_end(sink, json);
}

/* Name and value; as JSON an object a pair, as in every other table. */
static prism_status_t write_pairs(const prism_attribute_t *pair, int32_t count, bool json,
                                  sink_t *sink) {
  prism_text_t *out = &sink->text;
  PRISM_TRY(prism_text_add(out, json ? "[" : "name,value\r\n"));
  for (int32_t i = 0; i < count; ++i) {
    PRISM_TRY(prism_text_add(out, "%s", !json ? "" : i == 0 ? "\n{\"name\":" : ",\n{\"name\":"));
    PRISM_TRY(json ? prism_jsonl_string(pair[i].name, SIZE_MAX, out)
                   : add_quoted(out, pair[i].name));
    PRISM_TRY(prism_text_add(out, json ? ",\"value\":" : ","));
    PRISM_TRY(json ? prism_jsonl_string(pair[i].value, SIZE_MAX, out)
                   : add_quoted(out, pair[i].value));
    PRISM_TRY(prism_text_add(out, json ? "}" : "\r\n"));
  }
  return add_end(sink, json);
}

static const struct {
  const char *name;
  prism_record_kind_t kind; /* COUNT: not a table of records */
} tables[] = {{"metrics", PRISM_RECORD_METRIC},       {"gpu", PRISM_RECORD_GPU},
              {"profile", PRISM_RECORD_PROFILE},      {"ladder", PRISM_RECORD_LADDER},
              {"events", PRISM_RECORD_EVENT},
              {"migrations", PRISM_RECORD_MIGRATION}, {"solutions", PRISM_RECORD_SOLUTION},
              {"summary", PRISM_RECORD_SUMMARY},      {"ranks", PRISM_RECORD_COUNT},
              {"config", PRISM_RECORD_COUNT},         {"build", PRISM_RECORD_COUNT}};
enum { TABLES = sizeof tables / sizeof tables[0] };

static prism_status_t write_table(prism_run_reader_t *reader, const request_t *request,
                                  sink_t *sink) {
  const prism_run_head_t *head = prism_run_head(reader);
  const char *name = request->table;
  for (int i = 0; i < TABLES; ++i)
    if (strcmp(tables[i].name, name) == 0 && tables[i].kind != PRISM_RECORD_COUNT)
      return write_records(reader, tables[i].kind, request->json, sink);
  if (strcmp(name, "ranks") == 0) return write_ranks(head, request->json, sink);
  if (strcmp(name, "config") == 0)
    return write_pairs(head->setting, head->settings, request->json, sink);
  return write_pairs(head->build, head->builds, request->json, sink);
}

/* ---- Files --------------------------------------------------------------------- */

/* FILE is there as a whole or not at all. */
static prism_status_t write_file(prism_run_reader_t *reader, const request_t *request,
                                 sink_t *sink) {
  char *temporary = NULL;
  if (!request->force && prism_file_exists(request->output))
    PRISM_FAIL(PRISM_INVALID, "%s: exists already (--force overwrites it)", request->output);
  PRISM_TRY(prism_string_format(&temporary, "%s.tmp", request->output));
  sink->path = request->output;
  sink->file = fopen(temporary, "w");
  prism_status_t status =
      sink->file != NULL
          ? write_table(reader, request, sink)
          : prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__, "%s: %s",
                               request->output, strerror(errno));
  const bool opened = sink->file != NULL;
  if (opened && fclose(sink->file) != 0 && status == PRISM_OK)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__, "%s: %s",
                                request->output, strerror(errno));
  if (status == PRISM_OK && rename(temporary, request->output) != 0)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__, "%s: %s",
                                request->output, strerror(errno));
  if (opened && status != PRISM_OK) unlink(temporary);
  prism_free(temporary);
  return status;
}

static prism_status_t export_run(const request_t *request) {
  char *path = NULL;
  prism_run_reader_t *reader = NULL;
  sink_t sink = {0};
  PRISM_TRY(prism_find_run(request->run, &path));
  prism_status_t status =
      prism_run_open(path, request->jsonl ? PRISM_RUN_JSONL : PRISM_RUN_AUTO, &reader);
  prism_free(path);
  if (status == PRISM_OK)
    status = request->output != NULL ? write_file(reader, request, &sink)
                                     : write_table(reader, request, &sink);
  if (reader != NULL && prism_run_skipped(reader) > 0)
    fprintf(stderr, "prism: %" PRId64 " lines of %s are no records and were left out\n",
            prism_run_skipped(reader), prism_run_path(reader));
  prism_text_free(&sink.text);
  prism_run_close(&reader);
  return status;
}

static int check_table(const char *name) {
  prism_hint_t hint = {0};
  for (int i = 0; i < TABLES; ++i) {
    if (strcmp(tables[i].name, name) == 0) return 0;
    prism_hint_try(&hint, name, tables[i].name);
  }
  char advice[160] = "";
  prism_hint_append(&hint, advice, sizeof advice);
  return prism_tool_usage("export: a run has no table %s%s", name,
                          advice[0] == '\0' ? "; see prism export --help" : advice);
}

int prism_tool_export(int argc, char *const *argv) {
  request_t request = {.table = "metrics"};
  bool csv = false;
  for (int i = 1; i < argc; ++i) {
    const char *argument = argv[i];
    const bool table = strcmp(argument, "--table") == 0, output = strcmp(argument, "-o") == 0;
    if (prism_tool_is_help(argument)) return prism_tool_help(help);
    if (strcmp(argument, "--csv") == 0) {
      csv = true;
    } else if (strcmp(argument, "--json") == 0) {
      request.json = true;
    } else if (strcmp(argument, "--jsonl") == 0) {
      request.jsonl = true;
    } else if (strcmp(argument, "--force") == 0) {
      request.force = true;
    } else if (table || output) {
      if (i + 1 == argc) return prism_tool_usage("export: %s needs a value", argument);
      *(table ? &request.table : &request.output) = argv[++i];
    } else if (argument[0] == '-') {
      return prism_tool_unknown_option("export", argument);
    } else if (request.run != NULL) {
      return prism_tool_usage("export takes one run");
    } else {
      request.run = argument;
    }
  }
  if (csv && request.json) return prism_tool_usage("export: --csv or --json, not both");
  int refused = check_table(request.table);
  if (refused != 0) return refused;
  prism_status_t status = export_run(&request);
  return status == PRISM_OK ? 0 : prism_tool_fail(status);
}
