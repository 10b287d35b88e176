/* Names of a run's files, which of them are refused, and the lock of a checkpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/lock.h"
#include "app/outputs.h"
#include "base/file.h"
#include "base/mem.h"
#include "temp_file.h"

static prism_params_t params;

static int in_folder(void **state) {
  (void)state;
  prism_params_default(&params);
  prism_error_clear();
  return chdir(temp_folder);
}

/* The name of the checkpoint of run 1. */
static void check_name(const char *expected) {
  prism_stem_t stem;
  prism_outputs_t outputs;
  assert_int_equal(prism_stem_create(&params, "g.col", 5, &stem), PRISM_OK);
  assert_int_equal(prism_outputs_create(&params, &stem, 0, &outputs), PRISM_OK);
  if (expected == NULL)
    assert_null(outputs.checkpoint_path);
  else
    assert_string_equal(outputs.checkpoint_path, expected);
  prism_outputs_release(&outputs);
  prism_stem_release(&stem);
}

static void names(void **state) {
  (void)state;
  strcpy(params.run.output, "d/x.h5");
  check_name("d/x.ckpt.h5");
  params.run.runs = 3;
  check_name("d/x-r001.ckpt.h5");
  strcpy(params.checkpoint.file, "e/y.ckpt.h5");
  check_name("e/y-r001.ckpt.h5");
  strcpy(params.checkpoint.file, "e/y.h5");
  check_name("e/y-r001.h5");
  params.run.runs = 1;
  check_name("e/y.h5");
  /* without a run file the solution is what it lies beside */
  params.checkpoint.file[0] = params.run.output[0] = '\0';
  params.telemetry.enabled = false;
  strcpy(params.run.solution, "d/best.sol");
  check_name("d/best.ckpt.h5");
  strcpy(params.run.solution, "d/best");
  check_name("d/best.ckpt.h5");
  params.checkpoint.enabled = false;
  check_name(NULL);
}

static prism_status_t judge(void) {
  prism_stem_t stem;
  prism_status_t status = prism_stem_create(&params, "g.col", 5, &stem);
  if (status == PRISM_OK) status = prism_outputs_check(&params, &stem, "g.col");
  prism_stem_release(&stem);
  return status;
}

static void check_refused(const char *word) {
  prism_error_clear();
  prism_status_t status = judge();
  if (status != PRISM_INVALID || strstr(prism_error_text(), word) == NULL)
    fail_msg("%s: status %d, %s", word, (int)status, prism_error_text());
}

static void what_is_refused(void **state) {
  (void)state;
  strcpy(params.run.output, "x.h5");
  strcpy(params.checkpoint.file, "x.h5");
  check_refused("two outputs");
  strcpy(params.checkpoint.file, "./x.h5");
  check_refused("two outputs");
  strcpy(params.checkpoint.file, "y");
  check_refused("FILE.h5");
  strcpy(params.checkpoint.file, "d/.h5");
  check_refused("FILE.h5");
  strcpy(params.checkpoint.file, "y.h5");
  assert_int_equal(judge(), PRISM_OK);
  temp_write_text("y.h5", "old");
  check_refused("y.h5: exists already");
  params.run.force = true;
  assert_int_equal(judge(), PRISM_OK);
  temp_write_text("g.col", "p edge 1 0\n");
  assert_int_equal(link("g.col", "g.h5"), 0);
  strcpy(params.checkpoint.file, "g.h5");
  check_refused("graph to be colored");
  /* its stem is taken */
  params.checkpoint.file[0] = '\0';
  params.run.force = false;
  temp_write_text("x.ckpt.h5", "old");
  check_refused("x.ckpt.h5: exists already");
  remove("y.h5");
  remove("g.h5");
  remove("x.ckpt.h5");
}

static void the_file_of_resume(void **state) {
  (void)state;
  temp_write_text("old.ckpt.h5", "a checkpoint");
  strcpy(params.run.output, "x.h5");
  strcpy(params.run.resume, "old.ckpt.h5");
  strcpy(params.checkpoint.file, "old.ckpt.h5"); /* as the options settle it */
  assert_int_equal(judge(), PRISM_OK);
  strcpy(params.checkpoint.file, "./old.ckpt.h5");
  assert_int_equal(judge(), PRISM_OK);
  /* no other output may overwrite it, by force or not */
  strcpy(params.checkpoint.file, "new.h5");
  params.run.force = true;
  strcpy(params.run.output, "old.ckpt.h5");
  check_refused("go on from");
  strcpy(params.run.output, "x.h5");
  strcpy(params.run.solution, "./old.ckpt.h5");
  check_refused("go on from");
  params.run.solution[0] = '\0';
  /* the one before a damaged one has an odd name, and goes on under it */
  temp_write_text("old.ckpt.h5.1", "a checkpoint");
  strcpy(params.run.resume, "old.ckpt.h5.1");
  strcpy(params.checkpoint.file, "old.ckpt.h5.1");
  params.run.force = false;
  assert_int_equal(judge(), PRISM_OK);
  remove("old.ckpt.h5");
  remove("old.ckpt.h5.1");
}

static void a_lock_is_for_one(void **state) {
  (void)state;
  prism_lock_t first, second;
  assert_int_equal(prism_lock_take("c.h5", &first), PRISM_OK);
  if (!first.real) skip();
  assert_true(prism_file_exists("c.h5.lock"));
  assert_int_equal(prism_lock_take("c.h5", &second), PRISM_IO);
  assert_non_null(strstr(prism_error_text(), "c.h5 is in use by another run"));
  prism_lock_release(&second); /* holds nothing */
  assert_true(prism_file_exists("c.h5.lock"));
  prism_lock_release(&first);
  assert_false(prism_file_exists("c.h5.lock"));
  prism_lock_release(&first);
  /* what a killed program leaves locks nothing */
  temp_write_text("c.h5.lock", "");
  assert_int_equal(prism_lock_take("c.h5", &first), PRISM_OK);
  prism_lock_release(&first);
  assert_int_equal(prism_lock_take("none/c.h5", &first), PRISM_IO);
}

/* Processes that take and give back one lock: never two have it at once. */
static void processes_take_turns(void **state) {
  (void)state;
  enum { PROCESSES = 4, ROUNDS = 300 };
  pid_t pid[PROCESSES];
  for (int i = 0; i < PROCESSES; ++i) {
    pid[i] = fork();
    if (pid[i] != 0) continue;
    for (int round = 0; round < ROUNDS;) {
      prism_lock_t lock;
      if (prism_lock_take("t.h5", &lock) != PRISM_OK) continue;
      if (mkdir("inside", 0700) != 0) _exit(1);
      if (rmdir("inside") != 0) _exit(2);
      prism_lock_release(&lock);
      ++round;
    }
    _exit(0);
  }
  for (int i = 0; i < PROCESSES; ++i) {
    int how = -1;
    assert_int_equal(waitpid(pid[i], &how, 0), pid[i]);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(names, in_folder),
      cmocka_unit_test_setup(what_is_refused, in_folder),
      cmocka_unit_test_setup(the_file_of_resume, in_folder),
      cmocka_unit_test_setup(a_lock_is_for_one, in_folder),
      cmocka_unit_test_setup(processes_take_turns, in_folder),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
