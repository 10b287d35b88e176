/* A GPU island as an island's state, and back (seam/state.h). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/island_ground.h"
#include "engine/learned.h"
#include "engine/saved.h"
#include "kernels/convert.h"
#include "model/coloring.h"
#include "seam/hooks.h"

static const size_t most_weight_bytes = (size_t)256 << 20; /* in a checkpoint, of an island */
static const size_t chunk_bytes = (size_t)64 << 20;        /* of rows that come down at once */
static const size_t most_start_bytes = (size_t)256 << 20;

/* ---- the kind of an island ---- */

static uint64_t device_number(const prism_device_info_t *device) {
  uint64_t number = prism_rng_derive((uint64_t)device->sm_count,
                                     (uint64_t)(device->cc_major * 16 + device->cc_minor));
  number = prism_rng_derive(number, device->smem_per_block_optin);
  for (const char *c = device->name; *c != '\0'; ++c)
    number = prism_rng_derive(number, (unsigned char)*c);
  return number;
}

static prism_saved_kind_t kind_of(const prism_gpu_island_t *island) {
  return (prism_saved_kind_t){.hooks = prism_hooks_bits(island->hooks.given),
                              .methods = island->methods,
                              .share = island->share,
                              .device = device_number(&island->context->device)};
}

/* The weights of the WEIGHTED population, or those that wait for one. */
static prism_gpu_learned_t learned_of(const prism_gpu_island_t *island) {
  const prism_population_t *p = &island->population[PRISM_METHOD_WEIGHTED];
  const bool live = island->live[PRISM_METHOD_WEIGHTED];
  return (prism_gpu_learned_t){.context = island->context,
                               .graph = &island->graph,
                               .host = prism_view_graph(island->view),
                               .block = live ? p->learned : island->learned,
                               .members = live ? p->members : island->learned_members,
                               .wide = live ? p->searcher.wide : island->learned_wide};
}

/* ---- saving ---- */

/* The island's arrays are lent: they are taken back before saved is released. */
static void lend(const prism_gpu_island_t *island, prism_saved_island_t *saved) {
  saved->made = island->made;
  saved->last = island->last;
  saved->seeded = island->seeded;
  saved->stood_in = island->stood_in;
  saved->incumbent = (prism_colorings_t){island->incumbent_k > 0, island->incumbent_k,
                                            island->incumbent};
  saved->founders = (prism_colorings_t){island->founders, island->founder_k, island->founder};
  saved->guest = island->guest;
  saved->guest_f = island->guest_f;
}

static void take_back(prism_saved_island_t *saved) {
  saved->incumbent.color = saved->founders.color = saved->guest = NULL;
}

static prism_status_t describe(const prism_gpu_island_t *island, prism_saved_island_t *saved) {
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_saved_population_t *p = &saved->population[m];
    if (!island->live[m]) continue;
    p->live = true;
    p->number = island->number[m];
    p->has_best = island->best_f[m] < INT32_MAX;
    PRISM_TRY(prism_population_describe(&island->population[m], p, island->stream));
  }
  return PRISM_OK;
}

static prism_status_t save_weights(prism_gpu_island_t *island, prism_saved_island_t *saved,
                                   prism_pack_t *code) {
  const prism_gpu_learned_t learned = learned_of(island);
  bool fits = false;
  if (learned.block == NULL) return PRISM_OK;
  PRISM_TRY(prism_learned_save(&learned, most_weight_bytes, code, &fits, island->stream));
  saved->weights_members = learned.members;
  saved->weights_wide = learned.wide;
  saved->weights = fits ? PRISM_SAVED_WEIGHTS : PRISM_SAVED_WEIGHTS_LEFT_OUT;
  if (!fits && island->unsaved == PRISM_GPU_UNSAVED_NOTHING)
    island->unsaved = PRISM_GPU_UNSAVED_NEWS;
  return PRISM_OK;
}

static void fill_row(const prism_gpu_island_t *island, int32_t row, int m, const int32_t *color,
                     int64_t f, prism_island_state_t *state) {
  prism_view_lift(island->view, color, state->color + (size_t)row * (size_t)state->n);
  state->method[row] = (uint8_t)m;
  state->f[row] = f;
}

