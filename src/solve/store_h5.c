#include "solve/store_h5.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
  BROKEN_AFTER = 10,        /* failures of the library in a row */
  UNIT_BYTES = 64,          /* a unit of the "units" attribute */
  RESERVE_SLACK = 64 << 10, /* room for indexes and headers beside the rows of a batch */
  RESERVE_AHEAD = 256 << 10 /* reserved beyond what is needed, to do it rarely */
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
  int fd;             /* of the open file; HDF5's */
  off_t reserved_end; /* disk space is ours up to here */
  int32_t library_failures; /* in a row; a full disk is noticed before the library is called */
};

/* Rows of a chunk: some tens of kilobytes, rewritten with every flush. */
static const hsize_t chunk_rows[PRISM_RECORD_COUNT] = {
    [PRISM_RECORD_METRIC] = 128, [PRISM_RECORD_EVENT] = 64, [PRISM_RECORD_MIGRATION] = 512,
    [PRISM_RECORD_GPU] = 128, [PRISM_RECORD_PROFILE] = 64, [PRISM_RECORD_SOLUTION] = 256,
    [PRISM_RECORD_SUMMARY] = 1};

/* The library's state is global, so this lock is, too. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

/* How the caller's program had HDF5 print errors. */
typedef struct entered {
  H5E_auto2_t function;
  void *data;
} entered_t;

static entered_t library_enter(void) {
  entered_t was = {NULL, NULL};
  pthread_mutex_lock(&library_lock);
  H5dont_atexit(); /* a file on a full disk cannot be closed: HDF5 would print that at exit */
  H5Eget_auto2(H5E_DEFAULT, &was.function, &was.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return was;
}

static void library_leave(entered_t was) {
  H5Eset_auto2(H5E_DEFAULT, was.function, was.data);
  pthread_mutex_unlock(&library_lock);
}

/* Keep the innermost entry of the error stack, and of that the system's words. */
static herr_t keep_reason(unsigned depth, const H5E_error2_t *error, void *out) {
  char *reason = out;
  if (depth != 0 || error->desc == NULL) return 0;
  const char *start = strstr(error->desc, "error message = '");
  const char *from = start != NULL ? start + strlen("error message = '") : error->desc;
  size_t length = start != NULL ? strcspn(from, "'") : strlen(from);
  snprintf(reason, 128, "%.*s", (int)(length < 127 ? length : 127), from);
  return 0;
}

static void error_reason(char reason[128]) {
  reason[0] = '\0';
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, reason);
  H5Eclear2(H5E_DEFAULT);
  if (reason[0] == '\0') snprintf(reason, 128, "the HDF5 library gives no reason");
}

static prism_status_t library_failed(const char *path, const char *what, int line,
                                     const char *function) {
  char reason[128];
  error_reason(reason);
  return prism_error_record(PRISM_STORAGE, __FILE__, line, function, "%s: %s failed: %s", path,
                            what, reason);
}

/* The status of an HDF5 call that failed. The next HDF5 call forgets why, so this
 * comes before any cleaning up. */
#define H5_FAILED(file_path, what) library_failed((file_path), (what), __LINE__, __func__)

/* Return from the function when an HDF5 call failed. */
#define H5_TRY(file_path, what, call)                          \
  do {                                                         \
    if ((call) < 0) return H5_FAILED((file_path), (what));     \
  } while (0)

/* ---- Schema ---------------------------------------------------------------------- */

