#include "app/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A handler has no other way to be heard. */
static atomic_int received;

static void on_signal(int number) {
  int none = 0;
  if (!atomic_compare_exchange_strong(&received, &none, number)) _exit(128 + number);
}

prism_status_t prism_signals_install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART; /* files are read and written by code that expects no EINTR */
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0) {
    PRISM_FAIL(PRISM_INTERNAL, "signal handlers: %s", strerror(errno));
  }
  action.sa_handler = SIG_IGN; /* a closed pipe shows as a failed write instead */
  if (sigaction(SIGPIPE, &action, NULL) != 0) {
    PRISM_FAIL(PRISM_INTERNAL, "signal handlers: %s", strerror(errno));
  }
  return PRISM_OK;
}

const atomic_int *prism_signals_flag(void) { return &received; }
