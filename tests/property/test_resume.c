/* Runs that end and go on: a deterministic run in pieces is the run in one piece, what other
 * islands go on with is legal and known, and a running search can be saved at any time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "model/generate.h"
#include "model/verify.h"
#include "oracle.h"
#include "search/engine_cpu.h"
#include "solve/solve.h"

static const uint64_t seed = 20261404;
static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
enum { MOST_REMARKS = 2048 };

typedef struct session {
  const prism_graph_t *graph;
  prism_params_t params;
  uint64_t seed;
  int32_t islands;
  char path[64];
  prism_persist_config_t persist;
  atomic_int wish, interrupt;
  void (*progress)(struct session *session);
  int64_t calls;
  double elapsed;  /* of the file that was read last */
  int32_t files;   /* read in this invocation */
  bool may_fail;
  prism_status_t status; /* of the last invocation */
  char remarks[MOST_REMARKS];
} session_t;

static void on_progress(void *user, const prism_progress_t *progress) {
  session_t *session = user;
  (void)progress;
  ++session->calls;
  if (session->progress != NULL) session->progress(session);
}

static void on_remark(void *user, const char *text) {
  session_t *session = user;
  size_t used = strlen(session->remarks);
  snprintf(session->remarks + used, sizeof session->remarks - used, "%s\n", text);
}

/* Disks that are forced to write would take most of the time. */
static void name_file(session_t *session, const char *name) {
  const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  snprintf(session->path, sizeof session->path, "%s/prism-%s-%d.h5", folder, name, (int)getpid());
  unlink(session->path);
}

static void session_begin(session_t *session, const prism_graph_t *graph, const char *name) {
  memset(session, 0, sizeof *session);
  session->graph = graph;
  session->seed = 7;
  session->islands = 2;
  prism_params_default(&session->params);
  session->params.reduction.clique_seconds = 0.02;
  session->params.reduction.exact_vertices = 0;
  session->params.initial.strategy = 1; /* natural order: leaves something to do */
  session->params.run.time_limit = 60.0;
  name_file(session, name);
  session->persist = (prism_persist_config_t){.enabled = true, .path = session->path,
                                              .program = "test", .graph_name = "random",
                                              .graph_hash = hash, .wish = &session->wish};
}

static void session_end(session_t *session) {
  char previous[80];
  unlink(session->path);
  snprintf(previous, sizeof previous, "%s.1", session->path);
  unlink(previous);
}

static prism_checkpoint_reader_t *open_file(const session_t *session) {
  prism_checkpoint_reader_t *reader = NULL;
  prism_checkpoint_graph_t graph = {hash, session->graph->n, session->graph->m};
  prism_status_t status = prism_checkpoint_open(session->path, &graph, &reader);
  if (status != PRISM_OK) print_message("%s\n", prism_error_text());
  assert_int_equal(status, PRISM_OK);
  return reader;
}

/* One invocation. [in] resumes  from the session's file */
static prism_result_t invoke(session_t *session, bool resumes) {
  prism_comm_t comm = {0};
  prism_engine_part_t part = {prism_cpu_backend(&session->params.cpu), session->islands};
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  session->persist.resumes = resumes;
  session->persist.resume = resumes ? open_file(session) : NULL;
  session->remarks[0] = '\0';
  prism_solve_config_t config = {.graph = session->graph, .params = &session->params,
                                 .seed = session->seed, .comm = &comm, .part = &part, .parts = 1,
                                 .persist = &session->persist, .start_time = prism_clock_now(),
                                 .interrupt = &session->interrupt, .progress = on_progress,
                                 .remark = on_remark, .user = session};
  prism_result_t result;
  prism_status_t status = session->status = prism_solve(&config, &result);
  prism_checkpoint_close(&session->persist.resume);
  prism_comm_destroy(&comm);
  if (session->may_fail && status != PRISM_OK) {
    assert_true(prism_error_text()[0] != '\0');
    return result;
  }
  if (status != PRISM_OK) print_message("%s\n", prism_error_text());
  assert_int_equal(status, PRISM_OK);
  prism_verdict_t verdict;
  assert_int_equal(prism_verify(session->graph, result.color, &verdict), PRISM_OK);
  assert_true(verdict.legal);
  assert_int_equal(verdict.colors, result.colors);
  assert_true(result.total_time >= result.time);
  assert_true(result.checkpoint_seconds >= 0.0);
  return result;
}

/* ---- deterministic runs ---- */

