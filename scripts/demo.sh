#!/usr/bin/env bash
# Set up, build, and colour a hard graph with two cooperating MPI ranks: shows the
# progress, the verified result, the files of the run and a convergence plot.
# demo.sh [GRAPH [COLORS]]   (default: the bundled random graph)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  -h | --help)
    sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
graph=${1:-$root/examples/gnp_500_0.5.col.gz}
target=${2:-49}
time_limit=30

step "Set-up"
bash "$root/scripts/setup.sh"
say "everything needed is there"

step "Build (Release, in build/release)"
build_preset release prism-dist prism
bin=$root/build/release
"$bin/prism-dist" --version

name=$(basename "$graph")
name=${name%.gz}
stem=$root/prism-runs/demo_${name%.col}
step "Colour $name with 2 ranks, at most $time_limit s, until $target colors"
mkdir -p "$root/prism-runs"
status=0
mpirun -np 2 "$bin/prism-dist" --time-limit "$time_limit" --target "$target" --seed 1 \
  --threads 1 --output "$stem.h5" --force "$graph" </dev/null || status=$?
# 1: the target was not met in time; the best coloring is written all the same.
[ "$status" -le 1 ] || die "$status" "prism-dist ended with $status"

step "Check the solution with independent code"
"$bin/prism" verify "$graph" "$stem.sol"

step "Plot"
python=$(find_python) || die 2 "no Python with h5py and matplotlib"
"$python" "$root/scripts/plot_run.py" "$stem.h5" -o "$stem.png"

step "Files of the run"
ls -l "$stem".*
