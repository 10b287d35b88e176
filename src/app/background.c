#include "app/background.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { BEAT_NANOSECONDS = 50 * 1000 * 1000 };

struct prism_background {
  prism_task_t task;
  void *argument;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool done;
  bool abandoned; /* the worker then releases the job */
  prism_status_t status;
  char text[1024];
  pthread_t thread;
};

typedef prism_background_t job_t;

static void job_release(job_t *job) {
  pthread_cond_destroy(&job->changed);
  pthread_mutex_destroy(&job->lock);
  prism_free(job);
}

static void *job_main(void *argument) {
  job_t *job = argument;
  prism_status_t status = job->task(job->argument);
  pthread_mutex_lock(&job->lock);
  job->status = status;
  if (status != PRISM_OK) {
    strncpy(job->text, prism_error_text(), sizeof job->text - 1);
  }
  job->done = true;
  bool abandoned = job->abandoned;
  pthread_cond_signal(&job->changed);
  pthread_mutex_unlock(&job->lock);
  if (abandoned) job_release(job);
  return NULL;
}

/* Wait a moment for the worker; true when it is done. */
static bool job_wait(job_t *job) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += BEAT_NANOSECONDS;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_nsec -= 1000000000L;
    ++until.tv_sec;
  }
  pthread_mutex_lock(&job->lock);
  if (!job->done) pthread_cond_timedwait(&job->changed, &job->lock, &until);
  bool done = job->done;
  pthread_mutex_unlock(&job->lock);
  return done;
}

/* Leave the worker to itself, unless it has just ended; was it left? */
static bool job_abandon(job_t *job) {
  pthread_t thread = job->thread; /* an abandoned worker may release the job at once */
  pthread_mutex_lock(&job->lock);
  bool done = job->done;
  job->abandoned = !done;
  pthread_mutex_unlock(&job->lock);
  if (done) {
    pthread_join(thread, NULL);
    job_release(job);
  } else {
    pthread_detach(thread);
  }
  return !done;
}

prism_status_t prism_background_start(prism_task_t task, void *argument,
                                      prism_background_t **out) {
  job_t *job;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &job));
  job->task = task;
  job->argument = argument;
  pthread_mutex_init(&job->lock, NULL);
  pthread_cond_init(&job->changed, NULL);
  if (pthread_create(&job->thread, NULL, job_main, job) != 0) {
    job_release(job);
    PRISM_FAIL(PRISM_MEMORY, "a thread could not be started");
  }
  *out = job;
  return PRISM_OK;
}

prism_status_t prism_background_join(prism_background_t **background) {
  job_t *job = *background;
  if (job == NULL) return PRISM_OK;
  pthread_join(job->thread, NULL);
  prism_status_t status = job->status;
  if (status != PRISM_OK) {
    prism_error_set(status, job->text);
    prism_error_frame(__FILE__, __LINE__, __func__);
  }
  job_release(job);
  *background = NULL;
  return status;
}

bool prism_background_leave(prism_background_t **background) {
  job_t *job = *background;
  *background = NULL;
  return job != NULL && job_abandon(job);
}

prism_status_t prism_background_await(prism_background_t **background, prism_comm_t *comm,
                                      const atomic_int *interrupt, bool *abandoned) {
  if (abandoned != NULL) *abandoned = false;
  while (*background != NULL && !job_wait(*background)) {
    if (interrupt != NULL && atomic_load(interrupt) != 0) {
      *abandoned = prism_background_leave(background);
      PRISM_FAIL(PRISM_INTERRUPTED, "interrupted");
    }
    prism_status_t beat = comm->ops->heartbeat(comm->self);
    /* A worker that may be left behind is not waited for when a rank is lost. */
    if (beat == PRISM_OK && interrupt != NULL) beat = comm->ops->check_peers(comm->self);
    if (beat != PRISM_OK && interrupt != NULL) {
      *abandoned = prism_background_leave(background);
      PRISM_TRY(beat);
    }
  }
  return prism_background_join(background);
}

prism_status_t prism_background_run(prism_comm_t *comm, const atomic_int *interrupt,
                                    prism_task_t task, void *argument, bool *abandoned) {
  job_t *job = NULL;
  if (abandoned != NULL) *abandoned = false;
  PRISM_TRY(prism_background_start(task, argument, &job));
  return prism_background_await(&job, comm, interrupt, abandoned);
}
