#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "solve/checkpoint.h"
#include "solve/checkpoint_form.h"
#include "solve/checkpoint_load.h"
#include "solve/checkpoint_seal.h"
#include "solve/h5_tools.h"

enum { PIECE_BYTES = 256 << 10 }; /* of packed rows at a time */

/* ---- Opening ---------------------------------------------------------------------------- */

prism_status_t prism_checkpoint_check_graph(const prism_checkpoint_reader_t *reader,
                                            const prism_checkpoint_graph_t *graph) {
  const prism_checkpoint_head_t *head = &reader->head;
  bool same = strcmp(head->graph_hash, graph->hash) == 0;
  if (!same)
    PRISM_FAIL(PRISM_INVALID,
               "%s is a checkpoint of another graph: %s with %d vertices, %" PRId64
               " edges and hash %.16s...; this graph has %d, %" PRId64 " and %.16s...",
               reader->path, head->graph_name, head->n, head->m, head->graph_hash, graph->n,
               graph->m, graph->hash);
  if (head->n != graph->n || head->m != graph->m)
    PRISM_FAIL(PRISM_FORMAT, "%s is not a sound checkpoint: its graph has the right hash, but %d "
               "vertices and %" PRId64 " edges", reader->path, head->n, head->m);
  return PRISM_OK;
}

static prism_status_t open_one(const char *path, const prism_checkpoint_graph_t *graph,
                               prism_checkpoint_reader_t **out) {
  int64_t size = 0;
  PRISM_TRY(prism_checkpoint_seal_check(path, &size));
  prism_checkpoint_reader_t *self = NULL;
  PRISM_TRY(prism_checkpoint_load(path, size, &self));
  prism_status_t status = graph != NULL ? prism_checkpoint_check_graph(self, graph) : PRISM_OK;
  if (status != PRISM_OK) prism_checkpoint_close(&self);
  PRISM_TRY(status);
  *out = self;
  return PRISM_OK;
}

/* The file cannot be used: does the one before it stand beside it? Returns `status` with its
 * text, and that offer. */
static prism_status_t offer_previous(const char *path, const prism_checkpoint_graph_t *graph,
                                     prism_status_t status) {
  char *text = NULL, *previous = NULL, *offer = NULL;
  prism_checkpoint_reader_t *reader = NULL;
  bool good = prism_string_format(&text, "%s", prism_error_text()) == PRISM_OK &&
              prism_string_format(&previous, "%s.1", path) == PRISM_OK &&
              open_one(previous, graph, &reader) == PRISM_OK &&
              prism_string_format(&offer, "%s; the previous checkpoint %s is intact: --resume %s",
                                  text, previous, previous) == PRISM_OK;
  prism_checkpoint_close(&reader);
  if (text != NULL) prism_error_set(status, good ? offer : text);
  prism_free(text);
  prism_free(previous);
  prism_free(offer);
  return status;
}

prism_status_t prism_checkpoint_open(const char *path, const prism_checkpoint_graph_t *graph,
                                     prism_checkpoint_reader_t **out) {
  prism_status_t status = open_one(path, graph, out);
  if (status != PRISM_OK && status != PRISM_MEMORY) status = offer_previous(path, graph, status);
  PRISM_TRY(status);
  return PRISM_OK;
}

/* ---- Reading ---------------------------------------------------------------------------- */

const prism_checkpoint_head_t *prism_checkpoint_head(const prism_checkpoint_reader_t *reader) {
  return &reader->head;
}

int32_t prism_checkpoint_solutions(const prism_checkpoint_reader_t *reader) {
  return reader->solutions;
}

int32_t prism_checkpoint_islands(const prism_checkpoint_reader_t *reader) {
  return reader->islands;
}

const prism_checkpoint_island_t *prism_checkpoint_island_at(
    const prism_checkpoint_reader_t *reader, int32_t index) {
  return &reader->island[index].head;
}

/* Rows `at` .. at + count - 1 of one of the open tables. */
static prism_status_t read_rows(prism_checkpoint_reader_t *self, int which, uint64_t at,
                                uint64_t count, void *out) {
  if (count == 0) return PRISM_OK;
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = prism_checkpoint_read_slab(self, which, at, count, out);
  prism_h5_leave(was);
  PRISM_TRY(status);
  return PRISM_OK;
}

prism_status_t prism_checkpoint_read_solution(prism_checkpoint_reader_t *reader, int32_t index,
                                              prism_solution_row_t *row, int32_t *color) {
  PRISM_TRY(read_rows(reader, PRISM_READ_SOLUTION_INDEX, (uint64_t)index, 1, row));
  PRISM_TRY(read_rows(reader, PRISM_READ_SOLUTION_COLORS, (uint64_t)index, 1, color));
  bool sound = row->colors >= 1 && row->colors <= reader->head.color_bound;
  for (int32_t v = 0; v < reader->head.n && sound; ++v)
    sound = color[v] >= 0 && color[v] < row->colors;
  if (!sound)
    PRISM_FAIL(PRISM_FORMAT, "%s is not a sound checkpoint: solution %d has colors out of range",
               reader->path, index);
  return PRISM_OK;
}

