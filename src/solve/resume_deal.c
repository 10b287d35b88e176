#include "solve/resume_deal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "solve/messages.h"
#include "solve/run_state.h"

enum { WINDOW = 4, MOST_ROWS = 100000, ERROR_BYTES = 512 };

/* Bytes of the rows that one island is offered, in memory. */
static const size_t most_bytes = (size_t)512 << 20;

/* A wait that failed leaves no way to agree. */
static bool lost(prism_status_t status) {
  return status == PRISM_PEER || status == PRISM_TIMEOUT;
}

/* ---- messages ---- */

/* The next message of this exchange; those of telemetry are seen to. [out] message, data */
static prism_status_t await(prism_run_t *run, prism_message_t *message, const void **data) {
  prism_comm_t *comm = run->comm;
  for (;;) {
    PRISM_TRY(comm->ops->poll(comm->self, message, data));
    if (message->from >= 0 && message->tag == PRISM_TAG_RESUME) return PRISM_OK;
    if (message->from >= 0 && message->tag == PRISM_TAG_TELEMETRY) {
      PRISM_TRY(prism_telemetry_receive(run->telemetry, message, *data));
      continue;
    }
    if (message->from >= 0)
      PRISM_FAIL(PRISM_PEER, "rank %d sent an unknown message (tag %d)", message->from,
                 message->tag);
    PRISM_TRY(comm->ops->heartbeat(comm->self));
    PRISM_TRY(comm->ops->check_peers(comm->self));
    prism_clock_sleep(50e-6);
  }
}

static prism_status_t post(prism_run_t *run, int32_t to, const void *data, size_t bytes) {
  return run->comm->ops->post(run->comm->self, to, PRISM_TAG_RESUME, data, bytes);
}

/* ---- who is there ---- */

static prism_status_t tell_islands(prism_run_t *run) {
  int32_t *id = NULL;
  PRISM_TRY(PRISM_ALLOC(run->islands, &id));
  for (int32_t i = 0; i < run->islands; ++i) id[i] = run->first_island + run->island[i].id;
  prism_status_t status = post(run, 0, id, (size_t)run->islands * sizeof *id);
  prism_free(id);
  return status;
}

