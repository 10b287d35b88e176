#!/usr/bin/env python3
"""Which rank searches on what, and what carries their pools: said once, and why not.

test_cli_devices.py PRISM_DIST PRISM. MPIEXEC names the launcher (mpirun). These are tests of
machines without a GPU, and of GPUs that are hidden."""

import json
import os
import re

import cli
from cli import check, dist, expect, queen, read, refused
from test_cli_mpi import main

HIDDEN = {"CUDA_VISIBLE_DEVICES": ""}


def ranks(count, *arguments, env=None):
    return cli.ranks(count, *arguments, env={**HIDDEN, **(env or {})})


def test_list_devices():
    """No graph, no error, whatever the machine has; under a launcher once."""
    listed = expect(dist("--list-devices"), 0)
    check(re.search(r"^GPU (\d|    none: \S)", listed.out, re.M), listed)
    check(len(re.findall(r"^CPU     \w+, \d+ cores? ", listed.out, re.M)) == 1, listed)
    check(listed.err == "" and not os.path.exists("prism-runs"), listed)
    hidden = expect(dist("--list-devices", env=HIDDEN), 0)
    check(re.search(r"^GPU     none: \S", hidden.out, re.M), hidden)
    listed = expect(ranks(2, "--list-devices"), 0)
    check(listed.out.count("CPU     ") == 1, listed)
    refused(dist("--list-devices=yes"), "takes no value")
    refused(dist("--list-device"), "did you mean --list-devices?")


def test_map_is_printed_once():
    found = expect(ranks(3, "--threads", 1, "--output", "m.h5", queen(6)), 0)
    host = os.uname().nodename
    lines = re.findall(r"^ranks? .* on .*$", found.err, re.M)
    check(len(lines) == 1, found)
    check(re.fullmatch(rf"ranks 0-2 on {re.escape(host[:63])}: cpu \(\w+\), 1 thread each",
                       lines[0]), lines)
    check("pools" not in found.err, found)  # without GPUs there are none to meet
    rows = json.loads(read("m.jsonl").splitlines()[0])["ranks"]
    check([row["rank"] for row in rows] == [0, 1, 2], rows)
    check(all(row["host"] == host[:63] and row["gpu"] == -1 and row["uuid"] == ""
              and re.fullmatch(r"[0-9,.-]+", row["processors"]) for row in rows), rows)
    again = expect(ranks(2, "--runs", 2, "--threads", 1, "--output", "n.h5", queen(5)), 0)
    check(len(re.findall(r"^ranks 0-1 on ", again.err, re.M)) == 1, again)
    alone = expect(dist("--threads", 1, queen(5), env=HIDDEN), 0)
    check(not re.search(r"^ranks? ", alone.err, re.M), alone)  # one line says all
    quiet = expect(ranks(2, "--quiet", "--threads", 1, queen(5)), 0)
    check(not re.search(r"^ranks? ", quiet.err, re.M), quiet)


def test_nccl_is_refused():
    """Nothing is taken instead of what was asked for, and one rank says why."""
    host = os.uname().nodename[:63]
    result = ranks(2, "--comm", "nccl", queen(5))
    check(result.code == 3 and result.out == "", result)
    check(result.err.count(f"prism-dist: --comm nccl: rank 0 on {host} has no GPU") == 1, result)
    result = ranks(2, "--comm", "nccl", "--device", "cpu", queen(5))
    check(result.code == 3 and result.err.count("has no GPU") == 1, result)
    check(not os.path.exists("prism-runs"), "refused runs leave no files")
    for choice in ["mpi", "auto"]:
        expect(ranks(2, "--comm", choice, "--quiet", "--threads", 1, queen(5)), 0)


def test_cuda_is_refused():
    host = os.uname().nodename[:63]
    result = ranks(2, "--device", "cuda", queen(5))
    check(result.code == 3 and result.err.count(f"prism-dist: --device cuda: {host}: ") == 1,
          result)
    expect(ranks(2, "--share-gpu", "--quiet", "--threads", 1, queen(5)), 0)


if __name__ == "__main__":
    main(globals())
