#include "solve/run_reader_h5.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "solve/h5_tools.h"

enum {
  MOST_FIELDS = 64,
  MOST_RANKS = 1 << 22,   /* more are a damaged file */
  BLOCK_BYTES = 4 << 20,  /* of packed rows at a time */
  MOST_TEXT = 64 << 20    /* bytes of an attribute */
};

/* A table as the file has it: the fields that it shares with the record, in memory one behind
 * the other, texts with a byte more for their end. */
typedef struct source {
  hid_t dataset;   /* -1: this file has none */
  hid_t packed;    /* compound in memory */
  size_t bytes;    /* of a packed row */
  int32_t fields;
  int32_t field[MOST_FIELDS];  /* which of the record's */
  size_t offset[MOST_FIELDS];
  int64_t rows;
} source_t;

struct prism_run_h5 {
  char *path;
  hid_t file;
  bool swmr;
  source_t table[PRISM_RECORD_COUNT];
  hid_t colors; /* -1: none */
  int64_t color_rows;
  int64_t columns;
};

/* ---- Attributes --------------------------------------------------------------------------- */

/* Value of an attribute as text: strings as they are, numbers in full.
 * [out] owned by the caller; NULL: a kind of value that runs do not have */
static prism_status_t read_text(const char *path, hid_t attribute, char **out) {
  *out = NULL;
  hid_t type = H5Aget_type(attribute), memory = -1;
  PRISM_H5_READ_TRY(path, "reading an attribute", type);
  prism_status_t status = PRISM_OK;
  H5T_class_t kind = H5Tget_class(type);
  size_t bytes = H5Tget_size(type);
  hid_t space = H5Aget_space(attribute);
  hssize_t points = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
  bool single = points == 1;
  if (space >= 0) H5Sclose(space);
  char *fixed = NULL, *variable = NULL;
  int64_t whole = 0;
  double real = 0.0;
  if (single && kind == H5T_STRING && H5Tis_variable_str(type) > 0) {
    if (H5Aread(attribute, type, &variable) < 0)
      status = PRISM_H5_UNREADABLE(path, "reading an attribute");
    else
      status = prism_string_format(out, "%s", variable != NULL ? variable : "");
    if (variable != NULL) H5free_memory(variable);
  } else if (single && kind == H5T_STRING && bytes < MOST_TEXT) {
    status = PRISM_ALLOC_ZERO(bytes + 1, &fixed);
    if (status == PRISM_OK && H5Aread(attribute, type, fixed) < 0)
      status = PRISM_H5_UNREADABLE(path, "reading an attribute");
    if (status == PRISM_OK)
      *out = fixed;
    else
      prism_free(fixed);
  } else if (single && kind == H5T_INTEGER) {
    bool natural = H5Tget_sign(type) == H5T_SGN_NONE;
    memory = natural ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
    uint64_t number = 0;
    if (H5Aread(attribute, memory, natural ? (void *)&number : (void *)&whole) < 0)
      status = PRISM_H5_UNREADABLE(path, "reading an attribute");
    else
      status = natural ? prism_string_format(out, "%" PRIu64, number)
                       : prism_string_format(out, "%" PRId64, whole);
  } else if (single && kind == H5T_FLOAT) {
    if (H5Aread(attribute, H5T_NATIVE_DOUBLE, &real) < 0)
      status = PRISM_H5_UNREADABLE(path, "reading an attribute");
    else
      status = prism_string_format(out, "%.17g", real);
  }
  H5Tclose(type);
  return status;
}

/* A named attribute as text; NULL when the object has none. */
static prism_status_t named_text(const char *path, hid_t object, const char *name, char **out) {
  *out = NULL;
  if (H5Aexists(object, name) <= 0) return PRISM_OK;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  PRISM_H5_READ_TRY(path, "reading an attribute", attribute);
  prism_status_t status = read_text(path, attribute, out);
  H5Aclose(attribute);
  return status;
}

