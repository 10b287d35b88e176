#include "app/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "solve/jsonl.h"

void prism_report_run_release(prism_report_run_t *run) {
  prism_outputs_release(&run->outputs);
  prism_result_release(&run->result);
}

bool prism_report_met(const prism_report_run_t *run) {
  if (run->result.colors <= 0) return false;
  return run->result.target == 0 || run->result.target_met;
}

/* ---- summary ---- */

static prism_status_t add_bounds(const prism_result_t *result, prism_text_t *out) {
  if (result->optimal) return prism_text_add(out, "  (optimal: proved)\n");
  return prism_text_add(out, "  (at least %d are needed)\n", result->lower_bound);
}

/* What was really used. */
static const char *device_of(const prism_report_job_t *job, const prism_result_t *result) {
  return result->fallback ? "cpu_fallback" : job->device;
}

static prism_status_t add_gpu(const prism_result_t *result, prism_text_t *out) {
  if (result->gpu_busy < 0.0) return PRISM_OK;
  PRISM_TRY(prism_text_add(out, "GPU         %.0f %% busy", 100.0 * result->gpu_busy));
  if (result->gpu_overlap >= 0.0)
    PRISM_TRY(prism_text_add(out, ", transfers %.0f %% hidden", 100.0 * result->gpu_overlap));
  return prism_text_add(out, "\n");
}

/* How often the pools of all ranks met. */
static prism_status_t add_exchange(const prism_result_t *result, prism_text_t *out) {
  if (result->exchanges == 0) return PRISM_OK;
  return prism_text_add(out, "exchange    %" PRId64 " meetings of the pools, %.1f ms each\n",
                        result->exchanges,
                        1e3 * result->exchange_seconds / (double)result->exchanges);
}

/* Where its time went: a line a part. */
static prism_status_t add_profile(const prism_result_t *result, prism_text_t *out) {
  const prism_gpu_profile_t *profile = result->gpu_profile;
  if (profile == NULL) return PRISM_OK;
  PRISM_TRY(prism_text_add(out, "\n%-22s %8s %9s %7s %10s %10s %10s %10s %9s\n", "time of the GPU",
                           "count", "total s", "share %", "mean us", "min us", "max us",
                           "stddev us", "M it/s"));
  for (int32_t i = 0; i < profile->parts; ++i) {
    const prism_gpu_part_t *part = &profile->part[i];
    const prism_duration_t *time = &part->time;
    PRISM_TRY(prism_text_add(out, "%-22s %8" PRId64 " %9.3f %7.1f %10.1f %10.1f %10.1f %10.1f",
                             part->name, time->count, time->total,
                             100.0 * prism_gpu_profile_share(profile, part), 1e6 * time->mean,
                             1e6 * time->min, 1e6 * time->max,
                             1e6 * prism_duration_stddev(time)));
    if (part->iterations > 0)
      PRISM_TRY(prism_text_add(out, " %9.1f", 1e-6 * prism_gpu_part_rate(part)));
    PRISM_TRY(prism_text_add(out, "\n"));
  }
  return PRISM_OK;
}

/* `text` as one word of a shell. */
static prism_status_t add_word(const char *text, prism_text_t *out) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "_@%+=:,./-";
  if (text[0] != '\0' && text[strspn(text, plain)] == '\0')
    return prism_text_add(out, "%s", text);
  PRISM_TRY(prism_text_add(out, "'"));
  for (; *text != '\0'; ++text)
    PRISM_TRY(*text == '\'' ? prism_text_add(out, "'\\''") : prism_text_add(out, "%c", *text));
  return prism_text_add(out, "'");
}

