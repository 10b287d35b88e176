/* kill -9 at a random moment: the run file opens in SWMR mode with every flushed
 * record, before the kill and after it, and the .jsonl is whole to its last
 * complete line. */
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/rng.h"
#include "store_fixture.h"

enum { TRIALS = 10, VERTICES = 300 };

typedef struct writer {
  pid_t pid;
  int fd; /* its standard output */
  char tail[256];
  int64_t metrics, solutions; /* flushed, as last reported */
} writer_t;

static void writer_start(writer_t *self, const char *stem, uint64_t seed) {
  char number[32];
  snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
  int ends[2];
  memset(self, 0, sizeof *self);
  assert_int_equal(pipe(ends), 0);
  self->pid = fork();
  assert_true(self->pid >= 0);
  if (self->pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl(STORE_WRITER, STORE_WRITER, "stream", stem, number, (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  self->fd = ends[0];
  assert_int_equal(fcntl(self->fd, F_SETFL, O_NONBLOCK), 0);
}

/* Read the reports so far; the last whole line counts. */
static void writer_listen(writer_t *self) {
  char chunk[4096];
  ssize_t got;
  while ((got = read(self->fd, chunk, sizeof chunk)) > 0) {
    for (ssize_t i = 0; i < got; ++i) {
      size_t used = strlen(self->tail);
      assert_true(used + 1 < sizeof self->tail);
      if (chunk[i] != '\n') {
        self->tail[used] = chunk[i];
        self->tail[used + 1] = '\0';
        continue;
      }
      long long metrics, solutions;
      assert_int_equal(sscanf(self->tail, "FLUSHED %lld %lld", &metrics, &solutions), 2);
      self->metrics = metrics;
      self->solutions = solutions;
      self->tail[0] = '\0';
    }
  }
}

static void writer_kill(writer_t *self) {
  int status = 0;
  assert_int_equal(kill(self->pid, SIGKILL), 0);
  assert_int_equal(waitpid(self->pid, &status, 0), self->pid);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  writer_listen(self);
  close(self->fd);
}

/* Column "iterations" of a table holds 0, 1, 2 ... [out] number of rows. */
static int64_t check_numbers(hid_t file, const char *name) {
  hid_t table = H5Dopen2(file, name, H5P_DEFAULT);
  assert_true(table >= 0);
  hid_t space = H5Dget_space(table);
  hsize_t rows = 0;
  assert_true(H5Sget_simple_extent_dims(space, &rows, NULL) == 1);
  int64_t *number = NULL;
  assert_int_equal(PRISM_ALLOC(rows, &number), PRISM_OK);
  hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(int64_t));
  assert_true(H5Tinsert(type, "iterations", 0, H5T_NATIVE_INT64) >= 0);
  hid_t memory = H5Screate_simple(1, &rows, NULL);
  assert_true(H5Dread(table, type, memory, space, H5P_DEFAULT, number) >= 0);
  for (hsize_t i = 0; i < rows; ++i) assert_int_equal(number[i], i);
  prism_free(number);
  H5Sclose(memory);
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(table);
  return (int64_t)rows;
}

/* Row i of the colors: v % (2 + i % 250). */
static void check_colors(hid_t file, int64_t solutions) {
  hid_t table = H5Dopen2(file, "/solutions/colors", H5P_DEFAULT);
  assert_true(table >= 0);
  hid_t space = H5Dget_space(table);
  hsize_t size[2];
  assert_true(H5Sget_simple_extent_dims(space, size, NULL) == 2);
  assert_true((int64_t)size[0] >= solutions);
  hsize_t start[2] = {0, 0}, block[2] = {1, VERTICES};
  hid_t memory = H5Screate_simple(2, block, NULL);
  for (int64_t i = 0; i < solutions; ++i) {
    int32_t color[VERTICES];
    start[0] = (hsize_t)i;
    assert_true(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL) >= 0);
    assert_true(H5Dread(table, H5T_NATIVE_INT32, memory, space, H5P_DEFAULT, color) >= 0);
    for (int32_t v = 0; v < VERTICES; ++v) assert_int_equal(color[v], v % (2 + i % 250));
  }
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(table);
}

/* A reader in SWMR mode. */
static void check_run_file(const char *path, const writer_t *writer) {
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, H5P_DEFAULT);
  assert_true(file >= 0);
  assert_true(check_numbers(file, "/telemetry/metrics") >= writer->metrics);
  int64_t solutions = check_numbers(file, "/solutions/index");
  assert_true(solutions >= writer->solutions);
  check_colors(file, solutions);
  assert_true(H5Fclose(file) >= 0);
}

static void check_jsonl(const char *path, const writer_t *writer) {
  char *text = fixture_read(path, NULL);
  assert_non_null(text);
  char *end = strrchr(text, '\n');
  if (end != NULL) end[1] = '\0';
  if (end == NULL) text[0] = '\0';
  int64_t lines = fixture_lines(text, "");
  assert_int_equal(fixture_lines(text, "{\"record\":\""), lines);
  if (writer->metrics > 0)
    assert_true(fixture_lines(text, "{\"record\":\"metric\"") >= writer->metrics);
  for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
    assert_int_equal(strchr(line, '\n')[-1], '}');
  prism_free(text);
}

static void test_kill_at_random_moments(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)(prism_clock_now() * 1e6);
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  int filled = 0;
  for (int trial = 0; trial < TRIALS; ++trial) {
    fixture_t self;
    fixture_open(&self, 5);
    char stem[96];
    snprintf(stem, sizeof stem, "%s/x", self.folder);
    writer_t writer;
    writer_start(&writer, stem, seed + (uint64_t)trial);
    /* The first two trials hit the start, the others a running writer. */
    double rest = prism_rng_uniform(&rng) * (trial < 2 ? 0.05 : 0.4);
    for (double end = prism_clock_now() + 60.0; trial >= 2 && writer.metrics == 0;) {
      assert_true(prism_clock_now() < end);
      prism_clock_sleep(0.005);
      writer_listen(&writer);
    }
    if (trial >= 2) check_run_file(self.run, &writer); /* while it is being written */
    prism_clock_sleep(rest);
    writer_kill(&writer);
    if (prism_file_exists(self.run)) {
      check_run_file(self.run, &writer);
      check_jsonl(self.jsonl, &writer);
      filled += writer.metrics > 0;
    } else {
      assert_int_equal(writer.metrics, 0);
    }
    prism_store_t *store = NULL; /* the lock died with the process */
    assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
    assert_int_equal(prism_store_close(&store, NULL), PRISM_OK);
    fixture_close(&self);
  }
  assert_true(filled >= TRIALS - 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill_at_random_moments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
