#include "search/island.h"

#include <string.h>

#include "base/bitset.h"
#include "base/clock.h"
#include "base/mem.h"
#include "model/coloring.h"
#include "search/island_hooks.h"
#include "search/seeds.h"

enum { SLICE = 2048 }; /* moves between looks at the clock */

prism_status_t prism_island_init(prism_island_t *island, const prism_graph_t *kernel,
                                 prism_ground_list_t *grounds, const prism_isa_t *isa,
                                 uint64_t seed, uint32_t id) {
  *island = (prism_island_t){.kernel = kernel, .grounds = grounds, .isa = isa, .seed = seed,
                             .id = id};
  PRISM_TRY(PRISM_ALLOC(kernel->n, &island->incumbent));
  return PRISM_ALLOC(kernel->n, &island->mate);
}

static void drop_founders(prism_island_t *island) {
  prism_free(island->founder);
  island->founder = NULL;
  island->founders = 0;
}

static void drop_arms(prism_island_t *island) {
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    if (!island->live[m]) continue;
    prism_island_collect_counters(island, &island->arm[m]);
    prism_arm_release(&island->arm[m]);
    island->live[m] = false;
  }
}

void prism_island_release(prism_island_t *island) {
  if (island->kernel == NULL) return;
  drop_arms(island);
  prism_ground_return(island->grounds, &island->ground);
  prism_hooks_unmap(&island->mapped);
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) prism_free(island->counter[i]);
  prism_free(island->incumbent);
  prism_free(island->mate);
  prism_free(island->learned);
  drop_founders(island);
  memset(island, 0, sizeof *island);
}

static const prism_graph_t *view_graph(const prism_island_t *island) {
  return island->ground->problem != NULL ? island->ground->problem->graph : NULL;
}

/* Lift an individual of the present view to the kernel. */
static void lift(const prism_island_t *island, const int32_t *view_color, int32_t *color) {
  prism_view_lift(island->ground->view, view_color, color);
}

/* Take a colouring at the present k over as the next start. An imported one with as
 * few colours is given up only for a legal one. */
static void take_incumbent(prism_island_t *island, const int32_t *view_color, int64_t f) {
  bool better = island->incumbent_k == 0 || island->incumbent_k > island->k ||
                (island->incumbent_k == island->k && f == 0);
  if (!better || island->seeded) return;
  lift(island, view_color, island->incumbent);
  island->incumbent_k = island->k;
}

void prism_island_remember(prism_island_t *island) {
  if (island->ground == NULL) return;
  drop_founders(island); /* the arms hold what came of them */
  if (island->ground->problem == NULL) {
    take_incumbent(island, NULL, 0);
    return;
  }
  const prism_individual_t *best = NULL;
  const prism_arm_t *population = NULL;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    if (!island->live[m]) continue;
    const prism_arm_t *arm = &island->arm[m];
    if (arm->best.f >= 0 && (best == NULL || arm->best.f < best->f)) best = &arm->best;
    if (arm->members > 1 && (population == NULL || m == (int)island->last)) population = arm;
  }
  if (best != NULL) take_incumbent(island, best->color, best->f);
  island->mate_k = 0;
  if (population == NULL) return;
  const prism_individual_t *mate = &population->member[population->members - 1];
  lift(island, mate->color, island->mate);
  island->mate_k = island->k;
}

prism_status_t prism_island_stand(prism_island_t *island) {
  /* Frozen vertices keep their colours only where nothing is peeled and recoloured. */
  bool whole = island->hooks != NULL && island->hooks->frozen != NULL;
  PRISM_TRY(prism_ground_take(island->grounds, whole ? 0 : island->k, &island->ground));
  return prism_island_map_hooks(island);
}

static prism_status_t change_k(prism_island_t *island, int32_t k) {
  prism_island_remember(island);
  if (island->live[PRISM_METHOD_WEIGHTED])
    PRISM_TRY(prism_island_learn(island, &island->arm[PRISM_METHOD_WEIGHTED]));
  const prism_arm_t *extraction = &island->arm[PRISM_METHOD_EXTRACTION];
  if (island->live[PRISM_METHOD_EXTRACTION] && extraction->extraction != NULL)
    island->effort = extraction->extraction->effort;
  drop_arms(island);
  prism_ground_return(island->grounds, &island->ground);
  prism_hooks_unmap(&island->mapped);
  island->k = k;
  island->seeded = false;
  return prism_island_stand(island);
}

