"""Sections of a report that look at sets of runs: overview, times to target, comparison,
scaling."""

import math
from functools import partial

import numpy as np

from prism_analysis import compare, plots_sets, times
from prism_analysis.document import (Figure, Section, Table, Text, count, number, per_second,
                                     percent, probability, with_interval)
from prism_analysis.load import ENDED

LEAST_FIT = 5  # runs at the target, below which no fit is drawn
ENDS = {"time": "time limit", "iterations": "iteration limit", "infeasible":
        "target below the lower bound"}


def plural(number_of, word):
    return f"{number_of:,} {word}" + ("" if number_of == 1 else "s")


def end_text(run):
    return ENDS.get(run.end, run.end)


def overview(runs, set_of=None):
    """One row a run; set_of: {run id: name of its set}."""
    graphs = {run.graph.get("name") for run in runs}
    head = ["run", "graph", "set", "colors", "target", "to best s", "time s", "ended by",
            "iterations", "iterations/s", "ranks", "threads", "device", "seed"]
    rows = []
    for run in runs:
        best = run.best
        bound = f" (≥ {run.lower_bound})" if run.lower_bound and best != run.lower_bound else ""
        proved = " (optimal)" if best and best == run.lower_bound else bound
        threads = run.ranks["threads"].max() if len(run.ranks) else None
        rows.append([run.name, run.graph.get("name", ""), (set_of or {}).get(id(run), ""),
                     f"{best}{proved}" if best else "-", count(run.target),
                     number(run.time_to(best) if best else None), number(run.seconds),
                     end_text(run), count(run.iterations), per_second(compare.rate(run)),
                     str(run.rank_count), count(threads), run.device or "-", run.seed or "-"])
    drop = ({"graph"} if len(graphs) == 1 else set()) | (set() if set_of else {"set"})
    drop |= {"target"} if all(run.target is None for run in runs) else set()
    kept = [i for i, name in enumerate(head) if name not in drop]
    table = Table("Runs", [head[i] for i in kept], [[row[i] for i in kept] for row in rows])
    if any(run.lower_bound for run in runs):
        table.text = ("≥ is what is proved to be needed. " if any("≥" in row[head.index("colors")]
                                                               for row in rows) else "")
    if len({run.state for run in runs} - {ENDED}):
        table.text += ("What did not end is shown as far as it was written: its time is that of "
                       "its last record.")
    return table


def success_row(runs, colors):
    sample = compare.sample_of(runs, colors)
    reached, total = len(sample.times), sample.count()
    fitted = times.fit(sample) if reached >= LEAST_FIT else None
    mean = float(np.mean(sample.times)) if reached else None
    # Runs given up between others leave no plain share to measure a distance from.
    known = fitted and all(cut >= max(sample.times) for cut in sample.cuts)
    return [str(colors), f"{reached} of {total}",
            with_interval(reached / total, times.share_interval(reached, total), percent),
            with_interval(times.reach_time(sample), times.reach_interval(sample)),
            number(times.reach_time(sample, 0.9)), number(mean),
            number(fitted.shift if fitted else None), number(fitted.scale if fitted else None),
            number(times.misfit(sample, fitted) if known else None)]


def success_table(runs, extra=None):
    wanted = sorted({*compare.levels(runs), *([extra] if extra else [])})
    return Table(
        "Success", ["colors", "reached", "share", "median s", "90 % s", "mean of these s",
                    "fit: shift s", "fit: scale s", "misfit"],
        [success_row(runs, colors) for colors in wanted],
        "Reached: with so many colors or fewer; the share is of all runs. For median, 90 % and fit "
        "a run that ended without counts as at it until its end (censored, Kaplan-Meier; ∞: not "
        "known to come); the mean leaves it out. In brackets 95 % intervals. Misfit: largest "
        "distance between fit and measurement.")


def times_figure(runs, colors, name):
    sample = compare.sample_of(runs, colors)
    if not sample.times or sample.count() < 2:
        return None
    fitted = times.fit(sample) if len(sample.times) >= LEAST_FIT else None
    again = times.refits(sample, fitted) if fitted else []
    text = f"{name}, {colors} colors: {len(sample.times)} of {plural(sample.count(), 'run')}."
    if fitted:
        text += (f" Fit: shifted exponential, shift {number(fitted.shift)} s, scale "
                 f"{number(fitted.scale)} s.")
    return Figure("Time to target", text,
                  partial(plots_sets.draw_times, sample=sample, fitted=fitted, refits=again), 3.3)


def graph_section(name, runs, target, with_name):
    """Several runs of one graph."""
    section = Section(f"{name}: all runs" if with_name else "All runs")
    target = target or compare.pick_target(runs)
    if target is None:
        section.blocks.append(Text("No run has a coloring yet."))
        return section
    section.blocks.append(success_table(runs, target))
    figure = times_figure(runs, target, name)
    if figure:
        section.blocks.append(figure)
    elif not compare.sample_of(runs, target).times:
        section.blocks.append(Text(f"No run of {name} reached {target} colors."))
    section.blocks += [
        Figure("Colors over time", "Fewest colors of every run, and the median of the runs.",
               partial(plots_sets.draw_colors_over_time, runs=runs), 3.2),
        Figure("Colors at the end", "Runs by the fewest colors that they found.",
               partial(plots_sets.draw_final_colors, named=[("runs", runs)]), 2.6)]
    return section


