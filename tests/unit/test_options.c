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

static prism_status_t parse_over(const prism_checkpoint_head_t *head,
                                 const char *const *arguments) {
  char copies[ARGUMENTS][600], *argv[ARGUMENTS + 1] = {0};
  int argc = 1;
  snprintf(copies[0], sizeof copies[0], "prism-dist");
  argv[0] = copies[0];
  for (; arguments[argc - 1] != NULL; ++argc) {
    snprintf(copies[argc], sizeof copies[argc], "%s", arguments[argc - 1]);
    argv[argc] = copies[argc];
  }
  prism_error_clear();
  prism_status_t status = prism_options_parse(argc, argv, &options);
  if (status != PRISM_OK || head == NULL) return status;
  return prism_options_resume(argc, argv, head, &options);
}

static prism_status_t parse(const char *const *arguments) { return parse_over(NULL, arguments); }
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
  assert_int_equal(PARSE("--checkpoint", "c.h5", "--checkpoint-interval", "0",
                         "--checkpoint-before=50", "--total-time", "1e5", "g"), PRISM_OK);
  assert_string_equal(options.params.checkpoint.file, "c.h5");
  assert_true(options.params.checkpoint.interval == 0 && options.params.checkpoint.before == 50);
  assert_true(options.params.run.total_time == 1e5);
  /* what is missing may come from the checkpoint */
  assert_int_equal(PARSE("--resume", "c.h5", "--deterministic", "g"), PRISM_OK);
  assert_string_equal(options.params.run.resume, "c.h5");
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
  REFUSED("did you mean --checkpoint-before?", "--checkpoint-befor", "x", "g");
  REFUSED("did you mean --resume?", "--resum=x", "g");
  REFUSED("out of range", "--total-time=-4", "g");
  REFUSED("out of range", "--checkpoint-interval=-4", "g");
  REFUSED("--initial exclude", "--resume", "a", "--initial", "b", "g");
  REFUSED("not with --runs 2", "--resume", "a", "--runs", "2", "g");
  REFUSED("needs a --time-limit", "--checkpoint-before", "9", "--time-limit", "0", "g");
  REFUSED("not less than --time-limit 9", "--checkpoint-before", "9", "--time-limit", "9", "g");
  REFUSED("checkpoint.enabled is false", "--checkpoint-before", "9", "--checkpoint.enabled=no",
          "g");
  REFUSED("checkpoint.enabled is false", "--checkpoint=x.h5", "--checkpoint.enabled=no", "g");
  REFUSED("takes no value", "--list-devices=all");
  REFUSED("unknown option -x; see --help", "-x", "g");
  REFUSED("--resume: the name is empty", "--resume", "", "g");
  REFUSED("--output: the name is empty", "--output=", "g");
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

/* A run with some settings, as its checkpoint tells of them. */
static prism_status_t resume(const prism_checkpoint_setting_t *setting, int32_t settings,
                             const char *const *arguments) {
  prism_checkpoint_head_t head = {.seed = 77, .setting = setting, .settings = settings};
  return parse_over(&head, arguments);
}
#define RESUME(...)                                                                             \
  resume(setting, (int32_t)(sizeof setting / sizeof setting[0]),                                \
         (const char *const[]){"--resume", "x.ckpt.h5", __VA_ARGS__, NULL})

