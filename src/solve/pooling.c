#include "solve/pooling.h"

#include "base/clock.h"

prism_status_t prism_pooling_begin(prism_pooling_t *pooling, const prism_pooling_setup_t *setup) {
  prism_comm_t *comm = setup->comm;
  int64_t able = setup->bulk != NULL && setup->bulk->ops != NULL && setup->island >= 0;
  *pooling = (prism_pooling_t){.comm = comm, .bulk = setup->bulk, .engine = setup->engine,
                               .island = setup->island, .rows = setup->rows,
                               .interval = setup->interval, .state = PRISM_POOLING_OFF};
  PRISM_TRY(comm->ops->allreduce_i64(comm->self, &able, &able, 1, PRISM_REDUCE_MIN));
  if (able == 0 || comm->size < 2) return PRISM_OK;
  pooling->state = PRISM_POOLING_REST;
  pooling->member = true;
  pooling->last = prism_clock_now();
  return PRISM_OK;
}

/* Lay rows ready, and room for those of all. */
static prism_status_t show(prism_pooling_t *p) {
  const prism_engine_t *engine = p->engine;
  const prism_space_t space = p->bulk->ops->space;
  PRISM_TRY(engine->ops->outbox(engine->self, p->island, p->rows, space, &p->out));
  return engine->ops->inbox(engine->self, p->island, p->rows * p->comm->size, space, &p->in);
}

static prism_status_t gather(prism_pooling_t *p) {
  PRISM_TRY(p->bulk->ops->gather(p->bulk->self, &p->out, &p->in));
  p->state = PRISM_POOLING_MEETING;
  return PRISM_OK;
}

static prism_status_t take(prism_pooling_t *p, int32_t *visitors) {
  const prism_engine_t *engine = p->engine;
  PRISM_TRY(engine->ops->receive(engine->self, p->island, &p->in, p->rows * p->comm->rank,
                                 p->rows, visitors));
  ++p->exchanges;
  p->visitors += *visitors;
  p->last = prism_clock_now();
  p->state = PRISM_POOLING_REST;
  return PRISM_OK;
}

static prism_status_t cast(prism_pooling_t *p, int64_t vote) {
  PRISM_TRY(p->comm->ops->cast(p->comm->self, vote));
  ++p->votes;
  p->state = PRISM_POOLING_VOTED;
  return PRISM_OK;
}

prism_status_t prism_pooling_idle(prism_pooling_t *p, int32_t *visitors) {
  *visitors = -1;
  if (p->state == PRISM_POOLING_ARRIVED) PRISM_TRY(take(p, visitors));
  if (p->state != PRISM_POOLING_REST || prism_clock_now() - p->last < p->interval)
    return PRISM_OK;
  bool ready = false; /* what carries them may still be starting */
  PRISM_TRY(p->bulk->ops->poll(p->bulk->self, &ready));
  if (!ready) return PRISM_OK;
  PRISM_TRY(show(p));
  return cast(p, 1);
}

prism_status_t prism_pooling_look(prism_pooling_t *p) {
  bool done = false;
  int64_t least = 0;
  if (p->state == PRISM_POOLING_VOTED) {
    PRISM_TRY(p->comm->ops->counted(p->comm->self, &done, &least));
    if (!done) return PRISM_OK;
    if (least == 0) { /* somebody has left */
      p->state = PRISM_POOLING_OFF;
      return PRISM_OK;
    }
    PRISM_TRY(gather(p));
  }
  if (p->state != PRISM_POOLING_MEETING) return PRISM_OK;
  PRISM_TRY(p->bulk->ops->poll(p->bulk->self, &done));
  if (done) p->state = PRISM_POOLING_ARRIVED;
  return PRISM_OK;
}

/* One rank's GPU may fail where the others go on: they would wait for it in vain. A wait that
 * failed leaves no way to agree. */
