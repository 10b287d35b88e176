#include "bulk_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

static const double hang_guard = 60.0;

/* Bytes behind every block, which nobody may write. */
enum { GUARD_BYTES = 32, GUARD_VALUE = 0xA5 };

typedef enum kind { GATHER, GATHER_IN_PLACE, BROADCAST, EXCHANGE, KINDS } kind_t;

/* One operation as every rank knows it. */
typedef struct job {
  kind_t kind;
  uint64_t key; /* of its pattern */
  size_t element;
  size_t count; /* of a rank's block */
  int32_t root;
  int32_t to;
  int32_t from;
} job_t;

/* Its memory on this rank: host images of what is in the blocks and should be there. */
typedef struct blocks {
  size_t bytes;      /* of a rank's block */
  size_t send_bytes; /* with guard; 0: there is no such block of its own */
  size_t receive_bytes;
  unsigned char *send;
  unsigned char *receive;
  void *sent; /* the blocks themselves */
  void *received;
} blocks_t;

void bulk_suite_fail(const bulk_suite_t *suite, const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: rank %d of %d (%s): check failed: %s\n  last error: %s\n%s", file, line,
          suite->comm->rank, suite->comm->size, suite->bulk->ops->name, what, prism_error_text(),
          prism_error_trace());
  suite->abandon();
  abort();
}

#define CHECK(condition) SUITE_CHECK(suite, condition)
#define CHECK_OK(call) CHECK((call) == PRISM_OK)

/* ---- memory of the host ---- */

static void *host_allocate(size_t bytes) {
  void *block = NULL;
  if (prism_alloc_bytes(bytes, 1, &block) != PRISM_OK) abort();
  return block;
}

static void host_write(void *block, const void *from, size_t bytes, void *stream) {
  (void)stream;
  memcpy(block, from, bytes);
}

static void host_read(void *to, const void *block, size_t bytes) { memcpy(to, block, bytes); }

bulk_memory_t bulk_suite_host_memory(void) {
  return (bulk_memory_t){.allocate = host_allocate, .release = prism_free, .write = host_write,
                         .read = host_read, .stream = NULL};
}

/* ---- one operation ---- */

static void fill(unsigned char *data, size_t bytes, uint64_t key, int32_t rank) {
  uint64_t base = key * 131u + (uint64_t)rank * 89u + 11u;
  for (size_t i = 0; i < bytes; ++i)
    data[i] = (unsigned char)((base + i * 7u + (i >> 8) * 3u + (i >> 16) * 5u) & 0xFFu);
}

static unsigned char *make_image(const bulk_suite_t *suite, size_t bytes) {
  unsigned char *image = NULL;
  CHECK_OK(PRISM_ALLOC(bytes, &image));
  memset(image, GUARD_VALUE, bytes);
  return image;
}

static void *make_block(const bulk_suite_t *suite, const unsigned char *image, size_t bytes) {
  void *block = suite->memory.allocate(bytes);
  CHECK(block != NULL);
  suite->memory.write(block, image, bytes, suite->memory.stream);
  return block;
}

static prism_buffer_t buffer_of(const bulk_suite_t *suite, void *data, size_t element,
                                size_t count) {
  return (prism_buffer_t){.data = data, .space = suite->bulk->ops->space,
                          .element_bytes = element, .count = count,
                          .stream = suite->memory.stream};
}

static bool has_send(const job_t *job) { return job->kind == GATHER || job->kind == EXCHANGE; }

/* Blocks with what is to be sent; the rest holds the guard value. */
static blocks_t make_blocks(const bulk_suite_t *suite, const job_t *job) {
  int32_t rank = suite->comm->rank;
  bool gathers = job->kind == GATHER || job->kind == GATHER_IN_PLACE;
  blocks_t blocks = {.bytes = job->element * job->count};
  size_t parts = gathers ? (size_t)suite->comm->size : 1;
  blocks.receive_bytes = parts * blocks.bytes + GUARD_BYTES;
  blocks.receive = make_image(suite, blocks.receive_bytes);
  if (has_send(job)) {
    blocks.send_bytes = blocks.bytes + GUARD_BYTES;
    blocks.send = make_image(suite, blocks.send_bytes);
    fill(blocks.send, blocks.bytes, job->key, rank);
    blocks.sent = make_block(suite, blocks.send, blocks.send_bytes);
  } else if (job->kind == GATHER_IN_PLACE) {
    fill(blocks.receive + (size_t)rank * blocks.bytes, blocks.bytes, job->key, rank);
  } else if (rank == job->root) {
    fill(blocks.receive, blocks.bytes, job->key, rank);
  }
  blocks.received = make_block(suite, blocks.receive, blocks.receive_bytes);
  return blocks;
}

