/* The reader of run files: every kind of record through the store and back, from the run file
 * and from the .jsonl; runs that go on, were killed, or are none. Older schema versions:
 * tests/integration/test_monitor.py. */
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/rng.h"
#include "solve/run_reader.h"
#include "store_fixture.h"

enum { ROWS = 300, VERTICES = 40 };

/* ---- JSON ------------------------------------------------------------------------------- */

static bool sound(const char *text) {
  prism_json_t value;
  return prism_json_parse(text, strlen(text), &value);
}

static void test_json_takes_what_the_standard_takes(void **state) {
  (void)state;
  static const char *const good[] = {
      "null", " true ", "-0", "0.5e-3", "1E+9", "\"\"", "\"\\u00e9\\n\\\\\"", "[]", "[1,[2,{}]]",
      "{\"a\":1,\"b\":[null,false]}\n", "123456789012345678901234567890"};
  static const char *const bad[] = {
      "", " ", "nul", "nulll", "01", "1.", ".5", "1e", "+1", "NaN", "\"", "\"\\x\"", "\"\\u12g4\"",
      "\"a\nb\"", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "[", "]", "{}{}",
      "\"\\"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i) assert_true(sound(good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
    if (sound(bad[i])) fail_msg("taken: %s", bad[i]);
  char deep[200];
  memset(deep, '[', 100);
  memset(deep + 100, ']', 100);
  prism_json_t value;
  assert_false(prism_json_parse(deep, 200, &value));
  assert_true(prism_json_parse(deep + 80, 40, &value));
}

static void test_json_values(void **state) {
  (void)state;
  static const char text[] =
      "{\"seed\": 18446744073709551557, \"i\":-9223372036854775808 ,\"x\":0.1,\"big\":1e400,"
      "\"t\":\"a\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\ud83d\\t\\/z\",\"list\":[1,\"two\",null]}";
  prism_json_t object, key, value;
  assert_true(prism_json_parse(text, sizeof text - 1, &object));
  size_t at = 0;
  uint64_t u64 = 0;
  int64_t i64 = 0;
  double f64 = 0.0;
  assert_true(prism_json_next(&object, &at, &key, &value) && prism_json_is(&key, "seed"));
  assert_true(prism_json_u64(&value, &u64) && u64 == 18446744073709551557u);
  assert_false(prism_json_i64(&value, &i64));
  assert_true(prism_json_next(&object, &at, &key, &value) && prism_json_is(&key, "i"));
  assert_true(prism_json_i64(&value, &i64) && i64 == INT64_MIN);
  assert_false(prism_json_u64(&value, &u64));
  assert_true(prism_json_next(&object, &at, &key, &value));
  assert_true(prism_json_f64(&value, &f64) && f64 == 0.1);
  assert_false(prism_json_i64(&value, &i64));
  assert_true(prism_json_next(&object, &at, &key, &value));
  assert_true(prism_json_f64(&value, &f64) && isinf(f64));
  assert_true(prism_json_next(&object, &at, &key, &value) && prism_json_is(&key, "t"));
  char *whole = NULL, cut[8];
  assert_int_equal(prism_json_string(&value, &whole), PRISM_OK);
  assert_string_equal(whole, "aA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\t/z");
  prism_free(whole);
  assert_true(prism_json_text(&value, cut, sizeof cut)); /* the euro sign fits, with its end */
  assert_string_equal(cut, "aA\xc3\xa9\xe2\x82\xac");
  assert_true(prism_json_text(&value, cut, 7)); /* now it does not */
  assert_string_equal(cut, "aA\xc3\xa9");
  assert_true(prism_json_next(&object, &at, &key, &value) && prism_json_is(&key, "list"));
  size_t inner = 0;
  int count = 0;
  for (prism_json_t element; prism_json_next(&value, &inner, &key, &element);) ++count;
  assert_int_equal(count, 3);
  assert_false(prism_json_next(&object, &at, &key, &value));
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Walk and decode everything. Returns the number of values. */
static int visit(const prism_json_t *value) {
  int count = 1;
  prism_json_t key, inner;
  char *text = NULL, cut[9];
  if (prism_json_string(value, &text) == PRISM_OK) {
    assert_true(strlen(text) < value->length);
    assert_true(prism_json_text(value, cut, sizeof cut) && strlen(cut) < sizeof cut);
    assert_int_equal(strncmp(text, cut, strlen(cut)), 0);
    prism_free(text);
  }
  for (size_t at = 0; prism_json_next(value, &at, &key, &inner);) {
    assert_true(inner.text >= value->text &&
                inner.text + inner.length <= value->text + value->length);
    count += visit(&inner);
  }
  return count;
}

/* Damaged lines are refused or read within their bounds; cut ones are never read. */
static void test_json_damaged(void **state) {
  (void)state;
  static const char line[] =
      "{\"record\":\"event\",\"t\":0.5,\"n\":[1,-2e3,null,true],"
      "\"x\":\"a\\ud83d\\ude00\\n\",\"o\":{}}";
  const size_t length = sizeof line - 1;
  prism_rng_t rng = prism_rng_stream(3, 0, 0, PRISM_RNG_TEST);
  prism_json_t value;
  assert_true(prism_json_parse(line, length, &value));
  assert_int_equal(visit(&value), 10);
  for (size_t cut = 0; cut < length; ++cut) assert_false(prism_json_parse(line, cut, &value));
  int taken = 0;
  for (int trial = 0; trial < 50000; ++trial) {
    char *damaged = NULL; /* of its exact size, for AddressSanitizer */
    assert_int_equal(PRISM_ALLOC(length, &damaged), PRISM_OK);
    memcpy(damaged, line, length);
    for (uint32_t i = 1 + prism_rng_below(&rng, 3); i > 0; --i)
      damaged[prism_rng_below(&rng, (uint32_t)length)] = (char)prism_rng_below(&rng, 256);
    if (prism_json_parse(damaged, length, &value)) taken += visit(&value) > 0;
    prism_free(damaged);
  }
  assert_true(taken > 0 && taken < 50000);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- Round trips -------------------------------------------------------------------------- */

/* A record with something in every field, the same for the same number. */
static void fill(prism_record_kind_t kind, uint64_t seed, int64_t number, void *record) {
  static const char *const words[] = {"", "x", "\xc3\xa9t\xc3\xa9 \"a,b\"", "line\nline\t\\", "%s"};
  const prism_record_table_t *table = prism_record_table(kind);
  prism_rng_t rng = prism_rng_stream(seed, (uint32_t)number, (uint32_t)kind, PRISM_RNG_TEST);
  prism_record_blank(kind, record);
  for (int32_t i = 0; i < table->field_count; ++i) {
    const prism_field_t *field = &table->field[i];
    char *at = (char *)record + field->offset;
    int64_t i64 = (int64_t)prism_rng_below(&rng, 1u << 31) * (INT64_C(1) << 31) - 7;
    int32_t i32 = (int32_t)prism_rng_below(&rng, 1u << 30) - 1;
    double f64 = prism_rng_below(&rng, 4) == 0 ? NAN : exp(200.0 * prism_rng_uniform(&rng) - 100);
    if (field->type == PRISM_FIELD_I64) memcpy(at, &i64, sizeof i64);
    if (field->type == PRISM_FIELD_I32) memcpy(at, &i32, sizeof i32);
    if (field->type == PRISM_FIELD_F64) memcpy(at, &f64, sizeof f64);
    if (field->type == PRISM_FIELD_TEXT) {
      if (prism_rng_below(&rng, 5) == 0)
        memset(at, 'm', field->bytes - 1); /* full to its end */
      else
        prism_record_text(at, field->bytes, words[prism_rng_below(&rng, 5)]);
    }
  }
}

/* NaN from a file need not have the bits of NAN. */
static void assert_same(prism_record_kind_t kind, const void *a, const void *b) {
  const prism_record_table_t *table = prism_record_table(kind);
  for (int32_t i = 0; i < table->field_count; ++i) {
    const prism_field_t *field = &table->field[i];
    double x, y;
    if (field->type == PRISM_FIELD_F64) {
      memcpy(&x, (const char *)a + field->offset, sizeof x);
      memcpy(&y, (const char *)b + field->offset, sizeof y);
      if (isnan(x) && isnan(y)) continue;
    }
    if (memcmp((const char *)a + field->offset, (const char *)b + field->offset, field->bytes) != 0)
      fail_msg("%s.%s differs", table->name, field->name);
  }
}

/* The union is aligned for all. */
typedef union any {
  prism_metric_t metric;
  prism_event_t event;
  prism_migration_t migration;
  prism_gpu_t gpu;
  prism_profile_t profile;
  prism_ladder_row_t ladder;
  prism_solution_row_t solution;
  prism_summary_row_t summary;
} any_t;

static const prism_record_kind_t ring_kinds[] = {PRISM_RECORD_METRIC, PRISM_RECORD_EVENT,
                                                 PRISM_RECORD_MIGRATION, PRISM_RECORD_GPU,
                                                 PRISM_RECORD_PROFILE, PRISM_RECORD_LADDER};

static void give(prism_store_t *store, uint64_t seed, int64_t first, int64_t count) {
  for (int64_t i = first; i < first + count; ++i) {
    any_t row;
    fill(PRISM_RECORD_METRIC, seed, i, &row);
    assert_true(prism_store_metric(store, &row.metric));
    fill(PRISM_RECORD_EVENT, seed, i, &row);
    assert_true(prism_store_event(store, &row.event));
    fill(PRISM_RECORD_MIGRATION, seed, i, &row);
    assert_true(prism_store_migration(store, &row.migration));
    fill(PRISM_RECORD_GPU, seed, i, &row);
    assert_true(prism_store_gpu(store, &row.gpu));
    fill(PRISM_RECORD_PROFILE, seed, i, &row);
    assert_true(prism_store_profile(store, &row.profile));
    fill(PRISM_RECORD_LADDER, seed, i, &row);
    assert_true(prism_store_ladder(store, &row.ladder));
  }
}

static void give_solution(prism_store_t *store, int32_t colors) {
  int32_t color[VERTICES];
  for (int32_t v = 0; v < VERTICES; ++v) color[v] = v % colors;
  prism_solution_row_t row = {0.25 * colors, 1000 - colors, colors % 2, colors};
  assert_int_equal(prism_store_solution(store, &row, color), PRISM_OK);
}

static void check_rows(prism_run_reader_t *reader, prism_record_kind_t kind, uint64_t seed,
                       int64_t count) {
  const size_t bytes = prism_record_table(kind)->bytes;
  void *rows = NULL;
  int64_t have = 0;
  assert_int_equal(prism_run_rows(reader, kind), count);
  assert_int_equal(prism_run_read_new(reader, kind, &rows, &have), PRISM_OK);
  assert_int_equal(have, count);
  for (int64_t i = 0; i < count; ++i) {
    any_t wanted, one;
    fill(kind, seed, i, &wanted);
    assert_same(kind, &wanted, (const char *)rows + (size_t)i * bytes);
    if (i % 37 != 0) continue;
    assert_int_equal(prism_run_read(reader, kind, i, 1, &one), PRISM_OK);
    assert_same(kind, &wanted, &one);
  }
  prism_free(rows);
  any_t none;
  assert_int_equal(prism_run_read(reader, kind, count, 1, &none), PRISM_INTERNAL);
}

static void check_head(const prism_run_head_t *head, const fixture_t *self) {
  assert_int_equal(head->schema_version, PRISM_STORE_SCHEMA_VERSION);
  assert_int_equal(strlen(head->created), 24);
  assert_true(head->has_seed && head->seed == self->config.seed);
  assert_string_equal(head->graph_name, "cycle");
  assert_string_equal(head->graph_hash, self->hash);
  assert_int_equal(head->n, VERTICES);
  assert_int_equal(head->m, VERTICES);
  size_t parameters = 0;
  prism_param_rows(&parameters);
  assert_int_equal(head->settings, parameters);
  bool found = false;
  for (int32_t i = 0; i < head->settings; ++i)
    if (strcmp(head->setting[i].name, "run.time_limit") == 0) {
      assert_string_equal(head->setting[i].value, "60");
      found = true;
    }
  assert_true(found);
  assert_int_equal(head->builds, 2);
  for (int32_t i = 0; i < 2; ++i)
    assert_string_equal(head->build[i].value, strcmp(head->build[i].name, "version") == 0
                                                  ? "0.1.0" : "-O2 \"quoted\"");
  assert_int_equal(head->ranks, 2);
  assert_string_equal(head->rank[0].host, "alpha");
  assert_int_equal(head->rank[1].threads, 4);
  assert_string_equal(head->rank[1].device, "cpu (portable)");
}

static void check_run(const fixture_t *self, prism_run_source_t source, uint64_t seed,
                      const prism_summary_row_t *summary) {
  prism_run_reader_t *reader = NULL;
  assert_int_equal(prism_run_open(self->run, source, &reader), PRISM_OK);
  const bool h5 = source != PRISM_RUN_JSONL;
  assert_int_equal(prism_run_source(reader), h5 ? PRISM_RUN_H5 : PRISM_RUN_JSONL);
  assert_string_equal(prism_run_path(reader), h5 ? self->run : self->jsonl);
  assert_int_equal(prism_run_life(reader), PRISM_RUN_ENDED);
  assert_int_equal(prism_run_skipped(reader), 0);
  check_head(prism_run_head(reader), self);
  for (size_t i = 0; i < sizeof ring_kinds / sizeof ring_kinds[0]; ++i)
    check_rows(reader, ring_kinds[i], seed, ROWS);
  assert_int_equal(prism_run_rows(reader, PRISM_RECORD_SOLUTION), 5);
  for (int32_t i = 0; i < 5; ++i) {
    prism_solution_row_t row;
    int32_t color[VERTICES];
    assert_int_equal(prism_run_read(reader, PRISM_RECORD_SOLUTION, i, 1, &row), PRISM_OK);
    assert_int_equal(row.colors, 9 - i);
    assert_int_equal(row.iterations, 1000 - row.colors);
    prism_status_t expected = h5 ? PRISM_OK : PRISM_UNSUPPORTED;
    assert_int_equal(prism_run_colors(reader, i, color), expected);
    for (int32_t v = 0; h5 && v < VERTICES; ++v) assert_int_equal(color[v], v % row.colors);
  }
  prism_summary_row_t last;
  assert_int_equal(prism_run_rows(reader, PRISM_RECORD_SUMMARY), 1);
  assert_int_equal(prism_run_read(reader, PRISM_RECORD_SUMMARY, 0, 1, &last), PRISM_OK);
  assert_same(PRISM_RECORD_SUMMARY, summary, &last);
  prism_run_close(&reader);
  assert_null(reader);
}

static void test_every_kind_comes_back(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)getpid() * 7919u + (uint64_t)(1e6 * prism_clock_now());
  print_message("seed %llu\n", (unsigned long long)seed);
  fixture_t self;
  fixture_open(&self, VERTICES);
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  give(store, seed, 0, ROWS);
  for (int32_t colors = 9; colors >= 5; --colors) give_solution(store, colors);
  prism_summary_row_t summary;
  fill(PRISM_RECORD_SUMMARY, seed, 0, &summary);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  check_run(&self, PRISM_RUN_AUTO, seed, &summary);
  check_run(&self, PRISM_RUN_H5, seed, &summary);
  check_run(&self, PRISM_RUN_JSONL, seed, &summary);
  fixture_close(&self);
}

/* Both sources of a run that goes on: rows appear, and what was read stays. */
static void test_rows_appear_while_it_runs(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, VERTICES);
  prism_store_t *store = NULL;
  prism_run_reader_t *reader[2] = {NULL, NULL};
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  assert_int_equal(prism_run_open(self.run, PRISM_RUN_H5, &reader[0]), PRISM_OK);
  assert_int_equal(prism_run_open(self.jsonl, PRISM_RUN_AUTO, &reader[1]), PRISM_OK);
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(prism_run_life(reader[i]), PRISM_RUN_LIVE);
    assert_int_equal(prism_run_rows(reader[i], PRISM_RECORD_METRIC), 0);
  }
  for (int64_t have = 0; have < 120; have += 40) {
    give(store, 5, have, 40);
    fixture_wait_flushed(store, PRISM_RECORD_LADDER, have + 40); /* the last of the tables */
    for (int i = 0; i < 2; ++i) {
      double end = prism_clock_now() + 60.0;
      do {
        assert_int_equal(prism_run_refresh(reader[i]), PRISM_OK);
      } while (prism_run_rows(reader[i], PRISM_RECORD_LADDER) < have + 40 &&
               prism_clock_now() < end);
      for (size_t kind = 0; kind < sizeof ring_kinds / sizeof ring_kinds[0]; ++kind)
        check_rows(reader[i], ring_kinds[kind], 5, have + 40);
    }
  }
  prism_summary_row_t summary;
  prism_record_blank(PRISM_RECORD_SUMMARY, &summary);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(prism_run_refresh(reader[i]), PRISM_OK);
    assert_int_equal(prism_run_rows(reader[i], PRISM_RECORD_METRIC), 120);
    assert_int_equal(prism_run_life(reader[i]), PRISM_RUN_ENDED);
    prism_run_close(&reader[i]);
  }
  fixture_close(&self);
}

