#!/usr/bin/env python3
"""The whole program on a GPU: what its engine's own tests do not see.

test_gpu.py PRISM_DIST PRISM. Without a GPU it is skipped (77)."""

import os
import sys

import cli
from cli import check, dist, expect, hard, result_of
from test_cli_checkpoint import compare_deterministic

ALONE = ["--device", "cuda", "--gpu.share_cpu=false"]
MOVES = ["--max-iterations", 3000000000]  # seconds: the run must last until it is told to save


def test_deterministic_runs_are_the_same():
    options = ["--json", "--quiet", "--deterministic", "--seed", 5, "--time-limit", 0,
               "--max-iterations", 300000000]
    runs = [result_of(expect(dist(*options, *ALONE, *more, "--output", f"{i}.h5", hard()), 0).out)
            for i, more in enumerate([[], ["--gpu.async=false"], ["--gpu.graph=false"]])]
    for field in ["colors", "lower_bound", "iterations", "seed", "exit_reason"]:
        check(len({run[field] for run in runs}) == 1, (field, runs))
    check("cuda" in runs[0]["device"], runs[0])


def test_deterministic_resumed_is_the_same():
    compare_deterministic(1, *ALONE, *MOVES)


if __name__ == "__main__":
    if not os.path.exists("/dev/nvidia0"):
        print("no NVIDIA GPU on this machine")
        sys.exit(77)
    cli.main(globals())