static prism_status_t start_job(const bulk_suite_t *suite, const job_t *job,
                                const blocks_t *blocks) {
  const prism_bulk_t *bulk = suite->bulk;
  unsigned char *own = (unsigned char *)blocks->received +
                       (size_t)suite->comm->rank * blocks->bytes;
  size_t all = job->count * (size_t)suite->comm->size;
  void *data = job->kind == GATHER_IN_PLACE ? own : blocks->sent;
  prism_buffer_t send = buffer_of(suite, data, job->element, job->count);
  prism_buffer_t receive = buffer_of(suite, blocks->received, job->element, job->count);
  if (job->kind == BROADCAST) return bulk->ops->broadcast(bulk->self, &receive, job->root);
  if (job->kind == EXCHANGE)
    return bulk->ops->exchange(bulk->self, &send, job->to, &receive, job->from);
  receive.count = all;
  return bulk->ops->gather(bulk->self, &send, &receive);
}

/* What arrived, what lies behind it, and what was sent. */
static void check_blocks(const bulk_suite_t *suite, const job_t *job, blocks_t *blocks) {
  if (job->kind == BROADCAST) {
    fill(blocks->receive, blocks->bytes, job->key, job->root);
  } else if (job->kind == EXCHANGE) {
    fill(blocks->receive, blocks->bytes, job->key, job->from);
  } else {
    for (int32_t r = 0; r < suite->comm->size; ++r)
      fill(blocks->receive + (size_t)r * blocks->bytes, blocks->bytes, job->key, r);
  }
  unsigned char *found = make_image(suite, blocks->receive_bytes + blocks->send_bytes);
  suite->memory.read(found, blocks->received, blocks->receive_bytes);
  CHECK(memcmp(found, blocks->receive, blocks->receive_bytes) == 0);
  if (blocks->sent != NULL) {
    suite->memory.read(found, blocks->sent, blocks->send_bytes);
    CHECK(memcmp(found, blocks->send, blocks->send_bytes) == 0);
    suite->memory.release(blocks->sent);
    prism_free(blocks->send);
  }
  suite->memory.release(blocks->received);
  prism_free(blocks->receive);
  prism_free(found);
}

void bulk_suite_finish(const bulk_suite_t *suite) {
  double start = prism_clock_now();
  for (;;) {
    bool done = false;
    CHECK_OK(suite->bulk->ops->poll(suite->bulk->self, &done));
    if (done) return;
    CHECK_OK(suite->comm->ops->heartbeat(suite->comm->self));
    CHECK(prism_clock_now() - start < hang_guard);
    prism_clock_sleep(2e-5);
  }
}

static void do_job(const bulk_suite_t *suite, const job_t *job) {
  blocks_t blocks = make_blocks(suite, job);
  CHECK_OK(start_job(suite, job, &blocks));
  bulk_suite_finish(suite);
  check_blocks(suite, job, &blocks);
}

/* ---- cases ---- */

/* Most are short; a few are empty or as long as the suite allows. */
static size_t random_bytes(const bulk_suite_t *suite, prism_rng_t *rng) {
  uint32_t sort = prism_rng_below(rng, 16);
  if (sort == 0) return 0;
  if (sort == 1) return suite->longest;
  size_t most = suite->longest;
  for (uint32_t halvings = prism_rng_below(rng, 12); halvings > 0; --halvings) most /= 2;
  return 1 + prism_rng_below(rng, (uint32_t)most + 1);
}

/* The pairs of a ring or of a hypercube, where a rank without a partner keeps to itself. */
static void choose_pairs(const bulk_suite_t *suite, prism_rng_t *rng, job_t *job) {
  int32_t rank = suite->comm->rank, size = suite->comm->size;
  bool ring = prism_rng_below(rng, 2) == 0;
  uint32_t number = prism_rng_below(rng, (uint32_t)size);
  if (ring) {
    job->to = (rank + (int32_t)number) % size;
    job->from = (rank + size - (int32_t)number) % size;
    return;
  }
  int32_t partner = (int32_t)((uint32_t)rank ^ (1u << (number % 8)));
  job->to = job->from = partner < size ? partner : rank;
}

