/* INI files: what is written reads back, what is wrong is named with file:line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/config.h"
#include "app/options.h"
#include "base/mem.h"
#include "temp_file.h"

static void written_reads_back(void **state) {
  (void)state;
  prism_params_t written, read;
  prism_params_default(&written);
  written.run.seed = UINT64_MAX;
  written.run.time_limit = 0.1;
  written.run.device = 2;
  written.islands.migration = false;
  strcpy(written.run.output, "with # and ; and 'x' = y/\\z.h5");
  strcpy(written.run.solution, "with \"quotes\".sol");
  prism_text_t text = {0};
  assert_int_equal(prism_config_format(&written, &text), PRISM_OK);
  const char *path = temp_write_text("all.ini", text.data);
  prism_text_free(&text);
  prism_params_default(&read);
  assert_int_equal(prism_config_read(path, &read), PRISM_OK);
  assert_memory_equal(&written, &read, sizeof read);
}

/* What cannot be written so that it reads back is refused. */
static void unwritable_texts(void **state) {
  (void)state;
  prism_params_t params;
  prism_text_t text = {0};
  prism_params_default(&params);
  strcpy(params.run.output, "both ' and \".h5");
  assert_int_equal(prism_config_format(&params, &text), PRISM_INVALID);
  prism_text_free(&text);
  prism_params_default(&params);
  memset(params.run.output, 'a', 2000);
  assert_int_equal(prism_config_format(&params, &text), PRISM_INVALID);
  prism_text_free(&text);
}

/* configs/default.ini is what --print-config prints. */
static void default_file_is_current(void **state) {
  (void)state;
  FILE *file = fopen(PRISM_TEST_DATA "/../configs/default.ini", "rb");
  assert_non_null(file);
  static char stored[65536];
  size_t size = fread(stored, 1, sizeof stored - 1, file);
  fclose(file);
  stored[size] = '\0';
  prism_params_t params;
  prism_text_t text = {0};
  prism_params_default(&params);
  assert_int_equal(prism_config_format(&params, &text), PRISM_OK);
  assert_string_equal(text.data, stored);
  prism_text_free(&text);
}

static void forms_that_are_accepted(void **state) {
  (void)state;
  const char *path = temp_write_text(
      "ok.ini",
      "; comment\r\n\r\n[RUN]\r\n  K=7 ; why\n\tTarget =0\n[ islands ]\nmigration=off # x\n"
      "[run]\noutput = 'a b.h5' ; c\nsolution = \"\"\ninitial =\nseed=\t12\n[memetic]");
  prism_params_t params;
  prism_params_default(&params);
  assert_int_equal(prism_config_read(path, &params), PRISM_OK);
  assert_int_equal(params.run.k, 7);
  assert_false(params.islands.migration);
  assert_string_equal(params.run.output, "a b.h5");
  assert_string_equal(params.run.initial, "");
  assert_true(params.run.seed == 12);
  assert_int_equal(prism_config_read(temp_write_text("none.ini", ""), &params), PRISM_OK);
}

static void wrong_lines_are_named(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int line;
    const char *word;
  } wrong[] = {
      {"k = 5\n[run]\n", 1, "before the first section"},
      {"[run]\nk = 5\n\n# c\nk = 6\n", 5, "line 2"},
      {"[run]\nk = 5\n[cpu]\n[run]\nK = 5\n", 5, "line 2"},
      {"[run]\nkk = 5\n", 2, "did you mean run.k"},
      {"[run]\nsead = 5\n", 2, "did you mean run.seed"},
      {"[runs]\n", 1, "did you mean run"},
      {"[nowhere]\nk = 5\n", 1, "unknown section"},
      {"[run]\n\nk = 12abc\n", 3, "12abc"},
      {"[run]\ntime_limit = -1\n", 2, "out of range"},
      {"[run]\ndevice = gpu\n", 2, "auto|cuda|cpu"},
      {"[run]\nk =\n", 2, "whole number"},
      {"[run]\nk\n", 2, "key = value"},
      {"[run]\n= 5\n", 2, "key = value"},
      {"[run]\nx", 2, "key = value"},
      {"[run\nk = 5\n", 1, "[name]"},
      {"[run] k = 5\n", 1, "[name]"},
      {"[run]\noutput = \"a\n", 2, "not closed"},
      {"[run]\noutput = \"a\" b\n", 2, "after the closing quote"},
      {"[run]\noutput = a#1.h5\n", 2, "quotes"},
      {"[run]\n# a comment \\\nk = 5\n", 2, "backslash"},
      {"[run]\nrun:k = 5\n", 2, "unknown key"},
      {"\x1f\x8b\x08\n", 1, "key = value"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
    const char *path = temp_write_text("wrong.ini", wrong[i].text);
    prism_params_t params;
    prism_params_default(&params);
    prism_error_clear();
    prism_status_t status = prism_config_read(path, &params);
    if (status != PRISM_INVALID && status != PRISM_FORMAT) fail_msg("taken: %s", wrong[i].text);
    char place[600];
    snprintf(place, sizeof place, "%s:%d: ", path, wrong[i].line);
    if (strncmp(prism_error_text(), place, strlen(place)) != 0 ||
        strstr(prism_error_text(), wrong[i].word) == NULL) {
      fail_msg("case %zu: %s", i, prism_error_text());
    }
  }
}

static void unreadable_files(void **state) {
  (void)state;
  prism_params_t params;
  prism_params_default(&params);
  assert_int_equal(prism_config_read(temp_path("missing.ini"), &params), PRISM_IO);
  assert_int_equal(prism_config_read(temp_folder, &params), PRISM_IO);
  assert_int_equal(prism_config_read("/dev/null", &params), PRISM_IO);
  const char zero[] = "[run]\nk = \0 5\n";
  assert_int_equal(prism_config_read(temp_write("z.ini", zero, sizeof zero - 1), &params),
                   PRISM_FORMAT);
  assert_non_null(strstr(prism_error_text(), ":2: "));
  static char line[3000] = "[run]\noutput = ";
  memset(line + 15, 'a', sizeof line - 16);
  assert_int_equal(prism_config_read(temp_write_text("long.ini", line), &params), PRISM_FORMAT);
  assert_non_null(strstr(prism_error_text(), ":2: "));
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(written_reads_back),      cmocka_unit_test(unwritable_texts),
      cmocka_unit_test(default_file_is_current), cmocka_unit_test(forms_that_are_accepted),
      cmocka_unit_test(wrong_lines_are_named),   cmocka_unit_test(unreadable_files),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
