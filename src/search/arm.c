#include "search/arm.h"

#include <string.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "search/arm_pool.h"
#include "search/seeds.h"

/* By measurement (docs/EXPERIMENTS.md): what is easy is found soonest by few with short
 * searches, and what is not by more with longer ones. */
enum {
  TOURNAMENT = 3,
  LENGTH = 8000,
  POOL_MOVES = 8, /* a vertex */
  POOL_LEAST = 1000,
  EXTRACTION_STEPS = 1 << 17 /* in which a tabu list may grow old */
};

static int32_t most_members(prism_method_t method, const prism_search_params_t *params) {
  if (method == PRISM_METHOD_HEAD) return PRISM_ARM_HEAD_MEMBERS;
  if (method != PRISM_METHOD_POOL) return 1;
  return params->population >= 2 ? params->population : PRISM_ARM_POOL_MOST;
}

int64_t prism_arm_first_length(prism_method_t method, int32_t n) {
  if (method == PRISM_METHOD_EXTRACTION) return EXTRACTION_STEPS;
  if (method != PRISM_METHOD_POOL) return LENGTH;
  const int64_t moves = POOL_MOVES * (int64_t)n;
  return moves > POOL_LEAST ? moves : POOL_LEAST;
}

static bool is_population(prism_method_t method) {
  return method == PRISM_METHOD_HEAD || method == PRISM_METHOD_POOL;
}

static prism_status_t individual_create(int32_t n, prism_individual_t *out) {
  out->f = -1;
  return PRISM_ALLOC(n, &out->color);
}

prism_status_t prism_arm_make_room(prism_arm_t *arm, int32_t members) {
  const int32_t before = arm->capacity, n = arm->problem->n;
  const bool children = is_population(arm->method);
  prism_status_t status = PRISM_OK;
  if (members <= before) return PRISM_OK;
  PRISM_TRY(PRISM_GROW(&arm->member, before, members));
  if (children) PRISM_TRY(PRISM_GROW(&arm->child, before, members));
  for (int32_t i = before; i < members; ++i) {
    arm->member[i].color = NULL;
    if (children) arm->child[i].color = NULL;
  }
  for (int32_t i = before; i < members && status == PRISM_OK; ++i) {
    status = individual_create(n, &arm->member[i]);
    if (status == PRISM_OK && children) status = individual_create(n, &arm->child[i]);
  }
  if (status == PRISM_OK) arm->capacity = members;
  for (int32_t i = before; i < members && status != PRISM_OK; ++i) {
    prism_free(arm->member[i].color);
    if (children) prism_free(arm->child[i].color);
  }
  return status;
}

prism_status_t prism_arm_init(prism_arm_t *arm, prism_method_t method,
                              const prism_problem_t *problem, const prism_isa_t *isa,
                              const prism_hooks_t *hooks, int32_t k, uint64_t seed,
                              uint32_t individual, const prism_search_params_t *params) {
  *arm = (prism_arm_t){.method = method, .problem = problem, .k = k, .seed = seed,
                       .individual = individual, .diversity = -1.0,
                       .least_distance = -1.0};
  const int32_t room = most_members(method, params);
  const bool small = method == PRISM_METHOD_POOL && params->population < 2;
  arm->wanted = small ? PRISM_ARM_POOL_FIRST : room;
  arm->generation_iterations = params->generation_iterations > 0
                                   ? params->generation_iterations
                                   : prism_arm_first_length(method, problem->n);
  prism_method_t moves = is_population(method) ? PRISM_METHOD_TABUCOL : method;
  prism_local_init(&arm->local, problem, isa, hooks, moves, k, params->tenure_base,
                   params->tenure_slope);
  PRISM_TRY(prism_arm_make_room(arm, room));
  PRISM_TRY(individual_create(problem->n, &arm->best));
  if (!is_population(method)) return PRISM_OK;
  for (int i = 0; i < 2; ++i) PRISM_TRY(individual_create(problem->n, &arm->elite[i]));
  PRISM_TRY(individual_create(problem->n, &arm->migrant));
  return prism_crossover_init(&arm->crossover, problem->n, k);
}

static void free_individuals(prism_individual_t *individual, int32_t count) {
  for (int32_t i = 0; i < count && individual != NULL; ++i) prism_free(individual[i].color);
  prism_free(individual);
}

void prism_arm_release(prism_arm_t *arm) {
  prism_local_release(&arm->local);
  prism_tempering_destroy(&arm->tempering);
  prism_extraction_destroy(&arm->extraction);
  prism_crossover_release(&arm->crossover);
  free_individuals(arm->member, arm->capacity);
  free_individuals(arm->child, arm->capacity);
  for (int i = 0; i < 2; ++i) prism_free(arm->elite[i].color);
  prism_free(arm->migrant.color);
  prism_free(arm->best.color);
  memset(arm, 0, sizeof *arm);
}

