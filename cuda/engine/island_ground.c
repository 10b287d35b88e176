#include "engine/island_ground.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/device_graph.h"
#include "model/coloring.h"
#include "runtime/check.h"

/* ---- begin and end ---- */

void prism_gpu_island_drop_population(prism_gpu_island_t *island, int m) {
  if (island->live[m]) prism_population_release(&island->population[m], island->stream);
  island->live[m] = false;
  prism_free(island->best[m]);
  island->best[m] = NULL;
}

void prism_gpu_island_drop_founders(prism_gpu_island_t *island) {
  prism_free(island->founder);
  island->founder = NULL;
  island->founders = island->founder_k = 0;
}

static void drop_learned(prism_gpu_island_t *island) {
  prism_gpu_release(island->context, island->learned, island->stream);
  island->learned = NULL;
}

void prism_gpu_island_leave(prism_gpu_island_t *island) {
  drop_learned(island);
  prism_hooks_cuda_drop(&island->hooks, island->context, island->stream);
  if (island->graph.offset != NULL) {
    /* Blocks of the memory pool wait for the stream by themselves; the graph does not. */
    prism_cuda_drop(cudaStreamSynchronize(island->stream));
    prism_device_graph_destroy(&island->graph);
  }
  prism_view_destroy(&island->view);
}

prism_status_t prism_gpu_island_stand(prism_gpu_island_t *island) {
  const prism_graph_t *g = prism_view_graph(island->view);
  if (g == NULL) return PRISM_OK;
  PRISM_TRY(prism_device_graph_create(g, &island->graph));
  return prism_hooks_cuda_upload(&island->hooks, island->context, island->kernel, island->view,
                                 island->stream);
}

/* ---- populations ---- */

/* The starts that wait, the best of them first; as many as there are members. */
static prism_status_t place_founders(prism_gpu_island_t *island, prism_population_t *p) {
  const prism_host_rows_t rows = {.color = island->founder, .stride = island->kernel->n,
                                  .map = prism_view_map(island->view)};
  const int32_t count = island->founders < p->members ? island->founders : p->members;
  PRISM_TRY(prism_population_put(p, 0, count, &rows, island->stream));
  return prism_population_adapt(p, 0, count, island->founder_k, island->stream);
}

/* A start from elsewhere counts as found, whatever the search makes of it. */
static prism_status_t credit(prism_gpu_island_t *island, prism_population_t *p,
                             const int32_t *start) {
  const int64_t f = prism_coloring_conflicts(prism_view_graph(island->view), start);
  if (f >= INT32_MAX) return PRISM_OK;
  memcpy(island->best[p->method], start, (size_t)p->graph.n * sizeof *start);
  island->best_f[p->method] = f;
  return prism_population_put_best(p, start, (int32_t)f, island->stream);
}

/* Start a population: what `old` (of the same method and vertices, or NULL) leaves it,
 * and the incumbent. */
static prism_status_t found(prism_gpu_island_t *island, prism_population_t *p,
                            prism_population_t *old) {
  const bool frozen = prism_hooks_cuda_frozen(&island->hooks);
  if (old != NULL) PRISM_TRY(prism_population_inherit(p, old, island->stream));
  if (island->incumbent_k == 0 || (island->incumbent_k < p->k && !frozen)) return PRISM_OK;
  const int32_t *map = prism_view_map(island->view);
  int32_t *start = NULL, n = prism_gpu_island_size(island);
  PRISM_TRY(PRISM_ALLOC(n, &start));
  for (int32_t v = 0; v < n; ++v) start[v] = island->incumbent[map[v]];
  int32_t count = frozen ? p->members : prism_population_founders(p);
  prism_status_t status =
      prism_population_place(p, 0, count, start, island->incumbent_k, island->stream);
  const bool strangers = island->founders > 0 && !frozen; /* which may not keep their colors */
  if (status == PRISM_OK && strangers) status = place_founders(island, p);
  if (status == PRISM_OK && strangers && island->incumbent_k == p->k)
    status = credit(island, p, start);
  prism_free(start);
  return status;
}

/* What was hard at one k is hard at the next: edge weights stay while the vertices do. */
static void keep_learned(prism_gpu_island_t *island) {
  prism_population_t *p = &island->population[PRISM_METHOD_WEIGHTED];
  if (!island->live[PRISM_METHOD_WEIGHTED] || p->learned == NULL) return;
  drop_learned(island);
  island->learned = p->learned;
  island->learned_members = p->members;
  island->learned_wide = p->searcher.wide;
  p->learned = NULL;
}

static void take_learned(prism_gpu_island_t *island, prism_population_t *p) {
  if (island->learned != NULL && island->learned_members == p->members &&
      island->learned_wide == p->searcher.wide) {
    void *taught = p->learned; /* blocks of one size change owners */
    p->learned = island->learned;
    island->learned = taught;
  }
  drop_learned(island);
}

