#include "app/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "solve/solve.h"

/* A handler has no other way to be heard. */
static atomic_int received, wish;
static atomic_bool heard; /* the search takes wishes */

/* A batch system says TERM through its launcher and once more itself, which is no wish to end
 * at once: what comes within this time of the first is the same one. */
enum { ECHO_MS = 1000 };
static _Atomic(int64_t) term_ms; /* of the first TERM; 0: none */

static int64_t now_ms(void) {
  struct timespec now;
  return clock_gettime(CLOCK_MONOTONIC, &now) == 0 ? now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1
                                                   : 0;
}

static void on_stop(int number) {
  const int64_t now = now_ms();
  int64_t first = 0;
  bool echo = number == SIGTERM && !atomic_compare_exchange_strong(&term_ms, &first, now) &&
              now - first < ECHO_MS;
  int before = 0;
  if (atomic_compare_exchange_strong(&received, &before, number)) return;
  /* It says TERM some time after USR2: that is the first of its kind. */
  if (before == SIGUSR2 && atomic_compare_exchange_strong(&received, &before, number)) return;
  if (!echo) _exit(128 + number);
}

/* A USR2 that nobody could hear becomes a wish. */
static void turn_to_wish(void) {
  int early = SIGUSR2;
  if (atomic_compare_exchange_strong(&received, &early, 0))
    atomic_store(&wish, PRISM_WISH_SAVE_STOP);
}

static void on_wish(int number) {
  int none = PRISM_WISH_NONE;
  if (number == SIGUSR1) {
    atomic_compare_exchange_strong(&wish, &none, PRISM_WISH_SAVE); /* a greater one stands */
  } else if (atomic_load(&heard)) {
    atomic_store(&wish, PRISM_WISH_SAVE_STOP);
  } else {
    atomic_compare_exchange_strong(&received, &none, number);
    if (atomic_load(&heard)) turn_to_wish(); /* since just now */
  }
}

static int handle(int number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART; /* files are read and written by code that expects no EINTR */
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, NULL);
}

prism_status_t prism_signals_install(void) {
  /* a closed pipe shows as a failed write instead */
  if (handle(SIGINT, on_stop) != 0 || handle(SIGTERM, on_stop) != 0 ||
      handle(SIGUSR1, on_wish) != 0 || handle(SIGUSR2, on_wish) != 0 ||
      handle(SIGPIPE, SIG_IGN) != 0) {
    PRISM_FAIL(PRISM_INTERNAL, "signal handlers: %s", strerror(errno));
  }
  return PRISM_OK;
}

const atomic_int *prism_signals_flag(void) { return &received; }

atomic_int *prism_signals_wishes(void) {
  atomic_store(&heard, true);
  turn_to_wish();
  return &wish;
}
