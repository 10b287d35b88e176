/* What a population on the device is, as numbers and rows on the host, and back. Between two
 * generations; all calls wait for the stream. One thread. */
#ifndef PRISM_CUDA_ENGINE_POPULATION_STATE_H
#define PRISM_CUDA_ENGINE_POPULATION_STATE_H

#include "engine/population.h"

/* Colourings on the host, in a numbering of their own. */
typedef struct prism_host_rows {
  const int32_t *color; /* [rows][stride] complete; borrowed */
  int32_t stride;
  const int32_t *map;   /* [population n] which of a row's vertices; borrowed */
} prism_host_rows_t;

/* The replicas of a ladder, beside their colours. */
typedef struct prism_saved_ladder {
  prism_ladder_t ladder; /* owned, as the arrays */
  int32_t rounds;        /* of a generation */
  int32_t window;        /* rounds measured in the present one */
  double swap_rate;
  prism_gpu_exchanges_t at;
} prism_saved_ladder_t;

/* Its numbers; see engine/population.h for those of the same names. */
typedef struct prism_saved_population {
  bool live;             /* there is one */
  int64_t number;        /* of the island's populations */
  uint64_t layout;       /* prism_searcher_layout */
  int32_t members, wanted, visitors;
  uint64_t generation, moves; /* of the control block */
  int64_t length;
  bool length_given, size_given, enlarged;
  int32_t tournament;
  bool tournament_given;
  float tenure_base, tenure_slope;
  bool fresh, inherited;
  prism_population_progress_t progress;
  int32_t deme_size;
  int32_t demes;         /* of the pool; 0: it is one */
  uint32_t ended, round, apart_ended, apart_round;
  prism_lengths_t lengths;
  int32_t least;
  prism_gpu_deme_t *deme; /* [demes] owned */
  bool has_best;         /* a coloring has been reported */
  int32_t first;         /* row of the state: the members' first, then visitors, then the best */
  prism_saved_ladder_t ladder; /* TEMPERING */
} prism_saved_population_t;

void prism_saved_population_release(prism_saved_population_t *saved);

/* [out] saved  all but live, number, has_best and first; released by the caller whatever comes
 * of it. PRISM_MEMORY */
prism_status_t prism_population_describe(const prism_population_t *population,
                                         prism_saved_population_t *saved, cudaStream_t stream);

/* Members, and behind them visitors; their conflicts are counted again. At most as many as
 * there are members.
 * [out] color [count][n]; f [count] */
prism_status_t prism_population_get(const prism_population_t *population, int32_t row,
                                    int32_t count, uint16_t *color, int32_t *f,
                                    cudaStream_t stream);

/* Colours of members, and of visitors behind them; f is not written. */
prism_status_t prism_population_put(prism_population_t *population, int32_t row, int32_t count,
                                    const prism_host_rows_t *rows, cudaStream_t stream);

/* The best colouring so far: with f conflicts. [in] color [n] */
prism_status_t prism_population_put_best(prism_population_t *population, const int32_t *color,
                                         int32_t f, cudaStream_t stream);

/* A population that goes on from there, its weights aside; takes saved->ladder.ladder over if
 * it is one of TEMPERING.
 * [in]  setup  without params and members
 * [in]  rows   of the members and visitors; f [members + visitors] their conflicts
 * [out] out    owned by the caller if it fits
 * [out] fits   false: the device's memory or layout is another one, out is empty */
prism_status_t prism_population_resume(prism_gpu_context_t *context,
                                       const prism_population_setup_t *setup,
                                       prism_saved_population_t *saved,
                                       const prism_host_rows_t *rows, const int64_t *f,
                                       cudaStream_t stream, prism_population_t *out, bool *fits);

#endif
