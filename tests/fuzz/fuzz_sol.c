/* Any bytes as a solution: a clean error, or colors in range that survive being
 * written and read again. The first byte chooses the size of the graph. */
#include <string.h>

#include "base/mem.h"
#include "fuzz_input.h"
#include "model/coloring.h"
#include "model/solution.h"

static void check_round_trip(const prism_solution_t *solution) {
  prism_graph_t *graph = NULL;
  prism_text_t text = {0};
  prism_solution_t again;
  char path[64];
  FUZZ_REQUIRE(prism_graph_from_edges(solution->n, NULL, 0, NULL, &graph) == PRISM_OK);
  FUZZ_REQUIRE(prism_solution_format(graph, solution->color,
                                     solution->has_hash ? solution->hash : NULL, "written again",
                                     &text) == PRISM_OK);
  int copy = fuzz_open(text.data, text.length, path);
  FUZZ_REQUIRE(prism_solution_read(path, solution->n, &again) == PRISM_OK);
  close(copy);
  FUZZ_REQUIRE(again.k == prism_coloring_span(solution->color, solution->n));
  FUZZ_REQUIRE(memcmp(again.color, solution->color,
                      (size_t)solution->n * sizeof *solution->color) == 0);
  FUZZ_REQUIRE(!solution->has_hash || strcmp(again.hash, solution->hash) == 0);
  prism_solution_release(&again);
  prism_text_free(&text);
  prism_graph_destroy(&graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  int32_t n = 1 + data[0] % 16;
  char path[64];
  int file = fuzz_open(data + 1, size - 1, path);
  prism_solution_t solution;
  prism_error_clear();
  prism_status_t status = prism_solution_read(path, n, &solution);
  close(file);
  FUZZ_REQUIRE(!solution.has_hash || strlen(solution.hash) == PRISM_SHA256_HEX - 1);
  if (status == PRISM_OK) {
    FUZZ_REQUIRE(solution.n == n && solution.k >= 1 && solution.k <= n);
    for (int32_t v = 0; v < n; ++v)
      FUZZ_REQUIRE(solution.color[v] >= 0 && solution.color[v] < solution.k);
    check_round_trip(&solution);
  } else {
    FUZZ_REQUIRE(status == PRISM_FORMAT && solution.color == NULL);
    FUZZ_REQUIRE(strstr(prism_error_text(), path) != NULL);
  }
  prism_solution_release(&solution);
  FUZZ_REQUIRE(prism_mem_live_blocks() == 0);
  return 0;
}
