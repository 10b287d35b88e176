#!/usr/bin/env python3
"""Several ranks: one result, one message, one exit code; a killed rank ends the job.

test_cli_mpi.py PRISM_DIST PRISM. MPIEXEC names the launcher (mpirun)."""

import os
import re
import signal
import subprocess
import sys

import cli
from cli import (check, coloring, expect, hard, queen, ranks, result_of, start, started, tool,
                 wait_for)


def searching():
    """Two ranks that have a first coloring."""
    process = start("--time-limit", 0, "--threads", 1, "--output", "x.h5", hard(),
                    launcher=[cli.MPIEXEC, "-np", "2"], env=cli.MPI_ENVIRONMENT)
    wait_for(lambda: os.path.exists("x.sol"), "x.sol", process)
    return process


def test_one_result():
    for count in [1, 2, 3]:
        result = ranks(count, "--json", "--quiet", "--threads", 1, "--output", f"r{count}.h5",
                       queen(6))
        value = result_of(expect(result, 0).out)
        check(value["ranks"] == count and value["colors"] == 7, value)
        expect(tool("verify", "queen6.col", f"r{count}.sol"), 0)


def test_threads_are_shared():
    """Unbound ranks of one machine divide its cores."""
    cores = len(os.sched_getaffinity(0))
    value = result_of(expect(ranks(2, "--json", "--quiet", queen(5)), 0).out)
    check(1 <= value["threads"] <= max(1, cores // 2), value)


def test_one_message():
    result = ranks(2, "-k", "x", queen(5))
    check(result.code == 2 and result.err.count("prism-dist: ") == 1, result)
    result = ranks(2, "none.col")
    check(result.code == 2 and result.err.count("prism-dist: ") == 1, result)
    result = ranks(2, "--comm", "self", queen(5))
    check(result.code == 2 and "ranks" in result.err, result)
    if not os.path.exists("/dev/nvidia0"):
        result = ranks(2, "--device", "cuda", queen(5))
        check(result.code == 3 and result.err.count("--device cuda: ") == 1, result)
    result = ranks(2, "--gpu.device_id", 0, queen(5))
    check(result.code == 2 and result.err.count("one rank on a node") == 1, result)
    result = ranks(2, "--version")
    check(result.code == 0 and result.out.count("prism-dist ") == 1, result)
    result = ranks(2, "--json", "-k", 5, queen(6))
    check(result.code == 1 and result_of(result.out)["target_met"] is False, result)


def test_success_reaches_everyone():
    value = result_of(expect(ranks(2, "--json", "--quiet", "--threads", 1, "--target", 36,
                                   "--time-limit", 60, hard()), 0).out)
    check(value["target_met"] and value["exit_reason"] in ("target", "optimal"), value)


def test_deterministic_repeats():
    found = []
    for i in range(2):
        expect(ranks(2, "--deterministic", "--max-iterations", 100000, "--threads", 1, "--seed",
                     9, "--quiet", "--output", f"d{i}.h5", hard()), 0)
        found.append(coloring(f"d{i}.sol"))
    check(found[0] == found[1], "two deterministic runs differ")


def test_interrupt_saves():
    """mpirun forwards the signal and leaves the ranks about a second."""
    process = searching()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=cli.GUARD)
    expect(tool("verify", "hard.col", "x.sol"), 0)
    out, err = started()
    check("ended by signal" in out, (out, err))


def test_killed_rank_ends_the_job():
    process = searching()
    children = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(process.pid)],
                              capture_output=True, text=True, check=False).stdout
    pids = [int(p) for p in re.findall(r"^\s*(\d+) .*prism-dist", children, re.M)]
    check(len(pids) == 2, children)
    os.kill(max(pids), signal.SIGKILL)
    check(process.wait(timeout=cli.GUARD) != 0, started())
    expect(tool("verify", "hard.col", "x.sol"), 0)


def main(tests):
    """The tests of a file that starts several ranks; exit 77 where nothing can start them."""
    reason = cli.no_launcher()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    cli.main(tests)


if __name__ == "__main__":
    main(globals())
