#include "engine/population.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/population_demes.h"
#include "kernels/convert.h"
#include "kernels/distance.h"
#include "kernels/gpx.h"
#include "kernels/recount.h"
#include "runtime/check.h"

enum {
  LEAST_MEMBERS = 8,
  TRAJECTORY_LENGTH = 50000, /* moves between two looks at a searcher */
  WIDE_CHILD = 200000,       /* most moves of a child in the wide search: about a second */
  WIDE_SHARE = 8,            /* part of the memory for the wide search of a method: 1 / 8 */
  MATING_COLORS = 4096       /* most for which classes are matched, and crossed */
};

static size_t row_bytes(int32_t n) { return (size_t)prism_gpu_pitch(n) * sizeof(uint16_t); }

size_t prism_population_input_bytes(int32_t n) {
  size_t tables = prism_gpu_tempering_input_bytes();
  return tables > row_bytes(n) ? tables : row_bytes(n);
}

size_t prism_population_report_bytes(int32_t n) {
  return sizeof(prism_gpu_control_t) + row_bytes(n) + prism_gpu_tempering_report_bytes();
}

const void *prism_population_swaps(const prism_population_t *p, const void *report) {
  return (const char *)report + sizeof(prism_gpu_control_t) + row_bytes(p->graph.n);
}

/* ---- memory ---- */

/* Lays blocks out one after the other; with base NULL it only counts. */
typedef struct carver {
  char *base;
  size_t used;
} carver_t;

static void *carve(carver_t *carver, size_t bytes) {
  void *at = carver->base != NULL ? carver->base + carver->used : NULL;
  carver->used += (bytes + 255) / 256 * 256;
  return at;
}

/* [in] room  rows behind the members */
static void carve_pool(carver_t *carver, prism_gpu_pool_t *pool, int32_t n, int32_t k,
                       int32_t members, int32_t room) {
  const size_t rows = (size_t)members + (size_t)room;
  *pool = (prism_gpu_pool_t){.n = n, .k = k, .members = members, .pitch = prism_gpu_pitch(n)};
  pool->color = carve(carver, rows * (size_t)pool->pitch * sizeof *pool->color);
  pool->f = carve(carver, rows * sizeof *pool->f);
}

/* Members of other ranks' pools that one has room for: as many as its own, within bounds. */
static int32_t visitor_room(const prism_population_t *p) {
  enum { MOST = 512, MOST_BYTES = 64 << 20 };
  if (!p->mates) return 0;
  const size_t fit = MOST_BYTES / row_bytes(p->graph.n);
  const int32_t most = fit < MOST ? (int32_t)fit : MOST;
  return p->members < most ? p->members : most;
}

static size_t lay_out(prism_population_t *p, char *base) {
  carver_t carver = {base, 0};
  p->room = visitor_room(p);
  size_t members = (size_t)p->members;
  int32_t n = p->graph.n;
  p->control = carve(&carver, sizeof *p->control);
  carve_pool(&carver, &p->pool, n, p->k, p->members, p->room);
  carve_pool(&carver, &p->child, n, p->k, p->members, 0);
  carve_pool(&carver, &p->best, n, p->k, 1, 0);
  p->mating.first = carve(&carver, members * sizeof(int32_t));
  p->mating.second = carve(&carver, members * sizeof(int32_t));
  p->mating.place = carve(&carver, members * sizeof(int32_t));
  const size_t pairs = members > PRISM_GPU_PAIRS ? members : PRISM_GPU_PAIRS;
  p->mating.left = carve(&carver, pairs * sizeof(int32_t));
  p->mating.right = carve(&carver, pairs * sizeof(int32_t));
  p->mating.distance = carve(&carver, pairs * sizeof(int32_t));
  p->mating.demes.renewed = carve(&carver, members * sizeof(int32_t));
  p->mating.demes.deme = carve(&carver, prism_population_demes_bytes(p));
  return carver.used;
}

static prism_status_t scratch_bytes(const prism_population_t *p, size_t *bytes) {
  size_t gpx = 0, distance = 0;
  *bytes = 0;
  if (!p->mates) return PRISM_OK;
  const int32_t pairs = p->members > PRISM_GPU_PAIRS ? p->members : PRISM_GPU_PAIRS;
  PRISM_TRY(prism_gpx_scratch_bytes(p->graph.n, p->k, p->members, &gpx));
  PRISM_TRY(prism_distance_scratch_bytes(p->graph.n, p->k, pairs, &distance));
  *bytes = gpx > distance ? gpx : distance;
  return PRISM_OK;
}