/* A whole number among the attributes; `none` when there is none. */
static prism_status_t named_i64(const char *path, hid_t object, const char *name, int64_t none,
                                int64_t *out) {
  char *text = NULL;
  long long number = none;
  PRISM_TRY(named_text(path, object, name, &text));
  if (text != NULL && sscanf(text, "%lld", &number) != 1) number = none;
  prism_free(text);
  *out = number;
  return PRISM_OK;
}

typedef struct collection {
  const char *path;
  prism_run_facts_t *facts;
  bool config;
  prism_status_t status;
} collection_t;

static herr_t collect(hid_t object, const char *name, const H5A_info_t *info, void *user) {
  (void)info;
  collection_t *self = user;
  char *value = NULL;
  self->status = named_text(self->path, object, name, &value);
  if (self->status == PRISM_OK && value != NULL) {
    unsigned long long seed = 0;
    if (self->config && strcmp(name, "seed") == 0) {
      self->facts->has_seed = sscanf(value, "%llu", &seed) == 1;
      self->facts->seed = seed;
    } else {
      prism_run_facts_t *facts = self->facts;
      self->status =
          prism_run_pairs_add(self->config ? &facts->settings : &facts->builds, name, value);
    }
  }
  prism_free(value);
  return self->status == PRISM_OK ? 0 : -1;
}

/* All attributes of a group. */
static prism_status_t load_pairs(const char *path, hid_t file, const char *group, bool config,
                                 prism_run_facts_t *facts) {
  if (H5Lexists(file, group, H5P_DEFAULT) <= 0) return PRISM_OK;
  hid_t object = H5Gopen2(file, group, H5P_DEFAULT);
  PRISM_H5_READ_TRY(path, "opening a group", object);
  collection_t all = {path, facts, config, PRISM_OK};
  herr_t done = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, collect, &all);
  if (done < 0 && all.status == PRISM_OK)
    all.status = PRISM_H5_UNREADABLE(path, "reading attributes");
  H5Gclose(object);
  return all.status;
}

static prism_status_t load_graph(const char *path, hid_t file, prism_run_facts_t *facts) {
  if (H5Lexists(file, "/graph", H5P_DEFAULT) <= 0) return PRISM_OK;
  hid_t object = H5Gopen2(file, "/graph", H5P_DEFAULT);
  PRISM_H5_READ_TRY(path, "opening a group", object);
  prism_status_t status = named_text(path, object, "name", &facts->graph_name);
  if (status == PRISM_OK) status = named_text(path, object, "hash", &facts->graph_hash);
  if (status == PRISM_OK) status = named_i64(path, object, "n", -1, &facts->n);
  if (status == PRISM_OK) status = named_i64(path, object, "m", -1, &facts->m);
  H5Gclose(object);
  return status;
}

/* ---- Tables -------------------------------------------------------------------------------- */

/* A dataset that may be missing: -1. */
static hid_t open_dataset(hid_t file, const char *name) {
  /* Every part of the path must be asked for. */
  const char *slash = strchr(name + 1, '/');
  char group[64] = "";
  if (slash != NULL) {
    snprintf(group, sizeof group, "%.*s", (int)(slash - name), name);
    if (H5Lexists(file, group, H5P_DEFAULT) <= 0) return -1;
  }
  if (H5Lexists(file, name, H5P_DEFAULT) <= 0) return -1;
  return H5Dopen2(file, name, H5P_DEFAULT);
}

/* Rows, and columns where it is a matrix, of an open dataset. */
static bool extent(hid_t dataset, int rank, hsize_t *size) {
  hid_t space = H5Dget_space(dataset);
  bool good = space >= 0 && H5Sget_simple_extent_ndims(space) == rank &&
              H5Sget_simple_extent_dims(space, size, NULL) == rank;
  if (space >= 0) H5Sclose(space);
  return good;
}

