/* The engine suite on the CUDA engine; without a GPU it is skipped. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine_cuda.h"
#include "engine_suite.h"
#include "gpu/gpu_fixture.h"

static void abandon(void) { exit(1); }

int main(void) {
  gpu_require();
  prism_params_t params;
  prism_params_default(&params);
  prism_gpu_setup_t setup = {.params = params.gpu};
  const bool brief = gpu_repeats(0, 1) == 1;
  /* Ladders fill the GPU, which is too much then; they have tests of their own. */
  if (brief) setup.params.enable_thermodynamic_gpu = false;
  engine_suite_t suite = {.backend = prism_cuda_backend(&setup), .name = "cuda",
                          .exact_budgets = false, .brief = brief, .abandon = abandon};
  engine_suite_run(&suite);
  printf("cuda: all checks passed\n");
  return 0;
}
