#include "solve/solve.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/verify.h"
#include "solve/messages.h"
#include "solve/persist.h"
#include "solve/resume.h"
#include "solve/run.h"
#include "solve/worker.h"

const char *prism_exit_name(prism_exit_t reason) {
  switch (reason) {
#define CASE(name, text)     \
  case PRISM_EXIT_##name:    \
    return text;
    PRISM_EXIT_LIST(CASE)
#undef CASE
    case PRISM_EXIT_COUNT:
      break;
  }
  return "unknown";
}

/* Colours the user asked for, input numbering; 0: as few as possible. */
static int32_t wanted_colors(const prism_params_t *params) {
  return (int32_t)(params->run.k > 0 ? params->run.k : params->run.target);
}

static bool resumes(const prism_solve_config_t *config) {
  return config->persist != NULL && config->persist->resumes;
}

/* Rank 0: this invocation, and all before it. */
static void stop_clock(const prism_solve_config_t *config, prism_result_t *result) {
  bool earlier = resumes(config) && config->persist->resume != NULL;
  result->time = prism_clock_now() - config->start_time;
  result->total_time = result->time;
  if (earlier) result->total_time += prism_checkpoint_head(config->persist->resume)->elapsed;
}

/* ---- before the search ---- */

typedef struct prepare_task {
  const prism_solve_config_t *config;
  prism_prepared_t *prepared;
} prepare_task_t;

static prism_status_t prepare_in_worker(void *argument) {
  prepare_task_t *task = argument;
  const prism_solve_config_t *config = task->config;
  if (resumes(config))
    return prism_resume_prepare(config->persist->resume, config->graph, task->prepared);
  double limit = config->params->run.time_limit;
  double deadline = limit > 0.0 ? config->start_time + 0.5 * limit : 0.0;
  return prism_prepare(config->graph, config->params, config->seed, config->initial,
                       wanted_colors(config->params), deadline, config->interrupt,
                       task->prepared);
}

/* What the bounds alone give, or the earlier invocations, is already a result. */
static prism_status_t first_result(const prism_solve_config_t *config,
                                   const prism_prepared_t *prepared, prism_result_t *result) {
  PRISM_TRY(PRISM_ALLOC(config->graph->n, &result->color));
  result->invocations = 1;
  if (resumes(config)) {
    result->invocations = prism_checkpoint_head(config->persist->resume)->invocations + 1;
    return prism_resume_best(config->persist->resume, config->graph, prepared, result->color,
                             &result->colors);
  }
  memcpy(result->color, prepared->color, (size_t)config->graph->n * sizeof *result->color);
  return PRISM_OK;
}

static prism_status_t publish_start(const prism_solve_config_t *config,
                                    const prism_prepared_t *prepared, prism_result_t *result) {
  prism_status_t status = first_result(config, prepared, result);
  if (status != PRISM_OK) {
    prism_free(result->color);
    result->color = NULL;
  }
  PRISM_TRY(status);
  prism_verdict_t verdict;
  PRISM_TRY(prism_verify(config->graph, result->color, &verdict));
  if (!verdict.legal) {
    prism_free(result->color);
    result->color = NULL;
    PRISM_FAIL(PRISM_INTERNAL, "the first coloring is not legal: %s", verdict.reason);
  }
  if (!prepared->exact &&
      !prism_verify_clique(config->graph, prepared->clique, prepared->clique_size))
    PRISM_FAIL(PRISM_INTERNAL, "the lower bound's clique is not a clique");
  result->colors = verdict.colors;
  result->time_to_best = prism_clock_now() - config->start_time;
  if (!prepared->exact) {
    PRISM_TRY(PRISM_ALLOC(prepared->clique_size, &result->clique));
    memcpy(result->clique, prepared->clique,
           (size_t)prepared->clique_size * sizeof *result->clique);
    result->clique_size = prepared->clique_size;
  }
  prism_kernel_counts_t counts = prism_kernel_counts(prepared->kernel);
  result->kernel_vertices = counts.remaining;
  const prism_graph_t *kernel = prism_kernel_graph(prepared->kernel);
  result->kernel_edges = kernel != NULL ? kernel->m : 0;
  if (config->store == NULL) return PRISM_OK;
  prism_solution_row_t row = {.t = result->time_to_best, .rank = 0, .colors = result->colors};
  return prism_store_solution(config->store, &row, result->color);
}

