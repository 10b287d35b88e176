"""The scripts of jobs/ on a cluster of three emulated nodes: helpers of the tests.

CPU engine, small graphs; GPUs are handed out by Slurm, but nobody uses them."""

import os
import sys

import cluster
from cluster import NotHere

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "integration"))
import cli  # noqa: E402 (the folder beside this one)
from cli import check, read  # noqa: E402,F401

JOBS = os.path.join(cli.ROOT, "jobs")
SRUN, MPIRUN = "srun --mpi=pmix -K", "mpirun --bind-to none"
slurm = None  # the cluster


def submit(script, *options, **variables):
    """A script of jobs/, from the current folder."""
    values = {"PRISM": cli.DIST, "OPTIONS": "--device cpu --threads 1", "LIMIT": "2",
              "GRAPH": "graph.col", "COLLECT": os.path.join(JOBS, "collect.py")}
    return slurm.submit(os.path.join(JOBS, script), *options, **{**values, **variables})


def graph(name="graph.col", n=200, seed=1):
    """One that takes long to color with the fewest colors, but has a coloring at once."""
    return cli.gnp(name, n, seed)


def output(job):
    """What a job printed so far."""
    name = slurm.job(job)["StdOut"]
    return read(name) if os.path.exists(name) else ""


def ended(job, state, code, guard=cluster.GUARD):
    """Waits for a job; returns what it printed."""
    found = slurm.wait(job, guard)[0]
    text = output(job)
    check(found["JobState"] in state.split("|"), f"{found['JobState']}, not {state}: {text}")
    check(code is None or found["ExitCode"] == code,
          f"exit code {found['ExitCode']}, not {code}: {text}")
    return text


def running(job, stem):
    """Waits until a job searches: its first coloring is on the disk."""
    def searching():
        state = slurm.job(job)["JobState"]
        check(state not in cluster.ENDED, f"job {job} has ended: {state}: {output(job)}")
        return state == "RUNNING" and os.path.exists(f"{stem}.sol")
    slurm.wait_until(searching, f"the search of job {job}")


def verified(stem, name="graph.col"):
    """The colors of a legal solution."""
    return cli.verified(name, f"{stem}.sol")


def ranks_of(stem):
    """The node of each rank, as the run file has them."""
    check(os.path.getsize(f"{stem}.h5") > 0, "an empty run file")
    try:
        import h5py
    except ImportError:
        print("     (no h5py: the run file was not read)")
        return None
    with h5py.File(f"{stem}.h5", "r", libver="latest", swmr=True) as run:
        rows = run["/ranks/table"][...]
    check([int(row["rank"]) for row in rows] == list(range(len(rows))), rows)
    return [row["host"].decode() for row in rows]


def expect_ranks(stem, per_node):
    """per_node: {node: ranks}. Where nodes share a name only their number is known."""
    hosts = ranks_of(stem)
    if hosts is None:
        return
    check(len(hosts) == sum(per_node.values()), f"{hosts}, not {per_node}")
    if slurm.naming:
        check({node: hosts.count(node) for node in hosts} == per_node, f"{hosts}: {per_node}")


def main(tests):
    """Runs the tests of a file on one cluster; exit 77 where there can be none."""
    global slurm
    try:
        with cluster.Cluster(nodes=3) as slurm:
            cli.main(tests)
    except NotHere as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
