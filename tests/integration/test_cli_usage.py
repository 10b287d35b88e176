#!/usr/bin/env python3
"""Bad usage and bad input: the exit code, the message, nothing lost."""

import gzip
import os
import subprocess

import cli
from cli import dist, expect, queen, read, refused, tool, write

GRAPH = "p edge 3 2\ne 1 2\ne 2 3\n"


def test_information():
    expect(dist("--help"), 0, "--time-limit S", "Exit codes")
    version = expect(dist("--version"), 0, "prism-dist ", "hdf5", "mpi").out
    cli.check("\n  cuda  " in version and "\n  nccl  " in version, version)
    expect(tool("--help"), 0, "verify")
    expect(tool("--version"), 0, "prism ")
    for name in ["verify", "info", "generate", "config"]:
        expect(tool(name, "--help"), 0, f"prism {name}")
        expect(tool(name, "-h"), 0, f"prism {name}")
        refused(tool(name, "--nonsense", "x"), "unknown ", f"; see prism {name} --help")


def test_usage_errors():
    graph = write("g.col", GRAPH)
    refused(dist(), "no graph given")
    refused(dist("a.col", "b.col"), "two graphs")
    refused(dist("--sed", 4, graph), "did you mean --seed?")
    refused(dist("-k", 0, graph), "at least 1 color")
    refused(dist("-k", -2, graph), "out of range")
    refused(dist("-k", "4x", graph), "4x")
    refused(dist("--target", "1e3", graph), "whole number")
    refused(dist("--time-limit", "5s", graph), "5s")
    refused(dist("--threads", 5000, graph), "out of range")
    refused(dist("--runs", 0, graph), "out of range")
    refused(dist("--comm", "none", graph), "auto|mpi|nccl|self")
    refused(dist("--comm", "nccl", graph), "launcher")
    refused(dist("--comm", "mpi", graph), "launcher")
    refused(dist("-k", 2, "--target", 2, graph), "exclude")
    refused(dist("--deterministic", graph), "--max-iterations")
    cli.check(not os.path.exists("prism-runs"), "refused runs leave no files")


def test_no_gpu():
    """A GPU that is asked for and not there is an error; auto says what it took, and why."""
    graph = write("g.col", GRAPH)
    if not os.path.exists("/dev/nvidia0"):
        expect(dist("--device", "cuda", graph), 3, "prism-dist: --device cuda: ")
        noted = expect(dist("--device", "auto", graph), 0).err
        cli.check("; device cpu, " in noted and " (" in noted.split("; device cpu, ")[1], noted)
    refused(dist("--device", "cuda", "--gpu.enable_memetic_gpu", "false", graph), "nothing for a GPU")
    expect(dist("--device", "cpu", "--gpu.enable_memetic_gpu", "false", graph), 0)
    refused(dist("--gpu.memory_fraction", 0, graph), "out of range")
    refused(dist("--gpu.stream_mode", "both", graph), "parallel|sequential")


def test_config_files():
    graph = write("g.col", GRAPH)
    refused(dist("--config", "none.ini", graph), "none.ini")
    refused(dist("--config", ".", graph), "regular file")
    write("c.ini", "[run]\nseed = 5\nsead = 6\n")
    refused(dist("--config", "c.ini", graph), "c.ini:3: ", "run.seed")
    refused(tool("config", "c.ini"), "c.ini:3: ")
    write("c.ini", "[run]\nseed = 5\n[cpu]\nisa = fast\n")
    refused(dist("--config", "c.ini", graph), "c.ini:4: ")
    write("c.ini", "[run]\nseed = 5\n\nseed = 6\n")
    refused(dist("--config", "c.ini", graph), "c.ini:4: ", "line 2")
    write("c.ini", "seed = 5\n[run]\n")
    refused(dist("--config", "c.ini", graph), "c.ini:1: ", "before the first section")


def test_print_config_round_trip():
    printed = expect(dist("--print-config", "--seed", 7, "--no-migration", "--output", "a;b.h5"),
                     0).out
    write("c.ini", printed)
    again = expect(dist("--config", "c.ini", "--print-config"), 0).out
    cli.check(printed == again and "seed = 7\n" in again and '"a;b.h5"' in again, again)
    expect(tool("config", "c.ini"), 0, "valid")
    default = expect(tool("config"), 0).out
    cli.check(default == expect(dist("--print-config"), 0).out, "prism config differs")
    cli.check(default == read(os.path.join(cli.ROOT, "configs/default.ini")),
              "configs/default.ini differs from --print-config")
    write("c.ini", "[run]\ndeterministic = true\n")
    expect(tool("config", "c.ini"), 0, "note:")