static void release_blocks(prism_population_t *p, cudaStream_t stream) {
  prism_gpu_release(p->context, p->block, stream);
  prism_gpu_release(p->context, p->scratch, stream);
  prism_gpu_release(p->context, p->learned, stream);
  prism_gpu_release(p->context, p->ground, stream);
  p->block = p->scratch = p->learned = p->ground = NULL;
}

/* A block, unless none is needed. */
static prism_status_t take_some(prism_population_t *p, size_t bytes, cudaStream_t stream,
                                void **out) {
  return bytes > 0 ? prism_gpu_take(p->context, bytes, stream, out) : PRISM_OK;
}

/* All blocks for p->members. */
static prism_status_t take_blocks(prism_population_t *p, cudaStream_t stream) {
  size_t scratch = 0,
         learned = prism_searcher_learned_bytes(&p->searcher, &p->graph, p->members),
         ground = prism_searcher_scratch_bytes(&p->searcher, p->members);
  PRISM_TRY(scratch_bytes(p, &scratch));
  prism_status_t status = take_some(p, lay_out(p, NULL), stream, &p->block);
  if (status == PRISM_OK) status = take_some(p, scratch, stream, &p->scratch);
  if (status == PRISM_OK) status = take_some(p, learned, stream, &p->learned);
  if (status == PRISM_OK) status = take_some(p, ground, stream, &p->ground);
  if (status != PRISM_OK)
    release_blocks(p, stream);
  else
    lay_out(p, p->block);
  return status;
}

/* ---- create and release ---- */

static prism_status_t choose_plan(prism_population_t *p, int32_t cell_bits) {
  const prism_gpu_hooks_t *h = &p->hooks;
  bool hooked = h->score != NULL || h->vertex_weight != NULL || h->frozen != NULL ||
                h->counter[0] != NULL;
  PRISM_TRY(
      prism_searcher_plan(&p->graph, p->method, p->k, hooked, cell_bits, &p->searcher));
  double resident = p->share * p->searcher.resident;
  if (p->searcher.wide) { /* methods take turns, but each keeps what it has */
    size_t each = p->searcher.plan.wide.individual_bytes +
                  prism_searcher_learned_bytes(&p->searcher, &p->graph, 1);
    double room = p->share * (double)prism_gpu_limit(p->context) / WIDE_SHARE / (double)each;
    resident = resident < room ? resident : room;
  }
  p->searcher.resident = resident > 1.0 ? (int32_t)resident : 1;
  return PRISM_OK;
}

/* Moves of a child for each vertex, by measurement (docs/EXPERIMENTS.md): more colours are
 * more moves to choose from. */
int64_t prism_population_first_length(const prism_population_t *p) {
  enum { COLORS = 12, FEWEST = 5, MOST = 10, LEAST = 1000 };
  const int64_t each = (p->k + COLORS / 2) / COLORS;
  int64_t moves = (each < FEWEST ? FEWEST : each < MOST ? each : MOST) * p->graph.n;
  if (p->searcher.wide && moves > WIDE_CHILD) moves = WIDE_CHILD;
  return moves > LEAST ? moves : LEAST;
}

static int32_t wanted_members(const prism_population_t *p, const prism_search_params_t *params) {
  int32_t least = p->method == PRISM_METHOD_POOL ? 2 : 1;
  int32_t members = params->population > 0 ? params->population : p->searcher.resident;
  return members > least ? members : least;
}

/* [in] members  as many as are in whole ladders; 0: as the device holds at once */
static prism_status_t init_tempering(prism_population_t *p, const prism_search_params_t *params,
                                     int32_t members) {
  if (p->method != PRISM_METHOD_TEMPERING) return PRISM_OK;
  PRISM_TRY(prism_gpu_tempering_init(&p->tempering, &params->ladder, p->graph.n, p->k,
                                     members > 0 ? members : p->searcher.resident,
                                     params->generation_iterations, &p->members, &p->length));
  p->wanted = p->members;
  p->length_given = true; /* it is a whole number of rounds */
  return PRISM_OK;
}

