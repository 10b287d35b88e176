#!/usr/bin/env python3
"""Turns the CSVs of bench/results into the tables of docs/BENCHMARKS.md.

report.py                     rewrites what stands between the markers of that file
report.py --check             ends with 1 when the file is not up to date
report.py --print FILE.csv    prints the tables of one CSV
"""

import csv
import math
import os
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs/BENCHMARKS.md"
RESULTS = ROOT / "bench/results"
SETS = ["avx512", "avx2", "portable"]
GOALS = {"avx512": 4.0, "portable": 1.5}  # geometric mean over HEAD
MEMORY_GRAPH, MEMORY_K, MEMORY_GOAL = "DSJC1000.5", "83", 220e3  # bytes
READ_GOAL = 50.0  # MB/s
RUN_KEY = ["label", "graph", "k", "ranks", "seed"]
KINDS = ["speed", "ttt", "gpu-rates", "gpu-ttt"]  # CSV files and markers
GPU_COLUMNS = ["gpu", "driver", "cuda"]
EXCHANGE_COLUMNS = ["exchanges", "exchange_bytes", "exchange_seconds"]


def read_csv(path):
    """(comment lines, rows) of a CSV that may open with comments."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith("#")]
    return header, list(csv.DictReader(line for line in lines if not line.startswith("#")))


def write_csv(path, header, rows):
    """As a whole: a killed program leaves the old file or the new one."""
    draft = Path(f"{path}.tmp")
    with open(draft, "w", encoding="utf-8", newline="") as file:
        file.writelines(line + "\n" for line in header)
        columns = dict.fromkeys(column for row in rows for column in row)
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(draft, path)


def same_run(a, b):
    return all(a[key] == b[key] for key in RUN_KEY)


def table(head, rows):
    """A Markdown table; the first column to the left, the others to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def per_second(value):
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"


def verdict(met):
    return "yes" if met else "**no**"


def speed_tables(rows):
    by_graph, references = {}, {}
    for row in rows:
        if row["measure"] == "speed":
            key = f"{row['graph']} {row['k']}"
            by_graph.setdefault(key, {})[row["isa"]] = float(row["value"])
            references[key] = float(row["reference"])
    sets = [isa for isa in SETS if any(isa in values for values in by_graph.values())]
    out, body = [], []
    for key, values in by_graph.items():
        cells = [key, per_second(references[key])]
        for isa in sets:
            cells += ([per_second(values[isa]), f"{values[isa] / references[key]:.1f}"]
                      if isa in values else ["", ""])
        body.append(cells)
    if body:
        mean, goal = ["geometric mean", ""], ["goal", ""]
        for isa in sets:
            ratios = [values[isa] / references[key] for key, values in by_graph.items()
                      if isa in values]
            mean += ["", f"**{statistics.geometric_mean(ratios):.2f}**"]
            goal += ["", f"{GOALS[isa]:g}" if isa in GOALS else ""]
        head = ["graph, k", "HEAD it/s"] + [cell for isa in sets for cell in (isa, "ratio")]
        out.append(table(head, body + [mean, goal]))
    out += other_lines(rows)
    return "\n\n".join(out)


def other_lines(rows):
    lines = []
    for row in rows:
        value = float(row["value"])
        if row["measure"] == "read":
            lines.append(f"Reading a .col file of {int(row['graph']) / 1e6:g} million edges: "
                         f"{value:.0f} MB/s (goal: {READ_GOAL:g} or more, "
                         f"met: {verdict(value >= READ_GOAL)}).")
    memory = [float(row["value"]) for row in rows if row["measure"] == "memory"
              and (row["graph"], row["k"]) == (MEMORY_GRAPH, MEMORY_K)]
    if memory:
        lines.insert(0, f"One individual of {MEMORY_GRAPH} at k = {MEMORY_K}: "
                        f"{max(memory) / 1e3:.0f} KB (goal: {MEMORY_GOAL / 1e3:.0f} KB or less, "
                        f"met: {verdict(max(memory) <= MEMORY_GOAL)}).")
    return lines


def gpu_rate_tables(rows):
    """Iterations per second of whole GPUs, all individuals together."""
    body = []
    for row in rows:
        rate = float(row["rate"]) if row["rate"] else 0.0
        reference = float(row["reference"]) if row["reference"] else None
        body.append([f"{row['graph']} {row['k']}", row["detail"],
                     f"{rate / 1e6:.1f} M" if rate else "failed",
                     f"{reference / 1e6:g} M" if reference else "",
                     f"{rate / reference:.2f}" if reference else "",
                     f"{float(row['goal']) / 1e6:g} M" if row["goal"] else "",
                     verdict(rate >= float(row["goal"])) if row["goal"] else ""])
    head = ["graph, k", "kernel", "it/s", "test program", "ratio", "goal", "met"]
    return table(head, body)


