/* The gamma kernels for one cell type, as a template.
 *
 * The including file defines CELL, KEY (its signed form), U (suffix of the vector
 * primitives), KERNEL(name) and WEIGHTED (0 or 1), and has included one simd_*.h.
 * No include guard: it is included once per cell type. */

#define FORBID ((CELL)(1u << (8 * sizeof(CELL) - 1)))
#define COUNT(cell) ((CELL)((cell) & (CELL)(FORBID - 1)))
#define NONE ((CELL)(FORBID - 1)) /* best of a slot without an allowed color */
#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define SIMD(name) PASTE(name, U)
#define TILE_OF(s, v) ((CELL *)(s)->gamma + (size_t)((v) >> 6) * (size_t)(s)->k * PRISM_TILE)
#define ROW_OF(s, i) ((CELL *)(s)->rows + (size_t)(i) * (size_t)(s)->stride)
#include "search/kernel_slots_body.h"
#include "search/kernel_start_body.h"
#include "search/kernel_tabucol_body.h"
#include "search/kernel_partialcol_body.h"

static const prism_kernels_t KERNEL(kernels) = {
    PRISM_ISA_NAME,    KERNEL(start),   KERNEL(allow_all),
    KERNEL(arrange),   KERNEL(tabucol), KERNEL(partialcol)};

#undef FORBID
#undef COUNT
#undef NONE
#undef PASTE2
#undef PASTE
#undef SIMD
#undef TILE_OF
#undef ROW_OF
#undef WEIGHT
#undef PARTIAL_WEIGHT
#undef CELL
#undef KEY
#undef U
#undef KERNEL
#undef WEIGHTED
