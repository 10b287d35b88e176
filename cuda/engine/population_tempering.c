#include "engine/population_tempering.h"

#include <string.h>

#include "base/mem.h"
#include "runtime/check.h"

enum {
  SWEEPS = 2,      /* between exchanges: a launch first builds its tables, so not 1 */
  DRAWS = 100000   /* of a replica in a generation: milliseconds */
};

/* ---- temperatures ---- */

prism_status_t prism_gpu_tempering_init(prism_gpu_tempering_t *t,
                                        const prism_ladder_params_t *params, int32_t n,
                                        int32_t k, int32_t resident, int64_t moves,
                                        int32_t *members, int64_t *length) {
  prism_ladder_params_t own = *params;
  if (own.sweeps <= 0) own.sweeps = SWEEPS;
  PRISM_TRY(prism_ladder_init(&t->ladder, &own, n, k));
  int32_t ladders = resident / t->ladder.levels;
  *members = t->ladder.levels * (ladders > 1 ? ladders : 1);
  int64_t wanted = moves > 0 ? moves : DRAWS, round = (int64_t)t->ladder.sweeps * n;
  int64_t rounds = wanted / round + (wanted % round != 0);
  t->rounds = (int32_t)(rounds < PRISM_GPU_TEMPERING_ROUNDS ? rounds : PRISM_GPU_TEMPERING_ROUNDS);
  *length = round * t->rounds;
  return PRISM_ALLOC_ZERO(2 * t->ladder.levels, &t->counts);
}

static size_t weight_bytes(int32_t levels) {
  return (size_t)levels * PRISM_LADDER_WEIGHTS * sizeof(uint32_t);
}

static size_t factor_bytes(int32_t levels) { return (size_t)(levels - 1) * sizeof(uint64_t); }

static size_t count_bytes(int32_t levels) { return 2 * (size_t)(levels - 1) * sizeof(uint32_t); }

/* The tables of the present temperatures: weights, then factors. */
static size_t write_tables(const prism_ladder_t *ladder, int32_t k, void *to) {
  const size_t weights = weight_bytes(ladder->levels);
  uint32_t *weight = to;
  for (int32_t i = 0; i < ladder->levels; ++i)
    prism_ladder_weights(ladder->temperature[i], k, weight + (size_t)i * PRISM_LADDER_WEIGHTS);
  prism_ladder_factors(ladder, (uint64_t *)(void *)((char *)to + weights));
  return weights + factor_bytes(ladder->levels);
}

/* ---- device memory ---- */

/* Where things lie in the block: a list of offsets from its start. */
typedef struct layout {
  size_t tables, counts, round, level_of, replica_at, total;
} layout_t;

static layout_t layout_of(int32_t levels, int32_t members) {
  const size_t places = (size_t)members * sizeof(int32_t);
  layout_t l = {.tables = 0};
  l.round = weight_bytes(levels) + factor_bytes(levels); /* a multiple of 8 */
  l.counts = l.round + sizeof(uint64_t);
  l.level_of = l.counts + count_bytes(levels);
  l.replica_at = l.level_of + places;
  l.total = l.replica_at + places;
  return l;
}

static void point_into(prism_gpu_tempering_t *t, const layout_t *l, int32_t members) {
  const int32_t levels = t->ladder.levels;
  char *base = t->block;
  uint32_t *counts = (uint32_t *)(void *)(base + l->counts);
  t->device = (prism_gpu_ladder_t){
      .levels = levels,
      .ladders = members / levels,
      .level_of = (int32_t *)(void *)(base + l->level_of),
      .replica_at = (int32_t *)(void *)(base + l->replica_at),
      .weight = (const uint32_t *)(const void *)(base + l->tables),
      .factor = (const uint64_t *)(const void *)(base + weight_bytes(levels)),
      .attempts = counts,
      .accepted = counts + (levels - 1),
      .round = (uint64_t *)(void *)(base + l->round),
  };
}

prism_status_t prism_gpu_tempering_open(prism_gpu_tempering_t *t, prism_gpu_context_t *context,
                                        int32_t k, int32_t members, cudaStream_t stream) {
  const int32_t levels = t->ladder.levels;
  const layout_t l = layout_of(levels, members);
  char *image = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(l.total, &image));
  prism_status_t status = prism_gpu_take(context, l.total, stream, &t->block);
  if (status != PRISM_OK) {
    prism_free(image);
    return status;
  }
  point_into(t, &l, members);
  write_tables(&t->ladder, k, image + l.tables);
  int32_t *level_of = (int32_t *)(void *)(image + l.level_of);
  int32_t *replica_at = (int32_t *)(void *)(image + l.replica_at);
  for (int32_t i = 0; i < members; ++i) {
    level_of[i] = i % levels;
    replica_at[i] = i;
  }
  cudaError_t error = cudaMemcpyAsync(t->block, image, l.total, cudaMemcpyHostToDevice, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  prism_free(image);
  PRISM_CUDA(error);
  return PRISM_OK;
}