static void assert_same_island(prism_checkpoint_reader_t *a, prism_checkpoint_reader_t *b,
                               int32_t index) {
  prism_island_state_t x, y;
  assert_int_equal(prism_checkpoint_read_state(a, index, &x), PRISM_OK);
  assert_int_equal(prism_checkpoint_read_state(b, index, &y), PRISM_OK);
  assert_int_equal(x.k, y.k);
  assert_int_equal(x.rows, y.rows);
  assert_int_equal(x.size, y.size);
  assert_memory_equal(x.method, y.method, (size_t)x.rows);
  assert_memory_equal(x.f, y.f, (size_t)x.rows * sizeof *x.f);
  assert_memory_equal(x.color, y.color, (size_t)x.rows * (size_t)x.n * sizeof *x.color);
  assert_memory_equal(x.bytes, y.bytes, x.size);
  prism_island_state_release(&x);
  prism_island_state_release(&y);
}

/* Found in the same order, after as many moves. */
static void assert_same_solutions(prism_checkpoint_reader_t *a, prism_checkpoint_reader_t *b) {
  int32_t n = prism_checkpoint_head(a)->n, *x = NULL, *y = NULL;
  assert_int_equal(PRISM_ALLOC(n, &x), PRISM_OK);
  assert_int_equal(PRISM_ALLOC(n, &y), PRISM_OK);
  assert_int_equal(prism_checkpoint_solutions(a), prism_checkpoint_solutions(b));
  for (int32_t i = 0; i < prism_checkpoint_solutions(a); ++i) {
    prism_solution_row_t row, other;
    assert_int_equal(prism_checkpoint_read_solution(a, i, &row, x), PRISM_OK);
    assert_int_equal(prism_checkpoint_read_solution(b, i, &other, y), PRISM_OK);
    assert_int_equal(row.colors, other.colors);
    assert_int_equal(row.iterations, other.iterations);
    assert_int_equal(row.rank, other.rank);
    assert_memory_equal(x, y, (size_t)n * sizeof *x);
  }
  prism_free(x);
  prism_free(y);
}

static void assert_same_files(const session_t *one, const session_t *other) {
  prism_checkpoint_reader_t *a = open_file(one), *b = open_file(other);
  const prism_checkpoint_head_t *x = prism_checkpoint_head(a), *y = prism_checkpoint_head(b);
  assert_int_equal(x->deterministic, y->deterministic);
  assert_int_equal(x->epoch, y->epoch);
  assert_int_equal(x->iterations, y->iterations);
  assert_int_equal(x->best_k, y->best_k);
  assert_memory_equal(x->best, y->best, (size_t)x->kernel.n * sizeof *x->best);
  assert_memory_equal(x->start.color, y->start.color, (size_t)x->n * sizeof *x->best);
  assert_int_equal(prism_checkpoint_islands(a), one->islands);
  assert_int_equal(prism_checkpoint_islands(b), one->islands);
  for (int32_t i = 0; i < one->islands; ++i) assert_same_island(a, b, i);
  assert_same_solutions(a, b);
  prism_checkpoint_close(&a);
  prism_checkpoint_close(&b);
}

static void assert_same_result(const session_t *session, const prism_result_t *a,
                               const prism_result_t *b) {
  assert_int_equal(a->colors, b->colors);
  assert_int_equal(a->iterations, b->iterations);
  assert_int_equal(a->reason, b->reason);
  assert_int_equal(a->lower_bound, b->lower_bound);
  assert_memory_equal(a->color, b->color, (size_t)session->graph->n * sizeof *a->color);
}

/* Epoch by epoch, each in an invocation of its own. */
static prism_result_t run_in_pieces(session_t *session, int32_t *pieces) {
  prism_result_t result = {0};
  for (*pieces = 0;; ++*pieces) {
    assert_true(*pieces < 200);
    prism_result_release(&result);
    atomic_store(&session->wish, PRISM_WISH_SAVE_STOP);
    result = invoke(session, *pieces > 0);
    assert_int_equal(result.invocations, *pieces + 1);
    assert_null(strstr(session->remarks, "checkpoint"));
    if (result.reason != PRISM_EXIT_CHECKPOINT) return result;
    assert_int_equal(result.checkpoints, 1);
  }
}

