#include "solve/persist_save.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "solve/messages.h"
#include "solve/run_state.h"

enum { WINDOW = 4, TEXT_BYTES = 640 }; /* pieces asked for ahead */

/* To rank 0: this rank's part is complete. */
typedef struct ready {
  int32_t serial, status;
  int64_t iterations;
  char text[256]; /* why it cannot be */
} ready_t;

static prism_status_t post(prism_run_t *run, int32_t to, int32_t tag, const void *data,
                           size_t bytes) {
  return run->comm->ops->post(run->comm->self, to, tag, data, bytes);
}

prism_status_t prism_save_post_all(prism_run_t *run, int32_t tag, int32_t word) {
  for (int32_t r = 0; r < run->comm->size; ++r)
    if (r != run->comm->rank) PRISM_TRY(post(run, r, tag, &word, sizeof word));
  return PRISM_OK;
}

/* ---- this rank's part ---- */

static prism_status_t save_island(prism_run_t *run, prism_part_t *part, int32_t i) {
  int32_t id = run->island[i].id;
  double begin = prism_clock_now();
  prism_status_t status = prism_part_save(part, i, &run->engine, id, run->first_island + id);
  run->persist->stood += prism_clock_now() - begin;
  return status;
}

/* The driver's words complete it. */
static prism_status_t add_words(prism_run_t *run, prism_part_t *part) {
  part->iterations = run->iterations;
  return prism_run_state_pack(run, &part->words, &part->size);
}

/* All islands are idle: the whole part at once. */
prism_status_t prism_save_all(prism_run_t *run, prism_part_t *part) {
  prism_part_release(part);
  prism_status_t status = prism_part_begin(part, &run->persist->setup);
  for (int32_t i = 0; i < run->islands && status == PRISM_OK; ++i)
    status = save_island(run, part, i);
  if (status == PRISM_OK) status = add_words(run, part);
  if (status != PRISM_OK) prism_part_release(part);
  return status;
}

prism_status_t prism_save_note(prism_run_t *run, bool repeats, prism_moment_t *moment) {
  if (!prism_run_is_first(run)) return PRISM_OK;
  int32_t *best = moment->best;
  if (best == NULL) PRISM_TRY(PRISM_ALLOC(run->n, &best));
  memcpy(best, run->best, (size_t)run->n * sizeof *best);
  *moment = (prism_moment_t){.repeats = repeats, .epoch = run->epoch, .best_k = run->best_k,
                       .elapsed = run->prior + prism_run_elapsed(run), .best = best};
  return PRISM_OK;
}

/* ---- rank 0: the end of a save ---- */

static prism_status_t tell_failure(prism_run_t *run, const char *reason) {
  prism_persist_t *p = run->persist;
  const prism_solve_config_t *config = run->config;
  char text[TEXT_BYTES];
  ++run->result->checkpoint_failures;
  snprintf(text, sizeof text, "no checkpoint could be written: %.400s%s", reason,
           run->stopping ? "" : "; the search goes on and tries again");
  if (!p->warned && config->warn != NULL)
    config->warn(config->user, text);
  else if (!p->warned && config->remark != NULL)
    config->remark(config->user, text);
  p->warned = true;
  return prism_telemetry_event(run->telemetry, "checkpoint_failed", -1, reason);
}

prism_status_t prism_save_told(prism_run_t *run, const prism_persist_outcome_t *outcome) {
  char text[128];
  ++run->result->checkpoints;
  run->persist->warned = false;
  run->persist->saved_epoch = run->persist->moment.epoch;
  run->persist->saved_solutions = run->persist->solutions;
  snprintf(text, sizeof text, "%lld bytes in %.2f s", (long long)outcome->bytes,
           outcome->seconds);
  return prism_telemetry_event(run->telemetry, "checkpoint",
                               run->persist->moment.best_k + run->shared->universal, text);
}

