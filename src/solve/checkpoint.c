#include "solve/checkpoint.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "solve/checkpoint_form.h"
#include "solve/checkpoint_seal.h"
#include "solve/h5_tools.h"

enum {
  CHUNK_BYTES = 32 << 10,    /* of a table that grows */
  STATE_BYTES = 256 << 10,   /* of packed rows at a time */
  RESERVE_AHEAD = 1 << 20
};

/* A table that grows. */
typedef struct grower {
  hid_t dataset;
  hid_t type;       /* of the data in memory */
  bool own_type;
  hsize_t rows;
  hsize_t columns;  /* 0: one value a row */
  size_t row_bytes;
} grower_t;

enum {
  SOLUTION_INDEX, SOLUTION_COLORS, ISLAND_TABLE, ISLAND_METHOD, ISLAND_F, ISLAND_COLORS,
  ISLAND_BYTES, RANK_TABLE, RANK_BYTES, GROWERS
};

/* Index and header blocks of every table, and its last chunk. */
enum { RESERVE_SLACK = (64 << 10) + GROWERS * CHUNK_BYTES };

struct prism_checkpoint {
  char *path, *temporary; /* owned */
  hid_t file;
  grower_t grower[GROWERS];
  prism_h5_room_t room;
  prism_checkpoint_head_t head; /* its pointers are not ours and not followed after begin() */
  size_t width;
  prism_checkpoint_island_t island; /* the last one; id -1: there was none */
  int32_t rows_left;   /* of that island */
  size_t bytes_left;
  int32_t ranks;       /* written */
  bool failed;
};

/* ---- Making the file -------------------------------------------------------------------- */

static prism_status_t reserve(prism_checkpoint_t *self, size_t bytes) {
  hsize_t size = 0; /* with what the library has not written yet */
  PRISM_H5_TRY(self->temporary, "asking for the size", H5Fget_filesize(self->file, &size));
  if (bytes > (size_t)(INT64_MAX / 4) || size > (hsize_t)(INT64_MAX / 4))
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: it would be too large", self->temporary);
  return prism_h5_reserve(&self->room, self->temporary, (off_t)size,
                          (off_t)bytes + (off_t)RESERVE_SLACK);
}

