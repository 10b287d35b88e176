"""Figures of sets of runs: times to target, colors reached, scaling.

Time-to-target plots: Aiex, Resende & Ribeiro (2007)."""

import math

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from prism_analysis import compare, times
from prism_analysis.style import (BLACK, BLUE, DASHED, DOTTED, GRAY, HATCHES, LIGHT, ORANGE,
                                  PALETTE, PLAIN, gpu_axis, legend, seconds_axis, whole_axis)

WIDE_RANGE = 30  # largest through smallest time from which on the axis is logarithmic
MARKS = ["o", "s", "^", "D", "v", "P", "X"]


def time_axis(axis, low, high, label):
    """Linear from 0, logarithmic where the times spread widely."""
    if low > 0 and high / low > WIDE_RANGE:
        axis.set_xscale("log")
        axis.set_xlim(low / 1.3, high * 1.1)
        seconds_axis(axis.xaxis)
        label += ", logarithmic"
    else:
        axis.set_xlim(0.0, 1.04 * high if high > 0 else 1.0)
    axis.set_xlabel(label)


def draw_steps(axis, sample, color, end, band, mark="o"):
    """The measured distribution; a stroke where a run was given up."""
    steps = times.product_limit(sample)
    t = [0.0] + [step.t for step in steps] + [end]
    share = [0.0] + [step.share for step in steps]
    share.append(share[-1])
    axis.step(t, share, where="post", color=color, linewidth=1.6)
    axis.plot([step.t for step in steps], [step.share for step in steps], linestyle="none",
              color=color, marker=mark, markersize=4)
    if band and steps:
        low, high = [step.low for step in steps], [step.high for step in steps]
        axis.fill_between([step.t for step in steps] + [end], low + low[-1:], high + high[-1:],
                          step="post", color=color, alpha=0.15, linewidth=0)
    for cut in sample.cuts:
        here = max([0.0] + [step.share for step in steps if step.t <= cut])
        axis.plot([cut], [here], marker="|", markersize=9, markeredgewidth=1.4, color=color)


def draw_times(figure, sample, fitted, refits):
    """One set: the measured distribution, the fit and its band."""
    axis = figure.subplots()
    end = max(sample.times + sample.cuts)
    low = min(sample.times + sample.cuts)
    draw_steps(axis, sample, BLACK, end, band=fitted is None)
    handles = [Line2D([], [], color=BLACK, marker="o", markersize=4, linewidth=1.6,
                      label="measured")]
    time_axis(axis, low, end, "time to target (s)")
    if fitted:
        first, last = axis.get_xlim()
        t = (np.geomspace(first, last, 300) if axis.get_xscale() == "log"
             else np.linspace(first, last, 300))
        curves = np.array([[one.shift, one.scale] for one in refits])
        if len(curves):
            band = 1 - np.exp(-np.clip((t - curves[:, :1]) / curves[:, 1:], 0, None))
            ends = np.percentile(band, [2.5, 97.5], axis=0)
            axis.fill_between(t, *ends, color=BLUE, alpha=0.15, linewidth=0)
        axis.plot(t, [fitted.reached(moment) for moment in t], color=BLUE, linewidth=1.4,
                  linestyle=DASHED)
        handles += [Line2D([], [], color=BLUE, linewidth=1.4, linestyle=DASHED, label="fit"),
                    Patch(color=BLUE, alpha=0.2, linewidth=0, label="95 % band of the fit")]
    elif times.product_limit(sample):
        handles.append(Patch(color=BLACK, alpha=0.15, linewidth=0, label="95 % interval"))
    if sample.cuts:
        handles.append(Line2D([], [], color=BLACK, marker="|", linestyle="none", markersize=9,
                              markeredgewidth=1.4, label="given up"))
    axis.set_ylim(0.0, 1.03)
    axis.set_ylabel("share of runs at the target")
    legend(axis, handles, 4)


def draw_two_times(figure, named):
    """named: [(name, sample)]."""
    axis, handles = figure.subplots(), []
    ends = [t for _, sample in named for t in sample.times + sample.cuts]
    for i, (name, sample) in enumerate(named):
        color, mark = (BLUE, ORANGE)[i % 2], MARKS[i % len(MARKS)]
        draw_steps(axis, sample, color, max(sample.times + sample.cuts), True, mark)
        handles.append(Line2D([], [], color=color, marker=mark, markersize=4, linewidth=1.6,
                              label=name))
    time_axis(axis, min(ends), max(ends), "time to target (s)")
    handles.append(Patch(color=GRAY, alpha=0.2, linewidth=0, label="95 % intervals"))
    if any(sample.cuts for _, sample in named):
        handles.append(Line2D([], [], color=GRAY, marker="|", linestyle="none", markersize=9,
                              markeredgewidth=1.4, label="given up"))
    axis.set_ylim(0.0, 1.03)
    axis.set_ylabel("share of runs at the target")
    legend(axis, handles, 2)


