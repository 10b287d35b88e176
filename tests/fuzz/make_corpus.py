#!/usr/bin/env python3
"""First inputs of the fuzz targets whose inputs nobody writes by hand: make_corpus.py [FOLDER].

Writes corpus_gz, corpus_pack, corpus_state and corpus_checkpoint beside itself, or into FOLDER.
Their forms are described at the head of each fuzz_*.c. What a fuzzer finds is added by hand."""

import os
import struct
import sys

FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def write(target, name, data):
    folder = os.path.join(FOLDER, f"corpus_{target}")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def packed_graphs():
    """members - 1, level, share of a member, where it is damaged (2), how."""
    text = b"c small\np edge 5 6\ne 1 2\ne 2 3\ne 3 4\ne 4 5\ne 5 1\ne 1 3\n"
    write("gz", "one_cut", bytes([0, 6, 0, 40, 0, 0]) + text)
    write("gz", "members_cut", bytes([3, 9, 100, 90, 0, 1]) + text)
    write("gz", "stored_turned", bytes([0, 0, 0, 30, 0, 200]) + text)
    write("gz", "header_turned", bytes([0, 6, 0, 5, 0, 129]) + text)
    write("gz", "checksum_turned", bytes([1, 1, 128, 60, 0, 255]) + text)
    write("gz", "crlf", bytes([2, 6, 20, 10, 0, 3]) + text.replace(b"\n", b"\r\n"))
    write("gz", "empty_members", bytes([3, 6, 0, 20, 0, 0]) + text)
    write("gz", "twice", bytes([0, 6, 0, 1, 0, 0]) + b"\x1f\x8b\x08\x00" + text)
    write("gz", "long", bytes([1, 6, 200, 0, 1, 0]) + b"p col 200 199\n" +
          b"".join(b"e %d %d\n" % (i, i + 1) for i in range(1, 200)))


def packed_values():
    """A parcel: n, width, {k, method, f, iterations}, colors; values: script and bytes."""
    def parcel(n, width, k, method, colors):
        size = {1: 0, 2: 1, 4: 2}[width]
        return (bytes([0, n, size]) + struct.pack("<iiqq", k, method, 3, 1000) +
                b"".join(c.to_bytes(width, "little") for c in colors))
    write("pack", "parcel", parcel(5, 1, 3, 1, [0, 1, 2, 0, 1]))
    write("pack", "parcel_wide", parcel(3, 4, 70000, 0, [0, 69999, 5]))
    write("pack", "parcel_color", parcel(3, 2, 3, 0, [0, 3, 1]))
    write("pack", "parcel_method", parcel(2, 1, 3, 99, [0, 1]))
    write("pack", "parcel_short", parcel(9, 1, 3, 1, [0, 1, 2]))
    def piece(kind, count, body, n=3, size=None):
        head = struct.pack("<iiiiqQ", kind, 1, 7, 0, count, len(body) if size is None else size)
        return bytes([4, n, 0]) + head + body
    rows = struct.pack("<qq", 2, 0) + bytes([1, 2, 3, 1, 1, 2]) + bytes([0, 1])
    write("pack", "piece_rows", piece(1, 2, rows))
    write("pack", "piece_rows_short", piece(1, 2, rows[:-1]))
    write("pack", "piece_rows_many", piece(1, 2**60, rows))
    write("pack", "piece_rows_negative", piece(1, -1, b""))
    write("pack", "piece_island", piece(0, 0, bytes(48)))
    write("pack", "piece_bytes", piece(2, 0, bytes(9)))
    write("pack", "piece_words", piece(3, 900, bytes(20)))
    write("pack", "piece_broken", piece(4, 0, b""))
    write("pack", "piece_kind", piece(9, 0, b""))
    write("pack", "piece_size", piece(2, 0, bytes(9), size=2**64 - 1))
    script = bytes([0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 128, 100, 4, 128, 100, 5, 128, 100,
                    6, 10, 1, 7, 0, 0, 8, 3, 5, 8, 2, 0])
    values = (struct.pack("<BHQiqdi", 1, 2, 3, 4, 5, 6.5, 3) + b"\x01" + bytes([1, 2, 3]) +
              b"ab")
    write("pack", "values", bytes([2, len(script) // 3]) + script + values)
    write("pack", "values_left", bytes([3, len(script) // 3]) + script + values + b"more")
    write("pack", "values_short", bytes([2, len(script) // 3]) + script + values[:20])
    write("pack", "nan", bytes([2, 1, 5, 128, 100]) + struct.pack("<d", float("nan")))
    write("pack", "bare", bytes([1, 1, 0, 0, 0]) + bytes(range(20)))


def island_states():
    """which state, change of its head, which island takes it, first method; (at, what)..."""
    def state(*control, changes=()):
        return bytes(control) + b"".join(struct.pack("<HB", *c) for c in changes)
    for which in range(4):
        write("state", f"true_{which}", state(which, 0, 0, which))
        write("state", f"true_worked_{which}", state(which, 0, 3, which + 1))
        for at in (0, 8, 24, 70, 200):
            write("state", f"turned_{which}_{at}", state(which, 0, 0, at % 5, changes=[(at, 1)]))
    for how in range(1, 6):
        write("state", f"head_{how}", state(1, how, 2, 0))
    write("state", "cut", state(0, 0, 0, 0, changes=[(0xffff, 128)]))
    write("state", "colors", state(2, 0, 0, 0, changes=[(0xff00 + i, i) for i in range(9)]))
    write("state", "bytes", state(0x80, 0, 0, 0) + bytes(range(64)))
    write("state", "nothing", state(0x80, 0, 0, 0))


def checkpoints():
    """what, which, how, size, at, value"""
    def edits(*rows):
        return b"".join(struct.pack("<BBBBHi", *row) for row in rows)
    write("checkpoint", "true", b"")
    values = (-1, 11, 2**31 - 1)
    for what in range(24):
        for i, value in enumerate(values):
            at = (3 * i + what) % 8
            if what in (0, 1, 2, 3, 7, 10, 12, 15, 21):  # attributes of groups
                write("checkpoint", f"attribute_{what}_{i}", edits((what, i, 0, 2, 0, value)))
            elif i != 1:
                write("checkpoint", f"value_{what}_{i}", edits((what, 0, 8, 2, at, value)))
        for how in ((7, 14) if what % 2 else (5,)) + (15,) * (what % 4 == 2):
            write("checkpoint", f"form_{what}_{how}", edits((what, what % 3, how, 1, 7, 5)))
    write("checkpoint", "bytes_moved", edits((16, 0, 8, 3, 6, 40), (16, 0, 8, 3, 13, 40)))
    write("checkpoint", "negative_conflicts", edits((18, 0, 8, 3, 0, -1)))
    write("checkpoint", "link", edits((14, 0, 15, 0, 19, 0)))


packed_graphs()
packed_values()
island_states()
checkpoints()
