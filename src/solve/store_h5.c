#include "solve/store_h5.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "solve/h5_tools.h"
#include "solve/run_rewrite.h"

enum {
  BROKEN_AFTER = 10,        /* failures of the library in a row */
  RESERVE_SLACK = 64 << 10, /* room for indexes and headers beside the rows of a batch */
  RESERVE_AHEAD = 256 << 10,
  COMPRESS_MOST = 256 << 20 /* larger files would keep the user waiting; prism repair does them */
};

struct prism_h5 {
  char *path;      /* owned */
  char *temporary; /* owned */
  hid_t file;
  hid_t table[PRISM_RECORD_COUNT];
  hid_t memory_type[PRISM_RECORD_COUNT];
  hsize_t rows[PRISM_RECORD_COUNT];
  hid_t colors;
  hid_t color_type; /* in memory */
  size_t color_bytes;
  hsize_t n;
  prism_h5_room_t room;
  int32_t library_failures; /* in a row; a full disk is noticed before the library is called */
};

/* Rows of a chunk: some tens of kilobytes, rewritten with every flush. */
static const hsize_t chunk_rows[PRISM_RECORD_COUNT] = {
    [PRISM_RECORD_METRIC] = 128, [PRISM_RECORD_EVENT] = 64, [PRISM_RECORD_MIGRATION] = 512,
    [PRISM_RECORD_GPU] = 128, [PRISM_RECORD_PROFILE] = 64, [PRISM_RECORD_LADDER] = 512,
    [PRISM_RECORD_SOLUTION] = 256, [PRISM_RECORD_SUMMARY] = 1};

/* ---- Schema ---------------------------------------------------------------------- */

static prism_status_t make_solutions(prism_h5_t *self, int32_t color_bound) {
  self->color_bytes = color_bound <= 256 ? 1 : color_bound <= 65536 ? 2 : 4;
  self->color_type = H5Tcopy(self->color_bytes == 1   ? H5T_NATIVE_UINT8
                             : self->color_bytes == 2 ? H5T_NATIVE_UINT16
                                                      : H5T_NATIVE_UINT32);
  PRISM_H5_TRY(self->path, "making a type", self->color_type);
  return prism_h5_make_dataset(self->path, self->file, "/solutions/colors",
                               prism_h5_unsigned(self->color_bytes), 1, self->n, self->n,
                               &self->colors);
}

static prism_status_t fill_config(const prism_h5_t *self, hid_t group,
                                  const prism_store_config_t *config) {
  if (config->params != NULL) PRISM_TRY(prism_h5_put_params(self->path, group, config->params));
  return prism_h5_put_attribute(self->path, group, "seed", H5T_NATIVE_UINT64, 0, &config->seed);
}

static prism_status_t fill_build(const prism_h5_t *self, hid_t group,
                                 const prism_store_config_t *config) {
  for (int32_t i = 0; i < config->build_count; ++i)
    PRISM_TRY(prism_h5_put_text(self->path, group, config->build[i].name, config->build[i].value));
  return PRISM_OK;
}

static prism_status_t fill_graph(const prism_h5_t *self, hid_t group,
                                 const prism_store_config_t *config) {
  PRISM_TRY(prism_h5_put_text(self->path, group, "name", config->graph_name));
  PRISM_TRY(prism_h5_put_text(self->path, group, "hash", config->graph_hash));
  PRISM_TRY(prism_h5_put_i64(self->path, group, "n", config->graph->n));
  return prism_h5_put_i64(self->path, group, "m", config->graph->m);
}

