/* Vector primitives for AVX2; see simd_portable.h. */
#ifndef PRISM_SEARCH_SIMD_AVX2_H
#define PRISM_SEARCH_SIMD_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

static inline __m256i load256(const void *at) {
  return _mm256_loadu_si256((const __m256i *)at);
}
static inline void store256(void *at, __m256i x) { _mm256_storeu_si256((__m256i *)at, x); }

#define SHORT_ROW_u8 64
#define SHORT_ROW_u16 0

/* -1 at cell a and +1 at cell b of a short row. */
typedef struct row_shift_u8 {
  __m256i half[2];
} row_shift_u8_t;

static inline row_shift_u8_t row_shift_make_u8(int32_t a, int32_t b) {
  int8_t cell[64] = {0};
  cell[a] = -1;
  cell[b] = 1;
  return (row_shift_u8_t){{load256(cell), load256(cell + 32)}};
}

/* Apply the shift to a row of at most 64 cells and scan it. The row stays in registers:
 * a vector load after byte stores would wait for them to reach the cache.
 * [out] ties  cells that equal the smallest one, which is returned. */
static inline uint8_t row_shift_scan_u8(uint8_t *row, int32_t stride, row_shift_u8_t shift,
                                        int32_t *ties) {
  __m256i low = _mm256_add_epi8(load256(row), shift.half[0]), high = _mm256_set1_epi8(-1);
  store256(row, low);
  if (stride == 64) {
    high = _mm256_add_epi8(load256(row + 32), shift.half[1]);
    store256(row + 32, high);
  }
  __m256i a = _mm256_min_epu8(low, high);
  __m128i b = _mm_min_epu8(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  b = _mm_min_epu8(b, _mm_srli_epi16(b, 8));
  b = _mm_minpos_epu16(_mm_and_si128(b, _mm_set1_epi16(0xFF)));
  __m256i least = _mm256_broadcastb_epi8(b);
  *ties = _mm_popcnt_u32((uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, least)));
  if (stride == 64)
    *ties += _mm_popcnt_u32((uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, least)));
  return (uint8_t)_mm_cvtsi128_si32(b);
}

/* 32 bits to 32 bytes: -1 where the bit is set. */
static inline __m256i spread_u8(uint32_t bits) {
  const __m256i which = _mm256_setr_epi64x(0x0000000000000000ll, 0x0101010101010101ll,
                                           0x0202020202020202ll, 0x0303030303030303ll);
  const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201ull);
  __m256i x = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), which);
  return _mm256_cmpeq_epi8(_mm256_and_si256(x, bit), bit);
}

/* 16 bits to 16 halves: -1 where the bit is set. */
static inline __m256i spread_u16(uint32_t bits) {
  const __m256i bit = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096,
                                        8192, 16384, (short)0x8000);
  __m256i x = _mm256_set1_epi16((short)bits);
  return _mm256_cmpeq_epi16(_mm256_and_si256(x, bit), bit);
}

static inline void column_move_u8(uint8_t *from, uint8_t *to, uint64_t lanes) {
  for (int i = 0; i < 64; i += 32) {
    __m256i mask = spread_u8((uint32_t)(lanes >> i));
    store256(from + i, _mm256_add_epi8(load256(from + i), mask));
    store256(to + i, _mm256_sub_epi8(load256(to + i), mask));
  }
}

static inline void column_add_u8(uint8_t *to, uint64_t lanes) {
  for (int i = 0; i < 64; i += 32)
    store256(to + i, _mm256_sub_epi8(load256(to + i), spread_u8((uint32_t)(lanes >> i))));
}

static inline void column_sub_u8(uint8_t *from, uint64_t lanes) {
  for (int i = 0; i < 64; i += 32)
    store256(from + i, _mm256_add_epi8(load256(from + i), spread_u8((uint32_t)(lanes >> i))));
}

static inline void column_add_u16(uint16_t *to, uint64_t lanes) {
  for (int i = 0; i < 64; i += 16)
    store256(to + i, _mm256_sub_epi16(load256(to + i), spread_u16((uint32_t)(lanes >> i))));
}

static inline void column_sub_u16(uint16_t *from, uint64_t lanes) {
  for (int i = 0; i < 64; i += 16)
    store256(from + i, _mm256_add_epi16(load256(from + i), spread_u16((uint32_t)(lanes >> i))));
}

static inline void column_move_u16(uint16_t *from, uint16_t *to, uint64_t lanes) {
  column_sub_u16(from, lanes);
  column_add_u16(to, lanes);
}

static inline void column_move_weight(uint16_t *from, uint16_t *to, const uint16_t *w) {
  for (int i = 0; i < 64; i += 16) {
    __m256i x = load256(w + i);
    store256(from + i, _mm256_sub_epi16(load256(from + i), x));
    store256(to + i, _mm256_add_epi16(load256(to + i), x));
  }
}

static inline uint8_t fold_min_u8(__m256i low) {
  __m128i b = _mm_min_epu8(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
  b = _mm_min_epu8(b, _mm_srli_epi16(b, 8));
  return (uint8_t)_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_and_si128(b, _mm_set1_epi16(0xFF))));
}

