#include "seam/bell.h"

#include <errno.h>

#include "base/mem.h"
#include "seam/wait.h"

struct prism_bell {
  pthread_mutex_t lock;
  pthread_cond_t rung;
  int64_t waiting; /* under the lock */
};

prism_status_t prism_bell_create(prism_bell_t **out) {
  prism_bell_t *bell = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &bell));
  if (!prism_wait_condition(&bell->rung)) {
    prism_free(bell);
    PRISM_FAIL(PRISM_MEMORY, "the lock of an engine could not be made");
  }
  pthread_mutex_init(&bell->lock, NULL); /* cannot fail with default attributes on Linux */
  *out = bell;
  return PRISM_OK;
}

void prism_bell_destroy(prism_bell_t **bell) {
  if (*bell == NULL) return;
  pthread_cond_destroy(&(*bell)->rung);
  pthread_mutex_destroy(&(*bell)->lock);
  prism_free(*bell);
  *bell = NULL;
}

void prism_bell_ring(prism_bell_t *bell) {
  pthread_mutex_lock(&bell->lock);
  ++bell->waiting;
  pthread_cond_broadcast(&bell->rung);
  pthread_mutex_unlock(&bell->lock);
}

void prism_bell_answer(prism_bell_t *bell) {
  pthread_mutex_lock(&bell->lock);
  --bell->waiting;
  pthread_mutex_unlock(&bell->lock);
}

int64_t prism_bell_wait(prism_bell_t *bell, double seconds) {
  struct timespec until = prism_wait_until(seconds);
  pthread_mutex_lock(&bell->lock);
  while (bell->waiting <= 0 && seconds > 0.0)
    if (pthread_cond_timedwait(&bell->rung, &bell->lock, &until) == ETIMEDOUT) break;
  int64_t waiting = bell->waiting;
  pthread_mutex_unlock(&bell->lock);
  return waiting;
}
