/* The installed CUDA engine: it links and names itself, also where no GPU is. */
#include <prism/engine/engine_cuda.h>
#include <prism/prism.h>
#include <stdio.h>

int main(void) {
  prism_params_t params;
  prism_params_default(&params);
  prism_engine_backend_t backend = prism_cuda_backend(&params.gpu);
  printf("%s\n", backend.name);
  return backend.create == NULL;
}
