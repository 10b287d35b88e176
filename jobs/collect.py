#!/usr/bin/env python3
"""One table of the results of many runs: a line for each graph.

collect.py FOLDER    FOLDER holds GRAPH-sSEED.json (what --json printed) and .sol files

A run that was ended early has no result in its .json; then its .sol counts, which holds
the best coloring at every moment."""

import glob
import json
import os
import re
import statistics
import sys

HEADINGS = ["graph", "runs", "best", "median", "worst", "at best", "time to best", "ended early",
            "empty", "best coloring"]


def colors_of_solution(name):
    """The K of its line 's col K'; None without one."""
    try:
        with open(name, encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("s col "):
                    return int(line.split()[2])
    except (OSError, ValueError, IndexError):
        pass
    return None


def read_run(stem):
    """Colors, seconds to the best (None: not known) and whether the run came to its end."""
    try:
        with open(f"{stem}.json", encoding="utf-8") as file:
            result = json.load(file)
        if result["colors"] and result["exit_reason"] != "error":
            return (int(result["colors"]), float(result["time_to_best"]),
                    result["exit_reason"] not in ("signal", "checkpoint"))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return colors_of_solution(f"{stem}.sol"), None, False


def row(graph, stems):
    runs = {stem: read_run(stem) for stem in stems}
    colored = {stem: run for stem, run in runs.items() if run[0] is not None}
    empty = len(runs) - len(colored)
    early = sum(not run[2] for run in colored.values())
    if not colored:
        return [graph, len(runs), "-", "-", "-", "-", "-", early, empty, "-"]
    colors = [run[0] for run in colored.values()]
    best = min(colors)
    winners = [stem for stem, run in colored.items() if run[0] == best]
    times = [colored[stem][1] for stem in winners if colored[stem][1] is not None]
    return [graph, len(runs), best, f"{statistics.median(colors):g}", max(colors),
            f"{len(winners)}/{len(runs)}", f"{statistics.median(times):.1f} s" if times else "-",
            early, empty, os.path.basename(winners[0]) + ".sol"]


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 2)
    stems = {}
    for name in glob.glob(os.path.join(glob.escape(sys.argv[1]), "*")):
        stem, kind = os.path.splitext(name)
        found = re.fullmatch(r"(.+)-s(\d+)", os.path.basename(stem))
        if found and kind in (".json", ".sol"):
            stems.setdefault(found.group(1), {})[stem] = int(found.group(2))
    if not stems:
        print(f"collect.py: no results in {sys.argv[1]}", file=sys.stderr)
        sys.exit(1)
    table = [HEADINGS] + [row(graph, sorted(seeds, key=seeds.get))
                          for graph, seeds in sorted(stems.items())]
    widths = [max(len(str(line[i])) for line in table) for i in range(len(HEADINGS))]
    for line in table:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(line, widths)).rstrip())


if __name__ == "__main__":
    main()
