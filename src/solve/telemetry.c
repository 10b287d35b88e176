#include "solve/telemetry.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "solve/messages.h"

enum { BATCH_RECORDS = 64, KIND_BYTES = sizeof(int32_t) };
static const double BATCH_SECONDS = 0.2;

/* A batch is a row of {kind as int32, struct}, as long as the message. */
struct prism_telemetry {
  prism_comm_t *comm;
  prism_store_t *store;
  bool enabled;
  double start_time;
  double last_metric; /* t of the previous metric */
  double batch_since; /* clock of the oldest waiting record */
  int32_t batch_records;
  size_t batch_bytes;
  char batch[BATCH_RECORDS * (KIND_BYTES + sizeof(prism_metric_t))];
};

_Static_assert(sizeof(prism_metric_t) >= sizeof(prism_event_t) &&
                   sizeof(prism_metric_t) >= sizeof(prism_migration_t) &&
                   sizeof(prism_metric_t) >= sizeof(prism_gpu_t) &&
                   sizeof(prism_metric_t) >= sizeof(prism_profile_t) &&
                   sizeof(prism_metric_t) >= sizeof(prism_ladder_row_t),
               "a batch has room for its records by the largest kind");

prism_status_t prism_telemetry_create(prism_comm_t *comm, prism_store_t *store, bool enabled,
                                      double start_time, prism_telemetry_t **out) {
  prism_telemetry_t *self = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->comm = comm;
  self->store = store;
  self->enabled = enabled && (comm->rank != 0 || store != NULL);
  self->start_time = start_time;
  *out = self;
  return PRISM_OK;
}

void prism_telemetry_destroy(prism_telemetry_t **telemetry) {
  prism_free(*telemetry);
  *telemetry = NULL;
}

/* The store counts what it has to drop. */
static void give(prism_store_t *store, int32_t kind, const void *record) {
  if (kind == PRISM_RECORD_METRIC)
    prism_store_metric(store, record);
  else if (kind == PRISM_RECORD_EVENT)
    prism_store_event(store, record);
  else if (kind == PRISM_RECORD_GPU)
    prism_store_gpu(store, record);
  else if (kind == PRISM_RECORD_PROFILE)
    prism_store_profile(store, record);
  else if (kind == PRISM_RECORD_LADDER)
    prism_store_ladder(store, record);
  else
    prism_store_migration(store, record);
}

static prism_status_t send_batch(prism_telemetry_t *self) {
  size_t bytes = self->batch_bytes;
  self->batch_bytes = 0;
  self->batch_records = 0;
  return self->comm->ops->post(self->comm->self, 0, PRISM_TAG_TELEMETRY, self->batch, bytes);
}

static prism_status_t hand_over(prism_telemetry_t *self, int32_t kind, const void *record) {
  if (self->comm->rank == 0) {
    give(self->store, kind, record);
    return PRISM_OK;
  }
  size_t bytes = prism_record_table((prism_record_kind_t)kind)->bytes;
  if (self->batch_records == 0) self->batch_since = prism_clock_now();
  memcpy(self->batch + self->batch_bytes, &kind, KIND_BYTES);
  memcpy(self->batch + self->batch_bytes + KIND_BYTES, record, bytes);
  self->batch_bytes += KIND_BYTES + bytes;
  if (++self->batch_records == BATCH_RECORDS) PRISM_TRY(send_batch(self));
  return PRISM_OK;
}

prism_status_t prism_telemetry_metric(prism_telemetry_t *telemetry, prism_metric_t *row) {
  if (!telemetry->enabled) return PRISM_OK;
  prism_clock_iso8601(row->time, sizeof row->time);
  row->t = prism_clock_now() - telemetry->start_time;
  row->rank = telemetry->comm->rank;
  row->duration_ms = 1e3 * (row->t - telemetry->last_metric);
  telemetry->last_metric = row->t;
  return hand_over(telemetry, PRISM_RECORD_METRIC, row);
}

