"""Times to a target: medians and their intervals, and what they foretell of more GPUs.

Used by the report (prism_analysis) and by bench/scaling.py: the standard library suffices.

A run that was given up at its limit is known to need longer. Where all were given up at the
same limit it counts as longer than every other one (infinity). Where runs ended at different
times, killed ones among them, product_limit() says what is known. What that leaves open
stays open: nothing is made up for it.

Sources: time-to-target distributions as shifted exponentials, Aiex, Resende & Ribeiro (2007);
the best of P runs from the distribution of one, order statistics (David & Nagaraja 2003);
percentile bootstrap, Efron & Tibshirani (1993); censored times, Kaplan & Meier (1958), with
intervals of Greenwood's variance on the scale of log(-log), Kalbfleisch & Prentice (1980);
shares, Wilson (1927).
"""

import math
import random
import statistics
from typing import NamedTuple

RESAMPLES = 2000
LEVEL = 0.95
LEAST_POINTS = 3  # numbers of GPUs below which the cooperating islands are not extrapolated
MOST_LOSS = 0.95
NORMAL = 1.959963984540054  # quantile that leaves out half of 1 - LEVEL


class Sample(NamedTuple):
    """Runs of one kind to one target."""
    times: tuple  # s of those that reached it
    cuts: tuple  # s after which the others were given up

    def values(self):
        return sorted(self.times) + [math.inf] * len(self.cuts)

    def count(self):
        return len(self.times) + len(self.cuts)


class Fit(NamedTuple):
    """P(T <= t) = 1 - exp(-(t - shift) / scale) for t >= shift; both in s."""
    shift: float
    scale: float

    def mean(self, runs):
        """Expected time of the first of so many runs side by side."""
        return self.shift + self.scale / runs

    def median(self, runs):
        return self.shift + self.scale * math.log(2) / runs

    def reached(self, t):
        return 1.0 - math.exp(-(t - self.shift) / self.scale) if t > self.shift else 0.0

    def bound(self):
        """Of the speed-up of medians, however many islands search alone."""
        return self.median(1) / self.shift if self.shift > 0 else math.inf


class Growth(NamedTuple):
    """Median of P cooperating GPUs: start + work * P ** -power; times in s."""
    start: float
    work: float
    power: float

    def median(self, gpus, loss=0.0):
        """loss: share of the searching lost beyond what the measured medians contain."""
        return self.start + self.work * gpus ** -self.power / (1.0 - min(loss, MOST_LOSS))


def median(values):
    """Of values that may be infinite: half of the runs must have ended."""
    values = sorted(values)
    middle = len(values) // 2
    if len(values) % 2 == 1 or math.isinf(values[middle]):
        return values[middle]
    return (values[middle - 1] + values[middle]) / 2


def ratio(above, below):
    """None where both are beyond their limits."""
    if math.isinf(above) and math.isinf(below):
        return None
    return 0.0 if math.isinf(below) else above / below if below > 0 else math.inf


def interval(values):
    """The middle part of resampled values; None without any."""
    values = sorted(value for value in values if value is not None)
    if not values:
        return None
    tail = (1.0 - LEVEL) / 2
    return (values[math.floor(tail * (len(values) - 1))],
            values[math.ceil((1.0 - tail) * (len(values) - 1))])


def resampled(values, rng):
    return median(rng.choices(values, k=len(values)))


def median_interval(sample):
    rng, values = random.Random(1), sample.values()
    return interval([resampled(values, rng) for _ in range(RESAMPLES)])


def speedup(base, sample):
    """(ratio of the medians, its interval): how many times sooner than base."""
    rng, above, below = random.Random(2), base.values(), sample.values()
    return (ratio(median(above), median(below)),
            interval([ratio(resampled(above, rng), resampled(below, rng))
                      for _ in range(RESAMPLES)]))


def sooner(sample, other):
    """Probability that a run of the one ends before a run of the other; a draw is half."""
    pairs = [(a, b) for a in sample.values() for b in other.values()]
    return sum((a < b) + 0.5 * (a == b) for a, b in pairs) / len(pairs)


def expected_best(sample, runs):
    """(s, exact): mean over all choices of so many of the measured runs of the soonest one;
    not exact: at least, as runs that were given up count with their limit. None for more
    runs than there are: the sample knows nothing of times below its own smallest."""
    count = sample.count()
    if runs > count:
        return None
    values = sorted(sample.times) + sorted(sample.cuts)
    used = count - runs + 1
    total = sum(values[i] * math.comb(count - i - 1, runs - 1) for i in range(used))
    return total / math.comb(count, runs), used <= len(sample.times)


def fit(sample, start=0.0):
    """Shifted exponential by maximum likelihood, both numbers freed of their bias; runs that
    were given up add the time they took. No shift lies before the start of the search. None:
    too few runs, or no spread."""
    if len(sample.times) < 3:
        return None
    low, every = min(sample.times), sample.times + sample.cuts
    scale = sum(max(0.0, t - low) for t in every) / (len(sample.times) - 1)
    shift = low - scale / sum(t >= low for t in every)
    if shift < start:
        shift = min(start, low)
        scale = sum(max(0.0, t - shift) for t in every) / len(sample.times)
    return Fit(shift, scale) if scale > 0 else None


