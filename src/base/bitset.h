/* Word-level helpers for bit sets held as arrays of 64-bit words. */
#ifndef PRISM_BASE_BITSET_H
#define PRISM_BASE_BITSET_H

#include <stdbool.h>
#include <stdint.h>

/* Words that hold `bits` bits. */
static inline int32_t prism_bitset_words(int32_t bits) { return (bits + 63) / 64; }

static inline bool prism_bitset_has(const uint64_t *set, int32_t i) {
  return (set[i >> 6] >> (i & 63)) & 1u;
}
static inline void prism_bitset_add(uint64_t *set, int32_t i) { set[i >> 6] |= 1ull << (i & 63); }
static inline void prism_bitset_remove(uint64_t *set, int32_t i) {
  set[i >> 6] &= ~(1ull << (i & 63));
}
/* Index of the lowest set bit; word != 0. */
static inline int32_t prism_bitset_lowest(uint64_t word) { return (int32_t)__builtin_ctzll(word); }
static inline int32_t prism_bitset_count_word(uint64_t word) {
  return (int32_t)__builtin_popcountll(word);
}

#endif
