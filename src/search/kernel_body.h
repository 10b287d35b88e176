/* The gamma kernels for one cell type, as a template.
 *
 * The including file defines CELL, KEY (its signed form), U (suffix of the vector
 * primitives), KERNEL(name) and WEIGHTED (0 or 1), and has included one simd_*.h.
 * No include guard: it is included once per cell type. */

#define FORBID ((CELL)(1u << (8 * sizeof(CELL) - 1)))
#define COUNT(cell) ((CELL)((cell) & (CELL)(FORBID - 1)))
#define NONE ((CELL)(FORBID - 1)) /* best of a slot without an allowed color */
#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define SIMD(name) PASTE(name, U)
#define TILE_OF(s, v) ((CELL *)(s)->gamma + (size_t)((v) >> 6) * (size_t)(s)->k * PRISM_TILE)
#define ROW_OF(s, i) ((CELL *)(s)->rows + (size_t)(i) * (size_t)(s)->stride)

/* ---- weights ---- */

#if WEIGHTED
static inline CELL KERNEL(weight_at)(const prism_state_t *s, int32_t v, int32_t u, int64_t arc) {
  if (s->problem->bits != NULL)
    return s->weight[(size_t)v * (size_t)s->tiles * PRISM_TILE + (size_t)u];
  return s->weight[arc];
}
#define WEIGHT(v, u, arc) KERNEL(weight_at)(s, v, u, arc)
/* In PartialCol the objective is the weight of the uncolored vertices. */
#define PARTIAL_WEIGHT(s, v)                                    \
  ((CELL)((s)->hooks != NULL && (s)->hooks->vertex_weight != NULL \
              ? (s)->hooks->vertex_weight[v]                     \
              : 1))
#else
#define WEIGHT(v, u, arc) ((CELL)1)
#define PARTIAL_WEIGHT(s, v) ((CELL)1)
#endif

/* ---- slots ---- */

static void KERNEL(slot_scan)(prism_state_t *s, int32_t i) {
  const CELL *row = ROW_OF(s, i);
  CELL least = SIMD(row_min_)(row, s->stride);
  if (least >= FORBID) {
    least = NONE;
    s->ties[i] = 0;
  } else {
    s->ties[i] = (uint16_t)SIMD(row_count_)(row, s->stride, least);
  }
  ((CELL *)s->best)[i] = least;
  ((KEY *)s->key)[i] = (KEY)(least - ((CELL *)s->own)[i]);
}

/* Give v a slot: gather its gamma row, mark what is forbidden. Room was reserved. */
static void KERNEL(slot_enter)(prism_state_t *s, int32_t v) {
  if (s->hooks != NULL && s->hooks->frozen != NULL && prism_bitset_has(s->hooks->frozen, v)) return;
  int32_t i = s->slots++;
  CELL *row = ROW_OF(s, i);
  const CELL *column = TILE_OF(s, v) + (v & 63);
  for (int32_t c = 0; c < s->k; ++c) row[c] = column[(size_t)c * PRISM_TILE];
  memset(row + s->k, 0xFF, (size_t)(s->stride - s->k) * sizeof(CELL));
  const uint64_t *tabu = s->tabu + (size_t)v * (size_t)s->tabu_words;
  for (int32_t w = 0; w < s->tabu_words; ++w)
    for (uint64_t bits = tabu[w]; bits != 0; bits &= bits - 1) {
      int32_t c = 64 * w + prism_bitset_lowest(bits);
      row[c] = (CELL)(row[c] | FORBID);
    }
  CELL own = PARTIAL_WEIGHT(s, v); /* uncolored: what the objective gains by coloring it */
  if (s->color[v] >= 0) {
    own = COUNT(row[s->color[v]]);
    row[s->color[v]] |= FORBID;
  }
  s->slot_vertex[i] = v;
  s->slot_of[v] = i;
  ((CELL *)s->own)[i] = own;
  if (s->active != NULL) prism_bitset_add(s->active, v);
  if (s->entered != NULL) s->entered[v] = s->iteration;
  KERNEL(slot_scan)(s, i);
}

