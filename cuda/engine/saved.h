/* What a GPU island knows, on the host, and as the bytes of its state (seam/state.h).
 *
 * The rows of a state stand in the order of the methods; of each its members, its visitors,
 * its best colouring. The bytes hold all else, colourings of other numbers of colours among
 * it. Nothing here calls CUDA. One thread. */
#ifndef PRISM_CUDA_ENGINE_SAVED_H
#define PRISM_CUDA_ENGINE_SAVED_H

#include "base/pack.h"
#include "engine/population_state.h"
#include "model/reduce.h"
#include "seam/state.h"

enum { PRISM_SAVED_VERSION = 5, PRISM_SAVED_STARTS = 1024 /* most that wait */ };
extern const char prism_saved_engine[]; /* "cuda" */

/* What must be the same for an island to do the same. */
typedef struct prism_saved_kind {
  uint8_t hooks;    /* bits of those that it has */
  uint32_t methods; /* PRISM_METHOD_BIT of those that it runs */
  double share;     /* of the GPU */
  uint64_t device;  /* a number of the GPU's model */
} prism_saved_kind_t;

/* Edge weights of the WEIGHTED population; without it, of that of the last k. */
typedef enum prism_saved_weights {
  PRISM_SAVED_NO_WEIGHTS,
  PRISM_SAVED_WEIGHTS,
  PRISM_SAVED_WEIGHTS_LEFT_OUT /* too many */
} prism_saved_weights_t;

/* Zero-initialise. Arrays that were read are owned. */
typedef struct prism_saved_island {
  int64_t made;
  prism_method_t last;
  bool seeded, stood_in;
  prism_colorings_t incumbent, founders;
  int32_t *guest;   /* [view n] */
  int32_t guest_f;  /* -1: none */
  prism_saved_population_t population[PRISM_METHOD_COUNT];
  prism_saved_weights_t weights;
  int32_t weights_members;
  bool weights_wide;
  prism_unpack_t weights_code; /* read: where the first individual's begin */
  prism_view_t *view;          /* read: of the state's k; NULL: there was no work */
} prism_saved_island_t;

/* Also after a failure. */
void prism_saved_release(prism_saved_island_t *saved);

/* Rows of all populations; their places (first) are given out. */
int32_t prism_saved_rows(prism_saved_island_t *saved);

/* [in]  view   of the state's k, NULL: it is 0, then there is no population
 * [in]  code   of the weights
 * [out] bytes  owned by the caller; PRISM_MEMORY */
prism_status_t prism_saved_pack(const prism_saved_island_t *saved, const prism_saved_kind_t *kind,
                                const prism_graph_t *kernel, const prism_view_t *view, int32_t k,
                                const prism_pack_t *code, uint8_t **bytes, size_t *size);

/* Read a state of this engine and version, checked by prism_island_state_check. All of it is
 * looked at, rows and weights too.
 * [in]  whole  islands of this kind search the whole kernel graph, also what peels
 * [out] saved  released by the caller whatever comes of it
 * [out] fits   false: the state is of another kind of island; then it was not read to its end
 * PRISM_FORMAT: it is damaged; PRISM_MEMORY. */
prism_status_t prism_saved_unpack(const prism_island_state_t *state,
                                  const prism_saved_kind_t *kind, const prism_graph_t *kernel,
                                  bool whole, prism_saved_island_t *saved, bool *fits);

#endif
