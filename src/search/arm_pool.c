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

/* Two individuals closer than this are copies for the purposes of a pool. */
static int32_t near_copy(const prism_arm_t *arm) { return arm->problem->n / 20 + 1; }

static prism_status_t renew(prism_arm_t *arm, prism_individual_t *individual) {
  prism_rng_t rng = prism_arm_stream(arm, PRISM_RNG_POOL);
  PRISM_TRY(prism_seed_random(arm->problem->graph, arm->k, &rng, individual->color));
  individual->f = prism_coloring_conflicts(arm->problem->graph, individual->color);
  return PRISM_OK;
}

/* The population has converged: longer searches, everybody but the best anew. */
static prism_status_t restart(prism_arm_t *arm) {
  enum { LONGEST = 1 << 20 };
  ++arm->restarts;
  if (!arm->length_given && arm->generation_iterations < LONGEST) arm->generation_iterations *= 2;
  int32_t kept = arm->method == PRISM_METHOD_POOL ? 1 : 0;
  if (kept == 1) copy(arm, &arm->member[0], &arm->best);
  for (int32_t i = kept; i < arm->members; ++i) PRISM_TRY(renew(arm, &arm->member[i]));
  arm->elite[0].f = arm->elite[1].f = -1;
  arm->cycle = 0;
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
  return apart < 1 ? restart(arm) : PRISM_OK;
}

/* ---- pool ---- */

static prism_status_t pool_breed(prism_arm_t *arm) {
  prism_rng_t rng = prism_arm_stream(arm, PRISM_RNG_CROSSOVER);
  int32_t a = (int32_t)prism_rng_below(&rng, (uint32_t)arm->members);
  int32_t b = (int32_t)prism_rng_below(&rng, (uint32_t)arm->members - 1);
  if (b >= a) ++b;
  /* Founders are searched once before they mate. */
  if (arm->searched < arm->members)
    copy(arm, &arm->child[0], &arm->member[arm->searched]);
  else
    prism_crossover_gpx(&arm->crossover, arm->member[a].color, arm->member[b].color, &rng,
                        arm->child[0].color);
  return prism_local_start(&arm->local, arm->child[0].color);
}

/* The newcomer replaces a near copy that is not better, else the worst member.
 * [out] apart: mean distance to the members. Returns the place, -1: rejected. */
static int32_t pool_place(prism_arm_t *arm, const prism_individual_t *newcomer, double *apart) {
  int32_t nearest = 0, nearest_distance = INT32_MAX, worst = 0;
  int64_t sum = 0;
  for (int32_t i = 0; i < arm->members; ++i) {
    int32_t d = distance(arm, newcomer->color, arm->member[i].color);
    sum += d;
    if (d < nearest_distance) {
      nearest_distance = d;
      nearest = i;
    }
    if (arm->member[i].f > arm->member[worst].f) worst = i;
  }
  *apart = (double)sum / (double)arm->members / (double)arm->problem->n;
  if (nearest_distance < near_copy(arm))
    return newcomer->f <= arm->member[nearest].f ? nearest : -1;
  return newcomer->f <= arm->member[worst].f ? worst : -1;
}

static prism_status_t pool_settle(prism_arm_t *arm) {
  prism_individual_t *child = &arm->child[0];
  prism_local_best(&arm->local, child->color, &child->f);
  prism_arm_note_best(arm, child);
  ++arm->generations;
  if (arm->searched < arm->members) {
    swap(&arm->member[arm->searched++], child);
    return PRISM_OK;
  }
  double apart = 0.0;
  int32_t place = pool_place(arm, child, &apart);
  arm->diversity = arm->diversity < 0.0 ? apart : 0.9 * arm->diversity + 0.1 * apart;
  arm->rejected = place < 0 ? arm->rejected + 1 : 0;
  if (place >= 0) swap(&arm->member[place], child);
  if (arm->migrant.f >= 0) {
    place = pool_place(arm, &arm->migrant, &apart);
    if (place >= 0) swap(&arm->member[place], &arm->migrant);
    arm->migrant.f = -1;
  }
  /* Near copies replace each other, so a converged pool stays at that distance. */
  if (arm->diversity >= 0.1 && arm->rejected < 5 * arm->members) return PRISM_OK;
  arm->rejected = 0;
  arm->searched = 1; /* the new members are founders again */
  arm->diversity = -1.0;
  return restart(arm);
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
  if (arm->migrant.color == NULL || arm->members < arm->capacity) return PRISM_OK;
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
