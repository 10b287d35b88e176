#!/usr/bin/env bash
# Set up, build, and colour a hard graph with two cooperating MPI ranks: shows the
# progress, the verified result, the files of the run and a report.
# demo.sh [GRAPH COLORS]   (default: a bundled random graph, 48)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  -h | --help)
    sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  -*) die 2 "unknown argument: $1 (try --help)" ;;
esac
graph=examples/gnp_500_0.5.col.gz
if [ "$#" -gt 0 ]; then
  [ -f "$1" ] || die 2 "$1: no such graph"
  graph=$(realpath "$1")
fi
target=${2:-48}
time_limit=30
cd "$root"

step "Set-up"
bash scripts/setup.sh
say "everything needed is there"

step "Build (Release, in build/release)"
build_preset release prism-dist prism
bin=build/release
"$bin/prism-dist" --version

name=$(basename "$graph")
name=${name%.gz}
stem=prism-runs/demo_${name%.col}
step "Colour $name with 2 ranks, at most $time_limit s, until $target colors"
mkdir -p prism-runs
status=0
mpirun -np 2 "$bin/prism-dist" --time-limit "$time_limit" --target "$target" --seed 1 \
  --telemetry.interval=0.1 --output "$stem.h5" --force "$graph" </dev/null || status=$?
# 1: the target was not met in time; the best coloring is written all the same.
[ "$status" -le 1 ] || die "$status" "prism-dist ended with $status"

step "Check the solution with independent code"
"$bin/prism" verify "$graph" "$stem.sol"

step "Report"
"$bin/prism" report "$stem.h5" -o "$stem.html" --graph "$graph"

step "Files of the run"
ls -l "$stem".*
