#!/usr/bin/env python3
"""The report: on a run of each kind, as a page and as a PDF; its tables against its CSV files
and against the runs; its figures for what overlaps or leaves the picture; `prism report`.

Usage: test_report.py [PRISM]. Exit code 77: skipped."""
import contextlib
import csv
import functools
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import warnings
from html.parser import HTMLParser
from pathlib import Path

import setting

h5py, matplotlib, np, pd = setting.need("h5py", "matplotlib", "numpy", "pandas")
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure as Canvas  # noqa: E402
from matplotlib.patches import FancyArrowPatch  # noqa: E402

import made_runs  # noqa: E402
from prism_analysis import __main__ as command_line  # noqa: E402
from prism_analysis import (build, coloring, compare, document, load, page, paper,  # noqa: E402
                            plots_run, plots_tempering, single, style)

TOOL = sys.argv[1] if len(sys.argv) > 1 else None
VOID = {"meta", "link", "br", "img", "hr"}
RING = [(i, (i + 1) % 5) for i in range(5)]


class Page(HTMLParser):
    """Balance of the tags, ids, references, tables as texts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tables, self.outside = [], [], [], [], []
        self.titles, self.cell = [], None
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src"):
                if not value.startswith("data:"):  # a part of the page itself
                    (self.links if value.startswith("#") else self.outside).append(value)
            self.links += re.findall(r"url\((#[^)]*)\)", value or "")
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag == "h3":
            self.titles.append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-4:])
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data
        if self.open and self.open[-1] == "h3":
            self.titles[-1] += data


def write_graph(path, n, edges):
    path.write_text(f"p edge {n} {len(edges)}\n"
                    + "".join(f"e {u + 1} {v + 1}\n" for u, v in edges), encoding="utf-8")


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="prism-report-")
        self.root = Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def make(self, name, *arguments, **options):
        path = self.root / f"{name}.h5"
        made_runs.plain(path, *arguments, **options)
        return path

    def ten(self, stem="r", shift=0.0, **options):
        """Eight at the target of 8 colors, one at its limit, one killed."""
        paths = [self.make(f"{stem}{i}", [(0.05, 10), (0.1 + 0.1 * i, 9),
                                          (0.3 + 0.2 * i + shift, 8)],
                           0.4 + 0.2 * i + shift, "target", target=8, seed=i, **options)
                 for i in range(8)]
        paths.append(self.make(f"{stem}8", [(0.1, 10), (0.5, 9)], 5.0, "time", target=8))
        return paths + [self.make(f"{stem}9", [(0.1, 10)], 0.4, None, target=8, swmr=True)]

    def of_each_kind(self):
        gpu = self.root / "gpu.h5"
        made_runs.on_gpus(gpu)
        empty = self.root / "empty.h5"
        made_runs.write(empty, {}, swmr=True)
        unsearched = self.root / "unsearched.h5"
        made_runs.write(unsearched, {"summary": [{"colors": 2, "lower_bound": 2, "optimal": 1,
                                                  "time": 0.01, "time_to_best": 0.01,
                                                  "exit_reason": "optimal", "iterations": 0}],
                                     "solutions/index": [{"t": 0.01, "colors": 2, "rank": 0}]},
                        colors=[[0, 1, 0, 1]])
        many = self.root / "many.h5"
        moves = [{"t": 1.0, "from_rank": i, "to_rank": (i + 1) % 16, "colors": 8, "conflicts": 3,
                  "distance": -1, "accepted": 1} for i in range(16)]
        made_runs.plain(many, [(0.1, 9)], 3.0, rank_count=16,
                        tables={"telemetry/migrations": moves})
        return [gpu, empty, unsearched, many,
                self.make("old", [(0.1, 9)], 2.0, schema=1),
                self.make("older", [(0.1, 9)], 2.0, schema=2),
                self.make("newer", [(0.1, 9)], 2.0, schema=3),
                self.make("ended", [(0.1, 9), (0.5, 8)], 2.0, rank_count=3),
                self.make("killed", [(0.1, 9)], 2.0, None, swmr=True),
                self.make("poor", [], 0.2, None)]


class Command(Folder):
    def run_it(self, *arguments):
        """The command line in this process: the packages are loaded once."""
        out, err = io.StringIO(), io.StringIO()
        before, code = os.getcwd(), 0
        os.chdir(self.root)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), \
                 unittest.mock.patch("sys.argv", ["prism", *map(str, arguments)]), \
                 warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)
                command_line.main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            os.chdir(before)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def expect(self, *arguments):
        done = self.run_it(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def check_page(self, path):
        text = path.read_text(encoding="utf-8")
        found = Page(text)
        self.assertEqual(len(found.ids), len(set(found.ids)))
        self.assertEqual(found.outside, [])
        self.assertLessEqual({link[1:] for link in found.links}, set(found.ids))
        self.assertNotIn("http", re.sub(r'xmlns(:\w+)?="[^"]*"', "", text))
        self.assertNotIn("nan", " ".join(cell for table in found.tables for row in table
                                         for cell in row).split())
        return text, found

    def test_a_run_of_each_kind(self):
        for path in self.of_each_kind():
            with self.subTest(path.stem):
                done = self.expect("report", path, "-o", "out.html", "--pdf")
                self.assertEqual(done.stdout, "out.html\nout.pdf\n")
                text, _ = self.check_page(self.root / "out.html")
                self.assertEqual((self.root / "out.pdf").read_bytes()[:5], b"%PDF-")
                self.assertEqual(text.count("<svg"), text.count('role="img"'))

    def test_all_together(self):
        self.expect("report", *self.of_each_kind(), "-o", "out.html", "--detail", "all", "--pdf")
        self.check_page(self.root / "out.html")

    def test_ten_runs(self):
        paths = self.ten()
        self.expect("report", *paths, "--tables", "tables")
        text, found = self.check_page(self.root / "report.html")
        self.assertIn("8 of 10", text)
        self.assertIn("Time to target", found.titles)
        # The CSV files are the tables of the page, in their order.
        written = []
        for file in sorted((self.root / "tables").iterdir()):
            with open(file, encoding="utf-8", newline="") as rows:
                written.append(list(csv.reader(rows)))
        shown = [table for table in found.tables]
        self.assertEqual(sorted(table for table in written if len(table) > 1),
                         sorted(shown))
        # And the overview says what the run files do.
        overview = written[0]
        for row, path in zip(overview[1:], paths):
            run, cells = load.read(path), dict(zip(overview[0], row))
            self.assertEqual(cells["run"], path.stem)
            self.assertEqual(int(cells["colors"].split()[0]), run.best)
            self.assertEqual(int(cells["iterations"].replace(",", "")), run.iterations)
            self.assertEqual(cells["seed"], run.seed)

    def test_two_sets(self):
        one, other = self.ten(), self.ten("s", shift=1.5, config={"run.threads": "8"})
        self.expect("report", *one, "--against", *other, "--names", "old,new")
        text, found = self.check_page(self.root / "report.html")
        self.assertIn("old against new", text)
        self.assertIn("differ by more than chance explains", text)
        self.assertIn(["run.threads", "-", "8, -"], [row for table in found.tables for row in table])
        self.expect("report", *one, "--against", *one, "--names", "old,new")
        self.assertIn("do not show a difference", (self.root / "report.html").read_text("utf-8"))

    def test_scaling(self):
        paths = self.ten() + self.ten("t", rank_count=2)
        self.expect("report", *paths)
        _, found = self.check_page(self.root / "report.html")
        self.assertIn("Scaling", found.titles)
        table = next(table for table in found.tables if table[0][0] == "ranks")
        self.assertEqual([row[0] for row in table[1:]], ["1", "2"])

    def test_coloring(self):
        name = made_runs.graph_hash(5, RING)
        for n, edges, colors in ((5, RING, [0, 1, 0, 1, 2]), (5, RING, [0, 0, 1, 2, 1])):
            path = self.make("ring", [(0.1, 3)], 1.0, graph={"hash": name}, n=n, colors=[colors])
            write_graph(self.root / "ring.col", n, edges)
            self.expect("report", path, "--graph", self.root / "ring.col")
            text, found = self.check_page(self.root / "report.html")
            self.assertIn("Coloring", found.titles)
            self.assertEqual("NOT legal: 1 edges" in text, colors[1] == 0)
        write_graph(self.root / "ring.col", 5, RING[:-1])
        done = self.run_it("report", path, "--graph", self.root / "ring.col")
        self.assertEqual(done.returncode, 2)
        self.assertIn("another graph", done.stderr)

    def test_what_is_left_out_is_said(self):
        (self.root / "none.h5").write_bytes(b"")
        done = self.expect("report", self.root / "none.h5", self.make("a", [(0.1, 9)], 1.0))
        self.assertIn("is empty", done.stderr)
        self.assertIn("Left out", (self.root / "report.html").read_text("utf-8"))
        done = self.run_it("report", self.root / "none.h5")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no run to report on", done.stderr)

    def test_names_are_escaped(self):
        path = self.make("a", [(0.1, 9)], 1.0, graph={"name": "<script>alert(1)</script> $x^2$"})
        self.expect("report", path, path, "--pdf", "--detail", "all")
        text, _ = self.check_page(self.root / "report.html")
        self.assertNotIn("<script>alert", text)

    def test_wrong_use(self):
        path = self.make("a", [(0.1, 9)], 1.0)
        for arguments in (["report"], ["report", path, "--target", "0"],
                          ["report", path, "--names", "a"], ["report", path, "--bogus"],
                          ["report", path, "-o", "/nonexistent/x.html"],
                          ["report", path, "-o", "/nonexistent/x.pdf"],
                          ["plot", path, "-o", "/nonexistent/x.png"], ["plot", "none.h5"]):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotIn("Traceback", done.stderr)
        for arguments in (["report", "--foo"], ["report", path, "--foo=3"],
                          ["report", "--foo", path, "--pdf"]):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, done.stderr),
                             (2, "prism report: unknown option --foo; see python -m "
                                 "prism_analysis report --help\n"), arguments)

    def test_plot(self):
        path = self.make("a", [(0.1, 9)], 1.0, None, rank_count=12, swmr=True)
        done = self.expect("plot", path, "--log-time")
        self.assertEqual(done.stdout, f"{path.with_suffix('.png')}\n")
        self.assertEqual(path.with_suffix(".png").read_bytes()[:4], b"\x89PNG")
        self.expect("plot", path, "-o", "x.svg")

    def test_without_packages(self):
        """-S hides the packages."""
        done = subprocess.run(
            [sys.executable, "-B", "-S", "-m", "prism_analysis", "report", "x.h5"], text=True,
            env={**os.environ, "PYTHONPATH": str(setting.ROOT / "scripts")},
            capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("apt-get install python3-h5py", done.stderr)

    @unittest.skipIf(TOOL is None, "no prism")
    def test_prism_report(self):
        path = self.make("a", [(0.1, 9)], 1.0)

        def prism(*arguments, **environment):
            return subprocess.run([TOOL, "report", *map(str, arguments)], text=True, check=False,
                                  capture_output=True, cwd=self.root,
                                  env={**os.environ, **environment})

        done = prism(path, "-o", "p.html", PRISM_PYTHON=sys.executable)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "p.html\n", ""))
        self.check_page(self.root / "p.html")
        self.assertEqual(prism("--help").returncode, 0)
        done = prism("--foo", PRISM_PYTHON=sys.executable)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (2, "", "prism report: unknown option --foo; see prism report --help\n"))
        done = prism()
        self.assertEqual(done.returncode, 2)
        self.assertIn("needs a run file", done.stderr)
        done = prism(path, PRISM_PYTHON="/nonexistent/python")
        self.assertEqual(done.returncode, 2)
        self.assertIn("PRISM_PYTHON", done.stderr)
        self.assertIn("python3-pandas", done.stderr)
        self.assertEqual(prism("none.h5", PRISM_PYTHON=sys.executable).returncode, 2)
        # Every option of the package is in the help of the program.
        told = self.run_it("report", "--help").stdout
        for option in re.findall(r"--[a-z][-a-z]+", told):
            self.assertIn(option, prism("--help").stdout + "--help", option)


class Figures(Folder):
    """Labels and legends: inside the picture, and not over each other."""

    def check(self, figure):
        with matplotlib.rc_context(style.rc()), warnings.catch_warnings():
            warnings.simplefilter("error")
            canvas = Canvas(figsize=(document.WIDTH, figure.height), layout="constrained")
            figure.draw(canvas)
            renderer = FigureCanvasAgg(canvas).get_renderer()
            canvas.draw(renderer)
            boxes = []
            for axis in canvas.axes:
                parts = [axis.xaxis.label, axis.yaxis.label, axis.get_legend()]
                for side in (axis.xaxis, axis.yaxis) if axis.axison else ():
                    low, high = sorted(side.get_view_interval())
                    parts += [tick.label1 for tick, place in
                              zip(side.get_major_ticks(), side.get_majorticklocs())
                              if low <= place <= high]
                for part in parts:
                    if part is None or not part.get_visible():
                        continue
                    box = part.get_window_extent(renderer)
                    if box.width > 1 and box.height > 1:
                        boxes.append((part, box))
        room = canvas.bbox
        for part, box in boxes:
            inside = (box.x0 > -1.5 and box.y0 > -1.5 and box.x1 < room.x1 + 1.5
                      and box.y1 < room.y1 + 1.5)
            self.assertTrue(inside, (figure.title, str(part), box))
        labels = [(part, box) for part, box in boxes if not hasattr(part, "get_texts")]
        for legend, box in ((part, box) for part, box in boxes if hasattr(part, "get_texts")):
            for part, other in labels:
                self.assertFalse(box.padded(-2).overlaps(other), (figure.title, str(part)))

    def test_nothing_overlaps(self):
        reports = [build.build([load.read(path)], graph=None) for path in self.of_each_kind()]
        ten = [load.read(path) for path in self.ten()]
        more = [load.read(path) for path in self.ten("s", shift=9.0, rank_count=2)]
        reports += [build.build(ten), build.build(ten, more), build.build(ten + more)]
        count = 0
        for report in reports:
            for figure in (figure for section in report.sections for figure in section.figures()):
                with self.subTest(report.title, figure=figure.title):
                    self.check(figure)
                    count += 1
        self.assertGreater(count, 40)

    def test_ladders(self):
        """Of one rank and of many, of one level, never judged, at one moment, longer than shown."""
        def rows(seconds, levels, share, rank=0, stream=-1):
            return [{"t": float(t), "rank": rank, "stream": stream, "colors": 9, "level": level,
                     "temperature": 0.1 * 1.2 ** level,
                     "swap": share if level + 1 < levels else float("nan")}
                    for t in range(1, seconds + 1) for level in range(levels)]

        both = rows(3, 5, 0.3) + rows(2, 7, 0.4, stream=2)
        many = [row for rank in range(9) for row in rows(2, 5, 0.1 * rank, rank)]
        for name, table, lines, shown in [
                ("ordinary", rows(4, 5, 0.3), 5, [4]), ("both", both, 5, [4, 6]),
                ("many", many, 5, [4] * 9), ("one level", rows(2, 1, 0.3), 1, [0]),
                ("never judged", rows(2, 4, float("nan")), 4, [0]),
                ("a moment", rows(1, 3, 0.0), 3, [2]), ("long", rows(900, 20, 0.3), 20, [19])]:
            path = self.make("ladder", [(0.5, 9)], 1000.0,
                             tables={"telemetry/ladder": table})
            run = load.read(path)
            draw = functools.partial(plots_tempering.draw, run=run)
            self.check(document.Figure(name, "", draw, plots_tempering.height_of(run)))
            canvas = Canvas()
            draw(canvas)
            top, bottom = canvas.axes[:2]
            self.assertEqual(len(top.lines), lines, name)
            for line in top.lines:
                self.assertEqual(line.get_xdata()[-1], 1000.0, name)
                self.assertLessEqual(len(line.get_xdata()), 301, name)
                values = np.asarray(line.get_ydata())
                self.assertTrue((values == values[0]).all(), name)
            got = [len(line.get_xdata()) for line in bottom.lines]
            self.assertEqual(got, shown, name)
            self.assertEqual(len(bottom.texts), int(sum(shown) == 0), name)
            self.assertEqual("rank 0, CPU" in plots_tempering.text_of(run), len(got) > 1, name)

    def test_ladders_of_older_files(self):
        path = self.root / "old.h5"
        for schema, words in ((3, "Coldest level"), (4, "Temperatures of all levels")):
            made_runs.on_gpus(path, gpus=1, schema=schema)
            run = load.read(path)
            self.assertTrue(plots_tempering.text_of(run).startswith(words))
            figure = single.tempering_blocks(run)[0]
            self.check(figure)
            canvas = Canvas()
            figure.draw(canvas)
            self.assertEqual(len(canvas.axes[0].lines), 1 if schema == 3 else 16)

    def test_words_of_migrations(self):
        """Neither on each other nor, for those beside a rank, on an arrow: all to all, and rings."""
        for gpus in range(1, plots_run.MOST_NODES + 1):
            path = self.root / f"m{gpus}.h5"
            made_runs.on_gpus(path, gpus=gpus)
            self.check_words(gpus, load.read(path))
            ring = [{"t": 1.0, "from_rank": rank, "to_rank": (rank + step) % gpus, "colors": 9,
                     "conflicts": 1, "distance": 2, "accepted": 1}
                    for step in (-1, 0, 1) for rank in range(gpus) for _ in range(150)]
            for rows in (ring, [row for row in ring if
                                (row["to_rank"] - row["from_rank"]) % gpus < 2]):
                made_runs.plain(path, [(0.1, 9)], 2.0, rank_count=gpus,
                                tables={"telemetry/migrations": rows})
                self.check_words(gpus, load.read(path))

    def check_words(self, gpus, run):
        with matplotlib.rc_context(style.rc()):
            canvas = Canvas(figsize=(document.WIDTH, plots_run.migrations_height(run)),
                            layout="constrained")
            plots_run.draw_migrations(canvas, run)
            renderer = FigureCanvasAgg(canvas).get_renderer()
            canvas.draw(renderer)
            axis = canvas.axes[0]
            words = [(text.get_text(), text.get_window_extent(renderer))
                     for text in axis.texts]
            arrows = [arrow.get_transform().transform_path(arrow.get_path()) for arrow in
                      axis.patches if isinstance(arrow, FancyArrowPatch)]
        for i, (text, box) in enumerate(words):
            self.assertTrue(canvas.bbox.x0 <= box.x0 and box.x1 <= canvas.bbox.x1
                            and canvas.bbox.y0 <= box.y0 and box.y1 <= canvas.bbox.y1, text)
            for other, there in words[i + 1:]:
                self.assertFalse(box.padded(-1).overlaps(there), (gpus, text, other))
            if text.startswith("within"):
                self.assertFalse(any(path.intersects_bbox(box.padded(-1), filled=False)
                                     for path in arrows), (gpus, text))


class Parts(Folder):
    def test_timeline(self):
        path = self.root / "gpu.h5"
        made_runs.on_gpus(path, gpus=1, seconds=30.0)
        lanes = plots_run.lanes_of(load.read(path))
        self.assertEqual(set(lanes), {(0, 2), (0, 4)})
        # From the recipe of the run: tempering in the seconds of records 0-6, 21-27.
        self.assertEqual([name for _, _, name in lanes[0, 2]], ["THERMO tempering"] * 2)
        self.assertAlmostEqual(lanes[0, 2][1][0], 20.0)
        self.assertAlmostEqual(lanes[0, 2][1][1], 27.0)
        total = sum(end - begin for spans in lanes.values() for begin, end, _ in spans)
        self.assertAlmostEqual(total, 30.0, 6)

    def test_long_timelines_are_thinned(self):
        start = np.arange(0.0, 5000.0)
        names = ["a" if i % 10 else "b" for i in range(5000)]
        begin, end, kinds = plots_run.coarse(start, start + 1, names, 5000.0)
        self.assertEqual(len(begin), plots_run.BINS)
        self.assertEqual(set(kinds), {"a"})
        self.assertAlmostEqual((end - begin).sum(), 4500.0)

    def test_migrations(self):
        path = self.root / "x.h5"
        rows = [(0, 1, 1), (0, 1, 0), (1, 0, 1), (-1, 0, 12), (-1, 0, 0)]
        made_runs.write(path, {"telemetry/migrations": [
            {"t": 1.0 * i, "from_rank": a, "to_rank": b, "accepted": taken, "conflicts": i,
             "distance": -1} for i, (a, b, taken) in enumerate(rows)]})
        self.assertEqual(plots_run.migration_counts(load.read(path)),
                         [(-1, 0, 2, 1), (0, 1, 2, 1), (1, 0, 1, 1)])

    def test_work_and_rates(self):
        path = self.root / "x.h5"
        made_runs.write(path, {"telemetry/metrics": [
            {"t": t, "rank": 0, "phase": "memetic", "parameters": f"method={method} islands=1",
             "duration_ms": 1000.0, "iterations": moves, "best_colors": 9}
            for t, method, moves in ((1.0, "head", 0), (2.0, "head", 100), (3.0, "head", 300),
                                     (4.0, "tabucol", 700))]})
        run = load.read(path)
        table = single.work_table(run)
        self.assertEqual([row[:5] for row in table.rows],
                         [["0", "MEMETIC head", "2", "300", "150"],
                          ["0", "MEMETIC tabucol", "1", "400", "400"]])
        edges, values = plots_run.rates(run.metrics)
        self.assertEqual((list(edges), list(values)), ([1.0, 2.0, 3.0, 4.0], [100.0, 200.0, 400.0]))

    def test_energy(self):
        rows = pd.DataFrame({"t": [0.0, 3600.0, 7200.0], "power_w": [100.0, 300.0, 300.0]})
        self.assertAlmostEqual(single.energy(rows), 200.0 + 300.0)

    def test_gpu_table(self):
        path = self.root / "gpu.h5"
        made_runs.on_gpus(path)
        run = load.read(path)
        row = single.gpu_table(run).rows[0]
        mine = run.gpu[run.gpu["rank"] == 0]
        self.assertEqual(row[4], document.number(mine["power_w"].max()))
        self.assertEqual(row[1], document.percent(float((1 - mine["idle"].iloc[1:]).mean())))
        self.assertEqual(row[8:], ["93 %", "hardware thermal slowdown"])

    def test_kernels_counted_after_their_span(self):
        """A generation of 1.9 s is counted in the second in which it ends."""
        long = np.arange(40) % 2 == 0
        rows = pd.DataFrame({"t": np.arange(40.0), "rank": 0, "idle": np.where(long, 0.0, 1.0),
                             "kernel_us": np.where(long, 1.9e6, 0.0)})
        edges, shares = plots_run.busy_shares(rows)
        self.assertEqual(list(edges), list(np.arange(40.0)))
        self.assertLessEqual(shares.max(), 1.0)
        self.assertAlmostEqual(shares.sum(), 19 * 1.9)  # the first record has no span
        old = rows.assign(kernel_us=np.nan, idle=0.25)  # the share alone
        self.assertTrue(np.allclose(plots_run.busy_shares(old)[1], 0.75))
        self.assertEqual(len(plots_run.busy_shares(rows.head(1))[1]), 0)

    def test_mean_over_time(self):
        rows = pd.DataFrame({"t": [0.0, 1.0, 1.0, 5.0], "x": [9.0, 1.0, 50.0, 3.0]})
        self.assertAlmostEqual(single.over_time(rows, "x"), (1 * 1 + 4 * 3) / 5)
        self.assertEqual(single.over_time(rows.head(1), "x"), 9.0)
        self.assertTrue(np.isnan(single.over_time(rows.assign(x=np.nan), "x")))

    def test_none_is_not_held_down(self):
        rows = pd.DataFrame({"throttle": ["", "none", "power cap"]})
        self.assertEqual(list(plots_run.held_down(rows)), ["", "", "power cap"])

    def test_graph(self):
        path = self.root / "g.col"
        path.write_text("c a comment\np edge 4 5\ne 2 1\ne 1 2\ne 3 3\ne 2 3\ne 1 4\n")
        n, edges = coloring.read_graph(path)
        self.assertEqual((n, edges.tolist()), (4, [[0, 1], [0, 3], [1, 2]]))
        self.assertEqual(coloring.graph_hash(n, edges),
                         made_runs.graph_hash(4, [(1, 0), (2, 1), (0, 3)]))
        self.assertEqual(coloring.conflicts(edges, np.array([0, 0, 1, 0])), 2)
        for text in ("e 1 2\n", "p edge 2 1\ne 1 3\n", "p edge 2 1\ne 1\n", "p edge x 1\n"):
            path.write_text(text)
            with self.assertRaises(coloring.GraphError):
                coloring.read_graph(path)
        with self.assertRaises(coloring.GraphError):
            coloring.read_graph(self.root / "none.col.gz")

    @unittest.skipIf(TOOL is None, "no prism")
    def test_hash_is_the_program_s(self):
        write_graph(self.root / "ring.col", 5, RING)
        told = subprocess.run([TOOL, "info", "--json", str(self.root / "ring.col")], text=True,
                              capture_output=True, check=True).stdout
        n, edges = coloring.read_graph(self.root / "ring.col")
        self.assertIn(coloring.graph_hash(n, edges), told)

    def test_class_order(self):
        order, ends = coloring.class_order(np.array([2, 0, 2, 1, 2, 1]))
        self.assertEqual(list(order), [0, 2, 4, 3, 5, 1])
        self.assertEqual(list(ends), [3, 5, 6])
        self.assertEqual(sorted(coloring.class_sizes(np.array([0, 3, 3]))), [1, 2])

    def test_layout(self):
        edges = np.array([(i, i + 1) for i in range(29)])
        spot = coloring.keep_apart(coloring.layout(30, edges), 0.03)
        gap = np.sqrt(((spot[:, None] - spot[None]) ** 2).sum(axis=2)) + np.eye(30)
        self.assertGreater(gap.min(), 0.029)
        np.testing.assert_array_equal(coloring.layout(30, edges), coloring.layout(30, edges))
        self.assertTrue(np.isfinite(coloring.layout(3, np.zeros((0, 2), dtype=int))).all())

    def test_thinning_keeps_peaks(self):
        values = np.zeros(100000)
        values[54321], values[777] = 9.0, -3.0
        t, thinned = style.thin(np.arange(100000.0), values)
        self.assertLessEqual(len(t), style.MOST_POINTS + 2)
        self.assertEqual((thinned.max(), thinned.min()), (9.0, -3.0))
        self.assertEqual((t[0], t[-1]), (0.0, 99999.0))

    def test_numbers(self):
        self.assertEqual([document.number(value) for value in
                          (0.12345, 12.345, 1234.5, float("inf"), float("nan"), None)],
                         ["0.123", "12.3", "1,234", "∞", "-", "-"])
        self.assertEqual(document.per_second(2.5e9), "2.5 G")
        self.assertEqual(document.probability(0.0004), "< 0.001")

    def test_detail(self):
        paths = self.ten()
        runs = [load.read(path) for path in paths]
        self.assertEqual([run.path.stem for run in build.in_detail(runs, None)], ["r0"])
        self.assertEqual(len(build.in_detail(runs, 10 ** 9)), 10)
        self.assertEqual(len(build.in_detail(runs[:2], None)), 2)
        self.assertEqual(compare.pick_target(runs), 8)

    def test_pages_of_the_pdf(self):
        rows = [[str(i), "x" * 300] for i in range(200)]
        report = document.Report("t", [], [document.Section("s", [
            document.Table("long", ["n", "text"], rows, "note")])])
        paper.write(report, self.root / "x.pdf")
        pages = (self.root / "x.pdf").read_bytes().count(b"/Type /Page ")
        self.assertGreater(pages, 3)

    def test_tables_of_the_page(self):
        table = document.Table("t", ["a", "b & c"], [["1", "<x>"], ["-", "y"]], "note")
        found = Page(page.table_html(table))
        self.assertEqual(found.tables, [[["a", "b & c"], ["1", "<x>"], ["-", "y"]]])
        self.assertTrue(table.to_the_right(0))
        self.assertFalse(table.to_the_right(1))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
