/* The I/O thread and its queues. The files themselves: store_h5.c, jsonl.c. */
#include "solve/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/ring.h"
#include "model/solution.h"
#include "solve/jsonl.h"
#include "solve/store_h5.h"
#include "solve/worker.h"

enum {
  SLOTS = 2,                 /* solutions that may wait before the caller does */
  DEFAULT_RING = 8192,
  ERROR_BYTES = 1024,
  TEXT_LIMIT = 16 << 20,     /* bytes of .jsonl lines kept while the disk is full */
};
static const double WAKE_SECONDS = 0.1;
static const double FLUSH_SECONDS = 0.2;
static const double RETRY_SECONDS = 1.0;

/* What travels through the ring: one ring keeps the order of all records. */
typedef struct entry {
  prism_record_kind_t kind;
  union {
    prism_metric_t metric;
    prism_event_t event;
    prism_migration_t migration;
    prism_gpu_t gpu;
    prism_profile_t profile;
    prism_ladder_row_t ladder;
  } as;
} entry_t;

/* Records on their way to one table of the run file. */
typedef struct rows {
  char *data; /* [capacity] structs; owned */
  size_t count, capacity;
} rows_t;

/* A solution on its way to the run file. */
typedef struct packed {
  prism_solution_row_t row;
  void *color; /* owned */
  struct packed *next;
} packed_t;

/* One of the files, as far as failures go. */
typedef struct sink {
  bool warned;
  int32_t in_a_row;
  double retry_at;
} sink_t;

struct prism_store {
  prism_store_config_t config; /* pointers valid during open only, except graph and user */
  char *run_path, *jsonl_path, *solution_path, *hash;
  prism_ring_t *ring; /* NULL: no run file */
  size_t ring_capacity;

  /* Shared with the I/O thread under the mutex. */
  pthread_mutex_t mutex;
  pthread_cond_t wake;  /* something to do */
  pthread_cond_t taken; /* a slot is free, or the open is settled */
  prism_solution_row_t slot_row[SLOTS];
  int32_t *slot_color[SLOTS];
  int32_t slot_first, slot_count;
  bool opened, stop;
  prism_status_t open_status;
  char open_error[ERROR_BYTES];
  prism_summary_row_t *summary; /* set before stop; NULL: none */

  atomic_int_least64_t lost, failures;
  atomic_int_least64_t flushed[PRISM_RECORD_COUNT];

  /* The I/O thread's own. */
  pthread_t thread;
  prism_h5_t *h5;
  prism_jsonl_t jsonl;
  prism_text_t lines; /* for the .jsonl */
  prism_text_t sol;   /* text of the best solution */
  bool sol_stored;    /* it is on the disk */
  int32_t best_colors;
  rows_t rows[PRISM_RECORD_COUNT];
  packed_t *first_packed, *last_packed;
  double flush_at;
  sink_t h5_sink, jsonl_sink, sol_sink;
  char sol_error[ERROR_BYTES];
};

static void count_lost(prism_store_t *self, int64_t records) {
  atomic_fetch_add_explicit(&self->lost, records, memory_order_relaxed);
}

static void warn(const prism_store_t *self, const char *text) {
  if (self->config.warn != NULL) self->config.warn(self->config.user, text);
}

/* Note a failed write; the first one of a file is told to the user. */
static void sink_failed(prism_store_t *self, sink_t *sink) {
  atomic_fetch_add_explicit(&self->failures, 1, memory_order_relaxed);
  ++sink->in_a_row;
  sink->retry_at = prism_clock_now() + RETRY_SECONDS;
  if (!sink->warned) {
    char text[ERROR_BYTES + 128];
    snprintf(text, sizeof text, "%s (retried every second; the search goes on)",
             prism_error_text());
    warn(self, text);
  }
  sink->warned = true;
}

static bool sink_ready(const sink_t *sink, bool last) {
  return last || sink->in_a_row == 0 || prism_clock_now() >= sink->retry_at;
}

/* ---- The .sol ------------------------------------------------------------------------ */

static void write_solution(prism_store_t *self, bool last) {
  if (self->sol.length == 0 || self->sol_stored || !sink_ready(&self->sol_sink, last)) return;
  if (prism_file_replace(self->solution_path, self->sol.data, self->sol.length) != PRISM_OK) {
    snprintf(self->sol_error, sizeof self->sol_error, "%s", prism_error_text());
    sink_failed(self, &self->sol_sink);
    return;
  }
  self->sol_sink.in_a_row = 0;
  self->sol_stored = true;
}

