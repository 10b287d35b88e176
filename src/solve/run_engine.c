/* The engine of a rank, which of its islands search by which methods, and which pool meets
 * those of other ranks. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "solve/run.h"

enum { REMARK_BYTES = 256 };

prism_status_t prism_run_remark(prism_run_t *run, const char *event, const char *text) {
  if (run->config->remark != NULL) run->config->remark(run->config->user, text);
  return prism_telemetry_event(run->telemetry, event, -1, text);
}

/* Global ids that this rank may need: whichever engine it takes. */
static int64_t planned_islands(const prism_solve_config_t *config) {
  int64_t sum = 0;
  for (int32_t p = 0; p < config->parts; ++p) sum += config->part[p].islands;
  int64_t other = config->fallback != NULL ? config->fallback->islands : 0;
  return sum > other ? sum : other;
}

/* Global ids: those of the ranks in rank order. */
static prism_status_t number_islands(prism_run_t *run) {
  int64_t planned = planned_islands(run->config);
  int64_t *all = NULL;
  PRISM_TRY(PRISM_ALLOC(run->comm->size, &all));
  prism_status_t status =
      run->comm->ops->allgather(run->comm->self, &planned, all, sizeof planned);
  run->first_island = 0;
  for (int32_t r = 0; r < run->comm->rank && status == PRISM_OK; ++r)
    run->first_island += (int32_t)all[r];
  prism_free(all);
  return status;
}

static prism_status_t make_engine(prism_run_t *run) {
  const prism_solve_config_t *own = run->config;
  prism_engine_config_t config = {.graph = run->shared->graph, .seed = own->seed,
                                  .first_island = run->first_island};
  prism_status_t status = prism_joint_create(own->part, own->parts, &config, &run->engine);
  bool replaceable = status == PRISM_DEVICE || status == PRISM_MEMORY ||
                     status == PRISM_UNSUPPORTED;
  if (!replaceable || own->fallback == NULL) return status;
  char text[REMARK_BYTES], reason[REMARK_BYTES];
  const char *error = prism_error_text();
  snprintf(reason, sizeof reason, "%s", error[0] != '\0' ? error : prism_status_text(status));
  snprintf(run->fallback, sizeof run->fallback, "%.*s", (int)sizeof run->fallback - 1, reason);
  snprintf(text, sizeof text, "%s cannot serve this graph, %s takes over: %.160s",
           own->part->backend.name, own->fallback->backend.name, reason);
  PRISM_TRY(prism_joint_create(own->fallback, 1, &config, &run->engine));
  return prism_run_remark(run, "fallback", text);
}

/* Methods of an island as the user wants them; what is different from that is said. */
static prism_status_t methods_of(prism_run_t *run, int32_t id, const prism_island_info_t *info,
                                 uint32_t *methods) {
  const prism_params_t *params = run->config->params;
  int32_t only = params->memetic.method - 1; /* 0: auto, else 1 + prism_method_t */
  char text[REMARK_BYTES];
  const uint32_t able = only < 0 ? info->methods & ~info->unsuited : info->methods;
  *methods = prism_portfolio_methods(able, only, params->thermodynamic.enabled);
  const char *wanted = only >= 0 ? prism_method_name((prism_method_t)only) : "these methods";
  if (*methods == 0) {
    snprintf(text, sizeof text, "island %d (%s) does not run %s: it stays idle",
             run->first_island + id, info->mode, wanted);
    return prism_run_remark(run, "island_idle", text);
  }
  if (only < 0 || (*methods & PRISM_METHOD_BIT(only)) != 0) return PRISM_OK;
  snprintf(text, sizeof text, "island %d (%s) does not run %s: it runs pool, with more individuals",
           run->first_island + id, info->mode, wanted);
  return prism_run_remark(run, "island_method", text);
}

