/* An island on the GPU: the populations of its methods at one k, what they carry over to
 * the next k, and the pipeline that feeds them. Kernel numbering outside, view numbering
 * on the device. One thread at a time, but for prism_gpu_island_halt. */
#ifndef PRISM_CUDA_ENGINE_ISLAND_CUDA_H
#define PRISM_CUDA_ENGINE_ISLAND_CUDA_H

#include <stdatomic.h>

#include "engine/boxes.h"
#include "engine/hooks_cuda.h"
#include "engine/meter.h"
#include "engine/population.h"
#include "model/reduce.h"
#include "runtime/triple_buffer.h"

/* Were edge weights too large to be saved? */
typedef enum prism_gpu_unsaved {
  PRISM_GPU_UNSAVED_NOTHING,
  PRISM_GPU_UNSAVED_NEWS, /* the user does not know it yet */
  PRISM_GPU_UNSAVED_TOLD
} prism_gpu_unsaved_t;

typedef struct prism_gpu_island {
  prism_gpu_context_t *context; /* borrowed */
  const prism_graph_t *kernel;  /* borrowed */
  uint64_t seed;
  uint32_t id;                  /* global */
  uint32_t methods;             /* PRISM_METHOD_BIT of those that it runs */
  double share;                 /* of the GPU */
  cudaStream_t stream;          /* kernels */
  int32_t stream_index;
  cudaStream_t recorder;        /* CUDA graphs are recorded on it; owned */
  cudaStream_t download;        /* of reports; owned, NULL: the engine's */
  prism_profiler_t *profiler;
  prism_gpu_meter_t meter;      /* empty unless gpu.profile asks for it */
  prism_coordinator_t *coordinator;
  prism_triple_t *triple;
  uint32_t *halt;               /* device: ends searches early */
  uint32_t *halting;            /* pinned: the word that is copied there */

  int32_t k;                    /* 0: none yet */
  prism_view_t *view;
  prism_gpu_graph_t graph;      /* of the view, on the device */
  prism_population_t population[PRISM_METHOD_COUNT];
  bool live[PRISM_METHOD_COUNT];
  int32_t *best[PRISM_METHOD_COUNT]; /* [view n]; owned */
  int64_t best_f[PRISM_METHOD_COUNT];
  unsigned long long moves[PRISM_METHOD_COUNT]; /* of each, as last reported */
  prism_method_t last;          /* method of the last work */
  int64_t made;                 /* populations so far: each has its own random numbers */
  int64_t number[PRISM_METHOD_COUNT]; /* of each among those made */

  int32_t *incumbent;           /* [kernel n] a colouring to start from; owned */
  int32_t incumbent_k;          /* 0: none */
  bool seeded;                  /* it was imported, and no work has begun from it */
  int32_t *founder;             /* [founders][kernel n] starts from another engine's state, the
                                   incumbent first, until the first k is left; owned */
  int32_t founders;
  int32_t founder_k;
  void *learned;                /* edge weights of the last k; device memory, owned */
  int32_t learned_members;      /* how many individuals learned them */
  bool learned_wide;            /* laid out for the wide search */
  prism_gpu_unsaved_t unsaved;
  bool stood_in;                /* the user knows that another search stands in for a method */
  prism_hooks_cuda_t hooks;
  int32_t *guest;               /* [view n] migrant for the next generation; owned */
  int32_t guest_f;              /* -1: none */
  prism_gpu_boxes_t boxes;      /* exchange with the pools of other ranks */

  pthread_mutex_t lock;         /* of what follows, which the driver reads */
  bool locked;
  prism_overlap_times_t times;
  prism_gpu_profile_t profile;
} prism_gpu_island_t;

typedef struct prism_gpu_island_setup {
  const prism_graph_t *kernel; /* borrowed until release */
  uint64_t seed;
  uint32_t id;      /* global */
  uint32_t methods; /* TEMPERING alone: on the stream of its phase, else on the memetic one */
  int32_t place;    /* among the islands of that phase: each has a stream of its own, as far as
                       there are enough */
  double share;     /* of the GPU that its populations may fill, 0 < share <= 1 */
} prism_gpu_island_setup_t;

prism_status_t prism_gpu_island_init(prism_gpu_island_t *island, prism_gpu_context_t *context,
                                     const prism_gpu_island_setup_t *setup);
void prism_gpu_island_release(prism_gpu_island_t *island);

/* As in seam/desk.h. */
prism_status_t prism_gpu_island_work(prism_gpu_island_t *island, const prism_work_t *work,
                                     const atomic_bool *stop, prism_summary_t *summary);
prism_status_t prism_gpu_island_export(prism_gpu_island_t *island, int32_t which, uint32_t draw,
                                       int32_t *color, int32_t *k, int64_t *f);
prism_status_t prism_gpu_island_import(prism_gpu_island_t *island, const int32_t *color, int32_t k,
                                       bool seed, prism_import_result_t *result);

/* In island_cuda_state.c; see seam/engine.h. Without a device that works an island that was to
 * be restored is left with nothing. */
prism_status_t prism_gpu_island_save(prism_gpu_island_t *island, prism_island_state_t *state);
prism_status_t prism_gpu_island_restore(prism_gpu_island_t *island,
                                        const prism_island_state_t *state, bool *exact);

prism_status_t prism_gpu_island_hooks(prism_gpu_island_t *island, const prism_hooks_t *hooks);
prism_status_t prism_gpu_island_counters(prism_gpu_island_t *island, prism_counter_t which,
                                         uint32_t *values);

bool prism_gpu_island_ladder(const prism_gpu_island_t *island, prism_ladder_view_t *out);

/* Exchange with the pools of other ranks, as in seam/engine.h. */
prism_status_t prism_gpu_island_outbox(prism_gpu_island_t *island, int32_t rows,
                                       prism_space_t space, prism_buffer_t *out);
prism_status_t prism_gpu_island_inbox(prism_gpu_island_t *island, int32_t rows,
                                      prism_space_t space, prism_buffer_t *in);
prism_status_t prism_gpu_island_receive(prism_gpu_island_t *island, const prism_buffer_t *in,
                                        int32_t own, int32_t own_rows, int32_t *visitors);

/* Make a running search end at its next look. Any thread. */
void prism_gpu_island_halt(prism_gpu_island_t *island);

/* Copy of the times up to the last finished work. Any thread. */
prism_overlap_times_t prism_gpu_island_times(prism_gpu_island_t *island);

/* Add where they went to `profile`; nothing unless gpu.profile asks for it. Any thread. */
void prism_gpu_island_profile(prism_gpu_island_t *island, prism_gpu_profile_t *profile);

#endif
