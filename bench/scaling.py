#!/usr/bin/env python3
"""Turns bench/results/scaling-*.csv into the tables and the plots of docs/SCALING.md.

scaling.py                     rewrites what stands between the markers, and docs/scaling
scaling.py --check             ends with 1 when the text is not up to date
scaling.py --print FILE.csv    prints the tables of one CSV
scaling.py --plot FILE.csv FOLDER   draws the plots of one CSV there

Plots need matplotlib: of $PRISM_PYTHON, this python3 or the system's.
"""

import math
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

import report

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(1, str(ROOT / "scripts"))
from prism_analysis import times as model  # shared with the report of runs

DOCUMENT = ROOT / "docs/SCALING.md"
PLOTS = ROOT / "docs/scaling"
MODES = ["cooperating", "alone"]
EXTRAPOLATED = [64, 1024]
RETRIED = "PRISM_SCALING_RETRIED"
# Of eight GPUs.
GOALS = {"gpus": 8, "speedup": 6.0, "rate": 0.98, "exchange": 0.01}
GOAL_SECONDS = {("DSJC1000.5", "83"): 3.0, ("DSJC1000.5", "82"): 60.0}  # medians


class Target(NamedTuple):
    """The runs to one number of colors of one graph."""
    graph: str
    k: str
    samples: dict  # label -> {GPUs: Sample}

    def name(self):
        return f"{self.graph} {self.k}"

    def stem(self):
        return re.sub(r"[^A-Za-z0-9._-]", "-", f"{self.graph}-{self.k}")

    def single(self):
        """One GPU: what everything is compared with."""
        for label in sorted(self.samples, key=lambda label: label != MODES[0]):
            if 1 in self.samples[label]:
                return self.samples[label][1]
        return None

    def of_mode(self, mode):
        """{GPUs: Sample} of a mode; the runs of one GPU serve both."""
        found = dict(self.samples.get(mode, {}))
        if found and self.single():
            found.setdefault(1, self.single())
        return found


def targets_of(rows):
    groups = {}
    for row in rows:
        if row["part"] != "rates" and row["reason"] != "error":
            labels = groups.setdefault((row["graph"], row["k"]), {})
            labels.setdefault(row["label"], {}).setdefault(int(row["ranks"]), []).append(row)
    return [Target(graph, k, {label: {gpus: sample_of(runs) for gpus, runs in points.items()}
                              for label, points in labels.items()})
            for (graph, k), labels in groups.items()]


def sample_of(runs):
    return model.Sample(
        tuple(float(run["seconds"]) for run in runs if run["met"] == "1"),
        tuple(float(run["wall"]) for run in runs if run["met"] != "1"))


def unit_of(rows):
    return "GPUs" if any(row.get("gpu") for row in rows) else "CPU ranks"


# ---- cells ----

def number(value):
    if value is None:
        return "-"
    return "∞" if math.isinf(value) else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def with_interval(value, bounds, show=number):
    """'2.31 (1.90 to 3.02)'"""
    if value is None or bounds is None:
        return show(value)
    return f"{show(value)} ({show(bounds[0])} to {show(bounds[1])})"


def median_cell(sample):
    value = model.median(sample.values())
    text = f"> {report.seconds_text(max(sample.cuts))}" if math.isinf(value) else None
    bounds = model.median_interval(sample)
    cells = [text or report.seconds_text(value)] + [number(bound) if math.isinf(bound) else
                                                    report.seconds_text(bound)
                                                    for bound in bounds]
    return f"{cells[0]} ({cells[1]} to {cells[2]})"


# ---- tables ----

def measured_table(target, unit):
    alone = target.samples.get("alone", {})
    head = [unit, "islands", "reached", "median s", "speed-up", "alone / cooperating", "sooner"]
    body, single = [], target.single()
    points = sorted((gpus, label) for label in target.samples for gpus in target.samples[label])
    for gpus, label in sorted(points, key=lambda point: (point[0], MODES.index(point[1])
                                                         if point[1] in MODES else 9, point[1])):
        sample = target.samples[label][gpus]
        cells = [str(gpus), "-" if gpus == 1 and label in MODES else label,
                 f"{len(sample.times)}/{sample.count()}", median_cell(sample)]
        cells.append("" if sample is single or single is None
                     else with_interval(*model.speedup(single, sample)))
        if label != "alone" and gpus in alone and gpus > 1:
            cells += [with_interval(*model.speedup(alone[gpus], sample)),
                      f"{100 * model.sooner(sample, alone[gpus]):.0f} %"]
        else:
            cells += ["", ""]
        body.append(cells)
    return report.table(head, body)


