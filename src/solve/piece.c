#include "solve/piece.h"

#include <string.h>

#include "base/mem.h"

static size_t row_bytes(int32_t n, size_t width) {
  return sizeof(int64_t) + (size_t)n * width + 1;
}

prism_piece_rows_t prism_piece_rows(prism_piece_t *piece, int32_t n, size_t width) {
  uint8_t *data = prism_piece_data(piece);
  size_t count = (size_t)piece->count;
  uint8_t *packed = data + count * sizeof(int64_t);
  return (prism_piece_rows_t){(int64_t *)(void *)data, packed, packed + count * (size_t)n * width};
}

int32_t prism_piece_most_rows(int32_t n, size_t width) {
  size_t most = PRISM_PIECE_TARGET / row_bytes(n, width);
  return most > 1 ? (int32_t)most : 1;
}

prism_status_t prism_piece_create(prism_piece_kind_t kind, int32_t rank, size_t size,
                                  prism_piece_t **out) {
  prism_piece_t *piece = NULL;
  PRISM_TRY(prism_alloc_bytes(1, sizeof *piece + size, (void **)&piece));
  *piece = (prism_piece_t){.kind = (int32_t)kind, .rank = rank, .size = size};
  *out = piece;
  return PRISM_OK;
}

prism_status_t prism_piece_create_rows(int32_t rank, int32_t count, int32_t n, size_t width,
                                       prism_piece_t **out) {
  PRISM_TRY(prism_piece_create(PRISM_PIECE_ROWS, rank, (size_t)count * row_bytes(n, width), out));
  (*out)->count = count;
  return PRISM_OK;
}

/* Is it as long as it says? */
static bool is_sound(const prism_piece_t *piece, size_t bytes, int32_t n, size_t width) {
  if (piece->size != bytes - sizeof *piece || piece->count < 0) return false;
  switch ((prism_piece_kind_t)piece->kind) {
    case PRISM_PIECE_ISLAND:
      return piece->size == sizeof(prism_checkpoint_island_t);
    case PRISM_PIECE_ROWS:
      return piece->count <= INT32_MAX &&
             piece->size == (uint64_t)piece->count * row_bytes(n, width);
    case PRISM_PIECE_BYTES:
    case PRISM_PIECE_WORDS:
      return true;
    case PRISM_PIECE_BROKEN:
      return piece->size == 0;
    case PRISM_PIECE_KINDS:
      break;
  }
  return false;
}

prism_status_t prism_piece_copy(const void *data, size_t bytes, int32_t n, size_t width,
                                prism_piece_t **out) {
  prism_piece_t header;
  bool whole = bytes >= sizeof header;
  if (whole) memcpy(&header, data, sizeof header);
  if (!whole || !is_sound(&header, bytes, n, width))
    PRISM_FAIL(PRISM_PEER, "a piece of a checkpoint is not what it says it is");
  prism_piece_t *piece = NULL;
  PRISM_TRY(prism_alloc_bytes(1, bytes, (void **)&piece));
  memcpy(piece, data, bytes);
  *out = piece;
  return PRISM_OK;
}

prism_status_t prism_piece_write(prism_piece_t *piece, int32_t n, size_t width,
                                 prism_checkpoint_t *checkpoint) {
  prism_piece_rows_t rows;
  switch ((prism_piece_kind_t)piece->kind) {
    case PRISM_PIECE_ISLAND:
      return prism_checkpoint_island(checkpoint, prism_piece_data(piece));
    case PRISM_PIECE_ROWS:
      rows = prism_piece_rows(piece, n, width);
      return prism_checkpoint_rows(checkpoint, (int32_t)piece->count, rows.method, rows.f,
                                   rows.packed);
    case PRISM_PIECE_BYTES:
      return prism_checkpoint_bytes(checkpoint, prism_piece_data(piece), (size_t)piece->size);
    case PRISM_PIECE_WORDS:
      return prism_checkpoint_rank(checkpoint, piece->rank, piece->count,
                                   prism_piece_data(piece), (size_t)piece->size);
    case PRISM_PIECE_BROKEN:
    case PRISM_PIECE_KINDS:
      break;
  }
  PRISM_FAIL(PRISM_INTERNAL, "a piece of a checkpoint of kind %d", piece->kind);
}
