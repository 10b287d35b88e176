#!/usr/bin/env python3
"""Every script of jobs/ with both launchers under a real Slurm, and jobs to which something
happens: cancelled, out of time, a rank or a node killed, queued again.

test_slurm_long.py PRISM_DIST PRISM [TEST...]. Skips where there is no Slurm (cluster.py)."""

import os
import re
import signal

import jobs
from jobs import MPIRUN, SRUN, check, cli, ended, graph, submit, verified

LAUNCHERS = {"srun": SRUN, "mpirun": MPIRUN}
HOURS = {"LIMIT": "7000"}  # something else ends the job


def both(script, *options, ranks):
    """A script with both launchers, at the same time."""
    graph()
    found = {name: submit(script, *options, f"--job-name={name}", LAUNCH=launcher)
             for name, launcher in LAUNCHERS.items()}
    for name, job in found.items():
        ended(job, "COMPLETED", "0:0")
        verified(f"results/{name}-{job}")
        hosts = jobs.ranks_of(f"results/{name}-{job}")
        check(hosts is None or len(hosts) == ranks, f"{name}: {hosts}")


def test_one_gpu():
    both("one-gpu.sh", ranks=1)


def test_one_node():
    both("one-node.sh", ranks=8)


def test_many_nodes():
    both("many-nodes.sh", "--nodes=3", "--ntasks-per-node=2", "--gres=gpu:2", ranks=6)


def test_cpu():
    both("cpu.sh", ranks=2)


def test_cpu_on_two_nodes():
    both("cpu.sh", "--nodes=2", "--ntasks-per-node=1", ranks=2)


def test_ranks_see_all_gpus_of_their_node():
    """Each takes its own by its place on the node; NCCL wants to see the others' too."""
    graph()
    job = submit("one-node.sh", **HOURS)
    jobs.running(job, f"results/prism-{job}")
    found = jobs.slurm.processes(cli.DIST, job)
    check(sorted(found) == list(range(8)), found)
    for pid in found.values():
        seen = jobs.cluster.environment_of(pid).get("CUDA_VISIBLE_DEVICES")
        check(seen == "0,1,2,3,4,5,6,7", seen)
    jobs.slurm.run("scancel", job)
    ended(job, "CANCELLED", None)


def launched(launcher, *options, script="many-nodes.sh", **variables):
    """A job on two nodes that is in its search, and where its files are."""
    graph()
    job = submit(script, "--nodes=2", "--ntasks-per-node=2", "--gres=gpu:2", *options,
                 LAUNCH=launcher, **{**HOURS, **variables})
    stem = f"results/prism-{job}"
    jobs.running(job, stem)
    return job, stem


def no_rank_left(job):
    jobs.slurm.wait_until(lambda: not jobs.slurm.processes(cli.DIST, job), "the end of all ranks")


def cancelled(launcher):
    job, stem = launched(launcher)
    jobs.slurm.run("scancel", job)
    text = ended(job, "CANCELLED", None)
    no_rank_left(job)
    check("ended by signal" in text, text)
    verified(stem)


def test_cancelled_srun():
    cancelled(SRUN)


def test_cancelled_mpirun():
    """Slurm tells mpirun and its daemons at once: enough that the best is on the disk."""
    job, stem = launched(MPIRUN)
    jobs.slurm.run("scancel", job)
    ended(job, "CANCELLED", None)
    no_rank_left(job)
    verified(stem)


def test_time_limit_of_the_job():
    """Without an early signal the end is rough, Slurm sends TERM twice: what was found is there."""
    job, stem = launched(SRUN, "--time=1")
    ended(job, "TIMEOUT", None, guard=150)
    no_rank_left(job)
    verified(stem)


def rank_killed(launcher, message):
    job, stem = launched(launcher)
    victim = jobs.slurm.processes(cli.DIST, job)[3]
    os.kill(victim, signal.SIGKILL)
    text = ended(job, "FAILED", None)
    no_rank_left(job)
    check(re.search(message, text), text)
    verified(stem)


def test_killed_rank_srun():
    rank_killed(SRUN, r"n2: task 3: Killed")


def test_killed_rank_mpirun():
    rank_killed(MPIRUN, r"process rank 3 .*on node n2 exited on signal 9")


def node_killed(launcher):
    job, stem = launched(launcher)
    try:
        jobs.slurm.kill_node("n2")
        text = ended(job, "FAILED|NODE_FAIL|CANCELLED", None, guard=120)
        no_rank_left(job)
        check("n2" in text, text)
        verified(stem)
    finally:
        jobs.slurm.revive_node("n2")


def test_killed_node_srun():
    node_killed(SRUN)


def test_killed_node_mpirun():
    node_killed(MPIRUN)


def test_killed_node_daemon():
    """The daemon alone: its ranks live on until Slurm counts the node as lost."""
    job, stem = launched(SRUN)
    try:
        jobs.slurm.kill_daemon("n2")
        ended(job, "FAILED|NODE_FAIL|CANCELLED", None, guard=120)
        verified(stem)
    finally:
        jobs.slurm.revive_node("n2")
        no_rank_left(job)


if __name__ == "__main__":
    jobs.main(globals())
