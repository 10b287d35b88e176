#include "solve/run.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/coloring.h"
#include "model/verify.h"
#include "solve/complete.h"
#include "solve/persist.h"

double prism_run_elapsed(const prism_run_t *run) {
  return prism_clock_now() - run->config->start_time;
}

bool prism_run_out_of_time(const prism_run_t *run) {
  const prism_persist_config_t *persist = run->config->persist;
  double limit = run->config->params->run.time_limit, now = prism_run_elapsed(run);
  double total = persist != NULL ? persist->total_time : 0.0;
  return (limit > 0.0 && now >= limit) || (total > 0.0 && run->prior + now >= total);
}

/* ---- begin and end ---- */

static prism_status_t begin(prism_run_t *run) {
  PRISM_TRY(prism_telemetry_create(run->comm, run->config->store,
                                   run->config->params->telemetry.enabled,
                                   run->config->start_time, &run->telemetry));
  PRISM_TRY(PRISM_ALLOC(run->n, &run->best));
  PRISM_TRY(PRISM_ALLOC(run->n, &run->color));
  PRISM_TRY(PRISM_ALLOC(prism_wire_bytes(run->n, run->width), &run->packed));
  if (run->comm->rank == 0) PRISM_TRY(PRISM_ALLOC(run->config->graph->n, &run->input_color));
  memcpy(run->best, run->shared->color, (size_t)run->n * sizeof *run->best);
  return PRISM_OK;
}

static double cost_so_far(const prism_run_t *run) {
  return run->config->params->run.deterministic ? (double)run->iterations
                                                : prism_run_elapsed(run) - run->began;
}

/* A target is searched for itself, from the start: all on the way there costs more than it
 * helps, and what comes close to it is completed anyway. But for half of the run only,
 * since it may be out of reach. */
static bool go_direct(const prism_run_t *run) {
  const prism_params_run_t *params = &run->config->params->run;
  if (params->target == 0) return false;
  const int64_t most = params->max_iterations;
  if (params->deterministic) return most <= 0 || 2 * run->iterations < most;
  return params->time_limit <= 0.0 || prism_run_elapsed(run) < 0.5 * params->time_limit;
}

/* The decision form stays at its k. */
void prism_run_begin_descent(prism_run_t *run, bool fresh) {
  bool decision = run->config->params->run.k > 0, fixed = run->config->params->run.deterministic;
  run->began = prism_run_elapsed(run);
  prism_descent_init(&run->descent, run->shared->lower_bound, run->goal, fixed ? 2e5 : 0.05);
  run->direct = !decision && go_direct(run);
  const double cost = fresh ? 0.0 : fixed ? (double)run->iterations + 1.0 : 1e-9; /* not none */
  if (!decision && !run->direct) prism_descent_begin(&run->descent, run->best_k, cost);
  run->k = run->descent.k;
}

void prism_run_aim(prism_run_t *run) {
  if (run->config->params->run.k > 0 || run->best_k <= run->goal) return;
  const double cost = cost_so_far(run);
  if (run->direct && go_direct(run)) return;
  if (run->direct)
    prism_descent_begin(&run->descent, run->best_k, cost);
  else if (!prism_descent_update(&run->descent, run->best_k, run->f_best, cost))
    return;
  run->direct = false;
  run->k = run->descent.k;
  run->f_best = -1;
}

prism_status_t prism_run_begin(prism_run_t *run, const prism_solve_config_t *config,
                               const prism_shared_t *shared, const prism_prepared_t *prepared,
                               int32_t goal, prism_result_t *result) {
  *run = (prism_run_t){.config = config, .shared = shared, .prepared = prepared,
                       .comm = config->comm, .n = shared->graph->n, .goal = goal,
                       .best_k = shared->colors, .f_best = -1, .diversity = -1.0,
                       .width = prism_wire_width(shared->colors), .result = result};
  if (prepared != NULL) run->history.n = config->graph->n;
  prism_run_begin_descent(run, true);
  prism_status_t status = begin(run);
  status = run->comm->ops->agree(run->comm->self, status);
  if (status == PRISM_OK) status = prism_run_engine(run);
  if (status != PRISM_OK) prism_run_release(run);
  return status;
}

void prism_run_release(prism_run_t *run) {
  prism_persist_destroy(&run->persist); /* it reads the history */
  prism_history_release(&run->history);
  for (int32_t i = 0; run->island != NULL && i < run->islands; ++i)
    prism_free(run->island[i].guest);
  prism_free(run->island);
  prism_engine_destroy(&run->engine);
  prism_telemetry_destroy(&run->telemetry);
  prism_free(run->best);
  prism_free(run->color);
  prism_free(run->packed);
  prism_free(run->input_color);
  memset(run, 0, sizeof *run);
}

/* ---- work ---- */