static void test_a_killed_run(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, VERTICES);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    prism_store_t *store = NULL;
    if (prism_store_open(&self.config, &store) != PRISM_OK) _exit(1);
    give(store, 11, 0, 50);
    give_solution(store, 4);
    fixture_wait_flushed(store, PRISM_RECORD_LADDER, 50);
    fixture_wait_flushed(store, PRISM_RECORD_SOLUTION, 1);
    raise(SIGKILL);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  prism_run_reader_t *reader = NULL;
  assert_int_equal(prism_run_open(self.run, PRISM_RUN_AUTO, &reader), PRISM_OK);
  assert_int_equal(prism_run_life(reader), PRISM_RUN_KILLED);
  check_rows(reader, PRISM_RECORD_METRIC, 11, 50);
  int32_t color[VERTICES];
  assert_int_equal(prism_run_colors(reader, 0, color), PRISM_OK);
  assert_int_equal(prism_run_rows(reader, PRISM_RECORD_SUMMARY), 0);
  prism_run_close(&reader);
  unlink(self.jsonl); /* without it nobody can say */
  assert_int_equal(prism_run_open(self.run, PRISM_RUN_AUTO, &reader), PRISM_OK);
  assert_int_equal(prism_run_life(reader), PRISM_RUN_UNKNOWN);
  prism_run_close(&reader);
  fixture_close(&self);
}

