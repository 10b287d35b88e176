#!/usr/bin/env python3
"""Draw the convergence of a prism-dist run: colors and conflicts over time, by rank.

Reads the run file (X.h5) of a finished run, of one that is still being written,
and of one that was killed. Needs h5py, numpy and matplotlib.
"""
import argparse
import os
import sys

# The run file is only read, and prism-dist has a lock of its own.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
SYSTEM_PYTHON = "/usr/bin/python3"
RETRIED = "PRISM_PLOT_RETRIED"

try:
    import h5py
    import matplotlib
    import numpy as np
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter, MaxNLocator
except ImportError as missing:
    # The first python3 of PATH may be one without packages (pyenv, conda).
    if RETRIED not in os.environ and os.access(SYSTEM_PYTHON, os.X_OK):
        os.environ[RETRIED] = "1"
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON] + sys.argv)
    print(f"plot_run.py: {missing}. Install what it needs:\n"
          "  apt-get install python3-h5py python3-numpy python3-matplotlib\n"
          "or, in a virtual environment:\n"
          "  pip install h5py numpy matplotlib", file=sys.stderr)
    sys.exit(2)

# Okabe & Ito (2008): told apart with every kind of color vision. Yellow is left out: too pale.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MOST_NAMED = len(PALETTE)  # ranks that get a color and a legend entry of their own


def fail(text):
    print(f"plot_run.py: {text}", file=sys.stderr)
    sys.exit(2)


def open_run(path):
    """A finished file opens as it is, any other one as a reader beside the writer."""
    if not os.path.isfile(path):
        fail(f"{path}: no such file")
    try:
        return h5py.File(path, "r")
    except OSError:
        pass
    try:
        return h5py.File(path, "r", libver="latest", swmr=True)
    except OSError as reason:
        fail(f"{path} is not a readable HDF5 file: {reason}")


def text_of(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_run(path):
    with open_run(path) as file:
        version = int(file.attrs.get("schema_version", 0))
        if version not in (1, 2, 3):
            fail(f"{path}: schema version {version} is not known to this script (1 to 3 are)")
        graph = {key: file["graph"].attrs[key] for key in ("name", "n", "m")}
        run = {
            "name": text_of(graph["name"]), "n": int(graph["n"]), "m": int(graph["m"]),
            "metrics": file["telemetry/metrics"][()],
            "solutions": file["solutions/index"][()],
            "summary": file["summary"][()],
        }
    if len(run["metrics"]) == 0:
        fail(f"{path} holds no metrics yet")
    return run


def title_of(run):
    graph = f"{run['name']}: {run['n']:,} vertices, {run['m']:,} edges"
    if len(run["summary"]) > 0:
        row = run["summary"][0]
        result = f"{row['colors']} colors"
        if row["optimal"] == 1:
            result += " (optimal)"
        elif row["lower_bound"] > 0:
            result += f" (lower bound {row['lower_bound']})"
        result += f" after {row['time_to_best']:.3g} s of {row['time']:.3g} s"
        reason = text_of(row["exit_reason"])
        return f"{graph}\n{result}" + (f", ended by {reason}" if reason else "")
    best = [int(value) for value in run["metrics"]["best_colors"] if value > 0]
    best += [int(value) for value in run["solutions"]["colors"]]
    so_far = f"{min(best)} colors so far" if best else "no coloring so far"
    return f"{graph}\n{so_far}; the run has not ended, or was killed"


def series(rows, field):
    """Time and values of one rank; what does not apply (-1) becomes a gap."""
    order = np.argsort(rows["t"], kind="stable")
    values = rows[field][order].astype(float)
    values[values < 0] = np.nan
    return rows["t"][order], values


def rank_colors(ranks):
    if len(ranks) <= MOST_NAMED:
        return dict(zip(ranks, PALETTE))
    shades = plt.get_cmap("viridis")(np.linspace(0.0, 0.92, len(ranks)))
    return dict(zip(ranks, shades))


def draw_colors(axis, run, ranks, shade):
    metrics = run["metrics"]
    for place, rank in enumerate(ranks):
        rows = metrics[metrics["rank"] == rank]
        # Ranks often agree: a shift of a fraction of a color keeps every line visible.
        shift = 0.3 * ((place + 0.5) / len(ranks) - 0.5) if len(ranks) > 1 else 0.0
        t, searched = series(rows, "colors")
        axis.step(t, searched + shift, where="post", color=shade[rank], linewidth=1.0,
                  linestyle=(0, (1.5, 1.5)), alpha=0.9)
        t, best = series(rows, "best_colors")
        axis.step(t, best + shift, where="post", color=shade[rank], linewidth=1.8)
    found = run["solutions"]
    axis.plot(found["t"], found["colors"], linestyle="none", marker="o", markersize=4.5,
              markerfacecolor="white", markeredgecolor="0.15", markeredgewidth=1.0, zorder=5)
    axis.set_ylabel("colors k")
    axis.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=3))


