/* A rank's part of a checkpoint: the states of its islands and the driver's words, kept in
 * memory until rank 0 has taken them piece by piece. What has been taken is released. */
#ifndef PRISM_SOLVE_PART_H
#define PRISM_SOLVE_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "seam/engine.h"
#include "solve/piece.h"

typedef struct prism_part_setup {
  int32_t rank;
  int32_t islands;     /* that take part, >= 1 */
  int32_t n;           /* kernel vertices */
  int32_t color_bound; /* no state has more colors */
} prism_part_setup_t;

typedef struct prism_part {
  prism_part_setup_t setup;
  size_t width;         /* bytes of a color */
  int32_t saved;        /* islands */
  int32_t *id;          /* [islands] global; -1: not saved yet; owned */
  prism_island_state_t *state; /* [islands] owned */
  uint8_t *words;       /* of the driver; owned; NULL: not there yet */
  size_t size;
  int64_t iterations;
  int32_t island, row;  /* next piece */
  size_t byte;
  bool headed;          /* the island's header is taken */
} prism_part_t;

/* An empty part; zero-initialised it is no part. */
prism_status_t prism_part_begin(prism_part_t *part, const prism_part_setup_t *setup);

/* Save the idle island `local` of the engine as the part's island i.
 * PRISM_UNSUPPORTED: the engine cannot. */
prism_status_t prism_part_save(prism_part_t *part, int32_t i, const prism_engine_t *engine,
                               int32_t local, int32_t id);

static inline bool prism_part_has(const prism_part_t *part, int32_t i) {
  return part->id[i] >= 0;
}

static inline bool prism_part_exists(const prism_part_t *part) { return part->id != NULL; }

/* The next piece of a part that is complete: it has all islands and the words. [out] owned by
 * the caller; after the one marked `last` the part is released */
prism_status_t prism_part_next(prism_part_t *part, prism_piece_t **out);

/* Also of none. */
void prism_part_release(prism_part_t *part);

#endif
