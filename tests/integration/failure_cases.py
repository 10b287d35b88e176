"""Failures of a job, made on purpose: what each does, and what must hold afterwards.

A case starts prism-dist on four ranks of two hosts (two_hosts.py; without namespaces:
of one), lets something fail, and waits until the job has ended: the launcher and every
rank. attempt() makes one and checks that the job ended in time and with an error, what
it said, and that the files are there and readable. test_failures.py runs them all as a
test; scripts/reliability.py measures them."""

import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import cli
import two_hosts
from cli import check, gnp, hard, read, verified

RANKS = 4
STRIKE = os.environ.get("PRISM_STRIKE_LIBRARY", "")  # strike.c
# RANK LIBRARY SIGNAL COMMAND...: this rank alone starts with the library.
WRAPPER = ["sh", "-c", 'if [ "$OMPI_COMM_WORLD_RANK" = "$0" ]; then '
           'export LD_PRELOAD="$1" PRISM_STRIKE="$2"; fi; shift 2; exec "$@"']


class Job:
    """A run under the launcher, and its processes."""

    def __init__(self, timeout, arguments, wrapper=(), graph="hard.col", ranks=RANKS):
        words = [*wrapper, cli.DIST, "--run.peer_timeout", timeout, "--threads", 1, "--output",
                 "x.h5", *arguments, graph]
        # The launcher must notice a lost link before the ranks do (docs/RELIABILITY.md).
        time_, interval, probes = (10, 2, 3) if timeout >= 20 else (1, 1, 2)
        keepalive = {"OMPI_MCA_oob_tcp_keepalive_time": str(time_),
                     "OMPI_MCA_oob_tcp_keepalive_intvl": str(interval),
                     "OMPI_MCA_oob_tcp_keepalive_probes": str(probes)}
        with open("out.txt", "wb") as out, open("err.txt", "wb") as err:
            self.process = subprocess.Popen(
                [*two_hosts.launcher(ranks // 2), *two_hosts.quoted(words)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**cli.clean_environment(), **two_hosts.environment(), **keepalive})
        self.began = None

    def wait_for(self, condition, what):
        return cli.wait_for(condition, what, self.process)

    def in_search(self):
        """The search goes on: the first coloring is on the disk, all ranks have begun."""
        self.wait_for(lambda: os.path.exists("x.sol") and "k=" in cli.started()[1], "the search")
        time.sleep(0.5)

    def pid(self, rank):
        return self.wait_for(lambda: ranks_alive().get(rank), f"rank {rank}")

    def strike(self, pid, number):
        """What fails; the time counts from here."""
        self.began = time.monotonic()
        os.kill(pid, number)

    def end(self, guard):
        """Seconds until the launcher and all ranks are gone."""
        while self.process.poll() is None or ranks_alive():
            late = time.monotonic() - self.began
            check(late <= guard, f"not ended after {late:.0f} s; launcher: "
                  f"{self.process.poll()}, ranks: {ranks_alive()}; {cli.started()}")
            time.sleep(0.02)
        return time.monotonic() - self.began

    def clear(self):
        """Nothing is left behind, whatever happened."""
        for pid in [*ranks_alive().values(), *daemons(), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.process.wait()


def processes(name):
    """Live processes of this user: (id, {variable: value}) by the program's short name."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if read(f"/proc/{entry}/comm").strip() != name[:15]:
                continue
            if read(f"/proc/{entry}/stat").rpartition(")")[2].split()[0] in "ZX":
                continue
            with open(f"/proc/{entry}/environ", "rb") as file:
                pairs = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue  # ended meanwhile, or somebody else's
        yield int(entry), dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def ranks_alive():
    """{rank: process id} of the job in this folder."""
    found = {}
    for pid, variables in processes(os.path.basename(cli.DIST)):
        try:
            here = os.readlink(f"/proc/{pid}/cwd") == os.getcwd()
        except OSError:
            continue
        if here and "OMPI_COMM_WORLD_RANK" in variables:
            found[int(variables["OMPI_COMM_WORLD_RANK"])] = pid
    return found


def daemons():
    """orted of the far host; in namespaces of our own nobody else has one."""
    return [pid for pid, _ in processes("orted")] if two_hosts.joined() else []


# ---- the cases: start a job and let it fail ------------------------------------------


def in_search(rank, number):
    def act(timeout):
        job = Job(timeout, ["--time-limit", 0])
        job.in_search()
        job.strike(job.pid(rank), number)
        return job
    return act


def in_reading(rank, number, ranks=RANKS):
    """The graph comes through a pipe that nobody fills: rank 0 reads for ever. With two
    ranks only the reading one is left to notice anything."""
    def act(timeout):
        os.mkfifo("pipe.col")
        job = Job(timeout, ["--time-limit", 0], graph="pipe.col", ranks=ranks)
        job.pipe = open("pipe.col", "wb")  # opens when rank 0 has opened its end
        time.sleep(0.5)
        job.strike(job.pid(rank), number)
        return job
    return act


def no_memory(rank):
    """The graph, 12 MB, does not fit into what is left of this rank's address space. What MPI
    takes for a message does: Open MPI 4.1 frees memory twice when it gets none."""
    left = 6 << 20
    def act(timeout):
        os.mkfifo("pipe.col")
        gnp("large.col", 2500)
        job = Job(timeout, ["--time-limit", 0], graph="pipe.col")
        with open("pipe.col", "wb") as pipe:
            pid = job.pid(rank)
            size = int(re.search(r"VmSize:\s+(\d+)", read(f"/proc/{pid}/status")).group(1))
            limit = size * 1024 + left
            resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
            pipe.write(open("large.col", "rb").read())
        job.began = time.monotonic()  # with the bounds, which come first
        return job
    return act


def at_the_limit(rank, number):
    """The others come to the end of the search, where all meet, without this one."""
    def act(timeout):
        job = Job(timeout, ["--time-limit", 3])
        job.in_search()
        job.strike(job.pid(rank), number)
        return job
    return act


def leaving(rank, number):
    """The search is over and told when this rank fails (strike.c)."""
    def act(timeout):
        job = Job(timeout, ["--time-limit", 1],
                  wrapper=[*WRAPPER, str(rank), STRIKE, str(int(number))])
        job.wait_for(lambda: "struck" in cli.started()[1], "the end of the run")
        job.began = time.monotonic()
        return job
    return act


def launcher(number):
    def act(timeout):
        job = Job(timeout, ["--time-limit", 0])
        job.in_search()
        job.strike(job.process.pid, number)
        return job
    return act


def daemon(number):
    def act(timeout):
        job = Job(timeout, ["--time-limit", 0])
        job.in_search()
        found = daemons()
        check(len(found) == 1, f"daemons: {found}")
        job.strike(found[0], number)
        return job
    return act


def cable(timeout):
    job = Job(timeout, ["--time-limit", 0])
    job.in_search()
    job.began = time.monotonic()
    two_hosts.cut()
    return job


class Case:
    """said: what stderr must hold (a pattern). files: a coloring is on the disk. hosts:
    needs two. code: of the launcher, where it is known. library: needs strike.c. limit:
    limits the address space."""

    def __init__(self, title, act, said, files=True, hosts=False, code=None, library=False,
                 limit=False):
        self.title, self.act, self.said, self.files = title, act, said, files
        self.hosts, self.code, self.library, self.limit = hosts, code, library, limit


KILL, STOP, TERM = signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM
SIGNAL_9 = r"rank {} .*exited on signal 9"  # mpirun says it
LOST = r"prism-dist: rank \d: rank {} is lost: no sign of life"

CASES = {
    "kill": Case("a rank killed in the search", in_search(3, KILL), SIGNAL_9.format(3)),
    "kill_first": Case("rank 0 killed in the search", in_search(0, KILL), SIGNAL_9.format(0)),
    "kill_reading": Case("a rank killed while rank 0 reads", in_reading(3, KILL),
                         SIGNAL_9.format(3), files=False),
    "kill_reader": Case("rank 0 killed while it reads", in_reading(0, KILL),
                        SIGNAL_9.format(0), files=False),
    "kill_leaving": Case("a rank killed when all is done", leaving(3, KILL),
                         SIGNAL_9.format(3), library=True),
    "stop": Case("a rank stopped in the search", in_search(3, STOP), LOST.format(3), code=3),
    "stop_first": Case("rank 0 stopped in the search", in_search(0, STOP), LOST.format(0), code=3),
    "stop_reading": Case("a rank stopped while rank 0 reads", in_reading(1, STOP, ranks=2),
                         LOST.format(1), files=False, code=3),
    "stop_reader": Case("rank 0 stopped while it reads", in_reading(0, STOP),
                        LOST.format(0), files=False, code=3),
    "stop_limit": Case("a rank stopped before the search ends", at_the_limit(3, STOP),
                       LOST.format(3), code=3),
    "stop_leaving": Case("a rank stopped when all is done", leaving(3, STOP),
                         r"prism-dist: rank \d: a rank is lost: not all came",
                         library=True),
    "no_memory": Case("a rank cannot allocate", no_memory(3),
                      r"prism-dist: rank 3: .*(memory|alloc)", code=3, limit=True),
    "kill_launcher": Case("the launcher killed", launcher(KILL), ""),
    "end_launcher": Case("the launcher terminated", launcher(TERM), ""),
    "kill_daemon": Case("the launcher's daemon on a node killed", daemon(KILL),
                        "lost communication with a remote daemon", hosts=True),
    "cable": Case("a node unreachable", cable, "lost communication with a remote daemon",
                  hosts=True),
}


# ---- what must hold afterwards -------------------------------------------------------


def check_files():
    """The best coloring and the run file are there, readable, and agree."""
    graph = "large.col" if os.path.exists("large.col") else "hard.col"
    colors = verified(graph, "x.sol")
    try:
        import h5py
    except ImportError:
        return
    with h5py.File("x.h5", "r", libver="latest", swmr=True) as run:
        index = run["/solutions/index"][...]
        ended = run["/summary"].shape[0]
    check(len(index) > 0, "the run file has no solution")
    # What the last flush missed is in the .sol alone.
    least = int(index["colors"].min())
    check(least == colors if ended else least >= colors, f"{least} and {colors} colors")


def possible(case):
    """Why this case cannot be made here; None: it can."""
    if case.hosts and not two_hosts.joined():
        return "needs two hosts"
    if case.library and not STRIKE:
        return "needs the library of strike.c"
    if case.limit and b"__asan_init" in open(cli.DIST, "rb").read():
        return "AddressSanitizer does not live with a limit"
    return None


def attempt(case, timeout, guard):
    """Seconds from the failure to the end of the job."""
    folder = tempfile.mkdtemp(prefix="prism-failure-")
    before = os.getcwd()
    os.chdir(folder)
    two_hosts.mend()
    job = None
    try:
        hard()
        job = case.act(timeout)
        seconds = job.end(guard)
        code, err = job.process.returncode, cli.started()[1]
        check(code != 0, f"the launcher ended with {code}: {cli.started()}")
        check(case.code in (None, code), f"exit code {code}, not {case.code}: {err}")
        check(re.search(case.said, err), f"missing: {case.said}: {err}")
        if case.files:
            check_files()
        else:
            left = [name for name in os.listdir(".") if name.startswith("x.")]
            check(not left, f"files of a run that had not begun: {left}")
        return seconds
    finally:
        if job is not None:
            job.clear()
        os.chdir(before)
        shutil.rmtree(folder, ignore_errors=True)
