#!/usr/bin/env python3
"""kill -9 while something is written: fault_shim.c strikes at a random one of the calls that
write a file, between two pages of what it writes, or before or after a sync or rename."""

import json
import os
import random
import re
import signal
import subprocess

import cli
import faults
from cli import check, dist, expect, refused
from faults import graph

GRAPH = "hard300_1.col"
NO_CHECKPOINTS = ["--checkpoint.enabled", "false"]  # of a run's files only those that are tested
SEED = int(os.environ.get("PRISM_FAULT_SEED", "0")) or random.SystemRandom().randrange(1 << 30)


def struck(part, at, seed, name, *arguments):
    """Runs until the call; returns whether it came to that."""
    done = subprocess.run(
        [cli.DIST, "--quiet", "--threads", "1", "--time-limit", "4", "--output", "x.h5",
         *map(str, arguments), name], capture_output=True, timeout=faults.GUARD, check=False,
        env={**cli.clean_environment(), **faults.shim(KILL=f"{part}:{at}", SEED=seed)})
    check(done.returncode in (0, -signal.SIGKILL), (done.returncode, done.stderr))
    return done.returncode != 0


def clear():
    for file in os.listdir("."):
        if file.startswith("x."):
            os.remove(file)


def trials(part, most, name, *arguments, look=lambda: None):
    """Kills at one of the calls 1 .. most; look() sees more of what is left."""
    draw = random.Random(f"{SEED} {part}")
    kills = solutions = 0
    for _ in range(faults.TRIALS):
        at, seed = draw.randint(1, most), draw.randrange(1 << 20)
        try:
            kills += struck(part, at, seed, name, *arguments)
            solutions += faults.check_stem("x", name) is not None
            look()
        except AssertionError as problem:
            raise AssertionError(f"seed {SEED}, {part}, call {at}, {seed}: {problem}") from problem
        # What a kill leaves behind is in nobody's way.
        again = dist("--json", "--quiet", "--force", "--max-iterations", 1000, "--threads", 1,
                     "--output", "x.h5", name)
        expect(again, 0)
        faults.verified(name, "x.sol")
        clear()
    check(kills >= 0.8 * faults.TRIALS, f"only {kills} of {faults.TRIALS} were killed")
    return kills, solutions


def test_kill_run_file():
    """Killed while it writes the run file."""
    kills, solutions = trials(".h5", 70, graph(200), "--telemetry.interval", 0.01,
                              *NO_CHECKPOINTS)
    return kills, f"run file, .jsonl and .sol readable; a solution in {solutions}"


def test_kill_jsonl():
    """Killed while it writes the .jsonl."""
    kills, _ = trials(".jsonl", 6, graph(200), "--telemetry.interval", 0.01,
                      *NO_CHECKPOINTS)
    return kills, "valid to its last complete line"


def test_kill_solution():
    """Killed while it writes the .sol."""
    def told():
        records = faults.lines_of("x.jsonl") if os.path.exists("x.jsonl") else []
        check(all(r["record"] != "solution" for r in records) or os.path.exists("x.sol"),
              "a solution was told that is not on the disk")
    kills, _ = trials(".sol", 8, graph(300), *NO_CHECKPOINTS, look=told)
    return kills, "the .sol is legal, and no older than what was told"


def told_checkpoints(name):
    """When checkpoints were complete, as far as the .jsonl has it."""
    records = faults.lines_of(name) if os.path.exists(name) else []
    return [r for r in records if r["record"] == "event" and r["event"] == "checkpoint"]


def saved(told, before):
    """The newest checkpoint holds all but the last interval. [in] before  seconds of the
    invocations before this one; returns how long the run had lasted when it was made."""
    if not os.path.exists("x.ckpt.h5"):
        check(not told and before == 0.0, "a checkpoint was told that is not there")
        return 0.0
    again = dist("--json", "--quiet", "--resume", "x.ckpt.h5", "--max-iterations", 1000,
                 "--threads", 1, "--checkpoint.interval", 0, "--time-limit", 20,
                 "--checkpoint", "probe.ckpt.h5", "--output", "probe.h5", GRAPH)
    value = json.loads(expect(again, 0).out)
    elapsed = value["total_time"] - value["time"]
    for file in [f for f in os.listdir(".") if f.startswith("probe.")]:
        os.remove(file)
    # A checkpoint is begun when the one before it is complete.
    least = before + (told[-2]["t"] if len(told) > 1 else 0.0)
    check(elapsed >= least, f"{elapsed} s are saved, not {least}: {told[-3:]}")
    check(not told or value["colors"] <= told[-1]["colors"], f"{value['colors']}: {told[-1:]}")
    return elapsed


