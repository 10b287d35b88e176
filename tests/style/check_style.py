#!/usr/bin/env python3
"""Checks the rules of docs/ARCHITECTURE.md that a compiler does not: floors,
include circles, homes of third-party headers, file length, words and calls that
have their place elsewhere.

check_style.py [ROOT]   prints file:line: message for every violation; exit 1 if any.
"""

import re
import sys
from pathlib import Path

# Folder -> (floor, name). An #include points to the same floor or a lower one; the
# three folders of floor 3 do not see each other. mpi/ and cuda/ lie at the top.
FLOORS = {
    "src/base": 0,
    "src/model": 1,
    "src/seam": 2,
    "src/search": 3,
    "cuda": 3,
    "mpi": 3,
    "src/solve": 4,
    "src/app": 5,
}

# Inside cuda/: a folder and what it may include from the others. The runtime knows
# nothing of searches, kernels know of it only how errors are told.
CUDA_SEES = {
    "cuda/runtime": r"cuda/runtime/.*",
    "cuda/kernels": r"cuda/kernels/.*|cuda/runtime/check\.h",
    "cuda/exchange": r"cuda/(exchange|runtime)/.*",
    "cuda/engine": r"cuda/.*",
}
CUDA_HOME = r"cuda/.*|tests/gpu/.*|tests/conformance/(engine_cuda|bulk_nccl).*|bench/gpu_.*"

# Third-party header -> the files that may name it, and where one file alone may.
HOMES = [
    (r"mpi\.h", r"mpi/.*|tests/(conformance|install)/.*", r"src/app/.*"),
    (r"hdf5\.h", r"tests/(integration|fuzz)/.*", r"src/solve/h5_tools\.h"),
    (r"iniparser\.h", None, r"src/app/config\.c"),
    (r"zlib\.h", r"tests/fuzz/.*", r"src/model/.*\.c"),
    (r"curses\.h", None, r"src/app/monitor_live\.c"),
    (r"microhttpd\.h", None, r"src/app/serve\.c"),
    (r"cmocka\.h", r"tests/.*", None),
    (r"nccl\.h", r"tests/gpu/test_bulk_nccl\.c", None),
    (r"(cuda|cooperative_groups)\w*\.h|(cuda|cooperative_groups)/.*", CUDA_HOME, None),
    (r"nvtx3/.*|nvml\.h", r"cuda/runtime/.*", None),
    (r"type_traits", r"cuda/.*\.cuh?", None),
]

# Every other <header> must be one of the C library or of Linux.
SYSTEM = re.compile(
    r"(assert|ctype|complex|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal"
    r"|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings"
    r"|threads|time|uchar|wchar|wctype|dirent|dlfcn|fcntl|fnmatch|ftw|getopt|glob|ifaddrs|libgen"
    r"|malloc|mntent|netdb|poll|pthread|pwd|regex|sched|semaphore|spawn|syslog|termios|ucontext"
    r"|unistd|utime|cpuid|immintrin|x86intrin|features|(sys|linux|netinet|arpa|net|asm)/[a-z_]+)\.h"
)

LAUNCH = re.compile(r"<<<")

MAX_LINES = 650
MAX_COLUMNS = 100

SOURCE_SUFFIXES = {".c", ".h", ".cu", ".cuh"}
TEXT_SUFFIXES = SOURCE_SUFFIXES | {".py", ".sh", ".cmake", ".txt", ".in", ".md", ".ini"}
SOURCE_FOLDERS = ["src", "mpi", "cuda", "include", "tests", "bench"]
TEXT_FOLDERS = SOURCE_FOLDERS + ["scripts", "docs", "configs", "jobs"]

# Spelt so that this file passes its own check.
FORBIDDEN = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
HAVE = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b.*\bPRISM_HAVE_")
# Below src/app nothing prints to the user's streams and nothing ends the program.
CALLS = re.compile(
    r"(?<![\w.>])(printf|vprintf|puts|putchar|perror|exit|_exit|_Exit|abort|quick_exit"
    r"|signal|sigaction|MPI_Abort|MPI_Init|MPI_Init_thread|MPI_Finalize)\s*\("
)
STREAMS = re.compile(r"(?<!\w)(stdout|stderr)(?!\w)")
GUARD_START = re.compile(r"^\s*#\s*ifndef\s+(\w+)")


def without_comments(text):
    """The text with comments and string literals blanked; line numbers stay."""

    def blank(match):
        token = match.group(0)
        if token[0] == '"':
            return '"' + " " * (len(token) - 2) + '"'
        if token[0] == "'":
            return "' '"
        return re.sub(r"[^\n]", " ", token)

    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, blank, text, flags=re.S)


def floor_of(path):
    """(folder, floor) of a path relative to the root; None outside the floors."""
    for folder, floor in FLOORS.items():
        if path.startswith(folder + "/"):
            return folder, floor
    return None


