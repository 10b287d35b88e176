/* Writes run files without a solver: made-up descents for the plot, or an endless
 * stream of records for tests that kill the writer.
 *
 *   store_writer descent STEM RANKS SECONDS SEED [unfinished]
 *   store_writer stream STEM SEED
 *
 * "stream" prints one line "FLUSHED metrics solutions" after each look at what is
 * on the disk; record i carries i in its iterations field. "unfinished" leaves
 * like a killed program, without closing the store. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/graph.h"
#include "solve/store.h"

enum { VERTICES = 300, MOST_RANKS = 16 };

typedef struct setting {
  prism_graph_t *graph;
  prism_params_t params;
  prism_rank_row_t ranks[MOST_RANKS];
  char *run, *jsonl, *sol;
  char hash[PRISM_SHA256_HEX];
  prism_store_config_t config;
} setting_t;

static void warn(void *user, const char *text) {
  (void)user;
  fprintf(stderr, "store_writer: %s\n", text);
}

static prism_status_t set_up(const char *stem, int32_t ranks, uint64_t seed, setting_t *out) {
  static const prism_attribute_t build[] = {{"version", "0.1.0"}, {"compiler", "synthetic"}};
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  int32_t *pairs = NULL;
  int64_t count = 8 * VERTICES;
  PRISM_TRY(PRISM_ALLOC(2 * count, &pairs));
  for (int64_t i = 0; i < 2 * count; ++i) pairs[i] = (int32_t)prism_rng_below(&rng, VERTICES);
  prism_status_t status = prism_graph_from_edges(VERTICES, pairs, count, NULL, &out->graph);
  prism_free(pairs);
  PRISM_TRY(status);
  prism_graph_hash(out->graph, out->hash);
  prism_params_default(&out->params);
  PRISM_TRY(prism_string_format(&out->run, "%s.h5", stem));
  PRISM_TRY(prism_string_format(&out->jsonl, "%s.jsonl", stem));
  PRISM_TRY(prism_string_format(&out->sol, "%s.sol", stem));
  for (int32_t r = 0; r < ranks; ++r) {
    out->ranks[r].rank = r;
    out->ranks[r].threads = 2;
    PRISM_RECORD_TEXT(out->ranks[r].host, "localhost");
    PRISM_RECORD_TEXT(out->ranks[r].device, "cpu (portable)");
  }
  out->config = (prism_store_config_t){
      .run_path = out->run, .jsonl_path = out->jsonl, .solution_path = out->sol,
      .params = &out->params, .build = build, .build_count = 2, .graph = out->graph,
      .graph_name = "synthetic", .graph_hash = out->hash, .ranks = out->ranks,
      .rank_count = ranks, .seed = seed, .warn = warn};
  return PRISM_OK;
}

static void tear_down(setting_t *setting) {
  prism_graph_destroy(&setting->graph);
  prism_free(setting->run);
  prism_free(setting->jsonl);
  prism_free(setting->sol);
}

/* ---- A made-up descent ------------------------------------------------------------- */

/* One rank's state: conflicts at k fall roughly exponentially, slower for small k. */
typedef struct runner {
  int32_t searched, best;
  double conflicts;
  int64_t iterations;
} runner_t;

static prism_metric_t metric_of(const runner_t *runner, int32_t rank, double t, const char *step) {
  prism_metric_t row;
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  prism_clock_iso8601(row.time, sizeof row.time);
  PRISM_RECORD_TEXT(row.phase, "memetic");
  PRISM_RECORD_TEXT(row.step, step);
  PRISM_RECORD_TEXT(row.mode, "cpu");
  PRISM_RECORD_TEXT(row.parameters, "tenure_base=10 tenure_slope=0.6");
  row.t = t;
  row.rank = rank;
  row.colors = runner->searched;
  row.best_colors = runner->best;
  row.conflicts = (int64_t)runner->conflicts;
  row.iterations = runner->iterations;
  row.duration_ms = 1000.0;
  row.compaction_ratio = 1.0;
  return row;
}

static prism_event_t event_of(const char *name, int32_t rank, double t, int32_t colors) {
  prism_event_t row;
  prism_record_blank(PRISM_RECORD_EVENT, &row);
  prism_clock_iso8601(row.time, sizeof row.time);
  PRISM_RECORD_TEXT(row.event, name);
  row.t = t;
  row.rank = rank;
  row.colors = colors;
  return row;
}

static prism_status_t give_solution(prism_store_t *store, int32_t rank, double t,
                                    const runner_t *runner) {
  int32_t color[VERTICES];
  for (int32_t v = 0; v < VERTICES; ++v) color[v] = v % runner->best;
  prism_solution_row_t row = {t, runner->iterations, rank, runner->best};
  return prism_store_solution(store, &row, color);
}

