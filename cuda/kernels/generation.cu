#include "kernels/generation.h"

#include "base/rng.h"
#include "runtime/check.h"
#include "seam/lengths.h"

enum { THREADS = 256, WARPS = THREADS / 32 };
static const unsigned ALL_LANES = 0xFFFFFFFFu;

/* Another member than i, uniformly. */
static __device__ int32_t other_member(uint32_t word, int32_t i, int32_t members) {
  int32_t j = (int32_t)prism_rng_scale(word, (uint32_t)members - 1u);
  return j + (j >= i);
}

/* Rows from .. to - 1. */
typedef struct rows {
  int32_t from, to;
} rows_t;

static __device__ rows_t rows_of(int32_t deme, int32_t count, int32_t members) {
  return {(int32_t)((int64_t)deme * members / count),
          (int32_t)((int64_t)(deme + 1) * members / count)};
}

static __device__ int32_t deme_of(int32_t row, int32_t count, int32_t members) {
  return (int32_t)(((int64_t)(row + 1) * count - 1) / members);
}

__global__ void begin_kernel(prism_gpu_control_t *control, prism_gpu_mating_t mating,
                             int32_t members, const int32_t *f, int32_t tournament,
                             uint64_t seed, uint32_t first_individual) {
  const uint64_t generation = control->generation + 1;
  const prism_gpu_demes_t demes = mating.demes;
  __syncthreads();
  if (threadIdx.x == 0) {
    control->generation = generation;
    control->outgrown = 0;
  }
  if (mating.first == NULL) return;
  rows_t mates = {0, members + control->visitors};
  for (int32_t i = (int32_t)threadIdx.x; i < members; i += THREADS) {
    if (demes.count > 1) {
      const int32_t d = deme_of(i, demes.count, members);
      mates = rows_of(d, demes.count, members);
      tournament = max(demes.deme[d].tournament, demes.tournament);
    }
    int32_t mate = -1;
    for (int32_t t = 0; t < tournament; ++t) {
      /* Draws from 1 on belong to the pairs below. */
      prism_rng_block_t random =
          prism_rng_at(seed, generation, t < 4 ? 0u : 1u + PRISM_GPU_PAIRS,
                       first_individual + (uint32_t)i, PRISM_RNG_POOL);
      int32_t other = mates.from + other_member(random.word[t & 3], i - mates.from,
                                                mates.to - mates.from);
      if (mate < 0 || f[other] < f[mate]) mate = other;
    }
    mating.first[i] = i;
    mating.second[i] = mate;
    if (demes.count > 1) {
      prism_rng_block_t random = prism_rng_at(seed, generation, 2u + PRISM_GPU_PAIRS,
                                              first_individual + (uint32_t)i, PRISM_RNG_POOL);
      mating.left[i] = i;
      mating.right[i] = mates.from + other_member(random.word[0], i - mates.from,
                                                  mates.to - mates.from);
    }
  }
  if (demes.count > 1) return;
  for (int32_t i = (int32_t)threadIdx.x; i < PRISM_GPU_PAIRS; i += THREADS) {
    prism_rng_block_t random = prism_rng_at(seed, generation, 1u + (uint32_t)i, first_individual,
                                            PRISM_RNG_POOL);
    mating.left[i] = (int32_t)prism_rng_scale(random.word[0], (uint32_t)members);
    mating.right[i] = other_member(random.word[1], mating.left[i], members);
  }
}

/* Least of all threads' values; all get it. */
static __device__ int64_t block_least(int64_t value, int64_t *scratch) {
  for (int step = 16; step > 0; step /= 2) {
    int64_t other = __shfl_xor_sync(ALL_LANES, value, step);
    value = other < value ? other : value;
  }
  __syncthreads();
  if ((threadIdx.x & 31) == 0) scratch[threadIdx.x >> 5] = value;
  __syncthreads();
  for (int w = 0; w < WARPS; ++w) value = scratch[w] < value ? scratch[w] : value;
  return value;
}

