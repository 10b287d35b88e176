#include "solve/part.h"

#include <string.h>

#include "base/mem.h"

prism_status_t prism_part_begin(prism_part_t *part, const prism_part_setup_t *setup) {
  *part = (prism_part_t){.setup = *setup, .width = prism_checkpoint_width(setup->color_bound)};
  prism_status_t status = PRISM_ALLOC(setup->islands, &part->id);
  if (status == PRISM_OK) status = PRISM_ALLOC_ZERO(setup->islands, &part->state);
  if (status != PRISM_OK) {
    prism_free(part->id);
    *part = (prism_part_t){.saved = 0};
    return status;
  }
  for (int32_t i = 0; i < setup->islands; ++i) part->id[i] = -1;
  return PRISM_OK;
}

prism_status_t prism_part_save(prism_part_t *part, int32_t i, const prism_engine_t *engine,
                               int32_t local, int32_t id) {
  prism_island_state_t *state = &part->state[i];
  if (engine->ops->save == NULL)
    PRISM_FAIL(PRISM_UNSUPPORTED, "islands of the %s engine cannot be saved", engine->ops->name);
  PRISM_TRY(engine->ops->save(engine->self, local, state));
  if (state->k > part->setup.color_bound || state->n != part->setup.n) {
    prism_island_state_release(state);
    PRISM_FAIL(PRISM_INTERNAL, "island %d has more colors or vertices than there are", id);
  }
  part->id[i] = id;
  ++part->saved;
  return PRISM_OK;
}

static prism_status_t take_header(prism_part_t *part, prism_piece_t **out) {
  const prism_island_state_t *state = &part->state[part->island];
  PRISM_TRY(prism_piece_create(PRISM_PIECE_ISLAND, part->setup.rank,
                               sizeof(prism_checkpoint_island_t), out));
  const prism_checkpoint_island_t head =
      prism_checkpoint_island_of(state, part->id[part->island], part->setup.rank);
  memcpy(prism_piece_data(*out), &head, sizeof head);
  part->headed = true;
  return PRISM_OK;
}

static prism_status_t take_rows(prism_part_t *part, prism_piece_t **out) {
  const prism_island_state_t *state = &part->state[part->island];
  int32_t n = part->setup.n, count = prism_piece_most_rows(n, part->width);
  if (count > state->rows - part->row) count = state->rows - part->row;
  PRISM_TRY(prism_piece_create_rows(part->setup.rank, count, n, part->width, out));
  prism_piece_rows_t rows = prism_piece_rows(*out, n, part->width);
  memcpy(rows.f, state->f + part->row, (size_t)count * sizeof *rows.f);
  memcpy(rows.method, state->method + part->row, (size_t)count);
  prism_checkpoint_pack(state->color + (size_t)part->row * (size_t)n, (size_t)count * (size_t)n,
                        part->width, rows.packed);
  part->row += count;
  return PRISM_OK;
}

static prism_status_t take_bytes(prism_part_t *part, prism_piece_t **out) {
  const prism_island_state_t *state = &part->state[part->island];
  size_t size = state->size - part->byte;
  if (size > PRISM_PIECE_TARGET) size = PRISM_PIECE_TARGET;
  PRISM_TRY(prism_piece_create(PRISM_PIECE_BYTES, part->setup.rank, size, out));
  memcpy(prism_piece_data(*out), state->bytes + part->byte, size);
  part->byte += size;
  return PRISM_OK;
}

static prism_status_t take_words(prism_part_t *part, prism_piece_t **out) {
  PRISM_TRY(prism_piece_create(PRISM_PIECE_WORDS, part->setup.rank, part->size, out));
  (*out)->count = part->iterations;
  (*out)->last = 1;
  memcpy(prism_piece_data(*out), part->words, part->size);
  prism_part_release(part);
  return PRISM_OK;
}

prism_status_t prism_part_next(prism_part_t *part, prism_piece_t **out) {
  for (; part->island < part->setup.islands; ++part->island) {
    prism_island_state_t *state = &part->state[part->island];
    if (!part->headed) return take_header(part, out);
    if (part->row < state->rows) return take_rows(part, out);
    if (part->byte < state->size) return take_bytes(part, out);
    prism_island_state_release(state);
    part->headed = false;
    part->row = 0;
    part->byte = 0;
  }
  return take_words(part, out);
}

void prism_part_release(prism_part_t *part) {
  for (int32_t i = 0; part->state != NULL && i < part->setup.islands; ++i)
    prism_island_state_release(&part->state[i]);
  prism_free(part->state);
  prism_free(part->id);
  prism_free(part->words);
  memset(part, 0, sizeof *part);
}
