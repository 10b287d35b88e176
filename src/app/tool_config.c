/* prism config: print the default parameters, check a file, show what differs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "app/print.h"
#include "app/tool.h"
#include "base/file.h"
#include "base/mem.h"
#include "solve/run_reader.h"

static const char help[] =
    "Usage: prism config           print the default parameters as an INI file\n"
    "       prism config FILE      check an INI file; errors name file and line\n"
    "       prism config --diff A  what A has other than the defaults\n"
    "       prism config [--diff] A B\n"
    "                              what differs between A and B\n"
    "\n"
    "A and B are INI files, or run files (X.h5, X.jsonl) with the parameters of their run.\n"
    "A line for each parameter that differs: section.name: value -> value.\n";

/* Values of all parameters, as text: those of the table in its order, then what only a run of
 * another version knows. */
typedef struct settings {
  prism_attribute_t *pair; /* owned, with its texts; value NULL: not there */
  int32_t count;
} settings_t;

static prism_status_t print_defaults(void) {
  prism_params_t params;
  prism_text_t text = {0};
  prism_params_default(&params);
  prism_status_t status = prism_config_format(&params, &text);
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

static prism_status_t check_file(const char *path) {
  prism_params_t params;
  prism_text_t text = {0};
  prism_params_default(&params);
  PRISM_TRY(prism_config_read(path, &params));
  prism_status_t status = prism_text_add(&text, "%s: valid\n", path);
  /* The command line may still supply what is missing. */
  if (status == PRISM_OK && prism_params_check(&params) != PRISM_OK) {
    status = prism_text_add(&text, "note: as it stands, %s\n", prism_error_text());
  }
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

/* ---- Differences ---------------------------------------------------------------------------- */

static void release(settings_t *settings) {
  for (int32_t i = 0; i < settings->count; ++i) {
    prism_free((void *)settings->pair[i].name);
    prism_free((void *)settings->pair[i].value);
  }
  prism_free(settings->pair);
  *settings = (settings_t){0};
}

static prism_status_t add(settings_t *settings, const char *name, const char *value) {
  prism_attribute_t fresh = {NULL, NULL};
  prism_status_t status = prism_string_format((char **)&fresh.name, "%s", name);
  if (status == PRISM_OK) status = prism_string_format((char **)&fresh.value, "%s", value);
  if (status != PRISM_OK) {
    prism_free((void *)fresh.name);
    return status;
  }
  settings->pair[settings->count++] = fresh;
  return PRISM_OK;
}

static prism_status_t load_params(const prism_params_t *params, settings_t *out) {
  size_t count = 0;
  const prism_param_row_t *row = prism_param_rows(&count);
  PRISM_TRY(PRISM_ALLOC_ZERO(count, &out->pair));
  for (size_t i = 0; i < count; ++i) {
    char name[128];
    prism_text_t value = {0};
    snprintf(name, sizeof name, "%s.%s", row[i].section, row[i].name);
    prism_status_t status = prism_params_format(params, &row[i], &value);
    if (status == PRISM_OK) status = add(out, name, value.data != NULL ? value.data : "");
    prism_text_free(&value);
    PRISM_TRY(status);
  }
  return PRISM_OK;
}

static prism_status_t load_run(const char *path, settings_t *out) {
  prism_run_reader_t *reader = NULL;
  PRISM_TRY(prism_run_open(path, PRISM_RUN_AUTO, &reader));
  const prism_run_head_t *head = prism_run_head(reader);
  prism_status_t status = PRISM_ALLOC_ZERO(head->settings, &out->pair);
  for (int32_t i = 0; i < head->settings && status == PRISM_OK; ++i)
    status = add(out, head->setting[i].name, head->setting[i].value);
  prism_run_close(&reader);
  return status;
}

static bool is_run(const char *path) {
  return prism_file_ends_with(path, ".h5") || prism_file_ends_with(path, ".jsonl");
}

/* [in] path  NULL: the defaults */
static prism_status_t load(const char *path, settings_t *out) {
  prism_params_t params;
  if (path != NULL && is_run(path)) return load_run(path, out);
  prism_params_default(&params);
  if (path != NULL) PRISM_TRY(prism_config_read(path, &params));
  return load_params(&params, out);
}

static const char *find(const settings_t *settings, const char *name) {
  for (int32_t i = 0; i < settings->count; ++i)
    if (strcmp(settings->pair[i].name, name) == 0) return settings->pair[i].value;
  return NULL;
}

/* A value as it is shown: an empty text could not be seen. */
static const char *shown(const char *value) {
  return value == NULL ? "(not there)" : value[0] == '\0' ? "\"\"" : value;
}

static prism_status_t compare(const settings_t *a, const settings_t *b, prism_text_t *out) {
  for (int32_t i = 0; i < a->count; ++i) {
    const char *other = find(b, a->pair[i].name);
    if (other != NULL && strcmp(other, a->pair[i].value) == 0) continue;
    PRISM_TRY(prism_text_add(out, "%s: %s -> %s\n", a->pair[i].name, shown(a->pair[i].value),
                             shown(other)));
  }
  for (int32_t i = 0; i < b->count; ++i)
    if (find(a, b->pair[i].name) == NULL)
      PRISM_TRY(prism_text_add(out, "%s: %s -> %s\n", b->pair[i].name, shown(NULL),
                               shown(b->pair[i].value)));
  return PRISM_OK;
}

/* [in] from  NULL: the defaults */
static prism_status_t print_differences(const char *from, const char *to) {
  settings_t a = {0}, b = {0};
  prism_text_t text = {0};
  prism_status_t status = load(from, &a);
  if (status == PRISM_OK) status = load(to, &b);
  if (status == PRISM_OK) status = compare(&a, &b, &text);
  if (status == PRISM_OK && text.length == 0)
    fprintf(stderr, "prism: no parameter of %s differs from %s\n", to,
            from != NULL ? from : "the defaults");
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  release(&a);
  release(&b);
  return status;
}

int prism_tool_config(int argc, char *const *argv) {
  const char *file[2] = {NULL, NULL};
  int files = 0;
  bool diff = false;
  for (int i = 1; i < argc; ++i) {
    if (prism_tool_is_help(argv[i])) return prism_tool_help(help);
    if (strcmp(argv[i], "--diff") == 0) {
      diff = true;
    } else if (argv[i][0] == '-') {
      return prism_tool_unknown_option("config", argv[i]);
    } else if (files == 2) {
      return prism_tool_usage("config takes at most two files");
    } else {
      file[files++] = argv[i];
    }
  }
  if (diff && files == 0) return prism_tool_usage("config: --diff needs a file");
  prism_status_t status;
  if (files == 2)
    status = print_differences(file[0], file[1]);
  else if (diff || (files == 1 && is_run(file[0])))
    status = print_differences(NULL, file[0]);
  else
    status = files == 1 ? check_file(file[0]) : print_defaults();
  return status == PRISM_OK ? 0 : prism_tool_fail(status);
}
