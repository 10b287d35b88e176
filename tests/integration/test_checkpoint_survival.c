/* A writer that finds the disk full, or is killed at any moment, leaves the last file. */
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "checkpoint_fixture.h"

static void test_file_size_limit(void **state) {
  (void)state;
  shape_t large = small;
  large.bytes = 4 << 20;
  sample_t sample, big;
  sample_make(&sample, &small, 40);
  sample_make(&big, &large, 41);
  char path[512];
  snprintf(path, sizeof path, "%s", temp_path("limit.ckpt"));
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  struct rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  for (rlim_t most = 4096; most < 2 << 20; most *= 3) {
    limit = before;
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    prism_status_t status = sample_save(&big, path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, PRISM_STORAGE);
    assert_non_null(strstr(prism_error_text(), "limit.ckpt.tmp cannot be written: File too large"));
    assert_false(prism_file_exists(temp_path("limit.ckpt.tmp")));
    assert_holds(&sample, path);
  }
  signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(sample_save(&big, path), PRISM_OK);
  assert_holds(&big, path);
  sample_release(&sample);
  sample_release(&big);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- A full disk: in a process of its own, with a small file system that ends with it --- */

enum { CHILD_GOOD = 0, CHILD_NOT_ALLOWED = 77 };

/* From here on this process gets an error for two system calls. */
static bool forbid(unsigned one, unsigned other, unsigned error) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* A file system that cannot reserve room: HDF5 itself meets the full disk. */
static bool forbid_fallocate(void) { return forbid(SYS_fallocate, SYS_fallocate, EOPNOTSUPP); }

#ifdef SYS_link
static bool forbid_links(void) { return forbid(SYS_link, SYS_linkat, EPERM); }
#else
static bool forbid_links(void) { return forbid(SYS_linkat, SYS_linkat, EPERM); }
#endif

/* A small file system over `folder` that nobody else sees. */
static bool mount_small(const char *folder) {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("none", folder, "tmpfs", 0, "size=3m") == 0;
}

static int open_files(void) {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static int full_disk_child(const char *folder, bool reserving) {
  if (mkdir(folder, 0777) != 0 || !mount_small(folder)) return CHILD_NOT_ALLOWED;
  if (!reserving && !forbid_fallocate()) return CHILD_NOT_ALLOWED;
  char path[600], temporary[610], previous[610];
  snprintf(path, sizeof path, "%s/x.ckpt", folder);
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  snprintf(previous, sizeof previous, "%s.1", path);
  shape_t large = small;
  large.bytes = 4 << 20;
  large.islands = 9;
  sample_t sample, big;
  sample_make(&sample, &small, 50);
  sample_make(&big, &large, 51);
  bool same = false;
  if (sample_save(&sample, path) != PRISM_OK) return 1;
  int files = open_files();
  for (int trial = 0; trial < 20; ++trial) {
    if (sample_save(&big, path) != PRISM_STORAGE) return 2;
    if (strstr(prism_error_text(), "No space left on device") == NULL) return 3;
    if (prism_file_exists(temporary) || prism_file_exists(previous)) return 4;
    if (sample_compare(&sample, path, &same) != PRISM_OK || !same) return 5;
    if (open_files() != files || H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) != 0) return 6;
  }
  /* What fits is written, as if nothing had been. */
  if (sample_save(&sample, path) != PRISM_OK || !prism_file_exists(previous)) return 7;
  if (sample_compare(&sample, path, &same) != PRISM_OK || !same) return 8;
  sample_release(&sample);
  sample_release(&big);
  return prism_mem_live_blocks() == 0 ? CHILD_GOOD : 9;
}

static void expect_good(pid_t child) {
  int status = 0;
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == CHILD_NOT_ALLOWED) {
    print_message("skipped: this needs rights that are not given here\n");
    skip();
  }
  assert_int_equal(WEXITSTATUS(status), CHILD_GOOD);
}

static void full_disk(const char *name, bool reserving) {
  pid_t child = fork();
  if (child == 0) _exit(full_disk_child(temp_path(name), reserving));
  expect_good(child);
}

static void test_full_disk(void **state) {
  (void)state;
  full_disk("full", true);
}

