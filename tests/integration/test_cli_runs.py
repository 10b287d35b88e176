#!/usr/bin/env python3
"""Whole runs of one process: results, files, repetition, signals, full disks."""

import json
import os
import signal
import subprocess
import time

import cli
from cli import (check, coloring, dist, expect, hard, queen, read, refused, result_of, start,
                 started, tool, wait_for)


def test_result_and_files():
    graph = queen(5)
    result = expect(dist("--json", "--seed", 3, "--output", "d/x.h5", graph), 0)
    value = result_of(result.out)
    check((value["n"], value["m"], value["colors"], value["seed"]) == (25, 160, 5, 3), value)
    check(value["optimal"] and value["lower_bound"] == 5, value)
    check(value["exit_reason"] == "optimal" and value["target_met"] is None, value)
    check(value["solution"] == "d/x.sol" and value["output"] == "d/x.h5", value)
    expect(tool("verify", graph, "d/x.sol"), 0, "legal, 5 colors")
    for line in read("d/x.jsonl").splitlines():
        json.loads(line)
    check(open("d/x.h5", "rb").read(4) == b"\x89HDF", "not an HDF5 file")


def test_odd_names_stay_valid_json():
    for i, name in enumerate(['a"b\\c.col', "new\nline.col", "\udcff\u00e9.col"]):
        os.rename(queen(5), name)
        result = expect(dist("--json", "--quiet", "--output", f"{i}.h5", os.fsencode(name)
                             if "\udcff" in name else name), 0)
        check(result_of(result.out)["n"] == 25, result)


def test_default_names():
    graph = queen(5)
    names = set()
    for _ in range(3):
        value = result_of(expect(dist("--json", "--quiet", "--seed", 5, graph), 0).out)
        check(value["output"].startswith("prism-runs/queen5_"), value)
        check("_s5" in value["output"], value)
        names.add(value["output"])
    check(len(names) == 3, names)
    check(len(os.listdir("prism-runs")) == 9, os.listdir("prism-runs"))


def test_two_at_once_take_different_names():
    graph = hard()
    running = [subprocess.Popen([cli.DIST, "--json", "--quiet", "--seed", "5", "--threads", "1",
                                 "--time-limit", "2", graph], stdout=subprocess.PIPE,
                                env=cli.clean_environment()) for _ in range(3)]
    names = {result_of(p.communicate(timeout=cli.GUARD)[0])["solution"] for p in running}
    check(len(names) == 3, names)