/* Where the checkpoint lies, and how to go on from there. */
static prism_status_t add_checkpoint(const prism_report_job_t *job, const prism_report_run_t *run,
                                     prism_text_t *out) {
  const char *path = run->outputs.checkpoint_path;
  const int64_t failures = run->result.checkpoint_failures;
  if (!run->saved && failures == 0) return PRISM_OK;
  PRISM_TRY(prism_text_add(out, "checkpoint  %s", run->saved ? path : "none"));
  if (failures > 0)
    PRISM_TRY(prism_text_add(out, "  (%" PRId64 " could not be written)", failures));
  PRISM_TRY(prism_text_add(out, "\n"));
  if (!run->goes_on) return PRISM_OK;
  PRISM_TRY(prism_text_add(out, "go on with  prism-dist --resume "));
  PRISM_TRY(add_word(path, out));
  PRISM_TRY(prism_text_add(out, " "));
  PRISM_TRY(add_word(job->graph, out));
  return prism_text_add(out, "\n");
}

prism_status_t prism_report_summary(const prism_report_job_t *job, const prism_report_run_t *run,
                                    prism_text_t *out) {
  const prism_result_t *result = &run->result;
  PRISM_TRY(prism_text_add(out, "graph       %s  (%d vertices, %" PRId64 " edges)\n", job->graph,
                           job->n, job->m));
  if (result->colors > 0) {
    PRISM_TRY(prism_text_add(out, "colors      %d", result->colors));
    PRISM_TRY(add_bounds(result, out));
  } else {
    PRISM_TRY(prism_text_add(out, "colors      none found\n"));
  }
  if (result->target > 0) {
    const char *state = result->target_met ? "met"
                        : result->reason == PRISM_EXIT_INFEASIBLE
                            ? "not met: proved impossible (fewer than the lower bound)"
                            : "not met";
    PRISM_TRY(prism_text_add(out, "target      %d  %s\n", result->target, state));
  }
  PRISM_TRY(prism_text_add(out, "kernel      %d vertices, %" PRId64 " edges\n",
                           result->kernel_vertices, result->kernel_edges));
  PRISM_TRY(prism_text_add(out, "time        %.2f s, best after %.2f s, ended by %s\n",
                           result->time, result->time_to_best, prism_exit_name(result->reason)));
  if (result->invocations > 1)
    PRISM_TRY(prism_text_add(out, "total time  %.2f s in %d invocations\n", result->total_time,
                             result->invocations));
  PRISM_TRY(prism_text_add(out, "iterations  %" PRId64 "\n", result->iterations));
  PRISM_TRY(prism_text_add(out, "seed        %" PRIu64 "\n", run->seed));
  PRISM_TRY(prism_text_add(out, "machine     %d rank%s x %d thread%s, %s (%s)\n", job->ranks,
                           job->ranks == 1 ? "" : "s", job->threads, job->threads == 1 ? "" : "s",
                           device_of(job, result), job->device_detail));
  PRISM_TRY(add_gpu(result, out));
  PRISM_TRY(add_exchange(result, out));
  if (result->colors > 0) {
    PRISM_TRY(prism_text_add(out, "solution    %s\n", run->outputs.solution_path));
  }
  if (run->outputs.run_path != NULL) {
    PRISM_TRY(prism_text_add(out, "run file    %s\n", run->outputs.run_path));
  }
  PRISM_TRY(add_checkpoint(job, run, out));
  if (run->lost > 0 || run->failures > 0) {
    PRISM_TRY(prism_text_add(out,
                             "telemetry   %" PRId64 " records dropped, %" PRId64
                             " failed writes\n",
                             run->lost, run->failures));
  }
  return add_profile(result, out);
}

/* ---- JSON ---- */

static prism_status_t add_string(prism_text_t *out, const char *key, const char *value) {
  PRISM_TRY(prism_text_add(out, ", \"%s\": ", key));
  if (value == NULL) return prism_text_add(out, "null");
  return prism_jsonl_string(value, strlen(value), out);
}

static prism_status_t add_number(prism_text_t *out, const char *key, double value) {
  PRISM_TRY(prism_text_add(out, ", \"%s\": ", key));
  return prism_jsonl_number(value, out);
}

