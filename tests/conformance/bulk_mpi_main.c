/* The bulk suite on MPI, for any number of ranks: whole, with blocks split into small
 * pieces, and what concerns ranks that come late, too late, or leave early. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bulk_mpi.h"
#include "bulk_suite.h"
#include "comm_mpi.h"

enum { WORDS = 1000 };

static const uint64_t seed = 20241120;

static prism_comm_t comm;

static void abandon(void) {
  MPI_Abort(MPI_COMM_WORLD, 1);
  exit(1);
}

static prism_bulk_t make(double timeout) {
  prism_bulk_t bulk = {0};
  if (prism_bulk_mpi_create(MPI_COMM_WORLD, timeout, &bulk) != PRISM_OK) {
    fprintf(stderr, "create: %s\n", prism_error_text());
    abandon();
  }
  return bulk;
}

static bulk_suite_t suite_of(const prism_bulk_t *bulk) {
  return (bulk_suite_t){.comm = &comm, .bulk = bulk, .memory = bulk_suite_host_memory(),
                        .seed = seed, .rounds = 200, .longest = 100003, .abandon = abandon};
}

#define CHECK(condition) SUITE_CHECK(&suite, condition)

static void meet(void) {
  if (comm.ops->barrier(comm.self) == PRISM_OK) return;
  fprintf(stderr, "barrier: %s\n", prism_error_text());
  abandon();
}

static void test_suite(size_t piece, size_t longest) {
  prism_bulk_t bulk = make(60.0);
  bulk_suite_t suite = suite_of(&bulk);
  suite.seed += piece;
  suite.longest = longest;
  if (piece > 0) prism_bulk_mpi_set_piece(&bulk, piece);
  bulk_suite_run(&suite);
  prism_bulk_destroy(&bulk);
}

/* Starts a gather of numbers that count through all ranks. */
static prism_status_t gather(const prism_bulk_t *bulk, int32_t *mine, int32_t *all) {
  for (int32_t i = 0; i < WORDS; ++i) mine[i] = comm.rank * WORDS + i;
  prism_buffer_t send = {mine, PRISM_SPACE_HOST, sizeof *mine, WORDS, NULL};
  prism_buffer_t receive = {all, PRISM_SPACE_HOST, sizeof *all, (size_t)comm.size * WORDS, NULL};
  return bulk->ops->gather(bulk->self, &send, &receive);
}

static void check_all(const prism_bulk_t *bulk, const int32_t *all) {
  bulk_suite_t suite = suite_of(bulk);
  for (int32_t i = 0; i < comm.size * WORDS; ++i) CHECK(all[i] == i);
}

/* A process that was stopped for longer than the deadline, and so did not poll, does not
 * blame the others. */
static void test_own_pause(int32_t *mine, int32_t *all) {
  prism_bulk_t bulk = make(1.5);
  bulk_suite_t suite = suite_of(&bulk);
  bool is_last = comm.rank == comm.size - 1, done = true;
  if (!is_last) {
    CHECK(gather(&bulk, mine, all) == PRISM_OK);
    prism_clock_sleep(2.0);
    CHECK(bulk.ops->poll(bulk.self, &done) == PRISM_OK);
    CHECK(!done);
  }
  meet();
  if (is_last) CHECK(gather(&bulk, mine, all) == PRISM_OK);
  bulk_suite_finish(&suite);
  check_all(&bulk, all);
  prism_bulk_destroy(&bulk);
}

/* Destroy gives the operation under way the time that it needs. */
static void test_destroy_under_way(int32_t *mine, int32_t *all) {
  prism_bulk_t bulk = make(60.0);
  bulk_suite_t suite = suite_of(&bulk);
  if (comm.rank == 0) prism_clock_sleep(0.1);
  CHECK(gather(&bulk, mine, all) == PRISM_OK);
  prism_bulk_destroy(&bulk);
  bulk.ops = NULL;
  prism_bulk_t next = make(60.0);
  check_all(&next, all);
  prism_bulk_destroy(&next);
}

