"""Run files made with h5py as docs/TELEMETRY.md describes them: of any schema version, with
GPUs, ended, killed or empty, so that no test needs a solver or a GPU."""

import hashlib
import struct

import h5py
import numpy as np

F64, I32, I64 = "<f8", "<i4", "<i8"
FIELDS = {
    "telemetry/metrics": [
        ("time", "S32"), ("t", F64), ("rank", I32), ("phase", "S16"), ("step", "S32"),
        ("stream", I32), ("mode", "S16"), ("reason", "S32"), ("colors", I32),
        ("best_colors", I32), ("conflicts", I64), ("iterations", I64), ("duration_ms", F64),
        ("temperature", F64), ("reward", F64), ("compaction_ratio", F64), ("parameters", "S256"),
        ("notes", "S128")],
    "telemetry/gpu": [
        ("t", F64), ("rank", I32), ("utilization", F64), ("memory_used_mb", F64),
        ("memory_total_mb", F64), ("power_w", F64), ("temperature_c", F64),
        ("sm_clock_mhz", F64), ("throttle", "S128"), ("kernel_us", F64), ("transfer_us", F64),
        ("overlap", F64), ("idle", F64)],
    "telemetry/profile": [
        ("t", F64), ("rank", I32), ("name", "S32"), ("count", I64), ("total_s", F64),
        ("share", F64), ("mean_us", F64), ("min_us", F64), ("max_us", F64), ("stddev_us", F64),
        ("iterations", I64)],
    "telemetry/ladder": [
        ("t", F64), ("rank", I32), ("stream", I32), ("colors", I32), ("level", I32),
        ("temperature", F64), ("swap", F64)],
    "telemetry/events": [
        ("time", "S32"), ("t", F64), ("rank", I32), ("event", "S32"), ("colors", I32),
        ("notes", "S128")],
    "telemetry/migrations": [
        ("t", F64), ("from_rank", I32), ("to_rank", I32), ("colors", I32), ("conflicts", I64),
        ("distance", I32), ("accepted", I32)],
    "solutions/index": [("t", F64), ("iterations", I64), ("rank", I32), ("colors", I32)],
    "summary": [
        ("colors", I32), ("lower_bound", I32), ("optimal", I32), ("target_met", I32),
        ("time", F64), ("time_to_best", F64), ("iterations", I64), ("ranks", I32),
        ("threads", I32), ("records_lost", I64), ("write_failures", I64), ("gpu_busy", F64),
        ("gpu_overlap", F64), ("exit_reason", "S32"), ("device", "S32")],
    "ranks/table": [
        ("rank", I32), ("threads", I32), ("gpu", I32), ("host", "S64"), ("device", "S64"),
        ("uuid", "S64"), ("processors", "S64")],
}


def graph_hash(n, edges):
    """SHA-256 over n and the sorted edges, as the solver has it."""
    pairs = sorted({(min(u, v), max(u, v)) for u, v in edges if u != v})
    data = struct.pack("<Q", n) + b"".join(struct.pack("<II", u, v) for u, v in pairs)
    return hashlib.sha256(data).hexdigest()


def fields_of(table, schema):
    fields = FIELDS[table]
    if schema < 2 and table == "summary":
        fields = [field for field in fields if not field[0].startswith("gpu_")]
    return fields


def rows_of(table, records, schema):
    """Records as dictionaries; what is left out does not apply."""
    fields = fields_of(table, schema)
    rows = np.zeros(len(records), dtype=fields)
    for row, record in zip(rows, records):
        for name, kind in fields:
            default = b"" if kind.startswith("S") else np.nan if kind == F64 else -1
            row[name] = record.get(name, default)
    return rows


