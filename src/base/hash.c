#include "base/hash.h"

#include <string.h>

/* Constants of FIPS 180-4: fractional parts of the square and cube roots of the
 * first primes. */
static const uint32_t INITIAL_STATE[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                          0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
static const uint32_t ROUND[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u,
    0xab1c5ed5u, 0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu,
    0x9bdc06a7u, 0xc19bf174u, 0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu,
    0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau, 0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u,
    0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu,
    0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, 0xa2bfe8a1u, 0xa81a664bu,
    0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u, 0x19a4c116u,
    0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u,
    0xc67178f2u};

static uint32_t rotate(uint32_t x, int by) { return (x >> by) | (x << (32 - by)); }

static uint32_t load_big_endian(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

static void compress(uint32_t state[8], const uint8_t block[64]) {
  uint32_t w[64];
  for (int t = 0; t < 16; ++t) w[t] = load_big_endian(block + 4 * t);
  for (int t = 16; t < 64; ++t) {
    uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >> 3);
    uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >> 10);
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int t = 0; t < 64; ++t) {
    uint32_t sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + ROUND[t] + w[t];
    uint32_t sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

void prism_sha256_begin(prism_sha256_t *hash) {
  memcpy(hash->state, INITIAL_STATE, sizeof hash->state);
  hash->length = 0;
}

void prism_sha256_add(prism_sha256_t *hash, const void *data, size_t size) {
  const uint8_t *at = data;
  size_t held = (size_t)(hash->length % sizeof hash->block);
  hash->length += size;
  if (held > 0) {
    size_t room = sizeof hash->block - held, take = size < room ? size : room;
    if (take > 0) memcpy(hash->block + held, at, take);
    if (take < room) return;
    compress(hash->state, hash->block);
    at += take;
    size -= take;
  }
  for (; size >= sizeof hash->block; size -= sizeof hash->block, at += sizeof hash->block)
    compress(hash->state, at);
  if (size > 0) memcpy(hash->block, at, size);
}

void prism_sha256_end(prism_sha256_t *hash, char hex[PRISM_SHA256_HEX]) {
  static const char DIGITS[] = "0123456789abcdef";
  uint64_t bits = hash->length * 8;
  size_t held = (size_t)(hash->length % sizeof hash->block);
  uint8_t padding[sizeof hash->block + 8] = {0x80};
  size_t zeros = held < 56 ? 56 - held : 120 - held; /* with the 0x80 */
  for (int i = 0; i < 8; ++i) padding[zeros + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
  prism_sha256_add(hash, padding, zeros + 8);
  for (int i = 0; i < 32; ++i) {
    uint8_t byte = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
    hex[2 * i] = DIGITS[byte >> 4];
    hex[2 * i + 1] = DIGITS[byte & 15];
  }
  hex[64] = '\0';
}