/* A dataset of a fixed number of values. */
static prism_status_t put_values(prism_checkpoint_t *self, const char *name, hid_t disk,
                                 hid_t memory, int32_t count, const void *data) {
  PRISM_TRY(reserve(self, (size_t)count * H5Tget_size(disk)));
  hsize_t size = (hsize_t)count;
  hid_t space = H5Screate_simple(1, &size, NULL), dataset = -1;
  if (space >= 0)
    dataset = H5Dcreate2(self->file, name, disk, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = dataset >= 0;
  if (good && count > 0) good = H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
  prism_status_t status = good ? PRISM_OK : PRISM_H5_FAILED(self->temporary, "writing");
  if (dataset >= 0 && H5Dclose(dataset) < 0 && status == PRISM_OK)
    status = PRISM_H5_FAILED(self->temporary, "writing");
  if (space >= 0) H5Sclose(space);
  return status;
}

typedef prism_status_t fill_t(prism_checkpoint_t *self, hid_t group, const void *map);

static prism_status_t put_double(const prism_checkpoint_t *self, hid_t group, const char *name,
                                 double value) {
  return prism_h5_put_attribute(self->temporary, group, name, H5T_NATIVE_DOUBLE, 0, &value);
}

static prism_status_t fill_config(prism_checkpoint_t *self, hid_t group, const void *map) {
  (void)map;
  if (self->head.params == NULL) return PRISM_OK;
  return prism_h5_put_params(self->temporary, group, self->head.params);
}

static prism_status_t fill_graph(prism_checkpoint_t *self, hid_t group, const void *map) {
  (void)map;
  const prism_checkpoint_head_t *head = &self->head;
  PRISM_TRY(prism_h5_put_text(self->temporary, group, "name", head->graph_name));
  PRISM_TRY(prism_h5_put_text(self->temporary, group, "hash", head->graph_hash));
  PRISM_TRY(prism_h5_put_i64(self->temporary, group, "n", head->n));
  return prism_h5_put_i64(self->temporary, group, "m", head->m);
}

static prism_status_t fill_kernel(prism_checkpoint_t *self, hid_t group, const void *map) {
  const prism_checkpoint_kernel_t *kernel = &self->head.kernel;
  PRISM_TRY(prism_h5_put_i32(self->temporary, group, "lower_bound", kernel->lower_bound));
  PRISM_TRY(put_values(self, "/kernel/map", H5T_STD_I32LE, H5T_NATIVE_INT32, kernel->n, map));
  PRISM_TRY(put_values(self, "/kernel/removed", H5T_STD_I32LE, H5T_NATIVE_INT32, kernel->removed,
                       kernel->vertex));
  return put_values(self, "/kernel/partner", H5T_STD_I32LE, H5T_NATIVE_INT32, kernel->removed,
                    kernel->partner);
}

static prism_status_t fill_start(prism_checkpoint_t *self, hid_t group, const void *map) {
  (void)map;
  const prism_checkpoint_start_t *start = &self->head.start;
  PRISM_TRY(prism_h5_put_i32(self->temporary, group, "lower_bound", start->lower_bound));
  PRISM_TRY(prism_h5_put_i32(self->temporary, group, "exact", start->exact));
  PRISM_TRY(prism_h5_put_i32(self->temporary, group, "colors", start->colors));
  PRISM_TRY(put_values(self, "/start/clique", H5T_STD_I32LE, H5T_NATIVE_INT32, start->clique_size,
                       start->clique));
  return put_values(self, "/start/color", prism_h5_unsigned(self->width), H5T_NATIVE_INT32,
                    self->head.n, start->color);
}

static prism_status_t fill_run(prism_checkpoint_t *self, hid_t group, const void *map) {
  (void)map;
  const prism_checkpoint_head_t *head = &self->head;
  const char *path = self->temporary;
  PRISM_TRY(prism_h5_put_attribute(path, group, "seed", H5T_NATIVE_UINT64, 0, &head->seed));
  PRISM_TRY(prism_h5_put_i32(path, group, "deterministic", head->deterministic));
  PRISM_TRY(prism_h5_put_i64(path, group, "epoch", head->epoch));
  PRISM_TRY(put_double(self, group, "elapsed", head->elapsed));
  PRISM_TRY(prism_h5_put_i64(path, group, "iterations", head->iterations));
  PRISM_TRY(prism_h5_put_i32(path, group, "invocations", head->invocations));
  PRISM_TRY(prism_h5_put_i32(path, group, "ranks", head->ranks));
  PRISM_TRY(prism_h5_put_i32(path, group, "color_bound", head->color_bound));
  PRISM_TRY(prism_h5_put_i32(path, group, "best_k", head->best_k));
  return put_values(self, "/run/best", prism_h5_unsigned(self->width), H5T_NATIVE_INT32,
                    head->kernel.n, head->best);
}

static prism_status_t make_group(prism_checkpoint_t *self, const char *name, fill_t *fill,
                                 const int32_t *map) {
  hid_t group = H5Gcreate2(self->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  PRISM_H5_TRY(self->temporary, "making a group", group);
  prism_status_t status = fill != NULL ? fill(self, group, map) : PRISM_OK;
  if (H5Gclose(group) < 0 && status == PRISM_OK)
    status = PRISM_H5_FAILED(self->temporary, "making a group");
  return status;
}

static prism_status_t make_table(prism_checkpoint_t *self, int which,
                                 const prism_record_table_t *table) {
  grower_t *grower = &self->grower[which];
  grower->row_bytes = table->bytes;
  grower->own_type = true;
  return prism_h5_make_table(self->temporary, self->file, table, CHUNK_BYTES / 2 / table->bytes,
                             &grower->dataset, &grower->type);
}

/* [in] columns  of `bytes` each; 0: one value a row */
static prism_status_t make_values(prism_checkpoint_t *self, int which, const char *name, hid_t disk,
                                  hid_t memory, int32_t columns) {
  grower_t *grower = &self->grower[which];
  hsize_t bytes = H5Tget_size(disk), wide = columns > 0 ? (hsize_t)columns : 1;
  hsize_t piece = wide < CHUNK_BYTES / bytes ? wide : CHUNK_BYTES / bytes;
  grower->type = memory;
  grower->columns = (hsize_t)columns;
  grower->row_bytes = (size_t)(wide * bytes);
  return prism_h5_make_dataset(self->temporary, self->file, name, disk,
                               CHUNK_BYTES / (piece * bytes), (hsize_t)columns, piece,
                               &grower->dataset);
}

static prism_status_t make_growers(prism_checkpoint_t *self) {
  hid_t color = prism_h5_unsigned(self->width), byte = H5T_STD_U8LE;
  int32_t kernel_n = self->head.kernel.n;
  PRISM_TRY(make_table(self, SOLUTION_INDEX, prism_record_table(PRISM_RECORD_SOLUTION)));
  PRISM_TRY(make_values(self, SOLUTION_COLORS, "/solutions/colors", color, H5T_NATIVE_INT32,
                        self->head.n));
  PRISM_TRY(make_table(self, ISLAND_TABLE, &prism_checkpoint_island_table));
  PRISM_TRY(make_values(self, ISLAND_METHOD, "/islands/method", byte, byte, 0));
  PRISM_TRY(make_values(self, ISLAND_F, "/islands/f", H5T_STD_I64LE, H5T_NATIVE_INT64, 0));
  /* Without a kernel there is no search and no row; HDF5 wants a column. */
  PRISM_TRY(make_values(self, ISLAND_COLORS, "/islands/colors", color, color,
                        kernel_n > 0 ? kernel_n : 1));
  PRISM_TRY(make_values(self, ISLAND_BYTES, "/islands/bytes", byte, byte, 0));
  PRISM_TRY(make_table(self, RANK_TABLE, &prism_checkpoint_rank_table));
  return make_values(self, RANK_BYTES, "/ranks/bytes", byte, byte, 0);
}

static prism_status_t make_contents(prism_checkpoint_t *self, const int32_t *map) {
  char created[32];
  prism_clock_iso8601(created, sizeof created);
  const prism_checkpoint_head_t *head = &self->head;
  PRISM_TRY(prism_h5_create_file(self->temporary, PRISM_CHECKPOINT_SEAL_BYTES, &self->file,
                                 &self->room.fd));
  PRISM_TRY(reserve(self, 0));
  PRISM_TRY(prism_h5_put_i32(self->temporary, self->file, "schema_version",
                             PRISM_CHECKPOINT_SCHEMA_VERSION));
  PRISM_TRY(prism_h5_put_text(self->temporary, self->file, "created",
                              head->created != NULL ? head->created : created));
  PRISM_TRY(prism_h5_put_text(self->temporary, self->file, "program", head->program));
  PRISM_TRY(make_group(self, "/config", fill_config, map));
  PRISM_TRY(make_group(self, "/graph", fill_graph, map));
  PRISM_TRY(make_group(self, "/kernel", fill_kernel, map));
  PRISM_TRY(make_group(self, "/start", fill_start, map));
  PRISM_TRY(make_group(self, "/run", fill_run, map));
  PRISM_TRY(make_group(self, "/solutions", NULL, map));
  PRISM_TRY(make_group(self, "/islands", NULL, map));
  PRISM_TRY(make_group(self, "/ranks", NULL, map));
  return make_growers(self);
}

/* ---- Closing ---------------------------------------------------------------------------- */

/* False when a handle could not be closed. */
static bool close_handles(prism_checkpoint_t *self) {
  bool good = true;
  for (int i = 0; i < GROWERS; ++i) {
    grower_t *grower = &self->grower[i];
    if (grower->dataset >= 0 && H5Dclose(grower->dataset) < 0) good = false;
    if (grower->own_type && grower->type >= 0) H5Tclose(grower->type);
    grower->dataset = grower->type = -1;
  }
  if (self->file >= 0 && H5Fclose(self->file) < 0) good = false;
  self->file = -1;
  return good;
}

/* HDF5 cannot close a file that cannot be written, and keeps its memory then. What it still
 * writes is of no use to anyone, so it goes to memory. */
static void drop_file(prism_checkpoint_t *self) {
  if (self->file >= 0) {
    int nowhere = memfd_create("prism-checkpoint", MFD_CLOEXEC);
    if (nowhere >= 0) {
      dup3(nowhere, self->room.fd, O_CLOEXEC);
      close(nowhere);
    }
  }
  close_handles(self);
  unlink(self->temporary);
}

static void release(prism_checkpoint_t **checkpoint) {
  prism_free((*checkpoint)->path);
  prism_free((*checkpoint)->temporary);
  prism_free(*checkpoint);
  *checkpoint = NULL;
}

void prism_checkpoint_abandon(prism_checkpoint_t **checkpoint) {
  if (checkpoint == NULL || *checkpoint == NULL) return;
  prism_h5_entered_t was = prism_h5_enter();
  drop_file(*checkpoint);
  prism_h5_leave(was);
  release(checkpoint);
}

static prism_status_t check_complete(const prism_checkpoint_t *self) {
  if (self->failed)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: an earlier part failed", self->path);
  if (self->rows_left != 0 || self->bytes_left != 0)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: island %d lacks %d rows and %zu bytes", self->path,
               self->island.id, self->rows_left, self->bytes_left);
  if (self->ranks != self->head.ranks)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: %d of %d ranks are there", self->path, self->ranks,
               self->head.ranks);
  return PRISM_OK;
}

