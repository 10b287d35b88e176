#include "seam/state.h"

#include <string.h>

#include "base/mem.h"

prism_status_t prism_island_state_init(prism_island_state_t *state, int32_t n, int32_t rows,
                                       size_t size) {
  memset(state, 0, sizeof(*state));
  state->n = n;
  state->rows = rows;
  state->size = size;
  size_t count = (size_t)rows;
  prism_status_t status = PRISM_ALLOC_ZERO(count, &state->method);
  if (status == PRISM_OK) status = PRISM_ALLOC_ZERO(count, &state->f);
  if (status == PRISM_OK) status = PRISM_ALLOC_ZERO(count * (size_t)n, &state->color);
  if (status == PRISM_OK) status = PRISM_ALLOC_ZERO(size, &state->bytes);
  if (status != PRISM_OK) prism_island_state_release(state);
  return status;
}

void prism_island_state_release(prism_island_state_t *state) {
  prism_free(state->method);
  prism_free(state->f);
  prism_free(state->color);
  prism_free(state->bytes);
  memset(state, 0, sizeof(*state));
}
