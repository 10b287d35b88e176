/* The HDF5 run file: schema, SWMR writing, appending.
 *
 * The serial HDF5 library is not thread-safe, so every call here must come from
 * one thread, the I/O thread of the store; calls of several stores of a process
 * are kept apart by a lock inside (h5_tools.h). */
#ifndef PRISM_SOLVE_STORE_H5_H
#define PRISM_SOLVE_STORE_H5_H

#include "solve/store.h"

typedef struct prism_h5 prism_h5_t;

/* Create RUN.tmp, make every object of the schema, start SWMR writing, rename to
 * RUN. [in] created  ISO 8601 time of the run's start. PRISM_IO on failure, with
 * RUN.tmp removed. */
prism_status_t prism_h5_create(const prism_store_config_t *config, const char *created,
                               prism_h5_t **out);

/* Bytes of one color in /solutions/colors: 1, 2 or 4. */
size_t prism_h5_color_bytes(const prism_h5_t *file);

/* Append `count` rows to the table of a kind and flush it. On failure
 * (PRISM_STORAGE) none of them counts as written: give the same rows again. */
prism_status_t prism_h5_append(prism_h5_t *file, prism_record_kind_t kind, const void *rows,
                               size_t count);

/* Append one solution to /solutions. [in] packed  [n] colors of color_bytes each. */
prism_status_t prism_h5_append_solution(prism_h5_t *file, const prism_solution_row_t *row,
                                        const void *packed);

/* Has the library failed so often that further tries make no sense? A full disk
 * alone does not count. */
bool prism_h5_broken(const prism_h5_t *file);

/* End SWMR writing, close, flush to the disk, put a compressed copy in its place where that
 * works. Releases everything in any case. */
prism_status_t prism_h5_close(prism_h5_t **file);

/* Version of the HDF5 library, "1.10.8". `size` >= 16. */
void prism_h5_version(char *out, size_t size);

#endif
