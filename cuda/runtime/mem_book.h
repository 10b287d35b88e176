/* Bookkeeping of the device memory pool: sizes, reuse, limits, age. Pure: it never
 * touches a device, and addresses and streams are opaque to it.
 *
 * Size classes are powers of two from 4 KiB. Above 64 MiB a block gets the size it
 * needs, rounded to 2 MiB: a power of two could waste half the device there. One
 * thread at a time. */
#ifndef PRISM_CUDA_RUNTIME_MEM_BOOK_H
#define PRISM_CUDA_RUNTIME_MEM_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { PRISM_MEM_NONE = -1 };

typedef struct prism_mem_stats {
  int64_t hits;         /* takes served by a block that lay free */
  int64_t misses;       /* takes that needed a new block */
  int64_t evictions;    /* free blocks given back to the driver */
  int64_t failures;     /* takes refused */
  int64_t live_blocks;  /* taken and not released */
  int64_t free_blocks;  /* lying free for reuse */
  size_t live_bytes;
  size_t free_bytes;
  size_t high_water;    /* most live bytes so far */
  size_t limit;         /* live + free never exceed it */
} prism_mem_stats_t;

/* A block of the book, by its id. Ids of dropped blocks are used again. */
typedef struct prism_mem_block {
  void *address;      /* NULL: this id is unused */
  size_t bytes;
  const void *stream; /* that used it last */
  void *mark;         /* the owner's own (an event) */
  double released_at; /* seconds; only when free */
  bool live;
} prism_mem_block_t;

typedef struct prism_mem_book prism_mem_book_t;

prism_status_t prism_mem_book_create(size_t limit, prism_mem_book_t **out);
void prism_mem_book_destroy(prism_mem_book_t **book);

/* Bytes a block for `bytes` has; 0 when that overflows. */
size_t prism_mem_class_bytes(size_t bytes);

/* A free block for `bytes`: the one released last by this stream (other = false), or the
 * one that another stream released first (other = true). PRISM_MEM_NONE. */
int32_t prism_mem_book_match(const prism_mem_book_t *book, size_t bytes, const void *stream,
                             bool other);

/* Would a new block for `bytes` keep to the limit? */
bool prism_mem_book_fits(const prism_mem_book_t *book, size_t bytes);

/* Enter a new live block, a miss. [out] id. PRISM_MEMORY (of the host). */
prism_status_t prism_mem_book_add(prism_mem_book_t *book, void *address, size_t class_bytes,
                                  const void *stream, void *mark, int32_t *id);

/* A free block becomes live, a hit. */
void prism_mem_book_take(prism_mem_book_t *book, int32_t id, const void *stream);

/* Id of the live block at this address; PRISM_MEM_NONE. */
int32_t prism_mem_book_find(const prism_mem_book_t *book, const void *address);

/* A live block becomes free at `now`. */
void prism_mem_book_release(prism_mem_book_t *book, int32_t id, const void *stream, double now);

/* The block that has been free longest, if that is `ttl` seconds or more (0: any).
 * PRISM_MEM_NONE. */
int32_t prism_mem_book_expired(const prism_mem_book_t *book, double now, double ttl);

/* Forget a block. An eviction when it was free. */
void prism_mem_book_drop(prism_mem_book_t *book, int32_t id);

void prism_mem_book_refuse(prism_mem_book_t *book); /* count a failure */

/* Blocks 0..count-1; those without an address are unused. */
int32_t prism_mem_book_count(const prism_mem_book_t *book);
const prism_mem_block_t *prism_mem_book_block(const prism_mem_book_t *book, int32_t id);
void prism_mem_book_stats(const prism_mem_book_t *book, prism_mem_stats_t *out);

#endif
