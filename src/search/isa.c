#include "search/state.h"

#include <stddef.h>

#if defined(__x86_64__)
static bool has_avx512(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("bmi2");
}

static bool has_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

const prism_isa_t *prism_isa_select(int32_t choice) {
  if ((choice == 0 || choice == 1) && has_avx512()) return &prism_isa_avx512;
  if ((choice == 0 || choice == 2) && has_avx2()) return &prism_isa_avx2;
  return choice == 0 || choice == 3 ? &prism_isa_portable : NULL;
}
#else
const prism_isa_t *prism_isa_select(int32_t choice) {
  return choice == 0 || choice == 3 ? &prism_isa_portable : NULL;
}
#endif
