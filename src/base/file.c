#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static prism_status_t write_all(int fd, const char *path, const void *data, size_t size) {
  const char *at = data;
  while (size > 0) {
    ssize_t done = write(fd, at, size < SSIZE_MAX ? size : SSIZE_MAX);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) PRISM_FAIL(PRISM_STORAGE, "cannot write %s: %s", path, strerror(errno));
    at += done;
    size -= (size_t)done;
  }
  return PRISM_OK;
}

/* Write a whole new file to the disk itself. */
static prism_status_t write_new(const char *path, const void *data, size_t size) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) PRISM_FAIL(PRISM_STORAGE, "cannot create %s: %s", path, strerror(errno));
  prism_status_t status = write_all(fd, path, data, size);
  if (status == PRISM_OK && fsync(fd) != 0)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "cannot bring %s to the disk: %s", path, strerror(errno));
  if (close(fd) != 0 && status == PRISM_OK)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__, "cannot close %s: %s",
                                path, strerror(errno));
  return status;
}

/* The folder part of a path, "." when there is none. [out] owned by the caller. */
static prism_status_t folder_of(const char *path, char **out) {
  const char *slash = strrchr(path, '/');
  if (slash == NULL) return prism_string_format(out, ".");
  if (slash == path) return prism_string_format(out, "/");
  if (slash - path > INT_MAX) PRISM_FAIL(PRISM_IO, "the path is too long");
  return prism_string_format(out, "%.*s", (int)(slash - path), path);
}

/* Make a rename in `folder` last. Some file systems cannot sync a folder; the
 * rename is then as safe as they make it. */
static prism_status_t sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == EACCES) return PRISM_OK; /* may be written but not read */
    PRISM_FAIL(PRISM_STORAGE, "cannot open the folder %s: %s", folder, strerror(errno));
  }
  int error = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  if (error != 0 && error != EINVAL && error != ENOTSUP && error != EROFS)
    PRISM_FAIL(PRISM_STORAGE, "cannot bring the folder %s to the disk: %s", folder,
               strerror(error));
  return PRISM_OK;
}

prism_status_t prism_file_sync_folder(const char *path) {
  char *folder = NULL;
  PRISM_TRY(folder_of(path, &folder));
  prism_status_t status = sync_folder(folder);
  prism_free(folder);
  PRISM_TRY(status);
  return PRISM_OK;
}

prism_status_t prism_file_replace(const char *path, const void *data, size_t size) {
  char *temporary = NULL;
  prism_status_t status;
  PRISM_TRY_GOTO(status, prism_string_format(&temporary, "%s.tmp", path), done);
  status = write_new(temporary, data, size);
  if (status == PRISM_OK && rename(temporary, path) != 0)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "cannot rename %s to %s: %s", temporary, path, strerror(errno));
  if (status != PRISM_OK) {
    unlink(temporary);
    goto done;
  }
  PRISM_TRY_GOTO(status, prism_file_sync_folder(path), done);
done:
  prism_free(temporary);
  return status;
}

bool prism_file_exists(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0;
}

bool prism_file_ends_with(const char *name, const char *ending) {
  size_t length = strlen(name), tail = strlen(ending);
  return length > tail && strcmp(name + length - tail, ending) == 0;
}

bool prism_file_first_line(const char *path, char *out, size_t size) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return false;
  bool got = fgets(out, (int)size, file) != NULL;
  fclose(file);
  if (got) out[strcspn(out, "\n")] = '\0';
  return got;
}

static prism_status_t make_folder(const char *path) {
  struct stat info;
  if (mkdir(path, 0777) == 0) return PRISM_OK;
  int error = errno;
  if (stat(path, &info) == 0) {
    if (S_ISDIR(info.st_mode)) return PRISM_OK;
    PRISM_FAIL(PRISM_IO, "cannot make the folder %s: a file of that name exists", path);
  }
  PRISM_FAIL(PRISM_IO, "cannot make the folder %s: %s", path, strerror(error));
}

