/* What the run file and the checkpoint have in common: the lock around the HDF5 library,
 * errors, types of records, attributes, tables that grow, room on the disk. The one place that
 * includes hdf5.h.
 *
 * The serial HDF5 library is not thread-safe: every function but prism_h5_enter,
 * prism_h5_reserve and prism_h5_settle is called between prism_h5_enter and prism_h5_leave.
 * [in] path everywhere: the file's name for messages. Failures are PRISM_STORAGE, where no other
 * code is asked for, with the library's reason. */
#ifndef PRISM_SOLVE_H5_TOOLS_H
#define PRISM_SOLVE_H5_TOOLS_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/params.h"
#include "base/status.h"
#include "solve/record.h"

/* ---- The library as a whole ---- */

/* How the caller's program had HDF5 print errors. */
typedef struct prism_h5_entered {
  H5E_auto2_t function;
  void *data;
} prism_h5_entered_t;

/* Wait until no other thread of the process is inside; errors are not printed until leave. */
prism_h5_entered_t prism_h5_enter(void);
void prism_h5_leave(prism_h5_entered_t was);

/* The library may crash when it cannot allocate. So this comes before the first prism_h5_enter
 * of a file, and PRISM_MEMORY comes instead. Another thread may still be quicker. */
prism_status_t prism_h5_check_memory(void);

/* Record the failure of the last HDF5 call with `code`. */
prism_status_t prism_h5_failed(prism_status_t code, const char *path, const char *what,
                               const char *file, int line, const char *function);

/* The status of an HDF5 call that failed. The next HDF5 call forgets why, so this comes before
 * any cleaning up. */
#define PRISM_H5_FAILED(path, what) \
  prism_h5_failed(PRISM_STORAGE, (path), (what), __FILE__, __LINE__, __func__)

/* The same for a file that is read: PRISM_IO. */
#define PRISM_H5_UNREADABLE(path, what) \
  prism_h5_failed(PRISM_IO, (path), (what), __FILE__, __LINE__, __func__)

/* Return from the function when an HDF5 call failed. */
#define PRISM_H5_TRY(path, what, call)                          \
  do {                                                          \
    if ((call) < 0) return PRISM_H5_FAILED((path), (what));     \
  } while (0)
#define PRISM_H5_READ_TRY(path, what, call)                     \
  do {                                                          \
    if ((call) < 0) return PRISM_H5_UNREADABLE((path), (what)); \
  } while (0)

/* ---- Making things ---- */

/* A new file in the format of HDF5 1.10, the first with SWMR, so that every newer reader opens
 * it; not locked by HDF5. [in] user_block  bytes in front that HDF5 leaves alone: 0, or a power
 * of two from 512. [out] fd  HDF5's descriptor */
prism_status_t prism_h5_create_file(const char *path, hsize_t user_block, hid_t *out, int *fd);

/* An attribute of `count` values (0: a scalar) on an object. */
prism_status_t prism_h5_put_attribute(const char *path, hid_t object, const char *name, hid_t type,
                                      hsize_t count, const void *value);
prism_status_t prism_h5_put_i32(const char *path, hid_t object, const char *name, int32_t value);
prism_status_t prism_h5_put_i64(const char *path, hid_t object, const char *name, int64_t value);
prism_status_t prism_h5_put_text(const char *path, hid_t object, const char *name,
                                 const char *value);

/* Every parameter as a text attribute section.name. */
prism_status_t prism_h5_put_params(const char *path, hid_t object, const prism_params_t *params);

/* Unsigned numbers of 1, 2 or 4 bytes on disk. Not to be closed. */
hid_t prism_h5_unsigned(size_t bytes);

/* Compound type of a record: packed little-endian on disk, the struct in memory. */
prism_status_t prism_h5_record_type(const char *path, const prism_record_table_t *table,
                                    bool on_disk, hid_t *out);

/* A chunked dataset that grows, [rows] or, with columns > 0, [rows][columns].
 * [in] chunk  rows of a chunk; chunk_columns  of its columns */
prism_status_t prism_h5_make_dataset(const char *path, hid_t file, const char *name, hid_t type,
                                     hsize_t chunk, hsize_t columns, hsize_t chunk_columns,
                                     hid_t *out);

/* The dataset of a record table at its path, with the attribute "units".
 * [out] memory_type  of the record's struct */
prism_status_t prism_h5_make_table(const char *path, hid_t file, const prism_record_table_t *table,
                                   hsize_t chunk, hid_t *dataset, hid_t *memory_type);

/* Write rows `at` .. at + count - 1 at the end of such a dataset, which has `at` rows; `type` is
 * that of `data`. Not flushed. */
prism_status_t prism_h5_append_rows(const char *path, hid_t dataset, hid_t type, hsize_t at,
                                    hsize_t count, hsize_t columns, const void *data);

/* ---- Reading ---- */

/* Open a file to read it; not locked by HDF5. [in] code  of a failure; [out] swmr  true: it was
 * never closed, and is read beside its writer; NULL: such a file is a failure, too */
prism_status_t prism_h5_open_file(const char *path, prism_status_t code, bool *swmr, hid_t *out);

/* Rows at .. at + count - 1 of a dataset, [rows] or, with columns > 0, [rows][columns].
 * [in] code  of a failure; type  of the data in memory; [out] out  [count] rows */
prism_status_t prism_h5_read_rows(const char *path, prism_status_t code, hid_t dataset, hid_t type,
                                  hsize_t at, hsize_t count, hsize_t columns, void *out);

/* ---- Room on the disk ---- */

/* A write that fails inside the library may leave the open file unusable, so room is reserved
 * before HDF5 hears of the data. */
typedef struct prism_h5_room {
  int fd;
  off_t end;   /* disk space is ours up to here */
  off_t ahead; /* reserved beyond what is needed, to do it rarely */
} prism_h5_room_t;

/* Make sure of room for `bytes` beyond `size`, the file's present size. PRISM_STORAGE: there is
 * none. PRISM_MEMORY: the library could not write them (prism_h5_check_memory). On a file system
 * without reservations HDF5 finds out by itself. */
prism_status_t prism_h5_reserve(prism_h5_room_t *room, const char *path, off_t size, off_t bytes);

/* Give back what was reserved beyond the end of a closed file and force it to the disk. */
prism_status_t prism_h5_settle(const char *path);

#endif