/* Make the .sol text of a better solution and write it. */
static void renew_solution(prism_store_t *self, const prism_solution_row_t *row,
                           const int32_t *color) {
  if (self->solution_path == NULL) return;
  if (self->best_colors > 0 && row->colors > self->best_colors) return;
  prism_text_t text = {0};
  if (prism_solution_format(self->config.graph, color, self->hash, NULL, &text) != PRISM_OK) {
    prism_text_free(&text);
    snprintf(self->sol_error, sizeof self->sol_error, "%s", prism_error_text());
    sink_failed(self, &self->sol_sink);
    return;
  }
  prism_text_free(&self->sol);
  self->sol = text;
  self->sol_stored = false;
  self->best_colors = row->colors;
  self->sol_sink.in_a_row = 0;
  write_solution(self, true);
}

/* Colors in the width of the run file. */
static void pack_colors(const int32_t *color, int32_t n, size_t bytes, void *out) {
  uint8_t *u8 = out;
  uint16_t *u16 = out;
  uint32_t *u32 = out;
  if (bytes == 1)
    for (int32_t v = 0; v < n; ++v) u8[v] = (uint8_t)color[v];
  else if (bytes == 2)
    for (int32_t v = 0; v < n; ++v) u16[v] = (uint16_t)color[v];
  else
    for (int32_t v = 0; v < n; ++v) u32[v] = (uint32_t)color[v];
}

static prism_status_t keep_packed(prism_store_t *self, const prism_solution_row_t *row,
                                  const int32_t *color) {
  packed_t *fresh = NULL;
  size_t bytes = prism_h5_color_bytes(self->h5);
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &fresh));
  prism_status_t status = prism_alloc_bytes((size_t)self->config.graph->n, bytes, &fresh->color);
  if (status != PRISM_OK) {
    prism_free(fresh);
    return status;
  }
  fresh->row = *row;
  pack_colors(color, self->config.graph->n, bytes, fresh->color);
  if (self->last_packed != NULL)
    self->last_packed->next = fresh;
  else
    self->first_packed = fresh;
  self->last_packed = fresh;
  return PRISM_OK;
}

static void drop_first_packed(prism_store_t *self) {
  packed_t *first = self->first_packed;
  self->first_packed = first->next;
  if (self->first_packed == NULL) self->last_packed = NULL;
  prism_free(first->color);
  prism_free(first);
}

/* Add the line of a record to what waits for the .jsonl; false: lost. */
static bool add_line(prism_store_t *self, prism_record_kind_t kind, const void *record) {
  size_t before = self->lines.length;
  if (before < TEXT_LIMIT && prism_jsonl_record(kind, record, &self->lines) == PRISM_OK)
    return true;
  self->lines.length = before; /* no half lines */
  if (self->lines.data != NULL) self->lines.data[before] = '\0';
  return false;
}

/* Take the waiting solutions: the newest goes to the .sol before anything else. */
static void take_solutions(prism_store_t *self) {
  pthread_mutex_lock(&self->mutex);
  int32_t first = self->slot_first, count = self->slot_count;
  pthread_mutex_unlock(&self->mutex);
  if (count == 0) return;
  int32_t best = first;
  for (int32_t i = 1; i < count; ++i) {
    int32_t at = (first + i) % SLOTS;
    if (self->slot_row[at].colors <= self->slot_row[best].colors) best = at;
  }
  renew_solution(self, &self->slot_row[best], self->slot_color[best]);
  for (int32_t i = 0; self->ring != NULL && i < count; ++i) {
    int32_t at = (first + i) % SLOTS;
    bool kept = add_line(self, PRISM_RECORD_SOLUTION, &self->slot_row[at]);
    const int32_t *color = self->slot_color[at];
    if (self->h5 != NULL && keep_packed(self, &self->slot_row[at], color) != PRISM_OK)
      kept = false;
    if (!kept) count_lost(self, 1);
  }
  self->flush_at = 0.0;
  pthread_mutex_lock(&self->mutex);
  self->slot_first = (first + count) % SLOTS;
  self->slot_count -= count;
  pthread_cond_signal(&self->taken);
  pthread_mutex_unlock(&self->mutex);
}

/* ---- Records ------------------------------------------------------------------------- */

static bool add_row(prism_store_t *self, prism_record_kind_t kind, const void *record) {
  rows_t *rows = &self->rows[kind];
  size_t bytes = prism_record_table(kind)->bytes;
  if (rows->count == rows->capacity) {
    size_t more = rows->capacity == 0 ? 64 : 2 * rows->capacity;
    if (more > self->ring_capacity) more = self->ring_capacity;
    if (more <= rows->count ||
        prism_grow_bytes((void **)&rows->data, rows->capacity, more, bytes) != PRISM_OK)
      return false;
    rows->capacity = more;
  }
  memcpy(rows->data + rows->count * bytes, record, bytes);
  ++rows->count;
  return true;
}

