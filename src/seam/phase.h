/* The phase table: one row per phase. Ids are in telemetry order and stable on
 * disk. Adding a phase adds a row here and functions in the engines' arrays. */
#ifndef PRISM_SEAM_PHASE_H
#define PRISM_SEAM_PHASE_H

#include <stdbool.h>

/* X(NAME, id on disk, name, display tag, GPU stream) */
#define PRISM_PHASE_LIST(X)                         \
  X(INITIAL, 0, "initial", "INIT", 0)               \
  X(THERMODYNAMIC, 4, "thermodynamic", "THERMO", 2) \
  X(MEMETIC, 6, "memetic", "MEMETIC", 4)            \
  X(VALIDATION, 9, "validation", "VALID", 0)

typedef enum prism_phase {
#define PRISM_PHASE_ENUM(name, id, text, tag, stream) PRISM_PHASE_##name = id,
  PRISM_PHASE_LIST(PRISM_PHASE_ENUM)
#undef PRISM_PHASE_ENUM
} prism_phase_t;

typedef struct prism_phase_row {
  int id;
  const char *name;
  const char *tag;
  int stream;
} prism_phase_row_t;

/* Row of a phase id; NULL for an id that does not exist. */
const prism_phase_row_t *prism_phase_find(int id);

/* Search methods an island can run and the phase each belongs to, stable on disk.
 * X(NAME, id, name, phase) */
#define PRISM_METHOD_LIST(X)                  \
  X(TABUCOL, 0, "tabucol", MEMETIC)           \
  X(PARTIALCOL, 1, "partialcol", MEMETIC)     \
  X(WEIGHTED, 2, "weighted", MEMETIC)         \
  X(HEAD, 3, "head", MEMETIC)                 \
  X(POOL, 4, "pool", MEMETIC)                 \
  X(TEMPERING, 5, "tempering", THERMODYNAMIC) \
  X(EXTRACTION, 6, "extraction", MEMETIC)

typedef enum prism_method {
#define PRISM_METHOD_ENUM(name, id, text, phase) PRISM_METHOD_##name = id,
  PRISM_METHOD_LIST(PRISM_METHOD_ENUM)
#undef PRISM_METHOD_ENUM
  PRISM_METHOD_COUNT
} prism_method_t;

const char *prism_method_name(prism_method_t method);

/* Does it make all classes anew, so that their numbers mean nothing and no vertex can keep its
 * color? */
bool prism_method_renames(prism_method_t method);

/* The phase whose work a method does; MEMETIC for an id that does not exist. */
prism_phase_t prism_method_phase(prism_method_t method);

#endif
