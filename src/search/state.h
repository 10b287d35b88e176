/* The working state of one local search: colours, the gamma table and a row for
 * every vertex that may move next.
 *
 * gamma[v][c] = number of neighbours of v with colour c (or the sum of the edge
 * weights to them) lies in tiles of 64 vertices: cell (v, c) is at
 * gamma[((v / 64) * k + c) * 64 + v % 64]. A move of v from a to b touches two
 * contiguous lanes blocks a tile, under the bits of v's adjacency row as a mask.
 *
 * The vertices that a method may move (TabuCol: the conflicting ones, PartialCol:
 * the uncoloured ones) stand in "slots": a dense list with, per slot, a copy of
 * the vertex's gamma row and its best allowed count, the number of colours that
 * reach it, and the resulting delta ("key"). A neighbour's move changes two cells
 * of a row, so these are kept up in O(1), and a row is scanned again only when its
 * last best colour goes. The top bit of a row's cell means "forbidden" (tabu, or
 * the vertex's own colour), so one unsigned minimum skips forbidden moves.
 *
 * Cells are u8 while no count can reach 128, else u16; weighted search uses u16.
 * One thread owns a state. */
#ifndef PRISM_SEARCH_STATE_H
#define PRISM_SEARCH_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "search/calendar.h"
#include "search/problem.h"
#include "seam/engine.h"

typedef enum prism_cell { PRISM_CELL_U8, PRISM_CELL_U16, PRISM_CELL_WEIGHT } prism_cell_t;

/* Reactive tenure of PartialCol: it lasts over the slices of a search. */
typedef struct prism_reactive {
  int64_t tenure;
  int64_t low, high; /* of the objective in this period; low > high: none yet */
  int32_t left;      /* moves of this period still to come */
} prism_reactive_t;

typedef struct prism_state {
  const prism_problem_t *problem; /* borrowed */
  int32_t n, k;
  int32_t tiles;       /* of 64 vertices */
  int32_t stride;      /* cells of a slot row, a multiple of 32 */
  int32_t tabu_words;  /* 64-bit words of a vertex's tabu row */
  prism_cell_t cell;

  int32_t *color;      /* [n] 0..k-1; PartialCol: -1 uncoloured */
  int32_t *class_size; /* [k] */
  int32_t *scratch;    /* [k] */
  void *gamma;         /* [tiles][k][64] cells */
  uint64_t *member;    /* dense: [k][tiles] bit v: color[v] = c */
  uint64_t *active;    /* dense: [tiles] bit v: v has a slot */

  int32_t *slot_of;    /* [n] slot of a vertex, -1: none */
  int32_t slots, slot_capacity;
  int32_t *slot_vertex; /* [capacity] */
  void *own;            /* [capacity] count at the own colour, cells */
  void *best;           /* [capacity] fewest count among allowed colours, cells */
  void *key;            /* [capacity] best - own, signed cells; padded with the maximum */
  uint16_t *ties;       /* [capacity] allowed colours with that count */
  void *rows;           /* [capacity][stride] cells */

  uint64_t *tabu;       /* [n][tabu_words] bit c: v may not take c */
  prism_calendar_t calendar;

  int64_t f;            /* conflicting edges; PartialCol: weight of uncoloured vertices */
  int64_t best_f;       /* fewest since the last start */
  int32_t *best_color;  /* [n] colours of that moment */
  bool best_pending;    /* best_f was reached and not copied yet */
  prism_reactive_t reactive;
  int64_t iteration;    /* moves chosen since the state was made; never repeats */

  /* weighted search */
  uint16_t *weight;     /* dense: [n][tiles * 64]; sparse: [2 m] arc-aligned */
  uint32_t *weight_sum; /* [n] sum of the weights at a vertex: bounds its counts */

  const prism_hooks_t *hooks; /* borrowed; NULL: none */
  uint32_t *counter[PRISM_COUNTER_COUNT]; /* [n] each; NULL: not collected */
  int64_t *entered;     /* [n] iteration at which a vertex got its slot; with counters */
} prism_state_t;

