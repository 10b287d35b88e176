#include "app/runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/background.h"
#include "app/lock.h"
#include "app/print.h"
#include "app/signals.h"
#include "app/versions.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/solution.h"
#include "model/verify.h"

/* ---- the store, opened and closed beside a living main thread ---- */

typedef struct store_task {
  const prism_store_config_t *config;
  prism_store_t *store;
  prism_summary_row_t *summary;
} store_task_t;

static prism_status_t open_task(void *argument) {
  store_task_t *task = argument;
  return prism_store_open(task->config, &task->store);
}

static prism_status_t close_task(void *argument) {
  store_task_t *task = argument;
  return prism_store_close(&task->store, task->summary);
}

static prism_status_t open_store(const prism_session_t *session, const prism_report_run_t *run,
                                 const char *graph_name, prism_store_t **out) {
  const prism_outputs_t *outputs = &run->outputs;
  char mpi[256];
  prism_attribute_t build[PRISM_VERSIONS_COUNT];
  const char *nccl = session->exchange->nccl;
  prism_versions_list(nccl[0] != '\0' ? nccl : NULL, mpi, sizeof mpi, build);
  prism_store_config_t config = {
      .run_path = outputs->run_path,
      .jsonl_path = outputs->jsonl_path,
      .solution_path = outputs->solution_path,
      .params = session->params,
      .build = build,
      .build_count = PRISM_VERSIONS_COUNT,
      .graph = session->input->graph,
      .graph_name = graph_name,
      .graph_hash = session->input->hash,
      .ranks = session->ranks,
      .rank_count = session->comm->size,
      .seed = run->seed,
      .warn = prism_progress_warn,
      .user = session->view,
  };
  store_task_t task = {.config = &config};
  PRISM_TRY(prism_background_run(session->comm, NULL, open_task, &task, NULL));
  *out = task.store;
  return PRISM_OK;
}

static void fill_summary(const prism_session_t *session, const prism_result_t *result,
                         prism_summary_row_t *row) {
  memset(row, 0, sizeof *row);
  row->colors = result->colors;
  row->lower_bound = result->lower_bound;
  row->optimal = result->optimal;
  row->target_met = result->target == 0 ? -1 : result->target_met;
  row->time = result->time;
  row->time_to_best = result->time_to_best;
  row->iterations = result->iterations;
  row->ranks = session->job.ranks;
  row->threads = session->job.threads;
  snprintf(row->exit_reason, sizeof row->exit_reason, "%s", prism_exit_name(result->reason));
  row->gpu_busy = result->gpu_busy;
  row->gpu_overlap = result->gpu_overlap;
  char device[256];
  snprintf(device, sizeof device, "%s (%s)",
           result->fallback ? "cpu_fallback" : session->job.device, session->job.device_detail);
  PRISM_RECORD_TEXT(row->device, device);
}

static prism_status_t close_store(const prism_session_t *session, prism_store_t **store,
                                  prism_report_run_t *run) {
  prism_summary_row_t summary;
  fill_summary(session, &run->result, &summary);
  store_task_t task = {.store = *store, .summary = &summary};
  *store = NULL;
  prism_status_t status = prism_background_run(session->comm, NULL, close_task, &task, NULL);
  run->lost = summary.records_lost;
  run->failures = summary.write_failures;
  return status;
}

/* ---- one run ---- */

/* The last check before anything is reported. */
static prism_status_t check_result(const prism_session_t *session, const prism_result_t *result) {
  if (result->color == NULL) return PRISM_OK;
  prism_verdict_t verdict;
  PRISM_TRY(prism_verify(session->input->graph, result->color, &verdict));
  if (!verdict.legal || verdict.colors != result->colors) {
    PRISM_FAIL(PRISM_INTERNAL, "the result does not verify: %s (%d colors reported, %d found)",
               verdict.legal ? "wrong count" : verdict.reason, result->colors, verdict.colors);
  }
  return PRISM_OK;
}

