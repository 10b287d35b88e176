#include "app/monitor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "seam/phase.h"

void prism_monitor_release(prism_monitor_t *monitor) {
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) {
    prism_free(monitor->rows[kind]);
    monitor->rows[kind] = NULL;
    monitor->have[kind] = monitor->counted[kind] = 0;
  }
  prism_run_stats_release(&monitor->stats);
  prism_run_close(&monitor->reader);
}

const prism_metric_t *prism_monitor_metrics(const prism_monitor_t *monitor) {
  return monitor->rows[PRISM_RECORD_METRIC];
}

const prism_solution_row_t *prism_monitor_solutions(const prism_monitor_t *monitor) {
  return monitor->rows[PRISM_RECORD_SOLUTION];
}

const prism_summary_row_t *prism_monitor_result(const prism_monitor_t *monitor) {
  return monitor->have[PRISM_RECORD_SUMMARY] > 0 ? monitor->rows[PRISM_RECORD_SUMMARY] : NULL;
}

/* ---- Choosing ----------------------------------------------------------------- */

static bool wants_phase(const prism_monitor_t *monitor, const char *phase) {
  return monitor->phase == NULL || strcasecmp(monitor->phase, phase) == 0 ||
         strcasecmp(monitor->phase, prism_monitor_tag(phase)) == 0;
}

static bool wants(const prism_monitor_t *monitor, int32_t rank, double t) {
  return (monitor->rank < 0 || monitor->rank == rank) && !(t < monitor->since);
}

bool prism_monitor_wants(const prism_monitor_t *monitor, prism_record_kind_t kind,
                         const void *record) {
  const prism_metric_t *metric = record;
  const prism_gpu_t *gpu = record;
  const prism_migration_t *move = record;
  const prism_solution_row_t *solution = record;
  switch (kind) {
    case PRISM_RECORD_METRIC:
      return wants(monitor, metric->rank, metric->t) && wants_phase(monitor, metric->phase);
    case PRISM_RECORD_GPU:
      return wants(monitor, gpu->rank, gpu->t);
    case PRISM_RECORD_MIGRATION:
      return wants(monitor, move->to_rank, move->t);
    case PRISM_RECORD_SOLUTION:
      return wants(monitor, solution->rank, solution->t);
    case PRISM_RECORD_EVENT:
    case PRISM_RECORD_PROFILE:
    case PRISM_RECORD_LADDER:
    case PRISM_RECORD_SUMMARY:
    case PRISM_RECORD_COUNT:
      break;
  }
  return false;
}

/* A time before the newest row becomes one since the start, once, when there is a row. */
static void settle_since(prism_monitor_t *monitor) {
  const prism_metric_t *row = prism_monitor_metrics(monitor);
  int64_t count = monitor->have[PRISM_RECORD_METRIC];
  if (!(monitor->since < 0.0) || count == 0) return;
  double newest = 0.0;
  for (int64_t i = 0; i < count; ++i) newest = fmax(newest, row[i].t);
  monitor->since = fmax(0.0, newest + monitor->since);
}

prism_status_t prism_monitor_take(prism_monitor_t *monitor) {
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    PRISM_TRY(prism_run_read_new(monitor->reader, (prism_record_kind_t)kind,
                                 &monitor->rows[kind], &monitor->have[kind]));
  settle_since(monitor);
  for (int at = 0; at < PRISM_RECORD_COUNT; ++at) {
    const prism_record_kind_t kind = (prism_record_kind_t)at;
    const size_t bytes = prism_record_table(kind)->bytes;
    for (int64_t *i = &monitor->counted[kind]; *i < monitor->have[kind]; ++*i) {
      const char *row = (const char *)monitor->rows[kind] + (size_t)*i * bytes;
      if (!prism_monitor_wants(monitor, kind, row)) continue;
      PRISM_TRY(prism_run_stats_add(&monitor->stats, kind, row));
    }
  }
  return PRISM_OK;
}

/* ---- Lines ----------------------------------------------------------------- */

const char *prism_monitor_tag(const char *phase) {
  static const struct {
    const char *name, *tag;
  } tags[] = {
#define TAG(name, id, text, tag, stream) {text, tag},
      PRISM_PHASE_LIST(TAG)
#undef TAG
  };
  for (size_t i = 0; i < sizeof tags / sizeof tags[0]; ++i)
    if (strcmp(tags[i].name, phase) == 0) return tags[i].tag;
  return phase;
}

const char *prism_monitor_life(prism_run_life_t life) {
  static const char *const text[] = {"ended", "live", "killed", "unknown"};
  return text[life];
}

const prism_rank_row_t *prism_monitor_rank(const prism_run_head_t *head, int32_t rank) {
  if (rank >= 0 && rank < head->ranks && head->rank[rank].rank == rank) return &head->rank[rank];
  for (int32_t i = 0; i < head->ranks; ++i)
    if (head->rank[i].rank == rank) return &head->rank[i];
  return NULL;
}

const char *prism_monitor_clean(const char *text, char *out, size_t size) {
  size_t used = 0;
  for (const char *c = text; *c != '\0' && used < size - 1; ++c) {
    unsigned char now = (unsigned char)*c;
    bool control = now < 0x20 || now == 0x7F || (now == 0xC2 && (unsigned char)c[1] < 0xA0);
    out[used++] = control ? '?' : *c; /* U+0080 to U+009F are control characters, too */
  }
  out[used] = '\0';
  return out;
}

prism_status_t prism_monitor_text(const char *text, prism_text_t *out) {
  char piece[256];
  return prism_text_add(out, "%s", prism_monitor_clean(text, piece, sizeof piece));
}

static prism_status_t add_number(const char *name, int64_t value, prism_text_t *out) {
  if (value < 0) return prism_text_add(out, "%s=-", name);
  return prism_text_add(out, "%s=%lld", name, (long long)value);
}

prism_status_t prism_monitor_line(const prism_monitor_t *monitor, const prism_metric_t *row,
                                  prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "["));
  PRISM_TRY(prism_monitor_text(prism_monitor_tag(row->phase), out));
  PRISM_TRY(prism_text_add(out, "]["));
  PRISM_TRY(prism_monitor_text(row->mode, out));
  PRISM_TRY(prism_text_add(out, "]"));
  if (row->stream >= 0) PRISM_TRY(prism_text_add(out, "[stream=%d]", row->stream));
  if (monitor->rank < 0 && prism_run_head(monitor->reader)->ranks > 1)
    PRISM_TRY(prism_text_add(out, "[rank=%d]", row->rank));
  PRISM_TRY(prism_text_add(out, " "));
  PRISM_TRY(prism_monitor_text(row->step, out));
  PRISM_TRY(add_number(" | colors", row->colors, out));
  PRISM_TRY(add_number(" conflicts", row->conflicts, out));
  if (isnan(row->duration_ms)) return prism_text_add(out, " | - ms\n");
  return prism_text_add(out, " | %.2f ms\n", row->duration_ms);
}
