/* Vector primitives for AVX-512 (F, BW, VL, DQ); see simd_portable.h. */
#ifndef PRISM_SEARCH_SIMD_AVX512_H
#define PRISM_SEARCH_SIMD_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define SHORT_ROW_u8 64
#define SHORT_ROW_u16 0

/* -1 at cell a and +1 at cell b of a short row. */
typedef __m512i row_shift_u8_t;

static inline row_shift_u8_t row_shift_make_u8(int32_t a, int32_t b) {
  __m512i less = _mm512_maskz_set1_epi8(1ull << a, -1);
  return _mm512_mask_set1_epi8(less, 1ull << b, 1);
}

/* Apply the shift to a row of at most 64 cells and scan it. The row stays in a register:
 * a vector load after byte stores would wait for them to reach the cache.
 * [out] ties  cells that equal the smallest one, which is returned. */
static inline uint8_t row_shift_scan_u8(uint8_t *row, int32_t stride, row_shift_u8_t shift,
                                        int32_t *ties) {
  __m256i low, high = _mm256_set1_epi8(-1);
  if (stride == 64) {
    __m512i x = _mm512_add_epi8(_mm512_loadu_si512(row), shift);
    _mm512_storeu_si512(row, x);
    low = _mm512_castsi512_si256(x);
    high = _mm512_extracti64x4_epi64(x, 1);
  } else {
    low = _mm256_add_epi8(_mm256_loadu_si256((const __m256i *)(const void *)row),
                          _mm512_castsi512_si256(shift));
    _mm256_storeu_si256((__m256i *)(void *)row, low);
  }
  __m256i a = _mm256_min_epu8(low, high);
  __m128i b = _mm_min_epu8(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  b = _mm_min_epu8(b, _mm_srli_epi16(b, 8));
  b = _mm_minpos_epu16(_mm_and_si128(b, _mm_set1_epi16(0xFF)));
  __m256i least = _mm256_broadcastb_epi8(b);
  *ties = _mm_popcnt_u32(_mm256_cmpeq_epi8_mask(low, least));
  if (stride == 64) *ties += _mm_popcnt_u32(_mm256_cmpeq_epi8_mask(high, least));
  return (uint8_t)_mm_cvtsi128_si32(b);
}

static inline void column_move_u8(uint8_t *from, uint8_t *to, uint64_t lanes) {
  const __m512i one = _mm512_set1_epi8(1);
  __m512i f = _mm512_loadu_si512(from), t = _mm512_loadu_si512(to);
  _mm512_storeu_si512(from, _mm512_mask_sub_epi8(f, lanes, f, one));
  _mm512_storeu_si512(to, _mm512_mask_add_epi8(t, lanes, t, one));
}

static inline void column_add_u8(uint8_t *to, uint64_t lanes) {
  __m512i t = _mm512_loadu_si512(to);
  _mm512_storeu_si512(to, _mm512_mask_add_epi8(t, lanes, t, _mm512_set1_epi8(1)));
}

static inline void column_sub_u8(uint8_t *from, uint64_t lanes) {
  __m512i f = _mm512_loadu_si512(from);
  _mm512_storeu_si512(from, _mm512_mask_sub_epi8(f, lanes, f, _mm512_set1_epi8(1)));
}

static inline void column_add_u16(uint16_t *to, uint64_t lanes) {
  const __m512i one = _mm512_set1_epi16(1);
  for (int i = 0; i < 2; ++i) {
    __m512i t = _mm512_loadu_si512(to + 32 * i);
    _mm512_storeu_si512(to + 32 * i,
                        _mm512_mask_add_epi16(t, (__mmask32)(lanes >> (32 * i)), t, one));
  }
}

static inline void column_sub_u16(uint16_t *from, uint64_t lanes) {
  const __m512i one = _mm512_set1_epi16(1);
  for (int i = 0; i < 2; ++i) {
    __m512i f = _mm512_loadu_si512(from + 32 * i);
    _mm512_storeu_si512(from + 32 * i,
                        _mm512_mask_sub_epi16(f, (__mmask32)(lanes >> (32 * i)), f, one));
  }
}

static inline void column_move_u16(uint16_t *from, uint16_t *to, uint64_t lanes) {
  column_sub_u16(from, lanes);
  column_add_u16(to, lanes);
}

static inline void column_move_weight(uint16_t *from, uint16_t *to, const uint16_t *w) {
  for (int i = 0; i < 64; i += 32) {
    __m512i x = _mm512_loadu_si512(w + i);
    _mm512_storeu_si512(from + i, _mm512_sub_epi16(_mm512_loadu_si512(from + i), x));
    _mm512_storeu_si512(to + i, _mm512_add_epi16(_mm512_loadu_si512(to + i), x));
  }
}

/* The last 32 cells of a row whose stride is an odd multiple of 32. */
static inline __m512i row_load_u8(const uint8_t *row, int32_t c, int32_t stride) {
  if (c + 64 <= stride) return _mm512_loadu_si512(row + c);
  return _mm512_inserti64x4(_mm512_set1_epi8(-1),
                            _mm256_loadu_si256((const __m256i *)(const void *)(row + c)), 0);
}

static inline uint8_t row_min_u8(const uint8_t *row, int32_t stride) {
  __m512i low = row_load_u8(row, 0, stride);
  for (int32_t c = 64; c < stride; c += 64) low = _mm512_min_epu8(low, row_load_u8(row, c, stride));
  __m256i a = _mm256_min_epu8(_mm512_castsi512_si256(low), _mm512_extracti64x4_epi64(low, 1));
  __m128i b = _mm_min_epu8(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  b = _mm_min_epu8(b, _mm_srli_epi16(b, 8));
  return (uint8_t)_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_and_si128(b, _mm_set1_epi16(0xFF))));
}

