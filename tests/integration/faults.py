"""Faults made on purpose: what their tests have in common.

A test is a function test_NAME of a test_faults_*.py. The first line of its text names the
fault, and what it returns is a row for docs/RELIABILITY.md: how often the fault was made, and
what was found. It raises Skipped where a fault cannot be made. The tests run in namespaces of
their own where that is allowed (mounts, processes, shared memory): nothing they do is seen
outside, and nothing outside is in their way.

PRISM_FAULT_TRIALS: how often a fault with a random moment is made (10)."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import cli
from cli import GUARD, check, expect, gnp, verified, wait_for

MARK = "PRISM_FAULTS"
TRIALS = int(os.environ.get("PRISM_FAULT_TRIALS", "10"))
SHIM = os.environ.get("PRISM_FAULT_SHIM", "")  # fault_shim.c


class Skipped(Exception):
    """Why a fault cannot be made here."""


# ---- namespaces ----------------------------------------------------------------------


def own_namespaces():
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "--pid", "--ipc", "--fork", "--kill-child",
            "--mount-proc"]


def enter():
    """Start the program again in namespaces of its own, if that is allowed."""
    if MARK in os.environ:
        if inside():  # names there come from process ids, which others have, too
            subprocess.run(["mount", "-t", "tmpfs", "none", "/dev/shm"], check=True)
        return
    try:
        done = subprocess.run([*own_namespaces(), "mount", "-t", "tmpfs", "none", "/mnt"],
                              capture_output=True, timeout=60, check=False)
        allowed = done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        allowed = False
    os.environ[MARK] = "inside" if allowed else "outside"
    if allowed:
        command = [*own_namespaces(), sys.executable, "-B", *sys.argv]
        os.execvp(command[0], command)


def inside():
    return os.environ.get(MARK) == "inside"


@contextlib.contextmanager
def small_disk(size, folder="disk"):
    """A file system of its own in a folder."""
    if not inside():
        raise Skipped("mounting is not allowed here")
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


def fill(folder):
    """Leave no byte; returns what to remove again."""
    name = os.path.join(folder, "filler")
    with open(name, "ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return name


# ---- programs ------------------------------------------------------------------------


def shim(**variables):
    """The environment with the shim: SLOW, KILL, CLOCK, SEED, CALLS as in fault_shim.c."""
    if not os.path.exists(SHIM):
        raise Skipped("the library of fault_shim.c is not there")
    return {"LD_PRELOAD": SHIM, "ASAN_OPTIONS": "verify_asan_link_order=0",
            **{f"PRISM_SHIM_{name}": str(value) for name, value in variables.items()}}


def sanitized():
    return b"__asan_init" in open(cli.DIST, "rb").read()


def mpi_environment(folder):
    """For mpirun, with a session folder of our own."""
    return {**cli.MPI_ENVIRONMENT, "OMPI_MCA_btl": "self,vader",
            "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
            "OMPI_MCA_orte_tmpdir_base": folder,
            "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"}


def launcher(ranks):
    if "MPI" not in expect(cli.dist("--version"), 0).out.upper():
        raise Skipped("built without MPI")
    if shutil.which(cli.MPIEXEC) is None:
        raise Skipped("no mpirun")
    return [cli.MPIEXEC, "-n", str(ranks)]


def graph(n=300, seed=1, p=0.5):
    """One that no time limit of a test finishes."""
    return gnp(f"hard{n}_{seed}.col", n, seed, p)


def searching(process, solution="x.sol"):
    wait_for(lambda: os.path.exists(solution), "a first coloring", process)


def end_of(process, *codes):
    """Waits; returns (stdout, stderr)."""
    try:
        code = process.wait(timeout=GUARD)
    except subprocess.TimeoutExpired:
        process.kill()
        check(False, f"hangs: {cli.started()}")
    check(code in codes, f"exit {code}, not {codes}: {cli.started()}")
    return cli.started()


# ---- what must hold afterwards -------------------------------------------------------


def lines_of(name):
    """The records of a .jsonl: every complete line is one."""
    text = open(name, "rb").read()
    whole = text[:text.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]


def run_file(name):
    """(solutions, rows of /summary) of a run file, opened while or after it is written; None
    without h5py."""
    try:
        import h5py
    except ImportError:
        return None
    with h5py.File(name, "r", libver="latest", swmr=True) as run:
        rows = run["/telemetry/metrics"][...]
        check(all(row["iterations"] >= 0 for row in rows), "a damaged metric")
        index, summary = run["/solutions/index"][...], run["/summary"][...]
        check(len(run["/solutions/colors"]) >= len(index), "colors are missing")
    return index, summary


def check_stem(stem, name):
    """Whatever files of a run there are can be read and agree; returns the colors of the .sol,
    None without one."""
    records = lines_of(f"{stem}.jsonl") if os.path.exists(f"{stem}.jsonl") else []
    told = [r["colors"] for r in records if r["record"] == "solution"]
    colors = verified(name, f"{stem}.sol") if os.path.exists(f"{stem}.sol") else None
    # The .sol comes first: nothing told elsewhere is better than it.
    check(not told or (colors is not None and colors <= min(told)), f"{colors}, {told}")
    if os.path.exists(f"{stem}.h5") and os.path.getsize(f"{stem}.h5") > 0:
        found = run_file(f"{stem}.h5")
        stored = [] if found is None else [int(c) for c in found[0]["colors"]]
        check(not stored or (colors is not None and colors <= min(stored)), f"{colors}, {stored}")
    return colors


# ---- the tests of a file -------------------------------------------------------------


def end_all():
    """No process of a test that failed outlives it."""
    for entry in os.listdir("/proc") if inside() else []:
        if entry.isdigit() and int(entry) not in (1, os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(int(entry), signal.SIGKILL)


def attempt(function):
    """Runs a test in a folder of its own; returns its row."""
    folder = tempfile.mkdtemp(prefix="prism-fault-")
    os.chdir(folder)
    try:
        return function()
    finally:
        end_all()
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)


def title(function):
    return function.__doc__.strip().splitlines()[0].rstrip(".")


def main(namespace):
    cli.DIST, cli.TOOL = (os.path.abspath(path) for path in sys.argv[1:3])
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    failures = done = 0
    for name in sys.argv[3:]:
        try:
            began = time.monotonic()
            row = attempt(namespace[name])
            done += 1
            print(f"ok   {name}: {row} ({time.monotonic() - began:.1f} s)", flush=True)
        except Skipped as reason:
            print(f"skip {name}: {reason}", flush=True)
        except Exception:  # every kind of failure is reported the same way
            failures += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    print(f"{done} passed, {failures} failed")
    sys.exit(1 if failures else 0 if done else 77)
