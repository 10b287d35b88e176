"""What the tests of this folder share: the package on the path, and skipping without what it
needs."""

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parent))


def need(*names):
    """The modules; ends with 77, which CTest counts as skipped, where one is missing."""
    try:
        modules = [importlib.import_module(name) for name in names]
    except ImportError as missing:
        print(f"skipped: {missing}")
        sys.exit(77)
    return modules if len(modules) > 1 else modules[0]
