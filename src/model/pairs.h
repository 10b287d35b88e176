/* A growing list of edges, for the generators. */
#ifndef PRISM_MODEL_PAIRS_H
#define PRISM_MODEL_PAIRS_H

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "model/generate.h"

/* Zero-initialise; release with prism_pairs_release. */
typedef struct prism_pairs {
  int32_t *end;     /* [2 * count] */
  int64_t count;
  int64_t capacity;
} prism_pairs_t;

static inline void prism_pairs_release(prism_pairs_t *pairs) {
  prism_free(pairs->end);
  memset(pairs, 0, sizeof *pairs);
}

static inline prism_status_t prism_pairs_add(prism_pairs_t *pairs, int32_t u, int32_t v) {
  if (pairs->count == pairs->capacity) {
    int64_t capacity = pairs->capacity > 0 ? 2 * pairs->capacity : 1024;
    PRISM_TRY(PRISM_GROW(&pairs->end, 2 * pairs->count, 2 * capacity));
    pairs->capacity = capacity;
  }
  pairs->end[2 * pairs->count] = u;
  pairs->end[2 * pairs->count + 1] = v;
  ++pairs->count;
  return PRISM_OK;
}

/* Make the graph; nothing known about its colors yet. */
static inline prism_status_t prism_pairs_finish(const prism_pairs_t *pairs, int32_t n,
                                                prism_generated_t *out) {
  prism_generated_t made = {0};
  PRISM_TRY(prism_graph_from_edges(n, pairs->end, pairs->count, NULL, &made.graph));
  *out = made;
  return PRISM_OK;
}

#endif
