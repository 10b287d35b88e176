#include "solve/checkpoint_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "solve/checkpoint.h"

enum { PIECE_BYTES = 1 << 18, SEAL_BYTES = PRISM_CHECKPOINT_SEAL_BYTES };

#define FIRST_LINE "prism-dist checkpoint\n"

typedef struct seal {
  int64_t schema, size;
  char digest[PRISM_SHA256_HEX];
} seal_t;

/* The lines that are hashed. */
static int format_start(const seal_t *seal, char *out, size_t size) {
  return snprintf(out, size, FIRST_LINE "schema %" PRId64 "\nsize %" PRId64 "\n", seal->schema,
                  seal->size);
}

static void format_seal(const seal_t *seal, char block[SEAL_BYTES]) {
  memset(block, 0, SEAL_BYTES);
  int used = format_start(seal, block, SEAL_BYTES);
  snprintf(block + used, (size_t)(SEAL_BYTES - used), "sha256 %s\n", seal->digest);
}

/* A line "name DIGITS\n" at *at, which moves behind it. */
static bool parse_line(const char **at, const char *name, int64_t *out) {
  size_t length = strlen(name);
  if (strncmp(*at, name, length) != 0 || (*at)[length] < '0' || (*at)[length] > '9') return false;
  char *end = NULL;
  errno = 0;
  *out = strtoll(*at + length, &end, 10);
  if (errno != 0 || *end != '\n') return false;
  *at = end + 1;
  return true;
}

/* A seal that says the same in another form is damaged, too. */
static bool parse_seal(const char block[SEAL_BYTES], seal_t *out) {
  char text[SEAL_BYTES + 1], again[SEAL_BYTES];
  memcpy(text, block, SEAL_BYTES);
  text[SEAL_BYTES] = '\0';
  const char *at = text + strlen(FIRST_LINE);
  if (strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0) return false;
  if (!parse_line(&at, "schema ", &out->schema) || !parse_line(&at, "size ", &out->size))
    return false;
  if (strncmp(at, "sha256 ", 7) != 0) return false;
  snprintf(out->digest, sizeof out->digest, "%.64s", at + 7);
  format_seal(out, again);
  return memcmp(block, again, SEAL_BYTES) == 0;
}

/* Read up to `size` bytes; fewer at the end of the file. -1: errno says why. */
static ssize_t read_at(int fd, void *out, size_t size, int64_t at) {
  size_t got = 0;
  while (got < size) {
    ssize_t done = pread(fd, (char *)out + got, size - got, (off_t)at + (off_t)got);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return -1;
    if (done == 0) break;
    got += (size_t)done;
  }
  return (ssize_t)got;
}

/* [in] seal  schema and size; [out] its digest as the file's bytes give it. */
static prism_status_t hash_file(int fd, const char *path, const seal_t *seal,
                                prism_status_t code, char digest[PRISM_SHA256_HEX]) {
  char *piece = NULL;
  PRISM_TRY(PRISM_ALLOC(PIECE_BYTES, &piece));
  prism_sha256_t hash;
  prism_sha256_begin(&hash);
  prism_sha256_add(&hash, piece, (size_t)format_start(seal, piece, PIECE_BYTES));
  prism_status_t status = PRISM_OK;
  for (int64_t at = SEAL_BYTES; at < seal->size && status == PRISM_OK;) {
    int64_t left = seal->size - at;
    ssize_t got = read_at(fd, piece, left < PIECE_BYTES ? (size_t)left : PIECE_BYTES, at);
    if (got <= 0) {
      status = prism_error_record(code, __FILE__, __LINE__, __func__, "%s cannot be read: %s",
                                  path, got < 0 ? strerror(errno) : "it became shorter");
    } else {
      prism_sha256_add(&hash, piece, (size_t)got);
      at += got;
    }
  }
  prism_sha256_end(&hash, digest);
  prism_free(piece);
  return status;
}

