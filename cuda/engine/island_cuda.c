#include "engine/island_cuda.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/island_ground.h"
#include "engine/population_demes.h"
#include "engine/population_growth.h"
#include "kernels/convert.h"
#include "model/coloring.h"
#include "runtime/check.h"

enum { SPANS = 4096 };

/* ---- begin and end ---- */

/* Reports of one island must not wait behind the kernels of another. */
static prism_status_t open_download(prism_gpu_island_t *island, bool first, cudaStream_t *out) {
  const prism_stream_pool_t *streams = island->context->streams;
  *out = prism_stream_pool_get(streams, PRISM_STREAM_TELEMETRY_DOWNLOAD);
  if (first || prism_stream_pool_mode(streams) == PRISM_STREAMS_SEQUENTIAL) return PRISM_OK;
  int least = 0, greatest = 0;
  PRISM_CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  PRISM_CUDA(cudaStreamCreateWithPriority(&island->download, cudaStreamNonBlocking, greatest));
  *out = island->download;
  return PRISM_OK;
}

static prism_status_t open_pipeline(prism_gpu_island_t *island, int32_t place) {
  prism_gpu_context_t *context = island->context;
  const bool tempers = island->methods == PRISM_METHOD_BIT(PRISM_METHOD_TEMPERING);
  int32_t first = prism_stream_pool_phase_index(
      context->streams, tempers ? PRISM_PHASE_THERMODYNAMIC : PRISM_PHASE_MEMETIC);
  cudaStream_t download = NULL;
  PRISM_TRY(open_download(island, !tempers && place == 0, &download));
  island->stream_index = (first + place) % prism_stream_pool_size(context->streams);
  island->stream = prism_stream_pool_kernel(context->streams, island->stream_index);
  PRISM_CUDA(cudaStreamCreateWithFlags(&island->recorder, cudaStreamNonBlocking));
  PRISM_TRY(prism_profiler_create(SPANS, &island->profiler));
  if (context->params.profile)
    PRISM_TRY(prism_gpu_meter_open(island->profiler, island->methods, &island->meter));
  prism_coordinator_config_t config = {
      .upload = prism_stream_pool_get(context->streams, PRISM_STREAM_CONFIG_UPLOAD),
      .compute = island->stream,
      .download = download,
      .async = context->params.async,
      .profiler = island->profiler};
  PRISM_TRY(prism_coordinator_create(&config, &island->coordinator));
  PRISM_TRY(prism_triple_create(island->coordinator, context->memory,
                                prism_population_input_bytes(island->kernel->n),
                                prism_population_report_bytes(island->kernel->n),
                                &island->triple));
  PRISM_TRY(prism_gpu_take(context, sizeof *island->halt, island->stream,
                           (void **)&island->halt));
  PRISM_CUDA(cudaMemsetAsync(island->halt, 0, sizeof *island->halt, island->stream));
  PRISM_CUDA(cudaStreamSynchronize(island->stream)); /* other streams use it from now on */
  PRISM_TRY(prism_pinned_alloc(sizeof *island->halting, (void **)&island->halting));
  *island->halting = UINT32_MAX;
  return PRISM_OK;
}

prism_status_t prism_gpu_island_init(prism_gpu_island_t *island, prism_gpu_context_t *context,
                                     const prism_gpu_island_setup_t *setup) {
  const prism_graph_t *kernel = setup->kernel;
  *island = (prism_gpu_island_t){.context = context, .kernel = kernel, .seed = setup->seed,
                                 .id = setup->id, .methods = setup->methods,
                                 .share = setup->share, .guest_f = -1};
  if (pthread_mutex_init(&island->lock, NULL) != 0)
    PRISM_FAIL(PRISM_MEMORY, "the lock of a GPU island could not be made");
  island->locked = true;
  PRISM_TRY(PRISM_ALLOC(kernel->n, &island->incumbent));
  PRISM_TRY(PRISM_ALLOC(kernel->n, &island->guest));
  return open_pipeline(island, setup->place);
}