static void KERNEL(slot_leave)(prism_state_t *s, int32_t v) {
  int32_t i = s->slot_of[v], last = --s->slots;
  s->slot_of[v] = -1;
  if (s->active != NULL) prism_bitset_remove(s->active, v);
  if (s->entered != NULL)
    s->counter[PRISM_COUNTER_conflict_time][v] += (uint32_t)(s->iteration - s->entered[v]);
  if (i != last) {
    memcpy(ROW_OF(s, i), ROW_OF(s, last), (size_t)s->stride * sizeof(CELL));
    s->slot_vertex[i] = s->slot_vertex[last];
    s->slot_of[s->slot_vertex[i]] = i;
    ((CELL *)s->own)[i] = ((CELL *)s->own)[last];
    ((CELL *)s->best)[i] = ((CELL *)s->best)[last];
    ((KEY *)s->key)[i] = ((KEY *)s->key)[last];
    s->ties[i] = s->ties[last];
  }
  ((KEY *)s->key)[last] = (KEY)NONE;
  ((CELL *)s->own)[last] = 0;
  s->ties[last] = 0;
}

/* Cell c of slot i lost w. */
static inline void KERNEL(row_less)(prism_state_t *s, int32_t i, int32_t c, CELL w) {
  CELL *row = ROW_OF(s, i);
  CELL x = (CELL)(row[c] - w), best = ((CELL *)s->best)[i];
  row[c] = x;
  if (x <= best) { /* a forbidden cell is above every best */
    if (x < best) {
      ((KEY *)s->key)[i] = (KEY)(((KEY *)s->key)[i] - (KEY)(best - x));
      ((CELL *)s->best)[i] = x;
      s->ties[i] = 1;
    } else {
      ++s->ties[i];
    }
  }
}

/* Cell c of slot i gained w. */
static inline void KERNEL(row_more)(prism_state_t *s, int32_t i, int32_t c, CELL w) {
  CELL *row = ROW_OF(s, i);
  CELL x = row[c];
  row[c] = (CELL)(x + w);
  if (x == ((CELL *)s->best)[i] && x != NONE && --s->ties[i] == 0) KERNEL(slot_scan)(s, i);
}

static inline void KERNEL(own_change)(prism_state_t *s, int32_t i, KEY change) {
  ((CELL *)s->own)[i] = (CELL)(((CELL *)s->own)[i] + change);
  ((KEY *)s->key)[i] = (KEY)(((KEY *)s->key)[i] - change);
}

/* ---- tabu ---- */

static void KERNEL(forbid)(prism_state_t *s, int32_t v, int32_t c, int64_t tenure) {
  int64_t longest = s->calendar.length - 1;
  if (tenure > longest) tenure = longest;
  prism_bitset_add(s->tabu + (size_t)v * (size_t)s->tabu_words, c);
  prism_calendar_add(&s->calendar, s->iteration + (tenure < 1 ? 1 : tenure), v, c);
}

/* Allow again what expires at this iteration. */
static void KERNEL(expire)(prism_state_t *s) {
  prism_calendar_t *calendar = &s->calendar;
  int32_t *head = &calendar->head[s->iteration & (calendar->length - 1)];
  for (int32_t at = *head; at >= 0;) {
    prism_tabu_entry_t *entry = &calendar->entry[at];
    int32_t next = entry->next, v = entry->vertex, c = entry->color;
    entry->vertex = -1;
    entry->next = calendar->free;
    calendar->free = at;
    at = next;
    if (v < 0) continue;
    prism_bitset_remove(s->tabu + (size_t)v * (size_t)s->tabu_words, c);
    int32_t i = s->slot_of[v];
    if (i < 0 || s->color[v] == c) continue;
    CELL x = COUNT(ROW_OF(s, i)[c]), best = ((CELL *)s->best)[i];
    ROW_OF(s, i)[c] = x;
    if (x < best) {
      ((CELL *)s->best)[i] = x;
      ((KEY *)s->key)[i] = (KEY)(x - ((CELL *)s->own)[i]);
      s->ties[i] = 1;
    } else if (x == best) {
      ++s->ties[i];
    }
  }
  *head = -1;
}

/* Take back the tabu of (v, c), which a move aspires to. */
static void KERNEL(lift)(prism_state_t *s, int32_t v, int32_t c) {
  prism_bitset_remove(s->tabu + (size_t)v * (size_t)s->tabu_words, c);
  prism_calendar_lift(&s->calendar, v, c);
}

/* ---- choice of a move ---- */

