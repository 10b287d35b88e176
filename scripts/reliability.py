#!/usr/bin/env python3
"""How long a job lives on after a failure: prints the table of docs/RELIABILITY.md.

reliability.py [--build FOLDER] [--repeats N] [--timeouts S,S...] [CASE...]

Makes every failure of tests/integration/failure_cases.py N times (3) on two hosts of two
ranks, which are namespaces of this machine, for each run.peer_timeout (30 and 5), and
prints medians in seconds from the failure until the launcher and all ranks are gone. What
each case must leave behind is checked too: a case that does not hold is named and ends
the script with 1. Needs mpirun, iproute2, h5py, and the programs of a build with tests."""

import argparse
import os
import statistics
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "test"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timeouts", default="30,5")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    return parser.parse_args()


def library(build):
    for folder in [build, os.path.join(build, "tests", "integration")]:
        path = os.path.join(folder, "libprism_strike.so")
        if os.path.exists(path):
            return os.path.abspath(path)
    return ""


def measure(cases, case, timeout, repeats):
    """The median as text; a case that does not hold says so on stderr."""
    seconds = []
    for _ in range(repeats):
        try:
            seconds.append(cases.attempt(case, timeout, guard=timeout + 120))
        except AssertionError as problem:
            print(f"{case.title}: {problem}", file=sys.stderr, flush=True)
            return "failed"
    return f"{statistics.median(seconds):.1f}"


def main():
    arguments = read_arguments()
    os.environ.setdefault("PRISM_STRIKE_LIBRARY", library(arguments.build))
    import cli
    import failure_cases as cases
    import two_hosts
    two_hosts.enter(optional=True)
    cli.DIST = os.path.abspath(os.path.join(arguments.build, "prism-dist"))
    cli.TOOL = os.path.abspath(os.path.join(arguments.build, "prism"))
    timeouts = [float(word) for word in arguments.timeouts.split(",")]
    print("| failure | " + " | ".join(f"{t:g} s" for t in timeouts) + " |")
    print("|---|" + "---|" * len(timeouts), flush=True)
    failed = False
    for name in arguments.cases or cases.CASES:
        case = cases.CASES[name]
        reason = cases.possible(case)
        row = [f"left out: {reason}" if reason else measure(cases, case, t, arguments.repeats)
               for t in timeouts]
        failed = failed or "failed" in row
        print(f"| {case.title} | " + " | ".join(row) + " |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
