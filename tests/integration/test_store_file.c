/* What the run file holds, read back with HDF5; and how it fares on a full disk. */
#include <hdf5.h>
#include <math.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "solve/run_reader.h"
#include "store_fixture.h"

static hid_t open_run(const char *path) {
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  return file;
}

static hsize_t row_count(hid_t file, const char *name) {
  hid_t table = H5Dopen2(file, name, H5P_DEFAULT);
  assert_true(table >= 0);
  hid_t space = H5Dget_space(table);
  hsize_t size[2] = {0, 0};
  assert_true(H5Sget_simple_extent_dims(space, size, NULL) >= 1);
  H5Sclose(space);
  H5Dclose(table);
  return size[0];
}

/* One column of a table; `bytes` > 0 for text. */
static void read_column(hid_t file, const char *name, const char *column, hid_t type,
                        size_t bytes, void *out) {
  hid_t text = -1;
  if (bytes > 0) {
    text = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(text, bytes) >= 0);
    assert_true(H5Tset_cset(text, H5T_CSET_UTF8) >= 0);
    type = text;
  }
  hid_t table = H5Dopen2(file, name, H5P_DEFAULT);
  hid_t row = H5Tcreate(H5T_COMPOUND, H5Tget_size(type));
  assert_true(H5Tinsert(row, column, 0, type) >= 0);
  assert_true(H5Dread(table, row, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
  H5Tclose(row);
  H5Dclose(table);
  if (text >= 0) H5Tclose(text);
}

static void check_text_attribute(hid_t file, const char *group, const char *name,
                                 const char *expected) {
  hid_t attribute = H5Aopen_by_name(file, group, name, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(attribute >= 0);
  hid_t type = H5Aget_type(attribute);
  assert_false(H5Tis_variable_str(type));
  char text[8192] = "";
  assert_true(H5Tget_size(type) <= sizeof text);
  assert_true(H5Aread(attribute, type, text) >= 0);
  assert_string_equal(text, expected);
  H5Tclose(type);
  H5Aclose(attribute);
}

static int64_t whole_attribute(hid_t file, const char *group, const char *name) {
  hid_t attribute = H5Aopen_by_name(file, group, name, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(attribute >= 0);
  int64_t value = 0;
  assert_true(H5Aread(attribute, H5T_NATIVE_INT64, &value) >= 0);
  H5Aclose(attribute);
  return value;
}

static void give(prism_store_t *store, int32_t n, int32_t colors, int64_t number) {
  int32_t *color = NULL;
  assert_int_equal(PRISM_ALLOC(n, &color), PRISM_OK);
  for (int32_t v = 0; v < n; ++v) color[v] = colors - 1 - v % colors;
  prism_solution_row_t row = {0.5, number, 1, colors};
  assert_int_equal(prism_store_solution(store, &row, color), PRISM_OK);
  prism_free(color);
}

static void test_every_object_of_the_schema(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 300);
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
  hid_t file = open_run(self.run);
  assert_int_equal(whole_attribute(file, "/", "schema_version"), 4);
  assert_int_equal(whole_attribute(file, "/graph", "n"), 300);
  assert_int_equal(whole_attribute(file, "/graph", "m"), 300);
  check_text_attribute(file, "/graph", "name", "cycle");
  check_text_attribute(file, "/graph", "hash", self.hash);
  check_text_attribute(file, "/build", "flags", "-O2 \"quoted\"");
  size_t count = 0;
  const prism_param_row_t *row = prism_param_rows(&count);
  for (size_t i = 0; i < count; ++i) {
    char name[128];
    prism_text_t value = {0};
    snprintf(name, sizeof name, "%s.%s", row[i].section, row[i].name);
    assert_int_equal(prism_params_format(&self.params, &row[i], &value), PRISM_OK);
    check_text_attribute(file, "/config", name, value.data != NULL ? value.data : "");
    prism_text_free(&value);
  }
  uint64_t seed = (uint64_t)0;
  hid_t attribute = H5Aopen_by_name(file, "/config", "seed", H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Aread(attribute, H5T_NATIVE_UINT64, &seed) >= 0);
  H5Aclose(attribute);
  assert_true(seed == 18446744073709551557u);
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    assert_int_equal(row_count(file, prism_record_table((prism_record_kind_t)kind)->path), 0);
  int32_t threads[2];
  char host[2][64];
  assert_int_equal(row_count(file, "/ranks/table"), 2);
  read_column(file, "/ranks/table", "threads", H5T_NATIVE_INT32, 0, threads);
  read_column(file, "/ranks/table", "host", -1, 64, host);
  assert_int_equal(threads[1], 4);
  assert_string_equal(host[1], "beta");
  H5Fclose(file);
  fixture_close(&self);
}

/* A file that cannot be read is no file that cannot be written. */
static void test_another_object_in_its_place(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 300);
  prism_store_t *store = NULL;
  prism_run_reader_t *reader = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
  hid_t file = H5Fopen(self.run, H5F_ACC_RDWR, H5P_DEFAULT);
  assert_true(file >= 0 && H5Ldelete(file, "/build", H5P_DEFAULT) >= 0);
  hid_t type = H5Tcopy(H5T_NATIVE_INT32);
  assert_true(H5Tcommit2(file, "/build", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) >= 0);
  H5Tclose(type);
  H5Fclose(file);
  assert_int_equal(prism_run_open(self.run, PRISM_RUN_H5, &reader), PRISM_IO);
  assert_non_null(strstr(prism_error_text(), "opening a group failed"));
  assert_null(reader);
  fixture_close(&self);
}

static void test_rows_read_back(void **state) {
  (void)state;
  enum { ROWS = 1000 };
  fixture_t self;
  fixture_open(&self, 300);
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  for (int64_t i = 0; i < ROWS; ++i) {
    prism_metric_t metric = fixture_metric(i);
    snprintf(metric.notes, sizeof metric.notes, "row %d", (int)i);
    prism_migration_t move = {0.5, 1, 0, 17, 3 * i, -1, 1};
    assert_true(prism_store_metric(store, &metric));
    assert_true(prism_store_migration(store, &move));
    if (i % 100 == 99) fixture_wait_flushed(store, PRISM_RECORD_METRIC, i + 1); /* many batches */
    if (i % 200 == 99) give(store, 300, 300 - (int32_t)i / 4, i);
  }
  prism_summary_row_t summary;
  prism_record_blank(PRISM_RECORD_SUMMARY, &summary);
  summary.colors = 5;
  PRISM_RECORD_TEXT(summary.exit_reason, "optimal");
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);

  hid_t file = open_run(self.run);
  assert_int_equal(row_count(file, "/telemetry/metrics"), ROWS);
  assert_int_equal(row_count(file, "/telemetry/migrations"), ROWS);
  assert_int_equal(row_count(file, "/solutions/index"), 5);
  assert_int_equal(row_count(file, "/solutions/colors"), 5);
  assert_int_equal(row_count(file, "/summary"), 1);
  static int64_t whole[ROWS];
  static double real[ROWS];
  static char text[ROWS][128];
  read_column(file, "/telemetry/metrics", "iterations", H5T_NATIVE_INT64, 0, whole);
  for (int i = 0; i < ROWS; ++i) assert_int_equal(whole[i], i);
  read_column(file, "/telemetry/metrics", "t", H5T_NATIVE_DOUBLE, 0, real);
  for (int i = 0; i < ROWS; ++i) assert_true(real[i] == 0.125 * i);
  read_column(file, "/telemetry/metrics", "temperature", H5T_NATIVE_DOUBLE, 0, real);
  assert_true(isnan(real[ROWS / 2]));
  read_column(file, "/telemetry/metrics", "notes", -1, 128, text);
  assert_string_equal(text[777], "row 777");
  read_column(file, "/telemetry/migrations", "conflicts", H5T_NATIVE_INT64, 0, whole);
  for (int i = 0; i < ROWS; ++i) assert_int_equal(whole[i], 3 * i);
  read_column(file, "/summary", "exit_reason", -1, 128, text);
  assert_string_equal(text[0], "optimal");

  static int32_t color[5][300];
  int32_t colors[5];
  read_column(file, "/solutions/index", "colors", H5T_NATIVE_INT32, 0, colors);
  hid_t table = H5Dopen2(file, "/solutions/colors", H5P_DEFAULT);
  assert_true(H5Dread(table, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, color) >= 0);
  for (int i = 0; i < 5; ++i)
    for (int v = 0; v < 300; ++v) assert_int_equal(color[i][v], colors[i] - 1 - v % colors[i]);
  H5Dclose(table);
  H5Fclose(file);
  fixture_close(&self);
}

