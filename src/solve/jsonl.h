/* The JSON Lines twin of the run file: the same records as text, one object a
 * line, valid to its last complete line whatever happens to the program.
 *
 * Numbers do not depend on the locale and read back to the same value; NaN and
 * infinities become null; text that is not UTF-8 gets U+FFFD. One thread at a
 * time per object. */
#ifndef PRISM_SOLVE_JSONL_H
#define PRISM_SOLVE_JSONL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/file.h"
#include "solve/record.h"
#include "solve/store.h"

/* Append the line of one record: {"record":"metric",...}. */
prism_status_t prism_jsonl_record(prism_record_kind_t kind, const void *record,
                                  prism_text_t *out);

/* Append the value of one field of a record: a number, null, or a string in quotes. */
prism_status_t prism_jsonl_field(const prism_field_t *field, const void *record,
                                 prism_text_t *out);

/* Append the first line of a run: {"record":"config",...} with schema version,
 * graph, seed, parameters, build and ranks. */
prism_status_t prism_jsonl_config(const prism_store_config_t *config, const char *created,
                                  prism_text_t *out);

/* Append `text` as a JSON string with its quotes; `bytes` bounds the text, which
 * may also end at a zero byte. */
prism_status_t prism_jsonl_string(const char *text, size_t bytes, prism_text_t *out);

/* Append a number; null when it is not finite. */
prism_status_t prism_jsonl_number(double value, prism_text_t *out);

typedef struct prism_jsonl {
  int fd;      /* -1: closed */
  char *path;  /* owned */
  off_t size;  /* bytes of whole lines */
  bool locked; /* false: this file system knows no flock */
  bool fresh;  /* the file was empty or missing before */
} prism_jsonl_t;

/* Open or create, lock (flock: released by the kernel when the process ends in
 * any way), empty. PRISM_IO: another run holds it, or it cannot be written. */
prism_status_t prism_jsonl_open(const char *path, prism_jsonl_t *out);

/* Append whole lines in one write and take what was written off the front of
 * `lines`. When only a part fits, the file is cut back to its last whole line,
 * `lines` keeps the rest, and the status is PRISM_STORAGE. */
prism_status_t prism_jsonl_append(prism_jsonl_t *file, prism_text_t *lines);

/* Flush to the disk and close; releases the lock. `remove_fresh`: also delete a
 * file that this run created (an open that failed later on). */
prism_status_t prism_jsonl_close(prism_jsonl_t *file, bool remove_fresh);

#endif
