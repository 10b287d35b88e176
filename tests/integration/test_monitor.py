#!/usr/bin/env python3
"""prism monitor, export, repair and config on finished, live, killed and empty runs.

Usage: test_monitor.py PRISM_DIST PRISM, with the path of store_writer in STORE_WRITER.
Exit code 77: skipped."""

import csv
import fcntl
import hashlib
import io
import json
import math
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import cli
from cli import check, expect, gnp, refused, run, tool, wait_for, write

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

WRITER = os.path.abspath(os.environ["STORE_WRITER"])
TABLES = {"metrics": "/telemetry/metrics", "gpu": "/telemetry/gpu",
          "profile": "/telemetry/profile", "ladder": "/telemetry/ladder",
          "events": "/telemetry/events",
          "migrations": "/telemetry/migrations", "solutions": "/solutions/index",
          "summary": "/summary", "ranks": "/ranks/table"}
LINE = re.compile(r"\[[A-Z]+\]\[cpu\](\[rank=\d+\])? \w+ \| colors=(\d+|-) conflicts=(\d+|-) "
                  r"\| \d+\.\d\d ms")
LONG_RUN = ["--device", "cpu", "--threads", 1, "--telemetry.interval", 0.05, "--seed", 1,
            "--output", "x.h5", "--quiet", "--checkpoint.enabled", "off"]


def made_up(stem="x", ranks=3, seconds=60, seed=4, *more):
    """A run without a solver."""
    expect(run(WRITER, "descent", stem, ranks, seconds, seed, *more), 0)
    return stem + ".h5"


def opened(path):
    try:
        return h5py.File(path, "r")
    except OSError:
        return h5py.File(path, "r", libver="latest", swmr=True)


def table_of(path, name):
    with opened(path) as file:
        return file[TABLES[name]][()]


def text_of(value):
    return value.decode("utf-8", "replace")


def hard_graph():
    return gnp("g.col", 250, seed=3)


def lines_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [line for line in file if line.startswith('{"record":"metric"')]
    except OSError:
        return []