prism_population_setup_t prism_gpu_island_setup(const prism_gpu_island_t *island,
                                                prism_method_t m, int64_t number) {
  prism_population_setup_t setup = {.method = m, .k = island->k, .graph = &island->graph,
                                    .individual = (island->id << 16) ^ (uint32_t)m << 13,
                                    .halt = island->halt, .recorder = island->recorder,
                                    .share = island->share, .hooks = &island->hooks.device,
                                    .stages = island->meter.generation[m],
                                    .edge_weight = island->hooks.edge_weight};
  /* Every population has its own random numbers, also at a k that was searched before. */
  setup.seed = prism_rng_derive(island->seed, (uint64_t)number << 8 | island->id);
  return setup;
}

static prism_status_t make_population(prism_gpu_island_t *island, const prism_work_t *work,
                                      prism_population_t *old) {
  const prism_method_t m = work->params.method;
  prism_population_setup_t setup = prism_gpu_island_setup(island, m, ++island->made);
  setup.params = &work->params;
  prism_population_t *p = &island->population[m];
  PRISM_TRY(prism_population_create(island->context, &setup, island->stream, p));
  island->live[m] = true;
  island->number[m] = island->made;
  island->best_f[m] = INT32_MAX;
  island->moves[m] = 0;
  if (p->learned != NULL) take_learned(island, p);
  prism_status_t status = PRISM_ALLOC_ZERO(prism_gpu_island_size(island), &island->best[m]);
  if (status == PRISM_OK) status = found(island, p, old);
  if (status != PRISM_OK) prism_gpu_island_drop_population(island, (int)m);
  return status;
}

/* make_population, and the time that it takes. */
static prism_status_t open_population(prism_gpu_island_t *island, const prism_work_t *work,
                                      prism_population_t *old) {
  prism_stage_manager_t *between = island->meter.between;
  PRISM_TRY(prism_stage_enter(between, PRISM_GPU_CHANGE_POPULATION, island->stream));
  return prism_stage_finish(between, make_population(island, work, old), island->stream);
}

prism_status_t prism_gpu_island_open_population(prism_gpu_island_t *island,
                                                const prism_work_t *work) {
  return open_population(island, work, NULL);
}

/* ---- from one k to the next ---- */

void prism_gpu_island_remember(prism_gpu_island_t *island) {
  if (island->view == NULL) return;
  prism_gpu_island_drop_founders(island); /* the populations hold what came of them */
  if (island->seeded) return;
  int best = -1;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    if (island->live[m] && island->best_f[m] < INT32_MAX &&
        (best < 0 || island->best_f[m] < island->best_f[best]))
      best = m;
  if (prism_gpu_island_size(island) > 0 && best < 0) return;
  int64_t f = best >= 0 ? island->best_f[best] : 0;
  bool better = island->incumbent_k == 0 || island->incumbent_k > island->k ||
                (island->incumbent_k == island->k && f == 0);
  if (!better) return;
  prism_view_lift(island->view, best >= 0 ? island->best[best] : NULL, island->incumbent);
  island->incumbent_k = island->k;
}

/* A new k: view, device graph, population. */
static prism_status_t change_k(prism_gpu_island_t *island, const prism_work_t *work) {
  prism_gpu_island_remember(island);
  /* A frozen vertex may be of any degree, and must not lose its color. */
  const bool frozen = prism_hooks_cuda_frozen(&island->hooks);
  if (frozen && island->incumbent_k > work->k)
    PRISM_FAIL(PRISM_UNSUPPORTED, "frozen vertices of a start with %d colors do not fit into %d",
               island->incumbent_k, work->k);
  int32_t before = prism_gpu_island_size(island);
  prism_view_t *view = NULL;
  PRISM_TRY(prism_view_create(island->kernel, frozen ? 0 : work->k, &view));
  const prism_graph_t *g = prism_view_graph(view);
  /* Cores are nested: the same number of vertices means the same vertices. */
  bool same = g != NULL && g->n == before;
  prism_population_t old = {0};
  const prism_method_t method = work->params.method;
  if (same) keep_learned(island);
  if (same && !frozen && island->live[method] && work->k < island->k) {
    old = island->population[method];
    island->live[method] = false;
  }
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) prism_gpu_island_drop_population(island, m);
  prism_status_t status = PRISM_OK;
  if (same) {
    prism_view_destroy(&island->view);
  } else {
    status = prism_hooks_cuda_collect(&island->hooks, island->view, island->stream);
    prism_gpu_island_leave(island);
  }
  island->view = view;
  island->k = work->k;
  if (status == PRISM_OK && !same) status = prism_gpu_island_stand(island);
  island->seeded = false;
  island->guest_f = -1;
  if (status == PRISM_OK && g != NULL)
    status = open_population(island, work, old.block != NULL ? &old : NULL);
  if (old.block != NULL) prism_population_release(&old, island->stream);
  return status;
}

/* change_k, and the time that its graph takes. */
prism_status_t prism_gpu_island_begin_k(prism_gpu_island_t *island, const prism_work_t *work) {
  prism_stage_manager_t *between = island->meter.between;
  PRISM_TRY(prism_stage_enter(between, PRISM_GPU_CHANGE_GRAPH, island->stream));
  return prism_stage_finish(between, change_k(island, work), island->stream);
}
