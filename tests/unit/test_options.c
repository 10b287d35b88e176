/* The command line of prism-dist: forms, precedence, errors with a hint, --help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/exchange.h"
#include "app/options.h"
#include "base/mem.h"
#include "temp_file.h"

enum { ARGUMENTS = 12 };
static prism_options_t options;

static prism_status_t parse(const char *const *arguments) {
  char copies[ARGUMENTS][600], *argv[ARGUMENTS + 1] = {0};
  int argc = 1;
  snprintf(copies[0], sizeof copies[0], "prism-dist");
  argv[0] = copies[0];
  for (; arguments[argc - 1] != NULL; ++argc) {
    snprintf(copies[argc], sizeof copies[argc], "%s", arguments[argc - 1]);
    argv[argc] = copies[argc];
  }
  prism_error_clear();
  return prism_options_parse(argc, argv, &options);
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void forms(void **state) {
  (void)state;
  assert_int_equal(PARSE("g.col"), PRISM_OK);
  assert_string_equal(options.graph, "g.col");
  assert_int_equal(options.action, PRISM_ACTION_RUN);
  assert_int_equal(PARSE("-k", "5", "g.col", "--seed=9", "--time-limit", "2.5", "--no-migration"),
                   PRISM_OK);
  assert_int_equal(options.params.run.k, 5);
  assert_true(options.params.run.seed == 9);
  assert_true(options.params.run.time_limit == 2.5);
  assert_false(options.params.islands.migration);
  assert_int_equal(PARSE("--memetic.method", "head", "--run.json=yes", "--reduction.enabled",
                         "false", "--", "--odd"),
                   PRISM_OK);
  assert_int_equal(options.params.memetic.method, 4);
  assert_true(options.params.run.json);
  assert_false(options.params.reduction.enabled);
  assert_string_equal(options.graph, "--odd");
  assert_int_equal(PARSE("--json", "-"), PRISM_OK);
  assert_string_equal(options.graph, "-");
  assert_int_equal(PARSE("--json=off", "--seed", "1", "--seed", "2", "g"), PRISM_OK);
  assert_false(options.params.run.json);
  assert_true(options.params.run.seed == 2);
  assert_int_equal(PARSE("--help", "--nonsense"), PRISM_OK);
  assert_int_equal(options.action, PRISM_ACTION_HELP);
  assert_int_equal(PARSE("--version"), PRISM_OK);
  assert_int_equal(options.action, PRISM_ACTION_VERSION);
  assert_int_equal(PARSE("--list-devices"), PRISM_OK);
  assert_int_equal(options.action, PRISM_ACTION_LIST_DEVICES);
  assert_int_equal(PARSE("--share-gpu", "--comm", "nccl", "g"), PRISM_OK);
  assert_true(options.params.gpu.share && options.params.gpu.bind);
  assert_int_equal(options.params.run.comm, PRISM_COMM_NCCL);
  assert_int_equal(PARSE("--comm=self", "g"), PRISM_OK);
  assert_int_equal(options.params.run.comm, PRISM_COMM_SELF);
  assert_int_equal(PARSE("--print-config", "--seed", "3"), PRISM_OK);
  assert_int_equal(options.action, PRISM_ACTION_PRINT_CONFIG);
  assert_true(options.params.run.seed == 3);
}

static void command_line_beats_file(void **state) {
  (void)state;
  const char *path = temp_write_text("c.ini", "[run]\nseed = 5\nthreads = 3\nk = 9\n");
  /* also when --config stands last, and for the first pass not to leave anything */
  assert_int_equal(PARSE("--seed", "7", "g.col", "--config", path), PRISM_OK);
  assert_true(options.params.run.seed == 7);
  assert_int_equal(options.params.run.threads, 3);
  assert_int_equal(options.params.run.k, 9);
  assert_true(options.params.run.time_limit == 60);
  assert_int_equal(PARSE("--config=/no/such.ini", "g.col"), PRISM_IO);
  path = temp_write_text("d.ini", "[run]\nseed = 5x\n");
  assert_int_equal(PARSE("--config", path, "g.col"), PRISM_INVALID);
  assert_non_null(strstr(prism_error_text(), "d.ini:2: "));
}

static void refused(const char *word, const char *const *arguments) {
  prism_status_t status = parse(arguments);
  if (status != PRISM_INVALID || strstr(prism_error_text(), word) == NULL) {
    fail_msg("%s: status %d, %s", word, (int)status, prism_error_text());
  }
}
#define REFUSED(word, ...) refused(word, (const char *const[]){__VA_ARGS__, NULL})

static void errors(void **state) {
  (void)state;
  assert_int_equal(parse((const char *const[]){NULL}), PRISM_INVALID);
  REFUSED("no graph", "--json");
  REFUSED("two graphs", "a", "b");
  REFUSED("empty", "");
  REFUSED("did you mean --target?", "--taget", "4", "g");
  REFUSED("did you mean --islands.migration?", "--islands.migraton=1", "g");
  REFUSED("unknown option --checkpoint", "--checkpoint", "x", "g");
  REFUSED("unknown option --resume", "--resume=x", "g");
  REFUSED("unknown option --total-time", "--total-time=4", "g");
  REFUSED("takes no value", "--list-devices=all");
  REFUSED("unknown option -x", "-x", "g");
  REFUSED("needs a value", "g", "--seed");
  REFUSED("needs a value", "g", "--config");
  REFUSED("takes no value", "--no-migration=no", "g");
  REFUSED("takes no value", "--print-config=no");
  REFUSED("at least 1 color", "-k", "0", "g");
  REFUSED("out of range", "-k", "-3", "g");
  REFUSED("at least 1 color", "--target=0", "g");
  REFUSED("5x", "-k=5x", "g");
  REFUSED("auto|mpi|nccl|self", "--comm", "tcp", "g");
  REFUSED("exclude", "-k", "4", "--target", "3", "g");
  REFUSED("--deterministic", "--deterministic", "g");
}

/* Every option is there and no line is wider than a terminal. */
static void help_is_complete(void **state) {
  (void)state;
  prism_text_t text = {0};
  assert_int_equal(prism_options_help(&text), PRISM_OK);
  size_t count;
  const prism_param_row_t *row = prism_param_rows(&count);
  for (size_t i = 0; i < count; ++i) {
    char option[128];
    snprintf(option, sizeof option, "\n  --%s.%s ", row[i].section, row[i].name);
    if (row[i].alias[0] != '\0') snprintf(option, sizeof option, "\n  %s ", row[i].alias);
    if (strstr(text.data, option) == NULL) fail_msg("missing: %s", option);
  }
  for (const char *line = text.data; *line != '\0';) {
    size_t length = strcspn(line, "\n");
    assert_true(length <= 100);
    line += length + (line[length] == '\n');
  }
  prism_text_free(&text);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forms),  cmocka_unit_test(command_line_beats_file),
      cmocka_unit_test(errors), cmocka_unit_test(help_is_complete),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