static void compare_pieces(const prism_graph_t *graph, int32_t method, int64_t iterations,
                           int32_t round) {
  session_t whole, parts;
  session_begin(&whole, graph, "whole");
  whole.params.run.deterministic = true;
  whole.params.run.max_iterations = iterations;
  whole.params.memetic.method = method;
  whole.params.thermodynamic.enabled = true;
  whole.params.islands.epoch_generations = 2 + round % 3;
  whole.params.memetic.generation_iterations = 300 + 200 * (round % 4);
  whole.params.islands.migration = round % 4 != 3;
  whole.islands = 1 + round % 3;
  whole.seed = (uint64_t)round;
  if (round % 3 == 1) whole.params.run.target = round % 2 == 0 ? 2 : 8;
  parts = whole;
  name_file(&parts, "parts");
  parts.persist.path = parts.path;
  parts.persist.wish = &parts.wish;
  int32_t pieces = 0;
  prism_result_t a = invoke(&whole, false), b = run_in_pieces(&parts, &pieces);
  assert_same_result(&whole, &a, &b);
  assert_int_equal(a.invocations, 1);
  if (a.reason == PRISM_EXIT_ITERATIONS) {
    assert_true(pieces >= 1);
    assert_same_files(&whole, &parts);
  }
  prism_result_release(&a);
  prism_result_release(&b);
  session_end(&whole);
  session_end(&parts);
}

static void pieces_are_the_whole(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int32_t method = 0; method <= PRISM_METHOD_COUNT; ++method)
    for (int32_t round = 0; round < 3; ++round) {
      int32_t n = 40 + (int32_t)prism_rng_below(&rng, 50);
      prism_graph_t *graph = oracle_random_graph(&rng, n, 0.3 + 0.1 * round);
      compare_pieces(graph, method, 12000, round + method);
      prism_graph_destroy(&graph);
    }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- other islands ---- */

/* A random graph, a vertex next to all of it and some that hang on it by one edge: reductions
 * leave the random part alone. */
static prism_graph_t *dressed_graph(prism_rng_t *rng, int32_t core, double p) {
  static int32_t pairs[2 * 128 * 128];
  enum { HANGING = 10 };
  int64_t count = 0;
  int32_t n = core + 1 + HANGING;
  for (int32_t u = 0; u <= core; ++u)
    for (int32_t v = u + 1; v <= core; ++v) {
      if (v < core && prism_rng_uniform(rng) >= p) continue;
      pairs[2 * count] = u;
      pairs[2 * count++ + 1] = v;
    }
  for (int32_t v = core + 1; v < n; ++v) {
    pairs[2 * count] = (int32_t)prism_rng_below(rng, (uint32_t)core);
    pairs[2 * count++ + 1] = v;
  }
  prism_graph_t *graph = NULL;
  assert_int_equal(prism_graph_from_edges(n, pairs, count, NULL, &graph), PRISM_OK);
  return graph;
}

/* From 3 islands to fewer and more, and once more to as many: nothing found is lost, moves are
 * counted on. */
static void change_islands(session_t *session) {
  static const int32_t islands[] = {3, 1, 2, 7, 7};
  int32_t colors = INT32_MAX;
  int64_t iterations = 0;
  bool deterministic = session->params.run.deterministic;
  for (int32_t i = 0; i < 5; ++i) {
    char expected[64];
    session->islands = islands[i];
    atomic_store(&session->wish, PRISM_WISH_SAVE_STOP);
    prism_result_t result = invoke(session, i > 0);
    assert_int_equal(result.reason, PRISM_EXIT_CHECKPOINT);
    assert_int_equal(result.invocations, i + 1);
    assert_true(result.colors <= colors);
    assert_true(result.iterations >= iterations);
    assert_true(result.kernel_vertices <= session->graph->n - 11);
    colors = result.colors;
    iterations = result.iterations;
    prism_result_release(&result);
    snprintf(expected, sizeof expected, "is of %d island%s: the populations are spread over %d",
             islands[i > 0 ? i - 1 : 0], i == 2 ? "" : "s", islands[i]);
    assert_int_equal(strstr(session->remarks, expected) != NULL, i > 0 && i < 4);
    assert_int_equal(strstr(session->remarks, "no longer repeats") != NULL,
                     deterministic && i > 0 && i < 4);
    prism_checkpoint_reader_t *reader = open_file(session);
    const prism_checkpoint_head_t *head = prism_checkpoint_head(reader);
    assert_int_equal(head->iterations, iterations);
    assert_int_equal(head->invocations, i + 1);
    assert_int_equal(head->best_k, colors - 1); /* the universal vertex */
    assert_int_equal(prism_checkpoint_islands(reader), islands[i]);
    prism_checkpoint_close(&reader);
  }
}

