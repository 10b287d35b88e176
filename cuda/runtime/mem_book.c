#include "runtime/mem_book.h"

#include "base/mem.h"

enum {
  SMALLEST_CLASS = 4096,
  LARGE = 64 << 20,     /* above this, powers of two waste too much */
  LARGE_STEP = 2 << 20, /* the driver's own page size */
  FIRST_CAPACITY = 64
};

struct prism_mem_book {
  prism_mem_block_t *block;
  int32_t count, capacity;
  prism_mem_stats_t stats;
};

prism_status_t prism_mem_book_create(size_t limit, prism_mem_book_t **out) {
  prism_mem_book_t *book = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &book));
  book->stats.limit = limit;
  *out = book;
  return PRISM_OK;
}

void prism_mem_book_destroy(prism_mem_book_t **book) {
  if (*book == NULL) return;
  prism_free((*book)->block);
  prism_free(*book);
  *book = NULL;
}

size_t prism_mem_class_bytes(size_t bytes) {
  if (bytes > LARGE)
    return bytes > SIZE_MAX - LARGE_STEP ? 0 : (bytes + LARGE_STEP - 1) / LARGE_STEP * LARGE_STEP;
  size_t size = SMALLEST_CLASS;
  while (size < bytes) size *= 2;
  return size;
}

int32_t prism_mem_book_match(const prism_mem_book_t *book, size_t bytes, const void *stream,
                             bool other) {
  size_t wanted = prism_mem_class_bytes(bytes);
  int32_t best = PRISM_MEM_NONE;
  for (int32_t i = 0; i < book->count; ++i) {
    const prism_mem_block_t *block = &book->block[i];
    if (block->address == NULL || block->live || block->bytes != wanted) continue;
    if ((block->stream != stream) != other) continue;
    if (best == PRISM_MEM_NONE) {
      best = i;
      continue;
    }
    /* Its own last one is warm in the cache; another's first one is the likeliest done. */
    double age = block->released_at - book->block[best].released_at;
    if (other ? age < 0 : age > 0) best = i;
  }
  return best;
}

bool prism_mem_book_fits(const prism_mem_book_t *book, size_t bytes) {
  size_t wanted = prism_mem_class_bytes(bytes);
  size_t used = book->stats.live_bytes + book->stats.free_bytes;
  return wanted != 0 && used <= book->stats.limit && wanted <= book->stats.limit - used;
}

static void count_live(prism_mem_book_t *book, size_t bytes) {
  ++book->stats.live_blocks;
  book->stats.live_bytes += bytes;
  if (book->stats.live_bytes > book->stats.high_water)
    book->stats.high_water = book->stats.live_bytes;
}

prism_status_t prism_mem_book_add(prism_mem_book_t *book, void *address, size_t class_bytes,
                                  const void *stream, void *mark, int32_t *id) {
  int32_t at = 0;
  while (at < book->count && book->block[at].address != NULL) ++at;
  if (at == book->capacity) {
    int32_t capacity = book->capacity == 0 ? FIRST_CAPACITY : 2 * book->capacity;
    PRISM_TRY(PRISM_GROW(&book->block, book->capacity, capacity));
    book->capacity = capacity;
  }
  if (at == book->count) ++book->count;
  book->block[at] = (prism_mem_block_t){.address = address,
                                        .bytes = class_bytes,
                                        .stream = stream,
                                        .mark = mark,
                                        .live = true};
  ++book->stats.misses;
  count_live(book, class_bytes);
  *id = at;
  return PRISM_OK;
}

void prism_mem_book_take(prism_mem_book_t *book, int32_t id, const void *stream) {
  prism_mem_block_t *block = &book->block[id];
  block->live = true;
  block->stream = stream;
  --book->stats.free_blocks;
  book->stats.free_bytes -= block->bytes;
  ++book->stats.hits;
  count_live(book, block->bytes);
}

int32_t prism_mem_book_find(const prism_mem_book_t *book, const void *address) {
  for (int32_t i = 0; i < book->count; ++i)
    if (book->block[i].live && book->block[i].address == address) return i;
  return PRISM_MEM_NONE;
}

void prism_mem_book_release(prism_mem_book_t *book, int32_t id, const void *stream, double now) {
  prism_mem_block_t *block = &book->block[id];
  block->live = false;
  block->stream = stream;
  block->released_at = now;
  --book->stats.live_blocks;
  book->stats.live_bytes -= block->bytes;
  ++book->stats.free_blocks;
  book->stats.free_bytes += block->bytes;
}

int32_t prism_mem_book_expired(const prism_mem_book_t *book, double now, double ttl) {
  int32_t oldest = PRISM_MEM_NONE;
  for (int32_t i = 0; i < book->count; ++i) {
    const prism_mem_block_t *block = &book->block[i];
    if (block->address == NULL || block->live) continue;
    if (oldest == PRISM_MEM_NONE || block->released_at < book->block[oldest].released_at)
      oldest = i;
  }
  if (oldest == PRISM_MEM_NONE || ttl <= 0) return oldest;
  return now - book->block[oldest].released_at >= ttl ? oldest : PRISM_MEM_NONE;
}

void prism_mem_book_drop(prism_mem_book_t *book, int32_t id) {
  prism_mem_block_t *block = &book->block[id];
  if (block->live) {
    --book->stats.live_blocks;
    book->stats.live_bytes -= block->bytes;
  } else {
    --book->stats.free_blocks;
    book->stats.free_bytes -= block->bytes;
    ++book->stats.evictions;
  }
  *block = (prism_mem_block_t){0};
  while (book->count > 0 && book->block[book->count - 1].address == NULL) --book->count;
}

void prism_mem_book_refuse(prism_mem_book_t *book) { ++book->stats.failures; }

int32_t prism_mem_book_count(const prism_mem_book_t *book) { return book->count; }

const prism_mem_block_t *prism_mem_book_block(const prism_mem_book_t *book, int32_t id) {
  return &book->block[id];
}

void prism_mem_book_stats(const prism_mem_book_t *book, prism_mem_stats_t *out) {
  *out = book->stats;
}
