/* The CPU engine: its islands behind a ticket desk (seam/desk.h). */
#include "search/engine_cpu.h"

#include "base/mem.h"
#include "search/island.h"
#include "seam/desk.h"

typedef struct cpu_engine {
  int32_t islands;          /* that were initialised */
  prism_ground_list_t grounds;
  prism_island_t *island;
} cpu_engine_t;

static void cpu_describe(const void *island, prism_island_info_t *out) {
  const prism_island_t *self = island;
  const uint32_t extraction = PRISM_METHOD_BIT(PRISM_METHOD_EXTRACTION);
  *out = (prism_island_info_t){.methods = PRISM_METHOD_BIT(PRISM_METHOD_COUNT) - 1,
                               .unsuited = self->grounds->few_cliques ? 0 : extraction,
                               .mode = "cpu", .stream = -1, .device = self->isa->name};
}

static prism_status_t cpu_work(void *island, const prism_work_t *work, const atomic_bool *stop,
                               prism_summary_t *summary) {
  return prism_island_work(island, work, stop, summary);
}

static prism_status_t cpu_export(void *island, int32_t which, uint32_t draw, int32_t *color,
                                 int32_t *k, int64_t *f) {
  return prism_island_export(island, which, draw, color, k, f);
}

static prism_status_t cpu_import(void *island, const int32_t *color, int32_t k, bool seed,
                                 prism_import_result_t *result) {
  return prism_island_import(island, color, k, seed, result);
}

static prism_status_t cpu_save(void *island, prism_island_state_t *state) {
  return prism_island_save(island, state);
}

static prism_status_t cpu_restore(void *island, const prism_island_state_t *state, bool *exact) {
  return prism_island_restore(island, state, exact);
}

static prism_status_t cpu_hooks(void *island, const prism_hooks_t *hooks) {
  return prism_island_hooks(island, hooks);
}

static prism_status_t cpu_counters(void *island, prism_counter_t which, uint32_t *values) {
  return prism_island_counters(island, which, values);
}

static bool cpu_ladder(const void *island, prism_ladder_view_t *out) {
  return prism_island_ladder(island, out);
}

static const prism_island_ops_t island_ops = {
    .describe = cpu_describe,
    .work = cpu_work,
    .export_colors = cpu_export,
    .import_colors = cpu_import,
    .save = cpu_save,
    .restore = cpu_restore,
    .set_hooks = cpu_hooks,
    .export_counters = cpu_counters,
    .ladder = cpu_ladder,
};

static void cpu_destroy(void *owner) {
  cpu_engine_t *engine = owner;
  for (int32_t i = 0; i < engine->islands; ++i) prism_island_release(&engine->island[i]);
  prism_ground_list_release(&engine->grounds);
  prism_free(engine->island);
  prism_free(engine);
}

static prism_status_t make_islands(cpu_engine_t *engine, const prism_engine_config_t *config,
                                   const prism_isa_t *isa) {
  PRISM_TRY(PRISM_ALLOC_ZERO(config->islands, &engine->island));
  for (int32_t i = 0; i < config->islands; ++i) {
    engine->islands = i + 1; /* also one that fails half-way is released */
    PRISM_TRY(prism_island_init(&engine->island[i], config->graph, &engine->grounds, isa,
                                config->seed, (uint32_t)(config->first_island + i)));
  }
  return PRISM_OK;
}

static prism_status_t open_desk(cpu_engine_t *engine, const prism_engine_config_t *config,
                                const prism_isa_t *isa, prism_engine_t *out) {
  void **island = NULL;
  PRISM_TRY(PRISM_ALLOC(config->islands, &island));
  for (int32_t i = 0; i < config->islands; ++i) island[i] = &engine->island[i];
  prism_desk_setup_t setup = {.name = "cpu", .detail = isa->name, .islands = config->islands,
                              .island = island, .ops = &island_ops, .bell = config->bell,
                              .owner = engine, .destroy = cpu_destroy};
  prism_status_t status = prism_desk_create(&setup, out);
  prism_free(island);
  return status;
}

prism_status_t prism_engine_cpu_create(const prism_engine_config_t *config, const void *context,
                                       prism_engine_t *out) {
  const prism_params_cpu_t *cpu = context;
  const prism_isa_t *isa = prism_isa_select(cpu->isa);
  if (isa == NULL)
    PRISM_FAIL(PRISM_UNSUPPORTED, "this processor lacks the instructions of cpu.isa");
  if (config->islands < 1) PRISM_FAIL(PRISM_INVALID, "an engine needs at least one island");
  cpu_engine_t *engine = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &engine));
  prism_status_t status = prism_ground_list_init(&engine->grounds, config->graph);
  if (status != PRISM_OK) {
    prism_free(engine);
    return status;
  }
  status = make_islands(engine, config, isa);
  if (status == PRISM_OK) status = open_desk(engine, config, isa, out);
  if (status != PRISM_OK) {
    cpu_destroy(engine);
    return status;
  }
  return PRISM_OK;
}

prism_engine_backend_t prism_cpu_backend(const prism_params_cpu_t *cpu) {
  return (prism_engine_backend_t){"cpu", prism_engine_cpu_create, cpu};
}

const char *prism_cpu_isa_name(const prism_params_cpu_t *cpu) {
  const prism_isa_t *isa = prism_isa_select(cpu->isa);
  return isa != NULL ? isa->name : "none";
}
