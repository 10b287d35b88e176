/* The gamma table on the device, and the small tools of its kernels.
 *
 * gamma[v][c] = number of neighbours of v with colour c, held colour-major: row c
 * is an array of 32-bit words, each with the cells of 4 (u8) or 2 (u16) consecutive
 * vertices. A move of v from a to b then adds v's adjacency bits, spread over the
 * cells of a word, to row b and takes them from row a: a warp updates 128 vertices
 * with two loads and two stores. Rows are an odd number of words apart, so that the
 * 32 lanes of a warp read the cells of one vertex in 32 colours without a bank
 * conflict. The top bit of a cell means "forbidden" (tabu, or the vertex's own
 * colour); counts stay below it (see prism_gamma_u8_fits). */
#ifndef PRISM_CUDA_KERNELS_GAMMA_CUH
#define PRISM_CUDA_KERNELS_GAMMA_CUH

#include <stdint.h>

static const unsigned FULL_WARP = 0xFFFFFFFFu;

struct CellU8 {
  typedef uint8_t type;
  static const int PER_WORD = 4;
  static const uint32_t FORBID = 0x80u;     /* of one cell */
  static const uint32_t FORBIDS = 0x80808080u;
  static const uint32_t ONES = 0x01010101u;
  static const int DELTA_SHIFT = 22;        /* of a delta in a move's key */
  static const int32_t DELTA_ZERO = 256;
  static const int COUNT_SHIFT = 24;        /* of a count in a colour's key */
  /* Bits 0..3 to the lowest bits of the four cells. */
  static __device__ __forceinline__ uint32_t spread(uint32_t bits) {
    return (bits * 0x00204081u) & ONES;
  }
};

struct CellU16 {
  typedef uint16_t type;
  static const int PER_WORD = 2;
  static const uint32_t FORBID = 0x8000u;
  static const uint32_t FORBIDS = 0x80008000u;
  static const uint32_t ONES = 0x00010001u;
  static const int DELTA_SHIFT = 15;
  static const int32_t DELTA_ZERO = 32768;
  static const int COUNT_SHIFT = 17;
  static __device__ __forceinline__ uint32_t spread(uint32_t bits) {
    return (bits | bits << 15) & ONES;
  }
};

/* Words of a row of `vertices` cells, odd. */
template <class Cell>
__host__ __device__ __forceinline__ int32_t gamma_stride(int32_t vertices) {
  return ((vertices + Cell::PER_WORD - 1) / Cell::PER_WORD) | 1;
}

/* Cell of vertex v (counted from the table's first) in colour c. */
template <class Cell>
__device__ __forceinline__ typename Cell::type *gamma_cell(uint32_t *gamma, int32_t stride,
                                                           int32_t c, int32_t v) {
  return (typename Cell::type *)(gamma + (size_t)c * (size_t)stride) + v;
}

/* The adjacency bits of the PER_WORD vertices of word w, in a row of bits. */
template <class Cell>
__device__ __forceinline__ uint32_t row_bits(uint32_t row_word, int32_t w) {
  return (row_word >> ((w * Cell::PER_WORD) & 31)) & ((1u << Cell::PER_WORD) - 1u);
}

/* Top bits of the cells of x that are zero; cells of x hold anything. */
template <class Cell>
__device__ __forceinline__ uint32_t zero_cells(uint32_t x) {
  uint32_t low = ~Cell::FORBIDS;
  return ~(((x & low) + low) | x) & Cell::FORBIDS;
}

/* A lane's own cheap random numbers: a linear congruential generator (the constants
 * of Knuth and Lewis, in Press et al. 1992) whose start comes from Philox. The high
 * bits are the good ones. */
__device__ __forceinline__ uint32_t lcg_next(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state;
}

__device__ __forceinline__ uint32_t lcg_below(uint32_t *state, uint32_t bound) {
  return __umulhi(lcg_next(state), bound);
}

#endif
