"""Figures of one run: convergence, speed, who did what when, migrations, GPUs."""

import math
import re

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from prism_analysis.style import (BLUE, DOTTED, HATCHES, LONG, MOST_NAMED, ORANGE, PALETTE,
                                  conflict_axis, draw_series, legend, shades, thin, whole_axis,
                                  width_of)

BINS = 200  # of a timeline with more records than that
MOST_LANES = 32
MOST_NODES, MOST_ARROWS = 6, 8  # of a migration graph; more: a matrix
TAGS = {"initial": "INIT", "memetic": "MEMETIC", "thermodynamic": "THERMO",
        "validation": "VALID"}
KNOWN = ["head", "tabucol", "partialcol", "weighted", "pool", "tempering",
         "extraction"]  # methods, as colored
POOLS = -1  # as a sender: the pools of all other ranks at a meeting


def parameter(rows, key):
    """A number of the key=value pairs of each row; NaN where it has none."""
    found = rows["parameters"].astype(str).str.extract(rf"(?:^|\s){re.escape(key)}=(\S+)")[0]
    return pd.to_numeric(found, errors="coerce")


def activity(rows):
    """What each row's rank was at: 'MEMETIC head'."""
    method = rows["parameters"].astype(str).str.extract(r"(?:^|\s)method=(\S+)")[0].fillna("")
    phase = rows["phase"].map(lambda phase: TAGS.get(phase, phase.upper()))
    return (phase + " " + method).str.strip()


def end_of(run):
    return max(run.seconds, 1e-3)


def time_axis(axis, end, log_time=False):
    scale, unit = next(one for one in ((3600.0, "h"), (60.0, "min"), (1.0, "s"))
                       if end >= 10 * one[0] or one[0] == 1.0)
    if log_time:
        scale, unit = 1.0, "s"
        axis.set_xscale("symlog", linthresh=0.1, linscale=0.3)
        ticks = [0.0] + [step * 10.0 ** i for i in range(-1, 9) for step in (1, 3)]
    else:
        ticks = MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]).tick_values(0.0, end / scale) * scale
    axis.set_xticks([tick for tick in ticks if tick <= 1.02 * end])
    axis.minorticks_off()
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / scale:g}"))
    axis.set_xlim(0.0, 1.02 * end)
    axis.set_xlabel(f"time since start ({unit})")


def color_bar(axis, color_of, label):
    """Beside the axis; the keys of the colors are numbers, in order."""
    keys = list(color_of)
    norm = matplotlib.colors.Normalize(vmin=keys[0], vmax=keys[-1])
    cmap = matplotlib.colors.ListedColormap(list(color_of.values()))
    axis.figure.colorbar(matplotlib.cm.ScalarMappable(norm=norm, cmap=cmap), label=label,
                         cax=axis.inset_axes([1.02, 0.0, 0.025, 1.0]),
                         ticks=MaxNLocator(integer=True))


def rank_legend(axis, color_of):
    """Colors of ranks; with many of them a bar of colors beside the axis."""
    ranks = list(color_of)
    if len(ranks) <= 1:
        return
    if len(ranks) <= MOST_NAMED:
        legend(axis, [Line2D([], [], color=color_of[rank], linewidth=2.5, label=f"rank {rank}")
                      for rank in ranks], 5 if len(ranks) <= 5 else 4)
        return
    color_bar(axis, color_of, "rank")


def per_rank(frame):
    """{rank: rows}, ranks in order."""
    return {int(rank): rows for rank, rows in frame.groupby("rank")}


