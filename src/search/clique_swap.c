#include "search/clique_swap.h"

#include <stdbool.h>
#include <string.h>

#include "base/bitset.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

enum {
  CLOCK_STEPS = 1024,  /* steps between two looks at the clock */
  TRIES = 24,          /* entries of a list looked at for one that is not tabu */
  TENURE_DROPPED = 7,  /* plus a random part by the number of swaps at hand */
  PATIENCE = 8,        /* restart after this many times n steps without gain */
  RESTARTS = 12        /* give up after as many restarts without gain */
};

/* Outside vertices by the number of members they are not joined to: 0 can be
 * added, 1 can be swapped in. */
typedef struct bag {
  int32_t *item; /* [n] */
  int32_t count;
} bag_t;

typedef struct swapper {
  int32_t n, words;
  const uint64_t *row;
  int64_t *offset;      /* [n + 1] rows of the complement */
  int32_t *stranger;    /* vertices not joined to each */
  int32_t *missing;     /* [n] members not joined to it */
  bool *inside;         /* [n] */
  bag_t bag[2];
  int32_t *place;       /* [n] index in its bag */
  int32_t *member;      /* [n] the clique */
  int32_t *member_place; /* [n] */
  int32_t size;
  int64_t *tabu_until;  /* [n] step */
  int64_t step;
  prism_rng_t rng;
} swapper_t;

static void swapper_release(swapper_t *s) {
  prism_free(s->offset);
  prism_free(s->stranger);
  prism_free(s->missing);
  prism_free(s->inside);
  prism_free(s->bag[0].item);
  prism_free(s->bag[1].item);
  prism_free(s->place);
  prism_free(s->member);
  prism_free(s->member_place);
  prism_free(s->tabu_until);
}

static bool joined(const swapper_t *s, int32_t u, int32_t v) {
  return prism_bitset_has(s->row + (size_t)u * (size_t)s->words, v);
}

static prism_status_t swapper_prepare(swapper_t *s) {
  size_t n = (size_t)s->n;
  PRISM_TRY(PRISM_ALLOC(n + 1, &s->offset));
  PRISM_TRY(PRISM_ALLOC(n, &s->missing));
  PRISM_TRY(PRISM_ALLOC(n, &s->inside));
  PRISM_TRY(PRISM_ALLOC(n, &s->bag[0].item));
  PRISM_TRY(PRISM_ALLOC(n, &s->bag[1].item));
  PRISM_TRY(PRISM_ALLOC(n, &s->place));
  PRISM_TRY(PRISM_ALLOC(n, &s->member));
  PRISM_TRY(PRISM_ALLOC(n, &s->member_place));
  PRISM_TRY(PRISM_ALLOC_ZERO(n, &s->tabu_until));
  int64_t total = 0;
  for (int32_t v = 0; v < s->n; ++v) {
    int32_t degree = 0;
    const uint64_t *row = s->row + (size_t)v * (size_t)s->words;
    for (int32_t w = 0; w < s->words; ++w) degree += prism_bitset_count_word(row[w]);
    s->offset[v] = total;
    total += s->n - 1 - degree;
  }
  s->offset[s->n] = total;
  PRISM_TRY(PRISM_ALLOC(total, &s->stranger));
  int64_t at = 0;
  for (int32_t v = 0; v < s->n; ++v)
    for (int32_t u = 0; u < s->n; ++u)
      if (u != v && !joined(s, v, u)) s->stranger[at++] = u;
  return PRISM_OK;
}

static void bag_add(swapper_t *s, int32_t v) {
  bag_t *bag = &s->bag[s->missing[v]];
  s->place[v] = bag->count;
  bag->item[bag->count++] = v;
}

static void bag_remove(swapper_t *s, int32_t v) {
  bag_t *bag = &s->bag[s->missing[v]];
  int32_t last = bag->item[--bag->count];
  bag->item[s->place[v]] = last;
  s->place[last] = s->place[v];
}