/* Compound type of a record: packed little-endian on disk, the struct in memory. */
static prism_status_t make_type(const char *path, prism_record_kind_t kind, bool on_disk,
                                hid_t *out) {
  const prism_record_table_t *table = prism_record_table(kind);
  size_t packed = 0;
  for (int32_t i = 0; i < table->field_count; ++i) packed += table->field[i].bytes;
  hid_t type = H5Tcreate(H5T_COMPOUND, on_disk ? packed : table->bytes);
  H5_TRY(path, "making a type", type);
  size_t offset = 0;
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < table->field_count && status == PRISM_OK; ++i) {
    const prism_field_t *field = &table->field[i];
    hid_t member = -1;
    herr_t failed = 0;
    switch (field->type) {
      case PRISM_FIELD_I64:
        member = H5Tcopy(on_disk ? H5T_STD_I64LE : H5T_NATIVE_INT64);
        break;
      case PRISM_FIELD_I32:
        member = H5Tcopy(on_disk ? H5T_STD_I32LE : H5T_NATIVE_INT32);
        break;
      case PRISM_FIELD_F64:
        member = H5Tcopy(on_disk ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE);
        break;
      case PRISM_FIELD_TEXT:
        member = H5Tcopy(H5T_C_S1);
        failed = H5Tset_size(member, field->bytes);
        if (failed >= 0) failed = H5Tset_cset(member, H5T_CSET_UTF8);
        break;
    }
    if (failed >= 0)
      failed = H5Tinsert(type, field->name, on_disk ? offset : field->offset, member);
    if (failed < 0) status = H5_FAILED(path, "making a type");
    if (member >= 0) H5Tclose(member);
    offset += field->bytes;
  }
  if (status == PRISM_OK)
    *out = type;
  else
    H5Tclose(type);
  return status;
}

/* Write an attribute of `count` values (0: a scalar) on an object. */
static prism_status_t put_attribute(const char *path, hid_t object, const char *name, hid_t type,
                                    hsize_t count, const void *value) {
  hid_t space = count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, NULL);
  H5_TRY(path, "making an attribute", space);
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  prism_status_t status = PRISM_OK;
  if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
    status = H5_FAILED(path, "writing an attribute");
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return status;
}

static prism_status_t put_text(const char *path, hid_t object, const char *name,
                               const char *value) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5_TRY(path, "making a type", type);
  size_t bytes = strlen(value) + 1;
  prism_status_t status = PRISM_OK;
  if (H5Tset_size(type, bytes) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
    status = H5_FAILED(path, "making a type");
  else
    status = put_attribute(path, object, name, type, 0, value);
  H5Tclose(type);
  return status;
}

/* An extendible chunked dataset, [rows] or, with columns > 0, [rows][columns]. */
static prism_status_t make_dataset(const char *path, hid_t file, const char *name, hid_t type,
                                   hsize_t chunk, hsize_t columns, hid_t *out) {
  int rank = columns > 0 ? 2 : 1;
  hsize_t now[2] = {0, columns}, most[2] = {H5S_UNLIMITED, columns}, piece[2] = {chunk, columns};
  hid_t space = H5Screate_simple(rank, now, most);
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
  hid_t dataset = -1;
  if (space >= 0 && plist >= 0 && H5Pset_chunk(plist, rank, piece) >= 0)
    dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  prism_status_t status = dataset < 0 ? H5_FAILED(path, "making a table") : PRISM_OK;
  if (space >= 0) H5Sclose(space);
  if (plist >= 0) H5Pclose(plist);
  if (status == PRISM_OK) *out = dataset;
  return status;
}

static prism_status_t make_table(prism_h5_t *self, prism_record_kind_t kind) {
  const prism_record_table_t *table = prism_record_table(kind);
  hid_t disk = -1;
  PRISM_TRY(make_type(self->path, kind, false, &self->memory_type[kind]));
  PRISM_TRY(make_type(self->path, kind, true, &disk));
  prism_status_t status = make_dataset(self->path, self->file, table->path, disk,
                                       chunk_rows[kind], 0, &self->table[kind]);
  H5Tclose(disk);
  PRISM_TRY(status);

  char *units = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO((size_t)table->field_count * UNIT_BYTES, &units));
  for (int32_t i = 0; i < table->field_count; ++i)
    prism_record_text(units + (size_t)i * UNIT_BYTES, UNIT_BYTES, table->field[i].unit);
  hid_t text = H5Tcopy(H5T_C_S1);
  if (text >= 0 && H5Tset_size(text, UNIT_BYTES) >= 0)
    status = put_attribute(self->path, self->table[kind], "units", text,
                           (hsize_t)table->field_count, units);
  if (text >= 0) H5Tclose(text);
  prism_free(units);
  return status;
}