class Checker:
    def __init__(self, root):
        self.root = root
        self.violations = []
        self.edges = {}  # header or source -> [(line, included path)]
        self.only_home = {}  # third-party header -> the one file of its `alone` place

    def report(self, path, line, message):
        self.violations.append(f"{path}:{line}: {message}")

    def files(self, folders, suffixes):
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                relative = path.relative_to(self.root)
                if path.suffix in suffixes and path.is_file() and "__pycache__" not in path.parts:
                    yield path, str(relative)
        if suffixes is TEXT_SUFFIXES:
            for path in sorted(self.root.glob("*")):
                if path.suffix in suffixes and path.is_file():
                    yield path, path.name

    def resolve(self, path, name):
        """Path of an #include "name" relative to the root; None when it is not there."""
        for folder in (Path(path).parent, Path("src"), Path("include"), Path("mpi"), Path("cuda"),
                       Path("tests"), Path(".")):
            if (self.root / folder / name).is_file():
                return str(folder / name)
        return None

    def check_home(self, path, line, name, home, alone):
        if home and re.fullmatch(home, path):
            return
        if not alone or not re.fullmatch(alone, path):
            places = " or ".join(place for place in (home, alone) if place)
            self.report(path, line, f"<{name}> belongs into {places}")
        elif self.only_home.setdefault(name, path) != path:
            self.report(path, line, f"<{name}> already has its one home, {self.only_home[name]}")

    def check_include(self, path, line, kind, name):
        if kind == "<":
            for header, home, alone in HOMES:
                if re.fullmatch(header, name):
                    self.check_home(path, line, name, home, alone)
                    return
            # The consumer of the install test uses the library as a user does.
            if not SYSTEM.fullmatch(name) and not name.startswith("prism/"):
                self.report(path, line, f"<{name}> is a library without a home")
            return
        target = self.resolve(path, name)
        if target is None:
            self.report(path, line, f'"{name}" does not exist in this tree')
            return
        self.edges.setdefault(path, []).append((line, target))
        here, there = floor_of(path), floor_of(target)
        if here is None:
            return
        if target.startswith("include/"):
            if here[1] < FLOORS["src/app"]:
                self.report(path, line, f'"{name}" is the public header; only users include it')
        elif there is None:
            self.report(path, line, f'"{name}" lies outside the floors')
        elif there[1] > here[1]:
            self.report(path, line, f'"{name}" lies on a higher floor ({there[0]})')
        elif there[1] == here[1] and there[0] != here[0]:
            self.report(path, line, f'"{name}": {here[0]} and {there[0]} must not see each other')
        elif there[0] == "cuda" and here[0] == "cuda":
            folder = str(Path(path).parent)
            if not re.fullmatch(CUDA_SEES.get(folder, ""), target):
                self.report(path, line, f'"{name}" must not be seen from {folder}')

    def check_source(self, path, relative):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                self.check_include(relative, number, match.group(1), match.group(2))
            if len(line) > MAX_COLUMNS:
                self.report(relative, number, f"{len(line)} columns; at most {MAX_COLUMNS}")
            if line != line.rstrip() or "\t" in line:
                self.report(relative, number, "tab or blank at the end of the line")
        if len(lines) > MAX_LINES:
            self.report(relative, MAX_LINES, f"{len(lines)} lines; at most {MAX_LINES}")
        # Some are included several times on purpose, each time with other macros.
        is_body = path.name.endswith(("_body.h", "_body.cuh", "_instances.h"))
        if path.suffix in {".h", ".cuh"} and not is_body and not any(GUARD_START.match(line) for line in lines):
            self.report(relative, 1, "header without an include guard")
        place = floor_of(relative)
        code = without_comments(text).splitlines()
        if not re.fullmatch(r"cuda/kernels/.*\.cuh?", relative):
            for number, line in enumerate(code, 1):
                if LAUNCH.search(line):
                    self.report(relative, number, "kernels are launched only in cuda/kernels")
        if place is None or place[1] == FLOORS["src/app"]:
            return
        for number, line in enumerate(code, 1):
            if HAVE.match(line):
                self.report(relative, number, "PRISM_HAVE_ is asked only in src/app")
            call = CALLS.search(line)
            if call:
                self.report(relative, number, f"{call.group(1)}() only in src/app")
            if STREAMS.search(line):
                self.report(relative, number, "stdout and stderr only in src/app")

    def check_words(self, path, relative):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = FORBIDDEN.search(line)
            if match:
                self.report(relative, number, f"the word {match.group(1)}: finish it or leave it out")

    def check_circles(self):
        state = {}  # path -> 1 while on the current chain, 2 when done
        chain = []

        def visit(path):
            state[path] = 1
            chain.append(path)
            for line, target in self.edges.get(path, []):
                if state.get(target) == 1:
                    circle = chain[chain.index(target):] + [target]
                    self.report(path, line, "include circle: " + " -> ".join(circle))
                elif target not in state:
                    visit(target)
            chain.pop()
            state[path] = 2

        for path in sorted(self.edges):
            if path not in state:
                visit(path)

    def run(self):
        count = 0
        for path, relative in self.files(SOURCE_FOLDERS, SOURCE_SUFFIXES):
            self.check_source(path, relative)
            count += 1
        for path, relative in self.files(TEXT_FOLDERS, TEXT_SUFFIXES):
            self.check_words(path, relative)
        self.check_circles()
        return count


def main():
    default = Path(__file__).resolve().parents[2]
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else default
    checker = Checker(root)
    count = checker.run()
    if count == 0:
        print(f"{root}: no sources found", file=sys.stderr)
        return 1
    for violation in checker.violations:
        print(violation)
    print(f"{count} files, {len(checker.violations)} violations")
    return 1 if checker.violations else 0


if __name__ == "__main__":
    sys.exit(main())
