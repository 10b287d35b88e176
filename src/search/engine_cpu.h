/* The CPU engine: one thread per island. The reference for every other engine. */
#ifndef PRISM_SEARCH_ENGINE_CPU_H
#define PRISM_SEARCH_ENGINE_CPU_H

#include "base/params.h"
#include "seam/engine.h"

/* Constructor for prism_engine_backend_t; `context` is a prism_params_cpu_t
 * (borrowed during the call). PRISM_UNSUPPORTED when the instruction set named
 * there is not in this processor. */
prism_status_t prism_engine_cpu_create(const prism_engine_config_t *config, const void *context,
                                       prism_engine_t *out);

/* The backend row for src/app and library users; `cpu` is borrowed. */
prism_engine_backend_t prism_cpu_backend(const prism_params_cpu_t *cpu);

/* Name of the instruction set that `cpu` selects on this machine ("avx512", ...). */
const char *prism_cpu_isa_name(const prism_params_cpu_t *cpu);

#endif