/* What rows come down into. */
typedef struct basket {
  int32_t rows;
  uint16_t *packed; /* [rows][view n] */
  int32_t *f;       /* [rows] */
  int32_t *color;   /* [view n] */
} basket_t;

static prism_status_t fill_rows(const prism_gpu_island_t *island, int m, basket_t *basket,
                                const prism_saved_population_t *p, prism_island_state_t *state) {
  const int32_t n = prism_gpu_island_size(island), all = p->members + p->visitors;
  const int32_t most = basket->rows < p->members ? basket->rows : p->members;
  for (int32_t done = 0; done < all; done += most) {
    const int32_t now = all - done < most ? all - done : most;
    PRISM_TRY(prism_population_get(&island->population[m], done, now, basket->packed, basket->f,
                                   island->stream));
    for (int32_t i = 0; i < now; ++i) {
      prism_color_unpack(basket->packed + (size_t)i * (size_t)n, n, basket->color);
      fill_row(island, p->first + done + i, m, basket->color, basket->f[i], state);
    }
  }
  if (p->has_best)
    fill_row(island, p->first + all, m, island->best[m],
             prism_coloring_conflicts(prism_view_graph(island->view), island->best[m]), state);
  return PRISM_OK;
}

static prism_status_t fill_state(const prism_gpu_island_t *island,
                                 const prism_saved_island_t *saved,
                                 prism_island_state_t *state) {
  const size_t n = (size_t)prism_gpu_island_size(island);
  const size_t fit = chunk_bytes / (n * sizeof(uint16_t)) + 1;
  basket_t basket = {.rows = fit < (size_t)state->rows ? (int32_t)fit : state->rows};
  prism_status_t status = PRISM_ALLOC((size_t)basket.rows * n, &basket.packed);
  if (status == PRISM_OK) status = PRISM_ALLOC(basket.rows, &basket.f);
  if (status == PRISM_OK) status = PRISM_ALLOC(n, &basket.color);
  for (int m = 0; m < PRISM_METHOD_COUNT && status == PRISM_OK; ++m)
    if (island->live[m]) status = fill_rows(island, m, &basket, &saved->population[m], state);
  prism_free(basket.packed);
  prism_free(basket.f);
  prism_free(basket.color);
  return status;
}

/* The bytes, and the header. */
static prism_status_t seal(const prism_gpu_island_t *island, const prism_saved_island_t *saved,
                           const prism_pack_t *code, prism_island_state_t *state) {
  const prism_saved_kind_t kind = kind_of(island);
  const int32_t k = state->rows > 0 ? island->k : 0;
  uint8_t *bytes = NULL;
  PRISM_TRY(prism_saved_pack(saved, &kind, island->kernel, k > 0 ? island->view : NULL, k, code,
                             &bytes, &state->size));
  prism_free(state->bytes);
  state->bytes = bytes;
  state->version = PRISM_SAVED_VERSION;
  state->k = k;
  snprintf(state->engine, sizeof state->engine, "%s", prism_saved_engine);
  return PRISM_OK;
}

static prism_status_t save(prism_gpu_island_t *island, prism_saved_island_t *saved,
                           prism_pack_t *code, prism_island_state_t *state) {
  const bool peels = island->view != NULL && prism_gpu_island_size(island) == 0;
  PRISM_TRY(describe(island, saved));
  const int32_t rows = prism_saved_rows(saved);
  PRISM_TRY(prism_island_state_init(state, island->kernel->n, peels ? 1 : rows, 0));
  if (rows > 0) {
    PRISM_TRY(fill_state(island, saved, state));
    PRISM_TRY(save_weights(island, saved, code));
  } else {
    saved->guest_f = -1;
  }
  if (peels) fill_row(island, 0, (int)island->last, NULL, 0, state);
  return seal(island, saved, code, state);
}