static prism_status_t make_solutions(prism_h5_t *self, int32_t color_bound) {
  self->color_bytes = color_bound <= 256 ? 1 : color_bound <= 65536 ? 2 : 4;
  hid_t disk = self->color_bytes == 1   ? H5T_STD_U8LE
               : self->color_bytes == 2 ? H5T_STD_U16LE
                                        : H5T_STD_U32LE;
  self->color_type = H5Tcopy(self->color_bytes == 1   ? H5T_NATIVE_UINT8
                             : self->color_bytes == 2 ? H5T_NATIVE_UINT16
                                                      : H5T_NATIVE_UINT32);
  H5_TRY(self->path, "making a type", self->color_type);
  return make_dataset(self->path, self->file, "/solutions/colors", disk, 1, self->n,
                      &self->colors);
}

static prism_status_t fill_config(const prism_h5_t *self, hid_t group,
                                  const prism_store_config_t *config) {
  size_t count = 0;
  const prism_param_row_t *row = prism_param_rows(&count);
  for (size_t i = 0; config->params != NULL && i < count; ++i) {
    char *name = NULL;
    prism_text_t value = {0};
    prism_status_t status = prism_string_format(&name, "%s.%s", row[i].section, row[i].name);
    if (status == PRISM_OK) status = prism_params_format(config->params, &row[i], &value);
    if (status == PRISM_OK)
      status = put_text(self->path, group, name, value.data != NULL ? value.data : "");
    prism_text_free(&value);
    prism_free(name);
    PRISM_TRY(status);
  }
  return put_attribute(self->path, group, "seed", H5T_NATIVE_UINT64, 0, &config->seed);
}

static prism_status_t fill_build(const prism_h5_t *self, hid_t group,
                                 const prism_store_config_t *config) {
  for (int32_t i = 0; i < config->build_count; ++i)
    PRISM_TRY(put_text(self->path, group, config->build[i].name, config->build[i].value));
  return PRISM_OK;
}

static prism_status_t fill_graph(const prism_h5_t *self, hid_t group,
                                 const prism_store_config_t *config) {
  int64_t n = config->graph->n;
  PRISM_TRY(put_text(self->path, group, "name", config->graph_name));
  PRISM_TRY(put_text(self->path, group, "hash", config->graph_hash));
  PRISM_TRY(put_attribute(self->path, group, "n", H5T_NATIVE_INT64, 0, &n));
  return put_attribute(self->path, group, "m", H5T_NATIVE_INT64, 0, &config->graph->m);
}

/* Compound type of prism_rank_row_t; used in memory and on disk alike. */
static prism_status_t make_rank_type(const char *path, hid_t *out) {
  hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(prism_rank_row_t));
  hid_t text = H5Tcopy(H5T_C_S1);
  bool made = type >= 0 && text >= 0 &&
              H5Tset_size(text, sizeof(((prism_rank_row_t *)0)->host)) >= 0 &&
              H5Tset_cset(text, H5T_CSET_UTF8) >= 0 &&
              H5Tinsert(type, "rank", HOFFSET(prism_rank_row_t, rank), H5T_NATIVE_INT32) >= 0 &&
              H5Tinsert(type, "threads", HOFFSET(prism_rank_row_t, threads), H5T_NATIVE_INT32) >=
                  0 &&
              H5Tinsert(type, "gpu", HOFFSET(prism_rank_row_t, gpu), H5T_NATIVE_INT32) >= 0 &&
              H5Tinsert(type, "host", HOFFSET(prism_rank_row_t, host), text) >= 0 &&
              H5Tinsert(type, "device", HOFFSET(prism_rank_row_t, device), text) >= 0 &&
              H5Tinsert(type, "uuid", HOFFSET(prism_rank_row_t, uuid), text) >= 0 &&
              H5Tinsert(type, "processors", HOFFSET(prism_rank_row_t, processors), text) >= 0;
  prism_status_t status = made ? PRISM_OK : H5_FAILED(path, "making a type");
  if (text >= 0) H5Tclose(text);
  if (made)
    *out = type;
  else if (type >= 0)
    H5Tclose(type);
  return status;
}

