/* What a rank tells about its search: progress, metrics, its GPU. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "solve/run.h"

/* key=value pairs of what the island does. */
static void put_parameters(const prism_run_t *run, const prism_run_island_t *face,
                           prism_metric_t *row) {
  char length[32] = "", demes[24] = "", swap[24] = "", text[sizeof row->parameters];
  if (face->length > 0) snprintf(length, sizeof length, " length=%lld", (long long)face->length);
  if (face->demes > 0) snprintf(demes, sizeof demes, " demes=%d", face->demes);
  if (run->temperature > 0.0) snprintf(swap, sizeof swap, " swap=%.3f", run->swap_rate);
  snprintf(text, sizeof text, "method=%s islands=%d%s%s%s", prism_method_name(face->method),
           run->islands, length, demes, swap);
  PRISM_RECORD_TEXT(row->parameters, text);
}

/* One record a rank: its first island stands for it, on a GPU where there is one. */
static prism_status_t send_metric(prism_run_t *run, const char *step) {
  const prism_run_island_t *face = &run->island[0];
  const prism_phase_row_t *phase = prism_phase_find((int)prism_method_phase(face->method));
  prism_metric_t row;
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  PRISM_RECORD_TEXT(row.phase, phase->name);
  PRISM_RECORD_TEXT(row.step, step);
  row.stream = face->info.stream;
  PRISM_RECORD_TEXT(row.mode, run->fallback[0] != '\0' ? "cpu_fallback" : face->info.mode);
  PRISM_RECORD_TEXT(row.reason, run->fallback);
  row.colors = run->k + run->shared->universal;
  row.best_colors = run->best_k + run->shared->universal;
  row.conflicts = run->f_best;
  row.iterations = run->iterations;
  row.compaction_ratio = run->shared->compaction;
  if (run->temperature > 0.0) row.temperature = run->temperature;
  put_parameters(run, face, &row);
  return prism_telemetry_metric(run->telemetry, &row);
}

/* ---- the GPU ---- */

/* Its health is watched at this pace, however rare the records are. */
static const double watch_seconds = 1.0;

static double share_of(double part, double whole, double none) {
  return whole > 0.0 ? fmin(1.0, fmax(0.0, part / whole)) : none;
}

/* Tell the user of this rank's GPU, and the run file. */
static prism_status_t tell_notice(prism_run_t *run, const prism_gpu_notice_t *notice) {
  const prism_solve_config_t *config = run->config;
  const bool warns = notice->warning && config->warn != NULL;
  void (*callback)(void *, const char *) = warns ? config->warn : config->remark;
  char text[sizeof notice->text + 32];
  if (run->comm->size > 1)
    snprintf(text, sizeof text, "rank %d: %s", run->comm->rank, notice->text);
  else
    snprintf(text, sizeof text, "%s", notice->text);
  if (callback != NULL) callback(config->user, text);
  return prism_telemetry_event(run->telemetry, "gpu_alert", -1, notice->text);
}

/* [out] now; there: false without a GPU */
static prism_status_t look_at_gpu(prism_run_t *run, prism_gpu_stats_t *now, bool *there) {
  const prism_engine_ops_t *ops = run->engine.ops;
  run->last_watch = prism_run_elapsed(run);
  *there = ops->gpu_stats != NULL && ops->gpu_stats(run->engine.self, now);
  for (int32_t i = 0; *there && i < now->notices; ++i)
    PRISM_TRY(tell_notice(run, &now->notice[i]));
  return PRISM_OK;
}

