"""Sets of runs: who reached how many colors when, and is the difference more than luck?

Runs that ended before the target are censored: known not to have reached it until then.
Tests are permutation tests, exact where all ways to share out the labels can be counted, so
that small sets need no distribution to be taken for granted.

Sources: log-rank statistic, Mantel (1966); rank sum, Wilcoxon (1945); Fisher (1935) for
shares; pairs of censored times, Gehan (1965).
"""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np

from prism_analysis import times

MOST_EXACT = 20000  # ways to share out labels; beyond, so many are drawn
DRAWN = 9999
MOST_ROWS = 6  # of a success table


class Outcome(NamedTuple):
    """p: probability of a difference at least as large if the sets were the same."""
    statistic: float
    p: float
    exact: bool


def sample_of(runs, colors):
    """Times to so many colors. A run without them is censored at its end, at its last record
    where it was killed or goes on."""
    found = [run.time_to(colors) for run in runs]
    return times.Sample(tuple(t for t in found if t is not None),
                        tuple(run.seconds for run, t in zip(runs, found) if t is None))


def pick_target(runs):
    """What the runs are measured by: the target that all were given, otherwise the fewest
    colors that at least half of them reached. None without a coloring."""
    wanted = {run.target for run in runs}
    if len(wanted) == 1 and None not in wanted:
        target = wanted.pop()
        if any(run.time_to(target) is not None for run in runs):
            return target
    best = sorted(run.best for run in runs if run.best is not None)
    if not best:
        return None
    middle = math.ceil(len(runs) / 2)
    return best[min(middle, len(best)) - 1]


def levels(runs):
    """Numbers of colors for a success table: from the best up to what all runs reached."""
    best = sorted({run.best for run in runs if run.best is not None})
    return list(range(best[0], min(best[-1], best[0] + MOST_ROWS - 1) + 1)) if best else []


def _labelings(count, first):
    """(rows of 0 and 1 with `first` ones each, are these all?)"""
    if math.comb(count, first) <= MOST_EXACT:
        ways = np.zeros((math.comb(count, first), count))
        for row, chosen in zip(ways, combinations(range(count), first)):
            row[list(chosen)] = 1.0
        return ways, True
    base = np.r_[np.ones(first), np.zeros(count - first)]
    rng = np.random.default_rng(1)
    return np.array([rng.permutation(base) for _ in range(DRAWN)]), False


def _permuted(score, labels, first):
    """score: rows of labels -> one number each, larger: more different."""
    ways, exact = _labelings(len(labels), first)
    observed = float(score(labels[None, :])[0])
    reached = int((score(ways) >= observed * (1 - 1e-9) - 1e-12).sum())
    p = reached / len(ways) if exact else (reached + 1) / (len(ways) + 1)
    return Outcome(observed, p, exact)


def log_rank(one, other):
    """Do two sets reach the target at the same pace? The statistic is a chi-squared one."""
    ends = sorted([(t, 1.0, 1.0) for t in one.times] + [(t, 0.0, 1.0) for t in one.cuts]
                  + [(t, 1.0, 0.0) for t in other.times] + [(t, 0.0, 0.0) for t in other.cuts])
    if not one.count() or not other.count() or not any(met for _, met, _ in ends):
        return None
    t, met, label = (np.array(column) for column in zip(*ends))

    def score(ways):
        gap, variance = np.zeros(len(ways)), np.zeros(len(ways))
        for moment in np.unique(t[met == 1.0]):
            risk, now = t >= moment, (t == moment) & (met == 1.0)
            total, deaths = risk.sum(), now.sum()
            share = ways[:, risk].sum(axis=1) / total
            gap += ways[:, now].sum(axis=1) - deaths * share
            if total > 1:
                variance += deaths * share * (1 - share) * (total - deaths) / (total - 1)
        return np.divide(gap ** 2, variance, out=np.zeros(len(ways)), where=variance > 1e-12)

    return _permuted(score, label, one.count())


