"""The plots of docs/SCALING.md, drawn by scaling.py with matplotlib.

Time-to-target plots: Aiex, Resende & Ribeiro (2007). Colors: Okabe & Ito (2008), told apart
with every kind of color vision; lines differ in their dashes and marks, too.
"""

import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # after the choice of the back end
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator

import report
from prism_analysis import times as model
from prism_analysis.style import (BLUE, GRAY, GREEN, ORANGE, PLAIN, STYLE, gpu_axis,
                                   seconds_axis)

SHADES = ["#000000", "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"]
MARKS = ["o", "s", "^", "D", "v", "P"]
COLUMNS = {"ttt": 4, "speedup": 4, "model": 3}  # of the legend
MOST = 1024


def draw_ttt(axis, target, forecast, unit):
    numbers = sorted({gpus for points in target.samples.values() for gpus in points})
    single = target.single()
    for label, points in sorted(target.samples.items(), reverse=True):
        if label not in ("cooperating", "alone"):
            continue
        for gpus, sample in sorted(points.items()):
            place, alone = numbers.index(gpus) % len(SHADES), label == "alone"
            count, times = sample.count(), sorted(sample.times)
            shares = [(i + 0.5) / count for i in range(len(times))]
            axis.plot(times, shares, color=SHADES[place], marker=MARKS[place],
                      markersize=3.5 if alone else 4.5, linewidth=1.0 if alone else 1.7,
                      linestyle=(0, (2, 2)) if alone else "-",
                      markerfacecolor="white" if alone else SHADES[place])
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    if single and single.cuts:
        limit = max(single.cuts)
        high = max(high, 1.05 * limit)
        axis.axvline(limit, color=GRAY, linewidth=0.8, linestyle=(0, (1, 2)))
        axis.text(limit, 1.0, "limit ", ha="right", va="top", color="0.35", fontsize=9)
    if forecast:
        steps = [low * (high / low) ** (i / 300) for i in range(301)]
        axis.plot(steps, [forecast.fitted.reached(t) for t in steps], color=GRAY, linewidth=1.0,
                  zorder=1)
    axis.set_xlim(low, high)
    seconds_axis(axis.xaxis)
    axis.set_ylim(0.0, 1.02)
    axis.set_xlabel("time to target (s, logarithmic)")
    axis.set_ylabel("share of runs that reached it")
    handles = [Line2D([], [], color=SHADES[i % len(SHADES)], marker=MARKS[i % len(MARKS)],
                      markersize=4.5, linewidth=1.7,
                      label=f"{gpus} {unit[:-1] if gpus == 1 else unit}")
               for i, gpus in enumerate(numbers)]
    if "alone" in target.samples:
        handles += [Line2D([], [], color="0.2", linewidth=1.7, label="cooperating"),
                    Line2D([], [], color="0.2", linewidth=1.0, linestyle=(0, (2, 2)),
                           marker="o", markersize=3.5, markerfacecolor="white", label="alone")]
    if forecast:
        handles.append(Line2D([], [], color=GRAY, linewidth=1.0,
                              label=f"fit, 1 {unit[:-1]}"))
    return handles


def bars(axis, points, color, mark, shift):
    """Points with intervals: {x: (value, (low, high))}; an open end runs out of the picture."""
    points = {x: (value, bounds) for x, (value, bounds) in points.items()
              if value is not None and 0 < value < math.inf and bounds}
    for x, (value, (low, high)) in points.items():
        high = value * 100 if math.isinf(high) else high
        axis.plot([x * shift] * 2, [max(low, value / 100), high], color=color, linewidth=1.2,
                  alpha=0.7)
    axis.plot([x * shift for x in points], [value for value, _ in points.values()], color=color,
              marker=mark, markersize=5.5, linewidth=1.7,
              markerfacecolor=color if mark == "o" else "white")
    ends = [number for value, bounds in points.values() for number in (value, *bounds)
            if 0 < number < math.inf]
    return ends


