#include "runtime/overlap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ACTIVITIES = 2 };

/* Sorted, disjoint, not touching; all after the horizon. */
typedef struct side {
  prism_interval_t *interval;
  size_t count;
} side_t;

struct prism_overlap {
  size_t capacity;
  double horizon;     /* everything before it is in `settled` */
  double first, last; /* of what was counted; first > last: nothing yet */
  side_t side[ACTIVITIES];
  prism_overlap_times_t settled; /* busy, transfer, hidden, late */
};

static int by_begin(const void *a, const void *b) {
  double x = ((const prism_interval_t *)a)->begin, y = ((const prism_interval_t *)b)->begin;
  return (x > y) - (x < y);
}

size_t prism_interval_union(prism_interval_t *interval, size_t count) {
  size_t valid = 0, merged = 0;
  for (size_t i = 0; i < count; ++i)
    if (interval[i].end >= interval[i].begin) interval[valid++] = interval[i];
  if (valid == 0) return 0;
  qsort(interval, valid, sizeof *interval, by_begin);
  for (size_t i = 1; i < valid; ++i) {
    if (interval[i].begin > interval[merged].end)
      interval[++merged] = interval[i];
    else if (interval[i].end > interval[merged].end)
      interval[merged].end = interval[i].end;
  }
  return merged + 1;
}

double prism_interval_length(const prism_interval_t *interval, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += interval[i].end - interval[i].begin;
  return sum;
}

double prism_interval_common(const prism_interval_t *a, size_t a_count, const prism_interval_t *b,
                             size_t b_count) {
  double sum = 0;
  size_t i = 0, j = 0;
  while (i < a_count && j < b_count) {
    double begin = fmax(a[i].begin, b[j].begin), end = fmin(a[i].end, b[j].end);
    if (end > begin) sum += end - begin;
    if (a[i].end < b[j].end)
      ++i;
    else
      ++j;
  }
  return sum;
}

prism_status_t prism_overlap_create(size_t capacity, prism_overlap_t **out) {
  if (capacity < 4) PRISM_FAIL(PRISM_INVALID, "an overlap meter of %zu intervals", capacity);
  prism_overlap_t *made = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &made));
  made->capacity = capacity;
  made->horizon = made->last = -INFINITY;
  made->first = INFINITY;
  for (int i = 0; i < ACTIVITIES; ++i) {
    prism_status_t status = PRISM_ALLOC(capacity, &made->side[i].interval);
    if (status == PRISM_OK) continue;
    prism_overlap_destroy(&made);
    return status;
  }
  *out = made;
  return PRISM_OK;
}

void prism_overlap_destroy(prism_overlap_t **overlap) {
  if (*overlap == NULL) return;
  for (int i = 0; i < ACTIVITIES; ++i) prism_free((*overlap)->side[i].interval);
  prism_free(*overlap);
  *overlap = NULL;
}

/* Length of the side before `horizon`; with `cut` that part is removed. */
static double before(side_t *side, double horizon, bool cut) {
  double sum = 0;
  size_t whole = 0;
  while (whole < side->count && side->interval[whole].end <= horizon) {
    sum += side->interval[whole].end - side->interval[whole].begin;
    ++whole;
  }
  bool straddles = whole < side->count && side->interval[whole].begin < horizon;
  if (straddles) sum += horizon - side->interval[whole].begin;
  if (!cut) return sum;
  if (straddles) side->interval[whole].begin = horizon;
  side->count -= whole;
  memmove(side->interval, side->interval + whole, side->count * sizeof *side->interval);
  return sum;
}

static double common(const prism_overlap_t *overlap) {
  const side_t *kernel = &overlap->side[PRISM_ACTIVITY_KERNEL];
  const side_t *transfer = &overlap->side[PRISM_ACTIVITY_TRANSFER];
  return prism_interval_common(kernel->interval, kernel->count, transfer->interval,
                               transfer->count);
}

void prism_overlap_settle(prism_overlap_t *overlap, double horizon) {
  if (!(horizon > overlap->horizon)) return;
  double waiting = common(overlap);
  overlap->settled.busy += before(&overlap->side[PRISM_ACTIVITY_KERNEL], horizon, true);
  overlap->settled.transfer += before(&overlap->side[PRISM_ACTIVITY_TRANSFER], horizon, true);
  overlap->settled.hidden += waiting - common(overlap);
  overlap->horizon = horizon;
}

/* Put one interval into its place, merged with those it meets. The caller made room. */
static void insert(side_t *side, prism_interval_t fresh) {
  size_t from = side->count, to = side->count; /* from..to-1 are merged into it */
  while (from > 0 && side->interval[from - 1].end >= fresh.begin) {
    --from;
    if (side->interval[from].begin > fresh.end) to = from;
  }
  if (from < to) {
    fresh.begin = fmin(fresh.begin, side->interval[from].begin);
    fresh.end = fmax(fresh.end, side->interval[to - 1].end);
  }
  memmove(side->interval + from + 1, side->interval + to,
          (side->count - to) * sizeof *side->interval);
  side->interval[from] = fresh;
  side->count = side->count + 1 - (to - from);
}

void prism_overlap_add(prism_overlap_t *overlap, prism_activity_t activity, double begin,
                       double end) {
  side_t *side = &overlap->side[activity];
  if (!(end > begin)) return;
  if (side->count == overlap->capacity)
    prism_overlap_settle(overlap, side->interval[overlap->capacity / 2].begin);
  if (begin < overlap->horizon) {
    overlap->settled.late += fmin(end, overlap->horizon) - begin;
    begin = overlap->horizon;
  }
  if (end <= begin) return;
  overlap->first = fmin(overlap->first, begin);
  overlap->last = fmax(overlap->last, end);
  insert(side, (prism_interval_t){begin, end});
}

void prism_overlap_times(const prism_overlap_t *overlap, prism_overlap_times_t *out) {
  prism_overlap_times_t times = overlap->settled;
  const side_t *kernel = &overlap->side[PRISM_ACTIVITY_KERNEL];
  const side_t *transfer = &overlap->side[PRISM_ACTIVITY_TRANSFER];
  times.busy += prism_interval_length(kernel->interval, kernel->count);
  times.transfer += prism_interval_length(transfer->interval, transfer->count);
  times.hidden += common(overlap);
  times.span = overlap->last > overlap->first ? overlap->last - overlap->first : 0;
  times.idle = fmax(0, times.span - times.busy);
  *out = times;
}
