/* prism info: what can be said about a graph within seconds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/input.h"
#include "app/print.h"
#include "app/tool.h"
#include "base/mem.h"
#include "model/reduce.h"
#include "model/verify.h"
#include "search/bounds.h"
#include "solve/jsonl.h"

static const char help[] =
    "Usage: prism info [--json] GRAPH\n"
    "\n"
    "Prints size, degrees, components, degeneracy, a clique (lower bound), greedy colorings\n"
    "(upper bounds), the size of the reduced graph and the graph hash.\n";

static const uint64_t info_seed = 1;
static const double clique_seconds = 1.0;
static const int64_t domination_pairs = 20000000;
/* RLF costs about n m / k steps; beyond this it would keep the user waiting. */
static const double rlf_steps_max = 2e10;

typedef struct facts {
  int32_t min_degree, max_degree;
  int32_t components, degeneracy, clique;
  int32_t upper[PRISM_GREEDY_COUNT]; /* 0: not tried */
  prism_kernel_counts_t kernel;
  int64_t kernel_edges;
} facts_t;

static int32_t min_degree(const prism_graph_t *graph) {
  int32_t least = prism_graph_degree(graph, 0);
  for (int32_t v = 1; v < graph->n; ++v) {
    if (prism_graph_degree(graph, v) < least) least = prism_graph_degree(graph, v);
  }
  return least;
}

static prism_status_t find_bounds(const prism_graph_t *graph, int32_t *scratch, facts_t *facts) {
  PRISM_TRY(prism_clique_find(graph, info_seed, clique_seconds, 0, scratch, &facts->clique));
  if (!prism_verify_clique(graph, scratch, facts->clique)) {
    PRISM_FAIL(PRISM_INTERNAL, "the clique of %d vertices does not verify", facts->clique);
  }
  for (int i = 0; i < PRISM_GREEDY_COUNT; ++i) {
    if (i == PRISM_GREEDY_RLF) {
      double steps = (double)graph->n * (double)graph->m / facts->upper[PRISM_GREEDY_DSATUR];
      if (steps > rlf_steps_max) continue;
    }
    PRISM_TRY(prism_greedy_color(graph, (prism_greedy_t)i, info_seed, NULL, scratch,
                                 &facts->upper[i]));
    prism_verdict_t verdict;
    PRISM_TRY(prism_verify(graph, scratch, &verdict));
    if (!verdict.legal) {
      PRISM_FAIL(PRISM_INTERNAL, "%s: %s", prism_greedy_name((prism_greedy_t)i), verdict.reason);
    }
  }
  return PRISM_OK;
}

static prism_status_t collect(const prism_graph_t *graph, facts_t *facts) {
  int32_t *scratch = NULL;
  prism_kernel_t *kernel = NULL;
  prism_status_t status;
  memset(facts, 0, sizeof *facts);
  facts->min_degree = min_degree(graph);
  facts->max_degree = prism_graph_max_degree(graph);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(graph->n, &scratch), done);
  PRISM_TRY_GOTO(status, prism_graph_components(graph, scratch, &facts->components), done);
  PRISM_TRY_GOTO(status, prism_graph_smallest_last(graph, scratch, NULL, &facts->degeneracy),
                 done);
  PRISM_TRY_GOTO(status, find_bounds(graph, scratch, facts), done);
  PRISM_TRY_GOTO(status, prism_kernel_create(graph, facts->clique, domination_pairs, &kernel),
                 done);
  facts->kernel = prism_kernel_counts(kernel);
  const prism_graph_t *rest = prism_kernel_graph(kernel);
  facts->kernel_edges = rest == NULL ? 0 : rest->m;
done:
  prism_kernel_destroy(&kernel);
  prism_free(scratch);
  return status;
}

