/* The parameter table: every row, every way to be wrong, exact round trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "base/mem.h"
#include "base/params.h"
#include "base/rng.h"

static const prism_param_row_t *row_of(const char *section, const char *name) {
  const prism_param_row_t *row = prism_param_find(section, name);
  assert_non_null(row);
  return row;
}

static void rows_are_sound(void **state) {
  (void)state;
  size_t count;
  const prism_param_row_t *row = prism_param_rows(&count);
  assert_true(count > 30);
  for (size_t i = 0; i < count; ++i) {
    assert_true(row[i].help[0] != '\0');
    assert_true(row[i].offset < sizeof(prism_params_t));
    assert_ptr_equal(prism_param_find(row[i].section, row[i].name), &row[i]);
    if (row[i].alias[0] != '\0') {
      assert_ptr_equal(prism_param_find_alias(row[i].alias), &row[i]); /* so aliases differ */
      assert_int_equal(row[i].alias[0], '-');
    }
    for (size_t j = 0; j < i; ++j) assert_true(row[j].offset < row[i].offset);
  }
  assert_null(prism_param_find("run", "nothing"));
  assert_null(prism_param_find_alias(""));
  assert_null(prism_param_find_alias("--nothing"));
}

/* Defaults pass the checks, and every value reads back from its own text. */
static void defaults_read_back(void **state) {
  (void)state;
  prism_params_t defaults, copy;
  prism_params_default(&defaults);
  prism_params_default(&copy);
  assert_memory_equal(&defaults, &copy, sizeof defaults);
  assert_int_equal(prism_params_check(&defaults), PRISM_OK);
  size_t count;
  const prism_param_row_t *row = prism_param_rows(&count);
  for (size_t i = 0; i < count; ++i) {
    prism_text_t text = {0};
    assert_int_equal(prism_params_format(&defaults, &row[i], &text), PRISM_OK);
    assert_int_equal(prism_params_set(&copy, &row[i], text.data == NULL ? "" : text.data, "here"),
                     PRISM_OK);
    prism_text_free(&text);
  }
  assert_memory_equal(&defaults, &copy, sizeof defaults);
  assert_true(defaults.run.time_limit == 60);
  assert_true(defaults.islands.migration);
  assert_int_equal(defaults.memetic.method, 0);
  assert_string_equal(defaults.run.output, "");
}

static void values_are_stored(void **state) {
  (void)state;
  prism_params_t p;
  prism_params_default(&p);
  assert_int_equal(prism_params_set(&p, row_of("run", "k"), "+48", "x"), PRISM_OK);
  assert_int_equal(p.run.k, 48);
  assert_int_equal(prism_params_set(&p, row_of("run", "seed"), "18446744073709551615", "x"),
                   PRISM_OK);
  assert_true(p.run.seed == UINT64_MAX);
  assert_int_equal(prism_params_set(&p, row_of("run", "time_limit"), "1.5e2", "x"), PRISM_OK);
  assert_true(p.run.time_limit == 150);
  assert_int_equal(prism_params_set(&p, row_of("run", "time_limit"), ".5", "x"), PRISM_OK);
  assert_true(p.run.time_limit == 0.5);
  assert_int_equal(prism_params_set(&p, row_of("run", "device"), "cpu", "x"), PRISM_OK);
  assert_int_equal(p.run.device, 2);
  assert_int_equal(prism_params_set(&p, row_of("run", "output"), "a b/\xc3\xa9.h5", "x"), PRISM_OK);
  assert_string_equal(p.run.output, "a b/\xc3\xa9.h5");
  static const char *const yes[] = {"true", "yes", "on", "1"};
  static const char *const no[] = {"false", "no", "off", "0"};
  for (int i = 0; i < 4; ++i) {
    assert_int_equal(prism_params_set(&p, row_of("run", "force"), yes[i], "x"), PRISM_OK);
    assert_true(p.run.force);
    assert_int_equal(prism_params_set(&p, row_of("run", "force"), no[i], "x"), PRISM_OK);
    assert_false(p.run.force);
  }
}

/* Each is refused with place, key and value, and changes nothing. */
static void bad_values_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *section, *name, *value;
  } bad[] = {
      {"run", "k", ""}, {"run", "k", "12abc"}, {"run", "k", " 12"}, {"run", "k", "12 "},
      {"run", "k", "0x10"}, {"run", "k", "1e3"}, {"run", "k", "-1"}, {"run", "k", "2147483647"},
      {"run", "k", "99999999999999999999"}, {"run", "k", "+"}, {"run", "k", "1.0"},
      {"run", "seed", "-1"}, {"run", "seed", "18446744073709551616"}, {"run", "seed", "5."},
      {"run", "time_limit", ""}, {"run", "time_limit", "nan"}, {"run", "time_limit", "inf"},
      {"run", "time_limit", "1e999"}, {"run", "time_limit", "0x1p3"}, {"run", "time_limit", "5s"},
      {"run", "time_limit", "1.5.2"}, {"run", "time_limit", "."}, {"run", "time_limit", " 5"},
      {"run", "time_limit", "-0.1"}, {"run", "peer_timeout", "0.5"}, {"run", "runs", "0"},
      {"run", "runs", "1000"}, {"run", "force", "TRUE"}, {"run", "force", ""},
      {"run", "force", "2"}, {"run", "device", "gpu"}, {"run", "device", ""},
      {"run", "device", "auto|cpu"}, {"run", "device", "cp"}, {"run", "output", "a\nb"},
      {"run", "output", "\x01"}, {"memetic", "method", "Head"}, {"telemetry", "ring", "32"}};
  prism_params_t before, after;
  prism_params_default(&before);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    prism_params_default(&after);
    prism_error_clear();
    prism_status_t status =
        prism_params_set(&after, row_of(bad[i].section, bad[i].name), bad[i].value, "file.ini:7");
    if (status != PRISM_INVALID) fail_msg("%s = \"%s\" was taken", bad[i].name, bad[i].value);
    assert_memory_equal(&before, &after, sizeof before);
    assert_non_null(strstr(prism_error_text(), "file.ini:7: "));
    assert_non_null(strstr(prism_error_text(), bad[i].name));
  }
}

