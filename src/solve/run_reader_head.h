/* What is settled when a run begins, as both sources of a reader collect it. */
#ifndef PRISM_SOLVE_RUN_READER_HEAD_H
#define PRISM_SOLVE_RUN_READER_HEAD_H

#include "solve/run_reader.h"

/* Pairs of name and value; both owned. */
typedef struct prism_run_pairs {
  prism_attribute_t *pair; /* [capacity], [count] in use */
  int32_t count, capacity;
} prism_run_pairs_t;

/* Zero-initialise; release in any case. */
typedef struct prism_run_facts {
  int32_t schema_version;
  bool has_seed;
  uint64_t seed;
  int64_t n, m;
  char *created, *graph_name, *graph_hash; /* owned, may be NULL */
  prism_run_pairs_t settings, builds;
  prism_rank_row_t *rank; /* [ranks]; owned */
  int32_t ranks;
} prism_run_facts_t;

void prism_run_facts_release(prism_run_facts_t *facts);

/* Append a pair; copies. */
prism_status_t prism_run_pairs_add(prism_run_pairs_t *pairs, const char *name,
                                   const char *value);

/* A rank row in which nothing is known. */
void prism_run_rank_blank(prism_rank_row_t *row);

#endif