static job_t random_job(const bulk_suite_t *suite, prism_rng_t *rng, uint64_t key) {
  static const size_t elements[] = {1, 2, 4, 8};
  job_t job = {.key = key, .kind = (kind_t)prism_rng_below(rng, KINDS),
               .element = elements[prism_rng_below(rng, 4)]};
  job.count = random_bytes(suite, rng) / job.element;
  job.root = (int32_t)prism_rng_below(rng, (uint32_t)suite->comm->size);
  choose_pairs(suite, rng, &job);
  return job;
}

static void test_idle(const bulk_suite_t *suite) {
  for (int i = 0; i < 3; ++i) {
    bool done = false;
    CHECK_OK(suite->bulk->ops->poll(suite->bulk->self, &done));
    CHECK(done);
  }
}

/* Every operation, step and root once, at sizes around powers of two. */
static void test_each(const bulk_suite_t *suite) {
  static const size_t counts[] = {0, 1, 255, 256, 1000, 4097};
  int32_t rank = suite->comm->rank, size = suite->comm->size;
  uint64_t key = 1;
  for (size_t c = 0; c < sizeof counts / sizeof counts[0]; ++c) {
    for (int32_t who = 0; who < size; ++who) {
      for (int kind = 0; kind < KINDS; ++kind) {
        job_t job = {.kind = (kind_t)kind, .key = ++key, .element = 1, .count = counts[c],
                     .root = who, .to = (rank + who) % size, .from = (rank + size - who) % size};
        do_job(suite, &job);
      }
    }
  }
}

/* Ranks come late now and then: the others must wait for them, and get the right data. */
static void test_random(const bulk_suite_t *suite) {
  prism_rng_t common = prism_rng_stream(suite->seed, 1, 0, PRISM_RNG_TEST);
  prism_rng_t own = prism_rng_stream(suite->seed, 2, (uint32_t)suite->comm->rank, PRISM_RNG_TEST);
  for (int32_t round = 0; round < suite->rounds; ++round) {
    job_t job = random_job(suite, &common, 1000 + (uint64_t)round);
    if (prism_rng_below(&own, 6) == 0) prism_clock_sleep(1e-6 * prism_rng_below(&own, 2000));
    do_job(suite, &job);
  }
}

/* As a run uses it: an operation starts when a vote says that all are ready, and the host
 * communicator is used while it is under way. */
static void test_voted(const bulk_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  prism_rng_t common = prism_rng_stream(suite->seed, 3, 0, PRISM_RNG_TEST);
  int32_t next = (comm->rank + 1) % comm->size;
  for (int32_t round = 0; round < 20; ++round) {
    job_t job = random_job(suite, &common, 5000 + (uint64_t)round);
    blocks_t blocks = make_blocks(suite, &job);
    bool done = false;
    int64_t least = 0, sum = 1;
    CHECK_OK(comm->ops->cast(comm->self, round + comm->rank));
    while (!done) CHECK_OK(comm->ops->counted(comm->self, &done, &least));
    CHECK(least == round);
    CHECK_OK(start_job(suite, &job, &blocks));
    CHECK_OK(comm->ops->post(comm->self, next, 3, &round, sizeof round));
    CHECK_OK(comm->ops->allreduce_i64(comm->self, &sum, &sum, 1, PRISM_REDUCE_SUM));
    CHECK(sum == comm->size);
    bulk_suite_finish(suite);
    check_blocks(suite, &job, &blocks);
    prism_message_t message = {.from = -1};
    const void *data = NULL;
    double start = prism_clock_now();
    while (message.from < 0) {
      CHECK_OK(comm->ops->poll(comm->self, &message, &data));
      CHECK(prism_clock_now() - start < hang_guard);
    }
    CHECK(message.tag == 3 && *(const int32_t *)data == round);
  }
}

static void drop_blocks(const bulk_suite_t *suite, blocks_t *blocks) {
  if (blocks->sent != NULL) suite->memory.release(blocks->sent);
  suite->memory.release(blocks->received);
  prism_free(blocks->send);
  prism_free(blocks->receive);
}

/* One operation at a time, until poll has said done; what is refused does no harm to it.
 * No memory is allocated or released meanwhile: on a GPU that may wait for the operation. */
