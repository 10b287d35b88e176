#!/usr/bin/env python3
"""Time to target: runs prism-dist on hard graphs with many seeds, several runs side by
side, each pinned to cores of its own (one for each rank).

With --device cuda the rows for GPUs, one GPU for each rank, with its share of the cores.
With --ranks every row with these numbers of ranks. With --scaling the rows for that
(scripts/bench-scaling.sh), with islands that cooperate and with the same islands alone.

Writes one CSV row a run (bench/results/ttt-MACHINE.csv, for GPUs gpu-ttt-MACHINE.csv, with
--scaling scaling-MACHINE.csv; a repeated run replaces its row) and prints a table. A time
is counted from the start of the process to the target, less the reading of the graph.
With several --binary or --extra the variants run interleaved, seed by seed.

PRISM_INSTANCES: folder of the instances; PRISM_BUILD: build folder; PRISM_MACHINE: name
of this machine; PRISM_COMMIT: version, where the sources come without their history;
PRISM_RESULTS: folder of the CSV; CUDA_VISIBLE_DEVICES: the GPUs to use (default: all).
"""

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple, Optional

import report

ROOT = Path(__file__).resolve().parents[1]
INSTANCES = Path(os.environ.get("PRISM_INSTANCES") or ROOT.parent / "shared/instances")
RESULTS = Path(os.environ.get("PRISM_RESULTS") or ROOT / "bench/results")
PRESETS = {"cpu": "release", "cuda": "gpu"}
GRACE = 30.0  # s beyond the time limit before a run counts as hung


class Row(NamedTuple):
    graph: str
    k: int  # 0: as few colors as possible
    ranks: int
    goal: Optional[float]  # s, median
    seeds: int
    limit: float  # s
    part: str = ""

    def name(self):
        return f"{self.graph} {self.k or 'min'}"


ROWS = [
    Row("DSJC125.5", 17, 1, 0.1, 10, 10),
    Row("DSJC250.5", 28, 1, 0.3, 10, 10),
    Row("DSJC500.5", 49, 1, 1.5, 10, 15),
    Row("DSJC500.5", 48, 2, 8, 10, 60),
    Row("DSJC1000.1", 21, 1, 0.6, 10, 10),
    Row("DSJC1000.5", 86, 2, 15, 10, 120),
    Row("r1000.1c", 98, 1, 5, 10, 40),
    Row("r1000.5", 234, 1, 15, 10, 120),
    Row("le450_25c", 26, 1, 0.4, 10, 10),
    Row("flat300_28_0", 31, 1, 1, 10, 10),
    Row("queen11_11", 12, 1, 1, 10, 10),
    Row("wap01a", 41, 1, 3, 10, 30),
    Row("flat300_28_0", 28, 1, None, 3, 120),
    Row("le450_25c", 25, 1, None, 3, 120),
    Row("DSJC1000.1", 20, 1, None, 3, 120),
    Row("DSJC1000.5", 85, 1, None, 3, 120),
    Row("queen11_11", 11, 1, None, 3, 120),
    Row("wap03a", 0, 1, None, 3, 120),
    Row("wap07a", 0, 1, None, 3, 120),
]

# Goals for one NVIDIA H100 80GB.
GPU_ROWS = [
    Row("DSJC500.5", 48, 1, 1, 10, 60, "targets"),
    Row("DSJC1000.5", 83, 1, 2.5, 10, 60, "targets"),
    Row("r1000.1c", 98, 1, 2, 10, 60, "targets"),
    Row("r1000.5", 234, 1, 10, 10, 60, "targets"),
    Row("flat300_28_0", 28, 1, 20, 10, 120, "targets"),
    Row("le450_25c", 25, 1, 30, 10, 120, "targets"),
    Row("DSJC1000.9", 223, 1, 30, 5, 120, "large"),
    Row("DSJC1000.1", 20, 1, 60, 5, 180, "large"),
    Row("flat1000_76_0", 82, 1, None, 5, 120, "large"),
    Row("DSJC1000.5", 82, 1, 180, 3, 540, "attempts"),
    Row("DSJC500.5", 47, 1, None, 3, 540, "attempts"),
    Row("C2000.5", 148, 1, None, 3, 540, "attempts"),
    Row("C2000.5", 147, 1, None, 3, 540, "attempts"),
    Row("C2000.5", 146, 1, None, 3, 540, "attempts"),
    Row("flat1000_76_0", 81, 1, None, 3, 540, "attempts"),
    Row("DSJC1000.9", 222, 1, None, 3, 540, "attempts"),
]

