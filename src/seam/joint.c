#include "seam/joint.h"

#include "base/file.h"
#include "base/mem.h"

typedef struct joint {
  prism_engine_ops_t ops;
  char *detail;           /* "cuda (...) + cpu (...)"; owned */
  prism_bell_t *bell;     /* of all parts: the caller's or `own_bell` */
  prism_bell_t *own_bell; /* owned; NULL: the caller has one */
  int32_t parts;
  prism_engine_t *part;   /* [parts]; owned */
  int32_t *first;         /* [parts + 1] island 0 of each part; owned */
} joint_t;

/* The part of an island and its number there; NULL for an island that does not exist. */
static prism_engine_t *part_of(joint_t *joint, int32_t island, int32_t *local) {
  if (island < 0) return NULL;
  for (int32_t p = 0; p < joint->parts; ++p) {
    if (island >= joint->first[p + 1]) continue;
    *local = island - joint->first[p];
    return &joint->part[p];
  }
  return NULL;
}

static prism_status_t find_part(joint_t *joint, int32_t island, prism_engine_t **part,
                                int32_t *local) {
  *part = part_of(joint, island, local);
  if (*part == NULL)
    PRISM_FAIL(PRISM_INVALID, "no island %d in an engine of %d", island,
               joint->first[joint->parts]);
  return PRISM_OK;
}

static void joint_describe(void *self, int32_t island, prism_island_info_t *out) {
  int32_t local = 0;
  prism_engine_t *part = part_of(self, island, &local);
  part->ops->describe(part->self, local, out);
}

/* A part's ticket t becomes t * parts + its number. */
static prism_status_t joint_submit(void *self, int32_t island, const prism_work_t *work,
                                   int64_t *ticket) {
  joint_t *joint = self;
  prism_engine_t *part = NULL;
  int32_t local = 0;
  int64_t inner = -1;
  PRISM_TRY(find_part(joint, island, &part, &local));
  PRISM_TRY(part->ops->submit(part->self, local, work, &inner));
  *ticket = inner * joint->parts + (part - joint->part);
  return PRISM_OK;
}

static prism_status_t joint_poll(void *self, int64_t ticket, double wait, bool *done,
                                 prism_summary_t *summary) {
  joint_t *joint = self;
  if (ticket < 0) PRISM_FAIL(PRISM_INVALID, "there is no ticket %lld", (long long)ticket);
  int32_t p = (int32_t)(ticket % joint->parts);
  prism_engine_t *part = &joint->part[p];
  prism_status_t status =
      part->ops->poll(part->self, ticket / joint->parts, wait, done, summary);
  if (status == PRISM_OK && *done) summary->island += joint->first[p];
  return status;
}

static prism_status_t joint_wait_any(void *self, double wait) {
  joint_t *joint = self;
  prism_bell_wait(joint->bell, wait);
  return PRISM_OK;
}

static void joint_stop(void *self, int32_t island) {
  int32_t local = 0;
  prism_engine_t *part = part_of(self, island, &local);
  if (part != NULL) part->ops->stop(part->self, local);
}

static prism_status_t joint_export(void *self, int32_t island, int32_t which, uint32_t draw,
                                   int32_t *color, int32_t *k, int64_t *f) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  PRISM_TRY(find_part(self, island, &part, &local));
  return part->ops->export_colors(part->self, local, which, draw, color, k, f);
}

static prism_status_t joint_import(void *self, int32_t island, const int32_t *color, int32_t k,
                                   bool seed, prism_import_result_t *result) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  PRISM_TRY(find_part(self, island, &part, &local));
  return part->ops->import_colors(part->self, local, color, k, seed, result);
}

/* The bytes are those of the part: a state also fits an island of that engine alone. */
static prism_status_t joint_save(void *self, int32_t island, prism_island_state_t *state) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  *state = (prism_island_state_t){.n = 0};
  PRISM_TRY(find_part(self, island, &part, &local));
  if (part->ops->save == NULL)
    PRISM_FAIL(PRISM_UNSUPPORTED, "islands of the %s engine cannot be saved", part->ops->name);
  return part->ops->save(part->self, local, state);
}

static prism_status_t joint_restore(void *self, int32_t island, const prism_island_state_t *state,
                                    bool *exact) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  PRISM_TRY(find_part(self, island, &part, &local));
  if (part->ops->restore == NULL)
    PRISM_FAIL(PRISM_UNSUPPORTED, "islands of the %s engine cannot be restored", part->ops->name);
  return part->ops->restore(part->self, local, state, exact);
}

static prism_status_t joint_hooks(void *self, int32_t island, const prism_hooks_t *hooks) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  PRISM_TRY(find_part(self, island, &part, &local));
  return part->ops->set_hooks(part->self, local, hooks);
}

static prism_status_t joint_counters(void *self, int32_t island, prism_counter_t which,
                                     uint32_t *values) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  PRISM_TRY(find_part(self, island, &part, &local));
  return part->ops->export_counters(part->self, local, which, values);
}

static prism_status_t no_pool(const prism_engine_t *part, int32_t island) {
  PRISM_FAIL(PRISM_UNSUPPORTED, "island %d of the %s engine has nothing for other ranks", island,
             part->ops->name);
}

static prism_status_t joint_outbox(void *self, int32_t island, int32_t rows, prism_space_t space,
                                   prism_buffer_t *out) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  PRISM_TRY(find_part(self, island, &part, &local));
  if (part->ops->outbox == NULL) return no_pool(part, local);
  return part->ops->outbox(part->self, local, rows, space, out);
}

