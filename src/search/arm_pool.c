#include "search/arm_pool.h"

#include <string.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "search/seeds.h"

enum { HEAD_CYCLE = 10 }; /* generations after which an elite comes back */

static void copy(const prism_arm_t *arm, prism_individual_t *to, const prism_individual_t *from) {
  memcpy(to->color, from->color, (size_t)arm->problem->n * sizeof *to->color);
  to->f = from->f;
}

static void swap(prism_individual_t *a, prism_individual_t *b) {
  prism_individual_t t = *a;
  *a = *b;
  *b = t;
}

static int32_t distance(prism_arm_t *arm, const int32_t *a, const int32_t *b) {
  return arm->problem->n - prism_crossover_similarity(&arm->crossover, a, b);
}

/* A migrant closer than this to a member is a copy of it. */
static int32_t near_copy(const prism_arm_t *arm) { return arm->problem->n / 20 + 1; }

static prism_status_t renew(prism_arm_t *arm, prism_individual_t *individual) {
  prism_rng_t rng = prism_arm_stream(arm, PRISM_RNG_POOL);
  PRISM_TRY(prism_seed_random(arm->problem->graph, arm->k, &rng, individual->color));
  individual->f = prism_coloring_conflicts(arm->problem->graph, individual->color);
  return PRISM_OK;
}

/* How many times longer the searches of the next population are, or how many times as many its
 * members: a conflict less takes about twice the moves (docs/EXPERIMENTS.md, "Small pools on a
 * core"). */
static int64_t growth(const prism_arm_t *arm) {
  if (arm->method == PRISM_METHOD_HEAD || arm->members < arm->capacity) return 2;
  return arm->least_f > 1 ? 4 : 2;
}

/* Searches cannot be longer: more members. */
static prism_status_t enlarge(prism_arm_t *arm) {
  enum { MOST = 256, MOST_VERTICES = 1 << 24 /* of all members: 64 MiB */ };
  const int64_t fit = MOST_VERTICES / (arm->problem->n + 1), most = fit < MOST ? fit : MOST;
  const int64_t wanted = growth(arm) * arm->capacity;
  const int32_t members = (int32_t)(wanted < most ? wanted : most);
  if (arm->size_given || members <= arm->capacity) return PRISM_OK;
  prism_status_t status = prism_arm_make_room(arm, members);
  if (status != PRISM_MEMORY) return status;
  prism_error_clear(); /* as many as before will do */
  return PRISM_OK;
}

/* The population is over: everybody anew. In a pool no longer few. [in] apart: its members have not
 * come together with the shortest searches, which says nothing of longer ones or of more */
static prism_status_t restart(prism_arm_t *arm, bool apart) {
  enum { LONGEST = 1 << 20 };
  ++arm->restarts;
  if (!arm->length_given && !apart) {
    const int64_t now = arm->generation_iterations;
    const bool small = arm->members < arm->capacity;
    arm->generation_iterations = prism_lengths_next(&arm->lengths, now, growth(arm), LONGEST);
    if (arm->method == PRISM_METHOD_POOL && !small && arm->generation_iterations <= now)
      PRISM_TRY(enlarge(arm));
  }
  arm->members = arm->wanted = arm->capacity;
  for (int32_t i = 0; i < arm->members; ++i) PRISM_TRY(renew(arm, &arm->member[i]));
  arm->elite[0].f = arm->elite[1].f = -1;
  arm->cycle = 0;
  arm->least_distance = -1.0;
  arm->searched = false;
  return PRISM_OK;
}

/* ---- HEAD ---- */

static prism_status_t head_breed(prism_arm_t *arm) {
  if (arm->stage == 0) {
    prism_rng_t rng = prism_arm_stream(arm, PRISM_RNG_CROSSOVER);
    const int32_t *a = arm->member[0].color, *b = arm->member[1].color;
    prism_crossover_gpx(&arm->crossover, a, b, &rng, arm->child[0].color);
    prism_crossover_gpx(&arm->crossover, b, a, &rng, arm->child[1].color);
  }
  return prism_local_start(&arm->local, arm->child[arm->stage].color);
}

