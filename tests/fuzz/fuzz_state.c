/* Any bytes as what a CPU island knows, with a checksum that fits: refused, or believed and
 * worked with. Afterwards the island works on and can be saved, whatever it was told.
 *
 * An input is four bytes and changes to a true state of three bytes each (where, how far, what),
 * or, as the first byte says, four bytes and the state itself. Inputs of the first kind stay
 * useful when the form of the bytes changes. */
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"
#include "fuzz_input.h"
#include "model/generate.h"
#include "search/island.h"

enum { VERTICES = 24, COLORS = 6, BASES = 4, CHECKSUM_BYTES = 8, CONTROL_BYTES = 4 };

typedef struct bench {
  prism_graph_t *graph;
  prism_ground_list_t grounds;
  prism_hooks_t hooks;
  int32_t *edge_weight; /* [2 m] */
} bench_t;

/* All that an island needs, anew for each input: nothing of the last one is left. */
static void bench_open(bench_t *bench) {
  prism_generated_t made = {.graph = NULL};
  memset(bench, 0, sizeof *bench);
  FUZZ_REQUIRE(prism_generate_gnp(VERTICES, 0.5, 1, &made) == PRISM_OK);
  bench->graph = made.graph;
  FUZZ_REQUIRE(prism_ground_list_init(&bench->grounds, bench->graph) == PRISM_OK);
  int64_t entries = bench->graph->offset[VERTICES];
  FUZZ_REQUIRE(PRISM_ALLOC(entries, &bench->edge_weight) == PRISM_OK);
  for (int64_t e = 0; e < entries; ++e) bench->edge_weight[e] = 2;
  bench->hooks = (prism_hooks_t){.counters = true, .edge_weight = bench->edge_weight};
}

static void bench_close(bench_t *bench) {
  prism_free(bench->edge_weight);
  prism_ground_list_release(&bench->grounds);
  prism_graph_destroy(&bench->graph);
}

static void work(prism_island_t *island, int method, int32_t k, int64_t generations,
                 int64_t iterations) {
  prism_work_t piece = {.phase = prism_method_phase((prism_method_t)method), .k = k,
                        .generations = generations, .iterations = iterations,
                        .params = {.method = (prism_method_t)method, .population = 4,
                                   .tenure_base = 5.0, .tenure_slope = 0.6,
                                   .generation_iterations = 40}};
  prism_summary_t summary;
  FUZZ_REQUIRE(prism_island_work(island, &piece, NULL, &summary) == PRISM_OK);
  FUZZ_REQUIRE(summary.k == k);
}

static void island_open(prism_island_t *island, bench_t *bench, int which) {
  FUZZ_REQUIRE(prism_island_init(island, bench->graph, &bench->grounds, prism_isa_select(0), 1,
                                 7) == PRISM_OK);
  if (which == 3) FUZZ_REQUIRE(prism_island_hooks(island, &bench->hooks) == PRISM_OK);
}

/* States of islands that have come different ways. */
static void make_base(bench_t *bench, int which, prism_island_state_t *state) {
  prism_island_t island;
  island_open(&island, bench, which);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) work(&island, m, COLORS, 4, 0);
  for (int m = 0; which == 1 && m < PRISM_METHOD_COUNT; ++m) work(&island, m, COLORS, 0, 130);
  for (int m = 0; which == 2 && m < 2; ++m) work(&island, m, COLORS - 1, 2, 0);
  FUZZ_REQUIRE(prism_island_save(&island, state) == PRISM_OK);
  prism_island_release(&island);
}

/* The bytes in front of the checksum become these. */
static void set_bytes(prism_island_state_t *state, const uint8_t *bytes, size_t size) {
  prism_pack_t pack = {.data = NULL};
  prism_pack_bytes(&pack, bytes, size);
  prism_free(state->bytes);
  FUZZ_REQUIRE(prism_pack_finish(&pack, &state->bytes, &state->size) == PRISM_OK);
}

static void apply_changes(prism_island_state_t *state, const uint8_t *change, size_t count) {
  size_t inner = state->size - CHECKSUM_BYTES, keep = inner;
  for (size_t i = 0; i < count; ++i, change += 3) {
    size_t at = ((size_t)change[0] | (size_t)change[1] << 8);
    if (at == 0xffff) /* cut off */
      keep = inner * change[2] / 256;
    else if (at >= 0xff00 && state->rows > 0) /* a color */
      state->color[(at * 251 + i) % ((size_t)state->rows * VERTICES)] = change[2] % COLORS - 1;
    else
      state->bytes[at % inner] ^= change[2];
  }
  set_bytes(state, state->bytes, keep);
}

static void change_head(prism_island_state_t *state, uint8_t how) {
  if (how == 1 && state->rows > 0) state->rows -= 1;
  if (how == 2) state->k += 1;
  if (how == 3) state->k -= 1;
  if (how == 4) state->version += 1;
  if (how == 5) snprintf(state->engine, sizeof state->engine, "cuda");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < CONTROL_BYTES) return 0;
  const int which = data[0] % BASES;
  bench_t bench;
  prism_island_state_t state;
  prism_island_t island;
  bench_open(&bench);
  make_base(&bench, which, &state);
  if (data[0] & 0x80)
    set_bytes(&state, data + CONTROL_BYTES, size - CONTROL_BYTES);
  else
    apply_changes(&state, data + CONTROL_BYTES, (size - CONTROL_BYTES) / 3);
  change_head(&state, data[1] % 8);
  island_open(&island, &bench, data[2] % 2 == 0 ? which : 0);
  if (data[2] & 2) work(&island, PRISM_METHOD_POOL, COLORS, 2, 0); /* not a new one */
  prism_error_clear();
  bool exact = false;
  prism_status_t status = prism_island_restore(&island, &state, &exact);
  FUZZ_REQUIRE(status == PRISM_OK || status == PRISM_FORMAT);
  FUZZ_REQUIRE(status == PRISM_OK || prism_error_text()[0] != '\0');
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
    work(&island, (data[3] + m) % PRISM_METHOD_COUNT, COLORS, 1, 0);
  work(&island, data[3] % PRISM_METHOD_COUNT, COLORS - 1, 0, 50);
  prism_island_state_t again;
  FUZZ_REQUIRE(prism_island_save(&island, &again) == PRISM_OK);
  FUZZ_REQUIRE(prism_island_state_check(&again, VERTICES) == PRISM_OK);
  prism_island_state_release(&again);
  prism_island_release(&island);
  prism_island_state_release(&state);
  bench_close(&bench);
  FUZZ_REQUIRE(prism_mem_live_blocks() == 0);
  return 0;
}
