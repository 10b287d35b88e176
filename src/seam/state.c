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

prism_status_t prism_island_state_check(const prism_island_state_t *state, int32_t n) {
  if (memchr(state->engine, '\0', sizeof state->engine) == NULL)
    PRISM_FAIL(PRISM_FORMAT, "the state of an island is of an engine without a name");
  if (state->n != n)
    PRISM_FAIL(PRISM_FORMAT, "the state of an island is of a graph of %d vertices, not %d",
               state->n, n);
  if (state->k < 0 || state->rows < 0 || (state->k == 0) != (state->rows == 0))
    PRISM_FAIL(PRISM_FORMAT, "the state of an island has %d rows of %d colors", state->rows,
               state->k);
  for (int32_t i = 0; i < state->rows; ++i)
    if (state->method[i] >= PRISM_METHOD_COUNT || state->f[i] < 0)
      PRISM_FAIL(PRISM_FORMAT, "row %d of an island's state is of method %d, with %lld conflicts",
                 i, (int)state->method[i], (long long)state->f[i]);
  size_t cells = (size_t)state->rows * (size_t)n;
  for (size_t i = 0; i < cells; ++i)
    if (state->color[i] < -1 || state->color[i] >= state->k)
      PRISM_FAIL(PRISM_FORMAT, "row %zu of an island's state has a color %d", i / (size_t)n,
                 state->color[i]);
  return PRISM_OK;
}

void prism_island_state_release(prism_island_state_t *state) {
  prism_free(state->method);
  prism_free(state->f);
  prism_free(state->color);
  prism_free(state->bytes);
  memset(state, 0, sizeof(*state));
}
