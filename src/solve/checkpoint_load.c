#include "solve/checkpoint_load.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum {
  TEXT_BYTES = 64 << 10, /* no text attribute is longer */
  SETTINGS = 4096        /* nor are there more of them */
};

/* Record that the file is not what a writer makes; `what` is the name of the object. */
#define UNSOUND(self, what)                                                                 \
  prism_error_record(PRISM_FORMAT, __FILE__, __LINE__, __func__,                            \
                     "%s is not a sound checkpoint: %s is not as it should be", (self)->path, \
                     (what))

/* ---- Attributes ------------------------------------------------------------------------- */

/* Open an attribute that is a single value. */
static prism_status_t open_attribute(const prism_checkpoint_reader_t *self, hid_t object,
                                     const char *name, hid_t *out) {
  hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
  if (attribute < 0) return UNSOUND(self, name);
  hid_t space = H5Aget_space(attribute);
  bool single = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SCALAR;
  if (space >= 0) H5Sclose(space);
  if (!single) {
    H5Aclose(attribute);
    return UNSOUND(self, name);
  }
  *out = attribute;
  return PRISM_OK;
}

static prism_status_t get_number(const prism_checkpoint_reader_t *self, hid_t object,
                                 const char *name, hid_t type, void *out) {
  hid_t attribute = -1;
  PRISM_TRY(open_attribute(self, object, name, &attribute));
  hid_t stored = H5Aget_type(attribute);
  bool good = stored >= 0 && H5Tequal(stored, type) > 0 && H5Aread(attribute, type, out) >= 0;
  if (stored >= 0) H5Tclose(stored);
  H5Aclose(attribute);
  return good ? PRISM_OK : UNSOUND(self, name);
}

static prism_status_t get_i32(const prism_checkpoint_reader_t *self, hid_t object,
                              const char *name, int32_t *out) {
  return get_number(self, object, name, H5T_NATIVE_INT32, out);
}

static prism_status_t get_i64(const prism_checkpoint_reader_t *self, hid_t object,
                              const char *name, int64_t *out) {
  return get_number(self, object, name, H5T_NATIVE_INT64, out);
}

static prism_status_t get_flag(const prism_checkpoint_reader_t *self, hid_t object,
                               const char *name, bool *out) {
  int32_t value = 0;
  PRISM_TRY(get_i32(self, object, name, &value));
  if (value != 0 && value != 1) return UNSOUND(self, name);
  *out = value == 1;
  return PRISM_OK;
}

/* Text of an open attribute. [out] owned by the caller */
static prism_status_t read_text(const prism_checkpoint_reader_t *self, hid_t attribute,
                                const char *name, char **out) {
  hid_t type = H5Aget_type(attribute);
  bool fixed = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
  size_t bytes = fixed ? H5Tget_size(type) : 0;
  char *text = NULL;
  prism_status_t status = PRISM_OK;
  if (bytes == 0 || bytes > TEXT_BYTES)
    status = UNSOUND(self, name);
  else
    status = PRISM_ALLOC_ZERO(bytes + 1, &text);
  if (status == PRISM_OK && H5Aread(attribute, type, text) < 0) status = UNSOUND(self, name);
  if (type >= 0) H5Tclose(type);
  if (status == PRISM_OK)
    *out = text;
  else
    prism_free(text);
  return status;
}

static prism_status_t get_text(const prism_checkpoint_reader_t *self, hid_t object,
                               const char *name, char **out) {
  hid_t attribute = -1;
  PRISM_TRY(open_attribute(self, object, name, &attribute));
  prism_status_t status = read_text(self, attribute, name, out);
  H5Aclose(attribute);
  return status;
}

/* ---- Objects ---------------------------------------------------------------------------- */

