#include "app/map.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

static bool alike(const prism_rank_row_t *a, const prism_rank_row_t *b) {
  return strcmp(a->host, b->host) == 0 && strcmp(a->device, b->device) == 0 &&
         a->threads == b->threads && (a->gpu < 0) == (b->gpu < 0);
}

/* "0-3,5" of ascending numbers. */
static prism_status_t add_ranges(prism_text_t *out, const int32_t *number, int32_t count) {
  for (int32_t i = 0; i < count;) {
    int32_t last = i;
    while (last + 1 < count && number[last + 1] == number[last] + 1) ++last;
    PRISM_TRY(prism_text_add(out, "%s%d", i == 0 ? "" : ",", number[i]));
    if (last > i) PRISM_TRY(prism_text_add(out, "-%d", number[last]));
    i = last + 1;
  }
  return PRISM_OK;
}

/* Different GPUs of a group. [in] member  [count] its rows */
static int32_t count_gpus(const prism_rank_row_t *row, const int32_t *member, int32_t count) {
  int32_t different = 0;
  for (int32_t i = 0; i < count; ++i) {
    bool known = false;
    for (int32_t b = 0; b < i && !known; ++b)
      known = strcmp(row[member[b]].uuid, row[member[i]].uuid) == 0;
    different += !known;
  }
  return different;
}

/* Which they are. Where each rank sees but its own all of them are GPU 0, which says nothing.
 * [out] number  scratch [count] */
static prism_status_t add_gpus(prism_text_t *out, const prism_rank_row_t *row,
                               const int32_t *member, int32_t count, int32_t different,
                               int32_t *number) {
  int32_t numbers = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t gpu = row[member[i]].gpu;
    int32_t at = 0;
    while (at < numbers && number[at] < gpu) ++at;
    if (at < numbers && number[at] == gpu) continue;
    memmove(number + at + 1, number + at, (size_t)(numbers - at) * sizeof *number);
    number[at] = gpu;
    ++numbers;
  }
  if (numbers < different) return prism_text_add(out, ", one each");
  PRISM_TRY(prism_text_add(out, ", GPU "));
  PRISM_TRY(add_ranges(out, number, numbers));
  return different < count ? prism_text_add(out, " shared") : PRISM_OK;
}

static prism_status_t add_group(prism_text_t *out, const prism_rank_row_t *row,
                                const int32_t *member, int32_t count, int32_t *number) {
  const prism_rank_row_t *first = &row[member[0]];
  PRISM_TRY(prism_text_add(out, "rank%s ", count == 1 ? "" : "s"));
  for (int32_t i = 0; i < count; ++i) number[i] = row[member[i]].rank;
  PRISM_TRY(add_ranges(out, number, count));
  PRISM_TRY(prism_text_add(out, " on %s: ", first->host));
  const int32_t gpus = first->gpu < 0 ? 0 : count_gpus(row, member, count);
  if (gpus > 1) PRISM_TRY(prism_text_add(out, "%d x ", gpus));
  PRISM_TRY(prism_text_add(out, "%s", first->device));
  if (gpus > 0) PRISM_TRY(add_gpus(out, row, member, count, gpus, number));
  return prism_text_add(out, ", %d thread%s%s\n", first->threads, first->threads == 1 ? "" : "s",
                        count == 1 ? "" : " each");
}

prism_status_t prism_map_format(const prism_rank_row_t *row, int32_t ranks, prism_text_t *out) {
  int32_t *member = NULL;
  PRISM_TRY(PRISM_ALLOC(2 * (int64_t)ranks, &member));
  int32_t *number = member + ranks;
  prism_status_t status = PRISM_OK;
  for (int32_t r = 0; r < ranks && status == PRISM_OK; ++r) {
    bool told = false;
    for (int32_t b = 0; b < r && !told; ++b) told = alike(&row[b], &row[r]);
    if (told) continue;
    int32_t count = 0;
    for (int32_t i = r; i < ranks; ++i)
      if (alike(&row[i], &row[r])) member[count++] = i;
    status = add_group(out, row, member, count, number);
  }
  prism_free(member);
  return status;
}
