/* The asynchronous driver: islands work on their own, ranks tell each other what
 * they find by messages and never wait for one another until the end. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "solve/messages.h"
#include "solve/persist.h"
#include "solve/run.h"

static prism_status_t post_parcel(prism_run_t *run, int32_t to, int32_t tag,
                                  const prism_parcel_t *parcel, const int32_t *color) {
  prism_wire_pack(parcel, color, run->n, run->width, run->packed);
  return run->comm->ops->post(run->comm->self, to, tag, run->packed,
                              prism_wire_bytes(run->n, run->width));
}

/* Tell everybody to stop. */
static prism_status_t stop_all(prism_run_t *run, prism_exit_t reason) {
  if (run->stopping) return PRISM_OK;
  run->stopping = true;
  run->stopped = prism_clock_now();
  run->reason = reason;
  int32_t word = (int32_t)reason;
  for (int32_t r = 0; r < run->comm->size; ++r)
    if (r != run->comm->rank)
      PRISM_TRY(run->comm->ops->post(run->comm->self, r, PRISM_TAG_STOP, &word, sizeof word));
  return PRISM_OK;
}

/* A legal colouring of this rank: everybody hears of it at once. */
static prism_status_t announce(prism_run_t *run, const prism_parcel_t *parcel) {
  for (int32_t r = 0; r < run->comm->size; ++r)
    if (r != run->comm->rank)
      PRISM_TRY(post_parcel(run, r, PRISM_TAG_SOLUTION, parcel, run->color));
  return prism_run_accept(run, run->color, parcel, run->comm->rank);
}

/* ---- migration: a ring over all islands ---- */

/* Send an elite of idle island i to the next island of the ring. */
static prism_status_t emigrate(prism_run_t *run, int32_t i) {
  if (!run->config->params->islands.migration || run->all_islands < 2) return PRISM_OK;
  prism_run_island_t *island = &run->island[i];
  double now = prism_run_elapsed(run);
  if (now - island->exported < run->config->params->islands.migration_interval) return PRISM_OK;
  island->exported = now;
  prism_parcel_t parcel;
  PRISM_TRY(prism_run_emigrant(run, i, &parcel));
  if (i + 1 < run->islands) {
    prism_run_hand_over(run, i + 1, &parcel, run->comm->rank);
    return PRISM_OK;
  }
  int32_t next = (run->comm->rank + 1) % run->comm->size;
  if (next == run->comm->rank) {
    prism_run_hand_over(run, 0, &parcel, run->comm->rank);
    return PRISM_OK;
  }
  return post_parcel(run, next, PRISM_TAG_MIGRANT, &parcel, run->color);
}

/* ---- messages ---- */

static prism_status_t receive(prism_run_t *run, const prism_message_t *message,
                              const void *data) {
  prism_parcel_t parcel;
  int32_t word = 0;
  switch (message->tag) {
    case PRISM_TAG_TELEMETRY:
      return prism_telemetry_receive(run->telemetry, message, data);
    case PRISM_TAG_SOLUTION:
      PRISM_TRY(prism_wire_unpack(data, message->bytes, run->n, run->width, &parcel, run->color));
      return prism_run_accept(run, run->color, &parcel, message->from);
    case PRISM_TAG_MIGRANT:
      PRISM_TRY(prism_wire_unpack(data, message->bytes, run->n, run->width, &parcel, run->color));
      prism_run_hand_over(run, 0, &parcel, message->from);
      return PRISM_OK;
    case PRISM_TAG_EXHAUSTED:
      ++run->exhausted_ranks;
      return PRISM_OK;
    case PRISM_TAG_STOP:
      if (message->bytes == sizeof word) memcpy(&word, data, sizeof word);
      if (!run->stopping) run->reason = (prism_exit_t)word;
      if (!run->stopping) run->stopped = prism_clock_now();
      run->stopping = true;
      return PRISM_OK;
    default:
      return prism_persist_receive(run, message, data);
  }
}

static prism_status_t receive_all(prism_run_t *run) {
  for (;;) {
    prism_message_t message;
    const void *data = NULL;
    PRISM_TRY(run->comm->ops->poll(run->comm->self, &message, &data));
    if (message.from < 0) break;
    PRISM_TRY(receive(run, &message, data));
  }
  PRISM_TRY(run->comm->ops->heartbeat(run->comm->self));
  return run->comm->ops->check_peers(run->comm->self);
}

/* ---- islands ---- */

