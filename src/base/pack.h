/* Values as bytes, for what goes to disk: little-endian on every machine, written one
 * after the other, and read back in the same order with every step checked.
 *
 * A writer grows as needed and remembers its first failure, so that a caller writes on and
 * asks once at the end. The bytes end with a checksum (FNV-1a, 64 bits; Fowler, Noll & Vo),
 * which finds every change of a single byte. A reader never leaves the bytes: past their
 * end, and for a value out of its range, it gives the low end of the range and remembers
 * that. So what is read can be used as an index or a size at once, and the caller asks at
 * the end whether it was true. Not thread-safe per object. */
#ifndef PRISM_BASE_PACK_H
#define PRISM_BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- writing ---- */

/* Zero-initialise; ends with prism_pack_finish, or prism_pack_release to give up. */
typedef struct prism_pack {
  uint8_t *data; /* owned */
  size_t size, capacity;
  prism_status_t status; /* PRISM_OK, or PRISM_MEMORY: nothing more is written */
} prism_pack_t;

void prism_pack_u8(prism_pack_t *pack, uint8_t value);
void prism_pack_u16(prism_pack_t *pack, uint16_t value);
void prism_pack_u32(prism_pack_t *pack, uint32_t value);
void prism_pack_u64(prism_pack_t *pack, uint64_t value);
void prism_pack_i32(prism_pack_t *pack, int32_t value);
void prism_pack_i64(prism_pack_t *pack, int64_t value);
void prism_pack_f64(prism_pack_t *pack, double value);
void prism_pack_bool(prism_pack_t *pack, bool value);
/* `size` bytes as they are. */
void prism_pack_bytes(prism_pack_t *pack, const void *data, size_t size);
/* [in] value [count] in 0 .. bound - 1, each in the fewest of 1, 2, 4 bytes that hold all of
 * them: colors with bound k, vertices with bound n. */
void prism_pack_small(prism_pack_t *pack, const int32_t *value, size_t count, int32_t bound);

/* Add the checksum and hand the bytes over; the writer is empty then. [out] bytes  owned by
 * the caller (prism_free); [out] size. PRISM_MEMORY when a write failed. */
prism_status_t prism_pack_finish(prism_pack_t *pack, uint8_t **bytes, size_t *size);
void prism_pack_release(prism_pack_t *pack);

/* ---- reading ---- */

typedef struct prism_unpack {
  const uint8_t *data; /* borrowed until the close */
  size_t size, at;     /* without the checksum */
  bool bad;            /* something was out of range, or missing */
} prism_unpack_t;

/* PRISM_FORMAT: too short, or the checksum is another one. [in] what  the bytes belong to,
 * for the message: "the state of an island" */
prism_status_t prism_unpack_open(prism_unpack_t *unpack, const uint8_t *bytes, size_t size,
                                 const char *what);

uint8_t prism_unpack_u8(prism_unpack_t *unpack);
uint16_t prism_unpack_u16(prism_unpack_t *unpack);
uint32_t prism_unpack_u32(prism_unpack_t *unpack);
uint64_t prism_unpack_u64(prism_unpack_t *unpack);
/* low <= high; the result is always in that range. */
int32_t prism_unpack_i32(prism_unpack_t *unpack, int32_t low, int32_t high);
int64_t prism_unpack_i64(prism_unpack_t *unpack, int64_t low, int64_t high);
/* The same; what is not a number is out of range. */
double prism_unpack_f64(prism_unpack_t *unpack, double low, double high);
bool prism_unpack_bool(prism_unpack_t *unpack);
/* All zero where they are missing. */
void prism_unpack_bytes(prism_unpack_t *unpack, void *data, size_t size);
/* What prism_pack_small wrote. [out] value [count], each in 0 .. bound - 1. */
void prism_unpack_small(prism_unpack_t *unpack, int32_t *value, size_t count, int32_t bound);

/* A number of things that follow, each of at least `size` bytes, at most `most`: no more
 * than there are bytes for, so that room for them can be made. */
int32_t prism_unpack_count(prism_unpack_t *unpack, int32_t most, size_t size);

/* PRISM_FORMAT: something was bad, or bytes are left. */
prism_status_t prism_unpack_close(const prism_unpack_t *unpack, const char *what);

#ifdef __cplusplus
}
#endif
#endif