/* What a member of the file's type becomes in memory; -1: no counterpart of the field. */
static hid_t member_in_memory(hid_t type, const prism_field_t *field, size_t *bytes) {
  H5T_class_t kind = H5Tget_class(type);
  const bool number = kind == H5T_INTEGER || (kind == H5T_FLOAT && field->type == PRISM_FIELD_F64);
  *bytes = field->bytes;
  switch (field->type) {
    case PRISM_FIELD_I64:
      return number ? H5Tcopy(H5T_NATIVE_INT64) : -1;
    case PRISM_FIELD_I32:
      return number ? H5Tcopy(H5T_NATIVE_INT32) : -1;
    case PRISM_FIELD_F64:
      return number ? H5Tcopy(H5T_NATIVE_DOUBLE) : -1;
    case PRISM_FIELD_TEXT:
      break;
  }
  if (kind != H5T_STRING || H5Tis_variable_str(type) != 0) return -1;
  hid_t text = H5Tcopy(type);
  *bytes = H5Tget_size(type) + 1;
  if (text >= 0 && *bytes <= 4096 && H5Tset_size(text, *bytes) >= 0 &&
      H5Tset_strpad(text, H5T_STR_NULLTERM) >= 0)
    return text;
  if (text >= 0) H5Tclose(text);
  return -1;
}

/* Find the record's fields in the dataset's type and make the packed one. */
static prism_status_t match_fields(const char *path, const prism_record_table_t *table,
                                   source_t *self) {
  hid_t type = H5Dget_type(self->dataset), member[MOST_FIELDS];
  size_t bytes[MOST_FIELDS];
  PRISM_H5_READ_TRY(path, "reading a type", type);
  if (H5Tget_class(type) != H5T_COMPOUND) {
    H5Tclose(type);
    PRISM_FAIL(PRISM_FORMAT, "%s: %s is not a table of a run", path, table->path);
  }
  for (int32_t i = 0; i < table->field_count; ++i) {
    int index = H5Tget_member_index(type, table->field[i].name);
    hid_t there = index >= 0 ? H5Tget_member_type(type, (unsigned)index) : -1;
    hid_t mine = there >= 0 ? member_in_memory(there, &table->field[i], &bytes[self->fields]) : -1;
    if (there >= 0) H5Tclose(there);
    if (mine < 0) continue;
    member[self->fields] = mine;
    self->field[self->fields] = i;
    self->offset[self->fields] = self->bytes;
    self->bytes += bytes[self->fields++];
  }
  H5Tclose(type);
  prism_status_t status = PRISM_OK;
  if (self->fields == 0)
    status = prism_error_record(PRISM_FORMAT, __FILE__, __LINE__, __func__,
                                "%s: %s has no field of a run", path, table->path);
  if (status == PRISM_OK) {
    self->packed = H5Tcreate(H5T_COMPOUND, self->bytes);
    if (self->packed < 0) status = PRISM_H5_UNREADABLE(path, "making a type");
  }
  for (int32_t i = 0; i < self->fields; ++i) {
    if (status == PRISM_OK && H5Tinsert(self->packed, table->field[self->field[i]].name,
                                        self->offset[i], member[i]) < 0)
      status = PRISM_H5_UNREADABLE(path, "making a type");
    H5Tclose(member[i]);
  }
  return status;
}

static prism_status_t open_table(const char *path, hid_t file, const prism_record_table_t *table,
                                 source_t *self) {
  hsize_t size = 0;
  memset(self, 0, sizeof *self);
  self->packed = -1;
  self->dataset = open_dataset(file, table->path);
  if (self->dataset < 0) return PRISM_OK;
  if (!extent(self->dataset, 1, &size))
    PRISM_FAIL(PRISM_FORMAT, "%s: %s is not a table of a run", path, table->path);
  PRISM_TRY(match_fields(path, table, self));
  self->rows = (int64_t)size;
  return PRISM_OK;
}

static void close_table(source_t *self) {
  if (self->dataset >= 0) H5Dclose(self->dataset);
  if (self->packed >= 0) H5Tclose(self->packed);
}