def test_kill_checkpoint():
    """Killed while it writes a checkpoint, and again once resumed."""
    check(graph(300) == GRAPH, GRAPH)
    draw = random.Random(f"{SEED} checkpoint")
    often = ["--checkpoint-interval", 0.1]
    kills = began = resumed = 0
    for _ in range(faults.TRIALS):
        at, seed = draw.randint(1, 170), draw.randrange(1 << 20)
        try:
            kills += struck(".ckpt.h5", at, seed, GRAPH, *often)
            faults.check_stem("x", GRAPH)
            elapsed = saved(told_checkpoints("x.jsonl"), 0.0)
            began += 1
            if elapsed > 0.0:
                resumed += 2
                began += 1
                kills += struck(".ckpt.h5", at, seed, GRAPH, *often, "--resume", "x.ckpt.h5",
                                "--force")
                faults.check_stem("x", GRAPH)
                check(saved(told_checkpoints("x.jsonl"), elapsed) >= elapsed, "time is lost")
        except AssertionError as problem:
            raise AssertionError(f"seed {SEED}, call {at}, {seed}: {problem}") from problem
        clear()
    check(kills >= 0.8 * began, f"only {kills} of {began} were killed")
    check(resumed >= faults.TRIALS / 2, f"only {resumed} of {began} left a checkpoint")
    return kills, (f"{resumed} times there was a checkpoint: each resumed, at most one interval "
                   "was lost")


def test_previous_checkpoint():
    """A checkpoint damaged or cut off by something else."""
    check(graph(300) == GRAPH, GRAPH)
    expect(dist("--quiet", "--threads", 1, "--time-limit", 1.5, "--checkpoint-interval", 0.3,
                "--output", "x.h5", GRAPH), 0)
    with open("x.ckpt.h5", "rb") as file:
        data = file.read()
    draw = random.Random(f"{SEED} damage")
    go_on = ["--json", "--quiet", "--threads", 1, "--max-iterations", 1000, "--time-limit", 20]
    for i in range(faults.TRIALS):
        at = draw.randrange(len(data))
        bad = data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1:]
        cli.write("x.ckpt.h5", data[:at] if i % 3 == 0 else bad)
        refused(dist(*go_on, "--resume", "x.ckpt.h5", "--output", "y.h5", GRAPH),
                "--resume x.ckpt.h5.1")
        check(not [f for f in os.listdir(".") if f.startswith("y.")], "files of a refused run")
    value = json.loads(expect(dist(*go_on, "--resume", "x.ckpt.h5.1", "--output", "y.h5",
                                   "--checkpoint", "y.ckpt.h5", GRAPH), 0).out)
    check(value["invocations"] == 2 and value["total_time"] > value["time"], value)
    return faults.TRIALS, "refused, the one before it offered; that one resumes"


def checksum(data):
    """FNV-1a of 64 bits, at the end of what an island or a rank wrote."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % (1 << 64)
    return value.to_bytes(8, "little")


def lie(name, which, draw):
    """Changes some bytes of a random island or rank, under checksum and seal that fit."""
    import h5py
    with h5py.File(name, "r+") as file:
        rows = [r for r in file[f"/{which}/table"][...] if r["size"] > 8]
        row, table = draw.choice(rows), file[f"/{which}/bytes"]
        first, size = int(row["first_byte"]), int(row["size"])
        data = bytearray(table[first:first + size].tobytes())[:-8]
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(data))
            data[at] = draw.choice([0, 255, 127, 128, data[at] ^ 1 << draw.randrange(8)])
        table[first:first + size] = list(bytes(data) + checksum(data))
    cli.seal(name)


def test_lying_checkpoint():
    """A checkpoint with wrong words of islands and ranks, every checksum right."""
    try:
        import h5py  # noqa: F401
    except ImportError as reason:
        raise faults.Skipped("no h5py") from reason
    check(graph(300) == GRAPH, GRAPH)
    expect(dist("--quiet", "--threads", 1, "--time-limit", 1.5, "--output", "x.h5", GRAPH), 0)
    with open("x.ckpt.h5", "rb") as file:
        data = file.read()
    draw = random.Random(f"{SEED} lies")
    codes = []
    for i in range(3 * faults.TRIALS):
        cli.write("lie.ckpt.h5", data)
        lie("lie.ckpt.h5", "islands" if i % 2 else "ranks", draw)
        result = dist("--json", "--quiet", "--threads", 1, "--max-iterations", 20000,
                      "--time-limit", 20, "--force", "--resume", "lie.ckpt.h5", "--output", "y.h5",
                      "--checkpoint", "y.ckpt.h5", GRAPH)
        check(result.code in (0, 2), f"seed {SEED}, {i}: {result}")
        codes.append(result.code)
        if result.code == 0:
            faults.verified(GRAPH, "y.sol")
        else:
            check(re.search("checkpoint|state|saved", result.err), result)
    return len(codes), (f"{codes.count(2)} refused, {codes.count(0)} believed: no harm, the "
                        "result legal")


if __name__ == "__main__":
    faults.enter()
    faults.main(globals())
