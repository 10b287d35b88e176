/* The communicator suite on MPI, for any number of ranks: whole, with messages
 * split into small pieces, and what concerns silence and shutdown. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "comm_mpi.h"
#include "comm_mpi_internal.h"
#include "comm_suite.h"

static const uint64_t seed = 20240611;

static void abandon(void) {
  MPI_Abort(MPI_COMM_WORLD, 1);
  exit(1);
}

#define CHECK(condition) SUITE_CHECK(&suite, condition)

static prism_comm_t make(double peer_timeout) {
  prism_comm_t comm = {0};
  if (prism_comm_mpi_create(MPI_COMM_WORLD, peer_timeout, &comm) != PRISM_OK) {
    fprintf(stderr, "create: %s\n", prism_error_text());
    abandon();
  }
  return comm;
}

static void check_released(void) {
  if (prism_mem_live_blocks() == 0) return;
  fprintf(stderr, "%zu blocks were not released\n", prism_mem_live_blocks());
  abandon();
}

static void test_suite(size_t piece, size_t longest) {
  prism_comm_t comm = make(60.0);
  comm_suite_t suite = {
      .comm = &comm, .seed = seed + piece, .longest = longest, .abandon = abandon};
  if (piece > 0) prism_mpi_set_piece(&comm, piece);
  comm_suite_run(&suite);
  prism_comm_destroy(&comm);
  check_released();
}

/* A rank that computes for longer than the timeout but sends heartbeats is waited
 * for; the waiting ranks, whose heartbeats come from inside the barrier, count as
 * alive for it too. */
static void test_slow_rank_lives(void) {
  prism_comm_t comm = make(2.0);
  comm_suite_t suite = {.comm = &comm, .seed = seed, .abandon = abandon};
  if (comm.rank == comm.size - 1) {
    double start = prism_clock_now();
    while (prism_clock_now() - start < 3.5) {
      CHECK(comm.ops->heartbeat(comm.self) == PRISM_OK);
      CHECK(comm.ops->check_peers(comm.self) == PRISM_OK);
      prism_clock_sleep(0.1);
    }
  }
  CHECK(comm.ops->barrier(comm.self) == PRISM_OK);
  prism_comm_destroy(&comm);
  check_released();
}

/* When all processes were stopped together (a suspended job), nobody blames the
 * others for the silence: the deadlines start anew. */
static void test_own_pause(void) {
  prism_comm_t comm = make(1.0);
  comm_suite_t suite = {.comm = &comm, .seed = seed, .abandon = abandon};
  CHECK(comm.ops->barrier(comm.self) == PRISM_OK);
  prism_clock_sleep(1.5);
  CHECK(comm.ops->check_peers(comm.self) == PRISM_OK);
  CHECK(comm.ops->barrier(comm.self) == PRISM_OK);
  prism_comm_destroy(&comm);
  check_released();
}

/* Long messages that nobody polls: destroy drops them on both sides. */
static void test_unpolled_messages(void) {
  prism_comm_t comm = make(60.0);
  comm_suite_t suite = {.comm = &comm, .seed = seed, .abandon = abandon};
  unsigned char *block = NULL;
  const size_t bytes = 2000003;
  CHECK(PRISM_ALLOC_ZERO(bytes, &block) == PRISM_OK);
  prism_mpi_set_piece(&comm, 300000);
  for (int32_t r = 0; r < comm.size; ++r) {
    CHECK(comm.ops->post(comm.self, r, 3, block, bytes) == PRISM_OK);
    CHECK(comm.ops->post(comm.self, r, 4, block, 100) == PRISM_OK);
  }
  prism_free(block);
  prism_comm_destroy(&comm);
  check_released();
}

/* Votes that are under way at the end: cast by all and not counted, or by some ranks only. */
static void test_uncounted_votes(bool all) {
  prism_comm_t comm = make(60.0);
  comm_suite_t suite = {.comm = &comm, .seed = seed, .abandon = abandon};
  bool done = false;
  int64_t least = 0;
  CHECK(comm.ops->cast(comm.self, comm.rank) == PRISM_OK);
  while (!done) CHECK(comm.ops->counted(comm.self, &done, &least) == PRISM_OK);
  CHECK(least == 0);
  if (all || comm.rank % 2 == 0) CHECK(comm.ops->cast(comm.self, 1) == PRISM_OK);
  prism_comm_destroy(&comm);
  check_released(); /* nothing was left to MPI */
  prism_comm_t next = make(60.0); /* and the next communicator hears nothing of it */
  suite.comm = &next;
  CHECK(next.ops->cast(next.self, 5) == PRISM_OK);
  for (done = false; !done;) CHECK(next.ops->counted(next.self, &done, &least) == PRISM_OK);
  CHECK(least == 5);
  prism_comm_destroy(&next);
  check_released();
}

static void test_bad_arguments(void) {
  prism_comm_t comm = {0};
  comm_suite_t suite = {.comm = &comm, .seed = seed, .abandon = abandon};
  prism_status_t status = prism_comm_mpi_create(MPI_COMM_WORLD, 0.0, &comm);
  if (status != PRISM_INVALID || comm.ops != NULL) {
    comm = make(60.0); /* the report needs one */
    CHECK(status == PRISM_INVALID);
  }
}

int main(int argc, char **argv) {
  int level = 0, rank = 0;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) return 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  test_bad_arguments();
  test_suite(0, 3000017);
  test_suite(1000, 500009);
  test_suite(24, 20011);
  test_slow_rank_lives();
  test_own_pause();
  test_unpolled_messages();
  test_uncounted_votes(true);
  test_uncounted_votes(false);
  check_released();
  if (rank == 0) puts("mpi: all checks passed");
  return MPI_Finalize() == MPI_SUCCESS ? 0 : 1;
}
