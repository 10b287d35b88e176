/* Any bytes as a DIMACS graph: a clean error, or a graph that survives being written
 * and read again. */
#include <string.h>

#include "base/mem.h"
#include "fuzz_input.h"
#include "model/dimacs.h"

/* A header may ask for more vertices than a fuzzing run should allocate: beyond this
 * size allocations fail, which the reader must take as well. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1:max_allocation_size_mb=64";
}

static void check_round_trip(const prism_graph_t *graph) {
  char *text = NULL, path[64];
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  FUZZ_REQUIRE(file != NULL);
  FUZZ_REQUIRE(prism_dimacs_write(file, graph, "written again") == PRISM_OK);
  FUZZ_REQUIRE(fclose(file) == 0);
  int copy = fuzz_open(text, size, path);
  prism_graph_t *again = NULL;
  prism_dimacs_report_t report;
  FUZZ_REQUIRE(prism_dimacs_read(path, &report, &again) == PRISM_OK);
  FUZZ_REQUIRE(report.warnings == 0);
  char before[PRISM_SHA256_HEX], after[PRISM_SHA256_HEX];
  prism_graph_hash(graph, before);
  prism_graph_hash(again, after);
  FUZZ_REQUIRE(strcmp(before, after) == 0);
  prism_graph_destroy(&again);
  close(copy);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  int file = fuzz_open(data, size, path);
  prism_graph_t *graph = NULL;
  prism_dimacs_report_t report;
  prism_error_clear();
  prism_status_t status = prism_dimacs_read(path, &report, &graph);
  close(file);
  if (status == PRISM_OK) {
    FUZZ_REQUIRE(graph != NULL && graph->n >= 1);
    FUZZ_REQUIRE(report.warnings >= 0 && report.warnings <= PRISM_DIMACS_WARNINGS);
    FUZZ_REQUIRE(graph->m + report.stats.self_loops + report.stats.repeated_edges ==
                 report.edge_lines);
    check_round_trip(graph);
  } else {
    FUZZ_REQUIRE(graph == NULL);
    FUZZ_REQUIRE(status == PRISM_FORMAT || status == PRISM_MEMORY);
    FUZZ_REQUIRE(status != PRISM_FORMAT || strstr(prism_error_text(), path) != NULL);
  }
  prism_graph_destroy(&graph);
  FUZZ_REQUIRE(prism_mem_live_blocks() == 0);
  return 0;
}