static prism_status_t format_text(const char *path, const prism_input_t *input,
                                  const facts_t *facts, prism_text_t *out) {
  const prism_graph_t *graph = input->graph;
  PRISM_TRY(prism_text_add(out, "graph        %s\n", path));
  PRISM_TRY(prism_text_add(out, "vertices     %d\nedges        %" PRId64 "  (density %.4g)\n",
                           graph->n, graph->m, prism_graph_density(graph)));
  PRISM_TRY(prism_text_add(out, "degrees      %d to %d, mean %.2f\n", facts->min_degree,
                           facts->max_degree, 2.0 * (double)graph->m / graph->n));
  PRISM_TRY(prism_text_add(out, "components   %d\ndegeneracy   %d\n", facts->components,
                           facts->degeneracy));
  PRISM_TRY(prism_text_add(out, "lower bound  %d  (clique)\n", facts->clique));
  for (int i = 0; i < PRISM_GREEDY_COUNT; ++i) {
    const char *title = i == 0 ? "upper bounds" : "";
    const char *name = prism_greedy_name((prism_greedy_t)i);
    if (facts->upper[i] > 0) {
      PRISM_TRY(prism_text_add(out, "%-12s %d  (%s)\n", title, facts->upper[i], name));
    } else {
      PRISM_TRY(prism_text_add(out, "%-12s -  (%s: not tried, too large)\n", title, name));
    }
  }
  if (input->report.known_colors > 0) {
    PRISM_TRY(prism_text_add(out, "known        %d  (chromatic number, as the file says)\n",
                             input->report.known_colors));
  }
  PRISM_TRY(prism_text_add(out,
                           "kernel       %d vertices, %" PRId64
                           " edges  (peeled %d, dominated %d, universal %d)\n",
                           facts->kernel.remaining, facts->kernel_edges, facts->kernel.peeled,
                           facts->kernel.dominated, facts->kernel.universal));
  return prism_text_add(out, "hash         %s\n", input->hash);
}

static prism_status_t format_json(const char *path, const prism_input_t *input,
                                  const facts_t *facts, prism_text_t *out) {
  const prism_graph_t *graph = input->graph;
  PRISM_TRY(prism_text_add(out, "{\"graph\": "));
  PRISM_TRY(prism_jsonl_string(path, strlen(path), out));
  PRISM_TRY(prism_text_add(out, ", \"n\": %d, \"m\": %" PRId64 ", \"density\": ", graph->n,
                           graph->m));
  PRISM_TRY(prism_jsonl_number(prism_graph_density(graph), out));
  PRISM_TRY(prism_text_add(out, ", \"min_degree\": %d, \"max_degree\": %d, \"mean_degree\": ",
                           facts->min_degree, facts->max_degree));
  PRISM_TRY(prism_jsonl_number(2.0 * (double)graph->m / graph->n, out));
  PRISM_TRY(prism_text_add(out, ", \"components\": %d, \"degeneracy\": %d, \"lower_bound\": %d",
                           facts->components, facts->degeneracy, facts->clique));
  PRISM_TRY(prism_text_add(out, ", \"upper_bounds\": {"));
  for (int i = 0; i < PRISM_GREEDY_COUNT; ++i) {
    PRISM_TRY(prism_text_add(out, "%s\"%s\": ", i == 0 ? "" : ", ",
                             prism_greedy_name((prism_greedy_t)i)));
    if (facts->upper[i] > 0) {
      PRISM_TRY(prism_text_add(out, "%d", facts->upper[i]));
    } else {
      PRISM_TRY(prism_text_add(out, "null"));
    }
  }
  PRISM_TRY(prism_text_add(out, "}, \"kernel\": {\"n\": %d, \"m\": %" PRId64
                                ", \"peeled\": %d, \"dominated\": %d, \"universal\": %d}",
                           facts->kernel.remaining, facts->kernel_edges, facts->kernel.peeled,
                           facts->kernel.dominated, facts->kernel.universal));
  if (input->report.known_colors > 0) {
    PRISM_TRY(prism_text_add(out, ", \"known\": %d", input->report.known_colors));
  } else {
    PRISM_TRY(prism_text_add(out, ", \"known\": null"));
  }
  return prism_text_add(out, ", \"hash\": \"%s\"}\n", input->hash);
}

static prism_status_t inform(const char *path, bool json) {
  prism_input_t input;
  facts_t facts;
  prism_text_t text = {0};
  PRISM_TRY(prism_input_read(path, "", &input));
  for (int32_t i = 0; i < input.report.warnings; ++i) {
    fprintf(stderr, "prism: warning: %s\n", input.report.warning[i]);
  }
  prism_status_t status = collect(input.graph, &facts);
  if (status == PRISM_OK) {
    status = json ? format_json(path, &input, &facts, &text)
                  : format_text(path, &input, &facts, &text);
  }
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  prism_input_release(&input);
  return status;
}

int prism_tool_info(int argc, char *const *argv) {
  const char *path = NULL;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (prism_tool_is_help(argv[i])) return prism_tool_help(help);
    if (strcmp(argv[i], "--json") == 0) {
      json = true;
    } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
      return prism_tool_unknown_option("info", argv[i]);
    } else if (path != NULL) {
      return prism_tool_usage("info takes one graph");
    } else {
      path = argv[i];
    }
  }
  if (path == NULL) return prism_tool_usage("info needs a graph");
  prism_status_t status = inform(path, json);
  return status == PRISM_OK ? 0 : prism_tool_fail(status);
}
