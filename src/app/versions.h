/* What this program was built from. */
#ifndef PRISM_APP_VERSIONS_H
#define PRISM_APP_VERSIONS_H

#include "base/file.h"
#include "solve/store.h"

enum { PRISM_VERSIONS_COUNT = 7 };

/* Names and values for /build of the run file; the strings are static, `nccl` or in `mpi`, a
 * buffer of the caller. [in] nccl  its version; NULL: not used */
void prism_versions_list(const char *nccl, char *mpi, size_t mpi_size,
                         prism_attribute_t out[PRISM_VERSIONS_COUNT]);

/* The text of --version. [in] program  "prism-dist" or "prism" */
prism_status_t prism_versions_format(const char *program, prism_text_t *out);

#endif
