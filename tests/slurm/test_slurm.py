#!/usr/bin/env python3
"""Scripts of jobs/ under a real Slurm: a job, several nodes, an array with its table.

test_slurm.py PRISM_DIST PRISM. Skips where there is no Slurm: cluster.py says what it takes."""

import jobs
from jobs import check, ended, expect_ranks, graph, read, submit, verified


def test_submit():
    graph()
    job = submit("one-gpu.sh", "--job-name=one")
    ended(job, "COMPLETED", "0:0")
    check(jobs.slurm.job(job)["TresPerNode"] == "gres:gpu:1", jobs.slurm.job(job))
    verified(f"results/one-{job}")
    expect_ranks(f"results/one-{job}", {"n1": 1})


def test_many_nodes():
    graph()
    job = submit("many-nodes.sh", "--nodes=3", "--ntasks-per-node=2", "--gres=gpu:2")
    ended(job, "COMPLETED", "0:0")
    verified(f"results/prism-{job}")
    expect_ranks(f"results/prism-{job}", {"n1": 2, "n2": 2, "n3": 2})


def test_array_and_table():
    graph("a.col", n=60, seed=1)
    graph("b.col", n=80, seed=2)
    array = submit("array.sh", "--array=1-4", GRAPHS="a.col b.col", SEEDS="2", LIMIT="1")
    table = submit("collect.sh", f"--dependency=afterany:{array}")
    ended(table, "COMPLETED", "0:0")
    lines = [line.split() for line in read("results/array/table.txt").splitlines()]
    check([line[:2] for line in lines] == [["graph", "runs"], ["a", "2"], ["b", "2"]], lines)
    for name in "ab":
        found = [verified(f"results/array/{name}-s{seed}", f"{name}.col") for seed in (1, 2)]
        row = dict(zip(["graph", "runs", "best", "median", "worst", "at"],
                       next(line for line in lines if line[0] == name)))
        check(int(row["best"]) == min(found) and int(row["worst"]) == max(found)
              and float(row["median"]) == sum(found) / 2, (row, found))


if __name__ == "__main__":
    jobs.main(globals())
