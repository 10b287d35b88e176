#include "search/calendar.h"

#include "base/mem.h"

prism_status_t prism_calendar_init(prism_calendar_t *calendar, int32_t longest) {
  *calendar = (prism_calendar_t){.length = 64, .capacity = 64, .free = -1};
  while (calendar->length <= longest + 1) calendar->length *= 2;
  PRISM_TRY(PRISM_ALLOC(calendar->length, &calendar->head));
  PRISM_TRY(PRISM_ALLOC(calendar->capacity, &calendar->entry));
  prism_calendar_clear(calendar);
  return PRISM_OK;
}

void prism_calendar_release(prism_calendar_t *calendar) {
  prism_free(calendar->head);
  prism_free(calendar->entry);
  calendar->head = NULL;
  calendar->entry = NULL;
}

void prism_calendar_clear(prism_calendar_t *calendar) {
  for (int32_t i = 0; i < calendar->length; ++i) calendar->head[i] = -1;
  calendar->used = 0;
  calendar->free = -1;
}

prism_status_t prism_calendar_reserve(prism_calendar_t *calendar, int32_t extra) {
  /* Pessimistic: entries on the free list are not counted as room. */
  if (calendar->used + extra <= calendar->capacity) return PRISM_OK;
  int32_t capacity = 2 * calendar->capacity + extra;
  PRISM_TRY(PRISM_GROW(&calendar->entry, calendar->capacity, capacity));
  calendar->capacity = capacity;
  return PRISM_OK;
}

void prism_calendar_lift(prism_calendar_t *calendar, int32_t vertex, int32_t color) {
  for (int32_t i = 0; i < calendar->used; ++i) {
    prism_tabu_entry_t *entry = &calendar->entry[i];
    if (entry->vertex == vertex && entry->color == color) entry->vertex = -1;
  }
}
