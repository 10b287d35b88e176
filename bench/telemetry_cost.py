#!/usr/bin/env python3
"""What telemetry costs a run: pairs of runs with the same work, one with 10 records a second
and one without telemetry, in turn.

telemetry_cost.py PRISM_DIST GRAPH K ITERATIONS [PAIRS]

Each run is deterministic, on one thread, and ends after ITERATIONS moves. Compared is CPU time
(user and system, all threads), which other work on the machine disturbs least; wall time is
printed beside it."""
import os
import statistics
import subprocess
import sys
import tempfile
import time


def one_run(program, graph, k, iterations, telemetry, folder):
    """(CPU seconds, wall seconds, records)"""
    stem = os.path.join(folder, "run")
    command = [program, graph, "-k", k, "--seed", "1", "--deterministic", "--threads", "1",
               "--device", "cpu", "--time-limit", "0", "--max-iterations", iterations, "--quiet",
               "--force", "--output", stem + ".h5", "--checkpoint.enabled", "off",
               "--telemetry.interval", "0.1", "--telemetry.enabled", "on" if telemetry else "off"]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if process.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    records = 0
    if telemetry:
        with open(stem + ".jsonl", encoding="utf-8") as lines:
            records = sum(line.startswith('{"record":"metric"') for line in lines)
    return usage.ru_utime + usage.ru_stime, wall, records


def main():
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    program, graph, k, iterations = sys.argv[1:5]
    pairs = int(sys.argv[5]) if len(sys.argv) == 6 else 10
    costs, walls, rates = [], [], []
    with tempfile.TemporaryDirectory(prefix="prism-cost-") as folder:
        for pair in range(pairs):
            order = (True, False) if pair % 2 == 0 else (False, True)
            result = {on: one_run(program, graph, k, iterations, on, folder) for on in order}
            costs.append(100.0 * (result[True][0] / result[False][0] - 1.0))
            walls.append(100.0 * (result[True][1] / result[False][1] - 1.0))
            rates.append(result[True][2] / result[True][1])
            print(f"pair {pair + 1}: CPU {result[False][0]:.2f} s without, "
                  f"{result[True][0]:.2f} s with {rates[-1]:.1f} records/s: {costs[-1]:+.2f} % "
                  f"(wall {walls[-1]:+.2f} %)", flush=True)
    low, middle, high = statistics.quantiles(costs, n=4)
    print(f"CPU time: median {middle:+.2f} % (quartiles {low:+.2f} to {high:+.2f}) over {pairs} "
          f"pairs at {statistics.mean(rates):.1f} records/s; wall: median "
          f"{statistics.median(walls):+.2f} %")


if __name__ == "__main__":
    main()