static prism_status_t fill_ranks(const prism_h5_t *self, hid_t group,
                                 const prism_store_config_t *config) {
  hsize_t count = (hsize_t)config->rank_count;
  hid_t disk = -1, memory = -1;
  PRISM_TRY(prism_h5_record_type(self->path, prism_rank_table(), false, &memory));
  prism_status_t status = prism_h5_record_type(self->path, prism_rank_table(), true, &disk);
  if (status != PRISM_OK) H5Tclose(memory);
  PRISM_TRY(status);
  hid_t space = H5Screate_simple(1, &count, NULL);
  hid_t table = -1;
  herr_t failed = -1;
  if (space >= 0)
    table = H5Dcreate2(group, "table", disk, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (table >= 0)
    failed = count > 0 ? H5Dwrite(table, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, config->ranks) : 0;
  status = failed < 0 ? PRISM_H5_FAILED(self->path, "writing /ranks") : PRISM_OK;
  if (table >= 0) H5Dclose(table);
  if (space >= 0) H5Sclose(space);
  H5Tclose(disk);
  H5Tclose(memory);
  return status;
}

typedef prism_status_t fill_t(const prism_h5_t *self, hid_t group,
                              const prism_store_config_t *config);

static prism_status_t make_group(const prism_h5_t *self, const char *name, fill_t *fill,
                                 const prism_store_config_t *config) {
  hid_t group = H5Gcreate2(self->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  PRISM_H5_TRY(self->path, "making a group", group);
  prism_status_t status = fill != NULL ? fill(self, group, config) : PRISM_OK;
  if (H5Gclose(group) < 0 && status == PRISM_OK)
    status = PRISM_H5_FAILED(self->path, "closing a group");
  return status;
}

static prism_status_t make_schema(prism_h5_t *self, const prism_store_config_t *config,
                                  const char *created) {
  PRISM_TRY(prism_h5_put_i32(self->path, self->file, "schema_version",
                             PRISM_STORE_SCHEMA_VERSION));
  PRISM_TRY(prism_h5_put_text(self->path, self->file, "created", created));
  PRISM_TRY(make_group(self, "/config", fill_config, config));
  PRISM_TRY(make_group(self, "/build", fill_build, config));
  PRISM_TRY(make_group(self, "/graph", fill_graph, config));
  PRISM_TRY(make_group(self, "/ranks", fill_ranks, config));
  PRISM_TRY(make_group(self, "/telemetry", NULL, config));
  PRISM_TRY(make_group(self, "/solutions", NULL, config));
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    PRISM_TRY(prism_h5_make_table(self->path, self->file,
                                  prism_record_table((prism_record_kind_t)kind), chunk_rows[kind],
                                  &self->table[kind], &self->memory_type[kind]));
  int32_t bound = config->color_bound > 0 ? config->color_bound : config->graph->n;
  return make_solutions(self, bound);
}

/* ---- Open and close ---------------------------------------------------------------- */

static prism_status_t create_run(prism_h5_t *self, const prism_store_config_t *config,
                                 const char *created) {
  PRISM_TRY(prism_string_format(&self->path, "%s", config->run_path));
  PRISM_TRY(prism_string_format(&self->temporary, "%s.tmp", config->run_path));
  PRISM_TRY(prism_h5_create_file(self->temporary, 0, &self->file, &self->room.fd));
  PRISM_TRY(make_schema(self, config, created));
  PRISM_H5_TRY(self->temporary, "flushing", H5Fflush(self->file, H5F_SCOPE_GLOBAL));
  PRISM_H5_TRY(self->temporary, "starting SWMR", H5Fstart_swmr_write(self->file));
  if (rename(self->temporary, self->path) != 0)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be renamed to %s: %s", self->temporary, self->path,
               strerror(errno));
  return PRISM_OK;
}

/* Close every handle; false when one of them failed. */
static bool close_handles(prism_h5_t *self) {
  bool good = true;
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) {
    if (self->table[kind] >= 0 && H5Dclose(self->table[kind]) < 0) good = false;
    if (self->memory_type[kind] >= 0) H5Tclose(self->memory_type[kind]);
  }
  if (self->colors >= 0 && H5Dclose(self->colors) < 0) good = false;
  if (self->color_type >= 0) H5Tclose(self->color_type);
  if (self->file >= 0 && H5Fclose(self->file) < 0) good = false;
  return good;
}

static void release(prism_h5_t **self) {
  prism_free((*self)->path);
  prism_free((*self)->temporary);
  prism_free(*self);
  *self = NULL;
}

prism_status_t prism_h5_create(const prism_store_config_t *config, const char *created,
                               prism_h5_t **out) {
  prism_h5_t *self = NULL;
  PRISM_TRY(prism_h5_check_memory());
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->file = self->colors = self->color_type = -1;
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    self->table[kind] = self->memory_type[kind] = -1;
  self->n = (hsize_t)config->graph->n;
  self->room.ahead = RESERVE_AHEAD;

  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = create_run(self, config, created);
  if (status != PRISM_OK) {
    close_handles(self);
    if (self->temporary != NULL) unlink(self->temporary);
  }
  prism_h5_leave(was);
  if (status != PRISM_OK) {
    release(&self);
    prism_error_frame(__FILE__, __LINE__, __func__);
    return status == PRISM_STORAGE ? PRISM_IO : status;
  }
  *out = self;
  return PRISM_OK;
}

