/* The vector primitives of every instruction set in one program: search/simd_*.h
 * define the same names, which get a prefix each here. */
#ifndef PRISM_TESTS_SIMD_SETS_H
#define PRISM_TESTS_SIMD_SETS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef struct simd_set {
  const char *name;
  void (*column_move_u8)(uint8_t *from, uint8_t *to, uint64_t lanes);
  void (*column_add_u8)(uint8_t *to, uint64_t lanes);
  void (*column_sub_u8)(uint8_t *from, uint64_t lanes);
  void (*column_move_u16)(uint16_t *from, uint16_t *to, uint64_t lanes);
  void (*column_add_u16)(uint16_t *to, uint64_t lanes);
  void (*column_sub_u16)(uint16_t *from, uint64_t lanes);
  void (*column_move_weight)(uint16_t *from, uint16_t *to, const uint16_t *w);
  uint8_t (*row_min_u8)(const uint8_t *row, int32_t stride);
  int32_t (*row_count_u8)(const uint8_t *row, int32_t stride, uint8_t value);
  int32_t (*row_find_u8)(const uint8_t *row, int32_t stride, uint8_t value, int32_t nth);
  uint16_t (*row_min_u16)(const uint16_t *row, int32_t stride);
  int32_t (*row_count_u16)(const uint16_t *row, int32_t stride, uint16_t value);
  int32_t (*row_find_u16)(const uint16_t *row, int32_t stride, uint16_t value, int32_t nth);
  int8_t (*keys_min_u8)(const int8_t *key, int32_t padded);
  uint64_t (*keys_equal_u8)(const int8_t *key, int8_t value);
  bool (*own_above_u8)(const uint8_t *own, int32_t padded, uint8_t gap);
  int16_t (*keys_min_u16)(const int16_t *key, int32_t padded);
  uint64_t (*keys_equal_u16)(const int16_t *key, int16_t value);
  bool (*own_above_u16)(const uint16_t *own, int32_t padded, uint16_t gap);
  /* One step of a short row from a to b; NULL where the set has no such rows. */
  uint8_t (*shift_row)(uint8_t *row, int32_t stride, int32_t a, int32_t b, int32_t *ties);
} simd_set_t;

#define SIMD_PASTE2(a, b) a##b
#define SIMD_PASTE(a, b) SIMD_PASTE2(a, b)
#define SIMD_NAME(name) SIMD_PASTE(SIMD_PREFIX, name)
#define mask_select SIMD_NAME(mask_select)
#define column_move_u8 SIMD_NAME(column_move_u8)
#define column_add_u8 SIMD_NAME(column_add_u8)
#define column_sub_u8 SIMD_NAME(column_sub_u8)
#define column_move_u16 SIMD_NAME(column_move_u16)
#define column_add_u16 SIMD_NAME(column_add_u16)
#define column_sub_u16 SIMD_NAME(column_sub_u16)
#define column_move_weight SIMD_NAME(column_move_weight)
#define row_min_u8 SIMD_NAME(row_min_u8)
#define row_count_u8 SIMD_NAME(row_count_u8)
#define row_find_u8 SIMD_NAME(row_find_u8)
#define row_min_u16 SIMD_NAME(row_min_u16)
#define row_count_u16 SIMD_NAME(row_count_u16)
#define row_find_u16 SIMD_NAME(row_find_u16)
#define keys_min_u8 SIMD_NAME(keys_min_u8)
#define keys_equal_u8 SIMD_NAME(keys_equal_u8)
#define own_above_u8 SIMD_NAME(own_above_u8)
#define keys_min_u16 SIMD_NAME(keys_min_u16)
#define keys_equal_u16 SIMD_NAME(keys_equal_u16)
#define own_above_u16 SIMD_NAME(own_above_u16)
#define row_shift_scan_u8 SIMD_NAME(row_shift_scan_u8)
#define row_shift_make_u8 SIMD_NAME(row_shift_make_u8)
#define row_shift_u8 SIMD_NAME(row_shift_u8)
#define row_shift_u8_t SIMD_NAME(row_shift_u8_t)

/* In the order of simd_set_t. */
#define SIMD_SET(text, shift)                                                                 \
  {text,          column_move_u8, column_add_u8, column_sub_u8, column_move_u16,              \
   column_add_u16, column_sub_u16, column_move_weight, row_min_u8, row_count_u8, row_find_u8, \
   row_min_u16,   row_count_u16,  row_find_u16,  keys_min_u8,   keys_equal_u8, own_above_u8,  \
   keys_min_u16,  keys_equal_u16, own_above_u16, shift}

#define SHIFT_ROW                                                                            \
  static uint8_t SIMD_NAME(shift_row)(uint8_t *row, int32_t stride, int32_t a, int32_t b,    \
                                      int32_t *ties) {                                       \
    return row_shift_scan_u8(row, stride, row_shift_make_u8(a, b), ties);                    \
  }

#define SIMD_PREFIX portable_
#include "search/simd_portable.h"
static const simd_set_t simd_portable = SIMD_SET("portable", NULL);
#undef SIMD_PREFIX
#undef SHORT_ROW_u8
#undef SHORT_ROW_u16

#if defined(__x86_64__)
#define SIMD_PREFIX avx2_
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt,lzcnt")
#endif
#include "search/simd_avx2.h"
SHIFT_ROW
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
static const simd_set_t simd_avx2 = SIMD_SET("avx2", SIMD_NAME(shift_row));
#undef SIMD_PREFIX
#undef SHORT_ROW_u8
#undef SHORT_ROW_u16

#define SIMD_PREFIX avx512_
#if defined(__clang__)
#pragma clang attribute push(                                                             \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2,popcnt,lzcnt"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2,popcnt,lzcnt")
#endif
#include "search/simd_avx512.h"
SHIFT_ROW
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
static const simd_set_t simd_avx512 = SIMD_SET("avx512", SIMD_NAME(shift_row));
#undef SIMD_PREFIX
#undef SHORT_ROW_u8
#undef SHORT_ROW_u16
#endif

#undef SHIFT_ROW
#undef mask_select
#undef column_move_u8
#undef column_add_u8
#undef column_sub_u8
#undef column_move_u16
#undef column_add_u16
#undef column_sub_u16
#undef column_move_weight
#undef row_min_u8
#undef row_count_u8
#undef row_find_u8
#undef row_min_u16
#undef row_count_u16
#undef row_find_u16
#undef keys_min_u8
#undef keys_equal_u8
#undef own_above_u8
#undef keys_min_u16
#undef keys_equal_u16
#undef own_above_u16
#undef row_shift_scan_u8
#undef row_shift_make_u8
#undef row_shift_u8
#undef row_shift_u8_t

#endif
