/* What the writer and the reader of a checkpoint agree on inside HDF5: names, tables, which
 * heads are sound. Private to the checkpoint's files. */
#ifndef PRISM_SOLVE_CHECKPOINT_FORM_H
#define PRISM_SOLVE_CHECKPOINT_FORM_H

#include <stdint.h>

#include "solve/checkpoint.h"
#include "solve/record.h"

#define PRISM_CHECKPOINT_ISLAND_FIELDS(X)             \
  X(I32, id, "of all ranks")                          \
  X(I32, rank, "")                                    \
  X(STR16, engine, "that wrote the bytes")            \
  X(I32, version, "of the bytes")                     \
  X(I32, k, "kernel colors, 0: no work yet")          \
  X(I32, rows, "")                                    \
  X(I64, first_row, "of method, f and colors")        \
  X(I64, size, "bytes")                               \
  X(I64, first_byte, "of /islands/bytes")

#define PRISM_CHECKPOINT_RANK_FIELDS(X)               \
  X(I32, rank, "")                                    \
  X(I64, iterations, "moves over all invocations")    \
  X(I64, size, "bytes")                               \
  X(I64, first_byte, "of /ranks/bytes")

typedef struct prism_checkpoint_island_row {
  PRISM_CHECKPOINT_ISLAND_FIELDS(PRISM_RECORD_MEMBER)
} prism_checkpoint_island_row_t;

typedef struct prism_checkpoint_rank_row {
  PRISM_CHECKPOINT_RANK_FIELDS(PRISM_RECORD_MEMBER)
} prism_checkpoint_rank_row_t;

/* /islands/table and /ranks/table */
extern const prism_record_table_t prism_checkpoint_island_table;
extern const prism_record_table_t prism_checkpoint_rank_table;

/* Is all of a head sound? Otherwise `code` and a message about the file `path`.
 * [out] map [kernel n] what head->kernel.map must be; not looked at in the head */
prism_status_t prism_checkpoint_check_head(const prism_checkpoint_head_t *head,
                                           prism_status_t code, const char *path, int32_t *map);

/* Does the island fit the head? Without its place among the others. */
prism_status_t prism_checkpoint_check_island(const prism_checkpoint_head_t *head,
                                             const prism_checkpoint_island_t *island,
                                             prism_status_t code, const char *path);

/* Is every packed color in -1 .. k - 1? */
bool prism_checkpoint_packed_within(const void *packed, size_t count, size_t width, int32_t k);

#endif