typedef struct KERNEL(choice) {
  int32_t slot; /* -1: every move is forbidden */
  int32_t color;
  int32_t delta;
  bool aspired;
} KERNEL(choice_t);

static int32_t KERNEL(padded)(const prism_state_t *s) { return (s->slots + 63) & ~63; }

/* Highest score among the slots whose key is `least`. */
static float KERNEL(top_score)(const prism_state_t *s, KEY least) {
  float top = -INFINITY;
  for (int32_t i = 0; i < s->slots; ++i)
    if (((KEY *)s->key)[i] == least && s->ties[i] > 0 && s->hooks->score[s->slot_vertex[i]] > top)
      top = s->hooks->score[s->slot_vertex[i]];
  return top;
}

/* Uniform among all (vertex, color) pairs of the smallest delta; with scores,
 * among those of the highest score. */
static KERNEL(choice_t) KERNEL(choose)(const prism_state_t *s, uint32_t random) {
  const KEY *key = s->key;
  int32_t padded = KERNEL(padded)(s), total = 0;
  KEY least = SIMD(keys_min_)(key, padded);
  const float *score = s->hooks != NULL ? s->hooks->score : NULL;
  float top = score != NULL ? KERNEL(top_score)(s, least) : 0.0f;
  for (int32_t j = 0; j < padded; j += 64)
    for (uint64_t bits = SIMD(keys_equal_)(key + j, least); bits != 0; bits &= bits - 1) {
      int32_t i = j + prism_bitset_lowest(bits);
      if (score == NULL || (i < s->slots && score[s->slot_vertex[i]] == top)) total += s->ties[i];
    }
  KERNEL(choice_t) none = {-1, -1, 0, false};
  if (total == 0) return none;
  int32_t nth = (int32_t)prism_rng_scale(random, (uint32_t)total);
  for (int32_t j = 0; j < padded; j += 64)
    for (uint64_t bits = SIMD(keys_equal_)(key + j, least); bits != 0; bits &= bits - 1) {
      int32_t i = j + prism_bitset_lowest(bits);
      if (score != NULL && (i >= s->slots || score[s->slot_vertex[i]] != top)) continue;
      if (nth < s->ties[i]) {
        int32_t c = SIMD(row_find_)(ROW_OF(s, i), s->stride, ((CELL *)s->best)[i], nth);
        return (KERNEL(choice_t)){i, c, least, false};
      }
      nth -= s->ties[i];
    }
  return none;
}

/* Is class c closed to the uncolored v for good, because a frozen neighbor has it? */
static bool KERNEL(closed)(const prism_state_t *s, int32_t v, int32_t c) {
  if (s->hooks == NULL || s->hooks->frozen == NULL || s->color[v] >= 0) return false;
  const prism_graph_t *g = s->problem->graph;
  for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
    if (s->color[g->neighbor[e]] == c && prism_bitset_has(s->hooks->frozen, g->neighbor[e]))
      return true;
  return false;
}

/* A forbidden move that leads below the best ever: it must beat `limit` (both
 * exclusive). Only a vertex with more than f - best at stake can have one, which
 * is rare, so the keys leave aspiration out and it is looked for here. */
static void KERNEL(aspire)(const prism_state_t *s, int32_t limit, uint32_t random,
                           KERNEL(choice_t) *choice) {
  int32_t least = limit, total = 0, nth = 0;
  for (int pass = 0; pass < 2; ++pass) {
    for (int32_t i = 0; i < s->slots; ++i) {
      int32_t v = s->slot_vertex[i], own = ((CELL *)s->own)[i];
      if (own < -least + (least == limit)) continue;
      const uint64_t *tabu = s->tabu + (size_t)v * (size_t)s->tabu_words;
      for (int32_t w = 0; w < s->tabu_words; ++w)
        for (uint64_t bits = tabu[w]; bits != 0; bits &= bits - 1) {
          int32_t c = 64 * w + prism_bitset_lowest(bits);
          if (c == s->color[v]) continue;
          int32_t delta = (int32_t)COUNT(ROW_OF(s, i)[c]) - own;
          if (delta > least || KERNEL(closed)(s, v, c)) continue;
          if (pass == 0 && delta < least) {
            least = delta;
            total = 0;
          }
          if (delta == limit) continue;
          if (pass == 0)
            ++total;
          else if (nth-- == 0)
            *choice = (KERNEL(choice_t)){i, c, delta, true};
        }
    }
    if (total == 0) return;
    nth = (int32_t)prism_rng_scale(random, (uint32_t)total);
  }
}

