/* A lane: the stream on which one exchange at a time runs, with what tells its end and how
 * long it took. A small table, so that whoever uses it can be tested without a GPU.
 *
 * All calls but adopt come from one thread. None of them waits for the GPU. */
#ifndef PRISM_CUDA_EXCHANGE_LANE_H
#define PRISM_CUDA_EXCHANGE_LANE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct prism_lane_ops {
  /* What follows runs behind all that stream `behind` has queued (NULL: at once). */
  prism_status_t (*begin)(void *self, void *behind);
  prism_status_t (*copy)(void *self, void *to, const void *from, size_t bytes);
  prism_status_t (*end)(void *self);
  /* Has all between begin and end run? [out] seconds: then, how long. */
  prism_status_t (*ended)(void *self, bool *done, double *seconds);
  /* The calling thread works on the GPU of this lane from now on. */
  void (*adopt)(void *self);
  void (*close)(void *self);
} prism_lane_ops_t;

typedef struct prism_lane {
  const prism_lane_ops_t *ops; /* NULL: there is none */
  void *self;
  void *stream;
} prism_lane_t;

/* On the current device: a stream of the highest priority. PRISM_DEVICE, PRISM_MEMORY. */
prism_status_t prism_lane_create(prism_lane_t *out);

#endif