static prism_status_t fill_ranks(const prism_h5_t *self, hid_t group,
                                 const prism_store_config_t *config) {
  hsize_t count = (hsize_t)config->rank_count;
  hid_t type = -1;
  PRISM_TRY(make_rank_type(self->path, &type));
  hid_t space = H5Screate_simple(1, &count, NULL);
  hid_t table = -1;
  herr_t failed = -1;
  if (space >= 0)
    table = H5Dcreate2(group, "table", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (table >= 0)
    failed = count > 0 ? H5Dwrite(table, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, config->ranks) : 0;
  prism_status_t status = failed < 0 ? H5_FAILED(self->path, "writing /ranks") : PRISM_OK;
  if (table >= 0) H5Dclose(table);
  if (space >= 0) H5Sclose(space);
  H5Tclose(type);
  return status;
}

typedef prism_status_t fill_t(const prism_h5_t *self, hid_t group,
                              const prism_store_config_t *config);

static prism_status_t make_group(const prism_h5_t *self, const char *name, fill_t *fill,
                                 const prism_store_config_t *config) {
  hid_t group = H5Gcreate2(self->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5_TRY(self->path, "making a group", group);
  prism_status_t status = fill != NULL ? fill(self, group, config) : PRISM_OK;
  if (H5Gclose(group) < 0 && status == PRISM_OK) status = H5_FAILED(self->path, "closing a group");
  return status;
}

static prism_status_t make_schema(prism_h5_t *self, const prism_store_config_t *config,
                                  const char *created) {
  int32_t version = PRISM_STORE_SCHEMA_VERSION;
  PRISM_TRY(put_attribute(self->path, self->file, "schema_version", H5T_NATIVE_INT32, 0, &version));
  PRISM_TRY(put_text(self->path, self->file, "created", created));
  PRISM_TRY(make_group(self, "/config", fill_config, config));
  PRISM_TRY(make_group(self, "/build", fill_build, config));
  PRISM_TRY(make_group(self, "/graph", fill_graph, config));
  PRISM_TRY(make_group(self, "/ranks", fill_ranks, config));
  PRISM_TRY(make_group(self, "/telemetry", NULL, config));
  PRISM_TRY(make_group(self, "/solutions", NULL, config));
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    PRISM_TRY(make_table(self, (prism_record_kind_t)kind));
  int32_t bound = config->color_bound > 0 ? config->color_bound : config->graph->n;
  return make_solutions(self, bound);
}

/* ---- Open and close ---------------------------------------------------------------- */

/* Format of HDF5 1.10, the first with SWMR, so that every newer reader opens the
 * file, and a file that this program locks by itself (the .jsonl). */
static prism_status_t create_file(prism_h5_t *self) {
  hid_t plist = H5Pcreate(H5P_FILE_ACCESS);
  H5_TRY(self->path, "preparing", plist);
  if (H5Pset_libver_bounds(plist, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
      H5Pset_file_locking(plist, false, true) >= 0 &&
      H5Pset_fclose_degree(plist, H5F_CLOSE_STRONG) >= 0)
    self->file = H5Fcreate(self->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, plist);
  prism_status_t status = self->file < 0 ? H5_FAILED(self->temporary, "creating") : PRISM_OK;
  H5Pclose(plist);
  return status;
}

static prism_status_t create_run(prism_h5_t *self, const prism_store_config_t *config,
                                 const char *created) {
  PRISM_TRY(prism_string_format(&self->path, "%s", config->run_path));
  PRISM_TRY(prism_string_format(&self->temporary, "%s.tmp", config->run_path));
  PRISM_TRY(create_file(self));
  PRISM_TRY(make_schema(self, config, created));
  H5_TRY(self->temporary, "flushing", H5Fflush(self->file, H5F_SCOPE_GLOBAL));
  H5_TRY(self->temporary, "starting SWMR", H5Fstart_swmr_write(self->file));
  void *handle = NULL;
  H5_TRY(self->temporary, "reaching the file", H5Fget_vfd_handle(self->file, H5P_DEFAULT, &handle));
  self->fd = *(const int *)handle;
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
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->file = self->colors = self->color_type = -1;
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    self->table[kind] = self->memory_type[kind] = -1;
  self->n = (hsize_t)config->graph->n;

  entered_t was = library_enter();
  prism_status_t status = create_run(self, config, created);
  if (status != PRISM_OK) {
    close_handles(self);
    if (self->temporary != NULL) unlink(self->temporary);
  }
  library_leave(was);
  if (status != PRISM_OK) {
    release(&self);
    prism_error_frame(__FILE__, __LINE__, __func__);
    return status == PRISM_STORAGE ? PRISM_IO : status;
  }
  *out = self;
  return PRISM_OK;
}

/* Give back the space reserved beyond the end and force the file to the disk. */
static prism_status_t settle(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) PRISM_FAIL(PRISM_STORAGE, "%s: %s", path, strerror(errno));
  struct stat info;
  int reason = 0;
  if (fstat(fd, &info) != 0 || ftruncate(fd, info.st_size) != 0) reason = errno;
  if (fsync(fd) != 0 && errno != EINVAL && reason == 0) reason = errno;
  if (close(fd) != 0 && reason == 0) reason = errno;
  if (reason != 0) PRISM_FAIL(PRISM_STORAGE, "%s: %s", path, strerror(reason));
  return PRISM_OK;
}

prism_status_t prism_h5_close(prism_h5_t **file) {
  prism_h5_t *self = *file;
  if (self == NULL) return PRISM_OK;
  prism_status_t status = PRISM_OK;
  entered_t was = library_enter();
  if (!close_handles(self))
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "%s cannot be closed; it ends with the last flush", self->path);
  library_leave(was);
  if (status == PRISM_OK) status = settle(self->path);
  release(file);
  return status;
}

/* ---- Appending ---------------------------------------------------------------------- */

/* Make sure that `bytes` more fit on the disk before HDF5 hears of them: a write
 * that fails inside the library may leave the open file unusable. */
static prism_status_t reserve(prism_h5_t *self, size_t bytes) {
  struct stat info;
  if (fstat(self->fd, &info) != 0)
    PRISM_FAIL(PRISM_STORAGE, "%s: %s", self->path, strerror(errno));
  off_t need = info.st_size + (off_t)(bytes + RESERVE_SLACK);
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      need > (off_t)limit.rlim_cur)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: %s", self->path, strerror(EFBIG));
  if (need <= self->reserved_end) return PRISM_OK;
  if (fallocate(self->fd, FALLOC_FL_KEEP_SIZE, info.st_size,
                need + RESERVE_AHEAD - info.st_size) == 0) {
    self->reserved_end = need + RESERVE_AHEAD;
    return PRISM_OK;
  }
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO || errno == EROFS)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: %s", self->path, strerror(errno));
  return PRISM_OK; /* a file system without reservations: HDF5 finds out by itself */
}