/* Numbers that every rank reports, from rank 0. Collective. */
typedef struct result_numbers {
  int32_t colors, lower_bound, kernel_vertices;
  int64_t kernel_edges;
  double time, time_to_best, total_time;
  int32_t invocations;
  int64_t checkpoints, checkpoint_failures;
} result_numbers_t;

static prism_status_t share_numbers(const prism_solve_config_t *config, prism_result_t *result) {
  result_numbers_t numbers = {result->colors,          result->lower_bound,
                              result->kernel_vertices, result->kernel_edges,
                              result->time,            result->time_to_best,
                              result->total_time,      result->invocations,
                              result->checkpoints,     result->checkpoint_failures};
  PRISM_TRY(config->comm->ops->bcast(config->comm->self, &numbers, sizeof numbers, 0));
  result->colors = numbers.colors;
  result->lower_bound = numbers.lower_bound;
  result->kernel_vertices = numbers.kernel_vertices;
  result->kernel_edges = numbers.kernel_edges;
  result->time = numbers.time;
  result->time_to_best = numbers.time_to_best;
  result->total_time = numbers.total_time;
  result->invocations = numbers.invocations;
  result->checkpoints = numbers.checkpoints;
  result->checkpoint_failures = numbers.checkpoint_failures;
  return PRISM_OK;
}

/* ---- the search ---- */

/* Take all that ranks have posted, for it would turn up in the next run: of what is late only
 * telemetry counts. Messages of a rank come in order, and each says which is its last.
 * Collective. */
static prism_status_t empty_mailbox(prism_run_t *run) {
  prism_comm_t *comm = run->comm;
  for (int32_t r = 0; r < comm->size; ++r)
    PRISM_TRY(comm->ops->post(comm->self, r, PRISM_TAG_END, NULL, 0));
  for (int32_t ended = 0; ended < comm->size;) {
    prism_message_t message;
    const void *data = NULL;
    PRISM_TRY(comm->ops->poll(comm->self, &message, &data));
    if (message.from < 0) {
      PRISM_TRY(comm->ops->check_peers(comm->self));
      prism_clock_sleep(20e-6);
    } else if (message.tag == PRISM_TAG_END) {
      ++ended;
    } else if (message.tag == PRISM_TAG_TELEMETRY) {
      PRISM_TRY(prism_telemetry_receive(run->telemetry, &message, data));
    }
  }
  return comm->ops->barrier(comm->self); /* the next run begins when all are empty */
}

/* The best colouring of any rank, in case a message was still under way when the search
 * ended. Collective. */
static prism_status_t gather_best(prism_run_t *run) {
  prism_comm_t *comm = run->comm;
  int64_t least = 0;
  int32_t owner = 0;
  PRISM_TRY(comm->ops->argmin_i64(comm->self, run->best_k, &least, &owner));
  if (owner == 0) return PRISM_OK;
  size_t bytes = prism_wire_bytes(run->n, run->width);
  prism_parcel_t parcel = {.k = run->best_k, .iterations = run->iterations};
  prism_wire_pack(&parcel, run->best, run->n, run->width, run->packed);
  PRISM_TRY(comm->ops->bcast(comm->self, run->packed, bytes, owner));
  prism_status_t status = PRISM_OK;
  if (comm->rank == 0) {
    status = prism_wire_unpack(run->packed, bytes, run->n, run->width, &parcel, run->color);
    if (status == PRISM_OK) status = prism_run_accept(run, run->color, &parcel, owner);
  }
  return comm->ops->agree(comm->self, status);
}

/* What the ranks did. Collective. */
static prism_status_t gather(prism_run_t *run, prism_result_t *result) {
  prism_comm_t *comm = run->comm;
  PRISM_TRY(prism_run_report(run, "end", true));
  PRISM_TRY(prism_telemetry_flush(run->telemetry, true));
  PRISM_TRY(comm->ops->allreduce_i64(comm->self, &run->iterations, &result->iterations, 1,
                                     PRISM_REDUCE_SUM));
  PRISM_TRY(prism_run_gpu_result(run, result));
  PRISM_TRY(prism_pooling_result(&run->pooling, &result->exchanges, &result->exchange_bytes,
                                 &result->exchange_seconds));
  return empty_mailbox(run);
}

