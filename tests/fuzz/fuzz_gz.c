/* Any text as a packed graph: cut into members of any sizes, packed at any level, it reads
 * as the plain text does; cut off or with a bit turned it is refused, or reads the same where
 * the bit says nothing (a time stamp). The first bytes of the input say which. */
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "fuzz_input.h"
#include "model/dimacs.h"

const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1:max_allocation_size_mb=64";
}

enum { CONTROL_BYTES = 6, MOST_MEMBERS = 4, HEADER_ROOM = 64 };

typedef struct reading {
  prism_status_t status;
  prism_graph_stats_t stats;
  int64_t edge_lines;
  int32_t warnings;
  char hash[PRISM_SHA256_HEX];
} reading_t;

static reading_t read_bytes(const void *data, size_t size) {
  char path[64];
  int file = fuzz_open(data, size, path);
  prism_graph_t *graph = NULL;
  prism_dimacs_report_t report;
  reading_t reading;
  memset(&reading, 0, sizeof reading);
  prism_error_clear();
  reading.status = prism_dimacs_read(path, &report, &graph);
  close(file);
  FUZZ_REQUIRE((reading.status == PRISM_OK) == (graph != NULL));
  FUZZ_REQUIRE(reading.status == PRISM_OK || reading.status == PRISM_FORMAT ||
               reading.status == PRISM_MEMORY);
  if (graph != NULL) {
    reading.stats = report.stats;
    reading.edge_lines = report.edge_lines;
    reading.warnings = report.warnings;
    prism_graph_hash(graph, reading.hash);
  }
  prism_graph_destroy(&graph);
  FUZZ_REQUIRE(prism_mem_live_blocks() == 0);
  return reading;
}

/* One gzip member; returns its size. */
static size_t pack_member(const uint8_t *text, size_t size, int level, uint8_t *out, size_t room) {
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  FUZZ_REQUIRE(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = (Bytef *)(uintptr_t)text;
  stream.avail_in = (uInt)size;
  stream.next_out = out;
  stream.avail_out = (uInt)room;
  FUZZ_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  size_t packed = stream.total_out;
  deflateEnd(&stream);
  return packed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < CONTROL_BYTES) return 0;
  const uint8_t *text = data + CONTROL_BYTES;
  size_t length = size - CONTROL_BYTES, room = 2 * size + MOST_MEMBERS * HEADER_ROOM, packed = 0;
  int members = 1 + data[0] % MOST_MEMBERS, level = data[1] % 10;
  uint8_t *out = malloc(room);
  FUZZ_REQUIRE(out != NULL);
  for (int i = 0; i < members; ++i) { /* the last takes all that is left */
    size_t part = i == members - 1 ? length : length * data[2] / 256;
    packed += pack_member(text, part, level, out + packed, room - packed);
    text += part;
    length -= part;
  }
  text = data + CONTROL_BYTES;
  length = size - CONTROL_BYTES;
  bool twice = length >= 2 && text[0] == 0x1f && text[1] == 0x8b; /* packed once more */
  reading_t plain = read_bytes(text, length), same = read_bytes(out, packed);
  if (twice)
    FUZZ_REQUIRE(same.status == PRISM_FORMAT);
  else
    FUZZ_REQUIRE(memcmp(&plain, &same, sizeof plain) == 0);
  size_t at = ((size_t)data[3] | (size_t)data[4] << 8) % packed;
  if (data[5] < 128) {
    /* A cut between members leaves whole ones, and an empty file is one without a graph. */
    reading_t cut = read_bytes(out, at);
    FUZZ_REQUIRE(members > 1 || cut.status != PRISM_OK);
  } else {
    out[at] ^= (uint8_t)(1u << data[5] % 8);
    reading_t turned = read_bytes(out, packed);
    if (turned.status == PRISM_OK && members == 1 && !twice)
      FUZZ_REQUIRE(memcmp(&plain, &turned, sizeof plain) == 0);
  }
  free(out);
  return 0;
}