void prism_gpu_island_release(prism_gpu_island_t *island) {
  if (island->context == NULL) return;
  prism_triple_destroy(&island->triple);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) prism_gpu_island_drop_population(island, m);
  prism_gpu_island_leave(island);
  prism_gpu_boxes_release(&island->boxes, island->context, island->stream);
  prism_gpu_release(island->context, island->halt, island->stream);
  prism_pinned_free(island->halting);
  prism_coordinator_destroy(&island->coordinator);
  prism_gpu_meter_close(&island->meter);
  prism_profiler_destroy(&island->profiler);
  if (island->recorder != NULL) prism_cuda_drop(cudaStreamDestroy(island->recorder));
  if (island->download != NULL) prism_cuda_drop(cudaStreamDestroy(island->download));
  prism_hooks_cuda_release(&island->hooks);
  prism_free(island->incumbent);
  prism_free(island->guest);
  prism_gpu_island_drop_founders(island);
  if (island->locked) pthread_mutex_destroy(&island->lock);
  memset(island, 0, sizeof *island);
}

/* ---- work ---- */

/* Account of a piece of work. */
typedef struct account {
  const prism_work_t *work;
  const atomic_bool *stop;
  prism_summary_t *summary;
  double begin;
  int64_t promised; /* moves of the generations that are under way */
  int64_t queued;   /* generations submitted */
  bool over;        /* submit no more */
} account_t;

typedef struct turn {
  prism_population_t *population;
  bool guest;
  int32_t guest_f;
  bool temperatures; /* new ones */
} turn_t;

static prism_status_t queue_turn(const turn_t *turn, cudaStream_t stream, const void *input,
                                 void *output) {
  prism_population_t *p = turn->population;
  if (turn->guest) {
    PRISM_TRY(prism_stage_enter(p->stages, PRISM_GPU_STAGE_MIGRANT, stream));
    PRISM_TRY(prism_launch_admit(&p->pool, input, turn->guest_f, stream));
  }
  if (turn->temperatures) PRISM_TRY(prism_gpu_tempering_receive(&p->tempering, input, stream));
  return prism_population_queue(p, output, stream);
}

static prism_status_t launch_turn(void *context, cudaStream_t stream, const void *input,
                                  void *output) {
  const turn_t *turn = context;
  return prism_stage_finish(turn->population->stages, queue_turn(turn, stream, input, output),
                            stream);
}

/* A population whose members have become alike, or whose cells are too small, begins anew. */
static prism_status_t begin_anew(prism_gpu_island_t *island, prism_population_t *p, bool outgrown) {
  prism_stage_manager_t *between = island->meter.between;
  PRISM_TRY(prism_stage_enter(between, PRISM_GPU_CHANGE_POPULATION, island->stream));
  prism_status_t status = outgrown ? prism_population_widen(p, island->stream)
                                   : prism_population_renew(p, island->stream);
  return prism_stage_finish(between, status, island->stream);
}

static bool spent(const account_t *a) {
  const prism_work_t *work = a->work;
  if (a->queued == 0) return false; /* there must be something to show */
  return a->over || atomic_load_explicit(a->stop, memory_order_relaxed) ||
         (work->generations > 0 && a->queued >= work->generations) ||
         (work->iterations > 0 && a->summary->iterations + a->promised >= work->iterations) ||
         (work->seconds > 0.0 && prism_clock_now() - a->begin >= work->seconds);
}