/* Found an arm from a kernel colouring with from_k colours, brought down to k. */
static prism_status_t found_from(prism_island_t *island, prism_arm_t *arm, const int32_t *color,
                                 int32_t from_k) {
  if (from_k > island->k && island->hooks != NULL && island->hooks->frozen != NULL)
    PRISM_FAIL(PRISM_UNSUPPORTED, "frozen vertices of a start with %d colors do not fit into %d",
               from_k, island->k);
  const prism_graph_t *g = view_graph(island);
  const int32_t *map = prism_view_map(island->ground->view);
  int32_t *start = NULL;
  PRISM_TRY(PRISM_ALLOC(g->n, &start));
  for (int32_t v = 0; v < g->n; ++v) start[v] = color[map[v]];
  prism_rng_t rng = prism_rng_stream(island->seed, island->draws++, island->id, PRISM_RNG_POOL);
  prism_status_t status = prism_seed_dissolve(g, from_k, island->k, &rng, start);
  if (status == PRISM_OK) status = prism_arm_found(arm, start);
  prism_free(start);
  return status;
}

static prism_status_t ready_arm(prism_island_t *island, const prism_search_params_t *params,
                                prism_arm_t **out) {
  prism_method_t m = params->method;
  prism_arm_t *arm = &island->arm[m];
  if (!island->live[m]) {
    uint32_t individual = prism_island_individual(island, m);
    bool learned = m == PRISM_METHOD_WEIGHTED && island->learned != NULL;
    const prism_hooks_t *hooks = island->hooks != NULL || learned ? &island->mapped : NULL;
    prism_status_t status = prism_arm_init(arm, m, island->ground->problem, island->isa, hooks,
                                           island->k, island->seed, individual, params);
    /* Every k has its own random numbers, also when it is searched again. */
    arm->draws = island->draws << 24;
    arm->effort = island->effort;
    arm->local.iteration = (int64_t)(island->draws++ & 0x3FF) << 30;
    if (status == PRISM_OK && island->incumbent_k > 0)
      status = found_from(island, arm, island->incumbent, island->incumbent_k);
    if (status == PRISM_OK && arm->capacity > 1 && island->mate_k > 0)
      status = found_from(island, arm, island->mate, island->mate_k);
    for (int32_t i = 0; i < island->founders && status == PRISM_OK; ++i)
      if (arm->members < arm->wanted)
        status = found_from(island, arm, island->founder + (size_t)i * (size_t)island->kernel->n,
                            island->founder_k);
    if (status != PRISM_OK) {
      prism_arm_release(arm);
      return status;
    }
    island->live[m] = true;
  }
  *out = arm;
  return PRISM_OK;
}