/* Sizes that do not match are an error of all later calls too. */
static void test_mismatch(int32_t *mine, int32_t *all) {
  if (comm.size != 2) return;
  prism_bulk_t bulk = make(60.0);
  bulk_suite_t suite = suite_of(&bulk);
  size_t count = comm.rank == 0 ? 10 : 20;
  prism_buffer_t send = {mine, PRISM_SPACE_HOST, sizeof *mine, count, NULL}, receive = send;
  receive.data = all;
  CHECK(bulk.ops->exchange(bulk.self, &send, 1 - comm.rank, &receive, 1 - comm.rank) == PRISM_OK);
  double start = prism_clock_now();
  prism_status_t status = PRISM_OK;
  for (bool done = false; status == PRISM_OK && !done;) {
    status = bulk.ops->poll(bulk.self, &done);
    CHECK(prism_clock_now() - start < 60.0);
  }
  CHECK(status == (comm.rank == 0 ? PRISM_PEER : PRISM_INTERNAL)); /* too long; too short */
  CHECK(gather(&bulk, mine, all) == status);
  meet();
  prism_bulk_destroy(&bulk);
}

/* A rank that comes too late. The buffers live on: MPI may use them until it is there. */
static void test_timeout(int32_t *mine, int32_t *all) {
  prism_bulk_t bulk = make(0.4);
  bulk_suite_t suite = suite_of(&bulk);
  bool is_last = comm.rank == comm.size - 1, done = false;
  if (!is_last) {
    CHECK(gather(&bulk, mine, all) == PRISM_OK);
    double start = prism_clock_now();
    prism_status_t status = PRISM_OK;
    while (status == PRISM_OK) {
      status = bulk.ops->poll(bulk.self, &done);
      CHECK(status != PRISM_OK || !done);
      CHECK(prism_clock_now() - start < 60.0);
      prism_clock_sleep(0.001);
    }
    CHECK(status == PRISM_TIMEOUT);
    CHECK(strstr(prism_error_text(), "gather of 4000 bytes did not end within 0.4 s") != NULL);
    prism_error_clear();
    prism_buffer_t block = {mine, PRISM_SPACE_HOST, 1, 1, NULL};
    CHECK(bulk.ops->poll(bulk.self, &done) == PRISM_TIMEOUT);
    CHECK(bulk.ops->broadcast(bulk.self, &block, 0) == PRISM_TIMEOUT);
    CHECK(bulk.ops->exchange(bulk.self, &block, 0, &block, 0) == PRISM_TIMEOUT);
    CHECK(gather(&bulk, mine, all) == PRISM_TIMEOUT);
    CHECK(strstr(prism_error_text(), "did not end within 0.4 s") != NULL); /* the first reason */
  }
  meet();
  if (is_last) {
    CHECK(gather(&bulk, mine, all) == PRISM_OK);
    bulk_suite_finish(&suite);
    check_all(&bulk, all);
  }
  meet();
  prism_bulk_destroy(&bulk); /* does not wait */
}

static void test_bad_arguments(void) {
  prism_bulk_t bulk = {0};
  if (prism_bulk_mpi_create(MPI_COMM_WORLD, 0.0, &bulk) != PRISM_INVALID || bulk.ops != NULL) {
    fprintf(stderr, "a timeout of 0 s was taken\n");
    abandon();
  }
}

int main(int argc, char **argv) {
  static int32_t mine[WORDS], all[16 * WORDS];
  int level = 0;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) return 1;
  if (prism_comm_mpi_create(MPI_COMM_WORLD, 60.0, &comm) != PRISM_OK || comm.size > 16) abandon();
  test_bad_arguments();
  test_suite(0, 100003);
  test_suite(0, 3000017);
  test_suite(1000, 50021);
  test_suite(7, 2003);
  if (comm.size > 1) {
    test_own_pause(mine, all);
    test_destroy_under_way(mine, all);
    test_mismatch(mine, all);
    test_timeout(mine, all);
  }
  int32_t rank = comm.rank;
  prism_comm_destroy(&comm);
  if (prism_mem_live_blocks() != 0) {
    fprintf(stderr, "%zu blocks were not released\n", prism_mem_live_blocks());
    abandon();
  }
  if (rank == 0) puts("mpi: all checks passed");
  return MPI_Finalize() == MPI_SUCCESS ? 0 : 1;
}
