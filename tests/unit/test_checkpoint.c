/* The checkpoint file: what is written is what is read, nothing wrong is written, and the file
 * before it is kept. */
#include <time.h>

#include "checkpoint_fixture.h"

static void test_round_trip(void **state) {
  (void)state;
  static const shape_t shapes[] = {
      {40, 13, 20, 3, 5, 4, 2, 50},
      {1, 0, 1, 1, 1, 1, 1, 0},
      {7, 7, 3, 2, 2, 2, 3, 9},            /* nothing left to search */
      {300, 0, 255, 2, 4, 9, 1, 300},      /* the last bound of one byte */
      {300, 44, 256, 2, 4, 9, 4, 300},     /* the first of two */
      {1000, 1, 65535, 2, 3, 40, 3, 4096},
      {70000, 500, 65536, 2, 3, 4, 2, 100},
      {70000, 66000, 70000, 1, 4, 2, 2, 100000},
      {50, 5, 9, 0, 200, 1, 70, 30},       /* more islands and ranks than a chunk has rows */
      {6, 1, 4, 3000, 1, 50, 1, 10},
      {5, 2, 3, 1, 0, 0, 1, 0},            /* no islands */
      {20, 0, 4, 1, 2, 9000, 1, 70000}};   /* a state is handed over in pieces */
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i) {
    sample_t sample;
    sample_make(&sample, &shapes[i], seed + i);
    const char *path = temp_path("round.ckpt");
    assert_int_equal(sample_save(&sample, path), PRISM_OK);
    assert_holds(&sample, path);
    assert_false(prism_file_exists(temp_path("round.ckpt.tmp")));
    assert_false(prism_file_exists(temp_path("round.ckpt.1.tmp")));
    sample_release(&sample);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Rows and bytes given and read back in pieces that do not match. */
static void test_pieces(void **state) {
  (void)state;
  enum { N = 27, ROWS = 100, SIZE = 1000, K = 20 };
  sample_t sample;
  sample_make(&sample, &small, 77);
  prism_checkpoint_t *checkpoint = NULL;
  const char *path = temp_path("pieces.ckpt");
  assert_int_equal(prism_checkpoint_begin(path, &sample.head, &checkpoint), PRISM_OK);
  prism_checkpoint_island_t island = {.id = 0, .rank = 1, .engine = "cuda", .version = 3, .k = K,
                                      .rows = ROWS, .size = SIZE};
  uint64_t seed = 5;
  static int32_t color[ROWS * N], back[ROWS * N];
  static uint8_t method[ROWS], packed[ROWS * N], bytes[SIZE], again[SIZE];
  static int64_t f[ROWS];
  for (int32_t i = 0; i < ROWS * N; ++i) color[i] = between(&seed, -1, K - 1);
  for (int32_t i = 0; i < ROWS; ++i) f[i] = i, method[i] = (uint8_t)(i % PRISM_METHOD_COUNT);
  for (int32_t i = 0; i < SIZE; ++i) bytes[i] = (uint8_t)draw(&seed);
  prism_checkpoint_pack(color, ROWS * N, 1, packed);
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_OK);
  for (int32_t at = 0, step = 1; at < ROWS; at += step, step *= 2) {
    if (step > ROWS - at) step = ROWS - at;
    assert_int_equal(prism_checkpoint_rows(checkpoint, step, method + at, f + at,
                                           packed + at * N), PRISM_OK);
  }
  for (size_t at = 0; at < SIZE; at += 125)
    assert_int_equal(prism_checkpoint_bytes(checkpoint, bytes + at, 125), PRISM_OK);
  assert_int_equal(prism_checkpoint_rank(checkpoint, 0, 1, "ab", 2), PRISM_OK);
  assert_int_equal(prism_checkpoint_rank(checkpoint, 1, 2, NULL, 0), PRISM_OK);
  int64_t size = 0;
  assert_int_equal(prism_checkpoint_commit(&checkpoint, &size), PRISM_OK);
  assert_null(checkpoint);
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(size, info.st_size);

  prism_checkpoint_reader_t *reader = NULL;
  assert_int_equal(prism_checkpoint_open(path, NULL, &reader), PRISM_OK);
  assert_int_equal(prism_checkpoint_islands(reader), 1);
  memset(packed, 99, sizeof packed);
  for (int32_t at = 0; at < ROWS; at += 20)
    assert_int_equal(prism_checkpoint_read_rows(reader, 0, at, 20, method + at, f + at,
                                                packed + at * N), PRISM_OK);
  assert_int_equal(prism_checkpoint_unpack(packed, ROWS * N, 1, K, back), PRISM_OK);
  assert_memory_equal(back, color, sizeof color);
  assert_int_equal(prism_checkpoint_unpack(packed, ROWS * N, 1, K - 1, back), PRISM_FORMAT);
  for (int32_t i = 0; i < ROWS; ++i) assert_int_equal(f[i], i);
  for (size_t at = 0; at < SIZE; at += 50)
    assert_int_equal(prism_checkpoint_read_bytes(reader, 0, at, 50, again + at), PRISM_OK);
  assert_memory_equal(again, bytes, SIZE);
  assert_int_equal(prism_checkpoint_read_rows(reader, 0, 99, 2, method, f, packed), PRISM_INVALID);
  assert_int_equal(prism_checkpoint_read_bytes(reader, 0, 999, 2, again), PRISM_INVALID);
  prism_checkpoint_close(&reader);
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void refused_head(const prism_checkpoint_head_t *head) {
  prism_checkpoint_t *checkpoint = NULL;
  assert_int_equal(prism_checkpoint_begin(temp_path("refused.ckpt"), head, &checkpoint),
                   PRISM_INVALID);
  assert_null(checkpoint);
  assert_false(prism_file_exists(temp_path("refused.ckpt.tmp")));
}

/* What cannot be in a run is not written. */
static void test_wrong_contents_are_not_written(void **state) {
  (void)state;
  sample_t sample;
  sample_make(&sample, &small, 3);
  prism_checkpoint_head_t head = sample.head;
  head.best_k = 1;
  refused_head(&head);
  head = sample.head;
  head.elapsed = -1.0;
  refused_head(&head);
  head = sample.head;
  head.kernel.n += 1;
  refused_head(&head);
  head = sample.head;
  head.graph_hash[9] = 'X';
  refused_head(&head);
  int32_t kept = sample.removed[2];
  sample.removed[2] = sample.removed[3]; /* twice */
  refused_head(&sample.head);
  sample.removed[2] = kept;
  sample.partner[5] = sample.removed[4]; /* has no color yet when it is needed */
  refused_head(&sample.head);
  sample.partner[5] = -1;

  prism_checkpoint_t *checkpoint = NULL;
  const char *path = temp_path("wrong.ckpt");
  assert_int_equal(prism_checkpoint_begin(path, &sample.head, &checkpoint), PRISM_OK);
  prism_checkpoint_island_t island = {.id = 4, .rank = 1, .engine = "cpu", .k = 5, .rows = 2};
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_OK);
  uint8_t method[3] = {0}, packed[3 * 27];
  int64_t f[3] = {0};
  memset(packed, 6, sizeof packed); /* color 5 of 5 */
  assert_int_equal(prism_checkpoint_rows(checkpoint, 1, method, f, packed), PRISM_INVALID);
  memset(packed, 5, sizeof packed);
  assert_int_equal(prism_checkpoint_rows(checkpoint, 3, method, f, packed), PRISM_INVALID);
  assert_int_equal(prism_checkpoint_rows(checkpoint, 1, method, f, packed), PRISM_OK);
  assert_int_equal(prism_checkpoint_bytes(checkpoint, method, 1), PRISM_INVALID);
  island.id = 5;
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_INVALID); /* a row lacks */
  assert_int_equal(prism_checkpoint_rows(checkpoint, 1, method, f, packed), PRISM_OK);
  island.rank = 0;
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_INVALID);
  island = (prism_checkpoint_island_t){.id = 4, .rank = 1, .engine = "cpu"};
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_INVALID); /* twice */
  assert_int_equal(prism_checkpoint_rank(checkpoint, 1, 0, NULL, 0), PRISM_INVALID);
  assert_int_equal(prism_checkpoint_rank(checkpoint, 0, 0, NULL, 0), PRISM_OK);
  assert_true(prism_file_exists(temp_path("wrong.ckpt.tmp")));
  assert_int_equal(prism_checkpoint_commit(&checkpoint, NULL), PRISM_INVALID); /* rank 1 lacks */
  assert_null(checkpoint);
  assert_false(prism_file_exists(path));
  assert_false(prism_file_exists(temp_path("wrong.ckpt.tmp")));
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_previous_is_kept(void **state) {
  (void)state;
  char path[512], previous[520];
  snprintf(path, sizeof path, "%s", temp_path("keep.ckpt"));
  snprintf(previous, sizeof previous, "%s.1", path);
  sample_t sample[4];
  for (uint64_t i = 0; i < 4; ++i) sample_make(&sample[i], &small, 100 + i);
  assert_int_equal(sample_save(&sample[0], path), PRISM_OK);
  assert_false(prism_file_exists(previous));
  assert_int_equal(sample_save(&sample[1], path), PRISM_OK);
  assert_holds(&sample[1], path);
  assert_holds(&sample[0], previous);
  assert_int_equal(sample_save(&sample[2], path), PRISM_OK);
  assert_holds(&sample[2], path);
  assert_holds(&sample[1], previous);

  /* A writer that was killed between the two renames: both names are one file. */
  assert_int_equal(unlink(previous), 0);
  assert_int_equal(link(path, previous), 0);
  temp_write_text("keep.ckpt.tmp", "left over");
  temp_write_text("keep.ckpt.1.tmp", "left over");
  assert_int_equal(sample_save(&sample[3], path), PRISM_OK);
  assert_holds(&sample[3], path);
  assert_holds(&sample[2], previous);
  assert_false(prism_file_exists(temp_path("keep.ckpt.tmp")));
  assert_false(prism_file_exists(temp_path("keep.ckpt.1.tmp")));

  /* One that gave up has changed nothing. */
  prism_checkpoint_t *checkpoint = NULL;
  assert_int_equal(prism_checkpoint_begin(path, &sample[0].head, &checkpoint), PRISM_OK);
  assert_int_equal(sample_write(&sample[0], checkpoint), PRISM_OK);
  prism_checkpoint_abandon(&checkpoint);
  assert_null(checkpoint);
  prism_checkpoint_abandon(&checkpoint);
  assert_holds(&sample[3], path);
  assert_holds(&sample[2], previous);
  assert_false(prism_file_exists(temp_path("keep.ckpt.tmp")));

  /* Both are read at once, while the next one is written. */
  prism_checkpoint_reader_t *reader = NULL;
  assert_int_equal(prism_checkpoint_open(path, NULL, &reader), PRISM_OK);
  assert_int_equal(sample_save(&sample[0], path), PRISM_OK);
  assert_true(same_head(&sample[3], prism_checkpoint_head(reader)));
  bool same = false;
  assert_int_equal(compare_islands(&sample[3], reader, &same), PRISM_OK);
  assert_true(same);
  prism_checkpoint_close(&reader);
  for (int i = 0; i < 4; ++i) sample_release(&sample[i]);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* The run file is written by its own thread at the same time. */
static void test_beside_a_run_file(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 12);
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  sample_t sample;
  sample_make(&sample, &small, 30);
  const char *path = temp_path("beside.ckpt");
  for (int64_t i = 0; i < 200; ++i) {
    prism_metric_t metric = fixture_metric(i);
    assert_true(prism_store_metric(store, &metric));
    if (i % 10 == 9) {
      assert_int_equal(sample_save(&sample, path), PRISM_OK);
      assert_holds(&sample, path);
    }
  }
  prism_summary_row_t summary;
  prism_record_blank(PRISM_RECORD_SUMMARY, &summary);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  assert_int_equal(summary.records_lost, 0);
  assert_int_equal(summary.write_failures, 0);
  sample_release(&sample);
  fixture_close(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_wrong_contents_are_not_written),
      cmocka_unit_test(test_previous_is_kept),
      cmocka_unit_test(test_beside_a_run_file),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
