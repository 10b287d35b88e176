#!/usr/bin/env python3
"""Statistics against numbers worked out by hand, and against plain definitions.

Exit code 77: skipped."""
import itertools
import math
import os
import random
import sys
import unittest
from types import SimpleNamespace

import setting

np, pd = setting.need("numpy", "pandas")
from prism_analysis import compare, times  # noqa: E402
from prism_analysis.times import Sample  # noqa: E402

SEED = int(os.environ.get("PRISM_TEST_SEED", "20261121"))


def run(found, end, target=None, ranks=1, gpus=0):
    """As much of a run as the statistics look at. found: [(t, colors)]."""
    return SimpleNamespace(
        best=min([colors for _, colors in found], default=None), seconds=end, target=target,
        rank_count=ranks, gpu_count=gpus, config={}, graph={"name": "g", "hash": "0"},
        time_to=lambda k: min([t for t, colors in found if colors <= k], default=None))


class Censored(unittest.TestCase):
    def test_product_limit_by_hand(self):
        """Five runs: 1, 2+, 3, 3, 4+ (+: given up). At 1: 4/5 are left; at 3, with 3 at risk
        and 2 arriving: 4/5 * 1/3."""
        steps = times.product_limit(Sample((1.0, 3.0, 3.0), (2.0, 4.0)))
        self.assertEqual([step.t for step in steps], [1.0, 3.0])
        self.assertAlmostEqual(steps[0].share, 0.2)
        self.assertAlmostEqual(steps[1].share, 1 - 0.8 / 3)
        # Greenwood at 1: 1 / (5 * 4); on the scale of log(-log).
        spread = 1.959964 * math.sqrt(1 / 20) / abs(math.log(0.8))
        self.assertAlmostEqual(steps[0].low, 1 - 0.8 ** math.exp(-spread), 6)
        self.assertAlmostEqual(steps[0].high, 1 - 0.8 ** math.exp(spread), 6)

    def test_given_up_at_the_moment_of_another(self):
        """A run given up at 2 was still at it when another arrived at 2."""
        self.assertAlmostEqual(times.product_limit(Sample((2.0,), (2.0,)))[0].share, 0.5)

    def test_without_censoring_it_is_the_empirical_distribution(self):
        rng = random.Random(SEED)
        values = [round(rng.expovariate(1.0), 1) for _ in range(30)]
        steps = times.product_limit(Sample(tuple(values), ()))
        for step in steps:
            self.assertAlmostEqual(step.share, sum(v <= step.t for v in values) / 30)
            self.assertLessEqual(step.low, step.share + 1e-12)
            self.assertGreaterEqual(step.high, step.share - 1e-12)
        self.assertEqual((steps[-1].share, steps[-1].high), (1.0, 1.0))

    def test_reach_time(self):
        self.assertEqual(times.reach_time(Sample((1.0, 2.0, 3.0), ())), 2.0)
        self.assertEqual(times.reach_time(Sample((1.0, 2.0, 3.0, 4.0), ())), 2.5)
        self.assertEqual(times.reach_time(Sample((1.0,), (9.0, 9.0))), math.inf)
        self.assertEqual(times.reach_time(Sample((), (1.0,))), math.inf)
        # A run killed early says next to nothing; counted as longest it would give 3.
        self.assertEqual(times.reach_time(Sample((1.0, 2.0, 3.0), (0.1,))), 2.0)
        rng = random.Random(SEED)
        for size in range(1, 12):
            values = tuple(rng.random() for _ in range(size))
            self.assertAlmostEqual(times.reach_time(Sample(values, ())), times.median(values))

    def test_reach_interval_holds_the_median(self):
        sample = Sample(tuple(float(i) for i in range(1, 10)), ())
        low, high = times.reach_interval(sample)
        self.assertLess(low, 5.0)
        self.assertGreater(high, 5.0)
        self.assertEqual(times.reach_interval(Sample((1.0, 1.2), (9.0,) * 8))[1], math.inf)
        self.assertIsNone(times.reach_interval(Sample((1.0,), ())))

    def test_share_interval(self):
        """Wilson, 9 of 10: (0.5958, 0.9821), as in the tables."""
        low, high = times.share_interval(9, 10)
        self.assertAlmostEqual(low, 0.5958, 4)
        self.assertAlmostEqual(high, 0.9821, 4)
        self.assertEqual(times.share_interval(0, 5)[0], 0.0)
        self.assertEqual(times.share_interval(5, 5)[1], 1.0)

    def test_fit_with_early_cuts(self):
        """1, 2, 3 reached, 5 given up, 0.5 given up before the first: that one was not at risk.
        scale = (0 + 1 + 2 + 4) / 2, shift = 1 - scale / 4."""
        fitted = times.fit(Sample((1.0, 2.0, 3.0), (5.0, 0.5)))
        self.assertAlmostEqual(fitted.scale, 3.5)
        self.assertAlmostEqual(fitted.shift, 1 - 3.5 / 4)

    def test_fit_finds_what_was_drawn(self):
        rng = random.Random(SEED)
        values = [2.0 + rng.expovariate(1 / 3.0) for _ in range(4000)]
        fitted = times.fit(Sample(tuple(v for v in values if v < 6), (6.0,) * sum(
            v >= 6 for v in values)))
        self.assertAlmostEqual(fitted.shift, 2.0, 1)
        self.assertAlmostEqual(fitted.scale / 3.0, 1.0, 0)
        self.assertLess(abs(fitted.scale - 3.0), 0.4)


