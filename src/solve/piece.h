/* What islands and ranks know, in pieces of about a megabyte: on their way to the file, and
 * back. A piece is one block: a header, then what it says. One rank's pieces come in order:
 *
 *   for each island  ISLAND, ROWS ..., BYTES ...
 *   at the end       WORDS, the last one
 *
 * They stay within one job, so they are in the machine's own words. */
#ifndef PRISM_SOLVE_PIECE_H
#define PRISM_SOLVE_PIECE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "solve/checkpoint.h"

enum { PRISM_PIECE_TARGET = 1 << 20 }; /* bytes; a row or a rank's words may be more */

typedef enum prism_piece_kind {
  PRISM_PIECE_ISLAND, /* a prism_checkpoint_island_t */
  PRISM_PIECE_ROWS,   /* `count` rows: f, then colors as prism_checkpoint_pack has them, then
                         methods */
  PRISM_PIECE_BYTES,  /* some of the island's bytes */
  PRISM_PIECE_WORDS,  /* the driver's, and `count` iterations of the rank */
  PRISM_PIECE_BROKEN, /* the rest cannot be had */
  PRISM_PIECE_KINDS
} prism_piece_kind_t;

typedef struct prism_piece {
  int32_t kind;
  int32_t rank;   /* whose it is */
  int32_t serial; /* of the save it belongs to */
  int32_t last;   /* 1: no more of this rank */
  int64_t count;
  uint64_t size;  /* bytes behind the header */
} prism_piece_t;

static inline size_t prism_piece_bytes(const prism_piece_t *piece) {
  return sizeof *piece + (size_t)piece->size;
}

static inline void *prism_piece_data(prism_piece_t *piece) { return piece + 1; }

/* Where the parts of ROWS begin. */
typedef struct prism_piece_rows {
  int64_t *f;      /* [count] */
  uint8_t *packed; /* [count][n * width] */
  uint8_t *method; /* [count] */
} prism_piece_rows_t;

prism_piece_rows_t prism_piece_rows(prism_piece_t *piece, int32_t n, size_t width);

/* Rows of n colors that go into one piece, >= 1. */
int32_t prism_piece_most_rows(int32_t n, size_t width);

/* An empty piece with room for `size` bytes. [out] owned by the caller (prism_free) */
prism_status_t prism_piece_create(prism_piece_kind_t kind, int32_t rank, size_t size,
                                  prism_piece_t **out);

/* The same for `count` rows. */
prism_status_t prism_piece_create_rows(int32_t rank, int32_t count, int32_t n, size_t width,
                                       prism_piece_t **out);

/* A copy of a piece that came in a message. PRISM_PEER when it is none. [out] owned */
prism_status_t prism_piece_copy(const void *data, size_t bytes, int32_t n, size_t width,
                                prism_piece_t **out);

/* Write it to the file. */
prism_status_t prism_piece_write(prism_piece_t *piece, int32_t n, size_t width,
                                 prism_checkpoint_t *checkpoint);

#endif