static __device__ int64_t block_sum(int64_t value, int64_t *scratch) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(ALL_LANES, value, step);
  __syncthreads();
  if ((threadIdx.x & 31) == 0) scratch[threadIdx.x >> 5] = value;
  __syncthreads();
  value = 0;
  for (int w = 0; w < WARPS; ++w) value += scratch[w];
  return value;
}

__global__ void admit_kernel(prism_gpu_pool_t pool, const uint16_t *color, int32_t f) {
  __shared__ int64_t scratch[WARPS];
  int64_t worst = 0;
  for (int32_t i = (int32_t)threadIdx.x; i < pool.members; i += THREADS) {
    int64_t rank = (int64_t)pool.f[i] << 32 | (uint32_t)i;
    worst = rank > worst ? rank : worst;
  }
  worst = -block_least(-worst, scratch);
  const int32_t row = (int32_t)(worst & 0xFFFFFFFF);
  for (int32_t v = (int32_t)threadIdx.x; v < pool.n; v += THREADS)
    pool.color[(size_t)row * (size_t)pool.pitch + (size_t)v] = color[v];
  if (threadIdx.x == 0) pool.f[row] = f;
}

__global__ void decide_kernel(prism_gpu_control_t *control, const uint32_t *halt,
                              prism_gpu_mating_t mating, prism_gpu_pool_t pool,
                              const int32_t *child_f) {
  __shared__ int64_t scratch[WARPS];
  const bool cut = *halt != 0;
  int64_t sum = 0, kept = 0, least = INT64_MAX, most = 0, best = INT64_MAX;
  for (int32_t i = (int32_t)threadIdx.x; i < pool.members; i += THREADS) {
    int32_t f = pool.f[i], made = child_f != NULL ? child_f[i] : f;
    if (child_f != NULL) {
      /* A child takes the place of its first parent. */
      const bool keep = made != PRISM_GPU_UNKNOWN && (made == 0 || !cut);
      mating.place[i] = keep ? i : -1;
      kept += keep;
      f = keep ? made : f;
      pool.f[i] = f;
    }
    /* The lowest member wins. */
    int64_t rank = (int64_t)made << 32 | (uint32_t)i;
    if (made != PRISM_GPU_UNKNOWN) best = rank < best ? rank : best;
    sum += f;
    least = f < least ? f : least;
    most = f > most ? f : most;
  }
  int64_t apart = 0;
  const int32_t pairs = mating.first != NULL ? prism_gpu_pairs(&mating, pool.members) : 0;
  for (int32_t i = (int32_t)threadIdx.x; i < pairs; i += THREADS) apart += mating.distance[i];
  sum = block_sum(sum, scratch);
  kept = block_sum(kept, scratch);
  apart = block_sum(apart, scratch);
  least = block_least(least, scratch);
  most = -block_least(-most, scratch);
  best = block_least(best, scratch);
  if (threadIdx.x != 0) return;
  control->kept = (int32_t)kept;
  control->sum = sum;
  control->least = (int32_t)least;
  control->most = (int32_t)most;
  control->apart = apart;
  control->pairs = pairs;
  bool better = best != INT64_MAX && (int32_t)(best >> 32) < control->best_f;
  control->best_from = better ? (int32_t)(best & 0xFFFFFFFF) : -1;
  if (better) control->best_f = (int32_t)(best >> 32);
}

/* What a generation of a deme has come to: mean distance / n of two members, fewest conflicts.
 * Returns whether it begins anew. [out] apart: its members have stayed apart */
static __device__ bool note_deme(prism_gpu_deme_t *at, const prism_gpu_demes_t *demes,
                                 float distance, int32_t f, bool *apart) {
  enum { PATIENCE = 30 }; /* generations */
  const float fading = 0.7f, step = 0.005f, alike = 0.05f;
  if (at->age == 0)
    *at = {distance, distance, f, 0, 0, demes->tournament};
  else
    at->distance = fading * at->distance + (1.0f - fading) * distance;
  ++at->age;
  ++at->since;
  if (at->distance < at->least_distance - step) {
    at->least_distance = at->distance;
    at->since = 0;
  }
  if (f < at->least_f) {
    at->least_f = f;
    at->since = 0;
  }
  if (at->since > PATIENCE && at->tournament < demes->strictest) {
    ++at->tournament;
    at->since = 0;
  }
  const bool ends = at->distance < alike || at->since > 2 * PATIENCE;
  *apart = ends && at->distance > (float)PRISM_FAR_APART;
  if (ends) *at = {};
  return ends;
}