class Sets(unittest.TestCase):
    def test_samples(self):
        runs = [run([(0.1, 9), (0.4, 8)], 2.0), run([(0.2, 9)], 3.0), run([], 0.5)]
        self.assertEqual(compare.sample_of(runs, 8), Sample((0.4,), (3.0, 0.5)))
        self.assertEqual(compare.sample_of(runs, 9), Sample((0.1, 0.2), (0.5,)))

    def test_target(self):
        runs = [run([(1.0, 8)], 2.0), run([(1.0, 9)], 2.0), run([(1.0, 10)], 2.0)]
        self.assertEqual(compare.pick_target(runs), 9)
        self.assertEqual(compare.pick_target(runs[:2]), 8)
        self.assertEqual(compare.pick_target([run([(1, 8)], 2, 10), run([(1, 8)], 2, 10)]), 10)
        self.assertEqual(compare.pick_target([run([(1, 8)], 2, 5), run([(1, 8)], 2, 5)]), 8)
        self.assertIsNone(compare.pick_target([run([], 1.0)]))
        self.assertEqual(compare.levels(runs), [8, 9, 10])

    def test_log_rank_by_hand(self):
        """A: 1, 2; B: 3, 4. At 1: expected 2/4; at 2: 1/3; then none of A. O - E = 7/6,
        variance 1/4 + 2/9."""
        outcome = compare.log_rank(Sample((1.0, 2.0), ()), Sample((3.0, 4.0), ()))
        self.assertAlmostEqual(outcome.statistic, (7 / 6) ** 2 / (1 / 4 + 2 / 9))
        self.assertTrue(outcome.exact)
        self.assertAlmostEqual(outcome.p, 2 / 6)  # the two most extreme of six ways

    def test_log_rank_knows_censoring(self):
        """Everything of B ended before A could arrive: nothing is known."""
        outcome = compare.log_rank(Sample((5.0, 6.0, 7.0), ()), Sample((), (1.0, 1.0, 1.0)))
        self.assertEqual(outcome.statistic, 0.0)
        self.assertEqual(outcome.p, 1.0)
        self.assertIsNone(compare.log_rank(Sample((), (1.0,)), Sample((), (1.0,))))

    def test_log_rank_sees_a_difference_and_none(self):
        fast = Sample(tuple(float(i) for i in range(1, 11)), ())
        slow = Sample(tuple(30.0 + i for i in range(8)), (50.0, 50.0))
        outcome = compare.log_rank(fast, slow)
        self.assertLess(outcome.p, 0.001)
        self.assertFalse(outcome.exact)  # 184756 ways: drawn
        self.assertAlmostEqual(compare.log_rank(fast, slow).p, outcome.p)  # always the same
        self.assertGreater(compare.log_rank(fast, fast).p, 0.9)

    def test_rank_sum_by_enumeration(self):
        one, other = [1, 2, 2, 5], [2, 3, 7]
        every = one + other
        order = sorted(every)
        rank = {value: np.mean([i + 1 for i, v in enumerate(order) if v == value])
                for value in set(every)}
        middle = 4 * 8 / 2
        seen = abs(sum(rank[v] for v in one) - middle)
        ways = [abs(sum(rank[every[i]] for i in chosen) - middle)
                for chosen in itertools.combinations(range(7), 4)]
        outcome = compare.rank_sum(one, other)
        self.assertAlmostEqual(outcome.p, sum(way >= seen - 1e-9 for way in ways) / len(ways))
        pairs = [(a > b) + 0.5 * (a == b) for a in one for b in other]
        self.assertAlmostEqual(outcome.statistic, sum(pairs) / 12)
        self.assertAlmostEqual(compare.rank_sum([1, 2, 3], [4, 5, 6]).p, 0.1)

    def test_fisher(self):
        """The lady and her tea: 3 of 4 against 1 of 4: 34/70."""
        self.assertAlmostEqual(compare.fisher(3, 4, 1, 4), 34 / 70)
        self.assertAlmostEqual(compare.fisher(5, 5, 0, 5), 2 / 252)
        self.assertAlmostEqual(compare.fisher(2, 2, 3, 3), 1.0)

    def test_sooner(self):
        """(1 or 3+) against (2 or 2+): 1 first twice; 3+ after 2, unknown against 2+."""
        one, other = Sample((1.0,), (3.0,)), Sample((2.0,), (2.0,))
        self.assertAlmostEqual(compare.sooner(one, other), (1 + 1 + 0 + 0.5) / 4)
        self.assertAlmostEqual(compare.sooner(other, one), 1 - 2.5 / 4)
        self.assertAlmostEqual(compare.sooner(Sample((2.0,), ()), Sample((2.0,), ())), 0.5)

    def test_ratio(self):
        value, (low, high) = compare.ratio(Sample((4.0, 6.0, 8.0), ()), Sample((1.0, 2.0, 3.0), ()))
        self.assertEqual(value, 3.0)
        self.assertLessEqual(low, 3.0)
        self.assertGreaterEqual(high, 3.0)

    def test_sizes(self):
        unit, sizes = compare.by_size([run([], 1, ranks=4), run([], 1, ranks=1)])
        self.assertEqual((unit, list(sizes)), ("ranks", [1, 4]))
        self.assertEqual(compare.by_size([run([], 1, ranks=4, gpus=4)])[0], "GPUs")

    def test_differing(self):
        one, other = run([], 1.0), run([], 1.0)
        one.config = {"run.seed": "1", "run.threads": "2", "run.k": "0"}
        other.config = {"run.seed": "2", "run.threads": "4", "run.k": "0"}
        self.assertEqual(compare.differing([one, other]), {"run.threads": ["2", "4"]})

    def test_rate(self):
        one = SimpleNamespace(seconds=3.0, iterations=900, metrics=pd.DataFrame(
            {"rank": [0, 0, 1, 1, 0], "t": [0.0, 1.0, 1.0, 3.0, 3.0],
             "iterations": [0, 100, 50, 450, 500]}))
        self.assertAlmostEqual(compare.rate(one), 200.0 + 200.0)


if __name__ == "__main__":
    print(f"PRISM_TEST_SEED={SEED}")
    unittest.main(argv=sys.argv[:1])
