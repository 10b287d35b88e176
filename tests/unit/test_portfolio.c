/* The portfolio gives its time by merit, lets nobody starve and draws no lots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "solve/portfolio.h"

enum { ROUNDS = 4000 };

static const uint32_t all = PRISM_METHOD_BIT(PRISM_METHOD_COUNT) - 1;

/* Tickets that always bring the same: f_best and cost by method. */
static void begin_portfolio(prism_portfolio_t *portfolio, int32_t only, int32_t island) {
  uint32_t methods = prism_portfolio_methods(all, only, false);
  prism_portfolio_setup_t setup = {
      .methods = methods, .favorite = -1, .island = island, .islands = 1, .pace = 1.0};
  prism_portfolio_init(portfolio, &setup);
}

static void run_tickets(prism_portfolio_t *portfolio, const int64_t *f, const double *cost,
                        int rounds) {
  for (int i = 0; i < rounds; ++i) {
    prism_summary_t summary = {.k = portfolio->k, .method = prism_portfolio_choose(portfolio)};
    assert_true(portfolio->arm[summary.method].allowed);
    summary.f_best = summary.f_ticket = f[summary.method];
    prism_portfolio_reward(portfolio, &summary, cost[summary.method]);
  }
}

static double share(const prism_portfolio_t *portfolio, int method) {
  return portfolio->arm[method].spent / portfolio->total;
}

static int allowed(const prism_portfolio_t *portfolio) {
  int count = 0;
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) count += portfolio->arm[m].allowed;
  return count;
}

static void equals_share_alike(void **state) {
  (void)state;
  static const int64_t f[PRISM_METHOD_COUNT] = {7, 7, 7, 7, 7, 7, 7};
  static const double even[PRISM_METHOD_COUNT] = {1, 1, 1, 1, 1, 1, 1};
  static const double uneven[PRISM_METHOD_COUNT] = {1, 5, 0.3, 2, 0.1, 3, 0.7};
  const double *costs[] = {even, uneven};
  for (int c = 0; c < 2; ++c) { /* shares are of the cost, not of the tickets */
    prism_portfolio_t portfolio;
    begin_portfolio(&portfolio, -1, 0);
    prism_portfolio_begin(&portfolio, 10);
    run_tickets(&portfolio, f, costs[c], ROUNDS);
    double fair = 1.0 / allowed(&portfolio);
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
      if (portfolio.arm[m].allowed) assert_true(share(&portfolio, m) > 0.9 * fair &&
                                                share(&portfolio, m) < 1.1 * fair);
  }
}

static void merit_decides_and_nobody_starves(void **state) {
  (void)state;
  static const double cost[PRISM_METHOD_COUNT] = {1, 1, 1, 1, 1, 1, 1};
  static const int64_t f[PRISM_METHOD_COUNT] = {400, 2, 9, 25, 3, 7, 12};
  prism_portfolio_t portfolio;
  begin_portfolio(&portfolio, -1, 0);
  prism_portfolio_begin(&portfolio, 10);
  run_tickets(&portfolio, f, cost, ROUNDS);
  for (int a = 0; a < PRISM_METHOD_COUNT; ++a) {
    if (!portfolio.arm[a].allowed) {
      assert_true(portfolio.arm[a].spent == 0.0);
      continue;
    }
    assert_true(share(&portfolio, a) > 0.02);
    for (int b = 0; b < PRISM_METHOD_COUNT; ++b) /* fewer conflicts, no smaller share */
      if (portfolio.arm[b].allowed && f[a] < f[b])
        assert_true(share(&portfolio, a) > share(&portfolio, b) - 0.01);
  }
  assert_true(share(&portfolio, PRISM_METHOD_PARTIALCOL) > 0.4);
}

/* In the long run the rest gets more, but not who is far behind a leader that is nearly there. */
static void long_waits_help_who_is_near(void **state) {
  (void)state;
  static const double cost[PRISM_METHOD_COUNT] = {1, 1, 1, 1, 1, 1, 1};
  for (int near = 0; near < 2; ++near) {
    prism_portfolio_t portfolio;
    begin_portfolio(&portfolio, -1, 0);
    prism_portfolio_begin(&portfolio, 10);
    int64_t f[PRISM_METHOD_COUNT];
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m) f[m] = near ? 22 : 30;
    f[PRISM_METHOD_POOL] = near ? 20 : 1;
    portfolio.arm[PRISM_METHOD_POOL].prior *= 50.0; /* it leads */
    run_tickets(&portfolio, f, cost, ROUNDS);
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
      if (!portfolio.arm[m].allowed || m == PRISM_METHOD_POOL) continue;
      if (near) assert_true(share(&portfolio, m) > 0.08);
      else assert_true(share(&portfolio, m) > 0.02 && share(&portfolio, m) < 0.05);
    }
  }
}

