#include "solve/persist.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "solve/messages.h"
#include "solve/persist_save.h"

/* Under a launcher a signal leaves about a second to live. */
static const double last_chance = 0.5;
/* Copies at the ends of epochs cost no more than this part of all time, and this much. */
static const double copy_share = 0.01, copy_seconds = 0.1;

/* ---- begin and end ---- */

static prism_status_t make_head(prism_run_t *run, prism_persist_t *p) {
  const prism_prepared_t *prepared = run->prepared;
  const prism_persist_config_t *config = p->config;
  const prism_kernel_removal_t *removal = NULL;
  int32_t bound = 0, count = 0;
  prism_kernel_removals(prepared->kernel, &bound, &removal, &count);
  PRISM_TRY(PRISM_ALLOC(count, &p->vertex));
  PRISM_TRY(PRISM_ALLOC(count, &p->partner));
  for (int32_t i = 0; i < count; ++i) {
    p->vertex[i] = removal[i].vertex;
    p->partner[i] = removal[i].partner;
  }
  p->head = (prism_checkpoint_head_t){
      .program = config->program != NULL ? config->program : "",
      .graph_name = config->graph_name != NULL ? config->graph_name : "",
      .n = run->config->graph->n, .m = run->config->graph->m,
      .kernel = {.lower_bound = bound, .n = run->n, .removed = count, .vertex = p->vertex,
                 .partner = p->partner},
      .start = {.lower_bound = prepared->lower_bound, .exact = prepared->exact,
                .clique_size = prepared->clique_size, .clique = prepared->clique,
                .colors = prepared->colors, .color = prepared->color},
      .params = run->config->params, .seed = run->config->seed,
      .invocations = run->result->invocations, .ranks = run->comm->size};
  snprintf(p->head.graph_hash, sizeof p->head.graph_hash, "%s",
           config->graph_hash != NULL ? config->graph_hash : "");
  return PRISM_OK;
}

/* Rank 0. The history begins with what the run began with. */
static prism_status_t begin_first(prism_run_t *run, prism_persist_t *p) {
  const prism_result_t *result = run->result;
  if (p->config->path == NULL) PRISM_FAIL(PRISM_INVALID, "checkpoints need a file");
  if (run->history.count == 0) {
    prism_solution_row_t row = {.t = run->prior + result->time_to_best, .colors = result->colors};
    PRISM_TRY(prism_history_add(&run->history, &row, result->color));
  }
  PRISM_TRY(make_head(run, p));
  int32_t bound = run->prepared->colors;
  if (run->history.colors > bound) bound = run->history.colors;
  if (p->config->resumes) {
    int32_t before = prism_checkpoint_head(p->config->resume)->color_bound;
    if (before > bound) bound = before;
  }
  p->setup.color_bound = p->head.color_bound = bound;
  p->next = prism_run_elapsed(run) + p->config->interval;
  p->saved_epoch = run->epoch; /* a resumed run is as far as its file */
  p->saved_solutions = p->config->resumes ? run->history.count : 0;
  return prism_persist_writer_create(p->config->path, &run->history, &p->writer);
}

prism_status_t prism_persist_create(prism_run_t *run) {
  const prism_persist_config_t *config = run->config->persist;
  if (config == NULL || !config->enabled) return PRISM_OK;
  prism_comm_t *comm = run->comm;
  prism_status_t status = PRISM_ALLOC_ZERO(1, &run->persist);
  prism_persist_t *p = run->persist;
  if (status == PRISM_OK) {
    p->config = config;
    p->spare_epoch = -1;
    p->setup = (prism_part_setup_t){.rank = comm->rank, .islands = run->islands, .n = run->n};
    if (prism_run_is_first(run)) status = begin_first(run, p);
  }
  PRISM_TRY(comm->ops->agree(comm->self, status));
  return comm->ops->bcast(comm->self, &p->setup.color_bound, sizeof p->setup.color_bound, 0);
}

void prism_persist_destroy(prism_persist_t **persist) {
  prism_persist_t *p = *persist;
  if (p == NULL) return;
  *persist = NULL;
  prism_persist_writer_destroy(&p->writer);
  prism_part_release(&p->part);
  prism_part_release(&p->spare);
  prism_free(p->moment.best);
  prism_free(p->spare_moment.best);
  prism_free(p->vertex);
  prism_free(p->partner);
  prism_free(p);
}

/* ---- when ---- */

static void hear_wish(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  const prism_solve_config_t *config = run->config;
  double limit = config->params->run.time_limit, before = p->config->before;
  int32_t wish = PRISM_WISH_NONE;
  if (p->config->wish != NULL) wish = atomic_exchange(p->config->wish, PRISM_WISH_NONE);
  if (before > 0.0 && limit > 0.0 && prism_run_elapsed(run) >= limit - before)
    wish = PRISM_WISH_SAVE_STOP;
  if (wish > p->wish) p->wish = wish;
}

static bool is_due(const prism_run_t *run) {
  const prism_persist_t *p = run->persist;
  return p->config->interval > 0.0 && prism_run_elapsed(run) >= p->next;
}