static inline int32_t row_count_u8(const uint8_t *row, int32_t stride, uint8_t value) {
  int32_t count = 0;
  const __m512i x = _mm512_set1_epi8((char)value);
  for (int32_t c = 0; c < stride; c += 64)
    count += (int32_t)_mm_popcnt_u64(_mm512_cmpeq_epi8_mask(row_load_u8(row, c, stride), x));
  return count;
}

/* Index of the set bit number nth of a mask. */
static inline int32_t mask_select(uint64_t mask, int32_t nth) {
  return (int32_t)_tzcnt_u64(_pdep_u64(1ull << nth, mask));
}

static inline int32_t row_find_u8(const uint8_t *row, int32_t stride, uint8_t value, int32_t nth) {
  const __m512i x = _mm512_set1_epi8((char)value);
  for (int32_t c = 0; c < stride; c += 64) {
    uint64_t mask = _mm512_cmpeq_epi8_mask(row_load_u8(row, c, stride), x);
    int32_t here = (int32_t)_mm_popcnt_u64(mask);
    if (nth < here) return c + mask_select(mask, nth);
    nth -= here;
  }
  return -1;
}

static inline uint16_t row_min_u16(const uint16_t *row, int32_t stride) {
  __m512i low = _mm512_loadu_si512(row);
  for (int32_t c = 32; c < stride; c += 32)
    low = _mm512_min_epu16(low, _mm512_loadu_si512(row + c));
  __m256i a = _mm256_min_epu16(_mm512_castsi512_si256(low), _mm512_extracti64x4_epi64(low, 1));
  __m128i b = _mm_min_epu16(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  return (uint16_t)_mm_cvtsi128_si32(_mm_minpos_epu16(b));
}

static inline int32_t row_count_u16(const uint16_t *row, int32_t stride, uint16_t value) {
  int32_t count = 0;
  const __m512i x = _mm512_set1_epi16((short)value);
  for (int32_t c = 0; c < stride; c += 32)
    count += (int32_t)_mm_popcnt_u32(_mm512_cmpeq_epi16_mask(_mm512_loadu_si512(row + c), x));
  return count;
}

static inline int32_t row_find_u16(const uint16_t *row, int32_t stride, uint16_t value,
                                   int32_t nth) {
  const __m512i x = _mm512_set1_epi16((short)value);
  for (int32_t c = 0; c < stride; c += 32) {
    uint64_t mask = _mm512_cmpeq_epi16_mask(_mm512_loadu_si512(row + c), x);
    int32_t here = (int32_t)_mm_popcnt_u64(mask);
    if (nth < here) return c + mask_select(mask, nth);
    nth -= here;
  }
  return -1;
}

static inline int8_t keys_min_u8(const int8_t *key, int32_t padded) {
  __m512i low = _mm512_loadu_si512(key);
  for (int32_t j = 64; j < padded; j += 64) low = _mm512_min_epi8(low, _mm512_loadu_si512(key + j));
  low = _mm512_xor_si512(low, _mm512_set1_epi8((char)0x80)); /* order as unsigned */
  __m256i a = _mm256_min_epu8(_mm512_castsi512_si256(low), _mm512_extracti64x4_epi64(low, 1));
  __m128i b = _mm_min_epu8(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  b = _mm_min_epu8(b, _mm_srli_epi16(b, 8));
  int32_t low8 = _mm_cvtsi128_si32(_mm_minpos_epu16(_mm_and_si128(b, _mm_set1_epi16(0xFF))));
  return (int8_t)((low8 & 0xFF) - 128);
}

static inline uint64_t keys_equal_u8(const int8_t *key, int8_t value) {
  return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(key), _mm512_set1_epi8(value));
}

static inline bool own_above_u8(const uint8_t *own, int32_t padded, uint8_t gap) {
  const __m512i x = _mm512_set1_epi8((char)gap);
  uint64_t any = 0;
  for (int32_t j = 0; j < padded; j += 64)
    any |= _mm512_cmpgt_epu8_mask(_mm512_loadu_si512(own + j), x);
  return any != 0;
}

static inline int16_t keys_min_u16(const int16_t *key, int32_t padded) {
  __m512i low = _mm512_loadu_si512(key);
  for (int32_t j = 32; j < padded; j += 32)
    low = _mm512_min_epi16(low, _mm512_loadu_si512(key + j));
  low = _mm512_xor_si512(low, _mm512_set1_epi16((short)0x8000));
  __m256i a = _mm256_min_epu16(_mm512_castsi512_si256(low), _mm512_extracti64x4_epi64(low, 1));
  __m128i b = _mm_min_epu16(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  return (int16_t)((_mm_cvtsi128_si32(_mm_minpos_epu16(b)) & 0xFFFF) - 32768);
}

static inline uint64_t keys_equal_u16(const int16_t *key, int16_t value) {
  const __m512i x = _mm512_set1_epi16(value);
  return _mm512_cmpeq_epi16_mask(_mm512_loadu_si512(key), x) |
         (uint64_t)_mm512_cmpeq_epi16_mask(_mm512_loadu_si512(key + 32), x) << 32;
}

static inline bool own_above_u16(const uint16_t *own, int32_t padded, uint16_t gap) {
  const __m512i x = _mm512_set1_epi16((short)gap);
  uint32_t any = 0;
  for (int32_t j = 0; j < padded; j += 32)
    any |= _mm512_cmpgt_epu16_mask(_mm512_loadu_si512(own + j), x);
  return any != 0;
}

#endif
