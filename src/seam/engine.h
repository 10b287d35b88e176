/* The engine seam: a set of islands that search for colourings of one kernel
 * graph. A CPU engine owns threads, a CUDA engine a GPU; the driver sees only
 * this vtable.
 *
 * Work is asynchronous: submit() gives an idle island a piece of work and
 * returns a ticket, poll() waits for it. An island has at most one ticket in
 * flight; import, export and hooks are allowed only while it is idle, so no
 * call here needs a lock of the caller. All calls of one engine come from one
 * thread. Not collective. Colourings are in the numbering of the kernel graph. */
#ifndef PRISM_SEAM_ENGINE_H
#define PRISM_SEAM_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ladder.h"
#include "base/params.h"
#include "base/status.h"
#include "model/graph.h"
#include "seam/bell.h"
#include "seam/comm.h"
#include "seam/gpu_profile.h"
#include "seam/phase.h"
#include "seam/state.h"

/* Immutable snapshot of the search parameters; takes effect with the submitted
 * work. Zero in a field marked (auto) lets the engine choose. */
typedef struct prism_search_params {
  int32_t version;               /* raised by whoever changes a snapshot */
  prism_method_t method;
  int32_t population;            /* individuals of a POOL island (auto) */
  int32_t deme_size;             /* individuals of a POOL on a GPU that mate (auto) */
  int64_t generation_iterations; /* iterations of each individual a generation (auto) */
  int32_t tournament;            /* mates of a large POOL are the best of so many (auto) */
  double tenure_base;            /* tabu tenure = rand(base) + slope * conflicting vertices */
  double tenure_slope;
  prism_ladder_params_t ladder;  /* TEMPERING; all (auto) */
} prism_search_params_t;

/* A piece of work ends when f = 0 is found, a budget is used up, or stop() was
 * called. A budget of 0 is none; at least one must be given. Iteration and
 * generation budgets alone keep a run deterministic. */
typedef struct prism_work {
  prism_phase_t phase;
  int32_t k; /* kernel colours, >= 1 */
  prism_search_params_t params;
  int64_t generations;
  int64_t iterations;
  double seconds;
} prism_work_t;

enum { PRISM_NOTE_BYTES = 128 };

/* By-value result of a ticket. */
typedef struct prism_summary {
  int32_t island;
  prism_phase_t phase;
  prism_method_t method;
  int32_t k;
  int64_t f_best;      /* fewest conflicts by this method since k was set (complete colouring) */
  bool early;          /* it says nothing yet of what the method can do: that comes at once */
  int64_t f_ticket;    /* fewest of the searches that were running in this ticket */
  int64_t iterations;  /* of this ticket, summed over individuals */
  int64_t generations; /* of this ticket */
  double seconds;      /* this ticket's busy time */
  double diversity;    /* mean partition distance / n among the individuals; -1: a single one */
  int32_t individuals;
  int32_t demes;       /* parts of them that mate among themselves only; 0: there are none */
  int64_t length;      /* moves of each in a generation at the end, > 0 */
  int32_t restarts;    /* of this ticket: populations that had converged and were renewed */
  double temperature;  /* TEMPERING: of the coldest level, > 0; otherwise 0 */
  double swap_rate;    /* TEMPERING: share of the exchanges made lately; 0: not known */
  char note[PRISM_NOTE_BYTES]; /* worth telling the user, as a pool that memory made smaller; "":
                                  nothing */
} prism_summary_t;

/* How the island treated a migrant. */
typedef struct prism_import_result {
  bool accepted;
  int32_t distance; /* partition distance to the nearest resident of the same k; -1: not measured */
} prism_import_result_t;

/* Optional per-vertex inputs, kernel numbering, borrowed until the next
 * set_hooks or destroy. NULL members are absent and cost nothing. */
typedef struct prism_hooks {
  const float *score;           /* [n] higher is preferred among moves of equal delta */
  const int32_t *vertex_weight; /* [n] >= 1: weight of a contracted vertex in the objective */
  const int32_t *edge_weight;   /* [2 m] CSR-aligned, symmetric, >= 1: where WEIGHTED starts */
  const uint64_t *frozen;       /* [words of n] bit v: v keeps its colour */
  bool counters;                /* collect the per-vertex counters below */
} prism_hooks_t;