def seconds_text(value):
    if math.isinf(value):
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def grouped(rows):
    groups = {}
    for row in sorted(rows, key=lambda r: (int(r["place"]), r["label"], int(r["ranks"]))):
        groups.setdefault((row["graph"], row["k"], row["ranks"], row["label"]), []).append(row)
    return groups


def target_cells(key, runs):
    graph, k, ranks, _ = key
    times = [float(run["seconds"]) if run["met"] == "1" else math.inf for run in runs]
    solved = [value for value in times if not math.isinf(value)]
    # Half of the runs must have reached the target for a median of times.
    median = statistics.median(times)
    limit = max(float(run["limit"]) for run in runs)
    text = f"> {limit:g}" if math.isinf(median) else seconds_text(median)
    goal = runs[0]["goal"]
    return [f"{graph} {k}", ranks, f"{len(solved)}/{len(runs)}", text,
            seconds_text(min(times)), seconds_text(max(solved)) if solved else "-", f"{limit:g}",
            goal or "", verdict(median <= float(goal)) if goal else ""]


def fewest_cells(key, runs):
    graph, _, ranks, _ = key
    colors = sorted(int(run["colors"]) for run in runs if run["colors"])
    if not colors:
        return [graph, ranks, "-", "-", "-", "-"]
    times = [float(run["seconds"]) for run in runs if run["colors"]]
    limit = max(float(run["limit"]) for run in runs)
    return [graph, ranks, str(colors[0]), ", ".join(map(str, colors)),
            seconds_text(statistics.median(times)), f"{limit:g}"]


def ttt_tables(rows):
    """Tables of runs to a target and of runs for as few colors as possible."""
    groups = grouped(rows)
    several = len({key[3] for key in groups}) > 1
    single_gpu = bool(rows) and all(row.get("gpu") and row["ranks"] == "1" for row in rows)
    out = []
    for minimize in (False, True):
        part = {key: runs for key, runs in groups.items() if (key[1] == "0") == minimize}
        if not part:
            continue
        if minimize:
            head = ["graph", "ranks", "best", "colors of each run", "median s to its best",
                    "limit s"]
            body = [fewest_cells(key, runs) for key, runs in part.items()]
        else:
            head = ["graph, target", "ranks", "reached", "median s", "min", "max", "limit s",
                    "goal s", "met"]
            body = [target_cells(key, runs) for key, runs in part.items()]
        if single_gpu:
            for cells in [head] + body:
                del cells[1]
        if several:
            head.insert(1, "variant")
            for cells, key in zip(body, part):
                cells.insert(1, f"`{key[3]}`")
        out.append(table(head, body))
    return "\n\n".join(out)


def facts(header, rows):
    """Machine, compiler, commit ... as a list, from the comment lines of a CSV."""
    lines = [f"- {line.lstrip('# ')}" for line in header]
    for gpu, driver, cuda in sorted({tuple(row[column] for column in GPU_COLUMNS)
                                     for row in rows if row.get("gpu")}):
        lines.insert(0, f"- GPU: {gpu}, driver {driver}, CUDA {cuda}")
    commits = sorted({row["commit"] for row in rows if row.get("commit")})
    if commits:
        lines.append(f"- commit: {', '.join(commits)}")
    seeds = sorted({int(row["seed"]) for row in rows if row.get("seed")})
    if seeds:
        lines.append(f"- seeds: {seeds[0]} to {seeds[-1]}")
    return "\n".join(lines)


def tables_of(rows):
    if rows and "measure" in rows[0]:
        return speed_tables(rows)
    return gpu_rate_tables(rows) if rows and "rate" in rows[0] else ttt_tables(rows)


def section(kind):
    """What belongs between the markers of one kind: every machine's facts and tables."""
    parts = []
    for path in sorted(RESULTS.glob(f"{kind}-*.csv")):
        header, rows = read_csv(path)
        if rows:
            parts.append(f"### {path.stem[len(kind) + 1:]}\n\n{facts(header, rows)}\n\n"
                         f"{tables_of(rows)}")
    return "\n\n".join(parts) if parts else "Not measured yet."


def between_markers(text, kind, script, body, document):
    """The text with this body between the markers of a kind."""
    start, end = f"<!-- {kind}: {script} -->", f"<!-- end of {kind} -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        sys.exit(f"{Path(script).name}: {document} has lost its marker {start}")
    return pattern.sub(lambda _: f"{start}\n\n{body}\n\n{end}", text)


def regenerated(text):
    for kind in KINDS:
        text = between_markers(text, kind, "bench/report.py", section(kind), DOCUMENT)
    return text


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--print"] and len(arguments) == 2:
        print(tables_of(read_csv(arguments[1])[1]))
        return 0
    if arguments not in ([], ["--check"]):
        print(__doc__.strip(), file=sys.stderr)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    old = DOCUMENT.read_text(encoding="utf-8")
    new = regenerated(old)
    if arguments:
        if new != old:
            print(f"{DOCUMENT} is not up to date: run bench/report.py", file=sys.stderr)
        return 1 if new != old else 0
    DOCUMENT.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