static prism_status_t write_seal(int fd, const char *path, const seal_t *seal) {
  char block[SEAL_BYTES];
  format_seal(seal, block);
  for (size_t done = 0; done < SEAL_BYTES;) {
    ssize_t wrote = pwrite(fd, block + done, SEAL_BYTES - done, (off_t)done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: %s", path, strerror(errno));
    done += (size_t)wrote;
  }
  return PRISM_OK;
}

static prism_status_t seal_open_file(int fd, const char *path, int64_t *size) {
  struct stat info;
  if (fstat(fd, &info) != 0) PRISM_FAIL(PRISM_STORAGE, "%s: %s", path, strerror(errno));
  seal_t seal = {.schema = PRISM_CHECKPOINT_SCHEMA_VERSION, .size = info.st_size};
  PRISM_TRY(hash_file(fd, path, &seal, PRISM_STORAGE, seal.digest));
  PRISM_TRY(write_seal(fd, path, &seal));
  if (ftruncate(fd, info.st_size) != 0)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: %s", path, strerror(errno));
  if (fsync(fd) != 0 && errno != EINVAL)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be brought to the disk: %s", path, strerror(errno));
  *size = info.st_size;
  return PRISM_OK;
}

prism_status_t prism_checkpoint_seal(const char *path, int64_t *size) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) PRISM_FAIL(PRISM_STORAGE, "%s cannot be opened: %s", path, strerror(errno));
  prism_status_t status = seal_open_file(fd, path, size);
  if (close(fd) != 0 && status == PRISM_OK)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "%s cannot be written: %s", path, strerror(errno));
  PRISM_TRY(status);
  return PRISM_OK;
}

/* ---- Checking --------------------------------------------------------------------------- */

/* What a file is that has no seal, as far as its first bytes tell. */
static prism_status_t refuse_unsealed(const char *path, const char block[SEAL_BYTES], size_t got,
                                      int64_t size) {
  static const char hdf5[] = "\x89HDF\r\n\x1a\n";
  if (size == 0) PRISM_FAIL(PRISM_FORMAT, "%s is not a checkpoint: it is empty", path);
  if (got >= 8 && memcmp(block, hdf5, 8) == 0)
    PRISM_FAIL(PRISM_FORMAT, "%s is not a checkpoint: it is another HDF5 file, like a run file",
               path);
  size_t zeros = 0, first = strlen(FIRST_LINE);
  while (zeros < got && block[zeros] == '\0') ++zeros;
  if (zeros == got)
    PRISM_FAIL(PRISM_FORMAT, "%s is not a complete checkpoint: writing it was cut off", path);
  if (memcmp(block, FIRST_LINE, got < first ? got : first) == 0)
    PRISM_FAIL(PRISM_FORMAT, "%s is a damaged checkpoint: its first %d bytes are not as written",
               path, SEAL_BYTES);
  PRISM_FAIL(PRISM_FORMAT, "%s is not a checkpoint of prism-dist, or its first bytes are damaged",
             path);
}

