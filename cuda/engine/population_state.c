#include "engine/population_state.h"

#include <string.h>

#include "base/mem.h"
#include "engine/population_demes.h"
#include "kernels/convert.h"
#include "kernels/recount.h"
#include "runtime/check.h"

enum { CHUNK_BYTES = 64 << 20 }; /* of rows that go up at once */

static bool tempers(const prism_population_t *p) { return p->method == PRISM_METHOD_TEMPERING; }

/* ---- down ---- */

void prism_saved_population_release(prism_saved_population_t *saved) {
  prism_ladder_release(&saved->ladder.ladder);
  prism_free(saved->ladder.at.counts);
  prism_free(saved->ladder.at.replica_at);
  prism_free(saved->deme);
  *saved = (prism_saved_population_t){.live = false};
}

static prism_status_t copy_ladder(const prism_ladder_t *from, prism_ladder_t *to) {
  const size_t levels = (size_t)from->levels, gaps = levels - 1;
  *to = *from;
  to->temperature = to->gap = to->rate = NULL;
  PRISM_TRY(PRISM_ALLOC(levels, &to->temperature));
  PRISM_TRY(PRISM_ALLOC(gaps, &to->gap));
  PRISM_TRY(PRISM_ALLOC(gaps, &to->rate));
  memcpy(to->temperature, from->temperature, levels * sizeof *to->temperature);
  memcpy(to->gap, from->gap, gaps * sizeof *to->gap);
  memcpy(to->rate, from->rate, gaps * sizeof *to->rate);
  return PRISM_OK;
}

static prism_status_t describe_ladder(const prism_population_t *p, prism_saved_ladder_t *saved,
                                      cudaStream_t stream) {
  const prism_gpu_tempering_t *t = &p->tempering;
  PRISM_TRY(copy_ladder(&t->ladder, &saved->ladder));
  saved->rounds = t->rounds;
  saved->window = t->window;
  saved->swap_rate = t->swap_rate;
  PRISM_TRY(PRISM_ALLOC_ZERO(2 * (t->ladder.levels - 1), &saved->at.counts));
  PRISM_TRY(PRISM_ALLOC(p->members, &saved->at.replica_at));
  return prism_gpu_tempering_get(t, p->members, &saved->at, stream);
}

