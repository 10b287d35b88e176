"""Sections of a report that look into one run."""

from functools import partial

import numpy as np
import pandas as pd

from prism_analysis import coloring, plots_run, plots_tempering
from prism_analysis.document import (Figure, Section, Table, Text, count, number, per_second,
                                     percent)

MOST_EVENTS = 200


def work_table(run):
    """Per rank, and per phase and method: time, moves, speed."""
    metrics = run.metrics.assign(activity=plots_run.activity(run.metrics))
    metrics["seconds"] = metrics["duration_ms"].fillna(0) / 1000.0
    metrics["moves"] = metrics.groupby("rank")["iterations"].diff().fillna(metrics["iterations"])
    first = ~metrics.duplicated("rank")
    metrics.loc[first & (metrics["moves"] == 0), "seconds"] = 0.0  # until the search begins
    rows = []
    for (rank, name), part in metrics.groupby(["rank", "activity"]):
        seconds, moves = part["seconds"].sum(), part["moves"].sum()
        if seconds > 0:
            rows.append([str(int(rank)), name, number(seconds), count(moves),
                         per_second(moves / seconds),
                         count(part["best_colors"].min())])
    return Table("Work", ["rank", "phase, method", "time s", "iterations", "iterations/s",
                          "best colors"], rows,
                 "From the records: each counts for what its rank's first island did at that "
                 "moment, with the moves of all islands of the rank.")


def improvement_table(run):
    rows = [[number(row.t), count(row.colors), str(int(row.rank)), count(row.iterations)]
            for row in run.solutions.itertuples()]
    return Table("Improvements", ["time s", "colors", "rank", "its iterations"], rows)


def migration_blocks(run):
    counts = plots_run.migration_counts(run)
    if not counts:
        return []
    rows = []
    for a, b, size, taken in counts:
        part = run.migrations[(run.migrations["from_rank"] == a)
                              & (run.migrations["to_rank"] == b)]
        rows.append(["all pools" if a == plots_run.POOLS else str(a), str(b), count(size),
                     count(taken), percent(taken / size), number(part["conflicts"].median()),
                     number(part["distance"].median())])
    figures = []
    if any(a != b for a, b, _, _ in counts):  # one rank by itself: the table says it all
        figures = [Figure("Migrations", plots_run.migrations_text(run),
                          partial(plots_run.draw_migrations, run=run),
                          plots_run.migrations_height(run))]
    return [*figures,
            Table("Migrations", ["from rank", "to rank", "offered", "taken in", "share",
                                 "conflicts", "distance"], rows,
                  "Conflicts and distance (vertices to the receiver's nearest) are medians. At "
                  "a meeting of pools an offer counts as taken in if any of it was.")]


def energy(rows):
    """Watt-hours of one rank's GPU, by the trapezoid rule over its records."""
    known = rows[rows["power_w"].notna()]
    t, power = known["t"].to_numpy(float), known["power_w"].to_numpy(float)
    return float(((power[1:] + power[:-1]) / 2 * np.diff(t)).sum() / 3600) if len(t) > 1 else None


def over_time(rows, name):
    """Mean of a value, each weighted with the span before it: at a new k records are close."""
    known = rows[rows[name].notna()]
    spans = np.diff(known["t"].to_numpy(float), prepend=np.nan)
    values = known[name].to_numpy(float)
    if len(known) < 2 or not spans[1:].sum() > 0:
        return known[name].mean()
    return float(np.average(values[1:], weights=spans[1:]))


def gpu_table(run):
    rows = []
    for rank, part in run.gpu.groupby("rank"):
        edges, shares = plots_run.busy_shares(part)
        busy = float((shares * np.diff(edges)).sum() / np.ptp(edges)) if len(shares) else np.nan
        moved = part["transfer_us"].sum()
        hidden = (part["overlap"].fillna(0) * part["transfer_us"]).sum() / moved if moved else None
        slowed = sorted({word.strip() for text in plots_run.held_down(part)
                         for word in text.split(",") if word.strip()})
        rows.append([str(int(rank)), percent(busy),
                     percent(over_time(part, "utilization") / 100),
                     number(over_time(part, "power_w")), number(part["power_w"].max()),
                     number(energy(part)), number(part["temperature_c"].max()),
                     number(part["memory_used_mb"].max()), percent(hidden),
                     ", ".join(slowed) or "no"])
    return Table("GPUs", ["rank", "kernels running", "driver's count", "mean W", "most W", "Wh",
                          "most °C", "memory MiB", "transfers hidden", "held down"], rows,
                 "Transfers hidden: share of their time with a kernel running beside them. Held "
                 "down: why the driver lowered the clock.")


def gpu_blocks(run):
    blocks = []
    if len(run.gpu):
        blocks += [Figure("GPUs", "Share of time with kernels running, power and temperature; "
                          "crosses: the clock was held down.",
                          partial(plots_run.draw_gpu, run=run), 4.6), gpu_table(run)]
    if len(run.profile):
        blocks += profile_blocks(run)
    return blocks


def profile_blocks(run):
    sums = run.profile.groupby("name", sort=False).agg(
        count=("count", "sum"), total=("total_s", "sum"), low=("min_us", "min"),
        high=("max_us", "max"))
    span = (run.profile["total_s"] / run.profile["share"].where(run.profile["share"] > 0))
    span = span.groupby(run.profile["rank"]).median().sum()
    sums = sums.sort_values("total", ascending=False)
    share = sums["total"] / span if span > 0 else sums["total"] * np.nan
    rows = [[name, count(row["count"]), number(row["total"]), percent(share[name]),
             number(1e6 * row["total"] / row["count"] if row["count"] else None),
             number(row["low"]), number(row["high"])] for name, row in sums.iterrows()]
    parts = [(name, float(row["total"]), float(share[name])) for name, row in sums.iterrows()][:12]
    return [Figure("Where the GPU's time went", "Parts of the work, measured on the device; "
                   "shares of the time that the GPUs were held.",
                   partial(plots_run.draw_profile, run=run, parts=parts),
                   1.1 + 0.26 * len(parts)),
            Table("Parts of the GPU's work", ["part", "times", "total s", "share", "mean µs",
                                             "least µs", "most µs"], rows)]