def draw_speedup(axis, target, forecast, unit):
    single, handles, seen = target.single(), [], [1.0]
    numbers = sorted({gpus for points in target.samples.values() for gpus in points} | {1})
    axis.plot(numbers, numbers, color=GRAY, linewidth=1.2, linestyle=(0, (5, 3)))
    for label, color, mark, shift in (("cooperating", BLUE, "o", 0.985),
                                      ("alone", ORANGE, "s", 1.015)):
        points = target.of_mode(label)
        if len(points) < 2:
            continue
        found = {gpus: model.speedup(single, sample) for gpus, sample in sorted(points.items())
                 if gpus > 1}
        seen += bars(axis, {1: (1.0, (1.0, 1.0)), **found}, color, mark, shift)
        handles.append(Line2D([], [], color=color, marker=mark, linewidth=1.7, markersize=5.5,
                              markerfacecolor=color if mark == "o" else "white", label=label))
    if forecast:
        fitted = forecast.fitted
        steps = [2.0 ** (i / 20) for i in range(20 * int(math.log2(numbers[-1])) + 1)]
        axis.plot(steps, [fitted.median(1) / fitted.median(step) for step in steps], color=GREEN,
                  linewidth=1.2, linestyle=(0, (1, 1.5)))
        handles.append(Line2D([], [], color=GREEN, linewidth=1.2, linestyle=(0, (1, 1.5)),
                              label="alone, by the model"))
    handles.append(Line2D([], [], color=GRAY, linewidth=1.2, linestyle=(0, (5, 3)),
                          label="ideal"))
    gpu_axis(axis, numbers, unit)
    axis.set_yscale("log", base=2)
    low, high = min(seen), max(seen + [numbers[-1]])
    powers = range(math.floor(math.log2(low)), math.ceil(math.log2(high)) + 1)
    axis.yaxis.set_major_locator(FixedLocator([2.0 ** i for i in powers]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(PLAIN)
    axis.set_ylim(low / 1.15, min(high, 8 * numbers[-1]) * 1.15)
    axis.set_ylabel("speed-up of the median time")
    return handles


def shade(axis, steps, lows, highs, color):
    axis.fill_between(steps, lows, highs, color=color, alpha=0.15, linewidth=0)


def draw_model(axis, target, forecast, unit):
    steps = [2.0 ** (i / 4) for i in range(4 * int(math.log2(MOST)) + 1)]
    fitted, handles = forecast.fitted, []
    ends = [model.interval([one.median(step) for one in forecast.refits]) for step in steps]
    shade(axis, steps, [end[0] for end in ends], [end[1] for end in ends], ORANGE)
    axis.plot(steps, [fitted.median(step) for step in steps], color=ORANGE, linewidth=1.4,
              linestyle=(0, (2, 2)))
    handles.append(Line2D([], [], color=ORANGE, linewidth=1.4, linestyle=(0, (2, 2)),
                          label="alone, by the model"))
    growth = forecast.growth
    if growth:
        ends = [model.interval([one.median(step) for one in forecast.regrown]) for step in steps]
        shade(axis, steps, [end[0] for end in ends], [end[1] for end in ends], BLUE)
        axis.plot(steps, [growth.median(step) for step in steps], color=BLUE, linewidth=1.4)
        handles.append(Line2D([], [], color=BLUE, linewidth=1.4,
                              label="cooperating, by the model"))
        if max(forecast.losses.values(), default=0.0) > 0:
            axis.plot(steps, [growth.median(step, model.loss_at(step, forecast.losses))
                              for step in steps], color=BLUE, linewidth=1.0,
                      linestyle=(0, (4, 2, 1, 2)))
            handles.append(Line2D([], [], color=BLUE, linewidth=1.0,
                                  linestyle=(0, (4, 2, 1, 2)), label="with growing loss"))
    for label, color, mark in (("alone", ORANGE, "s"), ("cooperating", BLUE, "o")):
        points = {gpus: model.median(sample.values())
                  for gpus, sample in target.of_mode(label).items()}
        points = {gpus: value for gpus, value in points.items() if not math.isinf(value)}
        if points:
            axis.plot(list(points), list(points.values()), color=color, marker=mark,
                      linestyle="none", markersize=5.5,
                      markerfacecolor=color if mark == "o" else "white", zorder=5)
            handles.append(Line2D([], [], color=color, marker=mark, linestyle="none",
                                  markersize=5.5, label=f"{label}, measured",
                                  markerfacecolor=color if mark == "o" else "white"))
    handles.append(Patch(color=GRAY, alpha=0.25, linewidth=0, label="95 % intervals"))
    gpu_axis(axis, [1, 2, 4, 8, 16, 64, 256, 1024], unit)
    axis.set_yscale("log")
    seconds_axis(axis.yaxis)
    axis.set_ylabel("median time to target (s)")
    return handles


def draw(kind, title, target, forecast, unit, path):
    """One picture; 600 by 400 points of a screen."""
    with plt.rc_context({**plt.rcParamsDefault, **STYLE, "backend": "Agg"}):
        figure, axis = plt.subplots(figsize=(6.0, 4.0), dpi=100, layout="constrained")
        handles = {"ttt": draw_ttt, "speedup": draw_speedup,
                   "model": draw_model}[kind](axis, target, forecast, unit)
        axis.set_title(title, loc="left", fontsize=11)
        axis.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16),
                    frameon=False, fontsize=9, ncols=COLUMNS[kind], columnspacing=1.4)
        options = {"metadata": {"Date": None}} if str(path).endswith(".svg") else {}
        figure.savefig(path, **options)
        plt.close(figure)
