"""Run files of prism-dist as data frames: schema versions 1 to 4, of runs that ended, go on,
were killed or have written nothing yet. docs/TELEMETRY.md explains every field.

    from prism_analysis import load
    run = load.read("X.h5")
    run.metrics                     # a data frame, so are gpu, events, migrations, ...
    load.frame([run, other], "metrics")   # of several runs, with a column that names the run

What does not apply is NaN, in whole numbers too, and "" in text.
"""

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path

# The run file is only read, and prism-dist has a lock of its own.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
import h5py  # noqa: E402 (reads the environment when it is loaded)
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

KNOWN_SCHEMA = 4
ENDED, LIVE, KILLED = "ended", "going on", "killed"

# Name here -> place in the file; the columns, for files of an older schema and empty ones.
TABLES = {
    "metrics": ("telemetry/metrics", "time t rank phase step stream mode reason colors "
                "best_colors conflicts iterations duration_ms temperature reward "
                "compaction_ratio parameters notes"),
    "gpu": ("telemetry/gpu", "t rank utilization memory_used_mb memory_total_mb power_w "
            "temperature_c sm_clock_mhz throttle kernel_us transfer_us overlap idle"),
    "profile": ("telemetry/profile", "t rank name count total_s share mean_us min_us max_us "
                "stddev_us iterations"),
    "ladder": ("telemetry/ladder", "t rank stream colors level temperature swap"),
    "events": ("telemetry/events", "time t rank event colors notes"),
    "migrations": ("telemetry/migrations", "t from_rank to_rank colors conflicts distance "
                   "accepted"),
    "solutions": ("solutions/index", "t iterations rank colors"),
    "summary": ("summary", "colors lower_bound optimal target_met time time_to_best iterations "
                "ranks threads records_lost write_failures gpu_busy gpu_overlap exit_reason "
                "device"),
    "ranks": ("ranks/table", "rank threads gpu host device uuid processors"),
}
# -1 means that it does not apply; elsewhere (streams, senders) it has a meaning.
ABSENT = {
    "metrics": ["colors", "best_colors", "conflicts"],
    "events": ["colors"],
    "migrations": ["distance"],
    "summary": ["target_met", "gpu_busy", "gpu_overlap"],
}


class RunFileError(Exception):
    """A file that cannot be read as a run, in words for the user."""


