/* The bulk suite on NCCL, one GPU for each rank, and what concerns ranks that come too late
 * or leave early. Skipped (77) where there are fewer GPUs than ranks, or no NCCL. */
#include <cuda_runtime_api.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bulk_suite.h"
#include "comm_mpi.h"
#include "exchange/bulk_nccl.h"

enum { BYTES = 100000 };

static const uint64_t seed = 20241122;

static prism_comm_t comm;
static cudaStream_t stream; /* of the blocks */

static void abandon(void) {
  MPI_Abort(MPI_COMM_WORLD, 1);
  exit(1);
}

static void must_cuda(cudaError_t error, const char *what) {
  if (error == cudaSuccess) return;
  fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  abandon();
}

#define MUST(call) must_cuda((call), #call)

static prism_bulk_t make(double timeout) {
  prism_bulk_t bulk = {0};
  if (prism_bulk_nccl_create(&comm, timeout, &bulk) != PRISM_OK) {
    fprintf(stderr, "create: %s\n", prism_error_text());
    abandon();
  }
  return bulk;
}

/* ---- memory of the GPU ---- */

static void *gpu_allocate(size_t bytes) {
  void *block = NULL;
  MUST(cudaMalloc(&block, bytes));
  return block;
}

static void gpu_release(void *block) { MUST(cudaFree(block)); }

/* From pageable memory: the call returns when it has been read, the copy comes later. */
static void gpu_write(void *block, const void *from, size_t bytes, void *queue) {
  MUST(cudaMemcpyAsync(block, from, bytes, cudaMemcpyHostToDevice, queue));
}

/* On another stream than the blocks': what poll has called done, all streams see. */
static void gpu_read(void *to, const void *block, size_t bytes) {
  MUST(cudaMemcpy(to, block, bytes, cudaMemcpyDeviceToHost));
}

static bulk_suite_t suite_of(const prism_bulk_t *bulk) {
  const bulk_memory_t memory = {gpu_allocate, gpu_release, gpu_write, gpu_read, stream};
  return (bulk_suite_t){.comm = &comm, .bulk = bulk, .memory = memory, .seed = seed,
                        .rounds = 200, .longest = 100003, .abandon = abandon};
}

#define CHECK(condition) SUITE_CHECK(&suite, condition)

static void meet(void) {
  if (comm.ops->barrier(comm.self) == PRISM_OK) return;
  fprintf(stderr, "barrier: %s\n", prism_error_text());
  abandon();
}

/* ---- cases ---- */

static void test_suite(int32_t rounds, size_t longest) {
  prism_bulk_t bulk = make(60.0);
  bulk_suite_t suite = suite_of(&bulk);
  suite.seed += longest;
  suite.rounds = rounds;
  suite.longest = longest;
  bulk_suite_run(&suite);
  prism_bulk_destroy(&bulk);
}

static prism_status_t gather(const prism_bulk_t *bulk, void *mine, void *all) {
  const prism_buffer_t send = {mine, PRISM_SPACE_DEVICE, 1, BYTES, stream};
  const prism_buffer_t receive = {all, PRISM_SPACE_DEVICE, (size_t)comm.size, BYTES, stream};
  return bulk->ops->gather(bulk->self, &send, &receive);
}

/* One rank does not come. The others are free after the deadline: the GPU, their blocks.
 * [in] connected  they wait in a kernel; otherwise while connections are made */
static void test_timeout(bool connected) {
  prism_bulk_t bulk = make(1.0);
  bulk_suite_t suite = suite_of(&bulk);
  void *mine = gpu_allocate(BYTES), *all = gpu_allocate((size_t)comm.size * BYTES);
  if (connected) {
    meet();
    CHECK(gather(&bulk, mine, all) == PRISM_OK);
    bulk_suite_finish(&suite);
  }
  if (comm.rank != comm.size - 1) {
    prism_status_t status = gather(&bulk, mine, all);
    const double start = prism_clock_now();
    CHECK(status == PRISM_OK);
    while (status == PRISM_OK) {
      bool done = false;
      status = bulk.ops->poll(bulk.self, &done);
      CHECK(status != PRISM_OK || !done);
      CHECK(prism_clock_now() - start < 60.0);
      CHECK(comm.ops->heartbeat(comm.self) == PRISM_OK);
      prism_clock_sleep(0.001);
    }
    /* The status says why, the text who and in what; an aborted peer counts as lost. */
    bool done = false;
    CHECK(bulk.ops->poll(bulk.self, &done) == status);
    CHECK(status == PRISM_TIMEOUT || status == PRISM_PEER);
    CHECK(strstr(prism_error_text(), "gather") != NULL);
    CHECK(strstr(prism_error_text(), "could not be aborted") == NULL);
    CHECK(gather(&bulk, mine, all) == status);
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  }
  meet();
  prism_bulk_destroy(&bulk);
  gpu_release(mine);
  gpu_release(all);
}

