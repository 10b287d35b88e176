#include "search/state.h"

#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "seam/hooks.h"

static prism_status_t allocate_weights(prism_state_t *s) {
  const prism_problem_t *p = s->problem;
  size_t weights = p->bits != NULL ? (size_t)s->n * (size_t)s->tiles * PRISM_TILE
                                   : (size_t)(2 * p->graph->m);
  PRISM_TRY(PRISM_ALLOC(weights, &s->weight));
  PRISM_TRY(PRISM_ALLOC(s->n, &s->weight_sum));
  prism_state_put_weights(s, NULL);
  return PRISM_OK;
}

static prism_status_t allocate(prism_state_t *s, int32_t tenure_longest) {
  size_t n = (size_t)s->n, k = (size_t)s->k, tiles = (size_t)s->tiles;
  PRISM_TRY(PRISM_ALLOC(n, &s->color));
  PRISM_TRY(PRISM_ALLOC(n, &s->best_color));
  PRISM_TRY(PRISM_ALLOC(k, &s->class_size));
  PRISM_TRY(PRISM_ALLOC(k, &s->scratch));
  PRISM_TRY(prism_alloc_bytes(tiles * k * PRISM_TILE, prism_cell_bytes(s->cell), &s->gamma));
  if (s->problem->bits != NULL) {
    PRISM_TRY(PRISM_ALLOC(k * tiles, &s->member));
    PRISM_TRY(PRISM_ALLOC(tiles, &s->active));
  }
  PRISM_TRY(PRISM_ALLOC(n, &s->slot_of));
  PRISM_TRY(PRISM_ALLOC(n * (size_t)s->tabu_words, &s->tabu));
  PRISM_TRY(prism_calendar_init(&s->calendar, tenure_longest));
  PRISM_TRY(prism_state_reserve(s, 64));
  if (s->cell == PRISM_CELL_WEIGHT) PRISM_TRY(allocate_weights(s));
  return PRISM_OK;
}

prism_status_t prism_state_create(const prism_problem_t *problem, int32_t k, prism_cell_t cell,
                                  int32_t tenure_longest, prism_state_t **out) {
  prism_state_t *s = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &s));
  s->problem = problem;
  s->n = problem->n;
  s->k = k;
  s->tiles = prism_bitset_words(problem->n);
  s->stride = (k + 31) / 32 * 32;
  s->tabu_words = prism_bitset_words(k);
  s->cell = cell;
  s->calendar.free = -1;
  prism_status_t status = allocate(s, tenure_longest);
  if (status != PRISM_OK) {
    prism_state_destroy(&s);
    return status;
  }
  *out = s;
  return PRISM_OK;
}

void prism_state_destroy(prism_state_t **state) {
  prism_state_t *s = *state;
  if (s == NULL) return;
  void *blocks[] = {s->color,  s->best_color, s->class_size,  s->gamma,   s->member,
                    s->active, s->slot_of,    s->slot_vertex, s->own,     s->best,
                    s->key,    s->ties,       s->rows,        s->tabu,    s->weight,
                    s->weight_sum, s->entered,  s->scratch};
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; ++i) prism_free(blocks[i]);
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) prism_free(s->counter[i]);
  prism_calendar_release(&s->calendar);
  prism_free(s);
  *state = NULL;
}

prism_status_t prism_state_reserve(prism_state_t *s, int32_t slots) {
  if (slots <= s->slot_capacity) return PRISM_OK;
  int32_t old = s->slot_capacity;
  int64_t wanted = old + old / 2 > slots ? old + old / 2 : slots;
  int32_t capacity = (int32_t)((wanted + 63) / 64 * 64); /* whole vectors of keys */
  size_t bytes = prism_cell_bytes(s->cell);
  PRISM_TRY(PRISM_GROW(&s->slot_vertex, old, capacity));
  PRISM_TRY(PRISM_GROW(&s->ties, old, capacity));
  PRISM_TRY(prism_grow_bytes(&s->own, (size_t)old, (size_t)capacity, bytes));
  PRISM_TRY(prism_grow_bytes(&s->best, (size_t)old, (size_t)capacity, bytes));
  PRISM_TRY(prism_grow_bytes(&s->key, (size_t)old, (size_t)capacity, bytes));
  size_t row = (size_t)s->stride * bytes;
  PRISM_TRY(prism_grow_bytes(&s->rows, (size_t)old, (size_t)capacity, row));
  /* Unused slots never win: the largest key, no ties, nothing of their own. */
  for (int32_t i = old; i < capacity; ++i) {
    s->ties[i] = 0;
    if (bytes == 1) {
      ((int8_t *)s->key)[i] = INT8_MAX;
      ((uint8_t *)s->own)[i] = 0;
    } else {
      ((int16_t *)s->key)[i] = INT16_MAX;
      ((uint16_t *)s->own)[i] = 0;
    }
  }
  s->slot_capacity = capacity;
  return PRISM_OK;
}

prism_status_t prism_state_set_hooks(prism_state_t *s, const prism_hooks_t *hooks) {
  s->hooks = hooks;
  bool wanted = hooks != NULL && hooks->counters;
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) {
    prism_free(s->counter[i]);
    s->counter[i] = NULL;
    if (wanted) PRISM_TRY(PRISM_ALLOC_ZERO(s->n, &s->counter[i]));
  }
  prism_free(s->entered);
  s->entered = NULL;
  if (wanted) PRISM_TRY(PRISM_ALLOC_ZERO(s->n, &s->entered));
  if (s->weight != NULL) prism_state_put_weights(s, hooks != NULL ? hooks->edge_weight : NULL);
  return PRISM_OK;
}

/* Returns the largest sum of weights at a vertex, `halvings` times halved. */
static uint32_t fill_weights(prism_state_t *s, const int32_t *weight, int halvings) {
  const prism_graph_t *g = s->problem->graph;
  size_t width = (size_t)s->tiles * PRISM_TILE;
  uint32_t largest = 0;
  if (s->problem->bits != NULL) memset(s->weight, 0, (size_t)s->n * width * sizeof *s->weight);
  for (int32_t v = 0; v < s->n; ++v) {
    uint32_t sum = 0;
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      uint16_t w = (uint16_t)(weight != NULL ? 1 + ((weight[e] - 1) >> halvings) : 1);
      size_t at = s->problem->bits != NULL ? (size_t)v * width + (size_t)g->neighbor[e] : (size_t)e;
      s->weight[at] = w;
      sum += w;
    }
    s->weight_sum[v] = sum;
    if (sum > largest) largest = sum;
  }
  return largest;
}

void prism_state_put_weights(prism_state_t *s, const int32_t *weight) {
  for (int halvings = 0; halvings < 16; ++halvings)
    if (fill_weights(s, weight, halvings) <= PRISM_HOOKS_SUM || weight == NULL) break;
}

void prism_state_keep_best(prism_state_t *s) {
  if (!s->best_pending) return;
  memcpy(s->best_color, s->color, (size_t)s->n * sizeof *s->color);
  s->best_pending = false;
}
