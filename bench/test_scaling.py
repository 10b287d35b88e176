#!/usr/bin/env python3
"""bench/scaling.py and its model: statistics against their definitions, tables and plots of
a made-up CSV; bench/ttt.py --scaling with stand-ins for the programs."""

import itertools
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import report
import scaling
from prism_analysis import times as model

BENCH = Path(__file__).resolve().parent
SEED = int(os.environ.get("PRISM_TEST_SEED", "20261121"))

SOLVER = """#!/bin/sh
case "$1" in
  --version) printf 'prism-dist 0\\n  cuda        13.0.1\\n  mpi         Open MPI v4\\n'; exit 0;;
esac
echo "gpu=$CUDA_VISIBLE_DEVICES ranks=${STAND_IN_RANKS:-1} $*" >>"$PRISM_TEST_LOG"
sleep 0.1
echo "graph: read in 0.25 s" >&2
while [ $# -gt 1 ]; do
  [ "$1" != --output ] || stem=${2%.h5}
  shift
done
{
  echo '{"record":"event","event":"start","t":1.0}'
  for t in 1 2 3 4 5; do
    echo '{"record":"metric","rank":0,"colors":80,"iterations":'$((t * t * 100))',"t":'$t'.0}'
    echo '{"record":"metric","rank":1,"colors":80,"iterations":'$((t * 1000))',"t":'$t'.0}'
  done
  echo '{"record":"metric","rank":0,"colors":84,"iterations":9999999,"t":6.0}'
} >"$stem.jsonl"
printf '{"target_met": true, "time_to_best": 1.75, "time": 2.25, "colors": 48,'
printf ' "iterations": 70, "exchanges": 3, "exchange_bytes": 4096,'
printf ' "exchange_seconds": 0.02, "exit_reason": "target"}\\n'
"""
MPIRUN = """#!/bin/sh
export STAND_IN_RANKS=$2
shift 4
exec "$@"
"""
SMI = """#!/bin/sh
case "$*" in
  *name*) echo "NVIDIA H200, 580.65";;
  *) seq 0 3;;
esac
"""


def made_up(graph="DSJC1000.5", k="83", shift=1.0, scale=16.0, limit=60.0, runs=10):
    """Rows as islands would give whose times are shifted exponentials, and cooperating ones
    whose time falls as P ** -0.9."""
    rng, rows = random.Random(20261121), []
    for gpus in (1, 2, 4, 8):
        for label in ("cooperating", "alone") if gpus > 1 else ("cooperating",):
            for seed in range(1, runs + 1):
                draw = rng.expovariate(1.0)
                seconds = (shift + scale * draw / gpus if label == "alone"
                           else 0.3 + (shift - 0.3 + scale * draw) * gpus ** -0.9)
                met = seconds <= limit
                rows.append({"place": "1", "label": label, "graph": graph, "k": k,
                             "ranks": str(gpus), "goal": "", "seed": str(seed),
                             "part": "targets", "cooperating": str(int(label != "alone")),
                             "limit": f"{limit:g}", "met": str(int(met)),
                             "seconds": f"{seconds if met else limit / 2:.4f}",
                             "colors": k, "iterations": "1000000",
                             "reason": "target" if met else "time", "commit": "abc",
                             "wall": f"{min(seconds, limit):.4f}", "iterations_per_s": "1e6",
                             "start": "", "exchanges": "4" if label != "alone" else "0",
                             "exchange_bytes": str(4 * gpus * 64000),
                             "exchange_seconds": f"{0.001 * min(seconds, limit):.4f}", "gpu": "NVIDIA H200",
                             "driver": "580", "cuda": "13.0"})
            rows.append({**rows[-1], "place": "3", "k": "80", "part": "rates", "met": "0",
                         "iterations_per_s": f"{gpus * (2e8 - 2e5 * gpus):.6g}",
                         "start": "0.3"})
    return rows


