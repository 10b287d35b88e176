/* Small file helpers: whole-file replacement that survives a crash, paths
 * without fixed-size buffers. Thread-safe. */
#ifndef PRISM_BASE_FILE_H
#define PRISM_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Replace `path` by `size` bytes: write PATH.tmp, fsync, rename, fsync the
 * folder. At every moment PATH is the old file or the new one. PRISM_STORAGE
 * with the system's reason on failure; the temporary file is then removed. */
prism_status_t prism_file_replace(const char *path, const void *data, size_t size);

/* Make renames and links in the folder of `path` last, as far as the file system can.
 * PRISM_STORAGE with the reason. */
prism_status_t prism_file_sync_folder(const char *path);

/* Does something (of any kind) stand at `path`? */
bool prism_file_exists(const char *path);

/* Does a name end like this, with something before it? */
bool prism_file_ends_with(const char *name, const char *ending);

/* The first line, without its end; what does not fit is cut off. False: none can be read. */
bool prism_file_first_line(const char *path, char *out, size_t size);

/* Create a folder and its parents. PRISM_IO with the reason on failure. */
prism_status_t prism_file_make_folders(const char *path);

/* PRISM_OK when a file could be created in the folder of `path` (the folder is
 * made if missing) and, if PATH exists, when it is a writable regular file. */
prism_status_t prism_file_check_writable(const char *path);

/* printf into a fresh string. [out] owned by the caller (prism_free). */
prism_status_t prism_string_format(char **out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Append-only text buffer. Zero-initialise; release with prism_text_free. */
typedef struct prism_text {
  char *data;      /* zero-terminated once anything was added */
  size_t length;   /* without the zero */
  size_t capacity;
} prism_text_t;
prism_status_t prism_text_add(prism_text_t *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void prism_text_free(prism_text_t *text);

#endif
