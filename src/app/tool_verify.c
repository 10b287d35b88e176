/* prism verify: is a solution file a legal coloring of a graph? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/input.h"
#include "app/tool.h"
#include "model/solution.h"
#include "model/verify.h"

static const char help[] =
    "Usage: prism verify GRAPH SOLUTION\n"
    "\n"
    "Counts every edge of GRAPH again. Exit code 0: legal; 1: not legal, or the solution of\n"
    "another graph; 2: a file cannot be read.\n";

static int judge(const char *path, const prism_graph_t *graph, const prism_solution_t *solution) {
  prism_verdict_t verdict;
  prism_status_t status = prism_verify(graph, solution->color, &verdict);
  if (status != PRISM_OK) return prism_tool_fail(status);
  if (!verdict.legal) {
    printf("%s: NOT legal: %s\n", path, verdict.reason);
    if (verdict.first_u >= 0) {
      printf("%" PRId64 " edges join vertices of one color, first %d and %d\n",
             verdict.conflicts, verdict.first_u + 1, verdict.first_v + 1);
    }
    return 1;
  }
  if (verdict.colors != solution->k) {
    printf("%s: NOT as stated: it says %d colors and uses %d\n", path, solution->k,
           verdict.colors);
    return 1;
  }
  printf("%s: legal, %d colors on %d vertices and %" PRId64 " edges\n", path, verdict.colors,
         graph->n, graph->m);
  if (!solution->has_hash) {
    printf("note: the file names no graph (no graph-hash line)\n");
  }
  return 0;
}

static int other_graph(const char *path) {
  printf("%s: a solution of another graph (its hash differs)\n", path);
  return 1;
}

static int verify(const char *graph_path, const char *path) {
  prism_input_t input;
  prism_status_t status = prism_input_read(graph_path, "", &input);
  if (status != PRISM_OK) return prism_tool_fail(status);
  char claimed[PRISM_SHA256_HEX];
  prism_input_claimed_hash(path, claimed);
  int exit_code;
  prism_solution_t solution;
  if (claimed[0] != '\0' && strcmp(claimed, input.hash) != 0) {
    exit_code = other_graph(path);
  } else if ((status = prism_solution_read(path, input.graph->n, &solution)) != PRISM_OK) {
    exit_code = prism_tool_fail(status);
  } else {
    bool other = solution.has_hash && strcmp(solution.hash, input.hash) != 0;
    exit_code = other ? other_graph(path) : judge(path, input.graph, &solution);
    prism_solution_release(&solution);
  }
  prism_input_release(&input);
  return exit_code;
}

int prism_tool_verify(int argc, char *const *argv) {
  for (int i = 1; i < argc; ++i) {
    if (prism_tool_is_help(argv[i])) return prism_tool_help(help);
    if (argv[i][0] == '-' && argv[i][1] != '\0') {
      return prism_tool_unknown_option("verify", argv[i]);
    }
  }
  if (argc != 3) return prism_tool_usage("verify needs a graph and a solution");
  if (strcmp(argv[1], "-") == 0 && strcmp(argv[2], "-") == 0) {
    return prism_tool_usage("verify: only one of the files can be standard input");
  }
  int exit_code = verify(argv[1], argv[2]);
  if (fflush(stdout) != 0) {
    return prism_tool_fail(prism_error_set(PRISM_STORAGE, "standard output cannot be written"));
  }
  return exit_code;
}