class ModelTest(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(SEED)

    def sample(self, runs, shift, scale, limit=math.inf):
        times = [shift + self.rng.expovariate(1 / scale) for _ in range(runs)]
        return model.Sample(tuple(t for t in times if t <= limit),
                            tuple(limit for t in times if t > limit))

    def test_median(self):
        for count in range(1, 12):
            values = [self.rng.random() for _ in range(count)]
            self.assertAlmostEqual(model.median(values), statistics.median(values))
        self.assertEqual(model.median([1.0, 2.0, math.inf]), 2.0)
        self.assertEqual(model.median([1.0, math.inf]), math.inf)

    def test_expected_best_is_the_mean_over_all_choices(self):
        for _ in range(20):
            sample = self.sample(self.rng.randint(1, 8), 0.5, 3.0, 5.0)
            values = sorted(sample.times) + sorted(sample.cuts)
            for runs in range(1, sample.count() + 1):
                best = [min(some) for some in itertools.combinations(values, runs)]
                value, exact = model.expected_best(sample, runs)
                self.assertAlmostEqual(value, statistics.fmean(best), msg=f"seed {SEED}")
                self.assertEqual(exact, all(t not in sample.cuts for t in best))
            self.assertIsNone(model.expected_best(sample, sample.count() + 1))

    def test_fit_finds_what_was_drawn(self):
        for limit in (math.inf, 12.0):
            fits = [model.fit(self.sample(10, 2.0, 8.0, limit)) for _ in range(2000)]
            fits = [fitted for fitted in fits if fitted]
            self.assertAlmostEqual(statistics.fmean(f.shift for f in fits), 2.0, delta=0.15)
            # Few runs within the limit: the scale is found within some percent.
            self.assertAlmostEqual(statistics.fmean(f.scale for f in fits), 8.0,
                                   delta=0.5 if math.isinf(limit) else 2.5)

    def test_best_of_runs_of_a_fit(self):
        fitted = model.Fit(1.0, 6.0)
        drawn = [min(1.0 + self.rng.expovariate(1 / 6.0) for _ in range(4))
                 for _ in range(20000)]
        self.assertAlmostEqual(fitted.mean(4), statistics.fmean(drawn), delta=0.06)
        self.assertAlmostEqual(fitted.median(4), statistics.median(drawn), delta=0.06)
        self.assertAlmostEqual(fitted.reached(fitted.median(1)), 0.5)
        self.assertGreater(fitted.bound(), fitted.median(1) / fitted.median(10 ** 6))

    def test_no_fit_of_too_little(self):
        self.assertIsNone(model.fit(model.Sample((1.0, 2.0), (3.0,))))
        self.assertIsNone(model.fit(model.Sample((1.0, 1.0, 1.0), ())))

    def test_interval_covers(self):
        covered = 0
        for _ in range(100):
            low, high = model.median_interval(self.sample(20, 1.0, 5.0))
            covered += low <= 1.0 + 5.0 * math.log(2) <= high
        self.assertGreaterEqual(covered, 85, f"seed {SEED}")

    def test_speedup(self):
        slow, fast = self.sample(12, 4.0, 8.0), self.sample(12, 1.0, 2.0)
        value, (low, high) = model.speedup(slow, fast)
        self.assertTrue(low <= value <= high and 1.0 < value)
        self.assertEqual(model.speedup(slow, slow)[0], 1.0)
        never = model.Sample((), (9.0, 9.0, 9.0))
        self.assertEqual(model.speedup(never, fast)[0], math.inf)
        self.assertEqual(model.speedup(fast, never)[0], 0.0)
        self.assertEqual(model.speedup(never, never), (None, None))
        self.assertEqual(model.sooner(fast, never), 1.0)
        self.assertEqual(model.sooner(fast, fast), 0.5)

    def test_growth(self):
        medians = {gpus: 0.4 + 9.0 * gpus ** -0.8 for gpus in (1, 2, 4, 8)}
        growth = model.grow_medians(medians, 0.4)
        self.assertAlmostEqual(growth.power, 0.8)
        self.assertAlmostEqual(growth.work, 9.0)
        self.assertAlmostEqual(growth.median(64), 0.4 + 9.0 * 64 ** -0.8)
        self.assertGreater(growth.median(64, 0.5), growth.median(64))
        self.assertEqual(model.grow_medians({1: 8.0, 2: 2.0, 4: 0.5}, 0.0).power, 1.0)
        self.assertIsNone(model.grow_medians({1: 8.0, 2: 4.0, 4: math.inf}, 0.0))

    def test_loss(self):
        self.assertEqual(model.loss_at(64, {}), 0.0)
        self.assertAlmostEqual(model.loss_at(8, {2: 0.01, 8: 0.02}), 0.0)
        self.assertAlmostEqual(model.loss_at(64, {8: 0.02}), 1 - (1 - 0.16) / 0.98)
        self.assertEqual(model.loss_at(64, {8: -0.01}), 0.0)


class TablesTest(unittest.TestCase):
    def test_tables(self):
        rows = made_up()
        text = scaling.tables_of(rows, "h200")
        self.assertIn("| 1 | - | 10/10 |", text)
        for gpus in (2, 4, 8):
            for label in ("cooperating", "alone"):
                self.assertIn(f"| {gpus} | {label} | 10/10 |", text)
        target, = scaling.targets_of(rows)
        value, _ = model.speedup(target.single(), target.samples["cooperating"][8])
        self.assertIn(f" {scaling.number(value)} (", text)
        self.assertIn("| DSJC1000.5 80 | 8 | cooperating | 1 | 1587.20 M | 0.993 | 0.30 |", text)
        self.assertIn("scaling of 0.98 or more: yes", text)
        self.assertIn("exchange under 1 % of the time: yes", text)
        self.assertRegex(text, r"\| DSJC1000.5 83 \| 8 \| cooperating \| [0-9.]+ \| [0-9.]+ \| "
                               r"64 \| 0\.10 % \|")
        self.assertNotIn("| 64 | 0.00 % |", text)
        self.assertIn("| 64 | - |", text)
        self.assertIn("| 1024 | - |", text)
        self.assertIn("(scaling/h200-DSJC1000.5-83-ttt.svg)", text)
        self.assertNotIn("nan", text)

    def test_what_was_not_reached(self):
        rows = made_up(limit=4.0)
        for row in rows:  # one GPU never
            if row["ranks"] == "1" and row["part"] == "targets":
                row.update(met="0", wall="4.0", reason="time")
        rows[0].update(reason="error", met="0", seconds="", wall="")
        text = scaling.tables_of(rows)
        self.assertIn("| 1 | - | 0/9 | > 4.00 (∞ to ∞) |", text)
        self.assertIn("**1 of ", text)
        self.assertNotIn("order statistics", text)
        self.assertNotIn("nan", text)

    def test_few_rows(self):
        rows = [row for row in made_up() if row["ranks"] == "1"]
        text = scaling.tables_of(rows)
        self.assertIn("not extrapolated", text)
        self.assertEqual(scaling.tables_of([]), "")

    def test_plots(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scaling-h200.csv"
            report.write_csv(path, ["# machine: none"], made_up() + made_up("DSJC500.5", "48",
                                                                            limit=6.0))
            done = subprocess.run([sys.executable, "-B", str(BENCH / "scaling.py"), "--plot",
                                   str(path), folder], capture_output=True, text=True,
                                  check=False)
            if "no plots" in done.stderr:
                self.skipTest(done.stderr.strip())
            self.assertEqual(done.returncode, 0, done.stderr)
            for graph in ("DSJC1000.5-83", "DSJC500.5-48"):
                for kind in ("ttt", "speedup", "model"):
                    plot = Path(folder) / f"h200-{graph}-{kind}.svg"
                    self.assertIn("<svg", plot.read_text(encoding="utf-8"))


class RunsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        for name, text in [("build/prism-dist", SOLVER), ("build/prism", "#!/bin/sh\n"),
                           ("bin/nvidia-smi", SMI), ("bin/mpirun", MPIRUN),
                           ("graphs/DSJC500.5.col", ""), ("graphs/DSJC1000.5.col", "")]:
            path = self.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="ascii")
            path.chmod(0o755)
        self.log = self.root / "log"

    def ttt(self, *arguments):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("PRISM_", "CUDA_"))}
        environment.update(PATH=f"{self.root}/bin:{os.environ['PATH']}",
                           PRISM_BUILD=str(self.root / "build"), PRISM_COMMIT="abc",
                           PRISM_INSTANCES=str(self.root / "graphs"),
                           PRISM_RESULTS=str(self.root / "results"),
                           PRISM_TEST_LOG=str(self.log))
        done = subprocess.run([sys.executable, "-B", str(BENCH / "ttt.py"), *arguments],
                              capture_output=True, text=True, env=environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line.split() for line in self.log.read_text(encoding="ascii").splitlines()]

    def test_gpus(self):
        runs = self.ttt("--scaling", "--device", "cuda", "--seeds", "2", "--rows", "DSJC500.5")
        # 1, 2 and 4 GPUs; what has one rank need not be alone, too
        self.assertEqual(len(runs), 2 * (1 + 2 + 2))
        for run in runs:
            gpus, ranks = run[0][len("gpu="):].split(","), run[1][len("ranks="):]
            self.assertEqual(len(gpus), int(ranks))
            self.assertEqual(len(set(gpus)), len(gpus))
            self.assertIn("--telemetry.enabled=false", run)
        self.assertEqual(sum("--no-migration" in run for run in runs), 4)
        for run in runs:
            self.assertNotEqual("--no-migration" in run, "--islands.pool_interval" in run)
        self.assertEqual({run[1] for run in runs[:4]}, {"ranks=4"})  # the widest first
        header, rows = report.read_csv(self.root / "results/scaling-h200.csv")
        self.assertIn("# mpi: Open MPI v4", header)
        self.assertEqual({(row["ranks"], row["label"], row["cooperating"]) for row in rows},
                         {("1", "cooperating", "1")}
                         | {(n, mode, str(int(mode != "alone"))) for n in ("2", "4")
                            for mode in scaling.MODES})
        for row in rows:
            self.assertEqual((row["seconds"], row["wall"], row["iterations_per_s"], row["start"],
                              row["exchanges"], row["exchange_bytes"], row["exchange_seconds"]),
                             ("1.5000", "2.0000", "35", "", "3", "4096", "0.02"))
        self.assertIn("| 4 | alone | 2/2 | 1.50 (1.50 to 1.50) |", scaling.tables_of(rows))

    def test_rates(self):
        runs = self.ttt("--scaling", "--device", "cuda", "--part", "rates", "--seeds", "1",
                        "--ranks", "2", "--mode", "cooperating")
        self.assertEqual(len(runs), 1)
        self.assertIn("--telemetry.enabled=true", runs[0])
        row, = report.read_csv(self.root / "results/scaling-h200.csv")[1]
        # Rank 0: 400 at 2 s, 2500 at 5 s; rank 1: 1000 a second; 0.25 s of reading.
        self.assertEqual((row["iterations_per_s"], row["start"]), ("1700", "0.7500"))


if __name__ == "__main__":
    unittest.main()