static void a_checkpoint_lies_below(void **state) {
  (void)state;
  const prism_checkpoint_setting_t setting[] = {
      {"run.target", "48"},      {"run.time_limit", "7200"},   {"run.seed", "5"},
      {"run.threads", "3"},      {"run.runs", "4"},            {"run.initial", "old.sol"},
      {"run.output", "old.h5"},  {"run.solution", "old.sol"},  {"run.force", "true"},
      {"run.json", "true"},      {"run.quiet", "true"},        {"run.resume", "older.h5"},
      {"checkpoint.file", "old.ckpt.h5"}, {"checkpoint.before", "600"},
      {"memetic.method", "head"}, {"memetic.nonsense", "1"},   {"nonsense", "1"}};
  const char *path = temp_write_text("r.ini", "[run]\nthreads = 2\n[memetic]\npopulation = 9\n");
  assert_int_equal(RESUME("--config", path, "--memetic.population", "8", "g"), PRISM_OK);
  const prism_params_run_t *run = &options.params.run;
  assert_true(run->target == 48 && run->time_limit == 7200 && run->threads == 2);
  assert_true(options.params.checkpoint.before == 600 && options.params.memetic.method == 4);
  assert_int_equal(options.params.memetic.population, 8);
  /* the seed of the run, which --runs may have derived */
  assert_true(run->seed == 77);
  assert_int_equal(run->runs, 1);
  assert_string_equal(run->initial, "");
  assert_string_equal(run->output, "");
  assert_string_equal(run->solution, "");
  assert_false(run->force || run->json || run->quiet);
  assert_string_equal(run->resume, "x.ckpt.h5");
  assert_string_equal(options.params.checkpoint.file, "x.ckpt.h5");
  assert_non_null(strstr(options.note, "nonsense"));
  assert_string_equal(options.graph, "g");
  /* another place, none at all */
  assert_int_equal(RESUME("--checkpoint", "y.h5", "g"), PRISM_OK);
  assert_string_equal(options.params.checkpoint.file, "y.h5");
  assert_int_equal(RESUME("--checkpoint.enabled=no", "--checkpoint-before=0", "g"), PRISM_OK);
  assert_string_equal(options.params.checkpoint.file, "");
}

static void a_new_goal_replaces_the_old_one(void **state) {
  (void)state;
  const prism_checkpoint_setting_t setting[] = {{"run.target", "48"}, {"run.k", "0"}};
  assert_int_equal(RESUME("-k", "47", "g"), PRISM_OK);
  assert_true(options.params.run.k == 47 && options.params.run.target == 0);
  assert_int_equal(RESUME("--target", "47", "g"), PRISM_OK);
  assert_true(options.params.run.k == 0 && options.params.run.target == 47);
  assert_int_equal(RESUME("--run.target", "0", "g"), PRISM_OK); /* none any more */
  assert_true(options.params.run.k == 0 && options.params.run.target == 0);
  assert_int_equal(RESUME("g"), PRISM_OK);
  assert_true(options.params.run.k == 0 && options.params.run.target == 48);
  assert_int_equal(RESUME("-k", "47", "--target", "46", "g"), PRISM_INVALID);
}

static void the_seed_of_a_run_stays(void **state) {
  (void)state;
  const prism_checkpoint_setting_t setting[] = {{"run.seed", "5"}, {"checkpoint.before", "600"},
                                                {"run.time_limit", "7200"}};
  assert_int_equal(RESUME("--seed", "77", "g"), PRISM_OK);
  assert_int_equal(RESUME("--seed", "0", "g"), PRISM_OK);
  assert_true(options.params.run.seed == 77);
  assert_int_equal(RESUME("--seed", "78", "g"), PRISM_INVALID);
  assert_non_null(strstr(prism_error_text(), "x.ckpt.h5 has seed 77"));
  /* a rule that a value from there breaks says where it comes from */
  assert_int_equal(RESUME("--time-limit", "60", "g"), PRISM_INVALID);
  assert_non_null(strstr(prism_error_text(), "600 is not less than --time-limit 60"));
  assert_non_null(strstr(prism_error_text(), "come from x.ckpt.h5"));
  assert_int_equal(RESUME("--time-limit", "60", "--checkpoint-before", "5", "g"), PRISM_OK);
  const prism_checkpoint_setting_t wrong[] = {{"run.threads", "many"}};
  assert_int_equal(resume(wrong, 1, (const char *const[]){"--resume", "x.h5", "g", NULL}),
                   PRISM_INVALID);
  assert_non_null(strstr(prism_error_text(), "x.h5: run.threads"));
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
      cmocka_unit_test(a_checkpoint_lies_below),
      cmocka_unit_test(a_new_goal_replaces_the_old_one),
      cmocka_unit_test(the_seed_of_a_run_stays),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
