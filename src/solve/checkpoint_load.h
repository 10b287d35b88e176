/* A checkpoint file as HDF5 shows it, once its seal was found whole: head and tables in memory,
 * the rest as open datasets. Private to the checkpoint's files.
 *
 * A file may still be made by others, so of every object is asked what it is before it is read:
 * a plain local dataset of just the type, shape and place that a writer makes, no larger than
 * the file. */
#ifndef PRISM_SOLVE_CHECKPOINT_LOAD_H
#define PRISM_SOLVE_CHECKPOINT_LOAD_H

#include <stdint.h>

#include "solve/checkpoint.h"
#include "solve/checkpoint_form.h"
#include "solve/h5_tools.h"

/* The tables that are read piece by piece. */
enum {
  PRISM_READ_SOLUTION_INDEX, PRISM_READ_SOLUTION_COLORS, PRISM_READ_METHOD, PRISM_READ_F,
  PRISM_READ_COLORS, PRISM_READ_BYTES, PRISM_READ_RANK_BYTES, PRISM_READ_TABLES
};

typedef struct prism_read_table {
  hid_t dataset;    /* -1: not open */
  hid_t type;       /* of the data in memory */
  hsize_t rows;
  hsize_t columns;  /* 0: one value a row */
} prism_read_table_t;

typedef struct prism_read_island {
  prism_checkpoint_island_t head;
  uint64_t first_row, first_byte;
} prism_read_island_t;

struct prism_checkpoint_reader {
  char *path;        /* owned, as all that follows */
  int64_t size;      /* of the file */
  hid_t file;
  hid_t solution_type;
  prism_read_table_t table[PRISM_READ_TABLES];
  prism_checkpoint_head_t head;
  size_t width;      /* bytes of a stored color */
  char *created, *program, *graph_name;
  int32_t *map, *removed, *partner, *clique, *start, *best;
  prism_checkpoint_setting_t *setting;
  int32_t solutions, islands;
  prism_read_island_t *island;       /* [islands] */
  prism_checkpoint_rank_row_t *rank; /* [head.ranks] */
};

/* Head and tables of a file of `size` bytes. PRISM_FORMAT, PRISM_IO. */
prism_status_t prism_checkpoint_load(const char *path, int64_t size,
                                     prism_checkpoint_reader_t **out);

/* Rows at .. at + count - 1 of a table, inside the library's lock. They must exist. */
prism_status_t prism_checkpoint_read_slab(prism_checkpoint_reader_t *reader, int which,
                                          uint64_t at, uint64_t count, void *out);

#endif