/* How many may fit where p->members do not; 0: give up. */
static int32_t fewer_members(const prism_population_t *p) {
  if (p->method == PRISM_METHOD_TEMPERING)
    return p->members / p->tempering.ladder.levels / 2 * p->tempering.ladder.levels;
  return p->members > LEAST_MEMBERS ? p->members / 2 : 0;
}

/* Fewer at once, where that takes less memory. False: there is no less. */
static bool shrink_ground(prism_population_t *p) {
  const int32_t now = p->members < p->searcher.resident ? p->members : p->searcher.resident;
  if (!p->searcher.wide || now < 2) return false;
  p->searcher.resident = now / 2;
  return true;
}

/* Ask for less where the memory does not suffice: fewer members, then fewer at once. False:
 * there is no less. */
static bool shrink(prism_population_t *p) {
  const int32_t members = fewer_members(p);
  if (members > 0) {
    p->members = members;
    return true;
  }
  return shrink_ground(p);
}

static prism_status_t take_room(prism_population_t *p, cudaStream_t stream) {
  prism_status_t status = take_blocks(p, stream);
  while (status == PRISM_MEMORY && shrink(p)) status = take_blocks(p, stream);
  return status;
}

/* A control block for memory that was just taken, and a best coloring that may be reported. */
static prism_status_t open_books(prism_population_t *p, const prism_gpu_control_t *control,
                                 cudaStream_t stream) {
  PRISM_CUDA(cudaMemcpyAsync(p->control, control, sizeof *control, cudaMemcpyHostToDevice,
                             stream));
  PRISM_CUDA(cudaStreamSynchronize(stream)); /* `control` is on the caller's stack */
  PRISM_CUDA(cudaMemsetAsync(p->best.color, 0, row_bytes(p->graph.n), stream));
  return PRISM_OK;
}