static inline uint16_t fold_min_u16(__m256i low) {
  __m128i b = _mm_min_epu16(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
  return (uint16_t)_mm_cvtsi128_si32(_mm_minpos_epu16(b));
}

static inline uint8_t row_min_u8(const uint8_t *row, int32_t stride) {
  __m256i low = load256(row);
  for (int32_t c = 32; c < stride; c += 32) low = _mm256_min_epu8(low, load256(row + c));
  return fold_min_u8(low);
}

static inline uint16_t row_min_u16(const uint16_t *row, int32_t stride) {
  __m256i low = load256(row);
  for (int32_t c = 16; c < stride; c += 16) low = _mm256_min_epu16(low, load256(row + c));
  return fold_min_u16(low);
}

/* Bits of 32 cells that equal x. */
static inline uint32_t equal_bits_u8(const void *at, __m256i x) {
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load256(at), x));
}
static inline uint32_t equal_bits_u16(const uint16_t *at, __m256i x) {
  __m256i low = _mm256_cmpeq_epi16(load256(at), x), high = _mm256_cmpeq_epi16(load256(at + 16), x);
  return (uint32_t)_mm256_movemask_epi8(
      _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xD8));
}

static inline int32_t row_count_u8(const uint8_t *row, int32_t stride, uint8_t value) {
  int32_t count = 0;
  const __m256i x = _mm256_set1_epi8((char)value);
  for (int32_t c = 0; c < stride; c += 32) count += _mm_popcnt_u32(equal_bits_u8(row + c, x));
  return count;
}

static inline int32_t row_count_u16(const uint16_t *row, int32_t stride, uint16_t value) {
  int32_t count = 0;
  const __m256i x = _mm256_set1_epi16((short)value);
  for (int32_t c = 0; c < stride; c += 32) count += _mm_popcnt_u32(equal_bits_u16(row + c, x));
  return count;
}

/* Index of the set bit number nth of a mask. */
static inline int32_t mask_select(uint32_t mask, int32_t nth) {
  return (int32_t)_tzcnt_u32(_pdep_u32(1u << nth, mask));
}

static inline int32_t row_find_u8(const uint8_t *row, int32_t stride, uint8_t value, int32_t nth) {
  const __m256i x = _mm256_set1_epi8((char)value);
  for (int32_t c = 0; c < stride; c += 32) {
    uint32_t mask = equal_bits_u8(row + c, x);
    int32_t here = _mm_popcnt_u32(mask);
    if (nth < here) return c + mask_select(mask, nth);
    nth -= here;
  }
  return -1;
}

static inline int32_t row_find_u16(const uint16_t *row, int32_t stride, uint16_t value,
                                   int32_t nth) {
  const __m256i x = _mm256_set1_epi16((short)value);
  for (int32_t c = 0; c < stride; c += 32) {
    uint32_t mask = equal_bits_u16(row + c, x);
    int32_t here = _mm_popcnt_u32(mask);
    if (nth < here) return c + mask_select(mask, nth);
    nth -= here;
  }
  return -1;
}

static inline int8_t keys_min_u8(const int8_t *key, int32_t padded) {
  __m256i low = load256(key);
  for (int32_t j = 32; j < padded; j += 32) low = _mm256_min_epi8(low, load256(key + j));
  return (int8_t)(fold_min_u8(_mm256_xor_si256(low, _mm256_set1_epi8((char)0x80))) - 128);
}

static inline uint64_t keys_equal_u8(const int8_t *key, int8_t value) {
  const __m256i x = _mm256_set1_epi8(value);
  return equal_bits_u8(key, x) | (uint64_t)equal_bits_u8(key + 32, x) << 32;
}

static inline bool own_above_u8(const uint8_t *own, int32_t padded, uint8_t gap) {
  __m256i high = load256(own);
  for (int32_t j = 32; j < padded; j += 32) high = _mm256_max_epu8(high, load256(own + j));
  const __m256i x = _mm256_set1_epi8((char)gap);
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(high, x), x)) !=
         0xFFFFFFFFu;
}

static inline int16_t keys_min_u16(const int16_t *key, int32_t padded) {
  __m256i low = load256(key);
  for (int32_t j = 16; j < padded; j += 16) low = _mm256_min_epi16(low, load256(key + j));
  return (int16_t)(fold_min_u16(_mm256_xor_si256(low, _mm256_set1_epi16((short)0x8000))) - 32768);
}

static inline uint64_t keys_equal_u16(const int16_t *key, int16_t value) {
  const __m256i x = _mm256_set1_epi16(value);
  return equal_bits_u16((const uint16_t *)key, x) |
         (uint64_t)equal_bits_u16((const uint16_t *)key + 32, x) << 32;
}

static inline bool own_above_u16(const uint16_t *own, int32_t padded, uint16_t gap) {
  __m256i high = load256(own);
  for (int32_t j = 16; j < padded; j += 16) high = _mm256_max_epu16(high, load256(own + j));
  const __m256i x = _mm256_set1_epi16((short)gap);
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi16(_mm256_max_epu16(high, x), x)) !=
         0xFFFFFFFFu;
}

#endif
