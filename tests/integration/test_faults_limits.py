#!/usr/bin/env python3
"""Memory that runs out, jobs that are stopped for a while, and what many runs or long ones
leave behind."""

import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import time
from operator import attrgetter

import cli
import faults
from cli import check, expect, read, start
from faults import Skipped, end_of, graph, searching, verified

MIB = 1 << 20
RUNS = int(os.environ.get("PRISM_FAULT_RUNS", "50"))
SOAK = float(os.environ.get("PRISM_SOAK_SECONDS", "3600"))


# ---- memory --------------------------------------------------------------------------


def limited(most, *arguments):
    """A run with so many bytes of address space."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    done = subprocess.run([cli.DIST, *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=faults.GUARD, preexec_fn=limit,
                          env=cli.clean_environment(), check=False)
    return cli.Result(done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))


def least_to_start():
    """Address space that is enough to say the version, within 2 MiB."""
    low, high = 0, 4096 * MIB
    while high - low > 2 * MIB:
        middle = (low + high) // 2
        if limited(middle, "--version").code == 0:
            high = middle
        else:
            low = middle
    return high


def test_memory_limit():
    """Address space limited (ulimit -v), from too little for anything to enough."""
    if faults.sanitized():
        raise Skipped("AddressSanitizer does not live with a limit")
    name, least = graph(1000), least_to_start()
    refused = tries = stored = 0
    for step in [0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 56, 64, 72, 80, 96, 128, 256, 512]:
        result = limited(least + step * MIB, "--json", "--time-limit", 0.5, "--threads", 2,
                         "--output", f"{step}.h5", name)
        tries += 1
        check(result.code in (0, 3), f"{step} MiB: {result}")
        if result.code == 3:
            refused += 1
            check(result.err.count("prism-dist: ") >= 1 and
                  re.search("memory|alloc|thread|Resource temporarily", result.err),
                  f"{step} MiB: {result}")
        if os.path.exists(f"{step}.sol"):
            verified(name, f"{step}.sol")
            stored += result.code == 3
    check(0 < refused < tries, f"{refused} of {tries}")
    return tries, (f"{refused} times exit 3 with what was missing, {stored} of them after a first "
                   "coloring, which is on the disk; else 0")


def test_memory_limit_in_the_search():
    """Address space used up in the middle of the search."""
    if faults.sanitized():
        raise Skipped("AddressSanitizer does not live with a limit")
    name, told = graph(600), []
    for i in range(4):
        process = start("--json", "--time-limit", 2.5, "--threads", 1, "--output", f"{i}.h5", name)
        searching(process, f"{i}.sol")
        time.sleep(0.1 * i)
        size = int(re.search(r"VmSize:\s+(\d+)", read(f"/proc/{process.pid}/status")).group(1))
        resource.prlimit(process.pid, resource.RLIMIT_AS, (size * 1024, size * 1024))
        process.send_signal(signal.SIGUSR1)  # a checkpoint needs memory
        out, err = end_of(process, 0, 3)
        told.append(process.returncode)
        colors = faults.check_stem(str(i), name)
        if process.returncode == 0:
            check(json.loads(out)["colors"] == colors, (out, colors))
        check(told[-1] == 0 or "prism-dist: " in err, err)
        check("out of memory" in err, err)
    return len(told), ("no checkpoint, and a warning; the search goes on" +
                       (f" or ends with 3 ({told.count(3)} times)" if 3 in told else ""))


# ---- stopped for a while -------------------------------------------------------------


def ranks_of(folder):
    """Process ids of prism-dist that run in this folder."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and read(f"/proc/{entry}/comm").strip() == "prism-dist" and \
                    os.readlink(f"/proc/{entry}/cwd") == folder:
                found.append(int(entry))
        except OSError:
            continue
    return found


def test_job_stopped():
    """All ranks stopped for longer than run.peer_timeout and run.watchdog, then continued."""
    name = graph()
    folder = os.getcwd()
    process = start("--json", "--time-limit", 6, "--threads", 1, "--run.peer_timeout", 2,
                    "--run.watchdog", 2, "--output", "x.h5", name, launcher=faults.launcher(2),
                    env=faults.mpi_environment(folder))
    searching(process)
    time.sleep(0.5)
    pids = ranks_of(folder)
    check(len(pids) == 2, pids)
    for number, rest in [(signal.SIGSTOP, 3.5), (signal.SIGCONT, 0.0)]:
        for pid in pids:
            os.kill(pid, number)
        time.sleep(rest)
    out, err = end_of(process, 0)
    check("lost" not in err and "no work finished" not in err, err)
    check(json.loads(out)["colors"] == faults.check_stem("x", name), out)
    return 1, "goes on: the time of a stopped process does not count"


# ---- what is left --------------------------------------------------------------------


def shared_segments():
    return len(read("/proc/sysvipc/shm").splitlines()) - 1


