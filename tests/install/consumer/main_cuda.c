/* The installed CUDA engine: it links and names itself, also where no GPU is. */
#include <prism/engine/engine_cuda.h>
#include <prism/prism.h>
#include <stdio.h>

int main(void) {
  prism_params_t params;
  prism_params_default(&params);
  prism_gpu_setup_t setup = {.params = params.gpu};
  prism_engine_backend_t backend = prism_cuda_backend(&setup);
  printf("%s\n", backend.name);
  return backend.create == NULL;
}