/* What the ring does not take is counted: rows and losses are all that was handed over. */
static void test_losses_under_pressure(void **state) {
  (void)state;
  enum { GIVEN = 200000 };
  fixture_t self;
  fixture_open(&self, VERTICES);
  self.params.telemetry.ring = 64;
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  int64_t taken = 0;
  for (int64_t i = 0; i < GIVEN; ++i) {
    prism_metric_t row = fixture_metric(i);
    taken += prism_store_metric(store, &row);
  }
  prism_summary_row_t summary;
  prism_record_blank(PRISM_RECORD_SUMMARY, &summary);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  assert_true(summary.records_lost > 0);
  const prism_run_source_t source[2] = {PRISM_RUN_H5, PRISM_RUN_JSONL};
  int64_t rows[2] = {0, 0};
  for (int i = 0; i < 2; ++i) {
    prism_run_reader_t *reader = NULL;
    prism_summary_row_t last;
    assert_int_equal(prism_run_open(self.run, source[i], &reader), PRISM_OK);
    assert_int_equal(prism_run_read(reader, PRISM_RECORD_SUMMARY, 0, 1, &last), PRISM_OK);
    assert_int_equal(last.records_lost, summary.records_lost);
    rows[i] = prism_run_rows(reader, PRISM_RECORD_METRIC);
    prism_run_close(&reader);
  }
  print_message("%lld of %d taken, %lld and %lld rows\n", (long long)taken, GIVEN,
                (long long)rows[0], (long long)rows[1]);
  for (int i = 0; i < 2; ++i) {
    assert_true(rows[i] > 0 && rows[i] <= taken);
    assert_true(rows[i] >= GIVEN - summary.records_lost); /* what is not lost is in both */
  }
  assert_true(summary.records_lost >= GIVEN - taken);
  fixture_close(&self);
}