/* End of a cycle: what was best one cycle ago, or a migrant, replaces a member. */
static void head_recall(prism_arm_t *arm) {
  arm->cycle = 0;
  if (arm->migrant.f >= 0) {
    copy(arm, &arm->member[0], &arm->migrant);
    arm->migrant.f = -1;
  } else if (arm->elite[1].f >= 0) {
    copy(arm, &arm->member[0], &arm->elite[1]);
  }
  swap(&arm->elite[0], &arm->elite[1]);
  arm->elite[0].f = -1;
}

static prism_status_t head_settle(prism_arm_t *arm) {
  prism_individual_t *child = &arm->child[arm->stage];
  prism_local_best(&arm->local, child->color, &child->f);
  prism_arm_note_best(arm, child);
  if (arm->elite[0].f < 0 || child->f < arm->elite[0].f) copy(arm, &arm->elite[0], child);
  arm->stage = 1 - arm->stage;
  if (arm->stage == 1) return PRISM_OK;
  swap(&arm->member[0], &arm->child[0]);
  swap(&arm->member[1], &arm->child[1]);
  ++arm->generations;
  if (++arm->cycle >= HEAD_CYCLE) head_recall(arm);
  int32_t apart = distance(arm, arm->member[0].color, arm->member[1].color);
  arm->diversity = (double)apart / (double)arm->problem->n;
  return apart < 1 ? restart(arm, false) : PRISM_OK;
}

/* ---- pool ---- */

/* The best of some others, the first of equals. */
static int32_t draw_mate(const prism_arm_t *arm, int32_t member, prism_rng_t *rng) {
  int32_t best = -1;
  for (int32_t t = 0; t < arm->tournament; ++t) {
    int32_t other = (int32_t)prism_rng_below(rng, (uint32_t)arm->members - 1);
    if (other >= member) ++other;
    if (best < 0 || arm->member[other].f < arm->member[best].f) best = other;
  }
  return best;
}

static prism_status_t pool_breed(prism_arm_t *arm) {
  prism_individual_t *child = &arm->child[arm->stage], *parent = &arm->member[arm->stage];
  if (!arm->searched) { /* founders are searched once before they mate */
    copy(arm, child, parent);
  } else {
    prism_rng_t rng = prism_arm_stream(arm, PRISM_RNG_CROSSOVER);
    int32_t mate = draw_mate(arm, arm->stage, &rng);
    prism_crossover_gpx(&arm->crossover, parent->color, arm->member[mate].color, &rng,
                        child->color);
  }
  return prism_local_start(&arm->local, child->color);
}

/* Mean distance of two members; of so many pairs, where there are more. */
static double spread(prism_arm_t *arm) {
  enum { PAIRS = 64 };
  const int32_t all = arm->members * (arm->members - 1) / 2, pairs = all < PAIRS ? all : PAIRS;
  prism_rng_t rng = prism_arm_stream(arm, PRISM_RNG_POOL);
  int64_t sum = 0;
  int32_t i = 0, j = 0;
  for (int32_t pair = 0; pair < pairs; ++pair) {
    if (all > PAIRS) {
      i = (int32_t)prism_rng_below(&rng, (uint32_t)arm->members);
      j = (int32_t)prism_rng_below(&rng, (uint32_t)arm->members - 1);
      j += j >= i;
    } else if (++j >= arm->members) {
      j = ++i + 1;
    }
    sum += distance(arm, arm->member[i].color, arm->member[j].color);
  }
  return (double)sum / (double)pairs / (double)arm->problem->n;
}

static void admit(prism_arm_t *arm) {
  int32_t worst = 0;
  if (arm->migrant.f < 0) return;
  for (int32_t i = 1; i < arm->members; ++i)
    if (arm->member[i].f > arm->member[worst].f) worst = i;
  swap(&arm->member[worst], &arm->migrant);
  arm->migrant.f = -1;
}

/* Mean distance / n, while members are far apart averaged over generations: a few pairs are
 * no more than a sample. */
