#include "solve/run_state.h"

#include <string.h>

#include "base/mem.h"
#include "base/pack.h"

enum { VERSION = 2, MOST_ISLANDS = 1 << 20 };

static const char what[] = "what a rank wrote into the checkpoint";
static const double most_cost = 1e300;

/* What the search was for: the way there is of no use to another question. */
typedef struct aim {
  bool deterministic; /* costs are moves, else seconds */
  bool decision;
  int32_t target;     /* input colors, 0: none */
  int32_t goal;
} aim_t;

static aim_t aim_of(const prism_run_t *run) {
  const prism_params_run_t *params = &run->config->params->run;
  return (aim_t){params->deterministic, params->k > 0,
                 (int32_t)(params->k > 0 ? params->k : params->target), run->goal};
}

/* ---- writing ---- */

static void pack_portfolio(const prism_portfolio_t *portfolio, prism_pack_t *pack) {
  prism_pack_i32(pack, portfolio->k);
  prism_pack_i32(pack, portfolio->offset);
  prism_pack_f64(pack, portfolio->others);
  prism_pack_f64(pack, portfolio->total);
  prism_pack_f64(pack, portfolio->pace);
  prism_pack_f64(pack, portfolio->least_pace);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    const prism_portfolio_arm_t *arm = &portfolio->arm[m];
    prism_pack_bool(pack, arm->allowed);
    prism_pack_f64(pack, arm->prior);
    prism_pack_f64(pack, arm->credit);
    prism_pack_f64(pack, arm->history);
    prism_pack_f64(pack, arm->spent);
    prism_pack_i64(pack, arm->f_best);
  }
}

static void pack_guest(const prism_run_t *run, const prism_run_island_t *island,
                       prism_pack_t *pack) {
  prism_pack_bool(pack, island->waiting);
  if (!island->waiting) return;
  prism_pack_i32(pack, island->guest_rank);
  prism_pack_i32(pack, island->parcel.k);
  prism_pack_i32(pack, island->parcel.method);
  prism_pack_i64(pack, island->parcel.f);
  prism_pack_i64(pack, island->parcel.iterations);
  prism_pack_small(pack, island->guest, (size_t)run->n, island->parcel.k);
}

static void pack_island(const prism_run_t *run, const prism_run_island_t *island,
                        prism_pack_t *pack) {
  prism_pack_u32(pack, island->info.methods);
  prism_pack_i32(pack, island->k);
  prism_pack_i32(pack, (int32_t)island->method);
  prism_pack_i32(pack, island->seeded_k);
  prism_pack_i64(pack, island->completed_f);
  prism_pack_f64(pack, prism_run_elapsed(run) - island->exported);
  pack_portfolio(&island->portfolio, pack);
  pack_guest(run, island, pack);
}

static void pack_descent(const prism_descent_t *descent, prism_pack_t *pack) {
  prism_pack_i32(pack, descent->bound);
  prism_pack_i32(pack, descent->goal);
  prism_pack_f64(pack, descent->quick);
  prism_pack_i32(pack, descent->k);
  prism_pack_i32(pack, descent->step);
  prism_pack_f64(pack, descent->begin);
  prism_pack_f64(pack, descent->fell);
  prism_pack_i64(pack, descent->f);
  prism_pack_f64(pack, descent->mark);
  prism_pack_i64(pack, descent->mark_f);
}

prism_status_t prism_run_state_pack(const prism_run_t *run, uint8_t **bytes, size_t *size) {
  prism_pack_t pack = {0};
  const aim_t aim = aim_of(run);
  prism_pack_u32(&pack, VERSION);
  prism_pack_i32(&pack, run->n);
  prism_pack_bool(&pack, aim.deterministic);
  prism_pack_bool(&pack, aim.decision);
  prism_pack_i32(&pack, aim.target);
  prism_pack_i32(&pack, aim.goal);
  prism_pack_i32(&pack, run->k);
  prism_pack_bool(&pack, run->direct);
  prism_pack_f64(&pack, prism_run_elapsed(run) - run->began);
  pack_descent(&run->descent, &pack);
  prism_pack_i64(&pack, run->f_best);
  prism_pack_f64(&pack, run->diversity);
  prism_pack_f64(&pack, run->temperature);
  prism_pack_f64(&pack, run->swap_rate);
  prism_pack_i32(&pack, run->islands);
  for (int32_t i = 0; i < run->islands; ++i) pack_island(run, &run->island[i], &pack);
  return prism_pack_finish(&pack, bytes, size);
}

/* ---- reading ---- */

static int32_t unpack_colors(const prism_run_t *run, prism_unpack_t *unpack, int32_t least) {
  return prism_unpack_i32(unpack, least, run->n);
}

