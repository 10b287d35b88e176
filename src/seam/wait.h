/* Deadlines for pthread_cond_timedwait on CLOCK_MONOTONIC. */
#ifndef PRISM_SEAM_WAIT_H
#define PRISM_SEAM_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* The moment `seconds` from now. */
static inline struct timespec prism_wait_until(double seconds) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  double span = seconds > 1e6 ? 1e6 : seconds;
  t.tv_sec += (time_t)span;
  t.tv_nsec += (long)(1e9 * (span - (double)(time_t)span));
  if (t.tv_nsec >= 1000000000L) {
    t.tv_nsec -= 1000000000L;
    ++t.tv_sec;
  }
  return t;
}

/* A condition whose deadlines are such moments. */
static inline bool prism_wait_condition(pthread_cond_t *condition) {
  pthread_condattr_t attribute;
  if (pthread_condattr_init(&attribute) != 0) return false;
  bool made = pthread_condattr_setclock(&attribute, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(condition, &attribute) == 0;
  pthread_condattr_destroy(&attribute);
  return made;
}

#endif
