/* Colour a cycle of five vertices with the installed library: 3 colours, proved. */
#include <prism/prism.h>
#include <stdio.h>

int main(void) {
  const int32_t pairs[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 0};
  prism_graph_t *graph = NULL;
  prism_comm_t comm = {0};
  prism_params_t params;
  prism_params_default(&params);
  prism_result_t result = {0};
  prism_verdict_t verdict = {0};

  prism_status_t status = prism_graph_from_edges(5, pairs, 5, NULL, &graph);
  if (status == PRISM_OK) status = prism_comm_self_create(&comm);
  if (status == PRISM_OK) {
    prism_engine_part_t part = {prism_cpu_backend(&params.cpu), 1};
    prism_solve_config_t config = {.graph = graph, .params = &params, .seed = 1,
                                   .comm = &comm, .part = &part, .parts = 1,
                                   .start_time = prism_clock_now()};
    status = prism_solve(&config, &result);
  }
  if (status == PRISM_OK) status = prism_verify(graph, result.color, &verdict);
  if (status != PRISM_OK) fprintf(stderr, "%s\n", prism_error_text());
  printf("%d colors, %s, %s\n", result.colors, result.optimal ? "optimal" : "not proved",
         verdict.legal ? "legal" : "not legal");
  int good = status == PRISM_OK && result.colors == 3 && result.optimal && verdict.legal;
  prism_result_release(&result);
  prism_comm_destroy(&comm);
  prism_graph_destroy(&graph);
  return good ? 0 : 1;
}