/* All that comes before the first piece of work. */
static prism_status_t begin_search(prism_run_t *run) {
  if (resumes(run->config)) PRISM_TRY(prism_resume_run(run));
  PRISM_TRY(prism_persist_create(run));
  PRISM_TRY(prism_telemetry_event(run->telemetry, "start", run->best_k + run->shared->universal,
                                  "search begins"));
  return prism_run_report(run, "start", true);
}

static prism_status_t search(const prism_solve_config_t *config, const prism_shared_t *shared,
                             const prism_prepared_t *prepared, int32_t goal,
                             prism_result_t *result) {
  prism_run_t run;
  PRISM_TRY(prism_run_begin(&run, config, shared, prepared, goal, result));
  prism_status_t status = begin_search(&run);
  if (status == PRISM_OK)
    status = config->params->run.deterministic ? prism_run_epochs(&run) : prism_run_async(&run);
  if (status != PRISM_PEER && status != PRISM_TIMEOUT)
    status = config->comm->ops->agree(config->comm->self, status);
  result->iterations = run.iterations; /* until the ranks have met, if they do */
  if (status == PRISM_OK) status = prism_pooling_end(&run.pooling);
  if (status == PRISM_OK) status = gather_best(&run);
  if (status == PRISM_OK) status = prism_persist_end(&run);
  if (status == PRISM_OK) status = gather(&run, result);
  result->reason = run.reason;
  /* What waits for lost ranks on a GPU would keep its memory from being freed. */
  if (status != PRISM_OK && config->bulk != NULL) prism_bulk_destroy(config->bulk);
  prism_run_release(&run);
  return status;
}

/* Why the run ended, once everything is known. */
static void conclude(const prism_solve_config_t *config, prism_result_t *result) {
  int32_t wanted = wanted_colors(config->params);
  result->optimal = result->colors == result->lower_bound;
  result->target = wanted;
  result->target_met = wanted > 0 && result->colors <= wanted;
  if (result->optimal)
    result->reason = PRISM_EXIT_OPTIMAL;
  else if (result->target_met)
    result->reason = PRISM_EXIT_TARGET;
  /* One that ends for now goes on approaching it later. */
  bool infeasible = wanted > 0 && wanted < result->lower_bound;
  if (infeasible && result->reason != PRISM_EXIT_CHECKPOINT)
    result->reason = PRISM_EXIT_INFEASIBLE;
}

static prism_status_t solve(const prism_solve_config_t *config, prism_prepared_t *prepared,
                            prism_shared_t *shared, prism_result_t *out) {
  bool first = config->comm->rank == 0;
  prism_comm_t *comm = config->comm;
  prism_status_t status = PRISM_OK;
  if (first) {
    prepare_task_t task = {config, prepared};
    status = prism_worker_run(prepare_in_worker, &task, comm);
    if (status == PRISM_OK) status = publish_start(config, prepared, out);
    out->lower_bound = prepared->lower_bound;
  }
  PRISM_TRY(comm->ops->agree(comm->self, status));
  PRISM_TRY(prism_share(comm, config->graph, first ? prepared : NULL, shared));
  PRISM_TRY(share_numbers(config, out));
  int32_t wanted = wanted_colors(config->params);
  int32_t goal = wanted > out->lower_bound ? wanted : out->lower_bound;
  /* The decision form has its answer; a target that cannot be met is approached. */
  bool answered = config->params->run.k > 0 && wanted < out->lower_bound;
  if (shared->graph != NULL && out->colors > goal && !answered) {
    int32_t universal = shared->universal;
    PRISM_TRY(search(config, shared, first ? prepared : NULL, goal - universal, out));
  }
  if (first) stop_clock(config, out);
  PRISM_TRY(share_numbers(config, out));
  conclude(config, out);
  return PRISM_OK;
}

prism_status_t prism_solve(const prism_solve_config_t *config, prism_result_t *out) {
  memset(out, 0, sizeof *out);
  out->reason = PRISM_EXIT_ERROR;
  out->gpu_busy = out->gpu_overlap = -1.0;
  prism_prepared_t prepared = {0};
  prism_shared_t shared = {0};
  prism_status_t status = solve(config, &prepared, &shared, out);
  if (status != PRISM_OK) stop_clock(config, out);
  prism_shared_release(&shared);
  prism_prepared_release(&prepared);
  return status;
}

void prism_result_release(prism_result_t *result) {
  prism_free(result->color);
  prism_free(result->clique);
  prism_free(result->gpu_profile);
  memset(result, 0, sizeof *result);
}
