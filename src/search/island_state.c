/* What a CPU island knows as an island's state, and back (seam/state.h). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "search/arm_state.h"
#include "search/island.h"
#include "search/island_hooks.h"

enum { VERSION = 5, MOST_FOUNDERS = 64, MOST_COLORS = 1 << 24 };

static const char engine_name[] = "cpu";
static const char what[] = "the state of a CPU island";

/* ---- saving ---- */

/* Colourings of any number of colours, which need not be that of the rows. */
static void put_kernel_colors(const prism_island_t *island, const int32_t *color, int32_t count,
                              int32_t k, prism_pack_t *pack) {
  prism_pack_i32(pack, count);
  prism_pack_i32(pack, k);
  prism_pack_small(pack, color, (size_t)count * (size_t)island->kernel->n, k);
}

static prism_status_t save_island(const prism_island_t *island, prism_pack_t *pack) {
  const prism_problem_t *problem = island->ground != NULL ? island->ground->problem : NULL;
  prism_pack_u8(pack, prism_hooks_bits(island->hooks));
  prism_pack_i32(pack, problem != NULL ? problem->n : 0);
  prism_pack_i64(pack, problem != NULL ? problem->graph->m : 0);
  prism_pack_u64(pack, island->draws);
  prism_pack_u8(pack, (uint8_t)island->last);
  prism_pack_bool(pack, island->seeded);
  prism_pack_i32(pack, island->effort);
  put_kernel_colors(island, island->incumbent, island->incumbent_k > 0, island->incumbent_k, pack);
  put_kernel_colors(island, island->mate, island->mate_k > 0, island->mate_k, pack);
  put_kernel_colors(island, island->founder, island->founders,
                    island->founders > 0 ? island->founder_k : 0, pack);
  prism_pack_bool(pack, island->learned != NULL);
  if (island->learned == NULL) return PRISM_OK;
  return prism_weights_pack(island->kernel, island->learned, pack);
}

static prism_status_t save_arms(const prism_island_t *island, prism_rows_t *rows,
                                prism_pack_t *pack) {
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    const prism_arm_t *arm = &island->arm[m];
    bool live = island->live[m] && arm->founded; /* else a failure kept it from its beginning */
    prism_pack_bool(pack, live);
    if (live) PRISM_TRY(prism_arm_save(arm, rows, pack));
  }
  return rows->status;
}

/* The rows, and the bytes in their place. */
static prism_status_t assemble(const prism_island_t *island, const prism_rows_t *rows,
                               prism_pack_t *pack, prism_island_state_t *state) {
  int32_t n = island->kernel->n;
  bool worked = island->ground != NULL, peels = worked && island->ground->problem == NULL;
  int32_t count = peels ? 1 : rows->count;
  uint8_t *bytes = NULL;
  size_t size = 0;
  PRISM_TRY(prism_pack_finish(pack, &bytes, &size));
  prism_status_t status = prism_island_state_init(state, n, count, 0);
  if (status != PRISM_OK) {
    prism_free(bytes);
    return status;
  }
  prism_free(state->bytes);
  state->bytes = bytes;
  state->size = size;
  state->version = VERSION;
  state->k = count > 0 ? island->k : 0;
  snprintf(state->engine, sizeof state->engine, "%s", engine_name);
  if (!worked) return PRISM_OK;
  prism_rows_fill(rows, island->ground->view, state);
  if (peels) {
    prism_view_lift(island->ground->view, NULL, state->color);
    state->method[0] = (uint8_t)island->last;
  }
  return PRISM_OK;
}

prism_status_t prism_island_save(const prism_island_t *island, prism_island_state_t *state) {
  prism_rows_t rows = {.problem = island->ground != NULL ? island->ground->problem : NULL};
  prism_pack_t pack = {.data = NULL};
  *state = (prism_island_state_t){.n = 0};
  prism_status_t status = save_island(island, &pack);
  if (status == PRISM_OK) status = save_arms(island, &rows, &pack);
  if (status == PRISM_OK) status = assemble(island, &rows, &pack, state);
  prism_rows_release(&rows);
  prism_pack_release(&pack);
  return status;
}

/* ---- restoring: the rows of another engine ---- */

/* The best becomes the incumbent, the next one the mate, others founders. */
static prism_status_t take_rows(prism_island_t *island, const prism_island_state_t *state) {
  enum { INCUMBENT, MATE, FOUNDERS };
  const size_t n = (size_t)island->kernel->n, bytes = n * sizeof *island->incumbent;
  prism_colorings_t starts;
  prism_status_t status =
      prism_island_state_starts(state, island->kernel, FOUNDERS + MOST_FOUNDERS, &starts);
  if (status == PRISM_OK && starts.count > INCUMBENT) {
    memcpy(island->incumbent, starts.color, bytes);
    island->incumbent_k = starts.k;
  }
  if (status == PRISM_OK && starts.count > MATE) {
    memcpy(island->mate, starts.color + MATE * n, bytes);
    island->mate_k = starts.k;
  }
  if (status == PRISM_OK && starts.count > FOUNDERS) {
    island->founders = starts.count - FOUNDERS;
    island->founder_k = starts.k;
    memmove(starts.color, starts.color + FOUNDERS * n, (size_t)island->founders * bytes);
    island->founder = starts.color;
    starts.color = NULL;
  }
  prism_free(starts.color);
  return status;
}

/* ---- restoring: our own ---- */

/* How many colourings follow and their colours; 0 with 0. */
static int32_t get_kernel_count(prism_unpack_t *unpack, int32_t most, int32_t *k) {
  int32_t count = prism_unpack_count(unpack, most, 1);
  *k = prism_unpack_i32(unpack, count > 0, count > 0 ? MOST_COLORS : 0);
  return count;
}