__global__ void judge_kernel(prism_gpu_control_t *control, const uint32_t *halt,
                             prism_gpu_mating_t mating, prism_gpu_pool_t pool) {
  __shared__ int64_t scratch[WARPS];
  __shared__ bool ends;
  const prism_gpu_demes_t demes = mating.demes;
  const rows_t rows = rows_of((int32_t)blockIdx.x, demes.count, pool.members);
  int64_t apart = 0, least = INT64_MAX;
  for (int32_t i = rows.from + (int32_t)threadIdx.x; i < rows.to; i += THREADS) {
    apart += mating.distance[i];
    least = pool.f[i] < least ? pool.f[i] : least;
  }
  apart = block_sum(apart, scratch);
  least = block_least(least, scratch);
  if (threadIdx.x == 0) {
    const float distance = (float)apart / ((float)(rows.to - rows.from) * (float)pool.n);
    bool stayed = false;
    ends = *halt == 0 &&
           note_deme(&demes.deme[blockIdx.x], &demes, distance, (int32_t)least, &stayed);
    if (ends) atomicAdd(&control->ended, 1u);
    if (stayed) atomicAdd(&control->apart_ended, 1u);
  }
  __syncthreads();
  for (int32_t i = rows.from + (int32_t)threadIdx.x; i < rows.to; i += THREADS)
    demes.renewed[i] = ends ? i : -1;
}

extern "C" prism_status_t prism_launch_begin(prism_gpu_control_t *control,
                                             const prism_gpu_mating_t *mating,
                                             const prism_gpu_pool_t *pool, int32_t tournament,
                                             uint64_t seed, uint32_t first_individual,
                                             cudaStream_t stream) {
  prism_gpu_mating_t none = {};
  if (mating != NULL && (pool->members < 2 || tournament < 1 || tournament > PRISM_GPU_TOURNAMENT))
    PRISM_FAIL(PRISM_INVALID, "no mates for %d members by tournaments of %d", pool->members,
               tournament);
  if (mating != NULL && 2 * mating->demes.count > pool->members)
    PRISM_FAIL(PRISM_INVALID, "no mates for %d members in %d demes", pool->members,
               mating->demes.count);
  begin_kernel<<<1, THREADS, 0, stream>>>(control, mating != NULL ? *mating : none, pool->members,
                                          pool->f, tournament, seed, first_individual);
  return prism_cuda_launched("begin_kernel");
}

extern "C" prism_status_t prism_launch_admit(const prism_gpu_pool_t *pool,
                                             const uint16_t *color, int32_t f,
                                             cudaStream_t stream) {
  admit_kernel<<<1, THREADS, 0, stream>>>(*pool, color, f);
  return prism_cuda_launched("admit_kernel");
}

extern "C" prism_status_t prism_launch_judge(prism_gpu_control_t *control, const uint32_t *halt,
                                             const prism_gpu_mating_t *mating,
                                             const prism_gpu_pool_t *pool, cudaStream_t stream) {
  const int32_t count = mating->demes.count;
  if (count < 2 || 2 * count > pool->members)
    PRISM_FAIL(PRISM_INVALID, "%d members in %d demes are not judged", pool->members, count);
  judge_kernel<<<(unsigned)count, THREADS, 0, stream>>>(control, halt, *mating, *pool);
  return prism_cuda_launched("judge_kernel");
}

extern "C" prism_status_t prism_launch_decide(prism_gpu_control_t *control, const uint32_t *halt,
                                              const prism_gpu_mating_t *mating,
                                              const prism_gpu_pool_t *pool,
                                              const prism_gpu_pool_t *child,
                                              cudaStream_t stream) {
  prism_gpu_mating_t none = {};
  decide_kernel<<<1, THREADS, 0, stream>>>(control, halt, mating != NULL ? *mating : none, *pool,
                                           child != NULL ? child->f : NULL);
  return prism_cuda_launched("decide_kernel");
}
