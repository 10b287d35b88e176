#!/usr/bin/env python3
"""Data frames of run files: every schema version, of runs that ended, go on, were killed or
wrote nothing; against the file and its JSON Lines twin.

Usage: test_load.py [STORE_WRITER [PRISM]]. Exit code 77: skipped."""
import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import setting

h5py, np, pd = setting.need("h5py", "numpy", "pandas")
import made_runs  # noqa: E402
from prism_analysis import load  # noqa: E402

WRITER = sys.argv[1] if len(sys.argv) > 1 else None
TOOL = sys.argv[2] if len(sys.argv) > 2 else None
KINDS = {"metric": "metrics", "event": "events", "migration": "migrations",
         "solution": "solutions", "summary": "summary"}


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="prism-load-")
        self.path = Path(self.folder.name) / "x.h5"

    def tearDown(self):
        self.folder.cleanup()


class Made(Folder):
    def test_every_schema(self):
        for schema in (1, 2, 3, 4):
            made_runs.plain(self.path, [(0.1, 9), (0.7, 7)], 2.0, schema=schema, target=7,
                            rank_count=2)
            run = load.read(self.path)
            self.assertEqual((run.schema, run.state, run.best, run.target),
                             (schema, load.ENDED, 7, 7))
            self.assertEqual((run.seconds, run.rank_count, run.gpu_count), (2.0, 2, 0))
            self.assertEqual(run.time_to(7), 0.7)
            self.assertEqual(run.time_to(8), 0.7)
            self.assertEqual(run.time_to(9), 0.1)
            self.assertIsNone(run.time_to(6))
            self.assertEqual(run.seed, str(2 ** 64 - 1))
            self.assertEqual(run.build["compiler"], "gcc <12> & others")
            for key in ("gpu", "profile", "ladder"):
                self.assertEqual(list(getattr(run, key).columns), load.TABLES[key][1].split())
            self.assertTrue(run.summary["gpu_busy"].isna().all())
            self.assertEqual(run.notes, [])

    def test_a_newer_schema_is_said(self):
        made_runs.plain(self.path, [(0.1, 9)], 1.0, schema=9)
        run = load.read(self.path)
        self.assertEqual(run.best, 9)
        self.assertIn("schema version 9 is newer", run.notes[0])

    def test_what_does_not_apply_is_missing(self):
        made_runs.write(self.path, {"telemetry/metrics": [
            {"t": 0.5, "rank": 1, "colors": 5, "conflicts": 0, "stream": -1},
            {"t": 0.2, "rank": 0, "conflicts": 3, "temperature": 0.25}]})
        metrics = load.read(self.path).metrics
        self.assertEqual(list(metrics["t"]), [0.2, 0.5])
        self.assertTrue(np.isnan(metrics["colors"].iloc[0]))
        self.assertEqual(metrics["colors"].iloc[1], 5)
        self.assertEqual(list(metrics["conflicts"]), [3, 0])
        self.assertEqual(list(metrics["stream"]), [-1, -1])  # a CPU, not "missing"
        self.assertEqual(metrics["temperature"].iloc[0], 0.25)

    def test_killed(self):
        made_runs.plain(self.path, [(0.1, 9), (0.7, 8)], 2.0, None, swmr=True)
        with self.assertRaises(OSError):
            h5py.File(self.path, "r")  # a file whose writer is not through
        run = load.read(self.path)
        self.assertEqual((run.state, run.end, run.best), (load.KILLED, "killed", 8))
        self.assertAlmostEqual(run.seconds, 2.0)  # its last record
        self.assertIn("did not end in order", run.notes[0])

    def test_empty(self):
        made_runs.write(self.path, {}, swmr=True)
        run = load.read(self.path)
        self.assertEqual((run.best, run.seconds, run.iterations, run.rank_count),
                         (None, 0.0, 0, 1))
        self.assertIsNone(run.coloring)
        self.assertIsNone(run.lower_bound)
        self.assertIn("no records", run.notes[0])

    def test_going_on(self):
        import fcntl
        made_runs.plain(self.path, [(0.1, 9)], 1.0, None, swmr=True)
        with open(self.path.with_suffix(".jsonl"), "w", encoding="utf-8") as lines:
            fcntl.flock(lines, fcntl.LOCK_EX)
            self.assertEqual(load.read(self.path).state, load.LIVE)
        self.assertEqual(load.read(self.path).state, load.KILLED)

    def test_the_best_coloring(self):
        made_runs.write(self.path, {"solutions/index": [
            {"t": 1.0, "rank": 1, "colors": 3}, {"t": 0.5, "rank": 0, "colors": 4}]},
            colors=[[0, 1, 2, 0], [0, 1, 2, 3]])
        self.assertEqual(list(load.read(self.path).coloring), [0, 1, 2, 0])

    def test_an_index_ahead_of_the_colors(self):
        """A writer that was killed between the two."""
        made_runs.write(self.path, {"solutions/index": [
            {"t": 0.5, "rank": 0, "colors": 4}, {"t": 1.0, "rank": 0, "colors": 3}]},
            colors=[[0, 1, 2, 3]])
        self.assertEqual(list(load.read(self.path).coloring), [0, 1, 2, 3])

    def test_gpus(self):
        made_runs.on_gpus(self.path)
        run = load.read(self.path)
        self.assertEqual((run.gpu_count, run.best), (2, 84))
        self.assertEqual(len(run.gpu), 122)
        self.assertEqual(set(run.gpu["throttle"]), {"", "hardware thermal slowdown"})
        last = run.ladder[run.ladder["rank"] == 1].tail(16)
        self.assertEqual(list(last["level"]), list(range(16)))
        self.assertTrue(np.isnan(last["swap"].iloc[-1]) and last["swap"].iloc[:-1].notna().all())
        self.assertEqual(run.notes, ["3 records are missing, 0 writes failed"])

    def test_frames_of_many(self):
        other = Path(self.folder.name) / "sub" / "x.h5"
        other.parent.mkdir()
        made_runs.plain(self.path, [(0.1, 9)], 1.0)
        made_runs.plain(other, [(0.2, 8), (0.3, 7)], 1.0)
        runs, problems = load.read_many([self.path, other, self.path.with_name("none.h5")])
        self.assertEqual(len(problems), 1)
        self.assertIn("no such file", problems[0])
        every = load.frame(runs, "solutions")
        self.assertEqual(list(every["run"]), [runs[0].name, "sub/x", "sub/x"])
        self.assertEqual(list(every["colors"]), [9, 8, 7])
        self.assertEqual(len(load.frame(runs, "gpu")), 0)

    def test_errors(self):
        def problem():
            with self.assertRaises(load.RunFileError) as caught:
                load.read(self.path)
            return str(caught.exception)

        self.assertIn("no such file", problem())
        self.path.write_bytes(b"")
        self.assertIn("is empty", problem())
        self.path.write_text("no run file\n")
        self.assertIn("not a readable HDF5 file", problem())
        with h5py.File(self.path, "w") as file:
            file.attrs["prism-dist checkpoint"] = 1
        self.assertIn("no run file", problem())
        made_runs.plain(self.path, [(0.1, 9)], 1.0)
        with h5py.File(self.path, "r+") as file:
            del file["graph"]
        self.assertIn("missing or damaged", problem())