/* Queue a generation, with the migrant that waits. */
static prism_status_t submit(prism_gpu_island_t *island, prism_population_t *p, account_t *a) {
  int32_t slot = PRISM_SLOT_NONE;
  PRISM_TRY(prism_triple_claim(island->triple, &slot));
  turn_t turn = {.population = p, .guest_f = island->guest_f};
  turn.guest = p->method == PRISM_METHOD_POOL && island->guest_f >= 0;
  size_t bytes = 0;
  if (p->method == PRISM_METHOD_TEMPERING) {
    bytes = prism_gpu_tempering_send(&p->tempering, p->k, prism_triple_input(island->triple, slot));
    turn.temperatures = bytes > 0;
  }
  if (turn.guest) {
    prism_color_pack(island->guest, p->graph.n, prism_triple_input(island->triple, slot));
    bytes = (size_t)p->pool.pitch * sizeof(uint16_t);
    island->guest_f = -1;
  }
  PRISM_TRY(prism_triple_submit(island->triple, slot, bytes, launch_turn, &turn));
  a->promised += p->length * p->members;
  ++a->queued;
  return PRISM_OK;
}

/* Read the report of the oldest generation. */
static prism_status_t collect(prism_gpu_island_t *island, prism_population_t *p, account_t *a) {
  enum { FEW = 16 }; /* one member of so many */
  prism_summary_t *s = a->summary;
  const prism_method_t m = p->method;
  int32_t slot = prism_triple_oldest(island->triple);
  bool done = false;
  while (!done) PRISM_TRY(prism_triple_poll(island->triple, slot, 1.0, &done));
  const prism_gpu_control_t *c = prism_triple_output(island->triple, slot);
  a->promised -= p->length * p->members;
  /* Without a move nothing is left to do: conflicts of frozen vertices stay. */
  if (c->moves == island->moves[m] && c->outgrown == 0) a->over = true;
  s->iterations += (int64_t)(c->moves - island->moves[m]);
  prism_stage_count(p->stages, PRISM_GPU_STAGE_SEARCH, (int64_t)(c->moves - island->moves[m]));
  island->moves[m] = c->moves;
  ++s->generations;
  if (c->best_f < island->best_f[m]) {
    island->best_f[m] = c->best_f;
    prism_color_unpack((const uint16_t *)(const void *)(c + 1), p->graph.n, island->best[m]);
  }
  if (c->least < s->f_ticket) s->f_ticket = c->least;
  if (c->best_f == 0) {
    s->f_ticket = 0;
    a->over = true;
  }
  if (m == PRISM_METHOD_TEMPERING)
    PRISM_TRY(prism_gpu_tempering_hear(&p->tempering, prism_population_swaps(p, c)));
  if (c->pairs > 0)
    s->diversity = (double)c->apart / (double)c->pairs / (double)p->graph.n;
  /* A few members that do not fit their cells lose a generation; wider cells would cost all
   * members more. */
  const bool outgrown = (int64_t)c->outgrown * FEW > p->members;
  const int32_t cell_bits = p->searcher.cell_bits;
  const bool same = c->pairs > 0 && !prism_population_has_demes(p) &&
                    prism_population_note(p, s->diversity, c->best_f);
  const bool round = prism_population_hear(p, c, &s->restarts);
  const uint32_t rounds = p->round;
  const int64_t length = p->length;
  PRISM_TRY(prism_triple_retire(island->triple, slot));
  if (a->over || (!outgrown && !same && !round)) return PRISM_OK;
  /* The generation under way belongs to the old state: it ends first. */
  while (prism_triple_oldest(island->triple) != PRISM_SLOT_NONE)
    PRISM_TRY(collect(island, p, a));
  if (a->over) return PRISM_OK;
  if (p->fresh || p->searcher.cell_bits != cell_bits || p->round != rounds || p->length != length)
    return PRISM_OK; /* the other generation has seen to it */
  if (outgrown && island->best_f[m] == INT32_MAX)
    a->queued = 0; /* with nothing to show, generations that were lost do not count */
  if (outgrown) return cell_bits < 16 ? begin_anew(island, p, true) : PRISM_OK;
  if (round) {
    prism_population_next_round(p);
    return PRISM_OK;
  }
  if (prism_population_adjust(p)) return PRISM_OK;
  ++s->restarts;
  return begin_anew(island, p, false);
}

