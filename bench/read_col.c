/* Reading speed: writes a random graph of 10 million edges as a .col into a temporary
 * file and reads it, three times, on one core.
 *
 * read_col [EDGES [VERTICES]] prints: edges MB best_s median_s MB/s */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/dimacs.h"

enum { ROUNDS = 3, BENCH_SEED = 1 };

/* Random end points, unsorted, as an arbitrary file may have them. */
static int write_instance(const char *path, int64_t edges, int32_t n) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) return -1;
  prism_rng_t rng = prism_rng_stream(BENCH_SEED, 0, 0, PRISM_RNG_GENERATE);
  fprintf(file, "c random end points, seed %d\np edge %ld %lld\n", BENCH_SEED, (long)n,
          (long long)edges);
  for (int64_t e = 0; e < edges; ++e) {
    uint32_t u = prism_rng_below(&rng, (uint32_t)n);
    uint32_t v = prism_rng_below(&rng, (uint32_t)n - 1);
    fprintf(file, "e %lu %lu\n", (unsigned long)u + 1, (unsigned long)(v + (v >= u)) + 1);
  }
  int failed = ferror(file);
  return fclose(file) != 0 || failed ? -1 : 0;
}

static int compare_seconds(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int measure(const char *path, int64_t edges) {
  double seconds[ROUNDS];
  for (int round = 0; round < ROUNDS; ++round) {
    prism_graph_t *graph = NULL;
    prism_dimacs_report_t report;
    if (prism_dimacs_read(path, &report, &graph) != PRISM_OK) {
      fprintf(stderr, "%s\n", prism_error_text());
      return 1;
    }
    seconds[round] = report.seconds;
    prism_graph_destroy(&graph);
  }
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) return 1;
  double megabytes = (double)ftell(file) / 1e6;
  fclose(file);
  qsort(seconds, ROUNDS, sizeof *seconds, compare_seconds);
  printf("edges MB best_s median_s MB/s\n%lld %.1f %.3f %.3f %.1f\n", (long long)edges, megabytes,
         seconds[0], seconds[ROUNDS / 2], megabytes / seconds[ROUNDS / 2]);
  return 0;
}

int main(int argc, char **argv) {
  int64_t edges = argc > 1 ? strtoll(argv[1], NULL, 10) : 10000000;
  int64_t n = argc > 2 ? strtoll(argv[2], NULL, 10) : 1000000;
  if (argc > 3 || edges < 1 || n < 2 || n > 2147483646) {
    fprintf(stderr, "usage: %s [EDGES [VERTICES]]\n", argv[0]);
    return 2;
  }
  const char *folder = getenv("TMPDIR");
  char path[512];
  snprintf(path, sizeof path, "%s/prism-read-XXXXXX", folder != NULL ? folder : "/tmp");
  int file = mkstemp(path);
  if (file < 0) {
    perror(path);
    return 3;
  }
  close(file);
  int code = write_instance(path, edges, (int32_t)n) == 0 ? measure(path, edges) : 3;
  if (code == 3) perror(path);
  unlink(path);
  return code;
}