prism_status_t prism_population_resize(prism_population_t *p, int32_t members,
                                       cudaStream_t stream) {
  prism_gpu_control_t control;
  PRISM_CUDA(cudaMemcpyAsync(&control, p->control, sizeof control, cudaMemcpyDeviceToHost,
                             stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  release_blocks(p, stream);
  p->members = members;
  PRISM_TRY(take_room(p, stream));
  p->wanted = p->members;
  p->captured[0] = p->captured[1] = 0;
  control.best_from = -1;
  return open_books(p, &control, stream);
}

static prism_status_t fill(prism_population_t *p, cudaStream_t stream) {
  const prism_gpu_control_t control = {.best_f = INT32_MAX, .best_from = -1};
  PRISM_TRY(open_books(p, &control, stream));
  if (p->method == PRISM_METHOD_TEMPERING)
    PRISM_TRY(
        prism_gpu_tempering_open(&p->tempering, p->context, p->k, p->members, stream));
  PRISM_TRY(prism_cuda_graph_create(&p->search_graph));
  PRISM_TRY(prism_cuda_graph_create(&p->mate_graph));
  return prism_population_scatter(p, stream);
}

prism_status_t prism_population_create(prism_gpu_context_t *context,
                                       const prism_population_setup_t *setup, cudaStream_t stream,
                                       prism_population_t *out) {
  const prism_search_params_t *params = setup->params;
  prism_population_t p = {.context = context, .graph = *setup->graph, .method = setup->method,
                          .k = setup->k, .seed = setup->seed, .individual = setup->individual,
                          .halt = setup->halt, .halts = setup->halts,
                          .recorder = setup->recorder, .share = setup->share,
                          .stages = setup->stages,
                          .least = INT32_MAX,
                          .tenure_base = (float)params->tenure_base,
                          .tenure_slope = (float)params->tenure_slope};
  if (setup->hooks != NULL) p.hooks = *setup->hooks;
  p.mates = setup->method == PRISM_METHOD_POOL && setup->k <= MATING_COLORS;
  PRISM_TRY(choose_plan(&p, 0));
  p.length_given = params->generation_iterations > 0;
  p.length = p.length_given ? params->generation_iterations
             : p.mates          ? prism_population_first_length(&p)
                                : TRAJECTORY_LENGTH;
  p.size_given = params->population > 0;
  p.tournament_given = params->tournament > 0;
  p.tournament = p.tournament_given ? params->tournament : PRISM_FIRST_TOURNAMENT;
  p.wanted = p.members = setup->members > 0 ? setup->members : wanted_members(&p, params);
  prism_status_t status = init_tempering(&p, params, setup->members);
  if (status == PRISM_OK) status = take_room(&p, stream);
  if (status == PRISM_OK)
    status = prism_searcher_teach(&p.searcher, &p.graph, setup->edge_weight, p.members, p.learned,
                                  stream);
  p.deme_size = params->deme_size;
  if (p.deme_size > 0) prism_population_divide(&p);
  if (status == PRISM_OK) status = fill(&p, stream);
  if (status != PRISM_OK) {
    prism_population_release(&p, stream);
    return status;
  }
  *out = p;
  return PRISM_OK;
}

void prism_population_release(prism_population_t *p, cudaStream_t stream) {
  prism_cuda_graph_destroy(&p->search_graph);
  prism_cuda_graph_destroy(&p->mate_graph);
  release_blocks(p, stream);
  prism_gpu_tempering_release(&p->tempering, p->context, stream);
  memset(p, 0, sizeof *p);
}

/* ---- members ---- */

prism_status_t prism_population_scatter(prism_population_t *p, cudaStream_t stream) {
  prism_convert_random_t random = {p->seed, &p->control->generation, p->individual};
  p->fresh = true;
  PRISM_CUDA(cudaMemsetAsync(&p->control->visitors, 0, sizeof p->control->visitors, stream));
  PRISM_CUDA(cudaMemsetAsync(p->mating.demes.deme, 0, prism_population_demes_bytes(p), stream));
  PRISM_TRY(prism_launch_begin(p->control, NULL, &p->pool, 0, p->seed, p->individual, stream));
  PRISM_TRY(prism_searcher_scatter(&p->searcher, &p->graph, &p->pool, &random, p->ground, stream));
  return prism_launch_recount(&p->graph, &p->pool, NULL, p->members, stream);
}

/* Bring rows 0..count-1 of `pool`, with from_k colours, down to k, and count. */
static prism_status_t dissolve(prism_population_t *p, prism_gpu_pool_t pool, int32_t from_k,
                               cudaStream_t stream) {
  if (from_k > p->k) {
    prism_convert_random_t random = {p->seed, &p->control->generation, p->individual};
    size_t bytes = 0;
    void *scratch = NULL;
    pool.k = from_k;
    PRISM_TRY(prism_dissolve_scratch_bytes(pool.n, from_k, pool.members, &bytes));
    if (bytes > 0) PRISM_TRY(prism_gpu_take(p->context, bytes, stream, &scratch));
    prism_status_t status = prism_launch_dissolve(&p->graph, &pool, NULL, pool.members, p->k,
                                                  &random, scratch, stream);
    prism_gpu_release(p->context, scratch, stream);
    PRISM_TRY(status);
    pool.k = p->k;
  }
  return prism_launch_recount(&p->graph, &pool, NULL, pool.members, stream);
}

static prism_gpu_pool_t part_of(const prism_population_t *p, int32_t row, int32_t count) {
  prism_gpu_pool_t part = p->pool;
  part.members = count;
  part.color += (size_t)row * (size_t)part.pitch;
  part.f += row;
  return part;
}

prism_status_t prism_population_adapt(prism_population_t *p, int32_t row, int32_t count,
                                      int32_t from_k, cudaStream_t stream) {
  return dissolve(p, part_of(p, row, count), from_k, stream);
}

prism_status_t prism_population_place(prism_population_t *p, int32_t row, int32_t count,
                                      const int32_t *color, int32_t from_k, cudaStream_t stream) {
  prism_gpu_pool_t part = part_of(p, row, count), one;
  uint16_t *packed = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(part.pitch, &packed));
  prism_color_pack(color, part.n, packed);
  cudaError_t error = cudaMemcpyAsync(part.color, packed, (size_t)part.pitch * sizeof *packed,
                                      cudaMemcpyHostToDevice, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  prism_free(packed);
  PRISM_CUDA(error);
  if (count > 1) {
    one = part;
    one.members = 1;
    prism_gpu_pool_t rest = part;
    rest.members = count - 1;
    rest.color += rest.pitch;
    rest.f += 1;
    PRISM_CUDA(cudaMemsetAsync(p->mating.place, 0, (size_t)count * sizeof(int32_t), stream));
    PRISM_TRY(prism_launch_gather(&one, p->mating.place, &rest, NULL, rest.members, stream));
  }
  return dissolve(p, part, from_k, stream);
}

prism_status_t prism_population_inherit(prism_population_t *p, const prism_population_t *other,
                                        cudaStream_t stream) {
  prism_gpu_pool_t part = p->pool;
  part.members = other->members < p->members ? other->members : p->members;
  prism_gpu_pool_t from = other->pool;
  from.members = part.members;
  /* Replicas go on at the level where they were: row i of a ladder begins at level i. */
  const int32_t levels = p->tempering.ladder.levels;
  const bool sorted = levels > 0 && levels == other->tempering.ladder.levels;
  PRISM_TRY(prism_launch_gather(&from, sorted ? other->tempering.device.replica_at : NULL, &part,
                                NULL, part.members, stream));
  p->fresh = true;
  p->inherited = true;
  if (!p->length_given && other->length > p->length) p->length = other->length;
  p->lengths = other->lengths;
  if (prism_population_has_demes(other)) prism_population_inherit_demes(p);
  return dissolve(p, part, other->k, stream);
}

prism_status_t prism_population_widen(prism_population_t *p, cudaStream_t stream) {
  if (p->searcher.cell_bits > 8)
    PRISM_FAIL(PRISM_INTERNAL, "a class has outgrown %d bits", p->searcher.cell_bits);
  PRISM_TRY(choose_plan(p, p->searcher.cell_bits < 8 ? 8 : 16));
  prism_status_t status = PRISM_OK;
  do
    status = take_some(p, prism_searcher_scratch_bytes(&p->searcher, p->members), stream,
                       &p->ground);
  while (status == PRISM_MEMORY && shrink_ground(p));
  PRISM_TRY(status);
  p->captured[0] = p->captured[1] = 0;
  PRISM_CUDA(cudaMemsetAsync(&p->control->outgrown, 0, sizeof p->control->outgrown, stream));
  return PRISM_OK;
}

prism_status_t prism_population_read(const prism_population_t *p, int32_t row, int32_t *color,
                                     int64_t *f, cudaStream_t stream) {
  uint16_t *packed = NULL;
  int32_t count = 0;
  PRISM_TRY(PRISM_ALLOC(p->pool.n, &packed)); /* what follows up to the pitch was never written */
  cudaError_t error =
      cudaMemcpyAsync(packed, p->pool.color + (size_t)row * (size_t)p->pool.pitch,
                      (size_t)p->pool.n * sizeof *packed, cudaMemcpyDeviceToHost, stream);
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(&count, p->pool.f + row, sizeof count, cudaMemcpyDeviceToHost, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  if (error == cudaSuccess) prism_color_unpack(packed, p->pool.n, color);
  prism_free(packed);
  PRISM_CUDA(error);
  *f = count;
  return PRISM_OK;
}

int32_t prism_population_founders(const prism_population_t *p) {
  if (p->mates) return 1; /* it needs differences */
  /* Replicas of a ladder mix: a half of the ladders, whole ones. */
  const int32_t unit = p->method == PRISM_METHOD_TEMPERING ? p->tempering.ladder.levels : 1;
  return (p->members / unit + 1) / 2 * unit;
}

prism_status_t prism_population_elite(const prism_population_t *p, uint32_t draw, int32_t *color,
                                      int64_t *f, cudaStream_t stream) {
  int32_t member = (int32_t)prism_rng_scale(draw, (uint32_t)p->members);
  if (p->method == PRISM_METHOD_TEMPERING)
    PRISM_TRY(prism_gpu_tempering_coldest(&p->tempering, draw, stream, &member));
  return prism_population_read(p, member, color, f, stream);
}

/* Exact matching is for small numbers of classes, to which layouts in shared memory belong. */
static prism_distance_mode_t distance_mode(const prism_population_t *p) {
  return p->searcher.wide ? PRISM_DISTANCE_GREEDY : PRISM_DISTANCE_EXACT;
}

prism_status_t prism_population_nearest(prism_population_t *p, const int32_t *color,
                                        int32_t *distance, cudaStream_t stream) {
  prism_gpu_pool_t *guest = &p->child; /* free between generations */
  uint16_t *packed = NULL;
  int32_t *all = NULL;
  *distance = -1;
  if (!p->mates) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC_ZERO(guest->pitch, &packed));
  prism_status_t status = PRISM_ALLOC(p->members, &all);
  cudaError_t error = cudaSuccess;
  if (status == PRISM_OK) {
    prism_color_pack(color, guest->n, packed);
    error = cudaMemcpyAsync(guest->color, packed, (size_t)guest->pitch * sizeof *packed,
                            cudaMemcpyHostToDevice, stream);
    if (error == cudaSuccess)
      error = cudaMemsetAsync(p->mating.place, 0, (size_t)p->members * sizeof(int32_t), stream);
  }
  if (status == PRISM_OK && error == cudaSuccess)
    status = prism_launch_distance(guest, p->mating.place, &p->pool, NULL, p->mating.distance,
                                   p->members, distance_mode(p), p->scratch, stream);
  if (status == PRISM_OK && error == cudaSuccess)
    error = cudaMemcpyAsync(all, p->mating.distance, (size_t)p->members * sizeof *all,
                            cudaMemcpyDeviceToHost, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  int32_t nearest = INT32_MAX;
  for (int32_t i = 0; i < p->members && status == PRISM_OK && error == cudaSuccess; ++i)
    nearest = all[i] < nearest ? all[i] : nearest;
  prism_free(packed);
  prism_free(all);
  PRISM_TRY(status);
  PRISM_CUDA(error);
  *distance = nearest;
  return PRISM_OK;
}

/* ---- a generation ---- */

static prism_status_t enter(const prism_population_t *p, prism_gpu_stage_t stage,
                            cudaStream_t stream) {
  return prism_stage_enter(p->stages, (int32_t)stage, stream);
}

/* [in] last  NULL: where the searches end is not kept */
static prism_status_t search(const prism_population_t *p, const prism_gpu_pool_t *start,
                             const prism_gpu_pool_t *best, const prism_gpu_pool_t *last,
                             cudaStream_t stream) {
  prism_tabucol_job_t job = {.start = *start, .best = *best, .iterations = p->length,
                             .hooks = p->hooks,
                             .tenure_base = p->tenure_base, .tenure_slope = p->tenure_slope,
                             .seed = p->seed, .first_individual = p->individual,
                             .generation = &p->control->generation, .stop = p->halt,
                             .solved = p->halts ? p->halt : &p->control->solved,
                             .outgrown = &p->control->outgrown, .moves = &p->control->moves};
  if (last != NULL) job.last = *last;
  return prism_searcher_launch(&p->searcher, &p->graph, &job, p->learned, p->ground, stream);
}

static prism_status_t keep_best(const prism_population_t *p, const prism_gpu_pool_t *from,
                                cudaStream_t stream) {
  return prism_launch_gather(from, &p->control->best_from, &p->best, NULL, 1, stream);
}

/* A member whose search does not begin must not be taken for a good one. */
static prism_status_t forget(const prism_population_t *p, const prism_gpu_pool_t *pool,
                             cudaStream_t stream) {
  size_t bytes = (size_t)p->members * sizeof *pool->f;
  PRISM_CUDA(cudaMemsetAsync(pool->f, PRISM_GPU_UNKNOWN & 0xFF, bytes, stream));
  return PRISM_OK;
}

static prism_status_t queue_search(void *context, cudaStream_t stream) {
  const prism_population_t *p = context;
  /* Trajectories go on from where they end, so their bests lie elsewhere. */
  const bool goes_on = !p->mates && p->searcher.method != PRISM_METHOD_PARTIALCOL;
  const prism_gpu_pool_t *best = goes_on ? &p->child : &p->pool;
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_SEARCH, stream));
  PRISM_TRY(prism_launch_begin(p->control, NULL, &p->pool, 0, p->seed, p->individual, stream));
  if (goes_on) PRISM_TRY(forget(p, best, stream));
  PRISM_TRY(search(p, &p->pool, best, goes_on ? &p->pool : NULL, stream));
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_UPDATE, stream));
  PRISM_TRY(prism_launch_decide(p->control, p->halt, NULL, best, NULL, stream));
  return keep_best(p, best, stream);
}