/* ---- moves ---- */

/* u, a neighbour of v, had v in its own class: it may stop conflicting. */
static inline void KERNEL(neighbor_freed)(prism_state_t *s, int32_t u, CELL w) {
  --s->f;
  int32_t i = s->slot_of[u];
  if (i < 0) return; /* frozen */
  KERNEL(own_change)(s, i, (KEY)-w);
  if (((CELL *)s->own)[i] == 0) KERNEL(slot_leave)(s, u);
}

/* v moved into the class of its neighbour u. */
static inline void KERNEL(neighbor_hit)(prism_state_t *s, int32_t u, CELL w) {
  ++s->f;
  int32_t i = s->slot_of[u];
  if (i < 0)
    KERNEL(slot_enter)(s, u); /* gathers counts that already hold the move */
  else
    KERNEL(own_change)(s, i, (KEY)w);
}

static void KERNEL(recolor_dense)(prism_state_t *s, int32_t v, int32_t a, int32_t b) {
  const uint64_t *adjacent =
      s->problem->bits->row + (size_t)v * (size_t)s->problem->bits->words;
  const uint64_t *left = s->member + (size_t)a * (size_t)s->tiles;
  const uint64_t *joined = s->member + (size_t)b * (size_t)s->tiles;
  for (int32_t t = 0; t < s->tiles; ++t) {
    uint64_t lanes = adjacent[t];
    if (lanes == 0) continue;
    CELL *tile = (CELL *)s->gamma + (size_t)t * (size_t)s->k * PRISM_TILE;
    CELL *from = tile + (size_t)a * PRISM_TILE, *to = tile + (size_t)b * PRISM_TILE;
#if WEIGHTED
    column_move_weight(from, to,
                       s->weight + ((size_t)v * (size_t)s->tiles + (size_t)t) * PRISM_TILE);
#else
    SIMD(column_move_)(from, to, lanes);
#endif
    for (uint64_t bits = lanes & s->active[t]; bits != 0; bits &= bits - 1) {
      int32_t u = 64 * t + prism_bitset_lowest(bits), i = s->slot_of[u];
      CELL w = WEIGHT(v, u, 0);
      KERNEL(row_less)(s, i, a, w);
      KERNEL(row_more)(s, i, b, w);
    }
    for (uint64_t bits = lanes & left[t]; bits != 0; bits &= bits - 1) {
      int32_t u = 64 * t + prism_bitset_lowest(bits);
      KERNEL(neighbor_freed)(s, u, WEIGHT(v, u, 0));
    }
    for (uint64_t bits = lanes & joined[t]; bits != 0; bits &= bits - 1) {
      int32_t u = 64 * t + prism_bitset_lowest(bits);
      KERNEL(neighbor_hit)(s, u, WEIGHT(v, u, 0));
    }
  }
}

static void KERNEL(recolor_sparse)(prism_state_t *s, int32_t v, int32_t a, int32_t b) {
  const prism_graph_t *g = s->problem->graph;
  for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
    int32_t u = g->neighbor[e], i = s->slot_of[u];
    CELL w = WEIGHT(v, u, e);
    CELL *cell = TILE_OF(s, u) + (u & 63);
    CELL *from = cell + (size_t)a * PRISM_TILE, *to = cell + (size_t)b * PRISM_TILE;
    *from = (CELL)(*from - w);
    *to = (CELL)(*to + w);
    if (i >= 0) {
      KERNEL(row_less)(s, i, a, w);
      KERNEL(row_more)(s, i, b, w);
    }
    if (s->color[u] == a) KERNEL(neighbor_freed)(s, u, w);
    if (s->color[u] == b) KERNEL(neighbor_hit)(s, u, w);
  }
}

