#include "solve/history.h"

#include "base/mem.h"
#include "solve/checkpoint.h"

prism_status_t prism_history_add(prism_history_t *history, const prism_solution_row_t *row,
                                 const int32_t *color) {
  size_t n = (size_t)history->n, width = prism_checkpoint_width(row->colors);
  prism_history_entry_t *entry = NULL;
  PRISM_TRY(prism_alloc_zero_bytes(1, sizeof *entry + n * width, (void **)&entry));
  entry->row = *row;
  entry->width = width;
  prism_checkpoint_pack(color, n, width, entry->packed);
  if (history->last != NULL)
    history->last->next = entry;
  else
    history->first = entry;
  history->last = entry;
  ++history->count;
  if (row->colors > history->colors) history->colors = row->colors;
  return PRISM_OK;
}

prism_status_t prism_history_get(const prism_history_t *history,
                                 const prism_history_entry_t *entry, int32_t *color) {
  return prism_checkpoint_unpack(entry->packed, (size_t)history->n, entry->width,
                                 entry->row.colors, color);
}

void prism_history_release(prism_history_t *history) {
  for (prism_history_entry_t *entry = history->first; entry != NULL;) {
    prism_history_entry_t *next = entry->next;
    prism_free(entry);
    entry = next;
  }
  *history = (prism_history_t){.n = history->n};
}
