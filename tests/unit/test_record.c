/* Record tables and their JSON lines. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/rng.h"
#include "solve/jsonl.h"
#include "store_fixture.h"

static void test_tables_cover_the_structs(void **state) {
  (void)state;
  size_t sizes[PRISM_RECORD_COUNT] = {sizeof(prism_metric_t), sizeof(prism_event_t),
                                      sizeof(prism_migration_t), sizeof(prism_gpu_t),
                                      sizeof(prism_profile_t), sizeof(prism_ladder_row_t),
                                      sizeof(prism_solution_row_t),
                                      sizeof(prism_summary_row_t)};
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) {
    const prism_record_table_t *table = prism_record_table((prism_record_kind_t)kind);
    assert_int_equal(table->bytes, sizes[kind]);
    size_t at = 0;
    for (int32_t i = 0; i < table->field_count; ++i) {
      assert_true(table->field[i].offset >= at); /* in order, without overlap */
      at = table->field[i].offset + table->field[i].bytes;
    }
    assert_true(at <= table->bytes && table->bytes - at < 8);
  }
  const prism_record_table_t *metric = prism_record_table(PRISM_RECORD_METRIC);
  assert_int_equal(metric->field_count, 18);
  assert_string_equal(metric->path, "/telemetry/metrics");
  assert_string_equal(metric->field[10].name, "conflicts");
  assert_int_equal(metric->field[10].type, PRISM_FIELD_I64);
  assert_int_equal(metric->field[10].offset, offsetof(prism_metric_t, conflicts));
  assert_int_equal(metric->field[16].bytes, 256);
}

static void test_blank_means_does_not_apply(void **state) {
  (void)state;
  prism_metric_t row;
  memset(&row, 7, sizeof row);
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  assert_true(isnan(row.temperature) && isnan(row.t));
  assert_int_equal(row.conflicts, -1);
  assert_int_equal(row.colors, -1);
  assert_string_equal(row.notes, "");
}

static void test_text_is_cut_at_a_character(void **state) {
  (void)state;
  char field[8];
  prism_record_text(field, sizeof field, "abc");
  assert_memory_equal(field, "abc\0\0\0\0\0", 8);
  prism_record_text(field, sizeof field, "abcdefg");
  assert_string_equal(field, "abcdefg");
  prism_record_text(field, sizeof field, "abcdefgh");
  assert_string_equal(field, "abcdefg");
  prism_record_text(field, sizeof field, "abcdef\xc3\xa4"); /* a umlaut does not fit */
  assert_string_equal(field, "abcdef");
  prism_record_text(field, sizeof field, "abcd\xe2\x82\xac!"); /* the euro sign does */
  assert_string_equal(field, "abcd\xe2\x82\xac");
}

static void check_string(const char *in, const char *expected) {
  prism_text_t text = {0};
  assert_int_equal(prism_jsonl_string(in, SIZE_MAX, &text), PRISM_OK);
  assert_string_equal(text.data, expected);
  prism_text_free(&text);
}

static void test_strings_are_escaped(void **state) {
  (void)state;
  check_string("", "\"\"");
  check_string("plain", "\"plain\"");
  check_string("a\"b\\c", "\"a\\\"b\\\\c\"");
  check_string("\n\t\x01", "\"\\u000a\\u0009\\u0001\"");
  check_string("100%s", "\"100%s\"");
  check_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xa8", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xa8\"");
  check_string("x\xff\xc3", "\"x\\ufffd\\ufffd\"");           /* no UTF-8, a cut character */
  check_string("\xc0\xaf", "\"\\ufffd\\ufffd\"");             /* overlong */
  check_string("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* a surrogate */
  char long_text[2001], expected[4003];
  memset(long_text, '"', 2000);
  long_text[2000] = '\0';
  expected[0] = '"';
  for (int i = 0; i < 2000; ++i) memcpy(expected + 1 + 2 * i, "\\\"", 2);
  memcpy(expected + 4001, "\"", 2);
  check_string(long_text, expected);
  prism_text_t text = {0}; /* a field that is full has no zero byte */
  assert_int_equal(prism_jsonl_string("abcdef", 3, &text), PRISM_OK);
  assert_string_equal(text.data, "\"abc\"");
  prism_text_free(&text);
}

static void number_text(double value, char out[64]) {
  prism_text_t text = {0};
  assert_int_equal(prism_jsonl_number(value, &text), PRISM_OK);
  snprintf(out, 64, "%s", text.data);
  prism_text_free(&text);
}

static void test_numbers_read_back(void **state) {
  (void)state;
  char text[64];
  number_text(NAN, text);
  assert_string_equal(text, "null");
  number_text(INFINITY, text);
  assert_string_equal(text, "null");
  number_text(0.1, text);
  assert_string_equal(text, "0.1");
  number_text(-2.0, text);
  assert_string_equal(text, "-2");
  uint64_t seed = (uint64_t)(prism_clock_now() * 1e6);
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int i = 0; i < 20000; ++i) {
    uint64_t bits = ((uint64_t)prism_rng_next(&rng) << 32) | prism_rng_next(&rng);
    double value;
    memcpy(&value, &bits, sizeof value);
    number_text(value, text);
    if (!isfinite(value)) {
      assert_string_equal(text, "null");
      continue;
    }
    assert_true(strtod(text, NULL) == value);
    assert_true(strspn(text, "-+.e0123456789") == strlen(text));
  }
}