static void write_lines(prism_store_t *self, bool last) {
  if (self->lines.length == 0 || !sink_ready(&self->jsonl_sink, last)) return;
  if (prism_jsonl_append(&self->jsonl, &self->lines) != PRISM_OK)
    sink_failed(self, &self->jsonl_sink);
  else
    self->jsonl_sink.in_a_row = 0;
}

static prism_status_t write_tables(prism_store_t *self) {
  while (self->first_packed != NULL) {
    PRISM_TRY(prism_h5_append_solution(self->h5, &self->first_packed->row,
                                       self->first_packed->color));
    drop_first_packed(self);
    atomic_fetch_add(&self->flushed[PRISM_RECORD_SOLUTION], 1);
  }
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) {
    rows_t *rows = &self->rows[kind];
    if (rows->count == 0) continue;
    PRISM_TRY(prism_h5_append(self->h5, (prism_record_kind_t)kind, rows->data, rows->count));
    atomic_fetch_add(&self->flushed[kind], (int64_t)rows->count);
    rows->count = 0;
  }
  return PRISM_OK;
}

/* Close the run file and drop what still waits for it. */
static void leave_run_file(prism_store_t *self, bool wanted) {
  if (prism_h5_close(&self->h5) != PRISM_OK && wanted) sink_failed(self, &self->h5_sink);
  while (self->first_packed != NULL) {
    drop_first_packed(self);
    count_lost(self, 1);
  }
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) {
    count_lost(self, (int64_t)self->rows[kind].count);
    self->rows[kind].count = 0;
  }
}

static void write_run_file(prism_store_t *self, bool last) {
  if (self->h5 == NULL || !sink_ready(&self->h5_sink, last)) return;
  if (write_tables(self) == PRISM_OK) {
    self->h5_sink.in_a_row = 0;
    return;
  }
  sink_failed(self, &self->h5_sink);
  if (!prism_h5_broken(self->h5) || last) return;
  char text[ERROR_BYTES];
  snprintf(text, sizeof text, "%s cannot be continued: it stays readable up to here, and the "
           ".jsonl and .sol go on", self->run_path);
  leave_run_file(self, false);
  warn(self, text);
}

static void drain_ring(prism_store_t *self) {
  entry_t entry;
  while (self->ring != NULL && prism_ring_pop(self->ring, &entry)) {
    if (self->lines.length >= TEXT_LIMIT) write_lines(self, false);
    if (self->rows[entry.kind].count >= self->ring_capacity) write_run_file(self, false);
    bool kept = add_line(self, entry.kind, &entry.as);
    if (self->h5 != NULL && !add_row(self, entry.kind, &entry.as)) kept = false;
    if (!kept) count_lost(self, 1);
  }
}

/* ---- The thread ------------------------------------------------------------------------ */

static prism_status_t open_files(prism_store_t *self) {
  char created[32];
  prism_clock_iso8601(created, sizeof created);
  PRISM_TRY(prism_jsonl_open(self->jsonl_path, &self->jsonl));
  if (!self->jsonl.locked)
    warn(self, "this file system has no file locks: two runs with one output would mix");
  PRISM_TRY(prism_jsonl_config(&self->config, created, &self->lines));
  if (prism_jsonl_append(&self->jsonl, &self->lines) != PRISM_OK) return PRISM_IO;
  return prism_h5_create(&self->config, created, &self->h5);
}

/* Hand the outcome of the open to prism_store_open. */
static bool settle_open(prism_store_t *self) {
  prism_status_t status = self->ring != NULL ? open_files(self) : PRISM_OK;
  pthread_mutex_lock(&self->mutex);
  self->open_status = status;
  if (status != PRISM_OK)
    snprintf(self->open_error, sizeof self->open_error, "%s", prism_error_text());
  self->opened = true;
  pthread_cond_signal(&self->taken);
  pthread_mutex_unlock(&self->mutex);
  return status == PRISM_OK;
}

/* Sleep until there is a solution, the end, or the next look at the ring. */
static bool wait_for_work(prism_store_t *self) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += (long)(WAKE_SECONDS * 1e9);
  if (until.tv_nsec >= 1000000000L) {
    until.tv_nsec -= 1000000000L;
    ++until.tv_sec;
  }
  pthread_mutex_lock(&self->mutex);
  int reason = 0;
  while (!self->stop && self->slot_count == 0 && reason == 0)
    reason = pthread_cond_timedwait(&self->wake, &self->mutex, &until);
  bool stop = self->stop;
  pthread_mutex_unlock(&self->mutex);
  return stop;
}

