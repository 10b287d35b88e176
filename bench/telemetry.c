/* What telemetry costs: records through a ring, and through the store into the files.
 *
 *   ring RECORDS [RATE [ROOM]]  one thread hands over metrics, as fast as it can or RATE a second,
 *                               another takes them; the ring has room for ROOM (8192); records/s
 *                               and drops
 *   store RECORDS RATE          the same into a run file and a .jsonl in the current folder:
 *                               losses, bytes, CPU time of all threads, seconds to close
 *   call RECORDS                nanoseconds that prism_store_metric takes its caller */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/ring.h"
#include "model/graph.h"
#include "solve/store.h"

enum { CAPACITY = 8192, VERTICES = 1000 }; /* the default of telemetry.ring */

static prism_metric_t metric_of(int64_t number) {
  prism_metric_t row;
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  prism_clock_iso8601(row.time, sizeof row.time);
  PRISM_RECORD_TEXT(row.phase, "memetic");
  PRISM_RECORD_TEXT(row.step, "interval");
  PRISM_RECORD_TEXT(row.mode, "gpu");
  PRISM_RECORD_TEXT(row.parameters, "method=pool islands=2");
  row.stream = 4;
  row.t = 1e-3 * (double)number;
  row.colors = 83;
  row.best_colors = 84;
  row.conflicts = 1 + number * 7919 % 40;
  row.iterations = number * 123457;
  row.duration_ms = 1000.0 + (double)(number % 13);
  row.compaction_ratio = 1.0;
  return row;
}

/* Wait until record `number` is due; 0: at once. */
static void keep_pace(double start, double rate, int64_t number) {
  if (rate <= 0.0) return;
  const double due = start + (double)number / rate;
  if (due - prism_clock_now() > 5e-3) prism_clock_sleep(due - prism_clock_now());
  while (prism_clock_now() < due) {
  }
}

/* CPU seconds of all threads so far. */
static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* ---- The ring -------------------------------------------------------------------------- */

typedef struct consumer {
  prism_ring_t *ring;
  atomic_bool stop;
  int64_t taken;
} consumer_t;

static void *consume(void *user) {
  consumer_t *self = user;
  prism_metric_t row;
  for (;;) {
    bool last = atomic_load(&self->stop);
    while (prism_ring_pop(self->ring, &row)) ++self->taken;
    if (last) return NULL;
    prism_clock_sleep(2e-4); /* a thread that never rests is the first to wait for a core */
  }
}

static prism_status_t bench_ring(int64_t records, double rate, int64_t room) {
  consumer_t consumer = {0};
  pthread_t thread;
  prism_metric_t row = metric_of(1);
  PRISM_TRY(prism_ring_create((size_t)room, sizeof row, &consumer.ring));
  if (pthread_create(&thread, NULL, consume, &consumer) != 0)
    PRISM_FAIL(PRISM_MEMORY, "no thread");
  double start = prism_clock_now();
  for (int64_t i = 0; i < records; ++i) {
    keep_pace(start, rate, i);
    row.iterations = i;
    prism_ring_push(consumer.ring, &row);
  }
  double seconds = prism_clock_now() - start;
  atomic_store(&consumer.stop, true);
  pthread_join(thread, NULL);
  uint64_t dropped = prism_ring_dropped(consumer.ring);
  printf("ring: %" PRId64 " records of %zu bytes, room for %" PRId64 ", %.3f s, %.0f/s "
         "handed over, %" PRIu64 " dropped (%.2f %%)\n", records, sizeof row, room, seconds,
         (double)records / seconds, dropped, 100.0 * (double)dropped / (double)records);
  prism_ring_destroy(&consumer.ring);
  if (consumer.taken + (int64_t)dropped != records)
    PRISM_FAIL(PRISM_INTERNAL, "records are missing that nobody counted");
  return PRISM_OK;
}

/* ---- The store -------------------------------------------------------------------------- */

static int64_t size_of(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

static prism_status_t open_store(const prism_params_t *params, const prism_graph_t *graph,
                                 prism_store_t **out) {
  prism_store_config_t config = {.run_path = "bench_telemetry.h5",
                                 .jsonl_path = "bench_telemetry.jsonl",
                                 .params = params,
                                 .graph = graph,
                                 .graph_name = "bench",
                                 .graph_hash = ""};
  return prism_store_open(&config, out);
}

static prism_status_t feed(prism_store_t **store, int64_t records, double rate) {
  int64_t lost = 0, failures = 0;
  prism_summary_row_t summary;
  prism_record_blank(PRISM_RECORD_SUMMARY, &summary);
  double inside = 0.0, start = prism_clock_now(), cpu = cpu_seconds();
  for (int64_t i = 0; i < records; ++i) {
    prism_metric_t row = metric_of(i);
    keep_pace(start, rate, i);
    double before = prism_clock_now();
    prism_store_metric(*store, &row);
    inside += prism_clock_now() - before;
  }
  double seconds = prism_clock_now() - start;
  cpu = cpu_seconds() - cpu;
  while (rate > 0.0 && prism_store_flushed(*store, PRISM_RECORD_METRIC) + lost < records) {
    prism_clock_sleep(0.05);
    prism_store_losses(*store, &lost, &failures);
  }
  int64_t bytes = size_of("bench_telemetry.h5");
  double closing = prism_clock_now();
  PRISM_TRY(prism_store_close(store, &summary));
  closing = prism_clock_now() - closing;
  printf("store: %" PRId64 " records in %.3f s, %.0f ns a call, %" PRId64 " lost, CPU %.2f %%; "
         "run file %" PRId64 " bytes, %" PRId64 " when closed, .jsonl %" PRId64
         "; closed in %.3f s\n",
         records, seconds, 1e9 * inside / (double)records, summary.records_lost,
         100.0 * cpu / seconds, bytes,
         size_of("bench_telemetry.h5"), size_of("bench_telemetry.jsonl"), closing);
  return PRISM_OK;
}

static prism_status_t bench_store(int64_t records, double rate) {
  int32_t pair[2] = {0, 1};
  prism_graph_t *graph = NULL;
  prism_store_t *store = NULL;
  prism_params_t params;
  prism_params_default(&params);
  PRISM_TRY(prism_graph_from_edges(VERTICES, pair, 1, NULL, &graph));
  prism_status_t status = open_store(&params, graph, &store);
  if (status == PRISM_OK) status = feed(&store, records, rate);
  if (store != NULL) prism_store_close(&store, NULL);
  prism_graph_destroy(&graph);
  unlink("bench_telemetry.h5");
  unlink("bench_telemetry.jsonl");
  return status;
}

int main(int argc, char **argv) {
  int64_t records = argc > 2 ? strtoll(argv[2], NULL, 10) : 0;
  double rate = argc > 3 ? strtod(argv[3], NULL) : 0.0;
  int64_t room = argc > 4 ? strtoll(argv[4], NULL, 10) : CAPACITY;
  bool ring = argc > 2 && strcmp(argv[1], "ring") == 0;
  bool store = argc > 3 && strcmp(argv[1], "store") == 0;
  bool call = argc == 3 && strcmp(argv[1], "call") == 0;
  if (records < 1 || room < 1 || (!ring && !store && !call)) {
    fprintf(stderr, "usage: bench_telemetry ring RECORDS [RATE [ROOM]] | store RECORDS RATE | "
                    "call RECORDS\n");
    return 2;
  }
  prism_status_t status = ring ? bench_ring(records, rate, room) : bench_store(records, rate);
  if (status != PRISM_OK) fprintf(stderr, "bench_telemetry: %s\n", prism_error_text());
  return prism_status_exit_code(status);
}
