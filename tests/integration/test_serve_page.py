"""The live page in a headless Chromium: it loads, its numbers are those of the run and move, it
fits a desk and a phone, and the browser has nothing to complain about.

PRISM_PICTURES=FOLDER keeps pictures of what was seen."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import chromium
import cli
import test_serve as serve
from cli import check, start, wait_for
from test_serve import finished, graph, long_run, serving

PICTURES = os.environ.get("PRISM_PICTURES", "")
DESK, PHONE = (1280, 1500, False), (390, 844, True)


def text(page, name):
    return page.value(f"document.getElementById('{name}').textContent")


def cells(page, table):
    return page.value(f"[...document.querySelectorAll('#{table} tbody tr')].map("
                      "(r) => [...r.cells].map((c) => c.textContent))")


@contextlib.contextmanager
def looking(server, size=DESK, dark=False):
    page = chromium.Browser(chromium.find(), dark)
    try:
        page.size(*size)
        page.go(server.url)
        page.wait("document.getElementById('best') && "
                  "/^[0-9]+$/.test(document.getElementById('best').textContent)")
        yield page
        check(page.complaints == [], f"complaints: {page.complaints}")
    finally:
        page.close()


def keep(page, name):
    if PICTURES:
        page.picture(os.path.join(PICTURES, f"{name}.png"))


def fits(page, what):
    """Nothing sticks out to the side, and no text of a chart lies on another."""
    check(page.value("document.documentElement.scrollWidth <= innerWidth"), f"{what}: too wide")
    overlaps = page.value("""[...document.querySelectorAll('figure svg')].flatMap((svg) => {
        const box = svg.getBoundingClientRect();
        const texts = [...svg.querySelectorAll('text')].map((t) => [t.textContent,
          t.getBoundingClientRect()]);
        return texts.flatMap(([a, p], i) => texts.slice(i + 1).filter(([, q]) =>
          p.left < q.right && q.left < p.right && p.top < q.bottom - 2 && q.top < p.bottom - 2)
          .map(([b]) => `${a} on ${b}`)).concat(texts.filter(([, p]) => p.left < box.left - 1 ||
          p.right > box.right + 1).map(([a]) => `${a} outside`));
      })""")
    check(overlaps == [], f"{what}: {overlaps}")


def test_numbers_of_a_run_that_has_ended():
    finished()
    with serving("done.h5") as server, looking(server) as page:
        run = server.json("/api/run")
        check(text(page, "best") == str(run["best_colors"]), text(page, "best"))
        check(text(page, "state") == "ended", text(page, "state"))
        check(f"{run['result']['colors']} colors" in text(page, "result"), text(page, "result"))
        check(run["seed"] in text(page, "about"), text(page, "about"))
        solutions = server.json("/api/solutions")["solutions"]
        check([row[0] for row in cells(page, "solutions")]
              == [str(s["colors"]) for s in reversed(solutions)], cells(page, "solutions"))
        check(cells(page, "config") == [[k, v] for k, v in run["config"].items()], "config")
        check(cells(page, "build") == [[k, v] for k, v in run["build"].items()], "build")
        rank = cells(page, "ranks")[0]
        check(rank[0] == "0" and rank[1] == run["ranks"][0]["device"]
              and rank[3] == str(run["ranks"][0]["colors"]), rank)
        page.value("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        fits(page, "ended")
        keep(page, "ended")


def test_numbers_move():
    """A run of two ranks, at a desk and on a phone at the same time."""
    process = start(graph(250), "--time-limit", "60", "--threads", "1", "--output", "live.h5",
                    launcher=[cli.MPIEXEC, "-np", "2"], env=cli.MPI_ENVIRONMENT)
    try:
        wait_for(lambda: os.path.exists("live.h5"), "the run file", process)
        with serving("live.h5") as server, looking(server) as desk, \
                looking(server, PHONE, dark=True) as phone:
            for page in (desk, phone):
                page.wait("document.querySelectorAll('#ranks tbody tr').length === 2")
                first = [text(page, "time"), cells(page, "ranks")]
                page.wait(f"document.getElementById('time').textContent !== '{first[0]}'")
                page.wait("document.querySelector('#ranks tbody').textContent !== "
                          f"'{''.join(''.join(row) for row in first[1])}'")
                page.wait("document.querySelectorAll('#conflicts-chart path').length === 2")
                page.wait("document.querySelectorAll('#speed-chart path.curve').length === 2")
                page.wait("[...document.querySelectorAll('#work-chart text')].filter((t) => "
                          "t.textContent.startsWith('rank ')).length === 2")
                page.wait("document.querySelectorAll('#migration-chart .cell').length === 2")
                check(is_shown(page) == ["speed-chart", "work-chart", "migration-chart"],
                      is_shown(page))
                check(text(page, "state") == "live", text(page, "state"))
                check([row[0] for row in cells(page, "ranks")] == ["0", "1"], cells(page, "ranks"))
            wait_for(lambda: server.json("/api/run")["time"] > 8, "8 seconds")
            for page, what in ((desk, "desk"), (phone, "phone")):
                fits(page, what)
                keep(page, what)
            process.send_signal(signal.SIGINT)
            for page in (desk, phone):
                page.wait("document.getElementById('state').textContent === 'ended'")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(serve.GUARD)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_shown(page):
    return page.value("[...document.querySelectorAll('#work figure > svg')].filter("
                      "(s) => s.getBoundingClientRect().height > 0).map((s) => s.id)")


def test_work_of_gpus():
    """What ran on which stream, temperatures, and what the GPUs did: from the records."""
    serve.gpu_run("gpu.jsonl", 3, 40)
    with serving("gpu.jsonl") as server:
        for size, what in ((DESK, "gpus"), (PHONE, "gpus-phone")):
            with looking(server, size) as page:
                check(is_shown(page) == ["speed-chart", "work-chart", "temperature-chart",
                                         "swap-chart", "gpu-chart", "power-chart", "heat-chart"],
                      is_shown(page))
                for chart in is_shown(page):
                    if chart != "work-chart":
                        check(page.value(f"document.querySelectorAll('#{chart} path.curve').length")
                              == 3, chart)
                lanes = page.value("[...document.querySelectorAll('#work-chart text')].map("
                                   "(t) => t.textContent).filter((t) => t.startsWith('rank'))")
                check(lanes == [f"rank {rank}, stream {stream}" for rank in range(3)
                                for stream in (2, 4)], lanes)
                check(page.value("[...document.querySelectorAll('#work-legend li')].map((l) => "
                                 "l.textContent).sort()")
                      == ["memetic pool", "thermodynamic tempering"], "legend")
                check(text(page, "work-note") == "", text(page, "work-note"))
                fits(page, what)
                keep(page, what)


def shown_cells(page):
    return page.value("[...document.querySelectorAll('#migration-chart .cell title')].map("
                      "(t) => t.textContent)")


def test_migrations():
    """As a table with numbers for few ranks, with shades for many."""
    serve.moving_run("moves.jsonl", [(0, 1, 1), (0, 1, 0), (2, 2, 1), (-1, 2, 7), (1, 0, 0)])
    with serving("moves.jsonl") as server:
        for size, what in ((DESK, "moves"), (PHONE, "moves-phone")):
            with looking(server, size, dark=size == PHONE) as page:
                check(shown_cells(page) == ["pools to rank 2: 1 of 1", "rank 0 to rank 1: 1 of 2",
                                            "rank 1 to rank 0: 0 of 1",
                                            "rank 2 to rank 2: 1 of 1"], shown_cells(page))
                check("islands" in text(page, "migration-note")
                      and "pools" in text(page, "migration-note"), text(page, "migration-note"))
                fits(page, what)
                keep(page, what)
    serve.moving_run("moves.jsonl", [(i % 48, (5 * i + 1) % 48, 1) for i in range(2000)])
    with serving("moves.jsonl") as server:
        for size, what in ((DESK, "many-moves"), (PHONE, "many-moves-phone")):
            with looking(server, size) as page:
                check("first 40 ranks" in text(page, "migration-note"), "note")
                check(0 < len(shown_cells(page)) <= 48, len(shown_cells(page)))
                fits(page, what)
                keep(page, what)
    serve.moving_run("moves.jsonl", [(0, 0, 1)])
    with serving("moves.jsonl") as server, looking(server) as page:
        check("migration-chart" not in is_shown(page), "one rank alone")


def test_a_run_that_was_solved_at_once():
    cli.write("path.col", "p edge 3 2\ne 1 2\ne 2 3\n")
    cli.expect(cli.dist("path.col", "--output", "path.h5"), 0)
    with serving("path.h5") as server:
        for size, what in ((DESK, "at-once"), (PHONE, "at-once-phone")):
            with looking(server, size) as page:
                check(text(page, "best") == "2", text(page, "best"))
                check("Solved before the first record" in text(page, "conflicts-chart"),
                      text(page, "conflicts-chart"))
                check(page.value("document.querySelectorAll('#colors-chart .dot').length") >= 1,
                      "a dot for the coloring")
                check(text(page, "class-note") == "2 classes of 1 to 2 vertices.",
                      text(page, "class-note"))
                bars = page.value("[...document.querySelectorAll('#class-chart rect title')].map("
                                  "(t) => t.textContent)")
                check(bars == ["1: 1", "2: 1"], bars)
                check(page.value("document.getElementById('rank-part').hidden"), "no ranks")
                fits(page, what)
                keep(page, what)


def test_kernels_of_long_generations():
    """Counted when they end: a second of 0 % and one of 190 % are two of 95 %."""
    serve.gpu_run("gpu.jsonl", 1, 40)
    rows = [json.loads(line) for line in open("gpu.jsonl", encoding="utf-8")]
    for row in rows:
        if row["record"] == "gpu":
            long = int(row["t"]) % 2 == 0
            row.update(kernel_us=1.9e6 if long else 0.0, idle=0.0 if long else 1.0)
    cli.write("gpu.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with serving("gpu.jsonl") as server, looking(server) as page:
        shares = page.value("book.gpus.get(0).slice(0, -3).map((row) => busyOf(row))")
        check(len(shares) == 37, shares)
        # from t = 0: nothing (of 1.9 in the next), 1.9, and so on: each pair makes 1.9 of 2
        pairs = [(a + b) / 2 for a, b in zip(shares[::2], shares[1::2])]
        check(all(abs(pair - 95) < 1e-6 for pair in pairs), shares)
        check(max(shares) < 100 + 1e-6, max(shares))
        rank = server.json("/api/run")["ranks"][0]
        check(0 <= rank["gpu_idle"] <= 1, rank)


def test_many_ranks():
    long_run("long.jsonl", 40, 20_000)
    with serving("long.jsonl") as server:
        for size, what in ((DESK, "many"), (PHONE, "many-phone")):
            with looking(server, size) as page:
                check(len(cells(page, "ranks")) == 40, "40 rows")
                check("40 ranks" in text(page, "legend"), text(page, "legend"))
                check("newest 5,000" in text(page, "work-note"), text(page, "work-note"))
                check("first 32" in text(page, "work-note"), text(page, "work-note"))
                fits(page, what)
                keep(page, what)


def test_strange_names_stay_texts():
    """What stands in a run file is never taken for HTML."""
    long_run("long.jsonl", 1, 10)
    lines = open("long.jsonl", encoding="utf-8").read().splitlines()
    bad = "<img src=x onerror=alert(1)>"
    lines = [line.replace('"name": "random150"', f'"name": "{bad}"')
             .replace('"phase": "memetic"', '"phase": "<b>x</b>"') for line in lines]
    cli.write("bad.jsonl", "\n".join(lines) + "\n")
    with serving("bad.jsonl") as server, looking(server) as page:
        check(text(page, "graph") == bad, text(page, "graph"))
        check(page.value("document.querySelectorAll('img, #ranks b').length") == 0, "HTML")


def test_a_server_that_comes_back():
    finished()
    server = serve.Server("done.h5")
    page = chromium.Browser(chromium.find())
    try:
        page.go(server.url)
        page.wait("document.getElementById('state')?.textContent === 'ended'")
        port = server.port
        server.stop()
        page.wait("document.getElementById('state').textContent === 'no connection'")
        server = serve.Server("done.h5", address=str(port))
        page.wait("document.getElementById('state').textContent === 'ended'")
        server.stop()
    finally:
        page.close()
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


if __name__ == "__main__":
    if serve.is_missing():
        print("skipped: prism was built without libmicrohttpd (package libmicrohttpd-dev)")
        sys.exit(77)
    if chromium.find() is None:
        print("skipped: there is no Chromium (package chromium)")
        sys.exit(77)
    cli.main(globals())
