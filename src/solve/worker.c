#include "solve/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ERROR_BYTES = 1024, BEAT_NANOSECONDS = 200000000 };

typedef struct worker {
  prism_worker_fn_t fn;
  void *arg;
  pthread_mutex_t lock;
  pthread_cond_t ended;
  /* Below: under the lock. */
  bool done;
  prism_status_t status;
  char text[ERROR_BYTES]; /* error text is kept per thread: it must be carried over */
} worker_t;

static void *work(void *pointer) {
  worker_t *worker = pointer;
  prism_error_clear();
  prism_status_t status = worker->fn(worker->arg);
  pthread_mutex_lock(&worker->lock);
  worker->status = status;
  snprintf(worker->text, sizeof worker->text, "%s", prism_error_text());
  worker->done = true;
  pthread_cond_signal(&worker->ended);
  pthread_mutex_unlock(&worker->lock);
  return NULL;
}

static prism_status_t fail_system(int code, const char *what) {
  PRISM_FAIL(PRISM_INTERNAL, "%s failed: %s", what, strerror(code));
}

static prism_status_t init_signals(worker_t *worker) {
  pthread_condattr_t attributes;
  int code = pthread_condattr_init(&attributes);
  if (code != 0) return fail_system(code, "pthread_condattr_init");
  code = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  if (code == 0) code = pthread_cond_init(&worker->ended, &attributes);
  pthread_condattr_destroy(&attributes);
  if (code != 0) return fail_system(code, "pthread_cond_init");
  code = pthread_mutex_init(&worker->lock, NULL);
  if (code == 0) return PRISM_OK;
  pthread_cond_destroy(&worker->ended);
  return fail_system(code, "pthread_mutex_init");
}

/* Until the work has ended or one interval has passed. */
static bool wait_interval(worker_t *worker) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += BEAT_NANOSECONDS;
  if (until.tv_nsec >= 1000000000) {
    until.tv_nsec -= 1000000000;
    ++until.tv_sec;
  }
  pthread_mutex_lock(&worker->lock);
  int code = 0;
  while (!worker->done && code == 0)
    code = pthread_cond_timedwait(&worker->ended, &worker->lock, &until);
  bool done = worker->done;
  pthread_mutex_unlock(&worker->lock);
  return done;
}

/* Heartbeats until the end of the work. [out] beat_text of the first that failed */
static prism_status_t beat_until_end(worker_t *worker, const prism_comm_t *comm,
                                     char beat_text[ERROR_BYTES]) {
  prism_status_t beat = PRISM_OK;
  do {
    if (beat != PRISM_OK) continue; /* the work cannot be cut short: only wait for it */
    beat = comm->ops->heartbeat(comm->self);
    if (beat != PRISM_OK) snprintf(beat_text, ERROR_BYTES, "%s", prism_error_text());
  } while (!wait_interval(worker));
  return beat;
}

prism_status_t prism_worker_run(prism_worker_fn_t fn, void *arg, const prism_comm_t *comm) {
  if (comm == NULL || comm->size < 2) {
    PRISM_TRY(fn(arg));
    return PRISM_OK;
  }
  worker_t worker = {.fn = fn, .arg = arg, .status = PRISM_OK};
  PRISM_TRY(init_signals(&worker));
  pthread_t thread;
  char beat_text[ERROR_BYTES] = "";
  prism_status_t status = PRISM_OK;
  int code = pthread_create(&thread, NULL, work, &worker);
  if (code != 0) {
    status = fail_system(code, "starting a thread");
  } else {
    prism_status_t beat = beat_until_end(&worker, comm, beat_text);
    pthread_join(thread, NULL);
    if (worker.status != PRISM_OK) {
      status = prism_error_set(worker.status, worker.text);
    } else if (beat != PRISM_OK) {
      status = prism_error_set(beat, beat_text);
    }
  }
  pthread_mutex_destroy(&worker.lock);
  pthread_cond_destroy(&worker.ended);
  return status;
}

prism_status_t prism_worker_start(pthread_t *thread, void *(*main_fn)(void *), void *arg,
                                  const char *what) {
  static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
  sigset_t all, before;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof own / sizeof own[0]; ++i) sigdelset(&all, own[i]);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int reason = pthread_create(thread, NULL, main_fn, arg);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (reason != 0) PRISM_FAIL(PRISM_MEMORY, "%s cannot start: %s", what, strerror(reason));
  return PRISM_OK;
}
