/* The run file as a source of rows. */
#ifndef PRISM_SOLVE_RUN_READER_H5_H
#define PRISM_SOLVE_RUN_READER_H5_H

#include "solve/run_reader_head.h"

typedef struct prism_run_h5 prism_run_h5_t;

/* [in,out] facts  filled in; released by the caller in any case. */
prism_status_t prism_run_h5_open(const char *path, prism_run_facts_t *facts,
                                 prism_run_h5_t **out);
void prism_run_h5_close(prism_run_h5_t **file);

/* Was it never closed by its writer? */
bool prism_run_h5_unclosed(const prism_run_h5_t *file);

prism_status_t prism_run_h5_refresh(prism_run_h5_t *file);
int64_t prism_run_h5_rows(const prism_run_h5_t *file, prism_record_kind_t kind);
prism_status_t prism_run_h5_read(prism_run_h5_t *file, prism_record_kind_t kind, int64_t first,
                                 int64_t count, void *rows);
prism_status_t prism_run_h5_colors(prism_run_h5_t *file, int64_t index, int64_t n,
                                   int32_t *color);

#endif