def write(path, tables, schema=4, graph=None, config=None, colors=(), swmr=False, n=4):
    """tables: {place: records}. swmr: left as a killed writer leaves it."""
    file = h5py.File(path, "w", libver="latest")
    file.attrs["schema_version"] = np.int32(schema)
    file.attrs["created"] = np.bytes_("2026-11-21T12:00:00.000Z")
    groups = {name: file.create_group(name) for name in ("config", "build", "graph")}
    graph = {"name": "made", "n": n, "m": 3, "hash": "00", **(graph or {})}
    for key, value in graph.items():
        groups["graph"].attrs[key] = np.bytes_(value) if isinstance(value, str) else value
    for key, value in {"run.target": "0", "run.k": "0", **(config or {})}.items():
        groups["config"].attrs[key] = np.bytes_(value)
    groups["config"].attrs["seed"] = np.uint64(2 ** 64 - 1)
    groups["build"].attrs["compiler"] = np.bytes_("gcc <12> & others")
    since = {"telemetry/gpu": 2, "telemetry/profile": 3, "telemetry/ladder": 4}
    for table in FIELDS:
        if schema >= since.get(table, 1):
            rows = rows_of(table, tables.get(table, []), schema)
            file.create_dataset(table, data=rows, maxshape=(None,), chunks=(64,))
    stored = np.array(colors, dtype=np.uint8).reshape(len(colors), graph["n"])
    file.create_dataset("solutions/colors", data=stored, maxshape=(None, graph["n"]),
                        chunks=(1, graph["n"]))
    if swmr:
        file.swmr_mode = True
        file.flush()
        with open(path, "rb") as marked:  # by its writer, which is not through
            data = marked.read()
        file.close()
        with open(path, "wb") as again:
            again.write(data)
    else:
        file.close()


def plain(path, found, end, reason="time", rank_count=1, target=0, swmr=False, schema=4, seed=1,
          **more):
    """A run without a GPU. found: [(t, colors)]; end: s; reason None: it did not end."""
    rng = np.random.default_rng(seed)
    metrics, iterations = [], np.zeros(rank_count, dtype=int)
    best = 40
    for t in np.arange(0.0, end + 1e-9, end / 20):
        for rank in range(rank_count):
            iterations[rank] += int(rng.integers(1000, 2000))
            best = min([best] + [colors for moment, colors in found if moment <= t])
            metrics.append({"t": t, "rank": rank, "phase": "memetic", "step": "interval",
                            "mode": "cpu", "colors": best - 1, "best_colors": best,
                            "conflicts": int(rng.integers(1, 9)), "duration_ms": 50 * end,
                            "iterations": iterations[rank], "parameters":
                            f"method={['head', 'tabucol'][len(metrics) % 2]} islands=1"})
    tables = {"telemetry/metrics": metrics,
              "telemetry/events": [{"t": 0.0, "rank": 0, "event": "start", "colors": 40}],
              "solutions/index": [{"t": t, "rank": i % rank_count, "colors": colors,
                                   "iterations": 1000 * i} for i, (t, colors) in enumerate(found)],
              "ranks/table": [{"rank": rank, "threads": 1, "device": "cpu", "host": "box"}
                              for rank in range(rank_count)]}
    if reason is not None:
        best, t_best = (found[-1][1], found[-1][0]) if found else (40, 0.0)
        tables["summary"] = [{
            "colors": best, "lower_bound": 2, "optimal": 0, "time": end, "time_to_best": t_best,
            "target_met": -1 if not target else int(best <= target), "ranks": rank_count,
            "iterations": int(iterations.sum()), "threads": 1, "records_lost": 0,
            "write_failures": 0, "gpu_busy": -1, "gpu_overlap": -1, "exit_reason": reason,
            "device": "cpu"}]
    tables.update(more.pop("tables", {}))
    colors = more.pop("colors", [[i % 4 for i in range(more.get("n", 4))] for _ in found])
    write(path, tables, schema=schema, config={"run.target": str(target), **more.pop("config", {})},
          colors=colors, swmr=swmr, **more)


def ladders(rank, seconds, levels, rng):
    """A ladder that opens towards its band for two thirds of the time, at k = 85, then at 84."""
    out, gaps = [], np.full(levels - 1, 0.02)
    for t in np.arange(0.3, 0.66 * seconds, 1.0):
        colors = 85 if t < 31 else 84
        swap = np.clip(0.9 - 8 * gaps + rng.normal(0, 0.03, levels - 1), 0, 1)
        kelvin = 0.15 * np.exp(np.r_[0.0, np.cumsum(gaps)])
        out += [{"t": t + 0.01 * rank, "rank": rank, "stream": 2, "colors": colors,
                 "level": level, "temperature": kelvin[level],
                 "swap": swap[level] if level + 1 < levels and t > 1 else np.nan}
                for level in range(levels)]
        gaps = np.maximum(1e-3, gaps + 0.08 * (swap - 0.3) * 0.3)
        if t < 31 <= t + 1:
            gaps = np.full(levels - 1, 0.02)
    return out


