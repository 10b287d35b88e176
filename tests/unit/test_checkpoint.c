/* The checkpoint file: what is written is what is read, one that is not whole is refused, and
 * a writer that is killed or finds the disk full leaves the last file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "solve/checkpoint.h"
#include "store_fixture.h"
#include "temp_file.h"

/* ---- Random contents, made again from the same seed for comparison ------------------------ */

typedef struct sample_rank {
  int64_t iterations;
  uint8_t *bytes;
  size_t size;
} sample_rank_t;

typedef struct sample {
  prism_checkpoint_head_t head;
  prism_params_t params;
  char name[32];
  int32_t *removed, *partner, *map, *clique, *start, *best;
  int32_t solutions;
  prism_solution_row_t *row;
  int32_t *color; /* [solutions][n] */
  int32_t islands;
  int32_t *id, *rank_of;
  prism_island_state_t *state;
  sample_rank_t *rank;
} sample_t;

typedef struct shape {
  int32_t n, removed, bound, solutions, islands, rows, ranks;
  size_t bytes; /* at most, of an island or a rank */
} shape_t;

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *seed) {
  uint64_t x = *seed += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* low .. high */
static int32_t between(uint64_t *seed, int32_t low, int32_t high) {
  return low + (int32_t)(draw(seed) % (uint64_t)(high - low + 1));
}

static void *room(size_t count, size_t size) {
  void *block = NULL;
  assert_int_equal(prism_alloc_zero_bytes(count, size, &block), PRISM_OK);
  return block;
}

static int32_t *random_colors(uint64_t *seed, size_t count, int32_t least, int32_t most) {
  int32_t *color = room(count, sizeof *color);
  for (size_t i = 0; i < count; ++i) color[i] = between(seed, least, most);
  return color;
}

static uint8_t *random_bytes(uint64_t *seed, size_t size) {
  uint8_t *bytes = room(size, 1);
  for (size_t i = 0; i < size; ++i) bytes[i] = (uint8_t)draw(seed);
  return bytes;
}

/* Random removals that can be lifted: a partner is removed later, or never. */
static void make_kernel(sample_t *self, const shape_t *shape, uint64_t *seed) {
  int32_t n = shape->n, kept = n - shape->removed;
  int32_t *order = room((size_t)n, sizeof *order);
  bool *gone = room((size_t)n, sizeof *gone);
  for (int32_t v = 0; v < n; ++v) order[v] = v;
  for (int32_t v = n - 1; v > 0; --v) {
    int32_t u = between(seed, 0, v), swap = order[v];
    order[v] = order[u];
    order[u] = swap;
  }
  self->removed = room((size_t)shape->removed, sizeof(int32_t));
  self->partner = room((size_t)shape->removed, sizeof(int32_t));
  self->map = room((size_t)kept, sizeof(int32_t));
  for (int32_t i = 0; i < shape->removed; ++i) {
    self->removed[i] = order[i];
    gone[order[i]] = true;
    bool partner = i + 1 < n && draw(seed) % 2 == 0;
    self->partner[i] = partner ? order[between(seed, i + 1, n - 1)] : between(seed, -2, -1);
  }
  int32_t at = 0;
  for (int32_t v = 0; v < n; ++v)
    if (!gone[v]) self->map[at++] = v;
  assert_int_equal(at, kept);
  self->head.kernel = (prism_checkpoint_kernel_t){
      .lower_bound = between(seed, 0, n), .n = kept, .removed = shape->removed,
      .vertex = self->removed, .partner = self->partner};
  prism_free(order);
  prism_free(gone);
}

static void make_head(sample_t *self, const shape_t *shape, uint64_t *seed) {
  prism_checkpoint_head_t *head = &self->head;
  int32_t n = shape->n, kept = n - shape->removed;
  int32_t bound = shape->bound < n ? shape->bound : n;
  prism_params_default(&self->params);
  self->params.run.peer_timeout = 12.5;
  snprintf(self->name, sizeof self->name, "gr\xc3\xa4ph_%d", n);
  snprintf(head->graph_hash, sizeof head->graph_hash, "%016llx%016llx%016llx%016llx",
           (unsigned long long)draw(seed), (unsigned long long)draw(seed),
           (unsigned long long)draw(seed), (unsigned long long)draw(seed));
  head->program = "prism-dist test";
  head->created = "2026-11-21T01:42:07.123Z";
  head->graph_name = self->name;
  head->n = n;
  head->m = (int64_t)(draw(seed) >> 20);
  make_kernel(self, shape, seed);
  self->clique = random_colors(seed, (size_t)between(seed, 0, n < 9 ? n : 9), 0, n - 1);
  head->start = (prism_checkpoint_start_t){.lower_bound = between(seed, 0, n),
                                           .exact = draw(seed) % 2 == 0, .colors = bound};
  head->start.clique_size = n < 3 ? 0 : 3;
  prism_free(self->clique);
  self->clique = random_colors(seed, (size_t)head->start.clique_size, 0, n - 1);
  self->start = random_colors(seed, (size_t)n, 0, bound - 1);
  head->start.clique = self->clique;
  head->start.color = self->start;
  head->params = &self->params;
  head->seed = draw(seed);
  head->deterministic = draw(seed) % 2 == 0;
  head->epoch = between(seed, 0, 1 << 30);
  head->elapsed = (double)draw(seed) * 1e-12;
  head->iterations = (int64_t)(draw(seed) >> 2);
  head->invocations = between(seed, 1, 9);
  head->ranks = shape->ranks;
  head->color_bound = shape->bound;
  head->best_k = kept == 0 ? 0 : kept < bound ? kept : bound;
  self->best = random_colors(seed, (size_t)kept, 0, head->best_k - 1);
  head->best = self->best;
}

static void make_state(prism_island_state_t *state, const shape_t *shape, int32_t island,
                       uint64_t *seed) {
  int32_t n = shape->n - shape->removed;
  int32_t rows = n == 0 || island % 3 == 2 ? 0 : between(seed, 0, shape->rows);
  size_t size = island % 4 == 1 ? 0 : (size_t)between(seed, 0, (int32_t)shape->bytes);
  assert_int_equal(prism_island_state_init(state, n, rows, size), PRISM_OK);
  strcpy(state->engine, island % 2 == 0 ? "cpu" : "fifteen letters");
  state->version = between(seed, 1, 1000);
  state->k = rows > 0 ? between(seed, 1, shape->bound) : 0;
  for (int32_t i = 0; i < rows; ++i) {
    state->method[i] = (uint8_t)between(seed, 0, PRISM_METHOD_COUNT - 1);
    state->f[i] = (int64_t)(draw(seed) >> 8);
  }
  for (size_t i = 0; i < (size_t)rows * (size_t)n; ++i)
    state->color[i] = between(seed, -1, state->k - 1);
  for (size_t i = 0; i < size; ++i) state->bytes[i] = (uint8_t)draw(seed);
}

static void sample_make(sample_t *self, const shape_t *shape, uint64_t seed) {
  memset(self, 0, sizeof *self);
  make_head(self, shape, &seed);
  size_t n = (size_t)shape->n;
  self->solutions = shape->solutions;
  self->row = room((size_t)shape->solutions, sizeof *self->row);
  self->color = room((size_t)shape->solutions * n, sizeof *self->color);
  for (int32_t i = 0; i < shape->solutions; ++i) {
    int32_t colors = between(&seed, 1, shape->bound);
    self->row[i] = (prism_solution_row_t){(double)i + 0.25, (int64_t)(draw(&seed) >> 1),
                                          between(&seed, 0, shape->ranks - 1), colors};
    for (size_t v = 0; v < n; ++v) self->color[(size_t)i * n + v] = between(&seed, 0, colors - 1);
  }
  self->islands = shape->islands;
  self->id = room((size_t)shape->islands, sizeof *self->id);
  self->rank_of = room((size_t)shape->islands, sizeof *self->rank_of);
  self->state = room((size_t)shape->islands, sizeof *self->state);
  for (int32_t i = 0; i < shape->islands; ++i) {
    self->id[i] = 2 * i + 1;
    self->rank_of[i] = (int32_t)((int64_t)i * shape->ranks / shape->islands);
    make_state(&self->state[i], shape, i, &seed);
  }
  self->rank = room((size_t)shape->ranks, sizeof *self->rank);
  for (int32_t i = 0; i < shape->ranks; ++i) {
    sample_rank_t *rank = &self->rank[i];
    rank->size = i % 3 == 1 ? 0 : (size_t)between(&seed, 0, (int32_t)shape->bytes);
    rank->bytes = random_bytes(&seed, rank->size);
    rank->iterations = (int64_t)(draw(&seed) >> 1);
  }
}

static void sample_release(sample_t *self) {
  for (int32_t i = 0; i < self->islands; ++i) prism_island_state_release(&self->state[i]);
  for (int32_t i = 0; i < self->head.ranks; ++i) prism_free(self->rank[i].bytes);
  prism_free(self->removed);
  prism_free(self->partner);
  prism_free(self->map);
  prism_free(self->clique);
  prism_free(self->start);
  prism_free(self->best);
  prism_free(self->row);
  prism_free(self->color);
  prism_free(self->id);
  prism_free(self->rank_of);
  prism_free(self->state);
  prism_free(self->rank);
}

/* All but the commit. */
static prism_status_t sample_write(const sample_t *self, prism_checkpoint_t *checkpoint) {
  for (int32_t i = 0; i < self->solutions; ++i)
    PRISM_TRY(prism_checkpoint_solution(checkpoint, &self->row[i],
                                        self->color + (size_t)i * (size_t)self->head.n));
  int32_t next = 0;
  for (int32_t r = 0; r < self->head.ranks; ++r) {
    for (; next < self->islands && self->rank_of[next] == r; ++next) {
      if (self->head.kernel.n > 0)
        PRISM_TRY(prism_checkpoint_state(checkpoint, self->id[next], r, &self->state[next]));
    }
    PRISM_TRY(prism_checkpoint_rank(checkpoint, r, self->rank[r].iterations, self->rank[r].bytes,
                                    self->rank[r].size));
  }
  return PRISM_OK;
}

static prism_status_t sample_save(const sample_t *self, const char *path) {
  prism_checkpoint_t *checkpoint = NULL;
  PRISM_TRY(prism_checkpoint_begin(path, &self->head, &checkpoint));
  prism_status_t status = sample_write(self, checkpoint);
  if (status == PRISM_OK) return prism_checkpoint_commit(&checkpoint, NULL);
  prism_checkpoint_abandon(&checkpoint);
  return status;
}

#define SAME(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0)

static bool same_values(const int32_t *a, const int32_t *b, size_t count) {
  return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

static bool same_settings(const sample_t *self, const prism_checkpoint_head_t *head) {
  size_t count = 0, found = 0;
  const prism_param_row_t *row = prism_param_rows(&count);
  for (size_t i = 0; i < count; ++i) {
    char name[128];
    prism_text_t value = {0};
    snprintf(name, sizeof name, "%s.%s", row[i].section, row[i].name);
    if (prism_params_format(&self->params, &row[i], &value) != PRISM_OK) return false;
    for (int32_t s = 0; s < head->settings; ++s)
      if (strcmp(head->setting[s].name, name) == 0 &&
          strcmp(head->setting[s].value, value.data != NULL ? value.data : "") == 0)
        ++found;
    prism_text_free(&value);
  }
  return found == count && (size_t)head->settings == count;
}

static bool same_head(const sample_t *self, const prism_checkpoint_head_t *head) {
  const prism_checkpoint_head_t *mine = &self->head;
  size_t n = (size_t)mine->n, kept = (size_t)mine->kernel.n, gone = n - kept;
  return strcmp(head->created, mine->created) == 0 && strcmp(head->program, mine->program) == 0 &&
         strcmp(head->graph_hash, mine->graph_hash) == 0 &&
         strcmp(head->graph_name, mine->graph_name) == 0 && head->n == mine->n &&
         head->m == mine->m && head->kernel.lower_bound == mine->kernel.lower_bound &&
         head->kernel.n == mine->kernel.n && head->kernel.removed == mine->kernel.removed &&
         same_values(head->kernel.vertex, self->removed, gone) &&
         same_values(head->kernel.partner, self->partner, gone) &&
         same_values(head->kernel.map, self->map, kept) &&
         head->start.lower_bound == mine->start.lower_bound &&
         head->start.exact == mine->start.exact && head->start.colors == mine->start.colors &&
         head->start.clique_size == mine->start.clique_size &&
         same_values(head->start.clique, self->clique, (size_t)mine->start.clique_size) &&
         same_values(head->start.color, self->start, n) && head->params == NULL &&
         same_settings(self, head) && head->seed == mine->seed &&
         head->deterministic == mine->deterministic && head->epoch == mine->epoch &&
         SAME(head->elapsed, mine->elapsed) && head->iterations == mine->iterations &&
         head->invocations == mine->invocations && head->ranks == mine->ranks &&
         head->color_bound == mine->color_bound && head->best_k == mine->best_k &&
         same_values(head->best, self->best, kept);
}

static prism_status_t compare_solutions(const sample_t *self, prism_checkpoint_reader_t *reader,
                                        bool *same) {
  size_t n = (size_t)self->head.n;
  int32_t *color = room(n, sizeof *color);
  *same = prism_checkpoint_solutions(reader) == self->solutions;
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < self->solutions && *same && status == PRISM_OK; ++i) {
    prism_solution_row_t row;
    status = prism_checkpoint_read_solution(reader, i, &row, color);
    if (status != PRISM_OK) break;
    *same = SAME(row.t, self->row[i].t) && row.iterations == self->row[i].iterations &&
            row.rank == self->row[i].rank && row.colors == self->row[i].colors &&
            same_values(color, self->color + (size_t)i * n, n);
  }
  prism_free(color);
  return status;
}

static bool same_state(const prism_island_state_t *a, const prism_island_state_t *b) {
  size_t rows = (size_t)a->rows;
  return strcmp(a->engine, b->engine) == 0 && a->version == b->version && a->k == b->k &&
         a->n == b->n && a->rows == b->rows && a->size == b->size &&
         memcmp(a->method, b->method, rows) == 0 &&
         memcmp(a->f, b->f, rows * sizeof *a->f) == 0 &&
         memcmp(a->color, b->color, rows * (size_t)a->n * sizeof *a->color) == 0 &&
         memcmp(a->bytes, b->bytes, a->size) == 0;
}

static prism_status_t compare_islands(const sample_t *self, prism_checkpoint_reader_t *reader,
                                      bool *same) {
  int32_t islands = self->head.kernel.n > 0 ? self->islands : 0;
  *same = prism_checkpoint_islands(reader) == islands;
  for (int32_t i = 0; i < islands && *same; ++i) {
    prism_island_state_t state;
    PRISM_TRY(prism_checkpoint_read_state(reader, i, &state));
    const prism_checkpoint_island_t *head = prism_checkpoint_island_at(reader, i);
    *same = same_state(&state, &self->state[i]) && head->id == self->id[i] &&
            head->rank == self->rank_of[i] && head->rows == state.rows && head->k == state.k;
    prism_island_state_release(&state);
  }
  for (int32_t r = 0; r < self->head.ranks && *same; ++r) {
    int64_t iterations = 0;
    uint8_t *bytes = NULL;
    size_t size = 0;
    PRISM_TRY(prism_checkpoint_read_rank(reader, r, &iterations, &bytes, &size));
    *same = iterations == self->rank[r].iterations && size == self->rank[r].size &&
            memcmp(bytes, self->rank[r].bytes, size) == 0;
    prism_free(bytes);
  }
  return PRISM_OK;
}

/* Does the file hold the sample? Or why can it not be read? */
static prism_status_t sample_compare(const sample_t *self, const char *path, bool *same) {
  prism_checkpoint_reader_t *reader = NULL;
  prism_checkpoint_graph_t graph = {self->head.graph_hash, self->head.n, self->head.m};
  PRISM_TRY(prism_checkpoint_open(path, &graph, &reader));
  *same = same_head(self, prism_checkpoint_head(reader));
  prism_status_t status = *same ? compare_solutions(self, reader, same) : PRISM_OK;
  if (status == PRISM_OK && *same) status = compare_islands(self, reader, same);
  prism_checkpoint_close(&reader);
  return status;
}

static void assert_holds(const sample_t *self, const char *path) {
  bool same = false;
  prism_status_t status = sample_compare(self, path, &same);
  if (status != PRISM_OK) print_message("%s\n", prism_error_text());
  assert_int_equal(status, PRISM_OK);
  assert_true(same);
}

static const shape_t small = {40, 13, 20, 3, 5, 4, 2, 50};

/* ---- Tests ----------------------------------------------------------------------------------- */

static void test_round_trip(void **state) {
  (void)state;
  static const shape_t shapes[] = {
      {40, 13, 20, 3, 5, 4, 2, 50},
      {1, 0, 1, 1, 1, 1, 1, 0},
      {7, 7, 3, 2, 2, 2, 3, 9},            /* nothing left to search */
      {300, 0, 255, 2, 4, 9, 1, 300},      /* the last bound of one byte */
      {300, 44, 256, 2, 4, 9, 4, 300},     /* the first of two */
      {1000, 1, 65535, 2, 3, 40, 3, 4096},
      {70000, 500, 65536, 2, 3, 4, 2, 100},
      {70000, 66000, 70000, 1, 4, 2, 2, 100000},
      {50, 5, 9, 0, 200, 1, 70, 30},       /* more islands and ranks than a chunk has rows */
      {6, 1, 4, 3000, 1, 50, 1, 10},
      {5, 2, 3, 1, 0, 0, 1, 0},            /* no islands */
      {20, 0, 4, 1, 2, 9000, 1, 70000}};   /* a state is handed over in pieces */
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i) {
    sample_t sample;
    sample_make(&sample, &shapes[i], seed + i);
    const char *path = temp_path("round.ckpt");
    assert_int_equal(sample_save(&sample, path), PRISM_OK);
    assert_holds(&sample, path);
    assert_false(prism_file_exists(temp_path("round.ckpt.tmp")));
    assert_false(prism_file_exists(temp_path("round.ckpt.1.tmp")));
    sample_release(&sample);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Rows and bytes given and read back in pieces that do not match. */
static void test_pieces(void **state) {
  (void)state;
  enum { N = 27, ROWS = 100, SIZE = 1000, K = 20 };
  sample_t sample;
  sample_make(&sample, &small, 77);
  prism_checkpoint_t *checkpoint = NULL;
  const char *path = temp_path("pieces.ckpt");
  assert_int_equal(prism_checkpoint_begin(path, &sample.head, &checkpoint), PRISM_OK);
  prism_checkpoint_island_t island = {.id = 0, .rank = 1, .engine = "cuda", .version = 3, .k = K,
                                      .rows = ROWS, .size = SIZE};
  uint64_t seed = 5;
  static int32_t color[ROWS * N], back[ROWS * N];
  static uint8_t method[ROWS], packed[ROWS * N], bytes[SIZE], again[SIZE];
  static int64_t f[ROWS];
  for (int32_t i = 0; i < ROWS * N; ++i) color[i] = between(&seed, -1, K - 1);
  for (int32_t i = 0; i < ROWS; ++i) f[i] = i, method[i] = (uint8_t)(i % PRISM_METHOD_COUNT);
  for (int32_t i = 0; i < SIZE; ++i) bytes[i] = (uint8_t)draw(&seed);
  prism_checkpoint_pack(color, ROWS * N, 1, packed);
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_OK);
  for (int32_t at = 0, step = 1; at < ROWS; at += step, step *= 2) {
    if (step > ROWS - at) step = ROWS - at;
    assert_int_equal(prism_checkpoint_rows(checkpoint, step, method + at, f + at,
                                           packed + at * N), PRISM_OK);
  }
  for (size_t at = 0; at < SIZE; at += 125)
    assert_int_equal(prism_checkpoint_bytes(checkpoint, bytes + at, 125), PRISM_OK);
  assert_int_equal(prism_checkpoint_rank(checkpoint, 0, 1, "ab", 2), PRISM_OK);
  assert_int_equal(prism_checkpoint_rank(checkpoint, 1, 2, NULL, 0), PRISM_OK);
  int64_t size = 0;
  assert_int_equal(prism_checkpoint_commit(&checkpoint, &size), PRISM_OK);
  assert_null(checkpoint);
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(size, info.st_size);

  prism_checkpoint_reader_t *reader = NULL;
  assert_int_equal(prism_checkpoint_open(path, NULL, &reader), PRISM_OK);
  assert_int_equal(prism_checkpoint_islands(reader), 1);
  memset(packed, 99, sizeof packed);
  for (int32_t at = 0; at < ROWS; at += 20)
    assert_int_equal(prism_checkpoint_read_rows(reader, 0, at, 20, method + at, f + at,
                                                packed + at * N), PRISM_OK);
  assert_int_equal(prism_checkpoint_unpack(packed, ROWS * N, 1, K, back), PRISM_OK);
  assert_memory_equal(back, color, sizeof color);
  assert_int_equal(prism_checkpoint_unpack(packed, ROWS * N, 1, K - 1, back), PRISM_FORMAT);
  for (int32_t i = 0; i < ROWS; ++i) assert_int_equal(f[i], i);
  for (size_t at = 0; at < SIZE; at += 50)
    assert_int_equal(prism_checkpoint_read_bytes(reader, 0, at, 50, again + at), PRISM_OK);
  assert_memory_equal(again, bytes, SIZE);
  assert_int_equal(prism_checkpoint_read_rows(reader, 0, 99, 2, method, f, packed), PRISM_INVALID);
  assert_int_equal(prism_checkpoint_read_bytes(reader, 0, 999, 2, again), PRISM_INVALID);
  prism_checkpoint_close(&reader);
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void refused_head(const prism_checkpoint_head_t *head) {
  prism_checkpoint_t *checkpoint = NULL;
  assert_int_equal(prism_checkpoint_begin(temp_path("refused.ckpt"), head, &checkpoint),
                   PRISM_INVALID);
  assert_null(checkpoint);
  assert_false(prism_file_exists(temp_path("refused.ckpt.tmp")));
}

/* What cannot be in a run is not written. */
static void test_wrong_contents_are_not_written(void **state) {
  (void)state;
  sample_t sample;
  sample_make(&sample, &small, 3);
  prism_checkpoint_head_t head = sample.head;
  head.best_k = 1;
  refused_head(&head);
  head = sample.head;
  head.elapsed = -1.0;
  refused_head(&head);
  head = sample.head;
  head.kernel.n += 1;
  refused_head(&head);
  head = sample.head;
  head.graph_hash[9] = 'X';
  refused_head(&head);
  int32_t kept = sample.removed[2];
  sample.removed[2] = sample.removed[3]; /* twice */
  refused_head(&sample.head);
  sample.removed[2] = kept;
  sample.partner[5] = sample.removed[4]; /* has no color yet when it is needed */
  refused_head(&sample.head);
  sample.partner[5] = -1;

  prism_checkpoint_t *checkpoint = NULL;
  const char *path = temp_path("wrong.ckpt");
  assert_int_equal(prism_checkpoint_begin(path, &sample.head, &checkpoint), PRISM_OK);
  prism_checkpoint_island_t island = {.id = 4, .rank = 1, .engine = "cpu", .k = 5, .rows = 2};
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_OK);
  uint8_t method[3] = {0}, packed[3 * 27];
  int64_t f[3] = {0};
  memset(packed, 6, sizeof packed); /* color 5 of 5 */
  assert_int_equal(prism_checkpoint_rows(checkpoint, 1, method, f, packed), PRISM_INVALID);
  memset(packed, 5, sizeof packed);
  assert_int_equal(prism_checkpoint_rows(checkpoint, 3, method, f, packed), PRISM_INVALID);
  assert_int_equal(prism_checkpoint_rows(checkpoint, 1, method, f, packed), PRISM_OK);
  assert_int_equal(prism_checkpoint_bytes(checkpoint, method, 1), PRISM_INVALID);
  island.id = 5;
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_INVALID); /* a row lacks */
  assert_int_equal(prism_checkpoint_rows(checkpoint, 1, method, f, packed), PRISM_OK);
  island.rank = 0;
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_INVALID);
  island = (prism_checkpoint_island_t){.id = 4, .rank = 1, .engine = "cpu"};
  assert_int_equal(prism_checkpoint_island(checkpoint, &island), PRISM_INVALID); /* twice */
  assert_int_equal(prism_checkpoint_rank(checkpoint, 1, 0, NULL, 0), PRISM_INVALID);
  assert_int_equal(prism_checkpoint_rank(checkpoint, 0, 0, NULL, 0), PRISM_OK);
  assert_true(prism_file_exists(temp_path("wrong.ckpt.tmp")));
  assert_int_equal(prism_checkpoint_commit(&checkpoint, NULL), PRISM_INVALID); /* rank 1 lacks */
  assert_null(checkpoint);
  assert_false(prism_file_exists(path));
  assert_false(prism_file_exists(temp_path("wrong.ckpt.tmp")));
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_previous_is_kept(void **state) {
  (void)state;
  char path[512], previous[520];
  snprintf(path, sizeof path, "%s", temp_path("keep.ckpt"));
  snprintf(previous, sizeof previous, "%s.1", path);
  sample_t sample[4];
  for (uint64_t i = 0; i < 4; ++i) sample_make(&sample[i], &small, 100 + i);
  assert_int_equal(sample_save(&sample[0], path), PRISM_OK);
  assert_false(prism_file_exists(previous));
  assert_int_equal(sample_save(&sample[1], path), PRISM_OK);
  assert_holds(&sample[1], path);
  assert_holds(&sample[0], previous);
  assert_int_equal(sample_save(&sample[2], path), PRISM_OK);
  assert_holds(&sample[2], path);
  assert_holds(&sample[1], previous);

  /* A writer that was killed between the two renames: both names are one file. */
  assert_int_equal(unlink(previous), 0);
  assert_int_equal(link(path, previous), 0);
  temp_write_text("keep.ckpt.tmp", "left over");
  temp_write_text("keep.ckpt.1.tmp", "left over");
  assert_int_equal(sample_save(&sample[3], path), PRISM_OK);
  assert_holds(&sample[3], path);
  assert_holds(&sample[2], previous);
  assert_false(prism_file_exists(temp_path("keep.ckpt.tmp")));
  assert_false(prism_file_exists(temp_path("keep.ckpt.1.tmp")));

  /* One that gave up has changed nothing. */
  prism_checkpoint_t *checkpoint = NULL;
  assert_int_equal(prism_checkpoint_begin(path, &sample[0].head, &checkpoint), PRISM_OK);
  assert_int_equal(sample_write(&sample[0], checkpoint), PRISM_OK);
  prism_checkpoint_abandon(&checkpoint);
  assert_null(checkpoint);
  prism_checkpoint_abandon(&checkpoint);
  assert_holds(&sample[3], path);
  assert_holds(&sample[2], previous);
  assert_false(prism_file_exists(temp_path("keep.ckpt.tmp")));

  /* Both are read at once, while the next one is written. */
  prism_checkpoint_reader_t *reader = NULL;
  assert_int_equal(prism_checkpoint_open(path, NULL, &reader), PRISM_OK);
  assert_int_equal(sample_save(&sample[0], path), PRISM_OK);
  assert_true(same_head(&sample[3], prism_checkpoint_head(reader)));
  bool same = false;
  assert_int_equal(compare_islands(&sample[3], reader, &same), PRISM_OK);
  assert_true(same);
  prism_checkpoint_close(&reader);
  for (int i = 0; i < 4; ++i) sample_release(&sample[i]);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void expect_refused(const char *path, const prism_checkpoint_graph_t *graph,
                           prism_status_t expected, const char *reason) {
  prism_checkpoint_reader_t *reader = NULL;
  assert_int_equal(prism_checkpoint_open(path, graph, &reader), expected);
  assert_null(reader);
  if (strstr(prism_error_text(), reason) == NULL)
    fail_msg("\"%s\" is not in: %s", reason, prism_error_text());
  assert_non_null(strstr(prism_error_text(), path));
}

/* Make the seal fit what the file holds, in any schema. */
static void seal_again(char *data, size_t size, int schema) {
  char start[256], digest[PRISM_SHA256_HEX];
  int length = snprintf(start, sizeof start, "prism-dist checkpoint\nschema %d\nsize %zu\n", schema,
                        size);
  prism_sha256_t hash;
  prism_sha256_begin(&hash);
  prism_sha256_add(&hash, start, (size_t)length);
  prism_sha256_add(&hash, data + 512, size - 512);
  prism_sha256_end(&hash, digest);
  memset(data, 0, 512);
  snprintf(data, 512, "%ssha256 %s\n", start, digest);
}

static void test_refusals(void **state) {
  (void)state;
  sample_t sample;
  sample_make(&sample, &small, 8);
  char path[512];
  snprintf(path, sizeof path, "%s", temp_path("good.ckpt"));
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  prism_checkpoint_graph_t graph = {sample.head.graph_hash, sample.head.n, sample.head.m};
  prism_checkpoint_graph_t other = graph;
  other.hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  expect_refused(path, &other, PRISM_INVALID, "of another graph: gr\xc3\xa4ph_40 with 40 vertices");
  assert_non_null(strstr(prism_error_text(), "0123456789abcdef..."));
  other = graph;
  other.n = 41;
  expect_refused(path, &other, PRISM_FORMAT, "40 vertices");

  size_t size = 0;
  char *data = fixture_read(path, &size), *copy = room(size, 1);
  expect_refused(temp_write("cut.ckpt", data, size - 1), &graph, PRISM_FORMAT, "bytes instead of");
  expect_refused(temp_write("cut.ckpt", data, 300), &graph, PRISM_FORMAT, "bytes instead of");
  expect_refused(temp_write("cut.ckpt", data, 20), &graph, PRISM_FORMAT, "first 512 bytes");
  expect_refused(temp_write("cut.ckpt", data, 0), &graph, PRISM_FORMAT, "it is empty");
  expect_refused(temp_write("h5.ckpt", data + 512, size - 512), &graph, PRISM_FORMAT,
                 "another HDF5 file");
  expect_refused(temp_write_text("text.ckpt", "p col 3 2\ne 1 2\ne 2 3\n"), &graph, PRISM_FORMAT,
                 "not a checkpoint of prism-dist");
  expect_refused(temp_path("nowhere.ckpt"), &graph, PRISM_IO, "No such file");
  expect_refused(temp_folder, &graph, PRISM_IO, "not a regular file");
  memcpy(copy, data, size);
  memset(copy, 0, 512);
  expect_refused(temp_write("open.ckpt", copy, size), &graph, PRISM_FORMAT, "not a complete");
  memcpy(copy, data, size);
  copy[size / 2] ^= 1;
  expect_refused(temp_write("flip.ckpt", copy, size), &graph, PRISM_FORMAT, "not as written");
  memcpy(copy, data, size);
  seal_again(copy, size, 7);
  expect_refused(temp_write("new.ckpt", copy, size), &graph, PRISM_UNSUPPORTED,
                 "schema 7, this program knows schemas up to 1");
  seal_again(copy, size, 0);
  expect_refused(temp_write("old.ckpt", copy, size), &graph, PRISM_FORMAT, "schema 0");
  seal_again(copy, size, 1);
  assert_memory_equal(copy, data, size);
  prism_free(copy);
  prism_free(data);
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_previous_is_offered(void **state) {
  (void)state;
  char path[512], offer[1100];
  snprintf(path, sizeof path, "%s", temp_path("offer.ckpt"));
  snprintf(offer, sizeof offer, "; the previous checkpoint %s.1 is intact: --resume %s.1", path,
           path);
  sample_t sample;
  sample_make(&sample, &small, 15);
  prism_checkpoint_graph_t graph = {sample.head.graph_hash, sample.head.n, sample.head.m};
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  assert_int_equal(truncate(path, 4000), 0);
  expect_refused(path, &graph, PRISM_FORMAT, offer);
  assert_int_equal(unlink(path), 0);
  expect_refused(path, &graph, PRISM_IO, offer);
  prism_checkpoint_graph_t other = graph;
  other.hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  expect_refused(path, &other, PRISM_IO, "No such file"); /* the previous one would not do */
  assert_null(strstr(prism_error_text(), "--resume"));
  snprintf(offer, sizeof offer, "%s.1", path);
  assert_int_equal(truncate(offer, 4000), 0);
  expect_refused(path, &graph, PRISM_IO, "No such file");
  assert_null(strstr(prism_error_text(), "--resume"));
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Bytes of a real file flipped, overwritten or cut off. */
static void test_damage_is_noticed(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  sample_t sample;
  sample_make(&sample, &small, 21);
  char path[512];
  snprintf(path, sizeof path, "%s", temp_path("damage.ckpt"));
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  size_t size = 0;
  char *data = fixture_read(path, &size), *copy = room(size, 1);
  for (int trial = 0; trial < 300; ++trial) {
    memcpy(copy, data, size);
    size_t at = trial % 3 == 0 ? draw(&seed) % 512 : draw(&seed) % size, left = size;
    if (trial % 5 == 4)
      left = at;
    else if (trial % 5 == 3)
      for (size_t i = at; i < size && i < at + 100; ++i) copy[i] = (char)draw(&seed);
    else
      copy[at] = (char)(copy[at] ^ (char)(1u << draw(&seed) % 8));
    temp_write("damage.ckpt", copy, left);
    bool same = false;
    prism_status_t status = sample_compare(&sample, path, &same);
    bool changed = left < size || memcmp(copy, data, size) != 0;
    assert_int_equal(status, changed ? PRISM_FORMAT : PRISM_OK);
    assert_int_equal(same, !changed);
  }
  prism_free(copy);
  prism_free(data);
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Damage with a seal that fits, as made on purpose: whatever comes out, it is an error or
 * contents within bounds. */
static void test_sealed_damage_is_survived(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  sample_t sample;
  sample_make(&sample, &small, 22);
  char path[512];
  snprintf(path, sizeof path, "%s", temp_path("sealed.ckpt"));
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  size_t size = 0;
  char *data = fixture_read(path, &size), *copy = room(size, 1);
  int read = 0;
  for (int trial = 0; trial < 300; ++trial) {
    memcpy(copy, data, size);
    for (uint64_t flips = 1 + draw(&seed) % 3; flips > 0; --flips) {
      size_t at = 512 + draw(&seed) % (size - 512);
      copy[at] = (char)(copy[at] ^ (char)(1u << draw(&seed) % 8));
    }
    seal_again(copy, size, 1);
    temp_write("sealed.ckpt", copy, size);
    bool same = false;
    prism_status_t status = sample_compare(&sample, path, &same);
    assert_true(status == PRISM_OK || status == PRISM_FORMAT || status == PRISM_INVALID);
    if (status == PRISM_OK) ++read;
  }
  print_message("%d of 300 could be read\n", read);
  prism_free(copy);
  prism_free(data);
  sample_release(&sample);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* The run file is written by its own thread at the same time. */
static void test_beside_a_run_file(void **state) {
  (void)state;
  fixture_t self;
  fixture_open(&self, 12);
  prism_store_t *store = NULL;
  assert_int_equal(prism_store_open(&self.config, &store), PRISM_OK);
  sample_t sample;
  sample_make(&sample, &small, 30);
  const char *path = temp_path("beside.ckpt");
  for (int64_t i = 0; i < 200; ++i) {
    prism_metric_t metric = fixture_metric(i);
    assert_true(prism_store_metric(store, &metric));
    if (i % 10 == 9) {
      assert_int_equal(sample_save(&sample, path), PRISM_OK);
      assert_holds(&sample, path);
    }
  }
  prism_summary_row_t summary;
  prism_record_blank(PRISM_RECORD_SUMMARY, &summary);
  assert_int_equal(prism_store_close(&store, &summary), PRISM_OK);
  assert_int_equal(summary.records_lost, 0);
  assert_int_equal(summary.write_failures, 0);
  sample_release(&sample);
  fixture_close(&self);
}

static void test_file_size_limit(void **state) {
  (void)state;
  shape_t large = small;
  large.bytes = 4 << 20;
  sample_t sample, big;
  sample_make(&sample, &small, 40);
  sample_make(&big, &large, 41);
  char path[512];
  snprintf(path, sizeof path, "%s", temp_path("limit.ckpt"));
  assert_int_equal(sample_save(&sample, path), PRISM_OK);
  struct rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  for (rlim_t most = 4096; most < 2 << 20; most *= 3) {
    limit = before;
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    prism_status_t status = sample_save(&big, path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, PRISM_STORAGE);
    assert_non_null(strstr(prism_error_text(), "limit.ckpt.tmp cannot be written: File too large"));
    assert_false(prism_file_exists(temp_path("limit.ckpt.tmp")));
    assert_holds(&sample, path);
  }
  signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(sample_save(&big, path), PRISM_OK);
  assert_holds(&big, path);
  sample_release(&sample);
  sample_release(&big);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- A full disk: in a process of its own, with a small file system that ends with it ------ */

enum { CHILD_GOOD = 0, CHILD_NOT_ALLOWED = 77 };

/* From here on the file system cannot reserve room, so that HDF5 itself meets the full disk. */
static bool forbid_fallocate(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* A small file system over `folder` that nobody else sees. */
static bool mount_small(const char *folder) {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("none", folder, "tmpfs", 0, "size=3m") == 0;
}

static bool open_files_are(int expected) {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count == expected;
}

static int full_disk_child(const char *folder, bool reserving) {
  if (mkdir(folder, 0777) != 0 || !mount_small(folder)) return CHILD_NOT_ALLOWED;
  if (!reserving && !forbid_fallocate()) return CHILD_NOT_ALLOWED;
  char path[600], temporary[610], previous[610];
  snprintf(path, sizeof path, "%s/x.ckpt", folder);
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  snprintf(previous, sizeof previous, "%s.1", path);
  shape_t large = small;
  large.bytes = 4 << 20;
  large.islands = 9;
  sample_t sample, big;
  sample_make(&sample, &small, 50);
  sample_make(&big, &large, 51);
  bool same = false;
  if (sample_save(&sample, path) != PRISM_OK) return 1;
  int files = 0;
  for (int fd = 0; fd < 256; ++fd) files += fcntl(fd, F_GETFD) >= 0;
  for (int trial = 0; trial < 20; ++trial) {
    if (sample_save(&big, path) != PRISM_STORAGE) return 2;
    if (strstr(prism_error_text(), "No space left on device") == NULL) return 3;
    if (prism_file_exists(temporary) || prism_file_exists(previous)) return 4;
    if (sample_compare(&sample, path, &same) != PRISM_OK || !same) return 5;
    if (!open_files_are(files)) return 6;
  }
  /* What fits is written, as if nothing had been. */
  if (sample_save(&sample, path) != PRISM_OK || !prism_file_exists(previous)) return 7;
  if (sample_compare(&sample, path, &same) != PRISM_OK || !same) return 8;
  sample_release(&sample);
  sample_release(&big);
  return prism_mem_live_blocks() == 0 ? CHILD_GOOD : 9;
}

static void full_disk(const char *name, bool reserving) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(full_disk_child(temp_path(name), reserving));
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == CHILD_NOT_ALLOWED) {
    print_message("skipped: no file system may be mounted here\n");
    skip();
  }
  assert_int_equal(WEXITSTATUS(status), CHILD_GOOD);
}

static void test_full_disk(void **state) {
  (void)state;
  full_disk("full", true);
}

static void test_full_disk_inside_hdf5(void **state) {
  (void)state;
  full_disk("full_inside", false);
}

/* ---- Killed at any moment ---------------------------------------------------------------------- */

static const shape_t killed = {500, 100, 90, 4, 6, 40, 3, 20000};

/* Sample i is written as the i-th; the seed of the graph's hash is the same. */
static void killed_sample(sample_t *sample, uint64_t number) {
  sample_make(sample, &killed, 1000 + number);
  memset(sample->head.graph_hash, 'a', 64);
  sample->head.m = 1234;
  sample->head.epoch = (int64_t)number;
}

static void write_forever(const char *path, int pipe_out) {
  for (uint64_t number = 1;; ++number) {
    sample_t sample;
    killed_sample(&sample, number);
    if (sample_save(&sample, path) != PRISM_OK) _exit(1);
    if (write(pipe_out, &number, sizeof number) != sizeof number) _exit(2);
    sample_release(&sample);
  }
}

/* The file is complete and no older than the last that was told, or the one after it. */
static void check_survivor(const char *path, uint64_t told) {
  prism_checkpoint_reader_t *reader = NULL;
  if (prism_checkpoint_open(path, NULL, &reader) != PRISM_OK) fail_msg("%s", prism_error_text());
  uint64_t number = (uint64_t)prism_checkpoint_head(reader)->epoch;
  prism_checkpoint_close(&reader);
  assert_in_range(number, told, told + 1);
  sample_t sample;
  killed_sample(&sample, number);
  assert_holds(&sample, path);
  sample_release(&sample);
  char previous[600];
  snprintf(previous, sizeof previous, "%s.1", path);
  if (number < 2) return;
  /* It may be the same file: the writer was between its two renames. */
  assert_int_equal(prism_checkpoint_open(previous, NULL, &reader), PRISM_OK);
  assert_in_range(prism_checkpoint_head(reader)->epoch, number - 1, number);
  prism_checkpoint_close(&reader);
}

static void test_killed_writer(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL);
  print_message("seed %llu\n", (unsigned long long)seed);
  for (int trial = 0; trial < 10; ++trial) {
    char path[512];
    snprintf(path, sizeof path, "%s/killed_%d.ckpt", temp_folder, trial);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      close(ends[0]);
      write_forever(path, ends[1]);
    }
    close(ends[1]);
    uint64_t told = 0, number = 0;
    assert_int_equal(read(ends[0], &told, sizeof told), sizeof told); /* one is there */
    prism_clock_sleep((double)(draw(&seed) % 1000) * 40e-6);
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(ends[0], &number, sizeof number) == sizeof number) told = number;
    close(ends[0]);
    check_survivor(path, told);
    sample_t next; /* what it left behind is in nobody's way */
    killed_sample(&next, 1);
    assert_int_equal(sample_save(&next, path), PRISM_OK);
    assert_holds(&next, path);
    sample_release(&next);
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_wrong_contents_are_not_written),
      cmocka_unit_test(test_previous_is_kept),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_previous_is_offered),
      cmocka_unit_test(test_damage_is_noticed),
      cmocka_unit_test(test_sealed_damage_is_survived),
      cmocka_unit_test(test_beside_a_run_file),
      cmocka_unit_test(test_file_size_limit),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_full_disk_inside_hdf5),
      cmocka_unit_test(test_killed_writer),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
