#include "comm_suite.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

static const double hang_guard = 60.0;

void comm_suite_fail(const comm_suite_t *suite, const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: rank %d of %d (%s): check failed: %s\n  last error: %s\n%s", file, line,
          suite->comm->rank, suite->comm->size, suite->comm->ops->name, what, prism_error_text(),
          prism_error_trace());
  suite->abandon();
}

#define CHECK(condition) SUITE_CHECK(suite, condition)
#define CHECK_OK(call) CHECK((call) == PRISM_OK)

static void *get_block(const comm_suite_t *suite, size_t bytes) {
  void *block = NULL;
  CHECK_OK(prism_alloc_zero_bytes(bytes, 1, &block));
  return block;
}

/* Byte number `at` of a pattern that belongs to `key`. */
static unsigned char pattern(uint64_t key, size_t at) {
  return (unsigned char)((key * 131u + at * 7u + (at >> 8) * 3u + 11u) & 0xFFu);
}

static void fill(unsigned char *data, size_t bytes, uint64_t key) {
  for (size_t i = 0; i < bytes; ++i) data[i] = pattern(key, i);
}

static int is_filled(const unsigned char *data, size_t bytes, uint64_t key) {
  for (size_t i = 0; i < bytes; ++i) {
    if (data[i] != pattern(key, i)) return 0;
  }
  return 1;
}

static const size_t counts[] = {0, 1, 2, 7, 128, 1000, 4099};
enum { COUNTS = sizeof counts / sizeof counts[0] };

static void test_allreduce_i64(const comm_suite_t *suite, int alias) {
  const prism_comm_t *comm = suite->comm;
  int64_t ranks = comm->size, sum = ranks * (ranks + 1) / 2;
  for (size_t c = 0; c < COUNTS; ++c) {
    int64_t *in = get_block(suite, counts[c] * sizeof *in);
    int64_t *out = alias ? in : get_block(suite, counts[c] * sizeof *out);
    for (int op = PRISM_REDUCE_MIN; op <= PRISM_REDUCE_SUM; ++op) {
      for (size_t i = 0; i < counts[c]; ++i) in[i] = (comm->rank + 1) * ((int64_t)i - 50);
      CHECK_OK(comm->ops->allreduce_i64(comm->self, in, out, counts[c], (prism_reduce_t)op));
      for (size_t i = 0; i < counts[c]; ++i) {
        int64_t base = (int64_t)i - 50, far = base * ranks;
        int64_t least = base < far ? base : far, most = base < far ? far : base;
        int64_t want = op == PRISM_REDUCE_MIN ? least : op == PRISM_REDUCE_MAX ? most : base * sum;
        CHECK(out[i] == want);
        if (!alias) CHECK(in[i] == (comm->rank + 1) * base);
      }
    }
    if (!alias) prism_free(out);
    prism_free(in);
  }
  int64_t edge = comm->rank == comm->size - 1 ? INT64_MIN : INT64_MAX, got = 0;
  CHECK_OK(comm->ops->allreduce_i64(comm->self, &edge, &got, 1, PRISM_REDUCE_MIN));
  CHECK(got == INT64_MIN);
  edge = comm->rank == 0 ? INT64_MAX : INT64_MIN;
  CHECK_OK(comm->ops->allreduce_i64(comm->self, &edge, &got, 1, PRISM_REDUCE_MAX));
  CHECK(got == INT64_MAX);
  CHECK(comm->ops->allreduce_i64(comm->self, &edge, &got, 1, (prism_reduce_t)99) ==
        PRISM_INVALID);
}