# More ranks, more speed? Of the rates only the steady iterations per second are wanted: a
# target out of reach, and one method, since each has a speed of its own.
SCALING_ROWS = {
    "cuda": [
        Row("DSJC500.5", 48, 1, None, 10, 60, "targets"),
        Row("DSJC1000.5", 83, 1, None, 10, 90, "targets"),
        Row("DSJC1000.9", 223, 1, None, 5, 120, "targets"),
        Row("DSJC1000.5", 80, 1, None, 2, 16, "rates"),
        Row("DSJC1000.5", 82, 1, None, 5, 240, "attempts"),
    ],
    "cpu": [
        Row("DSJC250.5", 28, 1, None, 20, 20, "targets"),
        Row("DSJC500.5", 49, 1, None, 20, 30, "targets"),
        Row("DSJC500.5", 46, 1, None, 3, 12, "rates"),
    ],
}
RATE_OPTIONS = ["--memetic.method", "pool"]
ALONE = "--no-migration"
MEETINGS = ["--islands.pool_interval", "0.25"]  # pools meet only when asked


class Slot(NamedTuple):
    """What runs share out: a core, or a GPU with some cores."""
    cpus: tuple
    gpu: str  # as CUDA_VISIBLE_DEVICES names it; "": none


class Variant(NamedTuple):
    label: str
    binary: str
    extra: list

    def cooperates(self):
        return ALONE not in self.extra


class Task(NamedTuple):
    place: int  # in ROWS or GPU_ROWS
    row: Row
    seed: int
    variant: Variant


def positive(text):
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be above 0: {text}")
    return value


def number_list(text):
    numbers = sorted({int(word) for word in text.split(",")})
    if numbers[0] < 1:
        raise argparse.ArgumentTypeError(f"must be above 0: {text}")
    return numbers


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--device", choices=sorted(PRESETS), default="cpu")
    add("--rows", metavar="REGEX", default="",
        help="only rows that match, e.g. 'DSJC500.5 4[89]', 'wap.* min'")
    add("--goals", action="store_true", help="only rows with a goal")
    add("--part", action="append", metavar="NAME",
        choices=["targets", "large", "attempts", "rates"],
        help="of the rows for GPUs: targets, large, attempts (default: all); of --scaling: "
             "targets, rates, attempts (default: the first two)")
    add("--ranks", type=number_list, metavar="LIST",
        help="numbers of ranks, e.g. 1,2,4,8 (default: the row's; with --scaling 1, 2, 4 ... as "
             "many as fit)")
    add("--scaling", action="store_true", help="the rows and the columns of docs/SCALING.md")
    add("--mode", action="append", metavar="NAME", choices=["cooperating", "alone"],
        help="of --scaling: cooperating, alone (default: both)")
    add("--seeds", type=int, metavar="N", help="seeds of each row (default: 10; without a goal 3)")
    add("--first-seed", type=int, metavar="S", default=1)
    add("--limit", type=positive, metavar="S", help="time limit of each run")
    add("--jobs", type=int, metavar="N", default=0,
        help="cores (with --device cuda: GPUs) in use at the same time (default: all, and one "
             "thread of each core; more cores than there are: shared, for a trial)")
    add("--binary", action="append", metavar="PATH", help="prism-dist; several: compare them")
    add("--extra", action="append", metavar="OPTIONS",
        help="more options of prism-dist, as one word: --extra='--memetic.method head'; "
             "several: compare them")
    add("--label", action="append", metavar="NAME", help="name of each variant, in order")
    add("--csv", metavar="FILE", help="where the rows go ('': nowhere)")
    add("--resume", action="store_true", help="skip the runs that the CSV already has")
    add("--list", action="store_true", help="print the rows and end")
    arguments = parser.parse_args()
    if arguments.jobs < 0 or (arguments.seeds is not None and arguments.seeds < 1):
        parser.error("--jobs and --seeds must be above 0")
    if arguments.mode and not arguments.scaling:
        parser.error("--mode belongs to --scaling")
    if arguments.scaling and not arguments.part:
        arguments.part = ["targets", "rates"]
    return parser, arguments