@unittest.skipIf(WRITER is None, "no store_writer")
class Written(Folder):
    """Files of the program's own writer."""

    def write(self, *arguments):
        subprocess.run([WRITER, "descent", str(self.path.with_suffix("")), *arguments],
                       check=True)

    def test_frames_equal_the_lines(self):
        self.write("3", "40", "9")
        lines = {}
        with open(self.path.with_suffix(".jsonl"), encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                lines.setdefault(record.pop("record"), []).append(record)
        run = load.read(self.path)
        for kind, name in KINDS.items():
            frame, rows = getattr(run, name), lines[kind]
            if "t" in frame:
                rows = sorted(rows, key=lambda row: row["t"])
            self.assertEqual(len(frame), len(rows), kind)
            self.assertGreater(len(frame), 0, kind)
            for key in rows[0]:
                absent = (None, -1) if key in load.ABSENT.get(name, []) else (None,)
                for stored, told in zip(frame[key], (row[key] for row in rows)):
                    if told in absent:
                        self.assertTrue(pd.isna(stored), (kind, key))
                    else:
                        self.assertEqual(stored, told, (kind, key))
        self.assertEqual(run.config, lines["config"][0]["config"])
        self.assertEqual(run.graph["n"], lines["config"][0]["graph"]["n"])

    @unittest.skipIf(TOOL is None, "no prism")
    def test_frames_equal_what_is_exported(self):
        self.write("3", "40", "11")
        run = load.read(self.path)
        for name in ("metrics", "events", "migrations", "solutions", "summary", "ranks"):
            told = subprocess.run([TOOL, "export", "--csv", "--table", name, str(self.path)],
                                  capture_output=True, text=True, check=True).stdout
            rows, frame = list(csv.DictReader(io.StringIO(told))), getattr(run, name)
            if "t" in frame:
                rows.sort(key=lambda row: float(row["t"]))
            self.assertEqual(len(rows), len(frame), name)
            self.assertEqual(list(rows[0]), list(frame.columns), name)
            for key in frame.columns:
                for stored, cell in zip(frame[key], (row[key] for row in rows)):
                    if isinstance(stored, str):
                        self.assertEqual(stored, cell, (name, key))
                    elif pd.isna(stored):
                        self.assertIn(cell, ("", "-1"), (name, key))
                    else:
                        self.assertEqual(float(stored), float(cell), (name, key))

    def test_every_field_is_documented(self):
        self.write("1", "5", "10")
        guide = (setting.ROOT / "docs" / "TELEMETRY.md").read_text(encoding="utf-8")
        sections = re.split(r"^### ", guide, flags=re.MULTILINE)
        with h5py.File(self.path, "r") as run:
            for place, _ in load.TABLES.values():
                section = next(text for text in sections if text.startswith(f"/{place}"))
                cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|[^|]*\|[^|]*\|[^|]*\|$", section,
                               flags=re.MULTILINE)  # field, type, unit, meaning
                documented = [name for cell in cells for name in re.findall(r"\w+", cell)]
                self.assertEqual(documented, list(run[place].dtype.names), place)
                if place != "ranks/table":
                    self.assertEqual(len(run[place].attrs["units"]), len(documented))

    def test_columns_are_those_of_the_file(self):
        self.write("1", "5", "10")
        with h5py.File(self.path, "r") as file:
            for place, columns in load.TABLES.values():
                self.assertEqual(list(file[place].dtype.names), columns.split(), place)
                fields = [name for name, _ in made_runs.FIELDS[place]]
                self.assertEqual(fields, columns.split(), place)

    def test_unfinished(self):
        self.write("2", "30", "4", "unfinished")
        self.assertEqual(load.read(self.path).state, load.KILLED)

    def test_live(self):
        with subprocess.Popen([WRITER, "stream", str(self.path.with_suffix("")), "5"],
                              stdout=subprocess.PIPE, text=True) as writer:
            try:
                end = time.monotonic() + 60
                for line in writer.stdout:
                    if int(line.split()[1]) > 0 or time.monotonic() > end:
                        break
                # The writer goes on until its pipe is full, and stays open then.
                run = load.read(self.path)
                self.assertEqual(run.state, load.LIVE)
                self.assertGreater(len(run.metrics), 0)
                self.assertIsNone(writer.poll())
            finally:
                writer.kill()
        self.assertEqual(load.read(self.path).state, load.KILLED)


if __name__ == "__main__":
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
    unittest.main(argv=sys.argv[:1])