/* The library writes all it has here, or fails while the file can still be dropped. */
static prism_status_t flush(prism_checkpoint_t *self) {
  PRISM_TRY(check_complete(self));
  PRISM_TRY(reserve(self, 0));
  PRISM_H5_TRY(self->temporary, "flushing", H5Fflush(self->file, H5F_SCOPE_GLOBAL));
  return PRISM_OK;
}

static prism_status_t finish_file(prism_checkpoint_t *self) {
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = flush(self);
  if (status == PRISM_OK && !close_handles(self))
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "%s cannot be closed", self->temporary);
  if (status != PRISM_OK) drop_file(self);
  prism_h5_leave(was);
  return status;
}

prism_status_t prism_checkpoint_commit(prism_checkpoint_t **checkpoint, int64_t *bytes) {
  prism_checkpoint_t *self = *checkpoint;
  int64_t size = 0;
  prism_status_t status = finish_file(self);
  if (status == PRISM_OK) {
    status = prism_checkpoint_seal(self->temporary, &size);
    if (status == PRISM_OK) status = prism_checkpoint_install(self->temporary, self->path);
    if (status != PRISM_OK) unlink(self->temporary);
  }
  if (status == PRISM_OK && bytes != NULL) *bytes = size;
  release(checkpoint);
  PRISM_TRY(status);
  return PRISM_OK;
}