def test_bad_graphs():
    many = "p edge 3 1\n" + "c" * 70000 + "\ne 1 2\n"
    cases = {
        "empty.col": ("", "empty.col"),
        "no_p.col": ("c nothing\n", "no_p.col"),
        "early.col": ("e 1 2\np edge 3 1\n", "early.col:1: "),
        "two_p.col": ("p edge 3 1\np edge 3 1\ne 1 2\n", "two_p.col:2: "),
        "zero.col": ("p edge 3 1\ne 0 2\n", "zero.col:2: "),
        "above.col": ("p edge 3 1\nc\ne 1 4\n", "above.col:3: "),
        "negative.col": ("p edge 3 1\ne -1 2\n", "negative.col:2: "),
        "huge.col": ("p edge 3 1\ne 1 99999999999999999999\n", "huge.col:2: "),
        "n0.col": ("p edge 0 0\n", "n0.col:1: "),
        "negative_n.col": ("p edge -3 0\n", "negative_n.col:1: "),
        "huge_n.col": ("p edge 99999999999 0\n", "huge_n.col:1: "),
        "half.col": ("p edge 3 1\ne 1x 2\n", "half.col:2: "),
        "binary.col": (bytes(range(256)) * 16, "binary.col:"),
        "long.col": (many, "long.col:2: "),
        "cut.col.gz": (gzip.compress(GRAPH.encode() * 50)[:-20], "cut.col.gz"),
    }
    for name, (text, place) in cases.items():
        refused(dist("--time-limit", 5, write(name, text)), place)
        refused(tool("info", name), place)
    refused(dist("missing.col"), "missing.col", "No such file")
    refused(dist("."), "folder")
    cli.check(not os.path.exists("prism-runs"), "unreadable graphs leave no files")
    if os.geteuid() != 0:
        os.chmod(write("secret.col", GRAPH), 0)
        refused(dist("secret.col"), "Permission denied")


def test_odd_graphs_are_accepted():
    write("odd.col", "p edge 3 9\ne 1 2\ne 2 1\ne 1 1\ne 2 3\ne 2 3\n")
    result = expect(dist("--json", "--time-limit", 5, "odd.col"), 0, "warning")
    cli.check(cli.result_of(result.out)["colors"] == 2, result)
    write("empty.col", "p edge 4 0\n")
    result = expect(dist("--json", "--quiet", "--time-limit", 5, "empty.col"), 0)
    cli.check(cli.result_of(result.out)["colors"] == 1, result)


def test_outputs_are_guarded():
    graph = queen(5)
    text = read(graph)
    refused(dist("--output", "x.txt", graph), "FILE.h5")
    refused(dist("--output", "folder/.h5", graph), "FILE.h5")
    refused(dist("--output", "/proc/none/x.h5", graph), "/proc/none")
    refused(dist("--solution", graph, "--force", graph), "graph to be colored")
    refused(dist("--solution", "x.h5", "--output", "x.h5", graph), "two outputs")
    os.mkdir("taken.sol")
    refused(dist("--solution", "taken.sol", "--force", graph), "taken.sol")
    cli.check(read(graph) == text, "the graph was changed")
    expect(dist("--quiet", "--output", "d/x.h5", graph), 0)
    before = read("d/x.sol")
    for name in ["d/x.h5", "d/x.jsonl", "d/x.sol"]:
        cli.check(os.path.getsize(name) > 0, name)
    refused(dist("--output", "d/x.h5", graph), "d/x.h5", "--force")
    refused(dist("--solution", "d/x.sol", graph), "d/x.sol", "--force")
    cli.check(read("d/x.sol") == before, "a refused run changed a file")
    expect(dist("--quiet", "--output", "d/x.h5", "--force", graph), 0)
    if os.geteuid() != 0:
        os.mkdir("locked")
        os.chmod("locked", 0o500)
        refused(dist("--output", "locked/x.h5", graph), "locked")


def test_initial_coloring_is_checked():
    graph = queen(5)
    expect(dist("--quiet", "--output", "x.h5", graph), 0)
    expect(dist("--quiet", "--initial", "x.sol", graph), 0, "colors      5")
    other = queen(6)
    refused(dist("--quiet", "--initial", "x.sol", other), "another graph")
    lines = read("x.sol").splitlines()
    same = [line if not line.startswith("l ") else f"l {line.split()[1]} 1" for line in lines]
    write("bad.sol", "\n".join(same).replace("s col 5", "s col 1") + "\n")
    refused(dist("--quiet", "--initial", "bad.sol", graph), "not a legal coloring")
    write("half.sol", "\n".join(lines[:10]) + "\n")
    refused(dist("--quiet", "--initial", "half.sol", graph), "half.sol")
    refused(dist("--quiet", "--initial", "none.sol", graph), "none.sol")