static int compare_ids(const void *a, const void *b) {
  const prism_deal_island_t *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

static prism_status_t hear_islands(prism_run_t *run, prism_deal_t *deal) {
  for (int32_t r = 0; r < run->comm->size; ++r) {
    prism_message_t message;
    const void *data = NULL;
    PRISM_TRY(await(run, &message, &data));
    int32_t more = (int32_t)(message.bytes / sizeof(int32_t)), have = deal->islands;
    PRISM_TRY(PRISM_GROW(&deal->island, have, have + more));
    for (int32_t i = 0; i < more; ++i) {
      memcpy(&deal->island[have + i].id, (const char *)data + (size_t)i * sizeof(int32_t),
             sizeof(int32_t));
      deal->island[have + i].rank = message.from;
    }
    deal->islands += more;
  }
  qsort(deal->island, (size_t)deal->islands, sizeof *deal->island, compare_ids);
  return PRISM_OK;
}

/* Which islands of the file have rows, and are they those that are here? */
static prism_status_t look_at_file(const prism_run_t *run, prism_deal_t *deal) {
  const prism_checkpoint_head_t *head = prism_checkpoint_head(deal->reader);
  int32_t count = prism_checkpoint_islands(deal->reader);
  PRISM_TRY(PRISM_ALLOC(count, &deal->source));
  deal->same = head->ranks == run->comm->size && count == deal->islands;
  for (int32_t i = 0; i < count; ++i) {
    const prism_checkpoint_island_t *island = prism_checkpoint_island_at(deal->reader, i);
    const prism_deal_island_t *here = deal->same ? &deal->island[i] : NULL;
    deal->same = here != NULL && island->id == here->id && island->rank == here->rank;
    if (island->rows > 0) deal->source[deal->sources++] = i;
  }
  return PRISM_OK;
}

prism_status_t prism_deal_begin(prism_run_t *run, prism_checkpoint_reader_t *reader,
                                prism_deal_t *deal) {
  prism_comm_t *comm = run->comm;
  *deal = (prism_deal_t){.reader = reader};
  PRISM_TRY(comm->ops->agree(comm->self, tell_islands(run)));
  prism_status_t status = PRISM_OK;
  if (comm->rank == 0) {
    status = hear_islands(run, deal);
    if (status == PRISM_OK) status = look_at_file(run, deal);
  }
  if (!lost(status)) status = comm->ops->agree(comm->self, status);
  if (status != PRISM_OK) prism_deal_release(deal);
  return status;
}

void prism_deal_release(prism_deal_t *deal) {
  prism_free(deal->island);
  prism_free(deal->source);
  memset(deal, 0, sizeof *deal);
}

/* ---- taking: every rank ---- */

typedef struct taker {
  prism_run_t *run;
  bool same;
  size_t width;
  prism_checkpoint_island_t head; /* of `state` */
  prism_island_state_t state;     /* becoming complete; owned */
  bool open;
  int32_t rows;
  size_t bytes;
  int32_t exact;     /* islands that are as they were */
  bool done;
  prism_status_t status; /* the first failure; what follows is taken and dropped */
  char text[ERROR_BYTES];
} taker_t;

/* The state is complete: it is the island's now. */
static prism_status_t restore(taker_t *taker) {
  prism_run_t *run = taker->run;
  const prism_engine_ops_t *ops = run->engine.ops;
  prism_run_island_t *island = NULL;
  bool exact = false;
  for (int32_t i = 0; i < run->islands; ++i)
    if (run->first_island + run->island[i].id == taker->head.id) island = &run->island[i];
  if (island == NULL) PRISM_FAIL(PRISM_INTERNAL, "island %d is not here", taker->head.id);
  prism_status_t status = PRISM_UNSUPPORTED;
  if (ops->restore != NULL)
    status = ops->restore(run->engine.self, island->id, &taker->state, &exact);
  if (status == PRISM_UNSUPPORTED) return PRISM_OK; /* it begins with the best coloring */
  PRISM_TRY(status);
  if (exact) ++taker->exact;
  if (exact || taker->state.rows > 0) {
    island->k = taker->state.k;
    island->seeded_k = run->best_k; /* it has its start */
  }
  return PRISM_OK;
}

static prism_status_t close_island(taker_t *taker) {
  if (!taker->open || taker->rows < taker->state.rows || taker->bytes < taker->state.size)
    return PRISM_OK;
  taker->open = false;
  prism_status_t status = restore(taker);
  prism_island_state_release(&taker->state);
  return status;
}

static prism_status_t open_island(taker_t *taker, const prism_checkpoint_island_t *head) {
  if (taker->open) PRISM_FAIL(PRISM_INTERNAL, "island %d is not complete", taker->head.id);
  taker->head = *head;
  PRISM_TRY(prism_checkpoint_island_state(head, taker->run->n, &taker->state));
  taker->rows = 0;
  taker->bytes = 0;
  taker->open = true;
  return close_island(taker); /* one that knows nothing */
}

static prism_status_t add_rows(taker_t *taker, prism_piece_t *piece) {
  prism_island_state_t *state = &taker->state;
  int32_t n = taker->run->n, count = (int32_t)piece->count;
  if (!taker->open || count > state->rows - taker->rows)
    PRISM_FAIL(PRISM_INTERNAL, "rows that belong to no island");
  prism_piece_rows_t rows = prism_piece_rows(piece, n, taker->width);
  memcpy(state->f + taker->rows, rows.f, (size_t)count * sizeof *rows.f);
  memcpy(state->method + taker->rows, rows.method, (size_t)count);
  PRISM_TRY(prism_checkpoint_unpack(rows.packed, (size_t)count * (size_t)n, taker->width, state->k,
                                    state->color + (size_t)taker->rows * (size_t)n));
  taker->rows += count;
  return close_island(taker);
}

static prism_status_t add_bytes(taker_t *taker, prism_piece_t *piece) {
  prism_island_state_t *state = &taker->state;
  if (!taker->open || piece->size > state->size - taker->bytes)
    PRISM_FAIL(PRISM_INTERNAL, "bytes that belong to no island");
  memcpy(state->bytes + taker->bytes, prism_piece_data(piece), (size_t)piece->size);
  taker->bytes += (size_t)piece->size;
  return close_island(taker);
}

static prism_status_t take_words(taker_t *taker, prism_piece_t *piece) {
  prism_run_t *run = taker->run;
  run->iterations = piece->count;
  if (piece->size == 0) return PRISM_OK;
  return prism_run_state_unpack(run, prism_piece_data(piece), (size_t)piece->size,
                                taker->same && taker->exact == run->islands);
}

static prism_status_t take(taker_t *taker, prism_piece_t *piece) {
  switch ((prism_piece_kind_t)piece->kind) {
    case PRISM_PIECE_ISLAND:
      return open_island(taker, prism_piece_data(piece));
    case PRISM_PIECE_ROWS:
      return add_rows(taker, piece);
    case PRISM_PIECE_BYTES:
      return add_bytes(taker, piece);
    case PRISM_PIECE_WORDS:
      return take_words(taker, piece);
    case PRISM_PIECE_BROKEN:
    case PRISM_PIECE_KINDS:
      break;
  }
  return PRISM_OK; /* rank 0 says why */
}

static void take_or_note(taker_t *taker, prism_piece_t *piece) {
  if (piece->last != 0) taker->done = true;
  if (taker->status != PRISM_OK) return;
  taker->status = take(taker, piece);
  if (taker->status != PRISM_OK)
    snprintf(taker->text, sizeof taker->text, "%s", prism_error_text());
}

/* ---- giving: rank 0 ---- */

typedef struct giver {
  prism_run_t *run;
  prism_deal_t *deal;
  taker_t *own;    /* rank 0 itself takes without a message */
  size_t width;
  int32_t ahead;   /* pieces that the receiver has not taken yet */
} giver_t;

static prism_status_t settle_ahead(giver_t *giver, int32_t most) {
  for (; giver->ahead > most; --giver->ahead) {
    prism_message_t message;
    const void *data = NULL;
    PRISM_TRY(await(giver->run, &message, &data));
  }
  return PRISM_OK;
}

/* The piece is released. */
static prism_status_t give(giver_t *giver, prism_piece_t *piece) {
  prism_run_t *run = giver->run;
  prism_status_t status = run->comm->ops->heartbeat(run->comm->self);
  if (status == PRISM_OK && piece->rank == 0) {
    take_or_note(giver->own, piece);
  } else if (status == PRISM_OK) {
    status = post(run, piece->rank, piece, prism_piece_bytes(piece));
    ++giver->ahead;
    if (status == PRISM_OK) status = settle_ahead(giver, WINDOW - 1);
  }
  prism_free(piece);
  return status;
}

static prism_status_t give_header(giver_t *giver, int32_t rank,
                                  const prism_checkpoint_island_t *head) {
  prism_piece_t *piece = NULL;
  PRISM_TRY(prism_piece_create(PRISM_PIECE_ISLAND, rank, sizeof *head, &piece));
  memcpy(prism_piece_data(piece), head, sizeof *head);
  return give(giver, piece);
}

/* An island as it is in the file. */
static prism_status_t give_island(giver_t *giver, int32_t index) {
  prism_checkpoint_reader_t *reader = giver->deal->reader;
  const prism_checkpoint_island_t *head = prism_checkpoint_island_at(reader, index);
  int32_t n = giver->run->n, most = prism_piece_most_rows(n, giver->width);
  prism_piece_t *piece = NULL;
  PRISM_TRY(give_header(giver, head->rank, head));
  for (int32_t row = 0, count = 0; row < head->rows; row += count) {
    count = head->rows - row < most ? head->rows - row : most;
    PRISM_TRY(prism_piece_create_rows(head->rank, count, n, giver->width, &piece));
    prism_piece_rows_t rows = prism_piece_rows(piece, n, giver->width);
    prism_status_t status = prism_checkpoint_read_rows(reader, index, row, count, rows.method,
                                                       rows.f, rows.packed);
    if (status != PRISM_OK) prism_free(piece);
    PRISM_TRY(status);
    PRISM_TRY(give(giver, piece));
  }
  for (size_t at = 0, size = 0; at < head->size; at += size) {
    size = head->size - at < PRISM_PIECE_TARGET ? head->size - at : PRISM_PIECE_TARGET;
    PRISM_TRY(prism_piece_create(PRISM_PIECE_BYTES, head->rank, size, &piece));
    prism_status_t status =
        prism_checkpoint_read_bytes(reader, index, at, size, prism_piece_data(piece));
    if (status != PRISM_OK) prism_free(piece);
    PRISM_TRY(status);
    PRISM_TRY(give(giver, piece));
  }
  return PRISM_OK;
}

/* A row of the file. */
typedef struct pick {
  int32_t index, row;
} pick_t;

static int32_t rows_of(const prism_deal_t *deal, int32_t source) {
  return prism_checkpoint_island_at(deal->reader, deal->source[source])->rows;
}

/* More islands than populations: those that share one take every so many of its rows, at least
 * one. */
static int32_t pick_share(const prism_deal_t *deal, int32_t island, pick_t *pick, int32_t most) {
  int32_t source = island % deal->sources, rows = rows_of(deal, source);
  int32_t sharers = (deal->islands - source - 1) / deal->sources + 1, count = 0;
  for (int32_t row = (island / deal->sources) % (rows < sharers ? rows : sharers);
       row < rows && count < most; row += sharers)
    pick[count++] = (pick_t){deal->source[source], row};
  return count;
}

/* More populations than islands: those that meet on one give their rows in turns. */
static int32_t pick_several(const prism_deal_t *deal, int32_t island, pick_t *pick,
                            int32_t most) {
  int32_t count = 0;
  bool more = true;
  for (int32_t row = 0; more && count < most; ++row) {
    more = false;
    for (int32_t s = island; s < deal->sources && count < most; s += deal->islands) {
      if (row >= rows_of(deal, s)) continue;
      pick[count++] = (pick_t){deal->source[s], row};
      more = true;
    }
  }
  return count;
}

/* Rows [0 .. count - 1] of `pick` as one piece. */
static prism_status_t give_picked(giver_t *giver, int32_t rank, const pick_t *pick,
                                  int32_t count) {
  int32_t n = giver->run->n;
  prism_piece_t *piece = NULL;
  PRISM_TRY(prism_piece_create_rows(rank, count, n, giver->width, &piece));
  prism_piece_rows_t rows = prism_piece_rows(piece, n, giver->width);
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < count && status == PRISM_OK; ++i)
    status = prism_checkpoint_read_rows(giver->deal->reader, pick[i].index, pick[i].row, 1,
                                        rows.method + i, rows.f + i,
                                        rows.packed + (size_t)i * (size_t)n * giver->width);
  if (status != PRISM_OK) prism_free(piece);
  PRISM_TRY(status);
  return give(giver, piece);
}

