#!/usr/bin/env python3
"""Disks that are full, slow or read-only, files that vanish, clocks that jump."""

import json
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import cli
import faults
from cli import check, dist, expect, refused, start
from faults import Skipped, end_of, graph, searching, verified


def pause(process):
    process.send_signal(signal.SIGSTOP)


def go_on(process):
    process.send_signal(signal.SIGCONT)


def losses(stem):
    """(records lost, failed writes) as the run itself has counted them."""
    last = [r for r in faults.lines_of(f"{stem}.jsonl") if r["record"] == "summary"]
    check(len(last) == 1, "no summary in the .jsonl")
    return last[0]["records_lost"], last[0]["write_failures"]


def told_solution(name, out):
    """The coloring that went to standard output for want of a disk."""
    cli.write("told.sol", out)
    return verified(name, "told.sol")


# HDF5 1.10 itself loses memory when it cannot write.
LEAKY = {"ASAN_OPTIONS": "detect_leaks=0"}


def resumes(checkpoint, name, colors):
    """A run goes on from a checkpoint."""
    result = dist("--json", "--quiet", "--resume", checkpoint, "--max-iterations", 1000,
                  "--checkpoint", "probe.ckpt.h5", "--output", "probe.h5", name)
    value = json.loads(expect(result, 0).out)
    check(value["colors"] <= colors and value["invocations"] == 2, value)


def test_full_disk_for_a_while():
    """Disk full in the search, later free again."""
    name = graph()
    with faults.small_disk("3m"):
        process = start("--json", "--time-limit", 3, "--telemetry.interval", 0.02, "--output",
                        "disk/x.h5", "--checkpoint-interval", 0.3, name, env=LEAKY)
        searching(process, "disk/x.sol")
        filler = faults.fill("disk")
        faults.wait_for(lambda: "No space left" in cli.started()[1], "a warning", process)
        time.sleep(0.3)
        os.remove(filler)
        out, err = end_of(process, 0)
        value = json.loads(out)
        check(faults.check_stem("disk/x", name) == value["colors"], value)
        check(err.count("No space left") <= 4, f"warned too often: {err}")
        resumes("disk/x.ckpt.h5", name, value["colors"])
        lost, failed = losses("disk/x")
        check(failed > 0 and lost >= 0, (lost, failed))
    return 1, ("exit 0; warned once a file, failed writes counted, the best in the .sol, the "
               "checkpoint renewed")


def test_full_disk_to_the_end():
    """Disk full until the end."""
    name = graph()
    with faults.small_disk("3m"):
        process = start("--json", "--time-limit", 2.5, "--target", 10, "--output", "disk/x.h5",
                        name, env=LEAKY)
        searching(process, "disk/x.sol")
        pause(process)
        before = verified(name, "disk/x.sol")
        faults.fill("disk")
        go_on(process)
        out, _ = end_of(process, 3)
        check(told_solution(name, out) < before, "nothing better was told")
        check(verified(name, "disk/x.sol") == before, "the earlier .sol is not as it was")
        faults.lines_of("disk/x.jsonl")
        faults.run_file("disk/x.h5")
    return 1, "exit 3; the best goes to standard output, the earlier files are readable"


def test_full_disk_at_the_start():
    """Disk full before the start."""
    name = graph()
    with faults.small_disk("1m"):
        faults.fill("disk")
        result = dist("--time-limit", 2, "--output", "disk/x.h5", name)
        check(result.code in (2, 3) and "No space left" in result.err, result)
    return 1, "refused, with the reason"