static void everybody_is_tried_first(void **state) {
  (void)state;
  for (int32_t offset = 0; offset < 12; ++offset) {
    prism_portfolio_t portfolio;
    begin_portfolio(&portfolio, -1, offset);
    prism_portfolio_begin(&portfolio, 10);
    int tried[PRISM_METHOD_COUNT] = {0};
    for (int i = 0; i < allowed(&portfolio); ++i) {
      prism_summary_t summary = {.k = 10, .method = prism_portfolio_choose(&portfolio),
                                 .f_best = 5};
      ++tried[summary.method];
      prism_portfolio_reward(&portfolio, &summary, 1.0);
    }
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m)
      assert_int_equal(tried[m], portfolio.arm[m].allowed);
  }
  /* Islands begin with different methods. */
  int seen[PRISM_METHOD_COUNT] = {0}, kinds = 0;
  for (int32_t offset = 0; offset < PRISM_METHOD_COUNT; ++offset) {
    prism_portfolio_t portfolio;
    begin_portfolio(&portfolio, -1, offset);
    prism_portfolio_begin(&portfolio, 10);
    ++seen[prism_portfolio_choose(&portfolio)];
  }
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) kinds += seen[m] > 0;
  assert_true(kinds >= 3);
}

static void one_method_alone(void **state) {
  (void)state;
  static const double cost[PRISM_METHOD_COUNT] = {1, 1, 1, 1, 1, 1, 1};
  static const int64_t f[PRISM_METHOD_COUNT] = {9, 9, 9, 9, 9, 9, 9};
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_portfolio_t portfolio;
    begin_portfolio(&portfolio, m, 3);
    assert_int_equal(allowed(&portfolio), 1);
    prism_portfolio_begin(&portfolio, 4);
    run_tickets(&portfolio, f, cost, 50);
    assert_int_equal(prism_portfolio_choose(&portfolio), m);
  }
}

/* Conflicts that say nothing yet are not held against a method. */
static void early_conflicts_do_not_count(void **state) {
  (void)state;
  static const double cost[PRISM_METHOD_COUNT] = {1, 1, 1, 1, 1, 1, 1};
  double shares[2];
  for (int early = 0; early < 2; ++early) {
    prism_portfolio_t portfolio;
    begin_portfolio(&portfolio, -1, 0);
    prism_portfolio_begin(&portfolio, 10);
    for (int i = 0; i < ROUNDS; ++i) {
      const prism_method_t method = prism_portfolio_choose(&portfolio);
      prism_summary_t summary = {.k = 10, .method = method, .f_best = 3};
      if (method == PRISM_METHOD_EXTRACTION) summary.f_best = 300, summary.early = early == 1;
      prism_portfolio_reward(&portfolio, &summary, cost[method]);
    }
    assert_int_equal(portfolio.arm[PRISM_METHOD_EXTRACTION].f_best, early == 1 ? -1 : 300);
    shares[early] = share(&portfolio, PRISM_METHOD_EXTRACTION);
  }
  assert_true(shares[1] > 0.9 / 5 && shares[0] < 0.5 * shares[1]);
}

/* Who solved a hard k leads at the next one; a new k forgets the rest. */
static void success_is_remembered(void **state) {
  (void)state;
  prism_portfolio_t portfolio;
  begin_portfolio(&portfolio, -1, 0);
  for (int32_t k = 20; k > 15; --k) {
    prism_portfolio_begin(&portfolio, k);
    assert_true(portfolio.total == 0.0);
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
      assert_true(portfolio.arm[m].spent == 0.0);
      assert_int_equal(portfolio.arm[m].f_best, -1);
    }
    if (k < 20) assert_int_equal(prism_portfolio_choose(&portfolio), PRISM_METHOD_POOL);
    for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
      if (!portfolio.arm[m].allowed) continue;
      prism_summary_t summary = {.k = k, .method = (prism_method_t)m,
                                 .f_best = m == PRISM_METHOD_POOL ? 0 : 3};
      prism_portfolio_reward(&portfolio, &summary, 10.0);
    }
    prism_portfolio_solved(&portfolio, PRISM_METHOD_POOL);
  }
}

