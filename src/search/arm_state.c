#include "search/arm_state.h"

#include "base/mem.h"

/* What an arm has of a local search. */
enum { SEARCH_NONE, SEARCH_CELLS, SEARCH_POINT, SEARCHES };

static const int64_t most_moves = INT64_C(1) << 60;
enum { MOST_COUNT = 1 << 30, MOST_TENURE = (1 << 24) + 1, MOST_MEMBERS = 1 << 20 };

static bool is_partial(const prism_arm_t *arm) { return arm->method == PRISM_METHOD_PARTIALCOL; }

static bool has_local(const prism_arm_t *arm) {
  return arm->method != PRISM_METHOD_TEMPERING && arm->method != PRISM_METHOD_EXTRACTION;
}

static bool has_pool(const prism_arm_t *arm) { return arm->migrant.color != NULL; }

/* Children that the rest of the generation builds on: HEAD makes both at once, of a pool those
 * are that were searched. */
static int32_t children_of(const prism_arm_t *arm) {
  if (arm->method == PRISM_METHOD_POOL) return arm->stage;
  return arm->method == PRISM_METHOD_HEAD && (arm->stage > 0 || arm->left > 0) ? 2 : 0;
}

/* ---- saving ---- */

static void put(const prism_arm_t *arm, const prism_individual_t *individual, prism_rows_t *rows,
                prism_pack_t *pack) {
  prism_rows_put(rows, pack, arm->method, individual->f < 0 ? NULL : individual->color,
                 individual->f);
}

static prism_status_t save_weights(const prism_state_t *s, prism_pack_t *pack) {
  const prism_graph_t *g = s->problem->graph;
  int32_t *weight = NULL;
  PRISM_TRY(PRISM_ALLOC(2 * g->m, &weight));
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      weight[e] = prism_state_weight(s, v, e);
  prism_status_t status = prism_weights_pack(g, weight, pack);
  prism_free(weight);
  return status;
}

/* A trajectory goes on from where it is, a child in search too; between two children only the
 * width of the cells is left of a search. */
static prism_status_t save_search(const prism_arm_t *arm, prism_rows_t *rows,
                                  prism_pack_t *pack) {
  const prism_state_t *s = arm->local.state;
  int search = s == NULL                              ? SEARCH_NONE
               : has_pool(arm) && arm->left == 0 ? SEARCH_CELLS
                                                      : SEARCH_POINT;
  prism_pack_i32(pack, arm->local.tenure_longest);
  prism_pack_i64(pack, s != NULL ? s->iteration : arm->local.iteration);
  prism_pack_u8(pack, (uint8_t)search);
  if (search == SEARCH_NONE) return PRISM_OK;
  prism_pack_u8(pack, (uint8_t)s->cell);
  if (search == SEARCH_CELLS) return PRISM_OK;
  if (is_partial(arm)) {
    prism_rows_put_partial(rows, pack, arm->method, arm->k, s->color);
    prism_rows_put_partial(rows, pack, arm->method, arm->k, s->best_color);
  } else {
    prism_rows_put(rows, pack, arm->method, s->color, s->f);
    prism_rows_put(rows, pack, arm->method, s->best_color, s->best_f);
  }
  prism_pack_i32(pack, s->slots);
  prism_pack_small(pack, s->slot_vertex, (size_t)s->slots, s->n);
  prism_pack_i64(pack, s->reactive.tenure);
  prism_pack_i64(pack, s->reactive.low);
  prism_pack_i64(pack, s->reactive.high);
  prism_pack_i32(pack, s->reactive.left);
  bool weights = arm->method == PRISM_METHOD_WEIGHTED && s->weight != NULL;
  prism_pack_bool(pack, weights);
  return weights ? save_weights(s, pack) : PRISM_OK;
}