static prism_search_params_t snapshot(const prism_run_t *run, prism_method_t method) {
  const prism_params_memetic_t *memetic = &run->config->params->memetic;
  const prism_params_thermodynamic_t *thermo = &run->config->params->thermodynamic;
  return (prism_search_params_t){
      .version = 1,
      .method = method,
      .population = (int32_t)memetic->population,
      .deme_size = (int32_t)memetic->deme_size,
      .generation_iterations = memetic->generation_iterations,
      .tournament = (int32_t)memetic->tournament,
      .tenure_base = memetic->tenure_base,
      .tenure_slope = memetic->tenure_slope,
      .ladder = {.replicas = (int32_t)thermo->replicas, .sweeps = (int32_t)thermo->sweeps,
                 .t_min = thermo->t_min, .t_max = thermo->t_max, .swap_low = thermo->swap_low,
                 .swap_high = thermo->swap_high},
  };
}

/* Give idle island i the migrant that waits for it. */
static prism_status_t admit(prism_run_t *run, int32_t i) {
  prism_run_island_t *island = &run->island[i];
  const prism_parcel_t *parcel = &island->parcel;
  island->waiting = false;
  prism_import_result_t result;
  PRISM_TRY(run->engine.ops->import_colors(run->engine.self, island->id, island->guest,
                                           parcel->k, false, &result));
  prism_migration_t record;
  prism_record_blank(PRISM_RECORD_MIGRATION, &record);
  record.from_rank = island->guest_rank;
  record.to_rank = run->comm->rank;
  record.colors = parcel->k + run->shared->universal;
  record.conflicts = parcel->f;
  record.distance = result.distance;
  record.accepted = result.accepted;
  return prism_telemetry_migration(run->telemetry, &record);
}

int64_t prism_run_iterations_left(const prism_run_t *run) {
  int64_t limit = run->config->params->run.max_iterations, left = limit - run->iterations;
  if (limit <= 0) return INT64_MAX;
  for (int32_t i = 0; i < run->islands; ++i)
    if (run->island[i].ticket >= 0) left -= run->island[i].promised;
  return left;
}

prism_status_t prism_run_submit(prism_run_t *run, int32_t i, int64_t generations,
                                double seconds) {
  prism_run_island_t *island = &run->island[i];
  prism_import_result_t ignored;
  const int32_t k = run->k;
  /* On the way down the best coloring known is a start; on the way up an island has its own,
   * with fewer colors and some conflicts. */
  const bool lower = island->k >= run->best_k;
  if (island->seeded_k == 0 || (run->best_k < island->seeded_k && lower)) {
    PRISM_TRY(run->engine.ops->import_colors(run->engine.self, island->id, run->best,
                                             run->best_k, true, &ignored));
    island->seeded_k = run->best_k;
  }
  if (island->waiting) PRISM_TRY(admit(run, i));
  if (island->portfolio.k != k) {
    prism_portfolio_begin(&island->portfolio, k);
    island->completed_f = -1;
  }
  prism_method_t method = prism_portfolio_choose(&island->portfolio);
  prism_work_t work = {.phase = prism_method_phase(method), .k = k,
                       .params = snapshot(run, method),
                       .generations = generations, .seconds = seconds};
  int64_t limit = run->config->params->run.max_iterations;
  if (limit > 0) {
    int64_t part = prism_run_iterations_left(run) / run->islands;
    work.iterations = part > 0 ? part : 1;
  }
  PRISM_TRY(run->engine.ops->submit(run->engine.self, island->id, &work, &island->ticket));
  island->k = k;
  island->promised = work.iterations;
  prism_pulse_t *pulse = run->config->pulse;
  if (pulse != NULL) {
    atomic_store(&pulse->method, (int)method);
    atomic_store(&pulse->colors, k + run->shared->universal);
    atomic_fetch_add(&pulse->submitted, 1);
  }
  return PRISM_OK;
}

prism_status_t prism_run_finished(prism_run_t *run, int32_t i, const prism_summary_t *summary,
                                  bool *found) {
  prism_run_island_t *island = &run->island[i];
  island->ticket = -1;
  if (run->config->pulse != NULL) atomic_fetch_add(&run->config->pulse->finished, 1);
  *found = false;
  run->iterations += summary->iterations;
  island->cut = island->promised > 0 && summary->iterations >= island->promised;
  island->method = summary->method;
  island->length = summary->length;
  island->demes = summary->demes;
  if (summary->diversity >= 0.0) run->diversity = summary->diversity;
  if (summary->temperature > 0.0) {
    run->temperature = summary->temperature;
    run->swap_rate = summary->swap_rate;
    PRISM_TRY(prism_run_ladder(run, i, summary->k));
  }
  double cost = run->config->params->run.deterministic ? (double)summary->iterations
                                                       : summary->seconds;
  if (summary->k == island->portfolio.k)
    prism_portfolio_reward(&island->portfolio, summary, cost);
  if (summary->k == run->k && (run->f_best < 0 || summary->f_best < run->f_best))
    run->f_best = summary->f_best;
  *found = summary->f_best == 0 && summary->k < run->best_k;
  if (summary->note[0] == '\0') return PRISM_OK;
  return prism_run_remark(run, "engine_note", summary->note);
}