def draw_convergence(figure, run, log_time=False):
    top, bottom = figure.subplots(2, 1, sharex=True)
    ranks = per_rank(run.metrics)
    color_of = shades(ranks)
    for place, (rank, rows) in enumerate(ranks.items()):
        # Ranks often agree: a shift of a fraction of a color keeps every line visible.
        shift = 0.3 * ((place + 0.5) / len(ranks) - 0.5) if len(ranks) > 1 else 0.0
        for name, width, dashes in (("colors", 1.0, DOTTED), ("best_colors", 1.8, "-")):
            t, values = thin(rows["t"], rows[name].astype(float))
            top.step(t, values + shift, where="post", color=color_of[rank], linewidth=width,
                     linestyle=dashes)
    found = run.solutions
    top.plot(found["t"], found["colors"].astype(float), linestyle="none", marker="o",
             markersize=4, markerfacecolor="white", markeredgecolor="0.15", zorder=5)
    top.set_ylabel("colors k")
    whole_axis(top.yaxis)
    most = 1.0
    for place, (rank, rows) in enumerate(ranks.items()):
        values = rows["conflicts"].astype(float)
        draw_series(bottom, rows["t"], values, color_of[rank], width_of(place, len(ranks)),
                    band=len(ranks) <= 2)
        if np.isfinite(values).any():
            most = max(most, float(np.nanmax(values)))
    conflict_axis(bottom, most)
    bottom.set_ylabel("conflicts (edges)")
    time_axis(bottom, end_of(run), log_time)
    figure.align_ylabels([top, bottom])
    top.legend(handles=[
        Line2D([], [], color="0.3", linewidth=1.8, label="best k"),
        Line2D([], [], color="0.3", linewidth=1.0, linestyle=DOTTED, label="searched k"),
        Line2D([], [], linestyle="none", marker="o", markersize=4, markerfacecolor="white",
               markeredgecolor="0.15", label="new best")],
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, frameon=False, fontsize=9,
        columnspacing=1.4)
    rank_legend(bottom, color_of)


def span_ends(t):
    """Places of the records between which spans lie, from the first record on; very short spans
    are joined. Empty: there is none."""
    if len(t) < 2 or t[-1] <= t[0]:
        return []
    least, keep = max(0.02, 0.5 * float(np.median(np.diff(t)))), [0]
    for i in range(1, len(t)):
        if t[i] - t[keep[-1]] >= least:
            keep.append(i)
    if keep[-1] != len(t) - 1:  # the rest belongs to the last span
        keep = [*keep[:-1], len(t) - 1] if len(keep) > 1 else [0, len(t) - 1]
    return keep


def rates(rows):
    """(edges of spans [n + 1], iterations per second in them [n])."""
    t, moves = rows["t"].to_numpy(float), rows["iterations"].to_numpy(float)
    keep = span_ends(t)
    return (t[keep], np.diff(moves[keep]) / np.diff(t[keep])) if keep else (t[:0], t[:0])


def busy_shares(rows):
    """(edges of spans [n + 1], share of each with kernels running [n]) of one GPU. Kernels are
    counted when their generation ends: what is more than its span was in the spans before."""
    t, kernel = rows["t"].to_numpy(float), rows["kernel_us"].to_numpy(float) / 1e6
    before = np.r_[np.nan, np.diff(t)]
    kernel = np.where(np.isnan(kernel), (1 - rows["idle"].to_numpy(float)) * before, kernel)
    keep = span_ends(t)
    if not keep or np.isnan(kernel[1:]).all():
        return t[:0], t[:0]
    kernel[0] = 0.0
    seconds = np.diff(np.nancumsum(kernel)[keep])
    spans = np.diff(t[keep])
    for i in range(len(spans) - 1, 0, -1):
        more = max(0.0, seconds[i] - spans[i])
        seconds[i] -= more
        seconds[i - 1] += more
    return t[keep], np.minimum(1.0, seconds / spans)


def held_down(rows):
    """Why the driver held the clock down, for each row; empty: it did not."""
    return rows["throttle"].astype(str).str.strip().replace("none", "")


def is_long(run):
    """Are its curves drawn as means with the range behind them?"""
    ranks = per_rank(run.metrics)
    return len(ranks) <= 2 and any(len(rates(rows)[0]) > LONG for rows in ranks.values())


def draw_rates(figure, run):
    axis = figure.subplots()
    ranks = per_rank(run.metrics)
    color_of = shades(ranks)
    curves = {rank: rates(rows) for rank, rows in ranks.items()}
    most = max([float(values.max()) for _, values in curves.values() if len(values)] + [1.0])
    unit, scale = next((one for one in (("10⁹", 1e9), ("10⁶", 1e6), ("10³", 1e3))
                        if most >= one[1]), ("", 1.0))
    for place, (rank, (edges, values)) in enumerate(curves.items()):
        if len(values):
            draw_series(axis, edges, np.r_[values, values[-1]] / scale, color_of[rank],
                        width_of(place, len(curves)), band=len(curves) <= 2)
    axis.set_ylim(0.0, 1.08 * most / scale)
    axis.set_ylabel(f"{unit} iterations/s".strip())
    time_axis(axis, end_of(run))
    rank_legend(axis, color_of)