static prism_status_t check_open_file(int fd, const char *path, int64_t *size) {
  struct stat info;
  if (fstat(fd, &info) != 0) PRISM_FAIL(PRISM_IO, "%s: %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode))
    PRISM_FAIL(PRISM_IO, "%s is not a checkpoint: it is not a regular file", path);
  char block[SEAL_BYTES] = {0}, digest[PRISM_SHA256_HEX];
  ssize_t got = read_at(fd, block, sizeof block, 0);
  if (got < 0) PRISM_FAIL(PRISM_IO, "%s cannot be read: %s", path, strerror(errno));
  seal_t seal;
  if (!parse_seal(block, &seal)) return refuse_unsealed(path, block, (size_t)got, info.st_size);
  if (seal.size != info.st_size)
    PRISM_FAIL(PRISM_FORMAT, "%s is a damaged checkpoint: it has %lld bytes instead of %" PRId64,
               path, (long long)info.st_size, seal.size);
  PRISM_TRY(hash_file(fd, path, &seal, PRISM_IO, digest));
  if (strcmp(digest, seal.digest) != 0)
    PRISM_FAIL(PRISM_FORMAT,
               "%s is a damaged checkpoint: its contents are not as written (SHA-256)", path);
  if (seal.schema > PRISM_CHECKPOINT_SCHEMA_VERSION)
    PRISM_FAIL(PRISM_UNSUPPORTED,
               "%s is a checkpoint of schema %" PRId64 ", this program knows schemas up to %d",
               path, seal.schema, PRISM_CHECKPOINT_SCHEMA_VERSION);
  if (seal.schema < 1)
    PRISM_FAIL(PRISM_FORMAT, "%s is a damaged checkpoint: schema %" PRId64, path, seal.schema);
  *size = seal.size;
  return PRISM_OK;
}

prism_status_t prism_checkpoint_seal_check(const char *path, int64_t *size) {
  /* A pipe would keep a plain open() waiting. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) PRISM_FAIL(PRISM_IO, "%s cannot be opened: %s", path, strerror(errno));
  prism_status_t status = check_open_file(fd, path, size);
  close(fd);
  PRISM_TRY(status);
  return PRISM_OK;
}

/* ---- Taking the place of the last one --------------------------------------------------- */

static prism_status_t copy_bytes(int from, int to, const char *path, char *piece) {
  for (int64_t at = 0;;) {
    ssize_t got = read_at(from, piece, PIECE_BYTES, at);
    if (got < 0) PRISM_FAIL(PRISM_STORAGE, "%s cannot be copied: %s", path, strerror(errno));
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      ssize_t wrote = write(to, piece + done, (size_t)(got - done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) PRISM_FAIL(PRISM_STORAGE, "%s cannot be copied: %s", path, strerror(errno));
      done += wrote;
    }
    at += got;
  }
  if (fsync(to) != 0 && errno != EINVAL)
    PRISM_FAIL(PRISM_STORAGE, "the copy of %s cannot be brought to the disk: %s", path,
               strerror(errno));
  return PRISM_OK;
}

static prism_status_t copy_file(const char *path, const char *copy) {
  char *piece = NULL;
  PRISM_TRY(PRISM_ALLOC(PIECE_BYTES, &piece));
  prism_status_t status = PRISM_OK;
  int from = open(path, O_RDONLY | O_CLOEXEC);
  int to = from >= 0 ? open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
  if (to < 0)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "%s cannot be copied to %s: %s", path, copy, strerror(errno));
  else
    status = copy_bytes(from, to, path, piece);
  if (from >= 0) close(from);
  if (to >= 0 && close(to) != 0 && status == PRISM_OK)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "%s cannot be copied to %s: %s", path, copy, strerror(errno));
  prism_free(piece);
  return status;
}

/* A second name for PATH: a link, or a copy where the file system has no links. */
static prism_status_t keep_previous(const char *path, const char *previous, const char *step) {
  if (!prism_file_exists(path)) return PRISM_OK; /* this is the first one */
  unlink(step);
  if (link(path, step) != 0) PRISM_TRY(copy_file(path, step));
  if (rename(step, previous) != 0)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be kept as %s: %s", path, previous, strerror(errno));
  unlink(step); /* it still stands where both were names of one file */
  return PRISM_OK;
}

prism_status_t prism_checkpoint_install(const char *temporary, const char *path) {
  char *previous = NULL, *step = NULL;
  prism_status_t status;
  PRISM_TRY_GOTO(status, prism_string_format(&previous, "%s.1", path), done);
  PRISM_TRY_GOTO(status, prism_string_format(&step, "%s.1.tmp", path), done);
  status = keep_previous(path, previous, step);
  if (status == PRISM_OK && rename(temporary, path) != 0)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "%s cannot be renamed to %s: %s", temporary, path,
                                strerror(errno));
  if (status == PRISM_OK)
    status = prism_file_sync_folder(path);
  else
    unlink(step);
done:
  prism_free(previous);
  prism_free(step);
  return status;
}
