/* The gamma kernels, portable form. */
#include "search/simd_portable.h"

#define PRISM_ISA_NAME "portable"
#define PRISM_ISA_TABLE prism_isa_portable
#include "search/kernel_instances.h"
