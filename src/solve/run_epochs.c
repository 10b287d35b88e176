/* The deterministic driver: epochs of a fixed number of generations, after which
 * all ranks agree on what happened. Everything is counted in iterations; generations
 * are each island's own, so that a GPU and the cores beside it keep step although their
 * generations take different times, and nothing depends on who is first. Of several
 * successes in one epoch the one with the fewest colours on the lowest rank and
 * island counts, and a new k begins with the next epoch. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/coloring.h"
#include "solve/complete.h"
#include "solve/messages.h"
#include "solve/persist.h"
#include "solve/run.h"

/* An epoch that would end just after the time limit or a signal may do so, where that keeps a
 * run repeatable that is resumed: a signal leaves a second to live. */
static const double grace = 0.3;

/* How an epoch ended, or a run. */
typedef struct ending {
  bool over; /* no time is left, or a signal came */
  bool cut;  /* not all work came to its own end: no longer repeatable, and marked so */
} ending_t;

static bool is_interrupted(const prism_run_t *run) {
  const atomic_int *interrupt = run->config->interrupt;
  return interrupt != NULL && atomic_load(interrupt) != 0;
}

/* Messages of other ranks, and checkpoints that are being written. */
static prism_status_t serve(prism_run_t *run) {
  for (;;) {
    prism_message_t message;
    const void *data = NULL;
    PRISM_TRY(run->comm->ops->poll(run->comm->self, &message, &data));
    if (message.from < 0) break;
    if (message.tag == PRISM_TAG_TELEMETRY)
      PRISM_TRY(prism_telemetry_receive(run->telemetry, &message, data));
    else
      PRISM_TRY(prism_persist_receive(run, &message, data));
  }
  bool unused = false;
  return prism_persist_look(run, &unused);
}

/* Has the time come to end, or to cut off what runs? */
static void look_at_end(prism_run_t *run, ending_t *ending) {
  if (!ending->over && (prism_run_out_of_time(run) || is_interrupted(run))) {
    ending->over = true;
    run->stopped = prism_clock_now();
  }
  double wait = run->persist != NULL ? grace : 0.0;
  if (!ending->over || ending->cut || prism_clock_now() < run->stopped + wait) return;
  ending->cut = true;
  for (int32_t j = 0; j < run->islands; ++j)
    run->engine.ops->stop(run->engine.self, run->island[j].id);
}

/* Give every island its work and wait for all of them. */
static prism_status_t run_epoch(prism_run_t *run, ending_t *ending) {
  int64_t generations = run->config->params->islands.epoch_generations;
  int64_t before = run->iterations;
  for (int32_t i = 0; i < run->islands; ++i)
    PRISM_TRY(prism_run_submit(run, i, generations, 0.0));
  for (int32_t i = 0; i < run->islands; ++i) {
    prism_run_island_t *island = &run->island[i];
    while (island->ticket >= 0) {
      bool done = false, found = false;
      prism_summary_t summary;
      PRISM_TRY(run->engine.ops->poll(run->engine.self, island->ticket, 0.1, &done, &summary));
      PRISM_TRY(run->comm->ops->heartbeat(run->comm->self));
      if (done) PRISM_TRY(prism_run_finished(run, i, &summary, &found));
      if (!done) look_at_end(run, ending);
      PRISM_TRY(serve(run));
      PRISM_TRY(prism_run_report(run, "interval", false));
    }
    if (island->cut) ending->cut = true;
  }
  if (run->iterations - before > run->epoch_iterations)
    run->epoch_iterations = run->iterations - before;
  ++run->epoch;
  return PRISM_OK;
}

/* The best legal colouring of this rank's islands in run->color; the lowest island
 * wins a tie. [out] colors: run->best_k when there is no better one; [out] method that
 * found it. */
static prism_status_t local_winner(prism_run_t *run, int32_t *colors, prism_method_t *method) {
  int32_t *candidate = NULL;
  PRISM_TRY(PRISM_ALLOC(run->n, &candidate));
  *colors = run->best_k;
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < run->islands && status == PRISM_OK; ++i) {
    int32_t used = 0;
    prism_parcel_t parcel;
    status = prism_run_export(run, i, candidate, &parcel);
    if (status == PRISM_OK && parcel.f > 0 && parcel.k + 1 < *colors) {
      status = prism_complete(run->shared->graph, *colors, candidate, &parcel.k);
      if (parcel.k < *colors) parcel.f = 0;
    }
    if (status != PRISM_OK || parcel.f > 0) continue;
    status = prism_coloring_compact(candidate, run->n, &used);
    if (status != PRISM_OK || used >= *colors) continue;
    memcpy(run->color, candidate, (size_t)run->n * sizeof *candidate);
    *colors = used;
    *method = (prism_method_t)parcel.method;
  }
  prism_free(candidate);
  return status;
}