def scaling_section(name, runs, target, with_name):
    """Runs of one graph on different numbers of ranks or GPUs; None: there is one number."""
    unit, sizes = compare.by_size(runs)
    target = target or compare.pick_target(runs)
    if len(sizes) < 2 or target is None:
        return None
    base = compare.sample_of(next(iter(sizes.values())), target)
    least, rows, speedups, rates = next(iter(sizes)), [], {}, {}
    for size, members in sizes.items():
        sample = compare.sample_of(members, target)
        found = (1.0, None) if size == least else compare.ratio(base, sample)
        measured = [rate for rate in map(compare.rate, members) if not math.isnan(rate)]
        pace = (float(np.median(measured)), (min(measured), max(measured))) if measured else None
        speedups[size] = found
        if pace:
            rates[size] = pace
        share = (pace[0] / size / (rates[least][0] / least)
                 if pace and least in rates else None)
        rows.append([str(size), str(len(members)), f"{len(sample.times)} of {sample.count()}",
                     with_interval(times.reach_time(sample), times.reach_interval(sample)),
                     "" if size == least else with_interval(*found),
                     per_second(pace[0]) if pace else "-",
                     "" if size == least else percent(share)])
    table = Table(f"Scaling to {target} colors",
                  [unit, "runs", "reached", "median s", "speed-up", "iterations/s", "of ideal"],
                  rows, f"Speed-up: median time on the fewest {unit} divided by that on these. "
                  "Of ideal: iterations per second, against proportional growth.")
    figure = Figure("Scaling", f"{name}, {target} colors: median time with its 95 % interval; "
                    "iterations per second, median and range of the runs.",
                    partial(plots_sets.draw_scaling, unit=unit, speedups=speedups, rates=rates),
                    4.2)
    return Section(f"{name}: scaling" if with_name else "Scaling", [table, figure])


def test_cell(outcome):
    if outcome is None:
        return "-"
    return probability(outcome.p)


def comparison_section(names, one, other, target, with_name, name):
    """Two sets of runs of one graph."""
    runs = one + other
    target = target or compare.pick_target(runs)
    section = Section(f"{name}: {names[0]} against {names[1]}" if with_name
                      else f"{names[0]} against {names[1]}")
    if target is None:
        section.blocks.append(Text("No run has a coloring yet."))
        return section
    first, second = (compare.sample_of(runs, target) for runs in (one, other))
    bests = [[run.best for run in runs if run.best is not None] for runs in (one, other)]
    pace = compare.log_rank(first, second)
    colors = compare.rank_sum(*bests)
    met = compare.fisher(len(first.times), first.count(), len(second.times), second.count())
    rows = [
        ["runs", str(len(one)), str(len(other)), "", ""],
        [f"reached {target} colors", f"{len(first.times)} of {first.count()}",
         f"{len(second.times)} of {second.count()}", "", probability(met)],
        ["median time s", *[with_interval(times.reach_time(sample), times.reach_interval(sample))
                            for sample in (first, second)],
         f"{with_interval(*compare.ratio(first, second))} times", test_cell(pace)],
        ["ends first", percent(compare.sooner(first, second)),
         percent(compare.sooner(second, first)), "", ""],
        ["colors at the end, mean", *[number(float(np.mean(best)) if best else None, 4)
                                      for best in bests],
         number(float(np.mean(bests[0]) - np.mean(bests[1])), 3) if all(bests) else "-",
         test_cell(colors)]]
    exact = "all ways counted" if pace and pace.exact else "9999 ways drawn"
    section.blocks += [
        Table("Comparison", ["", names[0], names[1], "difference", "p"], rows,
              "p: how often chance alone makes a difference as large (below 0.05: hardly ever). "
              "Share of runs: Fisher's exact test. Time: log-rank test, which takes runs that "
              f"ended early for what they are. Colors: rank sum. The last two by permutation, "
              f"{exact}. Time difference: first median divided by the second."),
        Text(verdict(names, pace, target))]
    if first.count() and second.count() and (first.times or second.times):
        section.blocks.append(Figure(
            "Time to target, both sets", f"{name}, {target} colors, with 95 % intervals.",
            partial(plots_sets.draw_two_times, named=[(names[0], first), (names[1], second)]),
            3.4))
    section.blocks.append(Figure(
        "Colors at the end, both sets", "Runs by the fewest colors that they found.",
        partial(plots_sets.draw_final_colors, named=[(names[0], one), (names[1], other)]), 2.8))
    changed = compare.differing(runs)
    if changed:
        section.blocks.append(Table(
            "What was set differently", ["parameter", *names],
            [[key, *[", ".join(dict.fromkeys(values[i] or "(empty)" for i in span))
                     for span in (range(len(one)), range(len(one), len(runs)))]]
             for key, values in changed.items()]))
    return section


def verdict(names, pace, target):
    if pace is None:
        return f"No run reached {target} colors: nothing can be said about times."
    if pace.p < 0.05:
        return (f"The times to {target} colors differ by more than chance explains "
                f"(p = {probability(pace.p)}).")
    return (f"These runs do not show a difference in the time to {target} colors between "
            f"{names[0]} and {names[1]} (p = {probability(pace.p)}); that is no proof that "
            "there is none.")