/* Present only where there is one. */
static prism_status_t json_profile(const prism_result_t *result, prism_text_t *out) {
  const prism_gpu_profile_t *profile = result->gpu_profile;
  if (profile == NULL) return PRISM_OK;
  PRISM_TRY(prism_text_add(out, ", \"gpu_profile\": ["));
  for (int32_t i = 0; i < profile->parts; ++i) {
    const prism_gpu_part_t *part = &profile->part[i];
    const prism_duration_t *time = &part->time;
    PRISM_TRY(prism_text_add(out, "%s{\"name\": ", i == 0 ? "" : ", "));
    PRISM_TRY(prism_jsonl_string(part->name, sizeof part->name, out));
    PRISM_TRY(prism_text_add(out, ", \"count\": %" PRId64, time->count));
    PRISM_TRY(add_number(out, "total_s", time->total));
    PRISM_TRY(add_number(out, "share", prism_gpu_profile_share(profile, part)));
    PRISM_TRY(add_number(out, "mean_us", 1e6 * time->mean));
    PRISM_TRY(add_number(out, "min_us", 1e6 * time->min));
    PRISM_TRY(add_number(out, "max_us", 1e6 * time->max));
    PRISM_TRY(add_number(out, "stddev_us", 1e6 * prism_duration_stddev(time)));
    PRISM_TRY(prism_text_add(out, ", \"iterations\": %" PRId64 "}", part->iterations));
  }
  return prism_text_add(out, "]");
}

static prism_status_t json_object(const prism_report_job_t *job, const prism_report_run_t *run,
                                  prism_text_t *out) {
  const prism_result_t *result = &run->result;
  PRISM_TRY(prism_text_add(out, "{\"graph\": "));
  PRISM_TRY(prism_jsonl_string(job->graph, strlen(job->graph), out));
  PRISM_TRY(prism_text_add(out, ", \"n\": %d, \"m\": %" PRId64, job->n, job->m));
  if (result->colors > 0) {
    PRISM_TRY(prism_text_add(out, ", \"colors\": %d", result->colors));
  } else {
    PRISM_TRY(prism_text_add(out, ", \"colors\": null"));
  }
  PRISM_TRY(prism_text_add(out, ", \"lower_bound\": %d, \"optimal\": %s", result->lower_bound,
                           result->optimal ? "true" : "false"));
  PRISM_TRY(prism_text_add(out, ", \"target_met\": %s",
                           result->target == 0  ? "null"
                           : result->target_met ? "true"
                                                : "false"));
  PRISM_TRY(add_number(out, "time", result->time));
  PRISM_TRY(add_number(out, "time_to_best", result->time_to_best));
  PRISM_TRY(prism_text_add(out, ", \"iterations\": %" PRId64 ", \"seed\": %" PRIu64,
                           result->iterations, run->seed));
  PRISM_TRY(prism_text_add(out, ", \"ranks\": %d, \"threads\": %d", job->ranks, job->threads));
  PRISM_TRY(add_string(out, "device", device_of(job, result)));
  PRISM_TRY(add_string(out, "exit_reason", prism_exit_name(result->reason)));
  PRISM_TRY(add_string(out, "solution", result->colors > 0 ? run->outputs.solution_path : NULL));
  PRISM_TRY(add_string(out, "output", run->outputs.run_path));
  PRISM_TRY(add_number(out, "gpu_busy", result->gpu_busy));
  PRISM_TRY(add_number(out, "gpu_overlap", result->gpu_overlap));
  PRISM_TRY(prism_text_add(out, ", \"exchanges\": %" PRId64 ", \"exchange_bytes\": %" PRId64,
                           result->exchanges, result->exchange_bytes));
  PRISM_TRY(add_number(out, "exchange_seconds", result->exchange_seconds));
  PRISM_TRY(add_string(out, "checkpoint", run->saved ? run->outputs.checkpoint_path : NULL));
  PRISM_TRY(prism_text_add(out, ", \"invocations\": %d", result->invocations));
  PRISM_TRY(add_number(out, "total_time", result->total_time));
  PRISM_TRY(prism_text_add(out, ", \"checkpoints\": %" PRId64 ", \"checkpoint_failures\": %" PRId64,
                           result->checkpoints, result->checkpoint_failures));
  PRISM_TRY(add_number(out, "checkpoint_seconds", result->checkpoint_seconds));
  PRISM_TRY(json_profile(result, out));
  return prism_text_add(out, "}");
}

