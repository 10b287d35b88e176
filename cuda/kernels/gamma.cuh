/* The gamma table on the device, and the small tools of its kernels.
 *
 * gamma[v][c] = number of neighbours of v with colour c, held colour-major: row c
 * is an array of 32-bit words, each with the cells of 5 (6 bits), 4 (8) or 2 (16)
 * consecutive vertices. A move of v from a to b then adds v's adjacency bits, spread over the
 * cells of a word, to row b and takes them from row a: a warp updates 128 vertices
 * with two loads and two stores. Rows are an odd number of words apart, so that the
 * 32 lanes of a warp read the cells of one vertex in 32 colours without a bank
 * conflict. The top bit of a cell means "forbidden" (tabu, or the vertex's own
 * colour); counts stay below it, because classes do (see resize in tabucol.cuh). */
#ifndef PRISM_CUDA_KERNELS_GAMMA_CUH
#define PRISM_CUDA_KERNELS_GAMMA_CUH

#include <stdint.h>

static const unsigned FULL_WARP = 0xFFFFFFFFu;

/* The vertices of small classes: a third more individuals fit a multiprocessor. */
struct CellU6 {
  static const int PER_WORD = 5, BITS = 6;
  static const uint32_t FORBID = 0x20u;
  static const uint32_t FORBIDS = 0x20820820u;
  static const uint32_t ONES = 0x01041041u;
  static const int DELTA_SHIFT = 22;
  static const int32_t DELTA_ZERO = 256;
  static const int COUNT_SHIFT = 24;
  static __device__ __forceinline__ uint32_t spread(uint32_t bits) {
    return (bits * 0x00108421u) & ONES;
  }
};

struct CellU8 {
  typedef uint8_t type;
  static const int PER_WORD = 4, BITS = 8;
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
  static const int PER_WORD = 2, BITS = 16;
  static const uint32_t FORBID = 0x8000u;
  static const uint32_t FORBIDS = 0x80008000u;
  static const uint32_t ONES = 0x00010001u;
  static const int DELTA_SHIFT = 16;
  static const int32_t DELTA_ZERO = 32768;
  static const int COUNT_SHIFT = 16;
  static __device__ __forceinline__ uint32_t spread(uint32_t bits) {
    return (bits | bits << 15) & ONES;
  }
};

/* Words of a row of `vertices` cells, odd. */
template <class Cell>
__host__ __device__ __forceinline__ int32_t gamma_stride(int32_t vertices) {
  return ((vertices + Cell::PER_WORD - 1) / Cell::PER_WORD) | 1;
}

/* Cell of vertex v (counted from the table's first) in colour c; cells of 8 and 16 bits. */
template <class Cell>
__device__ __forceinline__ typename Cell::type *gamma_cell(uint32_t *gamma, int32_t stride,
                                                           int32_t c, int32_t v) {
  return (typename Cell::type *)(gamma + (size_t)c * (size_t)stride) + v;
}

/* The cells of one vertex (counted from the table's first) in all colours. */
template <class Cell>
struct Column {
  typename Cell::type *cell;
  int32_t step;
  __device__ __forceinline__ Column(uint32_t *gamma, int32_t stride, int32_t v)
      : cell((typename Cell::type *)gamma + v), step(stride * Cell::PER_WORD) {}
  __device__ __forceinline__ uint32_t get(int32_t c) const { return cell[c * step]; }
  __device__ __forceinline__ void put(int32_t c, uint32_t x) const {
    cell[c * step] = (typename Cell::type)x;
  }
};

template <>
struct Column<CellU6> {
  uint32_t *word;
  int32_t step, shift;
  __device__ __forceinline__ Column(uint32_t *gamma, int32_t stride, int32_t v) : step(stride) {
    int32_t w = (int32_t)((uint32_t)v / 5u);
    word = gamma + w;
    shift = 6 * (v - 5 * w);
  }
  __device__ __forceinline__ uint32_t get(int32_t c) const {
    return word[c * step] >> shift & 63u;
  }
  /* Only by the thread that owns the word. */
  __device__ __forceinline__ void put(int32_t c, uint32_t x) const {
    word[c * step] = (word[c * step] & ~(63u << shift)) | x << shift;
  }
};

/* The adjacency bits of the PER_WORD vertices of word w, in a row of bits. */
template <class Cell>
__device__ __forceinline__ uint32_t row_bits(uint32_t row_word, int32_t w) {
  return (row_word >> ((w * Cell::PER_WORD) & 31)) & ((1u << Cell::PER_WORD) - 1u);
}

/* A load that is made here and now, for what follows to find it done. */
__device__ __forceinline__ uint32_t load_early(const uint32_t *address) {
  uint32_t value;
  asm volatile("ld.global.nc.u32 %0, [%1];" : "=r"(value) : "l"(address));
  return value;
}

/* A value to be kept in its register: it shall not be computed anew at every use. */
__device__ __forceinline__ int32_t kept(int32_t value) {
  asm volatile("" : "+r"(value));
  return value;
}

/* The words of a row of bits in memory that hold the bits of word w, cells of any width. */
struct RowPart {
  uint32_t low, high;
};

/* [in] row, offset: the row, or a block's part of it, begins at row[offset]; words: its length */
template <class Cell>
__device__ __forceinline__ RowPart load_part(const uint32_t *row, uint32_t offset, int32_t words,
                                             int32_t w) {
  const uint32_t word = (uint32_t)(w * Cell::PER_WORD) >> 5;
  RowPart part = {load_early(row + (offset + word)), 0};
  if (32 % Cell::PER_WORD != 0)
    part.high = load_early(row + (offset + min(word + 1u, (uint32_t)words - 1u)));
  return part;
}

template <class Cell>
__device__ __forceinline__ uint32_t bits_of(const RowPart &part, int32_t w) {
  const uint32_t at = (uint32_t)(w * Cell::PER_WORD) & 31u;
  const uint32_t bits =
      32 % Cell::PER_WORD != 0 ? __funnelshift_r(part.low, part.high, at) : part.low >> at;
  return bits & ((1u << Cell::PER_WORD) - 1u);
}

/* The same from the row in memory. */
template <class Cell>
__device__ __forceinline__ uint32_t adjacency_bits(const uint32_t *row, uint32_t offset,
                                                   int32_t words, int32_t w) {
  const uint32_t word = (uint32_t)(w * Cell::PER_WORD) >> 5;
  RowPart part = {__ldg(row + (offset + word)), 0};
  if (32 % Cell::PER_WORD != 0)
    part.high = __ldg(row + (offset + min(word + 1u, (uint32_t)words - 1u)));
  return bits_of<Cell>(part, w);
}

__device__ __forceinline__ bool bit_of(const uint32_t *bits, int32_t v) {
  return (bits[v >> 5] >> (v & 31) & 1u) != 0;
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