def variants_of(parser, arguments):
    """Every binary with every set of extra options."""
    build = os.environ.get("PRISM_BUILD") or ROOT / "build" / PRESETS[arguments.device]
    binaries = arguments.binary or [str(Path(build) / "prism-dist")]
    extras = arguments.extra or [""]
    if arguments.scaling:
        modes = {"cooperating": "", "alone": ALONE}
        extras = [f"{modes[mode]} {extra}".strip() for extra in extras
                  for mode in arguments.mode or modes]
    pairs = [(binary, extra) for binary in binaries for extra in extras]
    labels = arguments.label
    if labels is None:
        labels = [" ".join(filter(None, [binary if len(binaries) > 1 else "", extra]))
                  or ("cooperating" if arguments.scaling else "default")
                  for binary, extra in pairs]
        if arguments.scaling:
            labels = [label.replace(ALONE, "alone") for label in labels]
    if len(set(labels)) != len(pairs) or len(labels) != len(pairs):
        parser.error(f"{len(pairs)} variants need as many different labels")
    return [Variant(label, binary, shlex.split(extra))
            for label, (binary, extra) in zip(labels, pairs)]


def shell(command):
    """Lines of a command that may use the functions of the benchmark scripts."""
    script = f'. "{ROOT}/scripts/lib.sh"; . "{ROOT}/bench/lib.sh"; {command}'
    done = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"ttt.py: failed: {command}")
    return done.stdout.splitlines()


def find_instance(name):
    for file in (INSTANCES / f"{name}.col.gz", INSTANCES / f"{name}.col"):
        if file.is_file():
            return file
    return None


def core_list():
    """Cores that this process may use: one thread of each core first, then the siblings."""
    first, rest, seen = [], [], set()
    for cpu in sorted(os.sched_getaffinity(0)):
        try:
            topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
            siblings = topology.read_text(encoding="ascii").strip()
        except OSError:
            siblings = str(cpu)
        (rest if siblings in seen else first).append(cpu)
        seen.add(siblings)
    return first, rest


def cpu_slots(jobs):
    """One slot a core."""
    first, rest = core_list()
    cpus = first + rest
    return [Slot((cpus[i % len(cpus)],), "") for i in range(jobs or len(first))]