static void test_allreduce_f64(const comm_suite_t *suite, int alias) {
  const prism_comm_t *comm = suite->comm;
  double sum = 0.5 * comm->size * (comm->size + 1);
  for (size_t c = 0; c < COUNTS; ++c) {
    double *in = get_block(suite, counts[c] * sizeof *in);
    double *out = alias ? in : get_block(suite, counts[c] * sizeof *out);
    for (int op = PRISM_REDUCE_MIN; op <= PRISM_REDUCE_SUM; ++op) {
      /* Quarters of small integers: every sum is exact. */
      for (size_t i = 0; i < counts[c]; ++i) in[i] = 0.25 * (comm->rank + 1) * (double)(i + 1);
      CHECK_OK(comm->ops->allreduce_f64(comm->self, in, out, counts[c], (prism_reduce_t)op));
      for (size_t i = 0; i < counts[c]; ++i) {
        double factor = op == PRISM_REDUCE_MIN ? 1.0 : op == PRISM_REDUCE_MAX ? comm->size : sum;
        double error = out[i] - 0.25 * factor * (double)(i + 1);
        CHECK(error >= 0.0 && error <= 0.0);
      }
    }
    if (!alias) prism_free(out);
    prism_free(in);
  }
  /* A sum that must be rounded still has the same bits on every rank. */
  double third = (comm->rank + 1) / 3.0, mine = 0.0, first = 0.0;
  CHECK_OK(comm->ops->allreduce_f64(comm->self, &third, &mine, 1, PRISM_REDUCE_SUM));
  first = mine;
  CHECK_OK(comm->ops->bcast(comm->self, &first, sizeof first, 0));
  CHECK(memcmp(&first, &mine, sizeof mine) == 0);
}

static void test_argmin(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  int64_t value = 0;
  int32_t rank = -1;
  CHECK_OK(comm->ops->argmin_i64(comm->self, 42, &value, &rank));
  CHECK(value == 42 && rank == 0);
  for (int32_t winner = 0; winner < comm->size; ++winner) {
    int64_t mine = comm->rank >= winner ? INT64_MIN + 3 : INT64_MAX; /* ties above the winner */
    CHECK_OK(comm->ops->argmin_i64(comm->self, mine, &value, &rank));
    CHECK(value == INT64_MIN + 3 && rank == winner);
    mine = comm->rank == winner ? -7 : comm->rank;
    CHECK_OK(comm->ops->argmin_i64(comm->self, mine, &value, &rank));
    CHECK(value == -7 && rank == winner);
  }
}

static const size_t sizes[] = {0, 1, 13, 64, 999, 1000, 1001, 20011};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void test_bcast(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  for (int32_t root = 0; root < comm->size; ++root) {
    for (size_t s = 0; s < SIZES; ++s) {
      unsigned char *data = get_block(suite, sizes[s] + 1);
      if (comm->rank == root) fill(data, sizes[s], (uint64_t)root + s);
      data[sizes[s]] = 0xA5;
      CHECK_OK(comm->ops->bcast(comm->self, data, sizes[s], root));
      CHECK(is_filled(data, sizes[s], (uint64_t)root + s));
      CHECK(data[sizes[s]] == 0xA5); /* nothing behind the end */
      prism_free(data);
    }
  }
  CHECK_OK(comm->ops->bcast(comm->self, NULL, 0, 0));
  CHECK(comm->ops->bcast(comm->self, NULL, 0, comm->size) == PRISM_INVALID);
  CHECK(comm->ops->bcast(comm->self, NULL, 0, -1) == PRISM_INVALID);
}

static void test_allgather(const comm_suite_t *suite, int alias) {
  const prism_comm_t *comm = suite->comm;
  for (size_t s = 0; s < SIZES; ++s) {
    size_t bytes = sizes[s], all = bytes * (size_t)comm->size;
    unsigned char *out = get_block(suite, all + 1);
    unsigned char *in =
        alias ? out + (size_t)comm->rank * bytes : (unsigned char *)get_block(suite, bytes);
    fill(in, bytes, (uint64_t)comm->rank);
    out[all] = 0x5A;
    CHECK_OK(comm->ops->allgather(comm->self, in, out, bytes));
    for (int32_t r = 0; r < comm->size; ++r)
      CHECK(is_filled(out + (size_t)r * bytes, bytes, (uint64_t)r));
    CHECK(out[all] == 0x5A);
    if (!alias) prism_free(in);
    prism_free(out);
  }
}