/* The smallest of u8, u16, u32 that holds every color. */
static void test_width_of_colors(void **state) {
  (void)state;
  static const struct {
    int32_t n, bound, colors;
    size_t bytes;
  } cases[] = {{256, 0, 256, 1}, {257, 0, 257, 2}, {257, 256, 256, 1}, {70000, 65536, 65536, 2},
               {70000, 0, 70000, 4}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    fixture_t self;
    fixture_open(&self, cases[i].n);
    self.config.color_bound = cases[i].bound;
    prism_store_t *store = NULL;
    assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
    give(store, cases[i].n, cases[i].colors, 1);
    assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
    hid_t file = open_run(self.run);
    hid_t table = H5Dopen2(file, "/solutions/colors", H5P_DEFAULT);
    hid_t type = H5Dget_type(table);
    assert_int_equal(H5Tget_size(type), cases[i].bytes);
    int32_t *color = NULL;
    assert_int_equal(PRISM_ALLOC(cases[i].n, &color), PRISM_OK);
    assert_true(H5Dread(table, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, color) >= 0);
    assert_int_equal(color[0], cases[i].colors - 1);
    assert_int_equal(color[cases[i].colors - 1], 0);
    prism_free(color);
    H5Tclose(type);
    H5Dclose(table);
    H5Fclose(file);
    fixture_close(&self);
  }
}

