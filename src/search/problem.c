#include "search/problem.h"

#include "base/bitset.h"
#include "base/mem.h"

prism_status_t prism_problem_create(const prism_graph_t *graph, size_t dense_bytes,
                                    prism_problem_t **out) {
  prism_problem_t *problem = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &problem));
  problem->graph = graph;
  problem->n = graph->n;
  problem->max_degree = prism_graph_max_degree(graph);
  size_t bytes = (size_t)graph->n * (size_t)prism_bitset_words(graph->n) * sizeof(uint64_t);
  int64_t average_degree = 2 * graph->m / graph->n;
  if (bytes <= dense_bytes && prism_bitset_words(graph->n) <= average_degree) {
    prism_status_t status = prism_bitrows_create(graph, &problem->bits);
    if (status != PRISM_OK) {
      prism_problem_destroy(&problem);
      return status;
    }
  }
  *out = problem;
  return PRISM_OK;
}

void prism_problem_destroy(prism_problem_t **problem) {
  if (*problem == NULL) return;
  prism_bitrows_destroy(&(*problem)->bits);
  prism_free(*problem);
  *problem = NULL;
}
