#include "app/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

bool prism_watch_look(prism_watch_t *watch, prism_pulse_t *pulse, double seconds,
                      double patience) {
  /* Finished first: what is submitted meanwhile cannot look finished. */
  const long long finished = atomic_load(&pulse->finished);
  const long long submitted = atomic_load(&pulse->submitted);
  const bool quiet = finished == watch->finished && watch->submitted > finished;
  watch->idle = quiet ? watch->idle + seconds : 0.0;
  watch->submitted = submitted;
  watch->finished = finished;
  return watch->idle >= patience;
}

enum { STACK_BYTES = 1 << 20 }; /* it ends the job with calls of MPI */

struct prism_watchdog {
  prism_pulse_t *pulse;
  double patience;
  void (*bark)(void *user, const char *text);
  void *user;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool ended; /* under the lock */
};

/* Between two looks; short against the patience. */
static double step_of(double patience) {
  const double step = patience / 8.0;
  return step < 1.0 ? step : 1.0;
}

/* Wait that long; true: it is to end. */
static bool rest(prism_watchdog_t *self, double seconds) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  const double end = (double)until.tv_nsec * 1e-9 + seconds;
  until.tv_sec += (time_t)end;
  until.tv_nsec = (long)((end - (double)(time_t)end) * 1e9);
  pthread_mutex_lock(&self->lock);
  int code = 0;
  while (!self->ended && code != ETIMEDOUT)
    code = pthread_cond_timedwait(&self->changed, &self->lock, &until);
  const bool ended = self->ended;
  pthread_mutex_unlock(&self->lock);
  return ended;
}

static void *watch_main(void *argument) {
  prism_watchdog_t *self = argument;
  prism_watch_t watch = {0};
  const double step = step_of(self->patience);
  for (double before = prism_clock_now(); !rest(self, step);) {
    const double now = prism_clock_now(), passed = now - before;
    before = now;
    /* What a look comes too late was spent stopped, like all threads of the process. */
    if (!prism_watch_look(&watch, self->pulse, passed < 2.0 * step ? passed : 2.0 * step,
                          self->patience))
      continue;
    char text[160];
    snprintf(text, sizeof text,
             "no work finished for %.4g s (run.watchdog); it ran %s at %d colors",
             self->patience, prism_method_name((prism_method_t)atomic_load(&self->pulse->method)),
             atomic_load(&self->pulse->colors));
    self->bark(self->user, text);
    break;
  }
  return NULL;
}

/* Signals are for the main thread, but for the alarm of prism_startup_abort(). */
static prism_status_t start_thread(prism_watchdog_t *self) {
  sigset_t all, before;
  pthread_attr_t attributes;
  sigfillset(&all);
  sigdelset(&all, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  const int code = pthread_create(&self->thread, &attributes, watch_main, self);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code == 0) return PRISM_OK;
  PRISM_FAIL(PRISM_MEMORY, "no memory for the thread of the watchdog: %s", strerror(code));
}

prism_status_t prism_watchdog_start(prism_pulse_t *pulse, double patience,
                                    void (*bark)(void *user, const char *text), void *user,
                                    prism_watchdog_t **out) {
  *out = NULL;
  if (patience <= 0.0) return PRISM_OK;
  prism_watchdog_t *self;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  *self = (prism_watchdog_t){.pulse = pulse, .patience = patience, .bark = bark, .user = user};
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&self->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&self->lock, NULL);
  prism_status_t status = start_thread(self);
  if (status == PRISM_OK) {
    *out = self;
    return PRISM_OK;
  }
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->lock);
  prism_free(self);
  return status;
}

void prism_watchdog_stop(prism_watchdog_t **watchdog) {
  prism_watchdog_t *self = *watchdog;
  if (self == NULL) return;
  pthread_mutex_lock(&self->lock);
  self->ended = true;
  pthread_cond_signal(&self->changed);
  pthread_mutex_unlock(&self->lock);
  pthread_join(self->thread, NULL);
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->lock);
  prism_free(self);
  *watchdog = NULL;
}
