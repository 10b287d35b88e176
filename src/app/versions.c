#include "app/versions.h"

#include "app/devices.h"
#include "app/exchange.h"
#include "app/startup.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

void prism_versions_list(const char *nccl, char *mpi, size_t mpi_size,
                         prism_attribute_t out[PRISM_VERSIONS_COUNT]) {
  prism_startup_mpi_version(mpi, mpi_size);
  const prism_attribute_t list[PRISM_VERSIONS_COUNT] = {
      {"version", PRISM_VERSION}, {"mpi", mpi},          {"hdf5", PRISM_HDF5_VERSION},
      {"cuda", prism_devices_cuda_version()}, {"nccl", nccl != NULL ? nccl : "not used"},
      {"compiler", COMPILER}, {"build_type", PRISM_BUILD_TYPE}};
  for (int i = 0; i < PRISM_VERSIONS_COUNT; ++i) out[i] = list[i];
}

prism_status_t prism_versions_format(const char *program, prism_text_t *out) {
  char mpi[256], nccl[256];
  prism_attribute_t list[PRISM_VERSIONS_COUNT];
  prism_exchange_nccl_version(nccl, sizeof nccl);
  prism_versions_list(nccl, mpi, sizeof mpi, list);
  PRISM_TRY(prism_text_add(out, "%s %s\n", program, list[0].value));
  for (int i = 1; i < PRISM_VERSIONS_COUNT; ++i) {
    PRISM_TRY(prism_text_add(out, "  %-11s %s\n", list[i].name, list[i].value));
  }
  return PRISM_OK;
}
