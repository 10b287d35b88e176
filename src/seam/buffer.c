#include "seam/comm.h"

prism_status_t prism_buffer_bytes(const prism_buffer_t *buffer, prism_space_t space,
                                  const char *refusal, size_t *bytes) {
  if (buffer->space != space) PRISM_FAIL(PRISM_UNSUPPORTED, "%s", refusal);
  if (__builtin_mul_overflow(buffer->element_bytes, buffer->count, bytes))
    PRISM_FAIL(PRISM_INVALID, "a buffer of %zu x %zu bytes overflows", buffer->count,
               buffer->element_bytes);
  return PRISM_OK;
}