prism_status_t prism_gpu_island_save(prism_gpu_island_t *island, prism_island_state_t *state) {
  prism_saved_island_t saved = {.guest_f = -1};
  prism_pack_t code = {.data = NULL};
  *state = (prism_island_state_t){.n = 0};
  PRISM_TRY(prism_device_use(island->context->device.index));
  lend(island, &saved);
  prism_status_t status = save(island, &saved, &code, state);
  take_back(&saved);
  prism_saved_release(&saved);
  prism_pack_release(&code);
  if (status != PRISM_OK) prism_island_state_release(state);
  return status;
}

/* ---- restoring ---- */

/* As it was made, but for its hooks and what they have counted. */
static void clear(prism_gpu_island_t *island) {
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) prism_gpu_island_drop_population(island, m);
  prism_gpu_island_leave(island);
  prism_gpu_island_drop_founders(island);
  island->k = island->incumbent_k = 0;
  island->last = PRISM_METHOD_TABUCOL;
  island->made = 0;
  island->seeded = island->stood_in = false;
  island->guest_f = -1;
}

static prism_status_t build_population(prism_gpu_island_t *island, prism_method_t m,
                                       prism_saved_population_t *p,
                                       const prism_island_state_t *state, bool *fits) {
  const size_t n = (size_t)state->n, view_n = (size_t)prism_gpu_island_size(island);
  const int32_t *map = prism_view_map(island->view);
  const int32_t all = p->members + p->visitors;
  const prism_host_rows_t rows = {.color = state->color + (size_t)p->first * n,
                                  .stride = state->n, .map = map};
  const prism_population_setup_t setup = prism_gpu_island_setup(island, m, p->number);
  prism_population_t *population = &island->population[m];
  PRISM_TRY(prism_population_resume(island->context, &setup, p, &rows, state->f + p->first,
                                    island->stream, population, fits));
  if (!*fits) return PRISM_OK;
  island->live[m] = true;
  island->number[m] = p->number;
  island->moves[m] = p->moves;
  island->best_f[m] = INT32_MAX;
  PRISM_TRY(PRISM_ALLOC_ZERO(view_n, &island->best[m]));
  if (!p->has_best) return PRISM_OK;
  const int32_t *best = rows.color + (size_t)all * n;
  for (size_t v = 0; v < view_n; ++v) island->best[m][v] = best[map[v]];
  island->best_f[m] = state->f[p->first + all];
  return prism_population_put_best(population, island->best[m], (int32_t)island->best_f[m],
                                   island->stream);
}

static prism_status_t build_weights(prism_gpu_island_t *island, const prism_saved_island_t *saved,
                                    bool *fits) {
  if (saved->weights != PRISM_SAVED_WEIGHTS) return PRISM_OK;
  if (!island->live[PRISM_METHOD_WEIGHTED]) { /* they wait for the next one */
    PRISM_TRY(prism_gpu_take(island->context,
                             prism_learned_bytes(&island->graph, saved->weights_wide,
                                                 saved->weights_members),
                             island->stream, &island->learned));
    island->learned_members = saved->weights_members;
    island->learned_wide = saved->weights_wide;
  }
  const prism_gpu_learned_t learned = learned_of(island);
  *fits = learned.wide == saved->weights_wide;
  if (!*fits) return PRISM_OK;
  prism_unpack_t code = saved->weights_code;
  return prism_learned_restore(&learned, &code, island->stream);
}

/* What a state of this kind of island says, which was found to be true. [out] fits  false: there
 * is less room than there was */
