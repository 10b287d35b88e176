/* The readers take paths: hand them bytes as a file in memory. */
#ifndef PRISM_TESTS_FUZZ_INPUT_H
#define PRISM_TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise of a reader ends the run, as a sanitizer's finding does. */
#define FUZZ_REQUIRE(condition)                                              \
  do {                                                                       \
    if (!(condition)) {                                                      \
      fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      abort();                                                               \
    }                                                                        \
  } while (0)

/* Open a file that holds the bytes; [out] path  its name while it stays open. */
static inline int fuzz_open(const void *data, size_t size, char path[64]) {
  int file = memfd_create("fuzz", MFD_CLOEXEC);
  FUZZ_REQUIRE(file >= 0);
  for (size_t at = 0; at < size;) {
    ssize_t done = write(file, (const char *)data + at, size - at);
    FUZZ_REQUIRE(done > 0);
    at += (size_t)done;
  }
  FUZZ_REQUIRE(lseek(file, 0, SEEK_SET) == 0);
  snprintf(path, 64, "/proc/self/fd/%d", file);
  return file;
}

#endif
