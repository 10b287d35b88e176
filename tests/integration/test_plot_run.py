#!/usr/bin/env python3
"""scripts/plot_run.py on finished, live, killed and broken run files.

Usage: test_plot_run.py STORE_WRITER PLOT_RUN_PY. Exit code 77: skipped.
"""
import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import h5py
    import matplotlib  # noqa: F401 (only whether it is there)
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

WRITER, SCRIPT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])

TABLES = {"metric": "/telemetry/metrics", "event": "/telemetry/events",
          "migration": "/telemetry/migrations", "solution": "/solutions/index",
          "summary": "/summary"}


def png_size(path):
    with open(path, "rb") as file:
        head = file.read(24)
    assert head[:8] == b"\x89PNG\r\n\x1a\n", "not a PNG"
    return struct.unpack(">II", head[16:24])


class PlotRun(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="prism-plot-")
        self.stem = os.path.join(self.folder.name, "x")
        self.run_file = self.stem + ".h5"

    def tearDown(self):
        self.folder.cleanup()

    def write(self, *arguments):
        subprocess.run([WRITER, "descent", self.stem, *arguments], check=True)

    def plot(self, *arguments, python=(), env=None):
        return subprocess.run([sys.executable, *python, SCRIPT, *arguments], env=env, text=True,
                              capture_output=True, check=False)

    def expect_picture(self, path, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.stdout, path + "\n")
        width, height = png_size(path)
        self.assertGreater(width, 800)
        self.assertGreater(height, 500)

    def test_finished_run(self):
        self.write("4", "60", "1")
        self.expect_picture(self.stem + ".png", self.plot(self.run_file))
        other = os.path.join(self.folder.name, "other.png")
        self.expect_picture(other, self.plot(self.run_file, "-o", other, "--log-time"))

    def test_many_ranks_and_one(self):
        self.write("12", "20", "2")
        self.expect_picture(self.stem + ".png", self.plot(self.run_file))
        self.write("1", "20", "3")
        self.expect_picture(self.stem + ".png", self.plot(self.run_file))

    def test_unfinished_run(self):
        self.write("2", "30", "4", "unfinished")
        with self.assertRaises(OSError):
            h5py.File(self.run_file, "r")  # only readers beside a writer may open it
        self.expect_picture(self.stem + ".png", self.plot(self.run_file))

    def test_live_run(self):
        with subprocess.Popen([WRITER, "stream", self.stem, "5"], stdout=subprocess.PIPE,
                              text=True) as writer:
            try:
                end = time.monotonic() + 60
                for line in writer.stdout:
                    if int(line.split()[1]) > 0 or time.monotonic() > end:
                        break
                # The writer goes on until its pipe is full, and stays open then.
                self.expect_picture(self.stem + ".png", self.plot(self.run_file))
                self.assertIsNone(writer.poll())
            finally:
                writer.kill()

    def test_what_is_drawn(self):
        """Title and series against the file and its JSON Lines twin."""
        spec = importlib.util.spec_from_file_location("plot_run", SCRIPT)
        plot_run = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(plot_run)
        self.write("2", "60", "6")
        run = plot_run.read_run(self.run_file)
        with open(self.stem + ".sol", encoding="utf-8") as file:
            colors = int(re.search(r"^s col (\d+)$", file.read(), re.MULTILINE).group(1))
        title = plot_run.title_of(run)
        self.assertIn("synthetic: 300 vertices", title)
        self.assertIn(f"{colors} colors (lower bound 12)", title)
        run["summary"] = run["summary"][:0]
        self.assertIn(f"{colors} colors so far", plot_run.title_of(run))
        rows = run["metrics"][run["metrics"]["rank"] == 1][::-1].copy()
        rows["conflicts"][3] = -1
        t, values = plot_run.series(rows, "conflicts")
        self.assertTrue(np.all(np.diff(t) >= 0))
        self.assertEqual(int(np.isnan(values).sum()), 1)
        self.assertEqual(run["solutions"]["colors"].min(), colors)

    def test_json_lines_tell_the_same(self):
        self.write("3", "40", "9")
        lines = {}
        with open(self.stem + ".jsonl", encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                lines.setdefault(record.pop("record"), []).append(record)
        with h5py.File(self.run_file, "r") as run:
            for kind, table in TABLES.items():
                rows = run[table][()]
                self.assertEqual(len(rows), len(lines[kind]), kind)
                self.assertEqual(len(run[table].attrs["units"]), len(rows.dtype.names))
                for row, record in zip(rows, lines[kind]):
                    self.assertEqual(list(record), list(row.dtype.names))
                    for name, value in record.items():
                        stored = row[name]
                        if isinstance(value, str):
                            stored = stored.decode("utf-8")
                        if value is None:
                            self.assertTrue(np.isnan(stored), name)
                        else:
                            self.assertEqual(stored, value, name)
            config = lines["config"][0]
            self.assertEqual(len(lines["config"]), 1)
            self.assertEqual(config["graph"]["n"], run["graph"].attrs["n"])
            attributes = {key: value for key, value in run["config"].attrs.items()
                          if key != "seed"}
            self.assertEqual({key: value.decode() if isinstance(value, bytes) else value
                              for key, value in attributes.items()}, config["config"])

    def test_every_field_is_documented(self):
        self.write("1", "5", "10")
        guide = os.path.join(os.path.dirname(SCRIPT), "..", "docs", "TELEMETRY.md")
        with open(guide, encoding="utf-8") as file:
            sections = re.split(r"^### ", file.read(), flags=re.MULTILINE)
        with h5py.File(self.run_file, "r") as run:
            for table in [*TABLES.values(), "/ranks/table"]:
                section = next(text for text in sections if text.startswith(table))
                documented = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
                self.assertEqual(documented, list(run[table].dtype.names), table)

    def test_errors(self):
        result = self.plot(self.run_file)
        self.assertEqual(result.returncode, 2)
        self.assertIn("no such file", result.stderr)
        with open(self.run_file, "w", encoding="utf-8") as file:
            file.write("no run file\n")
        result = self.plot(self.run_file)
        self.assertEqual(result.returncode, 2)
        self.assertIn("not a readable HDF5 file", result.stderr)
        os.unlink(self.run_file)
        self.write("1", "20", "7")
        result = self.plot(self.run_file, "-o", "/nonexistent/x.png")
        self.assertEqual(result.returncode, 2)
        self.assertIn("cannot be written", result.stderr)

    def test_python_without_packages(self):
        """-S hides the packages: the script goes over to the system's Python, once."""
        if not os.access("/usr/bin/python3", os.X_OK):
            self.skipTest("no /usr/bin/python3")
        self.write("1", "20", "8")
        self.expect_picture(self.stem + ".png", self.plot(self.run_file, python=("-I", "-S")))
        result = self.plot(self.run_file, python=("-I", "-S"),
                           env=dict(os.environ, PRISM_PLOT_RETRIED="1"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("apt-get install python3-h5py", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
