/* What signals do before the search can hear wishes, and from then on. Each case is a process
 * of its own: what was received stays. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/signals.h"
#include "solve/solve.h"

/* Exit code of `body` in a child; 128 + signal when one ended it. */
static int code_of(int (*body)(void)) {
  pid_t child = fork();
  if (child == 0) _exit(prism_signals_install() == PRISM_OK ? body() : 99);
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

static int flag(void) { return atomic_load(prism_signals_flag()); }
static int take(atomic_int *wish) { return atomic_exchange(wish, PRISM_WISH_NONE); }

static int usr1_waits(void) {
  raise(SIGUSR1);
  return flag() == 0 && take(prism_signals_wishes()) == PRISM_WISH_SAVE ? 0 : 1;
}

static int usr2_stops_early(void) {
  raise(SIGUSR2);
  return flag() == SIGUSR2 ? 0 : 1;
}

static int usr2_becomes_a_wish(void) {
  raise(SIGUSR2);
  atomic_int *wish = prism_signals_wishes();
  return flag() == 0 && take(wish) == PRISM_WISH_SAVE_STOP ? 0 : 1;
}

static int wishes_are_heard(void) {
  atomic_int *wish = prism_signals_wishes();
  if (take(wish) != PRISM_WISH_NONE) return 1;
  raise(SIGUSR1);
  if (take(wish) != PRISM_WISH_SAVE) return 2;
  raise(SIGUSR2);
  raise(SIGUSR1); /* the greater one stands */
  if (take(wish) != PRISM_WISH_SAVE_STOP) return 3;
  raise(SIGUSR1);
  raise(SIGUSR2);
  if (take(wish) != PRISM_WISH_SAVE_STOP) return 4;
  return take(wish) == PRISM_WISH_NONE && flag() == 0 ? 0 : 5;
}

static int term_after_usr2(void) {
  raise(SIGUSR2);
  raise(SIGTERM); /* the first of its kind */
  if (flag() != SIGTERM) return 1;
  atomic_int *wish = prism_signals_wishes();
  return flag() == SIGTERM && take(wish) == PRISM_WISH_NONE ? 0 : 2;
}

static int second_term(void) {
  raise(SIGTERM);
  raise(SIGUSR2);
  if (flag() != SIGTERM) return 1;
  raise(SIGINT);
  return 2;
}

/* A batch system's signal, by its launcher and by itself. */
static int term_with_its_echo(void) {
  raise(SIGTERM);
  raise(SIGTERM);
  return flag() == SIGTERM ? 0 : 1;
}

static int term_again(void) {
  raise(SIGTERM);
  usleep(1100000);
  raise(SIGTERM);
  return 1;
}

static void all_cases(void **state) {
  (void)state;
  assert_int_equal(code_of(usr1_waits), 0);
  assert_int_equal(code_of(usr2_stops_early), 0);
  assert_int_equal(code_of(usr2_becomes_a_wish), 0);
  assert_int_equal(code_of(wishes_are_heard), 0);
  assert_int_equal(code_of(term_after_usr2), 0);
  assert_int_equal(code_of(second_term), 130);
  assert_int_equal(code_of(term_with_its_echo), 0);
  assert_int_equal(code_of(term_again), 143);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