prism_status_t prism_gpu_tempering_get(const prism_gpu_tempering_t *t, int32_t members,
                                       prism_gpu_exchanges_t *at, cudaStream_t stream) {
  const int32_t levels = t->ladder.levels;
  const layout_t l = layout_of(levels, members);
  const size_t bytes = l.level_of - l.round; /* the round, then the counts */
  char *image = NULL;
  PRISM_TRY(PRISM_ALLOC(bytes, &image));
  cudaError_t error = cudaMemcpyAsync(image, (const char *)t->block + l.round, bytes,
                                      cudaMemcpyDeviceToHost, stream);
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(at->replica_at, t->device.replica_at,
                            (size_t)members * sizeof *at->replica_at, cudaMemcpyDeviceToHost,
                            stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  if (error == cudaSuccess) {
    memcpy(&at->round, image, sizeof at->round);
    memcpy(at->counts, image + (l.counts - l.round), count_bytes(levels));
    for (int32_t i = 0; i < 2 * (levels - 1); ++i) at->counts[i] -= t->counts[i];
  }
  prism_free(image);
  PRISM_CUDA(error);
  return PRISM_OK;
}

prism_status_t prism_gpu_tempering_put(prism_gpu_tempering_t *t, int32_t k, int32_t members,
                                       const prism_gpu_exchanges_t *at, cudaStream_t stream) {
  const int32_t levels = t->ladder.levels;
  const layout_t l = layout_of(levels, members);
  char *image = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(l.total, &image));
  write_tables(&t->ladder, k, image + l.tables);
  memcpy(image + l.round, &at->round, sizeof at->round);
  memcpy(image + l.counts, at->counts, count_bytes(levels));
  memcpy(image + l.replica_at, at->replica_at, (size_t)members * sizeof *at->replica_at);
  int32_t *level_of = (int32_t *)(void *)(image + l.level_of);
  for (int32_t i = 0; i < members; ++i) level_of[at->replica_at[i]] = i % levels;
  memset(t->counts, 0, count_bytes(levels)); /* as if the device had counted from this window on */
  t->changed = false;
  cudaError_t error = cudaMemcpyAsync(t->block, image, l.total, cudaMemcpyHostToDevice, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  prism_free(image);
  PRISM_CUDA(error);
  return PRISM_OK;
}

void prism_gpu_tempering_release(prism_gpu_tempering_t *t, prism_gpu_context_t *context,
                                 cudaStream_t stream) {
  prism_gpu_release(context, t->block, stream);
  prism_ladder_release(&t->ladder);
  prism_free(t->counts);
  memset(t, 0, sizeof *t);
}

/* ---- a generation ---- */

prism_status_t prism_gpu_tempering_queue(const prism_gpu_tempering_t *t,
                                         const prism_tempering_plan_t *plan,
                                         const prism_gpu_graph_t *graph,
                                         const prism_tempering_job_t *job, cudaStream_t stream) {
  prism_tempering_job_t own = *job;
  own.ladder = t->device;
  own.sweeps = t->ladder.sweeps;
  for (int32_t i = 0; i < t->rounds; ++i) {
    PRISM_TRY(prism_launch_tempering_sweeps(plan, graph, &own, stream));
    PRISM_TRY(prism_launch_tempering_swap(&own, stream));
  }
  return PRISM_OK;
}

size_t prism_gpu_tempering_input_bytes(void) {
  return weight_bytes(PRISM_LADDER_MOST) + factor_bytes(PRISM_LADDER_MOST);
}

size_t prism_gpu_tempering_report_bytes(void) { return count_bytes(PRISM_LADDER_MOST); }

size_t prism_gpu_tempering_send(prism_gpu_tempering_t *t, int32_t k, void *input) {
  ++t->under_way;
  if (!t->changed) return 0;
  t->changed = false;
  return write_tables(&t->ladder, k, input);
}

prism_status_t prism_gpu_tempering_receive(const prism_gpu_tempering_t *t, const void *input,
                                           cudaStream_t stream) {
  const int32_t levels = t->ladder.levels;
  PRISM_CUDA(cudaMemcpyAsync(t->block, input, weight_bytes(levels) + factor_bytes(levels),
                             cudaMemcpyDeviceToDevice, stream));
  return PRISM_OK;
}

prism_status_t prism_gpu_tempering_tell(const prism_gpu_tempering_t *t, void *report,
                                        cudaStream_t stream) {
  PRISM_CUDA(cudaMemcpyAsync(report, t->device.attempts, count_bytes(t->ladder.levels),
                             cudaMemcpyDeviceToDevice, stream));
  return PRISM_OK;
}

/* A window ends with `counts`. */
static prism_status_t judge(prism_gpu_tempering_t *t, const uint32_t *counts) {
  const int32_t pairs = t->ladder.levels - 1;
  uint32_t *lately = NULL;
  PRISM_TRY(PRISM_ALLOC(2 * pairs, &lately));
  for (int32_t i = 0; i < 2 * pairs; ++i) lately[i] = counts[i] - t->counts[i];
  t->swap_rate = prism_ladder_share(&t->ladder, lately, lately + pairs);
  if (prism_ladder_tune(&t->ladder, lately, lately + pairs)) {
    t->changed = true;
    t->outdated = t->under_way;
  }
  prism_free(lately);
  memcpy(t->counts, counts, count_bytes(t->ladder.levels));
  t->window = 0;
  return PRISM_OK;
}

prism_status_t prism_gpu_tempering_hear(prism_gpu_tempering_t *t, const void *report) {
  --t->under_way;
  if (t->outdated > 0) {
    --t->outdated;
    memcpy(t->counts, report, count_bytes(t->ladder.levels));
    return PRISM_OK;
  }
  t->window += t->rounds;
  return t->window < PRISM_LADDER_WINDOW ? PRISM_OK : judge(t, report);
}

prism_status_t prism_gpu_tempering_coldest(const prism_gpu_tempering_t *t, uint32_t draw,
                                           cudaStream_t stream, int32_t *member) {
  size_t ladder = prism_rng_scale(draw, (uint32_t)t->device.ladders);
  PRISM_CUDA(cudaMemcpyAsync(member, t->device.replica_at + ladder * (size_t)t->device.levels,
                             sizeof *member, cudaMemcpyDeviceToHost, stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  return PRISM_OK;
}