static prism_status_t build(prism_gpu_island_t *island, prism_saved_island_t *saved,
                            const prism_island_state_t *state, bool *fits) {
  const size_t kernel_n = (size_t)island->kernel->n;
  island->made = saved->made;
  island->last = saved->last;
  island->seeded = saved->seeded;
  island->stood_in = saved->stood_in;
  island->incumbent_k = saved->incumbent.k;
  if (saved->incumbent.count > 0)
    memcpy(island->incumbent, saved->incumbent.color, kernel_n * sizeof *island->incumbent);
  island->founder = saved->founders.color;
  island->founders = saved->founders.count;
  island->founder_k = saved->founders.k;
  saved->founders.color = NULL;
  island->k = state->k;
  island->view = saved->view;
  saved->view = NULL;
  if (prism_gpu_island_size(island) == 0) return PRISM_OK;
  island->guest_f = saved->guest_f;
  if (saved->guest_f >= 0)
    memcpy(island->guest, saved->guest,
           (size_t)prism_gpu_island_size(island) * sizeof *island->guest);
  PRISM_TRY(prism_gpu_island_stand(island));
  for (int m = 0; m < PRISM_METHOD_COUNT && *fits; ++m)
    if (saved->population[m].live)
      PRISM_TRY(build_population(island, (prism_method_t)m, &saved->population[m], state, fits));
  return *fits ? build_weights(island, saved, fits) : PRISM_OK;
}

/* ---- rows alone ---- */

static prism_status_t find_starts(const prism_gpu_island_t *island,
                                  const prism_island_state_t *state,
                                  prism_colorings_t *starts) {
  const size_t fit = most_start_bytes / ((size_t)state->n * sizeof *starts->color) + 1;
  const int32_t most = fit < PRISM_SAVED_STARTS ? (int32_t)fit : PRISM_SAVED_STARTS;
  return prism_island_state_starts(state, island->kernel, most, starts);
}

/* The best of them is the incumbent too. */
static void take_starts(prism_gpu_island_t *island, prism_colorings_t *starts) {
  if (starts->count == 0) return;
  memcpy(island->incumbent, starts->color,
         (size_t)island->kernel->n * sizeof *island->incumbent);
  island->incumbent_k = starts->k;
  island->founder = starts->color;
  island->founders = starts->count;
  island->founder_k = starts->k;
  starts->color = NULL;
}

/* Make an empty island of it that begins with the rows. [in,out] starts  found already, or
 * empty */
static prism_status_t begin_with_rows(prism_gpu_island_t *island,
                                      const prism_island_state_t *state,
                                      prism_colorings_t *starts) {
  clear(island);
  if (starts->color == NULL) PRISM_TRY(find_starts(island, state, starts));
  take_starts(island, starts);
  return PRISM_OK;
}

/* Put what was read in the place of what the island has. [in] own  the bytes were read;
 * [out] own  false: only the rows were taken */
static prism_status_t replace(prism_gpu_island_t *island, prism_saved_island_t *saved,
                              const prism_island_state_t *state, prism_colorings_t *starts,
                              bool *own) {
  if (!*own) PRISM_TRY(find_starts(island, state, starts)); /* it fails before anything is lost */
  PRISM_TRY(prism_hooks_cuda_collect(&island->hooks, island->view, island->stream));
  if (*own) {
    clear(island);
    const prism_status_t status = build(island, saved, state, own);
    if (status == PRISM_OK && *own) return PRISM_OK;
    if (status == PRISM_DEVICE) {
      clear(island);
      return status;
    }
    prism_error_clear(); /* too much for the memory or for the kernels of this GPU */
    *own = false;
  }
  return begin_with_rows(island, state, starts);
}

prism_status_t prism_gpu_island_restore(prism_gpu_island_t *island,
                                        const prism_island_state_t *state, bool *exact) {
  const prism_saved_kind_t kind = kind_of(island);
  prism_saved_island_t saved = {.guest_f = -1};
  prism_colorings_t starts = {.count = 0};
  PRISM_TRY(prism_island_state_check(state, island->kernel->n));
  PRISM_TRY(prism_device_use(island->context->device.index));
  bool own = strcmp(state->engine, prism_saved_engine) == 0 &&
             state->version == PRISM_SAVED_VERSION;
  prism_status_t status = PRISM_OK;
  if (own)
    status = prism_saved_unpack(state, &kind, island->kernel,
                                prism_hooks_cuda_frozen(&island->hooks), &saved, &own);
  if (status == PRISM_OK) status = replace(island, &saved, state, &starts, &own);
  if (status == PRISM_OK) *exact = own && saved.weights != PRISM_SAVED_WEIGHTS_LEFT_OUT;
  prism_saved_release(&saved);
  prism_free(starts.color);
  return status;
}