/* Given up while it is under way, on all ranks that have started it. */
static void test_destroy_under_way(void) {
  prism_bulk_t bulk = make(60.0);
  bulk_suite_t suite = suite_of(&bulk);
  void *mine = gpu_allocate(BYTES), *all = gpu_allocate((size_t)comm.size * BYTES);
  if (comm.rank != comm.size - 1) {
    bool done = true;
    CHECK(gather(&bulk, mine, all) == PRISM_OK);
    CHECK(bulk.ops->poll(bulk.self, &done) == PRISM_OK);
    CHECK(!done);
  }
  prism_bulk_destroy(&bulk);
  gpu_release(mine);
  gpu_release(all);
  meet();
}

/* Time without a poll does not count: the process may have been stopped. */
static void test_own_pause(void) {
  prism_bulk_t bulk = make(1.5);
  bulk_suite_t suite = suite_of(&bulk);
  void *mine = gpu_allocate(BYTES), *all = gpu_allocate((size_t)comm.size * BYTES);
  const bool is_last = comm.rank == comm.size - 1;
  if (!is_last) {
    bool done = true;
    CHECK(gather(&bulk, mine, all) == PRISM_OK);
    prism_clock_sleep(2.0);
    CHECK(bulk.ops->poll(bulk.self, &done) == PRISM_OK);
    CHECK(!done);
  }
  meet();
  if (is_last) CHECK(gather(&bulk, mine, all) == PRISM_OK);
  bulk_suite_finish(&suite);
  prism_bulk_destroy(&bulk);
  gpu_release(mine);
  gpu_release(all);
}

/* ---- ranks and their GPUs ---- */

/* A reason why the suite cannot run with these ranks; NULL: it can. */
static const char *choose_gpu(void) {
  static char text[256];
  MPI_Comm node;
  int local = 0, count = 0;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &local);
  MPI_Comm_free(&node);
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) return cudaGetErrorString(error);
  if (local >= count) return "fewer GPUs than ranks";
  if (!prism_bulk_nccl_possible(text, sizeof text)) return text;
  MUST(cudaSetDevice(local));
  MUST(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return NULL;
}

/* True when all ranks can take part; rank 0 says why not. */
static bool can_run(void) {
  const char *reason = choose_gpu();
  int64_t able = reason == NULL, least = 0;
  if (reason != NULL) printf("rank %d skipped: %s\n", comm.rank, reason);
  if (comm.ops->allreduce_i64(comm.self, &able, &least, 1, PRISM_REDUCE_MIN) != PRISM_OK)
    abandon();
  return least == 1;
}

static void check_released(void) {
  if (prism_mem_live_blocks() == 0) return;
  fprintf(stderr, "%zu blocks were not released\n", prism_mem_live_blocks());
  abandon();
}

int main(int argc, char **argv) {
  int level = 0;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) return 1;
  if (prism_comm_mpi_create(MPI_COMM_WORLD, 60.0, &comm) != PRISM_OK) abandon();
  const int32_t rank = comm.rank, size = comm.size;
  const bool runs = can_run();
  if (runs) {
    test_suite(200, 100003);
    test_suite(50, 3000017);
    if (size > 1) {
      test_own_pause();
      test_destroy_under_way();
      test_timeout(false);
      test_timeout(true);
      test_suite(20, 1009); /* GPU and ranks are as good as new */
    }
    MUST(cudaStreamDestroy(stream));
  }
  prism_comm_destroy(&comm);
  check_released();
  if (runs && rank == 0) printf("nccl: all checks passed on %d GPUs\n", size);
  if (MPI_Finalize() != MPI_SUCCESS) return 1;
  return runs ? 0 : 77;
}
