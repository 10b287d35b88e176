/* What the live page tells of migrations: against a table of all pairs, and with more routes than
 * it keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/serve_tally.h"
#include "base/mem.h"

enum { RANKS = 9 };

static void add(prism_serve_routes_t *routes, int32_t from, int32_t to, int32_t accepted) {
  prism_migration_t row;
  prism_record_blank(PRISM_RECORD_MIGRATION, &row);
  row.from_rank = from;
  row.to_rank = to;
  row.accepted = accepted;
  assert_int_equal(prism_serve_routes_add(routes, &row), PRISM_OK);
}

static void counts_are_those_of_a_full_table(void **state) {
  (void)state;
  int64_t offered[RANKS + 1][RANKS] = {{0}}, accepted[RANKS + 1][RANKS] = {{0}};
  prism_serve_routes_t routes = {0};
  uint64_t mixed = 7;
  for (int i = 0; i < 3000; ++i) {
    mixed = mixed * 6364136223846793005u + 1442695040888963407u;
    int32_t from = (int32_t)(mixed >> 33) % (RANKS + 1) - 1, to = (int32_t)(mixed >> 43) % RANKS;
    int32_t taken = (int32_t)(mixed >> 53) % 4 - 1; /* -1: a record without the field */
    ++offered[from + 1][to];
    accepted[from + 1][to] += taken > 0;
    add(&routes, from, to, taken);
  }
  int32_t at = 0;
  for (int32_t from = -1; from < RANKS; ++from) {
    for (int32_t to = 0; to < RANKS; ++to) {
      if (offered[from + 1][to] == 0) continue;
      assert_true(at < routes.count);
      const prism_serve_route_t *route = &routes.route[at++];
      assert_int_equal(route->from, from);
      assert_int_equal(route->to, to);
      assert_int_equal(route->offered, offered[from + 1][to]);
      assert_int_equal(route->accepted, accepted[from + 1][to]);
    }
  }
  assert_int_equal(at, routes.count);
  assert_int_equal(routes.left_out, 0);
  prism_free(routes.route);
}

static void more_routes_than_are_kept(void **state) {
  (void)state;
  prism_serve_routes_t routes = {0};
  for (int32_t i = 0; i < PRISM_SERVE_ROUTES; ++i) add(&routes, i / 256, i % 256, 1);
  add(&routes, 5, 300, 1);
  add(&routes, -1, 0, 1);
  add(&routes, 3, 4, 1); /* one that is known */
  assert_int_equal(routes.count, PRISM_SERVE_ROUTES);
  assert_int_equal(routes.left_out, 2);
  assert_int_equal(routes.route[3 * 256 + 4].offered, 2);
  prism_free(routes.route);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_those_of_a_full_table),
      cmocka_unit_test(more_routes_than_are_kept),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