/* Put a compressed copy in the place of the closed file. A file that stays as it is loses
 * nothing, so that failures do not count: a disk without room for both, say. Readers that have
 * the old one open keep it. */
static void compress(const prism_h5_t *self) {
  struct stat info;
  prism_run_rescue_t copied;
  if (stat(self->path, &info) != 0 || info.st_size > COMPRESS_MOST) return;
  if (prism_run_rewrite(self->path, self->temporary, NULL, &copied) == PRISM_OK) {
    bool whole = copied.lost == 0;
    for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
      whole = whole && copied.rows[kind] == (int64_t)self->rows[kind];
    if (!whole || rename(self->temporary, self->path) != 0) unlink(self->temporary);
  }
  prism_error_clear();
}

prism_status_t prism_h5_close(prism_h5_t **file) {
  prism_h5_t *self = *file;
  if (self == NULL) return PRISM_OK;
  prism_status_t status = PRISM_OK;
  prism_h5_entered_t was = prism_h5_enter();
  if (!close_handles(self))
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "%s cannot be closed; it ends with the last flush", self->path);
  prism_h5_leave(was);
  if (status == PRISM_OK) status = prism_h5_settle(self->path);
  if (status == PRISM_OK) compress(self);
  release(file);
  return status;
}

/* ---- Appending ---------------------------------------------------------------------- */

static prism_status_t reserve(prism_h5_t *self, size_t bytes) {
  struct stat info;
  if (fstat(self->room.fd, &info) != 0)
    PRISM_FAIL(PRISM_STORAGE, "%s: %s", self->path, strerror(errno));
  return prism_h5_reserve(&self->room, self->path, info.st_size, (off_t)(bytes + RESERVE_SLACK));
}

static prism_status_t write_rows(prism_h5_t *self, hid_t dataset, hid_t type, hsize_t at,
                                 hsize_t count, hsize_t columns, const void *data) {
  ++self->library_failures; /* taken back at the end */
  PRISM_TRY(prism_h5_append_rows(self->path, dataset, type, at, count, columns, data));
  PRISM_H5_TRY(self->path, "flushing", H5Dflush(dataset));
  self->library_failures = 0;
  return PRISM_OK;
}

static prism_status_t append(prism_h5_t *self, prism_record_kind_t kind, const void *rows,
                             size_t count) {
  size_t chunk = (size_t)chunk_rows[kind];
  PRISM_TRY(reserve(self, (count + 2 * chunk) * prism_record_table(kind)->bytes));
  PRISM_TRY(write_rows(self, self->table[kind], self->memory_type[kind], self->rows[kind], count,
                       0, rows));
  self->rows[kind] += count;
  return PRISM_OK;
}

prism_status_t prism_h5_append(prism_h5_t *file, prism_record_kind_t kind, const void *rows,
                               size_t count) {
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = append(file, kind, rows, count);
  prism_h5_leave(was);
  return status;
}

static prism_status_t append_solution(prism_h5_t *self, const prism_solution_row_t *row,
                                      const void *packed) {
  /* Colors first: row i of the index promises row i of the colors. */
  PRISM_TRY(reserve(self, 2 * (size_t)self->n * self->color_bytes));
  PRISM_TRY(write_rows(self, self->colors, self->color_type, self->rows[PRISM_RECORD_SOLUTION], 1,
                       self->n, packed));
  return append(self, PRISM_RECORD_SOLUTION, row, 1);
}

prism_status_t prism_h5_append_solution(prism_h5_t *file, const prism_solution_row_t *row,
                                        const void *packed) {
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = append_solution(file, row, packed);
  prism_h5_leave(was);
  return status;
}

bool prism_h5_broken(const prism_h5_t *file) { return file->library_failures >= BROKEN_AFTER; }

size_t prism_h5_color_bytes(const prism_h5_t *file) { return file->color_bytes; }

void prism_h5_version(char *out, size_t size) {
  unsigned major = 0, minor = 0, release_number = 0;
  prism_h5_entered_t was = prism_h5_enter();
  H5get_libversion(&major, &minor, &release_number);
  prism_h5_leave(was);
  snprintf(out, size, "%u.%u.%u", major, minor, release_number);
}