class Step(NamedTuple):
    """From t on this share of runs has reached the target; low, high: its interval."""
    t: float
    share: float
    low: float
    high: float


def product_limit(sample):
    """Steps of the distribution of the time to target, as far as the runs tell. A run given
    up at t was still at it then: it counts among those at risk up to and with t."""
    ends = sorted([(t, 0) for t in sample.times] + [(t, 1) for t in sample.cuts])
    risk, left, variance, steps, i = len(ends), 1.0, 0.0, [], 0
    while i < len(ends):
        t, deaths, gone = ends[i][0], 0, 0
        while i < len(ends) and ends[i][0] == t:
            deaths += ends[i][1] == 0
            gone += 1
            i += 1
        if deaths > 0:
            left *= 1.0 - deaths / risk
            variance += deaths / (risk * (risk - deaths)) if risk > deaths else 0.0
            if risk > deaths:
                low, high = _share_interval(left, variance)
            else:  # all are there, where Greenwood's variance says nothing
                left = 0.0
                low, high = steps[-1].low if steps else share_interval(risk, risk)[0], 1.0
            steps.append(Step(t, 1.0 - left, low, high))
        risk -= gone
    return steps


def _share_interval(left, variance):
    spread = NORMAL * math.sqrt(variance) / abs(math.log(left))
    return 1.0 - left ** math.exp(-spread), 1.0 - left ** math.exp(spread)


def reach_time(sample, share=0.5):
    """When this share of runs has reached the target; infinity: not known to have."""
    steps = product_limit(sample)
    for i, step in enumerate(steps):
        # Exactly half: the middle between both neighbors, as median() has it.
        if abs(step.share - share) < 1e-12 and i + 1 < len(steps):
            return (step.t + steps[i + 1].t) / 2
        if step.share > share - 1e-12:
            return step.t
    return math.inf


def reach_interval(sample, share=0.5):
    """Of reach_time(): runs drawn with replacement."""
    if sample.count() < 2:
        return None
    rng = random.Random(5)
    runs = [(t, True) for t in sample.times] + [(t, False) for t in sample.cuts]
    drawn = (rng.choices(runs, k=len(runs)) for _ in range(RESAMPLES))
    return interval([reach_time(Sample(tuple(t for t, met in one if met),
                                       tuple(t for t, met in one if not met)), share)
                     for one in drawn])


def share_interval(count, total):
    """Wilson's interval of a share of independent runs."""
    if total == 0:
        return 0.0, 1.0
    share, square = count / total, NORMAL ** 2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = (NORMAL / (1 + square / total)
            * math.sqrt(share * (1 - share) / total + square / (4 * total ** 2)))
    return (0.0 if count == 0 else middle - half, 1.0 if count == total else middle + half)


def refits(sample, fitted, start=0.0):
    """Fits of as many runs drawn from a fit: how far chance alone takes it."""
    rng, limit = random.Random(3), max(sample.cuts, default=math.inf)
    out = []
    for _ in range(RESAMPLES):
        drawn = [fitted.shift + rng.expovariate(1.0 / fitted.scale)
                 for _ in range(sample.count())]
        again = fit(Sample(tuple(t for t in drawn if t <= limit),
                           tuple(limit for t in drawn if t > limit)), start)
        if again:
            out.append(again)
    return out


def misfit(sample, fitted):
    """Largest distance between the measured distribution and the fitted one (Kolmogorov)."""
    count, most = sample.count(), 0.0
    for i, t in enumerate(sorted(sample.times)):
        p = fitted.reached(t)
        most = max(most, abs(p - i / count), abs((i + 1) / count - p))
    return most


def grow(samples, start):
    """How the medians of cooperating GPUs fall; samples: by number of GPUs. The power is kept
    between 0 and 1: no extrapolation beyond proportional. None: too few numbers."""
    medians = {gpus: median(sample.values()) for gpus, sample in samples.items()}
    return grow_medians(medians, start)


def grow_medians(medians, start):
    points = {gpus: value for gpus, value in medians.items() if not math.isinf(value)}
    if len(points) < LEAST_POINTS or min(points.values()) <= 0:
        return None
    start = min(start, 0.9 * min(points.values()))
    x = [math.log(gpus) for gpus in points]
    y = [math.log(value - start) for value in points.values()]
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    slope = (sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
             / sum((a - mean_x) ** 2 for a in x))
    power = min(1.0, max(0.0, -slope))
    return Growth(start, math.exp(mean_y + power * mean_x), power)


def regrown(samples, start):
    """Growths of resampled runs."""
    rng, out = random.Random(4), []
    for _ in range(RESAMPLES):
        found = grow_medians({gpus: resampled(sample.values(), rng)
                              for gpus, sample in samples.items()}, start)
        if found:
            out.append(found)
    return out


def loss_at(gpus, measured):
    """Searching lost by so many GPUs if the loss grows with their number, beyond what the
    largest measured number lost; measured: {GPUs: share lost}."""
    if not measured:
        return 0.0
    most = max(measured)
    lost = max(0.0, measured[most])
    then = min(MOST_LOSS, lost * max(1.0, gpus / most))
    return 1.0 - (1.0 - then) / (1.0 - min(lost, MOST_LOSS))