static void test_second_refused(const bulk_suite_t *suite) {
  for (int first = 0; first < KINDS; ++first) {
    job_t job = {.kind = (kind_t)first, .key = 7000 + (uint64_t)first, .element = 2,
                 .count = 777, .to = suite->comm->rank, .from = suite->comm->rank};
    blocks_t blocks = make_blocks(suite, &job), others[KINDS];
    job_t other = job;
    other.key += 100;
    for (int second = 0; second < KINDS; ++second) {
      other.kind = (kind_t)second;
      others[second] = make_blocks(suite, &other);
    }
    CHECK_OK(start_job(suite, &job, &blocks));
    for (int second = 0; second < KINDS; ++second) {
      other.kind = (kind_t)second;
      CHECK(start_job(suite, &other, &others[second]) == PRISM_INVALID);
    }
    bulk_suite_finish(suite);
    check_blocks(suite, &job, &blocks);
    for (int second = 0; second < KINDS; ++second) drop_blocks(suite, &others[second]);
  }
  prism_error_clear();
}

/* Refused on every rank before anything starts. */
static void test_bad_arguments(const bulk_suite_t *suite) {
  const prism_bulk_t *bulk = suite->bulk;
  const prism_bulk_ops_t *ops = bulk->ops;
  int32_t rank = suite->comm->rank, size = suite->comm->size;
  uint64_t word[16] = {0};
  void *block = make_block(suite, (const unsigned char *)word, sizeof word);
  prism_buffer_t good = buffer_of(suite, block, 4, 1), all = good, small = good;
  prism_buffer_t other = buffer_of(suite, word, 4, 1), huge = good;
  all.count = (size_t)size;
  small.count = (size_t)size - 1;
  huge.count = SIZE_MAX / 2;
  other.space = ops->space == PRISM_SPACE_HOST ? PRISM_SPACE_DEVICE : PRISM_SPACE_HOST;
  prism_buffer_t other_all = other;
  other_all.count = (size_t)size;
  CHECK(ops->gather(bulk->self, &other, &all) == PRISM_UNSUPPORTED);
  CHECK(ops->gather(bulk->self, &good, &other_all) == PRISM_UNSUPPORTED);
  CHECK(ops->broadcast(bulk->self, &other, 0) == PRISM_UNSUPPORTED);
  CHECK(ops->exchange(bulk->self, &other, rank, &good, rank) == PRISM_UNSUPPORTED);
  CHECK(ops->exchange(bulk->self, &good, rank, &other, rank) == PRISM_UNSUPPORTED);
  CHECK(ops->gather(bulk->self, &good, &small) == PRISM_INVALID);
  CHECK(ops->gather(bulk->self, &huge, &all) == PRISM_INVALID);
  CHECK(ops->broadcast(bulk->self, &huge, 0) == PRISM_INVALID);
  CHECK(ops->broadcast(bulk->self, &good, size) == PRISM_INVALID);
  CHECK(ops->broadcast(bulk->self, &good, -1) == PRISM_INVALID);
  CHECK(ops->exchange(bulk->self, &good, size, &good, 0) == PRISM_INVALID);
  CHECK(ops->exchange(bulk->self, &good, 0, &good, -1) == PRISM_INVALID);
  CHECK(ops->exchange(bulk->self, &huge, rank, &good, rank) == PRISM_INVALID);
  prism_error_clear();
  suite->memory.release(block);
  test_idle(suite);
}

static void test_usage(const bulk_suite_t *suite) {
  const prism_bulk_t *bulk = suite->bulk;
  int32_t rank = suite->comm->rank, size = suite->comm->size;
  for (int kind = 0; kind < KINDS; ++kind) {
    job_t job = {.kind = (kind_t)kind, .key = 9000, .element = 4, .count = 250,
                 .to = (rank + 1) % size, .from = (rank + size - 1) % size};
    uint64_t before = 0, after = 0;
    double seconds_before = -1.0, seconds_after = -1.0;
    int64_t operations_before = -1, operations_after = -1;
    bulk->ops->usage(bulk->self, &before, &seconds_before, &operations_before);
    do_job(suite, &job);
    bulk->ops->usage(bulk->self, &after, &seconds_after, &operations_after);
    bool gives = size > 1 && (job.kind != BROADCAST || rank == job.root);
    CHECK(after - before == (gives ? 1000 : 0));
    CHECK(seconds_before >= 0.0 && seconds_after >= seconds_before);
    CHECK(size == 1 || seconds_after > seconds_before);
    CHECK(operations_after == operations_before + 1);
  }
}

void bulk_suite_run(const bulk_suite_t *suite) {
  CHECK(suite->bulk->ops->name != NULL);
  test_idle(suite);
  test_each(suite);
  test_random(suite);
  test_voted(suite);
  test_second_refused(suite);
  test_bad_arguments(suite);
  test_usage(suite);
  test_idle(suite);
  CHECK_OK(suite->comm->ops->barrier(suite->comm->self));
}
