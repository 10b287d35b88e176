#include "solve/h5_tools.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum {
  UNIT_BYTES = 64,        /* a unit of the "units" attribute */
  REASON_BYTES = 128,     /* an error */
  START_BYTES = 32 << 20, /* more than the library takes to start and to open a file, measured */
  WRITE_BYTES = 4 << 20,  /* more than it takes to write rows: chunks, caches */
};

/* The library's state is global, so this lock is, too. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

prism_h5_entered_t prism_h5_enter(void) {
  prism_h5_entered_t was = {NULL, NULL};
  pthread_mutex_lock(&library_lock);
  H5dont_atexit(); /* a file on a full disk cannot be closed: HDF5 would print that at exit */
  H5Eget_auto2(H5E_DEFAULT, &was.function, &was.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return was;
}

void prism_h5_leave(prism_h5_entered_t was) {
  H5Eset_auto2(H5E_DEFAULT, was.function, was.data);
  pthread_mutex_unlock(&library_lock);
}

/* Not through base/mem.h, whose numbers would count what nobody uses. */
static prism_status_t check_memory(size_t bytes) {
  void *volatile probe = malloc(bytes);
  if (probe == NULL)
    PRISM_FAIL(PRISM_MEMORY, "out of memory: the HDF5 library needs %zu MiB", bytes >> 20);
  free(probe);
  return PRISM_OK;
}

prism_status_t prism_h5_check_memory(void) { return check_memory(START_BYTES); }

/* Keep the innermost entry of the error stack, and of that the system's words. */
static herr_t keep_reason(unsigned depth, const H5E_error2_t *error, void *out) {
  char *reason = out;
  if (depth != 0 || error->desc == NULL) return 0;
  const char *start = strstr(error->desc, "error message = '");
  const char *from = start != NULL ? start + strlen("error message = '") : error->desc;
  size_t length = start != NULL ? strcspn(from, "'") : strlen(from);
  snprintf(reason, REASON_BYTES, "%.*s",
           (int)(length < REASON_BYTES - 1 ? length : REASON_BYTES - 1), from);
  return 0;
}

prism_status_t prism_h5_failed(prism_status_t code, const char *path, const char *what,
                               const char *file, int line, const char *function) {
  char reason[REASON_BYTES] = "";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, reason);
  H5Eclear2(H5E_DEFAULT);
  if (reason[0] == '\0') snprintf(reason, sizeof reason, "the HDF5 library gives no reason");
  return prism_error_record(code, file, line, function, "%s: %s failed: %s", path, what, reason);
}

/* ---- Making things ------------------------------------------------------------------------ */

prism_status_t prism_h5_create_file(const char *path, hsize_t user_block, hid_t *out, int *fd) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE), file = -1;
  void *handle = NULL;
  bool good = access >= 0 && create >= 0 &&
              H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
              H5Pset_file_locking(access, false, true) >= 0 &&
              H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
              H5Pset_userblock(create, user_block) >= 0;
  if (good) file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
  good = file >= 0 && H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0;
  prism_status_t status = good ? PRISM_OK : PRISM_H5_FAILED(path, "creating");
  if (access >= 0) H5Pclose(access);
  if (create >= 0) H5Pclose(create);
  if (good) {
    *out = file;
    *fd = *(const int *)handle;
  } else if (file >= 0) {
    H5Fclose(file);
  }
  return status;
}

prism_status_t prism_h5_put_attribute(const char *path, hid_t object, const char *name, hid_t type,
                                      hsize_t count, const void *value) {
  hid_t space = count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, NULL);
  PRISM_H5_TRY(path, "making an attribute", space);
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  prism_status_t status = PRISM_OK;
  if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
    status = PRISM_H5_FAILED(path, "writing an attribute");
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return status;
}

prism_status_t prism_h5_put_i32(const char *path, hid_t object, const char *name, int32_t value) {
  return prism_h5_put_attribute(path, object, name, H5T_NATIVE_INT32, 0, &value);
}

prism_status_t prism_h5_put_i64(const char *path, hid_t object, const char *name, int64_t value) {
  return prism_h5_put_attribute(path, object, name, H5T_NATIVE_INT64, 0, &value);
}

