#!/usr/bin/env python3
"""Are the solution files of results/ what its README says? Each is named GRAPH-COLORS.sol,
gives every vertex from 1 to n one of so many colors, and carries the hash of its graph."""
import re
import sys
from pathlib import Path


def check(path, readme):
    """The first thing that is wrong with a file, or None."""
    name = re.fullmatch(r"(.+)-(\d+)\.sol", path.name)
    if name is None:
        return "is not named GRAPH-COLORS.sol"
    graph, colors = name[1], int(name[2])
    if f"| {path.name} |" not in readme:
        return "has no row in README.md"
    row = re.search(rf"\| {re.escape(graph)} \| ([\d,]+) \| [\d,]+ \| ([0-9a-f]{{64}}) \|", readme)
    if row is None:
        return "has a graph without a row in README.md"
    lines = path.read_text(encoding="ascii").split("\n")
    if f"c graph-hash {row[2]}" not in lines:
        return "has another graph's hash"
    if f"s col {colors}" not in lines:
        return f"does not say that it has {colors} colors"
    pairs = [tuple(map(int, line.split()[1:])) for line in lines if line.startswith("l ")]
    if sorted(v for v, _ in pairs) != list(range(1, int(row[1].replace(",", "")) + 1)):
        return "does not color each vertex once"
    if {c for _, c in pairs} != set(range(1, colors + 1)):
        return f"does not use the colors 1 to {colors}"
    return None


def main():
    folder = Path(sys.argv[1])
    readme = (folder / "README.md").read_text(encoding="utf-8")
    files = sorted(folder.glob("*.sol"))
    wrong = [f"{path}: {text}" for path in files if (text := check(path, readme)) is not None]
    print("\n".join(wrong) or f"{len(files)} solution files are as they should be")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
