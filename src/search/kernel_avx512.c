/* The gamma kernels, avx512 form. */
#if defined(__x86_64__)
#include "search/simd_avx512.h"

#define PRISM_ISA_NAME "avx512"
#define PRISM_ISA_TABLE prism_isa_avx512
#include "search/kernel_instances.h"
#endif