/* What the GPU did since the last such record, and how it is. */
static prism_status_t send_gpu(prism_run_t *run) {
  prism_gpu_stats_t now;
  bool there = false;
  PRISM_TRY(look_at_gpu(run, &now, &there));
  if (!there) return PRISM_OK;
  prism_gpu_t row;
  prism_record_blank(PRISM_RECORD_GPU, &row);
  row.utilization = now.utilization;
  row.memory_used_mb = now.memory_used_mb;
  row.memory_total_mb = now.memory_total_mb;
  row.power_w = now.power_w;
  row.temperature_c = now.temperature_c;
  row.sm_clock_mhz = now.sm_clock_mhz;
  PRISM_RECORD_TEXT(row.throttle, now.throttle);
  double kernel = now.kernel - run->gpu.kernel, transfer = now.transfer - run->gpu.transfer;
  row.kernel_us = 1e6 * kernel;
  row.transfer_us = 1e6 * transfer;
  row.overlap = share_of(now.hidden - run->gpu.hidden, transfer, NAN);
  row.idle = 1.0 - share_of(kernel, now.wall - run->gpu.wall, NAN);
  run->gpu = now;
  return prism_telemetry_gpu(run->telemetry, &row);
}

static prism_status_t sum_shares(prism_run_t *run, prism_result_t *result) {
  enum { WALL, KERNEL, TRANSFER, HIDDEN, SUMS };
  prism_gpu_stats_t now;
  bool there = false;
  double sum[SUMS] = {0};
  PRISM_TRY(look_at_gpu(run, &now, &there));
  if (there) {
    sum[WALL] = now.wall;
    sum[KERNEL] = now.kernel;
    sum[TRANSFER] = now.transfer;
    sum[HIDDEN] = now.hidden;
  }
  PRISM_TRY(run->comm->ops->allreduce_f64(run->comm->self, sum, sum, SUMS, PRISM_REDUCE_SUM));
  result->gpu_busy = share_of(sum[KERNEL], sum[WALL], -1.0);
  result->gpu_overlap = share_of(sum[HIDDEN], sum[TRANSFER], -1.0);
  return PRISM_OK;
}

static prism_status_t send_profile(prism_run_t *run, const prism_gpu_profile_t *profile) {
  const double us = 1e6;
  for (int32_t i = 0; i < profile->parts; ++i) {
    const prism_gpu_part_t *part = &profile->part[i];
    const prism_duration_t *time = &part->time;
    prism_profile_t row;
    prism_record_blank(PRISM_RECORD_PROFILE, &row);
    PRISM_RECORD_TEXT(row.name, part->name);
    row.count = time->count;
    row.total_s = time->total;
    row.share = prism_gpu_profile_share(profile, part);
    row.mean_us = us * time->mean;
    row.min_us = us * time->min;
    row.max_us = us * time->max;
    row.stddev_us = us * prism_duration_stddev(time);
    row.iterations = part->iterations;
    PRISM_TRY(prism_telemetry_profile(run->telemetry, &row));
  }
  return PRISM_OK;
}

/* Each rank's own goes to the run file, the sum to the result. */
static prism_status_t gather_profile(prism_run_t *run, prism_result_t *result) {
  const prism_engine_ops_t *ops = run->engine.ops;
  prism_comm_t *comm = run->comm;
  prism_gpu_profile_t own, *all = NULL, *sum = NULL;
  memset(&own, 0, sizeof own);
  if (ops->gpu_profile == NULL || !ops->gpu_profile(run->engine.self, &own)) own.parts = 0;
  PRISM_TRY(send_profile(run, &own));
  prism_status_t status = PRISM_ALLOC_ZERO(comm->size, &all);
  if (status == PRISM_OK) status = PRISM_ALLOC_ZERO(1, &sum);
  status = comm->ops->agree(comm->self, status);
  if (status == PRISM_OK) status = comm->ops->allgather(comm->self, &own, all, sizeof own);
  for (int32_t r = 0; r < comm->size && status == PRISM_OK; ++r)
    prism_gpu_profile_merge(sum, &all[r]);
  prism_free(all);
  if (status == PRISM_OK && sum->parts > 0) {
    result->gpu_profile = sum;
    return PRISM_OK;
  }
  prism_free(sum);
  return status;
}

prism_status_t prism_run_gpu_result(prism_run_t *run, prism_result_t *result) {
  PRISM_TRY(sum_shares(run, result));
  if (run->config->params->gpu.profile) PRISM_TRY(gather_profile(run, result));
  return prism_telemetry_flush(run->telemetry, true);
}

