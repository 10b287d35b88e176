#include "seam/phase.h"

#include <stddef.h>

static const prism_phase_row_t rows[] = {
#define ROW(name, id, text, tag, stream) {id, text, tag, stream},
    PRISM_PHASE_LIST(ROW)
#undef ROW
};

const prism_phase_row_t *prism_phase_find(int id) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
    if (rows[i].id == id) return &rows[i];
  return NULL;
}

const char *prism_method_name(prism_method_t method) {
  switch (method) {
#define CASE(name, id, text, phase) \
  case PRISM_METHOD_##name:         \
    return text;
    PRISM_METHOD_LIST(CASE)
#undef CASE
    case PRISM_METHOD_COUNT:
      break;
  }
  return "unknown";
}

bool prism_method_renames(prism_method_t method) {
  return method == PRISM_METHOD_HEAD || method == PRISM_METHOD_POOL ||
         method == PRISM_METHOD_EXTRACTION;
}

prism_phase_t prism_method_phase(prism_method_t method) {
  switch (method) {
#define CASE(name, id, text, phase) \
  case PRISM_METHOD_##name:         \
    return PRISM_PHASE_##phase;
    PRISM_METHOD_LIST(CASE)
#undef CASE
    case PRISM_METHOD_COUNT:
      break;
  }
  return PRISM_PHASE_MEMETIC;
}