static prism_status_t queue_rounds(void *context, cudaStream_t stream) {
  const prism_population_t *p = context;
  prism_tempering_job_t job = {.state = p->pool, .best = p->child, .hooks = p->hooks,
                               .seed = p->seed, .individual = p->individual, .stop = p->halt,
                               .solved = p->halts ? p->halt : &p->control->solved,
                               .moves = &p->control->moves};
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_SEARCH, stream));
  PRISM_TRY(prism_launch_begin(p->control, NULL, &p->pool, 0, p->seed, p->individual, stream));
  PRISM_TRY(forget(p, &p->child, stream));
  PRISM_TRY(prism_gpu_tempering_queue(&p->tempering, &p->searcher.plan.tempering, &p->graph, &job,
                                      stream));
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_UPDATE, stream));
  PRISM_TRY(prism_launch_decide(p->control, p->halt, NULL, &p->child, NULL, stream));
  return keep_best(p, &p->child, stream);
}

static prism_status_t queue_mating(void *context, cudaStream_t stream) {
  const prism_population_t *p = context;
  prism_gpx_options_t options = {.seed = p->seed, .generation = &p->control->generation,
                                 .individual = p->individual, .first_share = 500};
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_MATES, stream));
  PRISM_TRY(prism_launch_begin(p->control, &p->mating, &p->pool, p->tournament, p->seed,
                               p->individual, stream));
  PRISM_TRY(forget(p, &p->child, stream));
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_CROSSOVER, stream));
  PRISM_TRY(prism_launch_gpx(&p->pool, p->mating.first, p->mating.second, &p->child, p->members,
                             &options, p->scratch, stream));
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_SEARCH, stream));
  PRISM_TRY(search(p, &p->child, &p->child, NULL, stream));
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_DISTANCE, stream));
  PRISM_TRY(prism_launch_distance(&p->pool, p->mating.left, &p->pool, p->mating.right,
                                  p->mating.distance, prism_gpu_pairs(&p->mating, p->members),
                                  distance_mode(p), p->scratch, stream));
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_UPDATE, stream));
  PRISM_TRY(prism_launch_decide(p->control, p->halt, &p->mating, &p->pool, &p->child, stream));
  PRISM_TRY(prism_launch_gather(&p->child, NULL, &p->pool, p->mating.place, p->members, stream));
  PRISM_TRY(keep_best(p, &p->child, stream));
  return prism_population_queue_demes(p, stream);
}

