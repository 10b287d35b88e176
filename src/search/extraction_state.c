/* An extraction as bytes (search/extraction.h). */
#include <string.h>

#include "base/mem.h"
#include "search/extraction.h"

enum { IN = 1, BEST = 2, SET_FLAGS = 4, MOST_ATTEMPTS = 1 << 30 };

static const int64_t most_steps = INT64_C(1) << 50;

/* ---- saving ---- */

static void save_set(const prism_extraction_t *e, prism_pack_t *pack) {
  int32_t *flags = e->scratch;
  for (int32_t i = 0; i < e->cores; ++i)
    flags[i] = (e->set.in[i] ? IN : 0) + (e->set.best[i] ? BEST : 0);
  prism_pack_i64(pack, e->set.step);
  prism_pack_i32(pack, e->cores);
  prism_pack_small(pack, flags, (size_t)e->cores, SET_FLAGS);
}

static void save_rest(const prism_extraction_t *e, prism_pack_t *pack) {
  prism_pack_bool(pack, e->rest != NULL);
  if (e->rest == NULL) return;
  prism_pack_u8(pack, (uint8_t)e->local.state->cell);
  prism_pack_i64(pack, e->local.state->iteration);
  prism_pack_i64(pack, e->rest_left);
  prism_pack_i32(pack, e->cores);
  prism_pack_small(pack, e->local.state->color, (size_t)e->cores, e->setup.k - e->taken);
}

void prism_extraction_save(const prism_extraction_t *e, prism_rows_t *rows, prism_pack_t *pack) {
  prism_rows_put(rows, pack, PRISM_METHOD_EXTRACTION, e->best_color, e->best_f);
  prism_pack_u64(pack, e->setup.position);
  prism_pack_i32(pack, e->attempt);
  prism_pack_bool(pack, e->tried);
  prism_pack_u8(pack, (uint8_t)e->stage);
  prism_pack_i32(pack, e->turn);
  prism_pack_i32(pack, e->effort);
  for (int32_t v = 0; v < e->n; ++v) e->scratch[v] = e->class_of[v] + 1;
  prism_pack_small(pack, e->scratch, (size_t)e->n, e->taken + 1);
  if (e->stage == PRISM_EXTRACTION_REST) save_rest(e, pack);
  else save_set(e, pack);
}

/* ---- restoring ---- */

/* Is no edge inside a class? */
static bool proper(const prism_extraction_t *e) {
  const prism_graph_t *g = e->setup.problem->graph;
  for (int32_t v = 0; v < e->n; ++v)
    for (int64_t i = g->offset[v]; e->class_of[v] >= 0 && i < g->offset[v + 1]; ++i)
      if (e->class_of[g->neighbor[i]] == e->class_of[v]) return false;
  return true;
}

/* Is the class at work one that has no vertex yet, and those after it? */
static bool open_class(const prism_extraction_t *e) {
  for (int32_t v = 0; v < e->n; ++v)
    if (e->class_of[v] >= e->turn) return false;
  return e->turn < e->taken;
}

static bool independent(const prism_heavy_set_t *set, const bool *in) {
  for (int32_t v = 0; v < set->n; ++v)
    for (int64_t i = set->offset[v]; in[v] && i < set->offset[v + 1]; ++i)
      if (in[set->neighbor[i]]) return false;
  return true;
}

static void read_set(prism_extraction_t *e, prism_unpack_t *unpack) {
  prism_extraction_weigh(e);
  const int64_t done = prism_unpack_i64(unpack, 0, prism_extraction_set_steps(e));
  if (prism_unpack_i32(unpack, 0, e->n) != e->cores) unpack->bad = true;
  prism_unpack_small(unpack, e->scratch, (size_t)e->cores, SET_FLAGS);
  for (int32_t i = 0; i < e->cores; ++i) {
    e->set.in[i] = (e->scratch[i] & IN) != 0;
    e->set.best[i] = (e->scratch[i] & BEST) != 0;
  }
  if (!independent(&e->set, e->set.in) || !independent(&e->set, e->set.best)) unpack->bad = true;
  prism_extraction_begin_set(e, done);
}

static prism_status_t read_rest(prism_extraction_t *e, prism_unpack_t *unpack) {
  if (!prism_unpack_bool(unpack)) return PRISM_OK; /* the next attempt is due */
  const uint8_t cell = prism_unpack_u8(unpack);
  const int64_t iteration = prism_unpack_i64(unpack, 0, most_steps);
  PRISM_TRY(prism_extraction_make_rest(e));
  e->rest_left = prism_unpack_i64(unpack, 0, prism_extraction_rest_moves(e));
  if (cell > PRISM_CELL_U16 || prism_unpack_i32(unpack, 0, e->n) != e->cores || e->rest == NULL)
    unpack->bad = true;
  prism_unpack_small(unpack, e->scratch, (size_t)e->cores, e->setup.k - e->taken);
  if (e->rest == NULL) return PRISM_OK;
  PRISM_TRY(prism_local_prepare(&e->local, cell > PRISM_CELL_U16 ? PRISM_CELL_U16 : cell,
                                iteration));
  return prism_local_start(&e->local, e->scratch);
}

static prism_status_t read_all(prism_extraction_t *e, const prism_row_source_t *source) {
  prism_unpack_t *unpack = source->unpack;
  prism_rows_need(source, PRISM_METHOD_EXTRACTION, e->best_color, &e->best_f);
  e->setup.position = prism_unpack_u64(unpack);
  e->attempt = prism_unpack_i32(unpack, 0, MOST_ATTEMPTS);
  e->tried = prism_unpack_bool(unpack);
  const uint8_t stage = prism_unpack_u8(unpack);
  e->turn = prism_unpack_i32(unpack, 0, e->taken);
  e->effort = prism_unpack_i32(unpack, 1, PRISM_EXTRACTION_MOST_EFFORT);
  prism_unpack_small(unpack, e->class_of, (size_t)e->n, e->taken + 1);
  for (int32_t v = 0; v < e->n; ++v) --e->class_of[v];
  if (stage >= PRISM_EXTRACTION_STAGES || !proper(e) ||
      (stage == PRISM_EXTRACTION_TAKE && !open_class(e)))
    unpack->bad = true;
  if (unpack->bad) return PRISM_OK; /* as it was made */
  e->stage = (prism_extraction_stage_t)stage;
  if (e->stage == PRISM_EXTRACTION_REST) return read_rest(e, unpack);
  read_set(e, unpack);
  return PRISM_OK;
}

prism_status_t prism_extraction_restore(const prism_extraction_setup_t *setup,
                                        const int32_t *color, const prism_row_source_t *source,
                                        prism_extraction_t **out) {
  prism_extraction_t *e = NULL;
  PRISM_TRY(prism_extraction_create(setup, color, &e));
  const prism_status_t status = read_all(e, source);
  if (status != PRISM_OK) {
    prism_extraction_destroy(&e);
    return status;
  }
  *out = e;
  return PRISM_OK;
}