static prism_status_t serve_island(prism_run_t *run, int32_t i) {
  prism_run_island_t *island = &run->island[i];
  if (island->ticket >= 0) {
    bool done = false, found = false;
    prism_summary_t summary;
    PRISM_TRY(run->engine.ops->poll(run->engine.self, island->ticket, 0.0, &done, &summary));
    if (!done) return PRISM_OK;
    PRISM_TRY(prism_run_finished(run, i, &summary, &found));
    if (found) {
      prism_parcel_t parcel;
      PRISM_TRY(prism_run_export(run, i, run->color, &parcel));
      PRISM_TRY(announce(run, &parcel));
    } else {
      prism_parcel_t parcel;
      PRISM_TRY(prism_run_complete(run, i, &parcel));
      if (parcel.f == 0) PRISM_TRY(announce(run, &parcel));
      PRISM_TRY(emigrate(run, i));
      prism_run_aim(run);
    }
  }
  if (run->stopping || run->best_k <= run->goal) return PRISM_OK;
  PRISM_TRY(prism_persist_idle(run, i));
  if (run->exhausted) return PRISM_OK;
  if (prism_run_iterations_left(run) <= 0) return PRISM_OK;
  if (island->id == run->pooling.island) {
    int32_t visitors = -1;
    PRISM_TRY(prism_pooling_idle(&run->pooling, &visitors));
    PRISM_TRY(prism_run_visited(run, visitors));
  }
  /* Short slices while things move, longer ones once a k proves hard. */
  double slice = island->portfolio.total * 0.05;
  double longest = 0.5;
  if (island->id == run->pooling.island && run->pooling.state != PRISM_POOLING_OFF)
    longest = 0.5 * run->pooling.interval; /* it meets others when it is idle */
  slice = slice < longest ? slice : longest;
  slice = slice > 0.02 ? slice : 0.02;
  return prism_run_submit(run, i, 0, slice);
}

static prism_status_t check_limits(prism_run_t *run) {
  const atomic_int *interrupt = run->config->interrupt;
  int64_t limit = run->config->params->run.max_iterations;
  if (interrupt != NULL && atomic_load(interrupt) != 0) return stop_all(run, PRISM_EXIT_SIGNAL);
  if (run->best_k <= run->goal) return stop_all(run, PRISM_EXIT_TARGET);
  if (prism_run_out_of_time(run)) return stop_all(run, PRISM_EXIT_TIME);
  bool stop = false;
  PRISM_TRY(prism_persist_look(run, &stop));
  if (stop) return stop_all(run, PRISM_EXIT_CHECKPOINT);
  if (limit > 0 && run->iterations >= limit && !run->exhausted) {
    run->exhausted = true;
    PRISM_TRY(run->comm->ops->post(run->comm->self, 0, PRISM_TAG_EXHAUSTED, NULL, 0));
  }
  if (run->comm->rank == 0 && run->exhausted_ranks == run->comm->size)
    return stop_all(run, PRISM_EXIT_ITERATIONS);
  return PRISM_OK;
}

/* End of the search on this rank: recall the islands, count what they did. */
static prism_status_t recall(prism_run_t *run) {
  for (int32_t i = 0; i < run->islands; ++i)
    run->engine.ops->stop(run->engine.self, run->island[i].id);
  for (int32_t i = 0; i < run->islands; ++i) {
    prism_run_island_t *island = &run->island[i];
    while (island->ticket >= 0) {
      bool done = false, found = false;
      prism_summary_t summary;
      PRISM_TRY(run->engine.ops->poll(run->engine.self, island->ticket, 0.1, &done, &summary));
      PRISM_TRY(run->comm->ops->heartbeat(run->comm->self));
      if (!done) continue;
      PRISM_TRY(prism_run_finished(run, i, &summary, &found));
      prism_parcel_t parcel = {.f = 1};
      if (found)
        PRISM_TRY(prism_run_export(run, i, run->color, &parcel));
      else
        PRISM_TRY(prism_run_complete(run, i, &parcel));
      if (parcel.f == 0)
        PRISM_TRY(prism_run_accept(run, run->color, &parcel, run->comm->rank));
    }
  }
  return PRISM_OK;
}

static prism_status_t drive(prism_run_t *run) {
  double wait = run->comm->size > 1 ? 0.005 : 0.05;
  PRISM_TRY(check_limits(run));
  while (!run->stopping) {
    for (int32_t i = 0; i < run->islands; ++i) PRISM_TRY(serve_island(run, i));
    PRISM_TRY(receive_all(run));
    PRISM_TRY(prism_pooling_look(&run->pooling));
    PRISM_TRY(prism_run_report(run, "interval", false));
    PRISM_TRY(check_limits(run));
    if (!run->stopping) PRISM_TRY(run->engine.ops->wait_any(run->engine.self, wait));
  }
  return recall(run);
}

prism_status_t prism_run_async(prism_run_t *run) {
  prism_status_t status = drive(run);
  if (status == PRISM_OK || status == PRISM_PEER || status == PRISM_TIMEOUT) return status;
  /* The others would search on until this rank's silence ends their patience. */
  char text[1024];
  snprintf(text, sizeof text, "%s", prism_error_text());
  run->stopping = false;
  stop_all(run, PRISM_EXIT_ERROR); /* the first error is the one to report */
  return prism_error_set(status, text);
}
