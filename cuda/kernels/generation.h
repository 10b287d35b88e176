/* What holds a generation together on the device: mates, the pool update and the
 * report, so that the host sees summaries only.
 *
 * A generation is begin, crossover, search, decide, copies: all queued at once, or
 * replayed as a CUDA graph. Everything that changes from one to the next lies in the
 * control block, in device memory. Random numbers: purpose PRISM_RNG_POOL, iteration =
 * the generation, individual = the global id of the member. */
#ifndef PRISM_CUDA_KERNELS_GENERATION_H
#define PRISM_CUDA_KERNELS_GENERATION_H

#include <stdint.h>

#include <cuda_runtime_api.h>

#include "base/status.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  PRISM_GPU_PAIRS = 64,          /* pairs of members whose distance is measured */
  PRISM_GPU_TOURNAMENT = 8,      /* largest */
  PRISM_GPU_UNKNOWN = 0x7F7F7F7F /* f of a member whose search did not begin */
};

/* State of a population on the device, and what the host reads of it. */
typedef struct prism_gpu_control {
  uint64_t generation;      /* begun so far */
  unsigned long long moves; /* of all generations */
  uint32_t solved;          /* 1 + a member with f = 0 */
  uint32_t outgrown;        /* members of this generation whose counts do not fit the cells */
  int32_t kept;             /* children of the last generation that found a place */
  int32_t least, most;      /* conflicts of the members */
  int64_t sum;              /* of their conflicts */
  int64_t apart;            /* sum of the measured distances */
  int32_t best_f;           /* fewest since the population was made */
  int32_t best_from;        /* row that reached it in the last generation; -1: none */
  int32_t pairs;            /* how many were measured */
  int32_t visitors;         /* rows behind the members that mates are drawn from too */
  uint32_t ended;           /* demes that began anew so far ... */
  uint32_t apart_ended;     /* ... of them those whose members stayed apart (seam/lengths.h) */
} prism_gpu_control_t;

/* How a deme is doing; all zero when it begins. */
typedef struct prism_gpu_deme {
  float distance;       /* mean distance / n of two members, averaged over generations */
  float least_distance;
  int32_t least_f;
  int32_t age;          /* generations */
  int32_t since;        /* generations since one of the two fell */
  int32_t tournament;   /* of mates; it grows while nothing moves */
} prism_gpu_deme_t;

/* Parts of a pool that mate among themselves and begin anew on their own (demes: Wright 1943;
 * Cantu-Paz 1998). Deme d has the rows from d * members / count on. */
typedef struct prism_gpu_demes {
  int32_t count;          /* 0 or 1: the pool is one, and the rest is not used */
  int32_t tournament;     /* that a deme begins with */
  int32_t strictest;      /* tournament up to which it grows */
  prism_gpu_deme_t *deme; /* device [count] */
  int32_t *renewed;       /* device [members] the row itself where its deme begins anew, or -1 */
} prism_gpu_demes_t;

/* Index arrays of a generation; device memory. */
typedef struct prism_gpu_mating {
  int32_t *first, *second; /* [members] parents of child i; first = i */
  int32_t *place;          /* [members] where child i goes; -1: nowhere */
  int32_t *left, *right;   /* [pairs] pairs whose distance is measured */
  int32_t *distance;       /* [pairs] */
  prism_gpu_demes_t demes;
} prism_gpu_mating_t;

/* Pairs that are measured: with demes each member and another of its deme. */
#ifdef __CUDACC__
__host__ __device__
#endif
static inline int32_t prism_gpu_pairs(const prism_gpu_mating_t *mating, int32_t members) {
  return mating->demes.count > 1 ? members : (int32_t)PRISM_GPU_PAIRS;
}

/* Count the generation; with `mating` draw a mate for each member of `pool` and pairs to
 * measure (members >= 2). The mate is the one with the fewest conflicts of `tournament`
 * others drawn at random (Goldberg & Deb 1991), the first of equals; visitors
 * (visitors.h) are drawn like members, but not where there are demes: these have tournaments of
 * their own. */
prism_status_t prism_launch_begin(prism_gpu_control_t *control, const prism_gpu_mating_t *mating,
                                  const prism_gpu_pool_t *pool, int32_t tournament,
                                  uint64_t seed, uint32_t first_individual,
                                  cudaStream_t stream);

/* The member with the most conflicts gives way to a migrant.
 * [in] color  device memory [n]; f its conflicts */
prism_status_t prism_launch_admit(const prism_gpu_pool_t *pool, const uint16_t *color, int32_t f,
                                  cudaStream_t stream);

/* Judge the demes (more than one) after their children have taken their places: whose members
 * have become alike, or where nothing has moved for long even with the strictest choice of
 * mates, that one begins anew. Where only the choice can still be stricter, it becomes so.
 * After a generation that was ended early nothing changes. The rows are the caller's to fill. */
prism_status_t prism_launch_judge(prism_gpu_control_t *control, const uint32_t *halt,
                                  const prism_gpu_mating_t *mating, const prism_gpu_pool_t *pool,
                                  cudaStream_t stream);

/* Judge what the search made. With `mating`: `child` are the children of `pool`; place
 * says where they go, and pool->f is brought up to date (the colours are gathered
 * afterwards); a child that was not searched goes nowhere. Without: `pool` was searched in
 * place, child is NULL. A generation that was ended early (*halt is not 0) gives its
 * children no places but for solutions: how far the others got is chance. */
prism_status_t prism_launch_decide(prism_gpu_control_t *control, const uint32_t *halt,
                                   const prism_gpu_mating_t *mating, const prism_gpu_pool_t *pool,
                                   const prism_gpu_pool_t *child, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