/* ---- Writing ---------------------------------------------------------------------------- */

static prism_status_t begin(prism_checkpoint_t *self, const char *path) {
  int32_t *map = NULL;
  PRISM_TRY(prism_string_format(&self->path, "%s", path));
  PRISM_TRY(prism_string_format(&self->temporary, "%s.tmp", path));
  const prism_checkpoint_head_t *head = &self->head;
  if (head->n < 1 || head->kernel.n < 0 || head->kernel.n > head->n)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: %d kernel vertices of %d", path, head->kernel.n,
               head->n);
  PRISM_TRY(PRISM_ALLOC(head->kernel.n, &map));
  prism_status_t status = prism_checkpoint_check_head(head, PRISM_INVALID, path, map);
  if (status == PRISM_OK) {
    prism_h5_entered_t was = prism_h5_enter();
    status = make_contents(self, map);
    if (status != PRISM_OK) drop_file(self);
    prism_h5_leave(was);
  }
  prism_free(map);
  return status;
}

prism_status_t prism_checkpoint_begin(const char *path, const prism_checkpoint_head_t *head,
                                      prism_checkpoint_t **out) {
  prism_checkpoint_t *self = NULL;
  PRISM_TRY(prism_h5_check_memory());
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->head = *head;
  self->width = prism_checkpoint_width(head->color_bound);
  self->file = -1;
  self->room.ahead = RESERVE_AHEAD;
  self->island.id = -1;
  for (int i = 0; i < GROWERS; ++i) self->grower[i].dataset = self->grower[i].type = -1;
  prism_status_t status = begin(self, path);
  if (status != PRISM_OK) release(&self);
  PRISM_TRY(status);
  *out = self;
  return PRISM_OK;
}