static prism_buffer_t host_buffer(void *data, size_t element, size_t count) {
  return (prism_buffer_t){.data = data, .space = PRISM_SPACE_HOST, .element_bytes = element,
                          .count = count, .stream = NULL};
}

/* Around the ring by `step` ranks; 0 is the own rank. */
static void exchange_step(const comm_suite_t *suite, int32_t step, size_t element, size_t count) {
  const prism_comm_t *comm = suite->comm;
  int32_t to = (comm->rank + step) % comm->size;
  int32_t from = (comm->rank + comm->size - step) % comm->size;
  size_t bytes = element * count;
  unsigned char *out = get_block(suite, bytes), *in = get_block(suite, bytes + 1);
  fill(out, bytes, (uint64_t)comm->rank * 17);
  in[bytes] = 0x77;
  prism_buffer_t send = host_buffer(out, element, count);
  prism_buffer_t receive = host_buffer(in, element, count);
  CHECK_OK(comm->ops->exchange(comm->self, &send, to, &receive, from));
  CHECK(is_filled(in, bytes, (uint64_t)from * 17));
  CHECK(in[bytes] == 0x77);
  prism_free(in);
  prism_free(out);
}

static void test_exchange(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  for (int32_t step = 0; step < comm->size; ++step) {
    exchange_step(suite, step, 4, 0);
    exchange_step(suite, step, 1, 1);
    exchange_step(suite, step, 4, 1023);
    exchange_step(suite, step, 3, 12345);
  }
  /* Refused on every rank before anything is sent. */
  int32_t word = 0;
  prism_buffer_t host = host_buffer(&word, 4, 1), device = host, huge = host;
  device.space = PRISM_SPACE_DEVICE;
  huge.count = SIZE_MAX / 2;
  CHECK(comm->ops->exchange(comm->self, &device, 0, &host, 0) == PRISM_UNSUPPORTED);
  CHECK(comm->ops->exchange(comm->self, &host, 0, &device, 0) == PRISM_UNSUPPORTED);
  CHECK(comm->ops->exchange(comm->self, &huge, comm->rank, &host, comm->rank) == PRISM_INVALID);
  CHECK(comm->ops->exchange(comm->self, &host, comm->size, &host, 0) == PRISM_INVALID);
  CHECK(comm->ops->exchange(comm->self, &host, 0, &host, -1) == PRISM_INVALID);
}

static void test_agree(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  char text[64];
  CHECK_OK(comm->ops->agree(comm->self, PRISM_OK));
  for (int32_t bad = 0; bad < comm->size; ++bad) {
    for (int code = PRISM_OK + 1; code < PRISM_STATUS_COUNT; ++code) {
      prism_status_t mine = comm->rank == bad ? (prism_status_t)code : PRISM_OK;
      prism_error_clear();
      snprintf(text, sizeof text, "case %d of rank %d", code, bad);
      if (mine != PRISM_OK) prism_error_set(mine, text);
      CHECK(comm->ops->agree(comm->self, mine) == (prism_status_t)code);
      CHECK(strstr(prism_error_text(), text) != NULL);
    }
  }
  /* All fail alike: the lowest rank speaks. */
  snprintf(text, sizeof text, "voice of %d", comm->rank);
  prism_error_set(PRISM_IO, text);
  CHECK(comm->ops->agree(comm->self, PRISM_IO) == PRISM_IO);
  CHECK(strcmp(prism_error_text(), "voice of 0") == 0);
  /* The worst wins, wherever it is, and its text comes with it. */
  int last = comm->rank == comm->size - 1;
  prism_error_set(PRISM_MEMORY, last ? "no memory" : "bad file");
  CHECK(comm->ops->agree(comm->self, last ? PRISM_MEMORY : PRISM_FORMAT) == PRISM_MEMORY);
  CHECK(strstr(prism_error_text(), "no memory") != NULL);
  /* A failure without words gets the meaning of its code. */
  prism_error_clear();
  if (comm->size > 1) {
    CHECK(comm->ops->agree(comm->self, PRISM_STORAGE) == PRISM_STORAGE);
    CHECK(prism_error_text()[0] != '\0');
  }
  prism_error_clear();
}

