#!/usr/bin/env python3
"""Each rule of check_style.py fails on a small tree that breaks it, and only then."""

import tempfile
import unittest
from pathlib import Path

from check_style import Checker, MAX_LINES

GUARDED = "#ifndef A\n#define A\n{}\n#endif\n"


class StyleTest(unittest.TestCase):
    def violations(self, files):
        """Messages for a tree of {path: text}."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            checker = Checker(Path(folder))
            checker.run()
            return checker.violations

    def assert_one(self, files, part):
        found = self.violations(files)
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0])

    def test_clean_tree(self):
        self.assertEqual(self.violations({
            "src/base/a.h": GUARDED.format("#include <stdint.h>"),
            "src/model/b.h": GUARDED.format('#include "base/a.h"'),
            "src/model/b.c": '#include "model/b.h"\n#include <zlib.h>\n/* printf() is for app */\n',
            "src/solve/h5_tools.h": GUARDED.format("#include <hdf5.h>"),
            "src/app/main.c": '#include <mpi.h>\n#include "prism/prism.h"\n#if PRISM_HAVE_MPI\n'
                              '#endif\nint main(void) { printf("x"); exit(0); }\n',
            "src/app/config.c": "#include <iniparser.h>\n",
            "include/prism/prism.h": GUARDED.format('#include "model/b.h"'),
            "cuda/runtime/check.h": GUARDED.format('#include <cuda_runtime_api.h>'),
            "cuda/kernels/a.cuh": GUARDED.format('#include <cooperative_groups.h>'),
            "cuda/kernels/a.cu": '#include <type_traits>\n#include "kernels/a.cuh"\n'
                                 '#include "runtime/check.h"\nvoid f() { g<<<1, 2>>>(); }\n',
            "cuda/engine/e.h": GUARDED.format('#include "runtime/check.h"\n'
                                              '#include "kernels/a.cuh"'),
            "tests/gpu/test_a.c": '#include <cuda_runtime_api.h>\n#include "engine/e.h"\n',
            "mpi/comm.c": '#include <mpi.h>\n#include "model/b.h"\n',
        }), [])

    def test_higher_floor(self):
        self.assert_one({"src/base/a.c": '#include "model/b.h"\n',
                         "src/model/b.h": GUARDED.format("")}, "higher floor")

    def test_blind_neighbours(self):
        self.assert_one({"src/search/a.c": '#include "comm_x.h"\n',
                         "mpi/comm_x.h": GUARDED.format("")}, "must not see each other")

    def test_blind_cuda(self):
        header = {"cuda/runtime/r.h": GUARDED.format(""), "cuda/kernels/k.h": GUARDED.format(""),
                  "cuda/engine/e.h": GUARDED.format(""), "src/search/s.h": GUARDED.format("")}
        for path, name in [("cuda/runtime/a.c", "kernels/k.h"), ("cuda/runtime/a.c", "engine/e.h"),
                           ("cuda/kernels/a.cu", "runtime/r.h"), ("cuda/kernels/a.cuh", "engine/e.h"),
                           ("cuda/a.c", "engine/e.h")]:
            with self.subTest(path=path, name=name):
                text = GUARDED.format(f'#include "{name}"')
                self.assert_one({**header, path: text}, "must not be seen")
        self.assert_one({**header, "cuda/engine/a.c": '#include "search/s.h"\n'},
                        "must not see each other")

    def test_launch_outside_the_kernels(self):
        for path in ["cuda/engine/a.cu", "tests/gpu/a.cu", "bench/a.cu"]:
            with self.subTest(path=path):
                self.assert_one({path: "void f() { g<<<1, 2>>>(); }\n"}, "launched only")

    def test_public_header_below_app(self):
        self.assert_one({"src/solve/a.c": '#include "prism/prism.h"\n',
                         "include/prism/prism.h": GUARDED.format("")}, "public header")

    def test_outside_the_floors(self):
        self.assert_one({"src/model/a.c": '#include "tests/b.h"\n',
                         "tests/b.h": GUARDED.format("")}, "outside the floors")

    def test_missing_header(self):
        self.assert_one({"src/model/a.c": '#include "model/none.h"\n'}, "does not exist")

    def test_circle(self):
        self.assert_one({"src/model/a.h": GUARDED.format('#include "model/b.h"'),
                         "src/model/b.h": GUARDED.format('#include "model/c.h"'),
                         "src/model/c.h": GUARDED.format('#include "model/a.h"')}, "circle")

    def test_homes(self):
        for header, path in [("mpi.h", "src/solve/a.c"), ("hdf5.h", "src/solve/a.c"),
                             ("hdf5.h", "src/app/a.c"), ("iniparser.h", "src/app/main.c"),
                             ("zlib.h", "src/solve/a.c"), ("cmocka.h", "src/base/a.c"),
                             ("cuda_runtime.h", "src/app/a.c"), ("cuda/atomic", "mpi/comm_mpi.c"),
                             ("cuda_runtime_api.h", "tests/unit/a.c"), ("nccl.h", "cuda/engine/a.c"),
                             ("nvtx3/nvToolsExt.h", "cuda/kernels/a.cu"),
                             ("type_traits", "src/base/a.c"), ("cuda.h", "src/search/a.c")]:
            with self.subTest(header=header, path=path):
                self.assert_one({path: f"#include <{header}>\n"}, "belongs into")

    def test_one_home(self):
        for header, folder in [("mpi.h", "src/app"), ("zlib.h", "src/model")]:
            with self.subTest(header=header):
                text = f"#include <{header}>\n"
                self.assert_one({f"{folder}/a.c": text, f"{folder}/b.c": text}, "one home")

    def test_unknown_library(self):
        self.assert_one({"src/base/a.c": "#include <glib.h>\n"}, "without a home")

    def test_have_below_app(self):
        self.assert_one({"src/solve/a.c": "#if PRISM_HAVE_MPI\n#endif\n"}, "PRISM_HAVE_")

    def test_calls_below_app(self):
        for call in ['printf("x")', "exit(1)", "abort()", "signal(2, f)", 'perror("x")']:
            with self.subTest(call=call):
                self.assert_one({"src/model/a.c": f"void f(void) {{ {call}; }}\n"},
                                "only in src/app")
        self.assert_one({"mpi/a.c": "void f(void) { MPI_Abort(c, 3); }\n"}, "only in src/app")
        self.assert_one({"src/base/a.c": 'void f(void) { fprintf(stderr, "x"); }\n'}, "stderr")
        self.assertEqual(self.violations({"src/base/a.c": "int f(void) { return vexit(1); }\n"}), [])

    def test_length_and_width(self):
        self.assertEqual(self.violations({"src/base/a.c": "int a;\n" * MAX_LINES}), [])
        self.assert_one({"src/base/a.c": "int a;\n" * (MAX_LINES + 1)}, "lines")
        self.assert_one({"src/base/a.c": "int " + "a" * 100 + ";\n"}, "columns")

    def test_blanks_and_guard(self):
        self.assert_one({"src/base/a.c": "int a; \n"}, "blank")
        self.assert_one({"src/base/a.c": "\tint a;\n"}, "tab")
        self.assert_one({"src/base/a.h": "int a;\n"}, "guard")
        self.assert_one({"cuda/kernels/a.cuh": "int a;\n"}, "guard")

    def test_words(self):
        for word in ["TO" "DO", "FIX" "ME", "XX" "X"]:
            self.assert_one({"src/base/a.c": f"/* {word}: later */\n"}, "the word")
            found = self.violations({"scripts/a.sh": f"# {word}\n"})
            self.assertEqual(len(found), 1, found)


if __name__ == "__main__":
    unittest.main()