static prism_status_t append_in_library(prism_checkpoint_t *self, grower_t *grower, hsize_t count,
                                        const void *data) {
  if (count > (hsize_t)(INT64_MAX / 8) / grower->row_bytes)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: it would be too large", self->temporary);
  PRISM_TRY(reserve(self, (size_t)count * grower->row_bytes));
  return prism_h5_append_rows(self->temporary, grower->dataset, grower->type, grower->rows, count,
                              grower->columns, data);
}

static prism_status_t append(prism_checkpoint_t *self, int which, size_t count, const void *data) {
  if (self->failed)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: an earlier part failed", self->path);
  if (count == 0) return PRISM_OK;
  grower_t *grower = &self->grower[which];
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = append_in_library(self, grower, count, data);
  prism_h5_leave(was);
  self->failed = status != PRISM_OK;
  PRISM_TRY(status);
  grower->rows += count;
  return PRISM_OK;
}

prism_status_t prism_checkpoint_solution(prism_checkpoint_t *checkpoint,
                                         const prism_solution_row_t *row, const int32_t *color) {
  bool sound = row->colors >= 1 && row->colors <= checkpoint->head.color_bound;
  for (int32_t v = 0; v < checkpoint->head.n && sound; ++v)
    sound = color[v] >= 0 && color[v] < row->colors;
  if (!sound)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: a solution with %d colors has others, or too many",
               checkpoint->path, row->colors);
  PRISM_TRY(append(checkpoint, SOLUTION_COLORS, 1, color));
  return append(checkpoint, SOLUTION_INDEX, 1, row);
}

prism_status_t prism_checkpoint_island(prism_checkpoint_t *checkpoint,
                                       const prism_checkpoint_island_t *island) {
  const prism_checkpoint_island_t *last = &checkpoint->island;
  if (checkpoint->rows_left != 0 || checkpoint->bytes_left != 0)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: island %d lacks %d rows and %zu bytes",
               checkpoint->path, last->id, checkpoint->rows_left, checkpoint->bytes_left);
  PRISM_TRY(prism_checkpoint_check_island(&checkpoint->head, island, PRISM_INVALID,
                                          checkpoint->path));
  if (island->id <= last->id || island->rank < last->rank)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: island %d of rank %d after %d of rank %d",
               checkpoint->path, island->id, island->rank, last->id, last->rank);
  prism_checkpoint_island_row_t row = {
      .id = island->id, .rank = island->rank, .version = island->version, .k = island->k,
      .rows = island->rows, .first_row = (int64_t)checkpoint->grower[ISLAND_METHOD].rows,
      .size = (int64_t)island->size,
      .first_byte = (int64_t)checkpoint->grower[ISLAND_BYTES].rows};
  PRISM_RECORD_TEXT(row.engine, island->engine);
  PRISM_TRY(append(checkpoint, ISLAND_TABLE, 1, &row));
  checkpoint->island = *island;
  checkpoint->rows_left = island->rows;
  checkpoint->bytes_left = island->size;
  return PRISM_OK;
}