def tempering_blocks(run):
    rows = plots_tempering.rows_of(run)
    if len(rows) == 0:
        return []
    last = rows.groupby("rank").last()
    table = Table("Tempering", ["rank", "coldest level", "exchanges made, mean", "lowest",
                                "highest", "records"],
                  [[str(int(rank)), number(last.loc[rank, "temperature"]),
                    percent(part["swap"].mean()), percent(part["swap"].min()),
                    percent(part["swap"].max()), count(len(part))]
                   for rank, part in rows.groupby("rank")])
    return [Figure("Temperatures and exchanges", plots_tempering.text_of(run),
                   partial(plots_tempering.draw, run=run),
                   plots_tempering.height_of(run)), table]


def coloring_blocks(run, graph):
    """graph: (n, edges) of the run's graph, or None: then only the sizes of the classes."""
    if run.coloring is None:
        return []
    sizes = coloring.class_sizes(run.coloring)
    blocks = []
    if graph is not None:
        n, edges = graph
        wrong = coloring.conflicts(edges, run.coloring)
        state = ("every edge joins two colors" if wrong == 0
                 else f"NOT legal: {wrong:,} edges join vertices of one color")
        if coloring.is_small(n, edges):
            blocks.append(Figure("Coloring", f"Each vertex with the number of its color; {state}.",
                                 partial(coloring.draw_nodes, edges=edges,
                                         coloring=run.coloring), 5.2))
        else:
            blocks.append(Figure(
                "Coloring", "Adjacency matrix, vertices ordered by color, the largest class "
                f"first: dark where edges are. The squares are the classes; {state}.",
                partial(coloring.draw_matrix, edges=edges, coloring=run.coloring), 5.0))
    blocks.append(Figure("Sizes of the color classes", f"{len(sizes)} classes of "
                         f"{sizes.min()} to {sizes.max()} vertices, mean "
                         f"{number(float(sizes.mean()))}.",
                         partial(coloring.draw_sizes, coloring=run.coloring), 2.7))
    return blocks


def run_section(run, graph=None, log_time=False, alone=False):
    section = Section("The run" if alone else f"Run {run.name}")
    section.blocks += [Text(f"{note[0].upper()}{note[1:]}.") for note in run.notes]
    if len(run.metrics) == 0:
        section.blocks.append(Text("It ended without a search, which left nothing to draw of it."
                                   if len(run.summary) else "It has no records to draw."))
        if len(run.solutions):
            section.blocks.append(improvement_table(run))
        section.blocks += coloring_blocks(run, graph)
        return section
    section.blocks += [
        Figure("Convergence", "Colors searched and reached, and the conflicts of each rank's "
               "best coloring with k colors.",
               partial(plots_run.draw_convergence, run=run, log_time=log_time), 4.4),
        Figure("Speed", "Iterations per second between records"
               f"{': means, and the range behind them' if plots_run.is_long(run) else ''}.",
               partial(plots_run.draw_rates, run=run), 2.8),
        Figure("What ran when", "Phase and method of each rank's first island, at each record; "
               "one line for each rank and GPU stream.",
               partial(plots_run.draw_timeline, run=run), plots_run.timeline_height(run)),
        work_table(run), improvement_table(run)]
    section.blocks += (tempering_blocks(run) + gpu_blocks(run) + migration_blocks(run)
                       + coloring_blocks(run, graph))
    return section


def ranks_table(run):
    return Table("Ranks", ["rank", "host", "device", "threads", "GPU", "processors"],
                 [[str(int(row.rank)), row.host, row.device, count(row.threads),
                   "-" if row.gpu < 0 else str(int(row.gpu)), row.processors]
                  for row in run.ranks.itertuples()])


def events_table(run):
    rows = run.events
    text = (f"The first {MOST_EVENTS} of {len(rows):,}." if len(rows) > MOST_EVENTS else "")
    return Table("Events", ["time s", "rank", "event", "colors", "notes"],
                 [[number(row.t, 4), str(int(row.rank)), row.event,
                   "" if pd.isna(row.colors) else count(row.colors), row.notes]
                  for row in rows.head(MOST_EVENTS).itertuples()], text)


def settings_section(run, several):
    """Closed until asked for: parameters, build, ranks, events."""
    section = Section(f"Settings of {run.name}" if several else "Settings, build, events",
                      folded=True)
    facts = [["program", f"prism-dist {run.build.get('version', '')}".strip()],
             *[[key, value] for key, value in sorted(run.build.items()) if key != "version"],
             ["started", run.created], ["seed", run.seed], ["schema version", str(run.schema)],
             ["graph", run.graph.get("name", "")], ["vertices", count(run.graph["n"])],
             ["edges", count(run.graph["m"])], ["graph hash", run.graph.get("hash", "")]]
    section.blocks += [Table("Build and graph", ["", "value"], facts), ranks_table(run),
                       Table("Parameters", ["parameter", "value"],
                             [[key, value or "(empty)"] for key, value in
                              sorted(run.config.items())]), events_table(run)]
    return section