prism_status_t prism_h5_put_text(const char *path, hid_t object, const char *name,
                                 const char *value) {
  hid_t type = H5Tcopy(H5T_C_S1);
  PRISM_H5_TRY(path, "making a type", type);
  size_t bytes = strlen(value) + 1;
  prism_status_t status = PRISM_OK;
  if (H5Tset_size(type, bytes) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
    status = PRISM_H5_FAILED(path, "making a type");
  else
    status = prism_h5_put_attribute(path, object, name, type, 0, value);
  H5Tclose(type);
  return status;
}

prism_status_t prism_h5_put_params(const char *path, hid_t object, const prism_params_t *params) {
  size_t count = 0;
  const prism_param_row_t *row = prism_param_rows(&count);
  for (size_t i = 0; i < count; ++i) {
    char *name = NULL;
    prism_text_t value = {0};
    prism_status_t status = prism_string_format(&name, "%s.%s", row[i].section, row[i].name);
    if (status == PRISM_OK) status = prism_params_format(params, &row[i], &value);
    if (status == PRISM_OK)
      status = prism_h5_put_text(path, object, name, value.data != NULL ? value.data : "");
    prism_text_free(&value);
    prism_free(name);
    PRISM_TRY(status);
  }
  return PRISM_OK;
}

hid_t prism_h5_unsigned(size_t bytes) {
  return bytes == 1 ? H5T_STD_U8LE : bytes == 2 ? H5T_STD_U16LE : H5T_STD_U32LE;
}

/* Type of a field; for texts one of its size. */
static hid_t member_type(const prism_field_t *field, bool on_disk) {
  hid_t type = -1;
  switch (field->type) {
    case PRISM_FIELD_I64:
      return H5Tcopy(on_disk ? H5T_STD_I64LE : H5T_NATIVE_INT64);
    case PRISM_FIELD_I32:
      return H5Tcopy(on_disk ? H5T_STD_I32LE : H5T_NATIVE_INT32);
    case PRISM_FIELD_F64:
      return H5Tcopy(on_disk ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE);
    case PRISM_FIELD_TEXT:
      type = H5Tcopy(H5T_C_S1);
      if (type >= 0 && H5Tset_size(type, field->bytes) >= 0 &&
          H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        return type;
      break;
  }
  if (type >= 0) H5Tclose(type);
  return -1;
}

prism_status_t prism_h5_record_type(const char *path, const prism_record_table_t *table,
                                    bool on_disk, hid_t *out) {
  size_t packed = 0, offset = 0;
  for (int32_t i = 0; i < table->field_count; ++i) packed += table->field[i].bytes;
  hid_t type = H5Tcreate(H5T_COMPOUND, on_disk ? packed : table->bytes);
  PRISM_H5_TRY(path, "making a type", type);
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < table->field_count && status == PRISM_OK; ++i) {
    const prism_field_t *field = &table->field[i];
    hid_t member = member_type(field, on_disk);
    if (member < 0 || H5Tinsert(type, field->name, on_disk ? offset : field->offset, member) < 0)
      status = PRISM_H5_FAILED(path, "making a type");
    if (member >= 0) H5Tclose(member);
    offset += field->bytes;
  }
  if (status == PRISM_OK)
    *out = type;
  else
    H5Tclose(type);
  return status;
}

prism_status_t prism_h5_make_dataset(const char *path, hid_t file, const char *name, hid_t type,
                                     hsize_t chunk, hsize_t columns, hsize_t chunk_columns,
                                     hid_t *out) {
  int rank = columns > 0 ? 2 : 1;
  hsize_t now[2] = {0, columns}, most[2] = {H5S_UNLIMITED, columns};
  hsize_t piece[2] = {chunk, chunk_columns};
  hid_t space = H5Screate_simple(rank, now, most);
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
  hid_t dataset = -1;
  if (space >= 0 && plist >= 0 && H5Pset_chunk(plist, rank, piece) >= 0)
    dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  prism_status_t status = dataset < 0 ? PRISM_H5_FAILED(path, "making a table") : PRISM_OK;
  if (space >= 0) H5Sclose(space);
  if (plist >= 0) H5Pclose(plist);
  if (status == PRISM_OK) *out = dataset;
  return status;
}

static prism_status_t put_units(const char *path, hid_t dataset,
                                const prism_record_table_t *table) {
  char *units = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO((size_t)table->field_count * UNIT_BYTES, &units));
  for (int32_t i = 0; i < table->field_count; ++i)
    prism_record_text(units + (size_t)i * UNIT_BYTES, UNIT_BYTES, table->field[i].unit);
  hid_t text = H5Tcopy(H5T_C_S1);
  prism_status_t status = PRISM_OK;
  if (text >= 0 && H5Tset_size(text, UNIT_BYTES) >= 0)
    status = prism_h5_put_attribute(path, dataset, "units", text, (hsize_t)table->field_count,
                                    units);
  else
    status = PRISM_H5_FAILED(path, "making a type");
  if (text >= 0) H5Tclose(text);
  prism_free(units);
  return status;
}

