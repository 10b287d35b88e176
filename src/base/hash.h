/* SHA-256 (FIPS 180-4), incremental. Not thread-safe per object. */
#ifndef PRISM_BASE_HASH_H
#define PRISM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { PRISM_SHA256_HEX = 65 }; /* 64 hexadecimal digits and the end of the string */

typedef struct prism_sha256 {
  uint32_t state[8];
  uint64_t length; /* bytes taken so far */
  uint8_t block[64];
} prism_sha256_t;

void prism_sha256_begin(prism_sha256_t *hash);
void prism_sha256_add(prism_sha256_t *hash, const void *data, size_t size);
/* Ends the computation. [out] hex  64 lower-case digits and a zero byte. */
void prism_sha256_end(prism_sha256_t *hash, char hex[PRISM_SHA256_HEX]);

#endif