static prism_status_t agree(const prism_pooling_t *p, prism_status_t mine) {
  if (mine == PRISM_PEER || mine == PRISM_TIMEOUT) return mine;
  return p->comm->ops->agree(p->comm->self, mine);
}

/* Until the state is another one. All ranks are here, so it will not be long. */
static prism_status_t wait_while(prism_pooling_t *p, prism_pooling_state_t state) {
  while (p->state == state) {
    PRISM_TRY(prism_pooling_look(p));
    PRISM_TRY(p->comm->ops->heartbeat(p->comm->self));
    PRISM_TRY(p->comm->ops->check_peers(p->comm->self));
    if (p->state == state) prism_clock_sleep(20e-6);
  }
  return PRISM_OK;
}

/* What carries them may still be starting. */
static prism_status_t await_bulk(prism_pooling_t *p) {
  for (bool ready = false; !ready;) {
    PRISM_TRY(p->bulk->ops->poll(p->bulk->self, &ready));
    PRISM_TRY(p->comm->ops->heartbeat(p->comm->self));
    PRISM_TRY(p->comm->ops->check_peers(p->comm->self));
    if (!ready) prism_clock_sleep(1e-3);
  }
  return PRISM_OK;
}

prism_status_t prism_pooling_meet(prism_pooling_t *p, int32_t *visitors) {
  *visitors = -1;
  if (p->state == PRISM_POOLING_OFF) return PRISM_OK;
  PRISM_TRY(agree(p, await_bulk(p)));
  PRISM_TRY(agree(p, show(p)));
  prism_status_t status = gather(p);
  if (status == PRISM_OK) status = wait_while(p, PRISM_POOLING_MEETING);
  if (status == PRISM_OK) status = take(p, visitors);
  return agree(p, status);
}

prism_status_t prism_pooling_end(prism_pooling_t *p) {
  if (!p->member) return PRISM_OK;
  p->member = false;
  enum { MOST, LEAST, VOTES };
  int64_t votes[VOTES] = {p->votes, -p->votes};
  /* First of all: a meeting may need a rank that has not seen all votes, and comes here. */
  PRISM_TRY(p->comm->ops->allreduce_i64(p->comm->self, votes, votes, VOTES, PRISM_REDUCE_MAX));
  const int64_t most = votes[MOST], least = -votes[LEAST];
  prism_status_t status = PRISM_OK;
  if (p->votes == least) { /* all have cast this one: what it began comes to its end */
    status = wait_while(p, PRISM_POOLING_VOTED);
    if (status == PRISM_OK) status = wait_while(p, PRISM_POOLING_MEETING);
  }
  PRISM_TRY(agree(p, status));
  /* A rank that is one vote behind never laid its rows ready: nobody can have begun. */
  if (p->votes < most) PRISM_TRY(cast(p, 0));
  PRISM_TRY(wait_while(p, PRISM_POOLING_VOTED));
  p->state = PRISM_POOLING_OFF;
  return PRISM_OK;
}

prism_status_t prism_pooling_result(const prism_pooling_t *p, int64_t *exchanges, int64_t *bytes,
                                    double *seconds) {
  const prism_comm_t *comm = p->comm;
  uint64_t sent = 0;
  int64_t operations = 0;
  *seconds = 0.0;
  if (p->bulk != NULL && p->bulk->ops != NULL)
    p->bulk->ops->usage(p->bulk->self, &sent, seconds, &operations);
  *bytes = (int64_t)sent;
  *exchanges = p->exchanges;
  PRISM_TRY(comm->ops->allreduce_i64(comm->self, exchanges, exchanges, 1, PRISM_REDUCE_MAX));
  PRISM_TRY(comm->ops->allreduce_i64(comm->self, bytes, bytes, 1, PRISM_REDUCE_SUM));
  return comm->ops->allreduce_f64(comm->self, seconds, seconds, 1, PRISM_REDUCE_MAX);
}