/* Per-vertex counters since they were switched on, summed over the individuals; they wrap.
 * X(name) */
#define PRISM_COUNTER_LIST(X) X(conflict_time) X(color_changes) X(tabu_hits)

typedef enum prism_counter {
#define PRISM_COUNTER_ENUM(name) PRISM_COUNTER_##name,
  PRISM_COUNTER_LIST(PRISM_COUNTER_ENUM)
#undef PRISM_COUNTER_ENUM
  PRISM_COUNTER_COUNT
} prism_counter_t;

/* Bit of a method in prism_island_info_t. */
#define PRISM_METHOD_BIT(method) (UINT32_C(1) << (method))

/* What an island is; the same for its whole life. The texts live as long as the
 * engine. */
typedef struct prism_island_info {
  uint32_t methods;   /* PRISM_METHOD_BIT of every method it runs */
  uint32_t unsuited;  /* those of them that are of no use for this graph: only if asked for */
  const char *mode;   /* "cpu", "gpu" */
  int32_t stream;     /* GPU stream; -1: none */
  bool pools;         /* its pool may be part of one over all ranks: outbox, inbox, receive */
  const char *device; /* "avx512", "NVIDIA H100 80GB HBM3" */
} prism_island_info_t;

enum { PRISM_THROTTLE_BYTES = 64, PRISM_GPU_NOTICES = 8 };

/* Something about a GPU's health that the user should know, told once. */
typedef struct prism_gpu_notice {
  bool warning; /* else a remark */
  char text[PRISM_NOTE_BYTES]; /* one line: "the GPU is hot: 87 degrees C" */
} prism_gpu_notice_t;

/* What a GPU did since its engine was made, and how it is now. Seconds are measured
 * by the device; NaN and "": not known. */
typedef struct prism_gpu_stats {
  double wall;            /* since the engine was made */
  double kernel;          /* with at least one kernel running */
  double transfer;        /* with at least one copy running */
  double hidden;          /* part of `transfer` with a kernel running beside it */
  double utilization;     /* %, as the driver sees it */
  double memory_used_mb, memory_total_mb;
  double power_w;
  double temperature_c;
  double sm_clock_mhz;
  char throttle[PRISM_THROTTLE_BYTES]; /* reasons, comma-separated; "" also for none */
  int32_t notices;        /* what has come up since the last call */
  prism_gpu_notice_t notice[PRISM_GPU_NOTICES];
} prism_gpu_stats_t;

