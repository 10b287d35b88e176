/* Tabu expiries as a calendar ring: one list of entries per future iteration.
 *
 * Setting and expiring are O(1); the ring's length is a power of two above the
 * longest tenure, so an entry never has to be looked at before its time. */
#ifndef PRISM_SEARCH_CALENDAR_H
#define PRISM_SEARCH_CALENDAR_H

#include <stdint.h>

#include "base/status.h"

typedef struct prism_tabu_entry {
  int32_t next;   /* entry of the same iteration, or of the free list; -1: last */
  int32_t vertex; /* -1: lifted early */
  int32_t color;
} prism_tabu_entry_t;

typedef struct prism_calendar {
  int32_t length;  /* power of two */
  int32_t capacity;
  int32_t used;    /* entries ever taken; the rest of the pool is untouched */
  int32_t free;    /* head of the free list, -1: empty */
  int32_t *head;   /* [length] first entry of each iteration, -1: none */
  prism_tabu_entry_t *entry; /* [capacity] */
} prism_calendar_t;

/* A calendar for tenures of 1..longest iterations. */
prism_status_t prism_calendar_init(prism_calendar_t *calendar, int32_t longest);
void prism_calendar_release(prism_calendar_t *calendar);
void prism_calendar_clear(prism_calendar_t *calendar);

/* Room for `extra` more entries. */
prism_status_t prism_calendar_reserve(prism_calendar_t *calendar, int32_t extra);

/* Make (vertex, color) expire at iteration `when`; room was reserved. */
static inline void prism_calendar_add(prism_calendar_t *calendar, int64_t when, int32_t vertex,
                                      int32_t color) {
  int32_t at = calendar->free;
  if (at >= 0)
    calendar->free = calendar->entry[at].next;
  else
    at = calendar->used++;
  int32_t *head = &calendar->head[when & (calendar->length - 1)];
  calendar->entry[at] = (prism_tabu_entry_t){*head, vertex, color};
  *head = at;
}

/* Take back the entry of (vertex, color), which was aspired to. O(entries), rare. */
void prism_calendar_lift(prism_calendar_t *calendar, int32_t vertex, int32_t color);

#endif
