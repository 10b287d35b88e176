/* Files that are not a whole checkpoint of this graph are refused with the reason, whatever is
 * in them. */
#include <sys/wait.h>
#include <time.h>

#include "checkpoint_fixture.h"

static void expect_refused(const char *path, const prism_checkpoint_graph_t *graph,
                           prism_status_t expected, const char *reason) {
  prism_checkpoint_reader_t *reader = NULL;
  assert_int_equal(prism_checkpoint_open(path, graph, &reader), expected);
  assert_null(reader);
  if (strstr(prism_error_text(), reason) == NULL)
    fail_msg("\"%s\" is not in: %s", reason, prism_error_text());
  assert_non_null(strstr(prism_error_text(), path));
}

/* Make the seal fit what the file holds, in any schema. */
static void seal_again(char *data, size_t size, int schema) {
  char start[256], digest[PRISM_SHA256_HEX];
  int length = snprintf(start, sizeof start, "prism-dist checkpoint\nschema %d\nsize %zu\n", schema,
                        size);
  prism_sha256_t hash;
  prism_sha256_begin(&hash);
  prism_sha256_add(&hash, start, (size_t)length);
  prism_sha256_add(&hash, data + 512, size - 512);
  prism_sha256_end(&hash, digest);
  memset(data, 0, 512);
  snprintf(data, 512, "%ssha256 %s\n", start, digest);
}