static prism_status_t announce(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  p->wish = PRISM_WISH_NONE;
  prism_save_begin(run);
  PRISM_TRY(prism_save_note(run, false, &p->moment));
  PRISM_TRY(prism_save_post_all(run, PRISM_TAG_SAVE, p->serial + 1));
  return prism_save_islands(run, p->serial + 1);
}

prism_status_t prism_persist_look(prism_run_t *run, bool *stop) {
  prism_persist_t *p = run->persist;
  *stop = false;
  if (p == NULL) return PRISM_OK;
  hear_wish(run);
  if (prism_run_is_first(run)) PRISM_TRY(prism_save_step(run));
  if (run->config->params->run.deterministic) return PRISM_OK; /* the boundary decides */
  if (!prism_run_is_first(run)) {
    if (p->wish == PRISM_WISH_NONE) return PRISM_OK;
    int32_t wish = p->wish;
    p->wish = PRISM_WISH_NONE;
    return run->comm->ops->post(run->comm->self, 0, PRISM_TAG_WISH, &wish, sizeof wish);
  }
  *stop = p->wish == PRISM_WISH_SAVE_STOP;
  if (*stop || p->stage != PRISM_SAVE_REST) return PRISM_OK;
  return p->wish != PRISM_WISH_NONE || is_due(run) ? announce(run) : PRISM_OK;
}

/* ---- deterministic runs ---- */

/* May the next epoch be cut off? Those before it tell how long it will be. */
static bool is_risky(const prism_run_t *run, double seconds) {
  const prism_params_run_t *params = &run->config->params->run;
  const double now = prism_run_elapsed(run), total = run->persist->config->total_time;
  const int64_t most = params->max_iterations;
  return (params->time_limit > 0.0 && now + 2.0 * seconds > params->time_limit) ||
         (total > 0.0 && run->prior + now + 2.0 * seconds > total) ||
         (most > 0 && most - run->iterations < 4 * run->epoch_iterations);
}

/* Without room for the copy the run goes on without it. */
static void keep_spare(prism_run_t *run, double seconds) {
  prism_persist_t *p = run->persist;
  double allowed = copy_seconds + copy_share * prism_run_elapsed(run);
  if (p->spare_costs + p->spare_cost > allowed && !is_risky(run, seconds)) return;
  double begin = prism_clock_now();
  prism_status_t status = prism_save_all(run, &p->spare);
  if (status == PRISM_OK) status = prism_save_note(run, true, &p->spare_moment);
  p->spare_cost = prism_clock_now() - begin;
  p->spare_costs += p->spare_cost;
  p->spare_epoch = status == PRISM_OK ? run->epoch : -1;
  if (status != PRISM_OK) prism_error_clear();
}

prism_status_t prism_persist_boundary(prism_run_t *run, double seconds, bool anew, bool *stop) {
  enum { WISH, DUE, ABLE, WORDS };
  prism_persist_t *p = run->persist;
  *stop = false;
  if (p == NULL) return PRISM_OK;
  if (anew) { /* its file is there */
    keep_spare(run, seconds);
    return PRISM_OK;
  }
  hear_wish(run);
  bool first = prism_run_is_first(run);
  int64_t word[WORDS] = {p->wish, first && is_due(run), first && p->stage == PRISM_SAVE_REST};
  PRISM_TRY(run->comm->ops->allreduce_i64(run->comm->self, word, word, WORDS, PRISM_REDUCE_MAX));
  *stop = word[WISH] == PRISM_WISH_SAVE_STOP;
  if (*stop) return PRISM_OK; /* saved at the end */
  keep_spare(run, seconds);
  if (word[ABLE] == 0 || (word[WISH] == PRISM_WISH_NONE && word[DUE] == 0)) return PRISM_OK;
  p->wish = PRISM_WISH_NONE;
  ++p->serial;
  if (first) prism_save_begin(run);
  prism_status_t status = prism_save_note(run, true, &p->moment);
  if (status == PRISM_OK) status = prism_save_all(run, &p->part);
  return prism_save_ready(run, status);
}

/* ---- the end ---- */

/* Is there to be a last checkpoint, and of what? The same on all ranks. */
typedef enum last { LAST_NONE, LAST_NOW, LAST_SPARE, LAST_CUT } last_t;

