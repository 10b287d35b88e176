/* Part of the kernel template (kernel_body.h): TabuCol and its edge-weighted form. */

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

#define SHORT_ROWS (!WEIGHTED && PASTE(SHORT_ROW_, U) > 0)

/* v, a neighbour of the vertices in `bits` (all with slots), moved from a to b. */
static inline void KERNEL(rows_move)(prism_state_t *s, int32_t v, int32_t first, uint64_t bits,
                                     int32_t a, int32_t b) {
  /* Locals: a store to a byte may alias the fields of the state, which would then be
   * loaded again for every neighbour. */
  CELL *rows = s->rows, *best = s->best;
  const int32_t *slot_of = s->slot_of + first;
  const size_t stride = (size_t)s->stride;
  (void)v;
  for (; bits != 0; bits &= bits - 1) {
    int32_t u = prism_bitset_lowest(bits), i = slot_of[u];
    CELL w = WEIGHT(v, first + u, 0), *row = rows + (size_t)i * stride;
    CELL x = (CELL)(row[a] - w), y = row[b], least = best[i];
    row[a] = x;
    row[b] = (CELL)(y + w);
    if ((x <= least) | (y == least)) KERNEL(row_moved)(s, i, x, y);
  }
}

#if SHORT_ROWS
/* The same for rows of one or two vectors, without a branch. */
static inline void KERNEL(short_rows_move)(prism_state_t *s, int32_t first, uint64_t bits,
                                           PASTE(PASTE(row_shift_, U), _t) shift) {
  CELL *rows = s->rows, *best = s->best, *own = s->own;
  KEY *key = s->key;
  uint16_t *ties = s->ties;
  const int32_t *slot_of = s->slot_of + first;
  const int32_t stride = s->stride;
  for (; bits != 0; bits &= bits - 1) {
    int32_t i = slot_of[prism_bitset_lowest(bits)], count = 0;
    CELL least = SIMD(row_shift_scan_)(rows + (size_t)i * (size_t)stride, stride, shift, &count);
    ties[i] = (uint16_t)(least < FORBID ? count : 0);
    least = least < NONE ? least : NONE;
    best[i] = least;
    key[i] = (KEY)(least - own[i]);
  }
}
#endif

static void KERNEL(recolor_dense)(prism_state_t *s, int32_t v, int32_t a, int32_t b) {
  const uint64_t *adjacent =
      s->problem->bits->row + (size_t)v * (size_t)s->problem->bits->words;
  const uint64_t *left = s->member + (size_t)a * (size_t)s->tiles;
  const uint64_t *joined = s->member + (size_t)b * (size_t)s->tiles;
  const uint64_t *active = s->active;
  const int32_t tiles = s->tiles;
  const size_t tile_cells = (size_t)s->k * PRISM_TILE;
#if SHORT_ROWS
  const bool short_rows = s->stride <= PASTE(SHORT_ROW_, U);
  const PASTE(PASTE(row_shift_, U), _t) shift =
      SIMD(row_shift_make_)(short_rows ? a : 0, short_rows ? b : 1);
#endif
  CELL *tile = s->gamma;
  for (int32_t t = 0; t < tiles; ++t, tile += tile_cells) {
    uint64_t lanes = adjacent[t];
    if (lanes == 0) continue;
    CELL *from = tile + (size_t)a * PRISM_TILE, *to = tile + (size_t)b * PRISM_TILE;
#if WEIGHTED
    column_move_weight(from, to, s->weight + ((size_t)v * (size_t)tiles + (size_t)t) * PRISM_TILE);
#else
    SIMD(column_move_)(from, to, lanes);
#endif
#if SHORT_ROWS
    if (short_rows)
      KERNEL(short_rows_move)(s, 64 * t, lanes & active[t], shift);
    else
#endif
      KERNEL(rows_move)(s, v, 64 * t, lanes & active[t], a, b);
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
#undef SHORT_ROWS

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
    KERNEL(aspire)(s, random.word[2], &choice);
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
