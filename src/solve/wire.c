#include "solve/wire.h"

#include <string.h>

#include "seam/phase.h"

void prism_wire_pack(const prism_parcel_t *parcel, const int32_t *color, int32_t n, size_t width,
                     void *out) {
  unsigned char *at = out;
  memcpy(at, parcel, sizeof *parcel);
  at += sizeof *parcel;
  for (int32_t v = 0; v < n; ++v) { /* little-endian, as everything here */
    uint32_t c = (uint32_t)color[v];
    for (size_t b = 0; b < width; ++b) *at++ = (unsigned char)(c >> (8 * b));
  }
}

prism_status_t prism_wire_unpack(const void *data, size_t bytes, int32_t n, size_t width,
                                 prism_parcel_t *parcel, int32_t *color) {
  if (bytes != prism_wire_bytes(n, width))
    PRISM_FAIL(PRISM_PEER, "a rank sent a coloring of %zu bytes, expected %zu", bytes,
               prism_wire_bytes(n, width));
  const unsigned char *at = data;
  memcpy(parcel, at, sizeof *parcel);
  at += sizeof *parcel;
  if (parcel->k < 1 || parcel->method < 0 || parcel->method >= PRISM_METHOD_COUNT)
    PRISM_FAIL(PRISM_PEER, "a rank sent a coloring with %d colors by method %d", parcel->k,
               parcel->method);
  for (int32_t v = 0; v < n; ++v) {
    uint32_t c = 0;
    for (size_t b = 0; b < width; ++b) c |= (uint32_t)*at++ << (8 * b);
    if (c >= (uint32_t)parcel->k)
      PRISM_FAIL(PRISM_PEER, "a rank sent color %u in a coloring with %d colors", c, parcel->k);
    color[v] = (int32_t)c;
  }
  return PRISM_OK;
}