static void populations_are_spread(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int32_t round = 0; round < PRISM_METHOD_COUNT + 2; ++round) {
    prism_graph_t *graph = dressed_graph(&rng, 40 + (int32_t)prism_rng_below(&rng, 40), 0.5);
    session_t session;
    session_begin(&session, graph, "spread");
    session.params.run.deterministic = round % 2 == 0;
    session.params.run.max_iterations = 100000000;
    session.params.memetic.method = round % (PRISM_METHOD_COUNT + 1);
    session.params.memetic.generation_iterations = 500;
    change_islands(&session);
    session_end(&session);
    prism_graph_destroy(&graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- saves beside the search ---- */

/* How far it is. */
static double read_whole_file(const session_t *session) {
  prism_checkpoint_reader_t *reader = open_file(session);
  double elapsed = prism_checkpoint_head(reader)->elapsed;
  for (int32_t i = 0; i < prism_checkpoint_islands(reader); ++i) {
    prism_island_state_t state;
    assert_int_equal(prism_checkpoint_read_state(reader, i, &state), PRISM_OK);
    prism_island_state_release(&state);
  }
  prism_checkpoint_close(&reader);
  return elapsed;
}

static bool has_file(const session_t *session) { return access(session->path, F_OK) == 0; }

/* Until it has been replaced a few times. */
static void read_what_is_there(session_t *session) {
  if (!has_file(session)) return;
  double elapsed = read_whole_file(session);
  if (elapsed > session->elapsed) ++session->files;
  session->elapsed = elapsed;
  if (session->files == 2) atomic_store(&session->wish, PRISM_WISH_SAVE_STOP);
}

static void saves_beside_the_search(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  for (int32_t round = 0; round < 2; ++round) {
    prism_graph_t *graph = dressed_graph(&rng, 90, 0.5);
    session_t session;
    session_begin(&session, graph, "beside");
    session.persist.interval = 1e-3;
    session.params.thermodynamic.enabled = true;
    session.params.run.deterministic = round == 1;
    session.params.run.max_iterations = round == 1 ? 1000000000 : 0;
    session.params.memetic.generation_iterations = round == 1 ? 2000 : 0;
    session.progress = read_what_is_there;
    int32_t colors = INT32_MAX;
    for (int32_t i = 0; i < 2; ++i) {
      session.files = 0;
      prism_result_t result = invoke(&session, i > 0);
      assert_int_equal(result.reason, PRISM_EXIT_CHECKPOINT);
      assert_true(result.checkpoints >= 2);
      assert_int_equal(result.checkpoint_failures, 0);
      assert_true(result.colors <= colors);
      colors = result.colors;
      prism_result_release(&result);
      read_whole_file(&session);
    }
    session_end(&session);
    prism_graph_destroy(&graph);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- when ---- */

static void wish_to_save(session_t *session) {
  if (session->calls == 2) atomic_store(&session->wish, PRISM_WISH_SAVE);
  if (has_file(session)) atomic_store(&session->interrupt, 1);
}

static void interrupt_it(session_t *session) { atomic_store(&session->interrupt, 1); }

static void ends_with(session_t *session, bool resumes, prism_exit_t reason, int64_t checkpoints) {
  prism_result_t result = invoke(session, resumes);
  assert_int_equal(result.reason, reason);
  assert_int_equal(result.checkpoints, checkpoints);
  prism_result_release(&result);
  assert_int_equal(has_file(session), checkpoints > 0);
  if (checkpoints > 0) read_whole_file(session);
}

static void saves_when_asked(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, 100, 0.5);
  session_t session;
  for (int32_t fixed = 0; fixed < 2; ++fixed) {
    session_begin(&session, graph, "asked");
    session.params.run.deterministic = fixed == 1;
    session.params.run.max_iterations = fixed == 1 ? 1000000000 : 0;
    session.params.memetic.generation_iterations = fixed == 1 ? 2000 : 0;

    session.progress = wish_to_save;
    ends_with(&session, false, PRISM_EXIT_SIGNAL, 2); /* then, and at the end */
    session_end(&session);

    session.progress = NULL;
    atomic_store(&session.interrupt, 0);
    session.params.run.time_limit = 0.4;
    ends_with(&session, false, PRISM_EXIT_TIME, 1);
    session.persist.total_time = 0.3; /* they are over */
    session.params.run.time_limit = 0.0;
    ends_with(&session, true, PRISM_EXIT_TIME, 1);
    session_end(&session);

    session.persist.total_time = 0.0;
    session.params.run.time_limit = 60.0;
    session.persist.before = 59.7;
    ends_with(&session, false, PRISM_EXIT_CHECKPOINT, 1);
    session_end(&session);

    session.persist.before = 0.0;
    session.progress = interrupt_it;
    ends_with(&session, false, PRISM_EXIT_SIGNAL, 1);
    session_end(&session);
  }
  session.progress = NULL;
  atomic_store(&session.interrupt, 0);
  session.params.run.target = 60; /* the first coloring has fewer */
  ends_with(&session, false, PRISM_EXIT_TARGET, 0);
  session.persist.enabled = false;
  session.params.run.target = 0;
  session.params.run.time_limit = 0.2;
  ends_with(&session, false, PRISM_EXIT_TIME, 0);
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- files that lie ---- */

/* Where a copy differs from what was saved. */
typedef enum lie {
  LIE_WORDS, LIE_BEST, LIE_START, LIE_BOUND, LIE_KERNEL, LIE_BYTES, LIES,
  OTHER_DEVICE /* islands of an engine that is not here */
} lie_t;

/* Under a checksum that fits. */
static void change_bytes(prism_rng_t *rng, uint8_t *bytes, size_t size) {
  prism_pack_t pack = {.data = NULL};
  uint8_t *packed = NULL;
  if (size <= 8) return;
  for (uint32_t i = 1 + prism_rng_below(rng, 3); i > 0; --i)
    bytes[prism_rng_below(rng, (uint32_t)size - 8)] ^= (uint8_t)(1u << prism_rng_below(rng, 8));
  prism_pack_bytes(&pack, bytes, size - 8);
  assert_int_equal(prism_pack_finish(&pack, &packed, &size), PRISM_OK);
  memcpy(bytes, packed, size);
  prism_free(packed);
}

static void change_color(prism_rng_t *rng, int32_t *color, int32_t n, int32_t k) {
  color[prism_rng_below(rng, (uint32_t)n)] = (int32_t)prism_rng_below(rng, (uint32_t)k);
}

static void change_head(prism_rng_t *rng, lie_t lie, prism_checkpoint_head_t *head,
                        const session_t *session, int32_t *scratch) {
  head->params = &session->params;
  size_t bytes = sizeof *scratch;
  if (lie == LIE_BEST) {
    memcpy(scratch, head->best, (size_t)head->kernel.n * bytes);
    for (int i = 0; i < 5; ++i) change_color(rng, scratch, head->kernel.n, head->best_k);
    head->best = scratch;
  } else if (lie == LIE_START) {
    memcpy(scratch, head->start.color, (size_t)head->n * bytes);
    for (int i = 0; i < 5; ++i) change_color(rng, scratch, head->n, head->start.colors);
    head->start.color = scratch;
  } else if (lie == LIE_BOUND) {
    head->start.lower_bound += 1 + (int32_t)prism_rng_below(rng, 3);
  } else if (lie == LIE_KERNEL) {
    head->kernel.lower_bound += 1 + (int32_t)prism_rng_below(rng, 40);
  }
}

/* The session's file again, with a lie in it. */
static void forge(session_t *session, prism_rng_t *rng, lie_t lie) {
  prism_checkpoint_reader_t *reader = open_file(session);
  prism_checkpoint_head_t head = *prism_checkpoint_head(reader);
  int32_t *scratch = NULL;
  assert_int_equal(PRISM_ALLOC(head.n, &scratch), PRISM_OK);
  change_head(rng, lie, &head, session, scratch);
  prism_checkpoint_t *copy = NULL;
  assert_int_equal(prism_checkpoint_begin(session->path, &head, &copy), PRISM_OK);
  for (int32_t i = 0; i < prism_checkpoint_islands(reader); ++i) {
    const prism_checkpoint_island_t *island = prism_checkpoint_island_at(reader, i);
    prism_island_state_t state;
    assert_int_equal(prism_checkpoint_read_state(reader, i, &state), PRISM_OK);
    if (lie == LIE_BYTES) change_bytes(rng, state.bytes, state.size);
    if (lie == OTHER_DEVICE) snprintf(state.engine, sizeof state.engine, "elsewhere");
    assert_int_equal(prism_checkpoint_state(copy, island->id, island->rank, &state), PRISM_OK);
    prism_island_state_release(&state);
  }
  int64_t iterations = 0;
  uint8_t *bytes = NULL;
  size_t size = 0;
  assert_int_equal(prism_checkpoint_read_rank(reader, 0, &iterations, &bytes, &size), PRISM_OK);
  if (lie == LIE_WORDS) change_bytes(rng, bytes, size);
  assert_int_equal(prism_checkpoint_rank(copy, 0, iterations, bytes, size), PRISM_OK);
  assert_int_equal(prism_checkpoint_commit(&copy, NULL), PRISM_OK);
  prism_free(bytes);
  prism_free(scratch);
  prism_checkpoint_close(&reader);
}

/* Refused with a reason, or of no consequence: never a crash or a wrong result. */
static void lies_do_no_harm(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 5, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = dressed_graph(&rng, 50, 0.5);
  enum { TRIALS = 8 };
  int refused[LIES] = {0};
  for (int round = 0; round < TRIALS * LIES; ++round) {
    lie_t lie = (lie_t)(round % LIES);
    session_t session;
    session_begin(&session, graph, "lie");
    session.params.run.deterministic = true;
    session.params.run.max_iterations = 20000;
    session.params.memetic.generation_iterations = 300;
    session.params.thermodynamic.enabled = true;
    atomic_store(&session.wish, PRISM_WISH_SAVE_STOP);
    prism_result_t result = invoke(&session, false);
    prism_result_release(&result);
    forge(&session, &rng, lie);
    session.may_fail = true;
    result = invoke(&session, true);
    if (session.status == PRISM_OK) assert_true(result.colors > 0);
    if (session.status != PRISM_OK) ++refused[lie];
    assert_true(session.status == PRISM_OK || session.status == PRISM_FORMAT);
    prism_result_release(&result);
    session_end(&session);
  }
  print_message("refused: words %d, best %d, start %d, bound %d, kernel %d, bytes %d of %d\n",
                refused[LIE_WORDS], refused[LIE_BEST], refused[LIE_START], refused[LIE_BOUND],
                refused[LIE_KERNEL], refused[LIE_BYTES], TRIALS);
  assert_int_equal(refused[LIE_BOUND], TRIALS);
  assert_int_equal(refused[LIE_KERNEL], TRIALS);
  assert_true(refused[LIE_BEST] > 0 && refused[LIE_START] > 0 && refused[LIE_WORDS] > 0);
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Populations are starts for the islands that are here, and the user hears of it. */
static void another_device_goes_on(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 6, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = dressed_graph(&rng, 60, 0.5);
  for (int fixed = 0; fixed < 2; ++fixed) {
    session_t session;
    session_begin(&session, graph, "device");
    session.params.run.deterministic = fixed == 1;
    session.params.run.max_iterations = 100000000;
    session.params.memetic.generation_iterations = 500;
    atomic_store(&session.wish, PRISM_WISH_SAVE_STOP);
    prism_result_t first = invoke(&session, false);
    forge(&session, &rng, OTHER_DEVICE);
    atomic_store(&session.wish, PRISM_WISH_SAVE_STOP);
    prism_result_t second = invoke(&session, true);
    assert_non_null(strstr(session.remarks, "the checkpoint is of another device: its populations "
                                            "are starts for this one"));
    assert_int_equal(strstr(session.remarks, "no longer repeats") != NULL, fixed);
    assert_int_equal(second.invocations, 2);
    assert_true(second.colors <= first.colors && second.iterations >= first.iterations);
    prism_result_release(&first);
    prism_result_release(&second);
    session_end(&session);
  }
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Where nothing can be written the search goes on, and says so once. */
static void survives_a_bad_disk(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 4, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, 100, 0.5);
  session_t session;
  session_begin(&session, graph, "bad");
  session.persist.path = "/nowhere/to/be/found.h5";
  session.persist.interval = 0.02;
  session.params.run.time_limit = 0.5;
  prism_result_t result = invoke(&session, false);
  assert_int_equal(result.checkpoints, 0);
  assert_true(result.checkpoint_failures > 0);
  const char *first = strstr(session.remarks, "no checkpoint could be written: ");
  assert_non_null(first);
  assert_non_null(strstr(first, "/nowhere/to/be/found.h5"));
  assert_null(strstr(first + 1, "no checkpoint"));
  prism_result_release(&result);
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pieces_are_the_whole),    cmocka_unit_test(populations_are_spread),
      cmocka_unit_test(saves_beside_the_search), cmocka_unit_test(saves_when_asked),
      cmocka_unit_test(lies_do_no_harm),         cmocka_unit_test(another_device_goes_on),
      cmocka_unit_test(survives_a_bad_disk),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