typedef struct prism_engine_ops {
  const char *name;   /* "cpu", "cuda" */
  const char *detail; /* for the summary, e.g. the instruction set */

  /* [out] what the island is; `island` must exist. Any time. */
  void (*describe)(void *self, int32_t island, prism_island_info_t *out);
  /* Start work on an idle island. [out] ticket. PRISM_UNSUPPORTED: this island
   * has no such method, or the method belongs to another phase. */
  prism_status_t (*submit)(void *self, int32_t island, const prism_work_t *work, int64_t *ticket);
  /* Wait up to `wait` seconds (0: only look). [out] done; [out] summary, set
   * when done. A failure inside the work comes out here. */
  prism_status_t (*poll)(void *self, int64_t ticket, double wait, bool *done,
                         prism_summary_t *summary);
  /* Wait until any of the islands' tickets has ended, or `wait` seconds passed. */
  prism_status_t (*wait_any)(void *self, double wait);
  /* Ask running work to end at its next check; may be called from any thread. */
  void (*stop)(void *self, int32_t island);

  /* Best colouring of an idle island at the k of its last work.
   * [out] color [n] complete; [out] k; [out] f conflicts. `which` 0: best of the
   * last method; 1: a random elite, drawn with `draw`. */
  prism_status_t (*export_colors)(void *self, int32_t island, int32_t which, uint32_t draw,
                                  int32_t *color, int32_t *k, int64_t *f);
  /* Offer a complete colouring [n] with k colours: `seed` replaces what the
   * island has (a new start for k and below), otherwise it is a migrant that is
   * accepted by f and by distance. */
  prism_status_t (*import_colors)(void *self, int32_t island, const int32_t *color, int32_t k,
                                  bool seed, prism_import_result_t *result);
  /* What an idle island knows, to go on from at any later time. [out] state  owned by the
   * caller (prism_island_state_release), empty on failure */
  prism_status_t (*save)(void *self, int32_t island, prism_island_state_t *state);
  /* Go on from a state of the same graph, in place of what the idle island has. Bytes of the
   * same kind of engine: every later piece of work does what it would have done there.
   * [out] exact  false: only the rows were taken, as far as there is room for them; they
   * start searches at their k and below. Hooks are not part of it. */
  prism_status_t (*restore)(void *self, int32_t island, const prism_island_state_t *state,
                            bool *exact);
  /* NULL: none. PRISM_UNSUPPORTED: the engine lacks one of these; what was set stays. */
  prism_status_t (*set_hooks)(void *self, int32_t island, const prism_hooks_t *hooks);
  /* [out] values [n] of one counter. */
  prism_status_t (*export_counters)(void *self, int32_t island, prism_counter_t which,
                                    uint32_t *values);
  /* One population over all ranks: `rows` members of an idle island's pool, for the pools of
   * other ranks. Rows of an island without a pool at work are empty. Only for islands whose
   * info says `pools`; the three ops may be NULL where none does.
   * [out] out: count = rows, of one size on all ranks; the engine's, valid until the next call */
  prism_status_t (*outbox)(void *self, int32_t island, int32_t rows, prism_space_t space,
                           prism_buffer_t *out);
  /* Room for the rows of all ranks. [out] in: as above */
  prism_status_t (*inbox)(void *self, int32_t island, int32_t rows, prism_space_t space,
                          prism_buffer_t *in);
  /* What has arrived in the inbox visits the idle island's pool: its members take mates from
   * there as well until the next call or its renewal. Rows own .. own + own_rows - 1 are its
   * own and stay out, like those of another k. [out] visitors: how many came */
  prism_status_t (*receive)(void *self, int32_t island, const prism_buffer_t *in, int32_t own,
                            int32_t own_rows, int32_t *visitors);
  /* [out] what the engine's GPU did. False: it has none. The op may be NULL. Call it about
   * once a second: it watches the GPU's health. */
  bool (*gpu_stats)(void *self, prism_gpu_stats_t *out);
  /* [out] where the time of the engine's GPU went, up to the last finished tickets; empty
   * unless gpu.profile asks for it. False: it has no GPU. The op may be NULL. */
  bool (*gpu_profile)(void *self, prism_gpu_profile_t *out);
  /* [out] the ladder of an idle island that has tempered at the k of its last work. False: it has
   * none. The op may be NULL. */
  bool (*ladder)(void *self, int32_t island, prism_ladder_view_t *out);
  void (*destroy)(void *self);
} prism_engine_ops_t;

typedef struct prism_engine {
  const prism_engine_ops_t *ops;
  void *self;
  int32_t islands;
} prism_engine_t;

/* What every backend's constructor takes. */
typedef struct prism_engine_config {
  const prism_graph_t *graph; /* kernel graph; borrowed until destroy */
  uint64_t seed;              /* of the run */
  int32_t islands;            /* >= 1 */
  int32_t first_island;       /* global id of island 0 (ranks differ) */
  prism_bell_t *bell;         /* rings when a ticket has ended; borrowed until destroy, may be
                                 NULL (a joint engine waits on it for all its members) */
} prism_engine_config_t;

/* A backend: src/app lists those that were built and chosen. `context` is the
 * backend's own parameter section. */
typedef struct prism_engine_backend {
  const char *name;
  prism_status_t (*create)(const prism_engine_config_t *config, const void *context,
                           prism_engine_t *out);
  const void *context;
} prism_engine_backend_t;

/* Context of a backend for a GPU: its parameters, and how its islands share it. */
typedef struct prism_gpu_setup {
  prism_params_gpu_t params;
  int32_t tempering; /* the last so many islands run TEMPERING alone, beside the others, which
                        then leave it out; 0: every island runs every method */
  int32_t sharers;   /* ranks that share this GPU, each with as many individuals; 0: as 1 */
} prism_gpu_setup_t;

static inline void prism_engine_destroy(prism_engine_t *engine) {
  if (engine->ops != 0) engine->ops->destroy(engine->self);
  engine->ops = 0;
  engine->self = 0;
}

#endif