prism_status_t prism_arm_found(prism_arm_t *arm, const int32_t *color) {
  if (arm->members >= arm->wanted) return PRISM_OK;
  prism_individual_t *member = &arm->member[arm->members++];
  memcpy(member->color, color, (size_t)arm->problem->n * sizeof *color);
  member->f = prism_coloring_conflicts(arm->problem->graph, color);
  prism_arm_note_best(arm, member);
  return PRISM_OK;
}

void prism_arm_note_best(prism_arm_t *arm, const prism_individual_t *candidate) {
  if (arm->best.f >= 0 && arm->best.f <= candidate->f) return;
  memcpy(arm->best.color, candidate->color, (size_t)arm->problem->n * sizeof *candidate->color);
  arm->best.f = candidate->f;
}

prism_rng_t prism_arm_stream(prism_arm_t *arm, prism_rng_purpose_t purpose) {
  return prism_rng_stream(arm->seed, arm->draws++, arm->individual, purpose);
}

/* Fill up with random founders. */
static prism_status_t complete_members(prism_arm_t *arm) {
  while (arm->members < arm->wanted) {
    prism_rng_t rng = prism_arm_stream(arm, PRISM_RNG_POOL);
    prism_individual_t *member = &arm->member[arm->members];
    PRISM_TRY(prism_seed_random(arm->problem->graph, arm->k, &rng, member->color));
    member->f = prism_coloring_conflicts(arm->problem->graph, member->color);
    prism_arm_note_best(arm, member);
    ++arm->members;
  }
  arm->founded = true;
  arm->left = 0;
  arm->stage = 0;
  return PRISM_OK;
}

/* All replicas start from the founder; the random numbers go on where local search
 * would take its own. */
static prism_status_t begin_tempering(prism_arm_t *arm, const prism_search_params_t *params) {
  if (arm->tempering == NULL) {
    prism_tempering_setup_t setup = {.problem = arm->problem, .hooks = arm->local.hooks,
                                     .k = arm->k, .seed = arm->seed,
                                     .individual = arm->individual,
                                     .base = (uint64_t)arm->local.iteration,
                                     .ladder = &params->ladder};
    PRISM_TRY(prism_tempering_create(&setup, arm->member[0].color, &arm->tempering));
  }
  if (!arm->length_given) arm->generation_iterations = prism_tempering_round(arm->tempering);
  arm->left = arm->generation_iterations;
  return PRISM_OK;
}

prism_extraction_setup_t prism_arm_extraction_setup(const prism_arm_t *arm) {
  return (prism_extraction_setup_t){.problem = arm->problem, .isa = arm->local.isa, .k = arm->k,
                                    .seed = arm->seed, .individual = arm->individual,
                                    .position = (uint64_t)arm->local.iteration,
                                    .tenure_longest = arm->local.tenure_longest,
                                    .effort = arm->effort};
}

static prism_status_t begin_extraction(prism_arm_t *arm) {
  arm->left = arm->generation_iterations;
  if (arm->extraction != NULL) return prism_extraction_forget_tabu(arm->extraction);
  const prism_extraction_setup_t setup = prism_arm_extraction_setup(arm);
  return prism_extraction_create(&setup, arm->member[0].color, &arm->extraction);
}

/* Begin the next piece of search: choose what local search starts from. */
static prism_status_t begin(prism_arm_t *arm, const prism_search_params_t *params) {
  if (arm->method == PRISM_METHOD_TEMPERING) return begin_tempering(arm, params);
  if (arm->method == PRISM_METHOD_EXTRACTION) return begin_extraction(arm);
  arm->left = arm->generation_iterations;
  if (is_population(arm->method)) return prism_arm_breed(arm);
  if (arm->local.state != NULL && arm->generations > 0) {
    /* It goes on, but without a tabu list: then a state saved between generations needs none,
     * and what follows it is the same. Costs nothing (docs/EXPERIMENTS.md). */
    prism_local_forget_tabu(&arm->local);
    return PRISM_OK;
  }
  return prism_local_start(&arm->local, arm->member[0].color);
}

static void note_tempering(prism_arm_t *arm) {
  const prism_tempering_t *t = arm->tempering;
  if (arm->best.f >= 0 && arm->best.f <= t->best_f) return;
  memcpy(arm->best.color, t->best_color, (size_t)t->n * sizeof *t->best_color);
  arm->best.f = t->best_f;
}

/* [out] the member, which is the best of all attempts. */
static void read_extraction(prism_arm_t *arm) {
  const prism_extraction_t *e = arm->extraction;
  memcpy(arm->member[0].color, e->best_color, (size_t)e->n * sizeof *e->best_color);
  arm->member[0].f = e->best_f;
  prism_arm_note_best(arm, &arm->member[0]);
}

