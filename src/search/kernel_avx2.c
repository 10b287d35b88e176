/* The gamma kernels, avx2 form. */
#if defined(__x86_64__)
#include "search/simd_avx2.h"

#define PRISM_ISA_NAME "avx2"
#define PRISM_ISA_TABLE prism_isa_avx2
#include "search/kernel_instances.h"
#endif
