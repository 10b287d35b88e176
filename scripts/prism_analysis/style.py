"""Looks that all plots share: colors, axes, thinning of long series. Needs matplotlib.

Colors: Okabe & Ito (2008), told apart with every kind of color vision; yellow is left out,
too pale for lines. Lines differ in their dashes or marks as well.
"""

import math

import matplotlib
import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

BLUE, ORANGE, GREEN, PINK, GOLD, SKY = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00",
                                        "#56B4E9")
BLACK, GRAY, LIGHT = "#000000", "0.45", "0.8"
PALETTE = [BLUE, ORANGE, GREEN, PINK, GOLD, SKY, BLACK]
HATCHES = ["", "////", "....", "\\\\\\\\", "xxxx", "----", "++++"]
DOTTED, DASHED = (0, (1.5, 1.5)), (0, (5, 3))
PLAIN = FuncFormatter(lambda value, _: f"{value:g}")
GROUPED = FuncFormatter(lambda value, _: f"{value:,.0f}")
STYLE = {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
         "axes.grid": True, "grid.color": "0.92", "axes.axisbelow": True,
         "svg.hashsalt": "prism"}  # the same picture from the same numbers
MOST_NAMED = len(PALETTE)  # lines that get a color and a legend entry of their own
MOST_POINTS = 2000  # of one line
LONG, BINS = 240, 200  # points of a noisy line, from which on it is drawn as means of pieces


def rc():
    """For matplotlib.rc_context: the defaults of matplotlib, whatever the user's file says."""
    return {**matplotlib.rcParamsDefault, **STYLE, "backend": "Agg"}


def ramp(keys):
    """{key: color}: from dark blue to yellow-green."""
    keys = list(keys)
    return dict(zip(keys, matplotlib.colormaps["viridis"](np.linspace(0.0, 0.92, len(keys)))))


def shades(keys):
    """{key: color}; more than the palette has: a ramp."""
    keys = list(keys)
    return dict(zip(keys, PALETTE)) if len(keys) <= MOST_NAMED else ramp(keys)


def gpu_axis(axis, numbers, unit):
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_locator(FixedLocator(numbers))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(PLAIN)
    axis.set_xlim(numbers[0] / 1.25, numbers[-1] * 1.25)
    axis.set_xlabel(unit)


def seconds_axis(axis):
    """Logarithmic; the more numbers of a decade are named, the fewer decades there are."""
    low, high = axis.get_view_interval()
    axis.set_minor_locator(NullLocator())
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        ticks = [step * 10.0 ** i for i in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= 4:
            break
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(PLAIN)


def whole_axis(axis):
    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=2, nbins=7))
    axis.axes.margins(**({"y": 0.1} if axis.axis_name == "y" else {}))


def conflict_axis(axis, top):
    """0 has its place on it; logarithmic above 1."""
    top = max(1.0, top)
    axis.set_yscale("symlog", linthresh=1.0, linscale=0.5)
    axis.set_ylim(-0.15, 1.6 * top)
    decades = range(int(math.ceil(math.log10(1.6 * top))) + 1)
    steps = (1, 2, 5) if top <= 100 else (1,)
    ticks = [0] + [step * 10 ** i for i in decades for step in steps]
    axis.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if tick <= 1.6 * top]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(GROUPED)


def legend(axis, handles, columns=4):
    """Under the axis, its numbers and its label, where it covers no line."""
    if handles:
        axis.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), fontsize=9,
                    frameon=False, columnspacing=1.4, handlelength=1.8,
                    ncol=min(columns, len(handles)), borderaxespad=3.9)  # of its font size


def width_of(place, total):
    """Of a line: the first ones are wider, so that equal lines do not hide each other."""
    if total <= 2:
        return 1.2 if total < 2 else (2.6, 1.1)[place]
    return 2.6 - 1.6 * min(place, MOST_NAMED - 1) / (MOST_NAMED - 1)


def thin(t, values, most=MOST_POINTS):
    """Of a long series the first, the lowest and the highest value of each piece of it, so
    that no peak is lost; gaps (NaN) are kept out of the choice."""
    t, values = np.asarray(t, dtype=float), np.asarray(values, dtype=float)
    if len(t) <= most:
        return t, values
    keep = {0, len(t) - 1}
    for piece in np.array_split(np.arange(len(t)), max(1, most // 3)):
        keep.add(int(piece[0]))
        if np.isfinite(values[piece]).any():
            keep.add(int(piece[np.nanargmin(values[piece])]))
            keep.add(int(piece[np.nanargmax(values[piece])]))
    order = sorted(keep)
    return t[order], values[order]


def draw_series(axis, t, values, color, width=1.2, dashes="-", band=True):
    """A measured value over time. Of a long series the means of pieces of it, and with `band`
    the range of each piece behind them: as it is, the line would be a block of color."""
    t, values = np.asarray(t, dtype=float), np.asarray(values, dtype=float)
    look = {"color": color, "linewidth": width, "linestyle": dashes}
    if len(t) <= LONG:
        axis.step(t, values, where="post", **look)
        return
    middle, mean, low, high = [], [], [], []
    for piece in np.array_split(np.arange(len(t)), min(BINS, len(t) // 3)):
        known = values[piece][np.isfinite(values[piece])]
        middle.append(t[piece].mean())
        for out, function in ((mean, np.mean), (low, np.min), (high, np.max)):
            out.append(function(known) if len(known) else np.nan)
    if band:
        axis.fill_between(middle, low, high, color=color, alpha=0.18, linewidth=0)
    axis.plot(middle, mean, **look)