prism_status_t prism_file_make_folders(const char *path) {
  if (path[0] == '\0') PRISM_FAIL(PRISM_IO, "cannot make a folder without a name");
  char *partial = NULL;
  PRISM_TRY(prism_string_format(&partial, "%s", path));
  prism_status_t status = PRISM_OK;
  for (char *slash = strchr(partial + 1, '/'); slash != NULL && status == PRISM_OK;
       slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    status = make_folder(partial);
    *slash = '/';
  }
  if (status == PRISM_OK) status = make_folder(partial);
  prism_free(partial);
  PRISM_TRY(status);
  return PRISM_OK;
}

/* Rights alone do not tell (root, read-only mounts, full disks): try. */
static prism_status_t try_folder(const char *folder) {
  char *probe = NULL;
  PRISM_TRY(prism_string_format(&probe, "%s/.prism-XXXXXX", folder));
  int fd = mkstemp(probe), error = errno;
  if (fd >= 0) {
    close(fd);
    unlink(probe);
  }
  prism_free(probe);
  if (fd < 0)
    PRISM_FAIL(PRISM_IO, "cannot create a file in the folder %s: %s", folder, strerror(error));
  return PRISM_OK;
}

prism_status_t prism_file_check_writable(const char *path) {
  if (path[0] == '\0') PRISM_FAIL(PRISM_IO, "the name of an output file is empty");
  char *folder = NULL;
  PRISM_TRY(folder_of(path, &folder));
  prism_status_t status = prism_file_make_folders(folder);
  if (status == PRISM_OK) status = try_folder(folder);
  prism_free(folder);
  PRISM_TRY(status);
  struct stat info;
  if (stat(path, &info) != 0) {
    if (errno == ENOENT) return PRISM_OK;
    PRISM_FAIL(PRISM_IO, "cannot write %s: %s", path, strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) PRISM_FAIL(PRISM_IO, "cannot write %s: it is a folder", path);
  if (!S_ISREG(info.st_mode))
    PRISM_FAIL(PRISM_IO, "cannot write %s: it is not a regular file", path);
  if (access(path, W_OK) != 0) PRISM_FAIL(PRISM_IO, "cannot write %s: %s", path, strerror(errno));
  return PRISM_OK;
}

/* Append to a text; [in] args is consumed. */
static prism_status_t text_add_list(prism_text_t *text, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  size_t room = text->capacity - text->length;
  int needed = vsnprintf(room > 0 ? text->data + text->length : NULL, room, format, args);
  prism_status_t status = PRISM_OK;
  if (needed < 0) {
    status = prism_error_record(PRISM_INTERNAL, __FILE__, __LINE__, __func__,
                                "a text could not be formatted");
  } else if ((size_t)needed >= room) {
    size_t least = text->length + (size_t)needed + 1;
    size_t capacity = least > 2 * text->capacity ? least : 2 * text->capacity;
    if (room > 0) text->data[text->length] = '\0';
    status = PRISM_GROW(&text->data, text->length, capacity);
    if (status == PRISM_OK) {
      text->capacity = capacity;
      needed = vsnprintf(text->data + text->length, capacity - text->length, format, again);
    }
  }
  va_end(again);
  if (status == PRISM_OK) text->length += (size_t)needed;
  return status;
}

prism_status_t prism_text_add(prism_text_t *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  prism_status_t status = text_add_list(text, format, args);
  va_end(args);
  PRISM_TRY(status);
  return PRISM_OK;
}

void prism_text_free(prism_text_t *text) {
  prism_free(text->data);
  memset(text, 0, sizeof *text);
}

prism_status_t prism_string_format(char **out, const char *format, ...) {
  prism_text_t text = {NULL, 0, 0};
  *out = NULL;
  va_list args;
  va_start(args, format);
  prism_status_t status = text_add_list(&text, format, args);
  va_end(args);
  PRISM_TRY(status);
  *out = text.data;
  return PRISM_OK;
}