prism_status_t prism_h5_make_table(const char *path, hid_t file, const prism_record_table_t *table,
                                   hsize_t chunk, hid_t *dataset, hid_t *memory_type) {
  hid_t disk = -1;
  PRISM_TRY(prism_h5_record_type(path, table, false, memory_type));
  PRISM_TRY(prism_h5_record_type(path, table, true, &disk));
  prism_status_t status = prism_h5_make_dataset(path, file, table->path, disk, chunk, 0, 0,
                                                dataset);
  H5Tclose(disk);
  PRISM_TRY(status);
  return put_units(path, *dataset, table);
}

/* Between a dataset and memory: `from`, or where that is NULL `to`. */
static prism_status_t move_rows(const char *path, prism_status_t code, hid_t dataset, hid_t type,
                                hsize_t at, hsize_t count, hsize_t columns, const void *from,
                                void *to) {
  int rank = columns > 0 ? 2 : 1;
  hsize_t start[2] = {at, 0}, block[2] = {count, columns};
  hid_t there = H5Dget_space(dataset), here = H5Screate_simple(rank, block, NULL);
  herr_t failed = -1;
  if (there >= 0 && here >= 0 &&
      H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, block, NULL) >= 0)
    failed = from != NULL ? H5Dwrite(dataset, type, here, there, H5P_DEFAULT, from)
                          : H5Dread(dataset, type, here, there, H5P_DEFAULT, to);
  prism_status_t status = PRISM_OK;
  if (failed < 0)
    status = prism_h5_failed(code, path, from != NULL ? "writing" : "reading", __FILE__, __LINE__,
                             __func__);
  if (there >= 0) H5Sclose(there);
  if (here >= 0) H5Sclose(here);
  return status;
}

prism_status_t prism_h5_append_rows(const char *path, hid_t dataset, hid_t type, hsize_t at,
                                    hsize_t count, hsize_t columns, const void *data) {
  hsize_t size[2] = {at + count, columns};
  PRISM_H5_TRY(path, "extending a table", H5Dset_extent(dataset, size));
  return move_rows(path, PRISM_STORAGE, dataset, type, at, count, columns, data, NULL);
}

/* ---- Reading ------------------------------------------------------------------------------ */

prism_status_t prism_h5_open_file(const char *path, prism_status_t code, bool *swmr, hid_t *out) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
  bool good = access >= 0 && H5Pset_file_locking(access, false, true) >= 0 &&
              H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0;
  if (good) file = H5Fopen(path, H5F_ACC_RDONLY, access);
  const bool beside = good && file < 0 && swmr != NULL;
  if (beside) file = H5Fopen(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access);
  prism_status_t status = PRISM_OK;
  if (file < 0) status = prism_h5_failed(code, path, "opening", __FILE__, __LINE__, __func__);
  if (access >= 0) H5Pclose(access);
  PRISM_TRY(status);
  if (swmr != NULL) *swmr = beside;
  *out = file;
  return PRISM_OK;
}

prism_status_t prism_h5_read_rows(const char *path, prism_status_t code, hid_t dataset, hid_t type,
                                  hsize_t at, hsize_t count, hsize_t columns, void *out) {
  return move_rows(path, code, dataset, type, at, count, columns, NULL, out);
}

/* ---- Room on the disk ---------------------------------------------------------------------- */

prism_status_t prism_h5_reserve(prism_h5_room_t *room, const char *path, off_t size, off_t bytes) {
  PRISM_TRY(check_memory(WRITE_BYTES));
  off_t need = size + bytes;
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      need > (off_t)limit.rlim_cur)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: %s", path, strerror(EFBIG));
  if (need <= room->end) return PRISM_OK;
  if (fallocate(room->fd, FALLOC_FL_KEEP_SIZE, size, need + room->ahead - size) == 0) {
    room->end = need + room->ahead;
    return PRISM_OK;
  }
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO || errno == EROFS)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: %s", path, strerror(errno));
  return PRISM_OK; /* a file system without reservations */
}

prism_status_t prism_h5_settle(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC), reason = 0;
  struct stat info;
  if (fd < 0) PRISM_FAIL(PRISM_STORAGE, "%s: %s", path, strerror(errno));
  if (fstat(fd, &info) != 0 || ftruncate(fd, info.st_size) != 0) reason = errno;
  if (fsync(fd) != 0 && errno != EINVAL && reason == 0) reason = errno;
  if (close(fd) != 0 && reason == 0) reason = errno;
  if (reason != 0) PRISM_FAIL(PRISM_STORAGE, "%s: %s", path, strerror(reason));
  return PRISM_OK;
}