def test_many_runs():
    """Many short runs, one after the other, every 25th with two ranks."""
    if not faults.inside():
        raise Skipped("nobody else may use /tmp and /dev/shm meanwhile")
    programs = {name: open(path, "rb").read() for name, path in
                [("prism-dist", cli.DIST), ("prism", cli.TOOL)]}
    for folder in ["/tmp", "/dev/shm"]:  # empty ones of our own
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    os.environ.pop("TMPDIR", None)
    os.mkdir("/tmp/work")
    os.chdir("/tmp/work")
    for name, data in programs.items():
        cli.write(name, data)
        os.chmod(name, 0o755)
    was = cli.DIST, cli.TOOL
    cli.DIST, cli.TOOL = os.path.abspath("prism-dist"), os.path.abspath("prism")
    try:
        return many_runs()
    finally:
        os.chdir("/")
        cli.DIST, cli.TOOL = was
        for folder in ["/tmp", "/dev/shm"]:
            subprocess.run(["umount", "--lazy", folder], check=False)


def many_runs():
    name = cli.queen(6)
    with_mpi = shutil.which(cli.MPIEXEC) is not None and \
        "mpi" in expect(cli.dist("--version"), 0).out.lower()
    before = sorted(os.listdir("/proc/self/fd"))
    known = {"prism", "prism-dist", "queen6.col", "x.h5", "x.jsonl", "x.sol", "x.ckpt.h5",
             "x.ckpt.h5.1"}
    for i in range(RUNS):
        words = ["--quiet", "--json", "--target", "8", "--time-limit", "20", "--output", "x.h5",
                 "--force", name]
        if with_mpi and i % 25 == 0:
            done = subprocess.run([cli.MPIEXEC, "-n", "2", cli.DIST, *words], check=False,
                                  stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=faults.GUARD, env={**cli.clean_environment(),
                                                             **faults.mpi_environment("/tmp")})
            check(done.returncode == 0, done.stderr)
        else:
            expect(cli.dist(*words), 0)
        files = sorted(os.listdir("."))
        check(set(files) <= known, f"after run {i + 1}: {files}")
    # Waits for what ends by itself a moment later.
    faults.wait_for(lambda: len([p for p in os.listdir("/proc") if p.isdigit()]) <= 2,
                    "the end of all processes")
    check(os.listdir("/tmp") == ["work"], os.listdir("/tmp"))
    check(os.listdir("/dev/shm") == [], os.listdir("/dev/shm"))
    check(shared_segments() == 0, "shared memory is left")
    check(sorted(os.listdir("/proc/self/fd")) == before, "descriptors are left")
    return RUNS, "no file, no shared memory, no process is left"


# ---- a long one ----------------------------------------------------------------------


class Sample:
    """What the ranks of a job hold: MiB, descriptors, threads."""

    def __init__(self, pids):
        self.memory = self.files = self.threads = 0
        for pid in pids:
            status = read(f"/proc/{pid}/status")
            self.memory += int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024
            self.threads += int(re.search(r"Threads:\s+(\d+)", status).group(1))
            self.files += len(os.listdir(f"/proc/{pid}/fd"))

    def __repr__(self):
        return f"{self.memory:.1f} MiB, {self.files} descriptors, {self.threads} threads"


def test_soak():
    """A long run of two ranks, sampled all the time."""
    name = graph(500)
    folder = os.getcwd()
    # Records and checkpoints often: caches are full, and all has been done once, after a fifth.
    often = ["--telemetry.interval", 0.05, "--islands.migration_interval", 0.05,
             "--checkpoint-interval", max(1, SOAK / 100)]
    end = time.monotonic() + 0.99 * SOAK  # the end of a run takes threads and files of its own
    process = start("--json", "--time-limit", SOAK, "--threads", 1, "--output", "x.h5", *often,
                    name, launcher=faults.launcher(2), env=faults.mpi_environment(folder))
    searching(process)
    time.sleep(min(10.0, SOAK / 10))
    pids = ranks_of(folder)
    check(len(pids) == 2, pids)
    samples = []
    while time.monotonic() < end and process.poll() is None:
        samples.append(Sample(pids))
        time.sleep(max(0.2, SOAK / 1000))
    out, err = end_of(process, 0)
    check(json.loads(out)["colors"] == faults.check_stem("x", name), out)
    check("warning" not in err.lower() and "cannot" not in err, err)
    # Nothing grows from then on.
    early, late = samples[len(samples) // 5:2 * len(samples) // 5], samples[-len(samples) // 5:]
    first = max(s.memory for s in early)
    last = max(s.memory for s in late)
    check(last <= 1.05 * first + 4, f"memory grows: {early[-1]}, {late[-1]}")
    # A sample may see the file of a checkpoint; what stays open is in most of them.
    for held in [attrgetter("files"), attrgetter("threads")]:
        usual = [statistics.median(map(held, part)) for part in (early, late)]
        check(usual[1] <= usual[0], f"{usual}: {early[-1]}, {late[-1]}")
    return f"{SOAK:g} s", f"from {first:.1f} to {last:.1f} MiB in two ranks; {late[-1]}"


if __name__ == "__main__":
    faults.enter()
    faults.main(globals())
