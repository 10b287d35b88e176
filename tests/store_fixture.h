/* A folder of its own, a small graph and a store configuration for the tests of
 * the store. */
#ifndef PRISM_TESTS_STORE_FIXTURE_H
#define PRISM_TESTS_STORE_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/graph.h"
#include "solve/store.h"

typedef struct fixture {
  char folder[64];
  char run[96], jsonl[96], sol[96];
  prism_graph_t *graph; /* a cycle */
  char hash[PRISM_SHA256_HEX];
  prism_params_t params;
  prism_rank_row_t ranks[2];
  prism_store_config_t config;
  atomic_int warnings;
  char warning[512]; /* the last one; read after close */
} fixture_t;

static inline void fixture_warn(void *user, const char *text) {
  fixture_t *self = user;
  snprintf(self->warning, sizeof self->warning, "%s", text);
  atomic_fetch_add(&self->warnings, 1);
}

static inline void fixture_paths(fixture_t *self) {
  snprintf(self->run, sizeof self->run, "%s/x.h5", self->folder);
  snprintf(self->jsonl, sizeof self->jsonl, "%s/x.jsonl", self->folder);
  snprintf(self->sol, sizeof self->sol, "%s/x.sol", self->folder);
}

/* A cycle of n vertices; everything in a fresh folder under /tmp. */
static inline void fixture_open(fixture_t *self, int32_t n) {
  static const prism_attribute_t build[] = {{"version", "0.1.0"}, {"flags", "-O2 \"quoted\""}};
  memset(self, 0, sizeof *self);
  snprintf(self->folder, sizeof self->folder, "/tmp/prism-store-XXXXXX");
  assert_non_null(mkdtemp(self->folder));
  fixture_paths(self);
  int32_t *pairs = NULL;
  assert_int_equal(PRISM_ALLOC(2 * (size_t)n, &pairs), PRISM_OK);
  for (int32_t v = 0; v < n; ++v) {
    pairs[2 * v] = v;
    pairs[2 * v + 1] = (v + 1) % n;
  }
  assert_int_equal(prism_graph_from_edges(n, pairs, n, NULL, &self->graph), PRISM_OK);
  prism_free(pairs);
  prism_graph_hash(self->graph, self->hash);
  prism_params_default(&self->params);
  for (int32_t r = 0; r < 2; ++r) {
    self->ranks[r] = (prism_rank_row_t){.rank = r, .threads = 3 + r};
    PRISM_RECORD_TEXT(self->ranks[r].host, r == 0 ? "alpha" : "beta");
    PRISM_RECORD_TEXT(self->ranks[r].device, "cpu (portable)");
  }
  self->config = (prism_store_config_t){
      .run_path = self->run, .jsonl_path = self->jsonl, .solution_path = self->sol,
      .params = &self->params, .build = build, .build_count = 2, .graph = self->graph,
      .graph_name = "cycle", .graph_hash = self->hash, .ranks = self->ranks, .rank_count = 2,
      .seed = 18446744073709551557u, .warn = fixture_warn, .user = self};
}

/* Remove the folder; nothing may be left in memory. */
static inline void fixture_close(fixture_t *self) {
  prism_graph_destroy(&self->graph);
  DIR *dir = opendir(self->folder);
  assert_non_null(dir);
  for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", self->folder, entry->d_name);
    if (entry->d_name[0] != '.') unlink(path);
  }
  closedir(dir);
  rmdir(self->folder);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* A metric that carries its number. */
static inline prism_metric_t fixture_metric(int64_t number) {
  prism_metric_t row;
  prism_record_blank(PRISM_RECORD_METRIC, &row);
  prism_clock_iso8601(row.time, sizeof row.time);
  PRISM_RECORD_TEXT(row.phase, "memetic");
  row.t = 0.125 * (double)number;
  row.rank = (int32_t)(number % 2);
  row.iterations = number;
  return row;
}

/* Wait until `count` rows of a table are flushed; a hang guard of 60 s. */
static inline void fixture_wait_flushed(prism_store_t *store, prism_record_kind_t kind,
                                        int64_t count) {
  double end = prism_clock_now() + 60.0;
  while (prism_store_flushed(store, kind) < count && prism_clock_now() < end)
    prism_clock_sleep(0.01);
  assert_true(prism_store_flushed(store, kind) >= count);
}

static inline void fixture_wait_failures(prism_store_t *store, int64_t count) {
  int64_t lost = 0, failures = 0;
  for (double end = prism_clock_now() + 60.0; failures < count && prism_clock_now() < end;) {
    prism_clock_sleep(0.01);
    prism_store_losses(store, &lost, &failures);
  }
  assert_true(failures >= count);
}

/* Whole file as text, zero-terminated, with prism_free. NULL when missing. */
static inline char *fixture_read(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  char *text = NULL;
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  size_t size = (size_t)ftell(file);
  rewind(file);
  assert_int_equal(PRISM_ALLOC(size + 1, &text), PRISM_OK);
  assert_int_equal(fread(text, 1, size, file), size);
  text[size] = '\0';
  fclose(file);
  if (length != NULL) *length = size;
  return text;
}

/* Lines that begin with `start`. */
static inline int64_t fixture_lines(const char *text, const char *start) {
  int64_t count = 0;
  for (const char *line = text; *line != '\0';) {
    if (strncmp(line, start, strlen(start)) == 0) ++count;
    const char *end = strchr(line, '\n');
    if (end == NULL) break;
    line = end + 1;
  }
  return count;
}

#endif