def on_gpus(path, gpus=2, seconds=60.0, seed=5, schema=4, levels=16):
    """A run on GPUs: memetic and tempering islands take turns, one GPU gets hot."""
    rng = np.random.default_rng(seed)
    metrics, rows, found = [], [], [(0.4, 92), (0.9, 88), (2.0, 86), (6.0, 85), (31.0, 84)]
    for t in np.arange(0.0, seconds + 0.5, 1.0):
        best = min([95] + [colors for moment, colors in found if moment <= t])
        for rank in range(gpus):
            tempering = int(t // 7 + rank) % 3 == 0
            metrics.append({
                "t": t + 0.01 * rank, "rank": rank, "step": "interval", "mode": "gpu",
                "phase": "thermodynamic" if tempering else "memetic",
                "stream": 2 if tempering else 4, "colors": best - 1, "best_colors": best,
                "conflicts": max(0, int(40 / (1 + t % 31)) + int(rng.integers(0, 4))),
                "iterations": int(t * 2.1e8), "duration_ms": 1000.0,
                "temperature": 0.15 + 0.01 * np.exp(-t / 20),
                "parameters": f"method={'tempering' if tempering else 'pool'} islands=2 "
                              f"swap={0.3 + 0.1 * np.sin(t / 9):.3f}"})
            hot = rank == 0 and 40 <= t < 50
            idle = 0.03 + 0.01 * rank + abs(rng.normal(0, 0.005))
            rows.append({
                "t": t + 0.01 * rank, "rank": rank,
                "utilization": 97 - 3 * rank + rng.normal(0, 1), "memory_used_mb": 5200,
                "memory_total_mb": 81559, "power_w": (520 if hot else 610) - 40 * rank
                + rng.normal(0, 5), "temperature_c": 48 + 20 * (1 - np.exp(-t / 15)) + 6 * hot,
                "sm_clock_mhz": 1500 if hot else 1980,
                "throttle": "hardware thermal slowdown" if hot else "",
                "kernel_us": 1e6 * (1 - idle), "transfer_us": 4000.0, "overlap": 0.93,
                "idle": idle})
    migrations = [{"t": float(t), "from_rank": int(rng.integers(-1, gpus)),
                   "to_rank": int(rng.integers(0, gpus)), "colors": 84, "conflicts": 7,
                   "distance": 300, "accepted": int(rng.random() < 0.8)}
                  for t in np.arange(1, seconds, 0.5)]
    parts = [("device start", 1, 0.4), ("graph upload", 6, 0.01), ("POOL search", 9000, 51.0),
             ("POOL distance", 9000, 3.1), ("POOL update", 9000, 1.2), ("crossover", 9000, 1.0)]
    profile = [{"t": seconds, "rank": rank, "name": name, "count": count, "total_s": total,
                "share": total / seconds, "mean_us": 1e6 * total / count, "min_us": 1.0,
                "max_us": 2e6 * total / count, "stddev_us": 1.0, "iterations": 0}
               for rank in range(gpus) for name, count, total in parts]
    summary = [{"colors": 84, "lower_bound": 15, "optimal": 0, "time": seconds,
                "time_to_best": 31.0, "iterations": int(gpus * seconds * 2.1e8), "ranks": gpus,
                "threads": 0, "records_lost": 3, "write_failures": 0, "gpu_busy": 0.965,
                "gpu_overlap": 0.93, "exit_reason": "time", "device": "NVIDIA H100 80GB HBM3"}]
    ranks = [{"rank": rank, "threads": 0, "gpu": rank, "host": "node1",
              "device": "NVIDIA H100 80GB HBM3", "uuid": f"GPU-{rank}"} for rank in range(gpus)]
    events = [{"t": 40.0, "rank": 0, "event": "gpu_alert", "notes": "clock held down: heat"}]
    n = 200
    write(path, {"telemetry/metrics": metrics, "telemetry/gpu": rows,
                 "telemetry/profile": profile, "telemetry/migrations": migrations,
                 "telemetry/ladder": [row for rank in range(gpus)
                                      for row in ladders(rank, seconds, levels, rng)],
                 "telemetry/events": events, "ranks/table": ranks, "summary": summary,
                 "solutions/index": [{"t": t, "iterations": int(t * 1e8), "rank": 0,
                                      "colors": colors} for t, colors in found]},
          graph={"name": "DSJC1000.5", "m": 9950}, n=n, schema=schema,
          colors=[[i % colors for i in range(n)] for _, colors in found],
          config={"thermodynamic.enabled": "true", "thermodynamic.swap_low": "0.15",
                  "thermodynamic.swap_high": "0.45"})
