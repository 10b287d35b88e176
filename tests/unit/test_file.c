/* Whole-file replacement, folders, growing texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "temp_file.h"

static size_t read_back(const char *path, char *data, size_t room) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return SIZE_MAX;
  size_t size = fread(data, 1, room, file);
  fclose(file);
  return size;
}

static void replace_writes_and_overwrites(void **state) {
  (void)state;
  static char large[300000], back[300001];
  for (size_t i = 0; i < sizeof large; ++i) large[i] = (char)(i % 251);
  const char *path = temp_path("r");
  assert_false(prism_file_exists(path));
  assert_int_equal(prism_file_replace(path, large, sizeof large), PRISM_OK);
  assert_true(prism_file_exists(path));
  assert_int_equal(read_back(path, back, sizeof back), sizeof large);
  assert_memory_equal(back, large, sizeof large);
  assert_int_equal(prism_file_replace(path, "short", 5), PRISM_OK);
  assert_int_equal(read_back(path, back, sizeof back), 5);
  assert_memory_equal(back, "short", 5);
  assert_int_equal(prism_file_replace(path, NULL, 0), PRISM_OK);
  assert_int_equal(read_back(path, back, sizeof back), 0);
  assert_false(prism_file_exists(temp_path("r.tmp")));
}

/* A path without a folder part means the current folder. */
static void replace_in_current_folder(void **state) {
  (void)state;
  char before[4096], back[8];
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(temp_folder), 0);
  assert_int_equal(prism_file_replace("plain", "x", 1), PRISM_OK);
  assert_int_equal(prism_file_check_writable("plain"), PRISM_OK);
  assert_int_equal(read_back("plain", back, sizeof back), 1);
  assert_int_equal(chdir(before), 0);
}

static void failures_leave_nothing(void **state) {
  (void)state;
  assert_int_equal(prism_file_replace(temp_path("no/such/folder"), "x", 1), PRISM_STORAGE);
  assert_non_null(strstr(prism_error_text(), "No such file"));
  const char *folder = temp_path("occupied");
  assert_int_equal(mkdir(folder, 0777), 0);
  assert_int_equal(prism_file_replace(folder, "x", 1), PRISM_STORAGE); /* rename cannot */
  assert_non_null(strstr(prism_error_text(), "rename"));
  assert_false(prism_file_exists(temp_path("occupied.tmp")));
  assert_true(prism_file_exists(folder));
}

static void full_disk_is_reported(void **state) {
  (void)state;
  if (access("/dev/full", W_OK) != 0) skip();
  /* PATH.tmp is a link to a device that is always full. */
  assert_int_equal(symlink("/dev/full", temp_path("full.tmp")), 0);
  assert_int_equal(prism_file_replace(temp_path("full"), "data", 4), PRISM_STORAGE);
  assert_non_null(strstr(prism_error_text(), "No space left"));
  assert_false(prism_file_exists(temp_path("full")));
  assert_false(prism_file_exists(temp_path("full.tmp")));
}

static void folders_are_made_with_parents(void **state) {
  (void)state;
  struct stat info;
  const char *deep = temp_path("a/b//c/");
  assert_int_equal(prism_file_make_folders(deep), PRISM_OK);
  assert_int_equal(prism_file_make_folders(deep), PRISM_OK);
  assert_int_equal(stat(deep, &info), 0);
  assert_true(S_ISDIR(info.st_mode));
  assert_int_equal(prism_file_make_folders("/"), PRISM_OK);
  assert_int_equal(prism_file_make_folders(""), PRISM_IO);
  temp_write_text("f", "");
  assert_int_equal(prism_file_make_folders(temp_path("f/below")), PRISM_IO);
  assert_non_null(strstr(prism_error_text(), "a file of that name exists"));
  assert_int_equal(prism_file_make_folders("/proc/prism-test"), PRISM_IO);
}

static void writable_is_tried_not_guessed(void **state) {
  (void)state;
  const char *fresh = temp_path("w/x/out.h5");
  assert_int_equal(prism_file_check_writable(fresh), PRISM_OK);
  assert_false(prism_file_exists(fresh));
  assert_true(prism_file_exists(temp_path("w/x")));
  temp_write_text("w/x/out.h5", "kept");
  assert_int_equal(prism_file_check_writable(fresh), PRISM_OK);
  char back[8];
  assert_int_equal(read_back(fresh, back, sizeof back), 4);
  assert_int_equal(prism_file_check_writable(temp_path("w/x")), PRISM_IO);
  assert_non_null(strstr(prism_error_text(), "folder"));
  assert_int_equal(prism_file_check_writable(temp_path("w/x/out.h5/y")), PRISM_IO);
  assert_int_equal(prism_file_check_writable(temp_path("w/new/")), PRISM_IO);
  assert_int_equal(prism_file_check_writable("/proc/prism-test"), PRISM_IO);
  assert_int_equal(prism_file_check_writable("/dev/null"), PRISM_IO);
  assert_int_equal(prism_file_check_writable(""), PRISM_IO);
  assert_int_equal(rmdir(temp_path("w/new")), 0); /* no probe was left behind */
}

static void texts_grow(void **state) {
  (void)state;
  char *text = NULL;
  assert_int_equal(prism_string_format(&text, "%s-%d", "a", 7), PRISM_OK);
  assert_string_equal(text, "a-7");
  prism_free(text);
  assert_int_equal(prism_string_format(&text, "%s", ""), PRISM_OK);
  assert_string_equal(text, "");
  prism_free(text);
  prism_text_t buffer = {0};
  char expected[4000];
  size_t used = 0;
  for (int i = 0; i < 500; ++i) {
    assert_int_equal(prism_text_add(&buffer, "%d,", i), PRISM_OK);
    used += (size_t)snprintf(expected + used, sizeof expected - used, "%d,", i);
    assert_int_equal(buffer.length, used);
    assert_string_equal(buffer.data, expected);
  }
  prism_text_free(&buffer);
  assert_null(buffer.data);
  prism_text_free(&buffer);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void endings_are_not_whole_names(void **state) {
  (void)state;
  assert_true(prism_file_ends_with("D/X.ckpt.h5", ".h5"));
  assert_true(prism_file_ends_with("X.ckpt.h5", ".ckpt.h5"));
  assert_false(prism_file_ends_with("X.h5", ".ckpt.h5"));
  assert_false(prism_file_ends_with("X.h5.tmp", ".h5"));
  assert_false(prism_file_ends_with(".h5", ".h5"));
  assert_false(prism_file_ends_with("", ".h5"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(replace_writes_and_overwrites),
      cmocka_unit_test(replace_in_current_folder),
      cmocka_unit_test(failures_leave_nothing),
      cmocka_unit_test(full_disk_is_reported),
      cmocka_unit_test(folders_are_made_with_parents),
      cmocka_unit_test(writable_is_tried_not_guessed),
      cmocka_unit_test(texts_grow),
      cmocka_unit_test(endings_are_not_whole_names),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
