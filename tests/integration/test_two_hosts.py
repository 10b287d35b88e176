#!/usr/bin/env python3
"""Two hosts with two ranks each: one result, one run file, what the far host finds arrives.

test_two_hosts.py PRISM_DIST PRISM. MPIEXEC names the launcher (mpirun). Needs h5py.
Skips where namespaces are not allowed: two_hosts.py says how the hosts are made."""

import json

import cli
import two_hosts
from cli import check, expect, gnp, read, result_of, tool


def ranks(*arguments):
    words = two_hosts.quoted([cli.DIST, *arguments])
    program, *rest = two_hosts.launcher(2)
    return cli.run(program, *rest, *words, env=two_hosts.environment())


def events(stem):
    return [json.loads(line) for line in read(f"{stem}.jsonl").splitlines()]


def open_run(name):
    try:
        import h5py
    except ImportError:
        return None
    return h5py.File(name, "r")


def test_one_result():
    result = expect(ranks("--json", "--quiet", "--threads", 1, "--output", "q.h5",
                          cli.queen(6)), 0)
    value = result_of(result.out)
    check(value["ranks"] == 4 and value["colors"] == 7, value)
    expect(tool("verify", "queen6.col", "q.sol"), 0, "legal, 7 colors")


def test_run_file_names_the_hosts():
    expect(ranks("--quiet", "--threads", 1, "--target", 20, "--time-limit", 60, "--output",
                 "x.h5", gnp("g.col", 120, 5)), 0)
    expect(tool("verify", "g.col", "x.sol"), 0)
    run = open_run("x.h5")
    if run is None:
        print("     (no h5py: the run file was not read)")
        return
    with run:
        rows = run["/ranks/table"]
        hosts = [row["host"].decode() for row in rows[...]]
        check(hosts == ["near", "near", "far", "far"], hosts)
        check([int(row["rank"]) for row in rows[...]] == [0, 1, 2, 3], rows[...])
        check(run["/summary"][...]["ranks"].tolist() == [4], run["/summary"][...])


def test_what_the_far_host_finds_arrives():
    """Over some seeds solutions come from ranks of either host."""
    finders = set()
    name = gnp("g.col", 250, 3)
    for seed in range(1, 9):
        expect(ranks("--quiet", "--threads", 1, "--seed", seed, "--time-limit", 3, "--output",
                     f"s{seed}.h5", name), 0)
        expect(tool("verify", name, f"s{seed}.sol"), 0)
        with open_run(f"s{seed}.h5") as run:
            finders |= set(run["/solutions/index"][...]["rank"].tolist())
        if finders & {2, 3}:
            return
    check(False, f"only ranks {sorted(finders)} found anything")


def test_both_hosts_search():
    """Deterministic epochs: all ranks do the same share, and all of it is counted."""
    result = expect(ranks("--json", "--quiet", "--threads", 1, "--deterministic",
                          "--max-iterations", 200000, "--output", "d.h5",
                          gnp("g.col", 200, 7)), 0)
    check(result_of(result.out)["ranks"] == 4, result)
    expect(tool("verify", "g.col", "d.sol"), 0)


if __name__ == "__main__":
    two_hosts.enter()
    cli.main(globals())