/* Move the vertex of slot i to color b and make its old color tabu. */
static void KERNEL(recolor)(prism_state_t *s, int32_t i, int32_t b, int64_t tenure) {
  int32_t v = s->slot_vertex[i], a = s->color[v];
  if (s->problem->bits != NULL)
    KERNEL(recolor_dense)(s, v, a, b);
  else
    KERNEL(recolor_sparse)(s, v, a, b);
  if (s->member != NULL) {
    prism_bitset_remove(s->member + (size_t)a * (size_t)s->tiles, v);
    prism_bitset_add(s->member + (size_t)b * (size_t)s->tiles, v);
  }
  --s->class_size[a];
  ++s->class_size[b];
  s->color[v] = b;
  KERNEL(forbid)(s, v, a, tenure);
  i = s->slot_of[v]; /* a swap may have moved it */
  CELL *row = ROW_OF(s, i);
  row[a] |= FORBID;
  CELL own = COUNT(row[b]);
  row[b] = own | FORBID;
  ((CELL *)s->own)[i] = own;
  if (own == 0)
    KERNEL(slot_leave)(s, v);
  else
    KERNEL(slot_scan)(s, i);
}

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

/* Before a move into a class: room for the slots and tabu entries it can make, and
 * cells that can hold the counts it leads to. */
static prism_status_t KERNEL(prepare)(prism_state_t *s, int32_t c, bool *widen) {
  int32_t size = s->class_size[c];
  *widen = sizeof(CELL) == 1 && size >= 127 && s->problem->max_degree >= 128;
  if (s->slots + size + 1 > s->slot_capacity) PRISM_TRY(prism_state_reserve(s, s->slots + size + 1));
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

#if WEIGHTED
/* ---- edge weights ---- */

static void KERNEL(raise)(prism_state_t *s, int32_t u, int32_t v) {
  size_t at;
  if (s->problem->bits != NULL) {
    at = (size_t)u * (size_t)s->tiles * PRISM_TILE + (size_t)v;
  } else {
    const prism_graph_t *g = s->problem->graph;
    int64_t low = g->offset[u], high = g->offset[u + 1] - 1;
    while (low < high) {
      int64_t middle = (low + high) / 2;
      if (g->neighbor[middle] < v)
        low = middle + 1;
      else
        high = middle;
    }
    at = (size_t)low;
  }
  ++s->weight[at];
  ++s->weight_sum[u];
  int32_t c = s->color[v], i = s->slot_of[u];
  CELL *cell = TILE_OF(s, u) + (size_t)c * PRISM_TILE + (u & 63);
  *cell = (CELL)(*cell + 1);
  if (i < 0) return;
  ROW_OF(s, i)[c] = (CELL)(ROW_OF(s, i)[c] + 1); /* its own color: forbidden, never the best */
  KERNEL(own_change)(s, i, 1);
}

/* Both ends of a conflicting edge have slots and each raises its own side, unless
 * one is frozen. */
static inline void KERNEL(raise_edge)(prism_state_t *s, int32_t u, int32_t v) {
  KERNEL(raise)(s, u, v);
  if (s->slot_of[v] < 0) KERNEL(raise)(s, v, u);
}

/* +1 on every conflicting edge. Returns the largest sum of weights at a vertex. */
static uint32_t KERNEL(raise_weights)(prism_state_t *s) {
  const prism_graph_t *g = s->problem->graph;
  uint32_t largest = 0;
  for (int32_t i = 0; i < s->slots; ++i) {
    int32_t u = s->slot_vertex[i], c = s->color[u];
    if (s->problem->bits != NULL) {
      const uint64_t *adjacent =
          s->problem->bits->row + (size_t)u * (size_t)s->problem->bits->words;
      const uint64_t *member = s->member + (size_t)c * (size_t)s->tiles;
      for (int32_t t = 0; t < s->tiles; ++t)
        for (uint64_t bits = adjacent[t] & member[t]; bits != 0; bits &= bits - 1)
          KERNEL(raise_edge)(s, u, 64 * t + prism_bitset_lowest(bits));
    } else {
      for (int64_t e = g->offset[u]; e < g->offset[u + 1]; ++e)
        if (s->color[g->neighbor[e]] == c) KERNEL(raise_edge)(s, u, g->neighbor[e]);
    }
    if (s->weight_sum[u] > largest) largest = s->weight_sum[u];
  }
  return largest;
}

/* Halve what the weights have above 1 and build the state again from there: keeps
 * every count inside 15 bits and lets old conflicts fade. */
static prism_status_t KERNEL(smooth)(prism_state_t *s) {
  const prism_graph_t *g = s->problem->graph;
  size_t width = (size_t)s->tiles * PRISM_TILE;
  for (int32_t v = 0; v < s->n; ++v) {
    uint32_t sum = 0;
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      size_t at = s->problem->bits != NULL ? (size_t)v * width + (size_t)g->neighbor[e] : (size_t)e;
      s->weight[at] = (uint16_t)(1 + (s->weight[at] - 1) / 2);
      sum += s->weight[at];
    }
    s->weight_sum[v] = sum;
  }
  int64_t best_f = s->best_f;
  prism_state_keep_best(s);
  prism_status_t status = PRISM_OK;
  int32_t *best = s->best_color; /* start() would replace the best by the current colors */
  PRISM_TRY(PRISM_ALLOC(s->n, &s->best_color));
  status = KERNEL(start)(s, false);
  if (s->best_f < best_f) {
    prism_free(best);
  } else {
    prism_free(s->best_color);
    s->best_color = best;
    s->best_f = best_f;
  }
  return status;
}
#endif