/* ---- Texts ---------------------------------------------------------------------------------- */

static void append(const char *path, const char *text) {
  FILE *file = fopen(path, "ab");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
  assert_int_equal(fclose(file), 0);
}

static void test_jsonl_line_by_line(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, VERTICES);
  prism_run_reader_t *reader = NULL;
  append(self.jsonl, ""); /* a name that a run has reserved */
  assert_int_equal(prism_run_open(self.jsonl, PRISM_RUN_AUTO, &reader), PRISM_OK);
  assert_int_equal(prism_run_head(reader)->schema_version, 0);
  append(self.jsonl, "{\"record\":\"config\",\"schema_version\":1,\"graph\":{\"name\":\"g\"");
  assert_int_equal(prism_run_refresh(reader), PRISM_OK);
  assert_int_equal(prism_run_head(reader)->schema_version, 0);
  append(self.jsonl, ",\"n\":7}}\n{\"record\":\"metric\",\"t\":1.5,\"rank\":2,\"new\":[1]}\n"
                     "garbage\n{\"record\":\"later\",\"x\":1}\n{\"record\":\"metric\",\"t\":null}");
  assert_int_equal(prism_run_refresh(reader), PRISM_OK);
  assert_int_equal(prism_run_head(reader)->schema_version, 1);
  assert_string_equal(prism_run_head(reader)->graph_name, "g");
  assert_string_equal(prism_run_head(reader)->graph_hash, "");
  assert_int_equal(prism_run_head(reader)->n, 7);
  assert_int_equal(prism_run_rows(reader, PRISM_RECORD_METRIC), 1);
  assert_int_equal(prism_run_skipped(reader), 1);
  prism_metric_t wanted, row;
  prism_record_blank(PRISM_RECORD_METRIC, &wanted);
  wanted.t = 1.5;
  wanted.rank = 2;
  assert_int_equal(prism_run_read(reader, PRISM_RECORD_METRIC, 0, 1, &row), PRISM_OK);
  assert_same(PRISM_RECORD_METRIC, &wanted, &row);
  append(self.jsonl, "\n");
  assert_int_equal(prism_run_refresh(reader), PRISM_OK);
  assert_int_equal(prism_run_rows(reader, PRISM_RECORD_METRIC), 2);
  assert_int_equal(truncate(self.jsonl, 3), 0);
  assert_int_equal(prism_run_refresh(reader), PRISM_IO);
  prism_run_close(&reader);
  fixture_close(&self);
}