def test_verify():
    graph = queen(5)
    expect(dist("--quiet", "--output", "x.h5", graph), 0)
    expect(tool("verify", graph, "x.sol"), 0, "legal, 5 colors")
    lines = read("x.sol").splitlines()
    write("plain.sol", "\n".join(x for x in lines if "graph-hash" not in x) + "\n")
    expect(tool("verify", graph, "plain.sol"), 0, "note:")
    expect(tool("verify", graph, "-", stdin=read("x.sol")), 0, "legal")
    color = {int(x.split()[1]): int(x.split()[2]) for x in lines if x.startswith("l ")}
    color[2] = color[1]
    write("bad.sol", "s col 5\n" + "".join(f"l {v} {c}\n" for v, c in color.items()))
    expect(tool("verify", graph, "bad.sol"), 1, "NOT legal")
    expect(tool("verify", queen(6), "x.sol"), 1, "another graph")
    write("extra.sol", read("plain.sol").replace("s col 5", "s col 6"))
    expect(tool("verify", graph, "extra.sol"), 1, "NOT")
    write("cut.sol", "s col 5\nl 1 1\n")
    refused(tool("verify", graph, "cut.sol"), "cut.sol")
    refused(tool("verify", graph, "none.sol"), "none.sol")
    refused(tool("verify", "none.col", "x.sol"), "none.col")
    refused(tool("verify", graph), "needs")


def test_generate_and_info():
    families = {
        "gnp": ["--n", 30, "--p", 0.5], "planted": ["--n", 30, "--k", 5, "--p", 0.5],
        "flat": ["--n", 30, "--k", 5, "--p", 0.5], "geometric": ["--n", 30, "--radius", 0.3],
        "mycielski": ["--level", 4], "queen": ["--rows", 4, "--columns", 5],
        "rook": ["--rows", 3, "--columns=4"], "mesh27": ["--nx", 3],
    }
    for family, options in families.items():
        made = expect(tool("generate", family, *options), 0).out
        cli.check(made.startswith("c ") and "\np edge " in made, made[:200])
        cli.check(made == tool("generate", family, *options).out, f"{family} differs")
        expect(tool("info", "-", stdin=made), 0, "degeneracy", "hash")
    expect(tool("generate", "geometric", "--n", 30, "--radius", 0.3, "--complement"), 0)
    one = tool("generate", "gnp", "--n", 30, "--p", 0.5, "--seed", 2).out
    cli.check(one != tool("generate", "gnp", "--n", 30, "--p", 0.5).out, "the seed is ignored")
    cli.check("c chromatic-number 4\n" in tool("generate", "rook", "--rows", 4).out, "no comment")
    planted = tool("generate", "planted", "--n", 30, "--k", 5, "--p", 0.5).out
    cli.check("c planted-colors 5\n" in planted, planted[:200])
    refused(tool("generate", "gnp", "--n", 30), "needs --p")
    refused(tool("generate", "gnp", "--n", 30, "--p", 1.5), "out of range")
    refused(tool("generate", "gnp", "--n", "3x", "--p", 0.5), "whole number")
    refused(tool("generate", "rook", "--rows", 4, "--seed", 1), "has no option")
    refused(tool("generate", "rok", "--rows", 4), "did you mean rook?")
    refused(tool("generate", "queen", "--rows", 4, "-o", queen(5)), "--force")
    refused(tool("generate", "xyzzy"), "unknown family xyzzy; see prism generate --help")
    refused(tool("generate", "gnp", "--foo"), "unknown option --foo; see prism generate --help")
    refused(tool("reprot"), "unknown subcommand", "did you mean report?")
    refused(tool("report"), "needs a run file")
    refused(tool(), "no subcommand")


def test_full_standard_output():
    with open("/dev/full", "wb") as full:
        expect(dist("--help", stdout=full), 3, "standard output")
        expect(tool("config", stdout=full), 3, "standard output")
        expect(tool("config", "--help", stdout=full), 3, "standard output")
        expect(dist("--quiet", queen(5), stdout=full), 3, "standard output")


if __name__ == "__main__":
    cli.main(globals())
