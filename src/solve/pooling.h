/* One population over the GPUs of all ranks: now and then every rank's pool sends some of its
 * members to all others, where mates are drawn from them too (seam/engine.h: outbox, inbox,
 * receive). Nobody waits: a rank votes when its rows lie ready, the exchange begins when all
 * have voted, and what arrives is received when the island is next idle.
 *
 * REST -> (island idle, interval over) -> VOTED -> (all have) -> MEETING -> ARRIVED ->
 * (island idle) -> REST. Belongs to the rank's main thread. */
#ifndef PRISM_SOLVE_POOLING_H
#define PRISM_SOLVE_POOLING_H

#include "seam/bulk.h"
#include "seam/engine.h"

typedef enum prism_pooling_state {
  PRISM_POOLING_OFF, /* also once a rank has left */
  PRISM_POOLING_REST,
  PRISM_POOLING_VOTED,
  PRISM_POOLING_MEETING,
  PRISM_POOLING_ARRIVED
} prism_pooling_state_t;

typedef struct prism_pooling {
  prism_comm_t *comm;          /* borrowed, as all below */
  prism_bulk_t *bulk;
  const prism_engine_t *engine;
  int32_t island;              /* of the engine */
  int32_t rows;                /* of a rank */
  double interval;             /* s between two exchanges */
  prism_pooling_state_t state;
  bool member;                 /* took part in the votes so far */
  double last;                 /* time of the last exchange */
  int64_t votes;               /* cast by this rank */
  prism_buffer_t out, in;      /* the engine's */
  int64_t exchanges, visitors; /* so far */
} prism_pooling_t;

typedef struct prism_pooling_setup {
  prism_comm_t *comm;
  prism_bulk_t *bulk;           /* NULL: no exchange */
  const prism_engine_t *engine;
  int32_t island;               /* -1: none of this rank */
  int32_t rows;
  double interval;
} prism_pooling_setup_t;

/* Collective. Pools meet only if there are two ranks or more and each has one. */
prism_status_t prism_pooling_begin(prism_pooling_t *pooling, const prism_pooling_setup_t *setup);

/* The island is idle: receive what has arrived, show what is due. [out] visitors that came;
 * -1: nothing was received */
prism_status_t prism_pooling_idle(prism_pooling_t *pooling, int32_t *visitors);

/* Any time: see who has voted, begin the exchange, see whether it has ended. Cheap. */
prism_status_t prism_pooling_look(prism_pooling_t *pooling);

/* Collective, all islands idle: a whole exchange at once. [out] visitors; -1: off */
prism_status_t prism_pooling_meet(prism_pooling_t *pooling, int32_t *visitors);

/* Collective, all islands idle: end what any rank has begun, no exchanges from now on. */
prism_status_t prism_pooling_end(prism_pooling_t *pooling);

/* Collective. [out] meetings; bytes sent by all ranks; seconds of the rank with most */
prism_status_t prism_pooling_result(const prism_pooling_t *pooling, int64_t *exchanges,
                                    int64_t *bytes, double *seconds);

#endif
