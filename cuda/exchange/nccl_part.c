/* Parting with a communicator of NCCL. Its abort stops the kernels and then releases what
 * they used, for which it waits for the GPU, joins threads and may wait for other ranks: it
 * can hang where one of these does. Whoever calls it must not. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/mem.h"
#include "exchange/bulk_nccl_parts.h"

enum { UNDER_WAY, ENDED, LEFT };

/* Released by whoever is the second to turn away from it. */
typedef struct parting {
  int (*call)(prism_nccl_comm_t *comm);
  prism_nccl_comm_t **place;
  prism_lane_t lane;
  atomic_int state;
} parting_t;

static void *part(void *argument) {
  parting_t *parting = argument;
  parting->lane.ops->adopt(parting->lane.self); /* else NCCL makes a context on GPU 0 */
  (void)parting->call(*parting->place);
  prism_free(parting->place);
  if (atomic_exchange(&parting->state, ENDED) == LEFT) prism_free(parting);
  return NULL;
}

/* Signals are for the threads of the program. */
static bool start_thread(parting_t *parting, pthread_t *thread) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(thread, NULL, part, parting);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed == 0;
}

bool prism_nccl_part(int (*call)(prism_nccl_comm_t *comm), prism_nccl_comm_t **place,
                     const prism_lane_t *lane, const prism_comm_t *host, double seconds) {
  parting_t *parting = NULL;
  pthread_t thread;
  if (PRISM_ALLOC_ZERO(1, &parting) != PRISM_OK) return false;
  *parting = (parting_t){.call = call, .place = place, .lane = *lane};
  atomic_init(&parting->state, UNDER_WAY);
  if (!start_thread(parting, &thread)) {
    prism_free(parting);
    return false;
  }
  const double deadline = prism_clock_now() + seconds;
  while (atomic_load(&parting->state) == UNDER_WAY && prism_clock_now() < deadline) {
    (void)host->ops->heartbeat(host->self);
    prism_clock_sleep(200e-6);
  }
  if (atomic_exchange(&parting->state, LEFT) == UNDER_WAY) {
    pthread_detach(thread);
    return false;
  }
  pthread_join(thread, NULL);
  prism_free(parting);
  return true;
}