static prism_status_t write_rows(prism_h5_t *self, hid_t dataset, hid_t type, hsize_t at,
                                 hsize_t count, hsize_t columns, const void *data) {
  int rank = columns > 0 ? 2 : 1;
  hsize_t size[2] = {at + count, columns}, start[2] = {at, 0}, block[2] = {count, columns};
  ++self->library_failures; /* taken back at the end */
  H5_TRY(self->path, "extending a table", H5Dset_extent(dataset, size));
  hid_t target = H5Dget_space(dataset);
  hid_t source = H5Screate_simple(rank, block, NULL);
  herr_t failed = -1;
  if (target >= 0 && source >= 0 &&
      H5Sselect_hyperslab(target, H5S_SELECT_SET, start, NULL, block, NULL) >= 0)
    failed = H5Dwrite(dataset, type, source, target, H5P_DEFAULT, data);
  prism_status_t status = failed < 0 ? H5_FAILED(self->path, "writing") : PRISM_OK;
  if (target >= 0) H5Sclose(target);
  if (source >= 0) H5Sclose(source);
  PRISM_TRY(status);
  H5_TRY(self->path, "flushing", H5Dflush(dataset));
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
  entered_t was = library_enter();
  prism_status_t status = append(file, kind, rows, count);
  library_leave(was);
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
  entered_t was = library_enter();
  prism_status_t status = append_solution(file, row, packed);
  library_leave(was);
  return status;
}

bool prism_h5_broken(const prism_h5_t *file) { return file->library_failures >= BROKEN_AFTER; }

size_t prism_h5_color_bytes(const prism_h5_t *file) { return file->color_bytes; }

void prism_h5_version(char *out, size_t size) {
  unsigned major = 0, minor = 0, release_number = 0;
  entered_t was = library_enter();
  H5get_libversion(&major, &minor, &release_number);
  library_leave(was);
  snprintf(out, size, "%u.%u.%u", major, minor, release_number);
}
