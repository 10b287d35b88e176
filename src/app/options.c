#include "app/options.h"

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
  /* 0 stands for "none" in a file; on the command line it is a mistake. */
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

prism_status_t prism_options_parse(int argc, char *const *argv, prism_options_t *out) {
  const char *config = NULL;
  memset(out, 0, sizeof *out);
  prism_params_default(&out->params);
  PRISM_TRY(walk(argc, argv, &config, out));
  if (out->action == PRISM_ACTION_HELP || out->action == PRISM_ACTION_VERSION) return PRISM_OK;
  if (config != NULL) {
    prism_params_default(&out->params);
    PRISM_TRY(prism_config_read(config, &out->params));
  }
  /* again, now over the file's values */
  PRISM_TRY(walk(argc, argv, NULL, out));
  if (out->action != PRISM_ACTION_RUN) return PRISM_OK;
  if (out->graph[0] == '\0') PRISM_FAIL(PRISM_INVALID, "no graph given; see --help");
  return prism_params_check(&out->params);
}
