/* The engine suite on the CPU engine, once for each instruction set that this
 * processor has, or for the one that is named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_suite.h"
#include "search/engine_cpu.h"

static void abandon(void) { exit(1); }

int main(int argc, char **argv) {
  static const char *const name[] = {"auto", "avx512", "avx2", "portable"};
  for (int32_t isa = 1; isa <= 3; ++isa) {
    if (argc > 1 && strcmp(argv[1], name[isa]) != 0) continue;
    prism_params_cpu_t cpu = {.isa = isa};
    if (strcmp(prism_cpu_isa_name(&cpu), "none") == 0) {
      printf("%s: not in this processor\n", name[isa]);
      if (argc > 1) return 77;
      continue;
    }
    engine_suite_t suite = {.backend = prism_cpu_backend(&cpu), .name = name[isa],
                            .exact_budgets = true, .abandon = abandon};
    engine_suite_run(&suite);
    printf("%s: all checks passed\n", name[isa]);
  }
  return 0;
}