/* Rows of several islands as the state of one, without bytes of any engine. A coloring with
 * fewer colors is one with more, too. */
static prism_status_t give_mixed(giver_t *giver, int32_t island, pick_t *pick, int32_t most) {
  const prism_deal_t *deal = giver->deal;
  int32_t count = deal->islands >= deal->sources ? pick_share(deal, island, pick, most)
                                                 : pick_several(deal, island, pick, most);
  int32_t batch = prism_piece_most_rows(giver->run->n, giver->width);
  prism_checkpoint_island_t head;
  memset(&head, 0, sizeof head);
  head.id = deal->island[island].id;
  head.rank = deal->island[island].rank;
  head.rows = count;
  snprintf(head.engine, sizeof head.engine, "%s", "rows");
  for (int32_t i = 0; i < count; ++i) {
    int32_t k = prism_checkpoint_island_at(deal->reader, pick[i].index)->k;
    if (k > head.k) head.k = k;
  }
  PRISM_TRY(give_header(giver, head.rank, &head));
  for (int32_t at = 0; at < count; at += batch)
    PRISM_TRY(give_picked(giver, head.rank, pick + at, count - at < batch ? count - at : batch));
  return PRISM_OK;
}

/* All islands of the rank. */
static prism_status_t give_islands(giver_t *giver, int32_t rank) {
  const prism_deal_t *deal = giver->deal;
  size_t row = (size_t)giver->run->n * sizeof(int32_t);
  int32_t most = most_bytes / row < MOST_ROWS ? (int32_t)(most_bytes / row) + 1 : MOST_ROWS;
  pick_t *pick = NULL;
  if (!deal->same && deal->sources == 0) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC(most, &pick));
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < deal->islands && status == PRISM_OK; ++i) {
    if (deal->island[i].rank != rank) continue;
    status = deal->same ? give_island(giver, i) : give_mixed(giver, i, pick, most);
  }
  prism_free(pick);
  return status;
}