static void test_refusals(void **state) {
  (void)state;
  sample_t sample;
  sample_make(&sample, &small, 8);
  char path[512];
  snprintf(path, sizeof path, "%s", temp_path("good.ckpt"));
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  prism_checkpoint_graph_t graph = {sample.head.graph_hash, sample.head.n, sample.head.m};
  prism_checkpoint_graph_t other = graph;
  other.hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  expect_refused(path, &other, PRISM_INVALID, "of another graph: gr\xc3\xa4ph_40 with 40 vertices");
  assert_non_null(strstr(prism_error_text(), "0123456789abcdef..."));
  other = graph;
  other.n = 41;
  expect_refused(path, &other, PRISM_FORMAT, "40 vertices");

  size_t size = 0;
  char *data = fixture_read(path, &size), *copy = room(size, 1);
  expect_refused(temp_write("cut.ckpt", data, size - 1), &graph, PRISM_FORMAT, "bytes instead of");
  expect_refused(temp_write("cut.ckpt", data, 300), &graph, PRISM_FORMAT, "bytes instead of");
  expect_refused(temp_write("cut.ckpt", data, 20), &graph, PRISM_FORMAT, "first 512 bytes");
  expect_refused(temp_write("cut.ckpt", data, 0), &graph, PRISM_FORMAT, "it is empty");
  expect_refused(temp_write("h5.ckpt", data + 512, size - 512), &graph, PRISM_FORMAT,
                 "another HDF5 file");
  expect_refused(temp_write_text("text.ckpt", "p col 3 2\ne 1 2\ne 2 3\n"), &graph, PRISM_FORMAT,
                 "not a checkpoint of prism-dist");
  expect_refused(temp_path("nowhere.ckpt"), &graph, PRISM_IO, "No such file");
  expect_refused(temp_folder, &graph, PRISM_IO, "not a regular file");
  memcpy(copy, data, size);
  memset(copy, 0, 512);
  expect_refused(temp_write("open.ckpt", copy, size), &graph, PRISM_FORMAT, "not a complete");
  memcpy(copy, data, size);
  copy[size / 2] ^= 1;
  expect_refused(temp_write("flip.ckpt", copy, size), &graph, PRISM_FORMAT, "not as written");
  memcpy(copy, data, size);
  seal_again(copy, size, 7);
  expect_refused(temp_write("new.ckpt", copy, size), &graph, PRISM_UNSUPPORTED,
                 "schema 7, this program knows schemas up to 1");
  seal_again(copy, size, 0);
  expect_refused(temp_write("old.ckpt", copy, size), &graph, PRISM_FORMAT, "schema 0");
  seal_again(copy, size, 1);
  assert_memory_equal(copy, data, size);
  prism_free(copy);
  prism_free(data);
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_previous_is_offered(void **state) {
  (void)state;
  char path[512], offer[1100];
  snprintf(path, sizeof path, "%s", temp_path("offer.ckpt"));
  snprintf(offer, sizeof offer, "; the previous checkpoint %s.1 is intact: --resume %s.1", path,
           path);
  sample_t sample;
  sample_make(&sample, &small, 15);
  prism_checkpoint_graph_t graph = {sample.head.graph_hash, sample.head.n, sample.head.m};
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  assert_int_equal(truncate(path, 4000), 0);
  expect_refused(path, &graph, PRISM_FORMAT, offer);
  assert_int_equal(unlink(path), 0);
  expect_refused(path, &graph, PRISM_IO, offer);
  prism_checkpoint_graph_t other = graph;
  other.hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  expect_refused(path, &other, PRISM_IO, "No such file"); /* the previous one would not do */
  assert_null(strstr(prism_error_text(), "--resume"));
  snprintf(offer, sizeof offer, "%s.1", path);
  assert_int_equal(truncate(offer, 4000), 0);
  expect_refused(path, &graph, PRISM_IO, "No such file");
  assert_null(strstr(prism_error_text(), "--resume"));
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Bytes of a real file flipped, overwritten or cut off. */
static void test_damage_is_noticed(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  sample_t sample;
  sample_make(&sample, &small, 21);
  char path[512];
  snprintf(path, sizeof path, "%s", temp_path("damage.ckpt"));
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  size_t size = 0;
  char *data = fixture_read(path, &size), *copy = room(size, 1);
  for (int trial = 0; trial < 300; ++trial) {
    memcpy(copy, data, size);
    size_t at = trial % 3 == 0 ? draw(&seed) % 512 : draw(&seed) % size, left = size;
    if (trial % 5 == 4)
      left = at;
    else if (trial % 5 == 3)
      for (size_t i = at; i < size && i < at + 100; ++i) copy[i] = (char)draw(&seed);
    else
      copy[at] = (char)(copy[at] ^ (char)(1u << draw(&seed) % 8));
    temp_write("damage.ckpt", copy, left);
    bool same = false;
    prism_status_t status = sample_compare(&sample, path, &same);
    bool changed = left < size || memcmp(copy, data, size) != 0;
    assert_int_equal(status, changed ? PRISM_FORMAT : PRISM_OK);
    assert_int_equal(same, !changed);
  }
  prism_free(copy);
  prism_free(data);
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

enum { SEALED_TRIALS = 300, GOOD = 0, WRONG_STATUS = 1, LEAK = 2 };

static int sealed_damage(uint64_t seed) {
  sample_t sample;
  sample_make(&sample, &small, 22);
  char path[512];
  snprintf(path, sizeof path, "%s", temp_path("sealed.ckpt"));
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  size_t size = 0;
  char *data = fixture_read(path, &size), *copy = room(size, 1);
  int result = GOOD;
  for (int trial = 0; trial < SEALED_TRIALS && result == GOOD; ++trial) {
    memcpy(copy, data, size);
    for (uint64_t flips = 1 + draw(&seed) % 3; flips > 0; --flips) {
      size_t at = 512 + draw(&seed) % (size - 512);
      copy[at] = (char)(copy[at] ^ (char)(1u << draw(&seed) % 8));
    }
    seal_again(copy, size, 1);
    temp_write("sealed.ckpt", copy, size);
    bool same = false;
    prism_status_t status = sample_compare(&sample, path, &same);
    if (status != PRISM_OK && status != PRISM_FORMAT && status != PRISM_INVALID)
      result = WRONG_STATUS;
  }
  prism_free(copy);
  prism_free(data);
  sample_release(&sample);
  return result == GOOD && prism_mem_live_blocks() != 0 ? LEAK : result;
}

/* Damage with a seal that fits, as made on purpose: whatever comes out, it is an error or
 * contents within bounds. In a process of its own: HDF5 itself loses memory over such files. */
static void test_sealed_damage_is_survived(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(sealed_damage(seed));
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), GOOD);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_previous_is_offered),
      cmocka_unit_test(test_damage_is_noticed),
      cmocka_unit_test(test_sealed_damage_is_survived),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