def gpu_slots(jobs):
    """One slot a GPU; the cores, siblings side by side, are shared out evenly."""
    gpus = shell("gpu_list")[:jobs or None]
    if not gpus:
        sys.exit("ttt.py: no GPU (nvidia-smi lists none)")
    cpus = sorted(os.sched_getaffinity(0))
    share = max(1, len(cpus) // len(gpus))
    return [Slot(tuple(cpus[i * share % len(cpus):][:share]), gpu) for i, gpu in enumerate(gpus)]


class Slots:
    """Hands out slots in the order of the requests."""

    def __init__(self, slots):
        self.free = list(slots)
        self.changed = threading.Condition()

    def take(self, count):
        with self.changed:
            self.changed.wait_for(lambda: len(self.free) >= count)
            taken, self.free = self.free[:count], self.free[count:]
            return taken

    def give(self, slots):
        with self.changed:
            self.free.extend(slots)
            self.changed.notify_all()


def end_group(child):
    """Ends a run. mpirun, asked politely, takes its ranks along."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(timeout=5)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            pass


class Bench:
    def __init__(self, path, header, commit, arguments, total):
        self.path = path
        self.header = header
        self.commit = commit
        self.device = arguments.device
        self.scaling = arguments.scaling
        # Columns of every row: which GPU, driver and CUDA this was.
        self.gpu = dict(zip(["gpu", "driver", "cuda"], shell("gpu_facts"))
                        if self.device == "cuda" else [])
        self.total = total
        self.done = 0
        self.errors = 0
        self.lock = threading.Lock()
        self.children = set()
        self.rows = report.read_csv(path)[1] if path and path.exists() else []
        self.fresh = []

    def has(self, task):
        return any(report.same_run(row, self.record(task)) for row in self.rows)

    def record(self, task):
        row = task.row
        goal = "" if row.goal is None else f"{row.goal:g}"
        more = {"part": row.part, "cooperating": str(int(task.variant.cooperates()))}
        return {"place": str(task.place), "label": task.variant.label, "graph": row.graph,
                "k": str(row.k), "ranks": str(row.ranks), "goal": goal, "seed": str(task.seed),
                **(more if self.scaling else {})}

    def start(self, command, environment):
        with self.lock:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True, env=environment,
                                     start_new_session=True)
            self.children.add(child)
        return child

    def wait(self, child, seconds):
        try:
            return child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            end_group(child)
            child.communicate()
            return "", "did not end in time"
        finally:
            with self.lock:
                self.children.discard(child)

    def stop(self):
        """Ends the runs in progress, and those that would start."""
        self.lock.acquire()  # for good: the program is about to end
        for child in self.children:
            end_group(child)

    def keep(self, row, text):
        with self.lock:
            self.done += 1
            self.rows = [old for old in self.rows if not report.same_run(old, row)] + [row]
            self.fresh.append(row)
            self.rows.sort(key=lambda r: (int(r["place"]), r["label"], int(r["ranks"]),
                                          int(r["seed"])))
            if self.path:
                report.write_csv(self.path, self.header, self.rows)
            print(f"[{self.done}/{self.total}] {text}", file=sys.stderr, flush=True)


def command_of(bench, task, slots, stem):
    """How one run of prism-dist starts on these cores, or on these GPUs."""
    row = task.row
    command = ["taskset", "-c", ",".join(str(cpu) for slot in slots for cpu in slot.cpus)]
    environment = dict(os.environ, OMPI_MCA_mpi_yield_when_idle="1",
                       OMPI_MCA_rmaps_base_oversubscribe="1")
    if bench.device == "cuda":
        environment.update(CUDA_VISIBLE_DEVICES=",".join(slot.gpu for slot in slots),
                           CUDA_DEVICE_ORDER="PCI_BUS_ID")
    if row.ranks > 1:
        environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        command += ["mpirun", "-np", str(row.ranks), "--bind-to", "none"]
    command += [task.variant.binary, "--device", bench.device, "--seed", str(task.seed),
                "--time-limit", f"{row.limit:g}", "--json",
                f"--telemetry.enabled={str(row.part == 'rates').lower()}",
                "--output", f"{stem}.h5"]
    if bench.device == "cpu":
        command += ["--threads", "1"]
    if row.k > 0:
        command += ["--target", str(row.k)]
    if row.part == "rates":
        command += RATE_OPTIONS
    if bench.scaling and task.variant.cooperates():
        command += MEETINGS
    return command + task.variant.extra + [str(find_instance(row.graph))], environment


def read_telemetry(path, k):
    """(s from the start of the process to the search, iterations per second of all ranks
    while they searched k, less their first second); None for what it does not tell."""
    starts, ranks, total = [], {}, 0.0
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["record"] == "event" and record["event"] == "start":
            starts.append(record["t"])
        if record["record"] == "metric" and record["colors"] == k and record["iterations"] > 0:
            ranks.setdefault(record["rank"], []).append((record["t"], record["iterations"]))
    for points in ranks.values():
        points.sort()
        points = [point for point in points if point[0] >= points[0][0] + 1.0]
        if len(points) < 2 or points[-1][0] - points[0][0] < 1.0:
            return max(starts, default=None), None
        total += (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])
    return max(starts, default=None), total or None


def scaling_columns(task, result, reading, stem):
    """wall: s of the whole run; start: s to its search, where it has telemetry; both less the
    reading. Of the exchange: meetings, bytes sent by all ranks, s of the rank with most."""
    wall = max(1e-4, result["time"] - reading)
    start, rate = None, result["iterations"] / wall
    if task.row.part == "rates":
        start, rate = read_telemetry(Path(f"{stem}.jsonl"), task.row.k)
    return {"wall": f"{wall:.4f}", "iterations_per_s": "" if rate is None else f"{rate:.6g}",
            "start": "" if start is None else f"{max(0.0, start - reading):.4f}",
            **{column: str(result[column]) for column in report.EXCHANGE_COLUMNS
               if column in result}}


def run_once(bench, task, slots, folder):
    """One run of prism-dist; its CSV row and its messages."""
    row, stem = task.row, Path(folder) / "run"
    command, environment = command_of(bench, task, slots, stem)
    out, err = bench.wait(bench.start(command, environment), row.limit + GRACE)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    reading = re.search(r"read in ([0-9.]+) s", err)
    try:
        result = json.loads(lines[-1])
        met = row.k == 0 or result["target_met"] is True
        seconds = max(0.0, result["time_to_best"] - float(reading.group(1)))
        more = (scaling_columns(task, result, float(reading.group(1)), stem)
                if bench.scaling else {})
    except (IndexError, KeyError, TypeError, AttributeError, OSError, ValueError):
        return {**bench.record(task), "limit": f"{row.limit:g}", "met": "0", "seconds": "",
                "colors": "", "iterations": "", "reason": "error", "commit": bench.commit,
                **bench.gpu}, err
    verify = Path(task.variant.binary).parent / "prism"
    if verify.is_file():
        check = subprocess.run([str(verify), "verify", str(find_instance(row.graph)),
                                f"{stem}.sol"], capture_output=True, text=True, check=False)
        if check.returncode != 0:
            result["exit_reason"], met, err = "error", False, check.stdout + check.stderr
    return {**bench.record(task), "limit": f"{row.limit:g}", "met": str(int(met)),
            "seconds": f"{seconds:.4f}", "colors": str(result["colors"]),
            "iterations": str(result["iterations"]), "reason": result["exit_reason"],
            "commit": bench.commit, **bench.gpu, **more}, err


def work(bench, slots, taken, task):
    with tempfile.TemporaryDirectory(prefix="prism-ttt-") as folder:
        try:
            row, messages = run_once(bench, task, taken, folder)
        finally:
            slots.give(taken)
    what = f"{row['seconds'] or '-'} s, {row['colors'] or '-'} colors, {row['reason']}"
    ranks = f" {task.row.ranks} ranks" if task.row.ranks > 1 else ""
    bench.keep(row, f"{task.variant.label}: {task.row.name()}{ranks} seed {task.seed}: {what}")
    if row["reason"] == "error":
        bench.errors += 1
        print(messages.strip(), file=sys.stderr, flush=True)


def rows_of(arguments):
    if arguments.scaling:
        return SCALING_ROWS[arguments.device]
    return GPU_ROWS if arguments.device == "cuda" else ROWS


def plan(arguments, variants, most):
    """The runs, in their order; most: ranks that fit."""
    ranks = arguments.ranks
    if ranks is None and arguments.scaling:
        ranks = [2 ** i for i in range(most.bit_length())]
    tasks = []
    for place, row in enumerate(rows_of(arguments)):
        if not re.search(arguments.rows, row.name()) or (arguments.goals and row.goal is None):
            continue
        if arguments.part and row.part not in arguments.part:
            continue
        if find_instance(row.graph) is None:
            print(f"left out, no instance in {INSTANCES}: {row.graph}", file=sys.stderr)
            continue
        row = row._replace(limit=arguments.limit or row.limit)
        seeds = range(arguments.first_seed, arguments.first_seed + (arguments.seeds or row.seeds))
        # One rank has nobody to cooperate with: its runs serve both modes.
        tasks += [Task(place, row._replace(ranks=count), seed, variant) for seed in seeds
                  for variant in variants for count in ranks or [row.ranks]
                  if not arguments.scaling or variant.cooperates() or count > 1]
    # Long runs first, so that the cores end together; with --ranks the widest, so that they
    # need not wait for each other.
    return sorted(tasks, key=lambda task: (-task.row.ranks if ranks else 0, -task.row.limit,
                                           -task.row.ranks, task.place, task.seed))


def list_rows(rows):
    for row in rows:
        goal = "no goal" if row.goal is None else f"goal {row.goal:g} s"
        part = f"{row.part}: " if row.part else ""
        print(f"{part}{row.name()}: {row.ranks} rank(s), {goal}, {row.seeds} seeds, "
              f"limit {row.limit} s")


def open_bench(arguments, tasks, slots):
    on_gpu = arguments.device == "cuda"
    if arguments.csv == "":
        path = None
    else:
        kind, machine = ("gpu-ttt", "gpu_machine") if on_gpu else ("ttt", "machine")
        kind = "scaling" if arguments.scaling else kind
        path = Path(arguments.csv or RESULTS / f"{kind}-{shell(machine)[0]}.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
    header = [line for line in shell("describe") if not line.startswith("# commit")]
    if arguments.scaling:
        header += shell("libraries")
    cpus = {cpu for slot in slots for cpu in slot.cpus}
    header.append(f"# side by side: {len(slots)} GPUs, {len(slots[0].cpus)} cores with each"
                  if on_gpu else f"# side by side: {len(slots)} cores"
                  if len(cpus) == len(slots) else f"# shared: {len(cpus)} cores by {len(slots)}")
    return Bench(path, header, shell("commit")[0], arguments, len(tasks))


def main():
    parser, arguments = parse_arguments()
    if arguments.list:
        list_rows(rows_of(arguments))
        return 0
    os.environ["PRISM_BENCH_PRESET"] = PRESETS[arguments.device]  # for bench/lib.sh
    variants = variants_of(parser, arguments)
    if arguments.binary is None:
        shell("need_programs prism-dist prism")
    for variant in variants:
        if not os.access(variant.binary, os.X_OK):
            parser.error(f"not a program: {variant.binary}")
    every = (gpu_slots if arguments.device == "cuda" else cpu_slots)(arguments.jobs)
    tasks = plan(arguments, variants, len(every))
    slots = Slots(every)
    narrow = [task for task in tasks if task.row.ranks > len(every)]
    unit = "GPU(s)" if arguments.device == "cuda" else "core(s)"
    for name, ranks in sorted({(task.row.name(), task.row.ranks) for task in narrow}):
        print(f"left out, there are {len(every)} {unit}: {name} on {ranks}", file=sys.stderr)
    tasks = [task for task in tasks if task.row.ranks <= len(every)]
    if not tasks:
        print("ttt.py: nothing to run", file=sys.stderr)
        return 2
    bench = open_bench(arguments, tasks, every)
    if arguments.resume:
        tasks = [task for task in tasks if not bench.has(task)]
        bench.total = len(tasks)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    began, threads = time.monotonic(), []
    try:
        for task in tasks:
            taken = slots.take(task.row.ranks)
            thread = threading.Thread(target=work, args=(bench, slots, taken, task), daemon=True)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        bench.stop()
        print("interrupted; finished runs are kept, --resume goes on", file=sys.stderr)
        return 130
    print(f"{bench.done} runs in {time.monotonic() - began:.0f} s", file=sys.stderr)
    if not arguments.scaling:
        print(report.ttt_tables(bench.rows if arguments.resume else bench.fresh))
    return 1 if bench.errors else 0


if __name__ == "__main__":
    sys.exit(main())