/* Tabu parameters and the random stream of one run. */
typedef struct prism_tabu_params {
  double tenure_base;  /* tenure = rand(base) + slope * slots (TabuCol, weighted) */
  double tenure_slope;
  bool reactive;       /* PartialCol: reactive tenure instead */
  uint64_t seed;
  uint32_t individual; /* global id: the random stream */
} prism_tabu_params_t;

/* Why a run ended. */
typedef enum prism_run_end {
  PRISM_RUN_BUDGET,
  PRISM_RUN_SOLVED, /* best_f = 0 and best_color holds it */
  PRISM_RUN_WIDEN,  /* a class outgrew u8 cells: make the state again with u16 */
  PRISM_RUN_STOPPED
} prism_run_end_t;

/* One instruction set's kernels. All sets give identical results. */
typedef struct prism_kernels {
  const char *name;
  /* Build gamma, slots and f from state->color; forget tabu and best. TabuCol
   * form: complete colouring. PartialCol form: `partial`, conflicts must be 0. */
  prism_status_t (*start)(prism_state_t *state, bool partial);
  /* The tabu list is empty from here on; all else stays. O(its entries). */
  void (*allow_all)(prism_state_t *state);
  /* After start(): the slots in another order. [in] order [count] vertices, in range. False:
   * these are not the vertices that have slots; only start() helps then. */
  bool (*arrange)(prism_state_t *state, const int32_t *order, int32_t count);
  /* TabuCol with aspiration (Hertz & de Werra 1987; tenure of Galinier & Hao
   * 1999); with weight cells edge-weighted: +1 on each conflicting edge when no
   * move improves. Runs up to `iterations` moves. */
  prism_status_t (*tabucol)(prism_state_t *state, const prism_tabu_params_t *params,
                            int64_t iterations, const atomic_bool *stop, prism_run_end_t *end);
  /* PartialCol (Blochliger & Zufferey 2008). */
  prism_status_t (*partialcol)(prism_state_t *state, const prism_tabu_params_t *params,
                               int64_t iterations, const atomic_bool *stop, prism_run_end_t *end);
} prism_kernels_t;

/* The kernels of an instruction set for a cell type. */
typedef struct prism_isa {
  const char *name;                /* "avx512", "avx2", "portable" */
  const prism_kernels_t *cell[3];  /* by prism_cell_t */
} prism_isa_t;

extern const prism_isa_t prism_isa_portable;
#if defined(__x86_64__)
extern const prism_isa_t prism_isa_avx2;
extern const prism_isa_t prism_isa_avx512;
#endif

/* The best set of this processor (`choice` 0), or a named one: 1 avx512, 2 avx2,
 * 3 portable, in the order of the parameter cpu.isa. NULL: not in this processor. */
const prism_isa_t *prism_isa_select(int32_t choice);

/* Bytes of a cell. */
static inline size_t prism_cell_bytes(prism_cell_t cell) { return cell == PRISM_CELL_U8 ? 1 : 2; }

/* A state for k colours, colours not set. `tenure_longest` bounds every tenure. */
prism_status_t prism_state_create(const prism_problem_t *problem, int32_t k, prism_cell_t cell,
                                  int32_t tenure_longest, prism_state_t **out);
void prism_state_destroy(prism_state_t **state);

/* Attach hooks (borrowed; NULL detaches). Counters restart at zero. Before start(). */
prism_status_t prism_state_set_hooks(prism_state_t *state, const prism_hooks_t *hooks);

/* Room for at least `slots` slots. */
prism_status_t prism_state_reserve(prism_state_t *state, int32_t slots);

/* Set the edge weights, of a state with weight cells. [in] weight [2 m] by arcs of the view,
 * symmetric, >= 1; NULL: all 1. Where they add up to too much around a vertex all are
 * halved, like those that a search has raised. */
void prism_state_put_weights(prism_state_t *state, const int32_t *weight);

/* Weight of arc e, which leaves v. */
static inline uint16_t prism_state_weight(const prism_state_t *s, int32_t v, int64_t e) {
  size_t row = (size_t)v * (size_t)s->tiles * PRISM_TILE;
  return s->weight[s->problem->bits != NULL ? row + (size_t)s->problem->graph->neighbor[e]
                                            : (size_t)e];
}

/* Copy color to best_color if that is still owed. */
void prism_state_keep_best(prism_state_t *state);

#endif