static prism_status_t reset_halt(prism_gpu_island_t *island) {
  cudaStream_t upload =
      prism_stream_pool_get(island->context->streams, PRISM_STREAM_CONFIG_UPLOAD);
  /* Behind any halt of the last work, before the first kernel of this one. */
  PRISM_CUDA(cudaMemsetAsync(island->halt, 0, sizeof *island->halt, upload));
  PRISM_CUDA(cudaStreamSynchronize(upload));
  return PRISM_OK;
}

static void publish_times(prism_gpu_island_t *island) {
  prism_overlap_times_t times;
  prism_gpu_profile_t profile = {0};
  prism_profiler_overlap(island->profiler, &times);
  if (island->meter.between != NULL) prism_gpu_meter_read(&island->meter, &profile);
  pthread_mutex_lock(&island->lock);
  island->times = times;
  island->profile = profile;
  pthread_mutex_unlock(&island->lock);
}

static prism_status_t run_generations(prism_gpu_island_t *island, prism_population_t *p,
                                      account_t *a) {
  enum { UNDER_WAY = 2 };
  int32_t queued = 0;
  p->halts = a->work->seconds > 0.0;
  for (;;) {
    while (queued < UNDER_WAY && !spent(a)) {
      PRISM_TRY(submit(island, p, a));
      ++queued;
    }
    if (prism_triple_oldest(island->triple) == PRISM_SLOT_NONE) break;
    PRISM_TRY(collect(island, p, a));
    queued = prism_triple_oldest(island->triple) == PRISM_SLOT_NONE ? 0 : queued - 1;
    PRISM_TRY(prism_profiler_collect(island->profiler));
  }
  publish_times(island);
  return PRISM_OK;
}

/* What the user should know of a population; each only once. */
static void note_limits(prism_gpu_island_t *island, prism_population_t *p,
                        prism_summary_t *summary) {
  if (p->members < p->wanted) {
    snprintf(summary->note, sizeof summary->note,
             "the memory of the GPU holds %d individuals instead of %d", p->members, p->wanted);
    p->wanted = p->members;
  } else if (p->searcher.method != p->method && !island->stood_in) {
    snprintf(summary->note, sizeof summary->note,
             "%d vertices in %d colors are too much for %s on this GPU: %s stands in for it",
             p->graph.n, p->k, prism_method_name(p->method),
             prism_method_name(p->searcher.method));
    island->stood_in = true;
  } else if (p->method == PRISM_METHOD_WEIGHTED && island->unsaved == PRISM_GPU_UNSAVED_NEWS) {
    snprintf(summary->note, sizeof summary->note,
             "the learned edge weights are too large for a checkpoint: a run that is resumed "
             "learns them anew");
    island->unsaved = PRISM_GPU_UNSAVED_TOLD;
  }
}

prism_status_t prism_gpu_island_work(prism_gpu_island_t *island, const prism_work_t *work,
                                     const atomic_bool *stop, prism_summary_t *summary) {
  double begin = prism_clock_now();
  const prism_method_t m = work->params.method;
  if (m == PRISM_METHOD_POOL && prism_hooks_cuda_frozen(&island->hooks))
    PRISM_FAIL(PRISM_UNSUPPORTED, "crossover renames colors: it cannot keep frozen vertices");
  *summary = (prism_summary_t){.phase = work->phase, .method = m, .k = work->k,
                               .f_ticket = INT64_MAX, .diversity = -1.0};
  PRISM_TRY(prism_device_use(island->context->device.index));
  PRISM_TRY(reset_halt(island));
  if (atomic_load(stop)) prism_gpu_island_halt(island);
  if (island->k != work->k || island->view == NULL || island->seeded)
    PRISM_TRY(prism_gpu_island_begin_k(island, work));
  island->last = m;
  if (prism_gpu_island_size(island) == 0) { /* all of it peels: any lift is legal */
    summary->f_ticket = 0;
    return PRISM_OK;
  }
  if (!island->live[m]) PRISM_TRY(prism_gpu_island_open_population(island, work));
  prism_population_t *p = &island->population[m];
  note_limits(island, p, summary);
  account_t account = {.work = work, .stop = stop, .summary = summary, .begin = begin};
  PRISM_TRY(run_generations(island, p, &account));
  summary->f_best = island->best_f[m];
  if (summary->f_ticket == INT64_MAX) summary->f_ticket = summary->f_best;
  summary->seconds = prism_clock_now() - begin;
  summary->individuals = p->members;
  summary->demes = p->mating.demes.count;
  summary->length = p->length;
  if (m == PRISM_METHOD_TEMPERING) {
    summary->temperature = p->tempering.ladder.temperature[0];
    summary->swap_rate = p->tempering.swap_rate;
  }
  return PRISM_OK;
}