def lanes_of(run):
    """{(rank, stream): [(from, to, activity)]}: each record tells of the span before it."""
    lanes, metrics = {}, run.metrics.assign(activity=activity(run.metrics))
    for (rank, stream), rows in metrics.groupby(["rank", "stream"]):
        t = rows["t"].to_numpy(float)
        start = t - np.nan_to_num(rows["duration_ms"].to_numpy(float)) / 1000.0
        names = rows["activity"].to_list()
        if len(rows) > BINS:
            start, t, names = coarse(start, t, names, end_of(run))
        spans = []
        for begin, until, name in zip(np.maximum(start, 0.0), t, names):
            if spans and spans[-1][2] == name and begin - spans[-1][1] < 1e-3 * end_of(run):
                spans[-1] = (spans[-1][0], until, name)
            else:
                spans.append((begin, until, name))
        lanes[int(rank), int(stream)] = spans
    return lanes


def coarse(start, t, names, end):
    """In each piece of the time the most frequent activity, as long as it ran there: the
    share of the time stays what it was."""
    width, out = end / BINS, {}
    for begin, until, name in zip(start, t, names):
        share = out.setdefault(min(BINS - 1, int((begin + until) / 2 / width)), {})
        share[name] = share.get(name, 0.0) + until - begin
    bins = sorted(out)
    kinds = [max(out[place], key=out[place].get) for place in bins]
    begin = np.array(bins) * width
    return begin, begin + [min(width, out[place][kind]) for place, kind in zip(bins, kinds)], kinds


def looks(names):
    """{activity: (color, hatch)}: the same method looks the same in every figure."""
    known = {name: KNOWN.index(name.split()[-1]) for name in names
             if name and name.split()[-1] in KNOWN}
    free = len(KNOWN)
    out = {}
    for name in names:
        place = known.get(name)
        if place is None or any(known.get(other) == place for other in out):
            place, free = free, free + 1
        out[name] = PALETTE[place % len(PALETTE)], HATCHES[place % len(HATCHES)]
    return out


def lane_name(rank, stream):
    return f"rank {rank}, CPU" if stream < 0 else f"rank {rank}, stream {stream}"


def timeline_height(run):
    return 1.5 + 0.26 * min(MOST_LANES, max(1, len(lanes_of(run))))


def draw_timeline(figure, run):
    axis, lanes = figure.subplots(), lanes_of(run)
    shown = sorted(lanes)[:MOST_LANES]
    totals = {}
    for key in shown:
        for begin, until, name in lanes[key]:
            totals[name] = totals.get(name, 0.0) + until - begin
    names = [name for name in sorted(totals, key=lambda name: -totals[name])
             if totals[name] > 1e-3 * end_of(run)]
    look = looks(names)
    for place, key in enumerate(shown):
        for name in names:
            spans = [(begin, until - begin) for begin, until, kind in lanes[key] if kind == name]
            if spans:
                axis.broken_barh(spans, (place - 0.38, 0.76), facecolor=look[name][0],
                                 hatch=look[name][1], edgecolor="white", linewidth=0)
    axis.set_yticks(range(len(shown)), [lane_name(*key) for key in shown])
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    time_axis(axis, end_of(run))
    legend(axis, [Patch(facecolor=color, hatch=hatch, edgecolor="white", linewidth=0, label=name)
                  for name, (color, hatch) in look.items()], 3)


def migration_counts(run):
    """[(from, to, offered, accepted)]; at a meeting of pools `accepted` says how many came."""
    rows = run.migrations
    if len(rows) == 0:
        return []
    taken = rows["accepted"].clip(lower=0)
    taken = taken.where(rows["from_rank"] != POOLS, (taken > 0).astype(int))
    grouped = rows.assign(taken=taken).groupby(["from_rank", "to_rank"])["taken"]
    return [(int(a), int(b), int(size), int(total)) for (a, b), size, total in
            zip(grouped.size().index, grouped.size(), grouped.sum())]