/* Next message, waited for. */
static prism_message_t take(const comm_suite_t *suite, const void **data) {
  const prism_comm_t *comm = suite->comm;
  double start = prism_clock_now();
  prism_message_t message;
  for (;;) {
    CHECK_OK(comm->ops->poll(comm->self, &message, data));
    if (message.from >= 0) return message;
    CHECK(message.from == -1 && *data == NULL);
    CHECK(prism_clock_now() - start < hang_guard);
    prism_clock_sleep(2e-5);
  }
}

/* No rank has a message left. */
static void check_quiet(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  prism_message_t message;
  const void *data = &message;
  CHECK_OK(comm->ops->barrier(comm->self));
  CHECK_OK(comm->ops->poll(comm->self, &message, &data));
  CHECK(message.from == -1 && data == NULL);
  CHECK_OK(comm->ops->barrier(comm->self));
}

enum { RANDOM_MESSAGES = 120 };

static uint64_t message_key(int32_t from, int32_t to, int32_t serial) {
  return (uint64_t)from * 1000003u + (uint64_t)to * 1009u + (uint64_t)serial;
}

/* Every rank sends messages of random length and tag to random ranks; the serial
 * number of a message for its receiver is its first word. */
static void test_random_messages(const comm_suite_t *suite, size_t longest) {
  const prism_comm_t *comm = suite->comm;
  size_t ranks = (size_t)comm->size;
  prism_rng_t rng = prism_rng_stream(suite->seed, longest, (uint32_t)comm->rank, PRISM_RNG_TEST);
  unsigned char *block = get_block(suite, longest + sizeof(int32_t));
  int64_t *sent = get_block(suite, ranks * sizeof *sent);
  int64_t *all = get_block(suite, ranks * ranks * sizeof *all);
  for (int m = 0; m < RANDOM_MESSAGES; ++m) {
    int32_t to = (int32_t)prism_rng_below(&rng, (uint32_t)comm->size);
    int32_t serial = (int32_t)sent[to]++;
    size_t bytes = prism_rng_below(&rng, (uint32_t)longest + 1);
    memcpy(block, &serial, sizeof serial);
    fill(block + sizeof serial, bytes, message_key(comm->rank, to, serial));
    CHECK_OK(comm->ops->post(comm->self, to, serial & 0xFF, block, bytes + sizeof serial));
    memset(block, 0xEE, bytes); /* the caller's buffer is free again */
  }
  CHECK_OK(comm->ops->allgather(comm->self, sent, all, ranks * sizeof *sent));
  int64_t expected = 0;
  for (size_t r = 0; r < ranks; ++r) expected += all[r * ranks + (size_t)comm->rank];
  memset(sent, 0, ranks * sizeof *sent); /* now: next serial from each rank */
  for (int64_t m = 0; m < expected; ++m) {
    const void *data = NULL;
    prism_message_t message = take(suite, &data);
    int32_t serial = -1;
    CHECK(message.from < comm->size && message.bytes >= sizeof serial);
    memcpy(&serial, data, sizeof serial);
    CHECK(serial == sent[message.from]++); /* in order */
    CHECK(message.tag == (serial & 0xFF));
    CHECK(is_filled((const unsigned char *)data + sizeof serial, message.bytes - sizeof serial,
                    message_key(message.from, comm->rank, serial)));
  }
  prism_free(all);
  prism_free(sent);
  prism_free(block);
  check_quiet(suite);
}