static void check_metrics(const char *path, int64_t rows) {
  hid_t file = open_run(path);
  assert_int_equal(row_count(file, "/telemetry/metrics"), rows);
  int64_t *number = NULL;
  assert_int_equal(PRISM_ALLOC(rows, &number), PRISM_OK);
  read_column(file, "/telemetry/metrics", "iterations", H5T_NATIVE_INT64, 0, number);
  for (int64_t i = 0; i < rows; ++i) assert_int_equal(number[i], i);
  prism_free(number);
  assert_int_equal(row_count(file, "/summary"), 1);
  H5Fclose(file);
}

static void push(prism_store_t *store, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; ++i) {
    prism_metric_t metric = fixture_metric(i);
    assert_true(prism_store_metric(store, &metric));
  }
}

/* Writes fail for a while: one warning a file, and nothing is missing afterwards. */
static void outage(fixture_t *self, void (*begin)(fixture_t *), void (*end)(fixture_t *)) {
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self->config, &store), PRISM_OK);
  push(store, 0, 1000);
  give(store, 300, 9, 1);
  fixture_wait_flushed(store, PRISM_RECORD_METRIC, 1000);
  fixture_wait_flushed(store, PRISM_RECORD_SOLUTION, 1);
  begin(self);
  push(store, 1000, 3000);
  give(store, 300, 8, 2);
  fixture_wait_failures(store, 6);
  push(store, 3000, 4000);
  int64_t lost = 0, failures = 0;
  prism_store_losses(store, &lost, &failures);
  assert_int_equal(lost, 0);
  assert_true(prism_store_flushed(store, PRISM_RECORD_METRIC) < 3000);
  end(self);
  fixture_wait_flushed(store, PRISM_RECORD_METRIC, 4000);
  push(store, 4000, 4100);
  prism_summary_row_t summary;
  prism_record_blank(PRISM_RECORD_SUMMARY, &summary);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  assert_int_equal(summary.records_lost, 0);
  assert_true(summary.write_failures >= 6);
  assert_in_range(atomic_load(&self->warnings), 1, 3);
  check_metrics(self->run, 4100);
  char *text = fixture_read(self->jsonl, NULL);
  assert_int_equal(fixture_lines(text, "{\"record\":\"metric\""), 4100);
  assert_int_equal(fixture_lines(text, "{\"record\":\"solution\""), 2);
  assert_int_equal(fixture_lines(text, "{\"record\":\""), 4104);
  assert_int_equal(fixture_lines(text, ""), 4104); /* no torn line in between */
  prism_free(text);
  text = fixture_read(self->sol, NULL);
  assert_non_null(strstr(text, "s col 8\n"));
  prism_free(text);
}