static void test_what_is_no_run(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, VERTICES);
  prism_run_reader_t *reader = NULL;
  assert_int_equal(prism_run_open(self.run, PRISM_RUN_AUTO, &reader), PRISM_IO);
  assert_int_equal(prism_run_open(self.run, PRISM_RUN_JSONL, &reader), PRISM_INVALID);
  assert_int_equal(prism_run_open(self.folder, PRISM_RUN_AUTO, &reader), PRISM_IO);
  append(self.run, "p edge 3 3\n");
  assert_int_equal(prism_run_open(self.run, PRISM_RUN_AUTO, &reader), PRISM_FORMAT);
  assert_non_null(strstr(prism_error_text(), "not an HDF5 file"));
  append(self.jsonl, "{\"colors\":4}\n");
  assert_int_equal(prism_run_open(self.jsonl, PRISM_RUN_AUTO, &reader), PRISM_FORMAT);
  assert_null(reader);
  fixture_close(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_json_takes_what_the_standard_takes),
      cmocka_unit_test(test_json_values),
      cmocka_unit_test(test_json_damaged),
      cmocka_unit_test(test_a_killed_run), /* first of those with files: it forks */
      cmocka_unit_test(test_every_kind_comes_back),
      cmocka_unit_test(test_rows_appear_while_it_runs),
      cmocka_unit_test(test_losses_under_pressure),
      cmocka_unit_test(test_jsonl_line_by_line),
      cmocka_unit_test(test_what_is_no_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
