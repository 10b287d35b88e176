#include "app/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "app/hint.h"

static const char *const own_options[] = {"--config", "--print-config", "--list-devices",
                                          "--help", "--version"};

/* One argument taken apart. */
typedef struct argument {
  const char *text;
  char name[128];    /* up to the equals sign */
  const char *value; /* behind it; NULL when there is none */
} argument_t;

static prism_status_t split_argument(const char *text, argument_t *out) {
  const char *equals = strchr(text, '=');
  size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
  if (length >= sizeof out->name) {
    PRISM_FAIL(PRISM_INVALID, "unknown option %.40s...", text);
  }
  out->text = text;
  memcpy(out->name, text, length);
  out->name[length] = '\0';
  out->value = equals == NULL ? NULL : equals + 1;
  return PRISM_OK;
}

/* Row of "--section.name"; NULL when it is none. */
static const prism_param_row_t *find_long(const char *name) {
  const char *dot = strchr(name, '.');
  if (strncmp(name, "--", 2) != 0 || dot == NULL) return NULL;
  char section[128];
  snprintf(section, sizeof section, "%.*s", (int)(dot - name - 2), name + 2);
  return prism_param_find(section, dot + 1);
}

static prism_status_t unknown_option(const char *name) {
  prism_hint_t hint = {0};
  for (size_t i = 0; i < sizeof own_options / sizeof own_options[0]; ++i) {
    prism_hint_try(&hint, name, own_options[i]);
  }
  size_t rows;
  const prism_param_row_t *row = prism_param_rows(&rows);
  for (size_t i = 0; i < rows; ++i) {
    char full[128];
    snprintf(full, sizeof full, "--%s.%s", row[i].section, row[i].name);
    prism_hint_try(&hint, name, full);
    if (row[i].alias[0] != '\0') prism_hint_try(&hint, name, row[i].alias);
  }
  char advice[160] = "";
  prism_hint_append(&hint, advice, sizeof advice);
  PRISM_FAIL(PRISM_INVALID, "unknown option %s%s%s", name, advice,
             advice[0] == '\0' ? "; see --help" : "");
}

/* Value of an option: behind the equals sign or the next argument. */
static prism_status_t take_value(const argument_t *argument, int argc, char *const *argv, int *at,
                                 const char **value) {
  if (argument->value != NULL) {
    *value = argument->value;
    return PRISM_OK;
  }
  if (*at + 1 >= argc) PRISM_FAIL(PRISM_INVALID, "%s needs a value", argument->name);
  *value = argv[++*at];
  return PRISM_OK;
}

static prism_status_t set_parameter(prism_params_t *params, const prism_param_row_t *row,
                                    bool by_alias, const argument_t *argument, int argc,
                                    char *const *argv, int *at) {
  const char *value = NULL;
  if (row->type == PRISM_PARAM_FLAG && by_alias && argument->value == NULL) {
    value = strncmp(row->alias, "--no-", 5) == 0 ? "false" : "true";
  } else if (row->type == PRISM_PARAM_FLAG && by_alias && strncmp(row->alias, "--no-", 5) == 0) {
    PRISM_FAIL(PRISM_INVALID, "%s takes no value", argument->name);
  } else {
    PRISM_TRY(take_value(argument, argc, argv, at, &value));
  }
  PRISM_TRY(prism_params_set(params, row, value, "command line"));
  /* "" and 0 stand for "none" in a file; on the command line they are a mistake. */
  if (by_alias && row->type == PRISM_PARAM_TEXT && value[0] == '\0')
    PRISM_FAIL(PRISM_INVALID, "command line: %s: the name is empty", row->alias);
  bool colors = strcmp(row->alias, "-k") == 0 || strcmp(row->alias, "--target") == 0;
  if (by_alias && colors && *(const int64_t *)(const void *)((char *)params + row->offset) < 1) {
    PRISM_FAIL(PRISM_INVALID, "command line: %s: a graph needs at least 1 color", row->alias);
  }
  return PRISM_OK;
}

