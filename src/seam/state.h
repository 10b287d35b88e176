/* What an island knows, as plain data: for checkpoints, and to go on elsewhere.
 *
 * The rows are colourings that any engine can start from. The bytes hold the rest, in the
 * words of the engine that wrote them; an engine of the same kind takes both and goes on
 * exactly where the other one was, any other engine takes the rows. Taken at the end of a
 * ticket; no tabu list is part of it. */
#ifndef PRISM_SEAM_STATE_H
#define PRISM_SEAM_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/graph.h"
#include "seam/phase.h"

enum { PRISM_ENGINE_NAME_BYTES = 16 };

typedef struct prism_island_state {
  char engine[PRISM_ENGINE_NAME_BYTES]; /* whose bytes these are: "cpu", "cuda" */
  int32_t version;  /* of the bytes, raised with each change of their form */
  int32_t k;        /* kernel colors of the last work; 0: there was none */
  int32_t n;        /* kernel vertices */
  int32_t rows;     /* 0 with k = 0 */
  uint8_t *method;  /* [rows] the prism_method_t whose population a row is from; owned */
  int64_t *f;       /* [rows] monochromatic edges; owned */
  int32_t *color;   /* [rows][n] kernel numbering, 0 .. k - 1; -1: uncolored there, which an
                       engine colors as it likes; owned */
  size_t size;      /* of the bytes */
  uint8_t *bytes;   /* little-endian; owned */
} prism_island_state_t;

/* Room for `rows` colorings of n vertices and `size` bytes, all zero. PRISM_MEMORY: *state is
 * empty then. */
prism_status_t prism_island_state_init(prism_island_state_t *state, int32_t n, int32_t rows,
                                       size_t size);

/* Is it a state of a graph of n vertices, as far as that can be told without the bytes: rows,
 * methods, colors and f that can be? PRISM_FORMAT with the reason where not; f is not counted
 * again. O(rows n). */
prism_status_t prism_island_state_check(const prism_island_state_t *state, int32_t n);

/* Colourings of the kernel graph with k colours. */
typedef struct prism_colorings {
  int32_t count, k; /* both 0: none */
  int32_t *color;   /* [count][kernel n] */
} prism_colorings_t;

/* What any engine can begin with: the different rows of a checked state, what is uncoloured in
 * them coloured, at most `most`, those with the fewest conflicts first.
 * [out] starts  owned by the caller whatever comes of it; PRISM_FORMAT, PRISM_MEMORY */
prism_status_t prism_island_state_starts(const prism_island_state_t *state,
                                         const prism_graph_t *kernel, int32_t most,
                                         prism_colorings_t *starts);

/* Also of an empty (zeroed) one. */
void prism_island_state_release(prism_island_state_t *state);

#endif