/* Nothing is written to a file that was removed or renamed under the run. */
static void look_for(prism_store_t *self, const char *path) {
  if (prism_file_exists(path)) return;
  char text[ERROR_BYTES];
  snprintf(text, sizeof text, "%s is gone: it was removed or renamed while it was written", path);
  warn(self, text);
  atomic_fetch_add_explicit(&self->failures, 1, memory_order_relaxed);
}

/* The last writes: everything that waits, then the summary, then the end. */
static void finish(prism_store_t *self) {
  if (self->sol_stored && !prism_file_exists(self->solution_path)) self->sol_stored = false;
  write_solution(self, true);
  if (self->ring != NULL) {
    look_for(self, self->run_path);
    look_for(self, self->jsonl_path);
  }
  if (self->summary != NULL)
    prism_store_losses(self, &self->summary->records_lost, &self->summary->write_failures);
  if (self->ring == NULL) return;
  write_lines(self, true);
  write_run_file(self, true);
  if (self->h5 != NULL && self->h5_sink.in_a_row != 0) leave_run_file(self, true);
  if (self->summary != NULL) {
    prism_store_losses(self, &self->summary->records_lost, &self->summary->write_failures);
    add_line(self, PRISM_RECORD_SUMMARY, self->summary);
    if (self->h5 != NULL && add_row(self, PRISM_RECORD_SUMMARY, self->summary))
      write_run_file(self, true);
    write_lines(self, true);
  }
  if (self->h5 != NULL) leave_run_file(self, true);
  if (prism_jsonl_close(&self->jsonl, false) != PRISM_OK) sink_failed(self, &self->jsonl_sink);
}

static void *io_main(void *argument) {
  prism_store_t *self = argument;
  if (!settle_open(self)) {
    prism_jsonl_close(&self->jsonl, true);
    return NULL;
  }
  for (bool stop = false; !stop;) {
    stop = wait_for_work(self);
    take_solutions(self);
    drain_ring(self);
    write_solution(self, false);
    double now = prism_clock_now();
    if (now < self->flush_at && !stop) continue;
    self->flush_at = now + FLUSH_SECONDS;
    write_lines(self, false);
    write_run_file(self, false);
  }
  finish(self);
  return NULL;
}

/* The thread, and the files that it opens. */
static prism_status_t start(prism_store_t *self) {
  PRISM_TRY(prism_worker_start(&self->thread, io_main, self, "the I/O thread"));
  pthread_mutex_lock(&self->mutex);
  while (!self->opened) pthread_cond_wait(&self->taken, &self->mutex);
  pthread_mutex_unlock(&self->mutex);
  if (self->open_status == PRISM_OK) return PRISM_OK;
  pthread_join(self->thread, NULL);
  return prism_error_set(self->open_status, self->open_error);
}

/* ---- The caller's side ------------------------------------------------------------------- */

static void release(prism_store_t *self) {
  while (self->first_packed != NULL) drop_first_packed(self);
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) prism_free(self->rows[kind].data);
  for (int i = 0; i < SLOTS; ++i) prism_free(self->slot_color[i]);
  prism_text_free(&self->lines);
  prism_text_free(&self->sol);
  prism_ring_destroy(&self->ring);
  prism_free(self->run_path);
  prism_free(self->jsonl_path);
  prism_free(self->solution_path);
  prism_free(self->hash);
  pthread_cond_destroy(&self->wake);
  pthread_cond_destroy(&self->taken);
  pthread_mutex_destroy(&self->mutex);
  prism_free(self);
}

static prism_status_t copy_path(const char *path, char **out) {
  return path == NULL ? PRISM_OK : prism_string_format(out, "%s", path);
}

static prism_status_t prepare(prism_store_t *self, const prism_store_config_t *config) {
  PRISM_TRY(copy_path(config->run_path, &self->run_path));
  PRISM_TRY(copy_path(config->jsonl_path, &self->jsonl_path));
  PRISM_TRY(copy_path(config->solution_path, &self->solution_path));
  PRISM_TRY(copy_path(config->graph_hash, &self->hash));
  for (int i = 0; i < SLOTS; ++i) PRISM_TRY(PRISM_ALLOC(config->graph->n, &self->slot_color[i]));
  if (config->run_path == NULL) return PRISM_OK;
  self->ring_capacity = DEFAULT_RING;
  if (config->params != NULL) self->ring_capacity = (size_t)config->params->telemetry.ring;
  return prism_ring_create(self->ring_capacity, sizeof(entry_t), &self->ring);
}