/* The disk would not take the best coloring: standard output is what is left. */
static prism_status_t print_solution(const prism_session_t *session,
                                     const prism_result_t *result) {
  prism_text_t text = {0};
  prism_status_t status = prism_solution_format(session->input->graph, result->color,
                                                session->input->hash, NULL, &text);
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

/* Close the files of a run; a coloring that did not reach the disk is printed. */
static prism_status_t settle_store(const prism_session_t *session, prism_store_t **store,
                                   prism_report_run_t *run) {
  prism_status_t status = close_store(session, store, run);
  if (status != PRISM_STORAGE || run->result.colors <= 0) return status;
  char text[1024];
  snprintf(text, sizeof text, "%s", prism_error_text());
  prism_progress_warn(session->view, "the best coloring goes to standard output");
  PRISM_TRY(print_solution(session, &run->result));
  return prism_error_set(PRISM_STORAGE, text);
}

/* What rank 0 does once the search is over; `status` is how it ended. */
static prism_status_t finish_run(const prism_session_t *session, prism_status_t status,
                                 prism_store_t **store, prism_report_run_t *run) {
  prism_status_t checked = check_result(session, &run->result);
  if (checked != PRISM_OK) {
    status = checked;
    run->result.colors = 0; /* never report what does not verify */
  }
  char text[1024];
  if (status != PRISM_OK) {
    snprintf(text, sizeof text, "%s", prism_error_text());
    run->result.reason = PRISM_EXIT_ERROR;
  }
  prism_status_t closed = *store == NULL ? PRISM_OK : settle_store(session, store, run);
  if (status == PRISM_OK) return closed;
  if (closed != PRISM_OK) prism_error_set(status, text); /* the first reason counts */
  return status;
}

/* What rank 0 holds while a run lasts. */
typedef struct files {
  prism_store_t *store;
  prism_lock_t lock; /* of the checkpoint */
  char *graph_name;
} files_t;

/* Names, lock and files of a run. Rank 0; what is open after a failure is closed by the
 * caller. */
static prism_status_t open_files(const prism_session_t *session, int64_t index,
                                prism_report_run_t *run, files_t *files) {
  prism_progress_restart(session->view);
  PRISM_TRY(prism_outputs_create(session->params, session->stem, index, &run->outputs));
  PRISM_TRY(prism_outputs_graph_name(session->graph_path, &files->graph_name));
  const char *checkpoint = run->outputs.checkpoint_path;
  if (checkpoint != NULL) {
    PRISM_TRY(prism_lock_take(checkpoint, &files->lock));
    if (!files->lock.real)
      prism_progress_warn(session->view, "this file system has no file locks: two runs with one "
                                         "checkpoint would mix");
  }
  return open_store(session, run, files->graph_name, &files->store);
}

static void close_files(files_t *files) {
  prism_lock_release(&files->lock);
  prism_free(files->graph_name);
}

/* How the run survives this process. */
static prism_persist_config_t persistence(const prism_session_t *session,
                                          const prism_report_run_t *run, const files_t *files) {
  const prism_params_t *params = session->params;
  bool first = session->comm->rank == 0;
  prism_persist_config_t config = {
      .enabled = params->checkpoint.enabled,
      .path = run->outputs.checkpoint_path,
      .interval = params->checkpoint.interval,
      .before = params->checkpoint.before,
      .total_time = params->run.total_time,
      .program = "prism-dist " PRISM_VERSION,
      .graph_name = files->graph_name,
      .graph_hash = first ? session->input->hash : NULL,
      .resumes = params->run.resume[0] != '\0',
      .resume = session->resume,
  };
  if (config.enabled) config.wish = prism_signals_wishes();
  return config;
}

static void settle_checkpoint(const prism_session_t *session, prism_report_run_t *run) {
  const prism_result_t *result = &run->result;
  const double most = session->params->run.total_time;
  run->saved = run->outputs.checkpoint_path != NULL &&
               (result->checkpoints > 0 ||
                prism_outputs_goes_on(session->params, &run->outputs));
  bool unfinished = result->reason == PRISM_EXIT_TIME || result->reason == PRISM_EXIT_ITERATIONS ||
                    result->reason == PRISM_EXIT_SIGNAL ||
                    result->reason == PRISM_EXIT_CHECKPOINT;
  run->goes_on = run->saved && unfinished && (most <= 0.0 || result->total_time < most);
}

/* Collective. */
static prism_status_t search(const prism_session_t *session, double start, files_t *files,
                             prism_report_run_t *run) {
  prism_comm_t *comm = session->comm;
  bool first = comm->rank == 0;
  prism_persist_config_t persist = persistence(session, run, files);
  prism_solve_config_t config = {
      .graph = first ? session->input->graph : NULL,
      .params = session->params,
      .seed = run->seed,
      .initial = first ? session->input->initial : NULL,
      .comm = comm,
      .bulk = &session->exchange->bulk,
      .part = session->devices->part,
      .parts = session->devices->parts,
      .fallback = session->devices->fallback.islands > 0 ? &session->devices->fallback : NULL,
      .store = files->store,
      .persist = &persist,
      .start_time = start,
      .interrupt = prism_signals_flag(),
      .pulse = session->pulse,
      .progress = first ? prism_progress_show : NULL,
      .remark = first ? prism_progress_remark : NULL,
      .warn = prism_progress_warn, /* each rank of its own GPU */
      .user = session->view,
  };
  prism_status_t status = prism_solve(&config, &run->result);
  atomic_store(&session->pulse->submitted, 0); /* nothing is left to wait for */
  atomic_store(&session->pulse->finished, 0);
  return status;
}

static prism_status_t run_one(const prism_session_t *session, int64_t index,
                              prism_report_run_t *run) {
  const prism_params_t *params = session->params;
  prism_comm_t *comm = session->comm;
  bool first = comm->rank == 0;
  memset(run, 0, sizeof *run);
  run->seed = params->run.runs > 1 ? prism_rng_derive(params->run.seed, (uint64_t)index)
                                   : params->run.seed;
  double start = index == 0 ? session->start_time : prism_clock_now();
  files_t files = {0};
  prism_status_t opened = first ? open_files(session, index, run, &files) : PRISM_OK;
  opened = comm->ops->agree(comm->self, opened);
  prism_status_t status = opened == PRISM_OK ? search(session, start, &files, run) : opened;
  if (first && (opened == PRISM_OK || files.store != NULL)) {
    status = finish_run(session, status, &files.store, run);
    settle_checkpoint(session, run);
  }
  close_files(&files);
  return status;
}

/* ---- all runs ---- */

static prism_status_t report(const prism_session_t *session, const prism_report_run_t *runs,
                             int64_t count) {
  const prism_params_run_t *run = &session->params->run;
  prism_text_t text = {0};
  prism_status_t status = PRISM_OK;
  if (run->json) {
    status = prism_report_json(&session->job, runs, count, run->runs > 1, &text);
  } else if (run->runs > 1) {
    status = prism_report_table(runs, count, &text);
  } else if (count > 0) {
    status = prism_report_summary(&session->job, &runs[0], &text);
  }
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

static void note_run(const prism_session_t *session, const prism_report_run_t *run,
                     int64_t index) {
  if (session->params->run.runs == 1) return;
  prism_progress_note(session->view,
                      "run %" PRId64 " of %" PRId64 ": %d colors after %.2f s, ended by %s",
                      index + 1, session->params->run.runs, run->result.colors,
                      run->result.time_to_best, prism_exit_name(run->result.reason));
}

/* A wait that failed leaves no way to agree on anything. */
static bool lost_peer(prism_status_t status) {
  return status == PRISM_PEER || status == PRISM_TIMEOUT;
}

static prism_status_t run_all(const prism_session_t *session, prism_report_run_t *runs,
                              int64_t *done, int *exit_code) {
  prism_comm_t *comm = session->comm;
  int64_t wanted = session->params->run.runs;
  bool first = comm->rank == 0;
  for (int64_t stop = 0; *done < wanted && stop == 0;) {
    prism_report_run_t *run = &runs[*done];
    prism_status_t status = run_one(session, *done, run);
    bool result = first && run->result.colors > 0;
    if (first) note_run(session, run, *done);
    prism_free(run->result.color);
    run->result.color = NULL;
    ++*done;
    stop = atomic_load(prism_signals_flag()) != 0 || run->result.reason == PRISM_EXIT_CHECKPOINT;
    bool reported = first && (stop != 0 || status != PRISM_OK || *done == wanted);
    /* When the disk failed standard output holds the coloring; else what there is
     * is reported before anything waits for other ranks: the launcher may not
     * leave much time. */
    if (reported && status != PRISM_STORAGE && (result || status == PRISM_OK || *done > 1)) {
      prism_status_t printed = report(session, runs, *done);
      if (status == PRISM_OK) status = printed;
    }
    if (lost_peer(status)) return status;
    PRISM_TRY(comm->ops->agree(comm->self, status));
    PRISM_TRY(comm->ops->allreduce_i64(comm->self, &stop, &stop, 1, PRISM_REDUCE_MAX));
    if (first && !reported && stop != 0) PRISM_TRY(report(session, runs, *done));
  }
  *exit_code = *done < wanted;
  for (int64_t i = 0; first && i < *done; ++i) {
    if (!prism_report_met(&runs[i])) *exit_code = 1;
  }
  const prism_report_run_t *last = &runs[*done - 1];
  if (first && last->result.reason == PRISM_EXIT_CHECKPOINT && last->saved)
    *exit_code = PRISM_EXIT_CODE_SAVED;
  return comm->ops->bcast(comm->self, exit_code, sizeof *exit_code, 0);
}

prism_status_t prism_runs_execute(const prism_session_t *session, int *exit_code) {
  prism_report_run_t *runs;
  PRISM_TRY(PRISM_ALLOC_ZERO(session->params->run.runs, &runs));
  int64_t done = 0;
  prism_status_t status = run_all(session, runs, &done, exit_code);
  for (int64_t i = 0; i < done; ++i) prism_report_run_release(&runs[i]);
  prism_free(runs);
  return status;
}