def migrating_ranks(run, counts):
    return sorted({end for a, b, _, _ in counts for end in (a, b)} - {POOLS}
                  | set(run.ranks["rank"].astype(int)))


def is_crowded(ranks, counts):
    """Would arrows lie upon each other?"""
    arrows = sum(a not in (b, POOLS) for a, b, _, _ in counts)
    return len(ranks) > MOST_NODES or arrows > MOST_ARROWS


def migrations_text(run):
    counts = migration_counts(run)
    if is_crowded(migrating_ranks(run, counts), counts):
        return ("Colorings taken in, by sender and receiver; on the diagonal: between islands of "
                "a rank; pools: from those of all others.")
    return ("Colorings that went from rank to rank: taken in of offered, the more, the thicker; "
            "within: between islands of a rank; pools: from those of all others.")


def migrations_height(run):
    """Two ranks side by side need less than a ring."""
    counts = migration_counts(run)
    flat = len(migrating_ranks(run, counts)) <= 2 and all(a != POOLS for a, _, _, _ in counts)
    return 2.2 if flat else 3.4


def draw_migrations(figure, run):
    counts = migration_counts(run)
    ranks = migrating_ranks(run, counts)
    if is_crowded(ranks, counts):
        draw_migration_matrix(figure, ranks, counts)
    else:
        draw_migration_graph(figure, ranks, counts)