prism_status_t prism_arm_save(const prism_arm_t *arm, prism_rows_t *rows, prism_pack_t *pack) {
  prism_pack_i32(pack, arm->capacity);
  prism_pack_i32(pack, arm->members);
  prism_pack_u64(pack, arm->draws);
  prism_pack_i64(pack, arm->generation_iterations);
  prism_pack_bool(pack, arm->length_given);
  prism_pack_i64(pack, arm->lengths.proven);
  prism_pack_i64(pack, arm->lengths.longest);
  prism_pack_i64(pack, arm->left);
  prism_pack_i32(pack, arm->stage);
  prism_pack_i32(pack, arm->cycle);
  prism_pack_f64(pack, arm->least_distance);
  prism_pack_i64(pack, arm->least_f);
  prism_pack_bool(pack, arm->searched);
  prism_pack_f64(pack, arm->diversity);
  prism_pack_i64(pack, arm->generations);
  prism_pack_i32(pack, arm->restarts);
  for (int32_t i = 0; i < arm->members; ++i) put(arm, &arm->member[i], rows, pack);
  put(arm, &arm->best, rows, pack);
  if (has_pool(arm)) {
    put(arm, &arm->elite[0], rows, pack);
    put(arm, &arm->elite[1], rows, pack);
    put(arm, &arm->migrant, rows, pack);
  }
  for (int32_t i = 0; i < children_of(arm); ++i) { /* f of one not searched yet is not known */
    bool searched = arm->method == PRISM_METHOD_POOL;
    prism_rows_put(rows, pack, arm->method, arm->child[i].color, searched ? arm->child[i].f : -1);
  }
  PRISM_TRY(save_search(arm, rows, pack));
  prism_pack_bool(pack, arm->tempering != NULL);
  if (arm->tempering != NULL) prism_tempering_save(arm->tempering, rows, pack);
  prism_pack_bool(pack, arm->extraction != NULL);
  if (arm->extraction != NULL) prism_extraction_save(arm->extraction, rows, pack);
  return PRISM_OK;
}

/* ---- restoring ---- */

static void get(const prism_arm_t *arm, const prism_row_source_t *source,
                prism_individual_t *individual) {
  prism_rows_get(source, arm->method, individual->color, &individual->f);
}

static void need(const prism_arm_t *arm, const prism_row_source_t *source,
                 prism_individual_t *individual) {
  prism_rows_need(source, arm->method, individual->color, &individual->f);
}

static void read_counters(prism_arm_t *arm, prism_unpack_t *unpack) {
  arm->draws = prism_unpack_u64(unpack);
  arm->generation_iterations = prism_unpack_i64(unpack, 1, most_moves);
  arm->length_given = prism_unpack_bool(unpack);
  arm->lengths.proven = prism_unpack_i64(unpack, 0, most_moves);
  arm->lengths.longest = prism_unpack_i64(unpack, 0, most_moves);
  arm->left = prism_unpack_i64(unpack, 0, most_moves);
  arm->stage = prism_unpack_i32(unpack, 0, has_pool(arm) ? arm->members - 1 : 0);
  arm->cycle = prism_unpack_i32(unpack, 0, MOST_COUNT);
  arm->least_distance = prism_unpack_f64(unpack, -1.0, 1.0);
  arm->least_f = prism_unpack_i64(unpack, 0, INT64_MAX / 8);
  arm->searched = prism_unpack_bool(unpack);
  arm->diversity = prism_unpack_f64(unpack, -1.0, 1.0);
  arm->generations = prism_unpack_i64(unpack, 0, most_moves);
  arm->restarts = prism_unpack_i32(unpack, 0, MOST_COUNT);
}

static void read_individuals(prism_arm_t *arm, const prism_row_source_t *source) {
  for (int32_t i = 0; i < arm->members; ++i) need(arm, source, &arm->member[i]);
  need(arm, source, &arm->best);
  if (has_pool(arm)) {
    get(arm, source, &arm->elite[0]);
    get(arm, source, &arm->elite[1]);
    get(arm, source, &arm->migrant);
  }
  for (int32_t i = 0; i < children_of(arm); ++i) need(arm, source, &arm->child[i]);
}

/* Arrays of a local search's point. */
typedef struct point_arrays {
  int32_t *color, *best_color, *order, *weight;
} point_arrays_t;

static prism_status_t read_point(prism_arm_t *arm, const prism_row_source_t *source,
                                 point_arrays_t *arrays, prism_local_point_t *point) {
  prism_unpack_t *unpack = source->unpack;
  int32_t n = arm->problem->n;
  int64_t f = 0; /* is counted again */
  PRISM_TRY(PRISM_ALLOC(n, &arrays->color));
  PRISM_TRY(PRISM_ALLOC(n, &arrays->best_color));
  if (is_partial(arm)) {
    PRISM_TRY(prism_rows_get_partial(source, arm->method, arrays->color));
    PRISM_TRY(prism_rows_get_partial(source, arm->method, arrays->best_color));
  } else {
    prism_rows_need(source, arm->method, arrays->color, &f);
    prism_rows_need(source, arm->method, arrays->best_color, &f);
  }
  point->ordered = prism_unpack_count(unpack, n, 1);
  PRISM_TRY(PRISM_ALLOC(point->ordered, &arrays->order));
  prism_unpack_small(unpack, arrays->order, (size_t)point->ordered, n);
  point->reactive.tenure = prism_unpack_i64(unpack, 0, most_moves);
  point->reactive.low = prism_unpack_i64(unpack, 0, most_moves);
  point->reactive.high = prism_unpack_i64(unpack, 0, most_moves);
  point->reactive.left = prism_unpack_i32(unpack, 0, MOST_COUNT);
  if (prism_unpack_bool(unpack)) {
    PRISM_TRY(PRISM_ALLOC(2 * arm->problem->graph->m, &arrays->weight));
    PRISM_TRY(prism_weights_unpack(arm->problem->graph, unpack, arrays->weight));
  }
  point->color = arrays->color;
  point->best_color = arrays->best_color;
  point->order = arrays->order;
  point->weight = arrays->weight;
  return PRISM_OK;
}