static prism_status_t descent(prism_store_t *store, int32_t ranks, int32_t seconds, uint64_t seed,
                              prism_summary_row_t *summary) {
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  runner_t runner[MOST_RANKS];
  int32_t best = 60;
  double found_at = 0.0;
  for (int32_t r = 0; r < ranks; ++r) {
    runner[r] = (runner_t){best - 1, best, 900.0, 0};
    prism_event_t event = event_of("start", r, 0.0, best);
    prism_metric_t row = metric_of(&runner[r], r, 0.0, "start");
    prism_store_event(store, &event);
    prism_store_metric(store, &row);
  }
  for (int32_t tick = 1; tick <= 4 * seconds; ++tick) {
    double t = 0.25 * tick;
    for (int32_t r = 0; r < ranks; ++r) {
      runner_t *at = &runner[r];
      double hardness = exp(-(at->searched - 46) / 3.0); /* the last colors take long */
      at->iterations += 100000 + (int64_t)prism_rng_below(&rng, 20000);
      at->conflicts *= 1.0 - (0.1 + 0.5 * prism_rng_uniform(&rng)) / (1.0 + hardness);
      if (at->conflicts < 3.0 * hardness && at->searched < 49)
        at->conflicts += prism_rng_below(&rng, 4); /* stuck on a plateau */
      bool change = false;
      if (at->conflicts < 1.0) {
        at->best = at->searched;
        change = true;
        if (at->best < best) {
          best = at->best;
          found_at = t;
          PRISM_TRY(give_solution(store, r, t, at));
        }
      } else if (best < at->best && prism_rng_below(&rng, 3) == 0) {
        at->best = best; /* the news arrives */
        change = at->searched >= best;
      }
      if (change) {
        at->searched = at->best - 1;
        at->conflicts = 40.0 + prism_rng_below(&rng, 30);
      }
      if (!change && tick % 4 != r % 4) continue;
      prism_metric_t row = metric_of(at, r, t + 0.01 * r, change ? "new_k" : "interval");
      prism_store_metric(store, &row);
      if (change || ranks == 1) continue;
      prism_migration_t move = {t, (r + ranks - 1) % ranks, r, at->searched,
                                (int64_t)at->conflicts, (int32_t)prism_rng_below(&rng, 200),
                                (int32_t)prism_rng_below(&rng, 2)};
      prism_store_migration(store, &move);
    }
    if (tick % 200 == 0) prism_clock_sleep(0.15); /* let the ring drain */
  }
  prism_record_blank(PRISM_RECORD_SUMMARY, summary);
  summary->colors = best;
  summary->lower_bound = 12;
  summary->optimal = 0;
  summary->time = seconds;
  summary->time_to_best = found_at;
  summary->iterations = (int64_t)400000 * ranks * seconds;
  summary->ranks = ranks;
  summary->threads = 2;
  PRISM_RECORD_TEXT(summary->exit_reason, "time");
  PRISM_RECORD_TEXT(summary->device, "cpu (portable)");
  return PRISM_OK;
}

/* ---- The endless stream ------------------------------------------------------------- */

static prism_status_t stream(prism_store_t *store, uint64_t seed) {
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  int64_t next = 0, solutions = 0;
  for (;;) {
    for (uint32_t burst = prism_rng_below(&rng, 40); burst > 0; --burst) {
      runner_t runner = {20, 21, (double)(next % 1000), next};
      prism_metric_t row = metric_of(&runner, (int32_t)(next % 4), 1e-3 * (double)next, "stream");
      if (prism_store_metric(store, &row)) ++next;
      if (next % 7 == 0) {
        prism_event_t event = event_of("tick", 0, 1e-3 * (double)next, 20);
        prism_store_event(store, &event);
      }
    }
    if (prism_rng_below(&rng, 4) == 0) {
      runner_t runner = {1 + (int32_t)(solutions % 250), 2 + (int32_t)(solutions % 250), 0.0,
                         solutions};
      PRISM_TRY(give_solution(store, 0, 1e-3 * (double)next, &runner));
      ++solutions;
    }
    printf("FLUSHED %" PRId64 " %" PRId64 "\n", prism_store_flushed(store, PRISM_RECORD_METRIC),
           prism_store_flushed(store, PRISM_RECORD_SOLUTION));
    if (fflush(stdout) != 0) return PRISM_OK; /* the reader is gone */
    prism_clock_sleep(0.002);
  }
}

static prism_status_t run(int argc, char **argv, setting_t *setting) {
  bool endless = strcmp(argv[1], "stream") == 0;
  int32_t ranks = endless ? 4 : (int32_t)strtol(argv[3], NULL, 10);
  int32_t seconds = endless ? 0 : (int32_t)strtol(argv[4], NULL, 10);
  uint64_t seed = strtoull(argv[endless ? 3 : 5], NULL, 10);
  if (ranks < 1 || ranks > MOST_RANKS) PRISM_FAIL(PRISM_INVALID, "1 to %d ranks", MOST_RANKS);
  PRISM_TRY(set_up(argv[2], ranks, seed, setting));
  prism_store_t *store = NULL;
  PRISM_TRY(prism_store_open(&setting->config, &store));
  if (endless) {
    prism_status_t status = stream(store, seed);
    prism_store_close(&store, NULL);
    return status;
  }
  prism_summary_row_t summary;
  PRISM_TRY(descent(store, ranks, seconds, seed, &summary));
  if (argc == 7) {
    prism_clock_sleep(0.6); /* until all is flushed, then leave without a word */
    _exit(0);
  }
  return prism_store_close(&store, &summary);
}

int main(int argc, char **argv) {
  bool good = (argc == 4 && strcmp(argv[1], "stream") == 0) ||
              ((argc == 6 || argc == 7) && strcmp(argv[1], "descent") == 0);
  if (!good) {
    fprintf(stderr, "usage: store_writer descent STEM RANKS SECONDS SEED [unfinished]\n"
                    "       store_writer stream STEM SEED\n");
    return 2;
  }
  setting_t setting = {0};
  prism_status_t status = run(argc, argv, &setting);
  tear_down(&setting);
  if (status != PRISM_OK) fprintf(stderr, "store_writer: %s\n", prism_error_text());
  return prism_status_exit_code(status);
}