static void test_messages(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  int32_t next = (comm->rank + 1) % comm->size;
  int32_t previous = (comm->rank + comm->size - 1) % comm->size;
  const void *data = NULL;
  check_quiet(suite);
  /* An empty message, and messages while collectives go on. */
  CHECK_OK(comm->ops->post(comm->self, next, 0, NULL, 0));
  CHECK_OK(comm->ops->barrier(comm->self));
  int32_t word = comm->rank * 100;
  CHECK_OK(comm->ops->post(comm->self, next, PRISM_TAG_MAX, &word, sizeof word));
  test_argmin(suite);
  prism_message_t message = take(suite, &data);
  CHECK(message.from == previous && message.tag == 0 && message.bytes == 0 && data != NULL);
  message = take(suite, &data);
  CHECK(message.from == previous && message.tag == PRISM_TAG_MAX);
  CHECK(message.bytes == sizeof word && *(const int32_t *)data == previous * 100);
  CHECK(comm->ops->post(comm->self, next, -1, &word, sizeof word) == PRISM_INVALID);
  CHECK(comm->ops->post(comm->self, next, PRISM_TAG_MAX + 1, &word, sizeof word) == PRISM_INVALID);
  CHECK(comm->ops->post(comm->self, comm->size, 0, &word, sizeof word) == PRISM_INVALID);
  CHECK(comm->ops->post(comm->self, PRISM_ANY_RANK, 0, &word, sizeof word) == PRISM_INVALID);
  check_quiet(suite);
  test_random_messages(suite, 60);
  test_random_messages(suite, suite->longest / 100);
}

/* Long messages cross: MPI must not need the receiver to look first. */
static void test_long_messages(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  const size_t bytes = suite->longest;
  unsigned char *block = get_block(suite, bytes);
  for (int32_t r = 0; r < comm->size; ++r) {
    fill(block, bytes, message_key(comm->rank, r, 5));
    CHECK_OK(comm->ops->post(comm->self, r, 9, block, bytes));
  }
  prism_free(block);
  CHECK_OK(comm->ops->barrier(comm->self));
  for (int32_t r = 0; r < comm->size; ++r) {
    const void *data = NULL;
    prism_message_t message = take(suite, &data);
    CHECK(message.tag == 9 && message.bytes == bytes);
    CHECK(is_filled(data, bytes, message_key(message.from, comm->rank, 5)));
  }
  check_quiet(suite);
}

static int64_t vote_of(int32_t round, int32_t rank) {
  uint64_t mixed = ((uint64_t)round * 31 + (uint64_t)rank + 1) * UINT64_C(0x9E3779B97F4A7C15);
  return round == 0 ? INT64_MIN + rank : round == 1 ? INT64_MAX - rank : (int64_t)mixed;
}

static int64_t least_vote(const comm_suite_t *suite, int32_t round) {
  int64_t least = INT64_MAX;
  for (int32_t r = 0; r < suite->comm->size; ++r) {
    if (vote_of(round, r) < least) least = vote_of(round, r);
  }
  return least;
}

static void count_vote(const comm_suite_t *suite, int64_t want) {
  const prism_comm_t *comm = suite->comm;
  double start = prism_clock_now();
  bool done = false;
  int64_t least = want ^ 1;
  for (;;) {
    CHECK_OK(comm->ops->counted(comm->self, &done, &least));
    if (done) break;
    CHECK(least == (want ^ 1)); /* nothing is said before the end */
    CHECK(prism_clock_now() - start < hang_guard);
    prism_clock_sleep(2e-5);
  }
  CHECK(least == want);
}

/* A vote does not end before the last rank has cast, and nobody waits for that rank. */
static void test_late_vote(const comm_suite_t *suite, int32_t late, int32_t round) {
  const prism_comm_t *comm = suite->comm;
  bool done = false;
  int64_t least = 0;
  CHECK_OK(comm->ops->barrier(comm->self));
  if (comm->rank != late) {
    CHECK_OK(comm->ops->cast(comm->self, vote_of(round, comm->rank)));
    CHECK(comm->ops->cast(comm->self, 0) == PRISM_INVALID);
    for (int i = 0; i < 50; ++i) {
      CHECK_OK(comm->ops->counted(comm->self, &done, &least));
      CHECK(!done);
      prism_clock_sleep(2e-5);
    }
  }
  CHECK_OK(comm->ops->barrier(comm->self));
  if (comm->rank == late) CHECK_OK(comm->ops->cast(comm->self, vote_of(round, late)));
  /* It gets on in whatever is called. */
  double start = prism_clock_now();
  while (comm->rank == 0 && prism_clock_now() - start < 0.002)
    CHECK_OK(comm->ops->heartbeat(comm->self));
  count_vote(suite, least_vote(suite, round));
  count_vote(suite, least_vote(suite, round)); /* the answer stays */
}

