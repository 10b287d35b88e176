/* The lowest color that no neighbor wears, for lifting colorings back. Needs no
 * scratch memory, so that callers cannot fail and may run in any thread. */
#ifndef PRISM_MODEL_FIRST_FREE_H
#define PRISM_MODEL_FIRST_FREE_H

#include <string.h>

#include "base/bitset.h"
#include "model/graph.h"

/* Neighbors with color -1 do not count. The result is at most the number of
 * colored neighbors. O(degree) for colors below 2048, one pass more for each
 * further 2048. */
static inline int32_t prism_first_free_color(const prism_graph_t *graph, const int32_t *color,
                                             int32_t v) {
  enum { WORDS = 32, WINDOW = WORDS * 64 };
  uint64_t worn[WORDS];
  for (int32_t base = 0;; base += WINDOW) {
    memset(worn, 0, sizeof worn);
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
      int32_t c = color[graph->neighbor[e]];
      if (c >= base && c - base < WINDOW) prism_bitset_add(worn, c - base);
    }
    for (int32_t w = 0; w < WORDS; ++w)
      if (~worn[w] != 0) return base + w * 64 + prism_bitset_lowest(~worn[w]);
  }
}

#endif