static prism_status_t describe_demes(const prism_population_t *p, prism_saved_population_t *saved,
                                     cudaStream_t stream) {
  const prism_gpu_demes_t *demes = &p->mating.demes;
  const size_t bytes = (size_t)demes->count * sizeof *saved->deme;
  saved->deme_size = p->deme_size;
  saved->demes = demes->count;
  saved->ended = p->ended;
  saved->round = p->round;
  saved->apart_ended = p->apart_ended;
  saved->apart_round = p->apart_round;
  saved->lengths = p->lengths;
  saved->least = p->least;
  if (demes->count == 0) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC(demes->count, &saved->deme));
  PRISM_CUDA(cudaMemcpyAsync(saved->deme, demes->deme, bytes, cudaMemcpyDeviceToHost, stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  return PRISM_OK;
}

prism_status_t prism_population_describe(const prism_population_t *p,
                                         prism_saved_population_t *saved, cudaStream_t stream) {
  prism_gpu_control_t control;
  PRISM_CUDA(cudaMemcpyAsync(&control, p->control, sizeof control, cudaMemcpyDeviceToHost,
                             stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  saved->layout = prism_searcher_layout(&p->searcher);
  saved->members = p->members;
  saved->wanted = p->wanted;
  saved->visitors = control.visitors;
  saved->generation = control.generation;
  saved->moves = control.moves;
  saved->length = p->length;
  saved->length_given = p->length_given;
  saved->size_given = p->size_given;
  saved->enlarged = p->enlarged;
  saved->tournament = p->tournament;
  saved->tournament_given = p->tournament_given;
  saved->tenure_base = p->tenure_base;
  saved->tenure_slope = p->tenure_slope;
  saved->fresh = p->fresh;
  saved->inherited = p->inherited;
  saved->progress = p->progress;
  PRISM_TRY(describe_demes(p, saved, stream));
  return tempers(p) ? describe_ladder(p, &saved->ladder, stream) : PRISM_OK;
}

prism_status_t prism_population_get(const prism_population_t *p, int32_t row, int32_t count,
                                    uint16_t *color, int32_t *f, cudaStream_t stream) {
  prism_gpu_pool_t part = p->pool;
  const size_t row_bytes = (size_t)part.n * sizeof *color, rows = (size_t)count;
  part.members = count;
  part.color += (size_t)row * (size_t)part.pitch;
  part.f = p->child.f; /* free between generations */
  if (count > p->members)
    PRISM_FAIL(PRISM_INTERNAL, "%d of %d rows at once", count, p->members);
  if (count == 0) return PRISM_OK;
  PRISM_TRY(prism_launch_recount(&p->graph, &part, NULL, count, stream));
  PRISM_CUDA(cudaMemcpyAsync(f, part.f, rows * sizeof *f, cudaMemcpyDeviceToHost, stream));
  /* What follows the last vertex was never written. */
  PRISM_CUDA(cudaMemcpy2DAsync(color, row_bytes, part.color,
                               (size_t)part.pitch * sizeof *part.color, row_bytes, rows,
                               cudaMemcpyDeviceToHost, stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  return PRISM_OK;
}

/* ---- up ---- */

/* [in] image  host memory for `count` rows, zero */
static prism_status_t put_chunk(prism_population_t *p, int32_t row, int32_t count,
                                const int32_t *color, const prism_host_rows_t *rows,
                                uint16_t *image, cudaStream_t stream) {
  const size_t pitch = (size_t)p->pool.pitch;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t *from = color + (size_t)i * (size_t)rows->stride;
    for (int32_t v = 0; v < p->pool.n; ++v)
      image[(size_t)i * pitch + (size_t)v] = (uint16_t)from[rows->map[v]];
  }
  PRISM_CUDA(cudaMemcpyAsync(p->pool.color + (size_t)row * pitch, image,
                             (size_t)count * pitch * sizeof *image, cudaMemcpyHostToDevice,
                             stream));
  PRISM_CUDA(cudaStreamSynchronize(stream)); /* the image is written again */
  return PRISM_OK;
}

prism_status_t prism_population_put(prism_population_t *p, int32_t row, int32_t count,
                                    const prism_host_rows_t *rows, cudaStream_t stream) {
  const size_t pitch = (size_t)p->pool.pitch, fit = CHUNK_BYTES / (pitch * sizeof(uint16_t)) + 1;
  const int32_t most = fit < (size_t)count ? (int32_t)fit : count;
  uint16_t *image = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO((size_t)most * pitch, &image));
  prism_status_t status = PRISM_OK;
  for (int32_t done = 0; done < count && status == PRISM_OK; done += most) {
    const int32_t now = count - done < most ? count - done : most;
    status = put_chunk(p, row + done, now, rows->color + (size_t)done * (size_t)rows->stride,
                       rows, image, stream);
  }
  prism_free(image);
  return status;
}

static prism_status_t put_conflicts(prism_population_t *p, const int64_t *f, int32_t count,
                                    cudaStream_t stream) {
  int32_t *narrow = NULL;
  PRISM_TRY(PRISM_ALLOC(count, &narrow));
  for (int32_t i = 0; i < count; ++i) narrow[i] = (int32_t)f[i];
  cudaError_t error = cudaMemcpyAsync(p->pool.f, narrow, (size_t)count * sizeof *narrow,
                                      cudaMemcpyHostToDevice, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  prism_free(narrow);
  PRISM_CUDA(error);
  return PRISM_OK;
}

prism_status_t prism_population_put_best(prism_population_t *p, const int32_t *color, int32_t f,
                                         cudaStream_t stream) {
  uint16_t *packed = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(p->best.pitch, &packed));
  prism_color_pack(color, p->best.n, packed);
  cudaError_t error =
      cudaMemcpyAsync(p->best.color, packed, (size_t)p->best.pitch * sizeof *packed,
                      cudaMemcpyHostToDevice, stream);
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(&p->control->best_f, &f, sizeof f, cudaMemcpyHostToDevice, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream); /* `f` is on this stack */
  prism_free(packed);
  PRISM_CUDA(error);
  return PRISM_OK;
}

static prism_status_t put_control(prism_population_t *p, const prism_saved_population_t *saved,
                                  cudaStream_t stream) {
  prism_gpu_control_t control = {.generation = saved->generation, .moves = saved->moves,
                                 .best_f = INT32_MAX, .best_from = -1,
                                 .visitors = saved->visitors, .ended = saved->ended,
                                 .apart_ended = saved->apart_ended};
  PRISM_CUDA(cudaMemcpyAsync(p->control, &control, sizeof control, cudaMemcpyHostToDevice,
                             stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  return PRISM_OK;
}

static prism_status_t put_demes(prism_population_t *p, const prism_saved_population_t *saved,
                                cudaStream_t stream) {
  const size_t bytes = (size_t)saved->demes * sizeof *saved->deme;
  p->deme_size = saved->deme_size;
  p->ended = saved->ended;
  p->round = saved->round;
  p->apart_ended = saved->apart_ended;
  p->apart_round = saved->apart_round;
  p->lengths = saved->lengths;
  p->least = saved->least;
  if (saved->demes == 0) return PRISM_OK;
  prism_population_divide(p);
  PRISM_CUDA(cudaMemcpyAsync(p->mating.demes.deme, saved->deme, bytes, cudaMemcpyHostToDevice,
                             stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  return PRISM_OK;
}

static prism_status_t put_ladder(prism_population_t *p, prism_saved_ladder_t *saved,
                                 cudaStream_t stream) {
  prism_gpu_tempering_t *t = &p->tempering;
  prism_ladder_release(&t->ladder);
  t->ladder = saved->ladder;
  saved->ladder = (prism_ladder_t){.levels = 0};
  t->window = saved->window;
  t->swap_rate = saved->swap_rate;
  return prism_gpu_tempering_put(t, p->k, p->members, &saved->at, stream);
}

/* Everything that a new population has from its parameters and from chance. */
static prism_status_t put_all(prism_population_t *p, prism_saved_population_t *saved,
                              const prism_host_rows_t *rows, const int64_t *f,
                              cudaStream_t stream) {
  const int32_t count = saved->members + saved->visitors;
  p->wanted = saved->wanted;
  p->length = saved->length;
  p->length_given = saved->length_given;
  p->size_given = saved->size_given;
  p->enlarged = saved->enlarged;
  p->tournament = saved->tournament;
  p->tournament_given = saved->tournament_given;
  p->tenure_base = saved->tenure_base;
  p->tenure_slope = saved->tenure_slope;
  p->fresh = saved->fresh;
  p->inherited = saved->inherited;
  p->progress = saved->progress;
  PRISM_TRY(put_control(p, saved, stream));
  PRISM_TRY(put_demes(p, saved, stream));
  PRISM_TRY(prism_population_put(p, 0, count, rows, stream));
  PRISM_TRY(put_conflicts(p, f, count, stream));
  return tempers(p) ? put_ladder(p, &saved->ladder, stream) : PRISM_OK;
}

/* Does it have the size and the layout of the one that was saved? Cells become as wide as they
 * had become there. */
static prism_status_t reshape(prism_population_t *p, const prism_saved_population_t *saved,
                              cudaStream_t stream, bool *fits) {
  const prism_searcher_t *s = &p->searcher;
  while (prism_searcher_layout(s) != saved->layout && !s->wide && s->cell_bits > 0 &&
         s->cell_bits < 16)
    PRISM_TRY(prism_population_widen(p, stream));
  *fits = prism_searcher_layout(s) == saved->layout && p->members == saved->members &&
          p->length == saved->length && p->room >= saved->visitors;
  if (saved->demes > 0)
    *fits = *fits && prism_population_demes_of(p, saved->deme_size) == saved->demes;
  if (tempers(p))
    *fits = *fits && p->tempering.ladder.levels == saved->ladder.ladder.levels &&
            p->tempering.rounds == saved->ladder.rounds;
  return PRISM_OK;
}

prism_status_t prism_population_resume(prism_gpu_context_t *context,
                                       const prism_population_setup_t *setup,
                                       prism_saved_population_t *saved,
                                       const prism_host_rows_t *rows, const int64_t *f,
                                       cudaStream_t stream, prism_population_t *out, bool *fits) {
  const prism_search_params_t params = {
      .method = setup->method, .generation_iterations = saved->length, .tenure_base = 1.0,
      .ladder = {.replicas = saved->ladder.ladder.levels, .sweeps = saved->ladder.ladder.sweeps}};
  prism_population_setup_t own = *setup;
  prism_population_t p;
  own.params = &params;
  own.members = saved->members;
  *fits = false;
  PRISM_TRY(prism_population_create(context, &own, stream, &p));
  prism_status_t status = reshape(&p, saved, stream, fits);
  if (status == PRISM_OK && *fits) status = put_all(&p, saved, rows, f, stream);
  if (status != PRISM_OK || !*fits) {
    *fits = false;
    prism_population_release(&p, stream);
    return status;
  }
  *out = p;
  return PRISM_OK;
}