/* ---- ladders ---- */

/* Has another island told its ladder as that of its stream? */
static bool is_told(const prism_run_t *run, const prism_run_island_t *island) {
  for (int32_t i = 0; i < run->islands; ++i) {
    const prism_run_island_t *other = &run->island[i];
    if (other != island && other->info.stream == island->info.stream && other->ladder.k > 0)
      return true;
  }
  return false;
}

/* Anything new since the last time, and not too soon; a frozen ladder says so at once. */
static bool is_due(const prism_run_t *run, const prism_run_island_t *island, int32_t k,
                   const prism_ladder_view_t *view) {
  if (island->ladder.k == 0 && is_told(run, island)) return false;
  if (island->ladder.k == k && island->ladder.windows == view->windows &&
      island->ladder.frozen == view->frozen)
    return false;
  return island->ladder.k == 0 || view->frozen ||
         prism_run_elapsed(run) - island->ladder.t >= run->config->params->telemetry.interval;
}

prism_status_t prism_run_ladder(prism_run_t *run, int32_t i, int32_t k) {
  prism_run_island_t *island = &run->island[i];
  const prism_engine_ops_t *ops = run->engine.ops;
  prism_ladder_view_t view;
  if (ops->ladder == NULL || !ops->ladder(run->engine.self, island->id, &view)) return PRISM_OK;
  if (!is_due(run, island, k, &view)) return PRISM_OK;
  island->ladder.k = k;
  island->ladder.windows = view.windows;
  island->ladder.frozen = view.frozen;
  island->ladder.t = prism_run_elapsed(run);
  prism_ladder_row_t row[PRISM_LADDER_SHOWN];
  for (int32_t l = 0; l < view.levels; ++l) {
    prism_record_blank(PRISM_RECORD_LADDER, &row[l]);
    row[l].stream = island->info.stream;
    row[l].colors = k + run->shared->universal;
    row[l].level = view.level[l].level;
    row[l].temperature = view.level[l].temperature;
    row[l].swap = view.level[l].swap;
  }
  return prism_telemetry_ladder(run->telemetry, row, view.levels);
}

/* ---- progress ---- */

static void show_progress(prism_run_t *run, double elapsed) {
  /* Tickets report their moves when they end, so a rate needs a second or so. */
  double since = elapsed - run->last_rate;
  if (since >= 1.0 || (run->rate <= 0.0 && since >= 0.1)) {
    run->rate = (double)(run->iterations - run->last_iterations) / since;
    run->last_rate = elapsed;
    run->last_iterations = run->iterations;
  }
  run->last_progress = elapsed;
  double limit = run->config->params->run.time_limit;
  prism_progress_t progress = {
      .elapsed = elapsed,
      .remaining = limit > 0.0 ? fmax(0.0, limit - elapsed) : -1.0,
      .best_colors = run->best_k + run->shared->universal,
      .searched_colors = run->k + run->shared->universal,
      .lower_bound = run->shared->lower_bound + run->shared->universal,
      .conflicts = run->f_best,
      .iterations = run->iterations,
      .iterations_per_second = run->rate,
      .diversity = run->diversity,
      .method = prism_method_name(run->island[0].method),
      .improved = run->improved,
  };
  run->improved = false;
  run->config->progress(run->config->user, &progress);
}

prism_status_t prism_run_report(prism_run_t *run, const char *step, bool now) {
  double elapsed = prism_run_elapsed(run);
  if (run->config->progress != NULL && (now || elapsed - run->last_progress >= 0.2))
    show_progress(run, elapsed);
  if (now || elapsed - run->last_metric >= run->config->params->telemetry.interval) {
    run->last_metric = elapsed;
    PRISM_TRY(send_metric(run, step));
    PRISM_TRY(send_gpu(run));
  } else if (elapsed - run->last_watch >= watch_seconds) {
    prism_gpu_stats_t unused;
    bool there = false;
    PRISM_TRY(look_at_gpu(run, &unused, &there));
  }
  return prism_telemetry_flush(run->telemetry, false);
}
