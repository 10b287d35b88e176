/* Any bytes where ranks and files expect packed values: what is read is within its bounds and
 * within the bytes, and nothing that is wrong goes unnoticed.
 *
 * The first byte chooses the reader: a coloring from another rank, a piece of its state, or
 * values in an order that the input itself gives, with a checksum that fits or as they are. */
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"
#include "fuzz_input.h"
#include "seam/phase.h"
#include "solve/piece.h"
#include "solve/wire.h"

enum { MOST_VALUES = 64 };

static void check_parcel(const uint8_t *data, size_t size) {
  if (size < 2) return;
  int32_t n = data[0] % MOST_VALUES, color[MOST_VALUES];
  size_t width = (size_t)1 << data[1] % 3;
  prism_parcel_t parcel;
  prism_status_t status = prism_wire_unpack(data + 2, size - 2, n, width, &parcel, color);
  FUZZ_REQUIRE(status == PRISM_OK || status == PRISM_PEER);
  if (status != PRISM_OK) return;
  FUZZ_REQUIRE(size - 2 == prism_wire_bytes(n, width));
  FUZZ_REQUIRE(parcel.k >= 1 && parcel.method >= 0 && parcel.method < PRISM_METHOD_COUNT);
  for (int32_t v = 0; v < n; ++v) FUZZ_REQUIRE(color[v] >= 0 && color[v] < parcel.k);
  uint8_t again[sizeof parcel + 4 * MOST_VALUES];
  prism_wire_pack(&parcel, color, n, width, again);
  FUZZ_REQUIRE(memcmp(again, data + 2, size - 2) == 0);
}

/* Every byte of a piece can be read, where its kind says that it is. */
static void check_piece(const uint8_t *data, size_t size) {
  if (size < 2) return;
  int32_t n = data[0];
  size_t width = (size_t)1 << data[1] % 3;
  prism_piece_t *piece = NULL;
  prism_status_t status = prism_piece_copy(data + 2, size - 2, n, width, &piece);
  FUZZ_REQUIRE(status == PRISM_OK || status == PRISM_PEER);
  FUZZ_REQUIRE((status == PRISM_OK) == (piece != NULL));
  if (status != PRISM_OK) return;
  FUZZ_REQUIRE(piece->kind >= 0 && piece->kind < PRISM_PIECE_KINDS);
  FUZZ_REQUIRE(prism_piece_bytes(piece) == size - 2);
  if (piece->kind == PRISM_PIECE_ROWS) {
    prism_piece_rows_t rows = prism_piece_rows(piece, n, width);
    const uint8_t *end = (const uint8_t *)prism_piece_data(piece) + piece->size;
    size_t count = (size_t)piece->count;
    FUZZ_REQUIRE(piece->count >= 0 && (size_t)(end - (uint8_t *)rows.f) / sizeof *rows.f >= count);
    FUZZ_REQUIRE(n == 0 || (size_t)(end - rows.packed) / ((size_t)n * width) >= count);
    FUZZ_REQUIRE((size_t)(end - rows.method) >= count);
  }
  prism_free(piece);
}

static void read_array(prism_unpack_t *unpack, uint8_t length, int32_t bound) {
  int32_t value[MOST_VALUES];
  uint8_t bytes[MOST_VALUES];
  size_t count = length % MOST_VALUES;
  if (bound == 0) {
    memset(bytes, 0xff, sizeof bytes);
    prism_unpack_bytes(unpack, bytes, count);
    for (size_t i = 0; unpack->bad && unpack->at == unpack->size && i < count; ++i)
      FUZZ_REQUIRE(bytes[i] == 0 || bytes[i] == unpack->data[unpack->at - count + i]);
    return;
  }
  prism_unpack_small(unpack, value, count, bound);
  for (size_t i = 0; i < count; ++i) FUZZ_REQUIRE(value[i] >= 0 && value[i] < bound);
}

/* One value, its kind and bounds as the script says. */
static void read_value(prism_unpack_t *unpack, const uint8_t script[3]) {
  int32_t low = (int32_t)script[1] - 128, high = low + script[2];
  switch (script[0] % 9) {
    case 0: (void)prism_unpack_u8(unpack); break;
    case 1: (void)prism_unpack_u16(unpack); break;
    case 2: (void)prism_unpack_u64(unpack); break;
    case 3: {
      int32_t value = prism_unpack_i32(unpack, low, high);
      FUZZ_REQUIRE(value >= low && value <= high);
      break;
    }
    case 4: {
      int64_t value = prism_unpack_i64(unpack, low, high);
      FUZZ_REQUIRE(value >= low && value <= high);
      break;
    }
    case 5: {
      double value = prism_unpack_f64(unpack, low, high);
      FUZZ_REQUIRE(value >= low && value <= high);
      break;
    }
    case 6: {
      int32_t count = prism_unpack_count(unpack, script[1], script[2]);
      FUZZ_REQUIRE(count >= 0 && count <= script[1]);
      FUZZ_REQUIRE((size_t)count * script[2] <= unpack->size - unpack->at);
      break;
    }
    case 7: (void)prism_unpack_bool(unpack); break;
    default: read_array(unpack, script[1], script[2] << (script[2] % 24)); break;
  }
  FUZZ_REQUIRE(unpack->at <= unpack->size);
}

/* [in] script [steps][3], then the bytes */
static void check_values(const uint8_t *data, size_t size, bool sealed) {
  if (size == 0) return;
  size_t steps = data[0] % 32;
  if (size < 1 + 3 * steps) return;
  const uint8_t *script = data + 1, *bytes = script + 3 * steps;
  size_t left = size - 1 - 3 * steps;
  uint8_t *own = NULL;
  if (sealed) {
    prism_pack_t pack = {.data = NULL};
    prism_pack_bytes(&pack, bytes, left);
    FUZZ_REQUIRE(prism_pack_finish(&pack, &own, &left) == PRISM_OK);
    bytes = own;
  }
  prism_unpack_t unpack;
  prism_status_t status = prism_unpack_open(&unpack, bytes, left, "bytes");
  FUZZ_REQUIRE(status == PRISM_OK || (status == PRISM_FORMAT && !sealed));
  bool bad = unpack.bad; /* once bad, always bad; and reading goes on all the same */
  for (size_t i = 0; i < steps; ++i) {
    read_value(&unpack, script + 3 * i);
    FUZZ_REQUIRE(unpack.bad || !bad);
    bad = unpack.bad;
  }
  bool whole = !bad && unpack.at == unpack.size;
  status = prism_unpack_close(&unpack, "bytes");
  FUZZ_REQUIRE(status == (whole ? PRISM_OK : PRISM_FORMAT));
  prism_free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  prism_error_clear();
  switch (data[0] % 5) {
    case 0: check_parcel(data + 1, size - 1); break;
    case 4: check_piece(data + 1, size - 1); break;
    default: check_values(data + 1, size - 1, data[0] % 5 != 1); break;
  }
  FUZZ_REQUIRE(prism_mem_live_blocks() == 0);
  return 0;
}