/* [out] color [kernel n]; [out] k  0: there is none. */
static void get_kernel_colors(const prism_island_t *island, prism_unpack_t *unpack,
                              int32_t *color, int32_t *k) {
  int32_t count = get_kernel_count(unpack, 1, k);
  prism_unpack_small(unpack, color, (size_t)count * (size_t)island->kernel->n, *k);
}

static prism_status_t get_founders(prism_island_t *island, prism_unpack_t *unpack) {
  int32_t count = get_kernel_count(unpack, MOST_FOUNDERS, &island->founder_k);
  size_t cells = (size_t)count * (size_t)island->kernel->n;
  if (count == 0) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC(cells, &island->founder));
  prism_unpack_small(unpack, island->founder, cells, island->founder_k);
  island->founders = count;
  return PRISM_OK;
}

static prism_status_t read_island(prism_island_t *island, prism_unpack_t *unpack) {
  island->draws = prism_unpack_u64(unpack);
  uint8_t last = prism_unpack_u8(unpack);
  if (last >= PRISM_METHOD_COUNT) unpack->bad = true;
  island->last = last < PRISM_METHOD_COUNT ? (prism_method_t)last : PRISM_METHOD_TABUCOL;
  island->seeded = prism_unpack_bool(unpack);
  island->effort = prism_unpack_i32(unpack, 0, PRISM_EXTRACTION_MOST_EFFORT);
  get_kernel_colors(island, unpack, island->incumbent, &island->incumbent_k);
  get_kernel_colors(island, unpack, island->mate, &island->mate_k);
  PRISM_TRY(get_founders(island, unpack));
  if (prism_unpack_bool(unpack)) {
    PRISM_TRY(PRISM_ALLOC(2 * island->kernel->m, &island->learned));
    PRISM_TRY(prism_weights_unpack(island->kernel, unpack, island->learned));
  }
  return PRISM_OK;
}

static prism_status_t read_arms(prism_island_t *island, const prism_island_state_t *state,
                                prism_unpack_t *unpack) {
  const prism_problem_t *problem = island->ground != NULL ? island->ground->problem : NULL;
  prism_row_source_t source = {.state = state, .problem = problem, .unpack = unpack};
  if (problem != NULL) source.map = prism_view_map(island->ground->view);
  for (int m = 0; m < PRISM_METHOD_COUNT && !unpack->bad; ++m) {
    if (!prism_unpack_bool(unpack)) continue;
    if (problem == NULL) {
      unpack->bad = true;
      return PRISM_OK;
    }
    bool learned = m == PRISM_METHOD_WEIGHTED && island->learned != NULL;
    prism_arm_setup_t setup = {
        .method = (prism_method_t)m, .isa = island->isa, .k = island->k, .seed = island->seed,
        .hooks = island->hooks != NULL || learned ? &island->mapped : NULL,
        .individual = prism_island_individual(island, (prism_method_t)m),
        .effort = island->effort};
    island->live[m] = true; /* also one that fails half-way is released */
    PRISM_TRY(prism_arm_restore(&island->arm[m], &setup, &source));
  }
  return PRISM_OK;
}

/* [out] fits  false: the island has other hooks, so its arms would do something else. */
static prism_status_t read_state(prism_island_t *island, const prism_island_state_t *state,
                                 bool *fits) {
  prism_unpack_t unpack;
  PRISM_TRY(prism_unpack_open(&unpack, state->bytes, state->size, what));
  uint8_t hooks = prism_unpack_u8(&unpack);
  int32_t n = prism_unpack_i32(&unpack, 0, island->kernel->n);
  int64_t m = prism_unpack_i64(&unpack, 0, island->kernel->m);
  PRISM_TRY(read_island(island, &unpack));
  if (state->k > 0 && !unpack.bad) {
    island->k = state->k;
    PRISM_TRY(prism_island_stand(island));
    const prism_problem_t *problem = island->ground->problem;
    *fits = hooks == prism_hooks_bits(island->hooks) && n == (problem != NULL ? problem->n : 0) &&
            m == (problem != NULL ? problem->graph->m : 0);
    if (!*fits) return PRISM_OK;
  }
  PRISM_TRY(read_arms(island, state, &unpack));
  return prism_unpack_close(&unpack, what);
}

/* An island as it was made, in the place of `old`, which keeps what it had. */
static prism_status_t begin_anew(prism_island_t *island, const prism_island_t *old) {
  prism_status_t status = prism_island_init(island, old->kernel, old->grounds, old->isa,
                                            old->seed, old->id);
  island->hooks = old->hooks;
  return status;
}

prism_status_t prism_island_restore(prism_island_t *island, const prism_island_state_t *state,
                                    bool *exact) {
  PRISM_TRY(prism_island_state_check(state, island->kernel->n));
  bool own = strcmp(state->engine, engine_name) == 0 && state->version == VERSION;
  /* The arms point to the island: the new one is made in its place. */
  prism_island_t old = *island;
  prism_status_t status = begin_anew(island, &old);
  if (status == PRISM_OK && own) status = read_state(island, state, &own);
  if (status == PRISM_OK && !own) {
    prism_island_release(island);
    status = begin_anew(island, &old);
    if (status == PRISM_OK) status = take_rows(island, state);
  }
  if (status != PRISM_OK) {
    prism_island_release(island);
    *island = old;
    return status;
  }
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    if (old.live[m]) prism_island_collect_counters(&old, &old.arm[m]);
  for (int i = 0; i < PRISM_COUNTER_COUNT; ++i) {
    island->counter[i] = old.counter[i];
    old.counter[i] = NULL;
  }
  prism_island_release(&old);
  *exact = own;
  return PRISM_OK;
}
