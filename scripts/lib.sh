# shellcheck shell=bash
# Sourced by the other scripts: places, messages, MPI settings, probes.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Ranks may outnumber the cores, as in a container: they must start and must not
# spin while they wait. Unbound, because each mpirun would bind its first ranks to
# the same first cores. Root needs Open MPI's explicit leave.
export OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() { # STATUS TEXT...
  local status=$1
  shift
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit "$status"
}

# Runs a command quietly; shows its output only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then
    cat "$log" >&2
    printf 'failed (%s): %s\n' "$status" "$*" >&2
  fi
  rm -f "$log"
  return "$status"
}

cores() { nproc 2>/dev/null || echo 1; }

# Is there a CUDA compiler? CMake looks in the same places.
has_nvcc() {
  local file
  for file in "${CUDACXX:-}" {"${CUDA_HOME:-}","${CUDA_PATH:-}",/usr/local/cuda}/bin/nvcc; do
    [ ! -x "$file" ] || return 0
  done
  command -v nvcc >/dev/null 2>&1
}

# Is there an NVIDIA GPU?
has_gpu() { compgen -G '/dev/nvidia[0-9]*' >/dev/null; }

# Configures and builds a preset of CMakePresets.json in build/PRESET.
configure_options=() # more options of CMake
build_preset() { # PRESET TARGET...   ("all": everything)
  local preset=$1
  shift
  quietly cmake -S "$root" --preset "$preset" "${configure_options[@]}" || return
  quietly cmake --build "$root/build/$preset" --parallel "$(cores)" --target "$@" -- --quiet
}

# Prints the numbers of passed, failed and skipped tests of a JUnit file of ctest.
junit_sums() { # FILE
  python3 - "$1" <<'PY'
import sys
import xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()
total, failures, skips = (sum(int(suite.get(name, 0)) for name in names)
                          for names in (["tests"], ["failures"], ["skipped", "disabled"]))
print(total - failures - skips, failures, skips)
PY
}

# The Python that has what the plots need: $PRISM_PYTHON, python3, the system's.
find_python() {
  local python
  for python in ${PRISM_PYTHON:+"$PRISM_PYTHON"} python3 /usr/bin/python3; do
    if "$python" -c 'import h5py, matplotlib, numpy, pandas' >/dev/null 2>&1; then
      say "$python"
      return 0
    fi
  done
  return 1
}

# The GPUs to use, as CUDA_VISIBLE_DEVICES names them, one a line.
gpu_list() {
  if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then
    tr , '\n' <<<"$CUDA_VISIBLE_DEVICES"
  else
    nvidia-smi --query-gpu=index --format=csv,noheader 2>/dev/null || true
  fi
}
