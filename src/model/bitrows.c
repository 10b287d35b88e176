#include "base/bitset.h"
#include "base/mem.h"
#include "model/graph.h"

prism_status_t prism_bitrows_create(const prism_graph_t *graph, prism_bitrows_t **out) {
  *out = NULL;
  enum { LINE_WORDS = 8 };
  int32_t words = (prism_bitset_words(graph->n) + LINE_WORDS - 1) / LINE_WORDS * LINE_WORDS;
  prism_bitrows_t *rows = NULL;
  PRISM_TRY(PRISM_ALLOC(1, &rows));
  rows->n = graph->n;
  rows->words = words;
  size_t row_bytes = (size_t)words * sizeof *rows->row;
  prism_status_t status =
      prism_alloc_zero_bytes((size_t)graph->n, row_bytes, (void **)&rows->row);
  if (status != PRISM_OK) prism_free(rows);
  PRISM_TRY(status);
  for (int32_t u = 0; u < graph->n; ++u) {
    uint64_t *row = rows->row + (size_t)u * (size_t)words;
    for (int64_t i = graph->offset[u]; i < graph->offset[u + 1]; ++i)
      prism_bitset_add(row, graph->neighbor[i]);
  }
  *out = rows;
  return PRISM_OK;
}

void prism_bitrows_destroy(prism_bitrows_t **rows) {
  if (rows == NULL || *rows == NULL) return;
  prism_free((*rows)->row);
  prism_free(*rows);
  *rows = NULL;
}
