"""A report of runs: which sections it has, and what its head says."""

import statistics

from prism_analysis import coloring, compare, sets, single, times
from prism_analysis.document import (Report, Section, Table, number, per_second, with_interval)

DETAILS = 1  # runs that are looked into, where there are more than two


def in_detail(runs, wanted):
    """The best runs: fewest colors, then soonest. wanted: how many, None: the default."""
    if wanted is None:
        wanted = len(runs) if len(runs) <= 2 else DETAILS
    order = sorted(runs, key=lambda run: (run.best is None, run.best or 0,
                                          run.time_to(run.best) if run.best else 0.0))
    return order[:wanted]


def title_of(runs):
    names = list(dict.fromkeys(run.graph.get("name", "?") for run in runs))
    graphs = names[0] if len(names) == 1 else f"{len(names)} graphs"
    if len(runs) > 1:
        return f"{graphs}: {sets.plural(len(runs), 'run')}"
    best = runs[0].best
    return f"{graphs}: {sets.plural(best, 'color')}" if best else f"{graphs}: no coloring yet"


def lead_of(runs, problems):
    lead = []
    graphs = {(run.graph.get("name"), run.graph["n"], run.graph["m"]) for run in runs}
    if len(graphs) == 1:
        name, n, m = graphs.pop()
        lead.append(f"{name} has {n:,} vertices and {m:,} edges.")
    states = [run.state for run in runs]
    for state in ("killed", "going on"):
        if state in states:
            lead.append(f"{states.count(state)} of {len(runs)}: {state}." if len(runs) > 1 else
                        f"The run {'was killed' if state == 'killed' else 'is going on'}.")
    return lead + [f"Left out: {problem}." for problem in problems]


def facts_of(runs, target):
    if len(runs) == 1:
        run = runs[0]
        best = run.best
        facts = [(str(best) if best else "-", "colors")]
        if run.lower_bound:
            facts.append((str(run.lower_bound), "needed, proved" if best != run.lower_bound
                          else "needed: optimal"))
        facts += [(f"{number(run.time_to(best) if best else None)} s", "to the best"),
                  (f"{number(run.seconds)} s", f"ended by {sets.end_text(run)}" if len(run.summary)
                   else run.state),
                  (per_second(compare.rate(run)), "iterations/s")]
        return facts
    bests = [run.best for run in runs if run.best is not None]
    facts = [(str(len(runs)), "runs")]
    if len({run.graph.get("hash") for run in runs}) == 1 and bests:
        target = target or compare.pick_target(runs)
        sample = compare.sample_of(runs, target)
        facts += [(str(min(bests)), "fewest colors"),
                  (f"{len(sample.times)} of {sample.count()}", f"reached {target} colors"),
                  (f"{number(times.reach_time(sample))} s", f"median time to {target}")]
    rates = [rate for rate in map(compare.rate, runs) if rate == rate]
    if rates:
        facts.append((per_second(statistics.median(rates)), "iterations/s"))
    return facts


def find_graph(run, graph):
    """The graph given by the user, if it is the one of this run."""
    if graph is None or graph[2] != run.graph.get("hash"):
        return None
    return graph[:2]


def load_graph(path, runs):
    """(n, edges, hash); GraphError where no run is of this graph."""
    n, edges = coloring.read_graph(path)
    name = coloring.graph_hash(n, edges)
    if all(run.graph.get("hash") != name for run in runs):
        raise coloring.GraphError(f"{path} is another graph than that of the runs (its hash "
                                  "differs)")
    return n, edges, name


def graph_sections(runs, against, names, target):
    sections, groups = [], compare.by_graph(runs)
    others = compare.by_graph(against)
    with_name = len({*groups, *others}) > 1
    for key, members in groups.items():
        if against:
            if key in others:
                sections.append(sets.comparison_section(names, members, others[key], target,
                                                        with_name, key[0]))
            continue
        if len(members) > 1:
            sections.append(sets.graph_section(key[0], members, target, with_name))
            scaling = sets.scaling_section(key[0], members, target, with_name)
            if scaling:
                sections.append(scaling)
    return sections


def build(runs, against=(), names=("A", "B"), problems=(), target=None, graph=None, detail=None,
          log_time=False):
    """[in] runs, against: sets of runs (load.Run); graph: what load_graph() gave, or None."""
    against, every = list(against), [*runs, *against]
    set_of = {id(run): names[run_set] for run_set, members in enumerate((runs, against))
              for run in members} if against else None
    first = Section("Overview", [sets.overview(every, set_of)])
    changed = compare.differing(every)
    if changed and not against and len(every) > 1:
        if len(every) <= 6:
            table = Table("Parameters that differ", ["parameter", *[run.name for run in every]],
                          [[key, *[value or "(empty)" for value in values]]
                           for key, values in changed.items()])
        else:
            table = Table("Parameters that differ", ["parameter", "values"],
                          [[key, ", ".join(dict.fromkeys(value or "(empty)" for value in values))]
                           for key, values in changed.items()])
        first.blocks.append(table)
    sections = [first, *graph_sections(runs, against, names, target)]
    if against and len(sections) == 1:
        problems = [*problems, "the comparison: the two sets have no graph in common"]
    chosen = in_detail(every, detail)
    sections += [single.run_section(run, find_graph(run, graph), log_time, len(every) == 1)
                 for run in chosen]
    sections += [single.settings_section(run, len(every) > 1) for run in chosen or every[:1]]
    return Report(title_of(every), lead_of(every, problems), sections, facts_of(every, target))
