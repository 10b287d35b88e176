"""The coloring of a run, drawn: small graphs as nodes and lines, large ones as a matrix
ordered by class; sizes of the classes.

Layout by forces: Fruchterman & Reingold (1991)."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
from matplotlib.collections import LineCollection

from prism_analysis.style import BLUE, PALETTE, whole_axis

MOST_NODES = 120  # of a drawing with lines
MOST_LINES = 3000
MOST_CELLS = 500  # of the matrix, in each direction


class GraphError(Exception):
    """A graph file that cannot be used, in words for the user."""


def read_graph(path):
    """(n, edges [m][2], u < v, from 0) of a DIMACS .col or .col.gz."""
    path = Path(path)
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except (OSError, EOFError) as reason:
        raise GraphError(f"{path} cannot be read: {reason}") from reason
    n, edges = None, []
    for place, line in enumerate(lines, 1):
        words = line.split()
        try:
            if words[:1] == ["p"]:
                n = int(words[2])
            elif words[:1] == ["e"]:
                edges.append((int(words[1]) - 1, int(words[2]) - 1))
        except (IndexError, ValueError):
            raise GraphError(f"{path}:{place}: not a line of a DIMACS graph") from None
    if n is None:
        raise GraphError(f"{path} has no line 'p edge ...'")
    pairs = np.array(edges, dtype=np.int64).reshape(len(edges), 2)
    if len(pairs) and (pairs.min() < 0 or pairs.max() >= n):
        raise GraphError(f"{path} names a vertex beyond its {n}")
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return n, np.unique(pairs, axis=0)


def graph_hash(n, edges):
    """As the solver has it: SHA-256 over n (u64) and the sorted edges (two u32 each)."""
    digest = hashlib.sha256(np.array([n], dtype="<u8").tobytes())
    digest.update(np.ascontiguousarray(edges, dtype="<u4").tobytes())
    return digest.hexdigest()


def class_sizes(coloring):
    """Sizes of the classes that have vertices."""
    sizes = np.bincount(coloring)
    return sizes[sizes > 0]


def conflicts(edges, coloring):
    return int((coloring[edges[:, 0]] == coloring[edges[:, 1]]).sum())


def layout(n, edges, rounds=400):
    """Positions [n][2] in a square of side 1: neighbors attract, all push each other away, and
    a pull to the middle keeps components together. Always the same."""
    rng = np.random.default_rng(1)
    spot = rng.random((n, 2)) - 0.5
    reach = 0.9 / np.sqrt(n)
    # Many neighbors pull as much as few: dense graphs would shrink to a point.
    ease = max(1.0, np.sqrt(2 * len(edges) / n))
    for i in range(rounds):
        gap = spot[:, None, :] - spot[None, :, :]
        distance = np.maximum(np.sqrt((gap ** 2).sum(axis=2)), 1e-3)
        force = (gap * (reach ** 2 / distance ** 2)[:, :, None]).sum(axis=1)
        along = spot[edges[:, 0]] - spot[edges[:, 1]]
        pull = along * (np.sqrt((along ** 2).sum(axis=1)) / reach / ease)[:, None]
        np.add.at(force, edges[:, 0], -pull)
        np.add.at(force, edges[:, 1], pull)
        force -= 2.5 * spot
        length = np.maximum(np.sqrt((force ** 2).sum(axis=1)), 1e-9)
        step = 0.1 * (1 - i / rounds) + 0.001
        spot += force / length[:, None] * np.minimum(length, step)[:, None]
    low, high = spot.min(axis=0), spot.max(axis=0)
    return (spot - low) / max(1e-9, float((high - low).max()))


def keep_apart(spot, least, rounds=200):
    """Moves positions that are closer than `least` away from each other."""
    spot = spot.copy()
    for _ in range(rounds):
        gap = spot[:, None, :] - spot[None, :, :]
        distance = np.sqrt((gap ** 2).sum(axis=2))
        np.fill_diagonal(distance, np.inf)
        near = np.maximum(0.0, least - distance)
        if near.max() < 1e-6:
            break
        spot += 0.35 * (gap / np.maximum(distance, 1e-6)[:, :, None] * near[:, :, None]).sum(axis=1)
    return spot


def is_small(n, edges):
    return n <= MOST_NODES and len(edges) <= MOST_LINES


def draw_nodes(figure, edges, coloring):
    """Nodes with the number of their class: the color alone need not tell."""
    axis = figure.subplots()
    size = float(np.clip(9000 / len(coloring), 80, 260))  # of a node, square points
    spot = keep_apart(layout(len(coloring), edges), size ** 0.5 / 300)
    axis.set_axis_off()
    axis.set_aspect("equal")
    alpha = float(np.clip(300 / max(1, len(edges)), 0.12, 0.6))
    axis.add_collection(LineCollection(spot[edges], colors="0.35", linewidths=0.6, alpha=alpha,
                                       zorder=1))
    light = {"#E69F00", "#56B4E9", "#CC79A7"}
    fill = [PALETTE[color % len(PALETTE)] for color in coloring]
    axis.scatter(spot[:, 0], spot[:, 1], s=size, c=fill, edgecolors="white", linewidths=0.8,
                 zorder=2)
    for (x, y), color, shade in zip(spot, coloring, fill):
        axis.text(x, y, str(int(color) + 1), ha="center", va="center", zorder=3,
                  fontsize=float(np.clip(size ** 0.5 * 0.55, 5, 9)),
                  color="black" if shade in light else "white")
    axis.margins(0.06)


def class_order(coloring):
    """(vertices, class by class, the largest first; where each class ends)."""
    sizes = np.bincount(coloring)
    place = np.empty(len(sizes), dtype=np.int64)
    place[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    order = np.argsort(place[coloring], kind="stable")
    return order, np.cumsum(np.sort(sizes)[::-1])


def draw_matrix(figure, edges, coloring):
    axis, n = figure.subplots(), len(coloring)
    order, ends = class_order(coloring)
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    cells = min(n, MOST_CELLS)
    u, v = rank[edges[:, 0]], rank[edges[:, 1]]
    grid = np.histogram2d(np.r_[u, v], np.r_[v, u], bins=cells, range=[[0, n], [0, n]])[0]
    widths = np.diff(np.floor(np.linspace(0, n, cells + 1)))
    share = grid / np.maximum(1.0, np.outer(widths, widths))
    axis.imshow(share, cmap="Greys", vmin=0.0, vmax=max(1e-9, float(np.percentile(share, 99.5))),
                extent=(0, n, n, 0), interpolation="nearest")
    # An empty square on the diagonal is a class: none of its vertices are neighbors.
    start = np.r_[0, ends[:-1]]
    for low, high in zip(start, ends):
        if high > low:
            axis.plot([low, high, high, low, low], [low, low, high, high, low], color="#D55E00",
                      linewidth=0.9)
    axis.set_xlim(0, n)
    axis.set_ylim(n, 0)
    axis.grid(visible=False)
    axis.set_xlabel("vertices, class by class")
    axis.set_ylabel("vertices, class by class")
    whole_axis(axis.xaxis)
    whole_axis(axis.yaxis)


def draw_sizes(figure, coloring):
    axis, sizes = figure.subplots(), class_sizes(coloring)
    low, high = int(sizes.min()), int(sizes.max())
    step = max(1, -(-(high - low + 1) // 40))
    edges = np.arange(low, high + step + 1, step) - 0.5
    counts, _ = np.histogram(sizes, bins=edges)
    axis.bar(edges[:-1] + step / 2, counts, width=0.9 * step, color=BLUE)
    if len(counts) <= 14 and step == 1:
        axis.set_xticks(np.arange(low, high + 1))
    else:
        whole_axis(axis.xaxis)
    whole_axis(axis.yaxis)
    axis.set_ylim(0, 1.1 * counts.max())
    axis.set_xlim(edges[0] - 0.3 * step, edges[-1] + 0.3 * step - (step if counts[-1] == 0 else 0))
    axis.grid(axis="x", visible=False)
    axis.set_xlabel("vertices in a class" + (f", in steps of {step}" if step > 1 else ""))
    axis.set_ylabel("classes")