prism_status_t prism_store_open(const prism_store_config_t *config, prism_store_t **out) {
  if (config->run_path != NULL && config->jsonl_path == NULL)
    PRISM_FAIL(PRISM_INVALID, "a run file needs a .jsonl beside it");
  prism_store_t *self = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->config = *config;
  self->jsonl.fd = -1;
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->taken, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&self->wake, &attributes);
  pthread_condattr_destroy(&attributes);
  prism_status_t status = prepare(self, config);
  if (status == PRISM_OK) status = start(self);
  if (status != PRISM_OK) {
    release(self);
    prism_error_frame(__FILE__, __LINE__, __func__);
    return status;
  }
  *out = self;
  return PRISM_OK;
}

static bool push(prism_store_t *store, prism_record_kind_t kind, const void *record) {
  if (store->ring == NULL) return true;
  entry_t entry = {.kind = kind};
  memcpy(&entry.as, record, prism_record_table(kind)->bytes);
  return prism_ring_push(store->ring, &entry);
}

bool prism_store_metric(prism_store_t *store, const prism_metric_t *record) {
  return push(store, PRISM_RECORD_METRIC, record);
}

bool prism_store_event(prism_store_t *store, const prism_event_t *record) {
  return push(store, PRISM_RECORD_EVENT, record);
}

bool prism_store_migration(prism_store_t *store, const prism_migration_t *record) {
  return push(store, PRISM_RECORD_MIGRATION, record);
}

bool prism_store_gpu(prism_store_t *store, const prism_gpu_t *record) {
  return push(store, PRISM_RECORD_GPU, record);
}

bool prism_store_profile(prism_store_t *store, const prism_profile_t *record) {
  return push(store, PRISM_RECORD_PROFILE, record);
}

bool prism_store_ladder(prism_store_t *store, const prism_ladder_row_t *record) {
  return push(store, PRISM_RECORD_LADDER, record);
}

prism_status_t prism_store_solution(prism_store_t *store, const prism_solution_row_t *row,
                                    const int32_t *color) {
  int32_t n = store->config.graph->n;
  int32_t bound = store->config.color_bound > 0 ? store->config.color_bound : n;
  if (row->colors < 1 || row->colors > bound)
    PRISM_FAIL(PRISM_INVALID, "a solution with %d colors, where at most %d were announced",
               row->colors, bound);
  for (int32_t v = 0; v < n; ++v)
    if (color[v] < 0 || color[v] >= row->colors)
      PRISM_FAIL(PRISM_INVALID, "vertex %d of a solution has color %d of %d", v, color[v],
                 row->colors);
  pthread_mutex_lock(&store->mutex);
  while (store->slot_count == SLOTS) pthread_cond_wait(&store->taken, &store->mutex);
  int32_t at = (store->slot_first + store->slot_count) % SLOTS;
  store->slot_row[at] = *row;
  memcpy(store->slot_color[at], color, (size_t)n * sizeof *color);
  ++store->slot_count;
  pthread_cond_signal(&store->wake);
  pthread_mutex_unlock(&store->mutex);
  return PRISM_OK;
}

void prism_store_losses(const prism_store_t *store, int64_t *lost, int64_t *failures) {
  uint64_t dropped = store->ring != NULL ? prism_ring_dropped(store->ring) : 0;
  *lost = atomic_load_explicit(&store->lost, memory_order_relaxed) + (int64_t)dropped;
  *failures = atomic_load_explicit(&store->failures, memory_order_relaxed);
}

int64_t prism_store_flushed(const prism_store_t *store, prism_record_kind_t kind) {
  return atomic_load(&store->flushed[kind]);
}

prism_status_t prism_store_close(prism_store_t **store, prism_summary_row_t *summary) {
  prism_store_t *self = *store;
  if (self == NULL) return PRISM_OK;
  *store = NULL;
  pthread_mutex_lock(&self->mutex);
  self->summary = summary;
  self->stop = true;
  pthread_cond_signal(&self->wake);
  pthread_mutex_unlock(&self->mutex);
  pthread_join(self->thread, NULL);
  prism_status_t status = PRISM_OK;
  if (self->sol_error[0] != '\0' && (!self->sol_stored || self->sol_sink.in_a_row != 0))
    status = prism_error_set(PRISM_STORAGE, self->sol_error);
  release(self);
  return status;
}