/* The luck of others counts as one's own: a success on another island. */
static void foreign_success_counts(void **state) {
  (void)state;
  prism_portfolio_t portfolio;
  begin_portfolio(&portfolio, -1, 0);
  prism_portfolio_begin(&portfolio, 20);
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m) {
    prism_summary_t summary = {.k = 20, .method = (prism_method_t)m, .f_best = 4};
    if (portfolio.arm[m].allowed) prism_portfolio_reward(&portfolio, &summary, 10.0);
  }
  prism_portfolio_solved(&portfolio, PRISM_METHOD_WEIGHTED);
  prism_portfolio_begin(&portfolio, 19);
  assert_int_equal(prism_portfolio_choose(&portfolio), PRISM_METHOD_WEIGHTED);
}

static void the_same_again(void **state) {
  (void)state;
  prism_portfolio_t a, b;
  begin_portfolio(&a, -1, 2);
  begin_portfolio(&b, -1, 2);
  for (int i = 0; i < 2000; ++i) {
    if (i % 250 == 0) prism_portfolio_begin(&a, 100 - i / 250);
    if (i % 250 == 0) prism_portfolio_begin(&b, 100 - i / 250);
    prism_method_t method = prism_portfolio_choose(&a);
    assert_int_equal(prism_portfolio_choose(&b), method);
    prism_summary_t summary = {.k = a.k, .method = method, .f_best = (i * 7 + (int)method) % 31};
    prism_portfolio_reward(&a, &summary, 1.0 + i % 5);
    prism_portfolio_reward(&b, &summary, 1.0 + i % 5);
  }
}

/* What an island runs, and what the user asked for. */
static void islands_differ(void **state) {
  (void)state;
  const uint32_t head = PRISM_METHOD_BIT(PRISM_METHOD_HEAD);
  const uint32_t pool = PRISM_METHOD_BIT(PRISM_METHOD_POOL);
  const uint32_t tabucol = PRISM_METHOD_BIT(PRISM_METHOD_TABUCOL);
  const uint32_t tempering = PRISM_METHOD_BIT(PRISM_METHOD_TEMPERING);
  assert_int_equal(prism_portfolio_methods(all, -1, true), all & ~head);
  assert_int_equal(prism_portfolio_methods(all, -1, false), all & ~head & ~tempering);
  assert_int_equal(prism_portfolio_methods(all, PRISM_METHOD_POOL, true), pool);
  assert_int_equal(prism_portfolio_methods(all, PRISM_METHOD_HEAD, true), head);
  assert_int_equal(prism_portfolio_methods(head | tabucol, -1, true), head | tabucol);
  assert_int_equal(prism_portfolio_methods(all, PRISM_METHOD_TEMPERING, false), tempering);
  /* An island that breeds in a pool only. */
  const uint32_t large = pool | tabucol;
  assert_int_equal(prism_portfolio_methods(large, -1, true), large);
  assert_int_equal(prism_portfolio_methods(large | tempering, -1, true), large | tempering);
  assert_int_equal(prism_portfolio_methods(tabucol, -1, true), tabucol);
  assert_int_equal(prism_portfolio_methods(large, PRISM_METHOD_HEAD, false), pool);
  assert_int_equal(prism_portfolio_methods(large, PRISM_METHOD_TABUCOL, false), tabucol);
  assert_int_equal(prism_portfolio_methods(large, PRISM_METHOD_WEIGHTED, false), 0);
  assert_int_equal(prism_portfolio_methods(tabucol, PRISM_METHOD_HEAD, false), 0);
  assert_int_equal(prism_portfolio_methods(head, PRISM_METHOD_POOL, false), 0);
  assert_int_equal(prism_portfolio_methods(tempering, -1, false), 0);
  assert_int_equal(prism_portfolio_methods(tempering, -1, true), tempering);
  for (uint32_t able = 0; able <= all; ++able)
    for (int only = -1; only < PRISM_METHOD_COUNT; ++only)
      assert_int_equal(prism_portfolio_methods(able, only, true) & ~able, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equals_share_alike),
      cmocka_unit_test(merit_decides_and_nobody_starves),
      cmocka_unit_test(long_waits_help_who_is_near),
      cmocka_unit_test(everybody_is_tried_first),
      cmocka_unit_test(one_method_alone),
      cmocka_unit_test(early_conflicts_do_not_count),
      cmocka_unit_test(success_is_remembered),
      cmocka_unit_test(foreign_success_counts),
      cmocka_unit_test(the_same_again),
      cmocka_unit_test(islands_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