static double unpack_cost(prism_unpack_t *unpack) {
  return prism_unpack_f64(unpack, 0.0, most_cost);
}

static void unpack_portfolio(const prism_run_t *run, prism_unpack_t *unpack,
                             prism_portfolio_t *portfolio) {
  memset(portfolio, 0, sizeof *portfolio);
  portfolio->k = unpack_colors(run, unpack, 0);
  portfolio->offset = prism_unpack_i32(unpack, 0, PRISM_METHOD_COUNT - 1);
  portfolio->others = prism_unpack_f64(unpack, 1e-6, 1.0);
  portfolio->total = unpack_cost(unpack);
  portfolio->pace = prism_unpack_f64(unpack, 1e-9, most_cost);
  portfolio->least_pace = prism_unpack_f64(unpack, 1e-9, most_cost);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_portfolio_arm_t *arm = &portfolio->arm[m];
    arm->allowed = prism_unpack_bool(unpack);
    arm->prior = prism_unpack_f64(unpack, 1e-9, most_cost);
    arm->credit = unpack_cost(unpack);
    arm->history = unpack_cost(unpack);
    arm->spent = unpack_cost(unpack);
    arm->f_best = prism_unpack_i64(unpack, -1, INT64_MAX / 8);
  }
}

/* [out] island->guest [n] */
static void unpack_guest(const prism_run_t *run, prism_unpack_t *unpack,
                         prism_run_island_t *island) {
  island->waiting = prism_unpack_bool(unpack);
  if (!island->waiting) return;
  island->guest_rank = prism_unpack_i32(unpack, 0, INT32_MAX);
  island->parcel.k = unpack_colors(run, unpack, 1);
  island->parcel.method = prism_unpack_i32(unpack, 0, PRISM_METHOD_COUNT - 1);
  island->parcel.f = prism_unpack_i64(unpack, 0, INT64_MAX / 8);
  island->parcel.iterations = prism_unpack_i64(unpack, 0, INT64_MAX);
  prism_unpack_small(unpack, island->guest, (size_t)run->n, island->parcel.k);
}

static void unpack_island(const prism_run_t *run, prism_unpack_t *unpack,
                          prism_run_island_t *island) {
  island->info.methods = prism_unpack_u32(unpack);
  island->k = unpack_colors(run, unpack, 0);
  island->method = (prism_method_t)prism_unpack_i32(unpack, 0, PRISM_METHOD_COUNT - 1);
  island->seeded_k = unpack_colors(run, unpack, 0);
  island->completed_f = prism_unpack_i64(unpack, -1, INT64_MAX / 8);
  island->exported = prism_run_elapsed(run) - prism_unpack_f64(unpack, -1e12, 1e12);
  unpack_portfolio(run, unpack, &island->portfolio);
  unpack_guest(run, unpack, island);
}

static void unpack_descent(const prism_run_t *run, prism_unpack_t *unpack,
                           prism_descent_t *descent) {
  descent->bound = prism_unpack_i32(unpack, INT32_MIN, run->n);
  descent->goal = prism_unpack_i32(unpack, INT32_MIN, run->n);
  descent->quick = unpack_cost(unpack);
  descent->k = prism_unpack_i32(unpack, INT32_MIN, run->n);
  descent->step = prism_unpack_i32(unpack, 0, INT32_MAX / 4);
  descent->begin = unpack_cost(unpack);
  descent->fell = unpack_cost(unpack);
  descent->f = prism_unpack_i64(unpack, -1, INT64_MAX / 8);
  descent->mark = unpack_cost(unpack);
  descent->mark_f = prism_unpack_i64(unpack, -1, INT64_MAX / 8);
}

/* The words, taken apart before anything is taken over. */
typedef struct words {
  aim_t aim;
  int32_t k;
  bool direct;
  double spent; /* s of search */
  prism_descent_t descent;
  int64_t f_best;
  double diversity, temperature, swap_rate;
  int32_t islands;
  prism_run_island_t *island; /* [islands] with guests; owned */
} words_t;

static void words_release(words_t *words) {
  for (int32_t i = 0; words->island != NULL && i < words->islands; ++i)
    prism_free(words->island[i].guest);
  prism_free(words->island);
}

static prism_status_t read_islands(const prism_run_t *run, prism_unpack_t *unpack,
                                   words_t *words) {
  enum { LEAST_BYTES = 64 };
  words->islands = prism_unpack_count(unpack, MOST_ISLANDS, LEAST_BYTES);
  PRISM_TRY(PRISM_ALLOC_ZERO(words->islands, &words->island));
  for (int32_t i = 0; i < words->islands && !unpack->bad; ++i) {
    PRISM_TRY(PRISM_ALLOC(run->n, &words->island[i].guest));
    unpack_island(run, unpack, &words->island[i]);
  }
  return PRISM_OK;
}

