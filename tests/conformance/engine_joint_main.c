/* The engine suite on joint engines: what one engine promises, several joined keep. */
#include <stdio.h>
#include <stdlib.h>

#include "engine_suite.h"
#include "seam/joint.h"
#include "search/engine_cpu.h"

static void abandon(void) { exit(1); }

/* The islands in two parts, or in three where there are enough. */
static prism_status_t create(const prism_engine_config_t *config, const void *context,
                             prism_engine_t *out) {
  const prism_params_cpu_t *cpu = context;
  prism_engine_backend_t backend = prism_cpu_backend(cpu);
  int32_t third = config->islands > 2 ? (config->islands - 1) / 2 : 0;
  prism_engine_part_t part[3] = {{backend, 1}, {backend, config->islands - 1 - third},
                                 {backend, third}};
  int32_t parts = config->islands < 2 ? config->islands : third > 0 ? 3 : 2;
  return prism_joint_create(part, parts, config, out);
}

int main(void) {
  prism_params_cpu_t cpu = {.isa = 0};
  engine_suite_t suite = {.backend = {"joint", create, &cpu}, .name = "joint",
                          .exact_budgets = true, .abandon = abandon};
  engine_suite_run(&suite);
  printf("joint: all checks passed\n");
  return 0;
}