def rates_of(rows):
    """{(graph, k): {(GPUs, label): [its runs with a rate]}} of the runs for steady rates."""
    out = {}
    for row in rows:
        if row["part"] == "rates" and row.get("iterations_per_s"):
            key = (int(row["ranks"]), row["label"])
            out.setdefault((row["graph"], row["k"]), {}).setdefault(key, []).append(row)
    return out


def mean_of(runs, column):
    values = [float(run[column]) for run in runs if run.get(column)]
    return sum(values) / len(values) if values else None


def losses_of(rows):
    """{GPUs: share of iterations per second lost}, cooperating, mean over the graphs."""
    found = {}
    for points in rates_of(rows).values():
        base = points.get((1, MODES[0]))
        if base is None:
            continue
        for (gpus, label), runs in points.items():
            if label == MODES[0] and gpus > 1:
                kept = (mean_of(runs, "iterations_per_s")
                        / (gpus * mean_of(base, "iterations_per_s")))
                found.setdefault(gpus, []).append(1.0 - kept)
    return {gpus: sum(lost) / len(lost) for gpus, lost in found.items()}


def start_of(rows, choose):
    """s to the first move of the smallest (min) or the largest (max) measured number of GPUs;
    0: not known."""
    starts = {}
    for row in rows:
        if row["part"] == "rates" and row.get("start"):
            starts.setdefault(int(row["ranks"]), []).append(float(row["start"]))
    return model.median(starts[choose(starts)]) if starts else 0.0


def rate_table(rows, unit):
    body = []
    for (graph, k), points in rates_of(rows).items():
        base = points.get((1, MODES[0]))
        for (gpus, label), runs in sorted(points.items()):
            rate = mean_of(runs, "iterations_per_s")
            scaling = rate / (gpus * mean_of(base, "iterations_per_s")) if base else None
            start = mean_of(runs, "start")
            body.append([f"{graph} {k}", str(gpus), "-" if gpus == 1 else label, str(len(runs)),
                         report.per_second(rate), "" if gpus == 1 or scaling is None
                         else f"{scaling:.3f}", "" if start is None else f"{start:.2f}"])
    head = ["graph, k", unit, "islands", "runs", "it/s, all together", "scaling", "start s"]
    return report.table(head, body) if body else ""


def exchanged(rows):
    """The runs in which ranks met."""
    return [row for row in rows if int(row.get("exchanges") or 0) > 0 and row["wall"]]


def exchange_share(runs):
    """Of the time, mean of the runs."""
    return sum(float(run["exchange_seconds"]) / float(run["wall"]) for run in runs) / len(runs)


def exchange_table(rows, unit):
    groups = {}
    for row in exchanged(rows):
        key = (f"{row['graph']} {row['k']}", int(row["ranks"]), row["label"])
        groups.setdefault(key, []).append(row)
    body = []
    for (name, gpus, label), runs in sorted(groups.items()):
        times = sum(int(run["exchanges"]) for run in runs)
        each = sum(float(run["exchange_seconds"]) for run in runs) / times
        sent = sum(float(run["exchange_bytes"]) for run in runs) / times / gpus
        a_second = times / sum(float(run["wall"]) for run in runs)
        body.append([name, str(gpus), label, f"{a_second:.2f}", f"{1e3 * each:.3g}",
                     f"{sent / 1e3:.3g}", f"{100 * exchange_share(runs):.2f} %"])
    head = ["graph, k", unit, "islands", "exchanges a second", "ms each", "KB sent by a rank each",
            "share of the time"]
    return report.table(head, body) if body else ""


class Forecast(NamedTuple):
    fitted: model.Fit
    refits: list
    growth: model.Growth
    regrown: list
    losses: dict


def forecast_of(target, rows):
    single = target.single()
    first = start_of(rows, min)
    fitted = model.fit(single, first) if single else None
    if fitted is None:
        return None
    start, together = start_of(rows, max), target.of_mode("cooperating")
    growth = model.grow(together, start)
    return Forecast(fitted, model.refits(single, fitted, first), growth,
                    model.regrown(together, start) if growth else [], losses_of(rows))


