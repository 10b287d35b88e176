"""Helpers of the command-line tests: programs, scratch folder, checks.

Every test_cli_*.py is called with the paths of prism-dist and prism, runs its
functions named test_* in a scratch folder of their own and exits 1 if one fails."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

DIST = TOOL = None
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUARD = 120  # seconds after which a program counts as hanging
MPIEXEC = os.environ.get("MPIEXEC", "mpirun")
# Root in a container, more ranks than cores.
MPI_ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none", "ASAN_OPTIONS": "detect_leaks=0",
}


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def clean_environment():
    """The tests may themselves have been started by a launcher."""
    return {k: v for k, v in os.environ.items() if not re.match(r"(OMPI|PMIX|PMI)_(?!MCA)", k)}


def run(program, *arguments, stdin=None, env=None, stdout=None):
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [program, *(a if isinstance(a, bytes) else str(a) for a in arguments)],
        input=data if data is not None else b"",
        stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE, timeout=GUARD,
        env={**clean_environment(), **(env or {})}, check=False)
    out = done.stdout.decode(errors="replace") if done.stdout is not None else ""
    return Result(done.returncode, out, done.stderr.decode(errors="replace"))


def dist(*arguments, **keywords):
    return run(DIST, *arguments, **keywords)


def tool(*arguments, **keywords):
    return run(TOOL, *arguments, **keywords)


def start(*arguments, launcher=(), env=None):
    """prism-dist in the background, stderr and stdout in files."""
    with open("out.txt", "wb") as out, open("err.txt", "wb") as err:
        return subprocess.Popen(
            [*launcher, DIST, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out,
            stderr=err, env={**clean_environment(), **(env or {})})


def started():
    """What the program of start() wrote so far."""
    return tuple(read(name) if os.path.exists(name) else "" for name in ("out.txt", "err.txt"))


def ranks(count, *arguments, env=None):
    """prism-dist under mpirun."""
    return run(MPIEXEC, "-np", count, DIST, *arguments, env={**MPI_ENVIRONMENT, **(env or {})})


def no_launcher():
    """Why mpirun starts nothing here; None: it does."""
    try:
        probe = subprocess.run([MPIEXEC, "-np", "2", "true"], capture_output=True, timeout=60,
                               env={**os.environ, **MPI_ENVIRONMENT}, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"{MPIEXEC}: {problem}"
    if probe.returncode != 0:
        return f"{MPIEXEC} starts nothing here: {probe.stderr.decode()}"
    return None


def check(condition, text):
    if not condition:
        raise AssertionError(str(text))


def wait_for(condition, what, process=None):
    """What the condition gives as soon as that is true; fails if the process ends without."""
    end = time.monotonic() + GUARD
    while True:
        over = time.monotonic() > end or (process is not None and process.poll() is not None)
        value = condition()
        if value:
            return value
        check(not over, f"still waiting for {what}: {started()}")
        time.sleep(0.01)


def listening(process):
    """Waits until a program has its signal handlers."""
    def caught():
        return re.search(r"SigCgt:\s*(\w+)", read(f"/proc/{process.pid}/status")).group(1)
    wait_for(lambda: int(caught(), 16) >> (signal.SIGUSR2 - 1) & 1, "signal handlers", process)


def expect(result, code, *words):
    check(result.code == code, f"expected exit {code}, got {result}")
    for word in words:
        check(word in result.out + result.err, f"missing: {word!r} in {result}")
    return result


def refused(result, *words):
    """A usage or input error: exit 2, one message, nothing on stdout."""
    expect(result, 2, *words)
    check(result.out == "", f"stdout is not empty: {result}")
    check(result.err.startswith(("prism-dist: ", "prism: ")), result)
    return result


def write(name, text):
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return name


def read(name):
    with open(name) as file:
        return file.read()


def queen(rows):
    """Write a queen graph; returns its name."""
    name = f"queen{rows}.col"
    if not os.path.exists(name):
        expect(tool("generate", "queen", "--rows", rows, "-o", name), 0)
    return name


def gnp(name, n, seed=1, p=0.5):
    """Write a random graph; returns its name."""
    if not os.path.exists(name):
        expect(tool("generate", "gnp", "--n", n, "--p", p, "--seed", seed, "-o", name), 0)
    return name


def hard():
    """A graph that no time limit of a test finishes."""
    return gnp("hard.col", 300)


def verified(graph, solution):
    """The colors of a legal solution."""
    done = expect(tool("verify", graph, solution), 0)
    return int(re.search(r"legal, (\d+) colors", done.out).group(1))


def coloring(solution):
    """The lines of a .sol that do not differ between runs."""
    return [line for line in read(solution).splitlines() if line.startswith(("s", "l"))]


def seal(checkpoint, schema=1):
    """Makes the seal fit what the file holds (docs/CHECKPOINT.md)."""
    with open(checkpoint, "r+b") as file:
        data = file.read()
        head = b"prism-dist checkpoint\nschema %d\nsize %d\n" % (schema, len(data))
        digest = hashlib.sha256(head + data[512:]).hexdigest().encode()
        file.seek(0)
        file.write((head + b"sha256 " + digest + b"\n").ljust(512, b"\0"))


JSON_FIELDS = ["graph", "n", "m", "colors", "lower_bound", "optimal", "target_met", "time",
               "time_to_best", "iterations", "seed", "ranks", "threads", "device",
               "exit_reason", "solution", "output", "gpu_busy", "gpu_overlap", "exchanges",
               "exchange_bytes", "exchange_seconds", "checkpoint", "invocations", "total_time",
               "checkpoints", "checkpoint_failures", "checkpoint_seconds"]


def result_of(text):
    """The JSON object of one run, with all its fields."""
    value = json.loads(text)
    check(list(value) == JSON_FIELDS, f"fields: {list(value)}")
    return value


def main(namespace):
    global DIST, TOOL
    DIST, TOOL = (os.path.abspath(path) for path in sys.argv[1:3])
    chosen = sys.argv[3:]
    failures = count = 0
    for name, function in list(namespace.items()):
        if not name.startswith("test_") or (chosen and name not in chosen):
            continue
        folder = tempfile.mkdtemp(prefix="prism-cli-")
        os.chdir(folder)
        count += 1
        try:
            function()
            print(f"ok   {name}", flush=True)
        except Exception:  # every kind of failure is reported the same way
            failures += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
        finally:
            os.chdir("/")
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{count} tests, {failures} failures")
    sys.exit(1 if failures or count == 0 else 0)
