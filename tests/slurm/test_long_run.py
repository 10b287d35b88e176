#!/usr/bin/env python3
"""jobs/long.sh under a real Slurm: signal before the end, checkpoint, queued again, resumed, done.

test_long_run.py PRISM_DIST PRISM [TEST...]. Skips where there is no Slurm (cluster.py)."""

import os
import time

import jobs
from jobs import MPIRUN, SRUN, check, ended, graph, output, verified

# Slurm looks at time limits every 30 s, so a signal 25 s before the end of a minute comes
# between 5 and 35 s after the start, here after 29 s: less than TOTAL.
ENDING = ["--time=1", "--signal=B:USR2@25"]
TOTAL = 33


def queued_again(job, count):
    """Waits until a job has ended a piece. It would wait two minutes for its next start; at
    once would be too early: Slurm is seconds behind with the end of the steps, and counts
    the start of a job in full seconds."""
    def pending():
        found = jobs.slurm.job(job)
        check(found["JobState"] not in jobs.cluster.ENDED, f"{found['JobState']}: {output(job)}")
        return found["JobState"] == "PENDING" and int(found["Restarts"]) == count
    jobs.slurm.wait_until(pending, f"job {job} to be queued again", 150)
    jobs.slurm.wait_until(lambda: not jobs.slurm.steps(job), f"the end of the steps of job {job}")
    time.sleep(1)
    jobs.slurm.run("scontrol", "update", f"JobId={job}", "StartTime=now")


def seconds(text):
    """Of Slurm's HH:MM:SS."""
    hours, minutes, rest = (int(part) for part in text.split(":"))
    return 3600 * hours + 60 * minutes + rest


def two_pieces(*options, **variables):
    """A run that is saved and queued again once, and then comes to the end of its TOTAL."""
    graph()
    job = jobs.submit("long.sh", *options, TOTAL=str(TOTAL), BEFORE="5", **variables)
    stem = f"results/prism-long-{job}"
    queued_again(job, 1)
    check(os.path.getsize(f"{stem}.ckpt.h5") > 0, "an empty checkpoint")
    first = verified(f"{stem}-0")
    text = ended(job, "COMPLETED", "0:0")
    check(verified(f"{stem}-1") <= first, text)
    check("ended by checkpoint" in text and "ended by time" in text, text)
    # The clock went on: the second piece had only what the first had left.
    check(seconds(jobs.slurm.job(job)["RunTime"]) < TOTAL - 5 + 10, text)
    return job


def test_early_signal():
    two_pieces(*ENDING, "--nodes=2", "--ntasks-per-node=1", LAUNCH=SRUN)


def test_early_signal_mpirun():
    two_pieces(*ENDING, "--nodes=2", "--ntasks-per-node=1", LAUNCH=MPIRUN)


def test_target_ends_it():
    """Met in the first piece: nothing is queued again."""
    graph()
    job = jobs.submit("long.sh", *ENDING, BEFORE="5",
                      OPTIONS="--device cpu --threads 1 --target 40")
    text = ended(job, "COMPLETED", "0:0")
    check(jobs.slurm.job(job)["Restarts"] == "0" and "ended by target" in text, text)
    check(verified(f"results/prism-long-{job}-0") <= 40, text)


def test_lost_node():
    """Slurm itself queues the job again; it goes on from its last periodic checkpoint."""
    graph()
    # Ten minutes before the end it would be told to save and stop.
    job = jobs.submit("long.sh", "--time=20", "--nodes=2", "--ntasks-per-node=1", TOTAL="40",
                      OPTIONS="--device cpu --threads 1 --checkpoint-interval 2")
    stem = f"results/prism-long-{job}"
    jobs.running(job, f"{stem}-0")
    jobs.slurm.wait_until(lambda: os.path.exists(f"{stem}.ckpt.h5"), "the first checkpoint")
    try:
        jobs.slurm.kill_daemon("n2")
        queued_again(job, 1)
        ended(job, "COMPLETED", "0:0", guard=150)
        check(verified(f"{stem}-1") <= verified(f"{stem}-0"), output(job))
    finally:
        jobs.slurm.revive_node("n2")


if __name__ == "__main__":
    jobs.main(globals())