static void test_numbers_ignore_the_locale(void **state) {
  (void)state;
  const char *names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ru_RU.UTF-8"};
  const char *set = NULL;
  for (size_t i = 0; set == NULL && i < sizeof names / sizeof names[0]; ++i)
    set = setlocale(LC_ALL, names[i]);
  if (set == NULL) {
    print_message("no locale with a decimal comma here\n");
    skip();
  }
  char text[64];
  number_text(1234567.5, text);
  setlocale(LC_ALL, "C");
  assert_string_equal(text, "1234567.5");
}

static void test_record_lines(void **state) {
  (void)state;
  prism_text_t text = {0};
  prism_migration_t move = {1.5, 1, 0, 48, 7, -1, 1};
  assert_int_equal(prism_jsonl_record(PRISM_RECORD_MIGRATION, &move, &text), PRISM_OK);
  assert_string_equal(text.data, "{\"record\":\"migration\",\"t\":1.5,\"from_rank\":1,"
                                 "\"to_rank\":0,\"colors\":48,\"conflicts\":7,"
                                 "\"distance\":-1,\"accepted\":1}\n");
  text.length = 0;
  prism_event_t event;
  prism_record_blank(PRISM_RECORD_EVENT, &event);
  PRISM_RECORD_TEXT(event.event, "warning");
  PRISM_RECORD_TEXT(event.notes, "a \"b\"");
  assert_int_equal(prism_jsonl_record(PRISM_RECORD_EVENT, &event, &text), PRISM_OK);
  assert_string_equal(text.data, "{\"record\":\"event\",\"time\":\"\",\"t\":null,\"rank\":-1,"
                                 "\"event\":\"warning\",\"colors\":-1,"
                                 "\"notes\":\"a \\\"b\\\"\"}\n");
  prism_text_free(&text);
}

/* A file size limit cuts a write in the middle of a line. */
static void test_append_keeps_whole_lines(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 5);
  prism_jsonl_t file;
  assert_int_equal(prism_jsonl_open(self.jsonl, &file), PRISM_OK);
  prism_text_t lines = {0};
  for (int i = 0; i < 10; ++i)
    assert_int_equal(prism_text_add(&lines, "{\"line\":%d}\n", i), PRISM_OK); /* 11 bytes each */
  struct rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  limit = before;
  limit.rlim_cur = 48;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(prism_jsonl_append(&file, &lines), PRISM_STORAGE);
  assert_non_null(strstr(prism_error_text(), self.jsonl));
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  char *text = fixture_read(self.jsonl, NULL);
  assert_string_equal(text, "{\"line\":0}\n{\"line\":1}\n{\"line\":2}\n{\"line\":3}\n");
  prism_free(text);
  assert_int_equal(lines.length, 66);
  assert_int_equal(prism_jsonl_append(&file, &lines), PRISM_OK); /* there is room again */
  assert_int_equal(lines.length, 0);
  text = fixture_read(self.jsonl, NULL);
  assert_int_equal(strlen(text), 110);
  assert_string_equal(text + 99, "{\"line\":9}\n");
  prism_free(text);
  prism_text_free(&lines);
  assert_int_equal(prism_jsonl_close(&file, false), PRISM_OK);
  signal(SIGXFSZ, SIG_DFL);
  fixture_close(&self);
}

static void test_open_refuses(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 5);
  prism_jsonl_t file, second;
  assert_int_equal(prism_jsonl_open(self.folder, &file), PRISM_IO); /* a folder */
  assert_int_equal(prism_jsonl_open("/nonexistent/x.jsonl", &file), PRISM_IO);
  assert_int_equal(prism_jsonl_open("/dev/null", &file), PRISM_IO);
  assert_int_equal(prism_jsonl_open(self.jsonl, &file), PRISM_OK);
  assert_int_equal(prism_jsonl_open(self.jsonl, &second), PRISM_IO);
  assert_non_null(strstr(prism_error_text(), "in use"));
  assert_int_equal(prism_jsonl_close(&file, true), PRISM_OK);
  assert_false(prism_file_exists(self.jsonl));
  fixture_close(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tables_cover_the_structs),
      cmocka_unit_test(test_blank_means_does_not_apply),
      cmocka_unit_test(test_text_is_cut_at_a_character),
      cmocka_unit_test(test_strings_are_escaped),
      cmocka_unit_test(test_numbers_read_back),
      cmocka_unit_test(test_numbers_ignore_the_locale),
      cmocka_unit_test(test_record_lines),
      cmocka_unit_test(test_append_keeps_whole_lines),
      cmocka_unit_test(test_open_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
