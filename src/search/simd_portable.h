/* Vector primitives, portable form: plain loops that a compiler can vectorise for
 * its baseline, and byte-parallel words for the masked columns. The other
 * simd_*.h define the same functions with the same results. */
#ifndef PRISM_SEARCH_SIMD_PORTABLE_H
#define PRISM_SEARCH_SIMD_PORTABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Rows up to this long are shifted and scanned in registers after every change; longer
 * ones are scanned only when their last best colour goes. */
#define SHORT_ROW_u8 0
#define SHORT_ROW_u16 0

/* Eight bits spread to the low bits of eight bytes. */
static inline uint64_t spread_bytes(uint64_t bits) {
  uint64_t x = bits & 0xFF;
  x = (x | (x << 28)) & 0x0000000F0000000Full;
  x = (x | (x << 14)) & 0x0003000300030003ull;
  return (x | (x << 7)) & 0x0101010101010101ull;
}

/* Four bits spread to the low bits of four 16-bit lanes. */
static inline uint64_t spread_halves(uint64_t bits) {
  uint64_t x = bits & 0xF;
  x = (x | (x << 30)) & 0x0000000300000003ull;
  return (x | (x << 15)) & 0x0001000100010001ull;
}

/* cell[i] -= 1 in `from`, += 1 in `to`, for the lanes set; 64 cells each. Counts
 * under the mask are at least 1 and below the cell's limit, so no lane carries. */
static inline void column_move_u8(uint8_t *from, uint8_t *to, uint64_t lanes) {
  uint64_t f[8], t[8];
  memcpy(f, from, 64);
  memcpy(t, to, 64);
  for (int i = 0; i < 8; ++i) {
    uint64_t one = spread_bytes(lanes >> (8 * i));
    f[i] -= one;
    t[i] += one;
  }
  memcpy(from, f, 64);
  memcpy(to, t, 64);
}

static inline void column_add_u8(uint8_t *to, uint64_t lanes) {
  uint64_t t[8];
  memcpy(t, to, 64);
  for (int i = 0; i < 8; ++i) t[i] += spread_bytes(lanes >> (8 * i));
  memcpy(to, t, 64);
}

static inline void column_sub_u8(uint8_t *from, uint64_t lanes) {
  uint64_t f[8];
  memcpy(f, from, 64);
  for (int i = 0; i < 8; ++i) f[i] -= spread_bytes(lanes >> (8 * i));
  memcpy(from, f, 64);
}

static inline void column_add_u16(uint16_t *to, uint64_t lanes) {
  uint64_t t[16];
  memcpy(t, to, 128);
  for (int i = 0; i < 16; ++i) t[i] += spread_halves(lanes >> (4 * i));
  memcpy(to, t, 128);
}

static inline void column_sub_u16(uint16_t *from, uint64_t lanes) {
  uint64_t f[16];
  memcpy(f, from, 128);
  for (int i = 0; i < 16; ++i) f[i] -= spread_halves(lanes >> (4 * i));
  memcpy(from, f, 128);
}

static inline void column_move_u16(uint16_t *from, uint16_t *to, uint64_t lanes) {
  column_sub_u16(from, lanes);
  column_add_u16(to, lanes);
}

#define PORTABLE_ROW(SUFFIX, CELL)                                                     \
  /* Smallest cell of a row. `stride` is a multiple of 32. */                          \
  static inline CELL row_min_##SUFFIX(const CELL *row, int32_t stride) {               \
    CELL low[16];                                                                      \
    memcpy(low, row, sizeof low);                                                      \
    for (int32_t c = 16; c < stride; c += 16)                                          \
      for (int i = 0; i < 16; ++i) low[i] = row[c + i] < low[i] ? row[c + i] : low[i]; \
    CELL best = low[0];                                                                \
    for (int i = 1; i < 16; ++i) best = low[i] < best ? low[i] : best;                 \
    return best;                                                                       \
  }                                                                                    \
  /* How many cells of a row equal `value`. */                                         \
  static inline int32_t row_count_##SUFFIX(const CELL *row, int32_t stride, CELL value) { \
    int32_t count = 0;                                                                 \
    for (int32_t c = 0; c < stride; ++c) count += row[c] == value;                     \
    return count;                                                                      \
  }                                                                                    \
  /* Index of the cell number `nth` (from 0) that equals `value`. */                   \
  static inline int32_t row_find_##SUFFIX(const CELL *row, int32_t stride, CELL value, \
                                          int32_t nth) {                               \
    for (int32_t c = 0; c < stride; ++c)                                               \
      if (row[c] == value && nth-- == 0) return c;                                     \
    return -1;                                                                         \
  }

#define PORTABLE_KEYS(SUFFIX, KEY, CELL)                                                  \
  static inline KEY keys_min_##SUFFIX(const KEY *key, int32_t padded) {                   \
    KEY low[16];                                                                          \
    memcpy(low, key, sizeof low);                                                         \
    for (int32_t j = 16; j < padded; j += 16)                                             \
      for (int i = 0; i < 16; ++i) low[i] = key[j + i] < low[i] ? key[j + i] : low[i];    \
    KEY best = low[0];                                                                    \
    for (int i = 1; i < 16; ++i) best = low[i] < best ? low[i] : best;                    \
    return best;                                                                          \
  }                                                                                       \
  /* Bits of the keys at `at`.. `at` + 63 that equal `value`. */                          \
  static inline uint64_t keys_equal_##SUFFIX(const KEY *key, KEY value) {                 \
    uint64_t bits = 0;                                                                    \
    for (int i = 0; i < 64; ++i) bits |= (uint64_t)(key[i] == value) << i;                \
    return bits;                                                                          \
  }                                                                                       \
  static inline bool own_above_##SUFFIX(const CELL *own, int32_t padded, CELL gap) {      \
    CELL high = 0;                                                                        \
    for (int32_t j = 0; j < padded; ++j) high = own[j] > high ? own[j] : high;            \
    return high > gap;                                                                    \
  }

PORTABLE_ROW(u8, uint8_t)
PORTABLE_ROW(u16, uint16_t)
PORTABLE_KEYS(u8, int8_t, uint8_t)
PORTABLE_KEYS(u16, int16_t, uint16_t)

/* to[i] += w[i], from[i] -= w[i] for 64 cells. */
static inline void column_move_weight(uint16_t *from, uint16_t *to, const uint16_t *w) {
  for (int i = 0; i < 64; ++i) {
    from[i] = (uint16_t)(from[i] - w[i]);
    to[i] = (uint16_t)(to[i] + w[i]);
  }
}

#endif
