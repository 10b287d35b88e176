/* Scratch files for tests: one folder per program, and a gzip writer that needs no
 * zlib (stored blocks), so that tests can damage what they know byte by byte. */
#ifndef PRISM_TESTS_TEMP_FILE_H
#define PRISM_TESTS_TEMP_FILE_H

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char temp_folder[256];

/* Make the scratch folder; cmocka group setup. */
static inline int temp_setup(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  int length = snprintf(temp_folder, sizeof temp_folder, "%s/prism-test-XXXXXX",
                        base != NULL && base[0] != '\0' ? base : "/tmp");
  if (length < 0 || (size_t)length >= sizeof temp_folder) return -1;
  return mkdtemp(temp_folder) != NULL ? 0 : -1;
}

static inline int temp_remove_one(const char *path, const struct stat *info, int kind,
                                  struct FTW *walk) {
  (void)info;
  (void)kind;
  (void)walk;
  return remove(path);
}

/* Remove it with all it holds; cmocka group teardown. */
static inline int temp_teardown(void **state) {
  (void)state;
  return nftw(temp_folder, temp_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Path of `name` in the scratch folder; four results stay valid. */
static inline const char *temp_path(const char *name) {
  static char paths[4][512];
  static int next;
  char *path = paths[next = (next + 1) % 4];
  snprintf(path, sizeof paths[0], "%s/%s", temp_folder, name);
  return path;
}

/* Write bytes to `name` in the scratch folder; returns the path. Ends the program
 * when that fails: the test could not mean anything then. */
static inline const char *temp_write(const char *name, const void *data, size_t size) {
  const char *path = temp_path(name);
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
    perror(path);
    exit(99);
  }
  return path;
}

static inline const char *temp_write_text(const char *name, const char *text) {
  return temp_write(name, text, strlen(text));
}

/* Upper bound of the size of temp_gzip's output. */
static inline size_t temp_gzip_bound(size_t size) { return size + 5 * (size / 1000 + 1) + 18; }

/* One gzip member of stored blocks of up to 1000 bytes (RFC 1951, 1952). */
static inline size_t temp_gzip(const void *data, size_t size, uint8_t *out) {
  static const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
  const uint8_t *in = data;
  size_t used = sizeof header, at = 0;
  memcpy(out, header, sizeof header);
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < size; ++i) {
    crc ^= in[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0u);
  }
  crc = ~crc;
  do {
    size_t take = size - at < 1000 ? size - at : 1000;
    out[used++] = at + take == size; /* the final block is marked */
    out[used++] = (uint8_t)(take & 0xff);
    out[used++] = (uint8_t)(take >> 8);
    out[used++] = (uint8_t)(~take & 0xff);
    out[used++] = (uint8_t)((~take >> 8) & 0xff);
    memcpy(out + used, in + at, take);
    used += take;
    at += take;
  } while (at < size);
  for (int i = 0; i < 4; ++i) out[used++] = (uint8_t)(crc >> (8 * i));
  for (int i = 0; i < 4; ++i) out[used++] = (uint8_t)(size >> (8 * i));
  return used;
}

#endif