/* Fill run->island with those that take part. */
static prism_status_t choose_islands(prism_run_t *run) {
  PRISM_TRY(PRISM_ALLOC_ZERO(run->engine.islands, &run->island));
  for (int32_t id = 0; id < run->engine.islands; ++id) {
    prism_run_island_t *island = &run->island[run->islands];
    uint32_t methods = 0;
    run->engine.ops->describe(run->engine.self, id, &island->info);
    PRISM_TRY(methods_of(run, id, &island->info, &methods));
    if (methods == 0) continue;
    island->info.methods = methods;
    island->id = id;
    island->ticket = -1;
    ++run->islands;
    PRISM_TRY(PRISM_ALLOC(run->n, &island->guest));
  }
  if (run->islands == 0)
    PRISM_FAIL(PRISM_UNSUPPORTED, "no island of rank %d (%s) can run memetic.method = %s",
               run->comm->rank, run->engine.ops->name,
               prism_method_name((prism_method_t)(run->config->params->memetic.method - 1)));
  return PRISM_OK;
}

static void init_portfolios(prism_run_t *run) {
  /* Where a clique comes close to the colours there is structure, which edge weights
   * exploit; crossover is better where there is none. */
  bool structured = 5 * run->shared->lower_bound >= 3 * run->shared->colors;
  prism_method_t wanted = structured ? PRISM_METHOD_WEIGHTED : PRISM_METHOD_POOL;
  for (int32_t i = 0; i < run->islands; ++i) {
    prism_run_island_t *island = &run->island[i];
    bool gpu = strcmp(island->info.mode, "gpu") == 0;
    /* A quick success: 0.05 s, or about as many moves as fit in there. A pool on a GPU
     * needs longer, and a second spent on another method is a second of all there is. */
    double moves = gpu ? 2e7 : 2e5, seconds = gpu ? 0.2 : 0.05;
    bool able = (island->info.methods & PRISM_METHOD_BIT(wanted)) != 0;
    prism_portfolio_setup_t setup = {.methods = island->info.methods,
                                     .favorite = (int32_t)(able ? wanted : PRISM_METHOD_POOL),
                                     .island = run->first_island + island->id,
                                     /* What a core tries does not spare a GPU the trial. */
                                     .islands = gpu ? run->comm->size : run->all_islands,
                                     .doubt = gpu ? 6.0 : 2.0,
                                     .pace = run->config->params->run.deterministic ? moves
                                                                                    : seconds};
    prism_portfolio_init(&island->portfolio, &setup);
    island->method = prism_portfolio_choose(&island->portfolio);
  }
}

/* The first pool of this rank that can meet those of others. */
static prism_status_t begin_pooling(prism_run_t *run) {
  static const double usual = 0.25; /* s; where the user has asked for meetings in general */
  const prism_params_islands_t *params = &run->config->params->islands;
  prism_pooling_setup_t setup = {.comm = run->comm, .engine = &run->engine, .island = -1,
                                 .bulk = params->migration ? run->config->bulk : NULL,
                                 .rows = (int32_t)params->pool_rows,
                                 .interval = params->pool_interval > 0.0 ? params->pool_interval
                                                                         : usual};
  for (int32_t i = run->islands - 1; i >= 0; --i)
    if (run->island[i].info.pools &&
        (run->island[i].info.methods & PRISM_METHOD_BIT(PRISM_METHOD_POOL)) != 0)
      setup.island = run->island[i].id;
  return prism_pooling_begin(&run->pooling, &setup);
}

prism_status_t prism_run_engine(prism_run_t *run) {
  const prism_comm_t *comm = run->comm;
  PRISM_TRY(number_islands(run));
  PRISM_TRY(comm->ops->agree(comm->self, make_engine(run)));
  PRISM_TRY(comm->ops->agree(comm->self, choose_islands(run)));
  int64_t sum[2] = {run->islands, run->fallback[0] != '\0'};
  PRISM_TRY(comm->ops->allreduce_i64(comm->self, sum, sum, 2, PRISM_REDUCE_SUM));
  run->all_islands = (int32_t)sum[0];
  run->result->fallback = sum[1] > 0;
  init_portfolios(run);
  return begin_pooling(run);
}