def draw_conflicts(axis, run, ranks, shade):
    metrics = run["metrics"]
    top = 1.0
    for rank in ranks:
        t, conflicts = series(metrics[metrics["rank"] == rank], "conflicts")
        axis.step(t, conflicts, where="post", color=shade[rank], linewidth=1.2, alpha=0.9)
        if np.isfinite(conflicts).any():
            top = max(top, np.nanmax(conflicts))
    axis.set_yscale("symlog", linthresh=1.0, linscale=0.5)
    axis.set_ylim(-0.15, 1.6 * top)
    decades = range(int(np.ceil(np.log10(1.6 * top))) + 1)
    steps = (1, 2, 5) if top <= 100 else (1,)
    ticks = [0] + [step * 10 ** i for i in decades for step in steps]
    axis.set_yticks([tick for tick in ticks if tick <= 1.6 * top])
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_ylabel("conflicts at k (edges)")


def add_legend(figure, axes, ranks, shade):
    """Beside the panels, where it covers no line."""
    entries = [
        Line2D([], [], color="0.3", linewidth=1.8, label="best k"),
        Line2D([], [], color="0.3", linewidth=1.0, linestyle=(0, (1.5, 1.5)), label="searched k"),
        Line2D([], [], linestyle="none", marker="o", markersize=4.5, markerfacecolor="white",
               markeredgecolor="0.15", label="new best coloring"),
    ]
    axes[0].legend(handles=entries, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False,
                   borderaxespad=0.0)
    if len(ranks) <= MOST_NAMED:
        entries = [Line2D([], [], color=shade[rank], linewidth=2.5, label=f"rank {rank}")
                   for rank in ranks]
        axes[1].legend(handles=entries, loc="upper left", bbox_to_anchor=(1.01, 1.0),
                       frameon=False, borderaxespad=0.0)
        return
    norm = matplotlib.colors.Normalize(vmin=ranks[0], vmax=ranks[-1])
    cmap = matplotlib.colors.ListedColormap([shade[rank] for rank in ranks])
    figure.colorbar(matplotlib.cm.ScalarMappable(norm=norm, cmap=cmap), label="rank",
                    cax=axes[1].inset_axes([1.02, 0.0, 0.02, 1.0]), ticks=MaxNLocator(integer=True))


def draw(run, output, log_time):
    ranks = sorted(int(rank) for rank in set(run["metrics"]["rank"]))
    shade = rank_colors(ranks)
    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
                         "axes.grid": True, "grid.color": "0.9", "axes.axisbelow": True})
    figure, axes = plt.subplots(2, 1, sharex=True, figsize=(9.0, 6.0), dpi=130,
                                layout="constrained")
    draw_colors(axes[0], run, ranks, shade)
    draw_conflicts(axes[1], run, ranks, shade)
    end = max(float(np.max(run["metrics"]["t"])), 1e-3)
    if log_time:
        axes[1].set_xscale("symlog", linthresh=0.1, linscale=0.3)
        axes[1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[1].set_xlim(0.0, 1.01 * end)
    axes[1].set_xlabel("time since start (s)")
    figure.align_ylabels(axes)
    figure.suptitle(title_of(run), x=0.01, ha="left", fontsize=11)
    add_legend(figure, axes, ranks, shade)
    try:
        figure.savefig(output)
    except (OSError, ValueError) as reason:
        fail(f"{output} cannot be written: {reason}")


def main():
    parser = argparse.ArgumentParser(
        description="Draw best and searched colors and the conflicts of each rank over time.")
    parser.add_argument("run", metavar="RUN.h5", help="run file; it may still be written to")
    parser.add_argument("-o", "--output", metavar="FILE.png",
                        help="picture to write; .pdf and .svg work, too (default: RUN.png)")
    parser.add_argument("--log-time", action="store_true",
                        help="logarithmic time: shows the first seconds of a long run")
    arguments = parser.parse_args()
    output = arguments.output or os.path.splitext(arguments.run)[0] + ".png"
    draw(read_run(arguments.run), output, arguments.log_time)
    print(output)


if __name__ == "__main__":
    main()