prism_status_t prism_island_work(prism_island_t *island, const prism_work_t *work,
                                 const atomic_bool *stop, prism_summary_t *summary) {
  double begin = prism_clock_now();
  *summary = (prism_summary_t){.phase = work->phase, .method = work->params.method, .k = work->k,
                               .f_ticket = INT64_MAX, .diversity = -1.0};
  if (island->hooks != NULL && island->hooks->frozen != NULL &&
      prism_method_renames(work->params.method))
    PRISM_FAIL(PRISM_UNSUPPORTED, "%s renames colors: it cannot keep frozen vertices",
               prism_method_name(work->params.method));
  if (island->k != work->k || island->ground == NULL || island->seeded)
    PRISM_TRY(change_k(island, work->k));
  island->last = work->params.method;
  if (island->ground->problem == NULL) { /* all of it peels: any lift is legal */
    summary->f_ticket = 0;
    return PRISM_OK;
  }
  prism_arm_t *arm = NULL;
  PRISM_TRY(ready_arm(island, &work->params, &arm));
  int32_t restarts = arm->restarts;
  for (;;) {
    int64_t slice = work->seconds > 0.0 ? SLICE : INT64_C(1) << 40;
    if (work->iterations > 0 && work->iterations - summary->iterations < slice)
      slice = work->iterations - summary->iterations;
    if (work->generations > 0 && arm->left > 0 && arm->left < slice) slice = arm->left;
    if (work->generations > 0 && arm->left == 0 && arm->generation_iterations < slice)
      slice = arm->generation_iterations;
    prism_arm_step_t step;
    PRISM_TRY(prism_arm_advance(arm, &work->params, slice, stop, &step));
    summary->iterations += step.iterations;
    summary->generations += step.generations;
    if (step.f < summary->f_ticket) summary->f_ticket = step.f;
    bool spent = (work->iterations > 0 && summary->iterations >= work->iterations) ||
                 (work->generations > 0 && summary->generations >= work->generations) ||
                 (work->seconds > 0.0 && prism_clock_now() - begin >= work->seconds);
    if (step.solved || spent || (stop != NULL && atomic_load(stop))) break;
  }
  prism_arm_note_search(arm);
  if (summary->f_ticket == INT64_MAX) summary->f_ticket = arm->best.f;
  summary->restarts = arm->restarts - restarts;
  summary->seconds = prism_clock_now() - begin;
  summary->f_best = arm->best.f;
  summary->early = arm->extraction != NULL && !arm->extraction->tried;
  summary->diversity = arm->diversity;
  summary->individuals = prism_arm_individuals(arm);
  summary->length = arm->generation_iterations;
  if (arm->tempering != NULL) {
    summary->temperature = arm->tempering->ladder.temperature[0];
    summary->swap_rate = arm->tempering->swap_rate;
  }
  return PRISM_OK;
}

prism_status_t prism_island_export(prism_island_t *island, int32_t which, uint32_t draw,
                                   int32_t *color, int32_t *k, int64_t *f) {
  if (island->ground == NULL) PRISM_FAIL(PRISM_INVALID, "an island without work has no coloring");
  *k = island->k;
  *f = 0;
  if (island->ground->problem == NULL) {
    lift(island, NULL, color);
    return PRISM_OK;
  }
  if (!island->live[island->last])
    PRISM_FAIL(PRISM_INVALID, "an island without work has no coloring");
  const prism_arm_t *arm = &island->arm[island->last];
  const prism_individual_t *chosen = &arm->best;
  if (which == 1 && arm->members > 1)
    chosen = &arm->member[prism_rng_scale(draw, (uint32_t)arm->members)];
  lift(island, chosen->color, color);
  *f = chosen->f;
  return PRISM_OK;
}

bool prism_island_ladder(const prism_island_t *island, prism_ladder_view_t *out) {
  const prism_arm_t *arm = &island->arm[PRISM_METHOD_TEMPERING];
  if (!island->live[PRISM_METHOD_TEMPERING] || arm->tempering == NULL) return false;
  prism_ladder_view(&arm->tempering->ladder, out);
  return true;
}

prism_status_t prism_island_import(prism_island_t *island, const int32_t *color, int32_t k,
                                   bool seed, prism_import_result_t *result) {
  *result = (prism_import_result_t){false, -1};
  if (seed) {
    memcpy(island->incumbent, color, (size_t)island->kernel->n * sizeof *color);
    island->incumbent_k = k;
    island->seeded = true;
    drop_founders(island);
    result->accepted = true;
    return PRISM_OK;
  }
  if (island->ground == NULL || island->ground->problem == NULL || k > island->k) return PRISM_OK;
  const prism_graph_t *g = view_graph(island);
  const int32_t *map = prism_view_map(island->ground->view);
  int32_t *guest = NULL;
  PRISM_TRY(PRISM_ALLOC(g->n, &guest));
  for (int32_t v = 0; v < g->n; ++v) guest[v] = color[map[v]];
  prism_status_t status = PRISM_OK;
  for (int m = 0; m < PRISM_METHOD_COUNT && status == PRISM_OK; ++m) {
    if (!island->live[m]) continue;
    prism_import_result_t one;
    status = prism_arm_offer(&island->arm[m], guest, &one);
    if (one.distance >= 0 && (result->distance < 0 || one.distance < result->distance))
      result->distance = one.distance;
    result->accepted |= one.accepted;
  }
  prism_free(guest);
  return status;
}