def together_cell(forecast, gpus, loss):
    if forecast.growth is None:
        return "-"
    bounds = model.interval([one.median(gpus, loss) for one in forecast.regrown])
    return with_interval(forecast.growth.median(gpus, loss), bounds, report.seconds_text)


def model_table(target, forecast, unit):
    single, body = target.single(), []
    alone, together = (target.of_mode(mode) for mode in reversed(MODES))
    numbers = sorted({gpus for points in target.samples.values() for gpus in points})
    for gpus in numbers + [gpus for gpus in EXTRAPOLATED if gpus > max(numbers)]:
        best = model.expected_best(single, gpus)
        isolated = forecast.fitted.median(gpus)
        bounds = model.interval([one.median(gpus) for one in forecast.refits])
        loss = model.loss_at(gpus, forecast.losses)
        cells = [str(gpus), "-" if best is None else
                 ("" if best[1] else "> ") + report.seconds_text(best[0]),
                 report.seconds_text(forecast.fitted.mean(gpus)),
                 with_interval(isolated, bounds, report.seconds_text)]
        for points in (alone, together):
            value = model.median(points[gpus].values()) if gpus in points else None
            cells.append("" if value is None else "> limit" if math.isinf(value)
                         else report.seconds_text(value))
        if gpus in numbers:
            value = model.median(together[gpus].values()) if gpus in together else math.inf
            cells += [together_cell(forecast, gpus, 0.0), ""]
        else:
            value = forecast.growth.median(gpus) if forecast.growth else math.inf
            cells += [together_cell(forecast, gpus, 0.0), together_cell(forecast, gpus, loss)]
        cells.append("" if math.isinf(value) or value <= 0 else number(isolated / value))
        body.append(cells)
    return report.table(
        [unit, "alone: mean, order statistics", "mean, fit", "median, fit", "median, measured",
         "cooperating: median, measured", "median, model", "median, growing loss",
         "gain of cooperation"], body)


def model_text(target, forecast, unit):
    fitted, single = forecast.fitted, target.single()
    shifts = model.interval([one.shift for one in forecast.refits])
    scales = model.interval([one.scale for one in forecast.refits])
    shift = with_interval(fitted.shift, shifts, report.seconds_text)
    scale = with_interval(fitted.scale, scales, report.seconds_text)
    lines = [f"Model (times in s). One {unit[:-1]}: shift {shift}, scale {scale}; largest "
             f"distance from the measured distribution {model.misfit(single, fitted):.2f}. "
             f"Isolated islands, however many: speed-up at most {number(fitted.bound())}."]
    if forecast.growth:
        growth = forecast.growth
        powers = model.interval([one.power for one in forecast.regrown])
        lines.append(f"Cooperating: start {growth.start:.2f}, work {growth.work:.2f}, "
                     f"power {with_interval(growth.power, powers)}.")
    else:
        lines.append(f"Cooperating: not extrapolated, which takes medians of at least "
                     f"{model.LEAST_POINTS} numbers of {unit}.")
    return " ".join(lines)


def goal_lines(rows, targets):
    """The goals of eight GPUs that were measured."""
    lines, gpus = [], GOALS["gpus"]
    for target in targets:
        together, single = target.of_mode(MODES[0]), target.single()
        if gpus not in together:
            continue
        value = model.median(together[gpus].values())
        goal = GOAL_SECONDS.get((target.graph, target.k))
        if goal:
            lines.append(f"- {target.name()}: median under {goal:g} s: "
                         f"{report.verdict(value < goal)}")
        if single and goal:
            found = model.speedup(single, together[gpus])[0]
            lines.append(f"- {target.name()}: speed-up of {GOALS['speedup']:g} or more: "
                         f"{report.verdict(found is not None and found >= GOALS['speedup'])}")
        alone = target.of_mode("alone")
        if gpus in alone and goal:
            found = model.speedup(alone[gpus], together[gpus])[0]
            lines.append(f"- {target.name()}: better than isolated islands: "
                         f"{report.verdict(found is not None and found > 1)}")
    losses = losses_of(rows)
    if gpus in losses:
        lines.append(f"- iterations per second: scaling of {GOALS['rate']:g} or more: "
                     f"{report.verdict(1 - losses[gpus] >= GOALS['rate'])}")
    runs = [row for row in exchanged(rows) if row["ranks"] == str(gpus)]
    if runs:
        lines.append(f"- exchange under {100 * GOALS['exchange']:g} % of the time: "
                     f"{report.verdict(exchange_share(runs) < GOALS['exchange'])}")
    return [f"Goals of {gpus} GPUs:\n\n" + "\n".join(lines)] if lines else []


