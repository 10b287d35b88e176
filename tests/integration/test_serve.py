"""prism monitor --serve: what it answers against the run file, what it refuses, runs that end,
are killed or are followed by another."""

import contextlib
import http.client
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time

import h5py

import cli
from cli import check, dist, expect, gnp, refused, start, tool, wait_for

GUARD = 60


class Server:
    def __init__(self, *arguments, address="0"):
        self.process = subprocess.Popen(
            [cli.TOOL, "monitor", "--serve", address, *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli.clean_environment())
        line = self.process.stdout.readline().decode()
        check(line.startswith("prism: http://"), line or self.process.stderr.read())
        self.url = line.split()[1]
        self.host, port = self.url[7:-1].rsplit(":", 1)
        self.host, self.port = self.host.strip("[]"), int(port)

    def ask(self, path, method="GET", headers=None, body=None):
        """Status, headers in lower case, text."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=GUARD)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return (answer.status, {k.lower(): v for k, v in answer.getheaders()},
                    answer.read().decode())
        finally:
            connection.close()

    def json(self, path):
        status, headers, text = self.ask(path)
        check(status == 200, f"{path}: {status} {text}")
        check(headers["content-type"].startswith("application/json"), headers)
        return json.loads(text)

    def raw(self, data):
        """Whatever the server answers to these bytes."""
        with socket.create_connection((self.host, self.port), timeout=GUARD) as connection:
            answer = b""
            with contextlib.suppress(OSError):  # it may have closed by now
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    answer += piece
            return answer.decode(errors="replace")

    def stop(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=GUARD)
        check(self.process.returncode == 0, f"exit {self.process.returncode}: {err}")
        check(out == b"", out)
        return err.decode()


@contextlib.contextmanager
def serving(*arguments, **keywords):
    server = Server(*arguments, **keywords)
    try:
        yield server
        server.stop()
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


class Follower:
    """Server-sent events, one after the other."""

    def __init__(self, server, query="", headers=""):
        self.socket = socket.create_connection((server.host, server.port), timeout=GUARD)
        self.socket.sendall(f"GET /api/events{query} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"
                            .encode())
        self.answer = http.client.HTTPResponse(self.socket)
        self.answer.begin()

    def next(self):
        """Fields of the next event; None at the end."""
        fields = {}
        while True:
            line = self.answer.readline().decode()
            if line == "":
                return None
            if line == "\n":
                if "event" in fields:
                    return fields
                fields = {}
            elif not line.startswith(":"):
                name, value = line.rstrip("\n").split(": ", 1)
                fields[name] = value

    def look(self):
        fields = self.next()
        check(fields is not None and fields["event"] == "look", fields)
        return fields["id"], json.loads(fields["data"])

    def close(self):
        self.answer.close()
        self.socket.close()


def text_of(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def same(row, record, names):
    """A row of a table and an object of the API."""
    check(list(record) == list(names), f"{list(record)} are not {list(names)}")
    for name in names:
        value, told = row[name], record[name]
        if isinstance(value, bytes):
            check(value.decode() == told, (name, value, told))
        elif told is None:
            check(math.isnan(value), (name, value))
        else:
            check(value == told, (name, value, told))


def graph(n):
    """A random graph whose best coloring nobody proves in seconds."""
    return gnp(f"random{n}.col", n, seed=3)


def finished(name="done.h5", **keywords):
    """A short run with several ranks' worth of records."""
    expect(dist(graph(150), "--time-limit", "2", "--threads", "1",
                "--telemetry.interval", "0.05", "--seed", "18446744073709551557", "--output", name,
                **keywords), 0)
    return name


def going(name, seconds, *arguments):
    """A run in the background whose file is there."""
    process = start(graph(200), "--time-limit", seconds, "--threads", "1",
                    "--telemetry.interval", "0.1", "--output", name, *arguments)
    wait_for(lambda: os.path.exists(name), name, process)
    return process


# ---- answers ----------------------------------------------------------------------


def test_answers_are_those_of_the_file():
    name = finished()
    with serving(name) as server, h5py.File(name) as file:
        run = server.json("/api/run")
        for table, group in (("config", "config"), ("build", "build")):
            told = {k: text_of(v) for k, v in file[group].attrs.items() if k != "seed"}
            check(run[table] == told, f"{table}: {run[table]} {told}")
        check(run["seed"] == "18446744073709551557", run["seed"])
        check(run["graph"] == {"name": text_of(file["graph"].attrs["name"]),
                               "n": 150, "m": int(file["graph"].attrs["m"]),
                               "hash": text_of(file["graph"].attrs["hash"])}, run["graph"])
        check(run["state"] == "ended" and run["trouble"] == "", run)
        check(run["run"] == name and run["schema_version"] == file.attrs["schema_version"], run)
        same(file["summary"][0], run["result"], file["summary"].dtype.names)
        check(run["best_colors"] == run["result"]["colors"], run)
        metrics = file["telemetry/metrics"][()]
        check(len(run["ranks"]) == 1 and run["metrics"] == len(metrics) > 20, run["metrics"])
        last, rank = metrics[-1], run["ranks"][0]
        for told, field in (("colors", "colors"), ("conflicts", "conflicts"), ("t", "t"),
                            ("best_colors", "best_colors"), ("iterations", "iterations")):
            check(rank[told] == last[field], (told, rank, last))
        check(rank["device"] == text_of(file["ranks/table"]["device"][0]), rank)
        check(rank["gpu_utilization"] is None, rank)
        begin, rate = metrics[0], None
        for row in metrics[1:]:  # spans shorter than half the interval are joined
            if row["t"] - begin["t"] >= 0.025:
                rate = (row["iterations"] - begin["iterations"]) / (row["t"] - begin["t"])
                begin = row
        check(abs(rank["iterations_per_second"] - rate) <= 1e-9 * rate, (rank, rate))

        solutions = server.json("/api/solutions")["solutions"]
        table = file["solutions/index"][()]
        check(len(solutions) == len(table) == run["solutions"] > 0, solutions)
        for row, record in zip(table, solutions):
            same(row, record, table.dtype.names)
        colors = file["solutions/colors"][len(table) - 1]
        sizes = {}
        for color in set(colors.tolist()):
            size = int((colors == color).sum())
            sizes[size] = sizes.get(size, 0) + 1
        check(server.json("/api/solutions")["class_sizes"]
              == [[size, sizes[size]] for size in sorted(sizes)], sizes)
        check(server.json("/api/migrations") == {"migrations": [], "left_out": 0}, "migrations")
        check([e["event"] for e in run["events"]] ==
              [text_of(v) for v in file["telemetry/events"]["event"]][-20:], run["events"])


def metrics_of(server, since, limit=None):
    """All of them, page by page."""
    rows, place, more = [], 0, True
    while more:
        page = server.json(f"/api/metrics?since={since}&from={place}"
                           + (f"&limit={limit}" if limit else ""))
        check(limit is None or len(page["metrics"]) <= limit, len(page["metrics"]))
        check(page["next"] > place or not page["more"], page["next"])
        rows, place, more = rows + page["metrics"], page["next"], page["more"]
    return rows


def test_metrics_since():
    for arguments in ((), ("--jsonl",)):
        name = "done.h5" if os.path.exists("done.h5") else finished()
        with serving(name, *arguments) as server, h5py.File(name) as file:
            table = file["telemetry/metrics"][()]
            for since in (0, 0.5, table["t"][7], 1e9):
                want = table[table["t"] >= since]
                for limit in (None, 3):
                    told = metrics_of(server, repr(float(since)), limit)
                    check(len(told) == len(want), (since, limit, len(told), len(want)))
                    for row, record in zip(want, told):
                        same(row, record, table.dtype.names)


def sample():
    """The first line of a finished run's .jsonl and one of its metrics, to make others of."""
    if not os.path.exists("done.jsonl"):
        finished()
    with open("done.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return lines[0], next(line for line in lines if line["record"] == "metric")


def long_run(name, ranks, rows):
    """A .jsonl with many records, made of the first line of a run and one of its metrics."""
    head, metric = sample()
    with open(name, "w", encoding="utf-8") as file:
        file.write(json.dumps(head) + "\n")
        for i in range(rows):
            metric.update(t=i * 0.25, rank=i % ranks, colors=30 - 10 * i // rows, conflicts=40)
            if i // ranks in (777, 888):
                metric["conflicts"] = 3 if i // ranks == 777 else 1234
            file.write(json.dumps(metric) + "\n")


def gpu_run(name, ranks, seconds):
    """A .jsonl of a run on GPUs, a record a second of each."""
    head, metric = sample()
    with open(name, "w", encoding="utf-8") as file:
        file.write(json.dumps(head) + "\n")
        for i in range(ranks * seconds):
            t, rank = i // ranks, i % ranks
            hot = (t // 5 + rank) % 2 == 0
            metric.update(t=float(t), rank=rank, mode="gpu", stream=2 if hot else 4,
                          phase="thermodynamic" if hot else "memetic", iterations=10 ** 8 * t,
                          duration_ms=1000.0, temperature=0.15 if hot else None,
                          parameters="method=tempering swap=0.3" if hot else "method=pool")
            file.write(json.dumps(metric) + "\n")
            file.write(json.dumps({
                "record": "gpu", "t": float(t), "rank": rank, "utilization": 90.0,
                "power_w": 500.0 + t, "temperature_c": 40.0 + rank, "throttle": "",
                "kernel_us": 9e5, "transfer_us": 1e3, "overlap": 0.5,
                "idle": None if t == 0 else 0.1}) + "\n")


def moving_run(name, moves):
    """A .jsonl with these migrations: (from, to, accepted)."""
    head, metric = sample()
    with open(name, "w", encoding="utf-8") as file:
        file.write(json.dumps(head) + "\n")
        for rank in sorted({rank for source, to, _ in moves for rank in (source, to)} - {-1}):
            for t in range(3):
                metric.update(t=float(t), rank=rank, colors=30, conflicts=40 - t,
                              iterations=10 ** 6 * t)
                file.write(json.dumps(metric) + "\n")
        for i, (source, to, accepted) in enumerate(moves):
            file.write(json.dumps({"record": "migration", "t": 0.01 * i, "from_rank": source,
                                   "to_rank": to, "colors": 30, "conflicts": 4, "distance": 12,
                                   "accepted": accepted}) + "\n")


def test_migrations():
    moves = [((i * 7) % 5, (i * i) % 5, i % 3 == 0) for i in range(200)]
    moves += [(-1, 2, 0), (-1, 2, 5), (-1, 0, 3)]  # meetings of pools
    moving_run("moves.jsonl", [(source, to, int(taken)) for source, to, taken in moves])
    expected = {}
    for source, to, taken in moves:
        counts = expected.setdefault((source, to), [0, 0])
        counts[0] += 1
        counts[1] += bool(taken)
    with serving("moves.jsonl") as server:
        check(server.json("/api/run")["migrations"] == len(moves), "count")
        told = server.json("/api/migrations")
        check(told["left_out"] == 0, told)
        check([(m["from_rank"], m["to_rank"], m["offered"], m["accepted"])
               for m in told["migrations"]]
              == [(*pair, *expected[pair]) for pair in sorted(expected)], told)
        check(server.json("/api/solutions")["class_sizes"] is None, "a .jsonl has no colorings")


def test_rows_of_gpus():
    gpu_run("gpu.jsonl", 2, 1000)
    with serving("gpu.jsonl") as server:
        check(server.json("/api/run")["gpu"] == 2000, "count")
        rows, at = [], 0
        while True:
            got = server.json(f"/api/gpu?from={at}&limit=700")
            check(len(got["gpu"]) <= 700, len(got["gpu"]))
            rows, at = rows + got["gpu"], got["next"]
            if not got["more"]:
                break
        check([(row["t"], row["rank"]) for row in rows]
              == [(float(i // 2), i % 2) for i in range(2000)], "rows")
        check(rows[0]["idle"] is None and rows[9]["power_w"] == 504.0, rows[9])
        late = server.json("/api/gpu?since=990")["gpu"]
        check(len(late) == 20 and late[0]["t"] == 990.0, late[:1])
        check(server.ask("/api/gpu?limit=0")[0] == 400, "limit")
    with serving("done.h5") as server:
        check(server.json("/api/gpu") == {"gpu": [], "next": 0, "more": False}, "none")


def test_curves_of_a_long_run():
    """More records than points: first, last, lowest and highest are kept."""
    for ranks in (1, 3, 40):
        rows = 12_345 if ranks < 40 else 60_000
        long_run("long.jsonl", ranks, rows)
        with serving("long.jsonl") as server:
            curves = server.json("/api/convergence")
            check(curves["place"].endswith(f".{rows}"), curves["place"])
            for rank in range(ranks):
                points = [p for p in curves["points"] if p[0] == rank]
                check(curves["longest"] // 2 <= len(points) <= curves["longest"], len(points))
                check([p[1] for p in points] == sorted({p[1] for p in points}), "times")
                check(points[-1][1] == 0.25 * max(i for i in range(rows - ranks, rows)
                                                  if i % ranks == rank), points[-1])
                check([p[2] for p in points] == sorted((p[2] for p in points), reverse=True), "k")
                check(min(p[4] for p in points) == 3, "fewest conflicts")
                check(max(p[5] for p in points) == 1234, "most conflicts")
            page = server.json("/api/metrics?since=3000&limit=5")
            check([row["t"] for row in page["metrics"]] == [3000 + 0.25 * i for i in range(5)],
                  page)
            check(page["next"] == 12_005 and page["more"], page["next"])
            generation = curves["place"].split(".")[0]
            near = Follower(server, f"?from={generation}.{rows - 4096}")
            check(len(near.look()[1]["points"]) == 4096, "the newest are at hand")
            near.close()
            for place in (f"{generation}.{rows - 4097}", f"{generation}.{rows + 1}", f"7.{rows}"):
                far = Follower(server, f"?from={place}")
                check(far.next()["event"] == "reset", place)
                far.close()


def test_page_and_headers():
    name = finished()
    files = {"/": "text/html", "/index.html": "text/html", "/page.css": "text/css",
             "/page.js": "text/javascript", "/charts.js": "text/javascript",
             "/icon.svg": "image/svg+xml"}
    folder = os.path.join(cli.ROOT, "src", "app", "page")
    with serving(name) as server:
        for path in [*files, "/api/run", "/api/solutions", "/api/migrations", "/api/metrics", "/nothing"]:
            status, headers, text = server.ask(path)
            check(status == (404 if path == "/nothing" else 200), (path, status))
            check(headers["cache-control"] == "no-store", headers)
            check(headers["x-content-type-options"] == "nosniff", headers)
            policy = headers["content-security-policy"]
            check("default-src 'self'" in policy and "unsafe" not in policy, policy)
            if path in files:
                check(headers["content-type"].startswith(files[path]), headers)
                with open(os.path.join(folder, path[1:] or "index.html"), encoding="utf-8") as file:
                    check(file.read() == text, f"{path} is not the file of the sources")
                others = [w for w in text.split('"') if "//" in w and "www.w3.org" not in w
                          and not w.startswith("\n")]
                check(path.endswith(".js") or not others, f"{path} names {others}")
            status, short, text = server.ask(path, "HEAD")
            check(text == "" and short["content-length"] == headers["content-length"], short)


# ---- refusals ----------------------------------------------------------------------


def test_only_reading():
    name = finished()
    before = open(name, "rb").read()
    with serving(name) as server:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FOO"):
            for path in ("/", "/api/run", "/api/events", "/nothing"):
                status, headers, _ = server.ask(path, method, body=b"x" * 100)
                check(status == 405 and headers["allow"] == "GET, HEAD", (method, path, status))
        check(server.json("/api/run")["state"] == "ended", "it goes on")
    check(open(name, "rb").read() == before, "the run file was written to")


def test_no_path_reaches_the_files():
    name = finished()
    cli.write("secret.txt", "secret")
    with serving(name) as server:
        paths = ["/secret.txt", "/../secret.txt", "/./secret.txt", "//secret.txt", f"/{name}",
                 "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/page.css/../secret.txt",
                 "/page.css%00", "/page.css/", "/api", "/api/", "/api/run/", "/api/run/..",
                 "/API/RUN", "/%61pi/run", "/etc/passwd", "/../../../../etc/passwd",
                 "/file:///etc/passwd", "/\\..\\secret.txt", "/api/solutions%20"]
        for path in paths:
            answer = server.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                                "Connection: close\r\n\r\n".encode())
            check(answer.split()[1] in ("404", "400"), f"{path}: {answer[:200]}")
            check("secret" not in answer and "root:" not in answer, f"{path}: {answer}")
        for url in ("http://evil.example/api/run", "file:///etc/passwd"):
            answer = server.raw(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n"
                                "Connection: close\r\n\r\n".encode())
            check(" 404 " in answer.splitlines()[0] or " 400 " in answer.splitlines()[0], answer)


def test_strange_requests():
    name = finished()
    with serving(name) as server:
        for length in (5_000, 40_000, 1_000_000):
            answer = server.raw(b"GET /" + b"a" * length + b" HTTP/1.1\r\nHost: localhost\r\n"
                                b"Connection: close\r\n\r\n")
            first = answer.splitlines()[0] if answer else ""
            check(first == "" or first.split()[1] in ("404", "413", "414", "431"), first)
        answer = server.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n" +
                            b"X: y\r\n" * 100_000 + b"\r\n")
        check(answer == "" or answer.split()[1] in ("413", "431"), answer[:100])
        for garbage in (b"\0\0\0\0", b"GET\r\n\r\n", b"\r\n" * 1000, os.urandom(5000),
                        b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):
            server.raw(garbage)
        for query in ("since=x", "since=-1", "since=nan", "since=1e99", "from=-1", "from=0.5",
                      "from=9e99", "limit=0", "limit=10001", "limit=", "since=1%20"):
            status, _, text = server.ask(f"/api/metrics?{query}")
            check(status == 400 and "error" in json.loads(text), (query, status, text))
        for place in ("x", "1", "1.", ".1", "1.-1", "99999999999999999999.1", "1.2.3"):
            status, _, _ = server.ask(f"/api/events?from={place}")
            check(status == 400, (place, status))
        check(server.json("/api/metrics?unknown=1&from=99999999")["metrics"] == [], "past the end")
        check(server.json("/api/run")["state"] == "ended", "it goes on")


def test_names_from_elsewhere():
    """A page whose name was made to mean this machine reads nothing."""
    with serving(finished()) as server:
        port = server.port
        for host, status in (("localhost", 200), (f"localhost:{port}", 200), ("LOCALHOST:1", 200),
                             (f"127.0.0.1:{port}", 200), ("127.1.2.3", 200), ("[::1]:80", 200),
                             ("[::1]", 200), ("evil.example", 403), ("evil.example:8080", 403),
                             ("127.0.0.1.evil.example", 403), ("localhost.evil.example", 403),
                             ("192.168.0.1", 403), ("", 403), ("localhost:x", 403),
                             ("a" * 500, 403)):
            got, _, _ = server.ask("/api/run", headers={"Host": host})
            check(got == status, (host, got))


def test_many_connections():
    with serving(finished()) as server:
        idle = [socket.create_connection((server.host, server.port), timeout=GUARD)
                for _ in range(150)]
        for connection in idle:
            connection.close()
        check(server.json("/api/run")["state"] == "ended", "after 150 connections")
        followers = [Follower(server) for _ in range(32)]
        for follower in followers:
            check(follower.look()[1]["state"] == "ended", "each follower is told")
        status, _, text = server.ask("/api/events")
        check(status == 503 and "too many" in text, (status, text))
        check(server.json("/api/run")["state"] == "ended", "others are answered")
        followers.pop().close()

        def has_room():
            with contextlib.suppress(AssertionError, http.client.HTTPException, IndexError):
                follower = Follower(server)
                if follower.answer.status == 200:
                    followers.append(follower)
                    return True
                follower.close()
            return False

        wait_for(has_room, "room for a follower after one has left")
        for follower in followers:
            follower.close()


# ---- runs that go on ----------------------------------------------------------------------


def test_a_run_that_ends():
    process = going("live.h5", 8)
    with serving("live.h5") as server:
        follower = Follower(server)
        check(follower.answer.getheader("content-type") == "text/event-stream", "type")
        looks = [follower.look() for _ in range(4)]
        times = [look["time"] for _, look in looks]
        check(looks[0][1]["state"] == "live" and times == sorted(set(times)), times)
        points = [p for _, look in looks for p in look["points"]]
        check(len(points) > 5 and all(len(p) == 6 for p in points), points)
        # Who was away gets what it missed, once.
        again = Follower(server, headers=f"Last-Event-ID: {looks[0][0]}\r\n")
        missed = again.look()[1]["points"]
        check(missed[:len(points)] == points, "what was missed is told again")
        again.close()
        place, look = looks[-1]
        while look["result"] is None:
            place, look = follower.look()
            points += look["points"]
        while look["state"] != "ended":
            place, look = follower.look()
        check(process.wait(GUARD) == 0, cli.started())
        wait_for(lambda: server.json("/api/run")["state"] == "ended", "ended")
        with h5py.File("live.h5") as file:
            table = file["telemetry/metrics"][()]
            newest = table[len(table) - len(points):]
            check([p[1] for p in points] == list(newest["t"]), "every record was told once")
            check([p[2] for p in points] == list(newest["colors"]), "with its k")
            same(file["summary"][0], server.json("/api/run")["result"],
                 file["summary"].dtype.names)
        follower.close()


def test_a_run_that_is_killed():
    process = going("live.h5", 60)
    with serving("live.h5") as server:
        wait_for(lambda: server.json("/api/run")["metrics"] > 5, "records")
        check(server.json("/api/run")["state"] == "live", "live")
        process.kill()
        process.wait()
        wait_for(lambda: server.json("/api/run")["state"] == "killed", "killed")
        run = server.json("/api/run")
        check(run["result"] is None and run["trouble"] == "", run)
        check(len(metrics_of(server, 0)) == run["metrics"], run["metrics"])


def test_another_run_in_its_place():
    finished("same.h5")
    with serving("same.h5") as server:
        first = server.json("/api/run")
        follower = Follower(server)
        follower.look()
        process = going("same.h5", 4, "--force")
        reset = follower.next()
        while reset["event"] == "look":
            reset = follower.next()
        check(reset["event"] == "reset", reset)
        second = wait_for(lambda: next(
            (run for run in [server.json("/api/run")] if run["graph"]["n"] == 200), None),
            "the new run")
        check(second["created"] != first["created"], second["created"])
        follower.close()
        check(process.wait(GUARD) == 0, cli.started())
        wait_for(lambda: server.json("/api/run")["state"] == "ended", "its end")


def test_files_that_vanish():
    name = finished()
    with serving(name) as server:
        rows = server.json("/api/run")["metrics"]
        os.remove(name)
        os.remove("done.jsonl")
        time.sleep(2)
        check(server.json("/api/run")["metrics"] == rows, "what is known stays")
        check(len(metrics_of(server, 0)) == rows, "and can be read")


def test_signals():
    name = finished()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        server = Server(name)
        followers = [Follower(server) for _ in range(3)]
        for follower in followers:
            follower.look()
        check(server.stop(number) == "", "nothing is said")
        for follower in followers:
            check(follower.next() is None, "followers are told that it ends")
            follower.close()


def test_a_follower_that_does_not_read():
    process = going("live.h5", 6)
    with serving("live.h5") as server:
        deaf = Follower(server)
        for _ in range(20):
            check(server.json("/api/run")["state"] in ("live", "ended"), "others are answered")
            time.sleep(0.1)
        deaf.close()
        process.wait(GUARD)
        check(server.json("/api/run")["metrics"] > 0, "and after it has left")


# ---- the command line ----------------------------------------------------------------------


def test_addresses():
    name = finished()
    for address in ("x", ":", "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                    "1:2:3", "[::1]", "::1:80", "example.org:80", "300.0.0.1:80", "127.0.0.1:8 0"):
        refused(tool("monitor", "--serve", address, name), "no address to serve on")
    refused(tool("monitor", name, "--serve"), "needs a value")
    refused(tool("monitor", "--serve", "0", "--live", name), "one of")
    refused(tool("monitor", "--serve", "0", "--rank", "0", name), "the whole run")
    refused(tool("monitor", "--serve", "0", "nothing.h5"), "nothing.h5")
    with serving(name, address="localhost:0") as server:
        check(server.url.startswith("http://127.0.0.1:"), server.url)
        refused(tool("monitor", "--serve", f"127.0.0.1:{server.port}", name), "in use")
    if socket.has_ipv6:
        with contextlib.suppress(OSError):
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
            with serving(name, address="[::1]:0") as server:
                check(server.url.startswith("http://[::1]:"), server.url)
                check(server.json("/api/run")["state"] == "ended", "IPv6")
    # An address that others reach: said, and any name will do.
    server = Server(name, address="0.0.0.0:0")
    server.host = "127.0.0.1"
    status, _, _ = server.ask("/api/run", headers={"Host": "node7.cluster:8080"})
    check(status == 200, status)
    check("everyone who reaches" in server.stop(), "a word about that")


def is_missing():
    """Was the program built without the library?"""
    done = subprocess.run([sys.argv[2], "monitor", "--serve", "x", os.devnull],
                          capture_output=True, text=True, check=False)
    return "without libmicrohttpd" in done.stderr


if __name__ == "__main__":
    if is_missing():
        print("skipped: prism was built without libmicrohttpd (package libmicrohttpd-dev)")
        sys.exit(77)
    cli.main(globals())