prism_status_t prism_save_end(prism_run_t *run, const prism_persist_outcome_t *outcome) {
  prism_persist_t *p = run->persist;
  p->stage = PRISM_SAVE_REST;
  p->ended = true;
  p->next = fmax(p->begun + p->config->interval, prism_run_elapsed(run));
  prism_part_release(&p->part);
  PRISM_TRY(prism_save_post_all(run, PRISM_TAG_SAVED, p->serial));
  if (outcome->status == PRISM_OK) return prism_save_told(run, outcome);
  return tell_failure(run, outcome->text);
}

/* ---- all ranks: parts that become complete ---- */

static prism_status_t take_ready(prism_run_t *run, int32_t rank, const ready_t *ready) {
  prism_persist_t *p = run->persist;
  if (p->stage != PRISM_SAVE_GATHER || ready->serial != p->serial) return PRISM_OK;
  if (ready->status != PRISM_OK) {
    prism_persist_outcome_t outcome = {.status = (prism_status_t)ready->status};
    if (run->comm->size > 1)
      snprintf(outcome.text, sizeof outcome.text, "rank %d: %.255s", rank, ready->text);
    else
      snprintf(outcome.text, sizeof outcome.text, "%.255s", ready->text);
    return prism_save_end(run, &outcome);
  }
  p->head.iterations += ready->iterations;
  ++p->ready;
  return PRISM_OK;
}

/* This rank has saved all, or failed to: that is no reason to end the search. */
prism_status_t prism_save_ready(prism_run_t *run, prism_status_t status) {
  prism_persist_t *p = run->persist;
  ready_t ready = {.serial = p->serial, .status = (int32_t)status,
                   .iterations = p->part.iterations};
  if (status != PRISM_OK) {
    const char *text = prism_error_text();
    snprintf(ready.text, sizeof ready.text, "%s",
             text[0] != '\0' ? text : prism_status_text(status));
    prism_part_release(&p->part);
    prism_error_clear();
  }
  if (prism_run_is_first(run)) return take_ready(run, 0, &ready);
  return post(run, 0, PRISM_TAG_READY, &ready, sizeof ready);
}

prism_status_t prism_persist_idle(prism_run_t *run, int32_t i) {
  prism_persist_t *p = run->persist;
  if (p == NULL || !prism_part_exists(&p->part)) return PRISM_OK;
  if (p->part.words != NULL || prism_part_has(&p->part, i)) return PRISM_OK;
  prism_status_t status = save_island(run, &p->part, i);
  if (status == PRISM_OK && p->part.saved < run->islands) return PRISM_OK;
  if (status == PRISM_OK) status = add_words(run, &p->part);
  return prism_save_ready(run, status);
}

/* Asynchronous: islands are saved from now on. */
prism_status_t prism_save_islands(prism_run_t *run, int32_t serial) {
  prism_persist_t *p = run->persist;
  prism_part_release(&p->part);
  p->serial = serial;
  prism_status_t status = prism_part_begin(&p->part, &p->setup);
  return status == PRISM_OK ? PRISM_OK : prism_save_ready(run, status);
}

/* ---- rank 0: from the parts to the writer ---- */

void prism_save_begin(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  p->stage = PRISM_SAVE_GATHER;
  p->ended = false;
  p->ready = p->from = p->asked = 0;
  p->begun = prism_run_elapsed(run);
  p->head.iterations = 0;
}

static void open_writer(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  prism_moment_t *moment = &p->moment;
  p->head.deterministic = moment->repeats;
  p->head.epoch = moment->epoch;
  p->head.elapsed = moment->elapsed;
  p->head.best_k = moment->best_k;
  p->head.best = moment->best;
  moment->best = NULL; /* the writer's now */
  p->solutions = run->history.count;
  prism_persist_writer_begin(p->writer, &p->head);
  p->stage = PRISM_SAVE_PULL;
}