/* Put what was read where the struct has it; the struct is blank. */
static void scatter(const source_t *self, const prism_record_table_t *table, const char *packed,
                    char *row) {
  for (int32_t i = 0; i < self->fields; ++i) {
    const prism_field_t *field = &table->field[self->field[i]];
    const char *from = packed + self->offset[i];
    if (field->type == PRISM_FIELD_TEXT)
      prism_record_text(row + field->offset, field->bytes, from);
    else
      memcpy(row + field->offset, from, field->bytes);
  }
}

/* Rows into blank structs. */
static prism_status_t read_rows(const char *path, const source_t *self,
                                const prism_record_table_t *table, int64_t first, int64_t count,
                                char *rows) {
  int64_t most = (int64_t)((size_t)BLOCK_BYTES / self->bytes);
  if (most > count) most = count;
  char *packed = NULL;
  PRISM_TRY(prism_alloc_bytes((size_t)most, self->bytes, (void **)&packed));
  prism_status_t status = PRISM_OK;
  for (int64_t at = 0; at < count && status == PRISM_OK; at += most) {
    int64_t now = count - at < most ? count - at : most;
    status = prism_h5_read_rows(path, PRISM_IO, self->dataset, self->packed,
                                (hsize_t)(first + at), (hsize_t)now, 0, packed);
    for (int64_t i = 0; i < now && status == PRISM_OK; ++i)
      scatter(self, table, packed + (size_t)i * self->bytes,
              rows + (size_t)(at + i) * table->bytes);
  }
  prism_free(packed);
  return status;
}

static prism_status_t load_ranks(const char *path, hid_t file, prism_run_facts_t *facts) {
  source_t table;
  const prism_record_table_t *form = prism_rank_table();
  prism_status_t status = open_table(path, file, form, &table);
  if (status == PRISM_OK && table.dataset >= 0 && table.rows > 0) {
    if (table.rows > MOST_RANKS)
      status = prism_error_record(PRISM_FORMAT, __FILE__, __LINE__, __func__,
                                  "%s: %" PRId64 " ranks cannot be", path, table.rows);
    if (status == PRISM_OK) status = PRISM_ALLOC(table.rows, &facts->rank);
    if (status == PRISM_OK) {
      facts->ranks = (int32_t)table.rows;
      for (int32_t i = 0; i < facts->ranks; ++i) prism_run_rank_blank(&facts->rank[i]);
      status = read_rows(path, &table, form, 0, table.rows, (char *)facts->rank);
    }
  }
  close_table(&table);
  return status;
}

/* ---- Opening -------------------------------------------------------------------------------- */

/* A file that was closed opens as it is, any other one beside its writer. */
static prism_status_t open_file(prism_run_h5_t *self) {
  prism_status_t status = prism_h5_open_file(self->path, PRISM_IO, &self->swmr, &self->file);
  if (status != PRISM_OK && H5Fis_hdf5(self->path) == 0)
    PRISM_FAIL(PRISM_FORMAT, "%s is not an HDF5 file", self->path);
  return status;
}

static prism_status_t load(prism_run_h5_t *self, prism_run_facts_t *facts) {
  PRISM_TRY(open_file(self));
  int64_t version = -1;
  PRISM_TRY(named_i64(self->path, self->file, "schema_version", -1, &version));
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    PRISM_TRY(open_table(self->path, self->file, prism_record_table((prism_record_kind_t)kind),
                         &self->table[kind]));
  if (version < 1 || version > INT32_MAX || self->table[PRISM_RECORD_METRIC].dataset < 0)
    PRISM_FAIL(PRISM_FORMAT, "%s is an HDF5 file, but not one of a run", self->path);
  facts->schema_version = (int32_t)version;
  self->colors = open_dataset(self->file, "/solutions/colors");
  PRISM_TRY(named_text(self->path, self->file, "created", &facts->created));
  PRISM_TRY(load_graph(self->path, self->file, facts));
  PRISM_TRY(load_pairs(self->path, self->file, "/config", true, facts));
  PRISM_TRY(load_pairs(self->path, self->file, "/build", false, facts));
  return load_ranks(self->path, self->file, facts);
}

