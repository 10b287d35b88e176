#!/usr/bin/env python3
"""Whole runs on graphs whose chromatic number or best coloring is known.

test_known.py PRISM_DIST PRISM [test_NAME ...]   PRISM_INSTANCES names the folder of the
DIMACS graphs; exits 77 without it. The time limits are guards, far above what is needed."""

import os
import sys

import cli
from cli import check, dist, expect, ranks, result_of, tool

EXAMPLES = os.path.join(cli.ROOT, "examples")
INSTANCES = os.environ.get("PRISM_INSTANCES", "")
LIMIT = 200  # seconds; sanitizers slow a run down twentyfold
cli.GUARD = 300

# Bounds that meet, or a kernel small enough for the exact solver: proved optimal.
EXAMPLES_PROVED = {"geometric_500.col.gz": 15, "mesh27_10.col.gz": 8, "mycielski_6.col": 6,
                   "rook_12.col.gz": 12}
PROVED = {"queen5_5": 5, "le450_25a": 25, "school1": 14, "mulsol.i.1": 49, "zeroin.i.1": 49,
          "inithx.i.1": 54, "fpsol2.i.1": 65, "miles1000": 42, "anna": 11, "homer": 13,
          "wap05a": 50}
# Reached by search; no clique proves them.
EXAMPLES_FOUND = {"planted_450_15.col.gz": 15, "queen_8.col": 9, "queen_11.col.gz": 12,
                  "gnp_500_0.5.col.gz": 51}
FOUND = {"myciel3": 4, "myciel4": 5, "myciel5": 6, "myciel6": 7, "myciel7": 8, "DSJC125.5": 17,
         "queen8_8": 9}
HARD = {"DSJC250.5": 28, "DSJC1000.1": 21, "DSJC1000.5": 86, "r1000.1c": 98, "r1000.5": 234,
        "le450_25c": 26, "flat300_28_0": 31, "queen11_11": 12, "wap01a": 41}


def instance(name):
    return os.path.join(INSTANCES, name + ".col.gz")


def colored(result, path):
    """The result of a run that met its goal, and whose solution is legal."""
    value = result_of(expect(result, 0).out)
    expect(tool("verify", path, value["solution"]), 0, "legal")
    return value


def prove(path, colors):
    value = colored(dist("--json", "--quiet", "--time-limit", LIMIT, path), path)
    check(value["optimal"] and value["colors"] == colors and value["lower_bound"] == colors, value)


def find(path, colors, run=dist):
    value = colored(run("--json", "--quiet", "-k", colors, "--time-limit", LIMIT, path), path)
    check(value["colors"] <= colors, value)


def test_examples():
    for name, colors in EXAMPLES_PROVED.items():
        prove(os.path.join(EXAMPLES, name), colors)
    for name, colors in EXAMPLES_FOUND.items():
        find(os.path.join(EXAMPLES, name), colors)


def test_large_mesh():
    expect(tool("generate", "mesh27", "--nx", 20, "-o", "mesh.col"), 0)
    prove("mesh.col", 8)


def test_infeasible():
    """Below the lower bound: said so, exit 1, and still a coloring."""
    path = os.path.join(EXAMPLES, "rook_12.col.gz")
    value = result_of(expect(dist("--json", "--quiet", "-k", 11, path), 1).out)
    check(value["exit_reason"] == "infeasible" and value["target_met"] is False, value)
    expect(tool("verify", path, value["solution"]), 0)


def test_instances():
    for name, colors in PROVED.items():
        prove(instance(name), colors)
    for name, colors in FOUND.items():
        find(instance(name), colors)


def test_hard_instances():
    for name, colors in HARD.items():
        find(instance(name), colors)
        print(f"     {name} {colors}", flush=True)


def test_hard_with_ranks():
    """Two ranks, 48 colors: the promise of the README."""
    find(instance("DSJC500.5"), 48, run=lambda *arguments: ranks(2, *arguments))


if __name__ == "__main__":
    if any("instances" in name or "hard" in name for name in sys.argv[3:]) and not INSTANCES:
        print("PRISM_INSTANCES names no folder with benchmark graphs")
        sys.exit(77)
    cli.main(globals())