/* A piece of search is over: the population takes its result. */
static prism_status_t finish(prism_arm_t *arm) {
  arm->left = 0;
  if (is_population(arm->method)) return prism_arm_settle(arm);
  ++arm->generations;
  if (arm->tempering != NULL) {
    const prism_tempering_t *t = arm->tempering;
    size_t coldest = (size_t)t->replica_at[0], n = (size_t)t->n;
    memcpy(arm->member[0].color, t->color + coldest * n, n * sizeof *t->color);
    arm->member[0].f = t->f[coldest];
    note_tempering(arm);
    return PRISM_OK;
  }
  if (arm->extraction != NULL) {
    read_extraction(arm);
    return PRISM_OK;
  }
  prism_local_best(&arm->local, arm->member[0].color, &arm->member[0].f);
  prism_arm_note_best(arm, &arm->member[0]);
  return PRISM_OK;
}

int32_t prism_arm_individuals(const prism_arm_t *arm) {
  return arm->tempering != NULL ? arm->tempering->replicas : arm->members;
}

void prism_arm_note_search(prism_arm_t *arm) {
  if (arm->tempering != NULL) note_tempering(arm);
  if (arm->extraction != NULL) read_extraction(arm);
  if (arm->local.state == NULL || arm->left <= 0) return;
  if (arm->method != PRISM_METHOD_PARTIALCOL && arm->local.state->best_f >= arm->best.f) return;
  /* The place that the end of the generation writes to as well. */
  prism_individual_t *place =
      is_population(arm->method) ? &arm->child[arm->stage] : &arm->member[0];
  prism_local_best(&arm->local, place->color, &place->f);
  prism_arm_note_best(arm, place);
}

/* Search for up to `budget` moves. [in,out] f: fewest conflicts seen. */
static prism_status_t search(prism_arm_t *arm, const prism_search_params_t *params, int64_t budget,
                             const atomic_bool *stop, int64_t *used, bool *solved, int64_t *f) {
  int64_t seen = INT64_MAX;
  if (arm->tempering != NULL) {
    arm->tempering->least_f = INT64_MAX;
    PRISM_TRY(prism_tempering_run(arm->tempering, budget, true, stop, used));
    *solved = arm->tempering->best_f == 0;
    seen = arm->tempering->least_f;
  } else if (arm->extraction != NULL) {
    PRISM_TRY(prism_extraction_run(arm->extraction, params, budget, stop, used));
    *solved = arm->extraction->best_f == 0;
    seen = arm->extraction->best_f;
  } else {
    prism_tabu_params_t tabu = {params->tenure_base, params->tenure_slope, true, arm->seed,
                                arm->individual};
    PRISM_TRY(prism_local_run(&arm->local, &tabu, budget, stop, used, solved));
    /* PartialCol counts uncoloured vertices; its conflicts are known at the end. */
    if (arm->method != PRISM_METHOD_PARTIALCOL) seen = arm->local.state->best_f;
  }
  if (seen < *f) *f = seen;
  return PRISM_OK;
}

prism_status_t prism_arm_advance(prism_arm_t *arm, const prism_search_params_t *params,
                                 int64_t iterations, const atomic_bool *stop,
                                 prism_arm_step_t *step) {
  *step = (prism_arm_step_t){.f = INT64_MAX};
  if (!arm->founded) PRISM_TRY(complete_members(arm));
  arm->tournament = params->tournament > 0 ? params->tournament : TOURNAMENT;
  arm->length_given = params->generation_iterations > 0;
  arm->size_given = params->population >= 2;
  if (arm->length_given) arm->generation_iterations = params->generation_iterations;
  if (arm->best.f == 0) {
    step->f = 0;
    step->solved = true;
    return PRISM_OK;
  }
  while (step->iterations < iterations && !step->solved &&
         !(stop != NULL && atomic_load_explicit(stop, memory_order_relaxed))) {
    if (arm->left == 0) PRISM_TRY(begin(arm, params));
    int64_t budget = iterations - step->iterations;
    if (budget > arm->left) budget = arm->left;
    int64_t used = 0;
    PRISM_TRY(search(arm, params, budget, stop, &used, &step->solved, &step->f));
    step->iterations += used;
    arm->left -= used;
    if (arm->left <= 0 || step->solved) {
      int64_t before = arm->generations;
      PRISM_TRY(finish(arm));
      step->generations += (int32_t)(arm->generations - before);
      if (!is_population(arm->method) && arm->member[0].f < step->f) step->f = arm->member[0].f;
    }
  }
  return PRISM_OK;
}