static void test_full_disk_inside_hdf5(void **state) {
  (void)state;
  full_disk("full_inside", false);
}

/* The previous file is a copy then. */
static int no_links_child(const char *path, const char *previous) {
  if (!forbid_links()) return CHILD_NOT_ALLOWED;
  bool same = false;
  sample_t sample[3];
  for (uint64_t i = 0; i < 3; ++i) {
    sample_make(&sample[i], &small, 60 + i);
    if (sample_save(&sample[i], path) != PRISM_OK) return 1;
    if (sample_compare(&sample[i], path, &same) != PRISM_OK || !same) return 2;
    if (i == 0 ? prism_file_exists(previous)
               : sample_compare(&sample[i - 1], previous, &same) != PRISM_OK || !same)
      return 3;
    if (prism_file_exists(temp_path("linkless.ckpt.1.tmp"))) return 4;
  }
  for (int i = 0; i < 3; ++i) sample_release(&sample[i]);
  return prism_mem_live_blocks() == 0 ? CHILD_GOOD : 9;
}

static void test_file_system_without_links(void **state) {
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    char path[512], previous[520];
    snprintf(path, sizeof path, "%s", temp_path("linkless.ckpt"));
    snprintf(previous, sizeof previous, "%s.1", path);
    _exit(no_links_child(path, previous));
  }
  expect_good(child);
}

/* ---- Killed at any moment --------------------------------------------------------------- */

static const shape_t killed = {500, 100, 90, 4, 6, 40, 3, 20000};

/* Sample i is written as the i-th; the seed of the graph's hash is the same. */
static void killed_sample(sample_t *sample, uint64_t number) {
  sample_make(sample, &killed, 1000 + number);
  memset(sample->head.graph_hash, 'a', 64);
  sample->head.m = 1234;
  sample->head.epoch = (int64_t)number;
}

static void write_forever(const char *path, int pipe_out) {
  for (uint64_t number = 1;; ++number) {
    sample_t sample;
    killed_sample(&sample, number);
    if (sample_save(&sample, path) != PRISM_OK) _exit(1);
    if (write(pipe_out, &number, sizeof number) != sizeof number) _exit(2);
    sample_release(&sample);
  }
}

/* The file is complete and no older than the last that was told, or the one after it. */
static void check_survivor(const char *path, uint64_t told) {
  prism_checkpoint_reader_t *reader = NULL;
  if (prism_checkpoint_open(path, NULL, &reader) != PRISM_OK) fail_msg("%s", prism_error_text());
  uint64_t number = (uint64_t)prism_checkpoint_head(reader)->epoch;
  prism_checkpoint_close(&reader);
  assert_in_range(number, told, told + 1);
  sample_t sample;
  killed_sample(&sample, number);
  assert_holds(&sample, path);
  sample_release(&sample);
  char previous[600];
  snprintf(previous, sizeof previous, "%s.1", path);
  if (number < 2) return;
  /* It may be the same file: the writer was between its two renames. */
  assert_int_equal(prism_checkpoint_open(previous, NULL, &reader), PRISM_OK);
  assert_in_range(prism_checkpoint_head(reader)->epoch, number - 1, number);
  prism_checkpoint_close(&reader);
}

static void test_killed_writer(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  for (int trial = 0; trial < 10; ++trial) {
    char path[512];
    snprintf(path, sizeof path, "%s/killed_%d.ckpt", temp_folder, trial);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      close(ends[0]);
      write_forever(path, ends[1]);
    }
    close(ends[1]);
    uint64_t told = 0, number = 0;
    assert_int_equal(read(ends[0], &told, sizeof told), sizeof told); /* one is there */
    prism_clock_sleep((double)(draw(&seed) % 1000) * 40e-6);
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(ends[0], &number, sizeof number) == sizeof number) told = number;
    close(ends[0]);
    check_survivor(path, told);
    sample_t next; /* what it left behind is in nobody's way */
    killed_sample(&next, 1);
    assert_int_equal(sample_save(&next, path), PRISM_OK);
    assert_holds(&next, path);
    sample_release(&next);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_file_size_limit),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_full_disk_inside_hdf5),
      cmocka_unit_test(test_file_system_without_links),
      cmocka_unit_test(test_killed_writer),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
