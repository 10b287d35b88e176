"""Reports and plots of runs of prism-dist.

python -m prism_analysis report RUN.h5... -o report.html [--pdf]
python -m prism_analysis plot RUN.h5 [-o RUN.png]
"""

import argparse
import csv
import os
import re
import sys
from pathlib import Path

from prism_analysis import __version__

NEEDED = ["h5py", "matplotlib", "numpy", "pandas"]
REPORT_HELP = """One page about one run or many: what was found when, success and times to a
target, convergence, what ran when, migrations, tempering, GPUs, the coloring. Runs may be
going on, or may have been killed."""


def fail(text):
    print(f"prism report: {text}", file=sys.stderr)
    sys.exit(2)


def need_packages():
    missing = []
    for name in NEEDED:
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
    if missing:
        fail(f"{sys.executable} has no {', '.join(missing)}. Install what is needed:\n"
             "  apt-get install python3-h5py python3-matplotlib python3-numpy python3-pandas\n"
             "or, in a virtual environment:\n"
             "  pip install h5py matplotlib numpy pandas")


def natural(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def detail(text):
    return 10 ** 9 if text == "all" else int(text)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as the program does."""

    def error(self, message):
        fail(f"{message}; see {self.prog} --help")


def read_arguments(given):
    parser = Parser(prog=os.environ.get("PRISM_REPORT_NAME") or "python -m prism_analysis",
                    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=__version__)
    parts = parser.add_subparsers(dest="command", required=True)
    report = parts.add_parser("report", description=REPORT_HELP, help="a page about runs")
    add = report.add_argument
    add("runs", metavar="RUN.h5", nargs="+", help="run files")
    add("-o", "--output", metavar="FILE", default="report.html",
        help="page to write (default: report.html); FILE.pdf: only a PDF")
    add("--pdf", action="store_true", help="a PDF beside the page, too")
    add("--tables", metavar="FOLDER", help="the tables as CSV files, too")
    add("--against", metavar="RUN.h5", nargs="+", default=[],
        help="a second set of runs, to compare with the first")
    add("--names", metavar="A,B", default="A,B", help="names of the two sets")
    add("--target", metavar="K", type=natural,
        help="colors for times to target (default: the runs' target, or what half of them "
             "reached)")
    add("--graph", metavar="FILE", help="the graph (.col, .col.gz): draws the coloring")
    add("--detail", metavar="N", type=detail,
        help="runs to look into, the best first (default: 1; with one or two runs: these); all")
    add("--log-time", action="store_true",
        help="convergence with logarithmic time: shows the first seconds of a long run")
    plot = parts.add_parser("plot", help="the convergence of one run as a picture")
    plot.add_argument("run", metavar="RUN.h5")
    plot.add_argument("-o", "--output", metavar="FILE", help="picture to write: .png, .svg, .pdf "
                      "(default: RUN.png)")
    plot.add_argument("--log-time", action="store_true", help="logarithmic time")
    # An unknown option is told before a run that is missing.
    for word in parser.parse_known_args([*given, "RUN"])[1] if given else []:
        if word.startswith("-"):
            {"plot": plot}.get(given[0], report).error(f"unknown option {word.split('=')[0]}")
    return parser.parse_args(given)


def write_whole(path, text):
    """As a whole: a program that is killed leaves the old file or the new one."""
    draft = Path(f"{path}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as reason:
        fail(f"{path} cannot be written: {reason}")


def write_tables(report, folder):
    folder, place = Path(folder), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for section in report.sections:
            for table in section.tables():
                place += 1
                name = re.sub(r"[^a-z0-9]+", "-", f"{section.title} {table.title}".lower())
                with open(folder / f"{place:02d}-{name.strip('-')}.csv", "w", encoding="utf-8",
                          newline="") as file:
                    csv.writer(file, lineterminator="\n").writerows([table.head, *table.rows])
    except OSError as reason:
        fail(f"tables cannot be written: {reason}")


def make_report(arguments):
    from prism_analysis import build, coloring, load, page, paper
    names = [name.strip() for name in arguments.names.split(",")]
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        fail("--names takes two different names: --names before,after")
    runs, problems = load.read_many(arguments.runs)
    against, more = load.read_many(arguments.against)
    for problem in problems + more:
        print(f"prism report: left out: {problem}", file=sys.stderr)
    if not runs or (arguments.against and not against):
        fail("no run to report on")
    load.name_apart(runs + against)
    graph = None
    if arguments.graph:
        try:
            graph = build.load_graph(arguments.graph, runs + against)
        except coloring.GraphError as problem:
            fail(problem)
    report = build.build(runs, against, names, problems + more, arguments.target, graph,
                         arguments.detail, arguments.log_time)
    output = Path(arguments.output)
    only_pdf = output.suffix.lower() == ".pdf"
    written = []
    if not only_pdf:
        write_whole(output, page.page(report, __version__))
        written.append(output)
    if only_pdf or arguments.pdf:
        draft = Path(f"{output.with_suffix('.pdf')}.tmp")
        try:
            paper.write(report, draft)
            os.replace(draft, output.with_suffix(".pdf"))
        except OSError as reason:
            fail(f"{output.with_suffix('.pdf')} cannot be written: {reason}")
        written.append(output.with_suffix(".pdf"))
    if arguments.tables:
        write_tables(report, arguments.tables)
    for path in written:
        print(path)


def make_plot(arguments):
    from prism_analysis import build, load, plots_run
    import matplotlib
    from matplotlib.figure import Figure
    from prism_analysis.style import rc
    try:
        run = load.read(arguments.run)
    except load.RunFileError as problem:
        fail(problem)
    if len(run.metrics) == 0:
        fail(f"{arguments.run} holds no records yet")
    output = arguments.output or os.path.splitext(arguments.run)[0] + ".png"
    with matplotlib.rc_context(rc()):
        figure = Figure(figsize=(8.0, 5.6), dpi=130, layout="constrained")
        plots_run.draw_convergence(figure, run, arguments.log_time)
        state = "" if len(run.summary) else f" ({run.state})"
        figure.suptitle(build.title_of([run]) + state, x=0.01, ha="left", fontsize=11)
        try:
            figure.savefig(output)
        except (OSError, ValueError) as reason:
            fail(f"{output} cannot be written: {reason}")
    print(output)


def main():
    arguments = read_arguments(sys.argv[1:])
    need_packages()
    {"report": make_report, "plot": make_plot}[arguments.command](arguments)


if __name__ == "__main__":
    main()
