/* Colourings on the wire: a header and the colours in the smallest of u8, u16 and
 * u32, chosen once per run from the first upper bound. Kernel numbering. */
#ifndef PRISM_SOLVE_WIRE_H
#define PRISM_SOLVE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct prism_parcel {
  int32_t k;          /* kernel colours */
  int32_t method;     /* prism_method_t that found it */
  int64_t f;          /* conflicts; 0: legal */
  int64_t iterations; /* moves of the sending rank so far */
} prism_parcel_t;

/* Bytes of a colour for up to k colours. */
static inline size_t prism_wire_width(int32_t k) { return k <= 256 ? 1 : k <= 65536 ? 2 : 4; }

/* Bytes of a packed parcel with its n colours. */
static inline size_t prism_wire_bytes(int32_t n, size_t width) {
  return sizeof(prism_parcel_t) + (size_t)n * width;
}

/* [in] color [n] 0..k-1; [out] out prism_wire_bytes bytes. */
void prism_wire_pack(const prism_parcel_t *parcel, const int32_t *color, int32_t n, size_t width,
                     void *out);

/* PRISM_PEER when the bytes are not a parcel of this run. [out] color [n]. */
prism_status_t prism_wire_unpack(const void *data, size_t bytes, int32_t n, size_t width,
                                 prism_parcel_t *parcel, int32_t *color);

#endif