static void texts_have_a_limit(void **state) {
  (void)state;
  static char text[PRISM_PARAM_TEXT_BYTES + 1];
  prism_params_t p;
  prism_params_default(&p);
  memset(text, 'a', PRISM_PARAM_TEXT_BYTES);
  assert_int_equal(prism_params_set(&p, row_of("run", "initial"), text, "x"), PRISM_INVALID);
  text[PRISM_PARAM_TEXT_BYTES - 1] = '\0';
  assert_int_equal(prism_params_set(&p, row_of("run", "initial"), text, "x"), PRISM_OK);
  assert_string_equal(p.run.initial, text);
  /* a shorter one leaves no bytes of the longer one behind */
  assert_int_equal(prism_params_set(&p, row_of("run", "initial"), "", "x"), PRISM_OK);
  prism_params_t fresh;
  prism_params_default(&fresh);
  assert_memory_equal(&p, &fresh, sizeof p);
}

/* Random numbers of all sizes come back bit for bit. */
static void random_numbers_round_trip(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  prism_params_t p, q;
  prism_params_default(&p);
  prism_params_default(&q);
  for (int i = 0; i < 2000; ++i) {
    p.run.seed = ((uint64_t)prism_rng_next(&rng) << 32 | prism_rng_next(&rng)) >>
                 prism_rng_below(&rng, 64);
    p.run.time_limit = prism_rng_uniform(&rng) * (prism_rng_below(&rng, 2) ? 1e9 : 1e-6);
    p.run.k = (int64_t)prism_rng_below(&rng, 2147483647u);
    p.run.device = (int32_t)prism_rng_below(&rng, 3);
    p.run.force = prism_rng_below(&rng, 2) != 0;
    static const char *const names[] = {"seed", "time_limit", "k", "device", "force"};
    for (size_t j = 0; j < sizeof names / sizeof names[0]; ++j) {
      prism_text_t text = {0};
      assert_int_equal(prism_params_format(&p, row_of("run", names[j]), &text), PRISM_OK);
      assert_int_equal(prism_params_set(&q, row_of("run", names[j]), text.data, "x"), PRISM_OK);
      prism_text_free(&text);
    }
    assert_memory_equal(&p, &q, sizeof p);
  }
}

static void rules_across_parameters(void **state) {
  (void)state;
  prism_params_t p;
  prism_params_default(&p);
  p.run.k = 5;
  assert_int_equal(prism_params_check(&p), PRISM_OK);
  p.run.target = 5;
  assert_int_equal(prism_params_check(&p), PRISM_INVALID);
  prism_params_default(&p);
  p.run.deterministic = true;
  assert_int_equal(prism_params_check(&p), PRISM_INVALID);
  assert_non_null(strstr(prism_error_text(), "--max-iterations"));
  p.run.max_iterations = 1000;
  assert_int_equal(prism_params_check(&p), PRISM_OK);
  p.telemetry.ring = 100;
  assert_int_equal(prism_params_check(&p), PRISM_INVALID);
  p.telemetry.ring = 128;
  p.run.quiet = p.run.verbose = true;
  assert_int_equal(prism_params_check(&p), PRISM_INVALID);
  prism_params_default(&p);
  p.checkpoint.before = 59.5;
  assert_int_equal(prism_params_check(&p), PRISM_OK);
  p.checkpoint.before = 60;
  assert_int_equal(prism_params_check(&p), PRISM_INVALID);
  p.run.time_limit = 0;
  assert_int_equal(prism_params_check(&p), PRISM_INVALID);
  p.checkpoint.enabled = false;
  p.checkpoint.before = 0;
  assert_int_equal(prism_params_check(&p), PRISM_OK);
  strcpy(p.checkpoint.file, "c.h5");
  assert_int_equal(prism_params_check(&p), PRISM_INVALID);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_sound),        cmocka_unit_test(defaults_read_back),
      cmocka_unit_test(values_are_stored),     cmocka_unit_test(bad_values_are_refused),
      cmocka_unit_test(texts_have_a_limit),    cmocka_unit_test(random_numbers_round_trip),
      cmocka_unit_test(rules_across_parameters), cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