static prism_status_t agree_on_winner(prism_run_t *run) {
  int32_t colors = 0, winner = 0;
  prism_method_t method = PRISM_METHOD_TABUCOL;
  int64_t least = 0;
  prism_comm_t *comm = run->comm;
  PRISM_TRY(comm->ops->agree(comm->self, local_winner(run, &colors, &method)));
  PRISM_TRY(comm->ops->argmin_i64(comm->self, colors, &least, &winner));
  if (least >= run->best_k) return PRISM_OK;
  prism_parcel_t parcel = {.k = (int32_t)least, .method = (int32_t)method,
                           .iterations = run->iterations};
  if (winner == comm->rank)
    prism_wire_pack(&parcel, run->color, run->n, run->width, run->packed);
  size_t bytes = prism_wire_bytes(run->n, run->width);
  PRISM_TRY(comm->ops->bcast(comm->self, run->packed, bytes, winner));
  PRISM_TRY(prism_wire_unpack(run->packed, bytes, run->n, run->width, &parcel, run->color));
  /* Rank 0 writes it, and the disk may be full. */
  return comm->ops->agree(comm->self, prism_run_accept(run, run->color, &parcel, winner));
}

/* Elites go to the next island of this rank; that of the last one is packed for the next rank. */
static prism_status_t emigrate(prism_run_t *run) {
  for (int32_t i = 0; i < run->islands; ++i) {
    prism_parcel_t parcel;
    PRISM_TRY(prism_run_emigrant(run, i, &parcel));
    if (i + 1 < run->islands)
      prism_run_hand_over(run, i + 1, &parcel, run->comm->rank);
    else
      prism_wire_pack(&parcel, run->color, run->n, run->width, run->packed);
  }
  return PRISM_OK;
}

/* Every island's elite goes to the next island of the ring over all ranks. */
static prism_status_t migrate(prism_run_t *run) {
  if (!run->config->params->islands.migration || run->all_islands < 2) return PRISM_OK;
  prism_comm_t *comm = run->comm;
  size_t bytes = prism_wire_bytes(run->n, run->width);
  int32_t next = (comm->rank + 1) % comm->size;
  int32_t previous = (comm->rank + comm->size - 1) % comm->size;
  unsigned char *arrived = NULL;
  prism_status_t status = PRISM_ALLOC(bytes, &arrived);
  if (status == PRISM_OK) status = emigrate(run);
  status = comm->ops->agree(comm->self, status);
  prism_buffer_t send = {.data = run->packed, .element_bytes = 1, .count = bytes};
  prism_buffer_t receive = {.data = arrived, .element_bytes = 1, .count = bytes};
  prism_parcel_t parcel;
  if (status == PRISM_OK)
    status = comm->ops->exchange(comm->self, &send, next, &receive, previous);
  if (status == PRISM_OK)
    status = prism_wire_unpack(arrived, bytes, run->n, run->width, &parcel, run->color);
  prism_free(arrived);
  PRISM_TRY(status);
  prism_run_hand_over(run, 0, &parcel, previous);
  return PRISM_OK;
}

/* The way through an epoch that all take together. */
static prism_status_t take_epoch(prism_run_t *run, ending_t *ending) {
  prism_comm_t *comm = run->comm;
  PRISM_TRY(comm->ops->agree(comm->self, run_epoch(run, ending)));
  PRISM_TRY(agree_on_winner(run));
  PRISM_TRY(serve(run));
  prism_run_aim(run);
  return PRISM_OK;
}

/* Is the run to end here? [out] end, and run->reason then; run->cut */
static prism_status_t agree_on_end(prism_run_t *run, const ending_t *ending, bool *end) {
  enum { OVER, SIGNAL, SPENT, CUT, FLAGS };
  int64_t limit = run->config->params->run.max_iterations;
  int64_t flag[FLAGS] = {ending->over, is_interrupted(run), limit > 0 && run->iterations >= limit,
                         run->cut || ending->cut};
  PRISM_TRY(run->comm->ops->allreduce_i64(run->comm->self, flag, flag, FLAGS, PRISM_REDUCE_MAX));
  run->cut = flag[CUT] != 0;
  *end = flag[OVER] != 0 || flag[SPENT] != 0;
  run->reason = flag[OVER] != 0 && flag[SIGNAL] != 0 ? PRISM_EXIT_SIGNAL
                : flag[OVER] != 0                    ? PRISM_EXIT_TIME
                                                     : PRISM_EXIT_ITERATIONS;
  return PRISM_OK;
}

/* A resumed run begins where it was saved: at the end of an epoch, before anything migrates. */
prism_status_t prism_run_epochs(prism_run_t *run) {
  while (run->best_k > run->goal) {
    const bool anew = run->resumed;
    const double begin = prism_clock_now();
    ending_t ending = {false, false};
    bool end = false;
    run->resumed = false;
    if (!anew) PRISM_TRY(take_epoch(run, &ending));
    if (!ending.over) look_at_end(run, &ending);
    PRISM_TRY(agree_on_end(run, &ending, &end));
    if (run->best_k <= run->goal) break;
    if (end) return PRISM_OK;
    if (!run->cut)
      PRISM_TRY(prism_persist_boundary(run, prism_clock_now() - begin, anew, &end));
    if (end) {
      run->reason = PRISM_EXIT_CHECKPOINT;
      return PRISM_OK;
    }
    PRISM_TRY(migrate(run));
    int32_t visitors = -1;
    PRISM_TRY(prism_pooling_meet(&run->pooling, &visitors));
    PRISM_TRY(prism_run_visited(run, visitors));
  }
  run->reason = PRISM_EXIT_TARGET;
  return PRISM_OK;
}
