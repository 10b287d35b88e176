#!/usr/bin/env python3
"""Runs that survive, as users meet them: options, signals, exit codes, going on.

test_cli_checkpoint.py PRISM_DIST PRISM. MPIEXEC names the launcher; what needs it is left
out where it starts nothing."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import time

import cli
from cli import (check, coloring, dist, expect, hard, queen, read, refused, result_of, start,
                 started, tool, wait_for)

SAVED = 85
SHORT = ["--threads", 1, "--checkpoint-interval", 0.3]
MOVES = ["--max-iterations", 6000000]


def can_launch():
    """Without a launcher the tests of several ranks say so and pass."""
    reason = cli.no_launcher()
    if reason:
        print(f"     left out: {reason}")
    return reason is None


def run(*arguments, count=1):
    return cli.ranks(count, *arguments) if count > 1 else dist(*arguments)


BEGUN = []


def clear():
    """What a failed test left running."""
    for process in BEGUN:
        if process.poll() is None:
            process.kill()
            process.wait()
    BEGUN.clear()


atexit.register(clear)


def begin(*arguments, count=1, save="x.sol"):
    """In the background; returns when the search has a first coloring."""
    process = start(*arguments, env=cli.MPI_ENVIRONMENT if count > 1 else None,
                    launcher=[cli.MPIEXEC, "-np", str(count)] if count > 1 else [])
    BEGUN.append(process)
    wait_for(lambda: os.path.exists(save) or process.poll() is not None, save)
    return process


def end(process, code):
    check(process.wait(timeout=cli.GUARD) == code, (process.returncode, started()))
    return started()


def saved(name="x", *arguments, seconds=2):
    """NAME.ckpt.h5 of hard.col, by the clock."""
    result = expect(dist("--json", "--quiet", *SHORT, "--time-limit", seconds, "--seed", 4,
                         "--output", f"{name}.h5", *arguments, hard()), 0)
    value = result_of(result.out)
    check(value["checkpoint"] == f"{name}.ckpt.h5" and value["checkpoints"] > 0, value)
    check(os.path.exists(f"{name}.ckpt.h5"), os.listdir("."))
    check(not [n for n in os.listdir(".") if n.endswith((".lock", ".tmp"))], os.listdir("."))
    return value


# ---- options and files that are refused ----------------------------------------------


def test_combinations_are_refused():
    graph = queen(5)
    cli.write("c.h5", "no checkpoint")
    refused(dist("--resume", "c.h5", "--initial", "a.sol", graph), "--initial exclude")
    refused(dist("--resume", "c.h5", "--runs", 2, graph), "--runs 2")
    refused(dist("--resume", "c.h5"), "no graph")
    refused(dist("--checkpoint-before", 60, graph), "not less than --time-limit 60")
    refused(dist("--checkpoint-before", 5, "--time-limit", 0, graph), "needs a --time-limit")
    refused(dist("--checkpoint-before", 5, "--checkpoint.enabled", "no", graph), "enabled")
    refused(dist("--checkpoint", "d.h5", "--checkpoint.enabled", "no", graph), "enabled")
    refused(dist("--checkpoint", "d.txt", graph), "FILE.h5")
    refused(dist("--checkpoint", "d.h5", "--output", "./d.h5", graph), "two outputs")
    refused(dist("--checkpoint", "c.h5", graph), "c.h5: exists already (--force")
    refused(dist("--checkpoint", "/proc/none/c.h5", graph), "/proc/none")
    shutil.copy("c.h5", "x.ckpt.h5")
    refused(dist("--output", "x.h5", graph), "x.ckpt.h5: exists already")
    left = [n for _, _, names in os.walk(".") for n in names if n not in ("c.h5", "x.ckpt.h5")]
    check(read("c.h5") == "no checkpoint" and left == [graph], left)


def test_what_is_no_checkpoint_is_refused():
    graph = queen(5)
    refused(dist("--resume", "none.h5", graph), "none.h5", "No such file")
    refused(dist("--resume", ".", graph), "regular file")
    refused(dist("--resume", graph, graph), "not a checkpoint")
    cli.write("empty.h5", "")
    refused(dist("--resume", "empty.h5", graph), "empty")
    expect(dist("--quiet", "--output", "x.h5", graph), 0)
    refused(dist("--resume", "x.h5", graph), "run file")
    check(not os.path.exists("prism-runs"), "refused runs leave no files")


def test_other_graphs_and_damage_are_refused():
    saved()
    before = sorted(os.listdir("."))
    whole = open("x.ckpt.h5", "rb").read()
    refused(dist("--resume", "x.ckpt.h5", "--output", "y.h5", queen(6)), "another graph", "hard")
    os.remove("queen6.col")
    os.remove("x.ckpt.h5.1")
    middle = len(whole) // 2
    for damaged, word in [(whole[:-100], "bytes instead of"), (whole[:300], "x.ckpt.h5"),
                          (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:],
                           "damaged"),
                          (whole.replace(b"schema 1\n", b"schema 2\n", 1), "damaged")]:
        cli.write("x.ckpt.h5", damaged)
        result = refused(dist("--resume", "x.ckpt.h5", "--output", "y.h5", hard()), word)
        check("--resume" not in result.err, "there is nothing to offer")
        check(open("x.ckpt.h5", "rb").read() == damaged, "a refused file was changed")
    # the one before is offered, and is as good
    cli.write("x.ckpt.h5.1", whole)
    refused(dist("--resume", "x.ckpt.h5", hard()), "--resume x.ckpt.h5.1")
    cli.write("x.ckpt.h5", whole)
    cli.seal("x.ckpt.h5", schema=2)
    refused(dist("--resume", "x.ckpt.h5", hard()), "schema 2, this program knows schemas up to 1",
            "--resume x.ckpt.h5.1")
    value = result_of(expect(dist("--json", "--quiet", "--resume", "x.ckpt.h5.1", "--time-limit",
                                  1, "--output", "y.h5", hard()), 0).out)
    check(value["checkpoint"] == "x.ckpt.h5.1" and value["invocations"] == 2, value)
    check({"y.h5", "y.sol", *before} <= set(os.listdir(".")), os.listdir("."))
    check(not os.path.exists("prism-runs"), "refused runs leave no files")


# ---- where checkpoints lie ----------------------------------------------------------


def test_names():
    value = result_of(expect(dist("--json", "--quiet", *SHORT, "--time-limit", 1.5, hard()), 0).out)
    check(value["checkpoint"] == value["output"].replace(".h5", ".ckpt.h5"), value)
    check(os.path.exists(value["checkpoint"]), value)
    value = saved("d/x", "--checkpoint", "d/x.ckpt.h5")
    refused(dist("--output", "y.h5", "--checkpoint", "d/x.ckpt.h5", hard()), "--force")
    expect(dist("--quiet", *SHORT, "--time-limit", 1.5, "--output", "y.h5", "--checkpoint",
                "d/x.ckpt.h5", "--force", hard()), 0, "checkpoint  d/x.ckpt.h5", "go on with")
    # one for each of several runs
    result = expect(dist("--runs", 2, "--json", "--quiet", *SHORT, "--time-limit", 1.5, "--output",
                         "r.h5", hard()), 0)
    for i in (1, 2):
        check(os.path.exists(f"r-r00{i}.ckpt.h5"), (os.listdir("."), result))
    # a short run has none, and says nothing of it
    result = expect(dist("--quiet", "--output", "q.h5", queen(5)), 0)
    check("checkpoint" not in result.out and not os.path.exists("q.ckpt.h5"), result)


def test_switched_off():
    process = begin("--json", "--quiet", *SHORT, "--checkpoint.enabled", "no", "--time-limit", 0,
                    "--output", "x.h5", hard())
    time.sleep(1)
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    check(process.poll() is None, started())
    process.send_signal(signal.SIGUSR2)  # nothing can be saved: it ends in order
    value = result_of(end(process, 0)[0])
    check(value["exit_reason"] == "signal" and value["checkpoint"] is None, value)
    check(not [n for n in os.listdir(".") if "ckpt" in n], os.listdir("."))


def test_one_checkpoint_for_one_run():
    process = begin("--quiet", "--time-limit", 0, "--output", "x.h5", "--checkpoint", "c.h5",
                    hard())
    result = refused(dist("--quiet", "--output", "y.h5", "--checkpoint", "c.h5", "--force", hard()),
                     "c.h5 is in use by another run")
    check(not os.path.exists("y.sol"), result)
    process.send_signal(signal.SIGUSR2)
    end(process, SAVED)
    resumed = begin("--quiet", "--resume", "c.h5", "--output", "z.h5", hard(), save="z.sol")
    refused(dist("--quiet", "--output", "y.h5", "--resume", "c.h5", hard()), "in use")
    resumed.send_signal(signal.SIGUSR2)
    end(resumed, SAVED)


# ---- signals and limits ------------------------------------------------------------


def test_usr1_saves_and_goes_on():
    process = begin("--json", "--quiet", "--checkpoint-interval", 0, "--time-limit", 0,
                    "--output", "x.h5", hard())
    for count in (1, 2):
        process.send_signal(signal.SIGUSR1)
        wait_for(lambda: os.path.exists("x.ckpt.h5" if count == 1 else "x.ckpt.h5.1"), "it")
    check(process.poll() is None, started())
    process.send_signal(signal.SIGINT)
    value = result_of(end(process, 0)[0])
    check(value["exit_reason"] == "signal" and value["checkpoint"] == "x.ckpt.h5", value)
    check(value["checkpoints"] >= 2, value)


def test_usr2_saves_and_ends():
    process = begin("--time-limit", 0, "--target", 20, "--output", "x.h5", hard())
    process.send_signal(signal.SIGUSR2)
    out, _ = end(process, SAVED)  # whether the target is met or not
    check("ended by checkpoint" in out and "checkpoint  x.ckpt.h5\n" in out, out)
    check("go on with  prism-dist --resume x.ckpt.h5 hard.col\n" in out, out)
    expect(tool("verify", "hard.col", "x.sol"), 0)
    # the line is as it can be typed; the target is that of the run
    value = result_of(expect(dist("--json", "--quiet", "--time-limit", 1, "--resume", "x.ckpt.h5",
                                  hard()), 1).out)
    check(value["target_met"] is False and value["exit_reason"] == "time", value)


def test_usr2_ends_all_runs():
    process = begin("--runs", 3, "--json", "--quiet", "--time-limit", 30, "--output", "x.h5",
                    hard(), save="x-r001.sol")
    process.send_signal(signal.SIGUSR2)
    end(process, SAVED)
    check(os.path.exists("x-r001.ckpt.h5") and not os.path.exists("x-r002.sol"), os.listdir("."))


def test_before_the_time_limit():
    value = result_of(expect(dist("--json", "--quiet", "--threads", 1, "--time-limit", 30,
                                  "--checkpoint-before", 28.5, "--output", "x.h5", hard()),
                             SAVED).out)
    check(value["exit_reason"] == "checkpoint" and value["checkpoint"] == "x.ckpt.h5", value)
    # the settings came along, and another limit needs another time before it
    refused(dist("--resume", "x.ckpt.h5", "--time-limit", 20, "--output", "y.h5", hard()),
            "28.5 is not less than", "come from x.ckpt.h5")
    expect(dist("--quiet", "--resume", "x.ckpt.h5", "--output", "y.h5", hard()), SAVED,
           "in 2 invocations")


def test_signals_while_reading():
    os.mkfifo("pipe")
    process = start("pipe")
    cli.listening(process)
    time.sleep(0.5)
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    check(process.poll() is None, started())
    process.send_signal(signal.SIGUSR2)  # there is nothing to save
    check("interrupted before a coloring" in end(process, 1)[1], started())
    check(not os.path.exists("prism-runs"), "a run that had not begun left files")


def test_signals_while_a_resumed_run_reads():
    saved()
    before = open("x.ckpt.h5", "rb").read()
    os.mkfifo("pipe")
    for number, code in [(signal.SIGUSR2, SAVED), (signal.SIGINT, 1)]:
        process = start("--resume", "x.ckpt.h5", "pipe")
        cli.listening(process)
        time.sleep(0.5)
        process.send_signal(number)
        check("x.ckpt.h5 is as it was" in end(process, code)[1], started())
    check(open("x.ckpt.h5", "rb").read() == before, "the checkpoint changed")


def test_total_time():
    first = saved("x", "--total-time", 4, seconds=1.5)
    check(first["exit_reason"] == "time" and first["total_time"] < 4, first)
    second = result_of(expect(dist("--json", "--quiet", "--resume", "x.ckpt.h5", "--time-limit",
                                   60, "--output", "y.h5", hard()), 0).out)
    check(second["exit_reason"] == "time" and second["total_time"] >= 4, second)
    check(second["time"] < second["total_time"] - first["time"] / 2, second)
    third = expect(dist("--quiet", "--resume", "x.ckpt.h5", "--time-limit", 60, "--output",
                        "z.h5", hard()), 0, "ended by time")
    check("go on with" not in third.out, third)


# ---- going on --------------------------------------------------------------------


def test_resume_goes_on():
    first = saved()
    kept = os.stat("x.ckpt.h5").st_ino
    value = result_of(expect(dist("--json", "--quiet", "--resume", "x.ckpt.h5", "--time-limit", 2,
                                  "--output", "y.h5", hard()), 0).out)
    check(value["colors"] <= first["colors"] and value["seed"] == first["seed"] == 4, value)
    check(value["invocations"] == 2 and first["invocations"] == 1, value)
    check(value["total_time"] > first["total_time"] > 0, (first, value))
    check(value["checkpoint"] == "x.ckpt.h5", value)
    check(value["checkpoints"] > 0 and os.stat("x.ckpt.h5").st_ino != kept, "it is not written")
    check(value["output"] == "y.h5" and os.path.exists("y.jsonl"), value)
    expect(tool("verify", "hard.col", "y.sol"), 0)
    refused(dist("--resume", "x.ckpt.h5", "--seed", 5, hard()), "has seed 4")
    # elsewhere
    value = result_of(expect(dist("--json", "--quiet", "--resume", "x.ckpt.h5", "--time-limit", 1,
                                  "--checkpoint", "z.h5", "--output", "z2.h5", hard()), 0).out)
    check(value["checkpoint"] == "z.h5" and value["invocations"] == 3, value)


def test_settings_come_along():
    result = dist("--json", "--quiet", *SHORT, "--time-limit", 1.5, "--target", 10,
                  "--memetic.population", 11, "--output", "x.h5", hard())
    expect(result, 1)
    cli.write("c.ini", "[memetic]\npopulation = 12\n[telemetry]\ninterval = 0.5\n")
    for arguments, words in [
            ([], ["target = 10", "population = 11", "time_limit = 1.5", "threads = 1",
                  'output = ""', "quiet = false", 'file = "x.ckpt.h5"']),
            (["--config", "c.ini"], ["population = 12", "interval = 0.5", "target = 10"]),
            (["--config", "c.ini", "--memetic.population", 13, "-k", 9],
             ["population = 13", "k = 9", "target = 0"])]:
        printed = expect(dist("--resume", "x.ckpt.h5", "--print-config", *arguments), 0).out
        for word in words:
            check(f"\n{word}\n" in printed, (arguments, word, printed))


def test_killed_run_is_resumed():
    process = begin("--quiet", *SHORT, "--time-limit", 0, "--output", "x.h5", hard())
    wait_for(lambda: os.path.exists("x.ckpt.h5.1"), "checkpoints")
    process.kill()
    process.wait(timeout=cli.GUARD)
    value = result_of(expect(dist("--json", "--quiet", "--resume", "x.ckpt.h5", "--time-limit", 1,
                                  "--output", "y.h5", hard()), 0).out)
    check(value["invocations"] == 2 and value["exit_reason"] == "time", value)
    expect(tool("verify", "hard.col", "y.sol"), 0)
    left = [n for n in os.listdir(".") if n.endswith((".tmp", ".lock"))]
    check(not left, f"a run that ended in order left {left}")


def compare_deterministic(count, *more):
    """A run that was saved and resumed gives what one without a break gives."""
    options = ["--deterministic", "--seed", 9, "--time-limit", 0, "--islands.epoch_generations", 1,
               *more]
    whole = result_of(expect(run("--json", "--quiet", *options, "--output", "w.h5", hard(),
                                 count=count), 0).out)
    breaks = 0
    process = begin("--json", "--quiet", *options, "--output", "x.h5", hard(), count=count)
    last = "x"
    for name in ["y", "z"]:
        time.sleep(0.1)
        if process.poll() is None:
            process.send_signal(signal.SIGUSR2)
        code = process.wait(timeout=cli.GUARD)
        if code == 0:
            break
        check(code == SAVED, (code, started()))
        breaks += 1
        last = name
        process = begin("--json", "--quiet", "--resume", "x.ckpt.h5", "--output", f"{name}.h5",
                        hard(), count=count, save=f"{name}.sol")
    check(process.wait(timeout=cli.GUARD) == 0, started())
    check(breaks > 0, "the run was too short to be saved")
    value = result_of(started()[0])
    check(value["invocations"] == breaks + 1, value)
    for field in ["colors", "lower_bound", "iterations", "seed", "exit_reason"]:
        check(value[field] == whole[field], (field, value, whole))
    check(coloring(f"{last}.sol") == coloring("w.sol"), "another coloring")


def test_deterministic_resumed_is_the_same():
    compare_deterministic(1, "--threads", 2, *MOVES)


def test_deterministic_resumed_is_the_same_on_two_ranks():
    if can_launch():
        compare_deterministic(2, "--threads", 1, *MOVES)


def test_other_numbers_of_ranks():
    if not can_launch():
        return
    first = saved()
    was = "1 rank"
    for count in (2, 3, 1):
        result = expect(run("--json", "--threads", 1, "--resume", "x.ckpt.h5", "--time-limit", 2,
                            "--force", "--output", "y.h5", hard(), count=count), 0)
        value = result_of(result.out)
        check(value["ranks"] == count and value["colors"] <= first["colors"], value)
        check(f"the checkpoint is of {was}: its populations are spread over {count}" in result.err,
              result)
        was = f"{count} ranks"
    expect(tool("verify", "hard.col", "y.sol"), 0)


def test_signals_to_ranks():
    """mpirun hands USR1 and USR2 on; one rank that gets it is enough, too."""
    if not can_launch():
        return
    process = begin("--json", "--quiet", "--threads", 1, "--checkpoint-interval", 0,
                    "--time-limit", 0, "--output", "x.h5", hard(), count=2)
    pids = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True,
                          text=True, check=False).stdout.split()
    check(len(pids) == 2, pids)
    other = max(map(int, pids))  # of rank 1
    os.kill(other, signal.SIGUSR1)
    wait_for(lambda: os.path.exists("x.ckpt.h5"), "a checkpoint", process)
    process.send_signal(signal.SIGUSR1)
    wait_for(lambda: os.path.exists("x.ckpt.h5.1"), "another one", process)
    os.kill(other, signal.SIGUSR2)
    value = result_of(end(process, SAVED)[0])
    check(value["exit_reason"] == "checkpoint" and value["checkpoints"] >= 3, value)
    process = begin("--json", "--quiet", "--resume", "x.ckpt.h5", "--output", "y.h5", hard(),
                    count=2, save="y.sol")
    process.send_signal(signal.SIGUSR2)
    end(process, SAVED)


# ---- the watchdog ------------------------------------------------------------------

# One piece of work that takes longer than any test.
ENDLESS = ["--deterministic", "--islands.epoch_generations", 1000000,
           "--memetic.generation_iterations", 1000000000, "--max-iterations", 10 ** 18,
           "--time-limit", 0, "--threads", 1]


def test_watchdog():
    for count in (1, 2):
        if count > 1 and not can_launch():
            return
        result = expect(run(*ENDLESS, "--run.watchdog", 1, "--output", f"x{count}.h5", hard(),
                            count=count), 3, "hangs: no work finished for 1 s", "disk")
        check(result.out == "", result)
        # All ranks hang, and the first that tells ends the job.
        check(re.search(rf"rank [0-{count - 1}] on \S+ hangs: no work finished for 1 s", result.err), result)
        expect(tool("verify", "hard.col", f"x{count}.sol"), 0)


def test_watchdog_forgives_a_stop():
    """Time in which the process itself was stopped is not its search's."""
    process = begin("--quiet", "--threads", 1, "--run.watchdog", 1, "--time-limit", 0, "--output",
                    "x.h5", hard())
    for _ in range(2):
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
    check(process.poll() is None, started())
    process.send_signal(signal.SIGINT)
    end(process, 0)


if __name__ == "__main__":
    cli.main(globals())