static prism_status_t set_graph(prism_options_t *options, const char *text) {
  if (options->graph[0] != '\0') {
    PRISM_FAIL(PRISM_INVALID, "two graphs given: %s and %s", options->graph, text);
  }
  if (text[0] == '\0') PRISM_FAIL(PRISM_INVALID, "the name of the graph is empty");
  if (strlen(text) >= sizeof options->graph) {
    PRISM_FAIL(PRISM_INVALID, "the name of the graph is longer than %zu bytes",
               sizeof options->graph - 1);
  }
  memcpy(options->graph, text, strlen(text) + 1);
  return PRISM_OK;
}

/* --help and --version count from where they stand, whatever follows. */
static bool is_final_action(const argument_t *argument, prism_options_t *options) {
  if (strcmp(argument->text, "--help") == 0 || strcmp(argument->text, "-h") == 0) {
    options->action = PRISM_ACTION_HELP;
    return true;
  }
  if (strcmp(argument->text, "--version") == 0) {
    options->action = PRISM_ACTION_VERSION;
    return true;
  }
  return false;
}

/* One pass over the arguments. The first pass (config not NULL) only looks for
 * --config, so that the file can be read before the options that beat it. */
static prism_status_t walk(int argc, char *const *argv, const char **config,
                           prism_options_t *options) {
  bool ended = false;
  for (int at = 1; at < argc; ++at) {
    const char *text = argv[at];
    if (ended || text[0] != '-' || strcmp(text, "-") == 0) {
      if (config == NULL) PRISM_TRY(set_graph(options, text));
      continue;
    }
    if (strcmp(text, "--") == 0) {
      ended = true;
      continue;
    }
    argument_t argument;
    PRISM_TRY(split_argument(text, &argument));
    if (is_final_action(&argument, options)) return PRISM_OK;
    const char *value = NULL;
    if (strcmp(argument.name, "--config") == 0) {
      PRISM_TRY(take_value(&argument, argc, argv, &at, &value));
      if (config != NULL) *config = value;
      continue;
    }
    bool print = strcmp(argument.name, "--print-config") == 0;
    if (print || strcmp(argument.name, "--list-devices") == 0) {
      if (argument.value != NULL) PRISM_FAIL(PRISM_INVALID, "%s takes no value", argument.name);
      options->action = print ? PRISM_ACTION_PRINT_CONFIG : PRISM_ACTION_LIST_DEVICES;
      continue;
    }
    const prism_param_row_t *row = prism_param_find_alias(argument.name);
    bool by_alias = row != NULL;
    if (row == NULL) row = find_long(argument.name);
    if (row == NULL) return unknown_option(argument.name);
    PRISM_TRY(set_parameter(&options->params, row, by_alias, &argument, argc, argv, &at));
  }
  return PRISM_OK;
}

/* ---- settings of a checkpoint ---- */

/* What one invocation was asked for and the next one is not. */
static bool is_passing(const prism_param_row_t *row) {
  static const char *const passing[] = {"initial", "resume", "output", "solution", "force",
                                        "json", "quiet", "verbose", "runs"};
  if (strcmp(row->section, "checkpoint") == 0) return strcmp(row->name, "file") == 0;
  if (strcmp(row->section, "run") != 0) return false;
  for (size_t i = 0; i < sizeof passing / sizeof passing[0]; ++i) {
    if (strcmp(row->name, passing[i]) == 0) return true;
  }
  return false;
}

/* Row of "section.name"; NULL when this version has none. */
static const prism_param_row_t *find_setting(const char *name) {
  char option[160];
  int length = snprintf(option, sizeof option, "--%s", name);
  return length < (int)sizeof option ? find_long(option) : NULL;
}

static prism_status_t take_settings(const prism_checkpoint_head_t *head, const char *path,
                                    prism_options_t *options) {
  char place[512];
  snprintf(place, sizeof place, "%.511s", path);
  for (int32_t i = 0; i < head->settings; ++i) {
    const prism_checkpoint_setting_t *setting = &head->setting[i];
    const prism_param_row_t *row = find_setting(setting->name);
    if (row == NULL) { /* a version that knew it wrote the file; its defaults hold here */
      snprintf(options->note, sizeof options->note,
               "%.120s: its setting %.80s is not known to this version", path, setting->name);
    } else if (!is_passing(row)) {
      PRISM_TRY(prism_params_set(&options->params, row, setting->value, place));
    }
  }
  return PRISM_OK;
}