prism_status_t prism_checkpoint_rows(prism_checkpoint_t *checkpoint, int32_t count,
                                     const uint8_t *method, const int64_t *f, const void *packed) {
  bool sound = count >= 0 && count <= checkpoint->rows_left;
  for (int32_t i = 0; i < count && sound; ++i) sound = method[i] < PRISM_METHOD_COUNT;
  size_t n = (size_t)checkpoint->head.kernel.n;
  if (!sound || !prism_checkpoint_packed_within(packed, (size_t)count * n, checkpoint->width,
                                                checkpoint->island.k))
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: rows of island %d are too many, or have no method "
               "or other colors than its %d", checkpoint->path, checkpoint->island.id,
               checkpoint->island.k);
  PRISM_TRY(append(checkpoint, ISLAND_METHOD, (size_t)count, method));
  PRISM_TRY(append(checkpoint, ISLAND_F, (size_t)count, f));
  PRISM_TRY(append(checkpoint, ISLAND_COLORS, (size_t)count, packed));
  checkpoint->rows_left -= count;
  return PRISM_OK;
}

prism_status_t prism_checkpoint_bytes(prism_checkpoint_t *checkpoint, const void *bytes,
                                      size_t size) {
  if (size > checkpoint->bytes_left)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: %zu bytes of island %d are too many",
               checkpoint->path, size, checkpoint->island.id);
  PRISM_TRY(append(checkpoint, ISLAND_BYTES, size, bytes));
  checkpoint->bytes_left -= size;
  return PRISM_OK;
}

static prism_status_t put_rows(prism_checkpoint_t *self, const prism_island_state_t *state) {
  size_t n = (size_t)state->n, row = n * self->width;
  size_t most = row < STATE_BYTES ? STATE_BYTES / row : 1;
  void *packed = NULL;
  PRISM_TRY(prism_alloc_bytes(most, row, &packed));
  prism_status_t status = PRISM_OK;
  for (int32_t done = 0; done < state->rows && status == PRISM_OK;) {
    int32_t left = state->rows - done, count = (size_t)left < most ? left : (int32_t)most;
    /* One that the width cannot hold would come out as another one. */
    const int32_t *color = state->color + (size_t)done * n;
    for (size_t i = 0; i < (size_t)count * n && status == PRISM_OK; ++i)
      if (color[i] < -1 || color[i] >= state->k)
        status = prism_error_record(PRISM_INVALID, __FILE__, __LINE__, __func__,
                                    "checkpoint %s: color %d of %d in island %d", self->path,
                                    color[i], state->k, self->island.id);
    if (status != PRISM_OK) break;
    prism_checkpoint_pack(color, (size_t)count * n, self->width, packed);
    status = prism_checkpoint_rows(self, count, state->method + done, state->f + done, packed);
    done += count;
  }
  prism_free(packed);
  return status;
}

prism_status_t prism_checkpoint_state(prism_checkpoint_t *checkpoint, int32_t id, int32_t rank,
                                      const prism_island_state_t *state) {
  if (state->n != checkpoint->head.kernel.n || state->n < 1)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: island %d has %d vertices, the kernel %d",
               checkpoint->path, id, state->n, checkpoint->head.kernel.n);
  const prism_checkpoint_island_t island = prism_checkpoint_island_of(state, id, rank);
  PRISM_TRY(prism_checkpoint_island(checkpoint, &island));
  PRISM_TRY(put_rows(checkpoint, state));
  return prism_checkpoint_bytes(checkpoint, state->bytes, state->size);
}

prism_status_t prism_checkpoint_rank(prism_checkpoint_t *checkpoint, int32_t rank,
                                     int64_t iterations, const void *bytes, size_t size) {
  if (rank != checkpoint->ranks || rank >= checkpoint->head.ranks || iterations < 0)
    PRISM_FAIL(PRISM_INVALID, "checkpoint %s: rank %d after %d of %d", checkpoint->path, rank,
               checkpoint->ranks, checkpoint->head.ranks);
  prism_checkpoint_rank_row_t row = {.rank = rank, .iterations = iterations,
                                     .size = (int64_t)size,
                                     .first_byte = (int64_t)checkpoint->grower[RANK_BYTES].rows};
  PRISM_TRY(append(checkpoint, RANK_BYTES, size, bytes));
  PRISM_TRY(append(checkpoint, RANK_TABLE, 1, &row));
  ++checkpoint->ranks;
  return PRISM_OK;
}