/* A link may lead out of the file, so only hard ones are followed. */
static bool is_here(hid_t file, const char *name) {
  H5L_info_t info;
  return H5Lexists(file, name, H5P_DEFAULT) > 0 &&
         H5Lget_info(file, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

typedef prism_status_t load_t(prism_checkpoint_reader_t *self, hid_t group);

static prism_status_t load_group(prism_checkpoint_reader_t *self, const char *name, load_t *load) {
  hid_t group = is_here(self->file, name) ? H5Gopen2(self->file, name, H5P_DEFAULT) : -1;
  if (group < 0) return UNSOUND(self, name);
  prism_status_t status = load != NULL ? load(self, group) : PRISM_OK;
  H5Gclose(group);
  return status;
}

/* Data that lies in the file as it is: no filter, no other file. */
static bool is_plain(hid_t dataset) {
  hid_t plist = H5Dget_create_plist(dataset);
  if (plist < 0) return false;
  H5D_layout_t layout = H5Pget_layout(plist);
  bool plain = (layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED) &&
               H5Pget_external_count(plist) == 0 && H5Pget_nfilters(plist) == 0;
  H5Pclose(plist);
  return plain;
}

static bool has_type(hid_t dataset, hid_t type) {
  hid_t stored = H5Dget_type(dataset);
  bool same = stored >= 0 && H5Tequal(stored, type) > 0;
  if (stored >= 0) H5Tclose(stored);
  return same;
}

/* [out] rows of a dataset [rows] or [rows][columns] that fits into the file. */
static bool get_rows(const prism_checkpoint_reader_t *self, hid_t dataset, size_t value_bytes,
                     hsize_t columns, hsize_t *rows) {
  hid_t space = H5Dget_space(dataset);
  int rank = columns > 0 ? 2 : 1;
  hsize_t extent[2] = {0, columns};
  bool good = space >= 0 && H5Sget_simple_extent_ndims(space) == rank &&
              H5Sget_simple_extent_dims(space, extent, NULL) == rank && extent[1] == columns;
  if (space >= 0) H5Sclose(space);
  /* columns is below 2^31 and value_bytes small: no overflow */
  hsize_t row_bytes = (columns > 0 ? columns : 1) * value_bytes;
  if (!good || extent[0] > (hsize_t)self->size / row_bytes) return false;
  *rows = extent[0];
  return true;
}

/* [in] disk  type that it must have there; memory  of the data read later */
static prism_status_t open_table(prism_checkpoint_reader_t *self, const char *name, hid_t disk,
                                 hid_t memory, hsize_t columns, prism_read_table_t *out) {
  hid_t dataset = is_here(self->file, name) ? H5Dopen2(self->file, name, H5P_DEFAULT) : -1;
  hsize_t rows = 0;
  if (dataset < 0 || !is_plain(dataset) || !has_type(dataset, disk) ||
      !get_rows(self, dataset, H5Tget_size(disk), columns, &rows)) {
    if (dataset >= 0) H5Dclose(dataset);
    return UNSOUND(self, name);
  }
  *out = (prism_read_table_t){dataset, memory, rows, columns};
  return PRISM_OK;
}

static prism_status_t read_slab(const prism_checkpoint_reader_t *self,
                                const prism_read_table_t *table, hsize_t at, hsize_t count,
                                void *out) {
  return prism_h5_read_rows(self->path, PRISM_FORMAT, table->dataset, table->type, at, count,
                            table->columns, out);
}

prism_status_t prism_checkpoint_read_slab(prism_checkpoint_reader_t *reader, int which,
                                          uint64_t at, uint64_t count, void *out) {
  const prism_read_table_t *table = &reader->table[which];
  if (at > table->rows || count > table->rows - at)
    PRISM_FAIL(PRISM_INVALID, "%s: rows %llu and %llu on are not there", reader->path,
               (unsigned long long)at, (unsigned long long)count);
  return read_slab(reader, table, at, count, out);
}

/* A whole dataset of int32 values in memory. [in] expected  number of them, -1: any that an
 * int32 can hold. [out] owned by the caller */
static prism_status_t get_values(prism_checkpoint_reader_t *self, const char *name, hid_t disk,
                                 int64_t expected, int32_t **out, int32_t *count) {
  prism_read_table_t table;
  PRISM_TRY(open_table(self, name, disk, H5T_NATIVE_INT32, 0, &table));
  int32_t *value = NULL;
  prism_status_t status = PRISM_OK;
  if (table.rows > INT32_MAX || (expected >= 0 && table.rows != (hsize_t)expected))
    status = UNSOUND(self, name);
  if (status == PRISM_OK) status = PRISM_ALLOC(table.rows, &value);
  if (status == PRISM_OK && table.rows > 0) status = read_slab(self, &table, 0, table.rows, value);
  H5Dclose(table.dataset);
  if (status == PRISM_OK) {
    *out = value;
    if (count != NULL) *count = (int32_t)table.rows;
  } else {
    prism_free(value);
  }
  return status;
}

/* A whole table of records. [out] rows  owned by the caller */
static prism_status_t get_records(prism_checkpoint_reader_t *self,
                                  const prism_record_table_t *form, void **out, hsize_t *count) {
  hid_t disk = -1, memory = -1;
  prism_read_table_t table = {.dataset = -1};
  void *rows = NULL;
  prism_status_t status = prism_h5_record_type(self->path, form, true, &disk);
  if (status == PRISM_OK) status = prism_h5_record_type(self->path, form, false, &memory);
  if (status == PRISM_OK) status = open_table(self, form->path, disk, memory, 0, &table);
  if (status == PRISM_OK && table.rows > INT32_MAX) status = UNSOUND(self, form->path);
  if (status == PRISM_OK) status = prism_alloc_zero_bytes((size_t)table.rows, form->bytes, &rows);
  if (status == PRISM_OK && table.rows > 0) status = read_slab(self, &table, 0, table.rows, rows);
  if (table.dataset >= 0) H5Dclose(table.dataset);
  if (memory >= 0) H5Tclose(memory);
  if (disk >= 0) H5Tclose(disk);
  if (status == PRISM_OK) {
    *out = rows;
    *count = table.rows;
  } else {
    prism_free(rows);
  }
  return status;
}

/* ---- The head --------------------------------------------------------------------------- */

static prism_status_t load_setting(prism_checkpoint_reader_t *self, hid_t group, int32_t index) {
  char name[256];
  hid_t attribute = H5Aopen_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)index,
                                   H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return UNSOUND(self, "/config");
  prism_checkpoint_setting_t *setting = &self->setting[index];
  char *value = NULL, *copy = NULL;
  ssize_t length = H5Aget_name(attribute, sizeof name, name);
  hid_t space = H5Aget_space(attribute);
  prism_status_t status = PRISM_OK;
  if (length <= 0 || (size_t)length >= sizeof name || space < 0 ||
      H5Sget_simple_extent_type(space) != H5S_SCALAR)
    status = UNSOUND(self, "/config");
  if (space >= 0) H5Sclose(space);
  if (status == PRISM_OK) status = read_text(self, attribute, name, &value);
  if (status == PRISM_OK) status = prism_string_format(&copy, "%s", name);
  H5Aclose(attribute);
  setting->value = value;
  setting->name = copy;
  return status;
}

static prism_status_t load_config(prism_checkpoint_reader_t *self, hid_t group) {
  int32_t count = H5Aget_num_attrs(group);
  if (count < 0 || count > SETTINGS) return UNSOUND(self, "/config");
  PRISM_TRY(PRISM_ALLOC_ZERO(count, &self->setting));
  self->head.setting = self->setting;
  self->head.settings = count;
  for (int32_t i = 0; i < count; ++i) PRISM_TRY(load_setting(self, group, i));
  return PRISM_OK;
}

static prism_status_t load_graph(prism_checkpoint_reader_t *self, hid_t group) {
  prism_checkpoint_head_t *head = &self->head;
  int64_t n = 0;
  char *hash = NULL;
  PRISM_TRY(get_text(self, group, "name", &self->graph_name));
  head->graph_name = self->graph_name;
  PRISM_TRY(get_text(self, group, "hash", &hash));
  snprintf(head->graph_hash, sizeof head->graph_hash, "%s", hash);
  prism_free(hash);
  PRISM_TRY(get_i64(self, group, "n", &n));
  if (n < 1 || n >= INT32_MAX) return UNSOUND(self, "n");
  head->n = (int32_t)n;
  return get_i64(self, group, "m", &head->m);
}

static prism_status_t load_kernel(prism_checkpoint_reader_t *self, hid_t group) {
  prism_checkpoint_kernel_t *kernel = &self->head.kernel;
  PRISM_TRY(get_i32(self, group, "lower_bound", &kernel->lower_bound));
  PRISM_TRY(get_values(self, "/kernel/map", H5T_STD_I32LE, -1, &self->map, &kernel->n));
  if (kernel->n > self->head.n) return UNSOUND(self, "/kernel/map");
  kernel->removed = self->head.n - kernel->n;
  PRISM_TRY(get_values(self, "/kernel/removed", H5T_STD_I32LE, kernel->removed, &self->removed,
                       NULL));
  PRISM_TRY(get_values(self, "/kernel/partner", H5T_STD_I32LE, kernel->removed, &self->partner,
                       NULL));
  kernel->map = self->map;
  kernel->vertex = self->removed;
  kernel->partner = self->partner;
  return PRISM_OK;
}

static prism_status_t load_run(prism_checkpoint_reader_t *self, hid_t group) {
  prism_checkpoint_head_t *head = &self->head;
  PRISM_TRY(get_number(self, group, "seed", H5T_NATIVE_UINT64, &head->seed));
  PRISM_TRY(get_flag(self, group, "deterministic", &head->deterministic));
  PRISM_TRY(get_i64(self, group, "epoch", &head->epoch));
  PRISM_TRY(get_number(self, group, "elapsed", H5T_NATIVE_DOUBLE, &head->elapsed));
  PRISM_TRY(get_i64(self, group, "iterations", &head->iterations));
  PRISM_TRY(get_i32(self, group, "invocations", &head->invocations));
  PRISM_TRY(get_i32(self, group, "ranks", &head->ranks));
  PRISM_TRY(get_i32(self, group, "color_bound", &head->color_bound));
  PRISM_TRY(get_i32(self, group, "best_k", &head->best_k));
  self->width = prism_checkpoint_width(head->color_bound);
  PRISM_TRY(get_values(self, "/run/best", prism_h5_unsigned(self->width), head->kernel.n,
                       &self->best, NULL));
  head->best = self->best;
  return PRISM_OK;
}

static prism_status_t load_start(prism_checkpoint_reader_t *self, hid_t group) {
  prism_checkpoint_start_t *start = &self->head.start;
  PRISM_TRY(get_i32(self, group, "lower_bound", &start->lower_bound));
  PRISM_TRY(get_flag(self, group, "exact", &start->exact));
  PRISM_TRY(get_i32(self, group, "colors", &start->colors));
  PRISM_TRY(get_values(self, "/start/clique", H5T_STD_I32LE, -1, &self->clique,
                       &start->clique_size));
  PRISM_TRY(get_values(self, "/start/color", prism_h5_unsigned(self->width), self->head.n,
                       &self->start, NULL));
  start->clique = self->clique;
  start->color = self->start;
  return PRISM_OK;
}

/* The kernel's vertices follow from those removed; both must say the same. */
static prism_status_t check_head(prism_checkpoint_reader_t *self) {
  int32_t *map = NULL;
  PRISM_TRY(PRISM_ALLOC(self->head.kernel.n, &map));
  prism_status_t status = prism_checkpoint_check_head(&self->head, PRISM_FORMAT, self->path, map);
  if (status == PRISM_OK && self->head.kernel.n > 0 &&
      memcmp(map, self->map, (size_t)self->head.kernel.n * sizeof *map) != 0)
    status = UNSOUND(self, "/kernel/map");
  prism_free(map);
  return status;
}

static prism_status_t load_head(prism_checkpoint_reader_t *self) {
  int32_t schema = 0;
  PRISM_TRY(get_i32(self, self->file, "schema_version", &schema));
  if (schema != PRISM_CHECKPOINT_SCHEMA_VERSION) return UNSOUND(self, "schema_version");
  PRISM_TRY(get_text(self, self->file, "created", &self->created));
  PRISM_TRY(get_text(self, self->file, "program", &self->program));
  self->head.created = self->created;
  self->head.program = self->program;
  PRISM_TRY(load_group(self, "/config", load_config));
  PRISM_TRY(load_group(self, "/graph", load_graph));
  PRISM_TRY(load_group(self, "/kernel", load_kernel));
  PRISM_TRY(load_group(self, "/run", load_run));
  PRISM_TRY(load_group(self, "/start", load_start));
  return check_head(self);
}

/* ---- The tables ------------------------------------------------------------------------- */

static prism_status_t load_solutions(prism_checkpoint_reader_t *self, hid_t group) {
  (void)group;
  const prism_record_table_t *form = prism_record_table(PRISM_RECORD_SOLUTION);
  prism_read_table_t *index = &self->table[PRISM_READ_SOLUTION_INDEX];
  prism_read_table_t *colors = &self->table[PRISM_READ_SOLUTION_COLORS];
  hid_t disk = -1;
  PRISM_TRY(prism_h5_record_type(self->path, form, false, &self->solution_type));
  PRISM_TRY(prism_h5_record_type(self->path, form, true, &disk));
  prism_status_t status = open_table(self, form->path, disk, self->solution_type, 0, index);
  H5Tclose(disk);
  PRISM_TRY(status);
  PRISM_TRY(open_table(self, "/solutions/colors", prism_h5_unsigned(self->width),
                       H5T_NATIVE_INT32, (hsize_t)self->head.n, colors));
  if (index->rows != colors->rows || index->rows > INT32_MAX) return UNSOUND(self, "/solutions");
  self->solutions = (int32_t)index->rows;
  return PRISM_OK;
}

/* Rows and bytes of the islands follow each other without gaps. */
static prism_status_t take_islands(prism_checkpoint_reader_t *self,
                                   const prism_checkpoint_island_row_t *row) {
  uint64_t rows = self->table[PRISM_READ_COLORS].rows, bytes = self->table[PRISM_READ_BYTES].rows;
  uint64_t next_row = 0, next_byte = 0;
  for (int32_t i = 0; i < self->islands; ++i) {
    prism_read_island_t *island = &self->island[i];
    island->head = (prism_checkpoint_island_t){
        .id = row[i].id, .rank = row[i].rank, .version = row[i].version, .k = row[i].k,
        .rows = row[i].rows, .size = (size_t)row[i].size};
    memcpy(island->head.engine, row[i].engine, sizeof island->head.engine);
    island->first_row = next_row;
    island->first_byte = next_byte;
    PRISM_TRY(prism_checkpoint_check_island(&self->head, &island->head, PRISM_FORMAT, self->path));
    bool follows = i == 0 || (row[i].id > row[i - 1].id && row[i].rank >= row[i - 1].rank);
    if (!follows || row[i].first_row != (int64_t)next_row ||
        row[i].first_byte != (int64_t)next_byte || (uint64_t)row[i].rows > rows - next_row ||
        island->head.size > bytes - next_byte)
      return UNSOUND(self, "/islands/table");
    next_row += (uint64_t)row[i].rows;
    next_byte += island->head.size;
  }
  return next_row == rows && next_byte == bytes ? PRISM_OK : UNSOUND(self, "/islands/table");
}

static prism_status_t load_islands(prism_checkpoint_reader_t *self, hid_t group) {
  (void)group;
  prism_read_table_t *table = self->table;
  hid_t color = prism_h5_unsigned(self->width), byte = H5T_STD_U8LE;
  hsize_t columns = self->head.kernel.n > 0 ? (hsize_t)self->head.kernel.n : 1, count = 0;
  void *rows = NULL;
  PRISM_TRY(open_table(self, "/islands/method", byte, byte, 0, &table[PRISM_READ_METHOD]));
  PRISM_TRY(open_table(self, "/islands/f", H5T_STD_I64LE, H5T_NATIVE_INT64, 0,
                       &table[PRISM_READ_F]));
  PRISM_TRY(open_table(self, "/islands/colors", color, color, columns, &table[PRISM_READ_COLORS]));
  PRISM_TRY(open_table(self, "/islands/bytes", byte, byte, 0, &table[PRISM_READ_BYTES]));
  hsize_t all = table[PRISM_READ_COLORS].rows;
  if (table[PRISM_READ_METHOD].rows != all || table[PRISM_READ_F].rows != all ||
      (all > 0 && self->head.kernel.n == 0))
    return UNSOUND(self, "/islands");
  PRISM_TRY(get_records(self, &prism_checkpoint_island_table, &rows, &count));
  self->islands = (int32_t)count;
  prism_status_t status = PRISM_ALLOC_ZERO(count, &self->island);
  if (status == PRISM_OK) status = take_islands(self, rows);
  prism_free(rows);
  return status;
}

static prism_status_t load_ranks(prism_checkpoint_reader_t *self, hid_t group) {
  (void)group;
  prism_read_table_t *bytes = &self->table[PRISM_READ_RANK_BYTES];
  void *rows = NULL;
  hsize_t count = 0;
  PRISM_TRY(open_table(self, "/ranks/bytes", H5T_STD_U8LE, H5T_STD_U8LE, 0, bytes));
  PRISM_TRY(get_records(self, &prism_checkpoint_rank_table, &rows, &count));
  self->rank = rows;
  uint64_t next = 0;
  if (count != (hsize_t)self->head.ranks) return UNSOUND(self, "/ranks/table");
  for (int32_t i = 0; i < self->head.ranks; ++i) {
    const prism_checkpoint_rank_row_t *row = &self->rank[i];
    if (row->rank != i || row->iterations < 0 || row->size < 0 ||
        row->first_byte != (int64_t)next || (uint64_t)row->size > bytes->rows - next)
      return UNSOUND(self, "/ranks/table");
    next += (uint64_t)row->size;
  }
  return next == bytes->rows ? PRISM_OK : UNSOUND(self, "/ranks/bytes");
}

/* ---- Open and close --------------------------------------------------------------------- */

static prism_status_t load(prism_checkpoint_reader_t *self) {
  PRISM_TRY(prism_h5_open_file(self->path, PRISM_FORMAT, NULL, &self->file));
  PRISM_TRY(load_head(self));
  PRISM_TRY(load_group(self, "/solutions", load_solutions));
  PRISM_TRY(load_group(self, "/islands", load_islands));
  return load_group(self, "/ranks", load_ranks);
}

prism_status_t prism_checkpoint_load(const char *path, int64_t size,
                                     prism_checkpoint_reader_t **out) {
  prism_checkpoint_reader_t *self = NULL;
  PRISM_TRY(prism_h5_check_memory());
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->file = self->solution_type = -1;
  self->size = size;
  for (int i = 0; i < PRISM_READ_TABLES; ++i) self->table[i].dataset = -1;
  prism_status_t status = prism_string_format(&self->path, "%s", path);
  if (status == PRISM_OK) {
    prism_h5_entered_t was = prism_h5_enter();
    status = load(self);
    prism_h5_leave(was);
  }
  if (status != PRISM_OK) prism_checkpoint_close(&self);
  PRISM_TRY(status);
  *out = self;
  return PRISM_OK;
}

static void close_handles(prism_checkpoint_reader_t *self) {
  prism_h5_entered_t was = prism_h5_enter();
  for (int i = 0; i < PRISM_READ_TABLES; ++i)
    if (self->table[i].dataset >= 0) H5Dclose(self->table[i].dataset);
  if (self->solution_type >= 0) H5Tclose(self->solution_type);
  if (self->file >= 0) H5Fclose(self->file);
  prism_h5_leave(was);
}

void prism_checkpoint_close(prism_checkpoint_reader_t **reader) {
  if (reader == NULL || *reader == NULL) return;
  prism_checkpoint_reader_t *self = *reader;
  close_handles(self);
  for (int32_t i = 0; i < self->head.settings && self->setting != NULL; ++i) {
    prism_free((void *)self->setting[i].name);
    prism_free((void *)self->setting[i].value);
  }
  prism_free(self->setting);
  prism_free(self->path);
  prism_free(self->created);
  prism_free(self->program);
  prism_free(self->graph_name);
  prism_free(self->map);
  prism_free(self->removed);
  prism_free(self->partner);
  prism_free(self->clique);
  prism_free(self->start);
  prism_free(self->best);
  prism_free(self->island);
  prism_free(self->rank);
  prism_free(self);
  *reader = NULL;
}
