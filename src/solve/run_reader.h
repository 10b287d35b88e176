/* Reader of the files of a run: one that has ended, one that goes on, one that was killed, of
 * every schema version. Rows come as the structs of record.h; fields are found by their names,
 * and what a file does not have is blank (prism_record_blank).
 *
 * Two sources with the same rows: the run file (while the run goes on in HDF5's SWMR mode), and
 * the .jsonl, for network file systems, where HDF5 promises no SWMR. A reader belongs to one
 * thread at a time. Nothing is ever written. */
#ifndef PRISM_SOLVE_RUN_READER_H
#define PRISM_SOLVE_RUN_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "solve/record.h"
#include "solve/store.h"

typedef struct prism_run_reader prism_run_reader_t;

typedef enum prism_run_source {
  PRISM_RUN_AUTO,  /* by the name; the .jsonl of an unfinished run on a network file system */
  PRISM_RUN_H5,
  PRISM_RUN_JSONL
} prism_run_source_t;

typedef enum prism_run_life {
  PRISM_RUN_ENDED,  /* its files were closed in order */
  PRISM_RUN_LIVE,   /* its writer holds the lock */
  PRISM_RUN_KILLED, /* nobody holds the lock, and there was no end */
  PRISM_RUN_UNKNOWN /* no end, and this file system or a missing .jsonl says no more */
} prism_run_life_t;

/* What is settled when a run begins. Texts are never NULL; "" and -1 where a file has none. */
typedef struct prism_run_head {
  int32_t schema_version;
  const char *created; /* ISO 8601 */
  bool has_seed;
  uint64_t seed;
  const char *graph_name, *graph_hash;
  int64_t n, m;
  const prism_attribute_t *setting; /* [settings] section.name and value */
  int32_t settings;
  const prism_attribute_t *build; /* [builds] */
  int32_t builds;
  const prism_rank_row_t *rank; /* [ranks] */
  int32_t ranks;
} prism_run_head_t;

/* Open D/X.h5 or D/X.jsonl. PRISM_IO: there is none, or it cannot be read; PRISM_FORMAT: it is
 * not a run file; PRISM_INVALID: PRISM_RUN_JSONL, and X.jsonl is missing. */
prism_status_t prism_run_open(const char *path, prism_run_source_t source,
                              prism_run_reader_t **out);
void prism_run_close(prism_run_reader_t **reader);

/* The file that is read, and what kind it is. */
const char *prism_run_path(const prism_run_reader_t *reader);
prism_run_source_t prism_run_source(const prism_run_reader_t *reader);

/* Valid until close. */
const prism_run_head_t *prism_run_head(const prism_run_reader_t *reader);

/* Look for new rows. PRISM_IO: the file was replaced or cannot be read any more. */
prism_status_t prism_run_refresh(prism_run_reader_t *reader);

/* Rows of a table as of the open or the last refresh. O(1). */
int64_t prism_run_rows(const prism_run_reader_t *reader, prism_record_kind_t kind);

/* Rows first .. first + count - 1 of a table; they are there (prism_run_rows).
 * [out] rows  [count] structs of that kind. A refresh never changes what was read. */
prism_status_t prism_run_read(prism_run_reader_t *reader, prism_record_kind_t kind, int64_t first,
                              int64_t count, void *rows);

/* All rows of a table beyond the first `have`. [in,out] rows  a block of `have` structs (NULL
 * for none) that grows, for prism_free; have. */
prism_status_t prism_run_read_new(prism_run_reader_t *reader, prism_record_kind_t kind,
                                  void **rows, int64_t *have);

/* Colors of improvement `index`, from 0. [out] color  [head->n]. PRISM_UNSUPPORTED from a
 * .jsonl, which has none. */
prism_status_t prism_run_colors(prism_run_reader_t *reader, int64_t index, int32_t *color);

/* Asks the file system for the lock, so not in every turn of a quick loop. */
prism_run_life_t prism_run_life(const prism_run_reader_t *reader);

/* Lines of the .jsonl that were no records and are left out; 0 from a run file. */
int64_t prism_run_skipped(const prism_run_reader_t *reader);

/* Does `path` lie on a network file system? */
bool prism_run_on_network(const char *path);

/* Is the lock of the run beside `path` (X.h5 or X.jsonl) held? [out] known  false: no saying */
bool prism_run_locked(const char *path, bool *known);

#endif
