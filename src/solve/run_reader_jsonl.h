/* The .jsonl as a source of rows: read to its last whole line, again and again. */
#ifndef PRISM_SOLVE_RUN_READER_JSONL_H
#define PRISM_SOLVE_RUN_READER_JSONL_H

#include "solve/run_reader_head.h"

typedef struct prism_run_jsonl prism_run_jsonl_t;

/* [in,out] facts  filled in as soon as the first line is there; it stays where it is. */
prism_status_t prism_run_jsonl_open(const char *path, prism_run_facts_t *facts,
                                    prism_run_jsonl_t **out);
void prism_run_jsonl_close(prism_run_jsonl_t **file);

prism_status_t prism_run_jsonl_refresh(prism_run_jsonl_t *file);
int64_t prism_run_jsonl_rows(const prism_run_jsonl_t *file, prism_record_kind_t kind);
void prism_run_jsonl_read(const prism_run_jsonl_t *file, prism_record_kind_t kind, int64_t first,
                          int64_t count, void *rows);
int64_t prism_run_jsonl_skipped(const prism_run_jsonl_t *file);

#endif
