/* Part of the kernel template (kernel_body.h): building a state from its colours, and
 * what every run does around a move. */

/* ---- start ---- */

/* Add (or take away) what v means to its neighbours at color c. */
static void KERNEL(column_build)(prism_state_t *s, int32_t v, int32_t c, bool partial) {
  const prism_graph_t *g = s->problem->graph;
  if (s->problem->bits != NULL && !(WEIGHTED && partial)) {
    const uint64_t *adjacent =
        s->problem->bits->row + (size_t)v * (size_t)s->problem->bits->words;
    for (int32_t t = 0; t < s->tiles; ++t) {
      CELL *to = (CELL *)s->gamma + ((size_t)t * (size_t)s->k + (size_t)c) * PRISM_TILE;
#if WEIGHTED
      const CELL *w = s->weight + ((size_t)v * (size_t)s->tiles + (size_t)t) * PRISM_TILE;
      (void)adjacent;
      for (int i = 0; i < PRISM_TILE; ++i) to[i] = (CELL)(to[i] + w[i]);
#else
      SIMD(column_add_)(to, adjacent[t]);
#endif
    }
    return;
  }
  for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
    int32_t u = g->neighbor[e];
    CELL *to = TILE_OF(s, u) + (size_t)c * PRISM_TILE + (u & 63);
    CELL w = WEIGHT(v, u, e);
#if WEIGHTED
    if (partial) w = PARTIAL_WEIGHT(s, v);
#endif
    *to = (CELL)(*to + w);
  }
}

static void KERNEL(forget)(prism_state_t *s) {
  memset(s->gamma, 0, (size_t)s->tiles * (size_t)s->k * PRISM_TILE * sizeof(CELL));
  memset(s->class_size, 0, (size_t)s->k * sizeof *s->class_size);
  memset(s->tabu, 0, (size_t)s->n * (size_t)s->tabu_words * sizeof *s->tabu);
  if (s->member != NULL) {
    memset(s->member, 0, (size_t)s->k * (size_t)s->tiles * sizeof *s->member);
    memset(s->active, 0, (size_t)s->tiles * sizeof *s->active);
  }
  prism_calendar_clear(&s->calendar);
  for (int32_t v = 0; v < s->n; ++v) s->slot_of[v] = -1;
  for (int32_t i = 0; i < s->slot_capacity; ++i) {
    ((KEY *)s->key)[i] = (KEY)NONE;
    ((CELL *)s->own)[i] = 0;
    s->ties[i] = 0;
  }
  s->slots = 0;
  s->f = 0;
  s->reactive = (prism_reactive_t){.tenure = 10, .low = 1, .high = 0};
}

/* PartialCol: nobody may enter the class of a frozen neighbour, which would evict
 * it. Aspiration leaves these out. */
static void KERNEL(protect_frozen)(prism_state_t *s) {
  const prism_graph_t *g = s->problem->graph;
  for (int32_t v = 0; v < s->n; ++v) {
    if (!prism_bitset_has(s->hooks->frozen, v) || s->color[v] < 0) continue;
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      prism_bitset_add(s->tabu + (size_t)g->neighbor[e] * (size_t)s->tabu_words, s->color[v]);
  }
}

static prism_status_t KERNEL(start)(prism_state_t *s, bool partial) {
  KERNEL(forget)(s);
  if (partial && s->hooks != NULL && s->hooks->frozen != NULL) KERNEL(protect_frozen)(s);
  for (int32_t v = 0; v < s->n; ++v) {
    int32_t c = s->color[v];
    if (c < 0) continue;
    ++s->class_size[c];
    if (s->member != NULL) prism_bitset_add(s->member + (size_t)c * (size_t)s->tiles, v);
    KERNEL(column_build)(s, v, c, partial);
  }
  int32_t wanted = 0;
  for (int32_t v = 0; v < s->n; ++v) {
    int32_t c = s->color[v];
    wanted += c < 0 || TILE_OF(s, v)[(size_t)c * PRISM_TILE + (size_t)(v & 63)] > 0;
  }
  PRISM_TRY(prism_state_reserve(s, wanted + 64));
  for (int32_t v = 0; v < s->n; ++v) {
    int32_t c = s->color[v];
    if (c < 0 || TILE_OF(s, v)[(size_t)c * PRISM_TILE + (size_t)(v & 63)] > 0)
      KERNEL(slot_enter)(s, v);
  }
  if (partial) {
    for (int32_t v = 0; v < s->n; ++v)
      if (s->color[v] < 0) s->f += PARTIAL_WEIGHT(s, v);
  } else {
    s->f = prism_coloring_conflicts(s->problem->graph, s->color);
  }
  s->best_f = s->f;
  s->best_pending = true;
  prism_state_keep_best(s);
  return PRISM_OK;
}

/* Slots in a given order instead of that of the vertices: choices at random count through
 * them. False: these are not the vertices with slots; the state is then without use. */
static bool KERNEL(arrange)(prism_state_t *s, const int32_t *order, int32_t count) {
  if (count != s->slots) return false;
  while (s->slots > 0) KERNEL(slot_leave)(s, s->slot_vertex[s->slots - 1]);
  for (int32_t i = 0; i < count; ++i) {
    int32_t v = order[i], c = s->color[v];
    bool wanted = c < 0 || TILE_OF(s, v)[(size_t)c * PRISM_TILE + (size_t)(v & 63)] > 0;
    if (!wanted || s->slot_of[v] >= 0) return false;
    KERNEL(slot_enter)(s, v);
  }
  return s->slots == count;
}

/* Before a move into a class: room for the slots and tabu entries it can make, and
 * cells that can hold the counts it leads to. */
static prism_status_t KERNEL(prepare)(prism_state_t *s, int32_t c, bool *widen) {
  int32_t size = s->class_size[c];
  *widen = sizeof(CELL) == 1 && size >= 127 && s->problem->max_degree >= 128;
  if (s->slots + size + 1 > s->slot_capacity)
    PRISM_TRY(prism_state_reserve(s, s->slots + size + 1));
  return prism_calendar_reserve(&s->calendar, size + 1);
}

static void KERNEL(flush_counters)(prism_state_t *s) {
  if (s->entered == NULL) return;
  for (int32_t i = 0; i < s->slots; ++i) {
    int32_t v = s->slot_vertex[i];
    s->counter[PRISM_COUNTER_conflict_time][v] += (uint32_t)(s->iteration - s->entered[v]);
    s->entered[v] = s->iteration;
  }
}

/* Counters of a chosen move; a tabu hit is a smaller count behind a tabu. */
static void KERNEL(count_move)(prism_state_t *s, int32_t i) {
  int32_t v = s->slot_vertex[i];
  ++s->counter[PRISM_COUNTER_color_changes][v];
  const uint64_t *tabu = s->tabu + (size_t)v * (size_t)s->tabu_words;
  for (int32_t w = 0; w < s->tabu_words; ++w)
    for (uint64_t bits = tabu[w]; bits != 0; bits &= bits - 1) {
      int32_t c = 64 * w + prism_bitset_lowest(bits);
      if (c != s->color[v] && COUNT(ROW_OF(s, i)[c]) < ((CELL *)s->best)[i])
        ++s->counter[PRISM_COUNTER_tabu_hits][v];
    }
}
