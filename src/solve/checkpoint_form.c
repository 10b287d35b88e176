#include "solve/checkpoint_form.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

#define RECORD prism_checkpoint_island_row_t
static const prism_field_t island_fields[] = {PRISM_CHECKPOINT_ISLAND_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_checkpoint_rank_row_t
static const prism_field_t rank_fields[] = {PRISM_CHECKPOINT_RANK_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD

const prism_record_table_t prism_checkpoint_island_table = {
    "island", "/islands/table", island_fields, sizeof island_fields / sizeof island_fields[0],
    sizeof(prism_checkpoint_island_row_t)};
const prism_record_table_t prism_checkpoint_rank_table = {
    "rank", "/ranks/table", rank_fields, sizeof rank_fields / sizeof rank_fields[0],
    sizeof(prism_checkpoint_rank_row_t)};

/* ---- Islands and states ------------------------------------------------------------------ */

prism_checkpoint_island_t prism_checkpoint_island_of(const prism_island_state_t *state, int32_t id,
                                                     int32_t rank) {
  prism_checkpoint_island_t island;
  memset(&island, 0, sizeof island); /* padding too: it is sent as bytes */
  island.id = id;
  island.rank = rank;
  memcpy(island.engine, state->engine, sizeof island.engine);
  island.version = state->version;
  island.k = state->k;
  island.rows = state->rows;
  island.size = state->size;
  return island;
}

prism_status_t prism_checkpoint_island_state(const prism_checkpoint_island_t *island, int32_t n,
                                             prism_island_state_t *state) {
  PRISM_TRY(prism_island_state_init(state, n, island->rows, island->size));
  memcpy(state->engine, island->engine, sizeof state->engine);
  state->version = island->version;
  state->k = island->k;
  return PRISM_OK;
}

/* ---- Packed colors ---------------------------------------------------------------------- */

void prism_checkpoint_pack(const int32_t *color, size_t n, size_t width, void *packed) {
  uint8_t *u8 = packed;
  uint16_t *u16 = packed;
  uint32_t *u32 = packed;
  if (width == 1)
    for (size_t v = 0; v < n; ++v) u8[v] = (uint8_t)(color[v] + 1);
  else if (width == 2)
    for (size_t v = 0; v < n; ++v) u16[v] = (uint16_t)(color[v] + 1);
  else
    for (size_t v = 0; v < n; ++v) u32[v] = (uint32_t)color[v] + 1;
}

static uint32_t packed_max(const void *packed, size_t count, size_t width) {
  const uint8_t *u8 = packed;
  const uint16_t *u16 = packed;
  const uint32_t *u32 = packed;
  uint32_t most = 0;
  if (width == 1) {
    for (size_t i = 0; i < count; ++i) most = u8[i] > most ? u8[i] : most;
  } else if (width == 2) {
    for (size_t i = 0; i < count; ++i) most = u16[i] > most ? u16[i] : most;
  } else {
    for (size_t i = 0; i < count; ++i) most = u32[i] > most ? u32[i] : most;
  }
  return most;
}

bool prism_checkpoint_packed_within(const void *packed, size_t count, size_t width, int32_t k) {
  return packed_max(packed, count, width) <= (uint32_t)k;
}

prism_status_t prism_checkpoint_unpack(const void *packed, size_t n, size_t width, int32_t k,
                                       int32_t *color) {
  const uint8_t *u8 = packed;
  const uint16_t *u16 = packed;
  const uint32_t *u32 = packed;
  if (!prism_checkpoint_packed_within(packed, n, width, k))
    PRISM_FAIL(PRISM_FORMAT, "a packed coloring has more than its %d colors", k);
  for (size_t v = 0; v < n; ++v)
    color[v] = (int32_t)(width == 1 ? u8[v] : width == 2 ? u16[v] : u32[v]) - 1;
  return PRISM_OK;
}

/* ---- Sound heads ------------------------------------------------------------------------ */

/* What is being checked, for the message. */
typedef struct check {
  const prism_checkpoint_head_t *head;
  prism_status_t code;
  const char *path;
} check_t;

#define UNLESS(check, condition, ...)                                                          \
  do {                                                                                         \
    if (!(condition)) return unsound((check), __LINE__, __func__, __VA_ARGS__);                \
  } while (0)

static prism_status_t unsound(const check_t *check, int line, const char *function,
                              const char *what) {
  return prism_error_record(check->code, __FILE__, line, function,
                            "%s is not a sound checkpoint: %s", check->path, what);
}

static bool all_within(const int32_t *value, int32_t count, int32_t below) {
  for (int32_t i = 0; i < count; ++i)
    if (value[i] < 0 || value[i] >= below) return false;
  return true;
}

static bool is_hash(const char *hash) {
  return strspn(hash, "0123456789abcdef") == 64 && hash[64] == '\0';
}

/* [in] order [n] zeros. Lifting goes backwards: a partner has its color only if it was removed
 * later, or never. */
static prism_status_t check_removals(const check_t *check, int32_t *order, int32_t *map) {
  const prism_checkpoint_kernel_t *kernel = &check->head->kernel;
  int32_t n = check->head->n, kept = 0;
  for (int32_t i = 0; i < kernel->removed; ++i) {
    int32_t v = kernel->vertex[i];
    UNLESS(check, v >= 0 && v < n && order[v] == 0, "a vertex is reduced that cannot be");
    order[v] = i + 1;
  }
  for (int32_t i = 0; i < kernel->removed; ++i) {
    int32_t partner = kernel->partner[i];
    bool rule = partner == PRISM_CHECKPOINT_PEELED || partner == PRISM_CHECKPOINT_UNIVERSAL;
    bool later = partner >= 0 && partner < n && (order[partner] == 0 || order[partner] > i + 1);
    UNLESS(check, rule || later, "a reduced vertex takes the color of one that has none");
  }
  for (int32_t v = 0; v < n; ++v)
    if (order[v] == 0) map[kept++] = v;
  return PRISM_OK;
}

static prism_status_t check_kernel(const check_t *check, int32_t *map) {
  const prism_checkpoint_head_t *head = check->head;
  const prism_checkpoint_kernel_t *kernel = &head->kernel;
  UNLESS(check, kernel->n >= 0 && kernel->removed >= 0 && kernel->n == head->n - kernel->removed,
         "the kernel's vertices do not add up");
  UNLESS(check, kernel->lower_bound >= 0 && kernel->lower_bound <= head->n,
         "the kernel's bound is out of range");
  int32_t *order = NULL; /* place among the removals + 1; 0: a kernel vertex */
  PRISM_TRY(PRISM_ALLOC_ZERO(head->n, &order));
  prism_status_t status = check_removals(check, order, map);
  prism_free(order);
  PRISM_TRY(status);
  return PRISM_OK;
}

static prism_status_t check_colorings(const check_t *check) {
  const prism_checkpoint_head_t *head = check->head;
  const prism_checkpoint_start_t *start = &head->start;
  UNLESS(check, head->color_bound >= 1, "the bound of the colors is out of range");
  UNLESS(check, start->lower_bound >= 0 && start->lower_bound <= head->n,
         "the lower bound is out of range");
  UNLESS(check, start->clique_size >= 0 && start->clique_size <= head->n &&
                    all_within(start->clique, start->clique_size, head->n),
         "the clique is not one of the graph");
  UNLESS(check, start->colors >= 1 && start->colors <= head->n &&
                    start->colors <= head->color_bound,
         "the colors of the first coloring are out of range");
  UNLESS(check, all_within(start->color, head->n, start->colors),
         "the first coloring has colors out of range");
  int32_t least = head->kernel.n > 0 ? 1 : 0;
  UNLESS(check, head->best_k >= least && head->best_k <= head->kernel.n &&
                    head->best_k <= head->color_bound,
         "the fewest colors are out of range");
  UNLESS(check, all_within(head->best, head->kernel.n, head->best_k),
         "the best coloring has colors out of range");
  return PRISM_OK;
}

prism_status_t prism_checkpoint_check_head(const prism_checkpoint_head_t *head,
                                           prism_status_t code, const char *path, int32_t *map) {
  const check_t here = {head, code, path}, *check = &here;
  UNLESS(check, head->n >= 1 && head->n < INT32_MAX && head->m >= 0, "the graph's size");
  UNLESS(check, is_hash(head->graph_hash), "the graph's hash is none");
  UNLESS(check, head->epoch >= 0 && head->iterations >= 0, "epochs or iterations are negative");
  UNLESS(check, isfinite(head->elapsed) && head->elapsed >= 0.0, "the elapsed time is no time");
  UNLESS(check, head->invocations >= 1 && head->ranks >= 1, "no invocations or no ranks");
  PRISM_TRY(check_kernel(check, map));
  return check_colorings(check);
}

prism_status_t prism_checkpoint_check_island(const prism_checkpoint_head_t *head,
                                             const prism_checkpoint_island_t *island,
                                             prism_status_t code, const char *path) {
  const check_t here = {head, code, path}, *check = &here;
  UNLESS(check, island->id >= 0, "an island's number is negative");
  UNLESS(check, island->rank >= 0 && island->rank < head->ranks, "an island has no rank");
  UNLESS(check, memchr(island->engine, '\0', sizeof island->engine) != NULL &&
                    island->engine[0] != '\0',
         "an island has no engine");
  UNLESS(check, island->k >= 0 && island->k <= head->color_bound,
         "an island's colors are out of range");
  UNLESS(check, island->rows >= 0 && (island->k > 0 || island->rows == 0),
         "an island has rows without colors");
  UNLESS(check, island->size <= (size_t)INT64_MAX, "an island's bytes are too many");
  return PRISM_OK;
}