prism_status_t prism_report_json(const prism_report_job_t *job, const prism_report_run_t *runs,
                                 int64_t count, bool array, prism_text_t *out) {
  if (array) PRISM_TRY(prism_text_add(out, "[\n"));
  for (int64_t i = 0; i < count; ++i) {
    PRISM_TRY(json_object(job, &runs[i], out));
    PRISM_TRY(prism_text_add(out, array && i + 1 < count ? ",\n" : "\n"));
  }
  if (array) PRISM_TRY(prism_text_add(out, "]\n"));
  return PRISM_OK;
}

/* ---- the table of --runs ---- */

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* "median 1.2  mean 3.4" of values[0..count-1], which is sorted on the way. */
static prism_status_t add_statistics(prism_text_t *out, const char *title, int decimals,
                                     double *values, int64_t count) {
  qsort(values, (size_t)count, sizeof *values, compare_doubles);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += values[i];
  double median = count % 2 == 1 ? values[count / 2]
                                 : (values[count / 2 - 1] + values[count / 2]) / 2;
  return prism_text_add(out, "%-22s median %.*f, mean %.*f\n", title, decimals, median, decimals,
                        sum / (double)count);
}

static int32_t fewest_colors(const prism_report_run_t *runs, int64_t count) {
  int32_t fewest = INT32_MAX;
  for (int64_t i = 0; i < count; ++i) {
    int32_t colors = runs[i].result.colors;
    if (colors > 0 && colors < fewest) fewest = colors;
  }
  return fewest;
}

prism_status_t prism_report_table(const prism_report_run_t *runs, int64_t count,
                                  prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "%4s %7s %20s %8s %10s %12s %14s  %s\n", "run", "colors", "seed",
                           "success", "time s", "to best s", "iterations", "ended by"));
  if (count == 0) return PRISM_OK;
  double *times, *moves;
  PRISM_TRY(PRISM_ALLOC(2 * count, &times));
  moves = times + count;
  int32_t fewest = fewest_colors(runs, count);
  bool target = runs[0].result.target > 0;
  int64_t successes = 0;
  prism_status_t status = PRISM_OK;
  for (int64_t i = 0; i < count; ++i) {
    const prism_result_t *result = &runs[i].result;
    bool success = target ? result->target_met : result->colors == fewest;
    if (success) {
      times[successes] = result->time_to_best;
      moves[successes++] = (double)result->iterations;
    }
    PRISM_TRY_GOTO(status,
                   prism_text_add(out,
                                  "%4d %7d %20" PRIu64 " %8s %10.2f %12.2f %14" PRId64 "  %s\n",
                                  (int)i + 1, result->colors, runs[i].seed,
                                  success ? "yes" : "no", result->time, result->time_to_best,
                                  result->iterations, prism_exit_name(result->reason)),
                   done);
  }
  PRISM_TRY_GOTO(status,
                 prism_text_add(out,
                                "\n%-22s %" PRId64 " of %" PRId64 " (%.1f %%) with %d colors\n",
                                "success", successes, count,
                                100.0 * (double)successes / (double)count,
                                target ? runs[0].result.target : fewest),
                 done);
  if (successes > 0) {
    PRISM_TRY_GOTO(status, add_statistics(out, "time to success, s", 3, times, successes),
                   done);
    PRISM_TRY_GOTO(status, add_statistics(out, "iterations", 0, moves, successes), done);
  }
done:
  prism_free(times);
  return status;
}