def rank_sum(one, other):
    """Do two sets of numbers lie at the same height? Ties count half; the statistic is the
    share of pairs in which that of the first set is the larger one."""
    if not len(one) or not len(other):
        return None
    values = np.r_[np.asarray(one, float), np.asarray(other, float)]
    order = np.sort(values)
    ranks = (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")
             + 1) / 2
    middle = len(one) * (len(values) + 1) / 2
    label = np.r_[np.ones(len(one)), np.zeros(len(other))]
    outcome = _permuted(lambda ways: np.abs(ways @ ranks - middle), label, len(one))
    larger = (float(label @ ranks) - len(one) * (len(one) + 1) / 2) / (len(one) * len(other))
    return outcome._replace(statistic=larger)


def fisher(met, total, other_met, other_total):
    """p of the difference of two shares: all tables that are no likelier than this one."""
    every, reached = total + other_total, met + other_met
    ways = [math.comb(total, i) * math.comb(other_total, reached - i)
            for i in range(max(0, reached - other_total), min(total, reached) + 1)]
    here = math.comb(total, met) * math.comb(other_total, other_met)
    return sum(way for way in ways if way <= here) / math.comb(every, reached)


def sooner(one, other):
    """Share of pairs of runs, one of each set, in which that of the first set is known to
    reach the target first; a pair that nothing is known of counts half."""
    gaps = [_before(t, met, u, seen) - _before(u, seen, t, met)
            for t, met in _ends(one) for u, seen in _ends(other)]
    return 0.5 + 0.5 * sum(gaps) / len(gaps) if gaps else None


def _ends(sample):
    return [(t, True) for t in sample.times] + [(t, False) for t in sample.cuts]


def _before(t, met, u, seen):
    """Is the run that ended at t known to reach the target before the one that ended at u?"""
    return met and (t < u or (t == u and not seen))


def ratio(above, below):
    """(ratio of the median times, its interval): how many times sooner `below` is."""
    one, other = times.reach_time(above), times.reach_time(below)
    rng = np.random.default_rng(2)

    def drawn(sample):
        ends = _ends(sample)
        chosen = [ends[i] for i in rng.integers(len(ends), size=len(ends))]
        return times.reach_time(times.Sample(tuple(t for t, met in chosen if met),
                                             tuple(t for t, met in chosen if not met)))

    if min(above.count(), below.count()) < 2:
        return times.ratio(one, other), None
    return times.ratio(one, other), times.interval(
        [times.ratio(drawn(above), drawn(below)) for _ in range(times.RESAMPLES)])


def rate(run):
    """Iterations per second of all ranks from their first moves on; NaN: too short."""
    total, known = 0.0, False
    for _, rows in run.metrics.groupby("rank"):
        rows = rows[rows["iterations"] > 0]
        if len(rows) >= 2:
            first, last = rows.iloc[0], rows.iloc[-1]
            if last["t"] - first["t"] > 0.05:
                total += (last["iterations"] - first["iterations"]) / (last["t"] - first["t"])
                known = True
    if not known and run.seconds > 0 and run.iterations > 0:
        return run.iterations / run.seconds
    return total if known else math.nan


def by_graph(runs):
    """{(name, hash): runs}: the same name may stand for different graphs."""
    groups = {}
    for run in runs:
        groups.setdefault((run.graph.get("name", ""), run.graph.get("hash", "")), []).append(run)
    return groups


def by_size(runs):
    """(unit, {ranks or GPUs: runs}) for scaling curves."""
    on_gpus = all(run.gpu_count > 0 for run in runs)
    sizes = {}
    for run in runs:
        sizes.setdefault(run.gpu_count if on_gpus else run.rank_count, []).append(run)
    return ("GPUs" if on_gpus else "ranks"), dict(sorted(sizes.items()))


def differing(runs):
    """{parameter: [values, one a run]} of the parameters that are not the same in all runs;
    what differs by its nature (names, seeds) is left out."""
    skip = {"run.output", "run.solution", "run.seed", "run.force", "run.json", "run.quiet",
            "run.verbose", "run.runs"}
    keys = dict.fromkeys(key for run in runs for key in run.config if key not in skip)
    out = {}
    for key in keys:
        values = [run.config.get(key, "-") for run in runs]
        if len(set(values)) > 1:
            out[key] = values
    return out
