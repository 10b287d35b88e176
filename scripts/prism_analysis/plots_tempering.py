"""Figures of parallel tempering in one run: temperatures and exchanges of its ladders."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from prism_analysis.plots_run import (color_bar, end_of, lane_name, parameter, per_rank,
                                      rank_legend, time_axis)
from prism_analysis.style import (BLUE, DASHED, GRAY, MOST_NAMED, draw_series, legend, ramp,
                                  seconds_axis, shades, whole_axis, width_of)

MOST_POINTS = 6000  # of all levels of a ladder


def rows_of(run):
    """Rows of ranks that have tempered, with the share of exchanges made."""
    rows = run.metrics.assign(swap=parameter(run.metrics, "swap"))
    return rows[rows["temperature"].notna() | rows["swap"].notna()]


def setting(run, key):
    """A parameter as a number; None: not set, or chosen by the program (0)."""
    try:
        value = float(run.config.get(key, "0"))
    except ValueError:
        return None
    return value if value > 0 else None


def ladders_of(run):
    """{(rank, stream): rows of its ladders}."""
    return {(int(rank), int(stream)): rows
            for (rank, stream), rows in run.ladder.groupby(["rank", "stream"])}


def text_of(run):
    if len(run.ladder) == 0:  # a file of an older schema
        return ("Coldest level of the ladder of temperatures, and the share of exchanges between "
                "neighboring levels that were made; vertical lines: a new k.")
    ladders = list(ladders_of(run))
    whose = f" of {lane_name(*ladders[0])}" if len(ladders) > 1 else ""
    return (f"Temperatures of all levels{whose}, until they are frozen or begun anew at another k; "
            "vertical lines: a new k. Below, of the last ladder: the share of exchanges "
            "between each level and the next one that were made.")


def height_of(run):
    return 5.0 if len(run.ladder) else 3.8


def draw_levels(axis, rows, end):
    """Temperatures of a ladder over time; the last ones hold until the end."""
    levels = rows.pivot_table(index="t", columns="level", values="temperature", aggfunc="last")
    most = max(2, MOST_POINTS // len(levels.columns))
    if len(levels) > most:
        levels = levels.iloc[np.linspace(0, len(levels) - 1, most).round().astype(int)]
    color_of = ramp(levels.columns)
    t = np.r_[levels.index, max(end, levels.index[-1])]
    for level, color in color_of.items():
        values = levels[level].to_numpy(float)
        axis.step(t, np.r_[values, values[-1]], where="post", color=color,
                  linewidth=1.3 if len(color_of) <= 24 else 0.7)
    low, high = float(np.nanmin(levels)), float(np.nanmax(levels))
    if high > 4.0 * low:
        axis.set_yscale("log")
        seconds_axis(axis.yaxis)
    if len(color_of) > 1:
        color_bar(axis, color_of, "level")
    axis.set_ylabel("temperature\n(conflicts)")


def judged(rows):
    """The last ladder of which exchanges were counted: its levels but the hottest."""
    rows = rows[rows["swap"].notna()]
    return rows[rows["t"] == rows["t"].max()]


def draw_ladders(figure, run):
    top, bottom = figure.subplots(2, 1, height_ratios=[1.25, 1.0])
    ladders = ladders_of(run)
    draw_levels(top, next(iter(ladders.values())), end_of(run))
    draw_new_k(top, run)
    time_axis(top, end_of(run))
    color_of = shades(ladders)
    for place, (key, rows) in enumerate(ladders.items()):
        last = judged(rows)
        bottom.plot(last["level"], last["swap"], color=color_of[key], marker="o",
                    markersize=3.5 if len(ladders) <= 2 else 2.0,
                    linewidth=width_of(place, len(ladders)))
    if run.ladder["swap"].isna().all():
        bottom.text(0.5, 0.5, "none counted yet", transform=bottom.transAxes, ha="center")
    handles = draw_wanted(bottom, run)
    bottom.set_xlabel("level, exchanging with the next one (0: the coldest)")
    whole_axis(bottom.xaxis)
    if len(ladders) > MOST_NAMED:
        rank_legend(bottom, {rank: color for (rank, _), color in color_of.items()})
    elif len(ladders) > 1:
        handles += [Line2D([], [], color=color, linewidth=2.5, label=lane_name(*key))
                    for key, color in color_of.items()]
    figure.align_ylabels([top, bottom])
    legend(bottom, handles)


def draw_new_k(axis, run):
    for t in run.events.loc[run.events["event"] == "new_k", "t"]:
        axis.axvline(t, color="0.8", linewidth=0.8, zorder=0)


def draw_wanted(axis, run):
    """The axis of exchanges with their wanted band; what a legend says of it."""
    axis.set_ylim(0.0, 1.0)
    axis.set_ylabel("exchanges made")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    low, high = (setting(run, f"thermodynamic.swap_{end}") for end in ("low", "high"))
    if not (low and high):
        return []
    axis.axhspan(low, high, color=BLUE, alpha=0.1, linewidth=0)
    return [Patch(color=BLUE, alpha=0.15, linewidth=0, label="wanted")]


def draw(figure, run):
    if len(run.ladder):
        draw_ladders(figure, run)
    else:
        draw_coldest(figure, run)


def draw_coldest(figure, run):
    """All that files of schema versions 1 to 3 have of a ladder."""
    top, bottom = figure.subplots(2, 1, sharex=True)
    ranks = per_rank(rows_of(run))
    color_of = shades(ranks)
    for place, (rank, rows) in enumerate(ranks.items()):
        for axis, name in ((top, "temperature"), (bottom, "swap")):
            draw_series(axis, rows["t"], rows[name], color_of[rank],
                        width_of(place, len(ranks)), band=len(ranks) <= 2)
    for key, text in (("thermodynamic.t_min", "lowest set"), ("thermodynamic.t_max",
                                                             "highest set")):
        value = setting(run, key)
        if value:
            top.axhline(value, color=GRAY, linewidth=1.0, linestyle=DASHED)
            top.text(0.0, value, f" {text}", fontsize=8, va="bottom", color="0.3")
    draw_new_k(top, run)
    spread = top.get_ylim()
    if spread[1] - spread[0] < 0.02:  # a ladder that stands still: no magnified noise
        middle = sum(spread) / 2
        top.set_ylim(max(0.0, middle - 0.02), middle + 0.02)
    top.set_ylabel("coldest level\n(conflicts)")
    handles = draw_wanted(bottom, run)
    time_axis(bottom, end_of(run))
    figure.align_ylabels([top, bottom])
    if 1 < len(ranks) <= MOST_NAMED:
        handles += [Line2D([], [], color=color_of[rank], linewidth=2.5, label=f"rank {rank}")
                    for rank in ranks]
    legend(bottom, handles)