prism_status_t prism_run_export(prism_run_t *run, int32_t i, int32_t *color,
                                prism_parcel_t *parcel) {
  const prism_run_island_t *island = &run->island[i];
  *parcel = (prism_parcel_t){.method = (int32_t)island->method, .iterations = run->iterations};
  return run->engine.ops->export_colors(run->engine.self, island->id, 0, 0, color, &parcel->k,
                                        &parcel->f);
}

prism_status_t prism_run_complete(prism_run_t *run, int32_t i, prism_parcel_t *parcel) {
  prism_run_island_t *island = &run->island[i];
  parcel->f = 1;
  if (island->k + 1 >= run->best_k) return PRISM_OK;
  PRISM_TRY(prism_run_export(run, i, run->color, parcel));
  if (parcel->f == 0 || (island->completed_f >= 0 && parcel->f >= island->completed_f))
    return PRISM_OK;
  island->completed_f = parcel->f;
  PRISM_TRY(prism_complete(run->shared->graph, run->best_k, run->color, &parcel->k));
  if (parcel->k < run->best_k) parcel->f = 0;
  return PRISM_OK;
}

/* ---- migrants ---- */

prism_status_t prism_run_emigrant(prism_run_t *run, int32_t i, prism_parcel_t *parcel) {
  *parcel = (prism_parcel_t){.iterations = run->iterations};
  prism_rng_block_t draw = prism_rng_at(run->config->seed, (uint64_t)run->iterations, 0,
                                        (uint32_t)(run->first_island + run->island[i].id),
                                        PRISM_RNG_MIGRATE);
  return run->engine.ops->export_colors(run->engine.self, run->island[i].id, 1, draw.word[0],
                                        run->color, &parcel->k, &parcel->f);
}

void prism_run_hand_over(prism_run_t *run, int32_t i, const prism_parcel_t *parcel,
                         int32_t from_rank) {
  prism_run_island_t *island = &run->island[i];
  memcpy(island->guest, run->color, (size_t)run->n * sizeof *run->color);
  island->parcel = *parcel;
  island->guest_rank = from_rank;
  island->waiting = true;
}

prism_status_t prism_run_visited(prism_run_t *run, int32_t visitors) {
  if (visitors < 0) return PRISM_OK;
  prism_migration_t record;
  prism_record_blank(PRISM_RECORD_MIGRATION, &record);
  record.from_rank = -1; /* from all */
  record.to_rank = run->comm->rank;
  record.colors = run->k + run->shared->universal;
  record.accepted = visitors;
  return prism_telemetry_migration(run->telemetry, &record);
}

/* ---- a better colouring ---- */

/* Rank 0: lift, verify on the input graph, store. */
static prism_status_t publish(prism_run_t *run, const prism_parcel_t *parcel, int32_t rank) {
  prism_result_t *result = run->result;
  int32_t colors = 0;
  prism_verdict_t verdict;
  PRISM_TRY(prism_kernel_lift(run->prepared->kernel, run->best, run->best_k, run->input_color,
                              &colors));
  PRISM_TRY(prism_verify(run->config->graph, run->input_color, &verdict));
  if (!verdict.legal)
    PRISM_FAIL(PRISM_INTERNAL, "rank %d found a coloring that is not legal: %s", rank,
               verdict.reason);
  if (verdict.colors >= result->colors) return PRISM_OK;
  memcpy(result->color, run->input_color, (size_t)run->config->graph->n * sizeof *result->color);
  result->colors = verdict.colors;
  result->time_to_best = prism_run_elapsed(run);
  run->improved = true;
  prism_solution_row_t row = {.t = run->prior + result->time_to_best,
                              .iterations = parcel->iterations, .rank = rank,
                              .colors = verdict.colors};
  if (run->persist != NULL) PRISM_TRY(prism_history_add(&run->history, &row, result->color));
  if (run->config->store == NULL) return PRISM_OK;
  row.t = result->time_to_best;
  return prism_store_solution(run->config->store, &row, result->color);
}

prism_status_t prism_run_accept(prism_run_t *run, const int32_t *color,
                                const prism_parcel_t *parcel, int32_t rank) {
  if (prism_coloring_conflicts(run->shared->graph, color) != 0)
    PRISM_FAIL(PRISM_INTERNAL, "an engine reported a coloring with conflicts as legal");
  if (parcel->k >= run->best_k) return PRISM_OK;
  memcpy(run->best, color, (size_t)run->n * sizeof *color);
  PRISM_TRY(prism_coloring_compact(run->best, run->n, &run->best_k));
  for (int32_t i = 0; i < run->islands && run->best_k <= run->k; ++i)
    if (run->island[i].portfolio.k == run->k)
      prism_portfolio_solved(&run->island[i].portfolio, (prism_method_t)parcel->method);
  prism_run_aim(run);
  for (int32_t i = 0; i < run->islands; ++i)
    if (run->island[i].ticket >= 0 && run->island[i].k >= run->best_k)
      run->engine.ops->stop(run->engine.self, run->island[i].id);
  if (run->comm->rank == 0) PRISM_TRY(publish(run, parcel, rank));
  PRISM_TRY(prism_telemetry_event(run->telemetry, "new_k", run->best_k + run->shared->universal,
                                  ""));
  return prism_run_report(run, "new_k", true);
}
