#include "solve/persist_writer.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "solve/worker.h"

enum { SLOTS = 8 };

struct prism_persist_writer {
  const char *path;
  const prism_history_t *history;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;

  /* Under the lock. */
  prism_piece_t *slot[SLOTS]; /* owned */
  int32_t first, count;
  bool active;                /* a save is under way */
  bool complete;              /* all its pieces have been handed over */
  bool cancelled, stop;
  bool ended;                 /* and the outcome is there */
  prism_persist_outcome_t outcome;
  prism_checkpoint_head_t head; /* of the save; fixed while it lasts */
  int32_t solutions;          /* of the history that go into it */

  /* The thread's own. */
  bool opened;                /* the save's file */
  prism_checkpoint_t *checkpoint;
  int32_t *color;             /* [n] scratch */
  double begun;
};

typedef prism_persist_writer_t writer_t;

/* ---- The thread ------------------------------------------------------------------------- */

static prism_status_t write_solutions(writer_t *w) {
  const prism_history_entry_t *entry = w->history->first;
  if (w->color == NULL) PRISM_TRY(PRISM_ALLOC(w->history->n, &w->color));
  for (int32_t i = 0; i < w->solutions; ++i) {
    if (i > 0) entry = entry->next; /* that of the last one may be changing */
    PRISM_TRY(prism_history_get(w->history, entry, w->color));
    PRISM_TRY(prism_checkpoint_solution(w->checkpoint, &entry->row, w->color));
  }
  return PRISM_OK;
}

static prism_status_t open_file(writer_t *w) {
  w->opened = true;
  w->begun = prism_clock_now();
  PRISM_TRY(prism_checkpoint_begin(w->path, &w->head, &w->checkpoint));
  return write_solutions(w);
}

/* What the thread is to do next. */
typedef enum task { SLEEP, LEAVE, BEGIN, WRITE, COMMIT, GIVE_UP } task_t;

/* Under the lock. [out] piece  of WRITE, owned by the caller */
static task_t next_task(writer_t *w, prism_piece_t **piece) {
  if (!w->active) return w->stop ? LEAVE : SLEEP;
  if (w->cancelled || w->stop) return GIVE_UP;
  if (!w->opened) return BEGIN;
  if (w->count > 0) {
    *piece = w->slot[w->first];
    w->first = (w->first + 1) % SLOTS;
    --w->count;
    return WRITE;
  }
  return w->complete ? COMMIT : SLEEP;
}

static prism_status_t perform(writer_t *w, task_t task, prism_piece_t *piece, int64_t *bytes) {
  switch (task) {
    case BEGIN:
      return open_file(w);
    case WRITE:
      return prism_piece_write(piece, w->head.kernel.n,
                               prism_checkpoint_width(w->head.color_bound), w->checkpoint);
    case COMMIT:
      return prism_checkpoint_commit(&w->checkpoint, bytes);
    case GIVE_UP:
      PRISM_FAIL(PRISM_INTERRUPTED, "%s was given up", w->path);
    case SLEEP:
    case LEAVE:
      break;
  }
  return PRISM_OK;
}

/* Under the lock: the save is over. */
static void settle(writer_t *w, prism_status_t status, int64_t bytes) {
  w->outcome = (prism_persist_outcome_t){.status = status, .bytes = bytes,
                                         .seconds = prism_clock_now() - w->begun};
  if (status != PRISM_OK)
    snprintf(w->outcome.text, sizeof w->outcome.text, "%s", prism_error_text());
  for (; w->count > 0; --w->count, w->first = (w->first + 1) % SLOTS)
    prism_free(w->slot[w->first]);
  prism_free((void *)w->head.best);
  w->head.best = NULL;
  w->active = w->complete = w->cancelled = w->opened = false;
  w->ended = true;
}

static void *writer_main(void *argument) {
  writer_t *w = argument;
  pthread_mutex_lock(&w->lock);
  for (;;) {
    prism_piece_t *piece = NULL;
    task_t task = next_task(w, &piece);
    if (task == LEAVE) break;
    if (task == SLEEP) {
      pthread_cond_wait(&w->wake, &w->lock);
      continue;
    }
    pthread_mutex_unlock(&w->lock);
    int64_t bytes = 0;
    prism_error_clear();
    prism_status_t status = perform(w, task, piece, &bytes);
    prism_free(piece);
    if (status != PRISM_OK) prism_checkpoint_abandon(&w->checkpoint);
    pthread_mutex_lock(&w->lock);
    if (status != PRISM_OK || task == COMMIT) settle(w, status, bytes);
  }
  pthread_mutex_unlock(&w->lock);
  return NULL;
}

/* ---- The main thread's side -------------------------------------------------------------- */

static void release(writer_t *w) {
  pthread_cond_destroy(&w->wake);
  pthread_mutex_destroy(&w->lock);
  prism_free(w->color);
  prism_free(w);
}

prism_status_t prism_persist_writer_create(const char *path, const prism_history_t *history,
                                           prism_persist_writer_t **out) {
  writer_t *w = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &w));
  w->path = path;
  w->history = history;
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->wake, NULL);
  prism_status_t status =
      prism_worker_start(&w->thread, writer_main, w, "the thread that writes checkpoints");
  if (status != PRISM_OK)
    release(w);
  else
    *out = w;
  return status;
}

void prism_persist_writer_destroy(prism_persist_writer_t **writer) {
  writer_t *w = *writer;
  if (w == NULL) return;
  *writer = NULL;
  pthread_mutex_lock(&w->lock);
  w->stop = true;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->lock);
  pthread_join(w->thread, NULL);
  release(w);
}

void prism_persist_writer_begin(prism_persist_writer_t *w, const prism_checkpoint_head_t *head) {
  pthread_mutex_lock(&w->lock);
  w->head = *head;
  w->solutions = w->history->count;
  w->active = true;
  w->ended = false;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->lock);
}

int32_t prism_persist_writer_room(prism_persist_writer_t *w) {
  pthread_mutex_lock(&w->lock);
  int32_t room = w->active && !w->complete ? SLOTS - w->count : 0;
  pthread_mutex_unlock(&w->lock);
  return room;
}

void prism_persist_writer_put(prism_persist_writer_t *w, prism_piece_t *piece) {
  pthread_mutex_lock(&w->lock);
  bool wanted = w->active && !w->complete && w->count < SLOTS;
  if (wanted) w->slot[(w->first + w->count++) % SLOTS] = piece;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->lock);
  if (!wanted) prism_free(piece); /* it has failed meanwhile */
}

void prism_persist_writer_commit(prism_persist_writer_t *w) {
  pthread_mutex_lock(&w->lock);
  w->complete = w->active;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->lock);
}

void prism_persist_writer_cancel(prism_persist_writer_t *w) {
  pthread_mutex_lock(&w->lock);
  w->cancelled = w->active;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->lock);
}

bool prism_persist_writer_ended(prism_persist_writer_t *w, prism_persist_outcome_t *outcome) {
  pthread_mutex_lock(&w->lock);
  bool ended = w->ended;
  if (ended) *outcome = w->outcome;
  w->ended = false;
  pthread_mutex_unlock(&w->lock);
  return ended;
}