static prism_status_t refresh(prism_run_h5_t *self) {
  /* From the last table to the first: once the summary is seen, everything is. */
  for (int kind = PRISM_RECORD_COUNT - 1; kind >= 0; --kind) {
    source_t *table = &self->table[kind];
    hsize_t size = 0;
    if (table->dataset < 0) continue;
    if (self->swmr) PRISM_H5_READ_TRY(self->path, "refreshing", H5Drefresh(table->dataset));
    if (!extent(table->dataset, 1, &size))
      PRISM_FAIL(PRISM_IO, "%s: the size of a table cannot be read", self->path);
    if ((int64_t)size > table->rows) table->rows = (int64_t)size;
  }
  hsize_t size[2] = {0, 0};
  if (self->colors < 0) return PRISM_OK;
  if (self->swmr) PRISM_H5_READ_TRY(self->path, "refreshing", H5Drefresh(self->colors));
  if (!extent(self->colors, 2, size))
    PRISM_FAIL(PRISM_IO, "%s: /solutions/colors is no matrix", self->path);
  self->color_rows = (int64_t)size[0];
  self->columns = (int64_t)size[1];
  return PRISM_OK;
}

prism_status_t prism_run_h5_open(const char *path, prism_run_facts_t *facts,
                                 prism_run_h5_t **out) {
  prism_run_h5_t *self = NULL;
  PRISM_TRY(prism_h5_check_memory());
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->file = self->colors = -1;
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    self->table[kind].dataset = self->table[kind].packed = -1;
  prism_status_t status = prism_string_format(&self->path, "%s", path);
  prism_h5_entered_t was = prism_h5_enter();
  if (status == PRISM_OK) status = load(self, facts);
  if (status == PRISM_OK) status = refresh(self);
  prism_h5_leave(was);
  if (status != PRISM_OK) prism_run_h5_close(&self);
  PRISM_TRY(status);
  *out = self;
  return PRISM_OK;
}

void prism_run_h5_close(prism_run_h5_t **file) {
  prism_run_h5_t *self = *file;
  if (self == NULL) return;
  prism_h5_entered_t was = prism_h5_enter();
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) close_table(&self->table[kind]);
  if (self->colors >= 0) H5Dclose(self->colors);
  if (self->file >= 0) H5Fclose(self->file);
  prism_h5_leave(was);
  prism_free(self->path);
  prism_free(self);
  *file = NULL;
}

/* ---- Reading --------------------------------------------------------------------------------- */

bool prism_run_h5_unclosed(const prism_run_h5_t *file) { return file->swmr; }

prism_status_t prism_run_h5_refresh(prism_run_h5_t *file) {
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = refresh(file);
  prism_h5_leave(was);
  return status;
}

int64_t prism_run_h5_rows(const prism_run_h5_t *file, prism_record_kind_t kind) {
  return file->table[kind].rows;
}

prism_status_t prism_run_h5_read(prism_run_h5_t *file, prism_record_kind_t kind, int64_t first,
                                 int64_t count, void *rows) {
  const prism_record_table_t *table = prism_record_table(kind);
  for (int64_t i = 0; i < count; ++i)
    prism_record_blank(kind, (char *)rows + (size_t)i * table->bytes);
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = read_rows(file->path, &file->table[kind], table, first, count, rows);
  prism_h5_leave(was);
  return status;
}

prism_status_t prism_run_h5_colors(prism_run_h5_t *file, int64_t index, int64_t n,
                                   int32_t *color) {
  if (file->colors < 0 || file->columns != n || index < 0 || index >= file->color_rows)
    PRISM_FAIL(PRISM_FORMAT, "%s has no coloring %" PRId64, file->path, index);
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = prism_h5_read_rows(file->path, PRISM_IO, file->colors, H5T_NATIVE_INT32,
                                             (hsize_t)index, 1, (hsize_t)n, color);
  prism_h5_leave(was);
  return status;
}