prism_status_t prism_telemetry_event(prism_telemetry_t *telemetry, const char *event,
                                     int32_t colors, const char *notes) {
  if (!telemetry->enabled) return PRISM_OK;
  prism_event_t row;
  prism_record_blank(PRISM_RECORD_EVENT, &row);
  prism_clock_iso8601(row.time, sizeof row.time);
  row.t = prism_clock_now() - telemetry->start_time;
  row.rank = telemetry->comm->rank;
  row.colors = colors;
  PRISM_RECORD_TEXT(row.event, event);
  PRISM_RECORD_TEXT(row.notes, notes != NULL ? notes : "");
  return hand_over(telemetry, PRISM_RECORD_EVENT, &row);
}

prism_status_t prism_telemetry_migration(prism_telemetry_t *telemetry, prism_migration_t *row) {
  if (!telemetry->enabled) return PRISM_OK;
  row->t = prism_clock_now() - telemetry->start_time;
  return hand_over(telemetry, PRISM_RECORD_MIGRATION, row);
}

prism_status_t prism_telemetry_gpu(prism_telemetry_t *telemetry, prism_gpu_t *row) {
  if (!telemetry->enabled) return PRISM_OK;
  row->t = prism_clock_now() - telemetry->start_time;
  row->rank = telemetry->comm->rank;
  return hand_over(telemetry, PRISM_RECORD_GPU, row);
}

prism_status_t prism_telemetry_profile(prism_telemetry_t *telemetry, prism_profile_t *row) {
  if (!telemetry->enabled) return PRISM_OK;
  row->t = prism_clock_now() - telemetry->start_time;
  row->rank = telemetry->comm->rank;
  return hand_over(telemetry, PRISM_RECORD_PROFILE, row);
}

prism_status_t prism_telemetry_ladder(prism_telemetry_t *telemetry, prism_ladder_row_t *row,
                                      int32_t levels) {
  if (!telemetry->enabled) return PRISM_OK;
  const double t = prism_clock_now() - telemetry->start_time;
  for (int32_t i = 0; i < levels; ++i) {
    row[i].t = t;
    row[i].rank = telemetry->comm->rank;
    PRISM_TRY(hand_over(telemetry, PRISM_RECORD_LADDER, &row[i]));
  }
  return PRISM_OK;
}

prism_status_t prism_telemetry_flush(prism_telemetry_t *telemetry, bool all) {
  if (telemetry->batch_records == 0) return PRISM_OK;
  if (!all && prism_clock_now() < telemetry->batch_since + BATCH_SECONDS) return PRISM_OK;
  return send_batch(telemetry);
}

prism_status_t prism_telemetry_receive(prism_telemetry_t *telemetry,
                                       const prism_message_t *message, const void *data) {
  union { /* aligned as the records need it */
    prism_metric_t metric;
    prism_event_t event;
    prism_migration_t migration;
    prism_gpu_t gpu;
    prism_profile_t profile;
    prism_ladder_row_t ladder;
  } record;
  const char *at = data;
  for (size_t left = message->bytes; left > 0;) {
    int32_t kind = -1;
    if (left >= KIND_BYTES) memcpy(&kind, at, KIND_BYTES);
    if (kind < PRISM_RECORD_METRIC || kind > PRISM_RECORD_LADDER)
      PRISM_FAIL(PRISM_INTERNAL, "rank %d sent a telemetry record of unknown kind %d",
                 message->from, kind);
    size_t bytes = prism_record_table((prism_record_kind_t)kind)->bytes;
    if (left < KIND_BYTES + bytes)
      PRISM_FAIL(PRISM_INTERNAL, "rank %d sent a telemetry record that is cut short",
                 message->from);
    memcpy(&record, at + KIND_BYTES, bytes);
    if (telemetry->enabled) give(telemetry->store, kind, &record);
    at += KIND_BYTES + bytes;
    left -= KIND_BYTES + bytes;
  }
  return PRISM_OK;
}