prism_status_t prism_checkpoint_read_rows(prism_checkpoint_reader_t *reader, int32_t index,
                                          int32_t first, int32_t count, uint8_t *method,
                                          int64_t *f, void *packed) {
  const prism_read_island_t *island = &reader->island[index];
  if (first < 0 || count < 0 || first > island->head.rows || count > island->head.rows - first)
    PRISM_FAIL(PRISM_INVALID, "%s: island %d has no rows %d to %d", reader->path, island->head.id,
               first, first + count - 1);
  uint64_t at = island->first_row + (uint64_t)first, rows = (uint64_t)count;
  PRISM_TRY(read_rows(reader, PRISM_READ_METHOD, at, rows, method));
  PRISM_TRY(read_rows(reader, PRISM_READ_F, at, rows, f));
  PRISM_TRY(read_rows(reader, PRISM_READ_COLORS, at, rows, packed));
  bool sound = prism_checkpoint_packed_within(packed, (size_t)count * (size_t)reader->head.kernel.n,
                                              reader->width, island->head.k);
  for (int32_t i = 0; i < count && sound; ++i) sound = method[i] < PRISM_METHOD_COUNT && f[i] >= 0;
  if (!sound)
    PRISM_FAIL(PRISM_FORMAT, "%s is not a sound checkpoint: island %d has methods, colors or "
               "conflicts out of range", reader->path, island->head.id);
  return PRISM_OK;
}

prism_status_t prism_checkpoint_read_bytes(prism_checkpoint_reader_t *reader, int32_t index,
                                           size_t first, size_t size, uint8_t *bytes) {
  const prism_read_island_t *island = &reader->island[index];
  if (first > island->head.size || size > island->head.size - first)
    PRISM_FAIL(PRISM_INVALID, "%s: island %d has no bytes %zu to %zu", reader->path,
               island->head.id, first, first + size);
  return read_rows(reader, PRISM_READ_BYTES, island->first_byte + first, size, bytes);
}

static prism_status_t read_state_rows(prism_checkpoint_reader_t *reader, int32_t index,
                                      prism_island_state_t *state) {
  size_t n = (size_t)state->n, row = n * reader->width;
  size_t most = row < PIECE_BYTES ? PIECE_BYTES / row : 1;
  void *packed = NULL;
  PRISM_TRY(prism_alloc_bytes(most, row, &packed));
  prism_status_t status = PRISM_OK;
  for (int32_t done = 0; done < state->rows && status == PRISM_OK;) {
    int32_t left = state->rows - done, count = (size_t)left < most ? left : (int32_t)most;
    status = prism_checkpoint_read_rows(reader, index, done, count, state->method + done,
                                        state->f + done, packed);
    if (status == PRISM_OK)
      status = prism_checkpoint_unpack(packed, (size_t)count * n, reader->width, state->k,
                                       state->color + (size_t)done * n);
    done += count;
  }
  prism_free(packed);
  return status;
}

prism_status_t prism_checkpoint_read_state(prism_checkpoint_reader_t *reader, int32_t index,
                                           prism_island_state_t *state) {
  const prism_checkpoint_island_t *head = &reader->island[index].head;
  PRISM_TRY(prism_checkpoint_island_state(head, reader->head.kernel.n, state));
  prism_status_t status = head->rows > 0 ? read_state_rows(reader, index, state) : PRISM_OK;
  if (status == PRISM_OK)
    status = prism_checkpoint_read_bytes(reader, index, 0, head->size, state->bytes);
  if (status != PRISM_OK) prism_island_state_release(state);
  PRISM_TRY(status);
  return PRISM_OK;
}

prism_status_t prism_checkpoint_read_rank(prism_checkpoint_reader_t *reader, int32_t rank,
                                          int64_t *iterations, uint8_t **bytes, size_t *size) {
  const prism_checkpoint_rank_row_t *row = &reader->rank[rank];
  uint8_t *read = NULL;
  PRISM_TRY(PRISM_ALLOC(row->size, &read));
  prism_status_t status = read_rows(reader, PRISM_READ_RANK_BYTES, (uint64_t)row->first_byte,
                                    (uint64_t)row->size, read);
  if (status != PRISM_OK) prism_free(read);
  PRISM_TRY(status);
  *iterations = row->iterations;
  *bytes = read;
  *size = (size_t)row->size;
  return PRISM_OK;
}
