/* Random checkpoints: made again from the same seed they can be compared with what a file
 * holds. */
#ifndef PRISM_TESTS_CHECKPOINT_FIXTURE_H
#define PRISM_TESTS_CHECKPOINT_FIXTURE_H

#include "solve/checkpoint.h"
#include "store_fixture.h"
#include "temp_file.h"

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
static inline uint64_t draw(uint64_t *seed) {
  uint64_t x = *seed += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* low .. high */
static inline int32_t between(uint64_t *seed, int32_t low, int32_t high) {
  return low + (int32_t)(draw(seed) % (uint64_t)(high - low + 1));
}

static inline void *room(size_t count, size_t size) {
  void *block = NULL;
  assert_int_equal(prism_alloc_zero_bytes(count, size, &block), PRISM_OK);
  return block;
}

static inline int32_t *random_colors(uint64_t *seed, size_t count, int32_t least, int32_t most) {
  int32_t *color = room(count, sizeof *color);
  for (size_t i = 0; i < count; ++i) color[i] = between(seed, least, most);
  return color;
}

static inline uint8_t *random_bytes(uint64_t *seed, size_t size) {
  uint8_t *bytes = room(size, 1);
  for (size_t i = 0; i < size; ++i) bytes[i] = (uint8_t)draw(seed);
  return bytes;
}

/* Random removals that can be lifted: a partner is removed later, or never. */
static inline void make_kernel(sample_t *self, const shape_t *shape, uint64_t *seed) {
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

static inline void make_head(sample_t *self, const shape_t *shape, uint64_t *seed) {
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

static inline void make_state(prism_island_state_t *state, const shape_t *shape, int32_t island,
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

static inline void sample_make(sample_t *self, const shape_t *shape, uint64_t seed) {
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

static inline void sample_release(sample_t *self) {
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
static inline prism_status_t sample_write(const sample_t *self, prism_checkpoint_t *checkpoint) {
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

static inline prism_status_t sample_save(const sample_t *self, const char *path) {
  prism_checkpoint_t *checkpoint = NULL;
  PRISM_TRY(prism_checkpoint_begin(path, &self->head, &checkpoint));
  prism_status_t status = sample_write(self, checkpoint);
  if (status == PRISM_OK) return prism_checkpoint_commit(&checkpoint, NULL);
  prism_checkpoint_abandon(&checkpoint);
  return status;
}

#define SAME(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0)

static inline bool same_values(const int32_t *a, const int32_t *b, size_t count) {
  return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

static inline bool same_settings(const sample_t *self, const prism_checkpoint_head_t *head) {
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

static inline bool same_head(const sample_t *self, const prism_checkpoint_head_t *head) {
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

static inline prism_status_t compare_solutions(const sample_t *self,
                                               prism_checkpoint_reader_t *reader, bool *same) {
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

static inline bool same_state(const prism_island_state_t *a, const prism_island_state_t *b) {
  size_t rows = (size_t)a->rows;
  return strcmp(a->engine, b->engine) == 0 && a->version == b->version && a->k == b->k &&
         a->n == b->n && a->rows == b->rows && a->size == b->size &&
         memcmp(a->method, b->method, rows) == 0 &&
         memcmp(a->f, b->f, rows * sizeof *a->f) == 0 &&
         memcmp(a->color, b->color, rows * (size_t)a->n * sizeof *a->color) == 0 &&
         memcmp(a->bytes, b->bytes, a->size) == 0;
}

static inline prism_status_t compare_islands(const sample_t *self,
                                             prism_checkpoint_reader_t *reader, bool *same) {
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
static inline prism_status_t sample_compare(const sample_t *self, const char *path, bool *same) {
  prism_checkpoint_reader_t *reader = NULL;
  prism_checkpoint_graph_t graph = {self->head.graph_hash, self->head.n, self->head.m};
  PRISM_TRY(prism_checkpoint_open(path, &graph, &reader));
  *same = same_head(self, prism_checkpoint_head(reader));
  prism_status_t status = *same ? compare_solutions(self, reader, same) : PRISM_OK;
  if (status == PRISM_OK && *same) status = compare_islands(self, reader, same);
  prism_checkpoint_close(&reader);
  return status;
}

static inline void assert_holds(const sample_t *self, const char *path) {
  bool same = false;
  prism_status_t status = sample_compare(self, path, &same);
  if (status != PRISM_OK) print_message("%s\n", prism_error_text());
  assert_int_equal(status, PRISM_OK);
  assert_true(same);
}

static const shape_t small = {40, 13, 20, 3, 5, 4, 2, 50};

#endif
