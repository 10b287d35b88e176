/* The replicas of a ladder as bytes and rows (search/tempering.h). */

#include "base/mem.h"
#include "search/tempering.h"

void prism_tempering_save(const prism_tempering_t *t, prism_rows_t *rows, prism_pack_t *pack) {
  size_t n = (size_t)t->n, pairs = (size_t)(t->replicas - 1);
  prism_ladder_pack(&t->ladder, pack);
  prism_pack_u64(pack, t->base);
  prism_pack_u64(pack, t->round);
  prism_pack_i32(pack, t->replica);
  prism_pack_i32(pack, t->sweep);
  prism_pack_i32(pack, t->vertex);
  prism_pack_f64(pack, t->swap_rate);
  for (size_t i = 0; i < pairs; ++i) {
    prism_pack_u32(pack, t->attempts[i]);
    prism_pack_u32(pack, t->accepted[i]);
  }
  prism_pack_small(pack, t->replica_at, (size_t)t->replicas, t->replicas);
  for (size_t r = 0; r < (size_t)t->replicas; ++r)
    prism_rows_put(rows, pack, PRISM_METHOD_TEMPERING, t->color + r * n, t->f[r]);
  prism_rows_put(rows, pack, PRISM_METHOD_TEMPERING, t->best_color, t->best_f);
}

/* Which replica stands on which level: each on one. */
static void read_levels(prism_tempering_t *t, prism_unpack_t *unpack) {
  prism_unpack_small(unpack, t->replica_at, (size_t)t->replicas, t->replicas);
  for (int32_t r = 0; r < t->replicas; ++r) t->level_of[r] = -1;
  for (int32_t i = 0; i < t->replicas; ++i) {
    int32_t *level = &t->level_of[t->replica_at[i]];
    if (*level >= 0) unpack->bad = true;
    *level = i;
  }
  if (!unpack->bad) return;
  for (int32_t r = 0; r < t->replicas; ++r) t->level_of[r] = t->replica_at[r] = r;
}

prism_status_t prism_tempering_restore(const prism_tempering_setup_t *setup, const int32_t *color,
                                       const prism_row_source_t *source,
                                       prism_tempering_t **out) {
  prism_unpack_t *unpack = source->unpack;
  prism_ladder_t ladder;
  /* A level has a row of four bytes at least; the ladder has two or three numbers for it. */
  size_t left = (unpack->size - unpack->at) / 4;
  int32_t most = left < PRISM_LADDER_MOST ? (int32_t)left + 1 : PRISM_LADDER_MOST;
  PRISM_TRY(prism_ladder_unpack(unpack, most, &ladder));
  prism_tempering_setup_t own = *setup;
  own.base = prism_unpack_u64(unpack);
  own.resumed = &ladder;
  prism_tempering_t *t = NULL;
  prism_status_t status = prism_tempering_create(&own, color, &t);
  prism_ladder_release(&ladder);
  PRISM_TRY(status);
  size_t n = (size_t)t->n, pairs = (size_t)(t->replicas - 1);
  t->round = prism_unpack_u64(unpack);
  t->replica = prism_unpack_i32(unpack, 0, t->replicas - 1);
  t->sweep = prism_unpack_i32(unpack, 0, t->ladder.sweeps - 1);
  t->vertex = prism_unpack_i32(unpack, 0, t->n - 1);
  t->swap_rate = prism_unpack_f64(unpack, 0.0, 1.0);
  for (size_t i = 0; i < pairs; ++i) {
    t->attempts[i] = prism_unpack_u32(unpack);
    t->accepted[i] = prism_unpack_u32(unpack);
  }
  read_levels(t, unpack);
  int64_t f = 0; /* is counted again */
  for (size_t r = 0; r < (size_t)t->replicas; ++r)
    prism_rows_need(source, PRISM_METHOD_TEMPERING, t->color + r * n, &f);
  prism_rows_need(source, PRISM_METHOD_TEMPERING, t->best_color, &f);
  prism_tempering_recount(t);
  *out = t;
  return PRISM_OK;
}
