/* Heaviest independent set by simulated annealing (Kirkpatrick, Gelatt & Vecchi 1983): a vertex
 * drawn at random enters and its neighbours leave, by the Metropolis rule on the weight.
 *
 * Weights are whole numbers, so that sums are exact and nothing depends on the order of steps;
 * a step is drawn by its number, so that a search can be cut into pieces anywhere. One thread. */
#ifndef PRISM_SEARCH_HEAVY_SET_H
#define PRISM_SEARCH_HEAVY_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { PRISM_HEAVY_BLOCK = 1024 /* steps of one temperature */ };

typedef struct prism_heavy_set {
  int32_t n;           /* vertices now, 0 .. room */
  int64_t *offset;     /* [room + 1] rows of the graph; set by the caller */
  int32_t *neighbor;   /* [arcs] */
  int32_t *weight;     /* [n] >= 1, their sum at most PRISM_HEAVY_SUM; set by the caller */
  int32_t *load;       /* [n] weight of the neighbours in the set */
  bool *in;            /* [n] the set */
  bool *best;          /* [n] heaviest one of the second half of the steps, or the first one */
  int64_t value, best_value;
  int64_t step, steps; /* done, and of the whole search */
  double hot, cold;    /* temperatures at its ends, in mean weights */
  double mean;         /* weight */
  float *patience;     /* [PRISM_HEAVY_PATIENCE] exponentially distributed numbers */
} prism_heavy_set_t;

enum { PRISM_HEAVY_SUM = 1 << 30, PRISM_HEAVY_PATIENCE = 4096 };

/* Room for a graph of so many vertices and arcs. PRISM_MEMORY: release it all the same. */
prism_status_t prism_heavy_init(prism_heavy_set_t *set, int32_t room, int64_t arcs);
void prism_heavy_release(prism_heavy_set_t *set);

/* Begin a search of `steps` from the independent set in `in`; graph and weights are set, `hot`
 * and `cold` are in mean weights. With `done` steps gone and `best` set: the rest of one that was
 * interrupted. O(n + m). */
void prism_heavy_begin(prism_heavy_set_t *set, int64_t steps, int64_t done, double hot,
                       double cold);

/* Up to `budget` more steps; a stop is looked for every PRISM_HEAVY_BLOCK.
 * [in] seed, individual  of the random stream; position  of step 0 in it. Returns the steps done.
 * O(1) a step, O(sum of the degrees) for one that is made. */
int64_t prism_heavy_run(prism_heavy_set_t *set, int64_t budget, uint64_t seed,
                        uint32_t individual, uint64_t position, const atomic_bool *stop);

#endif