def as_ordinary_user():
    """What makes rights count for root, too."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise Skipped("no setpriv: rights do not bind root")
    drop = "-dac_override,-dac_read_search,-fowner"
    words = ["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}"]
    probe = subprocess.run([*words, "sh", "-c", "mkdir -m 555 probe && ! touch probe/x"],
                           capture_output=True, check=False)
    if probe.returncode != 0:
        raise Skipped("rights do not bind root here")
    return words


def test_read_only_folder():
    """Folder read-only from the start, and from the middle of the search."""
    user = as_ordinary_user()
    name = graph()
    os.mkdir("shut", 0o555)
    done = subprocess.run([*user, cli.DIST, "--time-limit", "2", "--output", "shut/x.h5", name],
                          capture_output=True, text=True, check=False)
    refused(cli.Result(done.returncode, done.stdout, done.stderr), "shut", "Permission denied")
    os.mkdir("open")
    process = start("--time-limit", 2.5, "--target", 10, "--output", "open/x.h5", name,
                    launcher=user)
    searching(process, "open/x.sol")
    pause(process)
    before = verified(name, "open/x.sol")
    os.chmod("open", 0o555)
    go_on(process)
    out, _ = end_of(process, 3)
    os.chmod("open", 0o755)
    check(told_solution(name, out) < before, "nothing better was told")
    check(verified(name, "open/x.sol") == before, "the earlier .sol is not as it was")
    check(losses("open/x")[1] > 0, "no failure was counted")
    return 2, "exit 2; exit 3 and the best on standard output"


def test_files_deleted():
    """All files of a run deleted under it."""
    name = graph(130)
    process = start("--json", "--time-limit", 3, "--output", "x.h5", "--checkpoint-interval", 0.3,
                    name)
    searching(process)
    time.sleep(1.5)  # most likely nothing better comes any more
    pause(process)
    files = [n for n in os.listdir(".") if n.startswith("x.")]
    check({"x.h5", "x.jsonl", "x.sol"} <= set(files), files)
    for file in files:
        os.remove(file)
    go_on(process)
    out, err = end_of(process, 0)
    value = json.loads(out)
    check(verified(name, "x.sol") == value["colors"], value)
    resumes("x.ckpt.h5", name, value["colors"])
    for file in ["x.h5", "x.jsonl"]:
        check(not os.path.exists(file) and file in err, f"no word of {file}: {err}")
    return 1, "exit 0; the .sol and the checkpoint are written again, of the others the user hears"


def search_rate(stem, value, limit):
    """Iterations a second of the search: files are opened before it, and closed after it."""
    began = [r["t"] for r in faults.lines_of(f"{stem}.jsonl")
             if r["record"] == "event" and r["event"] == "start"]
    return value["iterations"] / (limit - min(began))


def test_slow_disk():
    """Every write and sync 50 ms slower, as over NFS."""
    name, limit = graph(), 3
    values, rates = [], []

    def run(i, environment):
        return dist("--json", "--time-limit", limit, "--threads", 1, "--telemetry.interval", 0.05,
                    "--output", f"{i}.h5", "--checkpoint-interval", 0.5, name, env=environment)

    with ThreadPoolExecutor() as pool:  # at the same time, so that other load slows both
        results = list(pool.map(run, range(2), [{}, faults.shim(SLOW=50)]))
    for i, result in enumerate(results):
        values.append(json.loads(expect(result, 0).out))
        check(result.err.count("cannot") == 0, result)
        check(faults.check_stem(str(i), name) == values[i]["colors"], values[i])
        check(losses(str(i)) == (0, 0), losses(str(i)))
        rates.append(search_rate(str(i), values[i], limit))
    # No measurement: a search that waits for the disk would do next to nothing.
    check(rates[1] > rates[0] / 5, (rates, values))
    return 1, "nothing lost; the search does not wait"


def test_clock_jumps():
    """The time of day jumps by a day, ten times a second."""
    name, limit = graph(), 2
    process = start("--json", "--time-limit", limit, "--telemetry.interval", 0.05, "--output",
                    "x.h5", "--checkpoint-interval", 0.5, name, env=faults.shim(CLOCK=86400))
    out, _ = end_of(process, 0)
    value = json.loads(out)
    check(value["exit_reason"] == "time" and limit <= value["time"] < 5 * limit, value)
    check(faults.check_stem("x", name) == value["colors"], value)
    metrics = [r for r in faults.lines_of("x.jsonl") if r["record"] == "metric"]
    check(len({m["time"][:10] for m in metrics}) > 1, "the clock did not jump")
    times = [m["t"] for m in metrics]
    check(times == sorted(times) and times[-1] < 5 * limit, "times are not in order")
    check(max(b - a for a, b in zip(times, times[1:])) < limit, "records are missing")
    check(2 <= value["checkpoints"] <= limit / 0.5 + 1 and
          limit <= value["total_time"] < 5 * limit, value)
    return 1, "limits and intervals as without"


def test_same_name():
    """Eight runs given the same output at the same time."""
    name, rounds = graph(), 2
    for i in range(rounds):
        force = ["--force"] if i == 1 else []
        running = [subprocess.Popen(
            [cli.DIST, "--json", "--quiet", "--threads", "1", "--time-limit", "1", *force,
             "--output", f"{i}.h5", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=cli.clean_environment()) for _ in range(8)]
        ended = [(*p.communicate(timeout=faults.GUARD), p.returncode) for p in running]
        codes = sorted(code for _, _, code in ended)
        check(codes == [0] + 7 * [2], [(c, e) for _, e, c in ended])
        value = json.loads(next(out for out, _, code in ended if code == 0))
        check(faults.check_stem(str(i), name) == value["colors"], value)
        ends = [r for r in faults.lines_of(f"{i}.jsonl") if r["record"] == "summary"]
        check(len(ends) == 1, "two runs in one .jsonl")
    return f"{rounds} x 8", "one runs, seven exit 2; its files are its own"


def test_same_checkpoint():
    """Eight runs resumed from the same checkpoint at the same time."""
    name = graph()
    expect(dist("--quiet", "--time-limit", 1, "--output", "x.h5", name), 0)
    running = [subprocess.Popen(
        [cli.DIST, "--json", "--quiet", "--threads", "1", "--time-limit", "2", "--resume",
         "x.ckpt.h5", "--output", f"{i}.h5", name], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=cli.clean_environment()) for i in range(8)]
    ended = [(*p.communicate(timeout=faults.GUARD), p.returncode) for p in running]
    check(sorted(code for _, _, code in ended) == [0] + 7 * [2], ended)
    check(all(b"in use by another run" in err for _, err, code in ended if code == 2), ended)
    value = json.loads(next(out for out, _, code in ended if code == 0))
    resumed = dist("--json", "--quiet", "--resume", "x.ckpt.h5", "--max-iterations", 1000,
                   "--output", "y.h5", name)
    check(json.loads(expect(resumed, 0).out)["invocations"] == value["invocations"] + 1, resumed)
    return "1 x 8", "one goes on, seven exit 2"


if __name__ == "__main__":
    faults.enter()
    faults.main(globals())