void prism_gpu_island_halt(prism_gpu_island_t *island) {
  prism_gpu_context_t *context = island->context;
  if (prism_device_use(context->device.index) != PRISM_OK) return;
  cudaStream_t upload = prism_stream_pool_get(context->streams, PRISM_STREAM_CONFIG_UPLOAD);
  prism_cuda_drop(cudaMemcpyAsync(island->halt, island->halting, sizeof *island->halt,
                                  cudaMemcpyHostToDevice, upload));
}

prism_overlap_times_t prism_gpu_island_times(prism_gpu_island_t *island) {
  pthread_mutex_lock(&island->lock);
  prism_overlap_times_t times = island->times;
  pthread_mutex_unlock(&island->lock);
  return times;
}

void prism_gpu_island_profile(prism_gpu_island_t *island, prism_gpu_profile_t *profile) {
  pthread_mutex_lock(&island->lock);
  prism_gpu_profile_merge(profile, &island->profile);
  pthread_mutex_unlock(&island->lock);
}

/* ---- colourings in and out ---- */

prism_status_t prism_gpu_island_export(prism_gpu_island_t *island, int32_t which, uint32_t draw,
                                       int32_t *color, int32_t *k, int64_t *f) {
  if (island->view == NULL) PRISM_FAIL(PRISM_INVALID, "an island without work has no coloring");
  *k = island->k;
  *f = 0;
  if (prism_gpu_island_size(island) == 0) {
    prism_view_lift(island->view, NULL, color);
    return PRISM_OK;
  }
  const prism_method_t m = island->last;
  if (!island->live[m] || island->best_f[m] == INT32_MAX)
    PRISM_FAIL(PRISM_INVALID, "an island without work has no coloring");
  if (which == 0) {
    prism_view_lift(island->view, island->best[m], color);
    *f = island->best_f[m];
    return PRISM_OK;
  }
  int32_t *row = NULL;
  PRISM_TRY(prism_device_use(island->context->device.index));
  PRISM_TRY(PRISM_ALLOC(prism_gpu_island_size(island), &row));
  prism_status_t status =
      prism_population_elite(&island->population[m], draw, row, f, island->stream);
  if (status == PRISM_OK) prism_view_lift(island->view, row, color);
  prism_free(row);
  return status;
}

/* A migrant is taken in when it differs enough from every member and is not much worse
 * than the best. */
static prism_status_t receive(prism_gpu_island_t *island, prism_import_result_t *result) {
  prism_population_t *p = &island->population[PRISM_METHOD_POOL];
  if (prism_population_has_demes(p)) return PRISM_OK; /* it would take over a young one */
  PRISM_TRY(prism_device_use(island->context->device.index));
  PRISM_TRY(prism_population_nearest(p, island->guest, &result->distance, island->stream));
  int64_t f = prism_coloring_conflicts(prism_view_graph(island->view), island->guest);
  int64_t best = island->best_f[PRISM_METHOD_POOL];
  result->accepted = 20 * (int64_t)result->distance >= p->graph.n && f <= 2 * best + 10;
  island->guest_f = result->accepted ? (int32_t)f : -1;
  return PRISM_OK;
}