def text_of(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@dataclass
class Run:
    path: Path
    schema: int
    state: str  # ENDED, LIVE, KILLED
    created: str
    graph: dict  # name, n, m, hash
    config: dict  # section.name -> text
    build: dict
    seed: str
    metrics: pd.DataFrame
    gpu: pd.DataFrame
    profile: pd.DataFrame
    ladder: pd.DataFrame
    events: pd.DataFrame
    migrations: pd.DataFrame
    solutions: pd.DataFrame
    summary: pd.DataFrame
    ranks: pd.DataFrame
    coloring: np.ndarray = None  # the best one, [n], classes from 0; None: none yet
    label: str = ""
    notes: list = field(default_factory=list)  # what a reader should know of the file

    @property
    def name(self):
        return self.label or self.path.stem

    @property
    def rank_count(self):
        return max(1, len(self.ranks))

    @property
    def gpu_count(self):
        """Ranks that search on a GPU."""
        return int((self.ranks["gpu"] >= 0).sum())

    @property
    def device(self):
        if len(self.summary):
            return self.summary["device"].iloc[0]
        names = list(dict.fromkeys(self.ranks["device"]))
        return ", ".join(names)

    @property
    def seconds(self):
        """Length of the run; of one that has not ended, until its last record."""
        if len(self.summary):
            return float(self.summary["time"].iloc[0])
        return max([0.0] + [float(table["t"].max()) for table in
                            (self.metrics, self.events, self.solutions) if len(table)])

    @property
    def best(self):
        """Fewest colors; None without a coloring."""
        found = [self.solutions["colors"].min(), self.metrics["best_colors"].min()]
        if len(self.summary):
            found.append(self.summary["colors"].iloc[0])
        found = [int(value) for value in found if pd.notna(value) and value > 0]
        return min(found, default=None)

    @property
    def lower_bound(self):
        bound = int(self.summary["lower_bound"].iloc[0]) if len(self.summary) else 0
        return bound if bound > 0 else None

    @property
    def iterations(self):
        if len(self.summary):
            return int(self.summary["iterations"].iloc[0])
        return int(self.metrics.groupby("rank")["iterations"].max().sum())

    @property
    def target(self):
        """Colors that the user asked for; None: as few as possible."""
        for key in ("run.k", "run.target"):
            value = self.config.get(key, "0")
            if value.isdigit() and int(value) > 0:
                return int(value)
        return None

    @property
    def end(self):
        """Why it ended, in a word."""
        if len(self.summary):
            return self.summary["exit_reason"].iloc[0] or ENDED
        return self.state

    def time_to(self, colors):
        """When a coloring with so many colors or fewer was there; None: never."""
        rows = self.solutions[self.solutions["colors"] <= colors]
        return float(rows["t"].min()) if len(rows) else None


def is_held(path):
    """Does the writer still hold its lock? Asked for an instant, without waiting."""
    try:
        with open(path.with_suffix(".jsonl"), "rb") as lines:
            try:
                fcntl.flock(lines, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    except OSError:
        pass  # no such file, or a file system without locks: nothing is known
    return False


def open_file(path):
    """A finished file opens as it is, any other one as a reader beside the writer."""
    if not path.is_file():
        raise RunFileError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise RunFileError(f"{path} is empty: nothing was written to it")
    try:
        return h5py.File(path, "r")
    except OSError:
        pass
    try:
        return h5py.File(path, "r", libver="latest", swmr=True)
    except OSError as reason:
        raise RunFileError(f"{path} is not a readable HDF5 file: {reason}") from reason


def to_frame(rows, columns, absent=()):
    """A compound table as a data frame: text decoded, what does not apply as NaN."""
    data = {}
    names = rows.dtype.names if rows is not None else ()
    for name in dict.fromkeys([*names, *columns]):
        if name not in names:
            data[name] = np.full(0 if rows is None else len(rows), np.nan)
            continue
        values = rows[name]
        if values.dtype.kind == "S":
            values = [text_of(value) for value in values]
        data[name] = pd.Series(values, dtype=object if isinstance(values, list) else None)
    frame = pd.DataFrame(data)
    for name in absent:
        if len(frame) and name in frame and (frame[name] == -1).any():
            frame[name] = frame[name].astype(float).replace(-1.0, np.nan)
    return frame


def read_table(file, key):
    place, columns = TABLES[key]
    rows = file[place][()] if place in file else None
    frame = to_frame(rows, columns.split(), ABSENT.get(key, ()))
    # The order of arrival differs from that of time where there are several ranks.
    return frame.sort_values("t", kind="stable", ignore_index=True) if "t" in frame else frame


def attributes(file, group):
    return {key: text_of(value) for key, value in file[group].attrs.items()}


def read_coloring(file, frame):
    """The coloring with the fewest colors. The writer may have added the index row before."""
    if "solutions/colors" not in file or len(frame) == 0:
        return None
    stored = file["solutions/colors"]
    index = to_frame(file["solutions/index"][()], [])
    index = index.iloc[:stored.shape[0]]
    if len(index) == 0:
        return None
    return np.asarray(stored[int(index["colors"].to_numpy().argmin())], dtype=np.int64)


def read(path, label=""):
    """[in] path of a run file. Raises RunFileError with a text for the user."""
    path = Path(path)
    with open_file(path) as file:
        if "schema_version" not in file.attrs or "telemetry" not in file:
            raise RunFileError(f"{path} is an HDF5 file, but no run file")
        schema, notes = int(file.attrs["schema_version"]), []
        if schema > KNOWN_SCHEMA:
            notes.append(f"schema version {schema} is newer than this program "
                         f"({KNOWN_SCHEMA}): what it added is left out")
        try:
            tables = {key: read_table(file, key) for key in TABLES}
            graph, config = attributes(file, "graph"), attributes(file, "config")
            build = attributes(file, "build")
            coloring = read_coloring(file, tables["solutions"])
        except (KeyError, OSError, ValueError) as reason:
            raise RunFileError(f"{path}: a part of the run file is missing or damaged: "
                               f"{reason}") from reason
        state = ENDED if len(tables["summary"]) else LIVE if is_held(path) else KILLED
        graph["n"], graph["m"] = int(graph.get("n", 0)), int(graph.get("m", 0))
        run = Run(path=path, schema=schema, state=state,
                  created=text_of(file.attrs.get("created", "")), graph=graph, config=config,
                  build=build, seed=config.pop("seed", ""), coloring=coloring, label=label,
                  notes=notes, **tables)
    if state == KILLED:
        run.notes.append("did not end in order: it was killed, or its computer failed"
                         if len(run.metrics) else "has no records: it ended before its search")
    if len(run.summary):
        lost, failed = (int(run.summary[name].iloc[0]) for name in
                        ("records_lost", "write_failures"))
        if lost or failed:
            run.notes.append(f"{lost:,} records are missing, {failed:,} writes failed")
    return run


def read_many(paths):
    """(runs, problems): what cannot be read does not keep the others from being read."""
    runs, problems = [], []
    for path in paths:
        try:
            runs.append(read(path))
        except RunFileError as problem:
            problems.append(str(problem))
    name_apart(runs)
    return runs, problems


def name_apart(runs):
    """Labels: the stem of the file, with its folder where two have the same one."""
    stems = [run.path.stem for run in runs]
    for run in runs:
        same = stems.count(run.path.stem) > 1
        run.label = f"{run.path.parent.name}/{run.path.stem}" if same else run.path.stem


def frame(runs, key):
    """One table of all runs, with a first column `run`."""
    parts = [getattr(run, key).assign(run=run.name) for run in runs]
    parts = [part for part in parts if len(part)] or parts[:1]
    every = pd.concat(parts, ignore_index=True)
    return every[["run", *[name for name in every.columns if name != "run"]]]
