/* The meetings of pools over MPI, with an engine that only hands out numbered rows: what
 * arrives is what the others showed, in order, whoever is slow and whoever leaves first. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bulk_mpi.h"
#include "comm_mpi.h"
#include "solve/pooling.h"

enum { ROWS = 3, MOST_RANKS = 16 };

typedef struct row {
  int32_t rank, serial, place, unused;
} row_t;

typedef struct fake {
  prism_comm_t *comm;
  row_t out[ROWS], in[ROWS * MOST_RANKS];
  int32_t serial;             /* of the rows shown last */
  int32_t heard[MOST_RANKS];  /* last serial of each rank */
  int32_t received;
} fake_t;

static void fail(const char *what, int line) {
  fprintf(stderr, "pooling_main.c:%d: %s: %s\n", line, what, prism_error_text());
  MPI_Abort(MPI_COMM_WORLD, 1);
  exit(1);
}

#define CHECK(condition)                        \
  do {                                          \
    if (!(condition)) fail(#condition, __LINE__); \
  } while (0)
#define MUST(call) CHECK((call) == PRISM_OK)

static prism_status_t fake_outbox(void *self, int32_t island, int32_t rows, prism_space_t space,
                                  prism_buffer_t *out) {
  fake_t *fake = self;
  CHECK(island == 0 && rows == ROWS && space == PRISM_SPACE_HOST);
  ++fake->serial;
  for (int32_t i = 0; i < ROWS; ++i)
    fake->out[i] = (row_t){fake->comm->rank, fake->serial, i, 0};
  *out = (prism_buffer_t){.data = fake->out, .element_bytes = sizeof(row_t), .count = ROWS};
  return PRISM_OK;
}

static prism_status_t fake_inbox(void *self, int32_t island, int32_t rows, prism_space_t space,
                                 prism_buffer_t *in) {
  fake_t *fake = self;
  CHECK(island == 0 && rows == ROWS * fake->comm->size && space == PRISM_SPACE_HOST);
  memset(fake->in, 0xFF, sizeof fake->in);
  *in = (prism_buffer_t){.data = fake->in, .element_bytes = sizeof(row_t),
                         .count = (size_t)rows};
  return PRISM_OK;
}

static prism_status_t fake_receive(void *self, int32_t island, const prism_buffer_t *in,
                                   int32_t own, int32_t own_rows, int32_t *visitors) {
  fake_t *fake = self;
  CHECK(island == 0 && own == ROWS * fake->comm->rank && own_rows == ROWS);
  const row_t *row = in->data;
  *visitors = 0;
  for (int32_t i = 0; i < ROWS * fake->comm->size; ++i) {
    const int32_t from = i / ROWS;
    CHECK(row[i].rank == from && row[i].place == i % ROWS);
    CHECK(row[i].serial == fake->heard[from] + 1);
    *visitors += from != fake->comm->rank;
  }
  for (int32_t r = 0; r < fake->comm->size; ++r) ++fake->heard[r];
  ++fake->received;
  return PRISM_OK;
}

static const prism_engine_ops_t fake_ops = {
    .name = "fake", .outbox = fake_outbox, .inbox = fake_inbox, .receive = fake_receive};

typedef struct scene {
  prism_comm_t comm;
  prism_bulk_t bulk;
  fake_t fake;
  prism_engine_t engine;
  prism_pooling_t pooling;
} scene_t;

static void open_scene(scene_t *s, int32_t island, bool with_bulk) {
  memset(s, 0, sizeof *s);
  MUST(prism_comm_mpi_create(MPI_COMM_WORLD, 60.0, &s->comm));
  CHECK(s->comm.size <= MOST_RANKS);
  MUST(prism_bulk_mpi_create(MPI_COMM_WORLD, 60.0, &s->bulk));
  s->fake.comm = &s->comm;
  s->engine = (prism_engine_t){.ops = &fake_ops, .self = &s->fake, .islands = 1};
  const prism_pooling_setup_t setup = {.comm = &s->comm, .bulk = with_bulk ? &s->bulk : NULL,
                                       .engine = &s->engine, .island = island, .rows = ROWS,
                                       .interval = 2e-4};
  MUST(prism_pooling_begin(&s->pooling, &setup));
}

static void close_scene(scene_t *s) {
  prism_bulk_destroy(&s->bulk);
  prism_comm_destroy(&s->comm);
  CHECK(prism_mem_live_blocks() == 0);
}

/* Ranks are idle and look when they like, and leave one after the other. */
static void meet_at_random(uint64_t round) {
  scene_t s;
  open_scene(&s, 0, true);
  prism_rng_t rng = prism_rng_stream(20261121, round, (uint32_t)s.comm.rank, PRISM_RNG_TEST);
  const double start = prism_clock_now(), stay = 0.02 + 0.03 * prism_rng_uniform(&rng);
  const double calm = 1e-4 * (double)prism_rng_below(&rng, 20);
  while (prism_clock_now() - start < stay) {
    int32_t visitors = -1;
    if (prism_rng_below(&rng, 3) == 0) {
      MUST(prism_pooling_idle(&s.pooling, &visitors));
      CHECK(visitors == -1 || visitors == ROWS * (s.comm.size - 1));
    }
    MUST(prism_pooling_look(&s.pooling));
    MUST(s.comm.ops->heartbeat(s.comm.self));
    prism_clock_sleep(calm * prism_rng_uniform(&rng));
  }
  MUST(prism_pooling_end(&s.pooling));
  CHECK(s.pooling.state == PRISM_POOLING_OFF);
  int32_t visitors = 0;
  MUST(prism_pooling_idle(&s.pooling, &visitors)); /* nothing happens any more */
  CHECK(visitors == -1);
  int64_t least = s.fake.serial, most = s.fake.serial;
  MUST(s.comm.ops->allreduce_i64(s.comm.self, &least, &least, 1, PRISM_REDUCE_MIN));
  MUST(s.comm.ops->allreduce_i64(s.comm.self, &most, &most, 1, PRISM_REDUCE_MAX));
  CHECK(most - least <= 1 && s.fake.received <= least);
  CHECK(s.pooling.exchanges == s.fake.received);
  CHECK(s.pooling.visitors == (int64_t)s.fake.received * ROWS * (s.comm.size - 1));
  if (s.comm.size > 1) CHECK(most > 0);
  if (s.comm.size == 1) CHECK(most == 0);
  int64_t exchanges = 0, bytes = 0;
  double seconds = 0.0;
  MUST(prism_pooling_result(&s.pooling, &exchanges, &bytes, &seconds));
  CHECK(exchanges >= s.fake.received && seconds >= 0.0 && (bytes > 0) == (most > 0 && bytes > 0));
  close_scene(&s);
}

static void meet_in_step(void) {
  enum { MEETINGS = 50 };
  scene_t s;
  open_scene(&s, 0, true);
  for (int32_t i = 0; i < MEETINGS; ++i) {
    int32_t visitors = -1;
    MUST(prism_pooling_meet(&s.pooling, &visitors));
    CHECK(visitors == (s.comm.size > 1 ? ROWS * (s.comm.size - 1) : -1));
  }
  CHECK(s.fake.received == (s.comm.size > 1 ? MEETINGS : 0));
  MUST(prism_pooling_end(&s.pooling));
  close_scene(&s);
}

/* ---- a rank whose GPU fails in a meeting ---- */

static int polls_left; /* until it fails */
static prism_status_t (*true_poll)(void *self, bool *done);

static prism_status_t failing_poll(void *self, bool *done) {
  if (polls_left-- > 0) return true_poll(self, done);
  PRISM_FAIL(PRISM_DEVICE, "a GPU is lost");
}

/* The exchange of the last rank fails behind `polls` calls. */
static void let_fail(scene_t *s, prism_bulk_ops_t *ops, int polls) {
  if (s->comm.rank != s->comm.size - 1) return;
  *ops = *s->bulk.ops;
  true_poll = ops->poll;
  ops->poll = failing_poll;
  polls_left = polls;
  s->bulk.ops = ops;
}

/* All ranks get the error; none waits for the one that has it. */
static void all_hear_of_a_failure(void) {
  for (int variant = 0; variant < 2; ++variant) {
    scene_t s;
    prism_bulk_ops_t ops;
    int32_t visitors = -1;
    prism_status_t status;
    open_scene(&s, 0, true);
    if (variant == 0) { /* in step: the first poll asks whether the exchange has started */
      let_fail(&s, &ops, 1);
      status = prism_pooling_meet(&s.pooling, &visitors);
    } else { /* at the end */
      prism_clock_sleep(1e-3);
      MUST(prism_pooling_idle(&s.pooling, &visitors));
      let_fail(&s, &ops, 0);
      status = prism_pooling_end(&s.pooling);
    }
    CHECK(status == (s.comm.size > 1 ? PRISM_DEVICE : PRISM_OK));
    CHECK(s.comm.size == 1 || strstr(prism_error_text(), "a GPU is lost") != NULL);
    prism_error_clear();
    close_scene(&s);
  }
}

/* One rank without a pool, or without a communicator for it, is enough. */
static void nobody_meets_alone(void) {
  for (int variant = 0; variant < 2; ++variant) {
    scene_t s;
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    open_scene(&s, variant == 0 && rank == 0 ? -1 : 0, variant == 0 || rank != 0);
    CHECK(s.pooling.state == PRISM_POOLING_OFF);
    int32_t visitors = 0;
    MUST(prism_pooling_idle(&s.pooling, &visitors));
    MUST(prism_pooling_look(&s.pooling));
    MUST(prism_pooling_meet(&s.pooling, &visitors));
    CHECK(visitors == -1 && s.fake.serial == 0);
    MUST(prism_pooling_end(&s.pooling));
    close_scene(&s);
  }
}

int main(int argc, char **argv) {
  int provided = 0;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) return 1;
  for (uint64_t round = 0; round < 12; ++round) meet_at_random(round);
  meet_in_step();
  all_hear_of_a_failure();
  nobody_meets_alone();
  MPI_Finalize();
  return 0;
}