/* The part of rank 0 itself, or of another. */
static prism_status_t pull(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  while (p->from == 0 && prism_persist_writer_room(p->writer) > 0) {
    prism_piece_t *piece = NULL;
    PRISM_TRY(prism_part_next(&p->part, &piece));
    if (piece->last != 0) ++p->from;
    prism_persist_writer_put(p->writer, piece);
  }
  if (p->from == 0) return PRISM_OK;
  if (p->from == run->comm->size) {
    prism_persist_writer_commit(p->writer);
    p->stage = PRISM_SAVE_WRITE;
    return PRISM_OK;
  }
  int32_t room = prism_persist_writer_room(p->writer);
  for (; p->asked < WINDOW && p->asked < room; ++p->asked)
    PRISM_TRY(post(run, p->from, PRISM_TAG_PULL, &p->serial, sizeof p->serial));
  return PRISM_OK;
}

/* A failure of the save is none of the run. */
prism_status_t prism_save_step(prism_run_t *run) {
  prism_persist_t *p = run->persist;
  prism_persist_outcome_t outcome = {.status = PRISM_OK};
  if (p->stage == PRISM_SAVE_GATHER && p->ready == run->comm->size) open_writer(run);
  if (p->stage == PRISM_SAVE_PULL) PRISM_TRY(pull(run));
  if (p->stage != PRISM_SAVE_PULL && p->stage != PRISM_SAVE_WRITE) return PRISM_OK;
  return prism_persist_writer_ended(p->writer, &outcome) ? prism_save_end(run, &outcome) : PRISM_OK;
}

static prism_status_t take_piece(prism_run_t *run, const prism_message_t *message,
                                 const void *data) {
  prism_persist_t *p = run->persist;
  prism_piece_t *piece = NULL;
  size_t width = prism_checkpoint_width(p->setup.color_bound);
  PRISM_TRY(prism_piece_copy(data, message->bytes, run->n, width, &piece));
  if (p->stage != PRISM_SAVE_PULL || piece->serial != p->serial || message->from != p->from) {
    prism_free(piece); /* of a save that is over */
    return PRISM_OK;
  }
  --p->asked;
  if (piece->last != 0) {
    ++p->from;
    p->asked = 0; /* it has no answer to the others */
  }
  prism_persist_writer_put(p->writer, piece);
  return prism_save_step(run);
}

/* ---- messages ---- */

/* Another rank: the next piece. */
static prism_status_t give_piece(prism_run_t *run, int32_t serial) {
  prism_persist_t *p = run->persist;
  if (serial != p->serial || !prism_part_exists(&p->part) || p->part.words == NULL)
    return PRISM_OK;
  prism_piece_t *piece = NULL;
  PRISM_TRY(prism_part_next(&p->part, &piece));
  piece->serial = serial;
  prism_status_t status = post(run, 0, PRISM_TAG_PIECE, piece, prism_piece_bytes(piece));
  prism_free(piece);
  return status;
}

prism_status_t prism_persist_receive(prism_run_t *run, const prism_message_t *message,
                                     const void *data) {
  prism_persist_t *p = run->persist;
  bool first = prism_run_is_first(run);
  int32_t word = 0;
  ready_t ready;
  if (p != NULL && message->bytes == sizeof word) memcpy(&word, data, sizeof word);
  switch (p != NULL ? message->tag : PRISM_TAG_END) {
    case PRISM_TAG_WISH:
      if (word > p->wish) p->wish = word;
      return PRISM_OK;
    case PRISM_TAG_SAVE:
      return prism_save_islands(run, word);
    case PRISM_TAG_READY:
      if (!first || message->bytes != sizeof ready) break;
      memcpy(&ready, data, sizeof ready);
      ready.text[sizeof ready.text - 1] = '\0';
      return take_ready(run, message->from, &ready);
    case PRISM_TAG_PULL:
      return give_piece(run, word);
    case PRISM_TAG_PIECE:
      if (!first) break;
      return take_piece(run, message, data);
    case PRISM_TAG_SAVED:
      if (word != p->serial) return PRISM_OK;
      prism_part_release(&p->part);
      p->ended = true;
      return PRISM_OK;
    default:
      break;
  }
  PRISM_FAIL(PRISM_PEER, "rank %d sent an unknown message (tag %d)", message->from,
             message->tag);
}
