/* The calendar of tabu expiries against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "search/calendar.h"

static const uint64_t seed = 20261205;

enum { PAIRS = 40, COLORS = 8 };

/* What a search does at iteration `now`: take the list that is due. */
static void take_due(prism_calendar_t *calendar, int64_t now, int64_t *until) {
  int32_t *head = &calendar->head[now & (calendar->length - 1)];
  while (*head >= 0) {
    prism_tabu_entry_t *entry = &calendar->entry[*head];
    int32_t at = *head;
    *head = entry->next;
    if (entry->vertex >= 0) {
      int64_t *mine = &until[entry->vertex * COLORS + entry->color];
      assert_int_equal(*mine, now);
      *mine = 0;
    }
    entry->vertex = -1;
    entry->next = calendar->free;
    calendar->free = at;
  }
}

static void entries_come_back_when_due(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const int32_t longest[] = {1, 2, 62, 63, 64, 1000};
  for (size_t i = 0; i < sizeof longest / sizeof longest[0]; ++i) {
    prism_rng_t rng = prism_rng_stream(seed, i, 0, PRISM_RNG_TEST);
    prism_calendar_t calendar = {0};
    assert_int_equal(prism_calendar_init(&calendar, longest[i]), PRISM_OK);
    assert_true(calendar.length > longest[i]);
    assert_int_equal(calendar.length & (calendar.length - 1), 0);
    int64_t until[PAIRS * COLORS] = {0};
    int32_t peak = 0, live = 0;
    for (int64_t now = 1; now < 6000; ++now) {
      take_due(&calendar, now, until);
      int32_t adds = (int32_t)prism_rng_below(&rng, 6);
      assert_int_equal(prism_calendar_reserve(&calendar, adds), PRISM_OK);
      assert_true(calendar.used + adds <= calendar.capacity);
      for (int32_t a = 0; a < adds; ++a) {
        int32_t pair = (int32_t)prism_rng_below(&rng, PAIRS * COLORS);
        if (until[pair] != 0) continue;
        until[pair] = now + 1 + (int64_t)prism_rng_below(&rng, (uint32_t)longest[i]);
        prism_calendar_add(&calendar, until[pair], pair / COLORS, pair % COLORS);
      }
      if (prism_rng_below(&rng, 50) == 0) { /* aspiration */
        int32_t pair = (int32_t)prism_rng_below(&rng, PAIRS * COLORS);
        prism_calendar_lift(&calendar, pair / COLORS, pair % COLORS);
        until[pair] = 0;
      }
      live = 0;
      for (int32_t p = 0; p < PAIRS * COLORS; ++p) {
        live += until[p] != 0;
        assert_true(until[p] == 0 || until[p] > now); /* nothing was missed */
      }
      peak = live > peak ? live : peak;
    }
    /* Entries are used again: lifted ones wait for their day, so a little more. */
    assert_true(calendar.used >= peak && calendar.used <= peak + PAIRS);
    prism_calendar_clear(&calendar);
    assert_int_equal(calendar.used, 0);
    for (int32_t h = 0; h < calendar.length; ++h) assert_int_equal(calendar.head[h], -1);
    prism_calendar_release(&calendar);
    prism_calendar_release(&calendar); /* without harm */
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(entries_come_back_when_due),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