static prism_status_t read_words(const prism_run_t *run, prism_unpack_t *unpack,
                                 words_t *words) {
  uint32_t version = prism_unpack_u32(unpack);
  if (version != VERSION)
    PRISM_FAIL(PRISM_FORMAT, "%s is of version %u, not %d", what, version, VERSION);
  if (prism_unpack_i32(unpack, 0, INT32_MAX) != run->n) unpack->bad = true;
  words->aim.deterministic = prism_unpack_bool(unpack);
  words->aim.decision = prism_unpack_bool(unpack);
  words->aim.target = prism_unpack_i32(unpack, 0, INT32_MAX);
  words->aim.goal = prism_unpack_i32(unpack, INT32_MIN, INT32_MAX);
  words->k = prism_unpack_i32(unpack, INT32_MIN, run->n);
  words->direct = prism_unpack_bool(unpack);
  words->spent = prism_unpack_f64(unpack, -1e12, 1e12);
  unpack_descent(run, unpack, &words->descent);
  words->f_best = prism_unpack_i64(unpack, -1, INT64_MAX / 8);
  words->diversity = prism_unpack_f64(unpack, -1.0, 1.0);
  words->temperature = unpack_cost(unpack);
  words->swap_rate = prism_unpack_f64(unpack, 0.0, 1.0);
  PRISM_TRY(read_islands(run, unpack, words));
  return prism_unpack_close(unpack, what);
}

/* ---- taking over ---- */

/* What was learned about this graph, on the island in the same place. */
static void take_portfolio(prism_run_island_t *island, const prism_run_island_t *from) {
  if (from->info.methods != island->info.methods) return;
  const prism_portfolio_t *learned = &from->portfolio;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    if (learned->arm[m].allowed != island->portfolio.arm[m].allowed) return;
  island->portfolio = *learned;
}

static void take_island(prism_run_t *run, prism_run_island_t *island,
                        const prism_run_island_t *from) {
  island->k = from->k;
  island->method = from->method;
  island->seeded_k = from->seeded_k;
  island->completed_f = from->completed_f;
  island->exported = from->exported;
  island->waiting = from->waiting;
  island->guest_rank = from->guest_rank;
  island->parcel = from->parcel;
  if (from->waiting) memcpy(island->guest, from->guest, (size_t)run->n * sizeof *from->guest);
}

/* The way down, where it leads to the same goal and k makes sense. */
static void take_descent(prism_run_t *run, const words_t *words, const aim_t *aim) {
  const prism_descent_t *d = &words->descent;
  bool same = words->aim.decision == aim->decision && words->aim.target == aim->target &&
              words->aim.goal == aim->goal && d->goal == run->goal &&
              d->bound == run->descent.bound;
  bool sound = words->k >= run->goal && words->k >= 1 && words->k < run->best_k;
  if (!same || !sound) return;
  run->descent = *d;
  run->k = words->k;
  run->direct = words->direct;
  run->began = prism_run_elapsed(run) - words->spent;
  run->f_best = words->f_best;
}

static void take_words(prism_run_t *run, const words_t *words, bool exact) {
  const aim_t aim = aim_of(run);
  run->diversity = words->diversity;
  run->temperature = words->temperature;
  run->swap_rate = words->swap_rate;
  for (int32_t i = 0; exact && i < run->islands; ++i)
    take_island(run, &run->island[i], &words->island[i]);
  if (words->aim.deterministic != aim.deterministic) return; /* moves are no seconds */
  for (int32_t i = 0; i < run->islands && words->islands > 0; ++i)
    take_portfolio(&run->island[i], &words->island[i % words->islands]);
  take_descent(run, words, &aim);
}

prism_status_t prism_run_state_unpack(prism_run_t *run, const uint8_t *bytes, size_t size,
                                      bool exact) {
  prism_unpack_t unpack;
  words_t words = {.islands = 0};
  PRISM_TRY(prism_unpack_open(&unpack, bytes, size, what));
  prism_status_t status = read_words(run, &unpack, &words);
  if (status == PRISM_OK && exact && words.islands != run->islands)
    status = prism_error_record(PRISM_FORMAT, __FILE__, __LINE__, __func__,
                                "%s has %d islands where there are %d", what, words.islands,
                                run->islands);
  if (status == PRISM_OK) take_words(run, &words, exact);
  words_release(&words);
  return status;
}