def draw_colors_over_time(figure, runs):
    """Best colors of every run, and the median of those that have a coloring."""
    axis = figure.subplots()
    ends = [run.seconds for run in runs]
    curves = []
    for run in runs:
        t = run.solutions["t"].to_numpy(dtype=float)
        best = np.minimum.accumulate(run.solutions["colors"].to_numpy(dtype=float))
        if len(t) == 0:
            continue
        curves.append((t, best))
        axis.step(np.r_[t, run.seconds], np.r_[best, best[-1]], where="post", color=BLUE,
                  alpha=0.45, linewidth=1.0)
        axis.plot([run.seconds], [best[-1]], marker="o", markersize=4, color=BLUE,
                  markerfacecolor="white", zorder=4)
    if not curves:
        return
    moments = np.unique(np.concatenate([t for t, _ in curves]))
    values = [[best[np.searchsorted(t, moment, "right") - 1] if t[0] <= moment else np.inf
               for t, best in curves] for moment in moments]
    middle = np.median(np.array(values), axis=1)
    known = np.isfinite(middle)
    axis.step(np.r_[moments[known], max(ends)], np.r_[middle[known], middle[known][-1:]],
              where="post", color=BLACK, linewidth=1.8, linestyle=DASHED)
    time_axis(axis, max(1e-3, float(moments[0])), max(ends), "time since start (s)")
    axis.set_ylabel("fewest colors so far")
    whole_axis(axis.yaxis)
    legend(axis, [Line2D([], [], color=BLUE, alpha=0.6, linewidth=1.0, label="a run"),
                  Line2D([], [], color=BLACK, linewidth=1.8, linestyle=DASHED, label="median"),
                  Line2D([], [], color=BLUE, marker="o", markersize=4, linestyle="none",
                         markerfacecolor="white", label="its end")], 3)


def draw_final_colors(figure, named):
    """How many runs ended with how many colors; named: [(name, runs)]."""
    axis = figure.subplots()
    found = {name: [run.best for run in runs if run.best is not None] for name, runs in named}
    every = sorted({colors for values in found.values() for colors in values})
    if not every:
        return
    places = np.arange(every[0], every[-1] + 1)
    width = 0.8 / len(named)
    for i, (name, values) in enumerate(found.items()):
        heights = [values.count(place) for place in places]
        bars = axis.bar(places + (i - (len(named) - 1) / 2) * width, heights, width * 0.92,
                        color=(BLUE, ORANGE)[i % 2], hatch=HATCHES[i % len(HATCHES)],
                        edgecolor="white", linewidth=0, label=name)
        if len(places) <= 12:
            axis.bar_label(bars, labels=[str(height) if height else "" for height in heights],
                           fontsize=9, padding=1)
    if len(places) <= 12:
        axis.set_xticks(places)
    axis.set_xlim(places[0] - 0.8, places[-1] + 0.8)
    whole_axis(axis.yaxis)
    axis.margins(y=0.15)
    axis.grid(axis="x", visible=False)
    axis.set_xlabel("colors at the end")
    axis.set_ylabel("runs")
    if len(named) > 1:
        legend(axis, axis.get_legend_handles_labels()[0], 2)


def error_bars(axis, points, color, mark):
    """points: {x: (value, (low, high) or None)}; an open end runs out of the picture."""
    points = {x: (value, bounds) for x, (value, bounds) in points.items()
              if value is not None and 0 < value < math.inf}
    for x, (value, bounds) in points.items():
        low, high = bounds or (value, value)
        axis.plot([x, x], [max(low, value / 1e3), min(high, value * 1e3)], color=color,
                  linewidth=1.2, alpha=0.7)
    axis.plot(list(points), [value for value, _ in points.values()], color=color, marker=mark,
              markersize=5, linewidth=1.6)
    return [end for value, bounds in points.values() for end in (value, *(bounds or ()))
            if 0 < end < math.inf]


def draw_scaling(figure, unit, speedups, rates):
    """speedups, rates: {ranks or GPUs: (value, interval or None)}."""
    top, bottom = figure.subplots(2, 1, sharex=True)
    numbers = sorted(set(speedups) | set(rates))
    ideal = [number / numbers[0] for number in numbers]
    top.plot(numbers, ideal, color=GRAY, linewidth=1.2, linestyle=DASHED)
    seen = error_bars(top, speedups, BLUE, "o") + [1.0]
    top.set_yscale("log", base=2)
    top.yaxis.set_major_formatter(PLAIN)
    # Ends of wide intervals run out of the picture.
    values = [value for value, _ in speedups.values() if value and value < math.inf]
    top.set_ylim(max(min(seen), min(values, default=1.0) / 4) / 1.2,
                 min(max(seen + ideal), 4 * ideal[-1]) * 1.2)
    top.set_ylabel("speed-up")
    first = rates.get(numbers[0], (math.nan, None))[0]
    if first == first:
        bottom.plot(numbers, [first * share / 1e6 for share in ideal], color=GRAY, linewidth=1.2,
                    linestyle=DASHED)
    error_bars(bottom, {x: (value / 1e6, bounds and tuple(end / 1e6 for end in bounds))
                        for x, (value, bounds) in rates.items()}, ORANGE, "s")
    bottom.set_ylim(bottom=0)
    bottom.set_ylabel("10⁶ iterations/s")
    gpu_axis(bottom, numbers, unit)
    legend(bottom, [Line2D([], [], color=BLUE, marker="o", markersize=5, label="time to target"),
                    Line2D([], [], color=ORANGE, marker="s", markersize=5, label="iterations/s"),
                    Line2D([], [], color=GRAY, linestyle=DASHED, label="in proportion")], 3)