static void measure(prism_arm_t *arm) {
  static const double fading = 0.8;
  const double now = spread(arm);
  const bool averaged = arm->least_distance >= 0.0 && now > PRISM_FAR_APART;
  arm->diversity = averaged ? fading * arm->diversity + (1.0 - fading) * now : now;
}

/* Do the members neither come closer to each other nor get better? Two families whose children
 * are worse than both can last for ever, members that are far apart as well. */
static bool stands_still(prism_arm_t *arm) {
  enum { PATIENCE = 60 }; /* generations */
  const bool first = arm->least_distance < 0.0, far = arm->diversity > PRISM_FAR_APART;
  const double step = far ? PRISM_APART_STEP : 0.005;
  int64_t least = arm->member[0].f;
  for (int32_t i = 1; i < arm->members; ++i)
    if (arm->member[i].f < least) least = arm->member[i].f;
  ++arm->cycle;
  if (first || arm->diversity < arm->least_distance - step) {
    arm->least_distance = arm->diversity;
    arm->cycle = 0;
  }
  if (first || least < arm->least_f) {
    arm->least_f = least;
    arm->cycle = 0;
  }
  return arm->cycle >= (far ? PRISM_APART_GENERATIONS : PATIENCE);
}

/* Members that stay apart go on with shorter searches. Returns whether there are any. */
static bool shorten(prism_arm_t *arm) {
  const int64_t now = arm->generation_iterations;
  if (arm->length_given || arm->diversity <= PRISM_FAR_APART) return false;
  arm->generation_iterations = prism_lengths_shorten(
      &arm->lengths, now, prism_arm_first_length(arm->method, arm->problem->n));
  arm->cycle = 0;
  return arm->generation_iterations < now;
}

static prism_status_t pool_settle(prism_arm_t *arm) {
  static const double converged = 0.05;
  prism_individual_t *child = &arm->child[arm->stage];
  prism_local_best(&arm->local, child->color, &child->f);
  prism_arm_note_best(arm, child);
  ++arm->generations;
  if (++arm->stage < arm->members) return PRISM_OK;
  arm->stage = 0;
  for (int32_t i = 0; i < arm->members; ++i) swap(&arm->member[i], &arm->child[i]);
  arm->searched = true;
  admit(arm);
  measure(arm);
  const bool still = stands_still(arm);
  if (arm->diversity < converged || (still && !shorten(arm)))
    return restart(arm, arm->diversity > PRISM_FAR_APART);
  if (!arm->length_given)
    arm->generation_iterations =
        prism_lengths_at(&arm->lengths, arm->generation_iterations, arm->diversity);
  return PRISM_OK;
}

/* ---- both ---- */

prism_status_t prism_arm_breed(prism_arm_t *arm) {
  return arm->method == PRISM_METHOD_HEAD ? head_breed(arm) : pool_breed(arm);
}

prism_status_t prism_arm_settle(prism_arm_t *arm) {
  return arm->method == PRISM_METHOD_HEAD ? head_settle(arm) : pool_settle(arm);
}

prism_status_t prism_arm_offer(prism_arm_t *arm, const int32_t *color,
                               prism_import_result_t *result) {
  *result = (prism_import_result_t){false, -1};
  if (arm->migrant.color == NULL || !arm->founded) return PRISM_OK;
  int64_t f = prism_coloring_conflicts(arm->problem->graph, color);
  int32_t nearest = arm->problem->n;
  int64_t worst = 0;
  for (int32_t i = 0; i < arm->members; ++i) {
    int32_t d = distance(arm, color, arm->member[i].color);
    if (d < nearest) nearest = d;
    if (arm->member[i].f > worst) worst = arm->member[i].f;
  }
  result->distance = nearest;
  result->accepted = nearest >= near_copy(arm) && f <= worst + worst / 2 + 2;
  if (result->accepted) { /* the newest replaces one that still waits */
    memcpy(arm->migrant.color, color, (size_t)arm->problem->n * sizeof *color);
    arm->migrant.f = f;
  }
  return PRISM_OK;
}