prism_status_t prism_population_queue(prism_population_t *p, void *report, cudaStream_t stream) {
  const bool mates = p->mates && !p->fresh;
  const bool tempers = p->method == PRISM_METHOD_TEMPERING;
  prism_capture_fn section = mates ? queue_mating : tempers ? queue_rounds : queue_search;
  prism_cuda_graph_t *graph = mates ? p->mate_graph : p->search_graph;
  const int64_t key = 32 * p->length + 2 * p->tournament + (p->halts ? 1 : 0);
  if (!p->context->params.graph) {
    PRISM_TRY(section(p, stream));
  } else {
    if (p->captured[mates] != key) {
      PRISM_TRY(prism_cuda_graph_capture(graph, p->recorder, section, p));
      p->captured[mates] = key;
    }
    PRISM_TRY(prism_cuda_graph_launch(graph, stream));
  }
  p->fresh = false;
  if (report == NULL) return PRISM_OK;
  PRISM_TRY(enter(p, PRISM_GPU_STAGE_REPORT, stream));
  PRISM_CUDA(cudaMemcpyAsync(report, p->control, sizeof *p->control, cudaMemcpyDeviceToDevice,
                             stream));
  PRISM_CUDA(cudaMemcpyAsync((char *)report + sizeof *p->control, p->best.color,
                             row_bytes(p->graph.n), cudaMemcpyDeviceToDevice, stream));
  if (!tempers) return PRISM_OK;
  return prism_gpu_tempering_tell(
      &p->tempering, (void *)(uintptr_t)prism_population_swaps(p, report), stream);
}