/* Its own words, or those of another rank for what can be learned from them; iterations are
 * counted once. */
static prism_status_t give_words(giver_t *giver, int32_t rank) {
  prism_checkpoint_reader_t *reader = giver->deal->reader;
  int32_t ranks = prism_checkpoint_head(reader)->ranks, size = giver->run->comm->size;
  int64_t sum = 0;
  prism_piece_t *piece = NULL;
  for (int32_t r = rank % ranks; r < ranks; r += size) {
    int64_t iterations = 0;
    uint8_t *bytes = NULL;
    size_t count = 0;
    PRISM_TRY(prism_checkpoint_read_rank(reader, r, &iterations, &bytes, &count));
    prism_status_t status = PRISM_OK;
    if (piece == NULL) {
      status = prism_piece_create(PRISM_PIECE_WORDS, rank, count, &piece);
      if (status == PRISM_OK) memcpy(prism_piece_data(piece), bytes, count);
    }
    prism_free(bytes);
    PRISM_TRY(status);
    if (rank < ranks) sum += iterations;
  }
  piece->count = sum;
  piece->last = 1;
  return give(giver, piece);
}

static prism_status_t give_rank(giver_t *giver, int32_t rank) {
  PRISM_TRY(give_islands(giver, rank));
  PRISM_TRY(give_words(giver, rank));
  return settle_ahead(giver, 0);
}

