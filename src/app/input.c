#include "app/input.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/solution.h"
#include "model/verify.h"

enum { HEAD_LINES = 100 };

void prism_input_claimed_hash(const char *solution_path, char hex[PRISM_SHA256_HEX]) {
  hex[0] = '\0';
  if (strcmp(solution_path, "-") == 0) return;
  FILE *file = fopen(solution_path, "r");
  if (file == NULL) return;
  char line[256], found[PRISM_SHA256_HEX];
  for (int i = 0; i < HEAD_LINES && fgets(line, sizeof line, file) != NULL; ++i) {
    if (sscanf(line, "c graph-hash %64[0-9a-f]", found) == 1 &&
        strlen(found) == PRISM_SHA256_HEX - 1) {
      memcpy(hex, found, sizeof found);
      break;
    }
  }
  fclose(file);
}

static prism_status_t check_initial(const char *path, const prism_graph_t *graph,
                                    const char *hash, const prism_solution_t *solution) {
  if (solution->has_hash && strcmp(solution->hash, hash) != 0) {
    PRISM_FAIL(PRISM_INVALID, "%s: this is a coloring of another graph (its hash differs)", path);
  }
  prism_verdict_t verdict;
  PRISM_TRY(prism_verify(graph, solution->color, &verdict));
  if (!verdict.legal) {
    PRISM_FAIL(PRISM_INVALID, "%s: not a legal coloring: %s", path, verdict.reason);
  }
  return PRISM_OK;
}

static prism_status_t read_initial(const char *path, prism_input_t *input) {
  char claimed[PRISM_SHA256_HEX];
  prism_input_claimed_hash(path, claimed);
  if (claimed[0] != '\0' && strcmp(claimed, input->hash) != 0) {
    PRISM_FAIL(PRISM_INVALID, "%s: this is a coloring of another graph (its hash differs)", path);
  }
  prism_solution_t solution;
  PRISM_TRY(prism_solution_read(path, input->graph->n, &solution));
  prism_status_t status = check_initial(path, input->graph, input->hash, &solution);
  if (status == PRISM_OK) {
    input->initial = solution.color;
    input->initial_colors = solution.k;
    solution.color = NULL;
  }
  prism_solution_release(&solution);
  return status;
}

prism_status_t prism_input_read(const char *graph_path, const char *initial_path,
                                prism_input_t *out) {
  memset(out, 0, sizeof *out);
  if (strcmp(graph_path, "-") == 0 && strcmp(initial_path, "-") == 0) {
    PRISM_FAIL(PRISM_INVALID, "only one of GRAPH and --initial can be standard input");
  }
  PRISM_TRY(prism_dimacs_read(graph_path, &out->report, &out->graph));
  prism_graph_hash(out->graph, out->hash);
  if (initial_path[0] == '\0') return PRISM_OK;
  prism_status_t status = read_initial(initial_path, out);
  if (status != PRISM_OK) {
    prism_error_frame(__FILE__, __LINE__, __func__);
    prism_input_release(out);
  }
  return status;
}

void prism_input_release(prism_input_t *input) {
  prism_graph_destroy(&input->graph);
  prism_free(input->initial);
  memset(input, 0, sizeof *input);
}