prism_status_t prism_gpu_island_import(prism_gpu_island_t *island, const int32_t *color, int32_t k,
                                       bool seed, prism_import_result_t *result) {
  *result = (prism_import_result_t){false, -1};
  if (seed) {
    memcpy(island->incumbent, color, (size_t)island->kernel->n * sizeof *color);
    island->incumbent_k = k;
    island->seeded = true;
    prism_gpu_island_drop_founders(island);
    result->accepted = true;
    return PRISM_OK;
  }
  if (prism_gpu_island_size(island) == 0 || !island->live[PRISM_METHOD_POOL] || k > island->k)
    return PRISM_OK;
  const int32_t *map = prism_view_map(island->view);
  for (int32_t v = 0; v < prism_gpu_island_size(island); ++v) island->guest[v] = color[map[v]];
  return receive(island, result);
}

/* ---- hooks ---- */

prism_status_t prism_gpu_island_hooks(prism_gpu_island_t *island, const prism_hooks_t *hooks) {
  PRISM_TRY(prism_hooks_cuda_check(island->kernel, hooks));
  PRISM_TRY(prism_device_use(island->context->device.index));
  prism_gpu_island_remember(island);
  /* The populations hold the old arrays: they are made again from what they found. */
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) prism_gpu_island_drop_population(island, m);
  prism_gpu_island_leave(island);
  island->k = 0;
  island->guest_f = -1;
  return prism_hooks_cuda_set(&island->hooks, island->kernel, hooks);
}

prism_status_t prism_gpu_island_counters(prism_gpu_island_t *island, prism_counter_t which,
                                         uint32_t *values) {
  if (island->hooks.counter[which] == NULL)
    PRISM_FAIL(PRISM_INVALID, "the counters of this island are not switched on");
  PRISM_TRY(prism_device_use(island->context->device.index));
  PRISM_TRY(prism_hooks_cuda_collect(&island->hooks, island->view, island->stream));
  memcpy(values, island->hooks.counter[which], (size_t)island->kernel->n * sizeof *values);
  return PRISM_OK;
}

bool prism_gpu_island_ladder(const prism_gpu_island_t *island, prism_ladder_view_t *out) {
  if (!island->live[PRISM_METHOD_TEMPERING]) return false;
  prism_ladder_view(&island->population[PRISM_METHOD_TEMPERING].tempering.ladder, out);
  return true;
}

/* ---- exchange with the pools of other ranks ---- */

/* The pool that is at work, or NULL. */
static prism_population_t *pool_at_work(prism_gpu_island_t *island) {
  const prism_method_t m = PRISM_METHOD_POOL;
  return island->live[m] && island->last == m ? &island->population[m] : NULL;
}

prism_status_t prism_gpu_island_outbox(prism_gpu_island_t *island, int32_t rows,
                                       prism_space_t space, prism_buffer_t *out) {
  PRISM_TRY(prism_device_use(island->context->device.index));
  return prism_gpu_boxes_fill(&island->boxes, island->context, pool_at_work(island),
                              island->kernel->n, rows, space, island->stream, out);
}

prism_status_t prism_gpu_island_inbox(prism_gpu_island_t *island, int32_t rows,
                                      prism_space_t space, prism_buffer_t *in) {
  PRISM_TRY(prism_device_use(island->context->device.index));
  return prism_gpu_boxes_open(&island->boxes, island->context, island->kernel->n, rows, space,
                              island->stream, in);
}

prism_status_t prism_gpu_island_receive(prism_gpu_island_t *island, const prism_buffer_t *in,
                                        int32_t own, int32_t own_rows, int32_t *visitors) {
  PRISM_TRY(prism_device_use(island->context->device.index));
  return prism_gpu_boxes_receive(&island->boxes, pool_at_work(island), in, own, own_rows,
                                 island->stream, visitors);
}
