#!/usr/bin/env python3
"""bench/ttt.py and the tables of its CSV, with stand-ins for prism-dist, prism and
nvidia-smi that answer at once: who runs where, what is stored, what is shown."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import report

BENCH = Path(__file__).resolve().parent

SOLVER = """#!/bin/sh
case "$1" in
  --version) printf 'prism-dist 0\\n  cuda        13.0.1\\n  compiler    cc 1\\n'; exit 0;;
esac
echo "gpu=$CUDA_VISIBLE_DEVICES $*" >>"$PRISM_TEST_LOG"
sleep 0.2
echo "graph: read in 0.25 s" >&2
printf '{"target_met": true, "time_to_best": 1.75, "colors": 48, "iterations": 7,'
printf ' "exit_reason": "target"}\\n'
"""
SMI = """#!/bin/sh
case "$*" in
  *name*) echo "NVIDIA H100 80GB HBM3, 580.65";;
  *) printf '0\\n1\\n';;
esac
"""


class TttTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        for name, text in [("build/prism-dist", SOLVER), ("build/prism", "#!/bin/sh\n"),
                           ("bin/nvidia-smi", SMI), ("graphs/DSJC500.5.col", "")]:
            path = self.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="ascii")
            path.chmod(0o755)
        self.log = self.root / "log"

    def ttt(self, *arguments, **variables):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("PRISM_", "CUDA_"))}
        environment.update(PATH=f"{self.root}/bin:{os.environ['PATH']}",
                           PRISM_BUILD=str(self.root / "build"), PRISM_COMMIT="abc",
                           PRISM_INSTANCES=str(self.root / "graphs"),
                           PRISM_RESULTS=str(self.root / "results"),
                           PRISM_TEST_LOG=str(self.log), **variables)
        done = subprocess.run([sys.executable, "-B", str(BENCH / "ttt.py"), *arguments],
                              capture_output=True, text=True, env=environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = [line.split() for line in self.log.read_text(encoding="ascii").splitlines()]
        self.log.unlink()
        return done.stdout, runs

    def test_cuda(self):
        out, runs = self.ttt("--device", "cuda", "--rows", "DSJC500.5 48", "--seeds", "4")
        self.assertEqual(sorted(run[0] for run in runs), ["gpu=0", "gpu=0", "gpu=1", "gpu=1"])
        for run in runs:
            self.assertEqual(run[run.index("--device") + 1], "cuda")
            self.assertNotIn("--threads", run)
        self.assertIn("| DSJC500.5 48 | 4/4 | 1.50 | 1.50 | 1.50 | 60 | 1 | **no** |", out)
        header, rows = report.read_csv(self.root / "results/gpu-ttt-h100-80gb-hbm3.csv")
        self.assertEqual(len(rows), 4)
        for row in rows:
            self.assertEqual([row[column] for column in report.GPU_COLUMNS],
                             ["NVIDIA H100 80GB HBM3", "580.65", "13.0.1"])
            self.assertEqual((row["seconds"], row["commit"]), ("1.5000", "abc"))
        self.assertIn("- GPU: NVIDIA H100 80GB HBM3, driver 580.65, CUDA 13.0.1",
                      report.facts(header, rows))

    def test_chosen_gpus(self):
        _, runs = self.ttt("--device", "cuda", "--part", "attempts", "--seeds", "3", "--jobs", "2",
                           CUDA_VISIBLE_DEVICES="GPU-a,GPU-b,GPU-c")
        self.assertEqual({run[0] for run in runs}, {"gpu=GPU-a", "gpu=GPU-b"})
        self.assertEqual({run[run.index("--target") + 1] for run in runs}, {"47"})

    def test_cpu(self):
        out, runs = self.ttt("--rows", "DSJC500.5 49", "--seeds", "2")
        for run in runs:
            self.assertEqual(run[run.index("--device") + 1], "cpu")
            self.assertEqual(run[run.index("--threads") + 1], "1")
        self.assertIn("| DSJC500.5 49 | 1 | 2/2 | 1.50 |", out)
        path, = (self.root / "results").glob("ttt-*.csv")
        self.assertNotIn("gpu", report.read_csv(path)[1][0])

    def test_one_csv_for_both(self):
        path = str(self.root / "both.csv")
        self.ttt("--rows", "DSJC500.5 49", "--seeds", "1", "--csv", path, "--label", "cpu")
        self.ttt("--device", "cuda", "--rows", "DSJC500.5 48", "--seeds", "1", "--csv", path,
                 "--label", "gpu")
        rows = report.read_csv(path)[1]
        self.assertEqual(sorted((row["label"], row["cuda"]) for row in rows),
                         [("cpu", ""), ("gpu", "13.0.1")])
        self.assertIn("| `gpu` |", report.ttt_tables(rows))

    def test_rates(self):
        row = {"graph": "DSJC1000.5", "k": "83", "rate": "150e6", "goal": "200e6",
               "reference": "108e6", "detail": "u8", "gpu": "H100", "driver": "1", "cuda": "13"}
        failed = {**row, "rate": "", "goal": "", "reference": ""}
        lines = report.tables_of([row, failed]).splitlines()
        self.assertEqual(lines[2], "| DSJC1000.5 83 | u8 | 150.0 M | 108 M | 1.39 | 200 M | **no** |")
        self.assertEqual(lines[3], "| DSJC1000.5 83 | u8 | failed |  |  |  |  |")


if __name__ == "__main__":
    unittest.main()
