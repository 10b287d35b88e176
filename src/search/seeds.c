#include "search/seeds.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Colour of fewest conflicts for v among 0..k-1; ties at random. `count` [k] is
 * zero before and after. */
static int32_t least_conflicts(const prism_graph_t *g, int32_t v, int32_t k, const int32_t *color,
                               prism_rng_t *rng, int32_t *count) {
  for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
    int32_t c = color[g->neighbor[e]];
    if (c >= 0) ++count[c];
  }
  int32_t best = 0, ties = 1;
  for (int32_t c = 1; c < k; ++c) {
    if (count[c] < count[best]) {
      best = c;
      ties = 1;
    } else if (count[c] == count[best] && prism_rng_below(rng, (uint32_t)++ties) == 0) {
      best = c;
    }
  }
  memset(count, 0, (size_t)k * sizeof *count);
  return best;
}

typedef struct class_size {
  int32_t color, size;
} class_size_t;

static int by_size_down(const void *a, const void *b) {
  const class_size_t *x = a, *y = b;
  if (x->size != y->size) return x->size < y->size ? 1 : -1;
  return x->color < y->color ? -1 : x->color > y->color;
}

prism_status_t prism_seed_dissolve(const prism_graph_t *g, int32_t from, int32_t to,
                                   prism_rng_t *rng, int32_t *color) {
  if (from <= to) return PRISM_OK;
  class_size_t *class = NULL;
  int32_t *name = NULL, *count = NULL, *moved = NULL, moves = 0;
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(from, &class), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(from, &name), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(from, &count), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(g->n, &moved), done);
  for (int32_t c = 0; c < from; ++c) class[c] = (class_size_t){c, 0};
  for (int32_t v = 0; v < g->n; ++v) ++class[color[v]].size;
  qsort(class, (size_t)from, sizeof *class, by_size_down);
  for (int32_t i = 0; i < from; ++i) name[class[i].color] = i < to ? i : -1;
  for (int32_t v = 0; v < g->n; ++v) {
    color[v] = name[color[v]];
    if (color[v] < 0) moved[moves++] = v;
  }
  prism_rng_shuffle(rng, moved, moves);
  for (int32_t i = 0; i < moves; ++i)
    color[moved[i]] = least_conflicts(g, moved[i], to, color, rng, count);
done:
  prism_free(class);
  prism_free(name);
  prism_free(count);
  prism_free(moved);
  return status;
}

prism_status_t prism_seed_random(const prism_graph_t *g, int32_t k, prism_rng_t *rng,
                                 int32_t *color) {
  int32_t *count = NULL, *order = NULL;
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(k, &count), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(g->n, &order), done);
  for (int32_t v = 0; v < g->n; ++v) {
    order[v] = v;
    color[v] = -1;
  }
  prism_rng_shuffle(rng, order, g->n);
  for (int32_t i = 0; i < g->n; ++i)
    color[order[i]] = least_conflicts(g, order[i], k, color, rng, count);
done:
  prism_free(count);
  prism_free(order);
  return status;
}
