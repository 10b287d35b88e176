/* Part of the kernel template (kernel_body.h): slots, their rows, the tabu table and
 * the choice of a move. */

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

/* Slot i's smallest cell is `least`, in `ties` colours; forbidden ones do not count. */
static inline void KERNEL(slot_note)(prism_state_t *s, int32_t i, CELL least, int32_t ties) {
  s->ties[i] = (uint16_t)(least < FORBID ? ties : 0);
  least = least < NONE ? least : NONE;
  ((CELL *)s->best)[i] = least;
  ((KEY *)s->key)[i] = (KEY)(least - ((CELL *)s->own)[i]);
}

static void KERNEL(slot_scan)(prism_state_t *s, int32_t i) {
  const CELL *row = ROW_OF(s, i);
  CELL least = SIMD(row_min_)(row, s->stride);
  KERNEL(slot_note)(s, i, least, SIMD(row_count_)(row, s->stride, least));
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

/* A cell of slot i fell to x, which is at most the slot's best. A forbidden cell is
 * above every best. */
static inline void KERNEL(best_fell)(prism_state_t *s, int32_t i, CELL x) {
  CELL least = ((CELL *)s->best)[i];
  if (x == least) {
    ++s->ties[i];
    return;
  }
  ((KEY *)s->key)[i] = (KEY)(((KEY *)s->key)[i] - (KEY)(least - x));
  ((CELL *)s->best)[i] = x;
  s->ties[i] = 1;
}

/* A cell of slot i that was the slot's best rose. */
static inline void KERNEL(best_rose)(prism_state_t *s, int32_t i) {
  if (--s->ties[i] == 0) KERNEL(slot_scan)(s, i);
}

/* In slot i one cell fell to x and another one rose from y; one of them matters. */
static inline void KERNEL(row_moved)(prism_state_t *s, int32_t i, CELL x, CELL y) {
  if (x <= ((CELL *)s->best)[i]) KERNEL(best_fell)(s, i, x);
  if (y == ((CELL *)s->best)[i] && y != NONE) KERNEL(best_rose)(s, i);
}

/* Cell c of slot i lost w. */
static inline void KERNEL(row_less)(prism_state_t *s, int32_t i, int32_t c, CELL w) {
  CELL x = (CELL)(ROW_OF(s, i)[c] - w);
  ROW_OF(s, i)[c] = x;
  if (x <= ((CELL *)s->best)[i]) KERNEL(best_fell)(s, i, x);
}

/* Cell c of slot i gained w. */
static inline void KERNEL(row_more)(prism_state_t *s, int32_t i, int32_t c, CELL w) {
  CELL y = ROW_OF(s, i)[c];
  ROW_OF(s, i)[c] = (CELL)(y + w);
  if (y == ((CELL *)s->best)[i] && y != NONE) KERNEL(best_rose)(s, i);
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

/* The tabu of (v, c) has ended. */
static inline void KERNEL(allow)(prism_state_t *s, int32_t v, int32_t c) {
  prism_bitset_remove(s->tabu + (size_t)v * (size_t)s->tabu_words, c);
  int32_t i = s->slot_of[v];
  if (i < 0 || s->color[v] == c) return;
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
    if (v >= 0) KERNEL(allow)(s, v, c);
  }
  *head = -1;
}

/* Allow again all that would expire some time. */
static void KERNEL(allow_all)(prism_state_t *s) {
  prism_calendar_t *calendar = &s->calendar;
  for (int32_t at = 0; at < calendar->used; ++at)
    if (calendar->entry[at].vertex >= 0)
      KERNEL(allow)(s, calendar->entry[at].vertex, calendar->entry[at].color);
  prism_calendar_clear(calendar);
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

/* Replace the choice by a forbidden move that leads below the best ever, if it is better.
 * Only a vertex with more than f - best at stake can have one, which is rare, so the
 * keys leave aspiration out; here the live tabu entries are gone through instead. What
 * is forbidden for good (a frozen neighbour's class) has no entry. */
static void KERNEL(aspire)(const prism_state_t *s, uint32_t random, KERNEL(choice_t) *choice) {
  const prism_calendar_t *calendar = &s->calendar;
  int64_t gap = s->f - s->best_f;
  if (gap >= NONE || !SIMD(own_above_)(s->own, KERNEL(padded)(s), (CELL)gap)) return;
  /* The delta to beat. */
  int32_t limit = choice->slot >= 0 && choice->delta < -gap ? choice->delta : (int32_t)-gap;
  int32_t least = limit, total = 0, nth = 0;
  for (int pass = 0; pass < 2; ++pass) {
    for (int32_t at = 0; at < calendar->used; ++at) {
      int32_t v = calendar->entry[at].vertex, c = calendar->entry[at].color;
      if (v < 0 || s->slot_of[v] < 0 || c == s->color[v]) continue;
      int32_t i = s->slot_of[v];
      int32_t delta = (int32_t)COUNT(ROW_OF(s, i)[c]) - (int32_t)((CELL *)s->own)[i];
      if (pass == 0 && delta < least) {
        least = delta;
        total = 0;
      }
      if (delta != least || least == limit) continue;
      if (pass == 0)
        ++total;
      else if (nth-- == 0)
        *choice = (KERNEL(choice_t)){i, c, delta, true};
    }
    if (total == 0) return;
    nth = (int32_t)prism_rng_scale(random, (uint32_t)total);
  }
}
