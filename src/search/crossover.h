/* Recombination of complete colourings, and how alike two of them are. */
#ifndef PRISM_SEARCH_CROSSOVER_H
#define PRISM_SEARCH_CROSSOVER_H

#include <stdint.h>

#include "base/rng.h"
#include "base/status.h"

/* Scratch for one n and k: made once, used for many crossovers. One thread. */
typedef struct prism_crossover {
  int32_t n, k;
  int32_t *size[2];   /* [k] vertices still unassigned in each class of each parent */
  int32_t *start[2];  /* [k + 1] classes of each parent as lists */
  int32_t *list[2];   /* [n] */
  int32_t *overlap;   /* [k] */
  int32_t *pair;      /* [3 n] overlap cells: weight, class of a, class of b */
  int32_t *bucket;    /* [n + 2] */
} prism_crossover_t;

prism_status_t prism_crossover_init(prism_crossover_t *crossover, int32_t n, int32_t k);
void prism_crossover_release(prism_crossover_t *crossover);

/* GPX (Galinier & Hao 1999): the child takes, from the parents in turn, the class
 * with most vertices left; what no class covered gets a random colour.
 * [in] a, b [n] complete, 0..k-1; [out] child [n]; may not alias. O(n + k^2). */
void prism_crossover_gpx(prism_crossover_t *crossover, const int32_t *a, const int32_t *b,
                         prism_rng_t *rng, int32_t *child);

/* Vertices on which two colourings agree under a matching of classes taken
 * greedily by overlap: a lower bound of the true maximum, exact for near copies
 * (after Porumbel, Hao & Kuntz 2011). 0..n. O(n + k). */
int32_t prism_crossover_similarity(prism_crossover_t *crossover, const int32_t *a,
                                   const int32_t *b);

#endif