static struct rlimit unlimited;

static void limit_begin(fixture_t *self) {
  (void)self;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  struct rlimit limit = unlimited;
  limit.rlim_cur = 700;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void limit_end(fixture_t *self) {
  (void)self;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
}

static void test_file_size_limit_for_a_while(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 300);
  outage(&self, limit_begin, limit_end);
  fixture_close(&self);
}

static void fill_begin(fixture_t *self) {
  static const char block[4096] = {1};
  char path[96];
  snprintf(path, sizeof path, "%s/filler", self->folder);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  setvbuf(file, NULL, _IONBF, 0);
  while (fwrite(block, 1, sizeof block, file) == sizeof block) {
  }
  fclose(file);
}

static void fill_end(fixture_t *self) {
  char path[96];
  snprintf(path, sizeof path, "%s/filler", self->folder);
  assert_int_equal(unlink(path), 0);
}

/* A small file system of our own; false where that is not allowed. */
static bool mount_small(const char *folder) {
  if (unshare(CLONE_NEWNS) != 0) return false;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return false;
  return mount("tmpfs", folder, "tmpfs", 0, "size=8m") == 0;
}

static void test_full_disk_for_a_while(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 300);
  if (!mount_small(self.folder)) {
    fixture_close(&self);
    print_message("no right to mount a tmpfs here\n");
    skip();
  }
  outage(&self, fill_begin, fill_end);
  assert_int_equal(umount2(self.folder, MNT_DETACH), 0);
  fixture_close(&self);
}

/* The disk stays full: what was flushed stays readable, the caller hears of the .sol. */
static void test_full_to_the_end(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 300);
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  push(store, 0, 100);
  give(store, 300, 9, 1);
  fixture_wait_flushed(store, PRISM_RECORD_METRIC, 100);
  fixture_wait_flushed(store, PRISM_RECORD_SOLUTION, 1);
  limit_begin(&self);
  push(store, 100, 3000);
  give(store, 300, 8, 2);
  fixture_wait_failures(store, 3);
  prism_summary_row_t summary;
  prism_record_blank(PRISM_RECORD_SUMMARY, &summary);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_STORAGE);
  limit_end(&self);
  assert_true(summary.records_lost >= 2900);
  hid_t file = H5Fopen(self.run, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, H5P_DEFAULT);
  assert_true(file >= 0);
  assert_int_equal(row_count(file, "/telemetry/metrics"), 100);
  H5Fclose(file);
  char *text = fixture_read(self.sol, NULL); /* the old one, whole */
  assert_non_null(strstr(text, "s col 9\n"));
  prism_free(text);
  text = fixture_read(self.jsonl, NULL);
  assert_int_equal(text[strlen(text) - 1], '\n');
  prism_free(text);
  fixture_close(&self);
}

int main(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_object_of_the_schema),
      cmocka_unit_test(test_another_object_in_its_place),
      cmocka_unit_test(test_rows_read_back),
      cmocka_unit_test(test_width_of_colors),
      cmocka_unit_test(test_file_size_limit_for_a_while),
      cmocka_unit_test(test_full_disk_for_a_while),
      cmocka_unit_test(test_full_to_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
