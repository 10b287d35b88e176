#include "exchange/nccl_library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* Toolkits are often installed without telling the dynamic linker. */
static const char *const usual_names[] = {"libnccl.so.2", "/usr/local/cuda/lib64/libnccl.so.2",
                                          "/usr/local/cuda/lib/libnccl.so.2"};

static void *open_library(const char *name, char *reason, size_t size) {
  const char *const given[] = {name};
  const char *const *names = name != NULL ? given : usual_names;
  const size_t count = name != NULL ? 1 : sizeof usual_names / sizeof *usual_names;
  for (size_t i = 0; i < count; ++i) {
    void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) return library;
    const char *text = dlerror(); /* the first one names the library as the user knows it */
    if (i == 0) snprintf(reason, size, "%s", text != NULL ? text : names[i]);
  }
  return NULL;
}

/* A function pointer cannot be had from dlsym without a detour through its bytes. */
static prism_status_t find(void *library, const char *symbol, void *call, size_t size) {
  void *found = dlsym(library, symbol);
  if (found == NULL) PRISM_FAIL(PRISM_UNSUPPORTED, "the NCCL library has no %s", symbol);
  memcpy(call, &found, size);
  return PRISM_OK;
}

static prism_status_t find_calls(void *library, prism_nccl_t *nccl) {
#define FIND(type, member, symbol, arguments) \
  PRISM_TRY(find(library, symbol, &nccl->member, sizeof nccl->member));
  PRISM_NCCL_CALL_LIST(FIND)
#undef FIND
  int code = nccl->get_version(&nccl->version);
  if (code != PRISM_NCCL_SUCCESS)
    PRISM_FAIL(PRISM_UNSUPPORTED, "NCCL does not tell its version: %s", nccl->error_string(code));
  if (nccl->version < PRISM_NCCL_OLDEST) {
    char have[PRISM_NCCL_VERSION_BYTES], need[PRISM_NCCL_VERSION_BYTES];
    prism_nccl_version_text(nccl->version, have, sizeof have);
    prism_nccl_version_text(PRISM_NCCL_OLDEST, need, sizeof need);
    PRISM_FAIL(PRISM_UNSUPPORTED, "NCCL %s is too old, %s is needed", have, need);
  }
  return PRISM_OK;
}

prism_status_t prism_nccl_load(const char *name, prism_nccl_t *out) {
  char reason[512] = "";
  void *library = open_library(name, reason, sizeof reason);
  if (library == NULL) PRISM_FAIL(PRISM_UNSUPPORTED, "NCCL cannot be loaded: %s", reason);
  prism_nccl_t nccl = {0};
  prism_status_t status = find_calls(library, &nccl);
  if (status != PRISM_OK) {
    (void)dlclose(library); /* none of its functions that starts threads was called */
    return status;
  }
  *out = nccl;
  return PRISM_OK;
}

void prism_nccl_version_text(int version, char *out, size_t size) {
  /* Up to 2.8 the minor number had one digit. */
  const int major = version < 10000 ? version / 1000 : version / 10000;
  const int minor = version < 10000 ? version / 100 % 10 : version / 100 % 100;
  snprintf(out, size, "%d.%d.%d", major, minor, version % 100);
}

prism_nccl_config_t prism_nccl_config(void) {
  return (prism_nccl_config_t){
      .size = sizeof(prism_nccl_config_t),
      .magic = PRISM_NCCL_MAGIC,
      .version = PRISM_NCCL_OLDEST,
      .blocking = 0,
      .cga_cluster_size = 0, /* a cluster waits for room on neighbouring multiprocessors */
      .min_ctas = 1,
      .max_ctas = 1,
      .net_name = NULL,
      .split_share = PRISM_NCCL_UNSET,
      .traffic_class = PRISM_NCCL_UNSET,
  };
}
