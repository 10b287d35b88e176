/* Part of the kernel template (kernel_body.h): PartialCol. */

/* ---- PartialCol ---- */

/* Add `sign` times what v means to its neighbours at color c, in gamma and rows. */
static void KERNEL(column_change)(prism_state_t *s, int32_t v, int32_t c, bool add) {
  const prism_graph_t *g = s->problem->graph;
#if !WEIGHTED
  if (s->problem->bits != NULL) {
    const uint64_t *adjacent =
        s->problem->bits->row + (size_t)v * (size_t)s->problem->bits->words;
    for (int32_t t = 0; t < s->tiles; ++t) {
      uint64_t lanes = adjacent[t];
      if (lanes == 0) continue;
      CELL *at = (CELL *)s->gamma + ((size_t)t * (size_t)s->k + (size_t)c) * PRISM_TILE;
      if (add)
        SIMD(column_add_)(at, lanes);
      else
        SIMD(column_sub_)(at, lanes);
      for (uint64_t bits = lanes & s->active[t]; bits != 0; bits &= bits - 1) {
        int32_t i = s->slot_of[64 * t + prism_bitset_lowest(bits)];
        if (add)
          KERNEL(row_more)(s, i, c, 1);
        else
          KERNEL(row_less)(s, i, c, 1);
      }
    }
    return;
  }
#endif
  CELL w = PARTIAL_WEIGHT(s, v);
  for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
    int32_t u = g->neighbor[e], i = s->slot_of[u];
    CELL *at = TILE_OF(s, u) + (size_t)c * PRISM_TILE + (u & 63);
    *at = (CELL)(add ? *at + w : *at - w);
    if (i < 0) continue;
    if (add)
      KERNEL(row_more)(s, i, c, w);
    else
      KERNEL(row_less)(s, i, c, w);
  }
}

/* Uncolor u, a neighbour of the vertex that takes over its class. */
static void KERNEL(evict)(prism_state_t *s, int32_t u, int64_t tenure) {
  int32_t c = s->color[u];
  s->color[u] = -1;
  --s->class_size[c];
  if (s->member != NULL) prism_bitset_remove(s->member + (size_t)c * (size_t)s->tiles, u);
  s->f += PARTIAL_WEIGHT(s, u);
  KERNEL(column_change)(s, u, c, false);
  KERNEL(forbid)(s, u, c, tenure);
  KERNEL(slot_enter)(s, u);
  if (s->entered != NULL) ++s->counter[PRISM_COUNTER_color_changes][u];
}

/* Give the vertex of slot i color c; its neighbours there become uncolored. */
static void KERNEL(settle)(prism_state_t *s, int32_t i, int32_t c, int64_t tenure) {
  int32_t v = s->slot_vertex[i];
  const prism_graph_t *g = s->problem->graph;
  KERNEL(slot_leave)(s, v);
  s->f -= PARTIAL_WEIGHT(s, v);
  if (s->problem->bits != NULL) {
    const uint64_t *adjacent =
        s->problem->bits->row + (size_t)v * (size_t)s->problem->bits->words;
    const uint64_t *member = s->member + (size_t)c * (size_t)s->tiles;
    for (int32_t t = 0; t < s->tiles; ++t)
      for (uint64_t bits = adjacent[t] & member[t]; bits != 0; bits &= bits - 1)
        KERNEL(evict)(s, 64 * t + prism_bitset_lowest(bits), tenure);
  } else {
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      if (s->color[g->neighbor[e]] == c) KERNEL(evict)(s, g->neighbor[e], tenure);
  }
  s->color[v] = c;
  ++s->class_size[c];
  if (s->member != NULL) prism_bitset_add(s->member + (size_t)c * (size_t)s->tiles, v);
  KERNEL(column_change)(s, v, c, true);
}

/* Reactive tenure (the FOO scheme of Blochliger & Zufferey 2008): when the
 * objective hardly moved during a period, the search circles and the tenure grows;
 * otherwise it slowly shrinks. */
static void KERNEL(react)(prism_reactive_t *r, int64_t f, uint32_t random) {
  enum { PERIOD = 1000, RANGE = 1, STEP = 20, TENURE_MIN = 2 };
  if (r->low > r->high) { /* the first move of a search */
    r->left = PERIOD;
    r->low = r->high = f;
  }
  if (f < r->low) r->low = f;
  if (f > r->high) r->high = f;
  if (--r->left > 0) return;
  if (r->high - r->low <= RANGE)
    r->tenure += 5 + (int64_t)prism_rng_scale(random, STEP);
  else if (r->tenure > TENURE_MIN)
    --r->tenure;
  r->left = PERIOD;
  r->low = r->high = f;
}

static prism_status_t KERNEL(partialcol)(prism_state_t *s, const prism_tabu_params_t *p,
                                         int64_t iterations, const atomic_bool *stop,
                                         prism_run_end_t *end) {
  *end = PRISM_RUN_BUDGET;
  int64_t last = s->iteration + iterations;
  while (s->best_f > 0 && s->iteration < last) {
    if ((s->iteration & 1023) == 0 && stop != NULL &&
        atomic_load_explicit(stop, memory_order_relaxed)) {
      *end = PRISM_RUN_STOPPED;
      break;
    }
    ++s->iteration;
    KERNEL(expire)(s);
    prism_rng_block_t random =
        prism_rng_at(p->seed, (uint64_t)s->iteration, 0, p->individual, PRISM_RNG_MOVE);
    KERNEL(choice_t) choice = KERNEL(choose)(s, random.word[0]);
    KERNEL(aspire)(s, random.word[2], &choice);
    if (choice.slot < 0) continue;
    bool widen = false;
    PRISM_TRY(KERNEL(prepare)(s, choice.color, &widen));
    if (widen) {
      *end = PRISM_RUN_WIDEN;
      break;
    }
    int32_t v = s->slot_vertex[choice.slot];
    if (choice.aspired) KERNEL(lift)(s, v, choice.color);
    if (s->entered != NULL) KERNEL(count_move)(s, choice.slot);
    if (s->best_pending && choice.delta >= 0) prism_state_keep_best(s);
    int64_t tenure = p->reactive ? s->reactive.tenure : KERNEL(tenure)(s, p, v, random.word[1]);
    KERNEL(settle)(s, choice.slot, choice.color, tenure);
    if (p->reactive) KERNEL(react)(&s->reactive, s->f, random.word[3]);
    if (s->f < s->best_f) {
      s->best_f = s->f;
      s->best_pending = true;
    }
  }
  prism_state_keep_best(s);
  KERNEL(flush_counters)(s);
  if (s->best_f == 0) *end = PRISM_RUN_SOLVED;
  return PRISM_OK;
}