enum { VOTE_ROUNDS = 200 };

/* Many rounds, with ranks that come late, and collectives and messages between casting and
 * counting. */
static void test_mixed_votes(const comm_suite_t *suite, int32_t first) {
  const prism_comm_t *comm = suite->comm;
  prism_rng_t common = prism_rng_stream(suite->seed, 1000, 0, PRISM_RNG_TEST);
  prism_rng_t own = prism_rng_stream(suite->seed, 1001, (uint32_t)comm->rank, PRISM_RNG_TEST);
  int32_t next = (comm->rank + 1) % comm->size;
  for (int32_t round = first; round < first + VOTE_ROUNDS; ++round) {
    if (prism_rng_below(&own, 8) == 0) prism_clock_sleep(1e-6 * prism_rng_below(&own, 1000));
    CHECK_OK(comm->ops->cast(comm->self, vote_of(round, comm->rank)));
    uint32_t what = prism_rng_below(&common, 4);
    int64_t sum = 1;
    const void *data = NULL;
    if (what == 0) CHECK_OK(comm->ops->allreduce_i64(comm->self, &sum, &sum, 1, PRISM_REDUCE_SUM));
    if (what == 1) CHECK_OK(comm->ops->post(comm->self, next, 7, &round, sizeof round));
    if (what == 0) CHECK(sum == comm->size);
    count_vote(suite, least_vote(suite, round));
    if (what != 1) continue;
    prism_message_t message = take(suite, &data);
    CHECK(message.tag == 7 && *(const int32_t *)data == round);
  }
}

static void test_votes(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  bool done = false;
  int64_t least = 42;
  CHECK_OK(comm->ops->counted(comm->self, &done, &least));
  CHECK(done && least == 42); /* none yet */
  int32_t round = 0;
  for (; round < 2; ++round) {
    CHECK_OK(comm->ops->cast(comm->self, vote_of(round, comm->rank)));
    CHECK(comm->ops->cast(comm->self, 0) == PRISM_INVALID);
    count_vote(suite, least_vote(suite, round));
  }
  for (int32_t late = 0; late < comm->size && comm->size > 1; ++late)
    test_late_vote(suite, late, round++);
  test_mixed_votes(suite, round);
  check_quiet(suite);
}

static void test_usage(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  uint64_t before = 0, after = 0;
  double seconds_before = -1.0, seconds_after = -1.0;
  int64_t values[4] = {1, 2, 3, 4};
  comm->ops->usage(comm->self, &before, &seconds_before);
  CHECK_OK(comm->ops->allreduce_i64(comm->self, values, values, 4, PRISM_REDUCE_SUM));
  comm->ops->usage(comm->self, &after, &seconds_after);
  CHECK(after - before == (strcmp(comm->ops->name, "self") == 0 ? 0 : sizeof values));
  CHECK(seconds_before >= 0.0 && seconds_after >= seconds_before);
}

void comm_suite_run(const comm_suite_t *suite) {
  const prism_comm_t *comm = suite->comm;
  CHECK(comm->size >= 1 && comm->rank >= 0 && comm->rank < comm->size);
  CHECK_OK(comm->ops->barrier(comm->self));
  for (int alias = 0; alias < 2; ++alias) {
    test_allreduce_i64(suite, alias);
    test_allreduce_f64(suite, alias);
    test_allgather(suite, alias);
  }
  test_argmin(suite);
  test_bcast(suite);
  test_exchange(suite);
  test_agree(suite);
  test_messages(suite);
  test_long_messages(suite);
  test_votes(suite);
  test_usage(suite);
  CHECK_OK(comm->ops->heartbeat(comm->self));
  CHECK_OK(comm->ops->check_peers(comm->self));
  check_quiet(suite);
}
