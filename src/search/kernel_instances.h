/* One instruction set's kernels for the three cell types. The including file has
 * defined PRISM_ISA_NAME and PRISM_ISA_TABLE, and included its simd_*.h. */
#include <math.h>
#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/coloring.h"
#include "search/state.h"

#define CELL uint8_t
#define KEY int8_t
#define U u8
#define WEIGHTED 0
#define KERNEL(name) u8_##name
#include "search/kernel_body.h"

#define CELL uint16_t
#define KEY int16_t
#define U u16
#define WEIGHTED 0
#define KERNEL(name) u16_##name
#include "search/kernel_body.h"

#define CELL uint16_t
#define KEY int16_t
#define U u16
#define WEIGHTED 1
#define KERNEL(name) weight_##name
#include "search/kernel_body.h"

const prism_isa_t PRISM_ISA_TABLE = {
    PRISM_ISA_NAME, {&u8_kernels, &u16_kernels, &weight_kernels}};