def tables_of(rows, machine=None):
    """All of one CSV; with the pictures of a machine if it is named."""
    unit, targets = unit_of(rows), targets_of(rows)
    failed = sum(row["reason"] == "error" for row in rows)
    out = goal_lines(rows, targets) if unit == "GPUs" else []
    if failed:
        out.append(f"**{failed} of {len(rows)} runs failed and are left out.**")
    if rate_table(rows, unit):
        out += ["#### Iterations per second", rate_table(rows, unit)]
    if exchange_table(rows, unit):
        out += ["#### Exchange", exchange_table(rows, unit)]
    for target in targets:
        out += [f"#### {target.name()}", measured_table(target, unit)]
        forecast = forecast_of(target, rows)
        if machine:
            out += [f"![{title}](scaling/{machine}-{target.stem()}-{kind}.svg)"
                    for kind, title in plots_of(target, forecast, unit)]
        if forecast:
            out += [model_text(target, forecast, unit), model_table(target, forecast, unit)]
    return "\n\n".join(out)


def plots_of(target, forecast, unit):
    """(kind, title) of the pictures of a target."""
    several = target.single() and any(gpus > 1 for points in target.samples.values()
                                      for gpus in points)
    name = target.name()
    return ([("ttt", f"{name}: distribution of the time to target")]
            + ([("speedup", f"{name}: speed-up of the median")] if several else [])
            + ([("model", f"{name}: model up to {EXTRAPOLATED[-1]} {unit}")] if forecast else []))


# ---- the document ----

def machines():
    for path in sorted(report.RESULTS.glob("scaling-*.csv")):
        header, rows = report.read_csv(path)
        if rows:
            yield path.stem[len("scaling-"):], header, rows


def section():
    parts = [f"### {machine}\n\n{report.facts(header, rows)}\n\n{tables_of(rows, machine)}"
             for machine, header, rows in machines()]
    return "\n\n".join(parts) if parts else "Not measured yet."


def draw(rows, machine, folder):
    import scaling_plots  # here alone: the tables need no matplotlib
    folder.mkdir(parents=True, exist_ok=True)
    unit = unit_of(rows)
    for target in targets_of(rows):
        forecast = forecast_of(target, rows)
        for kind, title in plots_of(target, forecast, unit):
            scaling_plots.draw(kind, title, target, forecast, unit,
                               folder / f"{machine}-{target.stem()}-{kind}.svg")


def draw_all(jobs):
    """Draws, with another python3 if this one has no matplotlib."""
    jobs = list(jobs)
    if not jobs:
        return
    try:
        import matplotlib  # noqa: F401
    except ImportError as missing:
        python = os.environ.get("PRISM_PYTHON") or "/usr/bin/python3"
        if RETRIED not in os.environ and os.access(python, os.X_OK):
            os.environ[RETRIED] = "1"
            os.execv(python, [python, "-B"] + sys.argv)
        sys.exit(f"scaling.py: no plots: {missing} (apt-get install python3-matplotlib)")
    for rows, machine, folder in jobs:
        draw(rows, machine, folder)


def name_of(path):
    return re.sub("^scaling-", "", Path(path).stem)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--print"] and len(arguments) == 2:
        print(tables_of(report.read_csv(arguments[1])[1]))
        return 0
    if arguments[:1] == ["--plot"] and len(arguments) == 3:
        rows = report.read_csv(arguments[1])[1]
        draw_all([(rows, name_of(arguments[1]), Path(arguments[2]))])
        return 0
    if arguments not in ([], ["--check"]):
        print(__doc__.strip(), file=sys.stderr)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    old = DOCUMENT.read_text(encoding="utf-8")
    new = report.between_markers(old, "scaling", "bench/scaling.py", section(), DOCUMENT)
    if arguments:
        if new != old:
            print(f"{DOCUMENT} is not up to date: run bench/scaling.py", file=sys.stderr)
        return 1 if new != old else 0
    DOCUMENT.write_text(new, encoding="utf-8")
    draw_all((rows, machine, PLOTS) for machine, _, rows in machines())
    return 0


if __name__ == "__main__":
    sys.exit(main())