/* v, outside with missing 0, becomes a member. */
static void add_member(swapper_t *s, int32_t v) {
  bag_remove(s, v);
  s->inside[v] = true;
  s->member_place[v] = s->size;
  s->member[s->size++] = v;
  for (int64_t e = s->offset[v]; e < s->offset[v + 1]; ++e) {
    int32_t u = s->stranger[e];
    if (s->missing[u] <= 1) bag_remove(s, u);
    ++s->missing[u];
    if (s->missing[u] == 1) bag_add(s, u);
  }
}

static void drop_member(swapper_t *s, int32_t v, int32_t tenure) {
  int32_t last = s->member[--s->size];
  s->member[s->member_place[v]] = last;
  s->member_place[last] = s->member_place[v];
  s->inside[v] = false;
  s->tabu_until[v] = s->step + tenure;
  for (int64_t e = s->offset[v]; e < s->offset[v + 1]; ++e) {
    int32_t u = s->stranger[e];
    if (s->missing[u] == 1) bag_remove(s, u);
    --s->missing[u];
    if (s->missing[u] <= 1) bag_add(s, u);
  }
  bag_add(s, v); /* joined to all other members: missing is 0 */
}

/* A random entry of the bag that is not tabu, or -1. */
static int32_t pick(swapper_t *s, const bag_t *bag) {
  if (bag->count == 0) return -1;
  int32_t at = (int32_t)prism_rng_below(&s->rng, (uint32_t)bag->count);
  int32_t tries = bag->count < TRIES ? bag->count : TRIES;
  for (int32_t i = 0; i < tries; ++i) {
    int32_t v = bag->item[at];
    if (s->tabu_until[v] <= s->step) return v;
    if (++at == bag->count) at = 0;
  }
  return -1;
}

static int32_t stranger_inside(const swapper_t *s, int32_t v) {
  for (int32_t i = 0; i < s->size; ++i)
    if (!joined(s, v, s->member[i])) return s->member[i];
  return -1;
}

static void restart(swapper_t *s) {
  s->size = 0;
  s->bag[0].count = s->bag[1].count = 0;
  for (int32_t v = 0; v < s->n; ++v) {
    s->missing[v] = 0;
    s->inside[v] = false;
    s->tabu_until[v] = 0;
    bag_add(s, v);
  }
}

static void one_step(swapper_t *s) {
  ++s->step;
  int32_t v = pick(s, &s->bag[0]);
  if (v >= 0) {
    add_member(s, v);
    return;
  }
  v = pick(s, &s->bag[1]);
  if (v >= 0) {
    int32_t spread = s->bag[1].count;
    int32_t tenure = TENURE_DROPPED + (int32_t)prism_rng_below(&s->rng, (uint32_t)spread);
    drop_member(s, stranger_inside(s, v), tenure);
    add_member(s, v);
    return;
  }
  if (s->size > 0)
    drop_member(s, s->member[prism_rng_below(&s->rng, (uint32_t)s->size)], TENURE_DROPPED);
}

prism_status_t prism_clique_swap(int32_t n, const uint64_t *row, int32_t words, uint64_t seed,
                                 double deadline, int64_t step_limit, int32_t enough,
                                 int32_t *clique, int32_t *size) {
  swapper_t s = {.n = n, .words = words, .row = row};
  s.rng = prism_rng_stream(seed, 0, 1, PRISM_RNG_BOUND);
  prism_status_t status = PRISM_OK;
  int32_t best = 0, round_best = 0;
  int64_t gained = 0;
  int restarts = 0;
  PRISM_TRY_GOTO(status, swapper_prepare(&s), done);
  restart(&s);
  while ((step_limit == 0 || s.step < step_limit) && (enough == 0 || best < enough)) {
    if (s.step % CLOCK_STEPS == 0 && deadline > 0 && prism_clock_now() >= deadline) break;
    one_step(&s);
    if (s.size > round_best) {
      round_best = s.size;
      gained = s.step;
    }
    if (s.size > best) {
      best = s.size;
      restarts = 0;
      memcpy(clique, s.member, (size_t)best * sizeof *clique);
    }
    if (s.step - gained > (int64_t)PATIENCE * n) {
      if (++restarts > RESTARTS) break;
      restart(&s);
      round_best = 0;
      gained = s.step;
    }
  }
  *size = best;
done:
  swapper_release(&s);
  return status;
}