static prism_status_t read_search(prism_arm_t *arm, const prism_row_source_t *source) {
  prism_unpack_t *unpack = source->unpack;
  arm->local.tenure_longest = prism_unpack_i32(unpack, 1, MOST_TENURE);
  arm->local.iteration = prism_unpack_i64(unpack, 0, most_moves);
  int search = prism_unpack_u8(unpack);
  bool moves = has_local(arm);
  if (search >= SEARCHES || (search != SEARCH_NONE && !moves) ||
      (search != SEARCH_POINT && moves && arm->left > 0))
    unpack->bad = true;
  if (search == SEARCH_NONE || unpack->bad) return PRISM_OK;
  prism_local_point_t point = {.iteration = arm->local.iteration};
  uint8_t cell = prism_unpack_u8(unpack);
  if (cell > PRISM_CELL_WEIGHT) unpack->bad = true;
  point.cell = cell > PRISM_CELL_WEIGHT ? PRISM_CELL_U16 : (prism_cell_t)cell;
  if (search == SEARCH_CELLS) return prism_local_prepare(&arm->local, point.cell, point.iteration);
  point_arrays_t arrays = {NULL, NULL, NULL, NULL};
  prism_status_t status = read_point(arm, source, &arrays, &point);
  if (status == PRISM_OK && !unpack->bad) status = prism_local_resume(&arm->local, &point);
  prism_free(arrays.color);
  prism_free(arrays.best_color);
  prism_free(arrays.order);
  prism_free(arrays.weight);
  return status;
}

static prism_status_t read_tempering(prism_arm_t *arm, const prism_row_source_t *source) {
  bool tempering = prism_unpack_bool(source->unpack);
  if (arm->method == PRISM_METHOD_TEMPERING ? !tempering && arm->left > 0 : tempering)
    source->unpack->bad = true;
  if (!tempering || source->unpack->bad) return PRISM_OK;
  prism_tempering_setup_t setup = {.problem = arm->problem, .hooks = arm->local.hooks,
                                   .k = arm->k, .seed = arm->seed,
                                   .individual = arm->individual};
  return prism_tempering_restore(&setup, arm->member[0].color, source, &arm->tempering);
}

static prism_status_t read_extraction(prism_arm_t *arm, const prism_row_source_t *source) {
  bool extraction = prism_unpack_bool(source->unpack);
  if (arm->method == PRISM_METHOD_EXTRACTION ? !extraction && arm->left > 0 : extraction)
    source->unpack->bad = true;
  if (!extraction || source->unpack->bad) return PRISM_OK;
  const prism_extraction_setup_t setup = prism_arm_extraction_setup(arm);
  return prism_extraction_restore(&setup, arm->member[0].color, source, &arm->extraction);
}

prism_status_t prism_arm_restore(prism_arm_t *arm, const prism_arm_setup_t *setup,
                                 const prism_row_source_t *source) {
  prism_unpack_t *unpack = source->unpack;
  int32_t capacity = prism_unpack_i32(unpack, 1, MOST_MEMBERS);
  int32_t members = prism_unpack_count(unpack, capacity, 4); /* a row of each follows */
  /* Only a pool that chooses its size by itself has room for more than it has. */
  if (members < 1 || (capacity > PRISM_ARM_POOL_MOST && members != capacity)) unpack->bad = true;
  if (unpack->bad) capacity = members = 1;
  prism_search_params_t params = {.population = capacity, .tenure_base = 1.0};
  PRISM_TRY(prism_arm_init(arm, setup->method, source->problem, setup->isa, setup->hooks,
                           setup->k, setup->seed, setup->individual, &params));
  if (arm->capacity != capacity || (has_pool(arm) && members < 2)) unpack->bad = true;
  arm->effort = setup->effort;
  arm->members = arm->wanted = members;
  arm->founded = true;
  read_counters(arm, unpack);
  read_individuals(arm, source);
  PRISM_TRY(read_search(arm, source));
  PRISM_TRY(read_tempering(arm, source));
  return read_extraction(arm, source);
}