static prism_status_t choose_last(prism_run_t *run, last_t *last) {
  enum { GOAL, CUT, LATEST, EARLIEST, WORDS };
  prism_persist_t *p = run->persist;
  prism_comm_t *comm = run->comm;
  int64_t word[WORDS] = {run->best_k <= run->goal, run->cut, p->spare_epoch, -p->spare_epoch};
  PRISM_TRY(comm->ops->allreduce_i64(comm->self, word, word, WORDS, PRISM_REDUCE_MAX));
  bool spare = word[LATEST] > 0 && word[LATEST] == -word[EARLIEST];
  bool wanted = run->reason == PRISM_EXIT_TIME || run->reason == PRISM_EXIT_SIGNAL ||
                run->reason == PRISM_EXIT_ITERATIONS || run->reason == PRISM_EXIT_CHECKPOINT;
  int32_t choice = LAST_NONE;
  if (wanted && word[GOAL] == 0) {
    bool earlier = run->result->checkpoints > 0 || p->config->resumes;
    /* Is there anything in it that is not in the file? */
    bool more = word[LATEST] > p->saved_epoch || run->history.count > p->saved_solutions;
    if (word[LATEST] < p->saved_epoch || !more) spare = false;
    choice = word[CUT] == 0 ? LAST_NOW : spare ? LAST_SPARE : earlier ? LAST_NONE : LAST_CUT;
  }
  PRISM_TRY(comm->ops->bcast(comm->self, &choice, sizeof choice, 0)); /* reasons may differ */
  *last = (last_t)choice;
  return PRISM_OK;
}

static prism_status_t take_messages(prism_run_t *run) {
  prism_comm_t *comm = run->comm;
  for (;;) {
    prism_message_t message;
    const void *data = NULL;
    PRISM_TRY(comm->ops->poll(comm->self, &message, &data));
    if (message.from < 0) break;
    if (message.tag == PRISM_TAG_TELEMETRY)
      PRISM_TRY(prism_telemetry_receive(run->telemetry, &message, data));
    else if (message.tag >= PRISM_TAG_READY && message.tag <= PRISM_TAG_SAVED)
      PRISM_TRY(prism_persist_receive(run, &message, data));
  }
  PRISM_TRY(comm->ops->heartbeat(comm->self));
  return comm->ops->check_peers(comm->self);
}

/* Rank 0: what is under way gives way to the last save, but what is being forced to the disk
 * comes to its end. */
static prism_status_t clear_way(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  prism_persist_outcome_t outcome;
  if (p->stage == PRISM_SAVE_PULL || p->stage == PRISM_SAVE_WRITE) {
    prism_persist_writer_cancel(p->writer);
    while (!prism_persist_writer_ended(p->writer, &outcome)) {
      PRISM_TRY(run->comm->ops->heartbeat(run->comm->self));
      prism_clock_sleep(1e-3);
    }
    if (outcome.status == PRISM_OK) PRISM_TRY(prism_save_told(run, &outcome));
  }
  p->stage = PRISM_SAVE_REST;
  return PRISM_OK;
}

/* Rank 0: there is no more time for it. */
static prism_status_t give_up(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  if (p->stage == PRISM_SAVE_PULL || p->stage == PRISM_SAVE_WRITE) {
    prism_persist_writer_cancel(p->writer);
    return PRISM_OK; /* the writer says when it is over */
  }
  prism_persist_outcome_t outcome = {.status = PRISM_INTERRUPTED};
  snprintf(outcome.text, sizeof outcome.text, "the signal leaves no time");
  return prism_save_end(run, &outcome);
}

static prism_status_t save_last(prism_run_t *run, last_t last) {
  prism_persist_t *p = run->persist;
  bool hurried = run->reason == PRISM_EXIT_SIGNAL && run->comm->size > 1, given_up = false;
  /* Another rank may have had the signal. */
  double deadline = (run->stopped > 0.0 ? run->stopped : prism_clock_now()) + last_chance;
  bool deterministic = run->config->params->run.deterministic;
  prism_status_t status = PRISM_OK;
  if (prism_run_is_first(run)) prism_save_begin(run);
  p->ended = false;
  if (last == LAST_SPARE) {
    prism_part_release(&p->part);
    p->part = p->spare;
    p->spare = (prism_part_t){.saved = 0};
    prism_free(p->moment.best);
    p->moment = p->spare_moment;
    p->spare_moment.best = NULL;
  } else {
    status = prism_save_note(run, deterministic && last == LAST_NOW, &p->moment);
    if (status == PRISM_OK) status = prism_save_all(run, &p->part);
  }
  PRISM_TRY(prism_save_ready(run, status));
  while (!p->ended) {
    PRISM_TRY(take_messages(run));
    if (prism_run_is_first(run)) PRISM_TRY(prism_save_step(run));
    bool late = hurried && !given_up && prism_clock_now() > deadline;
    if (prism_run_is_first(run) && !p->ended && late) {
      given_up = true;
      PRISM_TRY(give_up(run));
    }
    if (!p->ended) prism_clock_sleep(200e-6);
  }
  return PRISM_OK;
}

prism_status_t prism_persist_end(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  if (p == NULL) return PRISM_OK;
  prism_comm_t *comm = run->comm;
  last_t last = LAST_NONE;
  run->stopping = true;
  if (prism_run_is_first(run)) PRISM_TRY(clear_way(run));
  prism_part_release(&p->part);
  PRISM_TRY(choose_last(run, &last));
  PRISM_TRY(comm->ops->bcast(comm->self, &p->serial, sizeof p->serial, 0));
  ++p->serial;
  if (last != LAST_NONE) PRISM_TRY(save_last(run, last));
  return comm->ops->allreduce_f64(comm->self, &p->stood, &run->result->checkpoint_seconds, 1,
                                  PRISM_REDUCE_MAX);
}
