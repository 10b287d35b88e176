#!/usr/bin/env python3
"""What failures and faults lead to: prints the tables of docs/RELIABILITY.md.

reliability.py [--build FOLDER] [--repeats N] [--timeouts S,S...] [CASE...]
reliability.py --faults [--build FOLDER] [--trials N] [--runs N] [--soak S] [TEST...]
reliability.py --fuzz S [--build FOLDER]

The first form tells how long a job lives on after a failure. Makes every failure of
tests/integration/failure_cases.py N times (3) on two hosts of two ranks, which are namespaces
of this machine, for each run.peer_timeout (30 and 5), and prints medians in seconds from the
failure until the launcher and all ranks are gone. What each case must leave behind is checked
too: a case that does not hold is named and ends the script with 1. Needs mpirun, iproute2,
h5py, and the programs of a build with tests.

The second form makes the faults of tests/integration/test_faults_*.py: those at random
moments N times (100), N short runs (1000), a long one of S seconds (3600). The third form
fuzzes every reader for S seconds (build: build/fuzz, made with PRISM_FUZZ=ON)."""

import argparse
import importlib
import os
import re
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--soak", type=float, default=3600)
    parser.add_argument("--fuzz", type=int, default=0, metavar="SECONDS")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timeouts", default="30,5")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    arguments = parser.parse_args()
    if not arguments.build:
        arguments.build = os.path.join(ROOT, "build", "fuzz" if arguments.fuzz else "test")
    return arguments


def library(build, name="strike"):
    for folder in [build, os.path.join(build, "tests", "integration")]:
        path = os.path.join(folder, f"libprism_{name}.so")
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


def programs(build):
    import cli
    cli.DIST = os.path.abspath(os.path.join(build, "prism-dist"))
    cli.TOOL = os.path.abspath(os.path.join(build, "prism"))


def faults_table(arguments):
    os.environ.update(PRISM_FAULT_TRIALS=str(arguments.trials),
                      PRISM_FAULT_RUNS=str(arguments.runs),
                      PRISM_SOAK_SECONDS=str(arguments.soak))
    os.environ.setdefault("PRISM_FAULT_SHIM", library(arguments.build, "fault_shim"))
    import faults
    faults.enter()
    programs(arguments.build)
    failed = False
    print("| fault | times | what was found |\n|---|---|---|", flush=True)
    for file in ["disk", "kill", "limits"]:
        module = importlib.import_module(f"test_faults_{file}")
        for name in [n for n in vars(module) if n.startswith("test_")]:
            if arguments.cases and name not in arguments.cases:
                continue
            try:
                times, found = faults.attempt(getattr(module, name))
            except faults.Skipped as reason:
                times, found = "", f"left out: {reason}"
            except AssertionError as problem:
                times, found, failed = "", "failed", True
                print(f"{name}: {problem}", file=sys.stderr, flush=True)
            print(f"| {faults.title(getattr(module, name))} | {times} | {found} |", flush=True)
    return 1 if failed else 0


def fuzz_table(arguments):
    """Inputs are those that were run; the corpora are among them."""
    folder = os.path.join(os.path.abspath(arguments.build), "tests", "fuzz")
    sources = os.path.join(ROOT, "tests", "fuzz")
    failed = False
    print("| reader | inputs | |\n|---|---|---|", flush=True)
    for name in sorted(os.listdir(sources)):
        if not name.startswith("corpus_"):
            continue
        reader = name.removeprefix("corpus_")
        done = subprocess.run(
            ["sh", os.path.join(sources, "fuzz_run.sh"), os.path.join(folder, f"fuzz_{reader}"),
             sources, reader, folder], capture_output=True, text=True, errors="replace",
            env={**os.environ, "PRISM_FUZZ_SECONDS": str(arguments.fuzz)}, check=False)
        inputs = re.search(r"number_of_executed_units:\s+(\d+)", done.stderr)
        failed = failed or done.returncode != 0
        print(f"| {reader} | {inputs.group(1) if inputs else ''} | "
              f"{'nothing found' if done.returncode == 0 else 'failed'} |", flush=True)
    return 1 if failed else 0


def main():
    arguments = read_arguments()
    if arguments.fuzz:
        return fuzz_table(arguments)
    if arguments.faults:
        return faults_table(arguments)
    os.environ.setdefault("PRISM_STRIKE_LIBRARY", library(arguments.build))
    import failure_cases as cases
    import two_hosts
    two_hosts.enter(optional=True)
    programs(arguments.build)
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
