#include "solve/run_reader_head.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"

void prism_run_rank_blank(prism_rank_row_t *row) {
  memset(row, 0, sizeof *row);
  row->rank = row->threads = row->gpu = -1;
}

prism_status_t prism_run_pairs_add(prism_run_pairs_t *pairs, const char *name,
                                   const char *value) {
  if (pairs->count == pairs->capacity) {
    int32_t more = pairs->capacity == 0 ? 64 : 2 * pairs->capacity;
    PRISM_TRY(PRISM_GROW(&pairs->pair, pairs->capacity, more));
    pairs->capacity = more;
  }
  char *own_name = NULL, *own_value = NULL;
  prism_status_t status = prism_string_format(&own_name, "%s", name);
  if (status == PRISM_OK) status = prism_string_format(&own_value, "%s", value);
  if (status != PRISM_OK) {
    prism_free(own_name);
    return status;
  }
  pairs->pair[pairs->count++] = (prism_attribute_t){own_name, own_value};
  return PRISM_OK;
}

static void release_pairs(prism_run_pairs_t *pairs) {
  for (int32_t i = 0; i < pairs->count; ++i) {
    prism_free((void *)pairs->pair[i].name);
    prism_free((void *)pairs->pair[i].value);
  }
  prism_free(pairs->pair);
}

void prism_run_facts_release(prism_run_facts_t *facts) {
  release_pairs(&facts->settings);
  release_pairs(&facts->builds);
  prism_free(facts->created);
  prism_free(facts->graph_name);
  prism_free(facts->graph_hash);
  prism_free(facts->rank);
  memset(facts, 0, sizeof *facts);
}