def draw_migration_matrix(figure, ranks, counts):
    axis = figure.subplots()
    senders = ranks + ([POOLS] if any(a == POOLS for a, _, _, _ in counts) else [])
    cells = np.full((len(senders), len(ranks)), np.nan)
    for a, b, _, taken in counts:
        if taken:
            cells[senders.index(a), ranks.index(b)] = taken
    image = axis.imshow(cells, cmap="viridis_r", aspect="equal", interpolation="nearest")
    if len(ranks) <= MOST_NODES:
        middle = (np.nanmin(cells) + np.nanmax(cells)) / 2 if np.isfinite(cells).any() else 0.0
        for a, b, _, taken in counts:
            axis.text(ranks.index(b), senders.index(a), f"{taken}", fontsize=8, ha="center",
                      va="center", color="white" if taken > middle else "black")
    axis.grid(visible=False)
    step = -(-len(ranks) // 8)
    axis.set_xticks(range(0, len(ranks), step), ranks[::step])
    shown = [*range(0, len(ranks), step), *range(len(ranks), len(senders))]
    axis.set_yticks(shown, ["pools" if senders[i] == POOLS else senders[i] for i in shown])
    axis.set_xlabel("to rank")
    axis.set_ylabel("from rank")
    axis.figure.colorbar(image, ax=axis, label="colorings taken in",
                         ticks=MaxNLocator(integer=True))


def draw_migration_graph(figure, ranks, counts):
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set_aspect("equal")
    angles = [math.pi / 2 - 2 * math.pi * i / len(ranks) for i in range(len(ranks))]
    if len(ranks) == 2:
        angles = [math.pi, 0.0]
    spot = {rank: (math.cos(angle), math.sin(angle)) for rank, angle in zip(ranks, angles)}
    if len(ranks) == 1:
        spot[ranks[0]] = (0.0, 0.0)
    # In a ring the pools would stand in the way of the arrows: there they are told in words.
    if len(ranks) <= 2 and any(a == POOLS for a, _, _, _ in counts):
        spot[POOLS] = (0.0, -1.35)
    most = max([size for _, _, size, _ in counts] + [1])
    for a, b, size, taken in counts:
        if a == b or a not in spot:
            continue
        start, stop = np.array(spot[a]), np.array(spot[b])
        width = 0.8 + 3.2 * size / most
        # The tip ends at the rim of the node.
        axis.add_patch(FancyArrowPatch(
            start, stop, connectionstyle="arc3,rad=-0.22", arrowstyle="-|>", shrinkA=17,
            shrinkB=17, mutation_scale=9 + 2 * width, linewidth=width, color=BLUE, alpha=0.75))
        along = stop - start
        side = np.array([-along[1], along[0]])
        # On the arc: a parabola whose middle is half its bend to the left; nearer to the
        # sender, away from that of the opposite direction.
        place = 0.5 if len(ranks) <= 2 else 0.32 if len(ranks) <= 4 else 0.42
        bend = 0.44 * place * (1 - place) + (0.05 if len(ranks) <= 2 else 0.0)
        axis.annotate(f"{taken} of {size}", start + along * place + side * bend, fontsize=9,
                      ha="center", va="center", zorder=6,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    words = {}
    for a, b, size, taken in counts:
        if a == b or a not in spot:
            words.setdefault(b, []).insert(0 if a == b else 1, f"{'within' if a == b else 'pools'}"
                                           f": {taken} of {size}")
    for rank, (x, y) in spot.items():
        axis.add_patch(Circle((x, y), 0.15, facecolor="white", edgecolor="0.2", linewidth=1.3,
                              zorder=4))
        axis.text(x, y, "pools" if rank == POOLS else str(rank), ha="center", va="center",
                  zorder=5, fontsize=9 if rank == POOLS else 11)
        if rank in words:
            # Outside the ring; beside it where arrows come from above and below.
            out = (x, y + 0.2) if len(ranks) <= 2 else (1.2 * x, 1.2 * y)
            side = "center" if len(ranks) <= 2 or abs(x) < 0.3 else "left" if x > 0 else "right"
            level = ("bottom" if len(ranks) <= 2 or y > 0.3 else "top" if y < -0.3 else "center")
            axis.text(*out, "\n".join(words[rank]), ha=side, va=level, fontsize=9)
    axis.set_xlim(*((-1.5, 1.5) if len(ranks) <= 2 else (-2.1, 2.1)))
    low = min(y for _, y in spot.values())
    axis.set_ylim(min(-0.6, low - 0.45), max(y for _, y in spot.values()) + 0.4 + 0.15 * (
        len(ranks) <= 2))


def draw_gpu(figure, run):
    axes = figure.subplots(3, 1, sharex=True)
    ranks = per_rank(run.gpu)
    color_of = shades(ranks)
    for place, (rank, rows) in enumerate(ranks.items()):
        for axis, values, dashes in ((axes[0], rows["utilization"], DOTTED),
                                     (axes[1], rows["power_w"], "-"),
                                     (axes[2], rows["temperature_c"], "-")):
            draw_series(axis, rows["t"], values, color_of[rank], width_of(place, len(ranks)),
                        dashes, band=len(ranks) <= 2)
        edges, shares = busy_shares(rows)
        if len(shares):
            draw_series(axes[0], edges, 100 * np.r_[shares, shares[-1]], color_of[rank],
                        width_of(place, len(ranks)), band=len(ranks) <= 2)
        slowed = rows[held_down(rows) != ""]
        axes[2].plot(slowed["t"], slowed["temperature_c"].astype(float), linestyle="none",
                     marker="x", markersize=5, color=color_of[rank])
    axes[0].set_ylim(0, 105)
    axes[0].set_ylabel("busy (%)")
    axes[1].set_ylim(bottom=0)
    axes[1].set_ylabel("power (W)")
    axes[2].set_ylabel("temperature\n(°C)")
    time_axis(axes[2], end_of(run))
    figure.align_ylabels(axes)
    axes[0].legend(handles=[
        Line2D([], [], color="0.3", linewidth=1.2, label="kernels running"),
        Line2D([], [], color="0.3", linewidth=1.2, linestyle=DOTTED, label="driver's count"),
        Line2D([], [], color="0.3", marker="x", linestyle="none", label="held down")],
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, frameon=False, fontsize=9,
        columnspacing=1.4)
    rank_legend(axes[2], color_of)


def draw_profile(figure, run, parts):
    """parts: [(name, s, share)], the largest first; all ranks together."""
    axis = figure.subplots()
    places = range(len(parts))
    axis.barh(places, [seconds for _, seconds, _ in parts], color=ORANGE, height=0.7)
    for place, (_, seconds, share) in zip(places, parts):
        axis.text(seconds, place, f" {100 * share:.3g} %", va="center", fontsize=9)
    axis.set_yticks(places, [name for name, _, _ in parts])
    axis.invert_yaxis()
    axis.set_xlim(0.0, 1.18 * max([seconds for _, seconds, _ in parts] + [1e-9]))
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("GPU time, all ranks (s)")
