/* The solver: reductions and bounds, k-descent, portfolio, islands, migration.
 *
 * Collective over the communicator. No globals, no printing, no signal handling:
 * progress and termination come through callbacks, results through a struct. */
#ifndef PRISM_SOLVE_SOLVE_H
#define PRISM_SOLVE_SOLVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/params.h"
#include "model/graph.h"
#include "seam/bulk.h"
#include "seam/comm.h"
#include "seam/engine.h"
#include "seam/joint.h"
#include "solve/checkpoint.h"
#include "solve/store.h"

/* X(NAME, name): why a run ended. */
#define PRISM_EXIT_LIST(X)         \
  X(OPTIMAL, "optimal")            \
  X(TARGET, "target")              \
  X(INFEASIBLE, "infeasible")      \
  X(TIME, "time")                  \
  X(ITERATIONS, "iterations")      \
  X(SIGNAL, "signal")              \
  X(CHECKPOINT, "checkpoint")      \
  X(ERROR, "error")

typedef enum prism_exit {
#define PRISM_EXIT_ENUM(name, text) PRISM_EXIT_##name,
  PRISM_EXIT_LIST(PRISM_EXIT_ENUM)
#undef PRISM_EXIT_ENUM
  PRISM_EXIT_COUNT
} prism_exit_t;

const char *prism_exit_name(prism_exit_t reason);

/* State shown while running; input numbering, this rank's view. */
typedef struct prism_progress {
  double elapsed;            /* s since start_time */
  double remaining;          /* s to the time limit; < 0: none */
  int32_t best_colors;       /* fewest so far (verified) */
  int32_t searched_colors;   /* k of this rank */
  int32_t lower_bound;
  int64_t conflicts;         /* best at k on this rank; -1: not known yet */
  int64_t iterations;        /* this rank */
  double iterations_per_second;
  double diversity;          /* 0..1; -1: unknown */
  const char *method;        /* what the first island runs now */
  bool improved;             /* best_colors fell since the last call */
} prism_progress_t;

/* What the user may ask a running search for, by a signal to any rank; all ranks hear of it
 * within about a second. The greater one wins. */
typedef enum prism_wish {
  PRISM_WISH_NONE,
  PRISM_WISH_SAVE,     /* write a checkpoint and go on */
  PRISM_WISH_SAVE_STOP /* write a checkpoint and end with PRISM_EXIT_CHECKPOINT */
} prism_wish_t;

/* How a run survives its process. The same on all ranks but for what is marked (0): rank 0
 * alone has it. */
typedef struct prism_persist_config {
  bool enabled;            /* false: no checkpoints are written */
  const char *path;        /* (0) of the checkpoint file; borrowed */
  double interval;         /* s between two checkpoints; 0: none by the clock */
  double before;           /* s before the time limit at which to checkpoint and stop, with
                              PRISM_EXIT_CHECKPOINT; 0: never */
  double total_time;       /* s over all invocations at which the run ends; 0: no limit */
  const char *program;     /* (0) "prism-dist 1.0.0" */
  const char *graph_name;  /* (0) */
  const char *graph_hash;  /* (0) */
  bool resumes;            /* go on from `resume` */
  prism_checkpoint_reader_t *resume; /* (0) checked against the graph; borrowed */
  atomic_int *wish;        /* a prism_wish_t that a signal handler sets and the run takes back
                              (exchange with PRISM_WISH_NONE); any rank's; may be NULL */
} prism_persist_config_t;

/* Signs of life of a rank's search, for a thread that watches over it. The rank waits for
 * nothing but others while both counts are the same. */
typedef struct prism_pulse {
  atomic_llong submitted; /* pieces of work given to islands */
  atomic_llong finished;  /* of these */
  atomic_int method;      /* prism_method_t of the last one submitted */
  atomic_int colors;      /* and its k, input numbering */
} prism_pulse_t;

typedef struct prism_solve_config {
  const prism_graph_t *graph;   /* input graph on rank 0, NULL elsewhere; borrowed */
  const prism_params_t *params; /* the same on all ranks; borrowed */
  uint64_t seed;                /* the same on all ranks */
  const int32_t *initial;       /* rank 0: legal warm start [n], 0-based; NULL: none */
  prism_comm_t *comm;           /* borrowed */
  prism_bulk_t *bulk;           /* carries members between the pools of ranks; NULL: they do
                                   not meet; borrowed, but destroyed when a search fails */
  const prism_engine_part_t *part; /* [parts] engines of this rank, as a GPU and cores; borrowed */
  int32_t parts;                /* >= 1 */
  /* Taken alone when the parts cannot serve this graph (device, memory, support); NULL: that
   * is an error. Borrowed. */
  const prism_engine_part_t *fallback;
  prism_store_t *store;         /* rank 0, or NULL; borrowed */
  const prism_persist_config_t *persist; /* NULL: no checkpoints; borrowed */
  double start_time;            /* prism_clock_now() at the start of the run */
  const atomic_int *interrupt;  /* not 0: stop in order; may be NULL */
  prism_pulse_t *pulse;         /* kept up to date; may be NULL; borrowed */
  void (*progress)(void *user, const prism_progress_t *progress); /* main thread; may be NULL */
  void (*remark)(void *user, const char *text); /* worth telling the user; as progress */
  void (*warn)(void *user, const char *text);   /* as remark, of more weight; NULL: remark has it */
  void *user;
} prism_solve_config_t;

typedef struct prism_result {
  int32_t colors;        /* of `color`; rank 0 verified it on the input graph */
  int32_t lower_bound;
  bool optimal;
  int32_t target;        /* 0: none */
  bool target_met;
  double time;           /* s since start_time */
  double time_to_best;
  int64_t iterations;    /* all ranks, over all invocations; so are run.max_iterations */
  double gpu_busy;       /* share of the search with a kernel running, all GPUs; -1: none */
  double gpu_overlap;    /* share of the transfers that ran beside a kernel; -1: none */
  prism_gpu_profile_t *gpu_profile; /* of all GPUs, where gpu.profile asks; NULL: none; owned */
  int64_t exchanges;     /* meetings of the pools of all ranks */
  int64_t exchange_bytes;  /* sent by all ranks */
  double exchange_seconds; /* from start to end, of the rank with most */
  bool fallback;         /* some rank had to take its fallback engine */
  int32_t invocations;   /* of the program on this run, this one counted: 1 unless it goes on from
                            a checkpoint */
  double total_time;     /* s over all invocations */
  int64_t checkpoints;   /* written in this one */
  int64_t checkpoint_failures; /* that could not be, each tried again when the next was due */
  double checkpoint_seconds; /* that the search stood still for them, of the rank with most */
  prism_exit_t reason;
  int32_t kernel_vertices;
  int64_t kernel_edges;
  int32_t *color;        /* rank 0: [n] 0-based without gaps, owned (prism_free); else NULL */
  int32_t *clique;       /* rank 0: [clique_size] certificate of a clique bound; owned */
  int32_t clique_size;
} prism_result_t;

/* Run to the end. Collective; every rank returns the same status. On failure
 * `out` still holds the best verified colouring when there is one (rank 0). */
prism_status_t prism_solve(const prism_solve_config_t *config, prism_result_t *out);
void prism_result_release(prism_result_t *result);

#endif
