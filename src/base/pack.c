#include "base/pack.h"

#include <string.h>

#include "base/mem.h"

enum { CHECKSUM_BYTES = 8 };

static uint64_t checksum(const uint8_t *data, size_t size) {
  uint64_t sum = UINT64_C(0xCBF29CE484222325);
  for (size_t i = 0; i < size; ++i) sum = (sum ^ data[i]) * UINT64_C(0x100000001B3);
  return sum;
}

static void put_little(uint8_t *to, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_little(const uint8_t *from, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= (uint64_t)from[i] << (8 * i);
  return value;
}

/* Bytes of a value below `bound`. */
static size_t width_of(int32_t bound) { return bound <= 0x100 ? 1 : bound <= 0x10000 ? 2 : 4; }

/* ---- writing ---- */

/* Where `count` things of `size` bytes go; NULL after a failure. */
static uint8_t *take(prism_pack_t *pack, size_t count, size_t size) {
  if (pack->status != PRISM_OK) return NULL;
  size_t bytes = count * size;
  size_t left = (SIZE_MAX >> 1) - pack->size; /* a size that can still be doubled */
  if (size != 0 && (bytes / size != count || bytes > left)) {
    pack->status = prism_error_record(PRISM_MEMORY, __FILE__, __LINE__, __func__,
                                      "too many bytes to keep");
    return NULL;
  }
  if (pack->data == NULL || pack->size + bytes > pack->capacity) {
    size_t capacity = 2 * (pack->size + bytes) + 256;
    pack->status = PRISM_GROW(&pack->data, pack->size, capacity);
    if (pack->status != PRISM_OK) return NULL;
    pack->capacity = capacity;
  }
  uint8_t *at = pack->data + pack->size;
  pack->size += bytes;
  return at;
}

static void put(prism_pack_t *pack, uint64_t value, size_t size) {
  uint8_t *at = take(pack, 1, size);
  if (at != NULL) put_little(at, value, size);
}

void prism_pack_u8(prism_pack_t *pack, uint8_t value) { put(pack, value, 1); }
void prism_pack_u16(prism_pack_t *pack, uint16_t value) { put(pack, value, 2); }
void prism_pack_u32(prism_pack_t *pack, uint32_t value) { put(pack, value, 4); }
void prism_pack_u64(prism_pack_t *pack, uint64_t value) { put(pack, value, 8); }
void prism_pack_i32(prism_pack_t *pack, int32_t value) { put(pack, (uint32_t)value, 4); }
void prism_pack_i64(prism_pack_t *pack, int64_t value) { put(pack, (uint64_t)value, 8); }
void prism_pack_bool(prism_pack_t *pack, bool value) { put(pack, value ? 1 : 0, 1); }

void prism_pack_f64(prism_pack_t *pack, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put(pack, bits, 8);
}

void prism_pack_bytes(prism_pack_t *pack, const void *data, size_t size) {
  uint8_t *at = take(pack, size, 1);
  if (at != NULL && size > 0) memcpy(at, data, size);
}

void prism_pack_small(prism_pack_t *pack, const int32_t *value, size_t count, int32_t bound) {
  size_t width = width_of(bound);
  uint8_t *at = take(pack, count, width);
  for (size_t i = 0; at != NULL && i < count; ++i)
    put_little(at + i * width, (uint32_t)value[i], width);
}

prism_status_t prism_pack_finish(prism_pack_t *pack, uint8_t **bytes, size_t *size) {
  prism_pack_u64(pack, checksum(pack->data, pack->size));
  if (pack->status != PRISM_OK) {
    prism_status_t status = pack->status;
    prism_pack_release(pack);
    return status;
  }
  *bytes = pack->data;
  *size = pack->size;
  *pack = (prism_pack_t){0};
  return PRISM_OK;
}

void prism_pack_release(prism_pack_t *pack) {
  prism_free(pack->data);
  *pack = (prism_pack_t){0};
}

/* ---- reading ---- */

prism_status_t prism_unpack_open(prism_unpack_t *unpack, const uint8_t *bytes, size_t size,
                                 const char *what) {
  *unpack = (prism_unpack_t){.bad = true};
  if (size < CHECKSUM_BYTES) PRISM_FAIL(PRISM_FORMAT, "%s is cut off", what);
  size_t inner = size - CHECKSUM_BYTES;
  if (get_little(bytes + inner, CHECKSUM_BYTES) != checksum(bytes, inner))
    PRISM_FAIL(PRISM_FORMAT, "%s is damaged: its checksum is another one", what);
  *unpack = (prism_unpack_t){.data = bytes, .size = inner};
  return PRISM_OK;
}

/* Where the next `count` things of `size` bytes are; NULL when they are not all there, and
 * then nothing follows. */
static const uint8_t *give(prism_unpack_t *unpack, size_t count, size_t size) {
  size_t left = unpack->size - unpack->at;
  if (unpack->data == NULL || (size != 0 && count > left / size)) {
    unpack->bad = true;
    unpack->at = unpack->size;
    return NULL;
  }
  const uint8_t *at = unpack->data + unpack->at;
  unpack->at += count * size;
  return at;
}

static uint64_t get(prism_unpack_t *unpack, size_t size) {
  const uint8_t *at = give(unpack, 1, size);
  return at != NULL ? get_little(at, size) : 0;
}

uint8_t prism_unpack_u8(prism_unpack_t *unpack) { return (uint8_t)get(unpack, 1); }
uint16_t prism_unpack_u16(prism_unpack_t *unpack) { return (uint16_t)get(unpack, 2); }
uint32_t prism_unpack_u32(prism_unpack_t *unpack) { return (uint32_t)get(unpack, 4); }
uint64_t prism_unpack_u64(prism_unpack_t *unpack) { return get(unpack, 8); }

int32_t prism_unpack_i32(prism_unpack_t *unpack, int32_t low, int32_t high) {
  int32_t value = (int32_t)(uint32_t)get(unpack, 4);
  if (value >= low && value <= high) return value;
  unpack->bad = true;
  return low;
}

int64_t prism_unpack_i64(prism_unpack_t *unpack, int64_t low, int64_t high) {
  int64_t value = (int64_t)get(unpack, 8);
  if (value >= low && value <= high) return value;
  unpack->bad = true;
  return low;
}

double prism_unpack_f64(prism_unpack_t *unpack, double low, double high) {
  uint64_t bits = get(unpack, 8);
  double value;
  memcpy(&value, &bits, sizeof value);
  if (value >= low && value <= high) return value;
  unpack->bad = true;
  return low;
}

bool prism_unpack_bool(prism_unpack_t *unpack) {
  uint64_t value = get(unpack, 1);
  if (value > 1) unpack->bad = true;
  return value == 1;
}

void prism_unpack_bytes(prism_unpack_t *unpack, void *data, size_t size) {
  const uint8_t *at = give(unpack, size, 1);
  if (size == 0) return;
  if (at != NULL)
    memcpy(data, at, size);
  else
    memset(data, 0, size);
}

void prism_unpack_small(prism_unpack_t *unpack, int32_t *value, size_t count, int32_t bound) {
  size_t width = width_of(bound);
  const uint8_t *at = give(unpack, count, width);
  for (size_t i = 0; i < count; ++i) {
    uint64_t read = at != NULL ? get_little(at + i * width, width) : 0;
    if ((int64_t)read >= bound) {
      unpack->bad = true;
      read = 0;
    }
    value[i] = (int32_t)read;
  }
}

int32_t prism_unpack_count(prism_unpack_t *unpack, int32_t most, size_t size) {
  int32_t count = prism_unpack_i32(unpack, 0, most);
  if (size == 0 || (size_t)count <= (unpack->size - unpack->at) / size) return count;
  unpack->bad = true;
  return 0;
}

prism_status_t prism_unpack_close(const prism_unpack_t *unpack, const char *what) {
  if (unpack->bad) PRISM_FAIL(PRISM_FORMAT, "%s holds a value that it cannot have", what);
  if (unpack->at != unpack->size) PRISM_FAIL(PRISM_FORMAT, "%s is longer than it should be", what);
  return PRISM_OK;
}