/* Whoever still waits for pieces hears that none will come. */
static prism_status_t give_none(giver_t *giver, int32_t rank) {
  prism_piece_t *piece = NULL;
  PRISM_TRY(prism_piece_create(PRISM_PIECE_BROKEN, rank, 0, &piece));
  piece->last = 1;
  PRISM_TRY(give(giver, piece));
  return settle_ahead(giver, 0);
}

static prism_status_t give_all(giver_t *giver) {
  prism_status_t status = PRISM_OK;
  char text[ERROR_BYTES] = "";
  for (int32_t r = 0; r < giver->run->comm->size; ++r) {
    prism_status_t now = status == PRISM_OK ? give_rank(giver, r) : give_none(giver, r);
    if (now == PRISM_OK) continue;
    if (lost(now)) return now;
    if (status != PRISM_OK) return now;
    status = now;
    snprintf(text, sizeof text, "%s", prism_error_text());
    PRISM_TRY(give_none(giver, r));
  }
  return status == PRISM_OK ? PRISM_OK : prism_error_set(status, text);
}

static prism_status_t take_all(taker_t *taker) {
  prism_run_t *run = taker->run;
  while (!taker->done) {
    prism_message_t message;
    const void *data = NULL;
    prism_piece_t *piece = NULL;
    PRISM_TRY(await(run, &message, &data));
    PRISM_TRY(prism_piece_copy(data, message.bytes, run->n, taker->width, &piece));
    take_or_note(taker, piece);
    prism_free(piece);
    PRISM_TRY(post(run, 0, NULL, 0));
  }
  return PRISM_OK;
}

prism_status_t prism_deal_out(prism_run_t *run, prism_deal_t *deal, bool same,
                              int32_t color_bound, bool *exact) {
  size_t width = prism_checkpoint_width(color_bound);
  taker_t taker = {.run = run, .same = same, .width = width};
  giver_t giver = {.run = run, .deal = deal, .own = &taker, .width = width};
  prism_status_t status = run->comm->rank == 0 ? give_all(&giver) : take_all(&taker);
  prism_island_state_release(&taker.state);
  if (lost(status)) return status;
  if (status == PRISM_OK && taker.status != PRISM_OK)
    status = prism_error_set(taker.status, taker.text);
  *exact = same && taker.exact == run->islands;
  PRISM_TRY(run->comm->ops->agree(run->comm->self, status));
  return PRISM_OK;
}