/* Run over the file's and the user's values: -k given now replaces --target of the
 * checkpoint, and the other way round. */
enum { NOT_GIVEN = -1 };

static void settle_goal(int64_t k, int64_t target, prism_params_run_t *run) {
  bool given = run->k != NOT_GIVEN || run->target != NOT_GIVEN;
  if (run->k == NOT_GIVEN) run->k = given ? 0 : k;
  if (run->target == NOT_GIVEN) run->target = given ? 0 : target;
}

static prism_status_t settle_resume(const prism_checkpoint_head_t *head, const char *path,
                                    prism_params_t *params) {
  prism_params_run_t *run = &params->run;
  if (run->seed != 0 && run->seed != head->seed) {
    PRISM_FAIL(PRISM_INVALID, "--seed %" PRIu64 ": the run in %s has seed %" PRIu64
               " and goes on with it", run->seed, path, head->seed);
  }
  run->seed = head->seed;
  snprintf(run->resume, sizeof run->resume, "%s", path);
  prism_params_checkpoint_t *checkpoint = &params->checkpoint;
  if (checkpoint->enabled && checkpoint->file[0] == '\0')
    snprintf(checkpoint->file, sizeof checkpoint->file, "%s", path);
  return PRISM_OK;
}

/* ---- all layers ---- */

static prism_status_t lay_over(int argc, char *const *argv, const prism_checkpoint_head_t *head,
                               const char *path, prism_options_t *out) {
  const char *config = NULL;
  memset(out, 0, sizeof *out);
  prism_params_default(&out->params);
  PRISM_TRY(walk(argc, argv, &config, out));
  if (out->action == PRISM_ACTION_HELP || out->action == PRISM_ACTION_VERSION) return PRISM_OK;
  prism_params_default(&out->params);
  int64_t k = 0, target = 0;
  if (head != NULL) {
    PRISM_TRY(take_settings(head, path, out));
    k = out->params.run.k;
    target = out->params.run.target;
    out->params.run.k = out->params.run.target = NOT_GIVEN;
    out->params.run.seed = 0;
  }
  if (config != NULL) PRISM_TRY(prism_config_read(config, &out->params));
  /* again, now over the file's values */
  PRISM_TRY(walk(argc, argv, NULL, out));
  if (head == NULL) return PRISM_OK;
  settle_goal(k, target, &out->params.run);
  return settle_resume(head, path, &out->params);
}

prism_status_t prism_options_parse(int argc, char *const *argv, prism_options_t *out) {
  PRISM_TRY(lay_over(argc, argv, NULL, NULL, out));
  if (out->action != PRISM_ACTION_RUN) return PRISM_OK;
  if (out->graph[0] == '\0') PRISM_FAIL(PRISM_INVALID, "no graph given; see --help");
  const prism_params_run_t *run = &out->params.run;
  if (run->resume[0] == '\0') return prism_params_check(&out->params);
  if (run->initial[0] != '\0')
    PRISM_FAIL(PRISM_INVALID, "--resume and --initial exclude each other: a checkpoint has "
                              "colorings of its own");
  if (run->runs > 1)
    PRISM_FAIL(PRISM_INVALID, "--resume goes on with one run, not with --runs %" PRId64,
               run->runs);
  return PRISM_OK;
}

prism_status_t prism_options_resume(int argc, char *const *argv,
                                    const prism_checkpoint_head_t *head, prism_options_t *out) {
  char path[PRISM_PARAM_TEXT_BYTES];
  snprintf(path, sizeof path, "%s", out->params.run.resume);
  PRISM_TRY(lay_over(argc, argv, head, path, out));
  if (out->action != PRISM_ACTION_RUN) return PRISM_OK;
  prism_status_t status = prism_params_check(&out->params);
  if (status == PRISM_OK) return PRISM_OK;
  char text[512]; /* the user may not have given what is wrong */
  snprintf(text, sizeof text, "%.300s (settings that are not given come from %.160s)",
           prism_error_text(), path);
  return prism_error_set(status, text);
}