/* ---- TabuCol ---- */

static int64_t KERNEL(tenure)(const prism_state_t *s, const prism_tabu_params_t *p, int32_t v,
                              uint32_t random) {
  double slope = p->tenure_slope * (double)s->slots;
  if (s->hooks != NULL && s->hooks->score != NULL) {
    float score = s->hooks->score[v]; /* a preferred vertex stays put longer, up to twice */
    slope *= 1.0 + (score < 0.0f ? 0.0 : score > 1.0f ? 1.0 : (double)score);
  }
  return (int64_t)prism_rng_scale(random, (uint32_t)p->tenure_base) + (int64_t)slope + 1;
}

static prism_status_t KERNEL(tabucol)(prism_state_t *s, const prism_tabu_params_t *p,
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
#if WEIGHTED
    if ((choice.slot < 0 || choice.delta >= 0) && s->slots > 0) {
      uint32_t largest = KERNEL(raise_weights)(s);
      if (largest > 32000) {
        KERNEL(flush_counters)(s); /* the slots are made anew */
        PRISM_TRY(KERNEL(smooth)(s));
        continue;
      }
    }
#else
    int64_t gap = s->f - s->best_f;
    if (gap < NONE && SIMD(own_above_)(s->own, KERNEL(padded)(s), (CELL)gap)) {
      int32_t limit = choice.slot >= 0 && choice.delta < -gap ? choice.delta : (int32_t)-gap;
      KERNEL(aspire)(s, limit, random.word[2], &choice);
    }
#endif
    if (choice.slot < 0) continue;
    bool widen = false;
    PRISM_TRY(KERNEL(prepare)(s, choice.color, &widen));
    if (widen) {
      *end = PRISM_RUN_WIDEN;
      break;
    }
    int32_t v = s->slot_vertex[choice.slot];
    if (choice.aspired) {
      KERNEL(lift)(s, v, choice.color);
      ROW_OF(s, choice.slot)[choice.color] = COUNT(ROW_OF(s, choice.slot)[choice.color]);
    }
    if (s->entered != NULL) KERNEL(count_move)(s, choice.slot);
    /* A weighted improvement may add conflicting edges, so it counts as leaving. */
    if (s->best_pending && (WEIGHTED || choice.delta >= 0)) prism_state_keep_best(s);
    KERNEL(recolor)(s, choice.slot, choice.color, KERNEL(tenure)(s, p, v, random.word[1]));
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
    int64_t gap = s->f - s->best_f;
    if (gap < NONE && SIMD(own_above_)(s->own, KERNEL(padded)(s), (CELL)gap)) {
      int32_t limit = choice.slot >= 0 && choice.delta < -gap ? choice.delta : (int32_t)-gap;
      KERNEL(aspire)(s, limit, random.word[2], &choice);
    }
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

static const prism_kernels_t KERNEL(kernels) = {
    PRISM_ISA_NAME, KERNEL(start), KERNEL(tabucol), KERNEL(partialcol)};

#undef FORBID
#undef COUNT
#undef NONE
#undef PASTE2
#undef PASTE
#undef SIMD
#undef TILE_OF
#undef ROW_OF
#undef WEIGHT
#undef PARTIAL_WEIGHT
#undef CELL
#undef KEY
#undef U
#undef KERNEL
#undef WEIGHTED