def test_a_job_of_slurm_is_no_launcher():
    """salloc and sbatch set these for programs that nobody has started as ranks."""
    result = expect(dist("--json", queen(5), env={
        "SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_NPROCS": "4", "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}), 0, "1 rank x", "comm self")
    check(result_of(result.out)["ranks"] == 1, result)


def test_targets():
    graph = queen(5)
    value = result_of(expect(dist("--json", "-k", 6, graph), 0).out)
    check(value["target_met"] is True and value["colors"] <= 6, value)
    value = result_of(expect(dist("--json", "--target", 5, graph), 0).out)
    check(value["target_met"] is True and value["colors"] == 5, value)
    # below the clique bound: proved, the best is still written
    value = result_of(expect(dist("--json", "-k", 4, graph), 1).out)
    check(value["target_met"] is False and value["exit_reason"] == "infeasible", value)
    value = result_of(expect(dist("--json", "--target", 15, "--time-limit", 1.5, hard()), 1).out)
    check(value["target_met"] is False and value["exit_reason"] == "time", value)
    expect(tool("verify", "hard.col", value["solution"]), 0)
    check(value["time"] < 60, value)


def test_iteration_limit():
    value = result_of(expect(dist("--json", "--quiet", "--max-iterations", 20000, "--time-limit",
                                  0, "--threads", 1, hard()), 0).out)
    check(value["exit_reason"] == "iterations", value)


def test_standard_input():
    text = read(queen(5))
    value = result_of(expect(dist("--json", "-", stdin=text), 0).out)
    check(value["graph"] == "-" and value["colors"] == 5, value)
    check("prism-runs/stdin_" in value["solution"], value)
    refused(dist("-", stdin="nonsense\n"), "1: ")


def test_summary_and_silence():
    graph = queen(5)
    result = expect(dist(graph), 0, "colors      5", "optimal", "seed", "solution")
    check("read in" in result.err, result)
    result = expect(dist("--quiet", graph), 0, "colors      5")
    check(result.err == "", result)


def test_telemetry_off():
    value = result_of(expect(dist("--json", "--telemetry.enabled", "false", "--solution", "y.sol",
                                  queen(5)), 0).out)
    check(value["output"] is None and value["solution"] == "y.sol", value)
    check(sorted(os.listdir(".")) == ["queen5.col", "y.sol"], os.listdir("."))


def test_repeated_runs():
    graph = queen(6)
    result = expect(dist("--runs", 3, "--json", "--quiet", "--target", 8, "--output", "r/x.h5",
                         "--solution", "r/best.sol", "--seed", 1, graph), 0)
    values = json.loads(result.out)
    check(len(values) == 3 and len({v["seed"] for v in values}) == 3, result)
    for i, value in enumerate(values, 1):
        check(list(value) == cli.JSON_FIELDS, value)
        check(value["output"] == f"r/x-r00{i}.h5", value)
        check(value["solution"] == f"r/best-r00{i}.sol", value)
        expect(tool("verify", graph, value["solution"]), 0)
    refused(dist("--runs", 2, "--output", "r/x.h5", graph), "x-r001.h5")
    table = expect(dist("--runs", 2, "--quiet", "--target", 8, graph), 0)
    for word in ["success", "2 of 2 (100.0 %)", "median", "mean", "iterations"]:
        check(word in table.out, table)
    # not all met: 1
    expect(dist("--runs", 2, "--quiet", "-k", 5, queen(6)), 1, "0 of 2 (0.0 %)")


def test_no_gpu_no_profile():
    # result_of knows all fields; gpu_profile is none of them
    flags = ["--device", "cpu", "--gpu.profile", "on", "--seed", 1, "--quiet"]
    result_of(expect(dist(*flags, "--json", "--output", "p.h5", queen(5)), 0).out)
    text = expect(dist(*flags, "--output", "q.h5", queen(5)), 0).out
    check("colors      5" in text and "time of the GPU" not in text, text)
    check('"gpu.profile":"true"' in read("p.jsonl") and '"record":"profile"' not in read("p.jsonl"),
          "a run without a GPU has a profile")


def test_deterministic_repeats():
    found = []
    for i in range(2):
        expect(dist("--deterministic", "--max-iterations", 200000, "--threads", 2, "--seed", 9,
                    "--quiet", "--output", f"d{i}.h5", hard()), 0)
        found.append(coloring(f"d{i}.sol"))
    check(found[0] == found[1], "two deterministic runs differ")


def test_initial_is_kept():
    graph = hard()
    first = result_of(expect(dist("--json", "--quiet", "--time-limit", 2, "--output", "a.h5",
                                  graph), 0).out)
    second = result_of(expect(dist("--json", "--quiet", "--time-limit", 1, "--initial", "a.sol",
                                   "--output", "b.h5", graph), 0).out)
    check(second["colors"] <= first["colors"], (first, second))


def interrupted(number, count):
    process = start("--json", "--time-limit", 0, "--output", "x.h5", hard())
    wait_for(lambda: os.path.exists("x.sol"), "a first coloring", process)
    for _ in range(count):
        process.send_signal(number)
    return process.wait(timeout=cli.GUARD)


def test_first_signal_ends_in_order():
    for number in [signal.SIGINT, signal.SIGTERM]:
        code = interrupted(number, 1)
        check(code == 0, (code, started()))
        value = result_of(started()[0])
        check(value["exit_reason"] == "signal", value)
        expect(tool("verify", "hard.col", "x.sol"), 0)
        for name in ["x.h5", "x.jsonl", "x.sol", "x.ckpt.h5"]:
            os.remove(name)


def test_signal_with_target_not_met():
    process = start("--time-limit", 0, "--target", 10, "--output", "x.h5", hard())
    wait_for(lambda: os.path.exists("x.sol"), "a first coloring", process)
    process.send_signal(signal.SIGINT)
    check(process.wait(timeout=cli.GUARD) == 1, started())


def test_second_signal_ends_at_once():
    process = start("--time-limit", 0, "--output", "x.h5", hard())
    wait_for(lambda: os.path.exists("x.sol"), "a first coloring", process)
    # A stopped process gets both one after the other, in an order of the system's choice.
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    check(process.wait(timeout=cli.GUARD) in (130, 143), started())
    expect(tool("verify", "hard.col", "x.sol"), 0)  # the best is on disk all the same


def test_signal_while_reading():
    os.mkfifo("pipe")
    process = start("pipe")
    cli.listening(process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    check(process.wait(timeout=cli.GUARD) == 1, started())
    check("interrupted" in started()[1], started())


def test_output_in_use():
    process = start("--time-limit", 0, "--output", "x.h5", hard())
    wait_for(lambda: os.path.exists("x.sol"), "a first coloring", process)
    refused(dist("--quiet", "--output", "x.h5", hard()), "--force")
    # --force overwrites what is finished, never what another run is writing
    refused(dist("--quiet", "--output", "x.h5", "--force", hard()), "in use by another run")
    refused(dist("--quiet", "--output", "x.h5", "--force", "--checkpoint", "y.h5", hard()),
            "x.jsonl")
    process.send_signal(signal.SIGINT)
    check(process.wait(timeout=cli.GUARD) == 0, started())
    expect(tool("verify", "hard.col", "x.sol"), 0)


def test_coloring_that_cannot_be_stored():
    """The folder of the solution vanishes: the coloring goes to standard output."""
    graph = hard()
    os.mkdir("gone")
    process = start("--time-limit", 4, "--telemetry.enabled", "false", "--threads", 1,
                    "--solution", "gone/x.sol", "--target", 20, graph)
    wait_for(lambda: os.path.exists("gone/x.sol"), "a first coloring", process)
    process.send_signal(signal.SIGSTOP)
    for name in os.listdir("gone"):
        os.remove(os.path.join("gone", name))
    os.rmdir("gone")
    process.send_signal(signal.SIGCONT)
    code = process.wait(timeout=cli.GUARD)
    out, err = started()
    check(code == 3, (code, out, err))
    cli.write("rescued.sol", out)
    expect(tool("verify", graph, "rescued.sol"), 0, "legal")


if __name__ == "__main__":
    cli.main(globals())