static prism_status_t joint_inbox(void *self, int32_t island, int32_t rows, prism_space_t space,
                                  prism_buffer_t *in) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  PRISM_TRY(find_part(self, island, &part, &local));
  if (part->ops->inbox == NULL) return no_pool(part, local);
  return part->ops->inbox(part->self, local, rows, space, in);
}

static prism_status_t joint_receive(void *self, int32_t island, const prism_buffer_t *in,
                                    int32_t own, int32_t own_rows, int32_t *visitors) {
  prism_engine_t *part = NULL;
  int32_t local = 0;
  PRISM_TRY(find_part(self, island, &part, &local));
  if (part->ops->receive == NULL) return no_pool(part, local);
  return part->ops->receive(part->self, local, in, own, own_rows, visitors);
}

static bool joint_ladder(void *self, int32_t island, prism_ladder_view_t *out) {
  int32_t local = 0;
  const prism_engine_t *part = part_of(self, island, &local);
  return part != NULL && part->ops->ladder != NULL && part->ops->ladder(part->self, local, out);
}

/* Of the first part that has a GPU: a rank drives at most one. */
static bool joint_gpu_stats(void *self, prism_gpu_stats_t *out) {
  joint_t *joint = self;
  for (int32_t p = 0; p < joint->parts; ++p) {
    const prism_engine_t *part = &joint->part[p];
    if (part->ops->gpu_stats != NULL && part->ops->gpu_stats(part->self, out)) return true;
  }
  return false;
}

static bool joint_gpu_profile(void *self, prism_gpu_profile_t *out) {
  joint_t *joint = self;
  for (int32_t p = 0; p < joint->parts; ++p) {
    const prism_engine_t *part = &joint->part[p];
    if (part->ops->gpu_profile != NULL && part->ops->gpu_profile(part->self, out)) return true;
  }
  return false;
}

static void joint_destroy(void *self) {
  joint_t *joint = self;
  /* All are told to end before the first is waited for. */
  for (int32_t p = 0; joint->part != NULL && p < joint->parts; ++p)
    for (int32_t i = 0; joint->part[p].ops != NULL && i < joint->part[p].islands; ++i)
      joint->part[p].ops->stop(joint->part[p].self, i);
  for (int32_t p = 0; joint->part != NULL && p < joint->parts; ++p)
    prism_engine_destroy(&joint->part[p]);
  prism_bell_destroy(&joint->own_bell);
  prism_free(joint->part);
  prism_free(joint->first);
  prism_free(joint->detail);
  prism_free(joint);
}

static prism_status_t make_parts(joint_t *joint, const prism_engine_part_t *part,
                                 const prism_engine_config_t *config) {
  PRISM_TRY(PRISM_ALLOC_ZERO(joint->parts, &joint->part));
  PRISM_TRY(PRISM_ALLOC_ZERO(joint->parts + 1, &joint->first));
  if (config->bell == NULL) PRISM_TRY(prism_bell_create(&joint->own_bell));
  joint->bell = config->bell != NULL ? config->bell : joint->own_bell;
  prism_text_t detail = {0};
  prism_status_t status = PRISM_OK;
  for (int32_t p = 0; p < joint->parts && status == PRISM_OK; ++p) {
    prism_engine_t *engine = &joint->part[p];
    prism_engine_config_t own = *config;
    own.islands = part[p].islands;
    own.first_island += joint->first[p];
    own.bell = joint->bell;
    status = part[p].backend.create(&own, part[p].backend.context, engine);
    if (status != PRISM_OK) break;
    joint->first[p + 1] = joint->first[p] + engine->islands;
    status = prism_text_add(&detail, "%s%s (%s)", p == 0 ? "" : " + ", engine->ops->name,
                            engine->ops->detail);
  }
  joint->detail = detail.data;
  return status;
}

prism_status_t prism_joint_create(const prism_engine_part_t *part, int32_t parts,
                                  const prism_engine_config_t *config, prism_engine_t *out) {
  if (parts < 1) PRISM_FAIL(PRISM_INVALID, "an engine needs at least one part");
  if (parts == 1) {
    prism_engine_config_t own = *config;
    own.islands = part->islands;
    PRISM_TRY(part->backend.create(&own, part->backend.context, out));
    return PRISM_OK;
  }
  joint_t *joint = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &joint));
  joint->parts = parts;
  prism_status_t status = make_parts(joint, part, config);
  if (status != PRISM_OK) {
    joint_destroy(joint);
    prism_error_frame(__FILE__, __LINE__, __func__);
    return status;
  }
  joint->ops = (prism_engine_ops_t){
      .name = "joint",                .detail = joint->detail,
      .describe = joint_describe,     .submit = joint_submit,
      .poll = joint_poll,             .wait_any = joint_wait_any,
      .stop = joint_stop,             .export_colors = joint_export,
      .import_colors = joint_import,  .set_hooks = joint_hooks,
      .save = joint_save,             .restore = joint_restore,
      .export_counters = joint_counters,
      .outbox = joint_outbox,         .inbox = joint_inbox,
      .receive = joint_receive,       .gpu_stats = joint_gpu_stats,
      .gpu_profile = joint_gpu_profile, .ladder = joint_ladder,
      .destroy = joint_destroy,
  };
  *out = (prism_engine_t){.ops = &joint->ops, .self = joint, .islands = joint->first[parts]};
  return PRISM_OK;
}