def file_hash(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def killed(stem="x"):
    """A run of the solver that was killed after some records; its name."""
    process = cli.start(hard_graph(), "--time-limit", 60, *LONG_RUN)
    wait_for(lambda: len(lines_of(stem + ".jsonl")) > 20, "records")
    time.sleep(0.5)
    process.kill()
    process.wait()
    return stem + ".h5"


# ---- Lines and tables -------------------------------------------------------------------


def test_lines_of_a_finished_run():
    path = made_up()
    metrics = table_of(path, "metrics")
    lines = expect(tool("monitor", path), 0).out.splitlines()
    check(len(lines) == len(metrics), f"{len(lines)} lines, {len(metrics)} rows")
    for line, row in zip(lines, metrics):
        check(LINE.fullmatch(line), line)
        check(f"[rank={row['rank']}] {text_of(row['step'])} | colors={row['colors']} "
              f"conflicts={row['conflicts']} | {row['duration_ms']:.2f} ms" in line, line)
    one = expect(tool("monitor", path, "--rank", 1), 0).out.splitlines()
    check(len(one) == (metrics["rank"] == 1).sum() and "rank" not in one[0], one[0])
    late = expect(tool("monitor", path, "--since", 30), 0).out.splitlines()
    check(len(late) == (metrics["t"] >= 30).sum(), len(late))
    last = expect(tool("monitor", path, "--since", -10), 0).out.splitlines()
    check(len(last) == (metrics["t"] >= metrics["t"].max() - 10).sum(), len(last))
    for phase in ["memetic", "MEMETIC", "Memetic"]:
        check(len(expect(tool("monitor", path, "--phase", phase), 0).out.splitlines())
              == len(metrics), phase)
    nothing = expect(tool("monitor", path, "--phase", "thermodynamic"), 0, "asked for")
    check(nothing.out == "", nothing)
    objects = [json.loads(line) for line in
               expect(tool("monitor", path, "--json", "--rank", 2), 0).out.splitlines()]
    check([o["iterations"] for o in objects]
          == metrics["iterations"][metrics["rank"] == 2].tolist(), "JSON lines")
    check(expect(tool("monitor", "--jsonl", path), 0).out.splitlines() == lines, "from the .jsonl")


def test_the_line_of_a_gpu():
    """The form that the specification shows, to the letter."""
    write("x.jsonl", '{"record":"config","schema_version":3,"ranks":[{"rank":0}]}\n'
          '{"record":"metric","rank":0,"t":1.0,"phase":"thermodynamic","step":"temp_5",'
          '"stream":2,"mode":"gpu","colors":112,"conflicts":0,"duration_ms":123.449}\n'
          '{"record":"metric","rank":0,"t":2.0,"phase":"memetic","step":"\\u001b[2Jx",'
          '"mode":"cpu","duration_ms":null}\n')
    check(expect(tool("monitor", "x.jsonl"), 0).out ==
          "[THERMO][gpu][stream=2] temp_5 | colors=112 conflicts=0 | 123.45 ms\n"
          "[MEMETIC][cpu] ?[2Jx | colors=- conflicts=- | - ms\n", "lines")


def test_which_run():
    made_up("old", 1, 10, 1)
    os.makedirs("prism-runs")
    for name, ranks in [("a", 1), ("b", 2), ("c", 3)]:
        made_up("prism-runs/" + name, ranks, 10, 1)
    write("prism-runs/d.ckpt.h5", "a checkpoint")
    os.utime("prism-runs/b.h5", (time.time() + 5, time.time() + 5))

    def name(*arguments):
        return json.loads(expect(tool("monitor", "--summary", "--json", *arguments), 0).out)["run"]

    check(name() == "prism-runs/b.h5", name())
    check(name("prism-runs") == "prism-runs/b.h5", "folder")
    check(name("old") == "old.h5" and name("old.h5") == "old.h5", "stem")
    check(name("old.jsonl") == "old.jsonl" and name("old", "--jsonl") == "old.jsonl", "jsonl")
    os.makedirs("empty")
    os.chdir("empty")
    refused(tool("monitor"), "prism-runs/")
    os.makedirs("prism-runs")
    refused(tool("monitor"), "holds no run")
    refused(tool("monitor", "none.h5"), "no such run")


def test_summary_counts_what_the_tables_hold():
    path = made_up()
    metrics, moves = table_of(path, "metrics"), table_of(path, "migrations")
    solutions, last = table_of(path, "solutions"), table_of(path, "summary")[0]
    for source in ([], ["--jsonl"]):
        got = json.loads(expect(tool("monitor", path, "--summary", "--json", *source), 0).out)
        check(got["state"] == "ended" and got["graph"]["name"] == "synthetic", got)
        check(got["result"]["colors"] == last["colors"] and got["best_colors"] == last["colors"],
              got["result"])
        check(math.isclose(got["best_t"], solutions["t"][-1]), got["best_t"])
        check([row["colors"] for row in got["improvements"]] == solutions["colors"].tolist(),
              "improvements")
        check([row["rank"] for row in got["ranks"]] == [0, 1, 2], "ranks")
        total = 0
        for row in got["ranks"]:
            own = metrics[metrics["rank"] == row["rank"]]
            iterations = own["iterations"][-1] - own["iterations"][0]
            total += iterations
            check(row["iterations"] == iterations and row["records"] == len(own), row)
            check(math.isclose(row["seconds"], own["t"][-1] - own["t"][0]), row)
            check(math.isclose(row["iterations_per_second"], iterations / row["seconds"]), row)
            check(row["colors"] == own["colors"][-1] and row["conflicts"] == own["conflicts"][-1],
                  row)
            came = moves[moves["to_rank"] == row["rank"]]
            check(row["migrants_offered"] == len(came)
                  and row["migrants_accepted"] == came["accepted"].sum(), row)
            check(math.isclose(row["acceptance_rate"], came["accepted"].mean()), row)
        check([p["phase"] for p in got["phases"]] == ["memetic"], got["phases"])
        check(got["phases"][0]["iterations"] == total
              and got["phases"][0]["records"] == len(metrics), got["phases"])
    text = expect(tool("monitor", path, "--summary"), 0, "synthetic", "(ended)",
                  f"{last['colors']} colors", "lower bound 12").out
    check(text.count("%)") >= 3, text)
    half = json.loads(expect(tool("monitor", path, "--summary", "--json", "--rank", 1,
                                  "--since", 30), 0).out)
    own = metrics[(metrics["rank"] == 1) & (metrics["t"] >= 30)]
    check(len(half["ranks"]) == 1 and half["ranks"][0]["records"] == len(own), half["ranks"])


def test_rates_of_phases_and_gpus():
    """Swap rates, idle shares and meetings, by hand."""
    def metric(t, phase, iterations, parameters):
        return json.dumps({"record": "metric", "t": t, "rank": 0, "phase": phase, "mode": "gpu",
                           "iterations": iterations, "parameters": parameters})

    rows = ['{"record":"config","schema_version":3,"ranks":[{"rank":0,"device":"H100"}]}',
            metric(1.0, "memetic", 0, "method=pool"),
            metric(3.0, "thermodynamic", 100, "method=tempering swap=0.200"),
            metric(4.0, "thermodynamic", 400, "method=tempering swap=0.400"),
            metric(8.0, "memetic", 1200, "noswap=0.9"),
            '{"record":"gpu","t":2.0,"rank":0,"idle":0.5,"utilization":50}',
            '{"record":"gpu","t":8.0,"rank":0,"idle":0.1,"utilization":90}',
            '{"record":"migration","t":5.0,"from_rank":-1,"to_rank":0,"accepted":7}']
    write("x.jsonl", "\n".join(rows) + "\n")
    got = json.loads(expect(tool("monitor", "x.jsonl", "--summary", "--json"), 0).out)
    phase = {row["phase"]: row for row in got["phases"]}
    check(phase["thermodynamic"]["rank_seconds"] == 3.0, phase)
    check(phase["thermodynamic"]["iterations"] == 400, phase)
    check(math.isclose(phase["thermodynamic"]["swap_rate"], 0.3), phase)
    check(phase["memetic"]["swap_rate"] is None and phase["memetic"]["iterations"] == 800, phase)
    rank = got["ranks"][0]
    check(math.isclose(rank["gpu_idle"], (2 * 0.5 + 6 * 0.1) / 8), rank)
    check(rank["meetings"] == 1 and rank["visitors"] == 7 and rank["migrants_offered"] == 0, rank)
    check(rank["acceptance_rate"] is None and rank["device"] == "H100", rank)
    expect(tool("monitor", "x.jsonl", "--summary"), 0, "GPU idle", "20.0 %", "0.300", "+7 met")


# ---- Runs that go on -------------------------------------------------------------------------


def follow(*arguments):
    """Start --tail on a run that goes on; (lines seen while it did, all lines, messages)."""
    process = cli.start(hard_graph(), "--time-limit", 4, *LONG_RUN)
    wait_for(lambda: os.path.exists("x.h5") and lines_of("x.jsonl"), "the run")
    with subprocess.Popen([cli.TOOL, "monitor", "--tail", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, bufsize=0) as tail:
        seen = [tail.stdout.readline().decode() for _ in range(12)]
        check(process.poll() is None, "the lines came while the run went on")
        state = json.loads(tool("monitor", "--summary", "--json", *arguments).out)["state"]
        check(state == "live", state)
        rest, messages = tail.communicate(timeout=60)
        check(tail.returncode == 0, f"exit {tail.returncode}: {messages}")
    check(process.wait() == 0, cli.started())
    return seen, seen + rest.decode().splitlines(True), messages.decode()


def test_tail_follows_the_run_file():
    seen, lines, messages = follow("x.h5")
    check(all(LINE.fullmatch(line.strip()) for line in lines), lines)
    check("has ended (time)" in messages, messages)
    check(len(lines) == len(table_of("x.h5", "metrics")) > len(seen), len(lines))
    check("".join(lines) == expect(tool("monitor", "x.h5"), 0).out, "the same as afterwards")


def test_tail_follows_the_jsonl():
    _, lines, messages = follow("x.h5", "--jsonl")
    check(len(lines) == len(table_of("x.h5", "metrics")), len(lines))
    check("x.jsonl has ended (time)" in messages, messages)


def test_live_run_is_not_repaired():
    with subprocess.Popen([WRITER, "stream", "x", "5"], stdout=subprocess.PIPE) as writer:
        try:
            for line in writer.stdout:
                if int(line.split()[1]) > 0:
                    break
            before = sorted(os.listdir("."))
            for more in ([], ["--force"], ["--in-place", "--force"], ["-o", "y.h5"]):
                refused(tool("repair", "x.h5", *more), "a run that goes on")
            check(sorted(os.listdir(".")) == before, "nothing was written")
            check(tool("export", "x.h5").out.count("\r\n") > 1, "a live run can be exported")
        finally:
            writer.kill()


def test_killed_run():
    path = killed()
    before = file_hash(path)
    rows = len(table_of(path, "metrics"))
    check(rows > 20, rows)
    got = json.loads(expect(tool("monitor", "--summary", "--json", path), 0).out)
    check(got["state"] == "killed" and got["result"] is None and got["best_colors"] > 0, got)
    tail = expect(tool("monitor", "--tail", path), 0, "was killed", "prism repair")
    check(len(tail.out.splitlines()) == rows, tail)
    said = expect(tool("repair", path), 0).out
    check(said.startswith(f"x.repaired.h5: {rows} rows of /telemetry/metrics"), said)
    check(file_hash(path) == before, "the original is as it was")
    with opened(path) as old, h5py.File("x.repaired.h5", "r") as new:
        names = []
        old.visit(names.append)
        for name in names:
            check(name in new, name)
            check(dict(old[name].attrs).keys() == dict(new[name].attrs).keys(), name)
            if isinstance(old[name], h5py.Dataset):
                check(old[name].dtype == new[name].dtype, name)
                check(old[name][()].tobytes() == new[name][()].tobytes(), name)
        check(new["telemetry/metrics"].compression == "gzip", "compressed")
        check(new["solutions/colors"].shape[0] == new["solutions/index"].shape[0] > 0, "colors")
        check(old.attrs["created"] == new.attrs["created"] and "repaired" in new.attrs, "root")
    check(os.path.getsize("x.repaired.h5") < os.path.getsize(path), "smaller")
    refused(tool("repair", path), "exists already")
    expect(tool("repair", path, "--force", "-o", "x.repaired.h5"), 0)
    check(not [name for name in os.listdir(".") if name.endswith(".tmp")], os.listdir("."))
    expect(tool("repair", path, "--in-place"), 0, f"x.h5: {rows} rows")
    with h5py.File(path, "r") as file:
        check(len(file["telemetry/metrics"]) == rows, "in place")
    expect(tool("repair", path), 0, "nothing to repair")
    expect(tool("monitor", "--summary", path), 0, "(ended)")


def test_killed_run_without_its_jsonl():
    made_up("x", 2, 20, 3, "unfinished")
    os.remove("x.jsonl")
    expect(tool("monitor", "--summary", "x.h5"), 0, "(unknown)")
    refused(tool("repair", "x.h5", "--in-place"), "--force")
    expect(tool("repair", "x.h5"), 0, "no lock beside x.h5", "x.repaired.h5: ")
    h5py.File("x.repaired.h5", "r").close()


def test_damaged_table_is_rescued_to_its_damage():
    """The end of a killed run's file is gone: the rows before it survive, and it is said."""
    path = made_up("x", 3, 200, 3, "unfinished")
    chunks = []  # (offset, table, first row)
    with opened(path) as file:
        for name in ("telemetry/metrics", "telemetry/migrations"):
            table = file[name].id
            for i in range(table.get_num_chunks()):
                info = table.get_chunk_info(i)
                chunks.append((info.byte_offset, name, info.chunk_offset[0], len(file[name])))
    last, name, first, rows = max(chunks)
    check(0 < first < rows, (first, rows))
    os.truncate(path, last + 8)
    said = expect(tool("repair", path), 0, f"{first} rows of /{name}",
                  f"{rows - first} rows could not be read any more")
    with h5py.File("x.repaired.h5", "r") as file:
        check(len(file[name]) == first, said)
        check(len(file["solutions/index"]) == len(file["solutions/colors"]) > 0, said)


def test_not_a_run():
    write("x.h5", "p edge 3 2\n")
    refused(tool("monitor", "x.h5"), "not an HDF5 file")
    refused(tool("repair", "x.h5"), "not an HDF5 file")
    refused(tool("export", "x.h5"), "not an HDF5 file")
    with h5py.File("y.h5", "w") as file:
        file["data"] = np.arange(5)
    for name in ["monitor", "repair", "export"]:
        refused(tool(name, "y.h5"), "not one of a run")
    refused(tool("repair", "y.jsonl"), "no such run")


def empty_file(path, version):
    """A run file of that schema version without rows, made without prism."""
    metric = np.dtype([("t", "<f8"), ("rank", "<i4"), ("phase", "S16"), ("mode", "S16"),
                       ("colors", "<i4"), ("conflicts", "<i8"), ("iterations", "<i8"),
                       ("best_colors", "<i4"), ("strange", "<u2")])
    with h5py.File(path, "w") as file:
        file.attrs["schema_version"] = version
        for name, kind in [("telemetry/metrics", metric),
                           ("solutions/index", np.dtype([("t", "<f8"), ("colors", "<i4")]))]:
            file.create_dataset(name, (0,), kind, chunks=(8,), maxshape=(None,))
    return metric


def test_empty_runs():
    empty_file("x.h5", 3)
    check(expect(tool("monitor", "x.h5"), 0, "no record of x.h5 is there yet").out == "", "lines")
    expect(tool("monitor", "--summary", "x.h5"), 0, "best so far  none", "no records yet")
    json.loads(expect(tool("monitor", "--summary", "--json", "x.h5"), 0).out)
    expect(tool("monitor", "--tail", "x.h5"), 0, "ends here, without a result")
    check(expect(tool("export", "--json", "x.h5"), 0).out == "[\n]\n", "no rows")
    check(expect(tool("export", "x.h5"), 0).out.count("\r\n") == 1, "names alone")
    write("y.jsonl", "")
    expect(tool("monitor", "--summary", "y.jsonl"), 0, "no records yet")
    made_up("z", 1, 0, 1)
    expect(tool("monitor", "--summary", "z"), 0, "60 colors")


def test_older_schema_versions():
    for version in (1, 2, 3):
        path = f"v{version}.h5"
        metric = empty_file(path, version)
        with h5py.File(path, "a") as file:
            rows = np.zeros(3, metric)
            rows["t"], rows["iterations"], rows["phase"] = [1, 2, 4], [0, 50, 250], b"memetic"
            rows["mode"], rows["colors"], rows["conflicts"] = b"cpu", 12, [9, 5, 0]
            file["telemetry/metrics"].resize((3,))
            file["telemetry/metrics"][:] = rows
            file["solutions/index"].resize((1,))
            file["solutions/index"][0] = (1.5, 13)
            file.create_group("config").attrs["run.seed"] = "5"
            file["config"].attrs["seed"] = np.uint64(2**64 - 59)
            graph = file.create_group("graph")
            graph.attrs["name"], graph.attrs["n"], graph.attrs["m"] = "old", 7, 21
            if version >= 2:
                gpu = np.dtype([("t", "<f4"), ("rank", "<i2"), ("idle", "<f8")])
                file["telemetry/gpu"] = np.array([(2.0, 0, 0.25)], gpu)
            if version == 3:
                part = np.dtype([("t", "<f8"), ("rank", "<i4"), ("name", "S32")])
                file["telemetry/profile"] = np.array([(4.0, 0, b"upload")], part)
        got = json.loads(expect(tool("monitor", "--summary", "--json", path), 0).out)
        check(got["schema_version"] == version and got["seed"] == 2**64 - 59, got)
        check(got["graph"]["name"] == "old" and got["graph"]["m"] == 21, got)
        check(got["best_colors"] == 13 and got["state"] == "ended", got)
        check(got["ranks"][0]["iterations"] == 250, got["ranks"])
        check(got["ranks"][0]["gpu_idle"] == (0.25 if version >= 2 else None), got["ranks"])
        lines = expect(tool("monitor", path), 0).out.splitlines()
        check(lines[1] == "[MEMETIC][cpu]  | colors=12 conflicts=5 | - ms", lines)
        out = json.loads(expect(tool("export", "--json", path), 0).out)
        check(out[2]["conflicts"] == 0 and out[2]["reward"] is None and out[2]["stream"] == -1
              and out[2]["notes"] == "" and "strange" not in out[2], out)
        for name, rows in [("gpu", int(version >= 2)), ("profile", int(version == 3)),
                           ("ladder", 0), ("summary", 0), ("ranks", 0)]:
            check(len(json.loads(expect(tool("export", "--json", path, "--table", name),
                                        0).out)) == rows, name)
        expect(tool("config", "--diff", path), 0, "run.seed: 0 -> 5", "(not there)")
        expect(tool("repair", path, "-o", f"new{version}.h5"), 0, "3 rows of /telemetry/metrics")
        with h5py.File(f"new{version}.h5", "r") as file:
            check(file.attrs["schema_version"] == version, "still of that version")
            check("strange" in file["telemetry/metrics"].dtype.names, "nothing is lost")


def test_losses_are_told():
    write("x.jsonl", '{"record":"config","schema_version":3}\n{"record":"metric","t":1,"rank":0}\n'
          '{"record":"summary","colors":9,"records_lost":17,"write_failures":2}\n')
    expect(tool("monitor", "--summary", "x"), 0, "17 records lost", "2 failed writes")


# ---- Export and configuration ------------------------------------------------------------------


def same(text, value, kind):
    if kind.kind == "S":
        return text == text_of(value)
    if kind.kind == "f":
        return text == "" if math.isnan(value) else float(text) == value
    return int(text) == value


def test_ladders_of_a_run():
    graph = hard_graph()
    expect(cli.dist(graph, "--time-limit", 2, *LONG_RUN, "--memetic.method", "tempering",
                    "--thermodynamic.replicas", 7), 0)
    rows = table_of("x.h5", "ladder")
    check(len(rows) and len(rows) % 7 == 0, rows)
    most = table_of("x.h5", "metrics")["best_colors"].max()
    for i in range(0, len(rows), 7):
        ladder = rows[i:i + 7]
        check(list(ladder["level"]) == list(range(7)) and len(set(ladder["t"])) == 1, ladder)
        check((np.diff(ladder["temperature"]) > 0).all() and ladder["temperature"][0] > 0, ladder)
        check(set(ladder["stream"]) == {-1} and set(ladder["rank"]) == {0}, ladder)
        check(len(set(ladder["colors"])) == 1 and 0 < ladder["colors"][0] < most, ladder)
        share = ladder["swap"]
        check(np.isnan(share[6]) and np.isnan(share[:6]).sum() in (0, 6), share)
        check(((share[:6] >= 0) & (share[:6] <= 1) | np.isnan(share[:6])).all(), share)
    check(np.isfinite(rows["swap"]).any() and 0.0 <= rows["t"][0] <= rows["t"][-1] < 60, rows)
    exports_equal("x.h5", ["ladder"])
    expect(cli.dist(graph, "--time-limit", 0.5, *LONG_RUN, "--memetic.method", "head",
                    "--force"), 0)
    check(len(table_of("x.h5", "ladder")) == 0, "nothing has tempered")


def exports_equal(path, names):
    for name in names:
        rows = table_of(path, name)
        for source in ([], ["--jsonl"]):
            out = expect(tool("export", "--table", name, path, *source), 0).out
            check(out.count("\r\n") == out.count("\n"), "RFC 4180 ends lines with CRLF")
            parsed = list(csv.reader(io.StringIO(out, newline="")))
            check(parsed[0] == list(rows.dtype.names) and len(parsed) == len(rows) + 1, name)
            for texts, row in zip(parsed[1:], rows):
                for text, field in zip(texts, rows.dtype.names):
                    check(same(text, row[field], rows.dtype[field]), (name, field, text))
            objects = json.loads(expect(tool("export", "--json", "--table", name, path, *source),
                                        0).out)
            check(len(objects) == len(rows), name)
            for got, row in zip(objects, rows):
                check(list(got) == list(rows.dtype.names), name)
                for field, value in got.items():
                    kind = rows.dtype[field].kind
                    wanted = text_of(row[field]) if kind == "S" else row[field]
                    good = value is None if kind == "f" and math.isnan(wanted) else value == wanted
                    check(good, (name, field, value))


def test_exports_equal_the_tables():
    path = made_up()
    exports_equal(path, TABLES)
    default = expect(tool("export", path), 0).out
    check(default == expect(tool("export", "--csv", "--table", "metrics", path), 0).out, "default")


def test_export_of_difficult_texts():
    text = 'a,"b"\r\nc\u00e9 \u20ac'
    write("x.jsonl", '{"record":"config","schema_version":3,"build":{"flags":' + json.dumps(text)
          + '}}\n{"record":"event","t":0.5,"event":' + json.dumps(text) + ',"notes":"plain"}\n'
          'no record\n{"record":"event","t":1e400}\n')
    result = expect(tool("export", "--table", "events", "x.jsonl"), 0, "1 lines of x.jsonl")
    rows = list(csv.DictReader(io.StringIO(result.out, newline="")))
    check(rows[0]["event"] == text and rows[0]["notes"] == "plain", rows)
    check(rows[1]["t"] == "inf" and rows[1]["event"] == "", rows)
    objects = json.loads(tool("export", "--json", "--table", "events", "x.jsonl").out)
    check(objects[0]["event"] == text and objects[1]["t"] is None, objects)
    build = list(csv.reader(io.StringIO(tool("export", "--table", "build", "x").out, newline="")))
    check(build == [["name", "value"], ["flags", text]], build)


def test_export_files_and_usage():
    path = made_up("x", 1, 10, 1)
    expect(tool("export", path, "-o", "out.csv"), 0)
    check(open("out.csv", newline="").read() == tool("export", path).out, "the same")
    refused(tool("export", path, "-o", "out.csv"), "--force")
    expect(tool("export", "--json", path, "-o", "out.csv", "--force"), 0)
    json.load(open("out.csv"))
    refused(tool("export", path, "-o", "none/out.csv"), "none/out.csv")
    refused(tool("export", path, "--table", "metric"), "did you mean metrics?")
    refused(tool("export", path, "--csv", "--json"), "not both")
    refused(tool("export", path, path), "one run")
    refused(tool("export", path, "--table"), "needs a value")
    for name in ["monitor", "export", "repair", "config"]:
        expect(tool(name, "--help"), 0, f"prism {name}")
        refused(tool(name, "--nix"), "--nix")
    refused(tool("monitor", path, "--rank", "-1"), "from 0")
    refused(tool("monitor", path, "--since", "x"), "not a number")
    refused(tool("monitor", path, "--tail", "--summary"), "one of")
    refused(tool("repair"), "needs a run file")


def test_config_differences():
    made_up("x", 1, 5, 1)
    write("a.ini", "[run]\nseed = 7\n")
    write("b.ini", "[run]\nseed = 8\nk = 3\n[telemetry]\ninterval = 0.5\n")
    check(expect(tool("config", "--diff", "a.ini"), 0).out == "run.seed: 0 -> 7\n", "one")
    both = expect(tool("config", "a.ini", "b.ini"), 0).out.splitlines()
    check(sorted(both) == ["run.k: 0 -> 3", "run.seed: 7 -> 8", "telemetry.interval: 1 -> 0.5"],
          both)
    check(expect(tool("config", "--diff", "x.h5", "a.ini"), 0).out == "run.seed: 0 -> 7\n", "run")
    check(expect(tool("config", "x.h5", "x.jsonl"), 0, "no parameter").out == "", "the same")
    check(expect(tool("config", "a.ini"), 0).out == "a.ini: valid\n", "a check")
    refused(tool("config", "a.ini", "b.ini", "c.ini"), "two files")
    refused(tool("config", "--diff"), "needs a file")


# ---- The full screen ------------------------------------------------------------------------------


def on_terminal(steps, *arguments, rows=24, columns=100, terminal="xterm-256color", locale="C.UTF-8"):
    """prism monitor --live in a pseudo-terminal. [in] steps  [(wait until this is seen, action on
    (pid, fd))]. Returns (exit code or -signal, all that was drawn)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM=terminal, LC_ALL=locale)
        # ncurses keeps what it has allocated for a terminal that it does not know.
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        os.environ.pop("LINES", None)
        os.environ.pop("COLUMNS", None)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execv(cli.TOOL, [cli.TOOL, "monitor", "--live", *arguments])
    out, seen, at, end = b"", 0, 0, time.monotonic() + 60
    while True:
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        if select.select([fd], [], [], 0.1)[0]:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                piece = b""
            if not piece:
                break
            out += piece
        if at < len(steps) and steps[at][0] in out[seen:]:
            seen = len(out)
            steps[at][1](pid, fd)
            at += 1
    status = os.waitpid(pid, 0)[1]
    os.close(fd)
    check(at == len(steps), f"step {at} never came: {out!r}")
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    return code, out


def press(keys):
    return lambda pid, fd: os.write(fd, keys)


def resize(rows, columns):
    return lambda pid, fd: fcntl.ioctl(fd, termios.TIOCSWINSZ,
                                       struct.pack("HHHH", rows, columns, 0, 0))


LEFT = b"\x1b[?1049l"  # the terminal's own screen is back


def test_live_needs_a_terminal():
    made_up("x", 1, 5, 1)
    expect(tool("monitor", "--live", "x"), 2, "--live")


def test_live_view():
    path = made_up("x", 3, 60, 4)
    without = tool("monitor", "--live", path)
    if "without ncurses" in without.err:
        print("     (this build has no --live)")
        return
    expect(without, 2, "needs a terminal")
    colors = int(table_of(path, "summary")["colors"][0])
    code, out = on_terminal([(b"q quits", resize(12, 70)), (b"q quits", press(b"q"))], path)
    check(code == 0 and LEFT in out, (code, out[-200:]))
    for words in [b"synthetic", b"300 vertices", b"best  %d colors" % colors, b"conflicts",
                  b"MEMETIC", b"cpu (portable)", "\u2581".encode(), b"ended by time"]:
        check(words in out, (words, out))
    for columns, step in [(80, False), (100, True)]:  # 80: all numbers, without the step
        out = on_terminal([(b"q quits", press(b"q"))], path, columns=columns)[1]
        check(b" idle" in out and (b" step " in out) == step, (columns, out))
    wide = on_terminal([(b"q quits", press(b"q"))], path, columns=300, rows=3)
    check(wide[0] == 0, wide)
    tiny = on_terminal([(b"p", resize(1, 1)), (b"", press(b"q"))], path, columns=5, rows=2)
    check(tiny[0] == 0, tiny)
    plain = on_terminal([(b"q quits", press(b"q"))], path, terminal="vt100", locale="C")
    check(plain[0] == 0 and b"\xe2" not in plain[1] and b"_" in plain[1], plain)
    scrolled = on_terminal([(b"q quits", press(b"\x1bOB")), (b"", press(b"q"))], path, rows=8)
    check(scrolled[0] == 0, scrolled)
    for number in (signal.SIGINT, signal.SIGTERM):
        code, out = on_terminal([(b"q quits", lambda pid, fd, n=number: os.kill(pid, n))], path)
        check(code == 0 and LEFT in out, (number, code, out[-200:]))
    code, out = on_terminal([(b"q quits", press(b"\x03"))], path)  # Ctrl-C
    check(code == 0 and LEFT in out, out[-200:])
    for terminal in ["dumb", "no-such-terminal"]:
        code, out = on_terminal([], path, terminal=terminal)
        check(code == 2 and b"--live" in out and LEFT not in out, (terminal, out))


def test_live_view_moves():
    if "without ncurses" in tool("monitor", "--live", made_up("y", 1, 5, 1)).err:
        return
    process = cli.start(hard_graph(), "--time-limit", 30, *LONG_RUN)
    wait_for(lambda: os.path.exists("x.h5") and lines_of("x.jsonl"), "the run")
    code, out = on_terminal([(b"live", lambda pid, fd: None),
                             (b"records", lambda pid, fd: os.kill(process.pid, signal.SIGINT)),
                             (b"signal", press(b"q"))], "x.h5")
    check(code == 0 and b"ended" in out, out)
    process.wait()


if __name__ == "__main__":
    cli.main(globals())
